"""How a text was read is said where another reading is as good."""

from __future__ import annotations

import numpy as np
import pytest

from matgrad.core.errors import ShapeError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer
from matgrad.grammar.parser import parse

A = np.array([[2.0, 1.0], [0.5, 3.0]])
B = np.array([[1.0, -1.0], [2.0, 0.5]])
x = np.array([1.0, 2.0])
GIVEN = {name: Input(value, "-v") for name, value in {"A": A, "B": B, "x": x, "c": np.array(3.0)}.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A*B", A @ B),
        ("A*x", A @ x),
        ("x'*A*x", x @ A @ x),
        ("x'*x", x @ x),
        ("x*x'", np.outer(x, x)),
        ("c*x*x'", 3 * np.outer(x, x)),
        ("A*B'", A @ B.T),
        ("c*A", 3 * A),
        ("A*c'", 3 * A),
        ("A.*B", A * B),
        ("A.*B*x", (A * B) @ x),
        ("A\\x", np.linalg.solve(A, x)),
        ("x/c + x./x", x / 3 + 1),
        ("A.^2", A**2),
        ("c^2", 9.0),
        ("sum(x)", 3.0),
        ("sum(A, 1)", A.sum(0)),
        ("sum(A, 2)", A.sum(1)),
        ("ones(2)*A", np.ones((2, 2)) @ A),
        ("A(1, 2)", 1.0),
        ("x(2)", 2.0),
    ],
)
def test_matlab(text: str, value: object) -> None:
    found = answer(Problem.of(text, "value", program=parse(text, syntax="matlab")), GIVEN, Wishes())
    np.testing.assert_allclose(found.value, value)
    assert [warning.code for warning in found.warnings] == ["syntax"]


@pytest.mark.parametrize("text", ["A/B", "x/A", "A^2", "2^A", "sum(A)", "mean(A)", "max(A)", "norm(A)"])
def test_what_matlab_reads_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(ShapeError, match="be read in"):
        answer(Problem.of(text, "value", program=parse(text, syntax="matlab")), GIVEN, Wishes())


@pytest.mark.parametrize("text", ["A'*B", "A*[1 2; 3 4]", "x'*x", "Z = A'*A; sum(Z)"])
def test_products_that_look_like_matlab_are_told(text: str) -> None:
    (warning,) = answer(Problem.of(text, "value"), GIVEN, Wishes()).warnings
    assert warning.message == "`*` multiplies arrays entry by entry"
    assert warning.span is not None
    assert text[slice(*warning.span)] == "*"


@pytest.mark.parametrize("text", ["A.T*B", "c*A'", "A' @ B", "y = A*B; sum(y)", "2*[1 2; 3 4]"])
def test_other_products_are_not(text: str) -> None:
    assert not answer(Problem.of(text, "value"), GIVEN, Wishes()).warnings


@pytest.mark.parametrize(
    ("text", "matrix"),
    [
        ("sum(A - x @ x.T)", "outer(x, x)"),
        ("det(A + x@x')", "outer(x, x)"),
        ("norm((A @ x) @ (B @ x)^T)", "outer(A @ x, B @ x)"),
        ("y = x - 1; y @ yᵀ", "outer(y, y)"),
    ],
)
def test_a_number_that_looks_like_a_matrix_is_told(text: str, matrix: str) -> None:
    (warning,) = answer(Problem.of(text, "value"), GIVEN, Wishes()).warnings
    assert warning.notes == [f"for the matrix write `{matrix}`"]
    assert warning.span is not None
    assert text[slice(*warning.span)] == "@"


@pytest.mark.parametrize("text", ["x.T @ x", "x.T @ x.T", "x @ A.T", "A @ x.T", "A @ A.T", "x[:, None] @ x[:, None].T"])
def test_other_transposes_are_not(text: str) -> None:
    assert not answer(Problem.of(text, "value"), GIVEN, Wishes()).warnings


@pytest.mark.parametrize("text", ["x·x", "A × B", "|A|", "x·A"])
def test_signs_of_textbooks_between_arrays_are_refused(text: str) -> None:
    with pytest.raises(ShapeError, match="be read in"):
        answer(Problem.of(text, "value"), GIVEN, Wishes())


@pytest.mark.parametrize(
    ("text", "value"), [("c·x", 3 * x), ("2×3", 6.0), ("|x - 2|", abs(x - 2)), ("‖A‖", np.linalg.norm(A))]
)
def test_signs_of_textbooks_between_numbers(text: str, value: object) -> None:
    np.testing.assert_allclose(answer(Problem.of(text, "value"), GIVEN, Wishes()).value, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("U, s, Vh = svd(A); U @ diag(s) @ Vh", A),
        ("w, V = eigh(A + A.T); V @ diag(w) @ V.T", A + A.T),
        ("(l, r) = svdvals(A); l*r", 5.5),
        ("sign, l = slogdet(A); sign*exp(l)", 5.5),
        ("n, m = A.shape; n*m", 4.0),
        ("a, b = x; a - b", -1.0),
        ("a, b = 1, 2; a, b = b, a; a - b", 1.0),
        ("a = 1; a += 2; a *= 4; a", 12.0),
        ("7 % 3 - (-7) % 3", -1.0),
        ("x % 0.75", x % 0.75),
        ("sin^2(c) + cos²(c)", 1.0),
        ("e**c - e^c", 0.0),
        ("√(c + 1) + √4", 4.0),
        ("π - pi", 0.0),
        ("x^T @ A⊤ @ x", x @ A.T @ x),
        ("‖x‖₁ + ‖x‖_2² + ‖x‖_∞ - ||A||_F^2", 3 + 5 + 2 - np.sum(A**2)),
    ],
)
def test_sentences(text: str, value: object) -> None:
    np.testing.assert_allclose(answer(Problem.of(text, "value"), GIVEN, Wishes()).value, value, atol=1e-12)


@pytest.mark.parametrize("text", ["U, s = svd(A); s", "a, b, c = x; a", "a, b = c; a", "w, V, z = eigh(A); w"])
def test_as_many_names_as_parts(text: str) -> None:
    with pytest.raises(ShapeError, match="names for"):
        answer(Problem.of(text, "value"), GIVEN, Wishes())
