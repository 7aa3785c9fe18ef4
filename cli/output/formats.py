"""The answer for other programs: plain, JSON, npy, CSV, LaTeX and Markdown, on a stream or in a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from math import prod
from typing import IO, TextIO

import numpy as np

from ...core.arrays import silent
from ...core.errors import UsageProblem
from ...core.problems.answer import Answer, Result
from .console import Look, show
from .digits import every_digit
from .layouts import apply_layout, value_result, view
from .writing import standard_stream, writing_bytes


@silent
def write_answer(
    answer: Answer, format: str, *, stream: TextIO, output: str | None = None, precision: int | None = None,
    layout: str = "generalized", look: Look | None = None,
) -> None:  # fmt: skip
    """Write an answer in a format, to a stream or to the file `output` (`-` is the stream).

    Example: `write_answer(answer, "json", stream=sys.stdout)`. JSON, npy, plain and CSV hold every digit unless a
    precision is given; tables, LaTeX and Markdown show 6. A file appears whole or not at all.
    """
    standard = stream if output in (None, "-") else standard_stream(output)
    if standard is not None:
        if format == "npy":
            _npy_to_stream(answer, layout, standard)
        else:
            _write_text(answer, format, standard, precision, layout, look or Look())
        return
    assert output is not None
    _refuse(answer, format, output)
    _check_room(answer, format, output)
    with writing_bytes(output) as file:
        if format == "npy":
            _write_npy(answer, layout, file, archive=output.endswith(".npz"))
        elif _is_sparse(format, output):
            from .large import write_sparse

            for result in _shown(answer):
                write_sparse(file, result, layout)
        else:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            _write_text(answer, format, text, precision, layout, Look())
            text.detach()


def _write_text(answer: Answer, format: str, stream: TextIO, precision: int | None, layout: str, look: Look) -> None:
    if format in ("table", "structured"):
        from .screen import screen_of

        complete = format == "structured"
        show(screen_of(answer, look=look, precision=precision, layout=layout, complete=complete), stream, look)
    elif format == "json":
        from .json_output import json_text

        stream.writelines(json_text(answer, precision=precision, layout=layout))
    else:
        from .documents import latex, markdown

        _refuse(answer, format, "")
        writers: dict[str, Callable[[Result, int | None, str], Iterator[str]]]
        writers = {"plain": _plain, "csv": _csv, "latex": latex, "markdown": markdown, "mtx": _mtx}
        for number, result in enumerate(_shown(answer)):
            if number:
                stream.write("\n")
            stream.writelines(writers[format](result, precision, layout))


def _shown(answer: Answer) -> list[Result]:
    """Return the derivatives, or the value where that was asked for."""
    value = value_result(answer)
    return list(answer.results) or ([] if value is None else [value])


def only_one(answer: Answer, format: str, output: str) -> Result:
    """Return the derivative of an answer, or its value; UsageProblem where the file would have to hold several."""
    _refuse(answer, format, output)
    return _shown(answer)[0]


def _refuse(answer: Answer, format: str, output: str) -> None:
    """Refuse several derivatives where the format holds one array."""
    count = len(_shown(answer))
    single = format in ("csv", "npy", "mtx", "zarr") or _is_sparse(format, output)
    if count < 2 or not single or (format == "npy" and output.endswith(".npz")):
        return
    head = f"{'a sparse matrix' if format == 'structured' else format} holds one derivative, and there are {count}"
    helps = ["all in one file: --format npy -o derivatives.npz", "or one name at a time: give --wrt once"]
    raise UsageProblem(head, place=f"-o {output}" if output else f"--format {format}", helps=helps)


def _is_sparse(format: str, output: str) -> bool:
    """Whether a file takes a sparse matrix: the one way to keep structure in an archive of NumPy."""
    return format == "structured" and output.endswith(".npz")


def _check_room(answer: Answer, format: str, output: str) -> None:
    """Refuse a file that the disk has no room for, before it is begun."""
    if format == "npy" and any(result.compressed is not None for result in answer.results):
        from .large import check_room

        check_room(output, sum(prod(result.shape) * 8 for result in answer.results))


def _plain(result: Result, precision: int | None, layout: str) -> Iterator[str]:
    """Yield rows of numbers between tabs; a vector is one number per line, blocks are parted by blank lines."""
    write = every_digit(precision)
    seen = view(result, layout)
    for number, block in enumerate(seen.data):
        if number:
            yield "\n"
        for row in block:
            yield "\t".join(map(write, row.tolist())) + "\n"


def _csv(result: Result, precision: int | None, layout: str) -> Iterator[str]:
    """Yield a header and rows: up to two axes the matrix under its column labels, beyond one line per entry."""
    write = every_digit(precision)
    seen = view(result, layout)
    if not seen.leading:
        columns = seen.data.shape[2]
        labels = [seen.column_label(0, column) for column in range(columns)] if seen.columns else []
        yield _csv_row(labels or [seen.column_name or ", ".join(seen.names_of(seen.rows)) or "value"])
        for row in seen.data[0]:
            yield ",".join(map(write, row.tolist())) + "\n"
        return
    arranged = apply_layout(result, layout)
    samples = ["sample"] if arranged.data.ndim > len(arranged.axes) else []
    yield _csv_row([*samples, *arranged.axes, "value"])
    for index, value in np.ndenumerate(arranged.data):
        yield ",".join([*map(str, index), write(float(value))]) + "\n"


def _csv_row(labels: list[str]) -> str:
    quoted = ['"' + label.replace('"', '""') + '"' if set(label) & set(',"\n\r') else label for label in labels]
    return ",".join(quoted) + "\n"


def _mtx(result: Result, precision: int | None, layout: str) -> Iterator[str]:
    from .large import matrix_market

    return matrix_market(result, precision, layout)


def _npy_to_stream(answer: Answer, layout: str, stream: TextIO) -> None:
    _refuse(answer, "npy", "")
    if stream.isatty():
        helps = ["write a file: --format npy -o result.npy"]
        raise UsageProblem("npy is binary, and standard output is a terminal", place="--format npy", helps=helps)
    stream.flush()
    _write_npy(answer, layout, stream.buffer, archive=False)
    stream.buffer.flush()


def _write_npy(answer: Answer, layout: str, file: IO[bytes], archive: bool) -> None:
    results = {",".join(result.wrt) or "value": result for result in _shown(answer)}
    if not archive:
        for result in results.values():
            _write_array(file, result, layout)
        return
    import zipfile

    with zipfile.ZipFile(file, "w") as members:
        for name, result in results.items():
            with members.open(f"{name}.npy", "w", force_zip64=True) as member:
                _write_array(member, result, layout)


def _write_array(file: IO[bytes], result: Result, layout: str) -> None:
    if result.compressed is not None:
        from .large import write_blocks

        write_blocks(file, result, layout)
    else:
        data = np.asarray(apply_layout(result, layout).data, "<f8", "C")
        header = {"descr": "<f8", "fortran_order": False, "shape": data.shape}
        # NumPy's own writer goes past the file object, and past what is said where a disk is full.
        np.lib.format.write_array_header_1_0(file, header)
        file.write(data.data if data.size else b"")
