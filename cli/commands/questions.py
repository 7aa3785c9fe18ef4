"""From a request to the question that core answers: the problem, its inputs, and how the answer is to be computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import InputError, UsageProblem
from ...grammar.parser import parse
from ..input.standard_input import StdinReader
from .request import Request

if TYPE_CHECKING:
    from ...core.problems.answer import Input, Warning
    from ...core.problems.problem import Problem
    from ...core.session import Wishes


def refuse_formats(command: str, request: Request) -> None:
    """Raise UsageProblem where a command is asked for a format that is neither its screen nor JSON."""
    if request.format not in ("table", "json"):
        place = f"--format {request.format}"
        raise UsageProblem(f"`{command}` has no {request.format} output", place=place, helps=["--format json"])


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
    declared = request.shapes
    inputs, warnings = read_inputs(problem.names, request.variables, request.files, declared=declared, stdin=reader)
    for name, shape in declared.items():
        if name not in problem.names:
            warnings.append(Warning(f"`{name}` is not in the expression (--shape)", code="surplus-input"))
        elif name in inputs and inputs[name].value.shape != shape:
            from ..output.advice import typed_shape

            given, words = inputs[name], typed_shape(shape)
            message = f"`{name}` has shape {typed_shape(given.value.shape)} ({given.source}), not {words}"
            helps = [f"leave out `--shape {name}=...`: the shape of a given input is known"]
            raise InputError(message, place=f"--shape {name}={words}", helps=helps)
    return inputs, warnings


def wishes_of(problem: Problem, request: Request) -> Wishes:
    """Return how the answer is to be computed."""
    from ...core.session import Wishes

    return Wishes(
        declared=request.shapes, law=request.law, seed=request.seed, check=request.check, strict=request.strict,
        limit=request.limit, directions=_directions(problem, request), compressed=_compressed(problem, request),
    )  # fmt: skip


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
    given, names = len(request.directions), len(problem.wrt)
    if given not in (1, names):
        helps = [f"give one --{word} for all, or one for each --wrt, in the same order"]
        raise UsageProblem(f"{given} {word}s for {names} names", place=f"--{word}", helps=helps)
    destination = Destination(word, f"--{word} ")
    reader = None if request.lines else StdinReader()
    drawn = ("ones", "random")
    values = [text if text in drawn else read_value(text, destination, reader) for text in request.directions]
    return dict(zip(problem.wrt, values * names, strict=False))
