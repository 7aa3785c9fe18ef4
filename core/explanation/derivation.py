"""How a derivative comes about, for a person who learns: shapes, differentials, the derivative read off, its structure.

The way is that of Magnus and Neudecker: write the differential of each part in terms of the differentials of its
parts, collect what stands before dx, and read the derivative off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Command, Setting, Text, advise
from ...grammar.rewriting import rewritten
from ...grammar.syntax import Attribute, Binary, Call, Index, ListLiteral, Name, Node, Number, Unary
from ...grammar.writer import write
from ..arrays import Array, whole_numbers
from ..differentiation.differentiate import derivative
from ..elaboration.elaborate import Elaborator
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed, compile_program
from ..formulas.verified import formulas
from ..graph import nodes
from ..graph.algebra import is_zero
from ..graph.nodes import Apply, Map, Symbol, topological
from ..graph.structure import structure_of
from ..graph.transform import flatten
from ..notation.formula import SPOKEN
from ..notation.trees import transposed
from ..problems.answer import Input
from ..problems.calculation import Calculation
from ..problems.problem import Problem
from ..session import Wishes, prepare
from ..shapes import Shape, show
from .definitions import unfolded
from .differentials import Local, change, differential, operands_of, part, template_of

WORTH_A_LINE = (Binary, Unary, Attribute, Call, Index, ListLiteral)
LONGEST = 300
SHORT = 20


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
    long; `collected` is the same with the derivative drawn out, `formula` the derivative itself.
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


@dataclass(frozen=True)
class Lesson:
    """The explanation of an expression: its parts, then one explanation per name."""

    expression: str
    inputs: Mapping[str, Input]
    parts: tuple[Part, ...]
    explanations: tuple[Explanation, ...]


def explain(problem: Problem, given: Mapping[str, Input], wishes: Wishes) -> Lesson:
    """Return how the derivatives of a problem come about.

    Example: `explain(Problem.of("x.T @ A @ x", "jacobian", ("x",)), {}, Wishes()).explanations[0].steps[0]` says that
    the differential is `dx.T @ A @ x + x.T @ A @ dx`, by the product rule.

    Raises ExpressionError or InputError, as the derivative itself.
    """
    prepared = prepare(problem, given, wishes)
    values = {name: item.value for name, item in prepared.inputs.items()}
    reader = Reader(problem, prepared.calculation, values)
    explanations = tuple(Derivation(reader, name).explanation() for (name, *_) in problem.requests)
    return Lesson(problem.text, prepared.inputs, tuple(reader.parts()), explanations)


class Reader:
    """An expression with the graph, the shape and the value of each part."""

    def __init__(self, problem: Problem, calculation: Calculation, values: Mapping[str, Array]) -> None:
        self.problem = problem
        self.calculation = calculation
        self.values = values
        self.statics = whole_numbers(values)
        self.environment: dict[str, object] = dict(calculation.symbols)
        self._elaborator = Elaborator(self.environment, self.statics)
        for assignment in problem.program.assignments:
            self.environment[assignment.name] = self._elaborator.environment[assignment.name] = self._elaborator.visit(
                assignment.value
            )

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
        """Return graphs as numbers, None where an operation has no result."""
        try:
            return compile_program(flatten(nodes)).run(self.values)
        except OperationFailed:
            return None

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

    def __init__(self, reader: Reader, name: str) -> None:
        self.reader = reader
        self.name = name
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
        step = Step(write(node), value.shape, write(tree), rule, write(meaning) if meaning else None)
        self.steps.append(step)

    def _rule(self, node: Node) -> tuple[str, Node]:
        """Return the differential of an operation in terms of those of its operands."""
        moving: list[Node] = []
        for operand in operands_of(node):
            if self._moves(operand) and self.reader.tensor(operand) is not None:
                moving.append(operand)
        nodes = [self.reader.tensor(operand) for operand in moving]
        values = self.reader.evaluated([item for item in nodes if item is not None])
        if values is None or not moving:
            shapes = [item.shape for item in nodes if item is not None]
            values = [np.ones(shape) for shape in shapes]
        if not moving:
            return "constant", Number("0")
        environment = self.reader.environment
        template = template_of(node, moving)
        local = Local(template, tuple(moving), tuple(values), environment, self.reader.values, self.reader.statics)
        rule, tree = differential(local)
        shown: dict[Node, Node] = {part(place): operand for place, operand in enumerate(moving)}
        shown |= {change(place): self._of(operand) for place, operand in enumerate(moving)}
        return rule, rewritten(tree, shown.get)

    # The end of the derivation.

    def _explained(self, whole: Node) -> Explanation:
        problem = Problem(
            self.reader.problem.text, self.reader.problem.program, "jacobian", (self.name,),
            self.reader.problem.assumptions,
        )  # fmt: skip
        shapes = {name: symbol.shape for name, symbol in self.reader.calculation.symbols.items()}
        (formula,) = formulas(problem, shapes, self.reader.statics)
        output = self.reader.calculation.output
        variable = self.reader.calculation.symbols[self.name]
        jacobian = derivative(output, variable)
        structure, meaning = self._structure(output, variable, jacobian)
        expanded = write(self._expanded(whole))
        return Explanation(
            wrt=self.name,
            steps=tuple(self.steps),
            expanded=expanded if len(expanded) <= LONGEST and len(self.steps) > 1 else None,
            collected=f"df = {write(collected(formula, self.name, output.shape, variable.shape))}",
            formula=write(formula),
            noun="Jacobian" if output.shape else "gradient",
            structure=structure,
            meaning=tuple(meaning),
            notes=tuple(self._notes(output, variable)),
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

    def _structure(
        self, output: nodes.Node, variable: Symbol, jacobian: nodes.Node
    ) -> tuple[str | None, Sequence[Text]]:
        text, name = self.reader.problem.text.strip(), self.name
        found = structure_of(jacobian, output.rank)
        if found == "zero":
            return found, [f"the derivative is zero: the expression does not change with `{name}`"]
        if output.shape:
            found = found or self._seen_structure(jacobian, output.rank)
            return found, [_meaning(found, text, name)]
        return self._second_order(jacobian, variable)

    def _seen_structure(self, jacobian: nodes.Node, output_rank: int) -> str | None:
        """Return the structure that the numbers show where the graph has no word for it."""
        found = self.reader.evaluated([jacobian])
        if found is None or not found[0].size or np.all(found[0] != 0):
            return "dense"
        for first in range(output_rank):
            for second in range(output_rank, jacobian.rank):
                sizes = {jacobian.shape[first], jacobian.shape[second]}
                moved = np.moveaxis(found[0], (first, second), (0, 1))
                if len(sizes) == 1 and max(sizes) > 1 and not moved[~np.eye(max(sizes), dtype=bool)].any():
                    return "block diagonal"
        return None

    def _second_order(self, gradient: nodes.Node, variable: Symbol) -> tuple[str | None, list[str]]:
        """Say what the Hessian tells of a scalar expression."""
        hessian = derivative(gradient, variable)
        name = self.name
        if is_zero(hessian):
            kinked = any(isinstance(n, Map | Apply) and n.operator.kink for n in topological([gradient]))
            linear = f"the gradient does not depend on `{name}`: the expression is linear in it"
            between = f"the Hessian is zero: between its kinks the expression is linear in `{name}`"
            return None, [between if kinked or variable in topological([gradient]) else linear]
        found = structure_of(hessian, variable.rank)
        lines = []
        if variable not in topological([hessian]):
            lines.append(f"the Hessian does not depend on `{name}`: the expression is quadratic in it")
        if found in ("identity", "diagonal") and variable.rank:
            lines.append(f"the Hessian is diagonal: each entry of `{name}` has a term of its own (separable)")
        elif variable.rank:
            kind = f"{found} and " if found else ""
            lines.append(f"the Hessian is {kind}symmetric: the order of two derivatives does not matter")
        return None, lines

    def _notes(self, output: nodes.Node, variable: Symbol) -> Iterator[str]:
        """Yield the conventions that the derivative rests on."""
        if variable.symmetric:
            yield (
                f"`{self.name}` is symmetric: the derivative is that of f((X + X.T)/2), symmetric itself, with "
                "off-diagonal entries not counted twice"
            )
        elif variable.rank == 2 and not output.shape:
            yield f"the gradient has the shape of `{self.name}`: entry [i, j] is the derivative by {self.name}[i, j]"
        elif output.shape and variable.shape:
            yield f"the axes of the Jacobian: those of the output ({show(output.shape)}), then those of `{self.name}`"
        seen: set[str] = set()
        for node in topological([output]):
            if isinstance(node, Map | Apply) and variable in topological([node]):
                operator = node.operator
                if operator.kink and operator.name not in seen:
                    seen.add(operator.name)
                    where = f" where {operator.kink}" if len(operator.kink) <= SHORT else ""
                    value = ", y being its value" if where and "y" in operator.kink else ""
                    name = SPOKEN.get(operator.name, operator.name)
                    yield f"`{name}` has a kink{where}{value}: {operator.at_kink}"


def _meaning(structure: str | None, text: str, name: str) -> Text:
    match structure:
        case "identity":
            return f"identity: each entry of the output is the same entry of `{name}`, plus what does not change"
        case "diagonal":
            return advise(
                f"diagonal: each entry of the output depends on one entry of `{name}`, so the vector-Jacobian product "
                "with ones is the diagonal: ",
                Command("vjp", text, (name,), (Setting("cotangent", "ones"),)),
            )
        case "block diagonal":
            return (
                f"block diagonal: the axes that output and `{name}` share are not mixed, so each block can be computed "
                "by itself"
            )
        case "kronecker":
            return "a Kronecker product: flattened it is kron(P, Q) of two small matrices, and never has to be formed"
        case "dense":
            return f"dense: in general each entry of the output depends on every entry of `{name}`"
    return f"partly zero: not every entry of the output depends on every entry of `{name}`"


def collected(formula: Node, name: str, output: Shape, variable: Shape) -> Node:
    """Return the differential with the derivative drawn out: `(G).T @ dx`, `trace(G.T @ dX)`, `J @ dx`."""
    moved = Name(f"d{name}")
    match output, variable:
        case (_, ()):
            return Binary("*", formula, moved)
        case ((), (_,)):
            return Binary("@", transposed(formula), moved)
        case ((), (_, _)):
            return Call("trace", (Binary("@", transposed(formula), moved),))
        case ((), _):
            return Call("sum", (Binary("*", formula, moved),))
        case (_, (_,)):
            return Binary("@", formula, moved)
    return Call("tensordot", (formula, moved, Number(str(len(variable)))))
