"""How wide a terminal is: apart from what else a stream can show, for help pages need no more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


def columns(stream: TextIO, environment: Mapping[str, str]) -> int:
    """Return how many columns a terminal has: what `COLUMNS` says, the terminal itself, or 80."""
    told = environment.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
