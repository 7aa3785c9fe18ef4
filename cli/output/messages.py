"""Errors and warnings on the screen and as JSON: the place, the words, the fix.

An error is shown before anything heavy is loaded, so this module imports neither numpy nor rich.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, NamedTuple

from ...core.errors import CheckFailed, EvaluationError, InputError, LinesFailed, OutputError, UsageProblem
from ...grammar.errors import ExpressionError, Label, MatgradError, Source, line_and_column
from .advice import shell
from .console import cell_width, printable, printable_character

if TYPE_CHECKING:
    from ...core.problems.answer import Warning as AnswerWarning
    from ...grammar.advice import Text

BUG = 70
STATUSES: dict[type[MatgradError], int]
STATUSES = {
    CheckFailed: 1, UsageProblem: 2, ExpressionError: 3, InputError: 4, OutputError: 4, EvaluationError: 5,
}  # fmt: skip
CODES = {"error": "1;31", "warning": "1;33", "place": "34", "secondary": "1;34", "strong": "1", "help": "1;36"}
REACH = 40
LONGEST_LINE = 96


def exit_status(error: BaseException) -> int:
    """Return the exit status of an error: `exit_status(ShapeError("...")) == 3`; 70 where no class fits, a bug.

    Where lines have failed, it is that of the first.
    """
    error = error.first if isinstance(error, LinesFailed) else error
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), BUG)


def internal_error(problem: BaseException) -> MatgradError:
    """Wrap an exception that nobody should ever see, so that it is shown like the others."""
    return MatgradError(f"internal error (a matgrad bug): {type(problem).__name__}: {problem}")


def render_error(error: MatgradError, *, source: Source | None = None, color: bool = False, ascii: bool = False) -> str:
    """Return an error as lines of text, without a final line feed.

    Example: `render_error(error, source=Source("expression", "A @ x + b"), color=False, ascii=False)` is

        error: cannot multiply `A @ x`: 2 columns against 3 entries
          --> expression:1:1
           |
         1 | A @ x + b
           | -   ^ x has 3 entries
           | A is 3×2
           = help: `A.T @ x` would fit: (2×3) @ (3) -> (2)

    `source` is what the error points into where it does not say so itself.
    """
    return _Page("error", error.source or source, color, ascii).render(
        error.message, error.labels, place_of(error, source), error.notes, error.helps
    )


def render_warning(
    warning: AnswerWarning, *, source: Source | None = None, color: bool = False, ascii: bool = False
) -> str:
    """Return a warning as lines of text, in the form of an error."""
    labels = warning.labels
    place = _location(source, labels[0]) if source and labels else None
    return _Page("warning", source, color, ascii).render(warning.message, labels, place, warning.notes, ())


def error_json(error: MatgradError, *, source: Source | None = None) -> str:
    """Return an error as one line of JSON: `{"error": {"code": "shape", ...}}`."""
    import json

    return json.dumps({"error": error_record(error, source=source)})


def error_record(error: MatgradError, *, source: Source | None = None) -> dict[str, object]:
    """Return an error for other programs: code, message, span in characters, place, notes and help."""
    code = "internal" if exit_status(error) == BUG else error.code
    return {
        "code": code,
        "message": error.message,
        "span": list(error.span) if error.span else None,
        "place": place_of(error, source),
        "notes": [shell(note) for note in error.notes],
        "help": [shell(text) for text in error.helps],
    }


def place_of(error: MatgradError, source: Source | None = None) -> str | None:
    """Return where the error is: what it says, else the line and column of its first label."""
    source = error.source or source
    if error.place is not None:
        return shell(error.place)
    if source and error.labels:
        return _location(source, min(error.labels, key=lambda label: (not label.primary, label.span)))
    return error.source.name if error.source else None


def _location(source: Source, label: Label) -> str:
    line, column = line_and_column(source.text, min(label.span[0], len(source.text)))
    return f"{source.name}:{line + source.first_line - 1}:{column}"


class _Mark(NamedTuple):
    """The part of a label that lies on one line: characters of that line, end exclusive."""

    start: int
    end: int
    text: str
    primary: bool


class _Page(NamedTuple):
    """The making of one message."""

    kind: str
    source: Source | None
    color: bool
    ascii: bool

    def render(
        self, message: str, labels: Sequence[Label], place: str | None, notes: Sequence[Text], helps: Sequence[Text]
    ) -> str:
        head, *more = self._safe(message).split("\n")
        lines = [self._paint(f"{self.kind}:", self.kind) + " " + self._paint(head, "strong"), *more]
        numbered = _marks_by_line(self.source.text, labels) if self.source else {}
        first_line = self.source.first_line if self.source else 1
        gutter = len(str(max(numbered, default=0) + first_line)) + 2
        if place is not None:
            lines.append(" " * (gutter - 1) + self._paint("-->", "place") + " " + self._safe(place))
        if self.source and numbered:
            lines += self._snippet(self.source.text.split("\n"), numbered, gutter)
        for word, texts in (("note", notes), ("help", helps)):
            lines += [self._remark(word, shell(text), gutter) for text in texts]
        return "\n".join(line.rstrip() for line in lines)

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{CODES[style]}m{text}\x1b[0m" if self.color and text and style else text

    def _safe(self, text: str) -> str:
        return "\n".join(printable(line, self.ascii) for line in text.split("\n"))

    def _remark(self, word: str, text: str, gutter: int) -> str:
        mark, title = self._paint("=", "place"), self._paint(f"{word}:", "help" if word == "help" else "strong")
        head = f"{' ' * gutter}{mark} {title}"
        continuation = "\n" + " " * (gutter + len(f"= {word}: "))
        return head + " " + continuation.join(self._safe(text).split("\n"))

    def _snippet(self, texts: list[str], numbered: dict[int, list[_Mark]], gutter: int) -> list[str]:
        """Show each line that has a mark; a single line between two of them is shown, more become dots."""
        bar = " " * gutter + self._paint("|", "place")
        lines = [bar]
        previous = min(numbered)
        for number in sorted(numbered):
            if number - previous == 2:
                lines += self._source_line(texts[previous + 1], [], previous + 1, gutter)
            elif number - previous > 2:
                lines.append(self._paint("...", "place"))
            lines += self._source_line(texts[number], numbered[number], number, gutter)
            previous = number
        return lines

    def _source_line(self, text: str, marks: list[_Mark], number: int, gutter: int) -> list[str]:
        shown, places, cells = self._window(text.removesuffix("\r"), marks)
        bar = self._paint("|", "place")
        first_line = self.source.first_line if self.source else 1
        lines = [self._paint(f"{number + first_line:>{gutter - 1}}", "place") + f" {bar} {shown}"]
        return lines + [" " * gutter + f"{bar} {row}" for row in self._mark_rows(marks, places, cells)]

    def _window(self, text: str, marks: list[_Mark]) -> tuple[str, list[int], list[int]]:
        """Return the part of a line to show, the places of its characters and the cell at which each of them begins."""
        dots = "..." if self.ascii else "…"
        shown, places, cells, width, previous = "", list[int](), list[int](), 0, 0
        for start, end in _windows(len(text), marks):
            if start > previous:
                shown, width = shown + dots, width + len(dots)
            for place in range(start, end):
                piece = printable_character(text[place], self.ascii)
                places.append(place)
                cells.append(width)
                shown, width = shown + piece, width + cell_width(piece)
            previous = end
        return shown + (dots if previous < len(text) else ""), [*places, previous], [*cells, width]

    def _mark_rows(self, marks: list[_Mark], places: list[int], cells: list[int]) -> list[str]:
        """Lay out the marks of a line, then their words: the last one beside its mark, the others below theirs."""
        if not marks:
            return []
        spans = {mark: _under(mark, places, cells) for mark in marks}
        row: dict[int, tuple[str, str]] = {}
        for mark in sorted(marks, key=lambda mark: mark.primary):
            row |= dict.fromkeys(range(*spans[mark]), ("^", self.kind) if mark.primary else ("-", "secondary"))
        worded = sorted((mark for mark in spans if mark.text), key=lambda mark: spans[mark])
        rows = [self._paint_cells(row)]
        if worded and spans[worded[-1]][1] == max(end for _, end in spans.values()):
            rows[0] += " " + self._words(worded.pop())
        while worded:
            mark = worded.pop()
            bars = {spans[left][0]: ("|", "secondary") for left in worded if spans[left][0] < spans[mark][0]}
            rows.append(self._paint_cells(bars, spans[mark][0]) + self._words(mark))
        return rows

    def _paint_cells(self, row: dict[int, tuple[str, str]], width: int = 0) -> str:
        """Paint sparse cells, runs of one style together."""
        dense = [row.get(cell, (" ", "")) for cell in range(max([width, *(cell + 1 for cell in row)]))]
        runs = groupby(dense, key=lambda cell: cell[1])
        return "".join(self._paint("".join(character for character, _ in run), style) for style, run in runs)

    def _words(self, mark: _Mark) -> str:
        return self._paint(self._safe(mark.text).replace("\n", " "), self.kind if mark.primary else "secondary")


def _windows(length: int, marks: list[_Mark]) -> list[tuple[int, int]]:
    """Return the stretches of a line to show: all of a short one, else the surroundings of each mark."""
    if length <= LONGEST_LINE:
        return [(0, length)]
    stretches: list[tuple[int, int]] = []
    for mark in sorted(marks, key=lambda mark: mark.start) or [_Mark(0, 0, "", True)]:
        reach = REACH if mark.primary else REACH // 4
        start, end = max(mark.start - reach, 0), min(mark.start + reach, length)
        if stretches and start <= stretches[-1][1]:
            start, end = stretches[-1][0], max(end, stretches.pop()[1])
        stretches.append((start, end))
    return stretches


def _under(mark: _Mark, places: list[int], cells: list[int]) -> tuple[int, int]:
    """Return the cells under a mark, at least one."""
    start, end = (cells[min(bisect_left(places, place), len(cells) - 1)] for place in (mark.start, mark.end))
    return start, max(end, start + 1)


def _marks_by_line(text: str, labels: Sequence[Label]) -> dict[int, list[_Mark]]:
    """Cut labels at line ends, leaving out the middle of a tall one; its words stand on its last line."""
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]
    marks: dict[int, list[_Mark]] = {}
    for label in labels:
        first = min(max(label.span[0], 0), len(text))
        last = min(max(label.span[1], first), len(text))
        top = bisect_right(starts, first) - 1
        bottom = max(top, bisect_left(starts, last) - 1)
        for number in sorted({top, min(top + 1, bottom), max(bottom - 1, top), bottom}):
            start, end = starts[number], starts[number] + len(lines[number])
            indent = len(lines[number]) - len(lines[number].lstrip()) if number > top else 0
            words = label.text if number == bottom else ""
            mark = _Mark(max(first - start, indent), max(min(last, end) - start, 0), words, label.primary)
            marks.setdefault(number, []).append(mark)
    return marks
