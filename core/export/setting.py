"""What a function is made of: the closed forms of a problem, over sizes that have names."""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace

from ...grammar.syntax import Node
from ..arrays import Static
from ..elaboration.ranks import Ranks
from ..errors import ExpressionError
from ..formulas.closed_form import ClosedForm, exact_forms, merged, merged_forms
from ..formulas.verified import closed_forms
from ..graph.nodes import Coefficient, topological
from ..graph.sizes import Quotient, Size, atoms, length, quotient
from ..notation.lengths import length_tree
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import DIRECTIONS, Problem, direction_name
from ..shapes import Shape


class _Ranks(Ranks):
    """The ranks of the parts of formulas: a division of lengths leaves no rest where it leaves none in the graph."""

    def __init__(self, calculation: Calculation, shapes: Mapping[str, Shape], sizes: Mapping[str, Static]) -> None:
        super().__init__(shapes, sizes)
        nodes = topological([calculation.original, *(node for _, node in calculation.results)])
        found = {atom for node in nodes for size in node.shape for atom in atoms(size)}
        divisions = [atom[:2] for atom in found if isinstance(atom, Quotient) and atom.exact]
        self._divided = {quotient(*parts): quotient(*parts, exact=True) for parts in divisions}

    def whole_part(self, value: Coefficient) -> int:
        """Return a size that is computed by `//`."""
        size = super().whole_part(value)
        return self._divided.get(size, size)


@dataclass
class Setting:
    """The closed forms of a problem, and the shapes of its inputs in sizes that have names."""

    problem: Problem
    inputs: Mapping[str, Shape]
    counts: Set[str]
    indices: Set[str]
    lengths: tuple[str, ...]
    value: list[ClosedForm]
    derivatives: list[ClosedForm]
    ranks: Ranks

    @staticmethod
    def of(
        problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static], *, everywhere: bool = True
    ) -> Setting:
        """Return the closed forms of a problem, that of its value first, over the ranks of these shapes.

        Those that hold `everywhere` are for programs; what a person reads holds where inverses exist.
        """
        shapes = {name: tuple(shapes[name]) for name in problem.names}
        asked = [replace(problem, kind="value"), *([problem] if problem.requests else [])]
        compilers = [Compiler(one.of_formula) for one in asked]
        found = [compiler.find(shapes, statics).calculation for compiler in compilers]
        calculation = found[-1]
        general, lengths = calculation.general or (calculation, {})
        forms = [
            closed_forms(one, shapes, statics, compiler, everywhere=everywhere)
            for one, compiler in zip(asked, compilers, strict=True)
        ]
        if any(form.merged for chosen in forms for form in chosen):
            general, lengths = merged(calculation)
            forms = [merged_forms(*pair) for pair in zip(asked, found, strict=True)]
        if not any(form.of_these_sizes for chosen in forms for form in chosen):
            with suppress(ExpressionError):  # a form that was chosen for these sizes does not fit others
                return Setting._over(problem, general, tuple(lengths), forms)
        if not everywhere:
            return Setting._over(problem, calculation, (), forms)
        forms = [exact_forms(*pair) for pair in zip(asked, found, strict=True)]
        return Setting._over(problem, calculation, (), forms)

    @staticmethod
    def _over(
        problem: Problem, calculation: Calculation, lengths: tuple[str, ...], forms: list[list[ClosedForm]]
    ) -> Setting:
        """Return the setting over the shapes of a calculation; raise ShapeError where a form does not fit them."""
        inputs = {name: symbol.shape for name, symbol in calculation.symbols.items()}
        for name in problem.wrt if problem.kind in DIRECTIONS else ():
            inputs[direction_name(problem)] = calculation.direction_shape(name)
        counts = {name for name, size in calculation.statics.items() if isinstance(size, Size)}
        sizes = {name: length(name) for name in (*lengths, *counts)} | dict(calculation.statics)
        ranks = _Ranks(calculation, inputs, sizes)
        value, derivatives = forms if len(forms) > 1 else (forms[0], [])
        for form in (*value, *derivatives):
            ranks.add(form.program)
            ranks.add(form.tree)
        return Setting(problem, inputs, counts, calculation.indices, lengths, value, derivatives, ranks)

    @property
    def forms(self) -> list[ClosedForm]:
        """The closed forms of what is asked for."""
        return self.derivatives or self.value

    def shape(self, name: str) -> list[Node]:
        """Return the shape of an input, in sizes with names."""
        return [length_tree(size) for size in self.inputs[name]]
