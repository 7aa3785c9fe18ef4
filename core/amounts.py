"""Amounts as people read them: numbers of entries, bytes."""

from __future__ import annotations

from math import ceil, log10

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
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
