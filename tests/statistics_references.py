"""Independent ways to the values of statistics and of the order of entries: NumPy and SciPy, or the definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import scipy.integrate as integrate
import scipy.special as special
import scipy.stats as stats


def along_last(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of vectors as one of arrays, along an axis or over all entries."""

    def applied(x: Any, *settings: Any, axis: Any = None, keepdims: bool = False, **words: Any) -> Any:
        axes = range(np.ndim(x)) if axis is None else [place % np.ndim(x) for place in np.atleast_1d(axis)]
        moved = np.moveaxis(x, list(axes), range(-len(axes), 0))
        flat = moved.reshape(*moved.shape[: moved.ndim - len(axes)], -1)
        result = np.apply_along_axis(lambda v: function(v, *settings, **words), -1, flat)
        return np.expand_dims(result, tuple(axes)) if keepdims else result

    return applied


def descending(x: Any, axis: Any = -1, descending: bool = False) -> Any:
    """Return the sorted entries, from the largest on where that is asked for."""
    found = np.sort(x, axis=axis)
    return np.flip(found, axis) if descending else found


def largest_entries(x: Any, k: int, axis: int = -1, largest: bool = True) -> Any:
    """Return the first k of the sorted entries."""
    return np.take(descending(x, axis, largest), range(k), axis=axis)


def by_rank(x: Any, v: Any) -> Any:
    """Return for each entry of x that of v at its rank, by counting the smaller ones."""
    ranks = np.sum(x[..., None, :] < x[..., :, None], axis=-1)
    return np.take_along_axis(np.broadcast_to(v, np.broadcast_shapes(v.shape, ranks.shape)), ranks, axis=-1)


def in_order(x: Any, v: Any) -> Any:
    """Return the entries of v in the order that sorts x, pair by pair."""
    return np.array([entry for _, entry in sorted(zip(x, v, strict=True))])


def weighted_covariance(
    m: Any, f: Any, a: Any, rowvar: bool = True, bias: bool = False, ddof: int | None = None
) -> Any:
    """Return the covariances of observations that count, and matter, as weights say."""
    rows = np.atleast_2d(m if rowvar else np.transpose(m))
    weights = f * a * np.ones(rows.shape[1])
    deviations = rows - np.average(rows, axis=1, weights=weights)[:, None]
    total = sum(weight * np.outer(column, column) for weight, column in zip(weights, deviations.T, strict=True))
    less = ddof if ddof is not None else 0 if bias else 1
    return np.squeeze(total / (np.sum(weights) - less * np.sum(weights * a) / np.sum(weights)))


def running(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return what a function of vectors gives for all entries up to each one."""

    def applied(x: Any, axis: Any = None) -> Any:
        x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
        return np.apply_along_axis(
            lambda v: np.array([function(v[: end + 1]) for end in range(len(v))]), axis, x
        )  # fmt: skip

    return applied


def covariance(*arrays: Any, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    """Return NumPy's covariance matrix."""
    return np.cov(*arrays, rowvar=rowvar, bias=bias, ddof=ddof)


def quadrature(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rule of integration that takes a step for the places."""

    def applied(y: Any, x: Any = 1, axis: int = -1) -> Any:
        return rule(y, dx=x, axis=axis) if np.ndim(x) == 0 else rule(y, x, axis=axis)

    return applied


def extended(x: Any, end: Any, axis: int = -1, first: bool = True) -> Any:
    """Return an array with more entries at one end."""
    end = np.full_like(np.take(x, [0], axis=axis), end) if np.ndim(end) == 0 else end
    return np.concatenate([end, x] if first else [x, end], axis=axis)


STATISTICS: Mapping[str, Callable[..., Any]] = {
    "sort": descending, "sort_of_last": np.sort, "ordered_by": in_order, "ranked_by": by_rank,
    "largest_entries": largest_entries,
    "argsort": lambda x, axis=-1, descending=False: np.argsort(-x if descending else x, axis=axis),
    "argsort_of_last": np.argsort, "index_of_max": np.argmax, "index_of_min": np.argmin,
    "order_statistic": along_last(lambda v, rank: np.sort(v)[rank - 1]),
    "median_low": along_last(lambda v, omit_nan=False: np.sort(v)[(len(v) - 1) // 2]),
    "median_high": along_last(lambda v, omit_nan=False: np.sort(v)[len(v) // 2]),
    "median": np.median, "nanmedian": np.median, "quantile": np.quantile, "percentile": np.percentile,
    "cumprod": running(np.prod), "cumprod_of_last": partial(running(np.prod), axis=-1), "cummax": running(np.max),
    "cummax_of_last": partial(running(np.max), axis=-1), "cummin": running(np.min),
    "cummin_of_last": partial(running(np.min), axis=-1),
    "logcumsumexp": running(special.logsumexp), "logcumsumexp_of_last": partial(running(special.logsumexp), axis=-1),
    "cov": covariance, "cov_of_one": covariance,
    "weighted_cov": weighted_covariance, "corrcoef": np.corrcoef, "corrcoef_of_one": np.corrcoef,
    "ptp": np.ptp, "logmeanexp": lambda x, **axes: np.log(np.mean(np.exp(x), **axes)),
    "zscore": stats.zscore, "sem": stats.sem, "skewness": stats.skew, "kurtosis": stats.kurtosis,
    "moment": stats.moment, "gmean": stats.gmean, "hmean": stats.hmean, "variation": stats.variation,
    "nansum": np.nansum, "nanprod": np.nanprod, "nanmax": np.nanmax, "nanmin": np.nanmin, "nanmean": np.nanmean,
    "nanvar": np.nanvar, "nanstd": np.nanstd, "nancumsum": np.nancumsum, "diff": np.diff, "extended": extended,
    "central_differences": lambda x, spacing=1, axis=-1: np.gradient(x, spacing, axis=axis),
    "trapezoid": quadrature(integrate.trapezoid), "cumulative_trapezoid": quadrature(integrate.cumulative_trapezoid),
    "ldexp": lambda x, n: x * 2.0**n, "simpson": quadrature(integrate.simpson),
}  # fmt: skip
