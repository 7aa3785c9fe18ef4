"""Whole-graph transformations keep the values: rebuilding, substitution, vectorization, flattening."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.algebra import number
from matgrad.core.graph.nodes import Apply, Map, Node, Product, Sum, Symbol, topological
from matgrad.core.graph.transform import flatten, rebuilt, transform, vectorize

SYMBOLS = {
    "s": Symbol.of("s", ()), "x": Symbol.of("x", (3,)), "y": Symbol.of("y", (3,)), "b": Symbol.of("b", (4,)),
    "A": Symbol.of("A", (3, 3)), "B": Symbol.of("B", (3, 3)), "X": Symbol.of("X", (3, 4)),
}  # fmt: skip
generator = np.random.default_rng(11)
VALUES = {name: generator.standard_normal(symbol.shape) for name, symbol in SYMBOLS.items()}
VALUES["A"] = VALUES["A"] / 3 + 2 * np.eye(3)

TEXTS = (
    "x", "A @ B @ x", "x @ A @ x", "trace(A @ B)", "diag(x) @ A", "A * B + B.T", "sum(exp(A @ x))", "inv(A) @ X @ b",
    "outer(x, y) @ (A + B)", "logdet(A @ A.T)", "kron(A, B)[2:5, ::2]", "concatenate([x, y]) * 2", "cumsum(X, axis=1)",
    "softmax(X @ b)", "norm(A @ X)", "reshape(X, (2, 6)).T", "s * x / (1 + s**2)", "where(x > 0, x, y)", "eye(3)",
    "tril(A) @ y", "solve(A, X)", "max(X, axis=0)", "ones((3, 2))", "sum(X) * s", "2 * (A @ (3 * (B @ x)))",
)  # fmt: skip


def graph(text: str) -> Node:
    node = elaborate_text(text, dict(SYMBOLS))
    assert isinstance(node, Node)
    return node


def value(node: Node, values: dict[str, np.ndarray] = VALUES) -> np.ndarray:
    return compile_program([node]).run(values)[0]


@pytest.mark.parametrize("text", TEXTS)
def test_flattening_keeps_the_value(text: str) -> None:
    node = graph(text)
    (flat,) = flatten([node])
    assert flat.shape == node.shape
    assert_allclose(value(flat), value(node), rtol=1e-13, atol=1e-13)


def test_flattening_merges_products_with_one_user() -> None:
    inner = graph("A @ B")
    (flat,) = flatten([graph("(A @ B) @ x")])
    assert isinstance(flat, Product)
    assert set(flat.children) == {SYMBOLS["A"], SYMBOLS["B"], SYMBOLS["x"]}
    # What two use stays a node, and so is computed once.
    roots = flatten([graph("(A @ B) @ x"), graph("(A @ B) @ y")])
    assert all(inner in root.children for root in roots)


def test_flattening_multiplies_the_coefficients() -> None:
    (flat,) = flatten([graph("2 * (A @ (3 * (B @ x)))")])
    assert isinstance(flat, Product)
    assert flat.coefficient == 6
    assert len(flat.children) == 3


def test_a_root_used_by_another_root_stays() -> None:
    inner, outer = graph("A @ B"), graph("(A @ B) @ x")
    assert flatten([inner, outer])[1].children.count(inner) == 1


@pytest.mark.parametrize("text", TEXTS)
def test_rebuilding_over_the_same_children_is_the_same_node(text: str) -> None:
    for node in topological([graph(text)]):
        assert rebuilt(node, node.children) is node
    assert transform([graph(text)], lambda node: node) == [graph(text)]


@pytest.mark.parametrize("text", TEXTS)
def test_substitution_is_renaming(text: str) -> None:
    renamed = {symbol: Symbol.of(name + "_", symbol.shape) for name, symbol in SYMBOLS.items()}
    (node,) = transform([graph(text)], lambda node: dict(renamed).get(node, node))
    assert not set(SYMBOLS.values()) & set(topological([node]))
    moved = {name + "_": array for name, array in VALUES.items()}
    assert_allclose(value(node, moved), value(graph(text)), rtol=1e-13, atol=1e-13)


def test_substitution_of_a_constant_folds() -> None:
    (node,) = transform([graph("s * x + x")], lambda node: number(2) if node is SYMBOLS["s"] else node)
    assert isinstance(node, Product)
    assert node.coefficient == 3


def test_transforming_visits_leaves_first_and_rebuilds_above() -> None:
    seen: list[type[Node]] = []

    def visit(node: Node) -> Node:
        seen.append(type(node))
        return SYMBOLS["y"] if node is SYMBOLS["x"] else node

    assert transform([graph("exp(A @ x) + logdet(A)")], visit) == [graph("exp(A @ y) + logdet(A)")]
    assert seen.index(Symbol) < seen.index(Map)
    assert {Apply, Map, Sum} <= set(seen)


@pytest.mark.parametrize("batch", [(5,), (2, 3)])
@pytest.mark.parametrize("names", [("x",), ("A", "x"), ("X", "b", "s")])
@pytest.mark.parametrize("text", TEXTS)
def test_vectorizing_is_a_loop(text: str, names: tuple[str, ...], batch: tuple[int, ...]) -> None:
    node = graph(text)
    batched = {SYMBOLS[name]: Symbol.of(name, batch + SYMBOLS[name].shape) for name in names}
    (result,) = vectorize([node], dict(batched), batch)
    assert result.shape == batch + node.shape
    random = np.random.default_rng(3)
    many = {name: VALUES[name] + 0.1 * random.standard_normal(batch + VALUES[name].shape) for name in names}
    got = value(result, {**VALUES, **many})
    for place in np.ndindex(*batch):
        single = value(node, {**VALUES, **{name: array[place] for name, array in many.items()}})
        assert_allclose(got[place], single, rtol=1e-11, atol=1e-11)


def test_what_the_batch_does_not_touch_is_computed_once() -> None:
    (result,) = vectorize([graph("inv(A) @ x")], {SYMBOLS["x"]: Symbol.of("x", (5, 3))}, (5,))
    inverses = [node for node in topological([result]) if isinstance(node, Apply)]
    assert [node.batch for node in inverses] == [0]


def test_deep_graphs_do_not_recurse() -> None:
    node: Node = SYMBOLS["x"]
    for _ in range(3000):
        node = elaborate_text("sin(x)", {"x": node})
    (flat,) = flatten([node])
    (moved,) = transform([flat], lambda node: SYMBOLS["y"] if node is SYMBOLS["x"] else node)
    (many,) = vectorize([moved], {SYMBOLS["y"]: Symbol.of("y", (2, 3))}, (2,))
    assert many.shape == (2, 3)
