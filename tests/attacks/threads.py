"""One derivative called from several threads at once, with different inputs and shapes, large arrays among them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from unittest import mock

import numpy as np
from expressions import SHAPES, grown, names_in

import matgrad
from matgrad.core.evaluation.large import sweep

PROMISE = "calls in threads give the numbers of calls alone, and results that are kept stay"
INPUTS = 12

THREADS, CALLS = 4, 6
SIZES = (2, 3, 40)
LARGE = (
    "exp(x)*y + x",
    "sum(tanh(x)**2 * exp(-y))",
    "x @ y.T",
    "sum(sqrt(1 + x**2), axis=0)",
    "softmax(x, axis=1) * y",
)

Values = dict[str, np.ndarray]


def attack(seed: int) -> str | None:
    random = Random(seed)
    text, points = large(random) if random.randrange(2) else small(random)
    name = random.choice(sorted(points[0]))
    kind = random.choice(("value", "grad", "jacobian", "jvp", "vjp"))
    # Every array counts as large: then all of them are lent.
    with mock.patch.object(sweep, "SMALLEST", random.choice((2, sweep.SMALLEST))):
        try:
            asked = matgrad.value(text) if kind == "value" else getattr(matgrad, kind)(text, name)
            wanted = [np.array(asked(**values)) for values in map(dict, directed(asked, kind, name, points))]
        except matgrad.MatgradError:
            return None
        shared = matgrad.value(text) if kind == "value" else getattr(matgrad, kind)(text, name)
        chosen = [random.randrange(len(points)) for _ in range(THREADS * CALLS)]
        with ThreadPoolExecutor(THREADS) as pool:
            # The results are kept, as views, until all calls are done.
            found = list(pool.map(lambda place: shared(**points[place])[...], chosen))
    wrong = [k for k, place in enumerate(chosen) if not np.array_equal(found[k], wanted[place], equal_nan=True)]
    return f"{shared!r}: calls {wrong} of {len(chosen)}" if wrong else None


def large(random: Random) -> tuple[str, list[Values]]:
    generator = np.random.default_rng(random.randrange(2**32))
    sizes = [random.choice(SIZES) for _ in range(3)]
    points = [{name: generator.standard_normal((size, size)) for name in "xy"} for size in sizes]
    return random.choice(LARGE), points


def small(random: Random) -> tuple[str, list[Values]]:
    text, _ = grown(random.randrange(2**32), depth=4)
    generator = np.random.default_rng(random.randrange(2**32))
    points = [{name: np.asarray(generator.standard_normal(SHAPES[name])) for name in names_in(text)} for _ in range(3)]
    return text, points


def directed(asked: matgrad.Derivative, kind: str, name: str, points: list[Values]) -> list[Values]:
    """Return the points with the directions that products take."""
    for values in points:
        if kind == "jvp":
            values["tangent"] = np.cos(values[name])
        if kind == "vjp":
            values["cotangent"] = np.sin(np.asarray(matgrad.value(asked.problem.text)(**values)))
    return points
