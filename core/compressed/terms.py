"""A derivative in compressed form: its graph as terms of stored arrays, tied together by structural tensors.

A term is a number times an einsum of dense factors and of structural tensors, which are never stored. Factors are
multiplied with each other only where that needs no more memory than the two of them: a Kronecker product, an outer
product and a diagonal stay as they are, and `X.T @ diag(s) @ X` becomes one small matrix.

The Jacobian `diag(a) + outer(u, v)` has as many terms as it is written with, and stores 12 numbers instead of 16:

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> names = {name: Symbol.of(name, (4,)) for name in "auv"}
>>> terms = compressed(elaborate_text("diag(a) + outer(u, v)", names))
>>> sorted(sorted(node.name for node in stored([term])) for term in terms), entries(terms)
([['a'], ['u', 'v']], 12)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import prod

from ..graph.algebra import Factor, is_mask, product, relabelled
from ..graph.nodes import Coefficient, Constant, Labels, Node, Product, Structural, Sum, Symbol, sizes_of
from ..graph.transform import flatten

# Beyond this many terms a sum inside a product is stored as one array.
MOST_TERMS = 48


@dataclass(frozen=True)
class EinsumTerm:
    """`coefficient` times the einsum of the factors; labels 0, 1, ... are the axes of the result, others are summed."""

    coefficient: Coefficient
    factors: tuple[Factor, ...]

    @property
    def dense(self) -> list[Factor]:
        """The factors that are stored."""
        return [factor for factor in self.factors if not isinstance(factor[0], Structural)]

    @property
    def structural(self) -> list[Factor]:
        """The factors that are known from a few integers."""
        return [factor for factor in self.factors if isinstance(factor[0], Structural)]

    def node(self, rank: int, *more: Factor, output: Labels | None = None) -> Node:
        """Return the term as a graph, multiplied by further factors where there are any."""
        return product(self.coefficient, [*self.factors, *more], tuple(range(rank)) if output is None else output)


def compressed(node: Node) -> list[EinsumTerm]:
    """Return the terms that need the least memory: `compressed(diag(a) + outer(u, v))` has two, and stores a, u, v.

    Where the parts would need as much as the whole, there is one term: the whole. No terms are zero.
    """
    flat = flatten([node])[0]
    terms = _compressed(flat, {})
    merged = [EinsumTerm(term.coefficient, (*_numbers_merged(term.dense), *term.structural)) for term in terms]
    return merged if entries(merged) < entries(terms) else terms


def stored(terms: Iterable[EinsumTerm]) -> list[Node]:
    """Return the arrays that the terms are made of, each once."""
    return list(dict.fromkeys(node for term in terms for node, _ in term.dense))


def entries(terms: Iterable[EinsumTerm]) -> int:
    """Return how many numbers the terms store."""
    return sum(prod(node.shape) for node in stored(terms))


def _compressed(node: Node, known: dict[Node, list[EinsumTerm]]) -> list[EinsumTerm]:
    if node not in known:
        whole = [EinsumTerm(1, ((node, tuple(range(node.rank))),))]
        parts = whole
        if isinstance(node, Sum):
            inner = ((c, part) for c, term in node.terms for part in _compressed(term, known))
            parts = [EinsumTerm(c * part.coefficient, part.factors) for c, part in inner]
        elif isinstance(node, Product):
            parts = [_merged(term, node.rank) for term in _distributed(node, known)]
        smaller = len(parts) <= MOST_TERMS and entries(parts) < prod(node.shape)
        known[node] = parts if smaller or isinstance(node, Structural) else whole
    return known[node]


def _distributed(node: Product, known: dict[Node, list[EinsumTerm]]) -> list[EinsumTerm]:
    """Return a Product as terms, multiplied out over those factors that are smaller in parts."""
    terms = [EinsumTerm(node.coefficient, ())]
    for child, labels in node.factors:
        inner = _compressed(child, known) if isinstance(child, Sum | Product) else []
        if not isinstance(child, Sum | Product) or len(terms) * len(inner) > MOST_TERMS:
            inner = [EinsumTerm(1, ((child, tuple(range(child.rank))),))]
        pairs = ((one, part, relabelled(part.factors, labels, child.rank)) for one in terms for part in inner)
        terms = [EinsumTerm(one.coefficient * part.coefficient, (*one.factors, *own)) for one, part, own in pairs]
    return [normal for term in terms for normal in _normal(term, node.rank)]


def _normal(term: EinsumTerm, rank: int) -> Iterator[EinsumTerm]:
    """Yield the term with its structure in normal form; a term that is zero yields nothing."""
    whole = term.node(rank)
    for factor, node in whole.terms if isinstance(whole, Sum) else [(1, whole)]:
        if isinstance(node, Product):
            yield EinsumTerm(factor * node.coefficient, tuple(node.factors))
        else:
            yield EinsumTerm(factor, ((node, tuple(range(rank))),))


# --- factors merged --------------------------------------------------------------------------------------------------


def _merged(term: EinsumTerm, rank: int) -> EinsumTerm:
    """Return the term with its dense factors multiplied as far as that saves memory."""
    masks = [factor for factor in term.dense if is_mask(factor[0])]
    dense = [factor for factor in term.dense if not is_mask(factor[0])]
    outside = {*range(rank)}.union(*(labels for _, labels in term.structural))
    masked, left = _masked(dense, masks)
    fixed = outside.union(*(labels for _, labels in left))
    reduced = _reduced(masked, fixed)
    ways = [
        [*_reduced(dense, outside.union(*(labels for _, labels in masks))), *masks],
        [*_pairs_merged(reduced, fixed, repeats=False), *left],
        [*_pairs_merged(reduced, fixed, repeats=True), *left],
    ]
    best = min(ways, key=lambda way: (entries([EinsumTerm(1, tuple(way))]), len(way)))
    return EinsumTerm(term.coefficient, (*best, *term.structural))


def _masked(factors: list[Factor], masks: list[Factor]) -> tuple[list[Factor], list[Factor]]:
    """Let masks act on the factors that they concern; return the masks that stay as well.

    The zeros of a mask win over what is not finite, so it acts on everything that is computed; inputs are finite.
    """
    factors, left = list(factors), []
    for mask in masks:
        over = {*mask[1]}
        concerned = [place for place, factor in enumerate(factors) if not over.isdisjoint(factor[1])]
        computed = [place for place in concerned if not isinstance(factors[place][0], Symbol | Constant)]
        covering = [place for place in concerned if over <= {*factors[place][1]}]
        if not covering or not {*computed} <= {*covering}:
            left.append(mask)
            continue
        for place in computed or [min(covering, key=lambda place: prod(factors[place][0].shape))]:
            labels = tuple(dict.fromkeys(factors[place][1]))
            factors[place] = (product(1, [mask, factors[place]], labels), labels)
    return factors, left


def _kept(labels: Iterable[int], others: Iterable[Factor], fixed: set[int]) -> Labels:
    """Return the labels, each once, that something else needs."""
    needed = fixed.union(*(own for _, own in others))
    return tuple(label for label in dict.fromkeys(labels) if label in needed)


def _reduced(factors: list[Factor], fixed: set[int]) -> list[Factor]:
    """Sum each factor over the labels that only it has, and take its diagonal where a label repeats."""
    result = []
    for place, (node, labels) in enumerate(factors):
        kept = _kept(labels, factors[:place] + factors[place + 1 :], fixed)
        result.append((node, labels) if kept == labels else (product(1, [(node, labels)], kept), kept))
    return result


def _pairs_merged(factors: list[Factor], fixed: set[int], *, repeats: bool) -> list[Factor]:
    """Multiply pairs, the one that saves most first, while the product is not larger than the two.

    An array that occurs twice is stored once, and multiplying it saves nothing unless both are; so one way counts it
    (`repeats`), the other does not.
    """
    factors = list(factors)
    while True:
        nodes = [node for node, _ in factors]
        found: tuple[int, tuple[int, int], Labels] | None = None
        for pair in combinations(range(len(factors)), 2):
            two = [factors[place] for place in pair]
            if not all(labels for _, labels in two) and any(labels for _, labels in two):
                continue
            others = [factor for place, factor in enumerate(factors) if place not in pair]
            kept = _kept([label for _, labels in two for label in labels], others, fixed)
            saved = sum(prod(node.shape) for node, _ in two if repeats or nodes.count(node) == 1)
            sizes = sizes_of(two)
            growth = prod(sizes[label] for label in kept) - saved
            if growth <= 0 and (found is None or growth < found[0]):
                found = growth, pair, kept
        if found is None:
            return factors
        _, (first, second), kept = found
        made = product(1, [factors[first], factors[second]], kept), kept
        factors = [factor for place, factor in enumerate(factors) if place not in (first, second)] + [made]


def _numbers_merged(factors: list[Factor]) -> list[Factor]:
    """Multiply a number into the smallest array that occurs once, so that it is not stored beside it."""
    numbers = [factor for factor in factors if not factor[1]]
    arrays = [factor for factor in factors if factor[1]]
    nodes = [node for node, _ in arrays]
    free = [place for place, node in enumerate(nodes) if nodes.count(node) == 1]
    if not numbers or not free:
        return factors
    place = min(free, key=lambda place: prod(nodes[place].shape))
    labels = arrays[place][1]
    arrays[place] = (product(1, [*numbers, arrays[place]], labels), labels)
    return arrays
