"""Rules of differentiation that were forgotten or used where they do not hold.

Each is a derivative of something other than the expression, or by something other than the variable: by the argument
of a function (the chain rule forgotten), with a part held fixed, in the direction of the identity (the rule for
numbers used on matrices), of an expression that was read otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from math import prod

import numpy as np

from ...grammar import syntax
from ...grammar.rewriting import rewritten
from ...grammar.syntax import Binary, Call, Name, Node
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, Array, relative_error
from ..differentiation.differentiate import derivative
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed
from ..graph import catalogue
from ..graph.nodes import Node as GraphNode
from ..graph.nodes import Symbol
from ..problems.calculation import Calculation
from ..shapes import Shape
from .confusions import Candidate, replace_values
from .edits import CONFUSIONS, Confusion, ShapeOf, edits
from .points import Point
from .readings import Inquiry, Reading

MOST_PARTS = 16
MOST_EXPRESSIONS = 40
MOST_ENTRIES = 100_000
# A name that nobody can type.
HELD = "held part"


def _exchanged(node: Node, shape_of: ShapeOf) -> Iterator[Node]:
    """Take a function of a sum for the sum of a function, and the reverse."""
    match node:
        case Call("sum" | "mean" as total, (Call(function, (inner,)),), ()) if function != total:
            yield Call(function, (Call(total, (inner,)),))
        case Call("sum" | "mean" as total, (Binary("**", inner, power),), ()):
            yield Binary("**", Call(total, (inner,)), power)
        case Call(function, (Call("sum" | "mean" as total, (inner,)),)):
            yield Call(total, (Call(function, (inner,)),))


# How an expression is read otherwise; a slip in its sign or a number would be seen in the claim.
MISREAD = (
    Confusion("function of a sum", _exchanged, "the sum and the function are exchanged"),
    *(one for one in CONFUSIONS if one.key == "wrong axis"),
    *(
        one
        for one in CONFUSIONS
        if one.key
        in ("elementwise", "transposed factor", "order of factors", "power", "one too many", "other function")
    ),
)


class Rules(Inquiry):
    """What a claim is where a rule was forgotten, or used where it does not hold."""

    _computed: Mapping[tuple[int, GraphNode], Array] = {}

    def hessians(self) -> Iterator[Candidate]:
        """Yield the expression itself, the second derivative for the first, the first for the second."""
        yield Candidate("value", "the expression itself, not differentiated", lambda point: point.value)
        if self.trial.order == 2:
            for name in dict.fromkeys(self.problem.requests[0]):
                words = f"the first derivative by `{name}`, not the second"
                yield Candidate("first derivative", words, partial(self._of_order, names=(name,)))
        if self.trial.order == 1 and not self.output:
            words, names = f"the second derivative by `{self.name}`, the Hessian", (self.name, self.name)
            yield Candidate("Hessian", words, partial(self._of_order, names=names))

    def other_orders(self) -> Iterator[Candidate]:
        """Yield these, the derivatives of parts alone, and mixed derivatives."""
        yield from self.hessians()
        if self.trial.order == 1 and not self.output:
            for part in self._parts():
                words = f"the derivative of `{write(part)}` alone"
                yield Candidate("derivative of a part", words, partial(self._of_tree, tree=part))
        for other in self.problem.names:
            if other == self.name or self.output:
                continue
            words = f"the mixed second derivative by `{self.name}` and `{other}`"
            yield Candidate("mixed derivative", words, partial(self._of_order, names=(self.name, other)))
            yield Candidate("mixed derivative", words, partial(self._of_order, names=(other, self.name)))
            if self.trial.order == 2:
                words = f"the second derivative by `{other}`, not by `{self.name}`"
                yield Candidate("another variable", words, partial(self._of_order, names=(other, other)))

    def undifferentiated(self) -> Iterator[Candidate]:
        """Yield the parts of the expression themselves."""
        for part in self._outer_parts(self.expression):
            words = f"`{write(part)}` itself, not differentiated"
            yield Candidate("value", words, partial(self._value_of, part=part))

    def _outer_parts(self, whole: Node) -> Iterator[Node]:
        """Yield the summands of the expression, and what a function of one argument is taken of."""
        match whole:
            case Binary("+" | "-", left, right):
                inner = [left, right]
            case Binary("*" | "/" | "**", left, right):
                inner = [part for part in (left, right) if part in self._parts()]
                inner = inner if len(inner) == 1 else []
            case Call(_, (argument, *_)):
                inner = [argument]
            case _:
                inner = []
        for part in inner:
            if part in self._parts():
                yield part
                yield from self._outer_parts(part)

    def _value_of(self, point: Point, part: Node) -> Array | None:
        return self.values_at(point).of(part)

    def _diagonal_of_the_hessian(self, point: Point) -> Array | None:
        size = prod(point.truth.shape)
        if point.claimed.shape != point.truth.shape or size * size > MOST_ENTRIES:
            return None
        node = point.calculation.output
        for name in (self.name, self.name):
            node = derivative(node, point.calculation.symbols[name])
        found = self._run(point, node)
        return None if found is None else np.diagonal(found.reshape(size, size)).reshape(point.truth.shape)

    def _of_order(self, point: Point, names: tuple[str, ...]) -> Array | None:
        calculation = point.calculation
        expected: Shape = sum((point.shapes[name] for name in names), calculation.shape)
        if point.claimed.shape != expected or prod(expected) > MOST_ENTRIES:
            return None
        node: GraphNode = calculation.output
        for name in names:
            node = derivative(node, calculation.symbols[name])
        return self._run(point, node)

    def _run(self, point: Point, node: GraphNode) -> Array | None:
        if (known := self._computed.get((id(point), node))) is not None:
            return known
        found = point.evaluated([node])
        return None if found is None else found[0]

    # Parts of the expression.

    def _parts(self) -> list[Node]:
        """Return the parts of the expression that depend on the variable, the outer ones first."""
        found = [
            node
            for node in syntax.walk(self.expression)
            if not isinstance(node, Name | syntax.Keyword)
            and node is not self.expression
            and any(isinstance(part, Name) and part.name == self.name for part in syntax.walk(node))
            and self.shape_of(node) is not None
        ]
        return list(dict.fromkeys(found))[:MOST_PARTS]

    def chain_rule(self) -> Iterator[Candidate]:
        """Yield the derivatives by the argument of a function, without what that changes with the variable."""
        for part in self._parts():
            words = f"the derivative by `{write(part)}`: the chain rule's factor is missing, its derivative by "
            yield Candidate("chain rule", f"{words}`{self.name}`", partial(self._by_part, part=part))

        yield from self._with_slopes_one(entrywise=False)

    def forgotten_slopes(self) -> Iterator[Candidate]:
        """Yield the derivatives in which a function of entries changes as its argument does."""
        yield from self._with_slopes_one(entrywise=True)

    def _with_slopes_one(self, *, entrywise: bool) -> Iterator[Candidate]:
        for part in self._parts():
            match part:
                case Call(function, (argument,)) if self.shape_of(part) == self.shape_of(argument):
                    operator = catalogue.find(function)
                    if operator is not None and (operator.family == "elementwise") == entrywise:
                        words = f"the {self.noun} as if the derivative of `{function}` were 1: that factor is missing"
                        yield Candidate(
                            "chain rule", words, partial(self._with_slope_one, part=part, argument=argument)
                        )

    def held_fixed(self) -> Iterator[Candidate]:
        """Yield the derivatives with a part held fixed, and of a part alone."""
        for part in self._parts():
            words = f"the {self.noun} as if `{write(part)}` were a constant"
            yield Candidate("held fixed", words, partial(self._with_part_fixed, part=part))
        for part in self._parts():
            summed = Call("sum", (part,))
            words = f"the gradient of `{write(summed)}`"
            yield Candidate("derivative of a part", words, partial(self._of_tree, tree=summed))

        if self.trial.order == 1 and not self.output:
            words = f"the second derivative by `{self.name}`, entry by entry: the diagonal of the Hessian"
            yield Candidate("Hessian", words, self._diagonal_of_the_hessian)

    def _held(self, point: Point, part: Node, new: Node) -> tuple[GraphNode, Symbol, Point] | None:
        """Return the expression with a part replaced, in which `held` is what makes the value the same."""
        tree = rewritten(self.expression, lambda node: new if node == part else None)
        value = self.values_at(point).of(part)
        if value is None:
            return None
        symbol = Symbol.of(HELD, np.shape(value))
        try:
            node = point.elaborated(syntax.Program((), tree), {HELD: symbol})
        except ExpressionError:
            return None
        return node, symbol, replace_values(point, {**point.values, HELD: value})

    def _by_part(self, point: Point, part: Node) -> Array | None:
        shape = self.shape_of(part) or ()
        if point is self.points[0] and point.claimed.shape != (*self.output, *shape):
            return None
        held = self._held(point, part, Name(HELD))
        if held is None:
            return None
        node, symbol, there = held
        return self._run(there, derivative(node, symbol))

    def _with_part_fixed(self, point: Point, part: Node) -> Array | None:
        if not self._shape_fits(point):
            return None
        held = self._held(point, part, Name(HELD))
        if held is None:
            return None
        node, _, there = held
        return self._run(there, derivative(node, point.calculation.symbols[self.name]))

    def _with_slope_one(self, point: Point, part: Node, argument: Node) -> Array | None:
        if not self._shape_fits(point):
            return None
        held = self._held(point, part, Binary("+", argument, Name(HELD)))
        own = self.values_at(point).of(argument)
        if held is None or own is None:
            return None
        node, _, there = held
        moved = replace_values(there, {**there.values, HELD: there.values[HELD] - own})
        return self._run(moved, derivative(node, point.calculation.symbols[self.name]))

    @staticmethod
    def _shape_fits(point: Point) -> bool:
        return point.claimed.shape == point.truth.shape or not point.claimed.ndim

    def _of_tree(self, point: Point, tree: Node) -> Array | None:
        """Return the derivative of another expression; a number where all of its entries are that."""
        try:
            node = self._derived(point, tree)
            found = None if node is None else self._run(point, node)
        except ExpressionError:
            return None
        if found is not None and found.size and not point.claimed.ndim and np.ptp(found) == 0:
            return np.asarray(found.flat[0], dtype=np.float64)
        return found

    def _derived(self, point: Point, tree: Node) -> GraphNode | None:
        """Return the graph of the derivative of another expression, None where it has another shape than the claim."""
        symbol = point.calculation.symbols[self.name]
        node = point.elaborated(syntax.Program((), tree))
        if (*node.shape, *symbol.shape) != point.claimed.shape and point.claimed.ndim:
            return None
        return derivative(node, symbol)

    # Rules for numbers, and expressions that were read otherwise.

    def numbers_rule(self) -> Iterator[Candidate]:
        """Yield the derivatives of matrices as if they were numbers: in the direction of the identity."""
        shape = self.groups[1]
        if len(shape) != 2 or shape[0] != shape[1]:
            return
        insides = [part for part in self._parts() if len(self.shape_of(part) or ()) == 2]
        for part in [self.expression, *insides]:
            words = f"the derivative of `{write(part)}` as if `{self.name}` were a number, not a matrix"
            remark = f"on matrices that is the change along `d{self.name} = eye(n)` alone"
            yield Candidate("rule for numbers", words, partial(self._along_identity, tree=part), remark)

    def _along_identity(self, point: Point, tree: Node) -> Array | None:
        symbol = point.calculation.symbols[self.name]
        try:
            node = point.elaborated(syntax.Program((), tree))
        except ExpressionError:
            return None
        size = symbol.shape[0]
        if node.shape != point.claimed.shape or len(symbol.shape) != 2 or size != symbol.shape[1] or not node.shape:
            return None
        if prod(node.shape) * size * size > MOST_ENTRIES:
            return None
        found = self._run(point, derivative(node, symbol))
        if found is None:
            return None
        along: Array = np.trace(found, axis1=-2, axis2=-1)
        return along

    def for_numbers_alone(self) -> Reading | None:
        """Return whether the claim is right where every input is a number, a matrix of one row and one column."""
        if self.problem.reduce or any(0 in shape for shape in self.points[0].shapes.values()):
            return None
        seen = 0
        for point in self.points:
            values = {name: value.ravel()[:1].reshape((1,) * value.ndim) for name, value in point.values.items()}
            try:
                calculation = Calculation(self.problem, {name: value.shape for name, value in values.items()})
                _, truth = calculation.program.run(values)
                node = point.bench.over_inputs(self.trial.program, calculation, values)
                (claimed,) = point.bench.run([node], values)
            except (ExpressionError, OperationFailed):
                return None
            if claimed.size != 1 or relative_error(claimed.ravel(), truth.ravel()) > SAME_NUMBERS:
                return None
            seen += bool(truth.any())
        if not seen or not any(len(shape) == 2 for shape in self.points[0].shapes.values()):
            return None
        words = "it is right for numbers alone: a rule for numbers is used on matrices or vectors"
        return Reading("rule for numbers", (words,))

    def misread(self) -> Iterator[Candidate]:
        """Yield the derivatives of expressions that are nearly the one at hand."""
        nearly = list(islice(edits(self.expression, MISREAD, self.shape_of), MOST_EXPRESSIONS))
        self._run_together(self.points[0], [edit.tree for edit in nearly])
        for edit in nearly:
            words = f"the derivative of `{write(edit.tree)}`: `{write(edit.after)}` in place of `{write(edit.before)}`"
            yield Candidate("another expression", words, partial(self._of_tree, tree=edit.tree))

    def _run_together(self, point: Point, trees: list[Node]) -> None:
        """Compute the derivatives of expressions at a point by one program: most claims are none of them."""
        nodes: dict[GraphNode, None] = {}
        for tree in trees:
            with suppress(ExpressionError):
                if (node := self._derived(point, tree)) is not None:
                    nodes[node] = None
        found = point.evaluated([*nodes]) if nodes else None
        # Where one of them has no result, each is computed alone.
        self._computed = (
            {} if found is None else {(id(point), node): one for node, one in zip(nodes, found, strict=True)}
        )
