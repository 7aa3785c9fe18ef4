"""Functions of eigenvalues and singular values as functions of the matrix: `V @ diag(exp(w)) @ V.T` is `expm(X)`.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> S = Symbol.of("S", (3, 3), {"symmetric"})
>>> values = elaborate_text("2/eigvalsh(S) + 1", {"S": S})
>>> matrix_function(values, S) is elaborate_text("2*inv(S) + eye(3)", {"S": S})
True
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.infix import matmul, power, times
from ..graph.algebra import add, constant_value, exchanged, is_zero, number, product, scale
from ..graph.canonical import is_symmetric
from ..graph.nodes import Apply, Delta, Factor, Map, Node, Product, Sum, is_function

# A matrix is multiplied by itself at most so often.
HIGHEST_POWER = 4


def symmetric_part(X: Node) -> Node:
    """Return the symmetric matrix whose eigenvalues `eigvalsh` and `eigh` give."""
    return X if is_symmetric(X) else elaborate_text("(X + X.T)/2", {"X": X})


def matrix_function(values: Node, X: Node) -> Node | None:
    """Return f(X) for a vector f(w) of the eigenvalues of a symmetric X, None where f has no such form."""
    if is_eigenvalues(values, X):
        return symmetric_part(X)
    if (c := constant_value(values)) is not None:
        return scale(c, Delta.of(X.shape[0], 2))
    match values:
        case Sum():
            terms = [(c, matrix_function(term, X)) for c, term in values.terms]
            known = [(c, term) for c, term in terms if term is not None]
            return add(known, X.shape) if len(known) == len(terms) else None
        case Product():
            return _product(values, X)
        case Map() | Apply():
            return _function(values, X)
    return None


def is_eigenvalues(node: Node, X: Node) -> bool:
    """Whether a node is the eigenvalues of the symmetric part of a matrix."""
    return _is_output(node, X, "eigh", 0) or _is_output(node, X, "eigvalsh", 0)


def is_singular_values(node: Node, X: Node) -> bool:
    """Whether a node is the singular values of a matrix."""
    return _is_output(node, X, "svd", 1) or _is_output(node, X, "svdvals", 0)


def _is_output(node: Node, X: Node, name: str, output: int) -> bool:
    return is_function(node, name) and isinstance(node, Apply) and node.output == output and node.children[0] is X


def _product(values: Product, X: Node) -> Node | None:
    """f(w)*g(w)*s for a number s is f(X) @ g(X) * s."""
    if any(labels not in ((), (0,)) for labels in values.labels):
        return None
    scalars = [operand for operand, labels in values.factors if not labels]
    vectors = [operand for operand, labels in values.factors if labels]
    matrices = [matrix_function(vector, X) for vector in vectors]
    known = [matrix for matrix in matrices if matrix is not None]
    if len(known) < len(matrices):
        return None
    return scale(values.coefficient, reduce(times, scalars, reduce(matmul, known)))


def _function(values: Map | Apply, X: Node) -> Node | None:
    inner = matrix_function(values.children[0], X) if values.children[0].rank == 1 else None
    if inner is None:
        return None
    name = values.operator.name
    if name == "exp":
        return _exponential(values.children[0], X)
    if values.operator.spectrum:
        return call(values.operator.spectrum, inner)
    if name == "sqrt":
        return call("sqrtm", inner)
    exponent = constant_value(values.children[1]) if name == "power" else None
    if not isinstance(exponent, int | Fraction):
        return None
    times_of, root_of = Fraction(exponent).as_integer_ratio()
    if abs(times_of) > HIGHEST_POWER or root_of > 2:
        return None
    root = call("sqrtm", inner) if root_of == 2 else inner
    return reduce(matmul, [call("inv", root) if times_of < 0 else root] * abs(times_of))


def _exponential(exponent: Node, X: Node) -> Node | None:
    """exp(w - logsumexp(w)), which is softmax(w), is expm(X) / trace(expm(X))."""
    terms = [(c, term) for c, term in exponent.terms] if isinstance(exponent, Sum) else [(1, exponent)]
    shifts = [(c, term) for c, term in terms if (_constant_along(term)) is not None]
    rest = matrix_function(add([term for term in terms if term not in shifts], exponent.shape), X)
    if rest is None or is_zero(rest):
        return None
    result = call("expm", rest)
    for c, term in shifts:
        scalar = _constant_along(term)
        assert scalar is not None
        if is_function(scalar, "logsumexp") and c == -1 and (of := matrix_function(scalar.children[0], X)) is not None:
            result = times(result, power(elaborate_text("trace(expm(Y))", {"Y": of}), number(-1)))
        else:
            result = times(result, call("exp", scale(c, scalar)))
    return result


def _constant_along(vector: Node) -> Node | None:
    """Return s where a vector is s times ones, None for others."""
    if not isinstance(vector, Product) or not any(labels == () for labels in vector.labels):
        return None
    others = [operand for operand, labels in vector.factors if labels]
    if len(others) != 1 or not isinstance(others[0], Delta):
        return None
    return product(vector.coefficient, [factor for factor in vector.factors if not factor[1]], ())


# --- products of singular vectors ------------------------------------------------------------------------------------


def spectral_function(node: Node) -> Node | None:
    """V @ diag(f(w)) @ V.T = f(X) for the eigenvectors V and eigenvalues w of a symmetric X."""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for position, (first, labels) in enumerate(factors):
        if not _is_vectors(first, "eigh", 1) or labels[1] < node.rank:
            continue
        X, label = first.children[0], labels[1]
        for second, own in factors[position + 1 :]:
            if second is not first or own[1] != label:
                continue
            users = [spot for spot, factor in enumerate(factors) if label in factor[1]]
            values = [f for f in (factors[spot] for spot in users) if f[0] is not first]
            if (result := _at(values, label, X)) is not None:
                return exchanged(node, users, (result, (labels[0], own[0])))
    return None


def _is_vectors(node: Node, name: str, output: int) -> bool:
    return isinstance(node, Apply) and node.operator.name == name and node.output == output and node.rank == 2


def _at(values: list[Factor], label: int, X: Node) -> Node | None:
    if any(labels != (label,) for _, labels in values):
        return None
    ones: Factor = (Delta.of(X.shape[0], 1), (0,))
    return matrix_function(product(1, [*((value, (0,)) for value, _ in values), ones], (0,)), X)


def singular_function(node: Node) -> Node | None:
    """U @ diag(s**p) @ Vh = X, pinv(X).T, X @ X.T @ X, ... for the singular value decomposition of X and odd p."""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for left, (row, label) in (factor for factor in factors if _is_vectors(factor[0], "svd", 0)):
        X = left.children[0]
        users = [spot for spot, (_, labels) in enumerate(factors) if label in labels]
        right = [own for f, own in factors if _is_vectors(f, "svd", 2) and own[0] == label and f.children[0] is X]
        middle = [f for f, own in factors if own == (label,)]
        if label < node.rank or len(right) != 1 or len(users) != 2 + len(middle):
            continue
        exponents = [_exponent(value, X) for value in middle]
        if None not in exponents and (found := _odd_power(X, sum(filter(None, exponents)))) is not None:
            return exchanged(node, users, (found, (row, right[0][1])))
    return None


def _exponent(value: Node, X: Node) -> int | None:
    """Return p where a vector is the singular values to the p."""
    if is_singular_values(value, X):
        return 1
    if is_function(value, "power") and is_singular_values(value.children[0], X):
        exponent = constant_value(value.children[1])
        return exponent if isinstance(exponent, int) else None
    return None


def _odd_power(X: Node, exponent: int) -> Node | None:
    inverse = "inv" if X.shape[0] == X.shape[1] else "pinv"
    texts = {-1: f"{inverse}(X).T", 1: "X", 3: "X @ X.T @ X", 5: "X @ X.T @ X @ X.T @ X"}
    return elaborate_text(texts[exponent], {"X": X}) if exponent in texts else None
