"""Deltas and what other structural tensors say about labels: what vanishes, what stays, and what must not vanish."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.algebra import is_zero, product
from matgrad.core.graph.nodes import Delta, Triangle


@pytest.mark.parametrize("offset", [-2, -1, 0, 1])
def test_the_diagonal_of_a_triangle(offset: int) -> None:
    """Ones from offset 0 on; below it the diagonal lies outside of the triangle."""
    diagonal = product(1, [(Triangle.of(3, 3, offset), (0, 0))], (0,))
    (value,) = compile_program([diagonal]).run({})
    assert_array_equal(value, np.diagonal(np.tri(3, 3, offset)))
    assert (diagonal is Delta.of(3, 1)) == (offset >= 0)
    assert not is_zero(diagonal)
