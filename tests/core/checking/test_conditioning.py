"""Digits that an expression loses: estimated where they are lost, not elsewhere, and never vouched for."""

from __future__ import annotations

import numpy as np
import pytest

import matgrad
from matgrad.core.arrays import Array
from matgrad.core.checking.conditioning import MOST_LOST, lost_by
from matgrad.core.errors import EvaluationError
from matgrad.core.problems.answer import Check, Input
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

# Expression, value of its first name, the digits that the value loses, and those that its gradient loses.
LOSSES = (
    ("(1 - cos(s))/s**2", 1e-5, 11, 16),
    ("(1 - cos(s))/s**2", 1e-30, 16, 16),
    ("log(1 + s)/s", 1e-8, 9, 16),
    ("(exp(s) - 1)/s", 1e-8, 9, 16),
    ("1/s - 1/tan(s)", 1e-5, 12, 12),
    ("sqrt(1 + s) - 1", 1e-8, 9, 1),
    ("1 - tanh(s)", 30.0, 16, 16),
    ("s*s - sqrt(s)**4", 1.7, 16, 16),
    ("sinc(s/(2*pi))**2/2", 1e-5, 1, 1),
    ("log1p(s)", 1e-8, 1, 1),
    ("expm1(s)", 1e-8, 1, 1),
    ("exp(s) - 1", 0.0, 0, 0),
    ("s**3", 1e-100, 1, 1),
)


@pytest.mark.parametrize(("text", "s", "of_value", "of_gradient"), LOSSES)
def test_the_digits_that_are_lost(text: str, s: float, of_value: int, of_gradient: int) -> None:
    calculation = Compiler(Problem.of(text, "grad", ("s",))).find({"s": ()}, {}).calculation
    loss = lost_by(calculation.program, {"s": np.array(s)})
    for share, digits in ((loss.value, of_value), (loss.derivatives[0], of_gradient)):
        found = 16 if share >= 0.05 else np.log10(share / np.finfo(float).eps) if share else 0
        assert abs(found - digits) <= 1.5, (found, digits)


def checked(text: str, kind: str, **values: object) -> Check:
    given = {name: Input(np.array(value, dtype=np.float64), "-v") for name, value in values.items()}
    found = answer(Problem.of(text, kind, tuple(values)[:1]), given, Wishes())
    check = found.results[0].check
    assert check is not None
    return check


@pytest.mark.parametrize("text", [text for text, *_ in LOSSES[:8]])
def test_what_loses_digits_is_not_vouched_for_and_not_called_wrong(text: str) -> None:
    check = checked(text, "grad", s=next(s for own, s, *_ in LOSSES if own == text))
    assert check.passed
    assert not check.vouched
    assert check.digits_lost >= 9
    assert "the expression itself loses" in check.note or "zero but for rounding" in check.note


def test_sums_that_cancel_and_sums_that_are_exact() -> None:
    assert not checked("sum(x)**2", "grad", x=[1e16, 1.0, -1e16]).vouched
    assert not checked("norm(A @ x - b)**2", "grad", x=[0.1, 0.2], A=[[1.0, 2.0], [3.0, 4.0]], b=[0.5, 1.1]).vouched
    assert checked("norm(A @ x - b)**2", "grad", x=[1.0, 2.0], A=[[1.0, 2.0], [3.0, 4.0]], b=[5.0, 11.0]).vouched


def test_nothing_is_run_again_where_no_step_enlarges_rounding() -> None:
    for text, may in (("sum(x**2)", False), ("x @ A @ x", True), ("1 - cos(x[0])", True)):
        shapes = {"x": (3,)} | ({"A": (3, 3)} if "A" in text else {})
        calculation = Compiler(Problem.of(text, "grad", ("x",))).find(shapes, {}).calculation
        assert calculation.program.may_lose_digits is may, text


def test_ordinary_expressions_keep_their_digits() -> None:
    for text in ("x @ A @ x", "logsumexp(A @ x)", "sum(tanh(A @ x))", "logdet(A @ A.T + eye(3))", "max(A @ x)"):
        calculation = Compiler(Problem.of(text, "hessian", ("x" if "x" in text.replace("max", "") else "A",))).find(
            {"x": (3,), "A": (3, 3)} if "x" in text.replace("max", "") else {"A": (3, 3)}, {}
        ).calculation  # fmt: skip
        random = np.random.default_rng(0)
        values: dict[str, Array] = {
            name: random.normal(size=symbol.shape) for name, symbol in calculation.symbols.items()
        }
        loss = lost_by(calculation.program, values)
        assert loss.value < MOST_LOST
        assert loss.derivatives[0] < MOST_LOST


def test_overflow_on_the_way_to_a_finite_result_is_said() -> None:
    check = checked("s - s/(1 + s**2)", "grad", s=1e170)
    assert not check.vouched
    assert "overflow" in check.note


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("s**3", {"s": 0.0}), ("prod(x)", {"x": [0.0, 0.0, 0.0]}), ("prod(x)", {"x": [0.0, 2.0, 3.0]}),
        ("det(A)", {"A": np.zeros((3, 3))}), ("logsumexp(x)", {"x": [1e6, 1e6 + 1]}), ("exp(s)", {"s": -700.0}),
        ("sum(norm(X, axis=1))", {"X": [[0.0, 0.0], [3.0, 4.0]]}), ("max(x)", {"x": [1.0, 1.1]}),
        ("sum(sqrt(sum(X**2, axis=1)))", {"X": [[0.0, 0.0], [3.0, 4.0]]}), ("logsumexp(x)", {"x": [1e15, 1e15]}),
        ("logaddexp(s, 1e15)", {"s": 1e15}), ("x[0]/norm(x)", {"x": [1e200, 2e200]}), ("norm(x)", {"x": [1e-200, 0.0]}),
        ("x[0]/norm(x)", {"x": [1e-200, 2e-200]}), ("hypot(s, 1e200)", {"s": 1e200}), ("std(x)", {"x": [1e200, 3e200]}),
    ],
)  # fmt: skip
def test_right_gradients_are_vouched_for(text: str, values: dict[str, object]) -> None:
    assert checked(text, "grad", **values).vouched


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("s", {"s": 0.0}), ("s**4", {"s": 0.0}), ("norm(x)", {"x": [1e200, 2e200]}),
        ("norm(x)", {"x": [1e-200, 2e-200]}), ("hypot(s, 2e200)", {"s": 1e200}), ("norm(x, 3)", {"x": [1e200, 2e200]}),
        ("logsumexp(x)", {"x": [1e6, 1e6 + 1]}),
    ],
)  # fmt: skip
def test_right_hessians_are_vouched_for(text: str, values: dict[str, object]) -> None:
    assert checked(text, "hessian", **values).vouched


@pytest.mark.parametrize("order", [4, 10, 12])
@pytest.mark.parametrize("text", ["exp(s)", "sin(s)*abs(s)"])
def test_high_orders_are_vouched_for(text: str, order: int) -> None:
    if order == 12 and text != "exp(s)":
        return
    given = {"s": Input(np.array(1.0), "-v")}
    (result,) = answer(Problem.of(text, "derivative", ("s",) * order), given, Wishes()).results
    assert result.check is not None
    assert result.check.passed


@pytest.mark.parametrize(
    ("text", "matrix"),
    [
        ("norm(X, 'nuc')", [[1.0, 2.0], [2.0, 4.0]]), ("norm(X, 2)", [[2.0, 0.0], [0.0, 2.0]]),
        ("eigvalsh(X)[0]", [[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]]),
        ("svdvals(X)[1]", [[1.0, 2.0], [2.0, 4.0]]), ("sum(abs(svd(X)[0]))", [[1.0, 2.0], [2.0, 4.0]]),
    ],
)  # fmt: skip
def test_a_second_derivative_that_is_none_is_refused(text: str, matrix: list[list[float]]) -> None:
    with pytest.raises(EvaluationError, match="there is no second derivative"):
        checked(text, "hessian", X=matrix)


@pytest.mark.parametrize("kind", ["grad", "jacobian", "hessian"])
@pytest.mark.parametrize(
    "branch",
    [
        "x/norm(x)",
        "x/sum(x)",
        "sqrt(x @ x)",
        "where(x > 2, x/sum(x), sqrt(x))",
        "log(x/sum(x))",
        "exp(x)*log(x/sum(x))",
    ],
)
def test_a_branch_that_is_not_taken_brings_no_infinity(branch: str, kind: str) -> None:
    if kind == "hessian" and "log" in branch:
        return
    text = f"where(x > 1, {branch}, 0)"
    given = {"x": Input(np.zeros(2), "-v")}
    found = answer(Problem.of(text if kind == "jacobian" else f"sum({text})", kind, ("x",)), given, Wishes())
    assert not found.results[0].data.any()
    assert np.isfinite(found.results[0].data).all()


@pytest.mark.parametrize("kind", ["hessian", "hvp"])
@pytest.mark.parametrize("text", ["norm(A, 'nuc')", "sum(svdvals(A)**3)", "norm(A, 2)", "max(svdvals(A))"])
def test_a_call_refuses_second_derivatives_where_there_are_none(text: str, kind: str) -> None:
    direction = {"tangent": np.ones((2, 2))} if kind == "hvp" else {}
    found = getattr(matgrad, kind)(text, "A")
    with pytest.raises(matgrad.MatgradError, match="there is no second derivative"):
        found(A=np.diag([1.0, 0.0]) if "nuc" in text else np.eye(2), **direction)
    assert np.isfinite(found(A=np.array([[1.0, 2.0], [3.0, 5.0]]), **direction)).all()


@pytest.mark.parametrize("x", [(4.4e-18, 4.4e-18, 1.8e13), (3e-9, 1e9, 1e-9)])
def test_cofactors_keep_their_digits_beside_large_entries(x: tuple[float, ...]) -> None:
    found = matgrad.grad("det(outer(x, x) + eye(3))", wrt="x")(x=np.array(x))
    np.testing.assert_allclose(found, 2 * np.array(x), rtol=0, atol=1e-9 * max(x))


@pytest.mark.parametrize(("text", "x"), [("1/x[0]", [3.2e157]), ("x[0]*x[1]/(x @ x)", [1.0, 2.7e116, 2.7e116])])
def test_what_overflows_on_the_way_is_said_and_not_called_wrong(text: str, x: list[float]) -> None:
    check = checked(text, "grad", x=x)
    assert check.passed
    assert not check.vouched
    assert check.note == "numbers overflow on the way to this result"


@pytest.mark.parametrize("text", ["[inf, 1]*0 + 0*x", "0*[inf, 1]*x", "(x - x)*[-inf, 1]", "x*0*[inf, 1]"])
def test_nothing_times_an_infinite_entry_is_nan(text: str) -> None:
    found = matgrad.value(text)(x=np.ones(2))
    np.testing.assert_array_equal(found, [np.nan, 0])
