"""The workloads that speed is measured with: what an expert writes by hand is what matgrad gives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matgrad.core.blocks import reduced

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(FOLDER))

import scale  # noqa: E402  (the benchmarks are scripts beside the package)
from workloads import WORKLOADS  # noqa: E402  (the benchmarks are scripts beside the package)


@pytest.mark.parametrize("workload", WORKLOADS, ids=[workload.name for workload in WORKLOADS])
def test_the_expert_agrees(workload: Any) -> None:
    derivative, inputs = workload.derivative(), workload.made(workload.sizes[0])
    found = derivative.structured(**inputs).todense() if workload.compact else derivative(**inputs)
    wanted = workload.expert(**inputs)
    if workload.compact:
        wanted = np.diag(wanted)
    for own, other in zip(_several(found), _several(wanted), strict=True):
        assert_allclose(own, other, rtol=1e-8, atol=1e-9 * max(1.0, float(np.max(np.abs(other)))))


def test_sums_by_hand_agree() -> None:
    x, y, w, rows = scale.samples_of(120_000)
    found = reduced(scale.gradient(), {"x": x, "y": y, "w": w}, rows=rows)
    assert_allclose(found[0], scale.by_hand(x, y, w, rows), rtol=1e-9)


def _several(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def test_every_workload_has_two_sizes() -> None:
    assert all(len(workload.sizes) >= 2 for workload in WORKLOADS)
