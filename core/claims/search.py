"""What a wrong derivative is instead: the other things that people call by its name.

Each candidate is computed from the expression at every point of a trial; a claim is read as the first candidate that
it equals everywhere, exactly or up to a factor that has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import prod

import numpy as np

from ...grammar.advice import Setting, Text
from ...grammar.rewriting import toggled_transposes
from ...grammar.writer import write
from ..arrays import NEAR_MISS, SAME_NUMBERS, Array, relative_error, whole_numbers
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed
from ..problems.compiler import Compiler
from ..shapes import describe
from .confusions import Candidate, Candidates, Compute, Inquiry, replace_values
from .points import Point, Trial

LARGEST_DENOMINATOR = 12
MULTIPLES = tuple(Fraction(n, d) for n, d in ((1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2), (4, 1), (1, 4)))


@dataclass(frozen=True)
class Reading:
    """What a claim is: a key for scripts, a factor where it is a multiple, and what to tell a person."""

    key: str
    notes: tuple[Text, ...]
    factor: str | None = None
    helps: tuple[Text, ...] = ()


def other_reading(trial: Trial) -> Reading | None:
    """Return what the claim of a trial is instead of the derivative, None where nothing fits."""
    return Search(trial).run()


class Search(Inquiry):
    """The search for a reading of one claim."""

    def run(self) -> Reading | None:
        """Return the first reading that holds at every point."""
        own = Candidate("factor", f"the {self.noun}", lambda point: point.truth)
        if found := self._multiple(own):
            return found
        candidates = []
        for candidate in Candidates(self.trial).all():
            candidate = replace(candidate, compute=_remembered(candidate.compute))
            if self._is(candidate.compute):
                return Reading(candidate.key, self._told(f"it is {candidate.words}", candidate), None, candidate.helps)
            candidates.append(candidate)
        if found := self._transposed_factor() or self._under_assumption():
            return found
        return next(filter(None, map(self._multiple, candidates)), None) or self._other_shape()

    def _told(self, words: str, candidate: Candidate) -> tuple[Text, ...]:
        return (words, candidate.remark) if candidate.remark else (words,)

    def _is(self, compute: Compute) -> bool:
        """Whether the claim equals what is computed, at every point; one where it does not is enough to say no."""
        return all(_agrees(point.claimed, compute(point)) for point in self.points)

    # Claims that are nearly right.

    def _transposed_factor(self) -> Reading | None:
        """Return the transpose that is missing from the claim, or too many in it."""
        matrices = {name for name, shape in self.points[0].shapes.items() if len(shape) == 2}
        for before, after, program in toggled_transposes(self.trial.program, matrices):
            if all(_agrees(point.truth, point.compute(program)) for point in self.points):
                words = f"with `{after}` in place of `{before}` it is right: `{write(program)}`"
                return Reading("transposed factor", (words,))
        return None

    def _under_assumption(self) -> Reading | None:
        """Return the matrix that has to be symmetric for the claim to hold."""
        for name, shape in self.points[0].shapes.items():
            square = len(shape) == 2 and shape[0] == shape[1]
            if not square or name in self.problem.assumptions:
                continue
            compiler = self._compiler_if_symmetric(name)
            if all(self._holds_symmetric(point, name, compiler) for point in self.points):
                words = f"it is right where `{name}` is symmetric, and here nothing says so"
                return Reading("if symmetric", (words,), None, (Setting("assume", {name: "symmetric"}),))
        return None

    def _compiler_if_symmetric(self, name: str) -> Compiler:
        """Return a compiler for where a matrix is symmetric: only the derivative by itself is another one there."""
        if name not in self.problem.requests[0]:
            return self.trial.compiler
        assumptions = {**self.problem.assumptions, name: frozenset({"symmetric"})}
        return Compiler(replace(self.problem, assumptions=assumptions))

    def _holds_symmetric(self, point: Point, name: str, compiler: Compiler) -> bool:
        value = point.values[name]
        if value.shape[0] != value.shape[1]:
            return False
        values = {**point.values, name: (value + value.T) / 2}
        claimed = replace_values(point, values).compute(self.trial.program)
        try:
            _, truth = compiler.find(point.shapes, whole_numbers(values)).calculation.program.run(values)
        except (ExpressionError, OperationFailed):
            return False
        return _agrees(truth, claimed)

    def _multiple(self, candidate: Candidate) -> Reading | None:
        """Return a candidate up to a factor with a name."""
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
        named = self._named(factors)
        if named is None:
            return None
        factor, words = named
        kind, words = ("sign", "minus") if factor == "-1" else ("factor", f"{words} times")
        key = kind if candidate.key == "factor" else f"{candidate.key}, {kind}"
        return Reading(key, self._told(f"it is {words} {candidate.words}", candidate), factor, candidate.helps)

    def _named(self, factors: list[float]) -> tuple[str, str] | None:
        """Return a factor as a number, or as the size or the input that it follows from point to point."""
        first = factors[0]
        constant = all(_near(factor, first) for factor in factors)
        simple = constant and Fraction(first).limit_denominator(LARGEST_DENOMINATOR) in MULTIPLES
        if not simple:
            for symbol, words, measure in self._measures():
                values = [measure(point) for point in self.points]
                usable = all(np.isfinite(value) and value not in (0, 1) for value in values)
                if usable and (found := _multiple_of(factors, values, symbol, words)):
                    return found
        if not constant or abs(first - 1) < NEAR_MISS:
            return None
        near = Fraction(first).limit_denominator(LARGEST_DENOMINATOR)
        text = str(near) if near and _near(first, float(near)) else f"{first:.6g}"
        return text, text

    def _measures(self) -> Iterator[tuple[str, str, Callable[[Point], float]]]:
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
        else:
            yield f"({self.text})", "the value of the expression", lambda point: float(point.value)
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


def _agrees(wanted: Array, found: Array | None) -> bool:
    return found is not None and relative_error(found, wanted) <= SAME_NUMBERS


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
                if power < 0:
                    return f"{multiple}/{symbol}", f"{multiple} over {words}"
                signs = {Fraction(1): ("", ""), Fraction(-1): ("-", "minus ")}
                code, said = signs.get(multiple, (f"{multiple}*", f"{multiple} times "))
                return code + symbol, said + words
    return None
