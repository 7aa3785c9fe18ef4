"""Trust: a derivative is compared with what the value alone says, before it is shown.

The value is a function of the inputs that knows nothing of the rules. Along random directions its derivative is
estimated by 5-point differences (error h**4), or by the complex step (Squire, Trapp 1998; no subtraction, so no
cancellation) where every operator on the way is analytic. Derivatives of order k nest k differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product as choices
from time import perf_counter
from typing import TypeAlias

import numpy as np

from ..arrays import AnyArray, Array, largest, relative_error
from ..problems.answer import Check
from ..problems.draws import Draws

Values = Mapping[str, Array]
Evaluate: TypeAlias = "Callable[[Mapping[str, AnyArray]], AnyArray]"
Direction = tuple[str, Array]

# f'(0) is about sum(weight * f(place * h)) / h.
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
COMPLEX_STEP = 1e-30
STEPS = {0: (0.0,), 1: (1e-3, 1e-4, 1e-2, 1e-5), 2: (5e-3, 2e-2, 1e-3, 3e-4), 3: (2e-2, 5e-2, 5e-3)}
# By order: what an error of differences must not exceed, and what is not worth another step.
TOLERANCE = {0: 1e-9, 1: 1e-6, 2: 1e-5, 3: 1e-3}
GOOD_ENOUGH = {0: 1e-12, 1: 1e-10, 2: 1e-9, 3: 1e-7}
SECONDS = 5.0
# A derivative that is this much smaller than the value is lost in the rounding of its differences.
LEAST_SCALE = 1e-4


@np.errstate(all="ignore")
def compare(
    evaluate: Evaluate, values: Values, directions: Sequence[Direction], claimed: Array, analytic: bool
) -> Check:
    """Compare a directional derivative with what the value says.

    Example: `compare(f, {"x": x}, [("x", v)], J @ v, analytic=True)`. The order is the number of directions; `claimed`
    has the shape of the value. The error is relative to the largest entry; entries where the value or the derivative
    is not finite are left out.
    """
    order = min(len(directions), 3)
    value = np.asarray(evaluate(values), dtype=np.float64)
    if not np.isfinite(value).any():
        return Check(note="the value is not finite here")
    finite = np.isfinite(claimed) & np.isfinite(value)
    if not finite.any():
        return Check(note="the derivative is not finite here")
    size = largest(value[finite])
    best, method = np.inf, ""
    started = perf_counter()
    for step in STEPS[order]:
        estimate, used = _estimate(evaluate, values, directions, step, analytic)
        found = np.asarray(estimate)[finite]
        error = relative_error(found, claimed[finite], least_scale=LEAST_SCALE * size)
        if error < best:
            best, method = error, used
        if best < GOOD_ENOUGH[order] or perf_counter() - started > SECONDS:
            break
    if not np.isfinite(best):
        return Check(note="the value is not finite nearby")
    return Check(finite_differences=best, method=method, passed=best <= TOLERANCE[order])


def _estimate(
    evaluate: Evaluate, values: Values, directions: Sequence[Direction], step: float, analytic: bool
) -> tuple[Array, str]:
    real = directions[1:] if analytic else directions
    total: AnyArray | float = 0.0
    for points in choices(STENCIL, repeat=len(real)):
        moved: dict[str, AnyArray] = dict(values)
        for (name, direction), (place, _) in zip(real, points, strict=True):
            moved[name] = moved[name] + place * step * direction
        if analytic and directions:
            name, direction = directions[0]
            moved[name] = moved[name] + 1j * COMPLEX_STEP * direction
        result = evaluate(moved)
        part = np.imag(result) / COMPLEX_STEP if analytic and directions else result
        total = total + float(np.prod([weight for _, weight in points])) * part
    method = "complex step" if analytic else "5-point differences"
    return np.asarray(total, dtype=np.float64) / step ** len(real), method


def random_direction(value: Array, draws: Draws) -> Array:
    """Return a direction whose entries are in proportion to those of a point, so that a step respects its scale."""
    typical = largest(value) or 1.0
    size = np.where(value == 0, typical, np.abs(value))
    sign = draws.signs(value.shape)
    return np.asarray(sign * draws.uniform(0.5, 1.0, value.shape) * size, dtype=np.float64)
