"""The tiles of a compressed derivative that structure does not make zero, found without looking at a number.

Each label of a term may take an interval of indices within a tile, and a structural tensor narrows the intervals of
its labels: of a Delta to what they have in common. A term in which an interval is empty is zero in the tile. Regions
are halved until they are tiles, so that a large empty region costs one look.

Example: of the diagonal Jacobian of `exp(x)`, n = 4, in tiles of 2×2, the two on the diagonal are yielded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod

import numpy as np

from ..arrays import Positions
from ..graph.nodes import Delta, Labels, Node, Reshape, Select, Triangle, sizes_of
from ..shapes import Shape
from .form import Form
from .terms import EinsumTerm

Interval = tuple[int, int]
Tile = tuple[range, ...]
# Each pass carries what is known over one more structural tensor.
PASSES = 4


def tile_shape(shape: Shape, entries: int) -> Shape:
    """Return the shape of tiles with at most so many entries: the longest axis is halved until they are few enough."""
    found = list(shape)
    while prod(found) > entries:
        longest = found.index(max(found))
        found[longest] = -(-found[longest] // 2)
    return tuple(found)


def occupied(form: Form, tile: Shape) -> Iterator[Tile]:
    """Yield the indices of each tile along each axis, in a fixed order, but for the tiles that are zero."""
    sizes = [dict(sizes_of(term.factors)) for term in form.terms]
    shape = form.axes.shape
    grid = [-(-size // step) for size, step in zip(shape, tile, strict=True)]

    def within(cells: Sequence[Interval]) -> Iterator[Tile]:
        spans = [
            (low * step, min(high * step, size)) for (low, high), step, size in zip(cells, tile, shape, strict=True)
        ]
        if not any(_may_be(term, own, spans) for term, own in zip(form.terms, sizes, strict=True)):
            return
        longest = max(range(len(cells)), key=lambda axis: cells[axis][1] - cells[axis][0], default=0)
        if not cells or cells[longest][1] - cells[longest][0] == 1:
            yield tuple(range(low, high) for low, high in spans)
            return
        low, high = cells[longest]
        middle = (low + high) // 2
        for half in ((low, middle), (middle, high)):
            yield from within([*cells[:longest], half, *cells[longest + 1 :]])

    if prod(shape):
        yield from within([(0, count) for count in grid])


def _may_be(term: EinsumTerm, sizes: dict[int, int], spans: Sequence[Interval]) -> bool:
    """Whether structure lets a term have entries that are not zero at such indices."""
    known = {label: (0, size) for label, size in sizes.items()} | dict(enumerate(spans))
    for _ in range(PASSES):
        before = dict(known)
        for node, labels in term.structural:
            for label, (low, high) in _narrowed(node, labels, known):
                known[label] = (max(low, known[label][0]), min(high, known[label][1]))
                if known[label][0] >= known[label][1]:
                    return False
        if known == before:
            break
    return True


def _narrowed(node: Node, labels: Labels, known: dict[int, Interval]) -> Iterator[tuple[int, Interval]]:
    """Yield intervals beyond which a structural tensor is zero."""
    match node:
        case Delta():
            common = max(known[label][0] for label in labels), min(known[label][1] for label in labels)
            yield from ((label, common) for label in labels)
        case Select():
            rows = _rows(node)[slice(*known[labels[0]])]
            yield labels[1], (int(rows.min()), int(rows.max()) + 1)
            low, high = known[labels[1]]
            inside = np.flatnonzero((rows >= low) & (rows < high)) + known[labels[0]][0]
            yield labels[0], (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
        case Triangle():
            (low, _), (_, high) = known[labels[1]], known[labels[0]]
            yield labels[0], (low - node.offset, node.shape[0])
            yield labels[1], (0, high + node.offset)
        case Reshape():
            flat, *parts = labels
            strides = [prod(node.sizes[place + 1 :]) for place in range(len(parts))]
            ends = [known[label] for label in parts]
            low = sum(end[0] * stride for end, stride in zip(ends, strides, strict=True))
            high = sum((end[1] - 1) * stride for end, stride in zip(ends, strides, strict=True))
            yield flat, (low, high + 1)
            low, high = known[flat]
            # A part narrows the next where it has one value alone.
            for label, stride, size in zip(parts, strides, node.sizes, strict=True):
                first, last = low // stride, (high - 1) // stride
                if last - first >= size:
                    break
                if first != last:
                    if first % size <= last % size:
                        yield label, (first % size, last % size + 1)
                    break
                yield label, (first % size, first % size + 1)


@lru_cache(maxsize=8)
def _rows(node: Select) -> Positions:
    return np.asarray(node.rows, np.intp)
