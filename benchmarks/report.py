"""The tables of the comparison, as text and as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import geometric_mean

import numpy as np
from measure import Outcome, System
from rivals import Rival
from workloads import Size, Workload

LABELS = {"matgrad": "matgrad", "jax": "JAX jit", "torch": "torch.func", "autograd": "autograd"}
BUSY = 0.5
# Ratios that are more than they should be, and are listed at the end.
MOST_OF_EXPERT, MOST_OF_RIVAL = 1.3, 1.2
LEGEND = """
expert: the time of the closed form by hand in NumPy, the median over the rounds of the least of a few calls. Ratios:
the median over the rounds of the time as a multiple of the expert's in the same round; for tiny inputs (+)
microseconds per call beyond the expert's. A star: measured once, for it takes long. Compile: what the first call takes
longer than later ones, without imports. Peak: the memory that a call of matgrad and of the expert holds at most, with
what is kept from earlier calls, beside the size of the result (NumPy's arrays, by tracemalloc)."""


def print_machine(rivals: Sequence[Rival]) -> None:
    """Print the machine, the versions and the threads."""
    blas = np.show_config(mode="dicts") or {}
    library = blas.get("Build Dependencies", {}).get("blas", {}) if isinstance(blas, dict) else {}
    print(f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    print(f"NumPy {np.__version__} with {library.get('name', 'its BLAS')} {library.get('version', '')}, ", end="")
    limits = [
        f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name in os.environ
    ]
    print(", ".join(limits) or "threads: as many as cores, by default")
    for rival in rivals:
        print(f"{rival.label} {rival.version}, threads: {rival.threads}")
    if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > BUSY * (os.cpu_count() or 1):
        print(f"the machine is busy (load {load:.1f}): threads that wait for each other will distort the times")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def print_head(rivals: Sequence[Rival]) -> None:
    """Print the names of the columns."""
    print(f"\n{'workload':<35}{'size':>10}{'expert':>10}{'matgrad':>9}", end="")
    for rival in rivals:
        print(f"{rival.label:>11}", end="")
    print("  compile ms", end="")
    print("" if not any(rival.compiles for rival in rivals) else f"{'JAX':>8}", end="")
    print(f"{'peak MB':>9}{'expert':>8}{'result':>8}", flush=True)


def print_row(outcome: Outcome, rivals: Sequence[Rival], modes: bool) -> None:
    """Print what has been measured of a workload at one size, with the ways that were the fastest if `modes`."""
    systems = outcome.systems
    print(f"{outcome.work.name:<35}{show_size(outcome.size):>10}{show_time(systems['expert'].time):>10}", end="")
    print(f"{show_ratio(outcome, 'matgrad'):>9}", end="")
    for rival in rivals:
        print(f"{show_ratio(outcome, rival.name):>11}", end="")
    print(f"{_compile(systems.get('matgrad')):>12}", end="")
    if any(rival.compiles for rival in rivals):
        print(f"{_compile(systems.get('jax')):>8}", end="")
    for size in (outcome.memory, outcome.expert_memory, outcome.output):
        print(f"{size / 1e6:>{9 if size is outcome.memory else 8}.2f}", end="")
    ways = (f"{rival.name}: {systems[rival.name].mode}" for rival in rivals if rival.name in systems)
    print("  " + ", ".join(ways) if modes else "", flush=True)


def show_size(size: Size) -> str:
    """Return a size in short: `1000×100`."""
    return "×".join(str(length) for length in size)


def show_time(seconds: float) -> str:
    """Return a time with its unit: `1.38 ms`."""
    for unit, scale in (("µs", 1e6), ("ms", 1e3)):
        if seconds * scale < 1000:
            return f"{_three(seconds * scale)} {unit}"
    return f"{seconds:.2f} s"


def _three(value: float) -> str:
    """Return three significant digits, without an exponent."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def show_ratio(outcome: Outcome, name: str) -> str:
    """Return the ratio to the expert, or for tiny inputs the microseconds beyond; a dash where nothing was measured."""
    system = outcome.systems.get(name)
    if system is None:
        return "-"
    star = "*" if system.once else ""
    return (f"{system.excess * 1e6:+.1f}µs" if outcome.work.tiny else _three(system.ratio)) + star


def _compile(system: System | None) -> str:
    return "-" if system is None or system.compile is None else f"{system.compile * 1e3:.1f}"


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """Print the geometric means and the worst ratios."""
    print(LEGEND)
    counted = [outcome for outcome in outcomes if not outcome.work.tiny]
    structured = [outcome for outcome in counted if outcome.work.structured]
    tiny = [outcome for outcome in outcomes if outcome.work.tiny]
    print()
    _mean("matgrad / expert", counted, lambda outcome: outcome.systems["matgrad"].ratio)
    _mean("matgrad / faster of JAX and torch, structured", structured, lambda outcome: outcome.against_rival)
    _mean("matgrad / faster of JAX and torch, all", counted, lambda outcome: outcome.against_rival)
    if tiny:
        extra = sorted(outcome.systems["matgrad"].excess for outcome in tiny)
        print(f"tiny inputs: matgrad takes {extra[0] * 1e6:.1f} to {extra[-1] * 1e6:.1f} µs more than the expert")
    print()
    _list("times the expert's", counted, lambda row: row.systems["matgrad"].ratio, MOST_OF_EXPERT)
    _list("times the faster of JAX and torch", counted, lambda row: row.against_rival, MOST_OF_RIVAL)


def _mean(label: str, outcomes: Sequence[Outcome], ratio: Callable[[Outcome], float | None]) -> None:
    found = [(value, outcome) for outcome in outcomes if (value := ratio(outcome)) is not None]
    if not found:
        return
    worst, where = max(found, key=lambda pair: pair[0])
    mean = geometric_mean([value for value, _ in found])
    print(f"{label + ':':<48}geometric mean {mean:.2f} of {len(found)}, ", end="")
    print(f"worst {worst:.2f} ({where.work.name}, {show_size(where.size)})")


def _list(label: str, outcomes: Sequence[Outcome], ratio: Callable[[Outcome], float | None], bound: float) -> None:
    """Print the workloads whose ratio is over a bound, with what matgrad takes longer than the expert."""
    found = [(row, value) for row in outcomes if (value := ratio(row)) is not None and value > bound]
    print(f"over {bound} {label}: {'none' if not found else ''}")
    for row, value in found:
        more = 1e6 * row.systems["matgrad"].excess
        print(f"  {value:.2f}  {row.work.name}, {show_size(row.size)} ({more:+.1f} µs to the expert)")


def print_markdown(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each workload, its sizes side by side."""
    names = [name for name in LABELS if any(name in outcome.systems for outcome in outcomes)]
    heads = ["workload", "sizes", "expert's NumPy", *(LABELS[name] for name in names)]
    for tiny, title in ((False, "time / expert's time"), (True, "time beyond the expert's")):
        groups = _by_workload([outcome for outcome in outcomes if outcome.work.tiny == tiny])
        if not groups:
            continue
        print(f"| {' | '.join([*heads[:3], *(f'{label}: {title}' for label in heads[3:4]), *heads[4:]])} |")
        print(f"|{':--|' * 2}{'--:|' * (len(heads) - 2)}")
        for work, rows in groups:
            cells = [work.name.removeprefix("tiny "), " / ".join(show_size(row.size) for row in rows)]
            cells.append(" / ".join(show_time(row.systems["expert"].time) for row in rows))
            cells += [_joined(rows, name) for name in names]
            print(f"| {' | '.join(cells)} |")
        print()


def _joined(rows: Sequence[Outcome], name: str) -> str:
    cells = [show_ratio(row, name) for row in rows]
    return "" if set(cells) == {"-"} else " / ".join(cells)


def _by_workload(outcomes: Sequence[Outcome]) -> list[tuple[Workload, list[Outcome]]]:
    groups: dict[str, tuple[Workload, list[Outcome]]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.work.name, (outcome.work, []))[1].append(outcome)
    return list(groups.values())
