"""What a Product consists of as a graph of labels: edges between two labels, vectors at one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .chains import Link, flipped
from .terms import Term, absorbed, chain
from .trees import ONE, Power, Tree


@dataclass
class Edge:
    """A chain of matrices from one label to another."""

    first: int
    second: int
    links: tuple[Link, ...]

    def starting(self, label: int) -> tuple[Link, ...]:
        """Return the chain read from a label."""
        return self.links if label == self.first else flipped(self.links)

    def other(self, label: int) -> int:
        """Return the label at the other end."""
        return self.second if label == self.first else self.first


class Vector(NamedTuple):
    """A chain applied to a Hadamard product of vectors."""

    links: tuple[Link, ...]
    tail: tuple[Power, ...]
    matrix: Tree | None = None

    def powers(self) -> tuple[Power, ...]:
        """Return the vector as factors of a Hadamard product."""
        term = absorbed(Term(1, links=self.links, tail=self.tail))
        tree = chain(term)
        return term.tail if tree is None else ((tree, ONE),)

    def as_link(self) -> Link:
        """Return a vector that is the diagonal of a named matrix as that matrix."""
        return Link(self.tail, diagonal=True, matrix=self.matrix)
