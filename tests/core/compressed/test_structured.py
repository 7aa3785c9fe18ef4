"""Derivatives in compressed form: equal to the dense ones, small, and multiplied and listed without them."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from scipy import sparse

import matgrad
from matgrad.core.amounts import amount, memory
from matgrad.core.compressed.structured import Structured

# The random expressions are those of the other properties; test files are not a package to import from.
_specification = spec_from_file_location("properties", Path(__file__).parents[1] / "test_properties.py")
assert _specification is not None
assert _specification.loader is not None
properties: Any = module_from_spec(_specification)
_specification.loader.exec_module(properties)

GENERATOR = np.random.default_rng(5)


def numbers(*shape: int) -> Any:
    return GENERATOR.normal(size=shape)


x, w, A, B, X = numbers(5), numbers(30), numbers(4, 4), numbers(4, 3), numbers(5, 4)

# Expression, kind, variables, inputs, structure, stored numbers.
CASES: list[tuple[str, str, str | tuple[str, ...], dict[str, Any], str, int]] = [
    ("exp(x)", "jacobian", "x", {"x": x}, "diagonal", 5),
    ("x", "jacobian", "x", {"x": x}, "identity", 0),
    ("exp(A.T)", "jacobian", "A", {"A": A}, "diagonal", 16),
    ("softmax(x)", "jacobian", "x", {"x": x}, "diagonal + rank one", 5),
    ("x * sum(x)", "jacobian", "x", {"x": x}, "diagonal + rank one", 6),
    ("cumsum(x)", "jacobian", "x", {"x": x}, "triangular", 0),
    ("cumsum(x) * x", "jacobian", "x", {"x": x}, "diagonal + triangular", 5),
    ("tril(A) @ A", "jacobian", "A", {"A": A}, "triangular", 16),
    ("x[::2]", "jacobian", "x", {"x": x}, "selection", 0),
    ("x[[0, 0, 3]]**2", "jacobian", "x", {"x": x}, "selection", 5),
    ("concatenate([x**2, 3*x])", "jacobian", "x", {"x": x}, "selection", 5),
    ("A.reshape(2, 8)**2", "jacobian", "A", {"A": A}, "selection", 16),
    ("roll(x, 2) * flip(x)", "jacobian", "x", {"x": x}, "selection", 5),
    ("X @ A @ B", "jacobian", "A", {"A": A, "X": X, "B": B}, "kronecker", 32),
    ("inv(A)", "jacobian", "A", {"A": A}, "kronecker", 16),
    ("A @ A @ B", "jacobian", "A", {"A": A, "B": B}, "block diagonal + kronecker", 40),
    ("cumsum(A @ B, axis=0)", "jacobian", "B", {"A": A, "B": B}, "block diagonal", 16),
    ("kron(A, B)", "jacobian", "A", {"A": A, "B": B}, "selection", 12),
    ("sum((X - U @ V.T)**2)", "hessian", "U", {"X": X, "U": numbers(5, 2), "V": numbers(4, 2)}, "block diagonal", 4),
    ("norm(A @ B)", "hessian", "A", {"A": A, "B": B}, "block diagonal + rank one", 30),
    ("logdet(A @ A.T)", "hessian", "A", {"A": A}, "block diagonal + kronecker", 48),
    ("sum(softplus(A @ w))", "hessian", "w", {"A": numbers(3, 30), "w": w}, "low rank", 93),
    ("sum(softplus(A @ w))", "hessian", "w", {"A": numbers(30, 3), "w": numbers(3)}, "dense", 9),
    ("relu(B @ relu(A @ x))", "jacobian", "x", {"A": numbers(30, 5), "B": numbers(3, 30), "x": x}, "dense", 15),
    ("sum(A @ x)", "hessian", "x", {"A": X.T, "x": x}, "zero", 0),
    ("sum(x**3)", "grad", "x", {"x": x}, "dense", 5),
    ("3 * s", "jacobian", "s", {"s": np.array(2.0)}, "dense", 0),
    ("norm(x)", "derivative", ("x", "x", "x"), {"x": x}, "block diagonal + rank one", 13),
    ("x * (A @ x)", "hessian", ("x", "A"), {"A": A, "x": x[:4]}, "diagonal + block diagonal", 4),
]
TEXTS = [f"{text} {kind}" for text, kind, *_ in CASES]


def matrix(structured: Structured, dense: Any) -> Any:
    """Return the dense array as a matrix."""
    axes = structured.form.axes
    return dense.reshape(int(np.prod(axes.rows)), int(np.prod(axes.columns)))


def check_products(structured: Structured, dense: Any) -> None:
    """Compare products, coordinates and blocks with the dense array."""
    axes, flat = structured.form.axes, matrix(structured, dense)
    column, row = numbers(*axes.columns), numbers(*axes.rows)
    assert np.shape(structured @ column) == axes.rows
    np.testing.assert_allclose(np.ravel(structured @ column), flat @ np.ravel(column), atol=1e-9)
    np.testing.assert_allclose(np.ravel(structured.T @ row), flat.T @ np.ravel(row), atol=1e-9)
    np.testing.assert_allclose(np.ravel(row @ structured), flat.T @ np.ravel(row), atol=1e-9)
    several = numbers(flat.shape[1], 3)
    if several.shape != axes.columns:
        np.testing.assert_allclose(structured @ several, flat @ several, atol=1e-9)
    np.testing.assert_allclose(structured.tosparse().toarray(), flat, atol=1e-9)
    np.testing.assert_allclose(structured.T.tosparse().toarray(), flat.T, atol=1e-9)
    small = Structured(structured.form, structured.arrays, 8 * structured.entries + 8 * flat.size // 2 + 64)
    blocks = list(small.blocks())
    assert len(blocks) > 1 or dense.size < 40
    np.testing.assert_allclose(np.concatenate([block.ravel() for block in blocks]), dense.ravel(), atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=TEXTS)
def test_the_compressed_form_is_the_derivative(case: Any) -> None:
    text, kind, wrt, values, words, entries = case
    derivative = getattr(matgrad, kind)(text, wrt=wrt)
    structured, dense = derivative.structured(**values), derivative(**values)
    assert structured.shape == dense.shape
    np.testing.assert_allclose(structured.todense(), dense, atol=1e-12)
    assert (structured.structure, structured.entries) == (words, entries)
    assert str(structured).endswith(f"(of {amount(dense.size)})")
    check_products(structured, dense)


@pytest.mark.parametrize("text", ["x * (A @ x)", "x**2", "x.T @ A @ x", "outer(x, x)"])
def test_samples_stay_apart(text: str) -> None:
    derivative = matgrad.jacobian(text, wrt="x", batch=("x",))
    structured, dense = derivative.structured(x=X, A=A) if "A" in text else derivative.structured(x=X), None
    dense = derivative(x=X, A=A) if "A" in text else derivative(x=X)
    np.testing.assert_allclose(structured.todense(), dense, atol=1e-12)
    check_products(structured, dense)
    each = numbers(5, 4)
    np.testing.assert_allclose(structured @ each, np.einsum("n...i,ni->n...", dense, each), atol=1e-9)


@pytest.mark.parametrize(
    ("text", "wrt"), [("exp(x)", "x"), ("softmax(x)", "x"), ("cumsum(x) * x", "x"), ("inv(A)", "A")]
)
def test_the_diagonal_comes_without_the_rest(text: str, wrt: str) -> None:
    values = {"x": x} if wrt == "x" else {"A": A}
    derivative = matgrad.jacobian(text, wrt=wrt)
    structured = derivative.structured(**values)
    np.testing.assert_allclose(
        structured.diagonal().ravel(), np.diagonal(matrix(structured, derivative(**values))), atol=1e-12
    )


def test_directions_contract_every_variable() -> None:
    derivative = matgrad.derivative("norm(x)", wrt=("x", "x", "x"))
    directions = [numbers(5) for _ in range(3)]
    expected = np.einsum("ijk,i,j,k", derivative(x=x), *directions)
    np.testing.assert_allclose(derivative.structured(x=x).along(directions), expected)


def test_several_names_give_one_each() -> None:
    by_x, by_y = matgrad.jacobian("x * y", wrt=("x", "y")).structured(x=[1, 2], y=[3, 4])
    np.testing.assert_array_equal(by_x.todense(), np.diag([3, 4]))
    np.testing.assert_array_equal(by_y.todense(), np.diag([1, 2]))


def test_a_mask_annihilates_what_is_not_finite() -> None:
    for text in ("where(x > 0, sqrt(x), 0)", "where(x > 0, sqrt(x) * log(x), 0) * sum(x)"):
        derivative = matgrad.jacobian(text, wrt="x")
        point = np.array([0.0, 1.0, 4.0])
        structured = derivative.structured(x=point)
        np.testing.assert_allclose(structured.todense(), derivative(x=point))
        assert np.isfinite(structured @ np.ones(3)).all()


def test_a_million_entries_are_small() -> None:
    point = np.linspace(0, 1, 1_000_000)
    structured = matgrad.jacobian("exp(x)", wrt="x").structured(x=point)
    assert repr(structured) == "<diagonal, 1 000 000 entries (of 10^12)>"
    np.testing.assert_allclose(structured @ point, np.exp(point) * point)
    found = structured.tosparse()
    assert found.shape == (1_000_000, 1_000_000)
    np.testing.assert_allclose(found.diagonal(), np.exp(point))
    with pytest.raises(matgrad.MatgradError, match=r"the dense array has 10\^12 entries \(7.28 TiB\)"):
        structured.todense()


def test_a_factorisation_of_ten_thousand_rows_is_small() -> None:
    values = {"T": numbers(10_000, 8), "U": numbers(10_000, 3), "V": numbers(8, 3)}
    structured = matgrad.hessian("sum((T - U @ V.T)**2)", wrt="U").structured(**values)
    assert structured.entries == 9
    direction = numbers(10_000, 3)
    np.testing.assert_allclose(structured @ direction, 2 * direction @ values["V"].T @ values["V"])


def test_shapes_are_compiled_once() -> None:
    derivative = matgrad.jacobian("a * b", wrt="b")
    first, second = derivative.structured(a=[1, 2], b=[3, 4]), derivative.structured(a=[5, 6], b=[7, 8])
    assert first.form is second.form
    np.testing.assert_array_equal(second.todense(), np.diag([5, 6]))
    np.testing.assert_array_equal(first.todense(), np.diag([1, 2]))


def test_sparse_storage_keeps_only_what_structure_leaves() -> None:
    assert matgrad.jacobian("X**2", wrt="X").structured(X=X).tosparse().nnz == 20
    assert matgrad.jacobian("cumsum(x)", wrt="x").structured(x=x).tosparse().nnz == 15
    assert sparse.issparse(matgrad.jacobian("x[1:]", wrt="x").structured(x=x).tosparse())
    chosen = matgrad.jacobian("A @ x[[1, 3]]", wrt="x", shapes={"A": (3, 2)})
    assert chosen.structured(A=numbers(3, 2), x=numbers(1000)).tosparse().nnz == 6


def test_errors_say_what_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    structured = matgrad.jacobian("exp(x)", wrt="x").structured(x=x)
    with pytest.raises(matgrad.MatgradError, match="a 5×5 derivative cannot be multiplied by an array of shape 4"):
        structured @ np.ones(4)
    with pytest.raises(matgrad.MatgradError, match="no diagonal"):
        matgrad.jacobian("x[1:]", wrt="x").structured(x=x).diagonal()
    with pytest.raises(matgrad.MatgradError, match="a jvp has no compressed form"):
        matgrad.jvp("exp(x)", wrt="x").structured(x=x, tangent=x)
    with pytest.raises(matgrad.MatgradError, match="the limit is 1 KiB"):
        matgrad.jacobian("exp(x)", wrt="x", max_memory=1024).structured(x=numbers(200))
    with pytest.raises(matgrad.MatgradError, match="more than"):
        matgrad.jacobian("cumsum(x)", wrt="x", max_memory=1024).structured(x=numbers(50)).tosparse()
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(matgrad.MatgradError, match=r"matgrad\[scipy\]"):
        structured.tosparse()


def test_amounts_read_well() -> None:
    assert [amount(n) for n in (1, 1000, 999_999_999, 10**9, 25 * 10**8, 10**12)] == [
        "1", "1 000", "999 999 999", "10^9", "2.5e+09", "10^12",
    ]  # fmt: skip
    assert (memory(8 * 10**10), memory(8 * 10**10, round_up=True)) == ("74.5 GiB", "75GiB")


# --- random expressions ----------------------------------------------------------------------------------------------


@properties.stable(400)
@given(properties.texts(properties.ANY_SHAPE))
def test_random_jacobians_keep_their_numbers(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    values = properties.inputs(random.randrange(10))
    properties.tame(text, values)
    names = properties.names_in(text)
    own, name = {each: values[each] for each in names}, random.choice(names)
    compare(matgrad.jacobian(text, wrt=name), own, f"{text} by {name}")


@properties.stable(200)
@given(properties.texts([()], 4))
def test_random_hessians_keep_their_numbers(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    values = properties.inputs(random.randrange(10))
    properties.tame(text, values)
    names = properties.names_in(text)
    first, second = random.choice(names), random.choice(names)
    compare(matgrad.hessian(text, wrt=(first, second)), {each: values[each] for each in names}, text)


def compare(derivative: Any, own: dict[str, Any], text: str) -> None:
    """Compare what a compressed derivative gives with the dense one."""
    dense = derivative(**own)
    assume(np.isfinite(dense).all())
    structured = derivative.structured(**own)
    flat = matrix(structured, dense)
    properties.close(structured.todense(), dense, 1e-10, text)
    axes = structured.form.axes
    generator = np.random.default_rng(0)
    column, row = generator.standard_normal(axes.columns), generator.standard_normal(axes.rows)
    properties.close(np.ravel(structured @ column), flat @ column.ravel(), 1e-10, f"{text} @ v")
    properties.close(np.ravel(structured.T @ row), flat.T @ row.ravel(), 1e-10, f"{text} .T @ v")
    properties.close(structured.tosparse().toarray(), flat, 1e-10, f"{text} sparse")
    assert structured.entries <= max(1, dense.size), text
