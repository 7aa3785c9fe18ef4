"""Derivatives by a part of an input, and by what a statement names: beside the derivative by the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import matgrad
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

POINT: dict[str, Any] = {
    "A": np.array([[1.5, 0.2, -0.3], [0.1, 2.0, 0.4], [-0.2, 0.3, 1.2]]),
    "x": np.array([0.5, -1.0, 0.8]),
}
PARTS: list[tuple[str, Any]] = [
    ("A[0,1]", (0, 1)),
    ("A[-1, 2]", (-1, 2)),
    ("A[0]", 0),
    ("A[:, 1]", (slice(None), 1)),
    ("A[1:, ::2]", (slice(1, None), slice(None, None, 2))),
    ("A[[0, 2]]", [0, 2]),
    ("A[[0, 1], [1, 2]]", ([0, 1], [1, 2])),
    ("A[1][2]", (1, 2)),
]
SCALARS = ["x.T @ A @ x", "logdet(A)", "sum(exp(A @ x))", "B = A @ A; sum(B*A)", "norm(A @ x)"]


def _point(text: str) -> dict[str, Any]:
    return {name: value for name, value in POINT.items() if name in Problem.of(text, "value").names}


@pytest.mark.parametrize(("part", "key"), PARTS)
@pytest.mark.parametrize("text", SCALARS)
def test_gradient_by_a_part_is_a_part_of_the_gradient(text: str, part: str, key: Any) -> None:
    point = _point(text)
    whole = matgrad.grad(text, wrt="A")(**point)
    assert np.allclose(matgrad.grad(text, wrt=part)(**point), whole[key], rtol=1e-12)


@pytest.mark.parametrize(("part", "key"), PARTS)
def test_jacobian_and_hessian_by_a_part(part: str, key: Any) -> None:
    keys = key if isinstance(key, tuple) else (key,)
    whole = matgrad.jacobian("tanh(A @ x)", wrt="A")(**POINT)
    found = matgrad.jacobian("tanh(A @ x)", wrt=part)(**POINT)
    assert np.allclose(found, whole[(slice(None), *keys)], rtol=1e-12)
    entries = np.arange(9).reshape(3, 3)[key].ravel()
    twice = matgrad.hessian("sum(tanh(A @ x))", wrt="A")(**POINT).reshape(9, 9)[np.ix_(entries, entries)]
    found = matgrad.hessian("sum(tanh(A @ x))", wrt=part)(**POINT)
    assert np.allclose(found.reshape(twice.shape), twice, atol=1e-12)


STATEMENTS = [
    ("h = A @ x; sum(tanh(h))", "h", "1 - tanh(A @ x)**2"),
    ("h = A @ x; sum(tanh(h)) + sum(x)", "h", "1 - tanh(A @ x)**2"),
    ("h = A @ x; h = 2*h; h @ h", "h", "4*A @ x"),
    ("h = A @ x; z = tanh(h); sum(z**2)", "z", "2*tanh(A @ x)"),
    ("h = A @ x; sum(h**3)", "h[0]", "3*(A @ x)[0]**2"),
    ("B = A.T @ A; logdet(B)", "B", "inv(A.T @ A).T"),
]


@pytest.mark.parametrize(("text", "part", "claim"), STATEMENTS)
def test_statement_is_a_variable(text: str, part: str, claim: str) -> None:
    found = answer(Problem.of(text, "grad", (part,)), _inputs(text), Wishes())
    (result,) = found.results
    assert result.wrt == (part,)
    assert result.check is not None
    assert result.check.passed
    assert result.check.formula is not None
    assert result.check.formula < 1e-12
    assert np.allclose(result.data, matgrad.value(claim)(**_point(text)), rtol=1e-10)
    assert matgrad.check(text, wrt=part, claim=claim).holds


def _inputs(text: str) -> dict[str, Input]:
    return {name: Input(value, "argument") for name, value in _point(text).items()}


def test_every_kind_by_a_part_is_checked() -> None:
    for kind, text, wrt in [
        ("jacobian", "A @ x", ("A[0]",)),
        ("hessian", "sum(exp(A @ x))", ("A[0,1]", "A[1,0]")),
        ("hessian", "h = A @ x; sum(exp(h))", ("h",)),
        ("hessian", "h = A @ x; sum(exp(h)*x)", ("h", "x")),
        ("derivative", "sum(exp(A @ x))", ("A[0]", "x", "A[0]")),
        ("jvp", "A @ x", ("x[1:]",)),
        ("vjp", "A @ x", ("x[1:]",)),
        ("hvp", "sum(exp(x))", ("x[1:]",)),
    ]:
        for result in answer(Problem.of(text, kind, wrt), _inputs(text), Wishes()).results:
            assert result.check is not None
            assert result.check.passed
            assert (result.check.finite_differences or 0) < 1e-6


def test_forms_of_a_part() -> None:
    derivative = matgrad.grad("x.T @ A @ x", wrt="A[0,1]")
    assert derivative.formula == "x[1]*x[0]"
    assert derivative(**POINT) == POINT["x"][0] * POINT["x"][1]
    assert len(matgrad.grad("x.T @ A @ x", wrt="A[0,1], x")(**POINT)) == 2
    space: dict[str, Any] = {}
    exec(matgrad.grad("h = A @ x; sum(tanh(h))", wrt="h").code("numpy"), space)
    assert np.allclose(space["gradient"](**POINT)[1], 1 - np.tanh(POINT["A"] @ POINT["x"]) ** 2)


def test_wrong_claim_about_a_part() -> None:
    verdict = matgrad.check("x.T @ A @ x", wrt="A[0,1]", claim="2*x[0]*x[1]")
    assert not verdict.holds
    assert verdict.factor == "2"


@pytest.mark.parametrize(
    ("text", "wrt", "message"),
    [
        ("x.T @ A @ x", "A[0,9]", "index 9 is out of range"),
        ("x.T @ A @ x", "B[0]", "`B[0]` is not in the expression"),
        ("x.T @ A @ x", "2*x", "`2*x` is not in the expression"),
        ("x.T @ A @ x", "A[0,1,2]", "too many indices"),
    ],
)
def test_what_is_no_part(text: str, wrt: str, message: str) -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        matgrad.grad(text, wrt=wrt)(**POINT)
    assert message in str(caught.value)
