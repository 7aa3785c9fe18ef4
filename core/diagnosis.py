"""Where an answer needs a word of caution: kinks, and the first operation that is not finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..grammar.errors import Span
from .algebra import constant_value
from .answer import Array, Warning
from .calculation import Calculation
from .differentiate import partial
from .elaborate import Value, elaborate_text
from .evaluate import OperationFailed, compile_program
from .graph import Apply, Map, Node, Product, Symbol, symbols, topological


def find_kinks(calculation: Calculation, values: Mapping[str, Array]) -> list[Warning]:
    """Return a warning for each place where the value has a kink, so that a derivative is a choice.

    Example: `abs(x)` where x[1] is 0. Only what depends on a variable counts.
    """
    if calculation.problem.kind == "value" or calculation.samples is not None:
        return []
    wrt = set(calculation.problem.wrt)
    kinked = [
        node
        for node in topological([calculation.output])
        if isinstance(node, Map | Apply) and node.operator.kink and wrt & set(symbols([node]))
    ]
    warnings = []
    for node in kinked:
        condition = _condition(node)
        if condition is None:
            continue
        try:
            (hit,) = compile_program([condition]).run(values)
        except OperationFailed:
            continue
        if hit.any():
            warnings.append(_kink_warning(calculation, node, hit))
    return warnings


def _condition(node: Map | Apply) -> Node | None:
    if isinstance(node, Apply) and node.batch:
        return None
    environment: dict[str, Value] = {"y": node, **dict(zip(node.operator.operands, node.children, strict=True))}
    if isinstance(node, Apply):
        environment |= dict(node.parameters)
    assert node.operator.kink is not None
    result = elaborate_text(node.operator.kink, environment)
    return result if isinstance(result, Node) else None


def _kink_warning(calculation: Calculation, node: Map | Apply, hit: Array) -> Warning:
    name = node.operator.name
    places = [tuple(int(i) for i in place) for place in np.argwhere(hit)]
    where = f" at {_index(places[0])}" if places[0] else ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return Warning(
        message=f"`{name}` has a kink here{where}{more}: {node.operator.at_kink or 'the derivative is a choice'}",
        span=_span(calculation, node),
        label="not differentiable here",
        code="kink",
    )


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]"


def _span(calculation: Calculation, node: Node) -> Span | None:
    found = calculation.spans.get(node)
    if found is None and isinstance(node, Map | Apply):
        same = [
            span
            for other, span in calculation.spans.items()
            if isinstance(other, Map | Apply) and set(other.children) == set(node.children)
        ]
        found = same[0] if same else None
    return found


def find_nonfinite(
    calculation: Calculation, values: Mapping[str, Array], value: Array, data: list[Array]
) -> list[Warning]:
    """Return a warning that names the first operation whose result is not finite, in the value or in its derivative."""
    if not np.isfinite(value).all():
        return [_first_bad_value(calculation, values, value)]
    if all(np.isfinite(array).all() for array in data):
        return []
    return [_first_bad_partial(calculation, values)]


def _first_bad_value(calculation: Calculation, values: Mapping[str, Array], value: Array) -> Warning:
    plain = Warning("the result is not finite", code="nonfinite")
    if calculation.samples is not None:
        return plain
    computed: dict[Node, Array] = {}
    try:
        for node, array in compile_program([calculation.original]).run_traced(values):
            computed[node] = array
            if not np.isfinite(array).all() and not isinstance(node, Symbol):
                return _described(calculation, node, array, computed, values)
    except OperationFailed:
        return plain
    return plain


def _described(
    calculation: Calculation, node: Node, array: Array, computed: Mapping[Node, Array], values: Mapping[str, Array]
) -> Warning:
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    bad = float(array[place])
    span = _span(calculation, node)
    at = f", at {_index(place)}" if place else ""
    cause = _cause(node, place, values)
    return Warning(
        "the result is not finite",
        span=span,
        label=f"{bad} first appears here{at}{cause}",
        code="nonfinite",
    )


def _cause(node: Node, place: tuple[int, ...], values: Mapping[str, Array]) -> str:
    """Return ", where x[1] = 0" if the operation acts on an input directly."""
    for child in node.children:
        if isinstance(child, Symbol) and child.shape == node.shape and isinstance(node, Map):
            inside = _index(place) if place else ""
            return f", where {child.name}{inside} = {values[child.name][place]:g}"
    return ""


def _first_bad_partial(calculation: Calculation, values: Mapping[str, Array]) -> Warning:
    message = "the derivative is not finite, although the value is"
    plain = Warning(message, code="nonfinite")
    if calculation.samples is not None:
        return plain
    wrt = set(calculation.problem.wrt)
    for node in topological([calculation.output]):
        if not isinstance(node, Map) or node.operator.mask:
            continue
        for position, child in enumerate(node.children):
            if not wrt & set(symbols([child])) or constant_value(child) is not None:
                continue
            (array,) = compile_program([partial(node, position)]).run(values)
            if not np.isfinite(array).all():
                place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                at = f" at {_index(place)}" if place else ""
                return Warning(
                    message,
                    span=_span(calculation, node),
                    label=f"the derivative of `{node.operator.name}` is {float(array[place])}{at}"
                    + _cause(node, place, values),
                    code="nonfinite",
                )
    return plain


__all__ = ["Product", "find_kinks", "find_nonfinite"]
