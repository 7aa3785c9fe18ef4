"""The whole table: `load` enters every entry of every family into the catalogue."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ..graph.catalogue import enter

# In the order in which a reader may want them.
FAMILIES = (
    "elementwise", "comparisons", "reductions", "norms", "products", "linear", "constants", "inverses",
    "decompositions", "nested", "places", "adapters",
)


@cache
def load() -> None:
    """Enter every operator of the table into the catalogue; a second call does nothing."""
    for family in FAMILIES:
        # Here, not above: what only reads an expression need not wait for the table.
        for entry in import_module(f".{family}", __package__).ENTRIES:
            enter(entry)
