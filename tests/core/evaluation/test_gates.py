"""A branch that is not taken brings neither inf nor nan into derivatives of any order."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import matgrad

# At zeros these and their derivatives are infinite or undefined.
UNDEFINED = (
    "log(x/sum(x))", "x/norm(x)", "x*log(x)/sum(x**2)", "sqrt(x*sum(x))", "sqrt(x)/prod(x)", "(x - 1)/std(x)",
    "logsumexp(log(x))*x", "cumsum(log(x))", "log(cumsum(x))", "x[::-1]/x",
)  # fmt: skip
CHOICES = ("where(x > 1, {}, 0)", "where(x <= 1, 1 + x, {})", "where(x > 1, where(x > 2, {}, 0), x)",
           "where(x[0] > 1, {}, 0)")  # fmt: skip
AROUND = ("sum({})", "logsumexp({})", "norm(1 + {})", "prod(1 + {}*x)")


@pytest.mark.parametrize("inner", UNDEFINED)
def test_a_branch_that_is_not_taken_is_as_if_it_were_a_constant(inner: str) -> None:
    for choice, around in product(CHOICES, AROUND):
        found, right = (matgrad.hessian(around.format(choice.format(branch)), "x")(x=[0, 0]) for branch in (inner, "5"))
        assert np.allclose(found, right, rtol=1e-12, atol=1e-12), (choice, around, found)


@pytest.mark.parametrize("inner", UNDEFINED)
def test_where_the_branch_is_taken_the_derivative_is_that_of_the_branch(inner: str) -> None:
    for choice, around in product(CHOICES, AROUND):
        found, right = (
            matgrad.hessian(around.format(branch), "x")(x=[2.5, 3.5]) for branch in (choice.format(inner), f"({inner})")
        )
        assert np.allclose(found, right, rtol=1e-9, atol=1e-12, equal_nan=True), (choice, around, found)


def test_what_a_taken_branch_brings_is_shown() -> None:
    found = matgrad.hessian("sum(where(x > 1, x**1.5/sum(sqrt(x)), 0))", "x")(x=[2.5, 0])
    assert not np.isfinite(found[:, 1]).any()


def test_no_order_is_high_enough_to_bring_nan() -> None:
    fourth = matgrad.derivative("sum(where(x > 1, log(x/sum(x)), 0))", wrt=("x",) * 4)
    assert not fourth(x=[0, 0]).any()


def test_a_mask_may_lie_the_other_way_round() -> None:
    x, tangent = np.random.default_rng(0).normal(size=(2, 2, 4))
    text = "inv(x @ x.T) @ minimum(log(1 + x**2), x)"
    value = matgrad.value(text)
    change = (value(x=x + 1e-6 * tangent) - value(x=x - 1e-6 * tangent)) / 2e-6
    np.testing.assert_allclose(np.tensordot(matgrad.jacobian(text, "x")(x=x), tangent, 2), change, rtol=1e-6, atol=1e-8)
