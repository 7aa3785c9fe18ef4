"""Sparse matrices among the inputs: products keep them sparse, and to all else they are dense arrays of limited size.

SciPy does the products. What knows nothing of sparse matrices may take one for a NumPy array: it becomes one where it
is looked into, or is refused with its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from math import prod
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..grammar.advice import Setting, advise
from .amounts import amount, memory, rounded_up
from .arrays import AnyArray, Array
from .errors import EvaluationError, InputError, UsageProblem
from .shapes import show

LARGEST = 1 << 30


class Sparse(NDArrayOperatorsMixin):
    """A sparse matrix, made of an input or of products of it; `matrix` is a `scipy.sparse.csr_array` or its transpose.

    Example: `Sparse(scipy.sparse.eye_array(3).tocsr(), "A") @ np.ones(3)` is `[1, 1, 1]`. `name` is the input, and a
    dense array of it may have `limit` bytes.
    """

    ndim = 2
    dtype = np.dtype(np.float64)

    def __init__(self, matrix: Any, name: str, limit: int = LARGEST) -> None:
        self.matrix, self.name, self.limit = matrix, name, limit

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        rows, columns = self.matrix.shape
        return rows, columns

    @property
    def size(self) -> int:
        """The number of entries, zeros among them."""
        return prod(self.shape)

    @property
    def stored(self) -> Array:
        """The entries that are stored."""
        found: Array = self.matrix.data
        return found

    @property
    def T(self) -> Sparse:
        """The transpose, over the same entries."""
        return self.made(self.matrix.T)

    def made(self, matrix: Any) -> Sparse:
        """Return a sparse matrix that was made of this one."""
        return Sparse(matrix, self.name, self.limit)

    def diagonal(self, offset: int = 0, *axes: int) -> Array:
        """Return the entries whose row is their column, and an offset, as an array."""
        found: Array = self.matrix.diagonal(offset)
        return found

    def select(self, axis: int, rows: Iterable[int]) -> Sparse:
        """Return the chosen rows, or columns for axis 1."""
        places = np.fromiter(rows, np.intp)
        return self.made(self.matrix.tocsr()[places] if axis == 0 else self.matrix.tocsc()[:, places].tocsr())

    def require_room(self) -> None:
        """Raise EvaluationError where the dense array would need more memory than the limit."""
        if self.size * 8 > self.limit:
            raise EvaluationError(
                f"`{self.name}` is sparse, and this needs it, or what is made of it, as a dense array of "
                f"{amount(self.size)} entries ({memory(self.size * 8)}); the limit is {memory(self.limit)}",
                notes=[f"it is {show(self.shape)}, with {amount(len(self.stored))} entries stored"],
                helps=[
                    "products with vectors and matrices keep it sparse: `A @ x`, `x.T @ A @ x`, `A.T @ diag(d) @ A`",
                    advise("or raise the limit: ", Setting("max_memory", rounded_up(self.size * 8))),
                ],
            )

    def dense(self) -> Array:
        """Return the dense array; EvaluationError where it would need more memory than the limit."""
        self.require_room()
        return np.ascontiguousarray(self.matrix.toarray())

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *arrays: Any, **settings: Any) -> Any:
        dense = [one.dense() if isinstance(one, Sparse) else one for one in arrays]
        return getattr(ufunc, method)(*dense, **settings)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self.dense(), dtype)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and all(isinstance(place, int) for place in key):
            return self.matrix[key]
        return self.matrix.tocsr()[[key]].toarray()[0] if isinstance(key, int) else self.dense()[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.dense(), name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sparse, (self.matrix, self.name, self.limit)


def sparse_input(name: str, value: Any, limit: int = LARGEST) -> Sparse:
    """Return a sparse matrix or array of SciPy as an input; InputError for one that is no matrix of real numbers."""
    if value.ndim != 2:
        helps = [f"as an array: {name}={name}.toarray()"]
        raise InputError(f"input `{name}` is sparse and has {value.ndim} axes; a matrix has two", helps=helps)
    if value.dtype.kind not in "biuf":
        raise InputError(f"input `{name}` holds numbers of type {value.dtype}, not real numbers")
    return Sparse(of_scipy().csr_array(value, dtype=np.float64), name, limit)


def is_sparse(value: object) -> bool:
    """Whether a value is a sparse matrix or array of SciPy."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


def of_scipy() -> Any:
    """Return SciPy's module of sparse matrices; UsageProblem where it is not installed."""
    try:
        return import_module("scipy.sparse")
    except ImportError:
        helps = ['pip install "matgrad[scipy]"']
        raise UsageProblem("a sparse matrix needs SciPy, which is not installed", helps=helps) from None


def sparse_names(values: Mapping[str, object], names: Iterable[str]) -> frozenset[str]:
    """Return those of the names whose value is sparse."""
    return frozenset(name for name in names if type(values.get(name)) is Sparse)
