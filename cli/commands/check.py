"""`matgrad check`: a claimed derivative against the right one, or the right one against differences of the value."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...core.errors import CheckFailed, MatgradError, Source
from ..output.advice import shell
from ..output.console import Look, line, look_at, printable, show
from ..output.digits import rough
from ..output.writing import writing_to
from .questions import given_inputs, problem_of, refuse_formats, wishes_of
from .request import Request
from .telling import failed, refuse_failed, tell, warn, write

if TYPE_CHECKING:
    from rich.text import Text

    from ...core.claims.verdict import Verdict
    from ...core.problems.answer import Answer, Check, Result

DIRECTIONS = 5


def check(request: Request) -> int:
    """Compare a claim with the derivative, or without a claim the Jacobian by each name with differences.

    The status is 1 if they disagree. Each direction has a seed of its own, so inputs that are not given are new each
    time.
    """
    refuse_formats("check", request)
    if request.claim is not None:
        return check_claim(request, request.claim)
    from ...core.problems.compiler import Compiler
    from ...core.session import answer

    problem = problem_of(request.kind or "jacobian", request)
    inputs, surplus = given_inputs(problem, request)
    wishes = wishes_of(problem, request)._replace(check=True)
    seeds = range(request.seed, request.seed + DIRECTIONS)
    compiler = Compiler(problem)
    answers = [answer(problem, inputs, wishes._replace(seed=seed), "check", compiler) for seed in seeds]
    first = answers[0]
    trials = [[found.results[place] for found in answers] for place in range(len(first.results))]
    results = [results[0]._replace(check=_worst(results)) for results in trials]
    _write(first._replace(results=results, warnings=[*surplus, *first.warnings]), request)
    failures = [result for result in results if not _holds(result.check)]
    if failures:
        names = ", ".join(f"`{result.wrt[0]}`" for result in failures)
        raise CheckFailed(f"the derivative by {names} does not pass the check")
    return 0


def check_claim(request: Request, claim: str) -> int:
    """Say whether a claim is the derivative, and what it is where it is not; 1 where it is not."""
    _refuse_nonsense(request, claim)
    from ...core.claims.verdict import check_claim as checked
    from ..output.layouts import apply_layout

    kind = {0: "jacobian", 1: "jacobian", 2: "hessian"}.get(len(request.wrt), "derivative")
    problem = problem_of(request.kind or kind, request)
    inputs, surplus = given_inputs(problem, request)
    arrange = partial(apply_layout, layout=request.layout) if request.layout != "generalized" else None
    verdict = checked(problem, claim, inputs, wishes_of(problem, request), arrange)
    assert verdict.answer is not None
    refuse_failed(problem.kind, failed(verdict.answer.results))
    if request.format == "json":
        answer = verdict.answer._replace(
            warnings=[*surplus, *verdict.answer.warnings], details={"claim": verdict.details(shell)}
        )
        write(answer, request)
    else:
        tell(verdict.answer.inputs, request)
        warn([*surplus, *verdict.answer.warnings], request)
        with writing_to(request.output) as stream:
            look = look_at(stream, no_color=request.no_color)
            show(_verdict_lines(verdict, look), stream, look)
    return 0 if verdict.holds else 1


def _refuse_nonsense(request: Request, claim: str) -> None:
    """Raise what is wrong with the syntax of either before numpy is loaded."""
    from ...grammar.parser import parse

    parse(request.expression, request.wrt, request.syntax)
    try:
        parse(claim)
    except MatgradError as error:
        error.source = Source("claim", claim)
        raise


def _verdict_lines(verdict: Verdict, look: Look) -> list[Text]:
    """Return a verdict as lines: yes or no, then what was found, then what to type."""
    word, style = ("yes", "bold green") if verdict.holds else ("no ", "bold red")
    lines = [line((f"{word}  ", style), printable(verdict.message.replace("\n", " "), look.ascii))]
    lines += [line("     ", printable(shell(note), look.ascii)) for note in verdict.notes]
    lines += [line("     ", ("help: ", "bold cyan"), printable(shell(text), look.ascii)) for text in verdict.helps]
    return lines


def _worst(results: list[Result]) -> Check:
    """Return the check with the largest error; one that could not be made is worse than one that holds."""

    def badness(check: Check) -> tuple[bool, bool, float]:
        return (not check.passed, check.finite_differences is None, check.finite_differences or 0.0)

    return max((result.check for result in results if result.check is not None), key=badness)


def _holds(check: Check | None) -> bool:
    return check is not None and check.passed and check.finite_differences is not None


def _write(answer: Answer, request: Request) -> None:
    if request.format == "json":
        write(answer, request)
        return
    warn(answer.warnings, request)
    tell(answer.inputs, request)
    with writing_to(request.output) as stream:
        look = look_at(stream, no_color=request.no_color)
        show(_check_lines(answer, look), stream, look)


def _check_lines(answer: Answer, look: Look) -> list[Text]:
    """Return a line for each derivative: whether it holds, and how far it is from differences of the value."""
    width = max(len(result.wrt[0]) for result in answer.results)
    lines = []
    for result in answer.results:
        check = result.check
        name = printable(result.wrt[0].ljust(width), look.ascii)
        if check is None or check.finite_differences is None:
            verb = "not vouched for" if check and check.digits_lost else "not checked"
            words, style = verb + (f": {check.note}" if check and check.note else ""), "yellow"
        else:
            verdict, style = ("holds", "green") if check.passed else ("FAILS", "bold red")
            words = f"{verdict}: relative error {rough(check.finite_differences)}"
        method = f" ({check.method}, {DIRECTIONS} directions)" if check is not None and check.method else ""
        note = f"; {check.note}" if check is not None and check.method and check.note else ""
        lines.append(line(f"{name}  ", (words, style), (method + note, "dim")))
    return lines
