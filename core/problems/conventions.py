"""What a derivative of samples, and by a variable that is not free, is, in words."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph.nodes import Symbol
from .problem import STRUCTURED_KINDS, Problem

SPACES = {
    "lower": "the lower triangle of the gradient, tril(G)",
    "upper": "the upper triangle of the gradient, triu(G)",
    "skew": "the skew part of the gradient, (G - G.T)/2",
    "tridiagonal": "the three middle diagonals of the gradient",
    "toeplitz": "the mean of the gradient along each diagonal",
    "hankel": "the mean of the gradient along each antidiagonal",
    "circulant": "the mean of the gradient along each diagonal, which goes on at the other side",
}
"""What the derivative by a variable of a space of matrices is, in words."""
AMBIENT = "the derivative in all directions, tangent or not"
# Source: Absil, Mahony & Sepulchre 2008, Optimization Algorithms on Matrix Manifolds, section 3.6.
TANGENT = "the derivative in all directions; its tangent part is G - {0} @ ({0}.T @ G + G.T @ {0})/2"


def convention(problem: Problem, variables: Mapping[str, Symbol], wrt: tuple[str, ...]) -> str:
    """Return what a derivative is of and by, where that is not all of one expression by variables that are free."""
    return "; ".join(filter(None, (_of(problem), _by(problem, variables, wrt))))


def _of(problem: Problem) -> str:
    """Return what is made of samples: `of the sum over the samples, which the first axis of x and y counts`."""
    *others, last = problem.batch or ("",)
    names = " and ".join(filter(None, (", ".join(others), last)))
    return f"of the {problem.reduce} over the samples, which the first axis of {names} counts" if problem.reduce else ""


def _by(problem: Problem, variables: Mapping[str, Symbol], wrt: tuple[str, ...]) -> str:
    """Return what a derivative by symmetric variables means, empty where none is symmetric."""
    names = [name for name in dict.fromkeys(wrt) if variables[name].symmetric]
    if not names:
        once = len(wrt) == 1
        known = ((name, variables[name].assumptions) for name in dict.fromkeys(wrt))
        words = {**SPACES, "orthogonal": TANGENT if once else AMBIENT}
        found = (f"{name} {w}: {words[w].format(name)}" for name, own in known for w in words if w in own)
        return "; ".join(found) if problem.kind in STRUCTURED_KINDS else ""
    listed = ", ".join(names)
    if names and "diagonal" in variables[names[0]].assumptions:
        return f"{listed} diagonal: the derivative by the diagonal entries"
    if names and problem.independent_entries:
        return f"{listed} symmetric: by independent entries, G + G.T - diag(diag(G)), off-diagonal entries doubled"
    halves = "the derivative of f of the symmetric part, off-diagonal entries not doubled"
    return f"{listed} symmetric: {halves}" if names else ""
