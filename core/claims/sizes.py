"""Numbers in a claim that stand for a length: `2*x/5` is right for five entries alone, `2*x/x.shape[0]` for any."""

from __future__ import annotations

from collections.abc import Iterator

from ...grammar.parser import parse
from ...grammar.rewriting import rewritten
from ...grammar.syntax import Node, Number, walk
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, relative_error
from ..errors import MatgradError
from ..evaluation.program import OperationFailed
from .edits import exchanged
from .points import Point, Trial
from .values import Values, inlined

MORE = 2


def sizes_in_numbers(trial: Trial) -> str | None:
    """Return what to write in place of a number of a claim that is right at its sizes alone, None where it is for all.

    Example: for the claim `2*X.T @ (X @ w - y) / 5` with a matrix of five rows, that `X.shape[0]` is meant.
    """
    shapes = trial.points[0].shapes
    claim = inlined(trial.program)
    lengths = {str(size) for shape in shapes.values() for size in shape if size > 1}
    numbers = {node.text for node in walk(claim) if isinstance(node, Number)} & lengths
    if not numbers or any(point.shapes != shapes for point in trial.points):
        return None
    try:
        there = trial.resized(MORE)
    except (MatgradError, OperationFailed):
        return None
    if there is None or _is_right(there, claim):
        return None
    for number in sorted(numbers):
        for name, shape in shapes.items():
            for axis, size in enumerate(shape):
                length = parse(f"{name}.shape[{axis}]").result
                if str(size) == number and any(_is_right(there, tree) for tree in _with(claim, number, length)):
                    return f"it is right at these sizes alone: write `{write(length)}` in place of `{number}`"
    return "it is right at these sizes alone, and its numbers tell them"


def _with(claim: Node, number: str, length: Node) -> Iterator[Node]:
    """Yield a claim with a length in place of a number, everywhere and in one place."""
    yield rewritten(claim, lambda node: length if node == Number(number) else None)
    for place in walk(claim):
        if place == Number(number):
            yield exchanged(claim, place, length)


def _is_right(point: Point, tree: Node) -> bool:
    found = Values(point).of(tree)
    return found is not None and relative_error(found, point.truth) <= SAME_NUMBERS
