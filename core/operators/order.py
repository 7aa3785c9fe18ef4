"""Sorting, order statistics, and running products and extremes.

What only puts entries in another order has the derivative that puts the tangents in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..elaboration.applied import over_axes
from ..elaboration.elaborate import call
from ..elaboration.settings import shown
from ..errors import ExpressionError
from ..graph import catalogue
from ..graph.algebra import add, scale
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..graph.places import progression
from ..shapes import normalize_axes, normalize_axis
from . import order_kernels as kernels
from .axes import reshaped, selected, several, stacked
from .patterns import plain

_TIES = "the derivative is split evenly among equal entries"
_STABLE = "equal entries keep their order"
_MATRICES = ("{0}(x)", "{0}(X)", "{0}(X, axis=0)", "{0}(T, axis=1)")
_INDICES = ("the indices of `{0}` are whole numbers without a derivative", "`[0]` or `.values` are the entries")


def order(name: str, parameters: str, doc: str, *, family: str = "order", **fields: Any) -> Operator:
    """Return a function of the order of entries."""
    defaults: dict[str, Any] = {
        "samples": tuple(sample.format(name) for sample in _MATRICES),
        "errors": (f"{name}()", f"{name}(X, axis=2)"),
    }
    return Operator(name, parameters, doc, family=family, **(defaults | fields))


def of_last(name: str, doc: str, **fields: Any) -> Operator:
    """Return what a function becomes when it is computed: that along the last axis."""
    return order(f"{name}_of_last", "x", doc, signature="(n)->(n)", hidden=True, spellings=NOWHERE,
                 **{"written": f"{name}(x, axis=-1)", "samples": (f"{name}_of_last(x)", f"{name}_of_last(X)"),
                    "errors": (f"{name}_of_last(a)",)} | fields)


def along(name: str) -> Callable[..., Node]:
    """Return what applies a function of the last axis along another one, or to all entries as one vector."""

    def applied(x: Node, axis: Any) -> Node:
        operator = catalogue.find(f"{name}_of_last")
        assert operator is not None
        x, axis = (reshaped(x, -1), 0) if axis is None else (x, axis)
        return over_axes(operator, x, normalize_axis(axis, x.rank))

    return applied


def _sorted(x: Node, axis: Any, descending: bool) -> Node:
    if descending:
        return scale(-1, _sorted(scale(-1, x), axis, False))
    return along("sort")(x, axis)


def _places_in_order(x: Node, axis: Any, descending: bool) -> Node:
    return along("argsort")(scale(-1, x) if descending else x, axis)


def _largest(x: Node, k: int, axis: int, largest: bool) -> Node:
    place = normalize_axis(axis, x.rank)
    if not 0 <= k <= x.shape[place]:
        raise ExpressionError(f"there are {x.shape[place]} entries along axis {place}, and {k} are asked for")
    return selected(_sorted(x, place, bool(largest)), place, progression(0, 1, k))


# Where a quantile lies between two entries: the weight of the upper one, by its distance from the lower one.
_METHODS: dict[str, Callable[[Fraction, int], Fraction | int]] = {
    "linear": lambda part, low: part,
    "lower": lambda part, low: 0,
    "higher": lambda part, low: 1 if part else 0,
    "midpoint": lambda part, low: Fraction(1, 2) if part else 0,
    "nearest": lambda part, low: round(low + part) - low,
}


def _quantile(x: Node, q: Any, axis: Any, keepdims: bool, method: str) -> Node:
    """Return quantiles, each a mean of the two order statistics that it lies between; for a list of q one axis more."""
    if isinstance(q, list | tuple):
        return stacked(*(_quantile(x, each, axis, keepdims, method) for each in q))
    if isinstance(q, bool) or not isinstance(q, int | float) or not 0 <= q <= 1:
        raise ExpressionError(f"a quantile is asked for by a number from 0 to 1, not {shown(q)}")
    if method not in _METHODS:
        raise ExpressionError(f"`method` is {', '.join(map(repr, _METHODS))}, not {shown(method)}")
    count = plain(prod(x.shape[place] for place in normalize_axes(axis, x.rank)), "quantile")
    low, part = divmod(Fraction(repr(q)) * max(count - 1, 0), 1)
    weight = _METHODS[method](part, low)
    places = [(low + 1, 1 - weight), (low + 2, weight)]
    terms = [
        (share, call("order_statistic", x, rank=rank, axis=axis, keepdims=keepdims)) for rank, share in places if share
    ]
    return add(terms, terms[0][1].shape)


def _percentile(x: Node, q: Any, axis: Any, keepdims: bool, method: str) -> Node:
    parts = [float(Fraction(repr(each)) / 100) if isinstance(each, int | float) else each for each in several(q)]
    return _quantile(x, parts if isinstance(q, list | tuple) else parts[0], axis, keepdims, method)


def _running(name: str, doc: str, evaluate: Callable[..., Any], rule: str, numpy: str | None,
             lines: tuple[str, ...] = (), pair: bool = False, **fields: Any) -> tuple[Operator, Operator]:
    """Return a function of the entries up to each one, along an axis, and what it is along the last."""
    words = ", ".join(f"{text.format(name)!r}" for text in _INDICES)
    result = f"{name}(input, axis=dim)"
    return (
        order(name, "x; axis=None", doc, build=along(name),
              spellings={"numpy": numpy, "torch": None},
              libraries=(f"torch.{name}(input, dim, dtype=None) -> "
                         + (f"({result}, unavailable({words}))" if pair else result), *lines)),
        of_last(name, f"{doc[:-1]}, along the last axis.", evaluate=evaluate, differential=rule, **fields),
    )


def _accumulated(name: str, of: str) -> tuple[str, ...]:
    return (f"np.{of}.accumulate(array, axis=0, dtype=None, out=None) -> {name}(array, axis=axis)",
            f"jax.lax.{name}(operand, axis=0, reverse=False) -> {name}(operand, axis=axis)")


_FIRST_MAXIMA = "M = tril(y[:, None] == x); (M / sum(M, axis=1)[:, None]) @ dx"
_REPEATED_MAXIMA = "max(sum(tril(y[:, None] == x), axis=1)) > 1"
_ONES = "L = tril(ones_like(identity_like(x)))"


def _middle(name: str, doc: str, upper: bool, *lines: str) -> Operator:
    return order(
        name, "x; axis=None, keepdims=False, omit_nan=False", doc, family="statistics", signature="(n)->()",
        evaluate=partial(kernels.middle, upper=upper), exact=True, differential="sum((x == y) * dx) / sum(x == y)",
        kink="sum(x == y) > 1", at_kink=_TIES, spellings=NOWHERE, libraries=lines, errors=(f"{name}()",),
        samples=(f"{name}(x)", f"{name}(v)", f"{name}(X, axis=0)", f"{name}(T, axis=(0, 2), keepdims=True)",
                 f"{name}(x, omit_nan=True)"),
    )


def _torch_median(name: str, **words: bool) -> tuple[str, ...]:
    given = "".join(f", {word}={value}" for word, value in words.items())
    instead = ", ".join(f"{text.format(name)!r}" for text in _INDICES)
    return (f"torch.{name}(input) -> median_low(input{given})",
            f"torch.{name}(input, dim, keepdim=False)"
            f" -> (median_low(input, axis=dim, keepdims=keepdim{given}), unavailable({instead}))")


_NUMPY_QUANTILE = "np.{0}(a, q, axis=None, out=None, overwrite_input=..., method='linear', keepdims=False)" \
                  " -> {0}(a, q, axis=axis, method=method, keepdims=keepdims)"
_QUANTILE = "x; q, axis=None, keepdims=False, method='linear'"


def _pair(name: str, parameters: str, values: str) -> str:
    """Return how PyTorch calls what gives values and their places."""
    instead = ", ".join(f"{text.format(name)!r}" for text in _INDICES)
    return f"{name}({parameters}) -> ({values}, unavailable({instead}))"


_COUNTS = "its values are whole numbers that jump as x moves, so that it has no derivative; {0}"
_PIECEWISE_CONSTANT = {
    **dict.fromkeys(("histogram", "histogram2d", "histogramdd", "bincount", "histc"),
                    _COUNTS.format("a smooth one is `sum(norm_cdf((b[1:] - x[:, None])/h)"
                                   " - norm_cdf((b[:-1] - x[:, None])/h), axis=0)`")),
    **dict.fromkeys(("searchsorted", "digitize", "bucketize"),
                    _COUNTS.format("`sum(b < x[:, None], axis=1)` counts the bounds below each entry")),
    **dict.fromkeys(("rankdata", "scipy.stats.rankdata"),
                    _COUNTS.format("`argsort(argsort(x))` are the ranks, as indices")),
    **dict.fromkeys(("mode", "torch.mode", "scipy.stats.mode"),
                    "the entry that occurs most often jumps as x moves; write `median(x)` or `mean(x)`"),
    **dict.fromkeys(("partition", "argpartition"), "the order within its parts is no one's; write `sort(x)`"),
    **dict.fromkeys(("nanquantile", "nanpercentile"), "write `quantile(x[I], q)` with the places I that are numbers"),
}


ENTRIES = (
    # --- sorting
    order("sort", "x; axis=-1, descending=False", "The entries from the least on, or from the largest on.",
          build=_sorted, refused=_PIECEWISE_CONSTANT, samples=(
              "sort(x)", "sort(X)", "sort(X, axis=0)", "sort(T, axis=1, descending=True)", "sort(X, axis=None)"),
          libraries=("np.sort(a, axis=-1, kind=..., order=None, *, stable=...) -> sort(a, axis=axis)",
                     "jnp.sort(a, axis=-1, kind=..., order=None, *, stable=..., descending=False)"
                     " -> sort(a, axis=axis, descending=descending)",
                     "torch.msort(input) -> sort(input, axis=0)",
                     "jax.lax.sort(operand, dimension=-1, is_stable=..., num_keys=1) -> sort(operand, axis=dimension)",
                     "torch." + _pair("sort", "input, dim=-1, descending=False, stable=...",
                                      "sort(input, axis=dim, descending=descending)")),
          spellings={"numpy": "np.sort(#1, axis=#2)", "torch": None,
                     "jax": "jnp.sort(#1, axis=#2, descending=#3)"}),
    order("sort_of_last", "x", "The entries from the least on, along the last axis.", signature="(n)->(n)",
          evaluate=partial(np.sort, axis=-1), exact=True, differential="ordered_by(x, dx)",
          kink="sum(y[1:] == y[:-1]) > 0", at_kink=_STABLE, hidden=True, written="sort(x)", spellings=NOWHERE,
          samples=("sort_of_last(x)", "sort_of_last(X)"), errors=("sort_of_last(a)",)),
    order("ordered_by", "x, v", "The entries of v in the order that sorts x: `v[argsort(x)]`.",
          signature="(n),(n)->(n)", evaluate=kernels.ordered_by, differential="0 * dx", adjoint="ranked_by(x, g)",
          samples=("ordered_by(x, u)", "ordered_by(X, W)", "ordered_by(x, X)"), errors=("ordered_by(x, v)",),
          exact=True, spellings=NOWHERE),
    order("ranked_by", "x, v", "For each entry of x the entry of v at its rank: `ranked_by(x, sort(x))` is x.",
          signature="(n),(n)->(n)", evaluate=kernels.ranked_by, differential="0 * dx", adjoint="ordered_by(x, g)",
          samples=("ranked_by(x, u)", "ranked_by(X, W)", "ranked_by(x, X)"), errors=("ranked_by(x, v)",),
          exact=True, spellings=NOWHERE),
    order("largest_entries", "x; k, axis=-1, largest=True", "The k largest entries, the largest first; the k least, the"
          " least first, where `largest` is False.", build=_largest,
          samples=("largest_entries(x, 2)", "largest_entries(X, 2)", "largest_entries(X, 1, axis=0, largest=False)"),
          errors=("largest_entries(x, 5)", "largest_entries(x)"),
          libraries=(*(library + _pair("topk", "input, k, dim=-1, largest=True, sorted=..., out=None",
                                       "largest_entries(input, k, axis=dim, largest=largest)")
                       for library in ("torch.", "")),
                     "jax.lax." + _pair("top_k", "operand, k, *, axis=-1", "largest_entries(operand, k, axis=axis)"),
                     "tf.math." + _pair("top_k", "input, k=1, sorted=...", "largest_entries(input, k)")),
          spellings=NOWHERE,
             sought=("k_largest", "largest")),
    order("order_statistic", "x; rank, axis=None, keepdims=False", "The entry of a rank, that of the least being 1.",
          signature="(n)->()", evaluate=kernels.order_statistic, exact=True, family="statistics",
          differential="sum((x == y) * dx) / sum(x == y)", kink="sum(x == y) > 1", at_kink=_TIES,
          samples=("order_statistic(x, 2)", "order_statistic(X, 2, axis=0)", "order_statistic(X, 5)"),
          errors=("order_statistic(x)",), spellings=NOWHERE,
          libraries=tuple(library + _pair("kthvalue", "input, k, dim=-1, keepdim=False",
                                          "order_statistic(input, k, axis=dim, keepdims=keepdim)")
                          for library in ("torch.", ""))),

    # --- quantiles
    _middle("median_low", "The lower of the two middle entries, which are one for an odd number.", False,
            *_torch_median("median"), *_torch_median("nanmedian", omit_nan=True)),
    _middle("median_high", "The upper of the two middle entries, which are one for an odd number.", True),
    order("median", "x; axis=None, keepdims=False", "The middle entry, or the mean of the two middle ones (torch's own"
          " median is the lower one).", family="statistics",
          definition="(median_low(x, axis=axis, keepdims=keepdims) + median_high(x, axis=axis, keepdims=keepdims))/2",
          libraries=("np.median(a, axis=None, out=None, overwrite_input=..., keepdims=False)"
                     " -> median(a, axis=axis, keepdims=keepdims)",),
          samples=("median(x)", "median(v)", "median(X, axis=0)", "median(T, axis=(0, 2), keepdims=True)"),
          spellings={"torch": None},
             sought=("middle_value",)),
    order("nanmedian", "x; axis=None, keepdims=False", "The median of the entries that are numbers.",
          family="statistics",
          definition="(median_low(x, axis=axis, keepdims=keepdims, omit_nan=True)"
                     " + median_high(x, axis=axis, keepdims=keepdims, omit_nan=True))/2",
          libraries=("np.nanmedian(a, axis=None, out=None, overwrite_input=..., keepdims=False)"
                     " -> nanmedian(a, axis=axis, keepdims=keepdims)",),
          samples=("nanmedian(x)", "nanmedian(X, axis=0)"), spellings={"torch": None}),
    order("quantile", _QUANTILE, "The entry below which a share q of the others lies, between two of them by `method`:"
          " 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.", build=_quantile, family="statistics",
          samples=("quantile(x, 0.3)", "quantile(X, 0.9, axis=1)", "quantile(X, [0.25, 0.5], axis=0)",
                   "quantile(x, 0.4, method='higher')", "quantile(X, 0.4, method='nearest', keepdims=True)"),
          errors=("quantile(x)", "quantile(x, 2)", "quantile(x, 0.5, method='odd')"),
          spellings={"numpy": "np.quantile(#1, #2, axis=#3, keepdims=#4, method=#5)",
                     "torch": "torch.quantile(#1, torch.as_tensor(#2, dtype=#1.dtype), dim=#3, keepdim=#4,"
                              " interpolation=#5)",
                     "jax": "jnp.quantile(#1, jnp.asarray(#2), axis=#3, keepdims=#4, method=#5)"},
          libraries=(_NUMPY_QUANTILE.format("quantile"),
                     "torch.quantile(input, q, dim=None, keepdim=False, *, interpolation='linear')"
                     " -> quantile(input, q, axis=dim, keepdims=keepdim, method=interpolation)",
                     "quantile(input, q, *, dim=None, keepdim=False, interpolation='linear')"
                     " -> quantile(input, q, axis=dim, keepdims=keepdim, method=interpolation)"),
             sought=("fractile",)),
    order("percentile", _QUANTILE, "The quantile at q percent.", build=_percentile, family="statistics",
          samples=("percentile(x, 30)", "percentile(X, 90, axis=1)", "percentile(X, [25, 50], axis=0)"),
          errors=("percentile(x)", "percentile(x, 101)"), libraries=(_NUMPY_QUANTILE.format("percentile"),),
          spellings={"numpy": "np.percentile(#1, #2, axis=#3, keepdims=#4, method=#5)", "torch": None,
                     "jax": "jnp.percentile(#1, jnp.asarray(#2), axis=#3, keepdims=#4, method=#5)"}),

    # --- of the entries up to each one
    *_running("cumprod", "Running products.", partial(np.cumprod, axis=-1),
              f"{_ONES}; (L * exclusive_product(where(L, x, 1))) @ dx", "np.cumprod(#1, axis=#2)", analytic=True,
              lines=("np.cumprod(a, axis=None, dtype=None, out=None) -> cumprod(a, axis=axis)",
                     "np.cumulative_prod(x, *, axis=None, dtype=None, out=None) -> cumprod(x, axis=axis)",
                     "np.multiply.accumulate(array, axis=0, dtype=None, out=None) -> cumprod(array, axis=axis)",
                     "jax.lax.cumprod(operand, axis=0, reverse=False) -> cumprod(operand, axis=axis)",
                     "tf.math.cumprod(x, axis=0, exclusive=False, reverse=False) -> cumprod(x, axis=axis)")),
    *_running("cummax", "Running maxima.", partial(np.maximum.accumulate, axis=-1), _FIRST_MAXIMA, None,
              _accumulated("cummax", "maximum"),
              pair=True, exact=True, kink=_REPEATED_MAXIMA, at_kink=_TIES),
    *_running("cummin", "Running minima.", partial(np.minimum.accumulate, axis=-1), _FIRST_MAXIMA, None,
              _accumulated("cummin", "minimum"),
              pair=True, exact=True, kink=_REPEATED_MAXIMA, at_kink=_TIES),
    *_running("logcumsumexp", "Logs of the running sums of exp(x), without overflow.", kernels.logcumsumexp,
              f"{_ONES}; where(L, exp(x - y[:, None]), 0) @ dx", None, family="exponentials",
              lines=("jax.lax.cumlogsumexp(operand, axis=0, reverse=False) -> logcumsumexp(operand, axis=axis)",
                     "np.logaddexp.accumulate(array, axis=0, dtype=None, out=None)"
                     " -> logcumsumexp(array, axis=axis)")),

    # --- places
    order("argsort", "x; axis=-1, descending=False", "The places of the entries from the least on, as indices:"
          " `x[argsort(y)]`.", build=_places_in_order,
          spellings={"numpy": "np.argsort(#1, axis=#2)", "torch": "torch.argsort(#1, dim=#2, descending=#3)",
                     "jax": "jnp.argsort(#1, axis=#2, descending=#3)"},
          samples=("argsort(x)", "argsort(X, axis=0)", "argsort(X, descending=True)"),
          libraries=("np.argsort(a, axis=-1, kind=..., order=None, *, stable=..., descending=False)"
                     " -> argsort(a, axis=axis, descending=descending)",
                     "torch.argsort(input, dim=-1, descending=False, stable=...)"
                     " -> argsort(input, axis=dim, descending=descending)")),
    of_last("argsort", "The places of the entries from the least on, along the last axis.",
            evaluate=kernels.stable_order, differential="0 * dx", exact=True),
    *(order(f"index_of_{name}", "x; axis=None, keepdims=False", f"The place of the {word} entry, as an index:"
            f" `x[index_of_{name}(y)]`.", signature="(n)->()", evaluate=partial(getattr(np, f"arg{name}"), axis=-1),
            differential="0 * sum(dx)", exact=True,
            spellings={"numpy": f"np.arg{name}(#1, axis=#2, keepdims=#3)",
                       "torch": f"torch.arg{name}(#1, dim=#2, keepdim=#3)"},
            libraries=(f"np.arg{name}(a, axis=None, out=None, keepdims=False)"
                       f" -> index_of_{name}(a, axis=axis, keepdims=keepdims)",
                       f"torch.arg{name}(input, dim: axis = None, keepdim=False)"
                       f" -> index_of_{name}(input, axis=dim, keepdims=keepdim)",
                       *(["argmax(x, axis=None) -> index_of_max(x, axis=axis)"] if name == "max" else [])))
      for name, word in (("max", "largest"), ("min", "least"))),
)
