"""Every function of the table at shapes that nobody had in mind: empty, of one entry, of one row, stacks of them."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
from attacks.random_expressions import KINDS, read

import matgrad
from matgrad.core.elaboration.literals import BARE_CONSTANTS
from matgrad.core.graph.catalogue import operators
from matgrad.core.operators import table
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse

PROMISE = "a function has a value and derivatives, or an error, at any shape"
INPUTS = 400

SHAPES = (
    (), (0,), (1,), (2,), (3,), (4,), (0, 0), (0, 3), (3, 0), (1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (3, 4), (4, 3),
    (0, 1), (1, 0), (1, 1, 1), (2, 3, 3), (0, 2, 2), (2, 0, 0), (2, 1, 1), (2, 1, 3), (1, 3, 3), (2, 3, 4),
    (1, 1, 3, 3),
)  # fmt: skip
AROUND = ("{}", "{}", "{}", "sum({})", "sum({})", "norm({})", "({})**2", "exp({})", "({}).T", "({})[0]", "max({})")
NUMBERS = (0.0, 1.0, -1.0, 2.0)


@cache
def samples() -> tuple[str, ...]:
    """Return calls of all functions of the table."""
    table.load()
    return tuple(sample for operator in operators() if operator.family != "derivatives" for sample in operator.samples)


def attack(seed: int) -> str | None:
    random = Random(seed)
    text = random.choice(AROUND).format(random.choice(samples()))
    names = [name for name in syntax.free_names(parse(text)) if name not in BARE_CONSTANTS]
    common = random.choice(SHAPES)
    values = {name: array(random, common) for name in names}
    kind = random.choice(KINDS if names else KINDS[:1])
    try:
        asked = getattr(matgrad, kind)(text, random.choice(names)) if kind != "value" else matgrad.value(text)
        if random.randrange(2):
            asked(**values)
        else:
            read(random, asked, values)
    except matgrad.MatgradError as error:
        return None if str(error) else f"an error without words for {text!r}"
    except Exception as error:
        error.add_note(f"{kind} by {asked.problem.wrt} of {text!r} at {values}")
        raise
    return None


def array(random: Random, common: tuple[int, ...]) -> np.ndarray:
    """Return a value, most often of the shape that all names have."""
    shape = common if random.randrange(3) else random.choice(SHAPES)
    generator = np.random.default_rng(random.randrange(2**32))
    if shape[-2:] == shape[-1:] * 2 and shape and random.randrange(2):
        half = generator.standard_normal(shape)
        return half @ np.swapaxes(half, -1, -2) + np.eye(shape[-1])
    return generator.standard_normal(shape) if random.randrange(3) else generator.choice(NUMBERS, shape)
