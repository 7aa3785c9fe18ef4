"""Where the entries of a term go: its labels enumerated to coordinates, for sparse matrices.

The labels that are counted through are bound one after the other in a table, one row per entry. A structural tensor
binds what follows from what is bound: `Select` says that `j` is `rows[i]`, `Reshape` that `a` is the position of
`(i, j)`, `Triangle` that `j` is at most `i`. So no entry is listed that structure makes zero. Summed labels that
structure does not need for this are contracted before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from ...grammar.advice import Setting, advise
from ..amounts import amount
from ..arrays import Positions
from ..errors import EvaluationError
from ..evaluation.strided import row_major_strides, table_of
from ..graph.algebra import Factor, product
from ..graph.nodes import Delta, Labels, Node, Reshape, Select, Triangle
from ..graph.places import Rows
from ..shapes import Shape
from .terms import EinsumTerm


def split_term(term: EinsumTerm, rank: int) -> tuple[Node, Labels, list[Factor]]:
    """Return the numbers of a term as a graph, the label of each of its axes, and the structure that places them."""
    summed = {label for _, labels in term.factors for label in labels if label >= rank}
    contracted = {label for label in summed if _is_contracted(label, term)}
    inside = [factor for factor in term.structural if not contracted.isdisjoint(factor[1])]
    outside = [factor for factor in term.structural if contracted.isdisjoint(factor[1])]
    core = [*term.dense, *inside]
    labels = tuple(dict.fromkeys(label for _, own in core for label in own if label not in contracted))
    return product(term.coefficient, core, labels), labels, outside


def _is_contracted(label: int, term: EinsumTerm) -> bool:
    """Whether a summed label is contracted rather than counted through: no structure makes it sparse."""
    users = [(node, labels) for node, labels in term.structural if label in labels]
    return all(isinstance(node, Triangle | Delta) or (isinstance(node, Select) and label == labels[1])
               for node, labels in users) or any(isinstance(node, Triangle) for node, _ in users)  # fmt: skip


def require_room(entries: int, limit: int) -> None:
    """Raise EvaluationError for more entries than the limit."""
    if entries > limit:
        message = f"the sparse matrix has more than {amount(limit)} entries"
        raise EvaluationError(message, helps=[advise("raise the limit: ", Setting("max_memory", 2**34))])


class Table:
    """Index arrays by label, over a grid: each of its places is one entry of a term.

    The grid has an axis for each label that was counted through, and an index array has length one along those that it
    does not depend on. Where only some places of the grid are entries, these become the only axis.
    """

    def __init__(self, structure: list[Factor], sizes: Mapping[int, int], limit: int) -> None:
        self.sizes = sizes
        self.limit = limit
        self.shape: Shape = ()
        self.bound: dict[int, Positions] = {}
        self._structure = list(structure)

    def fill(self, wanted: Labels) -> None:
        """Bind all labels that are wanted, and use up the structure."""
        while True:
            while used := next((factor for factor in self._structure if self._used(*factor)), None):
                self._structure = [other for other in self._structure if other is not used]
            unbound = [label for label in wanted if label not in self.bound]
            unbound += [label for _, labels in self._structure for label in labels if label not in self.bound]
            if not unbound:
                return
            # The chosen rows of a Select are fewer than what they are chosen from.
            targets = {labels[1] for node, labels in self._structure if isinstance(node, Select)}
            first = next((label for label in unbound if label not in targets), unbound[0])
            self._count(first)

    def _used(self, node: Node, labels: Labels) -> bool:
        """Bind what a structural tensor implies, or keep the rows that agree with it; whether it could be used."""
        known = [label for label in labels if label in self.bound]
        match node:
            case Delta() if known:
                for label in labels:
                    self._bind(label, self.bound[known[0]])
            case Delta() if node.rank == 1:
                self._count(labels[0])
            case Select() if labels[0] in self.bound:
                self._bind(labels[1], _chosen(node.rows, self.bound[labels[0]]))
            case Select() if labels[1] in self.bound:
                self._join(node, labels)
            case Reshape() if labels[0] in self.bound:
                for position, label in enumerate(labels[1:]):
                    self._bind(label, np.unravel_index(self.bound[labels[0]], node.sizes)[position])
            case Reshape() if all(label in self.bound for label in labels[1:]):
                parts = tuple(self.bound[label] for label in labels[1:])
                self._bind(labels[0], np.asarray(np.ravel_multi_index(parts, node.sizes)))
            case Triangle() if known:
                self._triangle(node, labels)
            case _:
                return False
        return True

    def _count(self, label: int) -> None:
        require_room(prod(self.shape) * self.sizes[label], self.limit)
        self.bound = {other: indices[..., None] for other, indices in self.bound.items()}
        self.bound[label] = np.arange(self.sizes[label]).reshape((1,) * len(self.shape) + (-1,))
        self.shape = (*self.shape, self.sizes[label])

    def _bind(self, label: int, indices: Positions) -> None:
        if label not in self.bound:
            self.bound[label] = indices
        elif not (agreed := np.equal(self.bound[label], indices)).all():
            self._keep(np.flatnonzero(np.broadcast_to(agreed, self.shape)))

    def _keep(self, places: Positions) -> None:
        """Keep some places of the grid, which become its only axis."""
        self.bound = {label: self.listed(indices)[places] for label, indices in self.bound.items()}
        self.shape = (len(places),)

    def listed(self, indices: Positions, order: Sequence[int] | None = None) -> Positions:
        """Return an index array as one index for each place of the grid, whose axes may be put in another order."""
        grid = np.broadcast_to(indices, self.shape)
        return (grid if order is None else grid.transpose(order)).reshape(-1)

    def _expand(self, label: int, start: Positions, count: Positions) -> None:
        """Repeat each place `count` times, with the label running from `start`."""
        start, count = self.listed(start), self.listed(count)
        entries = int(count.sum())
        require_room(entries, self.limit)
        ends = np.cumsum(count)
        running = np.arange(entries) - np.repeat(ends - count, count)
        self._keep(np.repeat(np.arange(prod(self.shape)), count))
        self.bound[label] = running + np.repeat(start, count)

    def _join(self, node: Select, labels: Labels) -> None:
        """Bind the rows of a Select from what they choose: each place meets all rows that choose its index."""
        rows = table_of(node.rows)
        order = np.argsort(rows, kind="stable")
        ranked = rows[order]
        target = self.bound[labels[1]]
        start = np.searchsorted(ranked, target, "left")
        self._expand(labels[0], start, np.searchsorted(ranked, target, "right") - start)
        self.bound[labels[0]] = order[self.bound[labels[0]]]

    def _triangle(self, node: Triangle, labels: Labels) -> None:
        """Bind j to 0 ... i + offset, or i to j - offset and beyond."""
        i, j = labels
        rows, columns = node.shape
        if i in self.bound and j in self.bound:
            below = self.bound[j] <= self.bound[i] + node.offset
            self._keep(np.flatnonzero(np.broadcast_to(below, self.shape)))
        elif i in self.bound:
            count = np.clip(self.bound[i] + node.offset + 1, 0, columns)
            self._expand(j, np.zeros_like(count), count)
        else:
            start = np.clip(self.bound[j] - node.offset, 0, rows)
            self._expand(i, start, rows - start)


def _chosen(rows: Rows, indices: Positions) -> Positions:
    return rows.start + rows.step * indices if isinstance(rows, range) else table_of(rows)[indices]


def placed(
    labels: Labels, structure: list[Factor], shape: tuple[int, ...], sizes: Mapping[int, int], limit: int
) -> tuple[Positions, tuple[Positions, ...]]:
    """Return the place of each entry in the flattened result, and its index in the array with these labels.

    Example: for an array over `i` and a Delta over `(i, k)` the places are `0, n + 1, 2*(n + 1), ...`, and the index is
    `0, 1, ..., n-1`. Raises EvaluationError for more than `limit` entries.
    """
    if prod(shape) == 0:
        return np.zeros(0, np.intp), tuple(np.zeros(0, np.intp) for _ in labels)
    table = Table(structure, sizes, limit)
    table.fill((*labels, *range(len(shape))))
    place = np.zeros((1,) * len(table.shape), np.intp)
    for axis, step in enumerate(row_major_strides(shape)):
        place = place + table.bound[axis] * step
    # So turned, most grids are gone through in the order of a sparse matrix.
    order = sorted(range(place.ndim), key=lambda axis: -_step(place, axis))
    return table.listed(place, order), tuple(table.listed(table.bound[label], order) for label in labels)


def _step(place: Positions, axis: int) -> int:
    """Return how far apart the first two neighbours along an axis are."""
    return int(np.diff(place[tuple(slice(2) if own == axis else 0 for own in range(place.ndim))]).sum())
