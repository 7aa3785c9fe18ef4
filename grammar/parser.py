"""Text to syntax tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .layout import flatten
from .reader import Refusal, read

if TYPE_CHECKING:
    from .syntax import Program


def parse(text: str) -> Program:
    """Return the syntax tree of an expression, or of several statements of which the last is the result.

    Example: `parse("Z = X @ Y; norm(Z, 'fro')")`. Spans count characters of `text`. Raises `SyntaxProblem`, which
    points into `text` and says what to write instead.
    """
    flat = flatten(text)
    try:
        tree = read(flat)
    except Refusal as failure:
        from .diagnosis import explain

        raise explain(text, flat, failure) from None
    from .builder import Builder, check_depth

    builder = Builder(text)
    program = builder.build(tree)
    if builder.ambiguous:
        program = Builder(text, inputs=builder.ambiguous).build(tree)
    check_depth(program)
    return program
