"""Errors that carry what a good message needs: the place, the facts and the fix.

An error is raised where the problem is understood and rendered in `cli` alone, so nothing here knows of colours,
carets or exit statuses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from .advice import in_python

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from .advice import Text

    class Details(TypedDict, total=False):
        """What an error may say besides its message; see `MatgradError`."""

        source: Source | None
        place: Text | None
        notes: Sequence[Text]
        helps: Sequence[Text]


Span = tuple[int, int]
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN = tuple(os.path.join(PACKAGE, part) for part in ("__init__.py", "core", "grammar"))


class Source(NamedTuple):
    """A text that an error can point into: the expression, or the characters of an input file.

    Example: `Source("stdin", '{"a": [1, 2}')`. A text that is part of another begins at its `first_line`.
    """

    name: str
    text: str
    first_line: int = 1


class Label(NamedTuple):
    """Words under a piece of the source; the primary label is marked `^`, the others `-`.

    Example: `Label((4, 5), "x has 3 entries")`. The span counts characters, end exclusive.
    """

    span: Span
    text: str = ""
    primary: bool = True


def line_and_column(text: str, position: int) -> tuple[int, int]:
    r"""Return where a character stands, counted from 1: `line_and_column("a\nbc", 3) == (2, 2)`."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def excerpt(source: Source, labels: Sequence[Label]) -> list[str]:
    r"""Return the lines of a text that labels point into, with a row of marks and words under them for each label.

    Example: `excerpt(Source("expression", "A @ x"), [Label((4, 5), "3 entries")])` ends with `"        ^ 3 entries"`.
    """
    texts, rows = source.text.split("\n"), dict[int, list[str]]()
    for label in sorted(labels, key=lambda label: not label.primary):
        line, column = line_and_column(source.text, label.span[0])
        width = max(1, min(label.span[1] - label.span[0], len(texts[line - 1]) - column + 1))
        marks = ("^" if label.primary else "-") * width
        rows.setdefault(line, []).append(f"    {' ' * (column - 1)}{marks} {label.text}".rstrip())
    return [row for line in sorted(rows) for row in (f"    {texts[line - 1]}", *rows[line])]


def _caller(error: BaseException) -> list[str]:
    """Return the line that called into this package, from which an error came."""
    from traceback import extract_tb, format_list

    frames = list(takewhile(lambda frame: not frame.filename.startswith(OWN), extract_tb(error.__traceback__)))
    lines = [part for frame in frames[-1:] for part in format_list([frame])[0].rstrip().split("\n")]
    # Python 3.13 also marks the part of the line that failed: that is all of the call.
    return [part for part in lines if not {*part.strip()} <= {*"~^"}]


class MatgradError(Exception):
    """The base of every error that a user can cause.

    Example: `raise ShapeError("cannot multiply `A @ x`", Label((4, 5), "x has 3 entries"), helps=["`A.T @ x` fits"])`.

    `source` is None while the error points into the expression being processed; whoever knows the text attaches it.
    `place` names a location that has no text to show (`Setting("wrt", "X")`, `stdin: A[1]`). `notes` are facts, `helps`
    are fixes that can be typed: plain words, or an `Advice` where they differ between a terminal and Python.
    """

    code = "error"

    def __init__(self, message: str, *labels: Label, **details: Unpack[Details]) -> None:
        super().__init__(message)
        self.message = message
        self.labels = labels
        self.source = details.get("source")
        self.place = details.get("place")
        self.notes = tuple(details.get("notes", ()))
        self.helps = tuple(details.get("helps", ()))

    def __reduce__(self) -> tuple[Callable[..., MatgradError], tuple[type[MatgradError], str], dict[str, object]]:
        # An error of a worker must arrive: it is pickled by what it says, for subclasses are made in their own ways.
        told = {name: vars(self)[name] for name in ("message", "labels", "source", "place", "notes", "helps")}
        return BaseException.__new__, (type(self), self.message), told

    def __str__(self) -> str:
        """Return the message, then each note and help on a line of its own, in the words of Python."""
        return "\n".join([self.message, *self._advice()])

    def _advice(self) -> list[str]:
        notes, helps = in_python(self.notes), in_python(self.helps)
        return [*(f"note: {note}" for note in notes), *(f"help: {text}" for text in helps)]

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the line of the caller, the message, the place in the text, the advice."""
        place = [] if self.source is None else excerpt(self.source, self.labels)
        return [*_caller(self), f"{type(self).__name__}: {self.message}", *place, *self._advice()]

    @property
    def span(self) -> Span | None:
        """The span of the first primary label, or None where the error points at no text."""
        return next((label.span for label in self.labels if label.primary), None)


class ExpressionError(MatgradError):
    """The expression, or what is asked of it, makes no sense."""

    code = "expression"


class SyntaxProblem(ExpressionError):
    """The text is not an expression of the language."""

    code = "syntax"
