"""What `@FILE` and `@FILE:PART` mean: NumPy's files, tables, Matrix Market files."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from matgrad.cli.input.errors import Destination
from matgrad.cli.input.inputs import read_inputs, read_value
from matgrad.cli.input.room import room_for
from matgrad.cli.input.standard_input import StdinReader
from matgrad.core.errors import InputError

TABLE = "area,rooms,price\n50,2,100\n60,3,120\n"


def value(text: str, stdin: bytes = b"") -> np.ndarray:
    return read_value(text, Destination.of("A"), StdinReader(io.BytesIO(stdin))).value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_npy_and_parts(folder: Path) -> None:
    np.save("A.npy", np.arange(6, dtype=np.int16).reshape(2, 3).T)
    np.savez("one.npz", weights=[1, 2])
    np.savez("two.npz", x=[1.0], y=np.array([True, False]))
    Path("data.json").write_text('{"x": [1], "y": [2]}')
    Path("list.json").write_text("[[1], [2]]")
    np.testing.assert_array_equal(value("@A.npy"), [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(value("@one.npz"), [1, 2])
    np.testing.assert_array_equal(value("@two.npz:y"), [1, 0])
    np.testing.assert_array_equal(value("@data.json:y"), [2])
    np.testing.assert_array_equal(value("@list.json"), [[1], [2]])


def test_path_with_a_colon(folder: Path) -> None:
    Path("a:b.csv").write_text(TABLE)
    np.testing.assert_array_equal(value("@a:b.csv:price"), [100, 120])
    assert value("@a:b.csv").shape == (2, 3)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("", [[50, 2, 100], [60, 3, 120]]),
        (":price", [100, 120]),
        (":area,rooms", [[50, 2], [60, 3]]),
        (":price, area", [[100, 50], [120, 60]]),
        (":0", [50, 60]),
        (":-1", [100, 120]),
        (":0,price", [[50, 100], [60, 120]]),
        (":1:3", [[2, 100], [3, 120]]),
        (":1:", [[2, 100], [3, 120]]),
        (":0:1", [[50], [60]]),
        (":0:1,price", [[50, 100], [60, 120]]),
    ],
)
def test_columns_of_a_table(part: str, expected: object) -> None:
    np.testing.assert_array_equal(value(f"@-{part}", TABLE.encode()), np.array(expected, dtype=float), strict=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("1;2\r\n3;4", [[1, 2], [3, 4]]),
        ("1\t2\n\n3\t4\n", [[1, 2], [3, 4]]),
        ("  1   2\n  3 4\n", [[1, 2], [3, 4]]),
        ("# a b\n1 2 # first\n3 4\n", [[1, 2], [3, 4]]),
        ('"x, m","y"\n"1","2"\n3,4\n', [[1, 2], [3, 4]]),
        ("x y\n1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("id,2019\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("1,2\n", [[1, 2]]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("x\n1\n2\n", [1, 2]),
        ("1e3, -2.5\n+3, .5\n", [[1000, -2.5], [3, 0.5]]),
    ],
)
def test_table(text: str, expected: object) -> None:
    np.testing.assert_array_equal(value("@-", text.encode()), np.array(expected, dtype=float), strict=True)


def test_columns_of_text_do_not_disturb_the_others() -> None:
    table = b"city,price,area\nRome,1,2\n,3,4\n"
    np.testing.assert_array_equal(value("@-:area,price", table), [[2, 1], [4, 3]])
    np.testing.assert_array_equal(value("@-:price", b'city,price\n"Rome, Italy",1\n"Oslo",3\n'), [1, 3])


def test_two_variables_share_one_pipe() -> None:
    typed = ["A=@-:area,rooms", "b=@-:price"]
    stdin = StdinReader(io.BytesIO(TABLE.encode()))
    found = read_inputs({"A": (0, 1), "b": (4, 5)}, typed, [], declared=(), stdin=stdin).inputs
    assert (found["A"].value.shape, found["b"].value.shape) == ((2, 2), (2,))


def test_number_from_a_pipe_is_a_number_and_lines_are_a_vector() -> None:
    assert value("@-", b"3\n").shape == ()
    assert value("@-", b"1\n2\n").shape == (2,)


RNG = np.random.default_rng(0)
SQUARE = np.round(RNG.normal(size=(4, 4)), 3)
MATRICES = {
    "array": RNG.normal(size=(3, 2)),
    "integers": np.arange(6).reshape(2, 3),
    "symmetric": SQUARE + SQUARE.T,
    "skew": SQUARE - SQUARE.T,
    "coordinate": scipy.sparse.coo_array(np.tril(SQUARE)),
    "sparse_symmetric": scipy.sparse.coo_array(np.diag([1.0, 2.0, 3.0]) + np.eye(3, k=1) + np.eye(3, k=-1)),
    "sparse_skew": scipy.sparse.coo_array(np.eye(3, k=1) - np.eye(3, k=-1)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrix_market_files_that_scipy_writes(name: str) -> None:
    stream = io.BytesIO()
    scipy.io.mmwrite(stream, MATRICES[name], comment="a comment", precision=17)
    expected = MATRICES[name].toarray() if scipy.sparse.issparse(MATRICES[name]) else MATRICES[name]
    np.testing.assert_array_equal(value("@-", stream.getvalue()), np.asarray(expected, dtype=float), strict=True)


def test_matrix_market_pattern_and_repeated_entries() -> None:
    pattern = b"%%MatrixMarket matrix coordinate pattern symmetric\n% comment\n\n3 3 2\n2 1\n3 3\n"
    np.testing.assert_array_equal(value("@-", pattern), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(value("@-", pattern.replace(b"\n", b"\r\n")), value("@-", pattern))
    repeated = b"%%MatrixMarket matrix coordinate real general\n2 2 2\n1 2 3\n1 2 4\n"
    np.testing.assert_array_equal(value("@-", repeated), [[0, 7], [0, 0]])


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without an end")
def test_a_file_without_an_end_is_read_no_further_than_there_is_room() -> None:
    for endless in ("/dev/zero", "/dev/full"):
        with room_for(5_000_000), pytest.raises(InputError, match="what is read so far needs"):
            value(f"@{endless}")
    with open("/dev/zero", "rb") as stream, room_for(5_000_000), pytest.raises(InputError, match="so far of a line"):
        StdinReader(stream).read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_pipe_with_a_name_is_read_to_its_end(folder: Path) -> None:
    os.mkfifo("numbers.json")
    writer = threading.Thread(target=Path("numbers.json").write_text, args=("[1, 2]",))
    writer.start()
    np.testing.assert_array_equal(value("@numbers.json"), [1, 2])
    writer.join()
