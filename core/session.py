"""From a problem and whatever inputs there are to an answer: shapes inferred, numbers drawn, results checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, product
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from ..grammar.advice import Given, Setting, advise
from ..grammar.syntax import Binary, Name, walk
from .amounts import memory, rounded_up
from .arrays import Array, Static, all_finite, silent, statics
from .checking.results import beside, check_results
from .elaboration.choice import SMALLEST
from .elaboration.entries import StaticNameError
from .errors import EvaluationError, ExpressionError, InputError, MatgradError, NotScalarError, ShapeError, UsageProblem
from .evaluation.program import OperationFailed
from .formulas.attach import with_formulas
from .graph.sizes import NAMES, Size, names_in
from .problems.answer import Answer, Check, Input, Warning, values_of
from .problems.assumptions import check_assumptions
from .problems.calculation import Calculation
from .problems.compiler import DEFAULT_SAMPLES, Compiler
from .problems.declared import SOURCE, declared_inputs
from .problems.problem import DIRECTIONS, STRUCTURED_KINDS, Problem, tangent_name
from .problems.readings import readings
from .problems.sampling import ALLOWING, BELOW, draw, law_of, needs
from .shapes import Shape, describe, show

if TYPE_CHECKING:
    from .compressed.structured import Structured

Result = TypeVar("Result")
Derived = TypeVar("Derived", "Array", "Structured")

DEFAULT_LIMIT = 1 << 30
# From so many bytes on, a file that leaves zeros out is written sooner from the compressed form.
PAYS_FROM = 1 << 25
TRANSPOSED_RIGHT = re.compile(r"@.*(T\b|['ᵀ⊤])", re.DOTALL)
# How many seeds are tried for numbers at which the value is finite.
MOST_DRAWS, MOST_SMALL_DRAWS = 20, 100


class Wishes(NamedTuple):
    """How an answer is to be computed; the fields are the options of the command line.

    `declared` are shapes for names without a value, `directions` the tangents or cotangents by variable; a
    direction may be the word `ones` or `random`. `general` inputs are no more special than operators need them.
    Derivatives are kept `compressed` never, always, where they would be too `large`, or where that `pays`.
    """

    declared: Mapping[str, Shape] = {}
    law: str = "normal"
    seed: int = 0
    check: bool = True
    strict: bool = False
    limit: int = DEFAULT_LIMIT
    directions: Mapping[str, Input | str] = {}
    general: bool = False
    compressed: str = "never"


class Prepared(NamedTuple):
    """A problem with a value for every name."""

    calculation: Calculation
    inputs: dict[str, Input]

    @property
    def values(self) -> dict[str, Array]:
        """The value of each name."""
        return values_of(self.inputs)

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each name; of one sample where there is a batch."""
        return self.calculation.shapes

    @property
    def statics(self) -> dict[str, Static]:
        """The values of the names that can stand for sizes and indices."""
        return statics(self.values)


@silent
def answer(
    problem: Problem,
    given: Mapping[str, Input],
    wishes: Wishes,
    command: str | None = None,
    compiler: Compiler | None = None,
) -> Answer:
    """Return the answer to a problem.

    Example: `answer(Problem.of("a*b", "jacobian", ("b",)), {"a": Input(array, "-v")}, Wishes())`: b is random then.
    Many answers to one problem share a `compiler`, so that the same shapes are compiled once.

    Raises ExpressionError, InputError or EvaluationError; under `strict` also where a result is not finite or a
    derivative is a choice (EvaluationError).
    """
    prepared = prepare(problem, given, wishes, compiler)
    calculation, inputs = prepared.calculation, prepared.inputs
    compressed, values = _is_compressed(calculation, wishes), prepared.values
    if compressed:
        calculation.guard_program(calculation.value_program.suited(values), wishes.limit)
    else:
        calculation.guard(wishes.limit, values)
    directions = _directions(calculation, wishes)
    values |= {tangent_name(name): value for name, value in values_of(directions).items()}

    def derive(point: Mapping[str, Array]) -> Sequence[Structured]:
        return calculation.compressed(point, wishes.limit)

    data: Sequence[Array | Structured]
    if compressed:
        (value,) = explained(calculation, calculation.value_program.run, values)
        data = explained(calculation, derive, values)
    else:
        value, *data = explained(calculation, calculation.program.run, values)
    kinks, nonfinite = _diagnosed(calculation, values, value, _stored(data))
    warnings = kinks + nonfinite
    if wishes.strict:
        _refuse(warnings)
    checks: Iterable[Check | None] = [None] * len(data)
    if wishes.check:
        checks = check_results(calculation, values, data, bool(kinks), wishes.seed, derive if compressed else None)
    records = calculation.result_records(data, checks)
    nearby = partial(beside, calculation, values, wishes.seed, derive if compressed else None) if kinks else None
    results, left_out = with_formulas(calculation, values, records, compared=wishes.check, beside=nearby)
    return Answer(
        command=command or problem.kind,
        expression=problem.text,
        inputs=inputs,
        directions=directions,
        value=value,
        results=results,
        warnings=[*ambiguities(calculation), *warnings, *left_out],
        batch=calculation.samples if calculation.reduced is None else calculation.reduced,
        reduce=problem.reduce,
    )


def _refuse(warnings: Sequence[Warning]) -> None:
    """Raise the first warning as an error."""
    for first in warnings:
        helps = [advise("without ", Setting("strict"), " this is a warning")]
        raise EvaluationError(first.message, *first.labels, notes=first.notes, helps=helps)


@silent
def strict_derivatives(
    calculation: Calculation, run: Callable[[Mapping[str, Array]], Sequence[Derived]], values: Mapping[str, Array]
) -> Sequence[Derived]:
    """Return `run(values)`, the derivatives or the value.

    Raises EvaluationError where they are not finite or a choice, and as `explained`.
    """
    (value,) = explained(calculation, calculation.value_program.run, values)
    data = explained(calculation, run, values)
    kinks, nonfinite = _diagnosed(calculation, values, value, _stored(data))
    _refuse(kinks + nonfinite)
    return data


def explained(
    calculation: Calculation, run: Callable[[Mapping[str, Array]], Result], values: Mapping[str, Array]
) -> Result:
    """Return `run(values)`; of an operation without a result or a derivative an EvaluationError says where and why."""
    if calculation.kinked and calculation.problem.order > 1:
        # Loaded where there may be something to refuse, for start-up.
        from .checking.warnings import refuse_at_kinks

        refuse_at_kinks(calculation, values)
    try:
        return run(values)
    except OperationFailed as failure:
        # Loaded where something fails, for start-up.
        from .checking.warnings import explain_failure

        raise explain_failure(calculation, failure, values) from None


def ambiguities(calculation: Calculation) -> list[Warning]:
    """Return a warning where the text could as well be read in another way."""
    program = calculation.problem.program
    if not (program.syntax or program.quoted or TRANSPOSED_RIGHT.search(calculation.problem.text)):
        return []
    # Loaded where there may be something to find, for start-up.
    from .checking.ambiguities import find_ambiguities

    return find_ambiguities(calculation)


def _diagnosed(
    calculation: Calculation, values: Mapping[str, Array], value: Array, data: list[Array]
) -> tuple[list[Warning], list[Warning]]:
    """Return warnings of kinks and of what is not finite; most answers need not load what looks for them."""
    if not calculation.kinked and all(map(all_finite, (value, *data))):
        return [], []
    # Loaded where there may be something to find, for start-up.
    from .checking.warnings import find_kinks, find_nonfinite

    return find_kinks(calculation, values), find_nonfinite(calculation, values, value, data)


def _is_compressed(calculation: Calculation, wishes: Wishes) -> bool:
    """Whether the derivatives are kept in compressed form: if that is wished, or they would be too large."""
    kind = calculation.problem.kind
    if wishes.compressed == "always" and kind not in STRUCTURED_KINDS:
        helps = ["grad, jacobian, hessian and derivative have one"]
        raise UsageProblem(f"a {kind} has no compressed form", place=Setting("format", "structured"), helps=helps)
    if wishes.compressed not in ("large", "pays"):
        return wishes.compressed == "always"
    limit = wishes.limit if wishes.compressed == "large" else min(wishes.limit, PAYS_FROM)
    return kind in STRUCTURED_KINDS and not calculation.fits(limit)


def _stored(data: Sequence[Array | Structured]) -> list[Array]:
    """Return the arrays that derivatives are made of."""
    return [array for item in data for array in ([item] if isinstance(item, np.ndarray) else item.arrays.values())]


# --- inputs ----------------------------------------------------------------------------------------------------------


@silent
def prepare(problem: Problem, given: Mapping[str, Input], wishes: Wishes, compiler: Compiler | None = None) -> Prepared:
    """Return the problem's calculation and a value for each name: given, or drawn with a declared or inferred shape."""
    compiler = compiler or Compiler(problem)
    names = problem.names
    values, declared = declared_inputs(problem.program)
    pasted = {name: Input(value, SOURCE) for name, value in values.items() if name not in wishes.declared}
    if declared:
        wishes = wishes._replace(declared={**declared, **wishes.declared})
    used = {name: item for name, item in {**pasted, **given}.items() if name in names}
    shapes = {name: item.value.shape for name, item in used.items()}
    shapes |= {name: shape for name, shape in wishes.declared.items() if name in names and name not in shapes}
    known, samples = sample_shapes(problem, shapes)
    numbers = statics(values_of(used))
    while True:
        try:
            calculation, counts, _ = compiler.find(known, numbers, samples)
            break
        except (ShapeError, NotScalarError) as error:
            raise _with_help(compiler, known, numbers, set(used), error) from None
        except StaticNameError as error:
            beside = None if error.beside is None else (error.beside,)
            shape = known.get(error.name) or error.shape or beside
            if error.name in numbers or not shape:
                raise
            used[error.name] = _drawn_static(error, shape, wishes, inferred=error.name not in known)
            numbers |= statics(values_of({error.name: used[error.name]}))
            known[error.name] = used[error.name].value.shape
    check_assumptions(problem.assumptions, values_of(used))
    drawn = _drawn(calculation, used, wishes, set(names) - set(known), counts) if names.keys() - used.keys() else {}
    inputs = {name: used.get(name) or drawn[name] for name in names}
    return Prepared(calculation, inputs)


def _drawn_static(error: StaticNameError, shape: Shape, wishes: Wishes, *, inferred: bool) -> Input:
    """Return random numbers for a name on whose values an index depends: whole ones in range where it is the index."""
    law = wishes.law
    if error.shape is None:
        law = f"randint:0:{error.below if error.below and not isinstance(error.below, Size) else SMALLEST}"
    sizes = tuple(SMALLEST if isinstance(size, Size) else size for size in shape)
    guard_input(error.name, sizes, wishes.limit)
    value = draw(error.name, sizes, law, wishes.seed, ())
    return Input(value, "random", seed=wishes.seed, law=law, shape_inferred=inferred)


def sample_shapes(problem: Problem, shapes: Mapping[str, Shape]) -> tuple[dict[str, Shape], int | None]:
    """Return the shapes of one sample, and the number of samples, None without a batch.

    Raises InputError where the first axes of the batch do not count the same samples.
    """
    if not problem.batch:
        return dict(shapes), None
    batch = {name: shape for name, shape in shapes.items() if name in problem.batch}
    for name, shape in batch.items():
        if not shape:
            message = f"`{name}` is a number, so its first axis cannot count samples"
            helps = [advise("give one value per sample: ", Given(name, [1, 2, 3]))]
            raise InputError(message, place=Setting("batch", (name,)), helps=helps)
    if len({shape[0] for shape in batch.values()}) > 1:
        message = "the batch inputs differ in their number of samples"
        helps = [advise("the first axis of every ", Setting("batch"), " input counts the same samples")]
        raise InputError(message, notes=[f"{name} has {shape[0]}" for name, shape in batch.items()], helps=helps)
    samples = next((shape[0] for shape in batch.values()), DEFAULT_SAMPLES)
    if not samples and problem.reduce == "mean":
        raise InputError("there are no samples, so there is no mean of them", place=Setting("reduce", "mean"))
    return {name: shape[1:] if name in batch else shape for name, shape in shapes.items()}, samples


def _with_help(
    compiler: Compiler,
    known: Mapping[str, Shape],
    numbers: Mapping[str, Static],
    given: set[str],
    error: ExpressionError,
) -> ExpressionError:
    """Add what would make the expression fit: an input taken by rows."""
    problem = compiler.problem
    # A shape that is only declared is what the user wants; data, and what is differentiated by, may have sample rows.
    rows = [name for name in known if len(known[name]) > 1 and name in {*problem.wrt, *given} - {*problem.batch}]
    for name in rows:
        shape = known[name]
        if _fits(compiler, {**known, name: shape[1:]}, numbers):
            error.notes += (f"`{name}` is {show(shape)}; the expression fits one row of it ({describe(shape[1:])})",)
            each = f"if each row of `{name}` is a sample: "
            error.helps += (
                advise(each, Setting("batch", (name,)), " gives one result per sample"),
                advise(Setting("batch", (name,)), " ", Setting("reduce", "sum"), " gives one result of all samples"),
                f"if the rows belong together: write the expression for the whole matrix `{name}`; "
                "a product of rows with rows, summed, mixes the samples",
            )
            break
    return error


def _fits(compiler: Compiler, known: Mapping[str, Shape], numbers: Mapping[str, Static]) -> bool:
    try:
        Compiler(compiler.problem).find(known, numbers)
    except MatgradError:
        return False
    return True


def _drawn(
    calculation: Calculation, used: Mapping[str, Input], wishes: Wishes, inferred: set[str], counts: Mapping[str, int]
) -> dict[str, Input]:
    """Draw the missing inputs; where the value is not finite, try positive, small and large ones, and more seeds."""
    problem = calculation.problem
    missing = [name for name in problem.names if name not in used]
    samples = calculation.samples or calculation.reduced
    unsaid = [name for name in missing if name in inferred and name not in counts]
    read = readings(problem, calculation.shapes, unsaid, samples)
    needed = needs([calculation.original, calculation.output], general=wishes.general)
    counts = {**_sizes_meant(calculation, missing), **counts}
    plain = {name: {*problem.assumptions.get(name, ()), *needed.get(name, ())} for name in missing}
    positive = {name: known or {"positive"} for name, known in plain.items()}
    # Near 0 `b - A @ x` is positive where b is, and above one `log(log(x))` is finite.
    small, large = (
        {
            name: known | ({word} if name in problem.wrt and known <= ALLOWING[word] else set())
            for name, known in plain.items()
        }
        for word in ("small", "above_one")
    )

    def drawn(demands: Mapping[str, set[str]], seed: int) -> dict[str, Input]:
        found = {}
        for name in missing:
            shape = calculation.symbols[name].shape
            if name in problem.per_sample:
                assert calculation.samples is not None
                shape = (calculation.samples, *shape)
            if prod(shape) * 8 > wishes.limit and wishes.compressed != "always":
                calculation.guard(wishes.limit, values_of(used))  # of a result that is too large more can be said
            guard_input(name, shape, wishes.limit)
            if name in counts:
                value, law = np.array(float(counts[name])), "size"
            else:
                value = draw(name, shape, wishes.law, seed, demands[name])
                law = law_of(demands[name], wishes.law)
            found[name] = Input(
                value, "random", seed=seed, law=law, shape_inferred=name in inferred, read=read.get(name),
                assumption=", ".join(sorted(word for word in demands[name] if not word.startswith(BELOW))) or None,
                redrawn=seed != wishes.seed,
            )  # fmt: skip
        return found

    seeds = range(wishes.seed, wishes.seed + MOST_SMALL_DRAWS)
    for seed, demands in chain(product(seeds[:MOST_DRAWS], (plain, positive)), product(seeds, (small, large))):
        found = drawn(demands, seed)
        if not missing or _finite(calculation, {**used, **found}, wishes.limit):
            return found
    return drawn(positive, wishes.seed)


def guard_input(name: str, shape: Shape, limit: float) -> None:
    """Raise EvaluationError where numbers for a name need more than `limit` bytes, before they are drawn."""
    needed = prod(shape) * 8
    if needed > limit:
        raise EvaluationError(
            f"`{name}` ({show(shape)}) needs {memory(needed)}; the limit is {memory(int(limit))}",
            helps=[advise("raise the limit: ", Setting("max_memory", rounded_up(needed)))],
        )


def _sizes_meant(calculation: Calculation, missing: Iterable[str]) -> dict[str, int]:
    """Return the values of names without one that are called as formulas call a size, and that only divide.

    In `2*X.T @ (X @ w - y) / n` the n is `X.shape[0]`.
    """
    general, lengths = calculation.general or (calculation, {})
    shapes = (symbol.shape for symbol in general.symbols.values())
    called = dict(zip(NAMES, names_in(chain(*shapes)), strict=False))
    numbers = [name for name in missing if name in called and not calculation.symbols[name].shape]
    nodes = list(walk(calculation.problem.program))
    divisors = [node.right for node in nodes if isinstance(node, Binary) and node.operator == "/"]
    below = {id(part) for divisor in divisors for part in walk(divisor)}
    elsewhere = {node.name for node in nodes if isinstance(node, Name) and id(node) not in below}
    return {name: lengths[called[name]] for name in numbers if name not in {*elsewhere, *calculation.problem.wrt}}


def _finite(calculation: Calculation, inputs: Mapping[str, Input], limit: int) -> bool:
    program = calculation.value_program
    if program.largest * 8 > limit:
        return True
    try:
        (value,) = program.run(values_of(inputs))
    except OperationFailed:
        return False
    return bool(np.isfinite(value).all())


def _directions(calculation: Calculation, wishes: Wishes) -> dict[str, Input]:
    """Return the tangent or cotangent for each variable; it may be given, all ones, or random."""
    problem = calculation.problem
    if problem.kind not in DIRECTIONS:
        return {}
    found: dict[str, Input] = {}
    for name in problem.wrt:
        shape = calculation.direction_shape(name)
        full = (calculation.samples or 0, *shape) if calculation.counts_samples(name) else shape
        guard_input(tangent_name(name), full, wishes.limit)
        wish = wishes.directions.get(name, "random")
        if isinstance(wish, str):
            value = np.ones(full) if wish == "ones" else draw(tangent_name(name), full, "normal", wishes.seed, ())
            found[name] = Input(value, wish, seed=wishes.seed if wish == "random" else None, law="normal")
            continue
        fitted = calculation.direction(name, wish.value)
        if fitted is None:
            raise _unfit_direction(problem, name, wish.value.shape, shape, full)
        found[name] = Input(fitted, wish.source)
    return found


def _unfit_direction(problem: Problem, name: str, given: Shape, one: Shape, full: Shape) -> InputError:
    word = DIRECTIONS[problem.kind]
    notes = [f"it must have the shape of {'the output' if problem.kind == 'vjp' else f'`{name}`'}"]
    if full != one:
        notes.append(f"{describe(one)} goes with every sample")
    message = f"the {word} is {describe(given)}, and {describe(full)} is needed"
    return InputError(message, place=Setting(word), notes=notes, helps=[Setting(word, "ones"), Setting(word, "random")])
