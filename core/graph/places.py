"""Places along an axis that may be symbolic: ranges with a length in them, and what slices choose."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast, overload

from ..amounts import amount
from ..errors import EvaluationError
from .sizes import NotPlainError, Size, quotient, sign


@dataclass(frozen=True)
class Progression:
    """The places `start`, `start + step`, ...: a range of which a length is symbolic.

    It equals no tuple: `(n - 1, 1, 1)` are three places, and `Progression(n - 1, 1, 1)` is one.
    """

    start: int
    step: int
    length: int

    @property
    def stop(self) -> int:
        """The place after the last."""
        return self.start + self.step * self.length

    def __getitem__(self, place: int) -> int:
        return self.start + self.step * place


@dataclass(frozen=True)
class Rotation(Sequence[int]):
    """All numbers below `size`, from `start` on and then from 0: `[*Rotation(4, 1)] == [1, 2, 3, 0]`."""

    size: int
    start: int

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[int, ...]: ...
    def __getitem__(self, place: int | slice) -> int | tuple[int, ...]:
        if isinstance(place, slice):
            return tuple(self[index] for index in range(self.size)[place])
        return (range(self.size)[place] + self.start) % self.size

    @property
    def inverse(self) -> Rotation:
        """The rotation that undoes this one."""
        return Rotation(self.size, self.size - self.start)


@dataclass(frozen=True)
class Listed(Sequence[int]):
    """Places that stay a list: as `I` says them in `x[I]`, the node `source`; without one as they were written."""

    places: tuple[int, ...]
    source: Hashable

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[int, ...]: ...
    def __getitem__(self, place: int | slice) -> int | tuple[int, ...]:
        return self.places[place]


@dataclass(frozen=True)
class Windows(Sequence[int]):
    """The places of windows one after the other: `[*Windows(3, 2)] == [0, 1, 1, 2, 2, 3]`.

    There are `amount` windows of `length` places each; `step` lies between windows, `dilation` between places in one.
    """

    amount: int
    length: int
    step: int = 1
    dilation: int = 1

    def __len__(self) -> int:
        return self.amount * self.length

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[int, ...]: ...
    def __getitem__(self, place: int | slice) -> int | tuple[int, ...]:
        if isinstance(place, slice):
            return tuple(self[index] for index in range(len(self))[place])
        window, inside = divmod(range(len(self))[place], self.length)
        return window * self.step + inside * self.dilation

    @property
    def last(self) -> int:
        """The last place of the last window."""
        return (self.amount - 1) * self.step + (self.length - 1) * self.dilation

    @property
    def plain(self) -> bool:
        """Whether there is a window at each place, without gaps."""
        return self.step == self.dilation == 1


Rows: TypeAlias = range | Rotation | Windows | Listed | tuple[int, ...]
"""Which places are chosen of an axis; among ranges are those with a length in them, each a `Progression`."""


def progression(start: int, step: int, count: int) -> range:
    """Return so many places from `start` on: a range, or a Progression, which has its start, step and stop."""
    if any(isinstance(part, Size) for part in (start, step, count)):
        return cast("range", Progression(start, step, count))
    return range(start, start + step * count, step)


# A table of places is made when a program is, before anybody asks how much memory it takes.
MOST_PLACES = 2**26


def require_few(count: int) -> None:
    """Raise EvaluationError for places that are too many to be gone through one by one."""
    if count > MOST_PLACES:
        raise EvaluationError(f"this needs a table of {amount(count)} places; the most are {amount(MOST_PLACES)}")


def count_of(rows: Rows) -> int:
    """Return how many places there are."""
    if isinstance(rows, Progression):
        return rows.length
    if isinstance(rows, Windows):
        return rows.amount * rows.length
    return rows.size if isinstance(rows, Rotation) else len(rows)


def sliced(start: int | None, stop: int | None, step: int, size: int) -> range:
    """Return the places that a slice chooses of an axis: `sliced(1, None, 1, n)` is `n - 1` of them, from 1 on.

    A length that is symbolic is as long as the slice needs. Raises NotPlainError where a slice of so long an axis is
    empty, for that of a short one need not be: `sliced(-1, 2, 1, n)`.
    """
    if not any(isinstance(part, Size) for part in (start, stop, size)):
        return range(*slice(start, stop, step).indices(size))
    first, last = (0, size) if step > 0 else (size - 1, -1)
    begin = first if start is None else _within(start, size)
    end = last if stop is None else _within(stop, size)
    reach = end - begin if step > 0 else begin - end
    # Named ends are meant to be in order.
    empty = sign(reach, meant=1) <= 0
    if empty and isinstance(reach, Size):
        raise NotPlainError("whether this slice is empty depends on the length of the axis", [reach])
    return range(0) if empty else progression(begin, step, quotient(reach + abs(step) - 1, abs(step)))


def placed(place: int, size: int) -> int:
    """Return a place counted from the front: `placed(-1, n)` is `n - 1`."""
    # A named place is meant to exist.
    return size + place if sign(place, meant=1) < 0 else place


def _within(place: int, size: int) -> int:
    """Return an end of a slice counted from the front, no further than the end of the axis."""
    place = placed(place, size)
    return size if sign(place - size, meant=-1) > 0 else place
