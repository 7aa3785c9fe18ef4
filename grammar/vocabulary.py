"""The words that the grammar itself must know: libraries whose names may stand in front, properties, methods."""

from __future__ import annotations

import os.path
from functools import cache


def words(text: str) -> frozenset[str]:
    """Return the words of a text: `words("np numpy") == {"np", "numpy"}`."""
    return frozenset(text.split())


LIBRARIES = words(
    "np numpy jnp jax torch tf scipy sp F math nn linalg special stats st functional cp cupy anp onp tensorflow optax"
    " keras sklearn"
)
"""Names that, in front of a dot, mean a library: `np.linalg.inv(A)`."""

MODULES = words(
    """
    numpy linalg special stats nn functional scipy math keras activations losses metrics fft lax random distributions
    integrate signal spatial distance ops lib stride_tricks fftpack interpolate polynomial
    add multiply maximum minimum logaddexp Tensor ndarray
    """
)
"""Names that, behind a library and a dot, mean a part of it: `np.maximum.accumulate(x)` is of a function's own."""

DISTRIBUTIONS = words(
    """
    norm multivariate_normal t gamma beta chi2 expon laplace logistic lognorm cauchy uniform poisson binom bernoulli
    nbinom dirichlet wishart vonmises vonmises_fisher gumbel_r gumbel_l pareto weibull_min invgamma halfnorm rayleigh
    truncnorm gennorm wrapcauchy geom multinomial
    """
)
"""Distributions of SciPy."""

DENSITIES = words("pdf logpdf cdf logcdf sf logsf ppf isf pmf logpmf entropy")
"""What is asked of them: `norm.cdf(x)` after `from scipy.stats import norm`."""

ASKED_IN_TORCH = words("log_prob cdf icdf")
"""What is asked of PyTorch's distributions: `Normal(m, s).log_prob(x)`."""

PROPERTIES = ("T", "mT", "H", "mH", "shape", "size", "ndim", "real", "imag")
"""What can be read off a value without brackets."""

FIELDS = {
    "values": 0, "indices": 1, "eigenvalues": 0, "eigenvectors": 1, "sign": 0, "logabsdet": 1, "U": 0, "S": 1, "Vh": 2,
}  # fmt: skip
"""What libraries call the parts of a result that has several, with the place of each."""

ARRAY_METHODS = words(
    """
    abs add amax amin argmax argmin bmm clamp clip conj copy cos cosh cross cumprod cumsum det diag diag_embed diagonal
    div dot exp expand expm1 flatten flip ger inner inverse item kron log log10 log1p log2 logdet logsumexp matmul
    matrix_exp matrix_power max maximum mean min minimum mm mul mv norm numel outer permute pinverse pow prod ravel
    reciprocal repeat reshape roll rsqrt sign sin sinh slogdet sqrt square squeeze std sub sum swapaxes t tan tanh trace
    transpose tril triu unsqueeze var vdot view
    """
)
"""Methods of the arrays of NumPy and PyTorch. Which these are is the libraries' affair: the operator table, whose every
function can also be called as a method, does not say."""


@cache
def function_words() -> frozenset[str]:
    """Return the names that, in front of a value without brackets, were meant as functions: `sin x`.

    They stand in a file, because the grammar knows nothing of the operator table.
    """
    # What may be called and is a letter of formulas more often: `gamma x` is a product.
    letters = words("beta gamma zeta psi iv jv yv kv jn yn kn i0 i1 j0 j1 k0 k1 y0 y1 fix")
    with open(os.path.join(os.path.dirname(__file__), "function_words.txt"), encoding="utf-8") as file:
        return (ARRAY_METHODS | {line.strip() for line in file if not line.startswith("#")}) - letters


TAKE_FUNCTIONS = words("scan states fori fori_loop root argmin minimize fsolve newton fixed_point")
"""What takes a function as an argument: `scan(lambda h, x: tanh(W @ h + U @ x), h0, X)`."""
