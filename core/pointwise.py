"""Elementwise functions as nodes: a function commutes with repetition, so it is applied before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .algebra import product, repeated_axes, without_axes
from .graph import Delta, Map, Node

if TYPE_CHECKING:
    from .operators.record import Operator


def elementwise(operator: Operator, operands: Sequence[Node]) -> Node:
    """Return an elementwise function of operands of one shape, applied before any broadcasting they share.

    Example: `exp` of a scalar repeated n times is the scalar's `exp` repeated.
    """
    shape = operands[0].shape
    repeated = set(range(len(shape)))
    for operand in operands:
        repeated &= repeated_axes(operand)
    if not repeated:
        return Map.of(operator, tuple(operands))
    kept = tuple(axis for axis in range(len(shape)) if axis not in repeated)
    inner = Map.of(operator, tuple(without_axes(operand, kept) for operand in operands))
    ones = [(Delta.of(shape[axis], 1), (axis,)) for axis in sorted(repeated)]
    return product(1, [(inner, kept), *ones], tuple(range(len(shape))))
