"""Graphs of diagonals and triangles: Products with a Delta, a Select or a Triangle."""

from __future__ import annotations

from fractions import Fraction

from ..errors import ShapeError
from ..graph import algebra
from ..graph.algebra import Factor, fresh, product
from ..graph.nodes import Delta, Node, Select, Triangle
from ..graph.places import progression
from ..graph.sizes import Size, least
from ..shapes import Shape, normalize_axis, require_rank, require_square
from .axes import axes_of, reshaped, through


def on_diagonal(
    offset: int, length: int, shape: Shape, place: int, axes: tuple[int, int] = (0, 1)
) -> list[Factor]:
    """Return what makes a label count through `length` entries [i, i + offset] of two axes of that shape."""
    starts = zip((max(0, -offset), max(0, offset)), shape, axes, strict=True)
    return [(Select.of(progression(start, 1, length), size), (place, axis)) for start, size, axis in starts]


def diagonal(x: Node, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """Return the diagonal of two axes, as the last axis."""
    if x.rank < 2:
        require_rank(x.shape, 2, "diagonal")
    rows, columns = normalize_axis(axis1, x.rank), normalize_axis(axis2, x.rank)
    height, width = x.shape[rows], x.shape[columns]
    if height != width and not isinstance(least(height, width), int) and offset == 0:
        # A diagonal of an array of unknown lengths is meant to be that of a square one.
        raise ShapeError("the diagonal of two axes of unknown lengths", sizes=(height, width))
    first = max(0, -offset)
    length = least(height - first, width - max(0, offset))
    length = length if isinstance(length, Size) else max(0, length)
    (place,) = fresh(1)
    kept = tuple(label for label in axes_of(x) if label not in (rows, columns))
    selects = on_diagonal(offset, length, (height, width), place, (rows, columns))
    labels = list(axes_of(x))
    if offset == 0 and x.shape[rows] == x.shape[columns]:
        labels[rows] = labels[columns] = place
        selects = []
    return product(1, [(x, tuple(labels)), *selects], (*kept, place))


def diag(x: Node, k: int) -> Node:
    """Return the diagonal of a matrix, or the matrix with a vector on its diagonal."""
    if x.rank == 2:
        return diagonal(x, k)
    require_rank(x.shape, 1, "diag")
    if k == 0:
        return product(1, [(x, (0,)), (Delta.of(x.shape[0], 2), (0, 1))], (0, 1))
    size = x.shape[0] + abs(k)
    (place,) = fresh(1)
    return product(1, [(x, (place,)), *on_diagonal(k, x.shape[0], (size, size), place)], (0, 1))


def diag_embed(x: Node, offset: int, axis1: int, axis2: int) -> Node:
    """Return matrices in two axes, with the entries of the last axis of x on a diagonal."""
    if not x.rank:
        require_rank(x.shape, 1, "diag_embed")
    size = x.shape[-1] + abs(offset)
    *kept, last = axes_of(x)
    places = fresh(2)
    starts = zip(places, (max(0, -offset), max(0, offset)), strict=True)
    selects: list[Factor] = [
        (Select.of(progression(start, 1, x.shape[-1]), size), (last, label)) for label, start in starts
    ]
    if offset == 0:
        selects = [(Delta.of(size, 3), (last, *places))]
    order = list(kept)
    first, second = (normalize_axis(axis, x.rank + 1) for axis in (axis1, axis2))
    for axis, label in sorted(zip((first, second), places, strict=True)):
        order.insert(axis, label)
    return product(1, [(x, axes_of(x)), *selects], tuple(order))


def triangle(x: Node, k: int, *, lower: bool) -> Node:
    """Return the lower or the upper triangle of the last two axes, up to, or from, the k-th diagonal."""
    if x.rank < 2:
        require_rank(x.shape, 2, "tril" if lower else "triu")
    rows, columns = x.rank - 2, x.rank - 1
    if lower:
        factor = (Triangle.of(x.shape[rows], x.shape[columns], k), (rows, columns))
    else:
        factor = (Triangle.of(x.shape[columns], x.shape[rows], -k), (columns, rows))
    return product(1, [(x, axes_of(x)), factor], axes_of(x))


def cumsum(x: Node, axis: int | None) -> Node:
    """Return the running sums along an axis, or over all entries."""
    if axis is None:
        return cumsum(reshaped(x, -1), 0)
    place = normalize_axis(axis, x.rank)
    return through(x, place, Triangle.of(x.shape[place], x.shape[place]))


def lower_half(X: Node) -> Node:
    """Return the lower triangle of ones with 1/2 on the diagonal, in the shape of X."""
    require_square(X.shape, "lower_half")
    return algebra.add([(1, Triangle.of(*X.shape)), (Fraction(-1, 2), Delta.of(X.shape[0], 2))], X.shape)
