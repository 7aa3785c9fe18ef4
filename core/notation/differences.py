"""Slices of one array that are added up, as the one matrix that they are: `D @ x` for `x[1:] - x[:-1]`.

The derivative of a sum of slices has each slice again, turned round: `eye(n)[1:].T @ u - eye(n)[:-1].T @ u`. With a
symbol for the matrix, D, all of it is `D.T @ D @ x`. The symbol is written as what it stands for, and named where
parts are.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.sizes import length
>>> node = elaborate_text("x[1:] - x[:-1]", {"x": Symbol.of("x", (length("n"),))})
>>> [difference] = differences_in([node], Typed())
>>> len(difference.parts)
2
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import gcd
from typing import NamedTuple

from ..graph.algebra import add, factors_of, inlined, product, scale
from ..graph.canonical import tidy
from ..graph.nodes import Coefficient, Factor, Node, Plain, Product, Select, Sum, Symbol, topological
from ..graph.ratios import reciprocal
from ..graph.transform import flatten, transformed
from .typed import Typed

# With fewer uses than this a matrix is written where it is used.
WORTH_A_SYMBOL = 2


class Part(NamedTuple):
    """One slice of a sum of slices: a number times scalars times a selection."""

    coefficient: Coefficient
    scalars: tuple[Node, ...]
    select: Select


class Difference(NamedTuple):
    """A sum of slices as a matrix: the symbol for it, and its parts."""

    symbol: Symbol
    parts: tuple[Part, ...]

    @property
    def meaning(self) -> Node:
        """The matrix that the symbol stands for."""
        return add([(part.coefficient, _matrix(part)) for part in self.parts], self.symbol.shape)


class Use(NamedTuple):
    """A selection in a term: the term with a symbol for the selection, without its number and scalars."""

    coefficient: Coefficient
    scalars: tuple[Node, ...]
    select: Select
    rest: tuple[Factor, ...]
    labels: tuple[int, ...]


def with_differences(
    roots: Sequence[Node], known: Iterable[Node], typed: Typed | None = None
) -> tuple[list[Node], dict[Node, Node]]:
    """Return graphs with symbols for the sums of slices among known nodes that occur again, and what these stand for.

    What the symbols stand for has its terms in the order in which they were typed.
    """
    typed = typed or Typed()
    roots, meanings = [*roots], dict[Node, Node]()
    for difference in differences_in(known, typed):
        new = transformed(roots, partial(_merged, difference))
        found = flatten([new[root] for root in roots])
        uses = Counter(child for node in topological(found) for child in node.children)
        if uses[difference.symbol] >= WORTH_A_SYMBOL:
            roots = found
            meaning = meanings[difference.symbol] = difference.meaning
            typed.note(meaning, map(_matrix, difference.parts))
            for node, other in new.items():
                if isinstance(node, Sum) and node is not other:
                    terms = sorted(zip(typed.terms(node), node.children, strict=True), key=lambda item: item[0])
                    typed.note(other, [new[term] for _, term in terms])
    return roots, meanings


def differences_in(nodes: Iterable[Node], typed: Typed) -> list[Difference]:
    """Return the sums of slices of one array among nodes."""
    found = dict[tuple[Part, ...], Difference]()
    for node in nodes:
        if isinstance(node, Sum) and any(isinstance(f, Select) for term in node.children for f, _ in factors_of(term)):
            for parts in _sums_of_slices(node, typed.terms(node)):
                symbol = Symbol.of(f"difference {len(found)}", parts[0].select.shape)
                found.setdefault(parts, Difference(symbol, parts))
    return [*found.values()]


def _sums_of_slices(node: Sum, places: Iterable[int]) -> Iterator[tuple[Part, ...]]:
    groups = defaultdict[Node, list[Part]](list)
    for _, (c, term) in sorted(zip(places, node.terms, strict=True), key=lambda item: item[0]):
        for use in _uses(c, term):
            if use.labels[0] < node.rank <= use.labels[1]:
                mark = Symbol.of("difference", use.select.shape)
                key = product(1, [*use.rest, (mark, use.labels)], tuple(range(node.rank)))
                groups[key].append(Part(use.coefficient, use.scalars, use.select))
    for parts in groups.values():
        if len({part.select for part in parts}) == len(parts) > 1:
            content = _content([part.coefficient for part in parts])
            content = -content if content < 0 else content
            yield tuple(part._replace(coefficient=tidy(part.coefficient * reciprocal(content))) for part in parts)


def _merged(difference: Difference, node: Node) -> Node:
    """Return a sum with the terms that have each of the slices as one term, and its common number in front."""
    if not isinstance(node, Sum):
        return node
    terms = dict(zip(node.children, node.coefficients, strict=True))
    while (found := _complete(terms, node.rank, difference)) is not None:
        ratio, whole, taken = found
        for term in taken:
            del terms[term]
        merged = add([(c, term) for term, c in terms.items()] + [(ratio, whole)], node.shape)
        if not isinstance(merged, Sum):
            return merged
        terms = dict(zip(merged.children, merged.coefficients, strict=True))
    content = _content([*terms.values()])
    inner = add([(tidy(c * reciprocal(content)), term) for term, c in terms.items()], node.shape)
    return scale(content, inner)


def _complete(
    terms: Mapping[Node, Coefficient], rank: int, difference: Difference
) -> tuple[Coefficient, Node, list[Node]] | None:
    """Return a number, a product with the symbol and the terms that are it, None where not all slices are there."""
    groups = defaultdict[tuple[Node, Coefficient], dict[Part, Node]](dict)
    for term, c in terms.items():
        for use in _uses(c, term):
            for part in difference.parts:
                left = Counter(use.scalars)
                left.subtract(part.scalars)
                if part.select is not use.select or min(left.values(), default=0) < 0:
                    continue
                scalars: list[Factor] = [(scalar, ()) for scalar in left.elements()]
                key = product(1, [*use.rest, *scalars, (difference.symbol, use.labels)], tuple(range(rank)))
                group = groups[key, tidy(use.coefficient * reciprocal(part.coefficient))]
                group[part] = term
                if len(group) == len(difference.parts) == len({*group.values()}):
                    return tidy(use.coefficient * reciprocal(part.coefficient)), key, [*group.values()]
    return None


def _uses(coefficient: Coefficient, term: Node) -> Iterator[Use]:
    """Yield each selection of a term with what else is in it."""
    if not any(isinstance(factor, Select) for factor, _ in factors_of(term)):
        return
    factors = [inner for factor in factors_of(term) for inner in inlined(*factor)]
    if isinstance(term, Product):
        coefficient = tidy(coefficient * term.coefficient)
    for place, (select, labels) in enumerate(factors):
        if isinstance(select, Select):
            others = factors[:place] + factors[place + 1 :]
            scalars, rest = apart(others, {*range(term.rank), *labels})
            yield Use(coefficient, scalars, select, rest, labels)


def apart(factors: Iterable[Factor], reached: set[int]) -> tuple[tuple[Node, ...], tuple[Factor, ...]]:
    """Return the scalars among factors, and the factors that are connected with labels.

    Example: of `(x @ A @ x)*y` they are the node of `x @ A @ x`, and the factor `y`.
    """
    groups: list[list[Factor]] = []
    for factor in factors:
        met = [group for group in groups if any(not {*factor[1]}.isdisjoint(own) for _, own in group)]
        groups = [group for group in groups if group not in met] + [[*(own for group in met for own in group), factor]]
    lone = [group for group in groups if all(reached.isdisjoint(own) for _, own in group)]
    scalars = sorted((product(1, group, ()) for group in lone), key=lambda node: node.digest)
    return tuple(scalars), tuple(factor for group in groups if group not in lone for factor in group)


def _matrix(part: Part) -> Node:
    return product(1, [(part.select, (0, 1)), *((scalar, ()) for scalar in part.scalars)], (0, 1))


def _content(coefficients: Sequence[Coefficient]) -> Plain:
    """Return the number that a sum has in front: the greatest common divisor, with the sign of the first term."""
    if not coefficients or not all(isinstance(c, int | Fraction) for c in coefficients):
        return 1
    exact = [Fraction(c) for c in coefficients if isinstance(c, int | Fraction)]
    below = exact[0].denominator
    if any(c.denominator != below for c in exact):
        return 1
    divisor = Fraction(gcd(*(int(c * below) for c in exact)), below)
    return divisor if exact[0] > 0 else -divisor
