"""Hessians written symmetrically: `outer(A @ x, x) + outer(x, A @ x)`, not `outer(A @ x - 2*r*x, x) + outer(x, A @ x)`.

A derivative of the second order by the same input twice is the same with its last two axes exchanged. Where the
products of its sums show that, they are multiplied out.
"""

from __future__ import annotations

from ..graph.algebra import add, carries_delta, exchanged, inlined, product, split
from ..graph.nodes import Coefficient, Node, Product, Sum
from .inverses import without_products

# A sum of more terms than this is not multiplied out.
MOST = 12


def symmetrical(node: Node, half: int) -> Node:
    """Return a derivative whose last axes are twice `half` axes as a sum that shows its symmetry, if it has one."""
    if _is_closed(_flat(node), half):
        return node
    found = _multiplied_out(node)
    return found if found is not node and _is_closed(found, half) else node


def _multiplied_out(node: Node) -> Node:
    """Return a sum without sums in its outer products."""
    terms: list[tuple[Coefficient, Node]] = [*node.terms] if isinstance(node, Sum) else [(1, node)]
    for place, (c, term) in enumerate(terms):
        if not isinstance(term, Product) or carries_delta(term):
            continue
        for spot, (total, labels) in enumerate(term.factors):
            outside = any(label < term.rank for label in labels)
            if isinstance(total, Sum) and outside and 0 < total.rank < term.rank and len(terms) <= MOST:
                inner = ((c * d, exchanged(term, (spot,), *inlined(part, labels))) for d, part in total.terms)
                return _multiplied_out(add([*terms[:place], *inner, *terms[place + 1 :]], node.shape))
    return _flat(node)


def _flat(node: Node) -> Node:
    """Return a sum without products in its products, so that equal terms are the same."""
    terms: list[tuple[Coefficient, Node]] = [*node.terms] if isinstance(node, Sum) else [(1, node)]
    return add([(c, without_products(term) if isinstance(term, Product) else term) for c, term in terms], node.shape)


def _is_closed(node: Node, half: int) -> bool:
    """Whether the terms of a node are the same when its last axes are exchanged."""
    terms = {term: c for c, term in node.terms} if isinstance(node, Sum) else {node: 1}
    first = node.rank - 2 * half
    axes = (*range(first), *range(first + half, node.rank), *range(first, first + half))
    for term, c in terms.items():
        d, turned = split(product(1, inlined(term, tuple(range(node.rank))), axes))
        if terms.get(turned, 0) != c * d:
            return False
    return True
