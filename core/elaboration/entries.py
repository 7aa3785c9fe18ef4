"""Arrays that are used as indices: a graph is computed at once, from the values of the names in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...grammar.advice import Given, advise
from ...grammar.errors import ExpressionError, Label, Span
from ..arrays import AnyArray
from ..errors import ShapeError
from ..graph.algebra import fresh, is_mask, product, split
from ..graph.nodes import (
    Apply,
    Constant,
    Delta,
    Map,
    Node,
    Product,
    Reshape,
    Select,
    Structural,
    Sum,
    Symbol,
    Triangle,
    symbols,
    topological,
)
from ..graph.places import Progression
from ..graph.sizes import NotPlainError, Size
from ..graph.transform import sized
from ..shapes import Shape, describe

Read = Callable[[Symbol], AnyArray]

# An index is read when an expression is, before anybody says how much memory that may take.
MOST_ENTRIES = 10_000_000


class StaticNameError(ExpressionError):
    """A size or an index is asked of a name whose value is not known yet; an index must be `below` some length.

    One that stands beside a list of indices is a list as long: `beside` is its length. What is compared with a number
    may be any number: then its `shape` is given, as far as it is known.
    """

    below: int | None = None
    beside: int | None = None
    shape: Shape | None = None

    def __init__(self, name: str, span: Span) -> None:
        super().__init__(
            f"`{name}` is used as a size or an index, so its value is needed",
            Label(span, "a whole number"),
            helps=[advise("give it: ", Given(name, 3))],
        )
        self.name = name


class Unavailable:
    """A part of a result that cannot be had, as the indices beside the largest entries: why, and what to write."""

    def __init__(self, message: str, help: str) -> None:
        self.message = message
        self.help = help


class ComplexPair(Unavailable):
    """A complex array as its two real ones, of which an expression takes a part by name; `call` makes a call."""

    PARTS: ClassVar[frozenset[str]] = frozenset({"real", "imag", "abs"})

    def __init__(self, real: Node, imag: Node, call: Callable[..., Node]) -> None:
        super().__init__("its values are complex", "`real(z)`, `imag(z)` and `abs(z)` are real")
        self.real, self.imag, self.call = real, imag, call

    def part(self, name: str) -> Node:
        """Return the real part, the imaginary part or the absolute value."""
        parts = {"real": self.real, "imag": self.imag}
        return parts[name] if name in parts else self.call("hypot", self.real, self.imag)


class Entries(NamedTuple):
    """The entries of an array, whole ones as int; `source` is the graph of inputs that they were read from."""

    array: AnyArray
    source: Node | None

    @staticmethod
    def of(node: Node, read: Read) -> Entries:
        """Return the entries of a graph; those of a mask are Booleans.

        Raises NotPlainError where they depend on a length that is not known, ExpressionError where there are too many.
        """
        made = _in_numbers(node, read)
        if max(prod(part.shape) for part in topological([made])) > MOST_ENTRIES:
            helps = ["a slice may be of any length: x[start:stop:step]"]
            raise ExpressionError(
                f"an index of more than {MOST_ENTRIES:_} entries is not written out".replace("_", " "), helps=helps
            )
        found = np.asarray(_values(made, read))
        array = np.empty(found.shape, dtype=np.object_)
        array[...] = found
        if found.dtype != np.bool_:
            array[...] = np.vectorize(_whole, otypes=[np.object_])(found) if found.size else found
        return Entries(array, node if symbols([node]) else None)


def _whole(entry: float) -> float:
    return int(entry) if float(entry).is_integer() else float(entry)


def flattened(node: Node) -> Node:
    """Return the entries of an array as one vector, row by row."""
    kept = [axis for axis, size in enumerate(node.shape) if size != 1] or [0]
    if node.rank < 2:
        return node
    if len(kept) == 1:
        return product(1, [(node, tuple(range(node.rank)))], tuple(kept))
    row = fresh(1)
    merging = (Reshape.of(tuple(node.shape[axis] for axis in kept)), (*row, *kept))
    return product(1, [(node, tuple(range(node.rank))), merging], row)


def integral_symbols(node: Node) -> Iterator[Symbol]:
    """Yield the names in a graph of indices, but not those that are compared: a comparison has the derivative 0."""
    if isinstance(node, Symbol):
        yield node
    if not is_mask(node):
        for child in node.children:
            yield from integral_symbols(child)


def counted(node: Node) -> range | Progression | None:
    """Return places that are counted and not held: `arange(10**9)`, and `arange(n)` for a length n."""
    if node.rank != 1:
        return None
    (length,) = node.shape
    places = product(1, [(Triangle.of(length, length, -1), (0, 1))], (0,))
    terms = {core: c for c, core in (node.terms if isinstance(node, Sum) else [split(node)])}
    start, step = terms.pop(Delta.of(length, 1), 0), terms.pop(places, 0)
    if terms or not isinstance(start, int) or not isinstance(step, int) or not step:
        return None
    if isinstance(length, Size):
        return Progression(0, 1, length) if (start, step) == (0, 1) else None
    return range(start, start + step * length, step)


def _in_numbers(node: Node, read: Read) -> Node:
    """Return a graph with the lengths that its names have.

    Raises NotPlainError where others are left.
    """
    lengths: dict[str, int] = {}
    for symbol in symbols([node]).values():
        array = read(symbol)
        if array.ndim != symbol.rank:
            message = f"`{symbol.name}` is {describe(array.shape)}, and {describe(symbol.shape)} is meant here"
            raise ShapeError(message)
        for size, actual in zip(symbol.shape, array.shape, strict=True):
            if lengths.setdefault(str(size), actual) != actual or (isinstance(size, int) and size != actual):
                raise ShapeError(f"`{symbol.name}` has an axis of {actual}, and {size} is meant", sizes=(size, actual))
    made = sized([node], lengths)[node]
    unknown = [size for part in topological([made]) for size in part.shape if isinstance(size, Size)]
    if unknown:
        raise NotPlainError("an index is needed in numbers", unknown)
    return made


def _values(node: Node, read: Read) -> AnyArray:
    """Return the values of a small graph, where `read` gives those of a name; a mask has Booleans."""
    operands = [_values(child, read) for child in node.children]
    match node:
        case Symbol():
            return read(node)
        case Constant():
            return node.value
        case Structural():
            return node.dense().astype(np.bool_)
        case Product():
            return _einsum(node, operands)
        case Sum():
            terms = zip(node.coefficients, operands, strict=True)
            return sum((float(c) * array for c, array in terms), np.zeros(node.shape))
        case Map():
            assert node.operator.evaluate is not None
            return np.asarray(node.operator.evaluate(*operands))
        case Apply():
            assert node.operator.evaluate is not None
            found = node.operator.evaluate(*operands, **dict(node.parameters))
            return np.asarray(found[node.output] if isinstance(found, tuple) else found)
    raise AssertionError(type(node).__name__)


def _einsum(node: Product, operands: list[AnyArray]) -> AnyArray:
    """Return a Product; one of masks alone, in which nothing is added up, is a mask."""
    if not operands:
        return np.asarray(float(node.coefficient))
    names = {label: place for place, label in enumerate(node.sizes)}
    arguments: list[Any] = []
    for array, labels in zip(operands, node.labels, strict=True):
        arguments += [array.astype(np.float64), [names[label] for label in labels]]
    found = float(node.coefficient) * np.asarray(np.einsum(*arguments, [names[label] for label in range(node.rank)]))
    return found.astype(np.bool_) if node.coefficient == 1 and _only_masks(node, operands) else found


def _only_masks(node: Product, operands: list[AnyArray]) -> bool:
    """Whether a Product is of masks, whose entries are chosen and moved at most: a sum of them is a count."""
    moved = {label for child, labels in node.factors if isinstance(child, Delta | Select | Reshape) for label in labels}
    return all(array.dtype == np.bool_ for array in operands) and {*node.sizes} <= {*range(node.rank), *moved}
