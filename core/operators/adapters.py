"""What libraries do and matgrad's own functions do not: the right sides of readings, which no text may call.

`torch.linalg.solve(S, B)` takes B for one vector a matrix where it has such a shape: it becomes `solve_of_batch(S, B)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, cast

from ..elaboration.elaborate import call, construct
from ..elaboration.entries import Unavailable
from ..elaboration.infix import divide, times
from ..errors import ExpressionError, RankError
from ..graph import algebra, catalogue
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import broadcast_shapes, normalize_axis, require_rank
from .axes import axes_of, normalize_each, reshaped, several, summed

Result = Node | Unavailable


def _reshaped_by_columns(x: Node, shape: Any) -> Node:
    entries = reshaped(algebra.permute(x, axes_of(x)[::-1]), several(shape)[::-1])
    return algebra.permute(entries, axes_of(entries)[::-1])


def _flattened_between(x: Node, start: int, end: int) -> Node:
    first, last = normalize_axis(start, x.rank), normalize_axis(end, x.rank)
    merged = prod(x.shape[first : last + 1])
    return reshaped(x, (*x.shape[:first], merged, *x.shape[last + 1 :])) if first < last else x


def _permuted(x: Node, axes: Any) -> Node:
    order = tuple(normalize_each(axes, x.rank))
    if sorted(order) != list(axes_of(x)):
        message = f"`permute_axes` needs each of the {x.rank} axes once, not {order}"
        raise RankError(message, needed=len(order))
    return algebra.permute(x, order)


def _of_rank(x: Node, name: str, rank: int) -> Node:
    require_rank(x.shape, rank, name)
    return x


def _weighted(x: Node, weights: Node, axis: Any, keepdims: bool) -> Node:
    """Return NumPy's weighted average: one weight an entry, or one weight a place along the axis."""
    if weights.shape != x.shape:
        if not isinstance(axis, int) or weights.rank != 1:
            raise ExpressionError("weights have the shape of the array, or are a vector along one given axis")
        place = normalize_axis(axis, x.rank)
        weights = reshaped(weights, tuple(-1 if other == place else 1 for other in range(x.rank)))
    total = summed(algebra.broadcast(weights, broadcast_shapes(weights.shape, x.shape)), axis, keepdims)
    return divide(summed(times(x, weights), axis, keepdims), total)


def _of_usual_axis(x: Node, name: str) -> Node:
    """Return the softmax of torch.nn.functional without an axis, which depends on how many there are."""
    return call(name, x, axis=0 if x.rank in (0, 1, 3) else 1)


def _solve_of_batch(A: Node, b: Node) -> Node:
    return call("solve_vector" if b.rank > 1 and b.shape == A.shape[:-1] else "solve", A, b)


def _full_svd(X: Node) -> tuple[Result, Result, Result]:
    """Return the decomposition with square factors; where they are larger, their further vectors are any basis."""
    require_rank(X.shape[-2:], 2, "svd")
    left, values, right = construct(cast("Operator", catalogue.find("svd")), [X], {})
    rows, columns = X.shape[-2:]
    undetermined = Unavailable("X does not determine the further columns of U, or rows of Vh",
                               "`svd(X)` leaves them out")
    return left if rows <= columns else undetermined, values, right if columns <= rows else undetermined


def adapter(
    name: str, parameters: str, doc: str, build: Callable[..., Any], *samples: str, error: str, **fields: Any
) -> Operator:
    """Return the right side of a reading."""
    return Operator(
        name, parameters, doc, family="adapters", build=build, samples=samples, errors=(error,), hidden=True,
        spellings=NOWHERE, **fields,
    )


ENTRIES = (
    adapter("reshape_by_columns", "x; shape", "As reshape, with the entries taken and put column by column.",
            _reshaped_by_columns, "reshape_by_columns(X, (4, 3))", error="reshape_by_columns(x, 3)"),
    adapter("flatten_between", "x; start, end", "The axes from one to another as one.", _flattened_between,
            "flatten_between(T, 1, -1)", error="flatten_between(x, 1, 2)"),
    adapter("permute_axes", "x; axes", "With the axes in a given order, which may be the one they have.", _permuted,
            "permute_axes(T, (2, 0, 1))", "permute_axes(X, (0, 1))", error="permute_axes(X, (0, 0))"),
    adapter("only_matrix", "x", "The operand, which must be a matrix.", partial(_of_rank, name="only_matrix", rank=2),
            "only_matrix(X)", error="only_matrix(x)"),
    adapter("only_vector", "x", "The operand, which must be a vector.", partial(_of_rank, name="only_vector", rank=1),
            "only_vector(x)", error="only_vector(X)"),
    adapter("weighted_average", "x, weights; axis=None, keepdims=False", "Average over axes with weights.", _weighted,
            "weighted_average(X, W)", "weighted_average(X, x, axis=1)", error="weighted_average(X, v)",
            domain=("real", "positive")),
    *(adapter(f"{name}_of_usual_axis", "x", f"The {name} over axis 1 of two, four and more axes, else over 0.",
              partial(_of_usual_axis, name=name), f"{name}_of_usual_axis(X)", f"{name}_of_usual_axis(T)",
              error=f"{name}_of_usual_axis()")
      for name in ("softmax", "log_softmax")),
    adapter("solve_of_batch", "A, b", "Solution x of A @ x = b; b may be one vector for each matrix.", _solve_of_batch,
            "solve_of_batch(A, X)", error="solve_of_batch(A, x)",
            domain=("invertible", "real")),
    adapter("full_svd", "X", "The decomposition with square U and Vh, as far as X determines them.", _full_svd,
            "full_svd(X)[1]", "abs(full_svd(A)[0])", error="full_svd(x)"),
    # It has no value, so nothing of it can be tested by the table.
    Operator("unavailable", "; message, help", "What a library returns and matgrad cannot.", family="derivatives",
             build=Unavailable, hidden=True, spellings=NOWHERE),
)
