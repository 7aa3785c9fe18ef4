"""Small lengths for what nothing determines: different from each other, and long enough for what is written.

Example: for `x[4:] @ y` x is (n) and y is (n - 4): n is 5, for less would leave nothing of y.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from math import isqrt
from typing import NamedTuple

from ..graph.algebra import constant_value
from ..graph.nodes import Apply, Constant, Node, Product, Select, is_function, topological
from ..graph.places import Progression, Rotation, Rows, Windows
from ..graph.sizes import NotPlainError, Quotient, Size, atoms, length, names_in, replace_lengths

SMALLEST = 3
# A length with many divisors, for an axis that is to be split.
SPLITTABLE = 6
LONGEST_SLICE = 20
# How often lengths grow before those that were reached are taken as they are.
MOST_STEPS = 60


class Need(NamedTuple):
    """What must hold of lengths: behind a place of `size` there are at least so many others, itself counted."""

    size: int
    least: int
    place: int = 0

    @property
    def room(self) -> int:
        """What must not be negative."""
        return self.size - self.place - self.least


def chosen(value: object, sizes: Sequence[int], known: Mapping[str, int]) -> dict[str, int]:
    """Return a number for each length in the sizes of the inputs, over which `value` was elaborated.

    Lengths are 3, 4, 5, ... in order; they grow until every place exists, and a matrix whose Gram matrix is inverted
    has more rows than columns.
    """
    free = [name for name in names_in(sizes) if name not in known]
    if not free:
        return dict(known)
    values = {**dict(zip(free, count(SMALLEST), strict=False)), **_divisors(sizes), **known}
    roots = [item for item in (value if isinstance(value, tuple | list) else [value]) if isinstance(item, Node)]
    needed = [*(Need(size, 1) for size in sizes), *_needs(roots)]
    for _ in range(MOST_STEPS):
        missing = _first_short(needed, values)
        grown = None if missing is None else _grown(missing.room, values, free)
        if grown is None:
            break
        values = grown
    for inner, outer in _gram_matrices(roots):
        short, long = (replace_lengths(size, values) for size in (inner, outer))
        names = [*names_in([inner]), *names_in([outer])]
        if short < long and len(names) == 2 and {*names} <= {*free}:
            swapped = {**values, names[0]: values[names[1]], names[1]: values[names[0]]}
            if _first_short(needed, swapped) is None:
                return swapped
    return values


def _divisors(sizes: Iterable[int]) -> dict[str, int]:
    """Return lengths that divide a number, as even as they can be: of n and 6//n, n is 2."""
    found = {}
    for atom in (atom for size in sizes for atom in atoms(size) if isinstance(atom, Quotient)):
        name = str(atom.below)
        if not isinstance(atom.above, Size) and atom.below == length(name):
            found[name] = max(divisor for divisor in range(1, isqrt(atom.above) + 1) if atom.above % divisor == 0)
    return found


def _needs(roots: Iterable[Node]) -> Iterator[Need]:
    """Yield what must hold, so that every place and every label that a graph names exists."""
    for node in topological(roots):
        if is_function(node, "one_hot_among"):
            labels, classes = node.children
            found = int(labels.value.max()) if isinstance(labels, Constant) else constant_value(labels)
            yield Need(classes.shape[-1], 1, found if isinstance(found, int) else 0)
        yield from (Need(size, 0) for size in node.shape if isinstance(size, Size))
        if isinstance(node, Select) and isinstance(node.size, Size) and not isinstance(node.rows, Rotation):
            for place in _ends(node.rows):
                yield Need(place, 0)
                yield Need(node.size, 1, place)


def _ends(rows: Rows) -> Iterable[int]:
    """Return places that must exist; a long slice that is written in numbers may be cut off."""
    if isinstance(rows, Windows):
        return rows.last, rows.amount - 2, rows.length - 2
    if isinstance(rows, Progression):
        return rows.start, rows.start + rows.step * (rows.length - 1)
    last = [min(rows[-1], LONGEST_SLICE - 1) if len(rows) > 1 else rows[0]] if isinstance(rows, range) and rows else []
    return [*rows[:1], *last] if isinstance(rows, range) else rows


def _first_short(needed: Iterable[Need], values: Mapping[str, int]) -> Need | None:
    """Return the first of the needs that does not hold; lengths of long sums are in many of them."""
    known: dict[int, int] = {}

    def number(size: int) -> int:
        if not isinstance(size, Size):
            return size
        if size not in known:
            known[size] = replace_lengths(size, values)
        return known[size]

    for need in needed:
        try:
            if number(need.size) - number(need.place) < need.least:
                return need
        except NotPlainError:
            return need
    return None


def _holds(need: int, values: Mapping[str, int]) -> bool:
    try:
        return replace_lengths(need, values) >= 0
    except NotPlainError:
        return False


def _grown(need: int, values: dict[str, int], free: list[str]) -> dict[str, int] | None:
    """Return lengths one of which is longer by one, the first that helps; None where none does."""
    for name in names_in([need]):
        if name in free:
            longer = {**values, name: values[name] + 1}
            try:
                if replace_lengths(need, longer) > replace_lengths(need, values):
                    return longer
            except NotPlainError:
                even = {**values, name: SPLITTABLE}
                return even if values[name] < SPLITTABLE and _holds(need, even) else longer
    return None


def _gram_matrices(roots: Iterable[Node]) -> Iterator[tuple[int, int]]:
    """Yield the inner and the outer length of each product of two matrices that is to be inverted."""
    for node in topological(roots):
        inverts = isinstance(node, Apply) and (
            node.operator.name == "det" or not {"spd", "invertible"}.isdisjoint(node.operator.domain)
        )
        operand = node.children[0] if inverts else None
        if isinstance(operand, Product) and len(operand.children) == 2 and operand.rank == 2:
            inner = [size for label, size in operand.sizes.items() if label >= 2]
            if len(inner) == 1:
                yield inner[0], operand.shape[0]
