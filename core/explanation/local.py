"""One operation by itself: a placeholder for each operand that moves, and one for its change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...grammar.rewriting import rewritten
from ...grammar.syntax import Attribute, Binary, Call, Index, Lambda, ListLiteral, Name, Node, Program, Unary, walk
from ..arrays import SAME_NUMBERS, Array, Static, relative_error
from ..differentiation.differentiate import pushforward
from ..elaboration import arguments
from ..elaboration.elaborate import Elaborator
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed, compile_program
from ..graph import catalogue, nodes
from ..graph.nodes import Symbol
from ..graph.transform import flatten
from ..notation.expand import expanded
from ..notation.formula import Notation
from ..notation.naming import bare
from ..notation.recognise import recognised
from ..problems.draws import Draws
from ..shapes import Shape

# In one direction a function may look linear by chance.
DIRECTIONS = 3


class Anywhere(NamedTuple):
    """Names over lengths of any size, and the shapes of the moving operands in these lengths."""

    environment: Mapping[str, object]
    statics: Mapping[str, Static]
    shapes: Sequence[Shape]


@dataclass(frozen=True)
class Local:
    """An operation with placeholders for its moving operands: `part 0 @ A`, and the operands themselves."""

    template: Node
    operands: tuple[Node, ...]
    values: tuple[Array, ...]
    environment: Mapping[str, object]
    inputs: Mapping[str, Array]
    statics: Mapping[str, Static]
    anywhere: Anywhere | None = None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of the moving operands."""
        return tuple(np.shape(value) for value in self.values)

    def elaborated(self, tree: Node, over: Anywhere | None = None) -> nodes.Node:
        """Return a tree over inputs, placeholders and their changes as a graph, over these lengths or those here."""
        over = over or self._here
        symbols: dict[str, object] = dict(over.environment)
        for place, shape in enumerate(over.shapes):
            symbols |= {name.name: Symbol.of(name.name, shape) for name in (part(place), change(place))}
        elaborator = Elaborator(symbols, over.statics)
        program = tree if isinstance(tree, Program) else Program((), tree)
        return elaborator.tensor(elaborator.run(program), (0, 0))

    @property
    def _here(self) -> Anywhere:
        return Anywhere(self.environment, self.statics, self.shapes)

    def moved(self, over: Anywhere | None = None) -> nodes.Node:
        """Return the change of the operation, as the engine computes it."""
        places = enumerate((over or self._here).shapes)
        moved = {Symbol.of(part(k).name, shape): Symbol.of(change(k).name, shape) for k, shape in places}
        return pushforward(self.elaborated(self.template, over), moved)

    def agrees(self, proposal: Node) -> bool:
        """Whether a differential written over the placeholders is that of the operation, at the inputs at hand."""
        draws = Draws(5, "differentials")
        values = {**self.inputs, **{part(place).name: value for place, value in enumerate(self.values)}}
        try:
            program = compile_program(flatten([self.elaborated(proposal), self.moved()]))
            for _ in range(DIRECTIONS):
                for place, value in enumerate(self.values):
                    values[change(place).name] = draws.normal(np.shape(value))
                found, wanted = program.run(values)
                if not relative_error(np.broadcast_to(found, wanted.shape), wanted) <= SAME_NUMBERS:
                    return False
            return True
        except (ExpressionError, OperationFailed, ValueError):
            return False

    def written(self, *, here: bool = False) -> Node:
        """Return the change of the operation as the engine writes it, in lengths with names or for those `here`."""
        try:
            moved = self.moved(None if here else self.anywhere)
        except ExpressionError:
            moved = self.moved()
        (node,) = flatten(expanded(recognised(flatten(expanded(flatten([moved]))))))
        return bare(Notation().tree(node), self.inputs)

    def arranged(self, tree: Node) -> Node:
        """Return a differential with the changes last in each product, as people write them: `p*(dx - p @ dx)`."""

        def moves(node: Node) -> bool:
            return any(isinstance(item, Name) and item.name.startswith("change ") for item in walk(node))

        def changed(node: Node) -> Node | None:
            match node:
                case Binary("*", left, right) if moves(left) and not moves(right):
                    return Binary("*", self.arranged(right), self.arranged(left))
                case Binary("@", left, right) if moves(left) and not moves(right):
                    turned = Binary("@", self.arranged(right), self.arranged(left))
                    return turned if self._is_dot(left, right) else None
            return None

        return rewritten(tree, changed)

    def _is_dot(self, left: Node, right: Node) -> bool:
        try:
            return self.elaborated(left).rank == self.elaborated(right).rank == 1
        except ExpressionError:
            return False


def part(place: int) -> Name:
    """Return the placeholder of a moving operand; no input can have its name."""
    return Name(f"part {place}")


def change(place: int) -> Name:
    """Return the placeholder of an operand's change."""
    return Name(f"change {place}")


def operands_of(node: Node) -> list[Node]:
    """Return the operands of an operation; a chain of one operator counts as one operation."""
    match node:
        case Binary("@" | "*" as operator):
            return _chain(node, operator)
        case Binary("+" | "-"):
            return [term for _, term in signed_terms(node)]
        case Binary(_, left, right):
            return [left, right]
        case Unary(_, operand) | Attribute(operand, _):
            return [operand]
        case Index(Call() as call, _) if several_outputs(call):
            return operands_of(call)
        case Call("real" | "imag" | "abs", (Call() as call,)) if several_outputs(call):
            return operands_of(call)
        case Index(operand, _):
            return [operand]
        case Call(function, arguments):
            found = catalogue.find(function)
            if found is not None and found.family.lower() == "derivatives":
                return [arguments[1]] if len(arguments) > 1 else []
            values = [keyword.value for keyword in node.keywords]
            return [item for argument in (*arguments, *values) for item in _items(argument)]
        case ListLiteral():
            return _items(node)
    return []


def _items(node: Node) -> list[Node]:
    if isinstance(node, Lambda):
        # What a function takes from outside is an operand of what takes the function.
        return [*dict.fromkeys(item for item in walk(node) if isinstance(item, Name) and not item.prefix)]
    if not isinstance(node, ListLiteral):
        return [node]
    return [item for inner in node.items for item in _items(inner)]


def several_outputs(call: Call) -> bool:
    """Whether a call gives several results, as `eigh` does."""
    operator = catalogue.find(call.function)
    return operator is not None and arguments.several_outputs(operator)


def _chain(node: Node, operator: str) -> list[Node]:
    if isinstance(node, Binary) and node.operator == operator:
        return [*_chain(node.left, operator), node.right]
    return [node]


def signed_terms(node: Node) -> list[tuple[int, Node]]:
    """Return the terms of a sum with their signs."""
    if isinstance(node, Binary) and node.operator in ("+", "-"):
        return [*signed_terms(node.left), (1 if node.operator == "+" else -1, node.right)]
    return [(1, node)]


def template_of(node: Node, moving: Sequence[Node]) -> Node:
    """Return an operation with placeholders for the operands that move."""
    operator = catalogue.find(node.function) if isinstance(node, Call) else None
    if operator is not None and operator.family.lower() == "derivatives":
        name = moving[0]
        return rewritten(node, lambda item: part(0) if item == name else None)
    places = {id(operand): part(place) for place, operand in enumerate(moving)}
    return rewritten(node, lambda item: None if item is node else places.get(id(item)))
