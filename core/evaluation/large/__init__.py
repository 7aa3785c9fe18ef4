"""Large arrays: the one door to what makes them fast, and the switch that shuts it.

With `ENABLED` false a program is the plain sequence of its steps, and its results are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from ...shapes import Shape
from ..tape import Draft
from . import sweep
from .memory import Memory

ENABLED = True


def is_large(shape: Shape) -> bool:
    """Whether an elementwise step of this shape will be part of a sweep."""
    return ENABLED and prod(shape) >= sweep.SMALLEST


def with_sweeps(drafts: Sequence[Draft], kept: set[int], new_slot: Callable[[], int]) -> tuple[list[Draft], Memory]:
    """Return the drafts with large elementwise ones as sweeps, and the memory these write into.

    `kept` are the slots that are read after the run; `new_slot` makes another one.
    """
    memory = Memory()
    return sweep.swept(drafts, kept, memory, new_slot) if ENABLED else list(drafts), memory
