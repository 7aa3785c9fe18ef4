"""Derivatives as lazy Dask arrays: a task computes a block from chunks of the inputs, where it is needed.

With a batch, a task computes the samples of one chunk; where they are reduced, the blocks are added in the tree of
`blocks.Tree`, neighbours first. Without one, a task computes some rows of the derivative. What a task will return is
known, so that Dask never calls it to find out; and a task carries the derivative, which pickles small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from math import isnan, prod
from typing import Any, Protocol

import numpy as np

from .amounts import memory
from .arrays import Array
from .blocks import Block, Computable, Inputs, running
from .errors import InputError, UsageProblem
from .problems.problem import DIRECTIONS, STRUCTURED_KINDS
from .shapes import Shape

# Dask's own advice for the size of a chunk.
CHUNK = 100_000_000


class Lazy(Computable, Protocol):
    """A derivative, as far as lazy arrays need to know it."""

    @property
    def max_memory(self) -> int:
        """How large an array may be, in bytes."""

    def shapes_for(self, inputs: Inputs, shapes: Mapping[str, Shape]) -> list[Shape]:
        """Return the shape of each derivative, of one sample where each has its own."""

    def structured(self, /, **inputs: Any) -> Any:
        """Return the derivatives in compressed form."""


@dataclass(frozen=True)
class Task:
    """The function of a task: called with a block of each input, it returns one of the derivatives.

    Where samples are `summed`, an axis in front counts the blocks.
    """

    derivative: Lazy
    names: tuple[str, ...]
    which: int
    summed: bool
    version: str

    def __call__(self, *arrays: Any) -> Array:
        """Return the derivative of a block."""
        check_version(self.version)
        found = Block(self.derivative)(dict(zip(self.names, arrays, strict=True)))[self.which]
        return np.asarray(found[None] if self.summed else found)


@dataclass(frozen=True)
class Rows:
    """The function of a task without samples: some rows of one of the derivatives, or all of it."""

    derivative: Lazy
    names: tuple[str, ...]
    which: int
    rows: range | None
    version: str

    def __call__(self, *arrays: Any) -> Array:
        """Return the rows."""
        check_version(self.version)
        inputs = dict(zip(self.names, arrays, strict=True))
        if self.rows is None:
            return Block(self.derivative)(inputs)[self.which]
        found = self.derivative.structured(**inputs)
        return np.asarray((found[self.which] if isinstance(found, tuple) else found).piece([self.rows]))


def check_version(version: str) -> None:
    """Raise UsageProblem where another version of matgrad is asked to compute than the one that asks."""
    if version != running():
        message = f"this worker has matgrad {running()}, and matgrad {version} asks it"
        raise UsageProblem(message, helps=["install the same version on all workers"])


def lazy_arrays(derivative: Lazy, inputs: Inputs) -> list[Any]:
    """Return each derivative as a lazy Dask array, for inputs of which some are Dask arrays.

    Example: `lazy_arrays(d, {"X": dask_array, "w": w})`. Raises InputError for chunks that cannot be used, and
    UsageProblem where Dask is not installed.
    """
    try:
        dask: Any = import_module("dask.array")
    except ImportError:
        helps = ['pip install "matgrad[cluster]"']
        raise UsageProblem("lazy arrays need Dask, which is not installed", helps=helps) from None
    shapes = {name: _shape(name, value) for name, value in inputs.items()}
    found = derivative.shapes_for(inputs, shapes)
    make = _of_samples if derivative.problem.batch else _of_rows
    return [make(dask, derivative, inputs, which, shape) for which, shape in enumerate(found)]


def _shape(name: str, value: Any) -> Shape:
    shape = tuple(np.shape(value))
    if any(isnan(size) for size in shape):
        helps = [f"{name} = {name}.compute_chunk_sizes()"]
        raise InputError(f"the shape of `{name}` is not known before it is computed", helps=helps)
    return shape


def _of_samples(dask: Any, derivative: Lazy, inputs: Inputs, which: int, shape: Shape) -> Any:
    """Return one derivative of all samples, or of their sum."""
    problem, labels = derivative.problem, count(1)
    if {*problem.wrt} & {*problem.batch} and (problem.reduce or problem.kind in DIRECTIONS):
        helps = ["without `reduce` each sample has a result of its own"] if problem.reduce else []
        raise UsageProblem("this derivative by a name of the batch is not computed in blocks", helps=helps)
    if problem.kind == "vjp" and not problem.reduce:
        raise UsageProblem("a vjp for each sample is not computed in blocks", helps=["jvp is, and jacobian"])
    arguments: list[Any] = []
    for name, value in inputs.items():
        counted = int(name in problem.batch)
        array = _merged(name, _as_dask(dask, value, counted), counted, derivative.max_memory)
        arguments += [array, (*[0] * counted, *(next(labels) for _ in range(array.ndim - counted)))]
    own = tuple(next(labels) for _ in shape)
    block = derivative.varied(reduce="sum") if problem.reduce else derivative
    task = Task(block, tuple(inputs), which, problem.reduce is not None, running())
    made = dask.blockwise(
        task, (0, *own), *arguments, new_axes=dict(zip(own, shape, strict=True)), concatenate=True, dtype=np.float64,
        meta=np.empty((0,) * (1 + len(shape))), adjust_chunks={0: lambda _: 1} if problem.reduce else None,
        token=f"matgrad-{problem.kind}",
    )  # fmt: skip
    if not problem.reduce:
        return made
    total = dask.reduction(
        made, chunk=_same, combine=_added, aggregate=_added, axis=0, split_every=2, dtype=np.float64,
        meta=np.empty((0,) * len(shape)),
    )  # fmt: skip
    samples = np.shape(inputs[problem.batch[0]])[0]
    return total / samples if problem.reduce == "mean" else total


def _same(array: Array, axis: Any, keepdims: bool) -> Array:
    return array


def _added(array: Array, axis: Any, keepdims: bool) -> Array:
    return np.asarray(array.sum(axis=axis, keepdims=keepdims))


def _as_dask(dask: Any, value: Any, counted: int) -> Any:
    if hasattr(value, "__dask_graph__"):
        return value
    array = np.asarray(value)
    return dask.from_array(array, chunks=("auto",) * counted + (-1,) * (array.ndim - counted))


def _merged(name: str, array: Any, counted: int, limit: int) -> Any:
    """Return an array whose chunks part nothing but samples. Raises InputError where these would be too large."""
    parted = [axis for axis in range(counted, array.ndim) if array.numblocks[axis] > 1]
    if not parted:
        return array
    size = 8 * prod(array.shape[counted:]) * (max(array.chunks[0], default=1) if counted else 1)
    if size > limit:
        axes = " and ".join(map(str, parted))
        message = f"`{name}` has chunks along axis {axes}, and a block needs all of it: {memory(size)}"
        helps = [f"fewer samples in a chunk: {name}.rechunk({{0: 1000}})"] if counted else []
        raise InputError(message, notes=[f"the limit is {memory(limit)}"], helps=[*helps, "or a larger `max_memory`"])
    return array.rechunk(dict.fromkeys(parted, -1))


def _of_rows(dask: Any, derivative: Lazy, inputs: Inputs, which: int, shape: Shape) -> Any:
    """Return one derivative in chunks of rows."""
    delayed: Any = import_module("dask").delayed
    whole = [_merged(name, _as_dask(dask, value, 0), 0, derivative.max_memory) for name, value in inputs.items()]
    given = [array.to_delayed().item() for array in whole]
    each = 8 * prod(shape[1:])
    step = max(1, min(CHUNK, derivative.max_memory // 4) // max(each, 1))
    parted = derivative.problem.kind in STRUCTURED_KINDS and shape and shape[0] > step
    rows: Sequence[range | None] = [None]
    if parted:
        rows = [range(start, min(start + step, shape[0])) for start in range(0, shape[0], step)]
    chunks = []
    for some in rows:
        task = delayed(Rows(derivative, tuple(inputs), which, some, running()), pure=True)(*given)
        size = shape if some is None else (len(some), *shape[1:])
        chunks.append(dask.from_delayed(task, size, dtype=np.float64, meta=np.empty((0,) * len(shape))))
    return dask.concatenate(chunks) if len(chunks) > 1 else chunks[0]
