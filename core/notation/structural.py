"""Select, Triangle and Reshape in the words people use: index brackets, tril and triu, reshape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Protocol

from ...grammar.syntax import Binary, ListLiteral, Name, Number, Slice, TupleLiteral
from ..elaboration.inference import FIRST_TRIAL_SIZE
from ..graph.nodes import Coefficient, Factor, Labels, Node, Reshape, Rotation, Select, Structural, Triangle
from .terms import Term
from .trees import Power, Tree, call, indexed, negated

# A coefficient that contains a trial size contains a size; so does a number this near to one.
NEAR = 500


class Sizes:
    """The names of sizes: a formula says `n`, not the number of entries of the sample at hand."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def tree(self, size: int) -> Tree:
        """Return a size as a name where it has one; `n - 1` and `n*m` are recognised."""
        if size in self.names:
            return Name(self.names[size])
        for known, name in self.names.items():
            if 0 < abs(size - known) < NEAR and known >= FIRST_TRIAL_SIZE:
                sign = "+" if size > known else "-"
                return Binary(sign, Name(name), Number(str(abs(size - known))))
            if known >= FIRST_TRIAL_SIZE and size and size % known == 0:
                return Binary("*", Name(name), self.tree(size // known))
        return self._sum_of_sizes(size) or Number(str(size))

    def _sum_of_sizes(self, size: int) -> Tree | None:
        """Return `n + m` where a size is the sum of two that have names, as that of a concatenation."""
        for known, name in self.names.items():
            if known >= FIRST_TRIAL_SIZE and size - known in self.names:
                return Binary("+", Name(name), Name(self.names[size - known]))
        return None

    def split(self, coefficient: Coefficient) -> tuple[Coefficient, list[Power]]:
        """Return a coefficient as a plain number and powers of sizes: 2/1009 is 2 and n**-1."""
        if isinstance(coefficient, float):
            return coefficient, []
        value = Fraction(coefficient)
        powers: list[Power] = []
        for known in self.names:
            if known < FIRST_TRIAL_SIZE:
                continue
            for shift in (0, -1, 1):
                size = known + shift
                while value.numerator % size == 0 and value:
                    value /= size
                    powers.append((self.tree(size), Fraction(1)))
                while value.denominator % size == 0:
                    value *= size
                    powers.append((self.tree(size), Fraction(-1)))
        return value, powers

    def position(self, place: int, size: int) -> Tree:
        """Return an index, counted from the end where it lies near the end of a long axis."""
        if size >= FIRST_TRIAL_SIZE and place > size - NEAR:
            return negated(Number(str(size - place)))
        return Number(str(place))


class Writer(Protocol):
    """What a Product needs of the notation around it."""

    sizes: Sizes

    def tree(self, node: Node) -> Tree:
        """Return a node as a tree of exactly its shape."""

    def term(self, node: Node) -> Term:
        """Return a node as a term of exactly its shape."""


def chosen(sizes: Sizes, select: Select, tree: Tree, axis: int, rank: int) -> Tree:
    """Return the rows of a selection along one axis of a tree: `x[0]`, `X[:, 1:3]`, `x[::-1]`, `roll(x, 2)`."""
    if isinstance(select.rows, Rotation):
        start, back = select.rows.start, select.size - select.rows.start
        shift = negated(sizes.tree(start)) if start < back else sizes.tree(back)
        return call("roll", tree, shift, *([Number(str(axis))] if rank > 1 else []))
    items: list[Tree] = [Slice()] * rank
    items[axis] = rows_tree(sizes, select)
    return indexed(tree, items)


def rows_tree(sizes: Sizes, select: Select) -> Tree:
    """Return the index that picks the rows of a selection: `0`, `1:3`, `::-1` or a list."""
    rows, size = select.rows, select.size
    if not isinstance(rows, range):
        return ListLiteral(tuple(sizes.position(row, size) for row in rows))
    start, last, step = rows.start, rows[-1] if len(rows) else rows.start, rows.step
    if step > 0:
        begin = None if start == 0 else sizes.position(start, size)
        end = None if last + step >= size and last < size else sizes.position(last + 1, size)
    else:
        begin = None if start == size - 1 else sizes.position(start, size)
        end = None if last == 0 else sizes.position(last - 1, size)
    stride = None if step == 1 else negated(Number(str(-step))) if step < 0 else Number(str(step))
    return Slice(begin, end, stride)


Piece = tuple[Node | Tree, Labels]


def apply_structure(writer: Writer, factors: Sequence[Factor], rank: int, sizes: dict[int, int]) -> Iterable[Piece]:
    """Return the factors of a Product with their structure written into the operands that it acts on.

    `sizes` are those of the labels.
    """
    pieces: list[Piece] = [(node, labels) for node, labels in factors if not _acts(node)]
    acting = [(node, labels) for node, labels in factors if _acts(node)]
    progress = True
    while progress:
        progress = False
        for entry in list(acting):
            if _apply(writer, entry, pieces, acting, rank, sizes):
                acting.remove(entry)
                progress = True
    for node, labels in acting:
        pieces.extend(_as_matrix(writer, node, labels, rank, pieces, acting))
    return pieces


def _acts(node: Node) -> bool:
    return isinstance(node, Select | Triangle | Reshape)


def _apply(
    writer: Writer,
    entry: tuple[Node, Labels],
    pieces: list[Piece],
    acting: list[tuple[Node, Labels]],
    rank: int,
    label_sizes: dict[int, int],
) -> bool:
    node, labels = entry
    elsewhere = [own for other, own in acting if other is not node or own is not labels]

    def users(label: int) -> list[int]:
        if any(label in own for own in elsewhere):
            return [-1, -1]
        return [place for place, (_, own) in enumerate(pieces) for axis in own if axis == label]

    match node:
        case Select():
            return _apply_select(writer, node, labels, pieces, rank, users)
        case Triangle():
            return _apply_triangle(writer, node, labels, pieces)
        case Reshape():
            return _apply_reshape(writer, node, labels, pieces, rank, users, label_sizes)
    return False


Users = Callable[[int], list[int]]
"""Where a label is used: the places of pieces, and -1 twice where other structure has it."""


def _apply_select(writer: Writer, node: Select, labels: Labels, pieces: list[Piece], rank: int, users: Users) -> bool:
    for turned, (row, column) in _ways(node, labels):
        found = users(column)
        if column >= rank and len(found) == 1 and found[0] >= 0:
            (place,) = found
            single = row >= rank and not users(row)
            operand, own = pieces[place]
            axis = own.index(column)
            pieces[place] = _indexed(writer, turned, operand, own, axis, row, single=single)
            return True
    return False


def _apply_triangle(writer: Writer, node: Triangle, labels: Labels, pieces: list[Piece]) -> bool:
    for place, (operand, own) in enumerate(pieces):
        if len(own) == 2 and set(own) == set(labels) and labels[0] != labels[1]:
            lower = own == labels
            pieces[place] = (_triangular(writer, node, operand, lower), own)
            return True
    return False


def _apply_reshape(
    writer: Writer,
    node: Reshape,
    labels: Labels,
    pieces: list[Piece],
    rank: int,
    users: Users,
    label_sizes: dict[int, int],
) -> bool:
    merged, inner = labels[0], labels[1:]
    found = users(merged)
    if merged >= rank and len(found) == 1 and _tensor(pieces[found[0]][0]):
        pieces[found[0]] = _unmerged(writer, node, *pieces[found[0]], merged, inner, label_sizes)
        return True
    copies = [axis for axis, label in enumerate(inner) if label >= rank and not users(label)]
    if len(inner) == 2 and len(copies) == 1:
        label = inner[1 - copies[0]]
        found = users(label)
        if label >= rank and len(found) == 1 and found[0] >= 0:
            operand, own = pieces[found[0]]
            tree = _copies(writer, node, _tree(writer, operand), own.index(label), len(own), copies[0])
            pieces[found[0]] = (tree, tuple(merged if name == label else name for name in own))
            return True
    for place, (operand, own) in enumerate(pieces):
        private = all(label >= rank and users(label) == [place] for label in inner)
        if private and own == inner and len(set(own)) == len(own):
            pieces[place] = (call("ravel", _tree(writer, operand)), (merged,))
            return True
        if private and own == inner[::-1] and len(own) == 2:
            pieces[place] = (call("vec", _tree(writer, operand)), (merged,))
            return True
    return False


def _ways(node: Select, labels: Labels) -> Iterable[tuple[Select, Labels]]:
    """Yield a selection; a rotation also from its other side, where the one that undoes it stands."""
    yield node, labels
    if isinstance(node.rows, Rotation):
        yield Select.of(node.rows.inverse, node.size), labels[::-1]


def _tensor(node: Node | Tree) -> bool:
    return not isinstance(node, Structural)


def _tree(writer: Writer, operand: Node | Tree) -> Tree:
    return writer.tree(operand) if isinstance(operand, Node) else operand


def _indexed(
    writer: Writer, node: Select, operand: Node | Tree, own: Labels, axis: int, row: int, *, single: bool
) -> Piece:
    tree = _tree(writer, operand)
    if not (single and len(node.rows) == 1):
        return chosen(writer.sizes, node, tree, axis, len(own)), (*own[:axis], row, *own[axis + 1 :])
    items: list[Tree] = [Slice()] * len(own)
    items[axis] = writer.sizes.position(node.rows[0], node.size)
    return indexed(tree, items), own[:axis] + own[axis + 1 :]


def _triangular(writer: Writer, node: Triangle, operand: Node | Tree, lower: bool) -> Tree:
    offset = node.offset if lower else -node.offset
    extra = (_offset(offset),) if offset else ()
    return call("tril" if lower else "triu", _tree(writer, operand), *extra)


def _offset(offset: int) -> Tree:
    return negated(Number(str(-offset))) if offset < 0 else Number(str(offset))


def _unmerged(
    writer: Writer,
    node: Reshape,
    operand: Node | Tree,
    own: Labels,
    merged: int,
    inner: Labels,
    label_sizes: dict[int, int],
) -> Piece:
    axis = own.index(merged)
    labels = (*own[:axis], *inner, *own[axis + 1 :])
    before = [label_sizes[label] for label in own[:axis]]
    after = [label_sizes[label] for label in own[axis + 1 :]]
    sizes = tuple(writer.sizes.tree(size) for size in (*before, *node.sizes, *after))
    return call("reshape", _tree(writer, operand), TupleLiteral(sizes)), labels


def _copies(writer: Writer, node: Reshape, tree: Tree, axis: int, rank: int, counted: int) -> Tree:
    """Return copies along an axis: of the axis as a whole where they are counted first, else of each entry."""
    count = writer.sizes.tree(node.sizes[counted])
    if counted == 1:
        return call("repeat", tree, count, Number(str(axis)))
    if axis == rank - 1:
        return call("tile", tree, count)
    return call("tile", tree, TupleLiteral(tuple(count if place == axis else Number("1") for place in range(rank))))


def _used(label: int, pieces: list[Piece], acting: list[tuple[Node, Labels]]) -> bool:
    return any(label in own for _, own in (*pieces, *acting))


def _as_matrix(
    writer: Writer, node: Node, labels: Labels, rank: int, pieces: list[Piece], acting: list[tuple[Node, Labels]]
) -> Iterable[Piece]:
    """Return structure that acts on nothing in particular as an explicit 0/1 array."""
    sizes = writer.sizes
    match node:
        case Select():
            eye = call("eye", sizes.tree(node.size))
            row = labels[0]
            if len(node.rows) == 1 and row >= rank and not _used(row, pieces, [f for f in acting if f[0] is not node]):
                return [(indexed(eye, [sizes.position(node.rows[0], node.size)]), labels[1:])]
            return [(chosen(sizes, node, eye, 0, 2), labels)]
        case Triangle():
            ones = call("ones", TupleLiteral(tuple(sizes.tree(size) for size in node.shape)))
            extra = (_offset(node.offset),) if node.offset else ()
            return [(call("tril", ones, *extra), labels)]
    merged, inner = labels[0], labels[1:]
    others = [factor for factor in acting if factor[1] is not labels]
    summed = [axis for axis, label in enumerate(inner) if label >= rank and not _used(label, pieces, others)]
    if isinstance(node, Reshape) and len(inner) == 2 and len(summed) == 1:
        kept = inner[1 - summed[0]]
        eye = call("eye", sizes.tree(node.sizes[1 - summed[0]]))
        return [(_copies(writer, node, eye, 0, 2, summed[0]), (merged, kept))]
    eye = call("eye", sizes.tree(node.shape[0]))
    shape = TupleLiteral(tuple(sizes.tree(size) for size in node.shape))
    return [(call("reshape", eye, shape), labels)]
