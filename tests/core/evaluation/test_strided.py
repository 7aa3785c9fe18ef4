"""Places in the output: what a strided view may hold, and where every position must be listed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matgrad.core.evaluation.strided import Place, StridedWriter, composed, lie_apart, meeting

# Each run with how far it moves, where it begins and how long it is.
RUNS = (
    (1, 0, 3), (1, 0, 4), (1, 2, 2), (1, 1, 2), (3, 1, 2), (4, 0, 2), (0, 5, 1),
    (-1, 2, 3), (-1, 3, 2), (-1, 5, 6), (-3, 4, 2), (-4, 5, 2), (-2, 4, 3),
)  # fmt: skip


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


@pytest.mark.parametrize("order", ["C", "F"])
def test_positions_that_two_tables_choose(order: Literal["C", "F"]) -> None:
    place = Place((4, 4))
    place.choose(2, 0, (0, 1, 3))
    place.choose(3, 1, (3, 1, 0))
    writer = StridedWriter(place, (2, 3), (3, 3))
    core = np.arange(1.0, 10).reshape(3, 3)
    expected = np.ones((4, 4))
    expected[np.ix_([0, 1, 3], [3, 1, 0])] += core
    assert_array_equal(writer.add(np.ones((4, 4), order=order), core), expected)
    assert_array_equal(writer.write(core), expected - 1)


def test_an_axis_of_length_one_does_not_break_a_run() -> None:
    place = Place((1, 2, 3))
    place.moves = {0: 17, 1: 3, 2: 1}
    assert place.nested((0, 1, 2), (1, 2, 3)) == 1
    assert place.fills((0, 1, 2), (1, 2, 3))
    assert place.nested((1, 0, 2), (2, 1, 3)) == 1
    assert not place.fills((1, 2), (2, 2))


def test_a_run_that_begins_later_does_not_fill_the_output() -> None:
    place = place_of((6,), 1, 0)
    assert place.fills((0,), (6,))
    assert place.untouched
    place.offset = 1
    assert not place.fills((0,), (6,))
    assert not place.untouched


@pytest.mark.parametrize("first", RUNS)
@pytest.mark.parametrize("second", RUNS)
def test_runs_that_lie_apart_share_no_place(first: tuple[int, int, int], second: tuple[int, int, int]) -> None:
    writers = [
        StridedWriter(place_of((12,), move, offset), (0,), (length,)) for move, offset, length in (first, second)
    ]
    own = [{offset + move * step for step in range(length)} for move, offset, length in (first, second)]
    assert lie_apart(writers) == (max(own[0]) < min(own[1]) or max(own[1]) < min(own[0]))


def test_runs_with_a_table_are_not_said_to_lie_apart() -> None:
    place = Place((6,))
    place.choose(1, 0, (0, 3, 1))
    writer = StridedWriter(place, (1,), (3,))
    assert not lie_apart([writer, StridedWriter(place_of((6,), 1, 4), (0,), (2,))])


RANGES = [range(5, 10), range(6, 20, 2), range(19, 3, -3), range(7, 8), range(0), range(1, 40, 6)]


@pytest.mark.parametrize("one", RANGES, ids=str)
@pytest.mark.parametrize("other", RANGES, ids=str)
def test_ranges_meet_where_their_places_do(one: range, other: range) -> None:
    mine, theirs = meeting(one, other)
    assert sorted(zip(mine, theirs, strict=True)) == sorted(zip(*meeting(tuple(one), tuple(other)), strict=True))
    assert [*composed(one, range(len(one))[1::2])] == [*one][1::2]
