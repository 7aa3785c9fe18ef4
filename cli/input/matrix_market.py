"""Matrix Market files (.mtx): arrays and coordinate lists, made dense but for large matrices with few entries."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ...core.errors import Source, Span
from ...grammar.numerals import MOST_DIGITS
from . import errors
from .numpy_files import checked
from .room import ask_for
from .sparse_matrices import of_coordinates, stays_sparse
from .values import to_finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...core.arrays import Array

MAGIC = "%%MatrixMarket"
_HEADER = re.compile(r"%%MatrixMarket[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t\r]*$", re.MULTILINE)
_ALLOWED = (
    ("matrix",),
    ("array", "coordinate"),
    ("real", "integer", "double", "pattern"),
    ("general", "symmetric", "skew-symmetric"),
)


class _Content(NamedTuple):
    """The numbers of a file after its size line, and where the size line is."""

    name: str
    source: Source
    size: Span
    rows: int
    columns: int
    symmetry: str
    numbers: Array
    sparse: bool

    def expect(self, count: int) -> Array:
        """Return the numbers, refused where they are not as many."""
        if len(self.numbers) != count:
            self.refuse(f"expected {count} numbers after this, found {len(self.numbers)}")
        return self.numbers

    def refuse(self, label: str) -> NoReturn:
        raise errors.malformed_matrix_market(self.source, self.size, label)


def read_matrix_market(name: str, source: Source) -> Array:
    """Return the float64 matrix of a Matrix Market text; entries given twice are added.

    Example: a text that begins with `%%MatrixMarket matrix coordinate real general`. A large matrix of which few
    coordinates are given stays sparse. `name` is the input that it is for. Raises InputError for complex matrices, for
    matrices beyond `--max-memory`, and with the place of what breaks the format.
    The format: https://math.nist.gov/MatrixMarket/formats.html
    """
    layout, field, symmetry = _qualifiers(source)
    # Comments become blanks of the same length, so that spans stay true.
    text = re.sub(r"(?m)^[ \t]*%.*$", lambda comment: " " * len(comment[0]), source.text)
    wanted = 3 if layout == "coordinate" else 2
    size = list(islice(re.compile(r"\S+").finditer(text), wanted))
    if len(size) < wanted or not all(word[0].isdecimal() and len(word[0]) <= MOST_DIGITS for word in size):
        end = len(source.text.rstrip())
        span = (size[0].start(), size[-1].end()) if size else (end, end + 1)
        label = "expected rows, columns and the number of entries" if wanted == 3 else "expected rows and columns"
        raise errors.malformed_matrix_market(source, span, label)
    rows, columns, *entries = (int(word[0]) for word in size)
    sparse = bool(entries) and stays_sparse(rows, columns, entries[0])
    if not sparse:
        ask_for(8 * rows * columns, source.name, f"the {rows}×{columns} matrix")
    numbers = _numbers(source, text, size[-1].end())
    content = _Content(name, source, (size[0].start(), size[-1].end()), rows, columns, symmetry, numbers, sparse)
    if symmetry != "general" and rows != columns:
        content.refuse(f"a {symmetry} matrix is square, and this is {rows}×{columns}")
    matrix = _coordinates(content, entries[0], field) if entries else _listed(content)
    return matrix if sparse else checked(name, matrix, source.name)


def _qualifiers(source: Source) -> tuple[str, str, str]:
    """Return the layout, field and symmetry that the first line names."""
    start = source.text.index(MAGIC)
    header = _HEADER.match(source.text, start)
    if header is None:
        label = "expected `%%MatrixMarket matrix LAYOUT FIELD SYMMETRY`"
        raise errors.malformed_matrix_market(source, (start, start + len(MAGIC)), label)
    for group, allowed in enumerate(_ALLOWED, start=1):
        if header[group].lower() not in allowed:
            label = f"matgrad reads {' or '.join(allowed)}"
            raise errors.malformed_matrix_market(source, header.span(group), label)
    layout, field, symmetry = (header[group].lower() for group in (2, 3, 4))
    if layout == "array" and field == "pattern":
        raise errors.malformed_matrix_market(source, header.span(3), "only coordinates can be a pattern")
    return layout, field, symmetry


def _numbers(source: Source, text: str, start: int) -> Array:
    import numpy as np

    try:
        numbers = np.array(text[start:].split(), dtype=np.float64)
    except ValueError:
        numbers = None
    if numbers is not None and np.isfinite(numbers).all():
        return numbers
    words = re.compile(r"\S+").finditer(text, start)
    bad = next(word for word in words if to_finite(word[0]) is None)
    raise errors.malformed_matrix_market(source, bad.span(), "expected a finite number")


def _listed(content: _Content) -> Array:
    """Return the matrix whose entries are listed column by column; of a symmetric one only the lower triangle."""
    import numpy as np

    rows, columns, skew = content.rows, content.columns, content.symmetry == "skew-symmetric"
    if content.symmetry == "general":
        return np.ascontiguousarray(content.expect(rows * columns).reshape(columns, rows).T)
    numbers = content.expect(rows * (rows - 1 if skew else rows + 1) // 2)
    column, row = np.triu_indices(rows, 1 if skew else 0)
    return _filled(content, row, column, numbers)


def _coordinates(content: _Content, entries: int, field: str) -> Array:
    """Return the matrix whose entries are lines of row, column and, unless it is a pattern of ones, value."""
    import numpy as np

    width = 2 if field == "pattern" else 3
    table = content.expect(entries * width).reshape(entries, width)
    row, column = table[:, 0] - 1, table[:, 1] - 1
    outside = (row < 0) | (row >= content.rows) | (column < 0) | (column >= content.columns)
    if outside.any():
        first = table[outside][0]
        content.refuse(f"the entry at row {first[0]:g}, column {first[1]:g} is outside the matrix")
    value = np.ones(entries) if field == "pattern" else table[:, 2]
    return _filled(content, row.astype(np.intp), column.astype(np.intp), value)


def _filled(content: _Content, row: NDArray[np.intp], column: NDArray[np.intp], value: Array) -> Array:
    """Return the matrix with these entries and, where it is symmetric, their mirror images."""
    import numpy as np

    if content.symmetry != "general":
        mirrored = row != column
        sign = -1.0 if content.symmetry == "skew-symmetric" else 1.0
        row, column = np.append(row, column[mirrored]), np.append(column, row[mirrored])
        value = np.append(value, sign * value[mirrored])
    shape = (content.rows, content.columns)
    if content.sparse:
        return of_coordinates(content.name, content.source.name, shape, row, column, value)
    matrix = np.zeros(shape)
    np.add.at(matrix, (row, column), value)
    return matrix
