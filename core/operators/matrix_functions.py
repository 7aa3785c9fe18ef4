"""Functions of square matrices, by power series and not entry by entry; further factorizations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..elaboration.elaborate import elaborate_text
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import require_rank
from . import equation_kernels as kernels
from . import kernels as elementary
from .decompositions import _EQUAL, _LEFT_OUT, MAGNUS
from .inverses import square

HIGHAM = "Higham 2008, Functions of Matrices, Theorem 3.6"
WALTER = "Walter, Lehmann & Lamour 2012, On evaluating higher-order derivatives of the QR decomposition"

_FRECHET = "scipy.linalg.expm_frechet(A, E, method=..., check_finite=..., *, "
_NO_SCHUR = "matgrad has no Schur form: write `eigh(X)` for a symmetric matrix, `eig(X)` for others"
_ROTATION = "k = count(y1, axis=0); D = dX[:, :k] @ inv(y1[:, :k]); M = y0.T @ D; L = tril(M, -1)"
# The exponential of [[0, -X], [X, 0]] is [[cos(X), -sin(X)], [sin(X), cos(X)]].
_TURNED = (
    "n = count(X, axis=-1); Z = zeros_like(X);"
    " expm(concatenate([concatenate([Z, -X], axis=-1), concatenate([X, Z], axis=-1)], axis=-2))"
)
_NO_JAX = {"torch": None, "jax": None}


def matrix_function(
    name: str, doc: str, evaluate: Callable[..., Any], along: Callable[..., Any], slope: str, **fields: Any
) -> tuple[Operator, Operator]:
    """Return a function of matrices and its Fréchet derivative; `slope` is the derivative of the function of numbers.

    The derivative of f at X along E is the upper right block of f([[X, E], [0, X]]). It is linear in E, its adjoint is
    the derivative at X.T, and it is differentiated by the same theorem.
    """
    frechet = f"{name}_frechet"
    return (
        square(name, doc, evaluate, f"{frechet}(X, dX)", keeps_symmetry=True, source=HIGHAM,
               errors=(f"{name}(x)", f"{name}(X)"), **fields),
        Operator(frechet, "X, E", f"Fréchet derivative of {name} at X along E (needs SciPy).",
                 family="matrix functions", signature="(n,n),(n,n)->(n,n)", evaluate=along,
                 adjoint=f"{frechet}(X.mT, g)",
                 differential="n = count(X, axis=0); Z = zeros_like(X); B = vstack([hstack([X, E]), hstack([Z, X])]);"
                              f" dB = vstack([hstack([dX, Z]), hstack([Z, dX])]); L = {frechet}(B, dB); L[:n, n:]",
                 commuting=f"E @ {slope}", source=HIGHAM, analytic=fields.get("analytic", False),
                 domain=fields.get("domain", ()), samples=(f"{frechet}(A, B)", f"{frechet}(S, A)"),
                 errors=(f"{frechet}(A)", f"{frechet}(A, X)"),
                 spellings={**NOWHERE, "latex": rf"\operatorname{{{name}}}'\left(#*\right)"}),
    )


def derived(name: str, doc: str, definition: str, **fields: Any) -> Operator:
    """Return a function of matrices that is a formula in others."""
    return Operator(
        name, "X", f"{doc} (needs SciPy).", family="matrix functions", definition=definition, source=HIGHAM,
        errors=(f"{name}(x)", f"{name}(X)"), spellings={"numpy": f"scipy.linalg.{name}(#1)", **_NO_JAX},
        **({"samples": (f"{name}(A)", f"{name}(S)")} | fields),
    )


def _condition(X: Node, p: Any) -> Node:
    """Return the condition number in a norm, that of the spectral norm by the singular values."""
    require_rank(X.shape, 2, "cond")
    if p in (None, 2, -2):
        return elaborate_text("s = svdvals(X); s[-1]/s[0]" if p == -2 else "s = svdvals(X); s[0]/s[-1]", {"X": X})
    return elaborate_text("norm(X, p) * norm(inv(X), p)", {"X": X, "p": p})


ENTRIES = (
    # --- functions of matrices
    *matrix_function("expm", "Matrix exponential (needs SciPy).", elementary.expm, elementary.expm_frechet, "expm(X)",
                     analytic=True, aliases=("matrix_exp",),
                     libraries=(f"{_FRECHET}compute_expm: False) -> expm_frechet(A, E)",
                                f"{_FRECHET}compute_expm: True = True) -> (expm(A), expm_frechet(A, E))"),
                     spellings={"numpy": "scipy.linalg.expm(#1)", "torch": "torch.linalg.matrix_exp(#1.contiguous())",
                                "jax": "jax.scipy.linalg.expm(#1)"},
             sought=("matrix_exponential",)),
    *matrix_function("logm", "Principal logarithm of a matrix without eigenvalues on the negative axis (needs SciPy).",
                     elementary.logm, elementary.logm_frechet, "inv(X)", domain=("spd",),
                     spellings={"numpy": "scipy.linalg.logm(#1)", "torch": None, "jax": None}),
    square("sqrtm", "Principal square root of a matrix without eigenvalues on the negative axis (needs SciPy).",
           kernels.function_of_matrices("sqrtm"), "solve_sylvester(y, y, dX)", keeps_symmetry=True, domain=("spd",),
           family="matrix functions", source="Higham 2008, Functions of Matrices, Section 6.1",
           errors=("sqrtm(x)", "sqrtm(X)"),
           spellings={"latex": "#1^{1/2}", "numpy": "scipy.linalg.sqrtm(#1)", "torch": None,
                      "jax": "jnp.vectorize(jax.scipy.linalg.sqrtm, signature='(n,n)->(n,n)')(#1).real"}),
    derived("cosm", "Cosine of a matrix", f"{_TURNED}[..., :n, :n]"),
    derived("sinm", "Sine of a matrix", f"{_TURNED}[..., n:, :n]"),
    derived("tanm", "Tangent of a matrix", "solve_matrix(cosm(X), sinm(X))", samples=("tanm(A/5)",)),
    derived("coshm", "Hyperbolic cosine of a matrix", "(expm(X) + expm(-X))/2"),
    derived("sinhm", "Hyperbolic sine of a matrix", "(expm(X) - expm(-X))/2"),
    derived("tanhm", "Hyperbolic tangent of a matrix", "solve_matrix(coshm(X), sinhm(X))", samples=("tanhm(A/5)",)),
    Operator("fractional_matrix_power", "X, p", "Principal power of a matrix, expm(p * logm(X)) (needs SciPy).",
             family="matrix functions", definition="expm(p * logm(X))", domain=("spd", "real"),
             samples=("fractional_matrix_power(A, 0.5)", "fractional_matrix_power(A, a)"),
             errors=("fractional_matrix_power(X, 2)", "fractional_matrix_power(A)"),
             libraries=("scipy.linalg.fractional_matrix_power(A, t) -> fractional_matrix_power(A, t)",),
             spellings={"latex": "#1^{#2}", "numpy": "scipy.linalg.fractional_matrix_power(#*)", **_NO_JAX}),

    # --- factorizations
    # The first columns of a wide matrix decide about Q.
    Operator("qr", "X", "Q with orthonormal columns and upper triangular R, X = Q @ R, of a matrix of full rank.",
             family="decompositions", signature="(m,n)->(m,m|n),(m|n,n)", evaluate=np.linalg.qr, source=WALTER,
             differential=(f"{_ROTATION}; y0 @ (L - L.T) + D - y0 @ M", f"{_ROTATION}; y0.T @ dX - (L - L.T) @ y1"),
             samples=("abs(qr(X.T)[0])", "square(qr(X.T)[1])", "abs(qr(A)[0])", "square(qr(A)[1])", "abs(qr(X)[0])",
                      "square(qr(X)[1])", "square(qr(S)[1])"),
             errors=("qr(x)",),
             libraries=("np.linalg.qr(a, mode: 'reduced' = 'reduced') -> qr(a)",
                        "np.linalg.qr(a, mode: 'r') -> qr(a)[1]",
                        "torch.linalg.qr(A, mode: 'reduced' = 'reduced') -> qr(A)",
                        "torch.qr(input, some: True = True) -> qr(input)",
                        "jax.scipy.linalg.qr(a, overwrite_a=..., lwork=..., *, mode: 'r') -> (qr(a)[1],)",
                        "scipy.linalg.qr(a, *, mode: 'economic', overwrite_a=..., lwork=..., check_finite=...)"
                        " -> qr(a)"),
             refused={"scipy.linalg.qr": "write `qr(X)`, the factorization with mode='economic'",
                      **dict.fromkeys(("schur", "scipy.linalg.schur", "jax.scipy.linalg.schur"), _NO_SCHUR)},
             spellings={"numpy": "np.linalg.qr(#1)", "torch": "torch.linalg.qr(#1)", "jax": "jnp.linalg.qr(#1)"}),
    square("lu", "The permutation P, lower L with ones on its diagonal and upper U, X = P @ L @ U (needs SciPy).",
           kernels.lu, ("0 * dX", "y1 @ tril(inv(y1) @ y0.T @ dX @ inv(y2), -1)",
                        "triu(inv(y1) @ y0.T @ dX @ inv(y2)) @ y2"),
           to="(n,n),(n,n),(n,n)", family="decompositions", domain=("invertible",),
           source="de Hoog, Anderssen & Lukas 2011, Differentiation of matrix functionals"
                  " using triangular factorization",
           samples=("lu(A)[0]", "lu(A)[1]", "lu(A)[2]", "lu(S)[2]",
                    "lu(roll(A + 9*eye(3), 1, axis=0))[1]", "lu(roll(A + 9*eye(3), 1, axis=0))[2]"),
           errors=("lu(x)", "lu(X)"),
           libraries=("scipy.linalg.lu(a, permute_l: False = False, overwrite_a=..., check_finite=..., p_indices=...)"
                      " -> lu(a)", "torch.linalg.lu(A, *, pivot: True = True) -> lu(A)"),
           refused=dict.fromkeys(("lu_factor", "lu_unpack", "torch.lu"),
                                 "write `P, L, U = lu(A)`, and `solve(A, b)` for a system"),
           spellings={"numpy": "scipy.linalg.lu(#1)", "torch": "torch.linalg.lu(#1)",
                      "jax": "jnp.vectorize(jax.scipy.linalg.lu, signature='(n,n)->(n,n),(n,n),(n,n)')(#1)"}),
    square("eigvals", "Real eigenvalues, ascending; nan where they are not real.", kernels.eigvals,
           "V = eig(X)[1]; einsum('ki,ij,jk->k', inv(V), dX, V)", to="(n)", family="decompositions",
           kink=_EQUAL.format("y"), at_kink=_LEFT_OUT, source=MAGNUS, domain=("spd",),
           samples=("eigvals(A)", "eigvals(S)", "eigvals(A @ B)"),
           spellings={"numpy": "np.sort(np.linalg.eigvals(#1))", "torch": None, "jax": None}),
    square("eig", "Real eigenvalues, ascending, and eigenvectors of length one; nan where they are not real.",
           kernels.eig, ("einsum('ki,ij,jk->k', inv(y1), dX, y1)",
                         "C = reciprocal_or_zero(y0 - y0[:, None]) * (inv(y1) @ dX @ y1); D = y1 @ C;"
                         " D - y1 * sum(y1 * D, axis=0)"),
           to="(n),(n,n)", family="decompositions", kink=_EQUAL.format("eig(X)[0]"), at_kink=_LEFT_OUT, source=MAGNUS,
           domain=("spd",), samples=("eig(A)[0]", "abs(eig(A)[1])", "abs(eig(A @ B)[1])"),
           spellings={"numpy": None, "torch": None, "jax": None}),
    Operator("adjugate", "X", "The transposed matrix of cofactors, `det(X) * inv(X)`, at every rank.",
             family="determinants", definition="matrix_transpose(cofactor(X))", aliases=("adj",),
             samples=("adjugate(A)", "adjugate(S)"), errors=("adjugate(x)", "adjugate(X)"),
             spellings={**NOWHERE, "latex": r"\operatorname{adj}\left(#1\right)"}),
    Operator("pinvh", "X", "Moore-Penrose inverse of the symmetric part of X.", family="inverses",
             definition="pinv((X + matrix_transpose(X))/2)", samples=("pinvh(A)", "pinvh(S)"),
             errors=("pinvh(x)", "pinvh(X)"),
             libraries=("scipy.linalg.pinvh(a, atol=..., rtol=..., lower=..., check_finite=...) -> pinvh(a)",),
             spellings={"numpy": "np.linalg.pinv((#1 + #1.mT)/2, hermitian=True)",
                        "torch": "torch.linalg.pinv((#1 + #1.mT)/2, hermitian=True)",
                        "jax": "jnp.linalg.pinv((#1 + #1.mT)/2, hermitian=True)"}),
    Operator("cond", "X; p=None", "Condition number: norm(X, p) * norm(inv(X), p), the quotient of the extreme singular"
             " values for 2.", family="norms", build=_condition,
             samples=("cond(A)", "cond(A, 'fro')", "cond(A, 1)", "cond(A, inf)", "cond(A, -2)", "cond(X)"),
             errors=("cond(x)", "cond(X, 'fro')"),
             spellings={"numpy": "np.linalg.cond(#*)", "torch": "torch.linalg.cond(#*)", "jax": "jnp.linalg.cond(#*)"}),
)
