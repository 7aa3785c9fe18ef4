"""Parts of formulas that have names: what is named, and by which letter."""

from __future__ import annotations

from typing import Any

import pytest

import matgrad

ROWS: list[tuple[str, str, str, dict[str, Any], str]] = [
    # What is repeated in a long formula has a name, in a short one it has none.
    ("mean((W2 @ tanh(W1 @ x) - y)**2)", "grad", "W2", {}, "t = tanh(W1 @ x); 2*outer(W2 @ t - y, t)/n"),
    ("norm(x - mean(x))", "grad", "x", {}, "(x - mean(x))/norm(x - mean(x))"),
    # Capitals for matrices, small letters for vectors and numbers, whatever they are made of.
    (
        "sum(softmax(X @ W, axis=1)*G)",
        "grad",
        "X",
        {},
        "P = softmax(X @ W, axis=1); (G*P - diag(sum(G*P, axis=1)) @ P) @ W.T",
    ),
    ("x/sqrt(1 + mean(x**2))", "jacobian", "x", {}, "r = sqrt(1 + mean(x**2)); eye(n)/r - outer(x, x)/(n*r**3)"),
    (
        "norm(X - mean(X, axis=0))/sum(exp(X))",
        "grad",
        "X",
        {},
        "M = X - mean(X, axis=0); E = exp(X); (M/norm(M) - norm(M)*E/sum(E))/sum(E)",
    ),
    # Minus a part is minus its name.
    (
        "sum((X @ W)**2/(1 + exp(-X @ W)))",
        "grad",
        "X",
        {},
        "M = X @ W; (2*sigmoid(M)*M + sigmoid(M)*M**2*sigmoid(-M)) @ W.T",
    ),
]


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "shapes", "printed"), ROWS, ids=[f"{row[1]} of {row[0]} by {row[2]}" for row in ROWS]
)
def test_parts_are_named_as_authors_name_them(
    expression: str, kind: str, wrt: str, shapes: dict[str, Any], printed: str
) -> None:
    assert getattr(matgrad, kind)(expression, wrt=wrt, **({"shapes": shapes} if shapes else {})).formula == printed
