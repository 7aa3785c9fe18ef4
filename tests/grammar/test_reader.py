"""The reader: the stand-alone parser of the wheel and lark's own in a checkout read alike."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from matgrad.grammar import reader
from matgrad.grammar.reader import Refusal, place, read

ROOT = Path(__file__).parents[2]
GOLDEN = [path.read_bytes().decode().split("\n-----\n")[0] for path in Path(__file__).parent.glob("golden/*.txt")]
RIGHT = [
    "x", "-x", "a + b * c ** -d", "a < b", "x.T @ A' @ x", "np.linalg.inv(A)", "x.sum(axis=0, keepdims=True)", "f()",
    "None", "Nonesuch", "x[None, ...]", "x[0]", "x[:, 1:3, ::2]", "x[a:b:c, :]", "()", "(a,)", "(a, b,)", "[]",
    "[1, a]", "[1 -2; 3 4]", "[[1, 2], [3, 4]]", "Z = X @ Y; W = Z; norm(Z, 'fro')", ";a\nb;", "x² + y¹⁰", "1e-5*α₁",
    "a /b ./ c ÷ d", "x.None", "+".join(["a*x"] * 2000),
]  # fmt: skip
WRONG = [
    "", "a b", "sin(x", "(a]", "2 x", "a +", "+ ; a", "x..T", "a < b < c", "f(,)", "f(True=1)", "a ? b", "x = ",
    "[1, 2", "'", "x.1",
]  # fmt: skip


def module_at(path: Path, name: str) -> ModuleType:
    """Load a file that is no part of the package."""
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the stand-alone parser, as the build does."""
    path = tmp_path_factory.mktemp("parser") / "standalone.py"
    module_at(ROOT / "setup.py", "matgrad_setup").write_parser(path)
    return path


@pytest.fixture(scope="module")
def standalone(written: Path) -> Iterator[tuple[Any, Any]]:
    module = module_at(written, "matgrad_standalone")
    yield module, module.Lark_StandAlone(postlex=reader.Everywhere())
    del sys.modules["matgrad_standalone"]


def read_in_full(text: str) -> object:
    """Return the tree of a text with the place of each part, or its refusal."""
    try:
        tree = read(text)
    except Refusal as failure:
        return failure.args
    parts: list[object] = []
    pending: list[Any] = [tree]
    while pending:
        part = pending.pop()
        children = getattr(part, "children", None)
        parts.append((*((part.type, part.value) if children is None else (part.data, len(children))), place(part)))
        pending += children or ()
    return parts


def test_the_parser_of_the_wheel_reads_as_lark_does(
    standalone: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*GOLDEN, *RIGHT, *WRONG]
    lark = reader.from_grammar()
    monkeypatch.setattr(reader, "load", lambda: lark)
    theirs = [read_in_full(text) for text in texts]
    assert sum(isinstance(found, tuple) for found in theirs) > len(WRONG)
    monkeypatch.setattr(reader, "load", lambda: standalone)
    assert [read_in_full(text) for text in texts] == theirs


def test_the_parser_of_the_wheel_is_plain_text_for_every_python(written: Path) -> None:
    module = ast.parse(written.read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: node.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for name in ("DATA", "MEMO"):  # literals, neither pickled nor marshalled
        assert ast.literal_eval(values[name])


def test_a_checkout_holds_no_written_parser() -> None:
    assert not (ROOT / "grammar" / "standalone.py").exists()


@pytest.mark.parametrize(
    ("text", "refused"),
    [("2 x", (2, False)), ("2*", (None, True)), ("a ? b", (2, False)), ("(,)", (1, True)), ("f(x", (None, False))],
)
def test_a_refusal_tells_where_and_whether_a_value_would_fit(text: str, refused: tuple[int | None, bool]) -> None:
    assert read_in_full(text) == refused


def test_each_part_knows_its_place() -> None:
    minus = read(" -x ").children[0]
    assert place(minus) == (1, 3)
    assert [place(part) for part in minus.children] == [(1, 2), (2, 3)]
    assert place(read("f()").children[0].children[1]) == (0, 0)
