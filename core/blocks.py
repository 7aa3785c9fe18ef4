"""Samples in blocks: a derivative and slices of its inputs make arrays, and a tree of fixed form adds them.

A block is computed by `computed`, a plain function of what pickles: whoever runs blocks, in order, in threads or in
other processes, sends it there. The tree depends on the number of blocks alone, so that the sum has the same bits
whatever the number of workers, and it holds no more partial sums than it has levels.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from .arrays import Array
from .errors import UsageProblem
from .problems.problem import Problem
from .shapes import Shape

Inputs = Mapping[str, Any]
Item = TypeVar("Item")
Made = TypeVar("Made")

# What is given to a block and what it makes is to stay near the processor, or at least far from filling memory.
GIVEN, MADE = 1 << 23, 1 << 28
# Two blocks at once stay within half of the memory.
SHARE = 4


class Computable(Hashable, Protocol):
    """A derivative, as far as blocks need to know it; it pickles small, and compiles where it is used."""

    @property
    def problem(self) -> Problem:
        """What is asked."""

    def arrays(self, inputs: Inputs, *, value: bool = False) -> list[Array]:
        """Return the derivatives, after the value where that is wanted too."""

    def bytes_for(self, inputs: Inputs, shapes: Mapping[str, Shape]) -> int:
        """Return how much memory a call with inputs of such shapes takes at most."""

    def varied(self, **options: Any) -> Any:
        """Return a derivative that differs in some options."""


class Rows(Protocol):
    """Samples that are elsewhere, as on a disk: their shape is known, and a slice of them is read as an array.

    `grain` is the number of samples that are read together, however few are asked for.
    """

    @property
    def shape(self) -> Shape:
        """The number of samples, and the shape of one."""

    @property
    def grain(self) -> int:
        """How many samples are read together."""

    def __getitem__(self, place: slice, /) -> Array:
        """Return some of the samples."""


class Part(NamedTuple):
    """Samples of a source that are read where they are used."""

    source: Rows
    start: int
    stop: int


def one_by_one(function: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """Yield what a function makes of each item: the plainest way to run blocks."""
    return map(function, items)


def in_order(
    executor: Executor, window: int, function: Callable[[Item], Made], items: Iterable[Item]
) -> Iterator[Made]:
    """Yield what a function makes of each item, in order, at most a `window` of them under way or waiting.

    Example: `in_order(ThreadPoolExecutor(2), 4, computed_here, blocks)`.
    """
    waiting: deque[Any] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


def reduced(
    derivative: Computable,
    inputs: Inputs,
    *,
    rows: int,
    run: Run = one_by_one,
    value: bool = False,
    tree: Tree | None = None,
    after: Callable[[Tree], None] = lambda _: None,
) -> list[Array]:
    """Return what a derivative that reduces samples is, from blocks of so many samples.

    Example: `reduced(d, {"x": x, "y": y, "w": w}, rows=100_000)` is `[d(x=x, y=y, w=w)]` up to rounding. With `value`,
    the value comes first. A `tree` goes on from the blocks in it, and `after` is called with it after each block.

    Raises UsageProblem for a derivative that reduces nothing, or is by a name of the batch: it is as large as that.
    """
    problem = derivative.problem
    if not problem.reduce or {*problem.wrt} & {*problem.batch} or rows < 1:
        raise UsageProblem("blocks are of samples that are reduced, at least one each, and of derivatives by others")
    tree = Tree() if tree is None else tree
    samples = count_of(problem, inputs)
    block = Block(derivative.varied(reduce="sum"), value)
    for made in run(block, slices(inputs, problem.batch, samples, rows, tree.count)):
        tree.add(made)
        after(tree)
    return [one / samples if problem.reduce == "mean" else one for one in tree.total()]


@dataclass(frozen=True)
class Block:
    """The function of a block: called with its inputs, it returns arrays; what is compiled for it stays where it ran.

    Example: `Block(d)({"x": Part(stored, 0, 100), "w": w})`.
    """

    derivative: Computable
    value: bool = False

    def __call__(self, inputs: Inputs) -> list[Array]:
        """Return the arrays of the derivative, after the value where that is wanted too."""
        read = {
            name: one.source[one.start : one.stop] if isinstance(one, Part) else one for name, one in inputs.items()
        }
        return _kept(self.derivative).arrays(read, value=self.value)


@lru_cache(maxsize=64)
def _kept(derivative: Computable) -> Computable:
    """Return the first of equal derivatives, which has compiled what it needs."""
    return derivative


def slices(inputs: Inputs, batch: Sequence[str], samples: int, rows: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the inputs of one block after another; those of the batch are views, or parts to be read."""
    for start in range(first * rows, max(samples, 1), rows):
        stop = min(start + rows, samples)
        yield {name: sliced(value, start, stop) if name in batch else value for name, value in inputs.items()}


def sliced(value: Any, start: int, stop: int) -> Any:
    """Return some of the samples of an array, or of what is read later."""
    if hasattr(value, "grain"):
        return Part(value, start, stop)
    return (value if hasattr(value, "shape") else np.asarray(value))[start:stop]


def running() -> str:
    """Return the version of matgrad that runs here."""
    return str(sys.modules[__name__.partition(".")[0]].__version__)


def count_of(problem: Problem, inputs: Inputs) -> int:
    """Return the number of samples."""
    return int(np.shape(inputs[problem.batch[0]])[0])


def rows_for(derivative: Computable, inputs: Inputs, limit: int) -> tuple[int, int]:
    """Return how many samples a block has, and how much memory it takes at most.

    The inputs and the limit alone decide, and not the number of workers: the sum has the same bits for all. Samples
    that are read together stay together, where memory allows it.
    """
    batch, shapes = derivative.problem.batch, {name: np.shape(value) for name, value in inputs.items()}
    samples = max(count_of(derivative.problem, inputs), 1)
    each = 8 * sum(prod(shapes[name][1:]) for name in batch)
    most = min(limit // SHARE, MADE)

    def needed(rows: int) -> int:
        own = {name: (rows, *shape[1:]) if name in batch else shape for name, shape in shapes.items()}
        return derivative.bytes_for(inputs, own)

    rows = max(1, min(min(GIVEN, most) // max(each, 1), samples))
    while rows > 1 and (found := needed(rows)) > most:
        rows = max(1, min(rows // 2, rows * most // found))
    grain = min(max(getattr(inputs[name], "grain", 1) for name in batch), samples)
    together = -(-rows // grain) * grain
    if grain > 1 and needed(together) <= most:
        rows = together
    elif grain == 1:
        rows = -(-samples // -(-samples // rows))  # as many blocks, of one size
    return rows, needed(rows)


class Tree:
    """Sums of arrays, neighbours first: of four it is `(a + b) + (c + d)`, of five `((a + b) + (c + d)) + e`.

    It holds one partial sum for each binary digit of the `count` of what was added.
    """

    def __init__(self, sums: Iterable[tuple[int, Sequence[Array]]] = ()) -> None:
        self.sums = [(level, list(arrays)) for level, arrays in sums]

    @property
    def count(self) -> int:
        """How many were added."""
        return sum(1 << level for level, _ in self.sums)

    def add(self, arrays: Sequence[Array]) -> None:
        """Add one more."""
        level, added = 0, list(arrays)
        while self.sums and self.sums[-1][0] == level:
            added = _added(self.sums.pop()[1], added)
            level += 1
        self.sums.append((level, added))

    def total(self) -> list[Array]:
        """Return the sum."""
        *others, (_, found) = self.sums
        for _, before in reversed(others):
            found = _added(before, found)
        return found


def _added(one: Sequence[Array], other: Sequence[Array]) -> list[Array]:
    return [np.asarray(left + right) for left, right in zip(one, other, strict=True)]
