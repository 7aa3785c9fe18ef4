"""What a stream can show, and writing to it safely: colour, characters, width.

rich draws every screen, and is imported here when there is one: help pages and errors pass through this module too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

# Wider than any line: what fits a terminal is chosen before it is drawn, and in a pipe nothing is cut.
ENDLESS = 10**6
GLYPHS = "∂─✓✗…⋮×·²"
UNSET = ("", "0", "false")
ASCII_SPELLINGS = {
    "×": "x", "…": "...", "∂": "d", "→": "->", "·": "*", "✓": "ok", "✗": "!!", "≤": "<=", "≥": ">=", "≠": "!=",
    "−": "-", "–": "-", "—": "--", "∞": "inf", "²": "^2", "³": "^3", "‘": "'", "’": "'", "“": '"', "”": '"', "⋮": "...",
}  # fmt: skip


class Look(NamedTuple):
    """What one stream can show: `Look(color=False, ascii=False, width=None)` is a pipe, as wide as needed."""

    color: bool = False
    ascii: bool = False
    width: int | None = None


def look_at(stream: TextIO, *, no_color: bool = False, environment: Mapping[str, str] = os.environ) -> Look:
    """Decide what a stream can show, from the stream itself and the environment.

    Example: `look_at(sys.stderr, no_color=True)`. Colour needs a terminal; `NO_COLOR`, `TERM=dumb` and `no_color` turn
    it off, `FORCE_COLOR` (other than 0 or false) turns it on, and a request for no colour always wins. ASCII is used
    where the encoding lacks a glyph, in a dumb terminal, and where `MATGRAD_ASCII` is set.
    """
    terminal = stream.isatty()
    dumb = terminal and environment.get("TERM") == "dumb"
    refused = no_color or bool(environment.get("NO_COLOR"))
    forced = environment.get("FORCE_COLOR", "").lower() not in UNSET
    return Look(
        color=not refused and (forced or (terminal and not dumb)),
        ascii=dumb or environment.get("MATGRAD_ASCII", "").lower() not in UNSET or not _encodes(stream, GLYPHS),
        width=columns(stream, environment) if terminal else None,
    )


def columns(stream: TextIO, environment: Mapping[str, str] = os.environ) -> int:
    """Return how many columns a terminal has: what `COLUMNS` says, the terminal itself, or 80."""
    told = environment.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _encodes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(text: str, ascii: bool) -> str:
    r"""Return text that cannot steer the terminal: control characters are escaped, and all but ASCII where asked.

    Example: `printable("a\x1b[2J", False) == "a\\x1b[2J"`. Invisible and direction-changing characters count as
    control characters.
    """
    return "".join(printable_character(character, ascii) for character in text)


def printable_character(character: str, ascii: bool) -> str:
    """Return one character as it may be shown: `printable_character("×", True) == "x"`."""
    if " " <= character <= "~":
        return character
    if character == "\t":
        return " "
    # Help pages, which pass through this module too, need it not.
    from ...grammar.escapes import escape, escape_hidden

    if ascii:
        return ASCII_SPELLINGS.get(character) or escape(character)
    return escape_hidden(character)


def cell_width(text: str) -> int:
    """Count the terminal cells of a text: `cell_width("行列") == 4`; plain ASCII does not wait for rich."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def line(*pieces: str | tuple[str, str]) -> Text:
    """Return a line that is never broken, of pieces with or without a style: `line("f = ", ("2*x", "bold"))`."""
    from rich.text import Text

    return Text.assemble(*pieces, no_wrap=True, overflow="ignore")


def prose(text: str, style: str, look: Look) -> Text:
    """Return a sentence that a narrow terminal breaks between words, and a pipe not at all."""
    from rich.text import Text

    if look.width is None:
        return Text(text, style)
    lines = Text(text, style).wrap(console_for(sys.stdout, look), look.width)
    for part in lines:
        part.rstrip()
    return Text("\n").join(lines)


def indented(part: RenderableType, cells: int) -> RenderableType:
    """Return a line or a table that begins some cells further right; a blank line stays blank."""
    from rich.padding import Padding

    return Padding.indent(part, cells) if part else part


def show(parts: Iterable[RenderableType], stream: TextIO, look: Look) -> None:
    """Write the parts of a screen: `show([line(("0", "dim"), " 1")], sys.stdout, look_at(sys.stdout))`."""
    from rich.console import Group

    console_for(stream, look).print(Group(*parts), crop=False)


def console_for(stream: TextIO, look: Look) -> Console:
    """Return what draws on a stream: it takes text as it is, and asks neither the terminal nor the environment."""
    from rich.console import Console

    return Console(
        file=stream, width=ENDLESS, height=100, color_system="standard" if look.color else None,
        force_terminal=look.color, force_jupyter=False, no_color=False, legacy_windows=False,
        markup=False, emoji=False, highlight=False,
    )  # fmt: skip
