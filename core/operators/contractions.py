"""Graphs of products of arrays: contractions over pairs of axes, einsum, Kronecker products."""

from __future__ import annotations

from functools import reduce
from itertools import chain
from typing import Any

from ..elaboration.elaborate import call
from ..elaboration.infix import aligned, matmul, times
from ..elaboration.settings import shown
from ..errors import ExpressionError, RankError, ShapeError
from ..graph import algebra
from ..graph.algebra import Factor, fresh, product
from ..graph.nodes import Delta, Node
from ..shapes import broadcast_shapes, describe
from .axes import normalize_each, reshaped, several


def contracted(a: Node, b: Node, pairs: list[tuple[int, int]], name: str) -> Node:
    """Return the sum over pairs of axes of a and b; the axes that remain are those of a, then those of b."""
    labels_a, labels_b = list(fresh(a.rank)), list(fresh(b.rank))
    for first, second in pairs:
        if a.shape[first] != b.shape[second]:
            message = f"`{name}`: sizes {a.shape[first]} and {b.shape[second]} differ"
            raise ShapeError(message, sizes=(a.shape[first], b.shape[second]))
        labels_b[second] = labels_a[first]
    shared = {labels_a[first] for first, _ in pairs}
    output = tuple(label for label in (*labels_a, *labels_b) if label not in shared)
    return product(1, [(a, tuple(labels_a)), (b, tuple(labels_b))], output)


def dot(a: Node, b: Node) -> Node:
    """Return NumPy's dot."""
    if not a.rank or not b.rank:
        return times(a, b)
    return contracted(a, b, [(a.rank - 1, max(0, b.rank - 2))], "dot")


def vdot(a: Node, b: Node) -> Node:
    """Return the sum of the products of all entries."""
    return contracted(reshaped(a, -1), reshaped(b, -1), [(0, 0)], "vdot")


def inner(a: Node, b: Node) -> Node:
    """Return the product over the last axes."""
    return contracted(a, b, [(a.rank - 1, b.rank - 1)], "inner") if a.rank and b.rank else times(a, b)


def outer(a: Node, b: Node) -> Node:
    """Return all products of an entry of a and one of b."""
    return contracted(reshaped(a, -1), reshaped(b, -1), [], "outer")


def times_transposed(a: Node, b: Node) -> Node:
    """Return the product with a transpose, where vectors are columns."""
    if a.rank == b.rank == 1:
        return outer(a, b)
    turned = algebra.permute(b, range(b.rank)[::-1])
    return matmul(a, turned) if a.rank and b.rank else times(a, turned)


def tensordot(a: Node, b: Node, axes: Any) -> Node:
    """Return the product over the last axes of a and the first of b, or over given ones."""
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.rank, b.rank):
            message = f"`tensordot` over {axes} axes needs as many in {describe(a.shape)} and {describe(b.shape)}"
            raise RankError(message, needed=axes)
        return contracted(a, b, [(a.rank - axes + axis, axis) for axis in range(axes)], "tensordot")
    if not isinstance(axes, tuple) or len(axes) != 2:
        raise ExpressionError(f"the axes of `tensordot` are a whole number or two lists, not {shown(axes)}")
    first, second = (several(item) for item in axes)
    if len(first) != len(second):
        raise ShapeError("`tensordot` needs as many axes of one as of the other", sizes=(len(first), len(second)))
    pairs = zip(normalize_each(first, a.rank), normalize_each(second, b.rank), strict=True)
    return contracted(a, b, list(pairs), "tensordot")


def kron(a: Node, b: Node) -> Node:
    """Return the Kronecker product."""
    rank = max(a.rank, b.rank)
    a, b = (reshaped(node, (*(1,) * (rank - node.rank), *node.shape)) for node in (a, b))
    mixed = tuple(axis for pair in zip(range(rank), range(rank, 2 * rank), strict=True) for axis in pair)
    tensor = algebra.permute(contracted(a, b, [], "kron"), mixed)
    return reshaped(tensor, tuple(left * right for left, right in zip(a.shape, b.shape, strict=True)))


def multi_dot(*matrices: Node) -> Node:
    """Return the product of several matrices."""
    if not matrices:
        raise ExpressionError("there is nothing to multiply")
    return reduce(matmul, matrices)


def vecdot(a: Node, b: Node, axis: int) -> Node:
    """Return inner products along an axis."""
    return call("sum", times(a, b), axis=axis)


# --- einsum ----------------------------------------------------------------------------------------------------------


def einsum(*operands: Node, subscripts: str) -> Node:
    """Return the einsum; `...` stands for further axes, which broadcast."""
    inputs, arrow, output = str(subscripts).replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ExpressionError(f"`{subscripts}` speaks of {len(terms)} operands, and there are {len(operands)}")
    letters = "".join(terms).replace("...", "")
    if not all(letter.isalpha() for letter in letters):
        raise ExpressionError(f"`{subscripts}` may hold letters, commas, `...` and `->` only")
    if not arrow:
        implicit = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
        output = ("..." if "..." in inputs else "") + implicit
    axes = [_letter_sizes(term, node, place) for place, (term, node) in enumerate(zip(terms, operands, strict=True))]
    lead = broadcast_shapes(*(rest for _, rest in axes))
    sizes = _agreed_sizes([own for own, _ in axes])
    names = {letter: len(lead) + place for place, letter in enumerate(sizes)}
    _check_output(output, sizes, bool(lead))
    factors: list[Factor] = [
        (node, _labels_of(term, node, names, lead)) for term, node in zip(terms, operands, strict=True)
    ]
    carried = {label for _, labels in factors for label in labels}
    factors += [(Delta.of(size, 1), (axis,)) for axis, size in enumerate(lead) if axis not in carried]
    before, dots, after = output.partition("...")
    middle = tuple(range(len(lead))) if dots else ()
    return product(1, factors, (*(names[x] for x in before), *middle, *(names[x] for x in after)))


def _letter_sizes(term: str, node: Node, place: int) -> tuple[list[tuple[str, int]], tuple[int, ...]]:
    """Return the size of each letter of one operand, and the shape under its `...`."""
    before, dots, after = term.partition("...")
    named = len(before) + len(after)
    if node.rank < named or (node.rank > named and not dots):
        message = f"`{term}` names {named} axes, and the operand is {describe(node.shape)}"
        raise RankError(message, needed=named, position=place)
    behind = node.rank - len(after)
    own = [*zip(before, node.shape, strict=False), *zip(after, node.shape[behind:], strict=True)]
    return own, node.shape[len(before) : behind]


def _agreed_sizes(axes: list[list[tuple[str, int]]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for letter, size in chain.from_iterable(axes):
        known = sizes.setdefault(letter, size)
        if known != size:
            message = f"`{letter}` has size {known} in one place and {size} in another"
            raise ShapeError(message, sizes=(known, size))
    return sizes


def _check_output(output: str, sizes: dict[str, int], dots: bool) -> None:
    for letter in output.replace("...", ""):
        if letter not in sizes:
            raise ExpressionError(f"`{letter}` is in the output of the einsum and in no operand")
        if output.count(letter) > 1:
            raise ExpressionError(f"`{letter}` is twice in the output of the einsum")
    if dots and "..." not in output:
        raise ExpressionError("the axes under `...` are missing in the output of the einsum")


def _labels_of(term: str, node: Node, names: dict[str, int], lead: tuple[int, ...]) -> tuple[int, ...]:
    before, _, after = term.partition("...")
    under = node.shape[len(before) : node.rank - len(after)]
    middle = aligned(under, lead)
    return (*(names[letter] for letter in before), *middle, *(names[letter] for letter in after))
