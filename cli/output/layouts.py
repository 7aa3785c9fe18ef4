"""Views of a derivative: which of its axes are rows, which are columns, which number the blocks, and their labels.

The derivative itself always has the axes of the output, then those of each name. A layout is a rendering of it:

- `generalized`: as it is; on a screen the last two axes are a matrix and those before them number the blocks;
- `numerator`: a matrix whose columns are the entries of the last name, and whose rows are all the axes before it; the
  gradient of a scalar is one row, the Hessian of a scalar is square;
- `denominator`: the transpose of `numerator`; a gradient is one column;
- `flat`: one row per entry of the output and one column per combination of entries of the names; a scalar output
  gives a vector, so `flat` of a gradient by a matrix is its row-major vec.

All flattening is row-major. With a batch the sample axis stays in front.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...core.arrays import Array
from ...core.formulas.layouts import laid_out
from ...core.graph.structure import letter
from ...core.problems.answer import Answer, Result

SAMPLE = "sample"


class Group(NamedTuple):
    """The axes of one name: positions in the data, of sizes that `View.shape` knows. A batch has a group of samples."""

    name: str
    axes: tuple[int, ...]
    samples: bool = False


class View(NamedTuple):
    """A derivative as a pile of matrices: `data[block, row, column]`, with a label for each index.

    `leading`, `rows` and `columns` are positions of axes; a vector has no `columns` and is one column.
    """

    groups: tuple[Group, ...]
    shape: tuple[int, ...]
    leading: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    row_name: str
    column_name: str
    data: Array

    def title(self, block: int) -> str:
        """Name a block: `out[0,1]`, `sample 2  out[0]`; empty where there is one block only."""
        return "  ".join(self._names(self.leading, self._index(self.leading, block), "")) if self.leading else ""

    def row_label(self, block: int, row: int) -> str:
        """Name a row of a block: `out[0]`, or `X[0,:]` where the columns run over `X` too."""
        return self._label(block, self.rows, row, self.row_name)

    def column_label(self, block: int, column: int) -> str:
        """Name a column of a block: `b[0]`."""
        return self._label(block, self.columns, column, self.column_name)

    def names_of(self, axes: Iterable[int]) -> list[str]:
        """Name what axes run over: `["out", "X"]`."""
        wanted = set(axes)
        return [group.name for group in self.groups if wanted & set(group.axes)]

    def _label(self, block: int, axes: tuple[int, ...], flat: int, fallback: str) -> str:
        return " ".join(self._names(axes, self._index(self.leading, block) | self._index(axes, flat), fallback))

    def _index(self, axes: tuple[int, ...], flat: int) -> dict[int, int]:
        """Spread a row-major index over the axes it numbers."""
        index = {}
        for axis in reversed(axes):
            flat, index[axis] = divmod(flat, self.shape[axis])
        return index

    def _names(self, axes: tuple[int, ...], index: dict[int, int], fallback: str) -> Iterator[str]:
        wanted = set(axes)
        if not wanted:
            yield fallback
        for group in self.groups:
            if wanted & set(group.axes):
                places = [str(index[axis]) if axis in index else ":" for axis in group.axes]
                yield f"{SAMPLE} {places[0]}" if group.samples else f"{group.name}[{','.join(places)}]"


def view(result: Result, layout: str = "generalized") -> View:
    """Return a derivative as a pile of matrices: `view(result, "numerator").data[0]` is the matrix."""
    groups, batched = _groups(result)
    by_group = [group.axes for group in groups]
    axes = sum(by_group, ())
    samples = by_group[0] if batched else ()
    body = by_group[1:] if batched else by_group
    if layout == "generalized" or len(body) < 2:
        leading, rows, columns = axes[:-2], axes[-2:-1] or axes[-1:], axes[-1:] if len(axes) > 1 else ()
        return _pile(groups, result.data, leading, rows, columns)
    before, last = sum(body[:-1], ()), body[-1]
    if layout == "flat":
        before, last = body[0], sum(body[1:], ())
        if not before:
            before, last = last, ()
    names = (groups[int(batched)].name, groups[-1].name)
    if layout == "denominator":
        return _pile(groups, result.data, samples, last, before, names[::-1])
    return _pile(groups, result.data, samples, before, last, names if layout == "numerator" else (names[0], ""))


def _groups(result: Result) -> tuple[tuple[Group, ...], bool]:
    """Return the axes of each name, and whether a sample axis comes first."""
    batched = result.data.ndim == 1 + sum(count for _, count in result.axis_groups)
    groups = [Group(SAMPLE, (0,), samples=True)] if batched else []
    position = int(batched)
    for name, count in result.axis_groups:
        groups.append(Group(name, tuple(range(position, position + count))))
        position += count
    return tuple(groups), batched


def _pile(
    groups: tuple[Group, ...], data: Array, leading: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...],
    names: tuple[str, str] = ("", ""),
) -> View:  # fmt: skip
    sizes = [math.prod(data.shape[axis] for axis in axes) for axes in (leading, rows, columns)]
    pile = np.transpose(data, leading + rows + columns).reshape(sizes)
    return View(groups, data.shape, leading, rows, columns, *names, pile)


def apply_layout(result: Result, layout: str = "generalized") -> Result:
    """Return the derivative with its data, axes and groups in a layout.

    Example: `apply_layout(result, "numerator").data` is a matrix, for a batch a matrix per sample. The closed form
    becomes that of the matrix, and the structure is kept where it still describes the data.
    """
    if layout == "generalized" or len(result.axis_groups) < 2:
        return result
    seen = view(result, layout)
    sides = [seen.rows, seen.columns] if seen.columns or seen.column_name else [seen.rows]
    shape = [seen.data.shape[1 + side] for side in range(len(sides))]
    data = seen.data.reshape([*(seen.shape[axis] for axis in seen.leading), *shape])
    labels = dict(enumerate(result.axes, start=len(seen.leading)))
    named = list(zip(sides, (seen.row_name, seen.column_name), strict=False))
    same = layout != "denominator" and data.shape == result.data.shape
    return result._replace(
        data=data,
        axes=tuple(_merge([labels[axis] for axis in side]) or name for side, name in named),
        axis_groups=tuple((" ".join(seen.names_of(side)) or name, 1) for side, name in named),
        formula=result.formula and laid_out(result.formula, _shapes(result), layout, result.wrt),
        structure=result.structure if same else None,
    )


def _shapes(result: Result) -> list[tuple[int, ...]]:
    """Return the shape of the output and of each name, of one sample."""
    groups, batched = _groups(result)
    return [tuple(result.data.shape[axis] for axis in group.axes) for group in groups[int(batched) :]]


def _merge(labels: Sequence[str]) -> str:
    """Join the labels of axes that became one: `X[i,:]`, `X[:,j]` to `X[i,j]`, and `x[i]`, `x[j]` to `x[i] x[j]`."""
    merged: list[tuple[str, list[str]]] = []
    for label in labels:
        name, _, inside = label.removesuffix("]").rpartition("[")
        places = inside.split(",")
        place = next(place for place, index in enumerate(places) if index != ":")
        if merged and merged[-1][0] == name and merged[-1][1][place] == ":":
            merged[-1][1][place] = places[place]
        else:
            merged.append((name, places))
    return " ".join(f"{name}[{','.join(places)}]" for name, places in merged)


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence has them: `listed(["rows", "columns"]) == "rows and columns"`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def value_result(answer: Answer) -> Result | None:
    """Return the value as if it were a derivative of order 0, so that it is shown by the same means."""
    if answer.value is None:
        return None
    rank = answer.value.ndim - (answer.batch is not None and not answer.reduce)
    letters = tuple(f"out[{letter(axis)}]" for axis in range(rank))
    return Result((), answer.value, letters, (("out", rank),), check=answer.value_check)
