"""`matgrad functions`: what can be written, by topic, what is about some words, or all about one function."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ...core.elaboration.arguments import call
from ...core.errors import UnknownNameError
from ...core.explanation.lookup import function_named, functions_about, telling
from ...core.graph.catalogue import operators, refused, suggest
from ...core.graph.operator import Operator
from ...core.operators import table
from ..output.console import Look, line, look_at, printable, show
from .function_pages import page_lines, record

if TYPE_CHECKING:
    from rich.console import RenderableType


def show_functions(name: str | None, *, json: bool, no_color: bool) -> int:
    """Write the list of functions, those about some words, or the page of one to standard output.

    Example: `show_functions("softmax", json=False, no_color=False)`. Raises UnknownNameError with a suggestion.
    """
    table.load()
    look = look_at(sys.stdout, no_color=no_color)
    operator = None if name is None else function_named(name)
    if operator is not None:
        if json:
            _write_json(record(operator))
        else:
            show(page_lines(operator, look), sys.stdout, look)
        return 0
    entries = _by_topic(list(operators()) if name is None else _about(name))
    if json:
        _write_json({"functions": [record(operator) for operator in entries]})
    else:
        show(_list_lines(entries, look), sys.stdout, look)
    return 0


def _about(words: str) -> list[Operator]:
    """Return the functions about some words; where nothing is about them, they are a slip in the name of one."""
    found = functions_about(words)
    if found:
        return found
    bare = words.partition("(")[0].strip()
    instead = refused(bare)
    if instead:
        raise UnknownNameError(f"matgrad has no `{bare}`", place=f"functions {words}", helps=[instead])
    alone = [f"`matgrad functions {word}`" for word in telling(words) if functions_about(word)]
    near = suggest(bare)
    if near:
        help_ = f"did you mean `matgrad functions {near}`?"
    elif alone:
        help_ = f"no function is about all of these words: try {' or '.join(alone)}"
    else:
        help_ = "matgrad functions lists all"
    raise UnknownNameError(f"unknown function `{words}`", place=f"functions {words}", helps=[help_])


def _by_topic(entries: list[Operator]) -> list[Operator]:
    places = {family: place for place, family in enumerate(dict.fromkeys(entry.family for entry in entries))}
    return sorted(entries, key=lambda entry: places[entry.family])


def _write_json(content: dict[str, object]) -> None:
    sys.stdout.write(json_format.dumps(content, indent=1) + "\n")


def _list_lines(entries: list[Operator], look: Look) -> Iterator[RenderableType]:
    width = 30
    for family, members in groupby(entries, key=lambda operator: operator.family):
        yield line((family.lower(), "bold"))
        for operator in members:
            written = call(operator)
            name, rest = operator.name, written.removeprefix(operator.name)
            doc = printable(operator.doc.partition("\n")[0], look.ascii)
            if len(written) > width:
                yield line("  ", (name, "cyan"), rest)
                yield line((" " * (width + 4) + doc, "dim"))
            else:
                yield line("  ", (name, "cyan"), rest.ljust(width - len(name)), ("  " + doc, "dim"))
        yield line()
    yield line(
        ("also + - * / @ ** ^, comparisons, .T, indexing; names of NumPy, PyTorch and JAX are understood", "dim")
    )
    yield line(("matgrad functions NAME tells all about one, matgrad functions WORD... lists those about words", "dim"))
