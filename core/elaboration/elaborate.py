"""Syntax tree to graph: names find their values, calls find their operators, shapes are checked on the way.

NumPy's rules decide shapes. What is not a tensor (an axis, a shape, `'fro'`, None) stays a Python value; a number is
a tensor until something asks for its value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any, cast

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Given, Setting, advise
from ...grammar.errors import ExpressionError, Label, Span
from ...grammar.parser import parse
from ...grammar.vocabulary import TAKE_FUNCTIONS
from ..arrays import AnyArray, Static, is_mask
from ..errors import ChoiceError, RankError, ShapeError, UnknownNameError
from ..graph import catalogue
from ..graph.algebra import broadcast, constant_value, elementwise, number, permute, scale
from ..graph.nodes import Coefficient, Constant, Node, Symbol, topological  # fmt: skip
from ..graph.operator import Operator
from ..graph.ratios import as_size
from ..graph.sizes import NotPlainError, Size
from ..shapes import broadcast_shapes, describe
from . import infix, misfits
from .applied import Value as Value
from .applied import apply, flat, over_axes
from .arguments import bind, written_out
from .closures import Closure, closure
from .entries import ComplexPair, Entries, StaticNameError, Unavailable, counted, integral_symbols
from .indexing import indexed, parts_of, slice_ends
from .keywords import PLAIN
from .literals import BARE_CONSTANTS, CONSTANTS, constant_array, literal, plain
from .settings import UnfitSetting, check_settings
from .whole_numbers import whole_number

# --- calling operators -----------------------------------------------------------------------------------------------


def call(name: str, *operands: Node | Sequence[Node], **settings: Value) -> Node:
    """Return an operator with one output applied to nodes: `call("sum", x, axis=0)`.

    Settings that are not given have their defaults. Raises ShapeError or RankError where the operands do not fit.
    """
    operator = catalogue.find(name)
    assert operator is not None, name
    bound = bind(operator, operands, settings)
    nodes = [number(item) if isinstance(item, int | float) else item for item in bound.operands]
    result = construct(operator, nodes, bound.settings)
    assert isinstance(result, Node), name
    return result


INFIX: Mapping[str, Callable[[Node, Node], Node]] = {
    "+": infix.plus,
    "-": lambda left, right: infix.plus(left, right, -1),
    "*": infix.times,
    "/": infix.divide,
    "//": lambda left, right: call("floor", infix.divide(left, right)),
    "%": infix.remainder,
    "@": infix.matmul,
    "**": infix.power,
    **{sign: partial(call, name) for sign, name in infix.COMPARISONS.items()},
}


def construct(operator: Operator, operands: Sequence[Any], settings: Mapping[str, Value]) -> Any:
    """Return an operator applied to nodes, with all settings given; a tuple of nodes where it has several outputs.

    Raises NotPlainError for a length where a number must be known, as an axis.
    """
    numbers = flat([value for name, value in settings.items() if name in PLAIN])
    if lengths := [size for size in numbers if isinstance(size, Size)]:
        raise NotPlainError(f"`{operator.name}` must know this number", lengths)
    if operator.build is not None:
        try:
            return operator.build(*operands, **settings)
        except TypeError:  # of a length that is counted to
            if lengths := [size for size in flat(settings.values()) if isinstance(size, Size)]:
                raise NotPlainError(f"`{operator.name}` must know this number", lengths) from None
            raise
    if operator.definition is not None:
        text = definition_of(operator, settings)
        return elaborate_text(text, {**dict(zip(operator.operands, operands, strict=True)), **settings})
    if operator.elementwise:
        shape = broadcast_shapes(*(operand.shape for operand in operands))
        return elementwise(operator, [broadcast(operand, shape) for operand in operands])
    if "axis" in settings:
        return over_axes(operator, operands[0], **settings)
    return apply(operator, operands, settings)


def definition_of(operator: Operator, settings: Mapping[str, Value]) -> str:
    """Return the formula of a derived operator, which may be another one for each value of its first setting."""
    found = operator.definitions
    if None in found:
        return found[None]
    setting, value = next(iter(settings.items()))
    if value not in found:
        *others, last = (repr(known) for known in found)
        message = f"`{setting}` of `{operator.name}` is {', '.join(others)} or {last}, not {value!r}"
        raise ChoiceError(message, setting)
    return found[value]


# --- the walk --------------------------------------------------------------------------------------------------------


def elaborate_text(text: str, environment: Mapping[str, Value]) -> Node:
    """Return the graph of a rule or a definition over given values: `elaborate_text("2*x", {"x": x})`."""
    try:
        return cast("Node", Elaborator(environment).run(parse(text)))
    except ExpressionError as error:
        # The places are those of the rule: the call that stands for it has its own.
        error.labels = ()
        raise


class Elaborator:
    """Turns one program into a graph.

    `environment` gives names their values; `statics` the whole numbers that names stand for where a size or an index
    is wanted, and the arrays of them. After `run`, `spans` tells where each node was first written, `sums` which two
    nodes each sum was written as, and `indices` where the names stand by which nothing can be differentiated.
    """

    def __init__(self, environment: Mapping[str, Value], statics: Mapping[str, Static] | None = None) -> None:
        self.environment: MutableMapping[str, Value] = dict(environment)
        self.statics = statics or {}
        self.spans: dict[Node, Span] = {}
        self.sums: dict[Node, tuple[Node, Node]] = {}
        self.indices: dict[str, Span] = {}
        self.definitions: dict[str, syntax.Node] = {}
        self.rewritten: dict[syntax.Node, syntax.Node] = {}
        self.locals: dict[str, Value] = {}

    def run(self, program: syntax.Program) -> Value:
        """Return the value of the program's last expression; a literal list is an array by then."""
        for assignment in program.assignments:
            self.definitions[assignment.name] = assignment.value
            self.environment[assignment.name] = self.visit(assignment.value)
        value = self.visit(program.result)
        return self.tensor(value, syntax.span_of(program.result)) if isinstance(value, list) else value

    def visit(self, node: syntax.Node) -> Value:
        """Return the value of a syntax node."""
        value = getattr(self, f"_{type(node).__name__.lower()}")(node)
        if isinstance(value, Node):
            self.spans.setdefault(value, node.span)
        return value

    def operand(self, node: syntax.Node) -> Node:
        """Return a syntax node's value as a tensor."""
        return self.tensor(self.visit(node), syntax.span_of(node))

    def tensor(self, value: Value, span: Span) -> Node:
        """Return a value as a tensor: numbers and lists of them become constants.

        Raises ExpressionError for words and other values that are no tensor.
        """
        if isinstance(value, Node):
            return value
        if isinstance(value, Unavailable):
            raise ExpressionError(value.message, Label(span), helps=[value.help])
        if isinstance(value, bool | int | float | Fraction | Size):
            return number(int(value) if isinstance(value, bool) else value)
        if isinstance(value, list | tuple) and value:
            items = [self.tensor(item, span) for item in value]
            if len({item.shape for item in items}) > 1:
                first, other = items[0], next(item for item in items if item.shape != items[0].shape)
                raise ShapeError(
                    "the rows of this array differ in length",
                    Label(span, f"{describe(first.shape)}, then {describe(other.shape)}"),
                )
            return _stacked(items)
        if isinstance(value, Closure):
            helps = ["write what the function is applied to: `sum(x**2)`"]
            raise ExpressionError("a function is no value here", Label(value.function.span, "a function"), helps=helps)
        raise ExpressionError("a number, a vector or a matrix is needed here", Label(span, misfits.kind_of(value)))

    def static(self, value: Value, span: Span) -> Value:
        """Return a value as a setting: constant tensors become numbers, lists become tuples.

        Raises StaticNameError for an input whose value is not known, ExpressionError for what depends on inputs.
        """
        if isinstance(value, list | tuple):
            return tuple(self.static(item, span) for item in value)
        if not isinstance(value, Node):
            return value
        constant = None if value.shape else constant_value(value)
        if constant is not None:
            return plain(constant)
        # Asked of every shape: a name whose shape is not known yet may stand for a size.
        found = whole_number(value, partial(self.size_named, span=span), self.whole_part)
        if found is not None and not value.shape:
            return plain(found)
        raise ExpressionError(
            "a plain number is needed here, one that does not depend on the inputs", Label(span, "depends on inputs")
        )

    def whole_part(self, value: Coefficient) -> int:
        """Return a size that is computed by `//`."""
        return as_size(value, exact=False)

    def size_named(self, name: str, span: Span) -> int:
        """Return the number that a name stands for where it is used as a size or an index."""
        self.indices.setdefault(name, span)
        found = self.statics.get(name)
        if found is None or isinstance(found, float):
            raise StaticNameError(name, span)
        if not isinstance(found, int | Size):
            raise ExpressionError(
                f"`{name}` is an array, and a whole number is needed here",
                Label(span, f"`{name}` is {describe(np.shape(found))}"),
                helps=[advise("a size or an axis is one number: ", Given(name, 3))],
            )
        return found

    def entries(self, node: Node, span: Span) -> Entries:
        """Return the entries of an array of indices, or of a mask, which are those that its names have.

        Raises StaticNameError where they are not known, and ExpressionError for what is not whole.
        """

        def read(symbol: Symbol) -> AnyArray:
            if symbol.name not in self.statics:
                error = StaticNameError(symbol.name, span)
                error.shape = None if symbol in integral_symbols(node) else symbol.shape
                raise error
            array = np.asarray(self.statics[symbol.name])
            return array.astype(np.bool_) if is_mask(array) else array

        try:
            found = Entries.of(node, read)
        except ExpressionError as error:
            error.labels = error.labels or (Label(span),)
            raise
        for symbol in integral_symbols(node):
            self.indices.setdefault(symbol.name, span)
        return found

    # One method per kind of syntax node.

    def _number(self, node: syntax.Number) -> Node:
        return number(literal(node.text))

    def _literal(self, node: syntax.Literal | syntax.String) -> object:
        return node.value

    _string = _literal

    def _name(self, node: syntax.Name) -> Value:
        if not node.prefix and node.name in self.environment:
            return self.environment[node.name]
        if node.name in CONSTANTS and (node.prefix or node.name in BARE_CONSTANTS):
            return number(CONSTANTS[node.name])
        if node.prefix:
            raise UnknownNameError(f"`{node.prefix}.{node.name}` is not known", Label(node.span, "unknown name"))
        shape = Setting("shapes", {node.name: (2,)})
        raise UnknownNameError(
            f"missing input `{node.name}`",
            Label(node.span, "no value given"),
            helps=[advise("give it: ", Given(node.name, [1, 2]), ", or a shape for random numbers: ", shape)],
        )

    def _local(self, node: syntax.Local) -> Value:
        return self.locals[node.name]

    def _lambda(self, node: syntax.Lambda) -> Closure:
        return closure(self, node)

    def _unary(self, node: syntax.Unary) -> Node:
        operand = self.operand(node.operand)
        return scale(-1, operand) if node.operator == "-" else operand

    def _binary(self, node: syntax.Binary) -> Node:
        # A long sum leans to the left: walking down its spine here keeps it from recursing.
        spine = [node]
        while isinstance(spine[-1].left, syntax.Binary):
            spine.append(spine[-1].left)
        left = self.operand(spine[-1].left)
        for item in reversed(spine):
            first, right = left, self.operand(item.right)
            if item.mark:
                misfits.require_numbers(item, first, right)
            try:
                left = INFIX[item.operator](first, right)
            except ShapeError as error:
                left = self.mismatch(item, first, right, error)
            self.spans.setdefault(left, item.span)
            if item.operator in ("+", "-"):
                self.sums.setdefault(left, (first, right))
        return left

    def mismatch(self, node: syntax.Binary, left: Node, right: Node, error: ShapeError) -> Node:
        """Say what to do with operands that do not fit: here, raise an error that names both."""
        raise misfits.clash(node, left, right, error) from None

    def _attribute(self, node: syntax.Attribute) -> Value:
        value = self.visit(node.operand)
        if isinstance(value, ComplexPair) and node.name in value.PARTS:
            return value.part(node.name)
        operand = self.tensor(value, syntax.span_of(node.operand))
        match node.name:
            case "T" | "H":
                return permute(operand, range(operand.rank)[::-1])
            case "mT" | "mH":
                if operand.rank < 2:
                    raise RankError("`.mT` needs a matrix", Label(node.span, describe(operand.shape)), needed=2)
                return permute(operand, [*range(operand.rank - 2), operand.rank - 1, operand.rank - 2])
            case "shape":
                return operand.shape
            case "real":
                return operand
            case "imag":
                return call("imag", operand)
            case "size":
                return math.prod(operand.shape)
            case "ndim":
                return operand.rank
        raise UnknownNameError(f"there is no property `.{node.name}`", Label(node.span, "unknown property"))

    def _listliteral(self, node: syntax.ListLiteral) -> list[Value]:
        return [self.visit(item) for item in node.items]

    def _tupleliteral(self, node: syntax.TupleLiteral) -> tuple[Value, ...]:
        return tuple(self.visit(item) for item in node.items)

    def _call(self, node: syntax.Call) -> Value:
        operator = catalogue.find(node.function)
        if operator is None:
            raise misfits.unknown_function(node)
        if operator.rewrite is not None:
            return self.visit(self._rewritten(operator, operator.rewrite, node))
        positional = [self.visit(item) for item in node.arguments]
        if node.mark:
            misfits.require_meaning(node, positional, self.statics)
        keywords = {item.name: self.visit(item.value) for item in node.keywords}
        if positional and isinstance(first := positional[0], ComplexPair) and operator.name in first.PARTS:
            return first.part(operator.name)
        try:
            bound = bind(operator, positional, keywords)
            operands = [
                item if isinstance(item, Closure) and node.function in TAKE_FUNCTIONS else self.tensor(item, node.span)
                for item in bound.operands
            ]
            settings = {name: self.static(item, node.span) for name, item in bound.settings.items()}
            check_settings(operator, settings)
            return construct(operator, operands, settings)
        except UnfitSetting as error:
            given = [*zip(positional, node.arguments, strict=True)]
            given += [(keywords[item.name], item.value) for item in node.keywords]
            places = (syntax.span_of(tree) for value, tree in given if value is bound.settings[error.name])
            error.labels = (Label(next(places, node.span)),)
            misfits.say_typed(error, operator, node)
            raise
        except ExpressionError as error:
            if not error.labels:
                misfits.say_typed(error, operator, node)
                misfits.label_arguments(error, node, positional)
            raise

    def _rewritten(self, operator: Operator, rewrite: Callable[..., syntax.Node], node: syntax.Call) -> syntax.Node:
        """Return what a call is another way to write; for equal calls the same tree."""
        if node not in self.rewritten:
            self.rewritten[node] = written_out(operator, rewrite, node)
        return self.rewritten[node]

    def _index(self, node: syntax.Index) -> Value:
        operand = self.visit(node.operand)
        misfits.require_parts(node, operand)
        node = self._with_places(node)
        if isinstance(operand, tuple | list) and len(node.items) == 1:
            (item,) = node.items
            if isinstance(item, syntax.Slice):
                return operand[slice(*slice_ends(item, self._position))]
            position = self.static(self.visit(item), node.span)
            if isinstance(position, int) and -len(operand) <= position < len(operand):
                return operand[position]
            message = f"there is no item {position} of {len(operand)}" if operand else "a number has no axes"
            raise ExpressionError(message, Label(node.span, "out of range"))
        return indexed(self.tensor(operand, syntax.span_of(node.operand)), node, self._position, self.graph_of)

    def _with_places(self, node: syntax.Index) -> syntax.Index:
        """Return `x[(0, 1)]` as `x[0, 1]`, and so `x[I]` where a name or a call `I` has such a value, as in Python."""
        item = node.items[0]
        if len(node.items) > 1:
            return node
        operator = catalogue.find(item.function) if isinstance(item, syntax.Call) else None
        if isinstance(item, syntax.Call) and operator is not None and operator.rewrite is not None:
            item = self._rewritten(operator, operator.rewrite, item)
        match item:
            case syntax.TupleLiteral(items) | syntax.Call("places_where", items):
                return replace(node, items=items)
            case syntax.Name(name) if isinstance(places := self.environment.get(name), tuple):
                return replace(node, items=parts_of(item, len(places)))
            case syntax.Call() if operator is not None and operator.family == "places":
                places = self.visit(item)
                return replace(node, items=parts_of(item, len(places))) if isinstance(places, tuple) else node
        return node

    def _position(self, item: syntax.Node) -> Any:
        """Return an index: a whole number, or a tuple of them, of Booleans or of such tuples."""
        value, span = self.visit(item), syntax.span_of(item)
        if isinstance(value, Unavailable):
            value = self.tensor(value, span)
        if isinstance(value, list) and any(isinstance(entry, Node) and entry.shape for entry in value):
            value = self.tensor(value, span)
        if not isinstance(value, Node) or not (value.shape or any(node.shape for node in topological([value]))):
            return self.static(value, span)
        return counted(graph := self.graph_of(item)) or self.entries(graph, span)

    def graph_of(self, node: syntax.Node) -> Node:
        """Return the graph of a syntax node whose numbers are needed."""
        return self.operand(node)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _stacked(items: list[Node]) -> Node:
    """Return nodes of one shape as one array with a new first axis; constants stay a constant."""
    arrays = [constant_array(item) for item in items]
    if all(array is not None for array in arrays):
        return Constant.of(np.array(arrays))
    return call("stack", items)
