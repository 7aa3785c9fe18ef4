"""The published identities of `core/explanation/identities.jsonl`.

Each record holds an expression, what it is differentiated by, how to sample its inputs, and the published result.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

from matgrad.core.explanation.citation import identities

Record = Mapping[str, Any]
Values = dict[str, np.ndarray]

RECORDS: list[Record] = [*identities()]


def sample(record: Record, seed: int) -> Values:
    """Return values for the names of a record that satisfy what it assumes; the same for the same seed."""
    generator = np.random.default_rng([seed, zlib.crc32(record["id"].encode())])
    values: Values = {}
    for name, wanted in record["vars"].items():
        normal = generator.standard_normal(tuple(wanted["shape"]))
        away_from_kinks = np.where(np.abs(normal) < 0.05, normal + np.copysign(0.05, normal), normal)
        satisfying = ASSUMED[wanted.get("assume", "")]
        values[name] = np.asarray(satisfying(away_from_kinks, generator), dtype=np.float64)
    return values


def symmetric_part(x: Any, _: Any = None) -> Any:
    return (x + x.T) / 2


def _spd(x: Any, _: Any) -> Any:
    return x @ x.T / len(x) + 0.7 * np.eye(len(x))


def _diagonal(x: Any, _: Any) -> Any:
    entries = np.diagonal(x)
    return np.diag(entries + np.copysign(0.5, entries))


def _invertible(x: Any, generator: np.random.Generator) -> Any:
    """Return a well-conditioned matrix with a positive determinant."""
    while True:
        candidate = 1.5 * np.eye(len(x)) + 0.6 * x
        if np.linalg.det(candidate) > 0.2 and np.linalg.cond(candidate) < 50:
            return candidate
        x = generator.standard_normal(x.shape)


ASSUMED: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "": lambda x, _: x,
    "symmetric": symmetric_part,
    "spd": _spd,
    "diagonal": _diagonal,
    "invertible": _invertible,
    "positive": lambda x, _: np.abs(x) + 0.4,
    "small": lambda x, _: 0.05 * x,
    "unit_interval": lambda x, _: 0.1 + 0.8 * special.expit(x),
    "simplex": lambda x, _: special.softmax(x),
    "simplex_rows": lambda x, _: special.softmax(x, axis=1),
}
