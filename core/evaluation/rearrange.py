"""Graphs made cheaper to evaluate: another way to write the same product, which the formulas do not show.

`X.T @ diag(d) @ X` with d >= 0 is `S.T @ S` with `S = diag(sqrt(d)) @ X`, and a product of a matrix with its own
transpose takes BLAS half the work (syrk). Where it comes with terms of low rank, `X.T @ (diag(p) @ X - outer(p, g))`,
the Hessian of logsumexp, it is taken out of the brackets first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from ..elaboration.elaborate import call
from ..graph.algebra import Factor, add, exchanged, full, inlined, is_mask, number, product, scale
from ..graph.bounds import is_not_negative
from ..graph.canonical import is_symmetric
from ..graph.nodes import Labels, Node, Product, Structural, Sum, is_function, uses
from ..graph.transform import flatten, transform
from .factoring import COST_OF_ADDING, WORTH_IT, factored
from .order import contraction_cost
from .softmaxes import in_one_step
from .solves import factored_once

# With fewer rows or columns half the work is not worth a square root.
SMALLEST = 16
LONGEST_SUM = 4
DEEPEST = 4
# A product of more factors runs through the layers of a network, where nothing is to be gained.
MOST_FACTORS = 12


def rearranged(roots: Sequence[Node]) -> list[Node]:
    """Return graphs of the same values that are cheaper to evaluate; Products must be flat already.

    Example: `X.T @ diag(exp(z)) @ X` becomes `S.T @ S`.
    """
    roots = factored_once(roots)
    users = uses(roots)
    roots = transform(roots, lambda node: _softmax(node, users) or node)
    # What was shared and is inlined now may have one user left.
    users = uses(roots)
    roots = flatten(transform(roots, lambda n: _better_product(n, users) if len(n.children) <= MOST_FACTORS else n))
    users = uses(roots)
    roots = flatten(transform(roots, lambda node: factored(node, users)))
    users = uses(roots)
    return flatten(transform(roots, lambda node: _divided(node, users) if isinstance(node, Product) else node))


def _divided(node: Product, users: Mapping[Node, int]) -> Node:
    """Return a product with sigmoid(x) as a quotient by 1 + exp(-x): no reciprocal, and the sign goes into x."""
    places = [k for k, child in enumerate(node.children) if is_function(child, "sigmoid") and users[child] == 1]
    divided = [(_denominator(node.children[k]), node.labels[k]) for k in places]
    return exchanged(node, places, *divided) if places else node


def _denominator(sigmoid: Node) -> Node:
    exponential = call("exp", scale(-1, sigmoid.children[0]))
    return call("power", add([(1, full(1, sigmoid.shape)), (1, exponential)], sigmoid.shape), number(-1))


def _softmax(node: Node, users: Mapping[Node, int]) -> Node | None:
    """Return exp(x - logsumexp(x)) along one axis as one step, where nothing else needs the logsumexp."""
    total = node.children[0] if is_function(node, "exp") else None
    return in_one_step("softmax_of_last", total, users)


class _Pair(NamedTuple):
    """Two places of one matrix in a Product, their labels aligned, and the places of the weights between them."""

    first: int
    second: int
    labels: tuple[Labels, Labels]
    weights: list[int]


def _pair(node: Product) -> _Pair | None:
    """Return the two halves of a symmetric product: equal operands that share summed labels and lead to the output."""
    factors = list(node.factors)
    for first, (matrix, own) in enumerate(factors):
        if matrix.rank < 2 or isinstance(matrix, Structural) or len(set(own)) < len(own):
            continue
        for second in range(first + 1, len(factors)):
            other = factors[second][1]
            if factors[second][0] is not matrix or len(set(other)) < len(other):
                continue
            if is_symmetric(matrix):
                own, other = _turned(own, other), _turned(other, own)
            if _is_symmetric_product(node, own, other):
                shared = set(own) & set(other)
                places = [k for k in range(len(factors)) if k not in (first, second)]
                return _Pair(first, second, (own, other), [k for k in places if shared.issuperset(factors[k][1])])
    return None


def _turned(labels: Labels, other: Labels) -> Labels:
    """Return the labels of a symmetric matrix with the one that is shared first."""
    return labels if labels[0] in other else labels[::-1]


def _is_symmetric_product(node: Product, own: Labels, other: Labels) -> bool:
    free = [(a, b) for a, b in zip(own, other, strict=True) if a != b]
    shared = [a for a, b in zip(own, other, strict=True) if a == b]
    if any(max(pair) >= node.rank for pair in free) or len({label for pair in free for label in pair}) < 2 * len(free):
        return False
    rows = prod(node.sizes[label] for label in shared if label >= node.rank)
    return rows >= SMALLEST and prod(node.sizes[a] for a, _ in free) >= SMALLEST


def _halved(node: Product) -> Node | None:
    """Return a symmetric product with weights as the product of one matrix with itself."""
    pair = _pair(node)
    if pair is None or not pair.weights:
        return None
    factors = list(node.factors)
    weights = [factors[k] for k in pair.weights]
    if any(isinstance(weight, Structural) or is_mask(weight) for weight, _ in weights):
        return None
    carried = tuple(label for label in pair.labels[0] if any(label in labels for _, labels in weights))
    weight = product(1, weights, carried)
    if not is_not_negative(weight):
        return None
    half = product(1, [(factors[pair.first][0], pair.labels[0]), (call("sqrt", weight), carried)], pair.labels[0])
    return exchanged(node, (pair.first, pair.second, *pair.weights), *((half, labels) for labels in pair.labels))


def _taken_out(node: Product, users: Mapping[Node, int]) -> Node | None:
    """Return a Product of a Sum as a Sum of Products where that costs less."""
    factors = list(node.factors)
    for place, (total, labels) in enumerate(factors):
        short = isinstance(total, Sum) and 1 < len(total.children) <= LONGEST_SUM
        if not isinstance(total, Sum) or not short or max(labels, default=-1) < node.rank:
            continue
        rest = factors[:place] + factors[place + 1 :]
        terms = [_multiplied(node, rest, term, labels) for term in total.children]
        before = _cost(node) + (_cost(total) if users.get(total, 0) == 1 else 0)
        after = sum(_cost(term) for term in terms) + COST_OF_ADDING * _entries(node) * (len(terms) - 1)
        if after <= WORTH_IT * before:
            better = [_better_product(term, users) for term in terms]
            return add(list(zip(total.coefficients, better, strict=True)), node.shape)
    return None


def _multiplied(node: Product, rest: list[Factor], term: Node, labels: Labels) -> Node:
    """Return a Product with a term in the place of its Sum, the Products in it as nodes or inlined: what costs less."""
    factors = [*rest, (term, labels)]
    ways = []
    for _ in range(DEEPEST):
        ways.append(product(node.coefficient, factors, tuple(range(node.rank))))
        if not any(isinstance(operand, Product) for operand, _ in factors):
            break
        factors = [inner for factor in factors for inner in inlined(*factor)]
    return min(ways, key=_cost)


def _better_product(node: Node, users: Mapping[Node, int]) -> Node:
    if not isinstance(node, Product) or node.rank < 2:
        return node
    return _halved(node) or _taken_out(node, users) or node


def _entries(node: Node) -> int:
    """Return how many entries of a node may differ from zero and from each other."""
    if not isinstance(node, Product):
        return prod(node.shape)
    dense = {label for operand, labels in node.factors if not isinstance(operand, Structural) for label in labels}
    return prod(node.shape[label] for label in dense if label < node.rank)


def _cost(node: Node) -> float:
    """Return a measure of the work for a node over its operands; a symmetric product is half of it."""
    if isinstance(node, Sum):
        return sum(map(_cost, node.children)) + COST_OF_ADDING * _entries(node) * (len(node.children) - 1)
    if not isinstance(node, Product):
        return 0
    dense = [labels for operand, labels in node.factors if not isinstance(operand, Structural)]
    pair = _pair(node)
    weighted = pair is not None and bool(pair.weights) and _halved(node) is not None
    return contraction_cost(dense, range(node.rank), node.sizes) * (0.5 if weighted else 1)
