"""The answer as a person reads it: the value, one table per derivative, what was made up, and the check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ...core.arrays import Array
from ...core.problems.answer import Answer, Check, Input, Result
from .advice import shell
from .console import Look, cell_width, line, printable, prose
from .digits import DEFAULT_PRECISION, FULL_PRECISION, rough, short
from .layouts import View, apply_layout, listed, value_result, view
from .tables import lay_out

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from ...core.compressed.structured import Structured

PRINT_ALL = "--format npy -o FILE or --format plain prints all"
LONGEST_EXPRESSION = 40
LONGEST_OPENING = 100
LONGEST_FORMULA = 320
SMALL = 8
DOMAINS = {
    "above_one": "above 1", "unit": "between -1 and 1", "probability": "between 0 and 1", "nonzero": "not near 0",
    "integer": "whole", "count": "whole and not negative",
}  # fmt: skip
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def screen_of(
    answer: Answer, *, look: Look, precision: int | None = None, layout: str = "generalized", complete: bool = False
) -> list[RenderableType]:
    """Return the screen of an answer as lines and tables: `show(screen_of(answer, look=look), sys.stdout, look)`.

    With `complete`, all terms and arrays of derivatives in compressed form are listed. Warnings are not part of it:
    they belong on standard error.
    """
    page = _Screen(answer, look, precision or DEFAULT_PRECISION)
    page.stand_in()
    page.value()
    for result in answer.results:
        if result.compressed is None:
            page.result(result, layout)
        else:
            page.compressed(result, result.compressed, complete=complete)
    page.inputs()
    page.footer()
    page.checks()
    return page.parts


@dataclass(eq=False)
class _Screen:
    """One screen in the making."""

    answer: Answer
    look: Look
    precision: int
    parts: list[RenderableType] = field(default_factory=list)
    digits_hidden: bool = False

    def stand_in(self) -> None:
        """Say what `out` stands for where the expression is too long for a title."""
        reduced = f"{self.answer.reduce} of " if self.answer.reduce else ""
        text = reduced + self._safe(" ".join(self.answer.expression.split()))
        if self._expression() == "out" != text:
            room = max((self.look.width or LONGEST_OPENING) - cell_width("out: "), LONGEST_EXPRESSION)
            self.parts.append(line((f"out: {_shortened(text, room, self._safe('…'))}", "dim")))

    def value(self) -> None:
        """Show the value: in full where it is the answer, else in full only where it is small."""
        result = value_result(self.answer)
        if result is None:
            return
        shape = result.data.shape
        if not shape or (len(shape) == 1 and shape[0] <= SMALL):
            self._section(line((f"{self._expression()} = ", "bold"), self._inline(result.data)))
        elif not self.answer.results or (len(shape) == 2 and max(shape) <= SMALL):
            seen = view(result)
            self._section(*self._title(self._expression(), shape, _roles(seen) if seen.leading else ""))
            self._tables(seen)
        else:
            self._section(*self._title(self._expression(), shape, self._summary(result.data)))

    def result(self, result: Result, layout: str) -> None:
        """Show one derivative: what it is, its closed form, its numbers."""
        seen, arranged = view(result, layout), apply_layout(result, layout)
        name = _derivative_name(self.answer.command, self._expression(), result.wrt, self.look.ascii)
        if result.data.ndim == 0:
            self._section(line((f"{name} = ", "bold"), self._inline(result.data)))
        else:
            self._section(*self._title(name, arranged.shape, _roles(seen)))
        self._described(arranged, arranged.structure or "")
        if result.data.ndim:
            self._tables(seen)

    def compressed(self, result: Result, compressed: Structured, *, complete: bool) -> None:
        """Show one derivative in compressed form: what it is, its closed form, its terms."""
        from .compressed import listing

        name = _derivative_name(self.answer.command, self._expression(), result.wrt, self.look.ascii)
        axes = [*(["sample"] if len(result.shape) > len(result.axes) else []), *result.axes]
        self._section(*self._title(name, result.shape, f"axes: {', '.join(axes)}"))
        self._described(result, "")
        self.parts.append(line(self._safe(str(compressed))))
        self._blank()
        self.parts += [line(self._safe(text)) for text in listing(compressed, self._stored, complete=complete)]

    def _stored(self, values: Array) -> str:
        """Return an array in full where it is small, else its shape and range."""
        if values.size <= SMALL:
            return self._inline(values)
        return f"{'×'.join(map(str, values.shape))} numbers, {self._summary(values)}"

    def _described(self, result: Result, structure: str) -> None:
        """Add the closed form, the structure and the convention."""
        structure = self._safe(structure)
        if (result.formula is not None and not _says_no_more(result)) or structure:
            formula = self._formula(result)
            self.parts.append(line(formula, "   " if formula and structure else "", (structure, "dim")))
        if result.convention:
            self.parts.append(line((self._safe(result.convention), "dim")))
        for source in result.sources:
            self.parts.append(line((self._safe(f"source: {source}"), "dim")))

    def _formula(self, result: Result) -> str:
        if result.formula is None:
            return ""
        if len(result.formula) > LONGEST_FORMULA:
            return f"a formula of {len(result.formula)} characters, printed by matgrad formula"
        condition = f"   where {result.condition}" if result.condition else ""
        return self._safe(f"= {result.formula}{_sizes(result.sizes)}{condition}")

    def inputs(self) -> None:
        """Name the inputs that were made up."""
        made_up, directions = (
            {name: given for name, given in group.items() if given.source == "random"}
            for group in (self.answer.inputs, self.answer.directions)
        )
        if made_up or directions:
            self._blank()
        for name, given in made_up.items():
            name = self._safe(name)
            self._made_up(name, name, given, f"-v {name}=...")
        word = "cotangent" if self.answer.command == "vjp" else "tangent"
        for name, given in directions.items():
            self._made_up(f"{word} for {self._safe(name)}", word, given, f"--{word} ...")

    def _made_up(self, title: str, name: str, given: Input, option: str) -> None:
        if given.read is not None:
            self._prose(self._safe(shell(given.read.said(title)).replace("`", "")), "dim")
        self._prose(f"{title} is random: {self._safe(_described(given))} ({option} to give it)", "dim")
        if given.value.size <= SMALL:
            self.parts.append(line((f"  {name} = {self._inline(given.value)}", "dim")))

    def footer(self) -> None:
        """Say so when digits were hidden."""
        if self.digits_hidden:
            self._blank()
            shown = f"at least {self.precision} significant digit{'s' if self.precision > 1 else ''} shown"
            self._prose(f"{shown}; --precision {FULL_PRECISION} or --format json for all", "dim")

    def checks(self) -> None:
        """Close with how far the numbers can be trusted: one line if all is well, one for each that is not."""
        answer = self.answer
        checked = [(_derivative_name(answer.command, self._expression(), result.wrt, self.look.ascii), result.check)
                   for result in answer.results]  # fmt: skip
        if not checked and answer.value_check is not None:
            checked = [(self._expression(), answer.value_check)]
        if checked:
            self._blank()
        several = len(checked) > 1 and any(check is not None for _, check in checked)
        checked = checked if several else checked[:1]
        passed = [check for _, check in checked if check is not None and check.vouched]
        if passed:
            self._prose(self._passed(passed, len(checked)), "green")
        for name, check in sorted(checked, key=lambda item: item[1] is not None and not item[1].passed):
            prefix = f"{name} " if several else ""
            if check is not None and not check.passed:
                self._prose(self._failed(prefix, check), "bold red")
            elif check is None or not check.vouched:
                reason = f": {self._safe(check.note)}" if check is not None and check.note else ""
                lost = check is not None and check.digits_lost
                self._prose(f"{prefix}not {'vouched for' if lost else 'checked'}{reason}", "yellow" if lost else "dim")

    def _passed(self, checks: Sequence[Check], total: int) -> str:
        mark = self._safe("✓")
        method = self._safe(checks[0].method or "finite differences")
        parts = []
        differences = [check.finite_differences for check in checks if check.finite_differences is not None]
        if differences:
            parts.append(f"{mark} checked against {method}: relative error {rough(max(differences))}")
        formulas = [check.formula for check in checks if check.formula is not None]
        if formulas:
            extent = f"to {rough(max(formulas))}" if max(formulas) else "exactly"
            parts.append(f"{'' if differences else mark + ' checked: '}the formula agrees {extent}")
        if len(checks) < total:
            parts[0] = parts[0].replace("checked", f"{len(checks)} of {total} checked", 1)
        largest = f" (the largest of {len(checks)})" if len(checks) > 1 else ""
        notes = list(dict.fromkeys(f"; {self._safe(check.note)}" for check in checks if check.note))
        return ", ".join(parts) + largest + "".join(notes)

    def _failed(self, prefix: str, check: Check) -> str:
        errors = []
        if check.finite_differences is not None:
            method = check.method or "finite differences"
            errors.append(f"relative error {rough(check.finite_differences)} against {method}")
        if check.formula is not None:
            errors.append(f"the formula is off by {rough(check.formula)}")
        note = f"; {check.note}" if check.note else ""
        text = f"✗ {prefix}CHECK FAILED, do not use these numbers: {', '.join(errors) or 'no agreement'}{note}"
        return self._safe(text)

    def _safe(self, text: str) -> str:
        return printable(text.replace("\n", " "), self.look.ascii)

    def _expression(self) -> str:
        """Return the expression where it is short enough for a title, else a stand-in."""
        reduced = f"{self.answer.reduce} of " if self.answer.reduce else ""
        text = reduced + self._safe(self.answer.expression.strip())
        plain = "\n" not in self.answer.expression.strip() and ";" not in text and "#" not in text
        return text if plain and cell_width(text) <= LONGEST_EXPRESSION else "out" if self.answer.results else "value"

    def _section(self, *parts: RenderableType) -> None:
        """Begin a new part of the screen."""
        if self.parts:
            self._blank()
        self.parts += parts

    def _blank(self) -> None:
        self.parts.append(line())

    def _title(self, name: str, shape: Sequence[int], roles: str) -> list[Text]:
        pieces = [(name, "bold"), (self._safe("×".join(map(str, shape))), ""), (self._safe(roles), "dim")]
        pieces = [(text, style) for text, style in pieces if text]
        whole = line("   ").join(line(piece) for piece in pieces)
        fits = self.look.width is None or whole.cell_len <= self.look.width
        return [whole] if fits else [line(piece) for piece in pieces]

    def _prose(self, text: str, style: str) -> None:
        self.parts.append(prose(text, style, self.look))

    def _inline(self, values: Array) -> str:
        """Write a small array on one line, as it could be typed."""
        shown = [float(short(value, self.precision)) for value in values.ravel().tolist()]
        self.digits_hidden |= not np.array_equal(shown, values.ravel(), equal_nan=True)
        return _bracketed(values.tolist(), self.precision)

    def _summary(self, values: Array) -> str:
        finite = values[np.isfinite(values)]
        if not finite.size:
            return "nothing finite" if values.size else "empty"
        low, high, mean = (short(float(number), 4) for number in (finite.min(), finite.max(), finite.mean()))
        broken = values.size - finite.size
        return f"from {low} to {high}, mean {mean}" + (f", {broken} not finite" if broken else "")

    def _tables(self, seen: View) -> None:
        """Show the matrices of a view, all with the same columns, widths and number format."""
        if not seen.data.size:
            self.parts += [line(), line(("no entries", "dim"))]
            return
        grid = lay_out(seen, self.look, self.precision)
        self.digits_hidden |= grid.digits_hidden
        for block in grid.blocks:
            self._blank()
            if block is None:
                self.parts.append(line((self._safe("⋮"), "dim")))
                continue
            title = self._safe(seen.title(block))
            if title:
                self.parts.append(line((title, "bold cyan")))
            self.parts.append(grid.table(block))
        if grid.elision:
            self._blank()
            self._prose(self._safe(f"… {grid.elision} not shown; {PRINT_ALL}"), "yellow")


def _says_no_more(result: Result) -> bool:
    """Whether a formula is the number that is shown anyhow."""
    return result.data.ndim == 0 and re.fullmatch(r"-?[\d.]+", result.formula or "") is not None


def _shortened(text: str, room: int, dots: str) -> str:
    """Return a text with its middle left out where it is longer than the room there is."""
    if cell_width(text) <= room:
        return text
    half = (room - cell_width(dots) - 2) // 2
    start, end = text[:half], text[-half:]
    while cell_width(start) > half:
        start = start[:-1]
    while cell_width(end) > half:
        end = end[1:]
    return f"{start.rstrip()} {dots} {end.lstrip()}"


def _bracketed(values: object, precision: int) -> str:
    if isinstance(values, list):
        return "[" + ", ".join(_bracketed(value, precision) for value in values) + "]"
    return short(float(str(values)), precision)


def _described(given: Input) -> str:
    """Describe made-up numbers: `3 numbers, normal, seed 0`, `3×3, symmetric, normal, seed 0`."""
    shape = given.value.shape
    size = "a number" if not shape else f"{shape[0]} numbers" if len(shape) == 1 else "×".join(map(str, shape))
    kinds = [DOMAINS.get(word, word) for word in (given.assumption or "").split(", ") if word]
    words = [size + (" (shape inferred)" if given.shape_inferred else ""), *kinds, given.law or "normal"]
    first = ", the first with which the value is finite" if given.redrawn else ""
    return ", ".join(words + ([] if given.seed is None else [f"seed {given.seed}{first}"]))


def _roles(seen: View) -> str:
    """Say what the axes of the tables are: `rows: output, columns: b`, `blocks: output, rows and columns: X`."""
    vector = not seen.columns and not seen.column_name
    sides = [
        ("blocks", seen.names_of(seen.leading) or [""]),
        ("entries" if vector else "rows", seen.names_of(seen.rows) or [seen.row_name]),
        ("columns", seen.names_of(seen.columns) or [seen.column_name]),
    ]
    roles = [(side, ", ".join("output" if name == "out" else name for name in names)) for side, names in sides]
    grouped = [(names, [side for side, _ in group]) for names, group in groupby(roles, key=lambda role: role[1])]
    return ", ".join(f"{listed(sides)}: {names}" for names, sides in grouped if names)


def _derivative_name(command: str, expression: str, wrt: Sequence[str], ascii: bool) -> str:
    """Write what was asked in the field's notation: `∂(a*b)/∂b`, `∂²f/∂X∂Y`, `∂(a*b)/∂b · tangent`."""
    if command == "hvp":
        wrt = [*wrt, *wrt]
    sign, dot = ("d", "*") if ascii else ("∂", "·")
    body = expression if re.fullmatch(r"\w+", expression) else f"({expression})"
    names = [printable(name, ascii) for name in wrt]
    below = "".join(f"{sign}{name}{_power(len(list(group)), ascii)}" for name, group in groupby(reversed(names)))
    fraction = f"{sign}{_power(len(names), ascii)}{body}/{below}"
    if command == "vjp":
        return f"cotangent {dot} {fraction}"
    return f"{fraction} {dot} tangent" if command in ("jvp", "hvp") else fraction


def _power(order: int, ascii: bool) -> str:
    if order == 1:
        return ""
    return f"^{order}" if ascii else str(order).translate(SUPERSCRIPTS)


def _sizes(sizes: Mapping[str, int]) -> str:
    """Say what the names of sizes in a formula stand for here: `   with n = 3`."""
    return "   with " + ", ".join(f"{name} = {size}" for name, size in sizes.items()) if sizes else ""
