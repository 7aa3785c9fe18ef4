"""Derivatives written to a file piece by piece: zarr arrays, and large ones that are resumed or distributed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ... import __version__
from ...core.api import Derivative
from ...core.arrays import Array
from ...core.compressed.structured import BLOCKS_IN_MEMORY, LARGEST_TILE, Structured
from ...core.compressed.tiles import tile_shape
from ...core.errors import UsageProblem
from ...core.problems.answer import Answer, Result
from ...core.problems.problem import Problem
from ..output.formats import only_one
from ..output.in_blocks import Item, fingerprint, write_in_blocks
from ..output.large import arranged
from ..output.layouts import apply_layout
from .request import Request
from .workers import derivative_of, workers


def write_pieces(problem: Problem, answer: Answer, request: Request) -> None:
    """Write the only result of an answer to the file that was asked for."""
    assert request.output is not None
    result, layout = only_one(answer, request.format, request.output), request.layout
    question = {
        "matgrad": __version__, "expression": problem.text, "kind": problem.kind, "wrt": list(problem.wrt),
        "assume": {name: sorted(words) for name, words in problem.assumptions.items()}, "layout": layout,
        "independent_entries": problem.independent_entries, "batch": problem.batch, "reduce": problem.reduce,
        **{f"input {name}": fingerprint(one.value) for name, one in answer.inputs.items()},
    }  # fmt: skip
    shape, block, items, function = _pieces(problem, answer, request, result)
    with workers(request, BLOCKS_IN_MEMORY * LARGEST_TILE) as run:
        write_in_blocks(
            request.output, question, shape, block, items, function, run=run, resume=request.resume
        )  # fmt: skip


def _pieces(
    problem: Problem, answer: Answer, request: Request, result: Result
) -> tuple[Sequence[int], Sequence[int], Iterable[Item], Any]:
    """Return the shape of a file, that of a block, the blocks, and the function that computes them."""
    if result.compressed is None:
        data = apply_layout(result, request.layout).data
        whole = Item(0, [range(size) for size in data.shape], data)
        return data.shape, tile_shape(data.shape, LARGEST_TILE // 8), [whole], _itself
    compressed, shape = arranged(result, request.layout)
    block: Sequence[int] = ()
    places: Iterable[Sequence[range]] = compressed.pieces()
    if request.format == "zarr" and shape == compressed.shape:
        block, places = compressed.tiles()
    elif request.format == "zarr":
        helps = ["--layout generalized", "or an .npy file: -o J.npy"]
        message = "a large zarr array has the axes of the derivative"
        raise UsageProblem(message, place=f"--layout {request.layout}", helps=helps)
    items = (Item(number, place, place) for number, place in enumerate(places))
    if request.cluster is None:
        return shape, block, items, compressed.piece
    number = [one.wrt for one in answer.results].index(result.wrt)
    values = {name: one.value for name, one in answer.inputs.items()}
    bare = result._replace(compressed=None)
    elsewhere = Elsewhere(derivative_of(problem, request), fingerprint_of(values), values, number, bare, request.layout)
    return shape, block, items, elsewhere


def _itself(data: Array) -> Array:
    return data


def fingerprint_of(values: dict[str, Array]) -> str:
    """Return what tells inputs from others."""
    return str({name: fingerprint(value) for name, value in values.items()})


@dataclass(frozen=True)
class Elsewhere:
    """The function that computes a piece of a derivative in another process, which finds its terms once."""

    derivative: Derivative
    key: str
    values: dict[str, Array] = field(compare=False)
    number: int
    result: Result = field(compare=False)
    layout: str

    def __call__(self, places: Sequence[range]) -> Array:
        """Return the entries with such indices along the first axes."""
        return _found(self).piece(places)


@lru_cache(maxsize=4)
def _found(asked: Elsewhere) -> Structured:
    found = asked.derivative.structured(**asked.values)
    one = found[asked.number] if isinstance(found, tuple) else found
    return arranged(asked.result._replace(compressed=one), asked.layout)[0]
