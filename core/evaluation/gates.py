"""Where a branch that is not taken makes a whole factor 0, that 0 wins as well.

The second derivative of `where(x > 1, log(x/sum(x)), 0)` holds `a / sum(x)**2`, where each term of the sum `a` has the
mask `x > 1`. At zeros no entry passes it: `a` is 0, the quotient 0/0, and the derivative 0. The gate of `a` is the mask
that says so, and it joins the Product.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from ..elaboration.elaborate import call
from ..graph.algebra import Factor, add, is_mask, product, zero
from ..graph.nodes import Apply, Constant, Labels, Map, Node, Product, Structural, Sum, Symbol, Triangle
from ..graph.transform import transform


def gated(roots: Sequence[Node], order: Sequence[Node]) -> list[Node]:
    """Return graphs in which the zeros of a mask within a factor win over the inf and nan of the other factors.

    `order` are the nodes below the roots, where there may be masks.
    """
    # Most graphs have none, which is seen without a call for each node.
    if not [node for node in order if node.__class__ in (Map, Apply) and node.operator.mask]:
        return list(roots)
    gates = _Gates()
    return transform(roots, gates.visit)


class _Gates:
    """What is known of the nodes of a graph: their gates, and whether they may be infinite or undefined."""

    def __init__(self) -> None:
        self._gates: dict[Node, list[Factor]] = {}
        self._perilous: dict[Node, bool] = {}

    def visit(self, node: Node) -> Node:
        """Return a Product with the gates of its factors, where another factor may not be finite."""
        if not isinstance(node, Product):
            return node
        perilous = [place for place, factor in enumerate(node.children) if self._is_perilous(factor)]
        if not perilous:
            return node
        added = [
            (mask, tuple(labels[axis] for axis in axes))
            for place, (factor, labels) in enumerate(node.factors)
            if not is_mask(factor) and perilous != [place]
            for mask, axes in self._of(factor)
        ]
        added += _through_triangles(node)
        return product(node.coefficient, [*node.factors, *added], tuple(range(node.rank))) if added else node

    def _is_perilous(self, node: Node) -> bool:
        """Whether a node may be infinite or undefined at finite inputs, of ordinary magnitude."""
        if node not in self._perilous:
            self._perilous[node] = self._may_be_undefined(node)
        return self._perilous[node]

    def _may_be_undefined(self, node: Node) -> bool:
        if isinstance(node, Symbol | Constant | Structural) or is_mask(node):
            return False
        if isinstance(node, Map | Apply) and not node.operator.exact and not all(map(isfinite, node.operator.bounds)):
            return True
        return any(map(self._is_perilous, node.children))

    def _of(self, node: Node) -> list[Factor]:
        """Return masks over axes of a node: where one of them is 0, the node is."""
        if node not in self._gates:
            match node:
                case Product():
                    self._gates[node] = self._of_product(node)
                case Sum():
                    self._gates[node] = self._of_sum(node)
                case _:
                    self._gates[node] = [(node, tuple(range(node.rank)))] if is_mask(node) else []
        return self._gates[node]

    def _of_product(self, node: Product) -> list[Factor]:
        groups: list[list[Factor]] = []
        for factor, labels in node.factors:
            for mask, axes in self._of(factor):
                own = mask, tuple(labels[axis] for axis in axes)
                meeting = [group for group in groups if any({*own[1]} & {*others} for _, others in group)]
                groups = [group for group in groups if group not in meeting]
                groups.append([own, *(one for group in meeting for one in group)])
        return [_somewhere(group, range(node.rank)) for group in groups]

    def _of_sum(self, node: Sum) -> list[Factor]:
        gates = [self._of(term) for term in node.children]
        if not all(gates):
            return []
        common = set.intersection(*({axis for _, axes in own for axis in axes} for own in gates))
        labels = tuple(sorted(common))
        parts = [product(1, [_somewhere(own, labels)], labels) for own in gates]
        total = add([(1, part) for part in parts], parts[0].shape)
        return [(_holds(total), labels)]


def _through_triangles(node: Product) -> list[Factor]:
    """Return which entries a running sum adds to what a mask lets through: they are all that the Product uses."""
    return [
        _somewhere([mask, triangle], [label for label in triangle[1] if label not in mask[1]])
        for triangle in node.factors
        if isinstance(triangle[0], Triangle)
        for mask in node.factors
        if is_mask(mask[0]) and len({*mask[1]} & {*triangle[1]}) == 1
    ]


def _somewhere(masks: Sequence[Factor], kept: Sequence[int]) -> Factor:
    """Return where masks hold together, anywhere along the axes that are not kept."""
    if len(masks) == 1 and len({*masks[0][1]} & {*kept}) == len(masks[0][1]):
        return masks[0]
    labels: Labels = tuple(sorted({label for _, own in masks for label in own} & {*kept}))
    return _holds(product(1, masks, labels)), labels


def _holds(count: Node) -> Node:
    return call("not_equal", count, zero(count.shape))
