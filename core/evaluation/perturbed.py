"""A program run once more with every rounding made anew and a little larger: what moves then is not to be trusted.

Each step that rounds has its result changed in its last digits, as if it had been rounded the other way; a sum of
products, and what is done to whole matrices, has its operands changed. Where a result loses digits by cancellation,
by overflow or by underflow, the change comes out enlarged by as much. What is exact is left alone: inputs, entries that
are picked or moved, sums and products of small whole numbers. Source: Parker 1997, Monte Carlo Arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..arrays import AnyArray
from ..sparse import Sparse
from .kernels import Guarded, Into, Kernel, outer_product
from .tape import Draft

PERTURBATION = 4 * float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)
SMALLEST = float(np.finfo(np.float64).smallest_subnormal)

# So many signs are made once: most runs need no more.
FEW = 2**10
# Where both the operands and the result are small multiples of this, nothing was rounded.
GRAIN, MOST_GRAINS = 2.0**-10, 2.0**32
# The sum of so many products of two grains is exact.
MOST_PRODUCTS = 2.0**52
ROUNDED_ONCE = frozenset({np.add, np.subtract, np.multiply, np.divide, np.square, np.reciprocal, np.sqrt})
# What changes the relative error of its operands by a small factor.
STEADY = frozenset({np.multiply, np.divide, np.square, np.reciprocal, np.sqrt, np.cbrt, outer_product})


class Perturbed(NamedTuple):
    """What a perturbed run found; `overflowed` says that a finite result came from numbers that were not."""

    results: list[AnyArray]
    overflowed: bool


def may_lose_digits(drafts: Sequence[Draft]) -> bool:
    """Whether some step may enlarge the rounding of steps before it; `sum(x**2)` and its gradient have none."""
    rounded: set[int] = set()
    for draft in drafts:
        before = not rounded.isdisjoint(draft.inputs)
        rounds = not draft.exact
        kernel = _ufunc(draft.kernel)
        square = _sums(draft) and len(draft.inputs) == 2 and len(set(draft.inputs)) == 1
        if rounds and not square and ((before and kernel not in STEADY) or _sums(draft)):
            return True
        if before or rounds:
            rounded.add(draft.output)
    return False


def run_perturbed(drafts: Sequence[Draft], slots: list[Any], outputs: Sequence[int]) -> Perturbed:
    """Return the results of a run whose every rounding is another; `slots` hold inputs and constants, and are used up.

    Example: for `(1 - cos(s))/s**2` at s = 1e-5 the result differs from that of a plain run by one part in 10**6.
    """
    noise, overflowed = _Noise(), False
    with np.errstate(under="call", call=noise.notice):
        for draft in drafts:
            operands = [slots[slot] for slot in draft.inputs]
            slots[draft.output] = result = noise.rounded(draft, operands)
            if isinstance(result, np.ndarray | np.floating) and np.isinf(result).any():
                overflowed = overflowed or not any(np.isinf(np.asarray(one)).any() for one in operands)
    return Perturbed([slots[slot] for slot in outputs], overflowed)


class _Noise:
    """Runs steps, each with other roundings; the same ones each time."""

    def __init__(self) -> None:
        self._place = 0
        self._underflowed = False

    def rounded(self, draft: Draft, operands: list[Any]) -> Any:
        """Return the result of a step as it could as well have been rounded."""
        if draft.exact:
            return draft.kernel(*operands)
        if _sums(draft):
            return draft.kernel(*self._operands(draft, operands))
        kept = [np.array(one) if isinstance(draft.kernel, Into) else one for one in operands]
        self._underflowed = False
        result = draft.kernel(*operands)
        if not isinstance(result, np.ndarray | np.floating) or result.dtype != np.float64:
            return result
        return self._changed(result, _exact_entries(_ufunc(draft.kernel), kept, result))

    def notice(self, *_: object) -> None:
        """Note that a number was too small for all of its digits."""
        self._underflowed = True

    def _operands(self, draft: Draft, operands: list[Any]) -> list[Any]:
        """Return the operands of a sum, or of what is done to matrices, changed in their last digits."""
        if isinstance(draft.kernel, Guarded):
            return [self._changed(one) for one in operands]
        if _is_exact_sum([_numbers(one) for one in operands]):
            return operands
        return [self._changed(operands[0]), *operands[1:]]

    def _changed(self, array: Any, exact: Any = None) -> Any:
        if isinstance(array, Sparse):
            changed = array.matrix.copy()
            changed.data = self._changed(changed.data)
            return array.made(changed)
        array = np.asarray(array)
        if array.dtype != np.float64:
            return array
        signs = self._signs(array.size).reshape(array.shape)
        changed = array * (1 + PERTURBATION * signs)
        if self._underflowed:
            changed = np.where(np.abs(array) < TINY, array + SMALLEST * np.rint(8 * signs), changed)
        return changed if exact is None else np.where(exact, array, changed)

    def _signs(self, amount: int) -> AnyArray:
        start, self._place = self._place, self._place + amount
        return _first_signs()[start : self._place] if self._place <= FEW else _signs(start, self._place)


def _signs(start: int, stop: int) -> AnyArray:
    """Return numbers between -1 and 1, none near 0, as different as random ones."""
    numbers = np.arange(start, stop, dtype=np.uint64)
    bits = (numbers ^ (numbers >> np.uint64(7)) ^ np.uint64(0x9E3779B9)) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    unit = (bits >> np.uint64(11)) * 2.0**-52 - 1
    return np.asarray(0.5 * unit + np.copysign(0.5, unit))


@cache
def _first_signs() -> AnyArray:
    return _signs(0, FEW)


def _ufunc(kernel: Kernel) -> Kernel:
    """Return the function of a step without how it is called."""
    if isinstance(kernel, Into):
        return kernel.ufunc
    return getattr(kernel, "func", kernel)


def _sums(draft: Draft) -> bool:
    """Whether the error of a step is one of its operands: of a sum of many terms, or of what is done to matrices."""
    if isinstance(draft.kernel, Guarded):
        return draft.kernel.whole
    return draft.cost > draft.entries > 0 and not isinstance(draft.kernel, Into)


def _grains(array: Any) -> float:
    """Return the largest entry counted in grains, infinity where one is no whole number of them."""
    array = np.asarray(array, dtype=np.float64)
    if array.size and not (array.item(0) / GRAIN).is_integer():
        return float("inf")
    scaled = np.abs(array).ravel() / GRAIN
    if scaled.size > 8 and not np.array_equal(scaled[:8], np.rint(scaled[:8])):
        return float("inf")
    return float(np.max(scaled, initial=0.0)) if np.array_equal(scaled, np.rint(scaled)) else float("inf")


def _numbers(array: Any) -> Any:
    """Return an array, or the entries that are stored of a sparse matrix."""
    return array.stored if isinstance(array, Sparse) else array


def _is_exact_sum(operands: Sequence[Any]) -> bool:
    size, amount = 1.0, 1
    for one in operands:
        size, amount = size * max(1.0, _grains(one)), max(amount, int(np.size(one)))
    return size * amount < MOST_PRODUCTS


def _exact_entries(kernel: Kernel, operands: Sequence[Any], result: Any) -> Any:
    """Return where nothing was rounded: small whole numbers, and elementary functions of 0."""
    whole = np.abs(result) < MOST_GRAINS * GRAIN
    whole = whole & (result == np.rint(result / GRAIN) * GRAIN)
    for one in operands:
        if kernel in ROUNDED_ONCE:
            whole = whole & (np.abs(one) < MOST_GRAINS * GRAIN) & (one == np.rint(np.divide(one, GRAIN)) * GRAIN)
        elif np.shape(one) in ((), np.shape(result)):
            whole = whole & (np.asarray(one) == 0)
        else:
            return None
    return whole
