"""`matgrad explain`: how a derivative comes about, on the screen and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ... import __version__
from ..output.advice import shell
from ..output.console import cell_width, line, look_at, printable, show
from ..output.writing import writing_to
from .questions import RANDOM, given_inputs, problem_of, refuse_formats, wishes_of
from .request import Request
from .telling import tell, warn

if TYPE_CHECKING:
    from rich.text import Text

    from ...core.explanation.lesson import Explanation, Lesson, Step

WIDEST_COLUMN = 44


def explain(request: Request, to: str = "text") -> int:
    """Write how the derivative by each name comes about, on the screen or in LaTeX."""
    refuse_formats("explain", request)
    problem = problem_of(request.kind or "jacobian", request)
    from ...core.explanation.derivation import explain as explained

    inputs, surplus = given_inputs(problem, request)
    lesson = explained(problem, inputs, wishes_of(problem, request), request.layout)
    as_json = request.format == "json"
    warn([item for item in [*surplus, *lesson.warnings] if not as_json or item.code == RANDOM], request)
    if not as_json:
        tell(lesson.inputs, request)
    with writing_to(request.output) as stream:
        if as_json:
            stream.write(_json(lesson, to))
        elif to == "latex":
            from ...core.explanation.typesetting import in_latex

            stream.write(in_latex(lesson))
        else:
            look = look_at(stream, no_color=request.no_color)
            show(_lines(lesson, request, lambda text: printable(text, look.ascii)), stream, look)
    return 0


def _json(lesson: Lesson, to: str) -> str:
    record: dict[str, object] = {
        "matgrad": __version__,
        "command": "explain",
        "expr": lesson.expression,
        "parts": [{"expr": part.text, "shape": list(part.shape)} for part in lesson.parts],
        "steps": [{"wrt": found.wrt, **asdict(step)} for found in lesson.explanations for step in found.steps],
        "results": [
            {key: value for key, value in asdict(found).items() if key != "steps"}
            | {"meaning": [shell(text) for text in found.meaning]}
            for found in lesson.explanations
        ],
    }
    from ...core.problems.answer import readings_of

    read = {name: reading.kind for name, reading in readings_of(lesson.inputs).items()}
    record |= {"read": read} if read else {}
    record |= {} if lesson.samples is None else {"batch": lesson.samples}
    record |= {"reduce": lesson.reduce, "reduced": lesson.reduced} if lesson.reduced else {}
    if to == "latex":
        from ...core.explanation.typesetting import in_latex

        record["latex"] = in_latex(lesson)
    return json.dumps(record, indent=1) + "\n"


def _lines(lesson: Lesson, request: Request, safe: Callable[[str], str]) -> Iterator[Text]:
    from ...core.shapes import show as shape_text

    of_one = "" if lesson.samples is None else ", of one sample"
    yield line((f"Shapes{of_one}", "bold"))
    yield from _columns([(part.text, shape_text(part.shape), "") for part in lesson.parts], "  ", safe)
    for found in lesson.explanations:
        yield line()
        of = "" if found.value in "fF" else f" of {found.value} = {safe(found.expr)}"
        yield line((f"Differentials{of}, by {safe(found.wrt)}", "bold"))
        steps = {step.text for step in found.steps}
        for name, meaning in found.named.items():
            if name not in steps:  # it does not change
                yield line(f"  with {safe(name)} = {safe(meaning)}")
        yield from _columns([_row(step) for step in found.steps], " = ", safe)
        for called, meaning in found.introduced.items():
            yield line(f"  with {safe(called)} = {safe(meaning)}")
        yield line()
        yield from _ending(found, request.layout, safe)
    if lesson.samples is not None:
        names = safe(_listed(request.batch))
        yield line()
        yield line(f"Every step is that of one sample; the first axis of {names} counts {lesson.samples}.")
    for text in lesson.reduced:
        yield line(f"The derivative of the {lesson.reduce} over all samples is  ", (safe(text), "bold green"))


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def _row(step: Step) -> tuple[str, str, str]:
    left = f"d{step.text}" if step.text.isidentifier() else f"d({step.text})"
    meaning = f"{step.text} is {step.meaning}; " if step.meaning else ""
    return left, step.differential, meaning + step.rule


def _columns(rows: Sequence[tuple[str, str, str]], between: str, safe: Callable[[str], str]) -> Iterator[Text]:
    """Lay out rows of a left side, a right side and a remark, with short left sides in one column."""
    rows = [(safe(left), safe(right), safe(remark)) for left, right, remark in rows]
    width = max((cell_width(left) for left, _, _ in rows if cell_width(left) <= WIDEST_COLUMN), default=0)
    for left, right, remark in rows:
        pad = " " * max(0, width - cell_width(left))
        yield line("  " + left + pad + between, right, (f"   ({remark})" if remark else "", "dim"))


def _ending(found: Explanation, layout: str, safe: Callable[[str], str]) -> Iterator[Text]:
    yield line(("Collected", "bold"))
    value = f"d{found.value}"
    rows = [] if found.expanded is None else [(value, found.expanded, "")]
    rows += [(" " * len(value), item.text, item.rule) for item in found.lines]
    rows = rows or [(value, found.collected.partition(" = ")[2], "")]
    yield from _columns([(value, *rows[0][1:]), *rows[1:]], " = ", safe)
    if found.vectorized is not None:
        yield from _columns([(f"vec({value})", found.vectorized, "vec stacks columns")], " = ", safe)
    if found.quadratic is not None:
        yield from _columns([("d2f", found.quadratic, "the second differential")], " = ", safe)
    yield line(f"  so the {found.noun} by {safe(found.wrt)} is  ", (safe(found.formula), "bold green"))
    for name, origin in found.origins.items():
        yield line(f"  with {safe(name)} = {safe(origin)}")
    for source in found.sources:
        yield line(f"  source: {safe(source)}")
    if found.condition:
        yield line(f"  where {safe(found.condition)}")
    if found.in_layout is not None:
        yield line(f"  in {layout} layout  ", (safe(found.in_layout), "bold green"))
    if found.meaning or found.notes:
        yield line()
        yield line(("What it means", "bold"))
        for text in (*found.meaning, *found.notes):
            yield line(f"  {safe(shell(text))}")
