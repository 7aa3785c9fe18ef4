"""Sums of outer products: one matrix product for terms that split their axes alike, in whatever order the axes lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.kernels import sum_of_outer_products
from matgrad.core.evaluation.program import Program, compile_program
from matgrad.core.evaluation.strided import Place, StridedWriter
from matgrad.core.graph.nodes import Node, Symbol

pytestmark = pytest.mark.usefixtures("large_arrays")

generator = np.random.default_rng(5)
SHAPES = dict.fromkeys("ABCDEFGH", (6, 6)) | {"x": (40,), "y": (30,), "u": (40,), "v": (30,), "W": (40, 30)}
VALUES = {name: generator.normal(size=shape) for name, shape in SHAPES.items()}

# Each text with how many matrix products of outer products it needs.
SUMS = (
    ("outer(x, y) + outer(u, v)", 1),
    ("outer(x, y) - outer(u, v)", 1),
    ("3 * outer(x, y) - 2 * outer(u, v) + W", 1),
    ("-2 * outer(x, y) - 2 * outer(u, v) - 2 * outer(sin(x), y)", 1),
    ("W - outer(x, y) - outer(u, cos(y))", 1),
    ("einsum('ac,bd->abcd', A, B) + einsum('ac,bd->abcd', C, D)", 1),
    ("einsum('ac,bd->abcd', A, B) + einsum('bd,ca->abcd', C, D) - einsum('da,bc->abcd', E, F)", 1),
    ("einsum('ad,cb->abcd', A, B) - 2 * einsum('bc,ad->abcd', C, D) + einsum('ab,cd->abcd', E, F) + A", 1),
    ("einsum('ac,bd->abcd', A, B) + einsum('ac,bd->abcd', C, D)"
     " + einsum('ad,cb->abcd', E, F) - einsum('ad,cb->abcd', G, H)", 2),
    ("einsum('acd,b->abcd', tensordot(A, B, 0)[0], C[0]) + einsum('b,dac->abcd', D[1], tensordot(E, F, 0)[2])", 1),
)  # fmt: skip


def program(text: str) -> Program:
    found = elaborate_text(text, {name: Symbol.of(name, shape) for name, shape in SHAPES.items()})
    assert isinstance(found, Node)
    return compile_program([found])


def by_numpy(text: str) -> Any:
    known = {"outer": np.multiply.outer, "einsum": np.einsum, "sin": np.sin, "cos": np.cos, "tensordot": np.tensordot}
    return eval(text, known | VALUES)


@pytest.mark.parametrize(("text", "products"), SUMS)
def test_the_sum_is_right_and_few_products_make_it(text: str, products: int) -> None:
    compiled = program(text)
    for _ in range(3):
        result = compiled.run(VALUES)[0]
        assert_allclose(result, by_numpy(text), rtol=1e-13, atol=1e-13)
        assert result.flags.writeable
    kernels = [getattr(step.kernel, "product", step.kernel) for step in compiled._steps]
    assert kernels.count(sum_of_outer_products) == products


def test_a_product_that_others_use_is_computed_once() -> None:
    text = "outer(x, y) + outer(u, v) + exp(outer(x, y))"
    compiled = program(text)
    assert_allclose(compiled.run(VALUES)[0], np.exp(outer := np.outer(VALUES["x"], VALUES["y"])) + outer
                    + np.outer(VALUES["u"], VALUES["v"]), rtol=1e-13)  # fmt: skip
    assert sum_of_outer_products not in [step.kernel for step in compiled._steps]


def test_no_number_is_lost_where_the_numbers_are_complex_or_not_finite() -> None:
    text = "outer(x, y) - outer(u, v)"
    special = VALUES | {"x": VALUES["x"] * (1 + 2j), "v": np.where(np.arange(30) == 3, np.inf, VALUES["v"])}
    expected = np.outer(special["x"], special["y"]) - np.outer(special["u"], special["v"])
    result = program(text).run(special)[0]
    finite = np.isfinite(expected)
    assert_allclose(result[finite], expected[finite], rtol=1e-13)
    assert not np.isfinite(result[~finite]).any()


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1)])
@pytest.mark.parametrize("backwards", [False, True])
def test_places_are_the_same_in_any_order_of_axes(axes: tuple[int, ...], backwards: bool) -> None:
    # Entries [i, k, i] for the rows i of a 4x3x4 array, every second k.
    place = Place((4, 3, 4))
    place.merge(0, 2, 4)
    place.choose(7, 1, range(2, -1, -2) if backwards else range(0, 3, 2))
    writer = StridedWriter(place, (0, 7), (4, 2))
    core = generator.normal(size=(4, 2))
    start = generator.normal(size=(4, 3, 4))
    memory = np.ascontiguousarray(start.transpose(axes))
    output = memory.transpose(np.argsort(axes))
    expected = start.copy()
    for i in range(4):
        for k, row in enumerate((2, 0) if backwards else (0, 2)):
            expected[i, row, i] += core[i, k]
    assert_allclose(writer.add(output, core), expected, rtol=1e-15)
    if not backwards:
        assert np.shares_memory(writer.add(output, core), memory)
