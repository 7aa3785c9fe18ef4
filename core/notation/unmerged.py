"""Functions of all entries of an array at once, without the vector that its entries are merged to.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> X = Symbol.of("X", (2, 3))
>>> typed = elaborate_text("reshape(exp(ravel(X) - a), (2, 3))", {"X": X, "a": Symbol.of("a", ())})
>>> unmerged(typed) is elaborate_text("exp(X - a)", {"X": X, "a": Symbol.of("a", ())})
True
"""

from __future__ import annotations

from ..graph.algebra import add, elementwise, exchanged, product
from ..graph.nodes import Factor, Map, Node, Product, Reshape, Sum


def unmerged(node: Node) -> Node | None:
    """Return f(X) for reshape(f(ravel(X)), X.shape) in a Product."""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for place, (reshape, (merged, *inner)) in ((k, f) for k, f in enumerate(factors) if isinstance(f[0], Reshape)):
        users = [spot for spot, (_, own) in enumerate(factors) if merged in own and spot != place]
        if merged < node.rank or len(users) != 1 or factors[users[0]][1] != (merged,):
            continue
        function = factors[users[0]][0]
        if isinstance(function, Map):
            operands = [_split(operand, (reshape, (0, *range(1, 1 + len(inner))))) for operand in function.children]
            if not any(map(_is_split, operands)):
                return exchanged(node, (place, users[0]), (elementwise(function.operator, operands), tuple(inner)))
    return None


def _is_split(node: Node) -> bool:
    """Whether a Reshape is left at the top of a node."""
    parts = node.children if isinstance(node, Sum) else (node,)
    return any(isinstance(inner, Reshape) for part in parts for inner in (part, *part.children))


def _split(node: Node, reshape: Factor) -> Node:
    """Return a vector with its axis split as a Reshape says."""
    output = reshape[1][1:]
    if isinstance(node, Sum):
        return add([(c, _split(term, reshape)) for c, term in node.terms], reshape[0].shape[1:])
    return product(1, [(node, (0,)), reshape], output)
