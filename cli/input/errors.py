"""Every complaint about an input, one function each, so that their wording can be read side by side.

Each function returns the error for its caller to raise. Texts that can be shown come as a `Source` and a span; arrays
in binary files have only a place, such as `data.npz: A[1, 0]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...core.amounts import memory, rounded_up
from ...core.errors import InputError, Label, Source, Span, UsageProblem


class Destination(NamedTuple):
    """Where a value goes: its name in messages, and the words that are typed before it.

    Example: `Destination("A", "-v A=")`, `Destination("tangent", "--tangent ")`.
    """

    name: str
    prefix: str

    @property
    def option(self) -> str:
        """The option alone, as in `-v A`, to stand where a file name would."""
        return self.prefix.rstrip("= ")

    @classmethod
    def of(cls, name: str) -> Destination:
        """Return the destination of an input: `-v NAME=`."""
        return cls(name, f"-v {name}=")


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `count(2, "row")` is `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quoted(names: Sequence[str], limit: int = 12) -> str:
    """Names in a row, at most `limit` of them: "`a`, `b`"."""
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


# The command line


def malformed_variable(text: str) -> UsageProblem:
    """`-v` without a name and a value."""
    place = f"-v {text}"
    helps = ["-v A='[1, 2]', -v A='[1 2; 3 4]', -v A=@A.npy"]
    return UsageProblem("`-v` needs NAME=VALUE", place=place, helps=helps)


def malformed_name(name: str, text: str) -> UsageProblem:
    """`-v` with something before the `=` that no expression can contain as a name."""
    note = "a name is letters, digits and `_`, and does not begin with a digit"
    return UsageProblem(f"`{name}` is not a name", place=f"-v {text}", notes=[note])


def repeated_variable(name: str) -> UsageProblem:
    """`-v` twice for one name."""
    return UsageProblem(f"`{name}` is given twice", place=f"-v {name}", helps=[f"keep one `-v {name}=...`"])


def standard_input_taken(place: str) -> UsageProblem:
    """`-` asked for where standard input has another use."""
    note = "`--lines` reads standard input line by line"
    return UsageProblem("standard input can be used only once", place=place, notes=[note])


def terminal(place: str) -> InputError:
    """`-` asked for while standard input is the keyboard; `place` is the option with it."""
    helps = [f"matgrad ... {place} < FILE", f"printf '...' | matgrad ... {place}"]
    return InputError("standard input is a terminal", place=place, helps=helps)


def not_a_value(destination: Destination, text: str, file: str | None, listed: bool) -> InputError:
    """Report a value that is neither a number, nor a list, nor `@FILE`.

    `file` is what to offer where it names a file; `listed` says that square brackets would make it a list.
    """
    prefix = destination.prefix
    label = "expected a number, a list or `@FILE`"
    helps = [f"{prefix}3, {prefix}'[1, 2]', {prefix}'[1 2; 3 4]' or {prefix}@A.npy"]
    if file is not None:
        label, helps = "this looks like the name of a file", [f"{prefix}@{file}"]
    elif listed:
        label, helps = "a list has square brackets", [f"{prefix}'[{text}]'"]
    head = f"the value of `{destination.name}` is not a number"
    return InputError(head, Label((0, max(1, len(text))), label), source=Source(destination.option, text), helps=helps)


# Files


def no_such_file(path: str, prefix: str, near: Sequence[str]) -> InputError:
    """Report a path that does not exist, after the `prefix` that was typed before it; `near` are similar names."""
    helps = [f"did you mean `{prefix}{name}`?" for name in near[:3]]
    if path.lstrip().startswith(("{", "[")):
        helps = [f"printf '%s' '{path}' | matgrad ... {prefix}-", "-v NAME=VALUE"]
    return InputError("there is no such file", place=prefix + path, helps=helps)


def unreadable_file(path: str, problem: OSError | ValueError) -> InputError:
    """Report a directory, a file without permission, or a failing disk."""
    reason = (getattr(problem, "strerror", None) or str(problem)).lower()
    return InputError(f"cannot read `{path}`: {reason}", place=path)


def empty_file(name: str, prefix: str) -> InputError:
    """Nothing, or only blanks, where inputs were asked for; one array is wanted where the `prefix` ends with `@`."""
    what = "standard input was empty" if name == "stdin" else f"`{name}` is empty"
    one, several = "give a number or a list, as in `[1, 2]`", 'give a JSON object, as in `{"a": [1, 2], "b": 3}`'
    return InputError(what, place=name, helps=[one if prefix.endswith("@") else several])


def not_text(name: str, kind: str, helps: Sequence[str]) -> InputError:
    """Bytes that are no array file and no UTF-8 text."""
    return InputError(f"cannot read {kind}", place=name, helps=list(helps))


def needs_a_name(name: str, kind: str, destination: Destination) -> InputError:
    """Report a single array (.npy, .csv, .mtx) where an object of named inputs is needed."""
    value = "@-" if name == "stdin" else f"@{name}"
    note = f"this is {kind}: one array, without a name"
    helps = [f"{destination.prefix}{value}"]
    return InputError("inputs must be a JSON object or an .npz archive", place=name, notes=[note], helps=helps)


def no_heading(name: str, columns: Sequence[str], destination: Destination) -> InputError:
    """Report a table none of whose headings is a name in the expression."""
    place = "@-" if name == "stdin" else f"@{name}"
    notes = [f"its columns are {quoted(columns)}"]
    helps = [f"{destination.prefix}{place}:{columns[0]} takes a column by its heading"]
    return InputError("no column of the table is a name in the expression", place=name, notes=notes, helps=helps)


def part_not_possible(path: str, part: str, kind: str) -> InputError:
    """`@FILE:PART` for a file that has no parts."""
    note = f"only .npz archives, JSON objects and tables have parts; this is {kind}"
    head = f"there is no part `{part}` in `{path}`"
    return InputError(head, place=f"@{path}:{part}", notes=[note], helps=[f"@{path}"])


def no_such_part(path: str, part: str, keys: Sequence[str]) -> InputError:
    """Report a key that an archive or a JSON object lacks."""
    note = f"it has {quoted(keys)}" if keys else "it is empty"
    return InputError(f"there is no `{part}` in `{path}`", place=f"@{path}:{part}", notes=[note])


def which_part(path: str, keys: Sequence[str]) -> InputError:
    """Report an archive or a JSON object of several arrays, none of them chosen."""
    if not keys:
        return InputError(f"`{path}` holds no array", place=path)
    note = f"it has {quoted(keys)}"
    return InputError(f"`{path}` holds {len(keys)} arrays", place=path, notes=[note], helps=[f"@{path}:{keys[0]}"])


def choose(path: str, part: str | None, keys: Sequence[str]) -> str:
    """Return the part of a file that is meant, the only one where none is named, or raise what there is to choose."""
    if part is not None and part not in keys:
        raise no_such_part(path, part, keys)
    if part is None and len(keys) != 1:
        raise which_part(path, keys)
    return keys[0] if part is None else part


def needs_library(path: str, what: str, library: str) -> InputError:
    """Report a file that a library reads which is not installed."""
    helps = ['pip install "matgrad[data]"']
    return InputError(f"{what} needs {library}, which is not installed", place=f"@{path}", helps=helps)


def not_a_part(pattern: str, path: str) -> InputError:
    """Report a file among the parts of an array that holds none."""
    notes = [f"`{path}` is no .npy, HDF5, zarr or Parquet file"]
    return InputError("not all of the parts are arrays", place=f"@{pattern}", notes=notes)


def parts_differ(
    pattern: str, path: str, shape: tuple[int, ...], other: str, other_shape: tuple[int, ...]
) -> InputError:
    """Report parts that do not fit below each other."""
    notes = [f"`{one}` has shape ({', '.join(map(str, own))})" for one, own in ((path, shape), (other, other_shape))]
    return InputError("the parts differ in the shape of a sample", place=f"@{pattern}", notes=notes)


# Arrays


def damaged(place: str, kind: str) -> InputError:
    """Report an .npy or .npz file that ends early or is garbled."""
    return InputError(f"the {kind} file is damaged or incomplete", place=place)


def pickled(place: str) -> InputError:
    """Report an .npy file of Python objects, which only running code from the file could load."""
    note = "it holds pickled Python objects, which could run code when loaded"
    helps = ["numpy.save(FILE, array.astype(float))"]
    return InputError("the array does not hold numbers", place=place, notes=[note], helps=helps)


def not_real(place: str, kind: str) -> InputError:
    """Report an array of complex numbers, text, dates or records."""
    helps = ["numpy.save(FILE, array.real)"] if kind == "complex numbers" else []
    return InputError(f"the array holds {kind}, not real numbers", place=place, helps=helps)


def not_finite(name: str, place: str, value: float) -> InputError:
    """NaN or an infinity in a binary file."""
    return InputError(f"input `{name}` is not finite", place=place, notes=[f"the value there is {value}"])


def empty_array(name: str, place: str, shape: tuple[int, ...]) -> InputError:
    """Report an array without entries."""
    note = f"its shape is ({', '.join(map(str, shape))})"
    return InputError(f"input `{name}` is empty", place=place, notes=[note], helps=["give it at least one number"])


def too_large(place: str, what: str, size: int, limit: int) -> InputError:
    """Report what needs more memory than an input may take."""
    message = f"{what} needs {memory(size)}; the limit is {memory(limit)}"
    raised = memory(rounded_up(size), round_up=True)
    return InputError(message, place=place, helps=[f"raise the limit: --max-memory {raised}"])


# JSON


def malformed_json(source: Source, span: Span, label: str, notes: Sequence[str], helps: Sequence[str]) -> InputError:
    """Text that is not JSON, with what was expected and what to do about it."""
    head = "inputs are not valid JSON"
    if source.name.startswith("-"):
        head = f"`{source.name}` is not a valid list"
        helps = helps or ["[1, 2] for a vector, [1 2; 3 4] or [[1, 2], [3, 4]] for a matrix"]
    return InputError(head, Label(span, label), source=source, notes=list(notes), helps=list(helps))


def nested_too_deeply(source: Source) -> InputError:
    """Report lists within lists beyond what an array can have."""
    return InputError("the lists are nested too deeply", place=source.name, notes=["an array has at most 32 axes"])


def duplicate_key(source: Source, key: str, first: Span, second: Span) -> InputError:
    """One name with two values."""
    labels = [Label(second, "again here"), Label(first, "first here", primary=False)]
    return InputError(f"`{key}` is given twice", *labels, source=source, helps=[f"keep one `{key}`"])


def not_an_object(source: Source, span: Span, kind: str, destination: Destination | None) -> InputError:
    """Report a JSON list or number where named inputs are needed; `destination` could take it instead."""
    value = "@-" if source.name == "stdin" else f"@{source.name}"
    helps = ['{"NAME": ...}'] if destination is None else [destination.prefix + value]
    return InputError("inputs must be a JSON object", Label(span, f"this is {kind}"), source=source, helps=helps)


def not_rectangular(name: str, place: str, notes: Sequence[str]) -> InputError:
    """Report a nested list whose rows differ in length or depth."""
    helps = ["every row of a matrix must be as long as the first"]
    return InputError(f"input `{name}` is not rectangular", place=place, notes=list(notes), helps=helps)


def not_a_number(name: str, source: Source, span: Span, label: str, helps: Sequence[str]) -> InputError:
    """Report a boolean, null, text or object among the numbers."""
    head = f"input `{name}` is not made of numbers"
    return InputError(head, Label(span, label), source=source, helps=list(helps))


def not_finite_text(name: str, source: Source, span: Span, label: str) -> InputError:
    """NaN, Infinity or a number beyond the range of a double, with its place in the text."""
    return InputError(f"input `{name}` is not finite", Label(span, label), source=source)


# Tables and Matrix Market files


def not_a_cell(source: Source, span: Span, label: str, helps: Sequence[str]) -> InputError:
    """Report a cell of a table that is not a finite number."""
    head = "the table holds a cell that is not a number"
    return InputError(head, Label(span, label), source=source, helps=list(helps))


def uneven_row(source: Source, span: Span, cells: int, expected: int) -> InputError:
    """Report a row with more or fewer cells than the first."""
    label = f"{count(cells, 'cell')}, the first row has {expected}"
    return InputError("the rows of the table differ in length", Label(span, label), source=source)


def no_rows(name: str) -> InputError:
    """Report a table of nothing but a header or comments."""
    return InputError(f"`{name}` has no rows of numbers", place=name)


def no_such_column(path: str, part: str, names: Sequence[str], columns: int, near: Sequence[str]) -> InputError:
    """Report a column that is not there; a table without a header has only numbers."""
    headless = f"it has no header and {count(columns, 'column')}, counted from 0"
    note = f"its columns are {quoted(names)}" if names else headless
    helps = [f"@{path}:{name}" for name in near[:1]]
    return InputError(f"there is no column `{part}` in `{path}`", place=f"@{path}:{part}", notes=[note], helps=helps)


def ambiguous_column(path: str, part: str, indices: Sequence[int]) -> InputError:
    """Report a column name that the header has twice."""
    note = f"columns {', '.join(map(str, indices))} have this name"
    helps = [f"@{path}:{indices[0]}"]
    head = f"the column `{part}` is not unique in `{path}`"
    return InputError(head, place=f"@{path}:{part}", notes=[note], helps=helps)


def malformed_matrix_market(source: Source, span: Span, label: str) -> InputError:
    """Report a .mtx file that breaks the rules of its format."""
    return InputError("not a valid Matrix Market file", Label(span, label), source=source)
