"""Kronecker products by their name: rows and columns that are merged of two matrices are `kron(A, B)`.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> from matgrad.core.graph.transform import flatten
>>> from matgrad.core.notation.formula import Notation
>>> from matgrad.grammar.writer import write
>>> A, B = Symbol.of("A", (2, 3)), Symbol.of("B", (4, 5))
>>> write(Notation().tree(flatten([elaborate_text("kron(A, B)", {"A": A, "B": B})])[0]))
'kron(A, B)'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from ..graph.nodes import Factor, Labels, Node, Reshape
from .trees import Tree, call, transposed, transposes

Piece = tuple[Node | Tree, Labels]


class Kronecker(NamedTuple):
    """A Kronecker product, its labels, and the pieces and the structure that it stands for."""

    tree: Tree
    labels: Labels
    pieces: tuple[Piece, ...]
    structure: tuple[Factor, ...]


def kronecker(
    pieces: Sequence[Piece], acting: Sequence[Factor], rank: int, tree_of: Callable[[Node | Tree], Tree]
) -> Kronecker | None:
    """Return a Kronecker product among the factors of a Product, with the fewest transposes; None where is none."""
    merges = [factor for factor in acting if isinstance(factor[0], Reshape) and len(factor[1]) == 3]
    uses = Counter(label for _, labels in (*pieces, *acting) for label in labels)
    found = (way for pair in permutations(merges, 2) for way in _ways(pieces, *pair, tree_of))
    private = (
        way for way in found if all(label >= rank and uses[label] == 2 for _, labels in way.pieces for label in labels)
    )
    return min(private, key=lambda way: (transposes(way.tree), way.labels), default=None)


def _ways(
    pieces: Sequence[Piece], rows: Factor, columns: Factor, tree_of: Callable[[Node | Tree], Tree]
) -> Iterator[Kronecker]:
    (row, *inner_rows), (column, *inner_columns) = rows[1], columns[1]
    chosen = []
    for pair in zip(inner_rows, inner_columns, strict=True):
        fitting = [piece for piece in pieces if piece[1] in (pair, pair[::-1])]
        if len(fitting) != 1:
            return
        chosen.append((fitting[0], pair))
    if len({*inner_rows, *inner_columns}) < 4 or chosen[0][0] is chosen[1][0]:
        return
    trees = [tree_of(node) if labels == pair else transposed(tree_of(node)) for (node, labels), pair in chosen]
    yield Kronecker(call("kron", *trees), (row, column), tuple(piece for piece, _ in chosen), (rows, columns))
