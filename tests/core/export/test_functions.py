"""Formulas as functions: they run as printed and give the numbers of matgrad, in every library that is installed."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matgrad
from libraries import every_library, run
from matgrad.core.errors import MatgradError, UsageProblem
from matgrad.core.export.common_parts import named_parts
from matgrad.core.export.functions import code
from matgrad.core.export.latex import latex, statement
from matgrad.core.export.polyfills import polyfills
from matgrad.core.export.templates import LIBRARIES, PREFIXES, modules
from matgrad.core.problems.problem import Problem
from matgrad.grammar.parser import parse
from matgrad.grammar.writer import write

Values = Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]

FUNCTIONS = {"grad": "gradient"}


def agree(text: str, kind: str, wrt: tuple[str, ...], values: Values, library: str) -> str:
    """Fail unless the printed function has the numbers of matgrad; its source."""
    problem = Problem.of(text, kind, wrt)
    inputs = {name: values[name] for name in problem.names}
    statics = {name: int(x) for name, x in inputs.items() if not x.shape and float(x).is_integer()}
    source = code(problem, {name: x.shape for name, x in inputs.items()}, statics, library)
    found = run(source, FUNCTIONS.get(kind, kind), list(inputs.values()), library)
    derivative = getattr(matgrad, kind)(text, wrt=wrt)(**inputs) if wrt else ()
    wanted = [
        matgrad.value(text)(**inputs),
        *(derivative if isinstance(derivative, tuple) else (derivative,) if wrt else ()),
    ]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == np.shape(other), source
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-8, err_msg=source)
    return source


# --- what is printed -------------------------------------------------------------------------------------------------

NUMPY_GRADIENT = '''\
import numpy as np


def gradient(A, x, b):
    """Return the value of `sum(exp(A @ x - b))`, and its gradient by x.

    Shapes: A: (n, m), x: (m,), b: (n,).
    """
    A = np.asarray(A, dtype=float)
    x = np.asarray(x, dtype=float)
    b = np.asarray(b, dtype=float)
    n, m = A.shape
    assert x.shape == (m,)
    assert b.shape == (n,)
    part_1 = np.exp(A @ x - b)
    value = np.sum(part_1)
    gradient = A.T @ part_1
    return value, gradient
'''

TORCH_JACOBIAN = '''\
import torch


def jacobian(x):
    """Return the value of `2*x`, and its Jacobian by x.

    Shapes: x: (n,).
    """
    like = {"dtype": x.dtype, "device": x.device}
    (n,) = x.shape
    value = 2*x
    jacobian = 2*torch.eye(n, **like)
    return value, jacobian
'''


def test_the_whole_function() -> None:
    shapes = {"A": (4, 3), "x": (3,), "b": (4,)}
    assert code(Problem.of("sum(exp(A @ x - b))", "grad", ("x",)), shapes) == NUMPY_GRADIENT
    assert code(Problem.of("2*x", "jacobian", ("x",)), {"x": (3,)}, to="torch") == TORCH_JACOBIAN


def test_a_function_is_for_every_size() -> None:
    source = code(Problem.of("mean(x**2)", "grad", ("x",)), {"x": (3,)})
    for size in (1, 2, 7):
        x = np.arange(1.0, size + 1)
        value, gradient = run(source, "gradient", [x], "numpy")
        np.testing.assert_allclose(value, np.mean(x**2))
        np.testing.assert_allclose(gradient, 2 * x / size)


def test_a_wrong_shape_is_refused() -> None:
    source = code(Problem.of("x @ A @ x", "grad", ("x",)), {"x": (3,), "A": (3, 3)})
    with pytest.raises(AssertionError):
        run(source, "gradient", [np.ones(3), np.ones((3, 4))], "numpy")


def test_lists_and_integers_are_inputs_too() -> None:
    value, gradient = run(code(Problem.of("sum(1/x)", "grad", ("x",)), {"x": (2,)}), "gradient", [[1, 2]], "numpy")
    np.testing.assert_allclose(value, 1.5)
    np.testing.assert_allclose(gradient, [-1, -0.25])


def test_common_parts_are_computed_once() -> None:
    source = code(Problem.of("inv(A)", "jacobian", ("A",)), {"A": (3, 3)})
    assert source.count("np.linalg.inv") == 1
    assert "inv_A = np.linalg.inv(A)" in source


def test_named_parts() -> None:
    trees = [parse(text).result for text in ("exp(A @ x) + 1", "exp(A @ x)*y", "2*n + 2*n")]
    parts, results = named_parts(trees, lambda wanted: wanted)
    assert [(name, write(tree)) for name, tree in parts] == [("part_1", "exp(A @ x)")]
    assert [write(tree) for tree in results] == ["part_1 + 1", "part_1*y", "2*n + 2*n"]


@pytest.mark.parametrize("name", ["lambda", "np", "value", "gradient", "softmax", "x₁", "β", "like", "import", "n"])
def test_any_name_may_be_an_input(name: str) -> None:
    agree(f"sum(softmax({name})*{name}*y)", "grad", (name,), {name: np.arange(3.0), "y": np.ones(3)}, "numpy")


@pytest.mark.parametrize("text", ['sum(x) + norm(x, "fro") if', "sum('''x')", "sum(x))"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(matgrad.MatgradError):
        code(Problem.of(text, "grad", ("x",)), {"x": (3,)})


def test_another_library_is_refused() -> None:
    with pytest.raises(UsageProblem, match="no code for `fortran`"):
        code(Problem.of("x", "value"), {"x": (3,)}, to="fortran")


# --- numbers ---------------------------------------------------------------------------------------------------------

_random = np.random.default_rng(7)
VALUES: Values = {
    "a": np.array(0.7),
    "x": np.array([0.4, -1.2, 0.9]),
    "y": np.array([1.3, 0.2, -0.6]),
    "u": np.array([0.5, 1.5, 0.8]),
    "v": _random.standard_normal(4),
    "A": _random.standard_normal((3, 3)) + 3 * np.eye(3),
    "B": _random.standard_normal((3, 3)),
    "X": _random.standard_normal((3, 4)),
    "S": np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.1]]),
    "T": _random.standard_normal((2, 3, 2)),
    "n": np.array(3.0),
}

EXAMPLES = [
    ("x.T @ A @ x", "hessian", "x"),
    ("A @ B @ X", "jacobian", "B"),
    ("sum(relu(A @ x) * y)", "grad", "x"),
    ("sum(maximum(A @ x, 0))", "grad", "A"),
    ("where(x > 0, x**2, sin(x))", "jacobian", "x"),
    ("abs(x) @ sign(y)", "grad", "x"),
    ("softmax(x)", "jacobian", "x"),
    ("softmax(X)", "jacobian", "X"),
    ("log_softmax(X, axis=1)", "jacobian", "X"),
    ("logsumexp(X)", "hessian", "X"),
    ("logsumexp(X, axis=0)", "jacobian", "X"),
    ("sum(softplus(A @ x))", "hessian", "x"),
    ("sum(log(1 + exp(-y*(A @ x))))", "hessian", "x"),
    ("prod(x)", "hessian", "x"),
    ("prod(T, axis=(0, 2))", "jacobian", "T"),
    ("max(X, axis=0)", "jacobian", "X"),
    ("min(x)", "grad", "x"),
    ("sum(u*log(u))", "hessian", "u"),
    ("sum(u**a)", "grad", "a"),
    ("sum(a**u)", "grad", "u"),
    ("logdet(A)", "hessian", "A"),
    ("det(A)", "hessian", "A"),
    ("inv(A)", "jacobian", "A"),
    ("pinv(X)", "jacobian", "X"),
    ("solve(A, x)", "jacobian", "A"),
    ("solve(A, X)", "jacobian", "X"),
    ("cholesky(S)", "jacobian", "S"),
    ("eigvalsh(S)", "jacobian", "S"),
    ("svdvals(X)", "jacobian", "X"),
    ("expm(A / 3)", "jacobian", "A"),
    ("norm(x)", "hessian", "x"),
    ("norm(X, 'fro')", "hessian", "X"),
    ("norm(X, 'nuc')", "grad", "X"),
    ("norm(x, 3)", "grad", "x"),
    ("norm(x, 1)", "grad", "x"),
    ("norm(X, axis=0)", "jacobian", "X"),
    ("cbrt(u) * exp2(x)", "jacobian", "u"),
    ("hypot(x, y)", "jacobian", "x"),
    ("arctan2(x, y)", "jacobian", "y"),
    ("logaddexp(x, y)", "jacobian", "x"),
    ("x[::-1] * y", "jacobian", "x"),
    ("x[2:0:-1] @ y[1:]", "grad", "x"),
    ("x[[0, 2]]", "jacobian", "x"),
    ("cumsum(x)", "jacobian", "x"),
    ("tril(A) @ x", "jacobian", "A"),
    ("vec(A @ X)", "jacobian", "X"),
    ("reshape(X, (4, 3)) @ x", "jacobian", "X"),
    ("trace(A @ B)", "grad", "A"),
    ("diag(A @ B)", "jacobian", "A"),
    ("x @ eye(n) @ x", "grad", "x"),
    ("exp(sqrt(2)) * x", "jacobian", "x"),
    ("pi * x + np.e", "jacobian", "x"),
    ("outer(x, v)", "jacobian", "x"),
    ("einsum('ij,jk,k->i', A, B, x)", "jacobian", "B"),
    ("T @ A[:2, :2]", "jacobian", "T"),
    ("var(x)", "grad", "x"),
    ("3 * x", "jacobian", "x"),
    ("x > y", "jacobian", "x"),
    ("xlogy(x, u)", "jacobian", "u"),
    ("xlogy(x, u)", "jacobian", "x"),
    ("a", "grad", "a"),
]


@every_library
@pytest.mark.parametrize(("text", "kind", "name"), EXAMPLES, ids=[f"{kind} {text}" for text, kind, _ in EXAMPLES])
def test_printed_functions_have_the_numbers(text: str, kind: str, name: str, library: str) -> None:
    ast.parse(agree(text, kind, (name,), VALUES, library))


@every_library
def test_several_names_and_other_kinds(library: str) -> None:
    assert "gradient_x, gradient_A" in agree("x @ A @ y", "grad", ("x", "A"), VALUES, library)
    agree("norm(A @ x)", "hessian", ("x", "A"), VALUES, library)
    agree("sum(x**4)", "derivative", ("x", "x", "x"), VALUES, library)
    agree("A @ x", "value", (), VALUES, library)


@every_library
@pytest.mark.parametrize(("kind", "text"), [("jvp", "sin(A @ x)"), ("hvp", "sum(exp(A @ x))"), ("vjp", "sin(A @ x)")])
def test_directions_are_parameters(kind: str, text: str, library: str) -> None:
    word = "cotangent" if kind == "vjp" else "tangent"
    problem = Problem.of(text, kind, ("x",))
    source = code(problem, {"A": (3, 3), "x": (3,)}, to=library)
    _, found = run(source, kind, [VALUES["A"], VALUES["x"], VALUES["y"]], library)
    wanted = getattr(matgrad, kind)(text, wrt="x")(A=VALUES["A"], x=VALUES["x"], **{word: VALUES["y"]})
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    assert f"def {kind}(A, x, {word}):" in source


# --- random expressions ----------------------------------------------------------------------------------------------

VECTORS = (
    *("x", "y", "u", "A @ x", "x @ A", "A[0]", "sin({v})", "exp({v}/4)", "tanh({v})", "{v}*{v}", "{v} + {v}"),
    *("{v} - {v}", "-{v}", "2*{v}", "{v}/(1 + {v}**2)", "softmax({v})", "sigmoid({v})", "({v}) @ B", "B @ ({v})"),
    *(
        "relu({v})",
        "where({v} > 0, {v}, {v})",
        "({s})*{v}",
        "{v}[::-1]",
        "norm({v})*{v}",
        "inv(S) @ {v}",
        "cumsum({v})",
    ),
)
SCALARS = ("a", "sum({v})", "({v}) @ ({v})", "norm({v} + 3)", "logsumexp({v})", "x @ S @ x", "trace(A)", "mean({v})")


@st.composite
def expressions(draw: st.DrawFn, kind: str = "v", depth: int = 3) -> str:
    """Return an expression that is a vector of three entries (`v`) or a number (`s`)."""
    found = draw(st.sampled_from(VECTORS if kind == "v" else SCALARS))
    if not depth:
        found = draw(st.sampled_from("xyu" if kind == "v" else "a"))
    while "{" in found:
        place = found.index("{")
        inner = draw(expressions(found[place + 1], depth - 1))
        found = f"{found[:place]}({inner}){found[place + 3 :]}"
    return found


@every_library
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=expressions(), kind=st.sampled_from(["jacobian", "grad", "value"]))
def test_random_expressions_have_the_numbers(text: str, kind: str, library: str) -> None:
    text = f"sum({text})" if kind == "grad" else text
    names = Problem.of(text, "value").names
    name = next((name for name in ("x", "y", "u", "a", "A", "B", "S") if name in names), None)
    agree(text, kind, (name,) if name and kind != "value" else (), VALUES, library)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=expressions())
def test_random_expressions_are_latex(text: str) -> None:
    problem = Problem.of(text, "value")
    (formula,) = latex(problem, {name: VALUES[name].shape for name in problem.names})
    assert formula.count("{") == formula.count("}")
    assert formula.count(r"\left") == formula.count(r"\right")


# --- LaTeX -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "wrt", "wanted"),
    [
        ("x.T @ A @ x", "grad", "x", r"(A + A^{\top}) x"),
        ("x.T @ A @ x", "hessian", "x", r"A + A^{\top}"),
        ("logdet(A)", "grad", "A", r"A^{-\top}"),
        ("A @ X @ B", "jacobian", "X", r"[A_{ik} B_{lj}]_{ijkl}"),
        ("norm(x)", "grad", "x", r"\frac{x}{\left\Vert x \right\Vert_{2}}"),
        (
            "softmax(x)",
            "jacobian",
            "x",
            r"\operatorname{diag}(p) - p p^{\top} \quad \text{where } "
            r"p = \operatorname{softmax}(x)",
        ),
    ],
)
def test_closed_forms_in_latex(text: str, kind: str, wrt: str, wanted: str) -> None:
    shapes = {"x": (3,), "A": (3, 3), "X": (3, 4), "B": (4, 2)}
    problem = Problem.of(text, kind, (wrt,))
    assert latex(problem, {name: shapes[name] for name in problem.names}) == [wanted]


def test_a_notebook_shows_an_equation() -> None:
    assert statement(Problem.of("x @ x", "grad", ("x",)), {"x": (3,)}) == (
        r"$$\frac{\partial}{\partial x} (x^{\top} x) = 2 x$$"
    )
    derivative = matgrad.hessian("x.T @ A @ x", wrt="x")
    assert derivative._repr_latex_() == (
        r"$$\frac{\partial^{2}}{\partial x \, \partial x^{\top}} (x^{\top} A x) = A + A^{\top}$$"
    )
    assert derivative.latex == r"A + A^{\top}"
    assert derivative.code("jax").startswith("import jax.numpy as jnp\n")


# --- programs stand alone --------------------------------------------------------------------------------------------


@every_library
@pytest.mark.parametrize("name", ["np", "torch", "jnp", "jax", "scipy", "float", "like", "part_1", "inv_A", "sigmoid"])
def test_an_input_may_have_the_name_of_anything_that_a_program_says(name: str, library: str) -> None:
    problem = Problem.of(f"sum(sigmoid({name}) * (inv(A) @ {name}))", "grad", (name,))
    source = code(problem, {name: (3,), "A": (3, 3)}, to=library)
    assert len(run(source, "gradient", [VALUES["x"], VALUES["A"]], library)) == 2


def _names_that_programs_say(library: str) -> list[str]:
    """Return the names that a program could use for itself: of modules, polyfills, parts, results, and of Python."""
    own = ["like", "value", "gradient", "part_1", "part_2", "n", "m", "self", "args", "__debug__", "__name__"]
    said = {
        *own,
        *modules(library),
        *polyfills(library),
        *LIBRARIES,
        *PREFIXES.values(),
        *keyword.kwlist,
        *dir(builtins),
    }
    return sorted(name for name in said if _is_an_input(name))


def _is_an_input(name: str) -> bool:
    try:
        return list(Problem.of(f"sum({name}**2)", "grad", (name,)).names) == [name]
    except MatgradError:
        return False


@every_library
def test_inputs_may_have_all_names_that_programs_say(library: str) -> None:
    """In portions, over functions that need a polyfill, a size and parts with names."""
    names = _names_that_programs_say(library)
    assert len(names) > 150
    for start in range(0, len(names), 12):
        portion = names[start : start + 12]
        inside = " + ".join(portion)
        text = f"sum(cbrt({inside})) * trace(outer({portion[0]}, {inside})) + norm(sigmoid({inside}))"
        source = code(Problem.of(text, "grad", (portion[-1],)), dict.fromkeys(portion, (3,)), to=library)
        values = [VALUES["x"] + place for place in range(len(portion))]
        value, gradient = run(source, "gradient", values, library)
        assert np.isfinite(value).all()
        assert gradient.shape == (3,)
        assert ast.parse(source)


COMMENTS = ['"""', "\\", "\\N{BULLET}", "\0", "\x1b[31m", '"', "scipy.linalg.expm(np.pi)", "\u2028", "\ud800"]


@pytest.mark.parametrize("comment", COMMENTS, ids=ascii)
def test_what_a_user_writes_stays_in_the_docstring(comment: str) -> None:
    problem = replace(Problem.of("sum(exp(x))", "grad", ("x",)), text=f"sum(exp(x)) # {comment}")
    source = code(problem, {"x": (3,)}, to="torch")
    head, function = ast.parse(source).body
    assert ast.unparse(head) == "import torch"
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").startswith("Return the value of `sum(exp(x)) #")
    assert source.replace("\n", "").isprintable()


def test_imports_are_of_the_modules_that_are_used() -> None:
    def imports_of(text: str, to: str) -> list[str]:
        source = code(Problem.of(text, "value"), {"A": (3, 3)}, to=to)
        return [line for line in source.splitlines() if line.startswith("import")]

    assert imports_of("expm(A)", "numpy") == ["import numpy as np", "import scipy.linalg"]
    assert imports_of("relu(A)", "jax") == ["import jax.nn", "import jax.numpy as jnp"]
    assert imports_of("np.exp(A)", "torch") == ["import torch"]


@pytest.mark.parametrize(("to", "wanted"), [("numpy", "np.pi"), ("torch", "torch.pi"), ("jax", "jnp.pi")])
def test_constants_keep_their_names(to: str, wanted: str) -> None:
    problem = Problem.of("sum(sin(pi*x))", "grad", ("x",))
    assert f"{wanted}*" in code(problem, {"x": (3,)}, to=to)
    assert latex(problem, {"x": (3,)}) == [r"\pi \, \cos(\pi \, x)"]
