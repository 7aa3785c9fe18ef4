"""Kernels: what the steps of a program call, where NumPy has no single call for it, or only a slower one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from ..arrays import AnyArray
from ..errors import MatgradError
from ..graph.nodes import Apply, Function, Node

Kernel = Callable[..., Any]

# Products with more entries BLAS would give to threads of its own, which wait for ours.
ALONE = 2**17
# Core axes of a matrix among those of an operator.
MATRIX = re.compile(r"\(\w+,")
# How many rows of a product with a triangular matrix are computed at a time.
TRIANGLE_BLOCK = 128


@dataclass(frozen=True)
class Into:
    """A ufunc that writes over one of its operands: `Into(np.add, 0)` adds to the first."""

    ufunc: np.ufunc
    place: int

    def __call__(self, *arrays: AnyArray) -> AnyArray:
        """Return the result, in place where the operand can hold it: the complex step makes real numbers complex."""
        out = arrays[self.place]
        if any(array.dtype != out.dtype for array in arrays) and np.result_type(*arrays) != out.dtype:
            return np.asarray(self.ufunc(*arrays))
        return np.asarray(self.ufunc(*arrays, out=out))


@dataclass(frozen=True)
class Entrywise:
    """A function of several NumPy calls that treats each entry by itself, and gives floating-point numbers."""

    evaluate: Kernel

    def __call__(self, *arrays: AnyArray) -> AnyArray:
        """Return an array of its own, whatever the function returns."""
        return as_owned(self.evaluate(*arrays), arrays)


# --- ownership -------------------------------------------------------------------------------------------------------


def as_owned(result: Any, arrays: Sequence[AnyArray]) -> AnyArray:
    """Return what a function made of arrays as floating-point numbers that may be written over."""
    if isinstance(result, np.inexact):
        return cast("AnyArray", result)  # Nobody writes into a single number.
    array = np.asarray(result)
    if array.dtype.kind not in "fc":
        return array.astype(np.float64)
    if array.base is not None or not array.flags.writeable:
        return array.copy()
    for one in arrays:
        if array is one:
            return array.copy()
    return array


def own_copy(array: AnyArray) -> AnyArray:
    """Return a new array of floating-point numbers."""
    copied = np.array(array, order="C")
    return copied if copied.dtype.kind in "fc" else copied.astype(np.float64)


# --- operators -------------------------------------------------------------------------------------------------------


class OperationFailed(Exception):
    """An operator refused its numbers: `node` is the operation, `original` what NumPy said."""

    def __init__(self, node: Node, original: Exception) -> None:
        super().__init__(str(original))
        self.node = node
        self.original = original


class Guarded:
    """The function of an operator on vectors or matrices; what it raises names the node.

    It gives one array, or without `single` a tuple. `whole` says that it takes whole matrices: its result is as good as
    they are, and entries may be worse.
    """

    def __init__(self, node: Apply, single: bool, compiled: Callable[[Function], Kernel]) -> None:
        evaluate = node.operator.evaluate
        settings = {key: compiled(value) if isinstance(value, Function) else value for key, value in node.parameters}
        assert evaluate is not None
        self.node, self.single = node, single
        self.whole = bool(MATRIX.search(node.operator.signature))
        self._evaluate = partial(evaluate, **settings) if settings else evaluate

    def __call__(self, *arrays: AnyArray) -> Any:
        """Return the result, or the results."""
        try:
            result = self._evaluate(*arrays)
        except (MatgradError, MemoryError):
            raise
        except Exception as error:  # what NumPy and SciPy refuse, each in its own words
            raise OperationFailed(self.node, error) from error
        if self.single:
            return as_owned(result[0] if isinstance(result, tuple) else result, arrays)
        return tuple(as_owned(item, arrays) for item in result)


# --- products --------------------------------------------------------------------------------------------------------


def as_number(mask: AnyArray) -> AnyArray:
    """Return a mask as floating-point zeros and ones."""
    return np.asarray(mask, dtype=np.float64)


def vector_dot(first: AnyArray, second: AnyArray) -> AnyArray:
    """Return the products summed over the last axis, without conjugating."""
    contiguous = first.strides[-1] == second.strides[-1] == 8
    if contiguous and first.dtype == second.dtype == np.float64:
        return np.asarray(np.vecdot(first, second))
    return np.asarray(np.einsum("...i,...i->...", first, second))


def full_dot(first: AnyArray, second: AnyArray) -> AnyArray:
    """Return the sum of the products of all entries of two arrays of one shape."""
    if first.flags.c_contiguous and second.flags.c_contiguous:
        return np.asarray(np.dot(first.reshape(-1), second.reshape(-1)))
    axes = list(range(first.ndim))
    return np.asarray(np.einsum(first, axes, second, axes, []))


def strong_zero(mask: AnyArray, array: AnyArray) -> AnyArray:
    """Return the array with zeros where the mask is zero, whatever the array holds there."""
    return np.where(mask, array, 0.0)


def outer_product(rows: AnyArray, columns: AnyArray) -> AnyArray:
    """Return the products of all pairs of entries of two vectors: of shapes (m,) and (n,) an array of shape (m, n).

    As a product of a column with a row, for BLAS makes it in half the time of a multiplication.
    """
    return np.asarray(np.dot(rows[:, None], columns[None]))


def sum_of_outer_products(*vectors: AnyArray, out: AnyArray | None = None) -> AnyArray:
    """Return the sum of the outer products of the first half of the vectors with the second.

    Example: `sum_of_outer_products(a, b, x, y)` is `outer(a, x) + outer(b, y)`. The first half have shape (m,), the
    second (n,); the result, `out` where that is given, has shape (m, n).
    """
    terms = len(vectors) // 2
    rows = np.concatenate(vectors[:terms]).reshape(terms, -1).T
    columns = np.concatenate(vectors[terms:]).reshape(terms, -1)
    step = max(1, ALONE // columns.size)
    if len(rows) <= step:
        return np.asarray(np.matmul(rows, columns, out=out))
    result = np.empty((len(rows), columns.shape[1]), np.result_type(rows, columns)) if out is None else out
    for start in range(0, len(rows), step):
        np.matmul(rows[start : start + step], columns, out=result[start : start + step])
    return result


def triangular_product(left: AnyArray, right: AnyArray, *, triangle: str, lower: bool) -> AnyArray:
    """Return a matrix product of which one side, "left" or "right", is a square triangular matrix: half the work.

    Example: `triangular_product(L, B, triangle="left", lower=True)` is `L @ B` for a lower triangular L of shape (n, n)
    and B of shape (n, m). Blocks of rows of the result take part of the triangular matrix each, up to its diagonal or
    from there on; what lies on the other side of it is not read.
    """
    if triangle == "right":
        return triangular_product(right.T, left.T, triangle="left", lower=not lower).T
    result = np.empty((left.shape[0], right.shape[1]), np.result_type(left, right))
    for start in range(0, len(left), TRIANGLE_BLOCK):
        stop = min(start + TRIANGLE_BLOCK, len(left))
        used = slice(0, stop) if lower else slice(start, None)
        np.matmul(left[start:stop, used], right[used], out=result[start:stop])
    return result
