"""Statements before the last: `Z = X @ Y`, `U, s, Vh = svd(X)`, `loss += norm(w)`."""

from __future__ import annotations

from collections.abc import Sequence

from . import syntax_errors
from .errors import Span
from .syntax import Assignment, Binary, Index, ListLiteral, Name, Node, Number, TupleLiteral, walk

Statement = Node | tuple[Assignment, ...]


class Bare(TupleLiteral):
    """Values with commas between them and no brackets around: `U, s, Vh` before `=`, `a, b` behind it."""


def assigned(text: str, span: Span, target: Node, value: Node) -> tuple[Assignment, ...]:
    """Return the assignments that `target = value` means; several names take the parts of a value, in order.

    Example: `w, V = eigh(A)` is `w = eigh(A)[0]; V = eigh(A)[1]`.
    """
    if isinstance(value, Bare):
        value = TupleLiteral(value.items, span=value.span)
    if not isinstance(target, TupleLiteral | ListLiteral):
        return (Assignment(_name(text, target, value), value, span=span, name_span=target.span),)
    names = [_name(text, item, value) for item in target.items]
    if not names:
        raise syntax_errors.unexpected_equals(text.find("=", target.span[1]), "()")
    places = [item.span for item in target.items]
    return _unpacked(text, span, names, places, value)


def _unpacked(
    text: str, span: Span, names: Sequence[str], places: Sequence[Span], value: Node
) -> tuple[Assignment, ...]:
    parts: list[Node] = [
        Index(value, (Number(str(place)),), count=len(names), span=value.span) for place in range(len(names))
    ]
    if isinstance(value, TupleLiteral):
        if len(value.items) != len(names):
            raise syntax_errors.unequal_assignment((places[0][0], places[-1][1]), len(names), value)
        parts = list(value.items)
    used = {item.name for item in walk(value) if isinstance(item, Name) and not item.prefix}
    first: list[Assignment] = []
    if used.intersection(names[:-1]):
        # `a, b = b, a`: all values are taken before the first name changes.
        kept = [_unused(text, f"{name}_new") for name in names]
        first = [Assignment(new, part, span=span, name_span=span) for new, part in zip(kept, parts, strict=True)]
        parts = [Name(new, span=part.span) for new, part in zip(kept, parts, strict=True)]
    named = zip(names, parts, places, strict=True)
    return (*first, *(Assignment(name, part, span=span, name_span=place) for name, part, place in named))


def augmented(text: str, span: Span, target: Node, operator: str, place: Span, value: Node) -> tuple[Assignment, ...]:
    """Return the assignment that `x += 1` means: `x = x + 1`."""
    name = _name(text, target, value)
    changed = Binary(operator, target, value, span=span, operator_span=place)
    return (Assignment(name, changed, span=span, name_span=target.span),)


def _name(text: str, target: Node, value: Node) -> str:
    if isinstance(target, Name) and not target.prefix:
        return target.name
    equals = text.rfind("=", target.span[1], value.span[0])
    raise syntax_errors.unexpected_equals(max(equals, target.span[1]), text[slice(*target.span)])


def _unused(text: str, name: str) -> str:
    while name in text:
        name += "_"
    return name
