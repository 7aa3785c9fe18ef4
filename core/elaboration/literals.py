"""Numbers as they are written, and as settings take them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from ..arrays import Array
from ..graph.algebra import constant_value
from ..graph.nodes import Coefficient, Constant, Node
from ..graph.ratios import Ratio, as_size
from ..graph.sizes import Size

CONSTANTS: Mapping[str, float] = {
    "pi": math.pi,
    "π": math.pi,
    "inf": math.inf,
    "e": math.e,
    "nan": math.nan,
    "tau": math.tau,
}
BARE_CONSTANTS = frozenset({"pi", "π", "inf"})
# More are no more exact than a float.
MOST_DIGITS = 60


def literal(text: str) -> Coefficient:
    """Return the value of a number literal, exact where that is small: `literal("0.1") == Fraction(1, 10)`."""
    if text.isdigit() and len(text) <= MOST_DIGITS:
        return int(text)
    value = float(text)
    if math.isfinite(value) and value and 1e-9 < abs(value) < 1e15 and len(text) < 16:
        return Fraction(text)
    return value


def plain(value: Coefficient) -> int | float:
    """Return a coefficient as a setting takes it: an int where it is whole, else a float."""
    if isinstance(value, Size):
        return value
    if isinstance(value, Ratio):
        return as_size(value)
    return int(value) if value == value and abs(value) != math.inf and value == int(value) else float(value)


def constant_array(node: Node) -> Array | None:
    """Return the value of a node that is a constant or a number, None for any other."""
    if isinstance(node, Constant):
        return node.value
    constant = None if node.shape else constant_value(node)
    return None if constant is None else np.array(float(constant))
