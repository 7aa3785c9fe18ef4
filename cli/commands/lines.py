"""`--lines`: an object of inputs per line in, a result per line out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ...core.errors import MatgradError, UsageProblem
from ..input.errors import terminal, unreadable_file
from ..input.standard_input import StdinReader
from ..output.advice import shell
from ..output.writing import writing_to
from .compute import failed, refuse_failed, warn
from .questions import given_inputs, problem_of, require, wishes_of
from .request import Request

JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")
MISSING = "add it to the line, or for all lines: -v {name}={value}"
OR_RANDOM = ", or --shape {name}={shape}"


def compute_lines(kind: str, request: Request) -> int:
    """Answer each line as it arrives; the first bad one ends the work, after what came before it.

    The lines are standard input, or a file given by `-i` whose name ends like JSON Lines. The object of a line wins
    over `-v` and `-i`. Names that have neither are missing, unless `--shape` declares them.
    """
    problem = problem_of(kind, request)
    if request.format not in ("table", "json"):
        message = f"--lines writes one JSON object per line, not {request.format}"
        raise UsageProblem(message, place=f"--format {request.format}")
    from ...core.problems.compiler import Compiler
    from ...core.session import answer
    from ..input.inputs import read_lines
    from ..output.json_output import json_line

    path = next((path for path in request.files if path == "-" or path.endswith(JSON_LINES)), "-")
    source = "stdin" if path == "-" else path
    fixed, surplus = given_inputs(problem, request._replace(files=tuple(f for f in request.files if f != path)))
    warn(surplus, request)
    wishes = wishes_of(problem, request)
    declared, help_ = ((), MISSING) if request.no_random else (request.shapes, MISSING + OR_RANDOM)
    compiler = Compiler(problem)
    failures = []
    with _lines_of(path) as lines, writing_to(request.output) as stream:
        for number, (inputs, warnings, _) in read_lines(lines, problem.names, source=source):
            given = {**fixed, **inputs}
            with _on_line(f"{source}:{number}"):
                require(problem, given, declared, help_)
                found = answer(problem, given, wishes, compiler=compiler)
            found = found._replace(warnings=[*warnings, *found.warnings])
            stream.write(json_line(found, precision=request.precision, layout=request.layout))
            stream.flush()
            failures += failed(found.results)
    refuse_failed(problem.kind, failures[:1])
    return 0


@contextmanager
def _lines_of(path: str) -> Iterator[Iterable[bytes]]:
    """Open the lines of a file, or of standard input for `-`."""
    if path != "-":
        try:
            with open(path, "rb") as file:
                yield file
        except OSError as problem:
            raise unreadable_file(f"-i {path}", problem) from None
        return
    reader = StdinReader()
    if reader.is_terminal:
        raise terminal("--lines")
    yield reader.lines()


@contextmanager
def _on_line(line: str) -> Iterator[None]:
    """Name the line in an error that does not know of it."""
    try:
        yield
    except MatgradError as error:
        error.place = line if error.place is None else f"{line}, {shell(error.place)}"
        raise
