r"""Python as it is pasted: what stands around the mathematics is blanked out, and what it says is kept.

    import torch                                    (blank)
    x = torch.tensor([1., 2.], requires_grad=True)  x = torch.tensor([1., 2.], requires_grad=True)
    def f(x, lam=0.1):                              lam=0.1;            (the value of an input)
        return lam * x @ x                          lam * x @ x
    print(f(x))                                     (blank)

Every character keeps its position, so that messages point into what was pasted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import Span

_PIECE = re.compile(
    r"(?P<string>(?<![\w\u0300-\u036f)\]'])'[^'\n\r]*'|\"[^\"\n\r]*\")|(?P<open>[(\[])|(?P<close>[)\]])|(?P<end>[;\n])"
)
_NAME = r"[^\W\d]\w*"
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.)(?=[ \t])", re.M)
_NOTHING = re.compile(
    rf"(?:import|from)\b[^=]*|@.*|(?:{_NAME}\.)*(?:step|zero_grad|zero_)\(.*\)|{_NAME}\.grad"
    r"|(?:\"\"\"[^\"]*\"\"\"|\'\'\'[^']*\'\'\'|\"[^\"]*\"|'[^']*')",
    re.S,
)
_PRINT = re.compile(r"print\s*(\()(.*)(\))", re.S)
_FUNCTION = re.compile(rf"(def)\s+{_NAME}\s*\(|(?:{_NAME}\s*=\s*)?(lambda)\b")
_RETURN = re.compile(r"return\b")
_DEFAULT = re.compile(rf"\s*({_NAME})\s*(:[^=]*)?=(?!=)", re.S)
_TRACKED = re.compile(rf"({_NAME})\.requires_grad(?:_\([^()]*\)|\s*=\s*True)")


class Pasted(NamedTuple):
    """A text with all that is no mathematics blanked out.

    `tracked` are names that the text says are differentiated by, `given` those that it gives a value as to an input.
    """

    text: str
    tracked: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()


def unpasted(text: str) -> Pasted:
    """Return a text without what stands around the mathematics: `def f(x): return x @ x` is `x @ x`.

    Comments and newlines between brackets must have been blanked out before (`layout.flatten`).
    """
    cleaning = _Cleaning(_PROMPT.sub(lambda prompt: " " * len(prompt[0]), text))
    for span in list(_statements(cleaning.text)):
        cleaning.clean(*span)
    cleaning.take_printed()
    return Pasted(cleaning.text, frozenset(cleaning.tracked), frozenset(cleaning.given))


class _Cleaning:
    """A text on its way to be without what stands around the mathematics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tracked: set[str] = set()
        self.given: set[str] = set()
        self.printed: list[re.Match[str]] = []

    def clean(self, start: int, end: int) -> None:
        """Blank out what a statement has around its mathematics, or all of it."""
        start, end = self._stripped(start, end)
        if header := _FUNCTION.match(self.text, start, end):
            colon = _colon(self.text, header.start(1) if header[1] else header.end(), end)
            if colon is None:
                return
            self._keep_defaults(start, header.end(), colon)
            start, end = self._stripped(colon + 1, end)
        if word := _RETURN.match(self.text, start, end):
            self._blank(*word.span())
            return
        if tracked := _TRACKED.fullmatch(self.text, start, end):
            self.tracked.add(tracked[1])
        elif printed := _PRINT.fullmatch(self.text, start, end):
            self.printed.append(printed)
        elif not _NOTHING.fullmatch(self.text, start, end):
            return
        self._blank(start, end)

    def take_printed(self) -> None:
        """Where nothing else is left, the last thing that is printed is the result."""
        if self.printed and not self.text.replace(";", "").strip():
            start, end = self.printed[-1].span(2)
            self.text = self.text[:start] + self.printed[-1][2] + self.text[end:]

    def _keep_defaults(self, start: int, first: int, colon: int) -> None:
        """Blank out the head of a function but for `lam=0.1`, which becomes a statement."""
        head, parameters = list(" " * (colon + 1 - start)), _parts(self.text, first, colon)
        for parameter in parameters:
            if default := _DEFAULT.match(self.text, *parameter):
                self.given.add(default[1])
                end = parameter[1]
                head[default.start(1) - start : end - start] = self.text[default.start(1) : end]
                if default[2]:
                    head[default.start(2) - start : default.end(2) - start] = " " * len(default[2])
                head[end - start] = ";"
        self.text = self.text[:start] + "".join(head) + self.text[colon + 1 :]

    def _stripped(self, start: int, end: int) -> Span:
        piece = self.text[start:end]
        return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())

    def _blank(self, start: int, end: int) -> None:
        self.text = self.text[:start] + " " * (end - start) + self.text[end:]


def _statements(text: str) -> Iterator[Span]:
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


def _parts(text: str, start: int, end: int) -> list[Span]:
    """Return where each parameter stands: up to a comma, or up to the bracket that closes the list."""
    parts = []
    for place, depth in _depths(text, start, end):
        if (text[place] == "," and depth == 0) or (text[place] == ")" and depth < 0):
            parts.append((start, place))
            start = place + 1
            if depth < 0:
                return parts
    return [*parts, (start, end)]


def _depths(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    depth = 0
    for place in range(start, end):
        depth += (text[place] in "([") - (text[place] in ")]")
        yield place, depth
