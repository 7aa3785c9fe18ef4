"""Means, centring and variances, softmax and cross entropy: the forms that textbooks print."""

from __future__ import annotations

from typing import Any

import pytest

import matgrad

SHAPES = {"X": (5, 3), "Y": (4, 3), "G": (5, 3), "W": (3, 2)}


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


@pytest.mark.parametrize(
    ("expression", "wrt", "formula"),
    [
        ("std(x)", "x", "(x - mean(x))/(n*std(x))"),
        ("std(x, ddof=1)", "x", "(x - mean(x))/((n - 1)*std(x, ddof=1))"),
        ("log(std(x))", "x", "(x - mean(x))/(n*std(x)**2)"),
        ("norm(x - mean(x))", "x", "(x - mean(x))/norm(x - mean(x))"),
        ("sum(std(X, axis=0))", "X", "(X - mean(X, axis=0)) @ diag(1/std(X, axis=0)) / n"),
        ("sqrt(var(x) + 1)", "x", "(x - mean(x))/(n*sqrt(var(x) + 1))"),
    ],
)
def test_variances_are_called_so(expression: str, wrt: str, formula: str) -> None:
    assert printed(expression, "grad", wrt) == formula


@pytest.mark.parametrize(
    "expression",
    [
        "sum(softplus(X @ w) - y*(X @ w))",
        "sum(log(1 + exp(X @ w)) - y*(X @ w))",
        "sum(logaddexp(0, X @ w) - y*(X @ w))",
        "sum((1 - y)*(X @ w) + log(1 + exp(-X @ w)))",
        "sum(y*softplus(-X @ w) + (1 - y)*softplus(X @ w))",
        "-sum(y*log(sigmoid(X @ w)) + (1 - y)*log(1 - sigmoid(X @ w)))",
        "-sum(y*log(sigmoid(X @ w)) + (1 - y)*log(sigmoid(-X @ w)))",
        "-sum(y*log(1/(1 + exp(-X @ w))) + (1 - y)*log(1 - 1/(1 + exp(-X @ w))))",
    ],
)
def test_every_spelling_of_cross_entropy_has_the_same_gradient(expression: str) -> None:
    assert printed(expression, "grad", "w") == "X.T @ (sigmoid(X @ w) - y)"


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        ("logsumexp(x) - x @ y", "softmax(x) - y"),
        ("-y @ log_softmax(x)", "sum(y)*softmax(x) - y"),
        ("sum(softmax(x)*log(softmax(x)))", "softmax(x)*(x - x @ softmax(x))"),
        ("-sum(softmax(x)*log_softmax(x))", "softmax(x)*(x @ softmax(x) - x)"),
        ("-sum(one_hot(3, 5)*log_softmax(x))", "softmax(x) - one_hot(3, 5)"),
        ("F.nll_loss(F.log_softmax(x, 0), 7)", "softmax(x) - one_hot(7, n)"),
        ("log_cosh(x, y)", "tanh(x - y)/n"),
    ],
)
def test_the_entries_of_a_softmax_add_up_to_one(expression: str, formula: str) -> None:
    assert printed(expression, "grad", "x") == formula


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        ("logsumexp(X)", "softmax(X)"),
        ("sum(G*softmax(X))", "P = softmax(X); G*P - sum(G*P)*P"),
        ("sum(G*softmax(X, axis=1))", "P = softmax(X, axis=1); G*P - diag(sum(G*P, axis=1)) @ P"),
        ("sum(G*softmax(X, axis=0))", "P = softmax(X, axis=0); G*P - P @ diag(sum(G*P, axis=0))"),
        ("logsumexp(X @ W)", "softmax(X @ W) @ W.T"),
        ("sum(logsumexp(X @ W, axis=1))", "softmax(X @ W, axis=1) @ W.T"),
    ],
)
def test_softmax_over_any_axes(expression: str, formula: str) -> None:
    assert printed(expression, "grad", "X") == formula


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "formula"),
    [
        ("sqrt(mean(x**2))", "grad", "x", "x/(n*sqrt(mean(x**2)))"),
        ("x/sqrt(mean(x**2))", "jacobian", "x", "r = sqrt(mean(x**2)); (eye(n) - outer(x, x)/(n*r**2))/r"),
        ("X @ w - mean(X @ w)", "jacobian", "w", "X - outer(ones(n), mean(X, axis=0))"),
        ("tanh(x) - mean(tanh(x))", "jacobian", "x", "u = 1 - tanh(x)**2; diag(u) - outer(ones(n), u)/n"),
        ("x + sum(x)", "jacobian", "x", "eye(n) + ones((n, n))"),
    ],
)
def test_roots_of_means_and_sums_over_all(expression: str, kind: str, wrt: str, formula: str) -> None:
    assert printed(expression, kind, wrt) == formula
