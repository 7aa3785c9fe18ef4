"""Sums of slices and of differences between pairs, in the form in which an author would print them."""

from __future__ import annotations

import pytest

from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

SMOOTH = "sum((x[2:] - 2*x[1:-1] + x[:-2])**2)"
FIRST = "D = eye(n)[1:] - eye(n)[:-1]; "
PAIRS = "sum((x[:, None] - x)**2)"
WEIGHTED = "sum(W*(x[:, None] - x)**2)"
MEANS = "sum(R*sum((X[:, None] - C)**2, axis=2))"
CONVOLVED = "sum((h[0]*x[2:] + h[1]*x[1:-1] + h[2]*x[:-2] - y)**2)"

PRINTED = [
    ("sum((x[1:] - x[:-1])**2)", "gradient", "x", "", FIRST + "2*D.T @ D @ x"),
    ("sum((x[1:] - x[:-1])**2)", "hessian", "x", "", FIRST + "2*D.T @ D"),
    ("sum((x[:-1] - x[1:])**2)", "hessian", "x", "", "D = eye(n)[:-1] - eye(n)[1:]; 2*D.T @ D"),
    ("sum(diff(x)**2)", "gradient", "x", "", FIRST + "2*D.T @ D @ x"),
    ("norm(diff(x))**2/2 + norm(x - y)**2/2", "hessian", "x", "", FIRST + "eye(n) + D.T @ D"),
    (SMOOTH, "gradient", "x", "", "D = eye(n)[2:] - 2*eye(n)[1:-1] + eye(n)[:-2]; 2*D.T @ D @ x"),
    (SMOOTH, "hessian", "x", "", "D = eye(n)[2:] - 2*eye(n)[1:-1] + eye(n)[:-2]; 2*D.T @ D"),
    ("sum(((x[2:] - x[:-2])/2)**2)", "hessian", "x", "", "D = eye(n)[2:] - eye(n)[:-2]; D.T @ D / 2"),
    ("sum((X[1:] - X[:-1])**2)", "gradient", "X", "", FIRST + "2*D.T @ D @ X"),
    ("sum((X[1:] - X[:-1])**2)", "hessian", "X", "", FIRST + "2*einsum('ik,jl->ijkl', D.T @ D, eye(m))"),
    ("sum((X[:, 1:] - X[:, :-1])**2)", "gradient", "X", "", "D = eye(m)[1:] - eye(m)[:-1]; 2*X @ D.T @ D"),
    ("sum(abs(x[1:] - x[:-1]))", "gradient", "x", "", FIRST + "D.T @ sign(D @ x)"),
    ("sum(exp(x[1:] - x[:-1]))", "gradient", "x", "", FIRST + "D.T @ exp(D @ x)"),
    ("sum(exp(x[1:] - x[:-1]))", "hessian", "x", "", FIRST + "D.T @ diag(exp(D @ x)) @ D"),
    ("sum((c*x[1:] + x[:-1])**2)", "gradient", "x", "c", "D = c*eye(n)[1:] + eye(n)[:-1]; 2*D.T @ D @ x"),
    (PAIRS, "gradient", "x", "", "4*(n*x - sum(x))"),
    (PAIRS, "hessian", "x", "", "4*(n*eye(n) - ones((n, n)))"),
    ("sum((X[:, None] - X)**2)", "gradient", "X", "", "4*(n*X - sum(X, axis=0))"),
    ("sum(abs(x[:, None] - x))", "gradient", "x", "", "2*sum(sign(x[:, None] - x), axis=1)"),
    ("sum((x[:, None] - y)**2)", "gradient", "x", "", "2*(m*x - sum(y))"),
    (WEIGHTED, "gradient", "x", "", "2*(diag(sum(W + W.T, axis=1)) - W - W.T) @ x"),
    ("sum(R*(x[:, None] - c)**2)", "gradient", "x", "", "2*(x*sum(R, axis=1) - R @ c)"),
    (MEANS, "gradient", "C", "", "2*(diag(sum(R, axis=0)) @ C - R.T @ X)"),
    (MEANS, "gradient", "X", "", "2*(diag(sum(R, axis=1)) @ X - R @ C)"),
    (CONVOLVED, "gradient", "x", "", "D = h[0]*eye(m)[2:] + h[1]*eye(m)[1:-1] + h[2]*eye(m)[:-2]; 2*D.T @ (D @ x - y)"),
    (
        "log(sum(exp(-sum((x - C)**2, axis=1)/2)))",
        "gradient",
        "x",
        "",
        "(C - x).T @ softmax(-sum((x - C)**2, axis=1)/2)",
    ),
    ("trace(P @ (A.T @ P + P @ A))", "gradient", "P", "", "(P @ (A + A.T) + (A + A.T) @ P).T"),
    ("sum(x[:-1]**2)", "gradient", "x", "", "2*concatenate([x[:-1], [0]])"),
    ("sum(x[:-1]**2)", "hessian", "x", "", "2*diag(concatenate([ones(n - 1), [0]]))"),
    ("sum(x[2:]**2)", "gradient", "x", "", "2*concatenate([zeros(2), x[2:]])"),
    ("sum(x[1:]*x[:-1])", "gradient", "x", "", "concatenate([x[1:], [0]]) + concatenate([[0], x[:-1]])"),
    ("x[1:-1] @ c", "gradient", "x", "", "concatenate([[0], c, [0]])"),
    ("x[1:] - x[:-1]", "jacobian", "x", "", "eye(n)[1:] - eye(n)[:-1]"),
]


@pytest.mark.parametrize(("expression", "kind", "wrt", "scalars", "printed"), PRINTED)
def test_the_formula_is_an_authors(expression: str, kind: str, wrt: str, scalars: str, printed: str) -> None:
    problem = Problem.of(expression, kind, (wrt,))
    result = answer(problem, {}, Wishes(declared=dict.fromkeys(scalars.split(), ()))).results[0]
    assert result.formula == printed
    assert result.check is not None
    assert result.check.formula is not None
    assert result.check.formula <= 1e-8


def test_a_gradient_by_few_numbers_is_a_literal() -> None:
    result = answer(Problem.of(CONVOLVED, "gradient", ("h",)), {}, Wishes(declared={"h": (3,), "x": (7,)})).results[0]
    slices = "2*[x[2:] @ u, x[1:-1] @ u, x[:-2] @ u]"
    assert result.formula == f"u = h[0]*x[2:] + h[1]*x[1:-1] + h[2]*x[:-2] - y; {slices}"
    assert result.condition == "h.shape == (3,)"
