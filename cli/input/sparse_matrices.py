"""Sparse matrices in files: the archives of `scipy.sparse.save_npz`, and coordinates of which few are given."""

from __future__ import annotations

import io
from collections.abc import Collection
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import MatgradError
from . import errors
from .room import ask_for, room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...core.arrays import Array

# A matrix with so many entries, of which no larger part is given, stays sparse.
LARGE, DENSITY = 10**6, 0.1
MEMBERS = frozenset({"format", "shape", "data"})


def is_archive(names: Collection[str]) -> bool:
    """Whether the names are those of the arrays in an archive of `scipy.sparse.save_npz`."""
    return MEMBERS.issubset(names)


def stays_sparse(rows: int, columns: int, entries: int) -> bool:
    """Whether a matrix of which so many entries are given is kept sparse: a large one, where there is SciPy."""
    size = rows * columns
    return size >= LARGE and entries <= DENSITY * size and find_spec("scipy") is not None


def read_archive(name: str, data: bytes, place: str) -> Array:
    """Return the sparse matrix of an archive of `scipy.sparse.save_npz`, of any of its formats.

    Raises InputError for a damaged file and for what is not made of finite real numbers.
    """
    from zipfile import ZipFile  # for start-up

    from ...core.sparse import of_scipy

    sparse = of_scipy()
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            ask_for(sum(item.file_size for item in archive.infolist()), place, "unpacking it")
        matrix = sparse.load_npz(io.BytesIO(data))
        if matrix.ndim == 2 and matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)  # what lies outside would be read and written all the same
    except (MatgradError, MemoryError):
        raise
    except Exception:  # a damaged archive is read at the wrong places, with whatever comes of that
        raise errors.damaged(place, ".npz") from None
    if matrix.dtype.kind not in "biuf":
        raise errors.not_real(place, "complex numbers" if matrix.dtype.kind == "c" else str(matrix.dtype))
    return checked(name, matrix, place)


def of_coordinates(
    name: str, place: str, shape: tuple[int, int], row: NDArray[Any], column: NDArray[Any], value: Array
) -> Array:
    """Return the sparse matrix with these entries; those at one place are added."""
    from ...core.sparse import of_scipy

    return checked(name, of_scipy().coo_array((value, (row, column)), shape=shape), place)


def checked(name: str, matrix: Any, place: str) -> Array:
    """Return a matrix of SciPy as an input, refused where it is empty or not finite."""
    import numpy as np

    from ...core.sparse import sparse_input

    found = sparse_input(name, matrix, room())
    if not found.size:
        raise errors.empty_array(name, place, found.shape)
    wrong = np.flatnonzero(~np.isfinite(found.stored))
    if len(wrong):
        entries = found.matrix.tocoo()
        row, column = (int(axis[wrong[0]]) for axis in entries.coords)
        raise errors.not_finite(name, f"{place}[{row}, {column}]", float(entries.data[wrong[0]]))
    return cast("Array", found)
