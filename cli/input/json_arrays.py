"""JSON text to arrays: fast where the text is right, exact about the place where it is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ...core.errors import Source, Span
from . import errors
from .errors import Destination, count
from .json_syntax import malformed

if TYPE_CHECKING:
    from ...core.arrays import Array

Path = tuple[str | int, ...]
Indices = tuple[int, ...]

_MOST_AXES = 32


def read_json(source: Source, parse_int: Callable[[str], object] = int) -> object:
    """Return the value of a JSON text, refused where a key is given twice.

    Example: `read_json(Source("stdin", '{"a": [1, 2]}'))` is `{"a": [1, 2]}`. Raises InputError with the place of what
    is not JSON. `parse_int` reads what has neither a point nor an exponent.
    """
    try:
        value: object = _decoder(parse_int).decode(source.text)
        return value
    except _DuplicateKeyError as error:
        _point_at_duplicate(source, error.args[0])
    except json.JSONDecodeError as error:
        raise malformed(source, error) from None
    except RecursionError:
        raise errors.nested_too_deeply(source) from None
    except ValueError:
        # Python refuses to read an integer of thousands of digits.
        return read_json(source, float)


def read_object(source: Source, destination: Destination | None) -> dict[str, object]:
    """Return the names and values of a JSON object; `destination` is the example to offer where it is none."""
    value = read_json(source)
    if isinstance(value, dict):
        return value
    span = (_skip_blanks(source.text, 0), len(source.text.rstrip()))
    raise errors.not_an_object(source, span, _kind(value), destination)


def to_array(name: str, value: object, source: Source, path: Path) -> Array:
    """Return the float64 array of a JSON value found at `path` in the source.

    Example: `to_array("A", [[1, 2], [3, 4]], source, ("A",))` has shape (2, 2). Raises InputError where the value is
    ragged, empty, not finite or holds anything but numbers.
    """
    import numpy as np

    entry = _Entry(name, source, path)
    # NumPy would read `true` as 1, so a text with booleans is walked.
    suspicious = "true" in source.text or "false" in source.text
    try:
        array = None if suspicious or isinstance(value, dict) else np.array(value)
    except (ValueError, RecursionError):
        array = None
    if array is None or array.dtype.kind not in "iuf" or array.ndim > _MOST_AXES:
        if isinstance(value, list) and suspicious and (mask := _mask(value)) is not None:
            return mask
        entry.inspect(value)
        array = np.array(value, dtype=np.float64)
    result: Array = array.astype(np.float64, copy=False)
    if result.size == 0:
        raise errors.empty_array(name, f"{source.name}: {name}", result.shape)
    finite = np.isfinite(result)
    if not finite.all():
        entry.refuse_infinity(tuple(int(position) for position in np.argwhere(~finite)[0]))
    return result


def _mask(value: list[object]) -> Array | None:
    """Return a list of `true` and `false` as a mask, None where it is none: the mistake is then looked for."""
    import numpy as np

    from ...core.arrays import as_mask

    try:
        array = np.array(value)
    except (ValueError, RecursionError):
        return None
    alike = array.dtype.kind == "b" and array.size and array.ndim <= _MOST_AXES
    return as_mask(array) if alike else None


def locate(text: str, path: Path) -> Span:
    """Return the span of the value at `path` in a valid JSON text.

    Example: `locate('{"a": [1, 25]}', ("a", 1))` is `(10, 12)`.
    """
    start = _skip_blanks(text, 0)
    for step in path:
        start = next(value for key, _, value in _members(text, start) if key == step)
    return start, _decode(text, start)[1]


class _Entry(NamedTuple):
    """A value in a JSON text, to be searched for what is wrong with it."""

    name: str
    source: Source
    path: Path

    def spell(self, indices: Indices) -> str:
        return self.name + "".join(f"[{index}]" for index in indices)

    def inspect(self, value: object) -> None:
        """Raise the error of the first thing that keeps a value from being an array of numbers."""
        try:
            self._shape(value, ())
        except RecursionError:
            raise errors.nested_too_deeply(self.source) from None

    def _shape(self, value: object, indices: Indices) -> tuple[int, ...]:
        if type(value) is int and abs(value) > sys.float_info.max:
            self.refuse_infinity(indices)
        if type(value) in (int, float):
            return ()
        if not isinstance(value, list):
            self._refuse_stranger(value, indices)
        if len(indices) == _MOST_AXES:
            raise errors.nested_too_deeply(self.source)
        shapes = [self._shape(item, (*indices, index)) for index, item in enumerate(value)]
        for index, shape in enumerate(shapes):
            if shape != shapes[0]:
                first, other = self.spell((*indices, 0)), self.spell((*indices, index))
                note = f"{first} {_describe(shapes[0])}, {other} {_describe(shape, short=len(shapes[0]) == 1)}"
                raise errors.not_rectangular(self.name, f"{self.source.name}: {other}", [note])
        return (len(value), *shapes[0]) if shapes else (0,)

    def _refuse_stranger(self, value: object, indices: Indices) -> NoReturn:
        helps = {
            str: "write numbers without quotes",
            bool: "write 1 for true and 0 for false",
            type(None): "leave out what is missing, or give a number",
            dict: "an input is a number or a nested list",
        }
        span = locate(self.source.text, (*self.path, *indices))
        label = f"{self.spell(indices)} is {_kind(value)}"
        raise errors.not_a_number(self.name, self.source, span, label, [helps[type(value)]])

    def refuse_infinity(self, indices: Indices) -> NoReturn:
        span = locate(self.source.text, (*self.path, *indices))
        written = self.source.text[slice(*span)]
        huge = written.lstrip("-")[0].isdigit()
        label = f"{self.spell(indices)} is {'beyond the largest double, 1.8e308' if huge else written}"
        raise errors.not_finite_text(self.name, self.source, span, label)


def _describe(shape: tuple[int, ...], short: bool = False) -> str:
    if shape == ():
        return "is a number"
    if len(shape) == 1:
        return f"has {shape[0]}" if short else f"has {count(shape[0], 'number')}"
    return f"is {'×'.join(map(str, shape))}"


def _kind(value: object) -> str:
    kinds = {type(None): "null", list: "a list", str: "text", bool: "a boolean", dict: "an object"}
    return kinds.get(type(value), "a number")


class _DuplicateKeyError(Exception):
    """An object has a key twice; the argument is the key."""


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(next(key for key in members if keys.count(key) > 1))
    return members


# Made once: a line of JSON Lines takes less time to read than it takes to make one.
@cache
def _decoder(parse_int: Callable[[str], object]) -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_int=parse_int)


def _point_at_duplicate(source: Source, key: str) -> NoReturn:
    objects = _key_spans(source.text, _skip_blanks(source.text, 0), key)
    try:
        spans = next(spans for spans in objects if len(spans) > 1)
    except RecursionError:
        raise errors.nested_too_deeply(source) from None
    raise errors.duplicate_key(source, key, spans[0], spans[1])


def _key_spans(text: str, start: int, key: str) -> Iterator[list[Span]]:
    """For each object of the text, the spans at which it has the key."""
    if text[start] not in "[{":
        return
    members = list(_members(text, start))
    yield [span for found, span, _ in members if found == key]
    for _, _, value in members:
        yield from _key_spans(text, value, key)


_decode: Callable[[str, int], tuple[object, int]] = json.JSONDecoder(parse_int=float).raw_decode


def _members(text: str, start: int) -> Iterator[tuple[str | int, Span, int]]:
    """Return the key or index, the span of the key, and the start of each value in the object or list at `start`."""
    position, index = _skip_blanks(text, start + 1), 0
    while text[position] not in "]}":
        key: object = index
        span = (position, position)
        if text[start] == "{":
            key, end = _decode(text, position)
            span = (position, end)
            position = _skip_blanks(text, _skip_blanks(text, end) + 1)
        assert isinstance(key, str | int)
        yield key, span, position
        position = _skip_blanks(text, _decode(text, position)[1])
        position = _skip_blanks(text, position + 1) if text[position] == "," else position
        index += 1


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\n\r":
        position += 1
    return position
