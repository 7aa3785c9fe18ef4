"""Where in the text a node of the graph comes from: rewrites and definitions make nodes that nobody wrote."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from ...grammar import syntax
from ...grammar.errors import Span
from ..differentiation.stabilise import stabilized
from ..graph.nodes import Apply, Map, Node, symbols, topological
from ..problems.calculation import Calculation

LONGEST_QUOTE = 40


class Location:
    """The pieces of an expression, each with the graph that it became.

    Example: for `sqrt(sum(x**2))`, which is computed as a norm, `span_of(norm)` is the whole of it, and `quote(norm)`
    its text.
    """

    def __init__(self, calculation: Calculation) -> None:
        self._text = calculation.problem.text
        self._whole = syntax.span_of(calculation.problem.program.result)
        self._spans = calculation.spans
        self._computed = set(topological([calculation.output]))

    def span_of(self, node: Node) -> Span:
        """Return the smallest piece of text that a node belongs to, the whole expression where none is known."""
        names = set(symbols([node]))

        def same_operands(other: Node) -> bool:
            return other in self._computed and _operation(other) is not None and set(symbols([other])) == names

        return (
            self._exact.get(node)
            or self._smallest(lambda other: other is node)
            or self._same_operation(node)
            or self._smallest(same_operands)
            or self._whole
        )

    def is_written(self, node: Node) -> bool:
        """Whether a node is what some piece of the text says, and not a step inside a definition or a derivative."""
        return node in self._exact

    def is_inside(self, node: Node) -> bool:
        """Whether an operation is part of the expression, and not of its derivative alone."""
        return self._same_operation(node) is not None

    def quote(self, node: Node) -> str:
        """Return the text that a node belongs to between backquotes, or `this expression` where that is long."""
        start, end = self.span_of(node)
        text = " ".join(self._text[start:end].split())
        return f"`{text}`" if len(text) <= LONGEST_QUOTE else "this expression"

    @cached_property
    def _pieces(self) -> list[tuple[Span, Node]]:
        """Every piece of the text with its graph as it is computed, the shortest first."""
        written = sorted(self._spans.items(), key=lambda item: item[1][1] - item[1][0])
        rewritten = stabilized([node for node, _ in written])
        return [(span, node) for (_, span), node in zip(written, rewritten, strict=True)]

    @cached_property
    def _exact(self) -> dict[Node, Span]:
        return {node: span for span, node in reversed(self._pieces)} | self._spans

    def _same_operation(self, node: Node) -> Span | None:
        name, inputs = _operation(node), set(symbols([node]))
        return self._smallest(lambda other: _operation(other) == name is not None and set(symbols([other])) == inputs)

    def _smallest(self, fits: Callable[[Node], bool]) -> Span | None:
        return next((span for span, graph in self._pieces if any(map(fits, topological([graph])))), None)


def _operation(node: Node) -> str | None:
    return node.operator.name if isinstance(node, Map | Apply) else None
