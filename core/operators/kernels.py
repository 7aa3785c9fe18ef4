"""How entries of the table are evaluated where NumPy has no function that does just that.

Each function takes arrays and returns one; where the signature has core axes, the arrays have leading batch axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import EvaluationError

# --- elementwise -----------------------------------------------------------------------------------------------------


def xlogy(a: Any, b: Any) -> Any:
    """Return a * log(b), and 0 where a is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == 0) & ~np.isnan(b), 0.0, a * np.log(b))


def quotient(a: Any, b: Any) -> Any:
    """Return a / b, and 0 where a is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == 0) & ~np.isnan(b), 0.0, a / b)


def reciprocal_or_zero(x: Any) -> Any:
    """Return 1 / x, and 0 where x is 0."""
    if np.ndim(x) == 0:
        return np.reciprocal(x) if x else np.float64(0.0)
    if np.all(x):
        return np.reciprocal(x)
    with np.errstate(divide="ignore"):
        return np.where(x == 0, 0.0, 1 / np.asarray(x))


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    # Where exp overflows the quotient is 0, as it should be, and nothing is subtracted: exact to the last digits.
    return 1 / (1 + np.exp(-x))


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition is not 0, else b."""
    return np.where(condition != 0, a, b)


# Each order is a step of a recurrence; long before so many, functions of ordinary numbers are 0.
MOST_ORDERS = 10_000
# What is far away for the functions of exponential integrators.
FAR = 1e8


def spherical_bessel(n: Any, x: Any) -> Any:
    """Return the spherical Bessel functions of whole order n: by their series near 0, else by upward recurrence.

    Source: Abramowitz & Stegun 1964, 10.1.2 and 10.1.19.
    """
    n, x = np.broadcast_arrays(n, x)
    if np.max(n, initial=0) > MOST_ORDERS:
        raise EvaluationError(f"the order of a spherical Bessel function is {MOST_ORDERS} at most")
    near = np.abs(x) <= np.maximum(4.0, n)
    far = np.where(near, 1.0, x)
    below, result = np.cos(far) / far, np.sin(far) / far
    for order in range(int(np.max(n, initial=0))):
        below, result = result, np.where(order < n, (2 * order + 1) / far * result - below, result)
    small = np.where(near, x, 0.0)
    term = total = small**n / np.cumprod(np.arange(1.0, 2 * np.max(n, initial=0) + 2, 2))[n.astype(int)]
    for k in range(1, 40):
        term = -term * small * small / (2 * k * (2 * n + 2 * k + 1))
        total = total + term
    return np.where(near, total, result)


def bessel_of_second_kind(v: Any, x: Any) -> Any:
    """Return Y of order v, nan where SciPy has lost it."""
    if np.max(np.abs(v), initial=0) > MOST_ORDERS:
        raise EvaluationError(f"the order of a Bessel function of the second kind is {MOST_ORDERS} at most")
    result = _scipy("special", "yv")(v, x)
    # SciPy says 0 for large orders far away, which no finite number has.
    return np.where((result == 0) & np.isfinite(x), np.nan, result)


# --- along the last axis ---------------------------------------------------------------------------------------------


def exclusive_product(x: Any) -> Any:
    """Return, for each entry along the last axis, the product of the others: exact where entries are zero."""
    before, after = np.ones_like(x), np.ones_like(x)
    before[..., 1:] = np.cumprod(x[..., :-1], axis=-1)
    after[..., :-1] = np.cumprod(x[..., :0:-1], axis=-1)[..., ::-1]
    return before * after


def _largest(x: Any) -> Any:
    """Return the largest entry along the last axis, which stays as one of length 1."""
    # What is a single number costs a fraction of an array of one, which counts for short vectors.
    keep = x.ndim > 1
    return np.maximum.reduce(x, axis=-1, keepdims=keep) if x.dtype.kind != "c" else np.max(x, -1, keepdims=keep)


def logsumexp(x: Any) -> Any:
    """Return log(sum(exp(x))) along the last axis, without overflow."""
    shift = _largest(x)
    finite = np.isfinite(shift)
    if not (finite.all() if x.ndim > 1 else finite):
        shift = np.where(finite, shift, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.add.reduce(np.exp(x - shift), axis=-1)) + (shift[..., 0] if x.ndim > 1 else shift)


def log_softmax_of_last(x: Any) -> Any:
    """Return x - logsumexp(x) along the last axis: from the largest entry, so that large ones lose no digits.

    Where the largest entry is infinite all are nan, infinity less infinity.
    """
    below = x - _largest(x)
    return below - np.log(np.add.reduce(np.exp(below), axis=-1, keepdims=x.ndim > 1))


def softmax_of_last(x: Any) -> Any:
    """Return exp(x) / sum(exp(x)) along the last axis, without overflow; nan where the largest entry is infinite."""
    exponentials = np.exp(x - _largest(x))
    exponentials /= np.add.reduce(exponentials, axis=-1, keepdims=x.ndim > 1)
    return exponentials


def euclidean_norm(x: Any) -> Any:
    """Return the length of vectors along the last axis; scaled where squares would overflow or vanish."""
    if np.iscomplexobj(x):
        scale = _largest_or_one(x.real)
        return np.sqrt(np.sum((x / scale) ** 2, axis=-1)) * scale[..., 0]
    result = np.sqrt(np.vecdot(x, x))
    if (1e-150 < result < np.inf) if result.ndim == 0 else ((result > 1e-150) & (result < np.inf)).all():
        return result
    scale = _largest_or_one(x)
    return np.sqrt(np.sum((x / scale) ** 2, axis=-1)) * scale[..., 0]


def power_norm(x: Any, ord: float) -> Any:
    """Return sum(abs(x)**ord)**(1/ord) along the last axis."""
    scale = _largest_or_one(x)
    return np.sum(np.abs(x / scale) ** ord, axis=-1) ** (1 / ord) * scale[..., 0]


def _largest_or_one(x: Any) -> Any:
    """Return the largest size along the last axis, which stays, and 1 where that is 0 or not finite."""
    extreme = np.max(np.abs(x), axis=-1, keepdims=True, initial=0.0)
    return np.where((extreme > 0) & np.isfinite(extreme), extreme, 1.0)


# --- matrices --------------------------------------------------------------------------------------------------------


def of_finite(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of matrices that gives nan for those with infinite entries, where LAPACK may never end."""

    @wraps(function)
    def guarded(X: Any) -> Any:
        if np.isfinite(X).all():
            return function(X)
        bad = ~np.isfinite(X).all(axis=(-2, -1))
        found = function(np.where(bad[..., None, None], np.eye(*X.shape[-2:]), X))

        def marked(array: Any) -> Any:
            array = np.asarray(array)
            return np.where(bad.reshape(bad.shape + (1,) * (array.ndim - bad.ndim)), np.nan, array)

        return tuple(map(marked, found)) if isinstance(found, tuple) else marked(found)

    return guarded


def symmetric_part(X: Any) -> Any:
    """Return (X + X.T)/2."""
    return (X + np.swapaxes(X, -1, -2)) / 2


def solve_vector(A: Any, b: Any) -> Any:
    """Return the solution of A @ x = b for one vector b."""
    # For two axes NumPy would take b as a matrix of columns.
    return np.linalg.solve(A, b) if b.ndim == 1 else np.linalg.solve(A, b[..., None])[..., 0]


# The inverse of a scaled matrix keeps the digits of its cofactors up to this size.
LARGEST_INVERSE = 1e6


@of_finite
def cofactor(X: Any) -> Any:
    """Return the matrix of cofactors: det(X) inv(X).T, and by the singular values where X is nearly singular.

    Rows and columns are scaled first, by powers of 2, so that what is small beside large entries keeps its digits.
    """
    rows = np.frexp(np.max(np.abs(X), axis=-1, keepdims=True, initial=0.0))[1]
    scaled = np.ldexp(X, -rows)
    columns = np.frexp(np.max(np.abs(scaled), axis=-2, keepdims=True, initial=0.0))[1]
    scaled = np.ldexp(scaled, -columns)
    try:
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        return _cofactor_at_any_rank(X)
    others = np.sum(rows, axis=-2, keepdims=True) - rows + np.sum(columns, axis=-1, keepdims=True) - columns
    found = np.ldexp(np.linalg.det(scaled)[..., None, None] * np.swapaxes(inverse, -1, -2), others)
    regular = np.max(np.abs(inverse), axis=(-2, -1), keepdims=True, initial=0.0) < LARGEST_INVERSE
    return found if regular.all() else np.where(regular, found, _cofactor_at_any_rank(X))


def _cofactor_at_any_rank(X: Any) -> Any:
    """Return the matrix of cofactors through X = U diag(s) V.T.

    It is det(U) det(V) U diag(p) V.T, where p[i] is the product of all s but s[i].
    """
    U, s, Vh = np.linalg.svd(X)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return sign[..., None, None] * ((U * exclusive_product(s)[..., None, :]) @ Vh)


def logdet(X: Any) -> Any:
    """Return the log of a positive determinant, nan for a negative one."""
    sign, logarithm = np.linalg.slogdet(X)
    return np.where(sign < 0, np.nan, logarithm)


@of_finite
def polar_factor(X: Any) -> Any:
    """Return U @ Vh of the singular value decomposition, without vanishing singular values."""
    U, s, Vh = np.linalg.svd(X, full_matrices=False)
    present = s > 1e-13 * np.max(s, axis=-1, keepdims=True, initial=0.0)
    return (U * present[..., None, :]) @ Vh


# --- with SciPy ------------------------------------------------------------------------------------------------------


def _scipy(module: str, name: str) -> Any:
    """Return a function of SciPy; say what to install where it is missing."""
    try:
        return getattr(import_module(f"scipy.{module}"), name)
    except ImportError:
        raise EvaluationError(f"`{name}` needs SciPy", helps=["pip install 'matgrad[scipy]'"]) from None


def log_ndtr_between(a: Any, b: Any) -> Any:
    """Return log(ndtr(b) - ndtr(a)) from the tail in which both are small."""
    log_ndtr = of_scipy("special", "log_ndtr")
    turned = a > 0
    low, high = np.where(turned, -b, a), np.where(turned, -a, b)
    top = log_ndtr(high)
    with np.errstate(all="ignore"):
        return top + np.log(-np.expm1(log_ndtr(low) - top))


def of_scipy(module: str, name: str, plain: Callable[[float], float] | None = None) -> Any:
    """Return a function of SciPy that is imported when it is called: `of_scipy("special", "gamma")`.

    Where SciPy is not installed, the function of one number that Python has takes its place.
    """

    def evaluate(*arrays: Any) -> Any:
        try:
            return _scipy(module, name)(*arrays)
        except EvaluationError:
            if plain is None:
                raise
            return np.asarray(np.vectorize(plain, otypes=[float])(*arrays))

    return evaluate


def phi_function(k: Any, x: Any) -> Any:
    """Return the sum of x**j / (j + k)! over j: by the confluent hypergeometric function, or its series far away."""
    # SciPy sums for ever far away. To the right the result is infinite there, to the left the series is exact.
    near = np.clip(x, -FAR, FAR)
    reciprocal_gamma = _scipy("special", "rgamma")
    result = _scipy("special", "hyp1f1")(1.0, np.add(k, 1.0), near) * reciprocal_gamma(np.add(k, 1.0))
    left = np.where(np.less(x, -FAR), x, -np.inf)
    series = -sum(reciprocal_gamma(np.subtract(k, power - 1.0)) / left**power for power in range(1, 5))
    return np.where(np.less(x, -FAR), series, result)


def lambertw(x: Any) -> Any:
    """Return the principal branch of Lambert's function, nan where that is not real."""
    found = _scipy("special", "lambertw")(x)
    return np.where(np.asarray(x) >= -math.exp(-1), found.real, np.nan)


def expm(X: Any) -> Any:
    """Return the matrix exponential."""
    return _scipy("linalg", "expm")(X)


def _once(X: Any) -> Any:
    """Return matrices without the batch axes along which they only repeat: many directions share one matrix."""
    return X[tuple(slice(None) if stride else slice(1) for stride in X.strides[:-2])]


def expm_frechet(X: Any, E: Any) -> Any:
    """Return how expm(X) changes along many E: by scaling, the derivative of Taylor's series, and squaring.

    Source: Al-Mohy & Higham 2009, Computing the Fréchet derivative of the matrix exponential.
    """
    X = _once(X)
    size = float(np.max(np.sum(np.abs(X), axis=-2), initial=0.0))
    squarings = max(0, math.frexp(size)[1] + 1) if math.isfinite(size) else 0
    A, along = X / 2.0**squarings, E / 2.0**squarings
    power = value = np.broadcast_to(np.eye(X.shape[-1]), X.shape)
    moved = result = np.zeros_like(along)
    for k in range(1, 17):
        moved, power = (moved @ A + power @ along) / k, power @ A / k
        value, result = value + power, result + moved
    for _ in range(squarings):
        value, result = value @ value, result @ value + value @ result
    return result


def logm(X: Any) -> Any:
    """Return the principal logarithms of matrices; nan where one is not real, or does not exist."""
    logarithm = _scipy("linalg", "logm")
    singular = (np.linalg.matrix_rank(X) < X.shape[-1])[..., None, None]
    regular = np.where(singular, np.eye(X.shape[-1]), X)
    result = np.array([logarithm(matrix) for matrix in regular.reshape(-1, *X.shape[-2:])]).reshape(X.shape)
    result = np.where(singular, np.nan, result)
    if np.iscomplexobj(X) or not np.iscomplexobj(result):
        return result
    real = np.all(np.abs(result.imag) <= 1e-12 * np.max(np.abs(result), initial=0.0), axis=(-2, -1), keepdims=True)
    return np.where(real, result.real, np.nan)


def logm_frechet(X: Any, E: Any) -> Any:
    """Return how logm(X) changes along many E: what inverts the derivative of the exponential at logm(X)."""
    n, X = X.shape[-1], _once(X)
    basis = np.eye(n * n).reshape(n * n, n, n)
    images = expm_frechet(np.expand_dims(logm(X), -3), np.broadcast_to(basis, (*X.shape[:-2], n * n, n, n)))
    columns = np.swapaxes(images.reshape(*X.shape[:-2], n * n, n * n), -1, -2)
    return np.linalg.solve(columns, E.reshape(*E.shape[:-2], n * n, 1)).reshape(E.shape)


def mean_along_diagonals(value: Any, *, cyclic: bool = False) -> Any:
    """Return matrices in which every entry is the mean of its diagonal, or of that and the one that goes on from it."""
    rows, columns = value.shape[-2:]
    offset = np.arange(columns) - np.arange(rows)[:, None]
    offset = offset % columns if cyclic else offset
    result = np.empty_like(value)
    for diagonal in np.unique(offset):
        result[..., offset == diagonal] = value[..., offset == diagonal].mean(axis=-1, keepdims=True)
    return result
