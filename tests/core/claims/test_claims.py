"""Claims about derivatives: what is right holds, what is wrong is recognised for what it is."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import matgrad
from matgrad.cli.output.layouts import apply_layout
from matgrad.core.claims.verdict import Verdict, check_claim
from matgrad.core.errors import ExpressionError, MatgradError, SyntaxProblem, UnknownNameError, UsageProblem
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes
from matgrad.grammar.errors import Source

RIGHT = [
    ("x.T @ A @ x", "x", "(A + A.T) @ x", "gradient"),
    ("sum(A @ x)", "x", "A.T @ ones(6)", "gradient"),
    ("norm(A @ x - b)**2", "x", "2*A.T @ (A @ x - b)", "gradient"),
    ("A @ x", "x", "A", "jacobian"),
    ("sin(x)", "x", "diag(cos(x))", "jacobian"),
    ("softmax(x)", "x", "p = softmax(x); diag(p) - outer(p, p)", "jacobian"),
    ("x.T @ A @ x", "x,x", "A + A.T", "hessian"),
    ("x.T @ A @ y", "x,y", "A", "derivative"),
    ("logdet(X)", "X", "inv(X).T", "gradient"),
    ("Z = X @ Y; sum(Z)", "X", "outer(ones(3), sum(Y, axis=1))", "gradient"),
    ("sum(x)*0 + 3", "x", "0*x", "gradient"),
]

WRONG = [
    # expression, wrt, claim, what it is instead, factor
    ("A @ x", "x", "A.T", "transposed", None),
    ("trace(A @ X)", "X", "A", "transposed", None),
    ("A @ X @ B", "X", "kron(A, B.T)", "flattened by rows", None),
    ("A @ X @ B", "X", "kron(B.T, A)", "flattened by columns", None),
    ("A @ X @ B", "X", "kron(B, A.T)", "flattened by columns, transposed", None),
    ("a.T @ X @ b", "X", "kron(b, a)", "flattened by columns", None),
    ("A @ X @ B", "X", "einsum('ik,lj->klij', A, B)", "transposed", None),
    ("A @ X @ B", "X", "einsum('ik,lj->ijlk', A, B)", "axes in another order", None),
    ("A @ x", "x", "sum(A, axis=0)", "summed over outputs", None),
    ("A @ x", "x", "mean(A, axis=0)", "averaged over outputs", None),
    ("A @ x", "x", "sum(A, axis=1)", "summed over inputs", None),
    ("tanh(x)", "x", "1 - tanh(x)**2", "diagonal", None),
    ("tanh(X @ w)", "X", "outer(1 - tanh(X @ w)**2, w)", "per sample", None),
    ("(x @ A @ x.T).sum()", "x", "x @ (A + A.T)", "per sample", None),
    ("trace(X @ A)", "X", "A + A.T - diag(diag(A))", "symmetric, independent entries", None),
    ("trace(X @ A)", "X", "(A + A.T)/2", "symmetric", None),
    ("x.T @ A @ x", "x", "2*A @ x", "if symmetric", None),
    ("x.T @ A @ x", "x", "A @ x", "product rule", None),
    ("a.T @ X @ b", "a", "X.T @ a", "another variable", None),
    ("norm(A @ x - b)**2", "x", "A.T @ (A @ x - b)", "factor", "1/2"),
    ("sum(x**3)", "x", "-3*x**2", "sign", "-1"),
    ("mean(x**2)", "x", "2*x", "factor", "x.size"),
    ("mean(X**2)", "X", "2*X/X.shape[1]", "factor", "X.shape[0]"),
    ("sum(x**2)", "x", "2*x/x.size", "factor", "1/x.size"),
    ("norm(x)", "x", "x", "factor", "(norm(x))"),
    ("c*sum(x)**2", "x", "2*sum(x)*ones_like(x)", "factor", "1/c"),
    ("A @ x", "x", "-A.T", "transposed, sign", "-1"),
    ("sum(x)", "x", "1", "broadcast", None),
    ("sum(x**3)", "x", "expand_dims(3*x**2, 1)", "other shape", None),
    ("x.T @ A.T @ A @ x", "x", "2*A @ A.T @ x", "transposed factor", None),
    ("sum(x**3)", "x", "sin(x)", None, None),
    ("A @ x", "x", "x", None, None),
]
SHAPES = {
    "x.T @ A.T @ A @ x": {"A": (3, 3)},
    "c*sum(x)**2": {"c": (), "x": (4,)},
    "(x @ A @ x.T).sum()": {"x": (5, 2)},
    "trace(X @ A)": {"X": (3, 3)},
}


def verdict(expression: str, wrt: str, claim: str, **options: object) -> Verdict:
    found = matgrad.check(expression, wrt, claim=claim, **options)
    assert isinstance(found, Verdict)
    return found


@pytest.mark.parametrize(("expression", "wrt", "claim", "noun"), RIGHT)
def test_a_right_claim_holds(expression: str, wrt: str, claim: str, noun: str) -> None:
    found = verdict(expression, wrt, claim)
    assert found.holds
    assert found.matches == noun
    assert found.error is not None
    assert found.error < 1e-12
    assert found.difference is not None
    assert found.points == 6
    assert "random points" in str(found)


@pytest.mark.parametrize(("expression", "wrt", "claim", "matches", "factor"), WRONG)
def test_a_wrong_claim_is_recognised(
    expression: str, wrt: str, claim: str, matches: str | None, factor: str | None
) -> None:
    if matches == "transposed factor":
        # With two transposes to move, no single one makes it right; with the first of them moved already, one does.
        claim = "2*A.T @ A.T @ x"
    found = verdict(expression, wrt, claim, shapes=SHAPES.get(expression))
    assert not found.holds
    assert (found.matches, found.factor) == (matches, factor)
    assert f"`{found.formula}`" in str(found)


def test_the_per_sample_gradient_is_named_for_what_it_is() -> None:
    """A matrix of rows in a sum over all pairs of rows: the claim has the pairs of a row with itself alone."""
    for shapes in ({"x": (5, 2)}, {}):
        found = verdict("(x @ A @ x.T).sum()", "x", "x @ (A + A.T)", shapes=shapes)
        assert not found.holds
        assert found.matches == "per sample"
        assert "it is the per-sample gradient of `x.T @ A @ x`" in found.notes[0]
        assert "the gradient of `(x @ A @ x.T).diagonal().sum()`" in found.notes[0]
    assert verdict("trace(x @ A @ x.T)", "x", "x @ (A + A.T)", shapes={"x": (5, 2)}).holds


def test_given_inputs_are_compared_too() -> None:
    symmetric = np.array([[2.0, 1.0], [1.0, 3.0]])
    found = verdict("x.T @ A @ x", "x", "2*A @ x", inputs={"x": [1, 2], "A": symmetric})
    assert not found.holds
    assert found.difference is not None
    np.testing.assert_allclose(found.difference, 0, atol=1e-12)
    assert found.matches == "if symmetric"
    assert verdict("x.T @ A @ x", "x", "2*A @ x", assume={"A": "symmetric"}).holds


def test_a_claim_that_holds_by_accident_is_seen() -> None:
    found = verdict("sum(x**3)", "x", "3*x**2 + (x > 100)", inputs={"x": [1, 2]})
    assert found.holds  # the random points stay below 100
    found = verdict("sum(x**2)", "x", "x**2", inputs={"x": [2, 2]})
    assert not found.holds
    assert any("agrees at 1 of 7 points" in note for note in found.notes)


@pytest.mark.parametrize(
    ("expression", "wrt", "claim", "reason"),
    [
        ("sum((X @ w - y)**2) + c*sum(w**2)", "w", "2*X.T @ (X @ w - y)", "the summand `2*c*w` is missing"),
        ("sum(tanh(x))", "x", "1 - tanh(x)", "a power is wrong: with `tanh(x)**2` in place of `tanh(x)` it is right"),
        ("a.T @ X @ b", "X", "a @ b.T", "an outer product of vectors is written `outer(a, b)`"),
        ("X @ X", "X", "2*X", "it is the derivative of `X @ X` as if `X` were a number, not a matrix"),
        ("-sum(y*log(softmax(x)))", "x", "softmax(x) - y", "it is right where `sum(y)` is 1"),
        ("sum((X @ W + b)**2)", "b", "2*(X @ W + b)", "a sum is missing"),
        ("sum(triu(X)*Y)", "X", "tril(Y)", "it is the other triangle"),
        ("x @ A @ x", "x", "A + A.T", "it is the second derivative by `x`, the Hessian"),
        ("sum(x[1:]**2)", "x", "2*x", "it is right but for the first entry"),
        ("cumsum(x)", "x", "ones((n, n))", "the lower triangle alone is right"),
        ("logdet(S) + trace(inv(S) @ C)", "S", "inv(S).T + inv(S) @ C @ inv(S)", "the summand `inv(S).T` is right"),
        ("sum(log(1 + exp(X @ w))) + mu*w @ w", "w", "X.T @ sigmoid(X @ w) + mu*w", "the summand `mu*w` is off"),
        ("sum(tanh(W @ x))", "x", "W.T @ ones(n)", "it is the gradient as if the derivative of `tanh` were 1"),
        (
            "sum(sum(X, axis=0)**2)",
            "X",
            "2*outer(sum(X, axis=1), ones(m))",
            "it is the derivative of `sum(sum(X, axis=1)**2)`",
        ),
        ("a*b + b*a", "a", "2*a", "it is the diagonal of the Jacobian by `b`"),
    ],
)
def test_the_mistake_is_named(expression: str, wrt: str, claim: str, reason: str) -> None:
    found = verdict(expression, wrt, claim)
    assert str(found.reason).startswith(reason)
    assert found.reason == found.notes[0]
    assert found.details()["reason"] == found.reason


def test_inputs_of_any_name_and_values_that_are_not_finite() -> None:
    assert verdict("tanh(held) @ held", "held", "tanh(held)").matches == "product rule"
    assert verdict("sum(tanh(größe*held))", "größe", "1 - tanh(größe*held)**2").matches == "missing factor"
    assert verdict("sum(x)", "x", "ones(x.shape[0])*1e400").matches != "only some entries"


def test_a_number_that_stands_for_a_length_is_named() -> None:
    found = verdict("mean(x**2)", "x", "2*x/4", shapes={"x": (4,)})
    assert found.holds
    assert found.notes[-1] == "it is right at these sizes alone: write `x.shape[0]` in place of `4`"
    assert "sizes alone" not in str(verdict("sum(x**4)", "x", "4*x**3", shapes={"x": (4,)}))


def test_a_near_miss_says_how_near() -> None:
    found = verdict("sum(x**3)", "x", "3.0001*x**2")
    assert not found.holds
    assert found.matches == "coefficient"
    assert found.error == pytest.approx(1e-4 / 3.0001, rel=1e-3)
    assert any(note.startswith("it is close") for note in found.notes)


def test_a_difference_is_shown_where_it_is() -> None:
    found = verdict("sum(x**2)", "x", "hstack([2*x[:2], sin(3*x[2:3]), 2*x[3:]])", shapes={"x": (4,)})
    assert any(note.startswith("entry [2] differs first") and "1 of 4 entries" in note for note in found.notes)


def test_shapes_that_differ_are_both_named() -> None:
    found = verdict("A @ x", "x", "x")
    assert (found.shape, found.expected_shape) == ((4,), (3, 4))
    assert found.error is None
    assert found.difference is None
    assert any("a vector of 4 entries" in note and "a 3×4 matrix" in note for note in found.notes)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [("2*(x", SyntaxProblem), ("q*x", UnknownNameError), ("A @ A @ A.T", ExpressionError), ("foo(x)", ExpressionError)],
)
def test_a_claim_that_makes_no_sense_is_pointed_at(claim: str, kind: type[MatgradError]) -> None:
    with pytest.raises(kind) as caught:
        matgrad.check("sum(A @ x)", "x", claim=claim, shapes={"A": (3, 4)})
    assert caught.value.source is not None
    assert caught.value.source == Source("claim", claim)
    assert caught.value.span is not None


def test_a_missing_transpose_is_offered_where_the_shapes_clash() -> None:
    with pytest.raises(ExpressionError) as caught:
        matgrad.check("norm(A @ x - b)**2", "x", claim="2*A @ (A @ x - b)")
    assert caught.value.helps == ("with `A.T` in place of `A` it is right: `2*A.T @ (A @ x - b)`",)


def test_one_claim_is_about_one_derivative() -> None:
    with pytest.raises(UsageProblem, match="several are asked for"):
        matgrad.check("x @ y", ("x", "y"), claim="x", kind="jacobian")


def test_an_axis_of_another_length_is_named() -> None:
    found = verdict("sum(X, axis=0) @ v", "X", "outer(v, ones(m))")
    assert "axis 0 has 4 entries, a length of `X` and `v`, and should have the 3 of `X`" in found.notes


@pytest.mark.parametrize(
    ("expression", "layout", "claim", "reason"),
    [
        ("A @ x", "denominator", "2*A.T", "it is 2 times the Jacobian"),
        ("A @ x", "denominator", "A", "it is the Jacobian itself, which the layout arranges in another way"),
        ("x @ A @ x", "numerator", "A @ x", "it is the derivative by the first `x` alone"),
        ("tanh(A @ x)", "denominator", "A.T @ diag(1 - tanh(A @ x))", "a power is wrong"),
    ],
)
def test_the_mistake_is_named_in_a_layout(expression: str, layout: str, claim: str, reason: str) -> None:
    found = check_claim(
        Problem.of(expression, "jacobian", ("x",)), claim, {}, Wishes(), partial(apply_layout, layout=layout)
    )
    assert not found.holds
    assert any(reason in str(note) for note in found.notes)
