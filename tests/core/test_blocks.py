"""Sums over samples in blocks: the numbers of one call, and the same bits whatever the number of workers."""

from __future__ import annotations

import pickle
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matgrad
from matgrad.core.blocks import computed, reduced, slices, total
from matgrad.core.errors import UsageProblem

TEXT = "log(1 + exp(-y*(x @ w)))"
GENERATOR = np.random.default_rng(0)
INPUTS = {"x": GENERATOR.standard_normal((1003, 4)), "y": GENERATOR.standard_normal(1003), "w": np.arange(4.0)}


@pytest.mark.parametrize("how", ["sum", "mean"])
@pytest.mark.parametrize("rows", [1, 100, 1003, 5000])
def test_blocks_have_the_same_bits_whatever_the_number_of_workers(how: str, rows: int) -> None:
    derivative = matgrad.hessian(TEXT, "w", batch=("x", "y"), reduce=how)
    found = [reduced(derivative, INPUTS, rows=rows, workers=workers).tobytes() for workers in (1, 2, 3)]
    assert len({*found}) == 1
    assert_allclose(reduced(derivative, INPUTS, rows=rows), derivative(**INPUTS), rtol=1e-10)


def test_other_processes_compute_the_same_bits() -> None:
    derivative = matgrad.grad(TEXT, "w", batch=("x", "y"), reduce="sum")
    block = partial(computed, derivative.recipe)
    assert len(pickle.dumps(block)) < 500
    with get_context("spawn").Pool(2) as pool:
        parts = pool.map(block, slices(INPUTS, ("x", "y"), 1003, 100))
    assert np.array_equal(total([part for (part,) in parts]), reduced(derivative, INPUTS, rows=100))


def test_the_form_of_the_tree() -> None:
    parts = [np.array([value]) for value in (1.0, 1e16, -1e16, 3.0, 5.0)]
    assert total(parts) == ((parts[0] + parts[1]) + (parts[2] + parts[3])) + parts[4]


@pytest.mark.parametrize("options", [{"wrt": "w"}, {"wrt": "x", "reduce": "sum"}])
def test_refusals(options: dict[str, str]) -> None:
    derivative = matgrad.grad(TEXT, batch=("x", "y"), **options)
    with pytest.raises(UsageProblem, match="blocks are of samples that are reduced"):
        reduced(derivative, INPUTS, rows=10)
