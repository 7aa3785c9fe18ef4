"""The comparison with differences: right derivatives pass, wrong ones do not, of every order and kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from matgrad.core.arrays import Array
from matgrad.core.checking.differences import compare, random_direction
from matgrad.core.checking.results import check_results
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.draws import Draws
from matgrad.core.problems.problem import Problem, tangent_name
from matgrad.core.problems.sampling import draw
from matgrad.core.shapes import Shape

generator = np.random.default_rng(23)


def cubic(point: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.asarray(point["x"] ** 3)


def through_abs(point: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.asarray(np.abs(point["x"]) ** 3)


X = np.array([0.5, 1.5, -2.0])
V = np.array([1.0, -0.5, 0.25])


@pytest.mark.parametrize(("analytic", "function"), [(True, cubic), (False, cubic), (False, through_abs)])
def test_a_first_derivative(analytic: bool, function: Any) -> None:
    right = 3 * X**2 * V * (np.sign(X) if function is through_abs else 1)
    good = compare(function, {"x": X}, [("x", V)], right, analytic)
    assert good.passed
    assert good.finite_differences is not None
    assert good.finite_differences < (1e-14 if analytic else 1e-9)
    assert good.method == ("complex step" if analytic else "5-point differences")
    for wrong in (right * (1 + 1e-4), right + np.array([0, 1e-4, 0]), -right, 0 * right):
        assert not compare(function, {"x": X}, [("x", V)], wrong, analytic).passed


@pytest.mark.parametrize("analytic", [True, False])
def test_a_second_and_a_third_derivative(analytic: bool) -> None:
    second, third = 6 * X * V * V, 6 * V * V * V
    assert compare(cubic, {"x": X}, [("x", V)] * 2, second, analytic).passed
    assert not compare(cubic, {"x": X}, [("x", V)] * 2, second * (1 + 1e-4), analytic).passed
    assert compare(cubic, {"x": X}, [("x", V)] * 3, third, analytic).passed
    assert not compare(cubic, {"x": X}, [("x", V)] * 3, third * 1.01, analytic).passed


def test_the_value_itself() -> None:
    assert compare(cubic, {"x": X}, [], X**3, analytic=False).passed
    assert not compare(cubic, {"x": X}, [], X**3 * (1 + 1e-6), analytic=False).passed


def test_entries_that_are_not_finite_are_left_out_and_the_others_count() -> None:
    def root(point: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        return np.sqrt(point["x"])

    x, v = np.array([0.0, 1.0, 4.0]), np.array([0.0, 1.0, 1.0])
    assert compare(root, {"x": x}, [("x", v)], np.array([np.inf, 0.5, 0.25]), analytic=True).passed
    assert not compare(root, {"x": x}, [("x", v)], np.array([np.inf, 0.5, 0.26]), analytic=True).passed
    nothing = compare(root, {"x": x}, [("x", v)], np.full(3, np.inf), analytic=True)
    assert nothing.finite_differences is None
    assert "not finite" in nothing.note


def test_a_value_that_is_not_finite_nearby_is_said() -> None:
    def nowhere(point: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        return np.full(3, np.nan)

    check = compare(nowhere, {"x": X}, [("x", V)], X, analytic=False)
    assert check.finite_differences is None
    assert "not finite" in check.note


def test_directions_respect_the_scale_of_each_entry() -> None:
    point = np.array([1e-8, 1.0, 1e8, 0.0])
    direction = random_direction(point, Draws(0))
    assert (np.abs(direction[:3]) <= point[:3]).all()
    assert (np.abs(direction[:3]) >= point[:3] / 2).all()
    assert direction[3] != 0


# --- whole answers ---------------------------------------------------------------------------------------------------

PROBLEMS: tuple[tuple[str, str, tuple[str, ...], dict[str, Shape]], ...] = (
    ("x @ A @ x", "grad", ("x",), {"x": (4,), "A": (4, 4)}),
    ("x @ A @ x", "grad", ("x", "A"), {"x": (4,), "A": (4, 4)}),
    ("A @ X @ B", "jacobian", ("X",), {"A": (2, 3), "X": (3, 3), "B": (3, 2)}),
    ("abs(x) * maximum(x, 0.1)", "jacobian", ("x",), {"x": (4,)}),
    ("sum(exp(A @ x))", "hessian", ("x",), {"x": (3,), "A": (2, 3)}),
    ("norm(A @ x)", "hessian", ("x",), {"x": (3,), "A": (2, 3)}),
    ("x @ A @ y", "hessian", ("x", "y"), {"x": (3,), "A": (3, 3), "y": (3,)}),
    ("sum(x**4)", "derivative", ("x", "x", "x"), {"x": (3,)}),
    ("sin(A @ x)", "jvp", ("x",), {"x": (3,), "A": (2, 3)}),
    ("sin(A @ x)", "vjp", ("x",), {"x": (3,), "A": (2, 3)}),
    ("sum(exp(A @ x))", "hvp", ("x",), {"x": (3,), "A": (2, 3)}),
    ("logdet(S)", "grad", ("S",), {"S": (3, 3)}),
)  # fmt: skip


def posed(
    text: str, kind: str, wrt: tuple[str, ...], shapes: dict[str, Shape], assumed: dict[str, frozenset[str]] | None
) -> tuple[Calculation, dict[str, Array]]:
    calculation = Calculation(Problem.of(text, kind, wrt, assumed), shapes)
    values = {name: draw(name, shape, "normal", 1, {"spd"} if name == "S" else ()) for name, shape in shapes.items()}
    for name, words in (assumed or {}).items():
        values[name] = draw(name, shapes[name], "normal", 1, words)
    if kind in ("jvp", "vjp", "hvp"):
        key = tangent_name(wrt[0])
        values[key] = draw(key, calculation.direction_shape(wrt[0]), "normal", 2, ())
    return calculation, values


@pytest.mark.parametrize(("text", "kind", "wrt", "shapes"), PROBLEMS)
def test_right_answers_pass_and_changed_ones_do_not(
    text: str, kind: str, wrt: tuple[str, ...], shapes: dict[str, Shape]
) -> None:
    calculation, values = posed(text, kind, wrt, shapes, None)
    _, *data = calculation.program.run(values)
    assert all(check.passed and check.finite_differences is not None for check in _checks(calculation, values, data))
    for changed in range(len(data)):
        wrong = [array * (1 + 1e-2) if place == changed else array for place, array in enumerate(data)]
        passed = [check.passed for check in _checks(calculation, values, wrong)]
        assert passed == [place != changed for place in range(len(data))]
        if kind not in ("derivative",):
            wrong[changed] = data[changed] * (1 + 1e-4)
            assert not list(_checks(calculation, values, wrong))[changed].passed


@pytest.mark.parametrize(("text", "kind", "wrt", "shapes"), PROBLEMS)
def test_one_wrong_entry_is_seen(text: str, kind: str, wrt: tuple[str, ...], shapes: dict[str, Shape]) -> None:
    calculation, values = posed(text, kind, wrt, shapes, None)
    _, first, *others = calculation.program.run(values)
    changed = first.copy()
    changed[(0,) * changed.ndim] += 0.1 * np.abs(first).max()
    assert not next(iter(_checks(calculation, values, [changed, *others]))).passed


def _checks(calculation: Calculation, values: dict[str, Array], data: list[Array]) -> list[Any]:
    return list(check_results(calculation, values, data, at_kink=False, seed=0))


@pytest.mark.parametrize("word", ["symmetric", "spd", "diagonal"])
@pytest.mark.parametrize("kind", ["grad", "hessian"])
def test_derivatives_by_structured_variables_pass(word: str, kind: str) -> None:
    text, shapes = "trace(A @ A @ A) + x @ A @ x", {"A": (3, 3), "x": (3,)}
    calculation, values = posed(text, kind, ("A",), shapes, {"A": frozenset({word})})
    _, data = calculation.program.run(values)
    assert _checks(calculation, values, [data])[0].passed
    assert not _checks(calculation, values, [data * (1 + 1e-3)])[0].passed


def test_at_a_kink_a_point_nearby_is_checked() -> None:
    calculation = Calculation(Problem.of("abs(x)", "jacobian", ("x",)), {"x": (3,)})
    values = {"x": np.array([1.0, 0.0, -2.0])}
    _, data = calculation.program.run(values)
    (check,) = check_results(calculation, values, [data], at_kink=True, seed=0)
    assert check.passed
    assert "nearby" in check.note


def test_a_derivative_that_is_nothing_but_rounding_is_not_called_wrong() -> None:
    problem = Problem.of("norm(y - A @ pinv(A) @ y)**2", "grad", ("y",))
    calculation = Calculation(problem, {"y": (3,), "A": (3, 4)})
    values = {name: draw(name, symbol.shape, "normal", 0, ()) for name, symbol in calculation.symbols.items()}
    (check,) = check_results(calculation, values, calculation.program.run(values)[1:], False, 0)
    assert check.passed
    assert check.finite_differences is None
    assert check.note == "the expression itself loses all digits here"
    assert check.digits_lost == 16
    assert not check.vouched
