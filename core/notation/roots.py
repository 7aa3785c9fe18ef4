"""Roots of numbers that are fractions themselves: that of 4 is 2."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from ..graph.algebra import constant_value
from ..graph.nodes import Node, is_function
from ..graph.ratios import Ratio
from .trees import Exponent

# Roots of numbers above this stay as they are typed.
LARGEST_SQUARE = 10**6


def exact_power(base: Node, exponent: Exponent) -> Fraction | None:
    """Return a power of a root of a number where it is a fraction, None elsewhere."""
    if is_function(base, "sqrt"):
        base, exponent = base.children[0], Fraction(exponent) / 2
    value = constant_value(base) if exponent.denominator == 2 else None
    if value is None or isinstance(value, Ratio) or not 0 < value < LARGEST_SQUARE:
        return None
    square = Fraction(value)
    root = Fraction(isqrt(square.numerator), isqrt(square.denominator))
    return root ** int(2 * exponent) if root**2 == square else None
