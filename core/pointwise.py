"""Elementwise functions as nodes: a function commutes with repetition, so it is applied before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .algebra import is_zero, number, product, zero
from .graph import Delta, Labels, Map, Node, Product

if TYPE_CHECKING:
    from .operators.record import Operator


def elementwise(operator: Operator, operands: Sequence[Node]) -> Node:
    """Return an elementwise function of operands of one shape, applied before any broadcasting they share.

    Example: `exp` of a scalar repeated n times is the scalar's `exp` repeated.
    """
    shape = operands[0].shape
    repeated = set(range(len(shape)))
    for operand in operands:
        repeated &= _repeated_axes(operand)
    if not repeated:
        return Map.of(operator, tuple(operands))
    kept = tuple(axis for axis in range(len(shape)) if axis not in repeated)
    inner = Map.of(operator, tuple(_without(operand, kept) for operand in operands))
    ones = [(Delta.of(shape[axis], 1), (axis,)) for axis in sorted(repeated)]
    return product(1, [(inner, kept), *ones], tuple(range(len(shape))))


def _repeated_axes(node: Node) -> set[int]:
    if is_zero(node):
        return set(range(node.rank))
    if isinstance(node, Delta) and node.rank == 1:
        return {0}
    if isinstance(node, Product):
        return {own[0] for operand, own in node.factors if isinstance(operand, Delta) and operand.rank == 1}
    return set()


def _without(node: Node, kept: Labels) -> Node:
    if is_zero(node):
        return zero(tuple(node.shape[axis] for axis in kept))
    dropped = set(range(node.rank)) - set(kept)
    if isinstance(node, Delta):
        return number(1) if dropped else node
    if not isinstance(node, Product):
        return node
    factors = [f for f in node.factors if not (isinstance(f[0], Delta) and f[0].rank == 1 and f[1][0] in dropped)]
    return product(node.coefficient, factors, kept)
