"""From a request to its answer on the screen: the way of every command that computes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import CheckFailed, InputError, MatgradError, Source, UsageProblem
from ...grammar.parser import parse
from ..input.standard_input import StdinReader
from ..output.console import look_at
from ..output.digits import rough
from .options import Request

if TYPE_CHECKING:
    from ...core.problems.answer import Answer, Input, Result, Warning
    from ...core.problems.problem import Problem
    from ...core.session import Wishes

EXPRESSION = "expression"


def compute(kind: str, request: Request) -> int:
    """Answer a request and write the answer; the exit status."""
    problem = problem_of(kind, request)
    if request.lines:
        from .lines import compute_lines

        return compute_lines(problem, request)
    from ...core.session import answer

    inputs, surplus = given_inputs(problem, request)
    found = answer(problem, inputs, wishes_of(problem, request))
    write(replace(found, warnings=[*surplus, *found.warnings]), request)
    failures = failed(found.results)
    if failures:
        raise check_failed(kind, failures)
    return 0


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


def write(answer: Answer, request: Request) -> None:
    """Write an answer where and how it was asked for, and its warnings on standard error; JSON carries its own."""
    from ..output.formats import write_answer

    if request.format != "json":
        sys.stdout.flush()
        warn(answer.warnings, request)
    write_answer(
        answer,
        request.format,
        stream=sys.stdout,
        output=request.output,
        precision=request.precision,
        layout=request.layout,
        look=look_at(sys.stdout, no_color=request.no_color),
    )


def warn(warnings: Iterable[Warning], request: Request) -> None:
    """Write warnings on standard error."""
    from ..output.messages import render_warning

    look = look_at(sys.stderr, no_color=request.no_color)
    source = Source(EXPRESSION, request.expression)
    for warning in warnings:
        sys.stderr.write(render_warning(warning, source=source, color=look.color, ascii=look.ascii) + "\n")


def failed(results: Iterable[Result]) -> list[Result]:
    """Return the results that the numbers contradict."""
    return [result for result in results if result.check is not None and not result.check.passed]


def check_failed(kind: str, results: list[Result]) -> CheckFailed:
    """Return the loud error for results that fail their check."""
    names = ", ".join(f"--wrt {' --wrt '.join(result.wrt)}" for result in results)
    worst = max(_error(result) for result in results)
    return CheckFailed(
        f"the check failed: do not trust this {kind}",
        place=names,
        notes=[f"it differs from finite differences of the value by {rough(worst)}, relative to its largest entry"],
        helps=[
            "the point may be too near to a kink or a singularity: try other numbers with --seed 1",
            "otherwise this is a bug in matgrad: please report the command line",
        ],
    )


def _error(result: Result) -> float:
    found = result.check.finite_differences if result.check is not None else None
    return float("inf") if found is None else found


@contextmanager
def pointing_into(expression: str) -> Iterator[None]:
    """Give errors that point somewhere without saying into what the expression to point into."""
    try:
        yield
    except MatgradError as error:
        if error.labels and error.source is None:
            error.source = Source(EXPRESSION, expression)
        raise
