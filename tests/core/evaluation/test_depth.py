"""Growth: what differentiation and planning do for a deep network is in proportion to its depth.

The formula of a deep graph is written without a recursion as deep as the graph.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from matgrad.core.notation.formula import Notation
from matgrad.core.notation.trees import size
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem

WIDTH = 9  # so that the graphs are worth rearranging


def calls(layers: int, shared: bool) -> int:
    """Return how many functions are called to differentiate and compile a network of that depth."""
    weights = ["W" if shared else f"W{layer}" for layer in range(layers)]
    steps = "; ".join(f"h = tanh({weight} @ h)" for weight in weights)
    problem = Problem.of(f"h = x; {steps}; sum(h)", "grad", (weights[0],))
    shapes = dict.fromkeys(weights, (WIDTH, WIDTH)) | {"x": (WIDTH,)}
    amount = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal amount
        amount += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        assert Calculation(problem, shapes).derivative_program.cost
    finally:
        sys.setprofile(before)
    return amount


@pytest.mark.parametrize("shared", [False, True])
def test_the_work_is_in_proportion_to_the_depth(shared: bool) -> None:
    few, many = calls(40, shared), calls(160, shared)
    assert many < 4.4 * few


def test_writing_does_not_recurse_through_the_whole_graph() -> None:
    layers = 2000
    output = Calculation(Problem.of("h = x; " + "h = sin(h); " * layers + "h", "value"), {"x": ()}).output
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    try:
        assert size(Notation().tree(output)) == layers + 1
    finally:
        sys.setrecursionlimit(limit)
