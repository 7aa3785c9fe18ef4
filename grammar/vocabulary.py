"""The words that the grammar itself must know: libraries whose names may stand in front, properties, methods."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIBRARIES = _words("np numpy jnp jax torch tf scipy sp F math nn linalg special functional cp cupy anp onp tensorflow")
"""Names that, in front of a dot, mean a library: `np.linalg.inv(A)`."""

MODULES = _words("numpy linalg special nn functional scipy math keras activations fft lax random")
"""Names that, behind a library and a dot, mean a part of it."""

PROPERTIES = ("T", "mT", "shape", "size", "ndim")
"""What can be read off a value without brackets."""

ARRAY_METHODS = _words(
    """
    abs add amax amin argmax argmin bmm clamp clip conj copy cos cosh cross cumprod cumsum det diag diag_embed diagonal
    div dot exp expand expm1 flatten flip ger inner inverse item kron log log10 log1p log2 logdet logsumexp matmul
    matrix_exp matrix_power max maximum mean min minimum mm mul mv norm numel outer permute pinverse pow prod ravel
    reciprocal repeat reshape roll rsqrt sign sin sinh slogdet sqrt square squeeze std sub sum swapaxes t tan tanh trace
    transpose tril triu unsqueeze var vdot view
    """
)
"""Methods of the arrays of NumPy and PyTorch."""

FUNCTION_WORDS = ARRAY_METHODS | _words(
    """
    arccos arcsin arctan acos asin atan cbrt cholesky eigh eigvalsh erf expm inv ln logsigmoid outer pinv relu sigmoid
    softmax softplus svd svdvals tr vec
    """
)
"""Names that, in front of a value without brackets, were meant as functions: `sin x`."""
