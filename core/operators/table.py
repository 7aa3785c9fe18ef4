"""The whole table: `load` enters every operator."""

from __future__ import annotations

from functools import cache
from importlib import import_module

FAMILIES = (
    "elementwise", "comparisons", "reductions", "norms", "products", "linear", "constants", "inverses",
    "decompositions", "nested",
)  # fmt: skip
"""The modules of the table, in the order in which a reader may want them."""


@cache
def load() -> None:
    """Enter every operator of the table into the catalogue; a second call does nothing."""
    for family in FAMILIES:
        import_module(f".{family}", __package__)
