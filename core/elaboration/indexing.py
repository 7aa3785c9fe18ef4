"""Indices and slices as graphs: each axis that is picked from is a product with a 0/1 matrix.

Lists, arrays of indices and masks broadcast with each other by NumPy's rules: in `x[:, I, J]` their axes are where
those are that they pick from; in `x[I, :, J]`, where a slice keeps them apart, they come first. For a matrix `x` and
two vectors, `x[I, J]` is

    product(1, [(x, (a, b)), (Select.of(I, n), (i, a)), (Select.of(J, m), (i, b))], (i,))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple, cast

import numpy as np

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Label
from ..arrays import AnyArray
from ..errors import RankError, ShapeError
from ..graph.algebra import Factor, fresh, product, zero
from ..graph.nodes import Delta, Labels, Node, Reshape, Select
from ..graph.places import Listed, Progression, Rows, count_of, placed, progression, sliced
from ..graph.sizes import NotPlainError, Size
from ..shapes import Shape, broadcast_shapes, describe
from .entries import Entries, StaticNameError, flattened
from .ordering import in_order

Position = Callable[[syntax.Node], Any]
NEW_AXIS = syntax.Literal(None)
REST = syntax.Literal(...)
# No axis is so long.
FURTHEST = 2**60


class Pick(NamedTuple):
    """What one item of an index picks: the rows of an axis, in an array of this shape.

    What is `listed` (a number, a list, an array, a mask) broadcasts with the other such items; a slice does not. A mask
    of a matrix is about two axes together, a new axis about none.
    """

    rows: Rows
    shape: Shape
    listed: bool = False
    axes: int = 1


def indexed(operand: Node, node: syntax.Index, position: Position, graph_of: Callable[[syntax.Node], Node]) -> Node:
    """Return what an index picks from an array: `X[1:, 0]`, with `position` giving the numbers of an index.

    Raises ExpressionError for too many indices, one out of range, or a slice of step 0.
    """
    if (ordered := in_order(operand, node, graph_of)) is not None:
        return ordered
    picks = list(_picks(operand, node, position))
    common = _common_shape(node, [pick.shape for pick in picks if pick.listed])
    shared = fresh(len(common))
    own = [shared[len(shared) - len(pick.shape) :] if pick.listed else fresh(len(pick.shape)) for pick in picks]
    output = _output(picks, own, shared)
    sizes = dict(zip(shared, common, strict=True))
    for pick, labels in zip(picks, own, strict=True):
        sizes |= {} if pick.listed else dict(zip(labels, pick.shape, strict=True))
    # Over lengths the selections stay: they know which places must exist.
    if prod(sizes.values()) == 0 and not any(isinstance(size, Size) for size in operand.shape):
        return zero(tuple(sizes[label] for label in output))
    factors: list[Factor] = [(Delta.of(1, 1), (label,)) for label, size in sizes.items() if size == 1]
    axes: list[int] = []
    for pick, labels in zip(picks, own, strict=True):
        carried = tuple(label for label, size in zip(labels, pick.shape, strict=True) if size != 1)
        about = operand.shape[len(axes) : len(axes) + pick.axes]
        if pick.axes:
            (axis,) = _chosen(Select.of(pick.rows, prod(about)), carried, sizes, factors)
            axes += _together(axis, about, factors)
    return product(1, [(operand, tuple(axes)), *factors], output)


def _chosen(select: Select, carried: Labels, sizes: dict[int, int], factors: list[Factor]) -> Labels:
    """Return the label of an axis, of which `carried` labels count the rows; add the factors that this takes."""
    if len(carried) == 1 and select.rows == progression(0, 1, select.size):
        return carried
    row = carried if len(carried) == 1 else fresh(1)
    if len(carried) > 1:
        factors.append((Reshape.of(tuple(sizes[label] for label in carried)), (*row, *carried)))
    axis = fresh(1)
    factors.append((select, (*row, *axis)))
    return axis


def _together(axis: int, shape: Shape, factors: list[Factor]) -> Labels:
    """Return the labels of the axes that one axis counts through; add the factor that this takes."""
    if len(shape) == 1:
        return (axis,)
    labels = fresh(len(shape))
    factors.append((Reshape.of(shape), (axis, *labels)))
    return labels


def _output(picks: Sequence[Pick], own: Sequence[Labels], shared: Labels) -> Labels:
    """Return the labels of the result: those that lists share stand in the place of the lists, or first."""
    places = [place for place, pick in enumerate(picks) if pick.listed]
    first = places[0] if places and places[-1] - places[0] < len(places) else 0
    kept = [() if pick.listed else labels for pick, labels in zip(picks, own, strict=True)]
    return tuple(label for group in (*kept[:first], shared, *kept[first:]) for label in group)


def _common_shape(node: syntax.Index, shapes: Sequence[Shape]) -> Shape:
    try:
        return broadcast_shapes(*shapes)
    except ShapeError as error:
        words = " and ".join(describe(shape) for shape in shapes if shape)
        label = Label(node.span, words)
        raise ShapeError("these indices do not fit together", label, sizes=error.sizes) from None


# --- one item after the other ----------------------------------------------------------------------------------------


def _picks(operand: Node, node: syntax.Index, position: Position) -> Iterator[Pick]:
    """Yield what each item picks, with full slices for the axes that are left out."""
    if node.items.count(REST) > 1:
        raise ExpressionError("an index has one `...` at most", Label(node.span, "several"))
    read = [(item, _read(item, place, node, operand, position)) for place, item in enumerate(node.items)]
    needed = sum(_axes(item, value) for item, value in read)
    if needed > operand.rank:
        raise RankError(
            "too many indices",
            Label(syntax.span_of(node.operand), describe(operand.shape)),
            Label(node.span, f"{needed} indices", primary=False),
            needed=needed,
            operand=syntax.span_of(node.operand),
        )
    # A `...` that stands for no axis still keeps lists apart.
    rest = [(item, None) for item in (syntax.Slice(),) * (operand.rank - needed) or (REST,)]
    place = node.items.index(REST) if REST in node.items else len(read)
    axis = 0
    for item, value in (*read[:place], *rest, *read[place + 1 :]):
        if item == REST:
            yield Pick((), (), axes=0)
            continue
        count = _axes(item, value)
        yield _pick(item, value, operand.shape[axis : axis + count], node, position)
        axis += count


def _length(value: Any) -> int | None:
    """Return the length of a list of indices; None for a number, or an array of other shape."""
    if isinstance(value, Progression):
        return value.length
    if isinstance(value, range):
        return len(value)
    if isinstance(value, Entries):
        return len(value.array) if value.array.ndim == 1 else None
    return len(value) if isinstance(value, tuple) else None


def _read(item: syntax.Node, place: int, node: syntax.Index, operand: Node, position: Position) -> Any:
    """Return the numbers of an item that is not a slice, a new axis or `...`."""
    if isinstance(item, syntax.Slice) or item in (NEW_AXIS, REST):
        return None
    try:
        return position(item)
    except StaticNameError as error:
        before, after = node.items[:place], node.items[place:]
        axis = -_count(after) if REST in before else _count(before)
        if -operand.rank <= axis < operand.rank:
            error.below = operand.shape[axis]
        others = (
            other for other in node.items if other is not item and isinstance(other, syntax.Call | syntax.ListLiteral)
        )
        error.beside = next((_length(position(other)) for other in others), None)
        raise


def _count(items: Iterable[syntax.Node]) -> int:
    return sum(item != NEW_AXIS for item in items)


def _axes(item: syntax.Node, value: Any) -> int:
    """Return how many axes an item is about."""
    if item in (NEW_AXIS, REST):
        return 0
    return _array(item, value).ndim if _is_mask(value) else 1


def _is_mask(value: Any) -> bool:
    if isinstance(value, Entries):
        return value.array.size > 0 and isinstance(value.array.flat[0], bool | np.bool_)
    while isinstance(value, tuple) and value:
        value = value[0]
    return isinstance(value, bool)


def _pick(item: syntax.Node, value: Any, sizes: Shape, node: syntax.Index, position: Position) -> Pick:
    if item == NEW_AXIS:
        return Pick(range(0), (1,), axes=0)
    if isinstance(item, syntax.Slice):
        rows = _slice(item, sizes[0], position)
        return Pick(rows, (count_of(rows),))
    if isinstance(value, int | Size) and not isinstance(value, bool):
        return Pick((_place(item, value, (), sizes[0], node),), (), listed=True)
    if isinstance(value, Progression):
        return Pick(cast("range", value), (value.length,), listed=True)
    if isinstance(value, range):
        first, _ = (_place(item, value[end], (end % len(value),), sizes[0], node) for end in (0, -1))
        if (value[0] < 0) == (value[-1] < 0):
            return Pick(progression(first, value.step, len(value)), (len(value),), listed=True)
    array = _array(item, value)
    source = value.source if isinstance(value, Entries) else None
    if _is_mask(value):
        return _masked(item, array, source, sizes)
    rows = tuple(_place(item, entry, index, sizes[0], node) for index, entry in np.ndenumerate(array))
    return Pick(_named(rows, source, sizes[0]) if array.ndim or source is not None else rows, array.shape, listed=True)


def _array(item: syntax.Node, value: Any) -> AnyArray:
    """Return the numbers of an item as an array, all of them whole or all of them Booleans."""
    array = value.array if isinstance(value, Entries) else np.array(value, dtype=np.object_)
    if any(isinstance(entry, tuple) for entry in array.flat):
        raise ShapeError("the rows of this index differ in length", Label(syntax.span_of(item), "ragged"))
    kinds = {bool, np.bool_} if _is_mask(value) and array.ndim else {int, Size}
    wrong = next((place for place, entry in np.ndenumerate(array) if type(entry) not in kinds), None)
    if wrong is not None:
        entry = f"entry {[*wrong]} is {array[wrong]}" if isinstance(value, Entries) else "no index"
        raise ExpressionError(
            "an index is a whole number, a slice or a list of them", Label(syntax.span_of(item), entry)
        )
    return array


def _slice(item: syntax.Slice, size: int, position: Position) -> Rows:
    start, stop, step = slice_ends(item, position)
    return sliced(start, stop, 1 if step is None else step, size)


def slice_ends(item: syntax.Slice, position: Position) -> tuple[int | None, int | None, int | None]:
    """Return start, stop and step of a slice, no further than the machine counts; what is left out is None."""
    parts = [None if part is None else position(part) for part in (item.start, item.stop, item.step)]
    for part, value in zip((item.start, item.stop, item.step), parts, strict=True):
        if part is not None and (isinstance(value, bool) or not isinstance(value, int | Size)):
            raise ExpressionError("the ends of a slice are whole numbers", Label(syntax.span_of(part), "no number"))
    start, stop, step = (max(-FURTHEST, min(FURTHEST, part)) if isinstance(part, int) else part for part in parts)
    if step == 0:
        raise ExpressionError("a slice cannot have step 0", Label(item.span, "step 0"))
    return start, stop, step


def _place(item: syntax.Node, entry: int, index: tuple[int, ...], size: int, node: syntax.Index) -> int:
    """Return a place counted from the front."""
    if not _exists(entry, size):
        raise ShapeError(
            f"index {entry} is out of range for {size} {'entry' if size == 1 else 'entries'}",
            Label(syntax.span_of(item), f"valid: {-size} to {size - 1}"),
            Label(syntax.span_of(node.operand), "indexed", primary=False),
            notes=[f"it is entry {[*index]} of the index"] if index else [],
            sizes=(size, entry + 1 if entry >= 0 else -entry),
        )
    return placed(entry, size)


def _exists(place: int, size: int) -> bool:
    """Whether an axis has a place; one with a name is meant to exist."""
    try:
        return -size <= place < size
    except NotPlainError:
        return True


def _masked(item: syntax.Node, mask: AnyArray, source: Node | None, sizes: Shape) -> Pick:
    """Return the places at which a mask is true; one of a matrix picks rows and columns together."""
    shape = mask.shape if source is None else source.shape
    for own, size in zip(shape, sizes, strict=True):
        if own != size:
            words = f"a mask has as many entries as what it picks from: {describe(sizes)}"
            raise ShapeError(words, Label(syntax.span_of(item), describe(shape)), sizes=(size, own))
    rows = tuple(map(int, np.flatnonzero(mask)))
    return Pick(_named(rows, source, prod(sizes)), (len(rows),), listed=True, axes=mask.ndim)


def _named(rows: tuple[int, ...], source: Node | None, size: int) -> Rows:
    """Return rows that know the array of indices from which they were read, where it depends on inputs.

    Over a length with a name a list stays one, for a slice would take what is there of places that must exist.
    """
    if source is not None:
        return Listed(rows, flattened(source))
    return Listed(rows, None) if isinstance(size, Size) and all(type(row) is int for row in rows) else rows


def parts_of(node: syntax.Node, count: int) -> tuple[syntax.Node, ...]:
    """Return the parts of a tuple as items of an index."""
    return tuple(syntax.Index(node, (syntax.Number(str(k)),), span=syntax.span_of(node)) for k in range(count))
