"""Reductions: sums, products, extremes, statistics, logsumexp and softmax.

An applied reduction is written for one vector: the engine brings the axes it runs over last and merges them.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..graph.algebra import number
from ..graph.catalogue import enter
from ..graph.nodes import Node
from ..graph.operator import Operator
from ..shapes import normalize_axes
from .linear import summed

AXES = "x; axis=None, keepdims=False"


def _samples(name: str) -> tuple[str, ...]:
    """Return the calls that every reduction is tested with."""
    calls = ("{0}(x)", "{0}(X)", "{0}(X, axis=0)", "{0}(X, axis=1, keepdims=True)", "{0}(T, axis=(0, 2))", "X.{0}(1)")
    return tuple(call.format(name) for call in calls)


def _errors(name: str) -> tuple[str, ...]:
    return (f"{name}()", f"{name}(x, axis=1)", f"{name}(X, axis=(0, 0))")


def _count(x: Node, axis: Any) -> Node:
    return number(prod(x.shape[place] for place in normalize_axes(axis, x.rank)))


def _counted(x: Any, axis: Any = None) -> int:
    return np.size(x) if axis is None else int(np.prod([x.shape[place] for place in np.atleast_1d(axis)]))


enter(Operator("sum", AXES, "Sum over axes.", family="reductions", build=summed, reference=np.sum,
               aliases=("reduce_sum",), samples=_samples("sum"), errors=_errors("sum")))
enter(Operator("count", "x; axis=None", "The number of entries, or of entries along axes.", family="reductions",
               build=_count, reference=_counted, aliases=("size", "numel"),
               samples=("count(X)", "count(X, axis=0)", "count(T, axis=(0, 2))"), errors=("count()",)))
enter(Operator("mean", AXES, "Mean over axes.", family="reductions",
               definition="sum(x, axis=axis, keepdims=keepdims) / count(x, axis=axis)", reference=np.mean,
               aliases=("reduce_mean", "average"), samples=_samples("mean"), errors=_errors("mean")))


# --- products --------------------------------------------------------------------------------------------------------


def exclusive_products(x: Any) -> Any:
    """Return, for each entry along the last axis, the product of the others: exact where entries are zero."""
    before, after = np.ones_like(x), np.ones_like(x)
    before[..., 1:] = np.cumprod(x[..., :-1], axis=-1)
    after[..., :-1] = np.cumprod(x[..., :0:-1], axis=-1)[..., ::-1]
    return before * after


enter(Operator("prod", AXES, "Product over axes.", family="reductions", signature="(n)->()",
               evaluate=lambda x: np.prod(x, axis=-1), differential="sum(exclusive_product(x) * dx)",
               reference=np.prod, analytic=True, aliases=("reduce_prod", "product"),
               samples=_samples("prod"), errors=_errors("prod"),
               spellings={"latex": r"\operatorname{prod}\left(#*\right)"}))

# Entry j of the product of all but i is, for j other than i, the product of all but j with entry i replaced by one:
# the rule needs no division and no further operator, so every order is exact where entries are zero.
enter(Operator("exclusive_product", "x", "For each entry, the product of the others.", family="reductions",
               signature="(n)->(n)", evaluate=exclusive_products,
               differential="I = identity_like(x); ((1 - I) * exclusive_product((1 - I) * x + I)) @ dx",
               reference=lambda x: np.array([np.prod(np.delete(x, i)) for i in range(len(x))]), analytic=True,
               samples=("exclusive_product(x)",), errors=("exclusive_product(a)",), hidden=True,
               spellings={"latex": r"\operatorname{prod}_{\ne}\left(#1\right)",
                          "numpy": "exclusive_product(#1)",
                          "torch": "exclusive_product(#1)"}))


# --- extremes --------------------------------------------------------------------------------------------------------

for _name, _function, _doc, _aliases in (
    ("max", np.max, "Largest entry.", ("amax", "reduce_max")),
    ("min", np.min, "Smallest entry.", ("amin", "reduce_min")),
):
    enter(Operator(_name, AXES, _doc, family="reductions", signature="(n)->()",
                   evaluate=lambda x, extreme=_function: extreme(x, axis=-1),
                   differential="sum((x == y) * dx) / sum(x == y)", reference=_function,
                   kink="sum(x == y) > 1", at_kink="the derivative is split evenly among equal entries",
                   aliases=_aliases, samples=_samples(_name), errors=_errors(_name),
                   spellings={"torch": f"torch.a{_name}(#*)"}))


# --- statistics ------------------------------------------------------------------------------------------------------

enter(Operator("var", "x; axis=None, ddof=0, keepdims=False",
               "Variance; the divisor is the number of entries minus ddof (torch's own default is ddof=1).",
               family="reductions",
               definition="sum((x - mean(x, axis=axis, keepdims=True))**2, axis=axis, keepdims=keepdims)"
                          " / (count(x, axis=axis) - ddof)",
               reference=np.var, aliases=("reduce_variance",),
               samples=(*_samples("var")[:-1], "var(x, ddof=1)", "X.var(dim=1, correction=1)"), errors=_errors("var")))
# The norm, rather than the square root of the variance, has the subgradient 0 where all entries are equal.
enter(Operator("std", "x; axis=None, ddof=0, keepdims=False",
               "Standard deviation; the divisor is the number of entries minus ddof (torch's own default is ddof=1).",
               family="reductions",
               definition="euclidean_norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)"
                          " / (count(x, axis=axis) - ddof)**(1/2)",
               reference=np.std, aliases=("reduce_std",),
               samples=(*_samples("std")[:-1], "std(x, ddof=1)", "X.std(dim=1, correction=1)"), errors=_errors("std")))


# --- exponentials ----------------------------------------------------------------------------------------------------


def _exp_from_largest(x: Any) -> tuple[Any, Any]:
    """Return exp(x - c) along the last axis, and c: the largest entry, 0 where that is not finite."""
    # What is a single number costs a fraction of an array of one, which counts for short vectors.
    keep = x.ndim > 1
    largest = np.maximum.reduce(x, axis=-1, keepdims=keep) if x.dtype.kind != "c" else np.max(x, -1, keepdims=keep)
    finite = np.isfinite(largest)
    if not (finite.all() if keep else finite):
        largest = np.where(finite, largest, 0.0)
    return np.exp(x - largest), largest


def _logsumexp(x: Any) -> Any:
    exponentials, shift = _exp_from_largest(x)
    total = np.add.reduce(exponentials, axis=-1)
    return _log(total) + (shift[..., 0] if x.ndim > 1 else shift)


@np.errstate(divide="ignore")
def _log(x: Any) -> Any:
    return np.log(x)


def _softmax_of_last(x: Any) -> Any:
    exponentials, _ = _exp_from_largest(x)
    exponentials /= np.add.reduce(exponentials, axis=-1, keepdims=x.ndim > 1)
    return exponentials


def _softmax(x: Any, axis: Any = None) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


enter(Operator("logsumexp", AXES, "log(sum(exp(x))) without overflow.", family="reductions", signature="(n)->()",
               evaluate=_logsumexp, differential="sum(exp(x - y) * dx)",
               reference=lambda x, axis=None, keepdims=False: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
               aliases=("reduce_logsumexp",), samples=_samples("logsumexp"), errors=_errors("logsumexp"),
               spellings={"numpy": "logsumexp(#*)", "jax": "jax.scipy.special.logsumexp(#*)"}))
enter(Operator("softmax_of_last", "x", "Softmax along the last axis, as a function of its own.", family="reductions",
               signature="(n)->(n)", evaluate=_softmax_of_last, differential="y * dx - y * sum(y * dx)", hidden=True,
               reference=lambda x: _softmax(x, -1), bounds=(0.0, 1.0), spellings={"latex": r"\operatorname{softmax}"},
               samples=("softmax_of_last(x)", "softmax_of_last(X)"), errors=("softmax_of_last(a)",)))
enter(Operator("softmax", "x; axis=None",
               "exp(x) / sum(exp(x)) along axes, without overflow; over all entries where no axis is given, as SciPy.",
               family="reductions",
               definition="exp(x - logsumexp(x, axis=axis, keepdims=True))", reference=_softmax,
               samples=("softmax(x)", "softmax(X)", "softmax(X, axis=0)", "softmax(X, axis=-1)", "softmax(T, dim=1)"),
               errors=("softmax()", "softmax(x, axis=1)"),
               spellings={"numpy": "softmax(#*)", "jax": "jax.nn.softmax(#*)"}))
enter(Operator("log_softmax", "x; axis=None", "Log of the softmax, accurate where that is tiny.", family="reductions",
               definition="x - logsumexp(x, axis=axis, keepdims=True)",
               reference=lambda x, axis=None: np.log(_softmax(x, axis)),
               samples=("log_softmax(x)", "log_softmax(X)", "log_softmax(X, axis=0)"),
               errors=("log_softmax()", "log_softmax(x, axis=1)"),
               spellings={"numpy": "log_softmax(#*)", "jax": "jax.nn.log_softmax(#*)"}))
