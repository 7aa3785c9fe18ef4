"""A little algebra on syntax trees: factors, summands, signs."""

from __future__ import annotations

from collections.abc import Iterator

from ...grammar.rewriting import TURNS
from ...grammar.syntax import Attribute, Binary, Node, Number, Unary, map_children


def transposed(node: Node) -> Node:
    """Return a tree with its transpose taken off, or put on."""
    return node.operand if isinstance(node, Attribute) and node.name in TURNS else Attribute(node, "T")


def factors_of(node: Node, operator: str) -> list[Node]:
    """Return the factors of a chain: of `A @ B @ C`, three."""
    if isinstance(node, Binary) and node.operator == operator:
        return [*factors_of(node.left, operator), node.right]
    return [node]


def chain(factors: list[Node], operator: str) -> Node:
    """Return the product of some factors."""
    found = factors[0]
    for factor in factors[1:]:
        found = Binary(operator, found, factor)
    return found


def flat(node: Node) -> Node:
    """Return a product without the brackets and signs that it does not need: `2*(lam*-w)` is `-2*lam*w`."""
    match node:
        case Binary("*" | "@" | "/" as times, first, second):
            first, second = flat(first), flat(second)
            match second:
                case Unary("-", inner):
                    return flat(negated(Binary(times, first, inner)))
                case Binary("*" | "@" as other, left, right) if times == "*" and isinstance(first, Number | Unary):
                    return Binary(other, flat(Binary("*", first, left)), right)
            return Binary(times, first, second)
        case Unary("-", inner):
            return negated(flat(inner))
    return node


def negated(node: Node) -> Node:
    """Return minus a product, the sign before its first factor: `-A @ x`."""
    match node:
        case Unary("-", inner):
            return inner
        case Binary("*" | "@" | "/" as times, first, second):
            return Binary(times, negated(first), second)
    return Unary("-", node)


def summands(node: Node, sign: int = 1) -> Iterator[tuple[int, Node]]:
    """Yield the summands of a tree, each with its sign."""
    match node:
        case Binary("+" | "-" as operator, left, right):
            yield from summands(left, sign)
            yield from summands(right, sign if operator == "+" else -sign)
        case Unary("-", operand):
            yield from summands(operand, -sign)
        case _:
            yield sign, node


def opened(node: Node) -> Node:
    """Return a tree with products and transposes of sums written as sums of products and of transposes."""
    match node:
        case Binary("+" | "-" as sign, left, right):
            return Binary(sign, opened(left), opened(right))
        case Unary("-", operand):
            return Unary("-", opened(operand))
        case Attribute(operand, turn) if turn in TURNS:
            match opened(operand):
                case Binary("+" | "-" as sign, left, right):
                    return Binary(sign, opened(Attribute(left, turn)), opened(Attribute(right, turn)))
                case Unary("-", inner):
                    return Unary("-", Attribute(inner, turn))
        case Binary("*" | "@" as times, left, right):
            left, right = opened(left), opened(right)
            match left, right:
                case Binary("+" | "-" as sign, first, second), _:
                    return Binary(sign, opened(Binary(times, first, right)), opened(Binary(times, second, right)))
                case _, Binary("+" | "-" as sign, first, second):
                    return Binary(sign, opened(Binary(times, left, first)), opened(Binary(times, left, second)))
            return Binary(times, left, right)
        case Binary("/", left, right):
            match opened(left):
                case Binary("+" | "-" as sign, first, second):
                    return Binary(sign, opened(Binary("/", first, right)), opened(Binary("/", second, right)))
    return node


def turned_once(tree: Node) -> Node:
    """Return a tree without the transposes of transposes that an exchange has left."""
    match tree:
        case Attribute(Attribute(operand, "T"), "T"):
            return turned_once(operand)
    changed: Node = map_children(tree, turned_once)
    return changed
