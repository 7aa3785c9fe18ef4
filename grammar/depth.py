"""How deep a tree may be."""

from __future__ import annotations

from . import syntax_errors
from .layout import MAXIMUM_DEPTH
from .syntax import Binary, Node, Program, children


def check_depth(program: Program) -> None:
    """Refuse a tree so deep that walking it would exhaust the stack; a long chain of sums or products is not deep."""
    pending: list[tuple[Node, int]] = [(program, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > MAXIMUM_DEPTH:
            raise syntax_errors.nested_too_deeply(node.span)
        chained = isinstance(node, Binary) and node.operator != "**"
        for position, child in enumerate(children(node)):
            pending.append((child, depth if chained and position == 0 else depth + 1))
