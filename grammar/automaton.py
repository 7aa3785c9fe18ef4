"""Runs the parser's tables: text becomes tokens and the rules that derive it from them.

lark could run them too, but loading lark takes longer than all else that a syntax error needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from typing import Any

from .errors import Span
from .tables import END, IGNORED, VALUE, Rule, Tables, pattern_of


@dataclass(frozen=True)
class Token:
    """A word of the text: `Token("NAME", "x", (4, 5))`."""

    kind: str
    value: str
    span: Span


class Refusal(Exception):
    """No rule goes on at `position`, the end of the text if None, where one of the kinds `wanted` would fit."""

    def __init__(self, position: int | None, wanted: Set[str]) -> None:
        super().__init__(position, wanted)
        self.position = position
        self.wanted = wanted


def derive(tables: Tables, text: str) -> list[Token | Rule]:
    """Return the derivation of a text: its tokens in order, and each rule behind the parts that it takes.

    Example: for `-x` the token `-`, the token `x`, the rule that makes `x` a name, the rule that makes a minus of
    both, and the rules around them. Raises `Refusal`.
    """
    derivation: list[Token | Rule] = []
    states = [tables.start]
    position = 0
    while True:
        token = _next_token(tables, states[-1], text, position)
        position = token.span[1]
        action = _action(tables, states[-1], token)
        while action < 0:
            rule = tables.rules[~action]
            derivation.append(rule)
            del states[len(states) - rule.size :]
            states.append(tables.actions[states[-1]][rule.origin])
            if states[-1] == tables.end:
                return derivation
            action = _action(tables, states[-1], token)
        derivation.append(token)
        states.append(action)


def fold(derivation: Iterable[Token | Rule], make: Callable[[str, Span, list[Any]], Any]) -> Any:
    """Return what `make` makes of a derivation, given the method of each rule, the place it covers and its parts.

    Example: `fold(derive(tables, "-x"), lambda method, span, parts: (method, *parts))`.
    """
    values: list[Any] = []
    spans: list[Span | None] = []
    for step in derivation:
        if isinstance(step, Token):
            values.append(step)
            spans.append(step.span)
            continue
        first = len(values) - step.size
        covered = [span for span in spans[first:] if span is not None]
        span = (covered[0][0], covered[-1][1]) if covered else None
        value = _reduce(step, values[first:], span or (0, 0), make)
        del values[first:], spans[first:]
        values.append(value)
        spans.append(span)
    return values.pop()


def _reduce(rule: Rule, parts: list[Any], span: Span, make: Callable[[str, Span, list[Any]], Any]) -> Any:
    """Return the value of a rule, or the list of its parts where they go to the rule around it."""
    kept: list[Any] = []
    for place in rule.kept:
        kept.extend(parts[place] if isinstance(parts[place], list) else [parts[place]])
    if not rule.method:
        return kept
    if rule.transparent and len(kept) == 1:
        return kept[0]
    return make(rule.method, span, kept)


def _action(tables: Tables, state: int, token: Token) -> int:
    choices = tables.actions[state]
    if token.kind not in choices:
        raise Refusal(None if token.kind == END else token.span[0], choices.keys())
    return choices[token.kind]


def _next_token(tables: Tables, state: int, text: str, position: int) -> Token:
    """Return the next token among those that can follow in a state."""
    choices = tables.actions[state]
    token = _scan(tables, tables.values if VALUE in choices else tables.others, choices.keys(), text, position)
    if token.kind not in choices and token.kind != END:
        # It hides what this state knows, if that is another reading of the same text. A pattern for each state would
        # do without the one above, but making a pattern takes longer than most texts.
        token = _scan(tables, pattern_of(tables.terminals, choices.keys()), choices.keys(), text, position)
    if token.kind == END and token.span[0] < len(text):
        raise Refusal(token.span[0], choices.keys())
    return token


def _scan(tables: Tables, pattern: str, choices: Set[str], text: str, position: int) -> Token:
    """Return the first token of a pattern, `END` where it matches none."""
    matches = re.compile(pattern)
    while match := matches.match(text, position):
        position = match.end()
        kind = match.lastgroup or IGNORED
        if kind != IGNORED:
            keyword = tables.keywords.get(match[0], kind)
            return Token(keyword if keyword in choices else kind, match[0], match.span())
    return Token(END, "", (position, position))
