"""What the Moore-Penrose inverse P of X absorbs: the projections X @ P and P @ X leave X and P as they are.

    X P X = X,   P X P = P,   (X P)' = X P,   (P X)' = P X            (Penrose 1955, equations 3 to 6)

so X' (X P) = X' and P (X P) = P as well, and X' annihilates the residual of least squares, X P y - y. The rule of
`pinv` has such products in every derivative of a fit; without them a formula is many times longer than it need be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..graph.algebra import Factor, add, exchanged, is_zero, product
from ..graph.canonical import is_symmetric
from ..graph.nodes import Labels, Node, Product, Sum, is_function, topological
from ..graph.transform import flatten, transform

# A fit's residual has two or three terms; longer sums do not vanish. Products of more factors than this are left.
LONGEST_SUM = 3
LONGEST = 12
SUMS_DISTRIBUTED = 2


def absorbed(roots: Sequence[Node]) -> list[Node]:
    """Return the roots with projections absorbed: `X.T @ X @ pinv(X) @ y` becomes `X.T @ y`.

    A Product is distributed over a Sum where that leaves one term or none, as in `X.T @ (X @ pinv(X) @ y - y)`.
    """
    if not any(_is_pseudoinverse(node) for node in topological(roots)):
        return list(roots)
    return transform(flatten(roots), _without_projections)


def _is_pseudoinverse(node: Node) -> bool:
    return is_function(node, "pinv") and node.rank == 2


def _without_projections(node: Node) -> Node:
    """Return a Product without the projections in it, also in what it shares with others.

    All are left flat, so that terms which cancel are seen to be equal.
    """
    if not isinstance(node, Product):
        return node
    flat = flatten([node])[0]
    return _absorbed(flat) or (flat if any(_is_pseudoinverse(child) for child in flat.children) else node)


def _absorbed(node: Node, sums: int = SUMS_DISTRIBUTED) -> Node | None:
    """Return a Product with every projection absorbed that can be, None where there is none."""
    found = None
    while isinstance(node, Product) and len(node.children) <= LONGEST:
        shorter = _projection_absorbed(node) or _turned(node) or (_distributed(node, sums - 1) if sums else None)
        if shorter is None:
            break
        found = node = shorter
    return found


def _projection_absorbed(node: Product) -> Node | None:
    """Return a Product without one of its projections, None where it has none that could be absorbed."""
    factors = list(node.factors)
    for first, second, (kept, lost) in _projections(factors, node.rank):
        rest = [factor for place, factor in enumerate(factors) if place not in (first, second)]
        pair = (factors[first], factors[second])
        for place, neighbour in enumerate(rest):
            if any(_is_left_alone(neighbour, kept, factor) for factor in pair):
                renamed = tuple(lost if label == kept else label for label in neighbour[1])
                rest[place] = (neighbour[0], renamed)
                return product(node.coefficient, rest, tuple(range(node.rank)))
    return None


def _turned(node: Product) -> Node | None:
    """Return a Product with pinv(X).T @ X.T written X @ pinv(X), which is symmetric, None where nothing is to turn."""
    factors = list(node.factors)
    for first, second, (kept, lost) in _projections(factors, node.rank, outer=True):
        inverse, matrix = factors[first], factors[second]
        left = inverse if inverse[1][0] in (kept, lost) else matrix
        ends = (kept, lost) if kept in left[1] else (lost, kept)
        if ends[1] < node.rank and (ends[0] >= node.rank or ends[0] > ends[1]):
            swap = {kept: lost, lost: kept}
            for place in (first, second):
                operand, labels = factors[place]
                factors[place] = (operand, tuple(swap.get(label, label) for label in labels))
            return product(node.coefficient, factors, tuple(range(node.rank)))
    return None


def _projections(factors: list[Factor], rank: int, *, outer: bool = False) -> Iterator[tuple[int, int, Labels]]:
    """Yield the places of a matrix and its pseudoinverse that are multiplied, and the outer labels: summed, other.

    With `outer`, the labels may be any, and each pair comes once.
    """
    uses = Counter(label for _, labels in factors for label in labels)

    def joined(label: int) -> bool:
        return label >= rank and uses[label] == 2

    for first, (inverse, own) in enumerate(factors):
        if not _is_pseudoinverse(inverse):
            continue
        for second, (matrix, other) in enumerate(factors):
            if matrix is not inverse.children[0]:
                continue
            for axis, opposite in _facing(matrix):
                middle = own[axis]
                ends = (own[1 - axis], other[1 - opposite])
                if middle == other[opposite] and joined(middle) and ends[0] != ends[1]:
                    if outer:
                        yield first, second, ends
                    else:
                        yield from ((first, second, pair) for pair in (ends, ends[::-1]) if joined(pair[0]))


def _facing(matrix: Node) -> list[tuple[int, int]]:
    """Return the axes of a pseudoinverse and of its matrix that meet in P @ X and in X @ P."""
    crossed = [(1, 0), (0, 1)]
    return [*crossed, (0, 0), (1, 1)] if is_symmetric(matrix) else crossed


def _is_left_alone(neighbour: Factor, label: int, factor: Factor) -> bool:
    """Whether a projection with that outer label leaves the neighbour as it is: one of its own two factors does.

    The label is one of `factor`, whose axis there has the range or row space that the projection is onto; the
    neighbour has the same space where it is that factor at the same axis, or its (pseudo)inverse at the other.
    """
    node, labels = neighbour
    if label not in labels or label not in factor[1]:
        return False
    axis, own = labels.index(label), factor[1].index(label)
    if node is factor[0]:
        return axis == own or is_symmetric(node)
    inverse, matrix = (node, factor[0]) if _is_pseudoinverse(node) else (factor[0], node)
    return _is_pseudoinverse(inverse) and inverse.children[0] is matrix and (axis != own or is_symmetric(matrix))


def _distributed(node: Product, sums: int) -> Node | None:
    """Return a Product distributed over a Sum, None unless that leaves at most one term."""
    factors = list(node.factors)
    if not any(_holds_pseudoinverse(factor) for factor, _ in factors):
        return None
    for place, (total, labels) in enumerate(factors):
        if not isinstance(total, Sum) or len(total.children) > LONGEST_SUM:
            continue
        terms = []
        for c, term in total.terms:
            (own,) = flatten([exchanged(node, (place,), (term, labels))])
            terms.append((c, _absorbed(own, sums) or own))
        found = add(terms, node.shape)
        if is_zero(found) or _sums(found) < _sums(node):
            return found
    return None


def _sums(node: Node) -> int:
    return sum(isinstance(factor, Sum) for factor in (node.children if isinstance(node, Product) else (node,)))


def _holds_pseudoinverse(node: Node, depth: int = 2) -> bool:
    return _is_pseudoinverse(node) or (depth > 0 and any(_holds_pseudoinverse(c, depth - 1) for c in node.children))
