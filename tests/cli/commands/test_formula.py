"""`matgrad formula`: the closed form on the command line, in every spelling."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matgrad
from matgrad.cli.main import run


@pytest.fixture(autouse=True)
def nothing_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command writes."""
    assert run(["formula", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Return the exit status and the message of a command that is refused."""
    status = run(["formula", *arguments])
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["x.T @ A @ x", "--wrt", "x"], "(A + A.T) @ x\n"),
        (["x.T @ A @ x", "--wrt", "x", "--kind", "hessian"], "A + A.T\n"),
        (["x.T @ A @ x", "--wrt", "x", "--assume", "A=symmetric"], "2*A @ x\n"),
        (["x.T @ A @ x", "--wrt", "x", "--to", "latex"], "(A + A^{\\top}) x\n"),
        (["logdet(X)", "--wrt", "X"], "inv(X).T\n"),
        (["a*b", "--wrt", "b"], "diag(a)\n"),
        (["x @ A @ y", "--wrt", "x,y"], "x: A @ y\ny: A.T @ x\n"),
        (["x @ x", "--kind", "value"], "x @ x\n"),
        (["a*x", "--wrt", "x", "--shape", "a=scalar"], "a*eye(n)\n  n = x.shape[0]\n"),
        (["sum(x**3)", "--wrt", "x", "--wrt", "x", "--kind", "derivative"], "6*diag(x)\n"),
        (["prod(svdvals(X))", "--wrt", "X", "--shape", "X=3x3"],
         "abs(det(X))*inv(X).T\n  where X.shape[0] == X.shape[1] and det(X) != 0\n"),
        (["A @ x", "--wrt", "x", "--layout", "denominator"], "A.T\n"),
        (["x @ A @ y", "--wrt", "x,y", "--layout", "numerator", "--batch", "x"],
         "x: (A @ y)[None, :]\ny: (A.T @ x)[None, :]\n"),
        (["A @ X", "--wrt", "X", "--layout", "flat", "--format", "plain"],
         "reshape(einsum('ik,jl->ijkl', A, eye(k)), (-1, X.size))\n"),
        (["A @ X", "--wrt", "A[0,1]", "--layout", "numerator", "--format", "plain"],
         "reshape(outer(eye(n)[0], X[1]), (-1, 1))\n"),
        (["exp(x)", "--wrt", "x", "--kind", "hessian", "--layout", "flat", "--shape", "x=3", "--format", "plain"],
         "reshape(einsum('i,ij,ik->ijk', exp(x), eye(n), eye(n)), (-1, x.size*x.size))\n"),
        (["A @ X", "--wrt", "X", "--layout", "flat", "--to", "latex", "--format", "plain"], "A \\otimes I_{k}\n"),
        (["x @ A @ x", "--wrt", "x", "--layout", "numerator", "--to", "latex"], "((A + A^{\\top}) x)^{\\top}\n"),
        (["logdet(X)", "--wrt", "X", "--format", "latex"], "X^{-\\top}\n"),
        (["x @ x", "--no-random", "-v", "x=[1, 2]"], "2*x\n"),
    ],
)  # fmt: skip
def test_the_formula(arguments: list[str], wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, *arguments) == wanted


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
def test_code_is_python(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = said(capsys, "norm(A @ x - b)**2", "--wrt", "x", "--to", library)
    compile(source, "<formula>", "exec")
    assert "def gradient(A, x, b):" in source
    assert not source.endswith("\n\n")


def test_code_runs_as_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "formula.py"
    assert said(capsys, "x.T @ A @ x", "--wrt", "x", "--to", "numpy", "-o", str(path)) == ""
    space: dict[str, Any] = {}
    exec(path.read_text(encoding="utf-8"), space)
    value, gradient = space["gradient"]([1, 2], [[1, 2], [3, 4]])
    assert value == 27
    np.testing.assert_array_equal(gradient, [12, 21])


PLAIN = {"sizes": {}, "origins": {}, "index": None, "map": None, "kronecker": None, "vec": None}


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(said(capsys, "x @ A @ y", "--wrt", "x,y", "--json"))
    assert content == {
        "matgrad": matgrad.__version__,
        "command": "formula",
        "expr": "x @ A @ y",
        "kind": "grad",
        "to": "text",
        "results": [{"wrt": ["x"], "formula": "A @ y", **PLAIN}, {"wrt": ["y"], "formula": "A.T @ x", **PLAIN}],
    }
    content = json.loads(said(capsys, "x @ A @ y", "--wrt", "x,y", "--json", "--to", "numpy"))
    assert content["results"][0]["wrt"] == ["x", "y"]
    assert content["results"][0]["formula"].startswith("import numpy")


def test_json_says_for_which_sizes_a_formula_holds(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["prod(svdvals(X))", "--wrt", "X", "--shape", "X=3x3"]
    (result,) = json.loads(said(capsys, *asked, "--format", "json"))["results"]
    assert result["condition"] == "X.shape[0] == X.shape[1] and det(X) != 0"
    assert run(["grad", *asked, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["condition"] == "X.shape[0] == X.shape[1] and det(X) != 0"
    (result,) = json.loads(said(capsys, *asked[:-1], "X=3x4", "--json"))["results"]
    assert result["condition"] == "min(abs(svdvals(X))) > 0"


def test_inputs_on_standard_input_are_read_where_nothing_may_be_random(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"x": [1, 2]}'), encoding="utf-8"))
    assert said(capsys, "x @ x", "--no-random") == "2*x\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["x +", "--wrt", "x"], 3, "error: "),
        (["x @ A @ x"], 3, "by which name should the expression be differentiated?"),
        (["x", "--wrt", "y"], 3, "`y` is not in the expression"),
        (["A @ x", "--wrt", "x", "--kind", "grad"], 3, "`grad` needs a scalar"),
        (["x @ x", "--wrt", "x", "--kind", "value"], 2, "leave out --wrt"),
        (["x", "--to", "fortran"], 2, "fortran"),
        (["x", "-o", "/nowhere/formula.py"], 2, "cannot write"),
        (["x", "--format", "npy"], 2, "`formula` has no npy output"),
        (["x", "--format", "latex", "--to", "numpy"], 2, "two spellings"),
        (["A @ X", "--wrt", "X", "--layout", "flat", "--to", "numpy"], 2, "a layout is written as text or in LaTeX"),
        (["x @ x", "--no-random"], 4, "missing input `x`"),
    ],
)
def test_what_is_refused(arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, text = refused(capsys, *arguments)
    assert found == status
    assert message in text


def test_help_shows_the_spellings(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--help")
    assert "--to SPELLING" in text
    assert "text, latex, numpy, torch or jax" in " ".join(text.split())
    assert "--seed" not in text


def test_a_derivative_of_four_axes_has_all_its_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "A @ X @ B", "--wrt", "X") == (
        "einsum('ik,lj->ijkl', A, B)\n"
        "  indices     dout[i,j]/dX[k,l] = A[i,k]*B[l,j]\n"
        "  linear map  dX -> A @ dX @ B\n"
        "  Kronecker   kron(A, B.T)   (vec is row-major, as ravel)\n"
    )
    assert "kron(B.T, A)   (vec stacks columns)" in said(capsys, "A @ X @ B", "--wrt", "X", "--vec", "column")


@pytest.mark.parametrize(
    ("name", "start"), [("f.json", "{"), ("f.tex", "2 x"), ("f.py", "import numpy"), ("f.txt", "2*x"), ("f.md", "2*x")]
)
def test_the_name_of_the_file_says_how_a_formula_is_spelled(name: str, start: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert run(["formula", "x @ x", "-o", str(path)]) == 0
    assert path.read_text().startswith(start)


def test_a_spelling_goes_with_any_name(tmp_path: Path) -> None:
    path = tmp_path / "f.zzz"
    assert run(["formula", "x @ x", "--to", "text", "-o", str(path)]) == 0
    assert path.read_text() == "2*x\n"


@pytest.mark.parametrize("arguments", [["check", "x @ x"], ["check", "x @ x", "--claim", "2*x"], ["explain", "x @ x"]])
def test_a_file_of_text_holds_what_a_screen_shows(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answer.txt"
    assert run([*arguments, "-o", str(path)]) == 0
    assert run(arguments) == 0
    assert path.read_text(encoding="utf-8") == capsys.readouterr().out
