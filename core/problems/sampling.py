"""Random inputs that satisfy what is assumed of them and what the operators need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ...grammar.advice import Setting
from ..arrays import Array
from ..errors import UsageProblem
from ..graph.nodes import Apply, Map, Node, Product, Symbol, topological
from ..shapes import Shape
from .draws import Draws


def needs(roots: Iterable[Node], *, general: bool = False) -> dict[str, set[str]]:
    """Return what the operators need of each input that they are applied to directly.

    Example: for `log(x) + logdet(S)` it is `{"x": {"positive"}, "S": {"spd"}}`. A `general` input is no more special
    than it must be: a matrix with a positive determinant will do, and where it is not symmetric a forgotten transpose
    shows.
    """
    found: dict[str, set[str]] = {}
    for node in topological(roots):
        if isinstance(node, Map | Apply):
            for operand, domain in zip(node.children, node.operator.domain, strict=False):
                inner = operand
                if isinstance(inner, Product) and len(inner.children) == 1 and inner.coefficient == 1:
                    inner = inner.children[0]
                domain = "invertible" if general and domain == "spd" else domain
                if isinstance(inner, Symbol) and domain not in ("", "real"):
                    found.setdefault(inner.name, set()).add(domain)
    return found


def draw(name: str, shape: Shape, law: str, seed: int, demands: Iterable[str]) -> Array:
    """Return random numbers for a name, the same for the same name, shape, law and seed.

    `law` is `normal`, `uniform` (0 to 1) or `randint:LOW:HIGH` (HIGH excluded); `demands` are assumptions and
    operator domains, all of which the result satisfies.

    Raises UsageProblem for an unknown law.
    """
    draws = Draws(seed, name)
    value = _from_law(draws, shape, law)
    for demand in sorted(set(demands), key=_ORDER.index):
        value = _satisfying(demand, value)
    return np.asarray(value, dtype=np.float64)


_ORDER = (
    "integer", "nonzero", "above_one", "unit", "positive", "invertible", "symmetric", "spd", "orthogonal", "lower",
    "upper", "diagonal",
)  # fmt: skip


def _from_law(draws: Draws, shape: Shape, law: str) -> Array:
    match law.split(":"):
        case ["normal"]:
            return draws.normal(shape)
        case ["uniform"]:
            return draws.uniform(0, 1, shape)
        case ["randint", low, high] if _whole(low) and _whole(high) and int(low) < int(high):
            return draws.integers(int(low), int(high), shape)
    raise UsageProblem(
        f"`{law}` is not a way to draw random numbers",
        helps=[Setting("random", law) for law in ("normal", "uniform", "randint:0:5")],
    )


def _whole(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _satisfying(demand: str, value: Array) -> Array:
    size = value.shape[-1] if value.ndim else 1
    transposed = np.swapaxes(value, -1, -2) if value.ndim >= 2 else value
    match demand:
        case "integer":
            return np.rint(value * 3)
        case "nonzero":
            return np.where(np.abs(value) < 0.1, 0.1 + np.abs(value), value)
        case "positive":
            return np.abs(value) + 0.1
        case "above_one":
            return np.abs(value) + 1.1
        case "unit":
            return np.asarray(0.95 * np.tanh(value))
        case "symmetric":
            return (value + transposed) / 2
        case "spd":
            return np.asarray(value @ transposed / size + np.eye(size))
        case "invertible":
            # A dominant diagonal keeps the condition number small and the determinant positive.
            return np.asarray(value / np.sqrt(size) / 2 + 1.5 * np.eye(size))
        case "orthogonal":
            return np.asarray(np.linalg.qr(value)[0])
        case "lower":
            return np.tril(value)
        case "upper":
            return np.triu(value)
        case "diagonal":
            return value * np.eye(size)
    return value


def tangent_projection(assumptions: Mapping[str, frozenset[str]], name: str, direction: Array) -> Array:
    """Return a direction restricted to those in which a variable with its assumptions may move."""
    known = assumptions.get(name, frozenset())
    if "diagonal" in known:
        return direction * np.eye(direction.shape[-1])
    if known & {"symmetric", "spd"}:
        return (direction + np.swapaxes(direction, -1, -2)) / 2
    return direction
