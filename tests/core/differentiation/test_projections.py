"""What a Moore-Penrose inverse absorbs: the form it leaves, the same numbers, and what must stay."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.differentiation.projections import absorbed
from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.nodes import Node, Symbol
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem

generator = np.random.default_rng(3)
SHAPES = {"X": (5, 3), "Y": (3, 5), "S": (4, 4), "y": (5,), "z": (3,), "b": (4,), "C": (3, 3)}
VALUES = {name: generator.standard_normal(shape) for name, shape in SHAPES.items()}
VALUES["S"] = np.diag([1.0, 2.0, -1.0, 0.0])
SYMBOLS = {name: Symbol.of(name, shape, ("symmetric",) if name == "S" else ()) for name, shape in SHAPES.items()}


def graph(text: str) -> Node:
    node = elaborate_text(text, dict(SYMBOLS))
    assert isinstance(node, Node)
    return node


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("X @ pinv(X) @ X", "X"),
        ("pinv(X) @ X @ pinv(X)", "pinv(X)"),
        ("X.T @ X @ pinv(X) @ y", "X.T @ y"),
        ("X @ pinv(X) @ pinv(X).T @ z", "pinv(X).T @ z"),
        ("pinv(X) @ X @ X.T @ y", "X.T @ y"),
        ("pinv(X).T @ pinv(X) @ X", "pinv(X).T"),
        ("S @ pinv(S) @ S", "S"),
        ("S @ S @ pinv(S)", "S"),
        ("X.T @ (X @ pinv(X) @ y - y)", "0 * z"),
        ("pinv(X) @ (y - X @ pinv(X) @ y)", "0 * z"),
        ("3 * C @ X.T @ X @ pinv(X)", "3 * C @ X.T"),
    ],
)
def test_projections_are_absorbed(written: str, meant: str) -> None:
    (after,) = absorbed([graph(written)])
    assert after is graph(meant)
    before = compile_program([graph(written)]).run(VALUES)[0]
    assert_allclose(compile_program([after]).run(VALUES)[0], before, atol=1e-13)


@pytest.mark.parametrize(
    "written",
    [
        "X @ pinv(X)",
        "pinv(X) @ X @ Y",
        "pinv(X) @ pinv(X).T @ X.T @ X @ C",
        "sum(X @ pinv(X), axis=0)",
        "(X @ pinv(X)) * outer(y, y) @ X",
        "C @ X.T @ (X @ C @ z - y)",
    ],
)
def test_what_is_no_projection_stays(written: str) -> None:
    (after,) = absorbed([graph(written)])
    before = compile_program([graph(written)]).run(VALUES)[0]
    assert_allclose(compile_program([after]).run(VALUES)[0], before, rtol=1e-12, atol=1e-12)


def test_a_hessian_of_a_fit_ends_and_is_symmetric() -> None:
    problem = Problem.of("norm(y - X @ pinv(X) @ y)**2", "hessian", ("X",))
    for shape in ((5, 3), (3, 4)):
        calculation = Calculation(problem, {"X": shape, "y": shape[:1]})
        values = {"X": generator.standard_normal(shape), "y": generator.standard_normal(shape[0])}
        (hessian,) = calculation.derivative_program.run(values)
        assert_allclose(hessian, hessian.transpose(2, 3, 0, 1), atol=1e-12)
