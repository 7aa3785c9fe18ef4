"""From lark's tree to the syntax tree: one method per rule of the grammar."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from . import syntax_errors
from .arguments import separated
from .errors import Span
from .layers import is_layer, of_inputs
from .reader import Refusal, place
from .rewriting import bound
from .statements import Bare, Statement, assigned, augmented
from .syntax import (
    Assignment,
    Attribute,
    Binary,
    Call,
    Index,
    Keyword,
    Lambda,
    ListLiteral,
    Literal,
    Name,
    Node,
    Number,
    Program,
    Slice,
    String,
    TupleLiteral,
    Unary,
)
from .vocabulary import (
    ARRAY_METHODS,
    ASKED_IN_TORCH,
    DENSITIES,
    DISTRIBUTIONS,
    FIELDS,
    LIBRARIES,
    MODULES,
    PROPERTIES,
    function_words,
)
from .wrappers import DETACHING, RANDOM, settled, tracked, wrapped

if TYPE_CHECKING:
    from lark import Token, Tree

_OPERATORS = {".*": "*", "·": "*", "⋅": "*", "×": "*", "∗": "*", "⊙": "*", "./": "/", "÷": "/", "−": "-"}
_OPERATORS |= {"^": "**", ".^": "**", ".**": "**", "≤": "<=", "≥": ">=", "≠": "!="}
_MASKS = {"&": "logical_and", "|": "logical_or", "~": "logical_not"}
_TEXTBOOK = {"·": "·", "⋅": "·", "×": "×"}
_LITERALS = {"None": None, "True": True, "False": False, "...": ...}
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "0123456789" * 2)
_MATRIX_PIECE = r"(?P<sign>[-+−]?)(?P<number>[0-9.][0-9._]*(?:[eE][+-]?[0-9]+)?)|(?P<row>;)"
_MATRIX_ROW = r"[^;]+"
_ORDERS = {"*": "nuc", "∞": "inf", "F": "fro", "f": "fro"}
_SPACED_SIGN = r"[0-9.][ \t]+([-+−])"


class Scope(NamedTuple):
    """What is known of the names in a piece of pasted code.

    `tracked` are differentiated by, `names` are parameters, `functions` are defined in the code itself. A piece that
    `returns` is the body of a function, and may end with several values: `return loss, r`.
    """

    tracked: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    returns: bool = False


class Builder:
    """Builds the syntax tree of one text.

    Some words are no names where they stand: a library in front of a dot (`np.linalg.inv`), the T of `x^T`, the e of
    `e**x`. They are names all the same where they are inputs: assigned to earlier, or listed in `inputs`. `ambiguous`
    tells after a pass which words the text uses both ways.
    """

    syntax = ""

    def __init__(self, text: str, inputs: Set[str] = frozenset(), scope: Scope | None = None) -> None:
        self._text = text
        self._inputs = set(inputs)
        self._scope = scope or Scope()
        self._tracked = list(self._scope.tracked)
        self._tracks = self._quoted = False
        self._detached: list[Node] = []
        # Names of layers, `loss = nn.MSELoss()`, and those of them that are called.
        self._layers: dict[str, Call] = {}
        self._used: set[str] = set()
        self._mentions: Counter[str] = Counter()
        self._words: Counter[str] = Counter()

    @property
    def ambiguous(self) -> Set[str]:
        """The words that stand in the text both as such and alone, so that they are inputs."""
        return {name for name, count in self._words.items() if self._mentions[name] > count}

    def build(self, tree: Tree[Token]) -> Program:
        """Return the syntax tree of lark's tree.

        The method of each rule gets what was made of its parts, in the order of the text: `binary` gets `x`, `+`, `y`.
        There is no recursion: the tree of a sum is as deep as the sum is long, and a sum may have thousands of terms.
        """
        pending: list[Tree[Token] | Token] = [tree]
        outside_in: list[Tree[Token] | Token] = []
        while pending:
            part = pending.pop()
            outside_in.append(part)
            pending += getattr(part, "children", ())
        built: list[Any] = []
        for part in reversed(outside_in):
            if isinstance(part, str):
                built.append(part)
                continue
            first = len(built) - len(part.children)
            built[first:] = [getattr(self, part.data)(place(part), *built[first:])]
        program: Program = built[0]
        return program

    def start(self, span: Span, *statements: Statement) -> Program:
        *earlier, result = statements
        assignments: list[Assignment] = []
        for statement in statements:
            if isinstance(statement, Bare) and not (self._scope.returns and statement is result):
                raise syntax_errors.comma_outside_brackets(self._comma(statement), len(statement.items) == 1)
        for statement in earlier:
            if isinstance(statement, Node):
                raise syntax_errors.unused_statement(self._text, statement.span)
            assignments += statement
        if not isinstance(result, Node):
            raise syntax_errors.assignment_last(self._text, result[-1])
        assignments = [item for item in assignments if not (item.name in self._used and is_layer(item.value))]
        first = assignments[0] if assignments else result
        given = tuple(statement for statement in assignments if self._gives(statement))
        kept = tuple(statement for statement in assignments if statement not in given) if given else tuple(assignments)
        detached = tuple(node for node in self._detached if node is not result)
        span = (first.span[0], result.span[1])
        return Program(
            kept, result, span=span, given=given, tracked=tuple(self._tracked), detached=detached, syntax=self.syntax,
            quoted=self._quoted,
        )  # fmt: skip

    def _gives(self, statement: Assignment) -> bool:
        """Whether a statement gives an input its value, instead of naming a part of the expression."""
        value = statement.value
        drawn = isinstance(value, Call) and value.function in RANDOM
        return drawn or statement.name in self._tracked

    def _comma(self, values: Bare) -> int:
        return self._text.index(",", values.items[0].span[1])

    def bare(self, span: Span, *values: Node) -> Bare:
        return Bare(values, span=span)

    def assignment(self, span: Span, *parts: Node) -> tuple[Assignment, ...]:
        *targets, value = parts
        found: tuple[Assignment, ...] = ()
        for target in sorted(targets, key=lambda target: not isinstance(target, Name)):
            if self._tracks and isinstance(target, Name):
                self._tracked.append(target.name)
            if isinstance(target, Name) and is_layer(value):
                self._layers[target.name] = value
            found += self._known(assigned(self._text, span, target, value))
            # The value is taken once: `a = b = a + 1` gives b what a is then.
            value = replace(target, span=value.span) if isinstance(target, Name) else value
        self._tracks = False
        return found

    def augmented(self, span: Span, target: Node, operator: Token, value: Node) -> tuple[Assignment, ...]:
        return self._known(augmented(self._text, span, target, operator.value[:-1], place(operator), value))

    def _known(self, assignments: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        for assignment in assignments:
            self._inputs.add(assignment.name)
            self._mentions[assignment.name] -= 1
        return assignments

    def binary(self, span: Span, left: Node, operator: Token, right: Node) -> Node:
        symbol = _OPERATORS.get(operator.value, operator.value)
        if symbol == "**":
            return self._power(span, left, operator, right)
        if symbol == ".\\":  # what is on the left divides, entry by entry
            return Binary("/", right, left, span=span, operator_span=place(operator))
        if symbol == "\\":
            return Call("solve", (left, right), span=span, function_span=place(operator))
        if sign := _MASKS.get(symbol.strip()):
            return Call(sign, (left, right), mark=symbol.strip(), span=span, function_span=place(operator))
        if symbol == "/" and left == Name("d"):
            self._refuse_derivative()
        mark = _TEXTBOOK.get(operator.value, "")
        return Binary(symbol, left, right, span=span, operator_span=place(operator), mark=mark)

    def _refuse_derivative(self) -> None:
        from .meant import derivative_in  # loaded where it may be needed, for start-up

        if problem := derivative_in(self._text):
            raise problem

    def _power(self, span: Span, base: Node, operator: Token, exponent: Node) -> Node:
        """Return a power, or what a textbook means by `x^T` and by `e^x`."""
        if self._is_root(base):
            raise syntax_errors.root_of_power(self._text, base.span, span)
        if operator.value == "^" and isinstance(exponent, Name) and not exponent.prefix:
            if self._is_word("T", exponent):
                return Attribute(base, "T", span=span)
            if re.fullmatch("T[A-Za-z]{1,3}", exponent.name):
                raise syntax_errors.transpose_run_together(self._text, base.span, exponent.name, exponent.span)
        if self._is_word("e", base):
            return Call("exp", (exponent,), span=span, function_span=base.span)
        return Binary("**", base, exponent, span=span, operator_span=place(operator))

    def _is_word(self, word: str, node: Node) -> bool:
        if node != Name(word) or word in self._inputs:
            return False
        self._words[word] += 1
        return True

    def raised(self, span: Span, function: Node, *parts: Any) -> Binary:
        """`sin^2(x)`, `sin²(x)`: the power of what the function returns."""
        *_, exponent, arguments = parts
        if not (isinstance(function, Name) and function.name in function_words()):
            raise Refusal(self._text.index("(", place(exponent)[1]), wants_value=False)
        positional, keywords = separated(arguments)
        call = Call(function.name, positional, keywords, function.prefix, span=span, function_span=function.span)
        power = Number(exponent.value.translate(_DIGITS), span=place(exponent))
        return Binary("**", call, power, span=span, operator_span=place(parts[0]))

    def root(self, span: Span, sign: Token, operand: Node) -> Call:
        if isinstance(operand, Binary) and not self._text.endswith(")", 0, operand.span[1]):
            raise syntax_errors.root_of_power(self._text, (span[0], operand.left.span[1]), span)
        return Call("sqrt", (operand,), span=span, function_span=place(sign))

    def _is_root(self, node: Node) -> bool:
        return isinstance(node, Call) and self._text.startswith("√", node.span[0])

    def bars(self, span: Span, opening: Token, inner: Node, closing: Token) -> Call:
        return Call("abs", (inner,), mark="||", span=span, function_span=place(opening))

    def norm(self, span: Span, opening: Token, inner: Node, closing: Token) -> Call:
        word = closing.value.lstrip("|‖∥_").translate(_DIGITS)
        order = _ORDERS.get(word, word)
        arguments = [inner]
        if order:
            known: Node = Number(order) if order.isdigit() else Name("inf") if order == "inf" else String(order)
            arguments.append(replace(known, span=place(closing)))
        return Call("norm", tuple(arguments), span=span, function_span=place(opening))

    def unary(self, span: Span, operator: Token, operand: Node) -> Node:
        if sign := _MASKS.get(operator.value):
            return Call(sign, (operand,), mark=operator.value, span=span, function_span=place(operator))
        return Unary(_OPERATORS.get(operator.value, operator.value), operand, span=span)

    def superscript(self, span: Span, operand: Node, digits: Token) -> Node:
        return self._power(span, operand, digits, Number(digits.value.translate(_DIGITS), span=place(digits)))

    def transpose(self, span: Span, operand: Node, quote: Token) -> Attribute:
        self._quoted = self._quoted or "'" in quote.value
        return Attribute(operand, "T", span=span)

    def attribute(self, span: Span, operand: Node, name: Token) -> Node:
        if name.value in PROPERTIES:
            return Attribute(operand, name.value, span=span)
        if prefix := self._library(operand):
            if name.value == "newaxis":
                return Literal(None, span=span)
            return Name(name.value, prefix=prefix, span=span)
        if name.value in FIELDS and name.value not in ARRAY_METHODS:
            return Attribute(operand, name.value, span=span)
        raise syntax_errors.unknown_attribute(name.value, place(name), name.value in ARRAY_METHODS)

    def call(self, span: Span, function: Token, arguments: tuple[Node, ...]) -> Node:
        if layer := self._layers.get(function.value):
            self._used.add(function.value)
            return self.applied(span, layer, arguments)
        positional, keywords = separated(arguments)
        return self._called(Call(function.value, positional, keywords, span=span, function_span=place(function)))

    def _called(self, call: Call) -> Node:
        """Return a call, or the value that it only wraps."""
        if self.is_defined(call):
            return call
        self._tracks = self._tracks or tracked(call)
        value = wrapped(call)
        if value is None:
            return settled(call)
        if call.function in DETACHING:
            self._detached.append(value)
        return value

    def method(self, span: Span, operand: Node, function: Token, arguments: tuple[Node, ...]) -> Node:
        positional, keywords = separated(arguments)
        # F is an input more often than torch.nn.functional; of the methods of an array that library has `tanh` alone.
        is_array = isinstance(operand, Name) and operand.name == "F" and function.value in ARRAY_METHODS
        is_array = is_array and (function.value != "tanh" or not positional)
        name, named = function.value, place(function)
        if isinstance(operand, Call) and (prefix := self._made_distribution(operand, name)):
            positional = (*positional, *operand.arguments[operand.method :])
            keywords = (*keywords, *operand.keywords)
            return Call(name, positional, keywords, prefix=prefix, span=span, function_span=named)
        prefix = self._distribution(operand, name) or self._library(operand)
        if not is_array and prefix:
            return self._called(Call(name, positional, keywords, prefix=prefix, span=span, function_span=named))
        call = Call(name, (operand, *positional), keywords, method=True, span=span, function_span=named)
        return self._called(call)

    def applied(self, span: Span, made: Call, arguments: tuple[Node, ...]) -> Node:
        """`nn.Softplus(2)(x)`: a layer is read as a function of its inputs, then of what it was made with."""
        if not is_layer(made):
            raise Refusal(self._text.index("(", made.span[1]), wants_value=False)
        return replace(of_inputs(made, *separated(arguments)), span=span)

    def is_defined(self, call: Call) -> bool:
        """Whether a call is one of a function that the text itself defines."""
        return call.function in self._scope.functions and not call.prefix and not call.method

    def arguments(self, span: Span, *arguments: Node) -> tuple[Node, ...]:
        return arguments

    def keyword(self, span: Span, name: Token, value: Node) -> Keyword:
        return Keyword(name.value, value, span=span)

    def function(self, span: Span, word: Token, *parts: Any) -> Lambda:
        *names, _, body = parts
        return bound(tuple(name.value for name in names), body, span)

    def index(self, span: Span, operand: Node, items: tuple[Node, ...]) -> Index:
        return Index(operand, items, span=span)

    def items(self, span: Span, *items: Node) -> tuple[Node, ...]:
        return items

    def closed(self, span: Span, *items: Node) -> tuple[Node, ...]:
        """`X[(0, 1),]`: the comma makes a tuple of the index, and what was one in it a list."""
        (first, *others) = items
        if not others and isinstance(first, TupleLiteral):
            return (ListLiteral(first.items, span=first.span),)
        return items

    def slice(self, span: Span, *pieces: Node | Token) -> Slice:
        parts: list[Node | None] = [None, None, None]
        position = 0
        for piece in pieces:
            if isinstance(piece, Node):
                parts[position] = piece
            else:
                position += 1
        return Slice(*parts, span=span)

    def number(self, span: Span, digits: Token) -> Number:
        return Number(digits.value.replace("_", ""), span=span)

    def string(self, span: Span, quoted: Token) -> String:
        return String(quoted.value[1:-1], span=span)

    def literal(self, span: Span, word: Token) -> Literal:
        return Literal(_LITERALS[word.value], span=span)

    def name(self, span: Span, name: Token) -> Name:
        self._mentions[name.value] += 1
        return Name(name.value, span=span)

    def matrix(self, span: Span, bracket: Token) -> ListLiteral:
        start = span[0]
        rows: list[list[Node]] = [[]]
        _refuse_ambiguous_signs(bracket.value, start)
        for piece in re.finditer(_MATRIX_PIECE, bracket.value):
            if piece["row"]:
                self._quoted = True
                rows.append([])
            else:
                rows[-1].append(_signed_number(piece, start))
        if len(rows) == 1:
            return ListLiteral(tuple(rows[0]), span=span)
        if not rows[-1]:
            rows.pop()
        for row in rows:
            if len(row) != len(rows[0]):
                raise syntax_errors.ragged_rows(_around(rows[0]), len(rows[0]), _around(row), len(row))
        return ListLiteral(tuple(ListLiteral(tuple(row), span=_around(row)) for row in rows), span=span)

    def group(self, span: Span, inner: Node) -> Node:
        return replace(inner, span=span)

    def tuple(self, span: Span, *items: Node) -> TupleLiteral:
        return TupleLiteral(items, span=span)

    def list(self, span: Span, *items: Node) -> ListLiteral:
        return ListLiteral(items, span=span)

    def _distribution(self, operand: Node, function: str) -> str:
        """Return the path of a distribution of which a function is asked, `scipy.stats.norm` for `norm.cdf(x)`."""
        if not isinstance(operand, Name) or operand.name not in DISTRIBUTIONS or function not in DENSITIES:
            return ""
        if operand.prefix:
            return f"{operand.prefix}.{operand.name}"
        self._words[operand.name] += 1
        return f"scipy.stats.{operand.name}"

    def _made_distribution(self, made: Call, function: str) -> str:
        """Return the path of a distribution with parameters: `norm(m, s).cdf(x)`, `Normal(m, s).log_prob(x)`."""
        if made.function in DISTRIBUTIONS and function in DENSITIES and not made.method:
            return f"scipy.stats.{made.function}"
        if function in ASKED_IN_TORCH and made.function[0].isupper():
            return f"torch.distributions.{made.function}"
        return ""

    def _library(self, operand: Node) -> str:
        """Return the dotted path of a library (`np.linalg`), or nothing where the operand is a value."""
        if not isinstance(operand, Name):
            return ""
        if operand.prefix:
            return f"{operand.prefix}.{operand.name}" if operand.name in MODULES else ""
        if operand.name not in LIBRARIES or operand.name in self._inputs:
            return ""
        self._words[operand.name] += 1
        return operand.name


def _refuse_ambiguous_signs(bracket: str, offset: int) -> None:
    """Refuse a row like `1, 2 -3`, where the comma says that spaces do not separate."""
    for row in re.finditer(_MATRIX_ROW, bracket):
        if "," in row[0] and (sign := re.search(_SPACED_SIGN, row[0])):
            raise syntax_errors.ambiguous_sign(sign[1], offset + row.start() + sign.start(1))


def _signed_number(piece: re.Match[str], offset: int) -> Node:
    number = Number(piece["number"].replace("_", ""), span=(offset + piece.start("number"), offset + piece.end()))
    if sign := piece["sign"]:
        return Unary(_OPERATORS.get(sign, sign), number, span=(offset + piece.start(), offset + piece.end()))
    return number


def _around(nodes: list[Node]) -> Span:
    return (nodes[0].span[0], nodes[-1].span[1])
