"""What a calculation returns: plain records that any front end can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..arrays import Array
from ..errors import Label, Span
from .readings import Reading

if TYPE_CHECKING:
    from ...grammar.advice import Text
    from ..compressed.structured import Structured


class Input(NamedTuple):
    """A value for a name, and where it came from.

    `source` is a file name, `stdin`, `-v`, or `random`; a random input has its `seed` and `law` (`normal`,
    `uniform`, `randint:0:5`) and whether its shape was inferred rather than given; `read` says how, where its case
    does not. `redrawn` says that the value was not finite with the seeds before.
    """

    value: Array
    source: str
    seed: int | None = None
    law: str | None = None
    shape_inferred: bool = False
    read: Reading | None = None
    assumption: str | None = None
    redrawn: bool = False


def values_of(inputs: Mapping[str, Input]) -> dict[str, Array]:
    """Return the values of inputs by name."""
    return {name: item.value for name, item in inputs.items()}


def readings_of(inputs: Mapping[str, Input]) -> dict[str, Reading]:
    """Return how names without a shape were read, those that are not what their case says."""
    return {name: item.read for name, item in inputs.items() if item.read is not None}


class Warning(NamedTuple):
    """Something the user should know that does not stop the answer: a kink, an unused input, an infinity.

    `span` points into the expression; `notes` are further facts.
    """

    message: str
    span: Span | None = None
    label: str = ""
    notes: Sequence[Text] = ()
    code: str = "warning"

    @property
    def labels(self) -> list[Label]:
        """The label of the span, where there is one."""
        return [] if self.span is None else [Label(self.span, self.label)]


class Check(NamedTuple):
    """How far the numbers are from what independent means say: relative errors, None where a means does not apply.

    `digits_lost` are those that the expression loses by the rounding of its own steps, 16 where none is left: then no
    comparison can vouch for the rest.
    """

    finite_differences: float | None = None
    formula: float | None = None
    method: str = ""
    passed: bool = True
    note: str = ""
    digits_lost: int = 0

    @property
    def vouched(self) -> bool:
        """Whether something was compared and agrees, and no digits are lost: a note alone says why nothing was."""
        compared = self.finite_differences is not None or (self.formula is not None and not self.note)
        return self.passed and compared and not self.digits_lost


class Result(NamedTuple):
    """One derivative: `data` has the axes of the output, then those of each name in `wrt`.

    `formula` is valid input in which `sizes` says what each name of a size stands for, and `origins` where it comes
    from: `x.shape[0]`; with a `condition` it need hold for those sizes alone.

    `axes` labels each axis: `("out[i]", "b[j]")`. `axis_groups` counts the axes that belong to the output and to each
    name, so that a screen can put rows and columns together: `(("out", 1), ("b", 1))`. With a batch, `data` has one
    further axis in front that `axes` and `axis_groups` do not count. Where the derivative is kept in `compressed` form,
    `data` is empty. `sources` says where the derivative is published, if that was asked for.
    """

    wrt: tuple[str, ...]
    data: Array
    axes: tuple[str, ...]
    axis_groups: tuple[tuple[str, int], ...]
    formula: str | None = None
    structure: str | None = None
    check: Check | None = None
    sizes: Mapping[str, int] = {}
    origins: Mapping[str, str] = {}
    convention: str = ""
    compressed: Structured | None = None
    sources: tuple[str, ...] = ()
    condition: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the derivative."""
        return self.data.shape if self.compressed is None else self.compressed.shape


class Answer(NamedTuple):
    """Everything one command has to say: the inputs used, the value, the derivatives, the warnings.

    `batch` is the number of samples, and `reduce` says what was made of them: without it, each has a result of its own.
    `directions` are the tangents or cotangents by variable.
    """

    command: str
    expression: str
    inputs: Mapping[str, Input]
    value: Array | None
    results: Sequence[Result] = ()
    warnings: Sequence[Warning] = ()
    value_check: Check | None = None
    batch: int | None = None
    reduce: str | None = None
    directions: Mapping[str, Input] = {}
    details: Mapping[str, object] = {}
