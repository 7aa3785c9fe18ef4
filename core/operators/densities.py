"""Densities and distribution functions: each is a formula in special functions, so no rule can be wrong.

A distribution states its functions for location 0 and scale 1, in terms of z and of log_z, its logarithm; those of any
location and scale follow.
The names are SciPy's: `norm_logpdf(x, loc, scale)` is what `scipy.stats.norm.logpdf` is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..graph.operator import NOWHERE, Operator

_MEANING = {
    "logpdf": "Log density", "pdf": "Density", "cdf": "Distribution function", "logcdf": "Log distribution function",
    "sf": "Survival function, 1 - cdf,", "logsf": "Log survival function", "logpmf": "Log probability",
    "pmf": "Probability", "ppf": "Quantile function, the inverse of cdf,", "isf": "Inverse of the survival function",
}
# How a function of z becomes that of x, where it is not the same.
_QUANTILE = "loc + scale*({})"
_OF_X = {"logpdf": "{} - log(scale)", "pdf": "({}) / scale", "ppf": _QUANTILE, "isf": _QUANTILE}
# What the functions are below the support of a distribution, and above it.
_OUTSIDE = {"logpdf": ("-inf", "-inf"), "pdf": ("0", "0"), "cdf": ("0", "1"), "logcdf": ("-inf", "0"),
            "sf": ("1", "0"), "logsf": ("0", "-inf"), "logpmf": ("-inf", "-inf"), "pmf": ("0", "0")}
_POSITIVE = ("x >= loc",)
_UNIT = ("x >= loc", "x <= loc + scale")
_LATEX = {"norm_pdf": r"\varphi\left(#*\right)", "norm_cdf": r"\Phi\left(#*\right)"}
# What torch.distributions computes, by its parameters.
_IN_TORCH = {
    "norm_logpdf": ("Normal.log_prob(value, loc, scale, validate_args=...) -> norm_logpdf(value, loc, scale)",),
    "norm_cdf": ("Normal.cdf(value, loc, scale, validate_args=...) -> norm_cdf(value, loc, scale)",),
    "norm_ppf": ("Normal.icdf(value, loc, scale) -> norm_ppf(value, loc, scale)",),
    "laplace_logpdf": ("Laplace.log_prob(value, loc, scale, validate_args=...) -> laplace_logpdf(value, loc, scale)",),
    "cauchy_logpdf": ("Cauchy.log_prob(value, loc, scale, validate_args=...) -> cauchy_logpdf(value, loc, scale)",),
    "lognorm_logpdf": ("LogNormal.log_prob(value, loc, scale) -> lognorm_logpdf(value, scale, 0, exp(loc))",),
    "t_logpdf": ("StudentT.log_prob(value, df, loc=0, scale=1) -> t_logpdf(value, df, loc, scale)",),
    "gamma_logpdf": ("Gamma.log_prob(value, concentration, rate) -> gamma_logpdf(value, concentration, 0, 1/rate)",),
    "chi2_logpdf": ("Chi2.log_prob(value, df) -> chi2_logpdf(value, df)",),
    "beta_logpdf": ("Beta.log_prob(value, concentration1, concentration0)"
                    " -> beta_logpdf(value, concentration1, concentration0)",),
    "expon_logpdf": ("Exponential.log_prob(value, rate) -> expon_logpdf(value, 0, 1/rate)",),
    "uniform_logpdf": ("Uniform.log_prob(value, low, high) -> uniform_logpdf(value, low, high - low)",),
    "vonmises_logpdf": ("VonMises.log_prob(value, loc, concentration) -> vonmises_logpdf(value, concentration, loc)",),
    "poisson_logpmf": ("Poisson.log_prob(value, rate) -> poisson_logpmf(value, rate)",),
    "binom_logpmf": ("Binomial.log_prob(value, total_count, probs) -> binom_logpmf(value, total_count, probs)",),
    "bernoulli_logpmf": ("Bernoulli.log_prob(value, probs) -> bernoulli_logpmf(value, probs)",
                         "Bernoulli.log_prob(value, *, logits) -> value*logits - softplus(logits)"),
    "multivariate_normal_logpdf": ("MultivariateNormal.log_prob(value, loc, covariance_matrix)"
                                   " -> multivariate_normal_logpdf(value, loc, covariance_matrix)",),
    "dirichlet_logpdf": ("Dirichlet.log_prob(value, concentration) -> dirichlet_logpdf(value, concentration)",),
}
_PLACE = ("loc=0", "scale=1")
_STANDARD = {"z": "(x - loc)/scale", "log_z": "log(x - loc) - log(scale)"}


def _torch_lines(entry: str) -> Iterator[str]:
    return (f"torch.distributions.{line}" for line in _IN_TORCH.get(entry, ()))


# R's words come last.
_SOUGHT = {"norm_pdf": ("gaussian", "gaussian_pdf", "dnorm"), "norm_cdf": ("gaussian_cdf", "pnorm"),
           "norm_ppf": ("qnorm",), "t_pdf": ("dt",), "t_cdf": ("pt",), "chi2_cdf": ("pchisq",),
           "chi2_pdf": ("dchisq",), "gamma_pdf": ("dgamma",), "gamma_cdf": ("pgamma",), "beta_pdf": ("dbeta",),
           "beta_cdf": ("pbeta",), "expon_pdf": ("dexp",), "expon_cdf": ("pexp",), "binom_pmf": ("dbinom",),
           "binom_cdf": ("pbinom",), "poisson_pmf": ("dpois",), "poisson_cdf": ("ppois",)}


def _supported(function: str, formula: str, support: Sequence[str]) -> str:
    """Return a formula that holds between the ends of a support, with what the function is outside."""
    if function in _OUTSIDE:
        outside = _OUTSIDE[function][: len(support)]
        for condition, value in reversed([*zip(support, outside, strict=True)]):
            formula = f"where({condition}, {formula}, {value})"
    return formula


def distribution(
    name: str, of: str, functions: Mapping[str, str], *samples: str, parameters: str = "", domain: str = "real",
    fixed: tuple[str, ...] = (), torch: str = "", jax: str = "", aliases: Mapping[str, tuple[str, ...]] | None = None,
    support: tuple[str, ...] = (), quantiles: tuple[str, ...] = (),
) -> Iterator[Operator]:
    """Yield the functions of a distribution; what is not stated of pdf, logcdf, logsf is made of logpdf, cdf, sf.

    - `samples` are arguments, `quantiles` those of the quantile function, `fixed` those of the functions that have no
      derivative by a parameter.
    - `support` are conditions that hold above its lower end, and below its upper one.
    - `parameters` come between x, or k for whole numbers, and location and scale; `domain` is that of all operands.
    - `torch` is how torch.distributions makes it, `jax` which functions jax.scipy.stats has.
    """
    whole = "logpmf" in functions
    log, plain = ("logpmf", "pmf") if whole else ("logpdf", "pdf")
    stated = {log: functions[log], plain: f"exp({functions[log]})"} | dict(functions)
    for tail in ("cdf", "sf"):
        if tail in stated:
            stated.setdefault(f"log{tail}", f"log({stated[tail]})")
    for function, formula in stated.items():
        inverse = function in ("ppf", "isf")
        words = ["q" if inverse else "k" if whole else "x", *parameters.split(), *(() if whole else _PLACE)]
        slots = ", ".join(f"#{place}" for place, _ in enumerate(words, 1))
        meant = ", ".join(word.partition("=")[0] for word in words)
        kinds = domain.split()
        entry, theirs = f"{name}_{function}", f"scipy.stats.{name}.{function}"
        used = [f"{name} = {text}; " for name, text in _STANDARD.items() if re.search(rf"\b{name}\b", formula)]
        scaled = formula if whole else _OF_X.get(function, "{}").format(formula)
        scaled = "".join([*used, _supported(function, scaled, support)])
        tried = quantiles if inverse else fixed if fixed and function.removeprefix("log") in ("cdf", "sf") else samples
        asked = {log: "log_prob", plain: "" if name == "norm" else "log_prob", "cdf": "" if fixed or whole else "cdf",
                 "ppf": "icdf" if name == "norm" else ""}
        in_torch = f"{torch}.{word}(#1)" if (word := asked.get(function)) else None
        in_torch = f"torch.exp({in_torch})" if in_torch and function == plain else in_torch
        signature = ", ".join(words if not whole else [*words, "loc: 0 = 0"])
        yield Operator(
            entry, ", ".join(words), f"{_MEANING[function]} of the {of}.", family="densities", definition=scaled,
            domain=("probability" if inverse else kinds[0], *kinds[1:], *(() if whole else ("real", "positive"))),
            aliases=(aliases or {}).get(function, ()),
            sought=_SOUGHT.get(entry, ()),
            errors=(f"{entry}()", f"{entry}(x, v{', 1' * len(words)})"),
            samples=tuple(f"{entry}({given})" for given in tried),
            libraries=(f"{theirs}({signature}) -> {entry}({meant})", *_torch_lines(entry)),
            refused={f"scipy.stats.{name}": f"ask for one of its functions: `scipy.stats.{name}(...).{log}(x)`"},
            spellings={**NOWHERE, "numpy": f"{theirs}({slots})", "torch": in_torch if torch else None,
                       **({"latex": latex} if (latex := _LATEX.get(entry)) else {}),
                       "jax": f"jax.{theirs}({slots})" if function in jax.split() else None},
        )


def of_arrays(
    name: str, of: str, parameters: str, logpdf: str, domain: str, *samples: str, error: str, reading: str = "{0}",
    jax: bool = False, lines: tuple[str, ...] = (), torch: str | None = None, slots: str = "#1, #2, #3",
    functions: tuple[str, str] = ("logpdf", "pdf"),
) -> Iterator[Operator]:
    """Yield the log density and the density of a vector or a matrix; `reading` is what SciPy takes x for."""
    words = parameters.split()
    given = ", ".join([reading.format(words[0]), *words[1:]])
    log, density = (f"{name}_{function}" for function in functions)
    plain = f"exp({log}({', '.join(words)}))"
    for function, entry, formula in zip(functions, (log, density), (logpdf, plain), strict=True):
        theirs = f"scipy.stats.{name}.{function}"
        yield Operator(
            entry, ", ".join(words), f"{_MEANING[function]} of the {of}.", family="densities", definition=formula,
            domain=tuple(domain.split()), samples=tuple(f"{entry}({arguments})" for arguments in samples),
            errors=(f"{entry}()", f"{entry}({error})"),
            libraries=(f"{theirs}({', '.join(words)}) -> {entry}({given})",
                       *(f"{theirs}{line.format(entry)}" for line in lines), *_torch_lines(entry)),
            spellings={**NOWHERE, "numpy": f"{theirs}({slots})", "jax": f"jax.{theirs}({slots})" if jax else None,
                       "torch": torch if entry == log else None},
        )


ENTRIES = (
    *distribution(
        "norm", "normal distribution",
        {"logpdf": "-z**2/2 - log(2*pi)/2", "pdf": "standard_normal_density(z)", "cdf": "ndtr(z)",
         "logcdf": "log_ndtr(z)", "sf": "ndtr(-z)", "logsf": "log_ndtr(-z)", "ppf": "ndtri(q)", "isf": "-ndtri(q)"},
        "x", "X, a, w", "x, u, 2", quantiles=("x", "X, a, w"),
        aliases={"logpdf": ("normal_logpdf", "normlogpdf"), "pdf": ("normpdf", "normal_pdf", "φ"),
                 "cdf": ("normcdf", "normal_cdf"), "logcdf": ("normlogcdf",), "ppf": ("norminv", "norm_quantile")},
        jax="logpdf pdf cdf logcdf sf logsf ppf isf", torch="torch.distributions.Normal(#2, #3)"),
    *distribution(
        "t", "distribution of Student with df degrees of freedom",
        {"logpdf": "gammaln((df + 1)/2) - gammaln(df/2) - log(pi*df)/2 - (df + 1)/2*log1p(z**2/df)",
         "cdf": "stdtr(df, z)", "sf": "stdtr(df, -z)"}, "x, u", "X, 3, a, w", parameters="df", domain="real positive",
        fixed=("x, 3", "X, 2.5, a, w"), jax="logpdf pdf", torch="torch.distributions.StudentT(#2, #3, #4)"),
    *distribution(
        "gamma", "gamma distribution of shape a",
        {"logpdf": "xlogy(a - 1, x - loc) - (a - 1)*log(scale) - z - gammaln(a)", "cdf": "gammainc(a, z)",
         "sf": "gammaincc(a, z)"},
        "x, u", "X, 2.5, -0.2, w", parameters="a", domain="positive positive", fixed=("x, 2.5", "X, 2, -0.2, w"),
        jax="logpdf pdf cdf logcdf sf logsf", support=_POSITIVE),
    *distribution(
        "beta", "beta distribution of shapes a and b",
        {"logpdf": "xlogy(a - 1, x - loc) - (a - 1)*log(scale) + xlog1py(b - 1, -z) - betaln(a, b)",
         "cdf": "betainc(a, b, z)", "sf": "betainc(b, a, 1 - z)"}, "x, u, w", "X, 2.5, 1.5, -0.1, 1.2 + a",
        parameters="a b", domain="probability positive positive",
        fixed=("x, 2.5, 1.5", "X, 2, 3, -0.1, 1.2 + a"),
        jax="logpdf pdf cdf logcdf sf logsf", support=_UNIT),
    *distribution(
        "chi2", "chi-squared distribution with df degrees of freedom",
        {"logpdf": "xlogy(df/2 - 1, x - loc) - (df/2 - 1)*log(scale) - z/2 - gammaln(df/2) - df/2*log(2)",
         "cdf": "gammainc(df/2, z/2)",
         "sf": "gammaincc(df/2, z/2)"},
        "x, u", "X, 3, -0.2, w", parameters="df", domain="positive positive", fixed=("x, 3", "X, 2.5, -0.2, w"),
        jax="logpdf pdf cdf logcdf sf logsf", support=_POSITIVE),
    *distribution(
        "expon", "exponential distribution",
        {"logpdf": "-z", "cdf": "-expm1(-z)", "sf": "exp(-z)", "logsf": "-z", "ppf": "-log1p(-q)", "isf": "-log(q)"},
        "x", "X, -0.2, w", domain="positive", jax="logpdf pdf cdf logcdf sf logsf ppf", support=_POSITIVE,
        quantiles=("x", "X, a, w")),
    *distribution(
        "laplace", "Laplace distribution",
        {"logpdf": "-abs(z) - log(2)", "pdf": "exp(-abs(z))/2", "cdf": "where(z < 0, exp(z)/2, 1 - exp(-z)/2)",
         "sf": "where(z < 0, 1 - exp(z)/2, exp(-z)/2)",
         "ppf": "-sign(q - 1/2)*log1p(-2*abs(q - 1/2))"}, "x", "X, a, w", quantiles=("x",),
        jax="logpdf pdf cdf", torch="torch.distributions.Laplace(#2, #3)"),
    *distribution(
        "logistic", "logistic distribution",
        {"logpdf": "-z - 2*softplus(-z)", "pdf": "sigmoid(z)*sigmoid(-z)", "cdf": "sigmoid(z)",
         "logcdf": "-softplus(-z)", "sf": "sigmoid(-z)", "logsf": "-softplus(z)", "ppf": "logit(q)",
         "isf": "-logit(q)"},
        "x", "X, a, w", quantiles=("x", "X, a, w"), jax="logpdf pdf cdf sf ppf isf"),
    *distribution(
        "lognorm", "log-normal distribution, s being the standard deviation of the log",
        {"logpdf": "-(log_z/s)**2/2 - log(s) - log_z - log(2*pi)/2", "cdf": "ndtr(log_z/s)",
         "logcdf": "log_ndtr(log_z/s)", "sf": "ndtr(-log_z/s)", "logsf": "log_ndtr(-log_z/s)",
         "ppf": "exp(s*ndtri(q))"}, "x, u", "X, 0.8, -0.2, w", parameters="s", domain="positive positive",
        support=("x > loc",), quantiles=("x, u", "X, 0.8, a, w")),
    *distribution(
        "cauchy", "Cauchy distribution",
        {"logpdf": "-log(pi) - log1p(z**2)", "pdf": "1/(pi*(1 + z**2))", "cdf": "arctan2(1, -z)/pi",
         "sf": "arctan2(1, z)/pi", "ppf": "tan(pi*(q - 1/2))", "isf": "tan(pi*(1/2 - q))"}, "x", "X, a, w",
        quantiles=("x", "X, a, w"), jax="logpdf pdf cdf logcdf sf logsf ppf isf",
        torch="torch.distributions.Cauchy(#2, #3)"),
    *distribution(
        "uniform", "uniform distribution from loc to loc + scale",
        {"logpdf": "0", "pdf": "1", "cdf": "z", "sf": "1 - z", "ppf": "q", "isf": "1 - q"},
        "x", "X, -0.1, 1.2 + a", domain="probability", jax="logpdf pdf cdf ppf", support=_UNIT,
        quantiles=("x", "X, a, w")),
    *distribution(
        "gumbel_r", "Gumbel distribution of maxima",
        {"logpdf": "-z - exp(-z)", "cdf": "exp(-exp(-z))", "logcdf": "-exp(-z)", "sf": "-expm1(-exp(-z))",
         "ppf": "-log(-log(q))"}, "x", "X, a, w", quantiles=("x", "X, a, w"), jax="logpdf pdf cdf logcdf sf logsf ppf"),
    *distribution(
        "gumbel_l", "Gumbel distribution of minima",
        {"logpdf": "z - exp(z)", "cdf": "-expm1(-exp(z))", "sf": "exp(-exp(z))", "logsf": "-exp(z)",
         "ppf": "log(-log1p(-q))"}, "x", "X, a, w", quantiles=("x", "X, a, w"),
        jax="logpdf pdf cdf logcdf sf logsf ppf"),
    *distribution(
        "pareto", "Pareto distribution of shape b, from 1 on",
        {"logpdf": "log(b) - (b + 1)*log_z", "cdf": "-expm1(-b*log_z)", "sf": "exp(-b*log_z)", "logsf": "-b*log_z",
         "ppf": "exp(-log1p(-q)/b)"}, "1 + x, u", "2 + X, 2.5, -0.2, 1 + a", parameters="b",
        domain="above_one positive", support=("x >= loc + scale",), quantiles=("x, u", "X, 2.5, a, w"),
        jax="logpdf pdf cdf logcdf sf logsf ppf"),
    *distribution(
        "weibull_min", "Weibull distribution of shape c",
        {"logpdf": "log(c) + xlogy(c - 1, x - loc) - (c - 1)*log(scale) - z**c",
         "cdf": "-expm1(-z**c)", "sf": "exp(-z**c)", "logsf": "-z**c",
         "ppf": "(-log1p(-q))**(1/c)"}, "x, u", "X, 1.5, -0.2, w", parameters="c", domain="positive positive",
        support=_POSITIVE, quantiles=("x, u", "X, 1.5, a, w")),
    *distribution(
        "invgamma", "inverse gamma distribution of shape a",
        {"logpdf": "-(a + 1)*log_z - 1/z - gammaln(a)", "cdf": "gammaincc(a, 1/z)", "sf": "gammainc(a, 1/z)"},
        "x, u", "X, 2.5, -0.2, w", parameters="a", domain="positive positive", fixed=("x, 2.5", "X, 2, -0.2, w"),
        support=("x > loc",)),
    *distribution(
        "halfnorm", "absolute value of a normal distribution",
        {"logpdf": "log(2/pi)/2 - z**2/2", "cdf": "erf(z/sqrt(2))", "sf": "erfc(z/sqrt(2))",
         "ppf": "ndtri((1 + q)/2)"}, "x", "X, -0.2, w", domain="positive", support=_POSITIVE, quantiles=("x",)),
    *distribution(
        "rayleigh", "Rayleigh distribution",
        {"logpdf": "log_z - z**2/2", "cdf": "-expm1(-z**2/2)", "sf": "exp(-z**2/2)", "logsf": "-z**2/2",
         "ppf": "sqrt(-2*log1p(-q))"}, "x", "X, -0.2, w", domain="positive", support=_POSITIVE, quantiles=("x",)),
    *distribution(
        "truncnorm", "normal distribution cut off below a and above b, in units of scale",
        {"logpdf": "-z**2/2 - log(2*pi)/2 - log_ndtr_between(a, b)",
         "cdf": "exp(log_ndtr_between(a, z) - log_ndtr_between(a, b))",
         "logcdf": "log_ndtr_between(a, z) - log_ndtr_between(a, b)",
         "sf": "exp(log_ndtr_between(z, b) - log_ndtr_between(a, b))",
         "logsf": "log_ndtr_between(z, b) - log_ndtr_between(a, b)"},
        "x, -1 - u**2, 1 + w**2", "X, -1, 2, 0.1*a, w + 1", parameters="a b", domain="probability real real",
        support=("x >= loc + a*scale", "x <= loc + b*scale"), jax="logpdf pdf cdf logcdf sf logsf"),
    *distribution(
        "gennorm", "generalized normal distribution of shape beta",
        {"logpdf": "log(beta/2) - gammaln(1/beta) - abs(z)**beta",
         "cdf": "where(z < 0, gammaincc(1/beta, abs(z)**beta)/2, 1 - gammaincc(1/beta, abs(z)**beta)/2)"},
        "x, u", "X, 1.5, a, w", parameters="beta", domain="nonzero positive", fixed=("x, 1.5", "X, 2.5, a, w")),
    *distribution(
        "wrapcauchy", "wrapped Cauchy distribution of concentration c, from 0 to 2*pi",
        {"logpdf": "log(1 - c**2) - log(2*pi) - log(1 + c**2 - 2*c*cos(z))"},
        "x, u/4", "X, 0.5, -0.1, 1.2 + a", parameters="c", domain="probability probability",
        support=("x >= loc", "x <= loc + 2*pi*scale")),
    *distribution(
        "vonmises", "von Mises distribution of concentration kappa",
        {"logpdf": "kappa*cos(z) - log(2*pi) - log_i0(kappa)"}, "x, u", "X, 1.5, a, 1 + w", parameters="kappa",
        domain="real positive"),

    # --- of whole numbers
    *distribution(
        "poisson", "Poisson distribution of mean mu, at k",
        {"logpmf": "k*log(mu) - mu - gammaln(k + 1)", "cdf": "gammaincc(floor(k) + 1, mu)"}, "x, u", "3, X",
        parameters="mu", domain="count positive", fixed=("3, x", "2, X"), jax="logpmf pmf cdf",
        torch="torch.distributions.Poisson(#2)"),
    *distribution(
        "binom", "binomial distribution of n trials with probability p, at k",
        {"logpmf": "gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + k*log(p) + (n - k)*log1p(-p)",
         "cdf": "betainc(n - floor(k), floor(k) + 1, 1 - p)"},
        "x, 12, 0.3", "3, 12, X", fixed=("3, 12, x", "0, 5, X"),
        parameters="n p", domain="count count probability", jax="logpmf pmf"),
    *distribution(
        "bernoulli", "Bernoulli distribution of probability p, at k", {"logpmf": "k*log(p) + (1 - k)*log1p(-p)",
                                                                   "pmf": "where(k < 1, 1 - p, p)",
                                                                   "cdf": "where(k < 1, 1 - p, 1)"},
        "1, x", "0, X", parameters="p", domain="mask probability", jax="logpmf pmf cdf", support=("k >= 0", "k <= 1"),
        torch="torch.distributions.Bernoulli(#2)"),
    *distribution(
        "geom", "number of the first success, of probability p, at k",
        {"logpmf": "(k - 1)*log1p(-p) + log(p)", "cdf": "-expm1(floor(k)*log1p(-p))", "sf": "exp(floor(k)*log1p(-p))"},
        "3, x", "1, X", parameters="p", domain="count probability", jax="logpmf pmf", support=("k >= 1",)),
    *distribution(
        "nbinom", "number of failures before n successes of probability p, at k",
        {"logpmf": "gammaln(k + n) - gammaln(k + 1) - gammaln(n) + n*log(p) + k*log1p(-p)",
         "cdf": "betainc(n, floor(k) + 1, p)"},
        "x, 2.5, 0.3", "3, u, X", fixed=("3, 2.5, x", "0, 5, X"),
        parameters="n p", domain="count positive probability", jax="logpmf pmf"),

    # --- of vectors and matrices
    *of_arrays(
        "multivariate_normal", "normal distribution of vectors; further axes of x are samples", "x mean cov",
        "d = x - mean; -sum(d * (d @ inv(cov)), axis=-1)/2 - logdet(cov)/2 - d.shape[-1]/2*log(2*pi)",
        "real real spd", "v, v/2, A", "S[0], v, A", error="x, x, A", jax=True,
        lines=("(x, mean: None = None, *, cov, allow_singular=...) -> {0}(x, 0, cov)",
               "(x, mean, cov, allow_singular=...) -> {0}(x, mean, cov)"),
        torch="torch.distributions.MultivariateNormal(#2, #3).log_prob(#1)"),
    Operator("multivariate_normal_entropy", "cov", "Entropy of the normal distribution of vectors.",
             family="densities", definition="logdet(cov)/2 + cov.shape[-1]/2*(1 + log(2*pi))", domain=("spd",),
             samples=("multivariate_normal_entropy(A)",),
             errors=("multivariate_normal_entropy()", "multivariate_normal_entropy(x)"),
             libraries=("scipy.stats.multivariate_normal.entropy(mean=..., cov=1)"
                        " -> multivariate_normal_entropy(cov)",),
             spellings={**NOWHERE, "numpy": "scipy.stats.multivariate_normal.entropy(cov=#1)"}),
    *of_arrays(
        "multinomial", "multinomial distribution of n trials with probabilities p", "x n p",
        "where(sum(x, axis=-1) == n, gammaln(n + 1) + sum(xlogy(x, p) - gammaln(x + 1), axis=-1), -inf)",
        "count count probability",
        "[1, 2, 0], 3, v/sum(v)", error="x, 3, v", jax=True, functions=("logpmf", "pmf")),
    *of_arrays(
        "dirichlet", "Dirichlet distribution", "x alpha",
        "sum((alpha - 1)*log(x), axis=-1) + gammaln(sum(alpha, axis=-1)) - sum(gammaln(alpha), axis=-1)",
        "positive positive", "x/sum(x), u", error="x, v", reading="only_vector({0})", slots="#1, #2",
        torch="torch.distributions.Dirichlet(#2).log_prob(#1)"),
    *of_arrays(
        "wishart", "Wishart distribution with df degrees of freedom", "X df scale",
        "p = count(X, axis=0); (df - p - 1)/2*logdet(X) - trace(inv(scale) @ X)/2 - df*p/2*log(2)"
        " - df/2*logdet(scale) - multigammaln(df/2, p)", "spd positive spd", "A, 4.5, B", "A, 4 + a, B",
        error="x, 4, A"),
    *of_arrays(
        "vonmises_fisher", "von Mises-Fisher distribution of unit vectors", "x mu kappa",
        "h = count(mu)/2; kappa*(x @ mu) - h*log(2*pi) - log_iv_power(h - 1, kappa)", "real real positive",
        "v/norm(v), A[0]/norm(A[0]), a", error="x, v, 1", slots="#1, #2, float(#3)"),
)
