"""Select, Triangle and Reshape in the words people use: index brackets, tril and triu, reshape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Protocol

from ...grammar.syntax import ListLiteral, Number, Slice, TupleLiteral
from ..graph.algebra import fresh_labels, number
from ..graph.nodes import Delta, Factor, Labels, Node, Reshape, Select, Structural, Triangle
from ..graph.places import Listed, Rotation, count_of
from ..graph.sizes import Size
from .kronecker import kronecker
from .lengths import length_tree, place_tree, rows_tree
from .padding import is_slice, padded
from .terms import Term, written
from .trees import ONE, Tree, call, hadamard, indexed, negated, power, transposes
from .windows import Tie, combined, taken_out, viewed


class Writer(Protocol):
    """What a Product needs of the notation around it."""

    def tree(self, node: Node) -> Tree:
        """Return a node as a tree of exactly its shape."""

    def term(self, node: Node) -> Term:
        """Return a node as a term of exactly its shape."""

    def anew(self) -> Writer:
        """Return a notation that knows of no expression."""


def chosen(writer: Writer, select: Select, tree: Tree, axis: int, rank: int) -> Tree:
    """Return the rows of a selection along one axis of a tree: `x[0]`, `X[:, 1:3]`, `x[I]`, `roll(x, 2)`."""
    if isinstance(select.rows, Rotation):
        start, back = select.rows.start, select.size - select.rows.start
        forward = isinstance(start, Size) or (not isinstance(back, Size) and back <= start)
        shift = length_tree(back) if forward else negated(length_tree(start))
        return call("roll", tree, shift, *([Number(str(axis))] if rank > 1 else []))
    items: list[Tree] = [Slice()] * rank
    if (source := _source(select)) is None:
        items[axis] = rows_tree(select)
    elif source.rank == 1:
        items[axis] = writer.tree(source)
    else:
        items[axis] = ListLiteral((only_place(writer, select),))
    return indexed(tree, items)


def only_place(writer: Writer, select: Select) -> Tree:
    """Return the one place that a selection chooses: `0`, `I[0]`."""
    source = _source(select)
    return place_tree(select.rows[0], select.size) if source is None else writer.tree(source)


def is_one_place(select: Select) -> bool:
    """Whether a selection chooses one place that is written without brackets of its own."""
    source = _source(select)
    return count_of(select.rows) == 1 and (source is None or not source.rank)


def _source(select: Select) -> Node | None:
    """Return the array of indices that says what is selected, None where the places stand for themselves."""
    source = select.rows.source if isinstance(select.rows, Listed) else None
    return source if isinstance(source, Node) else None


Piece = tuple[Node | Tree, Labels]
Users = Callable[[int], list[int]]


def apply_structure(writer: Writer, factors: Sequence[Factor], rank: int, sizes: Mapping[int, int]) -> Iterable[Piece]:
    """Return the factors of a Product with their structure written into the operands that it acts on.

    `sizes` are those of the labels.
    """
    acting = [factor for factor in factors if isinstance(factor[0], Select | Triangle | Reshape)]
    pieces = [factor for factor in factors if factor not in acting]
    return _Application(writer, rank, sizes, [*pieces], acting, taken_out(acting, rank)).pieces_left()


@dataclass
class _Application:
    """Structure on its way into the operands that it acts on: `pieces` are these, `acting` is what is not used yet."""

    writer: Writer
    rank: int
    label_sizes: Mapping[int, int]
    pieces: list[Piece]
    acting: list[Factor]
    ties: list[Tie]

    def pieces_left(self) -> list[Piece]:
        while (found := kronecker(self.pieces, self.acting, self.rank, self._tree)) is not None:
            self.acting = [factor for factor in self.acting if factor not in found.structure]
            self.pieces = [piece for piece in self.pieces if piece not in found.pieces]
            self.pieces.append((found.tree, found.labels))
        self._use_up()
        for node, labels in self.acting:
            self.pieces.append(self._as_matrix(node, labels))
        self.acting = []
        self._use_up()
        for tie in self.ties:
            eye = call("eye", length_tree(tie.size))
            tree, (window, _, inside) = viewed(eye, (tie.axis, next(fresh_labels)), [tie])
            self.pieces.append((tree, (window, tie.axis, inside)))
        return self.pieces

    def _use_up(self) -> None:
        """Let all structure act that finds something to act on."""
        remaining = -1
        while remaining != len(self.acting) + len(self.ties):
            remaining = len(self.acting) + len(self.ties)
            for entry in list(self.acting):
                if self._apply(*entry):
                    self.acting.remove(entry)
            if self.ties and not self._combine():
                self._view()

    def _combine(self) -> bool:
        """Write two arrays over windows as a convolution or a correlation."""
        busy = {label for _, labels in self.acting for label in labels}
        busy |= {label for one, other in combinations(self.ties, 2) for label in {*one.labels} & {*other.labels}}
        busy |= {label for node, labels in self.pieces if isinstance(node, Delta) for label in labels}
        found = combined(
            [(self._tree(piece), labels) for piece, labels in self.pieces if not isinstance(piece, Delta)],
            self.ties,
            lambda label: label >= self.rank and label not in busy,
        )
        best = min(found, key=lambda way: (-len(way.ties), transposes(way.tree)), default=None)
        if best is None:
            return False
        self.ties = [tie for tie in self.ties if tie not in best.ties]
        self.pieces = [piece for piece in self.pieces if set(piece[1]).isdisjoint(best.summed) or not piece[1]]
        self.pieces.append((best.tree, best.labels))
        return True

    def _view(self) -> bool:
        """Write an array that alone has the axes of windows with the windows on them."""
        for place, (piece, own) in enumerate(self.pieces):
            ties = [tie for tie in self.ties if tie.axis in own and self._users(None, (), tie.axis) == [place]]
            ties = [tie for tie in ties if tie.axis >= self.rank and not isinstance(piece, Delta)]
            if ties:
                self.pieces[place] = viewed(self._tree(piece), own, sorted(ties, key=lambda tie: own.index(tie.axis)))
                self.ties = [tie for tie in self.ties if tie not in ties]
                return True
        return False

    def _apply(self, node: Node, labels: Labels) -> bool:
        users = partial(self._users, node, labels)
        match node:
            case Select():
                return self._apply_select(node, labels, users)
            case Triangle():
                return self._apply_triangle(node, labels)
            case Reshape():
                return self._apply_reshape(node, labels, users)
        return False

    def _users(self, node: Node | None, labels: Labels, label: int) -> list[int]:
        """Return where a label is used: the places of pieces, and -1 twice where other structure has it."""
        if any(label in own for other, own in self.acting if other is not node or own is not labels):
            return [-1, -1]
        if sum(label in tie.labels for tie in self.ties) > (node is None):
            return [-1, -1]
        return [place for place, (_, own) in enumerate(self.pieces) for axis in own if axis == label]

    def _apply_select(self, node: Select, labels: Labels, users: Users) -> bool:
        for turned, (row, column) in _ways(node, labels):
            found = users(column)
            if column >= self.rank and len(found) == 1 and found[0] >= 0:
                (place,) = found
                single = row >= self.rank and not users(row)
                self.pieces[place] = self._indexed(turned, *self.pieces[place], column, row, single=single)
                return True
        return (
            self._pick(node, labels, users) or self._each_indexed(node, labels, users) or self._pad(node, labels, users)
        )

    def _pick(self, node: Select, labels: Labels, users: Users) -> bool:
        """Let one place of an axis that several pieces share be chosen of each: `outer(V[:, -1], V[:, -1])`."""
        row, column = labels
        found = users(column)
        alone = row >= self.rank and not users(row) and column >= self.rank and is_one_place(node)
        if not alone or len(found) < 2 or len(set(found)) < len(found) or -1 in found:
            return False
        if any(isinstance(self.pieces[place][0], Structural) for place in found):
            return False
        for place in found:
            self.pieces[place] = self._indexed(node, *self.pieces[place], column, row, single=True)
        return True

    def _each_indexed(self, node: Select, labels: Labels, users: Users) -> bool:
        """Let places of vectors that are multiplied be chosen of each: `x[:-1]**2`."""
        row, column = labels
        found = users(column)
        vectors = len(found) > 1 and -1 not in found and all(self.pieces[place][1] == (column,) for place in found)
        if column < self.rank or not vectors or any(isinstance(self.pieces[k][0], Structural) for k in found):
            return False
        for place in found:
            self.pieces[place] = self._indexed(node, *self.pieces[place], column, row, single=False)
        return True

    def _pad(self, node: Select, labels: Labels, users: Users) -> bool:
        """Put a vector in the places of a slice, with zeros around it."""
        row, column = labels
        inside = users(row)
        if row < self.rank or not is_slice(node) or _source(node) is not None or -1 in inside:
            return False
        found = inside or [place for place in users(column) if place >= 0 and self.pieces[place][1] == (column,)]
        if any(len(self.pieces[place][1]) != 1 or isinstance(self.pieces[place][0], Structural) for place in found):
            return False
        terms = [self._term(self.pieces[place][0]) for place in found]
        trees = [written(term._replace(coefficient=1, scalars=())) for term in terms]
        if not inside:
            trees = [chosen(self.writer, node, tree, 0, 1) for tree in trees]
        vector = hadamard([(tree, ONE) for tree in trees]) if trees else call("ones", length_tree(node.shape[0]))
        self.pieces = [piece for place, piece in enumerate(self.pieces) if place not in found]
        self.pieces += [(number(term.coefficient), ()) for term in terms]
        self.pieces += [(power(*scalar), ()) for term in terms for scalar in term.scalars]
        self.pieces.append((padded(vector, node), (column,)))
        return True

    def _apply_triangle(self, node: Triangle, labels: Labels) -> bool:
        for place, (operand, own) in enumerate(self.pieces):
            if own in (labels, labels[::-1]) and labels[0] != labels[1]:
                lower = own == labels
                extra = _offset(node.offset if lower else -node.offset)
                self.pieces[place] = (call("tril" if lower else "triu", self._tree(operand), *extra), own)
                return True
        return False

    def _apply_reshape(self, node: Reshape, labels: Labels, users: Users) -> bool:
        merged, inner = labels[0], labels[1:]
        found = users(merged)
        if merged >= self.rank and len(found) == 1 and not isinstance(self.pieces[found[0]][0], Structural):
            self.pieces[found[0]] = self._unmerged(node, *self.pieces[found[0]], merged, inner)
            return True
        copies = [axis for axis, label in enumerate(inner) if label >= self.rank and not users(label)]
        if len(inner) == 2 and len(copies) == 1:
            label = inner[1 - copies[0]]
            found = users(label)
            if label >= self.rank and len(found) == 1 and found[0] >= 0:
                operand, own = self.pieces[found[0]]
                tree = self._copies(node, self._tree(operand), own.index(label), len(own), copies[0])
                self.pieces[found[0]] = (tree, tuple(merged if name == label else name for name in own))
                return True
        for place, (operand, own) in enumerate(self.pieces):
            private = all(label >= self.rank and users(label) == [place] for label in inner)
            ordered = own == inner and len(set(own)) == len(own)
            if private and (ordered or (own == inner[::-1] and len(own) == 2)):
                self.pieces[place] = (call("ravel" if ordered else "vec", self._tree(operand)), (merged,))
                return True
        return False

    def _tree(self, operand: Node | Tree) -> Tree:
        return self.writer.tree(operand) if isinstance(operand, Node) else operand

    def _term(self, operand: Node | Tree) -> Term:
        return self.writer.term(operand) if isinstance(operand, Node) else Term.of(operand, 1)

    def _indexed(
        self, node: Select, operand: Node | Tree, own: Labels, column: int, row: int, *, single: bool
    ) -> Piece:
        tree, axis = self._tree(operand), own.index(column)
        if not (single and is_one_place(node)):
            return chosen(self.writer, node, tree, axis, len(own)), (*own[:axis], row, *own[axis + 1 :])
        items: list[Tree] = [Slice()] * len(own)
        items[axis] = only_place(self.writer, node)
        return indexed(tree, items), own[:axis] + own[axis + 1 :]

    def _unmerged(self, node: Reshape, operand: Node | Tree, own: Labels, merged: int, inner: Labels) -> Piece:
        axis = own.index(merged)
        labels = (*own[:axis], *inner, *own[axis + 1 :])
        before, after = ([self.label_sizes[label] for label in part] for part in (own[:axis], own[axis + 1 :]))
        return call("reshape", self._tree(operand), self._shape((*before, *node.sizes, *after))), labels

    def _shape(self, shape: Iterable[int]) -> Tree:
        return TupleLiteral(tuple(map(length_tree, shape)))

    def _copies(self, node: Reshape, tree: Tree, axis: int, rank: int, counted: int) -> Tree:
        """Return copies along an axis: of the axis as a whole where they are counted first, else of each entry."""
        count = length_tree(node.sizes[counted])
        if counted == 1:
            return call("repeat", tree, count, Number(str(axis)))
        if axis == rank - 1:
            return call("tile", tree, count)
        return call("tile", tree, TupleLiteral(tuple(count if place == axis else Number("1") for place in range(rank))))

    def _as_matrix(self, node: Node, labels: Labels) -> Piece:
        """Return structure that acts on nothing in particular as an explicit 0/1 array."""
        users, first, inner = partial(self._users, node, labels), labels[0], labels[1:]
        match node:
            case Select():
                eye = call("eye", length_tree(node.size))
                if is_one_place(node) and first >= self.rank and not users(first):
                    return indexed(eye, [only_place(self.writer, node)]), inner
                rows = chosen(self.writer, node, eye, 0, 2)
                if self.ties and first >= self.rank and not users(first):
                    return call("sum", rows, axis=Number("0")), inner
                return rows, labels
            case Triangle():
                return call("tril", call("ones", self._shape(node.shape)), *_offset(node.offset)), labels
        summed = [axis for axis, label in enumerate(inner) if label >= self.rank and not users(label)]
        if isinstance(node, Reshape) and len(inner) == 2 and len(summed) == 1:
            kept = 1 - summed[0]
            return self._copies(node, call("eye", length_tree(node.sizes[kept])), 0, 2, summed[0]), (first, inner[kept])
        return call("reshape", call("eye", length_tree(node.shape[0])), self._shape(node.shape)), labels


def _ways(node: Select, labels: Labels) -> Iterable[tuple[Select, Labels]]:
    """Yield a selection; a rotation also from its other side, where the one that undoes it stands."""
    yield node, labels
    if isinstance(node.rows, Rotation):
        yield Select.of(node.rows.inverse, node.size), labels[::-1]


def _offset(offset: int) -> tuple[Tree, ...]:
    """Return the offset of a triangle as an argument, which none is where it is 0."""
    return (length_tree(offset),) if offset else ()
