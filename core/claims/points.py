"""A claim on trial: the inputs at which it is compared with the derivative, and what both are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Setting, advise
from ...grammar.parser import parse
from ...grammar.rewriting import joined, toggled_transposes
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, Array, relative_error, whole_numbers
from ..differentiation.stabilise import stabilized
from ..elaboration.elaborate import BARE_CONSTANTS, Elaborator
from ..elaboration.inference import infer_shapes
from ..errors import EvaluationError, ExpressionError, Label, MatgradError, ShapeError, Source, UnknownNameError
from ..evaluation.program import OperationFailed, compile_program, evaluated
from ..graph.nodes import Node
from ..graph.transform import flatten
from ..problems.answer import Input, values_of
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..session import Prepared, Wishes, explained, prepare
from ..shapes import Shape, show

POINTS = 6
CLAIM = "claim"
SUMS = ("sum", "reduce_sum", "mean", "reduce_mean", "average", "trace", "tr")


@contextmanager
def speaking_of(claim: str) -> Iterator[None]:
    """Let errors point into a claim by that name."""
    try:
        yield
    except MatgradError as error:
        error.source = Source(CLAIM, claim)
        raise


@dataclass(frozen=True)
class Point:
    """Inputs at which a claim is compared: the derivative there, what is claimed, and how the inputs came about."""

    calculation: Calculation
    inputs: Mapping[str, Input]
    value: Array
    truth: Array
    claimed: Array

    @cached_property
    def values(self) -> dict[str, Array]:
        """The value of each input."""
        return values_of(self.inputs)

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each input."""
        return {name: np.shape(value) for name, value in self.values.items()}

    @property
    def error(self) -> float:
        """The relative error of the claim here."""
        return relative_error(self.claimed, self.truth)

    def evaluated(self, nodes: list[Node]) -> list[Array] | None:
        """Return graphs over the inputs as numbers, None where an operation has no result."""
        return evaluated(nodes, self.values)

    def elaborated(self, program: syntax.Program, symbols: Mapping[str, Node] | None = None) -> Node:
        """Return the graph of a program over the inputs, `symbols` being known besides them."""
        return elaborated(program, {**self.calculation.symbols, **(symbols or {})}, whole_numbers(self.values))

    def compute(self, program: syntax.Program) -> Array | None:
        """Return the value of a program here, None where it does not fit or has no value."""
        try:
            found = self.evaluated([self.elaborated(program)])
        except ExpressionError:
            return None
        return None if found is None else found[0]


def elaborated(program: syntax.Program, environment: Mapping[str, Node], statics: Mapping[str, int]) -> Node:
    """Return the graph of a program whose result is one array."""
    elaborator = Elaborator(environment, statics)
    return stabilized([elaborator.tensor(elaborator.run(program), syntax.span_of(program.result))])[0]


def _sums_a_number(program: syntax.Program, calculation: Calculation) -> bool:
    """Whether a program sums, or takes the trace, of what is a single number."""
    for call in syntax.walk(program):
        if isinstance(call, syntax.Call) and call.function in SUMS and call.arguments:
            inner = syntax.Program(program.assignments, call.arguments[0])
            with suppress(ExpressionError):
                if not elaborated(inner, calculation.symbols, {}).shape:
                    return True
    return False


class Trial:
    """One claim on trial: the points at which it is compared, and the verdict."""

    def __init__(self, problem: Problem, claim: str, given: Mapping[str, Input], wishes: Wishes) -> None:
        self.problem = problem
        self.claim = claim.strip()
        self.given = {name: item for name, item in given.items() if name in problem.names}
        self.wishes = wishes._replace(general=True)
        with speaking_of(claim):
            self.program = parse(claim)
        self.compiler = Compiler(problem)
        self._check_names()
        self.remarks: list[str] = []
        self.points = self._points()

    # What is compared.

    def _prepare(self, given: Mapping[str, Input], wishes: Wishes) -> Prepared:
        return prepare(self.problem, given, wishes, self.compiler)

    def _check_names(self) -> None:
        names = self.problem.names
        for name, span in syntax.free_names(self.program).items():
            if name not in names and name not in BARE_CONSTANTS:
                message, label = f"`{name}` is not in the expression", Label(span, "unknown name")
                notes = [f"names in the expression: {', '.join(names)}"]
                helps = ["a claim may use the inputs of the expression, numbers and functions"]
                raise UnknownNameError(message, label, source=Source(CLAIM, self.claim), notes=notes, helps=helps)

    @property
    def order(self) -> int:
        """How many times the expression is differentiated."""
        return len(self.problem.requests[0])

    @cached_property
    def noun(self) -> str:
        """What the derivative is called."""
        if self.problem.kind == "hessian" or self.order == 2:
            return "Hessian" if len(set(self.problem.requests[0])) == 1 else "mixed second derivative"
        if self.order != 1:
            return "derivative"
        return "Jacobian" if self.points[0].calculation.shape else "gradient"

    def _points(self) -> list[Point]:
        """Return the points: the given inputs, then random ones; where shapes are free, of two sets of sizes."""
        points: list[Point] = []
        give = advise("give inputs with ", Setting("inputs"), " at which it is")
        draw = advise(Setting("random", "uniform"), " draws numbers from 0 to 1")
        refusal = EvaluationError("the derivative is not finite at any of the inputs tried", helps=[give, draw])
        for wishes, given in self._settings():
            try:
                points += self._point(given, wishes)
            except EvaluationError as error:
                refusal = error
        if not points:
            raise refusal
        return points

    def _settings(self) -> Iterator[tuple[Wishes, Mapping[str, Input]]]:
        self.wishes = self.wishes._replace(declared={**self.wishes.declared, **self._rows_meant()})
        first = self._fitting(self._prepare(self.given, self.wishes).inputs)
        shapes = {name: np.shape(item.value) for name, item in first.items()}
        declared = {name: shape for name, shape in shapes.items() if first[name].law != "size"}
        larger = self._larger(first, declared)
        seeds = range(self.wishes.seed, self.wishes.seed + POINTS)
        yield self.wishes._replace(declared=declared), self.given
        whole = {name: self.given[name] for name in whole_numbers(values_of(self.given))}
        for place, seed in enumerate(seeds):
            if place or self.given:
                own = larger if larger is not None and place % 2 else declared
                yield self.wishes._replace(declared=own, seed=seed), whole

    def _larger(self, inputs: Mapping[str, Input], declared: Mapping[str, Shape]) -> dict[str, Shape] | None:
        """Return larger shapes where shapes were guessed, None where the expression or the claim does not fit them."""
        inferred = {name for name, item in inputs.items() if item.shape_inferred}
        fixed = {size for name in declared if name not in inferred for size in declared[name]}
        larger = {name: tuple(s if s in fixed or s == 1 else s + 2 for s in shape) for name, shape in declared.items()}
        if larger == declared:
            return None
        try:
            base = self._prepare(self.given, self.wishes._replace(declared=declared))
            prepared = self._prepare({}, self.wishes._replace(declared=larger))
            fitted = self._fits(base)
            return larger if self._fits(prepared) or not fitted else None
        except ExpressionError:
            return None

    def _fits(self, prepared: Prepared) -> bool:
        """Whether the claim has the shape of the derivative; with sizes of its own it may for some shapes alone."""
        (_, truth), *_ = prepared.calculation.results
        return self._claim_over(prepared.calculation, prepared.inputs).shape == truth.shape

    def _rows_meant(self) -> dict[str, Shape]:
        """Return matrix shapes for variables whose names read as vectors, where a sum would be of a single number.

        `(x @ A @ x.T).sum()` says by its sum that x has rows.
        """
        prepared = self._prepare(self.given, self.wishes)
        inputs, calculation = prepared.inputs, prepared.calculation
        name = self.problem.requests[0][0]
        shape = calculation.symbols[name].shape
        if not inputs[name].shape_inferred or len(shape) != 1 or not _sums_a_number(self.problem.program, calculation):
            return {}
        rows = max(size for item in inputs.values() for size in (*np.shape(item.value), 3)) + 2
        declared: dict[str, Shape] = {name: (rows, *shape)}
        try:
            prepared = self._prepare(self.given, self.wishes._replace(declared={**self.wishes.declared, **declared}))
        except ExpressionError:
            return {}
        if prepared.calculation.shape != calculation.shape:
            return {}
        taken = f"`{name}` is taken as a matrix, {show(declared[name])}"
        self.remarks.append(f"{taken}: for a vector the sum would be of one number")
        return declared

    def _fitting(self, inputs: Mapping[str, Input]) -> Mapping[str, Input]:
        """Return inputs that the claim fits too: where shapes are free, the claim has a say in them."""
        prepared = self._prepare(self.given, self.wishes)
        try:
            self._claim_over(prepared.calculation, inputs)
        except ExpressionError as error:
            error.source = Source(CLAIM, self.claim)
            if self._with_transpose(prepared.calculation, inputs, error):
                raise
            shapes = self._joint_shapes() if isinstance(error, ShapeError) else None
            if shapes is None:
                raise
            declared = {**self.wishes.declared, **shapes}
            try:
                prepared = self._prepare(self.given, self.wishes._replace(declared=declared))
                self._claim_over(prepared.calculation, prepared.inputs)
            except ExpressionError:
                raise error from None
        return prepared.inputs

    def _claim_over(self, calculation: Calculation, inputs: Mapping[str, Input]) -> Node:
        return elaborated(self.program, calculation.symbols, whole_numbers(values_of(inputs)))

    def _with_transpose(self, calculation: Calculation, inputs: Mapping[str, Input], error: ExpressionError) -> bool:
        """Add to an error the transpose with which the claim would be right; False where there is none."""
        values = values_of(inputs)
        truth = explained(calculation, calculation.derivative_program.run, values)[0]
        matrices = {name for name, value in values.items() if np.ndim(value) == 2}
        for before, after, program in toggled_transposes(self.program, matrices):
            found = None
            with suppress(ExpressionError):
                found = evaluated([elaborated(program, calculation.symbols, whole_numbers(values))], values)
            if found is not None and relative_error(found[0], truth) <= SAME_NUMBERS:
                error.helps = (
                    f"with `{after}` in place of `{before}` it is right: `{write(program)}`",
                    *(text for text in error.helps if "would fit" not in str(text)),
                )
                return True
        return False

    def _joint_shapes(self) -> dict[str, Shape] | None:
        """Return shapes that expression and claim fit together, None where there are none."""
        both = joined(self.program, self.problem.program, "claimed derivative")
        if both is None:
            return None
        known = {name: np.shape(item.value) for name, item in self.given.items()}
        known |= {name: shape for name, shape in self.wishes.declared.items() if name in self.problem.names}
        unknown = {name: span for name, span in self.problem.names.items() if name not in known}
        if not unknown:
            return None
        try:
            shapes, counts = infer_shapes(both, known, unknown, whole_numbers(values_of(self.given)))
        except ExpressionError:
            return None
        return {name: shape for name, shape in shapes.items() if name not in counts}

    def _point(self, given: Mapping[str, Input], wishes: Wishes) -> list[Point]:
        """Return the point of some inputs; none where the derivative is not finite there."""
        prepared = self._prepare(given, wishes)
        calculation = prepared.calculation
        calculation.guard(wishes.limit)
        values = prepared.values
        value, truth = explained(calculation, calculation.program.run, values)
        if not np.isfinite(truth).all():
            return []
        try:
            with speaking_of(self.claim):
                claim = self._claim_over(calculation, prepared.inputs)
            claimed = compile_program(flatten([claim])).run(values)[0]
        except OperationFailed as failure:
            message = f"the claim has no value: {failure.original}".lower()
            raise EvaluationError(message, place=Setting("claim")) from None
        return [Point(calculation, prepared.inputs, value, truth, np.asarray(claimed, dtype=np.float64))]

    @property
    def by(self) -> str:
        """The variables in words: `x`, `x and y`."""
        return " and ".join(f"`{name}`" for name in dict.fromkeys(self.problem.requests[0]))
