"""From a request to the question that core answers: the problem, its inputs, and how the answer is to be computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import InputError, MatgradError, Source, UsageProblem
from ...grammar.parser import parse
from ..input.standard_input import StdinReader
from .request import Request

if TYPE_CHECKING:
    from ...core.problems.answer import Input, Warning
    from ...core.problems.problem import Problem
    from ...core.session import Wishes

EXPRESSION = "expression"


def problem_of(kind: str, request: Request) -> Problem:
    """Return the problem that a request poses; an expression that makes no sense is refused before numpy is loaded."""
    program = parse(request.expression)
    from ...core.problems.problem import Problem

    problem = Problem.of(request.expression, kind, request.wrt, request.assumptions, request.batch, program=program)
    return replace(problem, independent_entries=request.independent)


def given_inputs(problem: Problem, request: Request) -> tuple[dict[str, Input], list[Warning]]:
    """Return the inputs on the command line, in files and on standard input, and a warning for each surplus one."""
    from ...core.problems.answer import Warning
    from ..input.inputs import read_inputs

    taken = request.lines or any(text.strip().startswith("@-") for text in request.directions)
    reader = None if taken else StdinReader()
    inputs, warnings = read_inputs(
        problem.names, request.variables, request.files, declared=request.shapes, stdin=reader
    )
    for name, shape in request.shapes.items():
        if name not in problem.names:
            warnings.append(Warning(f"`{name}` is not in the expression (--shape)", code="surplus-input"))
        elif name in inputs and inputs[name].value.shape != shape:
            raise InputError(
                f"`{name}` has shape {_typed(inputs[name].value.shape)} ({inputs[name].source}), not {_typed(shape)}",
                place=f"--shape {name}={_typed(shape)}",
                helps=[f"leave out `--shape {name}=...`: the shape of a given input is known"],
            )
    return inputs, warnings


def _typed(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def wishes_of(problem: Problem, request: Request) -> Wishes:
    """Return how the answer is to be computed."""
    from ...core.session import Wishes

    return Wishes(
        declared=request.shapes,
        law=request.law,
        seed=request.seed,
        check=request.check,
        strict=request.strict,
        limit=request.limit,
        directions=_directions(problem, request),
        compressed=_compressed(problem, request),
    )


def _compressed(problem: Problem, request: Request) -> str:
    """Return which derivatives are kept in compressed form: those that their format holds so, and too large ones."""
    from ...core.problems.problem import STRUCTURED_KINDS

    if request.lines:
        return "never"
    if request.structured or (request.format == "mtx" and problem.kind in STRUCTURED_KINDS):
        return "always"
    return "large" if request.format in ("table", "npy") else "never"


def _directions(problem: Problem, request: Request) -> Mapping[str, Input | str]:
    """Return the tangent or cotangent of each variable: one for all, or one for each in order."""
    if not request.directions:
        return {}
    from ..input.errors import Destination
    from ..input.inputs import read_value

    word = "cotangent" if problem.kind == "vjp" else "tangent"
    if len(request.directions) not in (1, len(problem.wrt)):
        raise UsageProblem(
            f"{len(request.directions)} {word}s for {len(problem.wrt)} names",
            place=f"--{word}",
            helps=[f"give one --{word} for all, or one for each --wrt, in the same order"],
        )
    destination = Destination(word, f"--{word} ")
    reader = None if request.lines else StdinReader()
    values = [
        text if text in ("ones", "random") else read_value(text, destination, reader) for text in request.directions
    ]
    return dict(zip(problem.wrt, values * len(problem.wrt), strict=False))


@contextmanager
def pointing_into(expression: str) -> Iterator[None]:
    """Give errors that point somewhere without saying into what the expression to point into."""
    try:
        yield
    except MatgradError as error:
        if error.labels and error.source is None:
            error.source = Source(EXPRESSION, expression)
        raise
