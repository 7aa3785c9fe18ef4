"""Derivatives of inverses, determinants, spectra, Kronecker products and norms, as a textbook prints them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matgrad
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

ROWS = [
    # Determinants and inverses of products are opened.
    ("logdet(X @ inv(Y))", "grad", "X", {}, "inv(X).T"),
    ("trace(X @ inv(Y)) - logdet(X @ inv(Y))", "grad", "X", {"X": "spd", "Y": "spd"}, "inv(Y) - inv(X)"),
    ("trace(X @ inv(Y)) - logdet(X @ inv(Y))", "grad", "Y", {"X": "spd", "Y": "spd"}, "P = inv(Y); P - P @ X @ P"),
    ("logdet(X @ X)", "grad", "X", {}, "2*inv(X).T"),
    ("logdet(inv(X))", "grad", "X", {}, "-inv(X).T"),
    ("log(det(X)/det(Y))", "grad", "X", {}, "inv(X).T"),
    ("log(abs(det(X)))", "grad", "X", {}, "inv(X).T"),
    ("log(det(X)**2)", "grad", "X", {}, "2*inv(X).T"),
    ("logdet(kron(A, B))", "grad", "A", {"A": "spd", "B": "spd"}, "m*inv(A)"),
    ("logdet(L @ L.T)", "grad", "L", {"L": "lower"}, "2*diag(1/diagonal(L))"),
    ("trace(inv(a*X))", "grad", "a", {}, "-trace(inv(X))/a**2"),
    ("trace(inv(a*X) @ B)", "grad", "X", {}, "-(inv(X) @ B @ inv(X)).T/a"),
    ("logdet(diag(x))", "grad", "x", {}, "1/x"),
    ("log(1/sqrt(det(2*pi*S)) * exp(-(x-m)@inv(S)@(x-m)/2))", "grad", "m", {"S": "spd"}, "solve(S, x - m)"),
    # Regular matrices, and numbers that are not zero.
    ("det(X)", "grad", "X", {}, "det(X)*inv(X).T"),
    ("det(X)**2", "grad", "X", {}, "2*det(X)**2*inv(X).T"),
    ("1/det(X)", "grad", "X", {}, "-inv(X).T/det(X)"),
    ("abs(det(X))", "grad", "X", {}, "abs(det(X))*inv(X).T"),
    ("prod(x)", "grad", "x", {}, "prod(x)/x"),
    ("prod(x)", "hessian", "x", {}, "prod(x)*(outer(1/x, 1/x) - diag(1/x**2))"),
    ("log(prod(x))", "grad", "x", {"x": "positive"}, "1/x"),
    ("norm(X, 'nuc')", "grad", "X", {}, "svd(X)[0] @ svd(X)[2]"),
    # Eigenvalues, singular values, Cholesky factors.
    ("sum(log(eigvalsh(X)))", "grad", "X", {"X": "spd"}, "inv(X)"),
    ("sum(log(svdvals(X)))", "grad", "X", {"X": "spd"}, "inv(X)"),
    ("2*sum(log(diag(cholesky(X))))", "grad", "X", {"X": "spd"}, "inv(X)"),
    ("log(prod(diag(cholesky(X)))**2)", "grad", "X", {"X": "spd"}, "inv(X)"),
    ("prod(eigvalsh(X))", "grad", "X", {"X": "spd"}, "det(X)*inv(X)"),
    ("sum(eigvalsh(X)**3)", "grad", "X", {"X": "symmetric"}, "3*X @ X"),
    ("sum(1/eigvalsh(X))", "grad", "X", {"X": "spd"}, "-inv(X) @ inv(X)"),
    ("sum(exp(eigvalsh(X)))", "grad", "X", {"X": "symmetric"}, "expm(X)"),
    ("logsumexp(eigvalsh(X))", "grad", "X", {"X": "symmetric"}, "expm(X)/trace(expm(X))"),
    ("sum(sqrt(eigvalsh(X)))", "grad", "X", {"X": "spd"}, "inv(sqrtm(X))/2"),
    ("trace(sqrtm(X))", "grad", "X", {"X": "spd"}, "inv(sqrtm(X))/2"),
    ("trace(X@logm(X) - X@logm(Y) - X + Y)", "grad", "X", {"X": "spd", "Y": "spd"}, "logm(X) - logm(Y)"),
    ("sum(svdvals(X)**4)", "grad", "X", {}, "4*X @ X.T @ X"),
    # Symmetry inside products.
    ("logdet(V.T @ B @ V)", "grad", "V", {"B": "symmetric"}, "2*B @ V @ inv(V.T @ B @ V)"),
    ("trace(inv(V.T @ B @ V))", "grad", "V", {"B": "symmetric"}, "P = inv(V.T @ B @ V); -2*B @ V @ P @ P"),
    # Projectors.
    ("norm(X @ pinv(X) @ y - y)**2", "grad", "y", {}, "2*(y - X @ pinv(X) @ y)"),
    ("norm(y - X @ inv(X.T@X) @ X.T @ y)**2", "hessian", "y", {}, "2*(eye(n) - X @ inv(X.T @ X) @ X.T)"),
    # Kronecker products, and residuals with an identity.
    ("kron(A, X) @ y", "jacobian", "y", {}, "kron(A, X)"),
    ("norm(W.T @ W - eye(3))**2", "grad", "W", {}, "4*W @ (W.T @ W - eye(3))"),
    ("norm(W @ W.T - eye(3))**2", "grad", "W", {}, "4*(W @ W.T - eye(3)) @ W"),
    ("norm(A @ X - eye(3))**2", "grad", "X", {}, "2*A.T @ (A @ X - eye(3))"),
    # Orthogonal variables: in all directions.
    ("trace(X.T @ M)", "grad", "X", {"X": "orthogonal"}, "M"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "kind", "wrt", "assume", "printed"), ROWS)
def test_formulas_that_a_textbook_prints(
    expression: str, kind: str, wrt: str, assume: dict[str, str], printed: str
) -> None:
    derivative = getattr(matgrad, kind)(expression, wrt=wrt, assume=assume)
    assert derivative.formula == printed


@pytest.mark.parametrize("expression", ["max(eigvalsh(X))", "eigvalsh(X)[-1]"])
def test_the_gradient_of_the_largest_eigenvalue_is_of_its_vector_alone(expression: str) -> None:
    derivative = matgrad.grad(expression, wrt="X", assume={"X": "symmetric"})
    assert "eigh(X)[1][:, -1]; outer(" in derivative.formula


@pytest.mark.parametrize(
    ("expression", "value", "formula", "condition"),
    [
        ("det(X)", [[1.0, 2.0], [3.0, 4.0]], "det(X)*inv(X).T", "det(X) != 0"),
        ("det(X)", [[1.0, 2.0], [2.0, 4.0]], "cofactor(X)", ""),
        ("prod(X[0])", [[1.0, 2.0], [3.0, 4.0]], "prod(X[0])*outer(eye(n)[0], 1/X[0])", "min(abs(X[0])) > 0"),
    ],
)
def test_a_formula_says_where_it_holds_and_gives_way_where_it_does_not(
    expression: str, value: list[list[float]], formula: str, condition: str
) -> None:
    problem = Problem.of(expression, "grad", ("X",))
    result = answer(problem, {"X": Input(np.array(value), "test")}, Wishes()).results[0]
    assert (result.formula, result.condition) == (formula, condition)


def test_printed_code_holds_for_singular_matrices() -> None:
    namespace: dict[str, Callable[[np.ndarray], tuple[float, np.ndarray]]] = {}
    exec(matgrad.grad("det(X)", wrt="X", shapes={"X": (2, 2)}).code("numpy"), namespace)
    _, gradient = namespace["gradient"](np.array([[1.0, 2.0], [2.0, 4.0]]))
    assert_allclose(gradient, [[4, -2], [-2, 1]])
