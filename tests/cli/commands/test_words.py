"""What is typed: expressions that begin with a minus sign, the words given to options, completion."""

from __future__ import annotations

import os

import click
import pytest

from matgrad.cli.commands import options, request
from matgrad.cli.commands.group import make_group
from matgrad.cli.commands.making import make_command
from matgrad.cli.commands.minus_signs import MARK, KnownOption, one_dash_typo, protect
from matgrad.cli.commands.texts import COMMANDS
from matgrad.cli.failures import Manner
from matgrad.core.errors import UsageProblem

KNOWN = [
    KnownOption(("--wrt",), True),
    KnownOption(("-v", "--var"), True),
    KnownOption(("-i", "--inputs"), True),
    KnownOption(("-o", "--output"), True),
    KnownOption(("--json",), False),
    KnownOption(("-h", "--help"), False),
]


def expressions(*arguments: str) -> list[str]:
    """Return the arguments that are taken for expressions in spite of their minus sign."""
    return [argument.removeprefix(MARK) for argument in protect(arguments, KNOWN) if argument.startswith(MARK)]


@pytest.mark.parametrize(
    "text",
    ["-x^2", "-2*x", "-.5*x", "-(x)", "-[1, 2] @ x", "- x", "-x", "-x.T @ A", "-α^2", "-x'", "--2*x", "-(-x)",
     "-x+y", "-x, y", "-inv(A)", "-outer(x, y)", "-v*x", "-i", "-vec(A)", "-x @ y", "-Z = 3"][:-1],
)  # fmt: skip
def test_an_expression_may_begin_with_a_minus_sign(text: str) -> None:
    expected = [] if text == "-i" else [text]  # `-i` alone is the option
    assert expressions(text, "--wrt", "x") == expected
    assert expressions("--wrt", "x", "--json", text) == expected


def test_options_and_their_values_are_left_alone() -> None:
    assert expressions("x", "-v", "-3", "--wrt", "-x") == []
    assert expressions("-va=-3", "-a*x", "-vb=2") == ["-a*x"]
    assert expressions("x + 1", "-idata.json", "-oout.txt", "-hx") == []
    assert expressions("-x^2", "--wtr", "x") == ["-x^2"]
    assert expressions("x", "--", "-x^2") == []
    assert expressions("x", "-wrt", "x") == []
    assert expressions("-v*o", "-vv=3", "-o", "f") == ["-v*o"]


def test_several_words_stay_together() -> None:
    assert expressions("-x", "+", "y") == ["-x"]
    assert expressions("x", "-2*y") == ["-2*y"]


def test_an_option_with_one_dash_is_recognised() -> None:
    assert one_dash_typo(protect(["x^2", "-wrt", "x"], KNOWN), KNOWN) == "-wrt"
    assert one_dash_typo(protect(["-wrt"], KNOWN), KNOWN) is None


@pytest.mark.parametrize(
    ("text", "shape"),
    [("5x2", (5, 2)), ("5×2", (5, 2)), ("5,2", (5, 2)), ("(5, 2)", (5, 2)), ("[5,2]", (5, 2)), ("3", (3,)),
     ("(3,)", (3,)), ("scalar", ()), ("()", ()), ("2x3x4", (2, 3, 4))],
)  # fmt: skip
def test_a_shape_has_many_spellings(text: str, shape: tuple[int, ...]) -> None:
    assert request.read_shapes([f"A={text}"]) == {"A": shape}
    assert request.read_shapes([f"A={text},b=7"]) == {"A": shape, "b": (7,)}


@pytest.mark.parametrize("text", ["A", "A=", "=3", "A=3y", "A=0", "A=-1", "A=2.5", "A=3x", "A=x3", "2=3", "A=(2"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        request.read_shapes([text])
    assert caught.value.helps
    assert (caught.value.place or "").startswith("--shape ")


def test_two_shapes_for_one_name_are_refused() -> None:
    with pytest.raises(UsageProblem, match="two shapes"):
        request.read_shapes(["A=2", "A=3"])


def test_assumptions_add_up() -> None:
    assert request.read_assumptions(["A=symmetric,positive", "b=integer,C=spd", "A=lower"]) == {
        "A": frozenset({"symmetric", "positive", "lower"}),
        "b": frozenset({"integer"}),
        "C": frozenset({"spd"}),
    }


@pytest.mark.parametrize(
    ("text", "size"),
    [("10", 10), ("1B", 1), ("2KB", 2000), ("2KiB", 2048), ("1MB", 10**6), ("1 MiB", 2**20), ("1.5GiB", 3 * 2**29),
     ("1GB", 10**9), ("1gib", 2**30), ("75GiB", 75 * 2**30)],
)  # fmt: skip
def test_an_amount_of_memory_has_units(text: str, size: int) -> None:
    assert request.read_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "1XB", "-1", "1,5GB", "nan"])
def test_what_is_no_amount_of_memory_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem):
        request.read_size(text)


def test_precision() -> None:
    assert request.read_precision(None, "table") is None
    assert request.read_precision("3", "table") == 3
    assert request.read_precision("full", "table") == 17
    assert request.read_precision("full", "json") is None
    assert request.read_precision("full", "csv") is None
    for text in ("0", "18", "-1", "many", "2.5"):
        with pytest.raises(UsageProblem):
            request.read_precision(text, "table")


def test_names_may_be_repeated_or_listed() -> None:
    assert request.read_names(["x, A", "b"], "--wrt") == ("x", "A", "b")
    for text in ("x,", "", "2x", "x y"):
        with pytest.raises(UsageProblem):
            request.read_names([text], "--wrt")


@pytest.mark.parametrize("text", ["normal", "uniform", "randint:0:5", "randint:-3:3"])
def test_a_law_is_left_as_it_is(text: str) -> None:
    assert request.read_law(text) == text


@pytest.mark.parametrize("text", ["gauss", "randint", "randint:5:0", "randint:0:5:1", ""])
def test_what_is_no_law_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem):
        request.read_law(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [("a*b", ["a", "b"]), ("np.exp(A @ x).sum(axis=0)", ["A", "x"]), ("Z = X @ X; norm(Z, \"fro\")", ["X"]),
     ("x.T @ A @ x", ["x", "A"]), ("F @ F.T + torch.mm(X, Y)", ["F", "X", "Y"]), ("x[0] == y", ["x", "y"]),
     ("2e5 * α_1  # and b", ["α_1"])],
)  # fmt: skip
def test_names_are_found_without_parsing(text: str, names: list[str]) -> None:
    assert options.names_in(text) == names


def completions(arguments: list[str], incomplete: str) -> list[str]:
    """Return what a shell would be offered."""
    from click.shell_completion import ShellComplete

    found = ShellComplete(make_group(), {}, "matgrad", "_MATGRAD_COMPLETE").get_completions(arguments, incomplete)
    return [item.value for item in found]


def test_completion_offers_commands_options_and_names() -> None:
    assert completions([], "ja") == ["jacobian"]
    assert "--wrt" in completions(["grad"], "--w")
    assert completions(["grad", "x.T @ A @ x", "--wrt"], "") == ["x", "A"]
    assert completions(["grad", "-x.T @ A @ x", "--wrt"], "A") == ["A"]
    assert completions(["grad", "x.T @ A @ x", "--wrt"], "x,") == ["x,x", "x,A"]
    assert completions(["grad", "x.T @ A @ x", "--assume"], "A=sy") == ["A=symmetric"]
    assert completions(["grad", "x.T @ A @ x", "--assume"], "") == ["x=", "A="]
    assert completions(["grad", "x.T @ A @ x", "-v"], "A") == ["A="]
    assert completions(["jvp", "sin(x)", "--tangent"], "o") == ["ones"]
    assert completions(["value", "x", "--format"], "j") == ["json"]
    assert completions(["completion"], "z") == ["zsh"]


def test_every_command_has_help_with_an_example() -> None:
    for name in COMMANDS:
        command = make_command(name)
        text = command.get_help(click.Context(command, info_name=f"matgrad {name}"))
        assert f"matgrad {name}" in text.partition("Example")[2], name
        assert "\0" not in text


def test_the_manner_of_errors_is_in_the_words() -> None:
    assert Manner.of(["value", "x", "--json"]) == Manner(True, False)
    assert Manner.of(["value", "x", "--format", "json", "--no-color"]) == Manner(True, True)
    assert Manner.of(["value", "x", "--format=json"]).json
    assert not Manner.of(["value", "--", "--json"]).json


@pytest.mark.parametrize(
    ("output", "format"),
    [
        ("a.json", "json"), ("a.JSON", "json"), ("a.csv", "csv"), ("a.md", "markdown"), ("a.tex", "latex"),
        ("a.npy", "npy"), ("a.npz", "npy"), ("a.zarr", "zarr"), ("a.mtx", "mtx"), ("a.txt", "table"),
        ("a", "table"), ("-", "table"),
        ("v1.2/a", "table"), (os.devnull, "table"), (None, "table"),
    ],
)  # fmt: skip
def test_the_ending_of_a_file_is_its_format(output: str | None, format: str) -> None:
    assert request.read_format(None, output) == format
    assert request.read_format("plain", output) == "plain"


def test_an_ending_that_nobody_knows() -> None:
    for output in ("a.xls", "b/a.foo"):
        with pytest.raises(UsageProblem, match="says nothing of the format"):
            request.read_format(None, output)
        assert request.read_format("table", output) == "table"
