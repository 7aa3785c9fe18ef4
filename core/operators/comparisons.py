"""Comparisons, and the names of what infix operators write: `torch.mul(a, b)` is `a * b`.

The values of a comparison are a mask: its 0 annihilates even inf and nan in a Product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.catalogue import enter
from ..graph.operator import Operator
from .elementwise import elementwise


def comparison(name: str, doc: str, evaluate: Callable[..., Any], kink: str | None = "a == b") -> None:
    """Enter a comparison; where both sides are equal it jumps, unless equality is what it asks."""
    elementwise(
        name,
        "0 * da + 0 * db",
        doc,
        evaluate,
        parameters="a, b",
        samples=(f"{name}(x, u)", f"{name}(X, x)", f"{name}(x, x)"),
        mask=True,
        analytic=False,
        kink=kink,
        at_kink="the branch that the comparison takes" if kink else "",
    )


comparison("less", "1 where a < b, else 0.", np.less)
comparison("less_equal", "1 where a <= b, else 0.", np.less_equal)
comparison("greater", "1 where a > b, else 0.", np.greater)
comparison("greater_equal", "1 where a >= b, else 0.", np.greater_equal)
comparison("equal", "1 where a is b, else 0.", np.equal, kink=None)
comparison("not_equal", "1 where a is not b, else 0.", np.not_equal, kink=None)


# --- other spellings of arithmetic -----------------------------------------------------------------------------------


def arithmetic(
    name: str,
    formula: str,
    doc: str,
    reference: Callable[..., Any],
    *,
    parameters: str = "x",
    domain: str = "real",
    aliases: tuple[str, ...] = (),
) -> None:
    """Enter a function that a formula defines; `domain` is that of its last operand."""
    binary = "," in parameters
    samples = ("{0}(x, u)", "{0}(X, x)", "{0}(2, x)") if binary else ("{0}(x)", "{0}(X)", "{0}(a)")
    enter(
        Operator(
            name,
            parameters,
            doc,
            family="arithmetic",
            definition=formula,
            reference=reference,
            aliases=aliases,
            domain=("real", domain) if binary else (domain,),
            samples=tuple(sample.format(name) for sample in samples),
            errors=(f"{name}(x)", f"{name}(x, v)") if binary else (f"{name}()", f"{name}(x, x)"),
        )
    )


arithmetic("add", "a + b", "Sum of two entries.", np.add, parameters="a, b")
arithmetic("subtract", "a - b", "Difference of two entries.", np.subtract, parameters="a, b", aliases=("sub",))
arithmetic("multiply", "a * b", "Product of two entries (Hadamard).", np.multiply, parameters="a, b", aliases=("mul",))
arithmetic(
    "divide",
    "a / b",
    "Quotient of two entries.",
    np.divide,
    parameters="a, b",
    domain="nonzero",
    aliases=("div", "true_divide"),
)
arithmetic("negative", "-x", "The negative.", np.negative, aliases=("neg",))
arithmetic("reciprocal", "1 / x", "One divided by x.", np.reciprocal, domain="nonzero")
arithmetic("square", "x**2", "The square of each entry.", np.square)
arithmetic(
    "rsqrt", "x**(-1/2)", "One divided by the square root.", lambda x: 1 / np.sqrt(x), domain="positive"
)
arithmetic("silu", "x * sigmoid(x)", "x times its sigmoid.", lambda x: x / (1 + np.exp(-x)), aliases=("swish",))
arithmetic(
    "log_sigmoid",
    "-softplus(-x)",
    "Log of the sigmoid.",
    lambda x: -np.log1p(np.exp(-x)),
    aliases=("logsigmoid",),
)
