"""Independent ways to the values of special functions: mpmath, or the definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mpmath
import numpy as np
import scipy.stats as stats

from matgrad.core.operators import table


def entrywise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of numbers as one of arrays, computed with 30 digits."""

    def one(*numbers: float) -> float:
        with mpmath.workdps(30):
            return float(mpmath.re(function(*map(mpmath.mpf, map(float, numbers)))))

    return np.vectorize(one, otypes=[float])


def zeros_of(function: Callable[..., Any], low: float, high: float) -> Callable[..., Any]:
    """Return the inverse of an increasing function of numbers, by bisection."""

    def inverse(y: Any) -> Any:
        return mpmath.findroot(lambda x: function(x) - y, (low, high), solver="anderson")

    return entrywise(inverse)


def _binet(n: Any, x: Any) -> Any:
    return mpmath.polygamma(int(n), x)


def _zeta(s: Any, q: Any = 1) -> Any:
    return mpmath.zeta(s, q)


def _regularized(x: Any, a: Any, b: Any) -> Any:
    return mpmath.betainc(a, b, 0, x, regularized=True)


def _multigammaln(a: Any, d: int) -> Any:
    """Return the log of the product of gamma functions that defines the multivariate one."""
    factors = [entrywise(mpmath.gamma)(np.asarray(a) - j / 2) for j in range(d)]
    return np.log(np.pi ** (d * (d - 1) / 4) * np.prod(factors, axis=0))


def _ratio(a: Any, b: Any) -> Any:
    return a * mpmath.log(a / b)


def _boxcox(x: Any, p: Any) -> Any:
    return (x**p - 1) / p if p else mpmath.log(x)


def _scaled(bessel: Any, sign: int) -> Any:
    return lambda v, x: bessel(v, x) * mpmath.exp(sign * (abs(x) if sign < 0 else x))


_BESSEL = {"j": mpmath.besselj, "y": mpmath.bessely, "i": mpmath.besseli, "k": mpmath.besselk}
_SCALED = {"i": _scaled(mpmath.besseli, -1), "k": _scaled(mpmath.besselk, 1)}


def _of_order(bessel: Any, order: int) -> Any:
    return lambda x: bessel(order, x)


def _on_sphere(function: str) -> Callable[..., Any]:
    """Return a function of the von Mises-Fisher distribution, for which SciPy asks for a plain number as kappa."""
    return lambda x, mu, kappa: getattr(stats.vonmises_fisher, function)(x, mu, float(kappa))


def _densities() -> Iterator[tuple[str, Any]]:
    """Yield the functions of distributions with SciPy's."""
    for entry in table.entries("densities"):
        distribution, _, function = entry.name.rpartition("_")
        yield entry.name, getattr(getattr(stats, distribution), function)


SPECIAL: Mapping[str, Any] = {
    "erfc": entrywise(mpmath.erfc), "erfcx": entrywise(lambda x: mpmath.exp(x * x) * mpmath.erfc(x)),
    "erfinv": entrywise(mpmath.erfinv), "erfcinv": entrywise(lambda x: mpmath.erfinv(1 - x)),
    "dawsn": entrywise(lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)),
    "standard_normal_density": entrywise(mpmath.npdf), "ndtr": entrywise(mpmath.ncdf),
    "stdtr": entrywise(lambda df, x: 0.5 + x * mpmath.gamma((df + 1) / 2) / mpmath.sqrt(mpmath.pi * df)
                       / mpmath.gamma(df / 2) * mpmath.hyp2f1(0.5, (df + 1) / 2, 1.5, -x * x / df)),
    "log_iv_power": entrywise(lambda v, x: mpmath.log(mpmath.besseli(v, x) / x**v)),
    "log_i0": entrywise(lambda x: mpmath.log(mpmath.besseli(0, x))),
    "log_ndtr": entrywise(lambda x: mpmath.log(mpmath.ncdf(x))), "ndtri": zeros_of(mpmath.ncdf, -5, 5),
    "logit": entrywise(lambda x: 2 * mpmath.atanh(2 * x - 1)),
    "log_ndtr_between": entrywise(lambda a, b: mpmath.log(mpmath.ncdf(-a) - mpmath.ncdf(-b))),
    "gammasgn": entrywise(lambda x: mpmath.sign(mpmath.gamma(x))),
    "log1mexp": entrywise(lambda x: mpmath.log(1 - mpmath.exp(-x))),
    "gamma": entrywise(mpmath.gamma), "gammaln": entrywise(mpmath.loggamma), "digamma": entrywise(mpmath.digamma),
    "polygamma": entrywise(_binet), "beta": entrywise(mpmath.beta),
    "betaln": entrywise(lambda a, b: mpmath.log(mpmath.beta(a, b))),
    "gammainc": entrywise(lambda a, x: mpmath.gammainc(a, 0, x, regularized=True)),
    "gammaincc": entrywise(lambda a, x: mpmath.gammainc(a, x, regularized=True)),
    "betainc": entrywise(lambda a, b, x: _regularized(x, a, b)), "multigammaln": _multigammaln,
    "factorial": entrywise(mpmath.factorial), "rgamma": entrywise(mpmath.rgamma), "binom": entrywise(mpmath.binomial),
    "poch": entrywise(mpmath.rf), "zeta": entrywise(_zeta), "xlog1py": entrywise(lambda a, b: a * mpmath.log(1 + b)),
    "entr": entrywise(lambda x: -x * mpmath.log(x)), "rel_entr": entrywise(_ratio),
    "kl_div": entrywise(lambda a, b: _ratio(a, b) - a + b), "expi": entrywise(mpmath.ei),
    "exp1": entrywise(mpmath.e1), "expn": entrywise(mpmath.expint),
    "phi_function": entrywise(lambda k, x: mpmath.nsum(lambda j: x**j / mpmath.factorial(j + k), [0, mpmath.inf])),
    "exprel": entrywise(lambda x: mpmath.expm1(x) / x), "boxcox": entrywise(_boxcox),
    "lambertw": entrywise(mpmath.lambertw),
    **{f"{letter}v": entrywise(bessel) for letter, bessel in _BESSEL.items()},
    **{f"{letter}ve": entrywise(bessel) for letter, bessel in _SCALED.items()},
    **{f"{letter}{order}": entrywise(_of_order(bessel, order))
       for letter, bessel in _BESSEL.items() for order in (0, 1)},
    **{f"{letter}{order}e": entrywise(_of_order(bessel, order))
       for letter, bessel in _SCALED.items() for order in (0, 1)},

    # --- densities
    **dict(_densities()),
    "multivariate_normal_entropy": lambda cov: stats.multivariate_normal.entropy(cov=cov),
    "vonmises_fisher_logpdf": _on_sphere("logpdf"), "vonmises_fisher_pdf": _on_sphere("pdf"),

    # --- activations
    "gelu": lambda x, approximate="none": (x * stats.norm.cdf(x) if approximate == "none" else
                                           x / (1 + np.exp(-np.sqrt(8 / np.pi) * (x + 0.044715 * x**3)))),

    # --- rounding
    "frac": lambda x: np.modf(x)[0], "mod": np.mod, "fmod": np.fmod, "floor_divide": np.floor_divide,
    "deg2rad": np.deg2rad, "rad2deg": np.rad2deg, "cosm1": entrywise(lambda x: mpmath.cos(x) - 1),
    "positive": np.positive, "nan_to_num": lambda x: np.where(np.isnan(x), 0.0, x),
}
"""By the name of the entry, called like it on one sample."""
