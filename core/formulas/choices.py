"""Which of several closed forms of a derivative to show: the one for all sizes, unless another is far shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import MatgradError, surface
from ..notation.trees import length
from ..problems.calculation import Calculation
from ..problems.problem import Problem
from ..work import TooMuchWork
from .closed_form import ClosedForm, Kept, exact_forms, generic_forms, merged_forms, sized_forms

Maker = Callable[[Problem, Calculation], list[ClosedForm]]

# A formula of more words and signs than this is worth a second look.
LONG = 16


class Choices:
    """The closed forms of a problem, each kind made when it is first asked for, and the texts that were read again."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.kept: Kept = {}
        self._best: dict[int, list[ClosedForm]] = {}
        self._made: dict[Maker, list[ClosedForm]] = {}

    def at(self, position: int, calculation: Calculation) -> Iterator[ClosedForm]:
        """Yield the forms of one derivative of a calculation, the best first."""
        if position not in self._best:
            self._best[position] = list(self._generic(position, calculation))
        yield from self._best[position]
        for make in (sized_forms, exact_forms):
            form = self._form(make, position, calculation)
            if form is not None:
                yield form

    def _generic(self, position: int, calculation: Calculation) -> Iterator[ClosedForm]:
        general = self._form(generic_forms, position, calculation)
        if general is not None:
            merged = self._form(merged_forms, position, calculation) if _words(general) > LONG else None
            if merged is not None and 2 * _words(merged) < _words(general):
                yield merged
            yield general

    def _form(self, make: Maker, position: int, calculation: Calculation) -> ClosedForm | None:
        if make not in self._made:
            try:
                self._made[make] = make(self.problem, calculation)
            except TooMuchWork:
                raise
            except MatgradError:  # no form of this kind fits
                self._made[make] = []
            except Exception as problem:  # a formula is an extra: its failure must not take the numbers along
                surface(problem)
                self._made[make] = []
        made = self._made[make]
        return made[position] if position < len(made) else None


def _words(form: ClosedForm) -> int:
    return length(form.program)
