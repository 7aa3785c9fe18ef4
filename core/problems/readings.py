"""How a name without a shape was read where its letter says otherwise, and what to declare for the other reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from ...grammar.advice import Setting, Text, advise
from ...grammar.syntax import walk
from ..elaboration.elaborate import Elaborator
from ..elaboration.habits import usual_rank
from ..errors import ExpressionError
from ..graph.nodes import Node, Symbol
from ..shapes import Shape
from .problem import Problem

WORDS = ("number", "vector", "matrix")
# Lengths that are tried for another reading.
MOST_LENGTHS = 4
# For another reading of one name the whole expression is looked at; with many names that is tried for the first alone.
MOST_PARTS = 10_000


class Reading(NamedTuple):
    """What a name is taken for, `number`, `vector` or `matrix`, and a shape with which it is what its case says.

    The shapes are of one sample; `samples` is the axis that counts them, if there is one.
    """

    kind: str
    otherwise: Shape | None = None
    samples: Shape = ()

    def said(self, name: str) -> Text:
        """Return the reading of a name in words, with what to type for the other one."""
        text = f"`{name}` is read as a {self.kind}"
        if self.otherwise is None:
            return text
        shape = (*self.samples, *self.otherwise)
        return advise(f"{text}; ", Setting("shapes", {name: shape}), f" for a {WORDS[len(self.otherwise)]}")


def readings(
    problem: Problem, shapes: Mapping[str, Shape], names: list[str], samples: int | None = None
) -> dict[str, Reading]:
    """Return how names were read, those alone that are not what their case says.

    Example: with x of shape (4), the number `lam` in `lam * norm(x)**2` has none in which it is a vector, for that
    would be no number; in `lam * x` it is `Reading("number", (4,))`.
    """
    found = {}
    unusual = [name for name in names if usual_rank(name) != len(shapes[name]) < len(WORDS)]
    tried = MOST_PARTS // sum(1 for _ in walk(problem.program)) if unusual else 0
    for place, name in enumerate(unusual):
        ways = _shapes(shapes, name) if place < tried else ()
        others = (shape for shape in ways if _fits(problem, {**shapes, name: shape}))
        counted = () if samples is None or name not in problem.batch else (samples,)
        found[name] = Reading(WORDS[len(shapes[name])], next(others, None), counted)
    return found


def _shapes(shapes: Mapping[str, Shape], name: str) -> Iterator[Shape]:
    """Yield shapes of the usual rank, made of the lengths that the other names have."""
    lengths = [*dict.fromkeys(size for other, shape in shapes.items() if other != name for size in shape)] or [3]
    yield from product(lengths[:MOST_LENGTHS], repeat=usual_rank(name))


def _fits(problem: Problem, shapes: Mapping[str, Shape]) -> bool:
    try:
        value = Elaborator({name: Symbol.of(name, shape) for name, shape in shapes.items()}).run(problem.program)
    except ExpressionError:
        return False
    return isinstance(value, Node) and (not value.shape or not problem.wanted["scalar"])
