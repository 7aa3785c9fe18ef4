"""Large elementwise steps: the numbers of one call after the other, in any layout, by threads, in reused memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation import large
from matgrad.core.evaluation.kernels import Entrywise, Into
from matgrad.core.evaluation.large import sweep
from matgrad.core.evaluation.large.memory import Memory
from matgrad.core.evaluation.large.sweep import Sweep, SweepStep
from matgrad.core.evaluation.program import Program, compile_program
from matgrad.core.graph.nodes import Node, Symbol

generator = np.random.default_rng(8)
SHAPES = {"X": (300, 400), "Y": (300, 400), "x": (400,), "u": (300, 1), "T": (6, 200, 100), "a": (), "v": (250_000,)}
VALUES = {name: np.asarray(generator.uniform(0.2, 1.5, shape)) for name, shape in SHAPES.items()}
SYMBOLS = {name: Symbol.of(name, shape) for name, shape in SHAPES.items()}


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sweep, "_amount_of_threads", lambda: 3)
    monkeypatch.setattr(sweep, "WORTH_A_THREAD", 1)
    sweep._threads.cache_clear()
    yield
    sweep._threads().shutdown()
    sweep._threads.cache_clear()


def program(*texts: str) -> Program:
    found = [elaborate_text(text, dict(SYMBOLS)) for text in texts]
    nodes = [node for node in found if isinstance(node, Node)]
    assert len(nodes) == len(texts)
    return compile_program(nodes)


def sweeps(compiled: Program) -> list[Sweep]:
    return [step.kernel for step in compiled._steps if isinstance(step.kernel, Sweep)]


EXPRESSIONS = (
    "tanh(X)**2 * exp(-Y) + X",
    "X * u + x * Y",
    "exp(X) / (1 + exp(X)) - sigmoid(Y) * a",
    "where(X > Y, sqrt(X), 0) * Y",
    "softplus(T) * T - T",
    "sin(v) * cos(v) + 3 * v",
    "sum(exp(X) * Y, axis=0) + x",
    "X.T * Y.T + exp(X.T)",
    "exp(outer(x, x)) * outer(sin(x), x)",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_numbers_are_those_of_single_calls(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = program(text)
    assert sweeps(compiled)
    results = [compiled.run(VALUES)[0] for _ in range(3)]
    monkeypatch.setattr(large, "ENABLED", False)
    plain = program(text)
    assert not sweeps(plain)
    for result in results:
        assert_array_equal(result, plain.run(VALUES)[0])
        assert result.flags.writeable


def test_neighbours_are_one_sweep_and_shared_results_stay_in_it() -> None:
    compiled = program("tanh(X)**2 * exp(-tanh(X)) + X")
    assert len(sweeps(compiled)) == 1
    assert len(compiled._steps) == 1


def test_several_results_of_one_sweep() -> None:
    compiled = program("exp(X)", "exp(X) * Y", "sum(exp(X) + Y)")
    first, second, third = compiled.run(VALUES)
    assert_array_equal(first, np.exp(VALUES["X"]))
    assert_array_equal(second, np.exp(VALUES["X"]) * VALUES["Y"])
    assert third == pytest.approx(np.sum(np.exp(VALUES["X"]) + VALUES["Y"]))


@pytest.mark.parametrize("name", ["X", "Y"])
def test_any_memory_order(name: str) -> None:
    compiled = program("exp(X) * Y - X")
    wanted = np.exp(VALUES["X"]) * VALUES["Y"] - VALUES["X"]
    turned = {**VALUES, name: np.asfortranarray(VALUES[name])}
    strided = {**VALUES, name: np.repeat(VALUES[name], 2, axis=1)[:, ::2]}
    for values in (turned, VALUES, strided, turned):
        assert_array_equal(compiled.run(values)[0], wanted)


def test_the_complex_step_passes() -> None:
    compiled = program("exp(X) * Y - X")
    moved = {**VALUES, "X": VALUES["X"] + 1e-30j}
    assert_allclose(compiled.run(moved)[0].imag / 1e-30, np.exp(VALUES["X"]) * VALUES["Y"] - 1, atol=1e-14)


def test_what_is_not_finite_is_silent_in_every_thread() -> None:
    compiled = program("log(X) / Y")
    (result,) = compiled.run({**VALUES, "X": -VALUES["X"], "Y": 0 * VALUES["Y"]})
    assert np.isnan(result).all()


def test_writing_over_an_operand_that_another_one_views_takes_the_safe_way() -> None:
    array = generator.standard_normal((300, 300))
    wanted = array + array.T
    added = Sweep([SweepStep(Into(np.add, 0), (0, 1))], [0], (300, 300), Memory())(array, array.T)
    assert_array_equal(added, wanted)


def test_an_error_in_a_thread_is_raised() -> None:
    def refuse(array: np.ndarray) -> np.ndarray:
        raise ValueError("refused")

    failing = Sweep([SweepStep(Entrywise(refuse), (0,))], [0], (300, 400), Memory())
    with pytest.raises(ValueError, match="refused"):
        failing(VALUES["X"])
