"""Formulas in LaTeX, as an author would write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ...grammar.parser import parse
from ...grammar.spellings import latex_name
from ...grammar.syntax import Node, Program
from ...grammar.writer import write
from ..arrays import Static, silent
from ..elaboration.ranks import Ranks
from ..errors import MatgradError
from ..problems.problem import Problem
from ..shapes import Shape
from .latex_trees import Latex
from .lines import equation
from .setting import Setting
from .templates import spelling

_TALL = re.compile(r"\\(frac|sum|binom|begin)(?![a-z])")
_DELIMITER = re.compile(r"\\(left|right)([()\[\]])")


@silent
def latex(
    problem: Problem,
    shapes: Mapping[str, Shape],
    statics: Mapping[str, Static] | None = None,
    texts: Iterable[str] | None = None,
) -> list[str]:
    r"""Return the closed form of each derivative in LaTeX, without the dollar signs.

    Example: `latex(Problem.of("logdet(X)", "grad", ("X",)), {"X": (3, 3)})` is `["X^{-\\top}"]`. Where `texts` are
    given, they are these forms in a layout.
    """
    setting = Setting.of(problem, shapes, statics or {}, everywhere=False)
    trees = [form.program for form in setting.forms] if texts is None else map(parse, texts)
    return [latex_of(tree, setting.ranks) for tree in trees]


@silent
def statement(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None = None) -> str:
    r"""Return the derivatives as equations in LaTeX, with dollar signs: what a notebook shows.

    Example: for the gradient of `x @ x` it is `$$\frac{\partial}{\partial x} (x^{\top} x) = 2 x$$`. What is
    differentiated stands there as it was typed.
    """
    setting = Setting.of(problem, shapes, statics or {}, everywhere=False)
    formulas = [with_parts(form.program, setting.ranks) for form in setting.forms]
    if not problem.requests:
        return "\n".join(f"$${equation('', formula, parts)}$$" for formula, parts in formulas)
    typed, named = typed_in(problem, setting, statics or {})
    output = setting.ranks.of(setting.value[0].program.result)
    lines = []
    for wrt, (formula, parts) in zip(problem.requests, formulas, strict=True):
        left = slim(
            rf"{operator(wrt, [output, *(len(setting.inputs.get(name, ())) for name in wrt)])} \left({typed}\right)"
        )
        lines.append(f"$${equation(left, formula, dict.fromkeys([*named, *parts]))}$$")
    return "\n".join(lines)


def operator(wrt: tuple[str, ...], ranks: Sequence[int] = ()) -> str:
    r"""Return a derivative's sign: `operator(("x", "y"))` is `\frac{\partial^{2}}{\partial x \, \partial y}`.

    Where the `ranks` of a value and of its variables are known, a matrix of second derivatives by vectors has the last
    of them as a row, and numbers that repeat are a power.
    """
    order = f"^{{{len(wrt)}}}" if len(wrt) > 1 else ""
    letters = [variable(name) for name in wrt]
    if tuple(ranks) == (0, 1, 1):
        letters[1] += r"^{\top}"
    elif wrt and not any(ranks[1:]) and len(ranks) > 2 and len({*wrt}) == 1:
        letters = [f"{letters[0]}{order}"]
    below = r" \, ".join(rf"\partial {letter}" for letter in letters)
    return rf"\frac{{\partial{order}}}{{{below}}}"


def variable(name: str) -> str:
    """Return a variable in LaTeX: a name, or a part such as `A[0, 1]`."""
    return latex_name(name) if name.isidentifier() else write(parse(name).result, spelling("latex"))


def typed_in(problem: Problem, setting: Setting, statics: Mapping[str, Static]) -> tuple[str, list[str]]:
    """Return what is differentiated as it was typed, and its statements."""
    ranks = Ranks(setting.inputs, statics)
    try:
        return with_parts(problem.program, ranks)
    except MatgradError:  # what only elaborates at numbers
        return with_parts(setting.value[0].program, setting.ranks)


def latex_of(tree: Node, ranks: Ranks) -> str:
    """Return a tree in LaTeX; the parts that a program names are explained behind the result."""
    return equation("", *with_parts(tree, ranks))


def with_parts(
    tree: Node, ranks: Ranks, words: Mapping[str, str] | None = None, letters: str | None = None
) -> tuple[str, list[str]]:
    r"""Return a tree in LaTeX, and the equations that say what is named in it: `p = \operatorname{softmax}(x)`.

    `words` are names with a spelling of their own; with `letters` it is the entry at these indices.
    """
    ranks.add(tree)
    latex = Latex(ranks, words)

    def text(node: Node) -> str:
        return slim(write(node, spelling("latex")))

    assignments, result = (tree.assignments, tree.result) if isinstance(tree, Program) else ((), tree)
    found = text(latex.rewritten(result) if letters is None else latex.entries.of(result, letters))
    parts = [
        f"{latex.words.get(item.name, latex_name(item.name))} = {text(latex.rewritten(item.value))}"
        for item in assignments
    ]
    parts += [f"{name} = {text(meaning)}" for name, meaning in latex.defined.items()]
    return found, parts


def where(parts: Iterable[str]) -> str:
    """Return the definitions behind a formula."""
    listed = r", \; ".join(parts)
    return rf" \quad \text{{where }} {listed}" if listed else ""


def slim(text: str) -> str:
    r"""Return LaTeX with brackets that grow only around what is tall: `(x)`, but `\left(\frac{x}{2}\right)`."""
    opened: list[re.Match[str]] = []
    plain: list[re.Match[str]] = []
    for match in _DELIMITER.finditer(text):
        if match[1] == "left":
            opened.append(match)
            continue
        start = opened.pop()
        if not _TALL.search(text[start.end() : match.start()]):
            plain += [start, match]
    for match in sorted(plain, key=re.Match.start, reverse=True):
        text = text[: match.start()] + match[2] + text[match.end() :]
    return text
