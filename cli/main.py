"""The program: the group of commands, what `matgrad` alone says, and how every run ends."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import click

from ..core.errors import UsageProblem
from .arguments import unmarked
from .commands import COMMANDS, EXIT_STATUS, SUMMARY, WELCOME, make_command
from .complaints import INTERRUPTED, Manner, report

# The syntax tree of a sum is as deep as the sum is long, and it is walked recursively.
RECURSION_LIMIT = 20_000
COLLECTED_EVERY = 100_000


class Commands(click.Group):
    """The commands, each made when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return make_command(name) if name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise _no_such_command(args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without making them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text.summary) for name, text in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit status"):
            formatter.write_dl(list(EXIT_STATUS))


def _no_such_command(arguments: Sequence[str]) -> UsageProblem:
    from difflib import get_close_matches

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
        from importlib.metadata import version

        click.echo(f"matgrad {version('matgrad')}")
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
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status: `run(["value", "1 + 1"]) == 0`."""
    manner = Manner.of(arguments)
    sys.setrecursionlimit(max(RECURSION_LIMIT, sys.getrecursionlimit()))
    try:
        status = make_group().main(list(arguments), prog_name="matgrad", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_output()
        return 1
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as problem:
        return report(problem, manner)
    return status if isinstance(status, int) else 0


def _abandon_output() -> None:
    """Let the interpreter end without another attempt to write to a reader that is gone."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run matgrad as a program."""
    # A run loads many objects and makes little garbage: searching for it often, and all over at the end, is wasted.
    gc.set_threshold(COLLECTED_EVERY)
    status = run(sys.argv[1:])
    gc.freeze()
    sys.exit(status)
