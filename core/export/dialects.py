"""Trees in the words of a Python library: what NumPy's operators say by themselves, PyTorch and JAX want said."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import TypeGuard

from ...grammar import syntax
from ...grammar.budget import spend
from ...grammar.syntax import Attribute, Binary, Call, Index, ListLiteral, Name, Node, Number, Unary, map_children
from ...grammar.writer import write
from ..elaboration.arguments import SEQUENCES, bind, declaration
from ..elaboration.infix import COMPARISONS
from ..elaboration.ranks import Ranks
from ..errors import UsageProblem
from ..graph.catalogue import find
from ..graph.operator import Operator
from ..notation.trees import negated, spelled
from .templates import LIBRARIES, PREFIXES, slots, template

# Functions along an axis that a library does not take over all entries; those that keep the shape give it back.
KEEPS_SHAPE = ("softmax", "log_softmax")
NEEDS_AXIS = {"numpy": (), "torch": (*KEEPS_SHAPE, "logsumexp", "cumsum"), "jax": KEEPS_SHAPE}
SHAPES = ("shape", "size", "reps")
CONSTANTS = ("pi", "inf")


class Dialect:
    """Rewrites trees whose ranks are known for a Python library: `numpy`, `torch` or `jax`."""

    def __init__(self, library: str, ranks: Ranks, sizes: frozenset[str]) -> None:
        self.library = library
        self.ranks = ranks
        self.sizes = sizes
        self._known: dict[int, tuple[Node, Node]] = {}

    def rewritten(self, node: Node) -> Node:
        """Return a tree that the library runs, with the same value."""
        changed = self._numeric(node)
        return Call("tensor", (changed,)) if self.library == "torch" and self._static(node) else changed

    def _numeric(self, node: Node) -> Node:
        """Return a rewritten tree in which a comparison counts as 0 and 1."""
        changed = self._changed(node)
        return Call("mask", (changed,)) if _boolean(node) else changed

    def _changed(self, node: Node) -> Node:
        found = self._known.get(id(node))
        if found is None:
            spend(1)
            # The part is kept with what it becomes: its id is that of no other.
            found = self._known[id(node)] = node, self._in_words(node)
        return found[1]

    def _in_words(self, node: Node) -> Node:
        match node:
            case Binary("*" | "/") if (gated := _gated(node)) is not None:
                return self._call(gated)
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
            case Name(name) if self._constant(node):
                return Name(name, PREFIXES[self.library])
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
        return map_children(node, self._numeric)

    def _constant(self, name: Name) -> bool:
        return bool(name.prefix) or (name.name in CONSTANTS and name.name not in self.ranks.environment)

    def _factor(self, node: Node, other: Node) -> Node:
        """Return a factor: true and false may stand beside numbers, in PyTorch only where those are of its own type."""
        plain = self.library != "torch" or not (self._static(other) or _boolean(other))
        return self._changed(node) if plain else self._numeric(node)

    def _listed(self, node: Node) -> Node:
        """Return the list of what is joined, in which each is an array."""
        return map_children(node, self._numeric) if isinstance(node, ListLiteral) else self._numeric(node)

    def _item(self, node: Node) -> Node:
        return map_children(node, self._item) if isinstance(node, ListLiteral) else self._numeric(node)

    def _static(self, node: Node) -> bool:
        """Whether a tree is a plain number to Python: it holds literals and sizes only."""
        match node:
            case Number():
                return True
            case Name(name):
                return name in self.sizes or self._constant(node)
            case Unary(_, operand):
                return self._static(operand)
            case Binary(_, left, right):
                return self._static(left) and self._static(right)
            case Call("minimum", (left, right)):
                return self._static(left) and self._static(right)
        return False

    # Calls.

    def _call(self, node: Call) -> Node:
        name, arguments = node.function, node.arguments
        match node:
            case Call("minimum", sizes) if self._static(node):
                return Call("least", sizes)
            case Call("xlogx", (x,)):
                return self._call(Call("xlogy", (x, x)))
            case Call("where", (condition, first, second)):
                asked = condition if _boolean(condition) else Binary("!=", condition, Number("0"))
                return Call("where", (self._changed(asked), self._operand(first), self._operand(second)))
            case Call("vec", (x,)) if self.ranks.of(x) != 2:
                return Call("ravel", (self._call(Call("transpose", (x,))),))
            case Call("norm", (x,), ()) if self.ranks.of(x) > 2:
                return Call("norm", (Call("ravel", (self._numeric(x),)),))
            case Call("outer", (left, right)):
                sides = (Call("ravel", (side,)) if self.ranks.of(side) != 1 else side for side in (left, right))
                return map_children(Call("outer", tuple(sides)), self._numeric)
        operator = find(name)
        if operator is None:
            return map_children(node, self._plain)
        if declaration(operator.parameters).variadic:
            return Call(operator.name, tuple(map(self._operand, arguments)), node.keywords)
        operands, placed, named = self._bound(operator, node)
        axis = named.get("axis")
        if self.library == "torch" and name == "prod" and isinstance(axis, syntax.TupleLiteral):
            return self._call(_one_by_one(node, axis))
        if operator.name in NEEDS_AXIS[self.library] and axis is None and not placed:
            return self._over_all(operator.name, *operands)
        keywords = tuple(syntax.Keyword(name, self._setting(name, value)) for name, value in named.items())
        settings = tuple(self._setting(name, value) for name, value in placed.items())
        # The list of what is joined or multiplied is no array.
        of = self._listed if operator.parameters.startswith("[") else self._operand
        return Call(operator.name, (*map(of, operands), *settings), keywords)

    def _bound(self, operator: Operator, node: Call) -> tuple[list[Node], dict[str, Node], dict[str, Node]]:
        """Return the operands of a call, the settings that stand in place, and those by keyword, in the entry's words.

        Settings with a slot in the template stand in place; where it has no slots, those that the call has in place.
        Raises UsageProblem where the library has no such function, or does not know a setting.
        """
        declared = declaration(operator.parameters)
        positional: list[object] = [_value(item) for item in node.arguments]
        listed = declared.listed
        if listed and isinstance(parts := positional[0], ListLiteral):
            positional[0] = list(parts.items)
        bound = bind(operator, positional, {item.name: _value(item.value) for item in node.keywords})
        taken = [spelled(item) for item in bound.operands]
        operands: list[Node] = [ListLiteral(tuple(taken))] if listed else taken
        given = [name for name, value in bound.settings.items() if value is not declared.settings[name]]
        text = template(operator, self.library)
        count = len(positional) - len(operands)
        if text is not None and slots(text):
            count = slots(text) - len(operands)
        elif count > 1 and next(iter(bound.settings)) in SEQUENCES:
            count = 1
        in_place = list(bound.settings)[: max(count, 0)]
        rest = [name for name in given if name not in in_place]
        if text is None or (rest and "#*" not in text):
            raise _missing(operator, node, self.library)
        trees = {name: spelled(value) for name, value in bound.settings.items()}
        return operands, {name: trees[name] for name in in_place}, {name: trees[name] for name in rest}

    def _operand(self, node: Node) -> Node:
        """Return an operand of a function; PyTorch's functions take tensors, not numbers."""
        return node if isinstance(node, syntax.String) else self.rewritten(node)

    def _setting(self, name: str, node: Node) -> Node:
        """Return a setting; PyTorch takes a shape of one axis as a tuple only."""
        if self.library == "torch" and name in SHAPES and not isinstance(node, syntax.TupleLiteral):
            node = syntax.TupleLiteral((node,))
        return self._plain(node)

    def _plain(self, node: Node) -> Node:
        """Return a setting: lists and numbers stay what they are."""
        if isinstance(node, ListLiteral | syntax.TupleLiteral | syntax.Literal | syntax.Slice | Number):
            return map_children(node, self._plain)
        return self._numeric(node)

    def _over_all(self, name: str, operand: Node) -> Node:
        """Return a function along an axis that is taken over all entries."""
        x = self._operand(operand)
        axis = syntax.Keyword("axis", Number("0"))
        if self.ranks.of(operand) == 1:
            return Call(name, (x,), (axis,))
        result = Call(name, (Call("ravel", (x,)),), (axis,))
        return Call("reshape", (result, Attribute(x, "shape"))) if name in KEEPS_SHAPE else result

    # Indices.

    def _index(self, node: Index) -> Node:
        items = [self._index_item(item) for item in node.items]
        operand = self._numeric(node.operand)
        if self.library == "torch":
            flips = [place for place, item in enumerate(items) if _backwards(item)]
            if flips:
                axes = [sum(item != syntax.Literal(None) for item in items[:place]) for place in flips]
                operand = Call("reversed", (operand, syntax.TupleLiteral(tuple(Number(str(axis)) for axis in axes))))
            items = [_forwards(item) if _backwards(item) else item for item in items]
            if all(item == syntax.Slice() for item in items):
                return operand
        return Index(operand, tuple(items))

    def _index_item(self, item: Node) -> Node:
        match item:
            case Call("ravel", (mask,)) if _boolean(mask):
                return Call("ravel", (self._changed(mask),))
            case _ if _boolean(item):
                return self._changed(item)
        if isinstance(item, ListLiteral) and self.library == "jax":
            return Call("array", (item,))
        return item if isinstance(item, ListLiteral | syntax.Literal) else self._plain(item)


def _missing(operator: Operator, node: Call, library: str) -> UsageProblem:
    """Return the error of a call that a library has no words for."""
    helps = [f"{LIBRARIES[other]} has it" for other in LIBRARIES if other != library and template(operator, other)]
    if isinstance(operator.definition, str):
        helps = [f"write `{operator.definition}`", *helps]
    return UsageProblem(f"`{write(node)}` cannot be written for {LIBRARIES[library]}", helps=helps)


def _value(node: Node) -> object:
    """Return a setting as the default of a declaration would be: a tree, or what `None`, `True` and `False` are."""
    return node.value if isinstance(node, syntax.Literal) else node


def _boolean(node: Node) -> bool:
    """Whether a library computes a tree as true and false."""
    match node:
        case Binary("*", left, right):
            return _boolean(left) and _boolean(right)
        case Binary(sign):
            return sign in COMPARISONS
        case Attribute(operand, "T" | "mT") | Index(operand):
            return _boolean(operand)
        case Call(name):
            operator = find(name)
            return operator is not None and operator.mask
    return False


def _gated(node: Node) -> Call | None:
    """Return a product with masks as `where(mask, rest, 0)`, where 0 times the rest might be no number."""
    above, below = _factors(node)
    masks = [factor for factor in above if _boolean(factor)]
    others = [factor for factor in above if not _boolean(factor)]
    if not masks or (all(map(_is_finite, others)) and all(isinstance(factor, Number) for factor in below)):
        return None
    rest = _multiplied(others) if others else Number("1")
    return Call("where", (_multiplied(masks), Binary("/", rest, _multiplied(below)) if below else rest, Number("0")))


def _factors(node: Node) -> tuple[list[Node], list[Node]]:
    """Return what a product multiplies, and what it divides by."""
    match node:
        case Binary("*" | "/" as sign, left, right):
            (above, below), (more, less) = _factors(left), _factors(right)
            return (above + more, below + less) if sign == "*" else (above + less, below + more)
    return [node], []


def _multiplied(factors: list[Node]) -> Node:
    return reduce(lambda left, right: Binary("*", left, right), factors)


def _is_finite(node: Node) -> bool:
    """Whether a tree is a number wherever its inputs are, but for overflow."""
    match node:
        case Binary("/", left, right):
            return _is_finite(left) and isinstance(right, Number)
        case Binary("**", base, exponent):
            return _is_finite(base) and isinstance(exponent, Number) and exponent.text.isdigit()
        case Call(function):
            operator = find(function)
            if operator is None or operator.domain:
                return False
    return all(map(_is_finite, syntax.children(node)))


def _one_by_one(node: Call, axes: syntax.TupleLiteral) -> Call:
    """Return a reduction over several axes as reductions over one axis each, the last axis first."""
    (x,) = node.arguments
    places = sorted((Fraction(item.text) for item in axes.items if isinstance(item, Number)), reverse=True)
    for place in places:
        x = Call(node.function, (x,), (syntax.Keyword("axis", Number(str(place))),))
    assert isinstance(x, Call)
    return x


def _backwards(item: Node) -> TypeGuard[syntax.Slice]:
    return isinstance(item, syntax.Slice) and isinstance(item.step, Unary) and item.step.operator == "-"


def _forwards(item: syntax.Slice) -> syntax.Slice:
    """Return a slice with a negative step as the slice of the reversed axis."""
    assert item.step is not None
    step = negated(item.step)
    return syntax.Slice(_mirrored(item.start), _mirrored(item.stop), None if step == Number("1") else step)


def _mirrored(bound: Node | None) -> Node | None:
    """Return an index counted from the other end: 0 is -1."""
    match bound:
        case Number(text):
            return Unary("-", Number(str(int(text) + 1)))
        case Unary("-", Number(text)):
            return Number(str(int(text) - 1))
        case None:
            return None
    return Binary("-", negated(bound), Number("1"))
