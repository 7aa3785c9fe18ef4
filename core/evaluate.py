"""Programs: a graph compiled once to a straight line of NumPy calls, and run many times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from .graph import Node
from .lowering import Lowering, OperationFailed
from .sweep import Memory, swept
from .tape import Array, Draft, Kernel

__all__ = ["OperationFailed", "Program", "compile_program"]


class Step(NamedTuple):
    """One call: fetch the arguments from the slots, store the result, drop what nobody needs any more."""

    kernel: Kernel
    single: bool
    fetch: itemgetter[Any]
    output: int
    dead: tuple[int, ...]


def compile_program(roots: Sequence[Node]) -> Program:
    """Return the program that evaluates graphs together; what they share is computed once.

    Example: `compile_program([f, gradient]).run({"x": x})` is a list of two arrays.
    """
    return Program(roots)


class Program:
    """A compiled graph.

    - `largest`: entries of the largest array that a run allocates, known before anything is allocated.
    - `cost`: a rough number of floating-point operations per run.
    """

    def __init__(self, roots: Sequence[Node]) -> None:
        self._roots = list(roots)
        lowered = Lowering(self._roots)
        self._outputs = [value.slot for value in lowered.outputs]
        self._inputs = lowered.tape.inputs
        self._initial = lowered.tape.initial
        drafts = _needed(lowered.tape.drafts, self._outputs)
        self.largest = max((draft.entries for draft in drafts), default=0)
        self.cost = sum(draft.cost for draft in drafts)
        varying = [draft for draft in drafts if not draft.constant]
        used_later = {slot for draft in varying for slot in draft.inputs}
        self._constant = _steps([draft for draft in drafts if draft.constant], used_later)
        kept = {draft.output for draft in drafts if draft.constant} | {*self._inputs.values(), *self._outputs}
        self._memory = Memory()
        self._steps = _steps(swept(varying, kept, self._memory, lowered.tape.slot), kept)
        self._prepared = False

    def run(self, values: Mapping[str, Array]) -> list[Array]:
        """Return one array per root, each new and writeable.

        Example: `program.run({"A": A, "x": x})`; the arrays have the shapes of the symbols, in any memory order, of
        type float64 or, for the complex step, complex128.

        Raises OperationFailed where an operator refuses its numbers. What is not finite passes through silently.
        """
        with np.errstate(all="ignore"):
            if not self._prepared:
                prepared = self._initial.copy()
                _execute(self._constant, prepared)
                self._initial, self._prepared = prepared, True
            self._memory.begin()
            slots = self._initial.copy()
            for name, slot in self._inputs.items():
                slots[slot] = values[name]
            _execute(self._steps, slots)
        self._memory.end()
        return [slots[slot] for slot in self._outputs]

    def run_traced(self, values: Mapping[str, Array]) -> Iterator[tuple[Node, Array]]:
        """Yield every computed node with its value, operands first: slower, for finding where a run goes wrong."""
        lowered = Lowering(self._roots, traced=True)
        slots = lowered.tape.initial
        for name, slot in lowered.tape.inputs.items():
            slots[slot] = values[name]
        drafts = iter(lowered.tape.drafts)
        for node, value in lowered.computed:
            with np.errstate(all="ignore"):
                while slots[value.slot] is None:
                    draft = next(drafts)
                    slots[draft.output] = draft.kernel(*(slots[slot] for slot in draft.inputs))
            yield node, np.asarray(slots[value.slot])


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
        result.append(Step(draft.kernel, len(draft.inputs) == 1, _fetch(draft.inputs), draft.output, dead))
    return result[::-1]


def _fetch(slots: tuple[int, ...]) -> itemgetter[Any]:
    """Return a getter of the arguments: one alone comes bare, others as a sequence."""
    return itemgetter(*slots) if slots else itemgetter(slice(0, 0))


def _execute(steps: Sequence[Step], slots: list[Any]) -> None:
    for kernel, single, fetch, output, dead in steps:
        slots[output] = kernel(fetch(slots)) if single else kernel(*fetch(slots))
        for slot in dead:
            slots[slot] = None
