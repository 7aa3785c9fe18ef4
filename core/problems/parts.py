"""Derivatives by a part: by `A[0, 1]` of an input, or by `h`, which a statement names, in `h = A @ x; sum(tanh(h))`.

A part becomes a symbol of its own, called as it is written. By that the graph is differentiated; then the part is put
back, so that value, derivative and formula are over the inputs again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Source
from ...grammar.parser import parse
from ..differentiation.differentiate import pullback
from ..elaboration.elaborate import Elaborator, Value
from ..graph.algebra import add
from ..graph.nodes import Node, Symbol
from ..graph.transform import transform
from .problem import owner_of

Parts = Mapping[Symbol, Node]
"""What each part is: the graph that its symbol stands for."""


def separated(elaborator: Elaborator, program: syntax.Program, texts: Sequence[str]) -> tuple[Value, Parts]:
    """Return the value of a program in which parts are symbols of their own, and what these are.

    Example: with `A[0]` set apart, `A` is itself but for its first row, which is the symbol `A[0]`.
    """
    if not texts:
        return elaborator.run(program), {}
    parts: dict[Symbol, Node] = {}
    owners = {text: owner_of(text) for text in texts}

    def set_apart(name: str) -> None:
        whole = elaborator.environment[name]
        for text in (text for text, owner in owners.items() if owner == name):
            tensor = elaborator.tensor(whole, (0, 0))
            symbol, elaborator.environment[name], parts[symbol] = _replaced(elaborator, name, text, tensor)

    for name in [name for name in elaborator.environment if name in owners.values()]:
        set_apart(name)
    last = {assignment.name: place for place, assignment in enumerate(program.assignments)}
    for place, assignment in enumerate(program.assignments):
        elaborator.run(syntax.Program((assignment,), syntax.Name(assignment.name)))
        if last[assignment.name] == place and assignment.name in owners.values():
            set_apart(assignment.name)
    return elaborator.run(syntax.Program((), program.result)), parts


def _replaced(elaborator: Elaborator, name: str, text: str, whole: Node) -> tuple[Symbol, Node, Node]:
    """Return the symbol of a part, its owner with the symbol in the place of the part, and what the part is."""
    now = elaborator.tensor(elaborator.environment[name], (0, 0))
    stand_in = Symbol.of(f"whole {name}", whole.shape)
    try:
        part = Elaborator({**elaborator.environment, name: stand_in}, elaborator.statics).operand(parse(text).result)
    except ExpressionError as error:
        error.source = Source("wrt", text)
        raise
    symbol = Symbol.of(text, part.shape)
    if part is stand_in:
        return symbol, symbol, whole
    put, cut = pullback(part, symbol, stand_in), pullback(part, part, stand_in)
    (cut,) = put_back([cut], {stand_in: now})
    (own,) = put_back([part], {stand_in: whole})
    return symbol, add([(1, now), (-1, cut), (1, put)], whole.shape), own


def put_back(roots: Sequence[Node], parts: Parts) -> list[Node]:
    """Return graphs with the parts in the place of their symbols."""
    if not parts:
        return [*roots]
    return transform(roots, lambda node: parts.get(node, node) if isinstance(node, Symbol) else node)
