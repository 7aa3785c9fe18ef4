"""A derivative is a value: it pickles, copies and compares by its recipe, before and after it is used."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any

import numpy as np
import pytest

import matgrad

RECIPES: dict[str, Callable[[], matgrad.Derivative]] = {
    "value": lambda: matgrad.value("A @ x"),
    "grad": lambda: matgrad.grad("x.T @ A @ x", "x", shapes={"x": 3, "A": (3, 3)}, assume={"A": "symmetric"}),
    "tracked": lambda: matgrad.grad("exp(x) @ x"),
    "part": lambda: matgrad.grad("x @ x * A[0, 1]", "A[0, 1]"),
    "mixed": lambda: matgrad.hessian("x.T @ A @ y", "x, y", strict=True),
    "batch": lambda: matgrad.grad("log(1 + exp(-y*(x @ w)))", "w", batch=("x", "y"), max_memory="1MB"),
    "entries": lambda: matgrad.grad("logdet(A)", "A", assume={"A": "spd"}, independent_entries=True),
    "jvp": lambda: matgrad.jvp("sin(x)", "x"),
}


def cloudpickled(value: object) -> object:
    cloudpickle = import_module("cloudpickle")
    return pickle.loads(cloudpickle.dumps(value))


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "cloudpickle": cloudpickled,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("way", WAYS)
def test_another_is_equal(name: str, way: str) -> None:
    made, again = RECIPES[name](), RECIPES[name]()
    assert made == again
    assert hash(made) == hash(again)
    for _ in ("before", "after"):
        other = WAYS[way](made)
        assert other is not made
        assert other == made
        assert hash(other) == hash(made)
        assert (other.formula, other.check()) == (made.formula, made.check())


def test_all_differ() -> None:
    made = [recipe() for recipe in RECIPES.values()]
    assert len({*made, *(recipe() for recipe in RECIPES.values())}) == len(made)
    assert made[0] != "A @ x"
    assert matgrad.grad("x @ x") == matgrad.grad("x @ x", wrt="x") != matgrad.grad("x @ x", strict=True)


def test_no_compiled_state_travels() -> None:
    made = matgrad.grad("sum(tanh(A @ x)**2)", "x")
    fresh = len(pickle.dumps(made))
    made(A=np.ones((300, 200)), x=np.ones(200))
    assert len(pickle.dumps(made)) == fresh < 400


def computed(made: matgrad.Derivative) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = made(A=[[1, 2], [3, 4]], x=[5, 6])
    return found


def test_forked_processes_compute_the_same() -> None:
    # In a process of its own: libraries with threads, which other tests load, do not survive a fork.
    asked = "import test_recipes; test_recipes.compute_elsewhere('fork')"
    done = run([executable, "-c", asked], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_spawned_processes_compute_the_same() -> None:
    compute_elsewhere("spawn")


def compute_elsewhere(method: str) -> None:
    made = matgrad.grad("x.T @ A @ x", "x")
    here = computed(made)
    with get_context(method).Pool(2) as pool:
        found = pool.map(computed, [made] * 3)
        with pytest.raises(matgrad.MatgradError, match="missing input `A`"):
            pool.apply(matgrad.grad("A @ x", "x"), kwds={"x": [1, 2]})
    assert all(np.array_equal(one, here) for one in found)


ERRORS: dict[str, Callable[[], object]] = {
    "shape": lambda: matgrad.grad("A @ x", "x")(A=np.eye(2), x=np.ones(3)),
    "rank": lambda: matgrad.grad("logdet(A)", "A")(A=np.ones((1, 2))),
    "syntax": lambda: matgrad.grad("A @ x +", "x"),
    "name": lambda: matgrad.grad("A @ x", "y"),
    "scalar": lambda: matgrad.grad("A @ x", "x")(A=np.eye(2), x=np.ones(2)),
    "rule": lambda: matgrad.grad("sum(quantile(x, q))", "q").formula,
    "singular": lambda: matgrad.value("inv(A)")(A=np.zeros((2, 2))),
    "large": lambda: matgrad.jacobian("A @ x", "A", max_memory=10)(A=np.eye(2), x=np.ones(2)),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("way", WAYS)
def test_errors_arrive(name: str, way: str) -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        ERRORS[name]()
    error = caught.value
    found = WAYS[way](error)
    assert type(found) is type(error)
    assert (str(found), found.span, found.args) == (str(error), error.span, error.args)
