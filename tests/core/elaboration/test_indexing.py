"""Indices of every form: the value is NumPy's, repeated entries add up in the derivative, the formula holds."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import matgrad
from matgrad.core.errors import ExpressionError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer


class Item(NamedTuple):
    """One item of an index: as text, as NumPy takes it, and the input that it stands for, if any."""

    text: str
    value: Any
    named: bool = False


def _text(value: Any) -> str:
    return str(np.asarray(value).tolist())


JOINED = [("~{0}", lambda a, b: ~a), ("{0} & {1}", np.logical_and), ("{0} | ~{1}", lambda a, b: a | ~b)]


@st.composite
def items_of(draw: st.DrawFn, size: int, length: int) -> Item:
    """Draw an item for an axis; lists have a length that they share, or one entry."""
    kind = draw(st.sampled_from(("number", "slice", "list", "column", "array", "mask")))
    places = st.integers(-size, size - 1)
    if kind == "number":
        place = draw(places)
        return Item(str(place), place)
    if kind == "slice":
        ends = [draw(st.none() | st.integers(-size - 1, size + 1)) for _ in range(2)]
        step = draw(st.sampled_from((None, 1, 2, -1, -2)))
        parts = ["" if part is None else str(part) for part in (*ends, step)]
        return Item(":".join(parts), slice(*ends, step))
    if kind == "mask":
        mask = np.zeros(size, bool)
        mask[draw(st.permutations(range(size)))[: min(length, size)]] = True
        if mask.sum() not in (1, length):
            mask[:] = [True] + [False] * (size - 1)
        return Item(_text(mask), mask, draw(st.booleans()))
    count = length if draw(st.booleans()) else 1
    found = np.array([draw(places) for _ in range(count)])
    if kind == "column":
        found = found[:, None]
    return Item(_text(found), found, kind == "array")


@st.composite
def indices(draw: st.DrawFn) -> tuple[tuple[int, ...], list[Item]]:
    """Draw a shape and an index for it: some axes left out, some new, perhaps with `...`."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=3))
    used = draw(st.integers(1, len(shape)))
    length = draw(st.integers(1, 3))
    rest = draw(st.booleans())
    start = draw(st.integers(0, used)) if rest else used
    sizes = [*shape[:start], *shape[len(shape) - (used - start) :]]
    items = [draw(items_of(size, length)) for size in sizes]
    if rest:
        items.insert(start, Item("...", ...))
    for _ in range(draw(st.integers(0, 1))):
        items.insert(draw(st.integers(0, len(items))), Item("None", None))
    return shape, items


@settings(max_examples=120, deadline=None)
@given(indices(), st.integers(0, 2**16))
def test_index_is_that_of_numpy(drawn: tuple[tuple[int, ...], list[Item]], seed: int) -> None:
    shape, items = drawn
    names = {place: f"I{place}" for place, item in enumerate(items) if item.named}
    index = ", ".join(names.get(place, item.text) for place, item in enumerate(items))
    key = tuple(item.value for item in items)
    x = np.random.default_rng(seed).standard_normal(shape)
    wanted = x[key]
    weights = np.random.default_rng(seed + 1).standard_normal(wanted.shape)
    inputs = {name: items[place].value for place, name in names.items()}
    found = matgrad.value(f"x[{index}]")(x=x, **inputs)
    assert found.shape == wanted.shape
    assert np.array_equal(found, wanted)
    gradient = np.zeros(shape)
    np.add.at(gradient, key, 3 * weights * wanted**2)
    text = f"sum(w*x[{index}]**3)"
    assert np.allclose(matgrad.grad(text, wrt="x")(x=x, w=weights, **inputs), gradient, rtol=1e-12, atol=1e-12)


def test_one_place_from_the_end_is_not_a_list_of_places() -> None:
    """Over lengths both are three numbers, n - 1, 1 and 1; neither may take the place of the other."""
    x = np.arange(3.0)
    one, several = matgrad.value("x[-1]"), matgrad.value("x[[-1, 1, 1]]")
    assert one(x=x) == 2
    assert several(x=x).tolist() == [2, 1, 1]
    assert matgrad.value("x[-1]")(x=x) == 2


@settings(max_examples=30, deadline=None)
@given(st.data(), st.sampled_from(JOINED))
def test_masks_join_as_those_of_numpy(data: st.DataObject, joined: tuple[str, Any]) -> None:
    shape = data.draw(arrays.array_shapes(max_dims=3, max_side=3))
    first, second = (data.draw(arrays.arrays(bool, shape)) for _ in range(2))
    text, function = joined
    x = np.arange(float(first.size)).reshape(shape) + 1
    used = {"x": x, "M": first, **({"N": second} if "{1}" in text else {})}
    mask = function(first, second)
    index = text.format("M", "N")
    assert np.array_equal(matgrad.value(f"x[{index}]")(**used), x[mask])
    assert np.array_equal(matgrad.grad(f"sum(x[{index}]**2)", wrt="x")(**used), 2 * x * mask)
    assert np.array_equal(matgrad.value(f"where({index}, x, 0)")(**used), x * mask)


@pytest.mark.parametrize(
    "index",
    [
        "(0, 1),", "(0, 1), :", "[0, 1],", "0,", "(0,)", "[True, False, True]", ":, [True, False, True, False]", "None",
        "::-1, [0, 1]", "[-1, -2]", "[[0, 1], [1, 2]]", "[[0], [1]], [0, 1]", "-1:", "...,  None", "0, None, 1:",
        "np.ix_([0, 1], [0, 2])", "np.ix_([2, 0], [True, False, True, True])", "np.ix_(I, [1])", "np.ix_(I)",
        "np.tril_indices(3)", "np.tril_indices(3, -1)", "np.triu_indices(3, k=1)", "np.triu_indices(3, 0, 4)",
        "np.tril_indices(X.shape[0])", "np.tril_indices(3)[1]", "np.diag_indices(3)", "np.nonzero(M)", "np.where(M)",
        "np.where(X > 5)", "~M", "M & (X > 5)", "M | (X < 2)", "(X < 2)|(X > 9)", "~(M | (X > 5))",
        ":, np.where(m)[0]", ":, np.flatnonzero(m)", ":, np.nonzero(~m)[0]", "np.logical_xor(M, X > 5)",
    ],
)  # fmt: skip
def test_an_index_of_numpy_means_the_same(index: str) -> None:
    known = {
        "X": np.arange(12.0).reshape(3, 4),
        "M": np.arange(12).reshape(3, 4) % 3 == 0,
        "m": np.array([True, False, True, True]),
        "I": np.array([0, 2]),
    }
    used = {name: value for name, value in known.items() if name == "X" or re.search(rf"\b{name}\b", index)}
    wanted = eval(f"X[{index}]", {"np": np, **known})
    found = matgrad.value(f"X[{index}]")(**used)
    assert found.shape == wanted.shape
    assert np.array_equal(found, wanted)
    counts = np.zeros((3, 4))
    np.add.at(counts, eval(f"np.s_[{index}]", {"np": np, **known}), 1.0)
    assert np.array_equal(matgrad.grad(f"sum(X[{index}])", wrt="X")(**used), counts)


CASES: list[tuple[str, dict[str, Any]]] = [
    ("x[I]", {"I": [0, 2, 0, -1]}),
    ("x[I]", {"I": [[0, 2], [1, 1]]}),
    ("x[I]", {"I": [[1]]}),
    ("x[m]", {"m": [True, False, True, True]}),
    ("x[m]", {"m": [False, False, True, False]}),
    ("x[I + 1]", {"I": [0, 1]}),
    ("x[2*I[1:]]", {"I": [0, 1, 0]}),
    ("x[I[1]]", {"I": [0, 3, 0]}),
    ("x[y == 1] - x[y == 0]", {"y": [0, 1, 1, 0]}),
    ("x[x > 0]", {}),
    ("m = 2*x > 0; (2*x)[m]", {}),
    ("x[arange(4)]", {}),
    ("x[[0, 2, 2]]", {}),
    ("x[[[0, 2], [2, 1]]]", {}),
    ("X[X > 0]", {}),
    ("X[m]", {"m": [[True, False, True], [False, True, True]]}),
    ("X[I] - X[J]", {"I": [0, 1, 1], "J": [1, 0, 1]}),
    ("X[I, J]", {"I": [0, 1, 1], "J": [1, 0, 1]}),
    ("X[arange(2), J]", {"J": [1, 0]}),
    ("X[:, J]", {"J": [1, 0, 1]}),
    ("take(X, J, axis=1)", {"J": [1, 0, 1]}),
    ("take(X, J, axis=-2)", {"J": [1, 0, 1]}),
    ("take(X, J)", {"J": [1, 5, 1]}),
    ("T[:, [0, 1], :, [0, 1]]", {}),
    ("T[0, :, [0, 1]]", {}),
    ("T[I, :, J]", {"I": [0, 1], "J": [2, 0]}),
    ("T[..., I]", {"I": [0, 1, 1]}),
]
POINTS = {
    "x": np.array([1.5, -0.5, 0.7, 2.0]),
    "X": np.array([[0.3, -1.2, 0.8], [1.1, 0.4, -0.6]]),
    "T": np.arange(36.0).reshape(2, 2, 3, 3)[..., :2] / 10 + 0.1,
}


def _given(text: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in POINTS.items() if re.search(rf"\b{name}\b", text)} | inputs


@pytest.mark.parametrize(("text", "inputs"), CASES)
@pytest.mark.parametrize("kind", ["jacobian", "grad"])
def test_derivative_and_formula_hold(text: str, inputs: dict[str, Any], kind: str) -> None:
    point = _given(text, inputs)
    (variable,) = POINTS.keys() & point.keys()
    *before, last = text.split("; ")
    asked = "; ".join([*before, f"sum(exp({last}))"]) if kind == "grad" else text
    values = {name: Input(_array(value), "argument") for name, value in point.items()}
    found = answer(Problem.of(asked, kind, (variable,)), values, Wishes())
    (result,) = found.results
    assert result.check is not None
    assert result.check.passed
    assert result.formula is not None
    assert result.check.formula is not None
    assert result.check.formula < 1e-12
    for name in inputs:
        assert name in result.formula, "the formula holds for these indices alone"


def _array(value: Any) -> Any:
    from matgrad.core.arrays import as_mask

    array = np.asarray(value)
    return as_mask(array) if array.dtype == bool else array.astype(float)


def test_program_is_kept_by_the_values_of_indices() -> None:
    pick = matgrad.grad("sum(x[I])", wrt="x")
    places = np.array([0, 1])
    assert pick(x=[1, 2, 3], I=places).tolist() == [1, 1, 0]
    places[0] = 2
    assert pick(x=[1, 2, 3], I=places).tolist() == [0, 1, 1]
    assert pick(x=[1, 2, 3], I=np.array([True, False, True])).tolist() == [1, 0, 1]
    assert pick(x=[1, 2, 3], I=[1, 0, 1]).tolist() == [1, 2, 0]
    positive = matgrad.grad("sum(x[x > 0])", wrt="x")
    assert positive(x=[1, -2, 3]).tolist() == [1, 0, 1]
    assert positive(x=[-1, -2, 3]).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "wrt", "inputs", "message"),
    [
        ("sum(x[I])", "x", {"I": [0, 4]}, "index 4 is out of range for 4 entries"),
        ("sum(x[I])", "x", {"I": [0, 0.5]}, "an index is a whole number"),
        ("sum(x[m])", "x", {"m": [True, False]}, "a mask has as many entries as what it picks from"),
        ("sum(x[I])", "I", {"I": [0, 1]}, "there is no derivative by `I`"),
        ("sum(X[I, J])", "X", {"I": [0, 1], "J": [0, 1, 2]}, "these indices do not fit together"),
        ("sum(x[True])", "x", {}, "an index is a whole number"),
        ("sum(x[[0, True]])", "x", {}, "an index is a whole number"),
        ("sum(x[[[0, 1], [1]]])", "x", {}, "differ in length"),
    ],
)
def test_mistakes_in_indices(text: str, wrt: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        matgrad.grad(text, wrt=wrt)(**_given(text, inputs))
    assert message in str(caught.value)


def test_random_indices_are_in_range() -> None:
    found = answer(
        Problem.of("sum(x[I])", "grad", ("x",)), {"x": Input(np.ones(2), "-v")}, Wishes(declared={"I": (20,)})
    )
    assert found.inputs["I"].law == "randint:0:2"
    assert found.results[0].data.sum() == 20


def test_batch_of_indices_is_refused() -> None:
    with pytest.raises(matgrad.MatgradError, match="cannot differ between the samples"):
        matgrad.grad("x[k]", wrt="x", batch=("x", "k"))(x=[[1, 2], [3, 4]], k=[0, 1])


def test_a_slice_beside_an_empty_one_ends_with_its_axis() -> None:
    assert matgrad.value("X[:0, :9]")(X=POINTS["X"]).shape == (0, 3)
    assert matgrad.value("sum(X[:0, :9], axis=0)")(X=POINTS["X"]).shape == (3,)


@pytest.mark.parametrize(
    ("index", "printed"),
    [
        ("[0, 2]", "eye(n)[[0, 2]]"),
        ("[0, 1]", "eye(n)[[0, 1]]"),
        ("[2, 1, 0]", "eye(n)[[2, 1, 0]]"),
        ("::2", "eye(n)[::2]"),
        (":2", "eye(n)[:2]"),
    ],
)
def test_a_list_is_printed_as_a_list_and_a_slice_as_a_slice(index: str, printed: str) -> None:
    assert matgrad.jacobian(f"x[{index}]", wrt="x").formula == printed


def test_a_printed_list_of_places_fails_where_the_expression_does() -> None:
    for text in ("x[[0, 2]]", "eye(len(x))[[0, 2]]"):
        with pytest.raises(matgrad.MatgradError, match="index 2 is out of range for 2 entries"):
            matgrad.value(text)(x=np.ones(2))


def test_a_tuple_is_an_index_as_a_whole() -> None:
    X = POINTS["X"]
    assert matgrad.value("I = (0, 1); X[I]")(X=X) == X[0, 1]
    assert matgrad.value("X[(0, 1)]")(X=X) == X[0, 1]
    assert np.array_equal(matgrad.value("I = [0, 1]; X[I]")(X=X), X)
    assert np.array_equal(matgrad.value("I = ([0, 1], [1, 2]); X[I]")(X=X), X[[0, 1], [1, 2]])


@pytest.mark.parametrize("text", ["sum(X, X)", "np.max(X, axis=X)"])
def test_an_array_is_no_axis(text: str) -> None:
    with pytest.raises(ExpressionError, match="`X` is an array, and a whole number is needed here"):
        matgrad.value(text)(X=POINTS["X"])
