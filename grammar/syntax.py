"""The syntax tree: what the user wrote, with places, before any meaning is given to it.

Every node knows its `span` in the source (characters, end exclusive). Spans never take part in comparison, so two
trees are equal when they say the same thing: `parse(write(tree)) == tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter, is_
from typing import Any, ClassVar, TypeVar, dataclass_transform

from .budget import spend
from .errors import Span

NOWHERE: Span = (0, 0)


Kind = TypeVar("Kind", bound="Node")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def node(kind: type[Kind]) -> type[Kind]:
    """Make a class a dataclass whose objects nobody changes, as mypy sees to.

    What nodes have in common stands in `Node`: `dataclass` would write it for each kind anew, in half of the time that
    the grammar takes to start.
    """
    made = dataclass(eq=False, repr=False)(kind)
    made.compared = tuple(item.name for item in fields(made) if item.compare)
    made.content = attrgetter("__class__", *made.compared)
    return made


@node
class Node:
    """The base of all syntax nodes; `content` reads from one all that it compares by: the fields in `compared`."""

    content: ClassVar[attrgetter[Any]]
    compared: ClassVar[tuple[str, ...]] = ()
    # What each object remembers of itself once it is asked.
    _hash: ClassVar[int | None] = None
    _parts: ClassVar[tuple[Node, ...] | None] = None
    span: Span = field(default=NOWHERE, compare=False, kw_only=True)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Node) or type(other) is not type(self):
            return False
        mine, its = self.__dict__, other.__dict__
        twin = mine.get("_twin") or its.get("_twin") or self
        if mine.get("_twin", self) is its.get("_twin", other):
            return True
        if hash(self) != hash(other) or self.content(self) != self.content(other):
            return False
        # Found once: where parts are shared, the same two meet on every way to them.
        mine["_twin"] = its["_twin"] = twin
        return True

    def __hash__(self) -> int:
        known = self._hash
        if known is not None:
            return known
        # Parts before wholes, without recursion: a sum may have thousands of terms.
        stack = [self]
        while stack:
            waiting = [part for part in children(stack[-1]) if "_hash" not in part.__dict__]
            if waiting:
                stack += waiting
            else:
                node = stack.pop()
                node.__dict__["_hash"] = hash(node.content(node))
        return int(self.__dict__["_hash"])

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.compared)
        return f"{type(self).__name__}({parts})"


@node
class Number(Node):
    """A number literal, kept as text so that `0.1` stays exact: `Number("2.5e-3")`."""

    text: str


@node
class String(Node):
    """A quoted word, as in `norm(X, 'fro')`: `String("fro")`."""

    value: str


@node
class Literal(Node):
    """`None`, `True`, `False` or `...`."""

    value: object


@node
class Name(Node):
    """A name: an input, an earlier assignment, or a named constant when it has a library prefix (`np.pi`)."""

    name: str
    prefix: str = ""


@node
class Local(Node):
    """A name that a function binds, where the function uses it: the `h` of `lambda h: tanh(W @ h)`."""

    name: str


@node
class Lambda(Node):
    """A function as an argument: `lambda h, x: tanh(W @ h + U @ x)`. In its body the parameters are `Local`s."""

    parameters: tuple[str, ...]
    body: Node


@node
class Unary(Node):
    """A prefix operator, `-` or `+`."""

    operator: str
    operand: Node


@node
class Binary(Node):
    """An infix operator: `+ - * / // % @ **` or a comparison `< <= > >= == !=`. `^` is read as `**`.

    `mark` remembers a sign that stands between numbers: the `·` or `×` of a textbook, `/` and `^` as MATLAB has them.
    """

    operator: str
    left: Node
    right: Node
    operator_span: Span = field(default=NOWHERE, compare=False, kw_only=True)
    mark: str = field(default="", compare=False, kw_only=True)


@node
class Attribute(Node):
    """A property without arguments: `.T`, `.mT`. A postfix quote is read as `.T`."""

    operand: Node
    name: str


@node
class Keyword(Node):
    """A keyword argument: `axis=0`."""

    name: str
    value: Node


@node
class Call(Node):
    """A function applied to arguments.

    `np.linalg.inv(A)` is `Call("inv", (A,), prefix="np.linalg")`. A method call `x.sum(axis=0)` is the same call with
    the receiver as first argument; `method` only remembers how it was spelled, and `typed` the function that stands in
    the text where this one takes its place. `mark` remembers a sign: `||` for bars, `&` between masks,
    and `matlab` for MATLAB's `sum(A)`.
    """

    function: str
    arguments: tuple[Node, ...]
    keywords: tuple[Keyword, ...] = ()
    prefix: str = field(default="", compare=False)
    method: bool = field(default=False, compare=False)
    typed: str = field(default="", compare=False)
    mark: str = field(default="", compare=False, kw_only=True)
    function_span: Span = field(default=NOWHERE, compare=False, kw_only=True)


@node
class Slice(Node):
    """`start:stop:step` between index brackets; an absent part is None."""

    start: Node | None = None
    stop: Node | None = None
    step: Node | None = None


@node
class Index(Node):
    """Indexing: `A[:, 1]`. An item is an expression, a `Slice`, or `Literal(None)` / `Literal(...)`.

    `w, V = eigh(A)` is read as `w = eigh(A)[0]; V = eigh(A)[1]`; `count` then says that there must be two parts.
    """

    operand: Node
    items: tuple[Node, ...]
    count: int | None = field(default=None, compare=False)


@node
class ListLiteral(Node):
    """`[1, 2]`, `[[1, 2], [3, 4]]`; `[1 2; 3 4]` is read as the latter."""

    items: tuple[Node, ...]


@node
class TupleLiteral(Node):
    """`(2, 3)`, as in `reshape(x, (2, 3))`."""

    items: tuple[Node, ...]


@node
class Assignment(Node):
    """`Z = X @ Y`, a statement before the last."""

    name: str
    value: Node
    name_span: Span = field(default=NOWHERE, compare=False, kw_only=True)


@node
class Program(Node):
    """The whole input: assignments, then the expression that is the answer.

    What pasted code says besides: values and shapes `given` to inputs, what is `tracked` to differentiate by, and what
    is `detached`, so that no derivative passes through it. `syntax` is `matlab` for a text in MATLAB's reading, and
    `quoted` says whether another has quotes or rows as in MATLAB.
    """

    assignments: tuple[Assignment, ...]
    result: Node
    given: tuple[Assignment, ...] = field(default=(), compare=False, kw_only=True)
    tracked: tuple[str, ...] = field(default=(), compare=False, kw_only=True)
    detached: tuple[Node, ...] = field(default=(), compare=False, kw_only=True)
    syntax: str = field(default="", compare=False, kw_only=True)
    quoted: bool = field(default=False, compare=False, kw_only=True)


def span_of(node: Node) -> Span:
    """Return the place of a node in the source."""
    span: Span = getattr(node, "span", NOWHERE)
    return span


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct sub-nodes in source order: `children(Binary("+", a, b)) == (a, b)`."""
    found = node._parts
    if found is None:
        items: list[Any] = []
        for name in node.compared:
            value = getattr(node, name)
            if isinstance(value, tuple):
                items += value
            else:
                items.append(value)
        found = node.__dict__["_parts"] = tuple([item for item in items if isinstance(item, Node)])
    return found


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a node with each of its direct sub-nodes changed; the node itself where none is."""
    if not children(node):
        return node
    changes: dict[str, Any] = {}
    for name in node.compared:
        value = getattr(node, name)
        if isinstance(value, Node):
            changed: Any = change(value)
        elif isinstance(value, tuple):
            changed = tuple(change(item) if isinstance(item, Node) else item for item in value)
            changed = value if all(map(is_, changed, value)) else changed
        else:
            continue
        if changed is not value:
            changes[name] = changed
    return replace(node, **changes) if changes else node


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it, parents first; a part that several share comes once, after them all."""
    order: list[Node] = []
    opened: set[int] = set()
    closed: set[int] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        key = id(current)
        if key in closed:
            continue
        parts = () if key in opened else children(current)
        if parts:
            opened.add(key)
            stack.append(current)
            stack.extend(parts)
        else:
            closed.add(key)
            order.append(current)
    spend(len(order))
    return reversed(order)


def free_names(program: Program) -> dict[str, Span]:
    """Return the names that need a value, in order of appearance, each with its first place.

    Example: `free_names(parse("Z = a*b; Z + c"))` has the keys `a`, `b`, `c`.
    """
    names: dict[str, Span] = {}
    assigned: set[str] = set()
    for assignment in program.assignments:
        _collect(assignment.value, assigned, names)
        assigned.add(assignment.name)
    _collect(program.result, assigned, names)
    return names


def _collect(node: Node, assigned: set[str], names: dict[str, Span]) -> None:
    for item in walk(node):
        if isinstance(item, Name) and not item.prefix and item.name not in assigned:
            names.setdefault(item.name, item.span)
