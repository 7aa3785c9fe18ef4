"""Terms that lie on diagonals: found, merged where they share one, named, and written as a sparse matrix.

The Hessian of `sum(x[1:]*x[:-1])` has two terms, `[j == k + 1]*[i == k]` and its transpose. Each is a diagonal: the
column is the row and an offset, here 1 and -1, for a range of rows. Between the rows where diagonals begin and end all
rows look alike, so a sparse matrix is written as few strided blocks, and no entry is sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import combinations, pairwise
from itertools import product as choices
from math import prod
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..arrays import AnyArray, Array, Positions
from ..graph.algebra import Factor, add, fresh, product
from ..graph.nodes import Delta, Node, Select, sizes_of, topological
from ..graph.structure import structure_of
from ..shapes import Shape
from .terms import EinsumTerm, compressed, entries

# A matrix with few diagonals that reach over more than this part of it is not called banded.
BANDED = 0.5


class Band(NamedTuple):
    """A diagonal of a matrix, or of each pair of axes: columns minus rows, and the rows that it runs through."""

    offsets: tuple[int, ...]
    rows: tuple[range, ...]

    @property
    def size(self) -> int:
        """How many entries it has."""
        return prod(map(len, self.rows))

    @property
    def columns(self) -> tuple[range, ...]:
        """The columns that it runs through."""
        pairs = zip(self.rows, self.offsets, strict=True)
        return tuple(range(rows.start + offset, rows.stop + offset) for rows, offset in pairs)

    def union(self, other: Band) -> Band | None:
        """Return the diagonal that two make up together; None where that would have entries which neither has."""
        apart = [axis for axis, pair in enumerate(zip(self.rows, other.rows, strict=True)) if pair[0] != pair[1]]
        if self.offsets != other.offsets or len(apart) > 1:
            return None
        rows = list(self.rows)
        for axis in apart:
            first, second = sorted((self.rows[axis], other.rows[axis]), key=lambda own: own.start)
            if second.start > first.stop:
                return None
            rows[axis] = range(first.start, max(first.stop, second.stop))
        return Band(self.offsets, tuple(rows))


def band_of(term: EinsumTerm, row_rank: int, rank: int) -> Band | None:
    """Return the diagonal on which a term lies, each axis of the rows tied to that of the columns; None without one."""
    if rank != 2 * row_rank or not rank:
        return None
    shifts = _Shifts()
    for node, labels in term.structural:
        if isinstance(node, Delta):
            tied = [shifts.tie(labels[0], other, 0) for other in labels]
        elif isinstance(node, Select) and isinstance(node.rows, range) and (node.rows.step == 1 or len(node.rows) < 2):
            tied = [shifts.tie(labels[0], labels[1], node.rows.start)]
        else:
            return None
        if not all(tied):
            return None
    sizes = sizes_of(term.factors)
    offsets, rows = [], []
    for row in range(row_rank):
        group = shifts.group(row)
        if {label for label in group if label < rank} != {row, row + row_rank}:
            return None
        low = max(-shift for shift in group.values())
        high = min(sizes[label] - shift for label, shift in group.items())
        offsets.append(group[row + row_rank] - group[row])
        rows.append(range(low + group[row], max(low, high) + group[row]))
    return Band(tuple(offsets), tuple(rows))


class _Shifts:
    """Labels that count through the same places, each from a start of its own."""

    def __init__(self) -> None:
        self._groups: dict[int, dict[int, int]] = {}

    def group(self, label: int) -> dict[int, int]:
        """Return how far each label of a group is ahead of where the group counts from."""
        return self._groups.setdefault(label, {label: 0})

    def tie(self, first: int, second: int, ahead: int) -> bool:
        """Let the second label be the first one and so much more; False where they are something else."""
        one, other = self.group(first), self.group(second)
        change = one[first] + ahead - other[second]
        if one is other:
            return change == 0
        one.update({label: shift + change for label, shift in other.items()})
        self._groups.update(dict.fromkeys(other, one))
        return True


def merged(terms: Iterable[EinsumTerm], row_rank: int, rank: int) -> list[EinsumTerm]:
    """Return the terms with those on one diagonal added up, as far as that stores no more numbers."""
    terms, most = list(terms), entries(terms)
    while True:
        bands = [band_of(term, row_rank, rank) for term in terms]
        for first, second in combinations(range(len(terms)), 2):
            one, other = bands[first], bands[second]
            both = one.union(other) if one and other else None
            if both is None:
                continue
            rest = [term for place, term in enumerate(terms) if place not in (first, second)]
            found = [*rest, _as_term(both, [terms[first], terms[second]], row_rank)]
            if entries(found) <= most:
                terms = found
                break
        else:
            return terms


def numbers(band: Band, terms: Iterable[EinsumTerm], row_rank: int) -> Node:
    """Return the numbers along a diagonal of terms that have no others, over the rows that it runs through."""
    shape = tuple(map(len, band.rows))
    parts = []
    for term in terms:
        # Each row holds one entry at most, so it is the sum of its row.
        whole = term.node(2 * row_rank, output=tuple(range(row_rank)))
        labels = fresh(row_rank)
        chosen: list[Factor] = [
            (Select.of(rows, whole.shape[axis]), (labels[axis], axis)) for axis, rows in enumerate(band.rows)
        ]
        parts.append((1, product(1, [(whole, tuple(range(row_rank))), *chosen], labels)))
    return add(parts, shape)


def _as_term(band: Band, terms: Sequence[EinsumTerm], row_rank: int) -> EinsumTerm:
    """Return the sum of terms on a diagonal as one term."""
    sizes: dict[int, int] = {}
    for term in terms:
        sizes |= sizes_of(term.factors)
    labels: list[int] = []
    ties: list[Factor] = []
    for row, rows, columns in zip(range(row_rank), band.rows, band.columns, strict=True):
        column = row + row_rank
        whole = [axis for axis, places in ((row, rows), (column, columns)) if places == range(sizes[axis])]
        if len(whole) == 2:
            ties.append((Delta.of(sizes[row], 2), (row, column)))
        label = next(iter(whole), next(iter(fresh(1))))
        ties += [
            (Select.of(places, sizes[axis]), (label, axis))
            for axis, places in ((row, rows), (column, columns))
            if axis not in whole
        ]
        labels.append(label)
    return EinsumTerm(1, ((numbers(band, terms, row_rank), tuple(labels)), *ties))


def named(terms: Iterable[EinsumTerm], row_rank: int, rank: int) -> str | None:
    """Return what a matrix of these terms is called by its diagonals: `tridiagonal`; None where there is no word."""
    if (row_rank, rank) != (1, 2):
        return None
    offsets, width = set(), 0
    for term in terms:
        band = band_of(term, row_rank, rank)
        if band is None:
            return None
        offsets.add(band.offsets[0])
        width = sizes_of(term.factors)[1]
    if len(offsets) < 2:
        return None
    low, high = min(offsets), max(offsets)
    if offsets <= {-1, 0, 1}:
        return "tridiagonal" if (low, high) == (-1, 1) else "bidiagonal"
    return "banded" if high - low < max(BANDED * width, 2 * len(offsets)) else None


def one_word(node: Node, row_rank: int) -> str | None:
    """Return the structure of a derivative in a word, None where there is none: `diagonal`, `tridiagonal`."""
    word = structure_of(node, row_rank)
    if word is None and any(map(_is_slice, topological([node]))):
        return named(compressed(node), row_rank, node.rank)
    return word


def _is_slice(node: Node) -> bool:
    return isinstance(node, Select) and isinstance(node.rows, range) and len(node.rows) > 1


def united(bands: Sequence[Band]) -> list[tuple[Band, list[int]]] | None:
    """Return diagonals that have no place in common, each with the places of the terms on it; None if they overlap."""
    groups = [(band, [place]) for place, band in enumerate(bands)]
    while True:
        for (first, own), (second, others) in combinations(groups, 2):
            both = first.union(second)
            if both is not None:
                groups = [group for group in groups if group[1] not in (own, others)] + [(both, own + others)]
                break
        else:
            break
    groups.sort(key=lambda group: group[0].offsets)
    same = [(one, other) for (one, _), (other, _) in combinations(groups, 2) if one.offsets == other.offsets]
    return None if any(_overlap(*pair) for pair in same) else groups


def _overlap(first: Band, second: Band) -> bool:
    pairs = zip(first.rows, second.rows, strict=True)
    return all(max(one.start, other.start) < min(one.stop, other.stop) for one, other in pairs)


# --- the sparse matrix -----------------------------------------------------------------------------------------------


def as_rows(
    bands: Sequence[Band], values: Sequence[Array], rows: Shape, columns: Shape
) -> tuple[Positions, Positions, Array]:
    """Return where each row begins, the columns, and the numbers of diagonals, which are sorted by their offsets."""
    counts = np.zeros(prod(rows) + 1, index_type(sum(band.size for band in bands), prod(columns)))
    grid = counts[1:].reshape(rows)
    for band in bands:
        grid[tuple(slice(own.start, own.stop) for own in band.rows)] += 1
    np.cumsum(counts, out=counts)
    begins = counts[:-1].reshape(rows)
    data, places = np.empty(counts[-1]), np.empty(counts[-1], counts.dtype)
    steps = [prod(columns[axis + 1 :]) for axis in range(len(columns))]
    for cell, inside in _cells(bands, rows):
        numbers, targets = (_view(array, begins, cell, len(inside)) for array in (data, places))
        starts = (
            np.arange(own.start, own.stop, dtype=counts.dtype) * step for own, step in zip(cell, steps, strict=True)
        )
        on_diagonal = reduce(np.add, np.ix_(*starts))
        for number, place in enumerate(inside):
            band = bands[place]
            own = [slice(c.start - r.start, c.stop - r.start) for c, r in zip(cell, band.rows, strict=True)]
            numbers[..., number] = values[place][tuple(own)]
            np.add(on_diagonal, sum(map(mul, band.offsets, steps)), out=targets[..., number])
    return counts, places, data


def index_type(entries: int, width: int) -> type[np.signedinteger]:
    """Return the type of indices that SciPy uses for so many entries and columns."""
    return np.int32 if max(entries, width) <= np.iinfo(np.int32).max else np.int64


def _cells(bands: Sequence[Band], rows: Shape) -> Iterator[tuple[tuple[range, ...], list[int]]]:
    """Yield blocks of rows that have entries on the same diagonals, and which these are."""
    cuts = []
    for axis in range(len(rows)):
        ends = {end for band in bands for end in (band.rows[axis].start, band.rows[axis].stop)}
        cuts.append([range(*pair) for pair in pairwise(sorted(ends))])
    for cell in choices(*cuts):
        inside = [place for place, band in enumerate(bands) if _overlap(Band(band.offsets, cell), band)]
        if inside:
            yield cell, inside


def _view(array: AnyArray, begins: Positions, cell: tuple[range, ...], count: int) -> AnyArray:
    """Return the entries of a block of rows, with one axis for its rows and the last for the entries of a row."""
    first = tuple(own.start for own in cell)
    steps = []
    for axis, own in enumerate(cell):
        following = (*first[:axis], first[axis] + 1, *first[axis + 1 :])
        steps.append(int(begins[following] - begins[first]) * array.itemsize if len(own) > 1 else 0)
    shape = (*map(len, cell), count)
    return as_strided(array[begins[first] :], shape, (*steps, array.itemsize))
