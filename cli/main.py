"""The program: how every run begins and ends."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

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
    except BrokenPipeError:
        _abandon_output()
        return 1
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as problem:
        from .failures import Manner, report

        return report(problem, Manner.of(arguments))
    return status if isinstance(status, int) else 0


def _abandon_output() -> None:
    """Let the interpreter end without another attempt to write to a reader that is gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line of this process, and end the process with its exit status."""
    # A run loads many objects and makes little garbage. To look for it 79 times, as Python does on the way to the
    # smallest Jacobian, takes a twentieth of its time.
    gc.set_threshold(COLLECTED_EVERY)
    # A shell may have closed a stream: `matgrad value x >&-`.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    try:
        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anything to run
        status = INTERRUPTED
    sys.exit(status)
