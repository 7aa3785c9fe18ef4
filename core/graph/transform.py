"""Whole-graph transformations: rebuilding, vectorization over a batch, flattening."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..shapes import Shape
from .algebra import Factor, add, broadcast, elementwise, fresh, product, relabelled
from .nodes import Apply, Coefficient, Map, Node, Product, Sum, Symbol, topological


def rebuilt(node: Node, children: Sequence[Node]) -> Node:
    """Return a node of the same kind over other children, in normal form."""
    if all(new is old for new, old in zip(children, node.children, strict=True)):
        return node
    match node:
        case Product():
            factors = list(zip(children, node.labels, strict=True))
            return product(node.coefficient, factors, tuple(range(node.rank)))
        case Sum():
            return add(list(zip(node.coefficients, children, strict=True)), node.shape)
        case Map():
            return elementwise(node.operator, children)
        case Apply():
            return Apply.of(node.operator, tuple(children), node.shape, node.parameters, node.batch, node.output)
    return node


def transform(roots: Sequence[Node], visit: Callable[[Node], Node]) -> list[Node]:
    """Return the roots with every node rebuilt over its new children and passed through `visit`, leaves first."""
    new: dict[Node, Node] = {}
    for node in topological(roots):
        new[node] = visit(rebuilt(node, [new[child] for child in node.children]))
    return [new[root] for root in roots]


def vectorize(roots: Sequence[Node], batched: Mapping[Symbol, Node], batch: Shape) -> list[Node]:
    """Return the roots computed for a whole batch: each gets the axes `batch` in front.

    `batched` gives the symbols that differ from sample to sample their values, of shape `batch + symbol.shape`; all
    others are shared by the samples. What does not depend on a batched symbol is computed once.
    """
    new: dict[Node, Node] = {}
    for node in topological(roots):
        if isinstance(node, Symbol) and node in batched:
            new[node] = batched[node]
        elif any(child in new for child in node.children):
            new[node] = _vectorized(node, new, batch)
    return [new[root] if root in new else broadcast(root, batch + root.shape) for root in roots]


def _vectorized(node: Node, new: Mapping[Node, Node], batch: Shape) -> Node:
    match node:
        case Product():
            lead = fresh(len(batch))
            factors = [
                (new[child], lead + labels) if child in new else (child, labels) for child, labels in node.factors
            ]
            return product(node.coefficient, factors, lead + tuple(range(node.rank)))
    children = [new[child] if child in new else broadcast(child, batch + child.shape) for child in node.children]
    match node:
        case Sum():
            return add(list(zip(node.coefficients, children, strict=True)), batch + node.shape)
        case Map():
            return elementwise(node.operator, children)
        case Apply():
            shape = batch + node.shape
            depth = len(batch) + node.batch
            return Apply.of(node.operator, tuple(children), shape, node.parameters, depth, node.output)
    raise AssertionError(type(node).__name__)


def flatten(roots: Sequence[Node]) -> list[Node]:
    """Return the roots with every Product that has one user, itself a Product, merged into that user.

    No parenthesisation is committed then: the order of contraction is chosen over all factors at once. What has
    several users stays a node and is computed once.
    """
    users: dict[Node, int] = {}
    for node in topological(roots):
        for child in node.children:
            users[child] = users.get(child, 0) + 1
    for root in roots:
        users[root] = users.get(root, 0) + 1

    def merged(node: Node) -> bool:
        return isinstance(node, Product) and users[node] == 1

    new: dict[Node, Node] = {}
    absorbed: set[Node] = set()
    for node in topological(roots):
        if isinstance(node, Product):
            absorbed.update(child for child in node.children if merged(child))
    for node in topological(roots):
        if node in absorbed:
            continue
        if isinstance(node, Product):
            factors = [(new.get(child, child), labels) for child, labels in _inlined(node, absorbed)]
            coefficient = _coefficients(node, absorbed)
            new[node] = product(coefficient, factors, tuple(range(node.rank)))
        else:
            new[node] = rebuilt(node, [new[child] for child in node.children])
    return [new[root] for root in roots]


def _coefficients(node: Product, absorbed: set[Node]) -> Coefficient:
    coefficient = node.coefficient
    stack = [child for child in node.children if child in absorbed]
    while stack:
        child = stack.pop()
        assert isinstance(child, Product)
        coefficient = coefficient * child.coefficient
        stack.extend(inner for inner in child.children if inner in absorbed)
    return coefficient


def _inlined(node: Product, absorbed: set[Node]) -> list[Factor]:
    """Return the factors of a Product with those of the absorbed Products in their place."""
    result: list[Factor] = []
    stack: list[Factor] = list(node.factors)
    while stack:
        child, labels = stack.pop()
        if child not in absorbed:
            result.append((child, labels))
            continue
        assert isinstance(child, Product)
        stack.extend(relabelled(child.factors, labels, child.rank))
    return result
