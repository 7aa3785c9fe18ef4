"""A differential as a sum of terms, each of them the change of the variable after one linear operation and another.

Example: `trace(dX.T @ A @ X + X.T @ A @ dX)` is two terms. The first is the trace of a product from the right, with
`A @ X`, of the transpose of dX: `(trace, right A @ X, transpose)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Protocol

from ...grammar import syntax
from ...grammar.rewriting import replaced
from ...grammar.syntax import Attribute, Binary, Call, Name, Node, Number, Unary
from ..notation.trees import negated, quotient, times

PLACE = Name("the change")


class Unfit(Exception):
    """The differential is no sum of such terms."""


class Measure(Protocol):
    """What is asked of the parts of a differential."""

    def rank(self, tree: Node) -> int:
        """Return the number of axes of a part."""

    def lengths(self, tree: Node) -> tuple[Node, ...]:
        """Return the shape of a part, in lengths with names."""


@dataclass(frozen=True)
class Act:
    """A linear operation on something of `rank` axes: `left` is a product with `tree` from the left.

    The kinds: left, right, times and over (elementwise), spread (`tree` times a number), transpose, sum, trace, diag,
    diagonal, and other, whose `tree` has a place for what it acts on.
    """

    kind: str
    rank: int
    tree: Node = PLACE


@dataclass(frozen=True)
class Term:
    """Numbers above and below a fraction bar, times what the acts, the outermost first, make of the change."""

    sign: int = 1
    above: tuple[Node, ...] = ()
    below: tuple[Node, ...] = ()
    acts: tuple[Act, ...] = ()

    def after(self, act: Act) -> Term:
        """Return the term with one more operation around it."""
        return replace(self, acts=(act, *self.acts))

    def scaled(self, above: Sequence[Node] = (), below: Sequence[Node] = ()) -> Term:
        """Return the term with numbers drawn out of it; what stands above and below cancels."""
        up, down = [*above, *self.above], [*below, *self.below]
        for factor in [item for item in up if not isinstance(item, Number)]:
            if factor in down:
                up.remove(factor)
                down.remove(factor)
        return replace(self, above=tuple(up), below=tuple(down))


def terms_of(tree: Node, change: Node, measure: Measure) -> list[Term]:
    """Return the terms of a differential that is linear in `change`; raises Unfit where it has other forms."""
    if any(isinstance(node, syntax.Program) for node in syntax.walk(tree)):
        raise Unfit  # a rule in several statements
    return _Reading(change, measure).terms(tree)


class _Reading:
    def __init__(self, change: Node, measure: Measure) -> None:
        self.change = change
        self.measure = measure
        self.rank = measure.rank

    def moves(self, tree: Node) -> bool:
        return any(item == self.change for item in syntax.walk(tree))

    def terms(self, tree: Node) -> list[Term]:
        """Return the terms of a part that moves."""
        match tree:
            case _ if tree == self.change:
                return [Term()]
            case _ if not self.moves(tree):
                return []
            case Unary("-", operand):
                return [replace(term, sign=-term.sign) for term in self.terms(operand)]
            case Binary("+" | "-" as sign, left, right):
                second = self._summand(right, tree)
                second = [replace(term, sign=-term.sign) for term in second] if sign == "-" else second
                return [*self._summand(left, tree), *second]
            case Binary("*" | "/" as sign, left, right):
                return self._product(sign, left, right)
            case Binary("@"):
                return self._chain(tree)
            case Attribute(operand, "T" | "mT"):
                return self._under("transpose", operand) if self.rank(operand) == 2 else self.terms(operand)
            case Call("where", (condition, branch, Number("0"))) if self.rank(condition) == self.rank(branch):
                return self._under("times", branch, condition)
            case Call("sum" | "trace" | "diag" | "diagonal" as function, (operand,), ()):
                return self._under(function, operand)
        return self._other(tree)

    def _under(self, kind: str, operand: Node, tree: Node = PLACE) -> list[Term]:
        """Return the terms of an operation; numbers that multiply all of its operand stay drawn out."""
        rank = self.rank(operand)
        return [term.after(Act(kind, rank, tree)) for term in self.terms(operand)]

    def _summand(self, part: Node, whole: Node) -> list[Term]:
        if not self.moves(part) or self.rank(part) == self.rank(whole):
            return self.terms(part)
        lengths = self.measure.lengths(whole)
        if self.rank(part):
            if self.rank(part) != 1 or len(lengths) != 2:
                raise Unfit
            return [self._repeated(term, lengths[0]) for term in self.terms(part)]
        ones = Call("ones", lengths if len(lengths) == 1 else (syntax.TupleLiteral(lengths),))
        return self._under("spread", part, ones)

    def _repeated(self, term: Term, rows: Node) -> Term:
        """Return the term of a row as that of a matrix with this row again and again: u @ M is outer(ones, u) @ M."""
        match term.acts:
            case (Act("left", 2, u), *inner) if self.rank(u) == 1:
                return replace(term, acts=(Act("left", 2, Call("outer", (Call("ones", (rows,)), u))), *inner))
        raise Unfit

    def _product(self, sign: str, left: Node, right: Node) -> list[Term]:
        if self.moves(left) and self.moves(right):
            raise Unfit
        moving, other = (left, right) if self.moves(left) else (right, left)
        rank, own = self.rank(moving), self.rank(other)
        if sign == "/" and moving is right:
            raise Unfit
        if own == 0:
            above, below = _factors(other)
            up, down = (below, above) if sign == "/" else (above, below)
            return [term.scaled(up, down) for term in self.terms(moving)]
        if rank == own:
            found = self.terms(moving)
            for kind, factor in self._elementwise_factors(other, "times" if sign == "*" else "over")[::-1]:
                if self.rank(factor):
                    found = [term.after(Act(kind, rank, factor)) for term in found]
                else:
                    up, down = _factors(factor)
                    found = [term.scaled(*((up, down) if kind == "times" else (down, up))) for term in found]
            return found
        if rank == 0:
            return self._under("spread", moving, other if sign == "*" else Binary("/", Number("1"), other))
        raise Unfit

    def _elementwise_factors(self, tree: Node, kind: str) -> list[tuple[str, Node]]:
        """Return the factors of an elementwise product, each with whether it multiplies or divides."""
        other = "over" if kind == "times" else "times"
        match tree:
            case Binary("*", left, right):
                return [*self._elementwise_factors(left, kind), *self._elementwise_factors(right, kind)]
            case Binary("/", left, right):
                return [*self._elementwise_factors(left, kind), *self._elementwise_factors(right, other)]
            case Unary("-", operand):
                return [(kind, Unary("-", Number("1"))), *self._elementwise_factors(operand, kind)]
        return [(kind, tree)]

    def _chain(self, tree: Node) -> list[Term]:
        factors = [self._untransposed(factor) for factor in chain(tree)]
        (place,) = [place for place, factor in enumerate(factors) if self.moves(factor)] or [-1]
        if max(map(self.rank, factors)) > 2:
            raise Unfit
        found = self.terms(factors[place])
        rank = self.rank(factors[place])
        left, right = factors[:place], factors[place + 1 :]
        for side in (left, right):
            for k, factor in enumerate(side):
                scale, side[k] = self._scale(factor)
                found = [term.scaled(scale) for term in found]
        while right:
            end = next((k + 1 for k, factor in enumerate(right) if self.rank(factor) == 1), len(right))
            act = Act("right", rank, times(right[:end], "@"))
            found = [term.after(act) for term in found]
            rank += self.rank(act.tree) - 2
            right = right[end:]
            if right and left:
                raise Unfit
        if left:
            found = [term.after(Act("left", rank, times(left, "@"))) for term in found]
        return found

    def _untransposed(self, factor: Node) -> Node:
        """Return a vector without its transpose, which is itself."""
        match factor:
            case Attribute(operand, "T" | "mT") if self.rank(factor) == 1 and not self.moves(factor):
                return operand
        return factor

    def _scale(self, tree: Node) -> tuple[list[Node], Node]:
        """Return the numbers that multiply a factor of a matrix product, and the rest of it."""
        match tree:
            case Unary("-", operand):
                scale, rest = self._scale(operand)
                return [Unary("-", Number("1")), *scale], rest
            case Binary("*", left, right) if not self.rank(left):
                scale, rest = self._scale(right)
                return [left, *scale], rest
        return [], tree

    def _other(self, tree: Node) -> list[Term]:
        moving = [part for part in syntax.children(tree) if self.moves(part)]
        match tree, moving:
            case Call("kron" | "outer", (_, _), ()), [operand]:
                return self._under(tree.function, operand, replaced(tree, operand, PLACE))
            case ((Call() | syntax.Index()), [operand]):
                return self._under("other", operand, replaced(tree, operand, PLACE))
        raise Unfit


def chain(tree: Node) -> list[Node]:
    """Return the factors of a matrix product."""
    if isinstance(tree, Binary) and tree.operator == "@":
        return [*chain(tree.left), tree.right]
    return [tree]


def _factors(tree: Node) -> tuple[list[Node], list[Node]]:
    """Return what stands above and below in a product of numbers."""
    match tree:
        case Binary("*", left, right):
            (up, down), (more, less) = _factors(left), _factors(right)
            return up + more, down + less
        case Binary("/", left, right):
            (up, down), (less, more) = _factors(left), _factors(right)
            return up + more, down + less
        case Number("1"):
            return [], []
        case Binary("**", base, Number(text)) if text.isdigit() and 2 <= int(text) <= 3:
            up, down = _factors(base)
            return up * int(text), down * int(text)
    return [tree], []


# --- written ----------------------------------------------------------------------------------------------------------


def written(found: Sequence[Term], change: Node) -> Node:
    """Return a sum of terms as a tree."""
    if not found:
        return Number("0")
    first, *others = (_signed(term, change) for term in found)
    result = negated(first[1]) if first[0] < 0 else first[1]
    for sign, tree in others:
        result = Binary("-" if sign < 0 else "+", result, tree)
    return result


# Beyond this a number stays as it was written.
LARGEST = 1e15


def _signed(term: Term, change: Node) -> tuple[int, Node]:
    body = reduce(lambda tree, act: acted(act, tree), reversed(term.acts), change)
    sign = term.sign
    while isinstance(body, Unary) and body.operator == "-":
        sign, body = -sign, body.operand
    number = Fraction(1)
    above: list[Node] = []
    below: list[Node] = []
    for factors, kept, power in ((term.above, above, 1), (term.below, below, -1)):
        for factor in factors:
            if isinstance(factor, Unary) and factor.operator == "-":
                sign, factor = -sign, factor.operand
            if isinstance(factor, Number) and factor.text.isdigit() and 0 < float(factor.text) < LARGEST:
                number *= Fraction(int(factor.text)) ** power
            else:
                kept.append(factor)
    above = _powers(above)
    if number.numerator != 1:
        head = Number(str(number.numerator))
        above, body = ([head, *above], body) if above else ([], _multiplied(head, body))
    below = _powers(below)
    below = [Number(str(number.denominator)), *below] if number.denominator != 1 else below
    return sign, quotient([*above, body], [times(below)] if below else [])


def _powers(factors: Sequence[Node]) -> list[Node]:
    counts = {factor: factors.count(factor) for factor in factors}
    return [Binary("**", factor, Number(str(k))) if k > 1 else factor for factor, k in counts.items()]


def _multiplied(number: Node, body: Node) -> Node:
    """Return a number times a body: in front of the first factor of a matrix product."""
    if isinstance(body, Binary) and body.operator == "@":
        return Binary("@", _multiplied(number, body.left), body.right)
    return Binary("*", number, body)


def acted(act: Act, tree: Node) -> Node:
    """Return an operation on a tree as a tree."""
    match act.kind:
        case "left":
            return reduce(lambda left, right: Binary("@", left, right), [*chain(act.tree), *chain(tree)])
        case "right":
            return reduce(lambda left, right: Binary("@", left, right), [*chain(tree), *chain(act.tree)])
        case "times" | "spread":
            return Binary("*", act.tree, tree)
        case "over":
            return Binary("/", tree, act.tree)
        case "transpose":
            return Attribute(tree, "T")
        case "sum" | "trace" | "diag" | "diagonal":
            return Call(act.kind, (tree,))
    return replaced(act.tree, PLACE, tree)
