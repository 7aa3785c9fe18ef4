"""Norms of vectors and matrices: `norm` picks by the order; each kind has its own operator or definition."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ..elaboration.elaborate import call, elaborate_text
from ..errors import ExpressionError, RankError
from ..graph.catalogue import enter
from ..graph.nodes import Node
from ..graph.operator import Operator
from ..shapes import describe, normalize_axis
from .linear import reshaped

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
    return _matrix_norm(x, ord, axes, keepdims)


def _vector_norm(x: Node, ord: Any, axis: Any, keepdims: bool = False) -> Node:
    text = _VECTOR_NORMS.get(ord, "power_norm(x, ord=ord, axis=axis, keepdims=keepdims)")
    if isinstance(ord, str):
        help_ = "'fro' and 'nuc' are norms of a matrix; for a vector leave the order out"
        raise RankError(f"there is no vector norm '{ord}'", needed=2, helps=[help_])
    return _elaborated(text, {"x": x, "ord": ord, "axis": axis, "keepdims": keepdims})


def _matrix_norm(x: Node, ord: Any, axes: tuple[int, ...] = (-2, -1), keepdims: bool = False) -> Node:
    if ord not in _MATRIX_NORMS or len(axes) != 2:
        raise ExpressionError(f"there is no matrix norm of order {ord!r} over {len(axes)} axes",
                              helps=["write 'fro', 'nuc', 1, 2, inf, -1, -2 or -inf"])
    if x.rank < 2:
        raise RankError(f"a matrix norm needs a matrix, and this is {describe(x.shape)}", needed=2)
    places = tuple(normalize_axis(axis, x.rank) for axis in axes)
    result = _elaborated(_MATRIX_NORMS[ord], {"X": call("moveaxis", x, source=places, destination=(-2, -1))})
    if keepdims:
        return reshaped(result, tuple(1 if place in places else size for place, size in enumerate(x.shape)))
    return result


def _elaborated(text: str, environment: dict[str, Any]) -> Node:
    result = elaborate_text(text, environment)
    assert isinstance(result, Node)
    return result


def _euclidean(x: Any) -> Any:
    """Return the length of vectors along the last axis; scaled where squares would overflow or vanish."""
    if np.iscomplexobj(x):
        return np.sqrt(np.sum(x * x, axis=-1))
    result = np.sqrt(np.vecdot(x, x))
    if (1e-150 < result < np.inf) if result.ndim == 0 else ((result > 1e-150) & (result < np.inf)).all():
        return result
    largest = np.max(np.abs(x), axis=-1, keepdims=True, initial=0.0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return np.sqrt(np.sum((x / scale) ** 2, axis=-1)) * scale[..., 0]


def _power_norm(x: Any, ord: float) -> Any:
    return np.sum(np.abs(x) ** ord, axis=-1) ** (1 / ord)


_SAMPLES = (
    "norm(x)", "norm(X)", "norm(T)", "norm(x, 1)", "norm(x, 2)", "norm(x, inf)", "norm(x, -inf)", "norm(x, 3)",
    "norm(x, 1.5)", "norm(x, 0)", "norm(X, 'fro')", "norm(X, 'nuc')", "norm(X, 1)", "norm(X, -1)", "norm(X, inf)",
    "norm(X, -inf)", "norm(X, 2)", "norm(X, ord=-2)", "norm(X, axis=0)", "norm(X, 1, axis=1, keepdims=True)",
    "norm(T, axis=(0, 2))", "norm(T, 'nuc', axis=(1, 2))", "norm(T, 2, axis=(0, 1), keepdims=True)",
)

enter(Operator("norm", "x; ord=None, axis=None, keepdims=False",
               "Norm of a vector (2, 1, inf, -inf, p) or a matrix ('fro', 'nuc', 1, 2, inf), as numpy.linalg.norm.",
               family="norms", build=_norm, reference=np.linalg.norm, samples=_SAMPLES, domain=("nonzero",),
               errors=("norm()", "norm(x, 'fro')", "norm(X, 3)", "norm(T, 2)", "norm(x, axis=1)"),
               spellings={"numpy": "np.linalg.norm(#*)", "torch": "torch.linalg.norm(#*)"}))
enter(Operator("matrix_norm", "X; ord='fro', keepdims=False", "Norm of the matrices in the last two axes.",
               family="norms", build=lambda X, ord, keepdims: _matrix_norm(X, ord, keepdims=keepdims),
               reference=lambda X, ord="fro": np.linalg.norm(X, ord, axis=(-2, -1)), domain=("nonzero",),
               samples=("matrix_norm(X)", "matrix_norm(T, 'nuc')", "matrix_norm(X, 1)"),
               errors=("matrix_norm(x)", "matrix_norm(X, 3)"),
               spellings={"numpy": "np.linalg.matrix_norm(#*)", "torch": "torch.linalg.matrix_norm(#*)"}))
enter(Operator("vector_norm", "x; ord=2, axis=None, keepdims=False", "Norm of vectors along an axis.", family="norms",
               build=lambda x, ord, axis, keepdims: _vector_norm(x, ord, axis, keepdims),
               reference=lambda x, ord=2, axis=None: np.linalg.vector_norm(x, ord=ord, axis=axis), domain=("nonzero",),
               samples=("vector_norm(X)", "vector_norm(x, 1)", "vector_norm(X, ord=3, axis=0)"),
               errors=("vector_norm()", "vector_norm(x, 'fro')"),
               spellings={"numpy": "np.linalg.vector_norm(#*)", "torch": "torch.linalg.vector_norm(#*)"}))
enter(Operator("euclidean_norm", "x; axis=None, keepdims=False", "Square root of the sum of squares.", family="norms",
               signature="(n)->()", evaluate=_euclidean, differential="sum(x * dx) * reciprocal_or_zero(y)",
               reference=lambda x, axis=None, keepdims=False: np.sqrt(np.sum(x**2, axis=axis, keepdims=keepdims)),
               kink="y == 0", at_kink="subgradient 0", analytic=True, hidden=True, domain=("nonzero",),
               samples=("euclidean_norm(x)", "euclidean_norm(X, axis=0)"), errors=("euclidean_norm()",),
               spellings={"numpy": "np.linalg.vector_norm(#*)", "torch": "torch.linalg.vector_norm(#*)"}))
# Entries over the norm stay between -1 and 1, so no power overflows.
enter(Operator("power_norm", "x; ord, axis=None, keepdims=False", "sum(abs(x)**ord)**(1/ord).", family="norms",
               signature="(n)->()", evaluate=_power_norm,
               differential="sum(sign(x) * (abs(x) * reciprocal_or_zero(y))**(ord - 1) * dx)",
               reference=lambda x, ord, axis=None: np.linalg.vector_norm(x, ord=ord, axis=axis),
               kink="y == 0", at_kink="subgradient 0", hidden=True, domain=("nonzero",),
               samples=("power_norm(x, 3)", "power_norm(X, ord=1.5, axis=0)"), errors=("power_norm(x)",),
               spellings={"numpy": "np.linalg.vector_norm(#*)", "torch": "torch.linalg.vector_norm(#*)"}))
enter(Operator("nuclear_norm", "X", "Sum of the singular values.", family="norms", signature="(m,n)->()",
               evaluate=lambda X: np.sum(np.linalg.svd(X, compute_uv=False), axis=-1),
               differential="sum(polar_factor(X) * dX)", reference=lambda X: np.linalg.norm(X, "nuc"),
               source="Watson 1992, Characterization of the subdifferential of some matrix norms", hidden=True,
               kink="min(svdvals(X)) <= 1e-13 * max(svdvals(X))", at_kink="subgradient of least norm",
               samples=("nuclear_norm(X)", "nuclear_norm(A)"), errors=("nuclear_norm(x)",),
               spellings={"numpy": "np.linalg.norm(#1, 'nuc')", "torch": "torch.linalg.norm(#1, 'nuc')"}))
