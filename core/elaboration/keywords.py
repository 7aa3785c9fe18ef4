"""The words that libraries use for the same argument."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = {
    "a": "x1",
    "axes": "dims perm",
    "axis": "dim reduction_indices",
    "axis1": "dim0",
    "axis2": "dim1 dim2",
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
