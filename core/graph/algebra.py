"""The constructors that keep graphs in normal form: `product`, `add` and `scale`.

A Product in normal form has no Delta that could be a renaming of labels (`eliminate`); its operands and labels are in
canonical order (`canonical`).

A Product is distributed over a Sum only for those terms that carry a Delta, so structure reaches the output while
dense sums stay shared. Terms of a Sum with the same Deltas are added under them, so distribution does not multiply
terms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, count
from math import isfinite, nan

import numpy as np

from ..shapes import Shape
from .canonical import canonical, simplest, tidy
from .convolution import overlaps
from .deltas import STRUCTURAL, eliminate, without_unit_sums
from .nodes import (
    Apply,
    Coefficient,
    Constant,
    Delta,
    Labels,
    Map,
    Node,
    Product,
    Select,
    Structural,
    Sum,
    Symbol,
    remembered,
    sizes_of,
)  # fmt: skip
from .nodes import Factor as Factor
from .operator import Operator

# A Sum inside a Sum is spliced up to this many terms: what a person writes reaches normal form, and the running sums
# of a deep network stay shared.
SPLICE_LIMIT = 24

fresh_labels = count(1_000_000)


def fresh(amount: int) -> Labels:
    """Return that many labels that occur nowhere else."""
    return tuple(next(fresh_labels) for _ in range(amount))


def zero(shape: Shape) -> Sum:
    """Return the zero tensor of a shape."""
    return Sum.of((), (), shape)


def is_zero(node: Node) -> bool:
    """Whether a node is the zero tensor."""
    return isinstance(node, Sum) and not node.children


def number(value: Coefficient) -> Node:
    """Return a scalar constant: a Product without operands."""
    value = tidy(value)
    return simplest(value, (), (), ()) if value != 0 else zero(())


def full(value: Coefficient, shape: Shape) -> Node:
    """Return a constant array of a shape: a number times ones."""
    return product(value, [(Delta.of(size, 1), (axis,)) for axis, size in enumerate(shape)], tuple(range(len(shape))))


def identity(shape: Shape) -> Node:
    """Return the identity of tensors of a shape, with axes `shape + shape`: the seed of a derivative."""
    rank = len(shape)
    deltas = [(Delta.of(size, 2), (axis, rank + axis)) for axis, size in enumerate(shape)]
    return product(1, deltas, tuple(range(2 * rank)))


def scale(coefficient: Coefficient, node: Node) -> Node:
    """Return `coefficient * node`."""
    labels = tuple(range(node.rank))
    return node if coefficient == 1 else product(coefficient, [(node, labels)], labels)


def permute(node: Node, axes: Sequence[int]) -> Node:
    """Return the node with its axes in the order `axes`, as `numpy.transpose`."""
    return product(1, [(node, tuple(range(node.rank)))], tuple(axes))


def broadcast(node: Node, shape: Shape) -> Node:
    """Return the node repeated to a shape by NumPy's rules; the shapes must already be compatible."""
    if node.shape == shape:
        return node
    offset = len(shape) - node.rank
    labels, factors = [], []
    for axis, size in enumerate(shape):
        own = node.shape[axis - offset] if axis >= offset else None
        if own == size:
            labels.append(axis)
        else:
            factors.append((Delta.of(size, 1), (axis,)))
            if own is not None:
                labels.append(*fresh(1))
    return product(1, [(node, tuple(labels)), *factors], tuple(range(len(shape))))


def split(node: Node) -> tuple[Coefficient, Node]:
    """Return a node as a number times a node with coefficient one: `split(2*A@x) == (2, A@x)`."""
    if not isinstance(node, Product) or node.coefficient == 1 or not node.children:
        return (node.coefficient, number(1)) if isinstance(node, Product) and not node.children else (1, node)
    return node.coefficient, simplest(1, node.children, node.labels, node.shape)


def constant_value(node: Node) -> Coefficient | None:
    """Return c where the node is c times ones (or the scalar c), else None."""
    if is_zero(node):
        return 0
    if isinstance(node, Product) and all(isinstance(item, Delta) and item.rank == 1 for item in node.children):
        return node.coefficient
    return 1 if isinstance(node, Delta) and node.rank == 1 else None


# --- sums ------------------------------------------------------------------------------------------------------------


def add(terms: Iterable[tuple[Coefficient, Node]], shape: Shape) -> Node:
    """Return the sum of coefficient times term, all of one shape, with equal terms collected.

    Example: `add([(1, a), (-1, a)], a.shape)` is zero.
    """
    terms = list(terms)
    if len(terms) == 1 and terms[0][0] == 1:
        return terms[0][1]
    collected = defaultdict[Node, Coefficient](int)
    for coefficient, term in _spliced(terms):
        factor, core = split(term)
        collected[core] += coefficient * factor
    remaining = _merge_by_structure([(core, c) for core, c in collected.items() if c != 0], shape)
    remaining.sort(key=lambda item: item[0].digest)
    if not remaining:
        return zero(shape)
    if len(remaining) == 1:
        return scale(remaining[0][1], remaining[0][0])
    repeated = set.intersection(*(repeated_axes(core) for core, _ in remaining))
    if repeated and not any(carries_delta(core) for core, _ in remaining):
        # What is repeated along the same axes is added first.
        kept = tuple(axis for axis in range(len(shape)) if axis not in repeated)
        inner = add([(c, without_axes(core, kept)) for core, c in remaining], tuple(shape[axis] for axis in kept))
        return _repeated(inner, kept, shape)
    return Sum.of(tuple(tidy(c) for _, c in remaining), tuple(core for core, _ in remaining), shape)


def factors_of(node: Node) -> Iterable[Factor]:
    """Return the factors of a Product; what is none is its own factor."""
    return node.factors if isinstance(node, Product) else [(node, tuple(range(node.rank)))]


def repeated_axes(node: Node) -> set[int]:
    """Return the axes along which a node is mere repetition: what multiplies a vector of ones there."""
    if is_zero(node):
        return set(range(node.rank))
    return {own[0] for operand, own in factors_of(node) if isinstance(operand, Delta) and operand.rank == 1}


def without_axes(node: Node, kept: Labels) -> Node:
    """Return a node without the repetition along the axes that are not kept."""
    if is_zero(node):
        return zero(tuple(node.shape[axis] for axis in kept))
    dropped = set(range(node.rank)) - set(kept)
    if isinstance(node, Delta):
        return number(1) if dropped else node
    if not isinstance(node, Product):
        return node
    factors = [f for f in node.factors if not (isinstance(f[0], Delta) and f[0].rank == 1 and f[1][0] in dropped)]
    return product(node.coefficient, factors, kept)


def _repeated(node: Node, kept: Labels, shape: Shape) -> Node:
    """Return a node over some axes of a shape repeated along the others."""
    ones = [(Delta.of(size, 1), (axis,)) for axis, size in enumerate(shape) if axis not in kept]
    return product(1, [(node, kept), *ones], tuple(range(len(shape))))


def _spliced(terms: list[tuple[Coefficient, Node]]) -> Iterator[tuple[Coefficient, Node]]:
    room = SPLICE_LIMIT - len(terms)
    for coefficient, term in terms:
        outer, core = split(term)
        if not isinstance(core, Sum):
            yield coefficient, term
        elif len(core.children) <= room:
            room -= len(core.children)
            yield from ((coefficient * outer * c, inner) for c, inner in core.terms)
        else:
            ties, rest = _separate_ties(core)
            yield from ((coefficient * outer * c, inner) for c, inner in ties)
            yield coefficient * outer, rest


def _separate_ties(node: Sum) -> tuple[list[tuple[Coefficient, Node]], Node]:
    """Split a Sum into the terms that carry a Delta and the Sum of the others, which stays one shared node."""
    ties = [(c, term) for c, term in node.terms if carries_delta(term)]
    if not ties:
        return [], node
    others = [(c, term) for c, term in node.terms if not carries_delta(term)]
    if len(others) == 1:
        return ties, scale(*others[0])
    return ties, Sum.of(tuple(c for c, _ in others), tuple(term for _, term in others), node.shape)


def carries_delta(node: Node) -> bool:
    """Whether a node is, or multiplies, a Delta that ties two or more axes."""
    return bool(_ties(node))


def _merge_by_structure(terms: list[tuple[Node, Coefficient]], shape: Shape) -> list[tuple[Node, Coefficient]]:
    """Add terms that carry the same Deltas under them: `diag(a) + diag(b)` becomes `diag(a + b)`."""
    groups = defaultdict[frozenset[Labels], list[tuple[Node, Coefficient]]](list)
    for core, coefficient in terms:
        groups[_ties(core)].append((core, coefficient))
    merged = []
    for ties, members in groups.items():
        if not ties or len(members) == 1:
            merged.extend(members)
            continue
        free = set(range(len(shape))) - {label for labels in ties for label in labels}
        carried = free.union(*(_carried(core) for core, _ in members))
        kept = tuple(sorted(carried - {label for labels in ties for label in labels[1:]}))
        kept_shape = tuple(shape[label] for label in kept)
        inner = add([(c, _under(core, kept, kept_shape)) for core, c in members], kept_shape)
        deltas: list[Factor] = [(Delta.of(shape[labels[0]], len(labels)), labels) for labels in ties]
        whole = product(1, [*deltas, (inner, kept)], tuple(range(len(shape))))
        merged.append((split(whole)[1], split(whole)[0]))
    return [(core, c) for core, c in merged if c != 0 and not is_zero(core)]


@remembered
def _ties(node: Node) -> frozenset[Labels]:
    """Return the label groups that the Deltas of a term tie together."""
    return frozenset(own for operand, own in factors_of(node) if isinstance(operand, Delta) and operand.rank > 1)


def _carried(node: Node) -> set[int]:
    """Return the axes of a term that something other than its Deltas carries."""
    carrying = (labels for operand, labels in factors_of(node) if not isinstance(operand, Delta))
    return {label for labels in carrying for label in labels if label < node.rank}


def _under(node: Node, kept: Labels, kept_shape: Shape) -> Node:
    """Return what the Deltas of a term multiply, over the labels that they leave free."""
    factors = [f for f in factors_of(node) if not (isinstance(f[0], Delta) and f[0].rank > 1)]
    carried = {label for _, labels in factors for label in labels}
    ones = [(Delta.of(size, 1), (label,)) for label, size in zip(kept, kept_shape, strict=True) if label not in carried]
    return product(1, [*factors, *ones], kept)


# --- products --------------------------------------------------------------------------------------------------------


def product(coefficient: Coefficient, factors: Iterable[Factor], output: Labels) -> Node:
    """Return the einsum of the factors times a number, in normal form.

    Example: `product(2, [(A, (0, 1)), (x, (1,))], (0,))` is `2*A @ x`. Labels are any integers; those in `output`
    are distinct and carried by some factor.
    """
    coefficient, flat = _splice(coefficient, factors)
    flat = without_unit_sums(flat, output)
    kinds = {type(node) for node, _ in flat}
    if Map in kinds:
        flat = _cancelled(flat)
    sums = [(place, node) for place, (node, _) in enumerate(flat) if isinstance(node, Sum)] if Sum in kinds else []
    if coefficient == 0 or not all(node.children for _, node in sums) or (Select in kinds and _apart(flat)):
        return _nothing(coefficient, flat, output)
    for place, node in sums:
        if any(carries_delta(term) for term in node.children):
            others = flat[:place] + flat[place + 1 :]
            return _distribute(coefficient, node, flat[place][1], others, output)
    if not kinds.isdisjoint(STRUCTURAL):
        coefficient, flat, output = eliminate(coefficient, flat, output)
    return canonical(coefficient, flat, output)


def _nothing(coefficient: Coefficient, factors: list[Factor], output: Labels) -> Node:
    """Return what a product with a factor of zero is.

    What is known to be zero wins over what is computed, and not over an infinite number: 0 * inf is not 0.
    """
    sizes = sizes_of(factors)
    shape = tuple(sizes[label] for label in output)
    if isinstance(coefficient, float) and not isfinite(coefficient):
        return full(nan, shape)
    endless = [
        (own, labels) for own, labels in factors if isinstance(own, Constant) and not np.isfinite(own.value).all()
    ]
    if not endless:
        return zero(shape)
    with np.errstate(invalid="ignore"):
        left = [(Constant.of(0 * own.value), labels) for own, labels in endless]
    carried = {label for _, labels in left for label in labels}
    ones = [(Delta.of(sizes[label], 1), (label,)) for label in output if label not in carried]
    return product(1, [*left, *ones], output)


def _apart(factors: list[Factor]) -> bool:
    """Whether two ranges of places of one axis have none in common: nothing of `x[:2]` lies in `x[2:]`."""
    chosen: dict[int, list[range]] = {}
    for node, labels in factors:
        if isinstance(node, Select) and isinstance(node.rows, range):
            chosen.setdefault(labels[1], []).append(node.rows)
    return any(
        a.stop <= b.start or b.stop <= a.start
        for rows in chosen.values()
        for a, b in combinations(rows, 2)
        if a.step > 0 and b.step > 0
    )


def exchanged(node: Product, places: Collection[int], *new: Factor) -> Node:
    """Return a Product with new factors instead of those in some places."""
    kept = [factor for place, factor in enumerate(node.factors) if place not in places]
    return product(node.coefficient, [*kept, *new], tuple(range(node.rank)))


def _cancelled(factors: list[Factor]) -> list[Factor]:
    """Return factors with f * f**-2 as f**-1: what is divided by stays so, for it may be zero."""
    for place, (node, labels) in enumerate(factors):
        if isinstance(node, Map) and node.operator.name == "power" and (node.children[0], labels) in factors:
            exponent = constant_value(node.children[1])
            if exponent is not None and exponent < -1:
                less = elementwise(node.operator, (node.children[0], full(exponent + 1, node.shape)))
                rest = [factor for spot, factor in enumerate(factors) if spot != place]
                rest.remove((node.children[0], labels))
                return _cancelled([*rest, (less, labels)])
    return factors


def _distribute(coefficient: Coefficient, node: Sum, labels: Labels, others: list[Factor], output: Labels) -> Node:
    ties, rest = _separate_ties(node)
    terms = [*ties, (1, rest)]
    results = [(c, product(coefficient, [*others, (term, labels)], output)) for c, term in terms]
    return add(results, results[0][1].shape)


def _splice(coefficient: Coefficient, factors: Iterable[Factor]) -> tuple[Coefficient, list[Factor]]:
    """Replace factors that are Products of structure by their parts, and draw the coefficients together."""
    flat: list[Factor] = []
    for node, labels in factors:
        if isinstance(node, Product):
            coefficient = tidy(coefficient * node.coefficient)
            if not node.children:
                continue
            if _transparent(node):
                flat.extend(relabelled(_pieces(node), labels, node.rank))
            else:
                flat.append((split(node)[1], labels))
        elif isinstance(node, Symbol) and "diagonal" in node.assumptions and labels[0] != labels[1]:
            flat += [(node, (labels[0], labels[0])), (Delta.of(node.shape[0], 2), labels)]
        else:
            flat.append((node, labels))
    return tidy(coefficient), flat


def is_mask(node: Node) -> bool:
    """Whether a node is a mask, whose zeros must win over inf and nan in every Product that it takes part in."""
    return isinstance(node, Map | Apply) and node.operator.mask


@remembered
def _transparent(node: Product) -> bool:
    """Whether a Product is seen through: it carries structure, or is a mere view of its one operand.

    A convolution is not: what overlaps is added up once, before anything else is done with it.
    """
    if any(isinstance(operand, Structural) or is_mask(operand) for operand in node.children):
        return not overlaps(node)
    return len(node.children) == 1 and all(label < node.rank for label in node.labels[0])


@remembered
def _pieces(node: Product) -> list[Factor]:
    """Return the structure of a Product, and its dense parts, contracted among themselves where they sum a label.

    Wrapping those contractions as nodes of their own keeps them shared when the structure around them is spliced
    into several places.
    """
    structural = [f for f in node.factors if isinstance(f[0], Structural) or is_mask(f[0])]
    dense = [f for f in node.factors if f not in structural]
    outside = set(range(node.rank)).union(*(labels for _, labels in structural))
    groups: list[tuple[set[int], list[Factor]]] = []
    for operand, labels in dense:
        inner = set(labels) - outside
        touching = [group for group in groups if group[0] & inner]
        groups = [group for group in groups if not group[0] & inner]
        members = [f for _, group in touching for f in group]
        groups.append((inner.union(*(names for names, _ in touching)), [*members, (operand, labels)]))
    pieces = structural
    for inner, members in groups:
        if len(members) == 1 and not inner:
            pieces.append(members[0])
        else:
            free = tuple(dict.fromkeys(label for _, labels in members for label in labels if label not in inner))
            pieces.append((product(1, members, free), free))
    return pieces


def inlined(operand: Node, labels: Labels) -> list[Factor]:
    """Return the factors of an operand that is a Product, its number among them, in the place of the operand."""
    if not isinstance(operand, Product):
        return [(operand, labels)]
    scalar: list[Factor] = [] if operand.coefficient == 1 else [(number(operand.coefficient), ())]
    return [*scalar, *relabelled(operand.factors, labels, operand.rank)]


def relabelled(factors: Iterable[Factor], output: Labels, rank: int) -> Iterator[Factor]:
    """Yield the factors of a Product of that rank with its outputs called `output`, and fresh labels for its sums."""
    names = defaultdict(fresh_labels.__next__, zip(range(rank), output, strict=True))
    for node, labels in factors:
        yield node, tuple(names[label] for label in labels)


# --- elementwise functions ---


def elementwise(operator: Operator, operands: Sequence[Node]) -> Node:
    """Return an elementwise function of operands of one shape, applied before any broadcasting they share.

    Example: `exp` of a scalar repeated n times is the scalar's `exp` repeated. A comparison of numbers is 0 or 1, and a
    choice by a number is made.
    """
    shape = operands[0].shape
    if operator.mask and operator.evaluate is not None:
        numbers = [constant_value(operand) for operand in operands]
        plain = [float(value) for value in numbers if isinstance(value, int | float | Fraction)]
        if len(plain) == len(operands):
            return full(int(operator.evaluate(*plain)), shape)
    if operator.name == "where" and (known := constant_value(operands[0])) is not None:
        return operands[1 if known != 0 else 2]
    repeated = set.intersection(*map(repeated_axes, operands))
    if not repeated:
        return Map.of(operator, tuple(operands))
    kept = tuple(axis for axis in range(len(shape)) if axis not in repeated)
    return _repeated(Map.of(operator, tuple(without_axes(operand, kept) for operand in operands)), kept, shape)
