"""Each rewrite: it is found, both sides have the same value and derivative, and at extreme points it stays right."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.differentiation import stabilise
from matgrad.core.differentiation.differentiate import derivative
from matgrad.core.differentiation.stabilise import REWRITES, stabilized
from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.nodes import Apply, Map, Node, Symbol, topological
from matgrad.core.graph.transform import transform

SHAPES = {"s": (), "x": (3,), "y": (3,), "b": (3,), "A": (3, 3), "B": (3, 3), "X": (2, 3), "T": (2, 3, 4)}
SYMBOLS = {name: Symbol.of(name, shape) for name, shape in SHAPES.items()}
generator = np.random.default_rng(5)
VALUES = {name: np.asarray(generator.uniform(0.2, 1.5, shape)) for name, shape in SHAPES.items()}
VALUES["A"] = VALUES["A"] / 3 + 2 * np.eye(3)
VALUES["B"] = VALUES["B"] / 4 + np.eye(3)

# Rewrite, what is written, what it becomes.
CASES: tuple[tuple[str, str, str], ...] = (
    ("log_of_one", "log(1) + x", "x"),
    ("log_of_exp", "log(exp(X))", "X"),
    ("log_of_det", "log(det(A))", "logdet(A)"),
    ("log_of_det", "log(det(A @ A.T))", "logdet(A @ A.T)"),
    ("log_of_size_of_det", "log(abs(det(A)))", "slogdet(A)[1]"),
    ("det_of_inverse", "det(inv(A))", "1 / det(A)"),
    ("product_of_singular_values", "prod(svdvals(A))", "abs(det(A))"),
    ("det_of_product", "det(A @ B)", "det(A) * det(B)"),
    ("det_of_product", "det(A @ B.T @ A)", "det(A)**2 * det(B)"),
    ("det_of_kronecker", "det(kron(A, B))", "det(A)**3 * det(B)**3"),
    ("log_of_scaled", "log(2 * det(A))", "log(2) + logdet(A)"),
    ("log_of_scaled", "log(mean(exp(x)))", "logsumexp(x) + log(1/3)"),
    ("log_of_scaled", "log(sum(exp(X), axis=1) / 4)", "logsumexp(X, axis=1) + log(0.25)"),
    ("log_of_sum_of_exp", "log(sum(exp(x)))", "logsumexp(x)"),
    ("log_of_sum_of_exp", "log(sum(exp(X), axis=0))", "logsumexp(X, axis=0)"),
    ("log_of_sum_of_exp", "log(sum(exp(X)))", "logsumexp(X)"),
    ("log_of_sum_of_exp", "log(sum(exp(T), axis=(0, 2)))", "logsumexp(T, axis=(0, 2))"),
    ("log_of_sum_of_exp", "log(sum(exp(T.T), axis=1))", "logsumexp(T.T, axis=1)"),
    ("logsumexp_of_shifted", "logsumexp(x + s)", "logsumexp(x) + s"),
    ("logsumexp_of_shifted", "logsumexp(X + x - 2*b, axis=0)", "logsumexp(X, axis=0) + x - 2*b"),
    ("logsumexp_of_shifted", "logsumexp(s + sin(X), axis=1)", "s + logsumexp(sin(X), axis=1)"),
    ("difference_of_shifted", "softmax(X + x, axis=0)", "softmax(X, axis=0)"),
    ("difference_of_shifted", "X + x - (x + 2*b)[None, :] * ones((2, 3))", "X - 2*b"),
    ("log_of_one_plus_exp", "log(1 + exp(x))", "softplus(x)"),
    ("log_of_one_plus_exp", "log(exp(-x) + 1)", "softplus(-x)"),
    ("log_of_one_plus_exp", "log1p(exp(X))", "softplus(X)"),
    ("logit_of_sigmoid", "logit(sigmoid(X))", "X"),
    ("log_of_two_exps", "log(exp(x) + exp(y))", "logaddexp(x, y)"),
    ("log_of_sigmoid", "log(sigmoid(x))", "-softplus(-x)"),
    ("log_of_sigmoid", "log(1 - sigmoid(x))", "-softplus(x)"),
    ("reciprocal_of_one_plus_exp", "1 / (1 + exp(-x))", "sigmoid(x)"),
    ("reciprocal_of_one_plus_exp", "1 / (exp(X) + 1)", "sigmoid(-X)"),
    ("root_of_sum_of_squares", "sqrt(sum(x**2))", "norm(x)"),
    ("root_of_sum_of_squares", "sqrt(x @ x)", "norm(x)"),
    ("root_of_sum_of_squares", "sum(X * X)**0.5", "norm(X)"),
    ("root_of_sum_of_squares", "sqrt(sum(X**2, axis=1))", "norm(X, axis=1)"),
    ("root_of_sum_of_squares", "sqrt(sum(X**2, axis=0))", "norm(X, axis=0)"),
    ("square_of_norm", "norm(x)**2", "sum(x**2)"),
    ("square_of_norm", "norm(x) * norm(x) * y", "sum(x**2) * y"),
    ("square_of_norm", "norm(X, axis=1)**2", "sum(X**2, axis=1)"),
    ("exp_over_sum_of_exp", "exp(x) / sum(exp(x))", "softmax(x)"),
    ("exp_over_sum_of_exp", "exp(X) / sum(exp(X), axis=1, keepdims=True)", "softmax(X, axis=1)"),
    ("exp_over_sum_of_exp", "exp(X) / sum(exp(X), axis=0)", "softmax(X, axis=0)"),
    ("exp_over_sum_of_exp", "2 * y * (exp(x) / sum(exp(x)))", "2 * y * softmax(x)"),
    ("sum_of_softmax", "sum(softmax(x))", "s / s"),
    ("sum_of_softmax", "mean(softmax(T, axis=1), axis=1)", "sum(T, axis=1) / sum(T, axis=1) / 3"),
    ("sum_of_softmax", "s * sum(softmax(x + A @ x))", "s"),
    ("sum_of_spectrum", "sum(svdvals(A))", "norm(A, 'nuc')"),
    ("sum_of_spectrum", "2 * sum(eigvalsh(A)) * x", "2 * trace(A) * x"),
    ("sum_of_spectrum", "mean(eigh(A)[0])", "trace(A) / 3"),
    ("exp_times_sigmoid", "exp(x) / (1 + exp(x))", "sigmoid(x)"),
    ("exp_times_sigmoid", "3 * y * (exp(x) * sigmoid(-x))", "3 * y * sigmoid(x)"),
    ("self_times_log", "x * log(x)", "xlogx(x)"),
    ("self_times_log", "sum(2 * X * log(X))", "2 * sum(xlogx(X))"),
    ("cross_entropy_of_sigmoid", "bernoulli_cross_entropy(sigmoid(x), y)", "softplus(x) - y * x"),
    ("inverse_times_vector", "inv(A) @ b", "solve(A, b)"),
    ("inverse_times_vector", "b @ inv(A)", "solve(A.T, b)"),
    ("inverse_times_vector", "b @ inv(A) @ y", "b @ solve(A, y)"),
)


def graph(text: str) -> Node:
    node = elaborate_text(text, dict(SYMBOLS))
    assert isinstance(node, Node)
    return node


def run(node: Node, **values: object) -> np.ndarray:
    arrays = {**VALUES, **{name: np.asarray(value, dtype=float) for name, value in values.items()}}
    with np.errstate(all="ignore"):
        return compile_program([node]).run(arrays)[0]


def operators(node: Node) -> set[str]:
    return {below.operator.name for below in topological([node]) if isinstance(below, Map | Apply)}


def test_every_rewrite_is_tested() -> None:
    assert {rewrite.__name__ for rewrites in REWRITES.values() for rewrite in rewrites} == {
        name for name, _, _ in CASES
    }


@pytest.mark.parametrize(("name", "written", "meant"), CASES)
def test_a_rewrite_changes_the_form_and_not_the_value(name: str, written: str, meant: str) -> None:
    before, (after,) = graph(written), stabilized([graph(written)])
    assert after is not before
    assert_allclose(run(after), run(before), rtol=1e-13)
    assert_allclose(run(after), run(graph(meant)), rtol=1e-13)
    assert operators(after) <= operators(stabilized([graph(meant)])[0]) | {"exp", "log"}


@pytest.mark.parametrize(("name", "written", "meant"), CASES)
def test_a_rewrite_keeps_the_derivatives(name: str, written: str, meant: str) -> None:
    before, (after,) = graph(written), stabilized([graph(written)])
    for variable in sorted(set(topological([before])) & set(SYMBOLS.values()), key=lambda symbol: symbol.digest):
        first, second = derivative(before, variable), derivative(after, variable)
        assert_allclose(run(second), run(first), rtol=1e-11, atol=1e-13)
        if before.rank < 2:
            twice = [run(derivative(node, variable)) for node in (first, second)]
            assert_allclose(twice[1], twice[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_without_the_rewrite_its_cases_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite = getattr(stabilise, name)
    without = {kind: tuple(item for item in items if item is not rewrite) for kind, items in REWRITES.items()}
    written = next(text for case, text, _ in CASES if case == name)
    # Otherwise nodes remember what the rewrites made of them.
    monkeypatch.setattr(stabilise, "transform_once", transform)
    (after,) = stabilized([graph(written)])
    monkeypatch.setattr(stabilise, "REWRITES", without)
    assert stabilized([graph(written)]) != [after]


big = np.array([1000.0, -1000.0, 0.0])
EXTREMES: tuple[tuple[str, dict[str, object], object, object], ...] = (
    # text, point, value, derivative by x
    ("log(1 + exp(x))", {"x": big}, [1000, 0, np.log(2)], np.diag([1, 0, 0.5])),
    ("log1p(exp(x))", {"x": big}, [1000, 0, np.log(2)], np.diag([1, 0, 0.5])),
    ("log(exp(x))", {"x": big}, big, np.eye(3)),
    ("log(sum(exp(x)))", {"x": big}, 1000, [1, 0, 0]),
    ("log(sum(exp(x)))", {"x": [-1000, -1000, -1000]}, -1000 + np.log(3), np.full(3, 1 / 3)),
    ("log(mean(exp(x)))", {"x": [1000, 1000, 1000]}, 1000, np.full(3, 1 / 3)),
    ("log(exp(x) + exp(y))", {"x": big, "y": [0, -1000, 1000]}, [1000, -1000 + np.log(2), 1000], np.diag([1, 0.5, 0])),
    ("log(sigmoid(x))", {"x": big}, [0, -1000, -np.log(2)], np.diag([0, 1, 0.5])),
    ("log(1 - sigmoid(x))", {"x": big}, [-1000, 0, -np.log(2)], np.diag([-1, 0, -0.5])),
    ("1 / (1 + exp(-x))", {"x": big}, [1, 0, 0.5], np.diag([0, 0, 0.25])),
    ("exp(x) / (1 + exp(x))", {"x": big}, [1, 0, 0.5], np.diag([0, 0, 0.25])),
    ("exp(x) / sum(exp(x))", {"x": big}, [1, 0, 0], np.zeros((3, 3))),
    ("sqrt(sum(x**2))", {"x": [3e200, 4e200, 0]}, 5e200, [0.6, 0.8, 0]),
    ("sqrt(sum(x**2))", {"x": [3e-200, 4e-200, 0]}, 5e-200, [0.6, 0.8, 0]),
    ("sqrt(sum(x**2))", {"x": [0, 0, 0]}, 0, [0, 0, 0]),
    ("norm(x)**2", {"x": [0, 0, 0]}, 0, [0, 0, 0]),
    ("sum(x * log(x))", {"x": [1, 1, 1]}, 0, [1, 1, 1]),
)


@pytest.mark.parametrize(("text", "point", "value", "slope"), EXTREMES)
def test_rewritten_forms_are_right_at_extreme_points(
    text: str, point: dict[str, object], value: object, slope: object
) -> None:
    (after,) = stabilized([graph(text)])
    assert_allclose(run(after, **point), value, rtol=1e-14)
    assert_allclose(run(derivative(after, SYMBOLS["x"]), **point), slope, rtol=1e-12, atol=1e-300)


def test_x_log_x_is_zero_at_zero() -> None:
    (after,) = stabilized([graph("x * log(x)")])
    assert_allclose(run(after, x=[0, 1, 2]), [0, 0, 2 * np.log(2)])


def test_the_square_of_a_norm_has_a_second_derivative_at_zero() -> None:
    (after,) = stabilized([graph("norm(x)**2")])
    twice = derivative(derivative(after, SYMBOLS["x"]), SYMBOLS["x"])
    assert_allclose(run(twice, x=[0, 0, 0]), 2 * np.eye(3))


def test_the_logarithm_of_a_tiny_determinant() -> None:
    (after,) = stabilized([graph("log(det(A))")])
    assert_allclose(run(after, A=1e-200 * np.eye(3)), 3 * np.log(1e-200))
    assert_allclose(run(derivative(after, SYMBOLS["A"]), A=1e-200 * np.eye(3)), 1e200 * np.eye(3))


UNTOUCHED = (
    "log(2 + exp(x))", "log(1 + 2 * exp(x))", "log(exp(x) - exp(y))", "log(2 * x)", "1 / (2 + exp(x))",
    "sqrt(sum(x * y))", "sqrt(x**2)", "exp(x) / sum(exp(y))", "exp(x) * sigmoid(x)", "x * log(y)", "norm(x) * norm(y)",
    "inv(A) @ A", "det(X @ X.T)", "det(A * B)", "det(trace(A) * B)",
    "log(sum(x * exp(x)))", "log(-2 * det(A))", "sum(X**2)**0.25",
)  # fmt: skip


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    node = graph(text)
    (after,) = stabilized([node])
    assert operators(after) == operators(node)
    finite = np.isfinite(run(node))
    assert_allclose(run(after)[finite], run(node)[finite], rtol=1e-13)


def test_numbers_in_a_logarithm_stay_exact() -> None:
    (after,) = stabilized([graph("log(det(A) / 2)")])
    assert_allclose(run(after), np.log(np.linalg.det(VALUES["A"])) + np.log(float(Fraction(1, 2))))
