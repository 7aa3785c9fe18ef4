"""The errors of the mathematics: names, shapes, inputs, evaluation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..grammar.errors import ExpressionError, Label, MatgradError, Source, Span, SyntaxProblem

if TYPE_CHECKING:
    from typing import Unpack

    from ..grammar.errors import Details

__all__ = [
    "CheckFailed", "ChoiceError", "EvaluationError", "ExpressionError", "InputError", "Label", "LinesFailed",
    "MatgradError", "NoClosedFormError", "NotScalarError", "OutputError", "RankError", "ShapeError", "Source", "Span",
    "SyntaxProblem", "UnknownNameError", "UsageProblem", "point_into", "pointing_into", "surface",
]  # fmt: skip


def surface(problem: Exception) -> None:
    """Raise what a broad `except` has caught where MATGRAD_RAISE is set, as it is in the tests: there nothing hides."""
    if os.environ.get("MATGRAD_RAISE"):
        raise problem


EXPRESSION = "expression"


def point_into(expression: str, error: MatgradError) -> None:
    """Give an error that points somewhere without saying into what the expression to point into."""
    if error.labels and error.source is None:
        error.source = Source(EXPRESSION, expression)


@contextmanager
def pointing_into(expression: str) -> Iterator[None]:
    """Give errors that point somewhere without saying into what the expression to point into."""
    try:
        yield
    except MatgradError as error:
        point_into(expression, error)
        raise


class UnknownNameError(ExpressionError):
    """A function, or a name to differentiate by, that does not exist."""

    code = "unknown-name"


class ShapeError(ExpressionError):
    """Operands whose sizes do not fit together.

    `sizes` holds the two sizes that differ, `others` pairs that may differ too: shape inference learns from them which
    sizes must be equal.
    """

    code = "shape"

    def __init__(
        self,
        message: str,
        *labels: Label,
        sizes: tuple[int, int] | None = None,
        others: Sequence[tuple[int, int]] = (),
        **details: Unpack[Details],
    ) -> None:
        super().__init__(message, *labels, **details)
        self.sizes = sizes
        self.others = others


class RankError(ShapeError):
    """An operand with the wrong number of axes: `needed` is the number it should have.

    `operand` is its span; `position` says which operand of a call it is, where there are several.
    """

    code = "rank"

    def __init__(
        self,
        message: str,
        *labels: Label,
        needed: int,
        operand: Span | None = None,
        position: int = 0,
        **details: Unpack[Details],
    ) -> None:
        super().__init__(message, *labels, **details)
        self.needed = needed
        self.operand = operand
        self.position = position


class NotScalarError(ExpressionError):
    """A gradient was asked of an expression that is not a number."""

    code = "not-scalar"


class NoClosedFormError(ExpressionError):
    """A derivative by an operand for which there is no closed form; `node` is the function of it."""

    def __init__(self, message: str, node: object, reason: str) -> None:
        super().__init__(message, helps=[reason])
        self.node = node


class ChoiceError(ExpressionError):
    """A value of a setting that is none of those to choose from; `setting` is its name."""

    def __init__(self, message: str, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


class UsageProblem(MatgradError):
    """Options that contradict each other or ask for what does not exist."""

    code = "usage"


class InputError(MatgradError):
    """An input that is missing, malformed or not finite."""

    code = "input"


class OutputError(MatgradError):
    """An answer that the disk, or whatever else it goes to, does not take."""

    code = "output"


class EvaluationError(MatgradError):
    """Numbers for which the expression has no value: singular, out of the domain, too large."""

    code = "evaluation"


class CheckFailed(MatgradError):
    """A derivative, or a claim, that the numbers contradict."""

    code = "check"


class LinesFailed(MatgradError):
    """Lines of input that could not be answered while others were; `first` is the error of the first."""

    code = "lines"

    def __init__(self, message: str, first: MatgradError, **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.first = first
