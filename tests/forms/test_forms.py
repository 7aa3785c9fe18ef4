"""Derivatives that working scientists take, beside the form in which an author would publish them.

`forms.jsonl` has an expression, what is assumed, and the form to aim at (`want`). `forms.txt` keeps every printed
formula, so that a change of wording is seen and judged. It is written anew with MATGRAD_WRITE_GOLDEN=1.
"""

from __future__ import annotations

import io
import json
import os
import tokenize
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from matgrad.core.problems.answer import Result
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer
from matgrad.grammar.parser import parse
from matgrad.grammar.writer import write

GOLDEN = Path(__file__).with_name("forms.txt")
FORMS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("forms.jsonl").read_text(encoding="utf-8").splitlines()
]
POSITIONS = range(len(FORMS))
each_form = pytest.mark.parametrize(
    "position", POSITIONS, ids=[f"{form['id']}-{form['kind']}-{position}" for position, form in enumerate(FORMS)]
)
# How many forms are no longer than an author's, and how many are the same but for the names of parts.
NO_LONGER, THE_SAME = 118, 100


@cache
def shown(position: int, seed: int = 0) -> Result:
    """Return what matgrad answers for a form: the numbers, and the formula after it was read again and compared."""
    form = FORMS[position]
    assumptions = {name: frozenset([word]) for name, word in form["assume"].items()}
    problem = Problem.of(form["expr"], form["kind"], (form["wrt"],), assumptions)
    shapes = {name: tuple(shape) for name, shape in form["shapes"].items()}
    return answer(problem, {}, Wishes(declared=shapes, seed=seed)).results[0]


def formula(position: int) -> str:
    found = shown(position).formula
    assert found is not None, FORMS[position]["id"]
    return found


def words(text: str) -> list[str]:
    """Return the words and signs of a text; parts are called by their order, whatever their names are."""
    found = [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.string.strip()]
    parts = [statement.split("=")[0].strip() for statement in text.split(";")[:-1]]
    order = {name: f"part{place}" for place, name in enumerate(parts)}
    return [order.get(word, word) for word in found]


@each_form
def test_the_formula_is_read_back_as_it_is_written(position: int) -> None:
    text = formula(position)
    assert write(parse(text)) == text


@pytest.mark.parametrize("seed", [0, 1])
@each_form
def test_the_formula_evaluates_to_the_derivative(position: int, seed: int) -> None:
    result = shown(position, seed)
    assert result.check is not None
    assert result.check.formula is not None
    assert result.check.formula <= 1e-8


def test_formulas_are_no_longer_than_an_authors() -> None:
    longer = [
        (FORMS[position]["id"], formula(position), FORMS[position]["want"])
        for position in POSITIONS
        if len(words(formula(position))) > len(words(FORMS[position]["want"]))
    ]
    assert len(FORMS) - len(longer) >= NO_LONGER, longer


def test_formulas_are_an_authors_word_for_word() -> None:
    other = [
        (FORMS[position]["id"], formula(position), FORMS[position]["want"])
        for position in POSITIONS
        if words(formula(position)) != words(FORMS[position]["want"])
    ]
    assert len(FORMS) - len(other) >= THE_SAME, other


def test_the_printed_formulas_are_those_on_file() -> None:
    written = "".join(
        f"{form['id']}: {form['kind']} of {form['expr']} by {form['wrt']}\n    {formula(position)}\n"
        for position, form in enumerate(FORMS)
    )
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        GOLDEN.write_text(written, encoding="utf-8")
    assert written == GOLDEN.read_text(encoding="utf-8")
