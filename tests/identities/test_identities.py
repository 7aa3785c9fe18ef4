"""Published matrix-derivative identities, each evaluated at two seeds and compared with its closed form.

A record of `core/explanation/identities.jsonl` holds an expression, what it is differentiated by, how to sample its
inputs and the published result. A closed form is evaluated here by NumPy and SciPy, which share nothing with the code
under test.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import linalg, special

import matgrad
from identities.records import RECORDS, Record, Values, sample, symmetric_part
from matgrad.core.api import Derivative

TOLERANCE = 1e-8
SYMMETRIC_CONVENTION = [record for record in RECORDS if record.get("convention") == "symmetric"]
SYMMETRIC_INPUTS = [
    (record, name)
    for record in RECORDS
    for name in record["wrt"]
    if record["kind"] in ("grad", "jacobian") and record["vars"][name].get("assume") in ("symmetric", "spd")
]

every_record = pytest.mark.parametrize("record", RECORDS, ids=[record["id"] for record in RECORDS])
two_seeds = pytest.mark.parametrize("seed", [0, 1])


# --- closed forms ----------------------------------------------------------------------------------------------------


def _logdet(x: Any) -> Any:
    sign, value = np.linalg.slogdet(x)
    assert sign > 0, "the identity holds for a positive determinant"
    return value


NUMPY_NAMES = (
    "sum mean max prod cumsum trace diag diagonal kron outer dot einsum exp log sin cos tanh abs sqrt log1p expm1 "
    "maximum where eye ones zeros transpose reshape"
)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in NUMPY_NAMES.split()},
    **{name: getattr(np.linalg, name) for name in ("det", "inv", "pinv", "solve", "norm", "matrix_power")},
    "logdet": _logdet,
    "vec": lambda x: x.T.reshape(-1),
    "sigmoid": special.expit,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": special.softmax,
    "logsumexp": special.logsumexp,
    "eigvalsh": lambda x: np.linalg.eigvalsh(symmetric_part(x)),
    "eigh": lambda x: np.linalg.eigh(symmetric_part(x)),
    "svdvals": lambda x: np.linalg.svd(x, compute_uv=False),
    "cholesky": lambda x: np.linalg.cholesky(symmetric_part(x)),
    "expm": linalg.expm,
}

SYNTAX = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Load, ast.Constant, ast.Name, ast.Call,
    ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.Compare, ast.cmpop,
)  # fmt: skip


def closed_form(text: str, values: Values) -> np.ndarray:
    """Return the value of a closed form: arithmetic, `.T`, indexing and the functions above, nothing else."""
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        assert isinstance(node, SYNTAX), f"{type(node).__name__} in {text}"
        assert not isinstance(node, ast.Attribute) or node.attr == "T", text
    scope = {"__builtins__": {}, **FUNCTIONS, **values}
    return np.asarray(eval(compile(tree, text, "eval"), scope), dtype=np.float64)


def error(got: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest difference relative to the largest entry, if that is above one."""
    assert got.shape == wanted.shape
    return float(np.max(np.abs(got - wanted), initial=0.0) / max(1.0, np.max(np.abs(wanted), initial=0.0)))


# --- tests -----------------------------------------------------------------------------------------------------------


@cache
def _derivative(text: str, kind: str, wrt: tuple[str, ...]) -> Derivative:
    if kind == "value":
        return matgrad.value(text)
    function = {"grad": matgrad.grad, "jacobian": matgrad.jacobian}.get(kind, matgrad.hessian)
    return function(text, wrt=wrt)


def spellings(record: Record) -> list[str]:
    other = record.get("alt", [])
    return [record["expr"], *([other] if isinstance(other, str) else other)]


def computed(text: str, record: Record, values: Values) -> np.ndarray:
    derivative = _derivative(text, record["kind"], tuple(record["wrt"]))
    return np.asarray(derivative(**{name: values[name] for name in derivative.problem.names}))


def free_elements(gradient: np.ndarray) -> np.ndarray:
    """Return a gradient over independent entries of a symmetric matrix, laid out as a symmetric matrix."""
    return gradient + gradient.T - np.diag(np.diagonal(gradient))


@two_seeds
@every_record
def test_identity(record: Record, seed: int) -> None:
    values = sample(record, seed)
    wanted = closed_form(record["closed_form"], values)
    for text in spellings(record):
        got = computed(text, record, values)
        if record.get("convention") == "symmetric":
            got = free_elements(got)
        elif record.get("domain") == "symmetric" and record["kind"] == "grad":
            got, wanted = symmetric_part(got), symmetric_part(wanted)
        assert error(got, wanted) < TOLERANCE, text


@pytest.mark.parametrize("record", SYMMETRIC_CONVENTION, ids=[record["id"] for record in SYMMETRIC_CONVENTION])
def test_free_elements_follow_from_the_gradient_by_a_symmetric_variable(record: Record) -> None:
    """By default the off-diagonal entries are not doubled: the cookbook's form is 2G - diag(G)."""
    (name,) = record["wrt"]
    values = sample(record, 0)
    gradient = matgrad.grad(record["expr"], wrt=name, assume={name: "symmetric"})(**values)
    np.testing.assert_allclose(gradient, gradient.T, rtol=0, atol=1e-14)
    doubled = 2 * gradient - np.diag(np.diagonal(gradient))
    assert error(doubled, closed_form(record["closed_form"], values)) < TOLERANCE


@pytest.mark.parametrize(
    ("record", "name"), SYMMETRIC_INPUTS, ids=[f"{record['id']}-{name}" for record, name in SYMMETRIC_INPUTS]
)
@pytest.mark.parametrize("assumption", ["symmetric", "spd"])
def test_an_assumption_is_the_projection_of_the_plain_derivative(record: Record, name: str, assumption: str) -> None:
    """By a symmetric X the derivative is that of f((X + X.T)/2), whatever the assumption simplified on the way."""
    values = sample(record, 0)
    if assumption == "spd":
        values[name] = values[name] @ np.swapaxes(values[name], -1, -2) + np.eye(values[name].shape[-1])
    function = matgrad.grad if record["kind"] == "grad" else matgrad.jacobian
    plain = function(record["expr"], wrt=name)(**values)
    assumed = function(record["expr"], wrt=name, assume={name: assumption})(**values)
    assert error(assumed, (plain + np.swapaxes(plain, -1, -2)) / 2) < TOLERANCE


def test_every_kind_of_record_is_there() -> None:
    assert len(RECORDS) == len({record["id"] for record in RECORDS}) == 285
    assert {record["kind"] for record in RECORDS} == {"value", "grad", "jacobian", "hessian", "mixed"}
    assert len(SYMMETRIC_CONVENTION) == 6
