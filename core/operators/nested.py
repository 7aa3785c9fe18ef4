"""Derivatives inside an expression: `trace(grad(norm(X @ X @ Y, 'fro'), X))` can itself be differentiated."""

from __future__ import annotations

from ..differentiation.differentiate import derivative
from ..differentiation.stabilise import stabilized
from ..errors import ExpressionError, NotScalarError
from ..graph.nodes import Node, Symbol
from ..graph.operator import NOWHERE, Operator
from ..shapes import describe


def _variable(node: Node) -> Symbol:
    if isinstance(node, Symbol):
        return node
    raise ExpressionError("a derivative is taken by an input, named by itself", helps=["write the name of an input"])


def _gradient(f: Node, x: Node) -> Node:
    if f.shape:
        raise NotScalarError(
            f"`grad` needs a scalar, and this expression is {describe(f.shape)}",
            helps=["`jacobian(f, x)` gives all partial derivatives", "`grad(sum(f), x)` that of the sum"],
        )
    return _jacobian(f, x)


def _jacobian(f: Node, x: Node) -> Node:
    return derivative(stabilized([f])[0], _variable(x))


def _hessian(f: Node, x: Node) -> Node:
    return derivative(_jacobian(f, x), _variable(x))


ENTRIES = (
    Operator("grad", "f, x", "The gradient of a scalar by an input, of the input's shape.",
             family="derivatives", build=_gradient, aliases=("gradient",), spellings=NOWHERE,
             samples=("grad(sum(x**3), x)", "grad(norm(X @ Y, 'fro'), X)"),
             errors=("grad(x, x)", "grad(sum(x), 2*x)"),
             refused={f"{library}.{name}": "write `grad(f, x)` for the derivative of f by x"
                      for library in ("np", "torch", "jax", "tf") for name in ("grad", "value_and_grad")}),
    Operator("jacobian", "f, x",
             "The generalized Jacobian by an input: the axes of the output, then those of the input.",
             family="derivatives", build=_jacobian, aliases=("jac", "jacfwd", "jacrev"), spellings=NOWHERE,
             samples=("jacobian(sin(x), x)", "jacobian(A @ x, x)"), errors=("jacobian(x, 2*x)",),
             refused={f"{library}.{name}": "write `jacobian(f, x)` for the derivative of f by x"
                      for library in ("torch", "jax") for name in ("jacobian", "jacfwd", "jacrev")}),
    Operator("hessian", "f, x",
             "The second derivative by an input: the axes of the output, then twice those of the input.",
             family="derivatives", build=_hessian, aliases=("hess",), spellings=NOWHERE,
             samples=("hessian(sum(exp(x)), x)", "hessian(x.T @ A @ x, x)"), errors=("hessian(sum(x), x + 1)",),
             refused={f"{library}.hessian": "write `hessian(f, x)`" for library in ("torch", "jax")}),
)
