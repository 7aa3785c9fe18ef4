"""The options of the commands that compute, and how a shell completes the words after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from ...core.shapes import ASSUMPTIONS, LAYOUTS, REDUCTIONS
from ...grammar.vocabulary import LIBRARIES

FORMATS = ("table", "plain", "json", "npy", "csv", "latex", "markdown", "mtx", "structured")
DERIVATIVE_KINDS = ("grad", "jacobian", "hessian")
SYNTAXES = ("matgrad", "matlab")
LAWS = ("normal", "uniform", "randint:0:5")


class SectionOption(click.Option):
    """An option that belongs to a section of the help page."""

    def __init__(self, *declarations: str, section: str, **attributes: Any) -> None:
        super().__init__(list(declarations), **attributes)
        self.section = section


def choice(words: Sequence[str]) -> str:
    """Return words to choose from as a sentence has them: `choice(["row", "column"]) == "row or column"`."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


# Completion: names are found in the expression that is already typed, without parsing it.


def names_in(text: str) -> list[str]:
    """Return what looks like a name in an expression: `names_in("np.exp(A @ x).sum(axis=0)") == ["A", "x"]`."""
    text = re.sub(r"#[^\n]*|\"[^\"]*\"", " ", text)
    assigned = set(re.findall(r"([^\W\d]\w*)\s*=(?!=)", text))
    found = re.findall(r"(?<![\w.])([^\W\d]\w*)\b(?!\s*\()(\.?)", text)
    names = [name for name, dot in found if name not in assigned and not (dot and name in LIBRARIES)]
    return list(dict.fromkeys(names))


def expression_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a name of the expression, the last one of a comma-separated list."""
    head, comma, last = incomplete.rpartition(",")
    names = names_in(" ; ".join(ctx.params.get("words") or ()))
    return [f"{head}{comma}{name}" for name in names if name.startswith(last)]


def _pair_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [f"{name}=" for name in expression_names(ctx, parameter, incomplete) if "=" not in incomplete]


def _assumption_words(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    name, equals, words = incomplete.partition("=")
    if not equals:
        return _pair_names(ctx, parameter, incomplete)
    head, comma, last = words.rpartition(",")
    return [f"{name}={head}{comma}{word}" for word in ASSUMPTIONS if word.startswith(last)]


def _words(words: tuple[str, ...]) -> Any:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


# The options, in the order of the help page.

_derivative, _input, _answer, _output = (
    partial(SectionOption, section=section) for section in ("Derivative", "Inputs", "Answer", "Output")
)

WRT = _derivative(
    "--wrt", multiple=True, metavar="NAME", shell_complete=expression_names,
    help="Differentiate by this name, or a part such as A[0,1]; repeat it, or give x,A. "
         "Not needed where there is only one name.",
)  # fmt: skip
CLAIM = _derivative(
    "--claim", metavar="EXPR2", help="What you think the derivative is: an expression over the same names."
)
KIND = _derivative(
    "--kind", type=click.Choice(DERIVATIVE_KINDS), metavar="KIND",
    help=f"{choice(DERIVATIVE_KINDS)}.  [default: hessian for two names, else jacobian]",
)  # fmt: skip
CITE = _answer("--cite", is_flag=True, help="Name the source where the derivative is a published identity.")
STEPS_OF = _derivative(
    "--kind", type=click.Choice(DERIVATIVE_KINDS), metavar="KIND",
    help=f"{choice(DERIVATIVE_KINDS)}.  [default: the first derivative by each name]",
)  # fmt: skip
LINES = _input(
    "--lines", is_flag=True,
    help="JSON Lines on standard input or in -i FILE.jsonl: inputs on each line in, one JSON result per line out.",
)  # fmt: skip
CLUSTER = _answer(
    "--cluster", metavar="WHERE", shell_complete=_words(("local", "tcp://")),
    help="Compute blocks on Dask workers: local, or those of the scheduler at tcp://HOST:PORT.",
)  # fmt: skip
RESUME = _output("--resume", is_flag=True, help="Keep what a run in blocks has done, and go on from there.")
JSON = _output("--json", is_flag=True, help="The same as JSON.")
NO_COLOR = _output("--no-color", is_flag=True, help="No colour, whatever the terminal says.")
COMMON = (
    _input("-i", "--inputs", "files", multiple=True, metavar="FILE|-", shell_complete=_files,
           help="JSON {name: number or list}, .npz, or a CSV table with headings; - is standard input."),
    _input("-v", "--var", "variables", multiple=True, metavar="NAME=VALUE", shell_complete=_pair_names,
           help="VALUE: a number, '[1, 2]', '[1 2; 3 4]', @file.npy, @file.npz:key, @file.csv, "
                "@file.csv:column, @file.mtx, @file.json, @file.h5:key, @file.zarr, "
                "@file.parquet:column, @'parts/*.npy', @-. Wins over -i."),
    _input("--shape", "shapes", multiple=True, metavar="NAME=5x2", shell_complete=_pair_names,
           help="Random numbers of this shape; `scalar` for a number. Without it, the shape is inferred."),
    _input("--assume", "assumptions", multiple=True, metavar="NAME=WORD", shell_complete=_assumption_words,
           help=f"One of {', '.join(ASSUMPTIONS)}."),
    _input("--independent-entries", "independent", is_flag=True,
           help="By a symmetric variable: count each pair of entries as one variable, G + G.T - diag(G)."),
    _input("--random", "law", default="normal", metavar="LAW", shell_complete=_words(LAWS),
           help=f"Draw from {choice(LAWS)}.  [default: normal]"),
    _input("--seed", default="0", metavar="N", help="The seed of the random numbers.  [default: 0]"),
    _input("--no-random", is_flag=True, help="A name without a value is an error."),
    _input("--batch", multiple=True, metavar="NAME", shell_complete=expression_names,
           help="The first axis of NAME, and of its --shape, counts samples; the expression is for one sample."),
    _input("--reduce", type=click.Choice(REDUCTIONS), metavar="HOW",
           help="sum or mean: with --batch, of the values of all samples. NAME stands for all of them in the formula."),
    _input("--syntax", type=click.Choice(SYNTAXES), metavar="NAME",
           help="matlab: `*` is the matrix product, as marks such as `.*` say too; matgrad: whatever the marks."),
    _answer("--layout", type=click.Choice(LAYOUTS), default="generalized", metavar="LAYOUT",
            help=f"{choice(LAYOUTS)}.  [default: generalized]"),
    _answer("--strict", is_flag=True,
            help="Treat kinks and results that are not finite as errors; with --lines, stop at the first error."),
    _answer("--no-check", is_flag=True, help="Do not compare with finite differences."),
    _answer("--max-memory", "limit", default="1GiB", metavar="SIZE",
            help="Refuse larger arrays: 500MB, 4GiB.  [default: 1GiB]"),
    _output("--format", type=click.Choice(FORMATS), metavar="FORMAT",
            help=f"{choice(FORMATS)}.  [default: table, or as FILE ends]"),
    _output("--json", is_flag=True, help="Short for --format json."),
    _output("-o", "--output", metavar="FILE", shell_complete=_files,
            help="Write to a file; .json, .csv, .md, .tex, .npy, .npz, .zarr and .mtx choose the format."),
    _output("--precision", metavar="N|full",
            help="Significant digits.  [default: 6 in tables, all in json, plain, csv and npy]"),
    NO_COLOR,
)  # fmt: skip


def direction_option(word: str) -> SectionOption:
    """Return `--tangent` or `--cotangent`."""
    of = "each variable" if word == "tangent" else "the output"
    return _derivative(
        f"--{word}", "directions", multiple=True, metavar="VALUE", shell_complete=_words(("ones", "random")),
        help=f"The {word}, of the shape of {of}: a VALUE as for -v, or ones, or random (the default).",
    )  # fmt: skip
