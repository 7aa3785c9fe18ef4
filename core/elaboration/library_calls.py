"""How a library reads a call of its own: its signature, and what the call is in matgrad's language.

A reading is a line in an operator's entry: `torch.std(input, dim=None, *, correction=1, keepdim=False) ->
std(input, axis=dim, ddof=correction, keepdims=keepdim)`. Left stands the library's signature, matched as Python matches
it, right the same in matgrad's words. Where a function has several signatures, the first that fits is taken.
- A parameter that the right side leaves out can only have its default; with the default `...` it may have any value,
  for it changes no number.
- An annotation restricts what is given by place: `axis` to whole numbers, `array` to anything but a whole number,
  `pair` to two values in brackets; a
  word or a truth value (`order: 'F'`) is the only value that fits.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from inspect import Parameter, Signature
from typing import Any, NamedTuple

from ...grammar.errors import ExpressionError, Label
from ...grammar.parser import parse
from ...grammar.syntax import (
    Attribute,
    Binary,
    Call,
    Keyword,
    ListLiteral,
    Literal,
    Name,
    Node,
    Number,
    String,
    TupleLiteral,
    Unary,
    map_children,
    span_of,
    walk,
)
from ..graph import catalogue
from .arguments import declaration
from .keywords import INSTEAD, SAME_WORDS

KINDS = ("axis", "array", "number", "pair")
MOST_USAGES = 2
DOUBLE = ("float", "float64", "double")


class Misfit(Exception):
    """A call that a signature does not take: why, where, and what to write."""

    def __init__(self, message: str, place: Node | None = None, helps: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.helps = helps


class Reading(NamedTuple):
    """One signature of a library's function, and the tree that a call of it stands for."""

    signature: Signature
    meaning: Node

    def applied(self, call: Call, typed: str) -> Node:
        """Return what a call means in matgrad's language; raises Misfit where the signature does not take it."""
        words = {} if {*SAME_WORDS} & {*self.signature.parameters} else SAME_WORDS
        words = {word: own for word, own in words.items() if own in self.signature.parameters}
        places = {words.get(item.name, item.name): item for item in call.keywords}
        try:
            bound = self.signature.bind(*call.arguments, **{name: item.value for name, item in places.items()})
        except TypeError as error:
            wrong = next((item for name, item in places.items() if name not in self.signature.parameters), None)
            message = str(error) if wrong is None else f"there is no argument `{wrong.name}`"
            raise Misfit(message.replace("'", "`"), wrong, _instead(wrong)) from None
        values = {name: _given(value) for name, value in bound.arguments.items()}
        used = {item.name for item in walk(self.meaning) if isinstance(item, Name)}
        for name, value in values.items():
            parameter = self.signature.parameters[name]
            self._check(parameter, value, places.get(name), used)
        defaults = {
            name: replace(_tree(parameter.default), span=call.span)
            for name, parameter in self.signature.parameters.items()
            if name not in values and parameter.default not in (Parameter.empty, ...)
        }
        rest = {
            name: TupleLiteral(()) for name, one in self.signature.parameters.items() if one.kind is one.VAR_POSITIONAL
        }
        return _filled(self.meaning, rest | defaults | values, call, typed)

    def _check(self, parameter: Parameter, value: Node, place: Keyword | None, used: set[str]) -> None:
        """Raise Misfit for a value that the signature does not take."""
        where = place or value
        match parameter.annotation:
            case "axis" if place is None and not _is_axis(value):
                raise Misfit(f"`{parameter.name}` is a whole number, or several", where)
            case "array" if place is None and _is_axis(value):
                raise Misfit(f"`{parameter.name}` is an array", where)
            case "number" if not _is_number(value):
                raise Misfit(f"`{parameter.name}` is a number", where)
            case "pair" if not isinstance(value, TupleLiteral) or len(value.items) != 2:
                raise Misfit(f"`{parameter.name}` is a pair", where)
            case "axis" | "array" | "number" | "pair" | Parameter.empty:
                fits = parameter.name in used or parameter.default is ... or value == _tree(parameter.default)
                if not fits and not (parameter.name == "dtype" and is_double(value)):
                    raise Misfit(f"`{parameter.name}` cannot be given here", where, _instead(parameter))
            case bool(wanted) if place is not None and value == _tree(int(wanted)):
                pass
            case wanted if value != _tree(wanted):
                raise Misfit(f"`{parameter.name}` is {wanted!r} here", where)


@cache
def reading(text: str) -> Reading:
    """Return a reading from its line in an entry."""
    written, _, meaning = text.partition(" -> ")
    _, _, parameters = written.partition("(")
    function = ast.parse(f"def f({parameters}: ...").body[0]
    assert isinstance(function, ast.FunctionDef), text
    given = function.args
    named = [*given.posonlyargs, *given.args]
    defaults: list[Any] = [None] * (len(named) - len(given.defaults)) + given.defaults
    found = [
        _parameter(item, default, Parameter.POSITIONAL_OR_KEYWORD)
        for item, default in zip(named, defaults, strict=True)
    ]
    if given.vararg:
        found.append(_parameter(given.vararg, None, Parameter.VAR_POSITIONAL))
    pairs = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    found += [_parameter(item, default, Parameter.KEYWORD_ONLY) for item, default in pairs]
    return Reading(Signature(found), parse(meaning).result)


def _parameter(item: ast.arg, default: ast.expr | None, kind: Any) -> Parameter:
    annotation: Any = Parameter.empty
    if item.annotation is not None:
        annotation = item.annotation.id if isinstance(item.annotation, ast.Name) else ast.literal_eval(item.annotation)
    value = Parameter.empty if default is None else _constant(default)
    return Parameter(item.arg, kind, default=value, annotation=annotation)


def _constant(default: ast.expr) -> Any:
    """Return a default: a constant of Python, or the tree of what is none, as `-inf`."""
    try:
        return ast.literal_eval(default)
    except ValueError:
        return parse(ast.unparse(default)).result


def read(call: Call, typed: str, lines: Sequence[str]) -> Node:
    """Return what a call means by the first line whose signature takes it.

    Raises Misfit where none does, with what is wrong by the line that comes nearest.
    """
    misfits = []
    for line in lines:
        try:
            return reading(line).applied(call, typed)
        except Misfit as misfit:
            misfits.append(misfit)
    raise max(misfits, key=lambda misfit: (bool(misfit.helps), misfit.place is not None))


def refusal(call: Call, typed: str, misfit: Misfit, lines: Sequence[str]) -> ExpressionError:
    """Return the error for a call that its library's signatures do not take, with the longest of them."""
    place = call.function_span if misfit.place is None else span_of(misfit.place)
    usages = sorted(dict.fromkeys(usage(line, typed) for line in lines), key=len)[-MOST_USAGES:]
    helps = [*misfit.helps] or [f"write `{one}`" for one in usages[::-1]]
    return ExpressionError(f"`{typed}`: {misfit.message}", Label(place), helps=helps)


def usage(line: str, typed: str) -> str:
    """Return how a library's function is called, without what must keep its default."""
    signature, meaning = reading(line)
    used = {item.name for item in walk(meaning) if isinstance(item, Name)}
    shown = [
        one.replace(annotation=Parameter.empty) if one.annotation in KINDS else one
        for one in signature.parameters.values()
        if one.name in used or one.default is Parameter.empty
    ]
    words = [f"{one.name}={one.annotation!r}" if one.annotation is not Parameter.empty else str(one) for one in shown]
    return f"{typed}({', '.join(words)})"


def _instead(one: Parameter | Keyword | None) -> Sequence[str]:
    return [INSTEAD[one.name]] if one is not None and one.name in INSTEAD else []


def _given(value: Any) -> Node:
    """Return the tree of an argument, for further ones that of all in one tuple."""
    if not isinstance(value, tuple):
        node: Node = value
        return node
    several = len(value) == 1 and isinstance(value[0], ListLiteral | TupleLiteral)
    return value[0] if several else TupleLiteral(value)


def _is_axis(value: Node) -> bool:
    match value:
        case Number(text):
            return text.isdigit()
        case Unary("-", operand):
            return _is_axis(operand)
        case TupleLiteral(items) | ListLiteral(items):
            return all(map(_is_axis, items))
    return value == Literal(None)


def _is_number(value: Node) -> bool:
    plain = isinstance(value, Literal) and value.value is not ...
    return plain or isinstance(value.operand if isinstance(value, Unary) else value, Number)


def is_double(value: Node) -> bool:
    """Whether a tree names the type of all numbers here: `np.float64`."""
    return isinstance(value, Name) and value.name in DOUBLE


def _tree(value: Any) -> Node:
    """Return the tree of a Python constant."""
    match value:
        case Node():
            return value
        case str():
            return String(value)
        case tuple():
            return TupleLiteral(tuple(map(_tree, value)))
        case int() | float() if not isinstance(value, bool):
            return Unary("-", Number(str(-value))) if value < 0 else Number(str(value))
    return Literal(value)


def _filled(meaning: Node, values: Mapping[str, Node], call: Call, typed: str) -> Node:
    """Return the meaning of a call: its names replaced by the arguments, the rest where the call stands."""

    def filled(node: Node) -> Node:
        if isinstance(node, Name) and node.name in values:
            return values[node.name]
        changed = replace(map_children(node, filled), span=call.span)
        match changed:
            case Call():
                called = _without_defaults(_spread(changed))
                return replace(called, function_span=call.function_span, typed=typed)
            case Binary():
                return replace(changed, operator_span=call.function_span)
            case Attribute(TupleLiteral(items), "T"):
                return TupleLiteral(items[::-1], span=call.span)
        return changed

    return filled(meaning)


def _spread(call: Call) -> Call:
    """Return a call of an operator with any number of operands, with those of a tuple at its end one by one."""
    operator = catalogue.find(call.function)
    match call.arguments:
        case (*first, TupleLiteral(items) | ListLiteral(items)) if (
            operator and declaration(operator.parameters).variadic
        ):
            return replace(call, arguments=(*first, *items))
    return call


def _without_defaults(call: Call) -> Call:
    """Return a call without the arguments at its end, and the keywords, whose values are the operator's defaults."""
    operator = catalogue.find(call.function)
    if operator is None:
        return call
    declared = declaration(operator.parameters)
    usual = {**declared.given, **declared.settings}

    def is_usual(name: str, value: Node) -> bool:
        if name not in usual:
            return False
        return _same(value, _tree(usual[name])) or (name in declared.given and value == Literal(None))

    arguments = [*call.arguments]
    names = [*declared.operands, *declared.settings] if not declared.variadic and not declared.listed else []
    while 0 < len(arguments) <= len(names) and is_usual(names[len(arguments) - 1], arguments[-1]):
        arguments.pop()
    kept = tuple(item for item in call.keywords if not is_usual(item.name, item.value))
    return replace(call, arguments=tuple(arguments), keywords=kept)


def _same(value: Node, other: Node) -> bool:
    """Whether two trees are the same, or the same number: 1.0 and 1."""
    if isinstance(value, Number) and isinstance(other, Number):
        return float(value.text) == float(other.text)
    return value == other
