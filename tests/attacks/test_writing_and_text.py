"""A moment of each attack on what is written."""

from __future__ import annotations

from importlib import import_module

import pytest

ATTACKS = ("strangers_text", "noise", "interrupted_writes")
PARTS = 2


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", ATTACKS)
def test_the_promise_is_kept(name: str, part: int) -> None:
    module = import_module(f"attacks.{name}")
    for seed in range(part, module.INPUTS, PARTS):
        found = module.attack(seed)
        assert found is None, f"{name} {seed}\n{found}"
