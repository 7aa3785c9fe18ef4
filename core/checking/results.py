"""Checks of whole answers: which function to difference, along which directions, at which point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrays import AnyArray, Array, all_finite, largest, relative_error, silent
from ..errors import EvaluationError
from ..evaluation.program import OperationFailed
from ..problems.answer import Check
from ..problems.calculation import Calculation
from ..problems.draws import Draws
from ..problems.problem import tangent_name
from ..problems.sampling import tangent_projection
from .conditioning import LARGEST, MOST_LOST, Loss, digits_lost, lost_by
from .differences import MARGIN, SMALLEST, UNSEEN, UNSTEADY, Direction, Evaluate, compare, random_direction
from .stencils import LINE_STEPS, LONG_STEPS

if TYPE_CHECKING:
    from ..compressed.structured import Structured

    Derive = Callable[[Mapping[str, Array]], Sequence[Structured]]

NEARBY = 0.05
# How far away differences look at most.
STEP = 2e-2
# How much a derivative may change within the smallest step of differences.
STEADY = 0.1
NOTHING_BUT_ROUNDING = "the derivative is zero but for rounding here"


def check_results(
    calculation: Calculation,
    values: Mapping[str, Array],
    data: Sequence[Array | Structured],
    at_kink: bool,
    seed: int,
    derive: Derive | None = None,
) -> Iterator[Check]:
    """Yield a check for each derivative of an answer.

    Where the expression itself loses digits there is nothing to compare with, and that is said instead. At a
    kink the derivative is a choice that differences cannot see, so the same program is checked at a point nearby;
    `derive` computes the derivatives there, where they are not dense arrays.
    """
    draws = Draws(seed, "check")
    note = ""
    values = {**values, **calculation.part_values(values)}
    if at_kink:
        note = "at a point nearby, for the derivative is a choice here"
        found = _beside(calculation, values, draws, derive)
        if found is None:  # the answer itself stands
            for _ in data:
                yield Check(note="the derivative is a choice here, and no point nearby has a value")
            return
        values, data = found
    loss = digits_lost(calculation, values, data)
    for place, ((wrt, _), array) in enumerate(zip(calculation.results, data, strict=True)):
        question = _question(calculation, wrt, array, values, draws)
        check = question.answered(values, calculation.is_analytic, loss.noise)
        if (
            not check.vouched
            and not loss.digits(place)
            and loss.noise < (near := _noise_nearby(calculation, values, question))
        ):
            check = question.answered(values, calculation.is_analytic, near)
        if not check.passed and isinstance(array, np.ndarray) and not _is_steady(calculation, values, question, place):
            check = Check(note=UNSTEADY)
        if loss.digits(place) and (check.passed or (check.finite_differences or 0.0) <= MARGIN * loss.share(place)):
            check = _not_vouched_for(check, loss, place, zero=check.note == UNSEEN or not question.claimed.any())
        yield check._replace(note="; ".join(filter(None, (check.note, note)))) if note else check


def beside(
    calculation: Calculation, values: Mapping[str, Array], seed: int, derive: Derive | None = None
) -> tuple[Mapping[str, Array], Sequence[Array | Structured]] | None:
    """Return a point beside a kink and the derivatives there, None where it has none: the point of the check."""
    return _beside(calculation, values, Draws(seed, "check"), derive)


def _beside(
    calculation: Calculation, values: Mapping[str, Array], draws: Draws, derive: Derive | None
) -> tuple[Mapping[str, Array], Sequence[Array | Structured]] | None:
    names = calculation.problem.wrt
    values = {**values, **calculation.part_values(values)}
    moved = {name: values[name] + NEARBY * _direction(calculation, name, values, draws) for name in names}
    values = {**values, **moved}
    try:
        return values, calculation.program.run(values)[1:] if derive is None else derive(values)
    except (OperationFailed, EvaluationError):  # a point nearby may leave the domain
        return None


def _direction(calculation: Calculation, name: str, values: Mapping[str, Array], draws: Draws) -> Array:
    direction = random_direction(values[name], draws)
    known = calculation.problem.assumptions.get(name, frozenset())
    return tangent_projection(known, values[name], direction)


def _not_vouched_for(check: Check, loss: Loss, place: int, *, zero: bool) -> Check:
    """Return what is said where digits are lost; of the value alone, where the derivative keeps its own and agrees."""
    lost = loss.digits(place)
    if loss.share(place) <= MOST_LOST and check.finite_differences is not None:
        agreement = f"in its value; the derivative agrees with {check.method}"
        return check._replace(note=f"{loss.note(place)}, {agreement}", digits_lost=lost)
    rounding = zero and loss.value <= MOST_LOST and not loss.overflowed
    return Check(note=NOTHING_BUT_ROUNDING if rounding else loss.note(place), digits_lost=lost)


class Question(NamedTuple):
    """What a check asks: a function of the inputs, directions, and what the answer says of its derivative along them.

    `scale` is the size of the terms that this is the sum of, `rounding` what underflow leaves out of it, and `weight`
    how much of the value the function counts.
    """

    evaluate: Evaluate
    directions: list[Direction]
    claimed: Array
    scale: float
    rounding: float = 0.0
    weight: float = 1.0

    def answered(self, values: Mapping[str, Array], analytic: bool, noise: float) -> Check:
        """Return the comparison; `noise` is the rounding of the value."""
        asked = self.evaluate, values, self.directions, self.claimed, analytic
        return compare(*asked, noise * self.weight, self.scale, self.rounding)


def _noise_nearby(calculation: Calculation, values: Mapping[str, Array], question: Question) -> float:
    """Return the rounding of the value where differences look: at the point itself it may be exact, or zero."""
    moved = dict(values)
    for name, direction in question.directions:
        moved[name] = values[name] + STEP * direction
    try:
        return lost_by(calculation.separate_program, moved).noise
    except OperationFailed:
        return 0.0


def _is_steady(calculation: Calculation, values: Mapping[str, Array], question: Question, place: int) -> bool:
    """Whether a derivative is nearly the same where differences look: of what oscillates they see nothing."""
    nearest = LINE_STEPS.get(len(question.directions), LONG_STEPS)
    moved = dict(values)
    for name, direction in question.directions:
        moved[name] = values[name] + min(nearest) * direction
    try:
        here, there = (calculation.program.run(point)[place + 1] for point in (values, moved))
    except OperationFailed:
        return False
    return relative_error(here, there) < STEADY


@silent
def _question(
    calculation: Calculation, wrt: tuple[str, ...], data: Array | Structured, values: Mapping[str, Array], draws: Draws
) -> Question:
    lead = () if calculation.samples is None else (calculation.samples,)

    def value(point: Mapping[str, AnyArray]) -> AnyArray:
        try:
            return calculation.separate_program.run(point)[0]
        except OperationFailed:
            return np.full(lead + calculation.shape, np.nan)

    name, kind = wrt[0], calculation.problem.kind
    if kind == "jvp":
        assert isinstance(data, np.ndarray)
        return Question(value, [(name, values[tangent_name(name)])], data, 0.0)
    evaluate, chosen, weight = value, _directions(calculation, wrt, values, draws), 1.0
    given: list[Direction] = []
    if kind == "hvp":
        given = [(name, values[tangent_name(name)])]
    elif kind == "vjp":
        cotangent = values[tangent_name(name)]
        axes, weight = tuple(range(-len(calculation.shape), 0)), float(np.sum(np.abs(cotangent)))

        def evaluate(point: Mapping[str, AnyArray]) -> AnyArray:
            return np.asarray(np.sum(np.multiply(value(point), cotangent), axis=axes))

    if len(wrt) == 1 and isinstance(data, np.ndarray):
        data, chosen = _finite_part(calculation, data, name, chosen)
    claimed, scale = _contracted(calculation, data, wrt, chosen), 0.0
    if isinstance(data, np.ndarray) and data.size <= LARGEST:
        scale = largest(_contracted(calculation, _sizes(data), wrt, [_sizes(one) for one in chosen]))
    rounding = prod([float(np.sum(np.abs(one))) for one in chosen], start=SMALLEST)
    return Question(evaluate, [*given, *zip(wrt, chosen, strict=True)], claimed, scale, rounding, weight)


def _sizes(array: Array) -> Array:
    return np.asarray(np.abs(array))


def _directions(
    calculation: Calculation, wrt: tuple[str, ...], values: Mapping[str, Array], draws: Draws
) -> list[Array]:
    """Return a direction for each variable; from its third place on a variable has that of its second."""
    chosen: list[Array] = []
    for place, name in enumerate(wrt):
        before = [k for k in range(place) if wrt[k] == name]
        chosen.append(chosen[before[1]] if len(before) > 1 else _direction(calculation, name, values, draws))
    return chosen


def _finite_part(
    calculation: Calculation, data: Array, name: str, directions: list[Array]
) -> tuple[Array, list[Array]]:
    """Leave out the entries of a variable by which the derivative is not finite: the others can still be checked."""
    if all_finite(data) or calculation.samples is not None:
        return data, directions
    finite = np.isfinite(data)
    rank = len(calculation.variables[name].shape)
    usable = finite.all(axis=tuple(range(data.ndim - rank)))
    if not usable.any():
        return data, directions
    return np.where(usable, data, 0.0), [directions[0] * usable]


def _weighted(calculation: Calculation, name: str, direction: Array) -> Array:
    """Halve a direction off the diagonal where each pair of entries counts as one variable."""
    if "independent" not in calculation.variables[name].assumptions:
        return direction
    return np.asarray(direction * (1 + np.eye(direction.shape[-1])) / 2)


@silent
def _contracted(
    calculation: Calculation, data: Array | Structured, wrt: tuple[str, ...], directions: list[Array]
) -> Array:
    """Return a derivative contracted with a direction for each variable, sample by sample where there is a batch."""
    directions = [_weighted(calculation, name, one) for name, one in zip(wrt, directions, strict=True)]
    if not isinstance(data, np.ndarray):
        return data.along(directions)
    result = data
    for name, direction in reversed(list(zip(wrt, directions, strict=True))):
        rank = len(calculation.variables[name].shape)
        if name in calculation.problem.per_sample:
            middle = result.ndim - 1 - rank
            spread = direction.reshape(direction.shape[0], *(1,) * middle, *direction.shape[1:])
            result = np.sum(result * spread, axis=tuple(range(result.ndim - rank, result.ndim)))
        else:
            lead = result.shape[: result.ndim - rank]
            result = (result.reshape(prod(lead), direction.size) @ direction.ravel()).reshape(lead)
    return np.asarray(result, dtype=np.float64)
