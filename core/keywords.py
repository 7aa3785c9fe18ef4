"""What the Python face takes by keyword: names, shapes, assumptions, amounts of memory, read or refused."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from operator import index
from typing import SupportsIndex, TypedDict

from numpy.typing import ArrayLike

from ..grammar.advice import Setting, advise
from ..grammar.names import split_names
from .amounts import bytes_in
from .errors import UsageProblem
from .shapes import ASSUMPTIONS, Shape

Names = str | Sequence[str] | None
Inputs = Mapping[str, ArrayLike]
Shapes = Mapping[str, int | Sequence[int]]
Assumptions = Mapping[str, str | Sequence[str]]


class Options(TypedDict, total=False):
    """What the functions of the Python face take by keyword."""

    shapes: Shapes | None
    assume: Assumptions | None
    batch: Names
    reduce: str | None
    strict: bool
    max_memory: int | str
    independent_entries: bool


def read_shapes(shapes: Shapes) -> dict[str, Shape]:
    """Return shapes as tuples; one number is the length of a vector."""
    helps = [Setting("shapes", {"A": (5, 2), "x": (5,)})]
    try:
        found = {
            name: (index(s),) if isinstance(s, SupportsIndex) else tuple(map(index, s)) for name, s in shapes.items()
        }
    except TypeError:
        raise UsageProblem("a shape is made of whole numbers", helps=helps) from None
    if any(size < 0 for shape in found.values() for size in shape):
        raise UsageProblem("a size is not negative", helps=helps)
    return found


def read_limit(size: int | str) -> int:
    """Return an amount of memory in bytes: `read_limit("1GiB")` is `2**30`."""
    found = bytes_in(size) if isinstance(size, str) else size
    if isinstance(found, bool) or not isinstance(found, Real) or not found >= 0:
        helps = [advise(Setting("max_memory", "4GiB"), ", or a number of bytes")]
        raise UsageProblem(f"`{size}` is not an amount of memory", helps=helps)
    return int(min(found, sys.maxsize))


def read_assumptions(assume: Assumptions) -> dict[str, frozenset[str]]:
    """Return what is assumed of each name; raises UsageProblem for what cannot be."""
    known = {name: frozenset([words] if isinstance(words, str) else words) for name, words in assume.items()}
    for name, words in known.items():
        for word in words.difference(ASSUMPTIONS):
            message = f"`{word}` is not something that can be assumed of `{name}`"
            raise UsageProblem(message, helps=[", ".join(ASSUMPTIONS)])
    return known


def names(given: Names) -> tuple[str, ...]:
    """Return the names in an argument: `"x"`, `"x,A"` or `("x", "A")`; raises UsageProblem for what holds no names."""
    if given is None:
        return ()
    listed = split_names(given) if isinstance(given, str) else given
    if not isinstance(listed, Iterable) or not all(isinstance(name, str) for name in listed):
        raise UsageProblem(f"`{given!r}` is not a name", helps=['names are text: "x", or ("x", "A") for several'])
    return tuple(listed)
