"""Amounts as people read them: numbers of entries, bytes."""

from __future__ import annotations

import re
import sys
from math import ceil, log10

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
SIZE = r"(\d+(?:\.\d*)?|\.\d+)\s*(?:([kmgtp]?)(i?)b)?"
LONGEST_IN_FULL = 10**9


def amount(entries: int) -> str:
    """Return a number of entries: `1 000 000`, `10^12`, `2.5e+11`."""
    if entries < LONGEST_IN_FULL:
        return f"{entries:,}".replace(",", " ")
    power = round(log10(entries))
    return f"10^{power}" if entries == 10**power else f"{entries:.3g}"


def rounded_up(size: int) -> int:
    """Return a number of bytes rounded up to whole units of its size, as people set limits: `75 * 2**30`."""
    unit: int = 1024 ** min((max(size, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    return -(-size // unit) * unit


def memory(size: int, *, round_up: bool = False) -> str:
    """Return a number of bytes: `74.5 GiB`, or `75GiB` as an option takes it."""
    number, units = float(size), list(UNITS)
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{ceil(number)}{units[0]}" if round_up else f"{number:.{3 if number < 999.5 else 4}g} {units[0]}"


def bytes_in(text: str) -> int | None:
    """Return a number of bytes, None for a text that is none: `bytes_in("1GiB") == 2**30`; KB, MB, GB are thousands."""
    match = re.fullmatch(SIZE, text.strip().lower())
    if match is None or (match[3] and not match[2]):
        return None
    power = " kmgtp".index(match[2]) if match[2] else 0
    return int(min(float(match[1]) * (1024 if match[3] else 1000) ** power, sys.maxsize))
