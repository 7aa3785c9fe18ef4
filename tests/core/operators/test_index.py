"""The index says which family brings a word; run as a program, this file writes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from matgrad.core.graph import catalogue
from matgrad.core.operators.table import WAITING, index

FILE = Path(__file__).parents[3] / "core" / "operators" / "index.txt"
LOADED = """
import sys
from matgrad.cli.main import main
try:
    main()
except SystemExit:
    pass
print([name for name in sys.argv[0].split() if f"matgrad.core.operators.{name}" in sys.modules], file=sys.stderr)
"""


def text() -> str:
    """Return what the file should hold."""
    return "".join(f"{line}\n" for line in index())


def loaded(*arguments: str) -> str:
    """Return the families that wait, of which a command loads the modules."""
    code = f"import sys; sys.argv = [{' '.join(WAITING)!r}, *{arguments!r}]\n{LOADED}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip()


def test_the_index_holds_the_words_of_every_family_that_waits() -> None:
    assert FILE.read_text(encoding="utf-8") == text()


def test_a_family_is_loaded_when_one_of_its_words_is_asked_for() -> None:
    assert loaded("grad", "x@x") == "[]"
    assert loaded("grad", "sum(tanh(x))") == "[]"
    assert loaded("grad", "trunc(x)*x") == "['rounding']"


def test_the_order_of_the_table_does_not_depend_on_what_was_asked_first() -> None:
    families = list(dict.fromkeys(operator.family for operator in catalogue.operators()))
    assert families.index("elementwise") < families.index("special functions") < families.index("rounding")


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
