"""Closed forms on their own, without inputs: compared at random numbers before they are handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from ...grammar.advice import Command, advise
from ..arrays import SAME_NUMBERS, Array, Static, relative_error, silent
from ..errors import EvaluationError, MatgradError
from ..evaluation.program import OperationFailed
from ..notation.trees import length
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import DIRECTIONS, Problem, tangent_name
from ..problems.sampling import draw, needs
from ..shapes import Shape
from ..work import ASKED, TooMuchWork, allowed, check_length
from .attach import LARGEST_COMPARED, error_of
from .choices import Choices
from .closed_form import ClosedForm

# By so little the inputs move for another look at the rounding.
NUDGE = 1 + 2.0**-40
# Lengths of comparisons at smaller sizes, from here on.
SMALL = 5


class NoFormula(EvaluationError):
    """A derivative none of whose formulas has its numbers."""


@silent
def closed_forms(
    problem: Problem,
    shapes: Mapping[str, Shape],
    statics: Mapping[str, Static] | None = None,
    compiler: Compiler | None = None,
    *,
    everywhere: bool = False,
) -> list[ClosedForm]:
    """Return the closed form of each derivative of a problem, or of the value where none is asked for.

    Example: for the gradient of `x.T @ A @ x` it is `(A + A.T) @ x`. `shapes` are those of one sample; a formula for
    all sizes that does not hold there gives way to one for exactly these. A `compiler` is that of one sample. Forms
    that hold `everywhere` hold for singular matrices too.

    Raises TooMuchWork for a formula that is too long, or takes too long, and NoFormula where none of those found has
    the numbers of the derivative.
    """
    try:
        with allowed(ASKED):
            forms = _chosen(problem, shapes, statics or {}, compiler, everywhere)
            for form in forms:
                check_length(length(form.program), ASKED)
            return forms
    except (TooMuchWork, NoFormula) as beyond:
        beyond.helps = (advise("the numbers stand:  ", Command(problem.kind, problem.text, problem.wrt)),)
        raise


def _chosen(
    problem: Problem,
    shapes: Mapping[str, Shape],
    statics: Mapping[str, Static],
    compiler: Compiler | None,
    everywhere: bool,
) -> list[ClosedForm]:
    sample = problem.of_formula
    compiler = compiler or Compiler(sample)
    calculation = compiler.find(shapes, statics).calculation
    numbers = _numbers(calculation, statics)
    choices = Choices(problem)
    chosen = []
    for position in range(max(1, len(calculation.results))):
        forms = choices.at(position, calculation, everywhere=everywhere)
        form = next(forms, None)
        if form is not None and numbers is not None:
            values, data = numbers
            asked = [form] if _holds(form, values, data[position]) or _lost(calculation, *numbers, position) else forms
            form = next((one for one in asked if one is form or _holds(one, values, data[position])), None)
        elif form is not None:
            refuted = _refuted_when_smaller(Choices(problem), position, compiler, shapes, statics)
            form = next((one for one in (form, *forms) if one.text not in refuted), None) if refuted else form
        if form is None:
            raise NoFormula("no formula of this derivative was found that has its numbers")
        chosen.append(form)
    return chosen


def _refuted_when_smaller(
    choices: Choices, position: int, compiler: Compiler, shapes: Mapping[str, Shape], statics: Mapping[str, Static]
) -> set[str]:
    """Return the texts of those forms that do not hold at smaller sizes, where the comparison is no work."""
    lengths = sorted({length for shape in shapes.values() for length in shape if length > SMALL})
    smaller = {length: SMALL + place for place, length in enumerate(lengths)}
    try:
        shapes = {name: tuple(smaller.get(length, length) for length in shape) for name, shape in shapes.items()}
        calculation = compiler.find(shapes, statics).calculation
    except MatgradError:  # an expression that names its sizes has no others
        return set()
    numbers = _numbers(calculation, statics)
    if numbers is None or _lost(calculation, *numbers, position):
        return set()
    values, data = numbers
    return {one.text for one in choices.at(position, calculation) if not _holds(one, values, data[position])}


def _holds(form: ClosedForm, values: Mapping[str, Array], data: Array) -> bool:
    error = error_of(form._replace(problem=form.problem.of_formula), values, data)
    return error is None or error <= SAME_NUMBERS


def _lost(calculation: Calculation, values: Mapping[str, Array], data: Sequence[Array], position: int) -> bool:
    """Whether rounding has taken the numbers of a derivative, so that there is nothing to compare a formula with."""
    program = calculation.derivative_program
    nudged = {name: value * NUDGE if name in calculation.problem.wrt else value for name, value in values.items()}
    try:
        runs = program.run_perturbed(values).results, program.run(nudged)
    except OperationFailed:  # where the last digits decide whether there is a value
        return False
    return not all(relative_error(run[position], data[position]) <= SAME_NUMBERS for run in runs)


def _numbers(calculation: Calculation, statics: Mapping[str, Static]) -> tuple[dict[str, Array], list[Array]] | None:
    """Return random inputs and the derivatives there, None where there are none or they would take long."""
    problem = calculation.problem
    entries = [prod(node.shape) for node in (*calculation.symbols.values(), *(node for _, node in calculation.results))]
    if max(entries, default=0) > LARGEST_COMPARED or calculation.derivative_program.largest > LARGEST_COMPARED:
        return None
    demands = needs([calculation.original, calculation.output], general=True)
    values: dict[str, Array] = {}
    for name, symbol in calculation.symbols.items():
        static = calculation.statics.get(name)
        if isinstance(static, np.ndarray):
            values[name] = static
        elif name in statics and np.ndim(statics[name]) == 0 and not symbol.shape:
            values[name] = np.array(float(statics[name]))
        else:
            wanted = {*problem.assumptions.get(name, ()), *demands.get(name, ())}
            values[name] = draw(name, symbol.shape, "normal", 0, wanted)
    if problem.kind in DIRECTIONS:
        for name in problem.wrt:
            values[tangent_name(name)] = draw("direction", calculation.direction_shape(name), "normal", 0, ())
    try:
        return values, calculation.derivative_program.run(values)
    except OperationFailed:
        return None
