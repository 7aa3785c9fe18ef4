"""Graphs as functions: closed over what they take from outside, and applied to nodes.

>>> h, W = Symbol.of("h", (3,)), Symbol.of("W", (3, 3))
>>> function, captured = closed(product(1, [(W, (0, 1)), (h, (1,))], (0,)), (h,))
>>> captured == [W], applied(function.body, function.arguments, [h, W]) is product(1, [(W, (0, 1)), (h, (1,))], (0,))
(True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from .algebra import product as product
from .nodes import Function, Node, Symbol, symbols, topological
from .transform import rebuilt, transform, vectorize

_unique = count()


def closed(body: Node, bound: Sequence[Symbol]) -> tuple[Function, list[Node]]:
    """Return a graph as a function of some symbols and of what it takes from outside, and that.

    What does not depend on the symbols is computed outside, once.
    """
    captured: dict[Node, Symbol] = {}
    new: dict[Node, Node] = {symbol: symbol for symbol in bound}

    def inner(node: Node) -> Node:
        if node in new:
            return new[node]
        if not symbols([node]):
            return node
        known = node.assumptions if isinstance(node, Symbol) else ()
        return captured.setdefault(node, Symbol.of(f"captured {len(captured)}", node.shape, known))

    for node in topological([body]):
        if any(child in new for child in node.children):
            new[node] = rebuilt(node, tuple([inner(child) for child in node.children]))
    result = inner(body)
    return Function.of((*bound, *captured.values()), result), list(captured)


def applied(body: Node, arguments: Sequence[Symbol], values: Sequence[Node]) -> Node:
    """Return a graph with values in the place of its symbols, all at once."""
    known = dict(zip(arguments, values, strict=True))
    return transform([body], lambda node: known.get(node, node) if isinstance(node, Symbol) else node)[0]


def along(roots: Sequence[Node], rows: dict[Symbol, Node], shared: dict[Symbol, Node], length: int) -> list[Node]:
    """Return graphs computed for each row of some of their symbols: `rows` have one more axis, in front.

    The others stand for the same value in each row.
    """
    # What is put in may have symbols of the same names: it comes last, for names that nothing else has.
    own = {symbol: Symbol.of(f"shared {next(_unique)}", symbol.shape, symbol.assumptions) for symbol in shared}
    roots = [applied(root, [*own], [*own.values()]) for root in roots]
    found = vectorize(roots, rows, (length,))
    last = {own[symbol]: value for symbol, value in shared.items()}
    return [applied(root, [*last], [*last.values()]) for root in found]
