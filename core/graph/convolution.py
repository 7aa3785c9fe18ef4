"""Convolutions: Products that add up windows that overlap.

What overlaps is added up once, before anything else is done with it, so such a Product is not seen through.
"""

from __future__ import annotations

from .nodes import Labels, Node, Product, Reshape, Select
from .places import Windows


def overlaps(node: Product) -> bool:
    """Whether a Product is a convolution: it adds up windows that overlap."""
    return any(_adds_windows(node, operand, labels) for operand, labels in node.factors)


def _adds_windows(node: Product, operand: Node, labels: Labels) -> bool:
    """Whether an operand adds up windows to an axis of the result, and none of them is left."""
    if not (isinstance(operand, Select) and isinstance(operand.rows, Windows) and labels[1] < node.rank):
        return False
    inner = (own for other, own in node.factors if isinstance(other, Reshape) and own[0] == labels[0])
    return all(label >= node.rank for own in inner for label in own)
