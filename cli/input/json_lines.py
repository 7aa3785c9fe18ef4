"""JSON Lines: an object of inputs on each line, with whatever else it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...core.errors import InputError, Span
from .files import Document, text_of
from .json_arrays import read_object, to_array
from .large_json import LARGE, lift

if TYPE_CHECKING:
    from ...core.arrays import Array
    from ...core.problems.answer import Input


class Line(NamedTuple):
    """One line: its number, its inputs, its other fields, and what is wrong with it if anything is."""

    number: int
    inputs: Mapping[str, Input]
    others: Mapping[str, object]
    error: InputError | None = None


def read_lines(
    lines: Iterable[bytes],
    needed: Mapping[str, Span],
    *,
    source: str = "stdin",
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[Line]:
    """Yield the lines of JSON Lines as they arrive; blank ones are skipped.

    Example: `next(read_lines([b'{"a": 1, "id": 7}'], {"a": (0, 1)})).inputs["a"].value` is 1. Names without a value are
    for the caller to look for elsewhere; `advance` is told the bytes of each line. Of a long line no more is held than
    its text and its numbers, and when it is yielded its numbers alone.
    """
    number = 0
    arriving = iter(lines)
    while (line := next(arriving, None)) is not None:
        number += 1
        size = len(line)
        found = None if not line or line.isspace() else _read(number, Document(source, line), needed)
        del line
        if found is not None:
            yield found
            del found
        advance(size)


def _read(number: int, document: Document, needed: Mapping[str, Span]) -> Line:
    if len(document.data) > LARGE:
        lifted = lift(document.data)
        if lifted is not None:
            text, arrays = lifted
            line = _read_small(number, document._replace(data=text), needed, arrays)
            if not arrays and line.error is None:
                return line
    return _read_small(number, document, needed, {})


def _read_small(number: int, document: Document, needed: Mapping[str, Span], arrays: dict[str, Array]) -> Line:
    """Read a line; `arrays` stand for words in it, and those that are inputs are taken out."""
    from ...core.problems.answer import Input

    others: dict[str, object] = {}
    inputs: dict[str, Input] = {}
    try:
        text = text_of(document)._replace(first_line=number)
        values = read_object(text, None)
        others = {name: value for name, value in values.items() if name not in needed}
        for name, value in values.items():
            if name in needed:
                known = arrays.pop(value, None) if isinstance(value, str) else None
                inputs[name] = Input(to_array(name, value, text, (name,)) if known is None else known, document.name)
    except InputError as error:
        place = f"{document.name}:{number}"
        if error.source is None:  # what shows no text names its document, and is to name the line
            error.place = place + str(error.place or "").removeprefix(document.name)
        return Line(number, {}, others, error)
    return Line(number, inputs, others)
