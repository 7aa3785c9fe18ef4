"""The number of axes of each part of a tree: what tells a Hadamard product from a multiple."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from ...grammar import syntax
from ..arrays import Static
from ..errors import ShapeError
from ..graph.nodes import Node, Symbol
from ..shapes import Shape
from .elaborate import INFIX, Elaborator, Value


class Ranks(Elaborator):
    """The ranks of the parts of trees over inputs of given shapes; `statics` are names of sizes and indices."""

    def __init__(self, shapes: Mapping[str, Shape], statics: Mapping[str, Static]) -> None:
        inputs: dict[str, Value] = {name: Symbol.of(name, shape) for name, shape in shapes.items()}
        super().__init__(inputs | {name: size for name, size in statics.items() if not np.ndim(size)}, statics)
        self._known: dict[int, int] = {}
        self._values: dict[int, Value] = {}
        self._kept: list[syntax.Node] = []

    def add(self, tree: syntax.Node) -> None:
        """Learn the ranks of all parts of a tree; the names that a program assigns are known from then on."""
        self._kept.append(tree)  # so that no other tree takes its place in memory
        if isinstance(tree, syntax.Program):
            self.run(tree)
        else:
            self.visit(tree)

    def of(self, tree: syntax.Node) -> int:
        """Return the rank of a part of a tree that was added; 0 for what is no tensor."""
        return self._known.get(id(tree), 0)

    def shape(self, tree: syntax.Node) -> Shape:
        """Return the shape of a part of a tree that was added; that of a number for what is no tensor."""
        value = self._values.get(id(tree))
        return value.shape if isinstance(value, Node) else (0,) * self.of(tree)

    def visit(self, node: syntax.Node) -> Value:
        """Return the value of a syntax node, and remember its rank."""
        if id(node) in self._values:
            return self._values[id(node)]
        self._kept.append(node)  # as above
        value = self._values[id(node)] = super().visit(node)
        if isinstance(value, Node):
            self._known[id(node)] = value.rank
        elif isinstance(value, list):
            with suppress(ShapeError):  # a list of axes need not be an array
                self._known[id(node)] = self.tensor(value, (0, 0)).rank
        return value

    def _binary(self, node: syntax.Binary) -> Node:
        return INFIX[node.operator](self.operand(node.left), self.operand(node.right))
