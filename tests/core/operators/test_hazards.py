"""Places where derivatives go wrong elsewhere: kinks, ties, singular matrices, overflow, branches not taken."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import matgrad
from matgrad.core.checking.warnings import find_kinks
from matgrad.core.errors import EvaluationError
from matgrad.core.formulas.verified import closed_forms
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem
from matgrad.core.session import explained

inf = np.inf


def derivatives(text: str, kind: str, wrt: tuple[str, ...], **values: Any) -> list[np.ndarray]:
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    problem = Problem.of(text, kind, wrt)
    calculation = Calculation(problem, {name: array.shape for name, array in arrays.items()})
    return explained(calculation, calculation.program.run, arrays)


def jacobian(text: str, **values: Any) -> np.ndarray:
    """Return the Jacobian by the first name."""
    return derivatives(text, "jacobian", (next(iter(values)),), **values)[1]


def hessian(text: str, **values: Any) -> np.ndarray:
    return derivatives(text, "hessian", (next(iter(values)),), **values)[1]


def value(text: str, **values: Any) -> np.ndarray:
    return derivatives(text, "value", (), **values)[0]


@pytest.mark.parametrize(
    ("text", "x", "gradient"),
    [
        ("sum(abs(x))", [0, -2, 3], [0, -1, 1]),
        ("sum(sign(x))", [0, -2, 3], [0, 0, 0]),
        ("sum(relu(x))", [0, -2, 3], [0, 0, 1]),
        ("sum(maximum(x, 0))", [0, -2, 3], [0, 0, 1]),
        ("sum(minimum(x, 0))", [0, -2, 3], [0, 1, 0]),
        ("sum(maximum(1, x))", [1, -2, 3], [0, 0, 1]),
        ("sum(maximum(0, -2*x))", [0, -2, 3], [0, -2, 0]),
        ("sum(maximum(zeros(3), x))", [0, -2, 3], [0, 0, 1]),
        ("sum(maximum(x, x))", [0, -2, 3], [1, 1, 1]),
        ("sum(maximum(x, -x))", [0, -2, 3], [0, -1, 1]),
        ("sum(clip(x, 0, 3))", [0, -2, 3], [0, 0, 0]),
        ("max(x)", [1, 1, 0], [0.5, 0.5, 0]),
        ("min(x)", [1, 0, 0], [0, 0.5, 0.5]),
        ("max(x)", [2, 2, 2], [1 / 3, 1 / 3, 1 / 3]),
        ("norm(x)", [0, 0], [0, 0]),
        ("sqrt(sum(x**2))", [0, 0], [0, 0]),
        ("norm(x, 1)", [0, 2], [0, 1]),
        ("norm(x, 3)", [0, 0], [0, 0]),
        ("norm(x, 3)", [0, 2], [0, 1]),
        ("norm(x, inf)", [1, 1, -1], [1 / 3, 1 / 3, -1 / 3]),
        ("norm(x)**2", [0, 0], [0, 0]),
        ("std(x)", [2, 2, 2], [0, 0, 0]),
        ("hypot(x[0], x[1])", [0, 0], [0, 0]),
        ("sum(clip(x, 0, 1))", [0, 1, 0.5, -3, 4], [0, 0, 1, 0, 0]),
        ("sum(where(x > 0, sqrt(x), 0))", [0, 4, -1], [0, 0.25, 0]),
        ("sum(where(x == 0, 1, sin(x) / x))", [0], [0]),
        ("sum((x > 0) * log(x))", [0, 2, -1], [0, 0.5, 0]),
        ("prod(x)", [0, 2, 3], [6, 0, 0]),
        ("prod(x)", [0, 0, 3], [0, 0, 0]),
        ("log(sum(exp(x)))", [1000, 0], [1, 0]),
        ("logsumexp(x)", [-1000, -1000], [0.5, 0.5]),
        ("sum(log(1 + exp(x)))", [1000, -1000], [1, 0]),
        ("sum(softplus(x))", [1000, -1000], [1, 0]),
        ("sum(1 / (1 + exp(-x)))", [-1000, 1000, 0], [0, 0, 0.25]),
        ("sum(sigmoid(x))", [-1000, 1000, 0], [0, 0, 0.25]),
        ("sum(tanh(x))", [1000, 0], [0, 1]),
        ("sum(arctan(x))", [1e200, 0], [0, 1]),
        ("sum(x * log(x))", [0, 1], [-inf, 1]),
        ("sum(xlogy(x, x))", [1, 2], [1, 1 + np.log(2)]),
        ("sum(x**x)", [0, 1], [-inf, 1]),
        ("sum(x**2)", [0, -1], [0, -2]),
        ("sum(x**0)", [0, -1], [0, 0]),
        ("sum(2**x)", [0, 1], [np.log(2), 2 * np.log(2)]),
        ("sum(0**x)", [1, 2], [0, 0]),
        ("norm(x)", [1e200, 0], [1, 0]),
        ("norm(x)", [3e-200, 4e-200], [0.6, 0.8]),
        ("norm(reshape(x, (2, 2)), 'nuc')", [2, 0, 0, 0], [1, 0, 0, 0]),
        ("norm(reshape(x, (2, 2)), 'nuc')", [0, 0, 0, 0], [0, 0, 0, 0]),
        ("norm(reshape(x, (2, 2)), 2)", [1, 0, 0, 1], [0.5, 0, 0, 0.5]),
    ],
)
def test_gradient_at_a_hazard(text: str, x: list[float], gradient: list[float]) -> None:
    assert_allclose(jacobian(text, x=x), gradient, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("sum(gamma_logpdf(x, a))", {"x": [0, 1], "a": 1}, [-1, -1]),
        ("sum(chi2_logpdf(x, a))", {"x": [0, 1], "a": 2}, [-0.5, -0.5]),
        ("sum(weibull_min_logpdf(x, a))", {"x": [0, 1], "a": 1}, [-1, -1]),
        ("sum(beta_logpdf(x, a, b))", {"x": [0, 0.5, 1], "a": 1, "b": 1}, [0, 0, 0]),
        ("sum(gamma_pdf(x, a))", {"x": [0, 1], "a": 1}, [-1, -np.exp(-1)]),
    ],
)
def test_a_density_at_the_end_of_its_support(text: str, names: dict[str, Any], expected: list[float]) -> None:
    assert_allclose(jacobian(text, **names), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("softmax(x)", [inf, 1, 2], [np.nan, np.nan, np.nan]),
        ("log_softmax(x)", [inf, 1], [np.nan, np.nan]),
        ("softmax(x)", [-inf, 1], [0, 1]),
        ("logsumexp(x)", [inf, 1], inf),
        ("quantile(x, 0.5)", [1, 2, inf], 2),
        ("phi_function(0, x)", [-1e15, -inf], [0, 0]),
        ("phi_function(1.5, x)", [1e15, inf, -1e300], [inf, inf, 1.1283791670955125e-300]),
        ("phi_function(2, x)", [-1e9], [1e-9 - 1e-18]),
        ("yv(1000, x)", [1e9], [np.nan]),
    ],
)
def test_a_value_where_numbers_are_infinite_or_far_away(text: str, x: list[float], expected: Any) -> None:
    assert_allclose(value(text, x=x), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("norm(x)**2", [0, 0], [[2, 0], [0, 2]]),
        ("prod(x)", [0, 2, 3], [[0, 3, 2], [3, 0, 0], [2, 0, 0]]),
        ("prod(x)", [0, 0, 3], [[0, 3, 0], [3, 0, 0], [0, 0, 0]]),
        ("prod(x)", [-8e20, 2e-12, -3e-12], [[0, -3e-12, 2e-12], [-3e-12, 0, -8e20], [2e-12, -8e20, 0]]),
        ("sum(tanh(x))", [1000], [[0]]),
        ("sum(softplus(x))", [1000], [[0]]),
        ("sum(abs(x)**3)", [0, 2], [[0, 0], [0, 12]]),
        ("logsumexp(x)", [1000, 1000], [[0.25, -0.25], [-0.25, 0.25]]),
    ],
)
def test_hessian_at_a_hazard(text: str, x: list[float], expected: list[list[float]]) -> None:
    assert_allclose(hessian(text, x=x), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("text", "at", "away"),
    [
        ("sum(abs(x))", [0, 1], [2, 1]),
        ("sum(relu(x))", [0, 1], [2, 1]),
        ("sum(maximum(x, 1))", [0, 1], [2, 0]),
        ("max(x)", [1, 1], [1, 2]),
        ("max(x)", [0, 0], [0, 1]),
        ("norm(x)", [0, 0], [0, 1]),
        ("norm(x, 1)", [0, 1], [2, 1]),
        ("norm(x, inf)", [1, -1], [1, -2]),
        ("std(x)", [2, 2], [2, 3]),
        ("sum(clip(x, 0, 1))", [0, 2], [0.5, 2]),
        ("sum(where(x > 0, x, 2 * x))", [0, 1], [1, 2]),
        ("norm(diag(x), 'nuc')", [0, 1], [1, 1]),
        ("svdvals(diag(x))[0]", [1, 1], [1, 2]),
        ("eigvalsh(diag(x))[0]", [1, 1], [1, 2]),
    ],
)
def test_kink_is_named_where_it_is(text: str, at: list[float], away: list[float]) -> None:
    for x, kinked in ((at, True), (away, False)):
        values = {"x": np.array(x, dtype=np.float64)}
        calculation = Calculation(Problem.of(text, "jacobian", ("x",)), {"x": (2,)})
        assert bool(find_kinks(calculation, values)) is kinked


@pytest.mark.parametrize(
    "text",
    [
        "minimum(maximum(x, l), u)",
        "clip(x, l, u)",
        "np.clip(x, l, u)",
        "np.clip(x, a_min=l, a_max=u)",
        "torch.clamp(x, l, u)",
        "torch.clamp(torch.clamp(x, min=l), max=u)",
        "jnp.clip(x, l, u)",
        "jax.lax.clamp(l, x, u)",
        "tf.clip_by_value(x, l, u)",
        "x.clip(l, u)",
        "x.clamp(min=l).clamp(max=u)",
    ],
)
def test_ties_are_split_by_every_way_to_clip(text: str) -> None:
    at = {"x": [1, 2, 3, 0, 9], "l": [1, 1, 1, 1, 1], "u": [3, 3, 3, 3, 3]}
    expected = {"x": [0.5, 1, 0.5, 0, 0], "l": [0.5, 0, 0, 1, 0], "u": [0, 0, 0.5, 0, 1]}
    for name, gradient in expected.items():
        values = {key: np.array(value, dtype=float) for key, value in at.items()}
        assert_allclose(matgrad.grad(f"sum({text})", wrt=name)(**values), gradient)


@pytest.mark.skipif(find_spec("jax") is None, reason="needs JAX")
@pytest.mark.parametrize("text", ["jnp.clip(x, l, u)", "jnp.minimum(jnp.maximum(x, l), u)"])
def test_ties_are_split_as_jax_splits_them(text: str) -> None:
    jax = import_module("jax")
    values = [np.array(value, dtype=np.float32) for value in ([1, 2, 3, 0], [1, 1, 1, 1], [3, 3, 3, 3])]
    function = eval(f"lambda x, l, u: ({text}).sum()", {"jnp": import_module("jax.numpy")})
    for place, name in enumerate("xlu"):
        found = matgrad.grad(f"sum({text})", wrt=name)(**dict(zip("xlu", values, strict=True)))
        assert_allclose(found, jax.grad(function, place)(*values))


def test_power_by_its_exponent() -> None:
    assert_allclose(jacobian("sum(x**p)", p=0.0, x=[0.0]), -inf)
    assert_allclose(jacobian("sum(x**p)", p=2.0, x=[0.0]), 0.0)
    assert np.isnan(jacobian("(-2)**x", x=2.0))
    assert_allclose(jacobian("x**p", x=0.0, p=0.0), 0.0)


def test_xlogy_keeps_both_derivatives_at_zero() -> None:
    both = derivatives("xlogy(a, b)", "hessian", ("a", "b"), a=0.0, b=2.0)[1]
    assert_allclose(both, 0.5)


# --- determinants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "cofactors"),
    [
        ([[1, 2], [2, 4]], [[4, -2], [-2, 1]]),
        ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
        (np.diag([1, 2, 3, 0]), np.diag([0, 0, 0, 6])),
        (np.zeros((3, 3)), np.zeros((3, 3))),
        ([[-2]], [[1]]),
        ([[0]], [[1]]),
    ],
)
def test_gradient_of_a_singular_determinant(X: Any, cofactors: Any) -> None:
    assert_allclose(jacobian("det(X)", X=X), cofactors, atol=1e-13)


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_determinant_to_third_order_at_every_rank(rank: int) -> None:
    generator = np.random.default_rng(rank)
    X = generator.normal(size=(4, rank)) @ generator.normal(size=(rank, 4))
    _, third = derivatives("det(X)", "derivative", ("X",) * 3, X=X)
    E, F, G = generator.normal(size=(3, 4, 4))
    # det is a polynomial of degree 4, so this divided difference in three directions is exact but for rounding.
    total = 0.0
    for e in (-1, 1):
        for f in (-1, 1):
            for g in (-1, 1):
                total += e * f * g * np.linalg.det(X + e * E + f * F + g * G) / 8
    assert_allclose(np.einsum("ijklmn,ij,kl,mn", third, E, F, G), total, rtol=1e-10, atol=1e-12)


def test_logdet_of_a_negative_determinant_is_not_a_number() -> None:
    assert np.isnan(value("logdet(X)", X=[[0, 1], [1, 0]]))
    assert value("logdet(X)", X=[[1, 1], [1, 1]]) == -inf
    assert_allclose(value("logdet(X)", X=1e200 * np.eye(3)), 600 * np.log(10))


# --- decompositions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["eigvalsh(X) @ [1, 3]", "sum(cholesky(X))", "eigh(X)[0][1]"])
def test_derivative_by_a_symmetric_argument_is_symmetric(text: str) -> None:
    gradient = jacobian(text, X=[[2, 1], [1, 2]])
    assert_allclose(gradient, gradient.T, atol=1e-14)


def test_weighted_eigenvalues() -> None:
    assert_allclose(jacobian("eigvalsh(X) @ [1, 3]", X=[[2, 1], [1, 2]]), [[2, 1], [1, 2]], atol=1e-14)


def test_decompositions_use_the_symmetric_part() -> None:
    X = np.array([[4.0, 3.0], [1.0, 5.0]])
    for text in ("cholesky(X)", "eigvalsh(X)", "eigh(X)[1]"):
        assert_array_equal(value(text, X=X), value(text, X=(X + X.T) / 2))


@pytest.mark.parametrize("text", ["sum(eigh(X)[0])", "sum(svdvals(X))", "norm(X, 'nuc')", "sum(eigvalsh(X))"])
def test_sums_over_equal_values_are_smooth(text: str) -> None:
    assert_allclose(jacobian(text, X=np.eye(3)), np.eye(3), atol=1e-14)
    assert np.all(np.isfinite(hessian(text, X=np.eye(3))))


def test_hessian_of_nuclear_norm_at_equal_singular_values() -> None:
    # On the positive definite matrices the nuclear norm is the trace; a skew direction K adds |K|**2 / (s1 + s2).
    K = np.array([[0.0, 1.0], [-1.0, 0.0]])
    second = hessian("norm(X, 'nuc')", X=2 * np.eye(2))
    assert_allclose(np.einsum("ijkl,ij,kl", second, K, K), 1.0)
    assert_allclose(np.einsum("ijkl,ij,kl", second, np.eye(2), np.eye(2)), 0.0, atol=1e-15)


# --- functions of matrices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, 0.1, 1.0, 5.0, 15.0, 60.0])
def test_derivative_of_expm_against_the_block_matrix(size: float) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    generator = np.random.default_rng(3)
    X, E = generator.normal(size=(2, 5, 5))
    X *= size / np.linalg.norm(X, 2)
    blocks = linalg.expm(np.block([[X, E], [np.zeros((5, 5)), X]]))[:5, 5:]
    found = np.einsum("ijkl,kl->ij", jacobian("expm(X)", X=X), E)
    assert np.max(np.abs(found - blocks)) < 1e-10 * np.max(np.abs(blocks))


def test_derivative_of_expm_at_a_defective_matrix() -> None:
    X = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert_allclose(jacobian("trace(expm(X))", X=X), (np.e * np.array([[1, 1], [0, 1]])).T, rtol=1e-13, atol=1e-14)


def test_derivative_of_logm_at_a_defective_matrix() -> None:
    X = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert_allclose(jacobian("trace(logm(X))", X=X), np.linalg.inv(X).T, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", ["expm", "logm"])
def test_functions_of_matrices_without_scipy_say_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    with pytest.raises(EvaluationError, match=f"`{name}` needs SciPy") as caught:
        value(f"{name}(X)", X=np.eye(2))
    assert caught.value.helps == ("pip install 'matgrad[scipy]'",)


# --- systems of equations --------------------------------------------------------------------------------------------


def test_solve_reads_one_axis_as_a_vector_and_more_as_columns() -> None:
    A = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 8.0]]])
    assert_allclose(value("solve(A, b)", A=A, b=[8, 8]), [[4, 2], [8, 1]])
    assert_allclose(value("solve(A, b)", A=A[0], b=[[8, 2], [8, 4]]), [[4, 1], [2, 1]])


@pytest.mark.parametrize("text", ["inv(X)", "solve(X, [1, 2])", "cholesky(X)"])
def test_singular_matrix_is_an_error(text: str) -> None:
    with pytest.raises(EvaluationError):
        value(text, X=[[1, 2], [2, 4]] if text != "cholesky(X)" else [[1, 2], [2, 1]])


def test_pseudoinverse_of_a_singular_matrix_of_fixed_rank() -> None:
    x, e = np.array([1.0, 2.0]), 1e-5 * np.array([0.5, -1.0])
    moved = [np.linalg.pinv(np.outer(x + s * e, x + s * e)) for s in (-1, 1)]
    found = jacobian("pinv(outer(x, x))", x=x) @ e
    assert_allclose(found, (moved[1] - moved[0]) / 2, rtol=1e-7, atol=1e-14)


# --- functions with a removable singularity, and the error function --------------------------------------------------


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-12, 1e-8])
def test_sinc_near_zero(x: float) -> None:
    assert_allclose(jacobian("sum(sinc(x))", x=[x]), [-(np.pi**2) / 3 * x], rtol=1e-14, atol=0)
    assert_allclose(hessian("sum(sinc(x))", x=[x]), [[-(np.pi**2) / 3]], rtol=1e-14)


def test_third_and_fourth_derivative_of_sinc_at_zero() -> None:
    for order, wanted in ((3, 0.0), (4, np.pi**4 / 5)):
        problem = Problem.of("sinc(x)", "derivative", ("x",) * order)
        (_, *_, found) = Calculation(problem, {"x": ()}).program.run({"x": np.array(0.0)})
        assert_allclose(found, wanted, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", ["erf", "erfc", "ndtr", "norm_cdf", "gelu", "gamma", "lgamma"])
def test_what_python_has_needs_no_scipy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.array([0.1, 0.5, 1, 2]) if name in ("gamma", "lgamma") else np.array([-3, 0, 0.1, 2])
    wanted = value(f"{name}(x)", x=x)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    assert_allclose(value(f"{name}(x)", x=x), wanted, rtol=1e-14, atol=1e-15)


def test_what_scipy_alone_has_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(EvaluationError, match="`digamma` needs SciPy") as caught:
        value("digamma(x)", x=[1, 2])
    assert caught.value.helps == ("pip install 'matgrad[scipy]'",)


# --- removable singularities -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sinc(x)", (1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5)),
        ("exprel(x)", (1, 1 / 2, 1 / 3, 1 / 4, 1 / 5)),
        ("boxcox(2, x)", tuple(np.log(2) ** (k + 1) / (k + 1) for k in range(5))),
        ("i1(x)", (0, 1 / 2, 0, 3 / 8, 0)),
        ("j1(x)", (0, 1 / 2, 0, -3 / 8, 0)),
    ],
)
def test_derivatives_at_a_removable_singularity(text: str, values: tuple[float, ...]) -> None:
    for order, wanted in enumerate(values):
        found = derivatives(text, "derivative", ("x",) * order, x=0)[1] if order else value(text, x=0)
        assert_allclose(found, wanted, rtol=1e-14, atol=1e-15)


# --- shifts and copies are built from ranges, whatever the length ----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("sum(roll(x, 1) * x)", "roll(x, 1) + roll(x, -1)"),
        ("sum(roll(X, -2) * W)", "reshape(roll(ravel(W), 2), (n, m))"),
        ("sum(roll(X, 1, axis=1) * W)", "roll(W, -1, 1)"),
        ("tile(x, 2) @ w", "sum(reshape(w, (2, n)), axis=0)"),
        ("repeat(x, 2) @ w", "sum(reshape(w, (n, 2)), axis=1)"),
    ],
)
def test_formula_of_shifts_and_copies(text: str, formula: str) -> None:
    shapes = {"x": (5,), "w": (10,), "X": (3, 4), "W": (3, 4)}
    names = list(Problem.of(text, "value").names)
    problem = Problem.of(text, "grad", tuple(names)[:1])
    (found,) = closed_forms(problem, {name: shapes[name] for name in names})
    assert found.text == formula


def test_a_roll_and_its_reverse_meet() -> None:
    assert_array_equal(jacobian("sum(roll(x, 3) * roll(x, 3))", x=[1.0, 2, 3, 4]), [2, 4, 6, 8])
