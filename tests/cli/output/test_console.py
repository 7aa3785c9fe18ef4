"""What a stream is found able to show, and how text is made safe for it."""

from __future__ import annotations

import io

import pytest

from matgrad.cli.output.console import Look, cell_width, line, look_at, printable, prose, show
from matgrad.cli.output.digits import NumberFormat, choose_format, short, significant


class Stream(io.TextIOWrapper):
    """A stream with an encoding that may claim to be a terminal."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "no_color", "expected"),
    [
        (True, {}, False, True),
        (False, {}, False, False),
        (True, {}, True, False),
        (True, {"NO_COLOR": "1"}, False, False),
        (True, {"NO_COLOR": ""}, False, True),
        (True, {"TERM": "dumb"}, False, False),
        (False, {"FORCE_COLOR": "1"}, False, True),
        (False, {"FORCE_COLOR": "0"}, False, False),
        (False, {"FORCE_COLOR": "False"}, False, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        (False, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour(terminal: bool, environment: dict[str, str], no_color: bool, expected: bool) -> None:
    assert look_at(Stream(terminal), no_color=no_color, environment=environment).color is expected


@pytest.mark.parametrize(
    ("terminal", "encoding", "environment", "expected"),
    [
        (True, "utf-8", {}, False),
        (False, "ascii", {}, True),
        (True, "cp1252", {}, True),
        (True, "utf-8", {"TERM": "dumb"}, True),
        (False, "utf-8", {"TERM": "dumb"}, False),
        (False, "utf-8", {"MATGRAD_ASCII": "1"}, True),
        (False, "utf-8", {"MATGRAD_ASCII": "0"}, False),
    ],
)
def test_ascii(terminal: bool, encoding: str, environment: dict[str, str], expected: bool) -> None:
    assert look_at(Stream(terminal, encoding), environment=environment).ascii is expected


def test_width_is_that_of_the_terminal_and_a_pipe_has_none() -> None:
    assert look_at(Stream(True), environment={"COLUMNS": "57"}).width == 57
    assert look_at(Stream(True), environment={"COLUMNS": "none"}).width == 80
    assert look_at(Stream(False), environment={"COLUMNS": "57"}).width is None


@pytest.mark.parametrize(
    ("text", "unicode", "ascii"),
    [
        ("x[/a] :x:", "x[/a] :x:", "x[/a] :x:"),
        ("\x1b[2J\r\x7f\x9b", r"\x1b[2J\x0d\x7f\x9b", r"\x1b[2J\x0d\x7f\x9b"),
        ("a\tb", "a b", "a b"),
        ("θ×行", "θ×行", r"\u03b8x\u884c"),
        ("\u202e\u200b\udc80", r"\u202e\u200b\udc80", r"\u202e\u200b\udc80"),
        ("\U0001d465", "\U0001d465", r"\U0001d465"),
    ],
)
def test_printable(text: str, unicode: str, ascii: str) -> None:
    assert printable(text, False) == unicode
    assert printable(text, True) == ascii


def test_cell_width() -> None:
    assert [cell_width(text) for text in ("abc", "行列", "e\u0301", "∂", "ｘ")] == [3, 4, 1, 1, 2]


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look(color=True, width=40), f"\x1b[2m[red]x[/a] :x: 1.5\x1b[0m{'y' * 200}\n"),
        (Look(width=40), f"[red]x[/a] :x: 1.5{'y' * 200}\n"),
        (Look(), f"[red]x[/a] :x: 1.5{'y' * 200}\n"),
    ],
)
def test_a_line_reads_no_markup_and_is_never_broken(look: Look, expected: str) -> None:
    stream = io.StringIO()
    show([line(("[red]x[/a] :x: 1.5", "dim"), "y" * 200)], stream, look)
    assert stream.getvalue() == expected


def test_a_sentence_is_broken_between_words_on_a_terminal_alone() -> None:
    assert prose("one two three", "", Look(width=8)).plain == "one two\nthree"
    assert prose("行列 " * 3, "", Look(width=10)).plain == "行列 行列\n行列"
    assert prose("one two three", "", Look()).plain == "one two three"


@pytest.mark.parametrize("variable", ["NO_COLOR", "COLUMNS", "TERM"])
def test_the_look_alone_decides_what_is_drawn(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "dumb" if variable == "TERM" else "1")
    stream = io.StringIO()
    show([line(("a b", "red"))], stream, Look(color=True))
    assert stream.getvalue() == "\x1b[31ma b\x1b[0m\n"


@pytest.mark.parametrize(
    ("values", "precision", "expected"),
    [
        ([1, 2, -30], 6, ["1", "2", "-30"]),
        ([123456789012], 3, ["123456789012"]),
        ([1.5, 0.25, 0], 6, ["1.50", "0.25", "0"]),
        ([1 / 3, 100 / 3], 6, ["0.333333", "33.333333"]),
        ([1 / 3], 17, ["0.3333333333333333"]),
        ([0.1], 17, ["0.1"]),
        ([0.1, 5.551e-17], 6, ["0.1", "5.551e-17"]),
        ([1.5e12, 2.0], 6, ["1.5e+12", "2.0e+00"]),
        ([2.5e-9, -1e-12], 6, ["2.5e-09", "-1.0e-12"]),
        ([float("inf"), float("nan"), 1.25], 6, ["inf", "nan", "1.25"]),
        ([-0.0], 6, ["0"]),
        ([999999.96], 6, ["1000000"]),
        ([], 6, []),
    ],
)
def test_number_formats(values: list[float], precision: int, expected: list[str]) -> None:
    write = choose_format(map(float, values), precision)
    assert [write(float(value)) for value in values] == expected


def test_every_number_shows_at_least_the_asked_digits() -> None:
    values = [3.14159265, 0.0271828182, 1234.56789, 0.000012345678, -77.7777777]
    write = choose_format(values, 6)
    for value in values:
        assert abs(float(write(value)) - value) <= 0.5e-5 * abs(value)


def test_digits_by_themselves() -> None:
    assert short(0.1 + 0.2, 6) == "0.3"
    assert significant(0.0250, 6) == (2, -2)
    assert NumberFormat("fixed", 2)(1.5) == "1.50"
