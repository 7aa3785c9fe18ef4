"""Large elementwise steps: fused, block by block in the cache, by several threads, in memory that is free again.

Three things make NumPy slow on large arrays: each call of a chain travels to memory and back, fresh memory must be
mapped page by page, and one core alone does not fill the bus. A `Sweep` is a chain of elementwise steps as one step:
it takes a block of the leading axis through the whole chain while it is in the cache, and gives blocks to threads,
for NumPy releases the lock of the interpreter. Its result lies in memory of an earlier run if nobody holds that.

The two steps of `exp(X) * Y` are one sweep of two steps over the operands X and Y, places 0 and 1; the second step
reads the result of the first, `~0`.

>>> from matgrad.core.evaluation.tape import Tape
>>> tape, shape = Tape(), (500, 400)
>>> X, Y = tape.input("X", shape), tape.input("Y", shape)
>>> out = tape.emit(np.multiply, [tape.emit(np.exp, [X], shape), Y], shape)
>>> (whole,) = swept(tape.drafts, {out.slot}, Memory(), tape.slot)
>>> [(step.kernel.__name__, step.arguments) for step in whole.kernel.steps], whole.inputs == (X.slot, Y.slot)
([('exp', (0,)), ('multiply', (-1, 1))], True)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import pairwise
from math import prod
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ...arrays import AnyArray
from ...shapes import Shape
from ..kernels import Entrywise, Into, Kernel, sum_of_outer_products
from ..tape import Draft
from .memory import Memory, Stored, gapless
from .multiplication import multiply_into

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# Arrays with fewer entries are left to single calls.
SMALLEST = 2**15
# Entries of a block: a few of them fit into the cache, and threads seldom wait for each other between them.
BLOCK = 2**16
# Products with more entries than this are bound by memory, not by the loop.
LARGEST_LOOP = 2**22
# From this much work on, in additions, a second thread pays for waking it.
WORTH_A_THREAD = 2**20
MOST_THREADS = 8
LONGEST_SWEEP = 24

CHEAP = frozenset({np.add, np.subtract, np.multiply, np.negative, np.square, np.divide, np.reciprocal, np.sqrt})
COST_OF_A_FUNCTION = 8
# Products that can write into a given array.
STORED = (np.matmul, sum_of_outer_products)


class SweepStep(NamedTuple):
    """One function of a sweep; arguments are places of operands, or `~k` for the result of step k."""

    kernel: Kernel
    arguments: tuple[int, ...]


class Sweep:
    """Elementwise functions of operands that broadcast to one shape; the results of some of them are wanted."""

    def __init__(self, steps: Sequence[SweepStep], wanted: Sequence[int], shape: Shape, memory: Memory) -> None:
        self.steps = steps
        self._wanted = wanted
        self._shape = shape
        self._memory = memory
        self._entries = prod(shape)
        self._work = self._entries * sum(1 if _plain(step.kernel) in CHEAP else COST_OF_A_FUNCTION for step in steps)
        self._in_one_go = len(steps) == 1 and self._work < WORTH_A_THREAD
        self._row_major = any(isinstance(steps[k].kernel, partial) for k in wanted)
        self._strides: dict[tuple[tuple[int, ...], ...], tuple[int, ...]] = {}
        self._loops = self._entries <= LARGEST_LOOP
        has_temporaries = len(wanted) < len(steps) or isinstance(steps[-1].kernel, Entrywise)
        self._block = BLOCK if has_temporaries else self._entries
        self._places, self._rooms = _places_of_results(steps, wanted)

    def __call__(self, *arrays: AnyArray) -> Any:
        """Return the result that is wanted, a list if there are several."""
        results = self._swept(arrays) or self._whole(arrays)
        return results[0] if len(results) == 1 else results

    def _swept(self, arrays: Sequence[AnyArray]) -> list[AnyArray] | None:
        for array in arrays:
            if array.dtype.kind not in "fb":
                return None
        outs = self._outs(arrays)
        if outs is None:
            return None
        if self._in_one_go:
            self._one_block(arrays, outs, ())
            return outs
        axis, parts = self._parts(outs[0])
        waiting = [_threads().submit(self._carry_out, arrays, outs, axis, part) for part in parts[1:]]
        try:
            self._carry_out(arrays, outs, axis, parts[0])
        finally:
            for task in waiting:
                task.result()
        return outs

    def _whole(self, arrays: Sequence[AnyArray]) -> list[AnyArray]:
        results: list[Any] = []
        for kernel, arguments in self.steps:
            results.append(kernel(*(arrays[k] if k >= 0 else results[~k] for k in arguments)))
        return [results[k] for k in self._wanted]

    def _outs(self, arrays: Sequence[AnyArray]) -> list[AnyArray] | None:
        """Return the arrays to write into, None where blocks of one could meet another part of an operand."""
        outs: list[AnyArray] = []
        for wanted in self._wanted:
            kernel, arguments = self.steps[wanted]
            place = arguments[kernel.place] if isinstance(kernel, Into) else -1
            if place < 0:
                outs.append(self._memory.take(self._shape, self._natural_strides(arrays)))
                continue
            others = (array for k, array in enumerate(arrays) if k != place)
            if arrays[place].shape != self._shape or any(np.may_share_memory(arrays[place], one) for one in others):
                return None
            outs.append(arrays[place])
        return outs

    def _natural_strides(self, arrays: Sequence[AnyArray]) -> tuple[int, ...]:
        """Return strides of the result that suit the operands."""
        key = tuple(array.strides for array in arrays)
        if key not in self._strides:
            self._strides[key] = gapless(self._shape)
            if not self._row_major:
                self._strides[key] = self._suitable_strides(arrays)
        return self._strides[key]

    def _suitable_strides(self, arrays: Sequence[AnyArray]) -> tuple[int, ...]:
        """Return the strides of an operand of the whole shape, or those NumPy would choose.

        But an outer product repeats its second factor whole.
        """
        rank = len(self._shape)
        for array in arrays:
            if array.shape == self._shape and 0 not in array.strides:
                return gapless(self._shape, sorted(range(rank), key=lambda k: -abs(array.strides[k])))
        own = [[k for k in range(-array.ndim, 0) if array.shape[k] > 1] for array in arrays]
        flat = [axis for axes in own for axis in axes]
        if len(arrays) == 2 and len(set(flat)) == len(flat) == rank:
            pairs = zip(arrays, own, strict=True)
            ordered = [sorted(axes, key=lambda k: -abs(array.strides[k])) for array, axes in pairs]
            return gapless(self._shape, [rank + axis for axes in ordered for axis in axes])
        natural = np.nditer(
            cast(Any, [*arrays, None]),
            ["zerosize_ok"],
            cast(Any, [["readonly"]] * len(arrays) + [["writeonly", "allocate"]]),
            op_dtypes=[*(array.dtype for array in arrays), np.dtype(np.float64)],
        ).operands[-1]
        return natural.strides if natural.shape == self._shape else gapless(self._shape)

    def _parts(self, out: AnyArray) -> tuple[int, list[range]]:
        """Return the axis to cut, the one that lies furthest apart if it is long enough, and a range per thread."""
        threads = _amount_of_threads() if self._work >= WORTH_A_THREAD else 1
        long = [axis for axis, size in enumerate(out.shape) if size >= threads]
        axis = max(long, key=lambda axis: abs(out.strides[axis]), default=0)
        cuts = [out.shape[axis] * k // threads for k in range(threads + 1)]
        return axis, [range(start, stop) for start, stop in pairwise(cuts) if start < stop]

    def _carry_out(self, arrays: Sequence[AnyArray], outs: Sequence[AnyArray], axis: int, rows: range) -> None:
        length = self._shape[axis]
        step = min(len(rows), max(1, self._block * length // self._entries))
        order = sorted(range(len(self._shape)), key=lambda k: -abs(outs[0].strides[k]))
        axis -= len(self._shape)
        with np.errstate(all="ignore"), self._memory.scratch(self._rooms, step * self._entries // length) as rooms:
            for start in range(rows.start, rows.stop, step):
                cut = slice(start, min(start + step, rows.stop))
                parts = [_cut(out, axis, cut) for out in outs]
                strides = gapless(parts[0].shape, order)
                scratch = [np.ndarray(parts[0].shape, np.float64, room, 0, strides) for room in rooms]
                self._one_block([_cut(array, axis, cut) for array in arrays], parts, scratch)

    def _one_block(self, arrays: Sequence[AnyArray], outs: Sequence[AnyArray], scratch: Sequence[AnyArray]) -> None:
        results: list[Any] = []
        for (kernel, arguments), room in zip(self.steps, self._places, strict=True):
            operands = [arrays[k] if k >= 0 else results[~k] for k in arguments]
            target = outs[~room] if room < 0 else scratch[room]
            if isinstance(kernel, Entrywise):
                target[...] = kernel.evaluate(*operands)
            elif _plain(kernel) is not np.multiply or not multiply_into(operands, target, self._loops):
                _plain(kernel)(*operands, out=target)
            results.append(target)


def _places_of_results(steps: Sequence[SweepStep], wanted: Sequence[int]) -> tuple[list[int], int]:
    """Return where each function writes: `~k` for wanted result k, or a scratch array by number; and how many of these.

    A scratch array is taken again as soon as what it holds has been read for the last time.
    """
    last_read = {~k: position for position, step in enumerate(steps) for k in step.arguments if k < 0}
    places: list[int] = []
    free: list[int] = []
    amount = 0
    for position, step in enumerate(steps):
        done = {~k for k in step.arguments if k < 0 and last_read[~k] == position}
        free.extend(places[k] for k in done if places[k] >= 0)
        if position in wanted:
            places.append(~wanted.index(position))
        elif free:
            places.append(free.pop())
        else:
            places.append(amount)
            amount += 1
    return places, amount


def _plain(kernel: Kernel) -> Kernel:
    """Return the ufunc of a kernel that says more about its result, or the kernel itself."""
    return kernel.ufunc if isinstance(kernel, Into) else getattr(kernel, "func", kernel)


def _cut(array: AnyArray, axis: int, rows: slice) -> AnyArray:
    """Return part of an array along an axis counted from the last, all of it where it is repeated there."""
    if array.ndim < -axis or array.shape[axis] == 1:
        return array
    key: Any = (..., rows, *(slice(None),) * (-axis - 1))
    return np.asarray(array[key])


@cache
def _amount_of_threads() -> int:
    """Return how many threads to use: the cores of this process, or what the user allows to BLAS."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_THREADS, int(allowed) if allowed.isdigit() else cores))


@cache
def _threads() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # loaded where it is used: this takes longer than most answers

    return ThreadPoolExecutor(_amount_of_threads(), thread_name_prefix="matgrad")


if hasattr(os, "register_at_fork"):
    # A child process has none of its parent's threads.
    os.register_at_fork(after_in_child=_threads.cache_clear)


# --- from drafts to sweeps -------------------------------------------------------------------------------------------


class _Region:
    """Large elementwise drafts of one shape that nothing else stands between."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.outputs: set[int] = set()
        self.inputs: set[int] = set()

    def add(self, draft: Draft) -> None:
        self.inputs.update(slot for slot in draft.inputs if slot not in self.outputs)
        self.outputs.add(draft.output)
        self.drafts.append(draft)

    def _bring_together(self) -> None:
        """Put each draft right before the one that needs it first, so that few results wait in the cache at a time."""
        made = {draft.output: draft for draft in self.drafts}
        if any(
            isinstance(draft.kernel, Into) and draft.inputs[draft.kernel.place] not in made for draft in self.drafts
        ):
            return
        needed = {slot for draft in self.drafts for slot in draft.inputs}
        ordered: dict[int, Draft] = {}
        waiting = [draft for draft in reversed(self.drafts) if draft.output not in needed]
        while waiting:
            draft = waiting[-1]
            missing = [made[slot] for slot in draft.inputs if slot in made and slot not in ordered]
            if missing:
                waiting.extend(reversed(missing))
            else:
                ordered[draft.output] = waiting.pop()
        self.drafts = list(ordered.values())

    def swept(self, uses: Counter[int], memory: Memory, new_slot: Callable[[], int]) -> list[Draft]:
        """Return the region as one draft, and one more for each result where several are wanted."""
        self._bring_together()
        inside = Counter(slot for draft in self.drafts for slot in draft.inputs)
        steps: list[SweepStep] = []
        operands = list(dict.fromkeys(slot for draft in self.drafts for slot in draft.inputs if slot in self.inputs))
        places = {slot: place for place, slot in enumerate(operands)}
        for position, draft in enumerate(self.drafts):
            steps.append(SweepStep(draft.kernel, tuple(places[slot] for slot in draft.inputs)))
            places[draft.output] = ~position
        wanted = [k for k, draft in enumerate(self.drafts) if uses[draft.output] > inside[draft.output]]
        last = self.drafts[-1]
        sweep = Sweep(steps, wanted, last.shape, memory)
        entries, cost = sum(self.drafts[k].entries for k in wanted), sum(draft.cost for draft in self.drafts)
        whole = last._replace(kernel=sweep, inputs=tuple(operands), entries=entries, cost=cost)
        if len(wanted) == 1:
            return [whole._replace(output=self.drafts[wanted[0]].output)]
        together = new_slot()
        single = [
            Draft(itemgetter(k), (together,), self.drafts[place].output, False, 0, 0, last.shape, False)
            for k, place in enumerate(wanted)
        ]
        return [whole._replace(output=together), *single]


def swept(drafts: Sequence[Draft], kept: set[int], memory: Memory, new_slot: Callable[[], int]) -> list[Draft]:
    """Return the drafts with large elementwise ones as sweeps: neighbours of one shape together.

    A region waits for more drafts of its shape until another draft needs one of its results, or overwrites what it
    reads, so nothing changes its order that matters.
    """
    if all(prod(draft.shape) < SMALLEST for draft in drafts):
        return [*drafts]
    uses = Counter([*kept, *(slot for draft in drafts for slot in draft.inputs)])
    regions: dict[Shape, _Region] = {}
    result: list[Draft] = []
    # A view is read where its array is.
    arrays: dict[int, int] = {}

    def close(shape: Shape) -> None:
        result.extend(regions.pop(shape).swept(uses, memory, new_slot))

    for draft in drafts:
        elementwise = _is_elementwise(draft)
        for shape, region in list(regions.items()):
            own = elementwise and shape == draft.shape
            full = own and len(region.drafts) >= LONGEST_SWEEP
            read = {arrays.get(slot, slot) for slot in region.inputs}
            overwritten = draft.writes and any(arrays.get(slot, slot) in read for slot in draft.inputs)
            if full or (not own and (overwritten or not region.outputs.isdisjoint(draft.inputs))):
                close(shape)
        if not draft.writes and not draft.entries and len(draft.inputs) == 1:
            arrays[draft.output] = arrays.get(draft.inputs[0], draft.inputs[0])
        if elementwise:
            regions.setdefault(draft.shape, _Region()).add(draft)
        elif draft.kernel in STORED and prod(draft.shape) >= SMALLEST:
            result.append(draft._replace(kernel=Stored(draft.kernel, draft.shape, memory)))
        else:
            result.append(draft)
    for shape in list(regions):
        close(shape)
    return result


def _is_elementwise(draft: Draft) -> bool:
    """Whether a draft is a large elementwise function that gives floating-point numbers."""
    kernel = draft.kernel
    if prod(draft.shape) < SMALLEST:
        return False
    if isinstance(kernel, Into | Entrywise):
        return True
    ufunc = kernel.func if isinstance(kernel, partial) else kernel
    return isinstance(ufunc, np.ufunc) and ufunc.signature is None and not ufunc.types[-1].endswith("?")
