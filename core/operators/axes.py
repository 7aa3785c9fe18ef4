"""Graphs of operations on axes: each is a Product with structural operands, so none needs a rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

from ...grammar import syntax
from ..elaboration.settings import is_whole, shown
from ..errors import ExpressionError, Label, RankError, ShapeError, Span
from ..graph import algebra
from ..graph.algebra import Factor, fresh, product
from ..graph.nodes import Delta, Labels, Node, Reshape, Select
from ..graph.places import Rotation, Rows, placed, progression
from ..graph.sizes import Size, quotient, sign
from ..shapes import Shape, broadcast_shapes, describe, normalize_axes, normalize_axis, require_rank, show


def checked_shape(value: Any) -> Shape:
    """Return a shape setting as a tuple: `checked_shape(3) == (3,)`.

    Raises ExpressionError for what is no list of whole numbers from 0 on.
    """
    for size in (sizes := several(value)):
        if not is_whole(size) or sign(size, meant=1) < 0:
            raise ExpressionError(f"a size is a whole number from 0 on, not {shown(size)}")
    return sizes


def several(value: Any) -> tuple[Any, ...]:
    """Return a setting that may be one value or several as a tuple."""
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def normalize_each(axes: Any, rank: int) -> list[int]:
    """Return axes as numbers from 0 on, in the order in which they are given."""
    return [normalize_axis(axis, rank) for axis in several(axes)]


def axes_of(x: Node) -> Labels:
    """Return the labels 0, 1, ... of the axes of a node."""
    return tuple(range(x.rank))


def through(x: Node, axis: int, matrix: Node) -> Node:
    """Return x with a matrix multiplied from the left onto one axis."""
    (row,) = fresh(1)
    labels = axes_of(x)
    return product(1, [(x, labels), (matrix, (row, axis))], (*labels[:axis], row, *labels[axis + 1 :]))


def selected(x: Node, axis: int, rows: Rows) -> Node:
    """Return the entries `rows` along one axis."""
    return through(x, axis, Select.of(rows, x.shape[axis]))


def summed(x: Node, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Node:
    """Return the sum over some axes, or over all."""
    axes = normalize_axes(axis, x.rank)
    if not keepdims:
        return product(1, [(x, axes_of(x))], tuple(label for label in axes_of(x) if label not in axes))
    ones = dict(zip(axes, fresh(len(axes)), strict=True))
    factors = [(x, axes_of(x)), *((Delta.of(1, 1), (label,)) for label in ones.values())]
    return product(1, factors, tuple(ones.get(label, label) for label in axes_of(x)))


# --- reshaping -------------------------------------------------------------------------------------------------------


def reshaped(x: Node, shape: Any) -> Node:
    """Return the entries in row-major order under another shape; one size may be -1.

    Axes that stay as they are keep their labels: only those that merge or split pass a Reshape.
    """
    target = _completed(x.shape, shape)
    if prod(target) == 0:
        return algebra.zero(target)
    output = fresh(len(target))
    factors: list[Factor] = [(Delta.of(1, 1), (output[axis],)) for axis, size in enumerate(target) if size == 1]
    old = [(label, size) for label, size in enumerate(x.shape) if size != 1]
    new = [(label, size) for label, size in zip(output, target, strict=True) if size != 1]
    renamed = {label: label for label in axes_of(x)}
    for before, after in _matching_groups(old, new):
        if len(before) == len(after) == 1:
            renamed[before[0][0]] = after[0][0]
            continue
        merged = before[0][0] if len(before) == 1 else after[0][0] if len(after) == 1 else fresh(1)[0]
        for group in (before, after):
            if len(group) > 1:
                sizes = tuple(size for _, size in group)
                factors.append((Reshape.of(sizes), (merged, *(label for label, _ in group))))
    return product(1, [(x, tuple(renamed[label] for label in axes_of(x))), *factors], output)


def _completed(old: Shape, shape: Any) -> Shape:
    sizes = list(several(shape))
    if sizes.count(-1) == 1:
        known = prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = quotient(prod(old), known, exact=isinstance(prod(old), Size)) if known else 0
    target = checked_shape(sizes)
    if prod(target) != prod(old):
        wanted = tuple(shape) if isinstance(shape, tuple | list) else shape
        message = f"{describe(old)} has {prod(old)} entries: it cannot take the shape {wanted}"
        raise ShapeError(message, sizes=(prod(old), prod(target)))
    return target


Axis = tuple[int, int]


def _matching_groups(old: list[Axis], new: list[Axis]) -> list[tuple[list[Axis], list[Axis]]]:
    """Split two lists of (label, size) into the shortest runs of equal product: what merges or splits with what."""
    ends = [list(accumulate((size for _, size in axes), mul)) for axes in (old, new)]
    groups, start, other = [], 0, 0
    for place, entries in enumerate(ends[0], 1):
        if entries in ends[1]:
            match = ends[1].index(entries) + 1
            groups.append((old[start:place], new[other:match]))
            start, other = place, match
    return groups


def squeezed(x: Node, axis: Any) -> Node:
    """Return x without its axes of size one, or without the given ones."""
    axes = [place for place, size in enumerate(x.shape) if size == 1] if axis is None else normalize_axes(axis, x.rank)
    for place in axes:
        if x.shape[place] != 1:
            raise ShapeError(f"axis {place} has {x.shape[place]} entries, and only an axis of one can go",
                             sizes=(x.shape[place], 1))
    return product(1, [(x, axes_of(x))], tuple(label for label in axes_of(x) if label not in axes))


def expanded(x: Node, axis: Any) -> Node:
    """Return x with new axes of size one at the given places."""
    count = len(axis) if isinstance(axis, tuple) else 1
    axes = normalize_axes(axis, x.rank + count)
    remaining = iter(x.shape)
    return reshaped(x, tuple(1 if place in axes else next(remaining) for place in range(x.rank + count)))


def broadcast_to(x: Node, shape: Any) -> Node:
    """Return x repeated to a shape by NumPy's rules; -1 keeps a size."""
    sizes = several(shape)
    kept = (*(1,) * (len(sizes) - x.rank), *x.shape)
    target = checked_shape(tuple(own if size == -1 else size for own, size in zip(kept, sizes, strict=False)))
    if len(sizes) < x.rank or broadcast_shapes(x.shape, target) != target:
        raise ShapeError(f"{describe(x.shape)} does not repeat to {show(target)}", sizes=None)
    return algebra.broadcast(x, target)


def vec(X: Node) -> Node:
    """Return the entries as one vector, column by column."""
    return reshaped(algebra.permute(X, axes_of(X)[::-1]), -1)


# --- the order of axes -----------------------------------------------------------------------------------------------


def transposed(x: Node, axes: Any) -> Node:
    """Return x with its axes reversed, or in a given order."""
    if axes is None:
        return algebra.permute(x, axes_of(x)[::-1])
    order = tuple(normalize_each(axes, x.rank))
    if len(order) == 2 < x.rank:
        return swapped(x, *order)
    if sorted(order) != list(axes_of(x)):
        raise RankError(f"`transpose` needs each of the {x.rank} axes once, not {order}", needed=len(order))
    if order == axes_of(x) and x.rank > 1:
        raise ExpressionError(f"NumPy reads `transpose` with {order} as no change, torch as a swap",
                              helps=["write `swapaxes(X, 0, 1)` or `X.T`"])
    return algebra.permute(x, order)


def swapped(x: Node, axis1: int, axis2: int) -> Node:
    """Return x with two axes swapped."""
    order = list(axes_of(x))
    first, second = normalize_axis(axis1, x.rank), normalize_axis(axis2, x.rank)
    order[first], order[second] = second, first
    return algebra.permute(x, order)


def moved(x: Node, source: Any, destination: Any) -> Node:
    """Return x with axes moved to other places."""
    starts, ends = (normalize_each(item, x.rank) for item in (source, destination))
    if len(starts) != len(ends):
        raise ShapeError("`moveaxis` needs as many targets as axes", sizes=(len(starts), len(ends)))
    order = [axis for axis in axes_of(x) if axis not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return algebra.permute(x, order)


def axis_rolled(x: Node, axis: int, start: int) -> Node:
    """Return x with one axis moved in front of another, or behind all."""
    place = normalize_axis(axis, x.rank)
    front = start if start == x.rank else normalize_axis(start, x.rank)
    return moved(x, place, front - 1 if place < front else front)


def flipped(x: Node, axis: Any) -> Node:
    """Return x with the entries along axes in reverse order."""
    for place in normalize_axes(axis, x.rank):
        x = selected(x, place, progression(x.shape[place] - 1, -1, x.shape[place]))
    return x


def rolled(x: Node, shift: Any, axis: Any) -> Node:
    """Return x with the entries moved on along an axis, or along several, the last coming first."""
    if isinstance(shift, tuple) or isinstance(axis, tuple):
        shifts, places = several(shift), several(axis)
        if axis is None or (len(shifts) != len(places) and 1 not in (len(shifts), len(places))):
            raise ShapeError("`roll` needs as many shifts as axes", sizes=(len(shifts), len(places)))
        count = max(len(shifts), len(places))
        for step, place in zip(shifts * (count // len(shifts)), places * (count // len(places)), strict=True):
            x = rolled(x, step, place)
        return x
    if axis is None:
        return reshaped(rolled(reshaped(x, -1), shift, 0), x.shape)
    place = normalize_axis(axis, x.rank)
    size = x.shape[place]
    start = placed(-shift, size) if isinstance(size, Size) else -shift % size if size else 0
    return selected(x, place, Rotation(size, start)) if start else x


# --- joining and repeating -------------------------------------------------------------------------------------------


def concatenated(*parts: Node, axis: int | None = 0) -> Node:
    """Return arrays joined along an axis, or all their entries as one vector for None."""
    if not parts:
        raise ExpressionError("there is nothing to join")
    if axis is None:
        return concatenated(*(reshaped(part, -1) for part in parts))
    first = parts[0]
    place = normalize_axis(axis, first.rank)
    if differing := _differing(parts, "concatenate", place):
        (part, sizes), *others = differing
        shapes = f"{show(first.shape)} and {show(part.shape)}"
        message = f"to join along axis {place}, other sizes must agree: {shapes}"
        raise ShapeError(message, sizes=sizes, others=[pair for _, pair in others])
    starts = [*accumulate((part.shape[place] for part in parts), initial=0)]
    total = starts[-1]
    (joined,) = fresh(1)
    output = (*axes_of(first)[:place], joined, *axes_of(first)[place + 1 :])
    shape = (*first.shape[:place], total, *first.shape[place + 1 :])
    terms = []
    for part, start in zip(parts, starts, strict=False):
        span = progression(start, 1, part.shape[place])
        terms.append((1, product(1, [(part, axes_of(part)), (Select.of(span, total), (place, joined))], output)))
    return algebra.add(terms, shape)


def _differing(parts: Sequence[Node], name: str, place: int = -1) -> list[tuple[Node, tuple[int, int]]]:
    """Return the parts whose sizes are not those of the first, but for one axis, with the two sizes."""
    first = parts[0].shape
    for part in parts:
        require_rank(part.shape, len(first), name)
    pairs = ((part, axis, pair) for part in parts for axis, pair in enumerate(zip(first, part.shape, strict=True)))
    return [(part, pair) for part, axis, pair in pairs if axis != place and pair[0] != pair[1]]


def stacked(*parts: Node, axis: int = 0) -> Node:
    """Return arrays of one shape along a new axis."""
    if parts and (differing := _differing(parts, "stack")):
        (part, sizes), *others = differing
        message = f"to stack, shapes must agree: {show(parts[0].shape)} and {show(part.shape)}"
        raise ShapeError(message, sizes=sizes, others=[pair for _, pair in others])
    place = normalize_axis(axis, parts[0].rank + 1) if parts else 0
    return concatenated(*(expanded(part, place) for part in parts), axis=place)


def side_by_side(*parts: Node) -> Node:
    """Return arrays joined along the second axis, vectors along their only one."""
    axis = 1 if parts and parts[0].rank > 1 else 0
    return concatenated(*(part if part.rank else reshaped(part, 1) for part in parts), axis=axis)


def below_one_another(*parts: Node) -> Node:
    """Return arrays joined along the first axis; vectors become rows."""
    return concatenated(*(part if part.rank > 1 else reshaped(part, (1, -1)) for part in parts))


def tiled(x: Node, reps: Any) -> Node:
    """Return copies of the whole array side by side."""
    counts = checked_shape(reps)
    x = reshaped(x, (*(1,) * (len(counts) - x.rank), *x.shape))
    for axis, count in zip(range(x.rank - len(counts), x.rank), counts, strict=True):
        x = _copied(x, axis, count, inside=False)
    return x


def repeated(x: Node, repetitions: int | Sequence[int], axis: int | None) -> Node:
    """Return each entry several times in a row: `repetitions` is one number, or one for each entry of the axis."""
    if axis is None:
        return repeated(reshaped(x, -1), repetitions, 0)
    counts, place = checked_shape(repetitions), normalize_axis(axis, x.rank)
    if len(counts) == 1:
        return _copied(x, place, counts[0], inside=True)
    if len(counts) != x.shape[place]:
        raise ShapeError(
            f"`repeat` needs one number, or as many as the axis has entries: {x.shape[place]}",
            sizes=(x.shape[place], len(counts)),
        )
    return selected(x, place, tuple(row for row, count in enumerate(counts) for _ in range(count)))


def _copied(x: Node, axis: int, count: int, *, inside: bool) -> Node:
    """Return copies along an axis: of the axis as a whole, or of each entry `inside` it."""
    place = axis + inside
    copies = algebra.broadcast(expanded(x, place), (*x.shape[:place], count, *x.shape[place:]))
    return reshaped(copies, (*x.shape[:axis], count * x.shape[axis], *x.shape[axis + 1 :]))


# --- other ways to write `x[I]` and `x.shape[0]` ----------------------------------------------------------------------


def taken(x: syntax.Node, indices: syntax.Node, axis: syntax.Node | None, span: Span) -> syntax.Node:
    """Return `take(x, I, axis=1)` as the index that it is, `x[:, I]`; without an axis it is `ravel(x)[I]`."""
    if isinstance(indices, syntax.TupleLiteral):
        indices = syntax.ListLiteral(indices.items, span=span)
    match axis:
        case None | syntax.Literal(None):
            return syntax.Index(syntax.Call("ravel", (x,), span=span), (indices,), span=span)
        case syntax.Number(text) if text.isdigit():
            return syntax.Index(x, (*(syntax.Slice(),) * int(text), indices), span=span)
        case syntax.Unary("-", syntax.Number(text)) if text.isdigit():
            last = (syntax.Slice(),) * (int(text) - 1)
            return syntax.Index(x, (syntax.Literal(...), indices, *last), span=span)
    raise ExpressionError("`axis` is a whole number here", Label(syntax.span_of(axis), "no whole number"))


def length_of(x: syntax.Node, span: Span) -> syntax.Node:
    """Return `len(x)` as `x.shape[0]`."""
    return syntax.Index(syntax.Attribute(x, "shape", span=span), (syntax.Number("0"),), span=span)
