"""Formulas in a layout are the matrices of that layout."""

from __future__ import annotations

import json

import numpy as np
import pytest

import matgrad as package
from matgrad.cli.main import run
from matgrad.core.formulas.layouts import laid_out
from matgrad.core.shapes import LAYOUTS

QUESTIONS = [
    ("jacobian", "A @ x", "x"),
    ("grad", "x @ A @ x", "x"),
    ("grad", "trace(A @ X)", "X"),
    ("jacobian", "A @ X", "X"),
    ("jacobian", "A * x[0]", "x"),
    ("jacobian", "x * t", "t"),
    ("grad", "t**2", "t"),
    ("hessian", "x @ A @ x", "x"),
    ("hessian", "exp(x)", "x"),
    ("hessian", "sum(X**3)", "X"),
    ("jvp", "A @ x", "x"),
    ("vjp", "A @ x", "x"),
    ("hvp", "sum(x**3)", "x"),
]
VALUES = {
    "A": np.arange(6.0).reshape(2, 3) - 2.5,
    "x": np.array([1.0, 2, 4]),
    "X": np.array([[1.0, 2], [3, 4], [5, 7]]),
    "t": np.array(1.5),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(("kind", "text", "wrt"), QUESTIONS)
def test_axes_and_formulas_are_those_of_the_data(
    kind: str, text: str, wrt: str, batch: bool, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {name: value for name, value in VALUES.items() if name in package.value(text).problem.names}
    if "A" in values and text in ("x @ A @ x", "A * x[0]"):
        values["A"] = values["A"].T @ values["A"]
    if batch:
        values[wrt] = np.stack([values[wrt], values[wrt] + 1])
    given = [word for name, value in values.items() for word in ("-v", f"{name}={json.dumps(value.tolist())}")]
    options = ["--layout", layout, *(["--batch", wrt] if batch else [])]
    assert run([kind, text, "--wrt", wrt, "--json", *given, *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    (result,) = answer["results"]
    data = np.array(result["data"])
    assert list(data.shape) == result["shape"]
    assert len(result["axes"]) == len(result["shape"])
    assert (result["axes"][:1] == ["sample"]) == batch
    assert result["formula"] is not None
    for place in range(2 if batch else 1):
        own = {name: value[place] if batch and name == wrt else value for name, value in values.items()}
        own |= {name: np.array(size) for name, size in result.get("sizes", {}).items()}
        for word in ("tangent", "cotangent"):
            if f"{word} for {wrt}" in answer["inputs"]:
                direction = np.array(answer["inputs"][f"{word} for {wrt}"]["data"])
                own[word] = direction[place] if batch else direction
        needed = package.value(result["formula"])
        found = needed(**{name: own[name] for name in needed.problem.names})
        np.testing.assert_allclose(found, data[place] if batch else data)


@pytest.mark.parametrize(
    ("groups", "layout", "expected", "wrapped"),
    [
        ([(3,), (4,)], "numerator", "A + B", "C"),
        ([(3,), (4,)], "denominator", "(A + B).T", "C.T"),
        ([(), (4,)], "numerator", "(A + B)[None, :]", "C[None, :]"),
        ([(), (4,)], "denominator", "(A + B)[:, None]", "C[:, None]"),
        ([(), (4,)], "flat", "A + B", "C"),
        ([(), (2, 3)], "flat", "ravel(A + B)", "ravel(C)"),
        ([(2, 3), (3, 2)], "numerator", "reshape(A + B, (6, 6))", "reshape(C, (6, 6))"),
        ([(3,), (4,)], "generalized", "A + B", "C"),
    ],
)
def test_a_formula_is_wrapped(groups: list[tuple[int, ...]], layout: str, expected: str, wrapped: str) -> None:
    assert laid_out("A + B", groups, layout) == expected
    assert laid_out("C = A + B; C", groups, layout) == f"C = A + B; {wrapped}"
