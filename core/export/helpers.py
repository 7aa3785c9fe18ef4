"""Functions that libraries lack, as source: a program prints those that it uses above itself.

The source for NumPy serves JAX too, with `jnp` for `np`: nothing is changed in place.
"""

from __future__ import annotations

import re
from textwrap import dedent

_NUMPY = '''
def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) without overflow."""
    largest = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0.0)
    result = np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return result if keepdims else np.squeeze(result, axis=axis)


def softmax(x, axis=None):
    """exp(x) / sum(exp(x)) without overflow."""
    small = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return small / np.sum(small, axis=axis, keepdims=True)


def log_softmax(x, axis=None):
    """The logarithm of softmax, accurate where that is tiny."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def xlogy(a, b):
    """a * log(b), and 0 where a is 0."""
    return np.where(a == 0, 0.0, a * np.log(np.where(a == 0, 1.0, b)))


def quotient(a, b):
    """a / b, and 0 where a is 0."""
    return np.where(a == 0, 0.0, a / np.where(a == 0, 1.0, b))


def reciprocal_or_zero(x):
    """1 / x, and 0 where x is 0."""
    return np.where(x == 0, 0.0, 1 / np.where(x == 0, 1.0, x))


def exclusive_product(x):
    """For each entry along the last axis, the product of the others."""
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def cofactor(X):
    """The matrix of cofactors, for singular matrices too."""
    U, s, Vh = np.linalg.svd(X)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return sign[..., None, None] * ((U * exclusive_product(s)[..., None, :]) @ Vh)


def polar_factor(X):
    """U @ Vh of the singular value decomposition, without vanishing singular values."""
    U, s, Vh = np.linalg.svd(X, full_matrices=False)
    present = s > 1e-13 * np.max(s, axis=-1, keepdims=True)
    return (U * present[..., None, :]) @ Vh


def symmetric_part(X):
    """(X + X.T)/2."""
    return (X + np.swapaxes(X, -1, -2)) / 2


def rows_replaced(X):
    """The matrices X with row i replaced by the unit vector e_j."""
    I = np.eye(len(X))
    return np.einsum("kl,ik->ikl", X, 1 - I)[:, None] + np.einsum("ik,jl->ijkl", I, I)


def expm_frechet(X, E):
    """How expm(X) changes along E: the upper right block of expm([[X, E], [0, X]])."""
    X, E = np.broadcast_arrays(X, E)
    rows = [np.concatenate([X, E], axis=-1), np.concatenate([np.zeros_like(X), X], axis=-1)]
    return scipy.linalg.expm(np.concatenate(rows, axis=-2))[..., : X.shape[-1], X.shape[-1] :]
'''

_TORCH = '''
def cbrt(x):
    """The cube root."""
    return torch.sign(x) * torch.abs(x) ** (1 / 3)


def quotient(a, b):
    """a / b, and 0 where a is 0."""
    return torch.where(a == 0, torch.zeros_like(a / b), a / b)


def reciprocal_or_zero(x):
    """1 / x, and 0 where x is 0."""
    return torch.where(x == 0, torch.zeros_like(x), 1 / x)


def exclusive_product(x):
    """For each entry along the last axis, the product of the others."""
    ones = torch.ones_like(x[..., :1])
    before = torch.cumprod(torch.cat([ones, x[..., :-1]], dim=-1), dim=-1)
    after = torch.cumprod(torch.cat([ones, x[..., 1:].flip(-1)], dim=-1), dim=-1).flip(-1)
    return before * after


def cofactor(X):
    """The matrix of cofactors, for singular matrices too."""
    U, s, Vh = torch.linalg.svd(X)
    sign = torch.linalg.det(U) * torch.linalg.det(Vh)
    return sign[..., None, None] * ((U * exclusive_product(s)[..., None, :]) @ Vh)


def polar_factor(X):
    """U @ Vh of the singular value decomposition, without vanishing singular values."""
    U, s, Vh = torch.linalg.svd(X, full_matrices=False)
    present = s > 1e-13 * torch.amax(s, dim=-1, keepdim=True)
    return (U * present[..., None, :]) @ Vh


def symmetric_part(X):
    """(X + X.T)/2."""
    return (X + X.mT) / 2


def rows_replaced(X):
    """The matrices X with row i replaced by the unit vector e_j."""
    I = torch.eye(len(X), dtype=X.dtype, device=X.device)
    return torch.einsum("kl,ik->ikl", X, 1 - I)[:, None] + torch.einsum("ik,jl->ijkl", I, I)


def expm_frechet(X, E):
    """How expm(X) changes along E: the upper right block of expm([[X, E], [0, X]])."""
    X, E = torch.broadcast_tensors(X, E)
    rows = [torch.cat([X, E], dim=-1), torch.cat([torch.zeros_like(X), X], dim=-1)]
    return torch.linalg.matrix_exp(torch.cat(rows, dim=-2))[..., : X.shape[-1], X.shape[-1] :]
'''


def _functions(source: str) -> dict[str, str]:
    """Return the functions in a source, by name."""
    parts = re.split(r"\n(?=def )", dedent(source))
    return {part[4 : part.index("(")]: part.strip() for part in parts if part.startswith("def ")}


HELPERS = {
    "numpy": _functions(_NUMPY),
    "torch": _functions(_TORCH),
    "jax": _functions(_NUMPY.replace("np.", "jnp.").replace("scipy.", "jax.scipy.")),
}
"""The source of each helper, by library and name."""


def used_helpers(library: str, body: str) -> list[str]:
    """Return the sources of the helpers that a body calls, and of those that they call, callees first."""
    sources = HELPERS[library]
    found: list[str] = []

    def visit(text: str) -> None:
        for name in re.findall(r"(?<![\w.])(\w+)\(", text):
            if name in sources and name not in found:
                visit(sources[name].partition(":\n")[2])
                found.append(name)

    visit(body)
    return [sources[name] for name in found]
