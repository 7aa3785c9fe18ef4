"""Derivatives kept in compressed form: made of few stored arrays, multiplied and written without the dense array.

A compressed derivative is a small graph: the terms of `structured_terms` over symbols that stand for stored arrays.
The dense array, products with vectors, blocks of rows and sparse coordinates are all programs of that graph, so the
order of contraction makes use of its structure by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from itertools import product as choices
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..grammar.records import dataclass
from .algebra import Factor, add, fresh, is_mask, zero
from .answer import Array
from .errors import EvaluationError, InputError, UsageProblem
from .evaluate import Program, compile_program
from .graph import Delta, Labels, Node, Select, Symbol
from .operators.registry import find
from .outline import structure_of
from .pointwise import elementwise
from .shapes import Shape, show
from .sizes import amount, memory
from .structured_coordinates import Indices, place, split_term
from .structured_terms import Term, compressed, stored
from .structured_words import structure_in_words
from .transform import flatten

VECTOR = "vector"
LARGEST_BLOCK = 1 << 26
# A block is computed beside the stored arrays and one or two arrays of its own size.
BLOCKS_IN_MEMORY = 4
# Row, column and value of an entry, and the order that sorts them.
BYTES_OF_COORDINATES = 32


@dataclass(frozen=True)
class Axes:
    """What the axes of a derivative are: first `samples`, then those of the output, then those of each variable.

    `samples` is 1 where the first axis counts samples, else 0; `groups` are the numbers of axes of the output and of
    each variable. The last variable makes up the columns, all before it the rows.
    """

    shape: Shape
    groups: tuple[int, ...]
    samples: int = 0

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def row_rank(self) -> int:
        """The number of axes that are rows."""
        return self.rank - self.groups[-1]

    @property
    def rows(self) -> Shape:
        """The shape of the rows."""
        return self.shape[: self.row_rank]

    @property
    def columns(self) -> Shape:
        """The shape of the columns."""
        return self.shape[self.row_rank :]

    @cached_property
    def variables(self) -> list[Labels]:
        """The axes of each variable."""
        starts = [self.samples + sum(self.groups[:place]) for place in range(len(self.groups) + 1)]
        return [tuple(range(start, end)) for start, end in pairwise(starts[1:])]

    @property
    def transposed(self) -> Axes:
        """The axes with rows and columns exchanged."""
        return Axes(self.columns + self.rows, (self.rank - self.row_rank, self.row_rank))


class Form:
    """The small graph of a compressed derivative, and the programs made of it; shared by all calls with its shapes."""

    def __init__(self, terms: Sequence[Term], axes: Axes, words: str) -> None:
        self.terms = tuple(terms)
        self.axes = axes
        self.words = words
        self._programs: dict[object, Program] = {}

    @cached_property
    def transposed(self) -> Form:
        """The form with rows and columns exchanged."""
        axes = self.axes
        order = (*range(axes.row_rank, axes.rank), *range(axes.row_rank))
        names = {label: position for position, label in enumerate(order)}
        terms = [_renamed(term, names) for term in self.terms]
        result = Form(terms, axes.transposed, self.words)
        result.__dict__["transposed"] = self
        return result

    def _program(self, key: object, factors: Callable[[], tuple[list[Factor], Labels]]) -> Program:
        """Return the program of the terms, each multiplied by further factors, with the labels of the result."""
        if key not in self._programs:
            more, output = factors()
            self._programs[key] = self._compiled(self.terms, more, output)
        return self._programs[key]

    def _compiled(self, terms: Sequence[Term], more: list[Factor], output: Labels) -> Program:
        sizes = dict(enumerate(self.axes.shape))
        sizes |= {label: size for node, own in more for label, size in zip(own, node.shape, strict=True)}
        shape = tuple(sizes[label] for label in output)
        nodes = [term.node(self.axes.rank, *more, output=output) for term in terms]
        return compile_program(flatten([add([(1, node) for node in nodes], shape)]))

    @property
    def dense(self) -> Program:
        """The program of the dense array."""
        return self._program("dense", lambda: ([], tuple(range(self.axes.rank))))

    def block(self, rows: Sequence[range]) -> Program:
        """Return the program of the entries with these indices along the first axes; not kept."""
        labels = fresh(len(rows))
        more: list[Factor] = [
            (Select.of(chosen, self.axes.shape[axis]), (labels[axis], axis)) for axis, chosen in enumerate(rows)
        ]
        return self._compiled(self.terms, more, (*labels, *range(len(rows), self.axes.rank)))

    def times(self, shape: Shape, kind: str) -> Program:
        """Return the program of a product with an array of that shape: a `vector`, a `matrix`, one per `sample`."""

        def factors() -> tuple[list[Factor], Labels]:
            columns, rows = tuple(range(self.axes.row_rank, self.axes.rank)), tuple(range(self.axes.row_rank))
            extra = fresh(1) if kind == "matrix" else ()
            lead = (0,) if kind == "sample" else ()
            return [(Symbol.of(VECTOR, shape), (*lead, *columns, *extra))], (*rows, *extra)

        return self._program((kind, shape), factors)

    def along(self, shapes: Sequence[Shape]) -> Program:
        """Return the program of a contraction with one direction, of that shape, for each variable."""

        def factors() -> tuple[list[Factor], Labels]:
            more: list[Factor] = []
            for number, (shape, axes) in enumerate(zip(shapes, self.axes.variables, strict=True)):
                lead = (0,) if len(shape) > len(axes) else ()
                more.append((Symbol.of(f"{VECTOR} {number}", shape), (*lead, *axes)))
            return more, tuple(range(self.axes.samples + self.axes.groups[0]))

        return self._program(("along", tuple(shapes)), factors)

    @property
    def diagonal(self) -> Program:
        """The program of the entries whose row is their column."""

        def factors() -> tuple[list[Factor], Labels]:
            rank = self.axes.row_rank
            labels = fresh(rank)
            ties = [(Delta.of(size, 3), (labels[k], k, rank + k)) for k, size in enumerate(self.axes.rows)]
            return [*ties], labels

        return self._program("diagonal", factors)

    @cached_property
    def cores(self) -> list[tuple[Program, Labels, list[Factor]]]:
        """For each term the program of its numbers, the labels of their axes, and the structure that places them."""
        parts = [split_term(term, self.axes.rank) for term in self.terms]
        return [(compile_program(flatten([core])), labels, outside) for core, labels, outside in parts]


def _renamed(term: Term, names: Mapping[int, int]) -> Term:
    return Term(
        term.coefficient,
        tuple((node, tuple(names.get(label, label) for label in labels)) for node, labels in term.factors),
    )


class Compression:
    """How a derivative is computed in compressed form: the program of its stored arrays, and the form over them."""

    def __init__(self, node: Node, axes: Axes, *, plain: Node) -> None:
        terms = compressed(node)
        nodes = stored(terms)
        symbols = {part: Symbol.of(f"F{number}", part.shape) for number, part in enumerate(nodes, start=1)}
        self.names = [symbols[part].name for part in nodes]
        self.program = compile_program(flatten(nodes))
        # The words of the outline, which knows the samples apart, come first.
        words = structure_of(plain, axes.groups[0]) if axes.groups[0] and len(axes.groups) == 2 else None
        words = words or structure_in_words(terms, axes.row_rank, axes.rank)
        self.form = Form([_over_symbols(term, symbols) for term in terms], axes, words)
        self.entries = sum(prod(part.shape) for part in nodes)

    def bind(self, arrays: Sequence[Array], limit: int) -> Structured:
        """Return the compressed derivative over the arrays that a run of the program has given."""
        return Structured(self.form, dict(zip(self.names, arrays, strict=True)), limit)


def _over_symbols(term: Term, symbols: Mapping[Node, Symbol]) -> Term:
    factors: list[Factor] = []
    for node, labels in term.factors:
        if node not in symbols:
            factors.append((node, labels))
        elif is_mask(node):
            factors.append((_as_mask(symbols[node]), labels))
        else:
            factors.append((symbols[node], labels))
    return Term(term.coefficient, tuple(factors))


def _as_mask(symbol: Symbol) -> Node:
    """Return the mask of what is not zero: the zeros of a stored mask win over what is not finite, as before."""
    operator = find("not_equal")
    assert operator is not None
    return elementwise(operator, [symbol, zero(symbol.shape)])


class Structured:
    """A derivative in compressed form: what it consists of is stored, and the dense array is never formed.

    Example: for `J = matgrad.jacobian("exp(x)", "x").structured(x=x)`, `J @ v` is `exp(x) * v`, and `J` stores n
    numbers. As a matrix it has one row for each entry of the output and one column for each of the input, counted in
    C order; with several variables the last one makes up the columns.
    """

    # NumPy's arrays leave `v @ J` to `__rmatmul__`.
    __array_ufunc__ = None

    def __init__(self, form: Form, arrays: Mapping[str, Array], limit: int) -> None:
        self.form = form
        self.arrays = dict(arrays)
        self.limit = limit

    @property
    def shape(self) -> Shape:
        """The shape of the dense array: that of the output, then that of each variable."""
        return self.form.axes.shape

    @property
    def size(self) -> int:
        """The number of entries of the dense array."""
        return prod(self.shape)

    @property
    def entries(self) -> int:
        """How many numbers are stored."""
        return sum(array.size for array in self.arrays.values())

    @property
    def structure(self) -> str:
        """The structure in words: `diagonal`, `block diagonal`, `kronecker`, `diagonal + rank one`."""
        return self.form.words

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        plural = "entry" if self.entries == 1 else "entries"
        return f"{self.structure}, {amount(self.entries)} {plural} (of {amount(self.size)})"

    @property
    def T(self) -> Structured:
        """The transpose: rows and columns exchanged, over the same arrays."""
        return Structured(self.form.transposed, self.arrays, self.limit)

    def todense(self) -> Array:
        """Return the dense array, as a call of the derivative does.

        Raises EvaluationError where it would need more memory than the limit of the derivative.
        """
        if self.size * 8 > self.limit:
            raise EvaluationError(
                f"the dense array has {amount(self.size)} entries ({memory(self.size * 8)}); "
                f"the limit is {memory(self.limit)}",
                notes=[f"in compressed form it has {amount(self.entries)}"],
                helps=["for one direction: J @ v", "or raise the limit: max_memory=..."],
            )
        return self.form.dense.run(self.arrays)[0]

    def __matmul__(self, other: ArrayLike) -> Array:
        """Return the product with a vector, or with each column of a matrix.

        A vector of the shape of the columns gives an array of the shape of the rows, a flat one a flat one; a matrix
        has one row for each column of this. Raises InputError for other shapes.
        """
        array, axes = np.asarray(other, dtype=np.float64), self.form.axes
        width, height = prod(axes.columns), prod(axes.rows)
        if array.shape == axes.columns:
            return self._times(array, "vector")
        if axes.samples and array.shape == (axes.shape[0], *axes.columns):
            return self._times(array, "sample")
        if array.shape == (width,):
            return self._times(array.reshape(axes.columns), "vector").reshape(height)
        if array.ndim == 2 and len(array) == width:
            columns = array.shape[1]
            return self._times(array.reshape(*axes.columns, columns), "matrix").reshape(height, columns)
        raise InputError(
            f"a {height}×{width} derivative cannot be multiplied by an array of shape {show(array.shape)}",
            helps=[f"a vector has shape {show(axes.columns)}, or {width} entries; a matrix has {width} rows"],
        )

    def __rmatmul__(self, other: ArrayLike) -> Array:
        """Return `self.T @ v` for a vector, and `M @ self` for a matrix with one column for each row of this."""
        array = np.asarray(other, dtype=np.float64)
        height = prod(self.form.axes.rows)
        if array.shape != self.form.axes.rows and array.ndim == 2 and array.shape[1] == height:
            return (self.T @ array.T).T
        return self.T @ array

    def _times(self, array: Array, kind: str) -> Array:
        return self.form.times(array.shape, kind).run({**self.arrays, VECTOR: array})[0]

    def along(self, directions: Sequence[Array]) -> Array:
        """Return the derivative along one direction for each variable: an array of the shape of the output.

        With samples a direction may have one entry in front for each of them.
        """
        program = self.form.along([np.shape(direction) for direction in directions])
        vectors = {f"{VECTOR} {number}": direction for number, direction in enumerate(directions)}
        return program.run({**self.arrays, **vectors})[0]

    def diagonal(self) -> Array:
        """Return the entries whose row is their column, in the shape of the rows; InputError where it is not square."""
        axes = self.form.axes
        if axes.rows != axes.columns:
            raise InputError(f"the rows are {show(axes.rows)} and the columns {show(axes.columns)}: no diagonal")
        return self.form.diagonal.run(self.arrays)[0]

    def blocks(self) -> Iterator[Array]:
        """Yield the dense array in pieces that fit into the memory limit: in C order, they follow each other."""
        shape = self.shape
        room = max(self.limit // 8 - self.entries, 1) // BLOCKS_IN_MEMORY
        room = min(room, LARGEST_BLOCK // 8)
        axis = next((axis for axis in range(len(shape)) if prod(shape[axis + 1 :]) <= room), None)
        if axis is None or not self.size:
            yield self.form.dense.run(self.arrays)[0]
            return
        step = max(1, room // prod(shape[axis + 1 :]))
        pieces = [range(start, min(start + step, shape[axis])) for start in range(0, shape[axis], step)]
        for index in choices(*(range(size) for size in shape[:axis])):
            for piece in pieces:
                rows = [*(range(place, place + 1) for place in index), piece]
                yield self.form.block(rows).run(self.arrays)[0]

    def coordinates(self) -> tuple[Indices, Indices, Array]:
        """Return row, column and value of each entry that structure does not make zero; equal places are added.

        Raises EvaluationError where they need more memory than the limit of the derivative.
        """
        axes = self.form.axes
        rows, columns, values = [], [], []
        for term, (program, labels, outside) in zip(self.form.terms, self.form.cores, strict=True):
            sizes = {k: size for node, own in term.factors for k, size in zip(own, node.shape, strict=True)}
            indices, inside = place(labels, outside, self.shape, sizes, self.limit // BYTES_OF_COORDINATES)
            core = program.run(self.arrays)[0]
            length = len(indices[0]) if indices else 1
            rows.append(_flat(indices[: axes.row_rank], axes.rows, length))
            columns.append(_flat(indices[axes.row_rank :], axes.columns, length))
            values.append(np.broadcast_to(core[inside], length))
        return _collected(rows, columns, values)

    def tosparse(self) -> Any:
        """Return the matrix as a `scipy.sparse.csr_array`; UsageProblem where SciPy is not installed."""
        try:
            sparse = import_module("scipy.sparse")
        except ImportError:
            raise UsageProblem(
                "a sparse matrix needs SciPy, which is not installed", helps=['pip install "matgrad[scipy]"']
            ) from None
        axes = self.form.axes
        rows, columns, values = self.coordinates()
        return sparse.csr_array((values, (rows, columns)), shape=(prod(axes.rows), prod(axes.columns)))


def _flat(indices: Sequence[Indices], shape: Shape, length: int) -> Indices:
    if not shape:
        return np.zeros(length, np.intp)
    return np.asarray(np.ravel_multi_index(tuple(indices), shape), np.intp) if length else np.zeros(0, np.intp)


def _collected(
    rows: Sequence[Indices], columns: Sequence[Indices], values: Sequence[Array]
) -> tuple[Indices, Indices, Array]:
    """Sort coordinates by row and column, and add what is at the same place."""
    if not sum(map(len, rows)):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    row, column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    order = np.lexsort((column, row))
    row, column, value = row[order], column[order], value[order]
    new = np.ones(len(row), dtype=np.bool_)
    new[1:] = (np.diff(row) != 0) | (np.diff(column) != 0)
    starts = np.flatnonzero(new)
    return row[starts], column[starts], np.asarray(np.add.reduceat(value, starts))
