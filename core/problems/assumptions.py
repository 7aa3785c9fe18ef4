"""Whether given numbers are what they are assumed to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from ...grammar.advice import Setting, advise
from ..arrays import AS_ASSUMED, AnyArray, Array, first_place, largest
from ..errors import InputError
from ..shapes import ASSUMPTIONS
from ..sparse import Sparse


def check_assumptions(assumptions: Mapping[str, frozenset[str]], given: Mapping[str, Array]) -> None:
    """Raise InputError for the first given value that is not what it is assumed to be, with the place.

    Example: A = [1 2; 3 4] is not symmetric: "A[0, 1] is 2, A[1, 0] is 3". Matrices may have sample axes in front.
    """
    for name, words in assumptions.items():
        if name not in given:
            continue
        for word in sorted(words, key=ASSUMPTIONS.index):
            broken = FINDERS[word](given[name])
            if broken is not None:
                assumed = Setting("assume", {name: word})
                message = f"`{name}` is not {ADJECTIVES.get(word, word)}"
                helps = [advise("leave out ", assumed, SYMMETRISED.format(name=name) if word == "symmetric" else "")]
                raise InputError(message, place=assumed, notes=[broken.format(name=name)], helps=helps)


def _first(places: AnyArray) -> tuple[int, ...] | None:
    return first_place(places) if places.any() else None


def _at(place: tuple[int, ...], value: float) -> str:
    inside = f"[{', '.join(map(str, place))}]" if place else ""
    return f"{{name}}{inside} is {value:.6g}"


def _entry(value: Array, places: AnyArray) -> str | None:
    place = _first(places)
    return None if place is None else _at(place, float(value[place]))


def _asymmetric(value: Array) -> str | None:
    return _unpaired(value, 1)


def _uneven(value: Array, step: int = 1, *, cyclic: bool = False) -> str | None:
    """Return two entries of a diagonal that differ; of an antidiagonal for a step of -1."""
    columns = np.arange(value.shape[-1]) + step
    there = cyclic | ((columns >= 0) & (columns < value.shape[-1]))
    columns %= value.shape[-1]
    differences = np.abs(value[..., 1:, columns] - value[..., :-1, :])
    place = _first(there & (differences > AS_ASSUMED * largest(value)))
    if place is None:
        return None
    further = (*place[:-2], place[-2] + 1, int(columns[place[-1]]))
    return f"{_at(place, float(value[place]))}, {_at(further, float(value[further]))}"


def _unpaired(value: Array, sign: int) -> str | None:
    if isinstance(value, Sparse):
        apart = (value.matrix - sign * value.matrix.T).tocoo()
        wrong = np.flatnonzero(np.abs(apart.data) > AS_ASSUMED * largest(value.stored))
        place = tuple(int(axis[wrong[0]]) for axis in apart.coords) if len(wrong) else None
        return None if place is None else _pair(value, place)
    place = _first(np.abs(value - sign * np.swapaxes(value, -1, -2)) > AS_ASSUMED * largest(value))
    return None if place is None else _pair(value, place)


def _pair(value: Array, place: tuple[int, ...]) -> str:
    mirrored = (*place[:-2], place[-1], place[-2])
    if place == mirrored:
        return _at(place, float(value[place]))
    return f"{_at(place, float(value[place]))}, {_at(mirrored, float(value[mirrored]))}"


def _indefinite(value: Array) -> str | None:
    broken = _asymmetric(value)
    if broken or not np.isfinite(value).all():
        return broken
    try:
        np.linalg.cholesky(value)
    except np.linalg.LinAlgError:
        smallest = float(np.min(np.linalg.eigvalsh(value)))
        return None if smallest > 0 else f"its smallest eigenvalue is {smallest:.3g}"
    return None


def _outside(kept: Callable[[Array], Array]) -> Callable[[Array], str | None]:
    def find(value: Array) -> str | None:
        return _entry(value, (value != 0) & (kept(np.ones_like(value)) == 0))

    return find


def _diagonal(value: Array) -> Array:
    return value * np.eye(*value.shape[-2:])


def _oblique(value: Array) -> str | None:
    product = np.swapaxes(value, -1, -2) @ value
    place = _first(np.abs(product - np.eye(value.shape[-1])) > AS_ASSUMED)
    if place is None:
        return None
    row, column = place[-2:]
    if row == column:
        return f"column {column} has length {np.sqrt(float(product[place])):.6g}, not 1"
    return f"columns {row} and {column} have inner product {float(product[place]):.6g}, not 0"


FINDERS: Mapping[str, Callable[[Array], str | None]] = {
    "symmetric": _asymmetric,
    "spd": _indefinite,
    "diagonal": _outside(_diagonal),
    "orthogonal": _oblique,
    "lower": _outside(np.tril),
    "upper": _outside(np.triu),
    "skew": lambda value: _unpaired(value, -1),
    "tridiagonal": _outside(lambda value: np.triu(np.tril(value, 1), -1)),
    "toeplitz": _uneven,
    "hankel": partial(_uneven, step=-1),
    "circulant": partial(_uneven, cyclic=True),
    "positive": lambda value: _entry(value, ~(value > 0)),
    "integer": lambda value: _entry(value, value != np.rint(value)),
}
ADJECTIVES = {
    "spd": "symmetric positive definite",
    "lower": "lower triangular",
    "upper": "upper triangular",
    "skew": "skew-symmetric",
    "toeplitz": "a Toeplitz matrix",
    "hankel": "a Hankel matrix",
    "integer": "made of whole numbers",
}
SYMMETRISED = ", or give the symmetric part, ({name} + {name}.T)/2"
