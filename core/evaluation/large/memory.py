"""Memory that steps write into, lent to arrays and given back at their end.

Fresh memory costs more than many a step: the system maps it page by page, and fills it with zeros.

Who may still read an array is not asked, for Python has no answer that holds in all its builds. An array that is made
in such memory keeps a Loan alive, as its `base`, and so does every view of it, in whatever thread, view of a view or
buffer: NumPy follows a base only as far as arrays go. The end of the Loan is the end of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ...arrays import AnyArray
from ...shapes import Shape
from ..kernels import Kernel

# What is kept between runs, in bytes.
MOST_KEPT = 2**30
FLOAT64 = np.dtype(np.float64).str


class Room(NamedTuple):
    """Memory for some entries, and where it begins, as NumPy's array interface has it."""

    flat: AnyArray
    start: tuple[int, bool]


class Run:
    """One run of a program: while it is open, what is lent in it is taken back."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = True


class Loan:
    """A room as an array of a shape and strides: as long as one lives that was made of it, the room is not free."""

    __slots__ = ("__array_interface__", "_free", "_room", "_run")

    def __init__(self, room: Room, free: list[Room], run: Run, shape: Shape, strides: tuple[int, ...]) -> None:
        self._room, self._free, self._run = room, free, run
        self.__array_interface__ = {
            "shape": shape, "typestr": FLOAT64, "data": room.start, "strides": strides, "version": 3
        }  # fmt: skip

    def __del__(self) -> None:
        if self._run.open:
            self._free.append(self._room)


class Memory:
    """Arrays that steps write into, their memory to be used again as soon as nothing refers to them.

    All that is done to the lists of free rooms is one step of Python's, so that nobody waits for a lock: a loan may end
    at any moment and in any thread.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[Room]] = {}
        self._run = Run()
        self._size = 0

    def __del__(self) -> None:
        self._let_go()

    def take(self, shape: Shape, strides: tuple[int, ...]) -> AnyArray:
        """Return an array of float64 of a shape and strides, its entries undefined."""
        entries = prod(shape)
        free = self._free.get(entries)
        if free is None:
            free = self._free.setdefault(entries, [])
        return np.asarray(Loan(self._room(free, entries), free, self._run, shape, strides))

    @contextmanager
    def scratch(self, amount: int, entries: int) -> Iterator[list[AnyArray]]:
        """Lend so many flat arrays that nothing refers to in the end."""
        free = self._free.setdefault(entries, [])
        rooms = [self._room(free, entries) for _ in range(amount)]
        yield [room.flat for room in rooms]
        free.extend(rooms)

    def _room(self, free: list[Room], entries: int) -> Room:
        try:
            return free.pop()
        except IndexError:
            flat = np.empty(entries)
            self._size += flat.nbytes
            return Room(flat, flat.__array_interface__["data"])

    def begin(self) -> None:
        """Let go what others hold from the run before: it is theirs."""
        if self._size:
            self._run.open = False
            self._run = Run()

    def end(self) -> None:
        """Let go everything if it may be too much to keep for the next run."""
        if self._size > MOST_KEPT:
            self._let_go()

    def _let_go(self) -> None:
        self._run.open = False
        self._run, self._size = Run(), 0
        for free in list(self._free.values()):
            free.clear()


def gapless(shape: Sequence[int], order: Sequence[int] | None = None) -> tuple[int, ...]:
    """Return the strides, in bytes, of an array without gaps whose axes lie in this order, the nearest last.

    Example: `gapless((2, 3)) == (24, 8)` and `gapless((2, 3), (1, 0)) == (8, 16)`.
    """
    strides, step = [0] * len(shape), 8
    for axis in reversed(range(len(shape)) if order is None else order):
        strides[axis] = step
        step *= shape[axis]
    return tuple(strides)


@dataclass(frozen=True)
class Stored:
    """A product that writes its result, of this shape, into such memory."""

    product: Kernel
    shape: Shape
    memory: Memory

    def __call__(self, *arrays: AnyArray) -> Any:
        """Return the product."""
        if any(array.dtype != np.float64 for array in arrays):
            return self.product(*arrays)
        return self.product(*arrays, out=self.memory.take(self.shape, gapless(self.shape)))
