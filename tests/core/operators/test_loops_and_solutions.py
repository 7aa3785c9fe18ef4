"""Loops and solutions: what takes a function, beside the loop written out and the equation differentiated."""

from __future__ import annotations

import numpy as np
import pytest

import matgrad
from matgrad.core.errors import EvaluationError
from matgrad.core.graph.nodes import Apply, topological
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.problem import Problem

RNG = np.random.default_rng(5)
VALUES = {
    "W": RNG.normal(size=(3, 3)), "U": RNG.normal(size=(3, 2)), "h0": RNG.normal(size=3), "X": RNG.normal(size=(3, 2)),
    "c": RNG.normal(size=3), "s0": np.array(0.3), "t": RNG.normal(size=3), "H0": RNG.normal(size=(3, 3)),
}  # fmt: skip
ALIKE = [
    ("scan(tanh(W @ h + U @ x), h0, X)",
     "a = tanh(W @ h0 + U @ X[0]); b = tanh(W @ a + U @ X[1]); tanh(W @ b + U @ X[2])"),
    ("states(lambda h, x: tanh(W @ h + U @ x), h0, X)",
     "a = tanh(W @ h0 + U @ X[0]); b = tanh(W @ a + U @ X[1]); stack([h0, a, b, tanh(W @ b + U @ X[2])])"),
    ("fori(2, sin(W @ h), h0)", "sin(W @ sin(W @ h0))"),
    ("fori(1, 3, lambda i, h: h*exp(i*c), h0)", "h0*exp(c)*exp(2*c)"),
    ("jax.lax.fori_loop(0, 2, lambda i, h: sin(W @ h), h0)", "sin(W @ sin(W @ h0))"),
    ("h, ys = jax.lax.scan(lambda h, x: (W @ h, h * (U @ x)), h0, X); ys",
     "stack([h0*(U @ X[0]), (W @ h0)*(U @ X[1]), (W @ W @ h0)*(U @ X[2])])"),
    ("scan(lambda s, t: s*(1 - s)*2 + t, s0, t)",
     "a = s0*(1 - s0)*2 + t[0]; b = a*(1 - a)*2 + t[1]; b*(1 - b)*2 + t[2]"),
    ("scan(lambda H, t: sin(W @ H)*t, H0, t)", "sin(W @ (sin(W @ (sin(W @ H0)*t[0]))*t[1]))*t[2]"),
    ("scan(lambda h, x, k: W @ h + U @ x * k, h0, X, t)",
     "W @ (W @ (W @ h0 + U @ X[0] * t[0]) + U @ X[1] * t[1]) + U @ X[2] * t[2]"),
    ("scan(lambda h, x: fori(2, lambda i, z: tanh(W @ z + h), h), h0, X)",
     "a = tanh(W @ tanh(W @ h0 + h0) + h0); b = tanh(W @ tanh(W @ a + a) + a); tanh(W @ tanh(W @ b + b) + b)"),
    ("fori(2, h - 0.1*grad(norm(W @ h - c)**2, h), h0)",
     "a = h0 - 0.2*W.T @ (W @ h0 - c); a - 0.2*W.T @ (W @ a - c)"),
]  # fmt: skip


def close(one: object, other: object, tolerance: float = 1e-11) -> bool:
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance))


@pytest.mark.parametrize(("loop", "written_out"), ALIKE)
def test_a_loop_is_what_it_is_written_out(loop: str, written_out: str) -> None:
    texts = (loop, written_out)
    first, second = ({name: VALUES[name] for name in Problem.of(text, "value").names} for text in texts)
    assert close(matgrad.value(loop)(**first), matgrad.value(written_out)(**second))
    for name in first.keys() & second.keys():
        for wrt in ((name,), (name, name)):
            one, other = (matgrad.derivative(text, wrt=wrt) for text in texts)
            assert close(one(**first), other(**second), tolerance=1e-9), wrt


@pytest.mark.parametrize("kind", ["grad", "hessian"])
def test_a_loop_stays_one_node(kind: str) -> None:
    problem = Problem.of("sum(scan(tanh(W @ h + U @ x), h0, X))", kind, ("W",))
    sizes = set()
    for steps in (5, 500):
        calculation = Calculation(problem, {"W": (3, 3), "U": (3, 2), "h0": (3,), "X": (steps, 2)})
        nodes = topological([calculation.output, *(node for _, node in calculation.results)])
        assert sum(isinstance(node, Apply) and node.operator.name == "states" for node in nodes) == 1
        sizes.add(len(nodes))
    assert len(sizes) == 1


def test_a_batch_of_loops_is_loops_one_by_one() -> None:
    text = "sum(scan(tanh(W @ h + U @ x), h0, X)**2)"
    many = RNG.normal(size=(4, 3, 2))
    rest = {name: VALUES[name] for name in ("W", "U", "h0")}
    whole = matgrad.grad(text, wrt="W", batch=("X",))(X=many, **rest)
    assert close(whole, [matgrad.grad(text, wrt="W")(X=one, **rest) for one in many])


SOLVED = [
    ("argmin(norm(W @ x - c)**2 + s*norm(x)**2, x)", "solve(W.T @ W + s*eye(3), W.T @ c)"),
    ("x = argmin(x @ (W @ W.T + eye(3)) @ x / 2 - c @ x, x); x", "solve(W @ W.T + eye(3), c)"),
    ("root(W @ x - c, x)", "solve(W, c)"),
    ("root(lambda z: exp(z) - s, k)", "log(s)"),
    ("root(z**3 - s, z)", "s**(1/3)"),
    ("argmin(sum(exp(x) - (1 + c**2)*x), x)", "log(1 + c**2)"),
    ("qp(W @ W.T + eye(3), c, reshape(d, (1, 3)), reshape(s, (1,)))",
     "P = inv(W @ W.T + eye(3)); P @ (d*(s + d @ P @ c)/(d @ P @ d) - c)"),
]  # fmt: skip
POINT = {
    "W": VALUES["W"], "c": VALUES["c"], "s": np.array(0.7), "x": np.zeros(3), "k": np.array(0.1), "z": np.array(1.0),
    "d": RNG.normal(size=3),
}  # fmt: skip


@pytest.mark.parametrize(("solution", "formula"), SOLVED)
def test_a_solution_has_the_derivatives_of_its_closed_form(solution: str, formula: str) -> None:
    def at(text: str, kind: str, wrt: tuple[str, ...]) -> np.ndarray:
        own = {name: POINT[name] for name in Problem.of(text, "value").names}
        asked = {"wrt": wrt} if wrt else {}
        return np.asarray(getattr(matgrad, kind)(text, **asked)(**own))

    assert close(at(solution, "value", ()), at(formula, "value", ()), 1e-10)
    for name in Problem.of(formula, "value").names:
        assert close(at(solution, "jacobian", (name,)), at(formula, "jacobian", (name,)), 1e-9), name
        assert close(at(solution, "derivative", (name,) * 2), at(formula, "derivative", (name,) * 2), 1e-7), name


def test_the_start_does_not_move_the_solution() -> None:
    assert (
        matgrad.grad("sum(root(W @ x - c, x))", wrt="x")(W=VALUES["W"], c=VALUES["c"], x=np.ones(3)).tolist() == [0] * 3
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("root(x**2 + 1, x)", "finds none from this start: the residual is 1"),
        ("argmin(-x**2, x)", "finds none from this start"),
        ("argmin(x**2*(x - 3), x)", "finds none|no minimum"),
    ],
)
def test_what_is_no_solution_is_refused(text: str, message: str) -> None:
    start = -1.0 if "- 3)" in text else 1.0
    with pytest.raises(EvaluationError, match=message):
        matgrad.value(text)(x=start)


def test_a_saddle_is_no_minimum() -> None:
    with pytest.raises(EvaluationError, match="smallest eigenvalue of the Hessian is -2"):
        matgrad.value("argmin(x[0]**2 - x[1]**2, x)")(x=[0.0, 0.0])
