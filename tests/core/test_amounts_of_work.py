"""How often an answer elaborates, differentiates and compiles: each no more than its mathematics needs.

A question is elaborated over unknown lengths to solve them, and over the solved ones; it is differentiated once for
each order, and compiled once: the value, which the check needs alone, is part of the program of both. The formula is
read back as one more question, whose sizes are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from counting import calls_of

import matgrad
from matgrad.cli.output.json_output import json_line
from matgrad.core.claims.verdict import check_claim
from matgrad.core.differentiation import differentiate
from matgrad.core.elaboration import demands, elaborate
from matgrad.core.evaluation.program import Program
from matgrad.core.graph import nodes
from matgrad.core.problems.answer import Input
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

Work = Counter[str]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Count what is done, without the rules of operators and the stand-ins on which each is tried once."""
    done: Work = Counter()
    # A derivative is remembered by its graph: none is that of another test.
    monkeypatch.setattr(nodes, "_interned", {})
    inside: list[str] = []

    def counted(owner: Any, name: str, what: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def call(*arguments: Any, **settings: Any) -> Any:
            if what and what not in inside and "rules" not in inside:
                done[what] += 1
            inside.append(what or "rules")
            try:
                return original(*arguments, **settings)
            finally:
                inside.pop()

        monkeypatch.setattr(owner, name, call)

    counted(elaborate.Elaborator, "run", "elaborations")
    counted(differentiate, "pullback", "differentiations")
    counted(differentiate, "elaborate_text", "")
    counted(demands, "_rank_of", "")
    counted(Program, "__init__", "compilations")
    return done


@pytest.mark.parametrize(
    ("text", "kind", "order"),
    [
        ("x.T @ A @ x", "grad", 1),
        ("sum(log(1 + exp(-y*(X @ x))))", "grad", 1),
        ("norm(A @ x - b)**2", "grad", 1),
        ("softmax(A @ x)", "jacobian", 1),
        ("softmax(A @ x)[0]", "hessian", 2),
        ("logsumexp(A @ x)", "hessian", 2),
        ("sum(softmax(x)**2)", "hessian", 2),
    ],
)
def test_an_answer(work: Work, text: str, kind: str, order: int) -> None:
    found = answer(Problem.of(text, kind, ("x",)), {}, Wishes())
    (result,) = found.results
    assert result.check is not None
    assert result.check.formula is not None
    assert work["differentiations"] == order
    assert 2 <= work["elaborations"] <= 4
    assert work["compilations"] == 2


def test_the_counter_sees_what_is_done_twice(work: Work) -> None:
    for _ in range(2):
        answer(Problem.of("x.T @ A @ x", "grad", ("x",)), {}, Wishes())
    assert work == {"elaborations": 6, "differentiations": 2, "compilations": 4}


def test_the_same_sizes_are_compiled_once(work: Work) -> None:
    problem = Problem.of("x.T @ A @ x", "grad", ("x",))
    compiler = Compiler(problem)
    for seed in range(5):
        answer(problem, {}, Wishes(seed=seed), compiler=compiler)
    assert work["differentiations"] == 1
    # The text of the formula is read once, and its reading kept.
    assert work["elaborations"] == 2 + 1
    assert work["compilations"] == 1 + 1


@pytest.mark.parametrize(
    ("text", "variable", "claim", "key"),
    [
        ("x.T @ A @ x", "x", "(A + A.T) @ x", "gradient"),
        ("x.T @ A @ x", "x", "A @ x", "product rule"),
        ("A @ x", "x", "A.T", "transposed"),
        ("logdet(X)", "X", "inv(X)", "transposed"),
        ("sum(X @ X.T)", "X", "2*X", "per sample"),
        ("mean((X @ w - y)**2)", "w", "X.T @ (X @ w - y)", "factor"),
    ],
)
def test_a_claim(work: Work, text: str, variable: str, claim: str, key: str | None) -> None:
    verdict = check_claim(Problem.of(text, "jacobian", (variable,)), claim, {}, Wishes())
    assert verdict.matches == key
    assert verdict.points == 6
    assert 3 <= work["compilations"] <= 10
    assert 3 <= work["elaborations"] <= 16


# About a twenty-fifth more than they take.
@pytest.mark.parametrize(
    ("text", "kind", "most"), [("x.T @ A @ x", "grad", 12_250), ("softmax(A @ x)[0]", "hessian", 62_400)]
)
def test_calls_of_an_answer(text: str, kind: str, most: int) -> None:
    def ask() -> object:
        return answer(Problem.of(text, kind, ("x",)), {}, Wishes())

    # What is loaded, and what operators remember, is there after the first.
    ask()
    assert calls_of(ask) <= most


@pytest.mark.parametrize(
    ("text", "kind", "most"),
    [("{0}", "grad", 6), ("sum(concatenate([{1}])**2)", "value", 10)],
    ids=["*", "concatenate"],
)
def test_calls_of_many_names(text: str, kind: str, most: float) -> None:
    """Four times as many names take about four times as long; lengths of long sums are long themselves."""

    def ask(amount: int) -> object:
        names = [f"x{place}" for place in range(amount)]
        wrt = () if kind == "value" else ("x0",)
        return answer(Problem.of(text.format("*".join(names), ",".join(names)), kind, wrt), {}, Wishes())

    ask(3)
    few, many = (calls_of(lambda: ask(amount)) for amount in (100, 400))  # noqa: B023
    assert many / few <= most


def test_calls_of_a_line() -> None:
    problem = Problem.of("sum(x**2)", "grad", ("x",))
    compiler = Compiler(problem)
    lines = [{"x": Input(np.array(x), "stdin")} for x in ([1.0, 2.0, 3.0], [0.5, -2.0, 0.25])]
    for _ in range(10):
        answer(problem, lines[0], Wishes(), compiler=compiler)
    assert calls_of(lambda: "".join(json_line(answer(problem, lines[1], Wishes(), compiler=compiler)))) <= 600


@pytest.mark.parametrize(
    ("text", "variable", "claim", "key", "compilations", "elaborations"),
    [
        ("x.T @ A @ x", "x", "2*A @ x", "if symmetric", 8, 13),
        ("trace(X @ A @ X.T)", "X", "2*X @ A", "if symmetric", 8, 13),
        ("A @ X @ B", "X", "kron(A, B)", "transposed factor, turned", 9, 56),
        ("x.T @ A @ x", "x", "3*A @ x + 1", None, 20, 52),
    ],
)
def test_a_claim_that_is_written_otherwise_in_many_ways(
    work: Work, text: str, variable: str, claim: str, key: str | None, compilations: int, elaborations: int
) -> None:
    """Hundreds of trees are tried that differ in one place: a function of equal shapes is compiled once."""
    verdict = check_claim(Problem.of(text, "jacobian", (variable,)), claim, {}, Wishes())
    assert verdict.matches == key
    assert 3 <= work["compilations"] <= compilations
    assert 3 <= work["elaborations"] <= elaborations


SIZES = {"x": 4, "A": (6, 4), "S": (4, 4), "y": 6}


@pytest.mark.parametrize(
    ("text", "kind"), [("x.T @ S @ x", "grad"), ("mean((A @ x - y)**2)", "grad"), ("softmax(A @ x)[0]", "hessian")]
)
def test_a_call_with_new_sizes(work: Work, text: str, kind: str) -> None:
    def inputs(more: int) -> dict[str, Any]:
        numbers = np.random.default_rng(more)
        return {name: numbers.standard_normal(np.add(SIZES[name], more)) for name in Problem.of(text, "value").names}

    function = getattr(matgrad, kind)(text, wrt="x")
    calls = []
    for more in (0, 1):
        values = inputs(more)
        work.clear()
        calls.append(calls_of(lambda: function(**values)))  # noqa: B023
        assert work["compilations"] == 1
        assert bool(work["elaborations"]) == bool(work["differentiations"]) == (more == 0)
    assert calls[1] <= 0.5 * calls[0]
