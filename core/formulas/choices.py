"""Which of several closed forms of a derivative to show: the one for all sizes, unless another is far shorter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ...grammar.syntax import Call, Node, walk
from ..errors import MatgradError, surface
from ..notation.entries import is_literal
from ..notation.trees import length
from ..problems.calculation import Calculation
from ..problems.problem import Problem
from ..shapes import Shape
from ..work import TooMuchWork
from .closed_form import ClosedForm, Kept, exact_forms, generic_forms, literal_forms, merged_forms, sized_forms

Maker = Callable[..., list[ClosedForm]]

# A formula of more words and signs than this is worth a second look.
LONG = 16
FAR_SHORTER = 1.5
DECOMPOSITION = 12
UNIT_VECTOR = re.compile(r"eye\([^)]*\)\[(\d+)\]")


class Choices:
    """The closed forms of a problem, each kind made when it is first asked for, and the texts that were read again."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.kept: Kept = {}
        self._best: dict[tuple[int, bool], list[ClosedForm]] = {}
        self._made: dict[tuple[object, ...], list[ClosedForm]] = {}

    def at(self, position: int, calculation: Calculation, *, everywhere: bool = False) -> Iterator[ClosedForm]:
        """Yield the forms of one derivative of a calculation, the best first; those that hold `everywhere`."""
        key = position, everywhere
        if key not in self._best:
            self._best[key] = list(self._generic(position, calculation, everywhere=everywhere))
        yield from self._best[key]
        for make in (sized_forms, exact_forms):
            form = self._form(make, position, calculation)
            if form is not None:
                yield form

    def _generic(self, position: int, calculation: Calculation, *, everywhere: bool) -> Iterator[ClosedForm]:
        """Yield forms for all sizes, and those for fewer that are shorter.

        What holds `everywhere` gives up other sizes only where it would need a decomposition for them.
        """
        shape = calculation.results[position][1].shape if calculation.results else calculation.shape
        for regular in (False,) if everywhere else (True, False):
            general = self._form(generic_forms, position, calculation, regular=regular)
            if general is not None:
                long = _words(general) > LONG
                merged = self._form(merged_forms, position, calculation, regular=regular) if long else None
                entries = (
                    self._form(literal_forms, position, calculation)
                    if long and not everywhere and _picks_places(general, shape)
                    else None
                )
                if entries and is_literal(entries.tree) and _words(entries) < _words(general):
                    yield entries
                narrows = not everywhere or any(map(_decomposes, walk(general.tree)))
                if merged is not None and narrows and FAR_SHORTER * _words(merged) < _words(general):
                    yield merged
                yield general

    def _form(self, make: Maker, position: int, calculation: Calculation, **options: bool) -> ClosedForm | None:
        key = (make, *options.values())
        if key not in self._made:
            try:
                self._made[key] = make(self.problem, calculation, **options)
            except TooMuchWork:
                raise
            except MatgradError:  # no form of this kind fits
                self._made[key] = []
            except Exception as problem:  # a formula is an extra: its failure must not take the numbers along
                surface(problem)
                self._made[key] = []
        made = self._made[key]
        return made[position] if position < len(made) else None


def _picks_places(form: ClosedForm, shape: Shape) -> bool:
    """Whether a formula has a unit vector, `eye(n)[0]`, for each place along the axes of a derivative."""
    picked = {*map(int, UNIT_VECTOR.findall(form.text))}
    return bool(picked) and bool(shape) and picked >= {*range(max(shape))}


def _words(form: ClosedForm) -> int:
    """Return how long a form is; a decomposition that says what an inverse could say counts for more."""
    return length(form.program) + DECOMPOSITION * sum(_decomposes(node) for node in walk(form.tree))


def _decomposes(node: Node) -> bool:
    return isinstance(node, Call) and node.function in ("pinv", "svd", "svdvals")
