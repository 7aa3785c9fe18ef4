"""Differentiation of graphs: forward against backward, symmetric variables, structure, depth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.differentiation.differentiate import derivative, partial, pullback, pushforward, symmetrized
from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.algebra import identity, is_zero, zero
from matgrad.core.graph.nodes import Delta, Map, Node, Product, Sum, Symbol, topological

SHAPES = {"s": (), "x": (3,), "y": (3,), "A": (3, 3), "B": (3, 3), "X": (3, 4), "S": (2, 3, 3)}
SYMBOLS = {name: Symbol.of(name, shape) for name, shape in SHAPES.items()}
generator = np.random.default_rng(17)
VALUES = {name: np.asarray(0.5 * generator.standard_normal(shape)) for name, shape in SHAPES.items()}
VALUES["A"] += 2 * np.eye(3)
VALUES["S"] += 2 * np.eye(3)
TANGENTS = {name: Symbol.of("d" + name, shape) for name, shape in SHAPES.items()}
MOVES = {"d" + name: generator.standard_normal(shape) for name, shape in SHAPES.items()}

TEXTS = (
    "x", "2 * x", "A @ x", "x @ A @ x", "A @ A @ A", "outer(x, x)", "trace(A @ B @ A)", "diag(A)", "diag(x) @ A",
    "x * y * s", "exp(A @ x)", "sum(sin(A) * B)", "inv(A)", "inv(A) @ B", "solve(A, X)", "solve(A, x)", "det(A)",
    "logdet(A)", "pinv(X)", "cholesky(A @ A.T)", "eigvalsh(A + A.T)", "eigh(A + A.T)[0]", "svdvals(X)", "expm(A)",
    "norm(X)", "norm(A, 'nuc')", "logsumexp(X, axis=0)", "softmax(X, axis=1)", "max(X, axis=1)", "prod(X, axis=0)",
    "where(x > 0, x**2, y)", "X.T @ X", "kron(A, x)", "reshape(X, (2, 6))", "cumsum(x)", "tril(A) @ x", "A[1:, ::2]",
    "einsum('ii->i', A) * x", "einsum('ij,ij->', A, A)", "concatenate([x, A @ x])", "inv(S)", "det(S)", "S @ x",
    "solve(S, x[:, None])", "matrix_power(A, 3)", "x / norm(x)", "maximum(x, y)", "sum(x) * A", "arctan2(x, 2 + y)",
)  # fmt: skip


def graph(text: str) -> Node:
    node = elaborate_text(text, dict(SYMBOLS))
    assert isinstance(node, Node)
    return node


def run(node: Node, **values: np.ndarray) -> np.ndarray:
    return compile_program([node]).run({**VALUES, **MOVES, **values})[0]


def names_in(node: Node) -> list[str]:
    return [below.name for below in topological([node]) if isinstance(below, Symbol)]


@pytest.mark.parametrize("text", TEXTS)
def test_forward_and_backward_are_the_jacobian(text: str) -> None:
    output = graph(text)
    cotangent = Symbol.of("cotangent", output.shape)
    weights = np.asarray(np.random.default_rng(1).standard_normal(output.shape))
    for name in names_in(output):
        variable = SYMBOLS[name]
        jacobian = derivative(output, variable)
        assert jacobian.shape == output.shape + variable.shape
        dense = run(jacobian)
        forward = run(pushforward(output, {variable: TANGENTS[name]}))
        backward = run(pullback(output, cotangent, variable), cotangent=weights)
        scale = max(1.0, float(np.abs(dense).max()))
        assert_allclose(forward, np.tensordot(dense, MOVES["d" + name], variable.rank), rtol=1e-11, atol=1e-11 * scale)
        assert_allclose(backward, np.tensordot(weights, dense, output.rank), rtol=1e-11, atol=1e-11 * scale)


@pytest.mark.parametrize("text", TEXTS)
def test_the_pushforward_is_the_difference_of_values(text: str) -> None:
    output = graph(text)
    names = names_in(output)
    moved = run(pushforward(output, {SYMBOLS[name]: TANGENTS[name] for name in names}))
    step = 1e-4
    wanted = np.zeros(output.shape)
    for place, weight in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)):
        wanted += weight * run(output, **{name: VALUES[name] + place * step * MOVES["d" + name] for name in names})
    assert_allclose(moved, wanted / step, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("text", ["x @ A @ x", "logdet(A)", "sum(exp(A @ x))", "norm(X @ X.T)", "det(A) * sum(A**2)"])
def test_second_derivatives_commute(text: str) -> None:
    output = graph(text)
    names = names_in(output)
    for first in names:
        for second in names:
            there = run(derivative(derivative(output, SYMBOLS[first]), SYMBOLS[second]))
            back = run(derivative(derivative(output, SYMBOLS[second]), SYMBOLS[first]))
            rank = SYMBOLS[first].rank
            moved = np.moveaxis(back, range(back.ndim - rank, back.ndim), range(rank))
            assert_allclose(there, moved, rtol=1e-11, atol=1e-11)


def test_a_pullback_keeps_leading_axes() -> None:
    many = Symbol.of("many", (5, 3))
    weights = np.random.default_rng(2).standard_normal((5, 3))
    result = pullback(graph("exp(A @ x)"), many, SYMBOLS["x"])
    dense = run(derivative(graph("exp(A @ x)"), SYMBOLS["x"]))
    assert result.shape == (5, 3)
    assert_allclose(run(result, many=weights), weights @ dense, rtol=1e-12)


def test_closed_forms_come_out_as_graphs() -> None:
    A, x = SYMBOLS["A"], SYMBOLS["x"]
    assert derivative(graph("A @ x"), x) is A
    assert derivative(x, x) is identity((3,))
    assert derivative(graph("x @ A @ x"), x) is graph("A @ x + A.T @ x")
    assert derivative(graph("trace(A @ B)"), A) is graph("B.T")
    assert derivative(graph("x @ x"), x) is graph("2 * x")
    assert derivative(derivative(graph("x @ A @ x"), x), x) is graph("A + A.T")


def test_what_does_not_depend_has_derivative_zero() -> None:
    for text in ("A @ y", "eye(3)", "x > 0", "x - x", "sign(x)"):
        assert is_zero(derivative(graph(text), SYMBOLS["x"])), text
    assert pushforward(graph("A @ y"), {SYMBOLS["x"]: TANGENTS["x"]}) is zero((3,))


def test_an_elementwise_function_has_a_diagonal_jacobian() -> None:
    jacobian = derivative(graph("exp(x)"), SYMBOLS["x"])
    assert isinstance(jacobian, Product)
    assert any(isinstance(node, Delta) and node.rank == 2 for node in jacobian.children)


def test_partials_have_the_shape_of_the_map() -> None:
    node = graph("arctan2(X, 1 + X**2)")
    assert isinstance(node, Map)
    x, y = run(node.children[0]), run(node.children[1])
    assert_allclose(run(partial(node, 0)), y / (x**2 + y**2), rtol=1e-13)
    assert_allclose(run(partial(node, 1)), -x / (x**2 + y**2), rtol=1e-13)


# --- symmetric variables ---------------------------------------------------------------------------------------------


def symmetric(words: str, text: str) -> tuple[Symbol, Node]:
    variable = Symbol.of("A", (3, 3), words.split())
    node = elaborate_text(text, {**SYMBOLS, "A": variable})
    assert isinstance(node, Node)
    return variable, node


@pytest.mark.parametrize("word", ["symmetric", "spd"])
@pytest.mark.parametrize("text", ["trace(B @ A)", "x @ A @ y", "logdet(A @ A)", "sum(A * B)", "A[0, 1]", "sum(A**3)"])
def test_a_derivative_by_a_symmetric_variable_is_that_of_its_symmetric_part(word: str, text: str) -> None:
    variable, output = symmetric(word, text)
    value = VALUES["A"] + VALUES["A"].T
    plain = run(derivative(graph(text), SYMBOLS["A"]), A=value)
    result = run(derivative(output, variable), A=value)
    assert_allclose(result, (plain + plain.T) / 2, rtol=1e-12, atol=1e-14)
    assert_allclose(result, result.T, rtol=0, atol=0)


def test_off_diagonals_are_not_doubled() -> None:
    variable, output = symmetric("symmetric", "trace(A @ A)")
    value = VALUES["A"] + VALUES["A"].T
    assert_allclose(run(derivative(output, variable), A=value), 2 * value)
    variable, entry = symmetric("symmetric", "A[0, 1]")
    assert_allclose(run(derivative(entry, variable)), [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]])


def test_a_diagonal_variable_moves_on_its_diagonal_only() -> None:
    variable, output = symmetric("diagonal", "sum(A @ B)")
    wanted = np.diag(VALUES["B"].sum(axis=1))
    assert_allclose(run(derivative(output, variable), A=np.diag([1.0, 2, 3])), wanted)


def test_a_jacobian_by_a_symmetric_variable_is_symmetric_in_its_axes() -> None:
    variable, output = symmetric("symmetric", "A @ x")
    result = run(derivative(output, variable))
    assert_allclose(result, result.swapaxes(-1, -2))
    again = run(symmetrized(derivative(output, variable), variable))
    assert_allclose(again, result)


# --- depth and breadth -----------------------------------------------------------------------------------------------


def test_deep_chains_do_not_recurse() -> None:
    node: Node = SYMBOLS["x"]
    for _ in range(2000):
        node = elaborate_text("sin(x)", {"x": node})
    result = run(pullback(node, Symbol.of("dx", (3,)), SYMBOLS["x"]))
    point, slope = VALUES["x"], MOVES["dx"]
    for _ in range(2000):
        slope = slope * np.cos(point)
        point = np.sin(point)
    assert_allclose(result, slope, rtol=1e-9)


def test_shared_nodes_stay_shared() -> None:
    """A chain of squares: every node has two users, and the graph of the gradient grows with its length alone."""
    node: Node = SYMBOLS["A"]
    for _ in range(12):
        node = elaborate_text("tanh(A @ A)", {"A": node})
    total = elaborate_text("sum(A)", {"A": node})
    gradient = derivative(total, SYMBOLS["A"])
    assert len(topological([gradient])) < 400
    assert run(gradient).shape == (3, 3)


def test_a_long_sum_has_a_short_derivative() -> None:
    total = graph(" + ".join(f"{k} * x @ A @ x" for k in range(1, 101)))
    gradient = derivative(total, SYMBOLS["x"])
    assert isinstance(gradient, Sum)
    assert len(gradient.children) == 2
