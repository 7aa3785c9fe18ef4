"""The group of commands, and what `matgrad` alone says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ... import __version__
from .help_pages import SETTINGS, PageContext
from .texts import COMMANDS, EXIT_STATUS, SUMMARY, WELCOME

if TYPE_CHECKING:
    from ...core.errors import UsageProblem


class Commands(click.Group):
    """The commands, each made when it is asked for."""

    context_class = PageContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of a name, made now."""
        if name not in COMMANDS:
            return None
        from .making import make_command

        return make_command(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with; another first word is answered with the nearest name."""
        if args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise _no_such_command(args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without making them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text.summary) for name, text in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the exit statuses."""
        with formatter.section("Exit status"):
            formatter.write_dl(list(EXIT_STATUS))


def _no_such_command(arguments: Sequence[str]) -> UsageProblem:
    from difflib import get_close_matches

    from ...core.errors import UsageProblem
    from .minus_signs import unmarked

    name = unmarked(arguments[0])
    if name.startswith("-"):
        return UsageProblem(
            f"no such option `{name}`", helps=['options follow the command: matgrad grad "x^2" --wrt x']
        )
    near = {"jac": "jacobian", "gradient": "grad", "eval": "value", "diff": "derivative", "hess": "hessian"}.get(name)
    found = [near] if near else get_close_matches(name, COMMANDS, n=1)
    if found:
        return UsageProblem(f"no such command `{name}`", helps=[f"did you mean `matgrad {found[0]}`?"])
    return UsageProblem(
        f"no such command `{name}`",
        notes=[f"commands: {', '.join(COMMANDS)}"],
        helps=[f'to evaluate an expression: matgrad value "{name}"'],
    )


def _show_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"matgrad {__version__}")
        ctx.exit()


def _welcome(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(WELCOME)


def make_group() -> click.Group:
    """Return the whole command line as a click group."""
    version = click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
    )
    return Commands(
        "matgrad",
        help=SUMMARY,
        params=[version],
        callback=click.pass_context(_welcome),
        invoke_without_command=True,
        context_settings=SETTINGS,
    )
