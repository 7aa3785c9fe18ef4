"""Entries in the order of others: `x[argsort(y)]` needs no numbers, for it is what the order of y makes of x.

An index that selects among such places, as `argsort(y)[::-1]`, selects among the entries that stand in that order.
"""

from __future__ import annotations

from collections.abc import Callable

from ...grammar import syntax
from ..errors import Label, ShapeError
from ..graph import catalogue
from ..graph.algebra import fresh, product, scale
from ..graph.nodes import Apply, Delta, Node, Product, Select
from ..graph.sizes import Size
from .applied import apply

WORDS = frozenset({"argsort", "argmax", "argmin", "index_of_max", "index_of_min"})
# What is put in order, a multiple of y, and whether its first entry alone is asked for.
PLACES = {"argsort_of_last": (1, False), "index_of_min": (1, True), "index_of_max": (-1, True)}


def in_order(operand: Node, node: syntax.Index, graph_of: Callable[[syntax.Node], Node]) -> Node | None:
    """Return the entries along the first axis at places that an order gives, None where the index is of another kind.

    Example: for `x[argsort(y)]` it is `ordered_by(y, x)`, and for `x[argmax(y)]` the first entry of that for -y.
    """
    if not node.items:  # `x[()]`
        return None
    (item, *others) = node.items
    if others or not any(isinstance(part, syntax.Call) and part.function in WORDS for part in syntax.walk(item)):
        return None
    places = graph_of(item)
    chosen = list(places.factors) if isinstance(places, Product) and places.coefficient == 1 else [(places, (0,))]
    orders = [(factor, labels) for factor, labels in chosen if isinstance(factor, Apply)]
    selects = [(factor, labels) for factor, labels in chosen if isinstance(factor, Select | Delta)]
    if len(orders) != 1 or len(chosen) != 1 + len(selects):
        return None
    ((order, labels),) = orders
    if order.operator.name not in PLACES or order.children[0].rank != 1 or not operand.rank:
        return None
    sizes = order.children[0].shape[0], operand.shape[0]
    if sizes[0] != sizes[1] and any(isinstance(size, Size) for size in sizes):
        raise ShapeError("the places of an order are those of another length", Label(node.span), sizes=sizes)
    if sizes[0] != sizes[1]:
        return None
    multiple, first = PLACES[order.operator.name]
    rest = fresh(operand.rank - 1)
    (axis,) = fresh(1)
    operator = catalogue.find("ordered_by")
    assert operator is not None
    last = product(1, [(operand, (axis, *rest))], (*rest, axis))
    ordered = apply(operator, [scale(multiple, order.children[0]), last], {})
    assert isinstance(ordered, Node)
    if first:
        return product(1, [(ordered, (*rest, axis)), (Select.of((0,), operand.shape[0]), (*fresh(1), axis))], rest)
    return product(1, [(ordered, (*rest, *labels)), *selects], (*range(places.rank), *rest))
