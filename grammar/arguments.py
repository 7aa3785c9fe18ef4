"""The arguments of a call as they are written: those in place first, then those by name."""

from __future__ import annotations

from . import syntax_errors
from .syntax import Keyword, Node


def separated(arguments: tuple[Node, ...]) -> tuple[tuple[Node, ...], tuple[Keyword, ...]]:
    """Return positional and keyword arguments apart; refuse an order that Python has not, and a name given twice."""
    positional: list[Node] = []
    keywords: dict[str, Keyword] = {}
    for argument in arguments:
        if not isinstance(argument, Keyword):
            if keywords:
                raise syntax_errors.positional_after_keyword(argument.span, next(iter(keywords.values())).span)
            positional.append(argument)
        elif argument.name in keywords:
            raise syntax_errors.repeated_keyword(argument.name, argument.span, keywords[argument.name].span)
        else:
            keywords[argument.name] = argument
    return tuple(positional), tuple(keywords.values())
