"""Decompositions: Cholesky, eigenvalues of symmetric matrices, singular values.

Cholesky and the symmetric eigenvalue operators act on the symmetric part (X + X.T)/2, so their derivatives are
symmetric too. The rules of eigenvectors and singular vectors divide by the gaps between eigenvalues or singular
values; where two are equal that pair of vectors is not determined, and its share is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..graph.operator import Operator
from . import kernels

MAGNUS = "Magnus & Neudecker, Matrix Differential Calculus"
TOWNSEND = "Townsend 2016, Differentiating the singular value decomposition"

# Vectors that belong to equal values are not determined, and single values have a kink there.
_EQUAL = "(min(abs({0}[1:] - {0}[:-1])) <= 1e-12 * max(abs({0})))"
_LEFT_OUT = "some of its values are equal, and terms between them are left out"
# And singular values have one at 0.
_ZERO = " + (min({0}) <= 1e-13 * max({0}))"
# What separates two values, and a value from 0, counts where it is more than rounding.
_APART = "d = {0} - {0}[:, None]; apart = where(abs(d) > 1e-12 * max(abs({0})), d, 0 * d)"
_PRESENT = "where({0} > 1e-13 * max({0}), {0}, 0 * {0})"

# P holds the change of X seen from both sides, R how it leaves the column space (of X, or of X.T), which is nothing
# where the vectors fill the space.
_GAPS = (
    f"{_APART.format('y1')}; gaps = reciprocal_or_zero(apart * (y1 + y1[:, None])); P = y0.T @ dX @ y2.T;"
    f" inverse = reciprocal_or_zero({_PRESENT.format('y1')})"
)
_LEFT = f"{_GAPS}; R = dX @ y2.T - y0 @ P; y0 @ (gaps * (P * y1 + y1[:, None] * P.T)) + R * inverse"
_RIGHT = (
    f"{_GAPS}; R = y0.T @ dX - P @ y2;"
    " (gaps * (y1[:, None] * P + P.T * y1)).T @ y2 + inverse[:, None] * R"
)


def decomposition(
    name: str, signature: str, doc: str, evaluate: Callable[..., Any], differential: str | tuple[str, ...], *,
    parameters: str = "X", values: str = "", zero: bool = False, of: str = "#1", **fields: Any,
) -> Operator:
    """Return a decomposition; `values` must differ, and not be zero where that counts; libraries decompose `of`."""
    text = (_EQUAL + (_ZERO if zero else "")).format(values)
    kink: dict[str, Any] = {"kink": text, "at_kink": _LEFT_OUT, "once": True} if values else {}
    own = {"numpy": f"np.linalg.{name}({of})", "torch": f"torch.linalg.{name}({of})"}
    return Operator(
        name, parameters, doc, family="decompositions", signature=signature, evaluate=kernels.of_finite(evaluate),
        differential=differential, **({"spellings": own} | kink | fields),
    )


def _of_symmetric_part(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda X: function(kernels.symmetric_part(X))


_UPPER = "matrix_transpose(cholesky({0}))"

# The default of most libraries is the decomposition with square factors.
_SVD = (
    *(f"{name}({operand}, full_matrices=..., *, compute_uv: False{more}) -> svdvals({operand})"
      for name, operand, more in (("np.linalg.svd", "a", ", hermitian=False"), ("tf.linalg.svd", "tensor", ""))),
    *(f"{name}({operand}, full_matrices: {full}{default}{more}) -> {own}({operand})"
      for name, operand, more in (("np.linalg.svd", "a", ", compute_uv: True = True, hermitian=False"),
                                  ("scipy.linalg.svd", "a", ", compute_uv: True = True, overwrite_a=...,"
                                                            " check_finite=..., lapack_driver=..."),
                                  ("torch.linalg.svd", "A", ", *, driver=..."))
      for full, default, own in ((True, " = True", "full_svd"), (False, "", "svd"))),
    "scipy.linalg.svd(a, full_matrices=..., *, compute_uv: False, lapack_driver=...) -> svdvals(a)",
    *(f"{name}.svd(a, full_matrices=..., compute_uv: False = False) -> svdvals(a)"
      for name in ("np.linalg", "scipy.linalg")),
    "torch.svd(input, some: True = True, compute_uv: True = True)"
    " -> (svd(input)[0], svd(input)[1], matrix_transpose(svd(input)[2]))",
    "tf.linalg.svd(tensor, full_matrices: False = False, compute_uv: True = True)"
    " -> (svd(tensor)[1], svd(tensor)[0], matrix_transpose(svd(tensor)[2]))",
)

ENTRIES = (
    # --- symmetric matrices
    decomposition("cholesky", "(n,n)->(n,n)", "Lower triangular L with L @ L.T equal to the symmetric part of X.",
                  _of_symmetric_part(np.linalg.cholesky), "y @ (lower_half(X) * (inv(y) @ (dX + dX.T) @ inv(y).T)) / 2",
                  source="Murray 2016, Differentiation of the Cholesky decomposition", domain=("spd",),
                  of="symmetric_part(#1)", samples=("cholesky(A)", "cholesky(S)"),
                  errors=("cholesky(x)", "cholesky(X)"),
                  # SciPy's is the upper factor where nothing is said.
                  libraries=(
                      *(f"{name}({operand}{by_name}, upper: {upper}) -> {factor.format(operand)}"
                        for name, operand, by_name in (
                            ("np.linalg.cholesky", "a", ", *"), ("torch.linalg.cholesky", "A", ", *"),
                            ("torch.cholesky", "input", ""), ("cholesky", "X", ", *"))
                        for upper, factor in (("False = False", "cholesky({0})"), ("True", _UPPER))),
                      "torch.linalg.cholesky_ex(A, *, upper: False = False, check_errors=...) -> (cholesky(A),)",
                      "torch.linalg.cholesky_ex(A, *, upper: True, check_errors=...)"
                      " -> (matrix_transpose(cholesky(A)),)",
                      *(f"{name}, lower: {lower}) -> {factor.format('a')}"
                        for name in ("scipy.linalg.cholesky(a", "cholesky(a, *")
                        for lower, factor in (("True", "cholesky({0})"), ("False = False", _UPPER))))),
    decomposition("eigvalsh", "(n,n)->(n)", "Eigenvalues of the symmetric part of X, ascending.",
                  _of_symmetric_part(np.linalg.eigvalsh), "V = eigh(X)[1]; diagonal(V.T @ dX @ V)",
                  values="y", source=MAGNUS, domain=("symmetric",), of="symmetric_part(#1)",
                  samples=("eigvalsh(A)", "eigvalsh(S)"), errors=("eigvalsh(x)", "eigvalsh(X)"),
                  libraries=("np.linalg.eigvalsh(a, UPLO='L', *, symmetrize_input=...) -> eigvalsh(a)",
                             "torch.linalg.eigvalsh(A, UPLO='L') -> eigvalsh(A)",
                             "scipy.linalg.eigvalsh(a, b=None, *, lower=..., driver=...) -> eigvalsh(a)")),
    decomposition("eigh", "(n,n)->(n),(n,n)",
                  "Eigenvalues, ascending, and eigenvectors (columns) of the symmetric part of X.",
                  _of_symmetric_part(np.linalg.eigh),
                  ("einsum('ik,ij,jk->k', y1, dX, y1)",
                   f"{_APART.format('y0')}; y1 @ (reciprocal_or_zero(apart) * (y1.T @ (dX + dX.T) @ y1)) / 2"),
                  values="eigh(X)[0]", source=MAGNUS, domain=("symmetric",), of="symmetric_part(#1)",
                  samples=("eigh(A)[0]", "abs(eigh(A)[1])", "square(eigh(S)[1])"), errors=("eigh(x)", "eigh(X)"),
                  libraries=("np.linalg.eigh(a, UPLO='L', symmetrize_input=...) -> eigh(a)",
                             "torch.linalg.eigh(A, UPLO='L') -> eigh(A)",
                             "scipy.linalg.eigh(a, b=None, *, lower=..., eigvals_only: False = False, driver=...)"
                             " -> eigh(a)",
                             "scipy.linalg.eigh(a, b=None, *, lower=..., eigvals_only: True, driver=...)"
                             " -> eigvalsh(a)")),

    # --- singular values
    decomposition("svdvals", "(m,n)->(m|n)", "Singular values, descending.", partial(np.linalg.svd, compute_uv=False),
                  "U = svd(X)[0]; V = svd(X)[2].T; diagonal(U.T @ dX @ V)", values="y", zero=True, source=TOWNSEND,
                  samples=("svdvals(X)", "svdvals(X.T)", "svdvals(A)", "svdvals(T)"), errors=("svdvals(x)",)),
    decomposition("svd", "(m,n)->(m,m|n),(m|n),(m|n,n)",
                  "Thin singular value decomposition: U, the singular values s, and Vh with X = U @ diag(s) @ Vh.",
                  partial(np.linalg.svd, full_matrices=False), (_LEFT, "einsum('ik,ij,kj->k', y0, dX, y2)", _RIGHT),
                  parameters="X; full_matrices=False", fixed=("full_matrices",), values="svd(X)[1]", zero=True,
                  source=TOWNSEND,
                  of="#1, full_matrices=False",
                  samples=("svd(X)[1]", "abs(svd(X, full_matrices=False)[0])", "abs(svd(X)[2])", "abs(svd(X.T)[0])",
                           "abs(svd(A)[2])", "square(svd(T)[0])"),
                  errors=("svd(x)", "svd(X, full_matrices=True)", "svd(X, True)"), libraries=_SVD),
    # With s[i] + s[j] in place of gaps: the polar factor is smooth where singular values meet.
    decomposition("polar_factor", "(m,n)->(m,n)",
                  "Orthogonal factor U @ Vh of the polar decomposition, for U, s, Vh = svd(X) where no s is 0.",
                  kernels.polar_factor,
                  f"U = svd(X)[0]; t = svd(X)[1]; s = {_PRESENT.format('t')}; Vh = svd(X)[2]; P = U.T @ dX @ Vh.T;"
                  " U @ (reciprocal_or_zero(s + s[:, None]) * (P - P.T)) @ Vh"
                  " + (dX @ Vh.T - U @ P) * reciprocal_or_zero(s) @ Vh"
                  " + U * reciprocal_or_zero(s) @ (U.T @ dX - P @ Vh)",
                  source="Higham 2008, Functions of Matrices, 8", regular="svd(X)[0] @ svd(X)[2]",
                  samples=("polar_factor(X)", "polar_factor(X.T)", "polar_factor(A)"),
                  errors=("polar_factor(x)",),
                  libraries=("scipy.linalg.polar(a, side: 'right' = 'right') -> "
                             "(polar_factor(a), matrix_transpose(polar_factor(a)) @ a)",
                             "scipy.linalg.polar(a, side: 'left') -> "
                             "(polar_factor(a), a @ matrix_transpose(polar_factor(a)))"),
                  spellings={"latex": r"\operatorname{polar}\left(#1\right)", "numpy": None, "torch": None}),
)
