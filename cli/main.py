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


def program() -> int:
    """Run the command line of this process and return its exit status."""
    # A run loads many objects and makes little garbage: searching for it often, and all over at the end, is wasted.
    # This comes before anything is loaded: `run` itself imports the rest.
    gc.set_threshold(COLLECTED_EVERY)
    # A shell may have closed a stream: `matgrad value x >&-`.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    status = run(sys.argv[1:])
    gc.freeze()
    return status


def main() -> None:
    """Run matgrad as a program of its own.

    To take the interpreter apart object by object takes longer than many answers do. So the process ends here, when
    all is written and what was registered for its end is done. `python -m matgrad` ends in the usual way, for tools
    that look at a program from within, as profilers do.
    """
    import atexit

    status = program()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more, which `run` has seen where it matters
            status = status or 1
    os._exit(status)
