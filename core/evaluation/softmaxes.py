"""`x - logsumexp(x)` along one axis, found in a graph: the log of a softmax, in one step."""

from __future__ import annotations

from collections.abc import Mapping

from ..elaboration.elaborate import call
from ..graph.algebra import Factor, permute, product
from ..graph.nodes import Delta, Node, Sum, is_function


def in_one_step(name: str, total: Node | None, users: Mapping[Node, int] | None = None) -> Node | None:
    """Return a function of x along its last axis in place of one of `x - logsumexp(x)`, None where that is not `total`.

    Example: with `log_softmax_of_last` the sum itself becomes one step. With `users` the logsumexp must have
    no other than this sum.
    """
    if not isinstance(total, Sum) or sorted(map(float, total.coefficients)) != [-1, 1]:
        return None
    x, spread = sorted(total.children, key=lambda term: -total.coefficients[total.children.index(term)])
    parts = [part for part in (spread, *spread.children) if is_function(part, "logsumexp")]
    if len(parts) != 1 or parts[0].rank != x.rank - 1 or (users is not None and users.get(parts[0], 0) > 1):
        return None
    for axis in range(x.rank):
        kept = [other for other in range(x.rank) if other != axis]
        ones: Factor = (Delta.of(x.shape[axis], 1), (axis,))
        repeated = product(1, [(parts[0], tuple(kept)), ones], tuple(range(x.rank)))
        if spread is repeated and parts[0].children[0] is permute(x, [*kept, axis]):
            result = call(name, permute(x, [*kept, axis]))
            return permute(result, [*range(axis), x.rank - 1, *range(axis, x.rank - 1)])
    return None
