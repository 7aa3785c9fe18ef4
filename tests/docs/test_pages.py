"""The manual tells the truth: its commands and sessions are run, and what they print is compared with the pages.

After a change that is meant, `python docs/generate.py` writes the pages anew.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click
import pytest
from blocks import PAGES, ROOT, blocks, commands, comparable, complaints, printed
from generate import OPERATORS, REFERENCE, generated

from matgrad.cli.commands.group import make_group
from matgrad.cli.main import run
from matgrad.core.graph.catalogue import operators
from matgrad.core.operators import table

# The common options of the contract that scripts rely on.
COMMON_OPTIONS = (
    "-i", "--inputs", "-v", "--var", "--shape", "--assume", "--random", "--seed", "--batch", "--lines", "--layout",
    "--strict", "--no-check", "--max-memory", "--format", "--json", "-o", "--output", "--precision", "--no-color",
    "--claim", "--kind", "--to", "--vec", "--independent-entries", "--syntax",
)  # fmt: skip

GROUP = make_group()
CONTEXT = click.Context(GROUP)
COMMANDS = GROUP.list_commands(CONTEXT)
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
README, WHOLE = TEXTS["README.md"], "\n".join(TEXTS.values())
# What several pages show alike is run once.
EXAMPLES = {example: name for name, text in reversed(TEXTS.items()) for example in commands(text)}
SESSIONS = [name for name, text in TEXTS.items() if ">>>" in text]
LINKS = [(name, target) for name, text in TEXTS.items() for target in re.findall(r"\]\(([^)\s:]+)\)", text)]
LONGEST_README = 200
# One call of the program, which a shell would only split into words, and perhaps the question for its exit status.
PLAIN = re.compile(r"""(matgrad(?:[\w\s./:=+,@-]|'[^']*'|"[^"$`\\]*")*)(; echo "status \$\?")?""")


def long_options() -> list[str]:
    """Return every long option that any command takes."""
    made = [command for name in COMMANDS if (command := GROUP.get_command(CONTEXT, name)) is not None]
    spellings = {spelling for command in made for parameter in command.params for spelling in parameter.opts}
    return sorted(spelling for spelling in spellings if spelling.startswith("--") and spelling != "--help")


def headings(text: str) -> set[str]:
    """Return the anchors of the headings of a page, as the usual viewers make them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def printed_here(plain: re.Match[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a plain command prints in this process, on two streams that end in one file as a shell would set."""
    monkeypatch.chdir(ROOT)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    path = folder / "printed"
    with (
        open(os.devnull, encoding="utf-8") as nothing,
        path.open("a", encoding="utf-8") as stdout,
        path.open("a", encoding="utf-8", buffering=1) as stderr,
        monkeypatch.context() as patch,
    ):
        for name, stream in (("stdin", nothing), ("stdout", stdout), ("stderr", stderr)):
            patch.setattr(f"sys.{name}", stream)
        status = run(shlex.split(plain[1])[1:])
    return path.read_text(encoding="utf-8") + (f"status {status}\n" if plain[2] else "")


@pytest.mark.parametrize(
    ("command", "shown"), EXAMPLES, ids=[f"{name}-{command}" for (command, _), name in EXAMPLES.items()]
)
def test_command_prints_what_the_page_shows(
    command: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To start a process takes longer than most answers: what needs a shell has its own.
    plain = PLAIN.fullmatch(command)
    output = printed(command) if plain is None else printed_here(plain, tmp_path, monkeypatch)
    assert comparable(output) == comparable(shown)


@pytest.mark.parametrize("page", SESSIONS)
def test_session_prints_what_the_page_shows(page: str) -> None:
    assert complaints(ROOT / page) == ""


@pytest.mark.parametrize("path", [OPERATORS, REFERENCE], ids=lambda path: path.name)
def test_generated_page_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path]


def test_examples_were_found() -> None:
    assert len(EXAMPLES) > 90
    assert {"README.md", "docs/tour.md", "docs/errors.md"} <= set(EXAMPLES.values())
    assert {"README.md", "docs/python.md", "CONTRIBUTING.md"} <= set(SESSIONS)


def test_wrong_session_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    assert "line 4" in complaints(page)


PLACES = sorted(set(re.findall(r"`((?:core|cli|grammar|tests|docs|benchmarks|examples)/[\w./]*)`", WHOLE)))


@pytest.mark.parametrize("place", PLACES)
def test_places_in_the_code_exist(place: str) -> None:
    assert (ROOT / place).exists()


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST_README


def test_set_up_commands_stand_in_the_readme() -> None:
    install_and_run, install_and_test = blocks(README, "sh")
    assert re.search(r"pip install \. && \S*matgrad jacobian", install_and_run)
    assert re.search(r'pip install "\.\[dev\]"', install_and_test)
    # The first line of the README that begins like this is the command that the checks run.
    first = re.search(r"^(python -m )?pytest.*$", README, flags=re.MULTILINE)
    assert first is not None
    assert first[0] in install_and_test.splitlines()


@pytest.mark.parametrize("page", sorted(set(TEXTS) - {"README.md", "CONTRIBUTING.md"}))
def test_readme_leads_to_every_page(page: str) -> None:
    assert f"]({page})" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    assert re.search(rf"^\| \[`{re.escape(name)}`\]", TEXTS["docs/reference.md"], flags=re.MULTILINE)


@pytest.mark.parametrize("option", COMMON_OPTIONS)
def test_every_common_option_is_in_the_reference(option: str) -> None:
    assert re.search(rf"^\| .*`{re.escape(option)}[ `]", TEXTS["docs/reference.md"], flags=re.MULTILINE)


@pytest.mark.parametrize("option", long_options())
def test_every_option_of_the_program_is_shown_or_explained(option: str) -> None:
    elsewhere = "\n".join(text for name, text in TEXTS.items() if name != "docs/reference.md")
    assert re.search(rf"{re.escape(option)}\b", elsewhere)


def test_every_operator_is_on_its_page() -> None:
    table.load()
    listed = re.findall(r"^### `(\w+)\(", TEXTS["docs/operators.md"], flags=re.MULTILINE)
    assert sorted(listed) == sorted(operator.name for operator in operators())


@pytest.mark.parametrize("path", sorted(path.name for path in (ROOT / "examples").iterdir()))
def test_every_example_file_is_used(path: str) -> None:
    assert f"examples/{path}" in WHOLE


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_lead_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    place = (ROOT / page).parent / path if path else ROOT / page
    assert place.exists()
    assert not anchor or anchor in headings(place.read_text(encoding="utf-8"))
