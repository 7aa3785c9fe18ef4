"""Random expressions called from Python, at small and strange shapes, as values, derivatives, formulas and code."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import numpy as np
from attacks.sentences import sentence

import matgrad
from matgrad.core.elaboration.literals import BARE_CONSTANTS
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse

PROMISE = "an expression has an answer, or an error that says what is wrong with it"
INPUTS = 400

KINDS = ("value", "grad", "jacobian", "hessian", "jvp", "vjp", "hvp")
EXPECTED = {
    "x": (3,), "y": (3,), "A": (3, 3), "B": (3, 3), "s": (), "t": (), "n": (), "v": (2,), "w": (4,), "X": (3, 2),
    "Z": (2, 4), "T": (2, 3, 4),
}  # fmt: skip
STRANGE = ((), (0,), (1,), (2,), (0, 0), (0, 3), (1, 1), (1, 3), (3, 1), (2, 2), (2, 0, 3), (1, 1, 1), (1,) * 64)
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1e-300, 1e300, np.inf, np.nan, -0.0)


def attack(seed: int) -> str | None:
    random = Random(seed)
    text = sentence(random)
    try:
        names = [name for name in syntax.free_names(parse(text)) if name not in BARE_CONSTANTS]
        values = {name: array(random, name) for name in names}
        kind = random.choice(KINDS if names else KINDS[:1])
        wrt = random.choice(names) if kind != "value" else None
        asked = getattr(matgrad, kind)(text, wrt) if wrt else matgrad.value(text)
        if random.randrange(2):
            asked(**values)
        else:
            read(random, asked, values)
    except matgrad.MatgradError as error:
        return None if str(error) else f"an error without words for {text!r}"
    except Exception as error:
        error.add_note(f"{kind} by {wrt} of {text!r} at {values}" if "values" in locals() else repr(text))
        raise
    return None


def array(random: Random, name: str) -> np.ndarray:
    """Return a value for a name, most often of a usual shape and of ordinary numbers."""
    shape = EXPECTED.get(name, (3,)) if random.randrange(4) else random.choice(STRANGE)
    generator = np.random.default_rng(random.randrange(2**32))
    if not random.randrange(4):
        return generator.choice(NUMBERS, shape)
    return generator.standard_normal(shape) if random.randrange(4) else generator.integers(-2, 3, shape)


def read(random: Random, asked: matgrad.Derivative, values: Mapping[str, np.ndarray]) -> None:
    """Read something else off a derivative."""
    match random.randrange(5):
        case 0:
            asked.code(random.choice(("numpy", "torch", "jax")))
        case 1:
            assert asked.latex is not None
        case 2:
            assert asked.sizes is not None
        case 3:
            asked.structured(**values)
        case _:
            asked.check(**values)
