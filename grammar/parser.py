"""Text to syntax tree."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from .layout import flatten, looks_pasted, marked, without_comments
from .reader import Refusal, read

if TYPE_CHECKING:
    from lark import Token, Tree

    from .builder import Scope
    from .syntax import Program


@lru_cache(maxsize=1024)
def parse(text: str, inputs: tuple[str, ...] = (), syntax: str = "") -> Program:
    """Return the syntax tree of an expression, or of several statements of which the last is the result.

    Example: `parse("Z = X @ Y; norm(Z, 'fro')")`. Spans count characters of `text`. `inputs` are words that are names
    also where a textbook means something else, as the e of `e**x`. `syntax` is `matlab` for MATLAB's reading; marks
    such as `.*` ask for it too, unless it is `matgrad`. Raises `SyntaxProblem`, which points into `text` and says what
    to write instead.
    """
    flat = flatten(text)
    matlab = syntax == "matlab" or (not syntax and marked(flat))
    flat = without_comments(flat) if matlab else flat
    understand = partial(_understood, text, frozenset(inputs), matlab=matlab)
    if looks_pasted(flat, matlab=matlab):
        from .inlining import program_of
        from .pasted import unpasted

        program = program_of(unpasted(flat, matlab=matlab), understand)
    else:
        program = understand(flat)
    from .depth import check_depth

    check_depth(program)
    return program


def _understood(text: str, inputs: frozenset[str], flat: str, scope: Scope | None = None, *, matlab: bool) -> Program:
    """Return the syntax tree of a text, or of a part of it: `flat` is as long, and blank where the part is not."""
    try:
        tree = read(flat)
        return _built(text, tree, inputs, scope, matlab=matlab)
    except Refusal as failure:
        from .diagnosis import explain

        raise explain(text, flat, failure) from None


def _built(text: str, tree: Tree[Token], inputs: frozenset[str], scope: Scope | None, *, matlab: bool) -> Program:
    """Return the syntax tree of lark's; words that turn out to be inputs are known to be so in a second pass."""
    from .builder import Builder

    kind = Builder
    if matlab:
        from .matlab import MatlabBuilder

        kind = MatlabBuilder
    inputs |= scope.names if scope else frozenset()
    builder = kind(text, inputs, scope)
    program = builder.build(tree)
    return kind(text, inputs | builder.ambiguous, scope).build(tree) if builder.ambiguous else program
