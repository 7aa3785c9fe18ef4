"""The small graph of a compressed derivative, and the programs made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from ..arrays import Array
from ..evaluation.program import Program, compile_program
from ..graph.algebra import Factor, add, fresh
from ..graph.nodes import Delta, Labels, Node, Select, Symbol, sizes_of
from ..graph.transform import flatten
from ..shapes import Shape
from .bands import Band, band_of, numbers, united
from .coordinates import split_term
from .terms import EinsumTerm

VECTOR = "vector"


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


class Bands(NamedTuple):
    """Diagonals, a node with the numbers of each, those nodes that are more than stored arrays, and their program."""

    bands: list[Band]
    nodes: list[Node]
    computed: list[Node]
    program: Program

    def values(self, arrays: Mapping[str, Array]) -> list[Array]:
        """Return the numbers of each diagonal, which may be shared."""
        found = dict(zip(self.computed, self.program.run(arrays), strict=True))
        return [arrays[node.name] if isinstance(node, Symbol) else found[node] for node in self.nodes]


class Form:
    """The small graph of a compressed derivative, and the programs made of it; shared by all calls with its shapes."""

    def __init__(self, terms: Sequence[EinsumTerm], axes: Axes, words: str) -> None:
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
        terms = []
        for term in self.terms:
            factors = ((node, tuple(names.get(label, label) for label in labels)) for node, labels in term.factors)
            terms.append(EinsumTerm(term.coefficient, tuple(factors)))
        result = Form(terms, axes.transposed, self.words)
        result.__dict__["transposed"] = self
        return result

    def _program(self, more: Sequence[Factor], output: Labels) -> Program:
        """Return the program of the terms, each multiplied by further factors, with the labels of the result."""
        sizes = dict(enumerate(self.axes.shape))
        sizes |= sizes_of(more)
        shape = tuple(sizes[label] for label in output)
        nodes = [term.node(self.axes.rank, *more, output=output) for term in self.terms]
        return compile_program(flatten([add([(1, node) for node in nodes], shape)]))

    @cached_property
    def dense(self) -> Program:
        """The program of the dense array."""
        return self._program([], tuple(range(self.axes.rank)))

    def block(self, rows: Sequence[range]) -> Program:
        """Return the program of the entries with these indices along the first axes; not kept."""
        labels = fresh(len(rows))
        more: list[Factor] = [
            (Select.of(chosen, self.axes.shape[axis]), (labels[axis], axis)) for axis, chosen in enumerate(rows)
        ]
        return self._program(more, (*labels, *range(len(rows), self.axes.rank)))

    def times(self, shape: Shape, kind: str) -> Program:
        """Return the program of a product with an array of that shape: a `vector`, a `matrix`, one per `sample`."""
        if (kind, shape) not in self._programs:
            columns, rows = tuple(range(self.axes.row_rank, self.axes.rank)), tuple(range(self.axes.row_rank))
            extra = fresh(1) if kind == "matrix" else ()
            lead = (0,) if kind == "sample" else ()
            factor = Symbol.of(VECTOR, shape), (*lead, *columns, *extra)
            self._programs[kind, shape] = self._program([factor], (*rows, *extra))
        return self._programs[kind, shape]

    def along(self, shapes: Sequence[Shape]) -> Program:
        """Return the program of a contraction with one direction, of that shape, for each variable."""
        key = ("along", *shapes)
        if key not in self._programs:
            more: list[Factor] = []
            for number, (shape, axes) in enumerate(zip(shapes, self.axes.variables, strict=True)):
                lead = (0,) if len(shape) > len(axes) else ()
                more.append((Symbol.of(f"{VECTOR} {number}", shape), (*lead, *axes)))
            self._programs[key] = self._program(more, tuple(range(self.axes.samples + self.axes.groups[0])))
        return self._programs[key]

    @cached_property
    def diagonal(self) -> Program:
        """The program of the entries whose row is their column."""
        rank = self.axes.row_rank
        labels = fresh(rank)
        ties = [(Delta.of(size, 3), (labels[k], k, rank + k)) for k, size in enumerate(self.axes.rows)]
        return self._program(ties, labels)

    @cached_property
    def bands(self) -> Bands | None:
        """The diagonals that make up the matrix; None where there is more to it."""
        axes = self.axes
        found = [band_of(term, axes.row_rank, axes.rank) for term in self.terms]
        bands = [band for band in found if band is not None]
        groups = united(bands) if bands and len(bands) == len(found) else None
        if groups is None or 0 in axes.shape:
            return None
        nodes = [numbers(band, [self.terms[place] for place in places], axes.row_rank) for band, places in groups]
        computed = [node for node in dict.fromkeys(nodes) if not isinstance(node, Symbol)]
        return Bands([band for band, _ in groups], nodes, computed, compile_program(flatten(computed)))

    @cached_property
    def cores(self) -> list[tuple[Program, Labels, list[Factor]]]:
        """For each term the program of its numbers, the labels of their axes, and the structure that places them."""
        parts = [split_term(term, self.axes.rank) for term in self.terms]
        return [(compile_program(flatten([core])), labels, outside) for core, labels, outside in parts]
