"""Claims with the mistake that was made in each, beside what is said of them.

`claims.jsonl` has an expression, a claim and what its author did wrong; a few are right. `claims.txt` keeps the verdict
and the reason, so that a change of wording is seen and judged. It is written anew with MATGRAD_WRITE_GOLDEN=1.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import matgrad
from matgrad.core.claims.verdict import Verdict
from matgrad.core.errors import ExpressionError

GOLDEN = Path(__file__).with_name("claims.txt")
CLAIMS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("claims.jsonl").read_text(encoding="utf-8").splitlines()
]
RIGHT = ("right", "own formula with n", "mixed row/col", "literal 1/5")
FORMULA = re.compile(r"the [a-zA-Z ]+ is `|`\w+` is `")
each_claim = pytest.mark.parametrize("position", range(len(CLAIMS)))


@cache
def verdict(position: int) -> Verdict | str:
    """Return what is said of a claim; that of one whose shapes do not fit is an error."""
    claim = CLAIMS[position]
    settings = {name: claim[name] for name in ("shapes", "assume", "kind") if claim.get(name)}
    try:
        found = matgrad.check(claim["expr"], claim["wrt"], claim=claim["claim"], **settings)
    except ExpressionError as error:
        return str(error)
    assert isinstance(found, Verdict)
    return found


@each_claim
def test_the_verdict_is_right(position: int) -> None:
    found = verdict(position)
    holds = isinstance(found, Verdict) and found.holds
    assert holds == (CLAIMS[position]["mistake"] in RIGHT)


@each_claim
def test_a_wrong_claim_gets_a_reason(position: int) -> None:
    found = verdict(position)
    if isinstance(found, str):
        assert "it is right" in found
    else:
        assert found.matches is not None


def test_what_is_said_is_on_file() -> None:
    lines = []
    for position, claim in enumerate(CLAIMS):
        found = verdict(position)
        lines.append(f"{claim['expr']}, by {claim['wrt']}: {claim['claim']}  ({claim['mistake']})")
        if isinstance(found, Verdict):
            # The formulas themselves are on file elsewhere.
            said = [found.matches or "differs", *(note for note in map(str, found.notes) if not FORMULA.match(note))]
        else:
            said = found.splitlines()
        lines += [f"    {line}" for line in said]
    written = "\n".join(lines) + "\n"
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        GOLDEN.write_text(written, encoding="utf-8")
    assert written == GOLDEN.read_text(encoding="utf-8")
