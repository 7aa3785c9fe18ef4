"""Sums over many samples, and Jacobians larger than memory, beside what one would write by hand.

    python benchmarks/scale.py --samples 1e7 --entries 1e8

The samples are made on the fly: block after block is a view of an array that is too large for a cache, so that they are
read at the speed of memory. BLAS has one thread. The ways take turns, and a row shows the median of the seconds, and of
the ratios to NumPy by hand in the same blocks. Before that the Jacobian of `x[1:]*x[:-1]` is written to a zarr array,
once in one go, and once by a run that is killed and resumed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from matgrad import grad
from matgrad.core.arrays import Array
from matgrad.core.blocks import in_order, one_by_one, reduced, rows_for

Way = Callable[[], Array]
WIDTH = 20
TEXT = "log(1 + exp(-y*(x @ w)))"
LIMIT = 1 << 30
# So many blocks are larger than any cache.
DISTINCT = 16
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")


class Made:
    """Samples without end, read as views of a few blocks of them; the last block may be shorter."""

    grain = 1

    def __init__(self, blocks: Array, samples: int) -> None:
        self.blocks, self.shape = blocks, (samples, *blocks.shape[1:])

    def __getitem__(self, place: slice) -> Array:
        start = place.start % len(self.blocks)
        found: Array = self.blocks[start : start + place.stop - place.start]
        assert len(found) == place.stop - place.start
        return found


def by_hand(x: Made, y: Made, w: Array, rows: int) -> Array:
    """Return the gradient as one would write it, block by block."""
    total = np.zeros(len(w))
    for start in range(0, x.shape[0], rows):
        place = slice(start, min(start + rows, x.shape[0]))
        own, sign = x[place], y[place]
        total += own.T @ (-sign / (1 + np.exp(sign * (own @ w))))
    return total


def by_dask(x: Made, y: Made, w: Array, rows: int, workers: int) -> Array:
    """Return the gradient as one would write it with Dask, whose threads compute its chunks."""
    import dask.array as da

    def chunks(made: Made) -> Any:
        size = len(made.blocks)
        whole = [da.from_array(made.blocks, chunks=(rows, *made.blocks.shape[1:]), name=False)
                 for _ in range(-(-made.shape[0] // size))]  # fmt: skip
        return da.concatenate(whole)[: made.shape[0]]

    own, sign = chunks(x), chunks(y)
    lazy = own.T @ (-sign / (1 + da.exp(sign * (own @ w))))
    found: Array = lazy.compute(scheduler="threads", num_workers=workers)
    return found


def samples_of(count: int) -> tuple[Made, Made, Array, int]:
    """Return samples, labels, weights, and how many samples a block has."""
    generator = np.random.default_rng(0)
    w = generator.standard_normal(WIDTH)
    one, label = np.broadcast_to(1.0, (count, WIDTH)), np.broadcast_to(1.0, count)
    rows, _ = rows_for(gradient(), {"x": one, "y": label, "w": w}, LIMIT)
    size = min(DISTINCT * rows, -(-count // rows) * rows)
    x, y = generator.standard_normal((size, WIDTH)), np.sign(generator.standard_normal(size))
    return Made(x, count), Made(y, count), w, rows


def gradient() -> Any:
    """Return the derivative whose sum is measured."""
    return grad(TEXT, "w", batch=("x", "y"), reduce="sum", max_memory=LIMIT)


def sums(count: int, rounds: int) -> None:
    """Print how long the ways to the gradient of a sum take."""
    x, y, w, rows = samples_of(count)
    d, given, pool = gradient(), {"x": x, "y": y, "w": w}, ThreadPoolExecutor(2)
    ways: dict[str, Way] = {
        "NumPy by hand, in blocks": lambda: by_hand(x, y, w, rows),
        "matgrad, 1 worker": lambda: reduced(d, given, rows=rows, run=one_by_one)[0],
        "matgrad, 2 workers": lambda: reduced(d, given, rows=rows, run=partial(in_order, pool, 4))[0],
    }
    wanted = by_hand(x, y, w, rows)
    print(f"{count:.3g} samples x {WIDTH}, blocks of {rows}, {-(-count // rows)} blocks")
    base = compared(ways, wanted, rounds, [])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  memory, the {x.blocks.nbytes / 2**20:.0f} MiB that samples are made of included: {peak / 2**10:.0f} MiB")
    if find_spec("dask"):
        compared({"Dask by hand, 2 threads": lambda: by_dask(x, y, w, rows, 2)}, wanted, rounds, base)


def compared(ways: dict[str, Way], wanted: Array, rounds: int, base: list[float]) -> list[float]:
    """Print the medians of some ways, which take turns; return the seconds of the first."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begin = time.perf_counter()
            found = way()
            seconds[name].append(time.perf_counter() - begin)
            np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-8 * np.abs(wanted).max())
    first = base or next(iter(seconds.values()))
    for name, own in seconds.items():
        ratio = median(one / other for one, other in zip(own, first, strict=True))
        print(f"  {name:28}{median(own):9.2f} s {ratio:7.2f} x")
    return first


# --- a Jacobian larger than memory -----------------------------------------------------------------------------------


def asked(size: int, output: str) -> list[str]:
    """Return the command that writes a Jacobian."""
    expression = ["jacobian", "x[1:]*x[:-1]", "--wrt", "x", "--shape", f"x={size}"]
    return [sys.executable, "-m", "matgrad", *expression, "-o", output]


def contents(folder: str) -> dict[str, bytes]:
    """Return the files of a zarr array."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def jacobians(entries: int) -> None:
    """Print how long a Jacobian takes to its file, and whether a run that is killed comes to the same."""
    size = round(entries**0.5)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        begin = time.perf_counter()
        subprocess.run(asked(size, "whole.zarr"), check=True)
        passed = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        files = contents("whole.zarr")
        written = sum(map(len, files.values()))
        print(f"a Jacobian of {size:,} x {size:,} entries, {8 * size**2 / 2**30:.1f} GiB if it were dense")
        print(
            f"  {passed:.1f} s, {written / 2**20:.2f} MiB on disk in {len(files)} files, {peak / 2**10:.0f} MiB memory"
        )
        process = subprocess.Popen([*asked(size, "killed.zarr"), "--resume"])
        journal = Path("killed.zarr.part/finished")
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > 10):
            time.sleep(0.001)
        process.kill()
        process.wait()
        done = len(journal.read_text().split()) if journal.exists() else None
        assert done is None or not Path("killed.zarr").exists()
        begin = time.perf_counter()
        subprocess.run([*asked(size, "killed.zarr"), "--resume"], check=True)
        said = "not killed in time" if done is None else f"killed after {done} chunks"
        equal = contents("killed.zarr") == files
        print(f"  {said}, resumed in {time.perf_counter() - begin:.1f} s: {'equal' if equal else 'DIFFERENT'}")
        os.chdir("/")
    print()


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=float, default=1e7)
    parser.add_argument("--entries", type=float, default=1e8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not os.environ.keys() & ONE_THREAD.keys():  # BLAS asks once, when it is loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    # First, because a process begins with the memory that its parent has held.
    jacobians(int(options.entries))
    sums(int(options.samples), options.rounds)


if __name__ == "__main__":
    main()
