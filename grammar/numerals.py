"""Whole numbers as they are written."""

from __future__ import annotations

import re

MOST_DIGITS = 18
"""What counts entries has no more digits: with them it is the place of no entry."""


def whole_number(text: str, most_digits: int = MOST_DIGITS) -> int | None:
    """Return a whole number, None for other text and for more digits: `whole_number("-12") == -12`."""
    found = re.fullmatch(r"[-+]?(\d+)", text)
    return int(text) if found and len(found[1]) <= most_digits else None
