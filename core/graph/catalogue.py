"""Where entries are entered and found: names, aliases, suggestions."""

from __future__ import annotations

import builtins
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
    """Return the spelling that was probably meant: `suggest("sofmax") == "softmax"`, `suggest("stdev") == "std"`.

    A stranger is worse than nothing: `ln` is not meant by `len`. What follows the name of a library is likelier a
    function of its own than a slip: then a letter may differ in a long word, or two change places.
    """
    _bring([*_waiting])
    word = spelling.lower()
    entries = [operator for operator in dict.fromkeys(_by_spelling.values()) if not operator.hidden]
    known = {sought: operator.name for operator in entries for sought in operator.sought}
    known |= {name.lower(): name for operator in entries for name in (operator.name, *operator.aliases)}
    if word in known:
        return known[word]
    if hasattr(builtins, word):  # a word of Python is no slip
        return None
    slips = {name: _slips(word, name) for name in known if abs(len(name) - len(word)) <= 2}
    allowed = _allowed(word, sure)
    # A letter in front makes another function, as of `sin` and `asin`; a double one is a slip.
    another = "" if word[:1] == word[1:2] else word[1:]
    near = [name for name, count in slips.items() if count <= allowed(name) and name != another]
    if near:
        return known[min(near, key=lambda name: (slips[name], name[0] != word[0], len(name)))]
    # What someone began to write, who did not know how it goes on: a word of it, or the larger part.
    longer = [name for name in known if len(word) > 2 and name.startswith(word) and not sure]
    begun = [name for name in longer if name[len(word)] == "_" or 2 * len(word) >= len(name)]
    return known[min(begun, key=len)] if begun else None


def _allowed(word: str, sure: bool) -> Callable[[str], float]:
    """Return how many slips make a word of another: two letters that change places are half a slip."""
    if sure:
        return lambda name: 1 if min(len(word), len(name)) > 4 else 0.5
    return lambda name: 2 if min(len(word), len(name)) > 7 else 1 if max(len(word), len(name)) > 4 else 0.5


def _slips(first: str, second: str) -> float:
    """Return how many letters are added, left out or changed from one word to another; a swap is half a slip.

    Source: Damerau 1964, A technique for computer detection and correction of spelling errors.
    """
    before: list[float] = []
    row: list[float] = [float(place) for place in range(len(second) + 1)]
    for i, letter in enumerate(first):
        earlier, before, row = before, row, [i + 1.0]
        for j, other in enumerate(second):
            cost = min(before[j] + (letter != other), before[j + 1] + 1, row[j] + 1)
            if i and j and letter == second[j - 1] and first[i - 1] == other and letter != other:
                cost = min(cost, earlier[j - 1] + 0.5)
            row.append(cost)
    return row[-1]
