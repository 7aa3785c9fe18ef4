"""Equations between lengths, solved as they appear: each expresses one length by others.

>>> from matgrad.core.graph.sizes import length
>>> equations = Equations()
>>> n, m, k = equations.new("x"), equations.new("y"), equations.new("z")
>>> equations.equate(n - 1, m)
True
>>> equations.resolved(m * k), equations.free
(x*z - z, ['x', 'z'])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from math import prod

from ..graph.sizes import Length, NotPlainError, Size, length, names_in, quotient, replace_lengths, sign

# The largest length that an equation in one unknown is searched for.
LARGEST_ROOT = 10_000
# Products of more lengths than this are compared in order.
MOST_PERMUTED = 5


class Equations:
    """What is known of lengths: `values` expresses some by others.

    Equating two lengths costs about as much as writing them down, for what is known of one is kept resolved. `meant`
    are the numbers of some lengths, for where an equation leaves a choice.
    """

    def __init__(self, meant: Mapping[str, int] | None = None) -> None:
        self.meant = meant or {}
        self.values: dict[str, int] = {}
        self._place: dict[str, int] = {}
        self._given: set[str] = set()

    def new(self, name: str, *, given: bool = False) -> int:
        """Return a length of its own; a `given` name is kept where it equals one that is not."""
        self._place.setdefault(name, len(self._place))
        if given:
            self._given.add(name)
        return self.resolved(length(name))

    @property
    def names(self) -> list[str]:
        """All lengths, in order."""
        return list(self._place)

    @property
    def free(self) -> list[str]:
        """The lengths that nothing determines, in order."""
        return [name for name in self._place if name not in self.values]

    def resolved(self, size: int) -> int:
        """Return a length expressed by free ones."""
        if not isinstance(size, Size):
            return size
        known = {name: self._value(name) for name in names_in([size]) if name in self.values}
        return replace_lengths(size, known) if known else size

    def _value(self, name: str) -> int:
        # Each name on a chain of equal ones is tied to its end, so that no chain is walked twice.
        chain = [name]
        while (size := self.values[chain[-1]]) and (following := _alone(size)) in self.values:
            chain.append(following)
        size = self.resolved(size)
        for link in chain:
            self.values[link] = size
        return size

    def equate(self, left: int, right: int) -> bool:
        """Make two lengths equal; return False where nothing is learned, for they are, or cannot be."""
        left, right = self.resolved(left), self.resolved(right)
        names = _alone(left), _alone(right)
        if all(names) and left != right:
            # What was named last goes, as below.
            loser = min(names, key=lambda name: (name in self._given, -self._place.get(name, 0)))
            self.values[loser] = right if loser == names[0] else left
            return True
        difference = left - right
        if not isinstance(difference, Size):
            return False
        for name, value in self._solutions(difference):
            self.values[name] = value
            return True
        return self._equate_products(left, right) or self._find_root(difference)

    def _solutions(self, difference: Size) -> Iterator[tuple[str, int]]:
        """Yield a length and its value where the equation determines it; what was named last goes first."""
        linear = {
            atom.name: c
            for monomial, c in difference.terms
            if len(monomial) == 1 and monomial[0][1] == 1 and isinstance(atom := monomial[0][0], Length)
        }
        found = []
        for name, c in linear.items():
            rest = difference - c * length(name)
            value = quotient(-rest if c > 0 else rest, abs(c), exact=True)
            if name not in names_in([rest]) and abs(c) * value == (-rest if c > 0 else rest):
                found.append((abs(c), name, value))

        def preference(item: tuple[int, str, int]) -> tuple[bool, bool, int, int]:
            c, name, value = item
            return not _is_positive(value), name in self._given, c, -self._place.get(name, 0)

        for _, name, value in sorted(found, key=preference):
            if isinstance(value, Size) or value > 0:
                yield name, value

    def _equate_products(self, left: int, right: int) -> bool:
        """Make the factors of two numbers of entries equal, in order: of n*m and p*q, n and p, m and q.

        Where their numbers are known, equal ones meet.
        """
        sides = [_factors(side) for side in (left, right)]
        if any(side is None for side in sides):
            return False
        (first, number), (second, other) = (side for side in sides if side is not None)
        for name in [name for name in first if name in second]:
            if name in first and name in second:
                first.remove(name)
                second.remove(name)
        if not first:
            first, number, second, other = second, other, first, number
        if len(first) == len(second) and number == other:
            learned = [
                self.equate(length(a), length(b)) for a, b in zip(first, self._beside(first, second), strict=True)
            ]
            return any(learned)
        if number == other and not (first and second):
            # What is left of a product that is 1 are lengths of one.
            learned = [self.equate(length(name), 1) for name in first or second]
            return any(learned)
        return self._divide(first, number, second, other) or self._divide(second, other, first, number)

    def _beside(self, first: list[str], second: list[str]) -> Sequence[str]:
        """Return lengths in the order in which they are equal to others as far as is known, else as they are."""
        for order in permutations(second) if len(second) <= MOST_PERMUTED else ():
            pairs = [(self.meant.get(a), self.meant.get(b)) for a, b in zip(first, order, strict=True)]
            if all(a is None or b is None or a == b for a, b in pairs):
                return order
        return second

    def _divide(self, names: list[str], number: int, others: list[str], other: int) -> bool:
        """Express a length by the rest of a product: of n*m = 6, m is 6//n, without a rest."""
        single = [name for name in names if names.count(name) == 1 and name not in self._given]
        if not single or (not others and (other < 1 or other % number)):
            return False
        above = prod(map(length, others), start=other)
        below = prod((length(name) for name in names if name != single[-1]), start=number)
        self.values[single[-1]] = quotient(above, below, exact=True)
        return True

    def _find_root(self, difference: Size) -> bool:
        """Solve an equation in one length, as `n*n = 9`."""
        names = list(names_in([difference]))
        if len(names) != 1:
            return False
        for value in range(1, LARGEST_ROOT):
            try:
                rest = replace_lengths(difference, {names[0]: value})
            except NotPlainError:
                continue
            if rest == 0:
                self.values[names[0]] = value
                return True
        return False


def _alone(size: int) -> str:
    """Return the name of a length that is nothing else, empty for any other."""
    if isinstance(size, Size) and len(size.terms) == 1:
        ((monomial, c),) = size.terms
        if c == 1 and len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], Length):
            return monomial[0][0].name
    return ""


def _is_positive(size: int) -> bool:
    try:
        return sign(size) > 0
    except NotPlainError:
        return False


def _factors(size: int) -> tuple[list[str], int] | None:
    """Return a product of lengths as their names and a number, None for what is no product."""
    if not isinstance(size, Size):
        return [], size
    if len(size.terms) != 1:
        return None
    ((monomial, c),) = size.terms
    names = [atom.name for atom, power in monomial for _ in range(power) if isinstance(atom, Length)]
    return (names, c) if len(names) == sum(power for _, power in monomial) else None
