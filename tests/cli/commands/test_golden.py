r"""What a person types, what comes back: each file in `golden` holds a command line and its whole answer.

A file begins with `$ matgrad ...`; `< TEXT` is standard input (`\n` ends a line); where it is missing standard input
is empty. After a change of wording, `MATGRAD_WRITE_GOLDEN=1 pytest tests/cli/commands/test_golden.py` writes the rest
anew.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from matgrad.cli.main import run

GOLDEN = Path(__file__).parent / "golden"
FILES = {
    "ragged.json": '{"A": [[1, 2], [3]]}',
    "malformed.json": '{"a": [1, 2],\n "b": 3 4}\n',
    "twice.json": '{"a": 1, "a": 2}',
    "nan.json": '{"x": [1, NaN]}',
    "huge.json": '{"x": [1, 1e400]}',
    "empty.json": "",
    "large.mtx": "%%MatrixMarket matrix coordinate real general\n3000 3000 2\n1 2 5\n3000 1 -7.5\n",
    "points.csv": "x,y,name\n1,2,first\n3,4,second\n",
}


class Case(NamedTuple):
    """The head of a golden file, and what a run of it gives."""

    command: str
    stdin: str
    answer: str


def read(path: Path) -> Case:
    """Read a golden file."""
    head, *rest = path.read_text(encoding="utf-8").split("\n", 1)
    body = rest[0] if rest else ""
    stdin = ""
    if body.startswith("< "):
        stdin, _, body = body[2:].partition("\n")
    return Case(head.removeprefix("$ "), stdin, body)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the input files that the commands name, and no terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "MATGRAD_DEBUG", "MATGRAD_ASCII"):
        monkeypatch.delenv(name, raising=False)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    np.save(tmp_path / "b.npy", np.array([1.0, 2.0]))
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "inputs.npz", a=np.array([1.0, 2.0, 3.0]), b=np.array([4.0, 5.0, 6.0]))
    return tmp_path


def answer(case: Case, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a case inside this process, as `python -W error` does, and return its exit status and streams as text.

    No time passes meanwhile: limits are reached by parts, whatever else the machine does.
    """
    monkeypatch.setattr("matgrad.grammar.budget.thread_time", lambda: 0.0)
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdin", "stdout", "stderr")}
    streams["stdin"].buffer.write(case.stdin.replace("\\n", "\n").encode())
    streams["stdin"].buffer.seek(0)
    for name, stream in streams.items():
        monkeypatch.setattr(f"sys.{name}", stream)
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        status = run(shlex.split(case.command)[1:])
    texts = {}
    for name in ("stdout", "stderr"):
        streams[name].flush()
        texts[name] = streams[name].buffer.getvalue().decode()
    monkeypatch.undo()
    body = f"exit {status}\n" + "".join(f"--- {name}\n{text}" for name, text in texts.items() if text)
    body = re.sub(r"(relative error|formula agrees to) [\d.e+-]+", r"\1 ...", body)
    return re.sub(r'"finite_differences": [\d.e+-]+', '"finite_differences": ...', body)


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.txt")))
def test_a_command_line_gives_its_golden_answer(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = GOLDEN / f"{name}.txt"
    case = read(path)
    found = answer(case, monkeypatch)
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        stdin = f"< {case.stdin}\n" if case.stdin else ""
        path.write_text(f"$ {case.command}\n{stdin}{found}", encoding="utf-8")
        return
    assert found == case.answer


def test_a_command_line_that_warns_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_: object) -> None:
        warnings.warn("a step is old", DeprecationWarning, stacklevel=1)

    monkeypatch.setattr("matgrad.core.session.check_results", warn)
    found = answer(Case("matgrad grad 'sum(x**2)' --wrt x -v x=[1,2]", "", ""), monkeypatch)
    assert found.startswith("exit 70")


def refused() -> list[str]:
    """Return the names of the files with an error that no option turns into something else."""
    cases = {path.stem: read(path) for path in sorted(GOLDEN.glob("*.txt"))}
    # A claim that is wrong has the answer no: that is exit status 1, and no error. Where JSON is asked for, the ending
    # of a file is free.
    return [
        name
        for name, case in cases.items()
        if "\nerror" in case.answer
        and not case.answer.startswith("exit 0")
        and not re.search("--json|--format|-o result", case.command)
    ]


@pytest.mark.parametrize("name", refused())
def test_every_json_error_is_one_object_on_standard_error(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command lines with --json: one object of one shape, whatever went wrong."""
    case = read(GOLDEN / f"{name}.txt")
    found = answer(Case(f"{case.command} --json", case.stdin, ""), monkeypatch)
    error = json.loads(found.partition("--- stderr\n")[2])["error"]
    assert set(error) == {"code", "message", "span", "place", "notes", "help"}
    assert found.splitlines()[0] == case.answer.splitlines()[0]


def test_many_errors_are_on_file() -> None:
    assert len(refused()) > 30
