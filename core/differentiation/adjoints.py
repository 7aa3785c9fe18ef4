"""Operators that are linear in their last operand, and what follows from the adjoint that they declare.

L below is such an operator, the derivative of a function of matrices for one, and L* its adjoint. The gradient of
`trace(expm(t*A) @ B)` by t is `sum(L*(t*A, B.T) * A)`; that is `sum(B.T * L(t*A, A))`, and as A commutes with t*A,
it is `trace(B @ A @ expm(t*A))`.
"""

from __future__ import annotations

from ..elaboration.elaborate import elaborate_text
from ..graph.algebra import exchanged, product, repeated_axes, without_axes
from ..graph.nodes import Apply, Delta, Node, Product


def adjoint_of(node: Apply, cotangent: Node) -> Node:
    """Return what carries a cotangent of the output back to the operand in which an Apply is linear."""
    return elaborate_text(node.operator.adjoint, {**_operands(node), "g": cotangent})


def commuted(node: Node) -> Node | None:
    """L(X, E) = E @ f'(X) where E is a multiple of X or of the identity."""
    if not isinstance(node, Apply) or not node.operator.commuting or node.batch:
        return None
    matrices = [_matrix_of(child) for child in node.children]
    if matrices[-1] is not matrices[0] and not isinstance(matrices[-1], Delta):
        return None
    return elaborate_text(node.operator.commuting, _operands(node))


def transferred(node: Node) -> Node | None:
    """sum(L*(X, G) * E) = sum(G * L(X, E)) where that is less work: G is a stack and E one operand, or E commutes."""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for place, (inner, labels) in enumerate(factors):
        if not (isinstance(inner, Apply) and inner.operator.adjoint):
            continue
        core, lead = labels[inner.batch :], tuple(range(inner.batch))
        places = [k for k, (_, own) in enumerate(factors) if k != place and not set(core).isdisjoint(own)]
        meeting = [factors[k] for k in places]
        if not meeting or any(not set(own) <= set(core) for _, own in meeting) or min(core) < node.rank:
            continue
        *fixed, G = inner.children
        if len(set(core)) < len(core) or any(not set(lead) <= repeated_axes(child) for child in fixed):
            continue
        single = [without_axes(child, tuple(range(inner.batch, child.rank))) for child in fixed]
        names = dict(zip(inner.operator.operands, single, strict=False))
        once = elaborate_text(inner.operator.adjoint, {**names, "g": product(1, meeting, core)})
        simple = commuted(once)
        if simple is not None or inner.batch:
            return exchanged(node, (place, *places), (G, labels), (once if simple is None else simple, core))
    return None


def _operands(node: Apply) -> dict[str, Node]:
    return dict(zip(node.operator.operands, node.children, strict=True))


def _matrix_of(node: Node) -> Node:
    """Return a matrix without the numbers that multiply it: multiples of one matrix commute."""
    if not isinstance(node, Product):
        return node
    return product(1, [factor for factor in node.factors if factor[0].rank], (0, 1))
