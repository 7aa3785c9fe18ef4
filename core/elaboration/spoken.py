"""Lengths in messages: `x.0` is a number where it is known, and else a letter, as in formulas, that is explained."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain, count

from ...grammar.advice import Advice, Text
from ..errors import ExpressionError, Label
from ..graph.sizes import NAMES


def speak(error: ExpressionError, names: Iterable[str], known: Mapping[str, object]) -> None:
    """Write the lengths in an error as a user knows them, in place.

    Example: `x.0 entries against A.1 columns` becomes `n entries against 4 columns`, with the note that `n` is
    `x.shape[0]`, for `known` lengths `{"A.1": 4}`.
    """
    names = [*names]
    inner = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})\.\d+(?!\w)") if names else re.compile(r"(?!)")
    letters = (letter for letter in chain(NAMES, (f"n{number}" for number in count(1))) if letter not in names)
    called: dict[str, str] = {}

    def shown(found: re.Match[str]) -> str:
        if found[0] in known:
            return str(known[found[0]])
        if found[0] not in called:
            called[found[0]] = next(letters)
        return called[found[0]]

    def spoken(text: Text) -> Text:
        if isinstance(text, str):
            return inner.sub(shown, text)
        if isinstance(text, Advice):
            return Advice(tuple(inner.sub(shown, piece) if isinstance(piece, str) else piece for piece in text.pieces))
        return text

    error.message = inner.sub(shown, error.message)
    error.labels = tuple(Label(label.span, inner.sub(shown, label.text), label.primary) for label in error.labels)
    error.notes, error.helps = tuple(map(spoken, error.notes)), tuple(map(spoken, error.helps))
    if called:
        origins = [(letter, *name.rsplit(".", 1)) for name, letter in called.items()]
        error.notes += (", ".join(f"`{letter}` is `{name}.shape[{axis}]`" for letter, name, axis in origins),)
