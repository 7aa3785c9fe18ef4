"""The program as a process: what it loads, pipes, files, interrupts."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from counting import calls_of

from matgrad.cli.main import run
from matgrad.grammar.errors import SyntaxProblem
from matgrad.grammar.parser import parse

# What nobody should wait for before it is needed. The parser is lark, in a checkout; a wheel has its own.
HEAVY = {"numpy", "scipy", "rich", "lark", "matgrad.grammar.standalone"}
PARSER = {"lark", "matgrad.grammar.standalone"}
# Where numbers, graphs and formulas are: a message about text or options needs none of it.
MATHEMATICS = "matgrad.core."

MATGRAD = [sys.executable, "-m", "matgrad"]
LOADED = (
    "import sys\n"
    "from matgrad.cli.main import run\n"
    "status = run(sys.argv[1:])\n"
    "sys.stdout.write('\\n' + ' '.join([str(status), *sys.modules]))"
)


def start(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run matgrad; standard input is empty unless given."""
    environment = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "_MATGRAD_COMPLETE")}
    if "stdin" not in options:
        options.setdefault("input", b"")
    return subprocess.run([*MATGRAD, *arguments], capture_output=True, timeout=120, env=environment, **options)  # type: ignore[call-overload, no-any-return]


def loaded(*arguments: str) -> tuple[int, set[str]]:
    """Return the exit status of a command line and which heavy modules it loaded."""
    status, modules = all_loaded(*arguments)
    return status, modules & HEAVY


def all_loaded(*arguments: str) -> tuple[int, set[str]]:
    """Return the exit status of a command line and every module that it loaded."""
    run = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, timeout=120, input=b"")
    status, *names = run.stdout.decode().splitlines()[-1].split()
    return int(status), set(names)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 0), (["--help"], 0), (["grad", "--help"], 0), (["--version"], 0), (["completion", "fish"], 0),
        (["functions", "-h"], 0), (["grad", "x", "--wtr", "x"], 2), (["grad", "x", "+", "y"], 2), (["jacob"], 2),
        (["value", "x", "--shape", "x=a"], 2), (["value", "x", "--json", "--seed", "-1"], 2),
    ],
)  # fmt: skip
def test_what_needs_no_mathematics_loads_nothing_heavy(arguments: list[str], status: int) -> None:
    assert loaded(*arguments) == (status, set())


@pytest.mark.parametrize("arguments", [["value", "(x"], ["grad", "2 x", "--json"], ["grad", "a*(b", "--wrt", "a"]])
def test_a_syntax_error_loads_the_parser_alone(arguments: list[str]) -> None:
    status, modules = all_loaded(*arguments)
    assert status == 3
    assert len(modules & PARSER) == 1
    assert not modules & HEAVY - PARSER
    assert {name for name in modules if name.startswith(MATHEMATICS)} <= {
        "matgrad.core.amounts",
        "matgrad.core.errors",
        "matgrad.core.shapes",
    }


def test_the_list_of_commands_loads_their_words_alone() -> None:
    status, modules = all_loaded("--help")
    assert status == 0
    assert not [name for name in modules if name.startswith((MATHEMATICS, "matgrad.grammar.", "matgrad.cli.input"))]


def test_machine_readable_output_needs_no_rich() -> None:
    for form in ("json", "plain"):
        status, found = loaded("jacobian", "a*b", "--wrt", "b", "--format", form)
        assert status == 0
        assert found - PARSER == {"numpy"}


def test_random_inputs_do_not_wait_for_numpy_random() -> None:
    status, modules = all_loaded("jacobian", "a*b", "--wrt", "b", "--shape", "a=3")
    assert status == 0
    assert "numpy.random" not in modules


def test_completion_loads_nothing_heavy() -> None:
    code = LOADED.replace("status = run(sys.argv[1:])", "status = 0\ntry: run([])\nexcept SystemExit: pass")
    environment = dict(
        os.environ, _MATGRAD_COMPLETE="bash_complete", COMP_WORDS="matgrad grad 'x.T @ A @ x' --wrt ", COMP_CWORD="4"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, timeout=120)
    *offers, last = run.stdout.decode().split("\n")
    assert offers[:2] == ["plain,x", "plain,A"]
    status, *modules = last.split()
    assert status == "0"
    assert not set(modules) & HEAVY


def test_a_reader_that_leaves_early_is_no_error() -> None:
    for arguments in (["jacobian", "a*b", "--wrt", "b", "--shape", "b=900", "--format", "plain"], ["--help"]):
        program = subprocess.Popen(
            [*MATGRAD, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.read(10)
        program.stdout.close()
        assert program.stderr.read() == b""
        program.stderr.close()
        assert program.wait(60) == 0


def test_an_interrupt_ends_quietly() -> None:
    program = subprocess.Popen(
        [*MATGRAD, "value", "a + 1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stderr is not None
    assert program.stderr.readline() == b"waiting for inputs on standard input\n"
    program.send_signal(signal.SIGINT)
    output, errors = program.communicate(timeout=60)
    assert program.returncode == 130
    assert output == b""
    assert errors.strip() == b""


def test_lines_are_answered_before_the_input_ends() -> None:
    program = subprocess.Popen(
        [*MATGRAD, "grad", "x**2", "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(b'{"x": 3}\n')
    program.stdin.flush()
    assert json.loads(program.stdout.readline())["results"][0]["data"] == 6
    output, errors = program.communicate(b'{"x": 4}\n', timeout=60)
    assert json.loads(output)["results"][0]["data"] == 8
    assert errors == b""


def test_pipes_and_files(tmp_path: Path) -> None:
    text = b'{"a":[1,2,3],"b":[4,5,6]}'
    piped = start("jacobian", "a*b", "--wrt", "b", "--format", "plain", input=text)
    assert piped.stdout.decode() == "1.0\t0.0\t0.0\n0.0\t2.0\t0.0\n0.0\t0.0\t3.0\n"
    path = tmp_path / "inputs.json"
    path.write_bytes(text)
    with path.open("rb") as stream:
        assert start("jacobian", "a*b", "--wrt", "b", "--format", "plain", stdin=stream).stdout == piped.stdout
    archive = io.BytesIO()
    np.savez(archive, a=np.array([1.0, 2, 3]), b=np.array([4.0, 5, 6]))
    from_archive = start("jacobian", "a*b", "--wrt", "b", "--format", "plain", input=archive.getvalue())
    assert from_archive.stdout == piped.stdout
    array = start("jacobian", "a*b", "--wrt", "b", "--format", "npy", input=text)
    assert np.load(io.BytesIO(array.stdout)).tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 3]]


def test_a_chain_of_pipes() -> None:
    first = start("grad", "sum(x**3)", "--wrt", "x", "--format", "npy", "-v", "x=[1, 2]")
    second = start("value", "2*g", "-v", "g=@-", "--format", "plain", input=first.stdout)
    assert second.stdout == b"6.0\n24.0\n"


def test_closed_standard_input_counts_as_none() -> None:
    assert start("value", "a + 1", "-v", "a=1", "--format", "plain", stdin=subprocess.DEVNULL).stdout == b"2.0\n"


def test_an_ascii_stream_gets_ascii() -> None:
    environment = dict(os.environ, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    run = subprocess.run(
        [*MATGRAD, "jacobian", "α*b", "--wrt", "b"], capture_output=True, input=b"", env=environment, timeout=120
    )
    assert run.returncode == 0
    assert run.stdout.isascii()
    assert b"rows: output" in run.stdout


def test_code_that_an_ascii_stream_cannot_hold_is_an_error() -> None:
    environment = dict(os.environ, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    command = [*MATGRAD, "formula", "α*b", "--wrt", "b", "--to", "numpy"]
    run = subprocess.run(command, capture_output=True, input=b"", env=environment, timeout=120)
    assert run.returncode == 4
    assert rb"error: the answer cannot be written: ascii has no '\u03b1'" in run.stderr
    assert b"PYTHONIOENCODING=utf-8" in run.stderr


def test_colour_where_it_is_forced_and_never_otherwise() -> None:
    forced = dict(os.environ, FORCE_COLOR="1")
    forced.pop("NO_COLOR", None)
    command = [*MATGRAD, "jacobian", "a*b", "--wrt", "b"]
    assert b"\x1b[" in subprocess.run(command, capture_output=True, input=b"", env=forced, timeout=120).stdout
    refused = subprocess.run([*command, "--no-color"], capture_output=True, input=b"", env=forced, timeout=120)
    assert b"\x1b[" not in refused.stdout
    assert b"\x1b[" not in start("jacobian", "a*b", "--wrt", "b").stdout


def test_an_absurdly_deep_expression_does_not_crash() -> None:
    assert start("value", "--", "-" * 30_000 + "x").returncode == 3
    deep = "(" * 30_000 + "x" + ")" * 30_000
    assert start("value", deep).returncode == 3

    def parsed() -> None:
        with pytest.raises(SyntaxProblem):
            parse(deep)

    assert calls_of(parsed) < 5000


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full is Linux's")
def test_an_answer_that_cannot_be_written_is_no_bug() -> None:
    with open("/dev/full", "wb") as full:
        run = subprocess.run([*MATGRAD, "value", "1 + 1"], stdout=full, stderr=subprocess.PIPE, timeout=120, input=b"")
    assert run.stderr == b"error: the answer cannot be written: No space left on device\n"
    assert run.returncode == 4
    named = start("value", "1 + 1", "-o", "/dev/full")
    assert named.stderr == b"error: cannot write `/dev/full`: no space left on device\n  --> -o /dev/full\n"
    assert named.returncode == 4


@pytest.mark.skipif(os.name != "posix", reason="the shell that closes the stream is a POSIX one")
def test_a_closed_output_is_no_bug() -> None:
    line = " ".join([*MATGRAD, "value", "'1 + 1'", ">&-"])
    run = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, timeout=120, input=b"")
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize(("stdin", "told"), [("pipe", True), ("file", True), ("nothing", False)])
@pytest.mark.parametrize("format", ["table", "plain", "json", "npy"])
def test_random_numbers_are_told_where_inputs_were_offered(
    stdin: str, told: bool, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, on streams as a shell would set."""
    (tmp_path / "empty").touch()
    if stdin == "pipe":
        descriptor, end = os.pipe()
        os.close(end)
    else:
        descriptor = os.open(tmp_path / "empty" if stdin == "file" else os.devnull, os.O_RDONLY)
    with (
        open(descriptor, encoding="utf-8") as offered,
        (tmp_path / "output").open("w", encoding="utf-8") as stdout,
        (tmp_path / "errors").open("w", encoding="utf-8") as stderr,
        monkeypatch.context() as patch,
    ):
        for name, stream in (("stdin", offered), ("stdout", stdout), ("stderr", stderr)):
            patch.setattr(f"sys.{name}", stream)
        assert run(["value", "sum(x)", "--format", format]) == 0
    assert ("`x` has no value: it is random" in (tmp_path / "errors").read_text("utf-8")) == told


def test_a_formula_does_not_wait_for_standard_input() -> None:
    words = [*MATGRAD, "formula", "x.T @ A @ x", "--wrt", "x"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"(A + A.T) @ x\n"
