"""The screens of answers, compared with those in golden_screens.

With the environment variable MATGRAD_WRITE_GOLDEN set, the files are written instead; read them before they are kept.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from rich.text import Text

from matgrad.cli.output.console import Look, show
from matgrad.cli.output.layouts import apply_layout, view
from matgrad.cli.output.screen import screen_of
from matgrad.core.arrays import Array
from matgrad.core.graph.structure import axis_names
from matgrad.core.problems.answer import Answer, Check, Input, Result

GOLDEN = Path(__file__).parent / "golden_screens"
GOOD = Check(3e-11, None)
NARROW, TERMINAL, PIPE = Look(width=40), Look(width=80), Look()


def derivative(data: object, *groups: tuple[str, int], check: Check | None = GOOD, **more: str) -> Result:
    """Make a result whose names are all groups but the first."""
    axes = axis_names([(name, (1,) * count) for name, count in groups])
    names = tuple(name for name, _ in groups[1:])
    return Result(names, np.asarray(data, dtype=float), axes, groups, check=check, **more)


def answer(command: str, expression: str, value: object, *results: Result, batch: int | None = None) -> Answer:
    """Make an answer without inputs."""
    return Answer(command, expression, {}, np.asarray(value, dtype=float), results, batch=batch)


def noise(*shape: int) -> Array:
    return np.random.default_rng(7).normal(size=shape)


def elementwise(**inputs: Input) -> Answer:
    """Return the Jacobian of a*b by b, with its closed form."""
    a, b = np.array([1.0, 2, 3]), noise(3)
    given = {"a": Input(a, "stdin"), "b": Input(b, "random", 0, "normal", shape_inferred=True)} | inputs
    check = Check(3e-11, 0.0)
    diagonal = derivative(np.diag(a), ("out", 1), ("b", 1), check=check, formula="diag(a)", structure="diagonal")
    return Answer("jacobian", "a*b", given, a * b, [diagonal])


def quadratic() -> Answer:
    gradient = derivative([10.0, 4.5], ("out", 0), ("x", 1), formula="(A + A.T) @ x")
    return answer("grad", "x.T @ A @ x", 14, gradient)


def spoiled() -> Answer:
    broken = derivative([[1.5, np.inf], [-np.inf, np.nan]], ("out", 1), ("x", 1))
    return answer("jacobian", "sqrt(x)", [np.nan, -np.inf], broken)


def hostile() -> Answer:
    matrix = derivative([[1, 0], [0, 2]], ("out", 1), ("x[/a]", 1), formula="[bold]θ:x:[/bold]\x1b[2J")
    made_up = {
        "x[/a]": Input(np.array([1.0, 2]), "random", 3, "uniform"),
        "行": Input(np.eye(2), "random", 3, "normal"),
    }
    return Answer("jacobian", "[red]θ[/red] * x[/a]\x1b[31m", made_up, np.zeros(2), [matrix])


def made_up() -> Answer:
    inputs = {
        "A": Input(noise(3, 3), "random", 5, "normal", assumption="symmetric"),
        "X": Input(noise(2, 2), "random", 5, "randint:0:5"),
        "s": Input(noise(), "random", 5, "uniform", shape_inferred=True),
        "w": Input(noise(2), "data.json"),
    }
    return Answer("value", "s * X", inputs, noise(2, 2), value_check=Check(None, 2e-16))


def several(*checks: Check | None) -> Answer:
    results = [
        derivative([1.0, 2], ("out", 0), (name, 1), check=check) for name, check in zip("xyz", checks, strict=False)
    ]
    return answer("grad", "dot(x, y)", 3, *results)


BAD = Check(0.25, 0.5, passed=False, note="the largest difference is at [1]")
SCREENS = {
    "jacobian": (elementwise(), PIPE, {}),
    "jacobian-ascii": (elementwise(), Look(ascii=True), {}),
    "jacobian-color": (elementwise(), Look(color=True, width=80), {}),
    "jacobian-narrow": (elementwise(), NARROW, {}),
    "jacobian-full-precision": (elementwise(), PIPE, {"precision": 17}),
    "gradient": (quadratic(), PIPE, {}),
    "gradient-of-matrix": (
        answer("grad", "sum(X**3)", 2.5, derivative(noise(3, 4), ("out", 0), ("X", 2))),
        TERMINAL,
        {},
    ),
    "derivative-of-scalar": (answer("grad", "t**2", 9, derivative(6, ("out", 0), ("t", 0))), PIPE, {}),
    "by-scalar": (answer("jacobian", "t*x", [1, 2], derivative([0.5, 1], ("out", 1), ("t", 0))), PIPE, {}),
    "order-3": (
        answer("jacobian", "A @ x", [1, 2], derivative(np.arange(8).reshape(2, 2, 2), ("out", 1), ("A", 2))),
        PIPE,
        {},
    ),
    "order-4": (
        answer("jacobian", "A @ X", noise(2, 2), derivative(np.arange(16).reshape(2, 2, 2, 2), ("out", 2), ("X", 2))),
        PIPE,
        {},
    ),
    "order-3-column": (
        answer("jacobian", "X * x", noise(2, 2), derivative(noise(2, 2, 2), ("out", 2), ("x", 1))),
        PIPE,
        {},
    ),
    "hessian": (
        answer("hessian", "x.T @ A @ x", 3, derivative([[2, 1], [1, 4]], ("out", 0), ("x", 1), ("x", 1))),
        PIPE,
        {},
    ),
    "hessian-mixed": (answer("hessian", "a*b", 3, derivative([[2, 1]], ("out", 0), ("a", 1), ("b", 1))), PIPE, {}),
    "hessian-of-vector": (
        answer("hessian", "x**2", [3, 4], derivative(noise(2, 2, 2), ("out", 1), ("x", 1), ("x", 1))),
        PIPE,
        {},
    ),
    "third-order-ascii": (
        answer("derivative", "x**3", 8, derivative(noise(1, 2, 2), ("out", 0), *[("x", 1)] * 3)),
        Look(ascii=True),
        {},
    ),
    "large-terminal": (
        answer("jacobian", "A @ x", noise(100), derivative(noise(100, 100), ("out", 1), ("x", 1))),
        TERMINAL,
        {},
    ),
    "large-narrow": (
        answer("jacobian", "A @ x", noise(100), derivative(noise(100, 100), ("out", 1), ("x", 1))),
        NARROW,
        {},
    ),
    "large-pipe": (
        answer("jacobian", "A @ x", noise(300), derivative(noise(300, 2000), ("out", 1), ("x", 1))),
        PIPE,
        {},
    ),
    "large-ascii": (
        answer("jacobian", "A @ x", noise(2000), derivative(noise(2, 2000), ("out", 1), ("x", 1))),
        Look(ascii=True, width=60),
        {},
    ),
    "large-gradient": (answer("grad", "sum(x)", 7, derivative(noise(500), ("out", 0), ("x", 1))), TERMINAL, {}),
    "many-blocks": (
        answer("jacobian", "X", noise(9, 9), derivative(np.eye(81).reshape(9, 9, 9, 9), ("out", 2), ("X", 2))),
        NARROW,
        {},
    ),
    "value": (answer("value", "X @ Y", noise(3, 2)), PIPE, {}),
    "value-scalar": (answer("value", "1/3", 1 / 3), PIPE, {}),
    "value-statements": (answer("value", "Z = X @ Y\nZ[0]", noise(2)), PIPE, {}),
    "batch-gradient": (
        answer("grad", "x.T @ A @ x", noise(3), derivative(noise(3, 2), ("out", 0), ("x", 1)), batch=3),
        PIPE,
        {},
    ),
    "batch-jacobian": (
        answer("jacobian", "A @ x", noise(2, 2), derivative(noise(2, 2, 3), ("out", 1), ("x", 1)), batch=2),
        PIPE,
        {},
    ),
    "nonfinite-color": (spoiled(), Look(color=True, width=80), {}),
    "scientific": (answer("grad", "f(x)", 1e-30, derivative([1.5e-9, -2.25e-12, 0], ("out", 0), ("x", 1))), PIPE, {}),
    "tiny-beside-large": (
        answer("grad", "f(x)", 123456789, derivative([1.25, 5.551e-17, 0], ("out", 0), ("x", 1))),
        PIPE,
        {},
    ),
    "hostile": (hostile(), PIPE, {}),
    "hostile-color": (hostile(), Look(color=True, width=80), {}),
    "hostile-ascii": (hostile(), Look(ascii=True), {}),
    "made-up-inputs": (made_up(), TERMINAL, {}),
    "check-failed": (several(GOOD, BAD, None), TERMINAL, {}),
    "check-failed-color": (several(BAD), Look(color=True, width=80), {}),
    "check-all-passed": (several(GOOD, Check(2e-9, 1e-16, "the complex step")), PIPE, {}),
    "check-not-possible": (several(Check(note="a kink is within reach")), PIPE, {}),
    "digits-lost": (
        several(GOOD, Check(note="the expression itself loses 9 digits here", digits_lost=9), GOOD),
        PIPE,
        {},
    ),
    "not-checked": (several(None, None), PIPE, {}),
    "no-entries": (answer("jacobian", "x", [], derivative(np.zeros((0, 0)), ("out", 1), ("x", 1))), PIPE, {}),
    "pushforward": (
        answer("jvp", "A @ x", [1, 2], Result(("x",), np.ones(2), ("out[i]",), (("out", 1),), check=GOOD)),
        PIPE,
        {},
    ),
    "pullback-ascii": (
        answer("vjp", "A @ x", [1, 2], Result(("x",), np.ones(2), ("x[i]",), (("x", 1),), check=GOOD)),
        Look(ascii=True),
        {},
    ),
    "numerator": (quadratic(), PIPE, {"layout": "numerator"}),
    "denominator": (
        answer("jacobian", "A @ x", [1, 2], derivative(np.arange(8).reshape(2, 2, 2), ("out", 1), ("A", 2))),
        PIPE,
        {"layout": "denominator"},
    ),
    "flat": (
        answer("grad", "sum(X)", 3, derivative(np.arange(4).reshape(2, 2), ("out", 0), ("X", 2))),
        PIPE,
        {"layout": "flat"},
    ),
}


def screen(shown: Answer, look: Look, **options: object) -> str:
    stream = io.StringIO()
    show(screen_of(shown, look=look, **options), stream, look)
    return stream.getvalue()


@pytest.mark.parametrize("name", SCREENS)
def test_screen_is_the_golden_one(name: str) -> None:
    shown, look, options = SCREENS[name]
    text = screen(shown, look, **options)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8", newline="\n")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name, (_, look, _) in SCREENS.items() if look.width is None])
def test_pipe_has_no_styles_and_no_trailing_spaces(name: str) -> None:
    shown, look, options = SCREENS[name]
    lines = screen(shown, look, **options).splitlines()
    assert not any("\x1b" in line or line != line.rstrip() for line in lines)
    assert not look.ascii or all(line.isascii() for line in lines)


@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize("look", [Look(), Look(ascii=True), Look(color=True)])
def test_tables_fit_the_terminal(width: int, look: Look) -> None:
    shown = answer("jacobian", "A @ x", noise(5), derivative(noise(5, 300), ("out", 1), ("x", 1)))
    lines = [Text.from_ansi(line).plain for line in screen(shown, look._replace(width=width)).splitlines()]
    rule = next(place for place, line in enumerate(lines) if set(line) in ({"─"}, {"-"}))
    table = lines[rule - 1 : rule + 6]
    assert len({len(line) for line in table}) == 1
    assert width - 16 < len(table[0]) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_sentences_fit_the_terminal(width: int) -> None:
    for shown in (elementwise(), made_up(), several(GOOD, BAD, None)):
        lines = screen(shown, Look(width=width)).splitlines()
        assert max(len(line) for line in lines if not line.startswith(" ")) <= width
        assert not any(line != line.rstrip() for line in lines)


def test_a_pipe_breaks_and_cuts_nothing() -> None:
    wide = answer("jacobian", "A @ x", noise(2), derivative(noise(2, 900), ("out", 1), ("x", 1)))
    lines = screen(wide, Look()).splitlines()
    row = next(line for line in lines if line.startswith("out[1]"))
    assert len(row.split()) == 901
    assert "…" not in row
    assert float(row.split()[-1]) == pytest.approx(noise(2, 900)[1, -1], abs=1e-8)


def test_numbers_are_whole_even_where_the_terminal_is_absurdly_narrow() -> None:
    shown = answer("jacobian", "A @ x", noise(2), derivative(noise(2, 9), ("out", 1), ("x", 1)))
    assert f" {noise(2, 9)[1, 0]:.8f}  …\n" in screen(shown, Look(width=8))


def test_colour_changes_no_character() -> None:
    for shown in (elementwise(), spoiled(), hostile(), several(GOOD, BAD, None)):
        colored = screen(shown, Look(color=True, width=60))
        assert "\x1b[" in colored
        assert Text.from_ansi(colored).plain == screen(shown, Look(width=60))


@pytest.mark.parametrize(
    ("layout", "groups", "shape", "expected"),
    [
        ("numerator", (("out", 1), ("b", 1)), (2, 3), (2, 3)),
        ("denominator", (("out", 1), ("b", 1)), (2, 3), (3, 2)),
        ("numerator", (("out", 0), ("b", 1)), (3,), (1, 3)),
        ("denominator", (("out", 0), ("b", 1)), (3,), (3, 1)),
        ("numerator", (("out", 0), ("x", 1), ("x", 1)), (3, 3), (3, 3)),
        ("numerator", (("out", 2), ("X", 2)), (2, 3, 4, 5), (6, 20)),
        ("flat", (("out", 1), ("x", 1), ("x", 1)), (2, 3, 3), (2, 9)),
        ("flat", (("out", 0), ("X", 2)), (4, 5), (20,)),
        ("numerator", (("out", 1), ("x", 1)), (7, 2, 3), (7, 2, 3)),
        ("denominator", (("out", 0), ("X", 2)), (7, 2, 3), (7, 6, 1)),
        ("numerator", (("x", 1),), (3,), (3,)),
    ],
)
def test_layouts_shape_the_data(
    layout: str, groups: tuple[tuple[str, int], ...], shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    result = derivative(noise(*shape), *groups)
    arranged = apply_layout(result, layout)
    assert arranged.shape == expected
    assert len(arranged.axes) == sum(count for _, count in arranged.axis_groups)
    assert sorted(arranged.data.ravel()) == sorted(result.data.ravel())


def test_layouts_flatten_row_major_and_label_every_entry() -> None:
    result = derivative(np.arange(24).reshape(2, 3, 4), ("out", 1), ("X", 2), formula="f", structure="dense")
    arranged = apply_layout(result, "denominator")
    assert arranged.data.tolist() == np.arange(24).reshape(2, 12).T.tolist()
    assert arranged.axes == ("X[j,k]", "out[i]")
    assert arranged.formula == "reshape(f, (-1, X.size)).T"
    seen = view(result, "denominator")
    assert (seen.row_label(0, 5), seen.column_label(0, 1)) == ("X[1,1]", "out[1]")


def test_a_variable_called_sample_is_not_a_sample() -> None:
    seen = view(derivative(noise(2), ("out", 0), ("sample", 1)))
    assert seen.row_label(0, 1) == "sample[1]"
