"""Deltas eliminated by union-find over labels, and what other structural tensors imply about labels.

Laue, Mitterreiter, Giesen 2020 treat Deltas as unit tensors; here they are wires. A class of labels tied together by
Deltas becomes one label, and
- reaches no output: nothing remains, but for the factor n when no operand carries it (delta_ii = n);
- reaches one output: nothing remains, but for a vector of ones when no operand carries it;
- reaches several: one Delta stays over them, and that Delta is the structure of the result.

The Product `delta[i,k] delta[j,l] A[k,l]` is A, and the trace of a Delta is its size:

>>> from matgrad.core.graph.nodes import Symbol
>>> (i, j, k, l), delta, A = range(4), Delta.of(3, 2), Symbol.of("A", (3, 3))
>>> eliminate(1, [(delta, (i, k)), (delta, (j, l)), (A, (k, l))], (i, j)) == (1, [(A, (i, j))], (i, j))
True
>>> eliminate(1, [(delta, (k, k))], ())
(3, [], ())
"""

from __future__ import annotations

from collections import Counter

from .nodes import Apply, Coefficient, Delta, Factor, Labels, Node, Reshape, Select, Triangle, sizes_of
from .places import Rotation
from .ratios import ratio

BESIDE_DELTAS = frozenset({Select, Reshape, Triangle})
STRUCTURAL = BESIDE_DELTAS | {Delta}


def eliminate(
    coefficient: Coefficient, factors: list[Factor], output: Labels
) -> tuple[Coefficient, list[Factor], Labels]:
    """Apply every Delta, and every other structural tensor that says two labels are equal or one is free."""
    kinds = {type(node) for node, _ in factors}
    if kinds.isdisjoint(STRUCTURAL):
        return coefficient, factors, output
    if kinds.isdisjoint(BESIDE_DELTAS):
        return _without_deltas(coefficient, factors, output)
    outputs = set(output)
    factors = [_facing(factor, output) for factor in factors]
    while True:
        ties = [labels for node, labels in factors if isinstance(node, Delta)]
        others = [factor for factor in factors if not isinstance(factor[0], Delta)]
        equal, implied = _implied_ties(others)
        parent = _classes([*ties, *equal], output)
        stay = [factor for position, factor in enumerate(others) if position not in implied]
        kept = [(node, tuple(parent.get(label, label) for label in labels)) for node, labels in stay]
        before = {label for _, labels in kept for label in labels}
        kept, ones, reduced = _drop_free_structure(kept, outputs)
        deltas, scalar = _remaining_deltas(factors, kept, parent, output)
        if not equal and not reduced and not _implied_ties(kept)[0]:
            return coefficient * ratio(scalar), [*kept, *deltas], output
        # Ones over a label may now be the only carrier of it; the next round decides with all ties known.
        # A label that structure alone carried was summed with it: its ties are spent, and count for nothing again.
        spent = before - {label for _, labels in [*kept, *ones] for label in labels}
        tied = [(delta, own) for delta, own in factors if isinstance(delta, Delta) and parent[own[0]] not in spent]
        sizes = sizes_of(factors)
        tied += [(Delta.of(sizes[pair[0]], 2), pair) for pair in equal if parent[pair[0]] not in spent]
        factors = [*kept, *ones, *tied]


def _without_deltas(
    coefficient: Coefficient, factors: list[Factor], output: Labels
) -> tuple[Coefficient, list[Factor], Labels]:
    """Apply every Delta, where there is no other structure."""
    parent = _classes([labels for node, labels in factors if isinstance(node, Delta)], output)
    others = [factor for factor in factors if not isinstance(factor[0], Delta)]
    kept = [(node, tuple([parent.get(label, label) for label in labels])) for node, labels in others]
    deltas, scalar = _remaining_deltas(factors, kept, parent, output)
    return coefficient if scalar == 1 else coefficient * ratio(scalar), kept + deltas, output


def _facing(factor: Factor, output: Labels) -> Factor:
    """Return a rotation so that its first label is that of the earlier output axis; the other way round undoes it."""
    node, labels = factor
    if not _rotates(node):
        return factor
    assert isinstance(node, Select)
    assert isinstance(node.rows, Rotation)
    first, second = (output.index(label) if label in output else len(output) for label in labels)
    return (Select.of(node.rows.inverse, node.size), labels[::-1]) if second < first else factor


def _rotates(node: Node) -> bool:
    return isinstance(node, Select) and type(node.rows) is Rotation


def _classes(ties: list[Labels], output: Labels) -> dict[int, int]:
    """Return the representative of each tied label: the first output label where the class reaches one."""
    place = {label: position for position, label in enumerate(output)}
    last = len(output)
    parent: dict[int, int] = {}

    def find(label: int) -> int:
        while parent.setdefault(label, label) != label:
            label = parent[label]
        return label

    for labels in ties:
        for label in labels:
            first, second = find(labels[0]), find(label)
            if first != second:
                keep, drop = (second, first) if place.get(second, last) < place.get(first, last) else (first, second)
                parent[drop] = keep
    return {label: find(label) for label in parent}


def _remaining_deltas(
    factors: list[Factor], kept: list[Factor], parent: dict[int, int], output: Labels
) -> tuple[list[Factor], int]:
    """Return the Deltas that the outputs still need, and the factor of classes that nothing carries."""
    carried = {label for _, labels in kept for label in labels}
    sizes: dict[int, int] = {}
    for node, labels in factors:
        if isinstance(node, Delta):
            sizes.update((parent[label], node.size) for label in labels)
    members: dict[int, list[int]] = {root: [] for root in sizes}
    for label in output:
        if parent.get(label, label) in members:
            members[parent.get(label, label)].append(label)
    deltas: list[Factor] = []
    scalar = 1
    for root, reached in members.items():
        if len(reached) > 1 or (len(reached) == 1 and root not in carried):
            deltas.append((Delta.of(sizes[root], len(reached)), tuple(reached)))
        elif not reached and root not in carried:
            scalar = scalar * sizes[root]
    return deltas, scalar


def _implied_ties(factors: list[Factor]) -> tuple[list[Labels], set[int]]:
    """Return pairs of labels that Select and Reshape tensors force to be equal, and the factors this makes idle.

    Both describe functions of an index: two that start from the same label end in the same. A Reshape is also
    invertible, and so is a rotation; a range chooses no place twice.
    """
    equal: list[Labels] = []
    idle: set[int] = set()
    seen: dict[object, Labels] = {}
    for position, (node, labels) in enumerate(factors):
        if isinstance(node, Select) and type(node.rows) is not Rotation:
            first = seen.setdefault((node, labels[0]), labels)
            other = seen.setdefault((node, labels[1:]), labels) if isinstance(node.rows, range) else labels
            if first is not labels:
                idle.add(position)
                equal.append((first[1], labels[1]))
            elif other is not labels:
                idle.add(position)
                equal.append((other[0], labels[0]))
        elif isinstance(node, Select | Reshape):
            forward = seen.setdefault((node, labels[0]), labels)
            backward = seen.setdefault((node, labels[1:]), labels)
            match = forward if forward is not labels else backward
            if match is not labels:
                idle.add(position)
                equal.extend((a, b) for a, b in zip(match, labels, strict=True) if a != b)
    return equal, idle


def _drop_free_structure(factors: list[Factor], outputs: set[int]) -> tuple[list[Factor], list[Factor], bool]:
    """Replace structure whose one side is summed and used nowhere else by ones on the other side."""
    kept: list[Factor] = []
    ones: list[Factor] = []

    def free(labels: Labels) -> bool:
        return all(label not in outputs and sum(own.count(label) for _, own in factors) == 1 for label in labels)

    for node, labels in factors:
        remaining = None
        if isinstance(node, Select) and not _rotates(node) and free(labels[1:]):
            remaining = labels[:1]
        elif (isinstance(node, Reshape) or _rotates(node)) and (free(labels[:1]) or free(labels[1:])):
            remaining = labels[1:] if free(labels[:1]) else labels[:1]
        elif isinstance(node, Triangle) and labels[0] == labels[1] and node.offset >= 0:
            remaining = labels[:1]
        if remaining is None:
            kept.append((node, labels))
        else:
            sizes = dict(zip(labels, node.shape, strict=True))
            ones.extend((Delta.of(sizes[label], 1), (label,)) for label in remaining)
    return kept, ones, len(kept) != len(factors)


def without_unit_sums(factors: list[Factor], output: Labels) -> list[Factor]:
    """Return factors with ones in place of what is only summed along its last axis, where its entries add up to 1."""
    if not any(isinstance(node, Apply) and node.operator.unit_sums for node, _ in factors):
        return factors
    uses = Counter([*output, *(label for _, labels in factors for label in labels)])
    found: list[Factor] = []
    for node, labels in factors:
        if isinstance(node, Apply) and node.operator.unit_sums and uses[labels[-1]] == 1:
            found += [(Delta.of(size, 1), (label,)) for size, label in zip(node.shape, labels[:-1], strict=False)]
        else:
            found.append((node, labels))
    return found
