"""Is a claimed derivative right? The claim is compared with the derivative at random inputs.

Agreement at random inputs of several shapes is evidence, not a proof; a disagreement is certain. A claim that is wrong
is compared with what people confuse a derivative with (`readings`), and one that matches nothing is shown where it
first differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...grammar.advice import Setting, Text, advise, in_python
from ..arrays import NEAR_MISS, SAME_NUMBERS, Array, first_place, largest, relative_error, silent, statics
from ..checking.results import check_results
from ..errors import UsageProblem
from ..formulas.closed_form import ClosedForm
from ..formulas.verified import NoFormula, closed_forms
from ..problems.answer import Answer, Input
from ..problems.problem import NOUNS, Problem
from ..session import Wishes, ambiguities, answer
from ..shapes import Shape, describe, show
from ..work import ASKED, TooMuchWork
from .points import Arrange, Point, Trial, length_in_words, one_by_one
from .readings import Reading
from .search import other_reading
from .sizes import sizes_in_numbers

SEVERAL_WAYS = 3


@dataclass(frozen=True)
class Verdict:
    """What was found out about a claim.

    `error` is the largest relative error at the points that were compared, None where the shapes differ. `matches`
    names what the claim is: `gradient`, `jacobian`, `hessian` or `derivative` where it holds, another reading such as
    `transposed` or `per sample` where it does not, None where no reading was found; `reason` says it in words. `factor`
    is the number by which the claim exceeds that reading. `difference` is the claim minus the derivative at the first
    point, None where the shapes differ.
    """

    expression: str
    claim: str
    wrt: tuple[str, ...]
    noun: str
    holds: bool
    error: float | None
    matches: str | None
    message: str
    reason: Text | None = None
    notes: tuple[Text, ...] = ()
    helps: tuple[Text, ...] = ()
    factor: str | None = None
    points: int = 0
    shape: Shape = ()
    expected_shape: Shape = ()
    difference: Array | None = None
    formula: str | None = None
    answer: Answer | None = field(default=None, repr=False, compare=False)

    def details(self, worded: Callable[[Text], str] = str) -> dict[str, object]:
        """Return the verdict as a record for JSON; `worded` says what advice is called there."""
        return {
            "expr": self.claim,
            "holds": self.holds,
            "error": self.error,
            "matches": self.matches,
            "factor": self.factor,
            "message": self.message,
            "reason": None if self.reason is None else worded(self.reason),
            "notes": [worded(note) for note in self.notes],
            "help": [worded(text) for text in self.helps],
            "points": self.points,
            "shape": list(self.shape),
            "expected_shape": list(self.expected_shape),
            "formula": self.formula,
        }

    def __str__(self) -> str:
        return "\n".join([self.message, *in_python(self.notes)])


@silent
def check_claim(
    problem: Problem, claim: str, given: Mapping[str, Input], wishes: Wishes, arrange: Arrange | None = None
) -> Verdict:
    """Return whether a claimed derivative is right, and what it is where it is not.

    Example: `check_claim(Problem.of("x.T @ A @ x", "jacobian", ("x",)), "2*A @ x", {}, Wishes()).holds` is False: it
    is right where A is symmetric.

    With a batch, expression and claim are about one sample, and are compared at one after another. `arrange` makes of
    a derivative what the claim is about, where that is one of its layouts.

    Raises ExpressionError, pointing into the claim, where that makes no sense; EvaluationError where the derivative
    has no finite value at any point.
    """
    if len(problem.requests) != 1:
        one, two = Setting("wrt", "x"), Setting("kind", "hessian")
        words = (one, " with a gradient or Jacobian; two names, or ", two, ", with a second derivative")
        raise UsageProblem("a claim is one derivative, and several are asked for", helps=[advise(*words)])
    if wishes.strict:  # a kink at the given inputs, or a result that is not finite, is an error
        answer(problem, given, wishes, "check")
    if not problem.per_sample:
        return Judgement(Trial(problem, claim, [given], wishes, arrange)).verdict()
    verdict = Judgement(Trial(*one_by_one(problem, claim, given, wishes), arrange)).verdict()
    return replace(verdict, answer=answer(problem, given, wishes, "check"))


class Judgement:
    """What is said of a claim after its trial."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def verdict(self) -> Verdict:
        """Return the verdict on the claim."""
        first = self.trial.points[0]
        fits = all(point.claimed.shape == point.truth.shape for point in self.trial.points)
        error = max(point.error for point in self.trial.points) if fits else None
        holds = error is not None and all(point.agrees for point in self.trial.points)
        reading = None if holds or self._is_itself else other_reading(self._as_searched(), self._plain_formula)
        own_key = self.trial.noun.lower() if self.trial.noun in NOUNS.values() else "derivative"
        of = f"the {self.trial.problem.reduce} of " if self.trial.problem.reduce else ""
        text, claimed = self.trial.problem.text.strip(), f"`{self.trial.claim}` {'is' if holds else 'is not'}"
        return Verdict(
            expression=self.trial.problem.text,
            claim=self.trial.claim,
            wrt=self.trial.problem.requests[0],
            noun=self.trial.noun,
            holds=holds,
            error=error,
            matches=own_key if holds else reading.key if reading else None,
            message=f"{claimed} the {self.trial.noun} of {of}`{text}` by {self.trial.by}",
            reason=reading.notes[0] if reading else None,
            notes=tuple(self._notes(error, holds, reading)),
            helps=reading.helps if reading else (),
            factor=reading.factor if reading else None,
            points=len(self.trial.points),
            shape=first.claimed.shape,
            expected_shape=first.truth.shape,
            difference=first.claimed - first.truth if fits else None,
            formula=self.formula,
            answer=self._answer(),
        )

    @cached_property
    def _is_itself(self) -> bool:
        """Whether a claim about a layout's matrix is the derivative as it is without one."""
        points = self.trial.points
        return bool(self.trial.arrange) and all(relative_error(p.claimed, p.derivative) <= SAME_NUMBERS for p in points)

    def _as_searched(self) -> Trial:
        """Return the trial; a claim in the axes of the derivative is not taken for a layout's matrix."""
        if not self.trial.arrange or any(p.claimed.shape != p.derivative.shape for p in self.trial.points):
            return self.trial
        own = copy(self.trial)
        own.arrange = None
        own.points = [replace(point, truth=point.derivative) for point in self.trial.points]
        return own

    @cached_property
    def closed_form(self) -> ClosedForm:
        """The closed form of the derivative."""
        first = self.trial.points[0]
        return closed_forms(self.trial.problem, first.calculation.shapes, statics(first.values), self.trial.compiler)[0]

    @property
    def _plain_formula(self) -> str | None:
        """The closed form as it is, None where it is too long, or none was found."""
        try:
            return self.closed_form.text
        except (TooMuchWork, NoFormula):
            return None

    @cached_property
    def formula(self) -> str | None:
        """What the claim should be: the closed form, as the matrix of a layout where one is asked for.

        None where it is too long, or none was found.
        """
        first = self.trial.points[0]
        text = self._plain_formula
        if text is None:
            return None
        (record,) = first.calculation.result_records([first.derivative], [None])
        return self.trial.arranged(record._replace(formula=text)).formula or text

    def _notes(self, error: float | None, holds: bool, reading: Reading | None) -> Iterator[Text]:
        if holds:
            assert error is not None
            yield f"they agree at {self._where()}: relative error {error:.1g}"
            yield from dict.fromkeys(point.loss.note(0) for point in self.trial.points if point.error > SAME_NUMBERS)
            yield from self.trial.remarks
            if (words := sizes_in_numbers(self.trial)) is not None:
                yield words
            return
        first = next(point for point in self.trial.points if not point.agrees)
        if reading is not None:
            yield from reading.notes
        if error is None:
            yield (
                f"the claim is {describe(first.claimed.shape)}, the {self.trial.noun} is {describe(first.truth.shape)}"
                f" (at {self._sizes(first)})"
            )
            if reading is None and not self._is_itself:
                yield from self._where_shapes_differ(first)
        elif reading is None:
            yield from self._where_it_differs(first)
        agreeing = sum(point.agrees for point in self.trial.points)
        if agreeing:
            yield f"it agrees at {agreeing} of {len(self.trial.points)} points: it holds for special inputs alone"
        if error is not None and error <= NEAR_MISS:
            yield f"it is close: the relative error is {error:.1g}, as of a rounded constant or an approximation"
        if self._is_itself:
            yield f"it is the {self.trial.noun} itself, which the layout arranges in another way"
        if self.formula is None:
            yield f"{ASKED.too_long()}: what the {self.trial.noun} is, is not shown"
            return
        yield f"the {self.trial.noun} is `{self.formula}`"
        lengths = (length_in_words(name, origin) for name, origin in self.closed_form.origins.items())
        yield from dict.fromkeys([*self.trial.remarks, *lengths])

    def _where(self) -> str:
        count = len(self.trial.points)
        drawn = any(item.seed is not None for point in self.trial.points for item in point.inputs.values())
        own = "the given inputs" if len(self.trial.samples) < 2 else f"{len(self.trial.samples)} samples"
        given = (
            f"{own} and {count - len(self.trial.samples)} random points"
            if self.trial.given
            else f"{count} random points"
        )
        if count == 1:
            given = "one random point" if drawn and not self.trial.given else "the given inputs alone"
        sizes = list(dict.fromkeys(self._sizes(point) for point in self.trial.points))
        return f"{given} ({'; '.join(text for text in sizes[:SEVERAL_WAYS] if text)})"

    @staticmethod
    def _sizes(point: Point) -> str:
        return ", ".join(f"{name} {show(shape)}" for name, shape in point.shapes.items())

    def _where_shapes_differ(self, point: Point) -> Iterator[Text]:
        """Say which axis of a claim has another length than that of the derivative, and what lengths these are."""
        claimed, truth = point.claimed.shape, point.truth.shape
        if len(claimed) != len(truth):
            return
        if claimed == truth[::-1]:
            yield "its axes are in another order"
            return
        (variable,) = {*self.trial.problem.requests[0]} if len({*self.trial.problem.requests[0]}) == 1 else ("",)
        own = point.shapes.get(variable, ())
        for axis, (found, wanted) in enumerate(zip(claimed, truth, strict=True)):
            if found != wanted:
                place = axis - len(truth) + len(own)
                of = f" of `{variable}`" if own and place >= 0 and own[place] == wanted else ""
                lengths = {f"`{name}`" for name, shape in point.shapes.items() if found in shape}
                like = f", a length of {' and '.join(sorted(lengths))}" if 0 < len(lengths) < 3 else ""
                if like or of:
                    yield f"axis {axis} has {found} entries{like}, and should have the {wanted}{of}"

    def _where_it_differs(self, point: Point) -> Iterator[str]:
        scale = max(largest(point.truth), largest(point.claimed))
        apart = np.abs(point.claimed - point.truth) > SAME_NUMBERS * scale
        apart |= ~np.isfinite(point.claimed)
        index = first_place(apart)
        at = f"entry [{', '.join(map(str, index))}]" if index else "they"
        seeds = {item.seed for item in point.inputs.values() if item.seed is not None}
        inputs = f"random inputs of seed {min(seeds)}" if seeds else "the given inputs"
        count = int(apart.sum())
        several = f"; {count} of {apart.size} entries differ" if index else ""
        verb = "differs first" if index else "differ"
        yield (
            f"{at} {verb}: the claim has {point.claimed[index]:.6g}, the {self.trial.noun} {point.truth[index]:.6g} "
            f"(at {inputs}, {self._sizes(point)}){several}"
        )

    def _answer(self) -> Answer:
        """Return the derivative at the first point, checked by differences, as an answer of its own."""
        first = self.trial.points[0]
        calculation = first.calculation
        wishes, data = self.trial.wishes, [first.derivative]
        checks = check_results(calculation, first.values, data, False, wishes.seed) if wishes.check else [None]
        inputs = {name: item._replace(read=self.trial.readings.get(name)) for name, item in first.inputs.items()}
        results = calculation.result_records(data, checks)
        if self.formula is not None:
            form = self.closed_form
            results = [r._replace(formula=form.text, sizes=form.sizes, origins=form.origins) for r in results]
        return Answer("check", self.trial.problem.text, inputs, first.value, results, ambiguities(calculation))
