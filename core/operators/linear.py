"""Linear operators on axes: each is a Product with structural operands, so none needs a rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...grammar import syntax
from ..graph.nodes import Delta, Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import require_rank
from . import axes, diagonals


def _identity_like(X: Node) -> Node:
    if not X.rank:
        require_rank(X.shape, 1, "identity_like")
    return Delta.of(X.shape[-1], 2)


def linear(name: str, parameters: str, doc: str, build: Callable[..., Node], **fields: Any) -> Operator:
    """Return an operator on axes, given as the function that builds its Product."""
    return Operator(name, parameters, doc, family="axes", build=build, **({"errors": (f"{name}()",)} | fields))


ENTRIES = (
    # --- reshaping
    linear("reshape", "x; shape", "The same entries, row by row, under another shape; -1 stands for what is left.",
           axes.reshaped, aliases=("view",),
           samples=("reshape(X, (4, 3))", "reshape(x, (2, 2))", "reshape(X, -1)", "reshape(T, (3, 2, 4))",
                    "reshape(T, (1, 6, 1, 4))", "reshape(a, 1)", "x.reshape(2, -1)", "reshape(C, (3, 4))"),
           libraries=(
               *(f"{name}, order: '{order}'{default}) -> {own}"
                 for name in ("np.reshape(a, shape", "np.ndarray.reshape(a, *shape", "reshape(a, shape, *")
                 for order, default, own in (("C", " = 'C'", "reshape(a, shape)"),
                                             ("F", "", "reshape_by_columns(a, shape)"))),
               "np.reshape(a, *, newshape) -> reshape(a, newshape)",
               *(f"torch.Tensor.{name}(input, *shape) -> reshape(input, shape)" for name in ("reshape", "view")),
               *(f"torch.Tensor.{name}_as(input, other) -> reshape(input, other.shape)"
                 for name in ("reshape", "view")),
               "jax.lax.collapse(operand, start_dimension, stop_dimension)"
               " -> flatten_between(operand, start_dimension, stop_dimension - 1)"),
           errors=("reshape(x, 3)", "reshape(x)", "reshape(X, (-1, 5))"), sought=("vec2mat",)),
    linear("ravel", "x", "All entries as one vector, row by row.", lambda x: axes.reshaped(x, -1), aliases=("flatten",),
           libraries=(
               *(f"{name}(a{by_name}, order: '{order}'{default}) -> {own}(a)"
                 for name, by_name in (("np.ravel", ""), ("np.ndarray.flatten", ""), ("ravel", ", *"))
                 for order, default, own in (("C", " = 'C'", "ravel"), ("F", "", "vec"))),
               "torch.flatten(input, start_dim=0, end_dim=-1) -> flatten_between(input, start_dim, end_dim)",
               "flatten(input, start_dim, end_dim=-1) -> flatten_between(input, start_dim, end_dim)"),
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
           errors=("broadcast_to(x, (4, 3))", "broadcast_to(X, 4)"),
           libraries=("torch.Tensor.expand(input, *sizes) -> broadcast_to(input, sizes)",
                      "torch.Tensor.expand_as(input, other) -> broadcast_to(input, other.shape)")),

    # --- the order of axes and entries
    linear("transpose", "x; axes=None", "With the axes reversed, or in a given order.", axes.transposed,
           aliases=("permute", "permute_dims", "t"),
           libraries=("torch.transpose(input, dim0, dim1) -> swapaxes(input, dim0, dim1)",
                      "torch.permute(input, dims) -> permute_axes(input, dims)",
                      "torch.Tensor.permute(input, *dims) -> permute_axes(input, dims)",
                      *(f"{name}, axes: None = None) -> transpose(a)"
                        for name in ("np.transpose(a", "np.permute_dims(a", "np.ndarray.transpose(a")),
                      *(f"{name}, axes) -> permute_axes(a, axes)" for name in ("np.transpose(a", "np.permute_dims(a")),
                      "np.ndarray.transpose(a, *axes) -> permute_axes(a, axes)",
                      "tf.transpose(a, perm: None = None) -> transpose(a)",
                      "tf.transpose(a, perm) -> permute_axes(a, perm)"),
           samples=("transpose(X)", "transpose(x)", "transpose(T, (2, 0, 1))", "T.permute(1, 2, 0)"),
           errors=("transpose(X, (0, 1))", "transpose(T, (0, 1, 1))", "transpose(x, (0, 1))"),
           spellings={"torch": None}),
    linear("matrix_transpose", "X", "With the last two axes swapped.", lambda X: axes.swapped(X, -1, -2),
           aliases=("adjoint",),
           samples=("matrix_transpose(X)", "matrix_transpose(T)"), errors=("matrix_transpose(x)",),
           spellings={"torch": "#1.mT"}),
    linear("swapaxes", "x; axis1, axis2", "With two axes swapped.", axes.swapped, aliases=("swapdims",),
           libraries=(
               *(f"torch.{name}(input, {word}0, {word}1) -> swapaxes(input, {word}0, {word}1)"
                 for name, word in (("swapaxes", "axis"), ("swapdims", "dim"))),
               *(f"{name}(x, *, dim0, dim1) -> swapaxes(x, dim0, dim1)"
                 for name in ("transpose", "swapaxes", "swapdims"))),
           samples=("swapaxes(X, 0, 1)", "swapaxes(T, -1, 0)"), errors=("swapaxes(x, 0, 1)", "swapaxes(X, 0)")),
    linear("rollaxis", "x; axis, start=0", "With one axis moved in front of another.", axes.axis_rolled,
           samples=("rollaxis(T, 2)", "rollaxis(T, 0, 3)", "rollaxis(T, -1, 1)", "rollaxis(X, 1)"),
           errors=("rollaxis(x, 1)", "rollaxis(T, 0, 4)"), spellings={"torch": None}),
    linear("moveaxis", "x; source, destination", "With axes moved to other places.", axes.moved, aliases=("movedim",),
           samples=("moveaxis(T, 0, -1)", "moveaxis(T, (0, 1), (2, 0))"),
           errors=("moveaxis(x, 0, 1)", "moveaxis(T, (0, 1), 0)")),
    linear("flip", "x; axis=None", "With the entries in reverse order.", axes.flipped, aliases=("reverse",),
           samples=("flip(x)", "flip(X)", "flip(X, axis=1)"), errors=("flip(x, 1)",), spellings={"torch": None},
           libraries=("torch.flip(input, dims) -> flip(input, axis=dims)",
                      "torch.Tensor.flip(input, dims) -> flip(input, axis=dims)",
                      "torch.Tensor.flip(input, *dims) -> flip(input, axis=dims)",
                      *(f"{library}.{name}({x}) -> flip({x}, axis={axis})"
                        for library, x in (("np", "m"), ("torch", "input"))
                        for name, axis in (("flipud", 0), ("fliplr", 1))),
                      "jax.lax.rev(operand, dimensions) -> flip(operand, axis=dimensions)",
                      "flip(x, *, dims) -> flip(x, axis=dims)", "tf.reverse(tensor, axis) -> flip(tensor, axis=axis)")),
    linear("roll", "x; shift, axis=None", "With the entries moved on, the last coming first.", axes.rolled,
           samples=("roll(x, 1)", "roll(X, -2)", "roll(X, 2, axis=1)", "roll(x, 9)", "roll(T, -7, 1)", "roll(x, 4)"),
           errors=("roll(x)", "roll(x, 1, axis=1)"),
           libraries=("torch.roll(input, shifts, dims=None) -> roll(input, shifts, axis=dims)",
                      "roll(x, shifts, *, dims) -> roll(x, shifts, axis=dims)",
                      "tf.roll(input, shift, axis) -> roll(input, shift, axis=axis)"),
           spellings={"torch": "torch.roll(#1, #2, #3)"}, sought=("circshift",)),

    # --- joining and repeating
    linear("concatenate", "[parts]; axis=0", "Arrays joined along an axis.", axes.concatenated,
           aliases=("cat", "concat"),
           samples=("concatenate([x, u])", "concatenate([X, A], axis=1)", "cat([T, T], dim=-1)",
                    "concatenate([X, x], axis=None)"),
           errors=("concatenate([X, A])", "concatenate([X, x])", "concatenate(x, u)"), spellings={"torch": None},
           libraries=(*(f"{name}, axis=0, out=None, dtype=None) -> concatenate(arrays, axis=axis)"
                        for name in ("np.concatenate(arrays", "np.concat(arrays")),
                      *(f"torch.{name}(tensors, dim=0, out=None) -> concatenate(tensors, axis=dim)"
                        for name in ("cat", "concat", "concatenate"))),
             sought=("join",)),
    linear("stack", "[parts]; axis=0", "Arrays of one shape, along a new axis.", axes.stacked,
           samples=("stack([x, u])", "stack([x, u], axis=1)", "stack([X, X, X], axis=-1)", "stack([a, b])"),
           errors=("stack([x, X])", "stack([x, v])")),
    linear("hstack", "[parts]", "Arrays side by side.", axes.side_by_side, errors=("hstack([X, x])",),
           samples=("hstack([x, u])", "hstack([X, A])", "hstack([a, b])"), sought=("hcat",)),
    linear("vstack", "[parts]", "Arrays below one another; vectors become rows.", axes.below_one_another,
           samples=("vstack([x, u])", "vstack([X, x])"), errors=("vstack([X, A])",), sought=("vcat", "rbind")),
    linear("tile", "x; reps", "Copies of the whole array side by side.", axes.tiled,
           spellings={"torch": "#1.tile(#2)"},
           samples=("tile(x, 2)", "tile(x, (2, 3))", "tile(X, (2, 1))", "tile(X, 2)",
                    "tile(T, (2, 1, 3))", "tile(a, 3)", "tile(x, 0)"),
           errors=("tile(x)", "tile(x, -1)"),
           libraries=("torch.tile(input, dims) -> tile(input, dims)",
                      "torch.Tensor.tile(input, *dims) -> tile(input, dims)",
                      "torch.Tensor.repeat(input, *repeats) -> tile(input, repeats)"), sought=("repmat",)),
    linear("repeat", "x; repetitions, axis=None", "Each entry several times in a row; a list says how often each.",
           axes.repeated, aliases=("repeat_interleave",), spellings={"torch": "torch.repeat_interleave(#1, #2, #3)"},
           samples=("repeat(x, 2)", "repeat(X, 3, axis=1)", "repeat(X, 2)", "repeat(T, 2, 0)", "repeat(a, 2)"),
           errors=("repeat(x)", "repeat(x, 2, axis=1)", "repeat(x, [1, 2])"),
           libraries=("np.repeat(a, repeats, axis=None) -> repeat(a, repeats, axis=axis)",
                      "torch.repeat_interleave(input, repeats, dim=None) -> repeat(input, repeats, axis=dim)")),

    Operator("take", "x, indices; axis=None", "The entries at some places, along an axis or of all in a row.",
             family="axes", rewrite=axes.taken,
             samples=("take(X, [0, 1, 1], axis=1)", "take(x, [2, 0])", "take(X, 1)", "take(X, [[0, 1]], axis=-2)"),
             errors=("take(x)", "take(x, 99)", "take(x, [0.5])"), spellings=NOWHERE),
    Operator("len", "x", "The length of the first axis, `x.shape[0]`.", family="axes", rewrite=axes.length_of,
             samples=("len(x)", "len(X)"), errors=("len()", "len(a)"),
             spellings=NOWHERE, sought=("length", "nrow")),
    Operator("ndim", "x", "The number of axes, `x.ndim`.", family="axes",
             rewrite=lambda x, span: syntax.Attribute(x, "ndim", span=span), samples=("ndim(X)", "ndim(a)"),
             errors=("ndim()", "ndim(x, 1)"), spellings=NOWHERE),

    # --- diagonals and triangles
    linear("diag", "x; k=0", "The diagonal of a matrix, or the matrix with a vector on its diagonal.", diagonals.diag,
           samples=("diag(x)", "diag(A)", "diag(X)", "diag(x, 1)", "diag(x, -2)", "diag(X, 1)", "diag(A, k=-1)"),
           errors=("diag(T)", "diag(a)")),
    linear("diagonal", "x; offset=0, axis1=0, axis2=1", "The diagonal of two axes, as the last axis.",
           diagonals.diagonal, errors=("diagonal(x)",),
           samples=("diagonal(A)", "diagonal(X, 2)", "diagonal(T, offset=-1, axis1=1, axis2=2)"),
           spellings={"latex": r"\operatorname{diag}\left(#*\right)"},
           libraries=("torch.diagonal(input, offset=0, dim1=0, dim2=1)"
                      " -> diagonal(input, offset=offset, axis1=dim1, axis2=dim2)",
                      "diagonal(input, offset=0, *, dim1=0, dim2=1)"
                      " -> diagonal(input, offset=offset, axis1=dim1, axis2=dim2)",
                      "np.linalg.diagonal(x, *, offset=0) -> diagonal(x, offset=offset, axis1=-2, axis2=-1)",
                      "torch.linalg.diagonal(A, *, offset=0, dim1=-2, dim2=-1)"
                      " -> diagonal(A, offset=offset, axis1=dim1, axis2=dim2)",
                      "tf.linalg.diag_part(input, *, k=0) -> diagonal(input, offset=k, axis1=-2, axis2=-1)")),
    linear("diagflat", "x; k=0", "The matrix with all entries on its diagonal.",
           lambda x, k: diagonals.diag(axes.reshaped(x, -1), k),
           samples=("diagflat(x)", "diagflat(x, 1)"),
           libraries=("torch.diagflat(input, offset=0) -> diagflat(input, offset)",)),
    linear("diag_embed", "x; offset=0, axis1=-2, axis2=-1", "Matrices with the entries of the last axis on a diagonal.",
           diagonals.diag_embed,
           samples=("diag_embed(x)", "diag_embed(X, 1)", "diag_embed(X, -1, 0, 2)"), errors=("diag_embed(a)",),
           spellings={"numpy": None, "torch": "torch.diag_embed(#1, #2, #3, #4)"},
           libraries=("torch.diag_embed(input, offset=0, dim1=-2, dim2=-1)"
                      " -> diag_embed(input, offset, dim1, dim2)",
                      "diag_embed(input, offset=0, *, dim1=-2, dim2=-1) -> diag_embed(input, offset, dim1, dim2)",
                      "tf.linalg.diag(diagonal, *, k=0) -> diag_embed(diagonal, k)")),
    linear("trace", "X; offset=0", "Sum of the diagonal.", aliases=("tr",),
           build=lambda X, offset: axes.summed(diagonals.diagonal(X, offset), -1),
           samples=("trace(A)", "trace(X)", "trace(A, 1)", "trace(S)"), errors=("trace(x)", "trace(a)"),
           spellings={"latex": r"\operatorname{tr}\left(#1\right)",
                      "torch": "torch.sum(torch.diagonal(#1, #2), -1)"},
           libraries=("np.trace(a, offset=0, axis1: 0 = 0, axis2: 1 = 1, dtype=None, out=None) -> trace(a, offset)",
                      *(f"{name}) -> sum(diagonal(a, offset, axis1, axis2), axis=-1)"
                        for name in ("np.trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None",
                                     "trace(a, offset=0, *, axis1, axis2")),
                      "np.linalg.trace(x, *, offset=0) -> sum(diagonal(x, offset, -2, -1), axis=-1)",
                      "tf.linalg.trace(x) -> sum(diagonal(x, 0, -2, -1), axis=-1)",
                      "torch.trace(input) -> trace(only_matrix(input))")),
    linear("tril", "X; k=0", "The lower triangle, up to the k-th diagonal.",
           partial(diagonals.triangle, lower=True), errors=("tril(x)",),
           samples=("tril(A)", "tril(X, 1)", "tril(S, -1)")),
    linear("triu", "X; k=0", "The upper triangle, from the k-th diagonal on.",
           partial(diagonals.triangle, lower=False), errors=("triu(x)",),
           samples=("triu(A)", "triu(X, 1)", "triu(S, -1)")),
    linear("cumsum", "x; axis=None", "Running sums.", diagonals.cumsum,
           samples=("cumsum(x)", "cumsum(X)", "cumsum(X, axis=0)", "cumsum(T, 1)"), errors=("cumsum(x, 1)",),
           libraries=("np.cumulative_sum(x, *, axis=None, dtype=None, out=None) -> cumsum(x, axis=axis)",
                         "np.cumsum(a, axis=None, dtype=None, out=None) -> cumsum(a, axis=axis)",
                      "torch.cumsum(input, dim, dtype=None) -> cumsum(input, axis=dim)",
                      "jax.lax.cumsum(operand, axis=0, reverse=False) -> cumsum(operand, axis=axis)",
                      "tf.cumsum(x, axis=0, exclusive=False, reverse=False) -> cumsum(x, axis=axis)"),
             sought=("running_sum", "prefix_sum")),
    linear("identity_like", "X", "The identity matrix of the size of the last axis.", hidden=True,
           build=_identity_like, written="eye(count(X, axis=-1))", samples=("identity_like(X)",),
           errors=("identity_like(a)",), spellings=NOWHERE),
    linear("lower_half", "X", "The lower triangle of ones with 1/2 on the diagonal, in the shape of X.",
           diagonals.lower_half, samples=("lower_half(A)",), hidden=True, spellings=NOWHERE,
           written="tril(ones_like(X)) - eye(count(X, axis=-1)) / 2"),
)
