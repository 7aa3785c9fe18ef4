"""Why a text is not JSON: the place, what was expected there, and the fix for the usual mistakes."""

from __future__ import annotations

import json
import re

from ...core.errors import InputError, Source, Span
from ...grammar.errors import line_and_column
from . import errors

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r"[^\s,:\[\]{}()\"';]+")
_NOT_FINITE = ("none", "nan", "inf", "infinity")
_COMMENT = ("JSON has no comments", ["remove the comment"])
_FOREIGN = {
    "'": ("JSON has double quotes only", ["\"name\" and not 'name'"]),
    "#": _COMMENT,
    "//": _COMMENT,
    "/*": _COMMENT,
    "(": ("JSON has no tuples", ["a list has square brackets: [1, 2]"]),
    ";": ("JSON has no `;`", ["a matrix is a list of rows: [[1, 2], [3, 4]]", "or -v A='[1 2; 3 4]'"]),
}


def malformed(source: Source, error: json.JSONDecodeError) -> InputError:
    """Return the error to raise for what Python's reader could not read.

    Example: for `{"b": 3 4}` it points at the `4` and says "expected `,` or `}`".
    """
    text, position = source.text, _position(source.text, error.pos)
    for symptom in (_trailing_comma, _several_objects, _foreign_character, _foreign_number, _foreign_word, _string):
        found = symptom(text, position, error.msg)
        if found is not None:
            span, expected, helps = found
            return errors.malformed_json(source, span, expected, [], helps)
    notes = []
    opened = _open_brackets(text, position)
    if position >= len(text.rstrip()) and opened:
        line, column = line_and_column(text, opened[-1])
        line += source.first_line - 1
        notes = [f"the `{text[opened[-1]]}` at line {line}, column {column} is never closed"]
    return errors.malformed_json(source, (position, position + 1), _expected(text, position, error.msg), notes, [])


Found = tuple[Span, str, list[str]] | None


def _position(text: str, position: int) -> int:
    """Where to point: the end of the last line that has text, and not the blanks after it."""
    end = len(text.rstrip())
    if position >= end:
        return end
    while text[position] in " \t\n\r":
        position += 1
    return position


def _trailing_comma(text: str, position: int, message: str) -> Found:
    before = text[:position].rstrip()
    if text[position : position + 1] == ",":
        comma, after = position, text[position + 1 :].lstrip()
    elif before.endswith(","):
        comma, after = len(before) - 1, text[position:]
    else:
        return None
    if after[:1] not in ("]", "}"):
        return None
    return (comma, comma + 1), f"a comma before `{after[0]}`", ["remove the comma"]


def _several_objects(text: str, position: int, message: str) -> Found:
    if message.startswith("Extra data") and text[position] == "{" and text.lstrip().startswith("{"):
        return (position, position + 1), "a second object begins here", ["for one JSON object per line: --lines"]
    return None


def _foreign_character(text: str, position: int, message: str) -> Found:
    mark = next((mark for mark in _FOREIGN if text.startswith(mark, position)), None)
    if mark is None:
        return None
    end = min(position + (2 if _FOREIGN[mark] is _COMMENT else 1), len(text))
    return (position, end), *_FOREIGN[mark]


def _foreign_number(text: str, position: int, message: str) -> Found:
    """Return a number that Python or MATLAB reads and JSON does not: `.5`, `1.`, `+1`, `007`."""
    start = position
    while start > 0 and re.match(r"[\d.+-]", text[start - 1]):
        start -= 1
    word = _WORD.match(text, start)
    if word is None or not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", word[0]):
        return None
    if word.end() <= position or re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", word[0]):
        return None
    value = float(word[0])
    plain = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return word.span(), "JSON writes this number differently", [f"{plain}"]


def _foreign_word(text: str, position: int, message: str) -> Found:
    word = _WORD.match(text, position)
    if word is None or not (word[0][0].isalpha() or word[0][0] == "_"):
        return None
    if _expects_key(text, position):
        return word.span(), "a name in JSON has double quotes", [f'"{word[0]}"']
    if not message.startswith("Expecting value"):
        return None
    not_finite = word[0].lower() in _NOT_FINITE
    helps = ["inputs are finite numbers: replace or leave out what is missing"] if not_finite else []
    return word.span(), _expected(text, position, message), helps


def _string(text: str, position: int, message: str) -> Found:
    if message.startswith("Unterminated string"):
        return (position, position + 1), 'this `"` is never closed', []
    if message.startswith("Invalid"):
        helps = [r"write a backslash as `\\` and a new line as `\n`"]
        return (position, position + 1), "not allowed within quotes", helps
    return None


def _expects_key(text: str, position: int) -> bool:
    opened = _open_brackets(text, position)
    before = text[:position].rstrip()
    return bool(opened) and text[opened[-1]] == "{" and before[-1:] in ("{", ",")


def _expected(text: str, position: int, message: str) -> str:
    """Return what could stand at the position, in words."""
    opened = _open_brackets(text, position)
    if message.startswith("Extra data"):
        return "expected the end of the text"
    if _expects_key(text, position):
        return "expected a name in double quotes"
    if message.startswith("Expecting ':'"):
        return "expected `:`"
    if not opened:
        return "expected a JSON object or list"
    if message.startswith("Expecting value"):
        return "expected a number or a list"
    return "expected `,` or `}`" if text[opened[-1]] == "{" else "expected `,` or `]`"


def _open_brackets(text: str, end: int) -> list[int]:
    """Return the positions of the brackets that are open at `end`."""
    opened: list[int] = []
    for token in re.finditer(rf"{_STRING.pattern}|[\[\]{{}}]", text[:end]):
        if token[0] in ("[", "{"):
            opened.append(token.start())
        elif token[0] in ("]", "}") and opened:
            opened.pop()
    return opened
