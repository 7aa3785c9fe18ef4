"""Norms of vectors and matrices: `norm` picks by the order; each kind has its own operator or definition."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any

import numpy as np

from ..elaboration.elaborate import call, elaborate_text
from ..errors import ExpressionError, RankError
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import describe, normalize_axis
from . import kernels
from .axes import reshaped

_VECTOR_NORMS = {
    None: "euclidean_norm(x, axis=axis, keepdims=keepdims)",
    2: "euclidean_norm(x, axis=axis, keepdims=keepdims)",
    1: "sum(abs(x), axis=axis, keepdims=keepdims)",
    0: "sum(x != 0, axis=axis, keepdims=keepdims)",
    inf: "max(abs(x), axis=axis, keepdims=keepdims)",
    -inf: "min(abs(x), axis=axis, keepdims=keepdims)",
}
# Here the matrices are in the last two axes.
_MATRIX_NORMS = {
    None: "euclidean_norm(X, axis=(-2, -1))",
    "fro": "euclidean_norm(X, axis=(-2, -1))",
    "nuc": "nuclear_norm(X)",
    1: "max(sum(abs(X), axis=-2), axis=-1)",
    -1: "min(sum(abs(X), axis=-2), axis=-1)",
    inf: "max(sum(abs(X), axis=-1), axis=-1)",
    -inf: "min(sum(abs(X), axis=-1), axis=-1)",
    2: "max(svdvals(X), axis=-1)",
    -2: "min(svdvals(X), axis=-1)",
}


def _norm(x: Node, ord: Any, axis: Any, keepdims: bool) -> Node:
    """Return the norm by NumPy's rules: of a matrix where two axes are meant and an order is given."""
    if axis is None and (ord is None or x.rank < 2):
        return _vector_norm(x, ord, None, keepdims)
    if axis is None and x.rank != 2:
        raise RankError(f"a norm of order {ord} is of a vector or a matrix, and this is {describe(x.shape)}", needed=2)
    axes = (0, 1) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    return _matrix_norm(x, ord, keepdims, axes)


def _vector_norm(x: Node, ord: Any, axis: Any, keepdims: bool = False) -> Node:
    if isinstance(ord, str):
        help_ = "'fro' and 'nuc' are norms of a matrix; for a vector leave the order out"
        raise RankError(f"there is no vector norm '{ord}'", needed=2, helps=[help_])
    text = _VECTOR_NORMS.get(ord, "power_norm(x, ord=ord, axis=axis, keepdims=keepdims)")
    return elaborate_text(text, {"x": x, "ord": ord, "axis": axis, "keepdims": keepdims})


def _matrix_norm(x: Node, ord: Any, keepdims: bool, axes: tuple[int, ...] = (-2, -1)) -> Node:
    if ord not in _MATRIX_NORMS or len(axes) != 2:
        raise ExpressionError(f"there is no matrix norm of order {ord!r} over {len(axes)} axes",
                              helps=["write 'fro', 'nuc', 1, 2, inf, -1, -2 or -inf"])
    if x.rank < 2:
        raise RankError(f"a matrix norm needs a matrix, and this is {describe(x.shape)}", needed=2)
    places = tuple(normalize_axis(axis, x.rank) for axis in axes)
    result = elaborate_text(_MATRIX_NORMS[ord], {"X": call("moveaxis", x, source=places, destination=(-2, -1))})
    if keepdims:
        return reshaped(result, tuple(1 if place in places else size for place, size in enumerate(x.shape)))
    return result


def norm(name: str, parameters: str, doc: str, **fields: Any) -> Operator:
    """Return a norm; at 0 most have a kink, so inputs are drawn away from it."""
    own = {key: f"{library}.linalg.{name}(#1, #*)" for key, library in (("numpy", "np"), ("torch", "torch"))}
    defaults = {"domain": ("nonzero",), "spellings": own}
    return Operator(name, parameters, doc, family="norms", **(defaults | fields))


ENTRIES = (
    norm("norm", "x; ord=None, axis=None, keepdims=False",
         "Norm of a vector (2, 1, inf, -inf, p) or a matrix ('fro', 'nuc', 1, 2, inf), as numpy.linalg.norm.",
         build=_norm, errors=("norm()", "norm(x, 'fro')", "norm(X, 3)", "norm(T, 2)", "norm(x, axis=1)"),
         samples=("norm(x)", "norm(X)", "norm(T)", "norm(x, 1)", "norm(x, 2)", "norm(x, inf)", "norm(x, -inf)",
                  "norm(x, 3)", "norm(x, 1.5)", "norm(x, 0)", "norm(X, 'fro')", "norm(X, 'nuc')", "norm(X, 1)",
                  "norm(X, -1)", "norm(X, inf)", "norm(X, -inf)", "norm(X, 2)", "norm(X, ord=-2)", "norm(X, axis=0)",
                  "norm(X, 1, axis=1, keepdims=True)", "norm(T, axis=(0, 2))", "norm(T, 'nuc', axis=(1, 2))",
                  "norm(T, 2, axis=(0, 1), keepdims=True)"),
         # PyTorch's old norm and TensorFlow's are those of all entries where no axes are given.
         libraries=(
             "torch.norm(input, p: 'fro' = 'fro', dim=None, keepdim=False, out=None, dtype=None)"
             " -> vector_norm(input, axis=dim, keepdims=keepdim)",
             "torch.norm(input, p: 'nuc', dim=None, keepdim=False, out=None, dtype=None)"
             " -> norm(input, 'nuc', axis=dim, keepdims=keepdim)",
             "torch.norm(input, p, dim=None, keepdim=False, out=None, dtype=None)"
             " -> vector_norm(input, ord=p, axis=dim, keepdims=keepdim)",
             "torch.linalg.norm(A, ord=None, dim=None, keepdim=False, *, out=None, dtype=None)"
             " -> norm(A, ord=ord, axis=dim, keepdims=keepdim)",
             "torch.linalg.norm(input, ord=None, dim=None, keepdim=False, *, out=None, dtype=None)"
             " -> norm(input, ord=ord, axis=dim, keepdims=keepdim)",
             *(f"tf.norm(tensor, ord: '{word}'{default}, axis=None, keepdims=False)"
               " -> vector_norm(tensor, axis=axis, keepdims=keepdims)"
               for word, default in (("euclidean", " = 'euclidean'"), ("fro", ""))),
             "tf.norm(tensor, ord, axis: None = None, keepdims=False)"
             " -> vector_norm(tensor, ord=ord, keepdims=keepdims)",
             "tf.norm(tensor, ord, axis, keepdims=False) -> norm(tensor, ord=ord, axis=axis, keepdims=keepdims)"),
             sought=("magnitude", "euclidean", "l2norm", "l2_norm", "frobenius", "sum_of_squares")),
    norm("matrix_norm", "X; ord='fro', keepdims=False", "Norm of the matrices in the last two axes.",
         build=_matrix_norm, samples=("matrix_norm(X)", "matrix_norm(T, 'nuc')", "matrix_norm(X, 1)"),
         errors=("matrix_norm(x)", "matrix_norm(X, 3)"),
         libraries=("np.linalg.matrix_norm(x, *, keepdims=False, ord='fro')"
                    " -> matrix_norm(x, ord=ord, keepdims=keepdims)",
                    "torch.linalg.matrix_norm(A, ord='fro', dim=(-2, -1), keepdim=False)"
                    " -> norm(A, ord=ord, axis=dim, keepdims=keepdim)")),
    norm("vector_norm", "x; ord=2, axis=None, keepdims=False", "Norm of vectors along an axis.", build=_vector_norm,
         samples=("vector_norm(X)", "vector_norm(x, 1)", "vector_norm(X, ord=3, axis=0)"),
         errors=("vector_norm()", "vector_norm(x, 'fro')"),
         libraries=("np.linalg.vector_norm(x, *, axis=None, keepdims=False, ord=2)"
                    " -> vector_norm(x, ord=ord, axis=axis, keepdims=keepdims)",
                    "torch.linalg.vector_norm(x, ord=2, dim=None, keepdim=False)"
                    " -> vector_norm(x, ord=ord, axis=dim, keepdims=keepdim)")),

    # --- what they are made of
    norm("euclidean_norm", "x; axis=None, keepdims=False", "Square root of the sum of squares.", hidden=True,
         signature="(n)->()", evaluate=kernels.euclidean_norm, differential="sum(x * dx) * reciprocal_or_zero(y)",
         kink="y == 0", at_kink="subgradient 0", analytic=True, spellings=NOWHERE,
         samples=("euclidean_norm(x)", "euclidean_norm(X, axis=0)"), errors=("euclidean_norm()",)),
    # Entries over the norm stay between -1 and 1, so no power overflows.
    norm("power_norm", "x; ord, axis=None, keepdims=False", "sum(abs(x)**ord)**(1/ord).", hidden=True,
         signature="(n)->()", evaluate=kernels.power_norm,
         differential="sum(sign(x) * (abs(x) * reciprocal_or_zero(y))**(ord - 1) * dx)",
         kink="y == 0", at_kink="subgradient 0", spellings=NOWHERE,
         samples=("power_norm(x, 3)", "power_norm(X, ord=1.5, axis=0)"), errors=("power_norm(x)",)),
    norm("nuclear_norm", "X", "Sum of the singular values.", hidden=True, domain=(),
         signature="(m,n)->()", evaluate=kernels.of_finite(partial(np.linalg.norm, ord="nuc", axis=(-2, -1))),
         differential="sum(polar_factor(X) * dX)",
         source="Watson 1992, Characterization of the subdifferential of some matrix norms",
         kink="min(svdvals(X)) <= 1e-13 * max(svdvals(X))", at_kink="subgradient of least norm", once=True,
         samples=("nuclear_norm(X)", "nuclear_norm(A)"), errors=("nuclear_norm(x)",),
         spellings=NOWHERE),
)
