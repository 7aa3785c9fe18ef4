"""The structure of Jacobians in words, read off the graph: a truth about the numbers, as strong as the graph tells."""

from __future__ import annotations

import re

import pytest

from matgrad.core.graph.structure import INDEX_LETTERS, axis_names, letter, structure_of
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem

SHAPES = {"a": (3,), "x": (3,), "A": (3, 3), "X": (3, 3), "B": (3, 3)}
WORDS = (
    ("x * 0", "x", "zero"),
    ("x + a", "x", "identity"),
    ("2 * x", "x", "diagonal"),
    ("exp(X)", "X", "diagonal"),
    ("tril(X)", "X", "diagonal"),
    ("X[0] * x", "x", "diagonal"),
    ("A @ X", "X", "block diagonal"),
    ("X[0:2]", "X", "block diagonal"),
    ("X[:,0]", "X", "block diagonal"),
    ("cumsum(X, axis=0)", "X", "block diagonal"),
    ("X[0:2, 1:3]", "X", "kronecker"),
    ("A @ X @ B", "X", "kronecker"),
    ("inv(X)", "X", "kronecker"),
    ("A @ X + X @ B", "X", None),
    ("A @ X @ B + B @ X @ A", "X", None),
    ("softmax(x)", "x", None),
    ("x[0:2]", "x", None),
    ("cumsum(x)", "x", None),
    ("A @ x", "x", None),
)


@pytest.mark.parametrize(("text", "name", "word"), WORDS, ids=[text for text, *_ in WORDS])
def test_words(text: str, name: str, word: str | None) -> None:
    shapes = {each: shape for each, shape in SHAPES.items() if re.search(rf"\b{each}\b", text)}
    problem = Problem.of(text, "jacobian", (name,))
    ((_, node),) = Calculation(problem, shapes).results
    assert structure_of(node, node.rank - len(SHAPES[name])) == word


def test_indices_have_names_without_end() -> None:
    assert "".join(sorted(INDEX_LETTERS)) == "abcdefghijklmnopqrstuvwxyz"
    assert len({letter(count) for count in range(60)}) == 60
    assert (letter(0), letter(6), letter(26)) == ("i", "o", "i1")
    assert axis_names([("out", (3,)), ("X", (2, 4))]) == ("out[i]", "X[j,:]", "X[:,k]")
