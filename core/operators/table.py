"""The whole table: `load` enters what every expression may need, and the other families when they are asked for.

Which words belong to a family that waits stands in `index.txt`, which `python tests/core/operators/test_index.py`
writes.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from functools import cache, partial
from importlib import import_module

from ..graph.catalogue import enter, expect
from ..graph.operator import Operator

# In the order in which a reader may want them.
FAMILIES = (
    "elementwise", "comparisons", "reductions", "norms", "products", "linear", "constants", "inverses",
    "decompositions", "nested", "places", "adapters",
)
# These are loaded when one of their words is asked for.
WAITING = (
    "special", "bessel", "rounding", "densities", "activations", "equations", "matrix_functions", "patterns",
    "convolutions", "arrangements", "distances", "polynomials", "picking", "fourier",
)


@cache
def load() -> None:
    """Make every operator of the table known to the catalogue; a second call does nothing."""
    for family in FAMILIES:
        for entry in entries(family):
            enter(entry)
    with open(os.path.join(os.path.dirname(__file__), "index.txt"), encoding="utf-8") as file:
        for family, *words in map(str.split, file):
            expect(family, words, partial(_enter, family))


def entries(family: str) -> tuple[Operator, ...]:
    """Return the entries of one family."""
    # Imported here, not above: what only reads an expression need not wait for the table.
    found: tuple[Operator, ...] = import_module(f".{family}", __package__).ENTRIES
    return found


def index() -> Iterator[str]:
    """Yield the lines of `index.txt`: a family, and the words by which it is asked for."""
    for family in WAITING:
        words = (word for entry in entries(family) for word in _words(entry))
        yield " ".join([family, *dict.fromkeys(words)])


def _words(entry: Operator) -> Iterator[str]:
    yield from (entry.name, *entry.aliases, *entry.refused)
    yield from (line.partition("(")[0] for line in entry.libraries)


def _enter(family: str) -> None:
    for entry in entries(family):
        enter(entry, family)
