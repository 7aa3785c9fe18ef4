"""Inverses, determinants, systems of equations, matrix powers and the matrix exponential."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ..elaboration.elaborate import call
from ..elaboration.infix import matmul
from ..errors import EvaluationError
from ..graph.algebra import Factor, broadcast, product
from ..graph.catalogue import enter
from ..graph.nodes import Constant, Delta, Node
from ..graph.operator import Operator
from ..shapes import require_rank, require_square
from .reductions import exclusive_products

GILES = "Giles 2008, Collected matrix derivative results for forward and reverse mode algorithmic differentiation"


# --- inverses and systems of equations -------------------------------------------------------------------------------


def _solve(A: Node, b: Node) -> Node:
    """Return the solution of A @ x = b; b is one vector where it has one axis, else a matrix of columns."""
    name = "solve_vector" if b.rank == 1 else "solve_matrix"
    result = call(name, A, b)
    assert isinstance(result, Node)
    return result


def _solution(A: Any, b: Any) -> Any:
    # For two axes NumPy would take b as a matrix of columns.
    return np.linalg.solve(A, b) if b.ndim == 1 else np.linalg.solve(A, b[..., None])[..., 0]


def _pinv_reference(X: Any) -> Any:
    return np.linalg.lstsq(X, np.eye(len(X)), rcond=None)[0]


enter(Operator("inv", "X", "Inverse of a square matrix.", family="inverses",
               signature="(n,n)->(n,n)", keeps_symmetry=True,
               evaluate=np.linalg.inv, differential="-y @ dX @ y", source=GILES,
               reference=lambda X: np.linalg.solve(X, np.eye(len(X))), domain=("invertible",), analytic=True,
               aliases=("inverse",), samples=("inv(A)", "inv(S)"), errors=("inv(x)", "inv(X)", "inv(a)"),
               spellings={"latex": "#1^{-1}", "numpy": "np.linalg.inv(#1)", "torch": "torch.linalg.inv(#1)"}))
enter(Operator("pinv", "X", "Moore-Penrose inverse, where the rank does not change nearby.", family="inverses",
               signature="(m,n)->(n,m)", keeps_symmetry=True, evaluate=np.linalg.pinv, reference=_pinv_reference,
               differential="-y @ dX @ y + y @ y.T @ (dX.T - dX.T @ X @ y) + (dX.T - y @ X @ dX.T) @ y.T @ y",
               source="Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares"
                      " problems whose variables separate",
               aliases=("pinverse",), samples=("pinv(X)", "pinv(X.T)", "pinv(A)"), errors=("pinv(x)",),
               spellings={"latex": "#1^{+}", "numpy": "np.linalg.pinv(#1)", "torch": "torch.linalg.pinv(#1)"}))
enter(Operator("solve", "A, b", "Solution x of A @ x = b; b is one vector or a matrix of columns.", family="inverses",
               build=_solve, reference=lambda A, b: np.linalg.inv(A) @ b, domain=("invertible", "real"),
               samples=("solve(A, v)", "solve(A, X)", "solve(S, v)"),
               errors=("solve(A, x)", "solve(X, v)", "solve(A)"),
               spellings={"latex": "#1^{-1} #2",
                          "numpy": "np.linalg.solve(#1, #2)",
                          "torch": "torch.linalg.solve(#1, #2)"}))
for _name, _signature, _sample, _code in (
    ("solve_vector", "(n,n),(n)->(n)", "solve_vector(A, v)", "linalg.solve(#1, #2[..., None])[..., 0]"),
    ("solve_matrix", "(n,n),(n,k)->(n,k)", "solve_matrix(A, X)", "linalg.solve(#1, #2)"),
):
    enter(Operator(_name, "A, b", "Solution x of A @ x = b.", family="inverses", signature=_signature,
                   evaluate=np.linalg.solve if _name == "solve_matrix"
                   else _solution,
                   differential="inv(A) @ (db - dA @ y)", source=GILES, hidden=True, analytic=True,
                   reference=lambda A, b: np.linalg.inv(A) @ b, domain=("invertible", "real"),
                   samples=(_sample,), errors=(f"{_name}(A, x)",),
                   spellings={"latex": "#1^{-1} #2", "numpy": f"np.{_code}", "torch": f"torch.{_code}"}))


# --- determinants ----------------------------------------------------------------------------------------------------


def cofactors(X: Any) -> Any:
    """Return the matrix of cofactors; through the singular values it is right at every rank.

    With X = U diag(s) V.T it is det(U) det(V) U diag(p) V.T, where p[i] is the product of all s but s[i].
    """
    U, s, Vh = np.linalg.svd(X)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return sign[..., None, None] * ((U * exclusive_products(s)[..., None, :]) @ Vh)


def _cofactor_reference(X: Any) -> Any:
    n = len(X)
    minors = [[np.delete(np.delete(X, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array([[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(n)] for i in range(n)])


def _rows_replaced(X: Node) -> Node:
    """Return R[i, j] = X with row i replaced by the unit vector e_j: the determinant of R[i, j] is a cofactor."""
    require_square(X.shape, "rows_replaced")
    n = X.shape[0]
    i, j, row, column = range(4)
    axes = (i, j, row, column)
    kept = call("subtract", call("ones_like", Delta.of(n, 2)), Delta.of(n, 2))
    replaced: list[Factor] = [(Delta.of(n, 2), (i, row)), (Delta.of(n, 2), (j, column))]
    others: list[Factor] = [(X, (row, column)), (kept, (i, row)), (Delta.of(n, 1), (j,))]
    result = call("add", product(1, others, axes), product(1, replaced, axes))
    assert isinstance(result, Node)
    return result


def _rows_replaced_reference(X: Any) -> Any:
    result = np.tile(X, (len(X), len(X), 1, 1))
    for i in range(len(X)):
        for j in range(len(X)):
            result[i, j, i] = np.eye(len(X))[j]
    return result


def _logdet(X: Any) -> Any:
    sign, logarithm = np.linalg.slogdet(X)
    return np.where(sign < 0, np.nan, logarithm)


enter(Operator("det", "X", "Determinant; the derivative is right for singular matrices too.", family="determinants",
               signature="(n,n)->()", evaluate=np.linalg.det, differential="sum(cofactor(X) * dX)",
               source="Magnus & Neudecker, Matrix Differential Calculus (Jacobi's formula)", analytic=True,
               reference=lambda X: np.prod(np.linalg.eigvals(X)).real, aliases=("determinant",),
               samples=("det(A)", "det(S)"), errors=("det(x)", "det(X)", "det(a)"),
               spellings={"numpy": "np.linalg.det(#1)", "torch": "torch.linalg.det(#1)"}))
# A cofactor is the determinant of a matrix with one row replaced, so its derivative is again made of cofactors.
enter(Operator("cofactor", "X", "The matrix of cofactors: the gradient of the determinant.", family="determinants",
               signature="(n,n)->(n,n)", keeps_symmetry=True, evaluate=cofactors, reference=_cofactor_reference,
               differential="einsum('ijkl,ik,kl->ij', cofactor(rows_replaced(X)), 1 - identity_like(X), dX)",
               samples=("cofactor(A)", "cofactor(S)"), errors=("cofactor(X)",), hidden=True,
               spellings={"latex": r"\operatorname{cof}\left(#1\right)",
                          "numpy": "cofactor(#1)",
                          "torch": "cofactor(#1)"}))
enter(Operator("rows_replaced", "X", "The matrices X with row i replaced by the unit vector e_j.",
               family="determinants", build=_rows_replaced, reference=_rows_replaced_reference,
               samples=("rows_replaced(A)",), errors=("rows_replaced(X)",), hidden=True,
               spellings={"latex": r"\operatorname{rows}\left(#1\right)",
                          "numpy": "rows_replaced(#1)",
                          "torch": "rows_replaced(#1)"}))
enter(Operator("logdet", "X", "Log of a positive determinant, without overflow.", family="determinants",
               signature="(n,n)->()", evaluate=_logdet, differential="trace(inv(X) @ dX)", source=GILES,
               reference=lambda X: np.log(np.linalg.det(X)), domain=("spd",),
               samples=("logdet(A)", "logdet(S)"), errors=("logdet(x)", "logdet(X)"),
               spellings={"latex": r"\log\det\left(#1\right)", "numpy": "np.linalg.slogdet(#1)[1]"}))
enter(Operator("slogdet", "X", "Sign of the determinant and log of its absolute value.", family="determinants",
               signature="(n,n)->(),()", evaluate=np.linalg.slogdet,
               differential=("0 * trace(dX)", "trace(inv(X) @ dX)"), source=GILES, domain=("invertible",),
               reference=lambda X: (np.sign(np.linalg.det(X)), np.log(np.abs(np.linalg.det(X)))),
               samples=("slogdet(A)[0]", "slogdet(A)[1]", "slogdet(S)[1]"), errors=("slogdet(X)",),
               spellings={"numpy": "np.linalg.slogdet(#1)", "torch": "torch.linalg.slogdet(#1)"}))


# --- powers and the exponential --------------------------------------------------------------------------------------


def _matrix_power(X: Node, n: int) -> Node:
    """Return a whole power by repeated squaring."""
    if X.rank < 2:
        require_rank(X.shape, 2, "matrix_power")
    require_square(X.shape[-2:], "matrix_power")
    if n == 0:
        return broadcast(Delta.of(X.shape[-1], 2), X.shape)
    square = call("inv", X) if n < 0 else X
    result, remaining = None, abs(n)
    while True:
        if remaining % 2:
            result = square if result is None else matmul(result, square)
        remaining //= 2
        if not remaining:
            assert isinstance(result, Node)
            return result
        square = matmul(square, square)


def _expm(X: Any) -> Any:
    try:
        scipy_linalg = import_module("scipy.linalg")
    except ImportError:
        raise EvaluationError("`expm` needs SciPy", helps=["pip install 'matgrad[scipy]'"]) from None
    return scipy_linalg.expm(X)


def _expm_reference(X: Any) -> Any:
    w, V = np.linalg.eig(X)
    return ((V * np.exp(w)) @ np.linalg.inv(V)).real


# Gauss-Legendre quadrature of the integral below. Its integrand grows at most like exp(2 * norm(X)), and 32 points
# keep the relative error of the derivative below 1e-10 up to a norm of about 15.
@cache
def _quadrature() -> tuple[Any, Any]:
    points, weights = np.polynomial.legendre.leggauss(32)
    return points / 2 + 0.5, weights / 2


# The Fréchet derivative as an integral: linear in E, as a rule must be.
_FRECHET = (
    "s = quadrature_points(); left = expm(einsum('k,ij->kij', 1 - s, {X})); right = expm(einsum('k,ij->kij', s, {X}));"
    " einsum('k,kij,jl,klm->im', quadrature_weights(), left, {E}, right)"
)


def _expm_frechet(X: Any, E: Any) -> Any:
    """Return the upper right block of expm([[X, E], [0, X]])."""
    size = X.shape[-1]
    rows = [np.concatenate([X, E], axis=-1), np.concatenate([np.zeros_like(X), X], axis=-1)]
    return _expm(np.concatenate(rows, axis=-2))[..., :size, size:]


enter(Operator("matrix_power", "X; n", "Whole power of a square matrix, a power of the inverse for negative n.",
               family="inverses", build=_matrix_power, reference=np.linalg.matrix_power, domain=("invertible",),
               samples=("matrix_power(A, 3)", "matrix_power(A, 0)", "matrix_power(A, -2)", "matrix_power(S, 5)"),
               errors=("matrix_power(X, 2)", "matrix_power(x, 2)", "matrix_power(A)"),
               spellings={"latex": "#1^{#2}",
                          "numpy": "np.linalg.matrix_power(#*)",
                          "torch": "torch.linalg.matrix_power(#*)"}))
enter(Operator("expm", "X", "Matrix exponential (needs SciPy); its derivative is meant for norms up to about 15.",
               family="inverses", signature="(n,n)->(n,n)", evaluate=_expm, reference=_expm_reference, analytic=True,
               keeps_symmetry=True,
               differential=_FRECHET.format(X="X", E="dX"),
               source="Higham 2008, Functions of Matrices: the Fréchet derivative along E is the integral of"
                      " expm((1 - s) X) E expm(s X) over s from 0 to 1",
               aliases=("matrix_exp",), samples=("expm(A)", "expm(S)"), errors=("expm(x)", "expm(X)"),
               spellings={"numpy": "scipy.linalg.expm(#1)",
                          "torch": "torch.linalg.matrix_exp(#1)",
                          "jax": "jax.scipy.linalg.expm(#1)"}))
enter(Operator("expm_frechet", "X, E", "Derivative of the matrix exponential at X along E.", family="inverses",
               signature="(n,n),(n,n)->(n,n)", evaluate=_expm_frechet, analytic=True, hidden=True,
               reference=lambda X, E: import_module("scipy.linalg").expm_frechet(X, E, compute_expm=False),
               differential="n = count(X, axis=0); Z = zeros_like(X); B = vstack([hstack([X, E]), hstack([Z, X])]);"
                            " dB = vstack([hstack([dX, dE]), hstack([Z, dX])]); "
                            + _FRECHET.format(X="B", E="dB").replace("einsum('k,kij,jl", "L = einsum('k,kij,jl")
                            + "; L[:n, n:]",
               samples=("expm_frechet(A, S)",), errors=("expm_frechet(A)", "expm_frechet(A, X)"),
               spellings={"latex": r"\operatorname{expm}'\left(#*\right)",
                          "numpy": "expm_frechet(#*)",
                          "torch": "expm_frechet(#*)"}))
enter(Operator("quadrature_points", "", "Gauss-Legendre points between 0 and 1.", family="inverses",
               build=lambda: Constant.of(_quadrature()[0]), reference=lambda: _quadrature()[0], hidden=True,
               samples=("quadrature_points()",), errors=("quadrature_points(x)",)))
enter(Operator("quadrature_weights", "", "The weights of the Gauss-Legendre points.", family="inverses",
               build=lambda: Constant.of(_quadrature()[1]), reference=lambda: _quadrature()[1], hidden=True,
               samples=("quadrature_weights()",), errors=("quadrature_weights(x)",)))

