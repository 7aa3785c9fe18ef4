"""How a derivative comes about, for a person who learns: shapes, differentials, the derivative read off, its structure.

The way is that of Magnus and Neudecker: write the differential of each part in terms of the differentials of its
parts, collect what stands before dx, and read the derivative off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...grammar.advice import Setting
from ...grammar.parser import parse
from ...grammar.rewriting import filled
from ...grammar.syntax import Binary, Name, walk
from ...grammar.writer import write
from ..arrays import silent
from ..errors import UsageProblem
from ..formulas.verified import closed_forms
from ..problems.answer import Input
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..session import Wishes, ambiguities, prepare
from .citation import sources_of
from .ending import Ending
from .lesson import Explanation, Lesson, Step
from .meaning import conventions
from .reading import Reader, reader_of
from .repeated import repeated_parts
from .steps import Steps


@silent
def explain(problem: Problem, given: Mapping[str, Input], wishes: Wishes, layout: str = "generalized") -> Lesson:
    """Return how the derivatives of a problem come about.

    Example: `explain(Problem.of("x.T @ A @ x", "jacobian", ("x",)), {}, Wishes()).explanations[0].steps[0]` says that
    the differential is `dx.T @ A @ x + x.T @ A @ dx`, by the product rule. A Hessian takes two explanations, that of
    the gradient and that of its Jacobian.

    With a batch the derivation is that of one sample. Raises ExpressionError or InputError, as the derivative itself.
    """
    if problem.parts:
        raise UsageProblem(
            f"`{problem.parts[0]}` is a part, and an explanation is by inputs",
            place=Setting("wrt", problem.parts[0]),
            helps=[Setting("wrt", name) for name in problem.names],
        )
    prepared = prepare(problem, given, wishes)
    reader = reader_of(problem, prepared, wishes.limit)
    if problem.kind == "hessian":
        explanations = _of_second_order(reader, problem.requests[0], layout)
    else:
        explanations = [_explanation(reader, name, layout) for (name, *_) in problem.requests]
    asked = replace(problem, kind="jacobian") if problem.kind == "grad" else problem
    known = sources_of(
        asked, {name: symbol.shape for name, symbol in reader.calculation.symbols.items()}, reader.statics
    )
    explanations[-len(known) :] = [
        replace(item, sources=found) for item, found in zip(explanations[-len(known) :], known, strict=True)
    ]
    calculation = prepared.calculation
    whole = closed_forms(problem, prepared.shapes, prepared.statics) if problem.reduce else []
    return Lesson(
        problem.text, prepared.inputs, tuple(reader.parts()), tuple(explanations), ambiguities(calculation),
        calculation.samples if calculation.reduced is None else calculation.reduced, problem.reduce,
        tuple(form.text for form in whole),
    )  # fmt: skip


def _explanation(reader: Reader, name: str, layout: str, value: str = "f") -> Explanation:
    """Return the explanation by one name, in which repeated parts have names."""
    steps = Steps(reader, name)
    steps.take()
    named = repeated_parts(reader, steps.told, steps.expanded)
    shorter = reader.with_names(named) if named else reader
    if named:
        steps = Steps(shorter, name)
        steps.take()
    found = Ending(shorter, steps, name, value).explanation(layout)
    calculation = reader.calculation
    notes = tuple(conventions(reader, calculation.output, calculation.symbols[name]))
    return replace(found, notes=notes, named={letter: write(part) for letter, part in named.items()})


def _of_second_order(reader: Reader, wrt: tuple[str, ...], layout: str) -> list[Explanation]:
    """Return the explanation of a gradient, and of its derivative by the second name."""
    first, second = wrt
    gradient = _explanation(reader, first, "generalized")
    shapes = {name: symbol.shape for name, symbol in reader.calculation.symbols.items()}
    sizes = {name: parse(origin).result for name, origin in gradient.origins.items()}
    program = filled(parse(gradient.formula).result, sizes)
    text = write(program)
    names = {node.name for node in walk(program) if isinstance(node, Name)}
    hessian = replace(reader.problem, kind="hessian", wrt=wrt)
    (form,) = closed_forms(hessian, shapes, reader.statics)
    noun = "Hessian" if first == second else f"derivative by {first} and then"
    if second not in names:
        step = Step(text, (), "0", f"it does not depend on {second}")
        constant = replace(gradient, wrt=second, expr=text, value="g", steps=(step,), expanded=None, lines=())
        read_off = replace(constant, collected="dg = 0", formula=write(form.tree), noun=noun, vectorized=None)
        zero = replace(read_off, meaning=(), notes=())
        return [gradient, zero]
    kept = {name: words for name, words in reader.problem.assumptions.items() if name in names}
    problem = Problem.of(text, "jacobian", (second,), kept, printed=True)
    here = {name: shapes[name] for name in problem.names}
    calculation = Compiler(problem).find(here, reader.statics).calculation
    further = _explanation(Reader(problem, calculation, reader.statics, reader.limit), second, layout, "g")
    square = first == second and gradient.value == "f" and reader.calculation.symbols[first].rank == 1
    further = _with_lengths(further, gradient.origins)
    around = Binary("@", Binary("@", Name(f"d{first}.T"), form.tree), Name(f"d{first}"))
    return [
        gradient,
        replace(
            further,
            noun=noun,
            formula=write(form.tree),
            quadratic=write(around) if square else None,
            meaning=(),
            notes=tuple(note for note in further.notes if "axes" not in note),
            origins={**further.origins, **form.origins},
        ),
    ]


def _with_lengths(found: Explanation, origins: Mapping[str, str]) -> Explanation:
    """Return an explanation that says lengths by their names, `n` for `X.shape[0]`."""

    def said(text: str) -> str:
        for name, origin in origins.items():
            text = text.replace(origin, name)
        return text

    return replace(
        found,
        expr=said(found.expr),
        steps=tuple(
            replace(
                step,
                text=said(step.text),
                differential=said(step.differential),
                meaning=step.meaning and said(step.meaning),
            )
            for step in found.steps
        ),
        lines=tuple(replace(line, text=said(line.text)) for line in found.lines),
        expanded=found.expanded and said(found.expanded),
        named={name: said(meaning) for name, meaning in found.named.items()},
    )
