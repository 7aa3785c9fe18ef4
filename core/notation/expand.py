"""Products of three and more axes multiplied out, so that each term is one product of matrices and vectors.

For numbers a shared tensor is computed once; for reading, an einsum of einsums says less than the sum of its terms.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..graph.algebra import add, exchanged, inlined
from ..graph.canonical import tidy
from ..graph.nodes import Coefficient, Node, Product, Sum
from ..graph.ratios import reciprocal
from ..graph.transform import transform
from .residuals import with_identities


class Familiar:
    """The nodes of the expression as it was typed, where sums are found by their terms."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._nodes = set(nodes)
        self._sums: dict[tuple[Node, ...], list[Sum]] = {}
        for node in self._nodes:
            if isinstance(node, Sum):
                self._sums.setdefault(node.children, []).append(node)
        self.residuals = with_identities(self._nodes)

    def __contains__(self, node: Node) -> bool:
        return node in self._nodes

    def multiple(self, node: Sum) -> tuple[Coefficient, Sum] | None:
        """Return (c, s) where a sum is c times a sum s that the reader has typed."""
        if any(isinstance(c, float) for c in node.coefficients):
            return None
        amounts = {abs(c) for c in node.coefficients}
        for known in self._sums.get(node.children, []) if amounts else []:
            factor = tidy(node.coefficients[0] * reciprocal(known.coefficients[0]))
            pairs = zip(node.coefficients, known.coefficients, strict=True)
            if abs(factor) in amounts and all(tidy(factor * c) == own for own, c in pairs):
                return factor, known
        return None


def expanded(roots: list[Node], familiar: Iterable[Node] = ()) -> list[Node]:
    """Return graphs in which no Product has an operand of three or more axes that is itself a Product or a Sum.

    A `familiar` operand, one that the reader has typed, stays.
    """
    known = Familiar(familiar)
    return transform(roots, lambda node: _expanded(node, known))


def _expanded(node: Node, familiar: Familiar) -> Node:
    if not isinstance(node, Product):
        return node
    for position, (operand, labels) in enumerate(node.factors):
        if operand.rank > 2 and isinstance(operand, Sum) and familiar.multiple(operand) is None:
            terms = ((c, exchanged(node, (position,), (term, labels))) for c, term in operand.terms)
            return add([(c, _expanded(term, familiar)) for c, term in terms], node.shape)
        if operand.rank > 2 and isinstance(operand, Product):
            return _expanded(exchanged(node, (position,), *inlined(operand, labels)), familiar)
    return node
