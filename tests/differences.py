"""Derivatives beside 5-point differences: how far one is from the other."""

from __future__ import annotations

import numpy as np

from matgrad.core.evaluation.program import compile_program
from matgrad.core.graph.nodes import Node
from samples import Values


def directions_of(values: Values) -> Values:
    generator = np.random.default_rng(7)
    return {name: generator.normal(size=value.shape) for name, value in values.items()}


def moved(values: Values, directions: Values, amount: float) -> Values:
    return {name: value + amount * directions[name] for name, value in values.items()}


def relative_error(found: np.ndarray, wanted: np.ndarray, scale: float = 0.0) -> float:
    largest = max(np.max(np.abs(found), initial=0.0), np.max(np.abs(wanted), initial=0.0), scale)
    return float(np.max(np.abs(found - wanted), initial=0.0) / largest) if largest else 0.0


def difference_error(node: Node, values: Values, directions: Values, claimed: np.ndarray) -> float:
    """Return how far a directional derivative is from 5-point differences, with the best of two steps."""
    program = compile_program([node])
    size = float(np.max(np.abs(program.run(values)[0]), initial=0.0))
    errors = []
    for step in (1e-3, 1e-4):
        points = [program.run(moved(values, directions, place * step))[0] for place in (-2, -1, 1, 2)]
        estimate = (points[0] - 8 * points[1] + 8 * points[2] - points[3]) / (12 * step)
        errors.append(relative_error(estimate, claimed, 1e-4 * size))
    return min(errors)
