"""The program: how every run begins and ends."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from .output.writing import guard_streams

# The syntax tree of a sum is as deep as the sum is long, and it is walked recursively.
RECURSION_LIMIT = 20_000
COLLECTED_EVERY = 100_000
INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status: `run(["value", "1 + 1"]) == 0`."""
    import click

    from .commands.group import make_group

    sys.setrecursionlimit(max(RECURSION_LIMIT, sys.getrecursionlimit()))
    try:
        status = make_group().main(list(arguments), prog_name="matgrad", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as problem:
        from .failures import Manner, report

        return report(problem, Manner.of(arguments))
    return status if isinstance(status, int) else 0


def main() -> None:
    """Run the command line of this process, and end the process with its exit status."""
    # A run loads many objects and makes little garbage. To look for it 79 times, as Python does on the way to the
    # smallest Jacobian, takes a twentieth of its time.
    gc.set_threshold(COLLECTED_EVERY)
    guard_streams()
    try:
        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anything to run
        status = INTERRUPTED
    sys.exit(status)
