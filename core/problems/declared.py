"""What pasted code says of its inputs: `x = torch.ones(2, requires_grad=True)`, `W = np.random.randn(4, 3)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Label
from ...grammar.wrappers import RANDOM
from ..arrays import Array
from ..elaboration.elaborate import Elaborator
from ..elaboration.literals import BARE_CONSTANTS
from ..evaluation.program import compile_program
from ..graph.nodes import Node
from ..shapes import Shape

SOURCE = "expression"


def declared_inputs(program: syntax.Program) -> tuple[dict[str, Array], dict[str, Shape]]:
    """Return the values and the shapes that a text gives to its inputs; what depends on other inputs is left out.

    Example: `x = torch.ones(2, requires_grad=True); W = torch.randn(4, 2); ...` gives x a value and W a shape.
    """
    values: dict[str, Array] = {}
    shapes: dict[str, Shape] = {}
    for statement in program.given:
        tree, is_random = statement.value, False
        if isinstance(tree, syntax.Call) and tree.function in RANDOM:
            tree, is_random = replace(tree, function="zeros"), True
        value = _constant(syntax.Program(program.assignments, tree, span=program.span))
        if value is not None and is_random:
            shapes[statement.name] = value.shape
        elif value is not None:
            values[statement.name] = value
    return values, shapes


def _constant(program: syntax.Program) -> Array | None:
    """Return the value of an expression, None where it depends on inputs."""
    needed, result = dict.fromkeys(_names(program.result)), program.result
    steps: list[syntax.Assignment] = []
    for statement in reversed(program.assignments):
        if statement.name in needed:
            del needed[statement.name]
            needed |= dict.fromkeys(_names(statement.value))
            steps.insert(0, statement)
    if needed.keys() - BARE_CONSTANTS:
        return None
    elaborator = Elaborator({})
    value = elaborator.run(syntax.Program(tuple(steps), result))
    (array,) = compile_program([value if isinstance(value, Node) else elaborator.tensor(value, result.span)]).run({})
    return array


def refuse_detached(program: syntax.Program, wrt: tuple[str, ...]) -> None:
    """Raise ExpressionError where a derivative would have to pass through what is detached: `x.detach() @ x`."""
    behind: dict[str, set[str]] = {}
    for statement in program.assignments:
        behind[statement.name] = _inputs(statement.value, behind)
    for node in program.detached:
        for name in _inputs(node, behind).intersection(wrt):
            raise ExpressionError(
                f"no derivative by `{name}` passes through what is detached",
                Label(node.span, "counts as a constant"),
                helps=["write another name in its place, and give that name the value"],
            )


def _inputs(node: syntax.Node, behind: Mapping[str, set[str]]) -> set[str]:
    return set().union(*(behind.get(name, {name}) for name in _names(node)))


def _names(node: syntax.Node) -> list[str]:
    return [item.name for item in syntax.walk(node) if isinstance(item, syntax.Name) and not item.prefix]
