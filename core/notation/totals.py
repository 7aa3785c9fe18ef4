"""Sums that are known without adding up: `sum(x - mean(x))` is 0, so that centring a second time changes nothing.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> x, y = Symbol.of("x", (3,)), Symbol.of("y", (3,))
>>> known_total(elaborate_text("sum(x + y - mean(x))", {"x": x, "y": y})) is elaborate_text("sum(y)", {"y": y})
True
"""

from __future__ import annotations

from collections import Counter

from ..differentiation.stabilise import rewritten
from ..graph.algebra import add, constant_value, exchanged, inlined, product, repeated_axes, without_axes
from ..graph.nodes import Labels, Node, Product, Sum
from ..graph.transform import flatten


def known_total(node: Node) -> Node | None:
    """Return a Product without a sum over one of its factors that is known; None where there is no such sum."""
    if not isinstance(node, Product) or not any(isinstance(part, Sum | Product) for part in node.children):
        return None
    uses = Counter(label for labels in node.labels for label in labels)
    for place, (factor, labels) in enumerate(node.factors):
        summed = tuple(axis for axis, label in enumerate(labels) if label >= node.rank and uses[label] == 1)
        if not isinstance(factor, Sum | Product):
            continue
        for axes in dict.fromkeys([summed, *((axis,) for axis in summed)] if summed else []):
            if (total := _total(factor, axes)) is not None:
                kept = tuple(label for axis, label in enumerate(labels) if axis not in axes)
                return exchanged(node, (place,), (total, kept))
    return None


def _total(node: Sum | Product, axes: Labels) -> Node | None:
    """Return the sum of a node over axes where it has fewer terms than the node, because some of them are known."""
    totals: dict[Labels, Node | None] = node.__dict__.setdefault("_known_totals", {})
    if axes not in totals:
        totals[axes] = _found_total(node, axes)
    return totals[axes]


def _found_total(node: Sum | Product, axes: Labels) -> Node | None:
    labels = tuple(range(node.rank))
    kept = tuple(axis for axis in labels if axis not in axes)
    if isinstance(node, Product):
        return known(product(1, inlined(node, labels), kept))
    parts = [(c, flatten([product(1, inlined(term, labels), kept)])[0]) for c, term in node.terms]
    total = add([(c, known(part) or part) for c, part in parts], tuple(node.shape[axis] for axis in kept))
    return total if _terms_of(total) < len(node.children) else None


def known(node: Node) -> Node | None:
    """Return what is known of the sum of one term, None for nothing."""
    found = known_total(node) or rewritten(node)
    return None if found is node else known(found) or found


def _terms_of(node: Node) -> int:
    """Return how many terms a node has that are no numbers."""
    if constant_value(node) is not None:
        return 0
    repeated = repeated_axes(node)
    inner = without_axes(node, tuple(axis for axis in range(node.rank) if axis not in repeated))
    return len(inner.children) if isinstance(inner, Sum) else 1
