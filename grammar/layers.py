"""Layers that a library makes first and calls then: `nn.Softplus(2)(x)`, `loss = nn.MSELoss(); loss(x, y)`."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from .syntax import Call, Keyword, Node


def is_layer(node: Node) -> TypeGuard[Call]:
    """Whether a call makes a layer: libraries write such words, as those of all classes, with a capital."""
    return isinstance(node, Call) and not node.method and node.function[0].isupper() and len(node.function) > 1


def of_inputs(made: Call, inputs: tuple[Node, ...], keywords: tuple[Keyword, ...]) -> Call:
    """Return a layer as one function of its inputs, then of what it was made with: `nn.Softplus(x, 2)`."""
    words = (*keywords, *made.keywords)
    return replace(made, arguments=(*inputs, *made.arguments), keywords=words, prefix=made.prefix or "torch.nn")
