"""Random well-typed expressions over names of fixed shapes, grown from a seed."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from random import Random

Shape = tuple[int, ...]

SHAPES: dict[str, Shape] = {
    "s": (), "t": (), "v": (2,), "x": (3,), "y": (3,), "w": (4,),
    "A": (3, 3), "B": (3, 3), "X": (3, 2), "Z": (2, 4), "T": (2, 3, 4),
}  # fmt: skip

# A text of each matrix shape that no name has by itself.
LEAVES: dict[Shape, tuple[str, ...]] = {
    (2, 2): ("(X.T @ X)", "(Z @ Z.T)"), (2, 3): ("X.T", "T[:, :, 1]"), (3, 4): ("(X @ Z)", "T[1]"),
    (4, 2): ("Z.T", "T[:, 0].T"), (4, 3): ("(X @ Z).T", "T[0].T"), (4, 4): ("(Z.T @ Z)", "outer(w, w)"),
}  # fmt: skip
for name, shape in SHAPES.items():
    LEAVES[shape] = (*LEAVES.get(shape, ()), name)

SIZES = (2, 3, 4)

LONGEST = 400
ANY_SHAPE = ((), (2,), (3,), (4,), (3, 3), (3, 2), (2, 4), (2, 2))

# One production per line: `{}` is an expression of the shape itself; `{n}`, `{nn}` are filled as `FORMS` says.
ELEMENTWISE = (
    "tanh({0})", "sin(tanh({0}))", "cos({0} / 3)", "exp(tanh({0}))", "log(1 + {0}**2)", "sqrt(1 + {0}**2)",
    "softplus({0})", "sigmoid({0})", "abs({0})", "relu({0})", "arctan({0})", "(-{0}**2)", "({0}**3)", "(2*{0})",
    "(0.5*{0} - 1)", "(1 / (1 + {0}**2))", "expm1(-{0}**2)", "log1p(sigmoid({0}))", "square({0})",
    "where({0} > 0.1, {0}, {0}**2)", "clip({0}, -0.7, 0.6)",
)  # fmt: skip
PAIRWISE = (
    "({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / (2 + tanh({1})))", "({0} / (1 + {1}**2))",
    "maximum({0}, {1})", "minimum({0}, {1})", "where({1} > 0, {0}, sin({1}))", "((1 + {0}**2)**tanh({1}))",
    "logaddexp({0}, {1})", "hypot({0}, 1 + {1}**2)", "arctan2({0}, 2 + sin({1}))",
)  # fmt: skip

# For a target shape: (template, shapes of the operands), with sizes n, m, k in place of letters.
SCALARS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sum({0})", ("n",)), ("sum({0})", ("nm",)), ("mean({0})", ("nm",)), ("({0} @ {1})", ("n", "n")),
    ("({0}.T @ {1} @ {2})", ("n", "nm", "m")), ("trace({0})", ("nn",)), ("trace({0} @ {1})", ("nm", "mn")),
    ("norm({0})", ("n",)), ("norm({0}, 'fro')", ("nm",)), ("logsumexp({0})", ("n",)), ("logdet({0})", ("safe n",)),
    ("log(det({0}))", ("safe n",)), ("{0}[1]", ("n",)), ("{0}[0, -1]", ("nm",)), ("max({0})", ("n",)),
    ("prod({0})", ("n",)), ("var({0})", ("n",)), ("einsum('i,ij,j->', {0}, {1}, {2})", ("n", "nm", "m")),
    ("einsum('ij,ij', {0}, {1})", ("nm", "nm")), ("dot({0}, {1})", ("n", "n")), ("sum({0} * {1})", ("nm", "nm")),
    ("sqrt(sum({0}**2))", ("n",)), ("log(sum(exp({0})))", ("n",)), ("{0}.sum().mean()", ("nm",)),
    ("sum({0} @ T)", ("23",)), ("norm({0}, 1)", ("n",)), ("sum({0}**2)", ("nm",)),
)  # fmt: skip
VECTORS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("({0} @ {1})", ("nm", "m")), ("({0} @ {1})", ("m", "mn")), ("sum({0}, axis=1)", ("nm",)),
    ("sum({0}, axis=0)", ("mn",)), ("mean({0}, axis=-1)", ("nm",)), ("diag({0})", ("nn",)), ("{0}[1]", ("mn",)),
    ("{0}[:, -1]", ("nm",)), ("softmax({0})", ("n",)), ("cumsum({0})", ("n",)), ("solve({0}, {1})", ("safe n", "n")),
    ("(inv({0}) @ {1})", ("safe n", "n")), ("{0}[::-1]", ("n",)), ("logsumexp({0}, axis=1)", ("nm",)),
    ("norm({0}, axis=0)", ("mn",)), ("max({0}, axis=1)", ("nm",)), ("einsum('ij,j->i', {0}, {1})", ("nm", "m")),
    ("einsum('ii->i', {0})", ("nn",)), ("({0} * {1})", ("", "n")), ("{0}.mean(axis=0)", ("mn",)),
    ("(exp({0}) / sum(exp({0})))", ("n",)), ("({0} - mean({0}))", ("n",)), ("({0} / norm({0}))", ("n",)),
    ("roll({0}, 1)", ("n",)), ("flip({0})", ("n",)), ("prod({0}, axis=1)", ("nm",)),
)  # fmt: skip
FOURS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("concatenate([{0}, {1}])", ("2", "2")), ("reshape({0}, 4)", ("22",)), ("kron({0}, {1})", ("2", "2")),
    ("{0}.ravel()", ("22",)), ("vec({0})", ("22",)), ("reshape(outer({0}, {1}), (-1,))", ("2", "2")),
    ("diag({0}, 1)[[0, 1, 2, 0]]", ("44",)), ("repeat({0}, 2)", ("2",)), ("tile({0}, 2)", ("2",)),
)  # fmt: skip
MATRICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("({0} @ {1})", ("nk", "km")), ("{0}.T", ("mn",)), ("outer({0}, {1})", ("n", "m")),
    ("({0}[:, None] * {1}[None, :])", ("n", "m")), ("({0}[:, None] + {1})", ("n", "m")), ("tril({0})", ("nm",)),
    ("triu({0}, 1)", ("nm",)), ("softmax({0}, axis=1)", ("nm",)), ("softmax({0}, axis=0)", ("nm",)),
    ("cumsum({0}, axis=1)", ("nm",)), ("solve({0}, {1})", ("safe n", "nm")), ("(inv({0}) @ {1})", ("safe n", "nm")),
    ("{0}[::-1]", ("nm",)), ("{0}[:, ::-1]", ("nm",)), ("({0} - mean({0}, axis=0, keepdims=True))", ("nm",)),
    ("({0} / sum(exp({0}), axis=1, keepdims=True))", ("nm",)), ("({0} * {1})", ("nm", "m")),
    ("({0} + {1})", ("", "nm")),
    ("einsum('ik,jk->ij', {0}, {1})", ("nk", "mk")), ("(diag({0}) @ {1})", ("n", "nm")),
    ("({0} @ diag({1}))", ("nm", "m")),
    ("norm({0}) * {0}", ("nm",)), ("reshape({0}, ({m}, {n})).T", ("nm",)), ("{0}.reshape({n}, {m})", ("mn",)),
    ("({0} @ {1} @ {2})", ("nk", "kn", "nm")), ("(trace({0}) * {1})", ("nn", "nm")),
)  # fmt: skip
SQUARES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("diag({0})", ("n",)), ("inv({0})", ("safe n",)), ("(eye({n}) + {0})", ("nn",)), ("({0} + {0}.T)", ("nn",)),
    ("matrix_power({0}, 2)", ("nn",)), ("({0} * eye({n}))", ("nn",)), ("outer({0}, {0})", ("n",)),
)  # fmt: skip
BLOCKS: dict[Shape, tuple[tuple[str, tuple[str, ...]], ...]] = {
    (4, 4): (("kron({0}, {1})", ("22", "22")), ("concatenate([{0}, {1}])", ("24", "24")),
             ("hstack([{0}, {1}])", ("42", "42")), ("kron(eye(2), {0})", ("22",))),
    (4, 3): (("vstack([{0}, {1}])", ("23", "23")), ("vstack([{0}, {1}])", ("33", "3"))),
    (3, 4): (("hstack([{0}, {1}])", ("32", "32")), ("sum(T, axis=0) * {0}", ("34",)),
             ("concatenate([{0}, {1}[:, None]], axis=1)", ("33", "3"))),
    (2, 3): (("stack([{0}, {1}])", ("3", "3")), ("(T @ {0})", ("4",)), ("kron({0}, {1})[:, :3]", ("2", "23"))),
    (3, 2): (("stack([{0}, {1}], axis=1)", ("3", "3")), ("einsum('aij,j->ia', T, {0})", ("4",)),
             ("T.sum(axis=2).T + {0}", ("32",))),
    (2, 4): (("einsum('i,aij->aj', {0}, T)", ("3",)), ("mean(T * {0}[:, None], axis=1)", ("3",)),
             ("reshape({0}, (2, -1))", ("42",))),
}  # fmt: skip


def expression(random: Random, shape: Shape, depth: int) -> str:
    """Return the text of a random expression of a shape."""
    if depth <= 0 or not random.randrange(10):
        return random.choice(LEAVES[shape])

    def operand(wanted: Shape) -> str:
        return expression(random, wanted, random.randrange(depth))

    family = random.randrange(4)
    if family == 0:
        return random.choice(ELEMENTWISE).format(operand(shape))
    if family == 1:
        operands = [operand(shape), operand(shape[random.randint(0, len(shape)) :])]
        random.shuffle(operands)
        return random.choice(PAIRWISE).format(*operands)
    template, wanted = random.choice(forms(shape))
    sizes = {"n": shape[0] if shape else random.choice(SIZES)}
    sizes["m"] = shape[1] if len(shape) > 1 else random.choice(SIZES)
    sizes["k"] = random.choice(SIZES)
    texts = []
    for code in wanted:
        letters = code.removeprefix("safe ")
        own = tuple(sizes[letter] if letter in sizes else int(letter) for letter in letters)
        if code.startswith("safe"):
            matrix = operand((*own, random.choice(SIZES)))
            texts.append(f"(tanh({matrix}) @ tanh({matrix}).T + 3*eye({own[0]}))")
        else:
            texts.append(operand(own))
    return "(" + template.format(*texts, **sizes) + ")"


def forms(shape: Shape) -> Sequence[tuple[str, tuple[str, ...]]]:
    if not shape:
        return SCALARS
    if len(shape) == 1:
        return VECTORS + (FOURS if shape == (4,) else ())
    return MATRICES + (SQUARES if shape[0] == shape[1] else ()) + BLOCKS.get(shape, ())


def grown(seed: int, shapes: Sequence[Shape] = ANY_SHAPE, depth: int = 5) -> tuple[str, Random]:
    """Return the text of a seed, of one of some shapes, with the source of further choices."""
    random = Random(seed)
    text = ""
    while not text or len(text) > LONGEST or not names_in(text):
        text = expression(random, random.choice(shapes), random.randint(2, depth))
    return text, random


def names_in(text: str) -> list[str]:
    found = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return [name for name in SHAPES if name in found]
