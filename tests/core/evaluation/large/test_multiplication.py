"""Products written in the fastest way: the numbers of NumPy's multiplication, in every layout."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation import contract, kernels
from matgrad.core.evaluation.kernels import outer_product, sum_of_outer_products, triangular_product
from matgrad.core.evaluation.large.multiplication import multiply_into
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.nodes import Node, Symbol
from matgrad.core.graph.transform import flatten

generator = np.random.default_rng(4)

# Shapes of two factors, aligned at the last axis as broadcasting does.
FACTORS = (
    ((7, 1), (5,)), ((1, 40), (7, 1)), ((3, 4, 1, 1), (5, 6)), ((3, 1, 4, 1), (1, 5, 1, 6)), ((3, 1, 1, 6), (5, 4, 1)),
    ((200, 1), (300,)), ((130, 1), (256,)), ((3, 5000, 1), (64,)), ((2, 1), (5000,)), ((60, 40), (1, 40)),
    ((6, 1, 40), (5, 40)), ((6, 33, 1), (6, 1, 35)), ((4, 1, 3, 64), (5, 1, 64)),
)  # fmt: skip


@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize(("first", "second"), FACTORS)
def test_products_in_every_layout(first: tuple[int, ...], second: tuple[int, ...], loops: bool) -> None:
    a, b = generator.normal(size=first), generator.normal(size=second)
    expected = a * b
    shape = expected.shape
    for order in permutations(range(len(shape))):
        memory = np.full([shape[axis] for axis in order], np.nan)
        out = memory.transpose(np.argsort(order))
        for arrays in ([a, b], [b, a], [np.asfortranarray(a), b[::-1][::-1]]):
            memory.fill(np.nan)
            written = multiply_into(arrays, out, loops)
            assert_array_equal(out, expected if written else np.nan)


def test_the_fast_ways_are_taken() -> None:
    a, b = generator.normal(size=(300, 1)), generator.normal(size=200)
    assert multiply_into([a, b], np.empty((300, 200)), loops=False)
    assert multiply_into([a, generator.normal(size=256)], np.empty((300, 256)))
    assert not multiply_into([a, generator.normal(size=256)], np.empty((300, 256)), loops=False)
    assert not multiply_into([a * b, b], np.empty((300, 200)))
    assert not multiply_into([b], np.empty(200))


def test_parts_of_an_array_with_gaps() -> None:
    a, b = generator.normal(size=(40, 1)), generator.normal(size=50)
    whole = np.zeros((40, 60))
    part = whole[:, 5:55]
    if not multiply_into([a, b], part):
        np.multiply(a, b, out=part)
    assert_array_equal(part, a * b)
    assert not whole[:, :5].any()
    assert not whole[:, 55:].any()


@pytest.mark.parametrize("terms", [1, 2, 5])
def test_sums_of_outer_products_in_pieces(terms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "ALONE", 50)
    rows, columns = generator.normal(size=(terms, 23)), generator.normal(size=(terms, 9))
    expected = sum(np.outer(row, column) for row, column in zip(rows, columns, strict=True))
    assert_allclose(sum_of_outer_products(*rows, *columns), expected, rtol=1e-13, atol=1e-13)
    out = np.empty((23, 9))
    assert sum_of_outer_products(*rows, *columns, out=out) is out
    assert_allclose(out, expected, rtol=1e-13, atol=1e-13)
    mixed = sum_of_outer_products(*(1j * rows), *columns)
    assert_allclose(mixed, 1j * expected, rtol=1e-13, atol=1e-13)


def test_an_outer_product_keeps_what_is_not_finite() -> None:
    rows = np.array([np.inf, -0.0, np.nan, 2.0])
    columns = np.array([0.0, 1.0, -np.inf])
    with np.errstate(invalid="ignore"):
        assert_array_equal(outer_product(rows, columns), rows[:, None] * columns)


@pytest.mark.parametrize("size", [1, 5, 6, 20])
@pytest.mark.parametrize("lower", [True, False])
def test_products_with_a_triangle(size: int, lower: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "TRIANGLE_BLOCK", 6)
    keep = np.tril if lower else np.triu
    triangular = keep(generator.normal(size=(size, size)))
    other = generator.normal(size=(size, 7))
    for left in (triangular, np.asfortranarray(triangular)):
        found = triangular_product(left, other, triangle="left", lower=lower)
        assert_allclose(found, triangular @ other, rtol=1e-13, atol=1e-13)
        found = triangular_product(other.T, left, triangle="right", lower=lower)
        assert_allclose(found, other.T @ triangular, rtol=1e-13, atol=1e-13)


TRIANGLES = (
    ("tril(B) @ C", 1), ("tril(B).T @ C", 1), ("C @ tril(B)", 1), ("C @ tril(B).T", 1), ("C.T @ tril(B).T", 1),
    ("triu(B) @ C", 1), ("C @ triu(B).T", 1), ("tril(B, -1).T @ C", 1), ("tril(B) @ C @ triu(B)", 2),
    ("tril(B) @ triu(C)", 1), ("tril(B, 1) @ C", 0), ("tril(B) @ tril(B).T", 1), ("tril(B) @ x", 0),
    ("sum(tril(B) * C)", 0), ("(tril(B) + C) @ C", 0), ("(1 / (2 + tril(B))) @ C", 0),
    # That a matrix is assumed to be triangular is true where it is, and not of the points around.
    ("L @ B", 0), ("B @ L.T", 0),
)  # fmt: skip


@pytest.mark.parametrize(("text", "products"), TRIANGLES)
def test_triangles_are_found(text: str, products: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "LARGE_TRIANGLE", 4)
    monkeypatch.setattr(contract, "MANY_COLUMNS", 2)
    monkeypatch.setattr(kernels, "TRIANGLE_BLOCK", 3)
    shapes = {"L": (8, 8), "B": (8, 8), "C": (8, 8), "x": (8,)}
    symbols = {name: Symbol.of(name, shape, {"lower"} if name == "L" else ()) for name, shape in shapes.items()}
    values = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    root = elaborate_text(text, symbols)
    assert isinstance(root, Node)
    compiled = compile_program(flatten([root]))
    expected = eval(text, {"tril": np.tril, "triu": np.triu, "sum": np.sum} | values)
    for _ in range(2):
        assert_allclose(compiled.run(values)[0], expected, rtol=1e-12, atol=1e-12)
    used = [step.kernel for step in compiled._steps if getattr(step.kernel, "func", None) is triangular_product]
    assert len(used) == products
