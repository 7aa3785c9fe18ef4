"""The workloads of the comparison: one derivative each, at several sizes, in matgrad's language and in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import experts
import numpy as np

import matgrad
from matgrad.core.api import Derivative

Array = np.ndarray[Any, np.dtype[np.float64]]
Arrays = dict[str, Array]
Size = tuple[int, ...]
LAYERS = 10
WEIGHTS = tuple(f"W{layer}" for layer in range(1, LAYERS + 1))
NETWORK = "h0 = x; " + "".join(f"h{i} = tanh({W} @ h{i - 1}); " for i, W in enumerate(WEIGHTS, 1)) + f"sum(h{LAYERS})"
GAUSSIAN = "-0.5*logdet(S) - 0.5*(x - mu) @ inv(S) @ (x - mu)"


@dataclass(frozen=True)
class Workload:
    """One derivative at several sizes.

    - `text`, `kind`, `wrt`, `batch`, `assume`: what matgrad is asked.
    - `inputs`: makes the inputs, by name and in the order of the parameters of `function`.
    - `expert`: the derivative by hand in NumPy.
    - `function`: the expression for the other libraries; its first parameter has their functions as attributes.
    - `structured`: the derivative has a structure, such as zeros or products of smaller arrays, to make use of.
    - `tiny`: the calls cost more than the numbers, so differences in time are shown, and no ratios.
    - `compact`: the result is asked for in the compact form that the structure allows, which the others do not offer.
    """

    name: str
    text: str
    kind: str
    wrt: tuple[str, ...]
    sizes: tuple[Size, ...]
    inputs: Callable[..., Arrays]
    expert: Callable[..., Array | tuple[Array, ...]]
    function: Callable[..., Any]
    structured: bool = False
    batch: tuple[str, ...] = ()
    assume: Mapping[str, str] = field(default_factory=dict)
    tiny: bool = False
    compact: bool = False

    def derivative(self) -> Derivative:
        """Return matgrad's derivative, of which nothing has been compiled yet."""
        make = getattr(matgrad, self.kind)
        result: Derivative = make(self.text, wrt=self.wrt, batch=self.batch, assume=self.assume)
        return result

    def made(self, size: Size) -> Arrays:
        """Return inputs of a size, the same at every call."""
        return self.inputs(np.random.default_rng(0).standard_normal, *size)

    @property
    def orders(self) -> tuple[tuple[str, ...], ...]:
        """The variables of each derivative asked for: two for each Hessian, one for each gradient or Jacobian."""
        if self.kind == "hessian":
            return (self.wrt if len(self.wrt) == 2 else self.wrt * 2,)
        return tuple((name,) for name in self.wrt)


def _quadratic(normal: Any, n: int) -> Arrays:
    return {"A": normal((n, n)), "x": normal(n)}


def _logistic(normal: Any, n: int, m: int) -> Arrays:
    return {"X": normal((n, m)), "w": normal(m) / 20, "y": np.sign(normal(n))}


def _samples(normal: Any, n: int, m: int) -> Arrays:
    return {"x": normal((n, m)), "y": np.sign(normal(n)), "w": normal(m)}


def _factorisation(normal: Any, n: int, k: int) -> Arrays:
    return {"T": normal((n, n)), "U": normal((n, k)), "V": normal((n, k))}


def _vector(normal: Any, n: int) -> Arrays:
    return {"x": normal(n)}


def _matrix(normal: Any, n: int) -> Arrays:
    return {"X": normal((n, n)) + 2 * np.sqrt(n) * np.eye(n)}


def _product(normal: Any, n: int) -> Arrays:
    return {name: normal((n, n)) for name in "AXB"}


def _pair(normal: Any, n: int) -> Arrays:
    return {name: normal((n, n)) for name in "XY"}


def _network(normal: Any, n: int) -> Arrays:
    return {"W1": normal((n, n)) / np.sqrt(n), "W2": normal((n, n)), "x": normal(n)}


def _deep(normal: Any, n: int) -> Arrays:
    return {"x": normal(n), **{W: normal((n, n)) / np.sqrt(n) for W in WEIGHTS}}


def _deep_samples(normal: Any, n: int, m: int) -> Arrays:
    return {"x": normal((n, m)), **{W: normal((n, n)) / np.sqrt(n) for W in WEIGHTS}}


def _deep_rows(normal: Any, n: int, m: int) -> Arrays:
    return {"x": normal((m, n)), **{W: normal((n, n)) / np.sqrt(n) for W in WEIGHTS}}


def _quadratics(normal: Any, n: int, m: int) -> Arrays:
    return {"A": normal((m, m)), "x": normal((n, m))}


def _gaussian(normal: Any, n: int) -> Arrays:
    root = normal((n, n))
    return {"S": root @ root.T / n + np.eye(n), "x": normal(n), "mu": normal(n)}


def _attention(normal: Any, n: int, d: int) -> Arrays:
    return {**{name: normal((n, d)) for name in "QKV"}, "d": np.array(float(d))}


def _quadratic_form(xp: Any, A: Any, x: Any) -> Any:
    return x @ A @ x


def _logistic_loss(xp: Any, X: Any, w: Any, y: Any) -> Any:
    return xp.sum(xp.log1p(xp.exp(-y * (X @ w))))


def _log_likelihood(xp: Any, S: Any, x: Any, mu: Any) -> Any:
    # A factorisation and a solve, and no inverse: what users of these libraries are advised to write.
    return -0.5 * xp.logdet(S) - 0.5 * (x - mu) @ xp.solve(S, x - mu)


def _deep_network(xp: Any, x: Any, *weights: Any) -> Any:
    for W in weights:
        x = xp.tanh(W @ x)
    return xp.sum(x)


def _two_layers(xp: Any, W1: Any, W2: Any, x: Any) -> Any:
    return W2 @ xp.tanh(W1 @ x)


def _attended(xp: Any, Q: Any, K: Any, V: Any, d: Any) -> Any:
    return xp.softmax(Q @ K.T / xp.sqrt(d), 1) @ V


def _ones(*lengths: int) -> tuple[Size, ...]:
    return tuple((length,) for length in lengths)


LOGISTIC = "sum(log(1 + exp(-y*(X @ w))))"
ATTENTION = "softmax(Q @ K.T / sqrt(d), axis=1) @ V"

WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "Hessian of x.T@A@x", "x.T @ A @ x", "hessian", ("x",), _ones(300, 1000),
        _quadratic, experts.quadratic_hessian, _quadratic_form, structured=True,
    ),
    Workload(
        "gradient of the logistic loss", LOGISTIC, "grad", ("w",), ((1000, 100), (5000, 300)),
        _logistic, experts.logistic_gradient, _logistic_loss,
    ),
    Workload(
        "Hessian of the logistic loss", LOGISTIC, "hessian", ("w",), ((1000, 100), (5000, 300)),
        _logistic, experts.logistic_hessian, _logistic_loss, structured=True,
    ),
    Workload(
        "Hessian of a factorisation by U", "sum((T - U @ V.T)**2)", "hessian", ("U",), ((60, 5), (200, 5)),
        _factorisation, experts.factorisation_hessian, lambda xp, T, U, V: xp.sum((T - U @ V.T) ** 2), structured=True,
    ),
    Workload(
        "Jacobian of sin(x)*x", "sin(x)*x", "jacobian", ("x",), _ones(500, 2000),
        _vector, experts.elementwise_jacobian, lambda xp, x: xp.sin(x) * x, structured=True,
    ),
    Workload(
        "Jacobian of sin(x)*x, compact", "sin(x)*x", "jacobian", ("x",), _ones(2000, 100_000),
        _vector, experts.elementwise_diagonal, lambda xp, x: xp.sin(x) * x, structured=True, compact=True,
    ),
    Workload(
        "Jacobian of softmax(x)", "softmax(x)", "jacobian", ("x",), _ones(500, 2000),
        _vector, experts.softmax_jacobian, lambda xp, x: xp.softmax(x, 0), structured=True,
    ),
    Workload(
        "Jacobian of A@X@B by X", "A @ X @ B", "jacobian", ("X",), _ones(32, 64),
        _product, experts.product_jacobian, lambda xp, A, X, B: A @ X @ B, structured=True,
    ),
    Workload(
        "Jacobian of inv(X)", "inv(X)", "jacobian", ("X",), _ones(32, 64),
        _matrix, experts.inverse_jacobian, lambda xp, X: xp.inv(X), structured=True,
    ),
    Workload(
        "Jacobian of W2@tanh(W1@x) by x", "W2 @ tanh(W1 @ x)", "jacobian", ("x",), _ones(400, 800),
        _network, experts.network_jacobian_input, _two_layers,
    ),
    Workload(
        "Jacobian of W2@tanh(W1@x) by W1", "W2 @ tanh(W1 @ x)", "jacobian", ("W1",), _ones(60, 120),
        _network, experts.network_jacobian_weight, _two_layers, structured=True,
    ),
    Workload(
        "gradient of logsumexp(A@x)", "logsumexp(A @ x)", "grad", ("x",), _ones(300, 1000),
        _quadratic, experts.logsumexp_gradient, lambda xp, A, x: xp.logsumexp(A @ x, 0),
    ),
    Workload(
        "Hessian of logsumexp(A@x)", "logsumexp(A @ x)", "hessian", ("x",), _ones(300, 1000),
        _quadratic, experts.logsumexp_hessian, lambda xp, A, x: xp.logsumexp(A @ x, 0), structured=True,
    ),
    Workload(
        "gradient of logdet(X)", "logdet(X)", "grad", ("X",), _ones(16, 40, 300),
        _matrix, experts.logdet_gradient, lambda xp, X: xp.logdet(X),
    ),
    Workload(
        "Hessian of logdet(X)", "logdet(X)", "hessian", ("X",), _ones(16, 40),
        _matrix, experts.logdet_hessian, lambda xp, X: xp.logdet(X), structured=True,
    ),
    Workload(
        "gradient of a Gaussian by mu", GAUSSIAN, "grad", ("mu",), _ones(20, 200),
        _gaussian, experts.gaussian_gradient_mean, _log_likelihood, assume={"S": "spd"},
    ),
    Workload(
        "gradient of a Gaussian by S", GAUSSIAN, "grad", ("S",), _ones(20, 200),
        _gaussian, experts.gaussian_gradient_covariance, _log_likelihood, assume={"S": "spd"},
    ),
    Workload(
        "Hessian of a Gaussian by mu", GAUSSIAN, "hessian", ("mu",), _ones(20, 200),
        _gaussian, experts.gaussian_hessian_mean, _log_likelihood, structured=True, assume={"S": "spd"},
    ),
    Workload(
        "mixed derivative of norm(X@X@Y)", "norm(X @ X @ Y, 'fro')", "hessian", ("X", "Y"), _ones(8, 16, 24),
        _pair, experts.frobenius_mixed, lambda xp, X, Y: xp.norm(X @ X @ Y), structured=True,
    ),
    Workload(
        "per-sample gradients, logistic", "log(1 + exp(-y*(x @ w)))", "grad", ("w",), ((10_000, 20), (100_000, 20)),
        _samples, experts.logistic_samples, lambda xp, x, y, w: xp.log1p(xp.exp(-y * (x @ w))), batch=("x", "y"),
    ),
    Workload(
        "per-sample gradients of x.T@A@x", "x.T @ A @ x", "grad", ("x",), ((10_000, 20), (100_000, 20)),
        _quadratics, experts.quadratic_samples, _quadratic_form, batch=("x",),
    ),
    Workload(
        "gradient of 10 layers, 128 columns", NETWORK, "grad", WEIGHTS, ((64, 128), (256, 128)),
        _deep_samples, experts.deep_gradients_of_columns, _deep_network,
    ),
    Workload(
        "per-sample gradients of 10 layers", NETWORK, "grad", ("x",), ((64, 128), (256, 128)),
        _deep_rows, experts.deep_samples, _deep_network, batch=("x",),
    ),
    Workload(
        "gradient of 10 layers by the first", NETWORK, "grad", ("W1",), _ones(64, 256),
        _deep, experts.deep_gradient, _deep_network,
    ),
    Workload(
        "gradient of 10 layers by all", NETWORK, "grad", WEIGHTS, _ones(64, 256),
        _deep, experts.deep_gradients, _deep_network,
    ),
    Workload(
        "Jacobian of attention by Q", ATTENTION, "jacobian", ("Q",), ((16, 8), (32, 16), (64, 32)),
        _attention, experts.attention_jacobian, _attended, structured=True,
    ),
    Workload(
        "tiny gradient of x.T@A@x", "x.T @ A @ x", "grad", ("x",), _ones(3, 10),
        _quadratic, experts.quadratic_gradient, _quadratic_form, tiny=True,
    ),
    Workload(
        "tiny Hessian of logsumexp(A@x)", "logsumexp(A @ x)", "hessian", ("x",), _ones(3, 10),
        _quadratic, experts.logsumexp_hessian, lambda xp, A, x: xp.logsumexp(A @ x, 0), tiny=True,
    ),
    Workload(
        "tiny Jacobian of exp(x)", "exp(x)", "jacobian", ("x",), _ones(3, 10),
        _vector, experts.exponential_jacobian, lambda xp, x: xp.exp(x), tiny=True,
    ),
)  # fmt: skip
