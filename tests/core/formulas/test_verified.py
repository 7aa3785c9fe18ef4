"""No formula is handed out whose numbers are not those of the derivative."""

from __future__ import annotations

import numpy as np
import pytest

from matgrad.core.formulas import choices, closed_form, verified
from matgrad.core.problems.problem import Problem

PROBLEM = Problem.of("x.T @ A @ x", "grad", ("x",))
SHAPES = {"x": (3,), "A": (3, 3)}


def test_a_formula_has_the_numbers_of_the_derivative() -> None:
    (form,) = verified.closed_forms(PROBLEM, SHAPES)
    assert form.text == "(A + A.T) @ x"


def test_where_no_formula_has_them_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = closed_form.ClosedForm.evaluate
    monkeypatch.setattr(closed_form.ClosedForm, "evaluate", lambda *given: np.add(evaluate(*given), 1))
    with pytest.raises(verified.NoFormula, match="no formula of this derivative was found") as found:
        verified.closed_forms(PROBLEM, SHAPES)
    assert found.value.helps


def test_what_is_too_large_to_be_compared_is_compared_at_smaller_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "LARGEST_COMPARED", 100)
    large = {"x": (300,), "A": (300, 300)}
    (form,) = verified.closed_forms(PROBLEM, large)
    assert form.text == "(A + A.T) @ x"
    evaluate = closed_form.ClosedForm.evaluate
    monkeypatch.setattr(closed_form.ClosedForm, "evaluate", lambda *given: np.add(evaluate(*given), 1))
    with pytest.raises(verified.NoFormula):
        verified.closed_forms(PROBLEM, large)


@pytest.mark.parametrize("text", ["log2(exp(3*s))", "log10(exp(s))*t", "log10(exp(2*s))", "sum(log10(exp(x)))"])
def test_what_cancels_is_zero(text: str) -> None:
    """The numbers are rounding alone, some of which looks the same with other roundings."""
    name = "x" if "(x)" in text else "s"
    shapes = {"s": (), "t": (), "x": (3,)}
    (form,) = verified.closed_forms(
        Problem.of(text, "hessian", (name,)), {one: shapes[one] for one in Problem.of(text, "hessian", (name,)).names}
    )
    assert form.text in ("0", "zeros((n, n))")


def test_where_the_first_is_wrong_the_next_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    generic = choices.generic_forms

    def wrong(*given: object, **options: bool) -> list[closed_form.ClosedForm]:
        return [form._replace(text="A @ x") for form in generic(*given, **options)]  # type: ignore[arg-type]

    monkeypatch.setattr(choices, "generic_forms", wrong)
    (form,) = verified.closed_forms(PROBLEM, SHAPES)
    assert form.of_these_sizes
