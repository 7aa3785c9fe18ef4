"""`--lines`: an object of inputs per line in, a result per line out."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from ...core.errors import LinesFailed, MatgradError, UsageProblem, point_into, surface
from ..input.errors import count, terminal, unreadable_file
from ..input.standard_input import StdinReader, lines_in
from ..output.advice import shell
from ..output.messages import place_of
from ..output.progress import progress
from ..output.writing import is_gone, standard_stream, writing_to
from .questions import given_inputs, problem_of, require, wishes_of
from .request import Request
from .telling import failed, refuse_failed, warn

if TYPE_CHECKING:
    from ...core.problems.answer import Answer, Check
    from ...core.problems.problem import Problem
    from ..input.json_lines import Line

JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")
MISSING = "add it to the line, or for all lines: -v {name}={value}"
OR_RANDOM = ", or --shape {name}={shape}"


def compute_lines(kind: str, request: Request) -> int:
    """Answer each line as it arrives; one that has no answer gets its error, which `strict` makes the end of the work.

    The lines are standard input, or a file given by `-i` whose name ends like JSON Lines. The object of a line wins
    over `-v` and `-i`. Names that have neither are missing, unless `--shape` declares them. Raises LinesFailed at the
    end where a line had no answer.
    """
    problem = problem_of(kind, request)
    path = next((path for path in request.files if path == "-" or path.endswith(JSON_LINES)), "-")
    _refuse(path, request)
    source = "stdin" if path == "-" else path
    answers = _Answers(problem, request._replace(files=tuple(f for f in request.files if f != path)), source)
    from ..input.json_lines import read_lines

    with (
        closing(_lines_of(path)) as lines,
        writing_to(request.output) as stream,
        progress("answering", _size(path), lines=True, shown=not stream.isatty()) as advance,
    ):
        for line in read_lines(lines, problem.names, source=source, advance=advance):
            stream.writelines(answers.to(line))
            stream.flush()
            del line  # before the next one is read: each may be large
            if is_gone(stream):
                break
    answers.end()
    return 0


class _Answers:
    """The answers to the lines of one run, and what went wrong on the way."""

    def __init__(self, problem: Problem, request: Request, source: str) -> None:
        from ...core.problems.compiler import Compiler

        self.problem, self.request, self.source = problem, request, source
        self.fixed, surplus = given_inputs(problem, request)
        warn(surplus, request)
        self.wishes = wishes_of(problem, request)
        self.compiler = Compiler(problem)
        self.total = self.failed = 0
        self.first: MatgradError | None = None
        self.doubtful: list[tuple[Sequence[str], Check]] = []

    def to(self, line: Line) -> Iterable[str]:
        """Return the line of the result, or of the error; raise the latter under `strict`."""
        from ..output.json_output import error_line, json_line

        self.total += 1
        try:
            found = self._answer(line)
        except Exception as problem:  # whatever a line runs into, the next one may have an answer
            error = self._located(problem, line)
            if self.request.strict:
                raise error from None
            self.failed += 1
            self.first = self.first or error
            return [error_line(error, line.others)]
        self.doubtful = self.doubtful or failed(found.results)
        return json_line(found, precision=self.request.precision, layout=self.request.layout, others=line.others)

    def _answer(self, line: Line) -> Answer:
        from ...core.session import answer

        if line.error is not None:
            raise line.error
        declared, help_ = ((), MISSING) if self.request.no_random else (self.request.shapes, MISSING + OR_RANDOM)
        given = {**self.fixed, **line.inputs}
        require(self.problem, given, declared, help_)
        return answer(self.problem, given, self.wishes, compiler=self.compiler)

    def _located(self, problem: Exception, line: Line) -> MatgradError:
        """Return the error to show for an exception, with the line in its place."""
        from ..failures import as_error

        if not isinstance(problem, (MatgradError, MemoryError, RecursionError)):
            surface(problem)
        error = as_error(problem)
        if error is not line.error:
            point_into(self.request.expression, error)
            where = f"{self.source}:{line.number}"
            error.place = where if error.place is None else f"{where}, {shell(error.place)}"
        return error

    def end(self) -> None:
        """Raise what is to be said at the end: that a check failed, or that lines had no answer."""
        refuse_failed(self.problem.kind, self.doubtful[:1])
        if self.first is not None:
            message = f"{self.failed} of {count(self.total, 'line')} had no answer"
            helps = ["each has an error object in its place; --strict stops at the first"]
            notes = [f"the first: {self.first.message}"]
            raise LinesFailed(message, self.first, place=place_of(self.first), notes=notes, helps=helps)


def _refuse(path: str, request: Request) -> None:
    """Raise UsageProblem for a format that is not JSON, and where the answers would go into the lines themselves."""
    if request.format not in ("table", "json"):
        place = f"-o {request.output}" if request.by_ending else f"--format {request.format}"
        raise UsageProblem(f"--lines writes one JSON object per line, not {request.format}", place=place)
    with suppress(OSError, ValueError, AttributeError):
        read = os.fstat(sys.stdin.fileno()) if path == "-" else os.stat(path)
        stream = standard_stream(request.output)
        if stream and stat.S_ISREG(read.st_mode) and os.path.samestat(read, os.fstat(stream.fileno())):
            helps = [f"-o {'FILE' if path == '-' else path} writes it when all lines are read"]
            raise UsageProblem("the lines are read from the file that standard output goes to", helps=helps)


def _lines_of(path: str) -> Generator[bytes, None, None]:
    """Yield the lines of a file, or of standard input for `-`."""
    if path != "-":
        try:
            with open(path, "rb") as file:
                yield from lines_in(file, path)
        except OSError as problem:
            raise unreadable_file(f"-i {path}", problem) from None
        return
    reader = StdinReader()
    if reader.is_terminal:
        raise terminal("--lines")
    yield from reader.lines()


def _size(path: str) -> int | None:
    """Return how many bytes the lines have, None where that cannot be known."""
    with suppress(OSError, ValueError, AttributeError):
        found = os.fstat(sys.stdin.fileno()) if path == "-" else os.stat(path)
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    return None
