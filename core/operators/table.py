"""The whole table: importing this module enters every operator."""

from __future__ import annotations

from . import (
    arithmetic,
    constants,
    decompositions,
    derivatives,
    elementwise,
    inverses,
    linear,
    norms,
    products,
    reductions,
)
from .registry import find, operators, suggest

FAMILIES = (
    elementwise,
    arithmetic,
    reductions,
    norms,
    products,
    linear,
    constants,
    inverses,
    decompositions,
    derivatives,
)
"""The modules of the table, in the order in which a reader may want them."""

__all__ = ["FAMILIES", "find", "operators", "suggest"]
