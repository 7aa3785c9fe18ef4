"""What a size may be that is given as an input."""

from __future__ import annotations

import pytest

import matgrad
from matgrad.core.errors import MatgradError


@pytest.mark.parametrize("text", ["ones(n)*x", "eye(n) @ x", "reshape(x, (n, 1))"])
@pytest.mark.parametrize(
    ("size", "message"),
    [
        ([1, 2], "`n` is an array"),
        ([3], "`n` is an array"),
        ([[1, 2], [3, 4]], "`n` is an array"),
        (2.5, "must be a whole number"),
        (0, ""),
        (4, ""),
    ],
)
def test_a_size_that_is_none_is_refused_with_its_place(text: str, size: object, message: str) -> None:
    with pytest.raises(MatgradError, match=message or None) as caught:
        matgrad.value(text)(n=size, x=[1.0, 2.0, 3.0])
    assert caught.value.span is not None
    if message:
        assert any("n=" in str(help_) for help_ in caught.value.helps)


def test_a_size_that_is_declared_as_an_array_is_refused() -> None:
    with pytest.raises(MatgradError, match="`n`"):
        matgrad.value("ones(n)*x", shapes={"n": (3,)}).formula  # noqa: B018
