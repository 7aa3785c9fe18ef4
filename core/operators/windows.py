"""Graphs of sliding windows: convolutions, correlations, pooling. Each is a Product in which windows tie three labels.

With `n == stride*i + dilation*k`, a correlation sums over places `n` and `k` of an array and a kernel, a convolution
over `i` and `k`: one is the derivative of the other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, cast

from ..elaboration.elaborate import call
from ..elaboration.infix import plus
from ..elaboration.settings import is_whole, shown
from ..errors import ExpressionError, RankError, ShapeError
from ..graph import algebra
from ..graph.algebra import Factor, fresh, product
from ..graph.nodes import Delta, Node, Reshape, Select
from ..graph.places import Windows, progression
from ..graph.sizes import least, quotient, sign
from ..shapes import describe, normalize_axis, require_rank
from .axes import axes_of, concatenated, flipped, reshaped, selected, several

Sizes = tuple[int, ...]


class Spacing(NamedTuple):
    """How far apart windows are, and places in each."""

    stride: int = 1
    dilation: int = 1

    def windows_on(self, size: int, length: int) -> int:
        """Return how many windows an axis has."""
        room = size - (length - 1) * self.dilation
        if sign(room, meant=1) <= 0:
            message = f"windows of {(length - 1) * self.dilation + 1} places do not fit an axis of {size}"
            raise ShapeError(message, sizes=(size, (length - 1) * self.dilation + 1))
        return quotient(room - 1, self.stride) + 1

    def reach(self, count: int, length: int) -> int:
        """Return how many places so many windows cover."""
        return (count - 1) * self.stride + (length - 1) * self.dilation + 1

    def ties(self, labels: Sequence[int], count: int, length: int, size: int) -> list[Factor]:
        """Return the factors that tie the labels of the windows, of the places in each, and of the axis."""
        window, inside, axis = labels
        for one, other, steps, step in ((window, inside, count, self.stride), (inside, window, length, self.dilation)):
            if (length if one == window else count) == 1:
                rows = progression(0, step, steps)
                chosen = Delta.of(size, 2) if rows == progression(0, 1, size) else Select.of(rows, size)
                return [(chosen, (one, axis)), (Delta.of(1, 1), (other,))]
        (place,) = fresh(1)
        rows_of = Windows(count, length, self.stride, self.dilation)
        return [(Select.of(rows_of, size), (place, axis)), (Reshape.of((count, length)), (place, window, inside))]


def windowed(x: Node, axes: Sequence[int], lengths: Sequence[int], spacings: Sequence[Spacing]) -> Node:
    """Return windows on axes; the places in each become further axes, at the end."""
    output = list(axes_of(x))
    factors: list[Factor] = [(x, axes_of(x))]
    for axis, length, spacing in zip(axes, lengths, spacings, strict=True):
        window, inside = fresh(2)
        count = spacing.windows_on(x.shape[axis], length)
        factors += spacing.ties((window, inside, axis), count, length, x.shape[axis])
        output[axis] = window
        output.append(inside)
    return product(1, factors, tuple(output))


def sliding_windows(x: Node, window_shape: Any, axis: Any) -> Node:
    """Return NumPy's view of windows."""
    lengths = _whole(window_shape, "window_shape")
    axes = list(range(x.rank)) if axis is None else [normalize_axis(one, x.rank) for one in several(axis)]
    if len(axes) != len(lengths):
        raise ShapeError("`sliding_window_view` needs one length for each axis", sizes=(len(axes), len(lengths)))
    return windowed(x, axes, lengths, [Spacing()] * len(axes))


def unfolded(x: Node, dimension: int, size: int, step: int) -> Node:
    """Return PyTorch's windows on one axis."""
    return windowed(x, [normalize_axis(dimension, x.rank)], _whole(size, "size"), [Spacing(*_whole(step, "step"))])


# --- correlations and convolutions -----------------------------------------------------------------------------------


def slid(x: Node, w: Node) -> Node:
    """Return the correlation of an array with a kernel that lies inside of it everywhere, over all axes."""
    views = windowed(x, axes_of(x), w.shape, [Spacing()] * x.rank)
    inside = tuple(range(x.rank, 2 * x.rank))
    return product(1, [(views, (*axes_of(x), *inside)), (w, inside)], axes_of(x))


def convolved_fully(a: Node, v: Node) -> Node:
    """Return the convolution over all axes, wherever the two overlap."""
    factors: list[Factor] = [(a, axes_of(a)), (v, tuple(label + a.rank for label in axes_of(v)))]
    output = fresh(a.rank)
    for axis, label in enumerate(output):
        count, length = a.shape[axis], v.shape[axis]
        factors += Spacing().ties((axis, axis + a.rank, label), count, length, count + length - 1)
    return product(1, factors, output)


def _everywhere(x: Node) -> Node:
    return flipped(x, None)


def _cut(x: Node, starts: Sequence[int], sizes: Sequence[int]) -> Node:
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        x = selected(x, axis, progression(start, 1, size))
    return x


def convolved(a: Node, v: Node, mode: str, *, rank: int, name: str, scipy: bool = False) -> Node:
    """Return a convolution; `same` is as long as the longer of two vectors, and for SciPy as the first array."""
    for place, operand in enumerate((a, v)):
        require_rank(operand.shape, rank, name, place)
    longer = [sign(one - other, meant=1) >= 0 for one, other in zip(a.shape, v.shape, strict=True)]
    match mode:
        case "full":
            return convolved_fully(a, v)
        case "valid" if all(longer):
            return slid(a, _everywhere(v))
        case "valid" if not any(longer) or all(one <= other for one, other in zip(a.shape, v.shape, strict=True)):
            return slid(v, _everywhere(a))
        case "same":
            pairs = [*zip(a.shape, v.shape, strict=True)]
            less = [other if scipy else least(one, other) for one, other in pairs]
            starts = [quotient(size - 1, 2) for size in less]
            kept = [one + other - size for size, (one, other) in zip(less, pairs, strict=True)]
            return _cut(convolved_fully(a, v), starts, kept)
        case "valid":
            raise ShapeError(f"`{name}` needs one array that is at least as long as the other along every axis")
    raise ExpressionError(f"`mode` of `{name}` is 'full', 'same' or 'valid', not {mode!r}")


def correlated(
    a: Node, v: Node, mode: str, *, rank: int, name: str, scipy: bool = False, late: bool = False
) -> Node:
    """Return a correlation: entry k of one with a kernel inside of the array is the sum of a[n + k] * v[n].

    Of an even length the middle that `same` takes is `late` where it is the second of two.
    """
    if mode == "valid" and a.rank == v.rank == rank:
        if all(sign(one - other, meant=1) >= 0 for one, other in zip(a.shape, v.shape, strict=True)):
            return slid(a, v)
    elif mode == "same" and late and a.rank == v.rank == rank:
        return _cut(convolved_fully(a, _everywhere(v)), [quotient(size, 2) for size in v.shape], a.shape)
    elif mode == "same" and not scipy and a.rank == v.rank == 1 and sign(a.shape[0] - v.shape[0]) < 0:
        # NumPy swaps the two, and an even length has no middle.
        return _cut(convolved_fully(a, _everywhere(v)), [quotient(a.shape[0], 2)], v.shape)
    return convolved(a, _everywhere(v), mode, rank=rank, name=name, scipy=scipy)


# --- layers of networks ----------------------------------------------------------------------------------------------


def _whole(value: Any, name: str, count: int | None = None) -> Sizes:
    """Return a setting as whole numbers from 1 on, or from 0 on for what is added; one number stands for all."""
    numbers = several(value)
    least = 0 if "padding" in name else 1
    for one in numbers:
        if not is_whole(one) or sign(one - least, meant=1) < 0:
            raise ExpressionError(f"`{name}` is a whole number from {least} on, not {shown(one)}")
    if count is None or len(numbers) == count:
        return numbers
    if len(numbers) != 1:
        raise ExpressionError(f"`{name}` has {count} numbers, not {len(numbers)}")
    return numbers * count


def bordered(x: Node, borders: Sequence[tuple[int, int]]) -> Node:
    """Return x with so many zeros before and after, along each of its last axes."""
    for axis, widths in enumerate(borders, x.rank - len(borders)):
        before, after = (algebra.zero((*x.shape[:axis], width, *x.shape[axis + 1 :])) for width in widths)
        parts = [part for part in (before, x, after) if part.shape[axis] != 0]
        x = concatenated(*parts, axis=axis) if len(parts) > 1 else x
    return x


def _borders(padding: Any, lengths: Sizes, spacings: Sequence[Spacing]) -> list[tuple[int, int]]:
    if padding == "valid":
        return [(0, 0)] * len(lengths)
    if padding == "same":
        if any(spacing.stride != 1 for spacing in spacings):
            raise ExpressionError("`padding='same'` needs a stride of 1")
        totals = [(length - 1) * spacing.dilation for length, spacing in zip(lengths, spacings, strict=True)]
        return [(quotient(total, 2), total - quotient(total, 2)) for total in totals]
    if isinstance(padding, str):
        raise ExpressionError(f"`padding` is a number, 'valid' or 'same', not {padding!r}")
    return [(width, width) for width in _whole(padding, "padding", len(lengths))]


def _spacings(stride: Any, dilation: Any, axes: int) -> list[Spacing]:
    pairs = zip(_whole(stride, "stride", axes), _whole(dilation, "dilation", axes), strict=True)
    return [Spacing(*pair) for pair in pairs]


def _in_channels(x: Node, w: Node, axes: int, name: str) -> tuple[Node, Node, bool]:
    """Return an array and a kernel with axes for a batch, channels and places; whether they had channels."""
    if w.rank == axes and x.rank == axes:
        return reshaped(x, (1, 1, *x.shape)), reshaped(w, (1, 1, *w.shape)), False
    if w.rank != axes + 2:
        shape = {1: "3", 2: "4", 3: "5"}[axes]
        raise RankError(f"`{name}` needs a kernel of {axes} or {shape} axes, and this is {describe(w.shape)}",
                        needed=axes + 2, position=1)
    if x.rank not in (axes + 1, axes + 2):
        raise RankError(f"`{name}` needs {axes + 2} axes: batch, channels and places; this is {describe(x.shape)}",
                        needed=axes + 2, position=0)
    return (x if x.rank == axes + 2 else reshaped(x, (1, *x.shape))), w, True


def _grouped(x: Node, groups: int, axis: int, name: str) -> Node:
    """Return x with its channels in groups: an axis of groups, then one of channels in each."""
    each = quotient(x.shape[axis], groups)
    if each * groups != x.shape[axis]:
        raise ShapeError(f"`{name}`: {x.shape[axis]} channels are no {groups} groups", sizes=(x.shape[axis], groups))
    return reshaped(x, (*x.shape[:axis], groups, each, *x.shape[axis + 1 :]))


def _as_given(result: Node, like: Node, axes: int, channels: bool, bias: Node) -> Node:
    if bias.rank:
        require_rank(bias.shape, 1, "conv", 2)
        result = plus(result, reshaped(bias, (-1, *(1,) * axes)))
    elif algebra.constant_value(bias) != 0:
        result = plus(result, bias)
    if not channels:
        return reshaped(result, result.shape[2:])
    return reshaped(result, result.shape[1:]) if like.rank == axes + 1 else result


def convolution(
    x: Node, w: Node, bias: Node, stride: Any, padding: Any, dilation: Any, groups: int, *, axes: int
) -> Node:
    """Return the convolution of a network, which is a correlation: over batches, channels and groups of them."""
    name = f"conv{axes}d"
    spacings = _spacings(stride, dilation, axes)
    batch, kernel, channels = _in_channels(x, w, axes, name)
    batch = bordered(batch, _borders(padding, kernel.shape[2:], spacings))
    batch = _grouped(batch, _whole(groups, "groups")[0], 1, name)
    kernel = _grouped(kernel, groups, 0, name)
    if batch.shape[2] != kernel.shape[2]:
        message = f"`{name}`: the kernel has {kernel.shape[2]} channels for {batch.shape[2]} of the array"
        raise ShapeError(message, sizes=(batch.shape[2], kernel.shape[2]))
    places = range(3, 3 + axes)
    views = windowed(batch, places, kernel.shape[3:], spacings)
    n, g, c, o, *rest = fresh(4 + 2 * axes)
    factors = [(views, (n, g, c, *rest)), (kernel, (g, o, c, *rest[axes:]))]
    result = product(1, factors, (n, g, o, *rest[:axes]))
    merged = reshaped(result, (result.shape[0], result.shape[1] * result.shape[2], *result.shape[3:]))
    return _as_given(merged, x, axes, channels, bias)


def transposed_convolution(
    x: Node, w: Node, bias: Node, stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any, *,
    axes: int,
) -> Node:
    """Return what carries a cotangent of a convolution back to its array."""
    name = f"conv_transpose{axes}d"
    spacings = _spacings(stride, dilation, axes)
    batch, kernel, channels = _in_channels(x, w, axes, name)
    if batch.shape[1] != kernel.shape[0]:
        message = f"`{name}`: the kernel is for {kernel.shape[0]} channels, and the array has {batch.shape[1]}"
        raise ShapeError(message, sizes=(batch.shape[1], kernel.shape[0]))
    batch = _grouped(batch, _whole(groups, "groups")[0], 1, name)
    kernel = _grouped(kernel, groups, 0, name)
    n, g, c, o, *rest = fresh(4 + 3 * axes)
    windows, inside, places = rest[:axes], rest[axes : 2 * axes], rest[2 * axes :]
    factors: list[Factor] = [(batch, (n, g, c, *windows)), (kernel, (g, c, o, *inside))]
    sizes = []
    for axis, spacing in enumerate(spacings):
        count, length = batch.shape[3 + axis], kernel.shape[3 + axis]
        sizes.append(spacing.reach(count, length))
        factors += spacing.ties((windows[axis], inside[axis], places[axis]), count, length, sizes[-1])
    result = product(1, factors, (n, g, o, *places))
    merged = reshaped(result, (result.shape[0], result.shape[1] * result.shape[2], *result.shape[3:]))
    further = _whole(output_padding, "output_padding", axes)
    merged = bordered(merged, [(0, width) for width in further])
    for axis, width in enumerate(_whole(padding, "padding", axes), 2):
        merged = selected(merged, axis, progression(width, 1, merged.shape[axis] - 2 * width)) if width else merged
    return _as_given(merged, x, axes, channels, bias)


def pooled(
    x: Node, kernel_size: Any, stride: Any, padding: Any, dilation: Any, counted: bool, *, axes: int, name: str
) -> Node:
    """Return the mean or the largest entry of windows on the last axes."""
    if x.rank < axes:
        message = f"`{name}_pool{axes}d` needs {axes} axes at least, and this is {describe(x.shape)}"
        raise RankError(message, needed=axes)
    lengths = _whole(kernel_size, "kernel_size", axes)
    spacings = _spacings(lengths if stride in (None, ()) else stride, dilation, axes)
    borders = _borders(_whole(padding, "padding", axes), lengths, spacings)

    def reduced(array: Node) -> Node:
        shape, array = array.shape, bordered(array, borders)
        if name == "max" and array.shape != shape:
            inside = bordered(algebra.full(1, shape), borders)
            array = call("where", inside, array, algebra.number(-sys.float_info.max))
        views = windowed(array, range(array.rank - axes, array.rank), lengths, spacings)
        merged = reshaped(views, (*views.shape[: array.rank], prod(lengths)))
        return call(name, merged, axis=-1)

    if name == "max":
        return reduced(x)
    mean = reduced(x)
    if counted or not any(width for border in borders for width in border):
        return mean
    share = reduced(algebra.full(1, x.shape[x.rank - axes :]))
    return call("divide", mean, share)


def columns(x: Node, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Node:
    """Return the windows of images as columns: batch, channels and places in a window, windows."""
    if x.rank not in (3, 4):
        raise RankError(f"`unfold` needs images, with 3 or 4 axes, and this is {describe(x.shape)}", needed=4)
    lengths, spacings = _whole(kernel_size, "kernel_size", 2), _spacings(stride, dilation, 2)
    images = x if x.rank == 4 else reshaped(x, (1, *x.shape))
    views = windowed(bordered(images, _borders(padding, lengths, spacings)), (2, 3), lengths, spacings)
    n, c, h, w, *_ = views.shape
    moved = algebra.permute(views, (0, 1, 4, 5, 2, 3))
    result = reshaped(moved, (n, c * prod(lengths), h * w))
    return result if x.rank == 4 else reshaped(result, result.shape[1:])


def folded(x: Node, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Node:
    """Return images whose windows are given as columns: what overlaps is added."""
    if x.rank not in (2, 3):
        raise RankError(f"`fold` needs columns, with 2 or 3 axes, and this is {describe(x.shape)}", needed=3)
    lengths, spacings = _whole(kernel_size, "kernel_size", 2), _spacings(stride, dilation, 2)
    borders = _borders(padding, lengths, spacings)
    inner = _whole(output_size, "output_size", 2)
    sizes = [size + before + after for size, (before, after) in zip(inner, borders, strict=True)]
    counts = [spacing.windows_on(size, length) for spacing, size, length in zip(spacings, sizes, lengths, strict=True)]
    batch = x if x.rank == 3 else reshaped(x, (1, *x.shape))
    if batch.shape[2] != prod(counts):
        raise ShapeError(f"`fold`: images of {inner} have {prod(counts)} windows, not {batch.shape[2]}",
                         sizes=(batch.shape[2], prod(counts)))
    channels = quotient(batch.shape[1], prod(lengths))
    if channels * prod(lengths) != batch.shape[1]:
        raise ShapeError(f"`fold`: {batch.shape[1]} rows are no channels of {prod(lengths)} places",
                         sizes=(batch.shape[1], prod(lengths)))
    split = reshaped(batch, (batch.shape[0], channels, *lengths, *counts))
    n, c, k1, k2, i1, i2, p1, p2 = fresh(8)
    factors: list[Factor] = [(split, (n, c, k1, k2, i1, i2))]
    ties = ((i1, k1, p1), (i2, k2, p2))
    for spacing, labels, *lengths_of in zip(spacings, ties, counts, lengths, sizes, strict=True):
        factors += spacing.ties(labels, *lengths_of)
    whole = product(1, factors, (n, c, p1, p2))
    for axis, ((before, _), size) in enumerate(zip(borders, inner, strict=True), 2):
        whole = selected(whole, axis, progression(before, 1, size)) if before else whole
    return whole if x.rank == 3 else reshaped(whole, whole.shape[1:])


def adapted(x: Node, output_size: Any, *, axes: int, name: str) -> Node:
    """Return the mean or the largest entry of so many windows on each of the last axes, which cover it evenly."""
    if x.rank < axes:
        raise RankError(f"`adaptive_pool` needs {axes} axes at least, and this is {describe(x.shape)}", needed=axes)
    wanted = several(output_size)
    wanted = wanted * axes if len(wanted) == 1 else wanted
    if len(wanted) != axes:
        raise ExpressionError(f"`output_size` is one number or {axes}, not {len(wanted)}")
    for axis, count in enumerate(wanted, x.rank - axes):
        size = x.shape[axis]
        parts = size if count is None else _whole(count, "output_size")[0]
        if parts == size:
            continue
        if quotient(size, parts) * parts == size:
            split = reshaped(x, (*x.shape[:axis], parts, quotient(size, parts), *x.shape[axis + 1 :]))
            x = call(name, split, axis=axis + 1)
            continue
        ends = ((k * size // parts, -(-(k + 1) * size // parts)) for k in range(parts))
        slices = (selected(x, axis, progression(start, 1, end - start)) for start, end in ends)
        x = concatenated(*(call(name, part, axis=axis, keepdims=True) for part in slices), axis=axis)
    return x


def any_rank(build: Any, a: Node, v: Node, mode: str, *, name: str) -> Node:
    """Return a convolution or a correlation over all axes, of which both have as many."""
    return cast("Node", build(a, v, mode, rank=max(a.rank, v.rank), name=name, scipy=True))
