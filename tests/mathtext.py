r"""LaTeX that a reader of it accepts: matplotlib's mathtext, which knows no environments, reads it piece by piece.

A piece is a cell of an environment, or what stands between braces or between `\left` and `\right`; around it stands a
letter in its place. Most pieces are written in many formulas, and are read once: of `\frac{a \, b}{2}` these are
`a \, b`, `2` and `\frac{x}{x}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from matplotlib.mathtext import MathTextParser

_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>\w+)\}(?:\{[^{}]*\})?(?P<body>(?:(?!\\begin\{).)*?)\\end\{(?P=name)\}", re.DOTALL
)
# What stands between the braces of these is text, and no piece of mathematics.
_TOKEN = re.compile(
    r"\\(?:operatorname|text|mathrm)\{[^{}]*\}"
    r"|\\(?:left|right)(?![a-zA-Z])(?:\\[a-zA-Z]+|\\.|.)"
    r"|\\[a-zA-Z]+|\\.|[{}]|[^\\{}]+",
    re.DOTALL,
)


def accepted(text: str) -> None:
    """Fail where braces are unbalanced, or where mathtext refuses a piece; comments are left out."""
    for cell in _cells(re.sub(r"(?m)^%.*$|  %.*$", "", text)):
        try:
            for piece in _pieces(cell):
                _parse(piece.strip())
        except ValueError as problem:
            raise AssertionError(f"{text}\n{problem}") from problem


def _cells(text: str) -> Iterator[str]:
    """Yield the cells of all environments, and then the text with a letter in the place of each."""
    while match := _ENVIRONMENT.search(text):
        for line in match["body"].split(r"\\"):
            yield from (cell for cell in line.split("&") if cell.strip())
        text = f"{text[: match.start()]} x {text[match.end() :]}"
    yield " ".join(text.split())


def _pieces(cell: str) -> Iterator[str]:
    r"""Yield what stands in braces and between `\left` and `\right`, and then the cell with a letter for each."""
    open_pieces = [("", "")]
    for token in _TOKEN.findall(cell):
        if token == "{" or _is_turned(token, "left"):
            open_pieces.append((token, ""))
        elif token == "}" or _is_turned(token, "right"):
            opening, inside = open_pieces.pop()
            assert open_pieces, cell
            assert (opening == "{") == (token == "}"), cell
            if inside.strip():
                yield inside
            _append(open_pieces, f"{opening}{'x' if inside.strip() else ''}{token}")
        else:
            _append(open_pieces, token)
    assert len(open_pieces) == 1, cell
    yield open_pieces[0][1]


def _is_turned(token: str, side: str) -> bool:
    r"""Whether a token is a bracket of a side that grows: `\left(`, and no arrow."""
    return re.match(rf"\\{side}(?![a-zA-Z])", token) is not None


def _append(open_pieces: list[tuple[str, str]], text: str) -> None:
    opening, inside = open_pieces[-1]
    open_pieces[-1] = (opening, inside + text)


@cache
def _parse(piece: str) -> None:
    MathTextParser("path").parse(f"${piece}$")
