"""Elementwise functions: a rule is the derivative at one entry times the tangent of that entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..elaboration.elaborate import call
from ..graph.algebra import constant_value, number
from ..graph.catalogue import enter
from ..graph.nodes import Node
from ..graph.operator import Operator

_SAMPLES = {
    1: ("{0}(x)", "{0}(X)", "{0}(a)"),
    2: ("{0}(x, u)", "{0}(X, x)", "{0}(x, 1.5)"),
    3: ("{0}(x, u, w)", "{0}(X, x, a)"),
}


# What squares, absolute values and exponentials are.
NOT_NEGATIVE = (0.0, float("inf"))


def elementwise(
    name: str,
    rule: str,
    doc: str,
    evaluate: Callable[..., Any],
    *,
    parameters: str = "x",
    analytic: bool = True,
    **fields: Any,
) -> None:
    """Enter an elementwise function: `elementwise("exp", "y * dx", "Exponential.", np.exp)`."""
    count = parameters.count(",") + 1
    fields.setdefault("samples", tuple(sample.format(name) for sample in _SAMPLES[count]))
    fields.setdefault("errors", (f"{name}()",) if count == 1 else (f"{name}(x)", f"{name}(x, v)"))
    enter(
        Operator(
            name,
            parameters,
            doc,
            family="elementwise",
            evaluate=evaluate,
            differential=rule,
            analytic=analytic,
            **fields,
        )
    )


# --- exponentials, logarithms, roots ---------------------------------------------------------------------------------

elementwise("exp", "y * dx", "Exponential.", np.exp, bounds=NOT_NEGATIVE)
elementwise("exp2", "y * log(2) * dx", "Two to the power of x.", np.exp2, analytic=False, bounds=NOT_NEGATIVE,
            spellings={"latex": "2^{#1}"})
elementwise("expm1", "exp(x) * dx", "exp(x) - 1, accurate near 0.", np.expm1)
elementwise("log", "dx / x", "Natural logarithm.", np.log, domain=("positive",), aliases=("ln",))
elementwise("log2", "dx / (x * log(2))", "Logarithm to base 2.", np.log2, domain=("positive",),
            spellings={"latex": r"\log_{2}\left(#1\right)"})
elementwise("log10", "dx / (x * log(10))", "Logarithm to base 10.", np.log10, domain=("positive",),
            spellings={"latex": r"\log_{10}\left(#1\right)"})
elementwise("log1p", "dx / (1 + x)", "log(1 + x), accurate near 0.", np.log1p, domain=("positive",))
elementwise("sqrt", "dx / (2 * y)", "Square root.", np.sqrt, domain=("positive",), bounds=NOT_NEGATIVE,
            spellings={"latex": r"\sqrt{#1}"})
elementwise("cbrt", "dx / (3 * y**2)", "Cube root.", np.cbrt, domain=("nonzero",), analytic=False,
            spellings={"latex": r"\sqrt[3]{#1}", "torch": "cbrt(#1)"})


# --- trigonometric and hyperbolic functions --------------------------------------------------------------------------

elementwise("sin", "cos(x) * dx", "Sine.", np.sin)
elementwise("cos", "-sin(x) * dx", "Cosine.", np.cos)
elementwise("tan", "(1 + y**2) * dx", "Tangent.", np.tan, domain=("unit",))
elementwise("arcsin", "dx / sqrt(1 - x**2)", "Inverse sine.", np.arcsin, domain=("unit",), aliases=("asin",))
elementwise("arccos", "-dx / sqrt(1 - x**2)", "Inverse cosine.", np.arccos, domain=("unit",), aliases=("acos",))
elementwise("arctan", "dx / (1 + x**2)", "Inverse tangent.", np.arctan, aliases=("atan",))
elementwise(
    "arctan2",
    "(b * da - a * db) / (a**2 + b**2)",
    "Angle of the point (b, a), as arctan(a / b) in the right quadrant.",
    np.arctan2,
    parameters="a, b",
    domain=("nonzero", "nonzero"),
    aliases=("atan2",),
    analytic=False,
)
elementwise("sinh", "cosh(x) * dx", "Hyperbolic sine.", np.sinh)
elementwise("cosh", "sinh(x) * dx", "Hyperbolic cosine.", np.cosh, bounds=NOT_NEGATIVE)
elementwise("tanh", "(1 - y**2) * dx", "Hyperbolic tangent.", np.tanh, bounds=(-1.0, 1.0))
elementwise("arcsinh", "dx / sqrt(x**2 + 1)", "Inverse hyperbolic sine.", np.arcsinh, aliases=("asinh",))
elementwise(
    "arccosh",
    "dx / sqrt(x**2 - 1)",
    "Inverse hyperbolic cosine.",
    np.arccosh,
    domain=("above_one",),
    aliases=("acosh",),
    samples=("arccosh(x)", "arccosh(X)"),
)
elementwise(
    "arctanh", "dx / (1 - x**2)", "Inverse hyperbolic tangent.", np.arctanh, domain=("unit",), aliases=("atanh",)
)


# --- powers ----------------------------------------------------------------------------------------------------------


def _nonzero(p: Node) -> Node:
    """Return the mask p != 0, a plain number where p is one, so that x**p with a fixed p has a plain derivative."""
    value = constant_value(p)
    if value is None:
        mask = call("not_equal", p, number(0))
        assert isinstance(mask, Node)
        return mask
    return number(int(value != 0))


def _xlogy(a: Any, b: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == 0) & ~np.isnan(b), 0.0, a * np.log(b))


def _quotient(a: Any, b: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == 0) & ~np.isnan(b), 0.0, a / b)


def _reciprocal_or_zero(x: Any) -> Any:
    if np.ndim(x) == 0:
        return np.reciprocal(x) if x else np.float64(0.0)
    if np.all(x):
        return np.reciprocal(x)
    with np.errstate(divide="ignore"):
        return np.where(x == 0, 0.0, 1 / np.asarray(x))


# 0**p is differentiated by p as the limit: 0 for p > 0 and -inf for p = 0; by x the factor p = 0 wins over 1/0.
elementwise(
    "power",
    "nonzero(p) * p * x**(p - 1) * dx + xlogy(y, x) * dp",
    "x to the power of p.",
    np.power,
    parameters="x, p",
    domain=("positive", "real"),
    aliases=("pow", "float_power"),
    samples=("power(x, u)", "power(X, x)", "power(x, 1.5)", "power(x, -2)", "power(2, u)", "power(x, 4)"),
)
enter(
    Operator(
        "nonzero",
        "p",
        "The mask p != 0.",
        family="elementwise",
        build=_nonzero,
        reference=lambda p: (p != 0) * 1.0,
        hidden=True,
        samples=("nonzero(x)", "nonzero(2)", "nonzero(0)"),
        errors=("nonzero()",),
    )
)
elementwise(
    "xlogy",
    "log(b) * da + quotient(a, b) * db",
    "a * log(b), and 0 where a is 0.",
    _xlogy,
    parameters="a, b",
    domain=("real", "positive"),
    reference=lambda a, b: a * np.log(b),
    spellings={"numpy": "xlogy(#*)", "torch": "torch.special.xlogy(#*)", "jax": "jax.scipy.special.xlogy(#*)"},
)
elementwise(
    "xlogx",
    "(1 + log(x)) * dx",
    "x * log(x), and 0 where x is 0.",
    lambda x: _xlogy(x, x),
    domain=("positive",),
    reference=lambda x: x * np.log(x),
    hidden=True,
)
elementwise(
    "quotient",
    "da / b - quotient(y, b) * db",
    "a / b, and 0 where a is 0.",
    _quotient,
    parameters="a, b",
    domain=("real", "nonzero"),
    reference=lambda a, b: a / b,
    hidden=True,
    spellings={"latex": r"\operatorname{quotient}\left(#*\right)", "numpy": "quotient(#*)", "torch": "quotient(#*)"},
)
elementwise(
    "reciprocal_or_zero",
    "-y**2 * dx",
    "1 / x, and 0 where x is 0.",
    _reciprocal_or_zero,
    domain=("nonzero",),
    reference=lambda x: 1 / x,
    hidden=True,
    spellings={"latex": r"#1^{\circ -1}", "numpy": "reciprocal_or_zero(#1)", "torch": "reciprocal_or_zero(#1)"},
)
elementwise(
    "hypot",
    "(a * da + b * db) * reciprocal_or_zero(y)",
    "Length of the vector (a, b).",
    np.hypot,
    parameters="a, b",
    kink="y == 0",
    at_kink="subgradient 0",
    analytic=False,
)
elementwise(
    "logaddexp",
    "exp(a - y) * da + exp(b - y) * db",
    "log(exp(a) + exp(b)) without overflow.",
    np.logaddexp,
    parameters="a, b",
    reference=lambda a, b: np.log(np.exp(a) + np.exp(b)),
    analytic=False,
)


# --- functions of machine learning -----------------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    # Where exp overflows the quotient is 0, as it should be, and nothing is subtracted: exact to the last digits.
    return 1 / (1 + np.exp(-x))


def _sigmoid_by_cases(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


elementwise(
    "sigmoid",
    "y * sigmoid(-x) * dx",
    "Logistic function 1 / (1 + exp(-x)), without overflow.",
    _sigmoid,
    reference=_sigmoid_by_cases,
    bounds=(0.0, 1.0),
    aliases=("expit", "logistic"),
    analytic=False,
    spellings={"latex": r"\sigma\left(#1\right)", "numpy": "sigmoid(#1)", "jax": "jax.nn.sigmoid(#1)"},
)
elementwise(
    "softplus",
    "sigmoid(x) * dx",
    "log(1 + exp(x)) without overflow.",
    lambda x: np.logaddexp(0, x),
    reference=lambda x: np.log(1 + np.exp(x)),
    analytic=False,
    bounds=NOT_NEGATIVE,
    spellings={
        "numpy": "np.logaddexp(0, #1)",
        "torch": "torch.nn.functional.softplus(#1, threshold=40)",
        "jax": "jax.nn.softplus(#1)",
    },
)
elementwise(
    "relu",
    "(x > 0) * dx",
    "x where it is positive, else 0.",
    lambda x: np.maximum(x, 0),
    reference=lambda x: np.where(x > 0, x, 0),
    bounds=NOT_NEGATIVE,
    kink="x == 0",
    at_kink="subgradient 0",
    analytic=False,
    spellings={"numpy": "np.maximum(#1, 0)", "jax": "jax.nn.relu(#1)"},
)


# --- functions with kinks --------------------------------------------------------------------------------------------

elementwise(
    "abs",
    "sign(x) * dx",
    "Absolute value.",
    np.abs,
    kink="x == 0",
    at_kink="subgradient 0",
    aliases=("absolute", "fabs"),
    analytic=False,
    bounds=NOT_NEGATIVE,
    spellings={"latex": r"\left|#1\right|"},
)
elementwise(
    "sign", "0 * dx", "-1, 0 or 1.", np.sign, kink="x == 0", at_kink="derivative 0", aliases=("sgn",), analytic=False
)
elementwise("floor", "0 * dx", "The largest whole number up to x.", np.floor, analytic=False,
            spellings={"latex": r"\left\lfloor #1 \right\rfloor"})
elementwise("ceil", "0 * dx", "The smallest whole number from x on.", np.ceil, analytic=False,
            spellings={"latex": r"\left\lceil #1 \right\rceil"})
elementwise(
    "round", "0 * dx", "The nearest whole number, halves to even.", np.rint, aliases=("rint",), analytic=False
)
elementwise(
    "maximum",
    "(a > b) * da + (a == b) * da / 2 + (a == b) * db / 2 + (a < b) * db",
    "The larger of two entries.",
    np.maximum,
    parameters="a, b",
    kink="a == b",
    at_kink="the derivative is split evenly",
    aliases=("fmax",),
    analytic=False,
)
elementwise(
    "minimum",
    "(a < b) * da + (a == b) * da / 2 + (a == b) * db / 2 + (a > b) * db",
    "The smaller of two entries.",
    np.minimum,
    parameters="a, b",
    kink="a == b",
    at_kink="the derivative is split evenly",
    aliases=("fmin",),
    analytic=False,
)
elementwise(
    "where",
    "(condition != 0) * da + (condition == 0) * db",
    "a where the condition holds, else b; the branch not taken has derivative 0, even where it is infinite.",
    lambda condition, a, b: np.where(condition != 0, a, b),
    parameters="condition, a, b",
    reference=lambda condition, a, b: condition * a + (1 - condition) * b,
    samples=("where(x > 0, x, u)", "where(X > x, X, a)", "where(x == u, x, sin(x))"),
    errors=("where(x)", "where(x > 0, x, v)"),
    analytic=False,
)


def _clip(x: Node, lower: float | None, upper: float | None) -> Node:
    """Return x between two bounds; at a bound the constant branch is taken, so the derivative there is 0."""
    result = x
    for relation, bound in (("less_equal", lower), ("greater_equal", upper)):
        if bound is not None:
            result = call("where", call(relation, result, number(bound)), number(bound), result)
    return result


enter(
    Operator(
        "clip",
        "x; lower=None, upper=None",
        "x where it is between two numbers, else the nearer of them.",
        family="elementwise",
        build=_clip,
        reference=lambda x, lower=None, upper=None: np.clip(x, lower, upper),
        aliases=("clamp", "clip_by_value"),
        samples=("clip(x, -0.5, 0.5)", "clip(X, 0)", "clip(X, upper=0.2)", "clip(x, None, 0.3)"),
        errors=("clip()", "clip(x, u)", "clip(x, 1, 2, 3)"),
    )
)
