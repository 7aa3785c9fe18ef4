"""Masks and branches as an author writes them: `where(abs(r) <= d, r, d*sign(r))`, no mask twice.

Each function gets a node and returns an equal one that reads better, or None; `recognise` applies them.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> from matgrad.core.graph.nodes import Symbol
>>> x = Symbol.of("x", (3,))
>>> typed = elaborate_text("(x > 0)*sin(x) + ((x > 0) == 0)*x", {"x": x})
>>> merged_branches(typed) is elaborate_text("where(x > 0, sin(x), x)", {"x": x})
True
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from ..elaboration.elaborate import call
from ..graph.algebra import add, broadcast, constant_value, exchanged, factors_of, full, is_mask, product, split
from ..graph.nodes import Coefficient, Factor, Labels, Map, Node, Product, Sum, is_function
from .complements import multiplied_out

# What holds where a comparison does not, and what it is with its sides exchanged.
OPPOSITE = {
    "less": "greater_equal", "greater_equal": "less", "greater": "less_equal", "less_equal": "greater",
    "equal": "not_equal", "not_equal": "equal",
}  # fmt: skip
EXCHANGED = {
    "less": "greater", "greater": "less", "less_equal": "greater_equal", "greater_equal": "less_equal",
    "equal": "equal", "not_equal": "not_equal",
}  # fmt: skip


def of_mask(node: Node) -> tuple[Node, bool] | None:
    """Return (m, True) where a node says that the mask m is not 0, (m, False) where it says that m is 0."""
    if not isinstance(node, Map) or not is_mask(node):
        return None
    if node.operator.name in ("equal", "not_equal"):
        for mask, other in (node.children, node.children[::-1]):
            if constant_value(other) == 0 and is_mask(mask):
                return mask, node.operator.name == "not_equal"
    return node, True


def opposite(mask: Node) -> Node:
    """Return the mask that is 1 where another is 0."""
    if isinstance(mask, Map) and mask.operator.name in OPPOSITE:
        return _upwards(OPPOSITE[mask.operator.name], *mask.children)
    return call("equal", mask, full(0, mask.shape))


def _upwards(name: str, left: Node, right: Node) -> Node:
    """Return a comparison with a number on the right, and else with the larger side on the left."""
    numbers = [constant_value(side) is not None for side in (left, right)]
    downwards = name in ("less", "less_equal") and not any(numbers)
    return call(EXCHANGED[name], right, left) if downwards or numbers == [True, False] else call(name, left, right)


# --- products --------------------------------------------------------------------------------------------------------


def redundant_mask(node: Node) -> Node | None:
    """m * m = m; relu(x) * (x > 0) = relu(x); p * x**(p - 1) * (p != 0) = p * x**(p - 1), and with (p != c) likewise"""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for place, (mask, labels) in enumerate(factors):
        if is_mask(mask) and ((mask, labels) in factors[:place] or any(_implies(mask, labels, f) for f in factors)):
            return exchanged(node, (place,))
    return None


def _implies(mask: Node, labels: Labels, factor: Factor) -> bool:
    """Whether a factor is 0 wherever the mask is, or has the exponent p - c - 1 where the mask is p != c."""
    other, own = factor
    if not isinstance(mask, Map):
        return False
    if mask.operator.name == "not_equal" and is_function(other, "power"):
        p, c = mask.children
        if constant_value(c) is None:
            return False
        less = add([(1, p), (-1, c), (-1, full(1, p.shape))], p.shape)
        return set(labels) <= set(own) and broadcast(less, other.shape) is other.children[1]
    base = other.children[0] if is_function(other, "power") else other
    if own != labels or not isinstance(base, Map) or base.operator.name not in ("relu", "maximum"):
        return False
    inner = next((child for child in base.children if constant_value(child) is None), base)
    above = call("greater", inner, full(0, inner.shape))
    plain = len(base.children) == 1 or any(constant_value(child) == 0 for child in base.children)
    known = (above, compared_difference(above), call("less", *above.children[::-1]))
    return plain and (mask in known or mask is compared_difference(known[2]))


def sign_of_absolute(node: Node) -> Node | None:
    """abs(x) * sign(x) = x"""
    if not isinstance(node, Product):
        return None
    factors = list(node.factors)
    for place, (size, labels) in enumerate(factors):
        if is_function(size, "abs") and (sign := (call("sign", size.children[0]), labels)) in factors:
            return exchanged(node, (place, factors.index(sign)), (size.children[0], labels))
    return None


# --- comparisons -----------------------------------------------------------------------------------------------------


def compared_difference(node: Node) -> Node | None:
    """(a - b > 0) = (a > b); (0 < a) = (a > 0); (q*a > (q - 1)*a) = (a > 0); (a > a) = 0; and so for the others"""
    if not isinstance(node, Map) or node.operator.name not in EXCHANGED:
        return None
    own = node.operator.name
    if node.children[0] is node.children[1]:
        return full(int(own in ("equal", "less_equal", "greater_equal")), node.shape)
    for (total, zero), name in ((node.children, own), (node.children[::-1], EXCHANGED[own])):
        if isinstance(total, Sum) and constant_value(zero) == 0 and sorted(total.coefficients) == [-1, 1]:
            left, right = total.children if total.coefficients[0] == 1 else total.children[::-1]
            return _upwards(name, left, right)
    numbers = [constant_value(side) is not None for side in node.children]
    if not any(numbers) and any(isinstance(side, Product) for side in node.children):
        difference = multiplied_out(add([(1, node.children[0]), (-1, node.children[1])], node.shape))
        known = [part for side in node.children for part in side.children]
        amount, core = split(difference)
        if amount > 0 and (difference in known or not isinstance(core, Sum)):
            return call(own, core, full(0, node.shape))
    turned = _upwards(own, *node.children) if constant_value(node.children[0]) is not None else node
    return None if turned is node else turned


# --- sums ------------------------------------------------------------------------------------------------------------


def merged_branches(node: Node) -> Node | None:
    """m*a + (m == 0)*b = where(m, a, b)"""
    if not isinstance(node, Sum):
        return None
    if not any(map(_has_equality, node.children)):
        return None
    for (i, holding), (j, other) in permutations(enumerate(node.terms), 2):
        if (found := _merged(holding, other)) is not None:
            rest = [term for place, term in enumerate(node.terms) if place not in (i, j)]
            return add([*rest, (1, found)], node.shape)
    return None


def _has_equality(node: Node) -> bool:
    for part in node.children if isinstance(node, Product) else (node,):
        if isinstance(part, Map) and part.operator.name == "equal":
            return True
    return False


def _masks(node: Node, *, holds: bool) -> Iterator[tuple[int, Node, Labels]]:
    for place, (factor, labels) in enumerate(factors_of(node)):
        known = of_mask(factor)
        if known is not None and known[1] == holds:
            yield place, known[0], labels


def _merged(holding: tuple[Coefficient, Node], other: tuple[Coefficient, Node]) -> Node | None:
    """Return two terms as one with a choice in it, where they differ in nothing but what the choice is between."""
    (c, first), (e, second) = holding, other
    for place, mask, labels in _masks(first, holds=True):
        for spot, same, own in _masks(second, holds=False):
            if mask is same:
                one = [f for k, f in enumerate(factors_of(first)) if k != place]
                two = [f for k, f in enumerate(factors_of(second)) if k != spot]
                found = _aligned(one, two, dict(zip(own, labels, strict=True)), first.rank)
                if found is not None and all(set(f[1]) <= set(labels) for part in found[1:] for f in part):
                    shared, a, b = found
                    outer, inner = (c, (1, 1)) if c == e else (c, (1, -1)) if c == -e else (1, (c, e))
                    sides = [_over(k, part, labels, mask) for k, part in zip(inner, (a, b), strict=True)]
                    choice = chosen(mask, *sides)
                    return product(outer, [*shared, (choice, labels)], tuple(range(first.rank)))
    return None


def _over(coefficient: Coefficient, factors: list[Factor], labels: Labels, mask: Node) -> Node:
    """Return a product of factors over all axes of a mask."""
    ones = [(full(1, (size,)), (label,)) for label, size in zip(labels, mask.shape, strict=True)]
    return product(coefficient, [*factors, *ones], labels)


def _aligned(
    one: list[Factor], two: list[Factor], names: dict[int, int], rank: int
) -> tuple[list[Factor], list[Factor], list[Factor]] | None:
    """Return what two products share, and what each has of its own, in the labels of the first.

    `names` are those labels of the second that are known; those of the result, below `rank`, stay.
    """
    names = {**{label: label for label in range(rank)}, **names}
    shared, left = list[Factor](), list(one)
    own = list[Factor]()
    for node, labels in two:
        for candidate in left:
            pairs = dict(zip(labels, candidate[1], strict=True)) if candidate[0] is node else {}
            if candidate[0] is node and all(names.get(label, new) == new for label, new in pairs.items()):
                names |= pairs
                shared.append(candidate)
                left.remove(candidate)
                break
        else:
            own.append((node, labels))
    if any(label not in names for _, labels in own for label in labels):
        return None
    return shared, left, [(node, tuple(names[label] for label in labels)) for node, labels in own]


def chosen(mask: Node, a: Node, b: Node) -> Node:
    """Return where(m, a, b); where a is b plus a number, it is that number times the mask, added to b."""
    step = constant_value(add([(1, a), (-1, b)], a.shape))
    if step is None or constant_value(a) is not None or constant_value(b) is not None:
        return call("where", mask, a, b)
    if not isinstance(a, Sum):
        return add([(1, a), (-step, opposite(mask))], a.shape)
    return add([(1, b), (step, mask)], a.shape)


def simpler_branches(node: Node) -> Node | None:
    """Return a node with its masks and branches as an author writes them, None where nothing is simpler."""
    if isinstance(node, Map):
        return compared_difference(node) if node.operator.mask else None
    if isinstance(node, Sum):
        return merged_branches(node)
    if not isinstance(node, Product):
        return None
    for part in node.children:
        if isinstance(part, Map) and (part.operator.mask or part.operator.name == "abs"):
            return redundant_mask(node) or sign_of_absolute(node)
    return None


def masked_by(node: Map) -> Node | None:
    """Return the mask that a node is in other words: `(x > 0) != 0` is `x > 0`, `(x > 0) == 0` is `x <= 0`."""
    if (known := of_mask(node)) is None or known[0] is node:
        return None
    mask, holds = known
    other = mask if holds else opposite(mask)
    return None if other is node else other
