"""Arrays that are written down rather than computed: ones, zeros, identities, ranges."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, cast

import numpy as np

from ..elaboration.infix import plus
from ..elaboration.settings import is_whole
from ..errors import ExpressionError
from ..graph.algebra import add, broadcast, constant_value, fresh, full, product, scale, zero
from ..graph.nodes import Coefficient, Constant, Delta, Node, Triangle
from ..graph.operator import Operator
from ..graph.ratios import ratio, reciprocal
from ..graph.sizes import NotPlainError, Size, least, quotient
from ..shapes import broadcast_shapes
from .axes import checked_shape
from .contractions import tensordot
from .diagonals import on_diagonal

# More have no place in any memory.
MOST_NUMBERS = 2.0**50
# A list of more numbers than this is computed when the program runs: what it needs is known before it is taken.
LARGEST_HELD = 2**17


def _eye(n: int, m: int | None, k: int) -> Node:
    rows, columns = checked_shape((n, n if m is None else m))
    if k == 0 and rows == columns:
        return Delta.of(rows, 2)
    first, last = max(0, -k), least(rows, columns - k)
    if first >= last:
        return zero((rows, columns))
    (place,) = fresh(1)
    return product(1, on_diagonal(k, last - first, (rows, columns), place), (0, 1))


def _arange(start: float, stop: float | None, step: float) -> Node:
    if step == 0:
        raise ExpressionError("`arange` cannot have step 0")
    first, end = (0, start) if stop is None else (start, stop)
    lengths = [part for part in (first, end, step) if isinstance(part, Size)]
    if lengths:
        if isinstance(step, Size) or not all(map(is_whole, (first, end, step))):
            raise NotPlainError("how many numbers these are depends on lengths", lengths)
        reach, stride = cast("int", end - first if step > 0 else first - end), cast("int", abs(step))
        return _counted(quotient(reach + stride - 1, stride), ratio(cast("int", first)), step)
    count = (end - first) / step
    if not count < MOST_NUMBERS:
        many = "no end" if count == float("inf") else f"{count:.3g} numbers"
        raise ExpressionError(f"`arange` would have {many}")
    if count > LARGEST_HELD:
        return _counted(ceil(count), first, step)
    return Constant.of(np.arange(first, end, step, dtype=np.float64))


def _counted(count: int, start: Coefficient, step: Coefficient) -> Node:
    """Return `start + step*i` for i below a length that is a symbol or large: running sums of ones, not an array."""
    places = product(1, [(Triangle.of(count, count, -1), (0, 1))], (0,))
    return add([(step, places), (1, full(start, (count,)))], (count,))


def _linspace(start: Node, stop: Node, num: int) -> Node:
    (count,) = checked_shape(num)
    first, last = constant_value(start), constant_value(stop)
    if first is None or last is None or start.rank or stop.rank:
        places, shape = _spaced(0, 1, count), broadcast_shapes(start.shape, stop.shape)
        ends = [tensordot(full(1, (count,)), broadcast(end, shape), 0) for end in (start, stop)]
        reach = tensordot(places, broadcast(plus(stop, scale(-1, start)), shape), 0)
        return plus(ends[0], reach)
    return _spaced(first, last, count)


def _spaced(first: Coefficient, last: Coefficient, count: int) -> Node:
    """Return so many numbers evenly spaced between two, both included."""
    if isinstance(count, Size) or not isinstance(first, int | float) or not isinstance(last, int | float):
        return _counted(count, first, (last - first) * reciprocal(ratio((count - 1) or 1)))
    if count > LARGEST_HELD:
        return _counted(count, first, (last - first) / (count - 1))
    return Constant.of(np.linspace(first, last, count))


def constant(name: str, parameters: str, doc: str, build: Callable[..., Node], **fields: Any) -> Operator:
    """Return an operator that makes an array from numbers that are known beforehand."""
    return Operator(name, parameters, doc, family="constants", build=build, **fields)


ENTRIES = (
    constant("eye", "; n, m=None, k=0", "Identity matrix, or ones on the k-th diagonal of an n×m matrix.", _eye,
             aliases=("identity",), samples=("eye(3)", "eye(2, 4)", "eye(4, k=1)", "eye(3, k=-2)", "eye(2, k=5)"),
             errors=("eye()", "eye(-1)", "eye(1.5)"),
             libraries=("np.eye(N, M=None, k=0, dtype=None, order=...) -> eye(N, M, k)",
                        "torch.eye(n, m=None) -> eye(n, m)", "tf.eye(n, m=None) -> eye(n, m)"),
             spellings={"torch": "torch.eye(#1, **like)"}),
    constant("ones", "; shape", "Array of ones.", lambda shape: full(1, checked_shape(shape)),
             samples=("ones(3)", "ones((2, 3))"), libraries=("np.ones(shape, dtype=None, order=...) -> ones(shape)",
                        "torch.ones(*size) -> ones(size)", "torch.ones(size) -> ones(size)"),
             errors=("ones()", "ones(-1)", "ones(x)"),
             spellings={"torch": "torch.ones(#*, **like)"}),
    constant("zeros", "; shape", "Array of zeros.", lambda shape: zero(checked_shape(shape)),
             samples=("zeros(3)", "zeros((2, 3))"), libraries=("np.zeros(shape, dtype=None, order=...) -> zeros(shape)",
                        "torch.zeros(*size) -> zeros(size)", "torch.zeros(size) -> zeros(size)"),
             errors=("zeros()", "zeros(-1)"),
             spellings={"torch": "torch.zeros(#*, **like)"}),
    constant("full", "; size, value", "Array of one number.", lambda size, value: full(value, checked_shape(size)),
             samples=("full(3, 2.5)", "full((2, 3), -1)"),
             libraries=tuple(
                 f"{name}({size}, {value}{kind}{rest}) -> {own}"
                 for name, size, value, rest in (
                     ("np.full", "shape", "fill_value", ", dtype=None, order=..."),
                     ("torch.full", "size", "fill_value", ""), ("full", "size", "value", ""),
                     ("jax.lax.full", "shape", "fill_value", ", dtype=None, sharding=..."))
                 for kind, own in ((": number", f"full({size}, {value})"), ("", f"broadcast_to({value}, {size})"))),
             errors=("full(3)", "full(3, x)"),
             spellings={"torch": "torch.full(#*, **like)"}),
    constant("linspace", "start, stop; num=50", "`num` numbers evenly spaced from start to stop, both included.",
             _linspace, samples=("linspace(0, 1)", "linspace(-1, 1, 5)", "linspace(a, b, 5)", "linspace(x, 1, 3)"),
             libraries=("np.linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0)"
                        " -> linspace(start, stop, num)",
                        "torch.linspace(start, end, steps) -> linspace(start, end, steps)"),
             errors=("linspace(0)", "linspace(0, 1, -2)", "linspace(x, v)"),
             spellings={"torch": "linspace(#1, #2, torch.linspace(0, 1, #3, **like))"}),
    constant("arange", "; start, stop=None, step=1", "Numbers from start (or 0) up to stop, without stop.", _arange,
             sought=("range",),
             samples=("arange(4)", "arange(1, 5)", "arange(0, 1, 0.25)"), errors=("arange()", "arange(0, 1, 0)"),
             spellings={"torch": "torch.arange(#*, **like)"}),
    constant("ones_like", "x", "Ones in the shape of x.", lambda x: full(1, x.shape),
             samples=("ones_like(X)", "ones_like(a)"), errors=("ones_like()",)),
    constant("zeros_like", "x", "Zeros in the shape of x.", lambda x: zero(x.shape),
             samples=("zeros_like(X)", "zeros_like(a)"), errors=("zeros_like()",)),
    constant("full_like", "x; value", "One number in the shape of x.", lambda x, value: full(value, x.shape),
             samples=("full_like(X, 2)",), errors=("full_like(x)",),
             libraries=tuple(
                 f"{name}({x}, {value}{kind}) -> {own}"
                 for name, x, value in (("np.full_like", "a", "fill_value"), ("torch.full_like", "input", "fill_value"),
                                        ("torch.fill", "input", "value"), ("full_like", "x", "value"))
                 for kind, own in ((": number", f"full_like({x}, {value})"),
                                   ("", f"broadcast_to({value}, {x}.shape)")))),
    Operator("logspace", "start, stop; num=50, base=10", "Powers of a base, whose exponents are evenly spaced.",
             family="constants", definition="base**linspace(start, stop, num)",
             samples=("logspace(0, 1, 4)", "logspace(a, 1, 3, base=2)"), errors=("logspace(0)",),
             libraries=("np.logspace(start, stop, num=50, endpoint: True = True, base=10.0, dtype=None, axis: 0 = 0)"
                        " -> logspace(start, stop, num, base)",
                        "torch.logspace(start, end, steps, base=10.0) -> logspace(start, end, steps, base)"),
             spellings={"torch": "torch.logspace(#1, #2, #3, #4, **like)"}),
    Operator("geomspace", "start, stop; num=50", "Numbers from start to stop, each the same multiple of the last.",
             family="constants", definition="exp(linspace(log(start), log(stop), num))",
             domain=("positive", "positive"),
             samples=("geomspace(1, 8, 4)", "geomspace(a, 3 + a, 3)"), errors=("geomspace(1)",),
             libraries=("np.geomspace(start, stop, num=50, endpoint: True = True, dtype=None, axis: 0 = 0)"
                        " -> geomspace(start, stop, num)",), spellings={"torch": None}),
)
