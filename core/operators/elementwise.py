"""Elementwise functions: a rule is the derivative at one entry times the tangent of that entry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from ..elaboration.elaborate import call
from ..elaboration.infix import divide, times
from ..graph.algebra import constant_value, number
from ..graph.nodes import Node, symbols
from ..graph.operator import NOWHERE, Operator
from . import kernels

_SAMPLES = {
    1: ("{0}(x)", "{0}(X)", "{0}(a)"),
    2: ("{0}(x, u)", "{0}(X, x)", "{0}(x, 1.5)"),
    3: ("{0}(x, u, w)", "{0}(X, x, a)"),
}

# What squares, absolute values and exponentials are.
NOT_NEGATIVE = (0.0, float("inf"))
LEAST_NORM = "subgradient of least norm"


def elementwise(
    name: str, rule: str, doc: str, evaluate: Callable[..., Any], *, parameters: str = "x", analytic: bool = True,
    **fields: Any,
) -> Operator:
    """Return an elementwise function: `elementwise("exp", "y * dx", "Exponential.", np.exp)`."""
    count = parameters.partition(";")[0].count(",") + 1
    defaults: dict[str, Any] = {
        "family": "elementwise",
        "samples": tuple(sample.format(name) for sample in _SAMPLES[count]),
        "errors": (f"{name}()",) if count == 1 else (f"{name}(x)", f"{name}(x, v)"),
        # Where a function has a kink the complex step says nothing.
        "analytic": analytic and "kink" not in fields,
    }
    return Operator(
        name, parameters, doc, evaluate=evaluate, differential=rule, **(defaults | fields)
    )


def _nonzero(p: Node) -> Node:
    """Return the mask p != 0, a plain number where p is one, so that x**p with a fixed p has a plain derivative."""
    value = constant_value(p)
    return call("not_equal", p, number(0)) if value is None else number(int(value != 0))


def _quotient(a: Node, b: Node) -> Node:
    """Return a / b, and 0 where a is 0: no choice is left where a is a number."""
    value = constant_value(a)
    return call("quotient_or_zero", a, b) if value is None else divide(a, b) if value != 0 else times(a, b)


def _tie(other: Node) -> Node:
    """Return what an entry gets of the derivative where it equals another: 1/2, and beside a number nothing."""
    return number(Fraction(1, 2) if symbols([other]) else 0)


def _clip(x: Node, lower: float | None, upper: float | None) -> Node:
    for nearer, bound in (("maximum", lower), ("minimum", upper)):
        if bound is not None:
            x = call(nearer, x, number(bound))
    return x


def _bounded() -> Iterator[str]:
    """Yield how libraries clip, between plain numbers and between arrays."""
    own = ("", "a_")
    functions = {"np.clip": own, "torch.clamp": own[:1], "torch.clip": own[:1], "tf.clip_by_value": ("clip_value_",)}
    functions |= {"clip": own, "clamp": own[:1], "clip_by_value": ("clip_value_",)}
    yield "jax.lax.clamp(min, x, max) -> minimum(maximum(x, min), max)"
    yield "torch.clamp_max(input, max) -> minimum(input, max)"
    yield "torch.clamp_min(input, min) -> maximum(input, min)"
    for name, words in functions.items():
        x = {"np": "a", "torch": "input"}.get(name.partition(".")[0], "x")
        for low, high in [(f"{word}min", f"{word}max") for word in words] + [("lower", "upper")] * ("." not in name):
            yield f"{name}({x}, {low}: number = None, {high}: number = None) -> clip({x}, {low}, {high})"
            yield f"{name}({x}, {low}: None = None, *, {high}) -> minimum({x}, {high})"
            yield f"{name}({x}, {low}: None, {high}) -> minimum({x}, {high})"
            yield f"{name}({x}, {low}, {high}: None = None) -> maximum({x}, {low})"
            yield f"{name}({x}, {low}, {high}) -> minimum(maximum({x}, {low}), {high})"


ENTRIES = (
    # --- exponentials, logarithms, roots
    elementwise("exp",     "y * dx",               "Exponential.",                    np.exp,   bounds=NOT_NEGATIVE,
                spectrum="expm"),
    elementwise("exp2",    "y * log(2) * dx",      "Two to the power of x.",          np.exp2,  bounds=NOT_NEGATIVE,
                analytic=False, spellings={"latex": "2^{#1}"}),
    elementwise("expm1",   "exp(x) * dx",          "exp(x) - 1, accurate near 0.",    np.expm1),
    elementwise("log",     "dx / x",               "Natural logarithm.",              np.log,   domain=("positive",),
                aliases=("ln",), spectrum="logm",
             sought=("natural_log",)),
    elementwise("log2",    "dx / (x * log(2))",    "Logarithm to base 2.",            np.log2,  domain=("positive",),
                spellings={"latex": r"\log_{2}\left(#1\right)"}),
    elementwise("log10",   "dx / (x * log(10))",   "Logarithm to base 10.",           np.log10, domain=("positive",),
                spellings={"latex": r"\log_{10}\left(#1\right)"}),
    elementwise("log1p",   "dx / (1 + x)",         "log(1 + x), accurate near 0.",    np.log1p, domain=("positive",)),
    elementwise("sqrt",    "dx / (2 * y)",         "Square root.",                    np.sqrt,  domain=("positive",),
                bounds=NOT_NEGATIVE, spellings={"latex": r"\sqrt{#1}"}),
    elementwise("cbrt",    "dx / (3 * y**2)",      "Cube root.",                      np.cbrt,  domain=("nonzero",),
                analytic=False, spellings={"latex": r"\sqrt[3]{#1}", "torch": None}),

    # --- trigonometric and hyperbolic functions
    elementwise("sin",     "cos(x) * dx",          "Sine.",                           np.sin),
    elementwise("cos",     "-sin(x) * dx",         "Cosine.",                         np.cos),
    elementwise("tan",     "(1 + y**2) * dx",      "Tangent.",                        np.tan,     domain=("unit",)),
    elementwise("arcsin",  "dx / sqrt(1 - x**2)",  "Inverse sine.",                   np.arcsin,  domain=("unit",),
                aliases=("asin",)),
    elementwise("arccos",  "-dx / sqrt(1 - x**2)", "Inverse cosine.",                 np.arccos,  domain=("unit",),
                aliases=("acos",)),
    elementwise("arctan",  "dx / (1 + x**2)",      "Inverse tangent.",                np.arctan,  aliases=("atan",)),
    elementwise("arctan2", "(b * da - a * db) / (a**2 + b**2)",
                "Angle of the point (b, a), as arctan(a / b) in the right quadrant.", np.arctan2, parameters="a, b",
                domain=("nonzero", "nonzero"), aliases=("atan2",), analytic=False,
             sought=("angle_of",)),
    elementwise("sinh",    "cosh(x) * dx",         "Hyperbolic sine.",                np.sinh),
    elementwise("cosh",    "sinh(x) * dx",         "Hyperbolic cosine.",              np.cosh,    bounds=NOT_NEGATIVE),
    elementwise("tanh",    "(1 - y**2) * dx",      "Hyperbolic tangent.",             np.tanh,    bounds=(-1.0, 1.0),
                libraries=("F.Tanh(input) -> tanh(input)",)),
    elementwise("arcsinh", "dx / sqrt(x**2 + 1)",  "Inverse hyperbolic sine.",        np.arcsinh, aliases=("asinh",)),
    elementwise("arccosh", "dx / sqrt(x**2 - 1)",  "Inverse hyperbolic cosine.",      np.arccosh, domain=("above_one",),
                aliases=("acosh",), samples=("arccosh(x)", "arccosh(X)")),
    elementwise("arctanh", "dx / (1 - x**2)",      "Inverse hyperbolic tangent.",     np.arctanh, domain=("unit",),
                aliases=("atanh",)),

    # --- powers
    # 0**p is differentiated by p as the limit: 0 for p > 0 and -inf for p = 0; by x the factor p = 0 wins over 1/0.
    elementwise("power", "nonzero(p) * p * x**(p - 1) * dx + xlogy(y, x) * dp", "x to the power of p.", np.power,
                parameters="x, p", domain=("positive", "real"), aliases=("pow", "float_power"),
                samples=("power(x, u)", "power(X, x)", "power(x, 1.5)", "power(x, -2)", "power(2, u)", "power(x, 4)"),
                spellings={"torch": "torch.pow(#*)"},
              libraries=("jax.lax.integer_pow(x, y) -> x**y",)),
    Operator("nonzero", "p", "The mask p != 0.", family="elementwise", build=_nonzero, hidden=True,
             written="p != 0",
             samples=("nonzero(x)", "nonzero(2)", "nonzero(0)"), errors=("nonzero()",), spellings=NOWHERE),
    elementwise("xlogy", "log(b) * da + quotient(a, b) * db", "a * log(b), and 0 where a is 0.", kernels.xlogy,
                parameters="a, b", domain=("real", "positive"),
                spellings={"numpy": None, "torch": "torch.special.xlogy(#*)", "jax": "jax.scipy.special.xlogy(#*)"}),
    elementwise("xlogx", "(1 + log(x)) * dx", "x * log(x), and 0 where x is 0.", lambda x: kernels.xlogy(x, x),
                domain=("positive",), hidden=True, written="xlogy(x, x)"),
    Operator("quotient", "a, b", "a / b, and 0 where a is 0: plain where a is a number.", family="elementwise",
             build=_quotient, hidden=True, written="where(a == 0, 0, a / b)",
             samples=("quotient(x, u)", "quotient(2, x)", "quotient(0, x)"), errors=("quotient(x)",),
             spellings=NOWHERE),
    elementwise("quotient_or_zero", "da / b - quotient(y, b) * db", "a / b, and 0 where a is 0.", kernels.quotient,
                parameters="a, b", domain=("real", "nonzero"), hidden=True,
                written="where(a == 0, 0, a / b)", regular="a / b",
                spellings={"latex": r"\operatorname{quotient}\left(#*\right)", "numpy": None, "torch": None}),
    elementwise("reciprocal_or_zero", "-y**2 * dx", "1 / x, and 0 where x is 0.", kernels.reciprocal_or_zero,
                domain=("nonzero",), hidden=True, written="1 / where(x == 0, inf, x)", spellings=NOWHERE),
    elementwise("hypot", "(a * da + b * db) * reciprocal_or_zero(y)", "Length of the vector (a, b).", np.hypot,
                parameters="a, b", kink="y == 0", at_kink="subgradient 0"),
    elementwise("logaddexp", "sigmoid(a - b) * da + sigmoid(b - a) * db", "log(exp(a) + exp(b)) without overflow.",
                np.logaddexp, parameters="a, b", analytic=False),

    # --- functions of machine learning
    elementwise("sigmoid", "y * sigmoid(-x) * dx", "Logistic function 1 / (1 + exp(-x)), without overflow.",
                kernels.sigmoid, textbook="y * (1 - y) * dx", meaning="1/(1 + exp(-x))", bounds=(0.0, 1.0),
                aliases=("expit", "logistic"), analytic=False,
                libraries=("F.Sigmoid(input) -> sigmoid(input)",),
                spellings={"latex": r"\sigma\left(#1\right)", "numpy": None, "jax": "jax.nn.sigmoid(#1)"},
                sought=("invlogit", "inv_logit")),
    elementwise("softplus", "sigmoid(x) * dx", "log(1 + exp(x)) without overflow.", partial(np.logaddexp, 0),
                meaning="log(1 + exp(x))", bounds=NOT_NEGATIVE, analytic=False,
                spellings={"numpy": "np.logaddexp(0, #1)", "torch": "torch.nn.functional.softplus(#1, threshold=40)",
                           "jax": "jax.nn.softplus(#1)"},
                # PyTorch returns x beyond its threshold, which changes no number where that is 20.
                libraries=tuple(f"F.{name}(input, beta{given}, threshold{beyond}) -> {own}"
                                for name in ("softplus", "Softplus")
                                for given, beyond, own in (
                                    (": 1 = 1", ": 20 = 20", "softplus(input)"),
                                    ("", ": 20 = 20", "softplus(beta * input) / beta"),
                                    ("=1", "=20",
                                     "where(beta * input > threshold, input, softplus(beta * input) / beta)")))),
    elementwise("relu", "(x > 0) * dx", "x where it is positive, else 0.", lambda x: np.maximum(x, 0),
                bounds=NOT_NEGATIVE, exact=True, kink="x == 0", at_kink="subgradient 0",
                spellings={"numpy": "np.maximum(#1, 0)", "jax": "jax.nn.relu(#1)"},
                libraries=("F.relu(input, inplace=...) -> relu(input)", "F.ReLU(input, inplace=...) -> relu(input)")),

    # --- special functions
    elementwise("erf", "2 / sqrt(pi) * exp(-x**2) * dx", "Error function.",
                kernels.of_scipy("special", "erf", math.erf), bounds=(-1.0, 1.0),
                analytic=False, source="Abramowitz & Stegun 1964, 7.1.19",
                spellings={"numpy": "scipy.special.erf(#1)"}),
    elementwise("sinc", "-pi * spherical_bessel(1, pi * x) * dx", "sin(pi*x) / (pi*x), and 1 where x is 0.", np.sinc,
                source="Abramowitz & Stegun 1964, 10.1.11: it is the spherical Bessel function of order 0 at pi*x"),
    # The recurrence divides by no x: every order is exact at 0.
    elementwise("spherical_bessel",
                "(n * spherical_bessel(n - 1, x) - (n + 1) * spherical_bessel(n + 1, x)) / (2*n + 1) * dx + 0 * dn",
                "Spherical Bessel function of the first kind, of whole order n.", kernels.spherical_bessel,
                parameters="n, x", domain=("integer", "real"), analytic=False, aliases=("spherical_jn",),
                source="Abramowitz & Stegun 1964, 10.1.20",
                samples=("spherical_bessel(0, x)", "spherical_bessel(1, X)", "spherical_bessel(3, 9*x)"),
                spellings={"latex": r"j_{#1}\left(#2\right)", "numpy": "scipy.special.spherical_jn(#*)",
                           "torch": None, "jax": None},
                libraries=("scipy.special.spherical_jn(n, z, derivative: False = False) -> spherical_bessel(n, z)",)),

    # --- functions with kinks
    elementwise("abs",   "sign(x) * dx", "Absolute value.",                        np.abs, bounds=NOT_NEGATIVE,
                exact=True, kink="x == 0", at_kink="subgradient 0", aliases=("absolute", "fabs"),
                spellings={"latex": r"\left|#1\right|"}),
    elementwise("sign",  "0 * dx",       "-1, 0 or 1.",                            np.sign, exact=True, kink="x == 0",
                at_kink="derivative 0", aliases=("sgn",),
                libraries=("np.angle(z, deg: False = False) -> where(z < 0, np.pi, 0)",
                           "torch.angle(input) -> where(input < 0, np.pi, 0)", "angle(z) -> where(z < 0, np.pi, 0)")),
    elementwise("floor", "0 * dx",       "The largest whole number up to x.",      np.floor, exact=True, analytic=False,
                spellings={"latex": r"\left\lfloor #1 \right\rfloor"}),
    elementwise("ceil",  "0 * dx",       "The smallest whole number from x on.",   np.ceil, exact=True, analytic=False,
                spellings={"latex": r"\left\lceil #1 \right\rceil"}),
    elementwise("round", "0 * dx",       "The nearest whole number, halves to even.", np.rint, exact=True,
                analytic=False, aliases=("rint",),
                libraries=tuple(
                    f"{name}({x}{by_name}, decimals{given}) -> {own.format(x)}"
                    for name, x, by_name in (("np.round", "a", ""), ("np.around", "a", ""),
                                             ("torch.round", "input", ", *"), ("round", "x", ""))
                    for given, own in ((": 0 = 0", "round({0})"), ("", "round({0} * 10**decimals) / 10**decimals"))
                )),
    # At a tie both have 1/2 of the derivative; beside a number, which has none, the least subgradient is 0, as of relu.
    Operator("tie", "other", "1/2, and 0 beside a number: the part of a tie that goes to one of two entries.",
             family="elementwise", build=_tie, hidden=True,
             samples=("tie(x)", "tie(2)"), errors=("tie()",), spellings=NOWHERE),
    elementwise("maximum", "(a > b) * da + (a == b) * tie(b) * da + (a == b) * tie(a) * db + (a < b) * db",
                "The larger of two entries.",  np.maximum, parameters="a, b", kink="a == b", at_kink=LEAST_NORM,
                exact=True, aliases=("fmax",),
                samples=("maximum(x, u)", "maximum(X, x)", "maximum(x, 1.5)", "maximum(x, x)"), sought=("pmax",)),
    elementwise("minimum", "(a < b) * da + (a == b) * tie(b) * da + (a == b) * tie(a) * db + (a > b) * db",
                "The smaller of two entries.", np.minimum, parameters="a, b", kink="a == b", at_kink=LEAST_NORM,
                exact=True, aliases=("fmin",),
                samples=("minimum(x, u)", "minimum(X, x)", "minimum(x, 1.5)", "minimum(x, x)"), sought=("pmin",)),
    elementwise("where", "(condition != 0) * da + (condition == 0) * db",
                "a where the condition holds, else b; the branch not taken has derivative 0, even where it is"
                " infinite.",
                kernels.where, parameters="condition, a, b", exact=True, analytic=False,
                textbook="where(condition, da, db)",
                samples=("where(x > 0, x, u)", "where(X > x, X, a)", "where(x == u, x, sin(x))"),
                errors=("where(x)", "where(x > 0, x, v)"),
                libraries=("jax.lax.select(pred, on_true, on_false) -> where(pred, on_true, on_false)",
                         "jax.lax.select_n(which, a, b) -> where(which, b, a)",
                         "torch.Tensor.where(input, condition, other) -> where(condition, input, other)",),
             sought=("if_else", "ifelse")),
    Operator("clip", "x; lower=None, upper=None", "x where it is between two numbers, else the nearer of them.",
             family="elementwise", build=_clip, aliases=("clamp", "clip_by_value"),
             samples=("clip(x, -0.5, 0.5)", "clip(X, 0)", "clip(X, upper=0.2)", "clip(x, None, 0.3)"),
             errors=("clip()", "clip(x, u)", "clip(x, 1, 2, 3)"), libraries=tuple(_bounded()),
             spellings={"numpy": "np.clip(#1, #2, #3)", "torch": "torch.clip(#1, #2, #3)"}),
)
