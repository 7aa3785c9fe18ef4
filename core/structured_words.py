"""The structure of a derivative in words: the names that the field has for what its terms are."""

from __future__ import annotations

from collections.abc import Iterable

from .graph import Delta, Labels, Reshape, Select, Triangle
from .structured_terms import Term

ORDER = (
    "zero", "identity", "diagonal", "block diagonal", "triangular", "selection", "kronecker", "low rank", "rank one",
    "dense",
)  # fmt: skip


def structure_in_words(terms: Iterable[Term], row_rank: int, rank: int) -> str:
    """Return the structures of the terms: `diagonal + rank one` for the Jacobian of softmax.

    The first `row_rank` axes are rows, the others columns.
    """
    words = {structure_of_term(term, row_rank, rank) for term in terms} or {"zero"}
    if "low rank" in words:
        words.discard("rank one")
    return " + ".join(sorted(words, key=ORDER.index))


def structure_of_term(term: Term, row_rank: int, rank: int) -> str:
    """Return the structure of one term: a Delta over a row and a column makes it diagonal in these."""
    if row_rank in (0, rank):
        return "dense"
    between = [node for node, labels in term.structural if _crosses(labels, row_rank, rank)]
    if any(isinstance(node, Select | Reshape | Triangle) for node in between):
        return "triangular" if all(isinstance(node, Triangle | Delta) for node in between) else "selection"
    ties = [labels for node, labels in term.structural if isinstance(node, Delta) and node.rank > 1]
    crossing = [labels for labels in ties if _crosses(labels, row_rank, rank)]
    if {label for labels in crossing for label in labels} == {*range(rank)}:
        return "diagonal" if term.dense or term.coefficient != 1 else "identity"
    if crossing:
        return "block diagonal"
    parts = _components([labels for _, labels in term.factors])
    both = [part for part in parts if _crosses(part, row_rank, rank)]
    if len(both) > 1:
        return "kronecker"
    if not both:
        return "rank one"
    whole = any(_crosses(labels, row_rank, rank) for _, labels in term.dense)
    chosen = any(isinstance(node, Select | Reshape) for node, _ in term.structural)
    return "dense" if whole else "selection" if chosen else "low rank"


def _crosses(labels: Iterable[int], row_rank: int, rank: int) -> bool:
    """Whether labels name both rows and columns."""
    outputs = {label for label in labels if label < rank}
    return any(label < row_rank for label in outputs) and any(label >= row_rank for label in outputs)


def _components(groups: Iterable[Labels]) -> list[set[int]]:
    """Return the sets of labels that factors connect with each other."""
    parts: list[set[int]] = []
    for labels in groups:
        touching = [part for part in parts if not part.isdisjoint(labels)]
        parts = [part for part in parts if part.isdisjoint(labels)]
        parts.append({*labels}.union(*touching))
    return parts
