"""Settings of functions: what they may be, and ranges whose ends are lengths."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import matgrad
from matgrad.core.elaboration.arguments import declaration
from matgrad.core.elaboration.settings import KINDS
from matgrad.core.errors import ExpressionError, InputError
from matgrad.core.graph.catalogue import operators

# What has a check of its own, where it is used: axes in `normalize_axis`, sizes in `checked_shape`.
AXES = {"axis", "axes", "axis1", "axis2", "source", "destination", "start", "end"}
SIZES = {"shape", "size", "reps", "repetitions", "num", "m", "b", "c", "normalized_shape", "q"}
PARTS = {"indices_or_sections", "split_size", "obj", "pad_width", "pad", "index", "src"}
WINDOWS = {"window_shape", "kernel_size", "output_size", "stride", "padding", "dilation", "output_padding", "sizes"}
INTERNAL = {"message", "help"}


def test_every_setting_is_checked() -> None:
    declared = {name for operator in operators(hidden=True) for name in declaration(operator.parameters).settings}
    assert len(declared) > 20
    assert declared - set(KINDS) - AXES - SIZES - PARTS - WINDOWS == INTERNAL


@pytest.mark.parametrize(
    "text",
    [
        "tril(A, 'a')", "triu(A, (1, 2))", "diag(x, 0.5)", "diag(x, None)", "diagonal(A, inf)", "trace(A, 'fro')",
        "eye(2.5)", "eye('a')", "eye(2, k=None)", "eye(2, k=2**70)", "roll(x, 0.5)", "roll(x, 'a')", "roll(x, None)",
        "roll(A, (1, 0.5), axis=(0, 1))", "matrix_power(A, 0.5)", "matrix_power(A, (1,))", "arange('a')",
        "arange((0, 1))", "arange(inf)", "arange(nan)", "arange(10**30)", "linspace('a', 2)", "linspace(0, 1, 0.5)",
        "linspace(0, 1, 2**70)", "clip(x, (None,))", "clip(x, 'a', 1)", "full(2, 'a')", "full(2, (1, 2, 3))",
        "var(x, ddof='a')", "sum(x, axis=0.5)", "sum(x, axis='a')", "sum(x, axis=(0, 'a'))", "sum(x, keepdims='a')",
        "norm(x, (1, 2))", "norm(x, axis=...)", "stack([x, x], axis=(0, 1))", "concatenate([x, x], axis=(0,))",
        "swapaxes(A, (0, 1), 0)", "reshape(x, 'a')", "reshape(x, (2**70, 0))", "tile(x, 0.5)", "repeat(x, 'a')",
        "tensordot(A, A, 'a')", "tensordot(A, A, (1, 2, 3))", "tensordot(A, A, (0.5, 1))", "einsum(x, x)",
        "expand_dims(x, 0.5)", "squeeze(x, 'a')", "moveaxis(A, 'a', 0)", "transpose(A, (0.5, 1))", "flip(x, 0.5)",
        "x[::0]", "x[0.5]", "x[0.5:]", "x['a']", "x[10**30]", "A[..., ...]", "A.shape[::0]", "A.shape[0.5]",
        "A.shape['a']", "A.shape[5]", "A.shape[0, 1]",
    ],
)  # fmt: skip
def test_what_a_setting_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        matgrad.value(text)(**{name: value for name, value in VALUES.items() if name in text})
    assert str(caught.value)


VALUES = {"x": np.arange(3.0), "A": np.arange(9.0).reshape(3, 3)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("reshape(x, x.shape[::-1])", np.arange(3.0)),
        ("zeros(A.shape[1:])", np.zeros(3)),
        ("zeros(A.shape[:1])", np.zeros(3)),
        ("zeros(A.shape[-1:] + 0)", None),
        ("x[10**30:]", np.zeros(0)),
        ("x[::10**20]", np.zeros(1)),
        ("x[-10**30:10**30]", np.arange(3.0)),
        ("tril(A, 2**40)", VALUES["A"]),
        ("diag(x, k=0)", np.diag(VALUES["x"])),
        ("clip(x, None, 1)", np.array([0.0, 1.0, 1.0])),
        ("linspace(0, 1, 1)", np.zeros(1)),
    ],
)
def test_what_a_setting_may_be(text: str, wanted: np.ndarray | None) -> None:
    given = {name: value for name, value in VALUES.items() if name in text}
    if wanted is None:
        with pytest.raises(matgrad.MatgradError):
            matgrad.value(text)(**given)
        return
    assert_array_equal(matgrad.value(text)(**given), wanted)


RANGES = (
    "arange(0, {n}, 2)", "arange(1, {n}, 3)", "arange({n}, 0, -1)", "arange({n}, 0, -2)", "arange(2*{n}, {n}, -3)",
    "arange(-{n}, {n}, 4)", "arange({n})", "arange(2, {n})", "arange(0, 6, {n})", "arange(0.5, {n})",
    "arange(0, {n}, 0.5)", "linspace(0, {n}, 3)", "linspace({n}, 0.5, 4)", "linspace(0, 1, {n})", "linspace({n}, 3)",
)  # fmt: skip


@pytest.mark.parametrize("length", [2, 3, 5, 6])
@pytest.mark.parametrize("text", RANGES)
def test_ranges_over_lengths_are_those_of_numpy(text: str, length: int) -> None:
    found = matgrad.value(text.format(n="len(x)") + " + 0*sum(x)")(x=np.ones(length))
    wanted = eval(f"np.{text.format(n=length)}", {"np": np})
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1e-13)


@pytest.mark.parametrize("text", ["9" * 400, "9" * 5000, "(2**64)**64", "((2**64)**64)**64", "1e308**2"])
def test_numbers_beyond_all_floats_are_infinite(text: str) -> None:
    assert matgrad.value(text)() == np.inf
    assert (matgrad.jacobian(f"{text} * x", "x")(x=[1.0, 2.0]).diagonal() == np.inf).all()


@pytest.mark.parametrize("text", ["inf/inf", "(-inf)/inf", "0/0"])
def test_quotients_without_a_value_are_nan(text: str) -> None:
    assert np.isnan(matgrad.value(text)())


def test_more_axes_than_numpy_counts_are_refused() -> None:
    with pytest.raises(InputError, match="33 axes"):
        matgrad.value("x + 1")(x=np.ones((1,) * 33))
    with pytest.raises(ExpressionError, match="40 axes"):
        matgrad.jacobian("exp(x)", "x")(x=np.ones((1,) * 20))
