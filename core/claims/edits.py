"""How a tree is written otherwise by mistake: a table of confusions, each a change of one place.

A claim that is right once one place of it is changed back was written with that confusion; so was one that equals the
derivative's own formula once that is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from ...grammar.parser import parse
from ...grammar.rewriting import TURNS, filled, rewritten
from ...grammar.syntax import (
    Attribute,
    Binary,
    Call,
    Index,
    Keyword,
    Literal,
    Name,
    Node,
    Number,
    Slice,
    Unary,
    children,
)
from ..shapes import Shape
from .trees import chain, factors_of, transposed, turned_once

ShapeOf: TypeAlias = "Callable[[Node], Shape | None]"
Change: TypeAlias = "Callable[[Node, ShapeOf], Iterator[Node]]"
SCALED = ("2", "4", "3")
# Functions that are taken for one another.
TAKEN_FOR = (
    ("mean", "sum"),
    ("sum", "trace"),
    ("sin", "cos"),
    ("sinh", "cosh"),
    ("var", "std"),
    ("softmax", "sigmoid"),
    ("exp", "softmax"),
    ("exp", "sigmoid"),
    ("tanh", "sigmoid"),
    ("log", "log1p"),
    ("max", "min"),
    ("abs", "sign"),
    ("relu", "sign"),
    ("inv", "pinv"),
    ("det", "logdet"),
    ("maximum", "minimum"),
)
# The derivative of a function of numbers at `u`.
SLOPES = {
    "relu": "u > 0",
    "abs": "sign(u)",
    "tanh": "1 - tanh(u)**2",
    "sigmoid": "sigmoid(u)*(1 - sigmoid(u))",
    "softplus": "sigmoid(u)",
    "log": "1/u",
    "sqrt": "1/(2*sqrt(u))",
    "sin": "cos(u)",
    "cos": "-sin(u)",
}
COMPARED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Confusion:
    """What one writes for another: a key for scripts, the changes of a place that undo it, and its name in words."""

    key: str
    change: Change
    words: str = ""


@dataclass(frozen=True)
class Edit:
    """A tree with one place changed, or every place where the same stands; and the parts before and after."""

    confusion: Confusion
    tree: Node
    before: Node
    after: Node
    everywhere: bool = False


def edits(tree: Node, confusions: tuple[Confusion, ...], shape_of: ShapeOf) -> Iterator[Edit]:
    """Yield a tree with one place changed, the likeliest confusions first, outer places before inner ones."""
    places = list(_places(tree))
    repeated = [place for place, count in Counter(places).items() if count > 1]
    for confusion in confusions:
        for place in places:
            for after in confusion.change(place, shape_of):
                yield Edit(confusion, exchanged(tree, place, after), place, after)
        for place in repeated:
            for after in confusion.change(place, shape_of):
                changed = turned_once(rewritten(tree, _instead(place, after)))
                yield Edit(confusion, changed, place, after, everywhere=True)


def _instead(place: Node, after: Node) -> Callable[[Node], Node | None]:
    return lambda node: after if node == place else None


def _places(tree: Node) -> Iterator[Node]:
    """Yield the parts of a tree that are values: no settings, sizes or indices."""
    seen: set[int] = set()
    stack = [tree]
    while stack:
        node = stack.pop(0)
        if id(node) in seen or isinstance(node, Keyword | Slice | Literal):
            continue
        if isinstance(node, Attribute) and node.name in ("shape", "size"):
            continue
        seen.add(id(node))
        yield node
        stack += [node.operand] if isinstance(node, Index) else children(node)


def exchanged(tree: Node, place: Node, new: Node) -> Node:
    """Return a tree with one place changed."""
    return rewritten(tree, lambda node: new if node is place else None)


def _transposed(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Unary():
            return
        case Binary("*" | "/", left, right) if () in (shape_of(left), shape_of(right)):
            return  # the matrix in it comes by itself
        case Call("kron" | "diag"):
            return  # so do their parts
    if len(shape_of(node) or ()) == 2:
        yield transposed(node)


def _signed(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Unary("-", operand):
            yield operand
        case Binary("+" | "-" as operator, left, right):
            yield Binary("-" if operator == "+" else "+", left, right)
            if operator == "-":
                yield Binary("-", right, left)
        case Call(_, (Name() | Binary() | Call() as first, *rest)):
            yield replace(node, arguments=(Unary("-", first), *rest))


def _powers(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Binary("**", base, Number(text)):
            yield base
            yield from (Binary("**", base, Number(other)) for other in ("2", "3", "4") if other != text)
        case Call() | Name() | Binary("+" | "-"):
            yield from (Binary("**", node, Number(power)) for power in ("2", "3"))
            yield Call("sqrt", (node,))


def _scaled(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Number():
            yield from (Number(text) for text in ("1", "2", "3", "4", "6", "0.5") if text != node.text)
        case Binary("@" | "*" | "/") | Name() | Call():
            yield from (Binary("*", Number(text), node) for text in SCALED)
            yield from (Binary("/", node, Number(text)) for text in SCALED)


def _reordered(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    """Swap neighbouring blocks of a matrix product, and the two operands of an outer or Kronecker product."""
    match node:
        case Call("outer" | "kron", (first, second)):
            yield replace(node, arguments=(second, first))
        case Binary("@"):
            coefficient, factors = _without_number(factors_of(node, "@"))
            count = len(factors)
            for start in range(count - 1):
                for middle in range(start + 1, count):
                    for stop in range(middle + 1, count + 1):
                        order = (factors[:start], factors[middle:stop], factors[start:middle], factors[stop:])
                        first, *others = [factor for block in order for factor in block]
                        yield chain([Binary("*", coefficient, first) if coefficient else first, *others], "@")


def _without_number(factors: list[Node]) -> tuple[Node | None, list[Node]]:
    """Return the number before the first factor of a chain, and the factors without it."""
    match factors:
        case [Binary("*", Number() | Unary("-", Number()) as number, first), *others]:
            return number, [first, *others]
    return None, factors


def _elementwise(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Binary("*" | "@" as operator, left, right) if shape_of(left) and shape_of(right):
            yield Binary("@" if operator == "*" else "*", left, right)
        case Binary("/", over, matrix) if _is_square(shape_of(matrix)):
            inverse = Call("inv", (matrix,))
            one = over == Number("1")
            yield inverse if one else Binary("@", over, inverse)
            yield Attribute(inverse, "T") if one else Binary("@", over, Attribute(inverse, "T"))
        case Call("inv", (matrix,)):
            yield Binary("/", Number("1"), matrix)


def _is_square(shape: Shape | None) -> bool:
    return shape is not None and len(shape) == 2 and shape[0] == shape[1]


def _rows(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    """Multiply the rows of a matrix by a vector, where its columns are multiplied; and the reverse."""
    match node:
        case Binary("*" | "/" | "-" | "+" | "==" as operator, left, right):
            for vector, matrix, turned in ((left, right, False), (right, left, True)):
                ranks = [len(shape_of(part) or ()) for part in (vector, matrix)]
                if ranks == [1, 2]:
                    column = Index(vector, (Slice(), Literal(None)))
                    yield Binary(operator, matrix, column) if turned else Binary(operator, column, matrix)


def _other_axis(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    if not isinstance(node, Call) or not node.arguments or len(shape_of(node.arguments[0]) or ()) != 2:
        return
    bare = tuple(item for item in node.keywords if item.name != "axis")
    axis = next((item.value for item in node.keywords if item.name == "axis"), None)
    if axis is None and node.function not in ("sum", "mean", "var", "std", "softmax", "max", "min", "cumsum"):
        return
    for text in ("0", "1"):
        if axis != Number(text):
            other = replace(node, keywords=(*bare, Keyword("axis", Number(text))))
            yield other
            yield Index(other, (Slice(), Literal(None)))
    if axis is not None:
        yield replace(node, keywords=bare)


def _summed(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    """Sum over what is left unsummed: all of it, or one axis."""
    shape = shape_of(node)
    if shape and not isinstance(node, Name | Number):
        yield Call("sum", (node,))
        if len(shape) == 2:
            yield from (Call("sum", (node,), (Keyword("axis", Number(axis)),)) for axis in ("0", "1"))


def _outer(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Binary("@" | "*", left, right):
            first, second = (_without_turn(part) for part in (left, right))
            if all(len(shape_of(part) or ()) == 1 for part in (first, second)):
                yield Call("outer", (first, second))
                yield Call("outer", (second, first))


def _without_turn(node: Node) -> Node:
    return node.operand if isinstance(node, Attribute) and node.name in TURNS else node


def _other_function(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Call(function):
            for pair in TAKEN_FOR:
                if function in pair:
                    yield replace(node, function=pair[pair[0] == function], typed="", prefix="")
        case Binary(operator, left, right) if operator in COMPARED:
            yield Binary(COMPARED[operator], left, right)


def _other_index(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Index(_, items):
            for place, item in enumerate(items):
                for text in ("0", "1", "2"):
                    for other in (Number(text), Unary("-", Number("1"))):
                        if isinstance(item, Number) and other != item:
                            yield replace(node, items=(*items[:place], other, *items[place + 1 :]))


def _other_triangle(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Call("tril" | "triu" as triangle):
            yield replace(node, function="triu" if triangle == "tril" else "tril", typed="", prefix="")


def _dropped(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Binary("+" | "-", left, right):
            yield left
            yield right if node.operator == "+" else Unary("-", right)
        case Binary("*" | "@", left, right):
            yield left
            yield right
        case Binary("/", left, _):
            yield left
        case Call(_, (inner,)):
            yield inner


def _normalised(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    if isinstance(node, Call | Name | Binary) and shape_of(node):
        yield Binary("/", node, Call("sum", (node,)))


def _quotients(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    match node:
        case Binary("*", left, right):
            yield Binary("/", left, right)
            yield Binary("/", right, left)
        case Binary("/", left, right):
            yield Binary("*", left, right)
            yield Binary("/", right, left)
    if isinstance(node, Binary | Call | Name) and shape_of(node):
        yield Binary("/", Number("1"), node)


def _undifferentiated(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    """Put the derivative of a function in its place."""
    match node:
        case Call(function, (argument,), ()) if function in SLOPES:
            yield filled(parse(SLOPES[function]).result, {"u": argument})


def _brackets(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    """Take the first or the last summand into a product, or out of it."""
    match node:
        case Binary("+" | "-" as sign, Binary("*" | "@" as times, first, second), third):
            yield Binary(times, first, Binary(sign, second, third))
        case Binary("*" | "@" as times, first, Binary("+" | "-" as sign, second, third)):
            yield Binary(sign, Binary(times, first, second), third)
        case Binary("/", Binary("+" | "-" as sign, first, second), third):
            yield Binary(sign, first, Binary("/", second, third))
        case Binary("+" | "-" as sign, first, Binary("/", second, third)):
            yield Binary("/", Binary(sign, first, second), third)
        case Binary("/" | "*" as times, Binary("/", first, second), third):
            yield Binary("/", first, Binary("/" if times == "/" else "*", second, third))
        case Binary("-", Binary("-" | "+" as sign, first, second), third):
            yield Binary(sign, first, Binary("-", second, third))


def _on_diagonal(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    shape = shape_of(node)
    if len(shape or ()) == 1 and not isinstance(node, Number):
        yield Call("diag", (node,))
    elif _is_square(shape) and not (isinstance(node, Call) and node.function == "diag"):
        yield Call("diag", (Call("diagonal", (node,)),))


# The likeliest first.
WRONG_AXIS = Confusion("wrong axis", _other_axis, "the axis is another one")
TRANSPOSED = Confusion("transposed factor", _transposed)
TOO_MANY = Confusion("one too many", _dropped)
FIRST = (
    WRONG_AXIS,
    TRANSPOSED,
    Confusion("order of factors", _reordered, "the factors are in another order"),
    Confusion("outer product", _outer, "an outer product of vectors is written `outer(a, b)`"),
    Confusion("sign", _signed, "a sign is wrong"),
    Confusion("elementwise", _elementwise, "the matrix operation and the elementwise one are confused"),
    Confusion("wrong axis", _rows, "the vector is along the other axis of the matrix"),
    Confusion("not summed", _summed, "a sum is missing"),
    Confusion("power", _powers, "a power is wrong"),
)
SECOND = (
    Confusion("other index", _other_index, "the index is another one"),
    Confusion("other triangle", _other_triangle, "it is the other triangle"),
    Confusion("other function", _other_function, "the function is another one"),
    Confusion("not differentiated", _undifferentiated, "the derivative of the function is meant, not the function"),
    TOO_MANY,
    Confusion("quotient", _quotients, "a product and a quotient are confused"),
    Confusion("brackets", _brackets, "the brackets are in another place"),
    Confusion("coefficient", _scaled, "a number is wrong"),
    Confusion("not normalised", _normalised, "it is not normalised"),
    Confusion("diagonal matrix", _on_diagonal, "a diagonal matrix is meant"),
)
CONFUSIONS = (*FIRST, *SECOND)
# Those that are as well seen in the formula of the derivative as in a claim.
SYMMETRICAL = ("transposed factor", "order of factors", "sign", "elementwise", "wrong axis", "power", "coefficient")
EITHER_WAY = tuple(confusion for confusion in CONFUSIONS if confusion.key in SYMMETRICAL)
