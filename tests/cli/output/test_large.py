"""Results larger than memory: kept compressed, written block by block, never left half written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory_use import measured
from scipy import io, sparse

from matgrad.cli.main import run
from matgrad.cli.output import large

MATGRAD = [sys.executable, "-m", "matgrad"]
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder to write to, and nothing on standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"")))
    return tmp_path


def jacobian(*arguments: str) -> int:
    return run(["jacobian", *arguments])


@pytest.mark.parametrize("layout", ["generalized", "numerator", "denominator", "flat"])
def test_blocks_make_the_file_that_one_piece_makes(layout: str, folder: Path) -> None:
    options = ["A @ X @ X", "--shape", "A=6x5", "--shape", "X=5x5", "--layout", layout, "-o", "J.npy"]
    assert jacobian(*options, "--wrt", "X") == 0
    whole = Path("J.npy").read_bytes()
    assert jacobian(*options, "--wrt", "X", "--max-memory", "3kB") == 0
    np.testing.assert_allclose(np.load("J.npy"), np.load(_kept(whole)), rtol=1e-12)
    assert len(Path("J.npy").read_bytes()) == len(whole)


def _kept(data: bytes) -> str:
    Path("kept.npy").write_bytes(data)
    return "kept.npy"


@pytest.mark.parametrize("layout", ["generalized", "numerator", "flat"])
def test_samples_and_gradients_are_written_in_blocks_too(layout: str, folder: Path) -> None:
    for text, command in (("x*(A@x)", "jacobian"), ("sum(x**3)", "hessian")):
        options = [text, "--wrt", "x", "--batch", "x", "--shape", "x=7x6", "--layout", layout]
        assert run([command, *options, "-o", "whole.npy"]) == 0
        assert run([command, *options, "-o", "blocks.npy", "--max-memory", "1500"]) == 0
        np.testing.assert_allclose(np.load("blocks.npy"), np.load("whole.npy"), rtol=1e-12)


def test_an_archive_holds_several_large_results(folder: Path) -> None:
    options = ["x * sum(y)", "--wrt", "x,y", "--shape", "x=60", "--shape", "y=60"]
    assert jacobian(*options, "-o", "whole.npz") == 0
    assert jacobian(*options, "-o", "blocks.npz", "--max-memory", "9kB") == 0
    with np.load("whole.npz") as whole, np.load("blocks.npz") as blocks:
        assert sorted(whole) == sorted(blocks) == ["x", "y"]
        for name in whole:
            np.testing.assert_allclose(blocks[name], whole[name], rtol=1e-12)


def test_memory_stays_within_the_limit(folder: Path) -> None:
    """128 MB are written by a process that may hold 16 MiB of arrays."""
    options = ["jacobian", "softmax(x)", "--wrt", "x", "-o", "J.npy", "--max-memory", "16MiB"]
    small = measured(*options, "--shape", "x=10")
    assert measured(*options, "--shape", "x=4000") - small < 32 * MIB
    written = np.load("J.npy", mmap_mode="r")
    assert written.shape == (4000, 4000)
    np.testing.assert_allclose(written[17:19].sum(axis=1), 0, atol=1e-12)
    assert os.listdir(folder) == ["J.npy"]


def test_a_million_rows_are_answered_in_little_memory(folder: Path) -> None:
    small = measured("jacobian", "exp(x)", "--wrt", "x", "--shape", "x=10")
    assert measured("jacobian", "exp(x)", "--wrt", "x", "--shape", "x=1000000") - small < 200 * MIB


def test_sparse_files_are_read_by_scipy(folder: Path) -> None:
    whole = np.diag(np.exp([1.0, 2.0, 3.0]))
    options = ["exp(x)", "--wrt", "x", "-v", "x=[1, 2, 3]"]
    assert jacobian(*options, "--format", "structured", "-o", "J.npz") == 0
    np.testing.assert_array_equal(sparse.load_npz("J.npz").toarray(), whole)
    assert jacobian(*options, "-o", "J.mtx") == 0
    np.testing.assert_array_equal(io.mmread("J.mtx").toarray(), whole)
    assert jacobian("A @ x", "--wrt", "A", "--layout", "denominator", "-o", "K.mtx") == 0
    assert io.mmread("K.mtx").shape == (12, 3)


def test_large_sparse_files_have_the_entries_of_the_structure_alone(folder: Path) -> None:
    assert jacobian("exp(x)", "--shape", "x=100000", "--format", "structured", "-o", "J.npz") == 0
    found = sparse.load_npz("J.npz")
    assert (found.shape, found.nnz) == ((100_000, 100_000), 100_000)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"])
def test_an_interrupted_file_is_not_there(name: str, folder: Path) -> None:
    number = signal.Signals[name]
    options = ["--shape", "x=16000", "--max-memory", "1MiB", "-o", "J.npy"]
    process = subprocess.Popen(
        [*MATGRAD, "jacobian", "exp(x)", *options],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # what runs in the background may ignore some
    )
    deadline = time.monotonic() + 60
    while not any(file.stat().st_size > MIB for file in folder.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"Traceback" not in errors
    assert os.listdir(folder) == []


def test_an_interrupted_file_leaves_the_old_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("J.npy").write_text("old")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(large, "write_blocks", interrupted)
    assert jacobian("exp(x)", "--shape", "x=100", "--max-memory", "9kB", "-o", "J.npy") == 130
    assert Path("J.npy").read_text() == "old"
    assert os.listdir(folder) == ["J.npy"]


def test_a_full_disk_is_known_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(MIB, MIB // 2, MIB // 2))
    assert jacobian("exp(x)", "--shape", "x=100000", "-o", "J.npy") == 4
    assert capsys.readouterr().err == (
        "error: cannot write `J.npy`: it needs 74.5 GiB, and the disk has 512 KiB free\n"
        "  --> -o J.npy\n"
        "   = help: another disk: -o /elsewhere/J.npy\n"
        "   = help: or in compressed form: --format structured -o J.npz\n"
    )
    assert os.listdir(folder) == []


class Terminal:
    """Standard error that is a terminal, as far as it is asked."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def test_progress_is_shown_on_a_terminal_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(large, "SHOWN_FROM", 0)
    options = ["exp(x)", "--shape", "x=300", "--max-memory", "99kB", "-o", "J.npy"]
    assert jacobian(*options) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", Terminal(sys.stderr))
    assert jacobian(*options) == 0
    assert "writing" in capsys.readouterr().err


def test_a_stream_takes_blocks_as_well(folder: Path) -> None:
    command = [*MATGRAD, "jacobian", "exp(x)", "--shape", "x=200", "--max-memory", "99kB", "--format", "npy"]
    with open("stream.npy", "wb") as file:
        subprocess.run(command, stdout=file, check=True, timeout=60)
    written = np.load("stream.npy")
    np.testing.assert_array_equal(written, np.diag(np.diagonal(written)))
    assert written.shape == (200, 200)
