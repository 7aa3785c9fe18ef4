"""A derivative in compressed form on a screen: its terms, and the arrays that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...core.amounts import amount
from ...core.arrays import Array
from ...core.compressed.structured import Structured

# A large answer says how it is made up; longer lists are for `--format structured`.
MOST_TERMS = 12


def listing(compressed: Structured, described: Callable[[Array], str], *, complete: bool) -> Iterator[str]:
    """Yield the terms by indices, and each stored array as `described`: `F1   3   [1, 2, 3]`."""
    terms = compressed.terms
    shown = terms if complete else terms[:MOST_TERMS]
    width = max((len(term.indices) for term in shown), default=0)
    for term in shown:
        yield f"  {term.indices:<{width}}   {term.structure}" if len(terms) > 1 else f"  {term.indices}"
    if len(shown) < len(terms):
        yield f"  and {amount(len(terms) - len(shown))} more; --format structured lists all"
    names = max((len(name) for name in compressed.arrays), default=0)
    for number, (name, array) in enumerate(compressed.arrays.items()):
        if number >= MOST_TERMS and not complete:
            return
        yield f"  {name:<{names}} = {described(array)}"
