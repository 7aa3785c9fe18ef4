"""Start-up times of an installed matgrad, as ratios to starting Python and importing NumPy.

Run it with the interpreter beside which matgrad is installed, without `-e`, as a user has it:

    python -m venv .venv && .venv/bin/pip install . && .venv/bin/python benchmarks/startup.py

The commands take turns, so that whatever else the machine does slows all of them alike. The table shows medians in
milliseconds, the ratio of each median to the first, and the ratio that is aimed at. `--rounds` sets how often each
command runs (25 unless told).
"""

from __future__ import annotations

import argparse
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
    Measured("matgrad --help", (MATGRAD, "--help"), 0, aim=0.5),
    Measured("a syntax error", (MATGRAD, "value", "sin(x"), 3, aim=0.8),
    Measured("matgrad jacobian", (MATGRAD, "jacobian", "a*b", "--wrt", "b"), 0, aim=1.8),
)


def milliseconds(command: Measured) -> float:
    """Run a command once, without input and with its output thrown away, and return how long it took."""
    begin = time.perf_counter()
    status = subprocess.run(command.arguments, stdin=subprocess.DEVNULL, capture_output=True).returncode
    passed = time.perf_counter() - begin
    if status != command.status:
        raise SystemExit(f"{command.name} ended with {status} and not with {command.status}")
    return 1000 * passed


def medians(rounds: int) -> list[float]:
    """Return the median time of each command, all of them run in turn, `rounds` times after one to warm up."""
    for command in COMMANDS:
        milliseconds(command)
    times = [[milliseconds(command) for command in COMMANDS] for _ in range(rounds)]
    return [median(column) for column in zip(*times, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the start of matgrad with that of NumPy.")
    parser.add_argument("--rounds", type=int, default=25, help="how often each command runs (25 unless told)")
    found = medians(parser.parse_args().rounds)
    print(f"{'command':<18}{'ms':>7}{'ratio':>8}{'aim':>6}")
    for command, time_taken in zip(COMMANDS, found, strict=True):
        aim = "" if command.aim is None else f"{command.aim:.1f}"
        print(f"{command.name:<18}{time_taken:>7.0f}{time_taken / found[0]:>8.2f}{aim:>6}")


if __name__ == "__main__":
    main()
