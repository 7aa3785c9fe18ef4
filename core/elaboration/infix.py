"""The infix operators as graphs: NumPy's broadcasting and matrix product, spelled as labels."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from fractions import Fraction

from ..graph import algebra
from ..graph.algebra import Factor, broadcast, constant_value, elementwise, fresh, full, product
from ..graph.catalogue import find
from ..graph.nodes import Coefficient, Delta, Labels, Node, Product
from ..graph.ratios import Ratio, reciprocal
from ..shapes import Shape, broadcast_shapes, matmul_shape

# The operators that compare, by their signs.
COMPARISONS: Mapping[str, str] = {
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
}  # fmt: skip

# x**k up to here is a Product of k factors: exact derivatives, and multiplication is far faster than a general power.
PRODUCT_POWERS = (2, 3)


def plus(left: Node, right: Node, sign: int = 1) -> Node:
    """Return `left + sign*right`, broadcast."""
    shape = broadcast_shapes(left.shape, right.shape)
    return algebra.add([(1, broadcast(left, shape)), (sign, broadcast(right, shape))], shape)


def times(left: Node, right: Node) -> Node:
    """Return the Hadamard product, broadcast by labels: nothing is repeated in memory."""
    shape = broadcast_shapes(left.shape, right.shape)
    factors = [(operand, aligned(operand.shape, shape)) for operand in (left, right)]
    return product(1, [*factors, *_missing(factors, shape)], tuple(range(len(shape))))


def aligned(own: Shape, shape: Shape) -> Labels:
    """Return the labels that axes have when they are broadcast to a shape: one of size one that repeats is summed."""
    offset = len(shape) - len(own)
    return tuple(axis if size == shape[axis] else fresh(1)[0] for axis, size in enumerate(own, offset))


def _missing(factors: list[Factor], shape: Shape) -> list[Factor]:
    carried = {label for _, labels in factors for label in labels}
    return [(Delta.of(size, 1), (axis,)) for axis, size in enumerate(shape) if axis not in carried]


def divide(left: Node, right: Node) -> Node:
    """Return `left / right`, broadcast; 0/0 and inf/inf of two numbers are nan."""
    numbers = constant_value(left), constant_value(right)
    if numbers == (0, 0) or all(isinstance(one, float) and math.isinf(one) for one in numbers):
        return full(math.nan, broadcast_shapes(left.shape, right.shape))
    if not right.shape and constant_value(right) == 0:
        # A coefficient scales the sum, a factor its terms: the sum of nothing divided by 0 is nan.
        return algebra.scale(math.inf, left)
    return times(left, power(right, algebra.number(-1)))


def remainder(left: Node, right: Node) -> Node:
    """Return what is left of a division, broadcast, with the sign of the divisor as in Python."""
    floor = find("floor")
    assert floor is not None
    whole = elementwise(floor, [divide(left, right)])
    return plus(left, times(whole, right), -1)


def matmul(left: Node, right: Node) -> Node:
    """Return `left @ right`: vectors are rows on the left and columns on the right, further axes are batches."""
    shape = matmul_shape(left.shape, right.shape)
    batch = len(broadcast_shapes(left.shape[:-2], right.shape[:-2]))
    inner, row, column = fresh(3)
    rows, columns = (row,) if left.rank > 1 else (), (column,) if right.rank > 1 else ()

    def label(node: Node, core: Labels) -> Factor:
        lead = node.shape[: node.rank - len(core)]
        return node, (*aligned(lead, shape[:batch]), *core)

    factors = [label(left, (*rows, inner)), label(right, (inner, *columns))]
    return product(1, [*factors, *_missing(factors, shape[:batch])], (*range(batch), *rows, *columns))


def power(base: Node, exponent: Node) -> Node:
    """Return `base ** exponent`, broadcast; small whole powers become Products."""
    shape = broadcast_shapes(base.shape, exponent.shape)
    constant, value = constant_value(exponent), constant_value(base)
    base = broadcast(base, shape)
    if constant is not None:
        if constant == 1:
            return base
        if constant == 0:
            return full(1, shape)
        if value is not None and (folded := _folded(value, constant)) is not None:
            return full(folded, shape)
        if constant in PRODUCT_POWERS:
            axes = tuple(range(len(shape)))
            return product(1, [(base, axes)] * PRODUCT_POWERS[PRODUCT_POWERS.index(constant)], axes)
        if constant == -1 and isinstance(base, Product) and base.coefficient not in (0, 1):
            inverse = power(algebra.split(base)[1], exponent)
            return algebra.scale(reciprocal(base.coefficient), broadcast(inverse, shape))
    operator = find("power")
    assert operator is not None
    return elementwise(operator, [base, broadcast(exponent, shape)])


def _folded(value: Coefficient, exponent: Coefficient) -> Coefficient | None:
    """Return a power of two numbers where it is exact and small, else None."""
    if isinstance(exponent, Ratio):
        return None
    if not -64 <= exponent <= 64:
        return None
    whole = int(exponent)
    if isinstance(value, Ratio):
        return value**whole if exponent == whole else None
    if exponent != whole or (value == 0 and whole < 0):
        return None
    if isinstance(value, float):
        # Left for when the program runs: there too much is infinite.
        return None if abs(math.log(abs(value) or 1) * whole) > math.log(sys.float_info.max) - 1 else value**whole
    return Fraction(value) ** whole
