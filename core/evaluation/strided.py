"""Where the entries of a structured result go: a rule from labels to positions in the output array.

The output of a Product with a Delta is mostly zeros. Its entries are computed over few labels and written through a
strided view: for `delta_ij x_i` the label `i` moves by `n + 1` entries in an n×n output. Rows chosen without a pattern
have a table of positions instead of a stride.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import gcd, lcm, prod
from operator import mul
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..arrays import AnyArray, Positions
from ..graph.nodes import Labels
from ..graph.places import Rotation, Rows, Windows, count_of, require_few
from ..shapes import Shape

Move: TypeAlias = "int | Positions"


def table_of(rows: Rows) -> Positions:
    """Return chosen places as an array: `table_of(Windows(3, 2))` is `[0, 1, 1, 2, 2, 3]`."""
    require_few(count_of(rows))
    if isinstance(rows, Windows):
        starts, inner = np.arange(rows.amount) * rows.step, np.arange(rows.length) * rows.dilation
        return np.add.outer(starts, inner).ravel()
    if isinstance(rows, Rotation):
        return np.roll(np.arange(rows.size), -rows.start)
    return np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else np.asarray(rows, dtype=np.intp)


def composed(rows: Rows, chosen: Rows) -> Rows:
    """Return the chosen ones of some places: `composed(range(5, 10), range(1, 5, 2))` is `range(6, 10, 2)`."""
    if isinstance(rows, range) and isinstance(chosen, range):
        first = rows.start + rows.step * chosen.start
        step = rows.step * chosen.step
        return range(first, first + step * len(chosen), step)
    require_few(count_of(chosen))
    return tuple(rows[place] for place in chosen)


def meeting(one: Rows, other: Rows) -> tuple[Rows, Rows]:
    """Return where two lists of places agree, as positions in each: of `[5, 6, 7]` and `[6, 7]` `[1, 2]` and `[0, 1]`.

    Ranges are not gone through: they agree in a range.
    """
    if isinstance(one, range) and isinstance(other, range):
        return _meeting_of_ranges(one, other)
    require_few(count_of(one))
    require_few(count_of(other))
    where: dict[int, list[int]] = {}
    for k, row in enumerate(other):
        where.setdefault(row, []).append(k)
    pairs = [(i, k) for i, row in enumerate(one) for k in where.get(row, ())]
    return tuple(i for i, _ in pairs), tuple(k for _, k in pairs)


def _meeting_of_ranges(one: range, other: range) -> tuple[range, range]:
    first, second = (own if own.step > 0 else own[::-1] for own in (one, other))
    shared = gcd(first.step, second.step)
    ahead, rest = divmod(second.start - first.start, shared)
    if rest or not one or not other:
        return range(0), range(0)
    # The first number of `first` that is one of `second` but for where that begins.
    steps = ahead * pow(first.step // shared, -1, second.step // shared) % (second.step // shared)
    start, step = first.start + steps * first.step, lcm(first.step, second.step)
    start += max(0, -(-(second.start - start) // step)) * step
    common = range(start, min(first[-1], second[-1]) + 1, step)
    positions = [((start - own.start) // own.step, step // own.step) for own in (one, other)]
    mine, theirs = (range(at, at + by * len(common), by) for at, by in positions)
    return mine, theirs


def row_major_strides(shape: Shape) -> tuple[int, ...]:
    """Return how many entries apart neighbours along each axis lie."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


class Place:
    """For each label, how many entries it moves in a row-major array of `shape`, and where the first entry lies."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.offset = 0
        self.moves: dict[int, Move] = dict(enumerate(row_major_strides(shape)))
        self._original = dict(self.moves)
        # Along these several entries may go to one place: they are written one after the other.
        self.overlapping: set[int] = set()

    def merge(self, label: int, other: int, size: int) -> None:
        """Let two labels, each in the output or not, be one."""
        if other in self.moves:
            self.add(label, self.moves.pop(other), size)
            self.replace([other], [label])

    def replace(self, old: Iterable[int], new: Iterable[int]) -> None:
        """Let labels overlap that come in the place of others which do."""
        if not self.overlapping.isdisjoint(old):
            self.overlapping = self.overlapping.difference(old).union(new)

    def add(self, label: int, move: Move, size: int) -> None:
        """Let a label move the position by so much more."""
        present = self.moves.get(label, 0)
        if isinstance(present, int) and isinstance(move, int):
            self.moves[label] = present + move
        else:
            self.moves[label] = _positions(present, size) + _positions(move, size)

    def choose(self, label: int, chosen: int, rows: Rows) -> None:
        """Replace the label `chosen` by position `rows[label]`."""
        move = self.moves.pop(chosen, None)
        if move is None:
            return
        self.replace([chosen], [label])
        if isinstance(rows, range) and isinstance(move, int):
            self.offset += move * rows.start
            self.add(label, move * rows.step, len(rows))
        else:
            index = table_of(rows)
            self.add(label, move * index if isinstance(move, int) else move[index], len(rows))

    def nested(self, labels: Labels, sizes: Sequence[int]) -> int | None:
        """Return the stride of the last label if the labels together count through positions in row-major order."""
        moves = [self.moves.get(label) for label in labels]
        last = moves[-1]
        if not isinstance(last, int):
            return None
        step = last
        for move, size in zip(reversed(moves), reversed(sizes), strict=True):
            if not isinstance(move, int) or (move != step and size != 1):
                return None
            step *= size
        return last

    @property
    def untouched(self) -> bool:
        """Whether every label is still one whole axis of the output."""
        if self.offset or self.moves.keys() != self._original.keys():
            return False
        return all(isinstance(move, int) and move == self._original[label] for label, move in self.moves.items())

    def order(self) -> Labels:
        """Return the labels, those that move furthest first."""
        return tuple(sorted(self.moves, key=lambda label: (-_reach(self.moves[label]), label)))

    def fills(self, labels: Labels, sizes: Sequence[int]) -> bool:
        """Whether counting through the labels in this order writes the whole output from first to last."""
        if self.offset or self.overlapping or prod(sizes) != prod(self.shape):
            return False
        return not labels or self.nested(labels, sizes) == 1 or prod(sizes) == 1


class StridedView(NamedTuple):
    """Where entries lie in an array: bytes from its start and along each axis.

    `axes` puts the axes of the array in the order in which they lie in memory; None where that is their own.
    """

    axes: tuple[int, ...] | None
    offset: int
    strides: tuple[int, ...]


class StridedWriter:
    """Writes, or adds, an array over given labels to its places in the output.

    The places are those of a strided view; along one axis of it a table may choose positions. Only where several labels
    have tables is every single position listed.
    """

    def __init__(self, place: Place, labels: Labels, sizes: Sequence[int]) -> None:
        self.shape = place.shape
        self._sizes = tuple(sizes)
        self._view_shape = list(sizes)
        # The places of no entries may lie outside.
        self._offset = place.offset if all(sizes) else 0
        self._strides: list[int] = []
        self._key: tuple[slice | Positions, ...] | None = None
        self._listed: list[Positions] = []
        self._views: dict[tuple[int, ...], StridedView | None] = {}
        moves = [place.moves[label] for label in labels]
        tables = [(axis, move) for axis, move in enumerate(moves) if not isinstance(move, int)]
        self._overlapping = [axis for axis, label in enumerate(labels) if label in place.overlapping]
        self._distinct = not self._overlapping and all(len(np.unique(table)) == len(table) for _, table in tables)
        if len(tables) > 1 or (tables and self._overlapping):
            self._listed = [_positions(move, size) for move, size in zip(moves, sizes, strict=True)]
            return
        self._strides = [move if isinstance(move, int) else 0 for move in moves]
        for axis, table in tables:
            self._choose(axis, table)

    @property
    def span(self) -> tuple[int, int] | None:
        """The first and the last place that is written to, None where that is not told by strides."""
        if self._listed or self._key is not None or self._overlapping:
            return None
        moved = [step * (size - 1) for step, size in zip(self._strides, self._view_shape, strict=True)]
        return self._offset + sum(min(0, one) for one in moved), self._offset + sum(max(0, one) for one in moved)

    def _choose(self, axis: int, table: Positions) -> None:
        first = int(table.min()) if table.size else 0
        spacing = max(1, int(np.gcd.reduce(table - first)))
        index = (table - first) // spacing
        self._offset += first
        self._strides[axis] = spacing
        self._view_shape[axis] = int(index.max()) + 1 if index.size else 0
        self._key = (*(slice(None),) * axis, index)

    def write(self, core: AnyArray) -> AnyArray:
        """Return a new array of zeros but for the entries of `core`."""
        output = np.zeros(self.shape, np.asarray(core).dtype)
        if not self._distinct:
            return self.add(output, core)
        target, key = self._target(output)
        target[... if key is None else key] = core
        return output

    def add(self, output: AnyArray, core: AnyArray) -> AnyArray:
        """Add the entries to an array of the output's shape that nothing else uses."""
        if self._view(output) is None or output.dtype != np.result_type(output, core):
            output = np.array(output, dtype=np.result_type(output, core), order="C")
        target, key = self._target(output)
        if key is None and not self._overlapping:
            np.add(target, core, out=target)
        elif key is None:
            core = np.broadcast_to(core, target.shape)
            for places in np.ndindex(*(target.shape[axis] for axis in self._overlapping)):
                # Of an array with no axis left, a view is meant and not its number.
                at = (*_along(self._overlapping, places), ...)
                np.add(target[at], core[at], out=target[at])
        elif self._distinct:
            target[key] += core
        else:
            np.add.at(target, key, np.broadcast_to(core, self._sizes))
        return output

    def subtract(self, output: AnyArray, core: AnyArray) -> AnyArray:
        """Subtract the entries from an array of the output's shape that nothing else uses."""
        return self.add(output, np.negative(core))

    def _target(self, output: AnyArray) -> tuple[AnyArray, Any]:
        """Return a view of the output and the key of the entries in it, None for all."""
        if self._listed:
            axes = len(self._sizes)
            key = np.full(self._sizes, self._offset, dtype=np.intp)
            for axis, table in enumerate(self._listed):
                key += table.reshape((1,) * axis + (-1,) + (1,) * (axes - axis - 1))
            return output.reshape(-1), key
        view = self._view(output)
        assert view is not None
        buffer = output if view.axes is None else output.transpose(view.axes)
        return np.ndarray(self._view_shape, output.dtype, buffer, view.offset, view.strides), self._key

    def _view(self, output: AnyArray) -> StridedView | None:
        """Return where the entries lie in an array of these strides, None if there is no saying it by strides."""
        if output.strides not in self._views:
            self._views[output.strides] = self._found_view(output)
        return self._views[output.strides]

    def _found_view(self, output: AnyArray) -> StridedView | None:
        width = output.itemsize
        if output.flags.c_contiguous:
            return StridedView(None, self._offset * width, tuple(stride * width for stride in self._strides))
        axes = tuple(sorted(range(output.ndim), key=lambda axis: -output.strides[axis]))
        if self._listed or not output.transpose(axes).flags.c_contiguous:
            return None
        own = row_major_strides(self.shape)
        steps = [_by_axis(stride, own) for stride in self._strides]
        start = _by_axis(self._offset, own)
        for axis, size in enumerate(self.shape):
            # What an axis is moved by must not carry over to the axis before.
            reach = sum(step[axis] * (length - 1) for step, length in zip(steps, self._view_shape, strict=True))
            if start[axis] + reach >= size:
                return None
        offset, *strides = (sum(map(mul, step, output.strides)) for step in (start, *steps))
        return StridedView(axes, offset, tuple(strides))


def lie_apart(writers: Iterable[StridedWriter]) -> bool:
    """Whether writers certainly never write to one place, as those of a concatenation do not."""
    spans = [writer.span for writer in writers]
    known = sorted(span for span in spans if span is not None)
    return len(known) == len(spans) and all(one[1] < other[0] for one, other in pairwise(known))


def _along(axes: Sequence[int], places: Sequence[int]) -> tuple[int | slice, ...]:
    """Return the index that picks a place along each of some axes."""
    chosen = dict(zip(axes, places, strict=True))
    return tuple(chosen.get(axis, slice(None)) for axis in range(max(axes, default=-1) + 1))


def _by_axis(position: int, strides: Sequence[int]) -> list[int]:
    """Return how far a position in a row-major array lies along each axis."""
    result = []
    for stride in strides:
        steps, position = divmod(position, stride)
        result.append(steps)
    return result


def _reach(move: Move) -> int:
    if isinstance(move, int):
        return abs(move)
    return int(np.ptp(move)) if move.size else 0


def _positions(move: Move, size: int) -> Positions:
    return move * np.arange(size, dtype=np.intp) if isinstance(move, int) else move
