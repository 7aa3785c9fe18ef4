"""Symmetric matrices drawn out of a sum: `A.T @ A / r - A.T @ outer(u, u) @ A / r**3`, with the identity said.

It is `A.T @ (eye(m) - outer(u, u)/r**2) @ A / r`: the second term has what the first one has, and between two of its
factors the outer product of a vector with itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..graph.algebra import product
from ..graph.canonical import tidy
from ..graph.nodes import Coefficient, Factor, Labels, Node, Product, Structural, Sum

# A first term of more factors than this is not looked for in the second one.
MOST_FACTORS = 3


class Projected(NamedTuple):
    """A sum as `factors` with `plain*eye + multiple*outer(vector, vector)` between the labels of a `place`."""

    factors: Sequence[Factor]
    place: Labels
    plain: Node
    multiple: Node
    vector: Node


def projected(node: Sum) -> Projected | None:
    """Return a sum of two products of matrices as one product with a sum in it, None where it is no such sum."""
    if node.rank != 2 or len(node.children) != 2 or not all(isinstance(term, Product) for term in node.children):
        return None
    short, long = sorted(node.terms, key=lambda pair: len(_tensors(pair[1])))
    own, others = _tensors(short[1]), _tensors(long[1])
    if not 0 < len(own) <= MOST_FACTORS or len(others) < len(own) + 2:
        return None
    if any(isinstance(operand, Structural) for operand, _ in own):
        return None
    for matched in _matches(own, others, ()):
        ends = [(0, 0), (1, 1)]
        for (_, labels), k in zip(own, matched, strict=True):
            ends += zip(labels, others[k][1], strict=True)
        rest = [factor for place, factor in enumerate(others) if place not in matched]
        place = _split_label(ends)
        vector = None if place is None else _twice(rest, place)
        if place is not None and vector is not None:
            factors = [others[k] for k in matched]
            return Projected(factors, place, _scalar(*short), _scalar(*long), vector)
    return None


def _tensors(node: Node) -> list[Factor]:
    return [factor for factor in node.factors if factor[1]] if isinstance(node, Product) else []


def _scalar(coefficient: Coefficient, node: Node) -> Node:
    assert isinstance(node, Product)
    return product(tidy(coefficient * node.coefficient), [factor for factor in node.factors if not factor[1]], ())


def _matches(own: Sequence[Factor], others: Sequence[Factor], taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the places of the operands of one product in another."""
    if len(taken) == len(own):
        yield taken
        return
    operand, _ = own[len(taken)]
    for place, (other, _) in enumerate(others):
        if other is operand and place not in taken:
            yield from _matches(own, others, (*taken, place))


def _split_label(ends: Sequence[tuple[int, int]]) -> Labels | None:
    """Return the two labels that one label has become, where all others have become one."""
    became: dict[int, list[int]] = {}
    for label, other in ends:
        if other not in became.setdefault(label, []):
            became[label].append(other)
    every = [other for others in became.values() for other in others]
    split = [tuple(others) for others in became.values() if len(others) > 1]
    twice = len(split) == 1 and len(split[0]) == 2 and len(set(every)) == len(every)
    counts = [label for label, _ in ends]
    return split[0] if twice and all(counts.count(label) == 2 for label in became) else None


def _twice(factors: Sequence[Factor], place: Labels) -> Node | None:
    """Return the vector whose outer product with itself these factors are, None where they are none."""
    sides = [_reached(factors, label) for label in place]
    if len(sides[0]) + len(sides[1]) != len(factors) or set(sides[0]) & set(sides[1]) or not sides[0]:
        return None
    one, two = (product(1, [factors[k] for k in side], (label,)) for side, label in zip(sides, place, strict=True))
    return one if one is two else None


def _reached(factors: Sequence[Factor], label: int) -> list[int]:
    """Return the places of the factors that a label is connected with."""
    labels, found = {label}, list[int]()
    while new := [k for k, (_, own) in enumerate(factors) if k not in found and not labels.isdisjoint(own)]:
        found += new
        labels.update(*(factors[k][1] for k in new))
    return sorted(found)
