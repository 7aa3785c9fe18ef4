"""Each attack, with a few inputs, and the frame that runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attacks.extreme_magnitudes import INPUTS, survey
from attacks.running import ATTACKS, defect, inputs_in_tests, portions, promise, table

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", ATTACKS)
def test_the_promise_is_kept(name: str, part: int) -> None:
    for seed in range(part, inputs_in_tests(name), PARTS):
        found = defect(name, seed)
        assert found is None, f"{name} {seed}\n{found}"


def test_most_points_of_extreme_magnitude_are_vouched_for() -> None:
    outcomes = survey(range(INPUTS))
    assert outcomes["vouched for"] > 0.4 * INPUTS, outcomes


def test_every_attack_is_listed() -> None:
    modules = {path.stem for path in Path(__file__).parent.glob("*.py") if "def attack(" in path.read_text("utf-8")}
    assert modules - {"test_attacks", "running"} == set(ATTACKS)
    assert all(map(promise, ATTACKS))


def test_inputs_are_shared_among_the_attacks() -> None:
    shares, turns = portions(ATTACKS, 1000, 7)
    tried = [(name, seed) for name, seeds in turns for seed in seeds]
    assert len(tried) == len(set(tried)) == sum(shares.values()) >= 1000
    assert min(seed for _, seed in tried) == 7


def test_the_table_ends_with_the_counts() -> None:
    shown = table({ATTACKS[0]: 40}, {ATTACKS[0]: 2})
    assert shown.splitlines()[-1] == "40 inputs, 2 defects"


def test_what_an_attack_finds_what_it_raises_and_that_it_hangs_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In processes of their own, one of which dies."""
    attack = """
        import os, signal
        PROMISE, INPUTS = "none", 1
        def attack(seed):
            if seed == 1:
                return "wrong"
            if seed == 2:
                raise ValueError("raised")
            if seed == 3:
                os._exit(9)
            if seed == 4 and hasattr(signal, "SIGPROF"):
                signal.raise_signal(signal.SIGPROF)
    """
    (tmp_path / "attacks").mkdir()
    lines = [line.removeprefix(" " * 8) for line in attack.splitlines()]
    (tmp_path / "attacks" / "broken.py").write_text("\n".join(lines), encoding="utf-8")
    folders = [str(tmp_path), str(Path(__file__).parents[1]), *filter(None, sys.path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    command = [sys.executable, "-m", "attacks", "--only", "broken", "--inputs", "10", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for told in ("broken 1\nwrong", "ValueError: raised", "ended with status 9", "more than 10 seconds"):
        assert told in done.stdout, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "10 inputs, 4 defects"
