"""Programs: a graph compiled once to a straight line of NumPy calls, and run many times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from math import inf
from operator import itemgetter
from types import CodeType
from typing import Any, NamedTuple, cast

import numpy as np

from ..arrays import AnyArray, is_silent, silent
from ..errors import ExpressionError, MatgradError, surface
from ..graph.nodes import Function, Node, Symbol, topological
from ..graph.transform import flatten, vectorize
from ..shapes import MOST_AXES, Shape
from ..sparse import Sparse, sparse_names
from .gates import gated
from .kernels import Kernel, OperationFailed
from .large import with_sweeps
from .lowering import Lowering
from .perturbed import Perturbed, may_lose_digits, run_perturbed
from .steadied import steadied
from .tape import Draft, Tape

__all__ = ["OperationFailed", "Program", "compile_program", "evaluated"]

Run = Callable[[Mapping[str, AnyArray]], list[AnyArray]]

# A program with more steps than this runs step by step: compiling it would take longer than it saves.
LONGEST_FUNCTION = 2000
# So many runs step by step cost less than compiling a function.
FEW_RUNS = 5


class Step(NamedTuple):
    """One call: fetch the arguments from the slots, store the result, drop what nobody needs any more."""

    kernel: Kernel
    inputs: tuple[int, ...]
    fetch: itemgetter[Any]
    output: int
    dead: tuple[int, ...]


def compile_program(roots: Sequence[Node]) -> Program:
    """Return the program that evaluates graphs together; what they share is computed once.

    Example: `compile_program([f, gradient]).run({"x": x})` is a list of two arrays.
    """
    return Program(roots)


def evaluated(graphs: Sequence[Node], values: Mapping[str, AnyArray], limit: float = inf) -> list[AnyArray] | None:
    """Return graphs as numbers, None where an operation has no result, or an array would exceed `limit` bytes."""
    program = compile_program(flatten(graphs))
    try:
        return program.run(values) if program.largest * 8 <= limit else None
    except OperationFailed:
        return None


class Program:
    """A compiled graph.

    - `largest`: entries of the largest array that a run allocates, known before anything is allocated.
    - `entries`: of all arrays that a run allocates, one after another; at no moment are there more.
    - `cost`: a rough number of floating-point operations per run.
    """

    def __init__(self, roots: Sequence[Node], sparse: frozenset[str] = frozenset()) -> None:
        order = topological(roots)
        _require_axes(order)
        roots = gated(steadied(roots, order), order)
        lowered = Lowering(roots, Compiled, sparse=sparse)
        self._assemble(roots, lowered.tape, [value.slot for value in lowered.outputs], sparse)

    def first(self) -> Program:
        """Return the program of the first root alone: the same steps, without those that only the others need."""
        if len(self._roots) == 1:
            return self
        made = Program.__new__(Program)
        made._assemble(self._roots[:1], self._tape, self._outputs[:1], self._sparse)
        return made

    def _assemble(self, roots: list[Node], tape: Tape, outputs: list[int], sparse: frozenset[str]) -> None:
        """Take those steps of a tape that lead to the outputs."""
        self._roots, self._tape, self._outputs = roots, tape, outputs
        self._sparse, self._over_sparse = sparse, dict[frozenset[str], Program]()
        drafts = _needed(tape.drafts, outputs)
        self.largest = max((draft.entries for draft in drafts), default=0)
        self.entries = sum(draft.entries for draft in drafts)
        self.cost = sum(draft.cost for draft in drafts)
        varying = [draft for draft in drafts if not draft.constant]
        read = {slot for draft in varying for slot in draft.inputs}
        self._inputs = {name: slot for name, slot in tape.inputs.items() if slot in read or slot in outputs}
        self._drafts = varying
        made_dense = {slot for draft in varying if draft.kernel is Sparse.dense for slot in draft.inputs}
        self._made_dense = [name for name, slot in self._inputs.items() if slot in made_dense]
        self._constant = _steps([draft for draft in drafts if draft.constant], read)
        kept = {draft.output for draft in drafts if draft.constant} | {*self._inputs.values(), *outputs}
        varying, self._memory = with_sweeps(varying, kept, tape.slot)
        self._steps = _steps(varying, kept)
        self._initial = tape.initial.copy()
        self._runs = 0
        self._prepared = False
        self._function: Run | None = None

    def run(self, values: Mapping[str, AnyArray]) -> list[AnyArray]:
        """Return one array per root, each new and writeable.

        Example: `program.run({"A": A, "x": x})`; the arrays have the shapes of the symbols, in any memory order, of
        type float64 or, for the complex step, complex128.

        Raises OperationFailed where an operator refuses its numbers. What is not finite passes through silently.
        """
        if Sparse in map(type, values.values()) and (program := self.suited(values)) is not self:
            return program.run(values)
        self._memory.begin()
        try:
            results = (self._function or self._first_run)(values) if is_silent() else self._run_silently(values)
        except (OperationFailed, MatgradError, MemoryError):
            raise
        except Exception as problem:  # of NumPy, in a step that should not have been made: say which it is
            surface(problem)
            raise self._located(problem, values) from problem
        self._memory.end()
        return results

    def suited(self, values: Mapping[str, AnyArray]) -> Program:
        """Return the program for those inputs that are sparse: where it is none, this one.

        Raises EvaluationError where a sparse input is needed as a dense array and is too large for that.
        """
        program, sparse = self, frozenset() if self._sparse else sparse_names(values, self._inputs)
        if sparse:
            if sparse not in self._over_sparse:
                self._over_sparse[sparse] = Program(self._roots, sparse)
            program = self._over_sparse[sparse]
        for name in program._made_dense:
            cast("Sparse", values[name]).require_room()
        return program

    def _located(self, problem: Exception, values: Mapping[str, AnyArray]) -> OperationFailed:
        """Return what goes wrong as the failure of a node."""
        try:
            for _ in self.run_traced(values):
                pass
        except OperationFailed as failure:
            return failure
        return OperationFailed(self._roots[0], problem)

    # As a decorator this costs half of what the context manager does.
    @np.errstate(all="ignore")
    def _run_silently(self, values: Mapping[str, AnyArray]) -> list[AnyArray]:
        return (self._function or self._first_run)(values)

    def _first_run(self, values: Mapping[str, AnyArray]) -> list[AnyArray]:
        """Run step by step; a program that runs often gets a function of its own."""
        slots = self._slots_of(values)
        self._runs += 1
        if self._runs > FEW_RUNS and len(self._steps) <= LONGEST_FUNCTION:
            self._function = _as_function(self._steps, self._inputs, self._outputs, self._initial)
        _execute(self._steps, slots)
        return [slots[slot] for slot in self._outputs]

    def _slots_of(self, values: Mapping[str, AnyArray]) -> list[Any]:
        """Return what every slot holds before a run: inputs, and constants, which are computed once."""
        if not self._prepared:
            prepared = self._initial.copy()
            _execute(self._constant, prepared)
            self._initial, self._prepared = prepared, True
        slots = self._initial.copy()
        for name, slot in self._inputs.items():
            slots[slot] = values[name]
        return slots

    @cached_property
    def may_lose_digits(self) -> bool:
        """Whether some step may enlarge the rounding of steps before it."""
        return may_lose_digits(self._drafts)

    @silent
    def run_perturbed(self, values: Mapping[str, AnyArray]) -> Perturbed:
        """Return the results of a run whose every rounding is another, and whether numbers overflowed on the way.

        Example: at s = 1e-5 that of `(1 - cos(s))/s**2` differs from the result of `run` by one part in 10**6.
        """
        if (program := self.suited(values)) is not self:
            return program.run_perturbed(values)
        return run_perturbed(self._drafts, self._slots_of(values), self._outputs)

    def run_traced(self, values: Mapping[str, AnyArray]) -> Iterator[tuple[Node, AnyArray]]:
        """Yield every computed node with its value, operands first: slower, for finding where a run goes wrong."""
        lowered = Lowering(self._roots, Compiled, traced=True, sparse=sparse_names(values, self._inputs))
        slots = lowered.tape.initial
        for name, slot in lowered.tape.inputs.items():
            slots[slot] = values[name]
        drafts = iter(lowered.tape.drafts)
        for node, value in lowered.computed:
            with np.errstate(all="ignore"):
                while slots[value.slot] is None:
                    draft = next(drafts)
                    try:
                        slots[draft.output] = draft.kernel(*(slots[slot] for slot in draft.inputs))
                    except (OperationFailed, MatgradError, MemoryError):
                        raise
                    except Exception as problem:  # as in `run`
                        raise OperationFailed(node, problem) from problem
            yield node, np.asarray(slots[value.slot])


class Compiled:
    """A function of the graph on arrays, which may all have the same leading axes: `Compiled(f)(h, x)`."""

    def __init__(self, function: Function) -> None:
        self.arguments = function.arguments
        self._body = function.body
        self._programs: dict[Shape, Program] = {}

    def __call__(self, *arrays: AnyArray) -> AnyArray:
        """Return the value at the arguments."""
        lead = arrays[0].shape[: arrays[0].ndim - self.arguments[0].rank]
        program = self._programs.get(lead)
        if program is None:
            own = {symbol: Symbol.of(symbol.name, lead + symbol.shape) for symbol in self.arguments} if lead else {}
            program = self._programs[lead] = Program(flatten(vectorize([self._body], own, lead)))
        return program.run({symbol.name: array for symbol, array in zip(self.arguments, arrays, strict=True)})[0]


def _require_axes(nodes: Sequence[Node]) -> None:
    """Refuse graphs with more axes than NumPy can count in all of its functions."""
    most = max([node.rank for node in nodes], default=0)
    if most > MOST_AXES:
        raise ExpressionError(f"this needs an array with {most} axes, and the most are {MOST_AXES}")


def _needed(drafts: list[Draft], outputs: Sequence[int]) -> list[Draft]:
    """Return the steps that the outputs depend on."""
    wanted = set(outputs)
    result = []
    for draft in reversed(drafts):
        if draft.output in wanted:
            wanted.update(draft.inputs)
            result.append(draft)
    return result[::-1]


def _steps(drafts: list[Draft], kept: set[int]) -> list[Step]:
    seen = set(kept)
    result = []
    for draft in reversed(drafts):
        dead = tuple(slot for slot in dict.fromkeys(draft.inputs) if slot not in seen)
        seen.update(draft.inputs)
        result.append(Step(draft.kernel, draft.inputs, _fetch(draft.inputs), draft.output, dead))
    return result[::-1]


def _fetch(slots: tuple[int, ...]) -> itemgetter[Any]:
    """Return a getter of the arguments: one alone comes bare, others as a sequence."""
    return itemgetter(*slots) if slots else itemgetter(slice(0, 0))


def _as_function(
    steps: Sequence[Step], inputs: Mapping[str, int], outputs: Sequence[int], initial: Sequence[Any]
) -> Run:
    """Return the steps as one function with a local variable for each slot: calls without the loop around them.

    `v5 = k2(v3, v4)` costs a fifth of fetching, calling and storing in lists, which counts where arrays are small.
    """
    assigned = {*inputs.values(), *(step.output for step in steps)}
    names = {slot: f"v{slot}" for slot in assigned}
    known: dict[str, Any] = {}
    lines = ["def function(values):", *(f" v{slot} = values[{name!r}]" for name, slot in inputs.items())]

    def name(slot: int) -> str:
        if slot not in names:
            names[slot] = f"c{slot}"
            known[f"c{slot}"] = initial[slot]
        return names[slot]

    for number, step in enumerate(steps):
        known[f"k{number}"] = step.kernel
        lines.append(f" v{step.output} = k{number}({', '.join(map(name, step.inputs))})")
        lines.extend(f" v{slot} = None" for slot in step.dead if slot in assigned)
    lines.append(f" return [{', '.join(map(name, outputs))}]")
    exec(_compiled("\n".join(lines)), known)
    function: Run = known["function"]
    return function


@lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    """Return the code of a function; programs of one form have the same."""
    return compile(source, "<matgrad program>", "exec")


def _execute(steps: Sequence[Step], slots: list[Any]) -> None:
    for kernel, inputs, fetch, output, dead in steps:
        slots[output] = kernel(fetch(slots)) if len(inputs) == 1 else kernel(*fetch(slots))
        for slot in dead:
            slots[slot] = None
