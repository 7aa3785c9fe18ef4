"""A claim on trial: the inputs at which it is compared with the derivative, and what both are there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Setting, advise
from ...grammar.parser import parse
from ...grammar.rewriting import joined, toggled_transposes
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, Array, Static, relative_error, same_static, statics, whole_numbers
from ..checking.conditioning import Loss, lost_by
from ..checking.differences import MARGIN
from ..differentiation.stabilise import stabilized
from ..elaboration.elaborate import Elaborator
from ..elaboration.inference import infer_shapes
from ..elaboration.libraries import in_own_words
from ..elaboration.literals import BARE_CONSTANTS
from ..errors import EvaluationError, ExpressionError, Label, MatgradError, ShapeError, Source, UnknownNameError
from ..evaluation.program import OperationFailed, Program, compile_program
from ..formulas.closed_form import origins_of
from ..graph.algebra import number
from ..graph.nodes import Node
from ..graph.transform import flatten
from ..problems.answer import Input, Result, readings_of, values_of
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..session import Prepared, Wishes, explained, prepare
from ..shapes import Shape

Arrange = Callable[[Result], Result]

POINTS = 6
CLAIM = "claim"


def length_in_words(name: str, origin: str) -> str:
    """Return what the name of a length stands for, as a note."""
    return f"`{name}` is `{origin}`"


def one_by_one(
    problem: Problem, claim: str, given: Mapping[str, Input], wishes: Wishes
) -> tuple[Problem, str, list[Mapping[str, Input]], Wishes]:
    """Return the problem for one sample, the claim, and the inputs and the declared shapes of each sample given.

    Raises InputError for inputs that make no batch.
    """
    many = prepare(problem, given, wishes).calculation.samples or 1
    declared = {name: shape[1:] if name in problem.batch else shape for name, shape in wishes.declared.items()}
    given_in_batch = any(name in problem.batch for name in given)
    samples: list[Mapping[str, Input]] = [
        {
            name: item._replace(value=item.value[sample]) if name in problem.batch else item
            for name, item in given.items()
        }
        for sample in range(min(many, POINTS) if given_in_batch else 1)
    ]
    return replace(problem, batch=()), claim, samples, wishes._replace(declared=declared)


@contextmanager
def speaking_of(claim: str) -> Iterator[None]:
    """Let errors point into a claim by that name."""
    try:
        yield
    except MatgradError as error:
        error.source = Source(CLAIM, claim)
        raise


class Workbench:
    """What the points of a trial share: equal programs are elaborated, and equal graphs compiled, once."""

    def __init__(self) -> None:
        self._nodes: dict[Hashable, list[tuple[dict[str, Static], Node]]] = {}
        self._programs: dict[tuple[Node, ...], Program] = {}

    def elaborated(
        self, program: syntax.Program, environment: Mapping[str, Node], statics: Mapping[str, Static] | None = None
    ) -> Node:
        """Return the graph of a program whose result is one array."""
        known = statics or {}
        found = self._nodes.setdefault((program, frozenset(environment.items())), [])
        for used, node in found:
            # A graph depends on the values of those names alone that are sizes or indices.
            if all(name in known and same_static(known[name], value) for name, value in used.items()):
                return node
        elaborator = Elaborator(environment, known)
        result = elaborator.tensor(elaborator.run(program), syntax.span_of(program.result))
        node = stabilized([result])[0]
        found.append(({name: known[name] for name in elaborator.indices if name in known}, node))
        return node

    def over_inputs(
        self,
        program: syntax.Program,
        calculation: Calculation,
        values: Mapping[str, Array],
        symbols: Mapping[str, Node] | None = None,
    ) -> Node:
        """Return the graph of a program over the inputs of a calculation, and the lengths that formulas of it name."""
        lengths = calculation.lengths
        known = {name: number(size) for name, size in lengths.items()}
        known |= {symbol.name: node for symbol, node in calculation.parts.items()}
        environment = {**known, **calculation.symbols, **(symbols or {})}
        return self.elaborated(program, environment, {**lengths, **statics(values)})

    def run(self, nodes: Sequence[Node], values: Mapping[str, Array]) -> list[Array]:
        """Return the values of graphs; raises OperationFailed where an operation has none."""
        key = tuple(nodes)
        if key not in self._programs:
            self._programs[key] = compile_program(flatten(key))
        return self._programs[key].run(values)


@dataclass(frozen=True)
class Point:
    """Inputs at which a claim is compared: the derivative there, what is claimed, and how the inputs came about.

    `truth` is what the claim should be: the derivative, or the matrix that a layout makes of it.
    """

    bench: Workbench
    calculation: Calculation
    inputs: Mapping[str, Input]
    value: Array
    derivative: Array
    claimed: Array
    truth: Array

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

    @cached_property
    def loss(self) -> Loss:
        """How many digits the expression itself loses here."""
        return lost_by(self.calculation.program, self.values)

    @property
    def agrees(self) -> bool:
        """Whether the claim is right here, as far as the expression keeps its digits."""
        return self.error <= max(SAME_NUMBERS, MARGIN * self.loss.share(0)) if self.error > SAME_NUMBERS else True

    def evaluated(self, nodes: list[Node]) -> list[Array] | None:
        """Return graphs over the inputs as numbers, None where an operation has no result."""
        try:
            return self.bench.run(nodes, self.values)
        except OperationFailed:
            return None

    def elaborated(self, program: syntax.Program, symbols: Mapping[str, Node] | None = None) -> Node:
        """Return the graph of a program over the inputs, `symbols` being known besides them."""
        return self.bench.over_inputs(program, self.calculation, self.values, symbols)

    def compute(self, program: syntax.Program) -> Array | None:
        """Return the value of a program here, None where it does not fit or has no value."""
        try:
            found = self.evaluated([self.elaborated(program)])
        except ExpressionError:
            return None
        return None if found is None else found[0]


class Trial:
    """One claim on trial: the points at which it is compared, and the verdict."""

    def __init__(
        self,
        problem: Problem,
        claim: str,
        samples: Sequence[Mapping[str, Input]],
        wishes: Wishes,
        arrange: Arrange | None = None,
    ) -> None:
        self.problem = problem
        self.claim = claim.strip()
        self.samples = [{name: item for name, item in one.items() if name in problem.names} for one in samples]
        self.given = self.samples[0]
        self.arrange = arrange
        self.wishes = wishes._replace(general=True)
        with speaking_of(claim):
            self.program = in_own_words(parse(claim))
        self.compiler, self.bench = Compiler(problem), Workbench()
        self.remarks: list[str] = []
        self._check_names()
        self.points = self._points()

    # What is compared.

    def _prepare(self, given: Mapping[str, Input], wishes: Wishes) -> Prepared:
        return prepare(self.problem, given, wishes, self.compiler)

    def _check_names(self) -> None:
        """Refuse names that are neither inputs nor lengths; what a length is gets said."""
        names = [*self.problem.names, *self.problem.parts]
        found = syntax.free_names(self.program).items()
        strangers = {name: span for name, span in found if name not in names and name not in BARE_CONSTANTS}
        if not strangers:
            return
        general, lengths = self._prepare(self.given, self.wishes).calculation.general or (None, {})
        origins = {} if general is None else origins_of(general, lengths)
        for name, span in strangers.items():
            if name not in origins:
                message, label = f"`{name}` is not in the expression", Label(span, "unknown name")
                notes = [f"names in the expression: {', '.join(self.problem.names)}"]
                helps = ["a claim may use the inputs of the expression, numbers and functions"]
                raise UnknownNameError(message, label, source=Source(CLAIM, self.claim), notes=notes, helps=helps)
            self.remarks.append(length_in_words(name, origins[name]))

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
        first = self._fitting(self._prepare(self.given, self.wishes).inputs)
        self.readings = readings_of(first)
        shapes = {name: np.shape(item.value) for name, item in first.items()}
        declared = {name: shape for name, shape in shapes.items() if first[name].law != "size"}
        larger = self._larger(first, declared)
        seeds = range(self.wishes.seed, self.wishes.seed + POINTS)
        indices = self._prepare(self.given, self.wishes).calculation.statics
        kept = {*indices, *whole_numbers(values_of(self.given))}
        whole = {name: item for name, item in self.given.items() if name in kept}
        for sample in self.samples:
            yield self.wishes._replace(declared=declared), sample
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
        if self.arrange:  # sizes of its own are those of the derivative alone
            return True
        (_, truth), *_ = prepared.calculation.results
        return self._claim_over(prepared.calculation, prepared.inputs).shape == truth.shape

    def _fitting(self, inputs: Mapping[str, Input]) -> Mapping[str, Input]:
        """Return inputs that the claim fits too: where shapes are free, the claim has a say in them."""
        prepared = self._prepare(self.given, self.wishes)
        try:
            self._claim_over(prepared.calculation, inputs)
        except ExpressionError as error:
            error.source = Source(CLAIM, self.claim)
            if self.problem.reduce:
                error.notes += (f"a claim is about the {self.problem.reduce}: {self._whole()} for all samples in it",)
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

    def _whole(self) -> str:
        """Return which names stand for all samples: `x and y stand`."""
        names = [f"`{name}`" for name in self.problem.batch]
        return f"{' and '.join(names)} stand{'' if names[1:] else 's'}"

    def _claim_over(self, calculation: Calculation, inputs: Mapping[str, Input]) -> Node:
        return self.bench.over_inputs(self.program, calculation, values_of(inputs))

    def _with_transpose(self, calculation: Calculation, inputs: Mapping[str, Input], error: ExpressionError) -> bool:
        """Add to an error the transpose with which the claim would be right; False where there is none."""
        values = values_of(inputs)
        truth = explained(calculation, calculation.derivative_program.run, values)[0]
        matrices = {name for name, value in values.items() if np.ndim(value) == 2}
        for before, after, program in toggled_transposes(self.program, matrices):
            try:
                node = self.bench.over_inputs(program, calculation, values)
                (found,) = self.bench.run([node], values)
            except (ExpressionError, OperationFailed):
                continue
            if relative_error(found, truth) <= SAME_NUMBERS:
                error.helps = (
                    f"with `{after}` in place of `{before}` it is right: `{write(program)}`",
                    *(text for text in error.helps if "would fit" not in str(text)),
                )
                return True
        return False

    def _joint_shapes(self) -> dict[str, Shape] | None:
        """Return shapes that expression and claim fit together, None where there are none."""
        both = joined(self.program, self.problem.program, "claimed derivative")
        if both is None or self.problem.reduce:
            return None
        known = {name: np.shape(item.value) for name, item in self.given.items()}
        known |= {name: shape for name, shape in self.wishes.declared.items() if name in self.problem.names}
        unknown = {name: span for name, span in self.problem.names.items() if name not in known}
        if not unknown:
            return None
        try:
            shapes, counts = infer_shapes(both, known, unknown, statics(values_of(self.given)))
        except ExpressionError:
            return None
        return {name: shape for name, shape in shapes.items() if name not in counts}

    def _point(self, given: Mapping[str, Input], wishes: Wishes) -> list[Point]:
        """Return the point of some inputs; none where the derivative is not finite there."""
        prepared = self._prepare(given, wishes)
        calculation = prepared.calculation
        values = prepared.values
        calculation.guard(wishes.limit, values)
        value, truth = explained(calculation, calculation.program.run, values)
        if not np.isfinite(truth).all():
            return []
        try:
            with speaking_of(self.claim):
                claim = self._claim_over(calculation, prepared.inputs)
            (claimed,) = self.bench.run([claim], values)
        except OperationFailed as failure:
            message = f"the claim has no value: {failure.original}".lower()
            raise EvaluationError(message, place=Setting("claim")) from None
        (record,) = calculation.result_records([truth], [None])
        wanted = self.arranged(record).data
        claimed = np.asarray(claimed, dtype=np.float64)
        return [Point(self.bench, calculation, prepared.inputs, value, truth, claimed, wanted)]

    def resized(self, more: int) -> Point | None:
        """Return a point at which every length is larger, where the claim stands for the derivative itself."""
        shapes = self.points[0].shapes
        larger = {name: tuple(size + more if size > 1 else size for size in shape) for name, shape in shapes.items()}
        prepared = self._prepare({}, self.wishes._replace(declared=larger))
        value, truth = explained(prepared.calculation, prepared.calculation.program.run, prepared.values)
        if self.arrange or not np.isfinite(truth).all():
            return None
        return Point(self.bench, prepared.calculation, prepared.inputs, value, truth, truth, truth)

    def arranged(self, record: Result) -> Result:
        """Return a derivative in the layout that the claim is about."""
        return record if self.arrange is None else self.arrange(record)

    @property
    def by(self) -> str:
        """The variables in words: `x`, `x and y`."""
        return " and ".join(f"`{name}`" for name in dict.fromkeys(self.problem.requests[0]))
