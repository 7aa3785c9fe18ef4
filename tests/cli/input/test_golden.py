"""Every complaint about an input, compared with the words, place and caret that a golden file holds.

After a change of wording, `MATGRAD_WRITE_GOLDEN=1 pytest tests/cli/input/test_golden.py` writes the files anew.
"""

from __future__ import annotations

import functools
import inspect
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from matgrad.cli.input import errors
from matgrad.cli.input.inputs import read_inputs
from matgrad.cli.input.json_lines import read_lines
from matgrad.cli.input.standard_input import StdinReader
from matgrad.core.errors import MatgradError

GOLDEN = Path(__file__).parent / "golden"
NEEDED = {"A": (0, 1), "b": (4, 5)}


class Terminal(io.BytesIO):
    """A keyboard that nobody types on."""

    def isatty(self) -> bool:
        return True


@dataclass
class Case:
    """What a person does wrong: options, files in the folder, and what stands on standard input."""

    name: str
    variables: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    files: dict[str, str | bytes] = field(default_factory=dict)
    stdin: str | bytes = ""
    lines: bool = False
    terminal: bool = False
    missing: str = ""


def npy(array: object, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array), **options)
    return stream.getvalue()


def npz(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{name: np.asarray(array) for name, array in arrays.items()})
    return stream.getvalue()


def piped(name: str, stdin: str | bytes) -> Case:
    return Case(name, stdin=stdin)


def typed(name: str, *variables: str, **files: str | bytes) -> Case:
    return Case(name, list(variables), files={key.replace("_", "."): value for key, value in files.items()})


def given(name: str, path: str, **files: str | bytes) -> Case:
    return Case(name, inputs=[path], files={key.replace("_", "."): value for key, value in files.items()})


TABLE = "area,rooms,price\n50,2,100\n60,3,120\n"
MTX = "%%MatrixMarket matrix coordinate real general\n% a comment\n2 2 2\n1 1 5\n2 2 7\n"

CASES = [
    piped("json_missing_comma", '{"a": [1, 2], "b": 3 4}'),
    piped("json_missing_comma_in_list", '{"A": [1 2]}'),
    piped("json_missing_colon", '{"A" [1, 2]}'),
    piped("json_missing_value", '{"A": }'),
    piped("json_unclosed_object", '{"A": [1, 2]\n'),
    piped("json_unclosed_list", '{"A": [[1, 2], [3, 4]}'),
    piped("json_unclosed_list_at_end", '{"A":\n  [1, 2,\n   3\n'),
    piped("json_unclosed_string", '{"A: [1, 2]}'),
    piped("json_bad_escape", '{"A\\q": [1, 2]}'),
    piped("json_trailing_comma_in_list", '{"A": [1, 2,]}'),
    piped("json_trailing_comma_in_object", '{"A": [1, 2],\n}'),
    piped("json_single_quotes", "{'A': [1, 2]}"),
    piped("json_unquoted_key", "{A: [1, 2]}"),
    piped("json_unquoted_second_key", '{"A": 1, b: 2}'),
    piped("json_comment", '{"A": [1, 2] # rows\n}'),
    piped("json_slash_comment", '// inputs\n{"A": [1, 2]}'),
    piped("json_tuple", '{"A": (1, 2)}'),
    piped("json_semicolon", '{"A": [1, 2; 3, 4]}'),
    piped("json_leading_point", '{"A": [.5, 1]}'),
    piped("json_trailing_point", '{"A": [1, 2.]}'),
    piped("json_plus", '{"A": +1}'),
    piped("json_leading_zero", '{"A": 007}'),
    piped("json_none", '{"A": [1, None]}'),
    piped("json_nan_in_lower_case", '{"A": [1, nan]}'),
    piped("json_word", '{"A": [1, x]}'),
    piped("json_several_objects", '{"A": 1, "b": 2}\n{"A": 3, "b": 4}\n'),
    piped("json_extra_bracket", '{"A": 1}]'),
    piped("json_prose", "hello"),
    piped("json_duplicate_key", '{"A": [1], "b": 2, "A": [3]}'),
    piped("json_duplicate_key_inside", '{"b": 1, "A": {"x": 1,\n "x": 2}}'),
    piped("json_duplicate_key_deep", '{"A": ' + "[" * 200 + '{"x": 1, "x": 2}' + "]" * 200 + "}"),
    piped("json_list", "[[1, 2], [3, 4]]"),
    piped("json_number", "3"),
    piped("json_ragged", '{"A": [[1, 2], [3]]}'),
    piped("json_ragged_depth", '{"A": [[1, 2], 3]}'),
    piped("json_ragged_number_first", '{"A": [1, [2, 3]]}'),
    piped("json_ragged_deep", '{"A": [[[1, 2], [3, 4]], [[5, 6], [7]]]}'),
    piped("json_ragged_matrices", '{"A": [[[1, 2], [3, 4]], [[5, 6]]]}'),
    piped("json_boolean", '{"A": [[1, 2], [true, 4]]}'),
    piped("json_null", '{"b": 1, "A": [[1, 2],\n [3, null]]}'),
    piped("json_text", '{"A": [[1, 2], ["3", 4]]}'),
    piped("json_object_inside", '{"A": {"rows": [1, 2]}}'),
    piped("json_nan", '{"A": [[1, 2], [NaN, 4]]}'),
    piped("json_minus_infinity", '{"A": -Infinity}'),
    piped("json_huge_float", '{"A": [1, 1e400]}'),
    piped("json_huge_integer", '{"A": [1, ' + "9" * 320 + "]}"),
    piped("json_longest_integer", '{"A": [1, ' + "9" * 5000 + "]}"),
    piped("json_empty_list", '{"A": []}'),
    piped("json_empty_rows", '{"A": [[], []]}'),
    piped("json_too_deep", '{"A": ' + "[" * 70 + "1" + "]" * 70 + "}"),
    piped("json_far_too_deep", '{"A": ' + "[" * 100000),
    Case("lines_malformed", stdin='{"A": 1}\n\n{"A": [1, 2,]}\n', lines=True),
    Case("lines_ragged", stdin='{"A": 1}\n{"A": [[1, 2], [3]]}\n', lines=True),
    Case("lines_not_finite", stdin='{"A": 1}\n{"A": NaN}\n', lines=True),
    Case("lines_list", stdin='{"A": 1}\n[1, 2]\n', lines=True),
    Case("lines_undecodable", stdin=b'{"A": 1}\n\xff\n', lines=True),
    Case("stdin_empty", inputs=["-"]),
    Case("stdin_terminal", inputs=["-"], terminal=True),
    Case("stdin_terminal_variable", ["A=@-"], terminal=True),
    Case("stdin_taken", ["A=@-"], lines=True),
    piped("stdin_npy", npy([1.0, 2.0])),
    piped("stdin_csv", "1,2\n3,4\n"),
    piped("stdin_csv_with_header", TABLE),
    piped("stdin_mtx", MTX),
    piped("stdin_utf16", '{"A": 1}'.encode("utf-16")),
    piped("stdin_gzip", b"\x1f\x8b\x08\x00"),
    given("file_missing", "dat.json", data_json="{}", date_json="{}", other_csv="1"),
    given("file_other_ending", "inputs.json", inputs_npz=npz(A=1.0)),
    given("file_inline", '{"A": 1}'),
    given("file_directory", "folder", **{"folder/x": "1"}),
    given("file_empty", "empty.json", empty_json=" \n"),
    given("file_npy", "A.npy", A_npy=npy([1.0])),
    given("file_csv", "data.csv", data_csv=TABLE),
    given("file_mtx", "A.mtx", A_mtx=MTX),
    given("file_utf16", "data.json", data_json='{"A": 1}'.encode("utf-16")),
    given("file_latin1", "data.json", data_json='{"Ä": 1}'.encode("latin-1")),
    given("file_hdf5", "data.h5", data_h5=b"\x89HDF\r\n\x1a\n"),
    given("file_malformed", "data.json", data_json='{"A": [1, 2,]}'),
    given("npz_not_finite", "data.npz", data_npz=npz(A=[[1.0, 2.0], [np.nan, 4.0]])),
    given("npz_damaged", "data.npz", data_npz=npz(A=[1.0])[:80]),
    typed("npz_which", "A=@data.npz", data_npz=npz(weights=[1.0], bias=[2.0])),
    typed("npz_key_missing", "A=@data.npz:wieghts", data_npz=npz(weights=[1.0], bias=[2.0])),
    typed("npz_empty", "A=@data.npz", data_npz=npz()),
    typed("npy_part", "A=@A.npy:key", A_npy=npy([1.0])),
    typed("npy_complex", "A=@A.npy", A_npy=npy([1j])),
    typed("npy_text", "A=@A.npy", A_npy=npy(["a"])),
    typed("npy_pickled", "A=@A.npy", A_npy=npy([None, 1], allow_pickle=True)),
    typed("npy_truncated", "A=@A.npy", A_npy=npy([1.0, 2.0])[:-3]),
    typed("npy_truncated_header", "A=@A.npy", A_npy=npy([1.0, 2.0])[:40]),
    typed("npy_infinite", "A=@A.npy", A_npy=npy(np.inf)),
    typed("npy_empty", "A=@A.npy", A_npy=npy(np.zeros((0, 3)))),
    typed("json_file_which", "A=@data.json", data_json='{"x": 1, "y": 2}'),
    typed("json_file_part", "A=@data.json:z", data_json="[1, 2]"),
    typed("csv_no_header", "A=@data.csv", data_csv="5.1,3.5,setosa\n4.9,3.0,setosa\n"),
    typed("csv_missing_in_first_row", "A=@data.csv", data_csv="1,NA,3\n4,5,6\n"),
    typed("csv_text_cell", "A=@data.csv", data_csv="area,city\n50,Rome\n60,Oslo\n"),
    typed("csv_empty_cell", "A=@data.csv", data_csv="1,2\n3,\n"),
    typed("csv_not_finite", "A=@data.csv", data_csv="1,2\n3,nan\n"),
    typed("csv_decimal_comma", "A=@data.csv", data_csv="x;y\n1,5;2,5\n"),
    typed("csv_uneven", "A=@data.csv", data_csv="1,2\n3,4,5\n"),
    typed("csv_uneven_beyond_the_choice", "A=@data.csv:0", data_csv="1,2\n3,4,5\n"),
    typed("csv_uneven_blanks", "A=@data.txt", data_txt="1 2\n3\n"),
    typed("csv_header_only", "A=@data.csv", data_csv="area,price\n"),
    typed("csv_comments_only", "A=@data.csv", data_csv="# nothing\n"),
    typed("csv_column_missing", "A=@data.csv:Price", data_csv=TABLE),
    typed("csv_column_beyond", "A=@data.csv:5", data_csv="1,2\n3,4\n"),
    typed("csv_column_twice", "A=@data.csv:x", data_csv="x,x\n1,2\n"),
    typed("mtx_complex", "A=@A.mtx", A_mtx="%%MatrixMarket matrix array complex general\n1 1\n1 0\n"),
    typed("mtx_header", "A=@A.mtx", A_mtx="%%MatrixMarket matrix\n1 1\n1\n"),
    typed("mtx_array_pattern", "A=@A.mtx", A_mtx="%%MatrixMarket matrix array pattern general\n1 1\n"),
    typed("mtx_size", "A=@A.mtx", A_mtx="%%MatrixMarket matrix coordinate real general\n2 2 x\n"),
    typed("mtx_no_size", "A=@A.mtx", A_mtx="%%MatrixMarket matrix array real general\n"),
    typed("mtx_count", "A=@A.mtx", A_mtx=MTX.replace("2 2 7\n", "")),
    typed("mtx_array_count", "A=@A.mtx", A_mtx="%%MatrixMarket matrix array real symmetric\n2 2\n1 2\n"),
    typed("mtx_word", "A=@A.mtx", A_mtx=MTX.replace("7", "seven")),
    typed("mtx_outside", "A=@A.mtx", A_mtx=MTX.replace("2 2 7", "3 2 7")),
    typed("mtx_not_square", "A=@A.mtx", A_mtx="%%MatrixMarket matrix array real symmetric\n2 3\n1 2 3\n"),
    typed("mtx_too_large", "A=@A.mtx", A_mtx="%%MatrixMarket matrix array real general\n1000000 1000000\n"),
    typed("parts_differ", "A=@part*.npy", part1_npy=npy([[1.0, 2.0]]), part2_npy=npy([[1.0]])),
    typed("parts_of_text", "A=@part*", part1_npy=npy([1.0]), part2_csv=TABLE),
    typed("parts_missing", "A=@part*.npy"),
    Case("hdf5_without_library", ["A=@data.h5:A"], files={"data.h5": b"\x89HDF\r\n\x1a\n"}, missing="h5py"),
    typed("variable_without_equals", "A"),
    typed("variable_without_value", "A="),
    typed("variable_bad_name", "2A=1"),
    typed("variable_twice", "A=1", "A=2"),
    typed("value_word", "A=hello"),
    typed("value_file", "A=data.csv", data_csv=TABLE),
    typed("value_list_without_brackets", "A=1, 2, 3"),
    typed("value_nan", "A=nan"),
    typed("value_huge", "A=1e400"),
    typed("value_malformed", "A=[1, 2"),
    typed("value_unclosed_rows", "A=[1 2; 3 4"),
    typed("value_object", 'A={"x": 1}'),
    typed("value_quoted", 'A=["1"]'),
    typed("value_ragged_json", "A=[[1, 2], [3]]"),
    typed("value_ragged_rows", "A=[1 2; 3]"),
    typed("value_nan_in_rows", "A=[1 2; 3 nan]"),
    typed("value_empty", "A=[]"),
    typed("value_missing_file", "A=@dat.csv:price", data_csv=TABLE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_message(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{described(case)}\n{rendered(failure(case, tmp_path, monkeypatch))}"
    golden = GOLDEN / f"{case.name}.txt"
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {case.name for case in CASES}


def test_every_complaint_has_a_golden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: set[str] = set()
    builders = {
        name: builder
        for name, builder in inspect.getmembers(errors, inspect.isfunction)
        if builder.__module__ == errors.__name__ and builder.__annotations__["return"].endswith(("Error", "Problem"))
    }
    for name, builder in builders.items():
        monkeypatch.setattr(errors, name, recording(builder, raised))
    for case in CASES:
        folder = tmp_path / case.name
        folder.mkdir()
        failure(case, folder, monkeypatch)
    assert len(builders) > 20
    assert raised == set(builders)


def recording(builder: Callable[..., MatgradError], raised: set[str]) -> Callable[..., MatgradError]:
    @functools.wraps(builder)
    def record(*arguments: object, **options: object) -> MatgradError:
        raised.add(builder.__name__)
        return builder(*arguments, **options)

    return record


def failure(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> MatgradError:
    """Return the error that the case raises, with its files in the current folder."""
    monkeypatch.chdir(folder)
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    content = case.stdin.encode() if isinstance(case.stdin, str) else case.stdin
    reader = StdinReader(Terminal(content) if case.terminal else io.BytesIO(content))
    with monkeypatch.context() as patch:
        if case.missing:
            patch.setitem(sys.modules, case.missing, None)
        with pytest.raises(MatgradError) as caught:
            read(case, reader)
    return caught.value


def read(case: Case, reader: StdinReader) -> None:
    read_inputs(NEEDED, case.variables, case.inputs, declared=(), stdin=None if case.lines else reader)
    if case.lines:
        for line in read_lines(reader.lines(), NEEDED):
            if line.error is not None:
                raise line.error


def described(case: Case) -> str:
    """Return what the person typed and gave."""
    options = [f"-v {text}" for text in case.variables] + [f"-i {path}" for path in case.inputs]
    lines = [f"$ matgrad value 'A + b' {' '.join(options + ['--lines'] * case.lines)}".rstrip()]
    for name, content in ({"stdin": case.stdin} | case.files).items():
        if content:
            lines.append(f"# {name}: {shortened(repr(content))}")
    return "\n".join(lines) + "\n"


def rendered(error: MatgradError) -> str:
    """Return an error as plain text: head, place, each labelled line with its marks, notes, helps."""
    lines = [f"{type(error).__name__}: {error.message}"]
    if error.place is not None:
        lines.append(f"  --> {error.place}")
    for label in error.labels:
        assert error.source is not None
        text, (start, end) = error.source.text, label.span
        number, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1)
        assert end > start
        width = max(1, len(text[start:end].split("\n")[0]))
        lines.append(f"  --> {error.source.name}:{number + error.source.first_line - 1}:{column + 1}")
        lines.append(f"   | {shortened(text.splitlines()[number - 1])}")
        marks = ("^" if label.primary else "-") * min(width, 60)
        lines.append(f"   | {' ' * column}{marks} {shortened(label.text)}")
    lines += [f"   = note: {note}" for note in error.notes] + [f"   = help: {fix}" for fix in error.helps]
    return "\n".join(lines) + "\n"


def shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:90]} ({len(text)} characters) {text[-30:]}"
