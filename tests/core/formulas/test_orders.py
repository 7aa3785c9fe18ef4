"""The forms of derivatives of three and four axes are equal: einsum, linear map, Kronecker product."""

from __future__ import annotations

import numpy as np
import pytest

import matgrad
from matgrad.core.formulas.orders import Forms, forms
from matgrad.core.graph import catalogue
from matgrad.core.problems.problem import Problem

SHAPES = {"A": (2, 3), "X": (3, 4), "B": (4, 2), "S": (3, 3), "U": (4, 2), "V": (3, 2), "T": (4, 3), "x": (3,)}
CASES = [
    ("A @ X @ B", "jacobian", ("X",)),
    ("inv(S)", "jacobian", ("S",)),
    ("S @ S", "jacobian", ("S",)),
    ("S @ S @ S", "jacobian", ("S",)),
    ("trace(S) * S", "jacobian", ("S",)),
    ("sum((T - U @ V.T)**2)", "hessian", ("U",)),
    ("trace(S)**2", "hessian", ("S",)),
    ("3 * A @ X", "jacobian", ("X",)),
]


def found(text: str, kind: str, wrt: tuple[str, ...], *, column: bool = False) -> tuple[Forms, dict[str, np.ndarray]]:
    assert catalogue.find("inv")
    problem = Problem.of(text, kind, wrt)
    generator = np.random.default_rng(0)
    values = {name: generator.uniform(0.5, 1.5, SHAPES[name]) + np.eye(*SHAPES[name][:2]) for name in problem.names}
    (form,) = forms(problem, {name: SHAPES[name] for name in problem.names}, column=column)
    return form, values


def evaluated(text: str, form: Forms, values: dict[str, np.ndarray]) -> np.ndarray:
    sizes = {name: eval_size(origin) for name, origin in form.origins.items()}
    derivative = matgrad.value(text)
    given = {name: sizes.get(name, values.get(name)) for name in derivative.problem.names}
    result = derivative(**given)
    assert isinstance(result, np.ndarray)
    return result


def eval_size(origin: str) -> int:
    """Return the size that `X.shape[1]` stands for."""
    name, _, rest = origin.partition(".shape[")
    return SHAPES[name][int(rest.rstrip("]"))]


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize(("text", "kind", "wrt"), CASES)
def test_the_kronecker_form_is_the_matrix_between_the_vecs(
    text: str, kind: str, wrt: tuple[str, ...], column: bool
) -> None:
    form, values = found(text, kind, wrt, column=column)
    tensor = getattr(matgrad, kind)(text, wrt=wrt)(**values)
    order = "F" if column else "C"
    rows, columns = tensor.shape[0] * tensor.shape[1], tensor.shape[2] * tensor.shape[3]
    if column:
        tensor = tensor.transpose(1, 0, 3, 2)
    assert form.kronecker is not None
    np.testing.assert_allclose(
        evaluated(form.kronecker, form, values), tensor.reshape(rows, columns), rtol=1e-10, err_msg=order
    )


@pytest.mark.parametrize(("text", "kind", "wrt"), [case for case in CASES if case[1] == "jacobian"])
def test_the_linear_map_is_the_pushforward(text: str, kind: str, wrt: tuple[str, ...]) -> None:
    form, values = found(text, kind, wrt)
    assert form.linear_map is not None
    direction = np.random.default_rng(1).standard_normal(values[wrt[0]].shape)
    name, _, body = form.linear_map.partition(" -> ")
    assert name == f"d{wrt[0]}"
    moved = evaluated(body, form, {**values, name: direction})
    np.testing.assert_allclose(moved, matgrad.jvp(text, wrt=wrt)(**values, tangent=direction), rtol=1e-10)


@pytest.mark.parametrize(
    ("text", "kind", "wrt", "index"),
    [
        ("A @ X @ B", "jacobian", ("X",), "dout[i,j]/dX[k,l] = A[i,k]*B[l,j]"),
        ("T @ x", "jacobian", ("T",), "dout[i]/dT[j,k] = delta[i,j]*x[k]"),
        ("sum((T - U @ V.T)**2)", "hessian", ("U",), "d2out/dU[i,j] dU[k,l] = 2*delta[i,k]*(V.T @ V)[j,l]"),
    ],
)
def test_index_notation(text: str, kind: str, wrt: tuple[str, ...], index: str) -> None:
    assert found(text, kind, wrt)[0].index == index


def test_a_matrix_needs_no_other_form() -> None:
    form, _ = found("S @ x", "jacobian", ("x",))
    assert (form.formula, form.index, form.linear_map, form.kronecker) == ("S", None, None, None)


def test_no_kronecker_form_where_the_derivative_is_no_kronecker_product() -> None:
    assert found("X * X", "jacobian", ("X",))[0].kronecker is None


def test_independent_entries_of_a_symmetric_variable() -> None:
    """Each pair of entries is one variable: G + G.T - diag(diag(G)), the Matrix Cookbook's equation 138."""
    A, X = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 1.0], [1.0, 3.0]])
    consensus = matgrad.grad("trace(A @ X)", wrt="X", assume={"X": "symmetric"})
    independent = matgrad.grad("trace(A @ X)", wrt="X", assume={"X": "symmetric"}, independent_entries=True)
    np.testing.assert_array_equal(consensus(A=A, X=X), (A + A.T) / 2)
    np.testing.assert_array_equal(independent(A=A, X=X), A + A.T - np.diag(np.diag(A)))
    assert independent.formula == "A + A.T - diag(diagonal(A))"
    check = independent.check(A=A, X=X)
    assert check.passed
    assert check.finite_differences is not None
    assert check.finite_differences < 1e-9
