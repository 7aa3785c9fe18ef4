"""Means, centring and variances, softmax and cross entropy: the forms that textbooks print."""

from __future__ import annotations

from typing import Any

import pytest

import matgrad

SHAPES = {"X": (5, 3), "Y": (4, 3), "G": (5, 3)}


def printed(expression: str, kind: str, wrt: str, **known: Any) -> str | None:
    shapes = {name: shape for name, shape in SHAPES.items() if name in expression}
    formula: str | None = getattr(matgrad, kind)(expression, wrt=wrt, shapes=shapes, **known).formula
    return formula


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "formula"),
    [
        ("var(x)", "grad", "x", "2*(x - mean(x))/n"),
        ("var(x, ddof=1)", "grad", "x", "2*(x - mean(x))/(n - 1)"),
        ("mean(x**2) - mean(x)**2", "grad", "x", "2*(x - mean(x))/n"),
        ("sum((x - sum(x)/count(x))**2)", "grad", "x", "2*(x - mean(x))"),
        ("sum((x - mean(x))**2)", "grad", "x", "2*(x - mean(x))"),
        ("sum((X - mean(X, axis=0))**2)", "grad", "X", "2*(X - mean(X, axis=0))"),
        ("sum((X - mean(X, axis=1, keepdims=True))**2)", "grad", "X", "2*(X - mean(X, axis=1)[:, None])"),
        ("sum((X - mean(X))**2)", "grad", "X", "2*(X - mean(X))"),
        ("sum(var(X, axis=0))", "grad", "X", "2*(X - mean(X, axis=0))/n"),
        ("mean((x - mean(x))*(y - mean(y)))", "grad", "x", "(y - mean(y))/n"),
        ("mean(x*y) - mean(x)*mean(y)", "grad", "x", "(y - mean(y))/n"),
        ("mean(abs(x - mean(x)))", "grad", "x", "u = sign(x - mean(x)); (u - mean(u))/n"),
        ("mean(X @ w)", "grad", "w", "mean(X, axis=0)"),
        (
            "logdet((X - mean(X, axis=0)).T @ (X - mean(X, axis=0)))",
            "grad",
            "X",
            "M = X - mean(X, axis=0); 2*M @ inv(M.T @ M)",
        ),
        (
            "norm(mean(X, axis=0) - mean(Y, axis=0))**2",
            "grad",
            "X",
            "2*outer(ones(n), mean(X, axis=0) - mean(Y, axis=0))/n",
        ),
    ],
)
def test_means(expression: str, kind: str, wrt: str, formula: str) -> None:
    assert printed(expression, kind, wrt) == formula


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "formula"),
    [
        ("x - mean(x)", "jacobian", "x", "eye(n) - ones((n, n))/n"),
        ("var(x)", "hessian", "x", "2*(eye(n) - ones((n, n))/n)/n"),
        ("sum((x[:, None] - x[None, :])**2)", "hessian", "x", "4*(n*eye(n) - ones((n, n)))"),
        ("log_softmax(x)", "jacobian", "x", "eye(n) - outer(ones(n), softmax(x))"),
        ("mean(x)*x", "jacobian", "x", "mean(x)*eye(n) + outer(x, ones(n))/n"),
    ],
)
def test_to_a_matrix_only_matrices_are_added(expression: str, kind: str, wrt: str, formula: str) -> None:
    assert printed(expression, kind, wrt) == formula
