"""The house rules that a reader relies on: who imports whom, how long things are, and that everything is documented.

The rooms stand on floors, and an import points to a lower one: `core/notation` may import `core/graph`, while
`core/evaluation` stands beside it and `core/session.py` above it. Within a room imports are free, but form no circle.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from matgrad.cli.commands.texts import COMMANDS
from matgrad.core.graph import catalogue

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("grammar", "core", "cli")
MODULES = sorted([*ROOT.glob("__*__.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))])
LONGEST_MODULE = 450
LONGEST_FUNCTION = 70

# From the ground up; rooms of one line stand side by side and know nothing of each other.
FLOORS = """
    grammar
    core.errors
    core.arrays core.amounts core.shapes
    core.work core.sparse
    core.graph
    core.elaboration
    core.differentiation
    core.operators core.evaluation core.notation
    core.compressed
    core.problems
    core.formulas core.checking
    core.session
    core.export core.claims
    core.explanation
    core.keywords core.blocks
    core.dask_arrays
    core.api
    matgrad
    cli
    __main__
"""
FLOOR = {room: floor for floor, line in enumerate(FLOORS.strip().splitlines()) for room in line.split()}
# Each outside library has its part of the house; elsewhere nobody knows of it.
HOMES = {"click": ("cli",), "rich": ("cli",), "lark": ("grammar",), "numpy": ("core", "cli")}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def called(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """Return the name under which a module is imported: `matgrad.core.graph.nodes`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(["matgrad", *(parts[:-1] if parts[-1] == "__init__" else parts)])


def imported(package: str, text: str) -> Iterator[str]:
    """Yield what a module of a package imports, lazily or not: `matgrad.core.graph.nodes.Node`, `numpy`."""
    folders = package.split(".")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folders[: len(folders) - node.level + 1] if node.level else []
            base += [node.module] if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    return tuple(imported(dotted(path.with_name("__init__.py")), path.read_text("utf-8")))


def room(name: str) -> str | None:
    """Return the room where a module of the project stands: `core.graph` for `matgrad.core.graph.nodes`."""
    inside = name.removeprefix("matgrad.") if name.startswith("matgrad.") else ""
    found = next((place for place in FLOOR if f"{inside}.".startswith(f"{place}.")), None)
    of_the_face = name.split(".")[0] == "matgrad" and inside.split(".")[0] not in FOLDERS
    return found or ("matgrad" if of_the_face else None)


def misplaced(name: str, targets: Iterable[str]) -> list[str]:
    """Return the imports that point up or sideways out of a module's room."""
    own = room(name)
    others = {target: room(target) for target in targets}
    return [
        target for target, other in others.items() if own and other not in (own, None) and FLOOR[other] >= FLOOR[own]
    ]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return a circle of imports, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 50
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == {"__init__.py", "__main__.py", *FOLDERS}


def test_every_module_has_a_room_and_every_room_a_module() -> None:
    rooms = {dotted(path): room(dotted(path)) for path in MODULES}
    assert [name for name, place in rooms.items() if place is None] == ["matgrad.core"]
    assert set(rooms.values()) - {None} == set(FLOOR)
    assert not imports_of(ROOT / "core" / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=called)
def test_imports_point_down(path: Path) -> None:
    assert not misplaced(dotted(path), imports_of(path))


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {dotted(path) for path in MODULES}
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        targets = {target if target in names else target.rpartition(".")[0] for target in imports_of(path)}
        graph[dotted(path)] = targets & names
    assert sum(map(len, graph.values())) > 200
    assert not circle(graph)


@pytest.mark.parametrize(
    ("package", "text", "wrong"),
    [
        ("core.graph", "from ...grammar.syntax import Name\nfrom ..shapes import Shape", ""),
        ("core.graph", "from .sizes import Size", ""),
        ("core.graph", "def late():\n    from ..notation import walk", "core.notation.walk"),
        ("core.notation", "from ..evaluation.tape import Tape", "core.evaluation.tape.Tape"),
        ("core.export", "from ..claims import verdict", "core.claims.verdict"),
        ("core.shapes", "from matgrad.core.amounts import memory", "core.amounts.memory"),
        ("core.shapes", "from matgrad.core.errors import ShapeError", ""),
        ("grammar", "import matgrad.core.errors", "core.errors"),
        ("grammar", "from .. import value", "value"),
        ("core.graph", "from matgrad.cli.main import run", "cli.main.run"),
    ],
)
def test_the_law_of_imports_is_enforced(package: str, text: str, wrong: str) -> None:
    expected = [f"matgrad.{wrong}"] if wrong else []
    assert misplaced(f"matgrad.{package}", imported(f"matgrad.{package}", text)) == expected


def test_a_circle_is_found() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == {"b", "c"}


@pytest.mark.parametrize("path", MODULES, ids=called)
def test_each_library_is_known_in_its_own_part_alone(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    libraries = {name.split(".")[0] for name in imports_of(path)}
    assert all(folder in HOMES[library] for library in libraries & set(HOMES))


def test_no_import_is_for_its_effect() -> None:
    """An unused import that the linter is told to pass over is there for what it does, not for what it names."""
    waived = [called(path) for path in ROOT.rglob("*.py") if _waives_unused_imports(path)]
    assert waived == []
    rules = settings()["tool"]["ruff"]["lint"]
    listed = [*rules["ignore"], *(rule for some in rules.get("per-file-ignores", {}).values() for rule in some)]
    assert not {"F", "F4", "F40", "F401"} & set(listed)


def _waives_unused_imports(path: Path) -> bool:
    lines = path.read_text("utf-8").splitlines()
    waivers = [line.partition("# noqa")[2] for line in lines if "# noqa" in line and path != Path(__file__)]
    return any("F401" in waiver or not waiver.startswith(":") for waiver in waivers)


def test_the_packages_are_the_folders() -> None:
    listed = settings()["tool"]["setuptools"]["packages"]
    folders = {path.parent for path in MODULES}
    assert listed == sorted(".".join(["matgrad", *folder.relative_to(ROOT).parts]) for folder in folders)
    assert all((folder / "__init__.py").exists() for folder in folders)


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
    # Of an overloaded function the last definition counts, as it does when the module runs.
    named = {node.name: node for node in tree.body if isinstance(node, Function | ast.ClassDef)}
    assert not [name for name, node in named.items() if not name.startswith("_") and not ast.get_docstring(node)]


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
