"""The words that libraries use for the same argument."""

from __future__ import annotations

from collections.abc import Mapping

from ...grammar.vocabulary import words

_WORDS = {
    "a": "x1",
    "axes": "dims perm",
    "axis": "dim reduction_indices",
    "b": "B other x2 mat2 vec2",
    "ddof": "correction",
    "k": "diagonal",
    "keepdims": "keepdim keep_dims",
    "lower": "min a_min clip_value_min",
    "m": "M",
    "n": "N",
    "num": "steps",
    "ord": "p",
    "p": "exponent",
    "parts": "tensors arrays",
    "repetitions": "repeats",
    "reps": "multiples",
    "shape": "newshape size sizes",
    "shift": "shifts",
    "stop": "end",
    "subscripts": "equation",
    "upper": "max a_max clip_value_max",
    "value": "fill_value",
}
KEYWORD_ALIASES: Mapping[str, str] = {other: own for own, others in _WORDS.items() for other in others.split()}
"""What torch calls `dim` is `axis` here. A word that the operator itself declares is never replaced."""

WITHOUT_EFFECT = words(
    """
    optimize precision check_finite overwrite_a overwrite_b lapack_driver driver device requires_grad name inplace
    memory_format layout preferred_element_type out_sharding copy subok casting stable promote_integers validate_args
    hermitian symmetrize_input pin_memory
    """
)
"""Arguments of libraries that change no number."""

SAME_WORDS: Mapping[str, str] = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x2": "other"}
"""The words of NumPy that PyTorch takes too."""

INSTEAD: Mapping[str, str] = {
    "dtype": "leave it out: all numbers are float64",
    "out": "leave it out: the result is the value of the call",
    "where": "in a sum, write `where(mask, x, 0)` in place of x",
    "initial": "write `sum(x) + initial`, or `maximum(max(x), initial)`",
    "order": "leave it out for rows first; `vec(X)` and `reshape(X.T, ...)` take columns first",
    "weights": "write `sum(w*x) / sum(w)`",
    "returned": "leave it out, and write `sum(w)` where it is needed",
    "unbiased": "write `ddof=1` for True, `ddof=0` for False",
    "upper": "write `cholesky(X).T` for the upper factor",
    "UPLO": "leave it out: the symmetric part of X is taken",
    "alpha": "write `x + alpha*y`",
    "rounding_mode": "write `floor(a/b)`",
    "full_matrices": "leave it out: the decomposition is thin",
}
"""What to write in place of an argument that a library knows, and matgrad or one of its functions does not."""

PLAIN = words("axis axes axis1 axis2 source destination ord")
"""Settings that must be known before there is a shape; others, as `shape` and `repetitions`, may be lengths."""
