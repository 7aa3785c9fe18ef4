"""What an expression demands of the ranks of its parts, read off the syntax tree.

Each part is a variable: an infix operator has as many axes as the operand with the most, `@` as NumPy says, and a call
what its operator gives when it is tried on stand-ins. On the way the sums, the products and the lists are noted: the
habits of `habits` are about them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

from ...grammar import syntax
from ...grammar.rewriting import rewritten
from ...grammar.vocabulary import TAKE_FUNCTIONS
from ..errors import ExpressionError, ShapeError
from ..graph import catalogue
from ..graph.nodes import Node
from ..graph.sizes import NotPlainError, names_in
from .arguments import bind, declaration, several_outputs, written_out
from .network import Broadcast, Call, Network
from .solver import Solver

# The ranks that parts of an expression may have.
ALL = range(17)
ADDITIVE, MULTIPLICATIVE = ("+", "-"), ("*", "/", "//")


class Part(NamedTuple):
    """A part of an expression: its variable, and the names that stand in it."""

    variable: int
    node: syntax.Node


class Chain(NamedTuple):
    """Terms or factors that stand side by side, and what they make together."""

    whole: int
    parts: tuple[Part, ...]


class Demands:
    """The ranks that are possible in a program, and the places that tell how a name is meant.

    - `names` are the variables of the inputs, `open` those inputs whose rank is not known;
    - `sums`, `products` and `meetings` (other operators of entries) are the places where parts meet entry by entry;
    - `ratios` are the divisors in products;
    - `exponents`, `entries` of lists, operands of what goes `along_axes` as a sum does, those of `@` (`multiplied`),
      and the `leading` factors of chains of `@`, with what they stand before.
    """

    def __init__(
        self, program: syntax.Program, known: Mapping[str, int], unknown: Iterable[str], possible: Collection[int]
    ) -> None:
        self.network = Network()
        self.names = {name: self.network.variable({rank}) for name, rank in known.items()}
        self.names |= {name: self.network.variable(possible) for name in unknown}
        self.open = dict.fromkeys(unknown)
        self.sums: list[Chain] = []
        self.products: list[Chain] = []
        self.meetings: list[Chain] = []
        self.ratios: list[tuple[Part, Chain]] = []
        self.exponents: list[int] = []
        self.entries: list[int] = []
        self.along_axes: list[int] = []
        self.multiplied: list[Part] = []
        self.leading: list[tuple[Part, syntax.Node]] = []
        self._assigned: dict[str, tuple[int | None, syntax.Node]] = {}
        self._numbered: dict[Hashable, int] = {}
        self._visited: dict[int, tuple[syntax.Node, int | None]] = {}
        self._locals: dict[str, int | None] = {}
        names = [assignment.name for assignment in program.assignments]
        # A name that is assigned anew means something else in every line.
        self._changing = {name for name in names if names.count(name) > 1 or name in self.names}
        for assignment in program.assignments:
            self._assigned[assignment.name] = self.visit(assignment.value), assignment.value
        self.result = self.visit(program.result)

    def visit(self, node: syntax.Node) -> int | None:
        """Return the variable of a part; None for what is no array, as a word or a shape.

        A part is asked for by all that look at it, and looked at once: else the work would double with each level.
        """
        known = self._visited.get(id(node))
        if known is not None:
            return known[1]
        found: int | None = None
        match node:
            case syntax.Number():
                found = self._once("number", lambda: self.network.variable({0}))
            case syntax.Name():
                found = self._name(node)
            case syntax.Binary():
                found = self._binary(node)
            case syntax.ListLiteral():
                found = self._list(node)
            case syntax.Unary() | syntax.Attribute(_, "T"):
                found = self.visit(node.operand)
            case syntax.Attribute(_, "shape"):
                pass
            case syntax.Local():
                found = self._locals.get(node.name)
            case syntax.Call() if _takes_function(node):
                found = self._loop(node)[0]
            case syntax.Index(syntax.Call() as call, (syntax.Number(place),)) if _takes_function(call, outputs=True):
                found = self._loop(call)[int(place) != 0]
            case syntax.Attribute() | syntax.Index() | syntax.Call():
                found = self._tried(node)
        # The part is kept with its variable: its id is that of no other.
        self._visited[id(node)] = node, found
        return found

    def _loop(self, node: syntax.Call) -> tuple[int | None, int | None]:
        """Return the variables of what a loop or a solution ends with, and of the outputs of its steps."""
        function, start, *sequences = node.arguments
        assert isinstance(function, syntax.Lambda)
        state = self.visit(start)
        state = self.network.variable(ALL) if state is None else state
        whole = map(self.visit, sequences)
        rows = [None if one is None else self._call("row", (one,), lambda ranks: ranks[0] - 1) for one in whole]
        outside, self._locals = self._locals, {**self._locals}
        self._locals.update(zip(function.parameters, [state, *rows], strict=False))
        bodies = function.body.items if isinstance(function.body, syntax.TupleLiteral) else (function.body,)
        found = [self.visit(body) for body in bodies]
        self._locals = outside
        if found and found[0] is not None:
            if node.function == "argmin":
                self.network.narrow(found[0], {0})
            else:
                self.network.relate(Call(state, (found[0],), lambda ranks: ranks[0]))
        if node.function == "states":
            return self._call("states", (state,), lambda ranks: ranks[0] + 1), None
        outputs = found[1] if len(found) > 1 else None
        return state, None if outputs is None else self._call("states", (outputs,), lambda ranks: ranks[0] + 1)

    def _once(self, key: Hashable, make: Callable[[], int]) -> int:
        """Return the variable of what was seen before: equal parts have equal ranks."""
        if key not in self._numbered:
            self._numbered[key] = make()
        return self._numbered[key]

    def _part(self, node: syntax.Node) -> Part | None:
        variable = self.visit(node)
        return None if variable is None else Part(variable, node)

    def _parts(self, nodes: Iterable[syntax.Node]) -> tuple[Part, ...]:
        return tuple(part for part in map(self._part, nodes) if part is not None)

    def _name(self, node: syntax.Name) -> int | None:
        if node.prefix:
            return self._once("number", lambda: self.network.variable({0}))
        if node.name in self._assigned:
            return self._assigned[node.name][0]
        if node.name in self.names:
            return self.names[node.name]
        return self._once("number", lambda: self.network.variable({0}))

    def _binary(self, node: syntax.Binary) -> int | None:
        if node.operator == "@":
            return self._matmul(node)
        family = next((signs for signs in (ADDITIVE, MULTIPLICATIVE) if node.operator in signs), (node.operator,))
        chain = [*_spine(node, family)]
        parts = self._parts([chain[-1].left, *(item.right for item in reversed(chain))])
        if not parts:
            return None
        result = self._broadcast((family, *(part.variable for part in parts)), parts)
        if node.operator == "**":
            self.exponents += [part.variable for part in parts[1:]]
        chains = {ADDITIVE: self.sums, MULTIPLICATIVE: self.products}.get(family, self.meetings)
        chains.append(Chain(result, parts))
        divisors = [item.right for item in chain if item.operator == "/"]
        self.ratios += [(part, chains[-1]) for part in parts if any(part.node is one for one in divisors)]
        return result

    def _broadcast(self, key: Hashable, parts: Sequence[Part]) -> int:
        """Return what parts make together, two by two: so one change in a long sum does not touch all of it."""

        def make() -> int:
            result = parts[0].variable
            for part in parts[1:]:
                whole = self.network.variable(ALL)
                self.network.relate(Broadcast(whole, (result, part.variable)))
                result = whole
            return result

        return self._once(key, make)

    def _matmul(self, node: syntax.Binary) -> int | None:
        chain = [*_spine(node, ("@",))]
        left = self.visit(chain[-1].left)
        self._note_leading(chain[-1])
        for item in reversed(chain):
            self.multiplied += self._parts(side for side in (item.left, item.right) if _is_plain(side))
            right = self.visit(item.right)
            if left is None or right is None:
                return None
            left = self._call("@", (left, right), _matmul_rank)
        return left

    def _note_leading(self, node: syntax.Binary) -> None:
        """Note the factors before a name or a transpose that begins a chain: `alpha * x.T @ A @ x`."""
        product = node.left
        if isinstance(product, syntax.Binary) and product.operator == "*":
            last = product.right.operand if isinstance(product.right, syntax.Attribute) else product.right
            if last is not product.right or isinstance(last, syntax.Name):
                self.leading += ((part, last) for part in self._parts([product.left]))

    def _call(self, key: Hashable, operands: tuple[int, ...], rank: Callable[[tuple[int, ...]], int | None]) -> int:
        def make() -> int:
            result = self.network.variable(ALL)
            self.network.relate(Call(result, operands, rank))
            return result

        return self._once((key, operands), make)

    def _list(self, node: syntax.ListLiteral) -> int | None:
        items = self._parts(node.items)
        if not items or len(items) < len(node.items):
            return None
        self.entries += [part.variable for part in items]
        alike = self._broadcast(("list", *(part.variable for part in items)), items)
        return self._call("list", (alike,), lambda ranks: ranks[0] + 1)

    def _tried(self, node: syntax.Node) -> int | None:
        """Return the variable of a call, an index or a property, whose ranks are found by trying it."""
        operator = catalogue.find(node.function) if isinstance(node, syntax.Call) else None
        if isinstance(node, syntax.Call) and operator is None:
            self._parts(node.arguments)
            return None
        if isinstance(node, syntax.Call) and operator is not None and operator.rewrite is not None:
            with suppress(ExpressionError):
                return self.visit(written_out(operator, operator.rewrite, node))
        operands: list[int] = []
        template = self._template(node, operands)
        if operator is not None and operator.elementwise:
            parts = self._parts(_operands(node))
            if not parts:
                return None
            result = self._broadcast((operator.name, *operands), parts)
            self.meetings.append(Chain(result, parts))
            return result
        if operator is not None and several_outputs(operator):
            return None
        rank = partial(_rank_of, template)
        if len(operands) == 2 and [rank(ranks) for ranks in ((0, 0), (0, 1), (1, 0), (1, 1))] == [0, 1, 1, 1]:
            self.meetings.append(Chain(self._call(template, tuple(operands), rank), self._parts(_operands(node))))
        goes = operator is not None and "axis" in operator.parameters
        alone = operator is not None and len(operands) == 1 and (goes or rank((1,)) == 0)
        if alone or (goes and len(operands) == 2 and rank((0, 0)) == 0):
            self.along_axes += operands
        return self._call(template, tuple(operands), rank)

    def _template(self, node: syntax.Node, operands: list[int]) -> syntax.Node:
        """Return a part with its operands replaced by their positions, and note their variables."""
        match node:
            case syntax.Attribute():
                return replace(node, operand=self._placed(node.operand, operands))
            case syntax.Index():
                items = tuple(self._setting(item, operands) for item in self._beside_lists(node.items))
                return replace(node, operand=self._placed(node.operand, operands), items=items)
            case syntax.Call():
                return self._call_template(node, operands)
        return self._setting(node, operands)

    def _beside_lists(self, items: Sequence[syntax.Node]) -> Iterator[syntax.Node]:
        """Yield indices; a name beside a list of indices is one too: `y` in `logp[arange(n), y]` is as its `arange`."""
        lists = [item for item in map(self.meant, items) if isinstance(item, syntax.ListLiteral) or _counts(item)]
        for item in items:
            name = item.name if lists and isinstance(item, syntax.Name) else ""
            listed = name in self.open and self.network.narrow(self.names[name], {1})
            yield lists[0] if listed else item

    def _call_template(self, node: syntax.Call, operands: list[int]) -> syntax.Node:
        own = {id(item) for item in _operands(node)}

        def change(item: syntax.Node) -> syntax.Node:
            if id(item) in own:
                return self._placed(item, operands)
            holds = isinstance(item, syntax.Keyword | syntax.ListLiteral | syntax.TupleLiteral)
            return syntax.map_children(item, change) if holds else self._setting(item, operands)

        # Marks of how a call was written refuse some ranks later on: they say nothing of what was meant.
        return syntax.map_children(replace(node, mark=""), change)

    def _placed(self, node: syntax.Node, operands: list[int]) -> syntax.Node:
        variable = self.visit(node)
        if variable is None:
            return self._template(self.meant(node), operands)
        if variable not in operands:
            operands.append(variable)
        return syntax.Name(str(operands.index(variable)))

    def meant(self, node: syntax.Node) -> syntax.Node:
        """Return what a name was assigned, any other part as it is."""
        if isinstance(node, syntax.Name) and node.name in self._assigned and node.name not in self._changing:
            return self._assigned[node.name][1]
        return node

    def _setting(self, node: syntax.Node, operands: list[int]) -> syntax.Node:
        """Return a size, an axis or an index with what it is computed from; names in it are numbers."""
        node = self.meant(node)
        if isinstance(node, syntax.Attribute | syntax.Call | syntax.Index):
            return self._template(node, operands)
        if isinstance(node, syntax.Name) and node.name in self.open:
            self.network.narrow(self.names[node.name], {0})
        return syntax.map_children(node, lambda item: self._setting(item, operands))


def _spine(node: syntax.Binary, signs: Sequence[str]) -> Iterator[syntax.Binary]:
    """Yield the operators of a chain from the last to the first: those that lean to the left of each other."""
    yield node
    while isinstance(node.left, syntax.Binary) and node.left.operator in signs:
        node = node.left
        yield node


def _takes_function(node: syntax.Call, outputs: bool = False) -> bool:
    """Whether a call is a loop or a solution in its full form, or a loop whose steps have `outputs`."""
    match node.arguments:
        case (syntax.Lambda(_, body), _, *_) if node.function in TAKE_FUNCTIONS:
            return not outputs or isinstance(body, syntax.TupleLiteral)
    return False


def _counts(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Call) and node.function == "arange"


def _is_plain(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Name) or (
        isinstance(node, syntax.Attribute) and isinstance(node.operand, syntax.Name)
    )


def _operands(node: syntax.Node) -> list[syntax.Node]:
    """Return the arguments of a call that are arrays; none where the call is not understood."""
    operator = catalogue.find(node.function) if isinstance(node, syntax.Call) else None
    if operator is None or not isinstance(node, syntax.Call):
        return []
    listed = declaration(operator.parameters).listed

    def value(item: syntax.Node) -> object:
        if isinstance(item, syntax.String | syntax.Literal):
            return item.value
        return list(item.items) if listed and isinstance(item, syntax.ListLiteral | syntax.TupleLiteral) else item

    try:
        bound = bind(operator, [*map(value, node.arguments)], {item.name: value(item.value) for item in node.keywords})
    except ExpressionError:
        return []
    return [item for item in bound.operands if isinstance(item, syntax.Node)]


def _matmul_rank(ranks: tuple[int, ...]) -> int | None:
    first, second = ranks
    return max(first - 2, second - 2, 0) + (first > 1) + (second > 1) if first and second else None


def _rank_of(template: syntax.Node, ranks: tuple[int, ...]) -> int | None:
    """Return the rank of a part over operands of given ranks; None if they do not fit, or it makes no sense."""
    try:
        return _tried_rank(*_shortened(template, ranks))
    except ExpressionError:
        return None


def _shortened(template: syntax.Node, ranks: tuple[int, ...]) -> tuple[syntax.Node, tuple[int, ...]]:
    """Return a part with operands of one rank that follow each other in a list cut to two, which tell as much as all.

    Example: `concatenate([0, 1, 2, 3])` over four vectors becomes `concatenate([0, 1])` over two.
    """
    if len(ranks) < 3:
        return template, ranks
    kept: list[int] = []

    def change(node: syntax.Node) -> syntax.Node | None:
        if isinstance(node, syntax.ListLiteral | syntax.TupleLiteral):
            own = [ranks[place] if isinstance(place, int) else place for place in _places_in(node)]
            runs = groupby(zip(own, node.items, strict=True), key=itemgetter(0))
            items = [item for rank, run in runs for _, item in islice(run, 2 if isinstance(rank, int) else None)]
            return None if len(items) == len(node.items) else rewritten(replace(node, items=tuple(items)), change)
        if not (isinstance(node, syntax.Name) and node.name.isdigit()):
            return None
        if int(node.name) not in kept:
            kept.append(int(node.name))
        return syntax.Name(str(kept.index(int(node.name))))

    return rewritten(template, change), tuple(ranks[place] for place in kept)


@lru_cache(maxsize=256)
def _places_in(node: syntax.ListLiteral | syntax.TupleLiteral) -> list[int | syntax.Node]:
    """Return which operand each item of a list is, what is none itself."""
    named = (item.name if isinstance(item, syntax.Name) else "" for item in node.items)
    return [int(name) if name.isdigit() else item for name, item in zip(named, node.items, strict=True)]


@lru_cache(maxsize=4096)
def _tried_rank(template: syntax.Node, ranks: tuple[int, ...]) -> int | None:
    """Return the rank of a part over stand-ins, each with lengths of its own; None if they do not fit."""
    operands = {str(position): (False,) * rank for position, rank in enumerate(ranks)}
    shapes = {item.name: operands.get(item.name, ()) for item in syntax.walk(template) if isinstance(item, syntax.Name)}
    try:
        value = _over_stand_ins(template, shapes)
    except ShapeError:
        return None
    return value.rank if isinstance(value, Node) else 0


def _over_stand_ins(template: syntax.Node, shapes: Mapping[str, tuple[bool, ...]]) -> object:
    """Return the value of a part over names of these shapes; one that is an axis is the first."""
    try:
        return Solver(shapes, (), {}).visit(template)
    except NotPlainError as error:
        with suppress(NotPlainError):
            return Solver(shapes, (), dict.fromkeys(names_in(error.lengths), 0)).visit(template)
    # A function that must know how many entries there are is told of one.
    return Solver({name: (True,) * len(shape) for name, shape in shapes.items()}, (), {}).visit(template)
