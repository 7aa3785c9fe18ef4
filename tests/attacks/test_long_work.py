"""How work grows with an expression, counted in parts that are looked at, not in seconds."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from attacks.long_work import FAMILIES, variable_of, work_of

import matgrad
from matgrad.core.graph.nodes import topological
from matgrad.core.problems import compiler
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem
from matgrad.core.work import ASKED, FINDING, TooMuchWork

# The formula of a product of n factors has n terms of n factors.
STEEPEST = {"factors": 2.4, "bilinear factors": 2.4, "logistic map": 2.4}
STEEP = 1.6


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_work_grows_with_the_expression(name: str) -> None:
    wrt, shape = variable_of(name)
    first, second = (work_of(FAMILIES[name](size), wrt, shape) for size in (20, 40))
    assert log(second / first, 2) < STEEPEST.get(name, STEEP), (first, second)


def test_what_several_share_is_written_once() -> None:
    text = "; ".join(f"x{k + 1} = x{k} + sin(x{k})" for k in range(40)) + "; x40"
    found = matgrad.grad(text, wrt="x0", shapes={"x0": ()})
    assert len(found.formula) < 100 * 40
    assert found.code("numpy").count("sin") < 5 * 40


def test_a_formula_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooMuchWork, match="a formula of more than 20 000 parts is not written"):
        work_of("matrix_power(A, 1000)", "A", None)
    assert ASKED.parts == 20_000


@pytest.mark.parametrize(
    "text", ["elimination_matrix(10**12) @ v", "duplication_matrix(10**5) @ v", "adaptive_avg_pool1d(X, 10**9)"]
)
def test_a_builder_spends_what_it_lists(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "FINDING", FINDING._replace(looks=30_000))
    with pytest.raises(TooMuchWork):
        Compiler(Problem.of(text, "value", ())).find({"v": (4,), "X": (3, 4)}, {})


def test_indices_of_a_large_triangle_are_refused_before_they_are_made() -> None:
    with pytest.raises(matgrad.MatgradError, match=r"a table of 10\^18 places"):
        matgrad.value("A[tril_indices(10**9)]", shapes={"A": (3, 3)})(A=np.eye(3))


def test_a_chain_of_matrices_is_not_opened_beyond_its_budget() -> None:
    found = matgrad.grad("sum(matrix_power(A, -(10**9)))", wrt="A", shapes={"A": (3, 3)})
    with pytest.raises(TooMuchWork, match="a formula of more than 20 000 parts is not written"):
        _ = found.formula


def test_a_large_range_is_not_held() -> None:
    found = Compiler(Problem.of("sum(arange(10**9))", "value", ())).find({}, {}).calculation
    assert sum(node.shape == () for node in topological([found.output])) < 10
    assert matgrad.value("sum(arange(10**6))")() == 499999500000
    with pytest.raises(matgrad.MatgradError, match="the limit is 1 GiB"):
        matgrad.value("arange(4*10**8)[0]")()
