"""The order in which the reader typed things, so that a formula has its terms and factors in that order.

A sum that stands in the expression keeps its order. Elsewhere what is newest decides: a term with a name that was typed
late, as the penalty's `lam`, comes after those without it; numbers and lengths come first.

>>> from matgrad.core.graph.algebra import add, product
>>> A, x, b = Symbol.of("A", (3, 3)), Symbol.of("x", (3,)), Symbol.of("b", (3,))
>>> typed = Typed(["A", "x", "b"])
>>> typed.place(product(1, [(A, (0, 1)), (x, (1,))], (0,))), typed.place(b)
(1, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from ..graph.algebra import broadcast, constant_value, is_mask, split
from ..graph.nodes import Coefficient, Factor, Map, Node, Sum, Symbol, is_function
from ..graph.ratios import Ratio

# Where numbers and lengths stand.
FIRST = -1
# Where what is added so that nothing is divided by zero stands, and how small it is: `var(x) + 1e-5`.
LAST = 10**6
TINY = Fraction(1, 500)


class Typed:
    """The names of an expression in the order in which they were typed, and its sums, each with its two sides."""

    def __init__(self, names: Iterable[str] = (), sums: Mapping[Node, tuple[Node, Node]] | None = None) -> None:
        self._names = {name: place for place, name in enumerate(names)}
        self._sums = sums or {}
        self._places: dict[Node, int] = {}
        self._orders: dict[Node, dict[Node, int]] = {}

    def place(self, node: Node) -> int:
        """Return the place of the newest name in a node, `FIRST` where it has none that was typed."""
        stack = [] if node in self._places else [node]
        while stack:
            top = stack[-1]
            missing = [child for child in top.children if child not in self._places]
            stack += missing
            if not missing:
                stack.pop()
                own = self._names.get(top.name, FIRST) if isinstance(top, Symbol) else FIRST
                self._places[top] = max([own, *(self._places[child] for child in top.children)])
        return self._places[node]

    def let(self, symbol: Node, meaning: Node) -> None:
        """Let a symbol stand where what it means would stand."""
        self._places[symbol] = self.place(meaning)

    def read(self, reading: Callable[[Sequence[Node]], Sequence[Node]]) -> None:
        """Let the sums that have a number in them keep their order where a reading turns them into others."""
        for node in [node for node in self._sums if any(constant_value(child) is not None for child in node.children)]:
            found, *terms = reading([node, *self._summands(node)])
            if found is not node:
                self.note(found, terms)

    def note(self, node: Node, order: Iterable[Node]) -> None:
        """Let the terms of a sum that was not typed stand in an order."""
        self._orders[node] = {split(term)[1]: place for place, term in enumerate(order)}

    def terms(self, node: Sum) -> list[int]:
        """Return the places of the terms of a sum: as they were typed, where the sum was, else by their names."""
        order = self._order(node) if node in self._sums else self._orders.get(node, {})
        if order.keys() >= {*node.children}:
            return [order[term] for term in node.children]
        return [LAST if _is_tiny(*term) else self.place(term[1]) for term in node.terms]

    def _order(self, node: Node) -> dict[Node, int]:
        """Return the summands of a sum that was typed, without their numbers, each with its place."""
        summands: dict[Node, int] = {}
        for part in self._summands(node):
            summands.setdefault(split(part)[1], len(summands))
        return summands

    def _summands(self, node: Node) -> list[Node]:
        """Return the summands of a sum in the order in which they were typed."""
        summands, stack = list[Node](), [node]
        opened = set[Node]()  # of `s = x + y; s - y` both x and s are a sum of the other
        while stack:
            part = stack.pop()
            if part in self._sums and part not in opened:
                opened.add(part)
                stack += self._sums[part][::-1]
            else:
                summands.append(broadcast(part, node.shape))
        return summands

    def factors(self, factors: Iterable[Factor]) -> list[Factor]:
        """Return the factors of a product in the order of their names: functions after inputs, masks last."""
        found = [*factors]
        if not self._names or len(found) < 2:
            return found
        return sorted(found, key=lambda factor: self._rank(factor[0]))

    def _rank(self, node: Node) -> tuple[bool, bool, bool, bool, int, bool, bool]:
        base = node.children[0] if is_function(node, "power") else node
        given = isinstance(base, Symbol)
        direction = isinstance(node, Symbol) and node.name not in self._names
        turned = isinstance(node, Map) and split(node.children[0])[0] == -1
        return is_mask(node), direction, not given, bool(base.shape), self.place(node), isinstance(node, Sum), turned


def _is_tiny(coefficient: Coefficient, term: Node) -> bool:
    value = constant_value(term)
    if value is None or isinstance(value, Ratio) or isinstance(coefficient, Ratio):
        return False
    return 0 < coefficient * value < TINY
