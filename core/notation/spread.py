"""Variances and standard deviations by their names, where a Product or a norm is one.

With u = x - mean(x), `sum(u**2)/n` is `var(x)`. A `norm(u)` is `sqrt(n)*std(x)`, which is only said where the reader
has typed a standard deviation.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> from matgrad.core.graph.sizes import length
>>> typed = elaborate_text("sum((x - sum(x)/n)**2)/n", {"x": Symbol.of("x", (length("n"),)), "n": length("n")})
>>> with_spreads(flatten([typed]), [typed])[0].operator.name
'var'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import prod

from ..elaboration.applied import over_axes
from ..elaboration.infix import power
from ..graph.algebra import add, constant_value, exchanged, number, product, repeated_axes, scale, without_axes
from ..graph.canonical import tidy
from ..graph.nodes import Apply, Coefficient, Labels, Node, Product, Sum, is_function, topological
from ..graph.operator import Operator
from ..graph.ratios import Ratio, ratio, reciprocal
from ..graph.transform import flatten, transform
from .applications import reduced_operand
from .summands import opened

# What the definitions of these are in the operator table, as functions of their own: they are written, never computed.
SPREADS = {name: Operator(name, "x; axis=None, ddof=0", "", signature="(n)->()") for name in ("var", "std")}


def with_spreads(roots: Sequence[Node], typed: Iterable[Node]) -> list[Node]:
    """Return graphs in which what is a variance, or a standard deviation that was typed, is a function of its data."""
    divisors = {key: divisor for node in typed for key, divisor in _typed_deviations(node)}
    if not divisors and not any(map(_divides_by_length, topological(roots))):
        return [*roots]

    def visit(node: Node) -> Node:
        if isinstance(node, Sum):
            terms = [(term, _variance(_times(*term))) for term in node.terms]
            parts = [own if new is None else (1, new) for own, new in terms]
            return add(parts, node.shape) if parts != [*node.terms] else node
        if isinstance(node, Product):
            return _variance(_times(1, node)) or _without_roots(node)
        return _deviation(node, divisors) or node

    return transform(roots, visit)


def _divides_by_length(node: Node) -> bool:
    numbers = [node.coefficient] if isinstance(node, Product) else node.coefficients if isinstance(node, Sum) else []
    return any(isinstance(number_, Ratio) and number_.below for number_ in numbers)


def _times(coefficient: Coefficient, node: Node) -> Node:
    """Return a multiple of a node, with the sums among its factors opened that may be part of a variance."""
    if not isinstance(node, Product):
        return scale(coefficient, node)
    whole = tidy(coefficient * node.coefficient)
    return product(whole, opened(whole, [*node.factors]), tuple(range(node.rank)))


Data = tuple[Node, Labels]
"""What a variance is of: an array, and the axes along which it is taken."""


def _typed_deviations(node: Node) -> Iterator[tuple[Data, Coefficient]]:
    """Yield what a standard deviation that was typed is of, and by the root of what it is divided."""
    if isinstance(node, Product) and len(node.children) == 2:
        divisors = [value for child in node.children if (value := constant_value(_under_roots(child))) is not None]
        for data in filter(None, map(_centred_norm, node.children)) if divisors else ():
            yield data, divisors[0]


def _centred_norm(node: Node) -> Data | None:
    """Return x and the axes where a node is norm(x - mean(x)) along these."""
    if not isinstance(node, Apply) or node.operator.name != "euclidean_norm":
        return None
    u, axes = reduced_operand(node)
    x = _centred(u, axes)
    return None if x is None else (flatten([x])[0], axes)


def _under_roots(node: Node) -> Node:
    while is_function(node, "power"):
        node = node.children[0]
    return node


def _deviation(node: Node, divisors: Mapping[Data, Coefficient]) -> Node | None:
    """Return norm(x - mean(x)) as sqrt(n)*std(x), with the divisor that was typed."""
    data = _centred_norm(node)
    if data is None or data not in divisors:
        return None
    found = _spread("std", *data, divisors[data])
    labels = tuple(range(node.rank))
    root = power(number(divisors[data]), number(Fraction(1, 2)))
    return None if found is None else product(1, [(root, ()), (found, labels)], labels)


def _without_roots(node: Product) -> Node:
    """Return std(x), which was typed as norm(x - mean(x))/sqrt(n), for sqrt(n)*std(x)/sqrt(n)."""
    factors = list(node.factors)
    for place, (factor, labels) in enumerate(factors):
        for root, (spread, own) in permutations(factor.factors, 2) if isinstance(factor, Product) else ():
            divisor = power(root[0], number(-1))
            if is_function(spread, "std") and (divisor, ()) in factors:
                kept = tuple(labels[axis] for axis in own)
                return exchanged(node, (place, factors.index((divisor, ()))), (spread, kept))
    return node


def _variance(node: Node) -> Node | None:
    """Return a Product of sum((x - mean(x))**2)/n as one of var(x)."""
    if not isinstance(node, Product) or not isinstance(node.coefficient, Ratio):
        return None
    for (first, (u, labels)), (second, other) in combinations(enumerate(node.factors), 2):
        inside = [own for place, own in enumerate(node.labels) if place not in (first, second)]
        axes = tuple(axis for axis, label in enumerate(labels) if label >= node.rank and (label,) not in inside)
        if (u, labels) != other or not axes or any(labels[axis] in own for own in inside for axis in axes):
            continue
        count = prod(u.shape[axis] for axis in axes)
        for divisor in (ratio(count), *(ratio(size) for size, _ in node.coefficient.below)):
            left = tidy(node.coefficient * divisor)
            x = _centred(u, axes) if _divides(divisor, node.coefficient) else None
            found = None if x is None else _spread("var", x, axes, divisor)
            if found is not None:
                kept = tuple(label for axis, label in enumerate(labels) if axis not in axes)
                rest = exchanged(node, (first, second), (found, kept))
                return scale(tidy(left * reciprocal(node.coefficient)), rest)
    return None


def _divides(divisor: Coefficient, coefficient: Ratio) -> bool:
    """Whether a number is among the lengths by which a coefficient is divided."""
    product_ = tidy(coefficient * divisor)
    below = sum(power_ for _, power_ in product_.below) if isinstance(product_, Ratio) else 0
    return below < sum(power_ for _, power_ in coefficient.below)


def _spread(name: str, x: Node, axes: Labels, divisor: Coefficient) -> Node | None:
    """Return the variance or deviation of x along axes, with a divisor that is their number of entries, less ddof."""
    ddof = tidy(ratio(prod(x.shape[axis] for axis in axes)) - divisor)
    axis = axes[0] if len(axes) == 1 else axes
    return over_axes(SPREADS[name], x, axis, ddof=ddof) if isinstance(ddof, int) else None


def _centred(u: Node, axes: Labels) -> Node | None:
    """Return x where u is x - mean(x) along axes."""
    labels = tuple(range(u.rank))
    kept = tuple(axis for axis in labels if axis not in axes)
    share = reciprocal(ratio(prod(u.shape[axis] for axis in axes)))
    if not isinstance(u, Sum):
        return None
    for c, mean in u.terms:
        if set(axes) <= repeated_axes(mean):
            x = add([(d, term) for d, term in u.terms if term is not mean], u.shape)
            total = product(share, [(x, labels)], kept)
            if add([(c, without_axes(mean, kept)), (1, total)], total.shape).children == ():
                return x
    return None
