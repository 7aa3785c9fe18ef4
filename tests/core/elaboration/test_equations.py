"""Equations between lengths: what they determine, and what they cannot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from matgrad.core.elaboration.equations import Equations
from matgrad.core.graph.sizes import length, quotient

n, m, k, p, q = map(length, "nmkpq")


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ([(n, m)], {"m": n}),
        ([(m, n), (k, m)], {"m": n, "k": n}),
        ([(n, 4), (n, m)], {"n": 4, "m": 4}),
        ([(n - 1, m)], {"m": n - 1}),
        ([(n - 1, 4)], {"n": 5}),
        ([(n + m, k)], {"k": n + m}),
        ([(n * m, 3 * k)], {"k": quotient(n * m, 3, exact=True)}),
        ([(n * m, p * q)], {"p": n, "q": m}),
        ([(n * m, 12)], {"m": quotient(12, n, exact=True)}),
        ([(n * m, 12), (m, 4)], {"n": 3, "m": 4}),
        ([(n * m * k, 2 * p * q)], {"k": quotient(2 * p * q, n * m, exact=True)}),
        ([(n * n, 9)], {"n": 3}),
        ([(2 * n, 8)], {"n": 4}),
        ([(n, m + 1), (m, k - 2)], {"m": n - 1, "k": n + 1}),
        ([(quotient(n + 1, 2), m)], {"m": quotient(n + 1, 2)}),
    ],
)
def test_equations_determine_lengths(asked: Sequence[tuple[int, int]], known: dict[str, int]) -> None:
    equations = Equations()
    for name in "nmkpq":
        equations.new(name)
    for left, right in asked:
        assert equations.equate(left, right)
    for name, value in known.items():
        assert equations.resolved(length(name)) == value, name


@pytest.mark.parametrize(
    "asked", [[(n, 3), (n, 4)], [(n, n - 1)], [(n * n, 7)], [(n, m), (m, n)], [(n - 1, m), (m, n)], [(n, -1)], [(n, n)]]
)
def test_what_teaches_nothing_is_said_to(asked: Sequence[tuple[int, int]]) -> None:
    equations = Equations()
    for name in "nm":
        equations.new(name)
    *learned, last = asked
    assert all(equations.equate(*pair) for pair in learned)
    assert not equations.equate(*last)


def test_a_long_chain_of_equal_lengths_is_walked_once() -> None:
    equations = Equations()
    for place in range(3000):
        equations.new(f"x{place}")
    for place in reversed(range(2999)):
        assert equations.equate(length(f"x{place}"), length(f"x{place + 1}"))
    assert equations.free == ["x0"]
    assert equations.resolved(length("x2999")) == length("x0")


def test_a_given_name_is_kept() -> None:
    equations = Equations()
    equations.new("x.0")
    equations.new("n", given=True)
    assert equations.equate(length("x.0"), length("n"))
    assert equations.free == ["n"]


def test_products_meet_as_their_numbers_do() -> None:
    equations = Equations({"a": 4, "b": 3, "c": 3, "d": 4})
    a, b, c, d = map(equations.new, "abcd")
    assert equations.equate(a * b, c * d)
    assert (equations.resolved(c), equations.resolved(d)) == (b, a)
