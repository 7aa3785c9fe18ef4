r"""All LaTeX that matgrad writes of what the tests keep, compiled by a TeX engine.

    python benchmarks/typeset.py
    python benchmarks/typeset.py --only forms --pages pages

These are the formulas, the equations of a notebook, the forms of derivatives of many axes and the derivations of the
published identities, of the forms of authors, of the operators' samples and of the command lines in the manual and in
the golden files. Each has a number in one document, so that an error says which it is. Errors and lines too wide for a
page are listed; `--pages` keeps the document. pdflatex with amsmath and amssymb is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from matgrad.cli.main import run
from matgrad.core.errors import MatgradError
from matgrad.core.explanation.derivation import explain
from matgrad.core.explanation.typesetting import in_latex
from matgrad.core.export.latex import latex, latex_of, statement
from matgrad.core.export.orders_in_latex import orders
from matgrad.core.export.setting import Setting
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, prepare
from matgrad.core.shapes import Shape

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
RECORDS = ROOT / "core" / "explanation" / "identities.jsonl"
FORMS = TESTS / "forms" / "forms.jsonl"
GOLDEN = TESTS / "cli" / "commands" / "golden"
KEPT = ("--wrt", "-v", "--var", "--shape", "--assume", "--batch", "--reduce", "--vec", "--layout")
KINDS = ("grad", "jacobian", "hessian", "derivative")
HEAD = r"""\documentclass{article}
\usepackage[a4paper,margin=2.5cm]{geometry}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\begin{document}
"""


class Item(NamedTuple):
    """A piece of mathematics, without dollar signs, and where it comes from."""

    origin: str
    text: str


def _records(path: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _identities() -> Iterator[Item]:
    for record in _records(RECORDS):
        if record["kind"] != "value":
            kind = {"mixed": "hessian"}.get(record["kind"], record["kind"])
            assume = {name: frozenset([said["assume"]]) for name, said in record["vars"].items() if "assume" in said}
            known = {name: words & {"symmetric", "spd", "diagonal"} for name, words in assume.items()}
            problem = Problem.of(record["expr"], kind, tuple(record["wrt"]), known)
            shapes = {name: tuple(said["shape"]) for name, said in record["vars"].items() if name in problem.names}
            yield from _derivatives(record["id"], problem, shapes)


def _forms() -> Iterator[Item]:
    for form in _records(FORMS):
        assume = {name: frozenset(words.split()) for name, words in form["assume"].items()}
        wrt = form["wrt"] if isinstance(form["wrt"], list) else form["wrt"].split(",")
        problem = Problem.of(form["expr"], form["kind"], tuple(wrt), assume)
        shapes = {name: tuple(shape) for name, shape in form["shapes"].items()}
        yield from _derivatives(f"{form['id']} {form['kind']}", problem, shapes)


def _derivatives(name: str, problem: Problem, declared: Mapping[str, Shape]) -> Iterator[Item]:
    """Yield all that is written of one problem."""
    prepared = prepare(problem, {}, Wishes(declared=declared, check=False))
    shapes, statics = prepared.shapes, prepared.statics
    for formula in latex(problem, shapes, statics):
        yield Item(f"{name}: {problem.text}", formula)
    yield Item(f"{name}: {problem.text}, in a notebook", statement(problem, shapes, statics))
    for form in orders(problem, shapes, statics):
        for equation in (form.index, form.linear_map, form.kronecker) if form else ():
            if equation is not None:
                yield Item(f"{name}: {problem.text}, of many axes", equation)
    for derivation in in_latex(explain(problem, {}, Wishes(declared=declared, check=False))).split("\n\n"):
        yield Item(f"{name}: {problem.text}, explained", derivation)


def _operators() -> Iterator[Item]:
    sys.path.insert(0, str(TESTS))
    from samples import SHAPES, TABLE, values_of

    for operator in TABLE:
        for sample in () if operator.hidden else operator.samples:
            wrt = tuple(values_of(operator, sample))[:1]
            problem = Problem.of(sample, "jacobian" if wrt else "value", wrt)
            setting = Setting.of(problem, {name: SHAPES[name] for name in problem.names}, {})
            for form in (*setting.value, *setting.derivatives):
                yield Item(f"{operator.name}: {sample}", latex_of(form.program, setting.ranks))


def _screens() -> Iterator[Item]:
    """Yield what the command lines of the manual and of the golden files come to in LaTeX."""
    pages = [*sorted(GOLDEN.glob("*.txt")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
    lines = [line for page in pages for line in re.findall(r"(?m)^\$ (matgrad .*)$", page.read_text(encoding="utf-8"))]
    for line in dict.fromkeys(lines):
        with contextlib.suppress(ValueError):  # a line of the shell's own language
            _, command, *words = shlex.split(line)
            kind = ["--kind", command] if command in KINDS else []
            if (not kind and command not in ("formula", "explain")) or {"|", "<"} & {*words} or not words:
                continue
            options = [word for pair in pairwise(words[1:]) if pair[0] in KEPT for word in pair]
            options += ["--kind", words[words.index("--kind") + 1]] if "--kind" in words and not kind else kind
            asked = "explain" if command == "explain" else "formula"
            found = _answer([asked, words[0], *options, "--to", "latex"])
            yield from (Item(line, part) for part in _parts(found))


def _parts(text: str) -> Iterator[str]:
    """Yield the formulas of a screen: a derivation whole, anything else line by line; `x: ` is by which name."""
    if r"\begin{aligned}" in text.splitlines()[:1] or "\n\\begin{aligned}\n" in text:
        yield from (part for part in text.split("\n\n") if part.strip())
        return
    for line in text.splitlines():
        formula = re.sub(r"^[\w, \[\]]+: ", "", line)
        if formula and not formula.startswith("%"):
            yield formula


def _answer(words: list[str]) -> str:
    """Return what a command writes; nothing where it is refused."""
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = run(words)
    out.flush()
    return written.getvalue().decode() if status == 0 else ""


SOURCES: dict[str, Callable[[], Iterator[Item]]] = {
    "forms": _forms, "identities": _identities, "operators": _operators, "screens": _screens,
}  # fmt: skip


def document(items: list[Item]) -> str:
    """Return a document with one equation for each item; the log says before each which one it is."""
    body = []
    for number, (_, text) in enumerate(items):
        equations = re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL) or [text]
        shown = "\n".join(f"\\[\n{equation.strip()}\n\\tag{{{number}}}\n\\]" for equation in equations)
        body.append(f"\\typeout{{ITEM {number}}}\n{shown}")
    return HEAD + "\n".join(body) + "\n\\typeout{ITEM end}\n\\end{document}\n"


def compiled(items: list[Item], folder: Path) -> str:
    """Return the log of a document of these items."""
    (folder / "formulas.tex").write_text(document(items), encoding="utf-8")
    environment = os.environ | {"max_print_line": "10000"}
    arguments = ["pdflatex", "-interaction=nonstopmode", "formulas.tex"]
    subprocess.run(arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    return (folder / "formulas.log").read_text(encoding="utf-8", errors="replace")


def complaints(log: str) -> Iterator[tuple[int, str]]:
    """Yield the number of an item and what TeX says of it."""
    place = -1
    for line in log.splitlines():
        if said := re.match(r"ITEM (\d+)", line):
            place = int(said[1])
        elif line.startswith("!"):
            yield place, line
        elif wide := re.match(r"Overfull \\hbox \((\S+)pt too wide\)", line):
            yield place, f"too wide by {float(wide[1]):.0f} pt"


def main() -> int:
    """Collect, compile, and list what TeX complains about."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SOURCES, action="append", help="a source; repeat it for several")
    parser.add_argument("--pages", type=Path, metavar="FOLDER", help="keep the document and its log in this folder")
    options = parser.parse_args()
    items: list[Item] = []
    for name in options.only or SOURCES:
        found: dict[str, Item] = {}
        try:
            for item in SOURCES[name]():
                found.setdefault(item.text, item)
        except MatgradError as error:
            raise SystemExit(f"{name}: {error}") from error
        items += found.values()
        print(f"{len(found):6d} texts of {name}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.pages or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        log = compiled(items, folder)
    if "ITEM end" not in log:
        print("TeX stopped before the end")
        return 1
    counts = Counter[str]()
    for place, complaint in complaints(log):
        counts["errors" if complaint.startswith("!") else "too wide"] += 1
        print(f"\n{items[place].origin}\n  {complaint}\n  {items[place].text}")
    print(f"\n{len(items)} texts: {counts['errors']} errors, {counts['too wide']} lines too wide for a page")
    return 1 if counts["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
