"""Whole programs: sums, maps, applied operators, masks, sharing, constants and ownership."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matgrad.core.evaluation.program import OperationFailed, compile_program
from matgrad.core.graph.algebra import add, broadcast, full, identity, number, permute, product, scale, zero
from matgrad.core.graph.nodes import (
    Apply,
    Constant,
    Delta,
    Map,
    Node,
    Product,
    Reshape,
    Select,
    Structural,
    Sum,
    Symbol,
    Triangle,
)
from matgrad.core.graph.operator import Operator

pytestmark = pytest.mark.usefixtures("large_arrays")

A = Symbol.of("A", (3, 3))
B = Symbol.of("B", (3, 3))
x = Symbol.of("x", (3,))
y = Symbol.of("y", (3,))
s = Symbol.of("s", ())
generator = np.random.default_rng(7)
VALUES = {
    "A": generator.normal(size=(3, 3)),
    "B": generator.normal(size=(3, 3)),
    "x": generator.normal(size=3),
    "y": generator.uniform(1, 2, size=3),
    "s": np.asarray(1.5),
}

exp = Operator("exp", "x", "Exponential.", evaluate=np.exp, analytic=True)
power = Operator("power", "x, y", "Power.", evaluate=np.power, analytic=True)
positive = Operator("greater", "x, y", "Greater.", evaluate=np.greater, mask=True)
inverse = Operator("inv", "X", "Inverse.", signature="(n,n)->(n,n)", evaluate=np.linalg.inv)
same = Operator("same", "x", "The operand itself.", evaluate=lambda operand: operand)


def run(*roots: Node, **changes: object) -> list[np.ndarray]:
    values = {**VALUES, **{name: np.asarray(value) for name, value in changes.items()}}
    return compile_program(roots).run(values)


def times(*factors: Node) -> Node:
    labels = tuple(range(factors[0].rank))
    return product(1, [(factor, labels) for factor in factors], labels)


def dense(node: Node, values: dict[str, np.ndarray]) -> np.ndarray:
    """Evaluate independently: einsum for products, one term after another for sums."""
    match node:
        case Symbol():
            return values[node.name]
        case Constant():
            return node.value
        case Structural():
            return node.dense()
        case Sum():
            return sum((float(c) * dense(term, values) for c, term in node.terms), np.zeros(node.shape))
        case Map():
            return np.asarray(node.operator.evaluate(*(dense(child, values) for child in node.children)), dtype=float)
        case Product():
            arguments: list[object] = []
            for operand, labels in node.factors:
                arguments += [dense(operand, values), list(labels)]
            if not arguments:
                return np.asarray(float(node.coefficient))
            return float(node.coefficient) * np.einsum(*arguments, list(range(node.rank)))
        case _:
            raise TypeError(node)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Node, ...]:
    """Graphs over matrices and vectors of size 3 with shared parts, built from the bottom up."""
    pool: list[Node] = [A, B, x, y, Delta.of(3, 2), Delta.of(3, 1), Constant.of(np.arange(3.0))]
    pool.append(Select.of((1, 0, 1), 3))
    for _ in range(draw(st.integers(1, 7))):
        first = draw(st.sampled_from(pool))
        alike = [node for node in pool if node.shape == first.shape]
        kind = draw(st.sampled_from(["sum", "sum", "product", "outer", "exp", "matmul", "transpose", "diagonal"]))
        if kind == "sum":
            coefficients = st.sampled_from([1, 1, -1, 2, -0.5])
            terms = draw(st.lists(st.tuples(coefficients, st.sampled_from(alike)), min_size=1, max_size=4))
            pool.append(add([*terms, (1, first)], first.shape))
        elif kind == "product":
            pool.append(times(first, draw(st.sampled_from(alike))))
        elif kind == "exp":
            pool.append(Map.of(exp, (scale(0.1, first),)))
        elif kind == "outer" and first.rank == 1:
            coefficient, second = draw(st.sampled_from([1, -3])), draw(st.sampled_from(alike))
            pool.append(product(coefficient, [(first, (1,)), (second, (0,))], (0, 1)))
        elif kind == "diagonal" and first.rank == 1:
            pool.append(product(2, [(first, (0,)), (Delta.of(3, 2), (0, 1))], (0, 1)))
        elif kind == "matmul" and first.rank == 2:
            pool.append(product(1, [(first, (0, 2)), (draw(st.sampled_from(alike)), (2, 1))], (0, 1)))
        elif first.rank == 2:
            pool.append(permute(first, (1, 0)))
    return tuple(pool[-3:])


@settings(max_examples=200, deadline=None)
@given(graphs(), st.booleans())
def test_graphs_against_a_plain_evaluation(roots: tuple[Node, ...], overwrite: bool) -> None:
    with patch("matgrad.core.evaluation.contract.LARGE", 2 if overwrite else 4096):
        program = compile_program(roots)
    kept = {name: value.copy() for name, value in VALUES.items()}
    first = program.run(VALUES)
    for root, result in zip(roots, first, strict=True):
        assert_allclose(result, dense(root, VALUES), rtol=1e-10, atol=1e-10)
        assert result.shape == root.shape
        result += 1e9
    for root, result in zip(roots, program.run(VALUES), strict=True):
        assert_allclose(result, dense(root, VALUES), rtol=1e-10, atol=1e-10)
    for name, value in kept.items():
        assert_array_equal(VALUES[name], value)
    for node, value in program.run_traced(VALUES):
        assert_allclose(value, dense(node, VALUES), rtol=1e-10, atol=1e-10)


EVERY_KIND: Sequence[Node] = [
    A,
    s,
    Constant.of(np.ones((2, 2))),
    Delta.of(4, 1),
    Delta.of(3, 3),
    zero((2, 3)),
    zero(()),
    number(2.5),
    full(3, (2, 2)),
    identity((2, 2)),
    permute(A, (1, 0)),
    broadcast(x, (4, 3)),
    Map.of(same, (x,)),
    Map.of(positive, (x, y)),
    Select.of((2, 0, 2), 3),
    Select.of(range(0, 3, 2), 4),
    Reshape.of((2, 3)),
    add([(1, A), (1, identity((3,)))], (3, 3)),
    zero((0, 3)),
    Delta.of(0, 2),
]


@pytest.mark.parametrize("root", EVERY_KIND, ids=lambda root: f"{type(root).__name__}{root.shape}")
def test_results_belong_to_the_caller(root: Node) -> None:
    program = compile_program([root, root])
    values = {name: value.copy() for name, value in VALUES.items()}
    first, second = program.run(values)
    for result in (first, second):
        assert type(result) is np.ndarray
        assert result.dtype == np.float64
        assert result.shape == root.shape
        assert_allclose(result, dense(root, VALUES))
    first += 1.0
    second -= 1.0
    assert_allclose(program.run(values)[0], dense(root, VALUES))
    for name, value in VALUES.items():
        assert_array_equal(values[name], value)


def test_inputs_in_any_memory_order() -> None:
    root = add([(1, product(1, [(A, (0, 2)), (B, (2, 1))], (0, 1))), (2, permute(A, (1, 0)))], (3, 3))
    (expected,) = run(root)
    for turn in (np.asfortranarray, lambda array: np.repeat(array, 2, axis=1)[:, ::2]):
        (result,) = run(root, A=turn(VALUES["A"]), B=turn(VALUES["B"]))
        assert_allclose(result, expected)


def test_sum_with_its_transpose_is_one_step() -> None:
    program = compile_program([add([(1, A), (1, permute(A, (1, 0)))], (3, 3))])
    assert program.cost == 9
    assert program.largest == 9


def test_shared_nodes_are_computed_once() -> None:
    calls = []

    def counting(array: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.exp(array)

    counted = Map.of(Operator("counted", "x", "Counted.", evaluate=counting), (x,))
    program = compile_program([counted, add([(1, counted), (1, y)], (3,)), times(counted, y)])
    program.run(VALUES)
    assert len(calls) == 1


def test_constants_are_folded() -> None:
    calls = []

    def counting(array: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.exp(array)

    counted = Map.of(Operator("counted constant", "x", "Counted.", evaluate=counting), (Constant.of(np.ones(3)),))
    program = compile_program([times(counted, x)])
    assert not calls
    for _ in range(3):
        assert_allclose(program.run(VALUES)[0], np.e * VALUES["x"])
    assert len(calls) == 1


def test_folded_constants_are_never_overwritten() -> None:
    constant = product(1, [(Constant.of(np.ones((3, 3))), (0, 2)), (Constant.of(np.ones((3, 3))), (2, 1))], (0, 1))
    diagonal = product(1, [(x, (0,)), (Delta.of(3, 2), (0, 1))], (0, 1))
    program = compile_program([add([(1, constant), (1, A), (2, diagonal), (1, identity((3,)))], (3, 3))])
    for _ in range(3):
        assert_allclose(program.run(VALUES)[0], 3 + VALUES["A"] + 2 * np.diag(VALUES["x"]) + np.eye(3))


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0.5, 2, 3, 4, 1.7])
def test_powers(exponent: float) -> None:
    node = Map.of(power, (y, full(exponent, (3,))))
    assert_allclose(run(node)[0], VALUES["y"] ** exponent)
    assert_allclose(run(times(x, node))[0], VALUES["x"] * VALUES["y"] ** exponent)
    assert_allclose(run(node, y=VALUES["y"] + 1j)[0], (VALUES["y"] + 1j) ** exponent)


def test_an_inverse_power_becomes_a_division() -> None:
    quotient = times(x, Map.of(power, (y, full(-1, (3,)))))
    assert_array_equal(run(quotient)[0], VALUES["x"] / VALUES["y"])
    assert compile_program([quotient]).cost == 3


def test_a_zero_of_a_mask_wins_over_everything() -> None:
    mask = Map.of(positive, (x, zero((3,))))
    root = Map.of(power, (x, full(-0.5, (3,))))
    matrix = product(1, [(mask, (0,)), (root, (0,)), (A, (0, 1))], (0, 1))
    summed = product(1, [(mask, (0,)), (root, (0,))], ())
    outer = product(1, [(Map.of(positive, (A, zero((3, 3)))), (0, 1)), (root, (0,))], (0, 1))
    both = times(mask, mask, root)
    point = np.array([0.0, -1.0, 4.0])
    results = run(matrix, summed, outer, both, x=point, A=np.array([[-1.0] * 3, [0.0] * 3, [1.0, -1.0, 1.0]]))
    assert_array_equal(results[0], [[0, 0, 0], [0, 0, 0], [0.5, -0.5, 0.5]])
    assert_array_equal(results[1], 0.5)
    assert_array_equal(results[2], [[0, 0, 0], [0, 0, 0], [0.5, 0, 0.5]])
    assert_array_equal(results[3], [0, 0, 0.5])


def test_masks_are_numbers_elsewhere() -> None:
    mask = Map.of(positive, (x, zero((3,))))
    expected = np.greater(VALUES["x"], 0).astype(float)
    total = product(3, [(mask, (0,))], ())
    results = run(mask, add([(1, mask), (-1, x)], (3,)), total, Map.of(exp, (mask,)), times(mask, mask))
    for result, value in zip(
        results, [expected, expected - VALUES["x"], 3 * expected.sum(), np.exp(expected), expected], strict=True
    ):
        assert result.dtype == np.float64
        assert_allclose(result, value)


def test_several_outputs_are_computed_together() -> None:
    calls = []

    def counting(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(1)
        return np.linalg.eigh(array)

    operator = Operator("eigh", "X", "Eigenvalues.", signature="(n,n)->(n),(n,n)", evaluate=counting)
    symmetric = add([(1, A), (1, permute(A, (1, 0)))], (3, 3))
    w = Apply.of(operator, (symmetric,), (3,), output=0)
    V = Apply.of(operator, (symmetric,), (3, 3), output=1)
    whole = product(1, [(V, (0, 2)), (w, (2,)), (V, (1, 2))], (0, 1))
    assert_allclose(run(whole)[0], VALUES["A"] + VALUES["A"].T)
    assert len(calls) == 1


def test_parameters_and_batches_reach_the_operator() -> None:
    def shifted(array: np.ndarray, shift: float) -> np.ndarray:
        return np.linalg.inv(array + shift * np.eye(array.shape[-1]))

    operator = Operator("shifted", "X; shift=0", "Inverse.", signature="(n,n)->(n,n)", evaluate=shifted)
    many = Symbol.of("many", (4, 3, 3))
    value = generator.normal(size=(4, 3, 3))
    (result,) = run(Apply.of(operator, (many,), (4, 3, 3), (("shift", 9.0),), batch=1), many=value)
    assert_allclose(result, np.linalg.inv(value + 9 * np.eye(3)))


def test_a_refused_operand_names_the_operation() -> None:
    node = Apply.of(inverse, (A,), (3, 3))
    with pytest.raises(OperationFailed) as failure:
        run(product(1, [(node, (0, 1)), (x, (1,))], (0,)), A=np.zeros((3, 3)))
    assert failure.value.node is node
    assert isinstance(failure.value.original, np.linalg.LinAlgError)


def test_the_trace_finds_the_first_value_that_is_not_finite() -> None:
    inner = Map.of(exp, (scale(1000, y),))
    root = add([(1, times(inner, x)), (1, x)], (3,))
    program = compile_program([root])
    assert not np.isfinite(program.run(VALUES)[0]).all()
    first = next(node for node, value in program.run_traced(VALUES) if not np.isfinite(value).all())
    assert first is inner


def test_complex_step() -> None:
    diagonal = product(1, [(Map.of(exp, (x,)), (0,)), (Delta.of(3, 2), (0, 1))], (0, 1))
    root = add([(1, diagonal), (1, A), (-2, identity((3,)))], (3, 3))
    gathered = product(1, [(x, (1,)), (Select.of((2, 2, 0), 3), (1, 0))], (0,))
    step = 1e-30
    first, second = run(root, gathered, x=VALUES["x"] + 1j * step)
    assert_allclose(first.imag / step, np.diag(np.exp(VALUES["x"])))
    assert_allclose(second.imag / step, np.bincount([2, 2, 0], minlength=3, weights=np.ones(3)))


def test_deep_graphs() -> None:
    node: Node = x
    for _ in range(3000):
        node = Map.of(exp, (scale(-1, node),))
    (result,) = run(node)
    assert_allclose(result, 0.5671432904097838)


def test_a_deep_sum_of_structured_terms_stays_within_the_output() -> None:
    size = 40
    u = Symbol.of("u", (size,))
    diagonal = product(1, [(Map.of(exp, (u,)), (0,)), (Delta.of(size, 2), (0, 1))], (0, 1))
    outer = product(-1, [(u, (0,)), (u, (1,))], (0, 1))
    program = compile_program([add([(1, diagonal), (1, outer)], (size, size))])
    assert program.largest == size**2
    assert program.cost < 3 * size**2
    value = generator.normal(size=size)
    assert_allclose(program.run({"u": value})[0], np.diag(np.exp(value)) - np.outer(value, value))


def test_large_results_reuse_memory() -> None:
    size = 100
    u = Symbol.of("u", (size, size))
    terms = [(c, Map.of(exp, (scale(k, u),))) for k, c in ((2, 1), (3, -1), (4, 2), (5, -0.5))]
    program = compile_program([add(terms, (size, size))])
    value = generator.normal(size=(size, size))
    expected = np.exp(2 * value) - np.exp(3 * value) + 2 * np.exp(4 * value) - 0.5 * np.exp(5 * value)
    for _ in range(2):
        assert_allclose(program.run({"u": value})[0], expected)


def test_axes_of_length_zero() -> None:
    left, right, empty = Symbol.of("left", (2, 0)), Symbol.of("right", (0, 3)), Symbol.of("empty", (0,))
    values = {"left": np.zeros((2, 0)), "right": np.zeros((0, 3)), "empty": np.zeros(0)}
    matrix = product(2, [(left, (0, 2)), (right, (2, 1))], (0, 1))
    total = product(1, [(empty, (0,))], ())
    square = product(1, [(empty, (0,)), (empty, (0,))], ())
    running = product(1, [(Triangle.of(0, 0), (0, 1)), (empty, (1,))], (0,))
    diagonal = product(1, [(empty, (0,)), (Delta.of(0, 2), (0, 1))], (0, 1))
    results = compile_program([matrix, total, square, running, diagonal]).run(values)
    for result, shape in zip(results, [(2, 3), (), (), (0,), (0, 0)], strict=True):
        assert_array_equal(result, np.zeros(shape))


def test_warnings_stay_silent() -> None:
    assert np.isnan(run(times(Map.of(power, (x, full(0.5, (3,)))), x), x=np.array([-1.0, -2.0, -3.0]))[0]).all()


@pytest.mark.parametrize("signature", ["", "(n)->(n)"])
def test_what_numpy_refuses_unforeseen_names_the_step(signature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For users it is an error at its place. In the tests it is raised as it is, for then it is to be mended."""

    def refuse(*_: object) -> None:
        raise ValueError("the wrong shape")

    operator = Operator("refusing", "x", "Refuses.", signature=signature, evaluate=refuse)
    node = Apply.of(operator, (x,), x.shape) if signature else Map.of(operator, (x,))
    compiled = compile_program([add([(1, node), (1, y)], (3,))])
    values = {"x": np.arange(3.0), "y": np.arange(3.0)}
    if not signature:
        with pytest.raises(ValueError, match="the wrong shape"):
            compiled.run(values)
    monkeypatch.delenv("MATGRAD_RAISE")
    with pytest.raises(OperationFailed, match="the wrong shape") as caught:
        compiled.run(values)
    assert caught.value.node is node
