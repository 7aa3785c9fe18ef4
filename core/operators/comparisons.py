"""Comparisons, and the names of what infix operators write: `torch.mul(a, b)` is `a * b`.

The values of a comparison are a mask: its 0 annihilates even inf and nan in a Product.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..graph.operator import Operator
from .elementwise import elementwise


def comparison(name: str, doc: str, evaluate: Callable[..., Any], *, jumps: bool = True, **fields: Any) -> Operator:
    """Return a comparison; where both sides are equal it jumps, unless equality is what it asks."""
    kink = {"kink": "a == b", "at_kink": "the branch that the comparison takes"} if jumps else {}
    samples = (f"{name}(x, u)", f"{name}(X, x)", f"{name}(x, x)")
    return elementwise(name, "0 * da + 0 * db", doc, evaluate, parameters="a, b", samples=samples, mask=True,
                       exact=True, analytic=False, **kink, **fields)


def logical(name: str, doc: str, evaluate: Callable[..., Any], *, operands: str = "a, b") -> Operator:
    """Return a function of masks; of numbers it asks whether they are 0."""
    both = "," in operands
    samples = (f"{name}(x > 0, u > 1)", f"{name}(X > x, x)") if both else (f"{name}(x > 0)", f"{name}(X)")
    return elementwise(name, "0 * da + 0 * db" if both else "0 * dx", doc, evaluate, parameters=operands,
                       samples=samples, mask=True, analytic=False, domain=("mask", "mask") if both else ("mask",))


def truth(name: str, doc: str, evaluate: Callable[..., Any]) -> Operator:
    """Return a truth value about the entries along axes, which is constant nearby."""
    return Operator(name, "x; axis=None, keepdims=False", doc, family="reductions", signature="(n)->()",
                    evaluate=partial(evaluate, axis=-1), differential="0 * sum(dx)", domain=("mask",), mask=True,
                    spellings={"torch": f"torch.{name}(#1, dim=#2, keepdim=#3)"},
                    samples=(f"{name}(x > 0)", f"{name}(X > x, axis=0)", f"{name}(X > 1, axis=1, keepdims=True)"),
                    errors=(f"{name}()", f"{name}(x > 0, axis=1)"),
                    libraries=(f"np.{name}(a, axis=None, out=None, keepdims=False)"
                               f" -> {name}(a, axis=axis, keepdims=keepdims)",
                               f"torch.{name}(input, dim=None, keepdim=False)"
                               f" -> {name}(input, axis=dim, keepdims=keepdim)"))


def arithmetic(
    name: str, formula: str, doc: str, *, domain: str = "real", aliases: tuple[str, ...] = (), **fields: Any
) -> Operator:
    """Return a function that a formula in a and b, or in x, defines; `domain` is that of its last operand."""
    binary = "a " in formula
    samples = ("{0}(x, u)", "{0}(X, x)", "{0}(2, x)") if binary else ("{0}(x)", "{0}(X)", "{0}(a)")
    return Operator(
        name, "a, b" if binary else "x", doc, family="arithmetic", definition=formula, aliases=aliases,
        domain=("real", domain) if binary else (domain,), samples=tuple(sample.format(name) for sample in samples),
        errors=(f"{name}(x)", f"{name}(x, v)") if binary else (f"{name}()", f"{name}(x, x)"), **fields,
    )


def _scaled(sign: str, *names: str) -> tuple[str, ...]:
    """Return how PyTorch adds a multiple."""
    return tuple(
        line
        for library in ("torch.", "") for name in names
        for line in (f"{library}{name}(input, other, *, alpha: 1 = 1) -> {names[0]}(input, other)",
                     f"{library}{name}(input, other, *, alpha) -> input {sign} alpha*other"))


ENTRIES = (
    comparison("less",          "1 where a < b, else 0.",        np.less),
    comparison("less_equal",    "1 where a <= b, else 0.",       np.less_equal),
    comparison("greater",       "1 where a > b, else 0.",        np.greater),
    comparison("greater_equal", "1 where a >= b, else 0.",       np.greater_equal),
    comparison("equal",         "1 where a is b, else 0.",       np.equal,     jumps=False,
               spellings={"torch": "torch.eq(#*)"},
               refused={"torch.equal": "it is one truth value; `a == b` compares entry by entry"}),
    comparison("not_equal",     "1 where a is not b, else 0.",   np.not_equal, jumps=False),

    # --- of masks
    logical("logical_and", "1 where both are not 0, else 0.", np.logical_and),
    logical("logical_or",  "1 where one or both are not 0, else 0.", np.logical_or),
    logical("logical_xor", "1 where one of two is not 0 and the other is, else 0.", np.logical_xor),
    logical("logical_not", "1 where x is 0, else 0.", np.logical_not, operands="x"),

    truth("any", "1 where an entry along axes is not 0, else 0.", np.any),
    truth("all", "1 where no entry along axes is 0, else 0.", np.all),

    # --- other spellings of arithmetic
    arithmetic("add",         "a + b",          "Sum of two entries.",
               libraries=_scaled("+", "add")),
    arithmetic("subtract",    "a - b",          "Difference of two entries.",             aliases=("sub",),
               libraries=_scaled("-", "subtract", "sub")),
    arithmetic("multiply",    "a * b",          "Product of two entries (Hadamard).",     aliases=("mul",)),
    arithmetic("divide",      "a / b",          "Quotient of two entries.",               domain="nonzero",
               aliases=("div", "true_divide"),
               libraries=tuple(f"{library}{name}(input, other, *, rounding_mode: {mode}) -> {own}"
                               for library in ("torch.", "") for name in ("div", "divide")
                               for mode, own in (("None = None", "divide(input, other)"),
                                                 ("'floor'", "floor(input / other)"),
                                                 ("'trunc'", "sign(input / other) * floor(abs(input / other))")))),
    arithmetic("negative",    "-x",             "The negative.",                          aliases=("neg",)),
    arithmetic("reciprocal",  "1 / x",          "One divided by x.",                      domain="nonzero"),
    arithmetic("square",      "x**2",           "The square of each entry."),
    arithmetic("rsqrt",       "x**(-1/2)",      "One divided by the square root.",        domain="positive",
               spellings={"numpy": None, "jax": "jax.lax.rsqrt(#1)"}),
    arithmetic("silu",        "x * sigmoid(x)", "x times its sigmoid.",                   aliases=("swish",),
               spellings={"numpy": None, "torch": "torch.nn.functional.silu(#1)", "jax": "jax.nn.silu(#1)"},
               libraries=("F.silu(input, inplace=...) -> silu(input)", "F.SiLU(input, inplace=...) -> silu(input)")),
    arithmetic("log_sigmoid", "-softplus(-x)",  "Log of the sigmoid.",
               aliases=("logsigmoid", "log_expit"), libraries=("F.LogSigmoid(input) -> log_sigmoid(input)",),
               spellings={"numpy": None, "torch": "torch.nn.functional.logsigmoid(#1)",
                          "jax": "jax.nn.log_sigmoid(#1)"}),
)
