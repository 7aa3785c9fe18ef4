"""Sums in which what adds up to one is put together: `s(t) + s(-t) = 1`, and the entries of a softmax.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> names = {"t": Symbol.of("t", (3,)), "y": Symbol.of("y", (3,))}
>>> found = with_complements(elaborate_text("(1 - y)*sigmoid(t) - y*sigmoid(-t)", names))
>>> found is elaborate_text("sigmoid(t) - y", names)
True
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TypeAlias

from ..elaboration.elaborate import call
from ..graph.algebra import Factor, add, full, inlined, product, scale
from ..graph.nodes import Coefficient, Node, Product, Sum, is_function, remembered
from .totals import known

# The number grows exponentially with the depth of an expression, and what is that long becomes no shorter.
MOST_TERMS = 250
Known: TypeAlias = "dict[Node, list[tuple[Coefficient, Node]]]"


def with_complements(node: Node) -> Node | None:
    """Return a Sum multiplied out, with 1 - s(t) for s(-t) and what is known of softmax, if that makes it shorter."""
    return next(iter(_shorter(node)), None) if isinstance(node, Sum) else None


@remembered
def _shorter(node: Sum) -> tuple[Node, ...]:
    factors = [factor for term in node.children for factor, _ in _factors(term)]
    weighted = any(map(_is_softmax, factors))
    sums = [own for own in factors if isinstance(own, Sum)]
    others = _opposites([part for own in (*factors, *sums) for part in (own, *own.children)])
    if not any(map(_is_complement, factors)) and not (weighted and sums) and not others:
        return ()
    if sum(map(_count, node.children)) > MOST_TERMS:
        return ()
    found = multiplied_out(node, others)
    return (found,) if _size(found) < _size(node) else ()


def _opposites(factors: Iterable[Node]) -> Known:
    """Return b > a as 1 - (a > b) - (a == b) where both are among factors."""
    above = dict.fromkeys(factor.children for factor in factors if is_function(factor, "greater"))
    found: Known = {}
    for a, b in above:
        if a is not b and (b, a) in above and call("greater", a, b) not in found:
            one, tie = full(1, a.shape), call("equal", a, b)
            found[call("greater", b, a)] = [(1, one), (-1, call("greater", a, b)), (-1, tie)]
            found[call("equal", b, a)] = [(1, tie)]
    return found


def multiplied_out(node: Node, known: Known | None = None) -> Node:
    """Return a Sum with the Products of Sums in it multiplied out, and what is known of factors in their place."""
    terms: list[tuple[Coefficient, Node]] = [*node.terms] if isinstance(node, Sum) else [(1, node)]
    if sum(_count(term) for _, term in terms) > MOST_TERMS:
        return node
    return add([part for c, term in terms for part in _multiplied_out(c, term, known or {})], node.shape)


def _factors(node: Node) -> list[Factor]:
    return inlined(node, tuple(range(node.rank)))


def _is_complement(node: Node) -> bool:
    """Whether a node is the sigmoid of something with a minus."""
    inner = node.children[0] if is_function(node, "sigmoid") else None
    if isinstance(inner, Sum):
        return bool(inner.coefficients) and all(c < 0 for c in inner.coefficients)
    return isinstance(inner, Product) and inner.coefficient < 0


def _is_softmax(node: Node) -> bool:
    """Whether a node is exp(x - logsumexp(x)), whose entries add up to one."""
    shift = node.children[0].children if is_function(node, "exp") else ()
    return any(is_function(part, "logsumexp") for term in shift for part in (term, *term.children))


@remembered
def _count(term: Node) -> int:
    """Return how many terms a Product of Sums is multiplied out to."""
    return prod(
        sum(map(_count, factor.children)) if isinstance(factor, Sum) else 2 if _is_complement(factor) else 1
        for factor, _ in _factors(term)
    )


def _multiplied_out(coefficient: Coefficient, term: Node, others: Known) -> Iterable[tuple[Coefficient, Node]]:
    """Yield the terms of a Product of Sums."""
    factors, labels = _factors(term), tuple(range(term.rank))
    for place, (factor, own) in enumerate(factors):
        terms: list[tuple[Coefficient, Node]] = [*factor.terms] if isinstance(factor, Sum) else []
        if _is_complement(factor):
            terms = [(1, full(1, factor.shape)), (-1, call("sigmoid", scale(-1, factor.children[0])))]
        if factor in others and others[factor] != [(1, factor)]:
            terms = [*others[factor]]
        if terms:
            rest = [*factors[:place], *factors[place + 1 :]]
            for c, choice in terms:
                yield from _multiplied_out(coefficient * c, product(1, [*rest, *inlined(choice, own)], labels), others)
            return
    yield coefficient, known(term) or term


def _size(node: Node) -> int:
    """Return how many factors all terms have together."""
    return sum(map(_size, node.children)) if isinstance(node, Sum | Product) else 1
