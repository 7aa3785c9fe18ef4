"""Work on a file that may be interrupted: where it is done, which blocks are there, and how it gets its final name.

A result in blocks is made in a folder beside its file. It takes the name of the file when it is whole. Where a run may
be resumed the folder has a name that the next run finds, `J.npy.part`, and holds, beside the blocks:

- `question.json`: what is computed, from which inputs; the next run must ask the same;
- `finished`: the number of each block that is written, one a line; or `sums.npz`, the sums of those that are read.

A number is noted after its block is on the disk, so that a run that is killed loses the blocks under way alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

import numpy as np

from ...core.arrays import Array
from ...core.errors import UsageProblem
from .writing import removed, unwritable

PART = ".part"
QUESTION, FINISHED, RESULT, SUMS = "question.json", "finished", "result", "sums.npz"


class Work:
    """A result in the making: its blocks are in `path`, and `finished` has the numbers of those that are there."""

    def __init__(self, folder: str, output: str) -> None:
        self.folder = folder
        self.path = os.path.join(folder, RESULT)
        self.output = output
        self.finished: set[int] = set()
        self._journal: IO[str] | None = None

    def begin(self) -> None:
        """Read what an earlier run has finished; without its blocks that is nothing."""
        journal = os.path.join(self.folder, FINISHED)
        if self.fresh():
            _remove(journal)
        with suppress(FileNotFoundError), open(journal, encoding="ascii") as file:
            # The last line may have been cut off.
            self.finished = {int(line) for line in file.read().rpartition("\n")[0].split()}
        self._journal = open(journal, "a", encoding="ascii")  # noqa: SIM115
        self._journal.write("\n")

    def note(self, number: int) -> None:
        """Note that a block is on the disk."""
        assert self._journal is not None
        self._journal.write(f"{number}\n")
        self._journal.flush()
        self.finished.add(number)

    def sums(self) -> list[tuple[int, list[Array]]]:
        """Return the sums that were kept last, none where nothing was."""
        try:
            with np.load(os.path.join(self.folder, SUMS)) as kept:
                count, each = kept["shape"].tolist()
                levels = kept["levels"].tolist()
                return [(levels[row], [kept[f"{row}-{place}"] for place in range(each)]) for row in range(count)]
        except FileNotFoundError:
            return []

    def keep(self, sums: Sequence[tuple[int, Sequence[Array]]]) -> None:
        """Put sums on the disk in the place of those before."""
        path = os.path.join(self.folder, SUMS)
        arrays: dict[str, Any] = {
            f"{row}-{place}": array for row, (_, own) in enumerate(sums) for place, array in enumerate(own)
        }
        levels = np.array([level for level, _ in sums])
        with open(f"{path}.new", "wb") as file:
            np.savez(file, shape=np.array([len(sums), len(sums[0][1])]), levels=levels, **arrays)
        os.replace(f"{path}.new", path)

    def end(self) -> None:
        """Close what is open."""
        if self._journal is not None:
            self._journal.close()

    def fresh(self) -> bool:
        """Whether there is nothing yet to go on from."""
        return not os.path.exists(self.path)


@contextmanager
def working_on(output: str, question: Mapping[str, object], *, resume: bool) -> Iterator[Work]:
    """Lend a folder to make a file in, which takes its name when the block ends well.

    Without `resume` nothing is left of it however the program ends; with it, what is there is kept until it is whole.
    Raises UsageProblem where what is there answers another question, or another run is at work.
    """
    target = os.path.realpath(output)
    _look_at(output, target)
    if not resume:
        folder = os.path.join(os.path.dirname(target), f".matgrad-{os.urandom(8).hex()}")
        with removed(folder), _named(output):
            os.mkdir(folder)
            yield from _worked(Work(folder, target))
        return
    folder = target + PART
    with _named(output):
        os.makedirs(folder, exist_ok=True)
        with _alone(folder, output):
            _ask_again(folder, output, question)
            yield from _worked(Work(folder, target))
            shutil.rmtree(folder, ignore_errors=True)


def _worked(work: Work) -> Iterator[Work]:
    work.begin()
    try:
        yield work
        if not work.fresh():
            take_name(work.path, work.output)
    finally:
        work.end()


def take_name(made: str, target: str) -> None:
    """Give what is whole its name, in the place of what had it."""
    if os.path.isdir(target):  # a zarr array, which cannot be replaced in one step
        old = f"{made}-old"
        os.rename(target, old)
        try:
            os.rename(made, target)
        except OSError:
            os.rename(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
        return
    if os.path.isfile(target):
        os.chmod(made, os.stat(target).st_mode & 0o7777)
    os.replace(made, target)


def _look_at(output: str, target: str) -> None:
    """Raise UsageProblem where something stands that is not to be replaced."""
    zarr = any(os.path.exists(os.path.join(target, name)) for name in ("zarr.json", ".zarray", ".zgroup"))
    if os.path.isdir(target) and not zarr:
        raise UsageProblem(f"`{output}` is a folder, and no zarr array", place=f"-o {output}")


def _ask_again(folder: str, output: str, question: Mapping[str, object]) -> None:
    """Write down what is asked, or compare it with what was."""
    path, asked = os.path.join(folder, QUESTION), json.loads(json.dumps(question))
    try:
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
    except (FileNotFoundError, ValueError):  # nothing was begun
        for name in (RESULT, FINISHED, SUMS):
            _remove(os.path.join(folder, name))
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(asked, file, indent=1)
        os.replace(f"{path}.new", path)
        return
    differing = sorted(key for key in {*before, *asked} if before.get(key) != asked.get(key))
    if differing:
        raise UsageProblem(
            f"`{output}{PART}` was begun with another question",
            place="--resume",
            notes=[f"what differs: {', '.join(differing)}"],
            helps=["ask the same again", f"or begin anew: rm -r {output}{PART}"],
        )


def _remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)
    with suppress(FileNotFoundError):
        os.unlink(path)


@contextmanager
def _alone(folder: str, output: str) -> Iterator[None]:
    """Hold a folder, where the system can, so that two runs do not write into it at once."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageProblem(f"another run is writing `{output}`", place="--resume") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _named(output: str) -> Iterator[None]:
    """Name the file in what goes wrong with it."""
    try:
        yield
    except OSError as problem:
        raise unwritable(output, problem) from None
