r"""Columns, rows and ones in LaTeX: what NumPy's broadcasting becomes where mathematics has no broadcasting.

A vector is a column. Spread to a matrix, a row `v` is `\mathbf{1} v^{\top}`, a column `u` is `u \mathbf{1}^{\top}`, and
a number `c` is `c \mathbf{1} \mathbf{1}^{\top}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial, reduce

from ...grammar.spellings import INDEX
from ...grammar.syntax import Attribute, Binary, Call, Name, Node, Number, Unary
from ..notation.trees import negated, transposed

CHAIN = "@"
WIDEST_MATRIX = 10
ONES = Call("all ones", ())
PRODUCTS = ("*", "dot", "scale", "spaced", CHAIN)


def chained(factors: Iterable[Node]) -> Node:
    """Return a matrix product; numbers in front of a factor come to the front, signs as well."""
    return reduce(_joined, factors)


def _joined(left: Node, right: Node) -> Node:
    match right:
        case Unary("-", operand):
            return negated(_joined(left, operand))
        case Binary("scale", coefficient, rest):
            return scaled(coefficient, _joined(left, rest))
    match left:
        case Unary("-", operand):
            return negated(_joined(operand, right))
        case Binary("scale", coefficient, rest):
            return scaled(coefficient, _joined(rest, right))
    sign = "spaced" if is_differential(right) or is_differential(_last(left)) else CHAIN
    return Binary(sign, left, right)


def beside_ones(row: Node) -> Node:
    """Return a column of ones times a row: 1 (1' X) is written 1 1' X."""
    match row:
        case Unary("-", operand):
            return negated(beside_ones(operand))
        case Binary("scale", coefficient, rest):
            return scaled(coefficient, beside_ones(rest))
        case Binary("@" | "spaced", left, right):
            return chained([beside_ones(left), right])
    return chained([ONES, row])


def is_differential(node: Node) -> bool:
    """Whether a factor is a differential, which stands apart from its neighbours: A dX B."""
    while isinstance(node, Attribute):
        node = node.operand
    return isinstance(node, Name) and bool(node.prefix) and node.name.startswith(r"\mathrm{d}")


def _last(node: Node) -> Node:
    while isinstance(node, Binary) and node.operator in PRODUCTS:
        node = node.right
    return node


def scaled(coefficient: Node, tree: Node) -> Node:
    r"""Return a multiple of a product: `scaled(1/n, A x)` is `\frac{1}{n} A x`."""
    if isinstance(coefficient, Unary) and coefficient.operator == "-":
        return negated(scaled(coefficient.operand, tree))
    if isinstance(tree, Unary) and tree.operator == "-":
        return negated(scaled(coefficient, tree.operand))
    return tree if coefficient == Number("1") else Binary("scale", coefficient, tree)


def matrix(rows: Sequence[Sequence[Node]]) -> Node:
    """Return a matrix of entries in brackets; amsmath's own environment takes ten columns and no more."""
    lines = [reduce(partial(Binary, "beside"), entries) for entries in rows]
    body = reduce(partial(Binary, "above"), lines)
    columns = max(map(len, rows))
    if columns <= WIDEST_MATRIX:
        return Call("matrix", (body,))
    return Call("wide matrix", (Name("c" * columns, INDEX), body))


def ones_of(rank: int) -> Node:
    """Return the ones that a number is spread by."""
    return ONES if rank == 1 else chained([ONES, row(ONES)])


def row(vector: Node) -> Node:
    """Return a column as a row; numbers in front stay in front."""
    match vector:
        case Binary("*" | "dot" | "scale" as sign, left, right):
            return Binary(sign, left, row(right))
        case Unary("-", operand):
            return negated(row(operand))
        case Binary("@" | "spaced", left, right) if right == ONES:
            return chained([row(ONES), turned(left)])
    return turned(vector)


def turned(matrix: Node) -> Node:
    """Return the transpose of a matrix."""
    match matrix:
        case Call("inv", (operand,)):
            return Call("inverse transpose", (operand,))
        case Call("inverse transpose", (operand,)):
            return Call("inv", (operand,))
        case Call("eye" | "diag"):
            return matrix
        case Call("all ones" | "ones"):
            return Attribute(matrix, "T")
    return transposed(matrix)


def signed(sign: str, left: Node, right: Node) -> Node:
    """Return a product with the minus of its first factor in front: -(x y) is written -x y."""
    if isinstance(left, Unary) and left.operator == "-":
        return Unary("-", Binary(sign, left.operand, right))
    return Binary(sign, left, right)


def apart(node: Node) -> Node:
    """Return an operand of a Hadamard product, with brackets around a matrix product."""
    if isinstance(node, Unary) and isinstance(node.operand, Binary) and node.operand.operator in (CHAIN, "spaced"):
        return Unary(node.operator, apart(node.operand))
    return Call("brackets", (node,)) if isinstance(node, Binary) and node.operator in (CHAIN, "spaced") else node


def grouped(number: Node) -> Node:
    """Return a number in front of an array, with brackets around a product of arrays: 2 (x' y) z."""
    match number:
        case Binary("@" | "spaced"):
            return Call("brackets", (number,))
        case Binary("*" | "scale" | "dot" as sign, left, right):
            return Binary(sign, left, grouped(right))
        case Unary("-", operand):
            return Unary("-", grouped(operand))
    return number


def first_of(node: Node) -> Node:
    """Return the leftmost leaf of a product."""
    while isinstance(node, Binary) and node.operator in (*PRODUCTS, "hadamard", "**"):
        node = node.left
    return node
