"""What PyTorch lacks and NumPy has. These functions are read as text, so PyTorch need not be installed."""

from __future__ import annotations

from typing import Any

import torch


def cbrt(x: Any) -> Any:
    """The cube root."""
    return torch.sign(x) * torch.abs(x) ** (1 / 3)


def expand_dims(x: Any, dim: Any) -> Any:
    """With new axes of size one."""
    dims = dim if isinstance(dim, tuple) else (dim,)
    for place in sorted(one % (x.ndim + len(dims)) for one in dims):
        x = torch.unsqueeze(x, place)
    return x


def linspace(start: Any, stop: Any, steps: Any) -> Any:
    """What is so far from start to stop, where steps go from 0 to 1: those of arrays along a new first axis."""
    return start + torch.tensordot(steps, torch.as_tensor(stop - start, dtype=steps.dtype), 0)


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


def sliding_window_view(x: Any, window_shape: Any, dim: Any = None) -> Any:
    """Windows at every place; the places in each are further axes, at the end."""
    lengths = window_shape if isinstance(window_shape, tuple) else (window_shape,)
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    for place, length in zip([place % x.ndim for place in dims], lengths, strict=True):
        x = x.unfold(place, length, 1)
    return x


def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """The convolution of two vectors."""
    full = torch.nn.functional.conv1d(a[None, None], torch.flip(v, (0,))[None, None], padding=len(v) - 1)[0, 0]
    short, long = sorted((len(a), len(v)))
    starts = {"full": 0, "same": (short - 1) // 2, "valid": short - 1}
    sizes = {"full": len(full), "same": long, "valid": long - short + 1}
    return full[starts[mode] : starts[mode] + sizes[mode]]


def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """The correlation of two vectors."""
    full = torch.nn.functional.conv1d(a[None, None], v[None, None], padding=len(v) - 1)[0, 0]
    short, long = sorted((len(a), len(v)))
    starts = {"full": 0, "same": (short - 1) // 2 if len(a) == long else short // 2, "valid": short - 1}
    sizes = {"full": len(full), "same": long, "valid": long - short + 1}
    return full[starts[mode] : starts[mode] + sizes[mode]]


def sort(x: Any, dim: Any = -1, descending: Any = False) -> Any:
    """The entries from the least on along an axis; without one, all as a vector."""
    return torch.sort(torch.ravel(x) if dim is None else x, -1 if dim is None else dim, descending)[0]


def cumprod(x: Any, dim: Any = None) -> Any:
    """Running products along an axis, or of all entries."""
    return torch.cumprod(torch.ravel(x), 0) if dim is None else torch.cumprod(x, dim)


def cummax(x: Any, dim: Any = None) -> Any:
    """Running maxima along an axis, or of all entries."""
    return (torch.cummax(torch.ravel(x), 0) if dim is None else torch.cummax(x, dim))[0]


def cummin(x: Any, dim: Any = None) -> Any:
    """Running minima along an axis, or of all entries."""
    return (torch.cummin(torch.ravel(x), 0) if dim is None else torch.cummin(x, dim))[0]


def logcumsumexp(x: Any, dim: Any = None) -> Any:
    """Logs of the running sums of exp(x) along an axis, or of all entries."""
    return torch.logcumsumexp(torch.ravel(x), 0) if dim is None else torch.logcumsumexp(x, dim)


def one_hot(labels: Any, num_classes: Any, dim: Any = -1) -> Any:
    """A row for each label: one at its place, else zero."""
    places = torch.as_tensor(labels).unsqueeze(-1)
    rows = places == torch.arange(num_classes, device=places.device)
    return torch.moveaxis(rows, -1, dim)


def gammasgn(x: Any) -> Any:
    """The sign of the gamma function."""
    return torch.where((x > 0) | (torch.floor(x) % 2 == 0), 1.0, -1.0).to(x.dtype)


def gamma(x: Any) -> Any:
    """The gamma function."""
    return torch.where((x > 0) | (torch.floor(x) % 2 == 0), 1.0, -1.0) * torch.exp(torch.lgamma(x))


def beta(a: Any, b: Any) -> Any:
    """The beta function, of positive numbers."""
    return torch.exp(torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b))


def poch(x: Any, m: Any) -> Any:
    """The rising factorial gamma(x + m) / gamma(x), of positive numbers."""
    return torch.exp(torch.lgamma(x + m) - torch.lgamma(x))


def binom(n: Any, k: Any) -> Any:
    """The binomial coefficient, n over k, for 0 <= k <= n."""
    return torch.exp(torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1))


def norm_pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density of the normal distribution."""
    return torch.exp(-(((x - loc) / scale) ** 2) / 2) / (scale * (2 * torch.pi) ** 0.5)
