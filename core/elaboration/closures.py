"""Functions as arguments: which names `scan(tanh(W @ h + U @ x), h0, X)` binds, and what a function is when called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Label, Span
from ...grammar.rewriting import bound
from ...grammar.syntax import Call, Lambda, Name, Node

LOOPS = ("scan", "states")
SOLUTIONS = ("root", "argmin")


@dataclass(frozen=True, eq=False)
class Closure:
    """A function where it stands: called with values of its parameters, it is the value of its body."""

    function: Lambda
    called: Callable[..., Any]


class Scope(Protocol):
    """What visits the body of a function, with values for the names that functions bind."""

    locals: dict[str, Any]

    def visit(self, node: Node) -> Any:
        """Return the value of a syntax node."""

    def tensor(self, value: Any, span: Span) -> Any:
        """Return a value as a tensor."""


def closure(scope: Scope, function: Lambda) -> Closure:
    """Return a function in the scope where it stands."""
    outside = dict(scope.locals)

    def called(*values: Any) -> Any:
        before, scope.locals = scope.locals, {**outside, **dict(zip(function.parameters, values, strict=True))}
        try:
            value = scope.visit(function.body)
            return value if isinstance(value, tuple) else scope.tensor(value, syntax.span_of(function.body))
        finally:
            scope.locals = before

    return Closure(function, called)


def with_function(call: Call, assigned: str = "") -> Call:
    """Return a call of a loop or a solution in its full form, in which the names that it binds are said.

    - `scan(body, h0, X)` is `scan(lambda h, x: body, h0, X)`: the state is the name that the value is assigned to, if
      the body has it, or that of its beginning without the 0; an element is the lower case of its sequence;
    - `fori(n, body, x0)` is `scan(lambda x, i: body, x0, arange(n))`; `fori(m, n, body, x0)` counts from m to n;
    - `argmin(f, x)` and `root(g, x)` are `argmin(lambda x: f, x)` and `root(lambda x: g, x)`.

    Raises ExpressionError where the names cannot be told.
    """
    name, arguments = call.function, call.arguments
    if call.keywords or (name not in ("fori", "fori_loop", *LOOPS, *SOLUTIONS)):
        return call
    if name in SOLUTIONS:
        if len(arguments) in (2, 3) and not isinstance(arguments[0], Lambda) and _is_in(arguments[1], arguments[0]):
            body, variable, *given = arguments
            assert isinstance(variable, Name)
            function = bound((variable.name,), body, syntax.span_of(body))
            return replace(call, arguments=(function, *(given or [variable])))
        return call
    if name in ("fori", "fori_loop") and len(arguments) in (3, 4):
        *ends, body, start = arguments
        steps = Call("arange", tuple(ends), span=syntax.span_of(ends[0]), function_span=call.function_span)
        return replace(call, function="scan", arguments=(_counted(call, body, start, assigned), start, steps))
    if name in LOOPS and len(arguments) > 1 and not isinstance(arguments[0], Lambda):
        body, start, *sequences = arguments
        parameters = (_state(call, body, start, assigned), *(_element(call, body, item) for item in sequences))
        return replace(call, arguments=(bound(parameters, body, syntax.span_of(body)), start, *sequences))
    return call


def _counted(call: Call, body: Node, start: Node, assigned: str) -> Lambda:
    """Return the step of `fori` as a function of the state, then of the number of the step."""
    if not isinstance(body, Lambda):
        return bound((_state(call, body, start, assigned), "i"), body, syntax.span_of(body))
    if len(body.parameters) == 1:
        return replace(body, parameters=(*body.parameters, "i" if body.parameters[0] != "i" else "k"))
    return replace(body, parameters=(*body.parameters[1:], body.parameters[0]))


def _state(call: Call, body: Node, start: Node, assigned: str) -> str:
    names = [assigned, *([start.name.rstrip("0").rstrip("_")] if isinstance(start, Name) else [])]
    found = next((name for name in names if name and _uses(body, name)), None)
    if found is None:
        raise _unclear(call, start, "state", "`h` where it begins with `h0`")
    return found


def _element(call: Call, body: Node, sequence: Node) -> str:
    names = [sequence.name.lower(), sequence.name.lower().removesuffix("s")] if isinstance(sequence, Name) else []
    names = [name for name in names if not isinstance(sequence, Name) or name != sequence.name]
    found = next((name for name in names if name and _uses(body, name)), None)
    if found is None:
        raise _unclear(call, sequence, "element", "`x` where the sequence is `X`")
    return found


def _unclear(call: Call, place: Node, what: str, rule: str) -> ExpressionError:
    steps = "n, lambda i, x: ..., x0" if call.function == "fori" else "lambda h, x: ..., h0, X"
    return ExpressionError(
        f"which name in the body of `{call.function}` is the {what}?",
        Label(syntax.span_of(place), f"no name of the body goes with this: it is {rule}"),
        helps=[f"say it: `{call.function}({steps})`"],
    )


def _uses(body: Node, name: str) -> bool:
    return any(isinstance(item, Name) and item.name == name and not item.prefix for item in syntax.walk(body))


def _is_in(variable: Node, body: Node) -> bool:
    return isinstance(variable, Name) and not variable.prefix and _uses(body, variable.name)
