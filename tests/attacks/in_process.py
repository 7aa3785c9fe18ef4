"""Command lines run inside this process, as tests run many."""

from __future__ import annotations

import io
import os
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from unittest import mock

from matgrad.cli.main import run

STATUSES = (0, 1, 2, 3, 4, 5)
# What no run may say on standard error, whatever its status: NumPy's warnings and an error that nobody foresaw.
NOISE = ("Warning:", "Traceback", "internal error")


class Ended(NamedTuple):
    """What a run has left behind."""

    arguments: Sequence[str]
    status: int
    output: str
    errors: str

    @property
    def defect(self) -> str | None:
        """What is wrong with any run, whatever it was asked: its exit status, or noise."""
        if self.status in STATUSES and not any(word in self.errors for word in NOISE):
            return None
        return f"{self}"

    def __str__(self) -> str:
        return (
            f"$ matgrad {shlex.join(self.arguments)}\nexit {self.status}\n{self.output[-500:]}\n{self.errors[-3000:]}"
        )


def ended(arguments: Sequence[str], stdin: bytes = b"", encoding: str = "utf-8") -> Ended:
    """Run a command line: `ended(["value", "1 + 1"]).output` is the answer as a file gets it."""
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"),
        "stdout": io.TextIOWrapper(io.BytesIO(), encoding=encoding),
        "stderr": io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace"),
    }
    with (
        mock.patch.multiple(sys, **streams),
        mock.patch.dict(os.environ, {"MATGRAD_DEBUG": "1"}),
        warnings.catch_warnings(),
    ):
        # As for a program: each warning is written, once.
        warnings.simplefilter("default")
        warnings.showwarning = shown_on_standard_error
        status = run(list(arguments))
        streams["stdout"].flush()
        streams["stderr"].flush()
        texts = [streams[name].buffer.getvalue().decode(encoding, "replace") for name in ("stdout", "stderr")]
    return Ended(arguments, status, *texts)


def shown_on_standard_error(message: Warning | str, category: type[Warning], *_: object) -> None:
    sys.stderr.write(f"{category.__name__}: {message}\n")


@contextmanager
def folder_with(files: Mapping[str, bytes]) -> Iterator[None]:
    """Go to a new folder with files, and leave it at the end."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as place:
        for name, data in files.items():
            with open(os.path.join(place, name), "wb") as file:
                file.write(data)
        os.chdir(place)
        try:
            yield
        finally:
            os.chdir(before)
