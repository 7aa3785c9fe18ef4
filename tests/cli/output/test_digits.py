"""Every number of a table keeps its significant digits, however different its neighbours are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matgrad.cli.output.digits import choose_format, rough

NUMBERS = st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=1, max_size=6)


@given(NUMBERS, st.integers(1, 15))
def test_each_number_shows_its_digits(values: list[float], precision: int) -> None:
    write = choose_format(values, precision)
    for value in values:
        assert abs(float(write(value)) - value) <= 0.51 * 10.0 ** (1 - precision) * abs(value)


def test_numbers_of_moderate_size_share_one_notation() -> None:
    write = choose_format([3.2627541, 221.79912, 15163.094])
    assert [write(value) for value in (3.2627541, 221.79912, 15163.094)] == ["3.26275", "221.79912", "15163.09400"]


def test_errors_have_one_style() -> None:
    assert [rough(error) for error in (0, 3.21e-11, 0.0123, 0.25)] == ["0", "3e-11", "0.012", "0.25"]
