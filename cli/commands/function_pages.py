"""All about one function: as a page for people, as a record for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...core.elaboration.arguments import call, declaration
from ...core.errors import MatgradError
from ...core.explanation.lookup import calls_in_libraries, library_names
from ...core.graph.operator import Operator
from ..output.console import Look, indented, line, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

LARGEST_EXAMPLE = 9
LONGEST_RULE = 160
LIBRARY_WORDS = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}


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
        "domain": domain_of(operator) or None,
        "kink": operator.kink,
        "at_kink": operator.at_kink or None,
        "source": operator.source or None,
        "libraries": dict(calls_in_libraries(operator)),
        "read_from": list(library_names(operator)),
        "examples": list(operator.samples),
    }


def domain_of(operator: Operator) -> dict[str, str]:
    """Return what operands must satisfy, where that is not any real number: `{"X": "invertible"}`."""
    operands = declaration(operator.parameters).operands
    return {name: word for name, word in zip(operands, operator.domain, strict=False) if word != "real"}


def page_lines(operator: Operator, look: Look) -> Iterator[RenderableType]:
    """Yield the lines of the page of a function: usage, meaning, facts, an example with its answer."""
    yield line((call(operator), "bold"))
    for text in operator.doc.split("\n"):
        yield line("  " + printable(text, look.ascii))
    said = calls_in_libraries(operator)
    others = [
        name for name in library_names(operator) if all(not text.startswith(f"{name}(") for text in said.values())
    ]
    facts = {
        "also": ", ".join(operator.aliases),
        "topic": operator.family.lower(),
        "defined as": "\n".join(definitions_of(operator)),
        "rule": _rules(operator),
        "not by": ", ".join(operator.undifferentiable),
        "signature": operator.signature,
        "domain": ", ".join(f"{name}: {word.replace('_', ' ')}" for name, word in domain_of(operator).items()),
        "kink": f"{operator.kink}: {operator.at_kink}" if operator.kink and operator.at_kink else operator.kink or "",
        "source": operator.source,
        **{LIBRARY_WORDS[library]: text for library, text in said.items()},
        "reads too": ", ".join(others),
    }
    if not operator.rules and operator.samples:
        facts["rule"] = _derivative(operator.samples[0])
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


def _derivative(sample: str) -> str:
    """Return the derivative of a call that is written with other operators, where it is not long."""
    from ...core.api import Derivative
    from ...core.problems.problem import Problem

    none = "none of its own: it is written with other operators"
    try:
        names = list(Problem.of(sample, "value").names)
        formula = Derivative(sample, "jacobian", names[0]).formula if names else ""
    except MatgradError:
        return none
    return f"d({sample})/d{names[0]} = {formula}" if 0 < len(formula) <= LONGEST_RULE else none


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
