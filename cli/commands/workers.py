"""Who computes blocks: threads of this process, or the workers of a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from ... import __version__
from ...core.api import Derivative
from ...core.blocks import Run, in_order, one_by_one
from ...core.errors import UsageProblem
from ...core.problems.problem import Problem
from ...grammar.writer import write as written
from .request import Request

# How long a scheduler may take to answer, in seconds.
PATIENCE = 10
# Each worker has a block under way, and one that waits for it.
AHEAD = 2


@contextmanager
def workers(request: Request, needed: int) -> Iterator[Run]:
    """Lend what runs blocks that take so much memory each, in order; half of the limit is theirs."""
    if request.cluster is not None:
        with _cluster(request.cluster, request.limit) as (executor, count):
            yield partial(in_order, executor, AHEAD * count)
        return
    count = max(1, min(_cores(), request.limit // 2 // max(needed, 1)))
    if count == 1:
        yield one_by_one
        return
    with ThreadPoolExecutor(count) as pool:
        yield partial(in_order, pool, AHEAD * count)


def derivative_of(problem: Problem, request: Request) -> Derivative:
    """Return the derivative that a worker makes anew from its recipe."""
    # What was typed in another syntax is written in our own, which is all that a recipe knows.
    text = written(problem.program) if request.syntax else problem.text
    return Derivative(
        text, problem.kind, problem.wrt, assume={name: [*words] for name, words in problem.assumptions.items()},
        batch=problem.batch, reduce=problem.reduce, strict=request.strict, max_memory=request.limit,
        independent_entries=problem.independent_entries,
    )  # fmt: skip


def _cores() -> int:
    """Return how many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@contextmanager
def _cluster(address: str, limit: int) -> Iterator[tuple[Executor, int]]:
    """Lend the workers at an address, or some that are started here for the while."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        helps = ['pip install "matgrad[cluster]"']
        raise UsageProblem("a cluster needs Dask, which is not installed", place="--cluster", helps=helps) from None
    import_module("dask").config.set({"distributed.comm.timeouts.connect": f"{PATIENCE}s"})
    if address != "local":
        with _client(distributed, address, address) as client:
            yield client.get_executor(), _workers_of(client, address)
        return
    with (
        distributed.LocalCluster(
            n_workers=_cores(), threads_per_worker=1, memory_limit=max(limit, 1 << 30), dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        _client(distributed, cluster, address) as client,
    ):  # fmt: skip
        yield client.get_executor(), _workers_of(client, address)


@contextmanager
def _client(distributed: Any, cluster: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(cluster, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as problem:
        reason = str(problem).partition("\n")[0] or "no answer"
        notes = [f"it says: {reason}"]
        raise UsageProblem("no cluster answers", place=f"--cluster {address}", notes=notes) from None
    with client:
        yield client


def _workers_of(client: Any, address: str) -> int:
    """Return how many threads the workers have. Raises UsageProblem where there are none, or not all are like us."""
    place = f"--cluster {address}"
    # Text, because a function of ours would need a matgrad that reads it.
    versions = client.run(eval, "__import__('matgrad').__version__", on_error="return")
    for worker, found in versions.items():
        if found != __version__:
            has = f"has matgrad {found}" if isinstance(found, str) else f"has no matgrad: {found}"
            helps = [f"the same on all: pip install matgrad=={__version__}"]
            raise UsageProblem(f"the worker {worker} {has}", place=place, notes=[f"here is {__version__}"], helps=helps)
    if not versions:
        raise UsageProblem("the cluster has no workers", place=place, helps=[f"dask worker {address}"])
    return sum(client.nthreads().values())
