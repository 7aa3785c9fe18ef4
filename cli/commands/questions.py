"""From a request to the question that core answers: the problem, its inputs, and how the answer is to be computed."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import InputError, Label, UsageProblem
from ...grammar.parser import parse
from ..input.standard_input import StdinReader
from .request import Request

if TYPE_CHECKING:
    from ...core.problems.answer import Input, Warning
    from ...core.problems.problem import Problem
    from ...core.session import Wishes


RANDOM = "random-input"


def refuse_formats(command: str, request: Request) -> None:
    """Raise UsageProblem where a command is asked for a format that is neither its screen nor JSON."""
    if request.format not in ("table", "json"):
        place = f"-o {request.output}" if request.by_ending else f"--format {request.format}"
        raise UsageProblem(f"`{command}` has no {request.format} output", place=place, helps=["--format json"])


def problem_of(kind: str, request: Request) -> Problem:
    """Return the problem that a request poses; an expression that makes no sense is refused before numpy is loaded."""
    program = parse(request.expression, request.wrt, request.syntax)
    from ...core.problems.problem import Problem

    problem = Problem.of(
        request.expression, kind, request.wrt, request.assumptions, request.batch, program=program,
        reduce=request.reduce,
    )  # fmt: skip
    return replace(problem, independent_entries=request.independent)


def given_inputs(
    problem: Problem, request: Request, *, unasked: bool = True, held: Collection[str] = ()
) -> tuple[dict[str, Input], list[Warning]]:
    """Return the inputs on the command line, in files and on standard input, and a warning for each surplus one.

    Those that are `held` are somebody else's.

    Where inputs were offered, there is a warning for each name that got none too. Standard input is not read `unasked`
    where that is False. Raises InputError for a name without a value where nothing may be random.
    """
    from ...core.problems.answer import Warning
    from ..input.inputs import read_inputs
    from ..input.room import room_for

    taken = request.lines or any(text.strip().startswith("@-") for text in request.directions)
    reader = None if taken else StdinReader()
    declared = request.shapes
    needed = {name: span for name, span in problem.names.items() if name not in held}
    variables = [text for text in request.variables if text.partition("=")[0].strip() not in held]
    with room_for(request.limit):
        inputs, warnings, offered = read_inputs(
            needed, variables, request.files, declared=declared, stdin=reader, unasked=unasked
        )
    for name, shape in declared.items():
        if name not in problem.names:
            warnings.append(Warning(f"`{name}` is not in the expression (--shape)", code="surplus-input"))
        elif name in inputs and inputs[name].value.shape != shape:
            from ..output.advice import typed_shape

            given, words = inputs[name], typed_shape(shape)
            message = f"`{name}` has shape {typed_shape(given.value.shape)} ({given.source}), not {words}"
            helps = [f"leave out `--shape {name}={words}`: the shape of a given input is known"]
            raise InputError(message, place=f"--shape {name}={words}", helps=helps)
    if request.lines:
        return inputs, warnings  # what is missing here may come with each line
    if request.no_random:
        require(problem, inputs, held, "-v {name}={value}, or -i FILE")
    elif offered:
        warnings += _unbound(problem, request, {*inputs, *held}, offered)
    return inputs, warnings


def _unbound(problem: Problem, request: Request, inputs: Container[str], offered: Sequence[str]) -> Iterator[Warning]:
    """Yield a warning for each name that has neither a value nor a shape, although inputs were offered."""
    from ...core.problems.answer import Warning

    where = " or ".join(dict.fromkeys(offered))
    for name, span in problem.names.items():
        if name not in inputs and name not in request.shapes:
            notes = [f"there is none in {where}", "with --no-random this is an error"]
            yield Warning(f"`{name}` has no value: it is random", span, "random", notes, code=RANDOM)


def require(problem: Problem, given: Mapping[str, Input], declared: Container[str], help_: str) -> None:
    """Raise InputError for the names that have neither a value nor a shape.

    `help_` says how to give a `{name}` a `{value}` or a `{shape}`.
    """
    missing = [name for name in problem.names if name not in given and name not in declared]
    if not missing:
        return
    from ..input.errors import quoted

    listed = ", ".join(f"`{name}` ({item.source})" for name, item in given.items())
    labels = [Label(problem.names[name], "no value given") for name in missing]
    head = f"missing input{'s' if len(missing) > 1 else ''} {quoted(missing)}"
    name = missing[0]
    value, shape = ('"[1 2; 3 4]"', "2x2") if name[0].isupper() else ('"[1, 2]"', "2")
    helps = [help_.format(name=name, value=value, shape=shape)]
    raise InputError(head, *labels, notes=[f"inputs given: {listed or 'none'}"], helps=helps)


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
    if request.cluster is not None and problem.kind in STRUCTURED_KINDS and request.format in ("npy", "zarr"):
        return "always"
    if request.format == "zarr":
        return "pays" if request.layout == "generalized" else "large"
    return "large" if request.format in ("table", "npy") else "never"


def _directions(problem: Problem, request: Request) -> Mapping[str, Input | str]:
    """Return the tangent or cotangent of each variable: one for all, or one for each in order."""
    from ...core.problems.problem import DIRECTIONS

    if not request.directions:
        if request.no_random and problem.kind in DIRECTIONS:
            word = DIRECTIONS[problem.kind]
            raise InputError(f"missing {word}", helps=[f'--{word} "[1, 2]", or --{word} ones'])
        return {}
    from ..input.errors import Destination
    from ..input.inputs import read_value
    from ..input.room import room_for

    word = "cotangent" if problem.kind == "vjp" else "tangent"
    given, names = len(request.directions), len(problem.wrt)
    if given not in (1, names):
        helps = [f"give one --{word} for all, or one for each --wrt, in the same order"]
        raise UsageProblem(
            f"{given} {word}s for {names} name{'s' if names > 1 else ''}", place=f"--{word}", helps=helps
        )
    destination = Destination(word, f"--{word} ")
    reader = None if request.lines else StdinReader()
    drawn = ("ones", "random")
    with room_for(request.limit):
        values = [text if text in drawn else read_value(text, destination, reader) for text in request.directions]
    return dict(zip(problem.wrt, values * names, strict=False))
