"""What settings may be: a word is no number of a diagonal, and a shift no fraction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...grammar.vocabulary import words
from ..errors import ExpressionError
from ..graph.operator import Operator
from ..graph.sizes import Size
from .applied import flat
from .arguments import declaration, usage

# What the machine counts with: larger numbers are the place of no entry.
LARGEST_WHOLE = 2**62
LONGEST_SHOWN = 24


def is_whole(value: Any) -> bool:
    """Whether a setting is a whole number that can count entries, or a length."""
    if isinstance(value, Size):
        return True
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_WHOLE


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Size)


def _are_whole(value: Any) -> bool:
    return all(map(is_whole, flat([value])))


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool) or value in (0, 1)


_KINDS: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    (
        "k offset n rank start_axis end_axis ind N ndim num_segments M groups dimension"
        " chunks length type num_classes num_groups ignore_index order", "a whole number",
        is_whole,
    ),
    ("shift", "whole numbers", _are_whole),
    ("start stop step base value d ddof lower upper nan posinf neginf", "a number", _is_number),
    ("alpha fillvalue constant_values default left right period divisor_override", "a number", _is_number),
    ("eps epsilon margin delta beta scale label_smoothing", "a number", _is_number),
    ("ord p", "a number or a word", lambda value: value is None or isinstance(value, str) or _is_number(value)),
    (
        "keepdims full_matrices unit_diagonal increasing full training is_causal descending largest omit_nan rowvar"
        " bias fisher first ceil_mode count_include_pad return_indices spread", "True or False", _is_truth,
    ),
    (
        "subscripts approximate reduction method mode boundary indexing norm", "a word",
        lambda value: isinstance(value, str),
    ),
)  # fmt: skip
KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    name: (kind, fits) for names, kind, fits in _KINDS for name in words(names)
}
"""For settings by name: what they are, in words, and whether a value is that. Axes and shapes are checked as such."""


class UnfitSetting(ExpressionError):
    """A setting that is not what it must be; `name` is its name."""

    def __init__(self, operator: Operator, name: str, message: str) -> None:
        super().__init__(f"`{operator.name}`: {message}", helps=[usage(operator)])
        self.name = name


def check_settings(operator: Operator, settings: Mapping[str, Any]) -> None:
    """Refuse values of settings that are not what the setting is: `triu(A, 'fro')`, `diag(x, 0.5)`."""
    defaults = declaration(operator.parameters).settings
    for name, value in settings.items():
        if name in KINDS and value is not defaults[name]:
            kind, fits = KINDS[name]
            if not fits(value):
                raise UnfitSetting(operator, name, f"`{name}` must be {kind}, not {shown(value)}")


def shown(value: Any) -> str:
    """Return a value as it is written, a long one in words: `shown("fro") == "'fro'"`."""
    text = "..." if value is ... else str(value) if isinstance(value, Size) else repr(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"a number of {len(text)} digits" if isinstance(value, int) else f"{text[:LONGEST_SHOWN]}..."
