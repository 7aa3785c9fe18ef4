"""Tests generated from the operator table: values, derivatives, spellings and refusals of every entry.

A sample's names have fixed shapes (`SHAPES`); their values satisfy the domain of the operand in which they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from differences import difference_error, directions_of, relative_error
from matgrad.core.differentiation.differentiate import derivative, pushforward
from matgrad.core.elaboration.arguments import declaration
from matgrad.core.elaboration.elaborate import Elaborator
from matgrad.core.elaboration.keywords import KEYWORD_ALIASES
from matgrad.core.elaboration.literals import BARE_CONSTANTS
from matgrad.core.errors import ExpressionError
from matgrad.core.graph.catalogue import find
from matgrad.core.graph.nodes import Node, Symbol
from matgrad.core.graph.operator import Operator
from matgrad.core.graph.signatures import parse_axes
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse
from references import REFERENCES
from samples import SHAPES, TABLE, Values, elaborated, run, values_of

# Derivatives within an expression are tested at the end.
SAMPLES = [(operator, sample) for operator in TABLE for sample in operator.samples]
DIFFERENTIABLE = [case for case in SAMPLES if set(syntax.free_names(parse(case[1]))) - BARE_CONSTANTS]
ERRORS = [(operator, sample) for operator in TABLE for sample in operator.errors]
ALIASES = [(operator, alias) for operator in TABLE for alias in operator.aliases]

every_sample = pytest.mark.parametrize(("operator", "sample"), SAMPLES, ids=[sample for _, sample in SAMPLES])
every_function = pytest.mark.parametrize(
    ("operator", "sample"), DIFFERENTIABLE, ids=[sample for _, sample in DIFFERENTIABLE]
)


def contracted(jacobians: Mapping[str, np.ndarray], directions: Values) -> np.ndarray:
    """Return the sum over names of a Jacobian times a direction."""
    parts = [np.tensordot(jacobian, directions[name], directions[name].ndim) for name, jacobian in jacobians.items()]
    return np.asarray(np.sum(parts, axis=0))


# --- an independent way to the value: the references, called as Python calls functions --------------------------------


INFIX = {
    ">": np.greater, "==": np.equal, "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
    "@": np.matmul,
}  # fmt: skip


def interpreted(node: syntax.Node, values: Values) -> Any:
    match node:
        case syntax.Program():
            return interpreted(node.result, values)
        case syntax.Name():
            return np.inf if node.name == "inf" else values[node.name]
        case syntax.Number():
            return int(node.text) if node.text.isdigit() else float(node.text)
        case syntax.String() | syntax.Literal():
            return node.value
        case syntax.ListLiteral():
            return [interpreted(item, values) for item in node.items]
        case syntax.TupleLiteral():
            return tuple(interpreted(item, values) for item in node.items)
        case syntax.Unary():
            return -interpreted(node.operand, values)
        case syntax.Binary():
            return INFIX[node.operator](interpreted(node.left, values), interpreted(node.right, values))
        case syntax.Attribute():
            return interpreted(node.operand, values).T
        case syntax.Index():
            items = tuple(interpreted(item, values) for item in node.items)
            return interpreted(node.operand, values)[items if len(items) > 1 else items[0]]
        case syntax.Slice():
            return slice(*(part and interpreted(part, values) for part in (node.start, node.stop, node.step)))
        case syntax.Call():
            return called(node, values)
    raise AssertionError(node)


def called(node: syntax.Call, values: Values) -> Any:
    operator = find(node.function)
    assert operator is not None
    settings = {}
    for keyword in [keyword for keyword in node.keywords if keyword.name not in operator.fixed]:
        own = keyword.name in declaration(operator.parameters).settings
        settings[keyword.name if own else KEYWORD_ALIASES[keyword.name]] = interpreted(keyword.value, values)
    if "repetitions" in settings:
        settings["repeats"] = settings.pop("repetitions")
    arguments = [interpreted(argument, values) for argument in node.arguments]
    if node.method and len(arguments) > 2:
        arguments = [arguments[0], tuple(arguments[1:])]
    function = REFERENCES.get(operator.name, operator.evaluate)
    assert function is not None
    if not operator.signature or "axis" in declaration(operator.parameters).settings:
        return function(*arguments, **settings)
    return per_sample(operator, function, arguments)


def per_sample(operator: Operator, function: Any, arguments: list[Any]) -> Any:
    """Call a reference for each sample of a stack: references are written for one."""
    ranks = [len(axes) for axes in parse_axes(operator.signature.split("->")[0])]
    leads = [argument.shape[: argument.ndim - rank] for argument, rank in zip(arguments, ranks, strict=True)]
    lead = np.broadcast_shapes(*leads)
    if not lead:
        return function(*arguments)
    whole = [np.broadcast_to(a, lead + a.shape[a.ndim - rank :]) for a, rank in zip(arguments, ranks, strict=True)]
    results = [function(*(argument[place] for argument in whole)) for place in np.ndindex(lead)]
    if isinstance(results[0], tuple):
        return tuple(np.array(parts) for parts in zip(*results, strict=True))
    return np.array(results).reshape(*lead, *np.shape(results[0]))


# --- the tests -------------------------------------------------------------------------------------------------------


@every_sample
def test_value(operator: Operator, sample: str) -> None:
    values = values_of(operator, sample)
    found = run(elaborated(sample), values)
    wanted = np.asarray(interpreted(parse(sample), values), dtype=np.float64)
    assert found.shape == wanted.shape
    assert np.all(np.isfinite(found))
    assert relative_error(found, wanted) < 1e-12


@every_function
def test_first_derivative(operator: Operator, sample: str) -> None:
    values, root = values_of(operator, sample), elaborated(sample)
    symbols = {name: Symbol.of(name, SHAPES[name]) for name in values}
    jacobians = {name: run(derivative(root, symbol), values) for name, symbol in symbols.items()}
    for name, jacobian in jacobians.items():
        assert jacobian.shape == root.shape + SHAPES[name]
    directions = directions_of(values)
    reverse = contracted(jacobians, directions)
    tangents = {symbol: Symbol.of(f"{name} moved", symbol.shape) for name, symbol in symbols.items()}
    forward = run(pushforward(root, tangents), {**values, **{f"{name} moved": d for name, d in directions.items()}})
    assert relative_error(forward, reverse) < 1e-12
    assert difference_error(root, values, directions, forward) < 1e-9


@every_function
def test_second_derivative(operator: Operator, sample: str) -> None:
    values, root = values_of(operator, sample), elaborated(sample)
    symbols = {name: Symbol.of(name, SHAPES[name]) for name in values}
    directions = directions_of(values)
    tangents = {symbol: Symbol.of(f"{name} moved", symbol.shape) for name, symbol in symbols.items()}
    for symbol in symbols.values():
        first = derivative(root, symbol)
        second = run(pushforward(first, tangents), {**values, **{f"{n} moved": d for n, d in directions.items()}})
        assert difference_error(first, values, directions, second) < 1e-8


@pytest.mark.parametrize(
    ("operator", "sample"),
    [case for case in DIFFERENTIABLE if case[0].analytic],
    ids=[sample for operator, sample in DIFFERENTIABLE if operator.analytic],
)
def test_complex_step(operator: Operator, sample: str) -> None:
    values, root = values_of(operator, sample), elaborated(sample)
    directions = directions_of(values)
    jacobians = {name: run(derivative(root, Symbol.of(name, SHAPES[name])), values) for name in values}
    stepped = {name: value + 1e-30j * directions[name] for name, value in values.items()}
    assert relative_error(run(root, stepped).imag / 1e-30, contracted(jacobians, directions)) < 1e-10


@pytest.mark.parametrize(("operator", "alias"), ALIASES, ids=[alias for _, alias in ALIASES])
def test_alias_means_the_same(operator: Operator, alias: str) -> None:
    sample = next(text for text in operator.samples if text.startswith(f"{operator.name}("))
    same = alias + sample.removeprefix(operator.name)
    assert elaborated(same) is elaborated(sample)


@pytest.mark.parametrize(("operator", "sample"), ERRORS, ids=[sample for _, sample in ERRORS])
def test_mistake_is_refused(operator: Operator, sample: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        elaborated(sample)
    assert caught.value.message
    assert caught.value.labels


@pytest.mark.parametrize("operator", TABLE, ids=lambda operator: operator.name)
def test_entry_is_complete(operator: Operator) -> None:
    assert operator.samples, "an entry without samples is an entry without tests"
    assert operator.errors
    assert operator.doc.endswith(".")
    assert operator.family
    ways = [operator.evaluate, operator.build, operator.definition, operator.rewrite]
    assert sum(way is not None for way in ways) == 1
    assert (operator.evaluate is None) == (operator.differential is None)
    assert operator.name in REFERENCES or isinstance(operator.evaluate, np.ufunc), "evaluate cannot check itself"
    assert bool(operator.kink) == bool(operator.at_kink)
    assert all(find(name) is operator for name in (operator.name, *operator.aliases))


def test_references_are_of_entries() -> None:
    assert REFERENCES.keys() <= {operator.name for operator in TABLE}


@pytest.mark.parametrize(
    "operator", [operator for operator in TABLE if operator.kink], ids=lambda operator: operator.name
)
def test_kink_is_a_condition_on_the_operands(operator: Operator) -> None:
    shapes = [(3, 3) if "n,n" in operator.signature or "m,n" in operator.signature else (3,)] * len(operator.operands)
    environment: dict[str, Any] = {
        name: Symbol.of(name, shape) for name, shape in zip(operator.operands, shapes, strict=True)
    }
    environment["y"] = Symbol.of("y", () if operator.signature.endswith("->()") else (3,))
    assert operator.kink is not None
    condition = Elaborator(environment).run(parse(operator.kink))
    assert isinstance(condition, Node)
    assert condition.shape == (() if operator.signature else (3,))


FIXED = [(operator, name) for operator in TABLE for name in operator.undifferentiable]


@pytest.mark.parametrize(("operator", "name"), FIXED, ids=[f"{operator.name} {name}" for operator, name in FIXED])
def test_derivative_without_closed_form_is_refused(operator: Operator, name: str) -> None:
    cores = parse_axes(operator.signature.partition("->")[0]) or [()] * len(operator.operands)
    shapes = [(3,) * len(core) for core in cores]
    environment = {operand: Symbol.of(operand, shape) for operand, shape in zip(operator.operands, shapes, strict=True)}
    root = Elaborator(environment).run(parse(f"{operator.name}({', '.join(operator.operands)})"))
    said = operator.written.partition("(")[0] or operator.name
    with pytest.raises(ExpressionError, match=f"`{said}` has no derivative by `{name}` in closed form"):
        derivative(root, environment[name])


@pytest.mark.parametrize("operator", [find("grad"), find("jacobian"), find("hessian")], ids=lambda entry: entry.name)
def test_derivative_within_an_expression_is_the_derivative(operator: Operator) -> None:
    x = Symbol.of("x", (3,))
    f = Elaborator({"x": x}).run(parse("sum(exp(x) * x)"))
    wanted = derivative(f, x) if operator.name != "hessian" else derivative(derivative(f, x), x)
    assert Elaborator({"x": x}).run(parse(f"{operator.name}(sum(exp(x) * x), x)")) is wanted
    assert operator.samples
    for mistake in operator.errors:
        with pytest.raises(ExpressionError):
            Elaborator({"x": x}).run(parse(mistake))


@pytest.mark.parametrize(
    "name", ["svd", "svdvals", "eigh", "eigvalsh", "cholesky", "pinv", "nuclear_norm", "polar_factor", "cofactor"]
)
def test_matrices_with_infinite_entries_end_as_nan(name: str) -> None:
    """LAPACK's singular value decomposition never ends there."""
    operator = find(name)
    assert operator is not None
    evaluate = operator.evaluate
    assert evaluate is not None
    matrices = np.stack([np.eye(3), np.full((3, 3), np.inf), np.full((3, 3), np.nan)])
    results = evaluate(matrices)
    for result in results if isinstance(results, tuple) else (results,):
        assert np.isfinite(result[0]).all()
        assert np.isnan(result[1:]).all()
