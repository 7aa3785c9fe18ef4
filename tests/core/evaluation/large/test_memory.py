"""Memory is lent: it is used again when nothing refers to it, and never before, however something refers to it."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matgrad.core.elaboration.elaborate import elaborate_text
from matgrad.core.evaluation.large import memory
from matgrad.core.evaluation.large.memory import Memory, gapless
from matgrad.core.evaluation.program import Program, compile_program
from matgrad.core.graph.nodes import Node, Symbol

SHAPE = (300, 200)
STRIDES = gapless(SHAPE)
ENTRIES = SHAPE[0] * SHAPE[1]
generator = np.random.default_rng(3)
VALUES = {name: generator.uniform(0.2, 1.5, SHAPE) for name in "XY"}


def program(text: str) -> Program:
    node = elaborate_text(text, {name: Symbol.of(name, SHAPE) for name in VALUES})
    assert isinstance(node, Node)
    return compile_program([node])


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def is_free(lender: Memory, place: int) -> bool:
    """Whether memory at an address is lent next, now that what was dropped is gone."""
    gc.collect()
    return address(lender.take(SHAPE, STRIDES)) == place


def in_a_cycle(array: np.ndarray) -> list[Any]:
    items: list[Any] = [array]
    items.append(items)
    return items


# Everything by which a program may go on to read an array that it has dropped.
HOLDERS: dict[str, Callable[[np.ndarray], Any]] = {
    "itself": lambda array: array,
    "a slice": lambda array: array[3:, ::2],
    "a slice of a slice": lambda array: array[3:][:, ::2][::-1],
    "a transpose": lambda array: array.T,
    "a row": lambda array: array[5],
    "a reshaped view": lambda array: array.reshape(-1),
    "a diagonal": lambda array: np.diagonal(array),
    "a view of another type": lambda array: array.view(np.int64),
    "a view of a subclass": lambda array: array.view(np.matrix),
    "a broadcast view": lambda array: np.broadcast_to(array, (4, *SHAPE)),
    "asarray": np.asarray,
    "its base": lambda array: array.base,
    "an array of its base": lambda array: np.asarray(array.base),
    "an array of the base of a view": lambda array: np.asarray(array[2:].base)[1:],
    "a memoryview": memoryview,
    "a slice of a memoryview": lambda array: memoryview(array)[2:],
    "an array of a memoryview": lambda array: np.asarray(memoryview(array))[1:],
    "an array of its buffer": lambda array: np.frombuffer(array.data, dtype=np.float64),
    "a flat iterator": lambda array: array.flat,
    "an nditer": lambda array: np.nditer(array),
    "ctypes": lambda array: array.ctypes,
    "dlpack": lambda array: np.from_dlpack(array),
    "a closure": lambda array: lambda: array,
    "a cycle": in_a_cycle,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_whatever_reads_an_array_keeps_its_memory(holder: str) -> None:
    lender = Memory()
    array = lender.take(SHAPE, STRIDES)
    array[...] = 7.0
    place, held = address(array), HOLDERS[holder](array)
    del array
    assert not is_free(lender, place)
    del held
    assert is_free(lender, place)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, np.array, lambda a: pickle.loads(pickle.dumps(a))])
def test_a_copy_is_memory_of_its_own(copied: Callable[[np.ndarray], np.ndarray]) -> None:
    lender = Memory()
    array = lender.take(SHAPE, STRIDES)
    array[...] = np.arange(SHAPE[1])
    place, other, wanted = address(array), copied(array), array.tolist()
    del array
    assert is_free(lender, place)
    lender.take(SHAPE, STRIDES)[...] = 0.0
    assert_array_equal(other, wanted)


def test_an_array_is_writeable_of_the_asked_layout_and_not_its_owner() -> None:
    array = Memory().take((3, 4), gapless((3, 4), (1, 0)))
    assert array.flags.f_contiguous
    assert array.flags.writeable
    assert array.flags.aligned
    assert not array.flags.owndata
    array += 1.0


def test_memory_of_another_size_is_not_taken() -> None:
    lender = Memory()
    place = address(lender.take(SHAPE, STRIDES))
    assert address(lender.take((2, *SHAPE), gapless((2, *SHAPE)))) != place


def test_what_is_held_at_the_next_run_is_not_taken_back() -> None:
    lender = Memory()
    array = lender.take(SHAPE, STRIDES)
    lender.begin()
    del array
    assert lender._free[ENTRIES] == []


def test_scratch_is_used_again() -> None:
    lender = Memory()
    with lender.scratch(2, 100) as first:
        assert not np.may_share_memory(*first)
        places = {address(array) for array in first}
    with lender.scratch(2, 100) as second:
        assert {address(array) for array in second} == places


def test_a_lender_that_is_gone_keeps_nothing() -> None:
    lender = Memory()
    held, dropped = lender.take(SHAPE, STRIDES), lender.take(SHAPE, STRIDES)
    del dropped
    free = lender._free[ENTRIES]
    assert len(free) == 1
    del lender
    gc.collect()
    held[...] = 1.0
    del held
    assert free == []


def test_memory_that_is_free_is_used_again_and_what_someone_holds_is_not() -> None:
    compiled = program("exp(X) * Y")
    kept = compiled.run(VALUES)[0]
    copied = kept.copy()
    view = compiled.run(VALUES)[0][3:, ::2]
    assert not np.may_share_memory(kept, view)
    third = compiled.run({**VALUES, "X": 2 * VALUES["X"]})[0]
    assert not np.may_share_memory(third, kept)
    assert not np.may_share_memory(third, view)
    assert_array_equal(kept, copied)
    assert_array_equal(view, copied[3:, ::2])
    place = address(third)
    del third
    gc.collect()
    assert address(compiled.run(VALUES)[0]) == place


def test_memory_does_not_grow_while_results_are_kept() -> None:
    compiled = program("exp(X) * Y")
    results, free = [], []
    for _ in range(20):
        results.append(compiled.run(VALUES)[0])
        free.append(sum(map(len, compiled._memory._free.values())))
    assert max(free) <= 3  # what each thread needs on the way
    assert len(set(map(address, results))) == 20
    del results
    gc.collect()
    assert sum(map(len, compiled._memory._free.values())) <= 1 + 3


def test_much_memory_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEPT", 1000)
    compiled = program("sum(exp(X) * Y)")
    compiled.run(VALUES)
    assert not any(compiled._memory._free.values())


def test_what_a_caller_writes_into_a_result_stays_with_the_caller() -> None:
    compiled = program("exp(X) * Y")
    wanted = compiled.run(VALUES)[0].copy()
    for _ in range(4):
        result = compiled.run(VALUES)[0]
        assert_array_equal(result, wanted)
        result[...] = np.nan


def test_results_of_many_threads_are_each_their_own() -> None:
    """Each thread keeps some of its results, as views or whole, drops others, and hands some to another thread."""
    compiled = program("exp(X) * Y + X")
    handed: list[tuple[np.ndarray, np.ndarray]] = []
    wrong: list[int] = []

    def work(seed: int) -> None:
        random = Random(seed)
        kept: list[tuple[np.ndarray, np.ndarray]] = []
        for step in range(30):
            values = {**VALUES, "X": VALUES["X"] * (seed + step / 100)}
            result = compiled.run(values)[0]
            wanted = np.exp(values["X"]) * values["Y"] + values["X"]
            rows = slice(random.randrange(9), None, random.randint(1, 3))
            held = random.choice([result, result[rows], result[rows].T, np.asarray(result[1:].base)])
            pair = held, held.copy()
            wrong.extend([step] * (not np.allclose(result, wanted, rtol=1e-13)))
            del result
            if random.randrange(2):
                random.choice([kept, handed]).append(pair)
            if random.randrange(2):
                with suppress(IndexError):  # none is there, or another thread was first
                    kept.append(handed.pop())
            while len(kept) > 5:
                held, copied = kept.pop(random.randrange(5))
                wrong.extend([step] * (not np.array_equal(held, copied)))
        wrong.extend(seed for held, copied in kept if not np.array_equal(held, copied))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert wrong == []


def test_memory_may_be_given_back_while_it_is_taken() -> None:
    """Arrays end in one thread while another one takes, and the lender begins and ends runs beside them."""
    lender, ends = Memory(), threading.Event()
    taken: list[np.ndarray] = []

    def drop() -> None:
        while not ends.is_set():
            if taken:
                taken.pop()
            lender.begin()
            lender.end()

    other = threading.Thread(target=drop)
    other.start()
    try:
        for number in range(2000):
            array = lender.take((64, 64), gapless((64, 64)))
            array[...] = number
            taken.append(array[1:])
            del array
            mine = lender.take((64, 64), gapless((64, 64)))
            mine[...] = -number
            assert (mine == -number).all()
            assert all((one == one[0, 0]).all() for one in taken[-3:])
    finally:
        ends.set()
        other.join()


def test_nothing_counts_references() -> None:
    """What a count of references means differs between builds of Python, and some have none."""
    text = (
        "import sys; del sys.getrefcount\n"
        "import numpy as np, matgrad\n"
        "f = matgrad.value('exp(X)*Y'); X = np.ones((300, 200))\n"
        "kept = [f(X=X*k, Y=X)[::2] for k in range(4)]\n"
        "assert all(np.allclose(one, np.exp(k)) for k, one in enumerate(kept))"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
