"""`matgrad check`: a derivative against differences of the value, along several directions at several points."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.errors import CheckFailed, UsageProblem
from .compute import given_inputs, problem_of, warn, wishes_of
from .console import Line, look_at, printable, show
from .options import Request

if TYPE_CHECKING:
    from ..core.answer import Answer, Check, Result

DIRECTIONS = 5


def check(request: Request) -> int:
    """Compare the Jacobian by each name with differences, and say how far they are apart; 1 if they disagree.

    Each direction has a seed of its own, so inputs that are not given are new each time.
    """
    if request.format not in ("table", "json"):
        raise UsageProblem(
            f"`check` has no {request.format} output", place=f"--format {request.format}", helps=["--format json"]
        )
    from ..core.session import answer

    problem = problem_of("jacobian", request)
    inputs, surplus = given_inputs(problem, request)
    wishes = replace(wishes_of(problem, request), check=True)
    seeds = range(request.seed, request.seed + DIRECTIONS)
    answers = [answer(problem, inputs, replace(wishes, seed=seed), "check") for seed in seeds]
    first = answers[0]
    trials = [[found.results[place] for found in answers] for place in range(len(first.results))]
    results = [replace(results[0], check=_worst(results)) for results in trials]
    _write(replace(first, results=results, warnings=[*surplus, *first.warnings]), request)
    failures = [result for result in results if not _holds(result.check)]
    if failures:
        names = ", ".join(f"`{result.wrt[0]}`" for result in failures)
        raise CheckFailed(f"the derivative by {names} does not pass the check")
    return 0


def _worst(results: list[Result]) -> Check:
    """Return the check with the largest error; one that could not be made is worse than one that holds."""

    def badness(check: Check) -> tuple[bool, bool, float]:
        return (not check.passed, check.finite_differences is None, check.finite_differences or 0.0)

    return max((result.check for result in results if result.check is not None), key=badness)


def _holds(check: Check | None) -> bool:
    return check is not None and check.passed and check.finite_differences is not None


def _write(answer: Answer, request: Request) -> None:
    if request.format == "json" or request.output is not None:
        from .compute import write

        write(answer, replace(request, format="json"))
        return
    warn(answer.warnings, request)
    look = look_at(sys.stdout, no_color=request.no_color)
    width = max(len(result.wrt[0]) for result in answer.results)
    lines: list[Line] = []
    for result in answer.results:
        check = result.check
        name = printable(result.wrt[0].ljust(width), look.ascii)
        if check is None or check.finite_differences is None:
            words, style = (check.note if check else "") or "not checked", "yellow"
        elif check.passed:
            words, style = f"holds     relative error {check.finite_differences:.1e}", "green"
        else:
            words, style = f"FAILS     relative error {check.finite_differences:.1e}", "bold red"
        method = f"  ({check.method}, {DIRECTIONS} directions)" if check is not None and check.method else ""
        note = f"; {check.note}" if check is not None and check.method and check.note else ""
        lines.append([(f"{name}  ", ""), (words, style), (method + note, "dim")])
    show(lines, sys.stdout, look)
