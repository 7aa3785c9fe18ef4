"""Inverses, determinants, systems of equations, matrix powers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..elaboration.elaborate import call
from ..elaboration.infix import matmul
from ..graph.algebra import Factor, broadcast, product
from ..graph.nodes import Delta, Node
from ..graph.operator import NOWHERE, Operator
from ..graph.sizes import NotPlainError, Size
from ..shapes import require_rank, require_square
from . import kernels

GILES = "Giles 2008, Collected matrix derivative results for forward and reverse mode algorithmic differentiation"


def square(
    name: str, doc: str, evaluate: Callable[..., Any], differential: str | tuple[str, ...], *,
    parameters: str = "X", family: str = "inverses", to: str = "(n,n)", **fields: Any,
) -> Operator:
    """Return an operator on square matrices; `to` are the core axes of its outputs."""
    spellings = {"numpy": f"np.linalg.{name}(#*)", "torch": f"torch.linalg.{name}(#*)"} | fields.pop("spellings", {})
    defaults = {"samples": (f"{name}(A)", f"{name}(S)"), "errors": (f"{name}(x)", f"{name}(X)", f"{name}(a)")}
    return Operator(
        name, parameters, doc, family=family, signature=f"(n,n)->{to}", evaluate=evaluate, differential=differential,
        spellings=spellings, **(defaults | fields),
    )


def _solve(A: Node, b: Node) -> Node:
    """Return the solution of A @ x = b; b is one vector where it has one axis, else a matrix of columns."""
    return call("solve_vector" if b.rank == 1 else "solve_matrix", A, b)


def _rows_replaced(X: Node) -> Node:
    """Return R[i, j] = X with row i replaced by the unit vector e_j: the determinant of R[i, j] is a cofactor."""
    require_square(X.shape, "rows_replaced")
    n = X.shape[0]
    i, j, row, column = range(4)
    axes = (i, j, row, column)
    kept = call("subtract", call("ones_like", Delta.of(n, 2)), Delta.of(n, 2))
    replaced: list[Factor] = [(Delta.of(n, 2), (i, row)), (Delta.of(n, 2), (j, column))]
    others: list[Factor] = [(X, (row, column)), (kept, (i, row)), (Delta.of(n, 1), (j,))]
    return call("add", product(1, others, axes), product(1, replaced, axes))


def _matrix_power(X: Node, n: int) -> Node:
    """Return a whole power by repeated squaring."""
    if X.rank < 2:
        require_rank(X.shape, 2, "matrix_power")
    require_square(X.shape[-2:], "matrix_power")
    if isinstance(n, Size):
        raise NotPlainError("`matrix_power` must know this number", [n])
    if n == 0:
        return broadcast(Delta.of(X.shape[-1], 2), X.shape)
    power = call("inv", X) if n < 0 else X
    result = None
    for place, digit in enumerate(f"{abs(n):b}"[::-1]):
        power = matmul(power, power) if place else power
        if digit == "1":
            result = power if result is None else matmul(result, power)
    assert result is not None
    return result


ENTRIES = (
    # --- inverses and systems of equations
    square("inv", "Inverse of a square matrix.", np.linalg.inv, "-y @ dX @ y", to="(n,n)", keeps_symmetry=True,
           domain=("invertible",), analytic=True, aliases=("inverse",), source=GILES,
           spellings={"latex": "#1^{-1}"},
           libraries=("torch.linalg.inv_ex(A, *, check_errors=...) -> (inv(A),)",
                      "torch.cholesky_inverse(L, upper: False = False)"
                      " -> inv(matmul(tril(L), matrix_transpose(tril(L))))",
                      "torch.cholesky_inverse(L, upper: True) -> inv(matmul(matrix_transpose(triu(L)), triu(L)))"),
             sought=("invert", "matrix_inverse")),
    Operator("pinv", "X", "Moore-Penrose inverse, where the rank does not change nearby.", family="inverses",
             signature="(m,n)->(n,m)", keeps_symmetry=True, evaluate=kernels.of_finite(np.linalg.pinv),
             differential="-y @ dX @ y + y @ y.T @ (dX.T - dX.T @ X @ y) + (dX.T - y @ X @ dX.T) @ y.T @ y",
             source="Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares"
                    " problems whose variables separate",
             aliases=("pinverse",), libraries=tuple(
                 f"{name}({given}, hermitian: {value}) -> {own}"
                 for name, given in (("torch.linalg.pinv", "A, *, atol: None = None, rtol: None = None"),
                                     ("np.linalg.pinv", "A, rcond: None = None, *, rtol: None = None"))
                 for value, own in (("False = False", "pinv(A)"),
                                    ("True", "pinv(tril(A) + matrix_transpose(tril(A, -1)))"))),
             samples=("pinv(X)", "pinv(X.T)", "pinv(A)"), errors=("pinv(x)",),
             spellings={"latex": "#1^{+}", "numpy": "np.linalg.pinv(#1)", "torch": "torch.linalg.pinv(#1)"},
             sought=("pseudoinverse", "ginv", "pseudo_inverse", "moore_penrose")),
    Operator("solve", "A, b", "Solution x of A @ x = b; b is one vector or a matrix of columns.", family="inverses",
             build=_solve, domain=("invertible", "real"),
             samples=("solve(A, v)", "solve(A, X)", "solve(S, v)"),
             errors=("solve(A, x)", "solve(X, v)", "solve(A)"),
             libraries=(
                 "torch.linalg.solve(A, B, *, left: True = True) -> solve_of_batch(A, B)",
                 "torch.linalg.solve_ex(A, B, *, left: True = True, check_errors=...) -> (solve_of_batch(A, B),)",
                 "torch.linalg.solve(A, B, *, left: False)"
                 " -> matrix_transpose(solve(matrix_transpose(A), matrix_transpose(B)))",
                 "scipy.linalg.solve(a, b, lower=..., overwrite_a=..., overwrite_b=..., check_finite=..., assume_a=...,"
                 " transposed: False = False) -> solve(a, b)",
                 "scipy.linalg.solve(a, b, lower=..., assume_a=..., *, transposed: True)"
                 " -> solve(matrix_transpose(a), b)",
                 "tf.linalg.solve(matrix, rhs, adjoint: False = False) -> solve_matrix(matrix, rhs)",
                 "tf.linalg.solve(matrix, rhs, adjoint: True) -> solve_matrix(matrix_transpose(matrix), rhs)"),
             refused={"torch.solve": "PyTorch has removed it; write `torch.linalg.solve(A, B)`",
                      "torch.Tensor.solve": "PyTorch has removed it; write `torch.linalg.solve(A, B)`"},
             spellings={"latex": "#1^{-1} #2", "numpy": "np.linalg.solve(#*)", "torch": "torch.linalg.solve(#*)"},
             sought=("mldivide", "linsolve")),
    Operator("solve_vector", "A, b", "Solution x of A @ x = b.", family="inverses", hidden=True,
             written="solve(A, b)",
             analytic=True, signature="(n,n),(n)->(n)", evaluate=kernels.solve_vector,
             differential="inv(A) @ (db - dA @ y)",
             source=GILES, domain=("invertible", "real"), samples=("solve_vector(A, v)",),
             errors=("solve_vector(A, x)",),
             spellings={"latex": "#1^{-1} #2", "numpy": "np.linalg.solve(#1, #2[..., None])[..., 0]",
                        "torch": "torch.linalg.solve(#1, #2[..., None])[..., 0]"}),
    Operator("solve_matrix", "A, b", "Solution x of A @ x = b.", family="inverses", hidden=True,
             written="solve(A, b)",
             analytic=True, signature="(n,n),(n,k)->(n,k)", evaluate=np.linalg.solve,
             differential="inv(A) @ (db - dA @ y)",
             source=GILES, domain=("invertible", "real"), samples=("solve_matrix(A, X)",),
             errors=("solve_matrix(A, x)",),
             spellings={"latex": "#1^{-1} #2", "numpy": "np.linalg.solve(#*)", "torch": "torch.linalg.solve(#*)"}),
    Operator("matrix_power", "X; n", "Whole power of a square matrix, a power of the inverse for negative n.",
             family="inverses", build=_matrix_power, domain=("invertible",),
             samples=("matrix_power(A, 3)", "matrix_power(A, 0)", "matrix_power(A, -2)", "matrix_power(S, 5)"),
             errors=("matrix_power(X, 2)", "matrix_power(x, 2)", "matrix_power(A)"),
             spellings={"latex": "#1^{#2}", "numpy": "np.linalg.matrix_power(#*)",
                        "torch": "torch.linalg.matrix_power(#*)"}),

    # --- determinants
    square("det", "Determinant; the derivative is right for singular matrices too.", np.linalg.det,
           "sum(cofactor(X) * dX)", textbook="det(X) * trace(inv(X) @ dX)",
           family="determinants", to="()", analytic=True, aliases=("determinant",),
           source="Magnus & Neudecker, Matrix Differential Calculus (Jacobi's formula)"),
    square("logdet", "Log of a positive determinant, without overflow.", kernels.logdet, "trace(inv(X) @ dX)",
           family="determinants", to="()", source=GILES, domain=("spd",), errors=("logdet(x)", "logdet(X)"),
           samples=("logdet(A)", "logdet(S)", "logdet(A @ B)"),
           spellings={"latex": r"\log\det\left(#1\right)", "numpy": "np.linalg.slogdet(#1)[1]",
                      "torch": "torch.logdet(#1)"},
             sought=("log_determinant", "logdeterminant", "log_abs_det")),
    square("slogdet", "Sign of the determinant and log of its absolute value.", np.linalg.slogdet,
           ("0 * trace(dX)", "trace(inv(X) @ dX)"), family="determinants", to="(),()", source=GILES,
           domain=("invertible",), samples=("slogdet(A)[0]", "slogdet(A)[1]", "slogdet(S)[1]"),
           errors=("slogdet(X)",), sought=("logabsdet",)),
    # A cofactor is the determinant of a matrix with one row replaced, so its derivative is again made of cofactors.
    square("cofactor", "The matrix of cofactors: the gradient of the determinant.", kernels.cofactor,
           "einsum('ijkl,ik,kl->ij', cofactor(rows_replaced(X)), 1 - identity_like(X), dX)", family="determinants",
           keeps_symmetry=True, errors=("cofactor(X)",), regular="det(X) * inv(X).T", condition="det(X) != 0",
           source="Magnus & Neudecker, Matrix Differential Calculus (Jacobi's formula)",
           spellings={**NOWHERE, "latex": r"\operatorname{cof}\left(#1\right)"}),
    Operator("rows_replaced", "X", "The matrices X with row i replaced by the unit vector e_j.",
             family="determinants", build=_rows_replaced, hidden=True, samples=("rows_replaced(A)",),
             errors=("rows_replaced(X)",), spellings=NOWHERE,
             written="X - einsum('ij,ik->ijk', eye(count(X, axis=-1)), X)[:, None]"
                     " + einsum('ik,jl->ijkl', eye(count(X, axis=-1)), eye(count(X, axis=-1)))"),
)
