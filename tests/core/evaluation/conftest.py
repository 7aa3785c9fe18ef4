"""Evaluation is tested three times: as it is, with what is made for large arrays off, and with every array as large."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from matgrad.core.evaluation import large
from matgrad.core.evaluation.large import sweep


@pytest.fixture(params=["as it is", "large off", "all large"], scope="module")
def large_arrays(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "large off":
            patch.setattr(large, "ENABLED", False)
        if request.param == "all large":
            patch.setattr(sweep, "SMALLEST", 2)
        yield
