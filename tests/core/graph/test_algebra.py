"""The normal form: Deltas become renamings, equal products the same node, and structure survives sums."""

from __future__ import annotations

import numpy as np
import pytest
from counting import calls_of

import matgrad
from matgrad.core.differentiation.differentiate import derivative, pullback
from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.program import Program, compile_program
from matgrad.core.graph.algebra import add, identity, is_zero, permute, product, scale, zero
from matgrad.core.graph.nodes import Constant, Delta, Node, Product, Select, Sum, Symbol, topological
from matgrad.core.graph.transform import flatten

A = Symbol.of("A", (3, 3))
B = Symbol.of("B", (3, 3))
S = Symbol.of("S", (3, 3), {"symmetric"})
D = Symbol.of("D", (3, 3), {"diagonal"})
X = Symbol.of("X", (3, 4))
x = Symbol.of("x", (3,))
y = Symbol.of("y", (4,))
z = Symbol.of("z", (3,))
s = Symbol.of("s", ())
NAMES = {node.name: node for node in (A, B, S, D, X, x, y, z, s)}


def graph(text: str) -> Node:
    result = elaborate_text(text, NAMES)
    assert isinstance(result, Node)
    return result


def flat(text: str) -> Node:
    """Return the graph as it is compiled: without parentheses in products."""
    (result,) = flatten([graph(text)])
    return result


def deltas(node: Node) -> list[Delta]:
    return [operand for operand in node.children if isinstance(operand, Delta)]


# --- Deltas ----------------------------------------------------------------------------------------------------------


def test_a_delta_over_summed_labels_alone_is_its_size() -> None:
    assert product(1, [(Delta.of(5, 2), (7, 7))], ()) is product(5, [], ())
    assert product(1, [(Delta.of(5, 2), (7, 8)), (Delta.of(5, 2), (8, 7))], ()) is product(5, [], ())
    assert product(2, [(Delta.of(5, 1), (7,)), (Delta.of(3, 1), (8,))], ()) is product(30, [], ())


def test_a_delta_on_a_carried_label_renames_it() -> None:
    assert product(1, [(Delta.of(3, 2), (0, 9)), (x, (9,))], (0,)) is x
    assert product(1, [(x, (9,)), (Delta.of(3, 3), (0, 9, 8)), (z, (8,))], (0,)) is graph("x * z")
    assert product(1, [(Delta.of(3, 1), (0,)), (x, (0,))], (0,)) is x


def test_a_delta_that_alone_carries_an_output_leaves_ones() -> None:
    assert product(1, [(Delta.of(3, 2), (0, 9))], (0,)) is Delta.of(3, 1)
    repeated = product(1, [(Delta.of(3, 1), (0,)), (y, (1,))], (0, 1))
    assert [operand.rank for operand in deltas(repeated)] == [1]


def test_a_delta_over_several_outputs_stays() -> None:
    assert product(1, [(Delta.of(3, 2), (0, 1))], (0, 1)) is Delta.of(3, 2)
    assert product(1, [(Delta.of(3, 2), (0, 9)), (Delta.of(3, 2), (9, 1))], (0, 1)) is Delta.of(3, 2)
    diagonal = graph("diag(x)")
    assert [operand.rank for operand in deltas(diagonal)] == [2]


def test_whichever_output_carries_the_operand_a_diagonal_is_the_same_node() -> None:
    first = product(1, [(x, (0,)), (Delta.of(3, 2), (0, 1))], (0, 1))
    second = product(1, [(x, (1,)), (Delta.of(3, 2), (1, 0))], (0, 1))
    assert first is second
    assert graph("diag(x).T") is graph("diag(x)")


def test_the_identity_has_one_delta_per_axis() -> None:
    eye = identity((3, 4))
    assert eye.shape == (3, 4, 3, 4)
    assert sorted(operand.size for operand in deltas(eye)) == [3, 4]
    assert identity(()) is product(1, [], ())


def test_multiplying_by_the_identity_does_nothing() -> None:
    for text in ("eye(3) @ A", "A @ eye(3)", "A.T.T", "A * 1", "A / 1", "A**1", "A + 0", "-(-A)", "A - 0 * B"):
        assert graph(text) is A, text


# --- equal products --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A * B", "B * A"),
        ("x @ A @ z", "z @ A.T @ x"),
        ("trace(A @ B)", "trace(B @ A)"),
        ("trace(A @ B)", "sum(A * B.T)"),
        ("trace(A @ B @ A @ A)", "trace(A @ A @ B @ A)"),
        ("trace(A @ A @ B)", "trace(A.T @ B.T @ A.T)"),
        ("sum(A @ x)", "ones(3) @ A @ x"),
        ("outer(x, z).T", "outer(z, x)"),
        ("x[:, None] * z", "outer(x, z)"),
        ("(A @ B).T", "B.T @ A.T"),
        ("(A @ B) @ x", "A @ (B @ x)"),
        ("einsum('ij,j', A, x)", "A @ x"),
        ("diag(x) @ A", "x[:, None] * A"),
        ("diag(x) @ diag(z)", "diag(x * z)"),
        ("diag(diag(A))", "A * eye(3)"),
        ("2 * (3 * x)", "6 * x"),
        ("x + z", "z + x"),
        ("x + x", "2 * x"),
        ("(A + B) - B", "A"),
        ("x * x", "x**2"),
        ("reshape(reshape(X, (2, 6)), (3, 4))", "X"),
        ("reshape(X, (12,)).reshape(3, 4)", "X"),
        ("kron(eye(3), eye(4))", "eye(12)"),
        ("0 * A @ x", "zeros(3)"),
    ],
)
def test_equal_expressions_are_the_same_node(first: str, second: str) -> None:
    assert flat(first) is flat(second)


def test_the_order_of_operands_and_the_names_of_labels_do_not_matter() -> None:
    generator = np.random.default_rng(0)
    factors = [(A, (5, 6)), (A, (6, 7)), (B, (7, 5)), (x, (6,)), (x, (0,))]
    wanted = product(1, factors, (0,))
    for _ in range(30):
        names = dict(zip(range(8), [0, *(100 + generator.permutation(7))], strict=True))
        shuffled = [factors[place] for place in generator.permutation(len(factors))]
        again = product(1, [(node, tuple(int(names[label]) for label in own)) for node, own in shuffled], (0,))
        assert again is wanted


def test_different_products_are_different_nodes() -> None:
    assert graph("A @ x") is not graph("A.T @ x")
    assert graph("A + A.T") is not graph("2 * A")
    assert graph("trace(A @ A.T)") is not graph("trace(A @ A)")
    assert graph("trace(A @ B @ A.T @ B)") is not graph("trace(A @ B @ A @ B)")


# --- assumptions -----------------------------------------------------------------------------------------------------


def test_a_symmetric_matrix_is_its_transpose() -> None:
    assert graph("S.T") is S
    assert graph("S + S.T") is graph("2 * S")
    assert graph("x @ S") is graph("S @ x")
    assert flat("trace(A @ S)") is flat("trace(A.T @ S)")
    (gradient,) = flatten([derivative(graph("x @ S @ x"), x)])
    assert gradient is flat("2 * S @ x")


def test_a_diagonal_matrix_is_a_product_with_its_diagonal() -> None:
    assert graph("D.T + 0 * A") is graph("1 * D")
    assert graph("D @ x") is graph("diag(D) * x")
    assert any(isinstance(operand, Delta) for operand in derivative(graph("D @ x"), x).children)


# --- sums ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("diag(x) + diag(z)", "diag(x + z)"),
        ("diag(x) + diag(x).T", "2 * diag(x)"),
        ("diag(x) - diag(x).T", "zeros((3, 3))"),
        ("A * eye(3) + (A * eye(3)).T", "2 * diag(diag(A))"),
        ("eye(3) + eye(3)", "2 * eye(3)"),
        ("diag(x) + diag(z) - diag(x)", "diag(z)"),
    ],
)
def test_terms_with_the_same_structure_are_added_under_it(text: str, wanted: str) -> None:
    assert graph(text) is graph(wanted)


def test_a_sum_keeps_dense_terms_beside_structure() -> None:
    total = graph("A + diag(x) + eye(3) + B")
    assert isinstance(total, Sum)
    assert sum(1 for term in total.children if deltas(term)) == 1


def test_zero_vanishes() -> None:
    assert is_zero(graph("A - A"))
    assert is_zero(graph("0 * A"))
    assert is_zero(product(3, [(A, (0, 1)), (zero((3, 4)), (1, 2))], (0, 2)))
    assert product(3, [(A, (0, 1)), (zero((3, 4)), (1, 2))], (0, 2)).shape == (3, 4)
    assert add([], (3,)) is zero((3,))
    assert scale(0, A) is zero((3, 3))
    assert graph("A @ x + zeros(3)") is graph("A @ x")
    assert is_zero(derivative(graph("A @ x"), z))


def test_a_constant_is_interned_by_its_values() -> None:
    assert Constant.of(np.array([1.0, 2.0])) is Constant.of(np.array([1.0, 2.0]))
    assert Constant.of(np.array([1.0, 2.0])) is not Constant.of(np.array([[1.0, 2.0]]))


# --- structure whose one side is free --------------------------------------------------------------------------------

SHAPES = {"A": (3, 3), "X": (3, 2), "Z": (2, 4), "s": (), "t": (), "v": (2,), "x": (3,), "w": (4,)}


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        ("(A + t)[1]", "t"),
        ("(t * A + s)[0]", "s"),
        ("A * (A + t)[1]", "t"),
        ("(A + x)[[0, 2]]", "x"),
        ("((Z @ Z.T) + v)[::-1]", "v"),
        ("(v[:, None] + v)[:, -1]", "v"),
        ("repeat(v - mean(v), 2)", "v"),
        ("reshape(X + s, (6,))", "s"),
        ("reshape(reshape(X + s, (6,)), (2, 3))[1]", "s"),
        ("vec(A + v[0])", "v"),
        ("norm(s + X @ Z, 'fro')", "s"),
        ("concatenate([X + s, X])[2:4]", "s"),
        ("tril(A + t)[1:]", "t"),
        ("cumsum(A + t, axis=0)[1:]", "t"),
        ("sum((A + t)[1:, ::2])", "t"),
        ("kron(v + s, v)", "s"),
        ("roll(w + t, 1)", "t"),
        ("diag(x + t)[1]", "t"),
    ],
)
def test_selections_of_what_repeats_count_each_entry_once(text: str, wrt: str) -> None:
    """A selected or reshaped axis over which nothing varies sums to ones, not to its size."""
    generator = np.random.default_rng(0)
    forward = matgrad.jvp(text, wrt=wrt)
    names = forward.problem.names
    values = {name: generator.standard_normal(SHAPES[name]) for name in names}
    direction = generator.standard_normal(SHAPES[wrt])
    value = matgrad.value(text)
    step = 1e-5
    ahead = value(**{**values, wrt: values[wrt] + step * direction})
    behind = value(**{**values, wrt: values[wrt] - step * direction})
    wanted = (ahead - behind) / (2 * step)
    jacobian = matgrad.jacobian(text, wrt=wrt)(**values)
    np.testing.assert_allclose(np.tensordot(jacobian, direction, direction.ndim), wanted, atol=1e-8)
    np.testing.assert_allclose(forward(**values, tangent=direction), wanted, atol=1e-8)


def test_equal_selections_meet() -> None:
    chosen = Select.of([0, 2], 3)
    whole = product(1, [(chosen, (0, 8)), (chosen, (0, 9)), (x, (8,)), (z, (9,))], (0,))
    assert whole is flat("(x * z)[[0, 2]]")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x[::-1][::-1]", "x"),
        ("X[1:][0]", "X[1]"),
        ("X[::-1][:, 1:][1]", "X[1, 1:]"),
        ("X.T[[2, 0]][1:]", "X[:, [0]].T"),
        ("reshape(reshape(X, (2, 6)), (3, 4))", "X"),
        ("reshape(reshape(X, (2, 6)).T, (12,))", "vec(reshape(X, (2, 6)))"),
        ("reshape(X, (12,))[4:8]", "X[1]"),
        ("concatenate([x, y])[3:]", "y"),
        ("concatenate([x, y])[1:5]", "concatenate([x[1:], y[:2]])"),
        ("flip(roll(x, 1))", "roll(flip(x), -1)"),
        ("tril(A) + triu(A, 1)", "A"),
        ("cumsum(x)[-1]", "sum(x)"),
        ("kron(A, B)[:3, :3]", "A[0, 0] * B"),
    ],
)
def test_selections_and_reshapes_compose(text: str, wanted: str) -> None:
    generator = np.random.default_rng(0)
    values = {name: generator.standard_normal(node.shape) for name, node in NAMES.items()}
    first, second = compile_program([graph(text), graph(wanted)]).run(values)
    np.testing.assert_allclose(first, second, rtol=1e-13)


def test_permuting_back_returns_the_node() -> None:
    cube = Symbol.of("T", (2, 3, 4))
    assert permute(permute(cube, (2, 0, 1)), (1, 2, 0)) is cube


# --- growth ----------------------------------------------------------------------------------------------------------


def residual_chain(depth: int, size: int = 3) -> tuple[Node, Symbol]:
    start = Symbol.of("h", (size,))
    state: Node = start
    for layer in range(depth):
        weight = Symbol.of(f"W{layer}", (size, size))
        state = elaborate_text("h + W @ tanh(h)", {"h": state, "W": weight})
    return state, start


def nodes_of_derivatives(depth: int) -> int:
    output, start = residual_chain(depth)
    gradient = derivative(elaborate_text("sum(h**2)", {"h": output}), start)
    return len(topological([gradient, derivative(output, start)]))


def test_a_residual_network_grows_in_proportion_to_its_depth() -> None:
    ten, twenty, thirty = (nodes_of_derivatives(depth) for depth in (10, 20, 30))
    assert thirty - twenty == pytest.approx(twenty - ten, rel=0.2)
    assert thirty < 4 * ten


def linear_chain(depth: int) -> tuple[Node, Symbol]:
    start = Symbol.of("h", (3,))
    state: Node = start
    for layer in range(depth):
        weight = Symbol.of(f"W{layer}", (3, 3))
        state = elaborate_text("(eye(3) + W) @ h", {"h": state, "W": weight})
    return state, start


def test_a_linear_residual_chain_does_not_multiply_its_terms() -> None:
    sizes = []
    for depth in (10, 20, 30):
        output, start = linear_chain(depth)
        sizes.append(len(topological([output, derivative(output, start)])))
    assert sizes[2] < 4 * sizes[0]


def test_the_jacobian_of_a_linear_residual_chain_is_right() -> None:
    output, start = linear_chain(6)
    generator = np.random.default_rng(0)
    values = {f"W{layer}": generator.standard_normal((3, 3)) for layer in range(6)}
    wanted = np.eye(3)
    for layer in range(6):
        wanted = (np.eye(3) + values[f"W{layer}"]) @ wanted
    (got,) = compile_program([derivative(output, start)]).run({**values, "h": np.ones(3)})
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_a_thousand_layers_neither_recurse_nor_take_long() -> None:
    programs: list[Program] = []

    def compiled() -> None:
        output, start = residual_chain(1000)
        programs.append(compile_program([pullback(output, Delta.of(3, 1), start)]))

    assert calls_of(compiled) < 6_500_000
    (program,) = programs
    values = {f"W{layer}": np.full((3, 3), 1e-3) for layer in range(1000)}
    (result,) = program.run({**values, "h": np.array([0.1, 0.2, 0.3])})
    assert result.shape == (3,)
    assert np.isfinite(result).all()


def test_a_sum_of_many_terms_is_flat_and_fast() -> None:
    names = [f"a{place}" for place in range(300)]
    text, inputs = " + ".join(names), {name: Symbol.of(name, (3,)) for name in names}
    assert calls_of(lambda: elaborate_text(text, inputs)) < 280_000
    total = elaborate_text(text, inputs)
    assert isinstance(total, Sum)
    assert {node.name for node in topological([total]) if isinstance(node, Symbol)} == set(names)


def test_a_shared_contraction_is_computed_once() -> None:
    total = graph("(A @ B) @ x + (A @ B) @ z")
    assert len([node for node in topological([total]) if isinstance(node, Product)]) <= 4
