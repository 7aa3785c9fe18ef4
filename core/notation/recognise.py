"""Patterns that a reader knows by another name, found in the graph of a derivative before it is written.

Each function gets a node and returns an equal one that reads better, or None. They serve formulas alone: the numbers
are computed from the graph as it was differentiated.

The function of a symmetric matrix, written by its eigenvectors and eigenvalues:

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> from matgrad.core.graph.transform import flatten
>>> S = Symbol.of("S", (3, 3), {"symmetric"})
>>> typed = elaborate_text("V = eigh(S)[1]; V @ diag(exp(eigvalsh(S))) @ V.T", {"S": S})
>>> recognised(flatten([typed])) == [elaborate_text("expm(S)", {"S": S})]
True
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..differentiation.adjoints import commuted, transferred
from ..differentiation.stabilise import rewritten
from ..elaboration.elaborate import call
from ..graph.algebra import constant_value, exchanged, product, scale
from ..graph.canonical import is_symmetric, tidy
from ..graph.nodes import Apply, Coefficient, Delta, Factor, Map, Node, Product, Sum, is_function
from ..graph.ratios import Ratio, reciprocal
from ..graph.transform import transform
from .complements import with_complements
from .totals import known_total


def recognised(roots: Sequence[Node]) -> list[Node]:
    """Return graphs with every pattern replaced by what it is called."""
    return transform(roots, lambda node: _recognised(rewritten(node)))


def _recognised(node: Node) -> Node:
    for pattern in (
        spectral_function,
        singular_values,
        transferred,
        commuted,
        scaled_solution,
        known_total,
        with_complements,
    ):
        found = pattern(node)
        if found is not None:
            return _recognised(found)
    return node


def spectral_function(node: Node) -> Node | None:
    """V @ diag(f(w)) @ V.T = f(X) for the eigenvectors V and eigenvalues w of a symmetric X"""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for position, (first, labels) in enumerate(factors):
        if not _is_output(first, "eigh", 1) or first.rank != 2 or labels[1] < node.rank:
            continue
        X = first.children[0]
        for place, (second, own) in enumerate(factors[position + 1 :], position + 1):
            if second is not first or own[1] != labels[1] or not is_symmetric(X):
                continue
            users = [spot for spot, factor in enumerate(factors) if labels[1] in factor[1]]
            values = [factors[spot] for spot in users if spot not in (position, place)]
            if (result := _function_of(X, values, labels[1])) is not None:
                return exchanged(node, users, (result, (labels[0], own[0])))
    return None


def _function_of(X: Node, values: list[Factor], label: int) -> Node | None:
    if not values:
        return Delta.of(X.shape[0], 2)
    if len(values) != 1 or values[0][1] != (label,):
        return None
    function = values[0][0]
    if _are_values_of(function, X):
        return X
    spectrum = function.operator.spectrum if isinstance(function, Map | Apply) else ""
    if spectrum and _are_values_of(function.children[0], X):
        return call(spectrum, X)
    if is_function(function, "power") and constant_value(function.children[1]) == -1:
        return call("inv", X) if _are_values_of(function.children[0], X) else None
    return None


def _are_values_of(node: Node, X: Node, decomposition: str = "eigh", output: int = 0, name: str = "eigvalsh") -> bool:
    """Whether a node is the eigenvalues of a matrix, or the values that another decomposition gives."""
    return (_is_output(node, decomposition, output) or is_function(node, name)) and node.children[0] is X


def singular_values(node: Node) -> Node | None:
    """U @ diag(s) @ Vh = X for the singular value decomposition of X"""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for left, (row, label) in (factor for factor in factors if _is_output(factor[0], "svd", 0) and factor[0].rank == 2):
        X = left.children[0]
        users = [spot for spot, (_, labels) in enumerate(factors) if label in labels]
        right = [own for f, own in factors if _is_output(f, "svd", 2) and own[0] == label and f.children[0] is X]
        middle = [f for f, own in factors if own == (label,) and _are_values_of(f, X, "svd", 1, "svdvals")]
        if label >= node.rank and len(users) == 3 and len(right) == len(middle) == 1:
            return exchanged(node, users, (X, (row, right[0][1])))
    return None


def _is_output(node: Node, name: str, output: int) -> bool:
    """Whether a node is that output of an operator with several."""
    return isinstance(node, Apply) and node.operator.name == name and node.output == output


def scaled_solution(node: Node) -> Node | None:
    """solve(A, c*b) = c * solve(A, b), and so for all that is linear in its last operand

    The sign of a sum counts as its number, so that b - a and a - b meet.
    """
    if not isinstance(node, Apply):
        return None
    solution = node.operator.name in ("solve_vector", "solve_matrix") and not node.batch
    if not node.operator.adjoint and not solution:
        return None
    *known, b = node.children
    if isinstance(b, Product) and b.coefficient != 1 and b.children:
        factor, rest = b.coefficient, product(1, b.factors, tuple(range(b.rank)))
    elif isinstance(b, Sum) and (content := _content(b)) != 1:
        factor = content
        rest = Sum.of(tuple(tidy(c * reciprocal(content)) for c in b.coefficients), b.children, b.shape)
    else:
        return None
    return scale(factor, call("solve" if solution else node.operator.name, *known, rest, **dict(node.parameters)))


def _content(node: Sum) -> Coefficient:
    """Return the number that all coefficients of a sum share up to sign, with the sign of the first."""
    if any(isinstance(c, float) for c in node.coefficients) or len({abs(c) for c in node.coefficients}) != 1:
        return 1
    first = node.coefficients[0]
    return first if isinstance(first, Ratio) else Fraction(first)
