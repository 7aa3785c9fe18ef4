"""Sparse derivatives beside SciPy written by hand: compressed form, sparse matrix, product with a vector.

    python benchmarks/sparse_derivatives.py [--rounds N] [--size N]

The Hessian of Rosenbrock's function in n unknowns is tridiagonal. By hand it is three diagonals of NumPy arrays, put
into a `scipy.sparse.csr_array` whose arrays are filled by strided assignments. "written" is that last step alone, from
diagonals that are known. All take turns in every round; a ratio is the median over the rounds of ratios in one round.
JAX is measured beside where it is installed, with one product for each colour of the columns, as libraries for sparse
derivatives compress them; the colours are given to it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from scipy import sparse

import matgrad

Array = np.ndarray[Any, np.dtype[np.float64]]
ROSENBROCK = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"


def diagonals(x: Array) -> tuple[Array, Array]:
    """Return the diagonal of the Hessian, and the one beside it."""
    head = x[:-1]
    diagonal = np.empty(len(x))
    diagonal[:-1] = 1200 * head * head - 400 * x[1:] + 2
    diagonal[-1] = 0
    diagonal[1:] += 200
    return diagonal, -400 * head


def written(diagonal: Array, beside: Array) -> sparse.csr_array:
    """Return the symmetric tridiagonal matrix of two diagonals."""
    n = len(diagonal)
    data, columns = np.empty(3 * n - 2), np.empty(3 * n - 2, np.int32)
    data[::3], data[1::3], data[2::3] = diagonal, beside, beside
    places = np.arange(n, dtype=np.int32)
    columns[::3], columns[1::3], columns[2::3] = places, places[1:], places[:-1]
    begins = 3 * np.arange(n + 1, dtype=np.int32) - 1
    begins[0], begins[-1] = 0, 3 * n - 2
    return sparse.csr_array((data, columns, begins), shape=(n, n))


def coloured(n: int) -> Callable[[Array], sparse.csr_array]:
    """Return the Hessian by JAX, compressed by colours that are known: one product with a vector for each of three."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gradient = jax.grad(lambda x: jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
    seeds = jnp.asarray(np.arange(n) % 3 == np.arange(3)[:, None], dtype=float)
    products = jax.jit(lambda x: jax.vmap(lambda seed: jax.jvp(gradient, (x,), (seed,))[1])(seeds))
    places = np.arange(n)

    def hessian(x: Array) -> sparse.csr_array:
        columns = np.asarray(products(x))
        return written(columns[places % 3, places], columns[places[1:] % 3, places[:-1]])

    return hessian


def times(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the times of calls that take turns."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            started = perf_counter()
            call()
            found[name].append(perf_counter() - started)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--size", type=int, default=10**6)
    chosen = parser.parse_args()
    x, v = np.random.default_rng(0).normal(size=(2, chosen.size))
    hessian, product = matgrad.hessian(ROSENBROCK, wrt="x"), matgrad.hvp(ROSENBROCK, wrt="x")
    compressed, known, by_hand = hessian.structured(x=x), diagonals(x), written(*diagonals(x))
    calls: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "compressed form": (lambda: hessian.structured(x=x), lambda: diagonals(x)),
        "compressed form to sparse": (compressed.tosparse, lambda: written(*known)),
        "sparse matrix": (lambda: hessian.structured(x=x).tosparse(), lambda: written(*diagonals(x))),
        "compressed form times v": (lambda: compressed @ v, lambda: by_hand @ v),
        "hvp": (lambda: product(x=x, tangent=v), lambda: written(*diagonals(x)) @ v),
    }
    difference = abs(compressed.tosparse() - by_hand).max()
    print(f"n = {chosen.size}, {compressed}; largest difference from by hand {difference:.1e}")
    print(f"{'':28}{'matgrad':>10}{'by hand':>10}{'ratio':>8}")
    for name, (own, expert) in calls.items():
        found = times({"own": own, "expert": expert}, chosen.rounds)
        ratio = median(mine / other for mine, other in zip(found["own"], found["expert"], strict=True))
        mine, other = (f"{1e3 * median(found[key]):.1f} ms" for key in ("own", "expert"))
        print(f"{name:28}{mine:>10}{other:>10}{ratio:8.2f}")
    if find_spec("jax") is None:
        print("JAX is left out, it is not installed: pip install 'matgrad[bench]'")
        return
    by_colours = coloured(chosen.size)
    started = perf_counter()
    difference = abs(by_colours(x) - by_hand).max()
    print(f"JAX by colours: {perf_counter() - started:.2f} s the first time, difference {difference:.1e}")
    found = times({"jax": lambda: by_colours(x), "own": lambda: hessian.structured(x=x).tosparse()}, chosen.rounds)
    ratio = median(mine / other for mine, other in zip(found["own"], found["jax"], strict=True))
    print(f"JAX by colours: {1e3 * median(found['jax']):.1f} ms again; matgrad's sparse matrix takes {ratio:.2f} of it")


if __name__ == "__main__":
    main()
