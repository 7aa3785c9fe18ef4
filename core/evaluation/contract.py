"""Contraction: an einsum of arrays becomes BLAS calls, broadcast multiplications and sums.

A `Labelled` is an array with one label per axis. Pairs are taken in the order that `order` finds, and each pair is
lowered to what suits it: labels that stay multiply by broadcasting, labels that are summed go to `@` in the orientation
that needs no copy.

The Product `A[i,j] B[j,k] x[k]`: first `B @ x`, then A times that, so no product of matrices is computed.

>>> tape, (i, j, k) = Tape(), range(3)
>>> factors = [Labelled(tape.input(*one), labels) for *one, labels in (
...     ("A", (3, 4), (i, j)), ("B", (4, 5), (j, k)), ("x", (5,), (k,)))]
>>> result, coefficient = contract(tape, factors, (i,), {i: 3, j: 4, k: 5})
>>> [(draft.kernel.__name__, draft.shape) for draft in tape.drafts], result.labels, coefficient
([('matmul', (4,)), ('matmul', (3,))], (0,), 1.0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import prod

import numpy as np

from ..graph.nodes import Labels
from ..shapes import Shape
from .kernels import Into, Kernel, as_number, full_dot, outer_product, strong_zero, triangular_product, vector_dot
from .large import is_large
from .order import contraction_order
from .sparse import scaled_entries, sparse_pair, summed_over
from .tape import Labelled, Tape, Value

# Products with a triangular matrix of this size are taken apart, if the other one has so many rows or columns.
LARGE_TRIANGLE, MANY_COLUMNS = 384, 64
# From this many entries on, memory is worth saving by writing into an array that is no longer needed.
LARGE = 4096


def rename(factor: Labelled, names: Mapping[int, int], tape: Tape) -> Labelled:
    """Return the factor under other labels; where two become equal only the diagonal stays."""
    labels = tuple(names.get(label, label) for label in factor.labels)
    return diagonal(factor._replace(labels=labels), tape)


def diagonal(factor: Labelled, tape: Tape) -> Labelled:
    """Return a view in which no label repeats."""
    value, labels = factor.value, factor.labels
    while len(set(labels)) < len(labels):
        first, label = next((k, label) for k, label in enumerate(labels) if label in labels[k + 1 :])
        second = labels.index(label, first + 1)
        value = tape.diagonal(value, first, second)
        labels = (*(other for k, other in enumerate(labels) if k not in (first, second)), label)
    return factor if labels == factor.labels else factor._replace(value=value, labels=labels, triangle=0)


def plain(factor: Labelled, tape: Tape) -> Labelled:
    """Return the factor as numbers to multiply by: neither a mask nor an inverse."""
    if not factor.mask and not factor.inverse:
        return factor
    value = factor.value
    if factor.mask:
        value = tape.emit(as_number, [value], value.shape, exact=True)
    else:
        value = tape.shared(np.reciprocal, value) if not value.shape else tape.emit(np.reciprocal, [value], value.shape)
    return factor._replace(value=value, mask=False, inverse=False)


def align(factor: Labelled, order: Labels, tape: Tape) -> Value:
    """Return the array with axes in this order and length one where the factor lacks a label.

    Leading axes of length one are left to broadcasting.
    """
    present = [label for label in order if label in factor.labels]
    value = tape.transpose(factor.value, [factor.labels.index(label) for label in present])
    first = order.index(present[0]) if present else len(order)
    return tape.expand(value, [label in factor.labels for label in order[first:]])


def contract(
    tape: Tape,
    factors: Iterable[Labelled],
    output: Labels,
    sizes: Mapping[int, int],
    coefficient: float = 1.0,
    row_major: bool = False,
) -> tuple[Labelled, float]:
    """Return the einsum of the factors, and the part of the coefficient that is not in it yet.

    Every label of `output` that a factor carries is an axis of the result, in that order; all other labels are summed.
    With `row_major` a result made by multiplication lies in memory in that order too.
    """
    factors = list(factors)
    uses = Counter([label for factor in factors for label in factor.labels])
    alone = {label for label, amount in uses.items() if amount == 1 and label not in output}
    pool = [sum_over(factor, alone, tape) for factor in factors]
    wanted = tuple(label for label in output if label in uses)
    if coefficient != 1:
        coefficient = _scale_smallest(tape, pool, prod(sizes[label] for label in wanted), coefficient)
    pending: list[Labelled | None] = list(pool)
    pairs = contraction_order([factor.labels for factor in pool], wanted, sizes)
    for position, (first, second) in enumerate(pairs):
        a, b = pending[first], pending[second]
        assert a is not None
        assert b is not None
        pending[first] = pending[second] = None
        for label in (*a.labels, *b.labels):
            uses[label] -= 1
        keep = wanted if position == len(pairs) - 1 else _grouped(a, b, uses, wanted)
        result = _pair(tape, a, b, keep, sizes, row_major and position == len(pairs) - 1)
        for label in result.labels:
            uses[label] += 1
        pending.append(result)
    last = pending[-1]
    assert last is not None
    result = plain(last, tape)
    if result.labels != wanted:
        axes = [result.labels.index(label) for label in wanted]
        result = Labelled(tape.transpose(result.value, axes), wanted)
    return result, coefficient


def _scale_smallest(tape: Tape, pool: list[Labelled], entries: int, coefficient: float) -> float:
    """Multiply the smallest factor by the coefficient where that is cheaper than to scale the result."""
    plain_places = [place for place, factor in enumerate(pool) if not factor.mask and not factor.inverse]
    smallest = min(plain_places, key=lambda place: pool[place].value.size, default=None)
    # The sum of nothing is 0 whatever its parts are scaled by, and 0 times inf is nan.
    if smallest is None or not 0 < 2 * pool[smallest].value.size <= entries:
        return coefficient
    pool[smallest] = pool[smallest]._replace(value=scaled(tape, pool[smallest].value, coefficient))
    return 1.0


def scaled(tape: Tape, value: Value, coefficient: float) -> Value:
    """Return a multiple of an array, in place where the array may be overwritten."""
    if coefficient == 1:
        return value
    if value.sparse:
        return tape.emit(scaled_entries, [value, tape.number(coefficient)], value.shape, sparse=True)
    if value.number is not None:
        return tape.number(value.number * coefficient)
    if coefficient == -1:
        kernel = Into(np.negative, 0) if reusable(value) else np.negative
        return tape.emit(kernel, [value], value.shape, allocates=not reusable(value), cost=value.size, exact=True)
    factor = tape.number(coefficient)
    if reusable(value):
        return tape.emit(Into(np.multiply, 0), [value, factor], value.shape, allocates=False, cost=value.size)
    return tape.emit(np.multiply, [value, factor], value.shape)


def reusable(value: Value) -> bool:
    """Whether to write a result into the memory of an operand."""
    return value.fresh and value.size >= LARGE


def sum_over(factor: Labelled, labels: Iterable[int], tape: Tape) -> Labelled:
    """Return the factor summed over those of its axes that carry one of the labels."""
    axes = tuple(axis for axis, label in enumerate(factor.labels) if label in labels)
    if not axes:
        return factor
    if factor.value.sparse:
        return summed_over(tape, factor, axes)
    factor = plain(factor, tape)
    remaining = tuple(label for axis, label in enumerate(factor.labels) if axis not in axes)
    shape = tuple(size for axis, size in enumerate(factor.value.shape) if axis not in axes)
    axis = axes[0] if len(axes) == 1 else None if not remaining else axes
    kernel = partial(np.add.reduce, axis=axis)
    return Labelled(tape.emit(kernel, [factor.value], shape, cost=factor.value.size), remaining)


def _grouped(a: Labelled, b: Labelled, elsewhere: Mapping[int, int], wanted: Labels) -> Labels:
    """Return the labels an intermediate keeps, used elsewhere or wanted: shared ones first, others as in `wanted`."""
    kept = [label for label in dict.fromkeys((*a.labels, *b.labels)) if elsewhere[label] or label in wanted]
    shared = set(a.labels) & set(b.labels)
    return tuple(sorted(kept, key=lambda label: (label not in shared, wanted.index(label) if label in wanted else -1)))


def _pair(tape: Tape, a: Labelled, b: Labelled, output: Labels, sizes: Mapping[int, int], row_major: bool) -> Labelled:
    """Contract two factors; the result has the labels `output`, not necessarily in that order."""
    kept = set(output)
    a = sum_over(a, set(a.labels) - kept - set(b.labels), tape)
    b = sum_over(b, set(b.labels) - kept - set(a.labels), tape)
    if a.value.sparse or b.value.sparse:
        found = sparse_pair(tape, plain(a, tape), plain(b, tape), kept, sizes)
        if found is not None:
            return found
    if all(label in kept for label in a.labels if label in b.labels):
        return multiply(tape, a, b, output, sizes, row_major)
    a, b = plain(a, tape), plain(b, tape)
    batch = tuple(label for label in output if label in a.labels and label in b.labels)
    if _comes_first(b, a, batch, output):
        a, b = b, a
    larger = a if a.value.size >= b.value.size else b
    summed = tuple(label for label in larger.labels if label in a.labels and label in b.labels and label not in kept)
    free_a = tuple(label for label in a.labels if label not in b.labels)
    free_b = tuple(label for label in b.labels if label not in a.labels)
    return _matmul(tape, a, b, (batch, free_a, summed, free_b), sizes)


def _comes_first(one: Labelled, other: Labelled, batch: Labels, output: Labels) -> bool:
    """Whether the labels of one factor precede those of the other in the output."""
    own = [output.index(label) for label in one.labels if label in output and label not in batch]
    others = [output.index(label) for label in other.labels if label in output and label not in batch]
    return bool(own) and bool(others) and min(own) < min(others)


def _matmul(
    tape: Tape, a: Labelled, b: Labelled, groups: tuple[Labels, Labels, Labels, Labels], sizes: Mapping[int, int]
) -> Labelled:
    batch, free_a, summed, free_b = groups
    length, rows, columns = (prod(sizes[label] for label in group) for group in (summed, free_a, free_b))
    batch_shape = tuple(sizes[label] for label in batch)
    labels = (*batch, *free_a, *free_b)
    shape = tuple(sizes[label] for label in labels)
    cost = 2 * prod(batch_shape) * length * rows * columns
    if len(summed) > 1 and not batch and not free_a and not free_b:
        pair = [align(factor, summed, tape) for factor in (a, b)]
        return Labelled(tape.emit(full_dot, pair, (), cost=cost), ())
    left = _stacked(tape, a, batch, [free_a, summed] if free_a else [summed], sizes)
    right = _stacked(tape, b, batch, [summed, free_b] if free_b else [summed], sizes)
    if not free_a and not free_b:
        return Labelled(tape.emit(vector_dot if batch else np.dot, [left, right], shape, cost=cost), labels)
    if batch and not free_a:
        left = tape.expand(left, [*(True,) * len(batch), False, True])
    if batch and not free_b:
        right = tape.expand(right, [*(True,) * len(batch), True, False])
    full = (*batch_shape, *((rows,) if free_a or batch else ()), *((columns,) if free_b or batch else ()))
    kernel = _product_kernel(a, b, full, length)
    result = tape.emit(kernel, [left, right], full, cost=cost)
    if kernel is np.matmul and len(full) == 2 and not batch:
        tape.matrix_products[result.slot] = (left, right)
    return Labelled(tape.reshape(result, shape), labels)


def _product_kernel(a: Labelled, b: Labelled, shape: Shape, length: int) -> Kernel:
    """Return what multiplies two matrices: where one is triangular and large, no zeros are multiplied."""
    shared = set(a.labels) & set(b.labels)
    matrices = len(a.labels) == len(b.labels) == 2 and len(shared) == 1
    # NumPy sees by itself that a matrix meets its own transpose, which is half the work too.
    if not matrices or a.value.slot == b.value.slot or length < LARGE_TRIANGLE or min(shape) < MANY_COLUMNS:
        return np.matmul
    if a.triangle:
        return partial(triangular_product, triangle="left", lower=(a.triangle > 0) == (a.labels[1] in shared))
    if b.triangle:
        return partial(triangular_product, triangle="right", lower=(b.triangle > 0) == (b.labels[0] in shared))
    return np.matmul


def _stacked(tape: Tape, factor: Labelled, batch: Labels, groups: Sequence[Labels], sizes: Mapping[int, int]) -> Value:
    """Return the array with one axis per batch label, then one per group of labels."""
    order = (*batch, *(label for group in groups for label in group))
    value = tape.transpose(factor.value, [factor.labels.index(label) for label in order])
    shape = (*(sizes[label] for label in batch), *(prod(sizes[label] for label in group) for group in groups))
    return tape.reshape(value, shape)


def multiply(
    tape: Tape, a: Labelled, b: Labelled, output: Labels, sizes: Mapping[int, int], row_major: bool = False
) -> Labelled:
    """Multiply two factors entry by entry, in the order of `output`."""
    labels = tuple(label for label in output if label in a.labels or label in b.labels)
    shape = tuple(sizes[label] for label in labels)
    if a.mask or b.mask:
        return _multiply_by_mask(tape, *((a, b) if a.mask else (b, a)), labels, shape)
    if a.inverse and not b.inverse:
        a, b = b, a
    divide = b.inverse and not a.inverse and b.value.size == prod(shape)
    a, b = plain(a, tape), b if divide else plain(b, tape)
    if b.value.number == 1:
        a, b = b, a
    if a.value.number == 1 and not divide and len(b.labels) == len(labels):
        return Labelled(tape.transpose(b.value, [b.labels.index(label) for label in labels]), labels)
    kernel: Kernel = np.divide if divide else np.multiply
    if row_major:
        kernel = partial(kernel, order="C")
    if divide or not a.labels or not b.labels or not set(a.labels).isdisjoint(b.labels):
        sides = [align(a, labels, tape), align(b, labels, tape)]
        return Labelled(tape.emit(kernel, sides if row_major else _lying_alike(tape, *sides), shape), labels)
    if labels.index(b.labels[0]) < labels.index(a.labels[0]):
        a, b = b, a
    if not is_large(shape) and set(labels[: len(a.labels)]) == set(a.labels):
        groups = ((a, labels[: len(a.labels)]), (b, labels[len(a.labels) :]))
        sides = [_stacked(tape, factor, (), [own], sizes) for factor, own in groups]
        result = tape.reshape(tape.emit(outer_product, sides, (a.value.size, b.value.size), cost=prod(shape)), shape)
    else:
        result = tape.emit(kernel, [align(a, labels, tape), align(b, labels, tape)], shape)
    tape.outer_products[result.slot] = (a, b)
    return Labelled(result, labels)


def _lying_alike(tape: Tape, *sides: Value) -> list[Value]:
    """Return two values, a matrix product among them being turned in memory if the other one is.

    `A @ B` and `(B.T @ A.T).T` cost the same, and what meets it is gone through along memory. A product that something
    else needs too is left as it is.
    """
    result = list(sides)
    if sides[0].shape == sides[1].shape and sides[0].size >= LARGE:
        for place, (own, other) in enumerate([sides, sides[::-1]]):
            if own.fresh and own.slot in tape.matrix_products and other.slot in tape.turned:
                left, right = tape.matrix_products[own.slot]
                flipped = tape.emit(
                    np.matmul, [tape.transpose(right, (1, 0)), tape.transpose(left, (1, 0))], own.shape[::-1],
                    cost=2 * own.size * left.shape[1],
                )  # fmt: skip
                result[place] = tape.transpose(flipped, (1, 0))
    return result


def _multiply_by_mask(tape: Tape, mask: Labelled, other: Labelled, labels: Labels, shape: Shape) -> Labelled:
    other = other if other.mask else plain(other, tape)
    kernel = np.logical_and if other.mask else strong_zero
    operands = [align(mask, labels, tape), align(other, labels, tape)]
    return Labelled(tape.emit(kernel, operands, shape, exact=True), labels, mask=other.mask)
