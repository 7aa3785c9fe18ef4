"""Solutions as functions of what stands in their equations, differentiated implicitly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..arrays import AnyArray, Array
from ..differentiation.differentiate import derivative, pushforward
from ..differentiation.stabilise import stabilized
from ..elaboration.closures import Closure
from ..elaboration.elaborate import elaborate_text
from ..errors import ExpressionError, NotScalarError, ShapeError
from ..graph.algebra import is_zero, zero
from ..graph.functions import applied, closed
from ..graph.nodes import Apply, Function, Node, Symbol
from ..graph.operator import NOWHERE, Operator
from ..shapes import describe, require_rank
from .axes import reshaped
from .loops import require_same, step_of

SOURCE = "the implicit function theorem; Griewank & Walther 2008, Evaluating Derivatives, section 15.2"
MOST_STEPS = 200
# A step of Newton's method that is this small beside the point is the last.
LAST_STEP = 1e-10
SMALLEST_SHARE = 1e-8


# --- numbers ---------------------------------------------------------------------------------------------------------


def solve_equation(start: AnyArray, *arrays: AnyArray, function: Any, jacobian: Any) -> AnyArray:
    """Return where a function is zero, sample by sample, by Newton's method from a start."""

    def solved(x: Array, others: list[Array]) -> Array:
        return _newton(x, *_flat(x.shape, others, function, jacobian), None)

    return _by_sample(solved, start, arrays, function)


def minimize(start: AnyArray, *arrays: AnyArray, objective: Any, function: Any, jacobian: Any) -> AnyArray:
    """Return where a function is least, sample by sample, by Newton's method from a start."""

    def solved(x: Array, others: list[Array]) -> Array:
        def height(at: Array) -> float:
            return float(objective(at.reshape(x.shape), *others))

        return _newton(x, *_flat(x.shape, others, function, jacobian), height)

    return _by_sample(solved, start, arrays, function)


def _by_sample(
    solved: Callable[[Array, list[Array]], Array], start: AnyArray, arrays: tuple[AnyArray, ...], function: Any
) -> AnyArray:
    lead = start.shape[: start.ndim - function.arguments[0].rank]
    result = np.empty_like(start)
    for place in np.ndindex(lead):
        result[place] = solved(start[place], [array[place] for array in arrays])
    return result


def _flat(
    shape: tuple[int, ...], others: list[Array], function: Any, jacobian: Any
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    size = prod(shape)
    return (
        lambda at: function(at.reshape(shape), *others).reshape(size),
        lambda at: jacobian(at.reshape(shape), *others).reshape(size, size),
    )


def _newton(
    start: Array,
    function: Callable[[Array], Array],
    jacobian: Callable[[Array], Array],
    height: Callable[[Array], float] | None,
) -> Array:
    """Return a zero of a function; where it is the gradient of a `height`, a place where that is least.

    Each step is halved until the residual, or the height, is smaller.
    """
    x = np.array(start, dtype=np.float64).reshape(-1)
    for _ in range(MOST_STEPS):
        g, J = function(x), jacobian(x)
        step = -_divided(J, g) if height is None else -_downhill(J, g)
        if np.linalg.norm(step) <= LAST_STEP * np.linalg.norm(x) or not g.any():
            break
        further = _shortened(x, step, g, function, height)
        if further is None:
            break
        x = further
    if not _solved(x, g, J):
        word = "gradient" if height is not None else "residual"
        raise ArithmeticError(f"Newton's method finds none from this start: the {word} is {np.linalg.norm(g):.3g}")
    if height is not None:
        _require_least(x, J, height)
    return (x - _divided(J, g)).reshape(np.shape(start))


def _solved(x: Array, g: Array, J: Array) -> bool:
    """Whether a point solves an equation but for rounding: to go further would change little, and leave nothing."""
    step = _divided(J, g)
    size = float(np.linalg.norm(x))
    rounding = SMALLEST_SHARE * float(np.linalg.norm(J)) * size
    near = float(np.linalg.norm(step)) <= SMALLEST_SHARE * size and np.linalg.norm(g) <= rounding
    return bool(near or not g.any())


def _require_least(x: Array, hessian: Array, height: Callable[[Array], float]) -> None:
    """Raise where a function falls from a point on which its gradient vanishes."""
    curvatures, axes = np.linalg.eigh((hessian + hessian.T) / 2)
    smallest = float(curvatures[0]) if x.size else 1.0
    if smallest < -SMALLEST_SHARE * np.linalg.norm(hessian):
        raise ArithmeticError(f"this is no minimum: the smallest eigenvalue of the Hessian is {smallest:.3g}")
    if smallest <= SMALLEST_SHARE * np.linalg.norm(hessian):
        away = 1e-3 * (float(np.linalg.norm(x)) or 1.0) * axes[:, 0]
        if min(height(x + away), height(x - away)) < height(x) - 1e-12 * abs(height(x)):
            raise ArithmeticError("this is no minimum: the function falls along a direction without curvature")


def _shortened(
    x: Array, step: Array, g: Array, function: Callable[[Array], Array], height: Callable[[Array], float] | None
) -> Array | None:
    """Return the point after a step that is short enough to bring something, None where none is."""
    slope = float(step @ g)
    before = float(np.linalg.norm(g)) if height is None else height(x)
    share = 1.0
    while share > SMALLEST_SHARE:
        point = x + share * step
        now = float(np.linalg.norm(function(point))) if height is None else height(point)
        wanted = before * (1 - 1e-4 * share) if height is None else before + 1e-4 * share * slope
        if now <= wanted:
            return point
        share /= 2
    return None


def _divided(matrix: Array, vector: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(matrix, vector))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, vector, rcond=None)[0])


def _downhill(hessian: Array, gradient: Array) -> Array:
    """Return the step of Newton's method, up to its sign; where the function is not convex, with its curvatures so."""
    curvatures, axes = np.linalg.eigh((hessian + hessian.T) / 2)
    least = 1e-12 * float(np.max(np.abs(curvatures), initial=0.0)) or 1.0
    return np.asarray(axes @ ((axes.T @ gradient) / np.maximum(np.abs(curvatures), least)))


# --- graphs ----------------------------------------------------------------------------------------------------------


def _asked(name: str, operands: tuple[Any, ...]) -> tuple[Function, Node, list[Node], Symbol]:
    """Return the function that is solved for, the start, what the function takes from outside, and its variable."""
    if len(operands) != 2 or not isinstance(operands[0], Closure):
        message = f"`{name}` needs an expression and the name in it that is solved for"
        if name == "argmin":
            message, helps = "matgrad has no `argmin` of an array", [
                "its values are whole numbers without a derivative; `min(x)` is the entry",
                "`argmin(norm(A@x - b)**2, x)` is the x that makes an expression least",
            ]
            raise ExpressionError(message, helps=helps)
        raise ExpressionError(message, helps=[f"write `{name}(cos(x) - x, x)` or `{name}(lambda x: cos(x) - x, x0)`"])
    closure, start = operands
    (own,), value = step_of(closure, name, start.shape, [])
    if not isinstance(value, Node):
        raise ExpressionError(f"`{name}` needs one value of its function")
    if name == "root":
        require_same(name, value.shape, start.shape, closure)
    elif value.shape:
        message = f"`argmin` needs a number to make small, and this is {describe(value.shape)}"
        raise NotScalarError(message, helps=["`argmin(norm(f)**2, x)` makes a vector small"])
    function, captured = closed(stabilized([value])[0], [own])
    return function, start, captured, own


def _root(*operands: Any) -> Node:
    function, start, captured, own = _asked("root", operands)
    jacobian = Function.of(function.arguments, derivative(function.body, own))
    return _solution(ROOT, start, captured, function=function, jacobian=jacobian)


def _argmin(*operands: Any) -> Node:
    objective, start, captured, own = _asked("argmin", operands)
    gradient = Function.of(objective.arguments, derivative(objective.body, own))
    hessian = Function.of(objective.arguments, derivative(gradient.body, own))
    return _solution(ARGMIN, start, captured, objective=objective, function=gradient, jacobian=hessian)


def _solution(operator: Operator, start: Node, captured: list[Node], **functions: Function) -> Node:
    made = _operator(operator, (start.rank, *(node.rank for node in captured)))
    return Apply.of(made, (start, *captured), start.shape, tuple(functions.items()))


@cache
def _operator(operator: Operator, ranks: tuple[int, ...]) -> Operator:
    """Return the operator of solutions over operands of these ranks."""
    names = ["x0", *(f"p{place}" for place in range(len(ranks) - 1))]
    cores = [",".join(f"{name}_{axis}" for axis in range(rank)) for name, rank in zip(names, ranks, strict=True)]
    signature = f"{','.join(f'({core})' for core in cores)}->({cores[0]})"
    return replace(operator, parameters=", ".join(names), signature=signature)


def _tangent(names: Mapping[str, Any]) -> Node:
    """Return the change of a solution: what the equation changes by, divided by its Jacobian."""
    function, jacobian, y = names["function"], names["jacobian"], names["y"]
    operands = [f"p{place}" for place in range(len(function.arguments) - 1)]
    values = [y, *(names[name] for name in operands)]
    changes = [names["d" + name] for name in operands]
    moved = [Symbol.of(f"change of {symbol.name}", symbol.shape) for symbol in function.arguments[1:]]
    triples = zip(function.arguments[1:], moved, changes, strict=True)
    live = {symbol: new for symbol, new, change in triples if not is_zero(change)}
    if not live:
        return zero(y.shape)
    change = applied(
        pushforward(function.body, live), [*function.arguments, *moved], [*values, *changes]
    )
    matrix = applied(jacobian.body, function.arguments, values)
    if y.rank == 0:
        return elaborate_text("-df / J", {"J": matrix, "df": change})
    size = prod(y.shape)
    flat = {"J": reshaped(matrix, (size, size)), "df": reshaped(change, (size,))}
    return reshaped(elaborate_text("-solve(J, df)", flat), y.shape)


def _quadratic_program(P: Node, q: Node, A: Node, b: Node) -> Node:
    """Return the first part of the solution of the KKT system, of which the rest are the multipliers."""
    for place, (operand, rank) in enumerate(((P, 2), (q, 1), (A, 2), (b, 1))):
        require_rank(operand.shape, rank, "qp", place)
    for first, second in ((P.shape[0], P.shape[1]), (q.shape[0], P.shape[0]), (A.shape[1], P.shape[0])):
        if first != second:
            raise ShapeError(f"`qp`: sizes {first} and {second} must be equal", sizes=(first, second))
    if b.shape != A.shape[:1]:
        raise ShapeError(f"`qp`: sizes {A.shape[0]} and {b.shape[0]} must be equal", sizes=(A.shape[0], b.shape[0]))
    names = {"P": P, "q": q, "A": A, "b": b, "Z": zero((A.shape[0], A.shape[0]))}
    system = "vstack([hstack([(P + P.T)/2, A.T]), hstack([A, Z])])"
    return elaborate_text(f"solve({system}, concatenate([-q, b]))[:q.shape[0]]", names)


ROOT = Operator(
    "root", "*f, x", "The x at which f, which is of its shape, is zero: by Newton's method from the value of x.",
    family="solutions", build=_root, evaluate=solve_equation, tangent=_tangent, differential="-solve(J, df)",
    source=SOURCE, spellings=NOWHERE, samples=("root(lambda x: x + tanh(A @ x)/9 - v, v)",), errors=("root(v)",),
    libraries=("scipy.optimize.fsolve(func, x0) -> root(func, x0)",
               "scipy.optimize.newton(func, x0) -> root(func, x0)"),
)
ARGMIN = Operator(
    "argmin", "*f, x", "The x at which the number f is least: by Newton's method from the value of x.",
    family="solutions", build=_argmin, evaluate=minimize, tangent=_tangent,
    differential="-solve(hessian(f, x), df)", source=SOURCE, spellings=NOWHERE,
    samples=("argmin(lambda x: norm(A @ x - v)**2 + sum(exp(x)), v)",), errors=("argmin(v)",),
)

ENTRIES = (
    ROOT,
    ARGMIN,
    Operator("qp", "P, q, A, b", "The x that makes x.T @ P @ x / 2 + q @ x least among those with A @ x = b.",
             family="solutions", domain=("spd", "real", "real", "real"), spellings=NOWHERE,
             build=_quadratic_program,
             source="Boyd & Vandenberghe 2004, Convex Optimization, section 10.1",
             samples=("qp(A, v, reshape(v, (1, 3)), reshape(a, (1,)))",),
             errors=("qp(X, v, A, v)", "qp(A, v, X, x)", "qp(A, v)")),
)
