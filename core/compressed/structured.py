"""Derivatives kept in compressed form: made of few stored arrays, multiplied and written without the dense array.

A compressed derivative is a small graph: the terms of `structured_terms` over symbols that stand for stored arrays.
The dense array, products with vectors, blocks of rows and sparse coordinates are all programs of that graph, so the
order of contraction makes use of its structure by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import product as choices
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..amounts import amount, memory
from ..arrays import Array, Positions
from ..elaboration.elaborate import call
from ..errors import EvaluationError, InputError, UsageProblem
from ..evaluation.program import compile_program
from ..graph.algebra import is_mask, zero
from ..graph.nodes import Node, Symbol, sizes_of
from ..graph.structure import structure_in_words, structure_of, structure_of_term
from ..graph.transform import flatten
from ..shapes import Shape, show
from .bands import as_rows, index_type, merged, named
from .coordinates import placed, require_room
from .form import VECTOR, Axes, Form
from .naming import term_in_indices
from .terms import EinsumTerm, compressed, stored

LARGEST_BLOCK = 1 << 26
LARGEST_TILE = 1 << 23
# A block is computed beside the stored arrays and one or two arrays of its own size.
BLOCKS_IN_MEMORY = 4
# Row, column and value of an entry, and the order that sorts them.
BYTES_OF_COORDINATES = 32


class Compression:
    """How a derivative is computed in compressed form: the program of its stored arrays, and the form over them."""

    def __init__(self, node: Node, axes: Axes, *, plain: Node) -> None:
        terms = merged(compressed(node), axes.row_rank, axes.rank)
        nodes = stored(terms)
        symbols = {part: Symbol.of(f"F{number}", part.shape) for number, part in enumerate(nodes, start=1)}
        self.names = [symbols[part].name for part in nodes]
        self.program = compile_program(flatten(nodes))
        # The plain derivative, which knows no samples, comes first.
        words = structure_of(plain, axes.groups[0]) if axes.groups[0] and len(axes.groups) == 2 else None
        einsums = ((term.coefficient, term.factors) for term in terms)
        words = words or named(terms, axes.row_rank, axes.rank) or structure_in_words(einsums, axes.row_rank, axes.rank)
        self.form = Form([_over_symbols(term, symbols) for term in terms], axes, words)
        self.entries = sum(prod(part.shape) for part in nodes)

    def bind(self, arrays: Sequence[Array], limit: int) -> Structured:
        """Return the compressed derivative over the arrays that a run of the program has given."""
        return Structured(self.form, dict(zip(self.names, arrays, strict=True)), limit)


def _over_symbols(term: EinsumTerm, symbols: Mapping[Node, Symbol]) -> EinsumTerm:
    # The zeros of a stored mask win over what is not finite, as before.
    new = {node: call("not_equal", one, zero(one.shape)) if is_mask(node) else one for node, one in symbols.items()}
    return EinsumTerm(term.coefficient, tuple((new.get(node, node), labels) for node, labels in term.factors))


@dataclass(frozen=True)
class Listed:
    """A term for a reader: its structure in words, and the term by indices."""

    structure: str
    indices: str


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

    @property
    def terms(self) -> list[Listed]:
        """The terms for a reader: `F1[i]*delta[i,j]`, where `F1` is in `arrays`."""
        axes, listed = self.form.axes, []
        for term in self.form.terms:
            structure = structure_of_term(term.coefficient, term.factors, axes.row_rank, axes.rank)
            listed.append(Listed(structure, term_in_indices(term, axes.rank, axes.samples)))
        return listed

    def flattened(self) -> Structured:
        """Return the derivative with all variables as columns, so that only the output makes up the rows."""
        axes = self.form.axes
        groups = (axes.groups[0], axes.rank - axes.samples - axes.groups[0])
        form = Form(self.form.terms, Axes(axes.shape, groups, axes.samples), self.form.words)
        return Structured(form, self.arrays, self.limit)

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
        message = f"a {height}×{width} derivative cannot be multiplied by an array of shape {show(array.shape)}"
        helps = [f"a vector has shape {show(axes.columns)}, or {width} entries; a matrix has {width} rows"]
        raise InputError(message, helps=helps)

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
        return map(self.piece, self.pieces())

    def piece(self, places: Sequence[range]) -> Array:
        """Return the dense entries with these indices along the first axes."""
        return (self.form.block(places) if places else self.form.dense).run(self.arrays)[0]

    def pieces(self) -> Iterator[list[range]]:
        """Yield the places of `blocks` along the first axes."""
        shape = self.shape
        room = min(max(self.limit // 8 - self.entries, 1) // BLOCKS_IN_MEMORY, LARGEST_BLOCK // 8)
        axis = next((axis for axis in range(len(shape)) if prod(shape[axis + 1 :]) <= room), None)
        if axis is None or not self.size:
            yield []
            return
        step = max(1, room // prod(shape[axis + 1 :]))
        pieces = [range(start, min(start + step, shape[axis])) for start in range(0, shape[axis], step)]
        for index in choices(*(range(size) for size in shape[:axis])):
            for piece in pieces:
                yield [*(range(place, place + 1) for place in index), piece]

    def tiles(self) -> tuple[Shape, Iterator[Sequence[range]]]:
        """Return the shape of tiles that fit into the memory limit, and the places of those that are not all zero."""
        # What only some uses need.
        from .tiles import occupied, tile_shape

        room = max(self.limit // 8 - self.entries, 1) // BLOCKS_IN_MEMORY
        tile = tile_shape(self.shape, min(room, LARGEST_TILE // 8))
        return tile, occupied(self.form, tile)

    def coordinates(self) -> tuple[Positions, Positions, Array]:
        """Return row, column and value of each entry that structure does not make zero; equal places are added.

        Raises EvaluationError where they need more memory than the limit of the derivative.
        """
        begins, columns, values = self.rows()
        return np.repeat(np.arange(len(begins) - 1), np.diff(begins)), columns, values

    def rows(self) -> tuple[Positions, Positions, Array]:
        """Return where the entries of each row begin, their columns, and their values, as a CSR matrix has them.

        Example: `diag([5, 6])` has `[0, 1, 2]`, `[0, 1]` and `[5, 6]`. What structure makes zero is left out. Raises
        EvaluationError as `coordinates`.
        """
        axes, limit = self.form.axes, self.limit // BYTES_OF_COORDINATES
        if (found := self.form.bands) is not None:
            require_room(sum(band.size for band in found.bands), limit)
            return as_rows(found.bands, found.values(self.arrays), axes.rows, axes.columns)
        places, values = [], []
        for term, (program, labels, outside) in zip(self.form.terms, self.form.cores, strict=True):
            place, inside = placed(labels, outside, self.shape, sizes_of(term.factors), limit)
            core = program.run(self.arrays)[0]
            places.append(place)
            values.append(np.broadcast_to(core[inside], len(place)))
        return _collected(places, values, prod(axes.rows), prod(axes.columns))

    def tosparse(self) -> Any:
        """Return the matrix as a `scipy.sparse.csr_array`; UsageProblem where SciPy is not installed."""
        try:
            sparse = import_module("scipy.sparse")
        except ImportError:
            helps = ['pip install "matgrad[scipy]"']
            raise UsageProblem("a sparse matrix needs SciPy, which is not installed", helps=helps) from None
        axes = self.form.axes
        begins, columns, values = self.rows()
        return sparse.csr_array((values, columns, begins), shape=(prod(axes.rows), prod(axes.columns)))


def _collected(
    places: Sequence[Positions], values: Sequence[Array], height: int, width: int
) -> tuple[Positions, Positions, Array]:
    """Sort entries by their places in the flattened matrix, add what is at the same one, and part them into rows."""
    place = np.concatenate([*places, np.zeros(0, np.intp)])
    value = np.concatenate([*values, np.zeros(0)])
    if len(places) > 1 or (np.diff(place) <= 0).any():
        # Terms are sorted already, most of them, which a merge sort makes use of.
        order = np.argsort(place, kind="stable")
        place, value = place[order], value[order]
        first = np.append(True, np.diff(place) != 0) if len(place) else np.zeros(0, np.bool_)
        if not first.all():
            starts = np.flatnonzero(first)
            place, value = place[starts], np.asarray(np.add.reduceat(value, starts))
    row = place // max(width, 1)
    begins = np.zeros(height + 1, index_type(len(place), width))
    np.cumsum(np.bincount(row, minlength=height), out=begins[1:])
    return begins, (place - row * width).astype(begins.dtype), value
