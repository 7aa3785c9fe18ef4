"""Calculations kept by shape: many inputs of the same shapes are elaborated, differentiated and compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...grammar.advice import Given, advise
from ..arrays import Static, copied, same_static, silent
from ..elaboration.choice import chosen
from ..elaboration.entries import StaticNameError
from ..elaboration.inference import infer_shapes, ranks_of, solve_lengths, square_names
from ..elaboration.solver import Lengths, Ranks
from ..errors import ExpressionError, InputError, Label, ShapeError
from ..graph.sizes import Size, length, names_in, replace_lengths, unused_names
from ..shapes import MOST_AXES, Shape
from ..work import FINDING, allowed
from .calculation import Calculation
from .problem import Problem

MOST_SHAPES = 64
DEFAULT_SAMPLES = 5

Key = tuple[tuple[tuple[str, Shape], ...], int | None]


class Compiled(NamedTuple):
    """A calculation, the values found for names without one that stand for sizes, and the sizes it holds for."""

    calculation: Calculation
    counts: Mapping[str, int]
    sizes: Mapping[str, Static]


class Compiler:
    """Makes the calculations of one problem, each of them once.

    Example: `Compiler(problem).find({"x": (3,)}, {}).calculation`.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._found: dict[Key, list[Compiled]] = {}
        self._generals: dict[object, tuple[Lengths, Calculation]] = {}

    def find(self, known: Mapping[str, Shape], numbers: Mapping[str, Static], samples: int | None = None) -> Compiled:
        """Return the calculation for known shapes; those of other names are inferred.

        `samples` is the length of the batch axis; any is as good where only the closed form is asked for.
        `numbers` are the values of the names that are numbers: a program depends on those used as a size or an index.
        Raises ExpressionError where the shapes do not fit, InputError where a size is not a whole number.
        """
        numbers = {name: value for name, value in numbers.items() if name not in self.problem.batch}
        if samples is None and self.problem.reduce:
            samples = DEFAULT_SAMPLES
        entries = self._found.setdefault((tuple(sorted(known.items())), samples), [])
        for entry in entries:
            if all(same_static(numbers.get(name), size) for name, size in entry.sizes.items()):
                return entry
        for name, shape in known.items():
            if len(shape) > MOST_AXES:
                raise InputError(f"`{name}` has {len(shape)} axes, and the most are {MOST_AXES}")
        if len(entries) >= MOST_SHAPES or len(self._found) > MOST_SHAPES:
            self._found.clear()
        with allowed(FINDING):
            made = self._sized(known, numbers, samples) or _exact(self.problem, known, numbers, samples)
        entries.append(made)
        return made

    @silent
    def _sized(self, known: Mapping[str, Shape], numbers: Mapping[str, Static], samples: int | None) -> Compiled | None:
        """Return the general calculation at known shapes; None where the expression does not fit them in general."""
        whole = {name: value for name, value in numbers.items() if not isinstance(value, float)}
        try:
            found, general = self._general(known, whole)
            used = [name for name in (*found.counts, *found.plain) if name in known]
            if any(name not in whole for name in used):
                return None
            values = chosen(general.original, found.sizes, found.values(known, whole))
            if isinstance(general.reduced, Size) and samples is not None:
                values[str(general.reduced)] = samples
            calculation = general.at(values, samples)
        except ExpressionError:
            return None
        counts = {name: replace_lengths(size, values) for name, size in found.counts.items() if name not in known}
        return Compiled(calculation, counts, {name: found.plain.get(name, whole[name]) for name in used})

    def _general(self, known: Mapping[str, Shape], whole: Mapping[str, Static]) -> tuple[Lengths, Calculation]:
        """Return the calculation for all shapes with the ranks of the known ones."""
        key = _key(ranks := ranks_of(known))
        if key not in self._generals or not _holds(self._generals[key][0], known, whole):
            problem = self.problem
            unknown = {name: span for name, span in problem.names.items() if name not in known}
            square = square_names(problem.assumptions)
            found = solve_lengths(problem.program, ranks, unknown, whole, square, known, **problem.wanted)
            count = length(next(unused_names({*problem.names, *names_in(found.sizes)}))) if problem.reduce else None
            made = found, Calculation(problem, found.shapes, samples=count, statics=found.statics, fixed=found.fixed)
            # What was inferred may come back as known: the other points of a claim have these ranks.
            self._generals[key] = self._generals[_key(ranks_of(found.shapes))] = made
        return self._generals[key]


def _holds(found: Lengths, known: Mapping[str, Shape], whole: Mapping[str, Static]) -> bool:
    """Whether lengths that were solved for other shapes are right for these."""
    if any(not same_static(whole.get(name), size) for name, size in found.plain.items()):
        return False
    try:
        found.values(known, whole)
    except ShapeError:
        return False
    return True


def _key(ranks: Ranks) -> tuple[tuple[str, tuple[bool, ...]], ...]:
    return tuple(sorted(ranks.items()))


@silent
def _exact(
    problem: Problem, known: Mapping[str, Shape], numbers: Mapping[str, Static], samples: int | None
) -> Compiled:
    """Return the calculation for exactly these shapes, or raise the error that says why they do not fit."""
    unknown = {name: span for name, span in problem.names.items() if name not in known}
    sizes: dict[str, Static] = {}
    while True:
        try:
            shapes, counts = infer_shapes(problem.program, known, unknown, sizes, problem.assumptions, **problem.wanted)
            calculation = Calculation(problem, {**known, **shapes}, samples=samples, statics={**sizes, **counts})
            return Compiled(calculation, counts, sizes)
        except StaticNameError as error:
            if error.name in problem.batch:
                raise _differs(error) from None
            if error.name not in numbers or error.name in sizes:
                raise
            sizes[error.name] = _whole(error, numbers[error.name])


def _differs(error: StaticNameError) -> ExpressionError:
    return ExpressionError(
        f"`{error.name}` is used as a size or an index, so it cannot differ between the samples",
        *error.labels,
        helps=["write the expression for all samples at once: `logp[arange(n), y]` picks one entry of each row"],
    )


def _whole(error: StaticNameError, value: Static) -> Static:
    if not isinstance(value, float):
        return copied(value)
    if not value.is_integer():
        raise InputError(
            f"`{error.name}` is used as a size or an index, so it must be a whole number",
            Label(error.labels[0].span, f"`{error.name}` is {value:g}"),
            helps=[advise("give a whole number: ", Given(error.name, round(value) if abs(value) < 1e9 else 1))],
        )
    return int(value)
