"""What a Product and a Sum are made of, put so that a reader meets means and matrices.

A sum over an axis is a mean where the whole is divided by its length; and to a matrix, as the identity, matrices are
added: `eye(n) - ones((n, n))/n`, for `eye(n) - 1/n` has no meaning outside of programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..graph.algebra import Factor, carries_delta, inlined, permute, repeated_axes
from ..graph.nodes import Coefficient, Node, Product, Sum
from ..graph.ratios import Ratio


def opened(coefficient: Coefficient, factors: Sequence[Factor]) -> Iterable[Factor]:
    """Return the factors of a Product, with those opened that sum over an axis whose length divides the whole.

    So a sum that others share is still found to be a mean.
    """
    divisors = {size for size, _ in coefficient.below} if isinstance(coefficient, Ratio) else set[int]()
    for node, labels in factors:
        summed = [size for label, size in node.sizes.items() if label >= node.rank] if isinstance(node, Product) else []
        yield from inlined(node, labels) if not divisors.isdisjoint(summed) else [(node, labels)]


def adds_matrices(node: Sum) -> bool:
    """Whether a Sum has a term that is no array of numbers but a matrix: the identity, a diagonal, an outer product."""
    return node.rank == 2 and any(carries_delta(term) or _is_outer(term) for term in node.children)


def _is_outer(node: Node) -> bool:
    """Whether a node is the outer product of two vectors: nothing connects its axes."""
    if not isinstance(node, Product) or repeated_axes(node):
        return False
    reached, size = {0}, 0
    while len(reached) > size:
        size = len(reached)
        reached.update(*(labels for labels in node.labels if not reached.isdisjoint(labels)))
    return 1 not in reached


def with_transposes_opened(node: Sum) -> list[tuple[Coefficient, Node]] | None:
    """Return the terms of a sum with the transpose of a sum among them as several terms, None where there is none."""
    if node.rank != 2 or not any(map(_transposed_sum, node.children)):
        return None
    terms: list[tuple[Coefficient, Node]] = []
    for c, term in node.terms:
        inner = _transposed_sum(term)
        terms += [(c, term)] if inner is None else [(c * d, permute(part, (1, 0))) for d, part in inner.terms]
    return terms


def _transposed_sum(node: Node) -> Sum | None:
    turned = isinstance(node, Product) and node.coefficient == 1 and node.labels == ((1, 0),)
    inner = node.children[0] if turned else None
    return inner if isinstance(inner, Sum) else None
