"""Times of matgrad, of the expert's NumPy and of the other libraries, taken in turn, and the memory of one call."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from rivals import Call, Rival, as_arrays
from workloads import Arrays, Size, Workload

from matgrad.core.api import Derivative

# What takes longer than this at its first run, in seconds, is measured only by that run.
LONGEST = 3.0
# How long the calls of one system may take in one round: a single call where that is longer already.
SHARE = 0.06
MOST_CALLS = 5
# Calls shorter than this are timed many at once.
SHORTEST = 3e-4
# How long a system runs before its calls are timed, in seconds.
SETTLING = 0.03
TOLERANCE = 1e-8


@dataclass
class System:
    """One way to compute a workload, and what has been measured of it."""

    name: str
    call: Call
    mode: str = ""
    estimate: float = 0.0
    compile: float | None = None
    once: bool = False
    times: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    excesses: list[float] = field(default_factory=list)

    @property
    def time(self) -> float:
        """The median time of a call."""
        return median(self.times)

    @property
    def ratio(self) -> float:
        """The median over the rounds of the time as a multiple of the expert's in the same round."""
        return median(self.ratios)

    @property
    def excess(self) -> float:
        """The median over the rounds of the time beyond the expert's in the same round."""
        return median(self.excesses)


@dataclass(frozen=True)
class Outcome:
    """What has been measured of a workload at one size; memory is in bytes."""

    work: Workload
    size: Size
    systems: dict[str, System]
    memory: int
    expert_memory: int
    output: int
    disagreements: list[str]

    @property
    def best_rival(self) -> System | None:
        """The faster of JAX and PyTorch, None where neither was measured."""
        return min((self.systems[n] for n in ("jax", "torch") if n in self.systems), key=lambda s: s.time, default=None)

    @property
    def against_rival(self) -> float | None:
        """The time of matgrad as a multiple of that of the faster of JAX and PyTorch."""
        best = self.best_rival
        if best is None:
            return None
        own = self.systems["matgrad"]
        if best.once:
            return own.time / best.time
        return median(mine / other for mine, other in zip(own.times, best.times, strict=True))


def seconds(call: Call) -> float:
    """Return the time of one call."""
    started = perf_counter()
    call()
    return perf_counter() - started


def timed(system: System) -> float:
    """Return the least time of a few calls of a system; short ones are counted many at a time.

    The least, for what else the machine does only ever adds: where threads of BLAS wait for each other, a lot.
    """
    many = max(1, round(SHORTEST / max(system.estimate, 1e-7)))
    samples = min(MOST_CALLS, max(1, int(SHARE / (system.estimate * many))))
    # A system does not pay for what the one before left: caches without its arrays, threads that go on spinning.
    started = perf_counter()
    while samples > 1 and perf_counter() - started < SETTLING:
        system.call()
    found = []
    for _ in range(samples):
        started = perf_counter()
        for _ in range(many):
            system.call()
        found.append((perf_counter() - started) / many)
    return min(found)


def memory_of(make: Callable[[], Call]) -> int:
    """Return the most bytes that a later call holds at a time: its result, and what was kept from earlier calls.

    Counted are NumPy's arrays and Python's objects, by tracemalloc; not the work space inside LAPACK. `make` gives a
    system that has not been called yet, for arrays that it keeps are seen only where they are made.
    """
    gc.collect()
    tracemalloc.start()
    try:
        call = make()
        call()
        gc.collect()
        arrays = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
        kept = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return kept + peak - before


def matgrad_call(work: Workload, inputs: Arrays) -> Call:
    """Return a call of matgrad of which nothing has been compiled yet."""
    derivative: Any = work.derivative()
    return partial(derivative.structured if work.compact else derivative, **inputs)


def matgrad_system(work: Workload, inputs: Arrays) -> System | None:
    """Return matgrad, compiled for the inputs, or None where it lacks the compact form."""
    if work.compact and not hasattr(Derivative, "structured"):
        return None
    started = perf_counter()
    call = matgrad_call(work, inputs)
    call()
    first = perf_counter() - started
    estimate = min(seconds(call) for _ in range(3))
    return System("matgrad", call, estimate=estimate, compile=max(0.0, first - estimate))


def rival_system(rival: Rival, work: Workload, inputs: Arrays) -> System | None:
    """Return the fastest way of a library to compute a workload, None where it has none."""
    found: list[System] = []
    for mode, call in rival.modes(work, inputs):
        first = seconds(call)
        if first > LONGEST:
            found.append(System(rival.name, call, mode, first, once=True, times=[first]))
            continue
        estimate = min(seconds(call) for _ in range(2 if first > 0.3 and not rival.compiles else 3))
        found.append(System(rival.name, call, mode, estimate, first - estimate if rival.compiles else None))
    return min(found, key=lambda system: system.estimate, default=None)


def disagreement(system: System, expected: Sequence[np.ndarray[Any, Any]]) -> str | None:
    """Return in words by how much a result differs from the expert's, None if it agrees."""
    result = as_arrays(system.call())
    for got, want in zip(result, expected, strict=True):
        if got.shape != want.shape:
            return f"{system.name} has shape {got.shape}, the expert {want.shape}"
        error = float(np.abs(got - want).max() / max(float(np.abs(want).max()), np.finfo(float).tiny))
        if not error <= TOLERANCE:
            return f"{system.name} differs from the expert by {error:.1e}"
    return None


def compact_numbers(system: System) -> System:
    """Return the system with the diagonal of its compact result in place of that result, to be compared."""

    def call() -> Any:
        result = system.call()
        return result.diagonal() if callable(result.diagonal) else result.diagonal

    return System(system.name, call)


def measure(work: Workload, size: Size, rivals: Sequence[Rival], rounds: int) -> Outcome | None:
    """Measure a workload at one size; None where matgrad lacks its form."""
    inputs = work.made(size)
    own = matgrad_system(work, inputs)
    if own is None:
        return None
    expert = System("expert", partial(work.expert, **inputs))
    expert.estimate = min(seconds(expert.call) for _ in range(3))
    candidates = [None if work.compact else rival_system(rival, work, inputs) for rival in rivals]
    systems = [expert, own, *(system for system in candidates if system is not None)]
    expected = as_arrays(expert.call())
    checked = [compact_numbers(own)] if work.compact else systems[1:]
    complaints = [disagreement(system, expected) for system in checked if not system.once]
    output = sum(array.nbytes for array in expected)
    del expected
    take_turns([system for system in systems if not system.once], rounds)
    for system in systems:
        if system.once:
            system.ratios = [system.time / expert.time]
            system.excesses = [system.time - expert.time]
    memory, expert_memory = memory_of(partial(matgrad_call, work, inputs)), memory_of(lambda: expert.call)
    by_name = {system.name: system for system in systems}
    return Outcome(work, size, by_name, memory, expert_memory, output, [words for words in complaints if words])


def take_turns(systems: Sequence[System], rounds: int) -> None:
    """Time the systems one after the other in every round, beginning with another one each time."""
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            start = turn % len(systems)
            for system in (*systems[start:], *systems[:start]):
                system.times.append(timed(system))
            reference = systems[0].times[-1]
            for system in systems:
                system.ratios.append(system.times[-1] / reference)
                system.excesses.append(system.times[-1] - reference)
    finally:
        gc.enable()
