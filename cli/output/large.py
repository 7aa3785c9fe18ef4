"""Results larger than memory in files: arrays written block by block, and sparse matrices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from typing import IO

import numpy as np

from ...core.amounts import memory
from ...core.arrays import Array, Positions
from ...core.compressed.structured import Structured
from ...core.errors import OutputError, UsageProblem
from ...core.problems.answer import Result
from .digits import every_digit
from .progress import progress

CHUNK = 100_000
# A file that takes longer than a moment shows how far it is.
SHOWN_FROM = 1 << 28


def arranged(result: Result, layout: str) -> tuple[Structured, tuple[int, ...]]:
    """Return a compressed derivative in a layout, and the shape that its entries in C order have there."""
    assert result.compressed is not None
    compressed = result.compressed
    if layout == "generalized" or len(result.axis_groups) < 2:
        return compressed, compressed.shape
    axes = compressed.form.axes
    samples = axes.shape[: axes.samples]
    if layout == "flat":
        compressed = compressed.flattened()
        axes = compressed.form.axes
    rows, columns = prod(axes.rows[axes.samples :]), prod(axes.columns)
    if layout == "denominator":
        if samples:
            message = "the denominator layout of samples needs the whole array in memory"
            helps = ["--layout numerator, its transpose", "or raise the limit: --max-memory"]
            raise UsageProblem(message, place="--layout denominator", helps=helps)
        return compressed.T, (columns, rows)
    bare = layout == "flat" and not result.axis_groups[0][1]
    return compressed, (*samples, columns) if bare else (*samples, rows, columns)


def write_blocks(file: IO[bytes], result: Result, layout: str) -> None:
    """Write a derivative as an array in NumPy's format, one block of rows after the other; memory holds one block."""
    compressed, shape = arranged(result, layout)
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    size = prod(shape) * 8
    with progress("writing", size, shown=size >= SHOWN_FROM) as advance:
        for block in compressed.blocks():
            file.write(np.ascontiguousarray(block, "<f8").data if block.size else b"")
            advance(block.nbytes)


def check_room(path: str, size: int) -> None:
    """Raise OutputError where the disk has no room for so many bytes."""
    import shutil

    try:
        free = shutil.disk_usage(os.path.dirname(os.path.realpath(path))).free
    except OSError:  # opening the file will say what is wrong with its folder
        return
    if size > free:
        message = f"cannot write `{path}`: it needs {memory(size)}, and the disk has {memory(free)} free"
        helps = ["another disk: -o /elsewhere/J.npy", "or in compressed form: --format structured -o J.npz"]
        raise OutputError(message, place=f"-o {path}", helps=helps)


# --- sparse matrices -------------------------------------------------------------------------------------------------


def _rows(result: Result, layout: str) -> tuple[Positions, Positions, Array, tuple[int, int]]:
    """Return where each row begins, columns and values of what is not zero by structure, and the matrix's size."""
    if result.compressed is None:
        from .layouts import view

        seen = view(result, "numerator" if layout == "generalized" else layout)
        matrix = seen.data.reshape(-1, seen.data.shape[-1])
        row, column = np.nonzero(matrix)
        begins = np.append(0, np.cumsum(np.count_nonzero(matrix, axis=1)))
        return begins, column, matrix[row, column], (matrix.shape[0], matrix.shape[1])
    compressed, _ = arranged(result, layout)
    axes = compressed.form.axes
    return *compressed.rows(), (prod(axes.rows), prod(axes.columns))


def write_sparse(file: IO[bytes], result: Result, layout: str) -> None:
    """Write a matrix as `scipy.sparse.save_npz` does without compression, for `scipy.sparse.load_npz`."""
    begins, columns, data, shape = _rows(result, layout)
    facts = {"format": np.array(b"csr"), "shape": np.array(shape), "_is_array": np.array(True)}
    np.savez(file, indptr=begins, indices=columns, data=data, allow_pickle=False, **facts)


def matrix_market(result: Result, precision: int | None, layout: str) -> Iterator[str]:
    """Yield a matrix in the coordinate format of Matrix Market, rows and columns counted from 1."""
    begins, column, data, shape = _rows(result, layout)
    row = np.repeat(np.arange(len(begins) - 1), np.diff(begins))
    yield "%%MatrixMarket matrix coordinate real general\n"
    yield f"{shape[0]} {shape[1]} {len(data)}\n"
    write = every_digit(precision)
    for start in range(0, len(data), CHUNK):
        part = slice(start, start + CHUNK)
        for i, j, value in zip(row[part].tolist(), column[part].tolist(), data[part].tolist(), strict=True):
            yield f"{i + 1} {j + 1} {write(value)}\n"
