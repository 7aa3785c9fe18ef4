"""Inverses and systems of equations for evaluation: one factorisation where two would be computed.

`inv(A) @ b` is `solve(A, b)`, which costs a third and loses fewer digits; but where the inverse itself is needed as
well, as in the gradient of a Gaussian log-likelihood by its covariance, `solve(A, b)` is `inv(A) @ b`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..differentiation.stabilise import inverse_times_vector
from ..elaboration.elaborate import call
from ..graph.algebra import add, permute, product, scale, split
from ..graph.nodes import Node, Product, Sum, is_function, topological
from ..graph.ratios import reciprocal
from ..graph.transform import flatten, transform


def factored_once(roots: Sequence[Node]) -> list[Node]:
    """Return graphs of the same values in which no matrix is both inverted and factored for a system of equations.

    Example: `inv(A) @ b` becomes `solve(A, b)`.
    """
    if not any(is_function(node, "inv") or is_function(node, "solve_vector") for node in topological(roots)):
        return list(roots)
    solved = flatten(transform(transform(roots, _solved), _unscaled))
    inverted = {node.children[0]: node for node in topological(solved) if is_function(node, "inv")}
    if not inverted:
        return solved

    def by_inverse(node: Node) -> Node:
        if not is_function(node, "solve_vector") or node.rank != 1:
            return node
        matrix, vector = node.children
        for known, inverse in inverted.items():
            if matrix is known or matrix is permute(known, (1, 0)):
                axes = (0, 1) if matrix is known else (1, 0)
                return product(1, [(inverse, axes), (vector, (1,))], (0,))
        return node

    return flatten(transform(solved, by_inverse))


def _solved(node: Node) -> Node:
    """Return a Product with systems of equations in place of inverses times vectors."""
    while isinstance(node, Product) and (shorter := inverse_times_vector(node)) is not None:
        node = shorter
    return node


def _unscaled(node: Node) -> Node:
    """Return a system of equations with the number in its right side drawn out: `solve(A, 2*x - 2*y)`."""
    if not is_function(node, "solve_vector"):
        return node
    matrix, vector = node.children
    coefficient, rest = split(vector)
    if isinstance(vector, Sum) and vector.children:
        coefficient = vector.coefficients[0]
        rest = add([(c * reciprocal(coefficient), term) for c, term in vector.terms], vector.shape)
    if coefficient in (0, 1):
        return node
    return scale(coefficient, call("solve_vector", matrix, rest))
