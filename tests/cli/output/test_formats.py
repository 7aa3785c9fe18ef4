"""The formats that other programs read."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from matgrad.cli.commands.options import FORMATS
from matgrad.cli.output import json_output
from matgrad.cli.output.formats import write_answer
from matgrad.cli.output.json_output import json_line
from matgrad.core.arrays import Array
from matgrad.core.errors import UsageProblem
from matgrad.core.problems.answer import Answer, Check, Input, Result, Warning


def derivative(data: Array, *groups: tuple[str, int]) -> Result:
    """Make a result whose names are all groups but the first."""
    axes = tuple(f"{name}[{'ijklmn'[axis]}]" for name, count in groups for axis in range(count))
    return Result(tuple(name for name, _ in groups[1:]), np.asarray(data, dtype=float), axes, groups)


def answer(*results: Result, batch: int | None = None) -> Answer:
    return Answer("jacobian", "f", {}, np.array([1.0, 2.5]), results, batch=batch)


def noise(*shape: int) -> Array:
    return np.random.default_rng(3).normal(size=shape)


MATRIX = derivative(np.array([[1.0, 0.1], [0, -2e-20]]), ("out", 1), ("b", 1))
ORDER_3 = derivative(np.arange(8.0).reshape(2, 2, 2), ("out", 1), ("X", 2))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(shown: Answer, format: str, **options: object) -> str:
    stream = io.StringIO()
    write_answer(shown, format, stream=stream, **options)
    return stream.getvalue()


def test_json_is_the_contract() -> None:
    a, b = np.array([1.0, 2, 3]), np.array([0.1, 0.2, 0.3])
    diagonal = Result(
        ("b",), np.diag(a), ("out[i]", "b[j]"), (("out", 1), ("b", 1)), "diag(a)", "diagonal", Check(3e-11, 0.0)
    )
    inputs = {"a": Input(a, "stdin"), "b": Input(b, "random", 0, "normal")}
    text = written(Answer("jacobian", "a*b", inputs, a * b, [diagonal]), "json")
    record = json.loads(text)
    assert list(record) == ["matgrad", "command", "expr", "inputs", "value", "results", "warnings", "nonfinite"]
    assert (record["matgrad"], record["command"], record["expr"]) == ("0.1.0", "jacobian", "a*b")
    assert record["inputs"]["a"] == {"shape": [3], "source": "stdin"}
    assert list(record["inputs"]["b"]) == ["shape", "source", "seed", "law", "data"]
    assert record["inputs"]["b"]["data"] == [0.1, 0.2, 0.3]
    assert record["value"] == {"shape": [3], "data": (a * b).tolist()}
    assert list(record["results"][0]) == ["wrt", "shape", "axes", "data", "formula", "structure", "check"]
    assert record["results"][0] == {
        "wrt": ["b"],
        "shape": [3, 3],
        "axes": ["out[i]", "b[j]"],
        "data": [[1, 0, 0], [0, 2, 0], [0, 0, 3]],
        "formula": "diag(a)",
        "structure": "diagonal",
        "check": {"finite_differences": 3e-11, "formula": 0.0, "passed": True},
    }
    assert record["warnings"] == record["nonfinite"] == []
    assert text.splitlines()[1].startswith(' "inputs"')


def test_json_says_what_is_not_vouched_for() -> None:
    lost = Check(note="the expression itself loses all digits here", digits_lost=16)
    checks = [lost, Check(note="the value is not finite here"), Check(0.5, 0.0, passed=False)]
    results = [derivative([1.0], ("out", 0), ("x", 1))._replace(check=check) for check in checks]
    record = json.loads(written(Answer("grad", "f", {}, np.array(1.0), results), "json"))
    found = [result["check"] for result in record["results"]]
    assert [check["passed"] for check in found] == [None, None, False]
    assert [check.get("digits_lost") for check in found] == [16, None, None]


def test_json_says_null_for_what_is_not_finite_and_where() -> None:
    broken = derivative([[1, -np.inf], [np.nan, np.inf]], ("out", 1), ("x", 1))
    shown = Answer("jacobian", "f", {}, np.array(np.nan), [MATRIX, broken], [Warning("a kink", (0, 1), notes=["at 0"])])
    record = json.loads(written(shown, "json"), parse_constant=pytest.fail)
    assert record["value"] == {"shape": [], "data": None}
    assert record["results"][1]["data"] == [[1.0, None], [None, None]]
    assert record["nonfinite"] == [
        {"in": "value", "index": [], "value": "nan"},
        {"in": "results[1]", "index": [0, 1], "value": "-inf"},
        {"in": "results[1]", "index": [1, 0], "value": "nan"},
        {"in": "results[1]", "index": [1, 1], "value": "inf"},
    ]
    assert record["warnings"] == [{"code": "warning", "message": "a kink", "span": [0, 1], "notes": ["at 0"]}]


def test_json_keeps_every_digit_and_a_precision_rounds() -> None:
    values = noise(20, 20) * 10.0 ** np.arange(-10, 10)
    shown = answer(derivative(values, ("out", 1), ("x", 1)))
    assert json.loads(written(shown, "json"))["results"][0]["data"] == values.tolist()
    rounded = json.loads(written(shown, "json", precision=3))["results"][0]["data"]
    assert rounded[0][0] == float(f"{values[0, 0]:.3g}")


def test_json_line_is_one_line_with_the_same_content() -> None:
    shown = answer(derivative(noise(4, 2), ("out", 0), ("x", 1)), batch=4)
    line = "".join(json_line(shown))
    assert line.count("\n") == 1
    assert json.loads(line) == json.loads(written(shown, "json"))
    assert json.loads(line)["batch"] == 4


def test_json_carries_details_without_breaking_the_standard() -> None:
    shown = Answer("check", "f", {}, None, details={"claim": {"holds": np.True_, "error": np.float64("inf")}})
    record = json.loads("".join(json_line(shown)), parse_constant=pytest.fail)
    assert record["claim"] == {"holds": True, "error": None}
    assert record["value"] is None


@pytest.mark.parametrize("shape", [(4,), (5,), (12,), (3, 7), (2, 3, 5)])
@pytest.mark.parametrize("precision", [None, 3])
def test_json_of_large_arrays_is_that_of_small_ones(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], precision: int | None
) -> None:
    values = noise(*shape)
    values.flat[::3] = [np.inf, -np.inf, np.nan, 1.0, 2.5e-300, 1e22, 0, 7, 8, 9][: len(values.flat[::3])]
    random = {"x": Input(noise(9), "random")}
    shown = Answer("grad", "f", random, np.array(1.0), (derivative(values, ("out", 0), ("x", len(shape))),))
    whole = "".join(json_line(shown, precision=precision))
    monkeypatch.setattr(json_output, "PIECE", 4)
    pieces = [*json_line(shown, precision=precision)]
    assert "".join(pieces) == whole
    assert len(pieces) > 1


def test_json_is_ascii_whatever_the_names() -> None:
    line = "".join(json_line(Answer("value", "θ\x1b\udc80", {"行": Input(np.ones(1), "-v")}, np.ones(1))))
    assert line.isascii()
    assert json.loads(line)["inputs"]["行"]["shape"] == [1]


@pytest.mark.parametrize("layout", ["numerator", "denominator", "flat"])
def test_layouts_reach_every_format(layout: str) -> None:
    shown = answer(ORDER_3)
    expected = ORDER_3.data.reshape(2, 4).T if layout == "denominator" else ORDER_3.data.reshape(2, 4)
    record = json.loads(written(shown, "json", layout=layout))["results"][0]
    assert record["shape"] == list(expected.shape)
    assert record["data"] == expected.tolist()
    assert np.loadtxt(io.StringIO(written(shown, "plain", layout=layout))).tolist() == expected.tolist()
    rows = list(csv.reader(io.StringIO(written(shown, "csv", layout=layout))))
    assert np.array(rows[1:], dtype=float).tolist() == expected.tolist()


def test_plain_is_tabs_blank_lines_and_every_digit() -> None:
    assert written(answer(MATRIX), "plain") == "1.0\t0.1\n0.0\t-2e-20\n"
    assert written(answer(ORDER_3), "plain") == "0.0\t1.0\n2.0\t3.0\n\n4.0\t5.0\n6.0\t7.0\n"
    assert written(answer(), "plain") == "1.0\n2.5\n"
    assert written(answer(MATRIX, MATRIX), "plain", precision=2).count("\n") == 5


def test_csv_of_a_matrix_has_a_header_and_of_more_axes_one_line_per_entry() -> None:
    assert written(answer(MATRIX), "csv") == "b[0],b[1]\n1.0,0.1\n0.0,-2e-20\n"
    gradient = derivative(np.ones((1, 2)), ("out", 0), ("X", 2))
    assert written(answer(gradient), "csv") == '"X[:,0]","X[:,1]"\n1.0,1.0\n'
    assert written(answer(derivative(np.ones(2), ("out", 0), ("x", 1))), "csv") == "x\n1.0\n1.0\n"
    lines = written(answer(ORDER_3), "csv").splitlines()
    assert lines[:2] + lines[-1:] == ["out[i],X[i],X[j],value", "0,0,0,0.0", "1,1,1,7.0"]
    batched = answer(derivative(np.ones((2, 1, 1)), ("out", 1), ("x", 1)), batch=2)
    assert written(batched, "csv").splitlines()[0] == "sample,out[i],x[i],value"


def test_latex() -> None:
    assert written(answer(MATRIX), "latex") == (
        "\\begin{bmatrix}\n  1.0 & 0.1 \\\\\n  0 & -2 \\times 10^{-20} \\\\\n\\end{bmatrix}\n"
    )
    scalar = derivative(np.array(-np.inf), ("out", 0), ("x_1", 0))
    assert written(answer(scalar), "latex") == "-\\infty\n"
    wide = derivative(np.ones((1, 11)), ("out", 1), ("x_1", 1))
    assert written(answer(wide), "latex").startswith("\\left[\\begin{array}{*{11}{r}}\n")
    assert written(answer(wide), "latex").endswith("\\end{array}\\right]\n")
    order_3 = derivative(np.ones((1, 1, 1)), ("out", 1), ("x_1", 2))
    assert written(answer(order_3), "latex").startswith("\\mathrm{out[0]} = \\begin{bmatrix}")


def test_markdown() -> None:
    hostile = derivative(np.array([[1.0, 0.123456789]]), ("out", 1), ("x|y", 1))
    assert written(answer(hostile), "markdown") == (
        "| | x\\|y\\[0\\] | x\\|y\\[1\\] |\n|:--|--:|--:|\n| out\\[0\\] | 1.000000 | 0.123457 |\n"
    )
    assert "**out\\[1\\]**" in written(answer(ORDER_3), "markdown")


def test_npy_and_npz_files(tmp_path: Path) -> None:
    write_answer(answer(MATRIX), "npy", stream=io.StringIO(), output=str(tmp_path / "one.npy"))
    assert np.load(tmp_path / "one.npy", allow_pickle=False).tolist() == MATRIX.data.tolist()
    write_answer(answer(MATRIX, ORDER_3), "npy", stream=io.StringIO(), output=str(tmp_path / "all.npz"))
    with np.load(tmp_path / "all.npz", allow_pickle=False) as arrays:
        assert {name: array.shape for name, array in arrays.items()} == {"b": (2, 2), "X": (2, 2, 2)}


def test_npy_to_a_pipe() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    write_answer(answer(MATRIX), "npy", stream=stream, output="-")
    stream.buffer.seek(0)
    assert np.load(stream.buffer).tolist() == MATRIX.data.tolist()


@pytest.mark.parametrize(
    ("shown", "format", "stream", "message"),
    [
        (answer(MATRIX), "npy", Terminal(), "npy is binary"),
        (answer(MATRIX, ORDER_3), "npy", io.StringIO(), "npy holds one derivative, and there are 2"),
        (answer(MATRIX, ORDER_3), "csv", io.StringIO(), "csv holds one derivative, and there are 2"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(shown: Answer, format: str, stream: io.StringIO, message: str) -> None:
    with pytest.raises(UsageProblem, match=message) as caught:
        write_answer(shown, format, stream=stream)
    assert caught.value.helps
    assert stream.getvalue() == ""


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_says_what_the_stream_would(format: str, tmp_path: Path) -> None:
    file = tmp_path / "answer"
    stream = io.StringIO()
    write_answer(answer(MATRIX), format, stream=stream, output=str(file))
    assert stream.getvalue() == ""
    assert os.listdir(tmp_path) == ["answer"]
    if format != "npy":
        assert file.read_text(encoding="utf-8") == written(answer(MATRIX), format)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_text("old")
    unwritable = answer(derivative(np.ones(2), ("out", 1), ("x", 3)))
    with pytest.raises(IndexError):
        write_answer(unwritable, "plain", stream=io.StringIO(), output=str(file), layout="numerator")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["answer.txt"]


def test_a_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_answer(answer(MATRIX), "plain", stream=io.StringIO(), output=str(link))
    assert link.is_symlink()
    assert real.read_text().startswith("1.0")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_file_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot write .*: no such file or directory") as caught:
        write_answer(answer(MATRIX), "json", stream=io.StringIO(), output=str(tmp_path / "none" / "a.json"))
    assert caught.value.place == f"-o {tmp_path / 'none' / 'a.json'}"


def test_a_device_is_written_as_it_is() -> None:
    write_answer(answer(MATRIX), "json", stream=io.StringIO(), output=os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_numbers_for_programs_do_without_rich() -> None:
    program = (
        "import io, sys, numpy as np\n"
        "from matgrad.cli.output.formats import write_answer\n"
        "from matgrad.core.problems.answer import *\n"
        "for format in ('plain', 'json', 'csv', 'markdown'):\n"
        "    write_answer(Answer('value', 'x', {}, np.ones((2, 2))), format, stream=sys.stdout)\n"
        "assert 'rich' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1.0\t1.0" in done.stdout
