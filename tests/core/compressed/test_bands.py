"""Derivatives that lie on few diagonals: named, merged, and written as sparse matrices without a sort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import matgrad
from matgrad.core.compressed.bands import Band

ROSENBROCK = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"
x, u = np.linspace(-1.0, 2.0, 9), np.linspace(0.5, 2.0, 20).reshape(4, 5)

# Expression, kind, its structure, stored numbers, and whether diagonals are all there is.
CASES: list[tuple[str, str, str, int, bool]] = [
    ("x[::3]**2", "jacobian", "selection", 9, False),
    (ROSENBROCK, "hessian", "tridiagonal", 18, True),
    ("sum(diff(x)**2)", "hessian", "tridiagonal", 0, True),
    ("x[1:]*x[:-1]", "jacobian", "bidiagonal", 9, True),
    ("diff(x)", "jacobian", "bidiagonal", 0, True),
    ("x[:-1] + x[:-1]**2 + x[1:]", "jacobian", "bidiagonal", 8, True),
    ("x[2:] - 2*x[1:-1] + x[:-2]", "jacobian", "banded", 0, True),
    ("sum((x[2:] - 2*x[1:-1] + x[:-2])**2 * x[1:-1])", "hessian", "banded", 16, True),
    ("sum(x[:4]**3) + sum(x[2:]**4) + sum(x[6:]*x[:3])", "hessian", "diagonal + selection", 9, True),
    ("sum(x[:3]**3) + sum(x[5:]**4)", "hessian", "diagonal", 9, True),
    ("sum(x[::2]**3)", "hessian", "diagonal", 9, False),
    ("sum((u[1:] - u[:-1])**2 * u[1:]) + sum((u[:, 1:] - u[:, :-1])**4)", "hessian", "diagonal + block diagonal", 51,
     True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_diagonals_are_named_merged_and_written(case: Any) -> None:
    text, kind, words, most, only_diagonals = case
    name, value = ("u", u) if "u[" in text else ("x", x)
    derivative = getattr(matgrad, kind)(text, wrt=name)
    structured, dense = derivative.structured(**{name: value}), derivative(**{name: value})
    assert structured.structure == words
    assert structured.entries <= most
    flat = dense.reshape(-1, value.size)
    np.testing.assert_allclose(structured.todense(), dense, atol=1e-12)
    assert (structured.form.bands is not None) == only_diagonals
    for one, wanted in ((structured, flat), (structured.T, flat.T)):
        sparse = one.tosparse()
        sparse.check_format(full_check=True)
        assert sparse.has_canonical_format
        np.testing.assert_allclose(sparse.toarray(), wanted, atol=1e-12)


def test_the_structure_of_a_derivative_names_its_bands() -> None:
    assert matgrad.hessian(ROSENBROCK, wrt="x", shapes={"x": 9}).structure == "tridiagonal"
    assert matgrad.jacobian("x[1:]*x[:-1]", wrt="x", shapes={"x": 9}).structure == "bidiagonal"
    assert matgrad.hessian("sum(exp(x))", wrt="x").structure == "diagonal"


def test_no_entry_is_written_that_neither_of_two_diagonals_has() -> None:
    apart = matgrad.hessian("sum(x[1:4]*x[:3]) + sum(x[6:]*x[5:-1])", wrt="x").structured(x=x)
    assert (apart.structure, apart.tosparse().nnz) == ("tridiagonal", 12)
    assert Band((0,), (range(3),)).union(Band((0,), (range(3, 5),))) == Band((0,), (range(5),))
    assert Band((0,), (range(3),)).union(Band((0,), (range(4, 5),))) is None


def test_a_long_matrix_needs_memory_for_its_entries_alone() -> None:
    long = np.ones(10**6)
    structured = matgrad.hessian(ROSENBROCK, wrt="x").structured(x=long)
    sparse = structured.tosparse()
    assert (sparse.nnz, sparse.indices.dtype) == (3 * 10**6 - 2, np.int32)
    with pytest.raises(matgrad.MatgradError, match="more than"):
        matgrad.hessian(ROSENBROCK, wrt="x", max_memory="64MiB").structured(x=long).tosparse()
