"""Signatures of operators in NumPy's gufunc notation, matched with shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce

from ..errors import ShapeError
from ..shapes import Shape, broadcast_shapes, require_rank, require_square
from .sizes import least


def bind_signature(signature: str, shapes: Sequence[Shape], name: str) -> tuple[Shape, tuple[Shape, ...], int]:
    """Match operand shapes with a gufunc signature; return the batch shape, the core output shapes and their count.

    Example: `bind_signature("(n,n),(n)->(n)", [(5, 3, 3), (3,)], "solve")` is `((5,), ((3,),), 1)`.

    Raises RankError for too few axes, ShapeError where a named size takes two values.
    """
    inputs, outputs = (parse_axes(side) for side in signature.split("->"))
    sizes: dict[str, int] = {}
    batches: list[Shape] = []
    for position, (axes, shape) in enumerate(zip(inputs, shapes, strict=True)):
        if len(shape) < len(axes):
            require_rank(shape, len(axes), name, position)
        batch, core = shape[: len(shape) - len(axes)], shape[len(shape) - len(axes) :]
        batches.append(batch)
        for axis, size in zip(axes, core, strict=True):
            known = sizes.setdefault(axis, _announced(axis, size, sizes))
            if known != size and len(inputs) == 1 and not axis.isdigit():
                require_square(core, name)
            if known != size:
                raise ShapeError(f"`{name}`: sizes {known} and {size} must be equal", sizes=(known, size))
    sizes |= {axis: int(axis) for axes in outputs for axis in axes if axis.isdigit()}
    smallest = [[reduce(least, map(sizes.__getitem__, axis.split("|"))) for axis in axes] for axes in outputs]
    return broadcast_shapes(*batches), tuple(map(tuple, smallest)), len(outputs)


def _announced(axis: str, size: int, sizes: Mapping[str, int]) -> int:
    """Return the size that an axis must have by its name, `3` or `t+1`; that which it has where the name says none."""
    first, _, more = axis.partition("+")
    return int(axis) if axis.isdigit() else sizes[first] + int(more) if more else size


def parse_axes(text: str) -> list[tuple[str, ...]]:
    """Return the axis names of each operand of one side of a signature: `"(n,n),(n)"` gives two tuples.

    `k|m` names the smaller of two sizes, as in the thin SVD, and `t+1` one more than a size.
    """
    return [tuple(re.findall(r"[^\s,]+", group)) for group in re.findall(r"\((.*?)\)", text)]
