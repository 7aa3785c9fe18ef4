"""The house rules that a reader relies on: who imports whom, how long things are, and that everything is documented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from matgrad.cli.commands.texts import COMMANDS
from matgrad.core.graph import catalogue

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("grammar", "core", "cli")
MODULES = sorted([ROOT / "__init__.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))])
LONGEST_MODULE = 450
LONGEST_FUNCTION = 70

Function = ast.FunctionDef | ast.AsyncFunctionDef


def called(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Yield what a module imports, from `core.graph` for the project's own modules to `numpy`."""
    package = ("matgrad", *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 50
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == {"__init__.py", *FOLDERS}


@pytest.mark.parametrize("path", MODULES, ids=called)
def test_imports_go_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    if folder not in FOLDERS:
        return
    above = FOLDERS[FOLDERS.index(folder) + 1 :]
    for name in imported(path):
        assert not any(name == f"matgrad.{other}" or name.startswith(f"matgrad.{other}.") for other in above), name


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT).parts[0] != "cli"], ids=called)
def test_only_the_command_line_knows_the_terminal(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"click", "rich"}


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT).parts[0] == "grammar"], ids=called)
def test_the_grammar_knows_no_numbers(path: Path) -> None:
    assert "numpy" not in {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", MODULES, ids=called)
def test_modules_and_functions_fit_a_reader(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE
    for function in functions(path):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < LONGEST_FUNCTION, function.name


@pytest.mark.parametrize("path", MODULES, ids=called)
def test_public_names_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    if path.stat().st_size:
        assert ast.get_docstring(tree), "the module"
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


@pytest.mark.parametrize("operator", list(catalogue.operators()), ids=lambda operator: operator.name)
def test_every_operator_is_described_and_sampled(operator: catalogue.Operator) -> None:
    assert operator.doc.endswith(".")
    assert operator.samples
    assert operator.family


def test_hidden_operators_are_described_too() -> None:
    assert all(operator.doc for operator in catalogue.operators(hidden=True))


SHELL = re.compile(
    rf"\bmatgrad ({'|'.join(COMMANDS)})\b|(?<![\w-])--[a-z]|(?<![\w-])-[vio] |\b(shell|terminal)\b", re.I
)


def constants(path: Path) -> Iterator[str]:
    """Yield the strings of a module that may reach a screen: all but those that stand alone as documentation."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "{}".join(part.value for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.relative_to(ROOT).parts[0] in ("grammar", "core")], ids=called
)
def test_the_mathematics_speaks_no_shell(path: Path) -> None:
    """What to type in a terminal is written in `cli`, from advice that is data."""
    assert [text for text in constants(path) if SHELL.search(text)] == []


@pytest.mark.parametrize(
    "text", ["matgrad vjp", "raise it: --max-memory", "`--wrt x`", "give -v x=3", "in a shell", "on the terminal"]
)
def test_the_words_of_a_shell_are_found(text: str) -> None:
    assert SHELL.search(text)


@pytest.mark.parametrize("text", ["matgrad puts the axes first", "a-b", "x - v", "a--b", "matgrad.vjp"])
def test_other_words_are_not_taken_for_them(text: str) -> None:
    assert not SHELL.search(text)
