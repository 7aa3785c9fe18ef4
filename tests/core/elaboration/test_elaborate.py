"""Syntax to graph: shapes by NumPy's rules, settings, indexing, constants, and errors that point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matgrad.core.elaboration.elaborate import Elaborator, elaborate_text
from matgrad.core.elaboration.entries import StaticNameError
from matgrad.core.errors import ExpressionError, RankError, ShapeError, UnknownNameError
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.nodes import Constant, Node, Product, Symbol
from matgrad.grammar.advice import Given, advise
from matgrad.grammar.parser import parse

SHAPES = {"s": (), "n": (), "x": (4,), "y": (3,), "A": (3, 4), "B": (3, 3), "T": (2, 3, 4)}
SYMBOLS = {name: Symbol.of(name, shape) for name, shape in SHAPES.items()}
VALUES = {name: np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape) for name, shape in SHAPES.items()}


def graph(text: str, **statics: int) -> Node:
    result = Elaborator(dict(SYMBOLS), statics).run(parse(text))
    assert isinstance(result, Node)
    return result


def evaluated(text: str, **statics: int) -> np.ndarray:
    return compile_program([graph(text, **statics)]).run(VALUES)[0]


# Texts that Python and NumPy read in the same way.
SAME = (
    "x", "-x", "2*x + 1", "A @ x", "y @ A", "A.T", "T.T", "x.T", "T @ x", "B @ T", "A * x", "s * A", "A / 2", "x**2",
    "A + y[:, None]", "x[0]", "x[-1]", "x[1:3]", "x[::-1]", "x[::2]", "x[3:0:-1]", "x[10:]", "x[:]", "A[1]", "A[:, 1]",
    "A[1:, ::2]", "A[-1, -2]", "A[..., 0]", "T[0, ..., 1]", "T[..., None]", "A[None]", "A[[0, 2]]", "A[:, [1, 1, 0]]",
    "A[[0, 1], [2, 3]]", "T[1, 0:2, 3]", "x[None, :, None]", "A.shape[0] * x", "A.ndim + x", "A.size * x",
    "x[A.shape[0]]", "x > 2", "x <= 2", "(x != 2) * x", "x == 2", "A[1:2] - A", "2**3 * x", "T.sum(axis=1)",
    "T.mean(axis=(0, 2))", "A.reshape(2, 6)", "A.reshape((4, 3))", "A.ravel()", "A.diagonal()", "T.transpose(2, 0, 1)",
    "A.sum()", "A.max(axis=0)", "B.trace()", "x.dot(x)", "A.cumsum(axis=1)", "A.sum(axis=0, keepdims=True)",
)  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_values_are_those_of_numpy(text: str) -> None:
    wanted = eval(text, {}, dict(VALUES))  # the reference is Python itself
    result = evaluated(text)
    assert result.shape == np.shape(wanted)
    assert_array_equal(result, np.asarray(wanted, dtype=float))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2, 3]", [1, 2, 3]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("[1 2; 3 4]", [[1, 2], [3, 4]]),
        ("[s, 2*s]", [1, 2]),
        ("[x, x + 1]", [[1, 2, 3, 4], [2, 3, 4, 5]]),
        ("pi", np.pi),
        ("np.e", np.e),
        ("-inf", -np.inf),
        ("2^3", 8),
        ("1e3", 1000),
        ("Z = 2*y; W = Z + 1; W * W", [9, 25, 49]),
    ],
)
def test_literals_constants_and_statements(text: str, value: Any) -> None:
    assert_array_equal(evaluated(text), value)


def test_a_literal_is_a_constant() -> None:
    assert isinstance(graph("[[1, 2], [3, 4]]"), Constant)


def test_decimals_are_exact() -> None:
    node = graph("0.1 * x + 0.2 * x")
    assert isinstance(node, Product)
    assert node.coefficient == pytest.approx(0.3, abs=0)
    assert node is graph("0.3 * x")


def test_equal_expressions_are_one_node() -> None:
    assert graph("A @ x + y") is graph("y + A @ x")
    assert graph("A.T.T") is SYMBOLS["A"]
    assert graph("B - B + y") is graph("0 * B + y")


@pytest.mark.parametrize(("text", "n", "shape"), [("eye(n)", 4, (4, 4)), ("ones((n, 2))", 3, (3, 2))])
def test_names_may_be_sizes(text: str, n: int, shape: tuple[int, ...]) -> None:
    assert graph(text, n=n).shape == shape


def test_names_may_be_indices_and_sizes_may_be_computed() -> None:
    assert_array_equal(evaluated("x[n]", n=2), 3)
    assert_array_equal(evaluated("x[:n]", n=2), [1, 2])
    assert graph("zeros(n - 1)", n=4).shape == (3,)
    assert graph("zeros(2*n)", n=4).shape == (8,)


@pytest.mark.parametrize(("text", "name"), [("eye(n)", "n"), ("x[n]", "n"), ("x[:s]", "s")])
def test_a_size_without_a_value_asks_for_it(text: str, name: str) -> None:
    with pytest.raises(StaticNameError) as caught:
        graph(text)
    assert caught.value.name == name
    assert caught.value.helps == (advise("give it: ", Given(name, 3)),)


# Text, kind of error, words of the message, what the primary label marks.
ERRORS: tuple[tuple[str, type[ExpressionError], str, str], ...] = (
    ("2 * (A @ y)", ShapeError, "4 columns against 3 entries", "y"),
    ("x + y", ShapeError, "4 against 3", "y"),
    ("A + y", ShapeError, "3×4 against 3", "y"),
    ("s @ x", RankError, "cannot multiply", "@"),
    ("inv(A)", ShapeError, "square", "A"),
    ("1 + det(x)", RankError, "`det` needs a matrix", "x"),
    ("solve(B, x)", ShapeError, "must be equal", "x"),
    ("concatenate([x, A])", ExpressionError, "", ""),
    ("x[4]", ShapeError, "out of range", "4"),
    ("x[-5]", ShapeError, "out of range", "-5"),
    ("A[0, 1, 2]", RankError, "too many indices", "A"),
    ("x[0.5]", ExpressionError, "whole number", "0.5"),
    ("x[::0]", ExpressionError, "step 0", "::0"),
    ("x[..., ...]", ExpressionError, "one `...` at most", ""),
    ("where(x > 0)", ExpressionError, "needs `a`", ""),
    ("exp(x, where=x > 0)", ExpressionError, "no argument `where`", ""),
    ("np.unwrap(x)", UnknownNameError, "unknown function `np.unwrap`", "unwrap"),
    ("x[y]", ExpressionError, "", ""),
    ("sofmax(x)", UnknownNameError, "unknown function `sofmax`", "sofmax"),
    ("z + 1", UnknownNameError, "missing input `z`", "z"),
    ("np.q", UnknownNameError, "not known", "np.q"),
    ("sum(x, axis=1)", RankError, "there is no axis 1", "x"),
    ("sum(x, axis=x[0])", ExpressionError, "does not depend on the inputs", ""),
    ("[[1, 2], [3]]", ShapeError, "differ in length", "[[1, 2], [3]]"),
    ("'fro' + x", ExpressionError, "a number, a vector or a matrix is needed", "'fro'"),
    ("x.mT", RankError, "needs a matrix", ""),
    ("reshape(x, (3, 2))", ShapeError, "cannot take the shape", "x"),
    ("einsum('ij,jk->ik', A, x)", RankError, "names 2 axes", "x"),
)


@pytest.mark.parametrize(("text", "kind", "message", "marked"), ERRORS)
def test_errors_say_what_and_where(text: str, kind: type[ExpressionError], message: str, marked: str) -> None:
    with pytest.raises(kind) as caught:
        graph(text)
    error = caught.value
    assert message in error.message
    assert error.labels
    assert all(0 <= label.span[0] < label.span[1] <= len(text) for label in error.labels)
    if marked:
        assert marked in [text[slice(*label.span)] for label in error.labels]


@pytest.mark.parametrize(
    ("text", "needed", "operand"),
    [
        ("einsum('bij,jk->bik', A, B)", 3, "A"),
        ("einsum('bij,jk->bik', T, x)", 2, "x"),
        ("einsum('ij,bjk->bik', A, B)", 3, "B"),
        ("1 + det(x)", 2, "x"),
        ("solve(x, B)", 2, "x"),
        ("A @ s", 1, "s"),
        ("x[0, 0]", 2, "x"),
    ],
)
def test_a_rank_error_names_the_operand(text: str, needed: int, operand: str) -> None:
    with pytest.raises(RankError) as caught:
        graph(text)
    assert caught.value.needed == needed
    assert caught.value.operand is not None
    assert text[slice(*caught.value.operand)] == operand


@pytest.mark.parametrize(
    ("text", "help_text"), [("A @ A", "A @ A.T"), ("A @ y", "A.T @ y"), ("B @ A.T", "B @ A"), ("A + A.T", None)]
)
def test_a_transpose_is_offered_where_it_fits(text: str, help_text: str | None) -> None:
    with pytest.raises(ShapeError) as caught:
        graph(text)
    if help_text:
        assert any(f"`{help_text}` would fit" in item for item in caught.value.helps)
    for item in caught.value.helps:
        if "would fit" in item:
            assert graph(item.split("`")[1])


def test_spans_tell_where_a_node_was_written() -> None:
    text = "sum(exp(x)) + log(s)"
    elaborator = Elaborator(dict(SYMBOLS))
    elaborator.run(parse(text))
    written = {text[slice(*span)] for span in elaborator.spans.values()}
    assert {"exp(x)", "log(s)", "sum(exp(x))", text, "x", "s"} <= written


def test_rules_and_definitions_are_text_too() -> None:
    node = elaborate_text("2 * x @ x", {"x": SYMBOLS["x"]})
    assert isinstance(node, Node)
    assert compile_program([node]).run(VALUES)[0] == 60


@pytest.mark.parametrize("text", [" + ".join(["x"] * 5000), " * ".join(["s"] * 3000), " - ".join(["2*x"] * 2000)])
def test_long_chains_do_not_recurse(text: str) -> None:
    assert graph(text).shape in ((4,), ())
