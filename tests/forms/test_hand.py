"""Formulas in the hand of an author: the order as typed, one fraction bar, nothing that a reader would shorten."""

from __future__ import annotations

from typing import Any

import pytest

import matgrad

ROWS: list[tuple[str, str, str, dict[str, Any], str]] = [
    # Each edge of a product is one factor, however many are alike.
    ("sum((x[:, None] - x)**4)", "grad", "x", {}, "8*sum((x[:, None] - x)**3, axis=1)"),
    # Terms and factors in the order in which they were typed.
    ("norm(X @ w - y)**2 + lam*norm(w)**2", "grad", "w", {"lam": ()}, "2*(X.T @ (X @ w - y) + lam*w)"),
    ("norm(X @ w - y)**2 + lam*norm(w)**2", "hessian", "w", {"lam": ()}, "2*(X.T @ X + lam*eye(m))"),
    ("sum(tanh(W @ x + b))", "grad", "b", {}, "1 - tanh(W @ x + b)**2"),
    ("trace(S @ T) - logdet(T) + lam*sum(abs(T))", "grad", "T", {"lam": ()}, "S.T - inv(T).T + lam*sign(T)"),
    ("sum((A*X)**2)", "grad", "X", {}, "2*A**2*X"),
    ("norm(W2 @ relu(W1 @ x) - y)**2", "grad", "x", {}, "2*W1.T @ ((W2.T @ (W2 @ relu(W1 @ x) - y))*(W1 @ x > 0))"),
    # One fraction bar, and no fraction in a fraction of numbers.
    ("sum((X @ w - y)**2)/(2*s**2)", "grad", "w", {"s": ()}, "X.T @ (X @ w - y) / s**2"),
    ("mean(X**2)", "grad", "X", {"X": (3, 4)}, "2*X/(n*m)"),
    ("log(s) + (x - m)**2/(2*s**2)", "grad", "s", {"x": (), "m": (), "s": ()}, "1/s - (x - m)**2/s**3"),
    ("A*exp(-E/(R*T))", "grad", "T", dict.fromkeys("AERT", ()), "A*E*exp(-E/(R*T))/(R*T**2)"),
    # Sums are opened where terms meet, numbers are as they are typed.
    ("r*x*(1 - x)", "jacobian", "x", {"r": (), "x": (4,)}, "r*diag(1 - 2*x)"),
    ("norm(a - p)**2 - norm(a - q)**2", "grad", "a", {}, "2*(q - p)"),
    ("sum(sqrt(x**2 + 1e-6))", "grad", "x", {}, "x/sqrt(x**2 + 1e-6)"),
    ("x @ (A*B) @ y", "grad", "x", {}, "A*B @ y"),
    ("3*x @ (A*B) @ y", "grad", "x", {}, "3*(A*B) @ y"),
    # Branches as where, no mask twice, comparisons as an author writes them.
    (
        "sum(where(abs(r) <= d, r**2/2, d*(abs(r) - d/2)))",
        "grad",
        "r",
        {"r": (4,), "d": ()},
        "where(abs(r) <= d, r, d*sign(r))",
    ),
    ("sum(where(x > 0, x, a*(exp(x) - 1)))", "grad", "x", {"x": (4,), "a": ()}, "where(x > 0, 1, a*exp(x))"),
    ("sum(where(x < 0, 0, x**2))", "grad", "x", {}, "2*x*(x >= 0)"),
    ("sum(relu(X @ w - y)**2)", "grad", "w", {}, "2*X.T @ relu(X @ w - y)"),
    ("sum(relu(X @ w - y)**2)", "hessian", "w", {}, "2*X.T @ diag(X @ w > y) @ X"),
    ("sum(maximum(0, 1 - y*(X @ w)))", "grad", "w", {}, "-X.T @ (y*(y*(X @ w) < 1))"),
    ("sum(maximum(0, w @ x + b))", "grad", "b", {"w": (3,), "x": (3,), "b": ()}, "w @ x + b > 0"),
    ("sum(maximum(0, abs(y - X @ w) - t))", "grad", "w", {"t": ()}, "-X.T @ (sign(y - X @ w)*(abs(y - X @ w) > t))"),
    ("r = y - X @ w; sum(where(r >= 0, q*r, (q - 1)*r))", "grad", "w", {"q": ()}, "-X.T @ (q - (X @ w > y))"),
    ("sum(abs(x)**p)", "grad", "x", {"p": (), "x": (4,)}, "p*sign(x)*abs(x)**(p - 1)"),
    ("sum(abs(x)**3)", "grad", "x", {}, "3*x*abs(x)"),
    # Few numbers as a literal.
    (
        "[-b*x[0]*x[1], b*x[0]*x[1] - g*x[1], g*x[1]]",
        "jacobian",
        "x",
        {"x": (3,), "b": (), "g": ()},
        "[[-b*x[1], -b*x[0], 0], [b*x[1], b*x[0] - g, 0], [0, g, 0]]",
    ),
    (
        "[a*x[0] - b*x[0]*x[1], d*x[0]*x[1] - c*x[1]]",
        "jacobian",
        "x",
        {"x": (2,), **dict.fromkeys("abcd", ())},
        "[[a - b*x[1], -b*x[0]], [d*x[1], d*x[0] - c]]",
    ),
    ("x[0]**2 + sin(x[1])", "grad", "x", {"x": (2,)}, "[2*x[0], cos(x[1])]"),
    ("x[0]*x[1]*x[2]", "hessian", "x", {"x": (3,)}, "[[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]]"),
]


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "shapes", "printed"), ROWS, ids=[f"{row[1]} of {row[0]} by {row[2]}" for row in ROWS]
)
def test_formulas_in_an_authors_hand(
    expression: str, kind: str, wrt: str, shapes: dict[str, Any], printed: str
) -> None:
    assert getattr(matgrad, kind)(expression, wrt=wrt, **({"shapes": shapes} if shapes else {})).formula == printed
