"""Values arrive whole and in the right shape, from wherever they come, and the right source wins."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from counting import calls_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from matgrad.cli.input.errors import Destination
from matgrad.cli.input.inputs import Reading, read_inputs, read_value
from matgrad.cli.input.json_lines import read_lines
from matgrad.cli.input.large_json import LARGE
from matgrad.cli.input.standard_input import PIECE, StdinReader, lines_in
from matgrad.core.errors import InputError, Source
from matgrad.core.problems.answer import Input

NEEDED = {"A": (0, 1), "b": (4, 5)}


class Terminal(io.BytesIO):
    """A keyboard: reading it would block for ever, so the test fails instead."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("the terminal was read")


Words = tuple[str, ...]


def reading(*variables: str, files: Words = (), stdin: bytes = b"", declared: Words = ()) -> Reading:
    return read_inputs(NEEDED, variables, files, declared=declared, stdin=StdinReader(io.BytesIO(stdin)))


def value(text: str, stdin: bytes = b"") -> np.ndarray:
    return read_value(text, Destination.of("A"), StdinReader(io.BytesIO(stdin))).value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Where values come from


def test_piped_object_gives_every_input_as_float64() -> None:
    found = reading(stdin=b'{"A": [[1, 2], [3, 4]], "b": 5}').inputs
    assert list(found) == ["A", "b"]
    assert {given.source for given in found.values()} == {"stdin"}
    assert found["A"].value.dtype == found["b"].value.dtype == np.float64
    np.testing.assert_array_equal(found["A"].value, [[1, 2], [3, 4]])
    assert found["b"].value.shape == ()


def test_variable_wins_over_file_and_the_last_file_over_the_first(folder: Path) -> None:
    Path("one.json").write_text('{"A": 1, "b": 1}')
    Path("two.json").write_text('{"A": 2}')
    found = reading("b=3", files=("one.json", "two.json")).inputs
    assert {name: (float(given.value), given.source) for name, given in found.items()} == {
        "A": (2.0, "two.json"),
        "b": (3.0, "-v"),
    }


def test_file_wins_over_what_standard_input_offers_unasked(folder: Path) -> None:
    Path("one.json").write_text('{"A": 1}')
    found = reading(files=("one.json",), stdin=b'{"A": 2, "b": 2}').inputs
    assert (float(found["A"].value), float(found["b"].value)) == (1.0, 2.0)


@pytest.mark.parametrize("options", [{"declared": ("A", "b")}, {}], ids=["declared", "given"])
def test_standard_input_is_left_alone_when_every_name_is_bound(options: dict[str, tuple[str, ...]]) -> None:
    variables = () if options else ("A=1", "b=2")
    assert len(reading(*variables, stdin=b"not JSON at all", **options).inputs) == len(variables)


@pytest.mark.parametrize("stdin", [b"", b" \n\n"])
def test_empty_standard_input_counts_as_none(stdin: bytes) -> None:
    assert reading(stdin=stdin) == Reading({}, [])


def test_terminal_is_never_read() -> None:
    found = read_inputs(NEEDED, ["A=1"], [], declared=(), stdin=StdinReader(Terminal()))
    assert list(found.inputs) == ["A"]


def test_standard_input_used_for_one_variable_is_not_read_as_an_object() -> None:
    found = reading("A=@-", stdin=b"[1, 2]")
    assert found.inputs["A"].source == "stdin"
    assert list(found.inputs) == ["A"]


def test_dash_reads_standard_input() -> None:
    assert list(reading(files=("-",), stdin=b'{"A": 1}').inputs) == ["A"]


def test_archive_is_told_by_its_content(folder: Path) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, A=np.arange(6, dtype=np.int8).reshape(2, 3), b=np.float32(0.5))
    Path("data.bin").write_bytes(stream.getvalue())
    for found in (reading(files=("data.bin",)).inputs, reading(stdin=stream.getvalue()).inputs):
        np.testing.assert_array_equal(found["A"].value, [[0, 1, 2], [3, 4, 5]])
        assert found["A"].value.dtype == np.float64
        assert found["b"].value == 0.5


def test_byte_order_mark_is_skipped() -> None:
    assert list(reading(stdin='{"A": 1}'.encode("utf-8-sig")).inputs) == ["A"]


def test_names_may_be_unicode() -> None:
    found = read_inputs({"β": (0, 1), "x₁": (2, 4)}, ["β=1", "x₁=2"], [], declared=(), stdin=None).inputs
    assert list(found) == ["β", "x₁"]


# Surplus inputs


def test_surplus_input_is_a_warning_that_knows_the_other_case() -> None:
    found = reading("A=1", stdin=b'{"B": 2, "note": "anything", "c": NaN}')
    assert list(found.inputs) == ["A"]
    assert [warning.message for warning in found.warnings] == [
        "input `B` (stdin) is not in the expression",
        "input `note` (stdin) is not in the expression",
        "input `c` (stdin) is not in the expression",
    ]
    assert [warning.notes for warning in found.warnings] == [["`b` has no value: upper and lower case differ"], [], []]


def test_surplus_array_of_an_archive_is_not_read() -> None:
    stream = io.BytesIO()
    np.savez(stream, A=1.0, b=2.0, labels=np.array(["x"]))
    found = reading(stdin=stream.getvalue())
    assert list(found.inputs) == ["A", "b"]
    assert [warning.message for warning in found.warnings] == ["input `labels` (stdin) is not in the expression"]


def test_no_other_case_is_offered_where_nothing_is_missing() -> None:
    (warning,) = reading("A=1", "b=2", "B=3").warnings
    assert warning.message == "input `B` (-v) is not in the expression"
    assert warning.notes == []


# Typed values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        (" -.5e1 ", -5.0),
        ("[1, 2]", [1, 2]),
        ("[[1, 2]]", [[1, 2]]),
        ("[1 2; 3 4]", [[1, 2], [3, 4]]),
        ("[1, 2; 3, 4]", [[1, 2], [3, 4]]),
        ("[1 , 2;\n 3 4]", [[1, 2], [3, 4]]),
        ("[1 2 3]", [1, 2, 3]),
        ("[1; 2]", [[1], [2]]),
        ("[1 -2]", [1, -2]),
        ("[.5 +1 2.]", [0.5, 1, 2]),
        ("[[[1], [2]]]", [[[1], [2]]]),
        ("'[1, 2]'", [1, 2]),
        ("[18446744073709551616, 1]", [2.0**64, 1]),
        ("1/4", 0.25),
        ("-1/4", -0.25),
        ("3 - 2", 1.0),
        ("2^10", 1024.0),
        ("pi/2", np.pi / 2),
        ("π", np.pi),
        ("√2", np.sqrt(2)),
        ("ones(3)", [1, 1, 1]),
        ("np.zeros((2, 1))", [[0], [0]]),
        ("[1/4, sqrt(4)]", [0.25, 2]),
        ("2*[1 2; 3 4]", [[2, 4], [6, 8]]),
    ],
)
def test_typed_value(text: str, expected: object) -> None:
    found = value(text)
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64), strict=True)


REFUSED = [
    "[1 2; 3 4",
    "[1 2;]",
    "[1,,2]",
    "[1 - 2]",
    "[a b]",
    "1_000",
    "1+2j",
    "true",
    "{}",
    "y/2",
    "1/0",
    "pii(2)",
    "'fro'",
    "(1, 2)",
    "",
    "'",
    "@",
]


@pytest.mark.parametrize("text", REFUSED)
def test_value_that_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        value(text)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=0, max_dims=4), elements=FINITE))
def test_json_brings_every_number_and_shape_through(array: np.ndarray) -> None:
    np.testing.assert_array_equal(value(json.dumps(array.tolist())), array, strict=True)


@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e9, 1e9)))
def test_rows_bring_every_number_through(array: np.ndarray) -> None:
    text = "[" + "; ".join(" ".join(map(repr, row)) for row in array.tolist()) + "]"
    expected = array if len(array) > 1 else array[0]
    np.testing.assert_array_equal(value(text), expected, strict=True)


TOKENS = [*"{}[]:,;#'()\n ._+-e01xé\\\"", '"A"', '"b"', "//", "NaN", "Infinity", "true", "null", "1e400"]
TOKENS += ["%%MatrixMarket matrix", "array", "coordinate", "real general"]


def refusal(attempt: Callable[[], object]) -> InputError | None:
    try:
        attempt()
    except InputError as error:
        return error
    return None


@given(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    for attempt in (lambda: reading(stdin=text.encode()), lambda: value(text), lambda: value("@-", text.encode())):
        error = refusal(attempt)
        assert error is None or error.place is not None or error.source is not None
        for label in error.labels if error else ():
            assert error is not None
            assert error.source is not None
            assert 0 <= label.span[0] < label.span[1] <= len(error.source.text) + 1


@given(st.binary(max_size=80), st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"1,2\n", b"{"]))
def test_any_bytes_are_read_or_refused(tail: bytes, head: bytes) -> None:
    with contextlib.suppress(InputError):
        reading(stdin=head + tail)
    with contextlib.suppress(InputError):
        value("@-", head + tail)


def test_damage_to_an_archive_is_noticed() -> None:
    stream = io.BytesIO()
    np.savez(stream, A=np.arange(8.0), b=1.0)
    whole = stream.getvalue()
    for position in range(0, len(whole), 7):
        broken = whole[:position] + bytes([whole[position] ^ 255]) + whole[position + 1 :]
        with contextlib.suppress(InputError):
            found = reading(stdin=broken).inputs.get("A", Input(np.arange(8.0), "stdin"))
            np.testing.assert_array_equal(found.value, np.arange(8.0))


def test_array_that_claims_more_than_the_file_holds_asks_for_no_memory() -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    with pytest.raises(InputError, match="damaged"):
        value("@-", stream.getvalue())


# JSON Lines


def test_lines_are_read_as_they_arrive_and_blank_ones_skipped() -> None:
    arriving = iter([b'{"A": 1}\n', b"\n", b'{"A": [1, 2], "c": 3}\n', b"broken\n", b'{"c": 4, "A": "a"}', b'{"A": 5}'])
    readings = read_lines(arriving, NEEDED)
    first = next(readings)
    assert (first.number, float(first.inputs["A"].value)) == (1, 1.0)
    second = next(readings)
    assert second.number == 3
    np.testing.assert_array_equal(second.inputs["A"].value, [1, 2])
    assert second.others == {"c": 3}
    broken, wrong, last = readings
    assert broken.error is not None
    assert broken.error.source == Source("stdin", "broken\n", first_line=4)
    assert broken.error.span == (0, 6)
    assert wrong.others == {"c": 4}
    assert wrong.error is not None
    assert (last.error, float(last.inputs["A"].value)) == (None, 5.0)


@pytest.mark.parametrize("shape", [(70_000,), (30_000, 3), (2, 40_000), (20, 30, 100), (1, 1, 70_000)])
@pytest.mark.parametrize("separators", [None, (",", ":"), (" , ", " : ")])
def test_a_long_line_is_read_as_a_short_one_is(shape: tuple[int, ...], separators: tuple[str, str] | None) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    others = {"id": "[1, 2]", "text": 'é"[[1', "list": [1, None]}
    line = json.dumps({**others, "A": values.tolist()}, separators=separators, ensure_ascii=False).encode()
    assert len(line) > LARGE
    (found,) = read_lines([line], NEEDED)
    np.testing.assert_array_equal(found.inputs["A"].value, values)
    assert found.others == others
    half = len(line) // 2
    torn = [line[:half] + piece + line[half:] for piece in (b"x", b"]")]
    for wrong in (line[:-1], line[:-2] + b",null]}", *torn):
        (found,) = read_lines([wrong], NEEDED)
        assert found.error is not None
        with pytest.raises(InputError, match=re.escape(found.error.message)):
            reading(stdin=wrong)


def test_lines_longer_than_a_piece_are_put_together() -> None:
    texts = [b"a" * (PIECE - 1) + b"\n", b"b" * PIECE + b"\n", b"\n", b"c" * (3 * PIECE) + b"\n", b"d"]
    assert list(lines_in(io.BytesIO(b"".join(texts)))) == texts


# Large inputs


def test_large_json_is_read_without_a_call_for_each_number() -> None:
    text = json.dumps({"A": np.random.default_rng(0).normal(size=(500, 500)).tolist(), "b": 1})
    assert len(text) > 5_000_000 * 0.9
    data = text.encode()
    assert calls_of(lambda: reading(stdin=data)) < 1000


# Real pipes

DRIVER = """
import sys
from matgrad.cli.input.inputs import read_inputs
from matgrad.cli.input.standard_input import StdinReader
assert "numpy" not in sys.modules
found = read_inputs({"a": (0, 1)}, [], sys.argv[1:], declared=(), stdin=StdinReader())
print({name: given.value.tolist() for name, given in found.inputs.items()})
"""


def shell(command: str, folder: Path) -> tuple[str, str]:
    """Run a command line in which DRIVER stands for the reading program; its standard output and error."""
    (folder / "driver.py").write_text(DRIVER)
    line = command.replace("DRIVER", f"{sys.executable} driver.py")
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize(
    ("command", "found", "said"),
    [
        ("""printf '{"a": [1, 2]}' | DRIVER""", "{'a': [1.0, 2.0]}", ""),
        ("""(sleep 4; printf '{"a": 3}') | DRIVER""", "{'a': 3.0}", "waiting for inputs on standard input"),
        ("""printf '{"a": 4}' > data.json; DRIVER < data.json""", "{'a': 4.0}", ""),
        ("""printf '{"a": 5}' > data.json; DRIVER data.json < /dev/null""", "{'a': 5.0}", ""),
        ("""printf '{"a": 6}' | DRIVER -""", "{'a': 6.0}", ""),
        ("DRIVER < /dev/null", "{}", ""),
        ("true | DRIVER", "{}", ""),
        ("DRIVER <&-", "{}", ""),
    ],
    ids=["pipe", "silent-pipe", "redirected", "null-device", "dash", "null-device-alone", "empty-pipe", "closed"],
)
def test_real_standard_input(command: str, found: str, said: str, tmp_path: Path) -> None:
    assert shell(command, tmp_path) == (found, said)
