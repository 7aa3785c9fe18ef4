"""Inverses beside what they are inverse to, and other pairs that a reader sees to be one thing.

The gradient of `trace(X @ logm(X))`, in which the inverse and its matrix meet:

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> A, X = (Symbol.of(name, (3, 3)) for name in "AX")
>>> (node,) = flatten([elaborate_text("A @ inv(X) @ X", {"A": A, "X": X})])
>>> cancelled_inverse(node) is A
True
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.infix import power
from ..graph.algebra import add, constant_value, exchanged, full, inlined, is_zero, product
from ..graph.canonical import is_symmetric
from ..graph.convolution import overlaps
from ..graph.nodes import Apply, Delta, Factor, Node, Product, Sum, is_function, topological
from ..graph.transform import flatten, transform

# A matrix that is inverted is a product of few factors, and so is what it stands in; a residual has two or three terms.
LONGEST = 6
LONGEST_PRODUCT = 12
LONGEST_SUM = 3
DEEPEST = 3


def cancelled_inverse(node: Node) -> Node | None:
    """inv(A) @ A = eye(n), also where A is a product: inv(X.T @ X) @ X.T @ X."""
    if not isinstance(node, Product) or len(node.children) < 2 or not _has_inverse(node):
        return None
    node = without_products(node)
    factors = list(node.factors)
    uses = Counter(label for _, labels in factors for label in labels)
    for place, (inverse, labels) in enumerate(factors):
        if not is_function(inverse, "inv") or inverse.rank != 2 or labels[0] == labels[1]:
            continue
        for side in (1, 0):
            if labels[side] < node.rank or uses[labels[side]] != 2:
                continue
            others = [spot for spot in range(len(factors)) if spot != place]
            found = _matrix_from(factors, others, labels[side], side, inverse.children[0], node.rank)
            if found is not None:
                spots, end = found
                return exchanged(node, [place, *spots], (Delta.of(inverse.shape[0], 2), (labels[1 - side], end)))
    return None


def without_products(node: Product) -> Product:
    """Return a Product without Products in it."""
    flat: Node = node
    while isinstance(flat, Product) and len(flat.children) <= LONGEST_PRODUCT:
        inner = (
            (k, *own) for k, own in enumerate(flat.factors) if isinstance(own[0], Product) and not overlaps(own[0])
        )
        found = next(inner, None)
        if found is None:
            break
        place, operand, labels = found
        flat = exchanged(flat, (place,), *inlined(operand, labels))
    return flat if isinstance(flat, Product) else node


def cancelled_in_sum(node: Node) -> Node | None:
    """H @ (H @ y - y) = 0 for H = X @ inv(X.T @ X) @ X.T: distributed where that leaves one term or none."""
    if not isinstance(node, Product):
        return None
    for place, (total, labels) in enumerate(node.factors):
        if not isinstance(total, Sum) or len(total.children) > LONGEST_SUM:
            continue
        others = [operand for spot, (operand, _) in enumerate(node.factors) if spot != place]
        if not any(_has_inverse(operand) for operand in others):
            continue
        terms = [(c, _cancelled(exchanged(node, (place,), (term, labels)))) for c, term in total.terms]
        found = add(terms, node.shape)
        if not isinstance(found, Sum) or is_zero(found):
            return found
    return None


def _has_inverse(node: Node, depth: int = DEEPEST) -> bool:
    """Whether a node is an inverse, or a Product that has one not far below."""
    if not isinstance(node, Product):
        return is_function(node, "inv")
    return depth > 0 and any(_has_inverse(child, depth - 1) for child in node.children)


def _cancelled(node: Node) -> Node:
    """Return a term multiplied out, with every inverse cancelled that can be."""
    while (shorter := cancelled_inverse(node)) is not None:
        node = shorter
    return without_products(node) if isinstance(node, Product) else node


def _matrix_from(
    factors: Sequence[Factor], others: Sequence[int], start: int, side: int, matrix: Node, rank: int
) -> tuple[list[int], int] | None:
    """Return the places of factors that are a matrix between a label and another, and that label.

    The matrix meets the start with its first axis where `side` is 1, else with its second.
    """
    (flat,) = flatten([matrix])
    length = len(flat.children) if isinstance(flat, Product) else 1
    uses = Counter(label for _, labels in factors for label in labels)
    spots: list[int] = []
    here = start
    for _ in range(min(length, LONGEST)):
        following = [spot for spot in others if spot not in spots and here in factors[spot][1]]
        if len(following) != 1 or len(factors[following[0]][1]) != 2 or (spots and uses[here] != 2):
            return None
        spots.append(following[0])
        first, second = factors[following[0]][1]
        end = second if first == here else first
        if first == second:
            return None
        axes = (start, end) if side else (end, start)
        (sub,) = flatten([product(1, [factors[spot] for spot in spots], axes)])
        if sub is flat or (is_symmetric(matrix) and flatten([product(1, [(sub, (1, 0))], (0, 1))])[0] is flat):
            return spots, end
        if end < rank:
            return None
        here = end
    return None


def solved_product(node: Node) -> Node | None:
    """solve(A, A @ y) = y."""
    if not isinstance(node, Apply) or node.operator.name not in ("solve_vector", "solve_matrix") or node.batch:
        return None
    matrix, right = node.children
    if right is matrix:
        return Delta.of(matrix.shape[0], 2)
    if not isinstance(right, Product):
        return None
    factors = list(right.factors)
    found = _matrix_from(factors, range(len(factors)), 0, 1, matrix, right.rank)
    if found is None:
        return None
    spots, end = found
    return exchanged(right, spots, (Delta.of(matrix.shape[0], 2), (0, end)))


def with_inverses(roots: Sequence[Node]) -> list[Node]:
    """Return graphs with inv(A) @ B for solve(A, B) where a reader meets the inverse in any case: so terms meet."""
    inverses = {node.children[0] for node in topological(roots) if is_function(node, "inv") and node.rank == 2}
    solved = {node for node in topological(roots) if is_function(node, "solve_matrix") and node.rank == 2}
    if not any(node.children[0] in inverses for node in solved):
        return [*roots]

    def visit(node: Node) -> Node:
        if not is_function(node, "solve_matrix") or node.rank != 2 or node.children[0] not in inverses:
            return node
        matrix, right = node.children
        return product(1, [(call("inv", matrix), (0, 2)), (right, (2, 1))], (0, 1))

    return transform(roots, visit)


def sign_of_itself(node: Node) -> Node | None:
    """sign(x) * x = abs(x), sign(x) * abs(x) = x, sign(x) / abs(x) = 1/x."""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for place, (sign, labels) in enumerate(factors):
        if not is_function(sign, "sign"):
            continue
        x = sign.children[0]
        size = call("abs", x)
        partners = ((x, size), (size, x), (power(size, full(-1, ())), power(x, full(-1, ()))))
        for partner, result in partners:
            if (partner, labels) in factors:
                return exchanged(node, (place, factors.index((partner, labels))), (result, labels))
    return None


def merged_powers(node: Node) -> Node | None:
    """Merge powers of one thing: x * x**p = x**(p + 1), x / sqrt(x) = sqrt(x), x**p / x = x**(p - 1)."""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for place, (raised, labels) in enumerate(factors):
        if not any(is_function(raised, name) for name in ("power", "sqrt", "reciprocal_or_zero")):
            continue
        x, exponent = _as_power(raised)
        if isinstance(constant_value(exponent), int):
            continue
        for spot, (other, own) in enumerate(factors):
            base, more = _as_power(other)
            if spot != place and own == labels and base is x and not (_of_root(raised) and _of_root(other)):
                terms = [(1, exponent), (1, more)]
                return exchanged(node, (place, spot), (_power_of(x, add(terms, exponent.shape)), labels))
    return None


def _as_power(node: Node) -> tuple[Node, Node]:
    """Return a node as a power of another: sqrt(x)**-1 is x to the -1/2; what is no power is itself to the 1."""
    if is_function(node, "sqrt"):
        return node.children[0], full(Fraction(1, 2), node.shape)
    if is_function(node, "reciprocal_or_zero"):
        return node.children[0], full(-1, node.shape)
    if not is_function(node, "power"):
        return node, full(1, node.shape)
    base, exponent = node.children
    x, inner = _as_power(base)
    number, known = constant_value(exponent), constant_value(inner)
    if x is base or number is None or known is None:
        return base, exponent
    return x, full(number * known, node.shape)


def _of_root(node: Node) -> bool:
    return is_function(node, "sqrt") or (is_function(node, "power") and is_function(node.children[0], "sqrt"))


def _power_of(x: Node, exponent: Node) -> Node:
    return call("sqrt", x) if constant_value(exponent) == Fraction(1, 2) else power(x, exponent)


def solved_sylvester(node: Node) -> Node | None:
    """solve_sylvester(A, A, eye(n)) = inv(A)/2, for A @ Y + Y @ A is to be the identity."""
    if not is_function(node, "solve_sylvester") or node.rank != 2:
        return None
    A, B, C = node.children
    return elaborate_text("inv(A)/2", {"A": A}) if A is B and isinstance(C, Delta) else None


PAIRS = (cancelled_inverse, cancelled_in_sum, solved_product, sign_of_itself, merged_powers, solved_sylvester)
