"""Trees in the words of a Python library: what NumPy's operators say by themselves, PyTorch and JAX want said."""

from __future__ import annotations

from fractions import Fraction

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
    TupleLiteral,
    Unary,
    map_children,
)
from ..elaboration.infix import COMPARISONS
from ..elaboration.ranks import Ranks
from ..graph.catalogue import find
from ..notation.trees import negated

ALONG_AXES = ("softmax", "log_softmax", "logsumexp")
CONSTANTS = ("pi", "inf")


class Dialect:
    """Rewrites trees whose ranks are known for a Python library: `numpy`, `torch` or `jax`."""

    def __init__(self, library: str, ranks: Ranks, sizes: frozenset[str]) -> None:
        self.library = library
        self.ranks = ranks
        self.sizes = sizes

    def rewritten(self, node: Node) -> Node:
        """Return a tree that the library runs, with the same value."""
        changed = self._numeric(node)
        return Call("tensor", (changed,)) if self.library == "torch" and self._static(node) else changed

    def _numeric(self, node: Node) -> Node:
        """Return a rewritten tree in which a comparison counts as 0 and 1."""
        changed = self._changed(node)
        return Call("mask", (changed,)) if _boolean(node) else changed

    def _changed(self, node: Node) -> Node:
        match node:
            case Binary("*" | "/" as sign, left, right) if not _boolean(node):
                return Binary(sign, self._factor(left, right), self._factor(right, left))
            case Binary(sign, left, right) if sign in COMPARISONS or _boolean(node):
                change = self._numeric if sign in COMPARISONS else self._changed
                return Binary(sign, change(left), change(right))
            case Attribute(operand, "T") if self.ranks.of(operand) < 2:
                return self._changed(operand)
            case Attribute(operand, "mT") if self.ranks.of(operand) == 2:
                return Attribute(self._numeric(operand), "T")
            case ListLiteral():
                return Call("array", (map_children(node, self._item),))
            case Name(name, "") if name in CONSTANTS and name not in self.ranks.environment:
                return Name(name, {"numpy": "np", "jax": "jnp"}.get(self.library, "torch"))
            case Name(name, prefix) if prefix:
                return Name(name, {"numpy": "np", "jax": "jnp"}.get(self.library, "torch"))
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
        return map_children(node, self._numeric)

    def _factor(self, node: Node, other: Node) -> Node:
        """Return a factor: true and false may stand beside numbers, in PyTorch only where those are of its own type."""
        plain = self.library != "torch" or not (self._static(other) or _boolean(other))
        return self._changed(node) if plain else self._numeric(node)

    def _item(self, node: Node) -> Node:
        return map_children(node, self._item) if isinstance(node, ListLiteral) else self._numeric(node)

    def _static(self, node: Node) -> bool:
        """Whether a tree is a plain number to Python: it holds literals and sizes only."""
        match node:
            case Number():
                return True
            case Name(name, prefix):
                return bool(prefix) or name in self.sizes or (name in CONSTANTS and name not in self.ranks.environment)
            case Unary(_, operand):
                return self._static(operand)
            case Binary(_, left, right):
                return self._static(left) and self._static(right)
        return False

    # Calls.

    def _call(self, node: Call) -> Node:
        name, arguments = node.function, node.arguments
        match node:
            case Call("xlogx", (x,)):
                return self._call(Call("xlogy", (x, x)))
            case Call("where", (condition, first, second)):
                asked = condition if _boolean(condition) else Binary("!=", condition, Number("0"))
                return Call("where", (self._changed(asked), self._operand(first), self._operand(second)))
            case Call("norm", (x,), ()) if self.ranks.of(x) > 2:
                return Call("norm", (Call("ravel", (self._numeric(x),)),))
            case Call("outer", (left, right)):
                sides = (Call("ravel", (side,)) if self.ranks.of(side) != 1 else side for side in (left, right))
                return map_children(Call("outer", tuple(sides)), self._numeric)
        operator = find(name)
        if operator is None or operator.parameters.startswith("["):
            return map_children(node, self._plain)
        axis = next((item.value for item in node.keywords if item.name == "axis"), None)
        if self.library == "torch" and name == "prod" and isinstance(axis, TupleLiteral):
            return self._call(_one_by_one(node, axis))
        if name in ALONG_AXES and axis is None and len(arguments) == 1:
            return self._over_all(node)
        count = len(arguments) if operator.parameters.startswith("*") else len(operator.operands)
        operands = tuple(self._operand(item) for item in arguments[:count])
        settings = tuple(self._plain(item) for item in arguments[count:])
        keywords = tuple(Keyword(item.name, self._plain(item.value)) for item in node.keywords)
        return Call(name, (*operands, *settings), keywords)

    def _operand(self, node: Node) -> Node:
        """Return an operand of a function; PyTorch's functions take tensors, not numbers."""
        return self.rewritten(node)

    def _plain(self, node: Node) -> Node:
        """Return a setting: lists and numbers stay what they are."""
        if isinstance(node, ListLiteral | TupleLiteral | Literal | Slice | Number):
            return map_children(node, self._plain)
        return self._numeric(node)

    def _over_all(self, node: Call) -> Node:
        """Return a function along axes that is taken over all entries."""
        (x,) = node.arguments
        rank = self.ranks.of(x)
        if self.library == "numpy" or (self.library == "jax" and node.function == "logsumexp"):
            return map_children(node, self._numeric)
        axis = Keyword("axis", Number("0"))
        operand = self._operand(x)
        if rank == 1:
            return Call(node.function, (operand,), (axis,))
        result = Call(node.function, (Call("ravel", (operand,)),), (axis,))
        if node.function == "logsumexp":
            return result
        return Call("reshape", (result, Attribute(operand, "shape")))

    # Indices.

    def _index(self, node: Index) -> Node:
        items = [self._index_item(item) for item in node.items]
        operand = self._numeric(node.operand)
        if self.library == "torch":
            flips = [place for place, item in enumerate(items) if isinstance(item, Slice) and _backwards(item)]
            if flips:
                axes = [sum(item != Literal(None) for item in items[:place]) for place in flips]
                operand = Call("flip", (operand, TupleLiteral(tuple(Number(str(axis)) for axis in axes))))
            items = [_forwards(item) if isinstance(item, Slice) and _backwards(item) else item for item in items]
            if all(item == Slice() for item in items):
                return operand
        return Index(operand, tuple(items))

    def _index_item(self, item: Node) -> Node:
        if isinstance(item, ListLiteral) and self.library == "jax":
            return Call("array", (item,))
        return item if isinstance(item, Slice | ListLiteral | Literal) else self._numeric(item)


def _boolean(node: Node) -> bool:
    """Whether a library computes a tree as true and false."""
    match node:
        case Binary("*", left, right):
            return _boolean(left) and _boolean(right)
        case Binary(sign):
            return sign in COMPARISONS
        case Attribute(operand, "T" | "mT") | Index(operand):
            return _boolean(operand)
    return False


def _one_by_one(node: Call, axes: TupleLiteral) -> Call:
    """Return a reduction over several axes as reductions over one axis each, the last axis first."""
    (x,) = node.arguments
    places = sorted((Fraction(item.text) for item in axes.items if isinstance(item, Number)), reverse=True)
    for place in places:
        x = Call(node.function, (x,), (Keyword("axis", Number(str(place))),))
    assert isinstance(x, Call)
    return x


def _backwards(item: Slice) -> bool:
    return isinstance(item.step, Unary) and item.step.operator == "-"


def _forwards(item: Slice) -> Slice:
    """Return a slice with a negative step as the slice of the reversed axis."""
    assert item.step is not None
    step = negated(item.step)
    return Slice(_mirrored(item.start), _mirrored(item.stop), None if step == Number("1") else step)


def _mirrored(bound: Node | None) -> Node | None:
    """Return an index counted from the other end: 0 is -1."""
    match bound:
        case Number(text):
            return Unary("-", Number(str(int(text) + 1)))
        case Unary("-", Number(text)):
            return Number(str(int(text) - 1))
    return bound
