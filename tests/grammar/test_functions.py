"""Functions that pasted code defines are written out where they are called."""

from __future__ import annotations

import numpy as np
import pytest

import matgrad
from matgrad.grammar.errors import SyntaxProblem
from matgrad.grammar.parser import parse
from matgrad.grammar.syntax import walk
from matgrad.grammar.writer import write

SIGMOID = "def sigmoid(z): return 1/(1 + np.exp(-z))\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (SIGMOID + "def loss(w):\n    p = sigmoid(X@w)\n    return y @ p", "p = 1/(1 + exp(-(X @ w))); y @ p"),
        ("def s(z): return 1/(1 + exp(-z)); def loss(w): return sum(s(X@w))", "sum(1/(1 + exp(-(X @ w))))"),
        ("def loss(w): return sum(s(X@w))\ndef s(z): return tanh(z)", "sum(tanh(X @ w))"),
        ("f = lambda z: z**2\nsum(f(x))", "sum(x**2)"),
        ("f = lambda z: z@z\nf(A@x)", "z = A @ x; z @ z"),
        ("f = lambda z: z*z; g = lambda z: f(f(z)) + z; sum(g(A@z))",
         "z_2 = A @ z; z_3 = z_2*z_2; sum(z_3*z_3 + z_2)"),
        ("f = lambda x: x@x\ng = lambda x: f(x)**2", "(x @ x)**2"),
        ("def f(x, a=2): return a*x@x\nf(y, a=3) + f(y)", "3*y @ y + 2*y @ y"),
        ("def f(x, a=2):\n    def g(t):\n        return a*t\n    return g(g(x))\nf(y, c) + 1", "c*(c*y) + 1"),
        ("def f(x): return x, x**2\na, b = f(t)\na*b", "a = t; b = t**2; a*b"),
        ("def f(x): return x, x**2\nf(t)[1]", "t**2"),
        ("def twice(g, x): return g(g(x))\ndef h(x): return A@x\ntwice(h, x)", "A @ (A @ x)"),
        ("def f(x):\n    y = A@x\n    y += 1\n    return y@y\ny = B@z\nf(y) + y@y",
         "y = B @ z; y_2 = A @ y; y_2 = y_2 + 1; y_2 @ y_2 + y @ y"),
        ("def h(x): return x@x\nh = jax.jit(h)\nk = torch.compile(h, mode='max')\nk(x)", "x @ x"),
        ("x0 = np.ones(3)\ndef f(x): return x@x\nf(x0)", "x0 = ones(3); x = x0; x @ x"),
        ("def norm(x): return sum(abs(x))\nnorm(x) + np.linalg.norm(x)", "sum(abs(x)) + norm(x)"),
        ("def f(e, x): return e**x", "e**x"),
        ("l = f(x)\ndef f(x): return x@x", "l = x @ x; l"),
        ("def f(x: Tensor, /, *, k: int = 2) -> Tensor:\n    r: Tensor = A @ x\n    return k*r@r",
         "r = A @ x; k*r @ r"),
        ("def f(x):\n    '''The user's (\n    bracket\n    '''\n    assert x.size\n    return x@x\n\n"
         "if __name__ == '__main__':\n    print(f(x))", "x @ x"),
        ("@jax.jit\ndef f(x):\n    return x@x\ng = jax.grad(f)\nprint(g(x0))", "x @ x"),
        (">>> def f(x):\n...     return x@x\n...\n>>> f(x) + 1", "x @ x + 1"),
        ("In [1]: x@x", "x @ x"),
        ("a = b = x + 1; a*b", "a = x + 1; b = a; a*b"),
        ("lam: float = 0.1\nlam*x@x", "lam = 0.1; lam*x @ x"),
        ("torch.manual_seed(0)\nplt.plot(x)\nopt = torch.optim.SGD([w], lr=0.1)\nx@x", "x @ x"),
    ],
)  # fmt: skip
def test_functions_are_written_out(text: str, written: str) -> None:
    program = parse(text)
    assert write(program) == written
    for node in walk(program):
        start, end = node.span
        assert 0 <= start <= end <= len(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@(x) x'*A*x", "dot(dot(x.T, A), x)"),
        ("f = @(x) x'*A*x;\nf(x)", "dot(dot(x.T, A), x)"),
        ("s = @(z) 1./(1+exp(-z)); sum(s(X*w))", "sum(1./(1 + exp(-dot(X, w))))"),
        ("function y = f(x)\n  y = x'*A*x;\nend", "y = dot(dot(x.T, A), x); y"),
        ("function y = f(x) y = x'*x; end", "y = dot(x.T, x); y"),
        ("function y = f(x)\n y = g(x)'*x;\nfunction z = g(x)\n z = A*x;", "z = dot(A, x); y = dot(z.T, x); y"),
        ("function [J, g] = cost(w)\n% the cost (of w\nJ = w'*w; % its value\ng = 2*w;\nend",
         "J = dot(w.T, w); g = 2*w; J"),
        ("[a, b] = f(w); a + sum(b)\nfunction [J, g] = f(w)\nJ = w'*w;\ng = 2*w;\nend",
         "J = dot(w.T, w); g = 2*w; a = J; b = g; a + sum(b)"),
        ("y = A.* ...  the factor\n  B;\ndisp(y)\nsum(y)", "y = A*B; sum(y)"),
    ],
)  # fmt: skip
def test_functions_of_matlab_are_written_out(text: str, written: str) -> None:
    program = parse(text)
    assert write(program) == written
    assert program.syntax == "matlab"


def test_what_functions_say_of_the_inputs_is_kept() -> None:
    text = "w = torch.zeros(2, requires_grad=True)\nX = torch.randn(3, 2)\ndef loss(w, c=2): return c*sum((X@w)**2)"
    program = parse(text)
    assert [write(statement) for statement in program.given] == ["w = zeros(2)", "X = randn(3, 2)", "c = 2"]
    assert program.tracked == ("w",)
    detached = parse("def f(x): return x.detach() @ x\nf(A@z)")
    assert [write(node) for node in detached.detached] == ["x"]


def test_a_name_within_a_function_is_not_the_one_outside() -> None:
    text = "def f(x):\n    y = 2*x\n    return y @ g(x)\ndef g(z): return y*z\nf(x + 1)"
    y, x = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    expected = np.sum(2 * (x + 1) * y * (x + 1))
    assert matgrad.value(text)(x=x, y=y) == pytest.approx(expected)
    assert matgrad.grad(text, wrt="x")(x=x, y=y) == pytest.approx(4 * y * (x + 1))


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return f(x) + 1",
        "f = lambda x: g(x)\ng = lambda x: f(x)\nf(y)",
        "def f(x):\n    if x > 0:\n        return x\n    return -x",
        "def f(x):\n    for i in range(3):\n        x = A@x\n    return x",
        "def f(x):\n    return x\n    return -x",
        "def f(x): return x\nmap(f, x)",
        "def f(x): return x\nf(x, y)",
        "def f(x): return x\nf(y=x)",
        "def f(x): return x\nf(x, x=y)",
        "def f(x, y): return x\nf(x)",
        "def f(x): return x, x\nsum(f(x))",
        "def f(x): y = x",
        "def f(x): return (x",
        "f = lambda w: (lambda z: z@z)(w)",
        "function y = f(x)\n if x > 0\n y = x;\n end\nend",
        "class Net: pass\nx",
    ],
)
def test_what_cannot_be_written_out_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse(text)
    assert caught.value.span is not None
    assert caught.value.helps
