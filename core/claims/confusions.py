"""What people confuse a derivative with: transposed, flattened, summed, per sample, by one place of the variable alone.

Each candidate is a way to compute, at any point of a trial, the array that a claim would then be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations, permutations
from math import prod
from typing import TypeAlias

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Command, Setting, Text, advise
from ...grammar.rewriting import occurrences, renamed_places, turned_names
from ...grammar.syntax import Call
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, Array, relative_error
from ..differentiation.differentiate import derivative
from ..errors import EvaluationError, ExpressionError
from ..evaluation.program import OperationFailed
from ..graph.nodes import Symbol
from ..problems.answer import Input
from ..problems.calculation import Calculation
from ..shapes import Shape
from .points import Point, Trial
from .readings import Inquiry

Compute: TypeAlias = "Callable[[Point], Array | None]"
MOST_PLACES = 5
ORDINALS = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True)
class Candidate:
    """One thing that a claim might be: `it is` and these words; `remark` says how it comes about."""

    key: str
    words: str
    compute: Compute
    remark: Text = ""
    helps: tuple[Text, ...] = ()


class Candidates(Inquiry):
    """What the claim of a trial might be instead of the derivative."""

    def __init__(self, trial: Trial, formula: str | None = None) -> None:
        super().__init__(trial, formula)
        self._calculations: dict[tuple[tuple[str, Shape], ...], Calculation] = {}

    def arrangements(self) -> Iterator[Candidate]:
        """Yield what the claim might be, the likeliest first."""
        if self.trial.order == 1:
            yield from self._of_the_output()
        elif [len(group) for group in self.groups] == [0, 1, 1] and self.groups[1] == self.groups[2]:
            yield Candidate("diagonal", f"the diagonal of the {self.noun}", partial(_of_truth, np.diagonal))
        yield from self._transposes()
        yield from self._reversed()
        yield from self._flattened()
        yield from self._orders_of_axes()
        if self.trial.order == 1 and not self.problem.parts:
            yield from self._symmetric_conventions()
            yield from self._per_sample()
            yield from self._by_places()

    @property
    def _axes_remark(self) -> str:
        return f"matgrad puts the axes of the output first, then those of {self.trial.by}"

    def _command(self, name: str, expression: str, *settings: Setting) -> Command:
        return Command(name, expression, (self.name,), settings)

    def _of_the_output(self) -> Iterator[Candidate]:
        """Return the Jacobian with its output axes, or its input axes, gone."""
        out, rank = len(self.output), len(self.output) + len(self.groups[1])
        if not out:
            return
        outputs, inputs = tuple(range(out)), tuple(range(out, rank))
        if self.output == self.groups[1]:
            remark = (
                "that is all of it where output i depends on entry i alone; the Jacobian has the rest, zeros included"
            )
            helps = (self._command("vjp", self.text, Setting("cotangent", "ones")),)
            words = "the diagonal of the Jacobian"
            yield Candidate("diagonal", words, partial(_of_truth, _diagonal, out=out), remark, helps)
        if self.output[:1] == self.groups[1][:1]:
            words = f"the derivative sample by sample: row i of the output by row i of `{self.name}`"
            remark = "the Jacobian also has the derivatives of a row of the output by the other rows"
            yield Candidate("per sample", words, partial(_of_truth, _sample_by_sample, out=out), remark)
        for word, function, reduce in (("summed", "sum", np.sum), ("averaged", "mean", np.mean)):
            words = f"the Jacobian {word} over the outputs: the gradient of `{function}({self.text})`"
            helps = (self._command("grad", f"{function}({self.text})"),)
            yield Candidate(f"{word} over outputs", words, partial(_of_truth, reduce, axis=outputs), helps=helps)
        words = f"the Jacobian summed over the entries of `{self.name}`: the Jacobian times ones"
        helps = (self._command("jvp", self.text, Setting("tangent", "ones")),)
        yield Candidate("summed over inputs", words, partial(_of_truth, np.sum, axis=inputs), helps=helps)

    def summed(self) -> Iterator[Candidate]:
        """Yield the sum of the entries of a gradient."""
        if not self.output:
            words = f"the sum of the entries of the {self.noun}: the derivative along ones"
            helps = (self._command("jvp", self.text, Setting("tangent", "ones")),) if self.trial.order == 1 else ()
            yield Candidate("summed over inputs", words, partial(_of_truth, np.sum), helps=helps)

    def _transposes(self) -> Iterator[Candidate]:
        out, rank = len(self.output), sum(map(len, self.groups))
        if out and rank > out:
            turned = partial(_of_truth, np.transpose, axes=(*range(out, rank), *range(out)))
            helps = (self._command("jacobian", self.text, Setting("layout", "denominator")),)
            words = f"the transposed {self.noun} (denominator layout)"
            yield Candidate("transposed", words, turned, self._axes_remark, helps)
        elif rank == 2:
            remark = "the gradient has the shape of the variable: entry [i, j] belongs to entry [i, j]"
            remark = remark if self.trial.order == 1 else ""
            yield Candidate("transposed", f"the transpose of the {self.noun}", lambda point: point.truth.T, remark)

    def _reversed(self) -> Iterator[Candidate]:
        for axes, which in (((0,), "rows"), ((1,), "columns"), ((0, 1), "rows and columns")):
            if self.points[0].truth.ndim > axes[-1]:
                which = which if self.points[0].truth.ndim == 2 else "entries"
                words = f"the {self.noun} with its {which} in the reverse order"
                yield Candidate("reversed", words, partial(_of_truth, np.flip, axis=axes))

    def _flattened(self) -> Iterator[Candidate]:
        """Return the derivative as a matrix, one row per output entry, axes merged row by row or column by column."""
        groups = [group for group in self.groups if group]
        if len(groups) not in (1, 2) or all(len(group) == 1 for group in groups):
            return
        rows = "flattened by rows", "row by row (row-major, as NumPy's reshape)"
        columns = "flattened by columns", "column by column (vec, column-major, as in the textbooks)"
        for (key, word), columnwise in ((rows, False), (columns, True)):
            words, flat = f"the {self.noun} flattened {word}", partial(self._flat, columnwise=columnwise)
            helps = () if columnwise else (self._command("jacobian", self.text, Setting("layout", "flat")),)
            yield Candidate(key, words, flat, helps=helps)
            if len(groups) == 2:
                yield Candidate(f"{key}, transposed", f"{words}, and transposed", partial(flat, turned=True))
        if len(groups) == 2 and all(len(group) == 2 for group in groups):
            words = f"the {self.noun} flattened column by column, without the commutation matrix"
            for axes in ((0, 1, 3, 2), (1, 0, 2, 3)):
                yield Candidate("without commutation", words, partial(self._without_commutation, axes=axes))

    def _flat(self, point: Point, columnwise: bool, turned: bool = False) -> Array:
        """Return the derivative with each group of axes merged into one."""
        truth = point.truth
        order: list[int] = []
        sizes: list[int] = []
        for group in filter(None, self.groups):
            axes = range(len(order), len(order) + len(group))
            sizes.append(prod(truth.shape[axis] for axis in axes))
            order += reversed(axes) if columnwise else axes
        flat = np.transpose(truth, order).reshape(sizes)
        return flat.T if turned else flat

    @staticmethod
    def _without_commutation(point: Point, axes: tuple[int, ...]) -> Array:
        """Return the derivative of the transposed output, or by the transposed variable, flattened by columns."""
        m, n, p, q = point.truth.shape
        return point.truth.transpose(axes).reshape(m * n, p * q)

    def _orders_of_axes(self) -> Iterator[Candidate]:
        rank = sum(map(len, self.groups))
        if rank not in (3, 4):
            return
        for order in [*permutations(range(rank))][1:]:
            words = f"the {self.noun} with its axes in the order {order}"
            turned = partial(_of_truth, np.transpose, axes=order)
            yield Candidate("axes in another order", words, turned, self._axes_remark)

    def _symmetric_conventions(self) -> Iterator[Candidate]:
        shape = self.groups[1]
        if self.output or len(shape) != 2 or shape[0] != shape[1]:
            return
        known = self.points[0].calculation.symbols[self.name].symmetric
        remark: Text = (
            "by a symmetric variable matgrad gives the gradient of f((X + X.T)/2); over independent entries each pair "
            "off the diagonal counts twice"
            if known
            else advise("that is meant for a symmetric variable: `", Setting("assume", {self.name: "symmetric"}), "`")
        )
        entries = "the derivative by the independent entries of a symmetric matrix, `G + G.T - diag(diag(G))`"

        def by_entries(point: Point) -> Array:
            return point.truth + point.truth.T - np.diag(np.diag(point.truth))

        yield Candidate("symmetric, independent entries", entries, by_entries, remark)
        if not known:
            words = "the gradient by a symmetric matrix, `(G + G.T)/2`"
            yield Candidate("symmetric", words, lambda point: (point.truth + point.truth.T) / 2, remark)

    # One sample at a time.

    def _per_sample(self) -> Iterator[Candidate]:
        shape = self.groups[1]
        if self.output or not shape or shape[0] == 1:
            return
        partners = [n for n, own in self.points[0].shapes.items() if own[:1] == shape[:1] and n != self.name]
        part = "entry" if len(shape) == 1 else "row"
        if not self._same_in_another_order([self.name, *partners]):
            return
        single = self._one_sample if len(shape) == 2 else None
        trace = self._summed if self._equivalent else None
        for others in [[], partners] if partners else [[]]:
            listed = " and of ".join(f"`{name}`" for name in [self.name, *others])
            words = f"the per-sample gradient: that of `{self.text}` for one {part} of {listed} at a time"
            if single and not others:
                words = f"the per-sample gradient of `{write(single)}`, one row of `{self.name}` per sample"
            yield Candidate(
                "per sample",
                words + self._equivalent,
                partial(self._row_by_row, others=others),
                f"the expression also has terms that mix different {'entries' if part == 'entry' else 'rows'} of "
                f"`{self.name}`, and the claim leaves them out",
                () if trace is None else (self._command("grad", f"trace({write(trace)})"),),
            )

    def _same_in_another_order(self, names: list[str]) -> bool:
        """Whether the expression stays the same where the samples come in another order."""
        point = self.points[0]
        try:
            values = {**point.values, **{name: np.roll(point.values[name], 1, axis=0) for name in names}}
            value, _ = point.calculation.program.run(values)
        except (OperationFailed, EvaluationError):  # the latter of a sparse matrix that is too large to be put in order
            return False
        return relative_error(value, point.value) <= SAME_NUMBERS

    def _row_by_row(self, point: Point, others: list[str]) -> Array | None:
        """Return the gradients for one row of the variable at a time, stacked."""
        restricted = {self.name, *others}
        size = point.shapes[self.name][0]
        if self.problem.reduce or any(point.shapes[name][:1] != (size,) for name in restricted):
            return None
        shapes = {name: (1, *shape[1:]) if name in restricted else shape for name, shape in point.shapes.items()}
        rows = []
        try:
            calculation = self._calculations.get(key := tuple(shapes.items())) or Calculation(self.problem, shapes)
            self._calculations[key] = calculation
            for row in range(size):
                values = {n: v[row : row + 1] if n in restricted else v for n, v in point.values.items()}
                rows.append(calculation.derivative_program.run(values)[0])
        except (ExpressionError, OperationFailed):
            return None
        return None if calculation.shape else np.concatenate(rows)

    @cached_property
    def _summed(self) -> syntax.Node | None:
        """The square matrix whose entries the expression sums, None where it is not of that form."""
        match self.problem.program:
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
            rows = [replace_values(point, {**point.values, self.name: row}) for row in point.values[self.name]]
            if node.shape:
                return None
            gradient = derivative(node, symbol)
            found = [row.evaluated([gradient]) for row in rows]
            wanted = self._row_by_row(point, [])
            if wanted is None or any(item is None for item in found):
                return None
            stacked = np.array([item[0] for item in found if item is not None])
            if relative_error(stacked, wanted) > SAME_NUMBERS:
                return None
        return single

    @cached_property
    def _equivalent(self) -> str:
        """Which gradient of the whole the stacked ones are, where the diagonal of a matrix is summed."""
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
            if wanted is None or found is None or relative_error(found[0], wanted) > SAME_NUMBERS:
                return ""
        return f"; equivalently the gradient of `({write(self._summed)}).diagonal().sum()`"

    # Derivatives by something else.

    def _by_places(self) -> Iterator[Candidate]:
        """Return the derivative by some places of a variable, the others held fixed: a term of the product rule."""
        places = occurrences(self.problem.program, self.name)
        if not 2 <= len(places) <= MOST_PLACES:
            return
        names = [f"{self.name} at {number}" for number in range(len(places))]
        program = renamed_places(self.problem.program, places, names)
        parts: dict[int, list[Array] | None] = {}
        for count in range(1, len(places)):
            for chosen in combinations(range(len(places)), count):
                listed = " and ".join(ORDINALS[place] for place in chosen)

                def compute(point: Point, chosen: tuple[int, ...] = chosen) -> Array | None:
                    if id(point) not in parts:
                        parts[id(point)] = self._partials(point, program, names)
                    part = parts[id(point)]
                    return None if part is None else np.sum([part[place] for place in chosen], axis=0)

                others = "others" if len(places) - count > 1 else "other"
                words = f"the derivative by the {listed} `{self.name}` alone, as if the {others} were fixed"
                remark = f"`{self.name}` occurs {len(places)} times, and the product rule has a term for each"
                yield Candidate("product rule", words, compute, remark)
                if len(self.output) == len(self.groups[1]) == 2:
                    for columnwise, flat in ((True, "column by column"), (False, "row by row")):
                        flattened = partial(self._flattened_part, compute=compute, columnwise=columnwise)
                        yield Candidate("product rule", f"{words}, flattened {flat}", flattened, remark)

    def _flattened_part(self, point: Point, compute: Compute, columnwise: bool) -> Array | None:
        found = compute(point)
        return None if found is None else self._flat(replace(point, truth=found), columnwise)

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

    def by_others(self) -> Iterator[Candidate]:
        """Yield the derivatives by the other names."""
        for other in self.problem.names:
            if other != self.name:
                words = f"the {self.noun} by `{other}`, not by `{self.name}`"
                by_other = partial(self._by, name=other)
                yield Candidate("another variable", words, by_other, helps=(Setting("wrt", other),))
                if self.output and self.output == self.points[0].shapes[other]:
                    diagonal = partial(self._diagonal_by, name=other)
                    yield Candidate("another variable", f"the diagonal of {words}", diagonal)

    def _diagonal_by(self, point: Point, name: str) -> Array | None:
        found = self._by(point, name)
        return None if found is None else _diagonal(found, len(self.output))

    @staticmethod
    def _by(point: Point, name: str) -> Array | None:
        calculation = point.calculation
        found = point.evaluated([derivative(calculation.output, calculation.symbols[name])])
        return None if found is None else found[0]


def replace_values(point: Point, values: dict[str, Array]) -> Point:
    """Return a point with other numbers; its derivative and claim are those of the old ones."""
    known = {name: point.inputs.get(name, Input(value, "derived")) for name, value in values.items()}
    return replace(point, inputs={name: item._replace(value=values[name]) for name, item in known.items()})


def _diagonal(truth: Array, out: int) -> Array:
    """Return the entries whose output and input indices are equal."""
    size = prod(truth.shape[:out])
    return np.diagonal(truth.reshape(size, size)).reshape(truth.shape[:out])


def _sample_by_sample(truth: Array, out: int) -> Array:
    return np.moveaxis(np.diagonal(truth, axis1=0, axis2=out), -1, 0)


def _of_truth(function: Callable[..., Array], point: Point, **settings: object) -> Array:
    return function(point.truth, **settings)
