"""The commands as a person uses them: inputs from everywhere, derivatives of every kind, checked against NumPy."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from matgrad.cli.main import run

A = np.array([[1.0, 2.0], [3.0, 4.0]])
BOTH = '{"a":[1,2,3],"b":[4,5,6]}'


class Outcome(NamedTuple):
    """What a run leaves behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def answer(self) -> dict[str, Any]:
        """The answer as JSON."""
        assert self.status == 0, self.stderr
        return dict(json.loads(self.stdout))

    @property
    def data(self) -> NDArray[np.float64]:
        """The first derivative."""
        return np.array(self.answer["results"][0]["data"])

    @property
    def value(self) -> NDArray[np.float64]:
        """The value."""
        return np.array(self.answer["value"]["data"])

    def given(self, name: str) -> NDArray[np.float64]:
        """Return an input that was made up."""
        return np.array(self.answer["inputs"][name]["data"])


class Prompt:
    """A command line inside this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Outcome:
        with self.monkeypatch.context() as patch:
            content = stdin if isinstance(stdin, bytes) else stdin.encode()
            outputs = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
            patch.setattr("sys.stdout", outputs[0])
            patch.setattr("sys.stderr", outputs[1])
            status = run(arguments)
            texts = [stream.buffer.getvalue().decode() for stream in outputs]
        return Outcome(status, *texts)

    def json(self, *arguments: str, stdin: str | bytes = "") -> Outcome:
        return self(*arguments, "--json", stdin=stdin)


@pytest.fixture
def matgrad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Prompt:
    """Return a function that runs the program, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "MATGRAD_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Prompt(monkeypatch)


def ways_to_give_inputs(folder: Path) -> list[tuple[Sequence[str], str | bytes]]:
    """Return options and standard inputs that all mean the same a and b."""
    (folder / "inputs.json").write_text(BOTH)
    a, b = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])
    np.savez(folder / "inputs.npz", a=a, b=b)
    np.save(folder / "a.npy", a)
    (folder / "b.csv").write_text("b\n4\n5\n6\n")
    archive = io.BytesIO()
    np.savez(archive, a=a, b=b)
    typed = ["-v", "a=[1,2,3]", "-v", "b=[4,5,6]"]
    return [
        ([], BOTH),
        (["-i", "-"], BOTH),
        (["-i", "inputs.json"], ""),
        (["-i", "inputs.npz"], ""),
        ([], archive.getvalue()),
        (typed, ""),
        (["-v", "a=@a.npy", "-v", "b=@b.csv:b"], ""),
        (["-v", "a=@inputs.npz:a", "-v", "b=@-"], "[4, 5, 6]"),
        (["-v", "a=[1 2 3]"], BOTH),
        (["-i", "inputs.json", "-v", "b=[4 5 6]"], ""),
    ]


def test_inputs_come_from_everywhere(matgrad: Prompt, tmp_path: Path) -> None:
    for options, stdin in ways_to_give_inputs(tmp_path):
        found = matgrad.json("jacobian", "a*b", "--wrt", "b", *options, stdin=stdin)
        assert_allclose(found.data, np.diag([1, 2, 3]), err_msg=str(options))
        assert found.answer["results"][0]["axes"] == ["out[i]", "b[j]"]


def test_the_expression_alone_is_enough(matgrad: Prompt) -> None:
    found = matgrad.json("jacobian", "a*b", "--wrt", "b")
    assert_allclose(found.data, np.diag(found.given("a")))
    assert found.answer["inputs"]["b"]["source"] == "random"
    shown = matgrad("jacobian", "a*b", "--wrt", "b")
    assert shown.status == 0
    assert "b is random" in shown.stdout
    assert "seed 0" in shown.stdout
    assert matgrad.json("jacobian", "a*b", "--wrt", "b", "--seed", "1").stdout != found.stdout


def test_a_quadratic_form(matgrad: Prompt) -> None:
    found = matgrad.json("grad", "x.T @ A @ x", "--wrt", "x", "-v", "x=[1,2]", "-v", "A=[1 2; 3 4]")
    assert_allclose(found.data, (A + A.T) @ [1, 2])
    assert_allclose(found.value, 27)


def test_samples_side_by_side_and_samples_mixed(matgrad: Prompt) -> None:
    options = ("--shape", "x=5x2", "--wrt", "x", "-v", "A=[1 2; 3 4]")
    batch = matgrad.json("grad", "x.T @ A @ x", "--batch", "x", *options)
    x = batch.given("x")
    per_sample = x @ (A + A.T)
    assert batch.answer["batch"] == 5
    assert_allclose(batch.data, per_sample)
    assert_allclose(matgrad.json("grad", "(x @ A @ x.T).diagonal().sum()", *options).data, per_sample)
    mixed = matgrad.json("grad", "(x @ A @ x.T).sum()", *options).data
    assert_allclose(mixed, np.tile(x.sum(axis=0) @ (A + A.T), (5, 1)))
    refused = matgrad("grad", "x.T @ A @ x", *options)
    assert refused.status == 3
    assert "--batch x" in refused.stderr
    assert "mixes the samples" in refused.stderr


SHAPES = ("--shape", "X=2x2", "--shape", "Y=2x3")


def test_jacobians_of_a_product_of_matrices(matgrad: Prompt) -> None:
    by_x = matgrad.json("jacobian", "Z = X @ X @ Y; Z", "--wrt", "X", *SHAPES)
    X, Y = by_x.given("X"), by_x.given("Y")
    eye = np.eye(2)
    expected = np.einsum("ik,lj->ijkl", eye, X @ Y) + np.einsum("ik,lj->ijkl", X, Y)
    assert by_x.data.shape == (2, 3, 2, 2)
    assert_allclose(by_x.data, expected)
    by_y = matgrad.json("jacobian", "X @ X @ Y", "--wrt", "Y", *SHAPES)
    assert_allclose(by_y.data, np.einsum("ik,jl->ijkl", X @ X, np.eye(3)))


def test_second_derivatives_by_one_name_and_by_two(matgrad: Prompt) -> None:
    by_y = matgrad.json("hessian", "norm(X@X@Y,'fro')", "--wrt", "Y", *SHAPES)
    X, Y = by_y.given("X"), by_y.given("Y")
    M, norm = X @ X, np.linalg.norm(X @ X @ Y)
    G = M.T @ M @ Y / norm
    expected = np.einsum("ik,jl->ijkl", M.T @ M, np.eye(3)) / norm - np.einsum("ij,kl->ijkl", G, G) / norm
    assert_allclose(by_y.data, expected, atol=1e-12)
    mixed = matgrad.json("hessian", "norm(X@X@Y,'fro')", "--wrt", "Y", "--wrt", "X", *SHAPES)
    swapped = matgrad.json("hessian", "norm(X@X@Y,'fro')", "--wrt", "X,Y", *SHAPES)
    assert mixed.data.shape == (2, 3, 2, 2)
    assert_allclose(mixed.data, np.transpose(swapped.data, (2, 3, 0, 1)), atol=1e-12)
    torch = matgrad.json("hessian", "torch.linalg.norm(torch.mm(torch.mm(X, X), Y), ord='fro')", "--wrt", "Y", *SHAPES)
    assert_allclose(torch.data, by_y.data, atol=1e-12)


def test_six_axes(matgrad: Prompt) -> None:
    found = matgrad.json("hessian", "X@X@Y", "--wrt", "X", "--wrt", "Y", *SHAPES)
    X, eye = found.given("X"), np.eye(2)
    # Z[i,j] = X[i,a] X[a,b] Y[b,j]
    expected = np.einsum("ik,lm,jn->ijklmn", eye, X, np.eye(3)) + np.einsum("ik,lm,jn->ijklmn", X, eye, np.eye(3))
    assert found.data.shape == (2, 3, 2, 2, 2, 3)
    assert_allclose(found.data, expected, atol=1e-12)


def test_the_third_order(matgrad: Prompt) -> None:
    found = matgrad.json("derivative", "sum(x**4)", *["--wrt", "x"] * 3, "-v", "x=[1, 2]")
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0], expected[1, 1, 1] = 24, 48
    assert_allclose(found.data, expected)


def test_the_trace_of_a_gradient_can_be_differentiated(matgrad: Prompt) -> None:
    found = matgrad.json("grad", "trace(grad(norm(X @ X @ Y, 'fro'), X))", "--wrt", "Y", *SHAPES)
    assert found.data.shape == (2, 3)
    assert found.answer["results"][0]["check"]["finite_differences"] < 1e-7


def test_sin_on_a_hundred_points(matgrad: Prompt) -> None:
    x = np.linspace(0, np.pi, 100)
    stdin = json.dumps({"x": x.tolist()})
    assert_allclose(matgrad.json("jacobian", "sin(x)", "--wrt", "x", stdin=stdin).data, np.diag(np.cos(x)))
    pulled = matgrad.json("vjp", "sin(x)", "--wrt", "x", "--cotangent", "ones", stdin=stdin)
    assert_allclose(pulled.data, np.cos(x))
    pushed = matgrad.json("jvp", "sin(x)", "--wrt", "x", "--tangent", json.dumps(x.tolist()), stdin=stdin)
    assert_allclose(pushed.data, x * np.cos(x))
    piped = matgrad.json(
        "jvp", "sin(x)", "--wrt", "x", "-v", f"x={x.tolist()}", "--tangent", "@-", stdin=str(x.tolist())
    )
    assert_allclose(piped.data, pushed.data)
    refused = matgrad("grad", "sin(x)", "--wrt", "x", stdin=stdin)
    assert refused.status == 3
    for words in ('matgrad jacobian "sin(x)"', 'matgrad grad "sum(sin(x))"', "--cotangent ones"):
        assert words in refused.stderr


def test_inner_products(matgrad: Prompt) -> None:
    both = matgrad.json("grad", "dot(x, y)", "--wrt", "x,y", "-v", "x=[1,2]", "-v", "y=[3,4]").answer["results"]
    assert [result["data"] for result in both] == [[3, 4], [1, 2]]
    assert matgrad.json("grad", "dot(x, x)", "--wrt", "x", "-v", "x=[1,2]").data.tolist() == [2, 4]


def test_regression_from_a_table(matgrad: Prompt, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    X, y = generator.standard_normal((7, 2)), generator.choice([-1.0, 1.0], 7)
    lines = ["height,width,label", *(f"{a!r},{b!r},{c!r}" for (a, b), c in zip(X.tolist(), y.tolist(), strict=True))]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
    options = ("--wrt", "w", "-v", "X=@data.csv:height,width", "-v", "y=@data.csv:label", "-v", "w=[0.5, -1]")
    w = np.array([0.5, -1])
    squares = matgrad.json("grad", "sum((X @ w - y)**2)", *options)
    assert_allclose(squares.data, 2 * X.T @ (X @ w - y))
    logistic = matgrad.json("grad", "sum(log(1 + exp(-y*(X @ w))))", *options)
    assert_allclose(logistic.data, -X.T @ (y / (1 + np.exp(y * (X @ w)))))


def test_hvp_is_a_row_of_the_hessian(matgrad: Prompt) -> None:
    options = ("--wrt", "x", "-v", "x=[1,2]", "-v", "A=[1 2; 3 4]")
    assert_allclose(matgrad.json("hvp", "x.T@A@x", *options, "--tangent", "[1, 0]").data, (A + A.T)[0])
    assert_allclose(matgrad.json("hessian", "x.T@A@x", *options).data, A + A.T)


def test_layouts_and_formats(matgrad: Prompt, tmp_path: Path) -> None:
    options = ("A @ x", "--wrt", "x", "-v", "x=[1,2]", "-v", "A=[1 2; 3 4]")
    assert matgrad("jacobian", *options, "--format", "plain").stdout == "1.0\t2.0\n3.0\t4.0\n"
    turned = matgrad("jacobian", *options, "--format", "plain", "--layout", "denominator").stdout
    assert turned == "1.0\t3.0\n2.0\t4.0\n"
    assert matgrad("jacobian", *options, "--format", "npy", "-o", "J.npy").status == 0
    assert_allclose(np.load(tmp_path / "J.npy"), A)
    assert matgrad("value", "1/3", "--format", "plain").stdout == "0.3333333333333333\n"
    assert matgrad("value", "1/3", "--format", "plain", "--precision", "3").stdout == "0.333\n"
    assert "0.3333333333333333" in matgrad("value", "1/3", "--precision", "full").stdout


def test_numbers_made_up_obey(matgrad: Prompt) -> None:
    found = matgrad.json("value", "sum(A) + sum(B) + sum(C)", "--shape", "A=3x3,B=4,C=2x2", "--assume", "A=symmetric",
                         "--random", "randint:0:5", "--assume", "C=lower,positive")  # fmt: skip
    assert_allclose(found.given("A"), found.given("A").T)
    assert set(found.given("B").tolist()) <= {0, 1, 2, 3, 4}
    assert found.given("C")[0, 1] == 0


def test_json_carries_its_warnings(matgrad: Prompt) -> None:
    found = matgrad.json("value", "sum(log(x)) + 1", "-v", "x=[0, 1]", "-v", "b=2")
    codes = [warning["code"] for warning in found.answer["warnings"]]
    assert codes[0] == "surplus-input"
    assert len(codes) == 2
    assert found.answer["nonfinite"] == [{"in": "value", "index": [], "value": "-inf"}]
    assert found.stderr == ""


def test_lines_are_answered_as_they_come(matgrad: Prompt, tmp_path: Path) -> None:
    stdin = '{"x": [1, 2]}\n\n{"x": [1, 2, 3], "c": 5}\n'
    command = ("grad", "c * sum(x**2)", "--wrt", "x", "--lines", "-v", "c=1")
    found = matgrad(*command, stdin=stdin)
    answers = [json.loads(line) for line in found.stdout.splitlines()]
    assert [answer["results"][0]["data"] for answer in answers] == [[2, 4], [10, 20, 30]]
    assert matgrad(*command, "-o", "out.jsonl", stdin=stdin).stdout == ""
    assert (tmp_path / "out.jsonl").read_text() == found.stdout
    (tmp_path / "in.jsonl").write_text(stdin)
    assert matgrad(*command, "-i", "in.jsonl").stdout.replace("in.jsonl", "stdin") == found.stdout
    assert matgrad(*command, "-i", "-", stdin=stdin).stdout == found.stdout
    assert matgrad(*command, "-i", "none.jsonl").status == 4
    assert matgrad(*command, stdin="").stdout == ""


def test_a_line_without_an_answer_gets_its_error_and_the_next_one_an_answer(matgrad: Prompt, tmp_path: Path) -> None:
    lines = (
        '{"x": 1, "id": "a"}\n{"id": "b", "x": "1"}\nbroken\n{"x": 3, "tags": [1e400, null], "value": 0, "error": 1}\n'
    )
    command = ("grad", "x**2", "--lines")
    found = matgrad(*command, stdin=lines)
    first, second, third, last = map(json.loads, found.stdout.splitlines())
    assert (first["id"], first["results"][0]["data"]) == ("a", 2)
    assert (second["id"], second["error"]["code"], second["error"]["place"]) == ("b", "input", "stdin:2:18")
    assert [*third] == ["error"]
    assert (last["results"][0]["data"], last["tags"], last["value"]["data"]) == (6, [None, None], 9)
    assert "error" not in last
    assert (found.status, found.stderr.splitlines()[0]) == (4, "error: 2 of 4 lines had no answer")
    (tmp_path / "io.jsonl").write_text(lines)
    assert matgrad(*command, "-i", "io.jsonl", "-o", "io.jsonl").status == 4
    assert (tmp_path / "io.jsonl").read_text() == found.stdout.replace("stdin", "io.jsonl")
    (tmp_path / "io.jsonl").write_text(lines)
    strict = matgrad(*command, "-i", "io.jsonl", "-o", "io.jsonl", "--strict")
    assert (strict.status, "io.jsonl:2:18" in strict.stderr) == (4, True)
    assert (tmp_path / "io.jsonl").read_text() == lines
    assert matgrad(*command, "--strict", stdin=lines).stdout == found.stdout.split("\n")[0] + "\n"
    assert os.listdir(tmp_path) == ["io.jsonl"]


def test_the_status_of_lines_is_that_of_the_first_error(matgrad: Prompt) -> None:
    lines = ['{"A": [[1, 2], [2, 4]]}', '{"A": [1, 2]}', '{"A": [[1, 0], [0, 1]]}', "{}"]
    for shift, status in enumerate((5, 3, 4)):
        assert matgrad("value", "inv(A)", "--lines", stdin="\n".join(lines[shift:])).status == status
    found = matgrad("value", "inv(A)", "--lines", "--json", stdin="{}\n" + lines[2])
    assert json.loads(found.stderr)["error"]["message"] == "1 of 2 lines had no answer"


def test_check_compares_along_directions(matgrad: Prompt) -> None:
    found = matgrad("check", "logdet(A) + sum(x)", "--wrt", "A,x")
    assert found.status == 0
    assert [line.split()[:2] for line in found.stdout.splitlines()] == [["A", "holds:"], ["x", "holds:"]]
    results = matgrad.json("check", "A @ x", "--wrt", "x").answer
    assert results["command"] == "check"
    assert results["results"][0]["check"]["finite_differences"] < 1e-9


def test_a_wrong_derivative_is_loud(matgrad: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    from matgrad.core import session
    from matgrad.core.problems.answer import Check

    def failing(*arguments: object) -> list[Check]:
        return [Check(finite_differences=0.5, method="5-point differences", passed=False)]

    monkeypatch.setattr(session, "check_results", failing)
    found = matgrad("grad", "sum(x)", "--wrt", "x")
    assert found.status == 1
    assert "x[0]" in found.stdout
    assert "do not trust" in found.stderr
    assert matgrad("grad", "sum(x)", "--wrt", "x", "--no-check").status == 0
    assert matgrad("check", "sum(x)", "--wrt", "x").status == 1
    lines = matgrad("grad", "sum(x)", "--lines", stdin='{"x": 1}\n{"x": 2}\n')
    assert (lines.status, lines.stdout.count("\n")) == (1, 2)
    in_json = matgrad.json("grad", "sum(x)", "--wrt", "x")
    assert json.loads(in_json.stderr)["error"]["code"] == "check"
    assert json.loads(in_json.stdout)["results"]


def test_a_check_that_cannot_be_made_does_not_hold(matgrad: Prompt) -> None:
    found = matgrad("check", "sum(log(x))", "--wrt", "x", "-v", "x=[0]")
    assert found.status == 1
    assert "not checked" in found.stdout


def test_a_bug_says_that_it_is_one(matgrad: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    from matgrad.core import session

    def broken(*arguments: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(session, "answer", broken)
    found = matgrad("value", "x")
    assert found.status == 70
    assert "internal error" in found.stderr
    assert "Traceback" not in found.stderr
    monkeypatch.setenv("MATGRAD_DEBUG", "1")
    assert "Traceback" in matgrad("value", "x").stderr
    for problem, status in ((MemoryError(), 5), (RecursionError(), 3), (KeyboardInterrupt(), 130)):
        monkeypatch.setattr(session, "answer", lambda *_, problem=problem: (_ for _ in ()).throw(problem))
        assert matgrad("value", "x").status == status


@pytest.mark.parametrize("text", ["+".join(["x"] * 2000), "*".join(["x"] * 2000), "(" * 100 + "x" + ")" * 100])
def test_long_expressions(matgrad: Prompt, text: str) -> None:
    assert matgrad.json("grad", text, "--wrt", "x", "-v", "x=1").status == 0


def test_too_deep_an_expression_is_an_error(matgrad: Prompt) -> None:
    found = matgrad("value", "sin(" * 3000 + "x" + ")" * 3000)
    assert found.status == 3
    assert "deep" in found.stderr


def test_functions_are_listed_and_explained(matgrad: Prompt) -> None:
    listed = matgrad("functions").stdout
    assert "  solve(A, b)  " in listed
    assert "reciprocal_or_zero" not in listed
    page = matgrad("functions", "mm").stdout
    assert page.startswith("matmul(a, b)\n")
    records = {record["name"]: record for record in matgrad.json("functions").answer["functions"]}
    assert records["inv"]["differential"] == ["-y @ dX @ y"]
    assert records["softmax"]["definition"]
    assert records["max"]["kink"]
    assert matgrad.json("functions", "np.linalg.inv").answer == records["inv"]
    assert matgrad("functions", "exp").stdout.count("matgrad jacobian") == 1
    assert "✓ checked" in matgrad("functions", "exp").stdout


def test_a_completion_script_for_each_shell(matgrad: Prompt) -> None:
    for shell in ("zsh", "fish"):
        assert "_MATGRAD_COMPLETE" in matgrad("completion", shell).stdout


def test_the_version(matgrad: Prompt) -> None:
    from importlib.metadata import version

    assert matgrad("--version").stdout == f"matgrad {version('matgrad')}\n"
