"""Repeated parts named once: `p = softmax(x); diag(p) - outer(p, p)`, which is valid input as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from ...grammar import syntax
from ...grammar.budget import spend
from ...grammar.rewriting import replaced, rewritten
from ...grammar.syntax import Assignment, Call, Index, Name, Node, Program, children, map_children, walk
from .letters import Letters
from .trees import Tree, length, negated

# A name costs a reader something too: a part is named where at least this many words and signs are saved. In a formula
# that is long even with the name, a sum or a call is named where that saves less: the first number is how long. And so
# is a call of several operands, as `solve(K, y)`.
WORTH = 2
LONG = ((18, 0), (12, 1))
# `p = ...;` around the part itself.
COST = 4


def named(tree: Tree, letters: Letters, wanted: Tree | None = None) -> Program:
    """Return a tree as a program in which parts that are long and repeated are assigned to names first.

    A part that is `wanted` has a name in any case.

    Example: `diag(softmax(x)) - outer(softmax(x), softmax(x))` becomes `p = softmax(x); diag(p) - outer(p, p)`.
    """
    parts = _Parts(unique(tree))
    letters.used |= parts.names
    names: dict[Node, Name] = {}
    chosen = [part for part in parts.all if part == wanted]
    while (part := chosen.pop() if chosen else parts.worth_naming()) is not None:
        names[part] = Name(letters.name(part, parts.names_in(part, names)))
        parts.name(part)
    return Program(tuple(_in_order(names)), _in_terms_of(parts.root, names))


def bare(tree: Tree, taken: Iterable[str]) -> Tree:
    """Return a tree in which `np.pi` is written `pi`, unless that is one of the names taken."""
    return tree if "pi" in taken else replaced(tree, Name("pi", "np"), Name("pi"))


def unique(tree: Tree) -> Tree:
    """Return a tree in which equal parts are one object."""
    known: dict[Node, Node] = {}
    new: dict[int, Node] = {}
    for node in reversed([*walk(tree)]):
        made = map_children(node, lambda part: new[id(part)])
        new[id(node)] = known.setdefault(made, made)
    return new[id(tree)]


def uses(tree: Tree, part: Tree) -> int:
    """Return how often a part is written in a tree."""
    times: dict[Node, int] = {}
    order = [*walk(unique(tree))]
    for node in reversed(order):
        times[node] = 1 if node == part else sum(times[inner] for inner in children(node))
    return times[order[0]]


class _Parts:
    """The parts of a tree in which equal ones are one object: how often each is written, and how long it is.

    Naming a part changes the times of what is below it and the lengths of what is above, as far as the next part that
    has a name: so all names together cost little more than going through the tree once.
    """

    def __init__(self, root: Tree) -> None:
        self.root = root
        self.all = order = [*walk(root)]
        self._place = {node: place for place, node in enumerate(order)}
        self._above: dict[Node, list[Node]] = {node: [] for node in order}
        self._times = dict.fromkeys(order, 0)
        self._times[root] = 1
        for node in order:
            for part in children(node):
                self._above[part].append(node)
                self._times[part] += self._times[node]
        self._lengths = {node: length(node) for node in order}
        self._whole = self._lengths[root]
        self._named: set[Node] = set()
        self.names = {node.name for node in order if isinstance(node, Name)}
        left_alone = self._indices(order) | _within_functions(order)
        nameable = Call | Index | syntax.Binary | syntax.Attribute
        found = [node for node in _as_read(root) if isinstance(node, nameable) and node not in left_alone]
        self._queue = [(-self._gain(node), place, node) for place, node in enumerate(found) if self._gain(node) >= 0]
        heapify(self._queue)

    @staticmethod
    def _indices(order: Sequence[Node]) -> set[Node]:
        """Return what is better read in place: sizes, constants, `2*x` and `X.T`."""
        plain: set[Node] = set()
        for node in reversed(order):
            if not isinstance(node, Name) and all(part in plain for part in children(node)):
                plain.add(node)
        products = (n for n in order if isinstance(n, syntax.Binary) and n.operator == "*")
        multiples = {n for n in products if isinstance(n.left, syntax.Number) or n.left in plain}
        views = (n for n in order if isinstance(n, syntax.Attribute) or (isinstance(n, Index) and _slices(n, plain)))
        turned = {n for n in views if isinstance(n.operand, Name)}
        return (
            plain
            | multiples
            | turned
            | {n for n in order if isinstance(n, Call) and n.function in ("eye", "ones", "zeros")}
        )

    def _gain(self, node: Node) -> int:
        return (self._times[node] - 1) * (self._lengths[node] - 1) - COST

    def _worth(self, node: Node) -> int:
        """Return how much the name of a part must save."""
        if not isinstance(node, Call) and not (isinstance(node, syntax.Binary) and node.operator in "+-"):
            return WORTH
        rest = self._whole - self._times[node] * (self._lengths[node] - 1)
        several = isinstance(node, Call) and len(node.arguments) > 1
        return next((least for long, least in LONG if rest > long), WORTH - several)

    def worth_naming(self) -> Node | None:
        """Return the repeated part whose naming saves most, None where none saves enough."""
        while self._queue:
            gain, place, node = heappop(self._queue)
            if node in self._named:
                continue
            if (now := self._gain(node)) != -gain:
                heappush(self._queue, (-now, place, node))
            elif now >= self._worth(node):
                return node
        return None

    def names_in(self, part: Node, names: Mapping[Node, Name]) -> set[str]:
        """Return the names that are written in a part."""
        inside = (names.get(node, node) for node in self._near(part, children))
        return {node.name for node in inside if isinstance(node, Name)}

    def name(self, part: Node) -> None:
        """Count a part as written once, and as a name everywhere else."""
        self._named.add(part)
        fewer = {part: self._times[part] - 1}
        for node in self._near(part, children):
            for inner in children(node) if node is part or node not in self._named else ():
                fewer[inner] = fewer.get(inner, 0) + fewer[node]
        shorter = {part: self._lengths[part] - 1}
        for node in reversed(self._near(part, self._above.__getitem__)):
            for outer in self._above[node] if node is part or node not in self._named else ():
                shorter[outer] = shorter.get(outer, 0) + shorter[node]
        for node in fewer.keys() - {part}:
            self._times[node] -= fewer[node]
        for node in shorter.keys() - {part}:
            self._lengths[node] -= shorter[node]

    def _near(self, part: Node, next_to: Callable[[Node], Iterable[Node]]) -> list[Node]:
        """Return a part and what is next to it, as far as the next part with a name, outer parts first."""
        found = {part}
        stack = [part]
        while stack:
            node = stack.pop()
            new = [other for other in next_to(node) if other not in found]
            found.update(new)
            stack += [other for other in new if other not in self._named]
        spend(len(found))
        return sorted(found, key=self._place.__getitem__)


def _within_functions(order: Sequence[Node]) -> set[Node]:
    """Return what uses a parameter of a function around it, and means nothing outside."""
    if not any(isinstance(node, syntax.Local) for node in order):
        return set()
    free: dict[Node, set[str]] = {}
    for node in reversed(order):
        inner = set[str]().union(*(free[part] for part in children(node)))
        own = {node.name} if isinstance(node, syntax.Local) else set[str]()
        free[node] = (inner | own).difference(node.parameters if isinstance(node, syntax.Lambda) else ())
    return {node for node, names in free.items() if names}


def _as_read(root: Tree) -> list[Node]:
    """Return the parts of a tree in the order in which a reader meets them."""
    met: dict[Node, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in met:
            met[node] = None
            stack += reversed(children(node))
    return [*met]


def _in_terms_of(tree: Tree, names: Mapping[Node, Name]) -> Tree:
    """Return a tree with the named parts in it replaced by their names; minus a part is minus its name."""

    def name(node: Node) -> Node | None:
        if node is tree or node in names:
            return None if node is tree else names[node]
        other = names.get(negated(node)) if _has_sign(node) else None
        return None if other is None else syntax.Unary("-", other)

    return rewritten(tree, name)


def _has_sign(node: Node) -> bool:
    while isinstance(node, syntax.Binary) and node.operator in ("*", "/", "@"):
        node = node.left
    return isinstance(node, syntax.Unary)


def _slices(node: Index, plain: set[Node]) -> bool:
    """Whether an index is one place, or one slice between places that are read at a glance: `x[0]`, `x[1:-1]`."""
    match node.items:
        case (syntax.Slice(_, _, None) | syntax.Number() as item,):
            return item in plain
    return False


def _in_order(names: Mapping[Node, Name]) -> list[Assignment]:
    """Return the assignments of names, each after those that it uses, else in the order of the names."""
    spoken = [name.name for name in names.values()]
    written = [_in_terms_of(part, names) for part in names]
    users: dict[str, list[int]] = {name: [] for name in spoken}
    waiting = [users.keys() & {node.name for node in walk(part) if isinstance(node, Name)} for part in written]
    for position, needed in enumerate(waiting):
        for name in needed:
            users[name].append(position)
    ready = [position for position, needed in enumerate(waiting) if not needed]
    ordered: list[Assignment] = []
    while ready:
        position = heappop(ready)
        name = spoken[position]
        ordered.append(Assignment(name, written[position]))
        for user in users[name]:
            waiting[user].discard(name)
            if not waiting[user]:
                heappush(ready, user)
    return ordered
