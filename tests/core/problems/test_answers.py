"""From a problem to an answer: what is drawn, what is compiled once, what is refused, what an error offers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.errors import ExpressionError, InputError, MatgradError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem
from matgrad.core.problems.readings import Reading
from matgrad.core.session import Wishes, answer
from matgrad.core.shapes import Shape
from matgrad.grammar.advice import Setting, advise, pieces_of


def given(**values: Any) -> dict[str, Input]:
    return {name: Input(np.asarray(value, dtype=np.float64), "-v") for name, value in values.items()}


def test_inputs_of_the_same_shapes_are_compiled_once() -> None:
    problem = Problem.of("sum(A @ x) * t", "grad", ("x",))
    compiler = Compiler(problem)
    first = compiler.find({"A": (2, 2), "x": (2,), "t": ()}, {"t": 1.0})
    assert compiler.find({"A": (2, 2), "x": (2,), "t": ()}, {"t": 2.0}) is first
    assert compiler.find({"A": (3, 2), "x": (2,), "t": ()}, {"t": 2.0}) is not first


def test_a_number_used_as_an_index_is_compiled_for_its_value() -> None:
    problem = Problem.of("x[i] * t", "value")
    compiler = Compiler(problem)
    for index, expected in ((0, 10.0), (2, 30.0), (0, 10.0)):
        found = answer(problem, given(x=[10, 20, 30], i=index, t=1), Wishes(), compiler=compiler)
        assert found.value is not None
        assert_allclose(found.value, expected)
    first = compiler.find({"x": (3,), "i": (), "t": ()}, {"i": 0.0, "t": 5.0})
    assert first.sizes == {"i": 0}
    assert compiler.find({"x": (3,), "i": (), "t": ()}, {"i": 0.0, "t": 6.0}) is first


def test_an_index_that_is_not_whole_is_an_input_error() -> None:
    with pytest.raises(InputError, match="whole number") as caught:
        answer(Problem.of("x[i]", "value"), given(x=[1, 2], i=0.5), Wishes())
    assert caught.value.labels[0].text == "`i` is 0.5"


@pytest.mark.parametrize(
    ("word", "good", "bad", "place"),
    [
        ("symmetric", [[1, 2], [2, 1]], [[1, 2], [3, 1]], "A[0, 1] is 2, A[1, 0] is 3"),
        ("spd", [[2, 1], [1, 2]], [[1, 2], [2, 1]], "its smallest eigenvalue is -1"),
        ("diagonal", [[1, 0], [0, 2]], [[1, 0], [5, 2]], "A[1, 0] is 5"),
        ("orthogonal", [[0, 1], [-1, 0]], [[1, 1], [0, 1]], "columns 0 and 1 have inner product 1, not 0"),
        ("lower", [[1, 0], [2, 1]], [[1, 3], [2, 1]], "A[0, 1] is 3"),
        ("upper", [[1, 3], [0, 1]], [[1, 3], [2, 1]], "A[1, 0] is 2"),
        ("tridiagonal", [[1, 2, 0], [3, 4, 5], [0, 6, 7]], [[1, 2, 3], [3, 4, 5], [0, 6, 7]], "A[0, 2] is 3"),
        ("toeplitz", [[1, 2], [3, 1]], [[1, 2], [3, 4]], "A[0, 0] is 1, A[1, 1] is 4"),
        ("hankel", [[1, 2], [2, 3]], [[1, 2], [4, 3]], "A[0, 1] is 2, A[1, 0] is 4"),
        ("circulant", [[1, 2], [2, 1]], [[1, 2], [3, 1]], "A[0, 1] is 2, A[1, 0] is 3"),
        ("positive", [[1, 3], [1, 1]], [[1, 0], [1, 1]], "A[0, 1] is 0"),
        ("integer", [[1, -3], [0, 1]], [[1, 3], [0.5, 1]], "A[1, 0] is 0.5"),
    ],
)
def test_given_numbers_must_be_what_they_are_assumed_to_be(word: str, good: Any, bad: Any, place: str) -> None:
    problem = Problem.of("trace(A)", "grad", ("A",), {"A": frozenset({word})})
    answer(problem, given(A=good), Wishes())
    with pytest.raises(InputError) as caught:
        answer(problem, given(A=bad), Wishes())
    assert caught.value.notes == (place,)
    assert caught.value.place == Setting("assume", {"A": word})


def test_the_samples_of_a_batch_are_what_they_are_assumed_to_be() -> None:
    problem = Problem.of("trace(A)", "grad", ("A",), {"A": frozenset({"symmetric"})}, ("A",))
    with pytest.raises(InputError) as caught:
        answer(problem, given(A=[np.eye(2), [[1, 2], [3, 4]]]), Wishes())
    assert caught.value.notes == ("A[1, 0, 1] is 2, A[1, 1, 0] is 3",)


def said(error: MatgradError) -> list[object]:
    """Return the words of an error's helps, and the things to type between them."""
    return [piece for text in error.helps for piece in pieces_of(text)]


def refused(text: str, wrt: str, declared: dict[str, tuple[int, ...]], **values: Any) -> MatgradError:
    with pytest.raises(ExpressionError) as caught:
        answer(Problem.of(text, "grad", (wrt,)), given(**values), Wishes(declared=declared))
    return caught.value


@pytest.mark.parametrize("declared", [True, False])
def test_rows_that_may_be_samples_are_explained(declared: bool) -> None:
    x = np.ones((5, 2))
    error = refused("x.T @ A @ x", "x", {"x": x.shape}) if declared else refused("x.T @ A @ x", "x", {}, x=x)
    assert Setting("batch", ("x",)) in said(error)


def test_a_shape_that_is_only_declared_is_not_taken_for_samples() -> None:
    batch = Setting("batch", ("A",))
    assert batch not in said(refused("A @ x", "x", {"A": (3, 2)}))
    assert batch in said(refused("A @ x", "x", {}, A=np.ones((3, 2))))


def test_a_name_that_has_to_be_a_number_is_read_as_one() -> None:
    found = answer(Problem.of("sum((A @ w - y)**2) + mu*norm(w, 1)", "grad", ("w",)), {}, Wishes())
    assert {name: item.read for name, item in found.inputs.items() if item.read} == {"mu": Reading("number")}


def test_another_reading_is_offered_where_it_fits() -> None:
    found = answer(Problem.of("s * (A @ x)", "jacobian", ("x",)), {}, Wishes())
    reading = found.inputs["s"].read
    assert reading == Reading("number", (3,))
    assert reading.said("s") == advise("`s` is read as a number; ", Setting("shapes", {"s": (3,)}), " for a vector")
    again = answer(Problem.of("s * (A @ x)", "jacobian", ("x",)), {}, Wishes(declared={"s": (3,)}))
    assert again.inputs["s"].value.shape == (3,)


def test_directions_are_not_inputs() -> None:
    found = answer(Problem.of("A @ x", "jvp", ("x",)), {}, Wishes())
    assert set(found.inputs) == {"A", "x"}
    assert set(found.directions) == {"x"}


def test_an_error_as_text_has_its_notes_and_helps() -> None:
    lines = str(refused("A @ x", "x", {"A": (3, 2)})).splitlines()
    assert lines[0] == "`grad` needs a scalar, and this expression has shape (3)"
    assert all(line.startswith(("note: ", "help: ")) for line in lines[1:])
    assert len(lines) > 2


@pytest.mark.parametrize(
    ("text", "kind", "x", "passed"),
    [
        ("log(x)", "jacobian", [1, -1, 2], True),
        ("sqrt(x)", "jacobian", [1, -1, 0.5], True),
        ("sum(log(x))", "grad", [1, -1, 2], None),
    ],
)
def test_entries_without_a_value_are_not_checked(text: str, kind: str, x: list[float], passed: bool | None) -> None:
    (result,) = answer(Problem.of(text, kind, ("x",)), given(x=x), Wishes()).results
    assert result.check is not None
    if passed is None:
        assert result.check.finite_differences is None
        assert result.check.note == "the value is not finite here"
    else:
        assert result.check.passed
        assert result.check.finite_differences is not None


def test_a_check_at_a_kink_says_where_it_was_made() -> None:
    (result,) = answer(Problem.of("abs(x)", "grad", ("x",)), given(x=0), Wishes()).results
    assert result.check is not None
    assert result.check.passed
    assert "nearby" in result.check.note


FORMULAS = (
    # What is used twice is a part of its own, whatever notation it needs.
    ("exp(einsum('ij,ij', Z, einsum('i,aij->aj', y, T)))", "Z",
     "M = einsum('ikj,k->ij', T, y); exp(sum(Z*M))*M"),
    ("exp(v @ einsum('i,aij,j->a', y, T, w))", "v", "u = einsum('ijk,j,k->i', T, y, w); exp(v @ u)*u"),
    ("minimum(v, sum(T[:, :, 1] @ T))", "v", "diag(1 + sign(einsum('ijk,j->', T, sum(T[:, :, 1], axis=0)) - v))/2"),
    ("exp(sum(Z))", "Z", "exp(sum(Z))*ones((n, m))"),
    ("logaddexp(t, sum(Z.T))", "t", "sigmoid(t - sum(Z))"),
    # (Z + s).T is not Z.T + s, where s is repeated along an axis.
    ("sum(A @ exp(Z.T + v))", "Z", "exp(Z.T + v).T @ diag(sum(A, axis=0))"),
    ("sum(B * softmax(v + Z.T, axis=0))", "Z",
     "M = B*exp(Z.T - logsumexp(Z, axis=1)); M.T - diag(sum(M, axis=0)) @ softmax(Z, axis=1)"),
    # Row sums of diag(v) @ Z are v*sum(Z, axis=1).
    ("norm(Z) * sum(Z.T @ diag(v), axis=0)", "Z",
     "norm(Z)*diag(v)[:, :, None] + einsum('i,jk->ijk', v*sum(Z, axis=1), Z)/norm(Z)"),
    # What a vector divided by itself leaves is its length.
    ("norm(norm(Z, axis=0))", "Z", "Z/norm(norm(Z, axis=0))"),
    # w + w*w is not 2*w.
    ("exp(w - w**2)", "w", "diag(exp(w - w**2)*(1 - 2*w))"),
    ("tanh(t*t + t)", "t", "u = tanh(t**2 + t)**2; 1 + 2*t*(1 - u) - u"),
    ("sum(exp(Z*Z*Z - Z*Z))", "Z", "E = exp(Z**3 - Z**2); E*Z**2 + 2*Z*(Z*E - E)"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "formula"), FORMULAS)
def test_formulas_of_shared_parts_and_sums(text: str, wrt: str, formula: str) -> None:
    shapes: dict[str, Shape] = {
        "Z": (3, 4),
        "y": (2,),
        "T": (3, 2, 4),
        "v": (3,),
        "w": (4,),
        "t": (),
        "A": (5, 4),
        "B": (4, 3),
    }
    problem = Problem.of(text, "jacobian", (wrt,))
    declared = {name: shapes[name] for name in problem.names}
    found = answer(problem, {}, Wishes(declared=declared)).results[0]
    assert found.formula == formula
    assert found.check is not None
    assert found.check.formula is not None
    assert found.check.formula < 1e-14
