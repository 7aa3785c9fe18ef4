"""Graphs of splitting, joining, padding and turning arrays."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from math import prod
from typing import Any

from ...grammar import syntax
from ..elaboration.settings import is_whole, shown
from ..errors import ExpressionError, Label, ShapeError, Span
from ..graph import algebra
from ..graph.nodes import Delta, Node
from ..graph.places import placed, progression
from ..graph.sizes import NotPlainError, Size, quotient, sign
from ..shapes import broadcast_shapes, normalize_axis, require_rank
from .axes import checked_shape, concatenated, expanded, flipped, reshaped, selected, several, swapped

Parts = tuple[Node, ...]


def whole(value: Any, name: str) -> int:
    """Return a setting that must be a whole number."""
    if not is_whole(value):
        raise ExpressionError(f"`{name}` is a whole number, not {shown(value)}")
    number: int = value
    return number


# --- apart -----------------------------------------------------------------------------------------------------------


def sliced(x: Node, axis: int, sizes: Iterable[int]) -> Parts:
    """Return neighbouring slices along an axis, of these sizes."""
    sizes = [*sizes]
    starts = [*accumulate(sizes, initial=0)]
    if starts[-1] != x.shape[axis]:
        message = f"the parts have {starts[-1]} entries together, and the axis {x.shape[axis]}"
        raise ShapeError(message, sizes=(starts[-1], x.shape[axis]))
    return tuple(
        selected(x, axis, progression(start, 1, size)) for start, size in zip(starts, sizes, strict=False)
    )


def split_evenly(x: Node, sections: int, axis: int, name: str = "split") -> Parts:
    """Return so many slices of one length."""
    place, size = normalize_axis(axis, x.rank), x.shape[normalize_axis(axis, x.rank)]
    count = _several_parts(sections, name)
    each = quotient(size, count, exact=isinstance(size, Size))
    if each * count != size and not isinstance(size, Size):
        raise ShapeError(f"`{name}`: {size} entries are no {count} equal parts", sizes=(size, each * count))
    return tuple(selected(x, place, progression(k * each, 1, each)) for k in range(count))


def _several_parts(value: Any, name: str) -> int:
    if isinstance(value, Size) or whole(value, "sections") < 1:
        raise ExpressionError(f"`{name}` needs a number of parts from 1 on, not {shown(value)}")
    count: int = value
    return count


def split_at(x: Node, indices_or_sections: Any, axis: int, name: str = "split", *, uneven: bool = False) -> Parts:
    """Return slices between places, or so many of one length; `uneven` ones may differ by one."""
    place = normalize_axis(axis, x.rank)
    size = x.shape[place]
    if isinstance(indices_or_sections, tuple):
        ends = [_end(whole(one, "indices"), size) for one in indices_or_sections]
        pairs = zip([0, *ends], [*ends, size], strict=True)
        return tuple(_between(x, place, start, end) for start, end in pairs)
    if not uneven or isinstance(size, Size):
        return split_evenly(x, indices_or_sections, axis, name)
    each, more = divmod(size, _several_parts(indices_or_sections, name))
    return sliced(x, place, [each + (k < more) for k in range(indices_or_sections)])


def _end(place: int, size: int) -> int:
    place = placed(place, size)
    return place if isinstance(place, Size) or isinstance(size, Size) else max(0, min(place, size))


def _between(x: Node, axis: int, start: int, end: int) -> Node:
    return selected(x, axis, progression(start, 1, end - start if sign(end - start, meant=1) > 0 else 0))


def split_by_sizes(x: Node, split_size: Any, axis: int) -> Parts:
    """Return PyTorch's slices: of so many entries each, the last maybe shorter, or of these sizes."""
    place = normalize_axis(axis, x.rank)
    if isinstance(split_size, tuple):
        return sliced(x, place, checked_shape(split_size))
    size, each = x.shape[place], whole(split_size, "split_size")
    if isinstance(size, Size) or isinstance(each, Size):
        return split_evenly(x, quotient(size, each), axis)
    if each < 1:
        raise ExpressionError(f"`split_size` is a whole number from 1 on, not {each}")
    return sliced(x, place, [min(each, size - start) for start in range(0, size, each)])


def in_chunks(x: Node, chunks: int, axis: int) -> Parts:
    """Return PyTorch's chunks: at most so many, all of one length but for the last."""
    size, parts = x.shape[normalize_axis(axis, x.rank)], _several_parts(chunks, "chunk")
    if isinstance(size, Size):
        return split_evenly(x, parts, axis)
    return split_by_sizes(x, max(1, -(-size // parts)), axis)


def unstacked(x: Node, axis: int) -> Parts:
    """Return the arrays that lie along an axis."""
    place = normalize_axis(axis, x.rank)
    count = x.shape[place]
    if isinstance(count, Size):
        raise NotPlainError("`unstack` must know how many arrays there are", [count])
    kept = (*x.shape[:place], *x.shape[place + 1 :])
    return tuple(reshaped(selected(x, place, progression(k, 1, 1)), kept) for k in range(count))


def narrowed(x: Node, axis: int, start: int, length: int) -> Node:
    """Return `length` places of an axis from `start` on."""
    place = normalize_axis(axis, x.rank)
    first = placed(whole(start, "start"), x.shape[place])
    room = x.shape[place] - first - whole(length, "length")
    if sign(room, meant=1) < 0 or (not isinstance(length, Size) and length < 0):
        raise ShapeError(f"`narrow`: {length} places from {start} on are not on an axis of {x.shape[place]}",
                         sizes=(x.shape[place], first + length))
    return selected(x, place, progression(first, 1, length))


def deleted(x: Node, obj: Any, axis: int | None) -> Node:
    """Return x without some places of an axis, or of all entries in a row."""
    if axis is None:
        return deleted(reshaped(x, -1), obj, 0)
    place = normalize_axis(axis, x.rank)
    gone = [placed(whole(one, "obj"), x.shape[place]) for one in several(obj)]
    if isinstance(x.shape[place], Size):
        if len(gone) != 1:
            raise NotPlainError("`delete` must know the length of the axis", [x.shape[place]])
        before, after = _between(x, place, 0, gone[0]), _between(x, place, gone[0] + 1, x.shape[place])
        return concatenated(before, after, axis=place)
    if outside := [one for one in gone if not 0 <= one < x.shape[place]]:
        raise ShapeError(f"`delete`: there is no place {outside[0]} on an axis of {x.shape[place]}",
                         sizes=(x.shape[place], outside[0] + 1))
    return selected(x, place, tuple(one for one in range(x.shape[place]) if one not in gone))


# --- together --------------------------------------------------------------------------------------------------------


def inserted(x: Node, values: Node, place: Any, axis: int | None) -> Node:
    """Return x with further values before a place of an axis."""
    if axis is None:
        return inserted(reshaped(x, -1), reshaped(values, -1), place, 0)
    along = normalize_axis(axis, x.rank)
    if isinstance(place, tuple):
        help_ = "`concatenate([x[:k], values, x[k:]])` joins any parts"
        raise ExpressionError("`insert` takes one place", helps=[help_])
    start = placed(whole(place, "place"), x.shape[along])
    if sign(x.shape[along] - start, meant=1) < 0 or (not isinstance(start, Size) and start < 0):
        raise ShapeError(f"`insert`: there is no place {place} on an axis of {x.shape[along]}",
                         sizes=(x.shape[along], start))
    rest = (*x.shape[:along], *x.shape[along + 1 :])
    if x.rank == 1:
        layer = reshaped(values, -1)
    elif values.rank < x.rank:
        layer = expanded(algebra.broadcast(values, broadcast_shapes(values.shape, rest)), along)
    else:
        layer = values
    parts = [_between(x, along, 0, start), layer, _between(x, along, start, x.shape[along])]
    return concatenated(*(part for part in parts if part.shape[along] != 0), axis=along)


def appended(x: Node, values: Node, axis: int | None) -> Node:
    """Return values after x along an axis, or all entries in a row."""
    return concatenated(x, values, axis=axis)


def at_least(x: Node, rank: int) -> Node:
    """Return x with as many axes at least; NumPy puts some of them last where there are to be three."""
    if x.rank >= rank:
        return x
    shape = {0: (1,) * rank, 1: (1, *x.shape, *(1,) * (rank - 2))[:rank] if rank > 1 else x.shape, 2: (*x.shape, 1)}
    return reshaped(x, shape[x.rank])


def as_columns(*parts: Node) -> Node:
    """Return vectors as columns beside each other, with matrices between them."""
    return concatenated(*(part if part.rank > 1 else reshaped(part, (-1, 1)) for part in parts), axis=1)


def in_depth(*parts: Node) -> Node:
    """Return arrays joined along a third axis."""
    return concatenated(*(at_least(part, 3) for part in parts), axis=2)


def in_blocks(arrays: syntax.Node, span: Span) -> syntax.Node:
    """Return a matrix from a list of rows of blocks as the joined rows that it is; one row alone is joined as such."""
    rows = arrays.items if isinstance(arrays, syntax.ListLiteral | syntax.TupleLiteral) else ()
    if not rows:
        raise ExpressionError("`block` takes a list of rows: block([[A, B], [C, D]])", Label(span, "no list"))

    def joined(items: tuple[syntax.Node, ...], axis: str) -> syntax.Call:
        last = syntax.Keyword("axis", syntax.Unary("-", syntax.Number(axis)))
        return syntax.Call("concatenate", (syntax.ListLiteral(items),), (last,), span=span, function_span=span)

    if not all(isinstance(row, syntax.ListLiteral | syntax.TupleLiteral) for row in rows):
        return joined(tuple(syntax.Call("atleast_1d", (item,), span=syntax.span_of(item)) for item in rows), "1")
    lists = [row.items for row in rows if isinstance(row, syntax.ListLiteral | syntax.TupleLiteral)]
    blocks = [[syntax.Call("atleast_2d", (item,), span=syntax.span_of(item)) for item in row] for row in lists]
    return joined(tuple(joined(tuple(row), "1") for row in blocks), "2")


def open_grid(*vectors: Node, indexing: str) -> Parts:
    """Return coordinates as arrays over the grid of all of them; `xy` swaps the first two axes."""
    if indexing not in ("xy", "ij"):
        raise ExpressionError(f"`indexing` is 'xy' or 'ij', not {shown(indexing)}")
    flat = [reshaped(vector, -1) for vector in vectors]
    for place, vector in enumerate(vectors):
        if vector.rank > 1:
            require_rank(vector.shape, 1, "meshgrid", place)
    shape = tuple(vector.shape[0] for vector in flat)
    grids = [algebra.product(1, [(vector, (axis,)), *(
        (Delta.of(size, 1), (other,)) for other, size in enumerate(shape) if other != axis
    )], tuple(range(len(shape)))) for axis, vector in enumerate(flat)]
    return tuple(swapped(grid, 0, 1) if indexing == "xy" and len(flat) > 1 else grid for grid in grids)


def together(*arrays: Node) -> Parts:
    """Return arrays broadcast to their common shape."""
    shape = broadcast_shapes(*(array.shape for array in arrays))
    return tuple(algebra.broadcast(array, shape) for array in arrays)


def unflattened(x: Node, axis: int, sizes: Any) -> Node:
    """Return x with one axis split into several."""
    place = normalize_axis(axis, x.rank)
    inner = [*several(sizes)]
    if not all(isinstance(size, int | Size) for size in inner):
        raise ExpressionError("`sizes` are whole numbers, of which one may be -1")
    if inner.count(-1) == 1:
        inner[inner.index(-1)] = quotient(x.shape[place], prod(size for size in inner if size != -1),
                                          exact=isinstance(x.shape[place], Size))
    return reshaped(x, (*x.shape[:place], *inner, *x.shape[place + 1 :]))


def turned(x: Node, k: int, axes: Any) -> Node:
    """Return x turned by so many quarters, from the first of two axes to the second."""
    if len(chosen := several(axes)) != 2:
        raise ExpressionError(f"`axes` are the two that are turned, not {len(chosen)}")
    first, second = (normalize_axis(axis, x.rank) for axis in chosen)
    match k % 4:
        case 1:
            return swapped(flipped(x, second), first, second)
        case 2:
            return flipped(x, (first, second))
        case 3:
            return flipped(swapped(x, first, second), second)
    return x


# --- padding ---------------------------------------------------------------------------------------------------------

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
_TORCH_MODES = {"replicate": "edge", "circular": "wrap"}


def padded(x: Node, pad_width: Any, mode: str, constant_values: float) -> Node:
    """Return NumPy's padding: pairs of widths, one for each axis, or one for all."""
    pairs = _pairs(pad_width, x.rank)
    if isinstance(constant_values, tuple):
        raise ExpressionError("`constant_values` is one number", helps=["pad along one axis after the other"])
    for axis, (before, after) in enumerate(pairs):
        x = _padded_along(x, axis, before, after, mode, constant_values)
    return x


def padded_from_last(x: Node, pad: Any, mode: str, value: float | None) -> Node:
    """Return PyTorch's padding: the widths of the last axis come first."""
    widths = several(pad)
    if len(widths) % 2 or len(widths) > 2 * x.rank:
        raise ExpressionError("`pad` has two numbers for each axis, the last axis first")
    pairs = [*zip(widths[::2], widths[1::2], strict=True)]
    for axis, (before, after) in zip(range(x.rank - 1, -1, -1), pairs, strict=False):
        x = _padded_along(x, axis, before, after, _TORCH_MODES.get(mode, mode), value or 0)
    return x


def _pairs(widths: Any, rank: int) -> list[tuple[int, int]]:
    if not isinstance(widths, tuple):
        return [(widths, widths)] * rank
    nested = [one if isinstance(one, tuple) else None for one in widths]
    if None in nested:
        pairs = [widths * (2 // len(widths))] if len(widths) in (1, 2) else []
    else:
        pairs = [one * (2 // len(one)) for one in nested if one is not None and len(one) in (1, 2)]
    if len(pairs) not in (1, rank):
        raise ExpressionError("`pad_width` is a number, a pair (before, after), or one pair for each axis")
    return pairs * (rank if len(pairs) == 1 else 1)


def _padded_along(x: Node, axis: int, before: int, after: int, mode: str, value: float) -> Node:
    if mode not in MODES:
        raise ExpressionError(f"`mode` of `pad` is {', '.join(map(repr, MODES))}, not {shown(mode)}")
    size = x.shape[axis]
    for width in (before, after):
        if sign(whole(width, "pad_width"), meant=1) < 0:
            raise ExpressionError(f"`pad_width` is a whole number from 0 on, not {width}")
        room = size - (mode == "reflect")
        if mode not in ("constant", "edge") and sign(room - width, meant=1) < 0:
            raise ShapeError(f"`pad`: mode '{mode}' has no {width} entries to repeat on an axis of {size}",
                             sizes=(size, width))

    def outside(width: int, *, first: bool) -> Node:
        shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
        match mode:
            case "constant":
                return algebra.full(value, shape) if value else algebra.zero(shape)
            case "edge":
                return algebra.broadcast(selected(x, axis, progression(0 if first else size - 1, 1, 1)), shape)
            case "reflect":
                rows = progression(width if first else size - 2, -1, width)
            case "symmetric":
                rows = progression(width - 1 if first else size - 1, -1, width)
            case _:
                rows = progression(size - width if first else 0, 1, width)
        return selected(x, axis, rows)

    sides = [*([outside(before, first=True)] if before != 0 else []), x]
    sides += [outside(after, first=False)] if after != 0 else []
    return concatenated(*sides, axis=axis) if len(sides) > 1 else x


def bordered_end(x: Node, axis: int, width: int) -> Node:
    """Return x with zeros after it along an axis."""
    return _padded_along(x, axis, 0, width, "constant", 0)
