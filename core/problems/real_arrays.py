"""What a caller of the Python face gives as a value, as an array of real numbers."""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array, as_mask, first_place
from ..errors import InputError
from ..sparse import LARGEST, is_sparse, sparse_input

FLOAT = np.dtype(np.float64)
KINDS = {"c": "complex numbers", "U": "text", "S": "text", "M": "dates", "m": "durations", "V": "records"}
ANYTHING_REAL = "pass numbers, nested lists of equal length, or a NumPy array"


def real_array(name: str, value: ArrayLike, limit: int = LARGEST) -> Array:
    """Return a value as a float64 array: `real_array("x", [1, 2])`.

    A sparse matrix of SciPy stays sparse, and may take `limit` bytes where it is needed as a dense array. Tensors of
    PyTorch are taken as they are, without their history of gradients and from whatever device. Raises InputError for
    what is ragged or no real number: complex numbers, text, None, masked entries.
    """
    if type(value) is np.ndarray and value.dtype is FLOAT:  # nothing to find out, and calls are short
        return value
    if is_sparse(value):
        return cast("Array", sparse_input(name, value, limit))
    try:
        array = np.asarray(_numpy_can_read(name, value))
        if array.dtype.kind == "O":
            _refuse_missing(name, array)
        if array.dtype.kind in KINDS:
            raise _not_real(name, KINDS[array.dtype.kind])
        if array.dtype == np.bool_ and array.ndim:
            return as_mask(array)
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # PyTorch raises the last
        message = f"input `{name}` is not a rectangular array of real numbers"
        raise InputError(message, helps=[ANYTHING_REAL]) from None


def _numpy_can_read(name: str, value: Any) -> Any:
    """Return tensors and masked arrays in a form that loses nothing unsaid."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        # Some of its types NumPy has not: bfloat16.
        return value.double() if value.is_floating_point() else value.resolve_conj()
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        place = first_place(np.ma.getmaskarray(value))
        raise InputError(f"input `{name}` is masked{_at(place)}", helps=["pass its `compressed()` or `filled(...)`"])
    return value


def _refuse_missing(name: str, array: np.ndarray[Any, Any]) -> None:
    for place, item in np.ndenumerate(array):
        if item is None:
            raise InputError(f"input `{name}` is None{_at(place)}", helps=[ANYTHING_REAL])


def _at(place: tuple[int, ...]) -> str:
    return f" at [{', '.join(map(str, place))}]" if place else ""


def _not_real(name: str, kind: str) -> InputError:
    helps = [ANYTHING_REAL]
    if kind == "complex numbers":
        helps = [f"matgrad is about real numbers: pass {name}.real and {name}.imag as inputs of their own"]
    return InputError(f"input `{name}` holds {kind}, not real numbers", helps=helps)
