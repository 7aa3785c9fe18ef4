"""Between which numbers all entries of a node lie, whatever the inputs: what makes a square root of weights real."""

from __future__ import annotations

from collections import Counter
from math import inf

from .algebra import constant_value
from .nodes import Apply, Constant, Map, Node, Product, Structural, Sum, Symbol

Interval = tuple[float, float]

ANYTHING: Interval = (-inf, inf)
NOT_NEGATIVE: Interval = (0.0, inf)
# Farther below a node than this nothing is asked.
DEPTH = 6


def is_not_negative(node: Node) -> bool:
    """Whether no entry of a node can be negative: `exp(x)`, `sigmoid(x) * (1 - sigmoid(x))`, `x * x`."""
    return bounds(node)[0] >= 0


def bounds(node: Node, depth: int = DEPTH) -> Interval:
    """Return numbers between which all entries lie: `(0, 1)` for `sigmoid(x)`, infinite where nothing is known."""
    constant = constant_value(node)
    if constant is not None:
        return float(constant), float(constant)
    if depth == 0:
        return ANYTHING
    match node:
        case Symbol():
            return NOT_NEGATIVE if "positive" in node.assumptions else ANYTHING
        case Constant():
            return (float(node.value.min()), float(node.value.max())) if node.value.size else (0.0, 0.0)
        case Structural():
            return 0.0, 1.0
        case Map() | Apply():
            return _of_function(node, depth)
        case Sum():
            parts = [_scaled(bounds(term, depth - 1), float(c)) for c, term in node.terms]
            return sum(low for low, _ in parts), sum(high for _, high in parts)
        case Product():
            return _of_product(node, depth)
    return ANYTHING


def _of_function(node: Map | Apply, depth: int) -> Interval:
    if node.operator.name != "power":
        return node.operator.bounds
    exponent = constant_value(node.children[1])
    if exponent is not None and float(exponent) % 2 == 0:
        return NOT_NEGATIVE
    return NOT_NEGATIVE if bounds(node.children[0], depth - 1)[0] >= 0 else ANYTHING


def _of_product(node: Product, depth: int) -> Interval:
    result: Interval = (1.0, 1.0)
    for (operand, _), times in Counter(node.factors).items():
        own = bounds(operand, depth - 1)
        for factor in [NOT_NEGATIVE] * (times // 2) + [own] * (times % 2):
            corners = [_times(a, b) for a in result for b in factor]
            result = min(corners), max(corners)
    if len(node.sizes) > node.rank:
        result = NOT_NEGATIVE if result[0] >= 0 else ANYTHING
    return _scaled(result, float(node.coefficient))


def _scaled(interval: Interval, factor: float) -> Interval:
    first, second = (_times(bound, factor) for bound in interval)
    return min(first, second), max(first, second)


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b
