"""JSON Lines: an object of inputs on each line, with whatever else it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...core.errors import InputError, Span
from .files import Document, text_of
from .json_arrays import read_object, to_array

if TYPE_CHECKING:
    from ...core.problems.answer import Input


class Line(NamedTuple):
    """One line: its number, its inputs, its other fields, and what is wrong with it if anything is."""

    number: int
    inputs: Mapping[str, Input]
    others: Mapping[str, object]
    error: InputError | None = None


def read_lines(lines: Iterable[bytes], needed: Mapping[str, Span], *, source: str = "stdin") -> Iterator[Line]:
    """Yield the lines of JSON Lines as they arrive; blank ones are skipped.

    Example: `next(read_lines([b'{"a": 1, "id": 7}'], {"a": (0, 1)})).inputs["a"].value` is 1. Names without a value are
    for the caller to look for elsewhere.
    """
    for number, line in enumerate(lines, 1):
        document = Document(source, line)
        if not document.blank:
            yield _read(number, document, needed)


def _read(number: int, document: Document, needed: Mapping[str, Span]) -> Line:
    from ...core.problems.answer import Input

    others: dict[str, object] = {}
    inputs: dict[str, Input] = {}
    try:
        text = text_of(document)._replace(first_line=number)
        values = read_object(text, None)
        others = {name: value for name, value in values.items() if name not in needed}
        for name, value in values.items():
            if name in needed:
                inputs[name] = Input(to_array(name, value, text, (name,)), document.name)
    except InputError as error:
        place = f"{document.name}:{number}"
        if error.source is None:  # what shows no text names its document, and is to name the line
            error.place = place + str(error.place or "").removeprefix(document.name)
        return Line(number, {}, others, error)
    return Line(number, inputs, others)
