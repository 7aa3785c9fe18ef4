"""The structure of a derivative in words: the names that the field has for what its terms are."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from ..graph.nodes import Delta, Labels, Map, Node, Reshape, Select, Symbol, Triangle
from ..graph.structure import letter
from .terms import Term

MOST_ROWS = 6
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


# --- terms by indices ------------------------------------------------------------------------------------------------


def term_in_indices(term: Term, rank: int, samples: int = 0) -> str:
    """Return a term by indices: `2*F1[i,k]*F2[k,j]*delta[i,j]`; indices that no axis of the result has are summed.

    The axes of the result are called i, j, k, ... in order, one that counts samples is called `sample`. What holds for
    an index stands in brackets, as `[j == 2*i]` or `[j <= i]`: 1 where it holds, else 0.
    """
    names = {label: letter(label - samples) if label >= samples else "sample" for label in range(rank)}
    for _, labels in term.factors:
        for label in labels:
            names.setdefault(label, letter(len(names) - samples))
    sign = "-" if term.coefficient == -1 else ""
    pieces = [] if term.coefficient in (1, -1) else [str(term.coefficient)]
    for node, labels in (*term.dense, *term.structural):
        text = _factor(node, [names[label] for label in labels])
        if text:
            pieces.append(text)
    return sign + ("*".join(pieces) or "1")


def _factor(node: Node, names: list[str]) -> str:
    index = f"[{','.join(names)}]" if names else ""
    match node:
        case Delta():
            return f"delta{index}" if node.rank > 1 else ""
        case Select():
            return f"[{names[1]} == {_chosen(node, names[0])}]"
        case Triangle():
            shift = f" {'+' if node.offset > 0 else '-'} {abs(node.offset)}" if node.offset else ""
            return f"[{names[1]} <= {names[0]}{shift}]"
        case Reshape():
            steps = [prod(node.sizes[axis + 1 :]) for axis in range(len(node.sizes))]
            parts = [name if step == 1 else f"{step}*{name}" for name, step in zip(names[1:], steps, strict=True)]
            return f"[{names[0]} == {' + '.join(parts)}]"
        case Map():
            return f"({_factor(node.children[0], names)} != 0)"
        case Symbol():
            return f"{node.name}{index}"
    return f"{node.shape}{index}"


def _chosen(node: Select, name: str) -> str:
    """Return the row that a Select chooses: `2*i + 1`, or `rows[i]` where it follows no rule."""
    if not isinstance(node.rows, range):
        listed = ", ".join(map(str, node.rows[:MOST_ROWS])) + (", ..." if len(node.rows) > MOST_ROWS else "")
        return f"[{listed}][{name}]"
    start, step = node.rows.start, node.rows.step
    scaled = name if step == 1 else f"{step}*{name}"
    if step < 0:
        return f"{start} - {name if step == -1 else f'{-step}*{name}'}"
    return f"{scaled} + {start}" if start else scaled
