"""What a wrong derivative is instead: the other things that people call by its name.

Each candidate is computed from the expression at every point of a trial; a claim is read as the first candidate that
it equals everywhere, exactly or up to a factor that has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod

import numpy as np

from ...grammar.advice import Text
from ...grammar.budget import Budget, OverBudget, within
from ...grammar.syntax import Binary
from ..arrays import NEAR_MISS, SAME_NUMBERS, Array, relative_error
from ..errors import NoClosedFormError
from ..shapes import describe
from .assumptions import UNUSUAL, USUAL, Assumptions
from .confusions import Candidate, Candidates, Compute
from .edits import FIRST, SECOND
from .partly import Partly
from .points import Point, Trial
from .readings import Reading, agrees
from .rules import Rules
from .slips import Slips

# A claim is compared in no time with what it might be, unless its inputs are large.
MOST_LOOKS, MOST_SECONDS = 1_000_000, 1.5

LARGEST_DENOMINATOR = 12
MULTIPLES = tuple(Fraction(n, d) for n, d in ((1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2), (4, 1), (1, 4)))


def other_reading(trial: Trial, formula: str | None = None) -> Reading | None:
    """Return what the claim of a trial is instead of the derivative, None where nothing fits."""
    try:
        with within(Budget(MOST_LOOKS, MOST_SECONDS)):
            return Search(trial, formula).run()
    except OverBudget:
        return None


class Search(Slips, Rules, Candidates, Assumptions, Partly):
    """The search for a reading of one claim: the simplest explanation comes first."""

    def __init__(self, trial: Trial, formula: str | None = None) -> None:
        super().__init__(trial, formula)
        self._near: list[Candidate] = []

    def run(self) -> Reading | None:
        """Return the first reading that holds at every point."""
        return next(filter(None, (way() for way in self._ways())), None)

    def _ways(self) -> Iterable[Callable[[], Reading | None]]:
        """Return where to look, one place after another."""
        own = Candidate("factor", f"the {self.noun}", lambda point: point.truth)
        if self.trial.arrange:  # what the claim is compared with is a matrix that a layout made
            return (
                lambda: self._multiple(own, of_sizes=True),
                lambda: self._only(self.turned()),
                self._other_shape,
                self.off_by_a_factor,
                lambda: self.one_place(FIRST),
                lambda: self._multiple(own),
                self.only_these_entries,
                lambda: self.one_place(SECOND),
                self.one_place_and_turned,
            )
        return (
            lambda: self._multiple(own, of_sizes=True),
            lambda: self._only(self.hessians()) if self.misfits else None,
            lambda: self.other_orders_of_a_symmetric_matrix(self.hessians()) if self.misfits else None,
            self._forgotten_term,
            lambda: self._first(self.arrangements()),
            self._other_shape,
            self.off_by_a_factor,
            lambda: self.one_place(FIRST),
            lambda: self._only(self.other_orders()) if self.misfits else None,
            lambda: self._multiple(own),
            lambda: self.under_a_condition(USUAL),
            self.by_a_symmetric_variable,
            self.only_these_entries,
            self.missing_factor,
            lambda: self._first(self.forgotten_slopes()),
            self.missing_summand,
            lambda: self._first(self.chain_rule()),
            lambda: self._only(self.numbers_rule()),
            lambda: self.one_place(SECOND),
            lambda: self._only(self.summed()),
            self.but_for_zeros,
            lambda: self._only(self.other_orders()),
            lambda: self._only(self.by_others()),
            lambda: self._only(self.undifferentiated()),
            self.lacking_part,
            self.some_summands,
            lambda: self.under_a_condition(UNUSUAL),
            self.missing_function,
            lambda: self._only(self.held_fixed()),
            self.written_in_the_formula,
            lambda: next(filter(None, map(self._multiple, self._near)), None),
            lambda: self.under_a_condition(USUAL, multiples=(-1, 2, 0.5, -2)),
            self.one_place_and_turned,
            lambda: self._only(self.misread()),
            self.for_numbers_alone,
        )

    def turned(self) -> Iterator[Candidate]:
        """Yield the matrix of a layout transposed."""
        if all(point.truth.ndim == 2 for point in self.points):
            words = f"the transpose of the {self.noun} in this layout"
            yield Candidate("transposed", words, lambda point: point.truth.T)

    def _only(self, candidates: Iterator[Candidate]) -> Reading | None:
        """Return the first of some candidates that the claim is."""
        for candidate in candidates:
            if self._is(candidate.compute):
                words = self._told(f"it is {candidate.words}", candidate)
                return Reading(candidate.key, words, None, candidate.helps)
        return None

    def _first(self, candidates: Iterator[Candidate]) -> Reading | None:
        """Return the first of some candidates that the claim is; it may be a multiple of one, too."""
        kept = [replace(candidate, compute=_remembered(candidate.compute)) for candidate in candidates]
        self._near += kept
        return self._only(iter(kept))

    def _forgotten_term(self) -> Reading | None:
        """Return the summand that is missing, or wrong by a factor, where the expression is a sum itself."""
        whole = self.expression
        if not isinstance(whole, Binary) or whole.operator not in "+-":
            return None
        return self.missing_summand() or self.off_by_a_factor()

    def _told(self, words: str, candidate: Candidate) -> tuple[Text, ...]:
        return (words, candidate.remark) if candidate.remark else (words,)

    def _is(self, compute: Compute) -> bool:
        """Whether the claim equals what is computed, at every point; one where it does not is enough to say no."""
        try:
            return all(agrees(point.claimed, compute(point)) for point in self.points)
        except NoClosedFormError:  # some derivatives can be taken once and no more
            return False

    def _multiple(self, candidate: Candidate, of_sizes: bool = False) -> Reading | None:
        """Return a candidate up to a factor with a name; `of_sizes`, up to a number or a size."""
        factors = []
        for point in self.points:
            array = candidate.compute(point)
            if array is None or array.shape != point.claimed.shape or not np.isfinite(point.claimed).all():
                return None
            norm = float(np.sum(array * array))
            if not norm:
                return None
            factors.append(float(np.sum(point.claimed * array)) / norm)
            if not factors[-1] or relative_error(point.claimed, factors[-1] * array) > SAME_NUMBERS:
                return None
        named = self._named(factors, of_sizes)
        if named is None:
            return None
        factor, words = named
        kind = "sign" if factor == "-1" else "factor"
        key = kind if candidate.key == "factor" else f"{candidate.key}, {kind}"
        return Reading(key, self._told(f"it is {words.format(candidate.words)}", candidate), factor, candidate.helps)

    def _named(self, factors: list[float], of_sizes: bool) -> tuple[str, str] | None:
        """Return a factor as a number, or as the size or the input that it follows from point to point; and words."""
        first = factors[0]
        constant = all(_near(factor, first) for factor in factors)
        simple = constant and Fraction(first).limit_denominator(LARGEST_DENOMINATOR) in MULTIPLES
        if not simple:
            for symbol, words, measure in self._measures(of_sizes):
                values = [measure(point) for point in self.points]
                usable = all(np.isfinite(value) and value not in (0, 1) for value in values)
                if usable and (found := _multiple_of(factors, values, symbol, words)):
                    return found
        if not constant or abs(first - 1) < NEAR_MISS:
            return None
        near = Fraction(first).limit_denominator(LARGEST_DENOMINATOR)
        text = str(near) if near and _near(first, float(near)) else f"{first:.6g}"
        return text, "minus {}" if text == "-1" else f"{text} times {{}}"

    def _measures(self, of_sizes: bool) -> Iterator[tuple[str, str, Callable[[Point], float]]]:
        """Yield what a factor might be: sizes of the variable, of the others, the value, inputs that are numbers."""
        shapes = self.points[0].shapes
        for name in dict.fromkeys((self.name, *shapes)):
            if len(shapes[name]) == 2:
                yield f"{name}.shape[0]", f"the number of rows of `{name}`", partial(_size, name=name, axis=0)
                yield f"{name}.shape[1]", f"the number of columns of `{name}`", partial(_size, name=name, axis=1)
            if shapes[name]:
                yield f"{name}.size", f"n, the number of entries of `{name}`,", partial(_size, name=name)
        if self.output:
            yield "out.size", "the number of outputs", lambda point: float(prod(point.calculation.shape))
        if of_sizes:
            return
        if not self.output:
            yield f"({self.text})", f"`{self.text}`", lambda point: float(point.value)
        for name, shape in shapes.items():
            if not shape:
                yield name, f"`{name}`", partial(_number, name=name)

    def _other_shape(self) -> Reading | None:
        """Return the right numbers under another shape: a column, a row, or what broadcasts."""
        claims, truths = [point.claimed for point in self.points], [point.truth for point in self.points]
        first, wanted = claims[0], truths[0]
        if all(c.size == t.size and c.shape != t.shape and relative_error(c.ravel(), t.ravel()) <= SAME_NUMBERS
               for c, t in zip(claims, truths, strict=True)):  # fmt: skip
            words = f"its numbers are right, its shape is not: {describe(first.shape)}, not {describe(wanted.shape)}"
            return Reading("other shape", (words,), None, ("`squeeze` or `reshape` changes the shape alone",))
        for c, t in zip(claims, truths, strict=True):
            try:
                spread = np.broadcast_to(c, t.shape)
            except ValueError:
                return None
            if c.shape == t.shape or relative_error(spread, t) > SAME_NUMBERS:
                return None
        shapes = f"from {describe(first.shape)} to {describe(wanted.shape)}"
        return Reading("broadcast", (f"its numbers are right where they are broadcast {shapes}",))


def _remembered(compute: Compute) -> Compute:
    """Return a function that computes what a candidate is at a point once."""
    known: dict[int, Array | None] = {}

    def at(point: Point) -> Array | None:
        if id(point) not in known:
            known[id(point)] = compute(point)
        return known[id(point)]

    return at


def _size(point: Point, name: str, axis: int | None = None) -> float:
    shape = point.shapes[name]
    return float(prod(shape) if axis is None else shape[axis])


def _number(point: Point, name: str) -> float:
    return float(point.values[name])


def _near(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= 10 * SAME_NUMBERS * max(abs(found), abs(wanted))


def _multiple_of(factors: list[float], values: list[float], symbol: str, words: str) -> tuple[str, str] | None:
    """Return a factor that is a simple multiple of a quantity, or of one over it."""
    for power in (1, -1):
        for multiple in MULTIPLES:
            if all(_near(f, float(multiple) * v**power) for f, v in zip(factors, values, strict=True)):
                signs = {Fraction(1): ("", "{}"), Fraction(-1): ("-", "minus {}")}
                code, said = signs.get(multiple, (f"{multiple}*", f"{multiple} times {{}}"))
                if power < 0:
                    return f"{multiple}/{symbol}", f"{said} divided by {words}"
                return code + symbol, said.replace("{}", f"{words} times {{}}")
    return None
