"""The options of the commands that compute, and how a shell completes the words after them."""

from __future__ import annotations

import re
from typing import Any

import click

from ...core.shapes import ASSUMPTIONS
from ...grammar.vocabulary import LIBRARIES

FORMATS = ("table", "plain", "json", "npy", "csv", "latex", "markdown", "mtx", "structured")
LAYOUTS = ("generalized", "numerator", "denominator", "flat")
DERIVATIVE_KINDS = ("grad", "jacobian", "hessian")
LAWS = ("normal", "uniform", "randint:0:5")


class SectionOption(click.Option):
    """An option that belongs to a section of the help page."""

    def __init__(self, *declarations: str, section: str, **attributes: Any) -> None:
        super().__init__(list(declarations), **attributes)
        self.section = section


def common_options() -> list[SectionOption]:
    """Return the options that every command that computes has."""
    return [*_input_options(), *_answer_options(), *_output_options()]


def wrt_option(complete: Any) -> SectionOption:
    """Return `--wrt`."""
    return SectionOption(
        "--wrt", section="Derivative", multiple=True, metavar="NAME", shell_complete=complete,
        help="Differentiate by this name; repeat it, or give x,A. Not needed where there is only one name.",
    )  # fmt: skip


def claim_option() -> SectionOption:
    """Return `--claim`."""
    return SectionOption(
        "--claim", section="Derivative", metavar="EXPR2",
        help="What you think the derivative is: an expression over the same names.",
    )  # fmt: skip


def kind_option() -> SectionOption:
    """Return `--kind`."""
    return SectionOption(
        "--kind", section="Derivative", type=click.Choice(DERIVATIVE_KINDS), metavar="KIND",
        help="grad, jacobian or hessian.  [default: hessian for two names, else jacobian]",
    )  # fmt: skip


def direction_option(word: str) -> SectionOption:
    """Return `--tangent` or `--cotangent`."""
    of = "each variable" if word == "tangent" else "the output"
    return SectionOption(
        f"--{word}", "directions", section="Derivative", multiple=True, metavar="VALUE",
        shell_complete=_words(("ones", "random")),
        help=f"The {word}, of the shape of {of}: a VALUE as for -v, or ones, or random (the default).",
    )  # fmt: skip


def _input_options() -> list[SectionOption]:
    section = "Inputs"
    return [
        SectionOption("-i", "--inputs", "files", section=section, multiple=True, metavar="FILE|-",
                      shell_complete=_files, help="JSON {name: number or list}, or .npz; - is standard input."),
        SectionOption("-v", "--var", "variables", section=section, multiple=True, metavar="NAME=VALUE",
                      shell_complete=_pair_names,
                      help="VALUE: a number, '[1, 2]', '[1 2; 3 4]', @file.npy, @file.npz:key, @file.csv, @file.mtx, "
                           "@file.json, @-. Wins over -i."),
        SectionOption("--shape", "shapes", section=section, multiple=True, metavar="NAME=5x2",
                      shell_complete=_pair_names,
                      help="Random numbers of this shape; `scalar` for a number. Without it, the shape is inferred."),
        SectionOption("--assume", "assumptions", section=section, multiple=True, metavar="NAME=WORD",
                      shell_complete=_assumption_words, help=f"One of {', '.join(ASSUMPTIONS)}."),
        SectionOption("--independent-entries", "independent", section=section, is_flag=True,
                      help="By a symmetric variable: count each pair of entries as one variable, G + G.T - diag(G)."),
        SectionOption("--random", "law", section=section, default="normal", metavar="LAW",
                      shell_complete=_words(LAWS), help="Draw from normal, uniform or randint:0:5.  [default: normal]"),
        SectionOption("--seed", section=section, default="0", metavar="N",
                      help="The seed of the random numbers.  [default: 0]"),
        SectionOption("--batch", section=section, multiple=True, metavar="NAME", shell_complete=expression_names,
                      help="The first axis of NAME counts samples; the expression is for one sample."),
    ]  # fmt: skip


def _answer_options() -> list[SectionOption]:
    section = "Answer"
    return [
        SectionOption("--layout", section=section, type=click.Choice(LAYOUTS), default="generalized", metavar="LAYOUT",
                      help="generalized, numerator, denominator or flat.  [default: generalized]"),
        SectionOption("--strict", section=section, is_flag=True,
                      help="Treat kinks and results that are not finite as errors."),
        SectionOption("--no-check", section=section, is_flag=True, help="Do not compare with finite differences."),
        SectionOption("--max-memory", "limit", section=section, default="1GiB", metavar="SIZE",
                      help="Refuse larger arrays: 500MB, 4GiB.  [default: 1GiB]"),
    ]  # fmt: skip


def _output_options() -> list[SectionOption]:
    section = "Output"
    return [
        SectionOption("--format", section=section, type=click.Choice(FORMATS), metavar="FORMAT",
                      help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}.  [default: table, or as FILE ends]"),
        SectionOption("--json", section=section, is_flag=True, help="Short for --format json."),
        SectionOption("-o", "--output", section=section, metavar="FILE", shell_complete=_files,
                      help="Write to a file."),
        SectionOption("--precision", section=section, metavar="N|full",
                      help="Significant digits.  [default: 6 in tables, all in json, plain, csv and npy]"),
        SectionOption("--no-color", section=section, is_flag=True, help="No colour, whatever the terminal says."),
    ]  # fmt: skip


def lines_option() -> SectionOption:
    """Return `--lines`."""
    return SectionOption(
        "--lines", section="Inputs", is_flag=True,
        help="JSON Lines on standard input or in -i FILE.jsonl: inputs on each line in, one JSON result per line out.",
    )  # fmt: skip


# Completion of words. Names are found in the expression that is already typed, without parsing it.


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
