"""What a derivative looks like from outside: its axes, and the structure that its Deltas tell."""

from __future__ import annotations

from collections.abc import Sequence

from ..shapes import Shape
from .algebra import is_zero
from .nodes import Delta, Node, Product, Select, Structural, Sum

# i, j, k, ... h, then i1, j1, ...: the order in which people name indices.
INDEX_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


def axis_names(groups: Sequence[tuple[str, Shape]]) -> tuple[str, ...]:
    """Return a label for each axis: `axis_names([("out", (3,)), ("X", (2, 4))])` is `out[i]`, `X[j,:]`, `X[:,k]`."""
    names: list[str] = []
    for owner, shape in groups:
        for axis in range(len(shape)):
            own = letter(len(names))
            inside = [own if place == axis else ":" for place in range(len(shape))]
            names.append(f"{owner}[{','.join(inside)}]")
    return tuple(names)


def letter(count: int) -> str:
    """Return the name of the index with that number: i, j, k, ..."""
    return INDEX_LETTERS[count % 26] + (str(count // 26) if count >= 26 else "")


def structure_of(node: Node, output_rank: int) -> str | None:
    """Return the structure of a Jacobian in words, None where it is dense or has no word.

    Example: the Jacobian of `a*b` by b is `diagonal`: each output depends on one entry of b.
    """
    if is_zero(node):
        return "zero"
    terms = node.children if isinstance(node, Sum) else (node,)
    ties = {_ties(term, output_rank) for term in terms}
    if not output_rank or len(ties) != 1:
        return None
    (tied,) = ties
    rank = node.rank
    if tied is None or not tied:
        return _separable(node, output_rank) if rank - output_rank == output_rank == 2 else None
    covered = {label for group in tied for label in group}
    pairs = all(any(label < output_rank for label in g) and any(label >= output_rank for label in g) for g in tied)
    if not pairs:
        return None
    if covered == set(range(rank)):
        only_deltas = isinstance(node, Delta) or (isinstance(node, Product) and _pure(node))
        return "identity" if only_deltas and _coefficient(node) == 1 else "diagonal"
    return "block diagonal"


def _ties(node: Node, output_rank: int) -> frozenset[tuple[int, ...]] | None:
    if isinstance(node, Delta):
        return frozenset([tuple(range(node.rank))]) if node.rank > 1 else frozenset()
    if not isinstance(node, Product):
        return frozenset()
    if any(isinstance(operand, Select) for operand in node.operands):
        return None
    return frozenset(labels for operand, labels in node.factors if isinstance(operand, Delta) and operand.rank > 1)


def _pure(node: Product) -> bool:
    return all(isinstance(operand, Structural) for operand in node.operands)


def _coefficient(node: Node) -> object:
    return node.coefficient if isinstance(node, Product) else 1


def _separable(node: Node, output_rank: int) -> str | None:
    """Return `kronecker` where each factor of a Product ties one output axis to one axis of the variable."""
    if not isinstance(node, Product):
        return None
    parts: list[set[int]] = []
    for labels in node.labels:
        touching = [part for part in parts if part & set(labels)]
        parts = [part for part in parts if not part & set(labels)]
        parts.append(set(labels).union(*touching))
    outside = [{label for label in part if label < node.rank} for part in parts]
    pairs = [part for part in outside if part]
    crossing = all(len(part) == 2 and len({label < output_rank for label in part}) == 2 for part in pairs)
    return "kronecker" if len(pairs) == 2 and crossing else None
