"""Sums over samples: the derivative of the sum is the sum of the derivatives, with no result for each sample."""

from __future__ import annotations

import tracemalloc
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest
from expressions import SHAPES, grown, names_in
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matgrad
from matgrad.core.errors import InputError, UsageProblem
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

LOGISTIC = "log(1 + exp(-y*(x @ w)))"
SQUARES = "(x @ w - y)**2"
KINDS = ("value", "grad", "jacobian", "hessian", "jvp", "vjp", "hvp")


def made(kind: str, text: str, name: str, **options: Any) -> matgrad.Derivative:
    return matgrad.value(text, **options) if kind == "value" else getattr(matgrad, kind)(text, name, **options)


def samples(seed: int, names: list[str], batch: tuple[str, ...], count: int) -> dict[str, np.ndarray[Any, Any]]:
    generator = np.random.default_rng(seed)
    counted = {name: ((count,) if name in batch else ()) + SHAPES[name] for name in names}
    return {name: np.asarray(generator.standard_normal(shape)) for name, shape in counted.items()}


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.integers(1, 4))
def test_the_reduction_is_that_of_the_results_of_the_samples(seed: int, kind: str, count: int) -> None:
    random = Random(seed)
    shape = () if kind in ("grad", "hessian", "hvp") else random.choice([(), (2,), (3,)])
    text, _ = grown(seed, [shape], depth=3)
    names = sorted(names_in(text))
    assume(len(names) > 1)
    wrt, *others = random.sample(names, len(names))
    batch = tuple(random.sample(others, random.randint(1, len(others))))
    values = samples(seed, names, batch, count)
    if kind in ("jvp", "hvp"):
        values["tangent"] = np.cos(values[wrt])
    if kind == "vjp":
        values["cotangent"] = np.asarray(np.random.default_rng(seed).standard_normal(shape))
    each = made(kind, text, wrt, batch=batch)(**values)
    for how, reduced in (("sum", each.sum(axis=0)), ("mean", each.mean(axis=0))):
        found = made(kind, text, wrt, batch=batch, reduce=how)(**values)
        assert_allclose(found, reduced, rtol=1e-8, atol=1e-8 * (1 + np.abs(each).max(initial=0)))


@pytest.mark.parametrize(
    ("text", "kind", "wrt", "formula"),
    [
        (LOGISTIC, "grad", "w", "-x.T @ (y*sigmoid(-y*(x @ w)))"),
        (LOGISTIC, "hessian", "w", "x.T @ diag(y**2*sigmoid(y*(x @ w))*sigmoid(-y*(x @ w))) @ x"),
        (LOGISTIC, "hvp", "w", "x.T @ (y**2*sigmoid(y*(x @ w))*sigmoid(-y*(x @ w))*(x @ tangent))"),
        (LOGISTIC, "grad", "x", "-outer(y*sigmoid(-y*(x @ w)), w)"),
        (SQUARES, "grad", "w", "2*x.T @ (x @ w - y)"),
        (SQUARES, "hessian", "w", "2*x.T @ x"),
        (SQUARES, "value", "", "norm(x @ w - y)**2"),
        ("x.T @ A @ x", "grad", "A", "x.T @ x"),
        ("norm(x - mu)**2", "grad", "mu", "-2*sum(x - mu, axis=0)"),
        ("logdet(A + S)", "grad", "A", "einsum('kji->ij', inv(A + S))"),
    ],
)
def test_the_formula_is_one_product(text: str, kind: str, wrt: str, formula: str) -> None:
    batch = [name for name in ("x", "y", "S") if name in Problem.of(text, "value").names]
    found = made(kind, text, wrt, batch=batch, reduce="sum")
    assert found.formula == formula
    assert found.check().passed


def test_a_mean_is_over_the_samples() -> None:
    found = matgrad.grad(SQUARES, "w", batch=("x", "y"), reduce="mean")
    assert (found.formula, found.sizes) == ("2*x.T @ (x @ w - y) / m", {"m": 5})
    assert matgrad.jacobian("S @ x", "S", batch="x", reduce="sum").structure == "block diagonal"


@pytest.mark.parametrize("how", ["sum", "mean"])
def test_a_name_of_the_batch_keeps_its_axis(how: str) -> None:
    generator = np.random.default_rng(0)
    values = {"x": generator.standard_normal((4, 2)), "y": generator.standard_normal(4), "w": np.array([1.0, -2.0])}
    each = matgrad.grad(LOGISTIC, "x", batch=("x", "y"))(**values)
    found = matgrad.grad(LOGISTIC, "x", batch=("x", "y"), reduce=how)(**values)
    assert_allclose(found, each / (4 if how == "mean" else 1))
    mixed = matgrad.hessian(LOGISTIC, ("x", "w"), batch=("x", "y"), reduce=how)(**values)
    assert mixed.shape == (4, 2, 2)
    direction = generator.standard_normal((4, 2))
    along = matgrad.jvp(LOGISTIC, "x", batch=("x", "y"), reduce=how)(**values, tangent=direction)
    assert_allclose(along, (found * direction).sum())


@pytest.mark.parametrize("kind", ["grad", "hvp"])
def test_no_sample_has_a_result_in_memory(kind: str) -> None:
    count, length = 20_000, 50
    generator = np.random.default_rng(0)
    values = {"x": generator.standard_normal((count, length)), "y": np.ones(count), "w": np.ones(length)}
    values |= {"tangent": np.ones(length)} if kind == "hvp" else {}
    reduced = made(kind, LOGISTIC, "w", batch=("x", "y"), reduce="sum")
    tracemalloc.start()
    reduced(**values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < count * length * 8 / 4


def test_other_counts_of_samples_are_compiled_apart() -> None:
    reduced = matgrad.grad(SQUARES, "w", batch=("x", "y"), reduce="mean")
    for count, _ in product((1, 3, 5, 1), range(2)):
        x, y = np.arange(2.0 * count).reshape(count, 2), np.ones(count)
        assert_allclose(reduced(x=x, y=y, w=[1, 2]), 2 * x.T @ (x @ [1, 2] - y) / count)


def test_no_samples() -> None:
    assert matgrad.value(SQUARES, batch=("x", "y"), reduce="sum")(x=np.ones((0, 2)), y=[], w=[1, 2]) == 0
    with pytest.raises(InputError, match="there are no samples, so there is no mean of them"):
        matgrad.value(SQUARES, batch=("x", "y"), reduce="mean")(x=np.ones((0, 2)), y=[], w=[1, 2])


def test_an_answer_says_what_was_made_of_how_many() -> None:
    problem = Problem.of(SQUARES, "grad", ("w",), batch=("x", "y"), reduce="sum")
    found = answer(problem, {}, Wishes(declared={"x": (4, 2)}))
    assert (found.batch, found.reduce, found.results[0].data.shape) == (4, "sum", (2,))
    assert found.results[0].convention == "of the sum over the samples, which the first axis of x and y counts"
    assert found.results[0].check is not None
    assert found.results[0].check.vouched


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
def test_printed_code_takes_all_samples(library: str) -> None:
    source = matgrad.grad(SQUARES, "w", batch=("x", "y"), reduce="mean").code(library)
    assert "x: (m, n)" in source
    assert "Return the mean over the samples of" in source


def test_printed_code_computes_the_same() -> None:
    reduced = matgrad.grad(LOGISTIC, "w", batch=("x", "y"), reduce="mean")
    values = {"x": np.arange(6.0).reshape(3, 2), "y": np.array([1.0, -1, 1]), "w": np.array([0.5, -1])}
    known: dict[str, Any] = {}
    exec(reduced.code("numpy"), known)
    value, gradient = known["gradient"](**values)
    assert_allclose(value, matgrad.value(LOGISTIC, batch=("x", "y"), reduce="mean")(**values))
    assert_allclose(gradient, reduced(**values))


@pytest.mark.parametrize(
    ("claim", "holds"), [("2*x.T @ (x @ w - y)", True), ("2*x.T @ (x @ w + y)", False), ("x.T @ (x @ w - y)", False)]
)
def test_a_claim_is_about_all_samples(claim: str, holds: bool) -> None:
    verdict = matgrad.check(SQUARES, "w", claim=claim, batch=("x", "y"), reduce="sum")
    assert verdict.holds is holds
    assert holds or "the gradient is `2*x.T @ (x @ w - y)`" in verdict.notes
    assert verdict.message.endswith("the gradient of the sum of `(x @ w - y)**2` by `w`")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduce": "sum"}, "there are no samples to reduce"),
        ({"reduce": "max", "batch": "x"}, "`max` is not a way to reduce samples"),
        (
            {"reduce": "sum", "batch": "A", "assume": {"A": "symmetric"}, "wrt": "A"},
            "`A` is symmetric: its derivative is one for each sample, and is not reduced",
        ),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        matgrad.grad("x.T @ A @ x", **{"wrt": "x", **options})
