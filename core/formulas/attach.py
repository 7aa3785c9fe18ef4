"""The formula of an answer, read again and compared with the numbers before it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

LEFT_OUT = "formula-left-out"
# The comparison evaluates the formula: for arrays beyond this it would cost more than the answer.
LARGEST_COMPARED = 4_000_000

# What is None has formulas that are too long.
_known: WeakKeyDictionary[Calculation, Choices | None] = WeakKeyDictionary()


def with_formulas(
    calculation: Calculation, values: Mapping[str, Array], results: Sequence[Result], *, compared: bool
) -> tuple[list[Result], list[Warning]]:
    """Return the results of an answer with their closed forms, and a warning where these are left out.

    Each formula is parsed and evaluated at the inputs and compared with the numbers, if `compared`; the error goes
    into the check. A form that does not hold at these inputs (a determinant that vanishes, say) gives way to one
    written for exactly their sizes, and is left out if that does not hold either.
    """
    choices = _choices(calculation)
    if choices is not None:
        try:
            with allowed(BESIDE):
                forms = ((result, choices.at(position, calculation)) for position, result in enumerate(results))
                kept = choices.kept
                return [_with_formula(result, own, values, kept, compared=compared) for result, own in forms], []
        except TooMuchWork as beyond:
            _known[calculation] = None
            return list(results), [_left_out(beyond.message)]
    return list(results), [_left_out(BESIDE.too_long())]


def _left_out(reason: str) -> Warning:
    return Warning(f"{reason}; the numbers stand", code=LEFT_OUT)


def _with_formula(
    result: Result, forms: Iterable[ClosedForm], values: Mapping[str, Array], kept: Kept, *, compared: bool
) -> Result:
    for form in forms:
        data = result.data if result.compressed is None else result.compressed
        error = error_of(form, values, data, kept) if compared else None
        if error is None or error <= SAME_AT_INPUTS:
            check_length(length(form.program), BESIDE)
            check = result.check._replace(formula=error) if result.check and error is not None else result.check
            return result._replace(
                formula=form.text, sizes=form.sizes, origins=form.origins, condition=form.condition, check=check
            )
    return result


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
