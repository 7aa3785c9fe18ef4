"""The grammar's list of function words is that of the operator table; run as a program, this file writes it."""

from __future__ import annotations

from pathlib import Path

from matgrad.core.graph.catalogue import operators
from matgrad.core.operators.table import load
from matgrad.grammar.vocabulary import function_words

FILE = Path(__file__).parents[2] / "grammar" / "function_words.txt"
HEAD = """\
# Every name and alias of the operator table that a text can call, one in a line.
# Written by `python tests/grammar/test_vocabulary.py`, which as a test compares it with the table.
"""


def words() -> str:
    """Return what the file should hold."""
    load()
    spellings = {name for operator in operators() for name in (operator.name, *operator.aliases) if name.isidentifier()}
    return HEAD + "".join(f"{name}\n" for name in sorted(spellings))


def test_the_function_words_are_those_of_the_table() -> None:
    assert FILE.read_text(encoding="utf-8") == words()


def test_the_grammar_reads_its_function_words() -> None:
    assert {"sin", "logdet", "norm", "mv"} <= function_words()
    assert not any("#" in word or not word for word in function_words())


if __name__ == "__main__":
    FILE.write_text(words(), encoding="utf-8", newline="\n")
