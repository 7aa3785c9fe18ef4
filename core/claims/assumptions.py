"""What a claim takes for granted: a matrix that is symmetric, weights that sum to 1, a vector of length 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ...grammar.advice import Setting
from ..arrays import Array, largest, whole_numbers
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed
from ..problems.compiler import Compiler
from ..shapes import Shape
from .confusions import Candidate, replace_values
from .points import Point
from .readings import Inquiry, Reading, agrees


@dataclass(frozen=True)
class Condition:
    """Something that an input may fulfil: which shapes have it, what makes it hold, what is said of a claim then.

    `target` is what the claim is there, made from the derivative.
    """

    key: str
    words: str
    fits: Callable[[Shape], bool]
    fulfilled: Callable[[Array], Array]
    assumption: str | None = None
    target: Callable[[Array], Array] = field(default=lambda truth: truth)


def _square(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == shape[1]


def _vector(shape: Shape) -> bool:
    return len(shape) == 1


def _any(shape: Shape) -> bool:
    return True


def _symmetric(array: Array) -> Array:
    return (array + array.T) / 2


def _with_orthonormal_columns(array: Array) -> Array:
    found: Array = np.linalg.qr(array)[0]
    return found


def _of_mean(array: Array, mean: float) -> Array:
    """Return an array whose rows have a mean; numbers that are all positive stay so, where they can."""
    own = array.mean(axis=-1, keepdims=True)
    moved: Array = array * (mean / own) if mean and (array > 0).all() else array + (mean - own)
    return moved


def by_entries(truth: Array) -> Array:
    """Return the derivative by the independent entries of a symmetric matrix."""
    return truth + truth.T - np.diag(np.diag(truth))


# The likeliest first; a condition that follows from another stands behind it.
SYMMETRIC = Condition("if symmetric", "`{0}` is symmetric", _square, _symmetric, "symmetric")
USUAL = (
    SYMMETRIC,
    Condition("if it sums to 1", "`sum({0})` is 1", _vector, lambda a: _of_mean(a, 1 / a.size)),
    Condition(
        "if rows sum to 1",
        "each row of `{0}` sums to 1",
        lambda shape: len(shape) == 2,
        lambda a: _of_mean(a, 1 / a.shape[1]),
    ),
)
UNUSUAL = (
    Condition("if of length 1", "`norm({0})` is 1", _vector, lambda a: a / np.linalg.norm(a)),
    Condition("if orthogonal", "`{0}` is orthogonal", _square, _with_orthonormal_columns),
    Condition(
        "if columns are orthonormal",
        "the columns of `{0}` are orthonormal",
        lambda shape: len(shape) == 2 and shape[0] > shape[1],
        _with_orthonormal_columns,
    ),
    Condition("if it is 1", "`{0}` is 1", lambda shape: shape == (), np.ones_like),
    Condition("if diagonal", "`{0}` is diagonal", _square, lambda a: np.diag(np.diag(a))),
    Condition("if of mean 0", "`mean({0})` is 0", _vector, lambda a: _of_mean(a, 0)),
    Condition("if positive", "all entries of `{0}` are positive", _any, np.abs, "positive"),
    Condition("if it is 0", "`{0}` is 0", _any, np.zeros_like),
)
# Of a symmetric variable: its derivative as that of any other matrix, and by its independent entries.
OF_THE_VARIABLE = (
    Condition("if symmetric", "`{0}` is symmetric, as the derivative by a matrix of any kind", _square, _symmetric),
    Condition(
        "symmetric, independent entries",
        "`{0}` is symmetric, as the derivative by its independent entries, `G + G.T - diag(diag(G))`",
        _square,
        _symmetric,
        target=by_entries,
    ),
)
# What holds for special values of the variable alone is no derivative: these are what a method keeps it in.
KEPT = ("if symmetric", "if it sums to 1", "if of length 1", "if rows sum to 1", "if orthogonal", "if positive")


class Assumptions(Inquiry):
    """Under which condition on one input a claim is right."""

    def under_a_condition(
        self, conditions: tuple[Condition, ...], multiples: tuple[float, ...] = (1,)
    ) -> Reading | None:
        """Return what has to hold of one input for the claim to be right, or to be one of some multiples."""
        for condition in conditions:
            for name in self.points[0].shapes:
                if name == self.name and condition.key not in KEPT:
                    continue
                for multiple in multiples:
                    if found := self._where(name, condition, self._compiler(name, condition), multiple):
                        return found
        return None

    def by_a_symmetric_variable(self) -> Reading | None:
        """Return what the claim is where the variable is symmetric, and it is not differentiated as such."""
        if self.trial.order > 1 or self.output:
            return None
        return next(filter(None, (self._where(self.name, one, self.trial.compiler) for one in OF_THE_VARIABLE)), None)

    def other_orders_of_a_symmetric_matrix(self, candidates: Iterator[Candidate]) -> Reading | None:
        """Return a derivative of another order that the claim is where a matrix is symmetric."""
        for candidate in candidates:
            for name, shape in self.points[0].shapes.items():
                if name == self.name or not SYMMETRIC.fits(shape) or candidate.compute(self.points[0]) is None:
                    continue
                there = [under(point, name, SYMMETRIC) for point in self.points]
                found = [candidate.compute(point) for point in there]
                claims = [point.compute(self.trial.program) for point in there]
                if all(c is not None and agrees(c, f) for c, f in zip(claims, found, strict=True)):
                    words = f"it is {candidate.words}, where `{name}` is symmetric"
                    return Reading(candidate.key, (words,), None, candidate.helps)
        return None

    def _where(self, name: str, condition: Condition, compiler: Compiler, multiple: float = 1) -> Reading | None:
        if name in self.problem.assumptions or not condition.fits(self.points[0].shapes[name]):
            return None
        turned = (False, True) if self.points[0].truth.ndim == 2 else (False,)
        for turn in turned:
            if all(self._holds(point, name, condition, compiler, (turn, multiple)) for point in self.points):
                break
        else:
            return None
        words = f"it is right where {condition.words.format(name)}, and here nothing says so"
        if turn or multiple != 1:
            what = f"the transpose of the {self.noun}" if turn else f"the {self.noun}"
            times = "" if multiple == 1 else "minus " if multiple == -1 else f"{multiple:g} times "
            words = f"it is {times}{what} where {condition.words.format(name)}"
        helps = (Setting("assume", {name: condition.assumption}),) if condition.assumption else ()
        return Reading(condition.key, (words,), None, helps)

    def _compiler(self, name: str, condition: Condition) -> Compiler:
        """Return a compiler for where a matrix is symmetric: only the derivative by itself is another one there."""
        if condition.assumption != "symmetric" or name not in self.problem.requests[0]:
            return self.trial.compiler
        assumptions = {**self.problem.assumptions, name: frozenset({condition.assumption})}
        return Compiler(replace(self.problem, assumptions=assumptions))

    def _holds(
        self, point: Point, name: str, condition: Condition, compiler: Compiler, form: tuple[bool, float]
    ) -> bool:
        if not condition.fits(point.values[name].shape):
            return False
        there = under(point, name, condition)
        shapes, samples = point.calculation.shapes, point.calculation.reduced
        try:
            found = compiler.find(shapes, whole_numbers(there.values), samples).calculation
            _, truth = found.program.run(there.values)
        except (ExpressionError, OperationFailed, np.linalg.LinAlgError):
            return False
        # What is 0 there is right for any multiple.
        if not np.isfinite(truth).all() or not largest(truth):
            return False
        turned, multiple = form
        truth = multiple * condition.target(truth)
        return agrees(truth.T if turned else truth, there.compute(self.trial.program))


def under(point: Point, name: str, condition: Condition) -> Point:
    """Return a point at which an input fulfils a condition."""
    value = np.asarray(condition.fulfilled(point.values[name]), dtype=np.float64)
    return replace_values(point, {**point.values, name: value})
