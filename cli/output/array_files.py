"""Arrays in files that are written block by block: .npy, and zarr, whose chunks are the blocks."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ...core.arrays import Array
from ...core.errors import UsageProblem


@dataclass(frozen=True)
class ArrayFile(ABC):
    """A file that takes an array of a shape in blocks; it pickles, so that whoever computes a block writes it.

    What is `durable` is through to the disk before a block counts as written.
    """

    path: str
    shape: tuple[int, ...]
    block: tuple[int, ...]
    durable: bool = False

    @abstractmethod
    def create(self) -> None:
        """Make the file, all zero."""

    @abstractmethod
    def write(self, places: Sequence[range], array: Array) -> None:
        """Put a block on the disk: the entries with such indices along the first axes."""

    @abstractmethod
    def tidy(self) -> None:
        """Bring it to its end, when all blocks are written."""


@dataclass(frozen=True)
class NpyFile(ArrayFile):
    """An .npy file; a block is a stretch of entries in C order."""

    def create(self) -> None:
        """Write the header, and ask for the room."""
        with open(self.path, "xb") as file:
            npy.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": self.shape})
            file.truncate(file.tell() + 8 * prod(self.shape))

    def write(self, places: Sequence[range], array: Array) -> None:
        """Write a block."""
        starts = [place.start for place in places] + [0] * (len(self.shape) - len(places))
        first = int(np.ravel_multi_index(starts, self.shape)) if self.shape else 0
        with open(self.path, "r+b") as file:
            file.seek(8 * (first - prod(self.shape)), os.SEEK_END)
            file.write(np.ascontiguousarray(array, "<f8").data)
            if self.durable:
                file.flush()
                os.fsync(file.fileno())

    def tidy(self) -> None:
        """Wait until all is on the disk."""
        with open(self.path, "r+b") as file:
            os.fsync(file.fileno())


@dataclass(frozen=True)
class ZarrFile(ArrayFile):
    """A zarr array, a folder with a file for each chunk that is not all zero."""

    def create(self) -> None:
        """Write what describes the array."""
        _zarr().create_array(self.path, shape=self.shape, chunks=self.block, dtype="float64")

    def write(self, places: Sequence[range], array: Array) -> None:
        """Write a chunk: beside its file, and renamed when it is whole."""
        whole = [*places, *map(range, self.shape[len(places) :])]
        _zarr().open_array(self.path, mode="r+")[tuple(slice(place.start, place.stop) for place in whole)] = array
        if self.durable:
            index = [place.start // size for place, size in zip(whole, self.block, strict=True)]
            # A chunk without an entry that is not zero has no file.
            with suppress(FileNotFoundError), open(os.path.join(self.path, "c", *map(str, index)), "r+b") as file:
                os.fsync(file.fileno())

    def tidy(self) -> None:
        """Remove the chunks that runs that were killed were writing."""
        for folder, _, names in os.walk(self.path):
            for name in names:
                if name.endswith(".partial"):
                    with suppress(OSError):
                        os.unlink(os.path.join(folder, name))


def file_for(output: str, path: str, shape: Sequence[int], block: Sequence[int], *, durable: bool) -> ArrayFile:
    """Return the file that an array is written to, of the kind that the final name says."""
    kind = ZarrFile if output.endswith(".zarr") else NpyFile
    # A zarr array has no chunk without entries.
    return kind(path, tuple(shape), tuple(max(size, 1) for size in block), durable)


def _zarr() -> Any:
    try:
        return import_module("zarr")
    except ImportError:
        helps = ['pip install "matgrad[data]"', "or an .npy file: -o J.npy"]
        raise UsageProblem("a zarr array needs zarr, which is not installed", place="-o", helps=helps) from None
