"""The programs of graphs, each compiled once; large graphs are rearranged for it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from weakref import WeakValueDictionary

from ..evaluation.program import Program, compile_program
from ..graph.nodes import Node, topological

# Graphs with fewer entries than this in every node are evaluated as they are.
SMALL = 64

_programs: WeakValueDictionary[tuple[Node, ...], Program] = WeakValueDictionary()


def compiled(roots: Sequence[Node]) -> Program:
    """Return the program of graphs; equal ones have one, as long as somebody holds it."""
    found = _programs.get(key := tuple(roots))
    if found is None:
        found = _programs[key] = compile_program(key)
    return found


def for_numbers(roots: list[Node]) -> list[Node]:
    """Return graphs that are cheaper to evaluate; where all is small there is nothing to gain, and nothing to load."""
    if are_small(roots):
        return roots
    from ..evaluation.rearrange import rearranged  # for start-up

    return rearranged(roots)


def are_small(roots: Sequence[Node]) -> bool:
    """Whether no node below the roots has many entries."""
    return all(prod(node.shape) < SMALL for node in topological(roots))
