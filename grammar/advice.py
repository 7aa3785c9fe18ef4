"""What to do about an error, as data: words, and things to type between them.

Whoever raises an error knows what would help, not where it will be read. The command line writes `Setting("wrt", "x")`
as `--wrt x`; as text it is Python, `wrt="x"`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

# What Python says in another way, `d.structured(...)`, or not at all.
METHODS = ("format",)
TERMINAL_ALONE = ("layout", "random")
AT_THE_CALL = ("tangent", "cotangent")
DRAWN = {"ones": "np.ones", "random": "np.random.standard_normal"}
FUNCTIONS = ("value", "grad", "jacobian", "hessian", "derivative", "jvp", "vjp", "hvp", "check")


class Setting(NamedTuple):
    """What is asked for with a value: `Setting("wrt", "x")`, `Setting("shapes", {"x": (2,)})`; without one, its name.

    Names and values are those of the Python functions.
    """

    name: str
    value: object = None

    def __str__(self) -> str:
        if self.name in METHODS:
            return f"d.{self.value}(...)"
        if self.name in AT_THE_CALL and isinstance(self.value, str):
            return f"{self.name}={DRAWN[self.value]}(...)"
        return f"`{self.name}`" if self.value is None else f"{self.name}={python_value(self.value)}"


class Given(NamedTuple):
    """A value for a name of the expression: `Given("x", [1, 2])`."""

    name: str
    value: object

    def __str__(self) -> str:
        return f"{self.name}={python_value(self.value)}"


class Command(NamedTuple):
    """Another question: `Command("vjp", "sin(x)", ("x",), (Setting("cotangent", "ones"),))`."""

    name: str
    expression: str | None = None
    wrt: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()

    def __str__(self) -> str:
        if self.name not in FUNCTIONS:
            return f"python -m matgrad {self.name}"
        if self.expression is None:
            return f"matgrad.{self.name}"
        wrt = [Setting("wrt", self.wrt[0] if len(self.wrt) == 1 else self.wrt)] if self.wrt else []
        own = [setting for setting in self.settings if setting.name not in AT_THE_CALL]
        directions = [setting for setting in self.settings if setting.name in AT_THE_CALL]
        text = f"matgrad.{self.name}({', '.join([python_value(self.expression), *map(str, [*wrt, *own])])})"
        return text + "".join(f"(..., {item})" for item in directions)


Typed: TypeAlias = Setting | Given | Command


class Advice(NamedTuple):
    """Words with things to type between them; see `advise`."""

    pieces: tuple[str | Typed, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.pieces))


Text: TypeAlias = str | Advice | Typed
"""What a note, a help or a place says."""


def advise(*pieces: str | Typed) -> Advice:
    """Return words with things to type between them: `advise("raise the limit: ", Setting("max_memory", 2**34))`."""
    return Advice(pieces)


def pieces_of(text: Text) -> tuple[str | Typed, ...]:
    """Return the words and the things to type that a text is made of, in order."""
    return text.pieces if isinstance(text, Advice) else (text,)


def in_python(texts: Iterable[Text]) -> list[str]:
    """Return texts as someone reads them who calls matgrad from Python, without those of use on a terminal alone."""
    return [str(text) for text in texts if not any(map(_is_for_the_terminal, pieces_of(text)))]


def _is_for_the_terminal(piece: str | Typed) -> bool:
    settings = piece.settings if isinstance(piece, Command) else (piece,)
    return any(isinstance(item, Setting) and item.name in TERMINAL_ALONE for item in settings)


def python_value(value: object) -> str:
    """Return a value as it is written in Python: words in double quotes, sizes of memory as powers of two."""
    if isinstance(value, str):
        return f'"{value}"' if not {'"', "\\", "\n"} & set(value) else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{name}": {python_value(item)}' for name, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(python_value, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, int) and value >= 1024 and value % 1024 == 0:
        power = (value & -value).bit_length() - 1
        return f"2**{power}" if value == 1 << power else f"{value >> power} * 2**{power}"
    return repr(value)
