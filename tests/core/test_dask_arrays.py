"""Lazy Dask arrays: the numbers of one call, in whatever chunks, and on workers of which one dies."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matgrad
from matgrad.cli.commands import workers
from matgrad.cli.main import run
from matgrad.core.api import Derivative
from matgrad.core.blocks import reduced, running
from matgrad.core.dask_arrays import Rows, Task
from matgrad.core.errors import InputError, UsageProblem

da: Any = pytest.importorskip("dask.array")
TEXT = "log(1 + exp(-y*(x @ w)))"
GENERATOR = np.random.default_rng(0)
X, Y, W = GENERATOR.standard_normal((1003, 4)), np.sign(GENERATOR.standard_normal(1003)), np.arange(4.0)
KINDS = ("value", "grad", "jacobian", "hessian", "jvp", "hvp")


def derivative(kind: str, reduce: str | None = None, **options: Any) -> Derivative:
    return Derivative(TEXT, kind, None if kind == "value" else "w", batch=("x", "y"), reduce=reduce, **options)


def near(lazy: Any) -> Any:
    """Return what a lazy array is, computed without threads or processes."""
    return lazy.compute(scheduler="sync")


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_in_chunks(kind: str, reduce: str | None) -> None:
    asked = derivative(kind, reduce)
    direction = {"tangent": [1.0, 2.0, 0.0, -1.0]} if kind in ("jvp", "hvp") else {}
    lazy = asked.dask(x=da.from_array(X, chunks=(100, 2)), y=da.from_array(Y, chunks=170), w=W, **direction)
    wanted = asked(x=X, y=Y, w=W, **direction)
    assert (lazy.shape, lazy.dtype) == (wanted.shape, np.float64)
    found = near(lazy)
    assert found.shape == wanted.shape
    assert_allclose(found, wanted, rtol=1e-10)


def test_sums_have_the_bits_of_blocks() -> None:
    asked = derivative("hessian", "sum")
    lazy = asked.dask(x=da.from_array(X, chunks=(100, -1)), y=Y, w=W)
    assert np.array_equal(near(lazy), reduced(asked, {"x": X, "y": Y, "w": W}, rows=100)[0])


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    def refuse(block: Any) -> Any:
        raise AssertionError

    x = da.from_array(X, chunks=(100, 4)).map_blocks(refuse, dtype=float, meta=np.empty((0, 0)))
    w = da.from_array(W).map_blocks(refuse, dtype=float, meta=np.empty(0))
    assert derivative("hessian").dask(x=x, y=Y, w=w).shape == (1003, 4, 4)
    assert derivative("hessian", "mean").dask(x=x, y=Y, w=w).shape == (4, 4)
    assert matgrad.jacobian("x @ w", "x").dask(x=x, w=w).shape == (1003, 1003, 4)


def test_several_names_and_names_of_the_batch() -> None:
    x = da.from_array(X, chunks=(300, 4))
    asked = matgrad.grad(TEXT, ("x", "w"), batch=("x", "y"))
    for lazy, wanted in zip(asked.dask(x=x, y=Y, w=W), asked(x=X, y=Y, w=W), strict=True):
        assert_allclose(near(lazy), wanted, rtol=1e-10)


@pytest.mark.parametrize("text", ["softmax(A @ v)", "A @ v", "exp(v)*v[0]"])
def test_rows_of_large_jacobians(text: str) -> None:
    given = {"A": GENERATOR.standard_normal((200, 200)), "v": GENERATOR.standard_normal(200)}
    given = {name: value for name, value in given.items() if name in text.replace("softmax", "")}
    lazy = matgrad.jacobian(text, "v", max_memory=400_000).dask(
        **{name: da.from_array(value, chunks=70) for name, value in given.items()}
    )
    assert lazy.numblocks[0] > 3
    assert_allclose(near(lazy), matgrad.jacobian(text, "v")(**given), atol=1e-12)


def test_tasks_pickle_small() -> None:
    asked = derivative("grad", "sum")
    asked(x=X, y=Y, w=W)
    assert len(pickle.dumps(Task(asked, ("x", "y", "w"), 0, True, running()))) < 700


def refusals() -> dict[str, Any]:
    x, small = da.from_array(X, chunks=(100, 2)), derivative("grad", max_memory=2000)
    return {
        "`x` has chunks along axis 1, and a block needs all of it: 3.12 KiB": lambda: small.dask(x=x, y=Y, w=W),
        "missing input `w`": lambda: small.dask(x=x, y=Y),
        "`z` is not in the expression": lambda: small.dask(x=x, y=Y, w=W, z=1),
        "is not known before it is computed": lambda: small.dask(x=x[x[:, 0] > 0], y=Y, w=W),
        "differ in their number of samples": lambda: small.dask(x=x[:5], y=Y, w=W),
        "is not computed in blocks": lambda: matgrad.grad(TEXT, "x", batch="x,y", reduce="sum").dask(x=x, y=Y, w=W),
    }


@pytest.mark.parametrize("message", refusals())
def test_refusals(message: str) -> None:
    with pytest.raises((InputError, UsageProblem), match=message.replace("(", r"\(")):
        refusals()[message]()


@pytest.mark.parametrize(
    "task", [Task(derivative("grad"), (), 0, False, "0"), Rows(derivative("grad"), (), 0, None, "0")]
)
def test_workers_have_the_same_version(task: Any) -> None:
    with pytest.raises(UsageProblem, match="and matgrad 0 asks it"):
        task()


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dask.array", None)
    with pytest.raises(UsageProblem, match="Dask, which is not installed"):
        derivative("grad").dask(x=X, y=Y, w=W)


# --- a cluster of processes ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of two processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=None, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.mark.timeout(180)
def test_a_worker_that_dies_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    marker, process = str(tmp_path / "died"), os.getpid()

    def deadly(block: Any, block_info: Any = None) -> Any:
        if block_info[0]["chunk-location"][0] == 5 and os.getpid() != process and not os.path.exists(marker):
            with open(marker, "w"):
                os.kill(os.getpid(), signal.SIGKILL)
        return block

    from distributed import Client

    asked, x = derivative("hessian", "mean"), da.from_array(X, chunks=(100, -1))
    with Client(cluster, set_as_default=False) as client:
        lazy = asked.dask(x=x.map_blocks(deadly, dtype=float, meta=np.empty((0, 0))), y=Y, w=W)
        found = client.compute(lazy).result(timeout=120)
    assert os.path.exists(marker)
    assert np.array_equal(found, near(asked.dask(x=x, y=Y, w=W)))


@pytest.mark.timeout(180)
def test_the_command_line_gives_the_same_there(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("y.npy", Y)
    asked = [TEXT, "--wrt", "w", "--batch", "x,y", "-v", "x=@x.npy", "-v", "y=@y.npy", "-v", "w=[0, 1, 2, 3]"]
    asked += ["--max-memory", "60kB"]
    for kind, options in (("grad", ["--reduce", "mean", "-o", "r.npy"]), ("hessian", ["-o", "r.zarr", "--resume"])):
        command = [kind, *asked, *options]
        assert run([*command, "--cluster", cluster.scheduler_address]) == 0
        there = _read(options[-1] if kind == "grad" else "r.zarr")
        assert run(command) == 0
        np.testing.assert_array_equal(_read("r.npy" if kind == "grad" else "r.zarr"), there)
    jacobian = ["jacobian", "softmax(z)", "--shape", "z=60", "--max-memory", "20kB", "-o", "J.npy"]
    assert run([*jacobian, "--cluster", cluster.scheduler_address]) == 0
    there = np.load("J.npy")
    assert run(jacobian) == 0
    np.testing.assert_array_equal(np.load("J.npy"), there)


def _read(path: str) -> Any:
    return np.load(path) if path.endswith(".npy") else pytest.importorskip("zarr").open(path, mode="r")[:]


@pytest.mark.timeout(180)
def test_another_version_there_is_refused(
    cluster: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workers, "__version__", "0.0")
    asked = ["jacobian", "exp(z)", "--shape", "z=5", "-o", "J.npy"]
    assert run([*asked, "--cluster", cluster.scheduler_address]) == 2
    assert f"has matgrad {running()}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cluster", "tcp://127.0.0.1:9", "-o", "J.npy"], "no cluster answers"),
        (["--cluster", "local"], "a cluster computes blocks, and this has none"),
        (["--cluster", "somewhere"], "`somewhere` is not a cluster"),
    ],
)
def test_clusters_that_cannot_be(
    options: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 1)
    assert run(["jacobian", "exp(z)", "--shape", "z=5", *options]) == 2
    assert message in capsys.readouterr().err
