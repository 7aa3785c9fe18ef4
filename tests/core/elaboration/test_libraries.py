"""What is pasted from a library has the library's value and gradient: each row is run by the library itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matgrad
from libraries import LIBRARIES
from matgrad import grad, value
from matgrad.core.elaboration.library_calls import reading, usage
from matgrad.core.errors import UnknownNameError
from matgrad.core.graph.catalogue import operators

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
    "numpy": (
        "np=numpy",
        "scipy=scipy",
        "_=scipy.linalg",
        "_=scipy.special",
        "_=scipy.stats",
        "_=scipy.integrate",
        "_=scipy.signal",
        "_=scipy.fft",
        "_=scipy.spatial.distance",
    ),
    "torch": ("torch=torch", "F=torch.nn.functional", "nn=torch.nn"),
    "jax": ("jax=jax", "jnp=jax.numpy", "_=jax.scipy.linalg", "_=jax.scipy.special", "_=jax.nn", "_=jax.scipy.stats"),
}


@cache
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

        def function(arrays: Mapping[str, Any], x: Any) -> Any:
            result = eval(code, {**space, **arrays, wrt: x})
            return weighted(result), result

        # To compile both as one takes a third of the time of their steps.
        both = space["jax"].jit(space["jax"].value_and_grad(function, argnums=1, has_aux=True))
        (_, result), gradient = both(values, values[wrt])
        return np.asarray(result), np.asarray(gradient)

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


SAME = [
    ("max(0, X)", "maximum(X, 0)"), ("max(X, 0)", "maximum(X, 0)"), ("min(X, Y)", "minimum(X, Y)"),
    ("max(X, 1)", "maximum(X, 1)"), ("max(x, y, 0)", "maximum(maximum(x, y), 0)"), ("X.max(0)", "max(X, axis=0)"),
    ("X.norm(1)", "sum(abs(X))"), ("X.std(0)", "std(X, axis=0)"), ("X.std(dim=0)", "std(X, axis=0, ddof=1)"),
    ("X.transpose(0, 1)", "X.T"), ("x.repeat(2)", "repeat(x, 2)"), ("X.flip(0, 1)", "flip(X)"),
    ("diagonal(T, dim1=1, dim2=2)", "diagonal(T, 0, 1, 2)"), ("var(X, unbiased=True)", "var(X, ddof=1)"),
    ("cholesky(P, upper=True)", "cholesky(P).T"), ("softmax(X)", "softmax(X, axis=None)"),
    ("flip(X, dims=(0,))", "flip(X, axis=0)"), ("roll(X, 1, dims=0)", "roll(X, 1, axis=0)"),
    ("clip(X, Y, Y + 1)", "np.clip(X, Y, Y + 1)"),
    ("reshape(X, (4, 3), order='F')", "np.reshape(X, (4, 3), order='F')"),
    ("average(X, weights=Y**2)", "sum(X*Y**2) / sum(Y**2)"), ("add(X, Y, alpha=2)", "X + 2*Y"),
    ("tf.norm(X, 1)", "sum(abs(X))"), ("tf.cumsum(X)", "cumsum(X, axis=0)"),
    ("tf.nn.softmax(X)", "softmax(X, axis=1)"), ("tf.linalg.trace(T)", "sum(diagonal(T, 0, 1, 2), axis=-1)"),
    ("tf.linalg.svd(X)[0]", "svd(X)[1]"), ("tf.matmul(X, Y, transpose_b=True)", "X @ Y.T"),
    ("tf.linalg.diag(x)", "diag(x)"), ("tf.reverse(X, axis=[0])", "flip(X, axis=0)"),
    ("r = torch.max(X, dim=1); r.values", "max(X, axis=1)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), SAME, ids=[text for text, _ in SAME])
def test_is_read_as_what_it_means(text: str, meaning: str) -> None:
    values = values_in(meaning)
    assert np.allclose(value(text)(**values), value(meaning)(**values), rtol=1e-14)


@pytest.mark.parametrize("text", ["np.var(x)", "torch.std(x)", "np.mean(x)", "x.var()"])
def test_a_statistic_of_nothing_is_nan(text: str) -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(value(text)(x=np.zeros(0)))


def test_every_line_of_the_table_is_read() -> None:
    for operator in operators(hidden=True):
        for line in operator.libraries:
            assert reading(line).meaning, line
            assert usage(line, "f").startswith("f("), line


def test_helpers_cannot_be_called() -> None:
    for operator in operators(hidden=True):
        if operator.hidden:
            with pytest.raises(UnknownNameError, match=operator.name):
                value(f"{operator.name}(x)")


@pytest.mark.parametrize(
    ("kind", "text", "wrt", "shapes"),
    [
        ("jacobian", "expm(X)", "X", {"X": (2, 2)}),
        ("grad", "sum(W*logm(X))", "X", {"X": (2, 2), "W": (2, 2)}),
        ("hessian", "det(X)", "X", {"X": (3, 3)}),
        ("hessian", "prod(x)", "x", {"x": (4,)}),
        ("hessian", "sum(sinc(x))", "x", {"x": (3,)}),
        ("jacobian", "sum(W*eigh(X)[1])", "X", {"X": (3, 3), "W": (3, 3)}),
        ("hessian", "sum(hypot(x, y))", "x", {"x": (3,), "y": (3,)}),
        ("grad", "norm(X, 'nuc')", "X", {"X": (3, 2)}),
        ("hessian", "sum(norm(X, 3, axis=1))", "X", {"X": (3, 2)}),
        ("hessian", "vector_norm(X, 3)", "X", {"X": (2, 2)}),
        ("hessian", "vector_norm(X, axis=(0, 1, 2)) @ y", "X", {"X": (2, 2, 2, 2), "y": (2,)}),
        ("jacobian", "torch.linalg.solve(S, X)", "S", {"S": (2, 3, 3), "X": (2, 3)}),
        ("grad", "sum(cholesky(X)**2)", "X", {"X": (3, 3)}),
        ("hessian", "sum(W*softmax(X, axis=1))", "X", {"X": (2, 3), "W": (2, 3)}),
    ],
)
def test_a_printed_formula_can_be_typed(kind: str, text: str, wrt: str, shapes: dict[str, tuple[int, ...]]) -> None:
    draws = np.random.default_rng(0)
    inputs = {name: draws.uniform(0.5, 1.5, shape) for name, shape in shapes.items()}
    if "X" in inputs and shapes["X"] in ((2, 2), (3, 3)):
        inputs["X"] = inputs["X"] @ inputs["X"].T + np.eye(len(inputs["X"]))
    found = getattr(matgrad, kind)(text, wrt=wrt, shapes=shapes)
    formula = found.formula
    used = {name: array for name, array in inputs.items() if re.search(rf"\b{name}\b", formula)}
    typed = value(formula)(**used, **{name: size for name, size in found.sizes.items() if name not in used})
    np.testing.assert_allclose(typed, found(**inputs), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("text", ["torch.unique(x)", "np.unwrap(x)", "F.ctc_loss(x)", "scipy.special.ellipk(x)"])
def test_what_a_library_has_alone_is_named_without_a_stranger(text: str) -> None:
    with pytest.raises(UnknownNameError, match=text.partition("(")[0]) as raised:
        value(text)(x=np.ones(3))
    assert "did you mean" not in str(raised.value)
    with pytest.raises(UnknownNameError, match="did you mean `softmax`"):
        value("torch.sofmax(x)")(x=np.ones(3))
