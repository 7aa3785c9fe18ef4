"""Memory that steps write into, used again as soon as nothing else refers to it.

Fresh memory costs more than many a step: the system maps it page by page, and fills it with zeros.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from ...arrays import AnyArray
from ...shapes import Shape
from ..kernels import Kernel

# What is kept between runs, in bytes.
MOST_KEPT = 2**30


class Memory:
    """Arrays that steps write into, to be used again as soon as nothing else refers to them."""

    def __init__(self) -> None:
        self._kept: list[AnyArray] = []
        self._lock = Lock()

    def take(self, shape: Shape, strides: tuple[int, ...]) -> AnyArray:
        """Return an array of float64 of a shape and strides, its entries undefined."""
        entries = prod(shape)
        with self._lock:
            for place in range(len(self._kept)):
                if self._kept[place].size == entries and _references(self._kept, place) == NO_OTHERS:
                    return np.ndarray(shape, np.float64, self._kept[place], 0, strides)
            flat = np.empty(entries)
            self._kept.append(flat)
            return np.ndarray(shape, np.float64, flat, 0, strides)

    def begin(self) -> None:
        """Let go what others hold from the run before: it is theirs."""
        if self._kept:
            with self._lock:
                kept = self._kept
                free = [place for place in range(len(kept)) if _references(kept, place) == NO_OTHERS]
                self._kept = [kept[place] for place in free]

    def end(self) -> None:
        """Let go everything if it is too much to keep for the next run."""
        if self._kept and sum(flat.nbytes for flat in self._kept) > MOST_KEPT:
            self._kept = []


def _references(arrays: list[AnyArray], place: int) -> int:
    return sys.getrefcount(arrays[place])


# What is counted of an array that only its list holds. The count itself may take references or not, which differs
# between versions of Python, so it is measured in the way it is used.
NO_OTHERS = _references([np.empty(0)], 0)


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
