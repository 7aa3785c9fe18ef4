"""Lengths of axes as symbols: integers, or polynomials with integer coefficients in named lengths.

    >>> n, m = length("n"), length("m")
    >>> (n + 1) * m - m
    n*m
    >>> n - n + 3
    3

A polynomial has one normal form and is interned, so that equal lengths are the same object; what is a plain number is
a plain `int`. Named lengths are at least 1 and generic: none is 1, and no two are equal, unless an expression says so.
What is no polynomial is an *atom* with its definition: `n//2`, and the least of two lengths.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import chain, count
from math import gcd, prod
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast
from zlib import crc32

from ..errors import ShapeError


class Length(NamedTuple):
    """A named length."""

    name: str


class Quotient(NamedTuple):
    """A length divided by another and rounded down; `exact` where the rest is known to be 0."""

    above: int
    below: int
    exact: bool


class Least(NamedTuple):
    """The smaller of two lengths."""

    first: int
    second: int


Atom: TypeAlias = Length | Quotient | Least
Monomial: TypeAlias = "tuple[tuple[Atom, int], ...]"
Order: TypeAlias = "tuple[int, tuple[tuple[tuple[int, str], int], ...]]"
"""Atoms with their powers, in a fixed order; the empty one is 1."""

NAMES = ("n", "m", "k", "l", "p", "q", "r", "s")
"""What lengths are called, in order."""

_interned: dict[tuple[tuple[Monomial, int], ...], Size] = {}


class NotPlainError(ShapeError):
    """A decision that depends on `lengths` which are not known: it is left to where they are."""

    def __init__(self, message: str, lengths: Iterable[int] = ()) -> None:
        super().__init__(message)
        self.lengths = tuple(lengths)


# A type checker takes a length for an integer, as most code about shapes does. What needs a plain one, as `range`, will
# not take a Size when it runs.
if TYPE_CHECKING:
    Integer = int
else:
    Integer = object


class Size(Integer):
    """A polynomial in lengths that is not a plain number: it adds, multiplies and compares as an integer does."""

    __slots__ = ("__dict__", "terms")
    terms: tuple[tuple[Monomial, int], ...]

    @cached_property
    def key(self) -> int:
        """A number that depends on the polynomial alone, the same in every process."""
        return hash(tuple((tuple((_atom_key(atom), power) for atom, power in m), c) for m, c in self.terms))

    @cached_property
    def digest(self) -> int:
        """A number that depends on the text alone: what a node that has this length is told from others by."""
        return crc32(self.text.encode())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the lengths that the polynomial is made of, in order."""
        return tuple(atom.name for atom in atoms(self) if isinstance(atom, Length))

    def __hash__(self) -> int:
        return self.key

    @cached_property
    def text(self) -> str:
        """The polynomial as people write it."""
        return _written(self.terms)

    def __repr__(self) -> str:
        return self.text

    def __add__(self, other: int) -> int:
        if not isinstance(other, Size | int):
            return NotImplemented
        more = terms_of(other)
        return _collected([*self.terms, *more]) if more else self

    __radd__ = __add__

    def __neg__(self) -> int:
        return _polynomial((monomial, -c) for monomial, c in self.terms)

    def __sub__(self, other: int) -> int:
        if not isinstance(other, Size | int):
            return NotImplemented
        return self + (-other)

    def __rsub__(self, other: int) -> int:
        return -self + other

    def __mul__(self, other: int) -> int:
        if not isinstance(other, Size | int):
            return NotImplemented
        if not isinstance(other, Size):
            return self if other == 1 else _polynomial((monomial, c * other) for monomial, c in self.terms)
        return _polynomial((_times(a, b), c * d) for a, c in self.terms for b, d in other.terms)

    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> int:
        return quotient(self, other)

    def __rfloordiv__(self, other: int) -> int:
        return quotient(other, self)

    def __mod__(self, other: int) -> int:
        return self - other * quotient(self, other)

    def __abs__(self) -> int:
        return self if sign(self) >= 0 else -self

    def __lt__(self, other: int) -> bool:
        return _compared(self, other) < 0

    def __le__(self, other: int) -> bool:
        return _compared(self, other) <= 0

    def __gt__(self, other: int) -> bool:
        return _compared(self, other) > 0

    def __ge__(self, other: int) -> bool:
        return _compared(self, other) >= 0


# --- making polynomials ----------------------------------------------------------------------------------------------


@cache
def length(name: str) -> Size:
    """Return the named length: `length("n")`."""
    return _of_atom(Length(name))


def _of_atom(atom: Atom) -> Size:
    found = _polynomial([(((atom, 1),), 1)])
    assert isinstance(found, Size)
    return found


def _polynomial(terms: Iterable[tuple[Monomial, int]]) -> int:
    """Return the sum of terms in normal form: the highest degree first."""
    divided: list[tuple[Monomial, int]] = []
    pending = list(terms)
    while pending:
        monomial, c = pending.pop()
        undone = _undivided(monomial, c)
        if undone is None:
            divided.append((monomial, c))
        else:
            pending += undone
    return _collected(divided)


def _collected(terms: Iterable[tuple[Monomial, int]]) -> int:
    """Return the sum of terms each of which is in normal form."""
    total: dict[Monomial, int] = {}
    for monomial, c in terms:
        total[monomial] = total.get(monomial, 0) + c
    kept = tuple(sorted([term for term in total.items() if term[1]], key=_order))
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    found = _interned.get(kept)
    if found is None:
        found = _interned[kept] = Size.__new__(Size)
        found.terms = kept
    return found


def _undivided(monomial: Monomial, c: int) -> list[tuple[Monomial, int]] | None:
    """Return a term in which a division without rest is undone, `3*(n//3)` as n; None where there is none."""
    for atom, _ in monomial:
        if isinstance(atom, Quotient) and atom.exact and len(below := terms_of(atom.below)) == 1:
            ((factor, d),) = below
            rest = _monomial_quotient(monomial, _times(factor, ((atom, 1),)))
            if rest is not None and c % d == 0:
                return [(_times(rest, over), c // d * e) for over, e in terms_of(atom.above)]
    return None


def _order(term: tuple[Monomial, int]) -> Order:
    return _order_of(term[0])


@cache
def _order_of(monomial: Monomial) -> Order:
    return -sum(power for _, power in monomial), tuple((_place(atom), -power) for atom, power in monomial)


def terms_of(size: int) -> tuple[tuple[Monomial, int], ...]:
    """Return the terms of a length, the highest degree first: products of atoms with their coefficients."""
    return size.terms if isinstance(size, Size) else (((), size),) if size else ()


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: _place(item[0])))


def raised(size: int, power: int) -> int:
    """Return a length to a power: `raised(n, 2)` is `n**2`."""
    return prod([size] * (power - 1), start=size) if power else 1


def quotient(above: int, below: int, *, exact: bool = False) -> int:
    """Return a length divided by another and rounded down: `quotient(n*m, n)` is `m`.

    With `exact` the division is known to leave no rest. What does not divide becomes an atom, as `n//2`.
    """
    if not isinstance(above, Size) and not isinstance(below, Size):
        return above // below if below else 0
    divided = divide(above, below)
    if divided is not None:
        return divided
    shared = _shared((*terms_of(above), *terms_of(below))) if below else 1
    if shared != 1:
        return quotient(cast("int", divide(above, shared)), cast("int", divide(below, shared)), exact=exact)
    return _of_atom(Quotient(above, below, exact))


def _shared(terms: tuple[tuple[Monomial, int], ...]) -> int:
    """Return what all terms are multiples of: `2*n` of those of `2*n*m` and `4*n`."""
    first, *others = (dict(monomial) for monomial, _ in terms)
    powers = {atom: min([power, *(other.get(atom, 0) for other in others)]) for atom, power in first.items()}
    monomial = tuple((atom, power) for atom, power in powers.items() if power)
    return _polynomial([(monomial, gcd(*(c for _, c in terms)))])


def least(first: int, second: int) -> int:
    """Return the smaller of two lengths, an atom where that is not known."""
    if first == second:
        return first
    try:
        return first if first < second else second
    except NotPlainError:
        pair = sorted((first, second), key=place_of)
        return _of_atom(Least(*pair))


def divide(above: int, below: int) -> int | None:
    """Return an exact quotient of polynomials, None where one does not divide the other."""
    if below == 0:
        return None
    rest, found = above, 0
    (lead, c), *_ = terms_of(below)
    while rest != 0:
        (monomial, d), *_ = terms_of(rest)
        over = _monomial_quotient(monomial, lead)
        if over is None or d % c:
            return None
        step = _polynomial([(over, d // c)])
        found, rest = found + step, rest - step * below
    return found


def _monomial_quotient(above: Monomial, below: Monomial) -> Monomial | None:
    powers = dict(above)
    for atom, power in below:
        powers[atom] = powers.get(atom, 0) - power
        if powers[atom] < 0:
            return None
    return tuple((atom, power) for atom, power in powers.items() if power)


def factors_of(size: int) -> dict[Size, int]:
    """Return a polynomial without content as factors: what all its terms share, and the rest."""
    if not isinstance(size, Size):
        return {}
    powers = {atom: min(dict(monomial).get(atom, 0) for monomial, _ in size.terms) for atom, _ in size.terms[0][0]}
    shared = tuple((atom, power) for atom, power in powers.items() if power)
    found = {_of_atom(atom): power for atom, power in shared}
    rest = divide(size, _polynomial([(shared, 1)])) if shared else size
    return {**found, rest: 1} if isinstance(rest, Size) else found


# --- what is known of them -------------------------------------------------------------------------------------------


def sign(size: int, *, meant: int | None = None) -> int:
    """Return 1, 0 or -1 for a length over generic lengths, each of which is as long as is needed.

    Example: `n - 3` is positive, for an index that is written is meant to exist. For `n - m` it is what is `meant`;
    raises NotPlainError where that is not said.
    """
    if not isinstance(size, Size):
        return (size > 0) - (size < 0)
    signs = {c > 0 for monomial, c in size.terms if monomial}
    if len(signs) > 1 and meant is not None:
        return meant
    if len(signs) > 1:
        raise NotPlainError(f"whether {size} is positive depends on its lengths", [size])
    return 1 if signs.pop() else -1


def _compared(first: int, second: int) -> int:
    try:
        return sign(first - second)
    except NotPlainError:
        raise NotPlainError(f"which of {first} and {second} is larger is not known", lengths=(first, second)) from None


def atoms(size: int) -> dict[Atom, None]:
    """Return the atoms of a length, in order, with those in the definitions of others."""
    found: dict[Atom, None] = {}
    for monomial, _ in terms_of(size):
        for atom, _ in monomial:
            found[atom] = None
            if not isinstance(atom, Length):
                found |= {inner: None for part in atom[:2] for inner in atoms(part)}
    return found


def names_in(sizes: Iterable[int]) -> dict[str, None]:
    """Return the names of the lengths that sizes are made of, in order."""
    return {name: None for size in sizes if isinstance(size, Size) for name in size.names}


def unused_names(used: Collection[str]) -> Iterator[str]:
    """Yield what further lengths are called: of `unused_names(["n", "x"])` the first is `m`."""
    return (name for name in chain(NAMES, (f"n{number}" for number in count(1))) if name not in used)


def replace_lengths(size: int, values: Mapping[str, int]) -> int:
    """Return a length with others in place of names: `replace_lengths(n - 1, {"n": 3}) == 2`.

    Raises NotPlainError where a division that should leave no rest does.
    """
    if not isinstance(size, Size):
        return size
    total: int = 0
    for monomial, c in size.terms:
        part: int = c
        for atom, power in monomial:
            known = _replaced(atom, values)
            part = part * (known if power == 1 else raised(known, power))
        total = total + part
    return total


def _replaced(atom: Atom, values: Mapping[str, int]) -> int:
    if isinstance(atom, Length):
        return values[atom.name] if atom.name in values else _of_atom(atom)
    first, second = (replace_lengths(part, values) for part in atom[:2])
    if isinstance(atom, Least):
        return least(first, second)
    if atom.exact and not isinstance(first, Size) and not isinstance(second, Size) and (not second or first % second):
        raise NotPlainError(f"{first} entries cannot be split into {second} equal parts")
    return quotient(first, second, exact=atom.exact)


def place_of(size: int) -> list[tuple[int, str]]:
    """Return what lengths are sorted by: those that are named first come first."""
    return [_place(atom) for atom in atoms(size)]


def show_size(size: int) -> str:
    """Return a length as people write it: `n - 1`, `2*n*m`, `(n + 1)//2`."""
    return size.text if isinstance(size, Size) else str(size)


def _written(terms: tuple[tuple[Monomial, int], ...]) -> str:
    pieces: list[str] = []
    for monomial, c in terms:
        factors = [] if abs(c) == 1 and monomial else [str(abs(c))]
        pieces += ["-" if c < 0 else "+", "*".join([*factors, *_factor_texts(monomial)])]
    first = "-" if pieces[0] == "-" else ""
    return first + " ".join(pieces[1:])


@cache
def _factor_texts(monomial: Monomial) -> tuple[str, ...]:
    return tuple(_atom_text(atom) + (f"**{power}" if power > 1 else "") for atom, power in monomial)


@cache
def _place(atom: Atom) -> tuple[int, str]:
    """Return the place of an atom among others: lengths in the order in which they are named, then what is computed."""
    text = _atom_text(atom)
    return (NAMES.index(text) if text in NAMES else len(NAMES) + (not isinstance(atom, Length)), text)


def _atom_text(atom: Atom) -> str:
    if isinstance(atom, Length):
        return atom.name
    first, second = (show_size(part) for part in atom[:2])
    if isinstance(atom, Least):
        return f"min({first}, {second})"
    return "//".join(f"({part})" if not part.isalnum() else part for part in (first, second))


@cache
def _atom_key(atom: Atom) -> int:
    return crc32(f"{type(atom).__name__} {_atom_text(atom)}".encode())
