"""Random numbers: the same for the same key, on every machine and with every version of NumPy.

The bits are those of the Mersenne Twister in Python's own `random`. `numpy.random` promises no fixed numbers from one
version to the next, and takes longer to load than all of matgrad.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from random import Random

import numpy as np

from ..arrays import Array

# Numbers are made in pieces of this many, to hold few of the bits at a time.
PIECE = 2**16


# The first numbers of a key are remembered: each line of JSON Lines is checked along the same directions.
FEW = 2**10


class Draws:
    """A source of random numbers; what it gives depends on its key and on what it gave before.

    Example: `Draws(0, "x").normal((3,))`, three numbers of mean 0 and variance 1.
    """

    def __init__(self, *key: int | str) -> None:
        self._key = repr(key)
        self._drawn: tuple[int, ...] = ()
        self._twister: Random | None = None

    def _unit(self, amount: int) -> Array:
        """Return numbers from 0 to 1, excluded, each a multiple of 2**-53."""
        before, self._drawn = self._drawn, (*self._drawn, amount)
        if self._twister is None:
            if sum(self._drawn) <= FEW:
                return _first_units(self._key, self._drawn)
            self._twister = _started(self._key, before)
        return _units(self._twister, amount)

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

    def steps(self, shape: Sequence[int]) -> Array:
        """Return numbers of either sign whose sizes are from 1/2 to 1."""
        signs, result = self._unit(prod(shape)) - 0.5, 0.5 * self._unit(prod(shape))
        result += 0.5
        return np.copysign(result, signs, out=result).reshape(shape)

    def signs(self, shape: Sequence[int]) -> Array:
        """Return numbers that are 1 or -1."""
        return np.where(self._unit(prod(shape)).reshape(shape) < 0.5, -1.0, 1.0)


def _units(twister: Random, amount: int) -> Array:
    result = np.empty(amount)
    for start in range(0, amount, PIECE):
        part = result[start : start + PIECE]
        bits = np.frombuffer(twister.randbytes(8 * part.size), dtype="<u8")
        np.multiply(bits >> np.uint64(11), 2.0**-53, out=part)
    return result


def _started(key: str, drawn: tuple[int, ...]) -> Random:
    """Return the twister of a key after it gave so many numbers."""
    twister = Random(key)
    twister.randbytes(8 * sum(drawn))
    return twister


@lru_cache(maxsize=256)
def _first_units(key: str, drawn: tuple[int, ...]) -> Array:
    """Return the last of the numbers that a key gives one after the other."""
    result = _units(_started(key, drawn[:-1]), drawn[-1])
    result.flags.writeable = False
    return result
