"""How far a long run is, on standard error where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

# A bar that moves more often than this is drawn more often than it is seen.
SECONDS = 0.1


@contextmanager
def progress(
    word: str, size: int | None, *, lines: bool = False, shown: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show a bar while a block runs; what it is given is called with the bytes that have been dealt with since.

    Example: `with progress("writing", 8_000_000) as advance: advance(80_000)`. Without a size, known for a file and not
    for a pipe, it only tells how much is done. `lines` counts the calls.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    counted = TextColumn("{task.fields[calls]:,} lines") if lines else DownloadColumn(binary_units=True)
    time = TimeElapsedColumn() if size is None else TimeRemainingColumn()
    columns = (TextColumn(word), BarColumn(), counted, time)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(word, total=size, calls=0)
        done, calls, drawn = 0, 0, monotonic()

        def advance(amount: int) -> None:
            nonlocal done, calls, drawn
            done, calls = done + amount, calls + 1
            if monotonic() - drawn > SECONDS:
                drawn = monotonic()
                bar.update(task, completed=done, calls=calls)

        yield advance
