"""What a square matrix is made of: a product of square matrices, a diagonal matrix, a Kronecker product."""

from __future__ import annotations

from typing import NamedTuple

from .algebra import permute, product
from .nodes import Coefficient, Delta, Node, Product, Reshape
from .transform import flatten


class Factored(NamedTuple):
    """A square matrix as a number, scalars and square matrices that are multiplied in this order."""

    coefficient: Coefficient
    scalars: tuple[Node, ...]
    matrices: tuple[Node, ...]


def factored(matrix: Node) -> Factored | None:
    """Return a square matrix as a product, None where it is one matrix alone, or no product of square ones.

    Example: `2*A @ B.T` is the number 2 and the matrices `A` and `B.T`.
    """
    (flat,) = flatten([matrix])
    if not isinstance(flat, Product) or flat.rank != 2:
        return None
    scalars = tuple(operand for operand, labels in flat.factors if not labels)
    waiting = [factor for factor in flat.factors if factor[1]]
    chained: list[Node] = []
    here = 0
    while waiting:
        following = [factor for factor in waiting if here in factor[1]]
        if len(following) != 1 or following[0][0].shape != flat.shape:
            return None
        operand, labels = following[0]
        if labels[0] == labels[1]:
            return None
        chained.append(operand if labels[0] == here else permute(operand, (1, 0)))
        here = labels[1] if labels[0] == here else labels[0]
        waiting.remove(following[0])
    alone = flat.coefficient == 1 and not scalars and len(chained) == 1
    return None if alone or here != 1 else Factored(flat.coefficient, scalars, tuple(chained))


def diagonal_entries(matrix: Node) -> Node | None:
    """Return the vector of a matrix that is diagonal by its form, None for others: x for `diag(x)`."""
    if not isinstance(matrix, Product) or matrix.rank != 2:
        return None
    if not any(isinstance(operand, Delta) and labels == (0, 1) for operand, labels in matrix.factors):
        return None
    others = [(operand, labels) for operand, labels in matrix.factors if not isinstance(operand, Delta)]
    if any(label == 1 for _, labels in others for label in labels):
        return None
    return product(matrix.coefficient, [*others, (Delta.of(matrix.shape[0], 1), (0,))], (0,))


def kronecker_factors(matrix: Node) -> tuple[Node, Node] | None:
    """Return the square factors of a Kronecker product, None for other matrices."""
    (inner,) = flatten([matrix])
    if not isinstance(inner, Product) or len(inner.children) != 4 or inner.coefficient != 1:
        return None
    merges = {labels[0]: labels[1:] for operand, labels in inner.factors if isinstance(operand, Reshape)}
    matrices = {labels: operand for operand, labels in inner.factors if not isinstance(operand, Reshape)}
    if set(merges) != {0, 1} or len(merges[0]) != 2 or len(merges[1]) != 2:
        return None
    A, B = (matrices.get(pair) for pair in zip(merges[0], merges[1], strict=True))
    if A is None or B is None or A.shape != A.shape[::-1] or B.shape != B.shape[::-1]:
        return None
    return A, B
