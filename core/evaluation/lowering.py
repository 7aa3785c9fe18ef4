"""From graph to tape: what each kind of node becomes.

Every node first becomes a `CompactValue`, which costs nothing: an array over some axes of the node, a number in
front of it, and for structured nodes where its entries go. The full array of a node is made only for those who need
it; a Sum writes the pieces of its terms into one output.

The Sum `B + diag(exp(a))`: the piece of the second term is the vector, with a writer that adds it to the diagonal of a
copy of B. No diagonal matrix is formed.

>>> from matgrad.core.elaboration.elaborate import elaborate_text
>>> names = {"B": Symbol.of("B", (3, 3)), "a": Symbol.of("a", (3,))}
>>> for draft in Lowering([elaborate_text("B + diag(exp(a))", names)]).tape.drafts:
...     print(draft.kernel.__name__, draft.shape)
exp (3,)
own_copy (3, 3)
add (3, 3)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..graph.algebra import carries_delta, constant_value
from ..graph.nodes import (
    Apply,
    Constant,
    Delta,
    Function,
    Labels,
    Map,
    Node,
    Product,
    Structural,
    Sum,
    Symbol,
    topological,
    uses,
)
from ..shapes import Shape, broadcast_shapes
from .contract import align, contract, diagonal, multiply, plain, reusable, scaled
from .kernels import Entrywise, Guarded, Into, Kernel, own_copy
from .outer_sums import Addend, outer_products_together
from .sparse import sparse_sum
from .strided import StridedWriter, lie_apart
from .structural import Structure, apply_masks
from .tape import Labelled, Tape, Value

# Constants with more entries than this are made anew in each run where writing them is as fast as copying them.
FOLD_LIMIT = 1_000_000
# The powers that functions of their own compute.
POWERS: Mapping[float, tuple[Kernel, ...]] = {
    0.5: (np.sqrt,), -0.5: (np.sqrt, np.reciprocal), 2.0: (np.square,), -2.0: (np.square, np.reciprocal)
}  # fmt: skip


class CompactValue(NamedTuple):
    """A node's array before it is spread out: `coefficient * factor`, repeated over the axes the factor lacks.

    The labels of `factor` are axes of the node, or, where there is a `writer`, the labels `order` of its places.
    """

    factor: Labelled
    coefficient: float = 1.0
    writer: StridedWriter | None = None
    order: Labels = ()


def _not_compiled(function: Function) -> Kernel:
    raise TypeError("a function needs something that compiles it")


class Lowering:
    """The tape of a graph; `outputs` are the values of the roots, `computed` what each node became if traced.

    `compiled` makes callables of the functions with which operators compute.
    """

    def __init__(
        self,
        roots: Sequence[Node],
        compiled: Callable[[Function], Kernel] | None = None,
        *,
        traced: bool = False,
        sparse: Collection[str] = (),
    ) -> None:
        self._compiled = compiled or _not_compiled
        self.tape = Tape(reuse=not traced, sparse=sparse)
        self.computed: list[tuple[Node, Value]] = []
        self._pieces: dict[Node, CompactValue] = {}
        self._values: dict[Node, Value] = {}
        self._groups: dict[tuple[Any, ...], Value] = {}
        self._leaves: set[int] = set()
        order = topological(roots)
        self._uses = uses(roots, order)
        self._folded: dict[Node, float] = {}
        for node in order:
            if isinstance(node, Sum) and not traced:
                self._fold_coefficients(node)
        for node in order:
            self._pieces[node] = self._piece(node)
            if traced and not isinstance(node, Symbol | Constant | Structural):
                self.computed.append((node, self._value(node)))
        self.outputs = [self._output(root, first=root not in roots[:k]) for k, root in enumerate(roots)]

    def _fold_coefficients(self, node: Sum) -> None:
        """Let Products be computed with the coefficients they have in a Sum, except where subtracting is as good."""
        begins = any(coefficient == 1 and not carries_delta(term) for coefficient, term in node.terms)
        for coefficient, term in node.terms:
            if not isinstance(term, Product) or self._uses[term] > 1 or coefficient == 1:
                continue
            if coefficient != -1 or not begins:
                self._folded[term] = float(coefficient)
                begins = begins or not carries_delta(term)

    # --- arrays of nodes ---------------------------------------------------------------------------------------------

    def _value(self, node: Node) -> Value:
        """Return the full array of a node."""
        if node not in self._values:
            self._values[node] = self._spread(self._pieces[node], node.shape)
        value = self._values[node]
        return value._replace(fresh=False) if value.fresh and self._uses[node] > 1 else value

    def _spread(self, piece: CompactValue, shape: Shape, fold: bool = True) -> Value:
        labels = piece.factor.labels
        value = scaled(self.tape, plain(piece.factor, self.tape).value, piece.coefficient)
        if piece.writer is None:
            if len(labels) == len(shape):
                return value
            present = [axis in labels for axis in range(len(shape))]
            return self.tape.broadcast(self.tape.expand(value, present), shape)
        core = align(Labelled(value, labels), piece.order, self.tape)
        fold = fold and int(np.prod(shape, dtype=object)) <= FOLD_LIMIT
        return self.tape.emit(piece.writer.write, [core], shape, fold=fold, exact=True)

    def _output(self, root: Node, first: bool) -> Value:
        """Return the array of a root as one that the caller may keep and change."""
        piece = self._pieces[root]
        if piece.writer is not None and root not in self._values:
            if self._uses[root] > 1:
                shared = piece.factor._replace(value=piece.factor.value._replace(fresh=False))
                piece = piece._replace(factor=shared)
            return self._spread(piece, root.shape, fold=False)
        value = self._value(root)
        if self._uses[root] == 1 and first and value.fresh and root.shape:
            return value
        return self.tape.emit(own_copy, [value], root.shape, cost=0, fold=False, exact=True)

    # --- nodes -------------------------------------------------------------------------------------------------------

    def _piece(self, node: Node) -> CompactValue:
        match node:
            case Symbol():
                return self._leaf(node, self.tape.input(node.name, node.shape))
            case Constant():
                return self._leaf(node, self.tape.literal(node.value))
            case Delta() if node.rank == 1:
                return CompactValue(Labelled(self.tape.number(1.0), ()))
            case Structural():
                return self._product(1.0, [], [(node, tuple(range(node.rank)))], node.shape)
            case Product():
                return self._product_node(node)
            case Sum():
                return self._sum(node)
            case Map():
                return self._map(node)
            case Apply():
                return self._full(node, self._apply(node), mask=node.operator.mask)
            case _:
                raise TypeError(type(node).__name__)

    def _leaf(self, node: Node, value: Value) -> CompactValue:
        self._leaves.add(value.slot)
        return self._full(node, value)

    def _full(self, node: Node, value: Value, mask: bool = False, inverse: bool = False) -> CompactValue:
        return CompactValue(Labelled(value, tuple(range(node.rank)), mask, inverse))

    def _map(self, node: Map) -> CompactValue:
        exponent = constant_value(node.children[1]) if node.operator.name == "power" else None
        if exponent == -1:
            return self._full(node, self._value(node.children[0]), inverse=True)
        if exponent is not None:
            return self._full(node, self._power(self._value(node.children[0]), float(exponent)))
        evaluate = node.operator.evaluate
        assert evaluate is not None
        kernel = evaluate if isinstance(evaluate, np.ufunc) or node.operator.mask else Entrywise(evaluate)
        operands = [self._value(child) for child in node.children]
        value = self.tape.emit(kernel, operands, node.shape, exact=node.operator.exact)
        return self._full(node, value, mask=node.operator.mask)

    def _power(self, base: Value, exponent: float) -> Value:
        if exponent == 3:
            square = self.tape.emit(np.square, [base], base.shape)
            return self.tape.emit(np.multiply, [square, base], base.shape)
        if exponent not in POWERS:
            return self.tape.emit(np.power, [base, self.tape.number(exponent)], base.shape)
        for kernel in POWERS[exponent]:
            base = self.tape.emit(kernel, [base], base.shape)
        return base

    def _apply(self, node: Apply) -> Value:
        """Compute an operator; its outputs on the same operands are computed together."""
        key = (node.operator, node.children, node.parameters, node.batch)
        single = node.operator.signature.partition("->")[2].count("(") <= 1
        if key not in self._groups:
            operands = [self._value(child) for child in node.children]
            self._groups[key] = self.tape.emit(
                Guarded(node, single, self._compiled), operands, node.shape, exact=node.operator.exact
            )
        if single:
            return self._groups[key]
        output = node.output
        return self.tape.emit(lambda results: results[output], [self._groups[key]], node.shape, cost=0, exact=True)

    # --- products ----------------------------------------------------------------------------------------------------

    def _product_node(self, node: Product) -> CompactValue:
        coefficient = float(node.coefficient) * self._folded.get(node, 1.0)
        tensors = [(operand, labels) for operand, labels in node.factors if isinstance(operand, Structural)]
        dense = [self._operand(*factor) for factor in node.factors if not isinstance(factor[0], Structural)]
        return self._product(coefficient, dense, tensors, node.shape)

    def _operand(self, operand: Node, labels: Labels) -> Labelled:
        piece = self._pieces[operand]
        shared = self._uses[operand] > 1
        if operand not in self._values and piece.writer is None and piece.coefficient == 1:
            factor = piece.factor
            if len(factor.labels) == operand.rank:
                value = factor.value._replace(fresh=False) if factor.value.fresh and shared else factor.value
                return Labelled(value, labels, factor.mask, factor.inverse, factor.triangle)
        if piece.factor.mask:
            return piece.factor._replace(labels=labels)
        return Labelled(self._value(operand), labels)

    def _product(
        self, coefficient: float, dense: list[Labelled], tensors: list[tuple[Structural, Labels]], shape: Shape
    ) -> CompactValue:
        if 0 in shape:
            return CompactValue(Labelled(self.tape.number(0.0), ()))
        if dense and not tensors and not any(factor.mask for factor in dense):
            factors = [diagonal(factor, self.tape) for factor in dense]
            lengths = {label: size for f in factors for label, size in zip(f.labels, f.value.shape, strict=True)}
            axes = tuple(range(len(shape)))
            return CompactValue(*contract(self.tape, factors, axes, lengths, coefficient, row_major=True))
        structure = Structure(self.tape, dense, tensors, shape)
        coefficient *= structure.resolve()
        place, order, in_order = structure.place, structure.place.order(), not structure.place.untouched
        factors, masks = apply_masks(self.tape, structure.factors, self._leaves, structure.sizes, order)
        sizes = [structure.sizes[label] for label in order]
        if not factors:
            core, coefficient = Labelled(self.tape.number(coefficient), ()), 1.0
        else:
            core, coefficient = contract(self.tape, factors, order, structure.sizes, coefficient, row_major=in_order)
        for mask in masks:
            core = multiply(self.tape, mask, plain(core, self.tape), core.labels, structure.sizes)
        if place.untouched:
            return CompactValue(core, coefficient)
        if place.fills(order, sizes):
            expanded = self.tape.expand(core.value, [label in core.labels for label in order])
            whole = self.tape.broadcast(expanded, tuple(sizes))
            return CompactValue(Labelled(self.tape.reshape(whole, shape), tuple(range(len(shape)))), coefficient)
        return CompactValue(core, coefficient, StridedWriter(place, order, sizes), order)

    # --- sums --------------------------------------------------------------------------------------------------------

    def _sum(self, node: Sum) -> CompactValue:
        """Add the full terms, then write the structured ones over them."""
        if node.children and all(map(self._is_sparse, node.children)):
            return self._full(node, self._sparse_sum(node))
        full: list[Addend] = []
        structured: list[tuple[float, CompactValue]] = []
        for number, term in node.terms:
            coefficient = 1.0 if term in self._folded else float(number)
            piece = self._pieces[term]
            if piece.writer is not None and term not in self._values:
                structured.append((coefficient * piece.coefficient, piece))
            else:
                full.append(self._addend(coefficient, term))
        rank = node.rank
        if not full and not structured:
            return CompactValue(Labelled(self.tape.number(0.0), ()))
        total = self._added(full, rank) if full else None
        if structured:
            return self._full(node, self._written(total, structured, node.shape))
        assert total is not None
        sizes = enumerate(total.shape, rank - len(total.shape))
        labels = tuple(axis for axis, size in sizes if size == node.shape[axis])
        value = self.tape.reshape(total, tuple(node.shape[label] for label in labels))
        return CompactValue(Labelled(value._replace(fresh=total.fresh), labels))

    def _is_sparse(self, term: Node) -> bool:
        return self._pieces[term].factor.value.sparse and self._pieces[term].writer is None

    def _sparse_sum(self, node: Sum) -> Value:
        addends = []
        for number, term in node.terms:
            piece = self._pieces[term]
            coefficient = piece.coefficient * (1.0 if term in self._folded else float(number))
            axes = [piece.factor.labels.index(axis) for axis in range(node.rank)]
            addends.append(scaled(self.tape, self.tape.transpose(piece.factor.value, axes), coefficient))
        return self.tape.emit(sparse_sum, addends, node.shape, sparse=True)

    def _addend(self, coefficient: float, term: Node) -> Addend:
        piece = self._pieces[term]
        if term in self._values and not piece.factor.mask:
            return coefficient, Labelled(self._value(term), tuple(range(term.rank)))
        factor = plain(piece.factor, self.tape)
        coefficient *= piece.coefficient
        if factor.value.number is not None:
            return 1.0, Labelled(self.tape.number(coefficient * factor.value.number), ())
        fresh = piece.factor.value.fresh and self._uses[term] == 1
        return coefficient, factor._replace(value=factor.value._replace(fresh=fresh))

    def _added(self, terms: list[Addend], rank: int) -> Value:
        """Return the sum of multiples of factors that broadcast to the axes of a node, leading ones left out."""
        terms, order = outer_products_together(self.tape, terms, rank)
        total = self._total([(c, align(one, order, self.tape)._replace(fresh=one.value.fresh)) for c, one in terms])
        return self.tape.transpose(total, [order.index(axis) for axis in range(rank)])

    def _total(self, terms: list[tuple[float, Value]]) -> Value:
        """Return the sum of multiples of arrays that broadcast."""
        common = terms[0][0]
        if abs(common) != 1 and all(coefficient == common for coefficient, _ in terms):
            return scaled(self.tape, self._total([(1.0, value) for _, value in terms]), common)
        # Begin with a term that needs no scaling, if possible in an array that may be overwritten.
        terms = sorted(terms, key=lambda item: (item[0] != 1, not item[1].fresh, -item[1].size))
        total = scaled(self.tape, terms[0][1], terms[0][0])
        for coefficient, value in terms[1:]:
            if coefficient not in (1, -1):
                coefficient, value = 1.0, scaled(self.tape, value, coefficient)
            total = self._combined(total, value, coefficient < 0)
        return total

    def _combined(self, total: Value, value: Value, subtract: bool) -> Value:
        shape = broadcast_shapes(total.shape, value.shape)
        kernel = np.subtract if subtract else np.add
        for place, own in enumerate((total, value)):
            if reusable(own) and shape == own.shape:
                return self.tape.emit(Into(kernel, place), [total, value], shape, allocates=False, cost=own.size)
        return self.tape.emit(kernel, [total, value], shape)

    def _written(self, total: Value | None, structured: list[tuple[float, CompactValue]], shape: Shape) -> Value:
        # What is written into must not be a folded constant unless all that is written is constant too.
        fold = all(piece.factor.value.constant for _, piece in structured)
        if total is not None and (not total.fresh or total.shape != shape):
            repeated = self.tape.broadcast(total, shape)
            total = self.tape.emit(own_copy, [repeated], shape, cost=0, fold=fold, exact=True)
        # What is added to zeros is not rounded.
        exact = total is None and lie_apart([piece.writer for _, piece in structured if piece.writer is not None])
        for coefficient, piece in structured:
            writer = piece.writer
            assert writer is not None
            factor = plain(piece.factor, self.tape)
            sign = coefficient if coefficient == -1 and total is not None else 1.0
            core = Labelled(scaled(self.tape, factor.value, coefficient * sign), factor.labels)
            aligned = align(core, piece.order, self.tape)
            if total is None:
                total = self.tape.emit(writer.write, [aligned], shape, fold=fold, exact=True)
            else:
                kernel = writer.subtract if sign < 0 else writer.add
                cost = aligned.size
                total = self.tape.emit(kernel, [total, aligned], shape, allocates=False, cost=cost, exact=exact)
        assert total is not None
        return total
