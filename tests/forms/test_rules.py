"""Formulas of many families as an author would publish them, each the work of one rule."""

from __future__ import annotations

from typing import Any

import pytest

import matgrad

ROWS: list[tuple[str, str, str, dict[str, str], dict[str, Any], str]] = [
    # Quotients that recur have one name: z-scores, ratios of contractions; powers of one are read as typed.
    (
        "(x - mean(x))/std(x)",
        "jacobian",
        "x",
        {},
        {},
        "z = (x - mean(x))/std(x); (eye(n) - (ones((n, n)) + outer(z, z))/n)/std(x)",
    ),
    (
        "(x - mean(x))/sqrt(var(x) + 1e-5)",
        "jacobian",
        "x",
        {},
        {},
        "r = sqrt(var(x) + 1e-5); z = (x - mean(x))/r; (eye(n) - (ones((n, n)) + outer(z, z))/n)/r",
    ),
    ("c @ ((x - mean(x))/std(x))", "grad", "x", {}, {}, "z = (x - mean(x))/std(x); (c - mean(c) - (c @ z)*z/n)/std(x)"),
    (
        "mean(((x - mean(x))/std(x))**4)",
        "grad",
        "x",
        {},
        {},
        "z = (x - mean(x))/std(x); 4*(z**3 - mean(z**3) - mean(z**4)*z)/(n*std(x))",
    ),
    (
        "x @ A @ x/(x @ B @ x)",
        "grad",
        "x",
        {"A": "symmetric", "B": "spd"},
        {},
        "r = (x @ A @ x)/(x @ B @ x); 2*(A - r*B) @ x / (x @ B @ x)",
    ),
    ("(w @ m)**2/(w @ S @ w)", "grad", "w", {"S": "spd"}, {}, "r = w @ m / (w @ S @ w); 2*r*(m - r*S @ w)"),
    ("4*e*((s/r)**12 - (s/r)**6)", "grad", "r", {}, {"e": (), "s": (), "r": ()}, "-24*e*(2*(s/r)**12 - (s/r)**6)/r"),
    # Without a repetition there is nothing to name.
    (
        "-n*log(s) - norm(x - mu)**2/(2*s**2)",
        "grad",
        "s",
        {},
        {"x": (4,), "mu": (4,), "s": (), "n": ()},
        "norm(x - mu)**2/s**3 - n/s",
    ),
    # One denominator.
    ("V*s/(K + s)", "grad", "s", {}, {"V": (), "K": (), "s": ()}, "V*K/(K + s)**2"),
    ("sum(a*x**2/(b + x**2))", "grad", "x", {}, {"x": (4,), "a": (), "b": ()}, "2*a*b*x/(b + x**2)**2"),
    ("x - log(1 + x)", "grad", "x", {}, {"x": ()}, "x/(1 + x)"),
    # Powers of one thing.
    ("norm(x)**p", "grad", "x", {}, {"x": (4,), "p": ()}, "p*norm(x)**(p - 2)*x"),
    ("sqrt(det(X))", "grad", "X", {}, {}, "sqrt(det(X))*inv(X).T/2"),
    # Numbers that are known.
    ("logaddexp(x, x)*x", "jacobian", "x", {}, {}, "diag(x + logaddexp(x, x))"),
    ("sum(p*log(p/q))", "grad", "p", {"p": "positive", "q": "positive"}, {}, "1 + log(p/q)"),
    # A matrix in front of a softmax.
    ("logsumexp(A @ x + b)", "hessian", "x", {}, {}, "p = softmax(A @ x + b); A.T @ (diag(p) - outer(p, p)) @ A"),
    (
        "softmax(q @ K.T / sqrt(d)) @ V",
        "jacobian",
        "q",
        {},
        {"q": (3,), "K": (5, 3), "V": (5, 2), "d": ()},
        "p = softmax(K @ q / sqrt(d)); V.T @ (diag(p) - outer(p, p)) @ K / sqrt(d)",
    ),
    # Centred products.
    ("var(X @ w)", "grad", "w", {}, {}, "2*X.T @ (X @ w - mean(X @ w)) / n"),
    ("std(X @ w)", "grad", "w", {}, {}, "X.T @ (X @ w - mean(X @ w)) / (n*std(X @ w))"),
    ("var(X @ w)", "hessian", "w", {}, {}, "2*(X - mean(X, axis=0)).T @ X / n"),
    ("trace(cov(X.T))", "grad", "X", {}, {"X": (4, 3)}, "2*(X - mean(X, axis=0))/(n - 1)"),
    # Inverses beside solutions; repeated solutions have a name.
    (
        "logdet(W @ W.T + s*eye(4)) + trace(solve(W @ W.T + s*eye(4), S))",
        "grad",
        "W",
        {"S": "spd"},
        {"W": (4, 2), "s": (), "S": (4, 4)},
        "P = inv(W @ W.T + s*eye(4)); 2*(P - P @ S @ P) @ W",
    ),
    ("y @ solve(K, y) + logdet(K)", "grad", "K", {"K": "spd"}, {}, "u = solve(K, y); inv(K) - outer(u, u)"),
    ("trace(inv(A @ X @ A.T))", "grad", "X", {}, {}, "M = inv(A @ X @ A.T).T; -A.T @ M @ M @ A"),
    # Hessians that show their symmetry.
    (
        "x @ y/(norm(x)*norm(y))",
        "hessian",
        "x",
        {},
        {},
        "((x @ y)*(3*outer(x, x)/norm(x)**2 - eye(n)) - outer(y, x) - outer(x, y))/(norm(x)**3*norm(y))",
    ),
    (
        "a @ x/(c @ x)",
        "hessian",
        "x",
        {},
        {},
        "r = a @ x / (x @ c); (2*r*outer(c, c) - outer(c, a) - outer(a, c))/(x @ c)**2",
    ),
    # The order that was typed, signs, sums.
    (
        "x/sqrt(mean(x**2) + 1e-6)",
        "jacobian",
        "x",
        {},
        {},
        "r = sqrt(mean(x**2) + 1e-6); (eye(n) - outer(x, x)/(n*r**2))/r",
    ),
    ("sqrt(norm(x)**2 + 1)", "hessian", "x", {}, {}, "r = sqrt(x @ x + 1); (eye(n) - outer(x, x)/r**2)/r"),
    ("-log(sigmoid(x @ y - x @ z))", "grad", "x", {}, {}, "sigmoid(x @ z - x @ y)*(z - y)"),
    ("sum((x - mean(x))**4)/4", "grad", "x", {}, {}, "u = (x - mean(x))**3; u - mean(u)"),
    ("norm(softmax(x) - y)**2", "grad", "x", {}, {}, "p = softmax(x); 2*p*(p - y - p @ (p - y))"),
    (
        "(1 - x[0])**2 + 100*(x[1] - x[0]**2)**2",
        "hessian",
        "x",
        {},
        {"x": (2,)},
        "[[2*(1 + 600*x[0]**2 - 200*x[1]), -400*x[0]], [-400*x[0], 200]]",
    ),
]


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "assume", "shapes", "printed"), ROWS, ids=[f"{row[1]} of {row[0]}" for row in ROWS]
)
def test_formulas_are_those_of_an_author(
    expression: str, kind: str, wrt: str, assume: dict[str, str], shapes: dict[str, Any], printed: str
) -> None:
    known = {"shapes": shapes} if shapes else {}
    assert getattr(matgrad, kind)(expression, wrt=wrt, assume=assume, **known).formula == printed
