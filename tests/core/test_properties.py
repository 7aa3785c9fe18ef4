"""Random well-typed expressions: value, Jacobian, Hessian, products and batches against NumPy and the complex step.

The reference is Python's own parser and NumPy on complex numbers: nothing of it is shared with the code under test.
Hypothesis draws a seed and the text grows from it at random: texts drawn piece by piece stay shallow and alike.
"""

from __future__ import annotations

import ast
import operator
import os
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import matgrad
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer
from matgrad.grammar.parser import parse
from matgrad.grammar.writer import write

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


LONG_RUN = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def stable(examples: int) -> settings:
    """Return settings under which every run tries the same examples.

    `HYPOTHESIS_PROFILE=long python -m pytest --timeout=0 tests/core/test_properties.py` tries twenty times as many, and
    others each time.
    """
    return settings(
        max_examples=20 * examples if LONG_RUN else examples, derandomize=not LONG_RUN, database=None, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )  # fmt: skip


# --- random expressions ----------------------------------------------------------------------------------------------

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


def texts(shapes: Sequence[Shape], depth: int = 5) -> st.SearchStrategy[tuple[str, Random]]:
    """Return a strategy for texts, each with the source of further choices."""

    def grown(seed: int) -> tuple[str, Random]:
        random = Random(seed)
        text = ""
        while not text or len(text) > LONGEST or not names_in(text):
            text = expression(random, random.choice(shapes), random.randint(2, depth))
        return text, random

    return st.integers(0, 2**32 - 1).map(grown)


LONGEST = 400
ANY_SHAPE = ((), (2,), (3,), (4,), (3, 3), (3, 2), (2, 4), (2, 2))


# --- the reference ---------------------------------------------------------------------------------------------------


class Reference:
    """Evaluates a text as NumPy would, on complex numbers, and sees how large and how near to a kink it gets."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text, mode="eval").body
        self.largest = 0.0
        self.nearest_kink = np.inf

    def __call__(self, values: dict[str, Any]) -> Any:
        self.values = values
        return self.visit(self.tree)

    def visit(self, node: ast.AST) -> Any:
        result = getattr(self, f"_{type(node).__name__.lower()}")(node)
        if isinstance(result, np.ndarray | np.number) and result.dtype != bool:
            self.largest = max(self.largest, float(np.max(np.abs(result), initial=0.0)))
        return result

    def kink(self, distance: Any) -> None:
        self.nearest_kink = min(self.nearest_kink, float(np.min(np.abs(distance))))

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return self.values[node.id]

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.visit(item) for item in node.elts)

    def _list(self, node: ast.List) -> Any:
        return [self.visit(item) for item in node.elts]

    def _slice(self, node: ast.Slice) -> Any:
        return slice(*(part and self.visit(part) for part in (node.lower, node.upper, node.step)))

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.visit(node.value)[self.visit(node.slice)]

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return -self.visit(node.operand)

    def _binop(self, node: ast.BinOp) -> Any:
        functions = {
            ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
            ast.Pow: operator.pow, ast.MatMult: operator.matmul,
        }  # fmt: skip
        return functions[type(node.op)](self.visit(node.left), self.visit(node.right))

    def _compare(self, node: ast.Compare) -> Any:
        difference = np.real(self.visit(node.left)) - self.visit(node.comparators[0])
        self.kink(difference)
        return np.real(difference) > 0

    def _attribute(self, node: ast.Attribute) -> Any:
        assert node.attr == "T"
        return self.visit(node.value).T

    def _call(self, node: ast.Call) -> Any:
        arguments = [self.visit(argument) for argument in node.args]
        keywords = {str(keyword.arg): self.visit(keyword.value) for keyword in node.keywords}
        if isinstance(node.func, ast.Attribute):
            return getattr(self.visit(node.func.value), node.func.attr)(*arguments, **keywords)
        assert isinstance(node.func, ast.Name)
        own = getattr(self, f"do_{node.func.id}", None)
        if own is not None:
            return own(*arguments, **keywords)
        return NUMPY[node.func.id](*arguments, **keywords)

    # Functions that NumPy does not have, or not as analytic functions of complex numbers.

    def do_abs(self, x: Any) -> Any:
        self.kink(np.real(x))
        return x * np.sign(np.real(x))

    def do_relu(self, x: Any) -> Any:
        self.kink(np.real(x))
        return x * (np.real(x) > 0)

    def do_clip(self, x: Any, low: float, high: float) -> Any:
        self.kink(np.real(x) - low)
        self.kink(np.real(x) - high)
        return np.where(np.real(x) < low, low, np.where(np.real(x) > high, high, x))

    def do_maximum(self, x: Any, y: Any) -> Any:
        self.kink(np.real(x - y))
        return np.where(np.real(x) > np.real(y), x, y)

    def do_minimum(self, x: Any, y: Any) -> Any:
        return -self.do_maximum(-x, -y)

    def do_max(self, x: Any, axis: int = 0) -> Any:
        ordered = np.sort(np.real(x), axis=axis)
        self.kink(np.diff(np.take(ordered, [-2, -1], axis=axis), axis=axis))
        place = np.expand_dims(np.argmax(np.real(x), axis=axis), axis)
        return np.take_along_axis(x, place, axis).squeeze(axis)

    def do_norm(self, x: Any, kind: Any = None, axis: int | None = None) -> Any:
        if kind == 1:
            return np.sum(self.do_abs(x))
        squares = np.sum(x * x, axis=axis)
        self.kink(np.real(squares))
        return np.sqrt(squares)

    def do_sqrt(self, x: Any) -> Any:
        self.kink(np.real(x))
        return np.sqrt(x)


def logsumexp(x: Any, axis: int | None = None) -> Any:
    largest = np.max(np.real(x), axis=axis, keepdims=True)
    return np.squeeze(largest, axis) + np.log(np.sum(np.exp(x - largest), axis=axis))


def softmax(x: Any, axis: int = -1) -> Any:
    powers = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


NUMPY_NAMES = (
    "sum mean trace exp log sin cos tanh expm1 log1p square diag outer kron einsum dot reshape concatenate stack "
    "hstack vstack tril triu cumsum prod eye where repeat tile roll flip arctan"
)
NUMPY: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in NUMPY_NAMES.split()},
    **{name: getattr(np.linalg, name) for name in ("inv", "solve", "det", "matrix_power")},
    "logdet": lambda x: np.log(np.linalg.det(x)), "logsumexp": logsumexp, "softmax": softmax,
    "softplus": lambda x: np.log(1 + np.exp(x)), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logaddexp": lambda x, y: np.log(np.exp(x) + np.exp(y)), "hypot": lambda x, y: np.sqrt(x * x + y * y),
    "arctan2": lambda x, y: np.arctan(x / y), "vec": lambda x: x.T.ravel(),
    "var": lambda x: np.mean((x - np.mean(x)) ** 2),
}  # fmt: skip

COMPLEX_STEP = 1e-30


def inputs(seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {name: np.array(0.8 * generator.standard_normal(shape)) for name, shape in SHAPES.items()}


def tame(text: str, values: dict[str, np.ndarray]) -> Reference:
    """Return the reference, if rounding and kinks leave digits to compare."""
    reference = Reference(text)
    with np.errstate(all="ignore"):
        result = np.asarray(reference({name: value + 0j for name, value in values.items()}))
    assume(np.isfinite(result).all() and reference.largest < 1e3 and reference.nearest_kink > 1e-2)
    return reference


def complex_step(reference: Reference, values: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Return the Jacobian, exact to rounding: no difference is formed."""
    columns = []
    for place in np.ndindex(values[name].shape):
        moved = {other: np.asarray(value + 0j) for other, value in values.items()}
        moved[name][place] += 1j * COMPLEX_STEP
        columns.append(np.imag(reference(moved)) / COMPLEX_STEP)
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape((*stacked.shape[:-1], *values[name].shape))


def names_in(text: str) -> list[str]:
    found = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return [name for name in SHAPES if name in found]


def close(got: Any, wanted: Any, tolerance: float, text: str) -> None:
    assert np.shape(got) == np.shape(wanted), text
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    assert np.max(np.abs(got - wanted), initial=0.0) <= tolerance * scale, text


# --- properties ------------------------------------------------------------------------------------------------------


@stable(1200)
@given(texts(ANY_SHAPE))
def test_value_and_jacobian_by_every_name(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    values = inputs(random.randrange(10))
    reference = tame(text, values)
    names = names_in(text)
    own = {name: values[name] for name in names}
    close(matgrad.value(text)(**own), np.real(reference(values)), 1e-10, text)
    results = matgrad.jacobian(text, wrt=names)(**own)
    for name, result in zip(names, results if len(names) > 1 else [results], strict=True):
        close(result, complex_step(reference, values, name), 1e-9, f"{text} by {name}")


@stable(500)
@given(texts(ANY_SHAPE))
def test_pushforward_and_pullback_contract_the_jacobian(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    seed = random.randrange(10)
    values = inputs(seed)
    tame(text, values)
    names = names_in(text)
    own = {name: values[name] for name in names}
    generator = np.random.default_rng(seed)
    for name in names[:2]:
        jacobian = matgrad.jacobian(text, wrt=name)(**own)
        rank = values[name].ndim
        tangent = generator.standard_normal(values[name].shape)
        cotangent = generator.standard_normal(jacobian.shape[: jacobian.ndim - rank])
        forward = matgrad.jvp(text, wrt=name)(**own, tangent=tangent)
        backward = matgrad.vjp(text, wrt=name)(**own, cotangent=cotangent)
        close(forward, np.tensordot(jacobian, tangent, rank), 1e-10, f"jvp of {text} by {name}")
        close(backward, np.tensordot(cotangent, jacobian, cotangent.ndim), 1e-10, f"vjp of {text} by {name}")


@stable(500)
@given(texts([()]))
def test_hessian_against_differences_of_the_gradient(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    seed = random.randrange(10)
    values = inputs(seed)
    reference = tame(text, values)
    assume(reference.largest < 100)
    names = names_in(text)
    first, second = random.choice(names), random.choice(names)
    own = {name: values[name] for name in names}
    result = matgrad.hessian(text, wrt=(first, second))(**own)
    direction = np.random.default_rng(seed).uniform(-1, 1, values[second].shape)
    wanted = 0.0
    for place, weight in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)):
        moved = {**values, second: values[second] + place * 5e-4 * direction}
        wanted = wanted + weight * complex_step(reference, moved, first) / 5e-4
    close(np.tensordot(result, direction, direction.ndim), wanted, 1e-6, f"{text} by {first}, {second}")
    if first == second and values[first].ndim == 1:
        np.testing.assert_allclose(result, result.T, rtol=0, atol=1e-12 * max(1, np.abs(result).max()))
    if first != second:
        swapped = matgrad.hessian(text, wrt=(second, first))(**own)
        rank = values[first].ndim
        moved_axes = np.moveaxis(swapped, range(swapped.ndim - rank, swapped.ndim), range(rank))
        close(result, moved_axes, 1e-10, f"{text}: mixed derivatives commute")
        return
    product = matgrad.hvp(text, wrt=first)(**own, tangent=direction)
    close(product, np.tensordot(result, direction, direction.ndim), 1e-10, f"hvp of {text} by {first}")


@stable(400)
@given(texts([(), (3,), (3, 2)], 4))
def test_a_batch_is_a_loop_over_samples(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    seed = random.randrange(10)
    names = names_in(text)
    batched = random.sample(names, random.randint(1, min(3, len(names))))
    samples = [inputs(10 * seed + place) for place in range(3)]
    shared = {name: samples[0][name] for name in names}
    points = [{**shared, **{name: sample[name] for name in batched}} for sample in samples]
    for point in points:
        tame(text, {**samples[0], **point})
    stacked = {**shared, **{name: np.stack([point[name] for point in points]) for name in batched}}
    name = random.choice(names)
    single = matgrad.jacobian(text, wrt=name)
    result = matgrad.jacobian(text, wrt=name, batch=batched)(**stacked)
    close(result, np.stack([single(**point) for point in points]), 1e-10, f"{text} by {name}, batch {batched}")
    values = matgrad.value(text, batch=batched)(**stacked)
    close(values, np.stack([matgrad.value(text)(**point) for point in points]), 1e-10, f"{text}, batch {batched}")


@pytest.mark.parametrize("text", ["log(1 + exp(x)) @ A @ softmax(x)", "sum(T @ w) + trace(A @ X @ X.T)"])
def test_the_reference_and_the_complex_step_are_sound(text: str) -> None:
    values = inputs(0)
    reference = Reference(text)
    for name in names_in(text):
        exact = complex_step(reference, values, name)
        place = (0,) * values[name].ndim
        moved = {**values, name: values[name].copy()}
        moved[name][place] += 1e-6
        difference = (reference(moved) - reference(values)) / 1e-6
        assert exact[(..., *place)] == pytest.approx(difference, rel=1e-4)


@stable(400)
@given(texts(ANY_SHAPE, 4))
def test_a_printed_formula_evaluates_to_the_numbers(drawn: tuple[str, Random]) -> None:
    text, random = drawn
    values = inputs(random.randrange(10))
    tame(text, values)
    name = random.choice(names_in(text))
    problem = Problem.of(text, "jacobian", (name,))
    given_values = {other: Input(values[other], "test") for other in problem.names}
    result = answer(problem, given_values, Wishes()).results[0]
    assert result.formula is not None, text
    assert result.check is not None
    assert result.check.formula is not None, text
    assert result.check.formula <= 1e-8, f"{text} by {name}: {result.formula}"
    assert write(parse(result.formula)) == result.formula
