"""What a stream can show, and writing to it safely: colour, characters, width.

Nothing heavy is imported here: an error message passes through this module before numpy or rich are needed. rich draws
only where there is colour; plain text needs none of it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TextIO

from .terminal import columns

Piece = tuple[str, str]
Line = list[Piece]

GLYPHS = "∂│─┼✓✗…⋮×·²"
UNSET = ("", "0", "false")
ASCII_SPELLINGS = {
    "×": "x", "…": "...", "∂": "d", "→": "->", "·": "*", "✓": "ok", "✗": "!!", "≤": "<=", "≥": ">=", "≠": "!=",
    "−": "-", "–": "-", "—": "--", "∞": "inf", "²": "^2", "³": "^3", "‘": "'", "’": "'", "“": '"', "”": '"', "⋮": "...",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
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


def _encodes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(text: str, ascii: bool) -> str:
    """Return text that cannot steer the terminal: control characters are escaped, and all but ASCII where asked.

    Example: `printable("a\\x1b[2J", False) == "a\\\\x1b[2J"`. Invisible and direction-changing characters count as
    control characters.
    """
    return "".join(printable_character(character, ascii) for character in text)


def printable_character(character: str, ascii: bool) -> str:
    """Return one character as it may be shown: `printable_character("×", True) == "x"`."""
    if " " <= character <= "~":
        return character
    if character == "\t":
        return " "
    if ascii and character in ASCII_SPELLINGS:
        return ASCII_SPELLINGS[character]
    if ascii or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"):
        return escape(character)
    return character


def escape(character: str) -> str:
    """Spell a character as its backslash escape: `escape("θ") == "\\\\u03b8"`."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell_width(text: str) -> int:
    """Count the terminal cells of a text: `cell_width("行列") == 4`; combining marks take none."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def plain_text(lines: Iterable[Line]) -> str:
    """Join lines of styled pieces into text without styles or trailing spaces."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def show(lines: Iterable[Line], stream: TextIO, look: Look) -> None:
    """Write lines of styled pieces: `show([[("0", "dim"), (" 1", "")]], sys.stdout, look_at(sys.stdout))`."""
    if not look.color:
        stream.write(plain_text(lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=stream, force_terminal=True, color_system="standard", no_color=False, width=look.width or 80, height=100,
        markup=False, emoji=False, highlight=False,
    )  # fmt: skip
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)
