"""What is found out about a claim, and what every search for it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ...grammar.advice import Text
from ...grammar.parser import parse
from ...grammar.syntax import Node
from ..arrays import SAME_NUMBERS, Array, relative_error
from ..shapes import Shape
from .points import Point, Trial
from .values import Values, inlined


@dataclass(frozen=True)
class Reading:
    """What a claim is: a key for scripts, a factor where it is a multiple, and what to tell a person."""

    key: str
    notes: tuple[Text, ...]
    factor: str | None = None
    helps: tuple[Text, ...] = ()


def agrees(wanted: Array, found: Array | None) -> bool:
    """Whether two arrays are the same numbers, in the same shape."""
    return found is not None and relative_error(found, wanted) <= SAME_NUMBERS


class Inquiry:
    """What is asked about the claim of a trial: its expression, the name it is differentiated by, the points."""

    def __init__(self, trial: Trial, formula: str | None = None) -> None:
        self.trial = trial
        self.points = trial.points
        self.problem = trial.problem
        self.noun = trial.noun
        self.text = trial.problem.text.strip()
        self.name = trial.problem.requests[0][0]
        self.output = self.points[0].calculation.shape
        variables = self.points[0].calculation.variables
        self.groups = [self.output, *(variables[name].shape for name in self.problem.requests[0])]
        self._formula = formula

    @cached_property
    def claim(self) -> Node:
        """The claim as one tree."""
        return inlined(self.trial.program)

    @cached_property
    def expression(self) -> Node:
        """The expression as one tree."""
        return inlined(self.problem.program)

    @cached_property
    def formula(self) -> Node | None:
        """The formula of the derivative as one tree, None where there is none that holds at all points."""
        if self._formula is None:
            return None
        tree = inlined(parse(self._formula))
        return tree if self.everywhere(tree, (point.truth for point in self.points)) else None

    @cached_property
    def values(self) -> list[Values]:
        """The values of trees, point by point."""
        return [Values(point) for point in self.points]

    @property
    def misfits(self) -> bool:
        """Whether the claim has another shape than the derivative."""
        return any(point.claimed.shape != point.truth.shape for point in self.points)

    def values_at(self, point: Point) -> Values:
        """Return the values of trees at a point of the trial."""
        return next(values for values in self.values if values.point is point)

    def shape_of(self, node: Node) -> Shape | None:
        """Return the shape that a tree has at the first point, None where it has no value."""
        value = self.values[0].of(node)
        return None if value is None else value.shape

    def everywhere(self, tree: Node, wanted: Iterator[Array]) -> bool:
        """Whether a tree has these values, point by point; one where it does not is enough to say no."""
        return all(agrees(target, values.of(tree)) for values, target in zip(self.values, wanted, strict=True))

    def is_right(self, tree: Node) -> bool:
        """Whether a tree is the derivative at every point."""
        return self.everywhere(tree, (point.truth for point in self.points))

    def is_the_claim(self, tree: Node) -> bool:
        """Whether a tree is what is claimed at every point."""
        return self.everywhere(tree, (point.claimed for point in self.points))
