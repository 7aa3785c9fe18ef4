"""The libraries that printed programs are run in.

NumPy is always run. PyTorch and JAX are run where they are installed; with MATGRAD_LIBRARIES=torch,jax in the
environment they must be.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

REQUIRED = [name for name in os.environ.get("MATGRAD_LIBRARIES", "").split(",") if name]
LIBRARIES = ["numpy", *(name for name in ("torch", "jax") if name in REQUIRED or find_spec(name) is not None)]

every_library = pytest.mark.parametrize("library", LIBRARIES)

# What is compiled here runs once.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")


@cache
def converter(library: str) -> Callable[[Any], Any]:
    """Return what makes an array of NumPy one of a library, in double precision."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library warns of at its import is not ours
        if library == "torch":
            return lambda array: import_module("torch").tensor(np.array(array))
        if library == "jax":
            import_module("jax").config.update("jax_enable_x64", True)
            return lambda array: import_module("jax.numpy").asarray(array)
    return np.asarray


def defined(source: str) -> dict[str, Any]:
    """Return what a printed module defines."""
    space: dict[str, Any] = {}
    exec(compile(source, "<program>", "exec"), space)
    return space


def run(source: str, name: str, values: Sequence[Any], library: str) -> list[Any]:
    """Return what the printed function returns, as arrays of NumPy."""
    convert = converter(library)
    results = defined(source)[name](*map(convert, values))
    return [np.asarray(result) for result in (results if isinstance(results, tuple) else (results,))]
