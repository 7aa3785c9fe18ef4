"""The closed forms that an expert would write by hand in NumPy, one function for each workload.

Each takes the inputs by name and allocates what it returns, as any function does. Nothing is computed twice, a product
with its own transpose is written as `S.T @ S`, for which NumPy calls the symmetric routine of BLAS, and what is zero
is left as `np.zeros` gives it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def quadratic_gradient(A: Array, x: Array) -> Array:
    """By x of x @ A @ x."""
    return A @ x + x @ A


def quadratic_hessian(A: Array, **_: Array) -> Array:
    """By x twice of x @ A @ x."""
    return A + A.T


def logistic_gradient(X: Array, w: Array, y: Array) -> Array:
    """By w of sum(log(1 + exp(-y*(X @ w))))."""
    return (-y / (1 + np.exp(y * (X @ w)))) @ X


def logistic_hessian(X: Array, w: Array, y: Array) -> Array:
    """By w twice of sum(log(1 + exp(-y*(X @ w))))."""
    s = 1 / (1 + np.exp(y * (X @ w)))
    S = X * np.sqrt(s * (1 - s) * y * y)[:, None]
    return S.T @ S


def logistic_samples(x: Array, y: Array, w: Array) -> Array:
    """By w of log(1 + exp(-y*(x @ w))), for each row of x and entry of y."""
    return (-y / (1 + np.exp(y * (x @ w))))[:, None] * x


def factorisation_hessian(U: Array, V: Array, **_: Array) -> Array:
    """By U twice of sum((T - U @ V.T)**2)."""
    result = np.zeros(U.shape * 2)
    np.einsum("ijik->ijk", result)[...] = 2 * (V.T @ V)
    return result


def elementwise_jacobian(x: Array) -> Array:
    """By x of sin(x)*x."""
    result = np.zeros((x.size, x.size))
    result.ravel()[:: x.size + 1] = elementwise_diagonal(x)
    return result


def elementwise_diagonal(x: Array) -> Array:
    """Return the diagonal of the derivative by x of sin(x)*x."""
    return np.sin(x) + x * np.cos(x)


def exponential_jacobian(x: Array) -> Array:
    """By x of exp(x)."""
    return np.diag(np.exp(x))


def softmax_jacobian(x: Array) -> Array:
    """By x of softmax(x)."""
    e = np.exp(x - x.max())
    s = e / e.sum()
    result = np.multiply.outer(-s, s)
    result.ravel()[:: x.size + 1] += s
    return result


def product_jacobian(A: Array, B: Array, **_: Array) -> Array:
    """By X of A @ X @ B."""
    # A copy of B.T, so that the innermost axis of both the result and the factor is contiguous.
    return np.multiply(A[:, None, :, None], np.ascontiguousarray(B.T)[None, :, None, :])


def inverse_jacobian(X: Array) -> Array:
    """By X of inv(X)."""
    P = np.linalg.inv(X)
    return np.multiply((-P)[:, None, :, None], np.ascontiguousarray(P.T)[None, :, None, :])


def network_jacobian_input(W1: Array, W2: Array, x: Array) -> Array:
    """By x of W2 @ tanh(W1 @ x)."""
    t = np.tanh(W1 @ x)
    return (W2 * (1 - t * t)) @ W1


def network_jacobian_weight(W1: Array, W2: Array, x: Array) -> Array:
    """By W1 of W2 @ tanh(W1 @ x)."""
    t = np.tanh(W1 @ x)
    return np.multiply((W2 * (1 - t * t))[:, :, None], x)


def logsumexp_gradient(A: Array, x: Array) -> Array:
    """By x of logsumexp(A @ x)."""
    z = A @ x
    p = np.exp(z - z.max())
    return (p @ A) / p.sum()


def logsumexp_hessian(A: Array, x: Array) -> Array:
    """By x twice of logsumexp(A @ x)."""
    z = A @ x
    p = np.exp(z - z.max())
    p /= p.sum()
    g = p @ A
    S = A * np.sqrt(p)[:, None]
    result = S.T @ S
    result -= np.multiply.outer(g, g)
    return result


def logdet_gradient(X: Array) -> Array:
    """By X of logdet(X)."""
    return np.linalg.inv(X).T


def logdet_hessian(X: Array) -> Array:
    """By X twice of logdet(X)."""
    P = np.linalg.inv(X)
    return np.multiply((-P.T)[:, None, None, :], P[None, :, :, None])


def gaussian_gradient_mean(S: Array, x: Array, mu: Array) -> Array:
    """By mu of the log-likelihood of x under a normal distribution with covariance S."""
    return np.linalg.solve(S, x - mu)


def gaussian_gradient_covariance(S: Array, x: Array, mu: Array) -> Array:
    """By S of the log-likelihood of x under a normal distribution with covariance S."""
    P = np.linalg.inv(S)
    v = P @ (x - mu)
    result = np.multiply.outer(0.5 * v, v)
    P *= 0.5
    result -= P
    return result


def gaussian_hessian_mean(S: Array, **_: Array) -> Array:
    """By mu twice of the log-likelihood of x under a normal distribution with covariance S."""
    return -np.linalg.inv(S)


def frobenius_mixed(X: Array, Y: Array) -> Array:
    """By X and then by Y of norm(X @ X @ Y, 'fro'), with axes a, b of X and c, d of Y."""
    M, K = X @ Y, X @ X
    Z = X @ M
    size = np.sqrt(np.vdot(Z, Z))
    G = Z / size
    by_X, by_Y = G @ M.T + X.T @ G @ Y.T, K.T @ G
    K /= size
    XK = X.T @ K
    by_X /= -size
    n, p = Y.shape
    result = np.empty((n, n, n, p))
    # A few rows at a time, so that the four sweeps over them stay in the cache.
    step = max(1, 2**14 // (n * n * p))
    term = np.empty((step, n, n, p))
    for start in range(0, n, step):
        rows = slice(start, start + step)
        part = result[rows]
        term = term[: len(part)]
        np.multiply(K[rows, None, :, None], M[None, :, None, :], out=part)
        part += np.multiply(XK[rows, None, :, None], Y[None, :, None, :], out=term)
        part += np.multiply(G[rows, None, None, :], X[None, :, :, None], out=term)
        part += np.multiply(by_X[rows, :, None, None], by_Y, out=term)
    np.einsum("abbd->abd", result)[...] += (X.T @ G)[:, None, :]
    return result


def deep_gradients(x: Array, **weights: Array) -> tuple[Array, ...]:
    """By every weight of sum(h), where h = tanh(W @ h) for each weight W in turn, starting with h = x."""
    values = [x]
    for W in weights.values():
        values.append(np.tanh(W @ values[-1]))
    results: list[Array] = []
    back: Any = 1.0
    for W, before, after in zip(reversed(weights.values()), values[-2::-1], values[:0:-1], strict=True):
        back = back * (1 - after * after)
        results.append(np.multiply.outer(back, before))
        back = back @ W
    return tuple(results[::-1])


def deep_gradients_of_columns(x: Array, **weights: Array) -> tuple[Array, ...]:
    """By every weight of sum(H), where H = tanh(W @ H) for each weight W in turn, starting with the matrix H = x."""
    values = [x]
    for W in weights.values():
        values.append(np.tanh(W @ values[-1]))
    results: list[Array] = []
    back: Any = 1.0
    for W, before, after in zip(reversed(weights.values()), values[-2::-1], values[:0:-1], strict=True):
        back = back * (1 - after * after)
        results.append(back @ before.T)
        back = W.T @ back
    return tuple(results[::-1])


def deep_samples(x: Array, **weights: Array) -> Array:
    """By each row of x, of sum(h), where h = tanh(W @ h) for each weight W in turn, starting with h = that row."""
    h, slopes = x, []
    for W in weights.values():
        h = np.tanh(h @ W.T)
        slopes.append(1 - h * h)
    back: Any = 1.0
    for W, slope in zip(reversed(weights.values()), reversed(slopes), strict=True):
        back = (back * slope) @ W
    return np.asarray(back)


def quadratic_samples(A: Array, x: Array) -> Array:
    """By each row of x, of `row @ A @ row`."""
    return x @ (A + A.T)


def deep_gradient(x: Array, **weights: Array) -> Array:
    """By the first weight of sum(h), where h = tanh(W @ h) for each weight W in turn, starting with h = x."""
    h, slopes = x, []
    for W in weights.values():
        h = np.tanh(W @ h)
        slopes.append(1 - h * h)
    back = slopes[-1]
    for W, slope in zip(list(weights.values())[:0:-1], slopes[-2::-1], strict=True):
        back = (back @ W) * slope
    return np.multiply.outer(back, x)


def attention_jacobian(Q: Array, K: Array, V: Array, d: Array) -> Array:
    """By Q of softmax(Q @ K.T / sqrt(d), axis=1) @ V: row i of the output depends on row i of Q alone."""
    scale = 1 / np.sqrt(d)
    scores = (Q * scale) @ K.T
    P = np.exp(scores - scores.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    means = (P @ K) * scale
    blocks = (V.T[None] * P[:, None, :]) @ (K * scale)
    blocks -= (P @ V)[:, :, None] * means[:, None, :]
    result = np.zeros((*Q.shape[:1], V.shape[1], *Q.shape))
    np.einsum("ivij->ivj", result)[...] = blocks
    return result
