"""Reductions: sums, products, extremes, statistics, logsumexp and softmax.

An applied reduction is written for one vector: the engine brings the axes it runs over last and merges them.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..graph.algebra import number
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import normalize_axes
from . import kernels
from .axes import summed

AXES = "x; axis=None, keepdims=False"
WITH_DDOF = "x; axis=None, ddof=0, keepdims=False"

_SAMPLES = ("{0}(x)", "{0}(X)", "{0}(X, axis=0)", "{0}(X, axis=1, keepdims=True)", "{0}(T, axis=(0, 2))")


def reduction(name: str, doc: str, *, parameters: str = AXES, more: tuple[str, ...] = (), **fields: Any) -> Operator:
    """Return an operator along axes; `more` are samples besides those of every reduction."""
    defaults = {
        "samples": tuple(text.format(name) for text in (*_SAMPLES, *(more or ("X.{0}(1)",)))),
        "errors": (f"{name}()", f"{name}(x, axis=1)", f"{name}(X, axis=(0, 0))"),
    }
    return Operator(name, parameters, doc, family="reductions", **(defaults | fields))


def _count(x: Node, axis: Any) -> Node:
    return number(prod(x.shape[place] for place in normalize_axes(axis, x.rank)))


ENTRIES = (
    reduction("sum", "Sum over axes.", build=summed, aliases=("reduce_sum",)),
    reduction("count", "The number of entries, or of entries along axes.", parameters="x; axis=None", build=_count,
              aliases=("size", "numel"), spellings=NOWHERE,
              samples=("count(X)", "count(X, axis=0)", "count(T, axis=(0, 2))"),
              errors=("count()",)),
    reduction("mean", "Mean over axes.", definition="sum(x, axis=axis, keepdims=keepdims) / count(x, axis=axis)",
              aliases=("reduce_mean", "average")),
    reduction("var", "Variance; the divisor is the number of entries minus ddof (torch's own default is ddof=1).",
              parameters=WITH_DDOF,
              definition="sum((x - mean(x, axis=axis, keepdims=True))**2, axis=axis, keepdims=keepdims)"
                         " / (count(x, axis=axis) - ddof)",
              aliases=("reduce_variance",), spellings={"torch": "torch.var(#1, dim=#2, correction=#3, keepdim=#4)"},
              more=("{0}(x, ddof=1)", "X.{0}(dim=1, correction=1)")),
    # The norm, rather than the square root of the variance, has the subgradient 0 where all entries are equal.
    reduction("std",
              "Standard deviation; the divisor is the number of entries minus ddof (torch's own default is ddof=1).",
              parameters=WITH_DDOF,
              definition="euclidean_norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)"
                         " / (count(x, axis=axis) - ddof)**(1/2)",
              aliases=("reduce_std",), spellings={"torch": "torch.std(#1, dim=#2, correction=#3, keepdim=#4)"},
              more=("{0}(x, ddof=1)", "X.{0}(dim=1, correction=1)")),

    # --- extremes
    reduction("max", "Largest entry.", signature="(n)->()", evaluate=partial(np.max, axis=-1),
              differential="sum((x == y) * dx) / sum(x == y)", kink="sum(x == y) > 1",
              at_kink="the derivative is split evenly among equal entries", aliases=("amax", "reduce_max"),
              spellings={"torch": "torch.amax(#*)"}),
    reduction("min", "Smallest entry.", signature="(n)->()", evaluate=partial(np.min, axis=-1),
              differential="sum((x == y) * dx) / sum(x == y)", kink="sum(x == y) > 1",
              at_kink="the derivative is split evenly among equal entries", aliases=("amin", "reduce_min"),
              spellings={"torch": "torch.amin(#*)"}),

    # --- exponentials
    reduction("logsumexp", "log(sum(exp(x))) without overflow.", signature="(n)->()", evaluate=kernels.logsumexp,
              differential="sum(exp(x - y) * dx)", aliases=("reduce_logsumexp",),
              spellings={"numpy": None, "jax": "jax.scipy.special.logsumexp(#*)"}),
    reduction("softmax_of_last", "Softmax along the last axis, as a function of its own.", parameters="x",
              signature="(n)->(n)", evaluate=kernels.softmax_of_last, differential="y * dx - y * sum(y * dx)",
              bounds=(0.0, 1.0), hidden=True, samples=("softmax_of_last(x)", "softmax_of_last(X)"),
              errors=("softmax_of_last(a)",),
              spellings={"latex": r"\operatorname{softmax}\left(#1\right)", "numpy": "softmax(#1, axis=-1)",
                         "torch": "torch.softmax(#1, dim=-1)", "jax": "jax.nn.softmax(#1, axis=-1)"}),
    reduction("softmax",
              "exp(x) / sum(exp(x)) along axes, without overflow; over all entries where no axis is given, as SciPy.",
              parameters="x; axis=None", definition="exp(x - logsumexp(x, axis=axis, keepdims=True))",
              samples=("softmax(x)", "softmax(X)", "softmax(X, axis=0)", "softmax(X, axis=-1)", "softmax(T, dim=1)"),
              errors=("softmax()", "softmax(x, axis=1)"), spellings={"numpy": None, "jax": "jax.nn.softmax(#*)"}),
    reduction("log_softmax", "Log of the softmax, accurate where that is tiny.", parameters="x; axis=None",
              definition="x - logsumexp(x, axis=axis, keepdims=True)",
              samples=("log_softmax(x)", "log_softmax(X)", "log_softmax(X, axis=0)"),
              errors=("log_softmax()", "log_softmax(x, axis=1)"),
              spellings={"numpy": None, "jax": "jax.nn.log_softmax(#*)"}),

    # --- products
    reduction("prod", "Product over axes.", signature="(n)->()", evaluate=partial(np.prod, axis=-1), analytic=True,
              differential="sum(exclusive_product(x) * dx)", aliases=("reduce_prod", "product"),
              spellings={"latex": r"\operatorname{prod}\left(#*\right)"}),
    # Entry j of the product of all but i is, for j other than i, the product of all but j with entry i replaced by
    # one: the rule needs no division and no further operator, so every order is exact where entries are zero.
    reduction("exclusive_product", "For each entry, the product of the others.", parameters="x",
              signature="(n)->(n)", evaluate=kernels.exclusive_product, analytic=True, hidden=True,
              spectrum="cofactor",
              differential="I = identity_like(x); ((1 - I) * exclusive_product((1 - I) * x + I)) @ dx",
              samples=("exclusive_product(x)",), errors=("exclusive_product(a)",),
              spellings={"latex": r"\operatorname{prod}_{\ne}\left(#1\right)", "numpy": None, "torch": None}),
)
