"""Trust: a derivative is compared with what the value alone says, before it is shown.

The value is a function of the inputs that knows nothing of the rules. Its derivative along random directions is
estimated by the complex step where every operator on the way is analytic (Squire, Trapp 1998), by Cauchy's integral for
higher orders of those, and by central differences elsewhere and where these fail. What an estimate can see is told by
the sizes of what is subtracted in it: an error counts where it is larger than their rounding, and a derivative that is
smaller than that is neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from time import perf_counter
from types import EllipsisType
from typing import NamedTuple, TypeAlias

import numpy as np

from ..arrays import AnyArray, Array, all_finite, largest, silent
from ..problems.answer import Check
from ..problems.draws import Draws
from .stencils import COMPLEX, Stencil, on_line, points, rules, steps

Values = Mapping[str, Array]
Evaluate: TypeAlias = "Callable[[Mapping[str, AnyArray]], AnyArray]"
Direction = tuple[str, Array]

# By order: what an error of differences must not exceed, and what is not worth another step.
TOLERANCE = {0: 1e-9, 1: 1e-6, 2: 1e-5, 3: 1e-3}
GOOD_ENOUGH = {0: 1e-12, 1: 1e-10, 2: 1e-9, 3: 1e-7}
SECONDS = 5.0
EPSILON = float(np.finfo(np.float64).eps)
SMALLEST = float(np.finfo(np.float64).smallest_subnormal)
# How much larger than its estimate rounding may be.
MARGIN = 10.0
# What the third derivative leaves in a complex step, beside what other differences see.
NOTHING = 1e-20
# How large the rounding of an estimate may be beside a derivative that it still confirms.
ROUGHLY = 1e-4

VALUE = "its value"
UNSEEN = "the derivative is too small beside the value for differences to see it"
UNSTEADY = "the value changes too fast nearby for differences to follow it"


class Estimate(NamedTuple):
    """A derivative as the value tells it: `floor` is what its rounding may be, `spread` what a kink may hide in it."""

    found: Array
    floor: float
    spread: float
    method: str


@silent
def compare(
    evaluate: Evaluate,
    values: Values,
    directions: Sequence[Direction],
    claimed: Array,
    analytic: bool,
    noise: float = 0.0,
    scale: float = 0.0,
    rounding: float = 0.0,
) -> Check:
    """Compare a directional derivative with what the value says.

    Example: `compare(f, {"x": x}, [("x", v)], J @ v, analytic=True)`. The order is the number of directions; `claimed`
    has the shape of the value. The error is relative to the largest entry; entries where the value or the derivative
    is not finite are left out. `noise` is the rounding of the value, where that is known to be more than its last
    digit, `scale` the size of the terms that `claimed` is the sum of: the error is relative to them where it is known.
    `rounding` is that of `claimed`.
    """
    value = np.asarray(evaluate(values), dtype=np.float64)
    seen: AnyArray | EllipsisType = ...
    if not (all_finite(value) and all_finite(claimed)):
        if not np.isfinite(value).any():
            return Check(note="the value is not finite here")
        seen = np.isfinite(claimed) & np.isfinite(value)
        if not seen.any():
            return Check(note="the derivative is not finite here")
    order, target = min(len(directions), 3), claimed[seen]
    found: list[Estimate] = []
    started = perf_counter()
    best: tuple[float, Estimate] | None = None
    for one in _estimates(evaluate, values, directions, analytic, value, noise):
        estimate = one._replace(found=np.asarray(one.found)[seen], floor=one.floor + rounding)
        if not all_finite(estimate.found):
            continue
        found.append(estimate)
        error = _relative(estimate, target, TOLERANCE[order], scale)
        if error is not None and (best is None or error < best[0]):
            best = error, estimate
        if (best is not None and best[0] < GOOD_ENOUGH[order]) or perf_counter() - started > SECONDS:
            break
    if not found:
        return Check(note="the value is not finite nearby")
    if best is not None and best[0] <= TOLERANCE[order]:
        return Check(finite_differences=best[0], method=best[1].method)
    zero = None if target.any() else _agreement_on_zero(found)
    return zero or _verdict(found, target, best, TOLERANCE[order], scale)


def _relative(estimate: Estimate, claimed: Array, tolerance: float, least_scale: float) -> float | None:
    """Return the relative error that an estimate shows, None where its rounding is larger than what it should see."""
    error = largest(estimate.found - claimed)
    scale = max(largest(claimed), largest(estimate.found), least_scale)
    if estimate.floor > tolerance * scale:
        return None
    return error / scale if scale else 0.0


def _agreement_on_zero(found: Sequence[Estimate]) -> Check | None:
    """Return the check of a derivative that is zero, where no estimate sees more of it than its own rounding.

    The scale of the error is what was subtracted then.
    """
    lines = [one for one in found if one.method != COMPLEX.method]
    if not lines:
        return None
    sharpest = min(lines, key=lambda one: one.floor)
    limits = (MARGIN**2 * one.floor if one.method != COMPLEX.method else NOTHING * sharpest.floor for one in found)
    if any(largest(one.found) > limit for one, limit in zip(found, limits, strict=True)):
        return None
    error = largest(sharpest.found) * EPSILON / sharpest.floor if sharpest.floor else 0.0
    return Check(finite_differences=error, method=sharpest.method)


def _verdict(
    found: Sequence[Estimate], claimed: Array, best: tuple[float, Estimate] | None, tolerance: float, least_scale: float
) -> Check:
    """Return what is said of a derivative that no estimate agrees with: it is wrong where they see that for sure."""
    if best is None:
        return Check(note=UNSEEN)
    sure = []
    for one in found:
        scale = max(largest(claimed), largest(one.found), least_scale)
        hidden = tolerance * scale + MARGIN * one.floor + one.spread
        # The rounding of a complex step is that of the expression, which may cancel where the derivative does not.
        seen = one.floor <= tolerance * scale and one.method != COMPLEX.method
        if seen and largest(one.found - claimed) > hidden:
            sure.append(one)
    agreeing = any(_agree(one, other, tolerance) for place, one in enumerate(sure) for other in sure[:place])
    if agreeing or [one.method for one in sure] == [VALUE]:
        return Check(finite_differences=best[0], method=best[1].method, passed=False)
    for one in found:  # a small derivative beside a large value is seen less sharply
        error, scale = largest(one.found - claimed), max(largest(claimed), least_scale)
        if error <= MARGIN * one.floor <= ROUGHLY * scale:
            return Check(finite_differences=error / scale, method=one.method)
    return Check(note=UNSTEADY)


def _agree(one: Estimate, other: Estimate, tolerance: float) -> bool:
    """Whether two estimates are of one derivative: what a kink makes of differences depends on the step."""
    near = tolerance * max(largest(one.found), largest(other.found)) + one.floor + other.floor
    return largest(one.found - other.found) <= near


def _estimates(
    evaluate: Evaluate, values: Values, directions: Sequence[Direction], analytic: bool, value: Array, noise: float
) -> Iterator[Estimate]:
    """Yield estimates of a derivative, by the best means first."""
    if not directions:
        yield Estimate(value, 0.0, 0.0, VALUE)
        return
    together: dict[tuple[str, int], list[Direction]] = {}
    for name, direction in directions:
        together.setdefault((name, id(direction)), []).append((name, direction))
    counts = tuple(map(len, together.values()))
    own = [group[0] for group in together.values()]
    for rule in rules(counts, analytic=analytic):
        for step in steps(rule):
            yield _estimate(evaluate, values, own, rule, step, value, noise)


def _estimate(
    evaluate: Evaluate,
    values: Values,
    directions: Sequence[Direction],
    rule: tuple[Stencil, ...],
    step: tuple[float, ...],
    value: Array,
    noise: float,
) -> Estimate:
    """Return the estimate by one rule with one step for each of its directions."""
    total: AnyArray | float = 0.0
    weights, subtracted, bend = 0.0, 0.0, -2 * value
    for places, weight in points(rule):
        moved: dict[str, AnyArray] = dict(values)
        for (name, direction), place, h in zip(directions, places, step, strict=True):
            moved[name] = _moved(moved[name], place * h, direction)
        result = evaluate(moved)
        part = np.real(weight * result)
        total, weights, subtracted = total + part, weights + abs(weight), subtracted + _largest_finite(part)
        if places in ((-1.0,), (1.0,)):
            bend = bend + np.real(result)
    scale = prod([h**stencil.order for stencil, h in zip(rule, step, strict=True)])
    floor = EPSILON * subtracted if len(rule) > 1 or COMPLEX not in rule else 0.0
    if COMPLEX not in rule:  # of which nothing is subtracted
        floor += weights * (noise + SMALLEST)
    spread = _largest_finite(bend) if rule == (on_line(1),) else 0.0
    method = COMPLEX.method if COMPLEX in rule else max(rule, key=lambda stencil: stencil.order).method
    return Estimate(np.asarray(total, dtype=np.float64) / scale, floor / scale, spread / scale, method)


def _moved(value: AnyArray, step: complex, direction: Array) -> AnyArray:
    """Return a point moved along a direction, with no room for anything beside it."""
    result = np.multiply(direction, step)
    if not result.ndim or np.iscomplexobj(value):
        return np.asarray(result + value)
    result += value
    return result


def _largest_finite(array: AnyArray) -> float:
    return largest(array if all_finite(array) else array[np.isfinite(array)])


def random_direction(value: Array, draws: Draws) -> Array:
    """Return a direction whose entries are in proportion to those of a point, so that a step respects its scale."""
    typical = largest(value) or 1.0
    result = draws.steps(value.shape)
    result *= np.where(value == 0, typical, np.abs(value))
    return result
