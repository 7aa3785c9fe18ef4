"""Whole-graph transformations: rebuilding, vectorization over a batch, flattening."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache

from ..shapes import Shape
from .algebra import Factor, add, broadcast, elementwise, fresh, product, relabelled
from .convolution import overlaps
from .nodes import (
    Apply,
    Coefficient,
    Delta,
    Function,
    Map,
    Node,
    Parameters,
    Product,
    Reshape,
    Select,
    Sum,
    Symbol,
    Triangle,
    topological,
    uses,
)
from .places import Listed, Rotation, Rows, Windows, count_of, progression
from .ratios import evaluated
from .sizes import NotPlainError, Size, replace_lengths


def rebuilt(node: Node, children: tuple[Node, ...]) -> Node:
    """Return a node of the same kind over other children, in normal form."""
    return node if children == node.children else _over(children, node, node.shape)


def _over(
    children: Sequence[Node], node: Node, shape: Shape, *, batch: int = 0, lengths: Mapping[str, int] | None = None
) -> Node:
    """Return a node of the same kind over children of other shapes; `batch` axes came in front, or `lengths` in."""

    def at(coefficient: Coefficient) -> Coefficient:
        return coefficient if lengths is None else evaluated(coefficient, lengths)

    match node:
        case Product():
            return product(at(node.coefficient), zip(children, node.labels, strict=True), tuple(range(node.rank)))
        case Sum():
            return add(zip(map(at, node.coefficients), children, strict=True), shape)
        case Map():
            return elementwise(node.operator, children)
        case Apply():
            depth = node.batch + batch
            settings = node.parameters if lengths is None else _settings_at(node, lengths)
            return Apply.of(node.operator, tuple(children), shape, settings, depth, node.output)
    return node


def _settings_at(node: Apply, lengths: Mapping[str, int]) -> Parameters:
    """Return the settings of an Apply with numbers in place of lengths in the functions among them."""
    return tuple((k, _function_at(v, lengths) if isinstance(v, Function) else v) for k, v in node.parameters)


def _function_at(function: Function, lengths: Mapping[str, int]) -> Function:
    arguments = tuple(at_lengths(symbol, lengths) for symbol in function.arguments)
    return Function.of(arguments, sized([function.body], lengths)[function.body])


def transform(roots: Sequence[Node], visit: Callable[[Node], Node]) -> list[Node]:
    """Return the roots with every node rebuilt over its new children and passed through `visit`, leaves first."""
    new = transformed(roots, visit)
    return [new[root] for root in roots]


def transformed(roots: Iterable[Node], visit: Callable[[Node], Node]) -> dict[Node, Node]:
    """Return what becomes of every node below the roots, rebuilt over its new children and passed through `visit`."""
    new: dict[Node, Node] = {}
    for node in topological(roots):
        new[node] = visit(rebuilt(node, tuple([new[child] for child in node.children])))
    return new


def transform_once(roots: Sequence[Node], visit: Callable[[Node], Node]) -> list[Node]:
    """Return what `transform` does, for a `visit` that depends on the node alone: each node remembers its result."""
    key = f"_{visit.__module__}.{visit.__qualname__}"
    for node in topological(roots):
        if key not in node.__dict__:
            found = visit(rebuilt(node, tuple([child.__dict__[key] or child for child in node.children])))
            # A node that held itself would not be freed when nobody else does.
            node.__dict__[key] = None if found is node else found
    return [root.__dict__[key] or root for root in roots]


def sized(roots: Iterable[Node], lengths: Mapping[str, int]) -> dict[Node, Node]:
    """Return every node below the roots with numbers in place of named lengths.

    Example: the mean of `x`, of length n, becomes a third of the sum of its entries under `{"n": 3}`. Raises
    NotPlainError where a place that the graph names does not exist at these lengths.
    """

    # Each once: what many names count together is as long as they are many.
    @cache
    def at(size: int) -> int:
        return replace_lengths(size, lengths)

    new: dict[Node, Node] = {}
    for node in topological(roots):
        shape = tuple([at(size) for size in node.shape])
        if any(size < 0 for size in shape if not isinstance(size, Size)):
            raise NotPlainError("a slice that is written has no places at these lengths", node.shape)
        children = [new[child] for child in node.children]
        match node:
            case Symbol():
                new[node] = at_lengths(node, lengths)
            case Delta():
                new[node] = Delta.of(shape[0], node.rank)
            case Select():
                new[node] = Select.of(_places(node, at), shape[1])
            case Triangle():
                new[node] = Triangle.of(shape[0], shape[1], at(node.offset))
            case Reshape():
                new[node] = Reshape.of(shape[1:])
            case _:
                new[node] = _over(children, node, shape, lengths=lengths)
    return new


def at_lengths(symbol: Symbol, lengths: Mapping[str, int]) -> Symbol:
    """Return an input with numbers in place of lengths."""
    shape = tuple(replace_lengths(size, lengths) for size in symbol.shape)
    return Symbol.of(symbol.name, shape, symbol.assumptions)


def _places(node: Select, at: Callable[[int], int]) -> Rows:
    """Return the rows of a selection at given lengths."""
    rows, size = node.rows, at(node.size)
    if isinstance(rows, Rotation):
        return Rotation(size, at(rows.start) % size if size else 0)
    if isinstance(rows, Windows):
        windows = Windows(at(rows.amount), at(rows.length), rows.step, rows.dilation)
        chosen: Rows = windows
        ends: Sequence[int] = (windows.last,)
        if windows.amount < 1 or windows.length < 1:
            raise NotPlainError(f"an axis of {size} is too short for windows of {windows.length}")
    elif isinstance(rows, Listed):
        chosen = rows.places if rows.source is None else rows
        ends = rows.places
    elif isinstance(rows, tuple):
        chosen = ends = tuple(at(row) for row in rows)
    else:
        count = at(count_of(rows))
        chosen = progression(at(rows.start), rows.step, count) if count > 0 else range(0)
        ends = (chosen[0], chosen[-1]) if count > 0 else ()
        if count < 0:
            raise NotPlainError(f"an axis of {size} is too short for what is chosen of it")
    if any(not 0 <= place < size for place in ends):
        raise NotPlainError(f"an axis of {size} is too short for what is chosen of it")
    return chosen


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
    if isinstance(node, Product):
        lead = fresh(len(batch))
        factors = [(new[child], lead + own) if child in new else (child, own) for child, own in node.factors]
        return product(node.coefficient, factors, lead + tuple(range(node.rank)))
    children = [new[child] if child in new else broadcast(child, batch + child.shape) for child in node.children]
    return _over(children, node, batch + node.shape, batch=len(batch))


def flatten(roots: Sequence[Node]) -> list[Node]:
    """Return the roots with every Product that has one user, itself a Product, merged into that user.

    No parenthesisation is committed then: the order of contraction is chosen over all factors at once. What has
    several users stays a node and is computed once.
    """
    order = topological(roots)
    users = uses(roots, order)
    inner = (child for node in order if isinstance(node, Product) for child in node.children)
    absorbed = {child for child in inner if isinstance(child, Product) and users[child] == 1 and not overlaps(child)}
    if not absorbed:
        return [*roots]
    new: dict[Node, Node] = {}
    for node in order:
        if node in absorbed:
            continue
        if isinstance(node, Product) and not absorbed.isdisjoint(node.children):
            coefficient, factors = _inlined(node, absorbed)
            new[node] = product(coefficient, [(new[child], own) for child, own in factors], tuple(range(node.rank)))
        else:
            new[node] = rebuilt(node, tuple([new[child] for child in node.children]))
    return [new[root] for root in roots]


def _inlined(node: Product, absorbed: Set[Node]) -> tuple[Coefficient, list[Factor]]:
    """Return a Product with the absorbed Products in it multiplied out, as a number and factors."""
    coefficient, result, stack = node.coefficient, list[Factor](), list(node.factors)
    while stack:
        child, labels = stack.pop()
        if isinstance(child, Product) and child in absorbed:
            coefficient = coefficient * child.coefficient
            stack.extend(relabelled(child.factors, labels, child.rank))
        else:
            result.append((child, labels))
    return coefficient, result
