"""Extreme numbers against mpmath: no wrong derivative is vouched for, and hardly a right one is called wrong.

`attack(seed)` makes one point: an expression, inputs between 1e-300 and 1e300, zeros, equal and nearly equal ones, and
its gradient or Hessian, by matgrad and by differences with 1500 digits. `survey(seeds)` counts what came out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

import mpmath
import numpy as np

from matgrad.core.errors import MatgradError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

mp = mpmath.mp

DIGITS = 1500
STEP = 60
# A derivative is right up to this part of its largest entry, and a value of its own size.
TOLERANCE = 1e-6
# Below this numbers have fewer digits.
SUBNORMAL = 2.3e-308
LARGEST = 1.7976931348623157e308
PROMISE = "no wrong number is vouched for at any magnitude, and no right one called wrong"
INPUTS = 150

Numbers = Sequence[Any]


def norm(x: Numbers) -> Any:
    return mp.sqrt(sum(v * v for v in x))


def logsumexp(x: Numbers) -> Any:
    largest = max(x)
    return largest + mp.log(sum(mp.exp(v - largest) for v in x))


def mean(x: Numbers) -> Any:
    return sum(x) / len(x)


def std(x: Numbers) -> Any:
    return norm([v - mean(x) for v in x]) / mp.sqrt(len(x))


def softplus(v: Any) -> Any:
    return v + mp.log1p(mp.exp(-v)) if v > 0 else mp.log1p(mp.exp(v))


# Of a number s: those that exp and the like take, up to where they overflow, and those that any number suits.
OF_SMALL_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "exp(s)": mp.exp,
    "exp(-s**2)": lambda s: mp.exp(-s * s),
    "(exp(s) - 1)/s": lambda s: mp.expm1(s) / s,
    "expm1(s)/s": lambda s: mp.expm1(s) / s,
    "exp(s) - 1": mp.expm1,
    "tanh(s)": mp.tanh,
    "1 - tanh(s)**2": lambda s: 1 - mp.tanh(s) ** 2,
    "sigmoid(s)": lambda s: 1 / (1 + mp.exp(-s)),
    "log(1 + exp(s))": softplus,
    "sinh(s) - s": lambda s: mp.sinh(s) - s,
    "1/s - 1/tan(s)": lambda s: 1 / s - mp.cot(s),
    "exp(s)*exp(-s)": lambda s: mp.mpf(1) + 0 * s,
    "s*sigmoid(s)": lambda s: s / (1 + mp.exp(-s)),
    "log(cosh(s))": lambda s: mp.log(mp.cosh(s)),
}
OF_ANY_NUMBER: dict[str, Callable[[Any], Any]] = {
    "s**3": lambda s: s**3,
    "s**2": lambda s: s**2,
    "1/s": lambda s: 1 / s,
    "1/(1 + s**2)": lambda s: 1 / (1 + s**2),
    "s/sqrt(1 + s**2)": lambda s: s / mp.sqrt(1 + s**2),
    "sqrt(1 + s**2) - 1": lambda s: mp.sqrt(1 + s**2) - 1,
    "(1 - cos(s))/s**2": lambda s: (1 - mp.cos(s)) / s**2,
    "sin(s)/s": lambda s: mp.sin(s) / s,
    "s - sin(s)": lambda s: s - mp.sin(s),
    "arctan(s)": mp.atan,
    "(1 + s)**2 - 1 - 2*s": lambda s: s**2,
    "(s + 1)**3 - s**3": lambda s: 3 * s**2 + 3 * s + 1,
    "s**2/(1 + s**2)": lambda s: s**2 / (1 + s**2),
}
OF_POSITIVE_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "log(1 + s)/s": lambda s: mp.log1p(s) / s,
    "log1p(s)/s": lambda s: mp.log1p(s) / s,
    "sqrt(1 + s) - 1": lambda s: mp.sqrt(1 + s) - 1,
    "sqrt(s + 1) - sqrt(s)": lambda s: mp.sqrt(s + 1) - mp.sqrt(s),
    "log(s)": mp.log,
    "s*log(s)": lambda s: s * mp.log(s),
    "sqrt(s)": mp.sqrt,
    "s**0.3": lambda s: s ** mp.mpf(0.3),
    "log(s + 1) - log(s)": lambda s: mp.log1p(1 / s),
}
# Of a vector x of three entries.
OF_SMALL_VECTORS: dict[str, Callable[[Numbers], Any]] = {
    "sum(exp(x))": lambda x: sum(map(mp.exp, x)),
    "sum(tanh(x))": lambda x: sum(map(mp.tanh, x)),
    "sum(log(1 + exp(x)))": lambda x: sum(map(softplus, x)),
}
OF_VECTORS: dict[str, Callable[[Numbers], Any]] = {
    "logsumexp(x)": logsumexp,
    "softmax(x)[0]": lambda x: mp.exp(x[0] - logsumexp(x)),
    "log_softmax(x)[1]": lambda x: x[1] - logsumexp(x),
    "logaddexp(x[0], x[1])": lambda x: logsumexp(x[:2]),
    "sum(x**2)": lambda x: sum(v * v for v in x),
    "prod(x)": lambda x: x[0] * x[1] * x[2],
    "x[0]/norm(x)": lambda x: x[0] / norm(x),
    "norm(x)": norm,
    "norm(x)**2": lambda x: norm(x) ** 2,
    "norm(x, 3)": lambda x: sum(abs(v) ** 3 for v in x) ** (mp.mpf(1) / 3),
    "sqrt(sum(x**2))": norm,
    "sum(x)/norm(x)": lambda x: sum(x) / norm(x),
    "hypot(x[0], x[1])": lambda x: norm(x[:2]),
    "x[0]/hypot(x[0], x[1])": lambda x: x[0] / norm(x[:2]),
    "std(x)": std,
    "var(x)": lambda x: std(x) ** 2,
    "(x[0] - mean(x))/std(x)": lambda x: (x[0] - mean(x)) / std(x),
    "x[0]*x[1]/(x @ x)": lambda x: x[0] * x[1] / sum(v * v for v in x),
    "max(x)": max,
    "sum(x)*x[0]": lambda x: sum(x) * x[0],
    "sum(x)**2 - x @ x": lambda x: 2 * (x[0] * x[1] + x[0] * x[2] + x[1] * x[2]),
    "det(outer(x, x) + eye(3))": lambda x: 1 + sum(v * v for v in x),
}


class Point(NamedTuple):
    """A question with its right answers."""

    text: str
    kind: str
    name: str
    value: Any
    function: Callable[[Any], Any]


class Outcome(NamedTuple):
    """What matgrad made of a point: `defect` is None where nothing is wrong with it."""

    word: str
    defect: str | None = None


def attack(seed: int) -> str | None:
    """Return what is wrong with the answer at one point, None where nothing is."""
    outcome = tried(point(seed))
    return None if outcome.defect is None else f"{outcome.word}: {outcome.defect}"


def survey(seeds: Iterable[int]) -> Counter[str]:
    """Count what becomes of many points: vouched for, unsure, refused, false alarms, wrong."""
    return Counter(tried(point(seed)).word for seed in seeds)


# --- points ----------------------------------------------------------------------------------------------------------


def point(seed: int) -> Point:
    """Return a point, the same one for the same seed."""
    random = Random(seed)
    kind = random.choice(["grad", "grad", "grad", "hessian"])
    family, draw = random.choice(FAMILIES)
    text = random.choice(list(family))
    vector = family is OF_VECTORS or family is OF_SMALL_VECTORS
    value = _vector(random, draw) if vector else draw(random)
    return Point(text, kind, "x" if vector else "s", value, family[text])


def _small(random: Random) -> float:
    sign = random.choice([1, -1])
    return random.choice([0.0, sign * 10 ** random.uniform(-300, 2.8), sign * 10 ** random.uniform(-12, 2.8)])


def _any(random: Random) -> float:
    sign = random.choice([1, -1])
    wide, narrow = 10 ** random.uniform(-300, 300), 10 ** random.uniform(-20, 20)
    return random.choice([0.0, sign * wide, sign * narrow, sign * narrow, float(random.randint(-9, 9))])


def _positive(random: Random) -> float:
    return abs(_any(random)) or 1e-300


def _vector(random: Random, draw: Callable[[Random], float]) -> list[float]:
    first = draw(random)
    near = first * (1 + random.choice([1, -1]) * 10 ** random.uniform(-16, -1))
    others = [draw(random), first, near, -first, -near, 2 * first, 0.0, first + random.choice([1.0, 1e-8, -0.5])]
    x = [first, random.choice(others), random.choice(others)]
    random.shuffle(x)
    return x


FAMILIES: tuple[tuple[dict[str, Callable[[Any], Any]], Callable[[Random], float]], ...] = (
    (OF_SMALL_NUMBERS, _small), (OF_ANY_NUMBER, _any), (OF_POSITIVE_NUMBERS, _positive), (OF_SMALL_VECTORS, _small),
    (OF_VECTORS, _any), (OF_VECTORS, _any),
)  # fmt: skip

_compilers: dict[tuple[str, str], tuple[Problem, Compiler]] = {}


def tried(asked: Point) -> Outcome:
    """Return what matgrad says of a point, and whether that is right."""
    key = asked.text, asked.kind
    if key not in _compilers:
        problem = Problem.of(asked.text, asked.kind, (asked.name,))
        _compilers[key] = problem, Compiler(problem)
    problem, compiler = _compilers[key]
    given = {asked.name: Input(np.array(asked.value, dtype=np.float64), "-v")}
    try:
        found = answer(problem, given, Wishes(), compiler=compiler)
    except MatgradError:
        return Outcome("refused")
    (result,) = found.results
    check = result.check
    assert check is not None
    assert found.value is not None
    if check.passed and not check.vouched:
        return Outcome("unsure")
    if any(warning.code == "kink" for warning in found.warnings):
        return Outcome("alarm at a kink", str(asked[:4])) if not check.passed else Outcome("kink")
    try:
        value, derivative = _truth(asked)
    except ZeroDivisionError:  # the limit of a quotient at 0, where it has no value
        return Outcome("vouched for" if check.vouched else "false alarm", None if check.vouched else str(asked[:4]))
    wrong = _differs(result.data, derivative)
    if check.vouched:
        wrong = wrong or _differs(found.value, value)
        return Outcome("wrong", f"{asked[:4]}: {result.data.tolist()}") if wrong else Outcome("vouched for")
    return Outcome("true alarm") if wrong else Outcome("false alarm", f"{asked[:4]}: {check}")


# --- the truth -------------------------------------------------------------------------------------------------------


def _truth(asked: Point) -> tuple[Any, Any]:
    """Return the value and the derivative with hundreds of right digits, as arrays of mpmath's numbers."""
    with mp.workdps(DIGITS):
        vector = isinstance(asked.value, list)
        x = [mp.mpf(entry) for entry in (asked.value if vector else [asked.value])]

        def function(entries: Numbers) -> Any:
            return asked.function(entries) if vector else asked.function(entries[0])

        steps = [mp.mpf(10) ** -STEP * (abs(entry) or mp.mpf(10) ** -310) for entry in x]
        value = function(x)
        places = range(len(x))
        if asked.kind == "grad":
            entries = [_central(function, x, steps, place) for place in places]
            return value, np.array(entries).reshape(np.shape(asked.value))

        def slope(place: int) -> Callable[[Numbers], Any]:
            return lambda moved: _central(function, moved, steps, place)

        rows = [[_central(slope(j), x, steps, i) for j in places] for i in places]
        return value, np.array(rows).reshape(np.shape(asked.value) * 2)


def _central(function: Callable[[Numbers], Any], x: Numbers, steps: Numbers, place: int) -> Any:
    ahead = [entry + (steps[k] if k == place else 0) for k, entry in enumerate(x)]
    behind = [entry - (steps[k] if k == place else 0) for k, entry in enumerate(x)]
    return (function(ahead) - function(behind)) / (2 * steps[place])


def _differs(found: Any, truth: Any) -> bool:
    """Whether numbers are further from the truth than a small part of the largest of them."""
    pairs = list(zip(np.ravel(found).tolist(), np.ravel(np.asarray(truth)).tolist(), strict=True))
    with mp.workdps(50):
        scale = max([mp.mpf(SUBNORMAL), *(abs(mp.mpf(right)) for _, right in pairs)])
        return any(
            abs(mp.mpf(own) - right) > TOLERANCE * scale if np.isfinite(own) else abs(right) < LARGEST
            for own, right in pairs
        )


# --- in the suite ----------------------------------------------------------------------------------------------------
