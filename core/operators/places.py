"""Indices of several axes at once, as NumPy makes them: `X[ix_([0, 2], [1, 3])]`, `X[tril_indices(3)]`.

Their values are tuples of arrays of indices, one an axis, and stand in an index.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...grammar import syntax
from ...grammar.errors import Span
from ..elaboration.entries import Unavailable
from ..graph.nodes import Constant, Node
from ..graph.operator import NOWHERE, Operator
from ..graph.places import require_few
from ..graph.sizes import NotPlainError, Size
from .axes import checked_shape


def _open_mesh(
    a: syntax.Node, b: syntax.Node | None, c: syntax.Node | None, span: Span
) -> syntax.TupleLiteral:
    """Return lists of places each along an axis of its own, so that they broadcast: `(a[:, None], b)`."""
    lists = [_places(item) for item in (a, b, c) if item is not None]
    axes = range(len(lists))
    new = syntax.Literal(None)
    return syntax.TupleLiteral(
        tuple(
            syntax.Index(item, tuple(syntax.Slice() if axis == own else new for axis in axes), span=span)
            for own, item in enumerate(lists)
        ),
        span=span,
    )


def _places(item: syntax.Node) -> syntax.Node:
    """Return a list of truth values as the places where they are true."""
    listed = item.items if isinstance(item, syntax.ListLiteral | syntax.TupleLiteral) else ()
    if listed and all(entry in (syntax.Literal(True), syntax.Literal(False)) for entry in listed):
        chosen = [place for place, entry in enumerate(listed) if entry == syntax.Literal(True)]
        return syntax.ListLiteral(tuple(syntax.Number(str(place)) for place in chosen), span=syntax.span_of(item))
    return item


def _in_numbers(made: Callable[..., tuple[Any, ...]], n: int, *settings: Any) -> tuple[Node, ...]:
    sizes = checked_shape((n, *(size for size in settings[1:] if size is not None)))
    if any(isinstance(size, Size) for size in sizes):
        raise NotPlainError("indices are needed in numbers", sizes)
    return tuple(Constant.of(np.asarray(places, dtype=float)) for places in made(n, *settings))


def _of_triangle(made: Callable[..., Any], n: int, k: int, m: int | None) -> tuple[Node, ...]:
    if not isinstance(n, Size) and not isinstance(m, Size):
        require_few(n * (n if m is None else m))
    return _in_numbers(made, n, k, m)


def _where(mask: Node) -> tuple[Node | Unavailable, ...]:
    if mask.rank == 1:
        return (mask,)
    instead = Unavailable("the places of a matrix are picked together", "`X[M]` picks the entries where M is true")
    return (instead,) * mask.rank


def places(name: str, parameters: str, doc: str, *samples: str, error: str, **fields: Any) -> Operator:
    """Return a function whose values are indices."""
    return Operator(
        name, parameters, doc, family="places", samples=samples, errors=(error,), spellings=NOWHERE, **fields
    )


ENTRIES = (
    places("ix_", "a; b=None, c=None", "Lists of places that pick rows, columns and so on apart, as numpy.ix_.",
           "X[ix_([0, 2], [1, 3])]", "T[ix_([1], [0, 2], [3, 0])]", "X[ix_([True, False, True], [0])]",
           error="ix_()", rewrite=_open_mesh),
    *(places(f"{name}_indices", "; n, k=0, m=None",
             f"Places in the {word} triangle of an n×m matrix, {bound} its k-th diagonal.",
             f"A[{name}_indices(3)]", f"X[{name}_indices(3, 1, 4)]", error=f"{name}_indices()",
             build=partial(_of_triangle, made),
             refused={f"torch.{name}_indices": f"it is one matrix of places; write `np.{name}_indices(n)`"})
      for name, word, bound, made in (("tril", "lower", "up to", np.tril_indices),
                                      ("triu", "upper", "from", np.triu_indices))),
    places("diag_indices", "; n, ndim=2", "Places on the diagonal of an array of ndim axes, each of length n.",
           "A[diag_indices(3)]", error="diag_indices()",
           build=lambda n, ndim: _in_numbers(lambda size: np.diag_indices(size, ndim), n)),
    # What it picks depends on values, so nothing of it can be tested by the table.
    Operator("places_where", "mask", "The places where a mask is true; as an index it is the mask.",
             family="derivatives", build=_where, hidden=True, spellings=NOWHERE,
             libraries=("np.nonzero(a) -> places_where(a)", "np.flatnonzero(a) -> only_vector(a)",
                        "torch.nonzero(input, *, as_tuple: True) -> places_where(input)",
                        *(f"{name}(condition) -> places_where(condition)"
                          for name in ("np.where", "torch.where", "where")),
                        *(f"{library}.where(condition, {x}, {y}) -> where(condition, {x}, {y})"
                          for library, x, y in (("np", "x", "y"), ("torch", "input", "other"), ("jnp", "x", "y"))))),
)
