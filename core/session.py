"""From a problem and whatever inputs there are to an answer: shapes inferred, numbers drawn, results checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .answer import Answer, Array, Check, Input, Warning
from .calculation import Calculation, Problem, tangent_name
from .diagnosis import find_kinks, find_nonfinite
from .errors import EvaluationError, ExpressionError, InputError, Label, NotScalarError, ShapeError
from .evaluate import OperationFailed
from .inference import infer_shapes
from .sampling import draw, needs
from .shapes import Shape, describe, show
from .trust import check_results

DEFAULT_SAMPLES = 5
DEFAULT_LIMIT = 1 << 30
ATTEMPTS = 3


@dataclass(frozen=True)
class Wishes:
    """How an answer is to be computed; the fields are the options of the command line.

    `declared` are shapes for names without a value, `directions` the tangents or cotangents by variable; a
    direction may be the word `ones` or `random`.
    """

    declared: Mapping[str, Shape] = field(default_factory=dict)
    law: str = "normal"
    seed: int = 0
    check: bool = True
    strict: bool = False
    limit: int = DEFAULT_LIMIT
    directions: Mapping[str, Input | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """A problem with a value for every name."""

    calculation: Calculation
    inputs: dict[str, Input]


def answer(problem: Problem, given: Mapping[str, Input], wishes: Wishes, command: str | None = None) -> Answer:
    """Return the answer to a problem.

    Example: `answer(Problem.of("a*b", "jacobian", ("b",)), {"a": Input(array, "-v")}, Wishes())`: b is random then.

    Raises ExpressionError, InputError or EvaluationError; under `strict` also where a result is not finite or a
    derivative is a choice (EvaluationError).
    """
    prepared = prepare(problem, given, wishes)
    calculation, inputs = prepared.calculation, prepared.inputs
    calculation.guard(wishes.limit)
    values = {name: item.value for name, item in inputs.items()}
    directions = _directions(calculation, wishes)
    values |= {tangent_name(name): item.value for name, item in directions.items()}
    value, *data = calculation.run(values)
    kinks = find_kinks(calculation, values)
    warnings = [*kinks, *find_nonfinite(calculation, values, value, data)]
    if wishes.strict and warnings:
        first = warnings[0]
        raise EvaluationError(
            first.message, *_label(first), notes=first.notes, helps=["without --strict this is a warning"]
        )
    checks: list[Check | None] = [None] * len(data)
    if wishes.check:
        checks = list(check_results(calculation, values, data, bool(kinks), wishes.seed))
    return Answer(
        command=command or problem.kind,
        expression=problem.text,
        inputs={**inputs, **{f"direction for {name}": item for name, item in directions.items()}},
        value=value,
        results=calculation.result_records(data, checks),
        warnings=warnings,
        batch=calculation.samples,
    )


def _label(warning: Warning) -> list[Label]:
    return [Label(warning.span, warning.label)] if warning.span else []


# --- inputs ----------------------------------------------------------------------------------------------------------


def prepare(problem: Problem, given: Mapping[str, Input], wishes: Wishes) -> Prepared:
    """Return the problem's calculation and a value for each name: given, or drawn with a declared or inferred shape."""
    names = problem.names
    used = {name: item for name, item in given.items() if name in names}
    samples = _samples(problem, used, wishes)
    known = {name: _sample_shape(problem, name, item.value.shape) for name, item in used.items()}
    for name, shape in wishes.declared.items():
        if name in names and name not in known:
            known[name] = _sample_shape(problem, name, shape)
    statics = {name: int(item.value) for name, item in used.items() if not item.value.shape and _whole(item.value)}
    unknown = {name: span for name, span in names.items() if name not in known}
    try:
        shapes, counts = infer_shapes(problem.program, known, unknown, statics) if unknown else ({}, {})
        calculation = Calculation(problem, {**known, **shapes}, samples=samples, statics={**statics, **counts})
    except (ShapeError, NotScalarError) as error:
        raise _with_batch_help(problem, known, statics, error) from None
    drawn = _drawn(calculation, used, wishes, set(unknown), counts)
    inputs = {name: used.get(name) or drawn[name] for name in names}
    return Prepared(calculation, inputs)


def _whole(value: Array) -> bool:
    return bool(np.isfinite(value) and value == np.rint(value))


def _sample_shape(problem: Problem, name: str, shape: Shape) -> Shape:
    if name not in problem.batch:
        return shape
    if not shape:
        raise InputError(
            f"`{name}` is a number, so its first axis cannot count samples",
            place=f"--batch {name}",
            helps=[f"give one value per sample: -v {name}='[1, 2, 3]'"],
        )
    return shape[1:]


def _samples(problem: Problem, used: Mapping[str, Input], wishes: Wishes) -> int | None:
    """Return the length of the batch axis, None without a batch."""
    if not problem.batch:
        return None
    lengths: dict[str, int] = {}
    for name in problem.batch:
        shape = used[name].value.shape if name in used else wishes.declared.get(name)
        if shape:
            lengths[name] = shape[0]
    if len(set(lengths.values())) > 1:
        raise InputError(
            "the batch inputs differ in their number of samples",
            notes=[f"{name} has {length}" for name, length in lengths.items()],
            helps=["the first axis of every --batch input counts the same samples"],
        )
    return next(iter(lengths.values()), DEFAULT_SAMPLES)


def _with_batch_help(
    problem: Problem, known: Mapping[str, Shape], statics: Mapping[str, int], error: ExpressionError
) -> ExpressionError:
    """Add the choice between per-sample and summed derivatives, where dropping the first axis of an input helps."""
    for name, shape in known.items():
        if len(shape) < 2 or name in problem.batch:
            continue
        one_sample = {**known, name: shape[1:]}
        unknown = {other: span for other, span in problem.names.items() if other not in known}
        try:
            shapes, counts = infer_shapes(problem.program, one_sample, unknown, statics)
            Calculation(problem, {**one_sample, **shapes}, statics={**statics, **counts})
        except ExpressionError:
            continue
        error.notes = (
            *error.notes,
            f"`{name}` is {show(shape)}; the expression fits one row of it ({describe(shape[1:])})",
        )
        error.helps = (
            *error.helps,
            f"if each row of `{name}` is a sample: --batch {name} gives one result per sample",
            f"if the rows belong together: write the expression for the whole matrix `{name}`; "
            "a product of rows with rows, summed, mixes the samples",
        )
        break
    return error


def _drawn(
    calculation: Calculation, used: Mapping[str, Input], wishes: Wishes, inferred: set[str], counts: Mapping[str, int]
) -> dict[str, Input]:
    """Draw the missing inputs; where the value is then not finite, try positive numbers."""
    problem = calculation.problem
    missing = [name for name in problem.names if name not in used]
    demands = {name: set(problem.assumptions.get(name, ())) for name in missing}
    for name, needed in needs([calculation.original, calculation.output]).items():
        if name in demands:
            demands[name] |= needed
    for attempt in (0, 1):
        drawn: dict[str, Input] = {}
        for name in missing:
            shape = calculation.symbols[name].shape
            if name in problem.batch:
                assert calculation.samples is not None
                shape = (calculation.samples, *shape)
            if name in counts:
                value, law = np.array(float(counts[name])), "size"
            else:
                value, law = draw(name, shape, wishes.law, wishes.seed, demands[name]), wishes.law
            drawn[name] = Input(
                value, "random", seed=wishes.seed, law=law, shape_inferred=name in inferred,
                assumption=", ".join(sorted(demands[name])) or None,
            )  # fmt: skip
        if attempt or not missing or _finite(calculation, {**used, **drawn}, wishes.limit):
            return drawn
        for name in missing:
            if not demands[name]:
                demands[name] = {"positive"}
    return drawn


def _finite(calculation: Calculation, inputs: Mapping[str, Input], limit: int) -> bool:
    program = calculation.value_program
    if program.largest * 8 > limit:
        return True
    try:
        (value,) = program.run({name: item.value for name, item in inputs.items()})
    except OperationFailed:
        return False
    return bool(np.isfinite(value).all())


def _directions(calculation: Calculation, wishes: Wishes) -> dict[str, Input]:
    """Return the tangent or cotangent for each variable; it may be given, all ones, or random."""
    problem = calculation.problem
    if problem.kind not in ("jvp", "vjp", "hvp"):
        return {}
    option = "--cotangent" if problem.kind == "vjp" else "--tangent"
    found: dict[str, Input] = {}
    for name in problem.wrt:
        shape = calculation.direction_shape(name)
        batched = calculation.samples is not None and problem.kind != "vjp" and name in problem.batch
        full = (calculation.samples or 0, *shape) if batched else shape
        wish = wishes.directions.get(name, "random")
        if isinstance(wish, str):
            value = np.ones(full) if wish == "ones" else draw(tangent_name(name), full, "normal", wishes.seed, ())
            found[name] = Input(value, wish, seed=wishes.seed if wish == "random" else None, law="normal")
            continue
        value = wish.value
        if batched and value.shape == shape:
            value = np.broadcast_to(value, full)
        if value.shape != full:
            raise InputError(
                f"the {option[2:]} has shape {show(value.shape)}, and {show(full)} is needed",
                place=option,
                notes=[f"it must have the shape of {'the output' if option == '--cotangent' else f'`{name}`'}"],
                helps=[f"{option} ones", f"{option} random"],
            )
        found[name] = Input(value, wish.source)
    return found
