"""Lengths as symbols: their arithmetic is that of the integers they stand for, and equal ones are the same object."""

from __future__ import annotations

import operator
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matgrad.core.graph.places import count_of, progression, sliced
from matgrad.core.graph.ratios import Ratio, as_size, evaluated, ratio, reciprocal
from matgrad.core.graph.sizes import NotPlainError, Size, divide, least, length, quotient, replace_lengths, show_size

n, m, k = length("n"), length("m"), length("k")
VALUES = st.fixed_dictionaries({name: st.integers(1, 9) for name in "nmk"})
LEAVES = st.sampled_from([n, m, k]) | st.integers(-3, 3)
OPERATIONS = st.sampled_from([operator.add, operator.sub, operator.mul])
POLYNOMIALS = st.recursive(
    LEAVES, lambda inner: st.builds(lambda f, a, b: f(a, b), OPERATIONS, inner, inner), max_leaves=6
)


@given(POLYNOMIALS, POLYNOMIALS, VALUES)
def test_arithmetic_is_that_of_the_integers(a: int, b: int, values: dict[str, int]) -> None:
    first, second = replace_lengths(a, values), replace_lengths(b, values)
    assert replace_lengths(a + b, values) == first + second
    assert replace_lengths(a - b, values) == first - second
    assert replace_lengths(a * b, values) == first * second
    assert replace_lengths(-a, values) == -first


@given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS)
def test_equal_lengths_are_one_object(a: int, b: int, c: int) -> None:
    assert a + b is b + a or not isinstance(a + b, Size)
    assert a * (b + c) == a * b + a * c
    assert hash(a * (b + c)) == hash(a * b + a * c)
    assert a - a == 0


@given(POLYNOMIALS, POLYNOMIALS)
def test_a_product_divides(a: int, b: int) -> None:
    if b != 0:
        assert divide(a * b, b) == a


@given(POLYNOMIALS, st.integers(1, 5), VALUES)
def test_a_quotient_is_rounded_down(a: int, b: int, values: dict[str, int]) -> None:
    assert replace_lengths(quotient(a, b), values) == replace_lengths(a, values) // b
    assert replace_lengths(a % b, values) == replace_lengths(a, values) % b


@given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS, VALUES)
def test_coefficients_are_rational_functions(a: int, b: int, c: int, values: dict[str, int]) -> None:
    numbers = [replace_lengths(size, values) for size in (a, b, c)]
    if 0 in (b, c) or 0 in numbers[1:]:
        return
    total = ratio(a) * reciprocal(ratio(b)) + Fraction(1, 2) * reciprocal(ratio(c))
    assert evaluated(total, values) == Fraction(numbers[0], numbers[1]) + Fraction(1, 2) / numbers[2]
    assert total - total == 0
    assert total * reciprocal(ratio(b)) * ratio(b) == total


def test_a_number_stays_a_number() -> None:
    assert type(n - n + 3) is int
    assert type(ratio(n) * reciprocal(ratio(n))) is Fraction
    assert 1 - reciprocal(ratio(n)) == ratio(n - 1) * reciprocal(ratio(n))
    assert isinstance(0.1 * reciprocal(ratio(n)), Ratio)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (n, "n"), (n - 1, "n - 1"), (2 * n * m, "2*n*m"), (m + n, "n + m"), (1 - n, "-n + 1"), (n * n, "n**2"),
        (quotient(n + 1, 2), "(n + 1)//2"), (least(m, n), "min(n, m)"), (quotient(n * m, 3, exact=True), "(n*m)//3"),
    ],
)  # fmt: skip
def test_a_length_reads_as_people_write_it(size: int, text: str) -> None:
    assert show_size(size) == str(size) == text


def test_a_division_without_rest_is_undone() -> None:
    assert 3 * quotient(n * m, 3, exact=True) == n * m
    assert quotient(n * m, n) == m
    assert as_size(ratio(n * (n - 1)) * Fraction(1, 2)) * 2 == n * (n - 1)  # type: ignore[arg-type]
    with pytest.raises(NotPlainError):
        replace_lengths(quotient(n, 3, exact=True), {"n": 4})


def test_what_is_larger_is_known_only_of_generic_lengths() -> None:
    assert n - 3 > 0
    assert n - 1 < n
    assert least(n - 2, n) == n - 2
    with pytest.raises(NotPlainError):
        assert n < m


def test_what_needs_an_integer_refuses_a_symbol() -> None:
    with pytest.raises(TypeError):
        range(n)
    with pytest.raises(NotPlainError):
        float(reciprocal(ratio(n)))  # type: ignore[arg-type]


@given(
    st.none() | st.integers(-4, 4),
    st.none() | st.integers(-4, 4),
    st.sampled_from([-3, -2, -1, 1, 2, 3]),
    st.integers(9, 14),
)
def test_a_slice_of_a_long_axis_is_pythons(start: int | None, stop: int | None, step: int, size: int) -> None:
    try:
        chosen = sliced(start, stop, step, n)
    except NotPlainError:
        assert not range(1000)[start:stop:step], "what a long axis has something of is decided"
        return
    count = max(replace_lengths(count_of(chosen), {"n": size}), 0)
    found = progression(replace_lengths(chosen.start, {"n": size}), step, count)
    assert list(found) == list(range(size))[start:stop:step]


def test_hashes_do_not_depend_on_the_process() -> None:
    program = "from matgrad.core.graph.sizes import length; print(hash(length('n')*length('m') - 1))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, **_path()},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def _path() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path)}
