"""All writing ends here: a file takes its name when it is whole, and a reader that is gone is silence.

A result is written beside its file and renamed, so that an older one stays until the new one is complete; what is
unfinished is removed however the program ends. Whatever goes wrong at the lowest level becomes an error that names the
place, so nothing above it needs to tell the failures of writing from others.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
import re
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ...core.errors import MatgradError

# What ends a program unless it says otherwise; an interrupt is an exception of its own in Python.
ENDINGS = (
    "SIGHUP",
    "SIGQUIT",
    "SIGTERM",
    "SIGUSR1",
    "SIGUSR2",
    "SIGALRM",
    "SIGVTALRM",
    "SIGPROF",
    "SIGXCPU",
    "SIGBREAK",
)
# The disk, and not the name, is at fault.
FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
DESCRIPTOR = r"/(?:dev|proc/self)/fd/(\d+)"
BINARY = getattr(os, "O_BINARY", 0)

_unfinished: set[str] = set()
# Each interrupt of the block that is written.
_interrupts: list[int] = []


class Outlet(io.FileIO):
    """A file descriptor that is written to: `Outlet(1, None)` is standard output, `Outlet(5, "J.npy")` a file.

    Once its reader is gone, what is written vanishes. Raises OutputError where writing fails, once; a `mute` outlet,
    as for errors, never does.
    """

    def __init__(self, descriptor: int, path: str | None, *, mute: bool = False, closefd: bool = True) -> None:
        super().__init__(descriptor, "wb", closefd=closefd)
        self.path = path
        self.mute = mute
        self.gone = False

    def write(self, data: object) -> int:
        """Write bytes, and return how many were taken."""
        if not self.mute:
            _heed_interrupts()
        if not self.gone:
            try:
                return super().write(data)  # type: ignore[arg-type]
            except OSError as problem:
                self.gone = True
                if not (self.mute or isinstance(problem, BrokenPipeError)):
                    raise unwritable(self.path, problem) from None
        return memoryview(data).nbytes  # type: ignore[arg-type]


def guard_streams() -> None:
    """Put outlets under standard output and standard error, and a device that takes everything where one is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # a shell may have closed it: `matgrad value x >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):
            outlet = Outlet(stream.fileno(), None, mute=name == "stderr", closefd=False)
            # A character that the encoding lacks is escaped, rather than an end to everything.
            errors = "backslashreplace" if stream.errors == "strict" else stream.errors
            at_once = name == "stderr" or stream.line_buffering or stream.write_through
            guarded = io.TextIOWrapper(io.BufferedWriter(outlet), stream.encoding, errors, None, at_once)
            setattr(sys, name, guarded)


def is_gone(stream: TextIO) -> bool:
    """Whether nobody reads what is written any more: `matgrad ... | head -1` after the first line."""
    return bool(getattr(getattr(getattr(stream, "buffer", None), "raw", None), "gone", False))


@contextmanager
def writing_to(path: str | None) -> Iterator[TextIO]:
    """Open a file for text, or standard output where none is named.

    Example: `with writing_to("formula.tex") as stream: stream.write(text)`. Raises as `writing_bytes`.
    """
    if standard := standard_stream(path):
        with _interruptible():
            yield standard
        return
    with writing_bytes(path) as file:
        text = io.TextIOWrapper(file, "utf-8", "backslashreplace", "\n")
        try:
            yield text
        finally:
            text.detach()


@contextmanager
def writing_bytes(path: str | None) -> Iterator[IO[bytes]]:
    """Open a file for bytes, or standard output where none is named; a file appears when the block ends well.

    A link is written through, a device or a pipe as it is. Raises UsageProblem where there can be no such file, and
    OutputError where the disk does not take it.
    """
    if stream := standard_stream(path):
        stream.flush()
        with _interruptible():
            yield stream.buffer
            stream.buffer.flush()
        return
    assert path is not None
    with _naming(path):
        before = _look_at(path)
    opened = re.fullmatch(DESCRIPTOR, path)  # by the shell, maybe to append: `-o /dev/fd/5 5>> log`
    if opened or (before is not None and not stat.S_ISREG(before.st_mode)):
        with _naming(path):
            outlet = Outlet(os.dup(int(opened[1])) if opened else os.open(path, os.O_WRONLY | BINARY), path)
        with _interruptible(), io.BufferedWriter(outlet) as device:
            yield device
        return
    with _interruptible(), _whole(path, before) as file:
        yield file


def standard_stream(path: str | None) -> TextIO | None:
    """Return the standard stream that a path means: `-`, `/dev/stdout`, or the file that the shell has opened as it."""
    if path is None or path == "-":
        return sys.stdout
    with suppress(OSError, ValueError):
        named = os.stat(path)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                if os.path.samestat(named, os.fstat(stream.fileno())):
                    return stream
    return None


def unwritable(path: str | None, problem: OSError | ValueError, *notes: str) -> MatgradError:
    """Return the error for what cannot be written: a full disk is no fault of the command line."""
    from ...core.errors import OutputError, UsageProblem

    reason = getattr(problem, "strerror", None) or str(problem)
    if path is None:
        return OutputError(f"the answer cannot be written: {reason}")
    kind = OutputError if getattr(problem, "errno", None) in FULL else UsageProblem
    return kind(f"cannot write `{path}`: {reason.lower()}", place=f"-o {path}", notes=notes)


# --- files -----------------------------------------------------------------------------------------------------------


@contextmanager
def _naming(path: str, *notes: str) -> Iterator[None]:
    """Name the file in what goes wrong with it."""
    try:
        yield
    except (OSError, ValueError) as problem:
        raise unwritable(path, problem, *notes) from None


def _look_at(path: str) -> os.stat_result | None:
    """Return what stands at a path, None where nothing does; raise OSError where nothing can be written."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if path and not os.path.basename(path):
            raise _problem(errno.EISDIR) from None
        if not path:
            raise
        return None
    if stat.S_ISDIR(found.st_mode):
        raise _problem(errno.EISDIR)
    if stat.S_ISREG(found.st_mode) and not os.access(path, os.W_OK):
        raise _problem(errno.EACCES)
    return found


def _problem(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@contextmanager
def _whole(path: str, before: os.stat_result | None) -> Iterator[IO[bytes]]:
    """Write beside a file, and give it the name, the mode and the owner of the one before it when all is written."""
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), f".matgrad-{os.urandom(8).hex()}")
    notes = [] if before is None else ["the new file is written beside the old one, and the folder takes none"]
    with removed(temporary):
        with _naming(path, *notes):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY
            outlet = Outlet(os.open(temporary, flags, 0o666 if before is None else 0o600), path)
        with io.BufferedWriter(outlet) as file:
            yield file
            file.flush()
            with _naming(path):
                os.fsync(outlet.fileno())
        _heed_interrupts()
        with _naming(path):
            if before is not None:
                _keep_mode(temporary, before)
            os.replace(temporary, target)


def _keep_mode(path: str, before: os.stat_result) -> None:
    if hasattr(os, "chown"):
        with suppress(OSError):  # only root may give a file away
            os.chown(path, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))


@contextmanager
def removed(temporary: str) -> Iterator[None]:
    """Leave no unfinished file or folder behind, however the block or the program ends."""
    with _ending_cleanly():
        _unfinished.add(temporary)
        try:
            yield
        finally:
            _remove(temporary)


def _remove(temporary: str) -> None:
    if os.path.isdir(temporary):
        import shutil

        shutil.rmtree(temporary, ignore_errors=True)
    with suppress(OSError):
        os.unlink(temporary)
    _unfinished.discard(temporary)


@atexit.register
def _remove_unfinished() -> None:
    for temporary in list(_unfinished):
        _remove(temporary)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt when something is written, or the block ends: one raised in a destructor is lost."""

    def interrupt(number: int, _: object) -> None:
        _interrupts.append(number)
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
        _heed_interrupts()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _interrupts.clear()


def _heed_interrupts() -> None:
    if _interrupts:
        raise KeyboardInterrupt


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Let a signal that ends the program do so, once what is unfinished is removed."""

    def end(number: int, _: object) -> None:
        _remove_unfinished()
        os._exit(128 + number)  # an exception may be lost in a destructor, and the program would go on without its file

    numbers = [getattr(signal, name) for name in ENDINGS if hasattr(signal, name)]
    in_main = threading.current_thread() is threading.main_thread()  # elsewhere no handler can be set
    caught = [number for number in numbers if in_main and signal.getsignal(number) == signal.SIG_DFL]
    try:
        for number in caught:
            signal.signal(number, end)
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)
