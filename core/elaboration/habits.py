"""How names without a shape are read: as numbers, vectors or matrices, before any length is solved.

What an expression demands comes first: `A @ x` leaves a number for neither name. Then the reading in which the command
is legal: a gradient is of a number. What is still open is decided by the habits of the field, the surest first:
what is reduced has axes; exponents and entries of lists are numbers, as is what multiplies a number or an identity;
what is added to a vector is a vector; where a name scales a vector its letter decides; upper case is a matrix, lower
case a vector.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypedDict

from ...grammar import syntax
from ..graph import catalogue
from .demands import ALL, Chain, Demands, Part

# Names have no more axes than an expression with few of them needs.
FEW, MANY = range(3), range(5)

GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "eps", "zeta", "eta", "kappa", "lam", "lambda", "rho", "sigma", "tau",
    "lamb", "lamda", "lmbda", *"αβγδεζηκλρστ",
))  # fmt: skip
COEFFICIENTS = GREEK | {*"cdklmnst", "mu", "μ", "dt", "lr"}
"""What is a number where it scales a vector."""
VARIABLES = frozenset("pquvwxyz")
"""Letters of vectors, in which nobody counts parameters."""
COUNTS = frozenset("NT")
"""Upper-case letters of what one divides by: a number of samples, a temperature."""

Decision = tuple[int, Collection[int]]
"""A variable, and the ranks that a habit leaves it."""


class Wanted(TypedDict, total=False):
    """What a command asks of an expression: its variables, and whether it is to be a number."""

    wrt: Collection[str]
    scalar: bool


def read(
    program: syntax.Program,
    known: Mapping[str, int],
    unknown: Sequence[str],
    *,
    square: Iterable[str] = (),
    scalar: bool = False,
    wrt: Collection[str] = (),
) -> dict[str, int]:
    """Return how many axes each unknown name has.

    Example: in `lam * norm(x)**2` lam is a number and x a vector. `known` are ranks that were given, `square` names of
    square matrices, `wrt` the variables; `scalar` says that the expression is to be a number if that is possible.
    """
    for possible in (FEW, MANY):
        demands = Demands(program, known, unknown, possible)
        if not demands.network.contradicted:
            break
    return _Reader(demands, square, scalar, wrt, known).reading()


class _Reader:
    def __init__(
        self, demands: Demands, square: Iterable[str], scalar: bool, wrt: Collection[str], given: Mapping[str, int]
    ) -> None:
        self.demands = demands
        self.network = demands.network
        self.scalar = scalar
        self.wrt = wrt
        self.given = given
        self.called = {demands.names[name]: name for name in demands.open}
        # What is known of parts by their identity, until a decision changes what is known of names.
        self._computed: dict[int, bool] = {}
        for name in {*square} & demands.open.keys():
            self.network.narrow(demands.names[name], {2})
        for variable in demands.along_axes:
            self.network.narrow(variable, range(1, len(ALL)))
        # Names may become numbers for it, and no matrix a vector.
        usual = {variable: {0, usual_rank(name)} & self._ranks(variable) for variable, name in self.called.items()}
        usual = {variable: ranks for variable, ranks in usual.items() if ranks}
        if scalar and demands.result is not None and self.network.would_allow({**usual, demands.result: {0}}):
            self.network.narrow(demands.result, {0})

    def reading(self) -> dict[str, int]:
        """Apply the habits, the surest first, until they decide nothing more; then a name is what its case says."""
        habits = [
            self._numbers_by_place, self._factors_of_chains, self._terms_of_chains, self._parameters,
            self._names_with_axes, self._terms_of_vectors, self._parts_beside_numbers, self._divisors,
            self._factors_of_vectors, self._upper_case, self._factors_of_matrices, self._letters,
        ]  # fmt: skip
        while any(self._applied(habit()) for habit in habits):
            pass
        self._applied(decision for variable in self.called for decision in self._usual(variable))
        return {name: min(self._ranks(variable)) for variable, name in self.called.items()}

    def _applied(self, decisions: Iterable[Decision]) -> bool:
        """Make the decisions that contradict nothing; return whether any changed something."""
        changed = False
        for variable, ranks in decisions:
            before = self._ranks(variable)
            if len(before) > 1 and self.network.narrow(variable, ranks) and self._ranks(variable) != before:
                changed = True
                self._computed.clear()
        return changed

    # What is known.

    def _ranks(self, variable: int) -> frozenset[int]:
        return self.network.domains[variable]

    def _is_open(self, variable: int) -> bool:
        return len(self._ranks(variable)) > 1

    def _has_axes(self, variable: int) -> bool:
        return 0 not in self._ranks(variable)

    def _open_names(self, part: Part) -> Iterator[str]:
        """Yield the names of a part whose rank is open."""
        for item in syntax.walk(part.node):
            name = item.name if isinstance(item, syntax.Name) else ""
            if name in self.demands.open and self._is_open(self.demands.names[name]):
                yield name

    def _is_lower(self, part: Part) -> bool:
        names = [*self._open_names(part)]
        return bool(names) and all(name[0].islower() for name in names)

    def _is_vector(self, part: Part) -> bool:
        """Whether a part has axes, or will have: what is open then holds a name that is no coefficient."""
        if self._is_open(part.variable) and not self._has_axes(part.variable):
            return any(_letter(name) not in COEFFICIENTS for name in self._open_names(part))
        return self._has_axes(part.variable)

    def _is_computed(self, node: syntax.Node) -> bool:
        """Whether a part is computed from the entries of arrays, as `norm(x)` is and a size is not."""
        if isinstance(node, syntax.Attribute) and node.name != "T":
            return False
        if isinstance(node, syntax.Name) and node.name in self.demands.names:
            return self._has_axes(self.demands.names[node.name])
        known = self._computed.get(id(node))
        if known is None:
            meant = self.demands.meant(node)
            inner = [meant] if meant is not node else syntax.children(node)
            known = self._computed[id(node)] = any(map(self._is_computed, inner))
        return known

    def _usual(self, variable: int, usual: int | None = None) -> Iterator[Decision]:
        """Yield what a name usually is, by its case, then what is possible and nearest to that."""
        usual = usual_rank(self.called[variable]) if usual is None else usual
        for rank in sorted(self._ranks(variable), key=lambda rank: (abs(rank - usual), rank)):
            yield variable, {rank}

    # The habits, in words and as decisions.

    def _numbers_by_place(self) -> Iterator[Decision]:
        """Exponents and entries of lists are numbers, and so is what scales an identity."""
        yield from ((variable, {0}) for variable in (*self.demands.exponents, *self.demands.entries))
        for chain in self.demands.products:
            if any(_is_identity(part.node) for part in chain.parts):
                yield from ((part.variable, {0}) for part in chain.parts if not _is_identity(part.node))

    def _factors_of_chains(self) -> Iterator[Decision]:
        """Operands of `@` are matrices and vectors by their case, and what leads a chain of them is a number."""
        for part, last in self.demands.leading:
            vector = isinstance(last, syntax.Name) and last.name[0].islower()
            if vector or self._is_lower(part):
                yield part.variable, {0}
        for part in self.demands.multiplied:
            for name in self._open_names(part):
                yield from self._usual(self.demands.names[name])

    def _terms_of_chains(self) -> Iterator[Decision]:
        """Terms beside a product of matrices and vectors have axes, as it has: `b` in `W @ x + b`."""
        for chain in self.demands.sums:
            if any(_is_chain(part.node) and self._has_axes(part.variable) for part in chain.parts):
                yield from self._usual_terms(chain)

    def _parameters(self) -> Iterator[Decision]:
        """Several variables that meet vectors of data are the parameters of a fit: `a*exp(-b*t) + c - y`.

        The data are given vectors, or letters of vectors in a loss.
        """
        wrt = [name for name in dict.fromkeys(self.wrt) if name in self.demands.open]
        names = [name for name in wrt if not self._has_axes(self.demands.names[name])]
        names = [name for name in names if name[0].islower() or max(self.given.values(), default=0) < 2]
        data = [name for name, rank in self.given.items() if rank == 1]
        data += VARIABLES & self.demands.open.keys() if self.scalar else ()
        if len(names) > 1 and not VARIABLES.issuperset(names) and {*data} - {*self.wrt}:
            yield from ((self.demands.names[name], {0}) for name in names)

    def _names_with_axes(self) -> Iterator[Decision]:
        """Names that are no numbers, as what is indexed, have as many axes as their case says."""
        for variable in self.called:
            if self._has_axes(variable):
                yield from self._usual(variable)

    def _terms_of_vectors(self) -> Iterator[Decision]:
        """Terms of a sum that has axes have them too, but for Greek letters, which are numbers."""
        for chain in self.demands.sums:
            if self._has_axes(chain.whole):
                yield from self._usual_terms(chain)

    def _usual_terms(self, chain: Chain) -> Iterator[Decision]:
        for variable in (part.variable for part in chain.parts if part.variable in self.called):
            yield from self._usual(variable, 0 if _letter(self.called[variable]) in GREEK else None)

    def _parts_beside_numbers(self) -> Iterator[Decision]:
        """Factors, divisors and offsets of a number that is computed are numbers."""
        for chain in (*self.demands.products, *self.demands.sums):
            decided = [part for part in chain.parts if not self._is_open(part.variable)]
            scalars = not any(self._has_axes(part.variable) for part in chain.parts)
            if scalars and any(self._is_computed(part.node) for part in decided):
                yield from ((part.variable, {0}) for part in chain.parts)

    def _divisors(self) -> Iterator[Decision]:
        """Upper-case names that divide vectors are numbers, and counts divide matrices too: `x/(k*T)`, `X.T @ X/N`."""
        for divisor, chain in self.demands.ratios:
            others = [part for part in chain.parts if part.variable != divisor.variable]
            vectors = (self._is_lower(part) or self._ranks(part.variable) == {1} for part in others)
            plain = all(min(self._ranks(part.variable)) < 2 for part in others) and any(vectors)
            upper = [name for name in self._open_names(divisor) if name[0].isupper()]
            if plain or not COUNTS.isdisjoint(map(_letter, upper)):
                yield from ((self.demands.names[name], {0}) for name in upper)

    def _factors_of_vectors(self) -> Iterator[Decision]:
        """Upper-case names among several factors of a vector are numbers: `G*M*r/norm(r)**3`."""
        for chain in self.demands.products:
            ranks = [self._ranks(part.variable) for part in chain.parts if _names_something(part.node)]
            if len(ranks) > 2 and {1} in ranks and all(min(possible) < 2 for possible in ranks):
                names = (part for part in chain.parts if part.variable in self.called)
                yield from ((part.variable, {0}) for part in names if self.called[part.variable][0].isupper())

    def _upper_case(self) -> Iterator[Decision]:
        """Upper case is a matrix."""
        for variable, name in self.called.items():
            if name[0].isupper():
                yield from self._usual(variable)

    def _factors_of_matrices(self) -> Iterator[Decision]:
        """Lower-case factors and divisors of a matrix are numbers."""
        for chain in self.demands.products:
            if any(min(self._ranks(part.variable)) > 1 for part in chain.parts):
                yield from ((part.variable, {0}) for part in chain.parts if self._is_lower(part))

    def _letters(self) -> Iterator[Decision]:
        """Letters decide of what scales what has axes, or will have; Greek ones of offsets too."""
        for chain in (*self.demands.products, *self.demands.meetings):
            yield from ((part.variable, {0}) for part in chain.parts if self._scales(part, chain))
        for chain in self.demands.sums:
            if any(map(self._is_vector, chain.parts)):
                powers = (part for part in chain.parts if _is_power(part.node))
                yield from ((part.variable, {0}) for part in powers if self._letter_of(part) in GREEK)

    def _scales(self, part: Part, chain: Chain) -> bool:
        """Whether the letters in a part say that it scales another: Greek ones all but those, `k*t` what is a vector.

        Among letters of coefficients the variable is the vector: `t` in `exp(-k*t)`, differentiated by t.
        """
        names = {*self._open_names(part)}
        letters = {*map(_letter, names)}
        if not letters or not letters <= COEFFICIENTS:
            return False
        others = {name for other in chain.parts if other is not part for name in self._open_names(other)} - names
        if letters <= GREEK and any(_letter(name) not in GREEK for name in others):
            return True
        if names.isdisjoint(self.wrt) and any(name in self.wrt and _letter(name) not in GREEK for name in others):
            return True
        if len(names) == 1:
            return any(map(self._is_vector, chain.parts))
        return not VARIABLES.isdisjoint(others) or any(self._has_axes(other.variable) for other in chain.parts)

    def _letter_of(self, part: Part) -> str | None:
        """Return the letter of the only name in a part that is open: `s` of `2*s**2`; None if there are several."""
        names = {*self._open_names(part)}
        return _letter(names.pop()) if len(names) == 1 else None


def usual_rank(name: str) -> int:
    """Return what the case of a name says: upper case is a matrix, lower case a vector."""
    return 2 if name[0].isupper() else 1


def _letter(name: str) -> str:
    """Return what a name begins with, without its index: `lam` of `lam_1`, `s` of `s2`."""
    return re.split(r"[_\d]", name)[0] or name


def _is_identity(node: syntax.Node) -> bool:
    """Whether a factor is made of sizes alone, as `eye(n)` and `ones(n)` are."""
    operator = catalogue.find(node.function) if isinstance(node, syntax.Call) else None
    return operator is not None and not operator.operands


def _is_chain(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Binary) and node.operator == "@"


def _names_something(node: syntax.Node) -> bool:
    return any(isinstance(item, syntax.Name) for item in syntax.walk(node))


def _is_power(node: syntax.Node) -> bool:
    """Whether a term is a name, or a power of one."""
    if isinstance(node, syntax.Binary) and node.operator == "**":
        return _is_power(node.left)
    return isinstance(node, syntax.Name)
