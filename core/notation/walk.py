"""A Product read as a graph of labels: matrices are edges, vectors are pendants, and walking it gives matrix notation.

Labels that are summed disappear one by one: a label with one edge turns a matrix and a vector into a vector, a label
with two edges joins two matrices into a chain, parallel edges are a Hadamard product, loops are traces. What remains
over the outputs is a scalar, a vector, a matrix or an outer product. Whatever has no such form is written as an
einsum of the pieces that remain, so every Product can be written.

The Product `2 * sum_k A[i,k] v[k] B[j,k]`: A is an edge from i to k, B one from j to k, and v hangs on k. The label k
is summed and has two edges, so they become one chain from i to j, with v as a diagonal matrix in between.

>>> from matgrad.core.graph.algebra import product
>>> from matgrad.core.notation.formula import Notation
>>> from matgrad.grammar.writer import write
>>> i, j, k = 0, 1, 2
>>> A, B, v = (Symbol.of(name, shape) for name, shape in (("A", (3, 5)), ("B", (4, 5)), ("v", (5,))))
>>> write(Notation().tree(product(2, [(A, (i, k)), (v, (k,)), (B, (j, k))], (i, j))))
'2*A @ diag(v) @ B.T'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...grammar.budget import spend
from ...grammar.syntax import Binary, Call, String, TupleLiteral
from ..elaboration.infix import COMPARISONS
from ..graph.nodes import Delta, Factor, Labels, Node, Plain, Symbol, sizes_of
from ..graph.structure import INDEX_LETTERS
from .chains import Link, diagonal_of, flipped, matrix_of, powers_of, row_sums_of, total_of, trace_of, transposes_in
from .edges import Edge, Vector
from .lengths import length_tree
from .structural import Writer, apply_structure
from .terms import Term
from .trees import ONE, Power, Tree, call, collected, hadamard, power, times, transposes

# Under this name a sum of a product remembers the dot product that it is: shorter where it needs no brackets.
DOT = "_dot"


@dataclass(eq=False)
class Walk:
    """The state of one Product on its way to matrix notation."""

    writer: Writer
    rank: int
    coefficient: Plain
    edges: list[Edge] = field(default_factory=list)
    pendants: dict[int, list[Vector]] = field(default_factory=dict)
    scalars: list[Power] = field(default_factory=list)
    others: list[tuple[Tree, Labels]] = field(default_factory=list)
    ties: list[Labels] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)

    def term(self, factors: Sequence[Factor]) -> Term:
        """Return the Product of these factors as a term."""
        spend(len(factors))
        self.sizes = sizes_of(factors)
        for piece in apply_structure(self.writer, factors, self.rank, self.sizes):
            self._place(*piece)
        self._cancel()
        self._reduce()
        return self._finished()

    # Reading the operands.

    def _place(self, node: Node | Tree, labels: Labels) -> None:
        if isinstance(node, Delta) and node.rank > 1:
            self.ties.append(labels)
            return
        if isinstance(node, Delta):
            self._pend(labels[0], Vector((), ((self.ones(labels[0]), ONE),)))
            return
        term = self.writer.term(node) if isinstance(node, Node) else Term.of(node, len(labels))
        self.coefficient = self.coefficient * term.coefficient
        self.scalars.extend(term.scalars)
        if term.whole is not None:
            term = Term.of(term.whole, len(labels))
        if len(labels) == 1:
            self._pend(labels[0], Vector(term.links, term.tail))
        elif len(labels) == 2 and labels[0] == labels[1]:
            named = isinstance(node, Symbol) and "diagonal" in node.assumptions
            matrix = term.links[0].tree if named else None
            self._pend(labels[0], Vector((), ((diagonal_of(term.links), ONE),), matrix=matrix))
        elif len(labels) == 2 and not term.links:  # a number for all entries
            self._keep(labels[0])
            self._keep(labels[1])
        elif len(labels) == 2:
            self.edges.append(Edge(labels[0], labels[1], term.links))
        elif labels:
            assert term.whole is not None
            self.others.append((term.whole, labels))

    def ones(self, label: int) -> Tree:
        """Return a vector of ones as long as a label."""
        return call("ones", length_tree(self.sizes[label]))

    def _pend(self, label: int, vector: Vector) -> None:
        self.pendants.setdefault(label, []).append(vector)

    def _cancel(self) -> None:
        """Leave out vectors that are divided by themselves, `r*(1/r)`: only their length may still be needed."""
        for label, vectors in list(self.pendants.items()):
            plain = [vector for vector in vectors if not vector.links and vector.matrix is None]
            if len(plain) < 2 or collected(power for vector in plain for power in vector.tail):
                continue
            self.pendants[label] = [vector for vector in vectors if vector not in plain]
            self._keep(label)

    def _keep(self, label: int) -> None:
        """Let a vector of ones carry a label that nothing else does."""
        if self.pendants.get(label):
            return
        self.pendants.pop(label, None)
        carriers = [(edge.first, edge.second) for edge in self.edges] + [labels for _, labels in self.others]
        if not any(label in labels for labels in (*carriers, *self.ties)):
            self._pend(label, Vector((), ((self.ones(label), ONE),)))

    # Summing labels.

    def _reduce(self) -> None:
        while self._merge_parallel() or any(self._sum_out(label) for label in self._summed()):
            pass

    def _summed(self) -> list[int]:
        found = {label: None for edge in self.edges for label in (edge.first, edge.second)}
        found |= dict.fromkeys(self.pendants)
        busy = {label for _, labels in self.others for label in labels}
        summed = [label for label in found if label >= self.rank and label not in busy]
        ends = Counter(label for edge in self.edges for label in (edge.first, edge.second))
        spend(len(ends))
        return sorted(summed, key=lambda label: (ends[label], label))

    def _degree(self, label: int) -> int:
        return sum((edge.first == label) + (edge.second == label) for edge in self.edges)

    def _merge_parallel(self) -> bool:
        """Turn two edges between the same labels into one: a Hadamard product, or a trace where nothing else is."""
        seen: dict[frozenset[int], Edge] = {}
        for other in self.edges:
            ends = frozenset((other.first, other.second))
            edge = seen.setdefault(ends, other)
            if edge is not other and len(ends) > 1:
                place = next(place for place, one in enumerate(self.edges) if one is edge)
                self.edges = [one for one in self.edges if one is not edge and one is not other]
                self.edges[place:place] = self._put_together(edge, other)
                return True
        return False

    def _put_together(self, edge: Edge, other: Edge) -> list[Edge]:
        """Return what becomes of two edges between the same labels: one edge, or none."""
        if self._closed(edge, other):
            return []
        forward = (*powers_of(edge.links), *powers_of(other.starting(edge.first)))
        backward = (*powers_of(edge.starting(edge.second)), *powers_of(other.starting(edge.second)))
        if not collected(forward):
            self._keep(edge.first)
            self._keep(edge.second)
            return []
        spread = any(link.spread for link in (*edge.links, *other.links))
        ends, powers = (edge.first, edge.second), forward
        if transposes_in(backward) < transposes_in(forward):
            ends, powers = ends[::-1], backward
        return [Edge(*ends, (Link(powers, spread=spread),))]

    def _closed(self, edge: Edge, other: Edge) -> bool:
        """Write two edges that form a closed loop, with nothing attached, as a trace or a sum."""
        if not (self._is_loose(edge.first) and self._is_loose(edge.second)):
            return False
        round_trip = (*edge.links, *other.starting(edge.second))
        pair = (*powers_of(edge.links), *powers_of(other.starting(edge.first)))
        if transposes_in(pair) <= sum(transposes(link.tree) for link in round_trip):
            self.scalars.append((self._total(call("sum", hadamard(pair)), edge.first, edge.second), ONE))
        else:
            self.scalars.append((trace_of(round_trip), ONE))
        return True

    def _sum_out(self, label: int) -> bool:
        touching = [edge for edge in self.edges if label in (edge.first, edge.second)]
        vectors = self.pendants.get(label, [])
        if len(touching) > 2:
            return False
        self.pendants.pop(label, None)
        self.edges = [edge for edge in self.edges if edge not in touching]
        match touching:
            case []:
                self._pend_scalar(label, vectors)
            case [edge] if edge.first != edge.second:
                self._dead_end(label, edge, vectors)
            case [edge] if vectors:
                self._pend_scalar(label, [*vectors, Vector((), ((diagonal_of(edge.links), ONE),))])
            case [edge]:
                self.scalars.append((trace_of(edge.links), ONE))
            case [first, second]:
                self._join(label, first, second, vectors)
        return True

    def _dead_end(self, label: int, edge: Edge, vectors: list[Vector]) -> None:
        """Apply a matrix whose one side meets only vectors to them, or sum it over that side."""
        end = edge.other(label)
        links = edge.starting(end)
        if vectors:
            vector = _applied(links, vectors)
        elif self._is_loose(end):
            self.scalars.append((self._total(total_of(links), label, end), ONE))
            return
        else:
            vector = Vector(links[:-1], ((self._total(row_sums_of(links[-1]), label), ONE),))
        self._pend(end, vector)

    def _is_loose(self, label: int) -> bool:
        """Whether a label is summed and nothing is left at it."""
        busy = self._degree(label) or label in self.pendants or any(label in labels for _, labels in self.others)
        return label >= self.rank and not busy

    def _join(self, label: int, first: Edge, second: Edge, vectors: list[Vector]) -> None:
        """Two matrices that meet in a label follow each other, with the vectors there as a diagonal in between."""
        between: tuple[Link, ...] = ()
        if vectors:
            plain = _powers(vector for vector in vectors if vector.matrix is None)
            between = tuple(vector.as_link() for vector in vectors if vector.matrix is not None)
            between = (*between, *([Link(plain, diagonal=True)] if plain else []))
        start, end = first.other(label), second.other(label)
        spend(len(first.links) + len(second.links))
        links = (*first.starting(start), *between, *second.starting(label))
        self.edges.append(Edge(start, end, links))

    def _total(self, tree: Tree, *labels: int) -> Tree:
        """Return a sum over labels, as a mean where the Product is divided by their lengths."""
        plain = isinstance(tree, Call) and tree.function == "sum"
        return replace(tree, function="mean") if isinstance(tree, Call) and plain and self._averages(labels) else tree

    def _averages(self, labels: Iterable[int]) -> bool:
        """Take the lengths of labels from what the Product is divided by; False where they are not there."""
        lengths = [length_tree(self.sizes[label]) for label in labels]
        powers = dict(collected(self.scalars))
        if any(powers.get(length, 0) > -1 for length in lengths):
            return False
        self.scalars[:] = collected([*self.scalars, *((length, ONE) for length in lengths)])
        return True

    def _pend_scalar(self, label: int, vectors: list[Vector]) -> None:
        """Vectors that meet in a summed label: a dot product, a bilinear form or a sum."""
        chained = [vector for vector in vectors if vector.links]
        plain = [vector for vector in vectors if not vector.links]
        if not chained or len(vectors) == 1:
            self._total_of_powers(label, [*_powers(vectors)])
            return
        if len(chained) == 1:
            left = _powers(plain)
            links, tail = chained[0].links, chained[0].tail
        elif len(chained) == 2 and not plain:
            left = chained[0].tail
            links, tail = (*flipped(chained[0].links), *chained[1].links), chained[1].tail
        else:
            powers = _powers(vectors)
            left, links, tail = powers[:-1], (), powers[-1:]
        parts = [hadamard(left), *(link.written() for link in links), hadamard(tail)]
        back = [hadamard(tail), *(link.written() for link in flipped(links)), hadamard(left)]
        self.scalars.append((min(times(parts, "@"), times(back, "@"), key=transposes), ONE))

    def _total_of_powers(self, label: int, powers: Sequence[Power]) -> None:
        """Write the sum of a product of vectors: a dot product of two, a norm, a sum or a mean."""
        (tree, exponent), *others = powers
        if others == [(tree, exponent)]:
            if self._averages([label]):
                self.scalars.append((call("mean", hadamard(powers)), ONE))
                return
            if isinstance(tree, Binary):
                self.scalars.append((call("norm", tree), 2 * exponent))
                return
        found = [*powers] if exponent == 1 and others == [(tree, ONE)] else collected(powers)
        if len(found) == 2 and all(e > 0 for _, e in found):
            left, right = (power(*factor) for factor in found)
            self.scalars.append((Binary("@", left, right), ONE))
        elif isinstance(tree, Call) and tree.function == "diagonal" and powers == [(tree, ONE)]:
            self.scalars.append((call("trace", *tree.arguments), ONE))
        else:
            total = self._total(call("sum", hadamard(found)), label)
            if len(found) > 2 and len(powers) > 2 and all(e > 0 for _, e in found):
                total.__dict__[DOT] = Binary("@", hadamard(found[:-1]), power(*found[-1]))
            self.scalars.append((total, ONE))

    # What remains over the outputs.

    def _finished(self) -> Term:
        scalars = collected(self.scalars)
        if not self.rank and len(scalars) == 1 and scalars[0][1] == 1 and abs(self.coefficient) == 1:
            scalars = [(scalars[0][0].__dict__.get(DOT, scalars[0][0]), ONE)]
        base = Term(self.rank, self.coefficient, tuple(scalars), covers=frozenset(range(self.rank)))
        simple = not self.others and not any(len(labels) > 2 for labels in self.ties)
        return (self._matrix_form(base) if simple else None) or self._einsum(base)

    def _matrix_form(self, base: Term) -> Term | None:
        labels = {label for edge in self.edges for label in (edge.first, edge.second)} | set(self.pendants)
        if self.rank > 2 or any(label >= self.rank for label in labels):
            return None
        if self.rank == 0:
            return base
        for edge in [edge for edge in self.edges if edge.first == edge.second]:
            self.edges.remove(edge)
            self._pend(edge.first, Vector((), ((diagonal_of(edge.links), ONE),)))
        if self.rank == 1:
            return self._vector(base, 0)
        return self._two_axes(base)

    def _vector(self, base: Term, label: int) -> Term:
        vector = _applied((), self.pendants[label])
        return base._replace(links=vector.links, tail=tuple(collected(vector.tail)))

    def _two_axes(self, base: Term) -> Term | None:
        if self.ties:
            if self.edges:
                return None
            vectors = [v for label in (0, 1) for v in self.pendants.get(label, [])]
            if not vectors:
                eye = call("eye", length_tree(self.sizes[0]))
                return base._replace(links=(Link.of(eye, symmetric=True),))
            matrix = vectors[0].matrix if len(vectors) == 1 else None
            return base._replace(links=(Link(_powers(vectors), diagonal=True, matrix=matrix),))
        left, right = (_powers(self.pendants.get(label, [])) for label in (0, 1))
        if not self.edges:
            return base._replace(links=self._outer(left, right))
        if len(self.edges) != 1:
            return None
        (edge,) = self.edges
        links = edge.starting(0)
        if left and right and (half := _half_of_outer(links, left, right)) is not None:
            return base._replace(links=(half,))
        before = (Link(left, diagonal=True),) if left else ()
        after = (Link(right, diagonal=True),) if right else ()
        return base._replace(links=(*before, *links, *after))

    def _outer(self, left: tuple[Power, ...], right: tuple[Power, ...]) -> tuple[Link, ...]:
        """Write two vectors on two axes, with the matrices in front of them drawn out of the outer product."""
        first, second = self.pendants.get(0, []), self.pendants.get(1, [])
        if len(first) == len(second) == 1 and (first[0].links or second[0].links):
            core = Link.of(call("outer", hadamard(first[0].tail), hadamard(second[0].tail)))
            return (*first[0].links, core, *flipped(second[0].links))
        u, v = hadamard(left), hadamard(right)
        if isinstance(u, Call) and isinstance(v, Call) and u.function == v.function == "ones":
            return (Link.of(call("ones", TupleLiteral((*u.arguments, *v.arguments)))),)
        return (Link.of(call("outer", u, v)),)

    # Index notation.

    def pieces(self) -> list[tuple[Tree, Labels]]:
        """Return what remains, as trees with labels."""
        found: list[tuple[Tree, Labels]] = []
        for edge in self.edges:
            ways = [
                (matrix_of(edge.starting(start)), (start, edge.other(start))) for start in (edge.first, edge.second)
            ]
            found.append(min(ways, key=lambda way: transposes(way[0])))
        for label, vectors in self.pendants.items():
            found.append((hadamard(_powers(vectors)), (label,)))
        found += self.others
        for labels in self.ties:
            eye = call("eye", length_tree(self.sizes[labels[0]]))
            found += [(eye, (labels[0], other)) for other in labels[1:]]
        return found

    def _einsum(self, base: Term) -> Term:
        """Write what remains as a Hadamard product where every piece has all axes, else as einsum."""
        pieces = sorted(self.pieces(), key=lambda piece: piece[1])
        output = tuple(range(self.rank))
        if all(labels == output for _, labels in pieces):
            return base._replace(whole=hadamard([(tree, ONE) for tree, _ in pieces]))
        names: dict[int, str] = {}
        for label in (*output, *(label for _, labels in pieces for label in labels)):
            names.setdefault(label, INDEX_LETTERS[len(names)])
        subscripts = ",".join("".join(names[label] for label in labels) for _, labels in pieces)
        subscripts += "->" + "".join(names[label] for label in output)
        einsum = call("einsum", String(subscripts), *(tree for tree, _ in pieces))
        return base._replace(whole=einsum) if output else base._replace(scalars=(*base.scalars, (einsum, ONE)))


def _half_of_outer(links: Sequence[Link], left: tuple[Power, ...], right: tuple[Power, ...]) -> Link | None:
    """Return diag(u) @ tril(ones((n, n))) @ diag(v) as tril(outer(u, v))."""
    tree = links[0].tree if len(links) == 1 else None
    match tree:
        case Call("tril" | "triu" as half, (Call("ones"), *offset)):
            return Link.of(call(half, call("outer", hadamard(left), hadamard(right)), *offset))
    return None


def _applied(links: tuple[Link, ...], vectors: list[Vector]) -> Vector:
    """Return matrices applied to a product of vectors; diagonal matrices that have a name are matrices among others."""
    plain = [vector for vector in vectors if vector.matrix is None]
    if len(vectors) > 1 and plain:
        links = (*links, *(vector.as_link() for vector in vectors if vector.matrix is not None))
        vectors = plain
    if len(vectors) == 1:
        return Vector((*links, *vectors[0].links), vectors[0].tail)
    return Vector(links, _powers(vectors))


def _powers(vectors: Iterable[Vector]) -> tuple[Power, ...]:
    """Return a product of vectors as its factors, masks last."""
    found = [power for vector in vectors for power in vector.powers()]
    return tuple(sorted(found, key=_is_comparison) if len(found) > 1 else found)


def _is_comparison(power: Power) -> bool:
    tree, _ = power
    return isinstance(tree, Binary) and tree.operator in COMPARISONS
