"""What a wrong derivative is instead: the other things that people call by its name.

Each candidate is computed from the expression at every point of a trial; a claim is read as the first candidate that
it equals everywhere, exactly or up to a factor that has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations, permutations
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..grammar import syntax
from ..grammar.syntax import Call
from ..grammar.writer import write
from .answer import Array
from .calculation import Calculation
from .claims import NEAR_MISS, TOLERANCE, Point, relative_error
from .differentiate import derivative
from .errors import ExpressionError
from .evaluate import OperationFailed
from .graph import Symbol
from .rewriting import occurrences, renamed_places, toggled_transposes, turned_names
from .shapes import describe

if TYPE_CHECKING:
    from .claims import Trial

Compute = Callable[[Point], Array | None]
MOST_PLACES = 5
LARGEST_DENOMINATOR = 12
ORDINALS = ("first", "second", "third", "fourth", "fifth")
MULTIPLES = tuple(Fraction(n, d) for n, d in ((1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2), (4, 1), (1, 4)))


@dataclass(frozen=True)
class Reading:
    """What a claim is: a key for scripts, a factor where it is a multiple, and what to tell a person."""

    key: str
    notes: tuple[str, ...]
    factor: str | None = None
    helps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One thing that a claim might be: `it is` and these words; `remark` says how it comes about."""

    key: str
    words: str
    compute: Compute
    remark: str = ""
    helps: tuple[str, ...] = ()


def other_reading(trial: Trial) -> Reading | None:
    """Return what the claim of a trial is instead of the derivative, None where nothing fits."""
    return Search(trial).run()


class Search:
    """The search for a reading of one claim."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.points = trial.points
        self.problem = trial.problem
        self.noun = trial.noun
        self.text = trial.problem.text.strip()
        self.name = trial.problem.requests[0][0]
        first = self.points[0]
        self.output = first.calculation.shape
        self.groups = [group for group in (self.output, *(first.shapes[n] for n in self.trial.problem.requests[0]))]

    def run(self) -> Reading | None:
        """Return the first reading that holds at every point."""
        own = Candidate("factor", f"the {self.noun}", lambda point: point.truth)
        found = self._multiple(own, [point.truth for point in self.points])
        if found:
            return found
        candidates = [
            (candidate, arrays)
            for candidate in self.candidates()
            if (arrays := self._arrays(candidate.compute)) is not None
        ]
        for candidate, arrays in candidates:
            if self._equal(arrays):
                return Reading(candidate.key, self._told(f"it is {candidate.words}", candidate), None, candidate.helps)
        found = self._transposed_factor() or self._under_assumption()
        if found:
            return found
        for candidate, arrays in candidates:
            found = self._multiple(candidate, arrays)
            if found:
                return found
        return self._other_shape()

    def _told(self, words: str, candidate: Candidate) -> tuple[str, ...]:
        return (words, candidate.remark) if candidate.remark else (words,)

    def _arrays(self, compute: Compute) -> list[Array] | None:
        arrays = []
        for point in self.points:
            array = compute(point)
            if array is None or array.shape != point.claimed.shape:
                return None
            arrays.append(array)
        return arrays

    def _equal(self, arrays: list[Array]) -> bool:
        return all(relative_error(p.claimed, a) <= TOLERANCE for p, a in zip(self.points, arrays, strict=True))

    # The candidates.

    def candidates(self) -> Iterator[Candidate]:
        """Yield what the claim might be, the likeliest first."""
        if self.trial.order == 1:
            yield from self._of_the_output()
        yield from self._transposes()
        yield from self._flattened()
        yield from self._orders_of_axes()
        if self.trial.order == 1:
            yield from self._symmetric_conventions()
            yield from self._per_sample()
            yield from self._by_places()
            yield from self._by_others()

    def _of_the_output(self) -> Iterator[Candidate]:
        """The Jacobian with its output axes, or its input axes, gone."""
        out, rank = len(self.output), len(self.output) + len(self.groups[1])
        wrt = f"--wrt {self.name}"
        if not out:
            return
        outputs, inputs = tuple(range(out)), tuple(range(out, rank))
        if self.output == self.groups[1]:
            yield Candidate(
                "diagonal",
                "the diagonal of the Jacobian",
                lambda point: _diagonal(point.truth, out),
                "that is all of it where output i depends on entry i alone; the Jacobian has the rest, zeros included",
                (f'matgrad vjp "{self.text}" {wrt} --cotangent ones',),
            )
        if self.output[:1] == self.groups[1][:1]:
            yield Candidate(
                "per sample",
                f"the derivative sample by sample: row i of the output by row i of `{self.name}`",
                lambda point: np.moveaxis(np.diagonal(point.truth, axis1=0, axis2=out), -1, 0),
                "the Jacobian also has the derivatives of a row of the output by the other rows",
            )
        yield Candidate(
            "summed over outputs",
            f"the Jacobian summed over the outputs: the gradient of `sum({self.text})`",
            lambda point: point.truth.sum(axis=outputs),
            helps=(f'matgrad grad "sum({self.text})" {wrt}',),
        )
        yield Candidate(
            "averaged over outputs",
            f"the Jacobian averaged over the outputs: the gradient of `mean({self.text})`",
            lambda point: point.truth.mean(axis=outputs),
            helps=(f'matgrad grad "mean({self.text})" {wrt}',),
        )
        yield Candidate(
            "summed over inputs",
            f"the Jacobian summed over the entries of `{self.name}`: the Jacobian times ones",
            lambda point: point.truth.sum(axis=inputs),
            helps=(f'matgrad jvp "{self.text}" {wrt} --tangent ones',),
        )

    def _transposes(self) -> Iterator[Candidate]:
        out, rank = len(self.output), sum(map(len, self.groups))
        if out and rank > out:
            order = (*range(out, rank), *range(out))
            yield Candidate(
                "transposed",
                f"the transposed {self.noun} (denominator layout)",
                lambda point: np.transpose(point.truth, order),
                f"matgrad puts the axes of the output first, then those of {self.trial.by}",
                (f'matgrad jacobian "{self.text}" --wrt {self.name} --layout denominator',),
            )
        elif rank == 2:
            remark = "the gradient has the shape of the variable: entry [i, j] belongs to entry [i, j]"
            yield Candidate("transposed", f"the transpose of the {self.noun}", lambda point: point.truth.T,
                            remark if self.trial.order == 1 else "")  # fmt: skip

    def _flattened(self) -> Iterator[Candidate]:
        """The derivative as a matrix of one row per output entry, its axes merged row by row or column by column."""
        groups = [group for group in self.groups if group]
        if len(groups) not in (1, 2) or all(len(group) == 1 for group in groups):
            return
        rows = "row by row (row-major, as NumPy's reshape)"
        columns = "column by column (vec, column-major, as in the textbooks)"
        for word, columnwise in ((rows, False), (columns, True)):
            key = "flattened by columns" if columnwise else "flattened by rows"
            yield Candidate(
                key,
                f"the {self.noun} flattened {word}",
                lambda point, columnwise=columnwise: self._flat(point.truth, columnwise),  # type: ignore[misc]
                helps=(f'matgrad jacobian "{self.text}" --wrt {self.name} --layout flat',) if not columnwise else (),
            )
            if len(groups) == 2:
                yield Candidate(
                    f"{key}, transposed",
                    f"the {self.noun} flattened {word}, and transposed",
                    lambda point, columnwise=columnwise: self._flat(point.truth, columnwise).T,  # type: ignore[misc]
                )

    def _flat(self, truth: Array, columnwise: bool) -> Array:
        """Return a derivative with each group of axes merged into one."""
        order: list[int] = []
        sizes: list[int] = []
        for group in self.groups:
            if group:
                axes = range(len(order), len(order) + len(group))
                sizes.append(prod(truth.shape[axis] for axis in axes))
                order += reversed(axes) if columnwise else axes
        return np.transpose(truth, order).reshape(sizes)

    def _orders_of_axes(self) -> Iterator[Candidate]:
        rank = sum(map(len, self.groups))
        if rank not in (3, 4):
            return
        for order in permutations(range(rank)):
            if order != tuple(range(rank)):
                yield Candidate(
                    "axes in another order",
                    f"the {self.noun} with its axes in the order {order}",
                    lambda point, order=order: np.transpose(point.truth, order),  # type: ignore[misc]
                    f"matgrad puts the axes of the output first, then those of {self.trial.by}",
                )

    def _symmetric_conventions(self) -> Iterator[Candidate]:
        shape = self.groups[1]
        if self.output or len(shape) != 2 or shape[0] != shape[1]:
            return
        known = self.points[0].calculation.symbols[self.name].symmetric
        remark = (
            "by a symmetric variable matgrad gives the gradient of f((X + X.T)/2); over independent entries each pair "
            "off the diagonal counts twice"
            if known
            else f"that is meant for a symmetric variable: `--assume {self.name}=symmetric`"
        )
        entries = "the derivative by the independent entries of a symmetric matrix, `G + G.T - diag(diag(G))`"
        yield Candidate("symmetric, independent entries", entries,
                        lambda point: _doubled(point.truth), remark)  # fmt: skip
        if not known:
            yield Candidate("symmetric", "the gradient by a symmetric matrix, `(G + G.T)/2`",
                            lambda point: (point.truth + point.truth.T) / 2, remark)  # fmt: skip

    # One sample at a time.

    def _per_sample(self) -> Iterator[Candidate]:
        shape = self.groups[1]
        if self.output or not shape or shape[0] == 1:
            return
        partners = [n for n, own in self.points[0].shapes.items() if own[:1] == shape[:1] and n != self.name]
        part = "entry" if len(shape) == 1 else "row"
        single = self._one_sample if len(shape) == 2 else None
        for others in [[], partners] if partners else [[]]:
            listed = " and of ".join(f"`{name}`" for name in [self.name, *others])
            words = f"the per-sample gradient: that of `{self.text}` for one {part} of {listed} at a time"
            if single and not others:
                words = f"the per-sample gradient of `{write(single)}`, one row of `{self.name}` per sample"
            yield Candidate(
                "per sample",
                words + self._equivalent(),
                lambda point, others=others: self._row_by_row(point, others),  # type: ignore[misc]
                f"the expression also has terms that mix different {'entries' if part == 'entry' else 'rows'} of "
                f"`{self.name}`, and the claim leaves them out",
                self._trace_help(),
            )

    def _row_by_row(self, point: Point, others: list[str]) -> Array | None:
        """Return the gradients for one row of the variable at a time, stacked."""
        restricted = {self.name, *others}
        size = point.shapes[self.name][0]
        if any(point.shapes[name][:1] != (size,) for name in restricted):
            return None
        rows = []
        calculation: Calculation | None = None
        for row in range(size):
            values = {n: v[row : row + 1] if n in restricted else v for n, v in point.values.items()}
            try:
                shapes = {name: np.shape(value) for name, value in values.items()}
                calculation = calculation or Calculation(self.problem, shapes)
                if calculation.shape:
                    return None
                rows.append(calculation.derivatives(values)[0])
            except (ExpressionError, OperationFailed):
                return None
        return np.concatenate(rows)

    @cached_property
    def _summed(self) -> syntax.Node | None:
        """The square matrix whose entries the expression sums, None where it is not of that form."""
        program = self.problem.program
        match program:
            case syntax.Program((), Call("sum" | "reduce_sum", (matrix,), ())):
                value = self.points[0].compute(syntax.Program((), matrix))
                if value is not None and value.ndim == 2 and value.shape[0] == value.shape[1]:
                    return matrix
        return None

    @cached_property
    def _one_sample(self) -> syntax.Node | None:
        """The expression for one sample, a vector in place of a row: `x.T @ A @ x` for `(x @ A @ x.T).sum()`."""
        if self._summed is None:
            return None
        single = turned_names(self._summed, self.name)
        for point in self.points:
            symbol = Symbol.of(self.name, point.shapes[self.name][1:])
            try:
                node = point.elaborated(syntax.Program((), single), {self.name: symbol})
            except ExpressionError:
                return None
            rows = [replace_value(point, self.name, row) for row in point.values[self.name]]
            if node.shape:
                return None
            gradient = derivative(node, symbol)
            found = [row.evaluated([gradient]) for row in rows]
            wanted = self._row_by_row(point, [])
            if wanted is None or any(item is None for item in found):
                return None
            stacked = np.array([item[0] for item in found if item is not None])
            if relative_error(stacked, wanted) > TOLERANCE:
                return None
        return single

    def _equivalent(self) -> str:
        """Say which gradient of the whole the stacked ones are, where the diagonal of a matrix is summed."""
        if self._summed is None:
            return ""
        trace = syntax.Program((), Call("trace", (self._summed,)))
        for point in self.points:
            wanted = self._row_by_row(point, [])
            try:
                node = derivative(point.elaborated(trace), point.calculation.symbols[self.name])
            except ExpressionError:
                return ""
            found = point.evaluated([node])
            if wanted is None or found is None or relative_error(found[0], wanted) > TOLERANCE:
                return ""
        return f"; equivalently the gradient of `({write(self._summed)}).diagonal().sum()`"

    def _trace_help(self) -> tuple[str, ...]:
        if not self._equivalent() or self._summed is None:
            return ()
        return (f'matgrad grad "trace({write(self._summed)})" --wrt {self.name}',)

    # Derivatives by something else.

    def _by_places(self) -> Iterator[Candidate]:
        """The derivative by some of the places of a variable, the others held fixed: a term of the product rule."""
        places = occurrences(self.problem.program, self.name)
        if not 2 <= len(places) <= MOST_PLACES:
            return
        names = [f"{self.name} at {number}" for number in range(len(places))]
        program = renamed_places(self.problem.program, places, names)
        parts = [self._partials(point, program, names) for point in self.points]
        if any(part is None for part in parts):
            return
        of_point = {id(point): part for point, part in zip(self.points, parts, strict=True)}
        for count in range(1, len(places)):
            for chosen in combinations(range(len(places)), count):
                listed = " and ".join(ORDINALS[place] for place in chosen)

                def compute(point: Point, chosen: tuple[int, ...] = chosen) -> Array | None:
                    part = of_point[id(point)]
                    return None if part is None else np.sum([part[place] for place in chosen], axis=0)

                yield Candidate(
                    "product rule",
                    f"the derivative by the {listed} `{self.name}` alone, as if the other"
                    f"{'s' if len(places) - count > 1 else ''} were fixed",
                    compute,
                    f"`{self.name}` occurs {len(places)} times, and the product rule has a term for each",
                )

    def _partials(self, point: Point, program: syntax.Program, names: list[str]) -> list[Array] | None:
        symbol = point.calculation.symbols[self.name]
        symbols = {name: Symbol.of(name, symbol.shape, symbol.assumptions) for name in names}
        try:
            node = point.elaborated(program, symbols)
        except ExpressionError:
            return None
        value = point.values[self.name]
        moved = replace_values(point, {**point.values, **dict.fromkeys(names, value)})
        return moved.evaluated([derivative(node, own) for own in symbols.values()])

    def _by_others(self) -> Iterator[Candidate]:
        for other in self.problem.names:
            if other != self.name:
                yield Candidate(
                    "another variable",
                    f"the {self.noun} by `{other}`, not by `{self.name}`",
                    lambda point, other=other: self._by(point, other),  # type: ignore[misc]
                    helps=(f"--wrt {other}",),
                )

    @staticmethod
    def _by(point: Point, name: str) -> Array | None:
        calculation = point.calculation
        found = point.evaluated([derivative(calculation.output, calculation.symbols[name])])
        return None if found is None else found[0]

    # Claims that are nearly right.

    def _transposed_factor(self) -> Reading | None:
        """Return the transpose that is missing from the claim, or too many in it."""
        matrices = {name for name, shape in self.points[0].shapes.items() if len(shape) == 2}
        for before, after, program in toggled_transposes(self.trial.program, matrices):
            values = [point.compute(program) for point in self.points]
            if all(
                value is not None and relative_error(value, point.truth) <= TOLERANCE
                for value, point in zip(values, self.points, strict=True)
            ):
                words = f"with `{after}` in place of `{before}` it is right: `{write(program)}`"
                return Reading("transposed factor", (words,))
        return None

    def _under_assumption(self) -> Reading | None:
        """Return the matrix that has to be symmetric for the claim to hold."""
        for name, shape in self.points[0].shapes.items():
            square = len(shape) == 2 and shape[0] == shape[1]
            if square and all(self._holds_symmetric(point, name) for point in self.points):
                words = f"it is right where `{name}` is symmetric, and here nothing says so"
                return Reading("if symmetric", (words,), None, (f"--assume {name}=symmetric",))
        return None

    def _holds_symmetric(self, point: Point, name: str) -> bool:
        value = point.values[name]
        if name in self.problem.assumptions or value.shape[0] != value.shape[1]:
            return False
        values = {**point.values, name: (value + value.T) / 2}
        problem = replace(self.problem, assumptions={**self.problem.assumptions, name: frozenset({"symmetric"})})
        moved = replace_values(point, values)
        claimed = moved.compute(self.trial.program)
        try:
            truth = Calculation(problem, point.shapes).derivatives(values)[0]
        except (ExpressionError, OperationFailed):
            return False
        return claimed is not None and relative_error(claimed, truth) <= TOLERANCE

    def _multiple(self, candidate: Candidate, arrays: list[Array]) -> Reading | None:
        """Return a candidate up to a factor with a name."""
        if any(array.shape != point.claimed.shape for array, point in zip(arrays, self.points, strict=True)):
            return None
        factors = []
        for point, array in zip(self.points, arrays, strict=True):
            norm = float(np.sum(array * array))
            if not norm or not np.isfinite(point.claimed).all():
                return None
            factors.append(float(np.sum(point.claimed * array)) / norm)
            if not factors[-1] or relative_error(point.claimed, factors[-1] * array) > TOLERANCE:
                return None
        named = self._named(factors)
        if named is None:
            return None
        factor, words = named
        if factor == "-1":
            key = "sign" if candidate.key == "factor" else f"{candidate.key}, sign"
            return Reading(key, self._told(f"it is minus {candidate.words}", candidate), factor, candidate.helps)
        key = candidate.key if candidate.key == "factor" else f"{candidate.key}, factor"
        return Reading(key, self._told(f"it is {words} times {candidate.words}", candidate), factor, candidate.helps)

    def _named(self, factors: list[float]) -> tuple[str, str] | None:
        """Return a factor as a number, or as the size or the input that it follows from point to point."""
        first = factors[0]
        constant = all(_near(factor, first) for factor in factors)
        simple = constant and Fraction(first).limit_denominator(LARGEST_DENOMINATOR) in MULTIPLES
        if not simple:
            for symbol, words, measure in self._measures():
                values = [measure(point) for point in self.points]
                if all(np.isfinite(value) and value not in (0, 1) for value in values):
                    found = _multiple_of(factors, values, symbol, words)
                    if found:
                        return found
        if not constant:
            return None
        if abs(first - 1) < NEAR_MISS:
            return None
        near = Fraction(first).limit_denominator(LARGEST_DENOMINATOR)
        text = str(near) if near and _near(first, float(near)) else f"{first:.6g}"
        return text, text

    def _measures(self) -> Iterator[tuple[str, str, Callable[[Point], float]]]:
        """Yield what a factor might be: sizes of the variable, of the others, the value, inputs that are numbers."""
        for name in (self.name, *(other for other in self.problem.names if other != self.name)):
            shape = self.points[0].shapes[name]
            if len(shape) == 2:
                for axis, word in enumerate(("rows", "columns")):
                    yield (f"{name}.shape[{axis}]", f"the number of {word} of `{name}`",
                           lambda point, name=name, axis=axis: float(point.shapes[name][axis]))  # type: ignore[misc]  # fmt: skip
            if shape:
                yield (f"{name}.size", f"n, the number of entries of `{name}`,",
                       lambda point, name=name: float(prod(point.shapes[name])))  # type: ignore[misc]  # fmt: skip
        if self.output:
            yield "out.size", "the number of outputs", lambda point: float(prod(point.calculation.shape))
        else:
            yield f"({self.text})", "the value of the expression", lambda point: float(point.value)
        for name, shape in self.points[0].shapes.items():
            if not shape:
                yield name, f"`{name}`", lambda point, name=name: float(point.values[name])  # type: ignore[misc]

    def _other_shape(self) -> Reading | None:
        """Return the right numbers under another shape: a column, a row, or what broadcasts."""
        claims = [point.claimed for point in self.points]
        truths = [point.truth for point in self.points]
        first, wanted = claims[0], truths[0]
        if all(c.size == t.size and c.shape != t.shape and relative_error(c.ravel(), t.ravel()) <= TOLERANCE
               for c, t in zip(claims, truths, strict=True)):  # fmt: skip
            words = f"its numbers are right, its shape is not: {describe(first.shape)}, not {describe(wanted.shape)}"
            return Reading("other shape", (words,), None, ("squeeze(...) or reshape(...) changes the shape alone",))
        for c, t in zip(claims, truths, strict=True):
            try:
                spread = np.broadcast_to(c, t.shape)
            except ValueError:
                return None
            if c.shape == t.shape or relative_error(spread, t) > TOLERANCE:
                return None
        words = f"its numbers are right where they are broadcast from {describe(first.shape)} to {describe(wanted.shape)}"
        return Reading("broadcast", (words,))


def replace_values(point: Point, values: dict[str, Array]) -> Point:
    """Return a point with other numbers; its derivative and claim are those of the old ones."""
    inputs = {
        name: replace(point.inputs[name], value=value) if name in point.inputs else _made(value)
        for name, value in values.items()
    }
    return replace(point, inputs=inputs)


def replace_value(point: Point, name: str, value: Array) -> Point:
    """Return a point with one input changed."""
    return replace_values(point, {**point.values, name: value})


def _made(value: Array) -> object:
    from .answer import Input

    return Input(value, "derived")


def _diagonal(truth: Array, out: int) -> Array:
    """Return the entries whose output and input indices are equal."""
    size = prod(truth.shape[:out])
    return np.diagonal(truth.reshape(size, size)).reshape(truth.shape[:out])


def _doubled(gradient: Array) -> Array:
    return gradient + gradient.T - np.diag(np.diag(gradient))


def _near(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= 10 * TOLERANCE * max(abs(found), abs(wanted))


def _multiple_of(factors: list[float], values: list[float], symbol: str, words: str) -> tuple[str, str] | None:
    """Return a factor that is a simple multiple of a quantity, or of one over it."""
    for power in (1, -1):
        for multiple in MULTIPLES:
            if all(_near(f, float(multiple) * v**power) for f, v in zip(factors, values, strict=True)):
                if power == 1:
                    scaled = {Fraction(1): "", Fraction(-1): "minus "}.get(multiple, f"{multiple} times ")
                    code = {Fraction(1): symbol, Fraction(-1): f"-{symbol}"}.get(multiple, f"{multiple}*{symbol}")
                    return code, f"{scaled}{words}"
                return f"{multiple}/{symbol}", f"{multiple} over {words}"
    return None
