"""Where a function is evaluated to see a derivative of it, and with which weights.

`f^(k)(0)` is about `sum(weight * f(place * h)) / h**k`. On a line the places lie around 0 and the error is a power of
h; on a circle in the complex plane, for analytic functions, they are those of Cauchy's integral (Lyness & Moler 1967,
Numerical differentiation of analytic functions), whose error falls with their number, so that h need not be small.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from math import cos, factorial, pi, sin
from typing import NamedTuple

COMPLEX_STEP = 1e-30


class Stencil(NamedTuple):
    """Places with weights, the order of the derivative, the steps to try one after the other, and what it is called."""

    points: tuple[tuple[complex, complex], ...]
    order: int
    steps: tuple[float, ...]
    method: str


# By order. From the third on the error falls with a higher power of the step, which may be larger then.
LINE_STEPS = {1: (1e-3, 1e-4, 1e-2, 1e-5, 1e-6, 1e-7, 1e-8), 2: (5e-3, 2e-2, 1e-3, 3e-4, 1e-1)}
LONG_STEPS = (5e-2, 1e-1, 2e-2, 3e-1)
# From how far a singularity may lie to how large a step high powers need.
CIRCLE_STEPS = (0.25, 1.0, 4.0, 0.0625, 16.0)


@cache
def on_line(order: int) -> Stencil:
    """Return central differences: of 5 points for orders 1 and 2, of more beyond."""
    reach = 2 if order <= 2 else (order + 1) // 2 + 3
    places = [Fraction(place) for place in range(-reach, reach + 1)]
    points = tuple((float(place), float(weight)) for place, weight in zip(places, _weights(places, order), strict=True))
    used = tuple((place, weight) for place, weight in points if weight)
    return Stencil(used, order, LINE_STEPS.get(order, LONG_STEPS), f"{2 * reach + 1}-point differences")


def _weights(places: list[Fraction], order: int) -> list[Fraction]:
    """Return the weights that differentiate every polynomial through the places exactly, by those of Lagrange."""
    weights = []
    for own in places:
        coefficients = [Fraction(1)]
        for other in places:
            if other != own:
                lower = [Fraction(0), *coefficients]
                higher = [*(-other * c for c in coefficients), Fraction(0)]
                coefficients = [(a + b) / (own - other) for a, b in zip(lower, higher, strict=True)]
        weights.append(coefficients[order] * factorial(order))
    return weights


@cache
def on_circle(order: int) -> Stencil:
    """Return Cauchy's integral on half a circle; what is real on the real line takes conjugate values on the rest."""
    half = max(16, order + 8)
    points = []
    for place in range(half + 1):
        angle = pi * place / half
        share = factorial(order) / half * (0.5 if place in (0, half) else 1.0)
        turned = complex(cos(order * angle), -sin(order * angle))
        points.append((complex(cos(angle), sin(angle)), share * turned))
    return Stencil(tuple(points), order, CIRCLE_STEPS, "Cauchy's integral")


COMPLEX = Stencil(((1j * COMPLEX_STEP, -1j / COMPLEX_STEP),), 1, (1.0,), "complex step")


@cache
def rules(counts: tuple[int, ...], *, analytic: bool) -> list[tuple[Stencil, ...]]:
    """Return the ways to estimate a derivative, the best first: for each direction a stencil of the order it has."""
    line = tuple(on_line(count) for count in counts)
    most = max(counts)
    if not analytic or (most == 2 and 1 not in counts):
        return [line]
    place, first = (counts.index(most), on_circle(most)) if most > 2 else (counts.index(1), COMPLEX)
    return [(*line[:place], first, *line[place + 1 :]), line]


@cache
def steps(rule: tuple[Stencil, ...]) -> list[tuple[float, ...]]:
    """Return the steps to try, one for each stencil of a rule: lines go through theirs together."""
    own = [stencil.steps for stencil in rule]
    amount = min((len(each) for each in own if len(each) > 1), default=1)
    return [tuple(each[k if len(each) > 1 else 0] for each in own) for k in range(amount)]


@cache
def points(rule: tuple[Stencil, ...]) -> list[tuple[tuple[complex, ...], complex]]:
    """Return the places of a rule, one coordinate for each stencil, with their weights."""
    found = []
    for chosen in product(*(stencil.points for stencil in rule)):
        weight: complex = 1
        for _, own in chosen:
            weight *= own
        found.append((tuple(place for place, _ in chosen), weight))
    return found
