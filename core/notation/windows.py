"""Windows on an axis in the words people use: `convolve(g, w)`, `correlate(x, g)`, `sliding_window_view(x, 3)`.

Windows tie three labels, `n == step*i + dilation*k`: place k of window i is place n of the axis. Two arrays over two of
them, with nothing else there, are a correlation or a convolution over the third. Otherwise an array gets windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from ...grammar.syntax import Slice, String, TupleLiteral
from ..graph.nodes import Factor, Labels, Reshape, Select
from ..graph.places import Windows
from .lengths import length_tree
from .trees import ONE, Tree, call, hadamard, indexed, number, transposed

Piece = tuple[Tree, Labels]
Private = Callable[[int], bool]


class Tie(NamedTuple):
    """Windows on an axis of some size with the labels of the window, of the place in it, and of the axis."""

    rows: Windows
    size: int
    window: int
    inside: int
    axis: int

    @property
    def labels(self) -> Labels:
        """The three labels."""
        return (self.window, self.inside, self.axis)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The lengths of the three."""
        return (self.rows.amount, self.rows.length, self.size)

    @property
    def extent(self) -> int:
        """How many places of the axis a window spans."""
        return (self.rows.length - 1) * self.rows.dilation + 1


class Combination(NamedTuple):
    """Two arrays over windows as one: the windows that it uses up, the labels that it sums, the tree and its labels."""

    ties: list[Tie]
    summed: Labels
    tree: Tree
    labels: Labels


def taken_out(acting: list[Factor], output: int) -> list[Tie]:
    """Return the windows among structure, which are removed from it; labels below `output` are those of the result."""
    found: list[Tie] = []
    for node, labels in list(acting):
        if isinstance(node, Select) and isinstance(node.rows, Windows) and labels[0] >= output:
            users = [(other, own) for other, own in acting if labels[0] in own and own is not labels]
            split = (node.rows.amount, node.rows.length)
            if len(users) == 1 and isinstance(users[0][0], Reshape) and users[0][0].sizes == split:
                acting.remove((node, labels))
                acting.remove(users[0])
                _, window, inside = users[0][1]
                found.append(Tie(node.rows, node.size, window, inside, labels[1]))
    return found


def combined(pieces: Sequence[Piece], ties: Sequence[Tie], private: Private) -> Iterator[Combination]:
    """Yield convolutions and correlations of two pieces each.

    `private` labels are summed, and nothing but arrays has them.
    """
    plain = [tie for tie in ties if tie.rows.plain]
    for chosen in (*permutations(plain, 2), *((tie,) for tie in plain)):
        for first, second, left in ((0, 1, 2), (2, 1, 0), (2, 0, 1)):
            summed = [tuple(tie.labels[role] for tie in chosen) for role in (first, second)]
            if not all(private(label) for labels in summed for label in labels):
                continue
            sizes = [[tie.sizes[role] for tie in chosen] for role in (first, second)]
            operands = [_operand(pieces, *pair) for pair in zip(summed, sizes, strict=True)]
            trees = [tree for tree in operands if tree is not None]
            if len(trees) < 2 or set(pieces_of := (*summed[0], *summed[1])).isdisjoint(_carried(pieces)):
                continue
            name = ("convolve" if left == 2 else "correlate") + ("2d" if len(chosen) == 2 else "")
            tree = call(name, *trees, *([] if left == 2 else [String("valid")]))
            yield Combination([*chosen], pieces_of, tree, tuple(tie.labels[left] for tie in chosen))


def _carried(pieces: Sequence[Piece]) -> set[int]:
    return {label for _, labels in pieces for label in labels}


def _operand(pieces: Sequence[Piece], labels: Labels, sizes: Sequence[int]) -> Tree | None:
    """Return what has exactly these labels, ones where nothing has any; None for the rest."""
    touching = [(tree, own) for tree, own in pieces if not set(own).isdisjoint(labels)]
    if not touching:
        lengths = tuple(map(length_tree, sizes))
        return call("ones", lengths[0] if len(lengths) == 1 else TupleLiteral(lengths))
    if any(own not in (labels, labels[::-1]) for _, own in touching):
        return None
    trees = [tree if own == labels else transposed(tree) for tree, own in touching]
    return hadamard([(tree, ONE) for tree in trees])


def viewed(tree: Tree, own: Labels, ties: Sequence[Tie]) -> tuple[Tree, Labels]:
    """Return an array with windows on some of its axes: the places in each window become further axes, at the end."""
    axes = [own.index(tie.axis) for tie in ties]
    extents = [length_tree(tie.extent) for tie in ties]
    shape = extents[0] if len(ties) == 1 else TupleLiteral(tuple(extents))
    places = number(axes[0]) if len(ties) == 1 else TupleLiteral(tuple(map(number, axes)))
    whole = axes == list(range(len(own)))
    tree = call("sliding_window_view", tree, shape, **({} if whole else {"axis": places}))
    items: list[Tree] = [Slice()] * len(own)
    for axis, tie in zip(axes, ties, strict=True):
        items[axis] = _every(tie.rows.step)
    items += [_every(tie.rows.dilation) for tie in ties]
    windows = {tie.axis: tie.window for tie in ties}
    labels = (*(windows.get(label, label) for label in own), *(tie.inside for tie in ties))
    return indexed(tree, items), labels


def _every(step: int) -> Slice:
    return Slice(step=length_tree(step)) if step != 1 else Slice()
