"""The elaborator over unknown lengths: where two lengths do not fit, they are made equal, and it asks again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from ...grammar import syntax
from ..arrays import Static
from ..errors import RankError, ShapeError, Span
from ..graph.nodes import Constant, Node, Symbol
from ..graph.sizes import Size, length, names_in, replace_lengths, unused_names
from ..graph.transform import sized
from ..shapes import Shape
from .elaborate import INFIX, Elaborator, Value
from .entries import StaticNameError
from .equations import Equations

Ranks = Mapping[str, "tuple[bool, ...]"]
"""For each name one entry an axis: whether the axis has length 1."""


@dataclass(frozen=True)
class Lengths:
    """Shapes that make an expression fit, over free lengths.

    `counts` are what names stand for that are used as sizes or indices, `plain` the values that had to be known for it,
    `fixed` says which lengths had to be: `x.shape[0] == 3`.
    """

    shapes: Mapping[str, Shape]
    counts: Mapping[str, int]
    plain: Mapping[str, Static]
    fixed: tuple[str, ...] = ()

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


class Solver(Elaborator):
    """Elaborates over stand-ins: each part of the expression is a symbol of its shape once that is known."""

    def __init__(
        self,
        ranks: Ranks,
        square: Iterable[str],
        plain: Mapping[str, Static],
        meant: Mapping[str, Shape] | None = None,
        fixed: Mapping[str, int] | None = None,
    ) -> None:
        sizes = {f"{name}.{axis}": size for name, shape in (meant or {}).items() for axis, size in enumerate(shape)}
        self.equations = Equations(sizes)
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
        for inner, size in (fixed or {}).items():
            self.equations.equate(length(inner), size)
        super().__init__({name: Symbol.of(name, shape) for name, shape in shapes.items()}, plain)
        self._inputs = shapes
        self._exact = False

    def solution(self) -> Lengths:
        """Return the shapes of the inputs with their free lengths called n, m, k, ..."""
        letters = unused_names(self._inputs)
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

    def known_lengths(self, shapes: Mapping[str, Shape]) -> dict[str, int]:
        """Return what lengths are by their inner names, for inputs of known shapes: `{"A.1": 4}`."""
        return {
            str(self.equations.resolved(inner)): size
            for name, shape in shapes.items()
            for inner, size in zip(self._inputs[name], shape, strict=True)
        }

    def visit(self, node: syntax.Node) -> Value:
        """Return a stand-in for the value of a syntax node, of the shape that is known by now."""
        if self._exact:
            return self._resolved(self._settled(node))
        key = id(node)
        if key not in self._seen:
            self._seen[key] = _stand_in(self._settled(node))
        return self._resolved(self._seen[key])

    def _settled(self, node: syntax.Node) -> Value:
        known = None
        while True:
            try:
                return super().visit(node)
            except ShapeError as error:
                # Where the same lengths do not fit again, there was nothing to learn from them.
                if isinstance(error, RankError) or error.sizes == known or not self._learn(error):
                    raise
                known = error.sizes

    def _learn(self, error: ShapeError) -> bool:
        if error.sizes is None or not all(isinstance(size, int | Size) for size in error.sizes):
            return False
        learned = [self.equations.equate(*pair) for pair in (error.sizes, *error.others)]
        # What was visited before an equation was learned has not heard of it.
        return any(learned) or any(self.equations.resolved(size) != size for size in error.sizes)

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
    """Return a symbol of the same shape; a number, which may be a size, stays as it is."""
    if isinstance(value, tuple | list):
        return type(value)(_stand_in(item) for item in value)
    if not isinstance(value, Node) or not value.shape or isinstance(value, Symbol | Constant):
        return value
    return Symbol.of("", value.shape)
