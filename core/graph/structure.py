"""What a derivative looks like from outside: the names of its axes, and its structure in the words of the field.

The derivative of `softmax(x)` is `p[i]*delta[i,j] - p[i]*p[j]`: of two terms, `diagonal + rank one`. Each term is read
as a graph of labels: a Delta that ties a row to a column makes it diagonal in these, and factors that fall apart in
two groups, each with a row and a column, are a Kronecker product.

>>> from matgrad.core.graph.algebra import product
>>> from matgrad.core.graph.nodes import Symbol
>>> A, B = Symbol.of("A", (3, 3)), Symbol.of("B", (4, 4))
>>> structure_of(product(1, [(A, (0, 2)), (B, (3, 1))], (0, 1, 2, 3)), output_rank=2)  # of A @ X @ B by X
'kronecker'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..shapes import Shape
from .algebra import is_zero, relabelled
from .nodes import Coefficient, Delta, Factor, Labels, Node, Product, Reshape, Select, Sum, Triangle

# i, j, k, ... h, then i1, j1, ...: the order in which people name indices.
INDEX_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"

ORDER = (
    "zero", "identity", "diagonal", "block diagonal", "triangular", "selection", "kronecker", "low rank", "rank one",
    "dense",
)  # fmt: skip
# What a whole derivative may be called; other words are for its terms.
OF_THE_WHOLE = ("identity", "diagonal", "block diagonal", "kronecker")

# A Product of more is not looked into.
MOST_FACTORS = 64

Ties = frozenset[Labels]


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
    """Return the structure of a Jacobian in one word, None where it is dense or has no such word.

    Example: the Jacobian of `a*b` by b is `diagonal`: each output depends on one entry of b.
    """
    if is_zero(node):
        return "zero"
    terms = list(node.terms) if isinstance(node, Sum) else [(1, node)]
    seen = {_structure(*_as_einsum(*term), output_rank, node.rank) for term in terms}
    word, ties = next(iter(seen))
    if len(seen) > 1 or (len(terms) > 1 and not ties):
        return None
    return word if word in OF_THE_WHOLE else "block diagonal" if ties else None


def structure_in_words(terms: Iterable[tuple[Coefficient, Sequence[Factor]]], row_rank: int, rank: int) -> str:
    """Return the structures of the terms: `diagonal + rank one` for the Jacobian of softmax.

    The first `row_rank` axes are rows, the others columns.
    """
    words = {structure_of_term(*term, row_rank, rank) for term in terms} or {"zero"}
    if "low rank" in words:
        words.discard("rank one")
    return " + ".join(sorted(words, key=ORDER.index))


def structure_of_term(coefficient: Coefficient, factors: Sequence[Factor], row_rank: int, rank: int) -> str:
    """Return the structure of a number times an einsum of factors, whose labels 0, 1, ... are the axes."""
    return _structure(coefficient, factors, row_rank, rank)[0]


def _as_einsum(coefficient: Coefficient, node: Node) -> tuple[Coefficient, list[Factor]]:
    """Return a node as a number times one einsum, the Products within Products inlined."""
    factors: list[Factor] = []
    waiting: list[Factor] = [(node, tuple(range(node.rank)))]
    while waiting:
        operand, labels = waiting.pop()
        if isinstance(operand, Product) and len(factors) + len(waiting) < MOST_FACTORS:
            coefficient = coefficient * operand.coefficient
            waiting.extend(relabelled(operand.factors, labels, operand.rank))
        else:
            factors.append((operand, labels))
    return coefficient, factors


def _structure(coefficient: Coefficient, factors: Sequence[Factor], row_rank: int, rank: int) -> tuple[str, Ties]:
    """Return the structure of a term, and the groups of axes that its Deltas tie."""
    if row_rank in (0, rank):
        return "dense", frozenset()

    def crosses(labels: Iterable[int]) -> bool:
        """Whether labels name both rows and columns."""
        return len({label < row_rank for label in labels if label < rank}) == 2

    ties = frozenset(labels for node, labels in factors if isinstance(node, Delta) and crosses(labels))
    acting = [(node, labels) for node, labels in factors if isinstance(node, Select | Triangle | Reshape)]
    between = [node for node, labels in acting if crosses(labels)]
    parts = [part for part in _components([labels for _, labels in factors]) if crosses(part)]
    if between and (ties or len(parts) == 1):
        return "triangular" if all(isinstance(node, Triangle) for node in between) else "selection", ties
    if {label for labels in ties for label in labels} == {*range(rank)}:
        pure = coefficient == 1 and all(isinstance(node, Delta) for node, _ in factors)
        return "identity" if pure else "diagonal", ties
    if ties:
        return "block diagonal", ties
    if len(parts) != 1:
        return "kronecker" if parts else "rank one", ties
    if any(crosses(labels) for _, labels in factors):
        return "dense", ties
    return "selection" if any(isinstance(node, Select | Reshape) for node, _ in acting) else "low rank", ties


def _components(groups: Iterable[Labels]) -> list[set[int]]:
    """Return the sets of labels that factors connect with each other."""
    parts: list[set[int]] = []
    for labels in groups:
        touching = [part for part in parts if not part.isdisjoint(labels)]
        parts = [part for part in parts if part.isdisjoint(labels)]
        parts.append({*labels}.union(*touching))
    return parts
