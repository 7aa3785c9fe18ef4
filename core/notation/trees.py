"""Small constructors of syntax trees, shaped as the parser would shape them: `parse(write(tree)) == tree`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from ...grammar import syntax
from ...grammar.budget import spend
from ...grammar.syntax import Attribute, Binary, Call, Index, Keyword, Name, Node, Number, Unary
from ..graph.nodes import Plain

Tree = Node
Exponent = int | Fraction
ONE: Exponent = 1
Power = tuple[Tree, Exponent]
"""A factor of a Hadamard product or of a scalar: a tree and its exponent."""

# Under this name a sum that repeats a vector along an axis remembers its transpose: `X.T - v[:, None]` that of `X - v`.
TURNED = "_turned"

# The numbers that keep their names, as NumPy calls them, and the powers in which derivatives hold them.
CONSTANTS: Mapping[Tree, float] = {Name("pi", "np"): math.pi, Name("e", "np"): math.e}
EXPONENTS: Sequence[Exponent] = (1, 2, Fraction(1, 2), -1, -2, Fraction(-1, 2), 3, 4)


def number(value: Plain) -> Tree:
    """Return a number as a tree: `-3/2` is a division of a negated literal, `2*pi` a product with a name."""
    if value < 0:
        return negated(number(-value))
    if isinstance(value, Fraction) and value.denominator != 1:
        if (decimal := decimals(value)) is not None:
            return decimal
        return Binary("/", Number(str(value.numerator)), Number(str(value.denominator)))
    if isinstance(value, float) and not value.is_integer():
        if found := multiple_of_constant(value):
            factor, constant = found
            above = [] if factor.numerator == 1 else [(number(factor.numerator), ONE)]
            below = [] if factor.denominator == 1 else [(number(factor.denominator), -ONE)]
            return hadamard([*above, constant, *below])
        if value != value:
            return Name("nan", "np")
        return Number(repr(value).replace("e-0", "e-")) if value < float("inf") else Name("inf")
    return Number(str(int(value))) if value < 1e16 else Number(repr(float(value)))


def decimals(value: Fraction, least: int = 2) -> Tree | None:
    """Return a decimal fraction as it is typed, `0.1` and `1e-6`; None for others, and for tenths below `least`."""
    below = str(value.denominator)
    if value.denominator < least or below.strip("0") != "1":
        return None
    tiny = value < Fraction(1, 1000)
    return Number(f"{value.numerator}e-{len(below) - 1}" if tiny else repr(float(value)))


def spelled(value: object) -> Tree:
    """Return a setting as a tree: trees are what they are, values are written."""
    match value:
        case Node():
            return value
        case bool() | None:
            return syntax.Literal(value)
        case int() | float():
            return number(value)
        case str():
            return syntax.String(value)
        case tuple():
            return syntax.TupleLiteral(tuple(spelled(item) for item in value))
    raise TypeError(f"a setting of type {type(value).__name__} has no spelling")


def multiple_of_constant(value: Plain) -> tuple[Fraction, Power] | None:
    """Return a positive float as a fraction times a power of a constant, None where it is no such multiple.

    Example: for `math.pi / 2` it is 1/2 and pi. The product is the number to the last digit.
    """
    if not isinstance(value, float) or value.is_integer() or not 1e-6 < value < 1e6:
        return None
    for exponent in EXPONENTS:
        for tree, constant in CONSTANTS.items():
            unit = constant ** float(exponent)
            factor = Fraction(value / unit).limit_denominator(360)
            if 0 < factor.numerator <= 10_000 and abs(float(factor) * unit - value) <= math.ulp(value):
                return factor, (tree, exponent)
    return None


def negated(tree: Tree) -> Tree:
    """Return minus a tree, with the sign in front of its first factor: `-A @ x`."""
    match tree:
        case Binary("*" | "/" | "@" as operator, left, right):
            return Binary(operator, negated(left), right)
        case Unary("-", operand):
            return operand
    return Unary("-", tree)


def times(factors: Sequence[Tree], operator: str = "*") -> Tree:
    """Return a product of trees, grouped to the left."""
    result, *others = factors
    for factor in others:
        result = Binary(operator, result, factor)
    return result


def transposed(tree: Tree) -> Tree:
    """Return the transpose of a matrix tree."""
    known: Tree | None = tree.__dict__.get(TURNED)
    if known is not None:
        return known if transposes(known) <= transposes(tree) else Attribute(tree, "T")
    match tree:
        case Attribute(operand, "T"):
            return operand
        case Call("outer", (left, right)):
            return Call("outer", (right, left))
        case Call("diag" | "eye", (_,), ()) | Number():
            return tree
        case Binary("+" | "-" as operator, left, right):
            turned = [transposed(left), transposed(right)]
            both = Binary(operator, *(sorted(turned, key=transposes) if operator == "+" else turned))
            return both if transposes(both) <= transposes(tree) else Attribute(tree, "T")
    return Attribute(tree, "T")


def call(function: str, *arguments: Tree, **settings: Tree) -> Tree:
    """Return a call with keyword arguments."""
    return Call(function, arguments, tuple(Keyword(name, value) for name, value in settings.items()))


def indexed(tree: Tree, items: Iterable[Tree]) -> Tree:
    """Return a tree with index brackets; trailing full slices are left out, and a tree that is whole stays."""
    kept = list(items)
    while kept and kept[-1] == syntax.Slice():
        kept.pop()
    return Index(tree, tuple(kept)) if kept else tree


def magnitude(exponent: Exponent) -> Exponent:
    """Return an exponent without its sign."""
    return -exponent if exponent < 0 else exponent


def power(base: Tree, exponent: Exponent) -> Tree:
    """Return a power; whole exponents are numbers, the square root is `sqrt`."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return call("sqrt", base)
    return Binary("**", base, number(exponent))


def collected(powers: Iterable[Power]) -> list[Power]:
    """Return factors with equal trees drawn together: x * x is x**2."""
    exponents: dict[Tree, Exponent] = {}
    for tree, exponent in powers:
        exponents[tree] = exponents[tree] + exponent if tree in exponents else exponent
    return [(tree, exponent) for tree, exponent in exponents.items() if exponent]


def with_norms(powers: Iterable[Power]) -> list[Power]:
    """Return scalar factors drawn together; next to a norm of x, `x @ x` is the norm squared."""
    factors = dict(collected(powers))
    for tree in [tree for tree in factors if isinstance(tree, Call) and tree.function == "norm"]:
        (x, *_) = tree.arguments
        for square in (Binary("@", x, x), call("sum", Binary("**", x, Number("2")))):
            if square in factors and not tree.keywords:
                factors[tree] += 2 * factors.pop(square)
    return [(tree, exponent) for tree, exponent in factors.items() if exponent]


def hadamard(powers: Iterable[Power]) -> Tree:
    """Return the elementwise product of powers as a tree: `x*y/z**2`."""
    factors = [*powers]
    if len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    return quotient(*fraction(factors))


def fraction(powers: Iterable[Power]) -> tuple[list[Tree], list[Tree]]:
    """Return what stands above and below the line of a product of powers."""
    factors = collected(powers)
    above, names, others = list[Tree](), list[Tree](), list[Tree]()
    for tree, exponent in factors:
        if exponent > 0:
            above.append(power(tree, exponent))
        else:
            (names if isinstance(tree, Name) else others).append(power(tree, -exponent))
    return above, [*names, *others]


def quotient(above: Sequence[Tree], below: Iterable[Tree]) -> Tree:
    """Return a product divided by another, with one bar: `x*y/(m*n)`."""
    numerator, denominator = times(above) if above else Number("1"), [*below]
    return Binary("/", numerator, times(denominator)) if denominator else numerator


def size(tree: Tree) -> int:
    """Return how long a tree is: the number of its nodes."""
    return _counted(tree, Node)


def length(tree: Tree) -> int:
    """Return about how many words and signs a tree takes when it is written."""
    return _added_up(tree, "_length", _own_length)


def _own_length(node: Node) -> int:
    inner = len(syntax.children(node))
    return {Call: 2 + inner, Index: 1 + inner, Attribute: 2}.get(type(node), 1)


def transposes(tree: Tree) -> int:
    """Return how many transposes a tree writes."""
    return _counted(tree, Attribute)


def _counted(tree: Tree, kind: type[Node]) -> int:
    """Return how many nodes of a kind a tree has."""
    return _added_up(tree, f"_{kind.__name__}", lambda node: isinstance(node, kind))


def _added_up(tree: Tree, key: str, own: Callable[[Node], int]) -> int:
    """Return the sum over a tree, which each part remembers: sums are compared many times as they grow."""
    known: int | None = tree.__dict__.get(key)
    if known is not None:
        return known
    stack = [tree]
    while stack:
        node = stack[-1]
        parts = syntax.children(node)
        waiting = [part for part in parts if key not in part.__dict__]
        if waiting:
            stack += waiting
        else:
            stack.pop()
            node.__dict__[key] = own(node) + sum([part.__dict__[key] for part in parts])
            spend(1)
    total: int = tree.__dict__[key]
    return total


def array_literal(value: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tree:
    """Return an array of numbers as a literal."""
    if value.ndim == 0:
        item = float(value)
        return number(int(item) if item.is_integer() else item)
    return syntax.ListLiteral(tuple(array_literal(np.asarray(row)) for row in value))
