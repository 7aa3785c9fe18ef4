"""The answer as JSON: every digit, valid everywhere, the same keys each time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from json.encoder import encode_basestring_ascii as _string
from typing import TYPE_CHECKING

import numpy as np

from ... import __version__
from ...core.arrays import Array, all_finite, silent
from ...core.errors import MatgradError
from ...core.problems.answer import Answer, Check, Input, Result, readings_of
from ...core.sparse import Sparse
from .advice import shell
from .layouts import SAMPLE, apply_layout
from .messages import error_record

if TYPE_CHECKING:
    from ...core.compressed.structured import Structured

LINE_BREAKS_BEFORE = ("inputs", "value", "results", "claim", "warnings")
# So many numbers are made objects at a time.
PIECE = 1 << 16
OWN_FIELDS = frozenset(
    (
        "matgrad",
        "command",
        "expr",
        "batch",
        "reduce",
        "read",
        "inputs",
        "value",
        "results",
        "warnings",
        "nonfinite",
        "error",
    )
)


@silent
def json_text(answer: Answer, *, precision: int | None = None, layout: str = "generalized") -> Iterator[str]:
    """Return an answer as one JSON object on a few lines, with a final line feed, in pieces.

    A number that is not finite is null in its data and listed under `nonfinite`, with where it is.
    """
    numbers = _Numbers(precision)
    parts = _parts(answer, numbers, layout)
    starts = {key: "\n " if key in LINE_BREAKS_BEFORE else " " for key in parts}
    pieces = [f"{starts[key]}{json.dumps(key)}: {text}" for key, text in parts.items()]
    return numbers.filled_in("{" + ",".join(pieces).lstrip() + "}\n")


@silent
def json_line(
    answer: Answer, *, precision: int | None = None, layout: str = "generalized", others: Mapping[str, object] = {}
) -> Iterator[str]:
    """Return an answer as one JSON object on one line, with a final line feed, in pieces.

    `others` are fields that pass through, in front; the names of the answer's own, and `error`, are taken.
    """
    numbers = _Numbers(precision)
    return numbers.filled_in(_object({**_passed(others), **_parts(answer, numbers, layout)}) + "\n")


def error_line(error: MatgradError, others: Mapping[str, object]) -> str:
    """Return an error as a JSON object on one line, with the fields that pass through."""
    return _object({**_passed(others), "error": json.dumps(error_record(error))}) + "\n"


def _passed(others: Mapping[str, object]) -> dict[str, str]:
    return {name: json.dumps(_plain(value)) for name, value in others.items() if name not in OWN_FIELDS}


def _parts(answer: Answer, numbers: _Numbers, layout: str) -> dict[str, str]:
    """Return the JSON text of each key, in order."""
    results = [apply_layout(result, layout) if result.compressed is None else result for result in answer.results]
    broken = [] if answer.value is None else _nonfinite("value", answer.value)
    for number, result in enumerate(results):
        broken += _nonfinite(f"results[{number}]", result.data)
    head = {"matgrad": __version__, "command": answer.command, "expr": answer.expression}
    parts = {key: _string(text) for key, text in head.items()}
    if answer.batch is not None:
        parts["batch"] = str(answer.batch)
    if answer.reduce is not None:
        parts["reduce"] = _string(answer.reduce)
    read = readings_of(answer.inputs)
    if read:
        parts["read"] = json.dumps({name: reading.kind for name, reading in read.items()})
    word = "cotangent" if answer.command == "vjp" else "tangent"
    # No name of an input has a space in it, so a direction cannot be taken for one.
    given = {**answer.inputs, **{f"{word} for {name}": item for name, item in answer.directions.items()}}
    parts["inputs"] = _object({name: _input(item, numbers) for name, item in given.items()})
    parts["value"] = "null" if answer.value is None else numbers.array(answer.value)
    parts["results"] = "[" + ", ".join([_result(result, numbers) for result in results]) + "]"
    parts |= {key: json.dumps(_plain(value)) for key, value in answer.details.items() if key not in parts}
    told = [
        {"code": w.code, "message": w.message, "span": w.span, "notes": [*map(shell, w.notes)]} for w in answer.warnings
    ]
    parts["warnings"] = json.dumps(told) if told else "[]"
    parts["nonfinite"] = json.dumps(broken) if broken else "[]"
    return parts


def _object(parts: Mapping[str, str]) -> str:
    return "{" + ", ".join([f"{_string(key)}: {text}" for key, text in parts.items()]) + "}"


def _list(items: Iterable[object]) -> str:
    """Return short words and whole numbers as JSON: the encoder takes longer to begin than they take."""
    return f"[{', '.join([_string(item) if isinstance(item, str) else str(item) for item in items])}]"


class _Numbers:
    """The numbers of an answer as text: of a large array that is made when it is written, piece by piece.

    Until then a mark stands in its place, which no string in JSON holds as it is.
    """

    MARK = "\0"

    def __init__(self, precision: int | None) -> None:
        self._precision = precision
        self._large: list[tuple[Array, int | None]] = []

    def array(self, array: Array) -> str:
        """Return the shape and the numbers of an array as an object."""
        return _object({"shape": _list(array.shape), "data": self.data(array)})

    def data(self, array: Array, *, exact: bool = False) -> str:
        """Return nested lists, or the mark for them; `exact` ones keep all digits."""
        array, precision = np.asarray(array, dtype=float), None if exact else self._precision
        if array.size <= PIECE:
            return _lists(array, precision)
        self._large.append((array, precision))
        return self.MARK

    def filled_in(self, text: str) -> Iterator[str]:
        """Yield a text with numbers in the places of the marks."""
        first, *others = text.split(self.MARK)
        yield first
        for (array, precision), other in zip(self._large, others, strict=True):
            yield from _pieces(array, precision)
            yield other


def _pieces(array: Array, precision: int | None) -> Iterator[str]:
    """Yield nested lists, some rows at a time: numbers as objects take much room."""
    if array.size <= PIECE:
        yield _lists(array, precision)
        return
    rows = PIECE * len(array) // array.size
    yield "["
    for start in range(0, len(array), rows or 1):
        yield ", " if start else ""
        if rows:
            yield _lists(array[start : start + rows], precision)[1:-1]
        else:
            yield from _pieces(array[start], precision)
    yield "]"


def _lists(array: Array, precision: int | None) -> str:
    """Return nested lists: what Python prints for finite floats is JSON, and far faster than an encoder."""
    if precision is not None:
        array = np.array([float(f"{value:.{precision}g}") for value in array.ravel().tolist()]).reshape(array.shape)
    text = repr(array.tolist())
    return text.replace("nan", "null").replace("-inf", "null").replace("inf", "null") if "n" in text else text


def _input(given: Input, numbers: _Numbers) -> str:
    parts = {"shape": _list(np.shape(given.value)), "source": _string(given.source)}
    if isinstance(given.value, Sparse):
        parts["nnz"] = str(len(given.value.stored))
    if given.source == "random":
        parts |= {"seed": json.dumps(given.seed), "law": json.dumps(given.law)}
        parts["data"] = numbers.data(given.value, exact=True)
    return _object(parts)


def _result(result: Result, numbers: _Numbers) -> str:
    return _object(
        {
            "wrt": _list(result.wrt),
            "shape": _list(result.shape),
            "axes": _list([SAMPLE] * (len(result.shape) - len(result.axes)) + list(result.axes)),
            "data": "null" if result.compressed is not None else numbers.data(result.data),
            **({} if result.compressed is None else _compressed(result.compressed, numbers)),
            "formula": "null" if result.formula is None else _string(result.formula),
            **({"sizes": json.dumps(dict(result.sizes))} if result.sizes else {}),
            **({"origins": json.dumps(dict(result.origins))} if result.origins else {}),
            **({"condition": json.dumps(result.condition)} if result.condition else {}),
            "structure": "null" if result.structure is None else _string(result.structure),
            **({"convention": json.dumps(result.convention)} if result.convention else {}),
            **({"sources": _list(result.sources)} if result.sources else {}),
            "check": "null" if result.check is None else _check(result.check),
        }
    )


def _compressed(compressed: Structured, numbers: _Numbers) -> dict[str, str]:
    """Return a derivative in compressed form: its terms, and the arrays that they are made of.

    They stand beside the word `compressed`, which is true of such a result, and within it, with the number of entries.
    """
    terms = json.dumps([{"indices": term.indices, "structure": term.structure} for term in compressed.terms])
    arrays = _object({name: numbers.array(array) for name, array in compressed.arrays.items()})
    whole = _object({"entries": str(compressed.entries), "terms": terms, "factors": arrays})
    return {"compressed": whole, "terms": terms, "arrays": arrays}


def _check(check: Check) -> str:
    """Return the relative error of each means, null where it does not apply.

    `passed` is null where nothing is vouched for.
    """
    errors = {"finite_differences": check.finite_differences, "formula": check.formula}
    record = {
        means: repr(float(error)) if error is not None and math.isfinite(error) else "null"
        for means, error in errors.items()
    }
    record["passed"] = "false" if not check.passed else "true" if check.vouched else "null"
    if check.digits_lost:
        record["digits_lost"] = str(check.digits_lost)
    if check.note:
        record["note"] = _string(check.note)
    return _object(record)


def _plain(value: object) -> object:
    """Reduce a value to what JSON can say: arrays to lists, numbers that are not finite to null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _nonfinite(place: str, array: Array) -> list[dict[str, object]]:
    places = [] if all_finite(array) else np.argwhere(~np.isfinite(array)).tolist()
    return [{"in": place, "index": index, "value": str(float(array[tuple(index)]))} for index in places]
