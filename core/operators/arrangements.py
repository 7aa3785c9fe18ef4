"""Splitting, joining, padding and turning arrays; what leaves an array as it is."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..graph.nodes import Node, Triangle
from ..graph.operator import NOWHERE, Operator
from ..shapes import require_rank
from . import arranging
from .axes import below_one_another, checked_shape, flipped


def arrangement(name: str, parameters: str, doc: str, build: Any, *samples: str, **fields: Any) -> Operator:
    """Return an operator that puts entries in other places."""
    defaults = {"errors": (f"{name}()",)}
    return Operator(name, parameters, doc, family="arrangements", build=build, samples=samples, **(defaults | fields))


def several(name: str, parameters: str, doc: str, build: Any, *samples: str, **fields: Any) -> Operator:
    """Return an operator with several results."""
    return arrangement(name, parameters, doc, build, *samples, several=True, **fields)


def _same(x: Node) -> Node:
    return x


def _along(x: Node, indices_or_sections: Any, *, axis: int, least: int, name: str) -> arranging.Parts:
    """Return slices along a fixed axis; of a vector the only one, where that is meant."""
    if x.rank < least:
        require_rank(x.shape, least, name)
    return arranging.split_at(x, indices_or_sections, min(axis, x.rank - 1), name)


def _turned_over(x: Node, *, axis: int, name: str) -> Node:
    if x.rank <= axis:
        require_rank(x.shape, axis + 1, name)
    return flipped(x, axis)


def _triangle(N: int, M: int | None, k: int) -> Node:
    rows, columns = checked_shape((N, N if M is None else M))
    return Triangle.of(rows, columns, k)


def _copies(name: str, doc: str, *aliases: str, **fields: Any) -> Operator:
    return arrangement(name, "x", doc, _same, f"{name}(x)", f"{name}(X)", f"{name}(a)", aliases=aliases, **fields)


ENTRIES = (
    # --- the same numbers
    _copies("clone", "The same numbers.", "copy", "ascontiguousarray",
            spellings={"numpy": "np.copy(#1)"}),
    _copies("real", "The real part of real numbers: these themselves.", "conj", "conjugate", "resolve_conj",
            "conj_physical", "resolve_neg", "real_if_close"),
    *(arrangement(f"atleast_{rank}d", "x", f"With {rank} {'axis' if rank == 1 else 'axes'} at least.",
                  partial(arranging.at_least, rank=rank), f"atleast_{rank}d(x)", f"atleast_{rank}d(X)",
                  f"atleast_{rank}d(a)") for rank in (1, 2, 3)),

    # --- apart
    several("split", "x; indices_or_sections, axis=0",
                "Slices: so many of one length, or those between places.", arranging.split_at,
                "split(x, 2)[0]", "split(X, [1, 3], axis=1)[1]", "split(T, 2, axis=-1)[1]",
                errors=("split(x, 3)", "split(x)", "split(X, 2, axis=5)"),
                spellings={"torch": "torch.tensor_split(#*)"},
                libraries=("torch.split(input, split_size_or_sections, dim=0)"
                           " -> split_by_sizes(input, split_size_or_sections, dim)",
                           "torch.split(input, *, split_size, dim=0) -> split_by_sizes(input, split_size, dim)",
                           "torch.split_with_sizes(input, split_sizes, dim=0)"
                           " -> split_by_sizes(input, split_sizes, dim)",
                           "torch.unsafe_split(input, split_size, dim=0) -> split_by_sizes(input, split_size, dim)")),
    several("array_split", "x; indices_or_sections, axis=0",
                "Slices: so many, whose lengths differ by one at most, or those between places.",
                partial(arranging.split_at, uneven=True, name="array_split"), "array_split(x, 3)[0]",
                "array_split(X, 3, axis=1)[2]", aliases=("tensor_split",), errors=("array_split(x)",),
                spellings={"torch": "torch.tensor_split(#*)"},
                libraries=(*(f"torch.tensor_split(input, {word}, dim=0) -> array_split(input, {word}, dim)"
                             for word in ("indices_or_sections", "sections", "indices")),)),
    several("split_by_sizes", "x; split_size, axis=0", "Slices of so many entries each, or of these sizes.",
                arranging.split_by_sizes, "split_by_sizes(x, 3)[1]", "split_by_sizes(X, [1, 2])[1]",
                errors=("split_by_sizes(X, [1, 1])",), hidden=True, spellings=NOWHERE),
    several("chunk", "x; chunks, axis=0", "At most so many slices, all of one length but for the last.",
                arranging.in_chunks, "chunk(x, 3)[0]", "chunk(X, 2, axis=1)[1]", errors=("chunk(x)", "chunk(x, 0)"),
                aliases=("unsafe_chunk",), spellings={"numpy": None, "jax": None}),
    *(several(f"{name}split", "x; indices_or_sections",
                  f"Slices along the {word} axis{', of a vector along its only one' if name == 'h' else ''}.",
                  partial(_along, axis=axis, least=least, name=f"{name}split"), sample, *more,
                  errors=(f"{name}split()", f"{name}split({few}, 2)"))
      for name, word, axis, least, few, sample, more in (
          ("h", "second", 1, 1, "a", "hsplit(X, 2)[1]", ("hsplit(x, [1])[1]",)),
          ("v", "first", 0, 2, "x", "vsplit(X, [1])[1]", ()),
          ("d", "third", 2, 3, "X", "dsplit(T, 2)[0]", ()))),
    several("unstack", "x; axis=0", "The arrays that lie along an axis.", arranging.unstacked, "unstack(X)[1]",
                "unstack(T, axis=-1)[3]", aliases=("unbind",), errors=("unstack(a)", "unstack(x, 1)"),
                spellings={"numpy": None, "torch": "torch.unbind(#*)"}),
    arrangement("narrow", "x; axis, start, length", "So many entries of an axis from one place on.",
                arranging.narrowed, "narrow(x, 0, 1, 2)", "narrow(X, 1, -3, 2)", aliases=("narrow_copy",),
                errors=("narrow(x, 0, 3, 9)", "narrow(x)"), spellings={"numpy": None, "jax": None}),
    arrangement("delete", "x; obj, axis=None", "Without some places of an axis, or of all entries in a row.",
                arranging.deleted, "delete(x, 1)", "delete(X, [0, -1], axis=1)", "delete(X, 2)",
                errors=("delete(x, 9)", "delete(x)"), spellings={"torch": None, "jax": None}),

    # --- together
    arrangement("insert", "x, values; obj, axis=None", "With further values before a place of an axis.",
                lambda x, values, obj, axis: arranging.inserted(x, values, obj, axis), "insert(x, a, 1)",
                "insert(X, x, 0, axis=0)", "insert(X, v, 1, axis=1)",
                errors=("insert(x, a, 9)", "insert(x, a)"), spellings={"numpy": "np.insert(#1, #3, #2, #4)",
                                                                     "torch": None},
                libraries=("np.insert(arr, obj, values, axis=None) -> insert(arr, values, obj, axis)",
                           "insert(arr, obj: axis, values, axis=None) -> insert(arr, values, obj, axis)")),
    arrangement("append", "x, values; axis=None", "Values after x along an axis, or all entries in a row.",
                arranging.appended, "append(x, v)", "append(X, A, axis=1)", "append(X, x)",
                errors=("append(X, x, axis=0)", "append(x)"), spellings={"torch": None}),
    arrangement("column_stack", "[parts]", "Vectors as columns beside each other, with matrices between them.",
                arranging.as_columns, "column_stack([x, u])", "column_stack([v, X])",
                errors=("column_stack([x, v])",)),
    arrangement("row_stack", "[parts]", "Arrays below one another; vectors become rows.", below_one_another,
                "row_stack([x, u])", errors=("row_stack([x, v])",),
                spellings={"numpy": "np.vstack(#*)", "torch": "torch.vstack(#*)"}),
    arrangement("dstack", "[parts]", "Arrays joined along a third axis.", arranging.in_depth, "dstack([X, W])",
                "dstack([x, u])", errors=("dstack([x, v])",)),
    Operator("block", "arrays", "A matrix from rows of blocks: `block([[A, B], [C, D]])`.", family="arrangements",
             rewrite=arranging.in_blocks, samples=("block([[A, X], [X.T, eye(4)]])", "block([x, u])"),
             errors=("block(A)", "block([[A, X], [A, A]])"), spellings=NOWHERE),
    several("meshgrid", "*vectors; indexing='xy'",
                "Coordinates over the grid of all vectors; 'ij' keeps their order, 'xy' swaps the first two.",
                arranging.open_grid, "meshgrid(x, v, indexing='ij')[1]", "meshgrid(x, v, indexing='xy')[0]",
                errors=("meshgrid(X)",),
                libraries=("torch.meshgrid(*tensors, indexing='ij') -> meshgrid_of(tensors, indexing=indexing)",),
                spellings={"torch": "torch.meshgrid(#*)"}),
    several("meshgrid_of", "[vectors]; indexing='xy'", "Coordinates over the grid of the vectors in a list.",
                arranging.open_grid, "meshgrid_of([x, v])[0]", errors=("meshgrid_of(x)",), hidden=True,
                spellings=NOWHERE),
    several("broadcast_arrays", "*arrays", "Arrays broadcast to their common shape.", arranging.together,
                "broadcast_arrays(x, X)[0]", "broadcast_arrays(a, x)[0]", errors=("broadcast_arrays(x, v)",),
                aliases=("broadcast_tensors",), spellings={"torch": "torch.broadcast_tensors(#*)"}),
    arrangement("unflatten", "x; axis, sizes", "With one axis split into several.", arranging.unflattened,
                "unflatten(X, 1, (2, 2))", "unflatten(x, 0, [2, -1])", errors=("unflatten(x, 0, (3, 2))",),
                spellings={"numpy": None, "jax": None}),

    # --- turned over
    *(arrangement(name, "x", f"With the {word} in reverse order.",
                  partial(_turned_over, axis=axis, name=name), f"{name}(X)", f"{name}(T)", errors=(f"{name}(a)",))
      for name, word, axis in (("fliplr", "columns", 1), ("flipud", "rows", 0))),
    arrangement("rot90", "x; k=1, axes=(0, 1)", "Turned by k quarters, from the first of two axes to the second.",
                arranging.turned, "rot90(X)", "rot90(X, 2)", "rot90(T, -1, (1, 2))", "rot90(A, 4)",
                errors=("rot90(x)",)),
    arrangement("tri", "; N, M=None, k=0", "Ones up to the k-th diagonal, else zeros.", _triangle, "tri(3) * A",
                "tri(3, 4, 1) * X", errors=("tri()",), spellings={"torch": None}),

    # --- padding
    arrangement("pad", "x; pad_width, mode='constant', constant_values=0",
                "With further entries around: of one value, or those at the edge, reflected, or from the other side.",
                arranging.padded, "pad(x, 2)", "pad(X, ((1, 0), (0, 2)))", "pad(x, (1, 2), 'reflect')",
                "pad(X, 1, mode='edge')", "pad(X, (2, 1), 'symmetric')", "pad(x, 3, 'wrap')",
                "pad(x, 1, constant_values=2)", errors=("pad(x)", "pad(x, 9, 'wrap')", "pad(x, 1, 'mirror')"),
                spellings={"torch": None}, libraries=(
                    "torch.pad(input, pad, mode='constant', value=None) -> pad_from_last(input, pad, mode, value)",
                    "torch.constant_pad_nd(input, pad, value=0) -> pad_from_last(input, pad, 'constant', value)")),
    arrangement("pad_from_last", "x; pad, mode='constant', value=None",
                "With further entries around; the widths of the last axis come first.", arranging.padded_from_last,
                "pad_from_last(X, (1, 2))", "pad_from_last(T, (1, 0, 2, 1), 'replicate')",
                "pad_from_last(T, (1, 2), 'circular')", errors=("pad_from_last(X, (1, 2, 3))",), hidden=True,
                spellings=NOWHERE),
)
