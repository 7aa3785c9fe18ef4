"""Places in the output: what a strided view may hold, and where every position must be listed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matgrad.core.evaluation.strided import Place, StridedWriter

# Each run with how far it moves, where it begins and how long it is.
RUNS = ((1, 0, 3), (1, 0, 4), (1, 2, 2), (1, 1, 2), (3, 1, 2), (4, 0, 2))


def place_of(shape: tuple[int, ...], move: int, offset: int) -> Place:
    place = Place(shape)
    place.moves = {0: move}
    place.offset = offset
    return place


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("move", "offset", "length"), [(1, 0, 3), (1, 0, 4), (1, 2, 2), (1, 1, 2), (3, 1, 2), (4, 0, 2)]
)
def test_runs_that_reach_the_end_of_an_axis_and_beyond(
    move: int, offset: int, length: int, order: Literal["C", "F"]
) -> None:
    """In column-major memory a run that carries over to the next row has no single stride."""
    writer = StridedWriter(place_of((2, 3), move, offset), (0,), (length,))
    core = np.arange(1.0, length + 1)
    expected = np.zeros(6)
    expected[offset + move * np.arange(length)] = core
    assert_array_equal(writer.add(np.zeros((2, 3), order=order), core), expected.reshape(2, 3))
    assert_array_equal(writer.write(core), expected.reshape(2, 3))
