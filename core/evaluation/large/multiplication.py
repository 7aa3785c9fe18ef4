"""Multiplication into a given array, faster than NumPy's own where the layout allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod

import numpy as np

from ...arrays import AnyArray
from ...shapes import Shape
from ..kernels import ALONE
from .memory import gapless

# BLAS makes outer products in half the time of a loop where they have few columns, or where they stay in the cache; but
# not where the length of a row is a multiple of ALIASING, for then all rows take the same place in it.
FEW_COLUMNS, MOST_COLUMNS = 100, 4096
CACHED = 2**18
ALIASING, SMALLEST_ALIASED = 128, 2**15
# The loop of einsum is faster than that of np.multiply for runs of this many entries.
SHORTEST_RUN, LONGEST_RUN = 32, 2048


def multiply_into(arrays: Sequence[AnyArray], out: AnyArray, loops: bool = True) -> bool:
    """Write the product of two arrays that broadcast to `out`, if there is a faster way than NumPy's multiplication.

    One is for outer products, where no axis runs in both arrays. The other, unless `loops` is False, is for products
    that have one factor for all of the axis of `out` that lies nearest.
    """
    if len(arrays) != 2:
        return False
    first, second = arrays
    way = _way_to_multiply(first.shape, second.shape, out.shape, out.strides, loops)
    if way is None:
        return False
    way(first, second, out)
    return True


Way = Callable[[AnyArray, AnyArray, AnyArray], object]


@lru_cache(maxsize=1024)
def _way_to_multiply(first: Shape, second: Shape, shape: Shape, strides: Shape, loops: bool) -> Way | None:
    rank = len(shape)
    axes = [[k + rank for k in range(-len(own), 0) if own[k] > 1] for own in (first, second)]
    order = sorted((k for k in range(rank) if shape[k] > 1), key=lambda k: -abs(strides[k]))
    if not all(axes) or {*axes[0], *axes[1]} != set(order):
        return None
    if len(axes[0]) + len(axes[1]) == len(order):
        way = _way_of_outer_products(axes, order, shape, strides, loops)
        if way is not None:
            return way
    nearest = order[-1]
    if not loops or (nearest in axes[0] and nearest in axes[1]) or not SHORTEST_RUN <= shape[nearest] <= LONGEST_RUN:
        return None
    sizes = [[shape[k] for k in own] for own in axes]
    long = tuple(slice(None) if size > 1 else 0 for size in shape)

    def write(a: AnyArray, b: AnyArray, out: AnyArray) -> object:
        a, b = a.reshape(sizes[0]), b.reshape(sizes[1])
        return np.einsum(a, axes[0], b, axes[1], sorted(order), out=out[long])

    return write


def _suits_blas(rows: int, columns: int) -> bool:
    entries = rows * columns
    if columns % ALIASING == 0 and entries > SMALLEST_ALIASED:
        return False
    return columns <= FEW_COLUMNS or (columns <= MOST_COLUMNS and entries <= CACHED)


def _way_of_outer_products(
    axes: list[list[int]], order: list[int], shape: Shape, strides: Shape, loops: bool
) -> Way | None:
    """Return how to write an outer product as a matrix, None where the axes of its factors mix in memory."""
    leading = 0 if order[0] in axes[0] else 1
    groups = [order[: len(axes[leading])], order[len(axes[leading]) :]]
    rows, columns = (prod(shape[k] for k in group) for group in groups)
    without_gaps = gapless([shape[k] for k in order])
    if set(groups[0]) != set(axes[leading]) or tuple(strides[k] for k in order) != without_gaps:
        return None
    blas = _suits_blas(rows, columns)
    if not blas and not (loops and SHORTEST_RUN <= columns <= LONGEST_RUN):
        return None
    step = max(1, ALONE // columns) if blas else rows
    in_memory = order + [k for k in range(len(shape)) if shape[k] == 1]

    def flat(array: AnyArray, group: list[int]) -> AnyArray:
        if group == sorted(group):
            return array.reshape(-1)
        own = sorted(group)
        return array.reshape([shape[k] for k in own]).transpose([own.index(k) for k in group]).reshape(-1)

    def write(a: AnyArray, b: AnyArray, out: AnyArray) -> None:
        left, right = (a, b) if leading == 0 else (b, a)
        left, right = flat(left, groups[0]), flat(right, groups[1])
        target = out.transpose(in_memory).reshape(rows, columns)
        if not blas:
            np.einsum(left, [0], right, [1], [0, 1], out=target)
            return
        for start in range(0, rows, step):
            np.dot(left[start : start + step, None], right[None], out=target[start : start + step])

    return write
