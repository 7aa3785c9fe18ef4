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
from matgrad.core.amounts import bytes_in
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


# An option with its value, wherever it stands in a line, and what stands for a word that only the user knows.
_PIECE = (
    r"(?<![\w-])(?:--[a-z][a-z-]+|-[vio]) (?:[\w.]+=)?"
    r"(?:'[^']*'|\"[^\"]*\"|[\w@][^\s'\"`,:]*(?::\w+)*)"
)
_PIECES = re.compile(rf"{_PIECE}(?: {_PIECE})*")
_CAPITALS = re.compile(r"\b[A-Z]{3,}\b")
PLACEHOLDERS = {"FILE": "data.json"}
NO_PLACEHOLDERS = {"JSON"}
# Flags take no value: the word behind one goes on with the sentence.
FLAGS = ("--strict", "--help", "--json", "--no-check", "--no-random", "--no-color", "--lines", "--independent-entries")
LEFT_OUT = re.compile(r"without |leave out |give one |keep one |one for each |or -i at |give --wrt")
LARGEST = 2**30


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


def pieces_of(text: str) -> list[str]:
    """Return the options in a help line, its placeholders filled in."""
    own = _COMMAND.sub("", text)
    for word, meant in PLACEHOLDERS.items():
        own = own.replace(word, meant)
    found = [] if LEFT_OUT.search(own) else _PIECES.findall(own)
    return [piece for piece in found if piece.split()[0] not in FLAGS]


@pytest.mark.parametrize("path", [*SYNTAX, *COMMANDS], ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_every_placeholder_is_known(path: Path) -> None:
    for text in helps_of(path):
        assert set(_CAPITALS.findall(text)) <= {*PLACEHOLDERS, *NO_PLACEHOLDERS}, text
        assert "=..." not in text


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_every_option_that_is_advised_can_be_typed(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("$ ")
    for text in helps_of(path):
        for piece in pieces_of(text):
            name, value = piece.split(" ", 1)
            size = bytes_in(value) if name == "--max-memory" else None
            if size is not None and size > LARGEST:
                assert typed(f'matgrad value "1" {piece}', monkeypatch) == 0, piece
            else:
                # The line may name one of several things to do: then the rest is told, but no word of it is refused.
                assert typed(f"{without(command, piece)} {piece}", monkeypatch) != 2, piece


def without(command: str, option: str) -> str:
    """Return a command without what an option replaces: another value for the same name."""
    flag, _, value = option.partition(" ")
    name = value.partition("=")[0] + "=" if "=" in value else ""
    if name:
        command = re.sub(rf" {flag} \w+(?= |$)", "", command)  # a pair without its value
    return re.sub(rf" {flag} {name}(?:'[^']*'|\"[^\"]*\"|\S+)(?= |$)", "", command)


def test_there_are_help_lines_of_each_kind() -> None:
    lines = [text for path in [*SYNTAX, *COMMANDS] for text in helps_of(path)]
    assert sum(len(expressions(text)) for text in lines) > 100
    assert sum(len(_COMMAND.findall(text)) for text in lines) > 25
    assert sum(_OPTION.fullmatch(text) is not None for text in lines) > 8
    assert sum(len(pieces_of(text)) for text in lines) > 45
