"""From a problem and whatever inputs there are to an answer: shapes inferred, numbers drawn, results checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from ..grammar.advice import Given, Setting, advise
from .arrays import Array, scalars, whole_numbers
from .checking.results import check_results
from .errors import EvaluationError, ExpressionError, InputError, MatgradError, NotScalarError, ShapeError, UsageProblem
from .evaluation.program import OperationFailed
from .formulas.attach import with_formulas
from .graph.nodes import Apply, Map, topological
from .problems.answer import Answer, Check, Input, Warning, values_of
from .problems.assumptions import check_assumptions
from .problems.calculation import Calculation
from .problems.compiler import Compiler
from .problems.problem import DIRECTIONS, STRUCTURED_KINDS, Problem, tangent_name
from .problems.sampling import draw, needs
from .shapes import Shape, describe, show

if TYPE_CHECKING:
    from .compressed.structured import Structured

Result = TypeVar("Result")

DEFAULT_SAMPLES = 5
DEFAULT_LIMIT = 1 << 30


class Wishes(NamedTuple):
    """How an answer is to be computed; the fields are the options of the command line.

    `declared` are shapes for names without a value, `directions` the tangents or cotangents by variable; a
    direction may be the word `ones` or `random`. `general` inputs are no more special than operators need them.
    Derivatives are kept `compressed` never, always, or where they would be too `large`.
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
        return {name: symbol.shape for name, symbol in self.calculation.symbols.items()}

    @property
    def whole_numbers(self) -> dict[str, int]:
        """The values of the names that can stand for sizes."""
        return whole_numbers(self.values)


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
    compressed = _is_compressed(calculation, wishes)
    if compressed:
        calculation.guard_program(calculation.value_program, wishes.limit)
    else:
        calculation.guard(wishes.limit)
    values = prepared.values
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
    if wishes.strict and warnings:
        first, helps = warnings[0], [advise("without ", Setting("strict"), " this is a warning")]
        raise EvaluationError(first.message, *first.labels, notes=first.notes, helps=helps)
    checks: Iterable[Check | None] = [None] * len(data)
    if wishes.check:
        checks = check_results(calculation, values, data, bool(kinks), wishes.seed, derive if compressed else None)
    return Answer(
        command=command or problem.kind,
        expression=problem.text,
        inputs=inputs,
        directions=directions,
        value=value,
        results=with_formulas(calculation, values, calculation.result_records(data, checks), compared=wishes.check),
        warnings=warnings,
        batch=calculation.samples,
    )


def explained(
    calculation: Calculation, run: Callable[[Mapping[str, Array]], Result], values: Mapping[str, Array]
) -> Result:
    """Return `run(values)`; of an operation without a result an EvaluationError says where it stands and why."""
    try:
        return run(values)
    except OperationFailed as failure:
        # Loaded where something fails, for start-up.
        from .checking.warnings import explain_failure

        raise explain_failure(calculation, failure, values) from None


def _diagnosed(
    calculation: Calculation, values: Mapping[str, Array], value: Array, data: list[Array]
) -> tuple[list[Warning], list[Warning]]:
    """Return warnings of kinks and of what is not finite; most answers need not load what looks for them."""
    nodes = topological([calculation.output])
    may_have_kinks = any(isinstance(node, Map | Apply) and node.operator.kink for node in nodes)
    if not may_have_kinks and all(np.isfinite(array).all() for array in (value, *data)):
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
    if wishes.compressed != "large":
        return wishes.compressed == "always"
    return kind in STRUCTURED_KINDS and not calculation.fits(wishes.limit)


def _stored(data: Sequence[Array | Structured]) -> list[Array]:
    """Return the arrays that derivatives are made of."""
    return [array for item in data for array in ([item] if isinstance(item, np.ndarray) else item.arrays.values())]


# --- inputs ----------------------------------------------------------------------------------------------------------


def prepare(problem: Problem, given: Mapping[str, Input], wishes: Wishes, compiler: Compiler | None = None) -> Prepared:
    """Return the problem's calculation and a value for each name: given, or drawn with a declared or inferred shape."""
    compiler = compiler or Compiler(problem)
    names = problem.names
    used = {name: item for name, item in given.items() if name in names}
    samples = _samples(problem, used, wishes)
    shapes = {name: item.value.shape for name, item in used.items()}
    shapes |= {name: shape for name, shape in wishes.declared.items() if name in names and name not in shapes}
    known = {name: _sample_shape(problem, name, shape) for name, shape in shapes.items()}
    numbers = scalars(values_of(used))
    try:
        calculation, counts, _ = compiler.find(known, numbers, samples)
    except (ShapeError, NotScalarError) as error:
        raise _with_help(compiler, known, numbers, set(used), error) from None
    check_assumptions(problem.assumptions, used)
    drawn = _drawn(calculation, used, wishes, set(names) - set(known), counts)
    inputs = {name: used.get(name) or drawn[name] for name in names}
    return Prepared(calculation, inputs)


def _sample_shape(problem: Problem, name: str, shape: Shape) -> Shape:
    if name not in problem.batch:
        return shape
    if not shape:
        message = f"`{name}` is a number, so its first axis cannot count samples"
        helps = [advise("give one value per sample: ", Given(name, [1, 2, 3]))]
        raise InputError(message, place=Setting("batch", (name,)), helps=helps)
    return shape[1:]


def _samples(problem: Problem, used: Mapping[str, Input], wishes: Wishes) -> int | None:
    """Return the length of the batch axis, None without a batch."""
    if not problem.batch:
        return None
    shapes = {**wishes.declared, **{name: item.value.shape for name, item in used.items()}}
    lengths = {name: shapes[name][0] for name in problem.batch if shapes.get(name)}
    if len(set(lengths.values())) > 1:
        message = "the batch inputs differ in their number of samples"
        helps = [advise("the first axis of every ", Setting("batch"), " input counts the same samples")]
        raise InputError(message, notes=[f"{name} has {length}" for name, length in lengths.items()], helps=helps)
    return next(iter(lengths.values()), DEFAULT_SAMPLES)


def _with_help(
    compiler: Compiler,
    known: Mapping[str, Shape],
    numbers: Mapping[str, float],
    given: set[str],
    error: ExpressionError,
) -> ExpressionError:
    """Add what would make the expression fit: an input taken by rows, or a name without a shape that is a number."""
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
                f"if the rows belong together: write the expression for the whole matrix `{name}`; "
                "a product of rows with rows, summed, mixes the samples",
            )
            break
    free = [name for name in problem.names if name not in known and name not in problem.wrt and name.islower()]
    number = next((name for name in free if _fits(compiler, {**known, name: ()}, numbers)), None)
    if number is not None:
        error.helps = (advise(f"if `{number}` is a number: ", Setting("shapes", {number: ()})), *error.helps)
    return error


def _fits(compiler: Compiler, known: Mapping[str, Shape], numbers: Mapping[str, float]) -> bool:
    try:
        Compiler(compiler.problem).find(known, numbers)
    except MatgradError:
        return False
    return True


def _drawn(
    calculation: Calculation, used: Mapping[str, Input], wishes: Wishes, inferred: set[str], counts: Mapping[str, int]
) -> dict[str, Input]:
    """Draw the missing inputs; where the value is then not finite, try positive numbers."""
    problem = calculation.problem
    missing = [name for name in problem.names if name not in used]
    needed = needs([calculation.original, calculation.output], general=wishes.general)
    demands = {name: {*problem.assumptions.get(name, ()), *needed.get(name, ())} for name in missing}
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
        demands = {name: known or {"positive"} for name, known in demands.items()}
    return drawn


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
    word = DIRECTIONS[problem.kind]
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
            message = f"the {word} is {describe(value.shape)}, and {describe(full)} is needed"
            notes = [f"it must have the shape of {'the output' if problem.kind == 'vjp' else f'`{name}`'}"]
            helps = [Setting(word, "ones"), Setting(word, "random")]
            raise InputError(message, place=Setting(word), notes=notes, helps=helps)
        found[name] = Input(value, wish.source)
    return found
