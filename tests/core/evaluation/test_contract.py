"""Products of every pattern against einsum over dense operands."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matgrad
from matgrad.core.evaluation.order import contraction_order
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.algebra import product
from matgrad.core.graph.nodes import Delta, Node, Product, Reshape, Select, Structural, Symbol, Triangle

pytestmark = pytest.mark.usefixtures("large_arrays")

names = count()


def value_of(symbol: Symbol) -> np.ndarray:
    return np.random.default_rng(len(symbol.name) + symbol.digest % 1000).normal(size=symbol.shape)


def dense_of(node: Node) -> np.ndarray:
    if isinstance(node, Symbol):
        return value_of(node)
    if isinstance(node, Structural):
        return node.dense()
    assert isinstance(node, Product)
    arguments: list[object] = []
    for operand, labels in node.factors:
        arguments += [dense_of(operand), list(labels)]
    if not arguments:
        return np.asarray(float(node.coefficient))
    return float(node.coefficient) * np.einsum(*arguments, list(range(node.rank)))


def check(node: Node, complex_values: bool = False) -> None:
    program = compile_program([node])
    symbols = {operand for operand in node.children if isinstance(operand, Symbol)}
    values = {symbol.name: value_of(symbol) for symbol in symbols}
    (result,) = program.run(values)
    expected = dense_of(node)
    assert isinstance(result, np.ndarray)
    assert result.shape == node.shape == expected.shape
    assert result.flags.writeable
    assert all(not np.shares_memory(result, value) for value in values.values())
    assert_allclose(result, expected, rtol=1e-12, atol=1e-12)
    assert program.largest >= result.size
    (again,) = program.run(values)
    result[...] = np.nan
    assert_allclose(again, expected, rtol=1e-12, atol=1e-12)
    if complex_values:
        (turned,) = program.run({name: 1j * value for name, value in values.items()})
        degree = sum(isinstance(operand, Symbol) for operand in node.children)
        assert_allclose(turned, 1j**degree * expected, rtol=1e-12, atol=1e-12)


@st.composite
def structures(draw: st.DrawFn, sizes: list[int]) -> tuple[Structural, tuple[int, ...]]:
    """Return a structural tensor over labels of the given sizes."""
    kind = draw(st.sampled_from(["select", "triangle", "reshape", "delta", "ones"]))
    labels = list(range(len(sizes)))
    if kind == "ones":
        label = draw(st.sampled_from(labels))
        return Delta.of(sizes[label], 1), (label,)
    if kind == "reshape":
        candidates = [(a, i, j) for a in labels for i in labels for j in labels if sizes[i] * sizes[j] == sizes[a]]
        if candidates:
            a, i, j = draw(st.sampled_from(candidates))
            return Reshape.of((sizes[i], sizes[j])), (a, i, j)
        kind = "triangle"
    i, j = draw(st.sampled_from(labels)), draw(st.sampled_from(labels))
    if kind == "delta":
        j = draw(st.sampled_from([label for label in labels if sizes[label] == sizes[i]]))
        return Delta.of(sizes[i], 2), (i, j)
    if kind == "select":
        rows = draw(st.lists(st.integers(0, sizes[j] - 1), min_size=sizes[i], max_size=sizes[i]))
        return Select.of(rows, sizes[j]), (i, j)
    return Triangle.of(sizes[i], sizes[j], draw(st.integers(-2, 2))), (i, j)


@st.composite
def products(draw: st.DrawFn, normal: bool) -> Node:
    sizes = draw(st.lists(st.sampled_from([1, 2, 2, 3, 4, 6]), min_size=1, max_size=5))
    labels = list(range(len(sizes)))
    factors: list[tuple[Node, tuple[int, ...]]] = []
    for _ in range(draw(st.integers(0, 4))):
        own = tuple(draw(st.lists(st.sampled_from(labels), max_size=3)))
        shape = tuple(sizes[label] for label in own)
        name = f"v{draw(st.integers(0, 1))}" + "".join(f"_{size}" for size in shape)
        factors.append((Symbol.of(name, shape), own))
    for _ in range(draw(st.integers(0, 3))):
        factors.append(draw(structures(sizes)))
    carried = sorted({label for _, own in factors for label in own})
    output = tuple(draw(st.permutations(carried)))[: draw(st.integers(0, len(carried)))]
    coefficient = draw(st.sampled_from([1, -1, 2, 0.5]))
    if normal:
        return product(coefficient, factors, output)
    order = {label: place for place, label in enumerate(dict.fromkeys([*output, *carried]))}
    return Product.of(
        coefficient,
        tuple(node for node, _ in factors),
        tuple(tuple(order[label] for label in own) for _, own in factors),
        tuple(sizes[label] for label in output),
    )


@settings(max_examples=300, deadline=None)
@given(products(normal=False))
def test_any_product_of_any_structure(node: Node) -> None:
    check(node, complex_values=True)


@settings(max_examples=150, deadline=None)
@given(products(normal=True))
def test_any_product_in_normal_form(node: Node) -> None:
    if isinstance(node, Product) and all(isinstance(item, Symbol | Structural) for item in node.children):
        check(node)


@pytest.mark.parametrize(
    "pattern",
    ["ij,jk->ik", "ij,jk->ki", "ij,kj->ik", "ij,kj,k->i", "i,i->", "i,i->i", "i,j->ji", "ij,ij->", "ij,ji->",
     "bij,bjk->bik", "bij,bj->bi", "bij,bij->b", "bi,bi->b", "bi,bj->bij", "ijk,kl,lj->i", "ki,k,kj->ij", "ik,lj->ijkl",
     "ijkl,kl->ij",
     "iij->j", "iii->i", "ii->", "ij,ik,il->jkl", "abc,cbd->ad", "abc,cbd->da", "i,i,i->i", "ij,i,j->", "bi,cb,ci->"],
)  # fmt: skip
def test_patterns_of_arrays(pattern: str) -> None:
    inputs, output = pattern.split("->")
    sizes = dict(zip("abcdijkl", (2, 3, 4, 2, 5, 5, 5, 5), strict=True))
    letters = {letter: place for place, letter in enumerate(dict.fromkeys(output + inputs.replace(",", "")))}
    factors = [
        (Symbol.of(f"x{place}", tuple(sizes[letter] for letter in own)), tuple(letters[letter] for letter in own))
        for place, own in enumerate(inputs.split(","))
    ]
    check(product(-3, factors, tuple(range(len(output)))), complex_values=True)


def test_selections_in_a_circle() -> None:
    first, second, third = Select.of((2, 0, 1), 3), Select.of((1, 1, 0), 3), Select.of((0, 2, 2), 3)
    labels = ((0, 1), (2, 1), (1, 0), (2, 0))
    check(Product.of(1, (first, second, third, Symbol.of("A", (3, 3))), labels, (3, 3)))


def test_long_chain_starts_at_the_vector() -> None:
    size = 30
    matrices = [(Symbol.of("A", (size, size)), (k, k + 1)) for k in range(2000)]
    node = product(1, [*matrices, (Symbol.of("x", (size,)), (2000,))], (0,))
    program = compile_program([node])
    assert program.cost <= 2000 * 3 * size**2
    matrix = np.eye(size)[::-1]
    vector = np.arange(float(size))
    assert_allclose(program.run({"A": matrix, "x": vector})[0], vector)


def test_order_is_cheapest_first() -> None:
    assert contraction_order([(0, 1), (1, 2), (2,)], (0,), {0: 9, 1: 9, 2: 9}) == [(1, 2), (0, 3)]
    many = [(k, k + 1) for k in range(8)]
    first, *_ = contraction_order([*many, (8,)], (0,), dict.fromkeys(range(9), 9))
    assert first == (7, 8)


def test_many_factors_on_one_label() -> None:
    node = Product.of(1, tuple(Symbol.of(f"x{k}", (3,)) for k in range(300)), ((0,),) * 300, ())
    (result,) = compile_program([node]).run({f"x{k}": np.ones(3) for k in range(300)})
    assert_allclose(result, 3.0)


def test_scaled_gram_matrix_scales_before_the_matrix_product() -> None:
    X, d = Symbol.of("X", (100, 50)), Symbol.of("d", (100,))
    program = compile_program([product(1, [(X, (2, 0)), (d, (2,)), (X, (2, 1))], (0, 1))])
    assert program.cost < 1.1 * 2 * 100 * 50 * 50
    assert program.largest == 100 * 50


def test_structured_output_is_written_from_a_small_core() -> None:
    V = Symbol.of("V", (4, 3))
    node = product(2, [(Delta.of(50, 2), (0, 2)), (V, (4, 1)), (V, (4, 3))], (0, 1, 2, 3))
    program = compile_program([node])
    assert program.largest == 50 * 3 * 50 * 3
    assert program.cost < 2 * program.largest
    value = np.random.default_rng(0).normal(size=(4, 3))
    expected = 2 * np.einsum("ik,jl->ijkl", np.eye(50), value.T @ value)
    assert_allclose(program.run({"V": value})[0], expected)


def test_largest_is_known_without_allocating() -> None:
    huge = 10**7
    program = compile_program([Delta.of(huge, 2), Triangle.of(huge, huge), Delta.of(huge, 1)])
    assert program.largest == huge**2


def test_a_matrix_product_lies_in_memory_as_what_it_meets() -> None:
    text = "h = tanh(W1 @ x); k = tanh(W2 @ h); sum(tanh(W3 @ k))"
    numbers = np.random.default_rng(0).normal
    weights = {name: numbers(size=(90, 90)) / 9 for name in ("W1", "W2", "W3")}
    x = numbers(size=(60, 90))
    derivative = matgrad.grad(text, wrt="x", batch="x")
    found, h = derivative(x=x, **weights), [x]
    for W in weights.values():
        h.append(np.tanh(h[-1] @ W.T))
    back = np.ones_like(x)
    for W, after in zip(reversed(weights.values()), h[:0:-1], strict=True):
        back = (back * (1 - after**2)) @ W
    assert_allclose(found, back, rtol=1e-10)
    (calculation,) = derivative._seen.values()
    program = calculation.derivative_program
    shapes = {draft.output: draft.shape for draft in program._drafts}
    met = [draft.inputs for draft in program._drafts if draft.kernel is np.multiply and len(set(draft.inputs)) == 2]
    pairs = [slots for slots in met if all(len(shapes.get(slot, ())) == 2 for slot in slots)]
    assert pairs
    assert all(len({slot in program._tape.turned for slot in slots}) == 1 for slots in pairs)
