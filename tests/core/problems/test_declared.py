"""What pasted code says of its inputs, and what it keeps derivatives from."""

from __future__ import annotations

import numpy as np
import pytest

from matgrad.core.errors import ExpressionError
from matgrad.core.problems.answer import Input
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, answer

PASTED = """
import torch

x = torch.tensor([1., 2.], requires_grad=True)  # the point
A = torch.randn(4, 2)
loss = ((A @ x)**2).sum()
loss.backward()
print(x.grad)
"""


def test_pasted_lines_say_what_is_differentiated_and_where() -> None:
    found = answer(Problem.of(PASTED, "grad"), {}, Wishes())
    (result,) = found.results
    A = found.inputs["A"].value
    assert result.wrt == ("x",)
    assert A.shape == (4, 2)
    assert found.inputs["x"].source == "expression"
    np.testing.assert_allclose(result.data, 2 * A.T @ A @ [1.0, 2.0])


def test_what_is_asked_for_goes_before_what_is_pasted() -> None:
    problem = Problem.of(PASTED, "grad", ("A",))
    found = answer(problem, {"x": Input(np.array([3.0, 4.0]), "-v")}, Wishes(declared={"A": (2, 2)}))
    assert found.results[0].wrt == ("A",)
    assert found.inputs["A"].value.shape == (2, 2)
    np.testing.assert_array_equal(found.inputs["x"].value, [3.0, 4.0])


def test_sizes_may_be_named_before() -> None:
    text = "n = 3; m = n + 1; W = np.random.randn(m, n); W @ x"
    found = answer(Problem.of(text, "jacobian", ("x",)), {}, Wishes())
    assert found.inputs["W"].value.shape == (4, 3)


@pytest.mark.parametrize("text", ["sum(x.detach()*x)", "y = 2*x; c = y.detach(); c @ x", "x @ x / norm(x).item()"])
def test_no_derivative_passes_through_what_is_detached(text: str) -> None:
    with pytest.raises(ExpressionError, match="detached"):
        Problem.of(text, "grad", ("x",))
    with pytest.raises(ExpressionError, match="detached"):
        Problem.of(text, "grad") if "c" not in text else Problem.of(text, "grad", ("x",))


def test_what_is_detached_is_a_constant_for_other_names() -> None:
    found = answer(Problem.of("sum(w.detach()*x)", "grad", ("x",)), {}, Wishes())
    np.testing.assert_array_equal(found.results[0].data, found.inputs["w"].value)
    assert answer(Problem.of("norm(x).item()", "grad", ("x",)), {}, Wishes()).results
