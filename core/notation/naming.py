"""Repeated parts named once: `p = softmax(x); diag(p) - outer(p, p)`, which is valid input as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count

from ...grammar import syntax
from ...grammar.syntax import Assignment, Call, Index, Name, Node, Program, children, map_children, walk
from .trees import Tree, length

# What a part is called after: the function that makes it, as people name such things.
USUAL = {"softmax": "p", "sigmoid": "s", "inv": "P", "pinv": "P", "exp": "e", "norm": "r", "cholesky": "L", "tanh": "t"}
OTHERS = ("u", "v", "w", "z", "h", "g", "f", "q", "c", "d")
MATRICES = ("M", "N", "H", "G", "Q", "R", "W", "Z")
NAMEABLE = {Call, Index, syntax.Binary, syntax.Attribute}
# A name costs a reader something too: a part is named where at least this many words and signs are saved.
WORTH = 2
# `p = ...;` around the part itself.
COST = 4


def named(tree: Tree, taken: Iterable[str]) -> Program:
    """Return a tree as a program in which parts that are long and repeated are assigned to names first.

    Example: `diag(softmax(x)) - outer(softmax(x), softmax(x))` becomes `p = softmax(x); diag(p) - outer(p, p)`.
    `taken` are names that mean something else.
    """
    used = set(taken) | _names(tree)
    assignments: list[Assignment] = []
    tree = _exchanged(tree, {})
    while (part := _worth_naming([*(a.value for a in assignments), tree])) is not None:
        name = _name_for(part, used)
        used.add(name)
        known: dict[Tree, Tree] = {part: Name(name)}
        tree = _exchanged(tree, known)
        assignments = [Assignment(a.name, _exchanged(a.value, known)) for a in assignments]
        assignments.append(Assignment(name, part))
    return Program(tuple(_in_order(assignments)), tree)


def bare(tree: Tree, taken: Iterable[str]) -> Tree:
    """Return a tree in which `np.pi` is written `pi`, unless that is one of the names taken."""
    return tree if "pi" in taken else _exchanged(tree, {Name("pi", "np"): Name("pi")})


def _exchanged(tree: Tree, known: dict[Tree, Tree]) -> Tree:
    """Return a tree with what is `known` exchanged, in which equal parts are the same object."""
    if tree not in known:
        known[tree] = map_children(tree, lambda part: _exchanged(part, known))
    return known[tree]


def _worth_naming(trees: list[Tree]) -> Tree | None:
    """Return the repeated part whose naming saves most, None where none saves enough."""
    best, saved = None, WORTH - 1
    for node, times in _times(trees):
        gain = (times - 1) * (length(node) - 1) - COST
        if gain > saved and type(node) in NAMEABLE and not _is_index(node):
            best, saved = node, gain
    return best


def _times(trees: list[Tree]) -> list[tuple[Tree, int]]:
    """Return the parts of trees, in order of appearance, with how often each stands there; each is looked into once."""
    order: list[Tree] = []
    times: dict[int, int] = {}
    pending = trees[::-1]
    while pending:
        node = pending.pop()
        if id(node) not in times:
            times[id(node)] = 0
            order.append(node)
            pending += children(node)[::-1]
    for tree in trees:
        times[id(tree)] += 1
    # What contains another part is longer.
    for node in sorted(order, key=length, reverse=True):
        for child in children(node):
            times[id(child)] += times[id(node)]
    return [(node, times[id(node)]) for node in order]


def _is_index(node: Node) -> bool:
    """Whether a node is no value of its own: sizes and constants are better read in place."""
    return not any(isinstance(inner, Name) for inner in walk(node)) or (
        isinstance(node, Call) and node.function in ("eye", "ones", "zeros")
    )


def _name_for(part: Tree, used: set[str]) -> str:
    function = part.function if isinstance(part, Call) else ""
    candidates = [USUAL[function]] if function in USUAL else []
    matrix = isinstance(part, syntax.Attribute) or function in ("inv", "outer", "diag", "pinv", "cofactor")
    pool = (*MATRICES, *OTHERS) if matrix or _ends_in_capital(part) else (*OTHERS, *MATRICES)
    numbered = (f"part{number}" for number in count(1))
    return next(name for name in chain(candidates, pool, numbered) if name not in used)


def _ends_in_capital(part: Tree) -> bool:
    """Whether a part looks like a matrix: its last name is in upper case."""
    names = _names(part)
    return isinstance(part, syntax.Binary) and bool(names) and all(name[0].isupper() for name in names)


def _in_order(assignments: list[Assignment]) -> list[Assignment]:
    """Return assignments with each after those that it uses."""
    ordered: list[Assignment] = []
    pending = list(assignments)
    while pending:
        waiting = {assignment.name for assignment in pending}
        ready = next(a for a in pending if not (waiting & _names(a.value)))
        pending.remove(ready)
        ordered.append(ready)
    return ordered


def _names(tree: Tree) -> set[str]:
    return {node.name for node in walk(tree) if isinstance(node, Name)}
