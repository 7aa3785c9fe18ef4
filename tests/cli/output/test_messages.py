"""The look of errors and warnings, compared with golden_messages, and what they must never do.

With the environment variable MATGRAD_WRITE_GOLDEN set, the files are written instead; read them before they are kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matgrad.cli.output.console import cell_width
from matgrad.cli.output.messages import error_json, exit_status, internal_error, render_error, render_warning
from matgrad.core.errors import (
    CheckFailed,
    EvaluationError,
    ExpressionError,
    InputError,
    Label,
    MatgradError,
    NotScalarError,
    ShapeError,
    Source,
    SyntaxProblem,
    UnknownNameError,
    UsageProblem,
)
from matgrad.core.problems.answer import Warning

GOLDEN = Path(__file__).parent / "golden_messages"
SHAPE = ShapeError(
    "cannot multiply `A @ x`: 2 columns against 3 entries",
    Label((4, 5), "x has 3 entries"),
    Label((0, 1), "A is 3×2", primary=False),
    helps=["`A.T @ x` would fit: (2×3) @ (3) -> (2)"],
)
UNCLOSED = SyntaxProblem("unclosed `(`", Label((15, 15), "expected `)`"), helps=["the `(` at column 4 is never closed"])
LONG = " + ".join(f"x{number} * y{number}" for number in range(60))
JSON = '{"a": [1, 2], "b": 3 4}'
JSON_TEXT = '{\n  "a": [1, 2],\n  "b": 3,\n  "c": 5,\n  "d": 6,\n  "a": 7\n}'

ERRORS: dict[str, tuple[MatgradError, str]] = {
    "shape": (SHAPE, "A @ x + b"),
    "unclosed": (UNCLOSED, "sum((A*x - b)^2"),
    "two-values": (
        SyntaxProblem(
            "two values side by side", Label((2, 3), "expected an operator"), helps=["write the product out: `2*x`"]
        ),
        "2 x + 1",
    ),
    "empty": (SyntaxProblem("the expression is empty", Label((0, 0), "expected a value")), ""),
    "unknown-function": (
        UnknownNameError(
            "unknown function `sofmax`",
            Label((0, 6)),
            helps=["did you mean `softmax`?  (`matgrad functions` lists all)"],
        ),
        "sofmax(x) @ y",
    ),
    "not-scalar": (
        NotScalarError(
            "`grad` needs a scalar, and this expression has shape (3)",
            Label((0, 5), "a vector of 3 entries"),
            helps=[
                'all 3×2 partial derivatives:  matgrad jacobian "A @ x" --wrt x',
                'one number first:             matgrad grad "sum(A @ x)" --wrt x',
            ],
        ),
        "A @ x",
    ),
    "bad-json": (
        InputError("inputs are not valid JSON", Label((21, 22), "expected `,` or `}`"), source=Source("stdin", JSON)),
        "a*b",
    ),
    "duplicate-key": (
        InputError(
            "the name `a` is given twice",
            Label((49, 52), "again here"),
            Label((4, 7), "first here", primary=False),
            source=Source("data.json", JSON_TEXT),
        ),
        "a*b",
    ),
    "ragged": (
        InputError(
            "input `A` is not rectangular",
            place="stdin: A[1]",
            notes=["A[0] has 2 numbers, A[1] has 1"],
            helps=["every row of a matrix must be as long as the first"],
        ),
        "A",
    ),
    "missing-input": (
        InputError(
            "missing input `b`",
            Label((4, 5), "no value given"),
            notes=["inputs given: `a` (2), from stdin"],
            helps=["add it: -v b='[1, 2]', -v b=@b.npy,\nor a \"b\" key in the JSON"],
        ),
        "a * b",
    ),
    "unknown-wrt": (
        UnknownNameError(
            "`X` is not in the expression",
            place="--wrt X",
            notes=["names in the expression: A, b, x"],
            helps=["did you mean `x`?"],
        ),
        "A @ x + b",
    ),
    "too-large": (
        EvaluationError(
            "this Jacobian has 10^10 entries (75 GiB); the limit is 1 GiB",
            notes=["output (100000) by input `x` (100000)"],
            helps=["or raise the limit: --max-memory 80GiB"],
        ),
        "exp(x)",
    ),
    "singular": (
        EvaluationError("`inv(A)` has no value: A is singular", Label((8, 14), "A is 2×2 of rank 1")),
        "sum(x * inv(A))",
    ),
    "check": (CheckFailed("the claim does not hold", notes=["relative error 0.5"]), "x"),
    "usage": (UsageProblem("cannot write `a.npy`: permission denied", place="-o a.npy"), "x"),
    "internal": (internal_error(ZeroDivisionError("division by zero")), "x"),
    "empty-source": (InputError("standard input is empty", source=Source("stdin", "")), "x"),
    "three-on-a-line": (
        ShapeError("sizes differ", Label((0, 1), "2", False), Label((4, 5), "3"), Label((8, 9), "4", False)),
        "a + b + c",
    ),
    "nested": (ShapeError("sizes differ", Label((0, 9), "all of it", False), Label((4, 5), "this one")), "(a + b) c"),
    "same-place": (ShapeError("sizes differ", Label((0, 1), "once", False), Label((0, 1), "twice")), "a + b"),
    "two-lines": (
        ShapeError("sizes differ", Label((15, 16), "Z is 2×2"), Label((0, 1), "defined here", False)),
        "Z = X @ Y\nZ[0]\nZ + 1",
    ),
    "far-lines": (
        ShapeError("sizes differ", Label((16, 17), "Z is 2×2"), Label((0, 1), "defined here", False)),
        "Z = X\n\n\n\n\n\n\nb\n\n\nZ",
    ),
    "tall": (
        ShapeError("not a matrix", Label((4, 36), "all of this")),
        "sum(\n  a +\n  b +\n  c +\n  d +\n  e +\n  f)",
    ),
    "long": (ShapeError("sizes differ", Label((400, 404), "here")), LONG),
    "long-secondary": (
        ShapeError(
            "sizes differ",
            Label((400, 404), "here"),
            Label((5, 7), "far away", False),
            Label((440, 444), "near", False),
        ),
        LONG,
    ),
    "long-label": (ShapeError("not a scalar", Label((100, 600), "all of this")), LONG),
    "wide": (
        ShapeError("sizes differ", Label((7, 9), "ベクトル"), Label((0, 2), "行列 is 3×2", False)),
        "行列 @ θ̂ベク",
    ),
    "control": (
        SyntaxProblem("stray character `\x1b`", Label((4, 5), "\x1b[31mred\nand more"), notes=["\x9b\u202e"]),
        "a + \x1b[2J\tb\r",
    ),
    "markup": (SyntaxProblem("[bold]stray[/bold] :x:", Label((0, 5), "[/a]"), helps=["[red]x[/red]"]), "x[/a]"),
    "beyond-the-end": (SyntaxProblem("unfinished", Label((90, 95), "expected more")), "a +"),
    "line-end": (SyntaxProblem("unfinished", Label((3, 4), "expected a value")), "a +\nb"),
}

WARNINGS = {
    "warning": (
        Warning(
            "the result is not finite",
            (4, 10),
            "-inf first appears here, at [1], where x[1] = 0",
            ["d/dx log(x) = 1/x is infinite there too"],
        ),
        "sum(log(x))",
    ),
    "warning-without-place": (Warning("the input `z` is not in the expression"), "sum(log(x))"),
}


def compare(name: str, text: str) -> None:
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("MATGRAD_WRITE_GOLDEN"):
        file.write_text(text + "\n", encoding="utf-8", newline="\n")
    assert text + "\n" == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ERRORS)
def test_error_is_the_golden_one(name: str) -> None:
    error, text = ERRORS[name]
    compare(name, render_error(error, source=Source("expression", text)))


@pytest.mark.parametrize("name", ["shape", "missing-input", "wide", "control"])
def test_error_in_colour_is_the_golden_one(name: str) -> None:
    error, text = ERRORS[name]
    compare(f"{name}-color", render_error(error, source=Source("expression", text), color=True))


@pytest.mark.parametrize("name", ["shape", "wide", "long-secondary"])
def test_error_in_ascii_is_the_golden_one(name: str) -> None:
    error, text = ERRORS[name]
    compare(f"{name}-ascii", render_error(error, source=Source("expression", text), ascii=True))


@pytest.mark.parametrize("name", WARNINGS)
def test_warning_is_the_golden_one(name: str) -> None:
    warning, text = WARNINGS[name]
    compare(name, render_warning(warning, source=Source("expression", text)))


@pytest.mark.parametrize("name", ERRORS)
def test_no_control_character_and_no_trailing_space_gets_out(name: str) -> None:
    error, text = ERRORS[name]
    shown = render_error(error, source=Source("expression", text))
    assert not {character for character in shown if character < " " and character != "\n"}
    assert not {"\x7f", "\x9b", "\u202e"} & set(shown)
    assert all(line == line.rstrip() for line in shown.split("\n"))
    assert render_error(error, source=Source("expression", text), ascii=True).isascii()


def test_carets_stand_under_the_characters_they_mean() -> None:
    text = "行列 + e\u0301x"
    error = ShapeError("sizes differ", Label((7, 8)))
    source_line, marks = render_error(error, source=Source("expression", text)).split("\n")[-2:]
    assert marks.index("^") == cell_width(source_line[: source_line.index("x")])


def test_long_line_is_windowed_around_the_label() -> None:
    lines = render_error(ERRORS["long"][0], source=Source("expression", LONG)).split("\n")
    assert lines[1] == "  --> expression:1:401"
    source_line, marks = lines[3:5]
    assert len(source_line) < 100
    assert source_line[marks.index("^") :].startswith(LONG[400:404])


def test_a_label_in_a_huge_line_is_quick_to_show() -> None:
    huge = "[" + "1, " * 3_000_000 + "]"
    shown = render_error(InputError("bad", Label((6_000_000, 6_000_001), "here"), source=Source("stdin", huge)))
    assert max(map(len, shown.split("\n"))) < 120


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CheckFailed("a"), 1),
        (UsageProblem("a"), 2),
        (SyntaxProblem("a"), 3),
        (ExpressionError("a"), 3),
        (SHAPE, 3),
        (UnknownNameError("a"), 3),
        (NotScalarError("a"), 3),
        (InputError("a"), 4),
        (EvaluationError("a"), 5),
        (MatgradError("a"), 70),
        (internal_error(KeyError("a")), 70),
        (KeyError("a"), 70),
    ],
)
def test_exit_status(error: BaseException, status: int) -> None:
    assert exit_status(error) == status


def test_error_json_is_one_line_with_everything() -> None:
    text = error_json(SHAPE, source=Source("expression", "A @ x + b"))
    assert "\n" not in text
    assert json.loads(text) == {
        "error": {
            "code": "shape",
            "message": "cannot multiply `A @ x`: 2 columns against 3 entries",
            "span": [4, 5],
            "place": "expression:1:5",
            "notes": [],
            "help": ["`A.T @ x` would fit: (2×3) @ (3) -> (2)"],
        }
    }


def test_error_json_without_a_place_and_with_odd_characters() -> None:
    text = error_json(InputError("bad \x1b\udc80", notes=["a"]))
    assert text.isascii()
    assert json.loads(text)["error"] | {"message": ""} == {
        "code": "input", "message": "", "span": None, "place": None, "notes": ["a"], "help": [],
    }  # fmt: skip
    assert json.loads(error_json(ERRORS["duplicate-key"][0]))["error"]["place"] == "data.json:6:3"
    assert json.loads(error_json(internal_error(KeyError("a"))))["error"]["code"] == "internal"


def test_errors_need_neither_numpy_nor_rich() -> None:
    program = (
        "import sys; from matgrad.cli.output.messages import *; from matgrad.core.errors import *\n"
        "render_error(SyntaxProblem('a', Label((0, 1), 'b')), source=Source('expression', 'x'), color=True)\n"
        "print({'numpy', 'rich', 'click', 'lark'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
