"""Loops over a fixed number of steps, and the linear recurrences that their derivatives are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..arrays import AnyArray
from ..differentiation.differentiate import derivative, pushforward
from ..differentiation.stabilise import stabilized
from ..elaboration.closures import Closure
from ..elaboration.elaborate import elaborate_text
from ..errors import ExpressionError, Label, RankError, ShapeError
from ..graph.algebra import is_zero
from ..graph.functions import along, closed
from ..graph.nodes import Apply, Function, Map, Node, Symbol, topological
from ..graph.operator import NOWHERE, Operator
from ..shapes import Shape, describe
from .axes import reshaped

SOURCE = "Griewank & Walther 2008, Evaluating Derivatives, chapter 3: tangents and adjoints of evaluation procedures"


# --- numbers ---------------------------------------------------------------------------------------------------------


def run_steps(start: AnyArray, *arrays: AnyArray, step: Any, sequences: int) -> AnyArray:
    """Return the start and the state after each step, for sequences and what is the same in each step."""
    lead = start.ndim - step.arguments[0].rank
    rows = [np.moveaxis(array, lead, 0) for array in arrays[:sequences]]
    states = np.empty((1 + len(rows[0]), *start.shape), dtype=np.result_type(start, *arrays))
    states[0] = start
    for place in range(len(rows[0])):
        states[place + 1] = step(states[place], *(row[place] for row in rows), *arrays[sequences:])
    return np.moveaxis(states, 0, lead)


def linear_recurrence(F: AnyArray, b: AnyArray) -> AnyArray:
    """Return z[t+1] = F[t] @ z[t] + b[t+1], beginning with z[0] = b[0]."""
    F, z = _by_step(F, b)
    for place, matrix in enumerate(F):
        z[place + 1] += _matvec(matrix, z[place])
    return np.moveaxis(z, 0, -2)


def adjoint_recurrence(F: AnyArray, b: AnyArray) -> AnyArray:
    """Return z[t] = F[t].T @ z[t+1] + b[t], from the last, which is that of b, to the first."""
    F, z = _by_step(F, b)
    for place in reversed(range(len(F))):
        z[place] += _matvec(np.swapaxes(F[place], -1, -2), z[place + 1])
    return np.moveaxis(z, 0, -2)


def _by_step(F: AnyArray, b: AnyArray) -> tuple[AnyArray, AnyArray]:
    return np.moveaxis(F, -3, 0), np.moveaxis(b, -2, 0).astype(np.result_type(F, b))


def _matvec(matrix: AnyArray, vector: AnyArray) -> AnyArray:
    return np.asarray((matrix @ vector[..., None])[..., 0])


# --- graphs ----------------------------------------------------------------------------------------------------------


def step_of(function: Closure, name: str, start: Shape, rows: list[Shape]) -> tuple[list[Symbol], Any]:
    """Return the symbols of the parameters of a function, and its value over them."""
    parameters = function.function.parameters
    if len(parameters) != 1 + len(rows):
        message = f"`{name}` calls this function with {1 + len(rows)} values, and it takes {len(parameters)}"
        raise ExpressionError(message, Label(function.function.span, f"takes {', '.join(parameters)}"))
    own = [Symbol.of(f"local {p}", shape) for p, shape in zip(parameters, [start, *rows], strict=True)]
    return own, function.called(*own)


def require_same(name: str, shape: Shape, start: Shape, function: Closure) -> None:
    """Raise unless a function returns what it was given the like of."""
    if len(shape) != len(start):
        parameter = function.function.parameters[0]
        message = f"`{name}`: the function gives {describe(shape)}, and `{parameter}` begins as {describe(start)}"
        raise RankError(message, Label(function.function.body.span, describe(shape)), needed=len(start))
    for own, other in zip(shape, start, strict=True):
        if own != other:
            raise ShapeError(f"`{name}`: a step turns {describe(start)} into {describe(shape)}", sizes=(own, other))


def _states(name: str, function: Any = None, start: Node | None = None, *sequences: Node) -> tuple[Node, Node | None]:
    """Return the state after each step, and what the function gives besides, step by step."""
    if not isinstance(function, Closure):
        raise ExpressionError(f"`{name}` needs a function", helps=[f"write `{name}(lambda h, x: ..., h0, X)`"])
    if start is None or not sequences:
        raise ExpressionError(f"`{name}` needs a sequence: one step is made for each row", helps=["`fori(n, f, x0)`"])
    for place, sequence in enumerate(sequences, 2):
        if not sequence.shape:
            raise RankError(f"`{name}` makes one step for each row, and this is a number", needed=1, position=place)
        if sequence.shape[0] != sequences[0].shape[0]:
            sizes = sequence.shape[0], sequences[0].shape[0]
            raise ShapeError(f"`{name}`: sequences of {sizes[0]} and {sizes[1]} rows", sizes=sizes)
    own, value = step_of(function, name, start.shape, [sequence.shape[1:] for sequence in sequences])
    value, extra = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
    if not isinstance(value, Node):
        raise ExpressionError(f"`{name}`: a step gives one value, or two: the state and an output")
    require_same(name, value.shape, start.shape, function)
    step, captured = closed(stabilized([value])[0], own)
    operator = _operator(len(sequences), tuple(symbol.rank for symbol in step.arguments), is_analytic(step))
    settings = (("sequences", len(sequences)), ("step", step))
    length = sequences[0].shape[0]
    states = Apply.of(operator, (start, *sequences, *captured), (length + 1, *start.shape), settings)
    if not isinstance(extra, Node):
        return states, None
    rows = dict(zip(own, [_before(states), *sequences], strict=True))
    return states, along([extra], rows, {}, length)[0]


def is_analytic(function: Function) -> bool:
    """Whether the complex step applies to a function."""
    nodes = topological([function.body])
    return all(node.operator.analytic for node in nodes if isinstance(node, Map | Apply))


@cache
def _operator(sequences: int, ranks: tuple[int, ...], analytic: bool) -> Operator:
    """Return the operator of loops over states, rows and shared values of these ranks."""
    names = ["h0", *(f"X{k}" for k in range(sequences)), *(f"p{k}" for k in range(len(ranks) - 1 - sequences))]
    axes = [",".join(f"{name}_{axis}" for axis in range(rank)) for name, rank in zip(names, ranks, strict=True)]
    cores = [f"({'t,' if 0 < place <= sequences else ''}{own})".replace(",)", ")") for place, own in enumerate(axes)]
    signature = f"{','.join(cores)}->(s,{axes[0]})".replace(",)", ")")
    return replace(STATES, parameters=", ".join(names), signature=signature, analytic=analytic)


def _before(states: Node) -> Node:
    return elaborate_text("H[:-1]", {"H": states})


def _tangent(names: Mapping[str, Any]) -> Node:
    """Return the change of the states: a linear recurrence with the Jacobian of each step."""
    step, states, count = names["step"], names["y"], 1 + names["sequences"]
    values = [names[name] for name in _operands(names)]
    changes = [names["d" + name] for name in _operands(names)]
    before = [_before(states), *values[1:]]
    moved = [Symbol.of(f"change of {symbol.name}", symbol.shape) for symbol in step.arguments]
    live = {
        own: new for own, new, d in zip(step.arguments[1:], moved[1:], changes[1:], strict=True) if not is_zero(d)
    }
    roots = [derivative(step.body, step.arguments[0]), pushforward(step.body, live)]
    rows = dict(zip(step.arguments[:count], before, strict=False))
    rows |= dict(zip(moved[1:count], changes[1:], strict=False))
    shared = dict(zip(step.arguments[count:], values[count:], strict=True))
    shared |= dict(zip(moved[count:], changes[count:], strict=True))
    length = before[0].shape[0]
    jacobians, change = along(roots, rows, shared, length)
    rule = "linear_recurrence(J, concatenate([dh0[None], df]))"
    if states.rank == 2:
        return elaborate_text(rule, {"J": jacobians, "df": change, "dh0": changes[0]})
    size = prod(states.shape[1:])
    flat = {"J": reshaped(jacobians, (length, size, size)), "df": reshaped(change, (length, size))}
    flat["dh0"] = reshaped(changes[0], (size,))
    return reshaped(elaborate_text(rule, flat), states.shape)


def _operands(names: Mapping[str, Any]) -> list[str]:
    ends = len(names["step"].arguments) - 1 - names["sequences"]
    return ["h0", *(f"X{k}" for k in range(names["sequences"])), *(f"p{k}" for k in range(ends))]


def _scan(*operands: Any) -> Any:
    states, outputs = _states("scan", *operands)
    final = elaborate_text("H[-1]", {"H": states})
    return final if outputs is None else (final, outputs)


def _fori(*operands: Any) -> Node:
    raise ExpressionError(
        "`fori` needs a number of steps, a function and where it begins",
        helps=["write `fori(5, sin(A @ x), x0)` or `fori(5, lambda i, x: sin(A @ x), x0)`"],
    )


STATES = Operator(
    "states", "*f, h0, X", "The states of a loop: h0, then that after each step `h = f(h, x)`, for the rows x of X.",
    family="loops", build=lambda *operands: _states("states", *operands)[0], evaluate=run_steps, tangent=_tangent,
    differential="linear_recurrence(J, concatenate([dh0[None], df]))", source=SOURCE, spellings=NOWHERE,
    samples=("states(lambda h, x: tanh(A @ h + x), v, B)",), errors=("states(v, A)",),
)

ENTRIES = (
    Operator("scan", "*f, h0, X", "The last state of a loop: `h = f(h, x)` for the rows x of X, beginning with h0.",
             family="loops", build=_scan, source=SOURCE, spellings=NOWHERE,
             samples=("scan(lambda h, x: tanh(A @ h + x), v, B)",), errors=("scan(v, A)",),
             libraries=("jax.lax.scan(f, init, xs) -> scan(f, init, xs)",)),
    STATES,
    Operator("fori", "*n, f, x0", "The last of n steps `x = f(i, x)`, beginning with x0: `fori(5, sin(A @ x), x0)`.",
             family="loops", build=_fori, source=SOURCE, spellings=NOWHERE,
             samples=("fori(3, lambda i, x: sin(A @ x), v)",), errors=("fori(3)",), aliases=("fori_loop",),
             libraries=("jax.lax.fori_loop(lower, upper, body_fun, init_val)"
                        " -> fori(lower, upper, body_fun, init_val)",)),
    Operator("linear_recurrence", "F, b", "The vectors z[t+1] = F[t] @ z[t] + b[t+1], beginning with z[0] = b[0].",
             family="loops", signature="(t,n,n),(t+1,n)->(t+1,n)", evaluate=linear_recurrence, analytic=True,
             adjoint="adjoint_recurrence(F, g)", spellings=NOWHERE, source=SOURCE,
             samples=("linear_recurrence(S, A)", "linear_recurrence(sin(S), B)"),
             errors=("linear_recurrence(S, X)", "linear_recurrence(A, B)", "linear_recurrence(S, T)"),
             differential="linear_recurrence(F, concatenate([0*y[:1], einsum('tij,tj->ti', dF, y[:-1])]))"),
    Operator("adjoint_recurrence", "F, b",
             "The vectors z[t] = F[t].T @ z[t+1] + b[t], from the last, which is that of b, to the first.",
             family="loops", signature="(t,n,n),(t+1,n)->(t+1,n)", evaluate=adjoint_recurrence, analytic=True,
             adjoint="linear_recurrence(F, g)", spellings=NOWHERE, source=SOURCE,
             samples=("adjoint_recurrence(S, A)", "adjoint_recurrence(sin(S), B)"),
             errors=("adjoint_recurrence(S, X)", "adjoint_recurrence(A, B)", "adjoint_recurrence(S, T)"),
             differential="adjoint_recurrence(F, concatenate([einsum('tij,ti->tj', dF, y[1:]), 0*y[:1]]))"),
)
