"""Whatever goes wrong becomes one message on standard error and an exit status."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import click

from ..core.errors import EvaluationError, ExpressionError, InputError, MatgradError, OutputError, UsageProblem
from .commands.minus_signs import unmarked

ALIKE = 0.6


class Manner(NamedTuple):
    """How errors are wanted: known from the bare words of the command line, for the words may be what is wrong."""

    json: bool
    no_color: bool

    @staticmethod
    def of(arguments: Sequence[str]) -> Manner:
        """Return the manner that the words of a command line ask for."""
        words = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
        formats = [word for option, word in pairwise(words) if option == "--format"]
        return Manner("--json" in words or "--format=json" in words or "json" in formats, "--no-color" in words)


def report(problem: BaseException, manner: Manner) -> int:
    """Write an exception as an error on standard error; return the exit status."""
    from .output.console import UNSET, look_at, printable
    from .output.messages import BUG, error_json, exit_status, render_error

    error = as_error(problem)
    status = exit_status(error)
    if status == BUG and os.environ.get("MATGRAD_DEBUG", "").lower() not in UNSET:
        import traceback

        lines = "".join(traceback.format_exception(problem)).split("\n")
        sys.stderr.write("\n".join(printable(line, False) for line in lines))
    if manner.json:
        text = error_json(error)
    else:
        look = look_at(sys.stderr, no_color=manner.no_color)
        text = render_error(error, color=look.color, ascii=look.ascii)
    sys.stderr.write(text + "\n")
    return status


def as_error(problem: BaseException) -> MatgradError:
    """Return the error to show for an exception: of matgrad, of click, or of a machine that is too small."""
    if isinstance(problem, MatgradError):
        return problem
    if isinstance(problem, click.UsageError):
        return _usage_problem(problem)
    if isinstance(problem, click.ClickException):
        return UsageProblem(_tidy(problem.format_message()))
    if isinstance(problem, MemoryError):
        less = "jvp, vjp and hvp need far less than a Jacobian"
        return EvaluationError("not enough memory", helps=[less, "--max-memory 500MB refuses such a result at once"])
    if isinstance(problem, RecursionError):
        helps = ['name its parts: matgrad value "Y = ...; f(Y)"']
        return ExpressionError("the expression is nested too deeply", helps=helps)
    if isinstance(problem, UnicodeEncodeError):
        wrong = ascii(problem.object[problem.start])
        helps = ["PYTHONIOENCODING=utf-8 lets it pass", "-o FILE writes UTF-8"]
        return InputError(f"the answer cannot be written: {problem.encoding} has no {wrong}", helps=helps)
    if isinstance(problem, OSError):
        # What goes wrong with files that are named is told where they are read and written.
        return OutputError(f"the answer cannot be written: {problem.strerror or problem}")
    from .output.messages import internal_error

    return internal_error(problem)


def _usage_problem(problem: click.UsageError) -> UsageProblem:
    """Return click's complaint in matgrad's form: a head in lower case, then what to type."""
    command = problem.ctx.command_path if problem.ctx else "matgrad"
    helps = [f"{command} --help lists the options"]
    if isinstance(problem, click.NoSuchOption):
        name = unmarked(problem.option_name)
        near = [option for option in problem.possibilities or [] if _is_like(option, name)]
        helps = [f"did you mean `{option}`?" for option in near[:1]] or helps
        if not name.startswith("--"):
            helps.append("an expression that begins with a minus sign can follow `--`, or stand in brackets")
        return UsageProblem(f"no such option `{name}`", helps=helps)
    if isinstance(problem, click.MissingParameter) and problem.param is not None:
        return UsageProblem(f"{problem.param.human_readable_name} is missing", helps=helps)
    if isinstance(problem, click.BadParameter) and problem.param is not None:
        option = max(problem.param.opts, key=len)
        return UsageProblem(f"invalid value for `{option}`: {_tidy(problem.message)}", helps=helps)
    return UsageProblem(_tidy(problem.format_message()), helps=helps)


def _is_like(option: str, name: str) -> bool:
    """Whether an option may have been meant: the dashes, which all have, say nothing."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, option.lstrip("-"), name.lstrip("-")).ratio() >= ALIKE


def _tidy(message: str) -> str:
    message = re.sub(r"'([^']*)'", r"`\1`", unmarked(message).strip().removesuffix("."))
    return message[:1].lower() + message[1:]
