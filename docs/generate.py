"""Writes what the manual takes from the program: two pages, and the output of every example.

    python docs/generate.py

writes `operators.md` from the operator table and `reference.md` from the command line, then runs the commands and the
Python sessions of all pages and puts down what they print. The tests compare; read each difference before it is kept.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from blocks import PAGES, ROOT, with_outputs

from matgrad.cli.commands.function_pages import record
from matgrad.cli.commands.group import make_group
from matgrad.cli.commands.making import SECTIONS
from matgrad.cli.commands.texts import COMMANDS, EXIT_STATUS
from matgrad.core.graph.catalogue import operators
from matgrad.core.graph.operator import Operator
from matgrad.core.operators import table

WIDTH = 118
OPERATORS, REFERENCE = ROOT / "docs" / "operators.md", ROOT / "docs" / "reference.md"


def generated() -> dict[Path, str]:
    """Return the pages that are made from the program, by their path."""
    return {OPERATORS: operators_page(), REFERENCE: reference_page()}


def write_pages() -> None:
    """Write the generated pages, and the outputs on all pages."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8", newline="\n")
    for path in PAGES:
        path.write_text(with_outputs(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


# --- operators.md ----------------------------------------------------------------------------------------------------

OPERATORS_HEAD = """# Operators

<!-- Written by docs/generate.py from the operator table; edit the entries in core/operators/. -->

Every function of the language, by family. `matgrad functions NAME` shows one of them at the prompt, with an example.

In a rule, `y` is the output, and `d` in front of a name is the tangent of that operand: the rule `dy = -y @ dX @ y` of
`inv(X)` reads as in a textbook. Gradients, Jacobians and every higher order follow from it. A rule is written for one
sample; further axes in front are samples. Where no rule stands, the function is written with others, and what is linear
needs none.

*Domain* says what random inputs satisfy, *kink* where the derivative is a choice, and *in code* how printed code
spells the function where the library has another name for it, or none; JAX follows NumPy where nothing else is said.
The *aliases* are spellings that expressions may use as well. *Pasted from* names functions of libraries that have
arguments, defaults or results of their own: they are read as [their library reads
them](expressions.md#code-from-libraries); what is not listed is called alike everywhere. In the examples, lower-case
letters are vectors (`a` and `b` numbers), upper-case letters matrices (`S` and `T` stacks of them).
"""

LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}
DOMAINS = {
    "unit": "between -1 and 1", "above_one": "above 1", "nonzero": "not 0", "spd": "symmetric positive definite",
    "integer": "whole numbers", "count": "0, 1, 2, ...", "probability": "between 0 and 1",
}  # fmt: skip


def operators_page() -> str:
    """Return `operators.md`: one section a family, one entry an operator."""
    table.load()
    families: dict[str, list[Operator]] = {}
    for operator in operators():
        families.setdefault(operator.family.lower(), []).append(operator)
    contents = ", ".join(f"[{family}](#{family.replace(' ', '-')})" for family in families)
    lines = [OPERATORS_HEAD, textwrap.fill(contents, WIDTH, break_on_hyphens=False) + "\n"]
    for family, members in families.items():
        lines.append(f"## {family.capitalize()}\n")
        lines += [_entry(operator) for operator in members]
    return "\n".join(lines)


def _entry(operator: Operator) -> str:
    facts = record(operator)
    lines = [f"### `{facts['usage']}`\n", f"{operator.doc}\n"]
    lines += [f"- {title}: {text}" for title, text in _facts(operator) if text]
    return "\n".join(lines) + "\n"


def _facts(operator: Operator) -> Iterator[tuple[str, str]]:
    yield "rule", "; ".join(_rules(operator))
    yield "defined as", ", ".join(_definitions(operator))
    yield "signature", _code(operator.signature)
    yield "no derivative in closed form by", ", ".join(map(_code, operator.undifferentiable))
    yield "domain", ", ".join(_domain(operator))
    yield "kink", _code(operator.kink) + (f" ({operator.at_kink})" if operator.at_kink else "")
    yield "aliases", ", ".join(map(_code, operator.aliases))
    yield "pasted from", ", ".join(_code(name) for name in pasted_names(operator))
    yield "in code", ", ".join(_spellings(operator))
    yield "source", operator.source.replace("\n", " ")
    yield "examples", ", ".join(map(_code, operator.samples))


def pasted_names(operator: Operator) -> list[str]:
    """Return the functions of libraries that are read in a way of their own."""
    names = (line.partition("(")[0] for line in operator.libraries)
    methods = (name.replace("torch.Tensor.", "x.").replace("np.ndarray.", "x.") for name in names)
    return [name for name in dict.fromkeys(methods) if "." in name]


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _rules(operator: Operator) -> Iterator[str]:
    for place, rule in enumerate(operator.rules):
        before, separator, last = rule.rpartition("; ")
        yield _code(f"{before}{separator}dy{place if len(operator.rules) > 1 else ''} = {last}")


def _definitions(operator: Operator) -> Iterator[str]:
    for value, text in operator.definitions.items():
        yield _code(text) if value is None else f"{_code(text)} for {_code(repr(value))}"


def _domain(operator: Operator) -> Iterator[str]:
    for operand, word in zip(operator.operands, operator.domain, strict=False):
        if word != "real":
            yield f"`{operand}` {DOMAINS.get(word, word)}"


def _spellings(operator: Operator) -> Iterator[str]:
    for library, title in LIBRARIES.items():
        if library in operator.spellings:
            template = operator.spellings[library]
            yield f"{title} {_code(_filled(operator, template))}" if template else f"none in {title}"


def _filled(operator: Operator, template: str) -> str:
    """Return a template with the operands in its slots: `np.linalg.inv(#1)` becomes `np.linalg.inv(X)`."""
    settings = [part.strip().partition("=")[0] for part in operator.parameters.partition(";")[2].split(",")]
    names = [*operator.operands, *filter(None, settings)]
    template = template.replace("#*", ", ".join(names)).replace(", **like", "")
    for place, name in reversed(list(enumerate(names, 1))):
        template = template.replace(f"#{place}", name)
    return template


# --- reference.md ----------------------------------------------------------------------------------------------------

REFERENCE_HEAD = """# Reference

<!-- Written by docs/generate.py from the command line; edit the words in cli/commands/. -->

Every command, every option and every exit status. `matgrad COMMAND --help` (or `-h`) shows the same at the prompt.
"""

Row = tuple[str, str]


def reference_page() -> str:
    """Return `reference.md`: commands, options, exit statuses."""
    context = click.Context(make_group())
    options = {name: _options(context, name) for name in COMMANDS}
    every = {row for sections in options.values() for rows in sections.values() for row in rows}
    users = {row: [name for name, sections in options.items() if row in _rows(sections)] for row in every}
    common = {row for row, names in users.items() if 2 * len(names) > len(COMMANDS)}
    lines = [REFERENCE_HEAD, "## Commands\n", "| command | what it does |", "|:--|:--|"]
    lines += [f"| [`{name}`](#{name}) | {_cell(text.summary)} |" for name, text in COMMANDS.items()]
    lines += ["", "`matgrad --version` shows the version, `matgrad --help` this list.", ""]
    for name, text in COMMANDS.items():
        lines += [f"### {name}\n", *_command(context, name, text, options[name], common), ""]
    lines += ["## Common options\n", "They mean the same for every command that takes them.\n"]
    for section in SECTIONS:
        rows = dict.fromkeys(row for sections in options.values() for row in sections[section] if row in common)
        if rows:
            lines += [f"### {section}\n", *_table(rows), ""]
    lines += ["## Exit statuses\n", "| status | meaning |", "|--:|:--|"]
    lines += [f"| {status} | {meaning} |" for status, meaning in EXIT_STATUS]
    return "\n".join([*lines, "", "[errors.md](errors.md) shows an error of each kind.", ""])


def _command(
    context: click.Context, name: str, text: Any, sections: dict[str, list[Row]], common: set[Row]
) -> Iterator[str]:
    command = make_group().get_command(context, name)
    assert command is not None
    yield textwrap.fill(text.text, WIDTH, break_on_hyphens=False) + "\n"
    pieces = [piece for piece in command.collect_usage_pieces(click.Context(command)) if piece != "[OPTIONS]"]
    yield "```text"
    yield f"matgrad {name} {' '.join(pieces)} [OPTIONS]"
    yield from text.examples
    yield "```\n"
    own = [row for row in _rows(sections) if row not in common]
    if own:
        yield from _table(own)
        yield ""
    taken, left = ([row for row in common if (row in _rows(sections)) is wanted] for wanted in (True, False))
    if not left:
        yield "Takes all the [common options](#common-options)."
    elif len(left) < len(taken):
        yield f"Takes the [common options](#common-options) but {_names(left)}."
    elif taken:
        yield textwrap.fill(f"Of the [common options](#common-options), takes {_names(taken)}.", WIDTH)


def _options(context: click.Context, name: str) -> dict[str, list[Row]]:
    """Return the options of a command with their help, by section of the help page."""
    command = make_group().get_command(context, name)
    assert command is not None
    found: dict[str, list[Row]] = {section: [] for section in SECTIONS}
    for parameter in command.get_params(click.Context(command)):
        row = parameter.get_help_record(click.Context(command)) if isinstance(parameter, click.Option) else None
        if row is not None and "--help" not in row[0]:
            found[getattr(parameter, "section", "Options")].append((row[0], " ".join(row[1].split())))
    return found


def _rows(sections: dict[str, list[Row]]) -> list[Row]:
    return [row for rows in sections.values() for row in rows]


def _names(rows: list[Row]) -> str:
    spellings = sorted(row[0].split()[0].rstrip(",") for row in rows)
    return ", ".join(f"`{spelling}`" for spelling in spellings)


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| option | meaning |"
    yield "|:--|:--|"
    for spelling, meaning in rows:
        shown = ", ".join(f"`{part}`" for part in spelling.split(", "))
        yield f"| {_cell(shown)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    write_pages()
