"""Random command lines: commands, options and values, right and wrong."""

from __future__ import annotations

import re
from random import Random

from attacks.in_process import ended, folder_with
from attacks.sentences import NAMES, SETTINGS, SHAPES, functions, mutated, sentence

from matgrad.core.shapes import ASSUMPTIONS

PROMISE = "a command line ends with an answer or an error: no traceback, no status 70"
INPUTS = 120

COMMANDS = ("value", "grad", "jacobian", "hessian", "derivative", "jvp", "vjp", "hvp", "formula", "check", "explain")
VALUES = (
    "1", "0", "-1", "1e308", "1e400", "nan", "inf", "[1, 2]", "[1, 2, 3]", "[]", "[[]]", "[[1, 2], [3, 4]]",
    "[1 2; 3 4]", "[1 2; 3]", "[[1], [2, 3]]", "@missing.npy", "@points.csv", "@points.csv:x", "@points.csv:z", "@-",
    "@numbers.json", "@numbers.npz:a", "@.", "@", "", "null", "true", '"a"', '{"a": 1}', "[1,", "9" * 400, "1e-400",
    "[" * 200 + "]" * 200, "[" * 70 + "1" + "]" * 70, "eye(3)", "1/3", "λ", "\x1b[31m", "[1, null]", "[1, [2]]",
)  # fmt: skip
SHAPE_VALUES = (*SHAPES, "10**30", "3x", "x3", "-1", "1.5", "3x-1", "9" * 30, "1x" * 69 + "1", "", "λ", "3X4", "3,4")
FILES = {
    "points.csv": b"x,y\n1,2\n3,4\n",
    "numbers.json": b'{"x": [1, 2, 3], "A": [[1, 2], [3, 4]], "s": 2}',
    "numbers.npz": b"PK",
    "lines.jsonl": b'{"x": [1, 2]}\n{"x": [3, 4, 5]}\n{"x": "a"}\n[]\n{}\n',
}
WORDS: dict[str, tuple[str, ...]] = {
    "--format": ("table", "plain", "json", "npy", "csv", "latex", "markdown", "mtx", "structured", "foo", ""),
    "--layout": ("generalized", "numerator", "denominator", "flat", "foo"),
    "--random": ("normal", "uniform", "randint:0:5", "randint:5:0", "randint:0:1" + "0" * 30, "foo", "randint"),
    "--seed": ("0", "1", "-1", "9" * 30, "1.5", "foo", ""),
    "--precision": ("3", "0", "-1", "full", "99", "1.5", "9" * 30, "foo"),
    "--max-memory": ("1GiB", "1kB", "0", "-1", "foo", "1e3", "9" * 30 + "GB", "nan"),
    "--syntax": ("matgrad", "matlab", "foo"),
    "--to": ("text", "latex", "numpy", "torch", "jax", "foo"),
    "--kind": ("grad", "jacobian", "hessian", "foo"),
    "-o": ("out.json", "out.csv", "out.npy", "out.npz", "out.mtx", "out.tex", "out.foo", ".", "no/out.json", ""),
    "-i": ("numbers.json", "numbers.npz", "points.csv", "lines.jsonl", "-", "missing", ".", ""),
    "--tangent": (*VALUES, "ones", "random"),
    "--cotangent": (*VALUES, "ones", "random"),
}
FLAGS = (
    "--json", "--strict", "--no-check", "--no-random", "--independent-entries", "--no-color", "--lines",
    "--json", "--strict", "--foo", "--",
)  # fmt: skip
# Options that only some commands take.
OWN = {
    "--to": ("formula",), "--kind": ("formula",), "--tangent": ("jvp", "hvp"), "--cotangent": ("vjp",),
}  # fmt: skip


def attack(seed: int) -> str | None:
    random = Random(seed)
    arguments, stdin = command_line(random)
    encoding = "utf-8" if random.randrange(20) else "ascii"
    with folder_with(FILES):
        return ended(arguments, stdin, encoding).defect


def command_line(random: Random) -> tuple[list[str], bytes]:
    """Return the words after `matgrad`, and what is piped in."""
    if not random.randrange(40):
        return ["functions", *random.choices([*functions(), "foo", "", "--json"], k=random.randrange(3))], b""
    command = random.choice(COMMANDS)
    text = sentence(random)
    arguments = [command, text]
    if command != "value":
        for _ in range(random.choice((0, 1, 1, 1, 1, 2, 3))):
            arguments += ["--wrt", variable(random, text)]
    if command == "check" and random.randrange(8):
        arguments += ["--claim", sentence(random)]
    for _ in range(random.choice((0, 1, 1, 2, 3, 4))):
        arguments += option(random, command, text)
    if not random.randrange(30):
        place = random.randrange(len(arguments))
        arguments[place] = mutated(random, arguments[place])
    return arguments, random.choice((b"", b"", b'{"x": [1, 2, 3]}', b"1 2 3", b"\x93NUMPY", b"{"))


def name_in(random: Random, text: str) -> str:
    """Return a name, most often one of the expression."""
    found = [name for name in re.findall(r"\b[^\W\d]\w*\b", text) if name not in functions() and len(name) < 5]
    return random.choice(found if found and random.randrange(12) else (*NAMES, "foo", "", "np", "1"))


def variable(random: Random, text: str) -> str:
    """Return what may stand after `--wrt`."""
    name = name_in(random, text)
    return random.choice((*(name,) * 12, f"{name},x", f"{name}[0]", f"{name}[{random.choice(SETTINGS)}]"))


def option(random: Random, command: str, text: str) -> list[str]:
    """Return an option with its value."""
    name = name_in(random, text)
    match random.randrange(8):
        case 0 | 1:
            return ["-v", f"{name}={random.choice(VALUES)}"]
        case 2 | 3 | 4:
            return ["--shape", f"{name}={random.choice(SHAPE_VALUES if not random.randrange(6) else SHAPES)}"]
        case 5:
            return random.choice((["--assume", f"{name}={random.choice((*ASSUMPTIONS, 'foo'))}"], ["--batch", name]))
        case 6:
            own = [word for word in WORDS if word not in OWN or command in OWN[word] or not random.randrange(40)]
            word = random.choice(own)
            return [word, random.choice(WORDS[word])]
        case _:
            return [random.choice(FLAGS)]
