"""The graph: immutable tensors in Einstein notation, interned so that equal nodes are the same object.

Seven kinds of node say everything: `Symbol` and `Constant` are leaves; `Product` is an n-ary einsum; `Sum` adds;
`Map` applies an elementwise function; `Apply` is what is neither (inverse, determinant, norm, ...); and the
*structural* tensors `Delta`, `Select`, `Triangle` and `Reshape` are 0/1 constants that are never stored. Every linear
operation is a Product with a structural operand, so it needs no rule of its own. Nodes are only made by the
functions of `algebra`, which keep the normal form; the classes here hold data.

Interning is weak: a node lives as long as something uses it. `digest` is a number that depends on the structure
alone, so that orders chosen by it do not depend on what was computed before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, wraps
from itertools import pairwise
from math import prod
from typing import Any, ClassVar, TypeGuard, TypeVar
from weakref import ref
from zlib import crc32

import numpy as np

from ...grammar.budget import spend
from ..arrays import Array
from ..shapes import Shape
from .operator import Operator
from .places import Listed, Progression, Rotation, Rows, Windows, count_of, progression
from .ratios import Ratio
from .sizes import Size

Plain = int | Fraction | float
Coefficient = Plain | Ratio
Labels = tuple[int, ...]
Factor = tuple["Node", Labels]
Parameters = tuple[tuple[str, Hashable], ...]

SomeNode = TypeVar("SomeNode", bound="Node")
Answer = TypeVar("Answer")


class Node:
    """A tensor of known shape, with `rank` axes; equality is identity."""

    kind: ClassVar[int]
    shape: Shape
    rank: int
    digest: int
    children: tuple[Node, ...] = ()

    @staticmethod
    def stable(key: Any) -> int:
        """Return a number that depends on what a node is made of, and is the same in each process."""
        return _stable(key)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __repr__(self) -> str:
        hidden = ("rank", "digest", "children")
        fields = {k: v for k, v in vars(self).items() if k not in hidden and not k.startswith("_")}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in fields.items())})"


class _Entry(ref[Node]):
    """A node in the table of all nodes, with its key: a `WeakValueDictionary` does the same in twice the time."""

    __slots__ = ("key",)
    key: Hashable


_interned: dict[Hashable, _Entry] = {}


def _forget(entry: _Entry) -> None:
    held = _interned.pop(entry.key, entry)
    if held is not entry:  # an equal node has been made since
        _interned[entry.key] = held


def _intern(cls: type[SomeNode], key: Hashable, shape: Shape, children: tuple[Node, ...], **fields: Any) -> SomeNode:
    spend(1 + len(children))
    full_key = (cls, key)
    entry = _interned.get(full_key)
    found = None if entry is None else entry()
    if found is None:
        found = cls()
        digest = hash((cls.kind, cls.stable(key), shape, *(child.digest for child in children)))
        found.__dict__.update(shape=shape, rank=len(shape), digest=digest, children=children, **fields)
        _interned[full_key] = entry = _Entry(found, _forget)
        entry.key = full_key
    assert isinstance(found, cls)
    return found


def _stable(key: Hashable) -> int:
    """Hash without the per-process randomisation of strings; nodes count through their digests."""
    if type(key) is tuple:
        return hash(tuple([item if type(item) is int else _stable(item) for item in key]))
    known: int | None = getattr(key, "digest", None)
    if known is not None:
        return known
    match key:
        case str():
            return crc32(key.encode())
        case Operator():
            return crc32(key.name.encode())
        case int() | float() | Fraction():
            return hash(key)
        case bytes():
            return crc32(key)
        case frozenset():
            return hash(tuple(sorted(_stable(item) for item in key)))
        case Listed():
            return hash((_stable(key.places), _stable(key.source)))
        case tuple():
            return hash(tuple([_stable(item) for item in key]))
        case range():
            # The hash of a range may contain that of None, which differs between processes.
            return hash((key.start, key.stop, key.step))
        case _:
            return crc32(str(key).encode())


class Symbol(Node):
    """An input: a name with a shape and what is assumed about its values."""

    kind = 0
    name: str
    assumptions: frozenset[str]

    @staticmethod
    def of(name: str, shape: Shape, assumptions: Iterable[str] = ()) -> Symbol:
        """Return the symbol: `Symbol.of("A", (3, 3), {"symmetric"})`."""
        known = frozenset(assumptions)
        return _intern(Symbol, (name, shape, known), shape, (), name=name, assumptions=known)

    @property
    def symmetric(self) -> bool:
        """Whether swapping the two axes changes nothing."""
        return not self.assumptions.isdisjoint({"symmetric", "spd", "diagonal"})


class Constant(Node):
    """An array written in the expression: `[[1, 2], [3, 4]]`."""

    kind = 1
    value: Array

    @staticmethod
    def of(value: Array) -> Constant:
        """Return the constant; `value` becomes read-only."""
        value = np.ascontiguousarray(value, dtype=np.float64)
        value.flags.writeable = False
        return _intern(Constant, (value.shape, value.tobytes()), value.shape, (), value=value)


class Structural(Node):
    """A 0/1 tensor known from a few integers."""

    def dense(self) -> Array:
        """Return the tensor as an array, for the rare place where nothing cheaper exists."""
        raise TypeError(type(self).__name__)


class Delta(Structural):
    """1 where all indices are equal: a vector of ones with one axis, the identity matrix with two."""

    kind = 2
    size: int

    @staticmethod
    def of(size: int, rank: int) -> Delta:
        """Return the delta of `rank` axes of length `size`."""
        return _intern(Delta, (size, rank), (size,) * rank, (), size=size)

    def dense(self) -> Array:
        """Return the array: ones where all indices are equal."""
        result = np.zeros(self.shape)
        result[(np.arange(self.size),) * self.rank] = 1.0
        return result


class Select(Structural):
    """`Select[i, j]` is 1 where `j == rows[i]`: indexing and slicing when j is summed, concatenation when i is."""

    kind = 3
    rows: Rows
    size: int

    @staticmethod
    def of(rows: range | Iterable[int], size: int) -> Select:
        """Return the selection of `rows` (non-negative) among `size`; arithmetic sequences are kept as a range."""
        chosen = rows if isinstance(rows, range | Rotation | Windows | Progression | Listed) else _as_range(tuple(rows))
        if isinstance(chosen, range) and len(chosen) == 1:
            chosen = range(chosen[0], chosen[0] + 1)
        return _intern(Select, (chosen, size), (count_of(chosen), size), (), rows=chosen, size=size)

    def dense(self) -> Array:
        """Return the array: one 1 in each row."""
        result = np.zeros(self.shape)
        result[np.arange(len(self.rows)), np.asarray(self.rows, dtype=np.intp)] = 1.0
        return result


def _as_range(rows: tuple[int, ...]) -> range | tuple[int, ...]:
    if len(rows) == 1:
        return progression(rows[0], 1, 1)
    if len(rows) > 1 and not any(isinstance(row, Size) for row in rows):
        step = rows[1] - rows[0]
        if step and all(b - a == step for a, b in pairwise(rows)):
            return range(rows[0], rows[-1] + (1 if step > 0 else -1), step)
    return rows


class Triangle(Structural):
    """`Triangle[i, j]` is 1 where `j <= i + offset`: tril, triu and cumulative sums."""

    kind = 4
    offset: int

    @staticmethod
    def of(rows: int, columns: int, offset: int = 0) -> Triangle:
        """Return the lower triangle of ones with `rows` and `columns`."""
        return _intern(Triangle, (rows, columns, offset), (rows, columns), (), offset=offset)

    def dense(self) -> Array:
        """Return the array: ones on and below a diagonal."""
        rows, columns = self.shape
        return np.tri(rows, columns, self.offset)


class Reshape(Structural):
    """`Reshape[a, i, j, ...]` is 1 where `a` is the row-major position of `(i, j, ...)`: it merges or splits axes."""

    kind = 5
    sizes: Shape

    @staticmethod
    def of(sizes: Shape) -> Reshape:
        """Return the tensor that merges axes of these sizes into one."""
        return _intern(Reshape, sizes, (prod(sizes), *sizes), (), sizes=sizes)

    def dense(self) -> Array:
        """Return the array: the identity matrix with its second axis split."""
        return np.eye(self.shape[0]).reshape(self.shape)


class Product(Node):
    """`coefficient` times the einsum of `operands`: operand k has one label per axis, `labels[k]`.

    Labels 0, 1, ... are the output axes in order; all other labels are summed. A label may repeat within an operand
    (a diagonal), never within the output: that is what a Delta is for.
    """

    kind = 6
    coefficient: Coefficient
    labels: tuple[Labels, ...]

    @staticmethod
    def of(coefficient: Coefficient, operands: tuple[Node, ...], labels: tuple[Labels, ...], shape: Shape) -> Product:
        """Return the interned node; `algebra.product` brings any product into this form."""
        key = (coefficient, operands, labels, shape)
        return _intern(Product, key, shape, operands, coefficient=coefficient, labels=labels)

    @staticmethod
    def stable(key: tuple[Coefficient, tuple[Node, ...], tuple[Labels, ...], Shape]) -> int:
        """Return what any node returns, in fewer steps: most nodes are Products."""
        coefficient, operands, labels, shape = key
        known = coefficient if type(coefficient) is int else _stable(coefficient)
        inner = (hash(tuple([operand.digest for operand in operands])), hash(tuple(map(hash, labels))))
        return hash((known, *inner, _stable(shape)))

    @cached_property
    def sizes(self) -> Mapping[int, int]:
        """The size of each label."""
        return sizes_of(self.factors)

    @property
    def factors(self) -> Iterable[Factor]:
        """The operands with their labels."""
        return zip(self.children, self.labels, strict=True)


class Sum(Node):
    """A linear combination of distinct terms of one shape; the empty Sum is zero."""

    kind = 7
    coefficients: tuple[Coefficient, ...]

    @staticmethod
    def of(coefficients: tuple[Coefficient, ...], terms: tuple[Node, ...], shape: Shape) -> Sum:
        """Return the interned node; `algebra.add` brings any sum into this form."""
        return _intern(Sum, (coefficients, terms, shape), shape, terms, coefficients=coefficients)

    @property
    def terms(self) -> Iterable[tuple[Coefficient, Node]]:
        """The terms with their coefficients."""
        return zip(self.coefficients, self.children, strict=True)


class Map(Node):
    """An elementwise function of operands that all have the node's shape."""

    kind = 8
    operator: Operator

    @staticmethod
    def of(operator: Operator, operands: tuple[Node, ...]) -> Map:
        """Return the interned node; `algebra.elementwise` broadcasts and simplifies first."""
        return _intern(Map, (operator, operands), operands[0].shape, operands, operator=operator)


class Apply(Node):
    """An operator with a gufunc signature, applied over `batch` leading axes that all operands share.

    `output` picks one result of an operator with several (eigh); the evaluation computes them together.
    """

    kind = 9
    operator: Operator
    parameters: Parameters
    batch: int
    output: int

    @staticmethod
    def of(
        operator: Operator,
        operands: tuple[Node, ...],
        shape: Shape,
        parameters: Parameters = (),
        batch: int = 0,
        output: int = 0,
    ) -> Apply:
        """Return the interned node; `shape` includes the batch axes."""
        key = (operator, operands, shape, parameters, batch, output)
        fields = {"operator": operator, "parameters": parameters, "batch": batch, "output": output}
        return _intern(Apply, key, shape, operands, **fields)


class Function:
    """A graph as a function of some symbols, and of nothing else: the setting of an operator that computes with it.

    Equal functions are the same object, as equal nodes are.
    """

    arguments: tuple[Symbol, ...]
    body: Node
    digest: int

    @staticmethod
    def of(arguments: tuple[Symbol, ...], body: Node) -> Function:
        """Return the function: `Function.of((h,), tanh(h))`."""
        known = body.__dict__.setdefault("_functions", {})
        if arguments not in known:
            known[arguments] = made = Function()
            made.arguments, made.body = arguments, body
            made.digest = hash((10, body.digest, *(symbol.digest for symbol in arguments)))
        found: Function = known[arguments]
        return found


def remembered(ask: Callable[[SomeNode], Answer]) -> Callable[[SomeNode], Answer]:
    """Return a function of nodes that each node is asked once; what it answers must not be the node itself."""
    key = f"_{ask.__module__}.{ask.__qualname__}"

    @wraps(ask)
    def known(node: SomeNode) -> Answer:
        found: Answer | None = node.__dict__.get(key)
        if found is None:
            found = node.__dict__[key] = ask(node)
        return found

    return known


def is_function(node: Node, name: str) -> TypeGuard[Map | Apply]:
    """Whether a node is that function of its operands: `is_function(exp(x), "exp")`."""
    return isinstance(node, Map | Apply) and node.operator.name == name


def sizes_of(factors: Iterable[Factor]) -> dict[int, int]:
    """Return the size of each label of an einsum."""
    sizes: dict[int, int] = {}
    for node, labels in factors:
        sizes.update(zip(labels, node.shape, strict=True))
    return sizes


def topological(roots: Iterable[Node]) -> list[Node]:
    """Return every node below the roots, each after its children; deep graphs do not recurse."""
    order: list[Node] = []
    opened: set[Node] = set()
    done: set[Node] = set()
    stack = [*roots][::-1]
    while stack:
        node = stack.pop()
        if node in opened or not node.children:
            if node not in done:
                done.add(node)
                order.append(node)
        else:
            opened.add(node)
            stack.append(node)
            stack += node.children[::-1]
    return order


def uses(roots: Sequence[Node], order: Iterable[Node] | None = None) -> Counter[Node]:
    """Return how many times each node is used, by others or as a root; `order` are the nodes, where they are known."""
    order = topological(roots) if order is None else order
    return Counter([*roots, *(child for node in order for child in node.children)])


def symbols(roots: Iterable[Node]) -> dict[str, Symbol]:
    """Return the symbols below the roots by name, in order of appearance."""
    return {node.name: node for node in topological(roots) if isinstance(node, Symbol)}
