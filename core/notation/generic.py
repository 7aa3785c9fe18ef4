"""Formulas for any size: the same problem over trial sizes that can be told apart."""

from __future__ import annotations

from collections.abc import Mapping

from ..calculation import Calculation, Problem
from ..errors import ExpressionError
from ..graph import Node
from ..inference import trial_shapes
from ..shapes import Shape
from ..transform import flatten
from .expand import expanded
from .formula import Notation
from .structural import Sizes
from .trees import Tree


def formulas(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int]) -> list[Tree]:
    """Return the closed form of each derivative of a problem, or of the value where none is asked for.

    The inputs have the numbers of axes that `shapes` say; their sizes become names where the formula needs them.
    """
    calculation, sizes = _generic(problem, shapes, statics)
    roots: list[Node] = [node for _, node in calculation.results] or [calculation.output]
    return [Notation(sizes).tree(root) for root in flatten(expanded(flatten(roots)))]


def _generic(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int]) -> tuple[Calculation, Sizes]:
    try:
        trial, counts, names = trial_shapes(problem.program, shapes, problem.names, statics)
        return Calculation(problem, trial, statics={**statics, **counts}), Sizes(names)
    except ExpressionError:
        # Sizes that the expression ties to its own numbers, `reshape(x, (2, 3))`, are kept as they are.
        return Calculation(problem, shapes, statics=statics), Sizes({})
