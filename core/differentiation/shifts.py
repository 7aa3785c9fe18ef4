"""Slices and rotations of sums of slices and rotations, as one sum of these.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> x = {"x": Symbol.of("x", (5,))}
>>> found = shifted_sum(elaborate_text("roll(x - roll(x, 1), -1)", x))
>>> found is elaborate_text("roll(x, -1) - x", x)
True
"""

from __future__ import annotations

from ..graph.algebra import add, exchanged, inlined
from ..graph.nodes import Delta, Factor, Node, Product, Select, Sum
from ..graph.places import Progression, Rotation, progression
from ..graph.sizes import NotPlainError, sign

# A sum of more terms than this stays in one piece.
MOST = 6


def shifted_sum(node: Node) -> Node | None:
    """Distribute a slice of a sum of slices: diff(diff(x)) is x[2:] - 2*x[1:-1] + x[:-2]; and so for rotations."""
    if not isinstance(node, Product):
        return None
    for place, (select, labels) in enumerate(node.factors):
        if not isinstance(select, Select):
            continue
        for spot, (total, own) in enumerate(node.factors):
            if not isinstance(total, Sum) or len(total.children) > MOST:
                continue
            for outer in _ways(select, labels):
                label = outer[1][1]
                if label not in own or label < node.rank or sum(names.count(label) for names in node.labels) != 2:
                    continue
                terms = [(c, inlined(term, own)) for c, term in total.terms]
                found = [_composed(outer, factors) for _, factors in terms]
                if any(new is not None for new in found):
                    parts = zip(terms, found, strict=True)
                    whole = [(c, [outer, *old] if new is None else new) for (c, old), new in parts]
                    return add([(c, exchanged(node, (place, spot), *new)) for c, new in whole], node.shape)
    return None


def _ways(select: Select, labels: tuple[int, ...]) -> list[tuple[Select, tuple[int, ...]]]:
    """Return a selection as what chooses along a label; a rotation also from its other side."""
    back = [(Select.of(select.rows.inverse, select.size), labels[::-1])] if isinstance(select.rows, Rotation) else []
    return [(select, labels), *back]


def _composed(outer: tuple[Select, tuple[int, ...]], factors: list[Factor]) -> list[Factor] | None:
    """Return factors with one selection for the two that follow each other, None where there are no two."""
    select, (row, label) = outer
    for place, (inner, labels) in enumerate(factors):
        if isinstance(inner, Select):
            for other, (first, last) in _ways(inner, labels):
                if first == label and (found := _both(select, other)) is not None:
                    return [*factors[:place], (found, (row, last)), *factors[place + 1 :]]
    return None


def _both(outer: Select, inner: Select) -> Node | None:
    """Return what a selection of a selection is, None where it is no slice."""
    first, second = outer.rows, inner.rows
    if isinstance(first, Rotation) and isinstance(second, Rotation):
        start = first.start + second.start
        try:
            start -= second.size if sign(start - second.size) >= 0 else 0
        except NotPlainError:
            return None
        return Select.of(Rotation(second.size, start), second.size) if start != 0 else Delta.of(second.size, 2)
    if not isinstance(first, range | Progression) or not isinstance(second, range | Progression):
        return None
    return Select.of(progression(second[first.start], first.step * second.step, outer.shape[0]), inner.size)
