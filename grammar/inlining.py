"""Functions that a text defines are written out where they are called.

    def sigmoid(z): return 1/(1 + exp(-z))
    def loss(w):                                    (no expression follows, so the last function is the expression)
        p = sigmoid(X @ w)
        return y @ log(p) + p @ p

reads `p = 1/(1 + exp(-(X @ w))); y @ log(p) + p @ p`. An argument that a body uses more than once becomes a statement,
under the name of its parameter. Names within a function that stand for something else outside are numbered: `z_2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from . import syntax_errors
from .builder import Scope
from .functions import Parameter
from .pasted import Function, Pasted
from .rewriting import filled
from .statements import Bare
from .syntax import (
    Assignment,
    Binary,
    Call,
    Index,
    Lambda,
    Literal,
    Local,
    Name,
    Node,
    Number,
    Program,
    String,
    TupleLiteral,
    map_children,
    walk,
)
from .vocabulary import TAKE_FUNCTIONS

DEEPEST = 40
MOST_CALLS = 2000


class Understand(Protocol):
    """Makes a syntax tree of a piece of the text."""

    def __call__(self, flat: str, scope: Scope | None = None) -> Program:
        """Return the tree; `flat` is as long as the text, and blank where the piece is not."""


@dataclass(frozen=True, eq=False)
class Body:
    """Statements and their result, which is missing where a text ends with a function, and the functions in between."""

    program: Program
    functions: Mapping[str, Definition]
    answers: bool = True


@dataclass(frozen=True, eq=False)
class Definition:
    """A function, understood: its parameters, what stands for those that a call leaves out, and its body.

    With `first` the first of several outputs is meant where one value is taken, as in MATLAB.
    """

    name: str
    parameters: tuple[Parameter, ...]
    defaults: Mapping[str, Node]
    body: Body
    first: bool = False


@dataclass(eq=False)
class Frame:
    """What the names in a body stand for while it is written out; other names belong to the frame outside."""

    body: Body
    outside: Frame | None = None
    caller: Frame | None = None
    values: dict[str, Node] = field(default_factory=dict)
    functions: dict[str, tuple[Definition, Frame]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)

    def value(self, name: str) -> Node | None:
        """Return what a name stands for, None where it stands for itself."""
        found = self.values.get(name)
        return found if found is not None or self.outside is None else self.outside.value(name)

    def function(self, name: str) -> tuple[Definition, Frame] | None:
        """Return the function of a name, with the frame in which it is defined."""
        if name in self.functions:
            return self.functions[name]
        if name in self.body.functions:
            return self.body.functions[name], self
        return None if self.outside is None or name in self.values else self.outside.function(name)

    def running(self) -> Iterator[Frame]:
        """Yield the frame and those that called it, from the inside out."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.caller


def program_of(pasted: Pasted, understand: Understand) -> Program:
    """Return the program that pasted code means, without functions."""
    if not pasted.functions:
        return understand(pasted.text, Scope(pasted.tracked))
    return _Inlining(_body(pasted, understand, Scope())).program()


def _body(pasted: Pasted, understand: Understand, outside: Scope, outputs: tuple[str, ...] = ()) -> Body:
    known = outside.functions.union(function.name for function in pasted.functions)
    scope = outside._replace(tracked=pasted.tracked, functions=known)
    functions = {function.name: _definition(function, understand, scope) for function in pasted.functions}
    # The tree of a text has a result: where the text writes none down, this stands for it.
    ending = f"\n{', '.join(outputs)}" if outputs else "" if pasted.answers else "\n0"
    return Body(understand(pasted.text + ending, scope), functions, pasted.answers)


def _definition(function: Function, understand: Understand, outside: Scope) -> Definition:
    names = {parameter.name for parameter in function.parameters}
    defaults = {
        parameter.name: understand(parameter.default, outside).result
        for parameter in function.parameters
        if parameter.default is not None
    }
    inside = outside._replace(names=outside.names | names, returns=True)
    body = _body(function.body, understand, inside, function.outputs)
    return Definition(function.name, function.parameters, defaults, body, bool(function.outputs))


class _Inlining:
    """A program on its way to be without functions."""

    def __init__(self, top: Body) -> None:
        self.top = Frame(top)
        self.steps: list[Assignment] = []
        self.given: list[Assignment] = []
        self.detached: list[Node] = []
        self.tracked = [*top.program.tracked]
        self.taken = _global_names(top).union(statement.name for statement in top.program.assignments)
        self.unpacked: dict[tuple[int, int], Node] = {}
        self.calls = 0

    def program(self) -> Program:
        """Return the whole program."""
        top = self.top.body.program
        main = None if self.top.body.answers else _last_alone(self.top.body)
        inputs = {parameter.name for parameter in main.parameters} if main else frozenset[str]()
        self.taken |= inputs
        for statement in top.assignments:
            kept = self.given if statement.name in inputs else self.steps
            kept.append(replace(statement, value=self.expression(statement.value, self.top)))
        self.given += top.given
        if main is not None:
            result = self.called_with_inputs(main)
        elif not self.top.body.answers:
            result = Name(top.assignments[-1].name, span=top.assignments[-1].name_span)
        else:
            result = self.result(top.result)
        self.detached += [self.expression(node, self.top) for node in top.detached]
        places = [item.span for item in (*self.steps, result)]
        return replace(
            top, assignments=tuple(self.steps), result=result, given=tuple(self.given), tracked=tuple(self.tracked),
            detached=tuple(self.detached), span=(min(start for start, _ in places), max(end for _, end in places)),
        )  # fmt: skip

    def called_with_inputs(self, main: Definition) -> Node:
        """Return what a function returns whose parameters are inputs; what one is by default is its value."""
        known = {statement.name for statement in self.given}
        for name, default in main.defaults.items():
            if name not in known:
                self.given.append(Assignment(name, self.expression(default, self.top), span=default.span))
        self.tracked += main.body.program.tracked
        inputs: dict[str, Node] = {item.name: Name(item.name, span=item.span) for item in main.parameters}
        return _one(self.run(Frame(main.body, self.top, values=inputs)), main)

    def result(self, node: Node) -> Node:
        """Return the result; the parameters of a function that is called there are parts of the expression."""
        if isinstance(node, Call) and (found := self.defined(node, self.top)) is not None:
            return _one(self.call(node, *found, self.top, named=True), found[0])
        return self.expression(node, self.top)

    def defined(self, call: Call, frame: Frame) -> tuple[Definition, Frame] | None:
        """Return the function of the text that is called, if it is one."""
        return None if call.prefix or call.method else frame.function(call.function)

    def expression(self, node: Node, frame: Frame) -> Node:
        """Return an expression without functions, in the names of the whole program."""
        match node:
            case Name(name, ""):
                if frame.function(name) is not None:
                    raise syntax_errors.function_as_value(name, node.span)
                value = frame.value(name)
                return node if value is None else replace(value, span=node.span) if isinstance(value, Name) else value
            case Binary():
                return self.chain(node, frame)
            case Lambda():
                return self.closed(node, node.body, frame)
            case Call() if node.function in TAKE_FUNCTIONS and self.defined(node, frame) is None:
                return map_children(node, lambda child: self.argument(child, frame))
            case Call() if (found := self.defined(node, frame)) is not None:
                return _one(self.call(node, *found, frame), found[0])
            case Index(Call() as call, (Number(place),)) if place.isdigit() and (found := self.defined(call, frame)):
                # Each of `a, b = f(x)` has the same call in it.
                if (id(call), id(frame)) not in self.unpacked:
                    self.unpacked[id(call), id(frame)] = self.call(call, *found, frame)
                operand = self.unpacked[id(call), id(frame)]
                fits = isinstance(operand, TupleLiteral) and node.count in (None, len(operand.items))
                if isinstance(operand, TupleLiteral) and fits and int(place) < len(operand.items):
                    return operand.items[int(place)]
                return replace(node, operand=operand)
        return map_children(node, lambda child: self.expression(child, frame))

    def argument(self, node: Node, frame: Frame) -> Node:
        """Return an argument of what takes functions; the name of one stands for the function."""
        found = frame.function(node.name) if isinstance(node, Name) and not node.prefix else None
        if found is None or not isinstance(node, Name):
            return self.expression(node, frame)
        parameters = tuple(item.name for item in found[0].parameters if item.default is None)
        arguments = tuple(Local(name, span=node.span) for name in parameters)
        call = Call(node.name, arguments, span=node.span, function_span=node.span)
        return self.closed(Lambda(parameters, call, span=node.span), call, frame)

    def closed(self, function: Lambda, body: Node, frame: Frame) -> Lambda:
        """Return a function whose body is one expression: statements that were made on the way stay within it."""
        first = len(self.steps)
        if isinstance(body, Call) and (called := self.defined(body, frame)) is not None:
            result = self.call(body, *called, frame)
        else:
            result = self.expression(body, frame)
        result = TupleLiteral(result.items, span=result.span) if isinstance(result, Bare) else result
        for statement in reversed(self.steps[first:]):
            result = filled(result, {statement.name: statement.value})
        del self.steps[first:]
        return replace(function, body=result)

    def chain(self, node: Binary, frame: Frame) -> Node:
        """Return a sum or a product without functions; a long one is a deep tree, and no recursion goes down there."""
        links: list[Binary] = []
        left: Node = node
        while isinstance(left, Binary):
            links.append(left)
            left = left.left
        left = self.expression(left, frame)
        for link in reversed(links):
            left = replace(link, left=left, right=self.expression(link.right, frame))
        return left

    def call(self, call: Call, function: Definition, home: Frame, frame: Frame, *, named: bool = False) -> Node:
        """Return what a call of a function stands for; `named` makes each of its parameters a statement."""
        self.calls += 1
        running = [*frame.running()]
        if any(outer.body is function.body for outer in running):
            raise syntax_errors.recursion(function.name, call.function_span)
        if len(running) > DEEPEST or self.calls > MOST_CALLS:
            raise syntax_errors.too_many_calls(call.function_span)
        inside = Frame(function.body, home, frame)
        arguments = _arguments(call, function)
        for name, argument in arguments.items():
            self.bind(name, argument, frame, inside, named=named)
        for name in function.defaults.keys() - arguments.keys():
            self.bind(name, function.defaults[name], home, inside, named=named)
        return self.run(inside)

    def bind(self, name: str, argument: Node, frame: Frame, inside: Frame, *, named: bool) -> None:
        """Let a parameter stand for an argument, or for a statement with its value where it is used more than once."""
        if isinstance(argument, Name) and not argument.prefix and (function := frame.function(argument.name)):
            inside.functions[name] = function
            return
        value = self.expression(argument, frame)
        again = not isinstance(value, Name | Number | String | Literal | Local) and _uses(inside.body, name) > 1
        if again or (named and name not in self.taken):
            self.assign(Assignment(name, value, span=argument.span, name_span=argument.span), inside)
        else:
            inside.values[name] = value

    def run(self, frame: Frame) -> Node:
        """Return the result of a body, after its statements."""
        program = frame.body.program
        for statement in program.given:
            new = self.assign(replace(statement, value=self.expression(statement.value, frame)), frame)
            self.given.append(self.steps.pop(self.steps.index(new)))
        for statement in program.assignments:
            self.assign(replace(statement, value=self.expression(statement.value, frame)), frame)
        result = self.expression(program.result, frame)
        self.detached += [self.expression(node, frame) for node in program.detached]
        return result

    def assign(self, statement: Assignment, frame: Frame) -> Assignment:
        """Add a statement, under a name that stands for nothing else in the whole program."""
        known = frame.values.get(statement.name)
        name, number = statement.name, 2
        if isinstance(known, Name) and known.name in frame.own:
            name = known.name
        while name in self.taken and name not in frame.own:
            name, number = f"{statement.name}_{number}", number + 1
        self.taken.add(name)
        frame.own.add(name)
        frame.values[statement.name] = Name(name, span=statement.name_span)
        self.steps.append(replace(statement, name=name))
        return self.steps[-1]


def _one(result: Node, function: Definition) -> Node:
    """Return the result of a function of which one value is asked for."""
    if not isinstance(result, Bare):
        return result
    if not function.first:
        raise syntax_errors.several_returned(function.name, result.span)
    return result.items[0]


def _arguments(call: Call, function: Definition) -> dict[str, Node]:
    """Return what each parameter stands for that a call mentions."""
    names = [parameter.name for parameter in function.parameters if not parameter.starred]
    if len(call.arguments) > len(names):
        surplus = call.arguments[len(names)]
        raise syntax_errors.surplus_argument(function.name, names, surplus.span)
    found = dict(zip(names, call.arguments, strict=False))
    for keyword in call.keywords:
        if keyword.name not in names or keyword.name in found:
            raise syntax_errors.surplus_argument(function.name, names, keyword.span)
        found[keyword.name] = keyword.value
    missing = [name for name in names if name not in found and name not in function.defaults]
    if missing:
        raise syntax_errors.missing_argument(function.name, missing[0], call.span)
    return found


def _last_alone(body: Body) -> Definition | None:
    """Return the function that is meant where no expression follows: the last one that nothing calls."""
    called = {call.function for call in _calls(body.program)}
    for name, function in body.functions.items():
        called |= {call for call in _called_in(function.body) if call != name}
    alone = [function for name, function in body.functions.items() if name not in called]
    if not alone and body.program.assignments:
        return None  # the last statement is meant: `y = f(x)`
    return alone[-1] if alone else [*body.functions.values()][-1]


def _calls(program: Program) -> Iterator[Call]:
    return (node for node in walk(program) if isinstance(node, Call) and not node.prefix and not node.method)


def _called_in(body: Body) -> set[str]:
    inner = [_called_in(function.body) for function in body.functions.values()]
    return {call.function for call in _calls(body.program)}.union(*inner)


def _names(program: Program) -> list[str]:
    return [node.name for node in walk(program) if isinstance(node, Name) and not node.prefix]


def _uses(body: Body, name: str) -> int:
    """Return how often a body uses a name; within a function it may be any number of times."""
    inner = sum(2 * _uses(function.body, name) for function in body.functions.values())
    return _names(body.program).count(name) + inner


def _global_names(body: Body, own: frozenset[str] = frozenset()) -> set[str]:
    """Return the names in a body that stand for something outside of it; `own` are its parameters."""
    own = own.union(statement.name for statement in (*body.program.assignments, *body.program.given))
    found = {*_names(body.program)}
    for function in body.functions.values():
        found |= _global_names(function.body, frozenset(parameter.name for parameter in function.parameters))
    return found - own
