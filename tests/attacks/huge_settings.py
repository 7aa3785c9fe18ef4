"""Every function of the table with a number that is far too large where a setting, a size or a count stands."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from attacks.in_process import ended
from attacks.strange_shapes import samples

from matgrad.core.graph.catalogue import operators
from matgrad.core.operators import table

PROMISE = "a setting that asks for too much is answered or refused, before memory is taken"
INPUTS = 120

HUGE = ("10**6", "10**9", "10**12", "2**31", "2**63", "10**30", "-10**9", "10**6 + 0.5", "1e9", "inf", "(10**6, 10**6)",
        "(10**9, 1)", "10**9*x.size", "arange(10**9)", "[10**9]", "ones(10**10)")  # fmt: skip
NUMBER = re.compile(r"(?<![\w.'\"])\d+(?![\w.'\"])")
SETTING = re.compile(r"(\w+)=")
COMMANDS = ("value", "value", "grad", "jacobian", "formula", "hessian", "jvp")
SHAPES = ("--shape", "x=4", "--shape", "X=3x4", "--shape", "A=3x3")
MEMORY = "200MB"


@cache
def settings() -> tuple[str, ...]:
    """Return calls of all functions with an empty place for each setting that they have."""
    table.load()
    found = []
    for operator in operators():
        for sample in operator.samples[:2] if operator.family != "derivatives" else ():
            if sample.startswith(f"{operator.name}(") and sample.endswith(")"):
                found += [
                    f"{sample[:-1]}, {name}={{}})" for name in SETTING.findall(operator.parameters.partition(";")[2])
                ]
    return tuple(found)


def attack(seed: int) -> str | None:
    random = Random(seed)
    found = ended([*command_line(random), "--max-memory", MEMORY])
    return f"{found}" if found.defect or "not enough memory" in found.errors else None


def command_line(random: Random) -> list[str]:
    """Return a command line in which one number is huge."""
    huge = random.choice(HUGE)
    text = random.choice(settings()).format(huge) if random.randrange(2) else random.choice(samples())
    places = [*NUMBER.finditer(text)]
    if places and random.randrange(3):
        place = random.choice(places)
        text = text[: place.start()] + f"({huge})" + text[place.end() :]
    command = random.choice(COMMANDS)
    if command in ("grad", "hessian"):
        text = f"sum({text})"
    shapes = [word for k in range(0, len(SHAPES), 2) if f"{SHAPES[k + 1][0]}" in text for word in SHAPES[k : k + 2]]
    return [command, text, *shapes]
