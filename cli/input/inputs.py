"""The values that a command computes with: from `-v`, from `-i`, and from standard input for names still unbound."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...core.errors import Source, Span
from . import errors
from .errors import Destination
from .files import KIND_NAMES, Document, kind_of, load_array, names_a_file, open_document, split_part, text_of
from .numpy_files import checked, npz_names, read_npz
from .sparse_matrices import is_archive
from .standard_input import StdinReader

if TYPE_CHECKING:
    from ...core.problems.answer import Input, Warning
    from .stored import Stored

_NAME = re.compile(r"[^\W\d]\w*")
_NUMBERS = re.compile(r"(?=\D*\d)[-+.\deE,;\s\"]*")


class Reading(NamedTuple):
    """The inputs that the expression needs, and a warning for each that it does not.

    `offered` says where inputs were looked for: files, and standard input where it is more than a terminal.
    """

    inputs: dict[str, Input]
    warnings: list[Warning]
    offered: Sequence[str] = ()


def read_inputs(
    needed: Mapping[str, Span],
    variables: Sequence[str],
    files: Sequence[str],
    *,
    declared: Container[str],
    stdin: StdinReader | None,
    unasked: bool = True,
) -> Reading:
    """Return the inputs of an expression whose free names are `needed`.

    Example: `read_inputs({"a": (0, 1)}, ["a=[1, 2]"], [], declared=(), stdin=StdinReader()).inputs["a"].value`.

    `variables` (`-v NAME=VALUE`) win over `files` (`-i`), of which the last wins. Standard input is read for `-`, and
    where `unasked` is True when names are unbound that are not `declared` to have a shape; never from a terminal, and
    an empty one counts as none. `stdin` is None where standard input has another use. Raises InputError and
    UsageProblem.
    """
    typed = _typed_variables(variables)
    found: dict[str, Input | str] = {}
    for path in files:
        found |= _named_values(open_document(path, "-i ", stdin), needed)
    for name, text in typed.items():
        found[name] = read_value(text, Destination.of(name), stdin)
    unbound = [name for name in needed if name not in found and name not in declared]
    used = "-" in files or any(text.startswith("@") and split_part(text[1:])[0] == "-" for text in typed.values())
    offered = ["standard input" if path == "-" else path for path in files]
    if unbound and unasked and stdin is not None and not used and not stdin.is_terminal:
        document = Document("stdin", stdin.read())
        found = ({} if document.blank else _named_values(document, needed, unbound)) | found
        offered += ["standard input"] if stdin.is_offered else []
    return _reading(found, needed, declared)._replace(offered=tuple(offered))


def stored_inputs(names: Container[str], variables: Sequence[str]) -> dict[str, Stored]:
    """Return those of the named inputs that are files of arrays, none of whose samples is read.

    Example: `stored_inputs(["X"], ["X=@X.npy"])["X"].shape`. Raises as `read_inputs`.
    """
    from .stored import kind_on_disk, open_stored

    found: dict[str, Stored] = {}
    for name, text in _typed_variables(variables).items():
        text = _bare(text)
        if name in names and text.startswith("@"):
            path, part = split_part(text[1:])
            kind = kind_on_disk(path)
            if kind is not None:
                found[name] = open_stored(kind, path, part, Destination.of(name))
    return found


def read_value(text: str, destination: Destination, stdin: StdinReader | None) -> Input:
    """Return the input that a VALUE means: a number, a list, `[1 2; 3 4]`, `@FILE`, `@FILE:PART` or `@-`.

    Example: `read_value("[1, 2]", Destination("tangent", "--tangent "), stdin)`. Raises InputError.
    """
    from ...core.problems.answer import Input
    from .values import parse_value

    text = _bare(text)
    if not text.startswith("@"):
        file = text if names_a_file(text) else None
        return Input(parse_value(text, destination, file), destination.option.split()[0])
    from .stored import kind_on_disk, open_stored

    path, part = split_part(text[1:])
    kind = kind_on_disk(path)
    if kind is not None and kind != "npy":
        found = open_stored(kind, path, part, destination)
        return Input(found.whole(), found.place)
    document = open_document(path, f"{destination.prefix}@", stdin)
    return Input(load_array(document, part, destination), document.name)


def _bare(text: str) -> str:
    """Return a value without the quotes that some shells hand over."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == "'" else text


def _typed_variables(variables: Sequence[str]) -> dict[str, str]:
    """Return the names and texts of `-v NAME=VALUE`."""
    typed: dict[str, str] = {}
    for text in variables:
        name, equals, value = (piece.strip() for piece in text.partition("="))
        if not (name and equals and value):
            raise errors.malformed_variable(text)
        if not _NAME.fullmatch(name):
            raise errors.malformed_name(name, text)
        if name in typed:
            raise errors.repeated_variable(name)
        typed[name] = value
    return typed


def _named_values(
    document: Document, needed: Mapping[str, Span], unbound: Sequence[str] | None = None
) -> dict[str, Input | str]:
    """Return the inputs in a JSON object or an .npz archive; for names that are not needed, only where they are."""
    from ...core.problems.answer import Input

    example = Destination.of(next(iter(unbound or needed), "NAME"))
    kind = kind_of(document)
    if kind == "npz":
        names = npz_names(document.data, document.name)
        if is_archive(names) and not {*names} & {*needed}:
            raise errors.needs_a_name(document.name, "a sparse matrix", example)
        arrays = read_npz([name for name in names if name in needed], document.data, document.name)
        return {name: Input(arrays[name], document.name) if name in arrays else document.name for name in names}
    if kind == "table":
        from .csv_tables import headings

        columns = headings(text_of(document))
        if columns:
            return _columns(document, [name for name in columns if name in needed], columns, example)
    if kind in ("npy", "mtx") or (kind == "table" and _is_table(document)):
        raise errors.needs_a_name(document.name, KIND_NAMES[kind], example)
    return object_values(text_of(document), needed, example)


def _columns(
    document: Document, chosen: Sequence[str], columns: Sequence[str], example: Destination
) -> dict[str, Input | str]:
    """Return the columns of a table whose headings are names in the expression; it may well have others."""
    from ...core.problems.answer import Input
    from .csv_tables import read_table

    if not chosen:
        raise errors.no_heading(document.name, columns, example)
    arrays = {name: checked(name, read_table(text_of(document), name), document.name) for name in chosen}
    return {name: Input(array, document.name) for name, array in arrays.items()}


def object_values(source: Source, needed: Mapping[str, Span], example: Destination | None) -> dict[str, Input | str]:
    """Return the inputs in a JSON object, of which only the needed ones are looked into."""
    from ...core.problems.answer import Input
    from .json_arrays import read_object, to_array

    values = read_object(source, example)
    return {
        name: Input(to_array(name, value, source, (name,)), source.name) if name in needed else source.name
        for name, value in values.items()
    }


def _is_table(document: Document) -> bool:
    """Whether one of the first lines holds numbers and nothing else, as JSON never does."""
    return any(_NUMBERS.fullmatch(line) for line in text_of(document).text.splitlines()[:3])


def _reading(found: Mapping[str, Input | str], needed: Mapping[str, Span], declared: Container[str]) -> Reading:
    """Part what is needed from what is not, and say what the latter could have meant."""
    from ...core.problems.answer import Input, Warning

    inputs = {name: value for name in needed if isinstance(value := found.get(name), Input)}
    missing = [name for name in needed if name not in found and name not in declared]
    warnings = []
    for name, value in found.items():
        if name in needed:
            continue
        origin = value.source if isinstance(value, Input) else value
        similar = [other for other in missing if other.lower() == name.lower()]
        notes = [f"`{other}` has no value: upper and lower case differ" for other in similar]
        head = f"input `{name}` ({origin}) is not in the expression"
        warnings.append(Warning(head, notes=notes, code="surplus-input"))
    return Reading(inputs, warnings)
