"""Functions of numbers that are numbers a reader knows: the root of 4 is 2, `sigmoid(0)` is 1/2."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import numpy as np

from ..graph.algebra import constant_value, full
from ..graph.nodes import Map, Node, is_function
from ..graph.ratios import Ratio
from .trees import Exponent

# Roots of numbers above this stay as they are typed.
LARGEST_SQUARE = 10**6
# Functions of numbers of this size are known without rounding, if they are halves of whole numbers.
LARGEST = 100


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


def known_number(node: Node) -> Node | None:
    """sigmoid(0) = 1/2, cos(0) = 1, log(1) = 0."""
    if not isinstance(node, Map) or node.operator.evaluate is None or node.operator.name in ("power", "sqrt"):
        return None
    values = [constant_value(child) for child in node.children]
    plain = [float(value) for value in values if isinstance(value, int | Fraction)]
    known = all((2 * value).is_integer() and -LARGEST <= value <= LARGEST for value in plain)
    if len(plain) < len(node.children) or not known:
        return None
    with np.errstate(all="ignore"):
        found = 2 * float(node.operator.evaluate(*plain))
    return full(Fraction(int(found), 2), node.shape) if found.is_integer() and abs(found) <= LARGEST else None
