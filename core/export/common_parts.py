"""Parts that occur in several places of several trees, named so that a program computes them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ...grammar.syntax import Attribute, Binary, Call, Name, Node, Number, Unary, children, map_children
from ..elaboration.infix import COMPARISONS


def named_parts(trees: Sequence[Node], fresh: Callable[[str], str]) -> tuple[list[tuple[str, Node]], list[Node]]:
    """Return the parts that occur in several places, each with a name, and the trees in terms of them.

    `fresh` makes a name that is not taken yet out of a wanted one.
    """
    uses = Counter(trees)
    stack = list(uses)
    while stack:
        for child in children(stack.pop()):
            if child not in uses:
                stack.append(child)
            uses[child] += 1
    named: dict[Node, Name] = {}
    shared: list[tuple[str, Node]] = []
    numbers = iter(range(1, len(uses) + 2))
    known: dict[Node, Node] = {}

    def rewritten(node: Node) -> Node:
        if node in named:
            return named[node]
        if node in known:
            return known[node]
        changed = known[node] = map_children(node, rewritten)
        if uses[node] < 2 or not _worth_a_name(node):
            return changed
        wanted = _wanted_name(changed) or f"part_{next(numbers)}"
        named[node] = Name(fresh(wanted))
        shared.append((named[node].name, changed))
        return named[node]

    return shared, [rewritten(tree) for tree in trees]


def _worth_a_name(node: Node) -> bool:
    """Whether computing a part twice costs more than a line."""
    match node:
        case Call("eye" | "ones" | "zeros" | "tensor" | "array" | "mask"):
            return False
        case Call():
            return True
        case Binary(sign, left, right):
            return sign not in COMPARISONS and not (_plain(left) and _plain(right) and sign != "@")
    return False


def _plain(node: Node) -> bool:
    return isinstance(node, Number | Name) or (isinstance(node, Unary) and _plain(node.operand))


def _wanted_name(node: Node) -> str:
    """Return a name that says what a part is: `inv_A` for inv(A), `A_x` for A @ x; empty where none is short."""
    match node:
        case Call(function, (Name(name, ""), *_)) if len(function) + len(name) < 20:
            return f"{function}_{name}"
        case Binary("@", left, right):
            sides = [_side(left), _side(right)]
            return "_".join(sides) if all(sides) and len("_".join(sides)) < 12 else ""
    return ""


def _side(node: Node) -> str:
    match node:
        case Name(name, ""):
            return name
        case Attribute(Name(name, ""), "T"):
            return f"{name}T"
    return ""
