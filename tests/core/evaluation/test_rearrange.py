"""Cheaper ways to write the same product: found where they hold, of the same value, and left alone elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matgrad
from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.program import compile_program
from matgrad.core.evaluation.rearrange import rearranged
from matgrad.core.graph.bounds import bounds
from matgrad.core.graph.catalogue import operators
from matgrad.core.graph.nodes import Node, Product, Symbol, topological
from matgrad.core.graph.operator import Operator
from matgrad.core.graph.transform import flatten
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem

pytestmark = pytest.mark.usefixtures("large_arrays")

SHAPES = {"X": (40, 20), "x": (20,), "d": (40,), "S": (40, 40), "A": (20, 20), "W": (2, 40), "p": (40,), "Z": (40, 20)}
SYMBOLS = {
    name: Symbol.of(name, shape, {"S": ("symmetric",), "p": ("positive",)}.get(name, ()))
    for name, shape in SHAPES.items()
}
VALUES = {name: np.random.default_rng(4).standard_normal(shape) for name, shape in SHAPES.items()}
VALUES["S"] = VALUES["S"] + VALUES["S"].T
VALUES["p"] = np.abs(VALUES["p"])


def graph(text: str) -> Node:
    node = elaborate_text(text, dict(SYMBOLS))
    assert isinstance(node, Node)
    return flatten([node])[0]


def halves(node: Node) -> bool:
    """Whether a node is a product of a matrix with itself."""
    return any(
        isinstance(one, Product)
        and any(one.children.count(operand) == 2 and operand.rank == 2 for operand in one.children)
        for one in topological([node])
    )


@pytest.mark.parametrize(
    "text",
    [
        "X.T @ diag(exp(d)) @ X",
        "X.T @ diag(p) @ X",
        "3 * X.T @ diag(sigmoid(d) * (1 - sigmoid(d))) @ X",
        "X.T @ diag(d * d * 2) @ X",
        "X.T @ diag(d**2 + 1) @ X",
        "S @ diag(exp(d)) @ S",
        "X.T @ (diag(exp(d)) @ X - outer(exp(d), x))",
    ],
)
def test_a_symmetric_product_becomes_one_of_halves(text: str) -> None:
    before = graph(text)
    (after,) = rearranged([before])
    assert after is not before
    assert halves(after)
    assert_allclose(
        compile_program([after]).run(VALUES)[0], compile_program([before]).run(VALUES)[0], rtol=1e-12, atol=1e-11
    )


@pytest.mark.parametrize(
    "text",
    [
        "X.T @ diag(d) @ X",
        "X.T @ diag(tanh(d)) @ X",
        "X.T @ diag(exp(d)) @ Z",
        "X.T @ X",
        "x @ A @ diag(exp(x)) @ A.T @ x",
        "W @ diag(exp(d)) @ W.T",
        "X.T @ diag(d > 0) @ X",
        "X.T @ (X - Z)",
        "sum(X * exp(d)[:, None] * X, axis=0)",
    ],
)
def test_others_stay(text: str) -> None:
    before = graph(text)
    assert rearranged([before]) == [before]


def test_the_hessian_of_logsumexp_is_taken_apart() -> None:
    calculation = Calculation(Problem.of("logsumexp(X @ x)", "hessian", ("x",)), {"X": (400, 100), "x": (100,)})
    values = {"X": np.random.default_rng(1).standard_normal((400, 100)) / 9, "x": np.linspace(-1, 1, 100)}
    before = flatten([calculation.results[0][1]])
    (after,) = rearranged(before)
    assert halves(after)
    assert_allclose(compile_program([after]).run(values)[0], compile_program(before).run(values)[0], atol=1e-13)


@pytest.mark.parametrize("operator", [one for one in operators(hidden=True) if one.bounds != (-np.inf, np.inf)])
def test_the_bounds_of_the_table_hold(operator: Operator) -> None:
    low, high = operator.bounds
    points = np.array([-700.0, -30.0, -2.0, -0.3, 0.0, 0.7, 4.0, 300.0])
    assert operator.evaluate is not None
    domains = [*operator.domain, *["real"] * (len(operator.operands) - len(operator.domain))]
    sides = [{"real": points, "probability": np.linspace(0.1, 0.9, 4)}.get(word, np.abs(points)) for word in domains]
    with np.errstate(all="ignore"):
        values = operator.evaluate(*np.meshgrid(*sides))
    finite = values[~np.isnan(values)]
    assert ((finite >= low) & (finite <= high)).all()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("exp(d)", (0, np.inf)),
        ("-exp(d)", (-np.inf, 0)),
        ("1 - sigmoid(d)", (0, 1)),
        ("tanh(d) - 2", (-3, -1)),
        ("d * d", (0, np.inf)),
        ("d", (-np.inf, np.inf)),
        ("p * 3", (0, np.inf)),
        ("sum(exp(d))", (0, np.inf)),
        ("sigmoid(d) * tanh(d)", (-1, 1)),
        ("d**3", (-np.inf, np.inf)),
        ("exp(d)**0.5", (0, np.inf)),
        ("d**inf", (-np.inf, np.inf)),
        ("d**-2", (0, np.inf)),
    ],
)
def test_bounds(text: str, wanted: tuple[float, float]) -> None:
    assert bounds(graph(text)) == wanted


def test_what_all_samples_share_is_added_once() -> None:
    samples = matgrad.grad("x.T @ A @ x", wrt="x", batch="x")
    X, A = np.random.default_rng(0).standard_normal((5000, 20)), np.random.default_rng(1).standard_normal((20, 20))
    assert_allclose(samples(x=X, A=A), X @ (A + A.T), rtol=1e-12, atol=1e-12)
    assert products_of(samples, x=X, A=A) == 1
    one = matgrad.grad("x.T @ A @ x", wrt="x")
    assert products_of(one, x=X[0], A=A) == 2
    several = matgrad.grad("x.T @ A @ x + x.T @ B @ x - 3*x.T @ C @ x", wrt="x", batch="x")
    values = {"x": X, "A": A, "B": A**2, "C": np.exp(A)}
    full = A + A**2 - 3 * np.exp(A)
    assert_allclose(several(**values), X @ (full + full.T), rtol=1e-9, atol=1e-9)
    assert products_of(several, **values) == 1


def products_of(derivative: Any, **values: Any) -> int:
    """Return how many matrix products a call computes."""
    derivative(**values)
    (calculation,) = derivative._seen.values()
    return sum(draft.kernel is np.matmul for draft in calculation.derivative_program._drafts)
