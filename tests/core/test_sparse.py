"""Sparse inputs: the numbers of dense ones, no dense matrix on the way, and a refusal where one would be needed."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any, cast

import numpy as np
import pytest
from scipy import sparse

import matgrad
from matgrad.core.arrays import Array
from matgrad.core.explanation.reading import reader_of
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, prepare
from matgrad.core.sparse import Sparse

GENERATOR = np.random.default_rng(3)
SIZE, LONG = 12, 200_000


def numbers(*shape: int) -> Array:
    return GENERATOR.normal(size=shape)


DENSE: dict[str, Array] = {
    "A": numbers(SIZE, SIZE) * (numbers(SIZE, SIZE) > 0.8), "X": numbers(20, SIZE) * (numbers(20, SIZE) > 0.8),
    "x": numbers(SIZE), "b": numbers(SIZE), "d": numbers(SIZE) ** 2, "y": np.sign(numbers(20)), "v": numbers(SIZE),
}  # fmt: skip
BANDS = sparse.diags_array([np.ones(LONG - 1), np.arange(LONG) / LONG, np.ones(LONG - 2)], offsets=[-1, 0, 2]).tocsr()
# What stays sparse, and so is computed with a matrix that would take 320 GB.
KEPT = [
    "x.T @ A @ x", "norm(A @ x - b)**2", "norm(A @ x - b)", "sum(log(1 + exp(-b*(A @ x))))", "mean((A @ x - b)**2)",
    "x @ A.T @ diag(d) @ A @ x", "x @ (A + A.T) @ x", "x @ (2*A - 3*A.T) @ x", "sum(A*A)*(x @ x)", "trace(A)*(x @ x)",
    "norm((A - 2*eye(n)) @ x)**2", "sum(A[1:] @ x)**2", "sum(A[:, ::2] @ x[::2])**3", "log(sum(exp(A @ x)))",
    "sum((A @ outer(x, [1, 2, 3]))**2)", "x.T @ A.T @ A @ x", "trace(A.T @ A)*(x @ x)", "sum(A * outer(d, d))*(x @ x)",
    "(A[3] @ x)**2", "x @ diag(d) @ A @ x",
]  # fmt: skip
DENSE_ONLY = [
    "sum(exp(A) @ x)",
    "logdet(A.T @ A + diag(d))*(x @ x)",
    "x @ solve(A + 9*eye(n), x)",
    "norm(A, 2)*(x @ x)",
]


def inputs_of(text: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if re.search(rf"\b{name}\b", text)}


def as_sparse(values: dict[str, Any], form: Any = sparse.csr_array) -> dict[str, Any]:
    return {name: form(value) if np.ndim(value) == 2 else value for name, value in values.items()}


@pytest.mark.parametrize("text", [*KEPT, *DENSE_ONLY])
def test_numbers_are_those_of_dense_inputs(text: str) -> None:
    text = text.replace("eye(n)", f"eye({SIZE})")
    dense = inputs_of(text, DENSE)
    for derivative, more in ((matgrad.value(text), {}), (matgrad.grad(text, wrt="x"), {}),
                             (matgrad.hvp(text, wrt="x"), {"tangent": DENSE["v"]})):  # fmt: skip
        wanted = derivative(**dense, **more)
        found = derivative(**as_sparse(dense), **more)
        assert type(found) is type(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-11)
    assert matgrad.grad(text, wrt="x").check(**as_sparse(dense)).passed


@pytest.mark.parametrize("text", KEPT)
def test_products_never_need_a_dense_matrix(text: str) -> None:
    text = text.replace("eye(n)", f"eye({LONG})")
    line = np.linspace(-1, 1, LONG)
    values = inputs_of(text, {"A": BANDS, "x": line, "b": line**2 + 1, "d": line**2, "y": line})
    matgrad.value(text)(**values)
    matgrad.grad(text, wrt="x")(**values)
    matgrad.hvp(text, wrt="x")(**values, tangent=line)


@pytest.mark.parametrize("text", DENSE_ONLY)
def test_what_needs_a_dense_matrix_is_refused_with_its_size(text: str) -> None:
    values = inputs_of(text, {"A": BANDS, "x": np.ones(LONG), "d": np.ones(LONG)})
    with pytest.raises(matgrad.MatgradError, match="4e\\+10 entries"):
        matgrad.grad(text.replace("eye(n)", f"eye({LONG})"), wrt="x")(**values)


def test_every_form_of_scipy_is_taken() -> None:
    values = inputs_of("norm(A @ x)", DENSE)
    wanted = matgrad.grad("norm(A @ x)", wrt="x")(**values)
    for name in ("coo", "csc", "csr", "bsr", "dia", "lil", "dok"):
        for kind in ("array", "matrix"):
            found = matgrad.grad("norm(A @ x)", wrt="x")(**as_sparse(values, getattr(sparse, f"{name}_{kind}")))
            np.testing.assert_allclose(found, wanted, rtol=1e-12)
    integers = sparse.csr_array(np.eye(3, dtype=int))
    np.testing.assert_array_equal(matgrad.value("A @ x")(A=integers, x=[1, 2, 3]), [1, 2, 3])


def test_one_derivative_takes_dense_and_sparse_inputs_in_turn() -> None:
    derivative, values = matgrad.grad("x @ A @ x", wrt="x"), inputs_of("x @ A @ x", DENSE)
    wanted = derivative(**values)
    for _ in range(8):
        np.testing.assert_allclose(derivative(**as_sparse(values)), wanted)
        np.testing.assert_allclose(derivative(**values), wanted)


def test_samples_may_be_rows_of_a_sparse_matrix() -> None:
    loss = "log(1 + exp(-y*(x @ w)))"
    values = {"x": DENSE["X"], "y": DENSE["y"], "w": DENSE["v"]}
    for options in ({}, {"reduce": "sum"}):
        derivative = matgrad.grad(loss, wrt="w", batch=("x", "y"), **options)
        np.testing.assert_allclose(derivative(**as_sparse(values)), derivative(**values), atol=1e-12)


def test_a_derivative_by_a_small_sparse_matrix_is_dense() -> None:
    values = inputs_of("x @ A @ x", DENSE)
    np.testing.assert_allclose(
        matgrad.grad("x @ A @ x", wrt="A")(**as_sparse(values)), np.outer(values["x"], values["x"])
    )


def test_what_is_assumed_of_a_sparse_matrix_is_looked_at() -> None:
    derivative = matgrad.grad("x @ A @ x", wrt="x", assume={"A": "symmetric"})
    line = np.linspace(-1, 1, LONG)
    found = derivative(A=BANDS + BANDS.T, x=line)
    np.testing.assert_allclose(found, 2 * (BANDS + BANDS.T) @ line)
    with pytest.raises(matgrad.MatgradError, match="not symmetric") as caught:
        derivative(A=BANDS, x=line)
    assert "A[0, 1] is 0, A[1, 0] is 1" in str(caught.value)


def test_claims_are_checked_at_sparse_inputs() -> None:
    given = {"A": BANDS}
    assert matgrad.check("x @ A @ x", wrt="x", claim="(A + A.T) @ x", inputs=given).holds
    assert not matgrad.check("x @ A @ x", wrt="x", claim="A @ x", inputs=given).holds


@pytest.mark.parametrize(
    ("value", "message"),
    [(sparse.coo_array(np.ones(3)), "has 1 axes"), (sparse.csr_array(np.eye(3) * 1j), "complex128")],
)
def test_other_arrays_of_scipy_are_refused(value: Any, message: str) -> None:
    with pytest.raises(matgrad.MatgradError, match=message):
        matgrad.value("sum(A)")(A=value)


def test_to_all_else_a_sparse_matrix_is_an_array() -> None:
    one = Sparse(sparse.csr_array(DENSE["A"]), "A")
    for found in (
        np.asarray(one),
        one * 1.0,
        one[:],
        one.copy(),
        copy.copy(one).dense(),
        pickle.loads(pickle.dumps(one)).T.T.dense(),
    ):
        np.testing.assert_array_equal(found, DENSE["A"])
    assert (one[2].tolist(), one[2, 3]) == (DENSE["A"][2].tolist(), DENSE["A"][2, 3])


def test_an_explanation_needs_inputs_that_fit() -> None:
    # The parts of an explanation have numbers of their own, which are dense.
    problem = Problem.of("x.T @ A @ x", "grad", ("x",))
    given = {"A": Input(cast("Array", Sparse(BANDS, "A")), "A.npz")}
    prepared = prepare(problem, given, Wishes())
    with pytest.raises(matgrad.MatgradError, match="298 GiB"):
        assert reader_of(problem, prepared, 1 << 30).values
