"""Derivatives where matrices have inverses and numbers are not zero: `det(X) * inv(X).T` for the matrix of cofactors.

The numbers are computed by what holds everywhere. A reader knows the other form, which the entry of an operator has
under `regular`; with it goes the condition under which the two are the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ...grammar.parser import parse
from ...grammar.rewriting import filled
from ...grammar.syntax import Node as Tree
from ...grammar.writer import write
from ..elaboration.elaborate import elaborate_text
from ..graph.nodes import Apply, Map, Node, Symbol, topological
from ..graph.transform import transform
from ..notation.formula import Notation

# What is assumed of inputs that have an inverse, or no zero.
_GIVEN = frozenset({"spd", "orthogonal", "positive"})


def has_regular(roots: Iterable[Node]) -> bool:
    """Whether there is an operator below graphs that has a regular form."""
    return any(isinstance(node, Map | Apply) and bool(node.operator.regular) for node in topological(roots))


class Regular:
    """Graphs in their regular form, and the conditions under which they have it."""

    def __init__(self, familiar: Collection[Node]) -> None:
        self.familiar = familiar
        self.conditions: dict[str, None] = {}
        self.found = False

    def __call__(self, roots: Sequence[Node], *, last: bool) -> list[Node]:
        """Return graphs with every operator in its regular form, what is not differentiated again only at the last."""
        if not any(self._applies(node, last) for node in topological(roots)):
            return [*roots]
        self.found = True
        return transform(roots, lambda node: self._regular(node, last))

    def _applies(self, node: Node, last: bool) -> bool:
        if not isinstance(node, Map | Apply) or not node.operator.regular or node in self.familiar:
            return False
        matrices = isinstance(node, Map) or not node.batch or node.operator.signature == "(n)->(n)"
        return matrices and (last or bool(node.operator.condition))

    def _regular(self, node: Node, last: bool) -> Node:
        if not isinstance(node, Map | Apply) or not self._applies(node, last):
            return node
        operator = node.operator
        operands = dict(zip(operator.operands, node.children, strict=True))
        if operator.condition and not any(map(self._is_given, node.children)):
            trees = {name: Notation().tree(child) for name, child in operands.items()}
            self.conditions[write(filled(_parsed(operator.condition), trees))] = None
        return elaborate_text(operator.regular, operands)

    def _is_given(self, operand: Node) -> bool:
        return isinstance(operand, Symbol) and not operand.assumptions.isdisjoint(_GIVEN)


def _parsed(text: str) -> Tree:
    return parse(text).result
