"""The commands: their parameters and what each one calls; what is heavy is imported when one runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import click

from ...core.errors import UsageProblem, pointing_into
from .help_pages import SETTINGS, PageContext
from .minus_signs import KnownOption, one_dash_typo, positionals, protect, unmarked
from .options import (
    CITE,
    CLAIM,
    CLUSTER,
    COMMON,
    JSON,
    KIND,
    LINES,
    NO_COLOR,
    RESUME,
    STEPS_OF,
    WRT,
    SectionOption,
    choice,
    direction_option,
)
from .request import Request
from .texts import COMMANDS

MOST_WORDS, LONGEST_WORD = 8, 40
SECTIONS = ("Derivative", "Inputs", "Answer", "Output", "Options")


class SectionedCommand(click.Command):
    """A command whose help ends with examples, and shows its options in sections."""

    context_class = PageContext

    def __init__(self, name: str, **attributes: Any) -> None:
        self.text = COMMANDS[name]
        super().__init__(name, help=self.text.text, context_settings=SETTINGS, **attributes)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the options by section."""
        with formatter.section("Example" if len(self.text.examples) == 1 else "Examples"):
            for example in self.text.examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")
        records: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                records[getattr(parameter, "section", "Options")].append(record)
        for section, rows in records.items():
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)


class ExpressionCommand(SectionedCommand):
    """A command with an expression, which may begin with a minus sign and must be one argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments once the expression among them cannot be taken for an option."""
        known = [
            KnownOption(tuple(parameter.opts), isinstance(parameter, click.Option) and not parameter.is_flag)
            for parameter in self.get_params(ctx)
        ]
        if ctx.resilient_parsing:  # a line that is being completed: click drops the words before an unfinished option
            ctx.params["words"] = tuple(positionals(args, known))
            return []
        typed = list(args)
        protected = protect(args, known)
        typo = one_dash_typo(protected, known)
        if typo:
            raise UsageProblem(f"no such option `{typo}`", helps=[f"did you mean `-{typo}`?"])
        try:
            rest = super().parse_args(ctx, protected)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        words = tuple(unmarked(word) for word in ctx.params.get("words") or ())
        ctx.params["words"] = words
        if len(words) != 1:
            raise _not_one_expression(str(self.name), words, typed)
        return rest


def _not_one_expression(command: str, words: Sequence[str], typed: Sequence[str]) -> UsageProblem:
    if not words:
        helps = [COMMANDS[command].examples[0], "the expression goes in double quotes"]
        return UsageProblem("the expression is missing", helps=helps)
    shown = [word if len(word) <= LONGEST_WORD else word[: LONGEST_WORD - 3] + "..." for word in words[:MOST_WORDS]]
    notes = [f"they are: {', '.join(f'`{word}`' for word in shown)}{' ...' if len(words) > MOST_WORDS else ''}"]
    if all(os.path.exists(word) for word in words):
        notes.append("a shell replaces a bare `*` by the names of files")
    if "--" in typed:
        notes.append("after `--` nothing is an option: options go before it")
    helps = [f"put the expression in double quotes: matgrad {command} {_in_quotes(words, typed)}"]
    message = f"the expression must be one argument, and there are {len(words)}"
    return UsageProblem(message, notes=notes, helps=helps)


def _in_quotes(words: Sequence[str], typed: Sequence[str]) -> str:
    """Return the command line with its expression in quotes, where that is plain."""
    size, joined = len(words), " ".join(words)
    starts = [place for place in range(len(typed)) if tuple(typed[place : place + size]) == tuple(words)]
    if not starts or "--" in typed or size > MOST_WORDS or len(joined) > 2 * LONGEST_WORD or '"' in joined:
        return '"..."'
    before, after = typed[: starts[0]], typed[starts[0] + size :]
    return " ".join([*before, f'"{joined}"', *after])


def make_command(name: str) -> click.Command:
    """Return a command by its name."""
    if name in _OTHERS:
        return _OTHERS[name]()
    parameters: list[click.Parameter] = [click.Argument(["words"], nargs=-1, metavar="EXPR")]
    if name != "value":
        parameters.append(WRT)
    if name == "check":
        parameters += [CLAIM, KIND]
    if name == "explain":
        parameters += [STEPS_OF, CITE, _spelling(("text", "latex"), "text")]
    if name in ("grad", "jacobian", "hessian", "derivative"):
        parameters.append(CITE)
    if COMMANDS[name].direction:
        parameters.append(direction_option(COMMANDS[name].direction))
    parameters += COMMON
    if name not in ("check", "explain"):
        parameters += [LINES, CLUSTER, RESUME]
    return ExpressionCommand(name, params=parameters, callback=_computing(name))


def _computing(name: str) -> Callable[..., int]:
    def callback(**parameters: Any) -> int:
        (expression,) = parameters["words"]
        request = Request.of(parameters, expression)
        with pointing_into(expression):
            if name == "check":
                from .check import check

                return check(request)
            if name == "explain":
                from .explain import explain

                return explain(request, parameters["to"] or "text")
            if request.lines:
                from .lines import compute_lines

                return compute_lines(name, request)
            from .compute import compute

            return compute(name, request)

    return callback


def _spelling(targets: Sequence[str], default: str) -> SectionOption:
    """Return the option for the spelling of a formula or a derivation."""
    help = f"{choice(targets)}.  [default: {default}]"
    return SectionOption("--to", section="Output", type=click.Choice(targets), metavar="SPELLING", help=help)


def _formula() -> click.Command:
    from .formula import IDLE, KINDS, TARGETS

    def callback(**parameters: Any) -> int:
        from .formula import show_formula

        (expression,) = parameters["words"]
        with pointing_into(expression):
            format = "json" if parameters["json"] else parameters["format"]
            request = Request.of({**IDLE, **parameters, "format": format or "table"}, expression)
            return show_formula(request, parameters["kind"], parameters["to"], parameters["vec"], format)

    kept = (
        "files", "variables", "shapes", "assumptions", "independent", "no_random", "batch", "reduce", "syntax",
        "layout", "format", "json", "output", "no_color",
    )  # fmt: skip
    parameters: list[click.Parameter] = [
        click.Argument(["words"], nargs=-1, metavar="EXPR"),
        WRT,
        SectionOption("--kind", section="Derivative", type=click.Choice(KINDS), metavar="KIND",
                      help=f"{choice(KINDS)}."),
        _spelling(TARGETS, "text, or as FILE ends"),
        SectionOption("--vec", section="Output", type=click.Choice(["row", "column"]), default="row", metavar="ORDER",
                      help="Which vec the Kronecker form means: row (NumPy's) or column.  [default: row]"),
        CITE,
        *(option for option in COMMON if option.name in kept),
    ]  # fmt: skip
    return ExpressionCommand("formula", params=parameters, callback=callback)


def _functions() -> click.Command:
    def callback(words: tuple[str, ...], json: bool, no_color: bool) -> int:
        from .functions import show_functions

        return show_functions(" ".join(words) or None, json=json, no_color=no_color)

    words = click.Argument(["words"], nargs=-1, metavar="[NAME]...")
    return SectionedCommand("functions", params=[words, JSON, NO_COLOR], callback=callback)


def _completion() -> click.Command:
    @click.pass_context
    def callback(ctx: click.Context, shell: str) -> int:
        from .completion import print_script

        return print_script(shell, ctx.find_root().command)

    from .completion import SHELLS

    shells = click.Argument(["shell"], metavar="SHELL", type=click.Choice(SHELLS))
    return SectionedCommand("completion", params=[shells], callback=callback)


_OTHERS = {"formula": _formula, "functions": _functions, "completion": _completion}
