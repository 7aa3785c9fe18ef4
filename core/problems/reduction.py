"""Sums over samples: the graph of one sample becomes that of the sum over all of them, and that is differentiated.

Example: `y*(x @ w)` of one sample, with x (3), summed over n samples is the graph of `y @ (x @ w)` with x (n, 3). Its
gradient by w is `x.T @ y`, one product, where the gradients of the samples would be n outer products.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..graph.algebra import broadcast, fresh, product
from ..graph.nodes import Node, Symbol, topological
from ..graph.ratios import ratio, reciprocal
from ..graph.transform import vectorize
from ..shapes import MATRIX_ASSUMPTIONS


def whole(symbol: Symbol, samples: int) -> Symbol:
    """Return the input that holds an input of all samples, the sample axis first.

    What is assumed of matrices is not known of an array of them.
    """
    return Symbol.of(symbol.name, (samples, *symbol.shape), symbol.assumptions - {*MATRIX_ASSUMPTIONS})


def over_samples(roots: Iterable[Node], batched: Mapping[Symbol, Symbol], samples: int) -> dict[Node, Node]:
    """Return what each part of graphs is over all samples, one after another in front, where they differ in it."""
    differing: dict[Node, None] = {}
    for node in topological(roots):
        if node in batched or any(child in differing for child in node.children):
            differing[node] = None
    return dict(zip(differing, vectorize([*differing], batched, (samples,)), strict=True))


def reduced(node: Node, lifted: Mapping[Node, Node], samples: int, how: str) -> Node:
    """Return the sum, or the mean, over the samples of the graph of one, all of whose parts are `lifted`."""
    (lead,), axes = fresh(1), tuple(range(node.rank))
    every = lifted[node] if node in lifted else broadcast(node, (samples, *node.shape))
    return product(reciprocal(ratio(samples)) if how == "mean" else 1, [(every, (lead, *axes))], axes)
