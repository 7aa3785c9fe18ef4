"""Linear operators on axes: each is a Product with structural operands, so none needs a rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..graph.nodes import Delta, Node
from ..graph.operator import NOWHERE, Operator
from . import axes, diagonals


def linear(name: str, parameters: str, doc: str, build: Callable[..., Node], **fields: Any) -> Operator:
    """Return an operator on axes, given as the function that builds its Product."""
    return Operator(name, parameters, doc, family="axes", build=build, **({"errors": (f"{name}()",)} | fields))


ENTRIES = (
    # --- reshaping
    linear("reshape", "x; shape", "The same entries, row by row, under another shape; -1 stands for what is left.",
           axes.reshaped, aliases=("view",),
           samples=("reshape(X, (4, 3))", "reshape(x, (2, 2))", "reshape(X, -1)", "reshape(T, (3, 2, 4))",
                    "reshape(T, (1, 6, 1, 4))", "reshape(a, 1)", "x.reshape(2, -1)", "reshape(C, (3, 4))"),
           errors=("reshape(x, 3)", "reshape(x)", "reshape(X, (-1, 5))")),
    linear("ravel", "x", "All entries as one vector, row by row.", lambda x: axes.reshaped(x, -1), aliases=("flatten",),
           samples=("ravel(X)", "ravel(T)", "ravel(a)")),
    linear("vec", "X", "All entries as one vector, column by column.", axes.vec, source="Magnus & Neudecker",
           samples=("vec(X)", "vec(A)", "vec(x)"),
           spellings={"numpy": "np.ravel(#1.T)", "torch": "torch.ravel(#1.T)"}),
    linear("squeeze", "x; axis=None", "Without the axes of size one.", axes.squeezed, errors=("squeeze(X, 0)",),
           samples=("squeeze(sum(X, axis=0, keepdims=True))", "squeeze(expand_dims(X, (0, 2)), axis=2)")),
    linear("expand_dims", "x; axis", "With a new axis of size one.", axes.expanded, aliases=("unsqueeze",),
           samples=("expand_dims(X, 0)", "expand_dims(x, -1)", "expand_dims(a, 0)"), errors=("expand_dims(x, 5)",),
           spellings={"torch": None}),
    linear("broadcast_to", "x; shape", "Repeated to a shape by NumPy's rules.", axes.broadcast_to, aliases=("expand",),
           samples=("broadcast_to(x, (3, 4))", "broadcast_to(a, 2)"),
           errors=("broadcast_to(x, (4, 3))", "broadcast_to(X, 4)")),

    # --- the order of axes and entries
    linear("transpose", "x; axes=None", "With the axes reversed, or in a given order.", axes.transposed,
           aliases=("permute", "permute_dims", "t"),
           samples=("transpose(X)", "transpose(x)", "transpose(T, (2, 0, 1))", "T.permute(1, 2, 0)"),
           errors=("transpose(X, (0, 1))", "transpose(T, (0, 1, 1))", "transpose(x, (0, 1))"),
           spellings={"torch": None}),
    linear("matrix_transpose", "X", "With the last two axes swapped.", lambda X: axes.swapped(X, -1, -2),
           aliases=("adjoint",),
           samples=("matrix_transpose(X)", "matrix_transpose(T)"), errors=("matrix_transpose(x)",),
           spellings={"torch": "#1.mT"}),
    linear("swapaxes", "x; axis1, axis2", "With two axes swapped.", axes.swapped, aliases=("swapdims",),
           samples=("swapaxes(X, 0, 1)", "swapaxes(T, -1, 0)"), errors=("swapaxes(x, 0, 1)", "swapaxes(X, 0)")),
    linear("moveaxis", "x; source, destination", "With axes moved to other places.", axes.moved, aliases=("movedim",),
           samples=("moveaxis(T, 0, -1)", "moveaxis(T, (0, 1), (2, 0))"),
           errors=("moveaxis(x, 0, 1)", "moveaxis(T, (0, 1), 0)")),
    linear("flip", "x; axis=None", "With the entries in reverse order.", axes.flipped, aliases=("reverse",),
           samples=("flip(x)", "flip(X)", "flip(X, axis=1)"), errors=("flip(x, 1)",), spellings={"torch": None}),
    linear("roll", "x; shift, axis=None", "With the entries moved on, the last coming first.", axes.rolled,
           samples=("roll(x, 1)", "roll(X, -2)", "roll(X, 2, axis=1)", "roll(x, 9)", "roll(T, -7, 1)", "roll(x, 4)"),
           errors=("roll(x)", "roll(x, 1, axis=1)"), spellings={"torch": "torch.roll(#1, #2, #3)"}),

    # --- joining and repeating
    linear("concatenate", "[parts]; axis=0", "Arrays joined along an axis.", axes.concatenated,
           aliases=("cat", "concat"),
           samples=("concatenate([x, u])", "concatenate([X, A], axis=1)", "cat([T, T], dim=-1)",
                    "concatenate([X, x], axis=None)"),
           errors=("concatenate([X, A])", "concatenate([X, x])", "concatenate(x, u)"), spellings={"torch": None}),
    linear("stack", "[parts]; axis=0", "Arrays of one shape, along a new axis.", axes.stacked,
           samples=("stack([x, u])", "stack([x, u], axis=1)", "stack([X, X, X], axis=-1)", "stack([a, b])"),
           errors=("stack([x, X])", "stack([x, v])")),
    linear("hstack", "[parts]", "Arrays side by side.", axes.side_by_side, errors=("hstack([X, x])",),
           samples=("hstack([x, u])", "hstack([X, A])", "hstack([a, b])")),
    linear("vstack", "[parts]", "Arrays below one another; vectors become rows.", axes.below_one_another,
           samples=("vstack([x, u])", "vstack([X, x])"), errors=("vstack([X, A])",)),
    linear("tile", "x; reps", "Copies of the whole array side by side.", axes.tiled,
           spellings={"torch": "#1.tile(#2)"},
           samples=("tile(x, 2)", "tile(x, (2, 3))", "tile(X, (2, 1))", "tile(X, 2)",
                    "tile(T, (2, 1, 3))", "tile(a, 3)", "tile(x, 0)"),
           errors=("tile(x)", "tile(x, -1)")),
    linear("repeat", "x; repetitions, axis=None", "Each entry several times in a row.", axes.repeated,
           aliases=("repeat_interleave",), spellings={"torch": "torch.repeat_interleave(#1, #2, #3)"},
           samples=("repeat(x, 2)", "repeat(X, 3, axis=1)", "repeat(X, 2)", "repeat(T, 2, 0)", "repeat(a, 2)"),
           errors=("repeat(x)", "repeat(x, 2, axis=1)")),

    # --- diagonals and triangles
    linear("diag", "x; k=0", "The diagonal of a matrix, or the matrix with a vector on its diagonal.", diagonals.diag,
           samples=("diag(x)", "diag(A)", "diag(X)", "diag(x, 1)", "diag(x, -2)", "diag(X, 1)", "diag(A, k=-1)"),
           errors=("diag(T)", "diag(a)")),
    linear("diagonal", "x; offset=0, axis1=0, axis2=1", "The diagonal of two axes, as the last axis.",
           diagonals.diagonal, errors=("diagonal(x)",),
           samples=("diagonal(A)", "diagonal(X, 2)", "diagonal(T, offset=-1, axis1=1, axis2=2)"),
           spellings={"latex": r"\operatorname{diag}\left(#*\right)"}),
    linear("diagflat", "x; k=0", "The matrix with all entries on its diagonal.",
           lambda x, k: diagonals.diag(axes.reshaped(x, -1), k), aliases=("diag_embed",),
           samples=("diagflat(x)", "diagflat(x, 1)")),
    linear("trace", "X; offset=0", "Sum of the diagonal.", aliases=("tr",),
           build=lambda X, offset: axes.summed(diagonals.diagonal(X, offset), -1),
           samples=("trace(A)", "trace(X)", "trace(A, 1)", "trace(S)"), errors=("trace(x)", "trace(a)"),
           spellings={"latex": r"\operatorname{tr}\left(#1\right)",
                      "torch": "torch.sum(torch.diagonal(#1, #2), -1)"}),
    linear("tril", "X; k=0", "The lower triangle, up to the k-th diagonal.",
           partial(diagonals.triangle, lower=True), errors=("tril(x)",),
           samples=("tril(A)", "tril(X, 1)", "tril(S, -1)")),
    linear("triu", "X; k=0", "The upper triangle, from the k-th diagonal on.",
           partial(diagonals.triangle, lower=False), errors=("triu(x)",),
           samples=("triu(A)", "triu(X, 1)", "triu(S, -1)")),
    linear("cumsum", "x; axis=None", "Running sums.", diagonals.cumsum,
           samples=("cumsum(x)", "cumsum(X)", "cumsum(X, axis=0)", "cumsum(T, 1)"), errors=("cumsum(x, 1)",)),
    linear("identity_like", "X", "The identity matrix of the size of the last axis.", hidden=True,
           build=lambda X: Delta.of(X.shape[-1], 2), samples=("identity_like(X)",), spellings=NOWHERE),
    linear("lower_half", "X", "The lower triangle of ones with 1/2 on the diagonal, in the shape of X.",
           diagonals.lower_half, samples=("lower_half(A)",), hidden=True, spellings=NOWHERE),
)
