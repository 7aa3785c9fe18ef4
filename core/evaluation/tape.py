"""The tape: a straight-line program under construction, one step per NumPy call.

A `Value` is what a step will put into a numbered slot; its shape is known while nothing has been computed yet. Views
are remembered, so asking twice for a transpose costs one step.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from functools import partial
from math import prod
from operator import attrgetter, itemgetter, methodcaller
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..arrays import AnyArray
from ..graph.nodes import Labels
from ..graph.places import Rows, Windows
from ..shapes import Shape
from ..sparse import Sparse
from .kernels import Kernel
from .strided import table_of


class Value(NamedTuple):
    """An array that a step will compute.

    - `fresh`: the array belongs to this value alone, so the step that uses it last may overwrite it.
    - `constant`: no input is involved, so it is computed once for all runs.
    - `number`: its value where that is a number already known.
    - `sparse`: a sparse matrix, which steps that do not keep it sparse get as a dense array.
    """

    slot: int
    shape: Shape
    fresh: bool = False
    constant: bool = False
    number: float | None = None
    sparse: bool = False

    @property
    def size(self) -> int:
        """The number of entries."""
        return prod(self.shape)


class Labelled(NamedTuple):
    """A value with a label for each axis: a factor of a product.

    - `mask`: the entries say where the product may differ from zero.
    - `inverse`: the factor is one over the array, so that multiplying by it can become a division.
    - `triangle`: 1 where entry [i, j] of a matrix is zero for j > i, -1 where it is for j < i, by `tril` and `triu`.
      What is assumed of an input does not count: differences are taken by moving it, also off its triangle.
    """

    value: Value
    labels: Labels
    mask: bool = False
    inverse: bool = False
    triangle: int = 0


class Draft(NamedTuple):
    """A step as it is recorded.

    `writes` says that it writes into one of its operands, `exact` that it rounds nothing.
    """

    kernel: Kernel
    inputs: tuple[int, ...]
    output: int
    constant: bool
    entries: int
    cost: int
    shape: Shape
    writes: bool
    exact: bool = False


class Tape:
    """The steps recorded so far, the input slots by name, and what each slot holds before a run.

    `outer_products` tells for the result of a multiplication of factors without a common label what these are,
    `matrix_products` for a matrix product its two sides. `turned` are the matrices that lie in memory column by column.
    """

    def __init__(self, reuse: bool = True, sparse: Collection[str] = ()) -> None:
        self.drafts: list[Draft] = []
        self.inputs: dict[str, int] = {}
        self.initial: list[Any] = []
        self.outer_products: dict[int, tuple[Labelled, Labelled]] = {}
        self.matrix_products: dict[int, tuple[Value, Value]] = {}
        self.turned: set[int] = set()
        self._reuse = reuse
        self._sparse = sparse
        self._remembered: dict[Hashable, Value] = {}

    def slot(self, content: Any = None) -> int:
        """Return a new slot, with what it holds before a run."""
        self.initial.append(content)
        return len(self.initial) - 1

    def input(self, name: str, shape: Shape) -> Value:
        """Return the input of a name."""
        if name not in self.inputs:
            self.inputs[name] = self.slot()
        return Value(self.inputs[name], shape, sparse=name in self._sparse)

    def literal(self, content: AnyArray) -> Value:
        """Return an array that is known now."""
        return Value(self.slot(content), content.shape, constant=True)

    def number(self, content: float) -> Value:
        """Return a number that is known now."""
        key = ("number", content)
        if key not in self._remembered:
            self._remembered[key] = Value(self.slot(np.float64(content)), (), constant=True, number=content)
        return self._remembered[key]

    def emit(
        self,
        kernel: Kernel,
        inputs: Sequence[Value],
        shape: Shape,
        *,
        cost: int | None = None,
        fresh: bool = True,
        allocates: bool = True,
        fold: bool = True,
        exact: bool = False,
        keeps_sparse: bool = False,
        sparse: bool = False,
    ) -> Value:
        """Record a step: `kernel` called with the inputs' arrays gives an array of `shape`.

        `fresh` says that the array is new and owned; `fold` may be False for what is cheaper to compute than to keep;
        `exact` says that entries are only moved or compared. A view is exact in any case. A step that is not said to
        keep sparse matrices gets dense arrays in their place; `sparse` says that it gives one as well.
        """
        if sparse:
            keeps_sparse, fresh, allocates = True, False, False
        if self._sparse and not keeps_sparse:
            inputs = [self.dense(value) for value in inputs]
        constant = fold and all(value.constant for value in inputs)
        entries = prod(shape) if allocates else 0
        cost = entries if cost is None else cost
        read, slot = tuple(value.slot for value in inputs), self.slot()
        exact = exact or not (fresh or allocates)
        self.drafts.append(Draft(kernel, read, slot, constant, entries, cost, shape, fresh and not allocates, exact))
        if self.turned and isinstance(kernel, np.ufunc) and len(shape) == 2:
            # NumPy lets a result lie as its operands do.
            whole = [value.slot in self.turned for value in inputs if value.shape == shape]
            if whole and all(whole):
                self.turned.add(slot)
        return Value(slot, shape, fresh=fresh and self._reuse and not constant, constant=constant, sparse=sparse)

    def dense(self, value: Value) -> Value:
        """Return a value as a dense array."""
        if not value.sparse:
            return value
        return self._view("dense", Sparse.dense, value, value.shape, keeps_sparse=True)._replace(sparse=False)

    def shared(self, kernel: Kernel, value: Value) -> Value:
        """Return a function of a value, of the same shape, that is computed once however often it is asked for."""
        key = (value.slot, kernel)
        if key not in self._remembered:
            self._remembered[key] = self.emit(kernel, [value], value.shape)._replace(fresh=False)
        return self._remembered[key]

    def _view(self, key: Hashable, kernel: Kernel, value: Value, shape: Shape, keeps_sparse: bool = False) -> Value:
        if value.sparse and not keeps_sparse:
            value = self.dense(value)
        full_key = (value.slot, key)
        if full_key not in self._remembered:
            self._remembered[full_key] = self.emit(
                kernel, [value], shape, fresh=False, allocates=False, keeps_sparse=keeps_sparse, sparse=value.sparse
            )
        viewed = self._remembered[full_key]
        return viewed._replace(fresh=True) if value.fresh else viewed

    def transpose(self, value: Value, axes: Sequence[int]) -> Value:
        """Return a view with the axes in another order."""
        axes = tuple(axes)
        if axes == tuple(range(len(axes))):
            return value
        reverse = axes == tuple(range(len(axes)))[::-1]
        kernel: Kernel = attrgetter("T") if reverse else methodcaller("transpose", axes)
        viewed = self._view(("transpose", axes), kernel, value, tuple(value.shape[axis] for axis in axes), True)
        if axes == (1, 0) and value.slot not in self.turned:
            self.turned.add(viewed.slot)
        return viewed

    def reshape(self, value: Value, shape: Shape) -> Value:
        """Return the entries in row-major order under another shape: a view where the layout allows it."""
        if shape == value.shape:
            return value
        return self._view(("reshape", shape), methodcaller("reshape", shape), value, shape)

    def expand(self, value: Value, present: Sequence[bool]) -> Value:
        """Return a view with an axis of length one wherever `present` is False."""
        if all(present):
            return value
        sizes = iter(value.shape)
        shape = tuple(next(sizes) if here else 1 for here in present)
        key = tuple(slice(None) if here else None for here in present)
        return self._view(("expand", tuple(present)), itemgetter(key), value, shape)

    def diagonal(self, value: Value, first: int, second: int) -> Value:
        """Return a view of the diagonal of two axes, which becomes the last axis."""
        shape = tuple(size for axis, size in enumerate(value.shape) if axis not in (first, second))
        kernel = methodcaller("diagonal", 0, first, second)
        viewed = self._view(("diagonal", first, second), kernel, value, (*shape, value.shape[first]), True)
        return viewed._replace(fresh=False, sparse=False)

    def select(self, value: Value, axis: int, rows: Rows) -> Value:
        """Return the chosen positions along an axis: a view where they are evenly spaced."""
        shape = (*value.shape[:axis], len(rows), *value.shape[axis + 1 :])
        if value.sparse:
            return self._view(("rows", axis, rows), partial(Sparse.select, axis=axis, rows=rows), value, shape, True)
        if isinstance(rows, range):
            stop = rows.stop if rows.step > 0 or rows.stop >= 0 else None
            key = (*(slice(None),) * axis, slice(rows.start, stop, rows.step))
            return self._view(("rows", axis, rows), itemgetter(key), value, shape)._replace(fresh=False)
        index = table_of(rows)
        return self.emit(lambda array: np.take(array, index, axis), [value], shape, exact=True)

    def windows(self, value: Value, axis: int, rows: Windows) -> Value:
        """Return a view of windows on an axis: in its place one axis counts them, the next the places in each."""
        shape = (*value.shape[:axis], rows.amount, rows.length, *value.shape[axis + 1 :])

        def viewed(array: AnyArray) -> AnyArray:
            width = array.strides[axis]
            steps = (width * rows.step, width * rows.dilation)
            strides = (*array.strides[:axis], *steps, *array.strides[axis + 1 :])
            return as_strided(array, shape, strides, writeable=False)

        return self._view(("windows", axis, rows), viewed, value, shape)._replace(fresh=False)

    def broadcast(self, value: Value, shape: Shape) -> Value:
        """Return a read-only view repeated to a shape."""
        if shape == value.shape:
            return value
        viewed = self._view(("broadcast", shape), lambda array: np.broadcast_to(array, shape), value, shape)
        return viewed._replace(fresh=False)
