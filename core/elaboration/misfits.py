"""What to say when an expression does not fit: both operands, their shapes, and the fix that would."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Command, advise
from ...grammar.errors import ExpressionError, Label
from ...grammar.meant import index_from_zero
from ...grammar.writer import write
from ..arrays import Static
from ..errors import ChoiceError, RankError, ShapeError, UnknownNameError
from ..graph import algebra, catalogue
from ..graph.nodes import Node, Product, Structural, Symbol
from ..graph.operator import Operator
from ..shapes import Shape, broadcast_shapes, describe, matmul_shape, show
from .arguments import UnknownArgument, usage

MASKS = ("&", "|", "~")
VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "@": "multiply", "**": "raise"}


def clash(node: syntax.Binary, left: Node, right: Node, error: ShapeError) -> ShapeError:
    """Return the error of an infix operator, with both operands named and the transpose offered where it fits."""
    texts = [write(node.left), write(node.right)]
    whole = write(node)
    spans = syntax.span_of(node.left), syntax.span_of(node.right)
    if isinstance(error, RankError):
        return RankError(
            f"cannot multiply `{whole}` with `@`",
            Label(node.operator_span, error.message),
            Label(spans[0], describe(left.shape), primary=False),
            Label(spans[1], describe(right.shape), primary=False),
            needed=1,
            operand=spans[1] if left.shape else spans[0],
            helps=[f"`{texts[0]} * {texts[1]}` multiplies by a number"],
        )
    labels = [
        Label(spans[0], f"{_called(texts[0])} is {describe(left.shape)}", primary=False),
        Label(spans[1], f"{_called(texts[1])} is {describe(right.shape)}"),
    ]
    if node.operator == "@":
        first = f"{left.shape[-1]} {'columns' if left.rank > 1 else 'entries'}"
        second = f"{right.shape[-2] if right.rank > 1 else right.shape[0]} {'rows' if right.rank > 1 else 'entries'}"
        message = f"cannot multiply `{whole}`: {first} against {second}"
    else:
        verb = VERBS.get(node.operator, "compare")
        message = f"cannot {verb} `{whole}`: {show(left.shape)} against {show(right.shape)}"
    return ShapeError(message, *labels, sizes=error.sizes, helps=_fitting_transposes(node, left, right))


def _called(text: str) -> str:
    return f"`{text}`" if len(text) <= 24 else "this"


def _fitting_transposes(node: syntax.Binary, left: Node, right: Node) -> list[str]:
    """Return the transposes of an operand that would make the shapes fit."""
    helps = []
    flips: list[tuple[syntax.Node, syntax.Node, Shape, Shape]] = []
    if left.rank > 1:
        flips.append((_transposed(node.left), node.right, left.shape[::-1], right.shape))
    if right.rank > 1:
        flips.append((node.left, _transposed(node.right), left.shape, right.shape[::-1]))
    combined = matmul_shape if node.operator == "@" else broadcast_shapes
    for first, second, *shapes in flips:
        with suppress(ShapeError):
            sizes = [f"({show(shape)})" for shape in (*shapes, combined(*shapes))]
            text = write(syntax.Binary(node.operator, first, second))
            helps.append(f"`{text}` would fit: {sizes[0]} {node.operator} {sizes[1]} -> {sizes[2]}")
    return helps


def _transposed(node: syntax.Node) -> syntax.Node:
    if isinstance(node, syntax.Attribute) and node.name == "T":
        return node.operand
    return syntax.Attribute(node, "T")


def require_numbers(node: syntax.Binary, left: Node, right: Node) -> None:
    """Refuse signs that stand between numbers where arrays could be meant in several ways: `u·v`, MATLAB's `A/B`."""
    first, second = (write(operand) for operand in (node.left, node.right))
    helps: dict[str, tuple[int, list[str]]] = {
        "·": (left.rank and right.rank, [f"`{write(syntax.Binary('@', node.left, node.right))}` for the dot product"]),
        "×": (left.rank and right.rank, [f"`cross({first}, {second})` for the cross product"]),
        "matlab /": (right.rank, [f"`solve(({second}).T, ({first}).T).T` divides by a matrix"]),
        "matlab ^": (left.rank or right.rank, [f"`matrix_power({first}, {second})` for the power of a matrix"]),
    }
    arrays, meant = helps[node.mark]
    if not arrays:
        return
    sign = node.mark.removeprefix("matlab ")
    plain = f"`{write(replace(node, mark=''))}` entry by entry"
    raise ShapeError(
        f"`{sign}` between arrays can be read in several ways",
        Label(node.operator_span, "stands between numbers"),
        *(
            Label(syntax.span_of(part), "an array", primary=False)
            for part, value in ((node.left, left), (node.right, right))
            if value.rank
        ),
        helps=[*meant, plain if sign == node.mark else f"`.{sign}` works entry by entry"],
    )


def require_meaning(node: syntax.Call, operands: Sequence[object], statics: Mapping[str, Static]) -> None:
    """Refuse calls written with a sign that means nothing, or several things, for what stands there: `x & y`, `|A|`."""
    if node.mark in MASKS:
        for part, value in zip(node.arguments, operands, strict=True):
            if not _may_be_mask(value, statics):
                raise ExpressionError(
                    f"`{node.mark}` is of masks, such as `x > 0`",
                    Label(syntax.span_of(part), "no mask"),
                    helps=[f"`{node.function}` asks of numbers whether they are 0"],
                )
    elif isinstance(operands[0], Node) and operands[0].rank > 1:
        raise _ambiguous_matrix(node)


def _may_be_mask(value: object, statics: Mapping[str, Static]) -> bool:
    """Whether a value is a mask, as far as is known: an input may be one until it has a value."""
    match value:
        case Symbol(name=name):
            found = statics.get(name)
            return found is None or bool(np.isin(found, (0, 1)).all())
        case Product(coefficient=1):
            return all(isinstance(child, Structural) or _may_be_mask(child, statics) for child in value.children)
        case list():
            return all(_may_be_mask(item, statics) for item in value)
        case Node():
            return algebra.is_mask(value) or algebra.is_zero(value)
    return isinstance(value, bool)


def _ambiguous_matrix(node: syntax.Call) -> ShapeError:
    """Return the error of a matrix where books or programs differ: `|A|`, the `sum(A)` of MATLAB."""
    inner, name = write(node.arguments[0]), node.function
    helps = [f"`det({inner})` for the determinant", f"`abs({inner})` entry by entry"]
    what = "bars around"
    if node.mark != "||":
        what = f"MATLAB's `{name}` of"
        helps = [f"`{name}({inner}, axis=0)` for each column", f"`{name}({inner}, axis=None)` for all entries"]
        if name == "norm":
            helps = [f"`norm({inner}, 2)` for the largest singular value", f"`norm({inner}, 'fro')` for all entries"]
    return ShapeError(f"{what} a matrix can be read in two ways", Label(node.span, "a matrix"), helps=helps)


def require_parts(node: syntax.Index, value: object) -> None:
    """Refuse `U, s = svd(X)`: as many names stand before `=` as there are parts, or entries along the first axis."""
    if node.count is None:
        return
    if isinstance(value, Node) and value.rank:
        found, sizes = value.shape[0], (value.shape[0], node.count)
    elif isinstance(value, tuple | list):
        found, sizes = len(value), None
    else:
        found, sizes = 1, None
    if found != node.count:
        parts = f"{found} part{'s' if found != 1 else ''}"
        message = f"{node.count} names for {parts}"
        raise ShapeError(message, Label(syntax.span_of(node), f"has {parts}"), sizes=sizes)


def label_arguments(error: ExpressionError, node: syntax.Call, values: Sequence[object]) -> None:
    """Point an error of a call at the arguments, with the shape of each."""
    spans = [syntax.span_of(argument) for argument in node.arguments]
    if isinstance(error, UnknownArgument):
        error.labels = tuple(Label(item.span) for item in node.keywords if item.name == error.name)
        return
    # What stands for the whole call is no argument that can be pointed at.
    pairs = [(span, value) for span, value in zip(spans, values, strict=True) if span != node.span]
    tensors = [(span, value.shape) for span, value in pairs if isinstance(value, Node)]
    labels = [Label(span, describe(shape), primary=(span, shape) == tensors[-1]) for span, shape in tensors]
    if isinstance(error, ChoiceError):
        named = [item.value for item in node.keywords if item.name == error.setting]
        words = [item for item in node.arguments if isinstance(item, syntax.String)]
        labels = [Label(syntax.span_of(item)) for item in [*named, *words][:1]]
    error.labels = tuple(labels) or (Label(node.function_span or node.span),)
    if isinstance(error, RankError) and tensors:
        error.operand = tensors[min(error.position, len(tensors) - 1)][0]


def say_typed(error: ExpressionError, operator: Operator, node: syntax.Call) -> None:
    """Let an error that names a function behind the call name the one that was typed."""
    typed = node.typed or node.function
    named = re.match("`([a-z_0-9]+)`", error.message)
    helper = catalogue.find(named[1]) if named else None
    if named is None or helper is None or named[1] == typed:
        return
    error.message = f"`{typed}`{error.message[named.end() :]}"
    error.args = (error.message,)
    if helper is not operator or node.typed:
        error.helps = tuple(help_ for help_ in error.helps if help_ != usage(helper))


def unknown_function(node: syntax.Call) -> UnknownNameError:
    """Return the error for a function that is not in the table, with the name that was probably meant."""
    positions = [item.text for item in node.arguments if isinstance(item, syntax.Number) and item.text.isdigit()]
    if positions and len(positions) == len(node.arguments) and len(node.function) == 1:
        index = index_from_zero(node.function, ", ".join(positions))
        help_ = f"an entry is `{index}`: indices stand in square brackets and count from 0"
        return UnknownNameError(f"unknown function `{node.function}`", Label(node.function_span), helps=[help_])
    guess = catalogue.suggest(node.function, sure=bool(node.prefix))
    listed = Command("functions")
    meant = (f"did you mean `{guess}`?  (`", listed, "` lists all)") if guess else ("`", listed, "` lists all")
    typed = f"{node.prefix}.{node.function}" if node.prefix else node.function
    return UnknownNameError(
        f"unknown function `{typed}`",
        Label(node.function_span, "" if guess else "not in the table"),
        helps=[advise(*meant)],
    )


def kind_of(value: object) -> str:
    """Return what a value is that should have been a tensor."""
    return "a word" if isinstance(value, str) else "an empty list" if value in ([], ()) else "not a number"
