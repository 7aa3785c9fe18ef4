"""Random expressions at ordinary points: every derivative passes its check, and the check sees one that is changed.

`attack(seed)` makes one expression from random parts, one kind of derivative and random inputs, and returns what is
wrong with the answer, or None.
"""

from __future__ import annotations

from random import Random

import numpy as np

from matgrad.core.errors import MatgradError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

PROMISE = "a derivative at an ordinary point passes its check, and a changed one does not"
INPUTS = 60
DEEPEST = 3

VECTORS = ("x", "y", "A @ x", "A.T @ y", "x * y", "cumsum(x)", "x[::-1]", "diag(A)")
ELEMENTWISE = (
    "sin({0})",
    "tanh({0})",
    "exp({0}/3)",
    "abs({0})",
    "maximum({0}, 0.1)",
    "sigmoid({0})",
    "({0})**2",
    "sqrt(1 + ({0})**2)",
    "log(2 + ({0})**2)",
    "where({0} > 0, {0}, 0.5*{0})",
    "softmax({0})",
    "arctan({0})",
)
PAIRS = (
    "{0} + {1}",
    "{0} * {1}",
    "{0} - 2*{1}",
    "{0} / (1 + ({1})**2)",
    "s * {0} + {1}",
    "inv(A @ A.T + eye(3)) @ {0}",
)
NUMBERS = ("sum({0})", "norm({0})", "logsumexp({0})", "{0} @ A @ {0}", "max({0})", "var({0})", "prod({0})", "mean({0})",
           "logdet(outer({0}, {0}) + eye(3))", "trace(outer({0}, x) @ A)", "s * sum({0})", "std({0})")  # fmt: skip


def attack(seed: int) -> str | None:
    """Return what is wrong with one random derivative, None where nothing is."""
    random = Random(seed)
    text, kind, name, values = question(random)
    given = {key: Input(value, "-v") for key, value in values.items()}
    try:
        found = answer(Problem.of(text, kind, (name,)), given, Wishes())
    except MatgradError as error:
        return f"{kind} of {text} by {name}: {error}"
    check = found.results[0].check
    if check is None or not check.passed or not np.isfinite(found.results[0].data).all():
        return f"{kind} of {text} by {name}: {check}"
    return None


def question(random: Random) -> tuple[str, str, str, dict[str, np.ndarray]]:
    """Return an expression, a kind of derivative, a name to differentiate by, and inputs."""
    numbers = np.random.default_rng(random.randrange(2**32))
    inputs = {"x": numbers.normal(size=3), "y": numbers.normal(size=3), "A": numbers.normal(size=(3, 3))}
    inputs["s"] = np.asarray(numbers.normal())
    vector = _vector(random, DEEPEST)
    kind = random.choice(["grad", "grad", "jacobian", "hessian"])
    text = vector if kind == "jacobian" else random.choice(NUMBERS).format(f"({vector})")
    problem = Problem.of(text, "value")
    names = [name for name in problem.names if name in inputs]
    return text, kind, random.choice(names), {name: inputs[name] for name in names}


def _vector(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.2:
        return random.choice(VECTORS)
    if random.random() < 0.5:
        return random.choice(ELEMENTWISE).format(_vector(random, depth - 1))
    return random.choice(PAIRS).format(f"({_vector(random, depth - 1)})", f"({_vector(random, depth - 1)})")
