"""The formula of an answer, read again and compared with the numbers before it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from ..arrays import SAME_AT_INPUTS, Array, relative_error
from ..errors import MatgradError, surface
from ..evaluation.program import OperationFailed
from ..graph.nodes import topological
from ..notation.trees import length
from ..problems.answer import Result, Warning
from ..problems.calculation import Calculation
from ..problems.draws import Draws
from ..work import BESIDE, TooMuchWork, allowed, check_length
from .choices import Choices
from .closed_form import ClosedForm, Kept

if TYPE_CHECKING:
    from ..compressed.structured import Structured

    Point = tuple[Mapping[str, Array], Sequence[Array | Structured]]

LEFT_OUT = "formula-left-out"
BESIDE_KINK = "formula-beside-kink"
# The comparison evaluates the formula: for arrays beyond this it would cost more than the answer.
LARGEST_COMPARED = 4_000_000

# What is None has formulas that are too long.
_known: WeakKeyDictionary[Calculation, Choices | None] = WeakKeyDictionary()


def with_formulas(
    calculation: Calculation,
    values: Mapping[str, Array],
    results: Sequence[Result],
    *,
    compared: bool,
    beside: Callable[[], Point | None] | None = None,
) -> tuple[list[Result], list[Warning]]:
    """Return the results of an answer with their closed forms, and a warning where these are left out.

    Each formula is parsed and evaluated at the inputs and compared with the numbers, if `compared`; the error goes
    into the check. A form that does not hold at these inputs (a determinant that vanishes, say) gives way to one
    written for exactly their sizes. Where that does not hold either, as at a kink, a form that holds `beside` it is
    shown, and a warning says so.
    """
    choices = _choices(calculation)
    if choices is None:
        return list(results), [_left_out(BESIDE.too_long())]
    warnings: dict[str, Warning] = {}
    found = []
    try:
        with allowed(BESIDE):
            for position, result in enumerate(results):
                forms = list(choices.at(position, calculation)) if beside else choices.at(position, calculation)
                made = _with_formula(result, forms, values, choices.kept, compared=compared)
                if made is None:
                    point = beside() if beside else None
                    made, warning = _with_formula_beside(result, forms, point, position, choices.kept)
                    warnings[warning.code] = warning
                found.append(made)
    except TooMuchWork as beyond:
        _known[calculation] = None
        return list(results), [_left_out(beyond.message)]
    return found, [*warnings.values()]


def _left_out(reason: str) -> Warning:
    return Warning(f"{reason}; the numbers stand", code=LEFT_OUT)


def _with_formula(
    result: Result, forms: Iterable[ClosedForm], values: Mapping[str, Array], kept: Kept, *, compared: bool
) -> Result | None:
    """Return a result with the first form that holds at the inputs, None where there is none."""
    for form in forms:
        data = result.data if result.compressed is None else result.compressed
        error = error_of(form, values, data, kept) if compared else None
        if error is None or error <= SAME_AT_INPUTS:
            check = result.check._replace(formula=error) if result.check and error is not None else result.check
            return _showing(form, result._replace(check=check))
    return None


def _with_formula_beside(
    result: Result, forms: Iterable[ClosedForm], point: Point | None, position: int, kept: Kept
) -> tuple[Result, Warning]:
    """Return a result with a form that holds beside a kink, if there is one, and what to say."""
    for form in forms if point is not None else ():
        assert point is not None
        values, data = point
        error = error_of(form, values, data[position], kept)
        if error is None or error <= SAME_AT_INPUTS:
            said = "the formula holds beside the kink; at the kink itself only the numbers do"
            return _showing(form, result), Warning(said, code=BESIDE_KINK)
    return result, _left_out("no formula that was found agrees with the numbers here")


def _showing(form: ClosedForm, result: Result) -> Result:
    check_length(length(form.program), BESIDE)
    return result._replace(formula=form.text, sizes=form.sizes, origins=form.origins, condition=form.condition)


def _choices(calculation: Calculation) -> Choices | None:
    """Return the forms to choose from, None where the derivative is too large to be read."""
    if calculation not in _known:
        roots = [calculation.output, *(node for _, node in calculation.results)]
        small = len(topological(roots)) <= BESIDE.parts
        _known[calculation] = Choices(calculation.problem) if small else None
    return _known[calculation]


def error_of(
    form: ClosedForm, values: Mapping[str, Array], data: Array | Structured, kept: Kept | None = None
) -> float | None:
    """Return how far a formula is from the numbers, relative to the largest; None where that is not looked at."""
    try:
        pair = _compared(form, values, data, kept)
    except TooMuchWork:
        raise
    except (MatgradError, OperationFailed):  # what does not fit these sizes or numbers is wrong for them
        return float("inf")
    except Exception as problem:  # whatever keeps a formula from being read or evaluated makes it wrong here
        surface(problem)
        return float("inf")
    return None if pair is None else _difference(*pair)


def _compared(
    form: ClosedForm, values: Mapping[str, Array], data: Array | Structured, kept: Kept | None
) -> tuple[Array, Array] | None:
    """Return formula and derivative as arrays, along random directions where it is compressed; None for large ones."""
    if isinstance(data, np.ndarray):
        return (form.evaluate(values, kept), data) if data.size <= LARGEST_COMPARED else None
    axes, draws = data.form.axes, Draws(0, "directions")
    directions = [draws.normal([axes.shape[axis] for axis in own]) for own in axes.variables]
    calculation, numbers = form.read_again(values, kept)
    formula = calculation.compressed_value(numbers, axes, data.limit)
    return None if formula is None else (formula.along(directions), data.along(directions))


def _difference(value: Array, data: Array) -> float | None:
    """Return how far a formula's numbers are from the derivative where that is finite, None where it is nowhere."""
    finite = np.isfinite(data)
    if value.shape == data.shape and not finite.any():
        return None
    if value.shape != data.shape or finite.all():
        return relative_error(value, data)
    return relative_error(value[finite], data[finite])
