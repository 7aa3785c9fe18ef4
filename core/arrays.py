"""The arrays that go in and out, float64 throughout: how far two of them are apart, and how near is near enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from operator import sub
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Given = ParamSpec("Given")
Found = TypeVar("Found")
Array: TypeAlias = "NDArray[np.float64]"
# What a step of a program works on: complex numbers as well, in the complex step, and booleans, in a mask.
AnyArray: TypeAlias = "NDArray[Any]"
Positions: TypeAlias = "NDArray[np.intp]"

_is_silent: ContextVar[bool] = ContextVar("silent", default=False)


def silent(ask: Callable[Given, Found]) -> Callable[Given, Found]:
    """Decorate a door of core: what is not finite is said in words, and not by NumPy on standard error.

    Within such a door another costs nothing.
    """
    loud = np.errstate(all="ignore")(ask)

    @wraps(ask)
    def quiet(*given: Given.args, **settings: Given.kwargs) -> Found:
        if _is_silent.get():
            return ask(*given, **settings)
        token = _is_silent.set(True)
        try:
            return loud(*given, **settings)
        finally:
            _is_silent.reset(token)

    return quiet


is_silent: Callable[[], bool] = _is_silent.get

# How near is near enough, one number for each meaning; the error is that of `relative_error`.
SAME_NUMBERS = 1e-8
"""Two ways to compute the same thing, at random inputs that are far from singular."""
SAME_AT_INPUTS = 1e-6
"""Two ways to compute the same thing, at inputs of the user, where a matrix may be nearly singular."""
AS_ASSUMED = 1e-9
"""A given array and what it is assumed to be: symmetric, orthogonal."""
NEAR_MISS = 1e-3
"""A claim that is not right, and near enough to be a rounded constant or an approximation."""


def relative_error(found: Array, wanted: Array) -> float:
    """Return the largest difference, relative to the largest entry of both: `relative_error(1.1, 1.0)` is about 0.09.

    It is infinite where the shapes differ, or an entry that is not finite in one is another in the other.
    """
    if found.shape != wanted.shape:
        return float("inf")
    few, others = _few(found), _few(wanted)
    if few is not None and others is not None:
        scale = max(*map(abs, few), *map(abs, others)) if few else 0.0
        return max(map(abs, map(sub, few, others))) / scale if scale else 0.0
    finite = np.isfinite(found) & np.isfinite(wanted)
    if not finite.all():
        if not np.array_equal(found[~finite], wanted[~finite], equal_nan=True):
            return float("inf")
        found, wanted = found[finite], wanted[finite]
    scale = max(largest(found), largest(wanted))
    return largest(found - wanted) / scale if scale else 0.0


# A loop over so many entries takes less time than NumPy takes to begin.
FEW = 16


def _few(array: AnyArray) -> list[float] | None:
    """Return the entries of an array of few that are all finite, None of any other."""
    if array.size > FEW:
        return None
    entries: list[float] = array.ravel().tolist()
    total = sum(entries)
    return entries if total - total == 0 else None


def all_finite(array: AnyArray) -> bool:
    """Whether all entries of an array are finite."""
    return _few(array) is not None or bool(np.isfinite(array).all())


def first_place(mask: AnyArray) -> tuple[int, ...]:
    """Return the index of the first entry that is true: `first_place(x > 1)`. Raises IndexError where there is none."""
    return tuple(map(int, np.argwhere(mask)[0]))


def largest(array: Array) -> float:
    """Return the largest absolute value of an array, 0 where it is empty."""
    few = _few(array)
    if few is not None:
        return max(map(abs, few), default=0.0)
    return float(np.maximum.reduce(np.abs(array), axis=None, initial=0.0))


def as_mask(array: AnyArray) -> Array:
    """Return Booleans as the 0 and 1 that programs compute with, marked so that as an index they are a mask."""
    return np.asarray(array, dtype=np.dtype(np.float64, metadata={"mask": True}))


def is_mask(array: AnyArray) -> bool:
    """Whether an input was given as Booleans."""
    return array.dtype == np.bool_ or "mask" in (array.dtype.metadata or {})


def scalars(values: Mapping[str, Array]) -> dict[str, float]:
    """Return the inputs that are numbers."""
    return {name: float(value) for name, value in values.items() if not np.shape(value)}


def whole_numbers(values: Mapping[str, Array]) -> dict[str, int]:
    """Return the inputs that can stand for sizes: whole numbers."""
    return {name: int(value) for name, value in scalars(values).items() if value.is_integer()}


Static: TypeAlias = "float | Array"
"""The value of a name on which a program may depend: of a number that is a size, or of an array of indices."""


def statics(values: Mapping[str, Array]) -> dict[str, Static]:
    """Return the values that a program may depend on, each as it is asked for: numbers, whole ones as int, and arrays.

    Example: `statics({"n": np.array(3.0), "I": indices})` is `{"n": 3, "I": indices}`.
    """
    return {name: value for name, value in values.items() if np.ndim(value)} | scalars(values) | whole_numbers(values)


def copied(value: Static) -> Static:
    """Return a value that does not change when the array that it was given as does."""
    return value.copy() if isinstance(value, np.ndarray) else value


def same_static(one: Static | None, other: Static | None) -> bool:
    """Whether two values make for the same program: masks are not indices, even where their numbers are equal."""
    if one is None or other is None or np.ndim(one) != np.ndim(other):
        return one is other
    return np.array_equal(one, other) and is_mask(np.asarray(one)) == is_mask(np.asarray(other))
