"""The prebuilt tables: used when they fit, ignored when they do not."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from matgrad.grammar import tables


class Bomb:
    """Raises when unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("tables were unpickled before their header was checked",))


def test_tables_and_grammar_make_the_same_parser(tmp_path: Path) -> None:
    path = tmp_path / "expression.tables"
    tables.write_tables(path)
    text = "Z = X' @ [1 -2; 3 4]; norm(Z[:, 1], 'fro')"
    assert tables.load_parser(path).parse(text) == tables.load_parser(tmp_path / "absent").parse(text)


def test_tables_are_used_when_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "expression.tables"
    tables.write_tables(path)
    monkeypatch.setattr(tables, "_build", lambda grammar: pytest.fail("the grammar was built again"))
    assert tables.load_parser(path).parse("a*b")


@pytest.mark.parametrize("old", [b"tables 1", b"python 3", b"lark ", b"grammar "])
def test_tables_of_another_version_are_never_unpickled(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "expression.tables"
    tables.write_tables(path)
    header = path.read_bytes().split(b"\n")[0]
    assert old in header
    content = header.replace(old, old + b"0") + b"\n" + pickle.dumps(Bomb())
    path.write_bytes(content)
    assert tables.load_parser(path).parse("a*b")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"\n", b"\x80\x04garbage"])
def test_files_that_are_no_tables_are_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "expression.tables"
    path.write_bytes(content)
    assert tables.load_parser(path).parse("a*b")
