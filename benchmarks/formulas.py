"""How long it takes to differentiate, simplify and print the published identities.

    python benchmarks/formulas.py

Every record of tests/identities/public.jsonl is timed three times and the middle time counts; parsing and shape
inference are included, evaluation at numbers is not.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from matgrad.core.formulas.closed_form import generic_forms
from matgrad.core.problems.problem import Problem

RECORDS = Path(__file__).parent.parent / "tests" / "identities" / "public.jsonl"
ASSUMED = ("symmetric", "spd", "diagonal")


def milliseconds(record: dict[str, Any]) -> float:
    """Return the time from the text of an expression to the text of its derivative."""
    assumptions = {
        name: frozenset([wanted["assume"]])
        for name, wanted in record["vars"].items()
        if wanted.get("assume") in ASSUMED
    }
    shapes = {name: tuple(wanted["shape"]) for name, wanted in record["vars"].items()}
    kind = {"mixed": "hessian"}.get(record["kind"], record["kind"])
    times = []
    for _ in range(3):
        started = perf_counter()
        problem = Problem.of(record["expr"], kind, tuple(record["wrt"]), assumptions)
        for form in generic_forms(problem, {name: shapes[name] for name in problem.names}):
            assert form.text
        times.append((perf_counter() - started) * 1e3)
    return median(times)


def main() -> None:
    """Time every record and print the median and the slowest."""
    lines = RECORDS.read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["kind"] != "value"]
    times = sorted((milliseconds(record), record["id"]) for record in records)
    print(f"{len(times)} formulas: median {median(time for time, _ in times):.1f} ms, ", end="")
    print(f"slowest {times[-1][0]:.0f} ms ({times[-1][1]})")


if __name__ == "__main__":
    main()
