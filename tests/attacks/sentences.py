"""Random sentences of the calculator's language, right and wrong: what a person, a program or an enemy may write."""

from __future__ import annotations

from functools import cache
from random import Random

from expressions import grown

from matgrad.core.graph.catalogue import operators
from matgrad.core.operators import table

NAMES = ("x", "y", "A", "B", "s", "T", "λ", "self", "n", "_a1")
SHAPES = ("scalar", "()", "0", "1", "2", "3", "1x1", "2x2", "3x3", "1x3", "3x1", "0x3", "3x0", "0x0", "2x3", "2x3x4")
WEIGHED = (*NAMES[:5] * 6, *NAMES)
NUMBERS = (
    "0", "1", "2", "3", "-1", "-2", "0.5", "1.5", "2.0", "1e-5", "1e308", "1e400", "10**30", "2**63", "2**64", "-2**63",
    "99999999999999999999", "9" * 400, "inf", "-inf", "nan", "pi", "e", "1e999", "0x10", "1j", "True", "None",
)  # fmt: skip
# What stands where a number, an axis, a shape or a list of places belongs.
SETTINGS = (
    "0", "1", "-1", "2", "3", "-3", "0.5", "1.5", "1e9", "10**30", "2**63", "99999999999999999999", "inf", "nan",
    "None", "True", "False", "'fro'", "'nuc'", '"abc"', "()", "(1, 2)", "(0, 1)", "(1, 0)", "(0, 0)", "(-1,)",
    "(2, -1)", "(-1, -1)", "[0, 1]", "[]", "[[0], [1]]", "[1.5]", "(None,)", "('a',)", "x.shape", "x.shape[::-1]",
    "A.shape[0]", "(1,)*70", "x.size", "x.ndim", "x", "A", "s", "...", ":", "1:2", "::-1", "::0", "-x", "sum(x)",
    "x > 0", "(2, (1, 2))", "3*x.size", "x.size**40", "slice(1, 2)", "newaxis", "-0.0", "(1e20, 2)", "{}",
    "lambda x: x",
)  # fmt: skip
KEYWORDS = (
    "axis", "keepdims", "k", "ord", "ddof", "offset", "axis1", "axis2", "shape", "axes", "shift", "repeats", "dim",
    "out", "dtype", "where", "lower", "num", "p", "foo", "x",
)  # fmt: skip
INDICES = (
    "0", "-1", "1", "99", "-99", ":", "::2", "::-1", "1:", ":0", ":-1", "5:1", "...", "None", "newaxis", "[0, 0]", "[]",
    "[0]", "[True]", "x > 0", "[[0, 1], [1, 0]]", "10**30", "2**63:", "::10**20", "0.5", "1.0", "'a'", "s", "x", "n",
    "::0", "(0, 1)", "A", "-2**63", "True", "nan", "inf",
)  # fmt: skip
SUBSCRIPTS = (
    "ij,jk->ik", "ij,j", "ii", "ii->i", "i,i", "i,j->ij", "...i,i", "...ij->...ji", "ij->", "->", "", ",", "iii",
    "i->ii", "ij->k", "i j", "i1,j", "λλ", "ij,jk,kl->il", "..,", "a" * 60 + "->", "i-i", "ij->ji->ij",
)  # fmt: skip
INFIX = ("+", "-", "*", "/", "**", "@", ".*", "./", "^", "//", "%", "<", "==", "and", "or", "if", "\\", ":=", "|", "≤")
CHARACTERS = "()[]{}.,:;'\"\\/*+-=<>!@#$%^&|~`?_ \n\t\r\0\x1b\u202e\ufeffλ∂ΔΣ√²₁𝐱é0123456789exAT"


@cache
def functions() -> tuple[str, ...]:
    """Return the names of all functions that can be written."""
    table.load()
    return tuple(sorted({word for operator in operators() for word in (operator.name, *operator.aliases)}))


def sentence(random: Random, depth: int = 3) -> str:
    """Return a random expression: a third of them grown with types, some with parts replaced or letters changed."""
    if not random.randrange(3):
        text, _ = grown(random.randrange(2**32), depth=3)
    else:
        text = part(random, depth)
    if not random.randrange(8):
        text = f"{random.choice(NAMES)} = {part(random, 1)}; {text}"
    for _ in range(random.choice((0, 0, 0, 0, 0, 1, 1, 2))):
        text = mutated(random, text)
    return text


def part(random: Random, depth: int) -> str:
    """Return a random operand."""
    if depth <= 0:
        return random.choice(WEIGHED) if random.randrange(4) else random.choice(NUMBERS)
    below = depth - 1

    def operand() -> str:
        return part(random, random.randint(0, below))

    match random.randrange(12):
        case 0 | 1 | 2 | 3:
            return call(random, below)
        case 4 | 5:
            return f"({operand()} {random.choice(INFIX[:6] if random.randrange(8) else INFIX)} {operand()})"
        case 6:
            places = ", ".join(random.choice(INDICES) for _ in range(random.choice((1, 1, 2, 3))))
            return f"{operand()}[{places}]"
        case 7:
            method = random.choice((*functions(), "T", "shape", "size", "ndim", "dot", "foo", "astype"))
            return f"{operand()}.{method}" + (f"({settings(random)})" if random.randrange(4) else "")
        case 8:
            return f"einsum('{random.choice(SUBSCRIPTS)}', {', '.join(operand() for _ in range(random.randint(0, 3)))})"
        case 9:
            return f"[{', '.join(operand() for _ in range(random.randint(0, 3)))}]"
        case 10:
            return random.choice(("-{}", "{}.T", "{}'", "({})", "{}!", "not {}", "|{}|", "{}**2")).format(operand())
        case _:
            return operand()


def call(random: Random, depth: int) -> str:
    """Return a call of a function with operands, settings and keywords, not always those that it takes."""
    name = random.choice(functions())
    prefix = random.choice(("", "", "", "np.", "np.linalg.", "torch.", "jnp.", "scipy.special."))
    operands = [part(random, random.randint(0, depth)) for _ in range(random.choice((0, 1, 1, 1, 1, 2, 2, 3)))]
    extra = [settings(random)] if random.randrange(3) == 0 else []
    return f"{prefix}{name}({', '.join(filter(None, operands + extra))})"


def settings(random: Random) -> str:
    """Return arguments that are settings, by place or by name."""
    found = []
    for _ in range(random.choice((0, 1, 1, 1, 2))):
        word = f"{random.choice(KEYWORDS)}=" if random.randrange(2) else ""
        found.append(word + random.choice(SETTINGS))
    return ", ".join(found)


def mutated(random: Random, text: str) -> str:
    """Return a text with letters taken out, put in, doubled or exchanged."""
    start = random.randrange(len(text) + 1)
    end = min(len(text), start + random.randint(0, 4))
    middle = random.choice(("", text[start:end] * 2, random.choice(CHARACTERS), random.choice(SETTINGS)))
    return text[:start] + middle + text[end:]
