"""Types of arrays: float64 goes in and out, and steps of a program see more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.float64]"
# What a step of a program works on: complex numbers as well, in the complex step, and booleans, in a mask.
AnyArray: TypeAlias = "NDArray[Any]"
Positions: TypeAlias = "NDArray[np.intp]"
