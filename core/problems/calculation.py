"""One question with its shapes: elaborated, differentiated, compiled once, answered many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Label, Span
from ...grammar.parser import parse
from ..amounts import amount, memory
from ..arrays import Array
from ..differentiation.differentiate import derivative, pullback, pushforward
from ..differentiation.projections import absorbed
from ..differentiation.stabilise import stabilized
from ..elaboration.elaborate import BARE_CONSTANTS, Elaborator
from ..errors import EvaluationError, NotScalarError, UnknownNameError, UsageProblem
from ..evaluation.program import OperationFailed, Program, compile_program
from ..graph.nodes import Node, Symbol, topological
from ..graph.structure import axis_names, structure_of
from ..graph.transform import flatten, vectorize
from ..operators import table
from ..shapes import Shape, describe, show
from . import sampling
from .answer import Check, Result

if TYPE_CHECKING:
    from ..compressed.form import Axes
    from ..compressed.structured import Compression, Structured

KINDS = ("value", "grad", "jacobian", "hessian", "derivative", "jvp", "vjp", "hvp")
# Graphs with fewer entries than this in every node are evaluated as they are.
SMALL = 64
STRUCTURED_KINDS = ("grad", "jacobian", "hessian", "derivative")


@dataclass(frozen=True)
class Problem:
    """What is asked: an expression, the kind of derivative, the variables, and what is assumed.

    Example: `Problem.of("x.T @ A @ x", "grad", ("x",))`. `batch` names inputs whose first axis counts samples; the
    expression is written for one sample.
    """

    text: str
    program: syntax.Program
    kind: str
    wrt: tuple[str, ...] = ()
    assumptions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    batch: tuple[str, ...] = ()
    independent_entries: bool = False

    @staticmethod
    def of(
        text: str,
        kind: str,
        wrt: tuple[str, ...] = (),
        assumptions: Mapping[str, frozenset[str]] | None = None,
        batch: tuple[str, ...] = (),
        *,
        program: syntax.Program | None = None,
    ) -> Problem:
        """Return the problem with its names checked.

        Without `wrt`, the only name of the expression is meant. `program` is the text parsed, where it is already.
        Raises SyntaxProblem; UnknownNameError for a variable that is not in the expression; UsageProblem for a
        missing one.
        """
        table.load()
        program = parse(text) if program is None else program
        problem = Problem(text, program, kind, wrt, assumptions or {}, batch)
        names = problem.names
        if kind != "value" and not wrt:
            if len(names) != 1:
                listed = ", ".join(names) or "none"
                raise UsageProblem(
                    "by which name should the expression be differentiated?",
                    notes=[f"names in the expression: {listed}"],
                    helps=[f"--wrt {name}" for name in names],
                )
            problem = Problem(text, program, kind, tuple(names), problem.assumptions, batch)
        for option, used in (("--wrt", problem.wrt), ("--batch", batch), ("--assume", tuple(problem.assumptions))):
            for name in used:
                if name not in names:
                    raise _not_in_expression(option, name, list(names))
        return problem

    @cached_property
    def names(self) -> dict[str, Span]:
        """The names that need a value, in order, each with its first place."""
        found = syntax.free_names(self.program)
        return {name: span for name, span in found.items() if name not in BARE_CONSTANTS or name in self.wrt}

    @property
    def requests(self) -> list[tuple[str, ...]]:
        """The variables of each derivative that is asked for."""
        match self.kind:
            case "value":
                return []
            case "hessian":
                if len(self.wrt) > 2:
                    raise UsageProblem(
                        f"a Hessian has one or two variables, and {len(self.wrt)} were given",
                        helps=["matgrad derivative takes any number of --wrt"],
                    )
                return [self.wrt if len(self.wrt) == 2 else self.wrt * 2]
            case "derivative":
                return [self.wrt]
            case _:
                return [(name,) for name in self.wrt]


def _not_in_expression(option: str, name: str, names: list[str]) -> UnknownNameError:
    from difflib import get_close_matches

    same = [other for other in names if other.lower() == name.lower()]
    near = same or get_close_matches(name, names, n=1, cutoff=0.6)
    return UnknownNameError(
        f"`{name}` is not in the expression",
        place=f"{option} {name}",
        notes=[f"names in the expression: {', '.join(names)}" if names else "the expression has no names"],
        helps=[f"did you mean `{near[0]}`?"] if near else [],
    )


def tangent_name(name: str) -> str:
    """Return the key under which the direction for a variable is given to a calculation: no name can clash with it."""
    return f"direction {name}"


class Calculation:
    """A problem over given shapes.

    `shapes` are those of one sample; `samples` is the length of the batch axis, None without a batch. `statics` are
    the values of names used as sizes. Building it checks everything that shapes decide, and allocates nothing.
    """

    def __init__(
        self,
        problem: Problem,
        shapes: Mapping[str, Shape],
        *,
        samples: int | None = None,
        statics: Mapping[str, int] | None = None,
    ) -> None:
        self.problem = problem
        self.samples = samples
        self.statics = dict(statics or {})
        self.symbols = {name: Symbol.of(name, tuple(shapes[name]), self._assumed(name)) for name in problem.names}
        self._check_assumptions()
        elaborator = Elaborator(self.symbols, statics)
        root = elaborator.run(problem.program)
        if not isinstance(root, Node):
            root = self._one_result(root, elaborator)
        self.original: Node = root
        self.spans = elaborator.spans
        self.output = stabilized([root])[0]
        self.shape = self.output.shape
        if problem.kind == "grad" and self.shape:
            raise self._not_scalar()
        self.results = [(wrt, self._differentiated(wrt)) for wrt in problem.requests]

    # Building the graphs.

    def _assumed(self, name: str) -> frozenset[str]:
        known = self.problem.assumptions.get(name, frozenset())
        tied = self.problem.independent_entries and known & {"symmetric", "spd"} and name in self.problem.wrt
        return known | {"independent"} if tied else known

    def convention(self, wrt: tuple[str, ...]) -> str:
        """Return what a derivative by symmetric variables means, empty where none is symmetric."""
        names = [name for name in dict.fromkeys(wrt) if self.symbols[name].symmetric]
        if not names:
            return ""
        listed = ", ".join(names)
        if "diagonal" in self.symbols[names[0]].assumptions:
            return f"{listed} diagonal: the derivative by the diagonal entries"
        if self.problem.independent_entries:
            return f"{listed} symmetric: by independent entries, G + G.T - diag(diag(G)), off-diagonal entries doubled"
        return f"{listed} symmetric: the derivative of f of the symmetric part, off-diagonal entries not doubled"

    def _check_assumptions(self) -> None:
        for name, known in self.problem.assumptions.items():
            shape = self.symbols[name].shape
            matrices = known & sampling.MATRIX_ASSUMPTIONS
            if matrices and (len(shape) != 2 or (shape[0] != shape[1] and "orthogonal" not in known)):
                word = sorted(matrices)[0]
                raise ExpressionError(
                    f"`{name}` cannot be {word}: it is {describe(shape)}",
                    Label(self.problem.names[name], describe(shape)),
                    helps=[f"give it a square shape: --shape {name}={max(shape, default=3)}x{max(shape, default=3)}"],
                )

    def _one_result(self, value: object, elaborator: Elaborator) -> Node:
        result = self.problem.program.result
        span = getattr(result, "span", (0, len(self.problem.text)))
        if isinstance(value, tuple) and value and all(isinstance(item, Node) for item in value):
            raise ExpressionError(
                f"this expression gives {len(value)} results",
                Label(span, ", ".join(describe(item.shape) for item in value)),
                helps=[f"choose one: ({self.problem.text})[{place}]" for place in range(len(value))],
            )
        return elaborator.tensor(value, span)

    def _not_scalar(self) -> NotScalarError:
        text, wrt = self.problem.text, " ".join(f"--wrt {name}" for name in self.problem.wrt)
        names = self.problem.wrt
        whole = self.shape + self.symbols[names[0]].shape
        helps = [
            f'all {show(whole)} partial derivatives:  matgrad jacobian "{text}" {wrt}',
            f'one number first:  matgrad grad "sum({text})" {wrt}',
        ]
        if self.shape == self.symbols[names[0]].shape:
            helps.append(
                f"the diagonal, where output i depends on {names[0]}[i] alone:  "
                f'matgrad vjp "{text}" {wrt} --cotangent ones'
            )
        if prod(self.shape) == 1:
            helps.append(f'its only entry:  matgrad grad "({text})[{", ".join("0" for _ in self.shape)}]" {wrt}')
        span = getattr(self.problem.program.result, "span", (0, len(text)))
        return NotScalarError(
            f"`grad` needs a scalar, and this expression has shape ({', '.join(map(str, self.shape))})",
            Label(span, describe(self.shape)),
            notes=self._batch_notes(),
            helps=helps,
        )

    def _batch_notes(self) -> list[str]:
        return []

    def _differentiated(self, wrt: tuple[str, ...]) -> Node:
        variable = self.symbols[wrt[0]]
        result = self.output
        match self.problem.kind:
            case "jvp":
                result = pushforward(result, {variable: Symbol.of(tangent_name(wrt[0]), variable.shape)})
            case "vjp":
                result = pullback(result, Symbol.of(tangent_name(wrt[0]), self.shape), variable)
            case "hvp":
                first = absorbed([derivative(result, variable)])[0]
                result = pushforward(first, {variable: Symbol.of(tangent_name(wrt[0]), variable.shape)})
            case _:
                for name in wrt:
                    result = absorbed([derivative(result, self.symbols[name])])[0]
                return result
        return absorbed([result])[0]

    def direction_shape(self, name: str) -> Shape:
        """Return the shape of the tangent or cotangent that goes with a variable."""
        return self.shape if self.problem.kind == "vjp" else self.symbols[name].shape

    def groups(self, wrt: tuple[str, ...]) -> list[tuple[str, Shape]]:
        """Return the owner and shape of each block of axes of a derivative."""
        match self.problem.kind:
            case "jvp":
                return [("out", self.shape)]
            case "vjp":
                return [(wrt[0], self.symbols[wrt[0]].shape)]
        return [("out", self.shape), *((name, self.symbols[name].shape) for name in wrt)]

    # Numbers.

    @cached_property
    def _batched(self) -> list[Node]:
        roots = [self.output, *(node for _, node in self.results)]
        if self.samples is None:
            return roots
        names = set(self.problem.batch)
        directions = [tangent_name(name) for name in self.problem.wrt] if self.problem.kind in ("jvp", "hvp") else []
        names |= {direction for direction, name in zip(directions, self.problem.wrt, strict=False) if name in names}
        batched: dict[Symbol, Node] = {
            symbol: Symbol.of(symbol.name, (self.samples, *symbol.shape), ())
            for symbol in self._all_symbols(roots)
            if symbol.name in names
        }
        return vectorize(roots, batched, (self.samples,))

    @staticmethod
    def _all_symbols(roots: list[Node]) -> list[Symbol]:
        return [node for node in topological(roots) if isinstance(node, Symbol)]

    @cached_property
    def program(self) -> Program:
        """The compiled program: the value first, then each derivative."""
        return compile_program(_rearranged(flatten(self._batched)))

    @cached_property
    def derivative_program(self) -> Program:
        """The compiled derivatives without the value, or the value where no derivative is asked for."""
        return compile_program(_rearranged(flatten(self._batched[1:] or self._batched)))

    @cached_property
    def value_program(self) -> Program:
        """The compiled value alone, which knows nothing of any rule."""
        return compile_program(flatten(self._batched[:1]))

    @cached_property
    def compressions(self) -> list[Compression]:
        """How each derivative is computed in compressed form."""
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

        Raises EvaluationError where what is stored would exceed `limit` bytes, and as `run` does.
        """
        for (wrt, _), node, compression in zip(self.results, self._batched[1:], self.compressions, strict=True):
            if compression.entries * 8 > limit:
                raise self._too_large(wrt, prod(node.shape), limit)
            self._guard_way(compression.program, limit)
        return [made.bind(self._run(made.program, values), limit) for made in self.compressions]

    def compressed_value(self, values: Mapping[str, Array], axes: Axes, limit: int) -> Structured | None:
        """Return the value in compressed form, its axes being those of a derivative; None where it is too large."""
        from ..compressed.structured import Compression

        node = self._batched[0]
        compression = Compression(node, axes, plain=node)
        if node.shape != axes.shape or max(compression.entries, compression.program.largest) * 8 > limit:
            return None
        return compression.bind(self._run(compression.program, values), limit)

    def fits(self, limit: int) -> bool:
        """Whether each derivative as a dense array needs at most `limit` bytes."""
        return all(prod(node.shape) * 8 <= limit for node in self._batched[1:])

    def guard(self, limit: int, *, with_value: bool = True) -> None:
        """Raise EvaluationError if a result, or an array on the way to it, would exceed `limit` bytes."""
        for (wrt, _), node in zip(self.results, self._batched[1:], strict=True):
            entries = prod(node.shape)
            if entries * 8 > limit:
                raise self._too_large(wrt, entries, limit)
        self._guard_way(self.program if with_value else self.derivative_program, limit)

    def guard_value(self, limit: int) -> None:
        """Raise EvaluationError if the value, or an array on the way to it, would exceed `limit` bytes."""
        self._guard_way(self.value_program, limit)

    @staticmethod
    def _guard_way(program: Program, limit: int) -> None:
        needed = program.largest * 8
        if needed > limit:
            raise EvaluationError(
                f"this needs an array of {amount(program.largest)} entries ({memory(needed)}) on the way; "
                f"the limit is {memory(limit)}",
                helps=[f"raise the limit: --max-memory {memory(needed * 2, round_up=True)}"],
            )

    def _too_large(self, wrt: tuple[str, ...], entries: int, limit: int) -> EvaluationError:
        noun = {"grad": "gradient", "hessian": "Hessian", "jacobian": "Jacobian"}.get(self.problem.kind, "derivative")
        by = " by ".join(f"input `{name}` ({show(self.symbols[name].shape)})" for name in wrt)
        node = dict(self.results)[wrt]
        structure = structure_of(node, len(self.shape))
        wanted = memory(entries * 8, round_up=True)
        product = "hvp" if self.problem.kind == "hessian" else "jvp"
        return EvaluationError(
            f"this {noun} has {amount(entries)} entries ({memory(entries * 8)}); the limit is {memory(limit)}",
            notes=[f"output ({show(self.shape)}) by {by}" + (f"; it is {structure}" if structure else "")],
            helps=[
                f'for one direction:  matgrad {product} "{self.problem.text}" --wrt {wrt[0]} --tangent ones',
                *self._smaller(wrt, limit),
                f"or raise the limit: --max-memory {wanted}",
            ],
        )

    def _smaller(self, wrt: tuple[str, ...], limit: int) -> list[str]:
        """Return the help that a derivative is small in compressed form, where it is."""
        if self.problem.kind not in STRUCTURED_KINDS:
            return []
        entries = self.compressions[[names for names, _ in self.results].index(wrt)].entries
        return [f"in compressed form ({amount(entries)} entries):  --format structured"] if entries * 8 <= limit else []

    def run(self, values: Mapping[str, Array]) -> list[Array]:
        """Return the value and each derivative for given inputs.

        Raises EvaluationError where an operation has no result, pointing at it.
        """
        return self._run(self.program, values)

    def value(self, values: Mapping[str, Array]) -> Array:
        """Return the value alone for given inputs; errors as in `run`."""
        return self._run(self.value_program, values)[0]

    def derivatives(self, values: Mapping[str, Array]) -> list[Array]:
        """Return each derivative for given inputs, or the value where none is asked for; errors as in `run`."""
        return self._run(self.derivative_program, values)

    def _run(self, program: Program, values: Mapping[str, Array]) -> list[Array]:
        try:
            return program.run(values)
        except OperationFailed as failure:
            from ..checking.warnings import explain_failure

            raise explain_failure(self, failure, values) from None

    def result_records(self, data: Sequence[Array | Structured], checks: Sequence[Check | None]) -> list[Result]:
        """Return the derivatives as records, with the names of their axes and their structure."""
        records = []
        for (wrt, node), array, check in zip(self.results, data, checks, strict=True):
            groups = self.groups(wrt)
            compressed = None if isinstance(array, np.ndarray) else array
            structure = structure_of(node, len(self.shape)) if self.problem.kind == "jacobian" else None
            records.append(
                Result(
                    wrt=wrt,
                    data=array if isinstance(array, np.ndarray) else np.empty(0),
                    axes=axis_names(groups),
                    axis_groups=tuple((owner, len(shape)) for owner, shape in groups),
                    structure=structure if compressed is None else compressed.structure,
                    check=check,
                    convention=self.convention(wrt),
                    compressed=compressed,
                )
            )
        return records


def _rearranged(roots: list[Node]) -> list[Node]:
    """Return graphs that are cheaper to evaluate; where all is small there is nothing to gain, and nothing to load."""
    if all(prod(node.shape) < SMALL for node in topological(roots)):
        return roots
    from ..evaluation.rearrange import rearranged

    return rearranged(roots)


__all__ = ["KINDS", "STRUCTURED_KINDS", "Calculation", "Problem", "tangent_name"]
