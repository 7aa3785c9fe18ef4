"""How the functions of the order of entries are evaluated, along the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import EvaluationError


def stable_order(x: Any) -> Any:
    """Return the places of the entries from the least on; equal ones keep their order."""
    return np.argsort(x, axis=-1, kind="stable")


def ordered_by(x: Any, v: Any) -> Any:
    """Return the entries of v in the order that sorts x."""
    return np.take_along_axis(v, stable_order(x), axis=-1)


def ranked_by(x: Any, v: Any) -> Any:
    """Return for each entry of x that of v at its rank."""
    result = np.empty_like(v)
    np.put_along_axis(result, stable_order(x), v, axis=-1)
    return result


def order_statistic(x: Any, rank: int) -> Any:
    """Return the entry of a rank."""
    if not 1 <= rank <= x.shape[-1]:
        raise EvaluationError(f"there is no entry number {rank} of {x.shape[-1]}")
    return np.where(np.isnan(x).any(axis=-1), np.nan, np.partition(x, rank - 1, axis=-1)[..., rank - 1])


def middle(x: Any, omit_nan: bool, upper: bool) -> Any:
    """Return the lower or the upper of the two middle entries, which are one for an odd number."""
    present = np.count_nonzero(~np.isnan(x), axis=-1, keepdims=True)
    last = present - 1 if omit_nan else np.full_like(present, x.shape[-1] - 1)
    found = np.take_along_axis(np.sort(x, axis=-1), np.maximum(last + upper, 0) // 2, axis=-1)[..., 0]
    return found if omit_nan else np.where(present[..., 0] == x.shape[-1], found, np.nan)


def logcumsumexp(x: Any) -> Any:
    """Return the logs of the running sums of exp(x), without overflow."""
    return np.logaddexp.accumulate(x, axis=-1)
