"""matgrad beside the expert's NumPy, JAX, PyTorch and autograd: one process, every system in turn.

    python benchmarks/compare.py [--rounds N] [--only WORD] [--quick] [--without torch,jax,autograd]
                                 [--plot FILE.svg] [--markdown] [--modes]

Each workload is computed by the closed form that an expert would write in NumPy, by matgrad, and by each library in the
fastest of its ways; all results are compared with the expert's. Then the systems are timed one after the other in
every round, so that whatever else the machine does slows all of them alike. In a round the least time of a few calls
counts; a ratio is the median over the rounds of the time of a system divided by that of the expert in the same round.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

import report
from measure import Outcome, measure
from rivals import MAKERS, installed
from workloads import WORKLOADS, Workload

import matgrad

ROUNDS = 5


def options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often all take turns ({ROUNDS} unless told)")
    parser.add_argument("--only", metavar="WORD", default="", help="only the workloads with this in their name")
    parser.add_argument("--quick", action="store_true", help="only the smallest size, and two rounds")
    parser.add_argument("--without", metavar="NAMES", default="", help=f"leave out any of {', '.join(MAKERS)}")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw time against size, as .svg, .pdf or .png")
    parser.add_argument("--modes", action="store_true", help="name the way of each library that was the fastest")
    parser.add_argument("--markdown", action="store_true", help="print the table of the README as well")
    chosen = parser.parse_args()
    unknown = [name for name in filter(None, chosen.without.split(",")) if name not in MAKERS]
    if unknown:
        parser.error(f"--without knows {', '.join(MAKERS)}, and not {', '.join(unknown)}")
    return chosen


def run(works: list[Workload], chosen: argparse.Namespace) -> list[Outcome]:
    """Measure the workloads and print a line for each as it is done."""
    rivals, missing = installed({name for name in chosen.without.split(",") if name})
    report.print_machine(rivals)
    for name in missing:
        print(f"{name} is left out, it is not installed: pip install 'matgrad[bench]'")
    # The first derivative of a process also loads modules and the tables of the grammar.
    matgrad.hessian("sum(exp(x))", wrt="x")(x=[1.0])
    report.print_head(rivals)
    outcomes = []
    for work in works:
        for size in work.sizes[:1] if chosen.quick else work.sizes:
            outcome = measure(work, size, rivals, 2 if chosen.quick else chosen.rounds)
            if outcome is None:
                print(f"{work.name}: left out, this matgrad has no compact results")
                break
            outcomes.append(outcome)
            report.print_row(outcome, rivals, chosen.modes)
    return outcomes


def main() -> int:
    """Run the comparison; the status is 1 where results do not agree."""
    chosen = options()
    works = [work for work in WORKLOADS if chosen.only.lower() in work.name.lower()]
    if not works:
        names = "\n  ".join(work.name for work in WORKLOADS)
        print(f"no workload has `{chosen.only}` in its name; there are\n  {names}", file=sys.stderr)
        return 2
    started = perf_counter()
    outcomes = run(works, chosen)
    report.print_summary(outcomes)
    print(f"\n{perf_counter() - started:.0f} s in all")
    if chosen.markdown:
        print()
        report.print_markdown(outcomes)
    if chosen.plot:
        from plot import draw

        draw(outcomes, chosen.plot)
    complaints = [f"{outcome.work.name}: {words}" for outcome in outcomes for words in outcome.disagreements]
    print("\n".join(complaints), end="\n" if complaints else "", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
