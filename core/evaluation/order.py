"""In which order to contract a product: exact for a few factors, greedy for many.

The cost of a pair counts its multiplications and, since most steps are bound by memory, what it reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice
from math import prod

LabelSet = frozenset[int]
Pair = tuple[int, int]

EXACT_LIMIT = 6
PARTNERS = 4


def contraction_order(factors: Sequence[Iterable[int]], output: Iterable[int], sizes: Mapping[int, int]) -> list[Pair]:
    """Return pairs of positions to contract; the result of pair k gets position `len(factors) + k`.

    Example: for `A_ij B_jk x_k` with output `i` it is `[(1, 2), (0, 3)]`: first `B @ x`.
    """
    sets = [frozenset(labels) for labels in factors]
    if len(sets) <= EXACT_LIMIT:
        return _exact(sets, frozenset(output), sizes)
    return _Greedy(sets, frozenset(output), sizes).pairs()


def contraction_cost(factors: Sequence[Iterable[int]], output: Iterable[int], sizes: Mapping[int, int]) -> int:
    """Return the cost of contracting factors in that order."""
    sets: list[LabelSet | None] = [frozenset(labels) for labels in factors]
    wanted, cost = frozenset(output), 0
    for first, second in contraction_order(factors, wanted, sizes):
        a, b = sets[first] or frozenset(), sets[second] or frozenset()
        sets[first] = sets[second] = None
        result = (a | b) & wanted.union(*(other for other in sets if other is not None))
        cost += _pair_cost(a, b, result, sizes)
        sets.append(result)
    return cost


def _size(labels: Iterable[int], sizes: Mapping[int, int]) -> int:
    return prod(map(sizes.__getitem__, labels))


def _pair_cost(first: LabelSet, second: LabelSet, result: LabelSet, sizes: Mapping[int, int]) -> int:
    # An outer product is written by BLAS in half the time of a multiplication with common labels.
    writing = 8 if first & second else 4
    reading = 4 * (_size(first, sizes) + _size(second, sizes))
    return _size(first | second, sizes) + writing * _size(result, sizes) + reading


def _exact(sets: list[LabelSet], output: LabelSet, sizes: Mapping[int, int]) -> list[Pair]:
    """Dynamic programming over subsets of the factors, written as bit masks."""
    amount = len(sets)
    if amount == 2:
        return [(0, 1)]
    everything = (1 << amount) - 1
    unions = [frozenset[int]()] * (everything + 1)
    for mask in range(1, everything + 1):
        low = mask & -mask
        unions[mask] = unions[mask ^ low] | sets[low.bit_length() - 1]
    kept = [unions[mask] & (unions[everything ^ mask] | output) for mask in range(everything + 1)]
    # A single factor is not reduced by itself here: labels it carries alone have been summed before.
    best: dict[int, tuple[int, int]] = {1 << place: (0, 0) for place in range(amount)}
    for mask in range(1, everything + 1):
        if mask in best:
            continue
        choices = []
        part = (mask - 1) & mask
        while part > mask ^ part:
            rest = mask ^ part
            cost = _pair_cost(kept[part], kept[rest], kept[mask], sizes)
            choices.append((best[part][0] + best[rest][0] + cost, part))
            part = (part - 1) & mask
        best[mask] = min(choices)
    return _read_off(best, everything, amount) if amount > 1 else []


def _read_off(best: Mapping[int, tuple[int, int]], everything: int, amount: int) -> list[Pair]:
    pairs: list[Pair] = []

    def position(mask: int) -> int:
        part = best[mask][1]
        if not part:
            return mask.bit_length() - 1
        first, second = sorted((position(part), position(mask ^ part)))
        pairs.append((first, second))
        return amount + len(pairs) - 1

    position(everything)
    return pairs


class _Greedy:
    """Contract next the pair that shrinks the total size most, then the cheapest."""

    def __init__(self, sets: list[LabelSet], output: LabelSet, sizes: Mapping[int, int]) -> None:
        self.sets = list(sets)
        self.alive = set(range(len(sets)))
        self.output = output
        self.sizes = sizes
        self.carriers: dict[int, dict[int, None]] = {}
        for place, labels in enumerate(sets):
            for label in labels:
                self.carriers.setdefault(label, {})[place] = None

    def pairs(self) -> list[Pair]:
        result: list[Pair] = []
        while len(self.alive) > 1:
            heap = [self._rated(*pair) for pair in self._neighbours()]
            heapify(heap)
            if not heap:
                break
            while heap:
                _, _, first, second = heappop(heap)
                if first in self.alive and second in self.alive:
                    result.append((first, second))
                    merged = self._merge(first, second)
                    for partner in self._partners(merged):
                        heappush(heap, self._rated(partner, merged))
        waiting = [(_size(self.sets[place], self.sizes), place) for place in self.alive]
        heapify(waiting)
        while len(waiting) > 1:
            first, second = sorted((heappop(waiting)[1], heappop(waiting)[1]))
            result.append((first, second))
            merged = self._merge(first, second)
            heappush(waiting, (_size(self.sets[merged], self.sizes), merged))
        return result

    def _neighbours(self) -> Iterator[Pair]:
        """Pairs that share a label: of many that share one, only those next to each other in size."""
        seen: set[Pair] = set()
        for places in self.carriers.values():
            ranked = sorted(places, key=lambda place: (_size(self.sets[place], self.sizes), place))
            for here, first in enumerate(ranked):
                for second in ranked[here + 1 : here + 1 + PARTNERS]:
                    pair = (min(first, second), max(first, second))
                    if pair not in seen:
                        seen.add(pair)
                        yield pair

    def _partners(self, place: int) -> set[int]:
        return {other for label in self.sets[place] for other in islice(self.carriers[label], PARTNERS)} - {place}

    def _result(self, first: int, second: int) -> LabelSet:
        both, ours = self.sets[first] | self.sets[second], {first, second}
        return frozenset(label for label in both if label in self.output or not self.carriers[label].keys() <= ours)

    def _rated(self, first: int, second: int) -> tuple[int, int, int, int]:
        result = self._result(first, second)
        a, b = self.sets[first], self.sets[second]
        growth = _size(result, self.sizes) - _size(a, self.sizes) - _size(b, self.sizes)
        return growth, _size(a | b, self.sizes), first, second

    def _merge(self, first: int, second: int) -> int:
        result, merged = self._result(first, second), len(self.sets)
        self.sets.append(result)
        self.alive = self.alive - {first, second} | {merged}
        for label in self.sets[first] | self.sets[second]:
            places = self.carriers[label]
            places.pop(first, None)
            places.pop(second, None)
            if label in result:
                places[merged] = None
        return merged
