"""Checks of whole answers: which function to difference, along which directions, at which point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import AnyArray, Array, largest
from ..errors import EvaluationError
from ..evaluation.program import OperationFailed
from ..graph.nodes import Apply, Map, topological
from ..problems.answer import Check
from ..problems.calculation import Calculation
from ..problems.draws import Draws
from ..problems.problem import tangent_name
from ..problems.sampling import tangent_projection
from .differences import STEPS, Direction, Evaluate, compare, random_direction

if TYPE_CHECKING:
    from ..compressed.structured import Structured

    Derive = Callable[[Mapping[str, Array]], Sequence[Structured]]

NEARBY = 0.05
ROUNDING = 0.05
SMALLEST_STEP = min(min(steps) for steps in STEPS.values() if steps != (0.0,))


def check_results(
    calculation: Calculation,
    values: Mapping[str, Array],
    data: Sequence[Array | Structured],
    at_kink: bool,
    seed: int,
    derive: Derive | None = None,
) -> Iterator[Check]:
    """Yield a check for each derivative of an answer.

    At a kink the derivative is a choice that differences cannot see, so the same program is checked at a point nearby;
    `derive` computes the derivatives there, where they are not dense arrays.
    """
    draws = Draws(seed, "check")
    note = ""
    values = {**values, **calculation.part_values(values)}
    if at_kink:
        names = calculation.problem.wrt
        moved = {name: values[name] + NEARBY * _direction(calculation, name, values, draws) for name in names}
        values = {**values, **moved}
        note = "at a point nearby, for the derivative is a choice here"
        try:
            data = calculation.program.run(values)[1:] if derive is None else derive(values)
        except (OperationFailed, EvaluationError):  # a point nearby may leave the domain; the answer itself stands
            for _ in data:
                yield Check(note="the derivative is a choice here, and no point nearby has a value")
            return
    operations = [node for node in topological([calculation.output]) if isinstance(node, Map | Apply)]
    analytic = all(node.operator.analytic for node in operations)
    for (wrt, _), array in zip(calculation.results, data, strict=True):
        evaluate, directions, claimed = _question(calculation, wrt, array, values, draws)
        check = compare(evaluate, values, directions, claimed, analytic)
        if not check.passed and not check.note and isinstance(array, np.ndarray):
            rounding = _is_rounding(calculation, values, wrt, array, draws)
            check = Check(note="the derivative is zero but for rounding here") if rounding else check
        yield check._replace(note=note) if note else check


def _is_rounding(
    calculation: Calculation, values: Mapping[str, Array], wrt: tuple[str, ...], data: Array, draws: Draws
) -> bool:
    """Whether a derivative is nothing but rounding.

    Inputs changed in their last digits give quite another one; or the value is nothing but rounding, and the derivative
    too small for differences of it to see.
    """
    position = 1 + [names for names, _ in calculation.results].index(wrt)

    def nearby() -> list[Array]:
        moved = {}
        for name, value in values.items():
            last_digits = draws.uniform(-4, 4, value.shape) * np.spacing(value)
            moved[name] = value + tangent_projection(calculation.problem.assumptions, name, last_digits)
        return calculation.program.run(moved)

    try:
        first, second = nearby(), nearby()
    except OperationFailed:  # the last digits may leave the domain, where nothing can be said
        return False
    noise_of_value, noise = (largest(first[place] - second[place]) for place in (0, position))
    size_of_value, size = largest(first[0]), largest(data)
    unseen = noise_of_value > ROUNDING * size_of_value and size <= noise_of_value / SMALLEST_STEP
    return noise > ROUNDING * size or unseen


def _direction(calculation: Calculation, name: str, values: Mapping[str, Array], draws: Draws) -> Array:
    direction = random_direction(values[name], draws)
    return tangent_projection(calculation.problem.assumptions, name, direction)


def _question(
    calculation: Calculation, wrt: tuple[str, ...], data: Array | Structured, values: Mapping[str, Array], draws: Draws
) -> tuple[Evaluate, list[Direction], Array]:
    """Return a function of the inputs, directions, and what the answer says of its derivative along them."""
    lead = () if calculation.samples is None else (calculation.samples,)

    def value(point: Mapping[str, AnyArray]) -> AnyArray:
        try:
            return calculation.separate_program.run(point)[0]
        except OperationFailed:
            return np.full(lead + calculation.shape, np.nan)

    name = wrt[0]
    match calculation.problem.kind:
        case "jvp":
            assert isinstance(data, np.ndarray)
            return value, [(name, values[tangent_name(name)])], data
        case "vjp":
            cotangent = values[tangent_name(name)]
            axes = tuple(range(-len(calculation.shape), 0))

            def paired(point: Mapping[str, AnyArray]) -> AnyArray:
                return np.asarray(np.sum(np.multiply(value(point), cotangent), axis=axes))

            direction = _direction(calculation, name, values, draws)
            return paired, [(name, direction)], _contracted(calculation, data, (name,), [direction])
        case "hvp":
            direction = _direction(calculation, name, values, draws)
            directions = [(name, values[tangent_name(name)]), (name, direction)]
            return value, directions, _contracted(calculation, data, (name,), [direction])
    chosen = [_direction(calculation, variable, values, draws) for variable in wrt]
    if len(wrt) == 1 and isinstance(data, np.ndarray):
        data, chosen = _finite_part(calculation, data, wrt[0], chosen)
    return value, list(zip(wrt, chosen, strict=True)), _contracted(calculation, data, wrt, chosen)


def _finite_part(
    calculation: Calculation, data: Array, name: str, directions: list[Array]
) -> tuple[Array, list[Array]]:
    """Leave out the entries of a variable by which the derivative is not finite: the others can still be checked."""
    finite = np.isfinite(data)
    if finite.all() or calculation.samples is not None:
        return data, directions
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


@np.errstate(all="ignore")
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
        if calculation.samples is not None and name in calculation.problem.batch:
            middle = result.ndim - 1 - rank
            spread = direction.reshape(direction.shape[0], *(1,) * middle, *direction.shape[1:])
            result = np.sum(result * spread, axis=tuple(range(result.ndim - rank, result.ndim)))
        else:
            result = np.tensordot(result, direction, rank)
    return np.asarray(result, dtype=np.float64)
