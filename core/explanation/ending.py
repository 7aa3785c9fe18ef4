"""The end of a derivation: from the differential of the whole to the derivative that is read off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...grammar.parser import parse
from ...grammar.rewriting import filled, replaced, rewritten
from ...grammar.syntax import Binary, Call, Name, Node, Program, walk
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, Array, relative_error
from ..evaluation.program import OperationFailed, compile_program
from ..formulas.closed_form import ClosedForm, origins_of
from ..formulas.layouts import laid_out
from ..formulas.verified import closed_forms
from ..graph import catalogue
from ..graph.transform import flatten
from ..problems.draws import Draws
from ..problems.problem import Problem
from .collecting import BRACKETS, steps_to_the_end, vectorized
from .lesson import Explanation, Line
from .meaning import collected, structure_in_words
from .reading import Reader
from .steps import Steps

LONGEST = 300


class Ending:
    """What is said of one derivative once the differentials of all parts are there."""

    def __init__(self, reader: Reader, steps: Steps, name: str, value: str) -> None:
        self.reader = reader
        self.steps = steps
        self.name = name
        self.output = reader.calculation.output
        self.variable = reader.calculation.symbols[name]
        self.value = value.upper() if self.output.rank > 1 else value
        self.shapes = {name: symbol.shape for name, symbol in reader.calculation.symbols.items()}
        self.problem = replace(reader.problem.of_one_sample, kind="jacobian", wrt=(name,))

    def explanation(self, layout: str) -> Explanation:
        """Return the explanation."""
        reader, asked = self.reader, self.reader.problem
        form = self._form(self.problem)
        text = asked.text.strip()
        structure, meaning = structure_in_words(text, self.output, self.variable, reader.evaluated)
        last, sizes = self._collected(form)
        expanded = write(self.steps.expanded)
        is_long = len(expanded) > LONGEST
        lines = [] if is_long else self._lines(last, form)
        last = lines[-1].text if lines else last
        groups = [self.output.shape, self.variable.shape]
        told = [*(step.differential for step in self.steps.found), *(line.text for line in lines), last]
        product = self._vectorized()
        told += [product] if product else []
        return Explanation(
            wrt=self.name,
            expr=text,
            value=self.value,
            steps=tuple(self.steps.found),
            expanded=None if is_long else expanded,
            lines=tuple(lines),
            collected=f"d{self.value} = {last}",
            formula=write(form.tree),
            noun="Jacobian" if self.output.shape else "gradient",
            structure=structure,
            meaning=tuple(meaning),
            notes=(),
            sizes=dict(form.sizes),
            origins={**form.origins, **sizes, **self._lengths(told)},
            introduced={
                **{name: write(tree) for name, tree in self.steps.letters.items()},
                **self._introduced([*told, write(form.tree)]),
            },
            vectorized=product,
            condition=form.condition or None,
            in_layout=None
            if layout == "generalized"
            else laid_out(write(form.tree), groups, layout, (self.name,)),
        )  # fmt: skip

    def _form(self, problem: Problem) -> ClosedForm:
        return closed_forms(problem, self.shapes, self.reader.statics)[0]

    def _collected(self, form: ClosedForm) -> tuple[str, Mapping[str, str]]:
        """Return the differential with the derivative drawn out, and where lengths in it come from."""
        change = f"d{self.name}"
        if self.output.rank + self.variable.rank > 2 and self.output.rank and self.variable.rank:
            pushed = self._form(replace(self.problem, kind="jvp", independent_entries=False))
            program = replaced(pushed.program, Name("tangent"), Name(change))
            assert isinstance(program, Program)
            return write(self._with_known_names(program)), pushed.origins
        # What stands before dX goes with a dX that is symmetric itself: nothing is doubled there.
        asked = self.problem
        if asked.independent_entries:
            form = self._form(replace(asked, independent_entries=False))
        known = {graph: name for tree, name in self.reader.names.items() if (graph := self.reader.tensor(tree))}

        def called(node: Node) -> Node | None:
            graph = None if isinstance(node, Name) else self.steps.along.here(node)
            return None if graph is None else known.get(graph)

        tree = rewritten(form.tree, called) if known else form.tree
        return write(collected(tree, self.name, self.output.shape, self.variable.shape)), form.origins

    def _with_known_names(self, program: Program) -> Node:
        """Return a formula whose parts are called as they are here; those that are new here are introduced."""
        known: dict[object, Node] = {
            graph: name for tree, name in self.reader.names.items() if (graph := self.reader.tensor(tree))
        }
        here = self.steps.along.here
        known |= {graph: Name(name) for name, tree in self.steps.letters.items() if (graph := here(tree))}
        letters: dict[str, Node] = {}
        for item in program.assignments:
            value = filled(item.value, letters)
            graph = here(value)
            if graph is None or (graph not in known and item.name in self.reader.environment):
                return program
            if graph not in known:
                self.steps.letters[item.name] = value
                self.steps.along.know(item.name, value)
            letters[item.name] = known.get(graph, Name(item.name))
        return filled(program.result, letters)

    def _lines(self, last: str, form: ClosedForm) -> list[Line]:
        """Return the forms on the way to the last one, as far as they hold at random inputs."""
        change = Name(f"d{self.name}")
        found: list[Line] = []
        shown = write(self.steps.expanded)
        assumed = self.reader.problem.assumptions
        symmetric = frozenset(
            name for name, symbol in self.reader.calculation.symbols.items() if symbol.symmetric and name in assumed
        )
        steps = steps_to_the_end(self.steps.expanded, change, self.steps.along, symmetric)
        wanted: Array | None = None
        for rule, tree in steps:
            text = write(tree)
            if rule == BRACKETS and len(text) >= len(shown):
                continue
            if text != shown:
                wanted = self._numbers(self.steps.expanded) if wanted is None else wanted
                if wanted is None or not self._same(tree, wanted):
                    break
                found.append(Line(text, rule))
                shown = text
        plain = f"{write(form.tree)} @ d{self.name}" == shown
        said = [line.text for line in found]
        if last not in said and shown != last and not plain and self._is_plainer(last, shown):
            found.append(Line(last, self._last_rule()))
        return found

    def _is_plainer(self, last: str, shown: str) -> bool:
        """Whether the last line says more than the steps do: a linear map of matrices may stay as it is."""
        if not (self.output.rank and self.variable.rank) or self.output.rank + self.variable.rank < 3:
            return True
        return len(last) < len(shown)

    def _last_rule(self) -> str:
        if self.output.rank or not self.variable.rank:
            return "collected"
        shown = "G.T @ d{0}" if self.variable.rank == 1 else "trace(G.T @ d{0})" if self.variable.rank == 2 else "{0}"
        symmetric = f", {self.name} symmetric" if self.variable.symmetric else ""
        return "collected: " + shown.format(self.name) + symmetric

    def _same(self, tree: Node, wanted: Array) -> bool:
        found = self._numbers(tree)
        return found is not None and found.shape == wanted.shape and relative_error(found, wanted) <= SAME_NUMBERS

    def _numbers(self, tree: Node) -> Array | None:
        """Return a differential at random inputs and along a random change, None where it has no value there."""
        graph = self.steps.along.here(tree)
        if graph is None:
            return None
        values = {**self.reader.values, f"d{self.name}": self._direction()}
        try:
            return compile_program(flatten([graph])).run(values)[0]
        except (OperationFailed, ValueError):
            return None

    def _direction(self) -> Array:
        drawn = Draws(7, "change").normal(self.variable.shape)
        return (drawn + np.swapaxes(drawn, -1, -2)) / 2 if self.variable.symmetric else drawn

    def _vectorized(self) -> str | None:
        """Return vec(dF) as a matrix times vec(dX), None where it is no such product or does not hold."""
        if self.output.rank != 2 or self.variable.rank != 2:
            return None
        change = Name(f"d{self.name}")
        matrix = vectorized(self.steps.expanded, change, self.steps.along)
        if matrix is None:
            return None
        wanted = self._numbers(Call("vec", (self.steps.expanded,)))
        product = Binary("@", matrix, Call("vec", (change,)))
        return write(product) if wanted is not None and self._same(product, wanted) else None

    def _lengths(self, told: list[str]) -> Mapping[str, str]:
        """Return where the lengths come from that the steps name."""
        general, lengths = self.reader.general
        words = {node.name for text in told for node in walk(parse(text)) if isinstance(node, Name)}
        return origins_of(general, {name for name in lengths if name in words})

    def _introduced(self, told: list[str]) -> dict[str, str]:
        """Return what the functions are that the derivation uses and the expression does not name."""
        typed = {node.function for node in walk(self.reader.problem.program) if isinstance(node, Call)}
        known = {operator.name for name in typed if (operator := catalogue.find(name))}
        used = {node.function: node for text in told for node in walk(parse(text)) if isinstance(node, Call)}
        found = {}
        for name in used:
            operator = catalogue.find(name)
            meaning = "" if operator is None else operator.meaning or operator.regular
            if operator is not None and meaning and operator.name not in known:
                (operand, *_) = operator.operands
                letters = "M N Q" if operand.isupper() else "t u v z"
                letter = next((one for one in letters.split() if one not in self.reader.environment), operand)
                tree = filled(parse(meaning).result, {operand: Name(letter)})
                found[f"{operator.name}({letter})"] = write(tree)
        return found
