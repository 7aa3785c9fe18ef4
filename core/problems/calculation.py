"""One question with its shapes: elaborated, differentiated, compiled once, answered many times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ...grammar.advice import Advice, Command, Setting, advise
from ...grammar.errors import ExpressionError, Label
from ..amounts import amount, memory, rounded_up
from ..arrays import Array, Static
from ..differentiation.differentiate import derivative, pullback, pushforward
from ..differentiation.projections import absorbed
from ..differentiation.stabilise import stabilized
from ..elaboration.elaborate import Elaborator
from ..errors import EvaluationError, NoClosedFormError, NotScalarError, Span
from ..evaluation.program import Program, compile_program
from ..graph.nodes import Apply, Map, Node, Symbol, symbols, topological
from ..graph.sizes import Size, replace_lengths
from ..graph.structure import axis_names, structure_of
from ..graph.transform import at_lengths, flatten, sized, vectorize
from ..shapes import MATRIX_ASSUMPTIONS, Shape, describe, show
from .answer import Check, Result
from .conventions import convention
from .parts import Parts, put_back, separated
from .problem import NOUNS, STRUCTURED_KINDS, Problem, tangent_name
from .programs import are_small, compiled, for_numbers
from .reduction import over_samples, reduced, whole

if TYPE_CHECKING:
    from ..compressed.form import Axes
    from ..compressed.structured import Compression, Structured


class Calculation:
    """A problem over given shapes.

    `shapes` are those of one sample. `samples` is the length of the batch axis, None without a batch; where samples are
    reduced it is `reduced`, inputs have it as their first axis, and results none. `statics` are the values of names
    used as sizes, `fixed` says which lengths are numbers. Building it checks what shapes decide.

    Over lengths that are symbols it is `general`: elaborated and differentiated once for all sizes, and computed `at`
    some of them.
    """

    general: tuple[Calculation, Mapping[str, int]] | None = None

    def __init__(
        self,
        problem: Problem,
        shapes: Mapping[str, Shape],
        *,
        samples: int | None = None,
        statics: Mapping[str, Static] | None = None,
        fixed: tuple[str, ...] = (),
    ) -> None:
        self.problem, self.fixed = problem, fixed
        self.samples = None if problem.reduce else samples
        self.reduced = samples if problem.reduce else None
        self.statics = dict(statics or {})
        self.symbols = {name: Symbol.of(name, tuple(shapes[name]), self._assumed(name)) for name in problem.names}
        self._check_assumptions()
        elaborator = Elaborator(self.symbols, statics)
        self.parts: Parts
        root, self.parts = separated(elaborator, problem.program, problem.parts)
        if not isinstance(root, Node):
            root = self._one_result(root, elaborator)
        (self.original,) = put_back([root], self.parts)
        self._spans, self._sums = elaborator.spans, elaborator.sums
        self.indices = frozenset(elaborator.indices)
        self._refuse_indices(elaborator.indices)
        self.separate = stabilized([root])[0]
        if self.reduced is not None:
            self._reduce(self.reduced)
        self.output = stabilized([self.original])[0] if self.parts else self.separate
        self.shape = self.output.shape
        if problem.kind == "grad" and self.shape:
            raise self._not_scalar()
        found = [self._differentiated(wrt) for wrt in problem.requests]
        self.results = list(zip(problem.requests, put_back(found, self.parts), strict=True))

    def at(self, lengths: Mapping[str, int], samples: int | None = None) -> Calculation:
        """Return a general calculation with numbers in place of lengths; nothing is elaborated or differentiated again.

        Raises NotPlainError where a place that the expression names does not exist at these lengths.
        """
        parts = (node for part in self.parts.items() for node in part)
        nodes = sized([self.original, self.output, self.separate, *parts, *(node for _, node in self.results)], lengths)
        made = Calculation.__new__(Calculation)
        made.problem, made.fixed, made.general = self.problem, self.fixed, (self, lengths)
        made.samples = None if self.problem.reduce else samples
        made.reduced = samples if self.problem.reduce else None
        made.statics = {
            name: replace_lengths(size, lengths) if isinstance(size, Size) else size
            for name, size in self.statics.items()
        }
        made.indices = self.indices
        made.symbols = {name: at_lengths(symbol, lengths) for name, symbol in self.symbols.items()}
        made.original, made.output, made.separate = (
            nodes[node] for node in (self.original, self.output, self.separate)
        )
        made.parts = {at_lengths(symbol, lengths): nodes[node] for symbol, node in self.parts.items()}
        made.shape = made.output.shape
        made.results = [(wrt, nodes[node]) for wrt, node in self.results]
        return made

    def _reduce(self, samples: int) -> None:
        """Put the sum over all samples in the place of the value of one."""
        assert self.problem.reduce is not None
        batched = {self.symbols[name]: whole(self.symbols[name], samples) for name in self.problem.batch}
        pairs = [(node, *sides) for node, sides in self._sums.items()]
        lifted = over_samples([self.original, self.separate, *self._spans, *chain(*pairs)], batched, samples)
        self._spans = {lifted.get(node, node): span for node, span in self._spans.items()}
        self._sums = {lifted.get(node, node): (lifted.get(a, a), lifted.get(b, b)) for node, a, b in pairs}
        self.symbols |= {symbol.name: symbol for symbol in batched.values()}
        self.original = reduced(self.original, lifted, samples, self.problem.reduce)
        self.separate = reduced(self.separate, lifted, samples, self.problem.reduce)

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each input, of one sample where there is a batch."""
        counted = self.problem.batch if self.problem.reduce else ()
        return {name: symbol.shape[int(name in counted) :] for name, symbol in self.symbols.items()}

    @property
    def variables(self) -> Mapping[str, Symbol]:
        """What can be differentiated by: the inputs, and the parts that are set apart."""
        return {**self.symbols, **{symbol.name: symbol for symbol in self.parts}}

    @property
    def lengths(self) -> Mapping[str, int]:
        """What the names of lengths stand for that formulas use, without those that are inputs."""
        _, lengths = self.general or (self, {})
        return {name: size for name, size in lengths.items() if name not in self.symbols}

    @cached_property
    def spans(self) -> dict[Node, Span]:
        """Where each node was first written."""
        if self.general is None:
            return self._spans
        general, lengths = self.general
        nodes = sized(general._spans, lengths)
        return {nodes[node]: span for node, span in reversed(general._spans.items())}

    @cached_property
    def kinked(self) -> list[Map | Apply]:
        """The operations on a variable that have kinks somewhere."""
        nodes = [node for node in self._operations if node.operator.kink]
        return [node for node in nodes if not set(self.problem.wrt).isdisjoint(symbols([node]))]

    @cached_property
    def sums(self) -> Mapping[Node, tuple[Node, Node]]:
        """The sums and differences that were written, each with its two sides."""
        if self.general is None:
            return self._sums
        general, lengths = self.general
        nodes = sized({node for pair in general._sums.items() for node in (pair[0], *pair[1])}, lengths)
        return {nodes[node]: (nodes[left], nodes[right]) for node, (left, right) in general._sums.items()}

    @cached_property
    def is_analytic(self) -> bool:
        """Whether the value is made of analytic operations alone, so that the complex step sees its derivative."""
        return all(node.operator.analytic for node in self._operations)

    @cached_property
    def _operations(self) -> list[Map | Apply]:
        return [node for node in topological([self.output]) if isinstance(node, Map | Apply)]

    # Building the graphs.

    def _assumed(self, name: str) -> frozenset[str]:
        known = self.problem.assumptions.get(name, frozenset())
        tied = self.problem.independent_entries and known & {"symmetric", "spd"} and name in self.problem.wrt
        return known | {"independent"} if tied else known

    def _check_assumptions(self) -> None:
        for name, known in self.problem.assumptions.items():
            shape = self.symbols[name].shape
            matrices = known & {*MATRIX_ASSUMPTIONS}
            square = known.isdisjoint({"orthogonal", "toeplitz", "hankel"})
            if matrices and (len(shape) != 2 or (square and shape[0] != shape[1])):
                word = sorted(matrices)[0]
                message = f"`{name}` cannot be {word}: it is {describe(shape)}"
                helps = [advise("give it a square shape: ", Setting("shapes", {name: (max(shape, default=3),) * 2}))]
                raise ExpressionError(message, Label(self.problem.names[name], describe(shape)), helps=helps)

    def _refuse_indices(self, indices: Mapping[str, Span]) -> None:
        for name in self.problem.wrt:
            if name in indices:
                raise ExpressionError(
                    f"there is no derivative by `{name}`: it is used as a size or an index",
                    Label(indices[name], "a whole number cannot change a little"),
                )

    def _one_result(self, value: object, elaborator: Elaborator) -> Node:
        result = self.problem.program.result
        span = getattr(result, "span", (0, len(self.problem.text)))
        if isinstance(value, tuple) and value and all(isinstance(item, Node) for item in value):
            message = f"this expression gives {len(value)} results"
            helps = [f"choose one: {self.problem.around_result('(', f')[{place}]')}" for place in range(len(value))]
            raise ExpressionError(message, Label(span, ", ".join(describe(item.shape) for item in value)), helps=helps)
        return elaborator.tensor(value, span)

    def _not_scalar(self) -> NotScalarError:
        text, names = self.problem.text, self.problem.wrt
        variable = self.variables[names[0]].shape
        helps = [
            advise(f"all {show(self.shape + variable)} partial derivatives:  ", Command("jacobian", text, names)),
            advise("one number first:  ", Command("grad", self.problem.around_result("sum(", ")"), names)),
        ]
        if self.shape == variable:
            diagonal = Command("vjp", text, names, (Setting("cotangent", "ones"),))
            helps.append(advise(f"the diagonal, where output i depends on {names[0]}[i] alone:  ", diagonal))
        if prod(self.shape) == 1:
            first = self.problem.around_result("(", f")[{', '.join('0' for _ in self.shape)}]")
            helps.append(advise("its only entry:  ", Command("grad", first, names)))
        span = getattr(self.problem.program.result, "span", (0, len(text)))
        message = f"`grad` needs a scalar, and this expression has shape ({', '.join(map(str, self.shape))})"
        return NotScalarError(message, Label(span, describe(self.shape)), helps=helps)

    def _differentiated(self, wrt: tuple[str, ...]) -> Node:
        try:
            return self.derived(self.separate, wrt)
        except NoClosedFormError as error:
            span = next((span for node, span in self.spans.items() if node is error.node), None)
            error.labels = () if span is None else (Label(span, f"depends on {wrt[0]}"),)
            raise

    def derived(self, result: Node, wrt: tuple[str, ...]) -> Node:
        """Return the derivative that is asked for, of a value that may be written in another way."""
        variable = self.variables[wrt[0]]
        direction = Symbol.of(tangent_name(wrt[0]), self.direction_shape(wrt[0]))
        match self.problem.kind:
            case "jvp":
                return absorbed([pushforward(result, {variable: direction})])[0]
            case "vjp":
                return absorbed([pullback(result, direction, variable)])[0]
            case "hvp":
                (first,) = absorbed([derivative(result, variable)])
                return absorbed([pushforward(first, {variable: direction})])[0]
        for name in wrt:
            (result,) = absorbed([derivative(result, self.variables[name])])
        return result

    def direction_shape(self, name: str) -> Shape:
        """Return the shape of the tangent or cotangent that goes with a variable."""
        return self.shape if self.problem.kind == "vjp" else self.variables[name].shape

    def counts_samples(self, name: str) -> bool:
        """Whether the tangent or cotangent that goes with a variable has the sample axis in front."""
        return self.samples is not None and (self.problem.kind == "vjp" or name in self.problem.per_sample)

    def direction(self, name: str, value: Array) -> Array | None:
        """Return a tangent or cotangent in the shape that a program needs, None where it does not fit.

        With a batch, one that is given for a single sample goes with every sample.
        """
        shape = self.direction_shape(name)
        full = (self.samples or 0, *shape) if self.counts_samples(name) else shape
        return np.broadcast_to(value, full) if value.shape in (shape, full) else None

    def groups(self, wrt: tuple[str, ...]) -> list[tuple[str, Shape]]:
        """Return the owner and shape of each block of axes of a derivative.

        Example: for the Jacobian of `A @ x` by x it is `[("out", (3,)), ("x", (2,))]`.
        """
        output = [] if self.problem.kind == "vjp" else [("out", self.shape)]
        return [*output, *((name, self.variables[name].shape) for name in wrt if self.problem.kind != "jvp")]

    # Numbers.

    @cached_property
    def _batched(self) -> list[Node]:
        return self.over_samples([self.output, *(node for _, node in self.results)])

    @cached_property
    def _flat(self) -> list[Node]:
        return flatten(self._batched)

    def over_samples(self, roots: list[Node]) -> list[Node]:
        """Return graphs of one sample as graphs of all samples, with the sample axis first."""
        if self.samples is None:
            return roots
        names = set(self.problem.batch)
        names |= {tangent_name(name) for name in self.problem.wrt if self.counts_samples(name)}
        own = [symbol for name, symbol in symbols(roots).items() if name in names]
        batched = {symbol: Symbol.of(symbol.name, (self.samples, *symbol.shape)) for symbol in own}
        return vectorize(roots, batched, (self.samples,))

    @cached_property
    def program(self) -> Program:
        """The compiled program: the value first, then each derivative."""
        return compiled(for_numbers(self._flat))

    @cached_property
    def derivative_program(self) -> Program:
        """The compiled derivatives without the value, or the value where no derivative is asked for."""
        return compiled(for_numbers(flatten(self._batched[1:] or self._batched)))

    @cached_property
    def value_program(self) -> Program:
        """The compiled value alone, which knows nothing of any rule."""
        # A small value is computed as it is beside its derivatives: it need not be compiled again.
        return self.program.first() if are_small(self._flat) else compiled(flatten(self._batched[:1]))

    @cached_property
    def separate_program(self) -> Program:
        """The compiled value alone over the inputs and the parts that are set apart."""
        return compile_program(flatten([self.separate])) if self.parts else self.value_program

    def part_values(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Return the values of the parts that are set apart, for given inputs."""
        if not self.parts:
            return {}
        found = compile_program(flatten(list(self.parts.values()))).run(values)
        return {symbol.name: value for symbol, value in zip(self.parts, found, strict=True)}

    @cached_property
    def compressions(self) -> list[Compression]:
        """How each derivative is computed in compressed form."""
        # For start-up, as below: most answers are dense.
        from ..compressed.form import Axes
        from ..compressed.structured import Compression

        samples = int(self.samples is not None)
        found = []
        for (wrt, plain), node in zip(self.results, self._batched[1:], strict=True):
            groups = tuple(len(shape) for _, shape in self.groups(wrt))
            found.append(Compression(node, Axes(node.shape, groups, samples), plain=plain))
        return found

    def compressed(self, values: Mapping[str, Array], limit: int) -> list[Structured]:
        """Return each derivative for given inputs in compressed form.

        Raises EvaluationError where what is stored would exceed `limit` bytes, and as a program does.
        """
        for (wrt, _), node, compression in zip(self.results, self._batched[1:], self.compressions, strict=True):
            if compression.entries * 8 > limit:
                raise self._too_large(wrt, prod(node.shape), limit)
            self.guard_program(compression.program.suited(values), limit)
        return [made.bind(made.program.run(values), limit) for made in self.compressions]

    def compressed_value(self, values: Mapping[str, Array], axes: Axes, limit: int) -> Structured | None:
        """Return the value in compressed form, its axes being those of a derivative; None where it is too large."""
        from ..compressed.structured import Compression

        node = self._batched[0]
        compression = Compression(node, axes, plain=node)
        if node.shape != axes.shape or max(compression.entries, compression.program.largest) * 8 > limit:
            return None
        return compression.bind(compression.program.run(values), limit)

    def fits(self, limit: int) -> bool:
        """Whether each derivative as a dense array needs at most `limit` bytes."""
        return all(prod(node.shape) * 8 <= limit for node in self._batched[1:])

    def guard(self, limit: int, values: Mapping[str, Array], *, with_value: bool = True) -> None:
        """Raise EvaluationError if a result, or an array on the way to it, would exceed `limit` bytes."""
        for (wrt, _), node in zip(self.results, self._batched[1:], strict=True):
            if prod(node.shape) * 8 > limit:
                raise self._too_large(wrt, prod(node.shape), limit)
        self.guard_program((self.program if with_value else self.derivative_program).suited(values), limit)

    @staticmethod
    def guard_program(program: Program, limit: int) -> None:
        """Raise EvaluationError if an array of a program would exceed `limit` bytes."""
        needed = program.largest * 8
        if needed > limit:
            raise EvaluationError(
                f"this needs an array of {amount(program.largest)} entries ({memory(needed)}) on the way; "
                f"the limit is {memory(limit)}",
                helps=[advise("raise the limit: ", Setting("max_memory", rounded_up(needed * 2)))],
            )

    def _too_large(self, wrt: tuple[str, ...], entries: int, limit: int) -> EvaluationError:
        noun = NOUNS.get(self.problem.kind, "derivative")
        by = " by ".join(f"input `{name}` ({show(self.variables[name].shape)})" for name in wrt)
        node = dict(self.results)[wrt]
        structure = structure_of(node, len(self.shape))
        product = "hvp" if self.problem.kind == "hessian" else "jvp"
        one = Command(product, self.problem.text, wrt[:1], (Setting("tangent", "ones"),))
        return EvaluationError(
            f"this {noun} has {amount(entries)} entries ({memory(entries * 8)}); the limit is {memory(limit)}",
            notes=[f"output ({show(self.shape)}) by {by}" + (f"; it is {structure}" if structure else "")],
            helps=[
                advise("for one direction:  ", one),
                *self._smaller(wrt, limit),
                advise("or raise the limit: ", Setting("max_memory", rounded_up(entries * 8))),
            ],
        )

    def _smaller(self, wrt: tuple[str, ...], limit: int) -> list[Advice]:
        """Return the help that a derivative is small in compressed form, where it is."""
        if self.problem.kind not in STRUCTURED_KINDS:
            return []
        entries = self.compressions[[names for names, _ in self.results].index(wrt)].entries
        if entries * 8 > limit:
            return []
        return [advise(f"in compressed form ({amount(entries)} entries):  ", Setting("format", "structured"))]

    def result_records(self, data: Sequence[Array | Structured], checks: Iterable[Check | None]) -> list[Result]:
        """Return the derivatives as records, with the names of their axes and their structure."""
        return [
            record._replace(data=array, check=check)
            if isinstance(array, np.ndarray)
            else record._replace(check=check, structure=array.structure, compressed=array)
            for record, array, check in zip(self._records, data, checks, strict=True)
        ]

    @cached_property
    def _records(self) -> list[Result]:
        """The records of the derivatives without their numbers."""
        from ..compressed.bands import one_word  # for start-up

        records, named = [], self.problem.kind in ("jacobian", "hessian")
        for (wrt, node), groups in zip(self.results, (self.groups(wrt) for wrt, _ in self.results), strict=True):
            records.append(
                Result(
                    wrt=wrt,
                    data=np.empty(0),
                    axes=axis_names(groups),
                    axis_groups=tuple((owner, len(shape)) for owner, shape in groups),
                    structure=one_word(node, node.rank - len(groups[-1][1])) if groups and named else None,
                    convention=convention(self.problem, self.variables, wrt),
                )
            )
        return records
