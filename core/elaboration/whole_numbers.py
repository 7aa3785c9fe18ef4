"""Sizes computed from sizes, as the graph of an expression has them: `n - 1`, `n*m`, `n//2`."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..graph.algebra import constant_value
from ..graph.nodes import Coefficient, Map, Node, Product, Structural, Sum, Symbol
from ..graph.ratios import as_size, ratio, reciprocal
from ..graph.sizes import least


def whole_number(
    node: Node, size_named: Callable[[str], int], whole_part: Callable[[Coefficient], int]
) -> Coefficient | None:
    """Return the value of a size computed from sizes, such as `n - 1` or `n*m`; None for anything else."""
    match node:
        case Symbol():
            return ratio(size_named(node.name))
        case Product() if any(isinstance(child, Structural) and child.rank > 1 for child in node.children):
            return None
        case Product() | Sum():
            parts = [whole_number(child, size_named, whole_part) for child in node.children]
            if any(part is None for part in parts):
                return None
            numbers = [part for part in parts if part is not None]
            if isinstance(node, Product):
                return math.prod(numbers, start=node.coefficient)
            return sum(c * part for c, part in zip(node.coefficients, numbers, strict=True))
        case Map() if node.operator.name == "floor":
            part = whole_number(node.children[0], size_named, whole_part)
            return None if part is None else ratio(whole_part(part))
        case Map() if node.operator.name == "power" and constant_value(node.children[1]) == -1:
            part = whole_number(node.children[0], size_named, whole_part)
            return reciprocal(part) if part else None
        case Map() if node.operator.name == "minimum":
            first, second = (whole_number(child, size_named, whole_part) for child in node.children)
            if first is None or second is None:
                return None
            return ratio(least(as_size(first, exact=False), as_size(second, exact=False)))
    return None
