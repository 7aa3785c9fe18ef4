"""Text to syntax tree."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .errors import SyntaxProblem
from .layout import flatten
from .syntax import Program

if TYPE_CHECKING:
    from lark import Lark


def parse(text: str) -> Program:
    """Return the syntax tree of an expression, or of several statements of which the last is the result.

    Example: `parse("Z = X @ Y; norm(Z, 'fro')")`. Spans count characters of `text`. Raises `SyntaxProblem`, which
    points into `text` and says what to write instead.
    """
    from lark.exceptions import UnexpectedInput, VisitError

    from .builder import Builder, check_depth
    from .diagnosis import explain

    flat = flatten(text)
    try:
        tree = _parser().parse(flat)
    except UnexpectedInput as failure:
        raise explain(text, flat, failure) from None
    try:
        builder = Builder(text)
        program = builder.transform(tree)
        if builder.ambiguous:
            program = Builder(text, inputs=builder.ambiguous).transform(tree)
    except VisitError as failure:
        if isinstance(failure.orig_exc, SyntaxProblem):
            raise failure.orig_exc from None
        raise
    check_depth(program)
    return program


@cache
def _parser() -> Lark:
    from .tables import load_parser

    return load_parser()
