"""Bessel functions and modified ones: whatever the order, a derivative is made of functions of the orders beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.operator import NOWHERE, Operator
from . import kernels
from .special import special

# Rules of order 0 and 1 use an order beside them, not division by x: they are exact at 0.
_ORDERS = {
    "jv": ("J", "first kind", "(jv(v - 1, x) - jv(v + 1, x)) / 2", "DLMF 10.6.1"),
    "yv": ("Y", "second kind", "(yv(v - 1, x) - yv(v + 1, x)) / 2", "DLMF 10.6.1"),
    "iv": ("I", "first kind, modified", "(iv(v - 1, x) + iv(v + 1, x)) / 2", "DLMF 10.29.1"),
    "kv": ("K", "second kind, modified", "-(kv(v - 1, x) + kv(v + 1, x)) / 2", "DLMF 10.29.1"),
    "ive": (r"e^{-|x|} I", "first kind, modified and times exp(-abs(x))",
            "(ive(v - 1, x) + ive(v + 1, x)) / 2 - sign(x) * y", "DLMF 10.29.1"),
    "kve": (r"e^{x} K", "second kind, modified and times exp(x)", "y - (kve(v - 1, x) + kve(v + 1, x)) / 2",
            "DLMF 10.29.1"),
}
_WHOLE = {
    "j0": ("J_{0}", "first kind", "-j1(x)", "DLMF 10.6.3", "bessel_j0", False),
    "j1": ("J_{1}", "first kind", "(j0(x) - jv(2, x)) / 2", "DLMF 10.6.1", "bessel_j1", False),
    "y0": ("Y_{0}", "second kind", "-y1(x)", "DLMF 10.6.3", "bessel_y0", False),
    "y1": ("Y_{1}", "second kind", "(y0(x) - yv(2, x)) / 2", "DLMF 10.6.1", "bessel_y1", False),
    "i0": ("I_{0}", "first kind, modified", "i1(x)", "DLMF 10.29.3", "i0", True),
    "i1": ("I_{1}", "first kind, modified", "(i0(x) + iv(2, x)) / 2", "DLMF 10.29.1", "i1", True),
    "k0": ("K_{0}", "second kind, modified", "-k1(x)", "DLMF 10.29.3", "modified_bessel_k0", False),
    "k1": ("K_{1}", "second kind, modified", "-(k0(x) + kv(2, x)) / 2", "DLMF 10.29.1", "modified_bessel_k1", False),
    "i0e": ("e^{-|x|} I_{0}", "first kind, modified and times exp(-abs(x))", "i1e(x) - sign(x) * y", "DLMF 10.29.3",
            "i0e", True),
    "i1e": ("e^{-|x|} I_{1}", "first kind, modified and times exp(-abs(x))",
            "(i0e(x) + ive(2, x)) / 2 - sign(x) * y", "DLMF 10.29.1", "i1e", True),
    "k0e": ("e^{x} K_{0}", "second kind, modified and times exp(x)", "y - k1e(x)", "DLMF 10.29.3",
            "scaled_modified_bessel_k0", False),
    "k1e": ("e^{x} K_{1}", "second kind, modified and times exp(x)", "y - (k0e(x) + kve(2, x)) / 2", "DLMF 10.29.1",
            "scaled_modified_bessel_k1", False),
}


def _of_order(name: str) -> Operator:
    """Return a Bessel function of any order."""
    letter, kind, slope, source = _ORDERS[name]
    domain = "positive" if letter[-1] in "YK" else "real"
    orders = ("0", "1", "2.5" if domain == "positive" else "3")
    names = {"jv": ("jn", "besselj"), "yv": ("yn", "bessely"), "iv": ("besseli",), "kv": ("kn", "besselk")}
    own: dict[str, Any] = {"kink": "(v == 0) * (x == 0)", "at_kink": "derivative 0"} if name == "ive" else {}
    if name == "yv":
        own["evaluate"] = kernels.bessel_of_second_kind
    return special(name, f"({slope}) * dx", f"Bessel function of the {kind}, of order v.", source, parameters="v, x",
                   fixed_by=("v",), domain=("real", domain), torch=None, jax=None, aliases=names.get(name, ()),
                   latex=letter + r"_{#1}\left(#2\right)",
                   samples=tuple(f"{name}({order}, {x})" for order, x in zip(orders, "xXa", strict=True)), **own)


def _of_whole_order(name: str) -> Operator:
    """Return a Bessel function of order 0 or 1."""
    letter, kind, slope, source, torch, in_jax = _WHOLE[name]
    modified: dict[str, Any] = {"kink": "x == 0", "at_kink": "derivative 0"} if name == "i0e" else {}
    own = (torch,) if torch != name else ()
    more = {"i0": ("modified_bessel_i0",), "i1": ("modified_bessel_i1",),
            "i0e": ("bessel_i0e",), "i1e": ("bessel_i1e",)}
    return special(name, f"({slope}) * dx", f"Bessel function of the {kind}, of order {name[1]}.", source,
                   domain=("positive" if name[0] in "yk" else "real",), torch=f"torch.special.{torch}(#1)",
                   jax="" if in_jax else None, latex=letter + r"\left(#1\right)",
                   aliases=(*own, *more.get(name, ())), **modified)


def _log_iv_power(v: Any, x: Any) -> Any:
    return np.log(kernels.of_scipy("special", "ive")(v, x)) + np.abs(x) - v * np.log(x)


def _log_i0(x: Any) -> Any:
    return np.log(kernels.of_scipy("special", "i0e")(x)) + np.abs(x)


ENTRIES = (
    *map(_of_order, _ORDERS), *map(_of_whole_order, _WHOLE),
    special("log_i0", "i1e(x) / i0e(x) * dx", "log(i0(x)) without overflow.", "DLMF 10.29.3", evaluate=_log_i0,
            hidden=True, written="log(i0(x))", spellings=NOWHERE),
    special("log_iv_power", "ive(v + 1, x) / ive(v, x) * dx", "log(iv(v, x) / x**v) without overflow.", "DLMF 10.29.4",
            parameters="v, x", fixed_by=("v",), evaluate=_log_iv_power, hidden=True,
            domain=("positive", "positive"), written="log(iv(v, x)) - v*log(x)", spellings=NOWHERE,
            samples=("log_iv_power(0.5, x)", "log_iv_power(2, X)")),
)
