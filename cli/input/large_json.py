r"""Long lists of numbers in JSON, read piece by piece: their text and the array, and never all numbers as objects.

The line `{"x": [1.5, 2.5, ...], "id": 7}` becomes the line `{"x": "\u0000 0", "id": 7}` and an array. Whatever is out
of the ordinary is left to the reader of small texts, which also knows what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.arrays import Array

# A line shorter than this is read at once.
LARGE = 1 << 20
PIECE = 1 << 18
# Strings are passed over whole, so that nothing in them counts as a list.
_STRING_OR_NUMBERS = rb'"(?:[^"\\]|\\.)*+"|\[[-+.\deE,\s\[\]]{%d,}+' % (LARGE // 4)


def lift(line: bytes) -> tuple[bytes, dict[str, Array]] | None:
    """Return a text with words in place of its long lists, and the array for each word; None where that fails."""
    if rb"\u0000" in line:  # a string could be taken for one of the words
        return None
    arrays: dict[str, Array] = {}
    pieces: list[bytes] = []
    end = 0
    for match in re.finditer(_STRING_OR_NUMBERS, line):
        if line[match.start()] == ord('"'):
            continue
        stop = line.rfind(b"]", match.start(), match.end()) + 1
        array = _array(line, match.start(), stop)
        if array is None:
            return None
        word = f"\0 {len(arrays)}"
        arrays[word] = array
        pieces += [line[end : match.start()], json.dumps(word).encode()]
        end = stop
    return (b"".join([*pieces, line[end:]]), arrays) if arrays else None


def _array(line: bytes, start: int, stop: int) -> Array | None:
    """Return the array of a list that stands at a place of a text, None where it is not as plain as most are."""
    import numpy as np

    opening = re.compile(rb"\[+").match(line, start)
    assert opening is not None
    depth = opening.end() - start
    space = b" " if line.find(b", ", start, start + PIECE) >= 0 else b""
    between = b"]" * (depth - 1) + b"," + space + b"[" * (depth - 1)
    rows = line.count(between, start, stop) + 1
    result, filled = None, 0
    try:
        for piece in _pieces(line, start + 1, stop - 1, between, depth):
            part = np.array(json.loads(piece))
            if result is None:
                result = np.empty((rows, *part.shape[1:]))
            if part.dtype.kind not in "iuf" or part.ndim != depth:
                return None
            result[filled : filled + len(part)] = part
            filled += len(part)
    except (ValueError, RecursionError):
        return None
    return result if result is not None and filled == rows and np.isfinite(result).all() else None


def _pieces(line: bytes, start: int, stop: int, between: bytes, depth: int) -> Iterator[bytes]:
    """Yield lists of some rows each, which together are the rows between two places of a text."""
    while start < stop:
        found = line.find(between, min(start + PIECE, stop), stop)
        end = stop if found < 0 else found + depth - 1
        yield b"[%b]" % line[start:end]
        start = stop if found < 0 else found + len(between) - (depth - 1)
