"""The parser's tables, prebuilt: loading them takes a tenth of the time of building them from the grammar.

The tables are a pickle, so they are read only from inside the package, and only when the header in front of them says
that they were made from this grammar by this version of lark and of Python.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

FORMAT = 1
GRAMMAR = Path(__file__).with_name("expression.lark")
TABLES = Path(__file__).with_name("expression.tables")


def load_parser(tables: Path = TABLES) -> Lark:
    """Return the parser, from the tables if they fit, otherwise from the grammar.

    Example: `load_parser().parse("a*b")` is a `lark.Tree`. Nothing is ever written.
    """
    from lark import Lark

    grammar = GRAMMAR.read_text(encoding="utf-8")
    try:
        with tables.open("rb") as file:
            if file.readline() == _header(grammar):
                return Lark.load(file)
    except OSError:
        pass
    return _build(grammar)


def write_tables(path: Path) -> None:
    """Write the tables to a file: `write_tables(Path("build/matgrad/grammar/expression.tables"))`."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    parser = _build(grammar)
    with path.open("wb") as file:
        file.write(_header(grammar))
        parser.save(file)


def _build(grammar: str) -> Lark:
    from lark import Lark

    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _header(grammar: str) -> bytes:
    """The line that says what the tables were made from."""
    import lark

    digest = hashlib.sha256(grammar.encode()).hexdigest()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"matgrad tables {FORMAT}, lark {lark.__version__}, python {python}, grammar {digest}\n".encode()
