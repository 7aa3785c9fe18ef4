"""Sentences of textbooks and forums that are no expressions, and the spelling that is: `d/dx x**2`, `A(:, 1)`."""

from __future__ import annotations

import re

from . import syntax_errors
from .errors import SyntaxProblem
from .numerals import whole_number
from .vocabulary import function_words

_WRT = re.compile(r"(?:wrt|w\.r\.t\.?|with\s+respect\s+to|by)\s+(?P<name>[^\W\d]\w*)\s*$")
_DERIVATIVE = re.compile(
    r"\s*(?:d|∂)(?P<order>\^?2|²)?\s*/\s*(?:d|∂)(?P<name>[^\W\d][^\W²]*?)(?:\^?2|²)?(?:\s+|(?=\())(?P<inner>\S.*)", re.S
)
_NABLA = re.compile(r"∇(?P<second>²|\^2)?(?:_(?P<name>[^\W\d]\w*))?\s*(?P<inner>\S.*)", re.S)
_INVERSE = re.compile(r"(?P<function>sinh?|cosh?|tanh?)\s*(?:\^|\*\*)\s*-\s*1$")
_RAISED = re.compile(r"(?P<base>[\w.]+|\([^()]*\))\s*\^\s*\{\s*(?P<power>[^{}]*?)\s*\}$")
_INDEXED = re.compile(r"(?P<name>[^\W\d]\w*)\s*\($")
_BAR = re.compile(r"\|\||[|‖∥]")
# Nobody writes a longer one by hand, and to search in it takes long.
LONGEST_SENTENCE = 2000


def sentence_problem(flat: str, position: int, opened: int | None, *, wants_value: bool) -> SyntaxProblem | None:
    """Return what to write instead of a text that the parser refused at a position; None where it is no such sentence.

    `opened` is where the innermost bracket is that is open there.
    """
    if len(flat) > LONGEST_SENTENCE:
        return None
    end = len(flat.rstrip())
    if wrt := _WRT.match(flat, position):
        return syntax_errors.wrt_in_expression(wrt.span(), flat[:position].strip(), wrt["name"])
    if derivative := derivative_in(flat):
        return derivative
    if nabla := _NABLA.match(flat, position):
        name, inner = nabla["name"] or "x", _without_brackets(nabla["inner"])
        return syntax_errors.derivative_sign((position, nabla.end("name") if nabla["name"] else position + 1),
                                             inner, name, second=bool(nabla["second"]))  # fmt: skip
    if not wants_value and (bar := _BAR.match(flat, position)):
        return _bar_problem(flat, position, bar[0])
    if position >= end and len(bars := _lone_bars(flat)) == 1:
        return syntax_errors.unclosed_bar(bars[0], flat[slice(*bars[0])])
    before = flat[:position].rstrip()
    if flat.startswith("(", position) and (inverse := _INVERSE.search(before)):
        return syntax_errors.inverse_function(inverse.span(), inverse["function"])
    if flat.startswith("{", position) and (raised := _RAISED.search(flat[: flat.find("}", position) + 1])):
        return syntax_errors.braces_in_power(raised.span(), raised["base"], raised["power"])
    if flat.startswith(":", position) and opened is not None and (indexed := _INDEXED.search(flat[: opened + 1])):
        closing = flat.find(")", position)
        if closing > 0 and indexed["name"] not in function_words():
            inside = flat[opened + 1 : closing]
            return syntax_errors.round_index((opened, closing + 1), index_from_zero(indexed["name"], inside))
    return None


def derivative_in(text: str) -> SyntaxProblem | None:
    """Return the message for `d/dx x**2`; the parser knows `d/dx(x**2)` for a quotient, as `d/det(A)` is one."""
    found = _DERIVATIVE.fullmatch(text)
    if found is None or f"d{found['name']}" in function_words():
        return None
    inner = _without_brackets(found["inner"])
    place = (len(found[0]) - len(found[0].lstrip()), found.start("inner"))
    return syntax_errors.derivative_sign(place, inner, found["name"], second=bool(found["order"]))


def _without_brackets(inner: str) -> str:
    inner = inner.strip()
    return inner[1:-1].strip() if re.fullmatch(r"\([^()]*\)", inner) else inner


def index_from_zero(name: str, inside: str) -> str:
    """Return an index in square brackets for MATLAB's in round ones: `A(:, 1)` is `A[:, 0]`."""
    items = []
    for item in inside.split(","):
        first, *rest = (part.strip() for part in item.split(":"))
        place = whole_number(first)
        first = str(place - 1) if place else first
        items.append(":".join([first, *rest]))
    return f"{name}[{', '.join(items)}]"


def _lone_bars(flat: str) -> list[tuple[int, int]]:
    """Return the bar that has no partner, where there is one."""
    alone: list[tuple[int, int]] = []
    for bar in _BAR.finditer(flat):
        if alone and flat[slice(*alone[-1])] == bar[0]:
            alone.pop()
        else:
            alone.append(bar.span())
    return alone


def _bar_problem(flat: str, position: int, bar: str) -> SyntaxProblem | None:
    """Return the message for a bar behind a value: `2|x|`, `log|A|`, `||x| - 1|`, `x|`."""
    closing = flat.find(bar, position + len(bar))
    value = re.search(r"[\w.]+$|\([^()]*\)$", flat[:position].rstrip())
    if closing < 0 or value is None:
        return syntax_errors.unclosed_bar((position, position + len(bar)), bar)
    inside = flat[position : closing + len(bar)]
    if value[0] in function_words():
        return syntax_errors.call_without_brackets(value[0], inside, (position, position + len(bar)))
    if any(flat[slice(*lone)] != bar for lone in _lone_bars(flat[:position])):
        return syntax_errors.bars_run_together((position, position + len(bar)))
    return syntax_errors.side_by_side((position, position + len(bar)), f"{value[0]}*{inside}", None, in_list=False)
