"""The terms of a compressed derivative by indices: `2*F1[i,k]*F2[k,j]*delta[i,j]`."""

from __future__ import annotations

from math import prod

from ..graph.nodes import Delta, Map, Node, Reshape, Select, Symbol, Triangle
from ..graph.places import Rotation, Windows
from ..graph.structure import letter
from .terms import EinsumTerm

MOST_ROWS = 6


def term_in_indices(term: EinsumTerm, rank: int, samples: int = 0) -> str:
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
    if isinstance(node.rows, Rotation):
        return f"({name} + {node.rows.start}) % {node.size}"
    if isinstance(node.rows, Windows):
        return f"{node.rows.step}*({name} // {node.rows.length}) + {node.rows.dilation}*({name} % {node.rows.length})"
    if not isinstance(node.rows, range):
        listed = ", ".join(map(str, node.rows[:MOST_ROWS])) + (", ..." if len(node.rows) > MOST_ROWS else "")
        return f"[{listed}][{name}]"
    start, step = node.rows.start, node.rows.step
    scaled = name if step == 1 else f"{step}*{name}"
    if step < 0:
        return f"{start} - {name if step == -1 else f'{-step}*{name}'}"
    return f"{scaled} + {start}" if start else scaled
