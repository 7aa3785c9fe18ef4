"""The values of trees at a point, part by part: a tree that differs from another in one place costs the way to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...grammar import syntax
from ...grammar.rewriting import TURNS, filled
from ...grammar.syntax import Attribute, Binary, Call, Index, Name, Node, Number, String, Unary
from ..arrays import Array
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed
from ..graph import catalogue
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
# What NumPy calls the same: with the functions of entries most of what a claim calls.
CALLS: dict[str, Callable[..., Any]] = {"sum": np.sum, "kron": np.kron, "einsum": np.einsum}


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
            node = bench.elaborated(syntax.Program((), operation), symbols)
            found = _called(operation, places)
            return found if found is not None and found.shape == node.shape else bench.run([node], places)[0]
        except (ExpressionError, OperationFailed):
            whole = None
        return whole


def _applied(function: Callable[..., Array], *operands: Array | str | None) -> Array | None:
    """Return what a function makes of arrays, None where one is missing or they do not fit."""
    if any(operand is None for operand in operands):
        return None
    try:
        return np.asarray(function(*operands), dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _called(operation: Node, places: dict[str, Array]) -> Array | None:
    """Return what a call of a NumPy function is, None for other operations: few are worth a program of their own."""
    if not isinstance(operation, Call):
        return None
    operator = catalogue.find(operation.function)
    function = CALLS.get(operation.function)
    if function is None and operator is not None and operator.elementwise and not operation.keywords:
        function = operator.evaluate
    operands: list[Any] = []
    for argument in operation.arguments:
        match argument:
            case Name(name) if name in places:
                operands.append(places[name])
            case String(word):
                operands.append(word)
    numbers = [(item.name, item.value.text) for item in operation.keywords if isinstance(item.value, Number)]
    settings = {name: int(text) for name, text in numbers if text.isdigit()}
    read = len(operands) == len(operation.arguments) and len(settings) == len(operation.keywords)
    return _applied(partial(function, **settings), *operands) if function is not None and read else None
