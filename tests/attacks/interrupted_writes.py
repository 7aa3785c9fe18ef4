"""Programs that are stopped while they write: by signals, by a full disk, by a reader that leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

PROMISE = "a file is the old one or the whole new one, with nothing beside it, however a run ends"
INPUTS = 10

MATGRAD = [sys.executable, "-m", "matgrad"]
OLD = b"an older result"
SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)]
LINES = b'{"x": [1, 2, 3], "id": 1}\n{"x": "a"}\n' * 50
# Seconds within which most of the runs below have ended by themselves.
LONGEST = 2.0


def whole_lines(path: Path) -> bool:
    """Whether every line is an object, and there is one for each line of the input."""
    return len([json.loads(line) for line in path.read_text("utf-8").splitlines()]) == LINES.count(b"\n")


class Writer(NamedTuple):
    """A command line that writes a file, and what is true of the file when it is whole; lines come through a pipe."""

    arguments: tuple[str, ...]
    whole: Callable[[Path], bool]
    status: int = 0

    @property
    def name(self) -> str:
        return self.arguments[-1]


WRITERS = (
    Writer(("grad", "sum(x**2)", "--lines", "-o", "new.jsonl"), whole_lines, status=4),
    Writer(("jacobian", "exp(x)", "--shape", "x=1500", "--max-memory", "1MiB", "-o", "J.npy"),
           lambda path: np.load(path).shape == (1500, 1500)),
    Writer(("jacobian", "a*b", "--wrt", "b", "--shape", "b=200", "-o", "J.json"),
           lambda path: json.loads(path.read_text("utf-8"))["results"][0]["shape"] == [200, 200]),
    Writer(("jacobian", "exp(x)", "--shape", "x=9000", "--format", "structured", "-o", "J.npz"),
           lambda path: len(np.load(path)["data"]) == 9000),
    Writer(("formula", "x.T @ A @ x", "--wrt", "x", "--to", "numpy", "-o", "f.py"),
           lambda path: bool(compile(path.read_text("utf-8"), "f.py", "exec"))),
)  # fmt: skip


# What runs a command with room for so many bytes in a file: from within this process it would take a fork.
FULL_AFTER = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


def attack(seed: int) -> str | None:
    random = Random(seed)
    writer = random.choice(WRITERS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = random.choice((None, OLD))
        target = folder / writer.name
        if random.random() < 0.3:  # through a link, which stays one
            target = folder / "target"
            (folder / writer.name).symlink_to(target)
        if before is not None:
            target.write_bytes(before)
            target.chmod(0o640)
        names = {*os.listdir(folder), target.name}
        how, status, errors = run(writer, folder, random)
        found = _wrong(writer, target, before, names, status)
        return f"{writer.arguments}, {how}: {found} (status {status})\n{errors}" if found else None


def run(writer: Writer, folder: Path, random: Random) -> tuple[str, int, str]:
    """Run a writer and stop it in some way; return the way, the exit status and what was said."""
    limit = random.randrange(20_000) if sys.platform != "win32" and random.random() < 0.3 else None
    limited = [] if limit is None else [sys.executable, "-c", FULL_AFTER, str(limit)]
    process = subprocess.Popen(
        [*limited, *MATGRAD, *writer.arguments], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    if writer.status:  # lines: half of them, so that the file is begun and cannot be whole
        process.stdin.write(LINES[: len(LINES) // 2])
        process.stdin.flush()
    name = random.choice(SIGNALS)
    if limit is None:
        time.sleep(random.random() * LONGEST)
        process.send_signal(getattr(signal, name))
    rest = LINES[len(LINES) // 2 :] if writer.status and random.random() < 0.5 else b""
    _, errors = process.communicate(rest if limit is None else LINES[len(LINES) // 2 :], timeout=60)
    return name if limit is None else f"{limit} bytes of room", process.returncode, errors.decode()


def _wrong(writer: Writer, target: Path, before: bytes | None, names: set[str], status: int) -> str | None:
    """Return what is wrong with what a run has left, None where nothing is."""
    left = {*os.listdir(target.parent)} - names
    if left:
        return f"left behind: {', '.join(sorted(left))}"
    content = target.read_bytes() if target.exists() else None
    if content == before:
        return "status 0, and nothing written" if status == 0 else None
    if content is None:
        return "the older file is gone"
    # A signal before Python listens to it, or after the work, ends a program as it likes.
    if not writer.whole(target):
        return f"half a file of {len(content)} bytes"
    if before is not None and target.stat().st_mode & 0o777 != 0o640:
        return "the mode has changed"
    return None
