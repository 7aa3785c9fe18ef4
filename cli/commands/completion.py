"""`matgrad completion SHELL`: the script that makes a shell ask matgrad for completions."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish", "powershell")


def print_script(shell: str, group: click.Command) -> int:
    """Print the script by which a shell completes the commands; raises UsageProblem where click does not know it."""
    from click.shell_completion import get_completion_class

    from ...core.errors import UsageProblem

    maker = get_completion_class(shell)
    if maker is None:
        raise UsageProblem(f"{shell} needs a newer click", helps=["pip install --upgrade click"])
    click.echo(maker(group, {}, "matgrad", "_MATGRAD_COMPLETE").source())
    return 0
