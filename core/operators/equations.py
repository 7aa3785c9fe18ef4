"""Equations whose unknown is a matrix: Sylvester, Lyapunov, Stein, Riccati; triangular systems, least squares."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..elaboration.elaborate import call
from ..elaboration.infix import plus
from ..errors import ShapeError
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import describe
from . import equation_kernels as kernels
from .axes import reshaped

KAO = "Kao & Hennequin 2020, Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations"

_SCIPY = {"torch": None, "jax": None}


def equation(name: str, parameters: str, doc: str, **fields: Any) -> Operator:
    """Return an operator whose result solves an equation."""
    spellings = {"numpy": f"scipy.linalg.{name}(#*)", **_SCIPY} | fields.pop("spellings", {})
    return Operator(name, parameters, doc, family="equations", spellings=spellings, **fields)


# With the gain K and the closed loop F = A - B @ K, a change of the data moves X by a linear equation in F.
_CONTINUOUS = (
    "K = solve_matrix(R, B.T @ y); F = A - B @ K; M = dA.T @ y + y @ dA - y @ dB @ K - K.T @ dB.T @ y;"
    " -solve_sylvester(F.T, F, M + (dQ + dQ.T)/2 + K.T @ ((dR + dR.T)/2) @ K)"
)
_DISCRETE = (
    "K = solve_matrix(R + B.T @ y @ B, B.T @ y @ A); F = A - B @ K; N = F.T @ y @ (dA - dB @ K);"
    " solve_stein(F.T, F, N + N.T + (dQ + dQ.T)/2 + K.T @ ((dR + dR.T)/2) @ K)"
)
_WEIGHTS = ("real", "real", "spd", "spd")


def _triangular_solution(A: Node, b: Node, lower: bool, unit_diagonal: bool) -> Node:
    """Return the solution with one triangle of A, under ones on the diagonal where that is asked for."""
    inner = 1 if unit_diagonal else 0
    triangle = call("tril", A, k=-inner) if lower else call("triu", A, k=inner)
    return call("solve", plus(triangle, call("identity_like", A)) if unit_diagonal else triangle, b)


def _as_matrix(A: Node, rows: Sequence[int], columns: Sequence[int], name: str) -> Node:
    if prod(rows) != prod(columns):
        message = f"`{name}` needs as many equations as unknowns, not {prod(rows)} and {prod(columns)}"
        raise ShapeError(message, sizes=(prod(rows), prod(columns)))
    return reshaped(A, (prod(rows), prod(columns)))


def _tensor_solution(A: Node, b: Node) -> Node:
    rows, unknown = A.shape[: b.rank], A.shape[b.rank :]
    if len(rows) < b.rank or not unknown:
        raise ShapeError(f"`tensorsolve`: A has the axes of b, {describe(b.shape)}, and then those of the unknown")
    for own, other in zip(rows, b.shape, strict=True):
        if own != other:
            message = f"`tensorsolve`: A begins with the axes of b, {describe(b.shape)}"
            raise ShapeError(message, sizes=(own, other))
    return reshaped(call("solve", _as_matrix(A, rows, unknown, "tensorsolve"), reshaped(b, -1)), unknown)


def _tensor_inverse(A: Node, ind: int) -> Node:
    rows, columns = A.shape[:ind], A.shape[ind:]
    if not columns:
        raise ShapeError(f"`tensorinv` with ind={ind} needs more than {ind} axes, not {describe(A.shape)}")
    return reshaped(call("inv", _as_matrix(A, rows, columns, "tensorinv")), (*columns, *rows))


ENTRIES = (
    # --- linear in the unknown
    equation("solve_sylvester", "A, B, Q", "Solution X of A @ X + X @ B = Q (needs SciPy).",
             signature="(m,m),(n,n),(m,n)->(m,n)", evaluate=kernels.solve_sylvester, source=KAO,
             differential="-solve_sylvester(A, B, dA @ y + y @ dB)", adjoint="solve_sylvester(A.mT, B.mT, g)",
             domain=("spd", "spd", "real"), aliases=("sylvester",),
             libraries=("scipy.linalg.solve_sylvester(a, b, q) -> solve_sylvester(a, b, q)",),
             samples=("solve_sylvester(A, B, exp(A) @ B)", "solve_sylvester(A, A.T, B)", "solve_sylvester(S, A, B)"),
             errors=("solve_sylvester(A, X, B)", "solve_sylvester(A, B)", "solve_sylvester(A, B, X)")),
    equation("solve_stein", "A, B, Q", "Solution X of X - A @ X @ B = Q (needs SciPy).",
             signature="(m,m),(n,n),(m,n)->(m,n)", evaluate=kernels.solve_stein, source=KAO,
             differential="solve_stein(A, B, dA @ y @ B + A @ y @ dB)", adjoint="solve_stein(A.mT, B.mT, g)",
             samples=("solve_stein(A/9, B/9, B)", "solve_stein(S/9, A/9, B)"),
             errors=("solve_stein(A, X, B)", "solve_stein(A, B)"), spellings=NOWHERE),
    equation("solve_lyapunov", "A, Q", "Solution X of A @ X + X @ A.T = Q (needs SciPy).",
             definition="solve_sylvester(A, matrix_transpose(A), Q)", domain=("spd", "real"),
             aliases=("solve_continuous_lyapunov",), source=KAO,
             libraries=("scipy.linalg.solve_continuous_lyapunov(a, q) -> solve_lyapunov(a, q)",
                        "scipy.linalg.solve_lyapunov(a, q) -> solve_lyapunov(a, q)"),
             samples=("solve_lyapunov(A, B)", "solve_lyapunov(S, B)"),
             errors=("solve_lyapunov(A, X)", "solve_lyapunov(A)")),
    equation("solve_discrete_lyapunov", "A, Q", "Solution X of A @ X @ A.T - X + Q = 0 (needs SciPy).",
             definition="solve_stein(A, matrix_transpose(A), Q)", source=KAO, aliases=("dlyap",),
             libraries=("scipy.linalg.solve_discrete_lyapunov(a, q, method=...) -> solve_discrete_lyapunov(a, q)",),
             samples=("solve_discrete_lyapunov(A/9, B)",),
             errors=("solve_discrete_lyapunov(A, X)", "solve_discrete_lyapunov(A)")),

    # --- quadratic in the unknown
    equation("solve_continuous_are", "A, B, Q, R",
             "Stabilizing solution X of A.T @ X + X @ A - X @ B @ inv(R) @ B.T @ X + Q = 0, for the symmetric parts of"
             " Q and R (needs SciPy).",
             signature="(n,n),(n,m),(n,n),(m,m)->(n,n)", evaluate=kernels.solve_continuous_are, source=KAO,
             differential=_CONTINUOUS, domain=_WEIGHTS, aliases=("care",),
             libraries=("scipy.linalg.solve_continuous_are(a, b, q, r, e: None = None, s: None = None, balanced=...)"
                        " -> solve_continuous_are(a, b, q, r)",),
             samples=("solve_continuous_are(A, A + 2*eye(3), B, B + eye(3))", "solve_continuous_are(A, X, B, eye(4))"),
             errors=("solve_continuous_are(A, B, A)", "solve_continuous_are(A, X, A, A)")),
    equation("solve_discrete_are", "A, B, Q, R",
             "Stabilizing solution X of A.T @ X @ A - X - A.T @ X @ B @ inv(R + B.T @ X @ B) @ B.T @ X @ A + Q = 0, for"
             " the symmetric parts of Q and R (needs SciPy).",
             signature="(n,n),(n,m),(n,n),(m,m)->(n,n)", evaluate=kernels.solve_discrete_are, source=KAO,
             differential=_DISCRETE, domain=_WEIGHTS, aliases=("dare", "solve_riccati"),
             libraries=("scipy.linalg.solve_discrete_are(a, b, q, r, e: None = None, s: None = None, balanced=...)"
                        " -> solve_discrete_are(a, b, q, r)",),
             samples=("solve_discrete_are(A, A + 2*eye(3), B, B + eye(3))", "solve_discrete_are(A, X, B, eye(4))"),
             errors=("solve_discrete_are(A, B, A)", "solve_discrete_are(A, X, A, A)")),

    # --- systems of equations

    # --- triangular systems, least squares, tensors
    equation("solve_triangular", "A, b; lower=False, unit_diagonal=False",
             "Solution x of A @ x = b, where only the upper (or the lower) triangle of A is read.",
             build=_triangular_solution, domain=("invertible", "real"), samples=(
                 "solve_triangular(A, v)", "solve_triangular(A, X)", "solve_triangular(A, v, lower=True)",
                 "solve_triangular(A, X, lower=True, unit_diagonal=True)", "solve_triangular(S, v)"),
             errors=("solve_triangular(X, v)", "solve_triangular(A, x)", "solve_triangular(A)"),
             libraries=(
                 *(f"scipy.linalg.solve_triangular(a, b, trans: {trans}, lower=False, unit_diagonal=False,"
                   f" overwrite_b=..., check_finite=...) -> {own}"
                   for trans, own in (("0 = 0", "solve_triangular(a, b, lower, unit_diagonal)"),
                                      ("1", "solve_triangular_transposed(a, b, lower, unit_diagonal)"),
                                      ("'T'", "solve_triangular_transposed(a, b, lower, unit_diagonal)"))),
                 *(f"torch.linalg.solve_triangular(A, B, *, upper: {upper}, left: True = True, unitriangular=False)"
                   f" -> solve_triangular(A, B, {lower}, unitriangular)"
                   for upper, lower in ((True, False), (False, True))),
                 *(f"torch.triangular_solve(b, A, upper: {upper}, transpose: False = False, unitriangular=False)"
                   f" -> (solve_triangular(A, b, {lower}, unitriangular), A)"
                   for upper, lower in (("True = True", False), ("False", True)))),
             spellings={"numpy": "scipy.linalg.solve_triangular(#*)", "torch": None, "jax": None}),
    equation("solve_triangular_transposed", "A, b; lower=False, unit_diagonal=False",
             "Solution x of A.T @ x = b, where only one triangle of A is read.", hidden=True,
             written="solve_triangular(A.T, b)",
             build=lambda A, b, lower, unit_diagonal: _triangular_solution(
                 call("matrix_transpose", A), b, not lower, unit_diagonal),
             domain=("invertible", "real"), samples=("solve_triangular_transposed(A, v)",),
             errors=("solve_triangular_transposed(X, v)",), spellings=NOWHERE),
    equation("cho_solve", "L, b", "Solution x of L @ L.T @ x = b, for the lower factor L that `cholesky` gives.",
             definition="solve(matrix_transpose(tril(L)), solve(tril(L), b))", domain=("invertible", "real"),
             aliases=("cholesky_solve_lower",),
             samples=("cho_solve(cholesky(A @ A.T + eye(3)), v)", "cho_solve(A, X)"),
             errors=("cho_solve(X, v)", "cho_solve(A, x)"),
             libraries=(
                 *(f"{name}cho_factor(a, lower: {given}, overwrite_a=..., check_finite=...) -> ({own}, {lower})"
                   for name in ("scipy.linalg.", "")
                   for given, lower, own in (("False = False", 0, "matrix_transpose(cholesky(a))"),
                                             ("True", 1, "cholesky(a)"))),
                 *(f"{name}, b, overwrite_b=..., check_finite=...) -> solve_by_factor(c[0], b, c[1])"
                   for name in ("scipy.linalg.cho_solve(c", "cho_solve(c: pair")),
                 "torch.cholesky_solve(B, L, upper: False = False) -> cho_solve(L, B)",
                        "torch.cholesky_solve(B, L, upper: True) -> cho_solve(matrix_transpose(L), B)"),
             spellings={"numpy": "scipy.linalg.cho_solve((#1, True), #2)", "torch": None,
                        "jax": "jax.scipy.linalg.cho_solve((#1, True), #2)"}),
    equation("solve_by_factor", "c, b; lower", "Solution for a Cholesky factor, which is the lower one, or the upper.",
             build=lambda c, b, lower: call("cho_solve", c if lower else call("matrix_transpose", c), b), hidden=True,
             written="cho_solve(c, b)", domain=("invertible", "real"), samples=("solve_by_factor(A, v, 1)",
                                                                                "solve_by_factor(A, v, 0)"),
             errors=("solve_by_factor(X, v, 1)",), spellings=NOWHERE),
    equation("lstsq", "A, b", "Least squares solution x of A @ x = b, the shortest one, where the rank does not change"
             " nearby.", definition="matmul(pinv(A), b)",
             samples=("lstsq(X.T, x)", "lstsq(X, v)", "lstsq(A, X)"), errors=("lstsq(X, x)", "lstsq(A)"),
             libraries=(
                 "np.linalg.lstsq(a, b, rcond=...) -> (lstsq(a, b), sum((matmul(a, lstsq(a, b)) - b)**2, axis=0),"
                 " minimum(count(a, axis=0), count(a, axis=1)), svdvals(a))",
                 "scipy.linalg.lstsq(a, b, cond=..., overwrite_a=..., overwrite_b=..., check_finite=...,"
                 " lapack_driver=...) -> (lstsq(a, b), sum((matmul(a, lstsq(a, b)) - b)**2, axis=0),"
                 " minimum(count(a, axis=0), count(a, axis=1)), svdvals(a))",
                 "torch.linalg.lstsq(A, B, rcond=..., *, driver=...) -> (lstsq(A, B),)"),
             source="Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares problems"
                    " whose variables separate",
             spellings={"numpy": "np.linalg.lstsq(#1, #2)[0]", "torch": None, "jax": "jnp.linalg.lstsq(#1, #2)[0]"},
             sought=("lm", "ols", "least_squares")),
    equation("tensorsolve", "A, b", "Solution x of tensordot(A, x, axes=x.ndim) = b.", build=_tensor_solution,
             samples=("tensorsolve(reshape(A, (3, 1, 3)), reshape(v, (3, 1)))", "tensorsolve(A, v)"),
             errors=("tensorsolve(X, v)", "tensorsolve(A, x)"), domain=("invertible", "real"),
             libraries=("np.linalg.tensorsolve(a, b, axes: None = None) -> tensorsolve(a, b)",
                        "torch.linalg.tensorsolve(A, B, dims: None = None) -> tensorsolve(A, B)"),
             spellings={"numpy": "np.linalg.tensorsolve(#*)", "torch": "torch.linalg.tensorsolve(#*)",
                        "jax": "jnp.linalg.tensorsolve(#*)"}),
    equation("tensorinv", "A; ind=2", "Inverse of the linear map that takes the last axes of A to the first `ind`.",
             build=_tensor_inverse, samples=("tensorinv(A, ind=1)", "tensorinv(reshape(A, (3, 1, 3)))"),
             errors=("tensorinv(X, ind=1)", "tensorinv(T)"), domain=("invertible",),
             spellings={"numpy": "np.linalg.tensorinv(#*)", "torch": "torch.linalg.tensorinv(#*)",
                        "jax": "jnp.linalg.tensorinv(#*)"}),
)
