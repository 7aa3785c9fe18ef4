"""Where an answer needs a word of caution: kinks, and the first operation that is not finite or has no value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array, first_place
from ..differentiation.differentiate import partial
from ..elaboration.elaborate import elaborate_text
from ..errors import EvaluationError, Label
from ..evaluation.program import OperationFailed, compile_program, evaluated
from ..graph.algebra import constant_value
from ..graph.nodes import Apply, Map, Node, Symbol, symbols, topological
from ..graph.transform import vectorize
from ..problems.answer import Warning
from ..problems.calculation import Calculation
from ..shapes import show
from .location import Location

Values = Mapping[str, Array]
Place = tuple[int, ...]

ONLY_ONCE = "some of its singular values or eigenvalues are equal, or a singular value is zero"
NO_INVERSE = "pinv(X) is defined for every matrix; solve and inv need an invertible one"
NO_CHOLESKY = "cholesky needs a symmetric positive definite matrix, such as A @ A.T + eye(n)"

# --- kinks -----------------------------------------------------------------------------------------------------------


def find_kinks(calculation: Calculation, values: Values) -> list[Warning]:
    """Return a warning for each place where the value has a kink, so that a derivative is a choice.

    Example: `abs(x)` where x[1] is 0. Only what depends on a variable counts.
    """
    if calculation.problem.kind == "value":
        return []
    location = Location(calculation)
    warnings: dict[str, Warning] = {}
    for node in calculation.kinked:
        hit = _hit(calculation, node, values)
        if hit is not None:
            warning = _kink_warning(location, node, hit, *_first_sample(calculation, hit, values))
            warnings.setdefault(warning.message, warning)
    return list(warnings.values())


def refuse_at_kinks(calculation: Calculation, values: Values) -> None:
    """Raise EvaluationError where what is differentiated once and no more has a kink.

    Example: the nuclear norm of a matrix of lower rank has no second derivative.
    """
    for node in calculation.kinked:
        if node.operator.once and _hit(calculation, node, values) is not None:
            location = Location(calculation)
            raise EvaluationError(
                f"there is no second derivative of {location.quote(node)} here: {ONLY_ONCE}",
                Label(location.span_of(node), "values are equal or zero here"),
                helps=["give numbers at which they differ; the first derivative is a choice here, and can be had"],
            )


def _hit(calculation: Calculation, node: Map | Apply, values: Values) -> Array | None:
    """Return where a node has a kink, None where it has none."""
    condition = _condition(node)
    found = None if condition is None else evaluated(calculation.over_samples([condition]), values)
    return found[0] if found is not None and found[0].any() else None


def _condition(node: Map | Apply) -> Node | None:
    """Return the condition under which an operation has a kink; written for one sample, it is asked of all of them."""
    batch = node.batch if isinstance(node, Apply) else 0
    operands = {"y": node, **dict(zip(node.operator.operands, node.children, strict=True))}
    samples = {name: Symbol.of(name, operand.shape[batch:]) for name, operand in operands.items()}
    assert node.operator.kink is not None
    settings = dict(node.parameters) if isinstance(node, Apply) else {}
    result = elaborate_text(node.operator.kink, {**(samples if batch else operands), **settings})
    if not isinstance(result, Node) or not batch:
        return result if isinstance(result, Node) else None
    return vectorize([result], {samples[name]: operand for name, operand in operands.items()}, node.shape[:batch])[0]


def _first_sample(calculation: Calculation, hit: Array, values: Values) -> tuple[Place, Values, str]:
    """Return the first place of a kink, the inputs there, and the sample in words where there are several."""
    place = first_place(hit)
    if calculation.samples is None:
        return place, values, ""
    sample, *inner = place
    batch = calculation.problem.batch
    one = {name: value[sample] if name in batch else value for name, value in values.items()}
    return tuple(inner), one, f" in sample {sample}"


def _kink_warning(
    location: Location, node: Map | Apply, hit: Array, place: Place, values: Values, sample: str
) -> Warning:
    count = np.count_nonzero(hit)
    text, more = location.quote(node), f" and {count - 1} more" if count > 1 else ""
    at = _input_at(node, place, values) or (f"entry {_index(place)}" if place else "")
    where = f"at {at}{sample}{more}" if at else f"here{sample}{more if sample else ''}"
    if node.operator.mask:
        jump = f"{text} changes" if location.is_written(node) else f"{text} has a kink"
        message = f"{jump} {where}: the derivative is that of the branch taken"
    else:
        message = f"{text} has a kink {where}: {node.operator.at_kink or 'the derivative is a choice'}"
    return Warning(message, span=location.span_of(node), label="not differentiable here", code="kink")


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]"


def _input_at(node: Node, place: tuple[int, ...], values: Values) -> str:
    """Return `x[1] = 0` if the operation acts entry by entry on an input, else nothing."""
    for child in node.children:
        if isinstance(child, Symbol) and child.shape == node.shape and isinstance(node, Map):
            return f"{child.name}{_index(place) if place else ''} = {values[child.name][place]:g}"
    return ""


# --- what is not finite ----------------------------------------------------------------------------------------------


def find_nonfinite(calculation: Calculation, values: Values, value: Array, data: list[Array]) -> list[Warning]:
    """Return a warning that names the first operation whose result is not finite, in the value or in its derivative."""
    if not np.isfinite(value).all():
        return [_first_bad_value(calculation, values)]
    if all(np.isfinite(array).all() for array in data):
        return []
    return [_first_bad_partial(calculation, values)]


def _first_bad_value(calculation: Calculation, values: Values) -> Warning:
    plain = Warning("the result is not finite", code="nonfinite")
    if calculation.samples is not None:
        return plain
    location = Location(calculation)
    written = [(node, constant_value(node)) for node in calculation.spans]
    for node, constant in written:  # numbers are folded into what they multiply before anything is computed
        if constant is not None and not np.isfinite(float(constant)):
            return plain._replace(span=location.span_of(node), label=f"{float(constant)} first appears here")
    try:
        for node, array in compile_program([calculation.original]).run_traced(values):
            if not np.isfinite(array).all() and not isinstance(node, Symbol):
                place = first_place(~np.isfinite(array))
                at = f", at {_index(place)}" if place else ""
                label = f"{float(array[place])} first appears here{at}{_cause(node, place, values)}"
                return plain._replace(span=location.span_of(node), label=label)
    except OperationFailed:
        return plain
    return plain


def _cause(node: Node, place: tuple[int, ...], values: Values) -> str:
    entry = _input_at(node, place, values)
    return f", where {entry}" if entry else ""


def _first_bad_partial(calculation: Calculation, values: Values) -> Warning:
    plain = Warning("the derivative is not finite, although the value is", code="nonfinite")
    if calculation.samples is not None:
        return plain
    wrt = set(calculation.problem.wrt)
    location = Location(calculation)
    for node in topological([calculation.output]):
        if not isinstance(node, Map) or node.operator.mask:
            continue
        for position, child in enumerate(node.children):
            if not wrt & set(symbols([child])) or constant_value(child) is not None:
                continue
            (array,) = compile_program([partial(node, position)]).run(values)
            if not np.isfinite(array).all():
                place = first_place(~np.isfinite(array))
                at = f" at {_index(place)}" if place else ""
                bad = f"its derivative is {float(array[place])}{at}{_cause(node, place, values)}"
                return plain._replace(span=location.span_of(node), label=bad)
    return plain


# --- what has no value -----------------------------------------------------------------------------------------------


def explain_failure(calculation: Calculation, failure: OperationFailed, values: Values) -> EvaluationError:
    """Return the error for an operation that NumPy refused: which piece of the text, and what is wrong with its matrix.

    Example: for `inv(A)` with A of rank 1 it is "cannot evaluate `inv(A)`: `A` is singular", and the label gives the
    shape and the rank.
    """
    about, node, location = str(failure.original), failure.node, Location(calculation)
    try:
        calculation.value_program.run(values)
    except OperationFailed as of_value:  # what already fails in the value, which is computed as it is written
        node = of_value.node
    operand = node.children[0] if node.children else node
    name = f"`{operand.name}`" if isinstance(operand, Symbol) else "the matrix"
    verb = "evaluate" if location.is_inside(node) else "differentiate"
    label, helps = about, []
    if about == "Singular matrix":
        about, label, helps = f"{name} is singular", _rank(operand, values), [NO_INVERSE]
    elif about == "Matrix is not positive definite":
        about, label, helps = f"{name} is not positive definite", _smallest_eigenvalue(operand, values), [NO_CHOLESKY]
    message = f"cannot {verb} {location.quote(node)}: {about}"
    return EvaluationError(message, Label(location.span_of(node), label), helps=helps)


def _matrices(node: Node, values: Values) -> Array | None:
    """Return matrices as numbers, None where an operation has no result or one that is not finite."""
    found = evaluated([node], values)
    return found[0] if found is not None and np.isfinite(found[0]).all() else None


def _rank(node: Node, values: Values) -> str:
    """Return `2×2 of rank 1`, with the first singular matrix of several."""
    matrices = _matrices(node, values)
    if matrices is None:
        return "singular"
    ranks = np.atleast_1d(np.linalg.matrix_rank(matrices)).ravel()
    worst = int(np.argmin(ranks))
    which = f"matrix {worst} is " if ranks.size > 1 else ""
    return f"{which}{show(matrices.shape[-2:])} of rank {ranks[worst]}"


def _smallest_eigenvalue(node: Node, values: Values) -> str:
    matrices = _matrices(node, values)
    if matrices is None:
        return "not positive definite"
    symmetric = (matrices + np.swapaxes(matrices, -1, -2)) / 2
    return f"its smallest eigenvalue is {float(np.min(np.linalg.eigvalsh(symmetric))):.3g}"
