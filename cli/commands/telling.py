"""How an answer reaches its reader: the screen or the file, what is said beside it, and a check that failed."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...core.errors import EXPRESSION, CheckFailed, Source
from ..output.console import look_at, printable
from ..output.digits import rough
from .questions import RANDOM
from .request import Request

if TYPE_CHECKING:
    from ...core.problems.answer import Answer, Check, Input, Result, Warning


def write(answer: Answer, request: Request) -> None:
    """Write an answer where and how it was asked for, and its warnings on standard error.

    JSON carries its own, and only what is random behind the back of a script is told beside it as well.
    """
    from ..output.formats import write_answer

    announce(answer, request)
    write_answer(
        answer, request.format, stream=sys.stdout, output=request.output, precision=request.precision,
        layout=request.layout, look=look_at(sys.stdout, no_color=request.no_color),
    )  # fmt: skip


def in_pieces(answer: Answer, request: Request) -> bool:
    """Whether an answer goes to a file that is made piece by piece."""
    if request.format == "zarr":
        return True
    large = any(result.compressed is not None for result in answer.results)
    return request.format == "npy" and large and (request.resume or request.cluster is not None)


def announce(answer: Answer, request: Request) -> None:
    """Say on standard error what goes with an answer."""
    sys.stdout.flush()
    warn([item for item in answer.warnings if request.format != "json" or item.code == RANDOM], request)
    if request.format not in ("json", "table"):
        tell(answer.inputs, request)


def warn(warnings: Collection[Warning], request: Request) -> None:
    """Write warnings on standard error."""
    if not warnings:
        return  # Most answers have none, and need not wait for the module.
    from ..output.messages import render_warning

    look = look_at(sys.stderr, no_color=request.no_color)
    source = Source(EXPRESSION, request.expression)
    for warning in warnings:
        sys.stderr.write(render_warning(warning, source=source, color=look.color, ascii=look.ascii) + "\n")


def tell(inputs: Mapping[str, Input], request: Request) -> None:
    """Say on standard error how names without a shape were read."""
    from ...core.problems.answer import readings_of
    from ..output.advice import shell

    look = look_at(sys.stderr, no_color=request.no_color)
    for name, reading in readings_of(inputs).items():
        sys.stderr.write(printable(f"note: {shell(reading.said(name))}", look.ascii) + "\n")


def failed(results: Iterable[Result]) -> list[tuple[Sequence[str], Check]]:
    """Return the checks that the numbers contradict, each with the names that it is about."""
    return [(result.wrt, result.check) for result in results if result.check is not None and not result.check.passed]


def refuse_failed(kind: str, failures: Sequence[tuple[Sequence[str], Check]]) -> None:
    """Raise CheckFailed, the loud error, where a check failed."""
    if not failures:
        return
    errors = [math.inf if check.finite_differences is None else check.finite_differences for _, check in failures]
    note = f"it differs from finite differences of the value by {rough(max(errors))}, relative to its largest entry"
    helps = [
        "the point may be too near to a kink or a singularity: try other numbers with --seed 1",
        "otherwise this is a bug in matgrad: please report the command line",
    ]
    place = ", ".join(f"--wrt {' --wrt '.join(wrt)}" for wrt, _ in failures)
    raise CheckFailed(f"the check failed: do not trust this {kind}", place=place, notes=[note], helps=helps)
