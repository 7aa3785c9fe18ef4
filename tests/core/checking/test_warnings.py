"""What a warning or an error says of the place in the text: never the name of an operator that nobody wrote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matgrad.core.checking.warnings import find_kinks, find_nonfinite
from matgrad.core.errors import EvaluationError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer, explained


def calculated(text: str, kind: str, values: dict[str, Any]) -> tuple[Calculation, dict[str, Any]]:
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    problem = Problem.of(text, kind, () if kind == "value" else (next(iter(arrays)),))
    return Calculation(problem, {name: array.shape for name, array in arrays.items()}), arrays


@pytest.mark.parametrize(
    ("text", "values", "message", "pointed"),
    [
        ("2 * norm(x)", {"x": [0, 0]}, "`norm(x)` has a kink here: subgradient 0", "norm(x)"),
        ("norm(X, 'fro')", {"X": [[0]]}, "`norm(X, 'fro')` has a kink here: subgradient 0", "norm(X, 'fro')"),
        ("1 + sqrt(sum(x**2))", {"x": [0]}, "`sqrt(sum(x**2))` has a kink here: subgradient 0", "sqrt(sum(x**2))"),
        ("sum(abs(x))", {"x": [1, 0, 0]}, "`abs(x)` has a kink at x[1] = 0 and 1 more: subgradient 0", "abs(x)"),
        ("abs(x - y)", {"x": 1, "y": 1}, "`abs(x - y)` has a kink here: subgradient 0", "abs(x - y)"),
        (
            "where(x > 0, sin(x), 0)",
            {"x": 0},
            "`x > 0` changes at x = 0: the derivative is that of the branch taken",
            "x > 0",
        ),
        (
            "sum(where(x - y >= 0, x, y))",
            {"x": [1, 2], "y": [0, 2]},
            "`x - y >= 0` changes at entry [1]: the derivative is that of the branch taken",
            "x - y >= 0",
        ),
        ("3*clip(x, 0, 1)", {"x": 1}, "`clip(x, 0, 1)` has a kink here: subgradient of least norm", "clip(x, 0, 1)"),
    ],
)
def test_a_kink_quotes_the_text(text: str, values: dict[str, Any], message: str, pointed: str) -> None:
    calculation, arrays = calculated(text, "jacobian", values)
    (warning,) = find_kinks(calculation, arrays)
    assert warning.message == message
    assert warning.span is not None
    assert text[slice(*warning.span)] == pointed


SINGULAR, REGULAR = [[1, 2], [2, 4]], [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "kind", "values", "message", "label"),
    [
        ("inv(A)", "value", {"A": SINGULAR}, "cannot evaluate `inv(A)`: `A` is singular", "2×2 of rank 1"),
        (
            "inv(A) @ b",
            "value",
            {"A": SINGULAR, "b": [1, 2]},
            "cannot evaluate `inv(A) @ b`: `A` is singular",
            "2×2 of rank 1",
        ),
        (
            "sum(solve(2*A, b))",
            "grad",
            {"b": [1, 2], "A": SINGULAR},
            "cannot evaluate `solve(2*A, b)`: the matrix is singular",
            "2×2 of rank 1",
        ),
        (
            "log(det(A))",
            "grad",
            {"A": SINGULAR},
            "cannot differentiate `log(det(A))`: `A` is singular",
            "2×2 of rank 1",
        ),
        (
            "inv(A)",
            "value",
            {"A": [REGULAR, SINGULAR]},
            "cannot evaluate `inv(A)`: `A` is singular",
            "matrix 1 is 2×2 of rank 1",
        ),
        (
            "cholesky(A)",
            "value",
            {"A": [[1, 2], [2, 1]]},
            "cannot evaluate `cholesky(A)`: `A` is not positive definite",
            "its smallest eigenvalue is -1",
        ),
    ],
)
def test_an_operation_without_a_value_quotes_the_text(
    text: str, kind: str, values: dict[str, Any], message: str, label: str
) -> None:
    calculation, arrays = calculated(text, kind, values)
    with pytest.raises(EvaluationError) as caught:
        explained(calculation, calculation.program.run, arrays)
    assert caught.value.message == message
    assert caught.value.labels[0].text == label


@pytest.mark.parametrize(
    ("text", "x", "pointed", "label"),
    [
        ("sum(log(x))", [1, 0], "log(x)", "-inf first appears here, at [1], where x[1] = 0"),
        ("sum(sqrt(x))", [0, 1], "sqrt(x)", "its derivative is inf at [0], where x[0] = 0"),
        ("x*(0/0)", [1], "(0/0)", "nan first appears here"),
    ],
)
def test_the_first_operation_that_is_not_finite_is_named(text: str, x: list[float], pointed: str, label: str) -> None:
    calculation, arrays = calculated(text, "jacobian", {"x": x})
    value, *data = calculation.program.run(arrays)
    (warning,) = find_nonfinite(calculation, arrays, value, data)
    assert warning.span is not None
    assert text[slice(*warning.span)] == pointed
    assert warning.label == label


@pytest.mark.parametrize(
    ("text", "x", "message"),
    [
        ("sum(abs(x))", [[1, 2], [3, 0]], "`abs(x)` has a kink at x[1] = 0 in sample 1: subgradient 0"),
        ("sum(abs(x*y))", [[0, 2], [3, 0]], "`abs(x*y)` has a kink at entry [0] in sample 0 and 1 more: subgradient 0"),
        ("norm(x)", [[1, 2], [0, 0]], "`norm(x)` has a kink here in sample 1: subgradient 0"),
    ],
)
def test_kinks_in_a_batch(text: str, x: list[list[float]], message: str) -> None:
    given = {"x": np.array(x, dtype=float)} | ({"y": np.ones(2)} if "y" in text else {})
    inputs = {name: Input(value, "-v") for name, value in given.items()}
    found = answer(Problem.of(text, "grad", ("x",), batch=("x",)), inputs, Wishes())
    assert [warning.message for warning in found.warnings if warning.code == "kink"] == [message]
    assert found.results[0].check is not None
    assert found.results[0].check.passed
