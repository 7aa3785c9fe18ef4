"""Arguments of a call: matched with what the operator declares, as Python matches them with a signature."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from ...grammar.parser import parse
from ...grammar.syntax import Call, Node, TupleLiteral
from ...grammar.vocabulary import words
from ..errors import ExpressionError, Label
from ..graph.operator import Operator
from .keywords import INSTEAD, KEYWORD_ALIASES

REQUIRED = object()
# What libraries call the first operand.
FIRST_OPERAND = words("input a x A X m v arr array tensor input_tensor logits values t tup")


class Declaration(NamedTuple):
    """What an operator takes: operands, then settings with their defaults.

    `variadic` says that any number of operands may follow, `listed` that the operands come as one list; `given` are the
    numbers that stand for operands which are left out.
    """

    operands: tuple[str, ...]
    settings: Mapping[str, object]
    variadic: bool = False
    listed: bool = False
    given: Mapping[str, float] = MappingProxyType({})


@cache
def declaration(parameters: str) -> Declaration:
    """Return the declaration written as `"X, b; axis=None"`; `*x` is variadic, `[x]` a list."""
    operands, _, settings = parameters.partition(";")
    parts = [part.strip("*[] ").partition("=") for part in operands.split(",") if part.strip()]
    names = tuple(name for name, _, _ in parts)
    numbers = {name: ast.literal_eval(default) for name, _, default in parts if default}
    function = ast.parse(f"lambda {settings}: 0", mode="eval").body
    assert isinstance(function, ast.Lambda), parameters
    defaults = [ast.literal_eval(default) for default in function.args.defaults]
    words = [argument.arg for argument in function.args.args]
    values = [REQUIRED] * (len(words) - len(defaults)) + defaults
    return Declaration(names, dict(zip(words, values, strict=True)), "*" in operands, "[" in operands, numbers)


@cache
def several_outputs(operator: Operator) -> bool:
    """Whether a call of an operator gives several results, as those of `eigh`."""
    return (
        operator.several
        or len(operator.rules) > 1
        or any(isinstance(parse(text).result, TupleLiteral) for text in operator.definitions.values())
    )


class UnknownArgument(ExpressionError):
    """A keyword that a function does not have; `name` is the word."""

    def __init__(self, operator: Operator, name: str) -> None:
        helps = [INSTEAD.get(name) or usage(operator)]
        super().__init__(f"`{operator.name}` has no argument `{name}`", helps=helps)
        self.name = name


class Bound(NamedTuple):
    """The arguments of one call, by role: values for the operands, in order, and for the settings."""

    operands: list[Any]
    settings: dict[str, Any]


def bind(operator: Operator, positional: Sequence[Any], keywords: Mapping[str, Any]) -> Bound:
    """Match arguments with the operator's declaration; defaults fill the settings that are not given.

    Example: for `sum`, declared `"x; axis=None, keepdims=False"`, the call `sum(A, 0)` binds axis to 0. Words such as
    `dim` and `keepdim` mean what they mean in the library they come from. A string is never an operand. What stands for
    an operand that is left out, or None, is the number that the operator declares.

    Raises ExpressionError for too many, too few or unknown arguments.
    """
    declared = declaration(operator.parameters)
    named = {_canonical(name, declared): value for name, value in keywords.items()}
    for name in named:
        if name not in declared.settings and name not in declared.operands:
            raise UnknownArgument(operator, name)
    operands, rest = _take_operands(operator, declared, list(positional), named)
    settings = dict(_fill_settings(operator, declared, rest, named))
    missing = [name for name, value in settings.items() if value is REQUIRED]
    if missing:
        raise ExpressionError(f"`{operator.name}` needs `{missing[0]}`", helps=[usage(operator)])
    for name in operator.fixed:
        if settings.pop(name) != declared.settings[name]:
            only = f"`{name}={declared.settings[name]}` is the only choice"
            raise ExpressionError(f"`{operator.name}`: {only}", helps=[usage(operator)])
    return Bound(operands, settings)


def written_out(operator: Operator, rewrite: Callable[..., Node], node: Call) -> Node:
    """Return what a call is another way to write.

    Raises ExpressionError where the arguments do not fit.
    """
    try:
        bound = bind(operator, node.arguments, {item.name: item.value for item in node.keywords})
    except ExpressionError as error:
        error.labels = (Label(node.function_span or node.span),)
        raise
    return rewrite(**dict(zip(operator.operands, bound.operands, strict=True)), **bound.settings, span=node.span)


def _canonical(name: str, declared: Declaration) -> str:
    if name in declared.settings or name in declared.operands:
        return name
    alias = KEYWORD_ALIASES.get(name, name)
    if alias not in declared.settings and alias not in declared.operands and name in FIRST_OPERAND:
        return declared.operands[0] if declared.operands else name
    return alias


def _take_operands(
    operator: Operator, declared: Declaration, positional: list[Any], named: dict[str, Any]
) -> tuple[list[Any], list[Any]]:
    words = []
    while positional and isinstance(positional[0], str):
        words.append(positional.pop(0))
    if declared.listed:
        items = positional.pop(0) if positional else named.pop(declared.operands[0], [])
        if not isinstance(items, list | tuple):
            raise ExpressionError(f"`{operator.name}` takes a list: {operator.name}([x, y])", helps=[usage(operator)])
        return list(items), words + positional
    if declared.variadic:
        return positional, words
    operands = []
    for name in declared.operands:
        if name not in named and not positional and name not in declared.given:
            raise ExpressionError(f"`{operator.name}` needs `{name}`", helps=[usage(operator)])
        value = named.pop(name) if name in named else positional.pop(0) if positional else None
        operands.append(declared.given[name] if value is None and name in declared.given else value)
    return operands, words + positional


def _fill_settings(
    operator: Operator, declared: Declaration, positional: list[Any], named: dict[str, Any]
) -> list[tuple[str, Any]]:
    names = list(declared.settings)
    if len(positional) > len(names) or (positional and names and names[0] in SEQUENCES and len(positional) > 1):
        if not names or names[0] not in SEQUENCES:
            raise ExpressionError(f"`{operator.name}` takes fewer arguments", helps=[usage(operator)])
        positional = [tuple(positional)]
    given = dict(zip(names, positional, strict=False))
    for name in given:
        if name in named:
            raise ExpressionError(f"`{operator.name}` got `{name}` twice", helps=[usage(operator)])
    return [(name, {**named, **given}.get(name, default)) for name, default in declared.settings.items()]


# Settings that methods take as separate numbers: x.reshape(2, 3), X.permute(1, 0), x.repeat(2, 2).
SEQUENCES = frozenset({"shape", "axes", "sizes", "repeats", "reps"})


def usage(operator: Operator) -> str:
    """Return the advice how to write an operator: "write `sum(x, axis=None, keepdims=False)`"."""
    return f"write `{call(operator)}`"


def call(operator: Operator) -> str:
    """Return how an operator is called: `clip(x, lower=None, upper=None)`, `outer(x, y)`, `einsum(x...)`."""
    operands, _, settings = (part.strip() for part in operator.parameters.partition(";"))
    several = operands.startswith("*")
    if operands.startswith("["):
        operands = f"[{operands[1:-1]}, ...]"
    parts = [settings, f"{operands[1:]}..."] if several else [operands, settings]
    return f"{operator.name}({', '.join(part for part in parts if part)})"
