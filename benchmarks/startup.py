"""Start-up times of an installed matgrad, as ratios to starting Python and importing NumPy.

Run it with the interpreter beside which matgrad is installed, without `-e`, as a user has it:

    python -m venv .venv && .venv/bin/pip install . && .venv/bin/python benchmarks/startup.py

The commands take turns, so that whatever else the machine does slows all of them alike, and NumPy gets one thread:
starting more takes long where the cores are busy. The table shows medians in milliseconds, the ratio of each median to
the first, the same of the shortest times, and the ratio that is aimed at. `--rounds` sets how often each command runs
(25 unless told). The compiled modules are used, and made in the first run, whatever the environment says of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

MATGRAD = str(Path(sys.executable).with_name("matgrad"))


@dataclass(frozen=True)
class Measured:
    """A command line, its usual exit status and the largest ratio to the first one that it may take."""

    name: str
    arguments: tuple[str, ...]
    status: int
    aim: float | None = None


COMMANDS = (
    Measured("import numpy", (sys.executable, "-c", "import numpy"), 0),
    Measured("matgrad --help", (MATGRAD, "--help"), 0, aim=0.6),
    Measured("a syntax error", (MATGRAD, "grad", "a*(b", "--wrt", "a"), 3, aim=1.0),
    Measured("jacobian, as JSON", (MATGRAD, "jacobian", "a*b", "--wrt", "b", "--format", "json"), 0, aim=2.2),
    Measured("jacobian, as a table", (MATGRAD, "jacobian", "a*b", "--wrt", "b"), 0, aim=2.4),
)


def environment() -> dict[str, str]:
    """Return the environment of the commands."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}


def milliseconds(command: Measured) -> float:
    """Run a command once, without input and with its output thrown away, and return how long it took."""
    begin = time.perf_counter()
    run = subprocess.run(command.arguments, stdin=subprocess.DEVNULL, capture_output=True, env=environment())
    status = run.returncode
    passed = time.perf_counter() - begin
    if status != command.status:
        raise SystemExit(f"{command.name} ended with {status} and not with {command.status}")
    return 1000 * passed


def measure(rounds: int) -> list[tuple[float, ...]]:
    """Return the times of each command, all of them run in turn, `rounds` times after one to warm up."""
    for command in COMMANDS:
        milliseconds(command)
    times = [[milliseconds(command) for command in COMMANDS] for _ in range(rounds)]
    return list(zip(*times, strict=True))


def main() -> None:
    """Print the times of each command, and how many times NumPy's own start they are."""
    parser = argparse.ArgumentParser(description="Compare the start of matgrad with that of NumPy.")
    parser.add_argument("--rounds", type=int, default=25, help="how often each command runs (25 unless told)")
    found = measure(parser.parse_args().rounds)
    print(f"{'command':<20}{'median':>8}{'ratio':>7}{'least':>8}{'ratio':>7}{'aim':>6}")
    for command, times in zip(COMMANDS, found, strict=True):
        columns = "".join(f"{best(times):>8.0f}{best(times) / best(found[0]):>7.2f}" for best in (median, min))
        aim = "" if command.aim is None else f"{command.aim:.1f}"
        print(f"{command.name:<20}{columns}{aim:>6}")


if __name__ == "__main__":
    main()
