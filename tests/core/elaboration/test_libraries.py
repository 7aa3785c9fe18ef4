"""What is pasted from a library has the library's value and gradient: each row is run by the library itself."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from libraries import LIBRARIES
from matgrad import grad, value
from matgrad.core.errors import MatgradError

SHAPES = {
    "x": (4,), "y": (4,), "v": (3,), "X": (3, 4), "Y": (3, 4), "W": (3, 4), "A": (3, 3), "P": (3, 3), "T": (2, 3, 4),
    "S": (2, 3, 3), "B": (2, 3), "Q": (4, 3),
}  # fmt: skip
FIRST = "XxTPASBvQ"


def rows() -> list[tuple[str, str]]:
    """Return each library with each expression in its section of `libraries.txt`."""
    found, library = [], ""
    for line in Path(__file__).with_name("libraries.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            library = line.strip("[]")
        elif line and not line.startswith("#") and library in LIBRARIES:
            found.append((library, line))
    return found


NAMES = {
    "numpy": ("np=numpy", "scipy=scipy", "_=scipy.linalg", "_=scipy.special"),
    "torch": ("torch=torch", "F=torch.nn.functional"),
    "jax": ("jax=jax", "jnp=jax.numpy", "_=jax.scipy.linalg", "_=jax.scipy.special", "_=jax.nn"),
}


def names_of(library: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in NAMES[library])
    return {name: import_module(path) for name, path in pairs}


def values_in(text: str) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(5)
    values = {name: generator.normal(size=shape) for name, shape in SHAPES.items()}
    values["P"] = values["P"] @ values["P"].T + np.eye(3)
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return {name: value for name, value in values.items() if name in names}


def truth(text: str, values: Mapping[str, np.ndarray], wrt: str, library: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the value by the library, and the gradient of the weighted sum of its entries."""
    space = names_of(library)
    code = compile(text, "<row>", "eval")

    def weighted(result: Any) -> Any:
        return (weights_of(tuple(result.shape)) * result).sum()

    if library == "torch":
        torch = space["torch"]
        torch.set_default_dtype(torch.float64)
        tensors = {name: torch.tensor(value, requires_grad=name == wrt) for name, value in values.items()}
        result = eval(code, {**space, **tensors})
        (torch.tensor(weights_of(tuple(result.shape))) * result).sum().backward()
        return result.detach().numpy(), tensors[wrt].grad.numpy()
    if library == "jax":
        space["jax"].config.update("jax_enable_x64", True)

        def function(x: Any) -> Any:
            arrays = {name: space["jnp"].asarray(value) for name, value in values.items()}
            return eval(code, {**space, **arrays, wrt: x})

        x = space["jnp"].asarray(values[wrt])
        return np.asarray(function(x)), np.asarray(space["jax"].grad(lambda x: weighted(function(x)))(x))

    def at(x: np.ndarray) -> Any:
        return np.asarray(eval(code, {**space, **values, wrt: x}))

    gradient = np.zeros_like(values[wrt])
    for place in np.ndindex(gradient.shape):
        step = np.zeros_like(gradient)
        step[place] = 1e-4
        ahead, behind = (weighted(at(values[wrt] + k * step)) - weighted(at(values[wrt] - k * step)) for k in (1, 2))
        gradient[place] = (8 * ahead - behind) / 12e-4
    return at(values[wrt]), gradient


def weights_of(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.random.default_rng(3).normal(size=shape))


@pytest.mark.parametrize(("library", "text"), rows(), ids=lambda item: item)
def test_means_what_its_library_computes(library: str, text: str) -> None:
    if "scipy" in text and find_spec("scipy") is None:
        pytest.skip("SciPy is an extra")
    values = values_in(text)
    wrt = next(name for name in FIRST if name in values)
    wanted, slope = truth(text, values, wrt, library)
    assert np.allclose(np.asarray(value(text)(**values)), wanted, rtol=1e-9, atol=1e-12)
    weights = weights_of(wanted.shape)
    found = grad(f"sum(weights * ({text}))", wrt)(weights=weights, **values)
    if wrt == "P":
        slope = (slope + slope.T) / 2  # matgrad takes the symmetric part
        found = (np.asarray(found) + np.asarray(found).T) / 2
    assert np.allclose(np.asarray(found), slope, rtol=1e-6, atol=1e-7)


def test_error_type() -> None:
    with pytest.raises(MatgradError):
        value("torch.max(X, 1)[1]")(X=np.eye(2))
