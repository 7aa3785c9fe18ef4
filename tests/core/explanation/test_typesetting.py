"""Derivations in LaTeX: aligned equations that mathtext accepts, with the names of the steps."""

from __future__ import annotations

import pytest
from mathtext import accepted

from matgrad.core.explanation.derivation import explain
from matgrad.core.explanation.typesetting import in_latex
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes


def derivation(text: str, wrt: str, kind: str = "jacobian") -> list[str]:
    """Return the lines of a derivation."""
    found = in_latex(explain(Problem.of(text, kind, (wrt,)), {}, Wishes()))
    assert found.count(r"\begin{aligned}") == found.count(r"\end{aligned}") > 0
    accepted(found)
    return [line.strip().removesuffix(r" \\") for line in found.splitlines()]


def test_each_step_has_its_name() -> None:
    assert derivation("norm(A @ x - b)**2", "x") == [
        r"\begin{aligned}",
        r"f &= \left\Vert A x - b \right\Vert_{2}^{2}",
        r"\mathrm{d}(A x) &= A \, \mathrm{d}x && \text{linear}",
        r"r &= A x - b",
        r"\mathrm{d}r &= \mathrm{d}(A x) && \text{sum rule}",
        r"\mathrm{d}(\left\Vert r \right\Vert_{2}) &= \frac{r^{\top} \, \mathrm{d}r}{\left\Vert r \right\Vert_{2}}"
        r" && \text{rule of norm}",
        r"\mathrm{d}f &= 2 \left\Vert r \right\Vert_{2} \, \mathrm{d}(\left\Vert r \right\Vert_{2})"
        r" && \text{power rule}",
        r"&= 2 \left\Vert r \right\Vert_{2} \, \frac{r^{\top} (A \, \mathrm{d}x)}{\left\Vert r \right\Vert_{2}}",
        r"&= 2 r^{\top} (A \, \mathrm{d}x) && \text{numbers drawn out}",
        r"&= 2 r^{\top} A \, \mathrm{d}x && \text{sum(u*v) = u @ v}",
        r"&= 2 (A^{\top} r)^{\top} \, \mathrm{d}x && \text{collected: } G^{\top} \, \mathrm{d}x",
        r"\frac{\partial f}{\partial x} &= 2 A^{\top} (A x - b)",
        r"\end{aligned}",
    ]


@pytest.mark.parametrize(
    ("text", "wrt", "kind", "wanted"),
    [
        ("inv(X)", "X", "jacobian", r"\mathrm{d}F &= -X^{-1} \, \mathrm{d}X \, X^{-1} && \text{rule of inv}"),
        ("X.T @ X", "X", "jacobian", r"\mathbf{K}_{n, m}"),
        ("trace(inv(X) @ A)", "X", "jacobian", r"\operatorname{tr}(P Q) = \operatorname{tr}(Q P)"),
        ("x.T @ A @ x", "x", "hessian", r"\mathrm{d}^{2}f &= \mathrm{d}x^{\top} \, (A + A^{\top}) \, \mathrm{d}x"),
        ("std(x)", "x", "jacobian", r"\bar{x} &= \frac{1}{n} \mathbf{1}^{\top} x"),
        ("mean(log(1 + exp(-y*(X @ w))))", "w", "jacobian", r"\sigma(t) &= \frac{1}{1 + \exp(-t)}"),
        ("r = A @ x - b; r @ r", "x", "jacobian", r"(A \, \mathrm{d}x)^{\top} r"),
        ("softmax(A @ x)", "x", "jacobian", r"p &= \operatorname{softmax}(A x)"),
        ("sum(relu(W @ x))", "W", "jacobian", r"[W x > 0] \odot \mathrm{d}(W x)"),
        ("x_1 @ A @ x_1", "x_1", "jacobian", r"\mathrm{d}x_{1}"),
    ],
)
def test_derivations(text: str, wrt: str, kind: str, wanted: str) -> None:
    assert wanted in "\n".join(derivation(text, wrt, kind))
