"""Linear operators on axes: each is a Product with structural operands, so none needs a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from ..errors import ExpressionError, RankError, ShapeError
from ..graph import algebra
from ..graph.algebra import Factor, fresh, product
from ..graph.catalogue import enter
from ..graph.nodes import Delta, Labels, Node, Reshape, Select, Triangle
from ..graph.operator import Operator
from ..shapes import (
    Shape,
    broadcast_shapes,
    describe,
    normalize_axes,
    normalize_axis,
    require_rank,
    require_square,
    show,
)
from .constants import checked_shape


def linear(
    name: str, parameters: str, doc: str, build: Callable[..., Node], reference: Callable[..., Any], **fields: Any
) -> None:
    """Enter an operator on axes, given as the function that builds its Product."""
    fields.setdefault("errors", (f"{name}()",))
    enter(Operator(name, parameters, doc, family="axes", build=build, reference=reference, **fields))


def axes_of(x: Node) -> Labels:
    """Return the labels 0, 1, ... of the axes of a node."""
    return tuple(range(x.rank))


def selected(x: Node, axis: int, rows: range | Sequence[int]) -> Node:
    """Return the entries `rows` along one axis."""
    (row,) = fresh(1)
    labels = axes_of(x)
    output = (*labels[:axis], row, *labels[axis + 1 :])
    chosen = rows if isinstance(rows, range) else tuple(rows)
    return product(1, [(x, labels), (Select.of(chosen, x.shape[axis]), (row, axis))], output)


def summed(x: Node, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Node:
    """Return the sum over some axes, or over all."""
    axes = normalize_axes(axis, x.rank)
    if not keepdims:
        return product(1, [(x, axes_of(x))], tuple(label for label in axes_of(x) if label not in axes))
    ones = dict(zip(axes, fresh(len(axes)), strict=True))
    factors = [(x, axes_of(x)), *((Delta.of(1, 1), (label,)) for label in ones.values())]
    return product(1, factors, tuple(ones.get(label, label) for label in axes_of(x)))


# --- reshaping -------------------------------------------------------------------------------------------------------


def reshaped(x: Node, shape: Any) -> Node:
    """Return the entries in row-major order under another shape; one size may be -1.

    Axes that stay as they are keep their labels: only those that merge or split pass a Reshape.
    """
    target = _completed(x.shape, shape)
    if prod(target) == 0:
        return algebra.zero(target)
    output = fresh(len(target))
    factors: list[Factor] = [
        (Delta.of(1, 1), (label,)) for label, size in zip(output, target, strict=True) if size == 1
    ]
    old = [(label, size) for label, size in enumerate(x.shape) if size != 1]
    new = [(label, size) for label, size in zip(output, target, strict=True) if size != 1]
    renamed = {label: label for label in axes_of(x)}
    for before, after in _matching_groups(old, new):
        if len(before) == len(after) == 1:
            renamed[before[0][0]] = after[0][0]
            continue
        merged = before[0][0] if len(before) == 1 else after[0][0] if len(after) == 1 else fresh(1)[0]
        for group in (before, after):
            if len(group) > 1:
                sizes = tuple(size for _, size in group)
                factors.append((Reshape.of(sizes), (merged, *(label for label, _ in group))))
    return product(1, [(x, tuple(renamed[label] for label in axes_of(x))), *factors], output)


def _completed(old: Shape, shape: Any) -> Shape:
    sizes = list(shape) if isinstance(shape, tuple | list) else [shape]
    if sizes.count(-1) == 1:
        known = prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = prod(old) // known if known else 0
    target = checked_shape(sizes)
    if prod(target) != prod(old):
        wanted = tuple(shape) if isinstance(shape, tuple | list) else shape
        message = f"{describe(old)} has {prod(old)} entries: it cannot take the shape {wanted}"
        raise ShapeError(message, sizes=(prod(old), prod(target)))
    return target


Axis = tuple[int, int]


def _matching_groups(old: list[Axis], new: list[Axis]) -> list[tuple[list[Axis], list[Axis]]]:
    """Split two lists of (label, size) into the shortest runs of equal product: what merges or splits with what."""
    groups = []
    old, new = old[::-1], new[::-1]
    while old:
        before, after = [old.pop()], [new.pop()]
        while (left := prod(size for _, size in before)) != (right := prod(size for _, size in after)):
            if left < right:
                before.append(old.pop())
            else:
                after.append(new.pop())
        groups.append((before, after))
    return groups


def _squeeze(x: Node, axis: Any) -> Node:
    axes = [place for place, size in enumerate(x.shape) if size == 1] if axis is None else normalize_axes(axis, x.rank)
    for place in axes:
        if x.shape[place] != 1:
            raise ShapeError(f"axis {place} has {x.shape[place]} entries, and only an axis of one can go",
                             sizes=(x.shape[place], 1))
    return product(1, [(x, axes_of(x))], tuple(label for label in axes_of(x) if label not in axes))


def _expand_dims(x: Node, axis: Any) -> Node:
    count = len(axis) if isinstance(axis, tuple) else 1
    axes = normalize_axes(axis, x.rank + count)
    remaining = iter(x.shape)
    return reshaped(x, tuple(1 if place in axes else next(remaining) for place in range(x.rank + count)))


def _broadcast_to(x: Node, shape: Any) -> Node:
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    kept = (*(1,) * (len(sizes) - x.rank), *x.shape)
    target = checked_shape(tuple(own if size == -1 else size for own, size in zip(kept, sizes, strict=False)))
    if len(sizes) < x.rank or broadcast_shapes(x.shape, target) != target:
        raise ShapeError(f"{describe(x.shape)} does not repeat to {show(target)}", sizes=None)
    return algebra.broadcast(x, target)


def _vec(X: Node) -> Node:
    return reshaped(algebra.permute(X, axes_of(X)[::-1]), -1)


linear("reshape", "x; shape", "The same entries, row by row, under another shape; -1 stands for what is left.",
       reshaped, np.reshape, aliases=("view",),
       samples=("reshape(X, (4, 3))", "reshape(x, (2, 2))", "reshape(X, -1)", "reshape(T, (3, 2, 4))",
                "reshape(T, (1, 6, 1, 4))", "reshape(a, 1)", "x.reshape(2, -1)", "reshape(C, (3, 4))"),
       errors=("reshape(x, 3)", "reshape(x)", "reshape(X, (-1, 5))"))
linear("ravel", "x", "All entries as one vector, row by row.", lambda x: reshaped(x, -1), np.ravel,
       aliases=("flatten",), samples=("ravel(X)", "ravel(T)", "ravel(a)"))
linear("vec", "X", "All entries as one vector, column by column.", _vec, lambda X: np.ravel(X, order="F"),
       samples=("vec(X)", "vec(A)", "vec(x)"), source="Magnus & Neudecker",
       spellings={"numpy": "np.ravel(#1.T)", "torch": "torch.ravel(#1.T)"})
linear("squeeze", "x; axis=None", "Without the axes of size one.", _squeeze, np.squeeze,
       samples=("squeeze(sum(X, axis=0, keepdims=True))", "squeeze(expand_dims(X, (0, 2)), axis=2)"),
       errors=("squeeze(X, 0)",))
linear("expand_dims", "x; axis", "With a new axis of size one.", _expand_dims, np.expand_dims, aliases=("unsqueeze",),
       samples=("expand_dims(X, 0)", "expand_dims(x, -1)", "expand_dims(a, 0)"), errors=("expand_dims(x, 5)",))
linear("broadcast_to", "x; shape", "Repeated to a shape by NumPy's rules.", _broadcast_to, np.broadcast_to,
       aliases=("expand",), samples=("broadcast_to(x, (3, 4))", "broadcast_to(a, 2)"),
       errors=("broadcast_to(x, (4, 3))", "broadcast_to(X, 4)"))


# --- the order of axes -----------------------------------------------------------------------------------------------


def _transpose(x: Node, axes: Any) -> Node:
    if axes is None:
        return algebra.permute(x, axes_of(x)[::-1])
    order = tuple(normalize_axis(axis, x.rank) for axis in (axes if isinstance(axes, tuple | list) else (axes,)))
    if len(order) == 2 < x.rank:
        return _swapaxes(x, *order)
    if sorted(order) != list(axes_of(x)):
        raise RankError(f"`transpose` needs each of the {x.rank} axes once, not {order}", needed=len(order))
    if order == axes_of(x) and x.rank > 1:
        raise ExpressionError(f"NumPy reads `transpose` with {order} as no change, torch as a swap",
                              helps=["write `swapaxes(X, 0, 1)` or `X.T`"])
    return algebra.permute(x, order)


def _swapaxes(x: Node, axis1: int, axis2: int) -> Node:
    order = list(axes_of(x))
    first, second = normalize_axis(axis1, x.rank), normalize_axis(axis2, x.rank)
    order[first], order[second] = second, first
    return algebra.permute(x, order)


def _moveaxis(x: Node, source: Any, destination: Any) -> Node:
    starts, ends = (
        [normalize_axis(axis, x.rank) for axis in (item if isinstance(item, tuple | list) else (item,))]
        for item in (source, destination)
    )
    if len(starts) != len(ends):
        raise ShapeError("`moveaxis` needs as many targets as axes", sizes=(len(starts), len(ends)))
    order = [axis for axis in axes_of(x) if axis not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return algebra.permute(x, order)


def _flip(x: Node, axis: Any) -> Node:
    for place in normalize_axes(axis, x.rank):
        x = selected(x, place, range(x.shape[place] - 1, -1, -1))
    return x


def _roll(x: Node, shift: int, axis: int | None) -> Node:
    if axis is None:
        return reshaped(_roll(reshaped(x, -1), shift, 0), x.shape)
    place = normalize_axis(axis, x.rank)
    size = x.shape[place]
    return selected(x, place, [(row - shift) % size for row in range(size)])


linear("transpose", "x; axes=None", "With the axes reversed, or in a given order.", _transpose, np.transpose,
       aliases=("permute", "permute_dims", "t"),
       samples=("transpose(X)", "transpose(x)", "transpose(T, (2, 0, 1))", "T.permute(1, 2, 0)"),
       errors=("transpose(X, (0, 1))", "transpose(T, (0, 1, 1))", "transpose(x, (0, 1))"))
linear("matrix_transpose", "X", "With the last two axes swapped.", lambda X: _swapaxes(X, -1, -2),
       np.matrix_transpose, aliases=("adjoint",), samples=("matrix_transpose(X)", "matrix_transpose(T)"),
       errors=("matrix_transpose(x)",))
linear("swapaxes", "x; axis1, axis2", "With two axes swapped.", _swapaxes, np.swapaxes, aliases=("swapdims",),
       samples=("swapaxes(X, 0, 1)", "swapaxes(T, -1, 0)"), errors=("swapaxes(x, 0, 1)", "swapaxes(X, 0)"))
linear("moveaxis", "x; source, destination", "With axes moved to other places.", _moveaxis, np.moveaxis,
       aliases=("movedim",), samples=("moveaxis(T, 0, -1)", "moveaxis(T, (0, 1), (2, 0))"),
       errors=("moveaxis(x, 0, 1)", "moveaxis(T, (0, 1), 0)"))
linear("flip", "x; axis=None", "With the entries in reverse order.", _flip, np.flip, aliases=("reverse",),
       samples=("flip(x)", "flip(X)", "flip(X, axis=1)"), errors=("flip(x, 1)",))
linear("roll", "x; shift, axis=None", "With the entries moved on, the last coming first.", _roll, np.roll,
       samples=("roll(x, 1)", "roll(X, -2)", "roll(X, 2, axis=1)"), errors=("roll(x)", "roll(x, 1, axis=1)"))


# --- joining and repeating -------------------------------------------------------------------------------------------


def _concatenate(*parts: Node, axis: int | None = 0) -> Node:
    if not parts:
        raise ExpressionError("there is nothing to join")
    if axis is None:
        return _concatenate(*(reshaped(part, -1) for part in parts))
    first = parts[0]
    place = normalize_axis(axis, first.rank)
    total = 0
    for part in parts:
        require_rank(part.shape, first.rank, "concatenate")
        for other, (own, wanted) in enumerate(zip(part.shape, first.shape, strict=True)):
            if other != place and own != wanted:
                shapes = f"{show(first.shape)} and {show(part.shape)}"
                raise ShapeError(f"to join along axis {place}, other sizes must agree: {shapes}", sizes=(wanted, own))
        total += part.shape[place]
    (joined,) = fresh(1)
    output = (*axes_of(first)[:place], joined, *axes_of(first)[place + 1 :])
    shape = (*first.shape[:place], total, *first.shape[place + 1 :])
    terms, start = [], 0
    for part in parts:
        span = range(start, start + part.shape[place])
        terms.append((1, product(1, [(part, axes_of(part)), (Select.of(span, total), (place, joined))], output)))
        start = span.stop
    return algebra.add(terms, shape)


def _stack(*parts: Node, axis: int = 0) -> Node:
    for part in parts:
        if part.shape != parts[0].shape:
            require_rank(part.shape, parts[0].rank, "stack")
            differing = next(pair for pair in zip(parts[0].shape, part.shape, strict=True) if pair[0] != pair[1])
            message = f"to stack, shapes must agree: {show(parts[0].shape)} and {show(part.shape)}"
            raise ShapeError(message, sizes=differing)
    place = normalize_axis(axis, parts[0].rank + 1) if parts else 0
    return _concatenate(*(_expand_dims(part, place) for part in parts), axis=place)


def _tile(x: Node, reps: Any) -> Node:
    counts = checked_shape(reps)
    x = reshaped(x, (*(1,) * (len(counts) - x.rank), *x.shape))
    for axis, count in zip(range(x.rank - len(counts), x.rank), counts, strict=True):
        x = selected(x, axis, [*range(x.shape[axis])] * count)
    return x


def _repeat(x: Node, repetitions: int, axis: int | None) -> Node:
    if axis is None:
        return _repeat(reshaped(x, -1), repetitions, 0)
    (count,) = checked_shape(repetitions)
    place = normalize_axis(axis, x.rank)
    return selected(x, place, [row for row in range(x.shape[place]) for _ in range(count)])


linear("concatenate", "[parts]; axis=0", "Arrays joined along an axis.", _concatenate, np.concatenate,
       aliases=("cat", "concat"),
       samples=("concatenate([x, u])", "concatenate([X, A], axis=1)", "cat([T, T], dim=-1)",
                "concatenate([X, x], axis=None)"),
       errors=("concatenate([X, A])", "concatenate([X, x])", "concatenate(x, u)"))
linear("stack", "[parts]; axis=0", "Arrays of one shape, along a new axis.", _stack, np.stack,
       samples=("stack([x, u])", "stack([x, u], axis=1)", "stack([X, X, X], axis=-1)", "stack([a, b])"),
       errors=("stack([x, X])", "stack([x, v])"))
linear("hstack", "[parts]", "Arrays side by side.",
       lambda *parts: _concatenate(*(reshaped(x, 1) if not x.rank else x for x in parts),
                                   axis=1 if parts and parts[0].rank > 1 else 0),
       np.hstack, samples=("hstack([x, u])", "hstack([X, A])", "hstack([a, b])"), errors=("hstack([X, x])",))
linear("vstack", "[parts]", "Arrays below one another; vectors become rows.",
       lambda *parts: _concatenate(*(reshaped(x, (1, -1)) if x.rank < 2 else x for x in parts)),
       np.vstack, samples=("vstack([x, u])", "vstack([X, x])"), errors=("vstack([X, A])",))
linear("tile", "x; reps", "Copies of the whole array side by side.", _tile, np.tile,
       samples=("tile(x, 2)", "tile(x, (2, 3))", "tile(X, (2, 1))", "tile(X, 2)"), errors=("tile(x)", "tile(x, -1)"))
linear("repeat", "x; repetitions, axis=None", "Each entry several times in a row.", _repeat, np.repeat,
       aliases=("repeat_interleave",), samples=("repeat(x, 2)", "repeat(X, 3, axis=1)"),
       errors=("repeat(x)", "repeat(x, 2, axis=1)"))


# --- diagonals and triangles -----------------------------------------------------------------------------------------


def _diagonal(x: Node, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    if x.rank < 2:
        require_rank(x.shape, 2, "diagonal")
    rows, columns = normalize_axis(axis1, x.rank), normalize_axis(axis2, x.rank)
    first = max(0, -offset)
    length = max(0, min(x.shape[rows] - first, x.shape[columns] - max(0, offset)))
    (place,) = fresh(1)
    kept = tuple(label for label in axes_of(x) if label not in (rows, columns))
    selects = [
        (Select.of(range(start, start + length), x.shape[axis]), (place, axis))
        for axis, start in ((rows, first), (columns, max(0, offset)))
    ]
    labels = list(axes_of(x))
    if offset == 0 and x.shape[rows] == x.shape[columns]:
        labels[rows] = labels[columns] = place
        selects = []
    return product(1, [(x, tuple(labels)), *selects], (*kept, place))


def _diag(x: Node, k: int) -> Node:
    if x.rank == 2:
        return _diagonal(x, k)
    require_rank(x.shape, 1, "diag")
    if k == 0:
        return product(1, [(x, (0,)), (Delta.of(x.shape[0], 2), (0, 1))], (0, 1))
    size = x.shape[0] + abs(k)
    (place,) = fresh(1)
    selects = [
        (Select.of(range(start, start + x.shape[0]), size), (place, axis))
        for axis, start in ((0, max(0, -k)), (1, max(0, k)))
    ]
    return product(1, [(x, (place,)), *selects], (0, 1))


def _trace(X: Node, offset: int) -> Node:
    return summed(_diagonal(X, offset), -1)


def _triangle(x: Node, k: int, lower: bool) -> Node:
    if x.rank < 2:
        require_rank(x.shape, 2, "tril" if lower else "triu")
    rows, columns = x.rank - 2, x.rank - 1
    if lower:
        factor = (Triangle.of(x.shape[rows], x.shape[columns], k), (rows, columns))
    else:
        factor = (Triangle.of(x.shape[columns], x.shape[rows], -k), (columns, rows))
    return product(1, [(x, axes_of(x)), factor], axes_of(x))


def _cumsum(x: Node, axis: int | None) -> Node:
    if axis is None:
        return _cumsum(reshaped(x, -1), 0)
    place = normalize_axis(axis, x.rank)
    (row,) = fresh(1)
    output = (*axes_of(x)[:place], row, *axes_of(x)[place + 1 :])
    return product(1, [(x, axes_of(x)), (Triangle.of(x.shape[place], x.shape[place]), (row, place))], output)


def _lower_half(X: Node) -> Node:
    require_square(X.shape, "lower_half")
    return algebra.add([(1, Triangle.of(*X.shape)), (Fraction(-1, 2), Delta.of(X.shape[0], 2))], X.shape)


linear("diag", "x; k=0", "The diagonal of a matrix, or the matrix with a vector on its diagonal.", _diag, np.diag,
       samples=("diag(x)", "diag(A)", "diag(X)", "diag(x, 1)", "diag(x, -2)", "diag(X, 1)", "diag(A, k=-1)"),
       errors=("diag(T)", "diag(a)"))
linear("diagonal", "x; offset=0, axis1=0, axis2=1", "The diagonal of two axes, as the last axis.", _diagonal,
       np.diagonal, samples=("diagonal(A)", "diagonal(X, 2)", "diagonal(T, offset=-1, axis1=1, axis2=2)"),
       errors=("diagonal(x)",),
       spellings={"latex": r"\operatorname{diag}\left(#*\right)"})
linear("diagflat", "x; k=0", "The matrix with all entries on its diagonal.", lambda x, k: _diag(reshaped(x, -1), k),
       np.diagflat, aliases=("diag_embed",), samples=("diagflat(x)", "diagflat(x, 1)"))
linear("trace", "X; offset=0", "Sum of the diagonal.", _trace, np.trace, aliases=("tr",),
       samples=("trace(A)", "trace(X)", "trace(A, 1)", "trace(S)"), errors=("trace(x)", "trace(a)"),
       spellings={"latex": r"\operatorname{tr}\left(#1\right)"})
linear("tril", "X; k=0", "The lower triangle, up to the k-th diagonal.", lambda X, k: _triangle(X, k, True), np.tril,
       samples=("tril(A)", "tril(X, 1)", "tril(S, -1)"), errors=("tril(x)",))
linear("triu", "X; k=0", "The upper triangle, from the k-th diagonal on.", lambda X, k: _triangle(X, k, False), np.triu,
       samples=("triu(A)", "triu(X, 1)", "triu(S, -1)"), errors=("triu(x)",))
linear("cumsum", "x; axis=None", "Running sums.", _cumsum, np.cumsum,
       samples=("cumsum(x)", "cumsum(X)", "cumsum(X, axis=0)", "cumsum(T, 1)"), errors=("cumsum(x, 1)",))

linear("identity_like", "X", "The identity matrix of the size of the last axis.", lambda X: Delta.of(X.shape[-1], 2),
       lambda X: np.eye(X.shape[-1]), samples=("identity_like(X)",), hidden=True)
linear("lower_half", "X", "The lower triangle of ones with 1/2 on the diagonal, in the shape of X.", _lower_half,
       lambda X: np.tril(np.ones(X.shape)) - np.eye(len(X)) / 2, samples=("lower_half(A)",), hidden=True)
