"""Where an answer goes: through links, to what the shell has opened, and nowhere it cannot be whole."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from matgrad.cli.commands import lines
from matgrad.cli.input.json_lines import Line
from matgrad.cli.main import run
from matgrad.cli.output.writing import ENDINGS, writing_bytes, writing_to
from matgrad.core.errors import MatgradError, OutputError, UsageProblem


def written(path: Path | str, text: str = "new") -> None:
    with writing_to(str(path)) as stream:
        stream.write(text)


def interrupted(path: Path, by: MatgradError | signal.Signals) -> None:
    with writing_bytes(str(path)) as file:
        file.write(b"new")
        if isinstance(by, MatgradError):
            raise by
        signal.raise_signal(by)


def test_a_link_to_nothing_yet_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    written(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.parametrize("name", [".", "none/file", "folder/", "", "loop", "x" * 300])
def test_where_no_file_can_be_is_a_matter_of_usage(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageProblem, match="cannot write"):
        written(name)
    assert os.listdir(tmp_path) == ["loop"]


def test_an_error_inside_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(MatgradError, match="inside"):
        interrupted(path, MatgradError("inside"))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


class Destroyed:
    """What is interrupted where Python loses exceptions: in a destructor."""

    def __del__(self) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def listening() -> Iterator[None]:
    """Let an interrupt be one, as what is started in the background has it not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def losing(path: Path, rest: str) -> None:
    with writing_to(str(path)) as stream:
        stream.write("new")
        Destroyed()
        stream.write(rest)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("rest", ["", "more"])
def test_an_interrupt_that_is_lost_is_heeded_before_a_file_has_its_name(rest: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        losing(path, rest)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
    written(path)
    assert path.read_text() == "new"


WRITERS = ("J.npy", "J.npz", "J.json", "J.csv", "J.md", "J.tex", "J.txt", "J.mtx")


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_heeds_an_interrupt_that_is_lost(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (Destroyed(), sync(number)))
    monkeypatch.chdir(tmp_path)
    options = ["--format", "structured"] if name.endswith("z") else ["--format", "plain"] if name == "J.txt" else []
    assert run(["jacobian", "2*b", "-v", "b=[1,2,3]", *options, "-o", name]) == 130
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("output", [[], ["-o", "new.jsonl"]])
def test_lines_end_where_an_interrupt_is_lost(
    output: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = lines._Answers.to

    def interrupted(answers: lines._Answers, line: Line) -> Iterable[str]:
        if line.number == 2:
            Destroyed()
        return answered(answers, line)

    monkeypatch.setattr(lines._Answers, "to", interrupted)
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"x": 1}\n' * 100)
    assert run(["grad", "x**2", "--lines", "-i", "in.jsonl", *output]) == 130
    assert os.listdir(tmp_path) == ["in.jsonl"]
    assert len(capsys.readouterr().out.splitlines()) <= 100


def test_a_new_file_has_the_mode_that_the_mask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        written(tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_what_the_shell_has_opened_to_append_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("first ")
    with path.open("a") as log:
        written(f"/dev/fd/{log.fileno()}")
    assert path.read_text() == "first new"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full is Linux's")
def test_a_full_disk_is_told_once() -> None:
    with pytest.raises(OutputError, match="cannot write `/dev/full`: no space left on device"):
        written("/dev/full", "x" * 100_000)


@pytest.mark.parametrize("name", [name for name in ENDINGS if hasattr(signal, name)])
def test_a_signal_removes_what_is_unfinished_and_is_handed_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)  # the program would end, and the tests with it
    number = signal.Signals[name]
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as caught:
            interrupted(tmp_path / "file", number)
        assert caught.value.code == 128 + number
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert os.listdir(tmp_path) == []
