"""Sums of outer products: terms that split their axes in the same way are one matrix product.

`a_i b_j + c_i d_j` is `[a c] @ [b d].T`: BLAS writes each entry once, multiplying and adding would three times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..graph.nodes import Labels
from .contract import multiply, scaled
from .kernels import sum_of_outer_products
from .tape import Labelled, Tape, Value

# Fewer entries are multiplied and added as fast as the factors are brought together.
FEWEST_ENTRIES = 512

Addend = tuple[float, Labelled]


def outer_products_together(tape: Tape, terms: Sequence[Addend], rank: int) -> tuple[list[Addend], Labels]:
    """Return terms of the same sum in which outer products of the same two groups of labels are one term.

    Only arrays that belong to their term alone are taken, for they are no longer computed by themselves. The labels
    returned beside them are the order of axes in which to add, the one in which a matrix product lies in memory.
    """
    axes = tuple(range(rank))
    if not tape.outer_products:
        return [*terms], axes
    groups = defaultdict[object, list[Addend]](list)
    for position, (coefficient, factor) in enumerate(terms):
        sides = tape.outer_products.get(factor.value.slot) if factor.value.fresh else None
        if sides is None or factor.value.size < FEWEST_ENTRIES:
            groups[position].append((coefficient, factor))
        else:
            groups[frozenset(frozenset(side.labels) for side in sides)].append((coefficient, factor))
    together = [_together(tape, group) for group in groups.values() if len(group) > 1]
    apart = [group[0] for group in groups.values() if len(group) == 1]
    order = next((factor.labels for _, factor in together if len(factor.labels) == rank), axes)
    if order != axes:
        apart = [(coefficient, _reordered(tape, factor, order)) for coefficient, factor in apart]
    return [*together, *apart], order


def _reordered(tape: Tape, factor: Labelled, order: Labels) -> Labelled:
    """Return an outer product with its axes in this order, in memory too, so that adding runs along them."""
    sides = tape.outer_products.get(factor.value.slot)
    if sides is None or not factor.value.fresh or set(factor.labels) != set(order):
        return factor
    sizes = dict(zip(factor.labels, factor.value.shape, strict=True))
    return multiply(tape, *sides, order, sizes, row_major=True)


def _together(tape: Tape, terms: Sequence[Addend]) -> Addend:
    common = terms[0][0] if all(coefficient == terms[0][0] for coefficient, _ in terms) else 1.0
    labels = terms[0][1].labels
    first, second = tape.outer_products[terms[0][1].value.slot]
    orders = [tuple(label for label in labels if label in side.labels) for side in (first, second)]
    orders.sort(key=lambda order: labels.index(order[0]))
    rows: list[Value] = []
    columns: list[Value] = []
    for coefficient, factor in terms:
        sides = tape.outer_products[factor.value.slot]
        left, right = (_flat(tape, sides, order) for order in orders)
        if left.size <= right.size:
            left = scaled(tape, left, coefficient / common)
        else:
            right = scaled(tape, right, coefficient / common)
        rows.append(left)
        columns.append(right)
    sizes = dict(zip(labels, terms[0][1].value.shape, strict=True))
    order: Labels = (*orders[0], *orders[1])
    cost = 2 * len(terms) * terms[0][1].value.size
    result = tape.emit(sum_of_outer_products, [*rows, *columns], (rows[0].size, columns[0].size), cost=cost)
    return common, Labelled(tape.reshape(result, tuple(sizes[label] for label in order)), order)


def _flat(tape: Tape, sides: tuple[Labelled, Labelled], order: Labels) -> Value:
    """Return the entries of the side with these labels, in this order of axes."""
    side = next(side for side in sides if order[0] in side.labels)
    value = tape.transpose(side.value, [side.labels.index(label) for label in order])
    return tape.reshape(value, (value.size,))
