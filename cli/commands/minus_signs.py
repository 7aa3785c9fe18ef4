"""An expression may begin with a minus sign: it is told from an option before click sees it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

# A command line cannot contain this character, so it marks an argument without doubt.
MARK = "\0"

_NAMED = r"-[^\W\d]\w*\s*([-+*/^@(\[.'<>,;=]|$)|-[^\W\d]\w*\s+[-+*/^@(\[.'<>,;=]"
# `--wtr` is a typo; `--2*x` and `--(x)` are not.
_OTHER = r"-[-\s]*(\d|\.\d|[(\[])|-\s+[^\W\d]"
_VARIABLE = r"-v\s*[^\W\d]\w*\s*=(?!=)"
_WORD = r"-[^\W\d]\w*"


class KnownOption(NamedTuple):
    """What has to be known of an option: how it is written, and whether a value follows."""

    names: tuple[str, ...]
    takes_value: bool


def protect(arguments: Sequence[str], options: Collection[KnownOption]) -> list[str]:
    """Mark the arguments that are expressions although they begin with a minus sign.

    Example: `protect(["-x^2", "--wrt", "x"], options) == [MARK + "-x^2", "--wrt", "x"]`. What is clearly an option, or
    the value of one, stays as it is, and so does a likely typo such as `-wrt`: click knows what to say.
    """
    known = _by_name(options)
    candidates = list(_candidates(arguments, known))
    chosen = {place for place in candidates if _is_expression(arguments, place, candidates, known)}
    return [MARK + argument if place in chosen else argument for place, argument in enumerate(arguments)]


def positionals(arguments: Sequence[str], options: Collection[KnownOption]) -> list[str]:
    """Return what is neither an option nor the value of one: `positionals(["x", "--wrt"], options) == ["x"]`."""
    return [arguments[place] for place in _candidates(arguments, _by_name(options))]


def one_dash_typo(arguments: Sequence[str], options: Collection[KnownOption]) -> str | None:
    """Return the argument that has one dash where an option has two: `-wrt`."""
    known = _by_name(options)
    words = (arguments[place] for place in _candidates(arguments, known))
    return next((word for word in words if re.fullmatch(_WORD, word) and f"-{word}" in known), None)


def unmarked(argument: str) -> str:
    """Return an argument as it was typed."""
    return argument.removeprefix(MARK)


def _by_name(options: Collection[KnownOption]) -> dict[str, KnownOption]:
    return {name: option for option in options for name in option.names}


def _candidates(arguments: Sequence[str], known: dict[str, KnownOption]) -> Iterator[int]:
    """Yield the places of the arguments that are neither plain options nor their values."""
    place = 0
    while place < len(arguments):
        argument = arguments[place]
        if argument == "--":
            return
        option = known.get(argument)
        attached = argument.startswith("--") or re.match(_VARIABLE, argument)
        if option is None and (not attached or re.match(_OTHER, argument)):
            yield place
        place += 2 if option is not None and option.takes_value else 1


def _is_expression(
    arguments: Sequence[str], place: int, candidates: Sequence[int], known: dict[str, KnownOption]
) -> bool:
    argument = arguments[place]
    if not argument.startswith("-") or argument == "-":
        return False
    if re.match(_OTHER, argument):
        return True
    if not re.match(_NAMED, argument):
        return False
    if re.fullmatch(_WORD, argument):
        alone = candidates[0] == place
        return alone and (len(candidates) == 1 or f"-{argument}" not in known)
    # `-inv(A)` begins like `-i`, and `-idata.json` looks like an expression: whichever is alone is the expression.
    return argument[:2] not in known or len(candidates) == 1
