"""Coefficients that depend on lengths: `1/n` of a mean, `(n - 1)/n`.

    >>> from matgrad.core.graph.sizes import length
    >>> mean = reciprocal(ratio(length("n")))
    >>> 1 - mean
    (n - 1)/n
    >>> (1 - mean) + mean
    Fraction(1, 1)

A number times a quotient of polynomials in lengths, in normal form; what does not depend on lengths is a plain number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import permutations
from math import gcd, inf, isfinite, lcm, nan, prod
from typing import TypeAlias

from ..errors import ShapeError
from .sizes import NotPlainError, Size, divide, factors_of, place_of, quotient, raised, replace_lengths, terms_of


class Ratio:
    """A number times a quotient of lengths, as `2/n` or `(n - 1)/n`: arithmetic and equality are those of numbers.

    `number` is the rest; `above` is a polynomial whose coefficients have no common divisor, the first of them
    positive; `below` are polynomials of that kind with their powers, none of which divides `above`.
    """

    __slots__ = ("above", "below", "number")

    def __init__(self, number: Fraction | float, above: int, below: tuple[tuple[Size, int], ...]) -> None:
        self.number, self.above, self.below = number, above, below

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ratio):
            return False
        return (self.number, self.above, self._divisor) == (other.number, other.above, other._divisor)

    def __hash__(self) -> int:
        return hash((self.number, self.above, self._divisor))

    @property
    def _divisor(self) -> int:
        """What it divides by: factors may have been multiplied before they came here."""
        return prod(raised(size, power) for size, power in self.below)

    def __repr__(self) -> str:
        below = "*".join(_bracketed(size) + (f"**{power}" if power > 1 else "") for size, power in self.below)
        above = [] if self.number == 1 and self.above != 1 else [str(self.number)]
        above += [] if self.above == 1 else [_bracketed(self.above)]
        return "*".join(above) + (f"/{below}" if below else "")

    def __mul__(self, other: Number) -> Number:
        factor = _as_ratio(other)
        powers = dict(self.below)
        for size, power in factor.below:
            powers[size] = powers.get(size, 0) + power
        return _ratio(self.number * factor.number, self.above * factor.above, powers)

    __rmul__ = __mul__

    def __neg__(self) -> Number:
        return Ratio(-self.number, self.above, self.below)

    def __abs__(self) -> Number:
        return -self if self.number < 0 else self

    def __add__(self, other: Number) -> Number:
        if isinstance(other, float) and not isfinite(other):
            return other
        term = _as_ratio(other)
        if not term.number or not isfinite(self.number):
            return self
        powers = dict(self.below)
        for size, power in term.below:
            powers[size] = max(powers.get(size, 0), power)
        left, right = (
            item.above * prod(raised(size, power - dict(item.below).get(size, 0)) for size, power in powers.items())
            for item in (self, term)
        )
        first, second = Fraction(self.number), Fraction(term.number)
        if left == right:
            return _ratio(first + second, left, powers)
        common = lcm(first.denominator, second.denominator)
        return _ratio(Fraction(1, common), left * int(first * common) + right * int(second * common), powers)

    __radd__ = __add__

    def __sub__(self, other: Number) -> Number:
        return self + (-other)

    def __rsub__(self, other: Number) -> Number:
        return -self + other

    def __truediv__(self, other: Number) -> Number:
        return self * reciprocal(other)

    def __rtruediv__(self, other: Number) -> Number:
        return reciprocal(self) * other

    def __pow__(self, exponent: int) -> Number:
        base: Number = self if exponent >= 0 else reciprocal(self)
        return prod([base] * abs(exponent), start=Fraction(1))

    def __float__(self) -> float:
        raise NotPlainError("this number depends on lengths", (self.above, *(size for size, _ in self.below)))

    def __lt__(self, other: int) -> bool:
        difference = self - other
        return difference.number < 0 if isinstance(difference, Ratio) else difference < 0

    def __gt__(self, other: int) -> bool:
        return other - self < 0


def _bracketed(size: int) -> str:
    return f"({size})" if len(terms_of(size)) > 1 else str(size)


Number: TypeAlias = int | Fraction | float | Ratio


def _as_ratio(value: Number) -> Ratio:
    if isinstance(value, Ratio):
        return value
    if isinstance(value, Size):
        return Ratio(Fraction(1), value, ())
    number: Fraction | float = value if isinstance(value, float) else Fraction(value)
    return Ratio(number, 1, ())


def _ratio(number: Fraction | float, above: int, powers: Mapping[Size, int]) -> Number:
    """Return a quotient in normal form: a plain number where no length is left."""
    if above == 0 or number == 0:
        return 0
    powers = _apart(powers)
    content = gcd(*(c for _, c in terms_of(above))) * (1 if terms_of(above)[0][1] > 0 else -1)
    number = number * content
    above = divide(above, content) or 0
    left: dict[Size, int] = {}
    for size, power in powers.items():
        while power and (divided := divide(above, size)) is not None:
            above, power = divided, power - 1
        if power:
            left[size] = power
    below = tuple(sorted(left.items(), key=lambda item: place_of(item[0])))
    if above == 1 and not below:
        return number
    return Ratio(number, above, below)


def _apart(powers: Mapping[Size, int]) -> Mapping[Size, int]:
    """Return factors none of which divides another: `(n + m)**2` beside `n + m` becomes a power of it."""
    for size, other in permutations(powers, 2):
        rest = divide(size, other)
        if isinstance(rest, Size):
            split = {key: power for key, power in powers.items() if key is not size}
            for factor in (other, rest):
                split[factor] = split.get(factor, 0) + powers[size]
            return _apart(split)
    return powers


def ratio(size: int) -> Number:
    """Return a length as a coefficient: `ratio(n - 1)`, which multiplies a Product."""
    return _ratio(Fraction(1), size, {}) if isinstance(size, Size) else size


def as_size(value: Number, *, exact: bool = True) -> int:
    """Return a coefficient as a length: `2*n` as it is, `n/2` as a division that leaves no rest.

    Where that is not `exact` it is rounded down.
    """
    term = _as_ratio(value)
    if not isfinite(term.number):
        raise ShapeError("a size is a whole number, and this has no end")
    number = Fraction(term.number)
    below = prod((raised(size, power) for size, power in term.below), start=number.denominator)
    return quotient(number.numerator * term.above, below, exact=exact)


def reciprocal(value: Number) -> Number:
    """Return one over a number: `1/n`, with the factors of a monomial apart."""
    if isinstance(value, int):
        return Fraction(1, value)
    if not isinstance(value, Ratio):
        return 1 / value if isinstance(value, float) else Fraction(1) / value
    above = prod((raised(size, power) for size, power in value.below), start=1)
    below = factors_of(value.above)
    return _ratio(1 / value.number, above, below)


def shared_divisor(values: Iterable[Number]) -> Number:
    """Return the lengths by which all numbers are divided: of `1/n` and `2/n**2` it is n."""
    first, *others = (dict(_as_ratio(value).below) for value in values)
    powers = {size: min([power, *(other.get(size, 0) for other in others)]) for size, power in first.items()}
    return ratio(prod((raised(size, power) for size, power in powers.items()), start=1))


def evaluated(value: Number, values: Mapping[str, int]) -> Number:
    """Return a coefficient with numbers in place of lengths: `evaluated(1/n, {"n": 4}) == Fraction(1, 4)`."""
    if not isinstance(value, Ratio):
        return value
    above = ratio(replace_lengths(value.above, values))
    below = [ratio(replace_lengths(size, values)) ** power for size, power in value.below]
    divisor = prod(below, start=Fraction(1))
    if divisor == 0:  # as `1/(n - 3)` is for three entries
        return float(value.number * above) * inf if above else nan
    return value.number * above * reciprocal(divisor)
