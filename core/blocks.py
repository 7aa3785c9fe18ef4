"""Sums over samples in blocks: a recipe and slices of the inputs make arrays, and a tree of fixed form adds them.

A block is computed by `computed`, a plain function of what pickles: whoever runs blocks, in order, in threads or in
other processes, sends it there. The tree depends on the number of blocks alone, so that the sum has the same bits
whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .api import Derivative, Recipe, made
from .arrays import Array
from .errors import UsageProblem

Inputs = Mapping[str, ArrayLike]


def reduced(derivative: Derivative, inputs: Inputs, *, rows: int, workers: int = 1) -> Any:
    """Return a derivative that reduces samples, computed from blocks of so many samples, some at the same time.

    Example: `reduced(d, {"x": x, "y": y, "w": w}, rows=100_000)` is `d(x=x, y=y, w=w)` up to rounding.

    Raises UsageProblem for a derivative that reduces nothing, or is by a name of the batch: it is as large as that.
    """
    problem = derivative.problem
    if not problem.reduce or {*problem.wrt} & {*problem.batch} or rows < 1:
        raise UsageProblem("blocks are of samples that are reduced, at least one each, and of derivatives by others")
    recipe, samples = derivative.recipe, len(np.asarray(inputs[problem.batch[0]]))
    recipe = recipe._replace(options={**recipe.options, "reduce": "sum"})
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(partial(computed, recipe), slices(inputs, problem.batch, samples, rows)))
    totals = [total([parts[place] for parts in found]) for place in range(len(found[0]))]
    results = [one / samples if problem.reduce == "mean" else one for one in totals]
    return results[0] if len(results) == 1 else tuple(results)


def slices(inputs: Inputs, batch: tuple[str, ...], samples: int, rows: int) -> Iterator[dict[str, Any]]:
    """Yield the inputs of one block after another; those of the batch are views of their samples."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    for start in range(0, max(samples, 1), rows):
        yield {name: value[start : start + rows] if name in batch else value for name, value in arrays.items()}


def computed(recipe: Recipe, inputs: Inputs) -> list[Array]:
    """Return the arrays of a recipe for the inputs of a block; what is compiled for it stays in the process."""
    found = _kept(made(recipe))(**inputs)
    return list(found) if isinstance(found, tuple) else [found]


@lru_cache(maxsize=64)
def _kept(derivative: Derivative) -> Derivative:
    """Return the first of equal derivatives, which has compiled what it needs."""
    return derivative


def total(parts: list[Array]) -> Array:
    """Return the sum of arrays, neighbours first: `total([a, b, c, d])` is `(a + b) + (c + d)`."""
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [np.asarray(pair[0] + pair[1]) if len(pair) > 1 else pair[0] for pair in pairs]
    return parts[0]
