"""How many digits an expression loses on the way to its value and its derivatives, whatever their rules.

`(1 - cos(s))/s**2` at s = 1e-5 keeps six digits of its value and none of its derivative: `cos(s)` is rounded near 1,
and of what the subtraction leaves that rounding is a large part. No comparison with the value can see this, for the
value suffers from it too. So the program is run once more with other roundings, and what changes is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log10
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrays import SAME_NUMBERS, AnyArray, Array, all_finite, largest
from ..evaluation.perturbed import SMALLEST
from ..evaluation.program import OperationFailed, Program
from ..problems.calculation import Calculation

if TYPE_CHECKING:
    from ..compressed.structured import Structured

EPSILON = float(np.finfo(np.float64).eps)
# An error beyond this is said: two ways to compute the same thing would not agree.
MOST_LOST = SAME_NUMBERS
# Beyond this nothing is left.
ALL_LOST = 0.05
ALL_DIGITS = 16
# For arrays beyond this the value alone is run again: the derivative would take as long as the answer.
LARGEST = 4_000_000

OVERFLOW = "numbers overflow on the way to this result"


class Loss(NamedTuple):
    """How much of a result is rounding: `value` and each of `derivatives` relative to the largest entry.

    `noise` is the absolute rounding of the value.
    """

    value: float = 0.0
    derivatives: tuple[float, ...] = ()
    noise: float = 0.0
    overflowed: bool = False

    def share(self, place: int) -> float:
        """Return how much of a derivative is rounding, all of it where numbers overflow."""
        return 1.0 if self.overflowed else self.derivatives[place] if self.derivatives else 0.0

    def digits(self, place: int) -> int:
        """Return how many digits the value and a derivative lose, the worse of both."""
        worst = max(self.share(place), self.value)
        if worst >= ALL_LOST:
            return ALL_DIGITS
        return min(ALL_DIGITS, ceil(log10(worst / EPSILON))) if worst > MOST_LOST else 0

    def note(self, place: int) -> str:
        """Return what is to be said of a derivative, empty where it keeps its digits."""
        if self.overflowed:
            return OVERFLOW
        lost = self.digits(place)
        amount = "all" if lost == ALL_DIGITS else lost
        return f"the expression itself loses {amount} digits here" if lost else ""


def digits_lost(calculation: Calculation, values: Mapping[str, Array], data: Sequence[Array | Structured]) -> Loss:
    """Return how much of the value and of the derivatives is rounding: two more runs, where there is anything to find.

    Example: for the gradient of `log(1 + s)/s` at s = 1e-8 all of the derivative and half of the value's digits.
    """
    dense = [array for array in data if isinstance(array, np.ndarray)]
    program = calculation.program if len(dense) == len(data) else calculation.value_program
    if program.largest > LARGEST:
        program = calculation.value_program
    if not program.may_lose_digits and all(map(_is_ordinary, dense)):
        return Loss()
    try:
        return lost_by(program, values)
    except OperationFailed:  # the last digits may leave the domain, where the function has no value
        return Loss()


def lost_by(program: Program, values: Mapping[str, Array]) -> Loss:
    """Return how much of the results of a program is rounding, the first of which is the value."""
    plain = program.run(values)
    results, overflowed = program.run_perturbed(values)
    noise, *_ = errors = [_error(one, other) for one, other in zip(plain, results, strict=True)]
    sizes = [largest(one[np.isfinite(one)]) for one in plain]
    shares = [_share(error, size) for error, size in zip(errors, sizes, strict=True)]
    finite = all(map(all_finite, plain))
    return Loss(shares[0], tuple(shares[1:]), noise, overflowed and finite)


def _is_ordinary(array: Array) -> bool:
    """Whether the numbers are so large that none of their digits is lost to underflow."""
    return largest(array) > SMALLEST / EPSILON**2


def _error(plain: Array, perturbed: AnyArray) -> float:
    """Return the largest change of an entry; infinity where one is finite in one run alone."""
    finite = np.isfinite(plain)
    if not np.array_equal(finite, np.isfinite(perturbed)):
        return float("inf")
    return largest(plain[finite] - np.asarray(perturbed)[finite])


def _share(error: float, size: float) -> float:
    return min(1.0, error / size) if size else float(error > 0)
