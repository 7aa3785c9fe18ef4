"""Independent ways to the values of operators on arrays: NumPy, SciPy, PyTorch, or loops over the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import combinations, product
from typing import Any

import numpy as np


def of(path: str) -> Callable[..., Any]:
    """Return a function of SciPy, which is imported when it is called."""
    module, _, name = path.rpartition(".")
    return lambda *arguments, **settings: getattr(import_module(module), name)(*arguments, **settings)


def padded(x: Any, widths: Any, value: float = 0) -> Any:
    return np.pad(x, widths, constant_values=value)


# --- layers of networks, entry by entry ------------------------------------------------------------------------------


def several(value: Any, count: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * count


def layered(x: Any, w: Any, axes: int) -> tuple[Any, Any, Callable[[Any], Any]]:
    """Return an array and a kernel with batch and channels, and what undoes this for a result."""
    if w.ndim == axes:
        return x[None, None], w[None, None], lambda y: y[0, 0]
    return (x, w, lambda y: y) if x.ndim == axes + 2 else (x[None], w, lambda y: y[0])


def convolution(axes: int) -> Callable[..., Any]:
    def convolved(
        x: Any, w: Any, bias: Any = 0, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Any:
        x, w, undone = layered(x, w, axes)
        pads, strides, gaps = (several(value, axes) for value in (padding, stride, dilation))
        x = padded(x, [(0, 0), (0, 0), *((p, p) for p in pads)])
        counts = [
            (n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[2:], w.shape[2:], gaps, strides, strict=True)
        ]
        y = np.zeros((x.shape[0], w.shape[0], *counts))
        each, own = w.shape[1], w.shape[0] // groups
        for b, o in np.ndindex(*y.shape[:2]):
            for c, place, inside in product(range(each), np.ndindex(*counts), np.ndindex(*w.shape[2:])):
                at = tuple(i * s + k * d for i, s, k, d in zip(place, strides, inside, gaps, strict=True))
                y[(b, o, *place)] += x[(b, o // own * each + c, *at)] * w[(o, c, *inside)]
        return undone(y + np.reshape(bias, (-1, *(1,) * axes)) if np.ndim(bias) else y + bias)

    return convolved


def transposed_convolution(axes: int) -> Callable[..., Any]:
    def carried(
        x: Any,
        w: Any,
        bias: Any = 0,
        *,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        x, w, undone = layered(x, w, axes)
        pads, strides, gaps, more = (several(value, axes) for value in (padding, stride, dilation, output_padding))
        lengths = [
            (n - 1) * s + (k - 1) * d + 1 + m
            for n, s, k, d, m in zip(x.shape[2:], strides, w.shape[2:], gaps, more, strict=True)
        ]
        y = np.zeros((x.shape[0], w.shape[1] * groups, *lengths))
        each = x.shape[1] // groups
        for b, c, o in np.ndindex(x.shape[0], x.shape[1], w.shape[1]):
            for place, inside in product(np.ndindex(*x.shape[2:]), np.ndindex(*w.shape[2:])):
                at = tuple(i * s + k * d for i, s, k, d in zip(place, strides, inside, gaps, strict=True))
                y[(b, c // each * w.shape[1] + o, *at)] += x[(b, c, *place)] * w[(c, o, *inside)]
        kept = tuple(slice(p, n - p) for p, n in zip(pads, lengths, strict=True))
        return undone(y[(..., *kept)] + bias)

    return carried


def pooled(axes: int, function: Callable[..., Any], outside: float) -> Callable[..., Any]:
    def reduced(x: Any, size: Any, stride: Any = None, padding: Any = 0, *, count_include_pad: bool = True) -> Any:
        sizes, pads = several(size, axes), several(padding, axes)
        strides = several(size if stride is None else stride, axes)
        empty = outside if count_include_pad else np.nan
        x = padded(x, [*[(0, 0)] * (x.ndim - axes), *((p, p) for p in pads)], empty)
        counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[-axes:], sizes, strides, strict=True)]
        y = np.zeros((*x.shape[:-axes], *counts))
        for place in np.ndindex(*counts):
            spans = (slice(i * s, i * s + k) for i, s, k in zip(place, strides, sizes, strict=True))
            y[(..., *place)] = function(x[(..., *spans)], axis=tuple(range(-axes, 0)))
        return y

    return reduced


def adapted(axes: int, function: Callable[..., Any]) -> Callable[..., Any]:
    def reduced(x: Any, size: int) -> Any:
        spans = [[slice(k * n // size, -(-(k + 1) * n // size)) for k in range(size)] for n in x.shape[-axes:]]
        y = np.zeros((*x.shape[:-axes], *(size,) * axes))
        for place in np.ndindex(*y.shape[-axes:]):
            chosen = tuple(own[k] for own, k in zip(spans, place, strict=True))
            y[(..., *place)] = function(x[(..., *chosen)], axis=tuple(range(-axes, 0)))
        return y

    return reduced


def image_windows(
    shape: tuple[int, ...], size: Any, dilation: Any, padding: Any, stride: Any
) -> Iterator[tuple[Any, ...]]:
    """Yield the places of each window in a padded image."""
    sizes, gaps, strides = several(size, 2), several(dilation, 2), several(stride, 2)
    lengths = [n + 2 * p for n, p in zip(shape, several(padding, 2), strict=True)]
    starts = [range(0, n - (k - 1) * d, s) for n, k, d, s in zip(lengths, sizes, gaps, strides, strict=True)]
    for start in product(*starts):
        yield np.ix_(*(range(i, i + (k - 1) * d + 1, d) for i, k, d in zip(start, sizes, gaps, strict=True)))


def unfolded(x: Any, size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    height, width = several(padding, 2)
    image = padded(x, [(0, 0), (height, height), (width, width)])
    windows = image_windows(x.shape[1:], size, dilation, padding, stride)
    return np.stack([image[(slice(None), *places)].ravel() for places in windows], axis=-1)


def folded(x: Any, shape: Any, size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    sizes, (height, width) = several(size, 2), several(padding, 2)
    image = np.zeros((len(x) // (sizes[0] * sizes[1]), shape[0] + 2 * height, shape[1] + 2 * width))
    for column, places in enumerate(image_windows(shape, size, dilation, padding, stride)):
        image[(slice(None), *places)] += x[:, column].reshape(-1, *sizes)
    return image[:, height : height + shape[0], width : width + shape[1]]


# --- distances -------------------------------------------------------------------------------------------------------


def distance(x: Any, y: Any, p: Any = 2) -> Any:
    if isinstance(p, str):
        return getattr(import_module("scipy.spatial.distance"), p)(x, y)
    return np.sum(np.abs(x - y) ** p) ** (1 / p)


def between_all(x: Any, y: Any, p: Any = 2) -> Any:
    if x.ndim > 2:
        return np.stack([between_all(own, y, p) for own in x])
    return np.array([[distance(one, other, p) for other in y] for one in x])


# --- places ----------------------------------------------------------------------------------------------------------


def gathered(x: Any, axis: int, index: Any) -> Any:
    index = np.asarray(index)
    y = np.zeros(index.shape)
    for place in np.ndindex(*index.shape):
        y[place] = x[(*place[:axis], index[place], *place[axis + 1 :])]
    return y


def scattered(x: Any, axis: int, index: Any, source: Any, *, added: bool) -> Any:
    index, y = np.asarray(index), np.array(x, dtype=float)
    for place in np.ndindex(*index.shape):
        value = source if np.ndim(source) == 0 else source[place]
        at = (*place[:axis], index[place], *place[axis + 1 :])
        y[at] = y[at] + value if added else value
    return y


def slices_at(x: Any, axis: int, index: Any, source: Any, *, added: bool) -> Any:
    y = np.moveaxis(np.array(x, dtype=float), axis, 0)
    for place, own in zip(index, np.moveaxis(source, axis, 0), strict=True):
        y[place] = y[place] + own if added else own
    return np.moveaxis(y, 0, axis)


def segments(data: Any, ids: Any, count: int | None = None) -> Any:
    y = np.zeros((max(ids) + 1 if count is None else count, *data.shape[1:]))
    for place, own in zip(ids, data, strict=True):
        y[place] += own
    return y


def first_that_holds(conditions: Any, values: Any, default: Any = 0) -> Any:
    y = default
    for condition, value in zip(conditions[::-1], values[::-1], strict=True):
        y = np.where(condition, value, y)
    return y


def pieces(x: Any, conditions: Any, values: Any) -> Any:
    y = values[-1] if len(values) > len(conditions) else 0
    for condition, value in zip(conditions, values, strict=False):
        y = np.where(condition, value, y)
    return y + 0 * x


# --- transforms ------------------------------------------------------------------------------------------------------


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, one, two, beta=1, alpha=1: beta * x + alpha * function(one, two)


def interpolated(x: Any, xp: Any, fp: Any) -> Any:
    return np.interp(x, xp, fp)


def padded_from_last(x: Any, widths: Any, mode: str = "constant") -> Any:
    pairs = [*zip(widths[::2], widths[1::2], strict=True)][::-1]
    named = {"replicate": "edge", "circular": "wrap"}
    return np.pad(x, [*[(0, 0)] * (x.ndim - len(pairs)), *pairs], mode=named.get(mode, mode))


def split_by_sizes(x: Any, sizes: Any, axis: int = 0) -> Any:
    ends = np.cumsum(sizes)[:-1] if isinstance(sizes, list) else np.arange(sizes, x.shape[axis], sizes)
    return np.split(x, ends, axis)


def same(x: Any) -> Any:
    return x


ARRAYS: Mapping[str, Callable[..., Any]] = {
    "rollaxis": np.rollaxis, "logspace": np.logspace, "geomspace": np.geomspace,

    # --- convolutions
    "sliding_window_view": np.lib.stride_tricks.sliding_window_view,
    "convolve": np.convolve,
    "correlate": np.correlate,
    "convolve2d": of("scipy.signal.convolve2d"),
    "correlate2d": of("scipy.signal.correlate2d"),
    "convolve_nd": of("scipy.signal.convolve"),
    "correlate_nd": of("scipy.signal.correlate"),
    **{f"conv{axes}d": convolution(axes) for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": transposed_convolution(axes) for axes in (1, 2)},
    **{f"avg_pool{axes}d": pooled(axes, np.nanmean, 0) for axes in (1, 2, 3)},
    **{f"max_pool{axes}d": pooled(axes, np.max, -np.inf) for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": adapted(axes, np.mean) for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": adapted(axes, np.max) for axes in (1, 2, 3)},
    "unfold": unfolded,
    "fold": folded,
    "unfold_axis": lambda x, axis, size, step=1: np.moveaxis(
        np.stack([np.take(x, range(i, i + size), axis) for i in range(0, x.shape[axis] - size + 1, step)]),
        (0, axis % x.ndim + 1),
        (axis % x.ndim, -1),
    ),
    # --- arrangements
    "clone": same,
    "real": np.real,
    "atleast_1d": np.atleast_1d,
    "atleast_2d": np.atleast_2d,
    "atleast_3d": np.atleast_3d,
    "split": np.split,
    "array_split": np.array_split,
    "split_by_sizes": split_by_sizes,
    "chunk": lambda x, chunks, axis=0: split_by_sizes(x, -(-x.shape[axis] // chunks), axis),
    "hsplit": np.hsplit,
    "vsplit": np.vsplit,
    "dsplit": np.dsplit,
    "unstack": lambda x, axis=0: [*np.moveaxis(x, axis, 0)],
    "narrow": lambda x, axis, start, length: np.take(x, range(start, start + length), axis),
    "delete": np.delete,
    "insert": lambda x, values, place, axis=None: np.insert(x, place, values, axis),
    "append": np.append,
    "column_stack": np.column_stack,
    "row_stack": np.vstack,
    "dstack": np.dstack,
    "block": np.block,
    "meshgrid": np.meshgrid,
    "meshgrid_of": lambda vectors: np.meshgrid(*vectors),
    "broadcast_arrays": np.broadcast_arrays,
    "unflatten": lambda x, axis, sizes: x.reshape(*x.shape[:axis], *sizes, *x.shape[axis + 1 :]),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": np.rot90,
    "tri": np.tri,
    "pad": np.pad,
    "pad_from_last": padded_from_last,
    # --- distances
    "cdist": between_all,
    "distance_by": distance,
    "pdist": lambda x, p=2: np.array([distance(*pair, p) for pair in combinations(x, 2)]),
    "dist": lambda x, y, p=2: distance(np.ravel(x + 0 * y), np.ravel(y + 0 * x), p),
    **{
        f"{name}_distance": of(f"scipy.spatial.distance.{name}")
        for name in ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "cosine", "canberra", "braycurtis")
    },
    "lerp": lambda start, end, weight: start * (1 - weight) + end * weight,
    "addmm": fused(np.matmul),
    "addmv": fused(np.matmul),
    "baddbmm": fused(np.matmul),
    "addr": fused(np.outer),
    "addbmm": fused(lambda one, two: sum(one[k] @ two[k] for k in range(len(one)))),
    "addcmul": lambda x, one, two, value=1: x + value * (one * two),
    "addcdiv": lambda x, one, two, value=1: x + value * (one / two),
    # --- polynomials
    "polyval": np.polyval,
    "polyder": np.polyder,
    "polyadd": np.polyadd,
    "polysub": np.polysub,
    "polymul": np.polymul,
    "polyint": lambda p, k=0, m=1: np.polyint(p, m, k if m == 1 else [k] * m),
    "interp": interpolated,
    # --- picking
    "take_along_axis": lambda x, index, axis=-1: gathered(
        x,
        axis % x.ndim,
        np.broadcast_to(
            index,
            [
                max(own)
                for own in zip(
                    np.shape(index),
                    (1 if place == axis % x.ndim else size for place, size in enumerate(x.shape)),
                    strict=True,
                )
            ],
        ),
    ),
    "gather": gathered,
    "scatter_add": lambda *arguments: scattered(*arguments, added=True),
    "scatter": lambda *arguments: scattered(*arguments, added=False),
    "index_add": lambda *arguments: slices_at(*arguments, added=True),
    "index_copy": lambda *arguments: slices_at(*arguments, added=False),
    "segment_sum": segments,
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "select": first_that_holds,
    "piecewise": pieces,
    "choose": lambda a, choices: np.array([choices[k][place] for place, k in enumerate(a)]),
    # --- transforms
    "dct": of("scipy.fft.dct"),
    "idct": of("scipy.fft.idct"),
    "fft": np.fft.fft,
    "rfft": np.fft.rfft,
    "ifft": np.fft.ifft,
    "imag": np.imag,
    "fftfreq": np.fft.fftfreq,
    "rfftfreq": np.fft.rfftfreq,
}
"""By the name of the operator."""
