"""Graphs made cheaper to evaluate: another way to write the same product, which the formulas do not show.

`X.T @ diag(d) @ X` with d >= 0 is `S.T @ S` with `S = diag(sqrt(d)) @ X`, and a product of a matrix with its own
transpose takes BLAS half the work (syrk). Where it comes with terms of low rank, `X.T @ (diag(p) @ X - outer(p, g))`,
the Hessian of logsumexp, it is taken out of the brackets first.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from .algebra import Factor, add, product
from .bounds import is_not_negative
from .canonical import is_symmetric
from .elaborate import call
from .graph import Labels, Map, Node, Product, Structural, Sum, topological
from .order import contraction_cost
from .transform import flatten, transform

# With fewer rows or columns half the work is not worth a square root.
SMALLEST = 16
LONGEST_SUM = 3
# A product of more factors runs through the layers of a network, where nothing is to be gained.
MOST_FACTORS = 12
# The terms beside the symmetric one may cost this part of it.
SMALL_PART = 0.25


def rearranged(roots: Sequence[Node]) -> list[Node]:
    """Return graphs of the same values that are cheaper to evaluate; Products must be flat already.

    Example: `X.T @ diag(exp(z)) @ X` becomes `S.T @ S`.
    """
    users: dict[Node, int] = {}
    for node in topological(roots):
        for child in node.children:
            users[child] = users.get(child, 0) + 1

    def better(node: Node) -> Node:
        if not isinstance(node, Product) or node.rank < 2 or len(node.operands) > MOST_FACTORS:
            return node
        return _halved(node) or _taken_out(node, users) or node

    return transform(roots, better)


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
    if any(
        isinstance(weight, Structural) or (isinstance(weight, Map) and weight.operator.mask) for weight, _ in weights
    ):
        return None
    carried = tuple(label for label in pair.labels[0] if any(label in labels for _, labels in weights))
    weight = product(1, _renamed(weights, carried), tuple(range(len(carried))))
    if not is_not_negative(weight):
        return None
    root = call("sqrt", weight)
    assert isinstance(root, Node)
    matrix = factors[pair.first][0]
    axes = tuple(range(matrix.rank))
    half = product(1, [(matrix, axes), (root, tuple(pair.labels[0].index(label) for label in carried))], axes)
    rest = [factor for k, factor in enumerate(factors) if k not in (pair.first, pair.second, *pair.weights)]
    halves = [(half, labels) for labels in pair.labels]
    return product(node.coefficient, [*rest, *halves], tuple(range(node.rank)))


def _renamed(factors: list[Factor], carried: Labels) -> list[Factor]:
    return [(operand, tuple(carried.index(label) for label in labels)) for operand, labels in factors]


def _taken_out(node: Product, users: dict[Node, int]) -> Node | None:
    """Return a Product of a Sum as a Sum of Products where one term becomes symmetric and the others cost little."""
    factors = list(node.factors)
    output = tuple(range(node.rank))
    for place, (total, labels) in enumerate(factors):
        if not isinstance(total, Sum) or users.get(total, 0) > 1 or not 1 < len(total.children) <= LONGEST_SUM:
            continue
        rest = factors[:place] + factors[place + 1 :]
        terms = [flatten([product(node.coefficient, [*rest, (term, labels)], output)])[0] for term in total.children]
        symmetric = [term for term in terms if isinstance(term, Product) and _pair(term)]
        if len(symmetric) != 1:
            continue
        limit = SMALL_PART * _cost(symmetric[0])
        if all(_cost(term) <= limit for term in terms if term is not symmetric[0]):
            halved = [(_halved(term) if isinstance(term, Product) else None) or term for term in terms]
            return add(list(zip(total.coefficients, halved, strict=True)), node.shape)
    return None


def _cost(node: Node) -> int:
    if not isinstance(node, Product):
        return prod(node.shape)
    dense = [labels for operand, labels in node.factors if not isinstance(operand, Structural)]
    return contraction_cost(dense, range(node.rank), node.sizes)
