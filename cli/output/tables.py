"""Matrices as tables that rich draws: labels, numbers at one precision, whole rows and columns elided.

What is shown, and with how many digits, is chosen by `lay_out`; the table of one matrix is made by `Grid.table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rich.box import Box
from rich.table import Table
from rich.text import Text

from ...core.arrays import Array
from .console import Look, cell_width, printable
from .digits import NumberFormat, choose_format
from .layouts import View, listed

MOST_ROWS = 20
MOST_BLOCKS = 12
EDGE = 3
ALL_OF_A_PIPE = 10_000
GAP = 2
RULE, ASCII_RULE = (Box(f"    \n    \n {rule}{rule} \n" + 5 * "    \n", ascii=rule == "-") for rule in "─-")

Shown = list[int | None]


@dataclass(frozen=True, eq=False)
class Grid:
    """The shown part of a pile of matrices.

    `blocks`, `rows` and `columns` are the indices shown, None where some are left out. All blocks share their columns,
    widths and number format, so that they can be compared.
    """

    seen: View
    look: Look
    blocks: Shown
    rows: Shown
    columns: Shown
    number_format: NumberFormat

    @cached_property
    def digits_hidden(self) -> bool:
        """Whether a number that is shown has more digits than are shown."""
        values = _visible(self.seen.data, self.blocks, self.rows, self.columns).ravel()
        texts = [float(self.number_format(value)) for value in values.tolist()]
        return not np.array_equal(texts, values, equal_nan=True)

    @property
    def elision(self) -> str:
        """Say what is not shown, or nothing: `94 of 100 rows`."""
        words = ("blocks", "rows" if self.has_header else "entries", "columns")
        sides = zip(self.seen.data.shape, (self.blocks, self.rows, self.columns), words, strict=True)
        elided = [(total, total - len(_present(shown)), word) for total, shown, word in sides if None in shown]
        return listed([f"{missing} of {total} {word}" for total, missing, word in elided])

    @property
    def has_header(self) -> bool:
        """Whether columns have labels; a vector has none."""
        return bool(self.seen.columns or self.seen.column_name)

    def table(self, block: int) -> Table:
        """Return one block: a header and a rule where columns have labels, and a row for each index."""
        table = Table(
            box=ASCII_RULE if self.look.ascii else RULE, show_header=self.has_header, show_edge=False, padding=0,
            header_style="cyan", border_style="dim",
        )  # fmt: skip
        # The gap is part of a column: rich takes twice as long where every cell is padded.
        table.add_column(width=self._label_width, style="cyan", no_wrap=True)
        for label, width in zip(self._header(block), self._widths, strict=True):
            table.add_column(Text(label), width=width + GAP - 1, justify="right", no_wrap=True)
        for row in self.rows:
            cells = (Text(text, _style(text)) for text in self._cells(block, row))
            table.add_row(Text(self._row_label(block, row)), *cells)
        return table

    def _cells(self, block: int, row: int | None) -> list[str]:
        if row is None:
            return [_dots(self.look, down=True) for _ in self.columns]
        dots, values = _dots(self.look), self.seen.data[block, row]
        return [dots if column is None else self.number_format(float(values[column])) for column in self.columns]

    def _header(self, block: int) -> list[str]:
        labels = (None if column is None else self.seen.column_label(block, column) for column in self.columns)
        return [_dots(self.look) if label is None else printable(label, self.look.ascii) for label in labels]

    def _row_label(self, block: int, row: int | None) -> str:
        if row is None:
            return _dots(self.look, down=True)
        return printable(self.seen.row_label(block, row), self.look.ascii)

    @cached_property
    def _label_width(self) -> int:
        return max(cell_width(self._row_label(block, row)) for block in _present(self.blocks) for row in self.rows)

    @cached_property
    def _widths(self) -> list[int]:
        shown = _present(self.blocks)
        lines = [self._header(block) for block in shown] if self.has_header else []
        lines += [self._cells(block, row) for block in shown for row in self.rows]
        return [max(map(cell_width, column)) for column in zip(*lines, strict=True)]

    @property
    def width(self) -> int:
        """The cells that a line takes."""
        return self._label_width + sum(self._widths) + GAP * len(self._widths)


def lay_out(seen: View, look: Look, precision: int) -> Grid:
    """Choose what to show of a pile of matrices, and how to write its numbers.

    Example: `lay_out(view(result), Look(width=80), 6).table(0)`. A terminal elides long sides as NumPy does and columns
    to its width; a pipe shows everything up to a generous size, and never breaks a line.
    """
    blocks, rows, columns = seen.data.shape
    if look.width is None:
        everything = seen.data.size <= ALL_OF_A_PIPE
        sides = [_edges(count, everything, MOST_ROWS) for count in (blocks, rows, columns)]
        return _grid(seen, look, (sides[0], sides[1], sides[2]), precision)
    fixed = _edges(blocks, False, MOST_BLOCKS), _edges(rows, False, MOST_ROWS)
    candidates = min(columns, look.width // 2)
    while True:
        grid = _grid(seen, look, (*fixed, _outer(columns, max(candidates, 1))), precision)
        if candidates <= 1 or grid.width <= look.width:
            return grid
        candidates -= max(1, (grid.width - look.width) // (max(grid._widths) + GAP))


def _grid(seen: View, look: Look, sides: tuple[Shown, Shown, Shown], precision: int) -> Grid:
    values = _visible(seen.data, *sides).ravel().tolist()
    return Grid(seen, look, *sides, choose_format(values, precision))


def _visible(data: Array, *sides: Sequence[int | None]) -> Array:
    return data[np.ix_(*map(_present, sides))]


def _present(side: Sequence[int | None]) -> list[int]:
    return [index for index in side if index is not None]


def _edges(count: int, everything: bool, most: int) -> Shown:
    return list(range(count)) if everything or count <= most else _outer(count, 2 * EDGE)


def _outer(count: int, kept: int) -> Shown:
    """Return the indices at both ends, with None for those between."""
    if kept >= count:
        return list(range(count))
    right = kept // 2
    return [*range(kept - right), None, *range(count - right, count)]


def _dots(look: Look, down: bool = False) -> str:
    return "..." if look.ascii else "⋮" if down else "…"


def _style(text: str) -> str:
    if text in ("inf", "-inf", "nan"):
        return "bold yellow"
    return "dim" if text in ("0", "⋮", "…", "...") else ""
