"""How a derivative comes about, for a person who learns: shapes, differentials, the derivative read off, its structure.

The way is that of Magnus and Neudecker: write the differential of each part in terms of the differentials of its
parts, collect what stands before dx, and read the derivative off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Setting, Text
from ...grammar.rewriting import rewritten
from ...grammar.syntax import Attribute, Binary, Call, Index, ListLiteral, Name, Node, Number, Unary
from ...grammar.writer import write
from ..arrays import Array, silent, statics
from ..elaboration.elaborate import Elaborator
from ..errors import ExpressionError, UsageProblem
from ..evaluation.program import evaluated
from ..formulas.layouts import laid_out
from ..formulas.verified import closed_forms
from ..graph import nodes
from ..graph.nodes import topological
from ..problems.answer import Input, Warning
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..session import Prepared, Wishes, ambiguities, prepare
from ..shapes import Shape
from .definitions import unfolded
from .differentials import differential
from .local import Local, change, operands_of, part, template_of
from .meaning import collected, conventions, structure_in_words

WORTH_A_LINE = (Binary, Unary, Attribute, Call, Index, ListLiteral)
LONGEST = 300


@dataclass(frozen=True)
class Part:
    """A part of the expression and its shape."""

    text: str
    shape: Shape


@dataclass(frozen=True)
class Step:
    """The differential of one part: `text` is the part, `differential` what d(text) is, `rule` why.

    `meaning` is what the part stands for where that is unfolded first: `sum(x)/count(x)` for `mean(x)`.
    """

    text: str
    shape: Shape
    differential: str
    rule: str
    meaning: str | None = None


@dataclass(frozen=True)
class Explanation:
    """How the derivative by one name comes about.

    `expanded` is the differential of the whole in terms of the differential of the variable alone, None where it is
    long; `collected` is the same with the derivative drawn out, `formula` the derivative itself, and `in_layout` the
    matrix that a layout makes of it, None where no layout is asked for. `sizes` gives the lengths that the formula
    names, and `origins` where they come from; with a `condition` it need hold for those sizes alone.
    """

    wrt: str
    steps: tuple[Step, ...]
    expanded: str | None
    collected: str
    formula: str
    noun: str
    structure: str | None
    meaning: tuple[Text, ...]
    notes: tuple[str, ...]
    sizes: Mapping[str, int]
    origins: Mapping[str, str]
    in_layout: str | None = None
    condition: str | None = None


@dataclass(frozen=True)
class Lesson:
    """The explanation of an expression: its parts, then one explanation per name.

    With a batch all of it is about one sample; `samples` is how many there are, None without a batch.
    """

    expression: str
    inputs: Mapping[str, Input]
    parts: tuple[Part, ...]
    explanations: tuple[Explanation, ...]
    warnings: Sequence[Warning] = ()
    samples: int | None = None


@silent
def explain(problem: Problem, given: Mapping[str, Input], wishes: Wishes, layout: str = "generalized") -> Lesson:
    """Return how the derivatives of a problem come about.

    Example: `explain(Problem.of("x.T @ A @ x", "jacobian", ("x",)), {}, Wishes()).explanations[0].steps[0]` says that
    the differential is `dx.T @ A @ x + x.T @ A @ dx`, by the product rule.

    With a batch the derivation is that of one sample. Raises ExpressionError or InputError, as the derivative itself.
    """
    if problem.parts:
        raise UsageProblem(
            f"`{problem.parts[0]}` is a part, and an explanation is by inputs",
            place=Setting("wrt", problem.parts[0]),
            helps=[Setting("wrt", name) for name in problem.names],
        )
    prepared = prepare(problem, given, wishes)
    reader = _reader(problem, prepared, wishes.limit)
    explanations = tuple(Derivation(reader, name, layout).explanation() for (name, *_) in problem.requests)
    return Lesson(
        problem.text, prepared.inputs, tuple(reader.parts()), explanations, ambiguities(prepared.calculation),
        prepared.calculation.samples,
    )  # fmt: skip


def _reader(problem: Problem, prepared: Prepared, limit: float) -> Reader:
    """Return what is read off the expression; with a batch at the first sample."""
    if not problem.batch:
        return Reader(problem, prepared.calculation, prepared.values, limit)
    sample = replace(problem, batch=())
    values = {name: value[0] if name in problem.batch else value for name, value in prepared.values.items()}
    calculation = Compiler(sample).find(prepared.shapes, statics(values)).calculation
    return Reader(sample, calculation, values, limit)


class Reader:
    """An expression with the graph, the shape and the value of each part."""

    def __init__(
        self, problem: Problem, calculation: Calculation, values: Mapping[str, Array], limit: float = inf
    ) -> None:
        self.problem = problem
        self.limit = limit
        self.calculation = calculation
        self.values = values
        self.statics = statics(values)
        self.environment: dict[str, object] = dict(calculation.symbols)
        self._elaborator = Elaborator(self.environment, self.statics)
        for assignment in problem.program.assignments:
            value = self._elaborator.visit(assignment.value)
            self.environment[assignment.name] = self._elaborator.environment[assignment.name] = value

    def tensor(self, node: Node) -> nodes.Node | None:
        """Return a part as a graph, None for what is no tensor."""
        if not isinstance(node, (Name, Number, *WORTH_A_LINE)):
            return None
        try:
            value = self._elaborator.visit(node)
            return self._elaborator.tensor(value, node.span) if isinstance(value, nodes.Node | list) else None
        except ExpressionError:
            return None

    def evaluated(self, nodes: list[nodes.Node]) -> list[Array] | None:
        """Return graphs as numbers, None where an operation has no result, or it would be too large."""
        return evaluated(nodes, self.values, self.limit)

    @cached_property
    def statements(self) -> list[tuple[str | None, Node]]:
        """The statements, each with the name that it gives its value; the last has none."""
        program = self.problem.program
        return [*((item.name, item.value) for item in program.assignments), (None, program.result)]

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


class Derivation:
    """The derivation by one name."""

    def __init__(self, reader: Reader, name: str, layout: str) -> None:
        self.reader = reader
        self.name = name
        self.layout = layout
        self.moving = {name}
        self.differentials: dict[Node, Node] = {}
        self.named: dict[str, Node] = {}
        self.steps: list[Step] = []

    def explanation(self) -> Explanation:
        """Return the explanation, statement by statement."""
        whole: Node = Number("0")
        for name, tree in self.reader.statements:
            if not self._moves(tree):
                self.moving.discard(name or "")
                continue
            self._derive(tree)
            whole = self._of(tree)
            if name is not None:
                self._note_assignment(name, tree)
                self.moving.add(name)
                self.named[f"d{name}"] = self._expanded(whole)
        if not self.steps:
            self.steps.append(Step(self.name, self.reader.calculation.shape, f"d{self.name}", "the variable itself"))
        return self._explained(whole)

    def _note_assignment(self, name: str, tree: Node) -> None:
        value = self.reader.tensor(tree)
        shape = value.shape if value is not None else ()
        if not isinstance(tree, WORTH_A_LINE) or not self.steps or self.steps[-1].text != write(tree):
            self.steps.append(Step(name, shape, write(self._of(tree)), "named"))
            return
        last = self.steps.pop()
        self.steps.append(Step(name, shape, last.differential, last.rule, last.meaning or last.text))

    def _moves(self, tree: Node) -> bool:
        """Whether a part depends on the variable: its value, not merely its text; `count(x)` does not."""
        if not any(isinstance(n, Name) and n.name in self.moving and not n.prefix for n in syntax.walk(tree)):
            return False
        value = self.reader.tensor(tree)
        return value is None or self.reader.calculation.symbols[self.name] in topological([value])

    def _of(self, node: Node) -> Node:
        """Return how the differential of a part is written: `dx`, `dx.T`, `d(A @ x)`."""
        match node:
            case Name(name) if name in self.moving:
                return Name(f"d{name}")
            case Attribute(operand, "T" | "mT" as turn):
                return Attribute(self._of(operand), turn)
            case Unary(sign, operand):
                return Unary(sign, self._of(operand))
        return Call("d", (node,)) if self._moves(node) else Number("0")

    def _derive(self, tree: Node) -> None:
        for node in innermost_first(tree):
            transparent = isinstance(node, Unary) or (isinstance(node, Attribute) and node.name in ("T", "mT"))
            if (node is not tree and transparent) or not self._moves(node) or node in self.differentials:
                continue
            self._step(node)

    def _step(self, node: Node) -> None:
        value = self.reader.tensor(node)
        if value is None:
            return
        meaning = unfolded(node) if isinstance(node, Call) else None
        if meaning is not None and isinstance(meaning, WORTH_A_LINE):
            for inner in innermost_first(meaning)[:-1]:
                if inner not in self.differentials and self._moves(inner) and not isinstance(inner, Unary):
                    self._step(inner)
        rule, tree = self._rule(meaning or node)
        self.differentials[node] = tree
        self.steps.append(Step(write(node), value.shape, write(tree), rule, write(meaning) if meaning else None))

    def _rule(self, node: Node) -> tuple[str, Node]:
        """Return the differential of an operation in terms of those of its operands."""
        operands = [operand for operand in operands_of(node) if self._moves(operand)]
        moving = [operand for operand in operands if self.reader.tensor(operand) is not None]
        if not moving:
            return "constant", Number("0")
        graphs = [self.reader.tensor(operand) for operand in moving]
        known = [graph for graph in graphs if graph is not None]
        values = self.reader.evaluated(known) or [np.broadcast_to(1.0, graph.shape) for graph in known]
        template, environment = template_of(node, moving), self.reader.environment
        local = Local(template, tuple(moving), tuple(values), environment, self.reader.values, self.reader.statics)
        rule, tree = differential(local)
        shown: dict[Node, Node] = {part(place): operand for place, operand in enumerate(moving)}
        shown |= {change(place): self._of(operand) for place, operand in enumerate(moving)}
        return rule, rewritten(tree, shown.get)

    # The end of the derivation.

    def _explained(self, whole: Node) -> Explanation:
        asked = self.reader.problem
        problem = replace(asked, kind="jacobian", wrt=(self.name,), batch=())
        shapes = {name: symbol.shape for name, symbol in self.reader.calculation.symbols.items()}
        form = closed_forms(problem, shapes, self.reader.statics)[0]
        formula = form.tree
        # What stands before dX goes with a dX that is symmetric itself: nothing is doubled there.
        along = replace(problem, independent_entries=False)
        coefficient = closed_forms(along, shapes, self.reader.statics)[0].tree if asked.independent_entries else formula
        output = self.reader.calculation.output
        variable = self.reader.calculation.symbols[self.name]
        groups = [output.shape, variable.shape]
        structure, meaning = structure_in_words(asked.text.strip(), output, variable, self.reader.evaluated)
        expanded = write(self._expanded(whole))
        return Explanation(
            wrt=self.name,
            steps=tuple(self.steps),
            expanded=expanded if len(expanded) <= LONGEST and len(self.steps) > 1 else None,
            collected=f"df = {write(collected(coefficient, self.name, output.shape, variable.shape))}",
            formula=write(formula),
            noun="Jacobian" if output.shape else "gradient",
            structure=structure,
            meaning=tuple(meaning),
            notes=tuple(conventions(output, variable)),
            sizes=dict(form.sizes),
            origins=dict(form.origins),
            condition=form.condition or None,
            in_layout=None
            if self.layout == "generalized"
            else laid_out(write(formula), groups, self.layout, (self.name,)),
        )

    def _expanded(self, tree: Node) -> Node:
        """Return a differential with the differentials of its parts put in, down to that of the variable."""

        def changed(item: Node) -> Node | None:
            match item:
                case Call("d", (inner,)) if inner in self.differentials:
                    return rewritten(self.differentials[inner], changed)
                case Name(name) if name in self.named:
                    return self.named[name]
            return None

        return rewritten(tree, changed)
