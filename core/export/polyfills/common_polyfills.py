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
    """The principal logarithm: square roots until the matrix is near the identity, then the series of artanh."""
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
    return 2 * 2**6 * W @ total


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
