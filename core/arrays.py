"""The arrays that go in and out, float64 throughout: how far two of them are apart, and how near is near enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.float64]"
# What a step of a program works on: complex numbers as well, in the complex step, and booleans, in a mask.
AnyArray: TypeAlias = "NDArray[Any]"
Positions: TypeAlias = "NDArray[np.intp]"

# How near is near enough, one number for each meaning; the error is that of `relative_error`.
SAME_NUMBERS = 1e-8
"""Two ways to compute the same thing, at random inputs that are far from singular."""
SAME_AT_INPUTS = 1e-6
"""Two ways to compute the same thing, at inputs of the user, where a matrix may be nearly singular."""
AS_ASSUMED = 1e-9
"""A given array and what it is assumed to be: symmetric, orthogonal."""
NEAR_MISS = 1e-3
"""A claim that is not right, and near enough to be a rounded constant or an approximation."""


def relative_error(found: Array, wanted: Array, *, least_scale: float = 0.0) -> float:
    """Return the largest difference, relative to the largest entry of both: `relative_error(1.1, 1.0)` is about 0.09.

    It is infinite where the shapes differ, or an entry that is not finite in one is another in the other. Arrays whose
    entries are all smaller than `least_scale` are measured by that.
    """
    if found.shape != wanted.shape:
        return float("inf")
    finite = np.isfinite(found) & np.isfinite(wanted)
    if not finite.all():
        if not np.array_equal(found[~finite], wanted[~finite], equal_nan=True):
            return float("inf")
        found, wanted = found[finite], wanted[finite]
    scale = max(largest(found), largest(wanted), least_scale)
    return largest(found - wanted) / scale if scale else 0.0


def first_place(mask: AnyArray) -> tuple[int, ...]:
    """Return the index of the first entry that is true: `first_place(x > 1)`. Raises IndexError where there is none."""
    return tuple(map(int, np.argwhere(mask)[0]))


def largest(array: Array) -> float:
    """Return the largest absolute value of an array, 0 where it is empty."""
    return float(np.max(np.abs(array), initial=0.0))


def scalars(values: Mapping[str, Array]) -> dict[str, float]:
    """Return the inputs that are numbers."""
    return {name: float(value) for name, value in values.items() if not np.shape(value)}


def whole_numbers(values: Mapping[str, Array]) -> dict[str, int]:
    """Return the inputs that can stand for sizes: whole numbers."""
    return {name: int(value) for name, value in scalars(values).items() if value.is_integer()}
