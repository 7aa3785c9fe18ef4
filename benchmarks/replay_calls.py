"""The calls that the replay makes: what every function is tried with, and what single functions need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Array = np.ndarray


def inputs() -> Mapping[str, Array]:
    """Return the arrays that the calls name: entries between 0 and 1, well apart, and matrices of full rank."""
    generator = np.random.default_rng(1)
    shapes = {"p": (4,), "q": (4,), "r": (4,), "X": (3, 4), "Y": (3, 4), "Z": (4, 2), "A": (3, 3), "T": (2, 3, 4)}
    found = {name: 0.15 + 0.7 * generator.random(shape) for name, shape in shapes.items()}
    found["A"] = found["A"] + found["A"].T + 2 * np.eye(3)
    found["b"] = 0.15 + 0.7 * generator.random(3)
    found["L"] = np.linalg.cholesky(found["A"])
    found["s"] = np.array(0.4)
    return found


PATTERNS = (
    "(p)", "(X)", "(A)", "(p, q)", "(X, Y)", "(A, b)", "(A, X)", "(X, Z)", "(X, axis=0)", "(X, axis=1)", "(p, q, r)",
    "(b, b, A)", "(T)", "(2, p)", "(3, 5, p)", "(3, p, q)", "(p, 2)", "(p, 0.3)", "(2.5, 1.5, p)", "([p, q])",
    "([X, Y])", "(X, 0, 1)", "(X, (4, 3))", "(p, 0.2, 0.7)", "(A, A, A)", "(p, p + 2, 3*q)", "(1 + p)", "(1, p)",
    "(p, (2, 4))", "(p > 0.4, p, q)",
)  # fmt: skip
"""What every function is tried with. A call that its library refuses is none."""

SAMPLES: Mapping[str, tuple[str, ...]] = {
    "*.einsum": ("('ij,jk->ik', X, Z)", "('ii->i', A)", "('i,j', p, q)"),
    "*.where": ("(p > 0.4, p, q)",),
    "*.select": ("([p > 0.6, p > 0.3], [p, q])",),
    "*.pad": ("(p, (1, 2))", "(p, (1, 2), 'constant')", "(X, ((1, 1), (0, 2)))"),
    "*.take": ("(p, [0, 2])", "(X, [0, 2], axis=1)"),
    "*.repeat": ("(p, 3)", "(X, 2, axis=0)"),
    "*.roll": ("(p, 1)", "(X, 1, axis=0)"),
    "*.interp": ("(s, [0, 0.5, 1], b)",),
    "*.polyval": ("(b, p)",),
    "*.quantile": ("(p, 0.3)", "(X, 0.3, axis=1)"),
    "*.percentile": ("(p, 30)", "(X, 30, axis=1)"),
    "*.tensordot": ("(X, Z, 1)", "(X, Y, 2)", "(X, Z, axes=([1], [0]))"),
    "*.moveaxis": ("(T, 0, 2)",),
    "*.full": ("((3,), s)",),
    "*.linspace": ("(s, 2*s, 5)",),
    "*.broadcast_to": ("(p, (3, 4))",),
    "*.expand_dims": ("(p, 0)",),
    "*.matrix_power": ("(A, 3)",),
    "*.one_hot": (),
    "*.integer_pow": ("(p, 3)",),
    "*.convolve": ("(p, q)", "(p, b, 'same')", "(p, b, 'valid')"),
    "*.correlate": ("(p, b)", "(p, b, 'same')", "(p, b, 'full')"),
    "*.dot_product_attention": ("(T[:, :, None], T[:, :, None], T[:, :, None])",),
    "*.cho_solve": ("((L, True), b)",),
    "*.solve_banded": (),
    "*.solve_sylvester": ("(A, A + A, A)",),
    "*.multi_dot": ("([A, X, Z])",),
    "*.index_in_dim": ("(X, 1)",),
    "*.slice": ("(p, (1,), (3,))",),
    "*.slice_in_dim": ("(p, 1, 3)",),
    "*.dynamic_slice": ("(p, (1,), (2,))",),
    "*.clamp": ("(0.2, p, 0.7)",),
    "*.concatenate": ("([p, q], 0)", "([X, Y], 1)"),
    "*.broadcast_in_dim": ("(p, (3, 4), (1,))",),
    "*.sort_key_val": ("(p, q)",),
    "*.top_k": ("(p, 2)",),
    "*.reduce_sum": ("(X, (0,))",),
    "*.reduce_max": ("(X, (0,))",),
    "*.reduce_min": ("(X, (0,))",),
    "*.reduce_prod": ("(X, (0,))",),
    "*.rev": ("(p, (0,))",),
    "*.lax.transpose": ("(X, (1, 0))",),
    "*.lax.select": ("(p > 0.4, p, q)",),
    "*.select_n": ("(p > 0.4, p, q)",),
    "*.kth_value": ("(p, 2)",),
    "*.take_along_axis": ("(X, jnp.argsort(X, axis=1), 1)",),
    "*.rollaxis": ("(T, 2)",),
    "*.hessenberg": (),
    "*.dsplit": ("(T, 2)",),
    "*.multigammaln": ("(2 + s, 2)", "(2 + p, 2)"),
    "*.dirichlet.*": ("(p/sum(p), q)",),
}
"""What single functions are tried with besides: names of libraries, `*` for any."""

ORDER: Mapping[str, tuple[int, ...]] = {
    "einsum": (1, 0), "where": (1, 0, 2), "polygamma": (1, 0), "special.polygamma": (1, 0),
}  # fmt: skip
"""Where PyTorch's database has the arguments of a function in another order: that of the function."""

SIGNS = ("svd", "eigh", "eig", "qr", "svd_lowrank", "pca_lowrank", "polar")
"""Functions whose results are unique up to signs: their sizes are compared."""

REASONS: Mapping[str, str] = {
    # Not of real numbers.
    "*fft*": "complex", "*stft": "complex", "*.wofz": "complex", "*.sph_harm_y": "complex", "*.dft": "complex",
    "*.complex": "complex", "*.view_as_complex": "complex", "torch.polar": "complex", "*.cdouble": "complex",
    "*.cfloat": "complex", "*.chalf": "complex", "*.rsf2csf": "complex", "*.sort_complex": "complex",
    # Their results are drawn.
    "*dropout*": "random", "*.normal": "random", "*.rrelu": "random", "torch.bernoulli": "random",
    "*.random_gamma_grad": "random", "*fractional_max_pool*": "random", "*_lowrank": "random", "*.rng_*": "random",
    # Not of dense arrays.
    "*sparse*": "sparse", "*.sampled_addmm": "sparse",
    # They change an array that exists, or how it lies in memory.
    "*.zero_": "in place", "*.put": "in place", "*.as_strided*": "memory", "*.put_along_axis": "in place",
    "*.place": "in place",
    # They take functions of Python.
    "*.apply_along_axis": "takes a function", "*.apply_over_axes": "takes a function",
    "*.vectorize": "takes a function", "*.frompyfunc": "takes a function", "*.fromfunction": "takes a function",
    "*.associative_scan": "takes a function", "*.map": "takes a function", "*.while_loop": "takes a function",
    "*.switch": "takes a function", "*.custom_root": "takes a function", "*.reduce": "takes a function",
    "*.custom_linear_solve": "takes a function", "*.reduce_window": "takes a function", "*.funm": "takes a function",
    "*.odeint": "takes a function", "jax.lax.cond": "takes a function", "*.triplet_margin_with_distance_loss":
    "takes a function",
    # Other types of numbers.
    "*.half": "precision", "*.bfloat16": "precision", "torch.Tensor.float": "precision", "*.reduce_precision":
    "precision", "*.scaled_matmul": "precision",
    # What is inside a library.
    "*native_*": "internal", "torch._*": "internal", "*.ops.aten.*": "internal", "*backward*": "internal",
    "*.resolve_*": "internal", "*.concatenate_args": "internal", "*.make_diagonal": "internal",
    "*.array_from_args": "internal", "*.truncate_pad": "internal",
    "*.stop_gradient": "no derivative", "*.optimization_barrier": "internal", "*.stage": "internal",
    "*.approx_m*_k": "approximate", "*.histogram*": "no derivative", "*.rankdata": "no derivative",
    "jax.scipy.stats.mode": "no derivative", "*.bernoulli.ppf": "no derivative", "*.empty_like": "no value",
    # The order of their results is not determined.
    "*partition": "no order",
    # Numbers that an operator writes `where(mask, x, 0)` for.
    "torch.masked.*": "written as where(mask, x, ...)",
    "torch.mode": "no derivative", "*.frexp": "no derivative", "*.nextafter": "no derivative",
}  # fmt: skip
"""Why functions are missing, by patterns of their names; what stands nowhere here is not yet there."""

DIFFERENT: Mapping[str, str] = {
    "*.eig": "eigenvalues are sorted here, elsewhere in no order",
    "scipy.stats.chi2.*": "autograd's gradient by x is 0 where df is no whole number",
    "scipy.special.yn": "SciPy cuts the order to a whole number",
    "jax.scipy.linalg.cholesky": "JAX's gradient is by all entries, matgrad's by those of the symmetric part",
    "jax.lax.clamp": "JAX has the gradient 0 where the bounds cross",
    "jax.scipy.special.comb": "JAX has 0 where there are fewer than k",
    "jax.scipy.special.expn": "JAX cuts the order to a whole number",
    "*.dirichlet.pdf": "JAX has 0 where the entries do not add up to 1",
    "jnp.interp": "it has no value where the places do not ascend",
    "*.multigammaln": "JAX cuts the dimension to a whole number",
    "*.linalg.lstsq": "residuals that vanish are rounding, and JAX takes any array as rcond",
    "*.poisson.pmf": "SciPy's probability of what is no whole number is 0",
    "*.bernoulli.pmf": "SciPy's probability of what is no whole number is 0",
    "*.binom.pmf": "SciPy's probability of what is no whole number is 0",
    "*.geom.*": "SciPy's probability of what is no whole number is 0",
    "np.linalg.eigh": "autograd takes the lower triangle, matgrad the symmetric part",
}
"""Why matgrad is meant to differ from a library, by patterns of names."""
