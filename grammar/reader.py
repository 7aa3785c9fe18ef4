"""lark at work: text becomes lark's parse tree, or a refusal.

The parser is the stand-alone one that the build writes beside this file (`setup.py`), and in a checkout the one that
lark makes of `expression.lark`. Both are lark's own code with the same classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import Span

if TYPE_CHECKING:
    from lark import Token, Tree

GRAMMAR = "expression.lark"
VALUE = "NUMBER"  # where a number can stand, a value begins


class Refusal(Exception):
    """No rule goes on at `position`, the end of the text if None; `wants_value` tells whether a value would fit there.

    Example: for `2 x` the position is 2 and no value is wanted, for `2*` it is None and one is.
    """

    def __init__(self, position: int | None, wants_value: bool) -> None:
        super().__init__(position, wants_value)
        self.position = position
        self.wants_value = wants_value


class Everywhere:
    """Makes lark's lexer look for these tokens at every place, and leaves it to the parser to refuse them.

    Then most places look for the same tokens, with the same pattern, which is compiled once.
    """

    always_accept = (
        "AUGMENTED", "BAR", "COLON", "COMMA", "EQUAL", "LPAR", "NORM", "ORDER", "RPAR", "RSQB", "_SEPARATOR",
    )  # fmt: skip

    def process(self, tokens: Iterator[Token]) -> Iterator[Token]:
        """Return the tokens as they are."""
        return tokens


@cache
def load() -> tuple[Any, Any]:
    """Return the module that has lark's classes, and a parser of the language."""
    try:
        standalone = import_module(".standalone", __package__)
    except ImportError:
        return from_grammar()
    return standalone, standalone.Lark_StandAlone(postlex=Everywhere())


def from_grammar() -> tuple[Any, Any]:
    """Return the same two from lark itself, which reads the grammar."""
    lark = import_module("lark")
    return lark, lark.Lark.open(GRAMMAR, rel_to=__file__, parser="lalr", propagate_positions=True, postlex=Everywhere())


def read(text: str) -> Tree[Token]:
    """Return lark's tree of a text: `read("-x")` is `start(unary('-', name('x')))`. Raises `Refusal`."""
    lark, parser = load()
    try:
        tree: Tree[Token] = parser.parse(text)
        return tree
    except lark.UnexpectedToken as failure:
        at_end = failure.token.type == "$END"
        refusal = Refusal(None if at_end else failure.pos_in_stream, VALUE in failure.expected)
    except lark.UnexpectedCharacters as failure:
        refusal = Refusal(failure.pos_in_stream, VALUE in failure.allowed)
    # Here and not above: what goes from one process to another takes its context along, and lark's does not pickle.
    raise refusal


def place(part: Tree[Token] | Token) -> Span:
    """Return where a tree or a token stands in the text; an empty list of arguments stands nowhere."""
    found: Any = getattr(part, "meta", part)
    return (getattr(found, "start_pos", 0), getattr(found, "end_pos", 0))
