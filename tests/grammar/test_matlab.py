"""MATLAB's reading of a text, and what asks for it."""

from __future__ import annotations

import pytest

from matgrad.grammar.parser import parse
from matgrad.grammar.syntax import walk
from matgrad.grammar.writer import write


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("A.*B*C", "dot(A*B, C)"),
        ("x.*y + x'*A*x", "x*y + dot(dot(x.T, A), x)"),
        ("Z = A.*B; Z*x", "Z = A*B; dot(Z, x)"),
        ("A\\b", "solve(A, b)"),
        ("x*x' + A.*B", "times_transposed(x, x) + A*B"),
        ("2*x.^2/3", "2*x**2/3"),
        ("2*A*x + (x.*x)", "dot(2*A, x) + x*x"),
        ("1./x.*y", "1./x*y"),
        ("x.*y % entry by entry", "x*y"),
        ("norm(x.*y, 'a % b')", "norm(x*y, 'a % b')"),
        ("sum(A.*B, 1)", "sum(A*B, axis=0)"),
        ("ones(2).*A + zeros(2, 1)", "ones(2, 2)*A + zeros(2, 1)"),
        ("x(1).*A(1, 2)", "x[0]*A[0, 1]"),
        ("size(A, 2).*numel(x)", "A.shape[1]*x.size"),
    ],
)
def test_marks_ask_for_matlab(text: str, written: str) -> None:
    program = parse(text)
    assert write(program) == written
    assert program.syntax == "matlab"
    for node in walk(program):
        start, end = node.span
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("text", ["2.*x*y", "2.^x", "x1*y", "norm(X, 'a.*b')*x", "x*y # a.*b", "A'*x", "x.T*y"])
def test_what_asks_for_nothing(text: str) -> None:
    program = parse(text)
    assert not program.syntax
    assert "dot" not in write(program)


def test_it_can_be_asked_for_and_refused() -> None:
    assert write(parse("A*x % the product", syntax="matlab")) == "dot(A, x)"
    assert write(parse("A.*B*x", syntax="matgrad")) == "A*B*x"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("A'*x", True), ("[1 2; 3 4]*x", True), ("A.T*x", False), ("y = A*x; y", False), ("[1 2]*x", False)],
)
def test_quotes_and_rows_are_known(text: str, quoted: bool) -> None:
    assert parse(text).quoted is quoted
