r"""Code as it is pasted: what stands around the mathematics is blanked out, and functions are taken apart.

    import torch                                    (blank)
    x = torch.tensor([1., 2.], requires_grad=True)  x = torch.tensor([1., 2.], requires_grad=True)
    def f(x, lam=0.1):                              (a function of x and lam, with a value for lam)
        return lam * x @ x                          lam * x @ x
    print(f(x))                                     (blank)

Every character keeps its position, so that messages point into what was pasted: the text of a function is as long as
all of it, and blank but for the body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from .errors import Span
from .functions import NAME, Definition, Parameter, assigns, definitions, statements

_PROMPT = re.compile(r"^[ \t]*(?:(?:>>>|\.\.\.)(?=[ \t\n]|$)|In ?\[\d+\]:|\.\.\.:)", re.M)
_NOTHING = re.compile(
    r"(?:import|from)\s+[\w.(][^=]*|@\s*[^\W\d].*|pass|assert\b.*"
    r"|if\s+__name__\s*==\s*(?:'__main__'|\"__main__\")\s*:"
    rf"|(?:{NAME}\.)*(?:step|zero_grad|zero_|manual_seed|seed|retain_grad|set_printoptions)\(.*\)|{NAME}\.grad"
    rf"|(?:plt|ax|fig|logging|logger)\.{NAME}\(.*\)|(?:{NAME}\s*=\s*)?(?:torch\.)?optim\.{NAME}\(.*\)"
    r"|\"[^\"]*\"|'[^']*'",
    re.S,
)
_NOTHING_IN_MATLAB = re.compile(
    r"(?:clc|clear|close|format|hold|syms|figure)(?:\s+\w.*)?|(?:disp|fprintf|display)\s*\(.*\)|end|endfunction", re.S
)
_DERIVED = r"(?:{name}\s*=\s*)?(?:{name}\.)*(?:grad|value_and_grad|jacfwd|jacrev|jacobian|hessian)\(\s*(?:{known})\b.*"
_ALIAS = r"({name})\s*=\s*(?:(?:{name}\.)*(?:jit|njit|compile)\(\s*({known})\s*(?:,.*)?\)|({known}))"
_PRINT = re.compile(r"print\s*(\()(.*)(\))", re.S)
_RETURN = re.compile(r"return\b")
_TRACKED = re.compile(rf"({NAME})\.requires_grad(?:_\([^()]*\)|\s*=\s*True)")
_HINT = re.compile(rf"{NAME}\s*(:[^=:]+)=(?!=)")


class Pasted(NamedTuple):
    """A text with all that is no mathematics blanked out, and the functions that it defines.

    `tracked` are names that the text says are differentiated by. `answers` is false where the text defines functions
    and does not end with an expression.
    """

    text: str
    tracked: frozenset[str] = frozenset()
    functions: tuple[Function, ...] = ()
    answers: bool = True


class Function(NamedTuple):
    """A function that pasted code defines: its name, empty where it has none, its parameters and its body."""

    name: str
    span: Span
    parameters: tuple[Parameter, ...]
    body: Pasted
    outputs: tuple[str, ...] = ()


def unpasted(text: str, *, matlab: bool) -> Pasted:
    """Return a text without what stands around the mathematics.

    Comments and newlines between brackets must have been blanked out before (`layout.flatten`).
    """
    return _scope(_PROMPT.sub(lambda prompt: " " * len(prompt[0]), text), matlab=matlab)


def _scope(text: str, *, matlab: bool) -> Pasted:
    found = definitions(text, matlab=matlab)
    functions = tuple(_function(text, definition, matlab=matlab) for definition in found)
    for definition in found:
        text = _blanked(text, definition.span)
    cleaning = _Cleaning(text, {function.name: function for function in functions if function.name}, matlab=matlab)
    for span in list(statements(text)):
        cleaning.clean(*span)
    if not functions:
        cleaning.take_printed()
    pieces = [cleaning.text[slice(*span)] for span in statements(cleaning.text)]
    last = next((piece for piece in reversed(pieces) if piece.strip()), None)
    answers = not functions or (last is not None and not assigns(last))
    return Pasted(cleaning.text, frozenset(cleaning.tracked), (*functions, *cleaning.aliases), answers)


def _function(text: str, definition: Definition, *, matlab: bool) -> Function:
    start, end = definition.body
    body = _scope(" " * start + text[start:end] + " " * (len(text) - end), matlab=matlab)
    return Function(definition.name, definition.named, definition.parameters, body, definition.outputs)


class _Cleaning:
    """A text on its way to be without what stands around the mathematics."""

    def __init__(self, text: str, functions: Mapping[str, Function], *, matlab: bool) -> None:
        self.text = text
        self.tracked: set[str] = set()
        self.printed: list[re.Match[str]] = []
        self.functions = functions
        self.aliases: list[Function] = []
        known = "|".join(functions)
        self.alias = re.compile(_ALIAS.format(name=NAME, known=known), re.S) if known else None
        self.idle = [_NOTHING, *([_NOTHING_IN_MATLAB] if matlab else [])]
        self.idle += [re.compile(_DERIVED.format(name=NAME, known=known), re.S)] if known else []

    def clean(self, start: int, end: int) -> None:
        """Blank out what a statement has around its mathematics, or all of it."""
        piece = self.text[start:end]
        start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        if word := _RETURN.match(self.text, start, end):
            self.text = _blanked(self.text, word.span())
        elif hint := _HINT.match(self.text, start, end):
            self.text = _blanked(self.text, hint.span(1))
        elif tracked := _TRACKED.fullmatch(self.text, start, end):
            self.tracked.add(tracked[1])
            self.text = _blanked(self.text, (start, end))
        elif printed := _PRINT.fullmatch(self.text, start, end):
            self.printed.append(printed)
            self.text = _blanked(self.text, (start, end))
        elif self.alias and (alias := self.alias.fullmatch(self.text, start, end)):
            function = self.functions[alias[2] or alias[3]]
            self.aliases += [] if function.name == alias[1] else [function._replace(name=alias[1])]
            self.text = _blanked(self.text, (start, end))
        elif any(idle.fullmatch(self.text, start, end) for idle in self.idle):
            self.text = _blanked(self.text, (start, end))

    def take_printed(self) -> None:
        """Where nothing else is left, the last thing that is printed is the result."""
        if self.printed and not self.text.replace(";", "").strip():
            start, end = self.printed[-1].span(2)
            self.text = self.text[:start] + self.printed[-1][2] + self.text[end:]


def _blanked(text: str, span: Span) -> str:
    return text[: span[0]] + " " * (span[1] - span[0]) + text[span[1] :]
