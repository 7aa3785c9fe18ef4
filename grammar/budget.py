"""How much work a formula may take: counted in parts that are looked at, and in seconds.

Whoever wants something written opens a budget; whoever goes through trees and graphs spends from the one that is open.
What is not bounded by its nature is bounded so, in one place and in the same way.

>>> with within(Budget(parts=10, seconds=1.0)):
...     spend(8)
...     spend(8)
Traceback (most recent call last):
    ...
matgrad.grammar.budget.OverBudget: more than 10 parts
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

_open: ContextVar[Budget | None] = ContextVar("budget", default=None)


class OverBudget(BaseException):
    """The budget is spent; `late` says that it is the time.

    No `except Exception` on the way stops it: whoever opened the budget says what that means.
    """

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


# The clock is read once for so many parts.
BETWEEN_LOOKS = 256


class Budget:
    """So many parts and so many seconds of work, by the clock of this thread; `spent` counts the parts."""

    def __init__(self, parts: int, seconds: float) -> None:
        self.parts = parts
        self.seconds = seconds
        self.spent = 0
        # The clock starts at the first look at it: most work ends before, and reading it takes long on some machines.
        self._look = BETWEEN_LOOKS
        self._end: float | None = None

    def spend(self, parts: int) -> None:
        """Count parts. Raises OverBudget where they are too many, or take too long."""
        self.spent += parts
        if self.spent > self.parts:
            raise OverBudget(f"more than {self.parts} parts")
        if self.spent >= self._look:
            self._look = self.spent + BETWEEN_LOOKS
            now = thread_time()
            self._end = now + self.seconds if self._end is None else self._end
            if now > self._end:
                self._look = 0
                raise OverBudget(f"more than {self.seconds:g} seconds", late=True)


def spend(parts: int) -> None:
    """Count parts that are looked at, where a budget is open."""
    budget = _open.get()
    if budget is not None:
        budget.spend(parts)


@contextmanager
def within(budget: Budget) -> Iterator[Budget]:
    """Open a budget for what is done inside; one that is open already holds for that too, and stays."""
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    token = _open.set(budget)
    try:
        yield budget
    finally:
        _open.reset(token)
