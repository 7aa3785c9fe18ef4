"""Samples that stay on the disk, or go to a cluster: questions about them are answered block by block.

The first few samples are answered as any question is: their answer has the closed form, the random numbers of what has
no value, and the check. The numbers of all samples then take the place of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ... import __version__
from ...core.api import Derivative
from ...core.arrays import Array
from ...core.blocks import GIVEN, SHARE, Block, Tree, count_of, reduced, rows_for, slices
from ...core.errors import InputError
from ...core.problems.answer import Answer, Input, Result, Warning
from ...core.problems.problem import DIRECTIONS, Problem, direction_name
from ...core.session import answer, sample_shapes
from ..input.inputs import stored_inputs
from ..input.stored import Stored
from ..output.formats import only_one
from ..output.in_blocks import Item, fingerprint, write_in_blocks
from ..output.large import SHOWN_FROM
from ..output.layouts import apply_layout
from ..output.progress import progress
from ..output.unfinished import Work, working_on
from .pieces import write_pieces
from .questions import given_inputs, wishes_of
from .request import Request
from .telling import announce, failed, in_pieces, refuse_failed, write
from .workers import derivative_of, workers

# So many samples are answered in full: few enough to be quick, and no number that an expression is likely to have.
FIRST = 97
FILES = (".npy", ".zarr")


class Question(NamedTuple):
    """A problem with inputs, some of which are on the disk, and the answer for the first samples."""

    problem: Problem
    request: Request
    derivative: Derivative
    inputs: dict[str, Any]
    first: Answer


def in_blocks(kind: str, problem: Problem, request: Request) -> int | None:
    """Answer a question whose samples are read in blocks; the exit status, None where it is no such question."""
    stored = stored_inputs(problem.batch, request.variables)
    to_file = request.output is not None and request.output.endswith(FILES)
    size = sum(prod(one.shape) * 8 for one in stored.values())
    small = size <= min(GIVEN, request.limit // SHARE) and request.cluster is None
    as_large = problem.reduce and {*problem.wrt} & {*problem.batch}
    if small or as_large or not (problem.reduce or to_file):
        return None
    question = _asked(problem, request, stored)
    if question is None:
        return None
    if problem.reduce:
        _answer_reduced(question)
    else:
        announce(question.first, request)
        _write_samples(question)
    refuse_failed(kind, failed(question.first.results))
    return 0


def _asked(problem: Problem, request: Request, stored: Mapping[str, Stored]) -> Question | None:
    """Return the question with all of its inputs, and the answer for the first samples."""
    inputs, surplus = given_inputs(problem, request, held=stored)
    given = {**inputs, **{name: Input(_standing_in(one.shape), one.place) for name, one in stored.items()}}
    sample_shapes(problem, {name: one.value.shape for name, one in given.items()})
    missing = [name for name in problem.batch if name not in given]
    if missing:
        if not stored:
            return None
        helps = [f"-v {missing[0]}=@FILE, with one entry for each sample"]
        message = f"`{missing[0]}` has no value: samples in blocks are not random"
        raise InputError(message, place=f"--batch {','.join(problem.batch)}", helps=helps)
    values: dict[str, Any] = {name: one.value for name, one in inputs.items()} | dict(stored)
    few = min(FIRST, count_of(problem, values))
    head = {
        name: Input(_first(values[name], few) if name in problem.batch else one.value, one.source)
        for name, one in given.items()
    }
    wishes = wishes_of(problem, request)._replace(compressed="never")
    if problem.kind in DIRECTIONS and not problem.reduce and {*problem.wrt} & {*problem.batch}:
        return None
    found = answer(problem, head, wishes)
    values |= {name: one.value for name, one in found.inputs.items() if name not in problem.batch}
    if found.directions:
        directions = [one.value for one in found.directions.values()]
        values[direction_name(problem)] = tuple(directions) if len(directions) > 1 else directions[0]
    whole = {**found.inputs, **{name: one for name, one in given.items() if name in problem.batch}}
    first = found._replace(inputs=whole, batch=count_of(problem, values), warnings=[*surplus, *found.warnings])
    return Question(problem, request, derivative_of(problem, request), values, first)


def _first(value: Any, count: int) -> Array:
    found: Array = value[:count]
    return found


def _standing_in(shape: Sequence[int]) -> Array:
    """Return an array of a shape that takes no room."""
    return np.broadcast_to(np.float64(0), tuple(shape))


# --- one result for all samples --------------------------------------------------------------------------------------


def _answer_reduced(question: Question) -> None:
    """Write the answer for all samples."""
    request = question.request
    if not request.resume:
        _tell(question, _with_totals(question, _totals(question, None)))
        return
    assert request.output is not None
    with working_on(request.output, _identity(question), resume=True) as work:
        _tell(question, _with_totals(question, _totals(question, work)))


def _tell(question: Question, answer: Answer) -> None:
    """Write the answer where and how it was asked for."""
    # What is reduced is small: it needs neither workers nor a folder that is kept.
    request = question.request._replace(resume=False, cluster=None)
    if in_pieces(answer, request):
        announce(answer, request)
        write_pieces(question.problem, answer, request)
    else:
        write(answer, request)


def _totals(question: Question, work: Work | None) -> list[Array]:
    """Return the value and the derivatives of all samples."""
    problem, request, inputs = question.problem, question.request, question.inputs
    rows, needed = rows_for(question.derivative, inputs, request.limit)
    tree = Tree() if work is None else Tree(work.sums())
    samples = count_of(problem, inputs)
    each = sum(8 * prod(np.shape(inputs[name])[1:]) for name in problem.batch)
    size = samples * each
    with workers(request, needed) as run, progress("reading", size, shown=size >= SHOWN_FROM) as advance:
        advance(tree.count * rows * each)

        def after(tree: Tree) -> None:
            advance(rows * each)
            if work is not None:
                work.keep(tree.sums)

        return reduced(question.derivative, inputs, rows=rows, run=run, value=True, tree=tree, after=after)


def _with_totals(question: Question, totals: Sequence[Array]) -> Answer:
    """Return the answer of the first samples with the numbers of all."""
    value, *others = totals
    first, count = question.first, question.first.batch
    lengths = {f"{name}.shape[0]" for name in question.problem.batch}
    results = []
    for result, data in zip(first.results, others, strict=True):
        sizes = {
            name: count if result.origins.get(name) in lengths and count else size
            for name, size in result.sizes.items()
        }
        results.append(result._replace(data=data, sizes=sizes))
    warnings = list(first.warnings)
    if not all(np.isfinite(one).all() for one in totals) and not any(one.code == "nonfinite" for one in warnings):
        warnings.append(Warning("the result is not finite", code="nonfinite"))
    return first._replace(value=value, results=results, warnings=warnings)


# --- one result for each sample --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Laid:
    """The function of a block whose result is laid out: `Laid(block, result, "flat")`."""

    block: Block
    result: Result
    layout: str

    def __call__(self, inputs: Mapping[str, Any]) -> Array:
        """Return the array of the samples of a block."""
        (found,) = self.block(inputs)
        return apply_layout(self.result._replace(data=found), self.layout).data


def _write_samples(question: Question) -> None:
    """Write the results of all samples to a file."""
    problem, request, inputs = question.problem, question.request, question.inputs
    assert request.output is not None
    result = only_one(question.first, request.format, request.output)._replace(formula=None)
    tail = apply_layout(result, request.layout).data.shape[1:]
    rows, needed = rows_for(question.derivative, inputs, request.limit)
    samples = count_of(problem, inputs)
    places = (range(start, min(start + rows, samples)) for start in range(0, samples, rows))
    items = (
        Item(number, [place], given)
        for number, (place, given) in enumerate(zip(places, slices(inputs, problem.batch, samples, rows), strict=True))
    )
    function = Laid(Block(question.derivative), result._replace(data=result.data[:0]), request.layout)
    with workers(request, needed) as run:
        write_in_blocks(
            request.output, _identity(question), (samples, *tail), (rows, *tail), items, function,
            run=run, resume=request.resume,
        )  # fmt: skip


def _identity(question: Question) -> dict[str, object]:
    """Return what a run must have in common with the one that it goes on from."""
    recipe = question.derivative.recipe
    asked: dict[str, object] = {
        "matgrad": __version__, "expression": recipe.expression, "kind": recipe.kind, "wrt": list(recipe.wrt),
        "layout": question.request.layout,
    }  # fmt: skip
    asked |= {name: value for name, value in recipe.options.items() if value}
    return asked | {f"input {name}": fingerprint(value) for name, value in question.inputs.items()}
