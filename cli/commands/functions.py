"""`matgrad functions`: what can be written, by family, or all about one function."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ...core.elaboration.arguments import call
from ...core.errors import MatgradError, UnknownNameError
from ...core.graph.catalogue import find, operators, suggest
from ...core.graph.operator import Operator
from ...core.operators import table
from ..output.console import Look, indented, line, look_at, printable, show

if TYPE_CHECKING:
    from rich.console import RenderableType

LARGEST_EXAMPLE = 9


def show_functions(name: str | None, *, json: bool, no_color: bool) -> int:
    """Write the list of functions, or the page of one, to standard output.

    Example: `show_functions("softmax", json=False, no_color=False)`. Raises UnknownNameError with a suggestion.
    """
    table.load()
    look = look_at(sys.stdout, no_color=no_color)
    if name is None:
        places = {family: place for place, family in enumerate(dict.fromkeys(entry.family for entry in operators()))}
        entries = sorted(operators(), key=lambda entry: places[entry.family])
        if json:
            _write_json({"functions": [record(operator) for operator in entries]})
        else:
            show(_list_lines(entries, look), sys.stdout, look)
        return 0
    operator = _find(name)
    if json:
        _write_json(record(operator))
    else:
        show(_page_lines(operator, look), sys.stdout, look)
    return 0


def record(operator: Operator) -> dict[str, object]:
    """Return what is known of an operator, for other programs."""
    return {
        "name": operator.name,
        "usage": call(operator),
        "family": operator.family.lower(),
        "aliases": list(operator.aliases),
        "doc": operator.doc,
        "signature": operator.signature or None,
        "differential": list(operator.rules) or None,
        "definition": operator.definition if None in operator.definitions else dict(operator.definitions) or None,
        "kink": operator.kink,
        "at_kink": operator.at_kink or None,
        "source": operator.source or None,
        "examples": list(operator.samples),
    }


def _find(name: str) -> Operator:
    bare = name.partition("(")[0].strip()
    operator = find(bare) or find(bare.rpartition(".")[2])
    if operator is not None and not operator.hidden:
        return operator
    near = suggest(bare)
    help_ = f"did you mean `matgrad functions {near}`?" if near else "matgrad functions lists all"
    raise UnknownNameError(f"unknown function `{name}`", place=f"functions {name}", helps=[help_])


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
    yield line(("matgrad functions NAME tells all about one", "dim"))


def _page_lines(operator: Operator, look: Look) -> Iterator[RenderableType]:
    yield line((call(operator), "bold"))
    for text in operator.doc.split("\n"):
        yield line("  " + printable(text, look.ascii))
    facts = {
        "also": ", ".join(operator.aliases),
        "defined as": "\n".join(definitions_of(operator)),
        "rule": _rules(operator),
        "not by": ", ".join(operator.undifferentiable),
        "signature": operator.signature,
        "kink": f"{operator.kink}: {operator.at_kink}" if operator.kink and operator.at_kink else operator.kink or "",
        "source": operator.source,
    }
    if operator.build is not None and operator.operands:
        facts["rule"] = "none of its own: it is written with other operators, and those that are linear need none"
    if any(facts.values()):
        yield line()
    for title, text in facts.items():
        for place, part in enumerate(text.split("\n") if text else []):
            yield line(("  " + ("" if place else title).ljust(12), "dim"), printable(part, look.ascii))
    if operator.samples:
        yield line()
        yield from _example_lines(operator.samples[0], look)


def definitions_of(operator: Operator) -> Iterator[str]:
    """Yield the formulas of a derived operator, with the value of its first setting where that chooses."""
    for value, text in operator.definitions.items():
        yield text if value is None else f"{text} for {value!r}"


def _rules(operator: Operator) -> str:
    lines = []
    for place, rule in enumerate(operator.rules):
        before, separator, last = rule.rpartition("; ")
        number = place if len(operator.rules) > 1 else ""
        lines.append(f"{before}{separator}dy{number} = {last}")
    return "\n".join(lines)


def _example_lines(sample: str, look: Look) -> Iterator[RenderableType]:
    """Yield a command line, and what it answers where that is small."""
    from ...core.problems.problem import Problem
    from ...core.session import Wishes, answer
    from ..output.screen import screen_of

    try:
        names = list(Problem.of(sample, "value").names)
        command = f'matgrad jacobian "{sample}" --wrt {names[0]}' if names else f'matgrad value "{sample}"'
        yield line(("  " + command, "cyan"))
        found = answer(Problem.of(sample, "jacobian" if names else "value", tuple(names[:1])), {}, Wishes())
    except MatgradError:
        return
    value_size = 0 if found.value is None else found.value.size
    if max([value_size, *(result.data.size for result in found.results)]) <= LARGEST_EXAMPLE:
        yield line()
        yield from (indented(part, 4) for part in screen_of(found, look=look))
