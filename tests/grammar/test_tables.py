"""The prebuilt tables: used when they fit, ignored when they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from matgrad.grammar import tables
from matgrad.grammar.automaton import derive


def test_tables_from_the_file_and_from_the_grammar_parse_alike(tmp_path: Path) -> None:
    path = tmp_path / "expression.tables"
    tables.write_tables(path)
    text = "Z = X' @ [1 -2; 3 4]; norm(Z[:, 1], 'fro')"
    assert derive(tables.load_tables(path), text) == derive(tables.load_tables(tmp_path / "absent"), text)


def test_tables_are_used_when_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "expression.tables"
    tables.write_tables(path)
    monkeypatch.setattr(tables, "_make", lambda grammar: pytest.fail("the tables were made again"))
    assert derive(tables.load_tables(path), "a*b")


@pytest.mark.parametrize("old", [f"tables {tables.FORMAT}".encode(), b"python 3", b"grammar "])
def test_tables_of_another_version_are_never_read(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "expression.tables"
    tables.write_tables(path)
    header = path.read_bytes().split(b"\n")[0]
    assert old in header
    content = header.replace(old, old + b"0") + b"\n" + b"reading this would raise"
    path.write_bytes(content)
    assert derive(tables.load_tables(path), "a*b")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"\n", b"\x80\x04garbage"])
def test_files_that_are_no_tables_are_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "expression.tables"
    path.write_bytes(content)
    assert derive(tables.load_tables(path), "a*b")
