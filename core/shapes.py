"""Shapes: NumPy's rules, on tuples, before any array exists."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import ExpressionError, RankError, ShapeError

Shape = tuple[int, ...]

# Some functions of NumPy count no further.
MOST_AXES = 32

# What can be assumed of an array: where a matrix has its entries, or which numbers they are.
MATRIX_ASSUMPTIONS = (
    "symmetric",
    "spd",
    "diagonal",
    "orthogonal",
    "lower",
    "upper",
    "tridiagonal",
    "skew",
    "toeplitz",
    "hankel",
    "circulant",
)
ASSUMPTIONS = (*MATRIX_ASSUMPTIONS, "positive", "integer")
REDUCTIONS = ("sum", "mean")
"""What can be made of the values of all samples of a batch."""
LAYOUTS = ("generalized", "numerator", "denominator", "flat")
"""What matrix a derivative is shown as; only the first keeps its axes."""


def show(shape: Shape) -> str:
    """Return a shape as people write it: `3×2`, `3`, `scalar`, `n×(m + 1)`."""
    sizes = [str(size) for size in shape]
    return (
        "×".join(f"({size})" if sizes[1:] and {" ", "/"} & set(size) else size for size in sizes) if shape else "scalar"
    )


def describe(shape: Shape) -> str:
    """Return a shape in words: `a vector of 3 entries`, `a 3×2 matrix`."""
    match shape:
        case ():
            return "a number"
        case (1,):
            return "a vector of 1 entry"
        case (size,):
            return f"a vector of {size} entries"
        case (_, _):
            return f"a {show(shape)} matrix"
        case _:
            return f"an array of shape {show(shape)}"


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the common shape by NumPy's rules: `broadcast_shapes((3, 1), (4,)) == (3, 4)`.

    Raises ShapeError with the two sizes that clash.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for axis, size in enumerate(shape, rank - len(shape)):
            if size != 1 and result[axis] not in (1, size):
                raise ShapeError(f"sizes {result[axis]} and {size} do not match", sizes=(result[axis], size))
            if size != 1:
                result[axis] = size
    return tuple(result)


def matmul_shape(left: Shape, right: Shape) -> Shape:
    """Return the shape of `left @ right` by NumPy's rules.

    Raises RankError for a scalar and ShapeError where the inner sizes differ.
    """
    if not left or not right:
        raise RankError("`@` needs vectors or matrices; multiply by a number with `*`", needed=1)
    inner = (left[-1], right[-2] if len(right) > 1 else right[0])
    if inner[0] != inner[1]:
        raise ShapeError(f"inner sizes {inner[0]} and {inner[1]} differ", sizes=inner)
    batch = broadcast_shapes(left[:-2], right[:-2])
    return (*batch, *(left[-2:-1]), *(right[-1:] if len(right) > 1 else ()))


def normalize_axis(axis: int, rank: int) -> int:
    """Return an axis counted from the front: `normalize_axis(-1, 2) == 1`.

    Raises RankError where the array has no such axis.
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ExpressionError(f"an axis is a whole number, not {axis!r}")
    if not -rank <= axis < rank:
        axes = f"{rank} {'axis' if rank == 1 else 'axes'}" if rank else "no axes: it is a number"
        raise RankError(f"there is no axis {axis}: the operand has {axes}", needed=axis + 1 if axis >= 0 else -axis)
    return axis % rank


def normalize_axes(axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Return the axes that a reduction runs over, in order; None means all."""
    if axis is None:
        return tuple(range(rank))
    chosen = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    result = tuple(normalize_axis(item, rank) for item in chosen)
    if len(set(result)) != len(result):
        raise ShapeError(f"an axis is named twice in {tuple(chosen)}")
    return tuple(sorted(result))


def require_rank(shape: Shape, needed: int, name: str, position: int = 0) -> None:
    """Raise RankError unless a shape, that of the operand at a position, has `needed` axes."""
    if len(shape) != needed:
        words = {0: "a number", 1: "a vector", 2: "a matrix"}.get(needed, f"an array with {needed} axes")
        raise RankError(f"`{name}` needs {words}, and this is {describe(shape)}", needed=needed, position=position)


def require_square(shape: Shape, name: str) -> None:
    """Raise unless a shape is that of a square matrix."""
    require_rank(shape, 2, name)
    if shape[0] != shape[1]:
        raise ShapeError(f"`{name}` needs a square matrix, and this is {show(shape)}", sizes=(shape[0], shape[1]))
