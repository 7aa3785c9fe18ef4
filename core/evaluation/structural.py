"""The structural operands of a Product, used up before anything is multiplied.

Each one is a substitution of labels: `Delta` says that labels are equal, `Select` that `j` is `rows[i]`, `Reshape`
that `a` is the row-major position of `(i, j, ...)`. Applied to the arrays these are diagonals, slices and reshapes;
applied to the output they say where its entries go. What no substitution fits becomes an ordinary array of 0 and 1.

The slice `x[1:3]` is the Product of x, over the label 1, with a `Select` of labels 0 and 1. Nothing is multiplied: x is
viewed from 1 to 3 and carries the label 0 then, which is the first axis of the output.

>>> tape = Tape()
>>> x = Labelled(tape.input("x", (5,)), (1,))
>>> structure = Structure(tape, [x], [(Select.of(range(1, 3), 5), (0, 1))], shape=(2,))
>>> structure.resolve()
1
>>> [(factor.labels, factor.value.shape) for factor in structure.factors], structure.tensors
([((0,), (2,))], [])
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial, reduce
from math import prod

import numpy as np

from ..arrays import AnyArray, Array
from ..graph.nodes import Delta, Labels, Reshape, Select, Structural, Triangle, sizes_of
from ..graph.places import Rows, Windows
from ..shapes import Shape
from .contract import diagonal, multiply, plain, rename
from .strided import Place, composed, meeting
from .tape import Labelled, Tape

Tensor = tuple[Structural, Labels]


class Structure:
    """The arrays of one Product, its structural tensors, and where its entries go, under changing labels."""

    def __init__(self, tape: Tape, factors: Iterable[Labelled], tensors: Iterable[Tensor], shape: Shape) -> None:
        self.tape = tape
        self.factors = [diagonal(factor, tape) for factor in factors]
        self.tensors = list(tensors)
        self.place = Place(shape)
        self.sizes = {label: size for f in self.factors for label, size in zip(f.labels, f.value.shape, strict=True)}
        self.sizes |= sizes_of(self.tensors)
        self._newest = max(self.sizes, default=0)
        # Selections that follow each other in a circle would meet for ever.
        self._meetings_left = len(self.tensors)

    def resolve(self) -> int:
        """Use up every structural tensor; return the factor for summed labels that nothing carries."""
        while deltas := [tensor for tensor in self.tensors if isinstance(tensor[0], Delta)]:
            self._unify(deltas[0])
        for tensor in [tensor for tensor in self.tensors if isinstance(tensor[0], Triangle)]:
            self._counted(tensor)
        while any(isinstance(node, Select | Reshape) for node, _ in self.tensors):
            if not any(self._step(tensor) for tensor in self.tensors):
                stuck = [tensor for tensor in self.tensors if isinstance(tensor[0], Select | Reshape)]
                self._densify(min(stuck, key=lambda tensor: prod(tensor[0].shape)))
        while self.tensors:
            self._triangle(self.tensors[0])
        known = {label for factor in self.factors for label in factor.labels} | self.place.moves.keys()
        return prod(size for label, size in self.sizes.items() if label not in known)

    def _step(self, tensor: Tensor) -> bool:
        node, labels = tensor
        if len(set(labels)) < len(labels):
            return False
        if isinstance(node, Select):
            return self._select(tensor, node, labels)
        return isinstance(node, Reshape) and self._reshape(tensor, labels[0], labels[1:])

    def _others(self, tensor: Tensor, *labels: int) -> list[Tensor]:
        return [other for other in self.tensors if other is not tensor and not set(labels).isdisjoint(other[1])]

    def _carriers(self, *labels: int) -> list[Labelled]:
        return [factor for factor in self.factors if not set(labels).isdisjoint(factor.labels)]

    def _remove(self, tensor: Tensor) -> None:
        self.tensors = [other for other in self.tensors if other is not tensor]

    def _replace(self, old: Iterable[Labelled], *new: Labelled) -> None:
        gone = {id(factor) for factor in old}
        self.factors = [factor for factor in self.factors if id(factor) not in gone] + list(new)

    def _densify(self, tensor: Tensor) -> None:
        self._remove(tensor)
        node, labels = tensor
        value = self.tape.emit(node.dense, [], node.shape)
        self.factors.append(diagonal(Labelled(value, labels), self.tape))

    def _unify(self, tensor: Tensor) -> None:
        self._remove(tensor)
        kept, *others = tensor[1]
        names = {other: kept for other in others if other != kept}
        for other in names:
            self.place.merge(kept, other, self.sizes.pop(other))
        self.factors = [rename(factor, names, self.tape) for factor in self.factors]
        self.tensors = [(node, tuple(names.get(label, label) for label in own)) for node, own in self.tensors]

    # --- Select ------------------------------------------------------------------------------------------------------

    def _select(self, tensor: Tensor, node: Select, labels: Labels) -> bool:
        i, j = labels
        if isinstance(node.rows, Windows) and self._windows(tensor, node.rows, i, j):
            return True
        for other in self._others(tensor, j):
            if isinstance(other[0], Select) and other[1][0] == j and other[1][1] != j:
                continue
            meets = isinstance(other[0], Select) and other[1][1] == j and len({*labels, *other[1]}) == 3
            if meets and self._meetings_left:
                self._meetings_left -= 1
                self._meet(tensor, other)
                return True
            if isinstance(other[0], Triangle):
                self._densify(other)
                return True
            return False
        self._remove(tensor)
        self.tensors = [_composed(other, i, j, node.rows) for other in self.tensors]
        gathered = self._carriers(j)
        self._replace(gathered, *(self._gathered(factor, i, j, node.rows) for factor in gathered))
        self.place.choose(i, j, node.rows)
        del self.sizes[j]
        return True

    def _windows(self, tensor: Tensor, rows: Windows, i: int, j: int) -> bool:
        """Replace the label of an axis by those of windows on it: a view of the arrays, and strides of the output."""
        splits = [other for other in self._others(tensor, i) if isinstance(other[0], Reshape) and other[1][0] == i]
        if len(splits) != 1 or len(self._others(tensor, i, j)) != 1 or self._carriers(i) or i in self.place.moves:
            return False
        ((split, (_, *parts)),) = splits
        move = self.place.moves.get(j, 0)
        if split.shape[1:] != (rows.amount, rows.length) or not isinstance(move, int) or len({*parts, j}) < 3:
            return False
        carriers = self._carriers(j)
        if any(not {*parts}.isdisjoint(factor.labels) for factor in carriers):
            return False
        self._remove(tensor)
        self._remove(splits[0])
        self._replace(carriers, *(self._windowed(factor, rows, j, tuple(parts)) for factor in carriers))
        if self.place.moves.pop(j, None) is not None:
            for part, step, size in zip(parts, (rows.step, rows.dilation), split.shape[1:], strict=True):
                self.place.add(part, move * step, size)
            self.place.overlapping.add(parts[1])
        del self.sizes[i], self.sizes[j]
        return True

    def _windowed(self, factor: Labelled, rows: Windows, j: int, parts: Labels) -> Labelled:
        axis = factor.labels.index(j)
        value = self.tape.windows(factor.value, axis, rows)
        return Labelled(value, (*factor.labels[:axis], *parts, *factor.labels[axis + 1 :]), factor.mask, factor.inverse)

    def _gathered(self, factor: Labelled, i: int, j: int, rows: Rows) -> Labelled:
        value = self.tape.select(factor.value, factor.labels.index(j), rows)
        return rename(Labelled(value, factor.labels, factor.mask, factor.inverse), {j: i}, self.tape)

    def _meet(self, first: Tensor, second: Tensor) -> None:
        """Two selections from one axis agree at certain pairs of rows: a new label counts these pairs."""
        one, other = first[0], second[0]
        assert isinstance(one, Select)
        assert isinstance(other, Select)
        mine, theirs = meeting(one.rows, other.rows)
        self._newest += 1
        self.sizes[self._newest] = len(mine)
        self._remove(first)
        self._remove(second)
        i, j = first[1]
        self.tensors += [
            (Select.of(composed(one.rows, mine), one.size), (self._newest, j)),
            (Select.of(mine, len(one.rows)), (self._newest, i)),
            (Select.of(theirs, len(other.rows)), (self._newest, second[1][0])),
        ]

    # --- Reshape -----------------------------------------------------------------------------------------------------

    def _reshape(self, tensor: Tensor, whole: int, parts: Labels) -> bool:
        join_first = whole in self.place.moves or bool(self._others(tensor, whole)) or self._adjacent(parts)
        for way in [self._join, self._split] if join_first else [self._split, self._join]:
            if way(tensor, whole, parts):
                self._remove(tensor)
                return True
        return False

    def _adjacent(self, parts: Labels) -> bool:
        """Whether to join the parts only means to reshape a single array."""
        carriers = self._carriers(*parts)
        if len(carriers) != 1 or parts[0] not in carriers[0].labels:
            return False
        first = carriers[0].labels.index(parts[0])
        return carriers[0].labels[first : first + len(parts)] == parts

    def _split(self, tensor: Tensor, whole: int, parts: Labels) -> bool:
        """Replace the label of the merged axis by the labels of its parts."""
        move = self.place.moves.get(whole, 0)
        if self._others(tensor, whole) or not isinstance(move, int):
            return False
        sizes = tensor[0].shape[1:]
        carriers = self._carriers(whole)
        self._replace(carriers, *(self._split_factor(factor, whole, parts, sizes) for factor in carriers))
        if whole in self.place.moves:
            del self.place.moves[whole]
            for axis, part in enumerate(parts):
                self.place.add(part, move * prod(sizes[axis + 1 :]), sizes[axis])
            self.place.replace([whole], parts)
        del self.sizes[whole]
        return True

    def _split_factor(self, factor: Labelled, whole: int, parts: Labels, sizes: Shape) -> Labelled:
        axis = factor.labels.index(whole)
        shape = (*factor.value.shape[:axis], *sizes, *factor.value.shape[axis + 1 :])
        labels = (*factor.labels[:axis], *parts, *factor.labels[axis + 1 :])
        value = self.tape.reshape(factor.value, shape)
        return diagonal(Labelled(value, labels, factor.mask, factor.inverse), self.tape)

    def _join(self, tensor: Tensor, whole: int, parts: Labels) -> bool:
        """Replace the labels of the parts by the label of the merged axis."""
        carriers = self._carriers(*parts)
        sizes = tensor[0].shape[1:]
        if self._others(tensor, *parts) or any(not set(parts) <= set(factor.labels) for factor in carriers):
            return False
        if not self.place.moves.keys().isdisjoint(parts):
            step = self.place.nested(parts, sizes)
            if step is None:
                return False
            for part in parts:
                del self.place.moves[part]
            self.place.add(whole, step, tensor[0].shape[0])
            self.place.replace(parts, [whole])
        self._replace(carriers, *(self._join_factor(factor, whole, parts) for factor in carriers))
        for part in parts:
            del self.sizes[part]
        return True

    def _join_factor(self, factor: Labelled, whole: int, parts: Labels) -> Labelled:
        first = min(factor.labels.index(part) for part in parts)
        before = [label for label in factor.labels[:first] if label not in parts]
        after = [label for label in factor.labels[first:] if label not in parts]
        axes = [factor.labels.index(label) for label in (*before, *parts, *after)]
        value = self.tape.transpose(factor.value, axes)
        inner = prod(value.shape[len(before) : len(before) + len(parts)])
        shape = (*value.shape[: len(before)], inner, *value.shape[len(before) + len(parts) :])
        joined = self.tape.reshape(value, shape)
        return diagonal(Labelled(joined, (*before, whole, *after), factor.mask, factor.inverse), self.tape)

    # --- Triangle ----------------------------------------------------------------------------------------------------

    def _triangle(self, tensor: Tensor) -> None:
        node, (i, j) = tensor
        assert isinstance(node, Triangle)
        both = [factor for factor in self.factors if {i, j} <= set(factor.labels)]
        plain_sum = node.offset == 0 and node.shape[0] == node.shape[1]
        if i != j and both:
            self._remove(tensor)
            target = min(both, key=lambda factor: factor.value.size)
            self._replace([target], self._masked(target, node, i, j))
        elif i != j and plain_sum and (self._running_sum(tensor, i, j, False) or self._running_sum(tensor, j, i, True)):
            self._remove(tensor)
        else:
            self._densify(tensor)

    def _counted(self, tensor: Tensor) -> None:
        """Put how many ones a row or a column has in the place of a Triangle that is summed along the other axis."""
        node, labels = tensor
        assert isinstance(node, Triangle)
        for axis, label in enumerate(labels):
            known = label in self.place.moves or self._carriers(label) or self._others(tensor, label)
            if not known and len(set(labels)) == 2:
                self._remove(tensor)
                del self.sizes[label]
                value = self.tape.emit(partial(_ones_beside, node, axis), [], (node.shape[1 - axis],))
                self.factors.append(Labelled(value, (labels[1 - axis],)))
                return

    def _masked(self, factor: Labelled, node: Triangle, i: int, j: int) -> Labelled:
        rows, columns = node.shape
        mask = self.tape.emit(lambda: np.tri(rows, columns, node.offset, dtype=np.bool_), [], node.shape)
        masked = multiply(self.tape, Labelled(mask, (i, j), mask=True), factor, factor.labels, self.sizes)
        if node.offset > 0 or rows != columns or len(factor.labels) != 2:
            return masked
        return masked._replace(triangle=1 if factor.labels == (i, j) else -1)

    def _running_sum(self, tensor: Tensor, i: int, j: int, reverse: bool) -> bool:
        """Sum over `j <= i`, or over `j >= i`, as a running sum of what carries `j`."""
        carriers = sorted(self._carriers(j), key=lambda factor: -len(factor.labels))
        if not carriers or j in self.place.moves or self._others(tensor, j):
            return False
        if any(not set(factor.labels) <= set(carriers[0].labels) for factor in carriers):
            return False
        labels = carriers[0].labels
        # Masks come last: their zeros win over all that is computed.
        carriers.sort(key=lambda factor: factor.mask)
        total = reduce(lambda one, other: multiply(self.tape, one, other, labels, self.sizes), carriers)
        total = plain(total, self.tape)
        axis = total.labels.index(j)

        def backward(array: AnyArray) -> AnyArray:
            return np.flip(np.cumsum(np.flip(array, axis), axis), axis)

        kernel = backward if reverse else partial(np.cumsum, axis=axis)
        value = self.tape.emit(kernel, [total.value], total.value.shape, cost=2 * total.value.size)
        self._replace(carriers, Labelled(value, tuple(i if label == j else label for label in total.labels)))
        del self.sizes[j]
        return True


def _composed(tensor: Tensor, i: int, j: int, rows: Rows) -> Tensor:
    """Return a tensor after the substitution of `j` by `rows[i]`."""
    node, labels = tensor
    if not isinstance(node, Select) or labels[0] != j:
        return tensor
    return Select.of(composed(node.rows, rows), node.size), (i, labels[1])


def apply_masks(
    tape: Tape, factors: list[Labelled], leaves: set[int], sizes: dict[int, int], output: Labels
) -> tuple[list[Labelled], list[Labelled]]:
    """Let the zeros of masks win over inf and nan: mask what carries their labels before anything is summed.

    `leaves` are the slots of inputs and constants, which are finite. What does not carry all labels of a mask is 0
    where the mask is 0 at all others. Where such labels are in the output, the mask comes back, for the result.
    """
    others, results = [factor for factor in factors if not factor.mask], list[Labelled]()

    def risky(factor: Labelled) -> bool:
        return factor.inverse or factor.value.slot not in leaves

    for mask in (factor for factor in factors if factor.mask):
        over = set(mask.labels)
        covering = [factor for factor in others if over <= set(factor.labels)]
        targets = [factor for factor in covering if risky(factor)] or covering[:1]
        if targets:
            done = [multiply(tape, mask, factor, factor.labels, sizes) for factor in targets]
        else:
            targets = [f for f in others if set(f.labels) < over and risky(f)]
            done = [_masked_together(tape, mask, targets, sizes)]
        others = [factor for factor in others if all(factor is not used for used in targets)]
        outside = [factor for factor in others if risky(factor) and not over <= set(factor.labels)]
        kept = [factor for factor in others if all(factor is not used for used in outside)]
        gates = [_somewhere(tape, mask, set(factor.labels)) for factor in outside]
        gated = [multiply(tape, *pair, pair[1].labels, sizes) for pair in zip(gates, outside, strict=True)]
        others = [*kept, *gated, *done]
        if any(not over & set(output) <= set(factor.labels) for factor in outside):
            results.append(_somewhere(tape, mask, set(output)))
    return others, results


def _somewhere(tape: Tape, mask: Labelled, kept: set[int]) -> Labelled:
    """Return where a mask holds anywhere along the labels that are not kept."""
    axes = tuple(axis for axis, label in enumerate(mask.labels) if label not in kept)
    if not axes:
        return mask
    shape = tuple(size for axis, size in enumerate(mask.value.shape) if axis not in axes)
    kernel = partial(np.logical_or.reduce, axis=axes)
    value = tape.emit(kernel, [mask.value], shape, cost=mask.value.size, exact=True)
    return Labelled(value, tuple(label for label in mask.labels if label in kept), mask=True)


def _masked_together(tape: Tape, mask: Labelled, targets: list[Labelled], sizes: dict[int, int]) -> Labelled:
    if not targets:
        return plain(mask, tape)
    combined = reduce(lambda one, other: multiply(tape, one, other, mask.labels, sizes), targets)
    return multiply(tape, mask, combined, mask.labels, sizes)


def _ones_beside(node: Triangle, axis: int) -> Array:
    """Return how many ones a Triangle has along an axis, for each place of the other."""
    rows, columns = node.shape
    if axis == 1:
        return np.asarray(np.clip(np.arange(rows) + float(node.offset + 1), 0.0, columns))
    return np.asarray(rows - np.clip(np.arange(columns) - float(node.offset), 0.0, rows))
