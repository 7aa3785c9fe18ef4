"""Where a claim is right in part: some of its entries, or some of its summands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ...grammar.syntax import Node
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, AnyArray, Array, largest
from ..shapes import Shape
from .readings import Inquiry, Reading, agrees
from .trees import flat, negated, opened, summands

Where: TypeAlias = "Callable[[Shape], AnyArray]"


def _ends(shape: Shape, first: bool, last: bool) -> AnyArray:
    """Return all entries but the first, the last, or both along the first axis."""
    places = np.ones(shape, dtype=bool)
    if first:
        places[0] = False
    if last:
        places[-1] = False
    return places


# Which entries are right, and what is said of that; for square matrices, and for all.
OF_MATRICES: tuple[tuple[str, Where], ...] = (
    ("it is right off the diagonal alone", lambda shape: ~np.eye(shape[0], dtype=bool)),
    ("the lower triangle alone is right, with the diagonal", lambda shape: np.tri(shape[0], dtype=bool)),
    ("the upper triangle alone is right, with the diagonal", lambda shape: np.tri(shape[0], dtype=bool).T),
    ("the lower triangle alone is right, without the diagonal", lambda shape: np.tri(shape[0], k=-1, dtype=bool)),
    ("the upper triangle alone is right, without the diagonal", lambda shape: np.tri(shape[0], k=-1, dtype=bool).T),
    ("the diagonal alone is right", lambda shape: np.eye(shape[0], dtype=bool)),
)
OF_ALL: tuple[tuple[str, Where], ...] = (
    ("it is right but for the first {0}", lambda shape: _ends(shape, True, False)),
    ("it is right but for the last {0}", lambda shape: _ends(shape, False, True)),
    ("it is right but for the first and the last {0}", lambda shape: _ends(shape, True, True)),
)


class Partly(Inquiry):
    """Which part of a claim is right."""

    def only_these_entries(self) -> Reading | None:
        """Return which entries are right, the same at every point."""
        shape = self.points[0].truth.shape
        if not shape or self.misfits:
            return None
        square = len(shape) == 2 and all(len(set(point.truth.shape)) == 1 for point in self.points)
        row = "entry" if len(shape) == 1 else "row"
        for words, where in (*(OF_MATRICES if square else ()), *OF_ALL):
            if any(n < 3 for n in shape) or not all(_right_at(p.claimed, p.truth, where) for p in self.points):
                continue
            zero = all(not largest(point.claimed[~where(point.claimed.shape)]) for point in self.points)
            rest = "; the other entries are left out" if zero else ""
            return Reading("only some entries", (words.format(row) + rest,))
        return None

    def but_for_zeros(self) -> Reading | None:
        """Return whether the claim is right wherever the derivative, or the claim itself, is not 0."""
        if self.misfits:
            return None
        truths, claims = [point.truth for point in self.points], [point.claimed for point in self.points]
        ways = (
            (f"it is right where the {self.noun} is not 0; its other entries should be 0", truths),
            ("its entries that are not 0 are right; the others should not be 0", claims),
        )
        for words, sides in ways:
            masks = [side != 0 for side in sides]
            right = (_right(c, t)[mask].all() and mask.any() for c, t, mask in zip(claims, truths, masks, strict=True))
            if all(right) and not all(mask.all() for mask in masks):
                return Reading("only some entries", (words,))
        return None

    def some_summands(self) -> Reading | None:
        """Return which summands of the claim are among those of the formula, and what the others should be."""
        if self.formula is None:
            return None
        ours, theirs = (list(summands(opened(tree))) for tree in (self.claim, self.formula))
        wrong = [term for term in ours if not any(self._equal(term, other) for other in theirs)]
        absent = [term for term in theirs if not any(self._equal(term, other) for other in ours)]
        if not absent or len(absent) == len(theirs):
            return None
        kept = [f"`{_signed(term)}`" for term in ours if term not in wrong]
        right = f"the summand {kept[0]} is right" if len(kept) == 1 else f"the summands {', '.join(kept)} are right"
        wanted = ", ".join(f"`{_signed(term)}`" for term in absent)
        if not wrong:
            return Reading("missing summand", (f"of its summands, {wanted} are missing",))
        found = ", ".join(f"`{_signed(term)}`" for term in wrong)
        return Reading("some summands", (f"{right}; in place of {found} should stand {wanted}",))

    def _equal(self, first: tuple[int, Node], second: tuple[int, Node]) -> bool:
        """Whether two summands are the same at every point."""
        for values in self.values:
            one, other = values.of(first[1]), values.of(second[1])
            if one is None or other is None or not agrees(first[0] * one, second[0] * other):
                return False
        return True


def _signed(term: tuple[int, Node]) -> str:
    sign, node = term
    return write(flat(node if sign > 0 else negated(node)))


def _right(claimed: Array, truth: Array) -> AnyArray:
    """Return which entries of a claim are right."""
    found = np.where(np.isfinite(claimed), claimed, np.nan)
    return np.abs(found - truth) <= SAME_NUMBERS * largest(truth)


def _right_at(claimed: Array, truth: Array, where: Where) -> bool:
    """Whether a claim is right in these places."""
    places = where(truth.shape)
    return bool(_right(claimed, truth)[places].all()) and bool(places.any())
