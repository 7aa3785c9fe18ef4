"""LaTeX as an author would write it: ones instead of broadcasting, brackets that are as tall as what they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mathtext import accepted

from identities.records import RECORDS
from matgrad.core.export.latex import latex, slim, statement
from matgrad.core.export.lines import PAGE, equation, width
from matgrad.core.export.orders_in_latex import orders
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, prepare

TESTS = Path(__file__).parents[2]
SHAPES = {
    "x": (4,), "y": (4,), "w": (3,), "b": (5,), "c": (), "s": (), "X": (4, 3), "Y": (4, 3), "A": (5, 4), "S": (4, 4),
    "u": (4,), "v": (3,), "lam": (), "sigma": (), "eps": (), "B": (3, 2), "r": (4,), "d": (),
}  # fmt: skip


def of(text: str, kind: str, wrt: str, assume: str = "") -> str:
    problem = Problem.of(text, kind, tuple(wrt.split()), {})
    (found,) = latex(problem, {name: SHAPES[name] for name in problem.names})
    accepted(found)
    return found


BAR = r" \quad \text{where } \bar{x} = \frac{1}{n} \mathbf{1}^{\top} x"


@pytest.mark.parametrize(
    ("text", "kind", "wrt", "wanted"),
    [
        # What NumPy repeats is written with ones.
        ("norm(X - mean(X, axis=0))**2", "grad", "X", r"2 \left(X - \frac{1}{n} \mathbf{1} \mathbf{1}^{\top} X\right)"),
        ("X - sum(X, axis=1, keepdims=True)", "value", "", r"X - X \mathbf{1} \mathbf{1}^{\top}"),
        ("X + v", "value", "", r"X + \mathbf{1} v^{\top}"),
        ("X - x[:, None]", "value", "", r"X - x \mathbf{1}^{\top}"),
        ("X + v[None, :]", "value", "", r"X + \mathbf{1} v^{\top}"),
        ("x[:, None] - x", "value", "", r"x \mathbf{1}^{\top} - \mathbf{1} x^{\top}"),
        ("X*v", "value", "", r"X \operatorname{diag}(v)"),
        ("x[:, None]*X", "value", "", r"\operatorname{diag}(x) X"),
        ("X - c", "value", "", r"X - c \, (\mathbf{1} \mathbf{1}^{\top})"),
        ("var(x)", "grad", "x", r"\frac{2 (x - \bar{x} \, \mathbf{1})}{n}" + BAR),
        ("sum((x - c)**2)", "grad", "x", r"2 (x - c \, \mathbf{1})"),
        ("sum((x - 1)**2)", "grad", "x", r"2 (x - \mathbf{1})"),
        ("sum((x - 2)**2)", "grad", "x", r"2 (x - 2 \mathbf{1})"),
        ("sum(log(x))", "grad", "x", r"\mathbf{1} \oslash x"),
        ("sum(1/x)", "grad", "x", r"-\mathbf{1} \oslash x^{\circ 2}"),
        ("tanh(A @ x)", "jacobian", "x", r"\operatorname{diag}(\mathbf{1} - \tanh(A x)^{\circ 2}) A"),
        # Sums are products with ones.
        ("sum(x)**2", "grad", "x", r"2 (\mathbf{1}^{\top} x) \, \mathbf{1}_{n}"),
        ("sum(X)", "value", "", r"\mathbf{1}^{\top} X \mathbf{1}"),
        ("sum(X, axis=0)", "value", "", r"X^{\top} \mathbf{1}"),
        ("sum(X, axis=-1)", "value", "", r"X \mathbf{1}"),
        ("mean(exp(x))", "value", "", r"\frac{1}{n} \mathbf{1}^{\top} \exp(x)"),
        ("sum(x*y)", "value", "", r"x^{\top} y"),
        # Brackets, fractions, letters.
        ("(x @ S @ x)/(x @ x)", "grad", "x",
         r"\frac{(S + S^{\top}) x - 2 r \, x}{x^{\top} x} \quad \text{where } r = \frac{x^{\top} S x}{x^{\top} x}"),
        ("lam*(x @ x) + eps", "grad", "x", r"2 \lambda \, x"),
        ("sigma*sum(sigmoid(x))", "grad", "sigma", r"\mathbf{1}^{\top} \operatorname{sigmoid}(x)"),
        ("sum(where(x > 0, x, 0.1*x))", "grad", "x",
         r"\begin{cases} 1 & \text{if } x > 0 \\ 0.1 & \text{otherwise} \end{cases}"),
        ("1e-6*x", "value", "", r"10^{-6} \, x"),
        ("2**x", "value", "", r"2^{\circ x}"),
        ("x @ solve(S, y)", "grad", "x", r"S^{-1} y"),
        ("X.T @ solve(S, X @ v)", "value", "", r"X^{\top} S^{-1} (X v)"),
        ("[c*x[0], s - c]", "value", "", r"\begin{pmatrix} c \, x[0] \\ s - c \end{pmatrix}"),
        ("[[c, 0], [1, s]]", "value", "", r"\begin{pmatrix} c & 0 \\ 1 & s \end{pmatrix}"),
        ("[" + ", ".join(["[" + ", ".join(["c"] * 11) + "]"]) + "]", "value", "",
         r"\left(\begin{array}{ccccccccccc} " + " & ".join("c" * 11) + r" \end{array}\right)"),
        ("X/X.shape[0]", "value", "", r"\frac{X}{n}"),
        # Entries.
        ("X.T @ X", "jacobian", "X", r"[\delta_{jl} X_{ki} + \delta_{il} X_{kj}]_{ijkl}"),
        ("X - mean(X, axis=0)", "jacobian", "X",
         r"\left[\delta_{ik} \delta_{jl} - \frac{\delta_{jl}}{n}\right]_{ijkl}"),
    ],
)  # fmt: skip
def test_latex_as_an_author_writes_it(text: str, kind: str, wrt: str, wanted: str) -> None:
    assert of(text, kind, wrt) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"\left(x\right)", "(x)"),
        (r"\left(\frac{x}{2}\right)", r"\left(\frac{x}{2}\right)"),
        (r"\left(\left(a\right) + \frac{b}{2}\right)", r"\left((a) + \frac{b}{2}\right)"),
        (r"\left[\left(\frac{a}{2}\right)\right]", r"\left[\left(\frac{a}{2}\right)\right]"),
        (r"\left\Vert \left(x\right) \right\Vert", r"\left\Vert (x) \right\Vert"),
    ],
)
def test_brackets_grow_around_what_is_tall(text: str, wanted: str) -> None:
    assert slim(text) == wanted


def test_a_long_equation_stands_on_several_lines() -> None:
    assert equation("f", "p x", ["p = a"]) == r"f = p x \quad \text{where } p = a"
    sum_of_products = " + ".join(["A B C D E F G H I J"] * 6)
    found = equation("f", sum_of_products, ["p = a"])
    accepted(found)
    assert found.startswith(r"\begin{aligned} f &= A B C D E")
    assert r" \\ &\quad {} + A B" in found
    assert found.endswith(r" \\ &\quad \text{where } p = a \end{aligned}")
    assert found.count("A") == sum_of_products.count("A")
    assert max(map(width, found.split(r" \\ "))) < 1.1 * PAGE


@pytest.mark.parametrize(
    ("text", "wrt", "wanted"),
    [
        ("x @ S @ y", ("x", "y"), r"\partial x \, \partial y^{\top}"),
        ("c**4", ("c", "c"), r"\partial c^{2}"),
        ("logdet(S)", ("S", "S"), r"\partial S \, \partial S"),
    ],
)
def test_second_derivatives_have_the_sign_of_their_axes(text: str, wrt: tuple[str, str], wanted: str) -> None:
    problem = Problem.of(text, "hessian", wrt)
    found = statement(problem, {name: SHAPES[name] for name in problem.names})
    assert found.startswith(rf"$$\frac{{\partial^{{2}}}}{{{wanted}}}")


@pytest.mark.parametrize(
    ("text", "wrt", "left"),
    [
        ("sum(log(1 + exp(x)))", "x", r"(\mathbf{1}^{\top} \log(\mathbf{1} + \exp(x)))"),
        ("norm(A @ x - b)**2", "x", r"(\left\Vert A x - b \right\Vert_{2}^{2})"),
        ("r = A @ x - b; r @ r", "x", r"(r^{\top} r)"),
        ("log(det(S))", "S", r"(\log(\det(S)))"),
    ],
)
def test_a_notebook_shows_what_was_typed(text: str, wrt: str, left: str) -> None:
    problem = Problem.of(text, "grad", (wrt,))
    found = statement(problem, {name: SHAPES[name] for name in problem.names})
    accepted(found.strip("$"))
    assert found.startswith(rf"$$\frac{{\partial}}{{\partial {wrt}}} {left} = ")
    assert (r"\text{where } r = A x - b" in found) == text.startswith("r =")


@pytest.mark.parametrize(
    ("text", "kind", "wrt", "column", "wanted"),
    [
        ("X @ B", "jacobian", "X", True, (
            "F = X B",
            r"\frac{\partial F_{ij}}{\partial X_{kl}} = \delta_{ik} B_{lj}",
            r"\mathrm{d}F = \mathrm{d}X \, B",
            r"\frac{\partial \operatorname{vec}(F)}{\partial \operatorname{vec}(X)^{\top}} = B^{\top} \otimes I_{n}",
        )),
        ("inv(S)", "jacobian", "S", False, (
            "F = S^{-1}",
            r"\frac{\partial F_{ij}}{\partial S_{kl}} = -(S^{-1})_{ik} (S^{-1})_{lj}",
            r"\mathrm{d}F = -S^{-1} \, \mathrm{d}S \, S^{-1}",
            r"\frac{\partial \operatorname{vec}(F)}{\partial \operatorname{vec}(S)^{\top}} = -S^{-1} \otimes S^{-\top}",
        )),
        ("logdet(S)", "hessian", "S", False, (
            r"f = \log\det(S)",
            r"\frac{\partial^{2} f}{\partial S_{ij} \, \partial S_{kl}} = -(S^{-1})_{jk} (S^{-1})_{li}",
            None,
            None,
        )),
    ],
)  # fmt: skip
def test_derivatives_of_many_axes(text: str, kind: str, wrt: str, column: bool, wanted: tuple[str | None, ...]) -> None:
    problem = Problem.of(text, kind, (wrt,))
    (found,) = orders(problem, {name: SHAPES[name] for name in problem.names}, column=column)
    assert found is not None
    assert (found.meaning, found.index, found.linear_map, found.kronecker) == wanted
    for form in wanted:
        accepted(form or "0")


def test_the_output_has_a_letter_that_no_input_has() -> None:
    (found,) = orders(Problem.of("F @ G", "jacobian", ("F",)), {"F": (2, 3), "G": (3, 4)})
    assert found is not None
    assert found.meaning == "H = F G"
    assert orders(Problem.of("x @ y", "grad", ("x",)), {"x": (3,), "y": (3,)}) == [None]


def _published() -> Iterator[tuple[str, Problem, dict[str, tuple[int, ...]]]]:
    """Yield all derivatives that authors took."""
    for line in (TESTS / "forms" / "forms.jsonl").read_text().splitlines():
        form = json.loads(line)
        assume = {name: frozenset(words.split()) for name, words in form["assume"].items()}
        wrt = form["wrt"] if isinstance(form["wrt"], list) else form["wrt"].split(",")
        problem = Problem.of(form["expr"], form["kind"], tuple(wrt), assume)
        yield form["id"], problem, {name: tuple(shape) for name, shape in form["shapes"].items()}


@pytest.mark.parametrize(
    "text",
    [r"\frac{a}{b", "a}", r"\left(a", r"\left(a}", "x^a^b", r"\frac{x^a^b}{c}", r"\left(\nothing\right)", r"\frac{a}"],
)
def test_what_is_wrong_is_not_accepted(text: str) -> None:
    with pytest.raises(AssertionError):
        accepted(text)


def test_published_identities_are_accepted_by_mathtext() -> None:
    records = [record for record in RECORDS if record["kind"] != "value"]
    for record in records[::6]:
        kind = {"mixed": "hessian"}.get(record["kind"], record["kind"])
        problem = Problem.of(record["expr"], kind, tuple(record["wrt"]))
        for formula in latex(problem, {name: tuple(record["vars"][name]["shape"]) for name in problem.names}):
            accepted(formula)
    assert len(records) > 200


def test_what_the_manual_shows_is_accepted_by_mathtext() -> None:
    pages = [path.read_text(encoding="utf-8") for path in sorted((TESTS.parent / "docs").glob("*.md"))]
    shown = [
        text for page in pages for text in re.findall(r"(?m)^\$ matgrad .* --to latex.*\n((?:[^$`\n].*\n)+)", page)
    ]
    for text in shown:
        for formula in [text] if r"\begin{aligned}" in text else text.splitlines():
            if not formula.startswith("%"):
                accepted(formula)
    assert len(shown) > 5


def test_the_forms_of_authors_are_accepted_by_mathtext() -> None:
    count = 0
    for _, problem, shapes in _published():
        prepared = prepare(problem, {}, Wishes(declared=shapes, check=False))
        for formula in latex(problem, prepared.shapes, prepared.statics):
            accepted(formula)
        for form in orders(problem, prepared.shapes, prepared.statics):
            for text in (form.index, form.linear_map, form.kronecker) if form else ():
                accepted(text or "0")
        accepted(statement(problem, prepared.shapes, prepared.statics).replace("$$", "").replace("\n", " "))
        count += 1
    assert count > 100
