"""Links: the factors of a chain of matrices `A @ diag(v) @ B.T`, and what is read off a chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...grammar.budget import spend
from ...grammar.syntax import Attribute, Binary, Call, Number
from .trees import ONE, TURNED, Power, Tree, call, hadamard, times, transposed, transposes


class Link(NamedTuple):
    """One factor of a chain of matrices, itself a Hadamard product of powers.

    `diagonal` says that the powers are of vectors and stand for their diagonal matrix; `matrix` is that matrix where
    it has a name of its own. `spread` says that a sum in it repeats a vector or a number along an axis, so that it is
    transposed as a whole: `(X + v).T` is not `X.T + v`. An outer product that is `shared` by the terms of a sum stays
    as it is.
    """

    powers: tuple[Power, ...]
    diagonal: bool = False
    symmetric: bool = False
    matrix: Tree | None = None
    spread: bool = False
    shared: bool = False

    @staticmethod
    def of(tree: Tree, *, diagonal: bool = False, symmetric: bool = False, spread: bool = False) -> Link:
        """Return a link that is one tree."""
        return Link(((tree, ONE),), diagonal, symmetric, spread=spread)

    @property
    def tree(self) -> Tree:
        """The matrix, or the vector of a diagonal one, as a tree."""
        return hadamard(self.powers)

    def flipped(self) -> Link:
        """Return the transpose."""
        if self.diagonal or self.symmetric:
            return self
        turned = tuple((self._turned(tree), exponent) for tree, exponent in self.powers)
        outside = transposed(self.tree)
        if len(self.powers) > 1 and transposes(outside) < sum(transposes(tree) for tree, _ in turned):
            return Link.of(outside)
        return self._replace(powers=turned)

    def _turned(self, tree: Tree) -> Tree:
        sums = isinstance(tree, Binary) and tree.operator in ("+", "-")
        whole = self.spread and sums and TURNED not in tree.__dict__
        return Attribute(tree, "T") if whole else transposed(tree)

    def written(self) -> Tree:
        """Return the link as a matrix."""
        if self.matrix is not None:
            return self.matrix
        return call("diag", self.tree) if self.diagonal else self.tree


def flipped(links: Sequence[Link]) -> tuple[Link, ...]:
    """Return the transpose of a chain."""
    turned = {link: link.flipped() for link in dict.fromkeys(links)}
    spend(len(links))
    return tuple([turned[link] for link in reversed(links)])


def _parts(links: Sequence[Link]) -> list[Tree]:
    """Return the links of a chain as matrices; a long chain is made of few different ones."""
    written = {link: link.written() for link in dict.fromkeys(links)}
    spend(len(links))
    return [written[link] for link in links]


def product_of(links: Sequence[Link]) -> Tree:
    """Return a chain as a product, turned around where that writes fewer transposes."""
    if len(links) == 2 and not any(link.shared for link in links) and (outer := _outer(*links)) is not None:
        return outer
    parts = _parts(links)
    if (written := sum(map(transposes, parts))) > 1:
        turned = _parts(flipped(links))
        # The ends of `A.T @ P.T @ P.T @ A` stay as they are when it is turned.
        if sum(map(transposes, turned)) + 1 + (turned[0] == parts[0]) < written:
            return transposed(times(turned, "@"))
    return times(parts, "@")


def _outer(first: Link, second: Link) -> Tree | None:
    """Return a matrix times an outer product as one of two vectors: `outer(A @ u, v)` for `A @ outer(u, v)`."""
    match first.written(), second.written():
        case matrix, Call("outer", (u, v)):
            return call("outer", times([matrix, u], "@"), v)
        case Call("outer", (u, v)), _ if transposes((turned := second.flipped()).tree) <= transposes(second.tree):
            return call("outer", u, times([turned.written(), v], "@"))
    return None


def powers_of(links: Sequence[Link]) -> tuple[Power, ...]:
    """Return a chain as factors of a Hadamard product."""
    if len(links) == 1 and not links[0].diagonal:
        return links[0].powers
    return ((matrix_of(links), ONE),)


def transposes_in(powers: tuple[Power, ...]) -> int:
    """Return how many transposes a Hadamard product writes."""
    return sum(transposes(tree) for tree, _ in powers)


def _fewest(links: Sequence[Link]) -> Sequence[Link]:
    """Return a chain, or its transpose where that writes fewer."""
    return min(links, flipped(links), key=lambda way: sum(transposes(link.tree) for link in way))


def diagonal_of(links: Sequence[Link]) -> Tree:
    """Return the diagonal of a chain; that of diag(v) is v."""
    if len(links) == 1 and links[0].diagonal:
        return links[0].tree
    return call("diagonal", matrix_of(_fewest(links)))


def matrix_of(links: Sequence[Link]) -> Tree:
    """Return a chain as a tree, in the direction with fewer transposes."""
    tree = product_of(links)
    if len(links) == 1 and links[0].spread:
        return tree
    return min(tree, transposed(product_of(flipped(links))), key=transposes)


def trace_of(links: Sequence[Link]) -> Tree:
    """Return a trace, turned around where that saves transposes; a diagonal factor makes it a sum."""
    return call("trace", product_of(_fewest(links)))


def total_of(links: Sequence[Link]) -> Tree:
    """Return the sum of all entries of a chain, which is that of its transpose."""
    return call("sum", min(product_of(links), product_of(flipped(links)), key=transposes))


def row_sums_of(link: Link) -> Tree:
    """Return the sums over the last axis of a matrix."""
    if link.diagonal:
        return link.tree
    if isinstance(link.tree, Attribute) and not link.symmetric:
        return call("sum", link.tree.operand, axis=Number("0"))
    return call("sum", link.tree, axis=Number("1"))
