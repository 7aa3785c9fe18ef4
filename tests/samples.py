"""The samples of the operator table with their values: names have fixed shapes and values that suit their operands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np

from matgrad.core.elaboration.elaborate import Elaborator
from matgrad.core.elaboration.literals import BARE_CONSTANTS
from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.catalogue import find, operators
from matgrad.core.graph.nodes import Node, Symbol
from matgrad.core.graph.operator import Operator
from matgrad.core.operators import table
from matgrad.core.problems.sampling import draw
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse
from matgrad.grammar.vocabulary import TAKE_FUNCTIONS

table.load()

SHAPES = {
    "a": (), "b": (), "x": (4,), "u": (4,), "w": (4,), "v": (3,), "X": (3, 4), "W": (3, 4), "C": (3, 1, 4),
    "A": (3, 3), "B": (3, 3), "S": (2, 3, 3), "T": (2, 3, 4),
}  # fmt: skip

# Derivatives within an expression take a name, not values, and loops and solutions a function.
TABLE = [
    operator
    for operator in operators(hidden=True)
    if operator.family != "derivatives" and operator.name not in TAKE_FUNCTIONS
]

Values = Mapping[str, np.ndarray]


def names(text: str) -> list[str]:
    return [name for name in syntax.free_names(parse(text)) if name not in BARE_CONSTANTS]


def elaborated(text: str) -> Node:
    environment = {name: Symbol.of(name, shape) for name, shape in SHAPES.items()}
    elaborator = Elaborator(environment)
    result = elaborator.tensor(elaborator.run(parse(text)), (0, 0))
    assert isinstance(result, Node)
    return result


def demands(operator: Operator, sample: str) -> Iterator[tuple[str, str]]:
    """Yield each name of a sample with what the operand in which it stands asks of it."""
    for call in syntax.walk(parse(sample)):
        if isinstance(call, syntax.Call) and find(call.function) is operator:
            for place, argument in enumerate(call.arguments):
                domain = operator.domain[place] if place < len(operator.domain) else "real"
                yield from ((node.name, domain) for node in syntax.walk(argument) if isinstance(node, syntax.Name))


@cache
def values_of(operator: Operator, sample: str) -> Values:
    # Functions of masks are of numbers too, and differences need numbers.
    asked = {name: domain for name, domain in demands(operator, sample) if domain != "mask"}
    return {name: draw(name, SHAPES[name], "normal", 1, {asked.get(name, "real")} - {"real"}) for name in names(sample)}


def run(node: Node, values: Values) -> np.ndarray:
    return compile_program([node]).run(values)[0]
