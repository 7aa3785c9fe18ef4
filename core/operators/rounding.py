"""Rounding, remainders, signs and what tells finite numbers from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.operator import Operator
from .elementwise import elementwise

_PAIR = ("{0}(x, u)", "{0}(X, x)", "{0}(x, 1.5)")


def derived(name: str, parameters: str, formula: str, doc: str, **fields: Any) -> Operator:
    """Return a function that a formula defines."""
    samples = _PAIR if "," in parameters else ("{0}(x)", "{0}(X)", "{0}(a)")
    errors = (f"{name}(x)", f"{name}(x, v)") if "," in parameters else (f"{name}()",)
    defaults = {"samples": tuple(sample.format(name) for sample in samples), "errors": errors}
    return Operator(name, parameters, doc, family="rounding", definition=formula, **(defaults | fields))


def asking(name: str, doc: str, evaluate: Callable[..., Any]) -> Operator:
    """Return a mask that a question about each entry gives."""
    return elementwise(name, "0 * dx", doc, evaluate, family="rounding", mask=True, analytic=False)


ENTRIES = (
    elementwise("trunc", "0 * dx", "The whole number next to x towards 0.", np.trunc, family="rounding",
                analytic=False, aliases=("fix",), spellings={"latex": r"\operatorname{trunc}\left(#1\right)"}),
    derived("frac", "x", "x - trunc(x)", "What trunc leaves of x.",
            spellings={"numpy": "(#1 - np.trunc(#1))", "torch": "torch.frac(#1)"}),
    derived("mod", "a, b", "a % b", "What is left of a division, with the sign of the divisor.",
            aliases=("remainder", "floormod"), domain=("real", "nonzero"),
            spellings={"torch": "torch.remainder(#*)"},),
    derived("fmod", "a, b", "a - b * trunc(a / b)", "What is left of a division, with the sign of the dividend.",
            domain=("real", "nonzero"),
            libraries=("jax.lax.rem(x, y) -> fmod(x, y)",)),
    derived("ldexp", "x, n", "x * 2**n", "x times a power of two.", samples=("ldexp(x, 3)", "ldexp(X, -1)"),
            spellings={"numpy": "(#1 * 2.0**#2)", "torch": "(#1 * 2.0**#2)", "jax": "(#1 * 2.0**#2)"}),
    derived("floor_divide", "a, b", "floor(a / b)", "The quotient rounded down.", domain=("real", "nonzero")),
    elementwise("copysign", "sign(a) * copysign(1, b) * da + 0 * db", "abs(a) with the sign of b.", np.copysign,
                parameters="a, b", family="rounding", analytic=False, domain=("nonzero", "nonzero"),
                kink="a * b == 0", at_kink="derivative 0"),
    elementwise("heaviside", "0 * da + (a == 0) * db", "0 where a is negative, 1 where it is positive, else b.",
                np.heaviside, parameters="a, b", family="rounding", analytic=False, kink="a == 0",
                at_kink="derivative 0 by a", samples=("heaviside(x, u)", "heaviside(X, 0.5)", "heaviside(0, x)"),
                spellings={"latex": r"H\left(#*\right)"},
                libraries=("np.heaviside(x1, x2) -> heaviside(x1, x2)",
                           "torch.heaviside(input, values) -> heaviside(input, values)",
                           "heaviside(x) -> heaviside(x, 0.5)")),
    derived("deg2rad", "x", "pi / 180 * x", "Degrees as radians.", aliases=("radians",)),
    derived("rad2deg", "x", "180 / pi * x", "Radians as degrees.", aliases=("degrees",)),
    elementwise("logaddexp2", "exp2(a - y) * da + exp2(b - y) * db", "log2(2**a + 2**b) without overflow.",
                np.logaddexp2, parameters="a, b", family="exponentials", analytic=False),
    derived("cosm1", "x", "-2 * sin(x / 2)**2", "cos(x) - 1, accurate near 0.",
            spellings={"numpy": "scipy.special.cosm1(#1)", "torch": None, "jax": None}),
    derived("positive", "x", "+x", "x as it is.", spellings={"numpy": "np.positive(#1)"}),
    asking("isfinite", "1 where x is finite, else 0.", np.isfinite),
    asking("isnan", "1 where x is nan, else 0.", np.isnan),
    asking("isinf", "1 where x is infinite, else 0.", np.isinf),
    elementwise("nan_to_num", "isfinite(x) * dx", "x with 0 for nan and the largest numbers for infinite ones.",
                np.nan_to_num, parameters="x; nan=0.0, posinf=None, neginf=None", fixed=("nan", "posinf", "neginf"),
                family="rounding", analytic=False, samples=("nan_to_num(x)", "nan_to_num(X)"), errors=("nan_to_num()",),
                spellings={"numpy": "np.nan_to_num(#1)", "torch": "torch.nan_to_num(#1)"}),
)
