"""Shapes over unknown lengths: the expression is elaborated once, and what must be equal is solved as it appears.

For `A @ x - b` each axis starts as a length of its own: A is (A.0, A.1), x is (x.0) and b is (b.0). The product asks
that A.1 and x.0 are equal, the difference that A.0 and b.0 are; what is left is called n and m, in order: A is (n, m),
x is (m) and b is (n). The elaborator is the only place that knows what fits: where it refuses two lengths, the solver
makes them equal and asks again.

A name has as many axes as were given, or as its letter says (upper case is a matrix, lower case a vector), until an
operator needs another number of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count

from ...grammar import syntax
from ..arrays import Static, copied
from ..errors import RankError, ShapeError, Span
from ..graph.nodes import Constant, Delta, Node, Product, Sum, Symbol
from ..graph.sizes import NAMES, NotPlainError, Size, length, names_in, replace_lengths
from ..graph.transform import sized
from ..shapes import MATRIX_ASSUMPTIONS, Shape
from .choice import chosen
from .elaborate import INFIX, Elaborator, StaticNameError, Value
from .equations import Equations

MOST_RESTARTS = 4
# A number that is computed from names, as `n*m - 1`, has no more parts than this.
LONGEST_COUNT = 4

SMALLEST = 3
Assumptions = Mapping[str, Iterable[str]]
Ranks = Mapping[str, "tuple[bool, ...]"]
"""For each name one entry an axis: whether the axis has length 1."""


@dataclass(frozen=True)
class Lengths:
    """Shapes that make an expression fit, over free lengths.

    `counts` are what names stand for that are used as sizes or indices, `plain` the values that had to be known for it.
    """

    shapes: Mapping[str, Shape]
    counts: Mapping[str, int]
    plain: Mapping[str, Static]

    @property
    def statics(self) -> dict[str, Static]:
        """What names that are used as sizes or indices stand for."""
        return {**self.counts, **self.plain}

    @property
    def sizes(self) -> list[int]:
        """The lengths of all axes, and what names stand for."""
        own = ((*shape, *([self.counts[name]] if name in self.counts else [])) for name, shape in self.shapes.items())
        return [*chain(*own)]

    def values(self, shapes: Mapping[str, Shape], numbers: Mapping[str, Static]) -> dict[str, int]:
        """Return the lengths that given shapes, and the values of names used as sizes, determine.

        Raises ShapeError where they contradict what the expression asks for.
        """
        equations = Equations()
        for name in names_in(self.sizes):
            equations.new(name)
        pairs: list[tuple[int, int]] = []
        for name, size in self.counts.items():
            number = numbers.get(name)
            if isinstance(number, int):
                pairs.append((size, number))
        pairs += [pair for name, shape in shapes.items() for pair in zip(self.shapes[name], shape, strict=True)]
        # What stands alone first: then the rest is there to be compared.
        for symbol, actual in sorted(pairs, key=lambda pair: len(str(pair[0]))):
            if not equations.equate(symbol, actual) and equations.resolved(symbol) != actual:
                raise ShapeError(f"sizes {equations.resolved(symbol)} and {actual} differ")
        known = {name: equations.resolved(length(name)) for name in equations.names}
        return {name: size for name, size in known.items() if not isinstance(size, Size)}


def infer_shapes(
    program: syntax.Program,
    known: Mapping[str, Shape],
    unknown: Mapping[str, Span],
    statics: Mapping[str, Static],
    assumptions: Assumptions | None = None,
) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return shapes for the unknown names, and values for those of them that stand for sizes.

    Example: for `x.T @ A @ x` with nothing known, x is (3) and A is 3×3; with A known as 5×5, x is (5). A name that is
    assumed symmetric, diagonal or triangular is square.

    Raises ExpressionError where no shapes make the expression work, as seen with small lengths. Where nothing is
    unknown, nothing is tried: the elaboration over the known shapes tells whether they fit.
    """
    if not unknown:
        return {}, {}
    found = solve_lengths(program, ranks_of(known), unknown, statics, square_names(assumptions))
    for name in found.counts:
        if name in known and name not in statics:
            raise StaticNameError(name, next(node.span for node in syntax.walk(program) if node == syntax.Name(name)))
    try:
        values = found.values(known, statics)
        symbols = {name: Symbol.of(name, shape) for name, shape in found.shapes.items()}
        values = chosen(Elaborator(symbols, found.statics).run(program), found.sizes, values)
    except ShapeError:
        # The expression fits lengths that are tied to each other in other ways: it is tried with some of its own.
        values = {name: size for size, name in enumerate(names_in(chain(*found.shapes.values())), SMALLEST)}
    shapes = {name: tuple(replace_lengths(size, values) for size in found.shapes[name]) for name in unknown}
    counts = {name: size for name, size in found.counts.items() if name in unknown}
    return shapes, {name: replace_lengths(size, values) for name, size in counts.items()}


def square_names(assumptions: Assumptions | None) -> list[str]:
    """Return the names of which is assumed what only a square matrix can be."""
    matrices = {*MATRIX_ASSUMPTIONS}
    return [name for name, words in (assumptions or {}).items() if not matrices.isdisjoint(words)]


def ranks_of(shapes: Mapping[str, Shape]) -> dict[str, tuple[bool, ...]]:
    """Return what of shapes a solution depends on: `ranks_of({"x": (3, 1)}) == {"x": (False, True)}`."""
    return {name: tuple(size == 1 for size in shape) for name, shape in shapes.items()}


def solve_lengths(
    program: syntax.Program,
    known: Ranks,
    unknown: Mapping[str, Span],
    numbers: Mapping[str, Static],
    square: Iterable[str] = (),
) -> Lengths:
    """Return shapes over named lengths for all names, those without a rank included.

    Example: for `x.T @ A @ x` x is (n) and A is n×n. `numbers` are the values of names that are whole numbers, for
    where no symbol will do, as an axis; `square` are names of square matrices.

    Raises ExpressionError where no lengths make the expression fit.
    """
    guess: dict[str, tuple[bool, ...]] = {
        name: (False,) * (2 if name in square or name[0].isupper() else 1) for name in unknown
    }
    plain: dict[str, Static] = {}
    tried: set[tuple[str, int]] = set()
    for _ in range(MOST_RESTARTS * (1 + len(unknown) + len(numbers))):
        solver = _Solver({**known, **guess}, square, plain)
        try:
            solver.run(program)
        except StaticNameError as error:
            if guess.get(error.name) and error.shape is None:
                guess[error.name] = ()
            elif error.name in numbers and error.name not in plain:
                plain[error.name] = copied(numbers[error.name])
            else:
                raise
        except RankError as error:
            found = _named_at(program, error, guess)
            if found is None or (found, error.needed) in tried:
                raise
            tried.add((found, error.needed))
            guess[found] = (False,) * error.needed
        except ShapeError as error:
            lengths = error.lengths if isinstance(error, NotPlainError) else ()
            names = [name for name in names_in(lengths) if name in numbers and name not in plain]
            if not names:
                raise
            plain |= {name: copied(numbers[name]) for name in names}
        else:
            return solver.solution()
    raise ShapeError("no shapes were found that make this expression fit")


def _named_at(program: syntax.Program, error: RankError, guess: Mapping[str, object]) -> str | None:
    """Return the name whose number of axes was guessed, and is wrong there."""
    place = error.operand or error.span
    for node in syntax.walk(program):
        if isinstance(node, syntax.Name) and place and place[0] <= node.span[0] and node.span[1] <= place[1]:
            shape = guess.get(node.name)
            if isinstance(shape, tuple) and len(shape) != error.needed:
                return node.name
    return None


class _Solver(Elaborator):
    """Elaborates over stand-ins: each part of the expression is a symbol of its shape once that is known."""

    def __init__(self, ranks: Ranks, square: Iterable[str], plain: Mapping[str, Static]) -> None:
        self.equations = Equations()
        self.counts: set[str] = set()
        self.plain = plain
        self._seen: dict[int, Value] = {}
        shapes = {
            name: tuple(1 if one else self.equations.new(f"{name}.{axis}") for axis, one in enumerate(axes))
            for name, axes in ranks.items()
        }
        for name in square:
            if len(shape := shapes.get(name, ())) == 2:
                self.equations.equate(shape[0], shape[1])
        super().__init__({name: Symbol.of(name, shape) for name, shape in shapes.items()}, plain)
        self._inputs = shapes
        self._exact = False

    def solution(self) -> Lengths:
        """Return the shapes of the inputs with their free lengths called n, m, k, ..."""
        letters = (
            letter for letter in chain(NAMES, (f"n{number}" for number in count(1))) if letter not in self._inputs
        )
        used = names_in(self.equations.resolved(size) for shape in self._inputs.values() for size in shape)
        called = {
            name: length(name if name in self.counts else next(letters))
            for name in self.equations.free
            if name in used or name in self.counts
        }
        shapes = {
            name: tuple(replace_lengths(self.equations.resolved(size), called) for size in shape)
            for name, shape in self._inputs.items()
        }
        counts = {name: self.equations.resolved(length(name)) for name in self._inputs if name in self.counts}
        return Lengths(shapes, {name: replace_lengths(size, called) for name, size in counts.items()}, dict(self.plain))

    def visit(self, node: syntax.Node) -> Value:
        """Return a stand-in for the value of a syntax node, of the shape that is known by now."""
        if self._exact:
            return self._resolved(self._settled(node))
        key = id(node)
        if key not in self._seen:
            self._seen[key] = _stand_in(self._settled(node))
        return self._resolved(self._seen[key])

    def _settled(self, node: syntax.Node) -> Value:
        while True:
            try:
                return super().visit(node)
            except ShapeError as error:
                if isinstance(error, RankError) or not self._learn(error):
                    raise

    def _learn(self, error: ShapeError) -> bool:
        return error.sizes is not None and self.equations.equate(*error.sizes)

    def mismatch(self, node: syntax.Binary, left: Node, right: Node, error: ShapeError) -> Node:
        """Make the lengths equal that do not fit, and try again."""
        while not isinstance(error, RankError) and self._learn(error):
            left, right = (self._resolved(_stand_in(operand)) for operand in (left, right))
            try:
                return INFIX[node.operator](left, right)
            except ShapeError as further:
                error = further
        return super().mismatch(node, left, right, error)

    def size_named(self, name: str, span: Span) -> int:
        """Return a number that is used as a size as a length of its name."""
        if name in self.plain:
            return super().size_named(name, span)
        if self._inputs.get(name):
            raise StaticNameError(name, span)
        self.counts.add(name)
        return self.equations.new(name, given=True)

    def graph_of(self, node: syntax.Node) -> Node:
        """Return the graph of a syntax node without stand-ins."""
        outer, self._exact = self._exact, True
        try:
            return super().graph_of(node)
        finally:
            self._exact = outer

    def _name(self, node: syntax.Name) -> Value:
        if self._exact and not node.prefix and node.name in self.definitions:
            definition = self.definitions.pop(node.name)
            try:
                return self.visit(definition)
            finally:
                self.definitions[node.name] = definition
        return super()._name(node)

    def _resolved(self, value: Value) -> Value:
        if isinstance(value, Size):
            return self.equations.resolved(value)
        if isinstance(value, tuple | list):
            return type(value)(self._resolved(item) for item in value)
        if isinstance(value, Node) and value.shape:
            names = names_in(value.shape)
            known = {name: size for name in names if (size := self.equations.resolved(length(name))) != length(name)}
            return sized([value], known)[value] if known else value
        return value


def _stand_in(value: Value) -> Value:
    """Return a symbol of the same shape; what may yet be used as a number stays as it is."""
    if isinstance(value, tuple | list):
        return type(value)(_stand_in(item) for item in value)
    if not isinstance(value, Node) or not value.shape or isinstance(value, Symbol | Constant) or _may_count(value):
        return value
    return Symbol.of("", value.shape)


def _may_count(node: Node) -> bool:
    """Whether a vector may yet turn out to be a number that is computed from a name, as `n - 1`."""
    few = len(node.children) <= LONGEST_COUNT
    return (
        node.rank == 1
        and isinstance(node, Sum | Product)
        and few
        and all(
            isinstance(child, Symbol | Delta) or (isinstance(child, Product) and _may_count(child))
            for child in node.children
        )
    )
