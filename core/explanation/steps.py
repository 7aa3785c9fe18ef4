"""The differential of each part of an expression, innermost first, in terms of the differentials of its parts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...grammar import syntax
from ...grammar.rewriting import filled, rewritten
from ...grammar.syntax import Assignment, Attribute, Call, Keyword, Name, Node, Number, Program, Unary
from ...grammar.writer import write
from ..graph.nodes import topological
from ..notation.trees import times
from .differentials import Proposal, differential, has_changes, of_whole_call
from .lesson import Step
from .local import Local, change, operands_of, part, template_of
from .reading import WORTH_A_LINE, Along, Reader, innermost_first

SPARE = ("V", "U", "Q", "P", "N", "W", "V2", "U2", "Q2")


class Steps:
    """The differentials by one name; `expanded` is that of the whole, down to the differential of the variable."""

    def __init__(self, reader: Reader, name: str) -> None:
        self.reader = reader
        self.name = name
        self.along: Along = reader.along(name)
        self.moving = {name}
        self.differentials: dict[Node, Node] = {}
        self.named: dict[str, Node] = {}
        # What the rules themselves name, as the eigenvectors `V = eigh(X)[1]`.
        self.letters: dict[str, Node] = {}
        self.found: list[Step] = []
        self.expanded: Node = Number("0")

    def take(self) -> None:
        """Go through the expression statement by statement."""
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
        if not self.found:
            self.found.append(Step(self.name, self.reader.calculation.shape, f"d{self.name}", "the variable itself"))
        self.expanded = self._expanded(whole)

    @property
    def told(self) -> Node:
        """All that is written of the differentials, in one tree."""
        return syntax.ListLiteral(tuple(self.differentials.values()))

    def _note_assignment(self, name: str, tree: Node) -> None:
        value = self.reader.tensor(tree)
        shape = value.shape if value is not None else ()
        if not isinstance(tree, WORTH_A_LINE) or not self.found or self.found[-1].text != write(tree):
            self.found.append(Step(name, shape, write(self._of(tree)), "named"))
            return
        last = self.found.pop()
        self.found.append(Step(name, shape, last.differential, last.rule, last.meaning or last.text))

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
        local = self._local(node)
        found = None if local is None else of_whole_call(local)
        meaning = self.reader.unfolded(node) if found is None else None
        if meaning is not None:
            for inner in innermost_first(meaning)[:-1]:
                if inner not in self.differentials and self._moves(inner) and not isinstance(inner, Unary):
                    self._step(inner)
            local = self._local(meaning)
        rule, tree = ("constant", Number("0")) if local is None else self._shown(found or differential(local), local)
        self.differentials[node] = tree
        self.found.append(Step(write(node), value.shape, write(tree), rule, write(meaning) if meaning else None))

    def _local(self, node: Node) -> Local | None:
        """Return an operation by itself, None where no operand of it moves."""
        operands = [operand for operand in operands_of(node) if self._moves(operand)]
        moving = [operand for operand in operands if self.reader.tensor(operand) is not None]
        if not moving:
            return None
        known = [graph for graph in map(self.reader.tensor, moving) if graph is not None]
        values = self.reader.evaluated(known) or [np.broadcast_to(1.0, graph.shape) for graph in known]
        environment, statics = self.along.at_hand
        return Local(
            template=template_of(node, moving),
            operands=tuple(moving),
            values=tuple(values),
            environment=environment,
            inputs=self.reader.values,
            statics=statics,
            anywhere=self.along.anywhere(moving),
        )

    def _shown(self, proposal: Proposal, local: Local) -> Proposal:
        """Return a differential over placeholders with the operands and their differentials in place."""
        rule, tree = proposal
        standing = isinstance(tree, Program) and not any(map(has_changes, (item.value for item in tree.assignments)))
        if standing and isinstance(tree, Program):
            tree = self._with_letters(tree)
        shown: dict[Node, Node] = {part(place): operand for place, operand in enumerate(local.operands)}
        shown |= {change(place): self._of(operand) for place, operand in enumerate(local.operands)}
        found = rewritten(rewritten(rewritten(tree, shown.get), self.reader.names.get), self._counted)
        if not isinstance(found, Program) or not standing:
            return rule, found
        if not all(self.along.know(item.name, item.value) for item in found.assignments):
            return rule, found
        self.letters |= {item.name: item.value for item in found.assignments}
        return rule, found.result

    def _with_letters(self, tree: Program) -> Node:
        """Return a rule of several statements with letters that nothing else has."""
        taken = {*self.reader.problem.names, *self.reader.environment, *self.letters}
        letters: dict[str, Node] = {}
        for item in tree.assignments:
            letter = next(name for name in (item.name, *SPARE) if name not in taken)
            letters[item.name] = Name(letter)
            taken.add(letter)
        return filled(rewritten(tree, lambda item: _renamed(item, letters)), letters)

    def _counted(self, node: Node) -> Node | None:
        """Say the number of entries by its name: `n` for `count(x)`."""
        match node:
            case Call("count", (operand,), ()):
                lengths = self.along.lengths(operand)
                return times(lengths) if lengths else None
            case Call("count", (operand,), (Keyword("axis", Unary("-", Number("1"))),)):
                lengths = self.along.lengths(operand)
                return lengths[-1] if lengths else None
            case Call("ones_like", (operand,), ()):
                lengths = self.along.lengths(operand)
                return Call("ones", (syntax.TupleLiteral(lengths),)) if len(lengths) > 1 else None
        return None

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


def _renamed(node: Node, letters: Mapping[str, Node]) -> Node | None:
    match node:
        case Assignment(name, value) if isinstance(letter := letters.get(name), Name):
            return Assignment(letter.name, value)
    return None
