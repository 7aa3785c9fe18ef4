"""The formula of an answer, read again and compared with the numbers before it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from ..answer import Array, Result
from ..calculation import Calculation
from ..graph import topological
from .generic import ClosedForm, exact_forms, generic_forms

TOLERANCE = 1e-6
# A formula of more operations than this is not read by anyone.
LARGEST_GRAPH = 3000
# The comparison evaluates the formula: for arrays beyond this it would cost more than the answer.
LARGEST_COMPARED = 4_000_000

_known: WeakKeyDictionary[Calculation, list[list[ClosedForm]]] = WeakKeyDictionary()


def with_formulas(
    calculation: Calculation, values: Mapping[str, Array], results: Sequence[Result], *, compared: bool
) -> list[Result]:
    """Return the results of an answer with their closed forms.

    Each formula is parsed and evaluated at the inputs and compared with the numbers, if `compared`; the error goes
    into the check. A form that does not hold at these inputs (a determinant that vanishes, say) gives way to one
    written for exactly their sizes, and is left out if that does not hold either.
    """
    candidates = _candidates(calculation)
    attached = []
    for position, result in enumerate(results):
        found = result
        for forms in candidates:
            form = forms[position]
            error = error_of(form, values, result.data) if compared else None
            if error is None or error <= TOLERANCE:
                check = result.check
                if check is not None and error is not None:
                    check = replace(check, formula=error)
                found = replace(result, formula=form.text, sizes=dict(form.sizes), check=check)
                break
        attached.append(found)
    return attached


def _candidates(calculation: Calculation) -> list[list[ClosedForm]]:
    if calculation in _known:
        return _known[calculation]
    roots = [calculation.output, *(node for _, node in calculation.results)]
    found: list[list[ClosedForm]] = []
    if len(topological(roots)) <= LARGEST_GRAPH:
        shapes = {name: symbol.shape for name, symbol in calculation.symbols.items()}
        for make in (generic_forms, exact_forms):
            try:
                found.append(make(calculation.problem, shapes, calculation.statics))
            except Exception:  # a formula is an extra: its failure must not take the numbers along
                continue
    _known[calculation] = found
    return found


def error_of(form: ClosedForm, values: Mapping[str, Array], data: Array) -> float | None:
    """Return how far a formula is from the numbers, relative to the largest; None where that is not looked at."""
    if data.size > LARGEST_COMPARED:
        return None
    try:
        value = form.evaluate(values)
    except Exception:  # whatever keeps a formula from being read or evaluated makes it wrong here
        return float("inf")
    if value.shape != data.shape:
        return float("inf")
    finite = np.isfinite(data)
    if not finite.any():
        return None
    scale = max(float(np.max(np.abs(data[finite]))), np.finfo(float).tiny)
    difference = np.abs(value[finite] - data[finite])
    return float(np.max(difference) / scale) if np.isfinite(difference).all() else float("inf")
