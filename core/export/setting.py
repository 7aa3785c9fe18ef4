"""What a function is made of: the closed forms of a problem, over sizes that have names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...grammar.syntax import Node
from ..elaboration.inference import trial_shapes
from ..elaboration.ranks import Ranks
from ..errors import ExpressionError
from ..formulas.closed_form import ClosedForm, exact_forms
from ..formulas.verified import closed_forms
from ..notation.structural import Sizes
from ..problems.calculation import Calculation
from ..problems.problem import DIRECTIONS, Problem, direction_name
from ..shapes import Shape


@dataclass
class Setting:
    """The closed forms of a problem, and the shapes of its inputs in sizes that have names."""

    problem: Problem
    inputs: Mapping[str, Shape]
    counts: Mapping[str, int]
    sizes: Sizes
    value: list[ClosedForm]
    derivatives: list[ClosedForm]
    ranks: Ranks

    @staticmethod
    def of(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int]) -> Setting:
        """Return the closed forms of a problem, that of its value first, over the ranks of these shapes."""
        shapes = {name: tuple(shapes[name]) for name in problem.names}
        asked = [replace(problem, kind="value"), *([problem] if problem.requests else [])]
        try:
            trial, counts, labels = trial_shapes(problem.program, shapes, problem.names, statics)
            forms = [closed_forms(one, shapes, statics) for one in asked]
            return Setting._over(problem, trial, {**statics, **counts}, counts, labels, forms)
        except ExpressionError:
            # Sizes that the expression, or a form chosen for these sizes, ties to numbers are kept as they are.
            forms = [exact_forms(one, shapes, statics) for one in asked]
            return Setting._over(problem, shapes, statics, {}, {}, forms)

    @staticmethod
    def _over(
        problem: Problem,
        shapes: Mapping[str, Shape],
        statics: Mapping[str, int],
        counts: Mapping[str, int],
        labels: dict[int, str],
        forms: list[list[ClosedForm]],
    ) -> Setting:
        """Return the setting over certain shapes; raise ShapeError where a form does not fit them."""
        calculation = Calculation(problem, shapes, statics=statics)
        inputs = dict(shapes)
        for name in problem.wrt if problem.kind in DIRECTIONS else ():
            inputs[direction_name(problem)] = calculation.direction_shape(name)
        ranks = Ranks(inputs, {name: size for size, name in labels.items()} | dict(counts))
        value, derivatives = forms if len(forms) > 1 else (forms[0], [])
        for form in (*value, *derivatives):
            ranks.add(form.program)
            ranks.add(form.tree)
        return Setting(problem, inputs, counts, Sizes(labels), value, derivatives, ranks)

    @property
    def forms(self) -> list[ClosedForm]:
        """The closed forms of what is asked for."""
        return self.derivatives or self.value

    def shape(self, name: str) -> list[Node]:
        """Return the shape of an input, in sizes with names."""
        return [self.sizes.tree(size) for size in self.inputs[name]]
