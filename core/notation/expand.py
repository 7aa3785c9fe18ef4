"""Products of three and more axes multiplied out, so that each term is one product of matrices and vectors.

For numbers a shared tensor is computed once; for reading, an einsum of einsums says less than the sum of its terms.
"""

from __future__ import annotations

from collections.abc import Set

from ..graph.algebra import add, exchanged, inlined
from ..graph.canonical import tidy
from ..graph.nodes import Coefficient, Node, Product, Sum
from ..graph.ratios import reciprocal
from ..graph.transform import transform


def expanded(roots: list[Node], familiar: Set[Node] = frozenset()) -> list[Node]:
    """Return graphs in which no Product has an operand of three or more axes that is itself a Product or a Sum.

    A `familiar` operand, one that the reader has typed, stays.
    """
    return transform(roots, lambda node: _expanded(node, familiar))


def _expanded(node: Node, familiar: Set[Node]) -> Node:
    if not isinstance(node, Product):
        return node
    for position, (operand, labels) in enumerate(node.factors):
        if operand.rank > 2 and isinstance(operand, Sum) and familiar_multiple(operand, familiar) is None:
            terms = ((c, exchanged(node, (position,), (term, labels))) for c, term in operand.terms)
            return add([(c, _expanded(term, familiar)) for c, term in terms], node.shape)
        if operand.rank > 2 and isinstance(operand, Product):
            return _expanded(exchanged(node, (position,), *inlined(operand, labels)), familiar)
    return node


def familiar_multiple(node: Sum, familiar: Set[Node]) -> tuple[Coefficient, Sum] | None:
    """Return (c, s) where a sum is c times a sum s that the reader has typed."""
    if any(isinstance(c, float) for c in node.coefficients):
        return None
    amounts = {abs(c) for c in node.coefficients}
    for factor in (sign * amount for amount in amounts for sign in (1, -1)):
        scaled = tuple(tidy(c * reciprocal(factor)) for c in node.coefficients)
        known = Sum.of(scaled, node.children, node.shape)
        if known in familiar:
            return tidy(factor), known
    return None
