"""Values opened for readers before they are differentiated: `logdet(X @ inv(Y))` as `logdet(X) - logdet(Y)`.

Each rewrite is one function with one line that states it; it gets a node and returns an equal one whose derivative
is shorter, or None. A determinant may be negative on the other side, and a logarithm take its absolute value: they
serve formulas alone, which are compared with the numbers of what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.infix import matmul, power, times
from ..graph.algebra import add, constant_value, number, product, scale
from ..graph.factoring import Factored, diagonal_entries, factored, kronecker_factors
from ..graph.nodes import Apply, Map, Node, Product, Symbol, is_function, topological
from ..graph.ratios import reciprocal
from ..graph.transform import transform_once
from .shifts import shifted_sum
from .spectra import matrix_function, symmetric_part

Rewrite = Callable[[Any], Node | None]


def opened(root: Node) -> Node:
    """Return a value with every rewrite applied, leaves first."""
    return transform_once([root], _opened)[0]


def _opened(node: Node) -> Node:
    kind = node.operator.name if isinstance(node, Map | Apply) else type(node).__name__
    found = REWRITES[kind](node) if kind in REWRITES else None
    return node if found is None else opened(found)


def log_of_determinant(node: Apply) -> Node | None:
    """logdet(c * A @ B) = n*log(c) + logdet(A) + logdet(B), and so for inverses and Cholesky factors."""
    (X,) = node.children
    if node.rank or (node.operator.name == "slogdet" and node.output != 1):
        return None
    if (parts := factored(X)) is not None:
        return add(
            [(X.shape[0], _log(scalar)) for scalar in _scalars(parts)] + [(1, _logdet(M)) for M in parts.matrices], ()
        )
    if (entries := _eigenvalues(X)) is not None:
        return elaborate_text("sum(log(x))", {"x": entries})
    if (pair := kronecker_factors(X)) is not None:
        A, B = pair
        return add([(B.shape[0], _logdet(A)), (A.shape[0], _logdet(B))], ())
    return _by_name(X, {"inv": "-slogdet(X)[1]", "expm": "trace(X)", "cholesky": "slogdet((X + X.T)/2)[1]/2",
                        "sqrtm": "slogdet(X)[1]/2"})  # fmt: skip


def determinant(node: Apply) -> Node | None:
    """det(c * A @ B) = c**n * det(A) * det(B), and so for inverses, exponentials and diagonal matrices."""
    (X,) = node.children
    if node.rank:
        return None
    if (parts := factored(X)) is not None:
        powers = [power(scalar, number(X.shape[0])) for scalar in _scalars(parts)]
        return reduce(times, [*powers, *(call("det", M) for M in parts.matrices)])
    if (entries := _eigenvalues(X)) is not None:
        return call("prod", entries)
    return _by_name(X, {"inv": "1/det(X)", "expm": "exp(trace(X))"})


def _eigenvalues(X: Node) -> Node | None:
    """Return the diagonal of a matrix that is diagonal or triangular."""
    turned = isinstance(X, Product) and X.coefficient == 1 and X.labels == ((1, 0),)
    symbol = X.children[0] if turned else X
    triangular = isinstance(symbol, Symbol) and not symbol.assumptions.isdisjoint({"lower", "upper", "diagonal"})
    return elaborate_text("diagonal(X)", {"X": symbol}) if triangular else diagonal_entries(X)


def inverse(node: Apply) -> Node | None:
    """inv(c * A @ B) = inv(B) @ inv(A) / c, inv(inv(X)) = X, inv(diag(x)) = diag(1/x)."""
    (X,) = node.children
    if node.rank != 2:
        return None
    if (parts := factored(X)) is not None:
        return _divided(reduce(matmul, [call("inv", M) for M in reversed(parts.matrices)]), parts)
    if (entries := diagonal_entries(X)) is not None:
        return elaborate_text("diag(1/x)", {"x": entries})
    if (pair := kronecker_factors(X)) is not None:
        return call("kron", *(call("inv", M) for M in pair))
    return _by_name(X, {"inv": "X", "expm": "expm(-X)"})


def solution(node: Apply) -> Node | None:
    """solve(c * A @ B, y) = solve(B, solve(A, y)) / c."""
    X, y = node.children
    if node.batch or (parts := factored(X)) is None:
        return None
    return _divided(reduce(lambda right, M: call("solve", M, right), parts.matrices, y), parts)


def logarithm(node: Map) -> Node | None:
    """log(f**p * g) = p*log(f) + log(g) for numbers, log(prod(x)) = sum(log(x)), log(exp(x)) = x."""
    (inner,) = node.children
    if node.rank:
        return None
    if isinstance(inner, Product) and inner.children and not any(inner.labels):
        factors = [number(inner.coefficient), *inner.children]
        return add([(1, _log(factor)) for factor in factors], ())
    if is_function(inner, "power") and (p := constant_value(inner.children[1])) is not None:
        return scale(p, _log(inner.children[0]))
    meanings = {"exp": "x", "sqrt": "log(x)/2", "det": "slogdet(x)[1]", "prod": "sum(log(x))"}
    return _by_name(inner, meanings)


# --- eigenvalues and singular values ---------------------------------------------------------------------------------


def sum_over_spectrum(node: Product) -> Node | None:
    """sum(log(eigvalsh(X))) = logdet(X), and so for svdvals and cholesky; sum(eigvalsh(X)**2) = trace(X @ X)."""
    if node.rank or len({labels for labels in node.labels if labels}) != 1:
        return None
    vectors = [operand for operand, labels in node.factors if labels]
    if any(vector.rank != 1 for vector in vectors):
        return None
    total = _total(vectors)
    if total is None:
        return None
    return scale(node.coefficient, reduce(times, [operand for operand, labels in node.factors if not labels], total))


def _total(vectors: Sequence[Node]) -> Node | None:
    """Return the sum of a product of vectors, each a function of the same eigenvalues."""
    if len(vectors) == 1 and is_function(vectors[0], "log"):
        values = vectors[0].children[0]
        times_of = len(values.children) if isinstance(values, Product) and len(set(values.factors)) == 1 else 1
        found = _log_of_product(values.children[0] if times_of > 1 else values)
        return None if found is None else scale(times_of, found)
    eigenvalues = [node for vector in vectors for node in topological([vector]) if is_function(node, "eigvalsh")]
    simple = all(_is_simple(vector) for vector in vectors)
    if len(set(eigenvalues)) != 1 or not simple:
        return None
    X = eigenvalues[0].children[0]
    found = matrix_function(product(1, [(vector, (0,)) for vector in vectors], (0,)), X)
    return None if found is None else call("trace", found)


def _is_simple(vector: Node) -> bool:
    """Whether a function of eigenvalues is differentiated well as a function of the matrix: powers, exponentials."""
    if is_function(vector, "power"):
        return isinstance(constant_value(vector.children[1]), int) and _is_simple(vector.children[0])
    return is_function(vector, "eigvalsh") or (is_function(vector, "exp") and _is_simple(vector.children[0]))


def _log_of_product(values: Node) -> Node | None:
    """Return the logarithm of the product of numbers that say what a determinant is."""
    if is_function(values, "eigvalsh") and values.rank == 1:
        return _logdet(symmetric_part(values.children[0]))
    if is_function(values, "svdvals") and len({*values.children[0].shape}) == 1 and values.rank == 1:
        return _logdet(values.children[0])
    if isinstance(values, Product) and values.labels == ((0, 0),) and is_function(values.children[0], "cholesky"):
        (factor,) = values.children
        return scale(Fraction(1, 2), _logdet(symmetric_part(factor.children[0])))
    return None


def product_over_spectrum(node: Apply) -> Node | None:
    """prod(eigvalsh(X)) = det(X)."""
    (values,) = node.children
    if node.rank or not is_function(values, "eigvalsh"):
        return None
    return call("det", symmetric_part(values.children[0]))


def extreme(node: Apply) -> Node | None:
    """max(eigvalsh(X)) = eigvalsh(X)[-1], for eigenvalues ascend and singular values descend."""
    (values,) = node.children
    ascending = is_function(values, "eigvalsh")
    if node.rank or not (ascending or is_function(values, "svdvals")):
        return None
    return elaborate_text("x[-1]" if (node.operator.name == "max") == ascending else "x[0]", {"x": values})


def norm_of_spectrum(node: Apply) -> Node | None:
    """norm(svdvals(X)) = norm(X)."""
    (values,) = node.children
    if node.rank or not (is_function(values, "eigvalsh") or is_function(values, "svdvals")):
        return None
    X = values.children[0]
    return call("norm", X if is_function(values, "svdvals") else symmetric_part(X))


def _by_name(node: Node, meanings: Mapping[str, str]) -> Node | None:
    """Return what a function of one operand is in this place, None where that is not said."""
    if (
        not isinstance(node, Map | Apply)
        or node.operator.name not in meanings
        or (isinstance(node, Apply) and node.batch)
    ):
        return None
    return elaborate_text(meanings[node.operator.name], {"X": node.children[0], "x": node.children[0]})


def _logdet(matrix: Node) -> Node:
    return elaborate_text("slogdet(X)[1]", {"X": matrix})


def _log(scalar: Node) -> Node:
    return elaborate_text(
        "log(abs(c))" if (c := constant_value(scalar)) is not None and c < 0 else "log(c)", {"c": scalar}
    )


def _scalars(parts: Factored) -> list[Node]:
    """Return the numbers that multiply a product of matrices."""
    return [*parts.scalars] if parts.coefficient == 1 else [number(parts.coefficient), *parts.scalars]


def _divided(result: Node, parts: Factored) -> Node:
    divisors = [power(scalar, number(-1)) for scalar in parts.scalars]
    return scale(reciprocal(parts.coefficient), reduce(times, divisors, result))


REWRITES: Mapping[str, Rewrite] = {
    "logdet": log_of_determinant,
    "slogdet": log_of_determinant,
    "det": determinant,
    "inv": inverse,
    "solve_vector": solution,
    "solve_matrix": solution,
    "log": logarithm,
    "Product": lambda node: sum_over_spectrum(node) or shifted_sum(node),
    "prod": product_over_spectrum,
    "max": extreme,
    "min": extreme,
    "euclidean_norm": norm_of_spectrum,
}
