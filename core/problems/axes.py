"""The axes of a derivative: which belong to the output and which to each variable, and what they count."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph.nodes import Symbol
from ..shapes import Shape
from .problem import Problem


def axis_groups(
    problem: Problem, wrt: tuple[str, ...], output: Shape, symbols: Mapping[str, Symbol]
) -> list[tuple[str, Shape]]:
    """Return the owner and shape of each block of axes of a derivative.

    Example: for the Jacobian of `A @ x` by x it is `[("out", (3,)), ("x", (2,))]`.
    """
    match problem.kind:
        case "jvp":
            return [("out", output)]
        case "vjp":
            return [(wrt[0], symbols[wrt[0]].shape)]
    return [("out", output), *((name, symbols[name].shape) for name in wrt)]


def convention(problem: Problem, wrt: tuple[str, ...], symbols: Mapping[str, Symbol]) -> str:
    """Return what a derivative by symmetric variables means, empty where none is symmetric."""
    names = [name for name in dict.fromkeys(wrt) if symbols[name].symmetric]
    if not names:
        return ""
    listed = ", ".join(names)
    if "diagonal" in symbols[names[0]].assumptions:
        return f"{listed} diagonal: the derivative by the diagonal entries"
    if problem.independent_entries:
        return f"{listed} symmetric: by independent entries, G + G.T - diag(diag(G)), off-diagonal entries doubled"
    return f"{listed} symmetric: the derivative of f of the symmetric part, off-diagonal entries not doubled"
