"""Patterns that a reader knows by another name, found in the graph of a derivative before it is written.

Each function gets a node and returns an equal one that reads better, or None. They serve formulas alone: the numbers
are computed from the graph as it was differentiated.

The function of a symmetric matrix, written by its eigenvectors and eigenvalues:

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> from matgrad.core.graph.transform import flatten
>>> S = Symbol.of("S", (3, 3), {"symmetric"})
>>> typed = elaborate_text("V = eigh(S)[1]; V @ diag(exp(eigvalsh(S))) @ V.T", {"S": S})
>>> recognised(flatten([typed])) == [elaborate_text("expm(S)", {"S": S})]
True
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..differentiation.adjoints import commuted, transferred
from ..differentiation.spectra import singular_function, spectral_function
from ..differentiation.stabilise import rewritten
from ..elaboration.elaborate import call
from ..graph.algebra import product, scale
from ..graph.canonical import tidy
from ..graph.nodes import Apply, Coefficient, Node, Product, Sum
from ..graph.ratios import Ratio, reciprocal
from ..graph.transform import transform_once
from .branches import simpler_branches
from .complements import with_complements
from .denominators import over_one_denominator
from .inverses import PAIRS
from .roots import known_number
from .totals import known_total
from .unmerged import unmerged

PATTERNS = (
    spectral_function,
    singular_function,
    transferred,
    commuted,
    known_total,
    with_complements,
    unmerged,
    simpler_branches,
    *PAIRS,
    over_one_denominator,
    known_number,
)


def recognised(roots: Sequence[Node]) -> list[Node]:
    """Return graphs with every pattern replaced by what it is called."""
    return transform_once(roots, _known)


def _known(node: Node) -> Node:
    return _recognised(rewritten(node))


def _recognised(node: Node) -> Node:
    if not node.children:
        return node
    for pattern in (*PATTERNS, scaled_solution):
        found = pattern(node)
        if found is not None:
            return _recognised(found)
    return node


def scaled_solution(node: Node) -> Node | None:
    """solve(A, c*b) = c * solve(A, b), and so for all that is linear in its last operand

    The sign of a sum counts as its number, so that b - a and a - b meet.
    """
    if not isinstance(node, Apply):
        return None
    solution = node.operator.name in ("solve_vector", "solve_matrix") and not node.batch
    if not node.operator.adjoint and not solution:
        return None
    *known, b = node.children
    if isinstance(b, Product) and b.coefficient != 1 and b.children:
        factor, rest = b.coefficient, product(1, b.factors, tuple(range(b.rank)))
    elif isinstance(b, Sum) and (content := _content(b)) != 1:
        factor = content
        rest = Sum.of(tuple(tidy(c * reciprocal(content)) for c in b.coefficients), b.children, b.shape)
    else:
        return None
    name = "solve" if solution else node.operator.name
    return scale(factor, _recognised(call(name, *known, rest, **dict(node.parameters))))


def _content(node: Sum) -> Coefficient:
    """Return the number that all coefficients of a sum share up to sign, with the sign of the first."""
    if any(isinstance(c, float) for c in node.coefficients) or len({abs(c) for c in node.coefficients}) != 1:
        return 1
    first = node.coefficients[0]
    return first if isinstance(first, Ratio) else Fraction(first)
