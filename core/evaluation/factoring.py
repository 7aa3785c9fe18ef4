"""Sums of Products with factors in common, which are multiplied once: `x @ A + x @ B` as `x @ (A + B)`.

What is in common may be the samples, and then a product for each of them is saved: the gradients of `x.T @ A @ x` are
`X @ A + X @ A.T` for the rows of X. For a single x the two products of a matrix with a vector cost less than the sum of
two matrices, so costs decide.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> names = {"X": Symbol.of("X", (9000, 20)), "A": Symbol.of("A", (20, 20))}
>>> before, after = (elaborate_text(text, names) for text in ("X @ A + X @ A.T", "X @ (A + A.T)"))
>>> factored(before, dict.fromkeys(before.children, 1)) is after
True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import prod
from typing import NamedTuple

from ..graph.algebra import Factor, add, fresh, is_mask, product
from ..graph.nodes import Coefficient, Labels, Node, Product, Structural, Sum, sizes_of
from .order import contraction_cost

# Sums of more terms, and Products of more factors, are not searched for what they have in common.
LONGEST_SUM = 8
MOST_FACTORS = 6
# A graph is written in another way only if that saves this much, for digits may cancel between the terms of a Sum.
WORTH_IT = 0.8
# What adding an entry costs beside a multiplication of a contraction: it is read twice and written.
COST_OF_ADDING = 12


class Shared(NamedTuple):
    """Factors that two Products have in common, and what is left of each, under the labels of the first."""

    common: list[Factor]
    rests: tuple[list[Factor], list[Factor]]


def factored(node: Node, users: Mapping[Node, int]) -> Node:
    """Return a Sum with factors taken out of its terms where that costs less."""
    if not isinstance(node, Sum) or not 2 <= len(node.children) <= LONGEST_SUM:
        return node
    terms = list(node.terms)
    while (found := _cheapest(terms, node, users)) is not None:
        pair, term = found
        terms = [other for place, other in enumerate(terms) if place not in pair] + [(1, term)]
    return node if len(terms) == len(node.children) else add(terms, node.shape)


def _cheapest(
    terms: list[tuple[Coefficient, Node]], node: Node, users: Mapping[Node, int]
) -> tuple[tuple[int, int], Node] | None:
    """Return two terms, and what takes their place and saves most; None where nothing saves enough."""
    best: tuple[float, tuple[int, int], Node] | None = None
    for pair in combinations(range(len(terms)), 2):
        (one, first), (other, second) = terms[pair[0]], terms[pair[1]]
        if not (isinstance(first, Product) and isinstance(second, Product) and users[first] < 2 and users[second] < 2):
            continue
        before = _cost(first) + _cost(second) + COST_OF_ADDING * prod(node.shape)
        for shared in _in_common(first, second):
            made = _taken_out(shared, (one * first.coefficient, other * second.coefficient), node.rank)
            after = _cost(made) + sum(_cost(child) for child in made.children if isinstance(child, Sum))
            if after <= WORTH_IT * before and (best is None or after - before < best[0]):
                best = after - before, pair, made
    return best and best[1:]


def _cost(node: Node) -> int:
    """Return a measure of the work for a node over its operands."""
    if isinstance(node, Sum):
        return sum(map(_cost, node.children)) + COST_OF_ADDING * prod(node.shape) * (len(node.children) - 1)
    return contraction_cost(node.labels, range(node.rank), node.sizes) if isinstance(node, Product) else 0


def _taken_out(shared: Shared, coefficients: tuple[Coefficient, Coefficient], rank: int) -> Node:
    outside = {*range(rank)}.union(*(labels for _, labels in shared.common))
    kept = tuple(sorted({label for _, labels in shared.rests[0] for label in labels} & outside))
    sizes = sizes_of(shared.rests[0])
    inner = [(c, product(1, rest, kept)) for c, rest in zip(coefficients, shared.rests, strict=True)]
    return product(1, [*shared.common, (add(inner, tuple(sizes[label] for label in kept)), kept)], tuple(range(rank)))


def _in_common(first: Product, second: Product) -> Iterator[Shared]:
    """Yield what two Products have in common, beginning with each factor that occurs in both."""
    rank, mine, theirs = first.rank, list(first.factors), list(second.factors)
    if max(len(mine), len(theirs)) > MOST_FACTORS or any(
        isinstance(node, Structural) or is_mask(node) for node, _ in mine + theirs
    ):
        return
    for place, (node, labels) in enumerate(mine):
        for other, (same, own) in enumerate(theirs):
            names = _renamed({}, own, labels, rank) if node is same else None
            if names is None:
                continue
            common, used = [mine[place]], {other}
            for more in (factor for k, factor in enumerate(mine) if k != place):
                for k, (candidate, its) in enumerate(theirs):
                    further = None if k in used or candidate is not more[0] else _renamed(names, its, more[1], rank)
                    if further is not None:
                        names, used = further, used | {k}
                        common.append(more)
                        break
            rests = (
                [factor for factor in mine if not any(factor is taken for taken in common)],
                _under([factor for k, factor in enumerate(theirs) if k not in used], names, rank),
            )
            if all(rests) and _reach(common, rests[0], rank) == _reach(common, rests[1], rank):
                yield Shared(common, rests)


def _renamed(names: Mapping[int, int], own: Labels, labels: Labels, rank: int) -> dict[int, int] | None:
    """Return names that turn labels into others, None where the output or other labels are in the way."""
    found = dict(names)
    for mine, theirs in zip(own, labels, strict=True):
        if (mine < rank or theirs < rank) and mine != theirs:
            return None
        if found.setdefault(mine, theirs) != theirs:
            return None
    return found if len({*found.values()}) == len(found) else None


def _under(factors: list[Factor], names: Mapping[int, int], rank: int) -> list[Factor]:
    left = {label for _, labels in factors for label in labels if label >= rank and label not in names}
    full = {**dict(zip(sorted(left), fresh(len(left)), strict=True)), **names}
    return [(node, tuple(full.get(label, label) for label in labels)) for node, labels in factors]


def _reach(common: list[Factor], rest: list[Factor], rank: int) -> set[int]:
    """Return the labels that a rest has in common with the output and the other factors."""
    outside = {*range(rank)}.union(*(labels for _, labels in common))
    return {label for _, labels in rest for label in labels} & outside
