"""Contractions with a sparse matrix: what SciPy multiplies without making it dense.

A pair of factors of which one is sparse is a product with a matrix, where one label is shared and summed; or a product
entry by entry, where the sparse one has all labels of the other, which gives a sparse matrix again. Any other pair is
left to dense arrays.

The Product `A[i,j] d[i] A[i,k]`, with A sparse: first `d[i] A[i,k]`, which is sparse, then the product of two sparse
matrices.

>>> tape, (i, j, k) = Tape(sparse={"A"}), range(3)
>>> A, d = tape.input("A", (4, 3)), tape.input("d", (4,))
>>> scaled = sparse_pair(tape, Labelled(A, (i, k)), Labelled(d, (i,)), {i, j, k}, {i: 4, j: 3, k: 3})
>>> product = sparse_pair(tape, Labelled(A, (i, j)), scaled, {j, k}, {i: 4, j: 3, k: 3})
>>> tape.drafts[-1].kernel is matrix_product, product.value.sparse
(True, True)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..arrays import AnyArray
from ..sparse import Sparse
from .tape import Labelled, Tape, Value


def matrix_product(left: Any, right: Any) -> Any:
    """Return the product of two matrices, or of a matrix and a vector, at least one of them sparse."""
    one, other = (side.matrix if isinstance(side, Sparse) else side for side in (left, right))
    found = one @ other
    if isinstance(left, Sparse) and isinstance(right, Sparse):
        return left.made(found)
    return np.asarray(found)


def scaled_entries(sparse: Sparse, other: Any) -> Sparse:
    """Return a sparse matrix times a number, or entry by entry times what broadcasts to its shape."""
    if np.ndim(other) == 0:
        return sparse.made(sparse.matrix * other)
    return sparse.made(sparse.matrix.multiply(other.matrix if isinstance(other, Sparse) else other).tocsr())


def sparse_sum(*sparse: Sparse) -> Sparse:
    """Return the sum of sparse matrices."""
    return sparse[0].made(sum((one.matrix for one in sparse[1:]), sparse[0].matrix))


def total(sparse: Sparse, axis: int | None) -> AnyArray:
    """Return the sum of the entries along an axis, or of all."""
    return np.asarray(sparse.matrix.sum(axis=axis))


def sparse_pair(
    tape: Tape, a: Labelled, b: Labelled, kept: Collection[int], sizes: Mapping[int, int]
) -> Labelled | None:
    """Contract two factors of which one is sparse; the result has labels in any order. None for other pairs.

    Labels that only one of them has are `kept`.
    """
    if not a.value.sparse or (b.value.sparse and len(b.labels) > len(a.labels)):
        a, b = b, a
    shared = set(a.labels) & set(b.labels)
    if len(shared) == 1 and shared.isdisjoint(kept):
        return _multiplied(tape, a, b, next(iter(shared)), sizes)
    if shared != set(b.labels):
        return None
    other = b.value if b.value.sparse and a.labels == b.labels else _broadcast(tape, b, a.labels)
    found = Labelled(tape.emit(scaled_entries, [a.value, other], a.value.shape, sparse=True), a.labels)
    summed = tuple(axis for axis, label in enumerate(a.labels) if label not in kept)
    return summed_over(tape, found, summed) if summed else found


def _broadcast(tape: Tape, factor: Labelled, order: tuple[int, ...]) -> Value:
    present = [label for label in order if label in factor.labels]
    value = tape.transpose(factor.value, [factor.labels.index(label) for label in present])
    return tape.expand(value, [label in factor.labels for label in order]) if present else value


def summed_over(tape: Tape, factor: Labelled, axes: tuple[int, ...]) -> Labelled:
    """Return a sparse factor summed over some of its axes."""
    labels = tuple(label for axis, label in enumerate(factor.labels) if axis not in axes)
    shape = tuple(size for axis, size in enumerate(factor.value.shape) if axis not in axes)
    kernel = partial(total, axis=axes[0] if len(axes) == 1 else None)
    return Labelled(tape.emit(kernel, [factor.value], shape, cost=sum(factor.value.shape), keeps_sparse=True), labels)


def _multiplied(tape: Tape, a: Labelled, b: Labelled, label: int, sizes: Mapping[int, int]) -> Labelled:
    """Return the product of a sparse matrix with what has one label in common with it, which is summed."""
    left = tape.transpose(a.value, (0, 1) if a.labels[1] == label else (1, 0))
    free = tuple(own for own in a.labels if own != label)
    rest = tuple(own for own in b.labels if own != label)
    right = tape.transpose(b.value, [b.labels.index(own) for own in (label, *rest)])
    labels = (*free, *rest)
    shape = tuple(sizes[own] for own in labels)
    if b.value.sparse:
        return Labelled(tape.emit(matrix_product, [left, right], shape, sparse=True), labels)
    columns = (prod(sizes[own] for own in rest),) if rest else ()
    right = tape.reshape(right, (sizes[label], *columns))
    full = (sizes[free[0]], *columns)
    cost = 2 * (prod(full) + right.size)
    found = tape.emit(matrix_product, [left, right], full, cost=cost, keeps_sparse=True)
    return Labelled(tape.reshape(found, shape), labels)
