"""The examples in the docstrings are true: each that is written as at Python's prompt is run."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from libraries import LIBRARIES

ROOT = Path(__file__).resolve().parents[1]
PATHS = [path.relative_to(ROOT) for folder in ("core", "grammar") for path in sorted((ROOT / folder).rglob("*.py"))]
MODULES = [
    ".".join(("matgrad", *path.with_suffix("").parts)).removesuffix(".__init__")
    for path in PATHS
    # This one module is read as text by the program, and imports PyTorch.
    if path.name != "torch_polyfills.py" or "torch" in LIBRARIES
]
# What these do is only understood by what becomes of one example.
HARD = (
    "core.compressed.terms", "core.evaluation.contract", "core.evaluation.large.sweep", "core.evaluation.lowering",
    "core.evaluation.structural", "core.graph.deltas", "core.notation.recognise", "core.notation.sums",
    "core.notation.terms", "core.notation.walk",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("name", HARD)
def test_a_hard_module_opens_with_an_example(name: str) -> None:
    assert doctest.DocTestParser().get_examples(import_module(f"matgrad.{name}").__doc__ or "")
