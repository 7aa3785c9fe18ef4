"""A derivative by few numbers as a literal of its entries: `[[-b*x[1], -b*x[0]], [b*x[1], b*x[0] - g]]`.

Structure that picks places of few has nothing left to say there: each entry is written for itself.

>>> from matgrad.core.graph.algebra import identity, number
>>> entry(identity((2,)), {0: 1, 1: 1}) is number(1)
True
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product as choices
from math import prod

from ...grammar.syntax import Binary, ListLiteral, Number, Unary
from ..graph.algebra import add, elementwise, fresh, is_zero, product, scale, zero
from ..graph.nodes import Delta, Factor, Map, Node, Product, Select, Sum
from ..graph.places import Listed
from ..graph.sizes import Size
from .formula import Notation
from .trees import Tree, number, times

# A literal of more entries than this is no longer read at a glance.
MOST_ENTRIES = 16


def literal(notation: Notation, root: Node) -> Tree | None:
    """Return a vector or a matrix as a literal of its entries, None for what has many or another number of axes."""
    plain = not any(isinstance(size, Size) for size in root.shape)
    if root.rank not in (1, 2) or not plain or not 1 < prod(root.shape) <= MOST_ENTRIES:
        return None
    places = choices(*map(range, root.shape))
    nodes = [entry(root, dict(enumerate(place))) for place in places]
    # A number that all entries have in front stands in front of the literal.
    shared = {notation.term(node).coefficient for node in nodes}
    content = shared.pop() if len(shared) == 1 and root.rank == 1 else 1
    content = content if isinstance(content, int) and content else 1
    trees = [notation.tree(scale(Fraction(1, content), node)) for node in nodes]
    columns = root.shape[-1]
    rows = [ListLiteral(tuple(trees[k : k + columns])) for k in range(0, len(trees), columns)]
    if content != 1:
        return times([number(content), rows[0]])
    return rows[0] if root.rank == 1 else ListLiteral(tuple(rows))


def is_literal(tree: Tree) -> bool:
    """Whether a tree is a literal, perhaps with a number in front."""
    match tree:
        case Binary("*", Number() | Unary("-", Number()), right):
            return isinstance(right, ListLiteral)
    return isinstance(tree, ListLiteral)


def entry(node: Node, fixed: Mapping[int, int]) -> Node:
    """Return a node at given places of some axes, which it no longer has."""
    kept = tuple(axis for axis in range(node.rank) if axis not in fixed)
    shape = tuple(node.shape[axis] for axis in kept)
    if not fixed or is_zero(node):
        return zero(shape) if fixed else node
    match node:
        case Sum():
            return add([(c, entry(term, fixed)) for c, term in node.terms], shape)
        case Product():
            return _entry_of_product(node, dict(fixed), kept)
        case Map():
            return elementwise(node.operator, [entry(child, fixed) for child in node.children])
    picked = [_picked(node, axis, place) for axis, place in fixed.items()]
    return product(1, [(node, tuple(range(node.rank))), *picked], kept)


def _picked(node: Node, axis: int, place: int) -> Factor:
    """Return what picks a place of an axis, which it leaves to be summed."""
    return Select.of(range(place, place + 1), node.shape[axis]), (*fresh(1), axis)


def _entry_of_product(node: Product, fixed: dict[int, int], kept: tuple[int, ...]) -> Node:
    """Return an entry of a product: places that are known say where structure has its ones, and so further places."""
    waiting, done = list(node.factors), False
    while not done:
        done = True
        for factor in list(waiting):
            found = _places(factor, fixed)
            if found is not None:
                if any(place < 0 or fixed.get(label, place) != place for label, place in found.items()):
                    return zero(tuple(node.shape[axis] for axis in kept))
                fixed |= found
                waiting.remove(factor)
                done = False
    factors = [_picked(node, axis, fixed[axis]) for axis in kept if axis in fixed]
    for other, labels in waiting:
        own = {axis: fixed[label] for axis, label in enumerate(labels) if label in fixed}
        factors.append((entry(other, own), tuple(label for label in labels if label not in fixed)))
    return product(node.coefficient, factors, kept)


def _places(factor: Factor, fixed: Mapping[int, int]) -> dict[int, int] | None:
    """Return at which places of its labels structure is 1, where one of them is known; -1 where it is nowhere."""
    node, labels = factor
    known = next((label for label in labels if label in fixed), None)
    if known is None:
        return None
    if isinstance(node, Delta):
        return dict.fromkeys(labels, fixed[known])
    if isinstance(node, Select) and isinstance(node.rows, range | tuple) and not isinstance(node.rows, Listed):
        row, column = labels
        if known == row:
            return {column: node.rows[fixed[row]]}
        rows = [place for place, chosen in enumerate(node.rows) if chosen == fixed[column]]
        return {row: rows[0] if rows else -1} if len(rows) < 2 else None
    return None
