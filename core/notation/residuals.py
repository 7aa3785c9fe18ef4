"""Residuals that hold an identity, as they were typed: `W @ (W.T @ W - eye(3))` for `W @ W.T @ W - W`.

The graph distributes a product over a sum with an identity in it, so that structure reaches the output; a reader sees
the residual again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..graph.algebra import product, scale
from ..graph.canonical import tidy
from ..graph.nodes import Delta, Node, Sum
from ..graph.ratios import reciprocal
from ..graph.transform import flatten


class Residual(NamedTuple):
    """A sum as `other @ residual`, or as `residual @ other` where that comes first."""

    other: Node
    residual: Sum
    first: bool


def with_identities(nodes: Iterable[Node]) -> list[Sum]:
    """Return the square matrices among nodes that are a sum with an identity in it."""
    sums = (node for node in nodes if isinstance(node, Sum) and node.rank == 2)
    return [node for node in sums if any(isinstance(term, Delta) for term in node.children)]


def residual_in(node: Sum, known: Iterable[Sum]) -> Residual | None:
    """Return a sum of matrices as a product with one of the residuals that the reader knows, None where it is none."""
    for residual in known:
        if len(residual.children) != len(node.children):
            continue
        here = next(c for c, term in residual.terms if isinstance(term, Delta))
        for c, term in node.terms:
            other = scale(tidy(c * reciprocal(here)), term)
            for first in (False, True):
                if other.shape[1 - first] == residual.shape[0] and _times(other, residual, first) is flatten([node])[0]:
                    return Residual(other, residual, first)
    return None


def _times(other: Node, residual: Sum, first: bool) -> Node:
    pair = [(residual, (0, 2)), (other, (2, 1))] if first else [(other, (0, 2)), (residual, (2, 1))]
    return flatten([product(1, pair, (0, 1))])[0]
