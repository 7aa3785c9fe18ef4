"""What NumPy lacks and PyTorch has. JAX lacks some of it too, and has the rest under names of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) without overflow."""
    largest = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0.0)
    result = np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return result if keepdims else np.squeeze(result, axis=axis)


def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) without overflow."""
    small = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return small / np.sum(small, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of softmax, accurate where that is tiny."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def xlogy(a: Any, b: Any) -> Any:
    """a * log(b), and 0 where a is 0."""
    return np.where(a == 0, 0.0, a * np.log(np.where(a == 0, 1.0, b)))


def eig(X: Any) -> Any:
    """Eigenvalues, ascending, and eigenvectors."""
    w, V = np.linalg.eig(X)
    order = np.argsort(w, axis=-1)
    return np.take_along_axis(w, order, axis=-1), np.take_along_axis(V, order[..., None, :], axis=-1)


def cummax(x: Any, axis: Any = None) -> Any:
    """Running maxima along an axis, or of all entries."""
    return np.maximum.accumulate(np.ravel(x), axis=0) if axis is None else np.maximum.accumulate(x, axis=axis)


def cummin(x: Any, axis: Any = None) -> Any:
    """Running minima along an axis, or of all entries."""
    return np.minimum.accumulate(np.ravel(x), axis=0) if axis is None else np.minimum.accumulate(x, axis=axis)


def logcumsumexp(x: Any, axis: Any = None) -> Any:
    """Logs of the running sums of exp(x) along an axis, or of all entries."""
    return np.logaddexp.accumulate(np.ravel(x), axis=0) if axis is None else np.logaddexp.accumulate(x, axis=axis)


def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Windows at every place; the places in each are further axes, at the end."""
    lengths = window_shape if isinstance(window_shape, tuple) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for place, length in zip([place % x.ndim for place in axes], lengths, strict=True):
        rows = np.arange(x.shape[place] - length + 1)[:, None] + np.arange(length)
        x = np.moveaxis(np.take(x, rows, axis=place), place + 1, -1)
    return x


def one_hot(labels: Any, num_classes: Any, axis: Any = -1) -> Any:
    """A row for each label: one at its place, else zero."""
    rows = np.expand_dims(labels, -1) == np.arange(num_classes)
    return np.moveaxis(rows.astype(float), -1, axis)


def stdtr(df: Any, x: Any) -> Any:
    """The distribution function of Student's t."""
    tail = scipy.special.betainc(df / 2, 0.5, df / (df + x * x)) / 2
    return np.where(x > 0, 1 - tail, tail)


def binom(n: Any, k: Any) -> Any:
    """The binomial coefficient, n over k, for 0 <= k <= n."""
    logs = scipy.special.gammaln(k + 1) + scipy.special.gammaln(n - k + 1)
    return np.exp(scipy.special.gammaln(n + 1) - logs)
