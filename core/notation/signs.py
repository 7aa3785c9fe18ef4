"""A minus in front of a chain drawn into a difference in it: `(C - x).T @ p` for `-(x - C).T @ p`.

>>> from matgrad.grammar.parser import parse
>>> from matgrad.grammar.writer import write
>>> write(with_sign_drawn(parse("-(x - C).T @ p").result))
'(C - x).T @ p'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...grammar.syntax import Attribute, Binary, Number, Unary, walk
from ..elaboration.infix import COMPARISONS
from .trees import Tree, negated


def with_sign_drawn(tree: Tree) -> Tree:
    """Return a chain of matrices without the minus in front, where a difference in it can take the sign.

    With a number in front, a residual at either end keeps the sign that it was typed with: `-2*(V - W @ H) @ H.T`.
    """
    front = tree
    while isinstance(front, Binary) and front.operator in "@*/":
        front = front.left
    if not isinstance(front, Unary) or front is tree:
        return tree
    factors = _chained(tree)
    for place, factor in enumerate(factors):
        inside = 0 < place < len(factors) - 1
        if inside or not isinstance(front.operand, Number):
            changed = _turned(factor) if place else _in_front(factor, _turned)
            if changed is not None:
                rest = _with_factor(tree, factor, changed)
                return rest if place == 0 else negated(rest)
    return tree


def _chained(tree: Tree) -> list[Tree]:
    """Return the factors of a chain, the number in front with the first."""
    if isinstance(tree, Binary) and tree.operator == "@":
        return [*_chained(tree.left), tree.right]
    return _chained(tree.left) if isinstance(tree, Binary) and tree.operator == "/" else [tree]


def _with_factor(tree: Tree, factor: Tree, changed: Tree) -> Tree:
    if tree is factor:
        return changed
    assert isinstance(tree, Binary)
    if tree.right is factor:
        return replace(tree, right=changed)
    return replace(tree, left=_with_factor(tree.left, factor, changed))


def _in_front(tree: Tree, turn: Callable[[Tree], Tree | None]) -> Tree | None:
    """Return a first factor `-c*A` as `c*turned(A)`."""
    return turn(tree.operand) if isinstance(tree, Unary) else None


def _turned(tree: Tree) -> Tree | None:
    """Return minus a difference as the difference the other way round, None for anything else."""
    match tree:
        case Attribute(operand, "T"):
            inner = _turned(operand)
            return None if inner is None else replace(tree, operand=inner)
        case Binary("-", left, right) if not any(map(_compares, (left, right))):
            front = left
            while isinstance(front, Binary):
                front = front.left
            return None if isinstance(front, Unary) else Binary("-", right, left)
    return None


def _compares(tree: Tree) -> bool:
    return any(isinstance(node, Binary) and node.operator in COMPARISONS for node in walk(tree))
