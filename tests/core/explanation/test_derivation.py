"""Explanations: every step is an equation that holds, for every entry of the table and every published identity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matgrad
from matgrad.core.elaboration.elaborate import BARE_CONSTANTS
from matgrad.core.explanation.derivation import Explanation, Lesson, explain
from matgrad.core.graph.catalogue import operators
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse
from matgrad.grammar.rewriting import rewritten
from matgrad.grammar.syntax import Call, Name
from matgrad.grammar.writer import write

SHAPES = {
    "a": (), "b": (), "x": (4,), "u": (4,), "w": (4,), "v": (3,), "X": (3, 4), "W": (3, 4), "C": (3, 1, 4),
    "A": (3, 3), "B": (3, 3), "S": (2, 3, 3), "T": (2, 3, 4),
}  # fmt: skip
DERIVATIVES = {"Y": (4, 2)}
IDENTITIES = Path(__file__).parents[2] / "identities" / "public.jsonl"
RECORDS: list[dict[str, Any]] = [json.loads(line) for line in IDENTITIES.read_text(encoding="utf-8").splitlines()]


def names(text: str) -> list[str]:
    return [name for name in syntax.free_names(parse(text)) if name not in BARE_CONSTANTS]


def lesson(text: str, wrt: tuple[str, ...], shapes: dict[str, tuple[int, ...]] | None = None) -> Lesson:
    return explain(Problem.of(text, "jacobian", wrt), {}, Wishes(declared=shapes or {}))


def the_steps(found: Explanation) -> list[tuple[str, str]]:
    return [(step.text, step.differential) for step in found.steps]


def test_the_quadratic_form() -> None:
    (found,) = lesson("x.T @ A @ x", ("x",)).explanations
    assert the_steps(found) == [("x.T @ A @ x", "dx.T @ A @ x + x.T @ A @ dx")]
    assert found.steps[0].rule == "product rule"
    assert found.collected == "df = ((A + A.T) @ x).T @ dx"
    assert found.formula == "(A + A.T) @ x"
    assert any("quadratic" in text for text in found.meaning)


def test_innermost_first_with_shapes() -> None:
    found = lesson("norm(A @ x - b)**2", ("x",))
    assert [(part.text, part.shape) for part in found.parts] == [
        ("A", (3, 4)), ("x", (4,)), ("b", (3,)), ("A @ x", (3,)), ("A @ x - b", (3,)),
        ("norm(A @ x - b)", ()), ("norm(A @ x - b)**2", ()),
    ]  # fmt: skip
    assert the_steps(found.explanations[0]) == [
        ("A @ x", "A @ dx"),
        ("A @ x - b", "d(A @ x)"),
        ("norm(A @ x - b)", "sum((A @ x - b)*d(A @ x - b))/norm(A @ x - b)"),
        ("norm(A @ x - b)**2", "2*norm(A @ x - b)*d(norm(A @ x - b))"),
    ]


def test_statements_name_their_differentials() -> None:
    (found,) = lesson("Z = X @ Y; norm(Z)", ("X",)).explanations
    assert the_steps(found) == [("Z", "dX @ Y"), ("norm(Z)", "sum(Z*dZ)/norm(Z)")]
    assert found.steps[0].meaning == "X @ Y"
    assert found.expanded == "sum(Z*(dX @ Y))/norm(Z)"


def test_a_derived_function_is_unfolded() -> None:
    (found,) = lesson("mean(x**2)", ("x",)).explanations
    assert found.steps[-1].meaning == "sum(x**2)/count(x**2)"
    assert the_steps(found)[-1] == ("mean(x**2)", "d(sum(x**2))/count(x**2)")


@pytest.mark.parametrize(
    ("text", "structure", "words"),
    [
        ("sin(x)", "diagonal", "the vector-Jacobian product with ones is the diagonal"),
        ("A @ x", "dense", "every entry"),
        ("A @ X @ B", "kronecker", "Kronecker"),
        ("softmax(X, axis=1)", "block diagonal", "block"),
        ("cumsum(x)", None, "partly zero"),
        ("x + 1", "identity", "identity"),
        ("floor(x)", "zero", "derivative is zero"),
        ("a @ x", None, "linear"),
        ("sum(exp(x))", None, "separable"),
        ("sum(abs(x))", None, "between its kinks"),
    ],
)
def test_the_structure_is_put_into_words(text: str, structure: str | None, words: str) -> None:
    (found,) = lesson(text, ("X",) if "X" in text else ("x",)).explanations
    assert found.structure == structure
    assert words in " ".join(map(str, found.meaning))


def test_conventions_are_told() -> None:
    problem = Problem.of("trace(A @ S)", "jacobian", ("S",), {"S": frozenset({"symmetric"})})
    (found,) = explain(problem, {}, Wishes(declared={"S": (3, 3)})).explanations
    assert "symmetric" in found.notes[0]
    (kinked,) = lesson("norm(x, 1)", ("x",)).explanations
    assert any("has a kink" in note for note in kinked.notes)


# Every line is an equation: with names for `d(part)`, its right side must be the directional derivative of the part.


def checked_lines(text: str, found: Explanation, shapes: dict[str, tuple[int, ...]]) -> int:
    """Evaluate each step along a random direction, and compare it with the pushforward of its part."""
    generator = np.random.default_rng(0)
    drawn = explain_values(text, shapes)
    direction = generator.standard_normal(drawn[found.wrt].shape)
    checked = 0
    for step in found.steps:
        if "for each of the stack" in step.rule or ";" in step.differential or step.rule == "named":
            continue
        wanted = moved(step.text, found.wrt, drawn, direction)
        values = {**drawn, f"d{found.wrt}": direction}

        def with_values(node: syntax.Node, values: dict[str, np.ndarray] = values) -> syntax.Node | None:
            match node:
                case Call("d", (inner,)):
                    name = f"d_{len(values)}"
                    values[name] = moved(write(inner), found.wrt, drawn, direction)
                    return Name(name)
            return None

        tree = rewritten(parse(step.differential).result, with_values)
        right = write(tree)
        used = {name: values[name] for name in names(right)}
        result = matgrad.value(right)(**used)
        np.testing.assert_allclose(np.broadcast_to(result, wanted.shape), wanted, rtol=1e-7, atol=1e-9, err_msg=right)
        checked += 1
    return checked


def explain_values(text: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    inputs = lesson(text, (names(text)[0],), shapes).inputs
    return {name: item.value for name, item in inputs.items()}


def moved(text: str, wrt: str, values: dict[str, np.ndarray], direction: np.ndarray) -> np.ndarray:
    used = {name: values[name] for name in names(text)}
    if wrt not in used:
        return np.zeros_like(matgrad.value(text)(**used))
    found = matgrad.jvp(text, wrt)
    return np.asarray(found(**used, **{"tangent_" if "tangent" in used else "tangent": direction}))


SAMPLES = [
    (operator.name, operator.samples[0])
    for operator in operators(hidden=True)
    if operator.samples and names(operator.samples[0]) and not operator.internal
]


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_every_entry_of_the_table_is_explained(name: str, sample: str) -> None:
    shapes = {key: (SHAPES | DERIVATIVES)[key] for key in names(sample)}
    if name in ("jacobian", "hessian", "grad"):
        shapes = {}
    found = lesson(sample, tuple(names(sample)), shapes)
    assert found.parts
    for explanation in found.explanations:
        assert explanation.steps
        assert explanation.collected.startswith("df = ")
        assert explanation.formula
        assert checked_lines(sample, explanation, shapes) or any(";" in step.differential for step in explanation.steps)


def test_every_identity_is_explained() -> None:
    for record in RECORDS:
        shapes = {name: tuple(variable["shape"]) for name, variable in record["vars"].items()}
        wrt = tuple(dict.fromkeys(record["wrt"])) or (next(iter(shapes)),)
        for found in lesson(record["expr"], wrt, shapes).explanations:
            assert found.formula, record["id"]


def test_with_a_batch_the_steps_are_those_of_one_sample() -> None:
    samples = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    problem = Problem.of("(x @ w)**2", "jacobian", ("w",), batch=("x",))
    lesson = explain(problem, {"x": Input(samples, "test")}, Wishes())
    alone = explain(Problem.of("(x @ w)**2", "jacobian", ("w",)), {"x": Input(samples[0], "test")}, Wishes())
    assert lesson.samples == 3
    assert alone.samples is None
    assert lesson.explanations == alone.explanations
    assert lesson.parts == alone.parts
