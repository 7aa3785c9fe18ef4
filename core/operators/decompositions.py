"""Decompositions: Cholesky, eigenvalues of symmetric matrices, singular values.

Cholesky and the symmetric eigenvalue operators act on the symmetric part (X + X.T)/2, so their derivatives are
symmetric too. The rules of eigenvectors and singular vectors divide by the gaps between eigenvalues or singular
values; where two are equal that pair of vectors is not determined, and its share is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.catalogue import enter
from ..graph.operator import Operator


def symmetric_part(X: Any) -> Any:
    """Return (X + X.T)/2 for the matrices in the last two axes."""
    return (X + np.swapaxes(X, -1, -2)) / 2


def _cholesky_reference(X: Any) -> Any:
    """Return the factor row by row, as Cholesky and Banachiewicz wrote it down."""
    X = symmetric_part(X)
    L = np.zeros_like(X)
    for i in range(len(X)):
        for j in range(i + 1):
            rest = X[i, j] - L[i, :j] @ L[j, :j]
            L[i, j] = np.sqrt(rest) if i == j else rest / L[j, j]
    return L


def _svd(X: Any, full_matrices: bool = False) -> Any:
    return np.linalg.svd(X, full_matrices=False)


def _polar_factor(X: Any) -> Any:
    U, s, Vh = np.linalg.svd(X, full_matrices=False)
    present = s > 1e-13 * np.max(s, axis=-1, keepdims=True, initial=0.0)
    return (U * present[..., None, :]) @ Vh


def _eigvalsh_reference(X: Any) -> Any:
    return np.sort(np.linalg.eigvals(symmetric_part(X)).real)


def _eigh_reference(X: Any) -> Any:
    """Return eigenvalues from the general solver, and each eigenvector as a null vector; signs are free."""
    X = symmetric_part(X)
    w = _eigvalsh_reference(X)
    return w, np.array([np.linalg.svd(X - value * np.eye(len(X)))[2][-1] for value in w]).T


def _svd_reference(X: Any) -> Any:
    """Return the decomposition by way of the eigenvectors of the smaller Gram matrix; signs are free."""
    if X.shape[0] < X.shape[1]:
        U, s, Vh = _svd_reference(X.T)
        return Vh.T, s, U.T
    w, V = np.linalg.eigh(X.T @ X)
    s, V = np.sqrt(w[::-1]), V[:, ::-1]
    return X @ V / s, s, V.T


def _polar_reference(X: Any) -> Any:
    """Return X times the inverse square root of its smaller Gram matrix."""
    if X.shape[0] < X.shape[1]:
        return _polar_reference(X.T).T
    w, V = np.linalg.eigh(X.T @ X)
    return X @ (V / np.sqrt(w)) @ V.T


enter(Operator("cholesky", "X", "Lower triangular L with L @ L.T equal to the symmetric part of X.",
               family="decompositions", signature="(n,n)->(n,n)",
               evaluate=lambda X: np.linalg.cholesky(symmetric_part(X)), reference=_cholesky_reference,
               differential="y @ (lower_half(X) * (inv(y) @ (dX + dX.T) @ inv(y).T)) / 2",
               source="Murray 2016, Differentiation of the Cholesky decomposition", domain=("spd",),
               samples=("cholesky(A)", "cholesky(S)"), errors=("cholesky(x)", "cholesky(X)"),
               spellings={"numpy": "np.linalg.cholesky(symmetric_part(#1))",
                          "torch": "torch.linalg.cholesky(symmetric_part(#1))"}))


# Vectors that belong to equal values are not determined, and single values have a kink there.
_EQUAL = "min(abs({0}[1:] - {0}[:-1])) <= 1e-12 * max(abs({0}))"
_LEFT_OUT = "some of its values are equal, and terms between them are left out"


# --- symmetric eigenvalues -------------------------------------------------------------------------------------------

enter(Operator("eigvalsh", "X", "Eigenvalues of the symmetric part of X, ascending.", family="decompositions",
               signature="(n,n)->(n)", evaluate=lambda X: np.linalg.eigvalsh(symmetric_part(X)),
               reference=_eigvalsh_reference, differential="V = eigh(X)[1]; einsum('ik,ij,jk->k', V, dX, V)",
               kink=_EQUAL.format("y"), at_kink=_LEFT_OUT,
               source="Magnus & Neudecker, Matrix Differential Calculus", domain=("symmetric",),
               samples=("eigvalsh(A)", "eigvalsh(S)"), errors=("eigvalsh(x)", "eigvalsh(X)"),
               spellings={"numpy": "np.linalg.eigvalsh(symmetric_part(#1))",
                          "torch": "torch.linalg.eigvalsh(symmetric_part(#1))"}))
enter(Operator("eigh", "X", "Eigenvalues, ascending, and eigenvectors (columns) of the symmetric part of X.",
               family="decompositions", signature="(n,n)->(n),(n,n)",
               evaluate=lambda X: np.linalg.eigh(symmetric_part(X)),
               differential=(
                   "einsum('ik,ij,jk->k', y1, dX, y1)",
                   "gaps = reciprocal_or_zero(y0 - y0[:, None]); y1 @ (gaps * (y1.T @ (dX + dX.T) @ y1)) / 2",
               ),
               source="Magnus & Neudecker, Matrix Differential Calculus", domain=("symmetric",),
               kink=_EQUAL.format("eigh(X)[0]"), at_kink=_LEFT_OUT, reference=_eigh_reference,
               errors=("eigh(x)", "eigh(X)"),
               samples=("eigh(A)[0]", "abs(eigh(A)[1])", "square(eigh(S)[1])"),
               spellings={"numpy": "np.linalg.eigh(symmetric_part(#1))",
                          "torch": "torch.linalg.eigh(symmetric_part(#1))"}))


# --- singular values -------------------------------------------------------------------------------------------------

# P holds the change of X seen from both sides, R how it leaves the column space (of X, or of X.T), which is nothing
# where the vectors fill the space.
_GAPS = "gaps = reciprocal_or_zero((y1 - y1[:, None]) * (y1 + y1[:, None])); P = y0.T @ dX @ y2.T"
_LEFT = f"{_GAPS}; R = dX @ y2.T - y0 @ P; y0 @ (gaps * (P * y1 + y1[:, None] * P.T)) + R * reciprocal_or_zero(y1)"
_RIGHT = (
    f"{_GAPS}; R = y0.T @ dX - P @ y2;"
    " (gaps * (y1[:, None] * P + P.T * y1)).T @ y2 + reciprocal_or_zero(y1)[:, None] * R"
)

enter(Operator("svd", "X; full_matrices=False",
               "Thin singular value decomposition: U, the singular values s, and Vh with X = U @ diag(s) @ Vh.",
               family="decompositions", signature="(m,n)->(m,m|n),(m|n),(m|n,n)", evaluate=_svd,
               differential=(_LEFT, "einsum('ik,ij,kj->k', y0, dX, y2)", _RIGHT),
               source="Townsend 2016, Differentiating the singular value decomposition",
               kink=_EQUAL.format("svd(X)[1]"), at_kink=_LEFT_OUT, reference=_svd_reference, errors=("svd(x)",),
               samples=("svd(X)[1]", "abs(svd(X)[0])", "abs(svd(X)[2])", "abs(svd(X.T)[0])", "abs(svd(A)[2])",
                        "square(svd(T)[0])"),
               spellings={"numpy": "np.linalg.svd(#1, full_matrices=False)",
                          "torch": "torch.linalg.svd(#1, full_matrices=False)"}))
enter(Operator("svdvals", "X", "Singular values, descending.", family="decompositions", signature="(m,n)->(m|n)",
               evaluate=lambda X: np.linalg.svd(X, compute_uv=False),
               differential="einsum('ik,ij,kj->k', svd(X)[0], dX, svd(X)[2])",
               kink=_EQUAL.format("y"), at_kink=_LEFT_OUT,
               source="Townsend 2016, Differentiating the singular value decomposition",
               reference=lambda X: np.sqrt(np.linalg.eigvalsh(X @ X.T if X.shape[0] < X.shape[1] else X.T @ X)[::-1]),
               samples=("svdvals(X)", "svdvals(X.T)", "svdvals(A)", "svdvals(T)"), errors=("svdvals(x)",),
               spellings={"numpy": "np.linalg.svdvals(#1)", "torch": "torch.linalg.svdvals(#1)"}))
# With s[i] + s[j] in place of gaps: the polar factor is smooth where singular values meet.
enter(Operator("polar_factor", "X", "U @ Vh of the singular value decomposition, without vanishing singular values.",
               family="decompositions", signature="(m,n)->(m,n)", evaluate=_polar_factor, hidden=True,
               differential="U = svd(X)[0]; s = svd(X)[1]; Vh = svd(X)[2]; P = U.T @ dX @ Vh.T;"
                            " U @ (reciprocal_or_zero(s + s[:, None]) * (P - P.T)) @ Vh"
                            " + (dX @ Vh.T - U @ P) * reciprocal_or_zero(s) @ Vh"
                            " + U * reciprocal_or_zero(s) @ (U.T @ dX - P @ Vh)",
               reference=_polar_reference,
               samples=("polar_factor(X)", "polar_factor(X.T)", "polar_factor(A)"), errors=("polar_factor(x)",),
               spellings={"latex": r"\operatorname{polar}\left(#1\right)",
                          "numpy": "polar_factor(#1)",
                          "torch": "polar_factor(#1)"}))
