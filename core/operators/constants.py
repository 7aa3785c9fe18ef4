"""Arrays that are written down rather than computed: ones, zeros, identities, ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ExpressionError
from ..graph import algebra
from ..graph.nodes import Constant, Delta, Node, Select
from ..graph.operator import Operator
from .axes import checked_shape


def _eye(n: int, m: int | None, k: int) -> Node:
    rows, columns = checked_shape((n, n if m is None else m))
    if k == 0 and rows == columns:
        return Delta.of(rows, 2)
    first, last = max(0, -k), min(rows, columns - k)
    if first >= last:
        return algebra.zero((rows, columns))
    (place,) = algebra.fresh(1)
    selects = [
        (Select.of(range(first, last), rows), (place, 0)),
        (Select.of(range(first + k, last + k), columns), (place, 1)),
    ]
    return algebra.product(1, selects, (0, 1))


def _arange(start: float, stop: float | None, step: float) -> Node:
    if step == 0:
        raise ExpressionError("`arange` cannot have step 0")
    return Constant.of(np.arange(start, stop, step) if stop is not None else np.arange(0, start, step))


def _linspace(start: float, stop: float, num: int) -> Node:
    (count,) = checked_shape(num)
    return Constant.of(np.linspace(start, stop, count))


def _ones(shape: Any) -> Node:
    return algebra.full(1, checked_shape(shape))


def _zeros(shape: Any) -> Node:
    return algebra.zero(checked_shape(shape))


def _full(size: Any, value: float) -> Node:
    return algebra.full(value, checked_shape(size))


def _ones_like(x: Node) -> Node:
    return algebra.full(1, x.shape)


def _zeros_like(x: Node) -> Node:
    return algebra.zero(x.shape)


def _full_like(x: Node, value: float) -> Node:
    return algebra.full(value, x.shape)


def constant(name: str, parameters: str, doc: str, build: Callable[..., Node], **fields: Any) -> Operator:
    """Return an operator that makes an array from numbers that are known beforehand."""
    return Operator(name, parameters, doc, family="constants", build=build, **fields)


ENTRIES = (
    constant("eye", "; n, m=None, k=0", "Identity matrix, or ones on the k-th diagonal of an n×m matrix.", _eye,
             aliases=("identity",), samples=("eye(3)", "eye(2, 4)", "eye(4, k=1)", "eye(3, k=-2)", "eye(2, k=5)"),
             errors=("eye()", "eye(-1)", "eye(1.5)"), spellings={"torch": "torch.eye(#1, **like)"}),
    constant("ones", "; shape", "Array of ones.", _ones, samples=("ones(3)", "ones((2, 3))"),
             errors=("ones()", "ones(-1)", "ones(x)"), spellings={"torch": "torch.ones(#*, **like)"}),
    constant("zeros", "; shape", "Array of zeros.", _zeros, samples=("zeros(3)", "zeros((2, 3))"),
             errors=("zeros()", "zeros(-1)"), spellings={"torch": "torch.zeros(#*, **like)"}),
    constant("full", "; size, value", "Array of one number.", _full, samples=("full(3, 2.5)", "full((2, 3), -1)"),
             errors=("full(3)", "full(3, x)"), spellings={"torch": "torch.full(#*, **like)"}),
    constant("linspace", "; start, stop, num=50", "`num` numbers evenly spaced from start to stop, both included.",
             _linspace, samples=("linspace(0, 1)", "linspace(-1, 1, 5)"),
             errors=("linspace(0)", "linspace(0, 1, -2)"), spellings={"torch": "torch.linspace(#1, #2, #3, **like)"}),
    constant("arange", "; start, stop=None, step=1", "Numbers from start (or 0) up to stop, without stop.", _arange,
             samples=("arange(4)", "arange(1, 5)", "arange(0, 1, 0.25)"), errors=("arange()", "arange(0, 1, 0)"),
             spellings={"torch": "torch.arange(#*, **like)"}),
    constant("ones_like", "x", "Ones in the shape of x.", _ones_like, samples=("ones_like(X)", "ones_like(a)"),
             errors=("ones_like()",)),
    constant("zeros_like", "x", "Zeros in the shape of x.", _zeros_like, samples=("zeros_like(X)", "zeros_like(a)"),
             errors=("zeros_like()",)),
    constant("full_like", "x; value", "One number in the shape of x.", _full_like, samples=("full_like(X, 2)",),
             errors=("full_like(x)",)),
)
