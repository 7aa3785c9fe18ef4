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
from ..differentiation.stabilise import is_apply, is_map, stabilized
from ..elaboration.elaborate import call
from ..graph.algebra import constant_value, product, scale
from ..graph.canonical import is_symmetric, tidy
from ..graph.nodes import Apply, Coefficient, Delta, Factor, Map, Node, Product, Sum
from ..graph.transform import transform


def recognised(roots: Sequence[Node]) -> list[Node]:
    """Return graphs with every pattern replaced by what it is called."""
    return transform(stabilized(roots), _recognised)


def _recognised(node: Node) -> Node:
    for pattern in (spectral_function, singular_values, transferred, commuted, scaled_solution):
        found = pattern(node)
        if found is not None:
            return _recognised(found)
    return node


def _call(name: str, *operands: Node) -> Node:
    result = call(name, *operands)
    assert isinstance(result, Node)
    return result


def spectral_function(node: Node) -> Node | None:
    """V @ diag(f(w)) @ V.T = f(X) for the eigenvectors V and eigenvalues w of a symmetric X"""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for position, (first, labels) in enumerate(factors):
        if not (is_apply(first, "eigh") and isinstance(first, Apply) and first.output == 1 and first.rank == 2):
            continue
        X = first.children[0]
        for place in range(position + 1, len(factors)):
            second, own = factors[place]
            if second is not first or own[1] != labels[1] or labels[1] < node.rank or not is_symmetric(X):
                continue
            rest = [factor for spot, factor in enumerate(factors) if spot not in (position, place)]
            values = [factor for factor in rest if labels[1] in factor[1]]
            result = _function_of(X, first, values, labels[1])
            if result is not None:
                rest = [factor for factor in rest if factor not in values]
                return product(node.coefficient, [*rest, (result, (labels[0], own[0]))], tuple(range(node.rank)))
    return None


def _function_of(X: Node, vectors: Apply, values: list[Factor], label: int) -> Node | None:
    if not values:
        return Delta.of(X.shape[0], 2)
    if len(values) != 1 or values[0][1] != (label,):
        return None
    (function, _), *_ = values
    if _eigenvalues_of(function, X):
        return X
    spectrum = function.operator.spectrum if isinstance(function, Map | Apply) else ""
    if spectrum and _eigenvalues_of(function.children[0], X):
        return _call(spectrum, X)
    if is_map(function, "power") and constant_value(function.children[1]) == -1:
        return _call("inv", X) if _eigenvalues_of(function.children[0], X) else None
    return None


def _eigenvalues_of(node: Node, X: Node) -> bool:
    if is_apply(node, "eigvalsh"):
        return node.children[0] is X
    return is_apply(node, "eigh") and node.children[0] is X and node.rank == 1


def singular_values(node: Node) -> Node | None:
    """U @ diag(s) @ Vh = X for the singular value decomposition of X"""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for left in factors:
        if not (is_apply(left[0], "svd") and left[0].rank == 2 and _output(left[0]) == 0):
            continue
        X = left[0].children[0]
        label = left[1][1]
        right = [f for f in factors if is_apply(f[0], "svd") and _output(f[0]) == 2 and f[1][0] == label]
        middle = [f for f in factors if f[1] == (label,)]
        if label < node.rank or len(right) != 1 or len(middle) != 1 or right[0][0].children[0] is not X:
            continue
        if sum(label in own for _, own in factors) == 3 and _singular_values_of(middle[0][0], X):
            rest = [f for f in factors if f not in (left, right[0], middle[0])]
            whole: Factor = (X, (left[1][0], right[0][1][1]))
            return product(node.coefficient, [*rest, whole], tuple(range(node.rank)))
    return None


def _output(node: Node) -> int:
    return node.output if isinstance(node, Apply) else -1


def _singular_values_of(node: Node, X: Node) -> bool:
    if is_apply(node, "svdvals"):
        return node.children[0] is X
    return is_apply(node, "svd") and _output(node) == 1 and node.children[0] is X


def scaled_solution(node: Node) -> Node | None:
    """solve(A, c*b) = c * solve(A, b), and so for all that is linear in its last operand

    The sign of a sum counts as its number, so that b - a and a - b meet.
    """
    if not isinstance(node, Apply):
        return None
    solution = node.operator.name in ("solve_vector", "solve_matrix") and not node.batch
    if not node.operator.adjoint and not solution:
        return None
    A, b = node.children
    if isinstance(b, Product) and b.coefficient != 1 and b.children:
        factor, rest = b.coefficient, product(1, b.factors, tuple(range(b.rank)))
    elif isinstance(b, Sum) and (content := _content(b)) != 1:
        factor = content
        rest = Sum.of(tuple(tidy(c / content) for c in b.coefficients), b.children, b.shape)
    else:
        return None
    return scale(factor, _call("solve" if solution else node.operator.name, A, rest))


def _content(node: Sum) -> Coefficient:
    """Return the number that all coefficients of a sum share up to sign, with the sign of the first."""
    if any(isinstance(c, float) for c in node.coefficients) or len({abs(c) for c in node.coefficients}) != 1:
        return 1
    return Fraction(node.coefficients[0])
