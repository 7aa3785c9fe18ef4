"""Formulas in LaTeX: rows and columns, Hadamard products and fractions are told apart by their ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...grammar import syntax
from ...grammar.spellings import INDEX, latex_name
from ...grammar.syntax import Attribute, Binary, Call, Name, Node, Number, Program, String, Unary, map_children
from ...grammar.writer import write
from ..arrays import Static, silent
from ..elaboration.ranks import Ranks
from ..notation.trees import negated, times, transposed
from ..problems.problem import Problem
from ..shapes import Shape
from .setting import Setting
from .templates import spelling

CHAIN = "@"


@silent
def latex(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None = None) -> list[str]:
    r"""Return the closed form of each derivative in LaTeX, without the dollar signs.

    Example: `latex(Problem.of("logdet(X)", "grad", ("X",)), {"X": (3, 3)})` is `["X^{-\\top}"]`.
    """
    setting = Setting.of(problem, shapes, statics or {})
    return [latex_of(form.program, setting.ranks) for form in setting.forms]


@silent
def statement(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None = None) -> str:
    r"""Return the derivatives as equations in LaTeX, with dollar signs: what a notebook shows.

    Example: for the gradient of `x @ x` it is `$$\frac{\partial}{\partial x} \left(x^{\top} x\right) = 2 x$$`.
    """
    (value,) = latex(replace(problem, kind="value"), shapes, statics)
    requests = problem.requests
    if not requests:
        return f"$${value}$$"
    lines = []
    for wrt, formula in zip(requests, latex(problem, shapes, statics), strict=True):
        order = f"^{{{len(wrt)}}}" if len(wrt) > 1 else ""
        below = r" \, ".join(rf"\partial {latex_name(name)}" for name in wrt)
        lines.append(rf"$$\frac{{\partial{order}}}{{{below}}} \left({value}\right) = {formula}$$")
    return "\n".join(lines)


def latex_of(tree: Node, ranks: Ranks) -> str:
    """Return a tree in LaTeX; the parts that a program names are explained behind the result."""
    ranks.add(tree)
    if not isinstance(tree, Program):
        return write(Latex(ranks).rewritten(tree), spelling("latex"))
    result = latex_of(tree.result, ranks)
    parts = [f"{latex_name(item.name)} = {latex_of(item.value, ranks)}" for item in tree.assignments]
    return result + (r" \quad \mathrm{with} \quad " + r", \; ".join(parts) if parts else "")


# --- trees in the words of LaTeX -------------------------------------------------------------------------------------


class Latex:
    """Rewrites trees whose ranks are known for the LaTeX spelling."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        # The letter of the logistic function is free only where no input is written so.
        self.taken = {latex_name(name) for name in ranks.environment}

    def rewritten(self, node: Node) -> Node:
        """Return a tree in the words of LaTeX."""
        match node:
            case Binary("@"):
                return self._chain(node)
            case Binary("*", left, right):
                return self._times(left, right)
            case Binary("/", left, right):
                above, below = self.rewritten(left), self.rewritten(right)
                entries = self.ranks.of(right) > 0
                return _signed("divide", _apart(above), _apart(below)) if entries else _signed("/", above, below)
            case Binary("**", left, right):
                sign = "elementwise **" if self.ranks.of(left) or self.ranks.of(right) else "**"
                return Binary(sign, self.rewritten(left), self.rewritten(right))
            case Attribute(Call("inv", (operand,)), "T" | "mT"):
                return Call("inverse transpose", (self.rewritten(operand),))
            case Attribute(operand, "T") if self.ranks.of(operand) < 2:
                return self.rewritten(operand)
            case Call():
                return self._call(node)
        return map_children(node, self.rewritten)

    # Products.

    def _times(self, left: Node, right: Node) -> Node:
        one, other = self.rewritten(left), self.rewritten(right)
        if self.ranks.of(left) and self.ranks.of(right):
            return _signed("hadamard", _apart(one), _apart(other))
        if isinstance(_first(other), Number):
            return _signed("dot", one, other)
        return _signed("scale" if isinstance(one, Number) else "*", one, other)

    def _chain(self, node: Binary) -> Node:
        """Return a matrix product: a vector in front is a row, and a vector that comes of it a column."""
        factors: list[Node] = [node]
        while isinstance(factors[0], Binary) and factors[0].operator == "@":
            factors[:1] = [factors[0].left, factors[0].right]
        ranks = [self.ranks.of(factor) for factor in factors]
        first, *others = (self.rewritten(factor) for factor in factors)
        minus = isinstance(first, Unary) and first.operator == "-"
        if isinstance(first, Unary) and minus:
            first = first.operand
        product = self._product(first, others, ranks, self.ranks.of(node))
        return Unary("-", product) if minus else product

    @staticmethod
    def _product(first: Node, others: list[Node], ranks: list[int], rank: int) -> Node:
        if ranks[0] != 1 or max(ranks) > 2:
            return times([first, *others], CHAIN)
        if rank == 0:
            return times([_row(first), *others], CHAIN)
        if ranks.count(1) == 1:
            return times([*(_turned(factor) for factor in others[::-1]), first], CHAIN)
        # A number made by the first factors stands in front of a row: (x' A y) z', which as a column is (x' A y) z.
        place = ranks.index(1, 1)
        return times([times([_row(first), *others[:place]], CHAIN), *others[place:]], CHAIN)

    # Calls.

    def _call(self, node: Call) -> Node:
        has_settings = bool(node.keywords) or len(node.arguments) > 1
        match node:
            case Call("einsum", (String(subscripts), *operands)) if "." not in subscripts and "->" in subscripts:
                return self._index_sum(subscripts, operands)
            case Call("ones" | "zeros" | "eye" as name, arguments, ()):
                return Call(name, tuple(self._size(argument) for argument in arguments))
            case Call("outer", (left, right)):
                return Binary(CHAIN, self.rewritten(left), _row(self.rewritten(right)))
            case Call("inv", (Attribute(operand, "T"),)):
                return Call("inverse transpose", (self.rewritten(operand),))
            case Call("sigmoid", (x,), ()) if r"\sigma" in self.taken:
                return Call("general sigmoid", (self.rewritten(x),))
            case Call("solve", (A, b)):
                return Binary(CHAIN, self.rewritten(Call("inv", (A,))), self.rewritten(b))
            case Call("norm", (x,), ()):
                return Call("frobenius" if self.ranks.of(x) > 1 else "norm", (self.rewritten(x),))
            case Call("norm", (x, String("fro" | "nuc" as order)), ()):
                return Call("frobenius" if order == "fro" else "nuclear", (self.rewritten(x),))
            case Call("norm", (x, order), ()):
                return Call("norm of order", (self.rewritten(x), self.rewritten(order)))
            case Call("norm" | "inv" | "trace" | "abs" | "sqrt" as name) if has_settings:
                return map_children(Call(f"general {name}", node.arguments, node.keywords), self.rewritten)
        return map_children(node, self.rewritten)

    def _size(self, size: Node) -> Node:
        items = size.items if isinstance(size, syntax.TupleLiteral) else (size,)
        return times([self.rewritten(item) for item in items], "times")

    def _index_sum(self, subscripts: str, operands: list[Node]) -> Node:
        """Return an einsum as a sum of entries."""
        inputs, _, output = subscripts.partition("->")
        entries: list[Node] = []
        for letters, operand in zip(inputs.split(","), operands, strict=True):
            if isinstance(operand, Call) and operand.function == "ones" and set(letters) <= set(output):
                continue
            if isinstance(operand, Call) and operand.function == "eye" and len(operand.arguments) == 1:
                entries.append(Call("subscript", (Name("delta"), Name(letters, INDEX))))
                continue
            base = self.rewritten(operand)
            if not isinstance(base, Name) or "_" in base.name or any(letter.isdigit() for letter in base.name):
                base = Call("brackets", (base,))
            entries.append(Call("subscript", (base, Name(letters, INDEX))) if letters else base)
        body = times(entries or [Number("1")], CHAIN)
        summed = "".join(dict.fromkeys(letter for letter in inputs if letter.isalpha() and letter not in output))
        if summed:
            body = Call("sum over", (body, Name(",".join(summed), INDEX)))
        return Call("entries", (body, Name(output, INDEX))) if output else body


def _signed(sign: str, left: Node, right: Node) -> Node:
    """Return a product with the minus of its first factor in front: -(x y) is written -x y."""
    if isinstance(left, Unary) and left.operator == "-":
        return Unary("-", Binary(sign, left.operand, right))
    return Binary(sign, left, right)


def _apart(node: Node) -> Node:
    """Return an operand of a Hadamard product, with brackets around a matrix product."""
    if isinstance(node, Unary) and isinstance(node.operand, Binary) and node.operand.operator == CHAIN:
        return Unary(node.operator, _apart(node.operand))
    return Call("brackets", (node,)) if isinstance(node, Binary) and node.operator == CHAIN else node


def _row(vector: Node) -> Node:
    """Return a column as a row; numbers in front stay in front."""
    match vector:
        case Binary("*" | "dot" | "scale" as sign, left, right):
            return Binary(sign, left, _row(right))
        case Unary("-", operand):
            return negated(_row(operand))
    return Attribute(vector, "T")


def _turned(matrix: Node) -> Node:
    match matrix:
        case Call("inv", (operand,)):
            return Call("inverse transpose", (operand,))
        case Call("inverse transpose", (operand,)):
            return Call("inv", (operand,))
        case Call("eye" | "diag"):
            return matrix
    return transposed(matrix)


def _first(node: Node) -> Node:
    """Return the leftmost leaf of a product."""
    while isinstance(node, Binary) and node.operator in ("*", "@", "dot", "scale", "hadamard", "**"):
        node = node.left
    return node
