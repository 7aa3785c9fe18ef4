r"""MATLAB's reading of a text: `*` is the matrix product, and `.*`, `./` and `.^` work entry by entry.

    A.*B*C      dot(A*B, C)         the product of NumPy's `dot`, which takes numbers too
    x*x'        times_transposed(x, x)      of two vectors the outer product
    A\b         solve(A, b)
    ones(2)     ones(2, 2)
    x(1)        x[0]
    sum(A, 1)   sum(A, axis=0)

A mark in the text makes all of it MATLAB's: `.*`, `./`, `.^` or `\`. What MATLAB and this language read in different
ways, and only the shapes can tell, keeps a mark of its own: `A/B`, `A^2` and `sum(A)` of matrices are refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import syntax_errors
from .builder import Builder
from .errors import Span
from .numerals import whole_number
from .reader import place
from .syntax import Attribute, Binary, Call, Index, Keyword, Name, Node, Number
from .vocabulary import function_words, words

if TYPE_CHECKING:
    from lark import Token

MARK = "matlab"
REDUCTIONS = words("sum mean prod max min std var norm")
_SQUARE = words("ones zeros")


class MatlabBuilder(Builder):
    """Builds the syntax tree of a text in MATLAB's reading."""

    syntax = MARK

    def binary(self, span: Span, left: Node, operator: Token, right: Node) -> Node:
        """Return what an infix operator of MATLAB's means here."""
        typed = operator.value
        # In `1./x` the point belongs to the number, as the lexer sees it.
        where = place(operator)
        if typed in ("*", "/", "^") and self._text[where[0] - 1 : where[0]] == ".":
            typed = "." + typed
        if typed == "*" and not isinstance(left, Number) and not isinstance(right, Number):
            if isinstance(right, Attribute) and right.name == "T":
                return Call("times_transposed", (left, right.operand), span=span, function_span=where)
            return Call("dot", (left, right), span=span, function_span=where)
        built = super().binary(span, left, operator, right)
        if isinstance(built, Binary) and typed in ("/", "^"):
            return replace(built, mark=f"{MARK} {typed}")
        return built

    def call(self, span: Span, function: Token, arguments: tuple[Node, ...]) -> Node:
        """Return what a call, or an index in round brackets, means here."""
        built = super().call(span, function, arguments)
        return _translated(built) if isinstance(built, Call) and not self.is_defined(built) else built


def _translated(call: Call) -> Node:
    """Return what a call of MATLAB's means here."""
    numbers = [item for item in call.arguments if isinstance(item, Number) and item.text.isdigit()]
    if call.function in _SQUARE and len(call.arguments) == 1:
        return replace(call, arguments=call.arguments * 2)
    if call.function in ("length", "numel") and len(call.arguments) == 1:
        return Attribute(call.arguments[0], "size", span=call.span)
    if call.function == "size" and len(call.arguments) == 2 and numbers:
        return Index(Attribute(call.arguments[0], "shape", span=call.span), (_before(numbers[0]),), span=call.span)
    if call.function in REDUCTIONS and not call.keywords:
        if len(call.arguments) == 1:
            return replace(call, mark=MARK)
        if call.function in ("sum", "mean", "prod") and numbers == [call.arguments[1]]:
            axis = Keyword("axis", _before(numbers[0]), span=numbers[0].span)
            return replace(call, arguments=call.arguments[:1], keywords=(axis,))
    if call.function not in function_words() and call.arguments and len(numbers) == len(call.arguments):
        items = tuple(map(_before, numbers))
        return Index(Name(call.function, span=call.function_span), items, span=call.span)
    return call


def _before(number: Number) -> Number:
    """Return the index from 0 for one from 1."""
    if number.text == "0":
        raise syntax_errors.index_from_one(number.span)
    counted = whole_number(number.text)
    return number if counted is None else replace(number, text=str(counted - 1))
