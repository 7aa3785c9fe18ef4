"""The memory that a run of the program holds, measured from outside."""

from __future__ import annotations

import subprocess
import sys

# Runs a command line and says how much memory the process has held at most.
MEASURED = (
    "import resource, sys\n"
    "from matgrad.cli.main import run\n"
    "status = run(sys.argv[1:])\n"
    "print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024))"
)


def measured(*arguments: str) -> int:
    """Return the largest amount of memory that a run of the program has held."""
    done = subprocess.run([sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True, timeout=120)
    status, memory = done.stdout.split()[-2:]
    assert (status, done.stderr) == ("0", ""), done.stderr
    return int(memory)
