"""Picking entries by arrays of indices, and adding entries to the places that they name.

All are other ways to write an index: `take_along_axis(X, I, 1)` is `ravel(X)[places]`, and what is added to places goes
through the transpose of that selection, `eye(X.size)[places].T`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ...grammar import syntax
from ...grammar.errors import Span
from ..elaboration.elaborate import call
from ..elaboration.infix import plus
from ..errors import ExpressionError, Label, ShapeError
from ..graph import algebra
from ..graph.algebra import scale
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..graph.ratios import ratio
from ..graph.sizes import Size
from ..shapes import describe, normalize_axis
from .axes import expanded, reshaped
from .elementwise import elementwise

# --- places in a row of all entries ----------------------------------------------------------------------------------


def _checked_place(index: Any, size: Any) -> Any:
    """Return places counted from the front."""
    indices, sizes = np.broadcast_arrays(np.asarray(index, dtype=float), np.asarray(size, dtype=float))
    if np.any((indices < -sizes) | (indices >= sizes) | (indices != np.rint(indices))):
        wrong = indices[(indices < -sizes) | (indices >= sizes) | (indices != np.rint(indices))].flat[0]
        raise ExpressionError(f"index {wrong:g} is out of range for an axis of {np.max(sizes):g}")
    return np.where(indices < 0, indices + sizes, indices)


def _distinct_places(place: Any) -> Any:
    if np.unique(place).size != np.size(place):
        raise ExpressionError("two values go to one place", helps=["`scatter_add` adds them"])
    return place


def _places(x: Node, indices: Node, axis: int, spread: bool) -> Node:
    """Return where the entries along an axis stand among all: other axes count, or repeat one index, if `spread`."""
    along = normalize_axis(axis, x.rank)
    if indices.rank != x.rank:
        raise ShapeError(f"the indices have as many axes as the array, {x.rank}; these are {describe(indices.shape)}")
    if x.rank == 1 and isinstance(x.shape[0], Size):
        # The index itself is all that is needed, and the axis is long enough for it.
        return indices
    place = call("place_in", indices, algebra.number(ratio(x.shape[along])))
    step = 1
    total: Node = algebra.zero(indices.shape)
    for other in range(x.rank - 1, -1, -1):
        size = x.shape[other]
        if other == along:
            total = plus(total, scale(ratio(step), place))
        elif size != 1:
            count = size if spread else indices.shape[other]
            counted = call("arange", start=count)
            shape = tuple(count if each == other else 1 for each in range(x.rank))
            total = plus(total, scale(ratio(step), reshaped(counted, shape)))
        step = step * size
    return total


def _laid_along(x: Node, index: Node, source: Node, axis: int) -> Node:
    """Return a list of indices along one axis for every entry of a source."""
    along = normalize_axis(axis, x.rank)
    shape = tuple(-1 if each == along else 1 for each in range(x.rank))
    spread = reshaped(index, shape) if index.rank else expanded(index, tuple(range(x.rank)))
    return plus(spread, scale(0, source)) if source.rank == x.rank else spread


# --- other ways to write them ----------------------------------------------------------------------------------------


def _called(name: str, *arguments: syntax.Node, span: Span, **words: syntax.Node) -> syntax.Call:
    keywords = tuple(syntax.Keyword(word, value) for word, value in words.items())
    return syntax.Call(name, arguments, keywords, span=span, function_span=span)


def _tree(value: Any) -> syntax.Node:
    return value if isinstance(value, syntax.Node) else syntax.Number(str(value))


def _along(x: syntax.Node, indices: syntax.Node, axis: Any, span: Span, *, spread: bool) -> syntax.Node:
    if axis is None:
        return _along(_called("ravel", x, span=span), indices, 0, span, spread=spread)
    places = _called("places_along", x, indices, span=span, axis=_tree(axis), spread=syntax.Literal(spread))
    return syntax.Index(_called("ravel", x, span=span), (places,), span=span)


def _into(x: syntax.Node, places: syntax.Node, source: syntax.Node, span: Span) -> syntax.Node:
    """Return the entries of a source, added up where they go in an array like x."""
    size = syntax.Attribute(x, "size", span=span)
    selection = syntax.Index(_called("eye", size, span=span), (_called("ravel", places, span=span),), span=span)
    entries = _called("ravel", source, span=span)
    moved = syntax.Binary("@", syntax.Attribute(selection, "T", span=span), entries, span=span)
    return _called("reshape", moved, syntax.Attribute(x, "shape", span=span), span=span)


def _scattered(
    x: syntax.Node, axis: Any, index: syntax.Node, src: syntax.Node, span: Span, *, added: bool, laid: bool = False
) -> syntax.Node:
    """Return x with values added to places, or put there."""
    source = src
    if laid:
        index = _called("indices_laid_along", x, index, src, span=span, axis=_tree(axis))
    else:
        source = _called("values_at", src, index, span=span)
    places = _called("places_along", x, index, span=span, axis=_tree(axis), spread=syntax.Literal(False))
    if added:
        return syntax.Binary("+", x, _into(x, places, source, span), span=span)
    places = _called("distinct", places, span=span)
    taken = _into(x, places, _called("ones_like", source, span=span), span)
    return _called("where", taken, _into(x, places, source, span), x, span=span)


def _values_at(source: Node, index: Node) -> Node:
    """Return the part of a source that has indices; one number goes to all."""
    if not source.rank:
        return algebra.broadcast(source, index.shape)
    if source.shape == index.shape:
        return source
    message = f"the values are {describe(source.shape)}, and their indices {describe(index.shape)}"
    pairs = [pair for pair in zip(source.shape, index.shape, strict=False) if pair[0] != pair[1]]
    raise ShapeError(message, sizes=pairs[0] if source.rank == index.rank else None)


def _segments(
    data: syntax.Node, segment_ids: syntax.Node, num_segments: Any, span: Span
) -> syntax.Node:
    if num_segments is None or num_segments == syntax.Literal(None):
        items = segment_ids.items if isinstance(segment_ids, syntax.ListLiteral) else ()
        if not items or not all(isinstance(item, syntax.Number) and item.text.isdigit() for item in items):
            raise ExpressionError("`segment_sum` needs `num_segments`", Label(span),
                                  helps=["write segment_sum(data, segment_ids, num_segments)"])
        num_segments = max(int(item.text) for item in items if isinstance(item, syntax.Number)) + 1
    selection = syntax.Index(_called("eye", _tree(num_segments), span=span), (segment_ids,), span=span)
    turned = syntax.Attribute(selection, "T", span=span)
    return _called("tensordot", turned, data, span=span, axes=syntax.Number("1"))


def _cases(
    conditions: Sequence[syntax.Node], values: Sequence[syntax.Node], default: syntax.Node, span: Span
) -> syntax.Node:
    for condition, value in reversed([*zip(conditions, values, strict=False)]):
        default = _called("where", condition, value, default, span=span)
    return default


def _listed(node: syntax.Node, name: str, span: Span) -> tuple[syntax.Node, ...]:
    if isinstance(node, syntax.ListLiteral | syntax.TupleLiteral):
        return node.items
    raise ExpressionError(f"`{name}` takes lists: {name}([x < 0, x > 1], [a, b])", Label(span, "no list"))


def _selected(condlist: syntax.Node, choicelist: syntax.Node, default: Any, span: Span) -> syntax.Node:
    conditions, values = _listed(condlist, "select", span), _listed(choicelist, "select", span)
    if len(conditions) != len(values):
        raise ExpressionError(f"`select` has {len(conditions)} conditions and {len(values)} choices", Label(span))
    return _cases(conditions, values, _tree(default), span)


def _pieces(x: syntax.Node, condlist: syntax.Node, funclist: syntax.Node, span: Span) -> syntax.Node:
    """Return the values of conditions; the last that holds counts, and one value more is for where none does."""
    conditions, values = _listed(condlist, "piecewise", span), _listed(funclist, "piecewise", span)
    if len(values) not in (len(conditions), len(conditions) + 1):
        raise ExpressionError(f"`piecewise` has {len(conditions)} conditions and {len(values)} values", Label(span))
    zeros = _called("zeros_like", x, span=span)
    default = values[-1] if len(values) > len(conditions) else zeros
    cases = _cases(conditions[::-1], values[: len(conditions)][::-1], default, span)
    return syntax.Binary("+", cases, zeros, span=span)


def _chosen(a: syntax.Node, choices: syntax.Node, span: Span) -> syntax.Node:
    values = _listed(choices, "choose", span)
    conditions = [syntax.Binary("==", a, syntax.Number(str(k)), span=span) for k in range(len(values))]
    return _cases(conditions, values, syntax.Name("nan", prefix="np", span=span), span)


def picking(name: str, parameters: str, doc: str, rewrite: Any, *samples: str, **fields: Any) -> Operator:
    """Return another way to write an index."""
    return Operator(name, parameters, doc, family="picking", rewrite=rewrite, samples=samples,
                    **({"spellings": NOWHERE, "errors": (f"{name}()",)} | fields))


def helper(name: str, parameters: str, doc: str, build: Any, *samples: str, error: str) -> Operator:
    """Return a part of what others are rewritten to."""
    return Operator(name, parameters, doc, family="derivatives", build=build, samples=samples, errors=(error,),
                    hidden=True, spellings=NOWHERE)


ENTRIES = (
    picking("take_along_axis", "x, indices; axis=-1",
            "Entries along an axis, by an array of indices that has as many axes.", partial(_along, spread=True),
            "take_along_axis(X, [[0, 1], [3, -1], [2, 2]], axis=1)", "take_along_axis(X, [[0, 1, 2, 0]], 0)",
            errors=("take_along_axis(X, [0, 1], axis=1)", "take_along_axis(X, [[9], [0], [0]], axis=1)"),
            libraries=("np.take_along_axis(arr, indices, axis=-1, mode=..., fill_value=...)"
                       " -> take_along_axis(arr, indices, axis)",
                       "torch.take_along_dim(input, indices, dim=None) -> take_along_axis(input, indices, dim)",
                       "take_along_dim(input, indices, dim=None) -> take_along_axis(input, indices, dim)")),
    picking("gather", "x; axis, index", "Entries along an axis, by an array of indices: `x[i, I[i, j]]`.",
            lambda x, axis, index, span: _along(x, index, axis, span, spread=False),
            "gather(X, 1, [[0, 1], [3, 2]])", "gather(x, 0, [0, 0, 3])",
            errors=("gather(X, 1, [0, 1])", "gather(X, 1, [[4]])"),
            libraries=("torch.gather(input, dim, index, sparse_grad=...) -> gather(input, dim, index)",
                       "torch.index_select(input, dim, index) -> take(input, index, axis=dim)",
                       "index_select(input, dim, index) -> take(input, index, axis=dim)",
                       "torch.take(input, index) -> take(input, index)",
                       "torch.select(input, dim: axis, index) -> take(input, index, axis=dim)",
                       "torch.select_copy(input, dim, index) -> take(input, index, axis=dim)",
                       *(f"{name}(input, mask)"
                         " -> broadcast_arrays(input, mask)[0][broadcast_arrays(input, mask)[1]]"
                         for name in ("torch.masked_select", "masked_select")),
                       "np.compress(condition, a) -> ravel(a)[ravel(condition) != 0]",
                       "torch.index_fill(input, dim, index, value)"
                       " -> index_copy(input, dim, index, full_like(take(input, index, axis=dim), value))",
                       "np.extract(condition, arr) -> ravel(arr)[ravel(condition) != 0]",
                       "tf.gather(params, indices, axis=0) -> take(params, indices, axis=axis)")),
    picking("scatter_add", "x; axis, index, src",
            "x with values added along an axis at the places of an array of indices.",
            partial(_scattered, added=True), "scatter_add(X, 1, [[0, 1, 1, 0]], W[:1])",
            "scatter_add(x, 0, [2, 2, 0], v)", errors=("scatter_add(x, 0, [2, 9, 0], v)", "scatter_add(x, 0, [1], v)"),
            libraries=("torch.scatter_add(input, dim, index, src) -> scatter_add(input, dim, index, src)",)),
    picking("scatter", "x; axis, index, src",
            "x with values put along an axis at the places of an array of indices, each place once.",
            partial(_scattered, added=False), "scatter(X, 1, [[0, 1, 3, 2]], W[:1])", "scatter(x, 0, [2, 0], 1.5)",
            errors=("scatter(x, 0, [2, 2, 0], v)", "scatter(x, 0, [1], v)"),
            libraries=("torch.scatter(input, dim, index, src) -> scatter(input, dim, index, src)",
                       "torch.scatter(input, dim, index, *, value) -> scatter(input, dim, index, value)",
                       "scatter(input, dim, index, *, value) -> scatter(input, dim, index, value)")),
    picking("index_add", "x; axis, index, source", "x with slices added along an axis at listed places.",
            lambda x, axis, index, source, span: _scattered(x, axis, index, source, span, added=True,
                                                                    laid=True),
            "index_add(X, 0, [2, 2], W[:2])", "index_add(x, 0, [1, 0, 1], v)",
            errors=("index_add(X, 0, [3], W[:1])", "index_add(X, 0, [1, 2], W[:1])"),
            libraries=("torch.index_add(input, dim, index, source, *, alpha=1)"
                       " -> index_add(input, dim, index, alpha * source)",
                       "torch.index_copy(input, dim, index, source) -> index_copy(input, dim, index, source)")),
    picking("index_copy", "x; axis, index, source", "x with slices put along an axis at listed places, each once.",
            lambda x, axis, index, source, span: _scattered(x, axis, index, source, span, added=False, laid=True),
            "index_copy(X, 0, [2, 0], W[:2])", errors=("index_copy(X, 0, [2, 2], W[:2])",)),
    picking("segment_sum", "data, segment_ids; num_segments=None",
            "Sums of the slices that have one number: slice i is added to slice `segment_ids[i]`.", _segments,
            "segment_sum(X, [0, 1, 0], 2)", "segment_sum(x, [2, 0, 2, 2])",
            errors=("segment_sum(x, v)", "segment_sum(x, [0, 5, 0, 0], 2)"),
            libraries=("jax.ops.segment_sum(data, segment_ids, num_segments=None, indices_are_sorted=...,"
                       " unique_indices=..., bucket_size=..., mode=...)"
                       " -> segment_sum(data, segment_ids, num_segments)",
                       "tf.math.unsorted_segment_sum(data, segment_ids, num_segments)"
                       " -> segment_sum(data, segment_ids, num_segments)")),

    # --- by conditions
    Operator("masked_fill", "x, mask, value", "value where the mask is true, else x.", family="picking",
             definition="where(mask, value, x)", samples=("masked_fill(x, u > 0, 2)", "masked_fill(X, X > x, a)"),
             errors=("masked_fill(x, u > 0)", "masked_fill(x, v > 0, 1)"), spellings=NOWHERE),
    picking("select", "condlist, choicelist; default=0",
            "For each entry the choice of the first condition that holds, else a default.", _selected,
            "select([x > 0.5, x > 0], [u, w**2])", "select([X > x], [W], default=2)",
            errors=("select(x, u)", "select([x > 0], [u, w])")),
    picking("piecewise", "x, condlist, funclist",
            "The value of the last condition that holds; one value more is for where none does.", _pieces,
            "piecewise(x, [x > 0, x > 1], [-x, x**2, 0.5])", "piecewise(x, [x > 0], [u])",
            errors=("piecewise(x, u, w)", "piecewise(x, [x > 0], [u, w, x])")),
    picking("choose", "a, choices", "The choice of which the entry of a is the number.", _chosen,
            "choose([0, 1, 1, 0], [x, u])", errors=("choose(x, u)",)),

    # --- parts of the above
    helper("places_along", "x, indices; axis, spread=True", "Where entries along an axis stand among all.", _places,
           "ravel(X)[places_along(X, [[0], [1], [2]], 1)]", error="places_along(X, x, 0)"),
    helper("indices_laid_along", "x, index, source; axis", "Indices along one axis for every entry of a source.",
           _laid_along, "indices_laid_along(X, x, X, 1)", error="indices_laid_along(X, x)"),
    helper("values_at", "source, index", "The values that have indices; one number goes to all.", _values_at,
           "values_at(a, x)", error="values_at(x, v)"),
    elementwise("place_in", "0 * dindex + 0 * dsize", "An index counted from the front.", _checked_place,
                parameters="index, size", family="derivatives", hidden=True, analytic=False, written="index % size",
                samples=("place_in(0 * x, 4)",), spellings=NOWHERE),
    elementwise("distinct", "0 * dplace", "Places, each of them once.", _distinct_places, parameters="place",
                family="derivatives", hidden=True, analytic=False, written="place", samples=("distinct(x)",),
                spellings=NOWHERE),
)
