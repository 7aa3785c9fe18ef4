"""Strings, comments, brackets and newlines: what must be known of a text before it can be parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAXIMUM_DEPTH = 200

_PIECE = r"""(?x)
      (?P<docstring>(?<![\w\u0300-\u036f)\]'])(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}))
      | (?P<string>(?<![\w\u0300-\u036f)\]'])'[^'\n\r]*'|"[^"\n\r]*")
      | (?P<comment>\#[^\n]*)
      | (?P<continuation>\\[ \t]*\r?\n)
      | (?P<invisible>[\u200b\ufeff])
      | (?P<newline>\r?\n)
      | (?P<open>[(\[])
      | (?P<close>[)\]])"""
_MATLAB = r"""(?x) (?<![\w\u0300-\u036f)\]'])'[^'\n\r]*' | "[^"\n\r]*" | [^\W\d]\w*
      | (?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)? | (?P<mark>(?<!\.)\.[*/^\\](?!\*)|\\)"""
_COMMENT = r"""(?P<kept>(?<![\w\u0300-\u036f)\]'])'[^'\n\r]*'|"[^"\n\r]*")|%[^\n\r]*|\.\.\.[^\n\r]*\r?\n"""
_PASTED = r"""(?mx) \b(?:import|def|lambda|return|print|assert|pass)\b | >>> | ^In\ ?\[\d+\]: | ^\s*@
      | ^\s*if\s+__name__ | \b(?:requires_grad_?|zero_grad|zero_|seed|manual_seed)\b | \.grad\b | \bplt\. | \boptim\.
      | (?:^|;)\s*[^\W\d]\w*\s*:[^=\n;]*=(?!=)"""
_FUNCTION_OF_MATLAB = r"""(?mx) (?:^|;)\s*function\s*(?:\[|[^\W\d]\w*\s*[=(]) | (?:^|[=(,;])[ \t]*@[ \t]*\("""
_IN_MATLAB = r"""(?mx) \bfunction\b | (?:^|[=(,;])\s*@\s*\(
      | (?:^|[;,])\s*(?:clc|clear|close|format|hold|syms|figure|disp|fprintf|end)\b"""
_DOCSTRING = re.compile("\"{3}|'{3}")
_BLANKED = frozenset("#\\\u200b\ufeff\n")


class Bracket(NamedTuple):
    """A bracket of the text that stands in neither a string nor a comment."""

    character: str
    position: int


def brackets(text: str) -> Iterator[Bracket]:
    """Yield the brackets of a text in order: `f('(')` has two."""
    for piece in re.finditer(_PIECE, text):
        if piece.lastgroup in ("open", "close"):
            yield Bracket(piece[0], piece.start())


def flatten(text: str) -> str:
    r"""Blank out comments, continuations and the newlines between brackets, keeping every position.

    Example: `flatten("(a +\n b) # sum")` is `"(a +\r b)      "`. A newline between brackets becomes a carriage
    return, which is white space but does not separate the numbers of a matrix row. Raises `SyntaxProblem` where
    brackets are nested more than 200 deep.
    """
    if _BLANKED.isdisjoint(text) and not _DOCSTRING.search(text) and text.count("(") + text.count("[") <= MAXIMUM_DEPTH:
        return text
    depth = 0

    def blank(piece: re.Match[str]) -> str:
        nonlocal depth
        match piece.lastgroup:
            case "open":
                depth += 1
                if depth > MAXIMUM_DEPTH:
                    from .syntax_errors import nested_too_deeply

                    raise nested_too_deeply(piece.span())
            case "close":
                depth = max(depth - 1, 0)
            case "docstring" | "comment" | "continuation" | "invisible":
                return " " * len(piece[0])
            case "newline":
                return ("\r" if depth else "\n").rjust(len(piece[0]))
        return piece[0]

    return re.sub(_PIECE, blank, text)


def marked(text: str) -> bool:
    """Return whether a text has a mark of MATLAB: `A.*B` and `@(x) x` have one, `2.*x` is a number times x."""
    if ("@" in text or "function" in text) and re.search(_FUNCTION_OF_MATLAB, text):
        return True
    if not any(mark in text for mark in (".*", "./", ".^", "\\")):
        return False
    return any(piece["mark"] for piece in re.finditer(_MATLAB, text))


def without_comments(text: str) -> str:
    """Return a text with MATLAB's comments and broken lines blanked out: `x.*y % entry by entry`."""
    return re.sub(_COMMENT, lambda piece: piece["kept"] or " " * len(piece[0]), text)


def looks_pasted(text: str, *, matlab: bool) -> bool:
    """Return whether a text may have more around its mathematics than an expression has: `def`, `import`, `>>>`."""
    return re.search(_PASTED, text) is not None or (matlab and re.search(_IN_MATLAB, text) is not None)
