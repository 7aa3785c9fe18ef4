"""Arrays that stay on the disk: their shape is known at once, and samples are read as they are needed.

What is here pickles small, a path and a few numbers, so that whoever computes a block reads it, be it another process
or another machine with the same disk.
"""

from __future__ import annotations

import glob
import os
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import accumulate
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy

from ...core.arrays import Array, as_mask
from . import errors
from .errors import Destination
from .numpy_files import KINDS, header_of
from .room import ask_for

Kind = Literal["npy", "parts", "hdf5", "zarr", "parquet"]

_NEEDED = {
    "hdf5": ("h5py", "an HDF5 file"),
    "zarr": ("zarr", "a zarr array"),
    "parquet": ("pyarrow.parquet", "Parquet"),
}


@dataclass(frozen=True)
class Stored:
    """An array in a file: `part` is its key or column, `name` the input that it is, `place` what messages call it."""

    path: str
    part: str | None
    name: str
    place: str
    shape: tuple[int, ...]
    dtype: str
    grain: int = 1

    def __getitem__(self, rows: slice) -> Array:
        """Return some samples as float64. Raises InputError where they are not finite real numbers."""
        start, stop, _ = rows.indices(self.shape[0])
        try:
            return _checked(self._read(start, stop), self.name, self.place, start)
        except OSError as problem:
            raise errors.unreadable_file(self.path, problem) from None

    def whole(self) -> Array:
        """Return all of it; raises InputError where it needs more memory than an input may take."""
        ask_for(prod(self.shape) * 8, self.place, "reading it")
        if self.shape:
            return self[:]
        return _checked(self._read(0, 0), self.name, self.place, 0)

    @property
    def identity(self) -> list[object]:
        """What changes when the array does: the files, their sizes, and when they were written."""
        found = os.stat(os.path.join(self.path, _METADATA) if os.path.isdir(self.path) else self.path)
        return [self.path, self.part, list(self.shape), found.st_size, found.st_mtime_ns]

    def _read(self, start: int, stop: int) -> Any:
        raise NotImplementedError  # parts have none: they are read one by one


@dataclass(frozen=True)
class StoredNpy(Stored):
    """An .npy file, of which the samples that are asked for are mapped into memory."""

    offset: int = 0
    order: Literal["C", "F"] = "C"

    def _read(self, start: int, stop: int) -> Any:
        # Mapped anew each time: what was read and is no longer used does not count as memory.
        whole = np.memmap(self.path, np.dtype(self.dtype), "r", self.offset, self.shape, self.order)
        return np.asarray(whole[start:stop])


@dataclass(frozen=True)
class StoredParts(Stored):
    """Arrays one after another, as the parts that a glob finds."""

    parts: Sequence[Stored] = field(default=())

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(part.shape[0] for part in self.parts))

    def __getitem__(self, rows: slice) -> Array:
        """Return some samples as float64; messages name the part that they are in."""
        start, stop, _ = rows.indices(self.shape[0])
        first, pieces = bisect_right(self._ends, start), []
        for part, end in zip(self.parts[first:], self._ends[first:], strict=True):
            before = end - part.shape[0]
            if before >= stop:
                break
            pieces.append(part[max(start - before, 0) : min(stop, end) - before])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    @property
    def identity(self) -> list[object]:
        """What changes when one of the parts does."""
        return [part.identity for part in self.parts]


@dataclass(frozen=True)
class StoredHdf5(Stored):
    """A dataset of an HDF5 file."""

    def _read(self, start: int, stop: int) -> Any:
        with _library("hdf5", self.place).File(self.path, "r") as file:
            found = file[self.part]
            return found[start:stop] if self.shape else np.asarray(found[()])


@dataclass(frozen=True)
class StoredZarr(Stored):
    """A zarr array, or one of the arrays of a group."""

    def _read(self, start: int, stop: int) -> Any:
        found = _library("zarr", self.place).open(self.path, mode="r")
        found = found if self.part is None else found[self.part]
        return np.asarray(found[start:stop] if self.shape else found[()])


@dataclass(frozen=True)
class StoredParquet(Stored):
    """Columns of a Parquet table: `ends` are the ends of its row groups, which are read whole."""

    columns: Sequence[str] = ()
    ends: Sequence[int] = ()

    def _read(self, start: int, stop: int) -> Any:
        first, last = bisect_right(self.ends, start), bisect_right(self.ends, max(stop - 1, start))
        groups = range(first, min(last, len(self.ends) - 1) + 1)
        with _library("parquet", self.place).ParquetFile(self.path) as file:
            table = file.read_row_groups(list(groups), columns=list(self.columns))
        before = self.ends[first - 1] if first else 0
        # By name: a table has its columns in its own order.
        found = [table.column(name)[start - before : stop - before].to_numpy() for name in self.columns]
        return found[0] if len(self.shape) == 1 else np.stack(found, axis=1)


# --- opening ---------------------------------------------------------------------------------------------------------

_METADATA = "zarr.json"
_OPENING: Mapping[bytes, Kind] = {b"\x93NUM": "npy", b"\x89HDF": "hdf5", b"PAR1": "parquet"}


def kind_on_disk(path: str) -> Kind | None:
    """Return what stays on the disk until it is read, told by its content; None for what is read at once."""
    if os.path.isdir(path):
        return "zarr" if any(os.path.exists(os.path.join(path, one)) for one in _ZARR) else None
    if not os.path.exists(path):
        return "parts" if path != "-" and glob.has_magic(path) else None
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            return _OPENING.get(file.read(4))
    except OSError:
        return None


_ZARR = (_METADATA, ".zarray", ".zgroup")


def open_stored(kind: Kind, path: str, part: str | None, destination: Destination) -> Stored:
    """Return the array of a file, of which only the header is read.

    Example: `open_stored("npy", "X.npy", None, Destination.of("X")).shape`. Raises InputError for a part that is not
    there, a damaged file, and what does not hold real numbers.
    """
    try:
        found = _OPENERS[kind](os.path.abspath(path), path, part, destination)
    except (OSError, ValueError) as problem:
        raise errors.unreadable_file(path, problem) from None
    if 0 in found.shape:
        raise errors.empty_array(destination.name, found.place, found.shape)
    return found


def _open_npy(path: str, place: str, part: str | None, destination: Destination) -> Stored:
    if part is not None:
        raise errors.part_not_possible(place, part, "an .npy file")
    with open(path, "rb") as file:
        shape, fortran, dtype = header_of(file, place)
        offset = file.tell()
    if offset + prod(shape) * dtype.itemsize > os.path.getsize(path):
        raise errors.damaged(place, ".npy")
    described = str(npy.dtype_to_descr(dtype))
    return StoredNpy(path, None, destination.name, place, shape, described, 1, offset, "F" if fortran else "C")


def _open_parts(path: str, place: str, part: str | None, destination: Destination) -> Stored:
    paths = sorted(glob.glob(place), key=_in_order)
    if not paths:
        raise errors.no_such_file(place, f"{destination.prefix}@", [])
    parts = [_part(one, place, part, destination) for one in paths]
    first = parts[0]
    for one in parts:
        if one.shape[1:] != first.shape[1:] or not one.shape:
            raise errors.parts_differ(place, first.place, first.shape, one.place, one.shape)
    shape = (sum(one.shape[0] for one in parts), *first.shape[1:])
    grain = max(one.grain for one in parts)
    return StoredParts(path, part, destination.name, place, shape, first.dtype, grain, parts)


def _part(path: str, pattern: str, part: str | None, destination: Destination) -> Stored:
    kind = kind_on_disk(path)
    if kind is None:
        raise errors.not_a_part(pattern, path)
    return open_stored(kind, path, part, destination)


def _in_order(path: str) -> list[tuple[int, int, str]]:
    """Return a key by which part-2 comes before part-10."""
    words = re.split(r"(\d+)", path)
    return [(1, int(word), "") if word.isdecimal() else (0, 0, word) for word in words]


def _open_hdf5(path: str, place: str, part: str | None, destination: Destination) -> Stored:
    library = _library("hdf5", place)
    with library.File(path, "r") as file:
        keys: list[str] = []
        file.visititems(lambda key, item: keys.append(key) if isinstance(item, library.Dataset) else None)
        key = errors.choose(place, part and part.strip("/"), keys)
        found = file[key]
        grain = found.chunks[0] if found.chunks else 1
        shape, dtype = tuple(found.shape), _number(found.dtype, place)
    return StoredHdf5(path, key, destination.name, f"{place}:{key}", shape, dtype, grain)


def _open_zarr(path: str, place: str, part: str | None, destination: Destination) -> Stored:
    library = _library("zarr", place)
    found: Any = library.open(path, mode="r")
    key = None
    if isinstance(found, library.Group):
        keys = [name for name, item in found.members(max_depth=None) if isinstance(item, library.Array)]
        key = errors.choose(place, part, keys)
        found = found[key]
    elif part is not None:
        raise errors.part_not_possible(place, part, "a zarr array")
    chunks = getattr(found, "shards", None) or found.chunks
    shown = place if key is None else f"{place}:{key}"
    shape, dtype = tuple(found.shape), _number(found.dtype, place)
    return StoredZarr(path, key, destination.name, shown, shape, dtype, chunks[0] if chunks else 1)


def _open_parquet(path: str, place: str, part: str | None, destination: Destination) -> Stored:
    with _library("parquet", place).ParquetFile(path) as file:
        schema, metadata = file.schema_arrow, file.metadata
        groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    columns = [word.strip() for word in part.split(",")] if part else list(schema.names)
    for column in columns:
        if column not in schema.names:
            raise errors.no_such_column(place, column, schema.names, len(schema.names), [])
        _number(np.dtype(schema.field(column).type.to_pandas_dtype()), f"{place}:{column}")
    shape = (sum(groups),) if len(columns) == 1 else (sum(groups), len(columns))
    shown = f"{place}:{part}" if part else place
    ends = tuple(accumulate(groups))
    return StoredParquet(
        path, part, destination.name, shown, shape, "<f8", max(groups, default=1), tuple(columns), ends
    )


_OPENERS = {"npy": _open_npy, "parts": _open_parts, "hdf5": _open_hdf5, "zarr": _open_zarr, "parquet": _open_parquet}


def _library(kind: str, place: str) -> Any:
    module, what = _NEEDED[kind]
    try:
        return import_module(module)
    except ImportError:
        raise errors.needs_library(place, what, module.partition(".")[0]) from None


def _number(dtype: Any, place: str) -> str:
    """Return the type of real numbers as text. Raises InputError for others."""
    if dtype.kind not in "biuf":
        raise errors.not_real(place, KINDS.get(dtype.kind, str(dtype)))
    return str(dtype.str)


def _checked(found: Any, name: str, place: str, start: int) -> Array:
    """Return samples as float64; InputError names the first that is not finite by its index in the whole."""
    with np.errstate(over="ignore", invalid="ignore"):
        array = as_mask(found) if found.dtype.kind == "b" else np.asarray(found, np.float64)
        # One pass that makes nothing; a sum that overflows is looked at again.
        if np.isfinite(np.add.reduce(array, axis=None)):
            return array
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(int(position) for position in np.argwhere(~finite)[0])
        shifted = (index[0] + start, *index[1:]) if index else ()
        where = f"{place}: {name}" + (f"[{', '.join(map(str, shifted))}]" if index else "")
        raise errors.not_finite(name, where, float(array[index]))
    return array
