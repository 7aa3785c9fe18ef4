"""Patterns that a reader knows by another name, found in the graph of a derivative before it is written.

Each function gets a node and returns an equal one that reads better, or None. They serve formulas alone: the numbers
are computed from the graph as it was differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..differentiation.stabilise import is_apply, is_map, stabilized
from ..elaboration.elaborate import call
from ..graph.algebra import constant_value, fresh, permute, product, scale
from ..graph.canonical import Factor, is_symmetric, tidy
from ..graph.nodes import Apply, Coefficient, Delta, Labels, Map, Node, Product, Sum
from ..graph.transform import transform


def recognised(roots: Sequence[Node]) -> list[Node]:
    """Return graphs with every pattern replaced by what it is called."""
    return transform(stabilized(roots), _recognised)


def _recognised(node: Node) -> Node:
    for pattern in (spectral_function, singular_values, matrix_exponential, scaled_solution):
        found = pattern(node)
        if found is not None:
            return _recognised(found)
    return node


def _call(name: str, *operands: Node) -> Node:
    result = call(name, *operands)
    assert isinstance(result, Node)
    return result


# f(w) on the eigenvalues w of a symmetric matrix is f of the matrix.
SPECTRAL = {"exp": "expm", "exclusive_product": "cofactor"}


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
    name = function.operator.name if isinstance(function, Map | Apply) else ""
    if name in SPECTRAL and _eigenvalues_of(function.children[0], X):
        return _call(SPECTRAL[name], X)
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
    """solve(A, c*b) = c * solve(A, b); the sign of a sum counts as its number, so that b - a and a - b meet"""
    if not isinstance(node, Apply) or node.operator.name not in ("solve_vector", "solve_matrix") or node.batch:
        return None
    A, b = node.children
    if isinstance(b, Product) and b.coefficient != 1 and b.children:
        factor, rest = b.coefficient, product(1, b.factors, tuple(range(b.rank)))
    elif isinstance(b, Sum) and (content := _content(b)) != 1:
        factor = content
        rest = Sum.of(tuple(tidy(c / content) for c in b.coefficients), b.children, b.shape)
    else:
        return None
    return scale(factor, _call("solve", A, rest))


def _content(node: Sum) -> Coefficient:
    """Return the number that all coefficients of a sum share up to sign, with the sign of the first."""
    if any(isinstance(c, float) for c in node.coefficients) or len({abs(c) for c in node.coefficients}) != 1:
        return 1
    return Fraction(node.coefficients[0])


def matrix_exponential(node: Node) -> Node | None:
    """The quadrature over expm((1 - s)*X) @ E @ expm(s*X) = expm_frechet(X, E)"""
    if not isinstance(node, Product) or not any(is_apply(operand, "expm") for operand in node.operands):
        return None
    factors = list(node.factors)
    weights = call("quadrature_weights")
    points = call("quadrature_points")
    for weight, (label, *_) in [f for f in factors if f[0] is weights]:
        sides = [f for f in factors if is_apply(f[0], "expm") and f[1][0] == label]
        if label < node.rank or len(sides) != 2 or sum(label in own for _, own in factors) != 3:
            continue
        found = [(_scaled_by(side[0].children[0], points), side) for side in sides]
        if any(scaled is None for scaled, _ in found):
            continue
        (X, _, first), (other, _, second) = [(*scaled, side) for scaled, side in found if scaled is not None]
        if X is not other:
            continue
        rest = [f for f in factors if f not in (first, second) and f[0] is not weight]
        return _frechet(node, X, first[1][1:], second[1][1:], rest)
    return None


def _scaled_by(node: Node, points: Node) -> tuple[Node, bool] | None:
    """Return (X, whether by the points or by one minus the points) where a node is that multiple of a matrix."""
    if not isinstance(node, Product):
        return None
    scales = [(operand, labels) for operand, labels in node.factors if labels == (0,)]
    if len(scales) != 1:
        return None
    others = [(operand, labels) for operand, labels in node.factors if labels != (0,)]
    X = product(node.coefficient, others, (1, 2))
    return X, scales[0][0] is points


def _frechet(node: Product, X: Node, first: Labels, second: Labels, rest: list[Factor]) -> Node | None:
    """Return a Product with the two exponentials as one Frechet derivative, or as expm where they meet."""
    output = tuple(range(node.rank))
    used = {label for _, own in rest for label in own} | set(output)
    for one, two, matrix in ((first, second, X), (second, first, X)):
        if one[1] == two[0] and one[1] not in used:
            # Both are functions of X, so they commute and their product is expm(X).
            return product(node.coefficient, [*rest, (_call("expm", matrix), (one[0], two[1]))], output)
    inner = [f for f in rest if len(f[1]) == 2 and _between(f[1], first, second, used_by(rest, f), output)]
    if not inner:
        return None
    # In a trace two matrices may stand between the exponentials: one that commutes with them is the better choice.
    chosen = next((f for f in inner if _matrix_of(f[0]) is _matrix_of(X)), inner[0])
    E, labels = chosen
    rest = [f for f in rest if f is not chosen]
    turned = labels[0] in (first[0], second[0])
    left = first if labels[0] in first else second
    right = second if left is first else first
    ends = (left[1] if labels[0] == left[0] else left[0], right[1] if labels[1] == right[0] else right[0])
    # Read towards E: expm(s*X) enters transposed where its first axis meets E.
    base = permute(X, (1, 0)) if turned else X
    if _matrix_of(E) is _matrix_of(base):
        (middle,) = fresh(1)
        parts: list[Factor] = [(E, (ends[0], middle)), (_call("expm", base), (middle, ends[1]))]
        return product(node.coefficient, [*rest, *parts], output)
    return product(node.coefficient, [*rest, (_call("expm_frechet", base, E), ends)], output)


def _matrix_of(node: Node) -> Node:
    """Return a matrix without the numbers that multiply it: multiples of one matrix commute."""
    if not isinstance(node, Product):
        return node
    return product(1, [factor for factor in node.factors if factor[0].rank], (0, 1))


def used_by(factors: list[Factor], but: Factor) -> set[int]:
    """Return the labels of all factors but one."""
    return {label for factor in factors if factor is not but for label in factor[1]}


def _between(labels: Labels, first: Labels, second: Labels, used: set[int], output: Labels) -> bool:
    a, b = labels
    taken = used | set(output)
    if a in taken or b in taken or a == b:
        return False
    meets = (a in first and b in second) or (a in second and b in first)
    # One side meets E with its second axis on the left and the other with its first axis on the right, or both turned.
    left, right = (first, second) if a in first else (second, first)
    return meets and ((a == left[1] and b == right[0]) or (a == left[0] and b == right[1]))
