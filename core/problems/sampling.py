"""Random inputs that satisfy what is assumed of them and what the operators need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ...grammar.advice import Setting
from ...grammar.numerals import whole_number
from ..arrays import Array
from ..errors import UsageProblem
from ..graph.nodes import Apply, Map, Node, Product, Symbol, topological
from ..operators.kernels import mean_along_diagonals
from ..shapes import Shape
from .draws import Draws

# What is asked of labels, with the number of classes behind it.
BELOW = "below "


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
                domain = "invertible" if general and domain == "spd" else domain
                domain = f"{BELOW}{node.shape[-1]}" if domain == "label" else domain
                for inner in _sources(operand):
                    if domain not in ("", "real"):
                        found.setdefault(inner.name, set()).add(domain)
    return found


def _sources(operand: Node) -> Iterator[Symbol]:
    """Yield the inputs whose entries an operand has as they are: seen in other shapes, or chosen by a condition."""
    match operand:
        case Symbol():
            yield operand
        case Product(coefficient=1, children=(inner,)):
            yield from _sources(inner)
        case Map() if operand.operator.name == "where":
            for branch in operand.children[1:]:
                yield from _sources(branch)


def draw(name: str, shape: Shape, law: str, seed: int, demands: Iterable[str]) -> Array:
    """Return random numbers for a name, the same for the same name, shape, law and seed.

    `law` is `normal`, `uniform` (0 to 1) or `randint:LOW:HIGH` (HIGH excluded); `demands` are assumptions and
    operator domains, all of which the result satisfies.

    Raises UsageProblem for an unknown law.
    """
    draws = Draws(seed, name)
    value = _from_law(draws, shape, law_of(demands, law))
    wanted = {word for word in demands if not word.startswith(BELOW)}
    assert wanted <= _SATISFYING.keys(), wanted
    for demand in (word for word in _SATISFYING if word in wanted):
        value = np.asarray(_SATISFYING[demand](value), dtype=np.float64)
    return value


def law_of(demands: Iterable[str], law: str) -> str:
    """Return how numbers are drawn: labels that are to be below 3 by `randint:0:3`, others by the law."""
    limits = [int(word.removeprefix(BELOW)) for word in demands if word.startswith(BELOW)]
    return f"randint:0:{min(limits)}" if limits else law


def _size(value: Array) -> int:
    return value.shape[-1] if value.ndim else 1


def _transposed(value: Array) -> Array:
    return np.swapaxes(value, -1, -2) if value.ndim > 1 else value


# In the order in which they are met. A dominant diagonal keeps the condition number of what must be invertible small
# and its determinant positive.
_SATISFYING: Mapping[str, Callable[[Array], Any]] = {
    "integer": lambda value: np.rint(value * 3),
    "count": lambda value: np.abs(np.rint(value * 3)),
    "nonzero": lambda value: np.where(np.abs(value) < 0.1, 0.1 + np.abs(value), value),
    "above_one": lambda value: np.abs(value) + 1.1,
    "unit": lambda value: 0.95 * np.tanh(value),
    "probability": lambda value: 0.5 + 0.45 * np.tanh(value),
    "positive": lambda value: np.abs(value) + 0.1,
    "invertible": lambda value: value / np.sqrt(_size(value)) / 2 + 1.5 * np.eye(_size(value)),
    "symmetric": lambda value: (value + _transposed(value)) / 2,
    "spd": lambda value: value @ _transposed(value) / _size(value) + np.eye(_size(value)),
    "orthogonal": lambda value: np.linalg.qr(value)[0],
    "skew": lambda value: (value - _transposed(value)) / 2,
    "toeplitz": mean_along_diagonals,
    "hankel": lambda value: mean_along_diagonals(value[..., ::-1, :])[..., ::-1, :],
    "circulant": partial(mean_along_diagonals, cyclic=True),
    "tridiagonal": lambda value: np.triu(np.tril(value, 1), -1),
    "lower": np.tril,
    "upper": np.triu,
    "diagonal": lambda value: value * np.eye(_size(value)),
    "small": lambda value: value / 8,
    "mask": lambda value: value > 0,
}

ALLOWING: Mapping[str, frozenset[str]] = {
    "small": frozenset(_SATISFYING) - {"small", "integer", "count", "mask", "above_one", "orthogonal"},
    "above_one": frozenset({"positive", "nonzero"}),
}
"""The demands that stay satisfied where numbers are made small or large."""


def _from_law(draws: Draws, shape: Shape, law: str) -> Array:
    match law.split(":"):
        case ["normal"]:
            return draws.normal(shape)
        case ["uniform"]:
            return draws.uniform(0, 1, shape)
        case ["randint", *ends] if len(ends) == 2:
            low, high = map(whole_number, ends)
            if low is not None and high is not None and low < high:
                return draws.integers(low, high, shape)
    message = f"`{law}` is not a way to draw random numbers"
    raise UsageProblem(message, helps=[Setting("random", law) for law in ("normal", "uniform", "randint:0:5")])


def tangent_projection(known: frozenset[str], value: Array, direction: Array) -> Array:
    """Return a direction restricted to those in which a variable with its assumptions may move."""
    if "diagonal" in known:
        return direction * np.eye(direction.shape[-1])
    for word in (word for word in _TANGENTS if word in known):
        direction = _TANGENTS[word](direction)
    if "orthogonal" in known:
        half = np.swapaxes(value, -1, -2) @ direction
        direction = direction - value @ (half + np.swapaxes(half, -1, -2)) / 2
    return direction


_TANGENTS: Mapping[str, Callable[[Array], Any]] = {
    "symmetric": _SATISFYING["symmetric"], "spd": _SATISFYING["symmetric"],
    **{word: _SATISFYING[word] for word in (
        "tridiagonal", "skew", "toeplitz", "hankel", "circulant", "lower", "upper",
    )},
}  # fmt: skip
"""Assumptions that hold on a space of matrices, with the projection onto it."""
