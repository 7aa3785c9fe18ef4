"""The README tells the truth: its commands are run, its numbers compared, and no command or option is left out."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from matgrad.cli.commands.group import make_group

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

# The common options of the contract that scripts rely on.
COMMON_OPTIONS = (
    "-i", "--inputs", "-v", "--var", "--shape", "--assume", "--random", "--seed", "--batch", "--lines", "--layout",
    "--strict", "--no-check", "--max-memory", "--format", "--json", "-o", "--output", "--precision", "--no-color",
    "--claim", "--kind", "--to", "--vec", "--independent-entries",
)  # fmt: skip


GROUP = make_group()
CONTEXT = click.Context(GROUP)
COMMANDS = GROUP.list_commands(CONTEXT)


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def long_options() -> list[str]:
    """Return every long option that any command takes."""
    commands = [command for name in COMMANDS if (command := GROUP.get_command(CONTEXT, name)) is not None]
    spellings = {spelling for command in commands for parameter in command.params for spelling in parameter.opts}
    return sorted(spelling for spelling in spellings if spelling.startswith("--") and spelling != "--help")


def console_examples() -> Iterator[tuple[str, str]]:
    """Return each command of the console blocks with the output that the README shows for it."""
    for block in blocks("console"):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            yield command, output


def comparable(output: str) -> str:
    """Return an output without what may differ between machines.

    That is the size of an error, which is rounding and depends on the BLAS library: `relative error 3e-16` becomes
    `relative error ...`, and how far a formula agrees `the formula agrees ...`, which is printed only of one that does.
    Blanks at the ends of lines, and empty lines at the end, are left out too.
    """
    lines = [line.rstrip() for line in output.splitlines()]
    text = re.sub(r"relative error [0-9.e+-]+", "relative error ...", "\n".join(lines))
    text = re.sub(r"the formula agrees (exactly|to [0-9.e+-]+)", "the formula agrees ...", text)
    return text.rstrip("\n")


def environment() -> dict[str, str]:
    """Return the environment of a plain shell in which matgrad is installed."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    programs = Path(sys.executable).parent
    return kept | {"PATH": f"{programs}{os.pathsep}{kept['PATH']}", "PYTHONUTF8": "1"}


@pytest.mark.parametrize(("command", "shown"), list(console_examples()))
def test_command_prints_what_the_readme_shows(command: str, shown: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert comparable(ran.stdout) == comparable(shown)


def test_console_blocks_were_found() -> None:
    assert len(list(console_examples())) > 60


@pytest.mark.parametrize("block", blocks("python"))
def test_python_prints_what_the_readme_shows(block: str) -> None:
    example = doctest.DocTestParser().get_doctest(block, {}, "README.md", "README.md", 0)
    assert example.examples
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)


def test_python_block_was_found() -> None:
    assert blocks("python")


def test_set_up_commands_stand_in_the_readme() -> None:
    install_and_run, install_and_test = blocks("sh")
    assert re.search(r"pip install \. && \S*matgrad jacobian", install_and_run)
    assert re.search(r'pip install "\.\[dev\]"', install_and_test)
    assert re.search(r"^(python -m )?pytest.*$", README, flags=re.MULTILINE)
    assert re.search(r"^(python -m )?pytest.*$", install_and_test, flags=re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_table(name: str) -> None:
    assert re.search(rf"^\| `{re.escape(name)}[ `]", README, flags=re.MULTILINE)


@pytest.mark.parametrize("option", COMMON_OPTIONS)
def test_every_common_option_is_in_the_table(option: str) -> None:
    assert re.search(rf"^\| .*`{re.escape(option)}[ `]", README, flags=re.MULTILINE)


@pytest.mark.parametrize("option", long_options())
def test_every_option_of_the_program_is_mentioned(option: str) -> None:
    assert re.search(rf"`[^`\n]*{re.escape(option)}\b", README)


@pytest.mark.parametrize("path", sorted(path.name for path in (ROOT / "examples").iterdir()))
def test_every_example_file_is_used(path: str) -> None:
    assert f"examples/{path}" in README


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
