"""Python as people paste it: what is no mathematics is left out, and what it says of the inputs is kept."""

from __future__ import annotations

import pytest

from matgrad.grammar.errors import SyntaxProblem
from matgrad.grammar.parser import parse
from matgrad.grammar.syntax import walk
from matgrad.grammar.writer import write


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("lambda x, A: x.T @ A @ x", "x.T @ A @ x"),
        ("f = lambda x: sum(x[1:]**2)", "sum(x[1:]**2)"),
        ("lambda *args: x", "x"),
        ("def f(x): return x @ x", "x @ x"),
        ("def f(x: Tensor, A: Tensor) -> Tensor:\n    y = A @ x\n    return y @ y", "y = A @ x; y @ y"),
        ('def loss(w):\n    """The loss."""\n    r = X @ w - y  # residual\n    return r @ r', "r = X @ w - y; r @ r"),
        ("@jax.jit\ndef f(x):\n    return jnp.sum(x)", "sum(x)"),
        ("import numpy as np\nfrom numpy.linalg import inv\ninv(A) @ b", "inv(A) @ b"),
        (">>> y = A @ x\n>>> y @ y", "y = A @ x; y @ y"),
        ("print(norm(x))", "norm(x)"),
        ("y = x**2\nprint(y, f'the value {y}')\nsum(y)", "y = x**2; sum(y)"),
        ("loss = x @ x\nloss.backward()\nprint(x.grad)", "loss = x @ x; loss"),
        ("loss = x @ x; loss.backward(retain_graph=True); x.grad", "loss = x @ x; loss"),
        ("optimizer.zero_grad()\nloss = x @ x\nloss.backward()\noptimizer.step()", "loss = x @ x; loss"),
        ("(A @ x).sum().backward()", "sum(A @ x)"),
        ("np.array([1, 2]) @ x", "[1, 2] @ x"),
        ("torch.tensor([[1., 2.]], dtype=torch.float64, device='cpu') @ x", "[[1., 2.]] @ x"),
        ("np.array([1, 2], dtype=int) @ x.astype(float)", "[1, 2] @ x"),
        ("x.clone().double().sum()", "sum(x)"),
        ("lambda*norm(x)**2 + lambda", "lambda*norm(x)**2 + lambda"),
        ("lambda * x[:, 0]", "lambda*x[:, 0]"),
        ("print*x + importance", "print*x + importance"),
    ],
)
def test_what_is_no_mathematics_is_left_out(text: str, written: str) -> None:
    program = parse(text)
    assert write(program) == written
    for node in walk(program):
        start, end = node.span
        assert 0 <= start <= end <= len(text)


@pytest.mark.parametrize(
    ("text", "given", "tracked"),
    [
        ("x = torch.tensor([1., 2.], requires_grad=True); (x @ x).backward()", ["x = [1., 2.]"], ["x"]),
        ("x = torch.ones(3, requires_grad=True)\nx @ x", ["x = ones(3)"], ["x"]),
        ("x = np.array([1, 2])\nx.requires_grad_()\nx @ x", ["x = [1, 2]"], ["x"]),
        ("x = torch.ones(2)\nx.requires_grad = True\nx @ x", ["x = ones(2)"], ["x"]),
        ("w = nn.Parameter(torch.randn(4)); w @ w", ["w = randn(4)"], ["w"]),
        ("A = np.random.randn(3, 2); A @ x", ["A = randn(3, 2)"], []),
        ("A = np.array([[1, 2]]); A @ x", [], []),
        ("def f(x, lam=0.1, k: int = 2): return lam*x**k", ["lam = 0.1", "k = 2"], []),
        ("lambda x, c=3: c*x", ["c = 3"], []),
    ],
)
def test_what_it_says_of_the_inputs_is_kept(text: str, given: list[str], tracked: list[str]) -> None:
    program = parse(text)
    assert [write(statement) for statement in program.given] == given
    assert list(program.tracked) == tracked


@pytest.mark.parametrize("text", ["x.detach() @ y", "jax.lax.stop_gradient(x) @ y", "x.clone().detach() @ y"])
def test_what_is_detached_is_known(text: str) -> None:
    program = parse(text)
    assert write(program) == "x @ y"
    assert [write(node) for node in program.detached] == ["x"]


@pytest.mark.parametrize("text", ["import numpy", "def f(x)", "def f(x):", "lambda x:", "print()", "x.backward() + "])
def test_what_is_left_must_be_an_expression(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse(text)
