"""Files and standard input: their bytes, what they hold, and the one array that `@FILE:PART` means.

What a file holds is read off its first bytes, not off its name, so that a pipe works wherever a file does.
"""

from __future__ import annotations

import codecs
import os
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...core.errors import InputError, Source
from . import errors
from .errors import Destination
from .numpy_files import NPY_MAGIC, NPZ_MAGIC, checked, npz_names, read_npy, read_npz
from .room import ask_for, read_within
from .sparse_matrices import is_archive, read_archive
from .standard_input import StdinReader

if TYPE_CHECKING:
    from ...core.arrays import Array

Kind = Literal["npy", "npz", "mtx", "json", "table"]

KIND_NAMES = {"npy": "an .npy file", "mtx": "a Matrix Market file", "table": "a table of numbers"}

_ENDINGS = (".npy", ".npz", ".json", ".csv", ".tsv", ".txt", ".dat", ".mtx")

_FOREIGN = {
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"MATLAB 5.0": "a MATLAB file",
    b"\x1f\x8b": "a gzip file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


class Document(NamedTuple):
    """The bytes of a file, and the name that messages call it by: its path, or `stdin`."""

    name: str
    data: bytes

    @property
    def blank(self) -> bool:
        """Whether there is nothing but blanks in it."""
        return not self.data or self.data.isspace()


def open_document(path: str, prefix: str, stdin: StdinReader | None) -> Document:
    """Return the bytes of a file, or of standard input for `-`.

    Example: `open_document("data.json", "-i ", stdin)`. `prefix` is what was typed before the path, for messages.
    Raises InputError where there is no such file or nothing in it, UsageProblem where standard input has another use.
    """
    if path == "-":
        document = Document("stdin", _standard_input(f"{prefix}-", stdin))
    else:
        try:
            with open(path, "rb") as file:
                ask_for(os.fstat(file.fileno()).st_size, path, "reading the file")
                document = Document(path, read_within(file, path))
        except FileNotFoundError:
            raise errors.no_such_file(path, prefix, _near(path)) from None
        except (OSError, ValueError) as error:
            raise errors.unreadable_file(path, error) from None
    if document.blank:
        raise errors.empty_file(document.name, prefix)
    return document


def kind_of(document: Document) -> Kind:
    """Return what a document holds, told by its content: text that is neither JSON nor Matrix Market is a table."""
    data = document.data
    if data.startswith(NPY_MAGIC):
        return "npy"
    if data.startswith(NPZ_MAGIC):
        return "npz"
    start = data[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"%%MatrixMarket"):
        return "mtx"
    lone_number = len(data) < 64 and re.fullmatch(rb"[-+.\deE]+", data.strip())
    if start[:1] in (b"{", b"[") or lone_number or document.name.endswith(".json"):
        return "json"
    return "table"


def text_of(document: Document) -> Source:
    """Return the text of a document in UTF-8, with or without a byte order mark; InputError where it is none."""
    data, name = document.data, document.name
    for magic, kind in _FOREIGN.items():
        if data.startswith(magic):
            raise _not_text(document, kind)
    try:
        return Source(name, data.removeprefix(codecs.BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        kind = f"text that is not in UTF-8 (byte {error.start} is 0x{data[error.start]:02x})"
        raise _not_text(document, kind) from None


def load_array(document: Document, part: str | None, destination: Destination) -> Array:
    r"""Return the one array of a document, or the part of it that is named.

    Example: `load_array(Document("data.csv", b"a,b\n1,2\n"), "b", Destination.of("x"))` is `[2.0]`. A part is the key
    of an archive or of a JSON object, or the columns of a table.
    """
    name, kind = destination.name, kind_of(document)
    if kind == "npz":
        names = npz_names(document.data, document.name)
        if part is None and is_archive(names):
            return read_archive(name, document.data, document.name)
        key = errors.choose(document.name, part, names)
        return read_npz([key], document.data, document.name)[key]
    if kind == "table":
        from .csv_tables import read_table

        return checked(name, read_table(text_of(document), part), document.name)
    if kind == "json":
        return _json_array(document, part, name)
    if part is not None:
        raise errors.part_not_possible(document.name, part, KIND_NAMES[kind])
    if kind == "npy":
        return read_npy(name, document.data, document.name)
    from .matrix_market import read_matrix_market

    return read_matrix_market(name, text_of(document))


def split_part(reference: str) -> tuple[str, str | None]:
    """Return the path and the part of `FILE:PART`; a colon that belongs to the path of an existing file is left alone.

    Example: `split_part("data.csv:price")` is `("data.csv", "price")`.
    """
    colons = [match.start() for match in re.finditer(":", reference)]
    if not colons or os.path.exists(reference):
        return reference, None
    drive = re.match(r"[A-Za-z]:[\\/]", reference)
    usable = [colon for colon in colons if not (drive and colon == 1)]
    known = [colon for colon in usable if os.path.exists(reference[:colon])]
    colon = next(iter(known or usable), len(reference))
    return reference[:colon], reference[colon + 1 :] or None


def names_a_file(text: str) -> bool:
    """Whether a value was probably meant as `@FILE`."""
    return split_part(text)[0].lower().endswith(_ENDINGS) or os.path.isfile(text)


def _json_array(document: Document, part: str | None, name: str) -> Array:
    from .json_arrays import read_json, to_array

    source = text_of(document)
    value = read_json(source)
    if isinstance(value, dict):
        key = errors.choose(document.name, part, list(value))
        return to_array(name, value[key], source, (key,))
    if part is not None:
        raise errors.part_not_possible(document.name, part, "a JSON list or number")
    return to_array(name, value, source, ())


def _standard_input(place: str, stdin: StdinReader | None) -> bytes:
    if stdin is None:
        raise errors.standard_input_taken(place)
    if stdin.is_terminal:
        raise errors.terminal(place)
    return stdin.read()


def _near(path: str) -> list[str]:
    """Files that the path could have meant: a similar name, or another ending."""
    import difflib

    folder, base = os.path.split(path)
    try:
        names = [name for name in sorted(os.listdir(folder or ".")) if name.lower().endswith(_ENDINGS)]
    except OSError:
        return []
    stem = os.path.splitext(base)[0]
    near = difflib.get_close_matches(base, names, 3, 0.7)
    near += [name for name in names if os.path.splitext(name)[0] == stem and name not in near]
    return [os.path.join(folder, name) for name in near]


def _not_text(document: Document, kind: str) -> InputError:
    name = document.name
    helps = ["inputs are JSON, .npz, .npy, .csv or .mtx"]
    if "UTF-" in kind:
        convert = f"iconv -f {'UTF-16' if 'UTF-16' in kind else 'LATIN1'} -t UTF-8"
        in_file = f"{convert} {name} > utf8-{os.path.basename(name)}"
        helps = [f"... | {convert} | matgrad ..." if name.startswith("stdin") else in_file]
    return errors.not_text(name, kind, helps)
