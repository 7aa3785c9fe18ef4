"""From a problem to an answer: shapes and numbers made up, checks, limits, strictness, batches, directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matgrad.core.arrays import Array
from matgrad.core.errors import (
    EvaluationError,
    ExpressionError,
    InputError,
    NotScalarError,
    ShapeError,
    UnknownNameError,
    UsageProblem,
)
from matgrad.core.problems.answer import Answer, Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import DEFAULT_SAMPLES, Wishes, answer, prepare
from matgrad.grammar.advice import Command, Setting, pieces_of


def given(**values: Any) -> dict[str, Input]:
    return {name: Input(np.asarray(value, dtype=float), "-v") for name, value in values.items()}


def asked(
    text: str,
    kind: str,
    wrt: str = "",
    inputs: dict[str, Input] | None = None,
    *,
    assume: dict[str, str] | None = None,
    batch: tuple[str, ...] = (),
    **wishes: Any,
) -> Answer:
    assumptions = {name: frozenset(words.split()) for name, words in (assume or {}).items()}
    problem = Problem.of(text, kind, tuple(wrt.split()), assumptions, batch)
    return answer(problem, inputs or {}, Wishes(**wishes))


def drawn(text: str, assume: str = "", name: str = "A", **wishes: Any) -> Array:
    assumptions = {name: frozenset(assume.split())} if assume else {}
    problem = Problem.of(text, "value", (), assumptions)
    return prepare(problem, {}, Wishes(**wishes)).inputs[name].value


# --- answers ---------------------------------------------------------------------------------------------------------


def test_an_answer_says_everything() -> None:
    found = asked("a*b", "jacobian", "b", given(a=[1, 2, 3]))
    (result,) = found.results
    assert found.command == "jacobian"
    assert found.expression == "a*b"
    assert_array_equal(result.data, np.diag([1.0, 2, 3]))
    assert result.wrt == ("b",)
    assert result.axes == ("out[i]", "b[j]")
    assert result.axis_groups == (("out", 1), ("b", 1))
    assert result.structure == "diagonal"
    assert result.check is not None
    assert result.check.passed
    assert found.inputs["a"].source == "-v"
    made = found.inputs["b"]
    assert (made.source, made.seed, made.law, made.shape_inferred) == ("random", 0, "normal", True)
    assert found.value is not None
    assert_allclose(found.value, [1, 2, 3] * made.value)


def test_without_a_check_there_is_none() -> None:
    assert asked("sum(x)", "grad", "x", check=False).results[0].check is None


CHECKED = (
    ("norm(X @ X @ Y, 'fro')", "hessian", "Y"), ("norm(X @ X @ Y, 'fro')", "hessian", "X Y"),
    ("X @ X @ Y", "hessian", "X Y"), ("trace(grad(norm(X @ X @ Y, 'fro'), X))", "grad", "X"),
    ("x.T @ A @ x", "grad", "x A"), ("sum(log(1 + exp(-y * (X @ w))))", "hessian", "w"),
    ("sum((T - U @ V.T)**2)", "grad", "U V"), ("logdet(S)", "hessian", "S"), ("cholesky(S)", "jacobian", "S"),
    ("log(x) + sqrt(y) + arccosh(z)", "jacobian", "x y z"), ("arcsin(x) * arctanh(y)", "jacobian", "x y"),
    ("inv(A) @ b", "jacobian", "A b"), ("log(A) @ x", "jacobian", "A"), ("det(A)", "hessian", "A"),
    ("sum(x**3)", "derivative", "x x x"), ("sin(A @ x)", "jvp", "x"), ("sin(A @ x)", "vjp", "A"),
    ("sum(exp(A @ x))", "hvp", "x"), ("x[1:5] * 2", "jacobian", "x"), ("logdet(X.T @ X)", "grad", "X"),
    ("concatenate([x, y]) @ z", "grad", "z"), ("x.reshape(-1, 2)", "jacobian", "x"), ("x[i] * 2", "grad", "x"),
    ("eye(n) @ x", "jacobian", "x"), ("solve(X.T @ X, X.T @ y)", "jacobian", "y"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "wrt"), CHECKED)
def test_with_no_input_at_all_there_is_a_checked_answer(text: str, kind: str, wrt: str) -> None:
    found = asked(text, kind, wrt)
    for result in found.results:
        assert np.isfinite(result.data).all()
        assert result.check is not None
        assert result.check.passed
        assert result.check.finite_differences is not None
    assert not found.warnings


# --- random inputs ---------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert_array_equal(drawn("A @ x", seed=3), drawn("A @ x", seed=3))
    assert (drawn("A @ x", seed=3) != drawn("A @ x", seed=4)).all()
    assert (drawn("A @ x + y", name="x")[:3] != drawn("A @ x + y", name="y")[:3]).all()


def test_a_name_keeps_its_numbers_in_another_expression() -> None:
    assert_array_equal(drawn("x @ A @ x"), drawn("A @ A"))


@pytest.mark.parametrize("law", ["normal", "uniform", "randint:0:5"])
def test_laws(law: str) -> None:
    value = drawn("sum(A)", law=law, declared={"A": (50, 50)})
    if law == "normal":
        assert abs(value.mean()) < 0.1
        assert abs(value.std() - 1) < 0.1
    else:
        assert value.min() >= 0
        assert value.max() < (1 if law == "uniform" else 5)
        assert (law == "uniform") == (value != np.rint(value)).any()


def test_an_unknown_law_lists_the_laws() -> None:
    with pytest.raises(UsageProblem, match="not a way to draw") as caught:
        drawn("sum(A)", law="cauchy")
    assert caught.value.helps == tuple(Setting("random", law) for law in ("normal", "uniform", "randint:0:5"))


@pytest.mark.parametrize(
    ("assume", "holds"),
    [
        ("symmetric", lambda A: (A == A.T).all()),
        ("spd", lambda A: (A == A.T).all() and np.linalg.eigvalsh(A).min() > 0.1),
        ("diagonal", lambda A: (np.diag(np.diag(A)) == A).all()),
        ("orthogonal", lambda A: np.allclose(A.T @ A, np.eye(4))),
        ("lower", lambda A: (np.tril(A) == A).all()),
        ("upper", lambda A: (np.triu(A) == A).all()),
        ("tridiagonal", lambda A: (np.triu(np.tril(A, 1), -1) == A).all()),
        ("toeplitz", lambda A: np.allclose(A[1:, 1:], A[:-1, :-1])),
        ("hankel", lambda A: np.allclose(A[1:, :-1], A[:-1, 1:])),
        ("circulant", lambda A: np.allclose(np.roll(A, (1, 1), (0, 1)), A)),
        ("positive", lambda A: (A > 0).all()),
        ("integer", lambda A: (np.rint(A) == A).all()),
    ],
)
def test_random_inputs_satisfy_assumptions(assume: str, holds: Any) -> None:
    for seed in range(5):
        assert holds(drawn("sum(A)", assume, seed=seed, declared={"A": (4, 4)}))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("log(A)", lambda A: (A > 0).all()),
        ("sum(sqrt(A))", lambda A: (A > 0).all()),
        ("arcsin(A)", lambda A: (np.abs(A) < 1).all()),
        ("arccosh(A)", lambda A: (A > 1).all()),
        ("cholesky(A)", lambda A: np.linalg.eigvalsh(A).min() > 0),
        ("logdet(A)", lambda A: np.linalg.det(A) > 0),
        ("inv(A)", lambda A: np.linalg.cond(A) < 100),
        ("1 / A", lambda A: (A != 0).all()),
    ],
)
def test_random_inputs_lie_in_the_domain(text: str, holds: Any) -> None:
    for seed in range(5):
        assert holds(drawn(text, seed=seed))


def test_where_the_value_is_not_finite_positive_numbers_are_tried() -> None:
    assert np.isfinite(asked("log(A @ x)", "value").value).all()


def test_declared_shapes_win() -> None:
    found = asked("x.T @ A @ x", "grad", "x", declared={"x": (5,)})
    assert found.inputs["A"].value.shape == (5, 5)
    assert not found.inputs["x"].shape_inferred
    assert found.inputs["A"].shape_inferred


# --- strictness, limits, warnings ------------------------------------------------------------------------------------


def test_a_kink_is_a_warning_and_under_strict_an_error() -> None:
    inputs = given(x=[1, 0, 2])
    found = asked("abs(x)", "jacobian", "x", inputs)
    assert_array_equal(found.results[0].data, np.diag([1.0, 0, 1]))
    assert [warning.code for warning in found.warnings] == ["kink"]
    assert found.results[0].check is not None
    assert found.results[0].check.passed
    with pytest.raises(EvaluationError, match="kink"):
        asked("abs(x)", "jacobian", "x", inputs, strict=True)


@pytest.mark.parametrize("text", ["X[arange(4), y]", "X[[0, 1, 2, 0], y]", "X[y, arange(4)]"])
def test_an_index_beside_a_list_is_a_list_as_long(text: str) -> None:
    assert asked(text, "jacobian", "X").inputs["y"].value.shape == (4,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("log(det(X)) - log(1 - trace(X))", "X"),
        ("sum(log(A @ x - b)) + sum(log(c - B @ x))", "x"),
        ("sum(log(x)) + log(1 - sum(x))", "x"),
        ("sum(log(log(log(x + 1))))", "x"),
    ],
)
def test_small_and_large_values_of_the_variables_are_tried(text: str, name: str) -> None:
    assert np.isfinite(asked(text, "grad", name).value).all()


def test_what_is_not_finite_is_a_warning_and_under_strict_an_error() -> None:
    found = asked("log(x)", "value", "", given(x=[1, 0]))
    assert [warning.code for warning in found.warnings] == ["nonfinite"]
    with pytest.raises(EvaluationError, match="not finite"):
        asked("log(x)", "value", "", given(x=[1, 0]), strict=True)


def test_no_warning_without_reason() -> None:
    assert not asked("abs(x) + log(y)", "jacobian", "x y", given(x=[1, -2], y=[1, 2]), strict=True).warnings


@pytest.mark.parametrize("kind", ["jacobian", "hessian"])
def test_the_limit_is_kept_before_anything_is_allocated(kind: str) -> None:
    with pytest.raises(EvaluationError, match="the limit is"):
        asked("exp(x)", kind, "x", declared={"x": (100_000,)})
    with pytest.raises(EvaluationError, match="the limit is 1 KiB"):
        asked("exp(x)", kind, "x", declared={"x": (20,)}, limit=1024)


def test_a_singular_matrix_is_an_error_with_a_place() -> None:
    text = "2 * inv(A) @ b"
    with pytest.raises(EvaluationError, match="singular") as caught:
        asked(text, "jacobian", "b", given(A=[[1, 2], [2, 4]]))
    assert "inv(A)" in text[slice(*caught.value.labels[0].span)]


# --- batches and directions ------------------------------------------------------------------------------------------


def test_a_batch_gives_one_result_per_sample() -> None:
    rows, A = np.random.default_rng(1).standard_normal((5, 4)), np.random.default_rng(2).standard_normal((4, 4))
    found = asked("x.T @ A @ x", "grad", "x", given(x=rows, A=A), batch=("x",))
    assert found.batch == 5
    assert_allclose(found.results[0].data, rows @ (A + A.T))
    assert found.results[0].check is not None
    assert found.results[0].check.passed


def test_samples_that_add_up_and_samples_that_mix() -> None:
    rows, A = np.random.default_rng(1).standard_normal((5, 4)), np.random.default_rng(2).standard_normal((4, 4))
    diagonal = asked("(x @ A @ x.T).diagonal().sum()", "grad", "x", given(x=rows, A=A))
    assert_allclose(diagonal.results[0].data, rows @ (A + A.T))
    mixed = asked("(x @ A @ x.T).sum()", "grad", "x", given(x=rows, A=A))
    assert_allclose(mixed.results[0].data, np.tile(rows.sum(axis=0) @ (A + A.T), (5, 1)))


def test_rows_without_a_batch_explain_the_choice() -> None:
    with pytest.raises(ExpressionError) as caught:
        asked("x.T @ A @ x", "grad", "x", given(x=np.ones((5, 4))))
    assert isinstance(caught.value, ShapeError | NotScalarError)
    assert Setting("batch", ("x",)) in [piece for text in caught.value.helps for piece in pieces_of(text)]


def test_a_batch_without_data_has_a_few_samples() -> None:
    found = asked("x @ x", "grad", "x", batch=("x",))
    assert found.batch == DEFAULT_SAMPLES
    assert found.results[0].data.shape[0] == DEFAULT_SAMPLES


def test_batches_must_agree() -> None:
    with pytest.raises(InputError, match="differ in their number of samples"):
        asked("x @ y", "grad", "x", given(x=np.ones((5, 3)), y=np.ones((4, 3))), batch=("x", "y"))
    with pytest.raises(InputError, match="cannot count samples"):
        asked("s * x", "jacobian", "x", given(s=2), batch=("s",))


@pytest.mark.parametrize("kind", ["jvp", "vjp", "hvp"])
def test_directions_are_given_ones_or_random(kind: str) -> None:
    A, x = np.array([[1.0, 2], [3, 4]]), np.array([1.0, -1])
    text = "sum(exp(A @ x))" if kind == "hvp" else "A @ x"
    inner = np.exp(A @ x)
    linear = {"jvp": A, "vjp": A.T, "hvp": A.T @ np.diag(inner) @ A}[kind]
    for wish, direction in ((Input(np.array([2.0, 5]), "-v"), np.array([2.0, 5])), ("ones", np.ones(2))):
        found = asked(text, kind, "x", given(A=A, x=x), directions={"x": wish})
        assert_allclose(found.results[0].data, linear @ direction)
    assert asked(text, kind, "x", given(A=A, x=x)).results[0].check is not None
    with pytest.raises(InputError, match="a vector of 2 entries is needed"):
        asked(text, kind, "x", given(A=A, x=x), directions={"x": Input(np.ones(3), "-v")})


def test_names_that_are_not_there() -> None:
    with pytest.raises(UnknownNameError, match="`y` is not in the expression"):
        asked("sum(x)", "grad", "y")
    with pytest.raises(UnknownNameError) as caught:
        asked("sum(x)", "grad", "X")
    assert caught.value.helps == ("did you mean `x`?",) or caught.value.helps == ["did you mean `x`?"]
    with pytest.raises(UsageProblem, match="one or two variables"):
        asked("sum(x)", "hessian", "x x x")


def test_a_gradient_needs_a_number() -> None:
    with pytest.raises(NotScalarError) as caught:
        asked("sin(x)", "grad", "x", given(x=np.linspace(0, np.pi, 100)))
    assert [piece for text in caught.value.helps for piece in pieces_of(text) if isinstance(piece, Command)] == [
        Command("jacobian", "sin(x)", ("x",)),
        Command("grad", "sum(sin(x))", ("x",)),
        Command("vjp", "sin(x)", ("x",), (Setting("cotangent", "ones"),)),
    ]


def test_an_assumption_that_cannot_hold() -> None:
    with pytest.raises(ExpressionError, match="cannot be symmetric"):
        asked("sum(A)", "grad", "A", declared={"A": (2, 3)}, assume={"A": "symmetric"})
