"""Attacks: inputs that try to break a promise, drawn from seeds.

An attack is a module of this folder with

- `PROMISE`, what holds whatever the input is, in a few words,
- `INPUTS`, how many inputs are tried in each run of the tests, a few seconds' worth,
- `attack(seed)`, which makes the input of a seed, the same whenever it is called, tries it, and returns what went wrong
  as a text that shows the input, or None. What it raises counts as a defect too, and so does taking too long.

It is listed in `ATTACKS`, and nowhere else. `test_attacks.py` runs each of them for a moment. This runs them for long:

    python -m matgrad.tests.attacks --inputs 1000000 --jobs 16
    python -m matgrad.tests.attacks --only command_lines --first 1234 --inputs 1

The inputs are shared among the attacks as in the tests. Each defect is shown as it is found, with its seed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

ATTACKS = (
    "command_lines", "random_expressions", "strange_shapes", "input_files", "printed_code", "threads", "long_work",
    "strangers_text", "noise", "interrupted_writes", "extreme_magnitudes", "random_derivatives", "huge_settings",
)  # fmt: skip

# An input that takes longer hangs: so many seconds of work, and many more by the clock, for machines are busy.
LONGEST = 10
LONGEST_BY_CLOCK = 120
# So many inputs a process tries before it asks for more.
PORTION = 50
# What a process may use at most, so that an input which asks for all memory harms nothing else.
MEMORY = 6 * 2**30


class Hang(BaseException):
    """An input took too long. No `except Exception` stops it."""


def promise(name: str) -> str:
    return str(import_module(f"attacks.{name}").PROMISE)


def inputs_in_tests(name: str) -> int:
    return int(import_module(f"attacks.{name}").INPUTS)


def defect(name: str, seed: int) -> str | None:
    """Return what goes wrong with the input of a seed, None where all is well."""
    module = import_module(f"attacks.{name}")
    try:
        with limited_time():
            found: str | None = module.attack(seed)
    except Hang:
        return "more than 10 seconds of work:\n" + traceback.format_exc(limit=-6)
    except Exception:
        return traceback.format_exc()
    return found


@contextmanager
def limited_time() -> Iterator[None]:
    """Raise Hang when the work within takes too long, where the system can tell."""
    if not hasattr(signal, "SIGPROF"):
        yield
        return

    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


# --- the long run ----------------------------------------------------------------------------------------------------


@dataclass
class Worker:
    """A process that tries inputs: what it is at, and since when."""

    jobs: Iterator[tuple[str, range]]
    name: str = ""
    seeds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        context = get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=try_portions, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def next_portion(self) -> bool:
        """Give the process what is left of its portion, or another one; return whether there was any."""
        if not self.seeds:
            self.name, seeds = next(self.jobs, ("", range(0)))
            self.seeds = list(seeds)
        if self.seeds:
            self.connection.send((self.name, self.seeds))
        self.since = monotonic()
        return bool(self.seeds)

    def report(self) -> Iterator[tuple[str, int, str | None]]:
        """Yield what the process has found since it was last asked; replace it if it has died or hangs."""
        reason = ""
        try:
            while self.seeds and self.connection.poll():
                found = self.connection.recv()
                self.since = monotonic()
                yield self.name, self.seeds.pop(0), found
        except (EOFError, OSError):
            self.process.join()
            reason = f"the process ended with status {self.process.exitcode}"
        if self.seeds and not reason and monotonic() - self.since > LONGEST_BY_CLOCK:
            reason = f"more than {LONGEST_BY_CLOCK} seconds"
        if reason:
            yield self.name, self.seeds.pop(0), reason
            self.process.kill()
            self.start()
            self.next_portion()


def try_portions(connection: Connection) -> None:
    """Try the inputs that a connection names, until it is closed."""
    prepare()
    while True:
        try:
            name, seeds = connection.recv()
        except EOFError:
            return
        for seed in seeds:
            connection.send(defect(name, seed))


def prepare() -> None:
    """Make this process fit to be attacked: bounded in memory, and with no standard input to wait for."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    # What a script starts in the background ignores these, and so would the programs that are started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGQUIT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


def portions(names: Sequence[str], inputs: int, first: int) -> tuple[dict[str, int], Iterator[tuple[str, range]]]:
    """Share inputs among attacks: how many each gets, and portions of seeds, the attacks taking turns."""
    whole = sum(map(inputs_in_tests, names))
    shares = {name: -(-inputs * inputs_in_tests(name) // whole) for name in names}

    def turns() -> Iterator[tuple[str, range]]:
        for start in range(0, max(shares.values()), PORTION):
            for name in names:
                if start < shares[name]:
                    yield name, range(first + start, first + min(start + PORTION, shares[name]))

    return shares, turns()


def long_run(names: Sequence[str], inputs: int, first: int, jobs: int) -> dict[str, int]:
    """Try many inputs in several processes; return how many defects each attack has found."""
    found = dict.fromkeys(names, 0)
    _, turns = portions(names, inputs, first)
    workers = [Worker(turns) for _ in range(jobs)]
    busy = [worker for worker in workers if worker.next_portion()]
    while busy:
        wait([worker.connection for worker in busy], timeout=LONGEST)
        for worker in busy.copy():
            for name, seed, text in worker.report():
                if text is not None:
                    found[name] += 1
                    print(f"--- {name} {seed}\n{text}", flush=True)
            if not worker.seeds and not worker.next_portion():
                worker.connection.close()
                busy.remove(worker)
    return found


def table(shares: dict[str, int], found: dict[str, int]) -> str:
    """Return the closing table; its last line counts inputs and defects."""
    rows: list[tuple[Any, ...]] = [("promise", "attack", "inputs", "defects")]
    rows += [(promise(name), name, shares[name], found[name]) for name in shares]
    rows.append(("all", "", sum(shares.values()), sum(found.values())))
    widths = [max(len(str(row[column])) for row in rows) for column in range(4)]
    lines = [
        f"{first:<{widths[0]}}  {second:<{widths[1]}}  {third:>{widths[2]}}  {fourth:>{widths[3]}}"
        for first, second, third, fourth in rows
    ]
    return "\n".join([*lines, f"{sum(shares.values())} inputs, {sum(found.values())} defects"])


def main(arguments: Sequence[str]) -> None:
    """Run the attacks as the command line says; the exit status is 1 where there are defects."""
    parser = argparse.ArgumentParser(prog="attacks", description="Try to break what matgrad promises.")
    parser.add_argument("--inputs", type=int, default=10_000, help="how many inputs, all attacks together (10000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes (one for each core)")
    parser.add_argument("--only", metavar="NAMES", default=",".join(ATTACKS), help="these attacks, separated by commas")
    parser.add_argument("--first", metavar="SEED", type=int, default=0, help="the seed of the first inputs (0)")
    chosen = parser.parse_args(arguments)
    # Set before the processes start, which load NumPy: threads of the BLAS would wait for each other.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    names = chosen.only.split(",")
    found = long_run(names, chosen.inputs, chosen.first, chosen.jobs)
    shares, _ = portions(names, chosen.inputs, chosen.first)
    print(table(shares, found))
    sys.exit(1 if any(found.values()) else 0)
