"""How matrix equations, factorizations and functions of matrices are evaluated, over leading batch axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import EvaluationError
from .kernels import _once, _scipy


def each(function: Callable[..., Any], *stacks: Any) -> Any:
    """Return a function of single matrices along the leading axes of stacks: `each(np.linalg.qr, S)`."""
    lead = np.broadcast_shapes(*(stack.shape[:-2] for stack in stacks))
    if not lead:
        return function(*stacks)
    whole = [np.broadcast_to(stack, lead + stack.shape[-2:]) for stack in stacks]
    results = [function(*(stack[place] for stack in whole)) for place in np.ndindex(lead)]
    if not results:
        raise EvaluationError("a stack of no matrices has no result here")
    if not isinstance(results[0], tuple):
        return np.array(results).reshape(*lead, *np.shape(results[0]))
    columns = (np.array(column) for column in zip(*results, strict=True))
    return tuple(column.reshape(*lead, *column.shape[1:]) for column in columns)


def real_or_nan(X: Any, like: Any) -> Any:
    """Return a real matrix as such, and nan for one that is complex where `like` is real."""
    if np.iscomplexobj(like) or not np.iscomplexobj(X):
        return X
    largest = np.max(np.abs(X), initial=0.0)
    return X.real if np.max(np.abs(X.imag), initial=0.0) <= 1e-12 * largest else np.full(X.shape, np.nan)


# --- linear equations in a matrix ------------------------------------------------------------------------------------


def _schur(X: Any) -> tuple[Any, Any]:
    triangle, vectors = _scipy("linalg", "schur")(X, output="complex")
    return triangle, vectors


def _by_columns(R: Any, S: Any, F: Any, *, product: bool) -> Any:
    """Return the upper triangular solution of R Y + Y S = F, or of R Y S - Y = F, column by column."""
    Y, identity = np.zeros_like(F), np.eye(len(R))
    for k in range(F.shape[-1]):
        known = (Y[..., :k] @ S[:k, k, None])[..., 0]
        if product:
            left, right = S[k, k] * R - identity, F[..., k] - (R @ known[..., None])[..., 0]
        else:
            left, right = R + S[k, k] * identity, F[..., k] - known
        Y[..., k] = np.linalg.solve(left, right[..., None])[..., 0]
    return Y


def _solved(A: Any, B: Any, Q: Any, *, product: bool) -> Any:
    A, B = _once(A), _once(B)
    if A.ndim > 2 or B.ndim > 2:
        # Each pair of matrices is a system of its own.
        lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2], Q.shape[:-2])
        whole = [np.broadcast_to(stack, lead + stack.shape[-2:]) for stack in (A, B, Q)]
        results = [_solved(*(stack[place] for stack in whole), product=product) for place in np.ndindex(lead)]
        return np.array(results).reshape(*lead, *Q.shape[-2:])
    real = not any(map(np.iscomplexobj, (A, B, Q)))
    (R, U), (S, V) = _schur(A), _schur(B)
    Y = _by_columns(R, S, U.conj().T @ Q @ V, product=product)
    X = U @ Y @ V.conj().T
    return X.real if real else X


def solve_sylvester(A: Any, B: Any, Q: Any) -> Any:
    """Return the X with A X + X B = Q, for many Q by one pair of decompositions.

    Source: Bartels & Stewart 1972, Solution of the matrix equation AX + XB = C.
    """
    return _solved(A, B, Q, product=False)


def solve_stein(A: Any, B: Any, Q: Any) -> Any:
    """Return the X with X - A X B = Q, for many Q by one pair of decompositions."""
    return -_solved(A, B, Q, product=True)


# --- quadratic equations in a matrix ---------------------------------------------------------------------------------


def _riccati(name: str) -> Callable[..., Any]:
    def solution(A: Any, B: Any, Q: Any, R: Any) -> Any:
        solver = _scipy("linalg", name)
        try:
            return each(solver, A, B, (Q + np.swapaxes(Q, -1, -2)) / 2, (R + np.swapaxes(R, -1, -2)) / 2)
        except (np.linalg.LinAlgError, ValueError) as error:
            raise EvaluationError(f"`{name}` finds no stabilizing solution: {error}") from None

    return solution


solve_continuous_are = _riccati("solve_continuous_are")
solve_discrete_are = _riccati("solve_discrete_are")


# --- factorizations --------------------------------------------------------------------------------------------------


def lu(X: Any) -> Any:
    """Return the permutation P, the lower L with ones on its diagonal, and the upper U, with X = P @ L @ U."""
    return each(_scipy("linalg", "lu"), X)


def eig(X: Any) -> Any:
    """Return eigenvalues, ascending, and eigenvectors of length one; nan where the eigenvalues are not real."""
    w, V = np.linalg.eig(X)
    if not np.iscomplexobj(X) and np.iscomplexobj(w):
        real = np.all(w.imag == 0, axis=-1)
        w = np.where(real[..., None], w.real, np.nan)
        V = np.where(real[..., None, None], V.real, np.nan)
    order = np.argsort(w, axis=-1)
    return np.take_along_axis(w, order, -1), np.take_along_axis(V, order[..., None, :], -1)


def eigvals(X: Any) -> Any:
    """Return the eigenvalues, ascending; nan where they are not real."""
    return eig(X)[0]


# --- functions of matrices -------------------------------------------------------------------------------------------


def function_of_matrices(name: str) -> Callable[[Any], Any]:
    """Return SciPy's function of matrices by its name, nan where a result is not real."""
    return lambda X: each(lambda matrix: real_or_nan(_scipy("linalg", name)(matrix), matrix), X)
