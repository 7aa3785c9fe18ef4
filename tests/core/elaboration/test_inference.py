"""Shapes for names without one, and lengths as symbols, solved from what an expression asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from counting import calls_of

import matgrad
from matgrad.core.elaboration.entries import StaticNameError
from matgrad.core.elaboration.inference import infer_shapes, ranks_of, solve_lengths, square_names
from matgrad.core.errors import ExpressionError, RankError, ShapeError
from matgrad.core.graph.sizes import least, length, quotient
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem
from matgrad.core.shapes import Shape

n, m, k, q = 3, 4, 5, 6


def inferred(text: str, known: Mapping[str, Shape] | None = None, **assumed: str) -> dict[str, Shape]:
    problem = Problem.of(text, "value")
    known = known or {}
    unknown = {name: span for name, span in problem.names.items() if name not in known}
    shapes, _ = infer_shapes(problem.program, known, unknown, {}, {name: (word,) for name, word in assumed.items()})
    return shapes


CASES: dict[str, dict[str, Shape]] = {
    "x": {"x": (n,)},
    "A": {"A": (n, m)},
    "x.T @ A @ x": {"x": (n,), "A": (n, n)},
    "A @ X @ B": {"A": (n, m), "X": (m, k), "B": (k, q)},
    "norm(X @ X @ Y, 'fro')": {"X": (n, n), "Y": (n, m)},
    "sum((T - U @ V.T)**2)": {"T": (n, m), "U": (n, k), "V": (m, k)},
    "sum(log(1 + exp(-y * (X @ w))))": {"y": (n,), "X": (n, m), "w": (m,)},
    "norm(A @ x - b)**2": {"A": (n, m), "x": (m,), "b": (n,)},
    "softmax(W @ x + b)": {"W": (n, m), "x": (m,), "b": (n,)},
    "relu(W1 @ x + b1) @ w2": {"W1": (n, m), "x": (m,), "b1": (n,), "w2": (n,)},
    "trace(A @ B)": {"A": (n, m), "B": (m, n)},
    "trace(A @ X @ B @ X.T @ C)": {"A": (n, m), "X": (m, k), "B": (k, k), "C": (m, n)},
    "A + outer(x, y)": {"A": (n, m), "x": (n,), "y": (m,)},
    "kron(A, B) @ x": {"A": (n, m), "B": (k, q), "x": (24,)},
    "vec(A @ X @ B) - kron(B.T, A) @ vec(X)": {"A": (n, m), "X": (m, k), "B": (k, q)},
    "diag(x) @ A": {"x": (n,), "A": (n, m)},
    "where(x > 0, x, y)": {"x": (n,), "y": (n,)},
    "A * x": {"A": (n, m), "x": ()},
    "det(X)": {"X": (n, n)},
    "solve(A, b)": {"A": (n, n), "b": (n,)},
    "inv(A) @ b": {"A": (n, n), "b": (n,)},
    "cholesky(K) @ z": {"K": (n, n), "z": (n,)},
    "matrix_power(A, 3) @ x": {"A": (n, n), "x": (n,)},
    "stack([x, y]) @ z": {"x": (n,), "y": (n,), "z": (n,)},
    "svdvals(A)[0]": {"A": (n, m)},
    # einsum: each operand has the axes of its own term.
    "einsum('ij,j,i', P, q, r)": {"P": (n, m), "q": (m,), "r": (n,)},
    "einsum('bij,bjk->bik', A, B)": {"A": (n, m, k), "B": (n, k, q)},
    "einsum('bij,jk->bik', A, B)": {"A": (n, m, k), "B": (k, q)},
    "einsum('ij,bjk->bik', A, B)": {"A": (n, m), "B": (k, m, q)},
    "einsum('i,ijk,k->j', x, T, y)": {"x": (n,), "T": (n, m, k), "y": (k,)},
    # Sizes computed from others.
    "concatenate([x, y])": {"x": (n,), "y": (m,)},
    "concatenate([x, y]) @ z": {"x": (n,), "y": (m,), "z": (7,)},
    "concatenate([x, y]) @ A @ concatenate([y, x])": {"x": (n,), "y": (m,), "A": (7, 7)},
    "concatenate([x, y, w]) @ z + sum(v)": {"x": (n,), "y": (m,), "w": (k,), "z": (12,), "v": (6,)},
    "kron(x, y) @ z": {"x": (n,), "y": (m,), "z": (12,)},
    "x.reshape(-1, 2)": {"x": (6,)},
    "x.reshape(2, -1)": {"x": (6,)},
    "x.reshape(-1, 5)": {"x": (5,)},
    "reshape(x, (2, 3))": {"x": (6,)},
    "A.reshape(2, 6)": {"A": (n, m)},
    "reshape(A, 10)": {"A": (2, 5)},
    "reshape(A, 7)": {"A": (1, 7)},
    "x[:-1] - y": {"x": (n,), "y": (2,)},
    # Indices and slices want axes that are long enough.
    "x[3]": {"x": (4,)},
    "x[-4]": {"x": (4,)},
    "x[3] + x[5]": {"x": (6,)},
    "A[2, 5]": {"A": (n, 6)},
    "x[1:5]": {"x": (5,)},
    "x[1:5] + y": {"x": (5,), "y": (4,)},
    "x[4:]": {"x": (5,)},
    "x[-6:]": {"x": (6,)},
    "A[:, 5:8]": {"A": (n, 8)},
    "x[:1000]": {"x": (20,)},
    "X[0] @ y": {"X": (n, m), "y": (m,)},
    "X[:, 1] @ y": {"X": (n, m), "y": (n,)},
    # What is inverted must not be singular: X is tall.
    "logdet(X.T @ X)": {"X": (m, n)},
    "det(X @ X.T)": {"X": (n, m)},
    "inv(X.T @ X) @ X.T @ y": {"X": (m, n), "y": (m,)},
    "solve(X.T @ X, X.T @ y)": {"X": (m, n), "y": (m,)},
    "X.T @ X": {"X": (n, m)},
}  # fmt: skip


@pytest.mark.parametrize(("text", "shapes"), CASES.items(), ids=CASES)
def test_shapes_follow_from_the_expression(text: str, shapes: dict[str, Shape]) -> None:
    assert inferred(text) == shapes


@pytest.mark.parametrize("text", CASES)
def test_inferred_shapes_fit(text: str) -> None:
    problem = Problem.of(text, "value")
    calculation = Calculation(problem, inferred(text))
    assert all(size < 100 for size in calculation.shape)


@pytest.mark.parametrize(
    ("text", "known", "shapes"),
    [
        ("x.T @ A @ x", {"A": (5, 5)}, {"x": (5,)}),
        ("x.T @ A @ x", {"x": (7,)}, {"A": (7, 7)}),
        ("A @ x + b", {"x": (5000,)}, {"A": (3, 5000), "b": (3,)}),
        ("concatenate([x, y]) @ z", {"x": (700,)}, {"y": (3,), "z": (703,)}),
        ("concatenate([x, y]) @ z", {"x": (700,), "y": (600,)}, {"z": (1300,)}),
        ("concatenate([x, y]) @ z", {"x": (2,), "z": (9,)}, {"y": (7,)}),
        ("x[1:] - y", {"y": (8,)}, {"x": (9,)}),
        ("A + x", {"A": (5, 1)}, {"x": (3,)}),
        ("s * x", {"s": ()}, {"x": (3,)}),
        ("T @ x", {"T": (2, 3, 4)}, {"x": (4,)}),
        ("A @ x + b", {"A": (2, 2)}, {"x": (2,), "b": (2,)}),
    ],
)
def test_known_shapes_decide(text: str, known: dict[str, Shape], shapes: dict[str, Shape]) -> None:
    assert inferred(text, known) == shapes


@pytest.mark.parametrize("word", ["symmetric", "spd", "diagonal", "lower", "upper", "orthogonal"])
def test_an_assumption_about_a_matrix_makes_it_square(word: str) -> None:
    assert inferred("A @ x", A=word) == {"A": (n, n), "x": (n,)}
    assert inferred("sum(a)", a=word) == {"a": (n, n)}
    assert inferred("A @ x", A="positive") == {"A": (n, m), "x": (m,)}


COUNTS: dict[str, tuple[dict[str, Shape], dict[str, int]]] = {
    "eye(n) + A": ({"n": (), "A": (3, 3)}, {"n": 3}),
    "eye(n) @ x": ({"n": (), "x": (3,)}, {"n": 3}),
    "ones((n, m)) @ x": ({"n": (), "m": (), "x": (4,)}, {"n": 3, "m": 4}),
    "reshape(A, (n, m))": ({"A": (3, 4), "n": (), "m": ()}, {"n": 3, "m": 4}),
    "reshape(A, k)": ({"A": (3, 4), "k": ()}, {"k": 12}),
    "zeros(n - 1) + x": ({"n": (), "x": (2,)}, {"n": 3}),
}


@pytest.mark.parametrize("text", COUNTS)
def test_names_that_stand_for_sizes(text: str) -> None:
    problem = Problem.of(text, "value")
    assert infer_shapes(problem.program, {}, problem.names, {}) == COUNTS[text]


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("quantile(x, 0.3)", {"x": (3,)}), ("simpson(y, x)", {"y": (3,), "x": (3,)}), ("vech(A)", {"A": (3, 3)}),
        ("percentile(x, 30) * sum(y)", {"x": (3,), "y": (3,)}), ("pdist(X @ W)", {"X": (3, 3), "W": (3, 4)}),
    ],
)  # fmt: skip
def test_a_length_that_is_needed_in_numbers_is_small(text: str, shapes: dict[str, Shape]) -> None:
    problem = Problem.of(text, "value")
    assert infer_shapes(problem.program, {}, problem.names, {})[0] == shapes


def test_a_length_that_is_needed_in_numbers_is_that_of_the_shape() -> None:
    problem = Problem.of("quantile(x + z, 0.3) * y", "value")
    found = solve_lengths(problem.program, ranks_of({"z": (5,)}), {"x": None, "y": None}, {}, (), {"z": (5,)})  # type: ignore[dict-item]
    assert found.shapes["x"] == found.shapes["z"] == (5,)
    assert found.fixed == ("z.shape[0] == 5",)


@pytest.mark.parametrize("text", ["x[i]", "A[i, :] @ y", "x[i] + x[j]"])
def test_an_index_lies_within_its_axis(text: str) -> None:
    problem = Problem.of(text, "value")
    shapes, counts = infer_shapes(problem.program, {}, problem.names, {})
    assert Calculation(problem, shapes, statics=counts).shape == ()
    assert all(size < 10 for shape in shapes.values() for size in shape)


@pytest.mark.parametrize(
    ("text", "error"), [("sum(x) @ y", RankError), ("concatenate([x, y]) @ x", ShapeError), ("norm(x) @ y", RankError)]
)
def test_what_cannot_fit_is_an_error_in_small_sizes(text: str, error: type[ShapeError]) -> None:
    with pytest.raises(error) as caught:
        inferred(text)
    words = " ".join([caught.value.message, *(label.text for label in caught.value.labels)])
    assert not any(int(word) > 100 for word in words.split() if word.isdigit())


def test_a_known_name_used_as_a_size_asks_for_its_value() -> None:
    with pytest.raises(StaticNameError, match="value is needed"):
        inferred("zeros(n) + x", {"n": ()})


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("sum(" + " + ".join(f"x{i}" for i in range(2000)) + ")", 6_000_000),
        (" + ".join(f"A{i} @ x{i}" for i in range(200)), 900_000),
        (" @ ".join(f"A{i}" for i in range(300)), 650_000),
    ],
    ids=["sum", "products", "chain"],
)
def test_hundreds_of_names_take_a_moment(text: str, most: int) -> None:
    """So many calls are a second or two."""
    shapes: dict[str, Shape] = {}
    assert calls_of(lambda: shapes.update(inferred(text))) < most
    assert len(shapes) == len(Problem.of(text, "value").names)
    Calculation(Problem.of(text, "value"), shapes)


# --- lengths as symbols ----------------------------------------------------------------------------------------------


def solved(text: str, shapes: Mapping[str, Shape], **assumed: str) -> tuple[Mapping[str, Shape], dict[str, int]]:
    """Return shapes over named lengths, and what these are at given shapes."""
    problem = Problem.of(text, "value")
    square = square_names({name: (word,) for name, word in assumed.items()})
    found = solve_lengths(problem.program, ranks_of(shapes), {}, {}, square)
    return found.shapes, found.values(shapes, {})


a, b, c = (length(name) for name in "nmk")


def test_lengths_have_names_in_order() -> None:
    shapes, values = solved("A @ x", {"A": (3, 4), "x": (4,)})
    assert shapes == {"A": (a, b), "x": (b,)}
    assert values == {"n": 3, "m": 4}


def test_lengths_are_equal_only_where_they_must_be() -> None:
    shapes, values = solved("sum(A @ B)", {"A": (3, 3), "B": (3, 3)})
    assert shapes == {"A": (a, b), "B": (b, c)}
    assert values == {"n": 3, "m": 3, "k": 3}


def test_an_axis_of_one_stays() -> None:
    shapes, _ = solved("A + x", {"A": (5, 1), "x": (4,)})
    assert shapes == {"A": (a, 1), "x": (b,)}


def test_an_assumption_makes_a_matrix_square() -> None:
    shapes, _ = solved("sum(A)", {"A": (3, 3)}, A="symmetric")
    assert shapes == {"A": (a, a)}


def test_names_of_lengths_leave_those_of_the_expression_alone() -> None:
    _, values = solved("n * m @ x", {"n": (), "m": (3,), "x": (3,)})
    assert not {"n", "m", "x"} & set(values)


def test_there_are_enough_names() -> None:
    text = " @ ".join(f"A{i}" for i in range(150))
    _, values = solved(text, {f"A{i}": (2, 2) for i in range(150)})
    assert len(values) == 151


@pytest.mark.parametrize(
    ("text", "shapes", "wanted"),
    [
        ("kron(x, y) @ z", {"x": (2,), "y": (3,), "z": (6,)}, {"z": (a * b,)}),
        ("concatenate([x, y]) @ z", {"x": (2,), "y": (3,), "z": (5,)}, {"z": (a + b,)}),
        ("x[1:] - y", {"x": (4,), "y": (3,)}, {"x": (a,), "y": (a - 1,)}),
        ("x[::2] @ y", {"x": (5,), "y": (3,)}, {"y": (quotient(a + 1, 2),)}),
        ("reshape(A, (3, -1)) @ x", {"A": (2, 3), "x": (2,)}, {"x": (quotient(a * b, 3, exact=True),)}),
        ("reshape(x, (2, 3))", {"x": (6,)}, {"x": (6,)}),
        ("reshape(A, (2, 3))", {"A": (3, 2)}, {"A": (a, quotient(6, a, exact=True))}),
        ("minimum(s, A) * (x / diag(A.T @ A))", {"x": (4,), "A": (2, 4), "s": ()}, {"x": (a,), "A": (b, a)}),
        ("maximum(y, A @ x) * y[::-1]", {"y": (2,), "A": (2, 4), "x": (4,)}, {"A": (a, b), "x": (b,)}),
        ("trace(A)", {"A": (3, 3)}, {"A": (a, a)}),
        ("tile(x, 2) + y", {"x": (2,), "y": (4,)}, {"y": (2 * a,)}),
        ("svdvals(A) @ s", {"A": (3, 4), "s": (3,)}, {"s": (least(a, b),)}),
    ],
)
def test_lengths_are_expressed_by_each_other(text: str, shapes: dict[str, Shape], wanted: dict[str, Shape]) -> None:
    found, _ = solved(text, shapes)
    assert {name: found[name] for name in wanted} == wanted


def test_shapes_that_contradict_the_expression_are_refused() -> None:
    with pytest.raises(ShapeError):
        solved("A @ x", {"A": (3, 4), "x": (5,)})


def test_five_hundred_names_are_solved_in_proportion() -> None:
    def calls(number: int) -> int:
        text = " + ".join(f"x{place}" for place in range(number))
        shapes = {f"x{place}": (3,) for place in range(number)}
        return calls_of(lambda: solved(text, shapes))

    calls(50)
    assert calls(500) < 5.5 * calls(100)


def test_lengths_that_never_fit_are_not_tried_again_and_again() -> None:
    value = matgrad.value("reshape(ones((3, 9)), (-1, x.size*x.size))")(x=[1.0, 2.0, 4.0])
    assert value.shape == (3, 9)


PARTS = ["A", "A.T", "A[:, 1:]", "A[1:]", "x", "x[1:]", "n*x", "reshape(A, (3, n))", "vstack([A, x])", "outer(x, x)"]


def refusal(text: str, shapes: Mapping[str, Shape]) -> str:
    """Return all that an error says of a text, nothing where there is none."""
    try:
        matgrad.value(text, shapes=shapes).formula  # noqa: B018
    except ExpressionError as error:
        return "\n".join([str(error), *(label.text for label in error.labels)])
    return ""


@pytest.mark.parametrize("shapes", [{}, {"A": (3, 4)}])
@pytest.mark.parametrize("left", PARTS)
def test_misfits_speak_of_lengths_that_a_user_knows(left: str, shapes: Mapping[str, Shape]) -> None:
    said = [refusal(f"({left}) {sign} ({right}) + A[0]*x", shapes) for right in PARTS for sign in "@+"]
    assert any(said)
    for text in said:
        assert not re.search(r"\b[A-Za-z]\w*\.\d", text)
        explained = set(re.findall(r"`(\w)` is `\w+\.shape\[\d\]`", text))
        assert explained <= set(re.findall(r"\b\w\b", re.sub(r"`\w` is `\w+\.shape", "", text)))


def test_a_length_that_is_known_is_said_as_a_number() -> None:
    with pytest.raises(ShapeError, match="4 columns against 3 entries"):
        matgrad.value("A @ x[1:] + x", shapes={"A": (3, 4), "x": (4,)}).formula  # noqa: B018
    with pytest.raises(ShapeError, match="3 columns against 2 entries"):
        matgrad.value("A[:, 1:] @ x[1:] + x", shapes={"A": (3, 4)}).formula  # noqa: B018
    with pytest.raises(ShapeError, match="n - 1 against n") as caught:
        matgrad.value("x[1:] - x").formula  # noqa: B018
    assert caught.value.notes == ("`n` is `x.shape[0]`",)
