"""Graphs of the same values that keep their digits where numbers are large, small, or large and nearly equal.

`x[i]*x[j]/norm(x)**3` becomes `u[i]*u[j]/norm(x)` with `u = x/norm(x)`, for the cube of a norm overflows where the
norm itself does not; and `x - logsumexp(x)` is computed from the largest entry, for both may be 1e15 and their
difference 1. Formulas show the shorter form.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from ..elaboration.elaborate import call
from ..graph.algebra import Factor, constant_value, exchanged, full, product
from ..graph.nodes import (
    Apply,
    Labels,
    Map,
    Node,
    Product,
    Structural,
    Sum,
    is_function,
    remembered,
    symbols,
    topological,
)
from ..graph.transform import transform_once
from .softmaxes import in_one_step

LENGTHS = frozenset({"euclidean_norm", "power_norm", "hypot"})
UNSTEADY = LENGTHS | {"logsumexp"}


def steadied(roots: Sequence[Node], order: Sequence[Node]) -> list[Node]:
    """Return graphs of the same values that keep more digits; `order` are the nodes below the roots.

    Example: `exp(x - logsumexp(x))`, the softmax, is right at x = [1e15, 1e15].
    """
    functions = {node.operator.name for node in topological(roots) if isinstance(node, Map | Apply)}
    return list(roots) if UNSTEADY.isdisjoint(functions) else transform_once(roots, _steadied)


def _steadied(node: Node) -> Node:
    (found,) = _changed(node) if isinstance(node, Sum | Product) else (None,)
    return node if found is None else found


@remembered
def _changed(node: Sum | Product) -> tuple[Node | None]:
    """Return a node that keeps more digits, if there is one: value, derivative and formula have many in common."""
    return (_log_softmax(node) if isinstance(node, Sum) else _in_units(node),)


# --- x - logsumexp(x) ------------------------------------------------------------------------------------------------


def _log_softmax(node: Sum) -> Node | None:
    """Return x - logsumexp(x) along one axis as one step."""
    return in_one_step("log_softmax_of_last", node)


# --- quotients by norms ----------------------------------------------------------------------------------------------


class _Divisor(NamedTuple):
    """One over a norm, as a node, and how often it is among the factors of a Product."""

    length: Node
    inverse: Node
    labels: Labels
    times: int


def _in_units(node: Product) -> Node | None:
    """Return a Product in which what a norm is made of is divided by the norm before anything else happens to it."""
    factors = list(node.factors)
    found = {place: one for place, factor in enumerate(factors) if (one := _divisor(*factor)) is not None}
    for first in found.values():
        places = [k for k, one in found.items() if (one.length, one.labels) == (first.length, first.labels)]
        inverses = [(one.inverse, one.labels) for k in places for one in [found[k]] * found[k].times]
        related = _made_of(node, first, places)
        if not related or (len(inverses) == 1 and len(related) < 2):
            continue
        pairs = list(zip(related, inverses, strict=False))
        units = [_as_factor(factors[k], inverse) for k, inverse in pairs]
        return exchanged(node, [*places, *(k for k, _ in pairs)], *units, *inverses[len(pairs) :])
    return None


def _as_factor(*parts: Factor) -> Factor:
    """Return the product of factors as one: over the labels of the first, each of them once."""
    labels = tuple(dict.fromkeys(parts[0][1]))
    return product(1, parts, labels), labels


def _divisor(node: Node, labels: Labels) -> _Divisor | None:
    """Return what a factor is where it divides by a norm."""
    if is_function(node, "reciprocal_or_zero") and _is_length(node.children[0]):
        return _Divisor(node.children[0], node, labels, 1)
    if not isinstance(node, Map) or node.operator.name != "power":
        return None
    base, exponent = node.children[0], constant_value(node.children[1])
    if not isinstance(exponent, int):
        return None
    if is_function(base, "reciprocal_or_zero") and exponent > 0 and _is_length(base.children[0]):
        return _Divisor(base.children[0], base, labels, exponent)
    if exponent >= 0 or not _is_length(base):
        return None
    inverse = call("power", base, full(-1, base.shape))
    return _Divisor(base, inverse, labels, -exponent)


def _is_length(node: Node) -> bool:
    return isinstance(node, Map | Apply) and node.operator.name in LENGTHS


def _made_of(node: Product, divisor: _Divisor, divisors: Sequence[int]) -> list[int]:
    """Return the places of factors that a norm is the norm of: its operand, or else the smallest that it depends on."""
    names = set(symbols([divisor.length]))
    related = [
        place
        for place, (factor, labels) in enumerate(node.factors)
        if place not in divisors and not isinstance(factor, Structural) and _divisor(factor, labels) is None
        and set(divisor.labels) <= set(labels) and (own := set(symbols([factor]))) and own <= names
    ]  # fmt: skip

    def distance(place: int) -> tuple[bool, int]:
        factor = node.children[place]
        return factor not in divisor.length.children, prod(factor.shape)

    nearest = min(map(distance, related), default=None)
    return [place for place in related if distance(place) == nearest]
