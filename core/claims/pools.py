"""Confusions with something else in the question: a factor that is left out, another input, a function left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...grammar.syntax import Binary, Call, Name, Node, Number, Unary, walk
from .edits import Confusion, ShapeOf
from .trees import transposed


def lacking(pool: Sequence[Node]) -> Confusion:
    """Return the confusion of a factor that is missing, which is one of some trees."""

    def change(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
        own = shape_of(node)
        if own is None or isinstance(node, Number):
            return
        for factor in pool:
            shape = shape_of(factor)
            if shape is None or node in walk(factor) or factor in walk(node):
                continue
            yield Binary("*", node, factor)
            yield Binary("/", node, factor)
            if not shape:
                yield Binary("/", node, Binary("**", factor, Number("2")))
            if len(shape) == 2 and own:
                for matrix in (factor, transposed(factor)):
                    yield Binary("@", matrix, node)
                    yield Binary("@", node, matrix)

    return Confusion("missing factor", change, "a factor is missing")


def exchanged_with(pool: Sequence[Node]) -> Confusion:
    """Return the confusion of an input or a function of inputs with another one."""

    def change(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
        if isinstance(node, Name | Call) and shape_of(node) is not None:
            yield from (other for other in pool if other != node)

    return Confusion("other name", change, "something else is meant")


def applied(functions: Sequence[str]) -> Confusion:
    """Return the confusion of a function that is left out."""

    def change(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
        scaled = isinstance(node, Binary) and isinstance(node.left, Number | Unary)
        if shape_of(node) and not scaled:
            yield from (Call(function, (node,)) for function in functions)

    return Confusion("missing function", change, "a function is missing")
