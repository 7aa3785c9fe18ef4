"""Sums over differences between pairs, `x[:, None] - x`, as an author adds them up: `n*x - sum(x)`.

A difference between pairs changes its sign when the two of a pair are exchanged. So two sums over it, one for each
axis, are one sum. Where weights multiply it, the sum is the Laplacian of the weights times x.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.sizes import length
>>> from matgrad.core.notation.formula import Notation
>>> from matgrad.grammar.writer import write
>>> x = Symbol.of("x", (length("n"),))
>>> total = elaborate_text("sum(x[:, None] - x, axis=1) - sum(x[:, None] - x, axis=0)", {"x": x})
>>> write(Notation().tree(with_pairs([total])[0][0]))
'2*(n*x - sum(x))'
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..graph.algebra import (
    add,
    constant_value,
    exchanged,
    factors_of,
    inlined,
    is_zero,
    product,
    repeated_axes,
    split,
    without_axes,
)
from ..graph.canonical import tidy
from ..graph.nodes import Apply, Coefficient, Delta, Factor, Labels, Map, Node, Product, Sum, Symbol, topological
from ..graph.transform import flatten, transform

# The label over which a Laplacian is multiplied.
SUMMED = -1
# Where an elementwise function is looked at to see whether it is even or odd.
POINTS = np.array([0.3, 0.7, 1.9, 4.2])
NORMS = ("euclidean_norm", "power_norm")


def with_pairs(roots: Sequence[Node]) -> tuple[list[Node], dict[Node, Node]]:
    """Return graphs with sums over differences between pairs added up, and what symbols in them stand for."""
    if not any(map(is_between_pairs, topological(roots))):
        return [*roots], {}
    turned = transform(roots, Exchanges().visit)
    sums = (node for node in topological(turned) if isinstance(node, Sum))
    adding = _Adding(_elsewhere(turned), {term for node in sums for term in node.children})
    return flatten(transform(turned, adding.visit)), adding.meanings


def is_between_pairs(node: Node) -> bool:
    """Whether a node is a sum of terms that each repeat along an axis: `x[:, None] - y`."""
    return isinstance(node, Sum) and node.rank > 1 and len(node.children) > 1 and all(map(repeated_axes, node.children))


def _has_pairs(node: Node) -> bool:
    return isinstance(node, Product) and any(map(is_between_pairs, node.children))


@dataclass
class Exchanges:
    """What exchanging two axes does to nodes: 1 where nothing, -1 where it changes the sign, 0 for anything else."""

    known: dict[tuple[Node, int, int], int] = field(default_factory=dict)

    def visit(self, node: Node) -> Node:
        """Return a Product in which factors that may be turned over have their labels in order."""
        if not isinstance(node, Product):
            return node
        factors = [part for own in node.factors for part in (inlined(*own) if _has_pairs(own[0]) else [own])]
        return self._in_order(node.coefficient, factors, node.rank)

    def _in_order(self, coefficient: Coefficient, factors: Iterable[Factor], rank: int) -> Node:
        found: list[Factor] = []
        for factor, labels in factors:
            own = labels
            for p, q in combinations(range(factor.rank), 2):
                if own[p] > own[q] and factor.shape[p] == factor.shape[q] and (sign := self.sign(factor, p, q)):
                    coefficient = tidy(coefficient * sign)
                    own = _exchanged(own, p, q)
            found.append((factor, own))
        return product(coefficient, found, tuple(range(rank)))

    def sign(self, node: Node, p: int, q: int) -> int:
        """Return what exchanging two axes of a node does to it."""
        if (node, p, q) not in self.known:
            self.known[node, p, q] = self._sign(node, p, q)
        return self.known[node, p, q]

    def _sign(self, node: Node, p: int, q: int) -> int:
        match node:
            case Symbol():
                return int(node.symmetric)
            case Delta():
                return 1
            case Product() | Sum():
                return _relation(self._turned(node, p, q), self._turned(node, p, p))
            case Map():
                signs = [1 if constant_value(child) is not None else self.sign(child, p, q) for child in node.children]
                return _sign_of_function(node, signs)
            case Apply() if len(node.children) == 1 and q < node.batch:
                sign = self.sign(node.children[0], p, q)
                return abs(sign) if sign > 0 or node.operator.name in NORMS else 0
        return 0

    def _turned(self, node: Node, p: int, q: int) -> Node:
        """Return a node with two axes exchanged, its factors in order."""
        if isinstance(node, Sum):
            return add([(c, self._turned(term, p, q)) for c, term in node.terms], node.shape)
        factors = [(own, tuple(_place(label, p, q) for label in labels)) for own, labels in factors_of(node)]
        return self._in_order(node.coefficient if isinstance(node, Product) else 1, factors, node.rank)


def _place(label: int, p: int, q: int) -> int:
    return q if label == p else p if label == q else label


def _exchanged(labels: Labels, p: int, q: int) -> Labels:
    found = [*labels]
    found[p], found[q] = found[q], found[p]
    return tuple(found)


def _relation(one: Node, other: Node) -> int:
    """Return 1 where two nodes are equal, -1 where one is minus the other, else 0."""
    return 1 if one is other else -1 if is_zero(add([(1, one), (1, other)], one.shape)) else 0


def _sign_of_function(node: Map, signs: Sequence[int]) -> int:
    if min(signs) > 0:
        return 1
    if node.operator.name == "power":
        exponent = constant_value(node.children[1])
        return 0 if signs[0] == 0 or not isinstance(exponent, int) else 1 if exponent % 2 == 0 else -1
    if len(signs) > 1 or signs[0] == 0 or node.operator.evaluate is None:
        return 0
    with np.errstate(all="ignore"):
        above, below = node.operator.evaluate(POINTS), node.operator.evaluate(-POINTS)
    return 1 if np.array_equal(above, below) else -1 if np.array_equal(above, -below) else 0


def _elsewhere(roots: Sequence[Node]) -> set[Node]:
    """Return the differences between pairs that stand also where they are not added up."""
    order = topological(roots)
    users = [(node, child) for node in order for child in node.children if is_between_pairs(child)]
    alone = [isinstance(node, Product) and _is_added(node, node.children.index(child)) for node, child in users]
    return {child for (_, child), added in zip(users, alone, strict=True) if not added} | {*roots}


def _is_added(node: Product, place: int) -> bool:
    """Whether a Product sums over an axis of a difference that it has once."""
    summed = any(label >= node.rank for label in node.labels[place])
    return summed and node.children.count(node.children[place]) == 1


class _Weighted(NamedTuple):
    """A sum over pairs of `weights[i, k]*(f[i] - f[k])`: the axis of i among the outputs, f, and its labels."""

    f: Node
    labels: Labels
    weights: Node


@dataclass
class _Adding:
    """Adds up differences between pairs, but for small ones that stand elsewhere too; summands with their sum."""

    elsewhere: set[Node]
    summands: set[Node]
    meanings: dict[Node, Node] = field(default_factory=dict)

    def visit(self, node: Node) -> Node:
        """Return a Sum or a Product with the sums over differences in it added up."""
        if not isinstance(node, Sum | Product) or (node in self.summands and isinstance(node, Product)):
            return node
        terms = [*node.terms] if isinstance(node, Sum) else [(1, node)]
        groups = defaultdict[tuple[Node, Labels], list[tuple[Coefficient, Node]]](list)
        others: list[tuple[Coefficient, Node]] = []
        for c, term in terms:
            found = self._open(term) if isinstance(term, Product) else None
            if isinstance(found, _Weighted):
                groups[found.f, found.labels].append((c, found.weights))
            else:
                others.append((c, found or term))
        if not groups and others == terms:
            return node
        laplacians = [(1, self._laplacian(f, labels, weights)) for (f, labels), weights in groups.items()]
        return add([*others, *laplacians], node.shape)

    def _open(self, node: Product) -> _Weighted | Node | None:
        for place, (factor, labels) in enumerate(node.factors):
            if (
                is_between_pairs(factor)
                and _is_added(node, place)
                and (factor.rank > 2 or factor not in self.elsewhere)
            ):
                assert isinstance(factor, Sum)
                found = _weighted(node, place, factor, labels)
                if found is None and not _has_plain_terms(factor):
                    continue
                terms = ((c, exchanged(node, (place,), *inlined(term, labels))) for c, term in factor.terms)
                return found or add(terms, node.shape)
        return None

    def _laplacian(self, f: Node, labels: Labels, weights: Sequence[tuple[Coefficient, Node]]) -> Node:
        """Return `(diag(sum(W, axis=1)) - W) @ f`, with a symbol for the matrix that is not multiplied out."""
        content, W = split(add(weights, weights[0][1].shape))
        meaning = add([(1, product(1, [(W, (0, 2)), (Delta.of(W.shape[0], 2), (0, 1))], (0, 1))), (-1, W)], W.shape)
        symbol = Symbol.of(f"Laplacian {W.digest}", W.shape)
        self.meanings[symbol] = meaning
        axis = labels.index(SUMMED)
        rank = f.rank
        return product(content, [(symbol, (axis, SUMMED)), (f, labels)], tuple(range(rank)))


def _has_plain_terms(difference: Sum) -> bool:
    """Whether a difference is one of inputs, which are as short when they are written several times."""
    return all(isinstance(f, Symbol | Delta) for term in difference.children for f, _ in factors_of(term))


def _weighted(node: Product, place: int, difference: Sum, labels: Labels) -> _Weighted | None:
    """Return a Product as a sum of weighted differences of one array, None where it is none or has no weights."""
    (c, one), (d, other), *more = difference.terms
    ones, others = repeated_axes(one), repeated_axes(other)
    if more or c != -d or len(ones) != 1 or len(others) != 1 or ones == others:
        return None
    (q,), (p,) = ones, others
    if labels[p] >= node.rank:
        (one, p), (other, q), c = (other, q), (one, p), d
    f = without_axes(one, tuple(axis for axis in range(one.rank) if axis != q))
    i, k = labels[p], labels[q]
    weights = [factor for spot, factor in enumerate(node.factors) if spot != place]
    used = {label for _, own in weights for label in own if label in (i, k) or label < node.rank}
    same = f is without_axes(other, tuple(axis for axis in range(one.rank) if axis != p))
    outputs = sorted(label for label in labels if label != k)
    if not same or used != {i, k} or i >= node.rank or k < node.rank or outputs != [*range(node.rank)]:
        return None
    coefficient = tidy(node.coefficient * c)
    own = tuple(SUMMED if label == i else label for label in labels if label != k)
    return _Weighted(f, own, product(coefficient, weights, (i, k)))
