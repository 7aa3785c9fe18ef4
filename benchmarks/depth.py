"""How the time grows with the depth of a network and with the rows of a factorisation: per layer and per row.

    python benchmarks/depth.py [--layers 10,100,1000] [--width 32] [--rows 100,1000,10000]

The first table is the gradient of `sum(h)` by a weight matrix, where `h = tanh(W @ h)` in each layer, with a matrix of
its own for every layer or one for all. The steps are timed apart: reading the text into a graph, differentiating,
compiling, and a run. The second is the Hessian of `sum((T - U @ V.T)**2)` by U, kept in compact form: its dense form
would grow with the square of the rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import matgrad
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem

Arrays = dict[str, np.ndarray[Any, np.dtype[np.float64]]]
RUNS = 5


def network(layers: int, shared: bool) -> tuple[str, str, list[str]]:
    """Return the text of a network, the weight to differentiate by, and the names of all weights."""
    weights = ["W"] if shared else [f"W{layer}" for layer in range(1, layers + 1)]
    lines = [f"h{layer} = tanh({'W' if shared else f'W{layer}'} @ h{layer - 1})" for layer in range(1, layers + 1)]
    return "; ".join(["h0 = x", *lines, f"sum(h{layers})"]), weights[0], weights


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the time of one call, and its result."""
    started = perf_counter()
    result = call()
    return perf_counter() - started, result


def depth_times(layers: int, width: int, shared: bool) -> dict[str, float]:
    """Return the seconds of each step from the text of a network to the numbers of its gradient."""
    random = np.random.default_rng(0)
    text, weight, weights = network(layers, shared)
    inputs: Arrays = {"x": random.standard_normal(width)}
    inputs |= {name: random.standard_normal((width, width)) / np.sqrt(width) for name in weights}
    shapes = {name: value.shape for name, value in inputs.items()}
    parse, problem = seconds(lambda: Problem.of(text, "grad", (weight,)))
    value = Problem.of(text, "value", program=problem.program)
    read, _kept = seconds(lambda: Calculation(value, shapes))
    both, calculation = seconds(lambda: Calculation(problem, shapes))
    plan, _program = seconds(lambda: calculation.derivative_program)
    run = median(seconds(lambda: calculation.derivative_program.run(inputs))[0] for _ in range(RUNS))
    return {"parse": parse, "graph": read, "differentiate": max(both - read, 0.0), "compile": plan, "run": run}


def print_depths(depths: Sequence[int], width: int) -> None:
    """Print the times by depth, in milliseconds and in microseconds per layer."""
    print(f"gradient of a tanh network of width {width}, by its first weight matrix or the only one; ms (µs per layer)")
    print(f"{'weights':<10}{'layers':>7}", end="")
    print("".join(f"{step:>18}" for step in ("parse", "graph", "differentiate", "compile", "run")))
    depth_times(2, width, shared=False)  # the first one also loads modules
    for shared in (False, True):
        for layers in depths:
            times = depth_times(layers, width, shared)
            print(f"{'one' if shared else 'each':<10}{layers:>7}", end="")
            cells = (f"{time * 1e3:.2f} ({time / layers * 1e6:.0f})" for time in times.values())
            print("".join(f"{cell:>18}" for cell in cells), flush=True)


def print_rows(lengths: Sequence[int]) -> None:
    """Print the time and the memory of a Hessian in compact form, by the rows of the factor."""
    print("\nHessian of sum((T - U @ V.T)**2) by U, compact; T: rows × 200, U: rows × 5")
    print(f"{'rows':>7}{'first call, ms':>16}{'later, ms':>11}{'ns per row':>12}{'numbers kept':>14}{'dense MB':>10}")
    random = np.random.default_rng(0)
    for rows in lengths:
        derivative = matgrad.hessian("sum((T - U @ V.T)**2)", wrt="U")
        inputs = {"T": random.standard_normal((rows, 200)), "U": random.standard_normal((rows, 5))}
        inputs["V"] = random.standard_normal((200, 5))
        call = partial(derivative.structured, **inputs)
        first, result = seconds(call)
        later = median(seconds(call)[0] for _ in range(RUNS))
        dense = (rows * 5) ** 2 * 8 / 1e6
        print(f"{rows:>7}{first * 1e3:>16.2f}{later * 1e3:>11.3f}{later / rows * 1e9:>12.1f}", end="")
        print(f"{result.entries:>14}{dense:>10.0f}", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layers", default="10,100,1000", help="the depths, with commas")
    parser.add_argument("--rows", default="100,1000,10000", help="the rows of the factor, with commas")
    parser.add_argument("--width", type=int, default=32, help="the width of each layer")
    chosen = parser.parse_args()
    print_depths([int(word) for word in chosen.layers.split(",")], chosen.width)
    print_rows([int(word) for word in chosen.rows.split(",")])


if __name__ == "__main__":
    main()
