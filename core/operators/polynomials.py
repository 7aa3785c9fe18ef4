"""Polynomials by their coefficients, the highest first, and linear interpolation."""

from __future__ import annotations

from typing import Any

from ..elaboration.elaborate import elaborate_text
from ..elaboration.infix import plus
from ..errors import ExpressionError
from ..graph import algebra
from ..graph.nodes import Node
from ..graph.operator import Operator
from ..graph.sizes import Size, sign
from ..shapes import require_rank
from .arranging import whole
from .axes import concatenated

_ROOTS = "roots are no smooth function of the coefficients where they meet; `eigvals(companion(p))` are the real ones"


def polynomial(name: str, parameters: str, doc: str, *samples: str, **fields: Any) -> Operator:
    """Return an operator on coefficients, the highest first."""
    defaults = {"spellings": {"torch": None}}
    return Operator(name, parameters, doc, family="polynomials", samples=samples, **(defaults | fields))


def _times(m: Any) -> int:
    if isinstance(m, Size) or whole(m, "m") < 0:
        raise ExpressionError(f"`m` is a whole number from 0 on, not {m}")
    count: int = m
    return count


def _derivative(p: Node, m: Any) -> Node:
    require_rank(p.shape, 1, "polyder")
    for _ in range(_times(m)):
        p = elaborate_text("p[:-1] * arange(len(p) - 1, 0, -1)", {"p": p})
    return p


def _integral(p: Node, k: Node, m: Any) -> Node:
    require_rank(p.shape, 1, "polyint")
    for _ in range(_times(m)):
        p = elaborate_text("concatenate([p / arange(len(p), 0, -1), expand_dims(k, 0)])", {"p": p, "k": k})
    return p


def _sum(a1: Node, a2: Node) -> Node:
    """Return the sum of two polynomials: coefficients are added from the last on."""
    for place, operand in enumerate((a1, a2)):
        require_rank(operand.shape, 1, "polyadd", place)
    more = a1.shape[0] - a2.shape[0]
    if more == 0:
        return plus(a1, a2)
    longer, shorter = (a1, a2) if sign(more, meant=1) > 0 else (a2, a1)
    return plus(longer, concatenated(algebra.zero((abs(more) if not isinstance(more, Size) else more,)), shorter))


def _interpolated(x: Node, xp: Node, fp: Node) -> Node:
    """Return the first value and what each interval adds: as far as x goes into it, times its slope."""
    for place, operand in enumerate((xp, fp), 1):
        require_rank(operand.shape, 1, "interp", place)
    text = (
        "d = xp[1:] - xp[:-1];"
        " fp[0] + minimum(maximum(x[..., None] - xp[:-1], 0), d) @ ((fp[1:] - fp[:-1]) / d)"
    )
    return elaborate_text(text, {"x": x, "xp": xp, "fp": fp})


def _power_sum(p: Node, x: Node) -> Node:
    require_rank(p.shape, 1, "polyval")
    return elaborate_text("x[..., None]**arange(len(p))[::-1] @ p", {"p": p, "x": x})


ENTRIES = (
    polynomial("polyval", "p, x", "The value of a polynomial.", "polyval(v, x)", "polyval(x, X)", "polyval(x, a)",
               build=_power_sum, errors=("polyval(X, x)", "polyval(x)"), domain=("real", "positive"),
               libraries=("np.polynomial.polynomial.polyval(x, c) -> polyval(c[::-1], x)",
                          "tf.math.polyval(coeffs, x) -> polyval(stack(coeffs), x)")),
    polynomial("polyder", "p; m=1", "The coefficients of the m-th derivative.", "polyder(x)", "polyder(x, 2)",
               build=_derivative, errors=("polyder(X)", "polyder(x, -1)")),
    polynomial("polyint", "p, k=0; m=1", "The coefficients of an antiderivative with the constant k.", "polyint(x)",
               "polyint(x, m=2)", "polyint(x, a)", build=_integral, errors=("polyint(X)",),
               spellings={"numpy": "np.polyint(#1, #3, #2)", "torch": None},
               libraries=("np.polyint(p, m=1, k: None = None) -> polyint(p, 0, m)",
                          "np.polyint(p, m=1, k=0) -> polyint(p, k, m)")),
    polynomial("polyadd", "a1, a2", "The sum of two polynomials.", "polyadd(x, v)", "polyadd(v, x)", build=_sum,
               errors=("polyadd(X, x)",)),
    polynomial("polysub", "a1, a2", "The difference of two polynomials.", "polysub(x, v)", "polysub(v, x)",
               definition="polyadd(a1, -a2)", errors=("polysub(X, x)",)),
    polynomial("polymul", "a1, a2", "The product of two polynomials.", "polymul(x, v)", definition="convolve(a1, a2)",
               errors=("polymul(X, x)",),
               refused={f"{library}{name}": _ROOTS for library in ("", "np.", "jnp.") for name in ("roots",)}),
    polynomial("interp", "x, xp, fp; left=None, right=None, period=None",
               "Linear interpolation of values fp at increasing places xp, constant beyond them.",
               "interp(x, cumsum(v), u[:3])", "interp(X, arange(3), v)", "interp(a, cumsum(v), u[:3])",
               build=_interpolated,
               errors=("interp(x, v)", "interp(x, X, v)"), domain=("real", "positive", "real"),
               fixed=("left", "right", "period")),
)
