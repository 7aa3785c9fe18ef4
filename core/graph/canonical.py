"""The canonical form of a Product: one way to write each, so that interning finds equal ones.

Operands are sorted by digest and labels numbered by first use; where operands tie, all arrangements of the ties are
tried and the smallest numbering wins. Labels of a symmetric operand are sorted, so that `A.T` is `A`, and so is what
follows from it: `inv(A).T` is `inv(A)`.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import chain, count, groupby, permutations
from itertools import product as choices
from math import factorial, inf, isfinite, prod

from ...grammar.budget import spend
from ..shapes import Shape
from .nodes import Apply, Coefficient, Delta, Factor, Labels, Map, Node, Product, Sum, Symbol, remembered, sizes_of
from .ratios import ratio
from .sizes import Size

Arrangement = tuple[tuple[Node, ...], tuple[Labels, ...]]

# With more arrangements than this the first is taken: equal products may then stay distinct nodes, never wrong ones.
TIE_LIMIT = 720
# A Product of more factors than this is not multiplied out to see whether it is symmetric.
LONGEST_SANDWICH = 12
COLORS = 2**48 - 1
LARGEST_DENOMINATOR = 2**10
LARGEST_NUMERATOR = 2**53
# A longer number is no more exact than a float for anything that is computed with it.
LARGEST_EXACT = 2**200


def is_symmetric(node: Node) -> bool:
    """Whether a matrix equals its transpose whatever the inputs: assumed of it, or by its form, as `X @ X.T`.

    Example: the inverse of a symmetric matrix, a sum of symmetric terms, `A + A.T`.
    """
    shape = node.shape
    return len(shape) == 2 and shape[0] == shape[1] and _has_symmetric_form(node)


@remembered
def _has_symmetric_form(node: Node) -> bool:
    match node:
        case Symbol():
            return node.symmetric
        case Delta():
            return True
        case Product():
            return canonical(node.coefficient, list(node.factors), (1, 0)) is node or _is_sandwich(node)
        case Sum():
            terms = dict(zip(node.children, node.coefficients, strict=True))
            return all(is_symmetric(term) or terms.get(_turned(term)) == c for term, c in terms.items())
        case Map():
            return all(is_symmetric(child) for child in node.children)
        case Apply():
            return node.operator.keeps_symmetry and is_symmetric(node.children[0])
    return False


def _is_sandwich(node: Product) -> bool:
    """Whether a Product of Products is symmetric when it is multiplied out: `(X.T @ S) @ X` for a symmetric S."""
    if not any(isinstance(child, Product) for child in node.children):
        return False
    factors = _multiplied_out(node)
    if len(factors) > LONGEST_SANDWICH:
        return False
    return canonical(1, factors, (0, 1)) is canonical(1, factors, (1, 0))


def _multiplied_out(node: Product) -> list[Factor]:
    """Return the factors of a Product, with those of the Products among them in their place."""
    fresh = count(node.rank)
    factors: list[Factor] = []
    waiting: list[Factor] = [(node, tuple(range(node.rank)))]
    while waiting and len(factors) <= LONGEST_SANDWICH:
        inner, output = waiting.pop()
        if isinstance(inner, Product):
            names = defaultdict(fresh.__next__, zip(range(inner.rank), output, strict=True))
            waiting += [(child, tuple(names[label] for label in labels)) for child, labels in inner.factors]
        else:
            factors.append((inner, output))
    return factors


def _turned(node: Node) -> Node:
    """Return the transpose of a term of a Sum, as the term it would be."""
    if isinstance(node, Product):
        return canonical(node.coefficient, list(node.factors), (1, 0))
    return canonical(1, [(node, (0, 1))], (1, 0))


def canonical(coefficient: Coefficient, factors: list[Factor], output: Labels) -> Node:
    """Return a Product whose operands and labels are ordered by structure alone.

    Example: `A[i,j] x[j]` and `x[p] A[o,p]` become the same node.
    """
    position = {label: place for place, label in enumerate(output)}
    distinct = len({node.digest for node, _ in factors}) == len(factors)
    if distinct and not any(is_symmetric(node) for node, _ in factors if node.rank == 2):
        nodes, labels = _by_digest(factors, position)
    else:
        nodes, labels = _by_color(factors, position, distinct)
    sizes = sizes_of(factors)
    return simplest(tidy(coefficient), nodes, labels, tuple([sizes[label] for label in output]))


def _by_digest(factors: list[Factor], position: dict[int, int]) -> Arrangement:
    """Order factors that are all different, none of them symmetric."""
    names = dict(position)
    ordered = sorted(factors, key=_digest)
    numbered = [tuple([names.setdefault(label, len(names)) for label in labels]) for _, labels in ordered]
    return tuple([node for node, _ in ordered]), tuple(numbered)


def _digest(factor: Factor) -> int:
    return factor[0].digest


def _by_color(factors: list[Factor], position: dict[int, int], distinct: bool) -> Arrangement:
    """Order factors by what they are and by their labels; where they tie, the smallest of all numberings wins."""
    factors, color = _ordered(factors, position)
    found = _numbered(factors, position, color)
    if not distinct:
        groups = [list(group) for _, group in groupby(factors, key=lambda factor: _rank_key(factor, color))]
        ties = prod(factorial(len(group)) for group in groups)
        if 1 < ties <= TIE_LIMIT:
            spend(ties)
            arrangements = choices(*(permutations(group) for group in groups))
            numbered = [_numbered([*chain(*groups)], position, color) for groups in arrangements]
            found = min(numbered, key=lambda item: item[1])
    return found


def _ordered(factors: list[Factor], position: dict[int, int]) -> tuple[list[Factor], dict[int, int]]:
    """Sort factors by what they are and by the colors of their labels: an output's place, or where a label is used."""
    color = {label: position.get(label, -1) for _, labels in factors for label in labels}
    if len(factors) > 1 or any(label < 0 for label in color.values()):
        for _ in range(2):
            seen: dict[int, list[tuple[int, int, int]]] = {label: [] for label in color}
            for node, labels in factors:
                symmetric = is_symmetric(node)
                around = hash(tuple(sorted(color[label] for label in labels)))
                for axis, label in enumerate(labels):
                    seen[label].append((node.digest, 0 if symmetric else axis, around))
            uses = {label: len(position) + (hash(tuple(sorted(own))) & COLORS) for label, own in seen.items()}
            color = {label: position.get(label, use) for label, use in uses.items()}
    return sorted(factors, key=lambda factor: _rank_key(factor, color)), color


def _rank_key(factor: Factor, color: dict[int, int]) -> tuple[int, tuple[int, ...]]:
    node, labels = factor
    colors = tuple(color[label] for label in labels)
    if is_symmetric(node):
        colors = tuple(sorted(colors))
    return node.digest, colors


def _numbered(factors: list[Factor], position: dict[int, int], color: dict[int, int]) -> Arrangement:
    names = dict(position)
    numbered = []
    for node, labels in factors:
        if is_symmetric(node):
            labels = tuple(sorted(labels, key=lambda label: (color[label], names.get(label, len(names)))))
        for label in labels:
            names.setdefault(label, len(names))
        renamed = tuple(names[label] for label in labels)
        numbered.append(tuple(sorted(renamed)) if is_symmetric(node) else renamed)
    return tuple(node for node, _ in factors), tuple(numbered)


def simplest(coefficient: Coefficient, nodes: tuple[Node, ...], labels: tuple[Labels, ...], shape: Shape) -> Node:
    """Return the Product, or its one operand where it does nothing to it."""
    if coefficient == 1 and len(nodes) == 1 and labels[0] == tuple(range(len(shape))):
        return nodes[0]
    return Product.of(coefficient, nodes, labels, shape)


def tidy(coefficient: Coefficient) -> Coefficient:
    """Return a number in the one form that it has as a coefficient: an int, else a short fraction, else a float."""
    if type(coefficient) is int and abs(coefficient) <= LARGEST_EXACT:
        return coefficient
    if isinstance(coefficient, Size):
        coefficient = ratio(coefficient)
    if isinstance(coefficient, float) and isfinite(coefficient):
        numerator, denominator = coefficient.as_integer_ratio()
        if denominator > LARGEST_DENOMINATOR or abs(numerator) > LARGEST_NUMERATOR:
            return coefficient
        coefficient = Fraction(numerator, denominator)
    if isinstance(coefficient, int | Fraction):
        if max(abs(coefficient.numerator), coefficient.denominator) > LARGEST_EXACT:
            return _as_float(coefficient)
        return int(coefficient) if coefficient.denominator == 1 else coefficient
    return coefficient


def _as_float(value: int | Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf
