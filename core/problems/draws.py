"""Random numbers: the same for the same key, on every machine and with every version of NumPy.

The bits are those of the Mersenne Twister in Python's own `random`. `numpy.random` promises no fixed numbers from one
version to the next, and takes longer to load than all of matgrad.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from random import Random

import numpy as np

from ..arrays import Array

# Numbers are made in pieces of this many, to hold few of the bits at a time.
PIECE = 2**16


class Draws:
    """A source of random numbers; what it gives depends on its key and on what it gave before.

    Example: `Draws(0, "x").normal((3,))`, three numbers of mean 0 and variance 1.
    """

    def __init__(self, *key: int | str) -> None:
        self._twister = Random(repr(key))

    def _unit(self, amount: int) -> Array:
        """Return numbers from 0 to 1, excluded, each a multiple of 2**-53."""
        result = np.empty(amount)
        for start in range(0, amount, PIECE):
            part = result[start : start + PIECE]
            bits = np.frombuffer(self._twister.randbytes(8 * part.size), dtype="<u8")
            np.multiply(bits >> np.uint64(11), 2.0**-53, out=part)
        return result

    def uniform(self, low: float, high: float, shape: Sequence[int]) -> Array:
        """Return numbers from `low` to `high`, excluded, all equally likely."""
        return low + (high - low) * self._unit(prod(shape)).reshape(shape)

    def normal(self, shape: Sequence[int]) -> Array:
        """Return independent normal numbers of mean 0 and variance 1 (Box and Muller, 1958)."""
        amount = prod(shape)
        half = (amount + 1) // 2
        radius = np.sqrt(-2 * np.log1p(-self._unit(half)))
        angle = 2 * np.pi * self._unit(half)
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:amount].reshape(shape)

    def integers(self, low: int, high: int, shape: Sequence[int]) -> Array:
        """Return whole numbers from `low` to `high`, excluded, as floating-point numbers."""
        return np.floor(self.uniform(low, high, shape))

    def signs(self, shape: Sequence[int]) -> Array:
        """Return numbers that are 1 or -1."""
        return np.where(self._unit(prod(shape)).reshape(shape) < 0.5, -1.0, 1.0)
