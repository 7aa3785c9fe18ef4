"""What PyTorch lacks. It reads these functions as text, so it need not be installed where programs are written."""

from __future__ import annotations

from typing import Any

import torch


def cbrt(x: Any) -> Any:
    """The cube root."""
    return torch.sign(x) * torch.abs(x) ** (1 / 3)


def quotient(a: Any, b: Any) -> Any:
    """a / b, and 0 where a is 0."""
    return torch.where(a == 0, torch.zeros_like(a / b), a / b)


def reciprocal_or_zero(x: Any) -> Any:
    """1 / x, and 0 where x is 0."""
    return torch.where(x == 0, torch.zeros_like(x), 1 / x)


def exclusive_product(x: Any) -> Any:
    """For each entry along the last axis, the product of the others."""
    ones = torch.ones_like(x[..., :1])
    before = torch.cumprod(torch.cat([ones, x[..., :-1]], dim=-1), dim=-1)
    after = torch.cumprod(torch.cat([ones, x[..., 1:].flip(-1)], dim=-1), dim=-1).flip(-1)
    return before * after


def cofactor(X: Any) -> Any:
    """The matrix of cofactors, for singular matrices too."""
    U, s, Vh = torch.linalg.svd(X)
    sign = torch.linalg.det(U) * torch.linalg.det(Vh)
    return sign[..., None, None] * ((U * exclusive_product(s)[..., None, :]) @ Vh)


def polar_factor(X: Any) -> Any:
    """U @ Vh of the singular value decomposition, without vanishing singular values."""
    U, s, Vh = torch.linalg.svd(X, full_matrices=False)
    present = s > 1e-13 * torch.amax(s, dim=-1, keepdim=True)
    return (U * present[..., None, :]) @ Vh


def symmetric_part(X: Any) -> Any:
    """(X + X.T)/2."""
    return (X + X.mT) / 2


def rows_replaced(X: Any) -> Any:
    """The matrices X with row i replaced by the unit vector e_j."""
    one = torch.eye(len(X), dtype=X.dtype, device=X.device)
    return torch.einsum("kl,ik->ikl", X, 1 - one)[:, None] + torch.einsum("ik,jl->ijkl", one, one)


def expm_frechet(X: Any, E: Any) -> Any:
    """How expm(X) changes along E: the upper right block of expm([[X, E], [0, X]])."""
    X, E = torch.broadcast_tensors(X, E)
    rows = [torch.cat([X, E], dim=-1), torch.cat([torch.zeros_like(X), X], dim=-1)]
    return torch.linalg.matrix_exp(torch.cat(rows, dim=-2))[..., : X.shape[-1], X.shape[-1] :]


def expand_dims(x: Any, dim: Any) -> Any:
    """With new axes of size one."""
    dims = dim if isinstance(dim, tuple) else (dim,)
    for place in sorted(one % (x.ndim + len(dims)) for one in dims):
        x = torch.unsqueeze(x, place)
    return x


def transpose(x: Any, axes: Any = None) -> Any:
    """With the axes reversed, or in a given order."""
    return torch.permute(x, tuple(range(x.ndim))[::-1] if axes is None else axes)


def flip(x: Any, dim: Any = None) -> Any:
    """With the entries along one axis, or along all, in reverse order."""
    return torch.flip(x, tuple(range(x.ndim)) if dim is None else (dim,))


def concatenate(parts: Any, dim: Any = 0) -> Any:
    """Arrays joined along an axis; without one, all their entries."""
    return torch.cat([torch.ravel(part) for part in parts]) if dim is None else torch.cat(parts, dim)


def dot(a: Any, b: Any) -> Any:
    """The product over the last axis of a and the last but one of b."""
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return torch.tensordot(a, b, ([a.ndim - 1], [max(0, b.ndim - 2)]))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The product over the last axes of a and the first of b, or over given ones."""
    if isinstance(axes, int):
        return torch.tensordot(a, b, axes)
    first, second = ((one,) if isinstance(one, int) else tuple(one) for one in axes)
    return torch.tensordot(a, b, (first, second))


def logm(X: Any) -> Any:
    """The principal logarithm: square roots until the matrix is near the identity, then the series of artanh."""
    one = torch.eye(X.shape[-1], dtype=X.dtype, device=X.device)
    for _ in range(6):
        mean = X
        for _ in range(12):
            inverse = torch.linalg.inv(mean)
            X, mean = X @ (one + inverse) / 2, (one + (mean + inverse) / 2) / 2
    W = (X - one) @ torch.linalg.inv(X + one)
    total = one / 25
    for k in range(23, 0, -2):
        total = one / k + W @ W @ total
    return 2 * 2**6 * W @ total


def logm_frechet(X: Any, E: Any) -> Any:
    """How logm(X) changes along E: the upper right block of logm([[X, E], [0, X]])."""
    X, E = torch.broadcast_tensors(X, E)
    rows = [torch.cat([X, E], dim=-1), torch.cat([torch.zeros_like(X), X], dim=-1)]
    return logm(torch.cat(rows, dim=-2))[..., : X.shape[-1], X.shape[-1] :]


def spherical_bessel(n: Any, x: Any) -> Any:
    """The spherical Bessel function of whole order n: by its series near 0, else by upward recurrence."""
    n = int(n)
    near = torch.abs(x) <= max(4, n)
    far = torch.where(near, torch.ones_like(x), x)
    below, result = torch.cos(far) / far, torch.sin(far) / far
    for order in range(n):
        below, result = result, (2 * order + 1) / far * result - below
    small = torch.where(near, x, torch.zeros_like(x))
    term = torch.ones_like(small)
    for order in range(n):
        term = term * small / (2 * order + 3)
    total = term
    for k in range(1, 40):
        term = -term * small * small / (2 * k * (2 * n + 2 * k + 1))
        total = total + term
    return torch.where(near, total, result)
