"""Expressions that grow: iterated maps, nested functions, long sums, products, chains and powers of matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random

import matgrad
from matgrad.core import work
from matgrad.core.errors import MatgradError
from matgrad.core.work import Allowance
from matgrad.grammar import budget
from matgrad.grammar.budget import Budget

PROMISE = "an expression that grows takes work that grows with it, or is refused by the parts that it would have"
INPUTS = 12

# The clock plays no part here: what is counted is the same on every machine.
ENDLESS = 1e9
FUNCTIONS = ("sin", "exp", "tanh", "sigmoid", "sqrt", "log1p", "abs")


def iterated(step: str, last: int) -> str:
    """Return a statement for each step of a map: `x1 = 2*x0; x2 = 2*x1; x2` for `2*x`."""
    lines = [f"x{place + 1} = {step.replace('x', f'x{place}')}" for place in range(last)]
    return "; ".join([*lines, f"x{last}"])


def nested(last: int) -> str:
    """Return functions in functions."""
    return "sin(cos(" * last + "x" + "))" * last


FAMILIES: Mapping[str, Callable[[int], str]] = {
    "logistic map": lambda n: iterated("r*x*(1 - x)", n),
    "squares": lambda n: iterated("x*x", n),
    "doubled": lambda n: iterated("x + x", n),
    "added": lambda n: iterated("x + sin(x)", n),
    "Newton's method": lambda n: iterated("x - (x**2 - a)/(2*x)", n),
    "nested": nested,
    "terms": lambda n: " + ".join(f"sin({k}*x)" for k in range(1, n + 1)),
    "factors": lambda n: "*".join(f"sin({k}*x)" for k in range(1, n + 1)),
    "powers": lambda n: " + ".join(f"{k}*x**{k}" for k in range(1, n + 1)),
    "chain": lambda n: f"trace({' @ '.join(f'A{k}' for k in range(n))} @ X)",
    "bilinear factors": lambda n: "*".join(f"(v @ b{k})" for k in range(n)),
    "network": lambda n: f"sum({'tanh(A @ ' * n}h{' + b)' * n})",
}
"""Families of expressions by their number of parts."""


def variable_of(name: str) -> tuple[str, tuple[int, ...] | None]:
    """Return what the expressions of a family are differentiated by, and its shape."""
    return {"chain": ("X", None), "bilinear factors": ("v", None), "network": ("h", None)}.get(
        name, ("x0" if name in ITERATED else "x", ())
    )


DEEP = ("nested", "network")
ITERATED = ("logistic map", "squares", "doubled", "added", "Newton's method")


@contextmanager
def without_a_clock() -> Iterator[list[Budget]]:
    """Let budgets count parts alone, and list those that are opened."""
    opened: list[Budget] = []
    within = budget.within

    @contextmanager
    def counted(own: Budget) -> Iterator[Budget]:
        own._end = ENDLESS
        opened.append(own)
        with within(own) as found:
            yield found

    work.within = counted
    try:
        yield opened
    finally:
        work.within = within


def work_of(text: str, wrt: str, shape: tuple[int, ...] | None, kind: str = "grad") -> int:
    """Return how many parts are looked at on the way to a formula; raise TooMuchWork where there are too many."""
    shapes = {} if shape is None else {name: shape for name in ("x", "x0", "r", "a") if name in text}
    with without_a_clock() as opened:
        found = matgrad.derivative(text, wrt=(wrt, wrt) if kind == "hessian" else wrt, shapes=shapes)
        assert found.formula
    return sum(one.spent for one in opened)


def attack(seed: int) -> str | None:
    """Write the formula of a large member of a family, or of a random deep expression."""
    random = Random(seed)
    if random.random() < 0.5:
        name = random.choice(sorted(FAMILIES))
        wrt, shape = variable_of(name)
        text = FAMILIES[name](random.choice((5, 12, 30, 30 if name in DEEP else 80)))
    else:
        name, wrt, shape, text = "random", "x", (), deep(random, random.randrange(20, 120))
    kind = random.choice(("grad", "hessian"))
    try:
        spent = work_of(text, wrt, shape, kind)
    except work.TooMuchWork:
        return None
    except MatgradError as error:
        return f"{name}: {kind} of {text} by {wrt}: {error.message}"
    most = sum(one.looks for one in vars(work).values() if isinstance(one, Allowance)) * 2
    return None if spent <= most else f"{name}: {spent} parts for the {kind} of {text}"


def deep(random: Random, depth: int) -> str:
    """Return statements each of which uses some of those before, often several times."""
    names = ["x"]
    lines = []
    for place in range(depth):
        first, second = random.choice(names[-3:]), random.choice(names)
        form = random.choice(("{f}({a})", "{a} + {b}", "{a}*{b}", "{a} - {f}({b})", "{a}/(2 + {b}**2)", "{a}*{a} + 1"))
        lines.append(f"t{place} = " + form.format(f=random.choice(FUNCTIONS[:4]), a=first, b=second))
        names.append(f"t{place}")
    return "; ".join([*lines, names[-1]])
