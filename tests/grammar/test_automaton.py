"""The automaton: it parses as lark does with the same grammar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from matgrad.grammar import tables
from matgrad.grammar.automaton import Refusal, Token, derive, fold

TABLES = tables.load_tables()
LARK = Lark(Path(tables.GRAMMAR).read_text(encoding="utf-8"), parser="lalr", maybe_placeholders=False)
RIGHT = [
    "x", "-x", "a + b * c ** -d", "a < b", "x.T @ A' @ x", "np.linalg.inv(A)", "x.sum(axis=0, keepdims=True)", "f()",
    "None", "Nonesuch", "x[None, ...]", "x[0]", "x[:, 1:3, ::2]", "x[a:b:c, :]", "()", "(a,)", "(a, b,)", "[]",
    "[1, a]", "[1 -2; 3 4]", "[[1, 2], [3, 4]]", "Z = X @ Y; W = Z; norm(Z, 'fro')", ";a\nb;", "x² + y¹⁰", "1e-5*α₁",
    "a /b ./ c ÷ d", "x.None",
]  # fmt: skip
WRONG = [
    "", "a b", "sin(x", "(a]", "2 x", "a +", "+ ; a", "x..T", "a < b < c", "f(,)", "f(True=1)", "a ? b", "x = ",
    "[1, 2", "'", "x.1",
]  # fmt: skip


def as_lark(method: str, span: tuple[int, int], parts: list[Any]) -> Tree[str]:
    """The node that lark makes; its tokens are equal to strings."""
    return Tree(method, [part.value if isinstance(part, Token) else part for part in parts])


@pytest.mark.parametrize("text", RIGHT)
def test_the_tree_is_that_of_lark(text: str) -> None:
    assert fold(derive(TABLES, text), as_lark) == LARK.parse(text)


@pytest.mark.parametrize("text", WRONG)
def test_a_text_is_refused_where_lark_refuses_it(text: str) -> None:
    with pytest.raises(UnexpectedInput) as theirs:
        LARK.parse(text)
    with pytest.raises(Refusal) as ours:
        derive(TABLES, text)
    failure = theirs.value
    at_end = isinstance(failure, UnexpectedToken) and failure.token.type == "$END"
    assert ours.value.position == (None if at_end else failure.pos_in_stream)
    assert isinstance(failure, UnexpectedToken | UnexpectedCharacters)
    expected = failure.expected if isinstance(failure, UnexpectedToken) else failure.allowed
    assert ("NUMBER" in ours.value.wanted) == ("NUMBER" in expected)


def test_a_derivation_has_each_rule_behind_its_parts_and_each_place() -> None:
    assert fold(derive(TABLES, " -x "), lambda method, span, parts: (method, span)) == ("start", (1, 3))
    tokens = [step for step in derive(TABLES, " -x ") if isinstance(step, Token)]
    assert tokens == [Token("MINUS", "-", (1, 2)), Token("NAME", "x", (2, 3))]
