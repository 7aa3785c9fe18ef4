r"""Text of a stranger, made harmless: nothing in it steers a terminal, hides, or turns the direction of reading.

Expressions, comments, names of files, keys and headings come from elsewhere, and are shown in answers, in errors and in
printed code. All of them go through here.
"""

from __future__ import annotations

from unicodedata import category

# Controls, formats such as marks of direction, surrogates, what is private or unassigned, and ends of lines.
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def escaped(text: str) -> str:
    r"""Return text on one line in which every character can be seen: `escaped("a\x1b[2J") == "a\\x1b[2J"`."""
    return "".join(map(escape_hidden, text))


def escape_hidden(character: str) -> str:
    """Return a character that can be seen as it is, and another one as its backslash escape."""
    visible = " " <= character <= "~" or category(character) not in HIDDEN
    return character if visible else escape(character)


def escape(character: str) -> str:
    r"""Spell a character as its backslash escape: `escape("θ") == "\\u03b8"`."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
