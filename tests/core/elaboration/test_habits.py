"""How names without a shape are read: each row with the number of axes of its names, under the reason for it."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pytest
from counting import calls_of

import matgrad
from matgrad.cli.main import run
from matgrad.core.elaboration.entries import StaticNameError
from matgrad.core.elaboration.habits import read
from matgrad.core.elaboration.inference import solve_lengths
from matgrad.core.problems.problem import Problem
from matgrad.grammar.parser import parse

READINGS: dict[str, dict[str, str]] = {
    "What an expression demands": {
        "A @ x": "A:2 x:1",
        "x.T @ A @ x": "x:1 A:2",
        "A @ X @ B": "A:2 X:2 B:2",
        "trace(A @ B)": "A:2 B:2",
        "inv(A) @ b": "A:2 b:1",
        "solve(A, b)": "A:2 b:1",
        "logdet(X.T @ X)": "X:2",
        "einsum('ij,j,i', P, q, r)": "P:2 q:1 r:1",
        "einsum('bij,jk->bik', A, B)": "A:3 B:2",
        "x[3] + x[5]": "x:1",
        "X[0, 1]": "X:2",
        "W[:, None, :] - W[None, :, :]": "W:2",
        "softmax(z)[k]": "z:1 k:0",
        "X[i, j]": "X:2 i:0 j:0",
        "log_softmax(X @ W, axis=1)[arange(n), y]": "X:2 W:2 n:0 y:1",
        "Z = X @ W; logsumexp(Z, axis=1) - Z[arange(len(y)), y]": "X:2 W:2 y:1",
        "X[[0, 1, 2], y] @ b": "X:2 y:1 b:1",
        "eye(n) + A": "n:0 A:2",
        "reshape(A, (n, m))": "A:2 n:0 m:0",
        "zeros(n - 1) + x": "n:0 x:1",
        "diag(x) @ A": "x:1 A:2",
        "outer(x, y) @ z": "x:1 y:1 z:1",
        "kron(A, B) @ v": "A:2 B:2 v:1",
        "cholesky(K) @ z": "K:2 z:1",
        "eigvalsh(A0 + t*A1)[-1]": "A0:2 t:0 A1:2",
        "svd(X)[1][0]": "X:2",
        "nu @ (A @ x - b)": "nu:1 A:2 x:1 b:1",
        "sum(X, axis=1) @ w": "X:2 w:1",
        "norm(X @ X @ Y, 'fro')": "X:2 Y:2",
        "A + outer(x, y)": "A:2 x:1 y:1",
        "concatenate([x, y]) @ z": "x:1 y:1 z:1",
        "stack([x, y]) @ z": "x:1 y:1 z:1",
        "cross(a, b)": "a:1 b:1",
        "h = tanh(W1 @ x + b1); w2 @ h": "W1:2 x:1 b1:1 w2:1",
    },
    "Names that meet only each other share a shape": {
        "a*b": "a:1 b:1",
        "p*log(p/q)": "p:1 q:1",
        "x": "x:1",
        "A": "A:2",
        "x**2": "x:1",
        "sin(x)*x": "x:1",
        "exp(x + y)": "x:1 y:1",
        "x/y": "x:1 y:1",
        "A*B": "A:2 B:2",
        "where(x > 0, x, y)": "x:1 y:1",
    },
    "Upper case is a matrix, lower case a vector": {
        "A @ x + b": "A:2 x:1 b:1",
        "X @ W + b": "X:2 W:2 b:1",
        "A @ x - b": "A:2 x:1 b:1",
        "softmax(W @ x + b)": "W:2 x:1 b:1",
        "relu(W @ x + b)": "W:2 x:1 b:1",
        "norm(A @ x - b)**2": "A:2 x:1 b:1",
        "X - Y": "X:2 Y:2",
        "mu @ w/sqrt(w @ S @ w)": "mu:1 w:1 S:2",
        "sum((T - U @ V.T)**2)": "T:2 U:2 V:2",
        "trace(W.T @ A @ W)/trace(W.T @ B @ W)": "W:2 A:2 B:2",
        "x.T @ A @ y": "x:1 A:2 y:1",
        "sum(softplus(X @ w)) - y @ (X @ w)": "X:2 w:1 y:1",
    },
    "What is reduced has axes": {
        "norm(x - y)": "x:1 y:1",
        "sum(x)": "x:1",
        "x - mean(x)": "x:1",
        "x/norm(x)": "x:1",
        "x/norm(x - y)": "x:1 y:1",
        "(x - mean(x))/std(x)": "x:1",
        "log(sum(exp(x)))": "x:1",
        "sum(x*y)": "x:1 y:1",
        "sum(x**2)/n": "x:1 n:0",
        "max(x) - min(x)": "x:1",
        "prod(x)": "x:1",
    },
    "Factors, divisors and offsets of a number are numbers": {
        "lam*norm(x)**2": "lam:0 x:1",
        "C*sum(maximum(0, 1 - y*(X @ w + b)))": "C:0 y:1 X:2 w:1 b:1",
        "0.5*norm(w)**2 + C*sum(maximum(0, 1 - y*(X @ w + b)))": "w:1 C:0 y:1 X:2 b:1",
        "exp(-g*norm(x - y)**2)": "g:0 x:1 y:1",
        "0.5*k*(norm(x - y) - l)**2": "k:0 x:1 y:1 l:0",
        "x.T @ A @ x - l*(x.T @ x - 1)": "x:1 A:2 l:0",
        "norm(A @ x - b)**2 + lam*norm(x)**2": "A:2 x:1 b:1 lam:0",
        "norm(A @ x - b)**2 + a*norm(x, 1)": "A:2 x:1 b:1 a:0",
        "sum((A @ w - y)**2) + mu*norm(w, 1)": "A:2 w:1 y:1 mu:0",
        "norm(x)/s": "x:1 s:0",
        "log(det(A))*c": "A:2 c:0",
        "trace(A) - t": "A:2 t:0",
        "relu(norm(a - p)**2 - norm(a - n)**2 + m)": "a:1 p:1 n:1 m:0",
        "w @ x + b": "w:1 x:1 b:0",
        "mu*sum(E**2) + 0.5*la*trace(E)**2": "mu:0 E:2 la:0",
        "(w @ x)*y": "w:1 x:1 y:0",
        "(x @ x + c**2)**(1/2)": "x:1 c:0",
        "q*x[0]": "q:0 x:1",
        "v*(a @ b)/r": "v:0 a:1 b:1 r:0",
        "-log(sigmoid(y*(w @ x)))": "y:0 w:1 x:1",
    },
    "Exponents and entries of lists are numbers": {
        "sum(abs(x)**p)**(1/p)": "x:1 p:0",
        "x**p": "x:1 p:0",
        "A**k": "A:2 k:0",
        "exp(x)**q": "x:1 q:0",
        "[r*cos(t), r*sin(t)]": "r:0 t:0",
        "[a*cos(q[0]) + b*cos(q[0] + q[1]), a*sin(q[0]) + b*sin(q[0] + q[1])]": "a:0 q:1 b:0",
        "[[cos(a), -sin(a)], [sin(a), cos(a)]] @ x": "a:0 x:1",
        "[x*y, x + y]": "x:0 y:0",
    },
    "What scales an identity is a number": {
        "K + s*eye(n)": "K:2 s:0 n:0",
        "inv(X.T @ X + lam*eye(n)) @ X.T @ y": "X:2 lam:0 n:0 y:1",
        "logdet(K + s**2*eye(n))": "K:2 s:0 n:0",
        "A - l*eye(n)": "A:2 l:0 n:0",
        "c*ones(n) + x": "c:0 n:0 x:1",
    },
    "Lower-case factors and divisors of a matrix are numbers": {
        "A + t*B": "A:2 t:0 B:2",
        "exp(-D/2/l**2)": "D:2 l:0",
        "softmax(Q @ K.T/sqrt(d), axis=1)": "Q:2 K:2 d:0",
        "a*A": "a:0 A:2",
        "A/s": "A:2 s:0",
        "X*w": "X:2 w:0",
        "eta*(X @ Y)": "eta:0 X:2 Y:2",
        "logdet(A + t*B)": "A:2 t:0 B:2",
        "sum((a*X + Y)**2)": "a:0 X:2 Y:2",
        "expm(t*A) @ x": "t:0 A:2 x:1",
    },
    "Upper-case divisors of vectors are numbers": {
        "softmax(z/T)": "z:1 T:0",
        "exp(x/T)/sum(exp(x/T))": "x:1 T:0",
        "A @ x/N": "A:2 x:1 N:0",
        "(x - y)/T": "x:1 y:1 T:0",
        "r*x*(1 - x/K)": "r:1 x:1 K:0",
        "A/B": "A:2 B:2",
        "1/A": "A:2",
        "A/(2*B)": "A:2 B:2",
        "x/(k*T)": "x:1 k:0 T:0",
        "x/(R*T)": "x:1 R:0 T:0",
        "(x - y)/(N - 1)": "x:1 y:1 N:0",
        "A @ x/(N*h)": "A:2 x:1 N:0 h:1",
    },
    "Counts and temperatures divide matrices too": {
        "X.T @ X/N": "X:2 N:0",
        "X.T @ X/(N - 1)": "X:2 N:0",
        "exp(-E/(k*T))": "E:2 k:0 T:0",
        "exp(-E/(R*T))": "E:2 R:0 T:0",
    },
    "Upper-case names among several factors of a vector are numbers": {
        "-G*M*r/norm(r)**3": "G:0 M:0 r:1",
        "K*x/norm(x)": "K:0 x:1",
        "A*B": "A:2 B:2",
    },
    "The leading coefficient of a chain is a number": {
        "alpha*x.T @ A @ x": "alpha:0 x:1 A:2",
        "a*x.T @ A @ x": "a:0 x:1 A:2",
        "2*b*x.T @ y": "b:0 x:1 y:1",
        "p*A @ x": "p:0 A:2 x:1",
        "a*x @ y": "a:0 x:1 y:1",
        "tanh(a*x @ y + c)": "a:0 x:1 y:1 c:0",
        "C*w @ w": "C:0 w:1",
        "x @ mu - 0.5*g*x @ S @ x": "x:1 mu:1 g:0 S:2",
        "A*B @ x": "A:2 B:2 x:1",
    },
    "Where a name scales a vector, its letter decides": {
        "s*(A @ x)": "s:0 A:2 x:1",
        "y*(X @ w)": "y:1 X:2 w:1",
        "lam*x": "lam:0 x:1",
        "alpha*x": "alpha:0 x:1",
        "x/sigma": "x:1 sigma:0",
        "mu*x": "mu:0 x:1",
        "n*x": "n:0 x:1",
        "t*x": "t:0 x:1",
        "c*x + d": "c:0 x:1 d:1",
        "a*x": "a:1 x:1",
        "w*x": "w:1 x:1",
        "y*x": "y:1 x:1",
        "k*(x - y)": "k:0 x:1 y:1",
        "rho*(A @ x - b)": "rho:0 A:2 x:1 b:1",
        "lambda_1*x + lambda_2*y": "lambda_1:0 x:1 lambda_2:0 y:1",
        "s2*x": "s2:0 x:1",
        "(X - mean(X, axis=0))/sqrt(var(X, axis=0) + eps)*g + b": "X:2 eps:0 g:0 b:1",
        "sum(where(abs(r) < d, 0.5*r**2, d*(abs(r) - 0.5*d)))": "r:1 d:0",
        "maximum(x, c)": "x:1 c:0",
        "clip(x, -c, c)": "x:1 c:0",
        "s**2*x": "s:0 x:1",
        "x/(2*s**2)": "x:1 s:0",
        "(1 - beta)*g": "beta:0 g:1",
        "exp(-x**2/(2*l**2))": "x:1 l:0",
        "sqrt(t)*x": "t:0 x:1",
        "sum(sqrt((x - y)**2 + eps**2))": "x:1 y:1 eps:0",
        "x + dt*(A @ x + B @ u)": "x:1 dt:0 A:2 B:2 u:1",
        "x - lr*(A.T @ (A @ x - b))": "x:1 lr:0 A:2 b:1",
        "a*exp(-k*t)": "a:1 k:1 t:1",
        "exp(-k*t)*x": "k:0 t:0 x:1",
        "x*exp(-k*t) + c": "x:1 k:0 t:0 c:1",
        "4*eps*((s/r)**12 - (s/r)**6)": "eps:0 s:0 r:1",
        "4*eps*((s/d)**12 - (s/d)**6)": "eps:0 s:1 d:1",
        "lam*k": "lam:0 k:1",
        "mu + sigma*eps": "mu:1 sigma:1 eps:1",
        "x + eps": "x:1 eps:0",
        "x - mu": "x:1 mu:1",
        "A @ x - t": "A:2 x:1 t:1",
        "exp(-k*t)": "k:1 t:1",
    },
}
ROWS = [(text, ranks) for rows in READINGS.values() for text, ranks in rows.items()]


def reading(
    text: str, known: Mapping[str, int] | None = None, *, scalar: bool = False, wrt: Collection[str] = ()
) -> str:
    """Return the ranks of the names that are not known: `A:2 x:1`."""
    problem = Problem.of(text, "value")
    unknown = [name for name in problem.names if name not in (known or {})]
    ranks = read(problem.program, known or {}, unknown, scalar=scalar, wrt=wrt)
    return " ".join(f"{name}:{rank}" for name, rank in ranks.items())


@pytest.mark.parametrize(("text", "ranks"), ROWS, ids=[text for text, _ in ROWS])
def test_names_are_read_as_their_author_meant_them(text: str, ranks: str) -> None:
    assert reading(text) == ranks


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 120


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("x**2", "x:0"),
        ("sin(x)/x", "x:0"),
        ("a*b", "a:0 b:0"),
        ("-log(s) - (x - m)**2/(2*s**2)", "s:0 x:0 m:0"),
        ("exp(-x**2/2)/sqrt(2*pi)", "x:0"),
        ("C*sum(x)", "C:0 x:1"),
        ("x.T @ A @ x", "x:1 A:2"),
        ("1/(1 + exp(-(w @ x + b)))", "w:1 x:1 b:0"),
        # No number can come of these, whatever their names are: they keep what their letters say.
        ("A @ x", "A:2 x:1"),
        ("softmax(x)", "x:1"),
    ],
)
def test_a_gradient_is_of_a_number(text: str, ranks: str) -> None:
    assert reading(text, scalar=True) == ranks


@pytest.mark.parametrize(
    ("text", "wrt", "ranks"),
    [
        ("sum((y - a - b*x)**2)", ["a", "b"], "y:1 a:0 b:0 x:1"),
        ("sum((y - (m*x + b))**2)/n", ["m", "b"], "y:1 m:0 x:1 b:0 n:0"),
        ("sum((x - mu)**2/exp(s) + s)", ["mu", "s"], "x:1 mu:0 s:0"),
        # Nothing else is there that could be the data.
        ("-0.5*sum(1 + s - mu**2 - exp(s))", ["mu", "s"], "s:1 mu:1"),
        # What is added to a matrix product is as long as it is.
        ("sum((V @ tanh(W @ x + b) + c - y)**2)", ["W", "b", "V", "c"], "V:2 W:2 x:1 b:1 c:1 y:1"),
    ],
)
def test_variables_of_a_loss_are_its_parameters(text: str, wrt: list[str], ranks: str) -> None:
    assert reading(text, scalar=True, wrt=wrt) == ranks


def test_the_variable_among_coefficients_is_the_vector() -> None:
    assert reading("exp(-k*t)", wrt="t") == "k:0 t:1"
    assert reading("exp(-k*t)", wrt="k") == "k:1 t:0"
    assert reading("sum(4*eps*((s/d)**12 - (s/d)**6))", scalar=True, wrt="d") == "eps:0 s:0 d:1"


@pytest.mark.parametrize(
    ("text", "known", "wrt", "ranks"),
    [
        # Several variables that meet given vectors are the parameters of a fit.
        ("a*exp(-b*t) + c - y", {"t": 1, "y": 1}, "abc", "a:0 b:0 c:0"),
        ("sum(0.5*((x - mu)/exp(s))**2 + s)", {"x": 1}, ["s", "mu"], "mu:0 s:0"),
        ("sum((a*x + b - y)**2)", {"x": 1, "y": 1}, "ab", "a:0 b:0"),
        ("sum(a*x + b*y)", {"a": 1, "b": 1}, "xy", "x:1 y:1"),
        ("sum((w*x + b - y)**2)", {"x": 1, "y": 1}, "wb", "w:0 b:0"),
        ("(V @ tanh(W @ x + b) + c - y)**2", {"x": 1}, "WbVc", "V:2 W:2 b:1 c:1 y:1"),
        # A vector among the variables is no data: what meets it is as long.
        ("(x - mean(x))/std(x)*g + b", {"x": 1}, "xgb", "g:1 b:1"),
        ("sum((y - V*x/(K + x))**2)", {"x": 1, "y": 1}, "VK", "V:0 K:0"),
        ("sum((A*(X @ w) + B - y)**2)", {"X": 2, "w": 1, "y": 1}, "AB", "A:2 B:2"),
        # One that meets them is as long as they are.
        ("a*b", {"a": 1}, "b", "b:1"),
        ("sum((x - y)**2)", {"y": 1}, "x", "x:1"),
        # What is given decides.
        ("s*x", {"s": 1}, "x", "x:1"),
        ("A*x", {"x": 1}, "x", "A:2"),
        ("X @ w", {"X": 3}, "w", "w:1"),
        ("x @ W", {"x": 2}, "W", "W:2"),
        ("lam*norm(x)**2", {"lam": 1}, "x", "x:1"),
    ],
)
def test_what_is_given_decides(text: str, known: dict[str, int], wrt: Collection[str], ranks: str) -> None:
    assert reading(text, known, wrt=wrt) == ranks


@pytest.mark.parametrize("text", ["sum(X, axis=k)", "softmax(X, axis=k)", "matrix_power(A, k)", "norm(x, k)"])
def test_a_number_that_must_be_known_is_asked_for(text: str) -> None:
    problem = Problem.of(text, "value")
    with pytest.raises(StaticNameError, match="`k` is used as a size or an index"):
        solve_lengths(problem.program, {}, problem.names, {})
    assert solve_lengths(problem.program, {}, problem.names, {"k": 1}).plain == {"k": 1}


def test_equal_parts_are_read_alike() -> None:
    assert reading("(u - v)/norm(u - v)") == "u:1 v:1"
    assert reading("z = u - v; z/norm(z)") == "u:1 v:1"


def test_a_reading_in_another_syntax_leaves_no_trace() -> None:
    assert reading("mean(A)") == "A:2"
    problem = Problem.of("mean(A)", "value", program=parse("mean(A)", syntax="matlab"))
    assert read(problem.program, {}, ["A"]) == {"A": 2}
    assert reading("mean(A) + mean(X)") == "A:2 X:2"


def test_the_work_is_linear_in_the_names() -> None:
    """Four times the names take about four times as many calls; what is quadratic would take sixteen times."""

    def calls(count: int) -> int:
        problem = Problem.of(" + ".join(f"A{i} @ x{i}" for i in range(count)), "value")
        return calls_of(lambda: read(problem.program, {}, [*problem.names]))

    calls(1)
    assert calls(800) < 4.5 * calls(200)


QUESTIONS = [json.loads(line) for line in (Path(__file__).parent / "numbers.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("question", QUESTIONS, ids=[question["id"] for question in QUESTIONS])
def test_a_question_is_answered_with_its_numbers(
    question: dict[str, list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert run([*question["args"], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    if "inputs" in found:
        assert [name for name in question["scalars"] if found["inputs"][name]["shape"]] == []
        assert not found["nonfinite"]
    else:
        assert {found["read"][name] for name in question["scalars"]} == {"number"}


def test_the_left_division_of_matlab_is_one_of_entries() -> None:
    assert np.array_equal(matgrad.value("a .\\ b")(a=[2.0, 4.0], b=[6.0, 4.0]), [3, 1])


@pytest.mark.parametrize("axes", ["0", "(0, 1, 0)"])
def test_two_axes_are_turned(axes: str) -> None:
    with pytest.raises(matgrad.MatgradError, match="`axes` are the two that are turned"):
        matgrad.value(f"rot90(A, 1, {axes})", shapes={"A": (2, 2)})(A=np.eye(2))
