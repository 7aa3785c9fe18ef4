"""The Python face: any name, any shape, compiled once, batches, directions, limits and errors."""

from __future__ import annotations

import inspect
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from numpy.testing import assert_allclose, assert_array_equal

import matgrad
from matgrad.core.errors import (
    EvaluationError,
    ExpressionError,
    InputError,
    NotScalarError,
    ShapeError,
    Source,
    UnknownNameError,
    UsageProblem,
)
from matgrad.core.problems import compiler

generator = np.random.default_rng(29)
A = generator.standard_normal((3, 3))
x = generator.standard_normal(3)


def test_the_first_example() -> None:
    result = matgrad.jacobian("a*b", wrt="b")(a=[1, 2, 3], b=[4, 5, 6])
    assert result.dtype == np.float64
    assert_array_equal(result, np.diag([1.0, 2, 3]))


def test_every_kind() -> None:
    text, hessian, gradient = "x @ A @ x", A + A.T, (A + A.T) @ x
    assert_allclose(matgrad.value(text)(A=A, x=x), x @ A @ x)
    assert_allclose(matgrad.grad(text, wrt="x")(A=A, x=x), gradient)
    assert_allclose(matgrad.jacobian(text, wrt="x")(A=A, x=x), gradient)
    assert_allclose(matgrad.hessian(text, wrt="x")(A=A, x=x), hessian)
    assert_allclose(matgrad.derivative(text, wrt=("x", "x"))(A=A, x=x), hessian)
    assert_allclose(matgrad.jvp(text, wrt="x")(A=A, x=x, tangent=[1, 2, 3]), gradient @ [1, 2, 3])
    assert_allclose(matgrad.vjp(text, wrt="x")(A=A, x=x, cotangent=2), 2 * gradient)
    assert_allclose(matgrad.hvp(text, wrt="x")(A=A, x=x, tangent=[1, 2, 3]), hessian @ [1, 2, 3])


def test_axes_are_those_of_the_output_then_those_of_the_variables() -> None:
    given = {"X": np.ones((2, 2)), "Y": np.ones((2, 3))}
    assert matgrad.jacobian("X @ X @ Y", wrt="Y")(**given).shape == (2, 3, 2, 3)
    assert matgrad.hessian("X @ X @ Y", wrt=("X", "Y"))(**given).shape == (2, 3, 2, 2, 2, 3)
    assert matgrad.derivative("sum(X @ Y)", wrt=("X", "Y", "X"))(**given).shape == (2, 2, 2, 3, 2, 2)


def test_several_names_give_a_tuple() -> None:
    for wrt in ("x, A", ("x", "A")):
        by_x, by_a = matgrad.grad("x @ A @ x", wrt=wrt)(A=A, x=x)
        assert_allclose(by_x, (A + A.T) @ x)
        assert_allclose(by_a, np.outer(x, x))


def test_the_only_name_is_meant_without_wrt() -> None:
    assert_allclose(matgrad.grad("sum(x**3)")(x=x), 3 * x**2)
    with pytest.raises(ExpressionError, match="by which name"):
        matgrad.grad("x @ y")


@pytest.mark.parametrize("name", ["self", "wrt", "expression", "shapes", "inputs", "batch", "kind", "values", "name"])
def test_any_name_may_be_an_input(name: str) -> None:
    result = matgrad.grad(f"sum({name}**2)", wrt=name)(**{name: x})
    assert_allclose(result, 2 * x)
    assert matgrad.grad(f"sum({name}**2)", wrt=name).check(**{name: x}).passed


def test_inputs_called_like_directions() -> None:
    forward = matgrad.jvp("sum(tangent * x)", wrt="x")
    assert forward(tangent=x, x=x, tangent_=[1, 0, 0]) == pytest.approx(x[0])
    backward = matgrad.vjp("cotangent * x", wrt="x")
    assert_allclose(backward(cotangent=x, x=x, cotangent_=[1, 2, 3]), [1, 2, 3] * x)


def test_the_expression_is_positional() -> None:
    with pytest.raises(TypeError):
        matgrad.grad(**{"expression": "sum(x)", "wrt": "x"})


def test_shapes_are_compiled_once() -> None:
    made: list[Any] = []
    calculation = compiler.Calculation

    def counting(*arguments: Any, **options: Any) -> Any:
        made.append(arguments)
        return calculation(*arguments, **options)

    with patch.object(compiler, "Calculation", counting):
        derivative = matgrad.grad("x @ A @ x", wrt="x")
        for scale in range(1, 6):
            assert_allclose(derivative(A=A, x=scale * x), scale * (A + A.T) @ x)
        derivative(A=np.eye(2), x=[1, 2])
        derivative(A=A, x=x)
        assert len(made) == 1


def test_sizes_are_part_of_what_is_compiled() -> None:
    pick = matgrad.grad("x[i]", wrt="x")
    for place in range(3):
        assert_array_equal(pick(x=x, i=place), np.eye(3)[place])
    scaled = matgrad.grad("i * x[0]", wrt="x")
    assert_array_equal(scaled(x=x, i=2), [2, 0, 0])
    assert_array_equal(scaled(x=x, i=2.5), [2.5, 0, 0])


def test_results_do_not_share_memory_with_inputs_or_each_other() -> None:
    derivative = matgrad.grad("x @ y", wrt="x")
    y = np.array([1.0, 2, 3])
    first = derivative(x=x, y=y)
    first[:] = 0
    assert_array_equal(y, [1, 2, 3])
    assert_array_equal(derivative(x=x, y=y), [1, 2, 3])


@pytest.mark.parametrize("kind", ["grad", "hessian"])
def test_a_batch_is_a_loop(kind: str) -> None:
    many = generator.standard_normal((5, 3))
    make = getattr(matgrad, kind)
    single, batched = make("x @ A @ x", wrt="x"), make("x @ A @ x", wrt="x", batch=("x",))
    assert_allclose(batched(A=A, x=many), [single(A=A, x=row) for row in many])


def test_a_batch_of_directions() -> None:
    many, tangents = generator.standard_normal((2, 5, 3))
    batched = matgrad.jvp("sin(A @ x)", wrt="x", batch=("x",))(A=A, x=many, tangent=tangents)
    single = matgrad.jvp("sin(A @ x)", wrt="x")
    assert_allclose(batched, [single(A=A, x=row, tangent=v) for row, v in zip(many, tangents, strict=True)])


def test_a_batch_may_change_its_length() -> None:
    batched = matgrad.grad("x @ A @ x", wrt="x", batch=("x",))
    assert batched(A=A, x=np.ones((5, 3))).shape == (5, 3)
    assert batched(A=A, x=np.ones((2, 3))).shape == (2, 3)
    with pytest.raises(InputError, match="`x` is a number, so its first axis cannot count samples"):
        batched(A=A, x=3.0)
    several = matgrad.value("x @ y", batch=("x", "y"))
    with pytest.raises(InputError, match="the batch inputs differ in their number of samples"):
        several(x=np.ones((2, 3)), y=np.ones((3, 3)))


def test_assumptions() -> None:
    symmetric = matgrad.grad("trace(A @ B)", wrt="A", assume={"A": "symmetric"})
    assert_allclose(symmetric(A=A + A.T, B=A), (A + A.T) / 2)
    with pytest.raises(UsageProblem, match="not something") as caught:
        matgrad.grad("trace(A)", wrt="A", assume={"A": "symetric"})
    assert "symmetric" in caught.value.helps[0]


def test_the_memory_guard_stops_before_anything_is_allocated() -> None:
    outer = matgrad.jacobian("outer(x, x)", wrt="x", max_memory=1 << 20)
    assert outer(x=np.ones(10)).shape == (10, 10, 10)
    with pytest.raises(EvaluationError, match="the limit is 1 MiB"):
        outer(x=np.ones(200))
    with pytest.raises(EvaluationError, match="limit"):
        matgrad.hessian("sum(exp(x))", wrt="x")(x=np.ones(100_000))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": [1, 2]}, "missing input `A`"),
        ({}, "missing inputs `x`, `A`"),
        ({"x": [1, 2], "A": np.eye(2), "B": 1}, "`B` is not in the expression"),
        ({"x": [1, 2], "A": [[1, 2], [3]]}, "`A` is not a rectangular array"),
        ({"x": ["a", "b"], "A": np.eye(2)}, "`x` holds text"),
        ({"x": [1, 2j], "A": np.eye(2)}, "`x` holds complex numbers"),
        ({"x": np.array([1, 2j]), "A": np.eye(2)}, "`x` holds complex numbers"),
        ({"x": np.complex128(2j), "A": np.eye(2)}, "`x` holds complex numbers"),
        ({"x": None, "A": np.eye(2)}, "`x` is None"),
        ({"x": [1, None], "A": np.eye(2)}, "`x` is None at [1]"),
        ({"x": np.array(["1", "2"]), "A": np.eye(2)}, "`x` holds text"),
        ({"x": np.array(["2026-01-01"], dtype="datetime64[D]"), "A": np.eye(1)}, "`x` holds dates"),
        ({"x": np.ma.array([1, 2], mask=[False, True]), "A": np.eye(2)}, "`x` is masked at [1]"),
        ({"x": [10**400, 1], "A": np.eye(2)}, "`x` is not a rectangular array of real numbers"),
    ],
)
def test_inputs_that_do_not_fit_the_expression(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        matgrad.grad("x @ A @ x", wrt="x")(**inputs)
    assert message in caught.value.message


def test_errors_are_of_one_family() -> None:
    for kind in (EvaluationError, InputError, NotScalarError, ShapeError, UnknownNameError, UsageProblem):
        assert issubclass(kind, matgrad.MatgradError)
    with pytest.raises(ShapeError):
        matgrad.grad("x @ A @ x", wrt="x")(x=[1, 2], A=A)
    with pytest.raises(NotScalarError):
        matgrad.grad("A @ x", wrt="x")(x=x, A=A)
    with pytest.raises(UnknownNameError, match="`y` is not in the expression"):
        matgrad.grad("sum(x)", wrt="y")
    with pytest.raises(matgrad.MatgradError):
        matgrad.grad("x @ @", wrt="x")
    with pytest.raises(EvaluationError, match="singular"):
        matgrad.jacobian("inv(A)", wrt="A")(A=[[1, 2], [2, 4]])


def test_declared_shapes_are_kept() -> None:
    declared = matgrad.grad("sum(x**2)", wrt="x", shapes={"x": (3,)})
    assert_allclose(declared(x=x), 2 * x)
    with pytest.raises(InputError, match="was declared"):
        declared(x=[1, 2])


@pytest.mark.parametrize("kind", ["jvp", "vjp", "hvp"])
def test_directions_must_fit(kind: str) -> None:
    word = "cotangent" if kind == "vjp" else "tangent"
    product = getattr(matgrad, kind)("sum(exp(x)) * exp(x)" if kind == "vjp" else "sum(exp(x))", wrt="x")
    with pytest.raises(InputError, match="direction has shape 2"):
        product(x=x, **{word: [1, 2]})
    with pytest.raises(InputError, match=f"missing `{word}`"):
        product(x=x)


def test_numbers_that_are_not_finite_pass_through() -> None:
    with np.errstate(all="ignore"):
        assert_array_equal(matgrad.value("1 / x")(x=[0.0, 1]), [np.inf, 1])
        assert np.isnan(matgrad.grad("sum(x * y)", wrt="x")(x=[1.0, 2], y=[np.nan, 1]))[0]


def test_check_and_structure() -> None:
    assert matgrad.check("x.T @ A @ x", wrt="x").passed
    assert matgrad.jacobian("sin(x)", wrt="x").structure == "diagonal"
    assert "hessian" in repr(matgrad.hessian("sum(x**2)", wrt="x"))


QUADRATIC = "x @ A @ x"


@pytest.mark.parametrize("name", ["symmetric", "spd", "diagonal", "orthogonal", "lower", "positive", "integer"])
def test_inputs_are_what_is_assumed_of_them_at_every_call(name: str) -> None:
    good, bad = np.eye(3), np.array([[1, 0.5, 0], [-0.5, 1, 0], [0, 0, 1.0]])
    good = np.ones((3, 3)) if name == "positive" else good
    derivative = matgrad.grad(QUADRATIC, wrt="x", assume={"A": name})
    for _ in range(2):
        with pytest.raises(InputError, match="`A` is not"):
            derivative(x=x, A=bad)
        assert_allclose(derivative(x=x, A=good), 2 * good @ x)
    with pytest.raises(InputError, match="`A` is not"):
        derivative.structured(x=x, A=bad)
    with pytest.raises(InputError, match="`A` is not"):
        derivative.check(x=x, A=bad)


def test_what_is_assumed_holds_in_every_sample() -> None:
    derivative = matgrad.grad("trace(A @ A)", wrt="A", assume={"A": "spd"}, batch=("A",))
    good = np.stack([np.eye(2), 2 * np.eye(2)])
    assert_allclose(derivative(A=good), 2 * good)
    with pytest.raises(InputError, match="not symmetric positive definite"):
        derivative(A=np.stack([np.eye(2), -np.eye(2)]))
    assert np.isnan(derivative(A=np.full((1, 2, 2), np.nan))).all()


def test_strict() -> None:
    kinked = matgrad.grad("sum(abs(x))", wrt="x", strict=True)
    assert_allclose(kinked(x=x), np.sign(x))
    with pytest.raises(EvaluationError, match="kink") as caught:
        kinked(x=[0.0, 1])
    assert caught.value.source == Source("expression", "sum(abs(x))")
    with pytest.raises(EvaluationError, match="kink"):
        matgrad.jacobian("abs(x)", wrt="x", strict=True).structured(x=[0.0, 1])
    for kind in ("value", "grad"):
        infinite = matgrad.value("1 / x", strict=True) if kind == "value" else matgrad.grad("1 / x", strict=True)
        with pytest.raises(EvaluationError, match="not finite"), np.errstate(all="ignore"):
            infinite(x=0.0)


def test_memory_in_words() -> None:
    assert matgrad.value("x", max_memory="1KiB").max_memory == 1024
    assert matgrad.value("x", max_memory="1.5 MB").max_memory == 1_500_000
    assert matgrad.value("x", max_memory=2048).max_memory == 2048
    with pytest.raises(EvaluationError, match="the limit is 1 KiB"):
        matgrad.jacobian("outer(x, x)", wrt="x", max_memory="1KiB")(x=np.ones(20))
    with pytest.raises(UsageProblem, match="`1 KiX` is not an amount of memory"):
        matgrad.value("x", max_memory="1 KiX")


def test_products_by_several_names() -> None:
    y = np.array([3.0, 4, 5])
    given = {"A": A, "x": x}
    by_x, by_a = matgrad.vjp("A @ x", wrt=("x", "A"))(cotangent=y, **given)
    assert_allclose(by_x, A.T @ y)
    assert_allclose(by_a, np.outer(y, x))
    along_x, along_a = matgrad.jvp("A @ x", wrt="x,A")(tangent=(y, np.eye(3)), **given)
    assert_allclose(along_x, A @ y)
    assert_allclose(along_a, x)
    one, other = matgrad.hvp("sum(x**3) + sum(y**2)", wrt=("x", "y"))(x=x, y=y, tangent=[1, 2, 3])
    assert_allclose(one, 6 * x * [1, 2, 3])
    assert_allclose(other, [2, 4, 6])
    assert matgrad.jvp("A @ x", wrt=("x", "A")).formula == "A @ tangent\ntangent @ x"
    with pytest.raises(UsageProblem, match="takes one direction"):
        matgrad.jvp("A @ x", wrt=("x", "A")).code()
    with pytest.raises(InputError, match="2 cotangents for 3 names"):
        matgrad.vjp("A @ x + b", wrt=("x", "A", "b"))(cotangent=(y, y), b=y, **given)
    with pytest.raises(InputError, match="the direction by `A` has shape 3, and 3×3 is needed"):
        matgrad.jvp("A @ x", wrt="x,A")(tangent=y, **given)


def test_directions_of_a_batch_go_with_one_sample_or_with_all() -> None:
    many, several = generator.standard_normal((2, 5, 3))
    backward = matgrad.vjp("sin(A @ x)", wrt="x", batch=("x",))
    single = matgrad.vjp("sin(A @ x)", wrt="x")
    expected = [single(A=A, x=row, cotangent=v) for row, v in zip(many, several, strict=True)]
    assert_allclose(backward(A=A, x=many, cotangent=several), expected)
    shared = [single(A=A, x=row, cotangent=x) for row in many]
    assert_allclose(backward(A=A, x=many, cotangent=x), shared)
    for product in (backward, matgrad.jvp("sin(A @ x)", wrt="x", batch="x")):
        word = "cotangent" if product is backward else "tangent"
        with pytest.raises(InputError, match="direction has shape 2×3, and 3 is needed for each sample"):
            product(A=A, x=many, **{word: np.ones((2, 3))})
        assert product.check(A=A, x=many).passed


def test_options_are_typed() -> None:
    options = {"shapes", "assume", "batch", "reduce", "strict", "max_memory", "independent_entries"}
    for name in matgrad.__all__:
        function = getattr(matgrad, name)
        if inspect.isfunction(function):
            parameters = inspect.signature(function).parameters
            assert options <= parameters.keys(), name
            assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()), name
            assert "**" not in str(inspect.signature(function))
    with pytest.raises(TypeError, match="shape"):
        matgrad.grad("sum(x)", shape={"x": (2,)})  # type: ignore[call-arg]


def test_shapes_and_batches_in_short() -> None:
    assert matgrad.grad("sum(xx)", wrt="xx", shapes={"xx": 2}, batch="xx")(xx=np.ones((5, 2))).shape == (5, 2)
    with pytest.raises(InputError, match="`x` has shape 2 in each sample, and 3 was declared"):
        matgrad.grad("sum(x)", wrt="x", shapes={"x": (3,)}, batch=("x",))(x=np.ones((3, 2)))
    with pytest.raises(UsageProblem, match="whole numbers"):
        matgrad.grad("sum(x)", wrt="x", shapes={"x": (2.5,)})  # type: ignore[dict-item]


def test_checks_take_inputs_and_a_seed() -> None:
    inputs = {"x": x, "A": A}
    assert matgrad.check(QUADRATIC, wrt="x", inputs=inputs, seed=3).passed
    assert matgrad.check(QUADRATIC, wrt="x", claim="(A + A.T) @ x", inputs=inputs, seed=3).holds
    assert matgrad.check(QUADRATIC, wrt="x", kind="hessian").passed


def test_tensors_are_inputs() -> None:
    torch = pytest.importorskip("torch")
    derivative = matgrad.grad("sum(x**2)", wrt="x")
    for tensor in (torch.ones(3), torch.ones(3, requires_grad=True), torch.ones(3, dtype=torch.bfloat16)):
        assert_array_equal(derivative(x=tensor), 2 * np.ones(3))
    for refused in (torch.ones(3, device="meta"), torch.eye(3).to_sparse(), [torch.ones(1, requires_grad=True)]):
        with pytest.raises(InputError, match="not a rectangular array of real numbers"):
            derivative(x=refused)
    for tensor in (torch.ones(3, dtype=torch.complex64), torch.ones(3, dtype=torch.complex64).conj()):
        with pytest.raises(InputError, match="complex numbers"):
            derivative(x=tensor)


def test_sparse_arrays_that_are_no_matrix_are_refused_with_a_way_out() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    np.testing.assert_array_equal(matgrad.grad("sum(X**2)", wrt="X")(X=sparse.eye_array(3)), 2 * np.eye(3))
    with pytest.raises(InputError) as caught:
        matgrad.grad("sum(X**2)", wrt="X")(X=sparse.coo_array(np.ones(3)))
    assert caught.value.helps == ("as an array: X=X.toarray()",)


def test_ipython_shows_the_place_in_the_expression() -> None:
    with pytest.raises(ShapeError) as caught:
        matgrad.value("b = A @ x; b")(A=np.eye(2), x=x)
    lines = caught.value._render_traceback_()
    assert f'File "{__file__}"' in lines[0]
    assert lines[1].strip().startswith("matgrad.value(")
    assert lines[2].startswith("ShapeError: cannot multiply")
    assert lines[3:6] == [
        "    b = A @ x; b",
        "            ^ `x` is a vector of 3 entries",
        "        - `A` is a 2×2 matrix",
    ]
    assert all(line.startswith(("note: ", "help: ")) for line in lines[6:])
    with pytest.raises(InputError) as missing:
        matgrad.value("A @ x")(A=np.eye(2))
    assert missing.value._render_traceback_()[2:] == str(missing.value).replace(
        "missing", "InputError: missing", 1
    ).split("\n")


def test_ipython_takes_what_it_is_given() -> None:
    shell = InteractiveShell.instance()
    result = shell.run_cell("import matgrad; matgrad.grad('x @')")
    assert isinstance(result.error_before_exec or result.error_in_exec, matgrad.MatgradError)


def test_claims_are_compared_sample_by_sample() -> None:
    symmetric, many = A + A.T, np.stack([x, 2 * x])
    inputs = {"x": many, "A": A}
    assert matgrad.check(QUADRATIC, wrt="x", claim="(A + A.T) @ x", batch="x", inputs=inputs).holds
    assert not matgrad.check(QUADRATIC, wrt="x", claim="2*A @ x", batch="x", inputs=inputs).holds
    assert matgrad.check("exp(A*x)", wrt="x", claim="exp(A*x)*A", batch=("A", "x"), shapes={"A": (), "x": ()}).holds
    verdict = matgrad.check(
        QUADRATIC, wrt="x", claim="2*A @ x", batch="A", inputs={"A": np.stack([symmetric, A]), "x": x}
    )
    assert not verdict.holds
    with pytest.raises(InputError, match="differ in their number of samples"):
        matgrad.check("x @ y", wrt="x", claim="y", batch="x,y", inputs={"x": many, "y": np.ones((3, 3))})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: matgrad.grad(3, wrt="x"), "an expression is text"),
        (lambda: matgrad.grad(None, wrt="x"), "an expression is text"),
        (lambda: matgrad.grad("x @ x", wrt=3), "`3` is not a name"),
        (lambda: matgrad.grad("x @ x", wrt=("x", 1)), "is not a name"),
        (lambda: matgrad.grad("x @ x", wrt="x", shapes={"x": (-1,)}), "a size is not negative"),
        (lambda: matgrad.grad("x @ x", wrt="x", max_memory=-1), "`-1` is not an amount of memory"),
        (lambda: matgrad.grad("x @ x", wrt="x", max_memory=True), "`True` is not an amount of memory"),
        (lambda: matgrad.grad("x @ x", wrt="x", max_memory=float("nan")), "`nan` is not an amount of memory"),
        (lambda: matgrad.check("x @ x", wrt="x", kind="jacobi"), "`jacobi` is not a kind of derivative"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(call: Any, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        call()


def test_a_check_refuses_inputs_that_the_expression_lacks() -> None:
    with pytest.raises(InputError, match="`z` is not in the expression"):
        matgrad.grad("x @ x", wrt="x").check(z=1)
    with pytest.raises(InputError, match="`z` is not in the expression"):
        matgrad.check("x @ x", wrt="x", inputs={"z": 1}, claim="2*x")


def test_a_check_takes_a_direction() -> None:
    pushforward = matgrad.jvp("x @ x", wrt="x")
    assert pushforward.check(x=[1, 2], tangent=[1, 0]).passed
    with pytest.raises(InputError, match="a vector of 2 entries is needed") as caught:
        pushforward.check(x=[1, 2], tangent=[1, 0, 0])
    assert "tangent=np.ones(...)" in str(caught.value)


def test_a_strict_claim_is_refused_at_a_kink() -> None:
    with pytest.raises(EvaluationError, match="has a kink"):
        matgrad.check("sum(abs(x))", wrt="x", claim="sign(x)", inputs={"x": [0, 1]}, strict=True)


def test_a_formula_that_depends_on_lengths_asks_for_them() -> None:
    with pytest.raises(ExpressionError, match="the lengths of `x` are needed in numbers here"):
        _ = matgrad.grad("quantile(x, 0.3)", wrt="x").formula
    of_five = matgrad.grad("quantile(x, 0.3)", wrt="x", shapes={"x": (5,)})
    assert "rank=3" in of_five.formula
    assert_allclose(of_five(x=[1, 2, 3, 4, 5]), [0, 0.8, 0.2, 0, 0], atol=1e-15)


@pytest.mark.parametrize(
    ("p", "t", "value", "slope"), [(0, 0, 0, 0), (0, 1, 100, -1e12), (1, 1, 0, 0), (1, 0.3, 70, 0.7e12)]
)
def test_the_cross_entropy_of_certainty_is_that_of_torch(p: float, t: float, value: float, slope: float) -> None:
    text = "F.binary_cross_entropy(p, t)"
    assert_allclose(matgrad.value(text)(p=p, t=t), value)
    assert_allclose(matgrad.grad(text, wrt="p")(p=p, t=t), slope)


def test_a_vector_of_zeros_is_normalized_as_torch_does() -> None:
    assert_array_equal(matgrad.value("F.normalize(x, dim=0)")(x=[0, 0]), [0, 0])
    assert_array_equal(matgrad.jacobian("F.normalize(x, dim=0)", wrt="x")(x=[0, 0]), 1e12 * np.eye(2))


def test_entries_in_an_order_need_no_numbers() -> None:
    assert matgrad.jacobian("x[argsort(y)]", wrt="x").formula == "ranked_by(y, eye(n))"
    assert_array_equal(matgrad.jacobian("x[argsort(x)[::-1]]", wrt="x")(x=[1, 3, 2]), np.eye(3)[[1, 2, 0]])
    assert_array_equal(matgrad.grad("x[argmax(x)]", wrt="x")(x=[1, 3, 3]), [0, 1, 0])
    assert_array_equal(matgrad.jacobian("X[argsort(y)[:1]]", wrt="y")(X=np.eye(2), y=[2, 1]), np.zeros((1, 2, 2)))
