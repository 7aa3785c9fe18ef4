"""The transpose of a slice: a vector between zeros, `concatenate([u, [0]])` for `eye(n)[:-1].T @ u`.

>>> from matgrad.grammar.syntax import Name
>>> from matgrad.grammar.writer import write
>>> write(padded(Name("u"), Select.of(range(1, 4), 6)))
'concatenate([[0], u, zeros(2)])'
"""

from __future__ import annotations

from ...grammar.syntax import ListLiteral, Number
from ..graph.nodes import Select
from ..graph.places import Progression, count_of
from ..graph.sizes import Size
from .lengths import length_tree
from .trees import Tree, call


def is_slice(select: Select) -> bool:
    """Whether a selection is that of several places one after the other: `1:-1`."""
    return isinstance(select.rows, range | Progression) and select.rows.step == 1 and count_of(select.rows) != 1


def padded(tree: Tree, select: Select) -> Tree:
    """Return a vector in the places of a slice, with zeros around it."""
    assert isinstance(select.rows, range | Progression)
    start = select.rows.start
    after = select.size - start - count_of(select.rows)
    parts = [*_zeros(start), tree, *_zeros(after)]
    return call("concatenate", ListLiteral(tuple(parts))) if len(parts) > 1 else tree


def _zeros(count: int) -> list[Tree]:
    if not isinstance(count, Size) and count < 2:
        return [ListLiteral((Number("0"),))] * count
    return [call("zeros", length_tree(count))]
