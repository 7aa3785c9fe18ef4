"""Messages for text that is no expression: each has a golden file, and nothing else ever escapes."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matgrad import grammar
from matgrad.grammar import syntax_errors
from matgrad.grammar.errors import SyntaxProblem
from matgrad.grammar.parser import parse

GOLDEN = Path(__file__).with_name("golden")
SEPARATOR = "\n-----\n"
WINDOW = 80


def show(text: str) -> str:
    """Return the message for a text in plain form: heads, marked places, notes and helps."""
    with pytest.raises(SyntaxProblem) as caught:
        parse(text)
    problem = caught.value
    lines = [f"error: {problem.message}"]
    for label in problem.labels:
        start, end = label.span
        first = text.rfind("\n", 0, start) + 1
        line = text[first:].split("\n")[0]
        offset = max(start - first - WINDOW // 2, 0)
        mark = ("^" if label.primary else "-") * max(end - start, 1)
        lines.append(f"{text.count(chr(10), 0, start) + 1:2} | {line[offset : offset + WINDOW]}".rstrip())
        lines.append(f"   | {' ' * (start - first - offset)}{mark[:WINDOW]} {label.text}".rstrip())
    lines += [f"   = note: {note}" for note in problem.notes]
    lines += [f"   = help: {help_}" for help_ in problem.helps]
    return "\n".join(lines)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    text, expected = path.read_bytes().decode().split(SEPARATOR)
    assert show(text) == expected.rstrip("\n")


def test_every_kind_has_a_golden_file() -> None:
    functions = dict(inspect.getmembers(syntax_errors, inspect.isfunction))
    own = {name for name, function in functions.items() if function.__module__ == syntax_errors.__name__}
    kinds = {name for name in own if not name.startswith("_")}
    assert {path.stem.split("-")[0] for path in GOLDEN.glob("*.txt")} == kinds


def test_messages_are_worded_in_one_place() -> None:
    folder = Path(grammar.__file__).parent
    wording = {path.name for path in folder.glob("*.py") if "SyntaxProblem(" in path.read_text(encoding="utf-8")}
    assert wording == {"syntax_errors.py", "errors.py"}  # errors.py defines the class


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_golden_file_is_of_its_kind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind in the file name is the function that worded the message."""
    raised: list[str] = []
    original = SyntaxProblem.__init__

    def record(self: SyntaxProblem, *args: Any, **details: Any) -> None:
        caller = sys._getframe(1)
        caller = caller.f_back if caller.f_code.co_name == "_problem" and caller.f_back else caller
        raised.append(caller.f_code.co_name)
        original(self, *args, **details)

    monkeypatch.setattr(SyntaxProblem, "__init__", record)
    with pytest.raises(SyntaxProblem):
        parse(path.read_bytes().decode().split(SEPARATOR)[0])
    assert raised == [path.stem.split("-")[0]]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_messages_are_for_people(path: Path) -> None:
    text, message = path.read_bytes().decode().split(SEPARATOR)
    head = message.split("\n")[0].removeprefix("error: ")
    assert not head.endswith(".")
    assert head[0] == "`" or not head[0].isupper()
    for word in ("Token", "LPAR", "RSQB", "NAME", "__ANON", "$END", "Unexpected"):
        assert word not in message.replace(text, "")


@pytest.mark.parametrize("text", ["')' x", "f(')' x)", "')]' 2"])
def test_brackets_in_strings_are_no_brackets(text: str) -> None:
    with pytest.raises(SyntaxProblem, match="two values side by side"):
        parse(text)


def test_invisible_characters_are_named() -> None:
    with pytest.raises(SyntaxProblem, match=r"unexpected character `U\+0000`"):
        parse("a\x00b")


@pytest.mark.parametrize(("text", "span"), [("2*x +", (5, 5)), ("sum((A*x - b)^2", (15, 15)), ("2*x + # rest", (5, 5))])
def test_the_end_is_marked_behind_the_last_character(text: str, span: tuple[int, int]) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse(text)
    assert caught.value.span == span


PIECES = [
    *"()[],;:.=<>'\"+-*/@^!#$\\\n _²ᵀ−",
    "**",
    "==",
    ".*",
    ".'",
    "1",
    "2.5",
    ".5",
    "1e3",
    "x",
    "A",
    "F",
    "np.",
    "sin",
]
PIECES += ["x.T", ".sum()", "None", "lambda ", " if ", "'fro'", "[1 2; 3 4]", "axis=0", "...", "\r\n", "\t", "\u200b"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_random_pieces_raise_nothing_but_syntax_problems(text: str) -> None:
    _try(text)


@given(st.text(max_size=30))
def test_random_text_raises_nothing_but_syntax_problems(text: str) -> None:
    _try(text)


def _try(text: str) -> None:
    try:
        spans = [parse(text).span]
    except SyntaxProblem as caught:
        spans = [label.span for label in caught.labels]
    assert spans
    for start, end in spans:
        assert 0 <= start <= end <= len(text)
