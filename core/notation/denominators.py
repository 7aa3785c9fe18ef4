"""Fractions put over one denominator where that is shorter: `V*K/(K + s)**2` for `V/(K + s) - V*s/(K + s)**2`.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> names = {"s": Symbol.of("s", ()), "K": Symbol.of("K", ())}
>>> found = over_one_denominator(elaborate_text("1/(K + s) - s*(K + s)**(-2)", names))
>>> found is elaborate_text("K*(K + s)**(-2)", names)
True
"""

from __future__ import annotations

from collections import Counter
from itertools import permutations

from ..graph.algebra import Factor, add, constant_value, factors_of, full, inlined, product
from ..graph.nodes import Coefficient, Node, Sum, is_function

Term = tuple[Coefficient, Node]


def over_one_denominator(node: Node) -> Node | None:
    """c*R/D + e*R*f/D**2 = R*(c*D + e*f)/D**2 where c*D + e*f has no more terms than D; c*R + e*R*f/D likewise."""
    if not isinstance(node, Sum) or not any(map(_divisor, (f for term in node.children for f in factors_of(term)))):
        return None
    for (i, first), (j, second) in permutations(enumerate(node.terms), 2):
        if (found := _merged(first, second)) is not None:
            return add([*(term for k, term in enumerate(node.terms) if k not in (i, j)), (1, found)], node.shape)
    return None


def _divisor(factor: Factor) -> int:
    """Return k where a factor is a sum to the -k, else 0."""
    node, _ = factor
    if not is_function(node, "power") or not isinstance(node.children[0], Sum):
        return 0
    exponent = constant_value(node.children[1])
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _merged(first: Term, second: Term) -> Node | None:
    (c, one), (e, other) = first, second
    labels = tuple(range(one.rank))
    short, long = inlined(one, labels), inlined(other, labels)
    for further in long:
        node, own = further
        if not (k := _divisor(further)):
            continue
        total = node.children[0]
        lower = [f for f in short if f[1] == own and _divisor(f) == k - 1 > 0 and f[0].children[0] is total]
        shared = [f for f in short if f not in lower]
        left = [f for f in long if f is not further]
        if (k > 1 and not lower) or Counter(shared) - Counter(left):
            continue
        for f in shared:
            left.remove(f)
        if any(not {*names} <= {*own} for _, names in left):
            continue
        ones = [(full(1, (size,)), (label,)) for label, size in zip(own, total.shape, strict=True)]
        above = add([(c, total), (e, product(1, [*left, *ones], own))], total.shape)
        if not isinstance(above, Sum) or len(above.children) <= len(total.children) - (k == 1):
            return product(1, [*shared, (above, own), further], labels)
    return None
