"""What an explanation says: shapes, the differential of each part, and how the derivative is read off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...grammar.advice import Text
from ..problems.answer import Input, Warning
from ..shapes import Shape


@dataclass(frozen=True)
class Part:
    """A part of the expression and its shape."""

    text: str
    shape: Shape


@dataclass(frozen=True)
class Step:
    """The differential of one part: `text` is the part, `differential` what d(text) is, `rule` why.

    `meaning` is what the part stands for where that is unfolded first: `sum(x)/n` for `mean(x)`.
    """

    text: str
    shape: Shape
    differential: str
    rule: str
    meaning: str | None = None


@dataclass(frozen=True)
class Line:
    """A form that the differential of the whole takes on the way, and the name of the step that leads to it."""

    text: str
    rule: str


@dataclass(frozen=True)
class Explanation:
    """How the derivative by one name comes about.

    What is differentiated is `expr`, called `value` where its differential is written: `dF` of a matrix, `df` else, and
    `dg` of a gradient. `expanded` is the differential of the whole in terms of that of the variable alone, None where
    it is long; `lines` lead from there to `collected`, in which the derivative is drawn out. `vectorized` is vec of the
    differential as a matrix times vec of the variable's, and `quadratic` the second differential of a number by a
    vector; None where there is none. `formula` is the derivative itself, and `in_layout` the matrix that a layout makes
    of it, None where no layout is asked for. `sizes` gives the lengths that the formula names, and `origins` where the
    lengths come from that anything here names; with a `condition` it need hold for those sizes alone. `named` are the
    names given here to parts of the expression; `introduced` says what the functions are that the expression does not
    name itself. `sources` says where the derivative is published.
    """

    wrt: str
    expr: str
    value: str
    steps: tuple[Step, ...]
    expanded: str | None
    lines: tuple[Line, ...]
    collected: str
    formula: str
    noun: str
    structure: str | None
    meaning: tuple[Text, ...]
    notes: tuple[str, ...]
    sizes: Mapping[str, int]
    origins: Mapping[str, str]
    named: Mapping[str, str] = field(default_factory=dict)
    introduced: Mapping[str, str] = field(default_factory=dict)
    vectorized: str | None = None
    quadratic: str | None = None
    in_layout: str | None = None
    condition: str | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """The explanation of an expression: its parts, then one explanation per name.

    A second derivative has two: that of the gradient, and that of the gradient's own derivative. With a batch all of it
    is about one sample; `samples` is how many there are, None without a batch. Where samples are reduced, `reduced` are
    the derivatives of what is made of them.
    """

    expression: str
    inputs: Mapping[str, Input]
    parts: tuple[Part, ...]
    explanations: tuple[Explanation, ...]
    warnings: Sequence[Warning] = ()
    samples: int | None = None
    reduce: str | None = None
    reduced: tuple[str, ...] = ()
