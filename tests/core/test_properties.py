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
from expressions import ANY_SHAPE, SHAPES, Shape, grown, names_in
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import matgrad
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer
from matgrad.grammar.parser import parse
from matgrad.grammar.writer import write

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


def texts(shapes: Sequence[Shape], depth: int = 5) -> st.SearchStrategy[tuple[str, Random]]:
    """Return a strategy for texts, each with the source of further choices."""
    return st.integers(0, 2**32 - 1).map(lambda seed: grown(seed, shapes, depth))


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
