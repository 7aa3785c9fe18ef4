"""Slips of the pen: a claim that is right but for one place of it, or that lacks a part of the derivative's formula.

`2*A @ (A @ x - b)` is the gradient of `norm(A @ x - b)**2` with `A.T` in place of the first `A`. As the gradient of
`sum((X @ w - y)**2) + lam*sum(w**2)`, the claim `2*X.T @ (X @ w - y)` lacks the summand `2*lam*w`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, islice

import numpy as np

from ...grammar.rewriting import rewritten
from ...grammar.syntax import Binary, Call, Name, Node, walk
from ...grammar.writer import write
from ..arrays import Array
from .edits import CONFUSIONS, EITHER_WAY, TOO_MANY, Confusion, Edit, edits
from .pools import applied, exchanged_with, lacking
from .readings import Inquiry, Reading, agrees
from .trees import chain, flat, negated, opened, summands

MOST_EDITS = 600
MOST_FACTORS = 8
MOST_SUMMANDS = 8
SIMPLE = 6


class Slips(Inquiry):
    """What is wrong in one place of a claim."""

    def missing_summand(self) -> Reading | None:
        """Return the summand of the formula that the claim lacks, or two of them."""
        terms = [] if self.formula is None else list(summands(opened(self.formula)))
        for count in (1, 2):
            for absent in combinations(terms if count < len(terms) <= MOST_SUMMANDS else (), count):
                rest = [negated(node) if sign < 0 else node for sign, node in absent]
                if self.is_right(chain([self.claim, *rest], "+")):
                    listed, verb = (
                        " and ".join(f"`{write(flat(node))}`" for node in rest),
                        "is" if count == 1 else "are",
                    )
                    noun = "the summand" if count == 1 else "the summands"
                    return Reading("missing summand", (f"{noun} {listed} {verb} missing",))
        for edit in self._lacking():
            if isinstance(edit.before, Binary) and edit.before.operator in "+-" and self.is_the_claim(edit.tree):
                return self._lacks(edit)
        return None

    def missing_factor(self) -> Reading | None:
        """Return the factor of the formula that the claim lacks."""
        factors = (edit for edit in self._lacking() if isinstance(edit.before, Binary))
        return next((self._lacks(edit) for edit in factors if self.is_the_claim(edit.tree)), None)

    def missing_function(self) -> Reading | None:
        """Return the function of the formula that the claim lacks."""
        return next((self._lacks(edit) for edit in self._lacking() if self.is_the_claim(edit.tree)), None)

    def off_by_a_factor(self) -> Reading | None:
        """Return the one summand of the claim that is wrong by a factor or by its sign."""
        terms = list(summands(self.claim))
        if len(terms) < 2:
            return None
        for sign, term in terms:
            factor = self._factor_of(sign, term)
            if factor is None:
                continue
            wrong = write(term if sign > 0 else negated(term))
            if factor == -1:
                return Reading("sign of a summand", (f"the sign of the summand `{write(term)}` is wrong",))
            if not factor:
                return Reading("one too many", (f"the summand `{wrong}` is one too many: without it, it is right",))
            words = f"the summand `{wrong}` is off by a factor: it is right with {factor} times that"
            return Reading("factor of a summand", (words,), str(1 / factor))
        return None

    def _factor_of(self, sign: int, term: Node) -> Fraction | None:
        """Return by what a summand of the claim is to be multiplied for the whole to be right."""
        first: Fraction | None = None
        for point, values in zip(self.points, self.values, strict=True):
            value = values.of(term)
            if value is None or point.claimed.shape != point.truth.shape:
                return None
            try:
                own = np.broadcast_to(sign * value, point.truth.shape)
            except ValueError:
                return None
            rest, norm = point.truth - point.claimed + own, float(np.sum(own * own))
            if not norm or not np.isfinite(rest).all():
                return None
            if first is None:
                first = Fraction(float(np.sum(rest * own)) / norm).limit_denominator(SIMPLE)
            if first == 1 or not agrees(point.truth, point.claimed + float(first - 1) * own):
                return None
        return first

    def one_place(self, confusions: tuple[Confusion, ...], *, but_for_all: bool = False) -> Reading | None:
        """Return the one place of the claim that is wrong; `but_for_all`, not the claim as a whole."""
        for edit in islice(edits(self.claim, confusions, self.shape_of), MOST_EDITS):
            if not (but_for_all and edit.tree is edit.after) and self.is_right(edit.tree):
                return self._right_with(edit)
        return None

    def lacking_part(self) -> Reading | None:
        """Return the part of the expression that is missing somewhere, or that another stands for."""
        trees = [self.expression, self.claim, *([self.formula] if self.formula else [])]
        parts: list[Node] = [part for tree in trees for part in walk(tree) if isinstance(part, Name | Call)]
        pool = [part for part in dict.fromkeys(parts) if self.shape_of(part) is not None][:MOST_FACTORS]
        names = [part for part in pool if isinstance(part, Name) or part in walk(self.expression)]
        calls = [part for part in parts if isinstance(part, Call)]
        functions = dict.fromkeys(call.function for call in calls if len(call.arguments) == 1 and not call.keywords)
        return self.one_place((exchanged_with(names),), but_for_all=True) or self.one_place(
            (applied([*functions]), lacking(pool))
        )

    def one_place_and_turned(self) -> Reading | None:
        """Return the one place that is wrong in a claim that is the derivative transposed or flattened."""
        targets = self._targets()
        for edit in islice(edits(self.claim, CONFUSIONS, self.shape_of), MOST_EDITS):
            for words, arrays in targets:
                if self.everywhere(edit.tree, iter(arrays)):
                    found = self._right_with(edit, f"it is {words}")
                    return Reading(f"{found.key}, turned", found.notes)
        return None

    def _targets(self) -> list[tuple[str, list[Array]]]:
        """Return what a claim may be about besides the derivative as it is."""
        truths = [point.truth for point in self.points]
        if all(truth.ndim == 2 for truth in truths):
            return [(f"the transpose of the {self.noun}", [truth.T for truth in truths])]
        if truths[0].ndim == 4:
            rows, columns = [], []
            for truth in truths:
                m, n, p, q = truth.shape
                rows.append(truth.reshape(m * n, p * q))
                columns.append(truth.transpose(1, 0, 3, 2).reshape(m * n, p * q))
            return [
                (f"the {self.noun} flattened row by row", rows),
                (f"the {self.noun} flattened column by column", columns),
            ]
        return []

    def written_in_the_formula(self) -> Reading | None:
        """Return the one place in which the claim differs from the formula."""
        if self.formula is None:
            return None
        for edit in islice(edits(self.formula, EITHER_WAY, self.shape_of), MOST_EDITS):
            if self.is_the_claim(edit.tree):
                words = f"the {self.noun} has `{write(edit.before)}` in place of `{write(edit.after)}`"
                return Reading(edit.confusion.key, (words,))
        return None

    def _lacking(self) -> Iterator[Edit]:
        return iter(()) if self.formula is None else edits(self.formula, (TOO_MANY,), self.shape_of)

    def _lacks(self, edit: Edit) -> Reading:
        gone = _gone(edit)
        match edit.before:
            case Binary("+" | "-"):
                assert self.formula is not None
                alone = rewritten(self.formula, lambda node: gone if node is edit.before else None)
                both = Binary("+", self.claim, alone)
                missing = flat(alone) if self.is_right(both) else gone
                return Reading("missing summand", (f"the summand `{write(missing)}` is missing",))
            case Binary("/"):
                return Reading("missing factor", (f"it is not divided by `{write(gone)}`",))
            case Binary():
                return Reading("missing factor", (f"the factor `{write(gone)}` is missing",))
        return Reading("missing function", (f"`{write(edit.before)}` is meant, not `{write(edit.after)}`",))

    def _right_with(self, edit: Edit, verb: str = "it is right") -> Reading:
        before, after, whole = write(edit.before), write(edit.after), write(edit.tree)
        reason = f"{edit.confusion.words}: " if edit.confusion.words else ""
        place = f"each `{before}`" if edit.everywhere else f"`{before}`"
        words = f"{reason}with `{after}` in place of {place} {verb}: `{whole}`"
        if edit.tree == edit.after:
            words = f"{reason}`{whole}` would be right" if verb == "it is right" else f"{reason}as `{whole}` {verb}"
        if edit.confusion is TOO_MANY and isinstance(edit.before, Call):
            words = f"the function `{edit.before.function}` is one too many: {words}"
        elif edit.confusion is TOO_MANY:
            gone = write(_gone(edit))
            what = f"the {OPERANDS[getattr(edit.before, 'operator', '')]} `{gone}`"
            if edit.before == Binary("/", edit.after, _gone(edit)):
                what = f"the division by `{gone}`"
            words = f"{what} is one too many: without it {verb}: `{whole}`"
        return Reading(edit.confusion.key, (words,))


OPERANDS = {"+": "summand", "-": "summand", "*": "factor", "@": "factor", "/": "factor"}


def _gone(edit: Edit) -> Node:
    """Return the operand that an edit leaves out."""
    if not isinstance(edit.before, Binary):
        return edit.before
    left, right = edit.before.left, edit.before.right
    if edit.after is left:
        return negated(right) if edit.before.operator == "-" else right
    return left
