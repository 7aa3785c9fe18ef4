r"""Equations in LaTeX on as many lines as a page needs: `aligned` where one line is too long.

A sum breaks before a sign of its own, `a &= b \\ &\quad {} + c`, and what a formula names stands on lines below it.
Widths are estimated in digits of the text: an italic x is a bit more than one, a fraction as wide as its wider part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

PAGE = 76.0
"""How wide a line may be: about 14 cm at 10 pt."""

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_WIDE = re.compile(r"\\(?:odot|oslash|otimes|cdot|leq|geq|neq|times|circ)$|[-+=<>]$")
_SPACES = {r"\,": 0.3, r"\;": 0.6, r"\quad": 2.0, r"\ ": 0.7}
_WORDS = ("operatorname", "mathrm", "text", "mathbf")
_FUNCTIONS = ("log", "exp", "det", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "sqrt")
_UNSEEN = {r"\left", r"\right", r"\begin", r"\end", r"\displaystyle"}
_OPENING, _CLOSING = {"{", "(", "[", r"\left", r"\begin"}, {"}", ")", "]", r"\right", r"\end"}


def equation(left: str, right: str, named: Iterable[str] = ()) -> str:
    r"""Return an equation and what is named in it, on one line or as `aligned`; `left` may be empty.

    Example: `equation("f", "p x", ["p = a"])` is `f = p x \quad \text{where } p = a`.
    """
    listed = [*named]
    start = f"{left} = " if left else ""
    said = rf" \quad \text{{where }} {_enumerated(listed)}" if listed else ""
    if width(line := f"{start}{right}{said}") <= PAGE:
        return line
    indent = width(start)
    below = [*_below(listed)]
    widest = max(map(width, (right, *below)))
    if left and indent + widest > PAGE and indent > PAGE / 4:
        rows = [f"& {left}", *(f"&\\quad {{}} {sign} {row}" for sign, row in _after_sign(right, PAGE - 4))]
    else:
        first, *others = broken(right, PAGE - indent)
        rows = [f"{left} &= {first}" if left else f"& {first}", *(rf"&\quad {{}} {row}" for row in others)]
    rows += [rf"&\quad {row}" for row in below]
    body = r" \\ ".join(rows)
    return rf"\begin{{aligned}} {body} \end{{aligned}}" if len(rows) > 1 else line


def _after_sign(right: str, room: float) -> Iterator[tuple[str, str]]:
    for place, row in enumerate(broken(right, room)):
        yield ("" if place else "="), row


def _enumerated(parts: Iterable[str]) -> str:
    return r", \; ".join(parts)


def _below(named: list[str]) -> Iterator[str]:
    """Yield the lines that say what is named: as many on each as fit."""
    rows: list[list[str]] = []
    for part in named:
        if rows and width(_enumerated([*rows[-1], part])) <= PAGE - 10:
            rows[-1].append(part)
        else:
            rows.append([part])
    for place, row in enumerate(rows):
        end = "," if place < len(rows) - 1 else ""
        yield (r"\text{where } " if not place else "") + _enumerated(row) + end


def broken(text: str, room: float) -> list[str]:
    """Return the lines of a sum, each as long as there is room, broken before signs outside all brackets."""
    lines = [""]
    for term in _terms(text):
        if lines[-1] and width(lines[-1] + term) > room:
            lines.append(term.strip())
        else:
            lines[-1] += term
    return lines


def _terms(text: str) -> Iterator[str]:
    """Yield the terms of a sum with the signs in front of them."""
    depth, start = 0, 0
    tokens = [*_TOKEN.finditer(text)]
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        depth += (before[0] in _OPENING) - (before[0] in _CLOSING)
        if not depth and token[0] in "+-" and before[0].isspace() and after[0].isspace():
            yield text[start : before.start()]
            start = before.start()
    yield text[start:]


def width(text: str) -> float:
    """Return about how wide mathematics is, in digits of the text."""
    return _Measure(text).run()


class _Measure:
    """Reads LaTeX from left to right and adds up what it takes."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = [token for token in _TOKEN.findall(text) if not token.isspace()]
        self.place = 0

    def run(self, closing: str = "") -> float:
        """Return the width up to a closing brace or the end: that of the widest row."""
        rows = [0.0]
        while self.place < len(self.tokens):
            token = self._next()
            if token == closing:
                break
            if token == r"\\":
                rows.append(0.0)
            else:
                rows[-1] += self._of(token)
        return max(rows)

    def _next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def _group(self) -> float:
        """Return the width of what stands in the next braces, or of the next token."""
        if self.place >= len(self.tokens):
            return 0.0
        token = self._next()
        return self.run("}") if token == "{" else self._of(token)

    def _word(self) -> str:
        """Return the letters in the next braces."""
        end = self.tokens.index("}", self.place)
        word = "".join(self.tokens[self.place + 1 : end])
        self.place = end + 1
        return word

    def _of(self, token: str) -> float:
        if token in ("^", "_"):
            return 0.7 * self._group()
        if token in (r"\frac", r"\binom"):
            return max(self._group(), self._group()) + 0.5
        if token == r"\begin":
            return self._environment(self._word())
        if token[1:] in _WORDS:
            return 0.95 * len(self._word())
        if token == "{":
            return self.run("}")
        if token in _SPACES:
            return _SPACES[token]
        if token in _UNSEEN or token == "&":
            return 1.0 if token == "&" else 0.0
        if (
            token.startswith("\\")
            and len(token) > 2
            and token[1:] in ("log", "exp", "det", "sin", "cos", "tanh", "max")
        ):
            return float(len(token) - 1)
        return 2.5 if _WIDE.match(token) else 1.5 if token.isupper() else 0.7 if token in "()[],|" else 1.1

    def _environment(self, name: str) -> float:
        """Return the width of a matrix or of cases: that of its widest row."""
        rows = [0.0]
        while self.place < len(self.tokens):
            token = self._next()
            if token == r"\end":
                self._word()
                break
            if token == r"\\":
                rows.append(0.0)
            else:
                rows[-1] += 2.0 if token == "&" else self._of(token)
        return max(rows) + 2.0
