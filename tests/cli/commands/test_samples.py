"""Samples on the disk: read in blocks, summed or written block by block, and resumed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory_use import measured
from numpy.testing import assert_allclose

import matgrad
from matgrad.cli.commands import samples, workers
from matgrad.cli.main import run
from matgrad.cli.output import array_files
from matgrad.core.api import Derivative

TEXT = "log(1 + exp(-y*(x @ w)))"
COUNT = 5000
SMALL = ["--max-memory", "100kB"]
ASKED = [TEXT, "--wrt", "w", "--batch", "x,y", "-v", "x=@x.npy", "-v", "y=@y.npy", "-v", "w=[1, -2, 0.5]"]
GENERATOR = np.random.default_rng(0)
INPUTS = {
    "x": GENERATOR.standard_normal((COUNT, 3)),
    "y": np.sign(GENERATOR.standard_normal(COUNT)),
    "w": np.array([1, -2, 0.5]),
}
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with samples in files, and nothing on standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"")))
    for name in ("x", "y"):
        np.save(f"{name}.npy", INPUTS[name])
    return tmp_path


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the number of samples of each block that is computed, as they come."""
    found: list[int] = []

    class Counted(samples.Block):
        def __call__(self, inputs: Any) -> Any:
            found.append(inputs["x"].stop - inputs["x"].start)
            return super().__call__(inputs)

    monkeypatch.setattr(samples, "Block", Counted)
    monkeypatch.setattr("matgrad.core.blocks.Block", Counted)
    monkeypatch.setattr(workers, "_cores", lambda: 1)
    return found


def derivative(kind: str, reduce: str | None) -> Derivative:
    return Derivative(TEXT, kind, "w", batch=("x", "y"), reduce=reduce)


@pytest.mark.parametrize("how", ["sum", "mean"])
@pytest.mark.parametrize("kind", ["value", "grad", "hessian", "hvp"])
def test_reduced_answers_are_those_of_one_piece(kind: str, how: str, folder: Path, blocks: list[int]) -> None:
    asked = [one for one in ASKED if kind != "value" or one not in ("--wrt", "w")]
    more = ["--tangent", "[1, 0, 2]"] if kind == "hvp" else []
    assert run([kind, *asked, *more, "--reduce", how, *SMALL, "-o", "found.npy"]) == 0
    assert sum(blocks) == COUNT
    assert len(blocks) > 10
    given = {**INPUTS, "tangent": [1, 0, 2]} if kind == "hvp" else INPUTS
    wanted = derivative(kind, how) if kind != "value" else matgrad.value(TEXT, batch=("x", "y"), reduce=how)
    assert_allclose(np.load("found.npy"), wanted(**given), rtol=1e-10)


def test_the_answer_is_told_as_any_other(folder: Path, blocks: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["grad", *ASKED, "--reduce", "mean"]) == 0
    whole = capsys.readouterr().out.splitlines()
    assert not blocks
    assert run(["grad", *ASKED, "--reduce", "mean", *SMALL]) == 0
    found = capsys.readouterr().out.splitlines()
    assert blocks
    assert "with m = 5000" in "\n".join(found)
    assert [line for line in found if "checked" not in line] == [line for line in whole if "checked" not in line]


def test_json_has_the_shapes_of_all_samples(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["grad", *ASKED, "--reduce", "sum", "--json", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert '"batch": 5000, "reduce": "sum"' in printed
    assert '"x": {"shape": [5000, 3], "source": "x.npy"}' in printed


def test_the_bits_are_the_same_whatever_the_number_of_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for cores in (1, 2, 3):
        monkeypatch.setattr(workers, "_cores", lambda cores=cores: cores)
        assert run(["grad", *ASKED, "--reduce", "sum", "--max-memory", "1MB", "-o", "found.npy"]) == 0
        found.add(Path("found.npy").read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("ending", ["npy", "zarr"])
@pytest.mark.parametrize("kind", ["value", "grad", "hessian"])
def test_one_result_for_each_sample_goes_to_a_file(ending: str, kind: str, folder: Path, blocks: list[int]) -> None:
    asked = [one for one in ASKED if kind != "value" or one not in ("--wrt", "w")]
    assert run([kind, *asked, *SMALL, "-o", f"found.{ending}"]) == 0
    assert len(blocks) > 10
    wanted = derivative(kind, None) if kind != "value" else matgrad.value(TEXT, batch=("x", "y"))
    assert_allclose(_read(f"found.{ending}"), wanted(**INPUTS), rtol=1e-12)
    assert sorted(os.listdir()) == sorted([f"found.{ending}", "x.npy", "y.npy"])


def _read(path: str) -> Any:
    if path.endswith(".zarr"):
        return pytest.importorskip("zarr").open(path, mode="r")[:]
    return np.load(path)


@pytest.mark.parametrize("layout", ["numerator", "denominator", "flat"])
def test_layouts_are_those_of_one_piece(layout: str, folder: Path) -> None:
    asked = ["x*(A @ x)", "--wrt", "x", "--batch", "x", "-v", "x=@x.npy", "--shape", "A=3x3", "--layout", layout]
    assert run(["jacobian", *asked, "-o", "whole.npy"]) == 0
    assert run(["jacobian", *asked, *SMALL, "-o", "found.npy"]) == 0
    np.testing.assert_array_equal(np.load("found.npy"), np.load("whole.npy"))


def interrupted(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the computation of blocks be interrupted after so many."""
    left = [after]

    class Interrupted(samples.Block):
        def __call__(self, inputs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return super().__call__(inputs)

    monkeypatch.setattr(samples, "Block", Interrupted)
    monkeypatch.setattr("matgrad.core.blocks.Block", Interrupted)
    monkeypatch.setattr(workers, "_cores", lambda: 1)


@pytest.mark.parametrize("end", ["found.npy", "found.zarr", "reduced.npy", "reduced.zarr"])
def test_a_run_goes_on_where_it_was_interrupted(end: str, folder: Path) -> None:
    asked = ["grad", *ASKED, *SMALL, "-o", end, *(["--reduce", "mean"] if "reduced" in end else [])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_cores", lambda: 1)
        assert run(asked) == 0
    whole = _read(end)
    for interruption in (7, 4):
        with pytest.MonkeyPatch.context() as patch:
            interrupted(patch, interruption)
            assert run([*asked, "--resume"]) == 130
        np.testing.assert_array_equal(_read(end), whole)  # that of before
        assert sorted(os.listdir()) == sorted([end, f"{end}.part", "x.npy", "y.npy"])
    counted: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, 10**6)
        original = samples.Block.__call__
        patch.setattr(samples.Block, "__call__", lambda self, inputs: (counted.append(1), original(self, inputs))[1])
        assert run([*asked, "--resume"]) == 0
    rows, _ = samples.rows_for(derivative("grad", "mean" if "reduced" in end else None), INPUTS, 100_000)
    assert len(counted) == -(-COUNT // rows) - 11
    np.testing.assert_array_equal(_read(end), whole)
    assert sorted(os.listdir()) == sorted([end, "x.npy", "y.npy"])


def test_without_resume_nothing_is_kept(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, 5)
        assert run(["grad", *ASKED, *SMALL, "-o", "found.npy"]) == 130
    assert sorted(os.listdir()) == ["x.npy", "y.npy"]


@pytest.mark.parametrize("change", ["expression", "input", "layout"])
def test_another_question_is_not_mixed_in(change: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["hessian", *ASKED, *SMALL, "-o", "found.npy", "--resume"]
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, 5)
        assert run(asked) == 130
    if change == "expression":
        asked[1] = TEXT.replace("1 +", "2 +")
    elif change == "layout":
        asked += ["--layout", "flat"]
    else:
        np.save("x.npy", INPUTS["x"] + 1)
    assert run(asked) == 2
    assert "`found.npy.part` was begun with another question" in capsys.readouterr().err
    assert not Path("found.npy").exists()


def test_a_killed_run_is_resumed(folder: Path) -> None:
    """The process is ended in the middle, by a signal that it cannot see; then the result is that of one run."""
    more = {"x": np.tile(INPUTS["x"], (12, 1)), "y": np.tile(INPUTS["y"], 12)}
    for name, array in more.items():
        np.save(f"{name}.npy", array)
    asked = ["hessian", *ASKED, "--max-memory", "200kB", "-o", "H.zarr"]
    process = subprocess.Popen([sys.executable, "-m", "matgrad", *asked, "--resume"], stderr=subprocess.PIPE)
    journal, deadline = folder / "H.zarr.part" / "finished", time.monotonic() + 50
    while not (journal.exists() and journal.stat().st_size > 20):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=60)
    assert sorted(os.listdir()) == ["H.zarr.part", "x.npy", "y.npy"]
    # A chunk that was being written is of no harm.
    stray = folder / "H.zarr.part" / "result" / "c" / "999.partial"
    stray.write_bytes(b"half")
    assert run([*asked, "--resume"]) == 0
    assert_allclose(_read("H.zarr"), derivative("hessian", None)(**{**INPUTS, **more}), rtol=1e-12)
    assert sorted(os.listdir()) == ["H.zarr", "x.npy", "y.npy"]
    assert not (folder / "H.zarr" / "c" / "999.partial").exists()


def test_memory_stays_within_the_limit(folder: Path) -> None:
    """Samples of 128 MB are summed, and results of 128 MB written, by processes that may hold 16 MiB of arrays."""
    asked = ["x@x * b", "--wrt", "b", "--batch", "x", "-v", "b=2", "--max-memory", "16MiB"]
    with open("large.npy", "wb") as file:  # a process begins with what its parent has held at most, so with little
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (4_000_000, 4)})
        for _ in range(400):
            file.write(np.full(40_000, 0.5).data)
    np.save("small.npy", np.ones((100, 4)))
    small = measured("grad", *asked, "-v", "x=@small.npy", "--reduce", "sum", "-o", "g.npy")
    assert measured("grad", *asked, "-v", "x=@large.npy", "--reduce", "sum", "-o", "g.npy") - small < 32 * MIB
    assert np.load("g.npy") == 4_000_000
    asked = ["grad", "x@x", "--wrt", "x", "--batch", "x", "-v", "x=@large.npy", "--max-memory", "16MiB"]
    assert measured(*asked, "-o", "G.npy") - small < 32 * MIB
    assert (np.load("G.npy", mmap_mode="r")[::99_991] == 1).all()


def test_random_weights_are_drawn_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["grad", TEXT, "--wrt", "w", "--batch", "x,y", "-v", "x=@x.npy", "-v", "y=@y.npy", "--reduce", "sum"]
    assert run([*asked, "-o", "whole.npy"]) == 0
    assert run([*asked, "-o", "found.npy", *SMALL]) == 0
    assert_allclose(np.load("found.npy"), np.load("whole.npy"), rtol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["grad", TEXT, "--wrt", "w", "--batch", "x,y", "-v", "x=@x.npy", "--reduce", "sum"], 4, "`y` has no value"),
        (["grad", *ASKED, "--reduce", "sum", "--resume"], 2, "there is no file to resume"),
        (["grad", *ASKED[:-2], "-v", "w=[1,2,3,4]", "--reduce", "sum"], 3, "3 entries against 4 entries"),
        (["grad", *ASKED, "-v", "z=3", "--reduce", "sum"], 0, "input `z` (-v) is not in the expression"),
        (["grad", *ASKED, "--strict", "--reduce", "sum", "--cluster", "far"], 2, "`far` is not a cluster"),
    ],
)
def test_messages(
    arguments: list[str], status: int, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, *SMALL]) == status
    assert message in capsys.readouterr().err


def test_what_is_not_finite_is_named_by_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = INPUTS["x"].copy()
    wrong[4321, 1] = np.inf
    np.save("x.npy", wrong)
    assert run(["grad", *ASKED, "--reduce", "sum", *SMALL]) == 4
    assert "x.npy: x[4321, 1]" in capsys.readouterr().err


def test_files_of_different_lengths_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("y.npy", INPUTS["y"][1:])
    assert run(["grad", *ASKED, "--reduce", "sum", *SMALL]) == 4
    assert "the batch inputs differ in their number of samples" in capsys.readouterr().err


def test_kinks_in_any_block_are_refused_when_strict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinked = INPUTS["x"].copy()
    kinked[4000, 0] = 0
    np.save("x.npy", kinked)
    asked = ["grad", "sum(abs(x))*b", "--wrt", "b", "--batch", "x", "-v", "x=@x.npy", "-v", "b=1", "--reduce", "sum"]
    assert run([*asked, *SMALL]) == 0
    asked[1], asked[3] = "sum(abs(x*b))", "b"
    assert run([*asked, *SMALL, "--strict"]) == 5


def test_a_signal_ends_a_run_that_keeps_nothing(folder: Path) -> None:
    more = {"x": np.tile(INPUTS["x"], (12, 1)), "y": np.tile(INPUTS["y"], 12)}
    for name, array in more.items():
        np.save(f"{name}.npy", array)
    asked = ["hessian", *ASKED, "--max-memory", "200kB", "-o", "H.zarr"]
    process = subprocess.Popen([sys.executable, "-m", "matgrad", *asked], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 50
    while not any(entry.name.startswith(".matgrad") for entry in folder.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert sorted(os.listdir()) == ["x.npy", "y.npy"]


@pytest.mark.parametrize("end", ["found.npy", "found.zarr"])
def test_a_full_disk_leaves_nothing_wrong(
    end: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["grad", *ASKED, *SMALL, "-o", end]
    assert run(asked) == 0
    whole = _read(end)
    kind = array_files.ZarrFile if end.endswith("zarr") else array_files.NpyFile
    left, write = [5], kind.write

    def full(self: Any, places: Any, array: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, places, array)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "write", full)
        assert run(asked) == 4
        assert f"cannot write `{end}`: no space left on device" in capsys.readouterr().err
        assert sorted(os.listdir()) == sorted([end, "x.npy", "y.npy"])
        left[0] = 5
        assert run([*asked, "--resume"]) == 4
    np.testing.assert_array_equal(_read(end), whole)
    assert run([*asked, "--resume"]) == 0
    np.testing.assert_array_equal(_read(end), whole)
    assert sorted(os.listdir()) == sorted([end, "x.npy", "y.npy"])
