"""How long the formulas of random expressions are, now and at another time.

    python benchmarks/lengths.py --write now.jsonl --from 0 --to 1000
    python benchmarks/lengths.py --compare before.jsonl now.jsonl

The first writes the formula of each derivative and how many words and signs it has; formulas are compared with the
numbers as they are printed, and where none was found that has them, the line has `null`. Run it in the folder of
another commit for the formulas of that time. The second lists those that are longer by more than a word, and counts.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tokenize
from pathlib import Path
from typing import Any

from matgrad.core.formulas.verified import closed_forms
from matgrad.core.problems.problem import Problem

TESTS = Path(__file__).parents[1] / "tests"
# A formula may be longer by so many words without a reason.
SPARE = 1


def words(text: str) -> int:
    """Return how many words and signs a text has."""
    return sum(bool(token.string.strip()) for token in tokenize.generate_tokens(io.StringIO(text).readline))


def formula(seed: int) -> dict[str, Any]:
    """Return what is asked with a seed, and the formula that is printed, None where none has the numbers."""
    from expressions import SHAPES, grown, names_in

    text, random = grown(seed)
    names = names_in(text)
    kind = random.choice(("jacobian", "derivative"))
    wrt = random.choice(names)
    asked = {"seed": seed, "expr": text, "kind": kind, "wrt": wrt}
    try:
        problem = Problem.of(text, kind, (wrt, wrt) if kind == "derivative" else (wrt,))
        form = closed_forms(problem, {name: SHAPES[name] for name in names})[0]
    except Exception as error:
        return {**asked, "formula": None, "error": f"{type(error).__name__}: {error}"}
    return {**asked, "formula": form.text, "words": words(form.text), "particular": form.of_these_sizes}


def write(path: Path, seeds: range) -> None:
    """Write the formulas of these seeds, one a line."""
    sys.path.insert(0, str(TESTS))
    with path.open("w", encoding="utf-8") as file:
        for seed in seeds:
            file.write(json.dumps(formula(seed)) + "\n")
            file.flush()


def compare(before: Path, now: Path) -> None:
    """List the formulas that are longer than before by more than a word, and count."""
    first, second = (
        {record["seed"]: record for record in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
        for path in (before, now)
    )
    same = [seed for seed in first if seed in second]
    both = [seed for seed in same if first[seed]["formula"] and second[seed]["formula"]]
    grown = [seed for seed in both if second[seed]["words"] > first[seed]["words"] + SPARE]
    for seed in sorted(grown, key=lambda seed: first[seed]["words"] - second[seed]["words"]):
        record = second[seed]
        print(f"{record['kind']} of {record['expr']} by {record['wrt']}")
        print(f"    before {first[seed]['words']}: {first[seed]['formula']}")
        print(f"    now {record['words']}: {record['formula']}")
    shorter = sum(second[seed]["words"] < first[seed]["words"] for seed in both)
    for name, records in (("before", first), ("now", second)):
        none = sum(records[seed]["formula"] is None for seed in same)
        particular = sum(bool(records[seed].get("particular")) for seed in same)
        print(f"{name}: {none} without a formula, {particular} for particular sizes, of {len(same)}")
    print(f"{len(grown)} longer by more than a word, {shorter} shorter, of {len(both)}")


def main() -> None:
    """Write formulas, or compare those of two times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the formulas of random expressions")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED", help="the first seed")
    parser.add_argument("--to", type=int, default=1000, dest="last", metavar="SEED", help="the seed after the last")
    parser.add_argument("--compare", type=Path, nargs=2, metavar="FILE", help="compare two files")
    asked = parser.parse_args()
    if asked.write:
        write(asked.write, range(asked.first, asked.last))
    if asked.compare:
        compare(*asked.compare)


if __name__ == "__main__":
    main()
