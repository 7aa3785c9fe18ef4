"""Random numbers: always the same for a key, and distributed as they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.problems.draws import PIECE, Draws


def test_the_numbers_of_a_key_never_change() -> None:
    # What was published or reported once can be computed again, with any version of Python and NumPy.
    assert_allclose(Draws(0, "x").normal((3,)), [-0.71062073, -0.51356958, 0.54070039], rtol=1e-7)
    assert Draws(0).integers(0, 5, (10,)).tolist() == [1, 3, 2, 0, 2, 3, 1, 4, 2, 3]


def test_keys_and_draws_differ() -> None:
    found = [Draws(*key).uniform(0, 1, (4,)) for key in ((0, "x"), (1, "x"), (0, "y"), (0,), ("0", "x"))]
    draws = Draws(0, "x")
    found.extend([draws.uniform(0, 1, (4,))[::-1], draws.uniform(0, 1, (4,))])
    assert len({tuple(numbers) for numbers in found}) == len(found)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (5,), (2, 3), (3, 0, 2), (PIECE + 1,)])
def test_shapes(shape: tuple[int, ...]) -> None:
    draws = Draws(7)
    for numbers in (draws.normal(shape), draws.uniform(-1, 1, shape), draws.integers(0, 9, shape), draws.signs(shape)):
        assert np.shape(numbers) == shape


def test_normal_numbers_have_the_moments_of_the_normal_distribution() -> None:
    amount = 400_000
    numbers = Draws(3, "moments").normal((amount,))
    # Standard errors of the first four moments: sqrt of 1, 2, 15 and 96, over sqrt(amount).
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(numbers**power) - moment) < 5 * np.sqrt(variance / amount)
    assert abs(np.mean(numbers[1:] * numbers[:-1])) < 5 / np.sqrt(amount)
    assert np.isfinite(numbers).all()


def test_uniform_numbers_fill_their_range_evenly() -> None:
    numbers = Draws(3).uniform(-2, 3, (500_000,))
    assert numbers.min() >= -2
    assert numbers.max() < 3
    counts = np.histogram(numbers, bins=50, range=(-2, 3))[0]
    assert (abs(counts - 10_000) < 5 * np.sqrt(10_000)).all()


def test_whole_numbers_and_signs_are_all_drawn() -> None:
    assert set(Draws(1).integers(-1, 3, (1000,))) == {-1, 0, 1, 2}
    assert set(Draws(1).signs((100,))) == {-1, 1}
