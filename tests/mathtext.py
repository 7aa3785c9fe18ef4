"""LaTeX that a reader of it accepts: matplotlib's mathtext, which knows no environments, reads it cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from matplotlib.mathtext import MathTextParser

_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>\w+)\}(?:\{[^{}]*\})?(?P<body>(?:(?!\\begin\{).)*?)\\end\{(?P=name)\}", re.DOTALL
)


def accepted(text: str) -> None:
    """Fail where braces are unbalanced, or where mathtext refuses a cell; comments are left out."""
    depth = 0
    for token in re.findall(r"\\left|\\right|\\.|[{}]", text):
        depth += {"{": 1, "\\left": 1, "}": -1, "\\right": -1}.get(token, 0)
        assert depth >= 0, text
    assert depth == 0, text
    for cell in _cells(re.sub(r"(?m)^%.*$|  %.*$", "", text)):
        try:
            _parse(cell.strip())
        except ValueError as problem:
            raise AssertionError(f"{text}\n{problem}") from problem


def _cells(text: str) -> Iterator[str]:
    """Yield the cells of all environments, and then the text with a letter in the place of each."""
    while match := _ENVIRONMENT.search(text):
        for line in match["body"].split(r"\\"):
            yield from (cell for cell in line.split("&") if cell.strip())
        text = f"{text[: match.start()]} x {text[match.end() :]}"
    yield " ".join(text.split())


@cache
def _parse(cell: str) -> None:
    MathTextParser("path").parse(f"${cell}$")
