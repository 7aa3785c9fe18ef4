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


# How NumPy and PyTorch call a reduction, and with which values NumPy begins or leaves entries out.
_NUMPY = "np.{0}(a, axis=None, {1}out=None, keepdims=False, initial=None, where=None)" \
         " -> {2}(a, axis=axis, keepdims=keepdims)"
_MASKED = "np.{0}(a, axis=None, {1}out=None, keepdims=False, initial={3}, where=True)" \
          " -> {4}({2}(where(where, a, {3}), axis=axis, keepdims=keepdims), initial)"
_TORCH = "torch.{0}(input, dim: axis = None, keepdim=False, dtype=None) -> {2}(input, axis=dim, keepdims=keepdim)"
_PAIR = (
    "torch.{0}(input) -> {0}(input)",
    "torch.{0}(input, dim: axis, keepdim=False, out=None)"
    " -> (max(input, axis=dim, keepdims=keepdim), unavailable('the indices of `{0}` are whole numbers without a"
    " derivative', '`[0]` or `.values` are the entries'))",
    "torch.{0}(input, other: array) -> {0}imum(input, other)",
    # As in Python, and as hinges are written: `max(0, u)`.
    "{0}(a, b) -> {0}imum(a, b)",
    "{0}(a, b, c) -> {0}imum({0}imum(a, b), c)",
)


def _axes(name: str, dtype: bool = True, empty: str = "", joined: str = "", torch: bool = True) -> tuple[str, ...]:
    """Return how libraries call a reduction; `empty` is its value of nothing, `joined` what combines two values."""
    lines = [_NUMPY, *([_MASKED] if joined else []), *([_TORCH] if torch else [])]
    kind = "dtype=None, " if dtype else ""
    return tuple(line.format(name, kind, name, empty, joined) for line in lines)


def _spread(name: str) -> tuple[str, ...]:
    """Return how libraries call a variance or its root: PyTorch divides by n - 1 unless it is told not to."""
    own = f"{name}({{0}}, axis={{1}}, ddof={{2}}, keepdims={{3}})"
    numpy, torch = (own.format(*words) for words in (("a", "axis", "{}", "keepdims"), ("input", "{}", "{}", "keepdim")))
    return (
        f"np.{name}(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, where=None, mean=None)"
        f" -> {numpy.format('ddof')}",
        f"np.{name}(a, axis=None, dtype=None, out=None, *, correction, keepdims=False) -> {numpy.format('correction')}",
        *_with_mean(name),
        f"torch.{name}(input, unbiased: True) -> {name}(input, ddof=1)",
        f"torch.{name}(input, unbiased: False) -> {name}(input)",
        f"torch.{name}(input, dim: axis = None, *, correction=1, keepdim=False) -> {torch.format('dim', 'correction')}",
        f"torch.{name}(input, dim: axis, unbiased: True, keepdim=False) -> {torch.format('dim', '1')}",
        f"torch.{name}(input, dim: axis, unbiased: False, keepdim=False) -> {torch.format('dim', '0')}",
        f"torch.{name}(input, dim: axis = None, *, unbiased: True, keepdim=False) -> {torch.format('dim', '1')}",
        f"torch.{name}(input, dim: axis = None, *, unbiased: False, keepdim=False) -> {torch.format('dim', '0')}",
        f"{name}(x, *, unbiased: True, axis=None, keepdims=False) -> {name}(x, axis=axis, ddof=1, keepdims=keepdims)",
        f"{name}(x, *, unbiased: False, axis=None, keepdims=False) -> {name}(x, axis=axis, keepdims=keepdims)",
    )


def _with_mean(name: str) -> tuple[str, ...]:
    """Return how PyTorch calls a variance, or its root, together with the mean."""
    whole = f"({name}(input, ddof={{}}), mean(input))"
    along = f"({name}(input, axis=dim, ddof={{}}, keepdims=keepdim), mean(input, axis=dim, keepdims=keepdim))"
    return (
        f"torch.{name}_mean(input, unbiased: True) -> {whole.format(1)}",
        f"torch.{name}_mean(input, unbiased: False) -> {whole.format(0)}",
        f"torch.{name}_mean(input, dim: axis = None, *, correction=1, keepdim=False) -> {along.format('correction')}",
        f"torch.{name}_mean(input, dim: axis, unbiased: True, keepdim=False) -> {along.format(1)}",
        f"torch.{name}_mean(input, dim: axis, unbiased: False, keepdim=False) -> {along.format(0)}",
    )


def _extreme(name: str, least: str) -> tuple[str, ...]:
    """Return how libraries call the largest or the smallest entry; `least` is that of no entries."""
    pair = tuple(line.format(name).replace("(max(", f"({name}(") for line in _PAIR)
    if name == "min":
        pair += ("torch.aminmax(input, *, dim=None, keepdim=False)"
                 " -> (min(input, axis=dim, keepdims=keepdim), max(input, axis=dim, keepdims=keepdim))",)
    lines = (*_axes(name, dtype=False, empty=least, joined=f"{name}imum", torch=False), *pair)
    other = (line.replace(f"np.{name}(", f"np.a{name}(") for line in lines[:2])
    return (*lines, *other, _TORCH.format(f"a{name}", "", name), f"jax.lax.{name}(x, y) -> {name}imum(x, y)")


def _soft(name: str) -> tuple[str, ...]:
    """Return how libraries call a softmax or its logarithm, each over an axis of its own choice."""
    layer = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}[name]
    return (
        f"jax.nn.{name}(x, axis=-1, where=None) -> {name}(x, axis=axis)",
        f"tf.nn.{name}(logits, axis=-1) -> {name}(logits, axis=axis)",
        f"tf.{name}(logits, axis=-1) -> {name}(logits, axis=axis)",
        f"torch.{name}(input, dim, dtype=None) -> {name}(input, axis=dim)",
        f"F.{name}(input, dim, _stacklevel=..., dtype=None) -> {name}(input, axis=dim)",
        f"F.{name}(input) -> {name}_of_usual_axis(input)",
        f"F.{layer}(input, dim) -> {name}(input, axis=dim)",
        f"F.{layer}(input) -> {name}_of_usual_axis(input)",
    )


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
    reduction("sum", "Sum over axes.", build=summed, aliases=("reduce_sum",),
              libraries=_axes("sum", empty="0", joined="add"),
             sought=("total", "summation")),
    reduction("count", "The number of entries, or of entries along axes.", parameters="x; axis=None", build=_count,
              aliases=("size", "numel"), spellings=NOWHERE,
              libraries=("np.shape(a) -> a.shape", "torch.Tensor.size(input) -> input.shape",
                         "torch.Tensor.size(input, dim) -> input.shape[dim]"),
              samples=("count(X)", "count(X, axis=0)", "count(T, axis=(0, 2))"),
              errors=("count()",)),
    reduction("mean", "Mean over axes.", definition="sum(x, axis=axis, keepdims=keepdims) / count(x, axis=axis)",
              aliases=("reduce_mean", "average"),
              libraries=(
                  *_axes("mean"),
                  "np.mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where)"
                  " -> sum(where(where, a, 0), axis=axis, keepdims=keepdims)"
                  " / sum(where(where, ones_like(a), 0), axis=axis, keepdims=keepdims)",
                  *(f"{library}average(a, axis=None, weights=None, returned=False, keepdims=False)"
                    " -> mean(a, axis=axis, keepdims=keepdims)" for library in ("np.", "")),
                  *(f"{library}average(a, axis=None, weights=None, returned=False, keepdims=False)"
                    " -> weighted_average(a, weights, axis=axis, keepdims=keepdims)" for library in ("np.", ""))),
             sought=("expectation", "expected_value", "avg", "expect")),
    reduction("var", "Variance; the divisor is the number of entries minus ddof (torch's own default is ddof=1).",
              parameters=WITH_DDOF,
              definition="sum((x - mean(x, axis=axis, keepdims=True))**2, axis=axis, keepdims=keepdims)"
                         " / (count(x, axis=axis) - ddof)",
              textbook="2 * (x - mean(x)) @ dx / count(x)", meaning="mean((x - mean(x))**2)",
              aliases=("reduce_variance",), spellings={"torch": "torch.var(#1, dim=#2, correction=#3, keepdim=#4)"},
              libraries=_spread("var"), more=("{0}(x, ddof=1)", "X.{0}(dim=1, correction=1)"),
             sought=("variance",)),
    # The norm, rather than the square root of the variance, has the subgradient 0 where all entries are equal.
    reduction("std",
              "Standard deviation; the divisor is the number of entries minus ddof (torch's own default is ddof=1).",
              parameters=WITH_DDOF,
              definition="vector_norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)"
                         " / (count(x, axis=axis) - ddof)**(1/2)",
              textbook="(x - mean(x)) @ dx / (count(x) * y)", meaning="sqrt(mean((x - mean(x))**2))",
              aliases=("reduce_std",), spellings={"torch": "torch.std(#1, dim=#2, correction=#3, keepdim=#4)"},
              libraries=_spread("std"), more=("{0}(x, ddof=1)", "X.{0}(dim=1, correction=1)"),
             sought=("stdev", "standard_deviation", "stddev", "sd")),

    # --- extremes
    reduction("max", "Largest entry.", signature="(n)->()", evaluate=partial(np.max, axis=-1), exact=True,
              differential="sum((x == y) * dx) / sum(x == y)", kink="sum(x == y) > 1",
              at_kink="the derivative is split evenly among equal entries", aliases=("amax", "reduce_max"),
              libraries=_extreme("max", "-inf"),
              spellings={"torch": "torch.amax(#*)"},
             sought=("largest_entry", "supremum")),
    reduction("min", "Smallest entry.", signature="(n)->()", evaluate=partial(np.min, axis=-1), exact=True,
              differential="sum((x == y) * dx) / sum(x == y)", kink="sum(x == y) > 1",
              at_kink="the derivative is split evenly among equal entries", aliases=("amin", "reduce_min"),
              libraries=_extreme("min", "inf"),
              spellings={"torch": "torch.amin(#*)"}),

    # --- exponentials
    reduction("logsumexp", "log(sum(exp(x))) without overflow.", signature="(n)->()", evaluate=kernels.logsumexp,
              differential="sum(exp(x - y) * dx)", textbook="softmax(x) @ dx", meaning="log(sum(exp(x)))",
              aliases=("reduce_logsumexp",),
              libraries=(
                  "scipy.special.logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False, where=None)"
                  " -> logsumexp(a, axis=axis, keepdims=keepdims)",
                  "scipy.special.logsumexp(a, axis=None, b=1, keepdims=False, return_sign=False)"
                  " -> logsumexp(a + log(b), axis=axis, keepdims=keepdims)",
                  "torch.logsumexp(input, dim, keepdim=False) -> logsumexp(input, axis=dim, keepdims=keepdim)"),
              spellings={"numpy": None, "jax": "jax.scipy.special.logsumexp(#*)"}),
    # What `log_softmax` becomes when it is computed.
    reduction("log_softmax_of_last", "Log of the softmax along the last axis, as a function of its own.",
              parameters="x", signature="(n)->(n)", evaluate=kernels.log_softmax_of_last,
              differential="dx - sum(exp(y) * dx)", hidden=True, written="log_softmax(x)",
              samples=("log_softmax_of_last(x)", "log_softmax_of_last(X)"), errors=("log_softmax_of_last(a)",),
              spellings=NOWHERE),
    reduction("softmax_of_last", "Softmax along the last axis, as a function of its own.", parameters="x",
              signature="(n)->(n)", evaluate=kernels.softmax_of_last, differential="y * dx - y * sum(y * dx)",
              bounds=(0.0, 1.0), hidden=True, samples=("softmax_of_last(x)", "softmax_of_last(X)"),
              errors=("softmax_of_last(a)",), spellings=NOWHERE),
    reduction("softmax",
              "exp(x) / sum(exp(x)) along axes, without overflow; over all entries where no axis is given, as SciPy.",
              parameters="x; axis=None", definition="exp(x - logsumexp(x, axis=axis, keepdims=True))",
              meaning="exp(x)/sum(exp(x))",
              samples=("softmax(x)", "softmax(X)", "softmax(X, axis=0)", "softmax(X, axis=-1)", "softmax(T, dim=1)"),
              errors=("softmax()", "softmax(x, axis=1)"), spellings={"numpy": None, "jax": "jax.nn.softmax(#*)"},
              libraries=_soft("softmax")),
    reduction("log_softmax", "Log of the softmax, accurate where that is tiny.", parameters="x; axis=None",
              definition="x - logsumexp(x, axis=axis, keepdims=True)",
              samples=("log_softmax(x)", "log_softmax(X)", "log_softmax(X, axis=0)"),
              errors=("log_softmax()", "log_softmax(x, axis=1)"),
              spellings={"numpy": None, "jax": "jax.nn.log_softmax(#*)"},
              libraries=_soft("log_softmax")),

    # --- products
    reduction("prod", "Product over axes.", signature="(n)->()", evaluate=partial(np.prod, axis=-1), analytic=True,
              differential="sum(exclusive_product(x) * dx)", aliases=("reduce_prod", "product"),
              libraries=_axes("prod", empty="1", joined="multiply"),
              spellings={"latex": r"\operatorname{prod}\left(#*\right)"},
             sought=("multiply_all",)),
    # Entry j of the product of all but i is, for j other than i, the product of all but j with entry i replaced by
    # one: the rule needs no division and no further operator, so every order is exact where entries are zero.
    reduction("exclusive_product", "For each entry, the product of the others.", parameters="x",
              signature="(n)->(n)", evaluate=kernels.exclusive_product, analytic=True,
              spectrum="cofactor", regular="prod(x, axis=-1, keepdims=True) / x", condition="min(abs(x)) > 0",
              differential="I = identity_like(x); ((1 - I) * exclusive_product(where(I, 1, x))) @ dx",
              samples=("exclusive_product(x)",), errors=("exclusive_product(a)",),
              spellings={"latex": r"\operatorname{prod}_{\ne}\left(#1\right)", "numpy": None, "torch": None}),
)
