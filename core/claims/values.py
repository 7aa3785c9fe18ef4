"""The values of trees at a point, part by part: a tree that differs from another in one place costs the way to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...grammar import syntax
from ...grammar.rewriting import TURNS, filled
from ...grammar.syntax import Attribute, Binary, Call, Index, Name, Node, Number, Unary
from ..arrays import Array
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed
from ..graph.nodes import Symbol
from .points import Point

OPERANDS = (Name, Binary, Unary, Attribute, Call, Index)
# Infix operators mean what they mean in NumPy, and most places of a claim are theirs.
ARITHMETIC: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "@": np.matmul,
    "**": np.power,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def inlined(program: syntax.Program) -> Node:
    """Return the result of a program with its statements put in: `p*p` of `p = exp(x); p*p` is `exp(x)*exp(x)`.

    The occurrences of a name share one part.
    """
    parts: dict[str, Node] = {}
    for assignment in program.assignments:
        parts[assignment.name] = filled(assignment.value, parts)
    return filled(program.result, parts)


class Values:
    """The values of trees at one point; equal parts are computed once."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self._known: dict[Node, Array | None] = {}

    def of(self, node: Node) -> Array | None:
        """Return the value of a tree, None where it does not fit or has none."""
        if node not in self._known:
            self._known[node] = self._from_parts(node)
        return self._known[node]

    def _from_parts(self, node: Node) -> Array | None:
        """Return the value of an operation on the values of its operands; sizes and numbers stay in their place."""
        places: dict[str, Array] = {}

        def change(part: Node) -> Node:
            if not isinstance(part, OPERANDS):
                return part
            value = self.of(part)
            if value is None or not value.ndim:
                return part
            places[name := f"operand {len(places)}"] = value
            return Name(name)

        match node:
            case Name(name) if name in self.point.values:
                return self.point.values[name]
            case Number(text):
                return np.asarray(float(text))
            case Binary(operator, left, right) if operator in ARITHMETIC:
                return _applied(ARITHMETIC[operator], self.of(left), self.of(right))
            case Unary("-", operand):
                return _applied(np.negative, self.of(operand))
            case Attribute(operand, name) if name in TURNS:
                value = self.of(operand)
                return value.T if value is not None and value.ndim <= 2 else None
        if isinstance(node, Index):
            operation: Node = replace(node, operand=change(node.operand))
        else:
            operation = syntax.map_children(node, change)
        if not places or operation is node:
            return self.point.compute(syntax.Program((), node))
        return self._run(operation, places) if self._whole(operation) else self.point.compute(syntax.Program((), node))

    @staticmethod
    def _whole(operation: Node) -> bool:
        """Whether an operation is one of operands and literals alone."""
        names = (part for part in syntax.walk(operation) if isinstance(part, Name))
        return all(name.name.startswith("operand ") or name.prefix for name in names)

    def _run(self, operation: Node, places: dict[str, Array]) -> Array | None:
        symbols = {name: Symbol.of(name, np.shape(value)) for name, value in places.items()}
        bench = self.point.bench
        try:
            return bench.run([bench.elaborated(syntax.Program((), operation), symbols)], places)[0]
        except (ExpressionError, OperationFailed):
            whole = None
        return whole


def _applied(function: Callable[..., Array], *operands: Array | None) -> Array | None:
    """Return what a function makes of arrays, None where one is missing or they do not fit."""
    if any(operand is None for operand in operands):
        return None
    try:
        return np.asarray(function(*operands), dtype=np.float64)
    except ValueError:
        return None
