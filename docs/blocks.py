"""The code blocks of the manual: found, run, compared, and written anew.

A console block holds commands behind `$` and what they print; a Python block holds a session behind `>>>`. The tests
run every one of them. `python docs/generate.py` writes down what they print now.
"""

from __future__ import annotations

import ast
import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
"""The pages of the manual."""


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of the code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


# --- console blocks --------------------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of the console blocks of a page, with the output that the page shows for it."""
    for block in blocks(text, "console"):
        yield from _commands(block)


def _commands(block: str) -> Iterator[tuple[str, str]]:
    for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = example.partition("\n")
        yield command, output


def printed(command: str) -> str:
    """Return what a command prints on both streams, in the root of the project and with matgrad installed."""
    ran = subprocess.run(
        [shutil.which("bash") or "bash", "-c", command],
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return ran.stdout


def comparable(output: str) -> str:
    """Return an output without what may differ between machines.

    That is the size of an error, which is rounding and depends on the BLAS library: `relative error 3e-16` becomes
    `relative error ...`, and how far a formula agrees `the formula agrees ...`, which is printed only of one that does.
    Blanks at the ends of lines, and empty lines at the end, are left out too.
    """
    lines = [line.rstrip() for line in output.splitlines()]
    text = re.sub(r"relative error [0-9.e+-]+", "relative error ...", "\n".join(lines))
    text = re.sub(r"the formula agrees (exactly|to [0-9.e+-]+)", "the formula agrees ...", text)
    return text.rstrip("\n")


def _environment() -> dict[str, str]:
    """Return the environment of a plain shell in which matgrad is installed."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    programs = Path(sys.executable).parent
    return kept | {"PATH": f"{programs}{os.pathsep}{kept['PATH']}", "PYTHONUTF8": "1"}


def _with_outputs(block: str) -> str:
    examples = list(_commands(block))
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(printed, (command for command, _ in examples)))
    parts = [
        # Rounding that differs is no reason to change a page.
        f"$ {command}\n{shown if comparable(shown) == comparable(output) else output}".rstrip()
        for (command, shown), output in zip(examples, outputs, strict=True)
    ]
    return "\n\n".join(parts) + "\n"


# --- Python blocks ---------------------------------------------------------------------------------------------------


def complaints(page: Path) -> str:
    """Run the Python sessions of a page in a process of their own; return what differs, nothing where all is well."""
    ran = subprocess.run(
        [sys.executable, __file__, str(page)],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return ran.stdout


def _session(text: str, name: str) -> doctest.DocTest:
    """Return the sessions of a page as one test: a block goes on where the one before it stopped."""
    inside, lines = False, []
    for line in text.splitlines():
        fence = line.startswith("```")
        # Lines outside become empty, so that line numbers stay true.
        lines.append(line if inside and not fence else "")
        inside = line == "```python" if fence else inside
    return doctest.DocTestParser().get_doctest("\n".join(lines) + "\n", {}, name, name, 0)


def _enter_operators(text: str) -> None:
    """Run the Python blocks that are no session as parts of the modules that their first lines name.

    A block that is one expression is an entry of the operator table, and is entered.
    """
    sys.path.append(str(ROOT / "tests"))
    for block in blocks(text, "python"):
        if block.startswith("# "):
            name = block.partition("\n")[0].removeprefix("# ").removesuffix(".py").replace("/", ".")
            import_module("matgrad.core.operators.table").load()
            # The tests are no part of the package.
            module = name.removeprefix("tests.") if name.startswith("tests.") else f"matgrad.{name}"
            namespace = vars(import_module(module))
            if isinstance(ast.parse(block).body[0], ast.Expr):
                import_module("matgrad.core.graph.catalogue").enter(eval(block.partition("\n")[2], namespace))
            else:
                exec(block, namespace)


class _Recorder(doctest.DocTestRunner):
    """Runs a session and keeps what each step printed."""

    def __init__(self) -> None:
        super().__init__(verbose=False)
        self.printed: list[str] = []

    def report_start(self, out: Any, test: doctest.DocTest, example: doctest.Example) -> None:
        """Say nothing."""

    def report_success(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        """Keep what is on the page."""
        self.printed.append(example.want)

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        """Keep what was printed."""
        self.printed.append(re.sub(r"^$(?=\n)", "<BLANKLINE>", got, flags=re.MULTILINE))

    def report_unexpected_exception(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        """Stop: a session of the manual that fails is mended by hand."""
        raise exc_info[1]


def _with_sessions(text: str) -> str:
    _enter_operators(text)
    test, recorder, lines = _session(text, "page"), _Recorder(), text.splitlines()
    recorder.run(test, out=lambda said: None, clear_globs=False)
    # From the end, so that the line numbers of what comes before stay true.
    for example, output in reversed(list(zip(test.examples, recorder.printed, strict=True))):
        first = example.lineno + len(example.source.splitlines())
        lines[first : first + len(example.want.splitlines())] = output.splitlines()
    return "\n".join(lines) + "\n"


# --- pages -----------------------------------------------------------------------------------------------------------


def with_outputs(text: str) -> str:
    """Return a page whose console and Python blocks show what they print now."""

    def replaced(match: re.Match[str]) -> str:
        return f"```console\n{_with_outputs(match[1])}```"

    text = re.sub(r"^```console\n(.*?)^```$", replaced, text, flags=re.MULTILINE | re.DOTALL)
    return _with_sessions(text)


if __name__ == "__main__":
    PAGE = Path(sys.argv[1])
    TEXT = PAGE.read_text(encoding="utf-8")
    _enter_operators(TEXT)
    doctest.DocTestRunner(verbose=False).run(_session(TEXT, PAGE.name))
