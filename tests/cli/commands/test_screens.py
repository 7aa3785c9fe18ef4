"""The screens of every command in colour, in a pipe, in ASCII, and on terminals wide and narrow."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text

import matgrad
from matgrad.cli.main import run

COMMANDS = [
    'value "A @ X"',
    'grad "x.T @ A @ x" --wrt x,A',
    'jacobian "α*b" --wrt b',
    'jacobian "A @ X" --wrt X --shape A=2x2 --shape X=2x2',
    'jacobian "exp(x)" --wrt x --format structured',
    "functions",
    "functions softmax",
    'explain "softmax(A @ x)" --wrt x',
    'check "x.T @ A @ x" --wrt x --claim "2*A @ x"',
    'check "x.T @ A @ x" --wrt x,A',
]


class Terminal(io.TextIOWrapper):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def screen(command: str, monkeypatch: pytest.MonkeyPatch, kind: type[io.TextIOWrapper], **environment: str) -> str:
    """Run a command line with nothing on standard input, and return what it shows."""
    for name in ("NO_COLOR", "FORCE_COLOR", "MATGRAD_ASCII", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = kind(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr("sys.stdout", stream)
    run([word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)])
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_screen_is_the_same_in_every_manner(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = screen(command, monkeypatch, io.TextIOWrapper)
    assert "\x1b" not in piped
    assert not any(line != line.rstrip() for line in piped.split("\n"))
    colored = screen(command, monkeypatch, io.TextIOWrapper, FORCE_COLOR="1")
    assert "\x1b[" in colored
    assert Text.from_ansi(colored).plain == piped
    ascii = screen(command, monkeypatch, io.TextIOWrapper, MATGRAD_ASCII="1")
    assert ascii.isascii()
    assert len(ascii.splitlines()) == len(piped.splitlines())
    assert screen(command, monkeypatch, Terminal, TERM="dumb", COLUMNS="1000") == ascii
    assert screen(command, monkeypatch, Terminal, NO_COLOR="1", COLUMNS="1000") == piped


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("command", COMMANDS[:4])
def test_tables_fit_the_terminal(command: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Text.from_ansi(screen(command, monkeypatch, Terminal, COLUMNS=str(columns))).plain
    table = [line for line in shown.splitlines() if re.match(r"─|[a-zA-Z]+\[.*\]  |  +[a-zA-Z]+\[", line)]
    assert table
    assert max(map(cell_len, table)) <= columns


def test_rich_is_spoken_to_in_one_place() -> None:
    """Lines, sentences and the console are made by console.py, tables by tables.py; progress.py shows a moving bar."""
    folder = Path(matgrad.__file__).parent / "cli"
    speakers = set()
    for path in folder.rglob("*.py"):
        code = re.sub(r"(?m)^if TYPE_CHECKING:\n(?:    .*\n|\n)*", "", path.read_text(encoding="utf-8"))
        if re.search(r"(?m)^\s*(?:from|import) rich\b", code):
            speakers.add(path.name)
    assert speakers == {"console.py", "tables.py", "progress.py"}


@pytest.mark.parametrize("arguments", [["functions"], ["value", "A @ X"]])
def test_a_reader_that_is_gone_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "matgrad", *arguments], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
