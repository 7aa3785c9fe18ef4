"""Trees in the words of LaTeX: rows and columns, Hadamard products and ones are told apart by their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ...grammar import syntax
from ...grammar.spellings import INDEX, RELATIONS, latex_name
from ...grammar.syntax import (
    Attribute,
    Binary,
    Call,
    Index,
    Keyword,
    ListLiteral,
    Literal,
    Name,
    Node,
    Number,
    Slice,
    String,
    Unary,
    children,
    map_children,
)
from ..elaboration.ranks import Ranks
from ..graph.sizes import Size
from ..notation.lengths import length_tree
from ..notation.trees import times
from ..shapes import Shape
from .columns import ONES, apart, beside_ones, chained, first_of, grouped, matrix, ones_of, row, scaled, signed, turned
from .entries import Entries, has_index_sum, is_index_sum

_SHORT = {"lam": r"\lambda", "eps": r"\varepsilon"}


class Latex:
    r"""Rewrites trees whose shapes are known for the LaTeX spelling; `words` are names with a spelling of their own.

    `defined` collects what is used and has to be said: of `\bar{x}` that it is the mean of x.
    """

    def __init__(self, ranks: Ranks, words: Mapping[str, str] | None = None) -> None:
        self.ranks = ranks
        names = [name for name in ranks.environment if name not in _SHORT]
        # A letter is free only where no input is written so: that of the logistic function, those of short names.
        self.taken = {latex_name(name) for name in names}
        self.words = {name: word for name, word in _SHORT.items() if word not in self.taken} | dict(words or {})
        self.defined: dict[str, Node] = {}
        self.entries = Entries(ranks, self.rewritten)

    def rewritten(self, node: Node) -> Node:
        """Return a tree in the words of LaTeX."""
        match node:
            case Binary("+" | "-" | "*" | "/") | Unary("-") if self.ranks.of(node) > 2 and has_index_sum(node):
                return self.entries.whole(node)
            case Name(name, "") if name in self.words:
                return Name(self.words[name], INDEX)
            case Number(text) if "e" in text.lower():
                return _power_of_ten(text)
            case Binary("@"):
                return self._chain(node)
            case Binary("*", left, right):
                return self._times(left, right)
            case Binary("/", left, right):
                return self._divided(node, left, right)
            case Binary("**", left, right):
                sign = "elementwise **" if self.ranks.of(left) or self.ranks.of(right) else "**"
                return Binary(sign, self.rewritten(left), self.rewritten(right))
            case Binary("+" | "-" as sign, left, right):
                shape = self.ranks.shape(node)
                return Binary(sign, self._spread(left, shape), self._spread(right, shape))
            case Index(Attribute(), _) | Attribute() if (size := self._counted(node)) is not None:
                return size
            case Attribute(Call("inv", (operand,)), "T" | "mT"):
                return Call("inverse transpose", (self.rewritten(operand),))
            case Attribute(operand, "T") if self.ranks.of(operand) < 2:
                return self.rewritten(operand)
            case Index(operand, items) if self.ranks.of(operand) == 1 and len(items) == 2 and Slice() in items:
                column = self.rewritten(operand)
                return column if items[1] == Literal(None) else row(column)
            case ListLiteral(items) if items:
                return self._literal(items, self.ranks.of(node)) or map_children(node, self.rewritten)
            case Call():
                return self._call(node)
        return map_children(node, self.rewritten)

    def _counted(self, node: Node) -> Node | None:
        """Return the length that `X.shape[0]` or `X.size` is, None for anything else."""
        match node:
            case Index(Attribute(operand, "shape"), (Number(place),)) if int(place) < len(self.ranks.shape(operand)):
                return self._length(self.ranks.shape(operand)[int(place)])
            case Attribute(operand, "size"):
                return self._length(prod(self.ranks.shape(operand)))
        return None

    def _literal(self, items: tuple[Node, ...], rank: int) -> Node | None:
        """Return numbers in brackets as a column, and rows of them as a matrix; None for what is no such array."""
        if rank == 1 and not any(isinstance(item, ListLiteral) for item in items):
            return matrix([[self.rewritten(item)] for item in items])
        if rank != 2:
            return None
        if all(isinstance(item, ListLiteral) for item in items):
            return matrix([[self.rewritten(entry) for entry in children(item)] for item in items])
        rows = [not isinstance(item, ListLiteral) and self.ranks.of(item) == 1 for item in items]
        return matrix([[row(self.rewritten(item))] for item in items]) if all(rows) else None

    # What is spread.

    def _spread(self, node: Node, shape: Shape) -> Node:
        """Return an operand with the ones that bring it to a shape."""
        own = self.ranks.shape(node)
        if own == shape or len(shape) > 2:
            return self.rewritten(node)
        if not own:
            return self._repeated(node, ones_of(len(shape)))
        if len(own) == 1:
            return beside_ones(row(self.rewritten(node))) if own != (1,) else self.rewritten(node)
        if own[1] == 1:
            return chained([self.rewritten(node), row(ONES)])
        return beside_ones(self.rewritten(node)) if own[0] == 1 else self.rewritten(node)

    def _repeated(self, node: Node, ones: Node) -> Node:
        """Return a number times ones; the mean of a vector draws them in: 1/n 1 1' x."""
        number = self.rewritten(node)
        match number:
            case Number():
                return scaled(number, ones)
            case Unary("-", operand) if isinstance(operand, Number):
                return Unary("-", scaled(operand, ones))
            case Unary("-", operand):
                return Unary("-", Binary("*", _enclosed(grouped(operand)), ones))
        return Binary("*", _enclosed(grouped(number)), ones)

    def _diagonal(self, left: Node, right: Node) -> Node | None:
        """Return a product of a matrix with a row or a column that NumPy repeats, None for any other."""
        one, other = self.ranks.shape(left), self.ranks.shape(right)
        if one == other or max(len(one), len(other)) != 2 or not one or not other:
            return None
        if len(one) == 1 or 1 in one:
            spread, whole, vector, matrix = one, other, left, right
        else:
            spread, whole, vector, matrix = other, one, right, left
        if 1 in whole:
            return None
        across = len(spread) == 1 or spread[0] == 1
        column = self.rewritten(vector)
        diagonal = Call("diag", (row(column) if across and len(spread) == 2 else column,))
        return chained([self.rewritten(matrix), diagonal] if across else [diagonal, self.rewritten(matrix)])

    # Products.

    def _times(self, left: Node, right: Node) -> Node:
        if (product := self._diagonal(left, right)) is not None:
            return product
        rank, other_rank = self.ranks.of(left), self.ranks.of(right)
        one, other = self.rewritten(left), self.rewritten(right)
        if rank and other_rank:
            one_shape, other_shape = self.ranks.shape(left), self.ranks.shape(right)
            if one_shape != other_shape and rank == other_rank == 2:
                whole = tuple(b if a == 1 else a for a, b in zip(one_shape, other_shape, strict=True))
                one, other = self._spread(left, whole), self._spread(right, whole)
            return signed("hadamard", apart(one), apart(other))
        if not rank and other_rank:
            one = grouped(one)
        if not other_rank and rank:
            other = grouped(other)
        if isinstance(first_of(other), Number):
            return signed("dot", one, other)
        return signed("scale" if isinstance(one, Number) else "*", one, other)

    def _divided(self, node: Node, left: Node, right: Node) -> Node:
        if not self.ranks.of(right):
            return signed("/", self.rewritten(left), self.rewritten(right))
        shape = self.ranks.shape(node)
        return signed("divide", apart(self._spread(left, shape)), apart(self._spread(right, shape)))

    def _chain(self, node: Binary) -> Node:
        """Return a matrix product: a vector in front is a row, and a vector that comes of it a column."""
        factors: list[Node] = [node]
        while isinstance(factors[0], Binary) and factors[0].operator == "@":
            factors[:1] = [factors[0].left, factors[0].right]
        factors = [part for factor in factors for part in self._solved(factor)]
        ranks = [self.ranks.of(factor) for factor in factors]
        first, *others = (self.rewritten(factor) for factor in factors)
        minus = isinstance(first, Unary) and first.operator == "-"
        if isinstance(first, Unary) and minus:
            first = first.operand
        if ranks[0] > 1 and 1 in ranks[1:-1] and max(ranks) == 2:  # (A x) y: what makes a vector is one factor
            place = ranks.index(1)
            first, others = chained([first, *others[:place]]), others[place:]
            ranks = [1, *ranks[place + 1 :]]
        product = self._product(first, others, ranks, self.ranks.of(node))
        return Unary("-", product) if minus else product

    def _solved(self, factor: Node) -> list[Node]:
        """Return the factors of a solution, the inverse first; any other factor is one."""
        match factor:
            case Call("solve", (A, b)):
                inverse = Call("inv", (A,))
                self.ranks.add(inverse)
                return [inverse, b]
        return [factor]

    @staticmethod
    def _product(first: Node, others: list[Node], ranks: list[int], rank: int) -> Node:
        if ranks[0] != 1 or max(ranks) > 2:
            return chained([first, *others])
        if rank == 0:
            return chained([row(first), *others])
        if ranks.count(1) == 1:
            return chained([*(turned(factor) for factor in others[::-1]), first])
        # A number made by the first factors stands in front of a row: (x' A y) z', which as a column is (x' A y) z.
        place = ranks.index(1, 1)
        return chained([Call("brackets", (chained([row(first), *others[:place]]),)), *others[place:]])

    # Calls.

    def _call(self, node: Call) -> Node:
        has_settings = bool(node.keywords) or len(node.arguments) > 1
        match node:
            case Call("einsum") if is_index_sum(node):
                return self.entries.whole(node)
            case Call("ones", (syntax.TupleLiteral((rows, columns)),), ()):
                return chained([Call("ones", (self._size(rows),)), row(Call("ones", (self._size(columns),)))])
            case Call("ones" | "zeros" | "eye" as name, arguments, ()):
                return Call(name, tuple(self._size(argument) for argument in arguments))
            case Call("sum" | "mean", (x,), keywords) if (found := self._sum(node, x, keywords)) is not None:
                return found
            case Call("outer", (left, right)):
                return chained([self.rewritten(left), row(self.rewritten(right))])
            case Call("inv", (Attribute(operand, "T"),)):
                return Call("inverse transpose", (self.rewritten(operand),))
            case Call("sigmoid", (x,), ()) if r"\sigma" in self.taken:
                return Call("general sigmoid", (self.rewritten(x),))
            case Call("solve", (A, b)):
                return chained([self.rewritten(Call("inv", (A,))), self.rewritten(b)])
            case Call("norm", (x, *order), ()):
                return self._norm(x, order)
            case Call("where", (condition, *values), ()):
                asked = self.rewritten(condition)
                if isinstance(asked, Binary) and asked.operator in RELATIONS:
                    asked = Binary(f"bare {asked.operator}", asked.left, asked.right)
                return Call("where", (asked, *map(self.rewritten, values)))
            case Call("maximum" | "minimum" as name, (left, right), ()):
                return Call(name[:3], (self.rewritten(left), self.rewritten(right)))
            case Call("norm" | "inv" | "trace" | "abs" | "sqrt" as name) if has_settings:
                return map_children(Call(f"general {name}", node.arguments, node.keywords), self.rewritten)
        return map_children(node, self.rewritten)

    def _norm(self, x: Node, order: list[Node]) -> Node:
        match order:
            case []:
                return Call("frobenius" if self.ranks.of(x) > 1 else "norm", (self.rewritten(x),))
            case [String("fro" | "nuc" as name)]:
                return Call("frobenius" if name == "fro" else "nuclear", (self.rewritten(x),))
            case [number]:
                return Call("norm of order", (self.rewritten(x), self.rewritten(number)))
        return Call("general norm", (self.rewritten(x), *map(self.rewritten, order)))

    def _size(self, size: Node) -> Node:
        items = size.items if isinstance(size, syntax.TupleLiteral) else (size,)
        return times([self.rewritten(item) for item in items], "times")

    def _sum(self, node: Call, x: Node, keywords: tuple[Keyword, ...]) -> Node | None:
        """Return a sum or a mean over axes of a vector or a matrix by ones: 1' x, X 1, X' 1; None for others."""
        settings = {keyword.name: keyword.value for keyword in keywords}
        axis = settings.pop("axis", None)
        kept = settings.pop("keepdims", None) == Literal(True)
        shape = self.ranks.shape(x)
        known = {Number("0"): 0, Number("1"): 1, Unary("-", Number("1")): -1}
        if settings or len(shape) not in (1, 2) or axis not in (None, *known):
            return None
        axes = range(len(shape)) if axis is None else [known[axis]]
        if not -len(shape) <= axes[0] < len(shape):
            return None
        over = sorted(place % len(shape) for place in axes)
        if node.function == "mean" and len(shape) == 1 and isinstance(x, Name) and not kept:
            letter = self.words.get(x.name, latex_name(x.name))
            if len(letter.removeprefix("\\")) == 1 or (letter[:1] == "\\" and letter[1:].isalpha()):
                bar = rf"\bar{{{letter}}}"
                self.defined.setdefault(bar, self._average(shape, over, self._ones_times(x, over, kept)))
                return Name(bar, INDEX)
        total = self._ones_times(x, over, kept)
        return total if node.function == "sum" else self._average(shape, over, total)

    def _average(self, shape: Shape, over: list[int], total: Node) -> Node:
        count = times([self._length(shape[place]) for place in over])
        return scaled(Binary("/", Number("1"), count), total)

    def _length(self, size: int) -> Node:
        return map_children(length_tree(size), self.rewritten) if isinstance(size, Size) else Number(str(size))

    def _ones_times(self, x: Node, over: list[int], kept: bool) -> Node:
        """Return the sum of a vector or a matrix over axes."""
        rank = self.ranks.of(x)
        match x:
            case Binary("*", left, right) if rank == 1 and self.ranks.of(left) == self.ranks.of(right) == 1:
                return chained([row(self.rewritten(left)), self.rewritten(right)])
            case Binary("*", left, right) if len(over) == 2 and self.ranks.shape(left) == self.ranks.shape(right):
                return Call("trace", (chained([row(self.rewritten(left)), self.rewritten(right)]),))
        inner = self.rewritten(x)
        if rank == 1:
            return chained([row(ONES), inner])
        if len(over) == 2:
            return chained([row(ONES), inner, ONES])
        if over == [1]:
            return chained([inner, ONES])
        return chained([row(ONES), inner] if kept else [turned(inner), ONES])


def _power_of_ten(text: str) -> Node:
    """Return a number with an exponent: 1e-5 is a power of ten, 2e-5 a multiple of one."""
    mantissa, _, exponent = text.lower().partition("e")
    power = Binary("**", Number("10"), Number(str(int(exponent))))
    return power if float(mantissa) == 1 else Binary("dot", Number(mantissa), power)


def _enclosed(number: Node) -> Node:
    return Call("brackets", (number,)) if isinstance(number, Binary) and number.operator in ("+", "-") else number
