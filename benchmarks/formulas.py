"""How long it takes to differentiate, simplify and print the published identities.

    python benchmarks/formulas.py
    python benchmarks/formulas.py --random 1000

Every record of core/explanation/identities.jsonl is timed three times and the middle time counts; parsing and shape
inference are included, evaluation at numbers is not.

With `--random N`, the derivatives of N random expressions are written instead, and those whose formula or program is
not for all sizes at which the expression has a meaning are listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from matgrad.core.errors import MatgradError
from matgrad.core.export.setting import Setting
from matgrad.core.formulas.closed_form import generic_forms
from matgrad.core.formulas.verified import closed_forms
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
RECORDS = ROOT / "core" / "explanation" / "identities.jsonl"
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
        calculation = Compiler(problem).find({name: shapes[name] for name in problem.names}, {}).calculation
        for form in generic_forms(problem, calculation):
            assert form.text
        times.append((perf_counter() - started) * 1e3)
    return median(times)


def why_not_general(problem: Problem, shapes: dict[str, tuple[int, ...]]) -> str:
    """Return why the formula or the program of a derivative is for particular sizes, empty where it is for all."""
    compiler = Compiler(problem)
    calculation = compiler.find(shapes, {}).calculation
    if calculation.general is None:
        return f"no calculation for all sizes: {_general_error(compiler, calculation, shapes)}"
    if closed_forms(problem, shapes)[0].of_these_sizes:
        try:
            generic_forms(problem, calculation)
        except MatgradError as error:
            return f"no form for all sizes: {error}"
        return "the form for all sizes has other values"
    _, lengths = calculation.general
    if lengths and not Setting.of(problem, shapes, {}).lengths:
        return "the form for all sizes does not fit in a program"
    return ""


def _general_error(compiler: Compiler, calculation: Calculation, shapes: dict[str, tuple[int, ...]]) -> str:
    try:
        lengths, general = compiler._general(shapes, {})
        general.at(lengths.values(shapes, {}))
    except MatgradError as error:
        return str(error)
    return "it is for other sizes"


def count_particular(amount: int) -> None:
    """Write the derivatives of random expressions, and count those for particular sizes by their reasons."""
    sys.path.insert(0, str(TESTS))
    from expressions import SHAPES, grown, names_in

    reasons = Counter[str]()
    for seed in range(amount):
        text, random = grown(seed)
        names = names_in(text)
        kind = random.choice(("jacobian", "derivative"))
        shapes = {name: SHAPES[name] for name in names}
        wrt = random.choice(names)
        try:
            problem = Problem.of(text, kind, (wrt, wrt) if kind == "derivative" else (wrt,))
            reason = why_not_general(problem, shapes)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if reason:
            reasons[reason] += 1
            print(f"{kind} of {text} by {wrt}: {reason}", flush=True)
    print(f"{reasons.total()} of {amount} for particular sizes ({reasons.total() / amount:.2%})")
    for reason, times in reasons.most_common():
        print(f"{times:6d}  {reason}")


def main() -> None:
    """Time every record and print the median and the slowest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, metavar="N", help="count the formulas for particular sizes among N")
    if (amount := parser.parse_args().random) is not None:
        count_particular(amount)
        return
    lines = RECORDS.read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["kind"] != "value"]
    times = sorted((milliseconds(record), record["id"]) for record in records)
    print(f"{len(times)} formulas: median {median(time for time, _ in times):.1f} ms, ", end="")
    print(f"slowest {times[-1][0]:.0f} ms ({times[-1][1]})")


if __name__ == "__main__":
    main()
