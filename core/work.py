"""How much work goes into an answer that nobody may have the patience for: the budgets, and what is said of them.

A derivative is found, or an error says that it is too large. A formula is an extra: where it would be too long, or
take too long, it is left out, and the numbers stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..grammar.budget import Budget, OverBudget, within
from .amounts import amount
from .errors import EvaluationError


class Allowance(NamedTuple):
    """How many parts something may have, how many may be looked at for it, and for how many seconds."""

    what: str
    parts: int
    looks: int
    seconds: float

    def too_long(self) -> str:
        """Return what to say of more parts."""
        return f"{self.what} of more than {amount(self.parts)} parts is not written"

    def too_late(self) -> str:
        """Return what to say when the time is over."""
        return f"{self.what} that takes more than {self.seconds:g} seconds is not written"


# An expression and its derivative as a graph.
FINDING = Allowance("a derivative", 1_000_000, 3_000_000, 6.0)
# A formula beside numbers: nobody reads a longer one, and the numbers wait for it.
BESIDE = Allowance("a formula", 3_000, 500_000, 2.5)
# A formula that was asked for, as text or as code.
ASKED = Allowance("a formula", 20_000, 1_200_000, 6.0)


class TooMuchWork(EvaluationError):
    """What is asked for is longer, or takes longer, than its allowance."""

    code = "too-much-work"


@contextmanager
def allowed(allowance: Allowance) -> Iterator[None]:
    """Do something within an allowance, or within the one that holds already. Raises TooMuchWork beyond it."""
    try:
        with within(Budget(allowance.looks, allowance.seconds)):
            yield
    except OverBudget as over:
        raise TooMuchWork(allowance.too_late() if over.late else allowance.too_long()) from None


def check_length(parts: int, allowance: Allowance) -> None:
    """Raise TooMuchWork for what has more parts than its allowance."""
    if parts > allowance.parts:
        raise TooMuchWork(allowance.too_long())
