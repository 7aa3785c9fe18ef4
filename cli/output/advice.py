"""Advice as a shell line: what errors and readings hand up as data, in the words of the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...grammar.advice import Command, Given, Setting, Text, Typed, pieces_of

OPTIONS = {"shapes": "--shape", "inputs": "-v or -i"}


def shell(text: Text) -> str:
    """Return words and things to type as a terminal takes them: `shell(Setting("wrt", "x")) == "--wrt x"`."""
    return "".join(piece if isinstance(piece, str) else _typed(piece) for piece in pieces_of(text))


def _typed(piece: Typed) -> str:
    match piece:
        case Given(name, value):
            words = json.dumps(value)
            return f"-v {name}='{words}'" if " " in words else f"-v {name}={words}"
        case Setting(name, value):
            option = OPTIONS.get(name) or f"--{name.replace('_', '-')}"
            return " ".join(f"{option} {word}".rstrip() for word in _words(name, value))
        case Command(name, expression, wrt, settings):
            quote = "'" if '"' in (expression or "") else '"'
            asked = [] if expression is None else [f"{quote}{expression}{quote}"]
            options = [Setting("wrt", variable) for variable in wrt] + list(settings)
            return " ".join(["matgrad", name, *asked, *map(_typed, options)])


def _words(name: str, value: object) -> list[str]:
    """Return what stands behind an option, once for each time that it is given."""
    if value is None:
        return [""]
    if isinstance(value, Mapping):
        return [f"{key}={typed_shape(item) if name == 'shapes' else item}" for key, item in value.items()]
    if name == "max_memory" and isinstance(value, int):
        # An error of syntax is shown without anything of the mathematics being loaded.
        from ...core.amounts import memory

        return [memory(value, round_up=True)]
    return [str(item) for item in value] if isinstance(value, tuple) else [str(value)]


def typed_shape(shape: tuple[int, ...]) -> str:
    """Return a shape as it is typed: `typed_shape((5, 2)) == "5x2"`."""
    return "x".join(map(str, shape)) or "scalar"
