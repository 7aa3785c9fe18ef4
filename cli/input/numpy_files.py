"""NumPy's own files, .npy and .npz, read without ever running what is in them."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, BinaryIO

from ...core.errors import MatgradError
from . import errors
from .room import ask_for

if TYPE_CHECKING:
    import numpy as np

    from ...core.arrays import Array

NPY_MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK"

KINDS = {"c": "complex numbers", "U": "text", "S": "text", "M": "dates", "m": "time spans", "V": "records"}


def read_npy(name: str, data: bytes, place: str) -> Array:
    """Return the float64 array of an .npy file; `place` is the file's name in messages.

    Example: `read_npy("A", Path("A.npy").read_bytes(), "A.npy")`. Raises InputError for a damaged file and for what is
    not made of finite real numbers.
    """
    import numpy as np
    from numpy.lib import format as npy

    from ...core.arrays import as_mask

    stream = io.BytesIO(data)
    try:
        shape, _, dtype = header_of(stream, place)
        if math.prod(shape) * dtype.itemsize > len(data) - stream.tell():
            raise errors.damaged(place, ".npy")  # before memory is asked for
        stream.seek(0)
        with warnings.catch_warnings(action="ignore"):
            array = npy.read_array(stream, allow_pickle=False)
    except (MatgradError, MemoryError):
        raise
    except Exception:  # as below
        raise errors.damaged(place, ".npy") from None
    with np.errstate(over="ignore"):
        numbers = as_mask(array) if array.dtype.kind == "b" else array.astype(np.float64, copy=False)
    return checked(name, numbers, f"{place}: {name}")


def header_of(stream: BinaryIO, place: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape of an array in NumPy's format, whether it is in Fortran's order, and its type.

    The stream is then where the numbers begin. Raises InputError for a damaged header, and for what is no real number.
    """
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        with warnings.catch_warnings(action="ignore"):  # of headers that old versions wrote
            shape, fortran, dtype = read_header(stream)
    except Exception:  # NumPy reads the header with what reads Python, which fails in many ways
        raise errors.damaged(place, ".npy") from None
    if dtype.hasobject:
        raise errors.pickled(place)
    if dtype.kind not in "biuf":
        raise errors.not_real(place, KINDS.get(dtype.kind, str(dtype)))
    return shape, fortran, dtype


def read_npz(names: Collection[str], data: bytes, place: str) -> dict[str, Array]:
    """Return the arrays of an .npz archive that are in `names`.

    Example: `read_npz(["a"], Path("data.npz").read_bytes(), "data.npz")`. Raises InputError as `read_npy` does.
    """
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist() if item.filename.removesuffix(".npy") in names)
            ask_for(unpacked, place, "unpacking it")
            members = {name: archive.read(f"{name}.npy") for name in npz_names(data, place) if name in names}
    except (MatgradError, MemoryError):
        raise
    except Exception:  # a damaged archive is read at the wrong places, with whatever comes of that
        raise errors.damaged(place, ".npz") from None
    return {name: read_npy(name, member, place) for name, member in members.items()}


def npz_names(data: bytes, place: str) -> list[str]:
    """Return the names of the arrays in an .npz archive, none of them read."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except Exception:  # as above
        raise errors.damaged(place, ".npz") from None


def checked(name: str, array: Array, place: str) -> Array:
    """Return the array itself, refused where it is empty or not finite; indices in messages count from 0."""
    import numpy as np

    if array.size == 0:
        raise errors.empty_array(name, place, array.shape)
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(int(position) for position in np.argwhere(~finite)[0])
        where = f"{place}[{', '.join(map(str, index))}]" if index else place
        raise errors.not_finite(name, where, float(array[index]))
    return array
