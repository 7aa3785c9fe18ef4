"""Where entries are entered and found: names, aliases, suggestions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from .operator import Operator

_by_spelling: dict[str, Operator] = {}
_readings: dict[str, list[str]] = {}
_refused: dict[str, str] = {}
# Families that come when one of their words is asked for, with what enters each; "" are those that are always here.
_members: dict[str, list[Operator]] = {"": []}
_waiting: dict[str, Callable[[], None]] = {}
_words: dict[str, list[str]] = {}


def expect(family: str, words: Sequence[str], load: Callable[[], None]) -> None:
    """Say that a family will be loaded where one of these words is asked for: names, and functions of libraries."""
    _members[family] = []
    _waiting[family] = load
    for word in words:
        _words.setdefault(word, []).append(family)


def _bring(families: Sequence[str]) -> None:
    for family in families:
        if load := _waiting.pop(family, None):
            load()


def enter(operator: Operator, family: str = "") -> Operator:
    """Put an operator into the table; a spelling that is taken is a mistake in the table."""
    for spelling in (operator.name, *operator.aliases):
        if spelling in _by_spelling:
            raise ValueError(f"`{spelling}` is already {_by_spelling[spelling].name}, it cannot be {operator.name} too")
        _by_spelling[spelling] = operator
    _members[family].append(operator)
    for line in operator.libraries:
        _readings.setdefault(line.partition("(")[0], []).append(line)
    _refused.update(operator.refused)
    return operator


def operators(*, hidden: bool = False) -> Iterator[Operator]:
    """Yield the operators in the order of the table, those for rules only when `hidden`."""
    _bring([*_waiting])
    return (operator for operator in chain.from_iterable(_members.values()) if hidden or not operator.hidden)


def find(spelling: str) -> Operator | None:
    """Return the operator with this name or alias, None where there is none: `find("mm")` is `matmul`."""
    _bring(_words.get(spelling, ()))
    return _by_spelling.get(spelling)


def readings(function: str) -> Sequence[str]:
    """Return how a library reads a function of its own: the lines of `readings("torch.norm")`."""
    _bring(_words.get(function, ()))
    return _readings.get(function, ())


def refused(function: str) -> str | None:
    """Return what to write in place of a library's function that matgrad has not."""
    _bring(_words.get(function, ()))
    return _refused.get(function)


def suggest(spelling: str, *, sure: bool = False) -> str | None:
    """Return the spelling that was probably meant: `suggest("sofmax") == "softmax"`.

    What follows the name of a library is likelier a function of its own than a slip: then all but a letter must agree.
    """
    from difflib import get_close_matches

    _bring([*_waiting])
    known = {s.lower(): s for s, operator in _by_spelling.items() if not operator.hidden}
    if spelling.lower() in known:
        return known[spelling.lower()]
    # A short word is close to too many others: it must share more of its letters.
    cutoff = 0.9 if sure else 0.7 if len(spelling) > 3 else 0.8
    matches = get_close_matches(spelling.lower(), known, n=1, cutoff=cutoff)
    return known[matches[0]] if matches else None
