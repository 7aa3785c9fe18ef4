"""Explanations: every step is an equation that holds, for every entry of the table and every published identity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

import matgrad
from identities.records import RECORDS
from matgrad.core.elaboration.literals import BARE_CONSTANTS
from matgrad.core.explanation.derivation import explain
from matgrad.core.explanation.lesson import Explanation, Lesson, Line
from matgrad.core.graph.catalogue import operators
from matgrad.core.graph.operator import Operator
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse
from matgrad.grammar.rewriting import replaced, rewritten
from matgrad.grammar.syntax import Call, Name
from matgrad.grammar.writer import write

SHAPES = {
    "a": (), "b": (), "x": (4,), "u": (4,), "w": (4,), "v": (3,), "X": (3, 4), "W": (3, 4), "C": (3, 1, 4),
    "A": (3, 3), "B": (3, 3), "S": (2, 3, 3), "T": (2, 3, 4),
}  # fmt: skip
DERIVATIVES = {"Y": (4, 2)}
# The identities take long together, and are shared among the processes of a run.
PARTS = 8


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


@pytest.mark.parametrize("text", ["x/0", "sum(x)/0", "0*x", f"x*{'1' * 20}/2", f"x*{'1' * 5000}"])
def test_numbers_that_are_zero_or_huge_are_explained(text: str) -> None:
    assert lesson(text, ("x",)).explanations


def test_innermost_first_with_shapes() -> None:
    found = lesson("norm(A @ x - b)**2", ("x",))
    assert [(part.text, part.shape) for part in found.parts] == [
        ("A", (3, 4)), ("x", (4,)), ("b", (3,)), ("A @ x", (3,)), ("A @ x - b", (3,)),
        ("norm(A @ x - b)", ()), ("norm(A @ x - b)**2", ()),
    ]  # fmt: skip
    assert the_steps(found.explanations[0]) == [
        ("A @ x", "A @ dx"),
        ("r", "d(A @ x)"),
        ("norm(r)", "sum(r*dr)/norm(r)"),
        ("norm(r)**2", "2*norm(r)*d(norm(r))"),
    ]
    assert found.explanations[0].named == {"r": "A @ x - b"}


def test_statements_name_their_differentials() -> None:
    (found,) = lesson("Z = X @ Y; norm(Z)", ("X",)).explanations
    assert the_steps(found) == [("Z", "dX @ Y"), ("norm(Z)", "sum(Z*dZ)/norm(Z)")]
    assert found.steps[0].meaning == "X @ Y"
    assert found.expanded == "sum(Z*(dX @ Y))/norm(Z)"


def test_the_mean_is_a_sum_over_a_length_with_a_name() -> None:
    (found,) = lesson("mean(x**2)", ("x",)).explanations
    assert the_steps(found)[-1] == ("mean(x**2)", "mean(d(x**2))")
    assert found.lines[0] == Line("sum(2*x*dx)/n", "mean(v) = sum(v)/n")
    assert found.origins == {"n": "x.shape[0]"}


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


def checked_lines(found: Explanation, inputs: Mapping[str, Input]) -> int:
    """Evaluate each step along a random direction, and compare it with the pushforward of its part."""
    generator = np.random.default_rng(0)
    drawn = values_of(inputs)
    for size, origin in found.origins.items():
        drawn[size] = np.asarray(matgrad.value(origin)(**{name: drawn[name] for name in names(origin)}))
    for name, part in found.named.items():
        drawn[name] = np.asarray(matgrad.value(part)(**{inner: drawn[inner] for inner in names(part)}))
    for name, part in found.introduced.items():
        if name.isidentifier() and drawn.keys() >= {*names(part)}:
            drawn[name] = np.asarray(matgrad.value(part)(**{inner: drawn[inner] for inner in names(part)}))
    direction = generator.standard_normal(drawn[found.wrt].shape)
    checked = 0

    @cache  # what one step is of is a part of the next
    def moved_part(text: str) -> np.ndarray:
        return moved(put_in(text), found.wrt, drawn, direction)

    def put_in(text: str) -> str:
        parts = {name: parse(part).result for name, part in found.named.items()}
        tree = parse(text).result
        for name, part in reversed(parts.items()):
            tree = replaced(tree, Name(name), part)
        return write(tree)

    for step in found.steps:
        if "for each of the stack" in step.rule or ";" in step.differential or step.rule == "named":
            continue
        wanted = moved_part(step.text)
        values = {**drawn, f"d{found.wrt}": direction}

        def with_values(node: syntax.Node, values: dict[str, np.ndarray] = values) -> syntax.Node | None:
            match node:
                case Call("d", (inner,)):
                    name = f"d_{len(values)}"
                    values[name] = moved_part(write(inner))
                    return Name(name)
                case Name(name) if name.startswith("d") and name[1:] in found.named:
                    values[name] = moved_part(name[1:])
            return None

        tree = rewritten(parse(step.differential).result, with_values)
        right = write(tree)
        used = {name: values[name] for name in names(right)}
        result = matgrad.value(right)(**used)
        np.testing.assert_allclose(np.broadcast_to(result, wanted.shape), wanted, rtol=1e-7, atol=1e-9, err_msg=right)
        checked += 1
    return checked


def values_of(inputs: Mapping[str, Input]) -> dict[str, np.ndarray]:
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
    if operator.samples and names(operator.samples[0]) and not operator.hidden
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
        assert explanation.collected.startswith(("df = ", "dF = "))
        assert explanation.formula
        assert checked_lines(explanation, found.inputs) or any(";" in step.differential for step in explanation.steps)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_identity_is_explained(part: int) -> None:
    for record in RECORDS[part::PARTS]:
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


# The way from the differential to the derivative.


def the_lines(text: str, name: str, **given: object) -> list[tuple[str, str]]:
    problem = Problem.of(text, "jacobian", (name,), given.get("assume"))  # type: ignore[arg-type]
    (found,) = explain(problem, {}, Wishes()).explanations
    return [(line.text, line.rule) for line in found.lines]


def test_a_trace_is_turned_and_rotated() -> None:
    assert the_lines("trace(A @ X @ B @ X.T)", "X") == [
        ("trace(A @ dX @ B @ X.T) + trace(A @ X @ B @ dX.T)", "one term for each change"),
        ("trace(A @ dX @ B @ X.T) + trace(dX @ B.T @ X.T @ A.T)", "trace(M) = trace(M.T)"),
        ("trace(B @ X.T @ A @ dX) + trace(B.T @ X.T @ A.T @ dX)", "trace(P @ Q) = trace(Q @ P)"),
        ("trace((A @ X @ B + A.T @ X @ B.T).T @ dX)", "collected: trace(G.T @ dX)"),
    ]


def test_symmetry_is_a_step() -> None:
    lines = the_lines("x.T @ A @ x", "x", assume={"A": frozenset({"symmetric"})})
    assert ("x @ A @ dx + x @ A @ dx", "A symmetric") in lines


@pytest.mark.parametrize(
    ("text", "name", "rule"),
    [
        ("trace(A.T @ (B*X))", "X", "Hadamard moved across: trace(A @ (P*Q)) = trace((A*P.T) @ Q)"),
        ("sum(W @ tanh(V @ x))", "x", "Hadamard moved across: u @ (v*w) = (u*v) @ w"),
        ("a @ X @ b", "X", "a number is its own trace, and trace(P @ Q) = trace(Q @ P)"),
        ("trace(kron(A, X))", "X", "trace(kron(P, Q)) = trace(P)*trace(Q)"),
        ("trace(A @ diag(x))", "x", "trace(A @ diag(v)) = diagonal(A) @ v"),
        ("a @ diagonal(X)", "X", "u @ diagonal(M) = trace(diag(u) @ M)"),
        ("x/norm(x)", "x", "v*(u @ w) = outer(v, u) @ w"),
        ("diag(x) @ a", "x", "diag(u) @ v = u*v"),
        ("norm(A @ x - b)**2", "x", "numbers drawn out"),
        ("x @ B", "x", "v @ B = B.T @ v"),
    ],
)
def test_steps_have_names(text: str, name: str, rule: str) -> None:
    assert rule in [found for _, found in the_lines(text, name)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A @ X @ B", "kron(B.T, A) @ vec(dX)"),
        ("X @ X", "(kron(X.T, eye(n)) + kron(eye(n), X)) @ vec(dX)"),
        ("inv(X)", "-kron(inv(X).T, inv(X)) @ vec(dX)"),
        ("X.T", "commutation_matrix(n, m) @ vec(dX)"),
    ],
)
def test_the_matrix_of_vec(text: str, expected: str) -> None:
    (found,) = lesson(text, ("X",)).explanations
    assert found.value == "F"
    assert found.vectorized == expected


def test_every_line_is_the_differential() -> None:
    """The forms on the way have one value along any direction."""
    for text in ("norm(A @ x - b)**2", "x.T @ A @ x/(x.T @ x)", "logsumexp(A @ x)", "sum(tanh(A @ x)*b)"):
        whole = lesson(text, ("x",))
        (found,) = whole.explanations
        values = values_of(whole.inputs)
        values |= {size: np.asarray(matgrad.value(origin)(**values)) for size, origin in found.origins.items()}
        for name, part in found.named.items():
            values[name] = np.asarray(matgrad.value(part)(**{inner: values[inner] for inner in names(part)}))
        values["dx"] = np.random.default_rng(1).standard_normal(values["x"].shape)
        wanted = moved(text, "x", values, values["dx"])
        for line in found.lines:
            value = matgrad.value(line.text)(**{name: values[name] for name in names(line.text)})
            np.testing.assert_allclose(value, wanted, rtol=1e-9)


def test_a_hessian_goes_on_with_the_gradient() -> None:
    found = explain(Problem.of("norm(A @ x - b)**2", "hessian", ("x",)), {}, Wishes()).explanations
    assert [item.noun for item in found] == ["gradient", "Hessian"]
    assert found[1].expr == found[0].formula == "2*A.T @ (A @ x - b)"
    assert found[1].formula == "2*A.T @ A"
    assert found[1].quadratic == "dx.T @ (2*A.T @ A) @ dx"
    mixed = explain(Problem.of("x @ A @ y", "hessian", ("x", "y")), {}, Wishes()).explanations
    assert (mixed[1].noun, mixed[1].wrt, mixed[1].formula) == ("derivative by x and then", "y", "A")
    linear = explain(Problem.of("a @ x", "hessian", ("x",)), {}, Wishes()).explanations
    assert linear[1].collected == "dg = 0"


def test_functions_are_said_before_they_are_used() -> None:
    (found,) = lesson("sum(log(1 + exp(-y*(X @ w))))", ("w",)).explanations
    assert found.introduced == {"sigmoid(t)": "1/(1 + exp(-t))"}


MEANINGS = [operator for operator in operators() if operator.meaning]


@pytest.mark.parametrize("operator", MEANINGS, ids=[operator.name for operator in MEANINGS])
def test_what_a_function_is_said_to_be_it_is(operator: Operator) -> None:
    (operand,) = operator.operands
    value = np.random.default_rng(3).standard_normal((3, 3) if operand.isupper() else (4,))
    found = matgrad.value(f"{operator.name}({operand})")(**{operand: value})
    np.testing.assert_allclose(found, matgrad.value(operator.meaning)(**{operand: value}), rtol=1e-10)


def test_kinks_are_told_in_the_words_of_the_expression() -> None:
    (found,) = lesson("sum(abs(A @ x - b))", ("x",)).explanations
    assert "`abs(A @ x - b)` has a kink where A @ x - b == 0: subgradient 0" in found.notes


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        # What a rule names stands by itself, and the steps go through it.
        ("sum(eigvalsh(X)**2)", "X", "2*trace(V @ diag(u) @ V.T @ dX)"),
        ("sum(where(abs(x) > 1, x**2, 0))", "x", "2*((abs(x) > 1)*x) @ dx"),
        ("sum(X, axis=1) @ v", "X", "v @ dX @ ones(m)"),
        ("norm(X - mean(X, axis=0))**2", "X", "2*trace(M.T @ dX) - 2*trace(M.T @ outer(ones(n), ones(n)) @ dX)/n"),
    ],
)
def test_the_way_of_books(text: str, name: str, wanted: str) -> None:
    (found,) = lesson(text, (name,)).explanations
    assert wanted in [line.text for line in found.lines]


def test_what_stands_fixed_is_introduced() -> None:
    (found,) = lesson("sum(eigvalsh(X)**2)", ("X",)).explanations
    assert found.introduced["V"] == "eigh(X)[1]"
    (found,) = lesson("softmax(X, axis=1)", ("X",)).explanations
    assert found.steps[0].differential == "P*(dX - sum(P*dX, axis=1)[:, None])"
    assert found.named == {"P": "softmax(X, axis=1)"}


def test_lengths_of_a_gradient_have_names() -> None:
    problem = Problem.of("mean((X @ w - y)**2)", "hessian", ("w",))
    gradient, hessian = explain(problem, {}, Wishes()).explanations
    assert gradient.formula == hessian.expr == "2*X.T @ (X @ w - y) / n"
    assert not any("shape" in step.differential for step in hessian.steps)
