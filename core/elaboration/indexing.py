"""Indices and slices as graphs: each axis that is picked from is a product with a 0/1 matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Label
from ..errors import RankError, ShapeError
from ..graph.algebra import Factor, fresh, product
from ..graph.nodes import Delta, Node, Select
from ..graph.places import placed, progression, sliced
from ..graph.sizes import NotPlainError
from ..shapes import describe

Position = Callable[[syntax.Node], Any]


def indexed(operand: Node, node: syntax.Index, position: Position) -> Node:
    """Return what an index picks from an array: `X[1:, 0]`, with `position` giving the numbers of an index.

    Raises ExpressionError for too many indices, one out of range, or a slice of step 0.
    """
    items = _expanded(operand, node)
    factors: list[Factor] = []
    labels: list[int] = []
    output: list[int] = []
    paired: list[int] = []
    axes = iter(operand.shape)
    for item in items:
        if item is None:
            ones = fresh(1)
            factors.append((Delta.of(1, 1), ones))
            output += ones
            continue
        size, label = next(axes), *fresh(1)
        labels.append(label)
        rows, keeps = _rows(item, size, node, position)
        if keeps == "axis" and rows == progression(0, 1, size):
            output.append(label)
            continue
        row = paired[0] if keeps == "list" and paired else fresh(1)[0]
        if keeps == "axis" or (keeps == "list" and not paired):
            output.append(row)
        if keeps == "list":
            paired.append(row)
        factors.append((Select.of(rows, size), (row, label)))
    return product(1, [(operand, tuple(labels)), *factors], tuple(output))


def _expanded(operand: Node, node: syntax.Index) -> list[syntax.Node | None]:
    """Return one item per axis, with None for a new axis and full slices for what is left out."""
    items = [None if item == syntax.Literal(None) else item for item in node.items]
    named = [item for item in items if item is not None and item != syntax.Literal(...)]
    missing = operand.rank - len(named)
    if missing < 0:
        raise RankError(
            "too many indices",
            Label(syntax.span_of(node.operand), describe(operand.shape)),
            Label(node.span, f"{len(named)} indices", primary=False),
            needed=len(named),
            operand=syntax.span_of(node.operand),
        )
    rest: list[syntax.Node | None] = [syntax.Slice()] * missing
    if syntax.Literal(...) not in items:
        return [*items, *rest]
    place = items.index(syntax.Literal(...))
    return [*items[:place], *rest, *items[place + 1 :]]


def _rows(item: syntax.Node, size: int, node: syntax.Index, position: Position) -> tuple[range | tuple[int, ...], str]:
    """Return which entries of an axis an item picks, and whether it keeps the `axis`, drops it (`one`) or lists."""
    if isinstance(item, syntax.Slice):
        parts = [None if part is None else position(part) for part in (item.start, item.stop, item.step)]
        if parts[2] == 0:
            raise ExpressionError("a slice cannot have step 0", Label(item.span, "step 0"))
        return sliced(parts[0], parts[1], 1 if parts[2] is None else parts[2], size), "axis"
    value = position(item)
    chosen = value if isinstance(value, tuple) else (value,)
    for place in chosen:
        if not _exists(place, size):
            raise ShapeError(
                f"index {place} is out of range for {size} {'entry' if size == 1 else 'entries'}",
                Label(syntax.span_of(item), f"valid: {-size} to {size - 1}"),
                Label(syntax.span_of(node.operand), "indexed", primary=False),
                sizes=(size, place + 1 if place >= 0 else -place),
            )
    rows = tuple(placed(place, size) for place in chosen)
    return (rows, "list") if isinstance(value, tuple) else (progression(rows[0], 1, 1), "one")


def _exists(place: int, size: int) -> bool:
    """Whether an axis has a place; one with a name is meant to exist."""
    try:
        return -size <= place < size
    except NotPlainError:
        return True
