"""Products of arrays: matrix products in their NumPy meanings, einsum, Kronecker and outer products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..elaboration.elaborate import call
from ..elaboration.infix import aligned, matmul, times
from ..errors import ExpressionError, RankError, ShapeError
from ..graph import algebra
from ..graph.algebra import Factor, fresh, product
from ..graph.catalogue import enter
from ..graph.nodes import Delta, Node
from ..graph.operator import Operator
from ..shapes import broadcast_shapes, describe, normalize_axis
from .linear import reshaped


def contraction(
    name: str, parameters: str, doc: str, build: Callable[..., Node], reference: Callable[..., Any], **fields: Any
) -> None:
    """Enter a product, given as the function that builds it."""
    enter(Operator(name, parameters, doc, family="products", build=build, reference=reference, **fields))


def _contracted(a: Node, b: Node, pairs: list[tuple[int, int]], name: str) -> Node:
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


def _dot(a: Node, b: Node) -> Node:
    if not a.rank or not b.rank:
        return times(a, b)
    return _contracted(a, b, [(a.rank - 1, max(0, b.rank - 2))], "dot")


def _vdot(a: Node, b: Node) -> Node:
    return _contracted(reshaped(a, -1), reshaped(b, -1), [(0, 0)], "vdot")


def _inner(a: Node, b: Node) -> Node:
    return _contracted(a, b, [(a.rank - 1, b.rank - 1)], "inner") if a.rank and b.rank else times(a, b)


def _outer(a: Node, b: Node) -> Node:
    return _contracted(reshaped(a, -1), reshaped(b, -1), [], "outer")


def _tensordot(a: Node, b: Node, axes: Any) -> Node:
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.rank, b.rank):
            message = f"`tensordot` over {axes} axes needs as many in {describe(a.shape)} and {describe(b.shape)}"
            raise RankError(message, needed=axes)
        return _contracted(a, b, [(a.rank - axes + axis, axis) for axis in range(axes)], "tensordot")
    first, second = (item if isinstance(item, tuple | list) else (item,) for item in axes)
    if len(first) != len(second):
        raise ShapeError("`tensordot` needs as many axes of one as of the other", sizes=(len(first), len(second)))
    pairs = [
        (normalize_axis(left, a.rank), normalize_axis(right, b.rank))
        for left, right in zip(first, second, strict=True)
    ]
    return _contracted(a, b, pairs, "tensordot")


def _kron(a: Node, b: Node) -> Node:
    rank = max(a.rank, b.rank)
    a, b = (reshaped(node, (*(1,) * (rank - node.rank), *node.shape)) for node in (a, b))
    mixed = tuple(axis for pair in zip(range(rank), range(rank, 2 * rank), strict=True) for axis in pair)
    tensor = algebra.permute(_contracted(a, b, [], "kron"), mixed)
    return reshaped(tensor, tuple(left * right for left, right in zip(a.shape, b.shape, strict=True)))


def _multi_dot(*matrices: Node) -> Node:
    if not matrices:
        raise ExpressionError("there is nothing to multiply")
    result = matrices[0]
    for matrix in matrices[1:]:
        result = matmul(result, matrix)
    return result


def _vecdot(a: Node, b: Node, axis: int) -> Node:
    result = call("sum", times(a, b), axis=axis)
    assert isinstance(result, Node)
    return result


contraction("matmul", "a, b", "Matrix product, `@`.", matmul, np.matmul, aliases=("mm", "mv", "bmm"),
            samples=("matmul(A, X)", "matmul(X, x)", "matmul(v, X)", "matmul(x, u)", "matmul(S, A)", "matmul(S, T)"),
            errors=("matmul(X, X)", "matmul(a, X)", "matmul(X)"))
contraction("dot", "a, b", "Product over the last axis of a and the last but one of b; of numbers, the plain product.",
            _dot, np.dot, samples=("dot(x, u)", "dot(A, X)", "dot(X, x)", "dot(a, X)", "dot(S, X)", "dot(v, T)"),
            errors=("dot(x, v)", "dot(X, A)"))
contraction("vdot", "a, b", "Sum of the products of all entries.", _vdot, np.vdot,
            samples=("vdot(x, u)", "vdot(X, W)"), errors=("vdot(x, v)",))
contraction("inner", "a, b", "Product over the last axes.", _inner, np.inner,
            samples=("inner(x, u)", "inner(X, W)", "inner(X, x)", "inner(a, x)"), errors=("inner(X, A)",))
contraction("outer", "a, b", "All products of an entry of a and an entry of b.", _outer, np.outer, aliases=("ger",),
            samples=("outer(x, v)", "outer(X, v)", "outer(a, v)"), errors=("outer(x)",))
contraction("vecdot", "a, b; axis=-1", "Inner products along an axis.", _vecdot,
            lambda a, b, axis=-1: (a * b).sum(axis), samples=("vecdot(X, W)", "vecdot(X, W, axis=0)", "vecdot(X, x)"),
            errors=("vecdot(X, A)",))
contraction("tensordot", "a, b; axes=2", "Product over the last axes of a and the first of b, or over given ones.",
            _tensordot, np.tensordot,
            samples=("tensordot(X, W)", "tensordot(A, X, 1)", "tensordot(x, v, axes=0)",
                     "tensordot(T, X, axes=([1, 2], [0, 1]))", "tensordot(A, X, axes=(0, 0))"),
            errors=("tensordot(X, A)", "tensordot(x, u, 2)", "tensordot(T, X, ([1, 2], [0]))"))
contraction("kron", "a, b", "Kronecker product.", _kron, np.kron,
            samples=("kron(A, X)", "kron(x, v)", "kron(X, x)", "kron(x, X)", "kron(a, X)", "kron(T, X)"),
            errors=("kron(A)",),
            spellings={"latex": r"#1 \otimes #2"})
contraction("multi_dot", "[matrices]", "Product of several matrices.", _multi_dot,
            lambda matrices: np.linalg.multi_dot(matrices), aliases=("chain_matmul",),
            samples=("multi_dot([A, X, x])", "multi_dot([A, B])"), errors=("multi_dot([X, X])", "multi_dot([])"),
            spellings={"numpy": "np.linalg.multi_dot(#*)", "torch": "torch.linalg.multi_dot(#*)"})


# --- einsum ----------------------------------------------------------------------------------------------------------


def _einsum(*operands: Node, subscripts: str) -> Node:
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
    for own in axes:
        for letter, size in own:
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
    _, middle = aligned(algebra.full(1, under), lead)
    return (*(names[letter] for letter in before), *middle, *(names[letter] for letter in after))


contraction("einsum", "*operands; subscripts", "Sum of products over named axes, in Einstein's notation.", _einsum,
            np.einsum,
            samples=("einsum('ij,jk->ik', A, X)", "einsum('ij,ij', X, W)", "einsum('ii', A)", "einsum('ii->i', A)",
                     "einsum('ij->ji', X)", "einsum('...ij,...jk->...ik', S, A)", "einsum('i,j,k->kij', x, v, x)",
                     "einsum('b...,b->...', X, v)", "einsum('ba', X)", "einsum('...i,...i', X, x)"),
            errors=("einsum('ij,jk->ik', X, X)", "einsum('ij->ik', X)", "einsum('ij', x)", "einsum('ij->ii', X)",
                    "einsum('i,i', x)"))
