"""Sums over samples in blocks: the numbers of one call, and the same bits whatever the number of workers."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matgrad
from matgrad.core.blocks import Block, Tree, in_order, reduced, rows_for, slices
from matgrad.core.errors import UsageProblem

TEXT = "log(1 + exp(-y*(x @ w)))"
GENERATOR = np.random.default_rng(0)
INPUTS = {"x": GENERATOR.standard_normal((1003, 4)), "y": GENERATOR.standard_normal(1003), "w": np.arange(4.0)}


@pytest.mark.parametrize("how", ["sum", "mean"])
@pytest.mark.parametrize("rows", [1, 100, 1003, 5000])
def test_blocks_have_the_same_bits_whatever_the_number_of_workers(how: str, rows: int) -> None:
    derivative = matgrad.hessian(TEXT, "w", batch=("x", "y"), reduce=how)
    found = reduced(derivative, INPUTS, rows=rows, value=True)
    for workers in (1, 2, 3):
        with ThreadPoolExecutor(workers) as pool:
            others = reduced(derivative, INPUTS, rows=rows, value=True, run=partial(in_order, pool, 2 * workers))
        assert [one.tobytes() for one in others] == [one.tobytes() for one in found]
    assert_allclose(found[0], matgrad.value(TEXT, batch=("x", "y"), reduce=how)(**INPUTS), rtol=1e-10)
    assert_allclose(found[1], derivative(**INPUTS), rtol=1e-10)


def test_other_processes_compute_the_same_bits() -> None:
    derivative = matgrad.grad(TEXT, "w", batch=("x", "y"), reduce="sum")
    assert len(pickle.dumps(Block(derivative))) < 600
    tree = Tree()
    with get_context("spawn").Pool(2) as pool:
        for made in pool.map(Block(derivative), slices(INPUTS, ("x", "y"), 1003, 100)):
            tree.add(made)
    assert np.array_equal(tree.total(), reduced(derivative, INPUTS, rows=100))


def test_the_form_of_the_tree() -> None:
    a, b, c, d, e, f, g = (np.array([value]) for value in (1.0, 1e16, -1e16, 3.0, 5.0, 1e-3, 7.0))
    wanted = [a, a + b, (a + b) + c, (a + b) + (c + d), ((a + b) + (c + d)) + e,
              ((a + b) + (c + d)) + (e + f), ((a + b) + (c + d)) + ((e + f) + g)]  # fmt: skip
    tree = Tree()
    for count, (part, total) in enumerate(zip((a, b, c, d, e, f, g), wanted, strict=True), start=1):
        tree = Tree(tree.sums)
        tree.add([part])
        assert (tree.count, tree.total()) == (count, [total])
        assert len(tree.sums) == count.bit_count()


def test_few_blocks_wait() -> None:
    begun: list[int] = []

    def items() -> Any:
        for item in range(20):
            begun.append(item)
            yield item

    with ThreadPoolExecutor(2) as pool:
        for found in in_order(pool, 3, lambda item: item, items()):
            assert len(begun) <= found + 3
    assert begun == [*range(20)]


class Elsewhere:
    """Samples that are made as they are read."""

    def __init__(self, array: np.ndarray[Any, Any], grain: int = 1) -> None:
        self.array, self.shape, self.grain = array, array.shape, grain
        self.read: list[tuple[int, int]] = []

    def __getitem__(self, place: slice) -> np.ndarray[Any, Any]:
        self.read.append((place.start, place.stop))
        return self.array[place]


def test_samples_are_read_where_they_are_used() -> None:
    x = Elsewhere(INPUTS["x"])
    derivative = matgrad.grad(TEXT, "w", batch=("x", "y"), reduce="sum")
    assert np.array_equal(reduced(derivative, {**INPUTS, "x": x}, rows=400), reduced(derivative, INPUTS, rows=400))
    assert x.read == [(0, 400), (400, 800), (800, 1003)]


def test_blocks_fit_into_memory() -> None:
    derivative = matgrad.grad(TEXT, "w", batch=("x", "y"), reduce="sum")
    large = {"x": np.broadcast_to(1.0, (10**9, 20)), "y": np.broadcast_to(1.0, 10**9), "w": np.ones(20)}
    for limit in (10**6, 10**8, 10**12):
        rows, needed = rows_for(derivative, large, limit)
        assert needed <= limit / 4
        assert rows * 21 * 8 > min(limit / 40, 2**22)
    hessians = matgrad.hessian(TEXT, "w", batch=("x", "y"))
    assert rows_for(hessians, large, 10**7)[0] < rows_for(derivative, large, 10**7)[0]
    assert rows_for(derivative, INPUTS, 10**9)[0] == 1003


def test_what_is_read_together_stays_together() -> None:
    derivative = matgrad.grad(TEXT, "w", batch=("x", "y"), reduce="sum")
    for grain in (1000, 3000):
        x = Elsewhere(np.broadcast_to(1.0, (10**6, 20)), grain)
        rows, _ = rows_for(derivative, {"x": x, "y": np.broadcast_to(1.0, 10**6), "w": np.ones(20)}, 10**9)
        assert rows % grain == 0


@pytest.mark.parametrize("options", [{"wrt": "w"}, {"wrt": "x", "reduce": "sum"}])
def test_refusals(options: dict[str, str]) -> None:
    derivative = matgrad.grad(TEXT, batch=("x", "y"), **options)
    with pytest.raises(UsageProblem, match="blocks are of samples that are reduced"):
        reduced(derivative, INPUTS, rows=10)
