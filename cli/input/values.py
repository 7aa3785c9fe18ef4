"""Values typed on the command line: numbers, JSON lists, MATLAB's `[1 2; 3 4]`, and what is computed, as `pi/2`."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from ...core.errors import Source
from . import errors
from .errors import Destination, count
from .json_arrays import read_json, to_array

if TYPE_CHECKING:
    from ...core.arrays import Array

# A function, a constant or an operator. In brackets `1 - 2` may be one entry or two, so signs do not count there.
_COMPUTES = r"[^\W\d_]|[/*^(√]|^[^\[]*[-+]"


def parse_value(text: str, destination: Destination, file: str | None = None) -> Array:
    """Return the array that a typed value means; shapes are literal.

    Example: `parse_value("[1 2; 3 4]", Destination.of("A"))` has shape (2, 2), `"[1 2]"` has (2) and `"[1; 2]"` (2, 1).
    A list of `true` and `false`, as JSON or Python write them, is a mask.
    What is no list of numbers may be an expression without inputs: `1/3`, `ones(3)`, `[cos(pi/6), 0.5]`.
    `file` is a file to offer where the value turns out to be its name. Raises InputError.
    """
    import numpy as np

    text = re.sub(r"\b(True|False)\b", lambda word: word[0].lower(), text)
    source = Source(destination.option, text)
    number = to_number(text)
    if number is not None:
        if not math.isfinite(number):
            huge = "beyond the largest double, 1.8e308" if any(map(str.isdigit, text)) else text
            label = f"{destination.name} is {huge}"
            raise errors.not_finite_text(destination.name, source, (0, len(text)), label)
        return np.array(number)
    is_json = _is_json(text)
    rows = None if is_json else _rows(text)
    if rows is not None:
        return _matrix(rows, source, destination)
    if (
        file is None
        and not is_json
        and re.search(_COMPUTES, text)
        and (computed := _computed(text, source, destination)) is not None
    ):
        return computed
    if file is not None or text[:1] not in ("[", "{", "(", '"', "'"):
        raise errors.not_a_value(destination, text, file, _is_json(f"[{text}]"))
    return to_array(destination.name, read_json(source), source, ())


def _computed(text: str, source: Source, destination: Destination) -> Array | None:
    import numpy as np

    from .constants import constant

    value = constant(text, source)
    if value is not None and not np.isfinite(value).all():
        raise errors.not_finite_text(destination.name, source, (0, len(text)), f"{destination.name} is not finite")
    return value


def to_number(text: str) -> float | None:
    """Return the number that a text spells, NaN and infinities included; None for anything else, `1_000` too."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def to_finite(text: str) -> float | None:
    """Return the finite number that a text spells; None for anything else."""
    number = to_number(text)
    return number if number is not None and math.isfinite(number) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _rows(text: str) -> list[list[re.Match[str]]] | None:
    """Return the words of each row of `[1 2; 3 4]`, or None where the text is something else."""
    if not re.fullmatch(r"\[[^\[\]]*\]", text):
        return None
    rows = []
    start = 1
    for row in text[1:-1].split(";"):
        end = start + len(row)
        cells = list(re.compile(r"[^\s,]+").finditer(text, start, end))
        well_separated = re.fullmatch(r"\s*[^\s,]+((\s*,\s*|\s+)[^\s,]+)*\s*", row)
        if not well_separated or any(to_number(cell[0]) is None for cell in cells):
            return None
        rows.append(cells)
        start = end + 1
    return rows


def _matrix(rows: list[list[re.Match[str]]], source: Source, destination: Destination) -> Array:
    import numpy as np

    name = destination.name
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            note = f"{name}[0] has {count(len(rows[0]), 'number')}, {name}[{index}] has {len(row)}"
            raise errors.not_rectangular(name, f"{source.name}: {name}[{index}]", [note])
    numbers = np.array([[float(cell[0]) for cell in row] for row in rows])
    for row, column in np.argwhere(~np.isfinite(numbers))[:1]:
        cell = rows[row][column]
        where = f"{name}[{row}][{column}]" if len(rows) > 1 else f"{name}[{column}]"
        raise errors.not_finite_text(name, source, cell.span(), f"{where} is {cell[0]}")
    return numbers if len(rows) > 1 else numbers[0]
