"""Values that are computed: `-v x=1/3`, `-v x="ones(3)"`, `-v t=pi/2`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import InputError, MatgradError, Source, SyntaxProblem
from ...grammar import syntax
from ...grammar.parser import parse

if TYPE_CHECKING:
    from ...core.arrays import Array


def constant(text: str, source: Source) -> Array | None:
    """Return the value of an expression without inputs, None where the text is none: `constant("1/4", source)` is 0.25.

    Raises InputError for an expression that has no value.
    """
    try:
        program = parse(text)
    except SyntaxProblem:
        return None
    from ...core.problems.problem import Problem
    from ...core.session import Wishes, answer

    problem = Problem.of(text, "value", program=program)
    if problem.names or isinstance(program.result, syntax.String | syntax.TupleLiteral | syntax.Literal):
        return None
    try:
        return answer(problem, {}, Wishes(check=False)).value
    except MatgradError as error:
        given = None if error.place else error.source or source
        raise InputError(
            error.message, *error.labels, source=given, place=error.place, notes=error.notes, helps=error.helps
        ) from None
