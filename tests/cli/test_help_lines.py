"""Every help line that is printed can be typed: those of the golden files are typed here, one by one."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import matgrad
from matgrad.cli.main import run
from matgrad.grammar.parser import parse

TESTS = Path(__file__).parents[1]
SYNTAX = sorted((TESTS / "grammar" / "golden").glob("*.txt"))
COMMANDS = sorted((TESTS / "cli" / "commands" / "golden").glob("*.txt"))
FILES = {"data.json": '{"a": [1, 2]}', "data.csv": "a,b\n1,2\n"}

# What stands between backquotes and is no expression: options, commands, files, JSON, marks, and what was wrong.
_NO_EXPRESSION = re.compile(r"--.*|-v .*|matgrad\b.*|python -m .*|@.*|\{.*|\W*|\\\w|\w+\.|not .*|.*\.\.\..*|return")
_PYTHON = re.compile(r"matgrad\.\w+\((?:[^()\"]|\"[^\"]*\")*\)")
_COMMAND = re.compile(r"matgrad [a-z]+(?: (?:\"[^\"]*\"|'[^']*'|(?!lists|gives)[^\s`\"'(),]+))*")
# A help that is an option, perhaps behind words; limits of memory are for larger machines.
_OPTION = re.compile(r"(?:[^-]*: +)?((?:--(?!max-memory)[a-z-]+|-v) (?!NAME|@)(?:[\w.]+=)?(?:'[^']*'|[^\s'@]+))")


def helps_of(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        _, found, text = line.partition("help: ")
        if found:
            yield text


def expressions(text: str) -> list[str]:
    pieces = [piece for piece in re.findall(r"`([^`]+)`", text) if not _NO_EXPRESSION.fullmatch(piece)]
    return [f"x{piece}" if piece.startswith(".") else piece for piece in pieces]


@pytest.mark.parametrize("path", [*SYNTAX, *COMMANDS], ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_expressions_that_are_advised_are_understood(path: Path) -> None:
    for text in helps_of(path):
        for expression in expressions(text):
            if re.match(r"\w+ = [^;]*$", expression):
                expression += "; x"  # a statement before the last
            parse(f"[{expression}]" if re.fullmatch(r"[\w ,-]+,[\w ,-]+", expression) else expression)


@pytest.mark.parametrize("path", SYNTAX, ids=lambda path: path.stem)
def test_calls_that_are_advised_can_be_made(path: Path) -> None:
    for text in helps_of(path):
        for call in _PYTHON.findall(text):
            if '"f(x)"' not in call:
                assert eval(call, {"matgrad": matgrad})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    np.save(tmp_path / "b.npy", np.array([1.0, 2.0]))
    np.save(tmp_path / "A.npy", np.eye(2))
    return tmp_path


def typed(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    return run(shlex.split(command)[1:])


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_commands_that_are_advised_work(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in helps_of(path):
        for command in _COMMAND.findall(text):
            if len(shlex.split(command)) > 2 and "..." not in text:
                # What was typed and had only to be quoted may be wrong in another way.
                right = (0, 3) if "in double quotes" in text else (0,)
                assert typed(command, monkeypatch) in right, command


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_options_that_are_advised_are_taken(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("$ ")
    for text in helps_of(path):
        if option := _OPTION.fullmatch(text):
            assert typed(f"{without(command, option[1])} {option[1]}", monkeypatch) in (0, 1), option[1]


def without(command: str, option: str) -> str:
    """Return a command without what an option replaces: another value for the same name."""
    flag, _, value = option.partition(" ")
    name = value.partition("=")[0] + "=" if "=" in value else ""
    return re.sub(rf" {flag} {name}(?:'[^']*'|\"[^\"]*\"|\S+)(?= |$)", "", command)


def test_there_are_help_lines_of_each_kind() -> None:
    lines = [text for path in [*SYNTAX, *COMMANDS] for text in helps_of(path)]
    assert sum(len(expressions(text)) for text in lines) > 100
    assert sum(len(_COMMAND.findall(text)) for text in lines) > 25
    assert sum(_OPTION.fullmatch(text) is not None for text in lines) > 8
