"""Quotients that recur, as symbols: `r = (x @ A @ x)/(x @ x)`, and `z = (x - mean(x))/std(x)` for a z-score.

A quotient is written as one part, so that it is named where it repeats. Whether it makes a formula shorter is for
whoever asks to see.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> names = {"x": Symbol.of("x", (3,)), "A": Symbol.of("A", (3, 3), {"symmetric"})}
>>> typed = elaborate_text("2*A @ x / (x @ x) - 2*(x @ A @ x)*x/(x @ x)**2", names)
>>> [(quotient, symbol, roots)] = with_quotients(flatten([typed]))
>>> quotient.above is elaborate_text("x @ A @ x", names)
True
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from ...grammar.syntax import Binary, Number
from ..elaboration.elaborate import call
from ..elaboration.infix import power
from ..graph.algebra import add, constant_value, full, inlined, product
from ..graph.nodes import Apply, Factor, Labels, Map, Node, Product, Sum, Symbol, is_function, topological
from ..graph.transform import flatten, transform
from .differences import apart
from .formula import Notation
from .trees import Tree

# A formula has few quotients that are worth a name.
MOST = 3
# What a graph has where something is divided.
DIVIDING = ("power", "reciprocal_or_zero")

# A z-score, and a ratio that is typed, has its name where that costs a reader no more words than these.
WORTH = 3


class Way(NamedTuple):
    """A way to write graphs: the notation, and a part that has a name where it is written so often.

    The name is `worth` that many words.
    """

    notation: Notation
    roots: Sequence[Node]
    wanted: Tree | None = None
    times: int = 1
    worth: int = 0


def ways_with_quotients(notation: Notation, roots: Sequence[Node], value: Node) -> Iterator[Way]:
    """Yield the ways to write graphs with one of their quotients as one part; one in the `value` is worth more."""
    found = [*with_quotients(roots)]
    typed = {*topological(flatten([value]))} if found else set[Node]()
    for quotient, symbol, new in found:
        own = notation.with_quotients({symbol: quotient.node})
        own.typed.let(symbol, quotient.node)
        ratio = _contracts(quotient.above) and _contracts(quotient.below) and flatten([quotient.node])[0] in typed
        worth = WORTH if ratio or quotient.above.rank else 0
        times = 1 if ratio else 2
        match own.tree(symbol):
            case Binary("/", left) as tree if not isinstance(left, Number):
                yield Way(own, new, None if quotient.raised else tree, times, worth)


class Raised(NamedTuple):
    """A power of a node among the factors of a product."""

    base: Node
    labels: Labels
    exponent: Fraction


class Quotient(NamedTuple):
    """A node divided by another, which has some of its axes: `axes` says which.

    One that is `raised` to powers, as `(s/r)**12`, is read as it was typed and needs no name.
    """

    above: Node
    below: Node
    axes: Labels = ()
    raised: bool = False

    @property
    def node(self) -> Node:
        """The quotient as a node."""
        labels = tuple(range(self.above.rank))
        below = power(self.below, full(-1, self.below.shape))
        return product(1, [(self.above, labels), (below, tuple(self.axes))], labels)


def with_quotients(roots: Sequence[Node]) -> Iterator[tuple[Quotient, Symbol, list[Node]]]:
    """Yield each quotient that graphs have, a symbol for it, and the graphs with that."""
    order = topological(roots)
    if not any(isinstance(node, Map) and node.operator.name in DIVIDING for node in order):
        return
    found = dict.fromkeys(quotient for node in order for quotient in _quotients(node))
    first = sorted(found, key=lambda quotient: -quotient.above.rank)[:MOST]
    for place, quotient in enumerate(first):
        symbol = Symbol.of(f"quotient {place}", quotient.above.shape)
        whole = flatten([quotient.node])[0]
        new = transform(roots, partial(_named, quotient=quotient, symbol=symbol, whole=whole))
        if new != [*roots]:
            yield quotient, symbol, flatten(new)


def _quotients(node: Node) -> Iterator[Quotient]:
    """Yield what a product has above and below its line that may be a quotient of its own."""
    if isinstance(node, Map) and node.operator.name == "power" and isinstance(node.children[0], Product):
        inner = _parts(node.children[0], grouped=True)
        above, below = ([part for part in inner if part.exponent == sign] for sign in (1, -1))
        if not node.rank and len(inner) == 2 and len(above) == len(below) == 1:
            yield Quotient(above[0].base, below[0].base, raised=True)
    if not isinstance(node, Product):
        return
    for grouped in (True, False):
        parts = _parts(node, grouped=grouped)
        for divisor in parts:
            if divisor.exponent > -1 or isinstance(divisor.base, Symbol):
                continue
            for part in parts:
                scalar = not part.labels and not divisor.labels and isinstance(part.base, Product)
                if part.exponent >= 1 and grouped and scalar:
                    yield Quotient(part.base, divisor.base)
                elif part.exponent >= 1 and not grouped and _scales(divisor, part):
                    yield Quotient(part.base, divisor.base, tuple(map(part.labels.index, divisor.labels)))


def _scales(divisor: Raised, part: Raised) -> bool:
    """Whether a difference is divided by a standard deviation along some of its axes."""
    return isinstance(part.base, Sum) and _deviates(divisor.base) and {*divisor.labels} < {*part.labels}


def _contracts(node: Node) -> bool:
    """Whether a node is a scalar made of vectors and matrices: `x @ A @ x`."""
    return isinstance(node, Product) and sum(child.rank > 0 for child in node.children) > 1


def _deviates(node: Node) -> bool:
    """Whether a node is a standard deviation, or the root of a variance and something small."""
    if not is_function(node, "sqrt"):
        return is_function(node, "std")
    (inner,) = node.children
    terms = inner.children if isinstance(inner, Sum) else (inner,)
    return any(is_function(part, "var") for term in terms for part in (term, *term.children))


def _parts(node: Product, *, grouped: bool) -> list[Raised]:
    """Return the factors of a product as powers; `grouped`, with those that make a scalar as one."""
    factors = [part for factor in node.factors for part in ([factor] if grouped else inlined(*factor))]
    if grouped:
        scalars, connected = apart(factors, {*range(node.rank)})
        factors = [*((scalar, ()) for scalar in scalars), *connected]
    return [part for factor in factors for part in _raised(*factor, through_roots=grouped)]


def _raised(node: Node, labels: Labels, *, through_roots: bool) -> list[Raised]:
    """Return a factor as powers; one that divides by a product divides by each of its factors."""
    base, exponent = node, Fraction(1)
    while isinstance(base, Map):
        known = constant_value(base.children[1]) if base.operator.name == "power" else None
        if base.operator.name == "sqrt" and through_roots:
            exponent /= 2
        elif base.operator.name == "reciprocal_or_zero":
            exponent = -exponent
        elif isinstance(known, int):
            exponent *= known
        else:
            break
        base = base.children[0]
    whole = isinstance(base, Product) and base.coefficient == 1 and all(own < base.rank for own in sum(base.labels, ()))
    if exponent < 0 and isinstance(base, Product) and whole and exponent.denominator == 1:
        inner = [(part, tuple(labels[axis] for axis in own)) for part, own in base.factors]
        parts = [part for factor in inner for part in _raised(*factor, through_roots=through_roots)]
        return [part._replace(exponent=part.exponent * exponent) for part in parts]
    return [Raised(base, labels, exponent)]


def _named(node: Node, quotient: Quotient, symbol: Symbol, whole: Node) -> Node:
    """Return a product with the symbol for a quotient as often as it is in there."""
    if node is whole:
        return symbol
    if not isinstance(node, Product):
        return node
    parts = _parts(node, grouped=not quotient.above.rank)
    above = [part for part in parts if part.base is quotient.above and part.exponent >= 1]
    if not above:
        return node
    factors, left = list[Factor](), dict[Labels, Fraction]()
    for part in parts:
        if part.base is quotient.below:
            left[part.labels] = left.get(part.labels, Fraction(0)) - part.exponent
    for part in above:
        labels = tuple(part.labels[axis] for axis in quotient.axes)
        times = int(min(part.exponent, left.get(labels, Fraction(0))))
        if times < part.exponent:
            return node
        left[labels] -= times
        factors.append((_power(symbol, Fraction(times)), part.labels))
    kept = [(_power(part.base, part.exponent), part.labels) for part in parts if not _is_of(part, quotient, above)]
    below = [(_power(quotient.below, -exponent), labels) for labels, exponent in left.items() if exponent]
    return product(node.coefficient, _merged([*kept, *below, *factors], symbol), tuple(range(node.rank)))


def _is_of(part: Raised, quotient: Quotient, above: Iterable[Raised]) -> bool:
    return part in above or part.base is quotient.below


def _merged(factors: Sequence[Factor], symbol: Symbol) -> list[Factor]:
    """Return factors with the scalar powers of a symbol drawn together, those of a sum of powers of it in the sum."""
    if symbol.rank:
        return [*factors]
    parts = [(_raised(*factor, through_roots=False)[0], factor) for factor in factors]
    exponent = sum((part.exponent for part, _ in parts if part.base is symbol), Fraction(0))
    rest = [factor for part, factor in parts if part.base is not symbol]
    for place, (total, labels) in enumerate(rest):
        if isinstance(total, Sum) and not labels and all(_has(term, symbol) for term in total.children):
            more: Factor = (_power(symbol, exponent), ())
            terms = [(c, product(1, _merged([*inlined(term, ()), more], symbol), ())) for c, term in total.terms]
            return [*rest[:place], (add(terms, ()), ()), *rest[place + 1 :]]
    return [*rest, (_power(symbol, exponent), ())]


def _has(node: Node, symbol: Symbol) -> bool:
    return any(part.base is symbol for factor in inlined(node, ()) for part in _raised(*factor, through_roots=False))


def _power(node: Node, exponent: Fraction) -> Node:
    if exponent.denominator == 2:
        node, exponent = call("sqrt", node), exponent * 2
    if exponent == 1:
        return node
    if exponent == -1 and isinstance(node, Apply) and node.operator.name == "euclidean_norm":
        return call("reciprocal_or_zero", node)
    return power(node, full(int(exponent), node.shape))
