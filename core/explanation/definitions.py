"""Derived operators written out: what `mean(x)` stands for, with the operands of a call in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...grammar import syntax
from ...grammar.parser import parse
from ...grammar.rewriting import filled, rewritten
from ...grammar.syntax import Binary, Call, Node, Number
from ..elaboration.arguments import bind, declaration
from ..errors import ExpressionError
from ..graph import catalogue
from ..notation.trees import spelled


def unfolded(call: Call) -> Node | None:
    """Return what a derived operator stands for, with the operands of a call in it: `sum(x)/count(x)` for `mean(x)`."""
    operator = catalogue.find(call.function)
    if operator is None or not operator.definitions:
        return None
    values = {keyword.name: keyword.value for keyword in call.keywords}
    try:
        bound = bind(operator, list(call.arguments), values)
    except ExpressionError:
        return None
    names = {name: spelled(value) for name, value in zip(operator.operands, bound.operands, strict=True)}
    settings = {name: spelled(value) for name, value in bound.settings.items()}
    chosen = next(iter(settings.values())) if None not in operator.definitions else syntax.Literal(None)
    text = next((text for value, text in operator.definitions.items() if spelled(value) == chosen), None)
    if text is None:
        return None
    return rewritten(in_callable_words(_written_out(text, {**names, **settings})), _without_defaults)


def _written_out(definition: str, values: Mapping[str, Node]) -> Node:
    """Return the last statement of a definition with values for its names, and what it assigned before in its place."""
    program = parse(definition)
    known = dict(values)
    for assignment in program.assignments:
        known[assignment.name] = filled(assignment.value, known)
    return filled(program.result, known)


def in_callable_words(tree: Node) -> Node:
    """Return a rule in which the helpers that no text may call are written out: `p != 0` for `nonzero(p)`."""

    def written(node: Node) -> Node | None:
        operator = catalogue.find(node.function) if isinstance(node, Call) else None
        if not isinstance(node, Call) or operator is None or not operator.written:
            return None
        operands = dict(zip(operator.operands, map(in_callable_words, node.arguments), strict=True))
        return filled(parse(operator.written).result, operands)

    return rewritten(tree, written)


def _without_defaults(node: Node) -> Node | None:
    """Leave out settings that say what is the case anyway, and what is 0."""
    match node:
        case Binary("-" | "+", whole, Number("0")):
            return rewritten(whole, _without_defaults)
        case Binary("**", base, Binary("/", Number("1"), Number("2"))):
            return Call("sqrt", (rewritten(base, _without_defaults),))
    if not isinstance(node, Call):
        return None
    operator = catalogue.find(node.function)
    defaults = declaration(operator.parameters).settings if operator else {}
    kept = tuple(
        keyword
        for keyword in node.keywords
        if not (isinstance(keyword.value, syntax.Literal) and defaults.get(keyword.name, ...) is keyword.value.value)
    )
    arguments = tuple(rewritten(argument, _without_defaults) for argument in node.arguments)
    return replace(node, keywords=kept, arguments=arguments)
