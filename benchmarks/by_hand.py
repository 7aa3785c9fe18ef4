"""matgrad beside the closed form that an expert would write by hand in NumPy, in one process.

    python benchmarks/by_hand.py [--rounds N]

Each workload is computed by both, the results are compared, and the two are timed in turn; the table shows the median
time by hand, and the median over the rounds of the ratio of the two.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np

import matgrad
from matgrad.core.api import Derivative

Arrays = dict[str, np.ndarray]
REPEATS = 5


@dataclass(frozen=True)
class Workload:
    """One derivative, its inputs, and the same by hand."""

    name: str
    derivative: Derivative
    inputs: Arrays
    by_hand: Callable[[], np.ndarray]


def quadratic_form(random: np.random.Generator) -> Workload:
    A, x = random.standard_normal((1000, 1000)), random.standard_normal(1000)
    derivative = matgrad.hessian("x.T @ A @ x", wrt="x")
    return Workload("Hessian of x.T@A@x, n = 1000", derivative, {"A": A, "x": x}, lambda: A + A.T)


def logistic_loss(random: np.random.Generator) -> Workload:
    X, w = random.standard_normal((1000, 500)), random.standard_normal(500) / 20
    y = np.sign(random.standard_normal(1000))

    def by_hand() -> np.ndarray:
        s = 1 / (1 + np.exp(-y * (X @ w)))
        return np.asarray((X.T * (s * (1 - s) * y * y)) @ X)

    derivative = matgrad.hessian("sum(log(1 + exp(-y*(X @ w))))", wrt="w")
    return Workload("Hessian of the logistic loss, 1000×500", derivative, {"X": X, "w": w, "y": y}, by_hand)


def matrix_factorisation(random: np.random.Generator) -> Workload:
    T, U, V = (random.standard_normal(shape) for shape in ((200, 200), (200, 5), (200, 5)))

    def by_hand() -> np.ndarray:
        result, rows = np.zeros((200, 5, 200, 5)), np.arange(200)
        result[rows, :, rows, :] = 2 * V.T @ V
        return result

    derivative = matgrad.hessian("sum((T - U @ V.T)**2)", wrt="U")
    return Workload("Hessian of a factorisation by U, 200×200, k = 5", derivative, {"T": T, "U": U, "V": V}, by_hand)


def matrix_product(random: np.random.Generator) -> Workload:
    A, X, B = (random.standard_normal((40, 40)) for _ in range(3))
    derivative = matgrad.jacobian("A @ X @ B", wrt="X")

    def by_hand() -> np.ndarray:
        return A[:, None, :, None] * B.T[None, :, None, :]

    return Workload("Jacobian of A@X@B by X, 40×40", derivative, {"A": A, "X": X, "B": B}, by_hand)


def seconds(call: Callable[[], object]) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        call()
        times.append(perf_counter() - started)
    return median(times)


def main() -> None:
    """Time every workload and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often the two are timed in turn")
    rounds = parser.parse_args().rounds
    random = np.random.default_rng(0)
    print(f"{'workload':<50}{'by hand':>12}{'ratio':>8}")
    for make in (quadratic_form, logistic_loss, matrix_factorisation, matrix_product):
        work = make(random)

        def run(work: Workload = work) -> np.ndarray:
            return np.asarray(work.derivative(**work.inputs))

        np.testing.assert_allclose(run(), work.by_hand(), rtol=1e-9, atol=1e-9)
        pairs = [(seconds(run), seconds(work.by_hand)) for _ in range(rounds)]
        ratio = median(own / hand for own, hand in pairs)
        print(f"{work.name:<50}{median(hand for _, hand in pairs) * 1e3:>9.2f} ms{ratio:>8.2f}")


if __name__ == "__main__":
    main()
