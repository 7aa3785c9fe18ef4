"""Where a text defines functions: `def f(x): ...`, `f = lambda x: ...`, `function y = f(x) ... end`, `f = @(x) ...`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import Span

NAME = r"[^\W\d]\w*"
_PIECE = re.compile(
    r"(?P<string>(?<![\w\u0300-\u036f)\]'])'[^'\n\r]*'|\"[^\"\n\r]*\")|(?P<open>[(\[])|(?P<close>[)\]])|(?P<end>[;\n])"
)
_DEF = re.compile(rf"(?:async\s+)?def\s+(?P<name>{NAME})\s*\(")
_LAMBDA = re.compile(rf"(?:(?P<name>{NAME})\s*=\s*)?lambda\b")
_ANONYMOUS = re.compile(rf"(?:(?P<name>{NAME})\s*=\s*)?@\s*\(")
_MATLAB = re.compile(rf"function\b\s*(?:(?P<output>{NAME}|\[[^\]]*\])\s*=)?\s*(?P<name>{NAME})[ \t]*(?P<open>\()?")
_MATLAB_END = re.compile(r"(?:end|endfunction)\s*$")
_RETURN = re.compile(r"return\b")
_PARAMETER = re.compile(rf"\s*(?P<star>\*{{0,2}})(?P<name>{NAME})\s*(?::[^=]*)?(?:=(?P<default>.*))?", re.S)


class Parameter(NamedTuple):
    """A parameter of a function: its name and, where it has one, the text of its default, at its place."""

    name: str
    span: Span
    default: str | None
    starred: bool


class Definition(NamedTuple):
    """Where a text defines a function: all of it, its name, its parameters, its body, and MATLAB's outputs."""

    name: str
    named: Span
    span: Span
    parameters: tuple[Parameter, ...]
    body: Span
    outputs: tuple[str, ...] = ()


def definitions(text: str, *, matlab: bool) -> list[Definition]:
    """Return the functions that a text defines, in order; those within the body of another are found in that body."""
    found: list[Definition] = []
    for start, end in statements(text):
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if not found or start >= found[-1].span[1]:
            one = _matlab_function(text, start) if matlab else _python_function(text, start, end)
            found += [] if one is None else [one]
    return found


def _python_function(text: str, start: int, end: int) -> Definition | None:
    if header := _DEF.match(text, start):
        parameters, closed = _parameters(text, header.end(), ")")
        colon = _colon(text, closed + 1, len(text))
        if colon is None:
            return None
        stop = _end_of_body(text, start, colon + 1)
        return Definition(header["name"], header.span("name"), (start, stop), parameters, (colon + 1, stop))
    if header := _LAMBDA.match(text, start, end):
        colon = _colon(text, header.end(), end)
        if colon is None:
            return None
        parameters, _ = _parameters(text, header.end(), ":")
        return Definition(header["name"] or "", header.span(), (start, end), parameters, (colon + 1, end))
    return None


def _matlab_function(text: str, start: int) -> Definition | None:
    if header := _ANONYMOUS.match(text, start):
        parameters, closed = _parameters(text, header.end(), ")")
        end = next((end for first, end in statements(text) if first <= start < end), len(text))
        return Definition(header["name"] or "", header.span(), (start, end), parameters, (closed + 1, end))
    if (header := _MATLAB.match(text, start)) is None:
        return None
    parameters, closed = _parameters(text, header.end(), ")") if header["open"] else ((), header.end() - 1)
    stop = len(text)
    for first, last in statements(text):
        piece = text[first:last].lstrip()
        if first > start and (piece.startswith("function ") or _MATLAB_END.match(piece)):
            stop = last if _MATLAB_END.match(piece) else first
            break
    ended = re.search(r"(?:[;\n]|(?<=\)))\s*(?:end|endfunction)\s*$", text[closed + 1 : stop])
    body = (closed + 1, closed + 1 + ended.start() if ended else stop)
    outputs = tuple(re.findall(NAME, header["output"] or ""))
    return Definition(header["name"], header.span("name"), (start, stop), parameters, body, outputs)


def _end_of_body(text: str, start: int, body: int) -> int:
    """Return where the body of a `def` ends: with its indented block, or else with the first `return`."""
    line = text.find("\n", body)
    if line >= 0 and not text[body:line].strip():
        indentation = _indentation(text, text.rfind("\n", 0, start) + 1)
        stop, place = line, line + 1
        while place <= len(text):
            after = text.find("\n", place)
            after = len(text) if after < 0 else after
            if text[place:after].strip():
                if _indentation(text, place) <= indentation:
                    break
                stop = after
            place = after + 1
        if stop > line:
            return stop
    for first, last in statements(text):
        if last > body and _RETURN.match(text[max(first, body) : last].lstrip()):
            return last
    return len(text)


def _indentation(text: str, line: int) -> int:
    return len(text[line:].expandtabs()) - len(text[line:].expandtabs().lstrip(" "))


def _parameters(text: str, start: int, closing: str) -> tuple[tuple[Parameter, ...], int]:
    """Return the parameters that stand from a place on, and where their list is closed."""
    found: list[Parameter] = []
    spans = parts(text, start, closing)
    for first, last in spans:
        if piece := _PARAMETER.fullmatch(text, first, last):
            default = None
            if piece["default"] is not None:
                default = " " * piece.start("default") + piece["default"] + " " * (len(text) - last)
            found.append(Parameter(piece["name"], piece.span("name"), default, bool(piece["star"])))
    return tuple(found), spans[-1][1]


def statements(text: str) -> Iterator[Span]:
    """Yield where the statements of a text stand."""
    start = depth = 0
    for piece in _PIECE.finditer(text):
        depth += (piece.lastgroup == "open") - (piece.lastgroup == "close")
        if piece.lastgroup == "end" and depth <= 0:
            yield start, piece.start()
            start = piece.end()
    yield start, len(text)


def _colon(text: str, start: int, end: int) -> int | None:
    """Return where the head of a function ends: the first colon outside brackets, `->` or not."""
    return next((place for place, depth in _depths(text, start, end) if text[place] == ":" and depth == 0), None)


def assigns(text: str) -> bool:
    """Return whether a statement gives a name to a value: `y = f(x, axis=0)` does, `f(x, axis=0)` does not."""
    outside = "".join(text[place] if depth == 0 else " " for place, depth in _depths(text, 0, len(text)))
    return re.search(r"(?<![=<>!])=(?!=)", outside) is not None


def parts(text: str, start: int, closing: str) -> list[Span]:
    """Return where each parameter stands: up to a comma, or up to what closes the list."""
    found = []
    for place, depth in _depths(text, start, len(text)):
        closes = text[place] == closing and depth < (closing == ":")
        if (text[place] == "," and depth == 0) or closes:
            found.append((start, place))
            start = place + 1
            if closes:
                return found
    return [*found, (start, len(text))]


def _depths(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    depth = 0
    for place in range(start, end):
        depth += (text[place] in "([") - (text[place] in ")]")
        yield place, depth
