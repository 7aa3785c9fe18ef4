"""Tiles of a derivative: all that is not zero is in one of them, and where structure says so nothing else is."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest

import matgrad
from matgrad.core.compressed.tiles import occupied, tile_shape

# An expression of x (12) or X (4×3), and how many tiles of 3 along each axis it fills; None where all may be.
CASES = {
    "exp(x)": 4,
    "x[1:] - x[:-1]": 7,
    "x[::-1]": 4,
    "cumsum(x)": 10,
    "softmax(x)": 16,
    "exp(x)*x[0]": 7,
    "concatenate([x, exp(x)])": 8,
    "outer(x, x)": None,
    "X.T": None,
    "X @ X.T": None,
    "ravel(X)": None,
    "exp(reshape(x, (3, 4)))": None,
    "diag(x)": None,
    "trace(X @ X.T)": None,
}


@pytest.mark.parametrize("text", CASES)
def test_what_is_left_out_is_zero(text: str) -> None:
    inputs = {"x": np.linspace(1, 2, 12)} if "X" not in text else {"X": np.linspace(1, 2, 12).reshape(4, 3)}
    found = matgrad.jacobian(text, next(iter(inputs))).structured(**inputs)
    tile = tuple(min(3, size) for size in found.shape)
    built, places = np.zeros(found.shape), [*occupied(found.form, tile)]
    for place in places:
        built[tuple(slice(one.start, one.stop) for one in place)] = found.piece(place)
    np.testing.assert_array_equal(built, found.todense())
    grid = prod(-(-size // step) for size, step in zip(found.shape, tile, strict=True))
    assert len({*map(str, places)}) == len(places) <= grid
    if CASES[text] is not None:
        assert len(places) == CASES[text]


def test_structure_of_many_axes_leaves_tiles_out() -> None:
    found = matgrad.jacobian("A @ X", "X").structured(A=np.ones((8, 8)), X=np.ones((8, 8)))
    places = [*occupied(found.form, (2, 2, 2, 2))]
    assert len(places) == 4**3
    assert all(place[1] == place[3] for place in places)


def test_a_large_empty_region_costs_one_look() -> None:
    n = 10**9
    form = matgrad.jacobian("exp(x)", "x").structured(x=np.zeros(1000)).form
    assert len([*occupied(form, (1, 1))]) == 1000
    assert tile_shape((n, n), 10**6) <= (1000, 1000)


@pytest.mark.parametrize("shape", [(), (7,), (100, 3), (5, 6, 7), (10**6, 10**6)])
def test_tiles_are_small_enough(shape: tuple[int, ...]) -> None:
    tile = tile_shape(shape, 50)
    assert prod(tile) <= 50
    assert prod(tile) * 4 > min(50, prod(shape))
    assert all(one <= size for one, size in zip(tile, shape, strict=True))
    assert len([*product(*map(range, tile))]) == prod(tile)
