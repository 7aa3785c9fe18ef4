"""Where entries are entered and found: names, aliases, suggestions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .operator import Operator

_by_spelling: dict[str, Operator] = {}
_readings: dict[str, list[str]] = {}
_refused: dict[str, str] = {}


def enter(operator: Operator) -> Operator:
    """Put an operator into the table; a spelling that is taken is a mistake in the table."""
    for spelling in (operator.name, *operator.aliases):
        if spelling in _by_spelling:
            raise ValueError(f"`{spelling}` is already {_by_spelling[spelling].name}, it cannot be {operator.name} too")
        _by_spelling[spelling] = operator
    for line in operator.libraries:
        _readings.setdefault(line.partition("(")[0], []).append(line)
    _refused.update(operator.refused)
    return operator


def operators(*, hidden: bool = False) -> Iterator[Operator]:
    """Yield the operators in the order of the table, those for rules only when `hidden`."""
    return (operator for operator in dict.fromkeys(_by_spelling.values()) if hidden or not operator.hidden)


def find(spelling: str) -> Operator | None:
    """Return the operator with this name or alias, None where there is none: `find("mm")` is `matmul`."""
    return _by_spelling.get(spelling)


def readings(function: str) -> Sequence[str]:
    """Return how a library reads a function of its own: the lines of `readings("torch.norm")`."""
    return _readings.get(function, ())


def refused(function: str) -> str | None:
    """Return what to write in place of a library's function that matgrad has not."""
    return _refused.get(function)


def suggest(spelling: str, *, sure: bool = False) -> str | None:
    """Return the spelling that was probably meant: `suggest("sofmax") == "softmax"`.

    What follows the name of a library is likelier a function of its own than a slip: then all but a letter must agree.
    """
    from difflib import get_close_matches

    known = {s.lower(): s for s, operator in _by_spelling.items() if not operator.hidden}
    if spelling.lower() in known:
        return known[spelling.lower()]
    # A short word is close to too many others: it must share more of its letters.
    cutoff = 0.9 if sure else 0.7 if len(spelling) > 3 else 0.8
    matches = get_close_matches(spelling.lower(), known, n=1, cutoff=cutoff)
    return known[matches[0]] if matches else None
