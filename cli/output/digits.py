"""How the numbers of one table are written: integers, fixed or scientific, at one precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

DEFAULT_PRECISION = 6
FULL_PRECISION = 17
LARGEST_INTEGER_DIGITS = 12
LARGEST_FIXED_EXPONENT = 9
DECADES_AT_ONE_PRECISION = 3


@dataclass(frozen=True)
class NumberFormat:
    """One way of writing numbers; `NumberFormat("fixed", 2)(1.5) == "1.50"`.

    The kinds are `integer`, `fixed` and `scientific`. An exact zero is `0`; a number so much smaller than its
    neighbours that their decimals would cut its digits is written in scientific notation among them.
    """

    kind: str
    decimals: int = 0
    precision: int = DEFAULT_PRECISION

    def __call__(self, value: float) -> str:
        """Return the number as text."""
        if value == 0:
            return "0"
        if not math.isfinite(value):
            return str(value)
        if self.kind == "integer":
            return str(int(value))
        if self.kind == "scientific":
            return f"{value:.{self.decimals}e}"
        digits, exponent = significant(value, self.precision)
        tiny = min(digits, self.precision) - 1 - exponent > self.decimals
        return f"{value:.{digits - 1}e}" if tiny else f"{value:.{self.decimals}f}"


def choose_format(values: Iterable[float], precision: int = DEFAULT_PRECISION) -> NumberFormat:
    """Choose how to write numbers side by side so that each shows at least `precision` significant digits.

    Example: `choose_format([1.5, 0.25]) == NumberFormat("fixed", 2)`.
    """
    numbers = [value for value in values if value and math.isfinite(value)]
    largest = max(map(abs, numbers), default=0.0)
    if largest < 10.0 ** max(LARGEST_INTEGER_DIGITS, precision) and all(value.is_integer() for value in numbers):
        return NumberFormat("integer", 0, precision)
    parts = [significant(value, precision) for value in numbers]
    top = max(exponent for _, exponent in parts)
    if not -4 <= top < max(LARGEST_FIXED_EXPONENT, precision):
        return NumberFormat("scientific", max(digits for digits, _ in parts) - 1, precision)
    lowest = min(top - DECADES_AT_ONE_PRECISION, 0)
    near = [digits - 1 - exponent for digits, exponent in parts if exponent >= lowest]
    return NumberFormat("fixed", max(0, *near), precision)


def significant(value: float, precision: int) -> tuple[int, int]:
    """Return how many digits a number needs when rounded to `precision` of them, and its exponent of ten.

    Example: `significant(0.0250, 6) == (2, -2)`. At full precision, as many digits as give the number back.
    """
    text = f"{value:.{precision - 1}e}"
    if precision >= FULL_PRECISION:
        text = next(text for count in (14, 15, 16) if float(text := f"{value:.{count}e}") == value)
    mantissa, exponent = text.split("e")
    return max(len(mantissa.lstrip("-").replace(".", "").rstrip("0")), 1), int(exponent)


def every_digit(precision: int | None) -> Callable[[float], str]:
    """Return how a number is written for a program: with every digit, or with those that were asked for."""
    return repr if precision is None else lambda value: f"{value:.{precision}g}"


def short(value: float, precision: int) -> str:
    """Write one number by itself: `short(0.1 + 0.2, 6) == "0.3"`."""
    return choose_format([value], precision)(value)


def rough(error: float) -> str:
    """Write the size of an error: `rough(3.2e-11) == "3e-11"`, `rough(0.25) == "0.25"`."""
    return "0" if error == 0 else f"{error:.2g}" if error >= 1e-3 else f"{error:.0e}"
