"""Standard input, read once, with a word to whoever waits for a silent pipe."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from . import errors
from .room import PIECE, ask_for


def lines_in(stream: BinaryIO, name: str = "stdin") -> Iterator[bytes]:
    r"""Yield the lines of a stream as they arrive: `list(lines_in(io.BytesIO(b"1\n2"))) == [b"1\n", b"2"]`.

    A long one is put together in place, where `readline` would hold it twice. Raises InputError for one that needs more
    bytes than an input may take.
    """
    while line := stream.readline(PIECE):
        if len(line) == PIECE and not line.endswith(b"\n"):
            whole = bytearray(line)
            while piece := stream.readline(PIECE):
                whole += piece
                ask_for(len(whole), name, "what is read so far of a line")
                if piece.endswith(b"\n"):
                    break
            line = cast("bytes", whole)
            del whole
        pending = [line]
        del line
        yield pending.pop()


class StdinReader:
    """Standard input as bytes, kept after the first reading so that several options can use it.

    Example: `StdinReader().read()`. A pipe that stays silent for `patience` seconds is named on standard error; the
    reading goes on. `stream` stands in for standard input in tests. Raises InputError where reading fails.
    """

    def __init__(self, stream: BinaryIO | None = None, patience: float = 2.0) -> None:
        self._stream = stream
        self._patience = patience
        self._content: bytes | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether standard input is a keyboard, from which nothing is read."""
        stream = self._open()
        return stream is not None and stream.isatty()

    @property
    def is_offered(self) -> bool:
        """Whether somebody connected a file or a pipe to it, be it empty; or it holds something."""
        stream = self._open()
        if stream is None:
            return False
        try:
            mode = os.fstat(stream.fileno()).st_mode
        except (OSError, ValueError):  # no stream of the system
            return bool(self.read().strip())
        return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)

    def read(self) -> bytes:
        """All of standard input; empty where it is closed."""
        if self._content is None:
            pieces, size = [], 0
            for line in self.lines():
                pieces.append(line)
                size += len(line)
                ask_for(size, "stdin", "what is read so far")
            self._content = b"".join(pieces)
        return self._content

    def lines(self) -> Iterator[bytes]:
        """Return the lines of standard input as they arrive, for JSON Lines; they are not kept."""
        stream = self._open()
        if stream is None:
            return
        try:
            found = lines_in(stream)
            with self._impatience():
                first = [next(found, b"")]
            yield first.pop()  # not held: a line may be large
            yield from found
        except OSError as error:
            raise errors.unreadable_file("stdin", error) from None

    def _open(self) -> BinaryIO | None:
        if self._stream is not None:
            return self._stream
        return None if sys.stdin is None or sys.stdin.closed else sys.stdin.buffer

    @contextmanager
    def _impatience(self) -> Iterator[None]:
        # A timer and not `select`: it works for pipes on every system.
        words = "waiting for inputs on standard input"
        timer = threading.Timer(self._patience, print, [words], {"file": sys.stderr, "flush": True})
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
