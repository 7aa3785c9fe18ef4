"""Deltas and what other structural tensors say about labels: what vanishes, what stays, and what must not vanish."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.algebra import is_zero, product
from matgrad.core.graph.nodes import Delta, Labels, Node, Reshape, Select, Structural, Symbol, Triangle


@pytest.mark.parametrize("offset", [-2, -1, 0, 1])
def test_the_diagonal_of_a_triangle(offset: int) -> None:
    """Ones from offset 0 on; below it the diagonal lies outside of the triangle."""
    diagonal = product(1, [(Triangle.of(3, 3, offset), (0, 0))], (0,))
    (value,) = compile_program([diagonal]).run({})
    assert_array_equal(value, np.diagonal(np.tri(3, 3, offset)))
    assert (diagonal is Delta.of(3, 1)) == (offset >= 0)
    assert not is_zero(diagonal)


PAIR = Select.of([2, 0], 4)
ROWS = Select.of([1, 1, 3], 4)
SPLIT = Reshape.of((2, 2))
x = Symbol.of("x", (4,))

# Products that structure alone decides, some with labels that nothing else carries.
STRUCTURES: tuple[tuple[list[tuple[Node, Labels]], Labels], ...] = (
    ([(PAIR, (0, 1)), (PAIR, (0, 2))], (0,)),
    ([(PAIR, (0, 1)), (PAIR, (0, 2)), (x, (2,))], (0,)),
    ([(PAIR, (0, 1)), (PAIR, (0, 2)), (Delta.of(4, 2), (2, 3))], (0,)),
    ([(PAIR, (0, 1)), (PAIR, (2, 1))], (0,)),
    ([(ROWS, (0, 1)), (ROWS, (2, 1)), (x, (1,))], (0, 2)),
    ([(ROWS, (0, 1)), (ROWS, (0, 2))], (0, 1)),
    ([(SPLIT, (0, 1, 2)), (SPLIT, (0, 3, 4))], (1, 3)),
    ([(SPLIT, (0, 1, 2)), (SPLIT, (3, 1, 2))], (0, 3)),
    ([(SPLIT, (0, 1, 2)), (SPLIT, (3, 1, 2))], ()),
    ([(SPLIT, (0, 1, 1)), (x, (0,))], (1,)),
    ([(Delta.of(4, 3), (0, 1, 2)), (x, (2,))], ()),
    ([(Delta.of(4, 2), (0, 1)), (Delta.of(4, 2), (1, 2))], (0, 2)),
)


@pytest.mark.parametrize(("factors", "output"), STRUCTURES)
def test_structure_alone_has_the_values_of_its_arrays(factors: list[tuple[Node, Labels]], output: Labels) -> None:
    vector = np.array([2.0, 3.0, 5.0, 7.0])
    arguments: list[object] = []
    for node, labels in factors:
        arguments += [node.dense() if isinstance(node, Structural) else vector, list(labels)]
    (value,) = compile_program([product(1, factors, output)]).run({"x": vector})
    assert_array_equal(value, np.einsum(*arguments, list(output)))
