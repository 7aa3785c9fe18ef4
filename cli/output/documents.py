"""The answer for a document: LaTeX matrices and Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ...core.problems.answer import Result
from .digits import DEFAULT_PRECISION, choose_format
from .layouts import View, view

LATEX_ESCAPES = str.maketrans({mark: "\\" + mark for mark in "_%&#${} "} | {"\\": r"\backslash "})
WIDEST_BMATRIX = 10
MARKDOWN_ESCAPES = str.maketrans({mark: "\\" + mark for mark in r"\`*_{}[]<>#|"})


def latex(result: Result, precision: int | None, layout: str) -> Iterator[str]:
    r"""Yield one `bmatrix` per block, named where there are several: `\mathrm{out}_{0,1} = \begin{bmatrix} ...`."""
    seen = view(result, layout)
    write = _writer(seen, precision)
    for number, block in enumerate(seen.data.tolist()):
        title = seen.title(number)
        name = rf"\mathrm{{{title.translate(LATEX_ESCAPES)}}} = " if title else ""
        if result.data.ndim == 0:
            yield _latex_number(write(block[0][0])) + "\n"
            continue
        begin, end = _brackets(seen.data.shape[2])
        yield name + begin + "\n"
        for row in block:
            yield "  " + " & ".join(_latex_number(write(value)) for value in row) + r" \\" + "\n"
        yield end + "\n"


def _brackets(columns: int) -> tuple[str, str]:
    """Return what stands around the rows of a matrix: amsmath's own environment takes ten columns and no more."""
    if columns <= WIDEST_BMATRIX:
        return r"\begin{bmatrix}", r"\end{bmatrix}"
    return rf"\left[\begin{{array}}{{*{{{columns}}}{{r}}}}", r"\end{array}\right]"


def markdown(result: Result, precision: int | None, layout: str) -> Iterator[str]:
    """Yield one table per block, with row and column labels, under its title."""
    seen = view(result, layout)
    write = _writer(seen, precision)
    for number, block in enumerate(seen.data.tolist()):
        if number:
            yield "\n"
        title = seen.title(number)
        if title:
            yield f"**{title.translate(MARKDOWN_ESCAPES)}**\n\n"
        columns = range(seen.data.shape[2])
        header = [seen.column_label(number, column).translate(MARKDOWN_ESCAPES) for column in columns]
        yield f"| | {' | '.join(header)} |\n|:--{'|--:' * len(header)}|\n"
        for index, row in enumerate(block):
            label = seen.row_label(number, index).translate(MARKDOWN_ESCAPES)
            yield f"| {label} | {' | '.join(map(write, row))} |\n"


def _writer(seen: View, precision: int | None) -> Callable[[float], str]:
    return choose_format(seen.data.ravel().tolist(), precision or DEFAULT_PRECISION)


def _latex_number(text: str) -> str:
    value = float(text)
    if math.isnan(value):
        return r"\mathrm{NaN}"
    if math.isinf(value):
        return text.replace("inf", r"\infty")
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else text
