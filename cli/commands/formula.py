"""`matgrad formula`: the closed form of a derivative as text, in LaTeX, or as a function for a library."""

from __future__ import annotations

import json as json_format
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...core.errors import UsageProblem
from ..output.writing import writing_to
from .questions import RANDOM, given_inputs, problem_of, wishes_of
from .request import Request, unknown_ending
from .telling import tell, warn

if TYPE_CHECKING:
    from ...core.arrays import Static
    from ...core.export.orders_in_latex import Orders
    from ...core.formulas.orders import Forms
    from ...core.problems.answer import Warning
    from ...core.problems.problem import Problem
    from ...core.session import Prepared
    from ...core.shapes import Shape

KINDS = ("grad", "jacobian", "hessian", "derivative", "value")
TARGETS = ("text", "latex", "numpy", "torch", "jax")
# How a formula is spelled in a file, as its name says.
ENDINGS = {".txt": "text", ".md": "text", ".json": "text", ".tex": "latex", ".py": "numpy"}

# How a formula is spelled in a format of the other commands; the plain one has no other forms beside it.
FORMATS = {"table": "text", "plain": "text", "json": "text", "latex": "latex", "markdown": "text"}

# Which vec a Kronecker form means: of rows, of columns.
CONVENTIONS = ("vec is row-major, as ravel", "vec stacks columns")

# What a request says that a formula has no use for.
IDLE: Mapping[str, Any] = {
    "law": "normal", "seed": "0", "limit": "1GiB", "strict": False, "no_check": True, "precision": None,
}  # fmt: skip


def show_formula(request: Request, kind: str | None, to: str | None, vec: str, format: str | None) -> int:
    """Write the formula of a derivative; without a kind the gradient of a number, the Jacobian of anything else.

    A file whose name ends in .json, .tex or .py takes JSON, LaTeX or code for NumPy.

    As text, a formula of three or four axes is followed by its other forms, and names of sizes by what they are.
    """
    json, to = _spelling(request, to, format)
    problem, prepared = _understood(request, kind)
    shapes, statics = prepared.shapes, prepared.statics
    found = _forms(problem, prepared, vec, request.layout) if to == "text" else []
    texts = [form.formula for form in found] or _texts(problem, prepared, to, request.layout)
    known = _sources(problem, shapes, statics) if request.cite else []
    equations = _orders(problem, shapes, statics, vec) if to == "latex" and format != "plain" else []
    if json:
        from ...core.problems.answer import readings_of

        read = {name: reading.kind for name, reading in readings_of(prepared.inputs).items()}
        record = _record(problem, to, texts, found, known, equations) | ({"read": read} if read else {})
        record |= {"layout": request.layout} if request.layout != "generalized" else {}
        content = json_format.dumps(record, indent=1)
    else:
        tell(prepared.inputs, request)
        lines = [texts[0].rstrip("\n")]
        if len(texts) > 1:
            lines = [f"{', '.join(wrt)}: {text}" for wrt, text in zip(problem.requests, texts, strict=True)]
        further = [] if format == "plain" else [line for form in found for line in _further(form)]
        further += [line for form in equations if form is not None for line in _equations(form, vec)]
        mark = {"text": "  ", "latex": "% "}.get(to, "# ")
        cited = [f"{mark}source: {source}" for source in dict.fromkeys(item for found in known for item in found)]
        content = "\n".join([*lines, *further, *cited])
    with writing_to(request.output) as stream:
        if to != "text" and not json:
            content.encode(stream.encoding)  # what stands for a missing character elsewhere would be no code
        stream.write(content + "\n")
    return 0


def _spelling(request: Request, to: str | None, format: str | None) -> tuple[bool, str]:
    """Return whether JSON is wanted, and the spelling: as asked for, as the format has it, or as the file ends."""
    ending = os.path.splitext(request.output or "")[1].lower()
    if ending and ending not in ENDINGS and not (format or to) and request.output and not _is_device(request.output):
        raise unknown_ending(request.output, ENDINGS, "--to text", "spelling")
    if format is not None and format not in FORMATS:
        raise UsageProblem(f"`formula` has no {format} output", place=f"--format {format}", helps=["--format json"])
    if format == "latex" and to not in (None, "latex"):
        raise UsageProblem("two spellings for one formula", place=f"--format latex --to {to}", helps=[f"--to {to}"])
    spelling = to or (ENDINGS.get(ending, "text") if format in (None, "json") else FORMATS[format])
    if request.layout != "generalized" and spelling not in ("text", "latex"):
        message = f"a layout is written as text or in LaTeX, not as {spelling}"
        raise UsageProblem(message, place=f"--layout {request.layout}", helps=["--to text", "--to latex"])
    return format == "json" or (format is None and ending == ".json"), spelling


def _is_device(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path)


def _understood(request: Request, kind: str | None) -> tuple[Problem, Prepared]:
    """Return the problem with a value for every name."""
    from ...core.session import ambiguities

    problem = problem_of(kind or "jacobian", request)
    if problem.kind == "value" and request.wrt:
        raise UsageProblem("a value is not by any name", place="--wrt", helps=["leave out --wrt, or --kind value"])
    prepared, surplus = _prepared(problem, request)
    found = [*surplus, *ambiguities(prepared.calculation)]
    warn([item for item in found if item.code != RANDOM], request)  # a formula has no numbers
    if kind is None and not prepared.calculation.shape:
        problem = replace(problem, kind="grad")
    return problem, prepared


def _prepared(problem: Problem, request: Request) -> tuple[Prepared, list[Warning]]:
    """Return the problem with its shapes; standard input is read only where a formula needs a number that is in it.

    `diagonal(A, k)` has another formula for each k, and one formula does for `A @ x` of any size.
    """
    from ...core.elaboration.entries import StaticNameError
    from ...core.session import prepare

    wishes = wishes_of(problem, request)
    inputs, surplus = given_inputs(problem, request, unasked=request.no_random)
    with suppress(StaticNameError):
        prepared = prepare(problem, inputs, wishes)
        if prepared.calculation.statics.keys() <= inputs.keys() or _is_general(problem, prepared):
            return prepared, surplus
    inputs, surplus = given_inputs(problem, request)
    return prepare(problem, inputs, wishes), surplus


def _is_general(problem: Problem, prepared: Prepared) -> bool:
    from ...core.formulas.verified import closed_forms

    forms = closed_forms(problem, prepared.shapes, prepared.statics)
    return not any(form.of_these_sizes for form in forms)


def _forms(problem: Problem, prepared: Prepared, vec: str, layout: str) -> list[Forms]:
    """Return the forms of each derivative, the formula in its layout."""
    from ...core.formulas.layouts import laid_out
    from ...core.formulas.orders import forms

    found = forms(problem, prepared.shapes, prepared.statics, column=vec == "column")
    output, variables = prepared.calculation.shape, prepared.calculation.variables
    groups = [[output, *(variables[name].shape for name in wrt)] for wrt in problem.requests]
    return [
        replace(form, formula=laid_out(form.formula, shapes, layout, wrt))
        for form, shapes, wrt in zip(found, groups or [[]], problem.requests or [()], strict=True)
    ]


def _further(form: Forms) -> list[str]:
    """Return the lines under a formula: what its sizes are, and the other forms of a derivative of many axes."""
    lines = [f"  {name} = {origin}" for name, origin in form.origins.items()]
    lines += [f"  where {form.condition}"] if form.condition else []
    named = {"indices": form.index, "linear map": form.linear_map, "Kronecker": form.kronecker}
    for title, text in named.items():
        if text is not None:
            note = f"   ({form.convention})" if title == "Kronecker" else ""
            lines.append(f"  {title:<10}  {text}{note}")
    return lines


def _orders(
    problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static], vec: str
) -> list[Orders | None]:
    """Return the forms of derivatives of many axes in LaTeX."""
    from ...core.export.orders_in_latex import orders

    return orders(problem, shapes, statics, column=vec == "column")


def _equations(form: Orders, vec: str) -> list[str]:
    """Return the lines under a formula in LaTeX, each an equation with a comment behind it."""
    convention = CONVENTIONS[vec == "column"]
    titles = {"indices": form.index, "linear map": form.linear_map, f"Kronecker, {convention}": form.kronecker}
    return [f"% with {form.meaning}", *(f"{text}  % {title}" for title, text in titles.items() if text is not None)]


def _sources(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static]) -> list[tuple[str, ...]]:
    from ...core.explanation.citation import sources_of

    return sources_of(problem, shapes, statics)


def _texts(problem: Problem, prepared: Prepared, to: str, layout: str) -> list[str]:
    """Return formulas in LaTeX, or a program."""
    from ...core.export.functions import code
    from ...core.export.latex import latex

    shapes, statics = prepared.shapes, prepared.statics
    if to != "latex":
        return [code(problem, shapes, statics, to)]
    if layout == "generalized":
        return latex(problem, shapes, statics)
    forms = _forms(problem, prepared, "row", layout)  # a matrix with a row for each entry is the Kronecker form
    texts = [form.kronecker if layout == "flat" and form.kronecker else form.formula for form in forms]
    return latex(problem, shapes, statics, texts)


def _record(
    problem: Problem,
    to: str,
    texts: list[str],
    found: list[Forms],
    known: list[tuple[str, ...]],
    equations: Sequence[Orders | None],
) -> dict[str, object]:
    """Return the formulas for other programs."""
    requests = problem.requests or [()]
    if to in ("text", "latex"):
        results: list[dict[str, object]]
        results = [{"wrt": list(wrt), "formula": text} for wrt, text in zip(requests, texts, strict=True)]
        for result, form in zip(results, found, strict=False):
            result |= {
                "sizes": dict(form.sizes),
                "origins": dict(form.origins),
                **({"condition": form.condition} if form.condition else {}),
                "index": form.index,
                "map": form.linear_map,
            }
            result |= {"kronecker": form.kronecker, "vec": form.convention if form.kronecker else None}
        for result, orders in zip(results, equations, strict=False):
            if orders is not None:
                result |= {"index": orders.index, "map": orders.linear_map, "kronecker": orders.kronecker}
    else:
        results = [{"wrt": list(dict.fromkeys(name for wrt in requests for name in wrt)), "formula": texts[0]}]
    if len(known) == len(results):
        results = [result | {"sources": sources} for result, sources in zip(results, known, strict=True)]
    head = {"matgrad": __version__, "command": "formula", "expr": problem.text, "kind": problem.kind, "to": to}
    reduced = {"reduce": problem.reduce} if problem.reduce else {}
    return {**head, **reduced, "results": results}
