"""An expression that is explained: its statements, and the graph, the shape and the value of each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import inf

import numpy as np

from ...grammar.rewriting import replaced
from ...grammar.syntax import (
    Assignment,
    Attribute,
    Binary,
    Call,
    Index,
    Lambda,
    ListLiteral,
    Name,
    Node,
    Number,
    Program,
    Unary,
    walk,
)
from ...grammar.writer import write
from ..arrays import Array, Static
from ..elaboration.elaborate import Elaborator
from ..errors import ExpressionError
from ..evaluation.program import evaluated
from ..graph import nodes
from ..graph.sizes import length
from ..notation.lengths import length_tree
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..problems.sampling import draw, needs
from ..session import Prepared, guard_input
from .definitions import unfolded
from .lesson import Part
from .local import Anywhere, operands_of

WORTH_A_LINE = (Binary, Unary, Attribute, Call, Index, ListLiteral)


def reader_of(problem: Problem, prepared: Prepared, limit: float) -> Reader:
    """Return what is read off the expression; with a batch off one sample of it."""
    if not problem.batch:
        return Reader(problem, prepared.calculation, prepared.statics, limit)
    sample = problem.of_one_sample
    statics = {name: value for name, value in prepared.statics.items() if name not in problem.batch}
    return Reader(sample, Compiler(sample).find(prepared.shapes, statics).calculation, statics, limit)


class Reader:
    """An expression with the graph and the shape of each part, and with random inputs to check what is said of it."""

    def __init__(
        self, problem: Problem, calculation: Calculation, statics: Mapping[str, Static], limit: float = inf
    ) -> None:
        self.problem = problem
        self.limit = limit
        self.calculation = calculation
        self.statics = {name: statics[name] for name in calculation.statics if name in statics}
        self.statements: list[tuple[str | None, Node]] = [
            *((item.name, item.value) for item in problem.program.assignments),
            (None, problem.program.result),
        ]
        self.environment, self._elaborator = self._elaborated(calculation, self.statics)

    def _elaborated(
        self, calculation: Calculation, statics: Mapping[str, Static], further: Mapping[str, object] | None = None
    ) -> tuple[dict[str, object], Elaborator]:
        environment: dict[str, object] = {**calculation.symbols, **(further or {})}
        elaborator = Elaborator(environment, statics)
        for name, tree in self.statements:
            if name is not None:
                environment[name] = elaborator.environment[name] = elaborator.visit(tree)
        return environment, elaborator

    @cached_property
    def values(self) -> dict[str, Array]:
        """Random inputs that satisfy what is assumed; what stands for sizes and places is as given."""
        demands = needs([self.calculation.original, self.calculation.output], general=True)
        values: dict[str, Array] = {}
        for name, symbol in self.calculation.symbols.items():
            static = self.calculation.statics.get(name, self.statics.get(name))
            wanted = {*self.problem.assumptions.get(name, ()), *demands.get(name, ())}
            given = None if static is None else np.asarray(static, dtype=np.float64)
            if given is None:  # of a sparse input, which may be larger than any that is drawn
                guard_input(name, symbol.shape, self.limit)
            values[name] = draw(name, symbol.shape, "normal", 1, wanted) if given is None else given
        return values

    def with_names(self, found: Mapping[str, Node]) -> Reader:
        """Return the expression with names for some of its parts, each said before it is first used."""
        statements = list(self.statements)
        for name, part in found.items():
            first = next(place for place, (_, tree) in enumerate(statements) if part in set(walk(tree)))
            statements[first:] = [(label, replaced(tree, part, Name(name))) for label, tree in statements[first:]]
            statements.insert(first, (name, part))
        *assigned, (_, result) = statements
        assignments = tuple(Assignment(name, tree) for name, tree in assigned if name is not None)
        program = Program(assignments, result, span=self.problem.program.span)
        return Reader(replace(self.problem, program=program), self.calculation, self.statics, self.limit)

    @cached_property
    def names(self) -> dict[Node, Node]:
        """The names of the parts that statements assign, each of them once."""
        assigned = [name for name, _ in self.statements]
        return {
            tree: Name(name)
            for name, tree in self.statements
            if name is not None and assigned.count(name) == 1 and isinstance(tree, WORTH_A_LINE)
        }

    @cached_property
    def typed(self) -> dict[nodes.Node, Node]:
        """The parts of the expression by their graphs: what each was written as."""
        found: dict[nodes.Node, Node] = {}
        for _, tree in self.statements:
            within = {inner for node in walk(tree) if isinstance(node, Lambda) for inner in walk(node)}
            for node in (node for node in walk(tree) if node not in within):
                graph = self.tensor(node)
                if graph is not None:
                    found.setdefault(graph, node)
        return found

    def unfolded(self, node: Node) -> Node | None:
        """Return what a derived operator stands for, in lengths with names, None where it is no operation."""
        meaning = unfolded(node) if isinstance(node, Call) else None
        return meaning if isinstance(meaning, WORTH_A_LINE) else None

    def tensor(self, node: Node) -> nodes.Node | None:
        """Return a part as a graph, None for what is no tensor."""
        return _tensor(self._elaborator, node)

    def evaluated(self, nodes: list[nodes.Node]) -> list[Array] | None:
        """Return graphs as numbers, None where an operation has no result, or it would be too large."""
        return evaluated(nodes, self.values, self.limit)

    def parts(self) -> Iterator[Part]:
        """Yield the inputs, then every part of the expression, innermost first, with its shape."""
        for symbol in self.calculation.symbols.values():
            yield Part(symbol.name, symbol.shape)
        seen: set[Node] = set()
        for name, tree in self.statements:
            for node in innermost_first(tree):
                value = self.tensor(node)
                if value is not None and node not in seen:
                    seen.add(node)
                    yield Part(write(node), value.shape)
            whole = self.tensor(tree)
            if name is not None and whole is not None:
                yield Part(name, whole.shape)

    def along(self, name: str) -> Along:
        """Return what is asked of differentials by a name."""
        return Along(self, name)

    @cached_property
    def general(self) -> tuple[Calculation, Mapping[str, int]]:
        """The expression for all sizes, and the sizes here; where it has no such form, for these alone."""
        return self.calculation.general or (self.calculation, {})


class Along:
    """A reader that knows the change of one variable too."""

    def __init__(self, reader: Reader, name: str) -> None:
        self.change = Name(f"d{name}")
        here, anywhere = reader.calculation, reader.general[0]
        sizes = {size: length(size) for size in reader.general[1]}
        statics: dict[str, Static] = {**reader.statics, **anywhere.statics, **sizes}
        numbers = {size: reader.general[1][size] for size in sizes}
        self._here = reader._elaborated(here, {**reader.statics, **numbers}, {**self._moving(here, name), **numbers})[1]
        self._general = reader._elaborated(anywhere, statics, {**self._moving(anywhere, name), **sizes})[1]

    def _moving(self, calculation: Calculation, name: str) -> dict[str, object]:
        symbol = calculation.symbols[name]
        return {self.change.name: nodes.Symbol.of(self.change.name, symbol.shape)}

    @property
    def at_hand(self) -> tuple[Mapping[str, object], Mapping[str, Static]]:
        """What the names stand for at the sizes at hand, those of lengths included."""
        return self._here.environment, self._here.statics

    def anywhere(self, operands: Sequence[Node]) -> Anywhere | None:
        """Return the shapes of parts in lengths with names, None where they have none."""
        found = [self.tensor(operand) for operand in operands]
        shapes = [graph.shape for graph in found if graph is not None]
        return Anywhere(self._general.environment, self._general.statics, shapes) if len(shapes) == len(found) else None

    def know(self, name: str, tree: Node) -> bool:
        """Take a name that a rule gives to a part; False where the part makes no sense by itself."""
        try:
            for elaborator in (self._here, self._general):
                elaborator.environment[name] = elaborator.visit(tree)
        except ExpressionError:
            return False
        return True

    def tensor(self, tree: Node) -> nodes.Node | None:
        """Return a differential as a graph, None where it has none."""
        return _tensor(self._general, tree)

    def here(self, tree: Node) -> nodes.Node | None:
        """Return a differential as a graph over the sizes at hand."""
        return _tensor(self._here, tree)

    def rank(self, tree: Node) -> int:
        """Return the number of axes of a part of a differential."""
        found = self.tensor(tree)
        return 0 if found is None else found.rank

    def lengths(self, tree: Node) -> tuple[Node, ...]:
        """Return the shape of a part of a differential, in lengths with names."""
        found = self.tensor(tree)
        return () if found is None else tuple(length_tree(size) for size in found.shape)


def _tensor(elaborator: Elaborator, node: Node) -> nodes.Node | None:
    if not isinstance(node, (Name, Number, *WORTH_A_LINE)):
        return None
    try:
        value = elaborator.visit(node)
        return elaborator.tensor(value, node.span) if isinstance(value, nodes.Node | list) else None
    except ExpressionError:
        return None


def innermost_first(tree: Node) -> list[Node]:
    """Return the operations of an expression, operands before what is made of them; a chain is one operation."""
    found: list[Node] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, WORTH_A_LINE):
            found.append(node)
            stack.extend(operands_of(node))
    return found[::-1]
