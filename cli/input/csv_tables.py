"""Tables of numbers in text: CSV with any usual delimiter, with or without a header, and choosing columns of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ...core.errors import Source, Span
from . import errors
from .values import to_finite, to_number

if TYPE_CHECKING:
    from ...core.arrays import Array


_MISSING = ("", "na", "n/a", "null", "none", "?", "-", ".")


class _Table(NamedTuple):
    """Where the rows of a table are: the delimiter (None for blanks), the header's names, the first row of numbers."""

    source: Source
    delimiter: str | None
    names: list[str]
    columns: int
    body: int


def read_table(source: Source, columns: str | None) -> Array:
    """Return the numbers of a table as a matrix, or as a vector where it has, or one chooses, one column.

    Example: `read_table(source, "price")` is the column with that name, `"area,rooms"` a matrix of two columns, `"0"`
    and `"1:3"` choose by number as in `A[:, 1:3]`. Raises InputError with the place of a cell that is not a number.
    """
    import numpy as np

    table = _layout(source)
    chosen = list(range(table.columns)) if columns is None else _choose(table, columns)
    vector = len(chosen) == 1 and (columns is None or ":" not in columns)
    try:
        lines, delimiter = source.text[table.body :].splitlines(), table.delimiter
        array = np.loadtxt(lines, delimiter=delimiter, usecols=chosen, ndmin=2, comments="#", quotechar='"')
        sound = bool(np.isfinite(array).all()) and not _uneven(table, array.shape[0])
    except ValueError:
        sound = False
    if not sound:
        array = np.array(list(_read_by_cell(table, chosen)))
    return array[:, 0] if vector else array


def headings(source: Source) -> list[str]:
    r"""Return the names of the columns, none for a text without a header: `headings(Source("d.csv", "a,b\n1,2"))`."""
    return [] if len(list(islice(_lines(source.text), 2))) < 2 else _layout(source).names


def _layout(source: Source) -> _Table:
    """Find the delimiter and the header in the first two lines that are not comments."""
    text = source.text
    lines = list(islice(_lines(text), 2))
    if not lines:
        raise errors.no_rows(source.name)
    delimiter = next((mark for mark in "\t;," if mark in text[slice(*lines[0])]), None)
    first, *rest = [[_unquote(text[slice(*cell)]) for cell in _cells(text, *line, delimiter)] for line in lines]
    # A number below it is what tells the name of a column from a row that begins a table without a header.
    pairs = [pair for row in rest for pair in zip(first, row, strict=False)]
    header = any(_is_label(cell) and to_number(below.replace(",", ".")) is not None for cell, below in pairs)
    if not rest and all(map(_is_label, first)):
        raise errors.no_rows(source.name)
    return _Table(source, delimiter, first if header else [], len(first), lines[1 if header else 0][0])


def _lines(text: str) -> Iterator[Span]:
    """Return the spans of the lines that hold a row: no blank lines, no comments."""
    for match in re.finditer(r"[^\r\n]+", text):
        line = match[0].split("#", 1)[0].rstrip()
        if line.strip():
            yield match.start(), match.start() + len(line)


def _cells(text: str, start: int, end: int, delimiter: str | None) -> Iterator[Span]:
    """Return the spans of the cells between `start` and `end`, without the blanks around them."""
    if delimiter is None:
        yield from (match.span() for match in re.compile(r'"[^"]*"|\S+').finditer(text, start, end))
        return
    pattern = re.compile(rf'(?:"[^"]*"|[^{delimiter}"])*')
    position = start
    while position <= end:
        match = pattern.match(text, position, end)
        stop = match.end() if match else end
        stop = stop if stop == end or text[stop] == delimiter else end
        cell = text[position:stop]
        left = position + len(cell) - len(cell.lstrip())
        yield left, max(left, position + len(cell.rstrip()))
        position = stop + 1


def _unquote(cell: str) -> str:
    return cell[1:-1].strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _is_label(cell: str) -> bool:
    return to_number(cell) is None and cell.lower() not in _MISSING


def _choose(table: _Table, columns: str) -> list[int]:
    """Return the numbers of the columns that a choice such as `price`, `area,rooms`, `0` or `1:3` names."""
    if columns in table.names:
        return _by_name(table, columns)
    return [index for part in columns.split(",") for index in _by_name(table, part.strip())]


def _by_name(table: _Table, part: str) -> list[int]:
    path = table.source.name
    found = [index for index, name in enumerate(table.names) if name == part]
    if len(found) > 1:
        raise errors.ambiguous_column(path, part, found)
    if not found and re.fullmatch(r"-?\d+", part):
        found = list(range(table.columns))[int(part) :][:1]
    elif not found and re.fullmatch(r"(-?\d*):(-?\d*)", part):
        first, last = (int(bound) if bound else None for bound in part.split(":"))
        found = list(range(table.columns))[first:last]
    if not found:
        import difflib

        near = difflib.get_close_matches(part, table.names) or [n for n in table.names if n.lower() == part.lower()]
        raise errors.no_such_column(path, part, table.names, table.columns, near)
    return found


def _uneven(table: _Table, rows: int) -> bool:
    """Whether rows differ in length: with chosen columns, rows that are too long or too short pass unnoticed."""
    if table.delimiter is None:
        return False
    text = table.source.text[table.body :]
    return '"' not in text and "#" not in text and text.count(table.delimiter) != rows * (table.columns - 1)


def _read_by_cell(table: _Table, chosen: list[int]) -> Iterator[list[float]]:
    """Return the chosen numbers of each row, or the error of the first row or cell that cannot be read."""
    source = table.source
    for start, end in _lines(source.text):
        if start < table.body:
            continue
        cells = list(_cells(source.text, start, end, table.delimiter))
        if len(cells) != table.columns:
            raise errors.uneven_row(source, (start, end), len(cells), table.columns)
        row = []
        for index in chosen:
            cell = _unquote(source.text[slice(*cells[index])])
            value = to_finite(cell)
            if value is None:
                _refuse_cell(table, index, cells[index], cell)
            row.append(value)
        yield row


def _refuse_cell(table: _Table, index: int, span: Span, cell: str) -> NoReturn:
    column = f"column {index}" + (f" (`{table.names[index]}`)" if table.names else "")
    helps = []
    if not cell:
        label = f"{column} is empty here"
        span = (span[0], span[0] + 1)
    elif table.delimiter == ";" and re.fullmatch(r"[-+]?\d+,\d+", cell):
        label = f"{column} has a decimal comma"
        helps = [f"tr , . < {table.source.name} > points.csv"]
    else:
        label = f"{column} is not a finite number"
    others = [str(position) for position in range(table.columns) if position != index]
    if not helps and others:
        helps = [f"choose other columns: @{table.source.name}:{','.join(others[:8])}"]
    raise errors.not_a_cell(table.source, span, label, helps)
