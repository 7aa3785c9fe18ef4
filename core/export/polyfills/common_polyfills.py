"""What all libraries lack, written for NumPy: programs for JAX and PyTorch print the same source in their words.

Nothing is changed in place, as JAX demands, and no step of a slice is negative, as PyTorch demands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg


def quotient(a: Any, b: Any) -> Any:
    """a / b, and 0 where a is 0."""
    return np.where(a == 0, 0.0, a / np.where(a == 0, 1.0, b))


def reciprocal_or_zero(x: Any) -> Any:
    """1 / x, and 0 where x is 0."""
    return np.where(x == 0, 0.0, 1 / np.where(x == 0, 1.0, x))


def huber(delta: Any, r: Any) -> Any:
    """r**2/2 up to delta in size, and the tangent of that beyond."""
    return np.where(np.abs(r) <= delta, r * r / 2, delta * (np.abs(r) - delta / 2))


def exclusive_product(x: Any) -> Any:
    """For each entry along the last axis, the product of the others."""
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, np.flip(x[..., 1:], (-1,))], axis=-1), axis=-1)
    return before * np.flip(after, (-1,))


def cofactor(X: Any) -> Any:
    """The matrix of cofactors, for singular matrices too."""
    U, s, Vh = np.linalg.svd(X)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return sign[..., None, None] * ((U * exclusive_product(s)[..., None, :]) @ Vh)


def polar_factor(X: Any) -> Any:
    """U @ Vh of the singular value decomposition, without vanishing singular values."""
    U, s, Vh = np.linalg.svd(X, full_matrices=False)
    present = s > 1e-13 * np.max(s, axis=-1, keepdims=True)
    return (U * present[..., None, :]) @ Vh


def symmetric_part(X: Any) -> Any:
    """(X + X.T)/2."""
    return (X + np.swapaxes(X, -1, -2)) / 2


def rows_replaced(X: Any) -> Any:
    """The matrices X with row i replaced by the unit vector e_j."""
    one = np.eye(len(X), dtype=X.dtype)
    return np.einsum("kl,ik->ikl", X, 1 - one)[:, None] + np.einsum("ik,jl->ijkl", one, one)


def expm_frechet(X: Any, E: Any) -> Any:
    """How expm(X) changes along E: the upper right block of expm([[X, E], [0, X]])."""
    X, E = np.broadcast_arrays(X, E)
    rows = [np.concatenate([X, E], axis=-1), np.concatenate([np.zeros_like(X), X], axis=-1)]
    return scipy.linalg.expm(np.concatenate(rows, axis=-2))[..., : X.shape[-1], X.shape[-1] :]


def logm(X: Any) -> Any:
    """The principal logarithm: square roots until the matrix is near the identity, then the series of artanh.

    It is nan where square roots do not converge, for then it is not real.
    """
    given = X
    one = np.eye(X.shape[-1], dtype=X.dtype)
    for _ in range(6):
        mean = X
        for _ in range(12):
            inverse = np.linalg.inv(mean)
            X, mean = X @ (one + inverse) / 2, (one + (mean + inverse) / 2) / 2
    W = (X - one) @ np.linalg.inv(X + one)
    total = one / 25
    for k in range(23, 0, -2):
        total = one / k + W @ W @ total
    missed = np.max(np.abs(np.linalg.matrix_power(X, 2**6) - given), axis=(-2, -1), keepdims=True)
    largest = np.max(np.abs(given), axis=(-2, -1), keepdims=True)
    return np.where(missed <= 1e-6 * largest, 2 * 2**6 * W @ total, np.nan)


def logm_frechet(X: Any, E: Any) -> Any:
    """How logm(X) changes along E: the upper right block of logm([[X, E], [0, X]])."""
    X, E = np.broadcast_arrays(X, E)
    rows = [np.concatenate([X, E], axis=-1), np.concatenate([np.zeros_like(X), X], axis=-1)]
    return logm(np.concatenate(rows, axis=-2))[..., : X.shape[-1], X.shape[-1] :]


def spherical_bessel(n: Any, x: Any) -> Any:
    """The spherical Bessel function of whole order n: by its series near 0, else by upward recurrence."""
    n = int(n)
    near = np.abs(x) <= max(4, n)
    far = np.where(near, 1.0, x)
    below, result = np.cos(far) / far, np.sin(far) / far
    for order in range(n):
        below, result = result, (2 * order + 1) / far * result - below
    small = np.where(near, x, 0.0)
    term = np.ones_like(small)
    for order in range(n):
        term = term * small / (2 * order + 3)
    total = term
    for k in range(1, 40):
        term = -term * small * small / (2 * k * (2 * n + 2 * k + 1))
        total = total + term
    return np.where(near, total, result)


def solve_sylvester(A: Any, B: Any, Q: Any) -> Any:
    """The X with A X + X B = Q, by one system for all its entries."""
    m, n = Q.shape[-2:]
    system = np.einsum("...ik,lj->...ijkl", A, np.eye(n, dtype=Q.dtype))
    system = system + np.einsum("ik,...lj->...ijkl", np.eye(m, dtype=Q.dtype), B)
    system = system.reshape(*system.shape[:-4], m * n, m * n)
    X = np.linalg.solve(system, Q.reshape(*Q.shape[:-2], m * n, 1))
    return X.reshape(*X.shape[:-2], m, n)


def solve_stein(A: Any, B: Any, Q: Any) -> Any:
    """The X with X - A X B = Q, by one system for all its entries."""
    m, n = Q.shape[-2:]
    system = np.einsum("...ik,...lj->...ijkl", A, B)
    system = np.eye(m * n, dtype=Q.dtype) - system.reshape(*system.shape[:-4], m * n, m * n)
    X = np.linalg.solve(system, Q.reshape(*Q.shape[:-2], m * n, 1))
    return X.reshape(*X.shape[:-2], m, n)


def ordered_by(x: Any, v: Any) -> Any:
    """The entries of v in the order that sorts x."""
    x, v = np.broadcast_arrays(x, v)
    return np.take_along_axis(v, np.argsort(x, axis=-1, stable=True), axis=-1)


def ranked_by(x: Any, v: Any) -> Any:
    """For each entry of x that of v at its rank."""
    x, v = np.broadcast_arrays(x, v)
    ranks = np.argsort(np.argsort(x, axis=-1, stable=True), axis=-1)
    return np.take_along_axis(v, ranks, axis=-1)


def merged_axes(x: Any, along: Any) -> Any:
    """The entries along axes as the last axis, and the shape with ones for these axes."""
    axes = tuple(range(x.ndim)) if along is None else along if isinstance(along, tuple) else (along,)
    axes = tuple(place % x.ndim for place in axes)
    moved = np.moveaxis(x, axes, tuple(range(-len(axes), 0))) if axes else x
    shape = tuple(1 if place in axes else size for place, size in enumerate(x.shape))
    return moved.reshape((*moved.shape[: x.ndim - len(axes)], -1)), shape


def order_statistic(x: Any, rank: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """The entry of a rank along axes, that of the least being 1."""
    return at_rank(x, lambda count: 0 * count + rank - 1, axis, keepdims, False)


def at_rank(x: Any, place: Any, along: Any, keepdims: Any, omit_nan: Any) -> Any:
    """The sorted entry along axes at a place that the number of entries decides."""
    flat, shape = merged_axes(x, along)
    present = flat == flat if omit_nan else np.ones_like(flat) == 1
    places = place(np.sum(present, axis=-1, keepdims=True))
    result = np.take_along_axis(ordered_by(flat, flat), places, axis=-1)[..., 0]
    return result.reshape(shape) if keepdims else result


def median_low(x: Any, axis: Any = None, keepdims: Any = False, omit_nan: Any = False) -> Any:
    """The lower of the two middle entries along axes."""
    return at_rank(x, lambda count: (count - 1) // 2, axis, keepdims, omit_nan)


def median_high(x: Any, axis: Any = None, keepdims: Any = False, omit_nan: Any = False) -> Any:
    """The upper of the two middle entries along axes."""
    return at_rank(x, lambda count: count // 2, axis, keepdims, omit_nan)


def linear_recurrence(F: Any, b: Any) -> Any:
    """The vectors z[t+1] = F[t] @ z[t] + b[t+1], beginning with z[0] = b[0]."""
    z = [b[..., 0, :]]
    for t in range(F.shape[-3]):
        z.append((F[..., t, :, :] @ z[-1][..., None])[..., 0] + b[..., t + 1, :])
    return np.stack(z, -2)


def adjoint_recurrence(F: Any, b: Any) -> Any:
    """The vectors z[t] = F[t].T @ z[t+1] + b[t], from the last, which is that of b, to the first."""
    z = [b[..., -1, :]]
    for t in reversed(range(F.shape[-3])):
        z.append((z[-1][..., None, :] @ F[..., t, :, :])[..., 0, :] + b[..., t, :])
    return np.stack(z[::-1], -2)


def states(f: Any, h: Any, *sequences: Any) -> Any:
    """The states of a loop: h, then that after each step `h = f(h, x)`, for the rows x of the sequences."""
    found = [h]
    for rows in zip(*sequences, strict=True):
        found.append(f(found[-1], *rows))
    return np.stack(found)


def mean_cyclic_diagonals(X: Any) -> Any:
    """The circulant matrix that is nearest: each entry becomes the mean of its diagonal, which goes on cyclically."""
    n = X.shape[-1]
    offset = (np.arange(n) - np.arange(n)[:, None]) % n
    means = [np.sum(np.where(offset == k, X, 0.0), (-2, -1)) / n for k in range(n)]
    return sum(np.where(offset == k, mean[..., None, None], 0.0) for k, mean in enumerate(means))


def mean_diagonals(X: Any) -> Any:
    """The Toeplitz matrix that is nearest: each entry becomes the mean of its diagonal."""
    rows, columns = X.shape[-2:]
    offset = np.arange(columns) - np.arange(rows)[:, None]
    masks = [offset == k for k in range(1 - rows, columns)]
    means = [np.sum(np.where(mask, X, 0.0), (-2, -1)) / np.sum(mask) for mask in masks]
    return sum(np.where(mask, mean[..., None, None], 0.0) for mask, mean in zip(masks, means, strict=True))
