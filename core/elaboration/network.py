"""Numbers of axes that depend on each other: what is possible for one narrows what is for others.

>>> network = Network()
>>> a, b, both = network.variable({0, 1}), network.variable({0, 1, 2}), network.variable({0, 1})
>>> network.relate(Broadcast(both, (a, b))), network.domains[b]
(True, frozenset({0, 1}))
>>> network.narrow(both, {0}), network.domains[a], network.narrow(a, {1})
(True, frozenset({0}), False)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Protocol

Domain = frozenset[int]

# More combinations than this are not tried: then the parts whose ranks are open are taken to be alike.
MOST_COMBINATIONS = 130


class Relation(Protocol):
    """A dependency: from what is possible for its variables follows what remains possible."""

    @property
    def variables(self) -> tuple[int, ...]:
        """The variables that depend on each other."""

    def remaining(self, domains: list[Domain]) -> Iterator[tuple[int, Domain]]:
        """Yield variables with what remains possible for them."""


@dataclass(frozen=True)
class Broadcast:
    """The result has as many axes as the operand with the most."""

    result: int
    operands: tuple[int, ...]

    @property
    def variables(self) -> tuple[int, ...]:
        """The result, then the operands."""
        return self.result, *self.operands

    def remaining(self, domains: list[Domain]) -> Iterator[tuple[int, Domain]]:
        """Yield what remains possible; one operand that alone can have enough axes must have them."""
        own = [domains[operand] for operand in self.operands]
        least = max(map(min, own))
        possible = frozenset(rank for rank in domains[self.result] if rank >= least and any(rank in one for one in own))
        yield self.result, possible
        if possible:
            most, needed = max(possible), min(possible)
            reaching = [operand for operand, one in zip(self.operands, own, strict=True) if max(one) >= needed]
            for operand, one in zip(self.operands, own, strict=True):
                alone = reaching == [operand]
                yield operand, frozenset(rank for rank in one if rank <= most and (not alone or rank >= needed))


@dataclass(frozen=True)
class Call:
    """The result's number of axes is a function of those of the operands; None is one that does not fit."""

    result: int
    operands: tuple[int, ...]
    rank: Callable[[tuple[int, ...]], int | None]

    @property
    def variables(self) -> tuple[int, ...]:
        """The result, then the operands."""
        return self.result, *self.operands

    def remaining(self, domains: list[Domain]) -> Iterator[tuple[int, Domain]]:
        """Yield what remains possible: what some combination of operands that fits has."""
        different = [*dict.fromkeys(self.operands)]
        place_of = {operand: place for place, operand in enumerate(different)}
        places = tuple([place_of[operand] for operand in self.operands])
        own = tuple([domains[operand] for operand in different])
        yield from zip((self.result, *different), _fitting(self.rank, places, domains[self.result], own), strict=True)


@lru_cache(maxsize=1024)
def _fitting(
    rank: Callable[[tuple[int, ...]], int | None], places: tuple[int, ...], result: Domain, operands: tuple[Domain, ...]
) -> list[Domain]:
    """Return what remains possible for a result and its different operands; `places` are theirs among the arguments."""
    own = [sorted(domain) for domain in operands]
    if prod(map(len, own)) <= MOST_COMBINATIONS:
        combinations = [*product(*own)]
    else:
        alike = sorted({rank for ranks in own if len(ranks) > 1 for rank in ranks})
        combinations = [tuple(ranks[0] if len(ranks) == 1 else rank for ranks in own) for rank in alike]
        combinations = [one for one in combinations if all(map(list.__contains__, own, one))]
    ranks = [(rank(tuple([one[place] for place in places])), one) for one in combinations]
    fitting = [(whole, *one) for whole, one in ranks if whole is not None and whole in result]
    return [frozenset([one[position] for one in fitting]) for position in range(len(own) + 1)]


class Network:
    """Variables, each with the numbers that are possible for it, and the relations between them.

    `contradicted` says that a relation was left out, as nothing would have remained possible.
    """

    def __init__(self) -> None:
        self.domains: list[Domain] = []
        self.contradicted = False
        self._relations: list[list[Relation]] = []
        self._trail: list[tuple[int, Domain]] = []

    def variable(self, possible: Collection[int]) -> int:
        """Return a new variable."""
        self.domains.append(frozenset(possible))
        self._relations.append([])
        return len(self.domains) - 1

    def relate(self, relation: Relation) -> bool:
        """Add a relation; where it contradicts what is known it is left out, and False is returned."""
        if not self._settle([relation]):
            self.contradicted = True
            return False
        for variable in set(relation.variables):
            self._relations[variable].append(relation)
        return True

    def narrow(self, variable: int, possible: Collection[int]) -> bool:
        """Leave a variable only what is possible, with all that follows; where nothing remains nothing changes."""
        self._trail = []
        return self._restrict(variable, frozenset(possible)) is not None and self._settle(
            self._relations[variable], fresh=False
        )

    def would_allow(self, possible: Mapping[int, Collection[int]]) -> bool:
        """Return whether narrowing variables one after the other contradicts nothing; nothing is narrowed."""
        domains = [*self.domains]
        allowed = all(self.narrow(variable, ranks) for variable, ranks in possible.items())
        self.domains = domains
        return allowed

    def _restrict(self, variable: int, possible: Domain) -> bool | None:
        """Return whether a domain became smaller; None where nothing would remain."""
        before = self.domains[variable]
        after = before & possible
        if not after:
            return None
        if after != before:
            self._trail.append((variable, before))
            self.domains[variable] = after
        return after != before

    def _settle(self, relations: list[Relation], *, fresh: bool = True) -> bool:
        if fresh:
            self._trail = []
        waiting = dict.fromkeys(relations)
        while waiting:
            relation = next(iter(waiting))
            del waiting[relation]
            for variable, possible in relation.remaining(self.domains):
                changed = self._restrict(variable, possible)
                if changed is None:
                    self._undo()
                    return False
                if changed:
                    waiting.update(dict.fromkeys(self._relations[variable]))
        return True

    def _undo(self) -> None:
        for variable, before in reversed(self._trail):
            self.domains[variable] = before
