"""The closed forms that matgrad prints for the published identities: right, readable, and no longer than published.

`formulas.txt` keeps every printed formula, so that a change of wording is seen and judged. It is written anew with
MATGRAD_WRITE_GOLDEN=1.
"""

from __future__ import annotations

import io
import os
import tokenize
from functools import cache
from pathlib import Path

import pytest

import matgrad
from identities.records import RECORDS, Record, sample
from matgrad.core.problems.answer import Input, Result
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer
from matgrad.grammar.parser import parse
from matgrad.grammar.writer import write

GOLDEN = Path(__file__).with_name("formulas.txt")
KINDS = {"mixed": "hessian"}
ASSUMED = ("symmetric", "spd", "diagonal")
DERIVATIVES = [record for record in RECORDS if record["kind"] != "value"]
each_derivative = pytest.mark.parametrize("record", DERIVATIVES, ids=[record["id"] for record in DERIVATIVES])


def assumptions(record: Record) -> dict[str, frozenset[str]]:
    """Return what a record assumes, but for the variables of records about the entries of a structured matrix."""
    return {
        name: frozenset([wanted["assume"]])
        for name, wanted in record["vars"].items()
        if wanted.get("assume") in ASSUMED and not (name in record["wrt"] and record.get("convention"))
    }


@cache
def shown(position: int, seed: int) -> Result:
    """Return what matgrad answers for a record: the numbers, and the formula after it was read again and compared."""
    record = DERIVATIVES[position]
    kind = KINDS.get(record["kind"], record["kind"])
    problem = Problem.of(record["expr"], kind, tuple(record["wrt"]), assumptions(record))
    values = sample(record, seed)
    given = {name: Input(values[name], "test") for name in problem.names}
    return answer(problem, given, Wishes()).results[0]


def formula(record: Record) -> str:
    found = shown(DERIVATIVES.index(record), 0).formula
    assert found is not None, record["id"]
    return found


def tokens(text: str) -> int:
    """Return the number of words and signs in a text."""
    return sum(bool(token.string.strip()) for token in tokenize.generate_tokens(io.StringIO(text).readline))


@each_derivative
def test_the_formula_is_read_back_as_it_is_written(record: Record) -> None:
    text = formula(record)
    assert write(parse(text)) == text


@pytest.mark.parametrize("seed", [0, 1])
@each_derivative
def test_the_formula_evaluates_to_the_derivative(record: Record, seed: int) -> None:
    result = shown(DERIVATIVES.index(record), seed)
    assert result.formula is not None
    assert result.check is not None
    assert result.check.formula is not None
    assert result.check.formula <= 1e-8


def test_formulas_are_no_longer_than_the_published_ones() -> None:
    compared = [record for record in DERIVATIVES if record["kind"] in ("grad", "hessian")]
    lengths = {record["id"]: (tokens(formula(record)), tokens(record["closed_form"])) for record in compared}
    longer = [name for name, (own, published) in lengths.items() if own > published]
    assert len(longer) <= 0.1 * len(compared), longer
    assert not [name for name, (own, published) in lengths.items() if own > 2 * published]


def test_the_printed_formulas_are_those_on_file() -> None:
    lines = [f"{r['id']}: {r['kind']} of {r['expr']} by {', '.join(r['wrt'])}\n    {formula(r)}\n" for r in DERIVATIVES]
    written = "".join(lines)
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        GOLDEN.write_text(written, encoding="utf-8")
    assert written == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("expression", "kind", "wrt", "assume", "printed"),
    [
        ("x.T@A@x", "grad", "x", {}, "(A + A.T) @ x"),
        ("x.T@A@x", "hessian", "x", {}, "A + A.T"),
        ("x.T@A@x", "grad", "x", {"A": "symmetric"}, "2*A @ x"),
        ("x.T@A@x", "hessian", "x", {"A": "symmetric"}, "2*A"),
        ("logdet(X)", "grad", "X", {}, "inv(X).T"),
        ("softmax(x)", "jacobian", "x", {}, "p = softmax(x); diag(p) - outer(p, p)"),
        ("norm(A@x - b)**2", "grad", "x", {}, "2*A.T @ (A @ x - b)"),
        ("sum((T - U@V.T)**2)", "grad", "U", {}, "-2*(T - U @ V.T) @ V"),
        ("A@X@B", "jacobian", "X", {}, "einsum('ik,lj->ijkl', A, B)"),
        ("2*x.T@x", "hessian", "x", {}, "4*eye(n)"),
        ("a*b", "jacobian", "b", {}, "diag(a)"),
        ("sum(x)/mean(x)", "grad", "x", {}, "zeros(n)"),
        ("mean(softmax(X, axis=0))", "grad", "X", {}, "zeros((n, m))"),
        ("softmax(x + mean(y))", "jacobian", "y", {}, "zeros((n, m))"),
        ("norm(sqrt(1 + X**2))", "grad", "X", {}, "X/norm(sqrt(1 + X**2))"),
        ("det(kron(A, B))", "grad", "A", {}, "m*det(A)**m*det(B)**n*inv(A).T"),
        ("x/norm(x)", "jacobian", "x", {}, "eye(n)/norm(x) - outer(x, x)/norm(x)**3"),
    ],
)
def test_formulas_that_people_know(expression: str, kind: str, wrt: str, assume: dict[str, str], printed: str) -> None:
    derivative = getattr(matgrad, kind)(expression, wrt=wrt, assume=assume)
    assert derivative.formula == printed
