"""The differential of one operation in words: `d(x.T @ A @ x) = dx.T @ A @ x + x.T @ A @ dx`.

An operation is looked at by itself: each operand that moves is a placeholder with a change of its own. The rule that a
person would quote (product rule, an operator's own differential) is written over the placeholders and compared with
what the engine computes; where it does not fit, as along axes, the engine's own result is written instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce

from ...grammar import syntax
from ...grammar.parser import parse
from ...grammar.rewriting import filled, replaced, rewritten
from ...grammar.syntax import Attribute, Binary, Call, Index, Keyword, ListLiteral, Name, Node, Number, Program, Unary
from ..elaboration.infix import COMPARISONS
from ..errors import ExpressionError
from ..graph import catalogue, nodes
from ..graph.nodes import topological
from ..graph.operator import Operator
from ..notation.applications import SPOKEN
from ..notation.trees import length as size_in_words
from ..notation.trees import negated
from ..notation.trees import size as syntax_size
from .definitions import in_callable_words
from .local import Local, change, part, several_outputs, signed_terms

LONGEST_WRITTEN = 40
# An operation that is defined by others is opened where its own differential is longer than this.
LONGEST_OF_DEFINED = 28
JOINING = ("concatenate", "stack", "hstack", "vstack")
Proposal = tuple[str, Node]


def differential(local: Local) -> Proposal:
    """Return the differential of an operation over its placeholders, and the name of the rule."""
    for rule, tree in proposals(local):
        if local.agrees(tree):
            return rule, in_callable_words(tidy(tree))
    written = local.arranged(tidy(local.written()))
    if not local.agrees(written):
        written = local.arranged(tidy(local.written(here=True)))
    if syntax_size(written) > LONGEST_WRITTEN:
        for rule, tree in proposals(local):
            return f"{rule}, for each of the stack", in_callable_words(tidy(tree))
    return "rule of the operation", written


def of_whole_call(local: Local) -> Proposal | None:
    """Return the differential of a function as people know it, None where there is none: its definition then helps.

    A function that is linear is applied to the change: what the mean changes by is the mean of the change.
    """
    call = local.template
    operator = catalogue.find(call.function) if isinstance(call, Call) else None
    if operator is None or not isinstance(call, Call):
        return None
    names = operator.operands
    if operator.textbook and len(call.arguments) == len(names):
        operands = dict(zip(names, call.arguments, strict=True))
        moved = {f"d{name}": _with_changes(value) for name, value in operands.items()}
        tree = _pruned(
            parse(operator.textbook).result, {name for name, value in moved.items() if not has_changes(value)}
        )
        tree = None if tree is None else filled(tree, {"y": call, **operands, **moved})
        if tree is not None and local.agrees(tree):
            return rule_name(operator), tree
    if not operator.definitions:
        return None
    linear = _with_changes(call)
    if local.agrees(linear):
        return "linear", linear
    written = local.arranged(local.written())
    short = size_in_words(replaced(written, call, Name("y"))) <= LONGEST_OF_DEFINED and local.agrees(written)
    return (rule_name(operator), written) if short else None


def has_changes(node: Node) -> bool:
    """Whether the change of an operand is somewhere in a rule."""
    return any(isinstance(item, Name) and item.name.startswith("change ") for item in syntax.walk(node))


def proposals(local: Local) -> Iterator[Proposal]:
    """Yield the differentials that a person would write, the likeliest first."""
    node = local.template
    changes = [change(place) for place in range(len(local.operands))]
    match node:
        case Binary("+" | "-"):
            yield "sum rule", _sum(node, changes)
        case Unary(sign, _):
            yield "sign", Unary(sign, changes[0])
        case Binary("@" | "*"):
            yield ("linear" if len(changes) == 1 else "product rule"), _product_rule(node, changes)
        case Binary("/", left, right):
            yield from _quotient(left, right)
        case Binary("**", base, exponent):
            yield from _power(base, exponent)
        case Binary(operator) if operator in COMPARISONS:
            yield "constant between jumps", Number("0")
        case Attribute() | Index(Name(), _):
            yield "linear", _with_changes(node)
        case ListLiteral():
            yield "linear", _with_changes(node, zeros=True)
        case Index(Call() as call, (Number(text),)) if several_outputs(call):
            yield "linear", _with_changes(node)
            yield from _by_rule(local, call, int(text))
        case Call("real" | "imag", (Call() as inner,)) if several_outputs(inner):
            yield "linear", _with_changes(node)
        case Call() as call:
            yield from _of_call(local, call)


def _with_changes(node: Node, zeros: bool = False) -> Node:
    """Return an operation applied to the changes; operands that do not move become zeros where asked."""

    def changed(item: Node) -> Node | None:
        if isinstance(item, Name) and item.name.startswith("part "):
            return Name(item.name.replace("part", "change"))
        return None

    if zeros and isinstance(node, ListLiteral):
        items = [
            _with_changes(item, True) if isinstance(item, ListLiteral) else changed(item) or Call("zeros_like", (item,))
            for item in node.items
        ]
        return ListLiteral(tuple(items))
    if zeros and isinstance(node, Call):
        return replace(node, arguments=tuple(_with_changes(item, True) for item in node.arguments))
    return rewritten(node, changed)


def _sum(node: Node, changes: Sequence[Name]) -> Node:
    parts = [part(place) for place in range(len(changes))]
    (sign, first), *rest = ((sign, _with_changes(term)) for sign, term in signed_terms(node) if term in parts)
    result = first if sign > 0 else Unary("-", first)
    for sign, moved in rest:
        result = Binary("+" if sign > 0 else "-", result, moved)
    return result


def _product_rule(node: Node, changes: Sequence[Name]) -> Node:
    """Return the sum over the moving operands of the product in which one of them is replaced by its change."""
    terms = [replaced(node, part(place), moved) for place, moved in enumerate(changes)]
    return reduce(partial(Binary, "+"), terms)


def _moves(node: Node) -> bool:
    return any(isinstance(item, Name) and item.name.startswith("part ") for item in syntax.walk(node))


def _quotient(left: Node, right: Node) -> Iterator[Proposal]:
    above, below = _with_changes(left), _with_changes(right)
    squared = Binary("**", right, Number("2"))
    if not _moves(right):
        yield "linear", Binary("/", above, right)
    elif not _moves(left):
        yield "quotient rule", Binary("/", Binary("*", Unary("-", left), below), squared)
    else:
        difference = Binary("-", Binary("*", above, right), Binary("*", left, below))
        yield "quotient rule", Binary("/", difference, squared)


def _power(base: Node, exponent: Node) -> Iterator[Proposal]:
    moved = _with_changes(base)
    if isinstance(exponent, Number) and exponent.text.isdigit():
        less = int(exponent.text) - 1
        lowered = base if less == 1 else Binary("**", base, Number(str(less)))
        yield "power rule", Binary("*", Binary("*", exponent, lowered), moved)
    if not _moves(exponent):
        lowered = Binary("**", base, Binary("-", exponent, Number("1")))
        yield "power rule", Binary("*", Binary("*", exponent, lowered), moved)
    elif not _moves(base):
        whole = Binary("**", base, exponent)
        yield "power rule", Binary("*", Binary("*", whole, Call("log", (base,))), _with_changes(exponent))


def _of_call(local: Local, call: Call) -> Iterator[Proposal]:
    operator = catalogue.find(call.function)
    assert operator is not None
    count = len(local.operands)
    if operator.name in JOINING:
        yield "linear", _with_changes(call, zeros=True)
    elif operator.family == "axes" or operator.name == "sum":
        yield "linear", _with_changes(call)
    elif operator.family == "products":
        yield ("linear" if count == 1 else "product rule"), _product_rule(call, [change(i) for i in range(count)])
    else:
        yield from _by_rule(local, call, 0)


def _by_rule(local: Local, call: Call, output: int) -> Iterator[Proposal]:
    """Yield the operator's own differential with the operands of a call in it, then the same along its axis."""
    operator, arguments = _applied(local, call)
    if operator is None or not operator.rules or operator.tangent is not None:
        return
    dead = {f"d{name}" for name, value in arguments.items() if not _moves(value)}
    dead |= {f"tie({name})" for name, value in arguments.items() if not any(map(_is_name, syntax.walk(value)))}
    rule = parse(operator.rules[output])
    axis = next((keyword for keyword in call.keywords if keyword.name in ("axis", "dim")), None)
    if axis is None and len(call.arguments) > len(operator.operands) and "axis" in operator.parameters:
        axis = Keyword("axis", call.arguments[len(operator.operands)])
    settings = {keyword.name: keyword.value for keyword in call.keywords}
    plain: dict[str, Node] = {f"y{place}": Index(call, (Number(str(place)),)) for place in range(len(operator.rules))}
    plain["y"] = local.template
    changes = {f"d{name}": _with_changes(value) for name, value in arguments.items()}
    for along in [None, axis] if axis is not None else [None]:
        tree = _pruned(rule, dead)
        if tree is None:
            yield rule_name(operator), Number("0")
            return
        if along is not None:
            tree = _along(tree, along, call)
        yield rule_name(operator), filled(tree, {**settings, **plain, **arguments, **changes})


def rule_name(operator: Operator) -> str:
    """Return what the rule of an operator is called, by the name that people write."""
    return f"rule of {SPOKEN.get(operator.name, operator.name)}"


def _applied(local: Local, call: Call) -> tuple[Operator | None, dict[str, Node]]:
    """Return the operator that a call stands for, and its operands by name.

    `norm(x)` is the Euclidean norm, `solve(A, b)` a solution for one vector or for several: what they build says so.
    """
    operator = catalogue.find(call.function)
    assert operator is not None
    if operator.build is not None:
        try:
            built = local.elaborated(local.template)
        except ExpressionError:
            return None, {}
        moved = any(isinstance(node, nodes.Select) for node in topological([built]))
        if not isinstance(built, nodes.Apply | nodes.Map) or moved or operator.family == "convolutions":
            return None, {}
        operator = built.operator
    names = operator.operands
    taken = [argument for argument in call.arguments if not isinstance(argument, syntax.String)]
    named = {keyword.name: keyword.value for keyword in call.keywords if keyword.name in names}
    return operator, {**dict(zip(names, taken, strict=False)), **named}


def _is_name(tree: Node) -> bool:
    return isinstance(tree, Name)


def _along(tree: Node, axis: Keyword, call: Call) -> Node:
    """Return a rule for one vector as a rule along an axis: its sums run along it, and what they gave is spread."""
    spread = replace(call, keywords=tuple(k for k in call.keywords if k.name != "keepdims"))
    spread = replace(spread, keywords=(*spread.keywords, Keyword("keepdims", syntax.Literal(True))))

    def changed(item: Node) -> Node | None:
        match item:
            case Call("sum", (inner,), ()):
                inside = rewritten(inner, lambda name: spread if name == Name("y") else None)
                kept = tuple(keyword for keyword in call.keywords if keyword.name == "keepdims")
                return Call("sum", (inside,), (axis, *kept))
        return None

    return rewritten(tree, changed)


def _pruned(tree: Node, dead: set[str]) -> Node | None:
    """Return a rule without the terms of changes that are nothing; None where nothing is left."""
    match tree:
        case Program(assignments, result):
            kept = _pruned(result, dead)
            return None if kept is None else Program(assignments, kept) if assignments else kept
        case Name(name):
            return None if name in dead else tree
        case Call("where", (condition, taken, other)):
            branches = [_pruned(branch, dead) or Number("0") for branch in (taken, other)]
            return None if branches == [Number("0")] * 2 else Call("where", (condition, *branches))
        case Call("tie", (Name(tied),)):
            return None if f"tie({tied})" in dead else tree
        case Binary("+" | "-" as operator, left, right):
            first, second = _pruned(left, dead), _pruned(right, dead)
            if first is None:
                return second if second is None or operator == "+" else negated(second)
            return first if second is None else replace(tree, left=first, right=second)
        case Binary("*" | "@" | "/") | Unary() | Attribute() | Call("sum" | "trace"):
            parts = [_pruned(item, dead) for item in syntax.children(tree)]
            alive = iter([item for item in parts if item is not None])
            return None if None in parts else syntax.map_children(tree, lambda _: next(alive))
    return tree


def tidy(tree: Node) -> Node:
    """Return a differential as a person writes it: `a/b` where the table guards a division by zero, half of a tie."""
    match tree:
        case Binary("*", Binary("*", tied, Call("tie", _)), moved):
            return Binary("/", Binary("*", tidy(tied), tidy(moved)), Number("2"))
        case Binary("*", above, Call("reciprocal_or_zero", (below,))) | Call("quotient", (above, below)):
            return Binary("/", tidy(above), tidy(below))
        case Binary("!=", Binary(sign) as condition, Number("0")) if sign in COMPARISONS:
            return tidy(condition)
        case Call("reciprocal_or_zero", (divisor,)):
            return Binary("/", Number("1"), tidy(divisor))
    return syntax.map_children(tree, tidy)
