"""Special functions of probability and of the gamma function, which SciPy evaluates.

DLMF is the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov. A removable singularity is put into
the rules by a family that is closed under differentiation and whose kernel is exact there: `exprel` is the first of
the functions phi of exponential integrators, the derivative of one is made of two of them, and none divides by x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph.operator import NOWHERE, Operator
from . import kernels
from .elementwise import NOT_NEGATIVE, elementwise

NO_CLOSED_FORM = "`{0}` may be a number or an input, not what is differentiated by"


def libraries(name: str, torch: str | None = "", jax: str | None = "") -> dict[str, str | None]:
    """Return how SciPy, PyTorch and JAX call a special function; None where one of them lacks it."""
    said = {"torch": "torch.special.{0}(#*)" if torch == "" else torch,
            "jax": "jax.scipy.special.{0}(#*)" if jax == "" else jax}
    return {"numpy": f"scipy.special.{name}(#*)", **{key: text and text.format(name) for key, text in said.items()}}


def special(
    name: str, rule: str, doc: str, source: str, *, torch: str | None = "", jax: str | None = "", latex: str = "",
    fixed_by: tuple[str, ...] = (), **fields: Any,
) -> Operator:
    """Return an elementwise function of SciPy; by the operands in `fixed_by` it has no derivative in closed form."""
    evaluate = fields.pop("evaluate", None) or kernels.of_scipy("special", name, fields.pop("plain", None))
    said: Mapping[str, str | None] = libraries(name, torch, jax) | ({"latex": latex} if latex else {})
    reasons = {operand: NO_CLOSED_FORM.format(operand) for operand in fixed_by}
    defaults: dict[str, Any] = {"analytic": False, "spellings": said, "undifferentiable": reasons, "source": source}
    return elementwise(name, rule, doc, evaluate, **(defaults | fields | {"family": "special functions"}))


def derived(name: str, parameters: str, formula: str, doc: str, **fields: Any) -> Operator:
    """Return a special function that a formula in others defines."""
    return Operator(name, parameters, doc, family="special functions", definition=formula, **fields)


def _one(name: str) -> tuple[str, ...]:
    return tuple(f"{name}({operand})" for operand in "xXa")


def reciprocal(name: str, of: str, rule: str, doc: str, domain: str, latex: str) -> Operator:
    """Return one divided by a trigonometric or hyperbolic function."""
    function = getattr(np, of)
    return elementwise(
        name, rule, f"{doc}, 1/{of}(x).", lambda x: 1 / function(x), domain=(domain,),
        samples=(f"{name}(x)", f"{name}(X)"),
        spellings={"numpy": f"(1/np.{of}(#1))", "torch": f"(1/torch.{of}(#1))", "latex": rf"{latex}\left(#1\right)"},
    )


ENTRIES = (
    # --- reciprocals
    reciprocal("sec", "cos", "y * tan(x) * dx", "Secant", "unit", r"\sec"),
    reciprocal("csc", "sin", "-y * cot(x) * dx", "Cosecant", "probability", r"\csc"),
    reciprocal("cot", "tan", "-(1 + y**2) * dx", "Cotangent", "probability", r"\cot"),
    reciprocal("sech", "cosh", "-y * tanh(x) * dx", "Hyperbolic secant", "real", r"\operatorname{sech}"),
    reciprocal("csch", "sinh", "-y * coth(x) * dx", "Hyperbolic cosecant", "nonzero", r"\operatorname{csch}"),
    reciprocal("coth", "tanh", "(1 - y**2) * dx", "Hyperbolic cotangent", "nonzero", r"\coth"),

    # --- the error function and the normal distribution
    special("erfc", "-2 / sqrt(pi) * exp(-x**2) * dx", "Complementary error function, 1 - erf(x).", "DLMF 7.2.2",
            bounds=(0.0, 2.0), analytic=True, plain=math.erfc),
    special("erfcx", "(2 * x * y - 2 / sqrt(pi)) * dx", "exp(x**2) * erfc(x), without overflow.", "DLMF 7.2.2",
            bounds=NOT_NEGATIVE, analytic=True),
    special("erfinv", "sqrt(pi) / 2 * exp(y**2) * dx", "Inverse of erf.", "DLMF 7.17.1", domain=("unit",),
            aliases=("erf_inv",), latex=r"\operatorname{erf}^{-1}\left(#1\right)"),
    special("erfcinv", "-sqrt(pi) / 2 * exp(y**2) * dx", "Inverse of erfc.", "DLMF 7.17.1", domain=("probability",),
            torch="(-torch.special.ndtri(#1/2)/2**0.5)", jax="(-jax.scipy.special.ndtri(#1/2)/2**0.5)",
            latex=r"\operatorname{erfc}^{-1}\left(#1\right)"),
    special("dawsn", "(1 - 2 * x * y) * dx", "Dawson's integral, exp(-x**2) times that of exp(t**2) from 0 to x.",
            "DLMF 7.2.5", torch=None, latex=r"F\left(#1\right)", aliases=("dawson",), analytic=True),
    special("standard_normal_density", "-x * y * dx", "Density of the standard normal distribution.", "DLMF 7.1",
            evaluate=lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi), hidden=True,
            written="exp(-x**2/2) / sqrt(2*pi)", bounds=(0.0, 0.4), analytic=True, spellings=NOWHERE),
    special("ndtr", "standard_normal_density(x) * dx", "Distribution function of the standard normal distribution.",
            "DLMF 7.2.2", bounds=(0.0, 1.0), aliases=("Φ",), latex=r"\Phi\left(#1\right)", analytic=True,
            jax="jax.scipy.stats.norm.cdf(#*)", plain=lambda x: math.erfc(-x / math.sqrt(2)) / 2),
    special("log_ndtr", "exp(-x**2 / 2 - y) / sqrt(2 * pi) * dx", "Log of ndtr, accurate where that is tiny.",
            "DLMF 7.2.2", bounds=(-np.inf, 0.0), jax="jax.scipy.stats.norm.logcdf(#*)",
            latex=r"\log\Phi\left(#1\right)"),
    special("ndtri", "sqrt(2 * pi) * exp(y**2 / 2) * dx", "Inverse of ndtr: the quantile of a probability.",
            "DLMF 7.17.1", domain=("probability",), latex=r"\Phi^{-1}\left(#1\right)", sought=("probit",)),
    special("stdtr", "exp(gammaln((df + 1)/2) - gammaln(df/2) - (df + 1)/2*log1p(x**2/df)) / sqrt(pi*df) * dx",
            "Distribution function of Student's t with df degrees of freedom.",
            "Johnson, Kotz & Balakrishnan 1995, Continuous Univariate Distributions, volume 2, 28.1",
            parameters="df, x", fixed_by=("df",), domain=("positive", "real"), bounds=(0.0, 1.0), torch=None, jax=None,
            latex=r"F_{#1}\left(#2\right)", samples=("stdtr(3, x)", "stdtr(2.5, X)", "stdtr(1, a)")),
    special("logit", "dx / (x * (1 - x))", "log(x / (1 - x)), the inverse of the sigmoid.", "",
            domain=("probability",), plain=lambda x: math.log(x / (1 - x))),
    special("log_ndtr_between", "(exp(-b**2/2 - y) * db - exp(-a**2/2 - y) * da) / sqrt(2*pi)",
            "log(ndtr(b) - ndtr(a)), accurate in both tails.", "DLMF 7.2.2", parameters="a, b", torch=None, jax=None,
            evaluate=kernels.log_ndtr_between, hidden=True, written="log(ndtr(b) - ndtr(a))",
            samples=("log_ndtr_between(x, 9)", "log_ndtr_between(-9, X)", "log_ndtr_between(x, x + u)"),
            domain=("real", "positive")),
    derived("log1mexp", "x", "log(-expm1(-x))", "log(1 - exp(-x)) for x > 0.", domain=("positive",),
            samples=_one("log1mexp"), errors=("log1mexp()",), spellings={**NOWHERE, "jax": "jax.nn.log1mexp(#1)"}),

    # --- the gamma function
    special("gamma", "y * digamma(x) * dx", "Gamma function.", "DLMF 5.2.2", domain=("positive",), torch=None,
            latex=r"\Gamma\left(#1\right)", aliases=("Γ", "tgamma"), analytic=True, plain=math.gamma),
    special("gammaln", "digamma(x) * dx", "Log of the absolute value of the gamma function.", "DLMF 5.2.2",
            domain=("positive",), latex=r"\log\Gamma\left(#1\right)", aliases=("lgamma", "loggamma"),
            plain=math.lgamma,
             sought=("log_gamma", "lngamma")),
    special("gammasgn", "0 * dx", "Sign of the gamma function.", "DLMF 5.2.1", torch=None, domain=("nonzero",)),
    special("digamma", "polygamma(1, x) * dx", "Derivative of the log of the gamma function.", "DLMF 5.2.2",
            domain=("positive",), latex=r"\psi\left(#1\right)", aliases=("psi", "ψ"), analytic=True),
    special("polygamma", "polygamma(n + 1, x) * dx", "Derivative of order n of digamma.", "DLMF 5.15",
            parameters="n, x", fixed_by=("n",), domain=("count", "positive"), latex=r"\psi^{(#1)}\left(#2\right)",
            torch="torch.polygamma(int(#1), #2)", samples=("polygamma(1, x)", "polygamma(0, X)", "polygamma(3, a)"),
            errors=("polygamma(x)", "polygamma(x, v)")),
    special("beta", "y * ((digamma(a) - digamma(a + b)) * da + (digamma(b) - digamma(a + b)) * db)",
            "Beta function, gamma(a) * gamma(b) / gamma(a + b).", "DLMF 5.12.1", parameters="a, b", torch=None,
            domain=("positive", "positive"), latex=r"\mathrm{B}\left(#*\right)"),
    special("betaln", "(digamma(a) - digamma(a + b)) * da + (digamma(b) - digamma(a + b)) * db",
            "Log of the beta function.", "DLMF 5.12.1", parameters="a, b", aliases=("lbeta",),
            torch="(torch.lgamma(#1) + torch.lgamma(#2) - torch.lgamma(#1 + #2))",
            domain=("positive", "positive"), latex=r"\log\mathrm{B}\left(#*\right)"),
    special("gammainc", "exp(xlogy(a - 1, x) - x - gammaln(a)) * dx",
            "Regularized lower incomplete gamma function.", "DLMF 8.2.4, 8.8.13",
            parameters="a, x", fixed_by=("a",), domain=("positive", "positive"), bounds=(0.0, 1.0),
            latex=r"P\left(#*\right)", aliases=("igamma",),
            samples=("gammainc(2.5, x)", "gammainc(1, X)", "gammainc(0.5, a)"),
            libraries=("jax.lax.igamma(a, x) -> gammainc(a, x)",)),
    special("gammaincc", "-exp(xlogy(a - 1, x) - x - gammaln(a)) * dx",
            "Regularized upper incomplete gamma function.", "DLMF 8.2.4, 8.8.14",
            parameters="a, x", fixed_by=("a",), domain=("positive", "positive"), bounds=(0.0, 1.0),
            latex=r"Q\left(#*\right)", aliases=("igammac",),
            samples=("gammaincc(2.5, x)", "gammaincc(1, X)", "gammaincc(0.5, a)"),
            libraries=("jax.lax.igammac(a, x) -> gammaincc(a, x)",)),
    special("betainc", "exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b)) * dx",
            "Regularized incomplete beta function.", "DLMF 8.17.2, 8.17.20",
            parameters="a, b, x", fixed_by=("a", "b"), domain=("positive", "positive", "probability"),
            bounds=(0.0, 1.0), torch=None, latex=r"I_{#3}\left(#1, #2\right)",
            samples=("betainc(2.5, 1.5, x)", "betainc(1, 3, X)", "betainc(0.5, 2, a)"),
            errors=("betainc(x, u)", "betainc(x, u, v)")),
    derived("multigammaln", "a; d", "d*(d - 1)/4*log(pi) + sum(gammaln(expand_dims(a, -1) - arange(d)/2), axis=-1)",
            "Log of the multivariate gamma function of d dimensions, for a > (d - 1)/2.", source="DLMF 35.3.4",
            domain=("above_one",), aliases=("mvlgamma",),
            samples=("multigammaln(x, 2)", "multigammaln(a, 3)", "multigammaln(X, d=1)"),
            errors=("multigammaln(x)",), spellings={"numpy": "scipy.special.multigammaln(#1, #2)",
                                                    "torch": "torch.special.multigammaln(#1, #2)"},
            libraries=("torch.mvlgamma(input, p) -> multigammaln(input, p)",
                       "torch.special.multigammaln(a, p) -> multigammaln(a, p)")),
    derived("factorial", "x", "gamma(x + 1)", "x! as gamma(x + 1).", domain=("positive",), samples=_one("factorial"),
            errors=("factorial()",), spellings={"numpy": "scipy.special.factorial(#1)", "torch": None}),
    derived("rgamma", "x", "1/gamma(x)", "One divided by the gamma function.", domain=("positive",),
            samples=_one("rgamma"), errors=("rgamma()",), spellings={**NOWHERE, "numpy": "scipy.special.rgamma(#1)"}),
    special("binom", "y * ((digamma(n + 1) - digamma(n - k + 1)) * dn + (digamma(n - k + 1) - digamma(k + 1)) * dk)",
            "Binomial coefficient, n over k.", "DLMF 1.2.6", parameters="n, k", domain=("above_one", "probability"),
            aliases=("binomial", "nchoosek"), torch=None, jax=None, latex=r"\binom{#1}{#2}",
            samples=("binom(x, 0.5)", "binom(5, X)", "binom(x, u)"), errors=("binom(x)", "binom(x, v)"),
            libraries=("scipy.special.comb(N, k, *, exact: False = False, repetition: False = False) -> binom(N, k)",
                       "math.comb(n, k) -> binom(n, k)")),
    special("poch", "y * ((digamma(x + m) - digamma(x)) * dx + digamma(x + m) * dm)",
            "Rising factorial, gamma(x + m) / gamma(x).", "DLMF 5.2.5", parameters="x, m", torch=None,
            domain=("positive", "positive"), samples=("poch(x, u)", "poch(X, 2)", "poch(2.5, a)"),
            latex=r"\left(#1\right)_{#2}"),
    special("zeta", "-s * zeta(s + 1, q) * dq", "Hurwitz zeta function, for q = 1 that of Riemann.",
            "DLMF 25.11.17", parameters="s, q=1", fixed_by=("s",),
            domain=("above_one", "positive"), latex=r"\zeta\left(#*\right)",
            samples=("zeta(2, x)", "zeta(3.5, X)", "zeta(2, a)"), errors=("zeta()", "zeta(x, v)"),
            torch="torch.special.zeta(#1, #2)", jax="jax.scipy.special.zeta(#1, #2)"),

    # --- entropies
    special("xlog1py", "log1p(b) * da + quotient(a, 1 + b) * db", "a * log(1 + b), and 0 where a is 0.", "",
            parameters="a, b", domain=("real", "positive")),
    special("entr", "-(1 + log(x)) * dx", "-x * log(x), and 0 where x is 0.", "", domain=("positive",),
            libraries=("scipy.stats.entropy(pk, qk: None = None, *, axis=0)"
                       " -> sum(entr(pk/sum(pk, axis=axis, keepdims=True)), axis=axis)",)),
    special("rel_entr", "(log(a) - log(b) + 1) * da - quotient(a, b) * db", "a * log(a / b), and 0 where a is 0.", "",
            parameters="a, b", domain=("positive", "positive"), torch="torch.special.xlogy(#1, #1/#2)",
            libraries=("scipy.stats.entropy(pk, qk, *, axis=0)"
                       " -> sum(rel_entr(pk/sum(pk, axis=axis, keepdims=True), qk/sum(qk, axis=axis, keepdims=True)),"
                       " axis=axis)",)),
    special("kl_div", "(log(a) - log(b)) * da + (1 - quotient(a, b)) * db", "a * log(a / b) - a + b, as SciPy has it.",
            "", parameters="a, b", domain=("positive", "positive"),
            torch="(torch.special.xlogy(#1, #1/#2) - #1 + #2)"),

    # --- exponential integrals and their like
    special("expi", "exp(x) / x * dx", "Exponential integral Ei.", "DLMF 6.2.5", domain=("nonzero",), torch=None,
            latex=r"\operatorname{Ei}\left(#1\right)"),
    special("exp1", "-exp(-x) / x * dx", "Exponential integral E1, for x > 0.", "DLMF 6.2.1", domain=("positive",),
            torch=None, latex=r"E_{1}\left(#1\right)"),
    special("expn", "-expn(n - 1, x) * dx", "Exponential integral of order n, for x > 0.", "DLMF 8.19.13",
            parameters="n, x", fixed_by=("n",), domain=("count", "positive"), torch=None, jax=None,
            latex=r"E_{#1}\left(#2\right)", samples=("expn(2, x)", "expn(3, X)", "expn(4, a)")),
    special("phi_function", "(y - k * phi_function(k + 1, x)) * dx",
            "Sum of x**j / (j + k)! over j: the functions of exponential integrators.",
            "Hochbruck & Ostermann 2010, Exponential integrators, section 2.1", parameters="k, x", fixed_by=("k",),
            evaluate=kernels.phi_function, domain=("count", "real"),
            spellings={"latex": r"\varphi_{#1}\left(#2\right)", "torch": None, "jax": None, "numpy":
                       "(scipy.special.hyp1f1(1, #1 + 1, #2)/scipy.special.gamma(#1 + 1))"},
            samples=("phi_function(1, x)", "phi_function(2, X/9)", "phi_function(3, 9*a)")),
    derived("exprel", "x", "phi_function(1, x)", "expm1(x) / x, and 1 where x is 0.", samples=_one("exprel"),
            errors=("exprel()",), spellings={**NOWHERE, "numpy": "scipy.special.exprel(#1)"}),
    derived("boxcox", "x, p", "log(x) * exprel(p * log(x))", "(x**p - 1) / p, and log(x) where p is 0.",
            domain=("positive", "real"), samples=("boxcox(x, u)", "boxcox(X, 0)", "boxcox(x, a)"),
            errors=("boxcox(x)",), spellings={**NOWHERE, "numpy": "scipy.special.boxcox(#*)",
                                              "jax": "jax.scipy.special.boxcox(#*)"},
            libraries=("scipy.special.boxcox(x, lmbda) -> boxcox(x, lmbda)",)),
    special("lambertw", "exp(-y) / (1 + y) * dx", "The real w >= -1 with w * exp(w) = x.", "DLMF 4.13.4",
            evaluate=kernels.lambertw, domain=("positive",), torch=None, jax=None, latex=r"W\left(#1\right)"),
)
