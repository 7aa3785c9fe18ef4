"""Text to syntax tree."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .layout import flatten
from .syntax import Program

if TYPE_CHECKING:
    from .tables import Tables


def parse(text: str) -> Program:
    """Return the syntax tree of an expression, or of several statements of which the last is the result.

    Example: `parse("Z = X @ Y; norm(Z, 'fro')")`. Spans count characters of `text`. Raises `SyntaxProblem`, which
    points into `text` and says what to write instead.
    """
    from .automaton import Refusal, derive

    flat = flatten(text)
    try:
        derivation = derive(_tables(), flat)
    except Refusal as failure:
        from .diagnosis import explain

        raise explain(text, flat, failure) from None
    from .builder import Builder, check_depth

    builder = Builder(text)
    program = builder.build(derivation)
    if builder.ambiguous:
        program = Builder(text, inputs=builder.ambiguous).build(derivation)
    check_depth(program)
    return program


@cache
def _tables() -> Tables:
    from .tables import load_tables

    return load_tables()
