"""Graph to syntax tree: each node as a person would write it.

A node of up to two axes becomes matrix notation, one of more axes index notation (einsum). The result is always valid
input: parsed and elaborated again it has the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from fractions import Fraction

from ...grammar.parser import parse
from ...grammar.rewriting import filled
from ...grammar.syntax import Binary, Index, Literal, Name, Number, Slice, TupleLiteral
from ..elaboration.arguments import declaration
from ..elaboration.infix import COMPARISONS
from ..graph.algebra import Factor, add, constant_value, is_zero, permute, repeated_axes, scale, without_axes
from ..graph.canonical import is_symmetric, tidy
from ..graph.nodes import Apply, Coefficient, Constant, Map, Node, Plain, Product, Structural, Sum, Symbol, topological
from ..graph.ratios import Ratio, reciprocal, shared_divisor
from .applications import application, reduced_operand
from .branches import masked_by
from .chains import Link
from .expand import Familiar
from .lengths import length_tree, split
from .projectors import projected
from .residuals import residual_in
from .roots import exact_power
from .summands import adds_matrices, opened, with_transposes_opened
from .sums import drawn_out, summed
from .terms import Term, raised, without_ones, written
from .trees import ONE, Exponent, Power, Tree, array_literal, call, indexed, length, number, spelled, transposed
from .typed import Typed
from .walk import Walk

INFIX = {"power": "**", **{name: sign for sign, name in COMPARISONS.items()}}

# A node nested more deeply than this is written after its parts: a long product is too deep for a recursion.
DEEPEST = 50

# Elementwise functions that are written by the name of a public one.
FAMILIAR = {"standard_normal_density": "norm_pdf"}


class Notation:
    """Writes the nodes of a graph; equal nodes are written once and shared.

    `spoken` gives inputs other names; `familiar` are the nodes of the expression as it was typed: a difference that
    stands there as `A @ x - b` is written so even where the derivative has `b - A @ x`. Terms and factors come in the
    order in which they were `typed`. Symbols that have `meanings` are written as what they stand for, those of
    `quotients` as one part.
    """

    def __init__(
        self,
        spoken: Mapping[str, str] | None = None,
        familiar: Iterable[Node] = (),
        typed: Typed | None = None,
        meanings: Mapping[Node, Node] | None = None,
    ) -> None:
        self.spoken = spoken or {}
        self.typed = typed or Typed()
        self.meanings = meanings or {}
        self.quotients: Mapping[Node, Node] = {}
        self.familiar = Familiar(familiar)
        self.maps: set[Node] = set()
        self._terms: dict[Node, Term] = {}
        self._depth = 0

    def with_quotients(self, quotients: Mapping[Node, Node]) -> Notation:
        """Return a notation that is otherwise the same, with symbols for quotients."""
        other = copy(self)
        other.quotients, other.maps, other._terms = quotients, set(), {}
        return other

    def anew(self) -> Notation:
        """Return a notation that knows of no expression: that of a function's body."""
        return Notation()

    def tree(self, node: Node) -> Tree:
        """Return a node as a tree of exactly its shape."""
        return written(self.term(node))

    def map_tree(self, node: Node) -> Tree:
        """Return a matrix that maps vectors as a tree: all that is added in it are such matrices."""
        self.maps.update([node, *(node.children if isinstance(node, Product) and len(node.children) == 1 else ())])
        return self.tree(node)

    def term(self, node: Node) -> Term:
        """Return a node as a term of exactly its shape."""
        found = self._terms.get(node)
        if found is None:
            self._depth += 1
            for part in topological(node.children) if self._depth == DEEPEST else ():
                self.term(part)
            found = self._terms[node] = self._term(node)
            self._depth -= 1
        return found

    def _term(self, node: Node) -> Term:
        if is_zero(node):
            return self._zero(node)
        match node:
            case Product():
                found = self._product(node.coefficient, self.typed.factors(node.factors), node.rank)
                return found if found.coefficient else self._zero(node)
            case Sum():
                return self._sum(node)
            case Map():
                base, exponent = self.power_of(node)
                if not node.rank and (known := exact_power(base, exponent)) is not None:
                    return Term(0, coefficient=known)
                if base is not node:
                    return self._raised(node, base, exponent)
                return self._wrapped(node, self._map(node))
            case Apply():
                if node.operator.name in ("solve_vector", "solve_matrix"):
                    return self._solution(node)
                return self._wrapped(node, application(self, node))
            case Symbol() if node in self.meanings:
                return self.term(self.meanings[node])
            case Symbol() if node in self.quotients:
                return self._wrapped(node, self.tree(self.quotients[node]))
            case Symbol():
                return self._wrapped(node, Name(self.spoken.get(node.name, node.name)))
            case Constant():
                return self._wrapped(node, array_literal(node.value))
        assert isinstance(node, Structural)
        return self._product(1, [(node, tuple(range(node.rank)))], node.rank)

    def _raised(self, node: Node, base: Node, exponent: Exponent) -> Term:
        """Return a power; that of a product is the product of the powers, but for a quotient that was typed."""
        term = self.term(base)
        kept = exponent > 1 and base in self.familiar and any(e < 0 for _, e in (*term.scalars, *term.tail))
        found = None if kept else raised(term, exponent, symmetric=is_symmetric(node))
        return found or Term.of(self.tree(base), node.rank, exponent, symmetric=is_symmetric(node))

    def _wrapped(self, node: Node, tree: Tree) -> Term:
        return Term.of(tree, node.rank, symmetric=is_symmetric(node))

    def _zero(self, node: Node) -> Term:
        return self._wrapped(node, call("zeros", self._shape(node)) if node.rank else Number("0"))

    def _shape(self, node: Node) -> Tree:
        sizes = [length_tree(size) for size in node.shape]
        return sizes[0] if len(sizes) == 1 else TupleLiteral(tuple(sizes))

    # Products and sums.

    def _product(self, coefficient: Coefficient, factors: Sequence[Factor], rank: int) -> Term:
        plain, powers = split(coefficient)
        return drawn_out(Walk(self, rank, plain, scalars=powers).term([*opened(coefficient, factors)]))

    def _sum(self, node: Sum) -> Term:
        known = None if node in self.familiar else self.familiar.multiple(node)
        if known is not None:
            return _scaled(self.term(known[1]), *split(known[0]))
        return self._with_residual(node) or self._with_identity(node) or self._plain_sum(node)

    def _with_residual(self, node: Sum) -> Term | None:
        """Return W @ W.T @ W - W as W @ (W.T @ W - eye(3)) where that is what was typed."""
        found = residual_in(node, self.familiar.residuals) if node.rank == 2 and node not in self.familiar else None
        if found is None:
            return None
        other, residual = self.term(found.other), self.term(found.residual)
        links = (*residual.links, *other.links) if found.first else (*other.links, *residual.links)
        return _scaled(other._replace(links=links), residual.coefficient, residual.scalars)

    def _with_identity(self, node: Sum) -> Term | None:
        """Return A.T @ A - A.T @ outer(u, u) @ A as A.T @ (eye(m) - outer(u, u)) @ A."""
        found = None if node in self.familiar else projected(node)
        if found is None:
            return None
        vector = self.tree(found.vector)
        eye, outer = call("eye", length_tree(found.vector.shape[0])), call("outer", vector, vector)
        parts = [(self.term(found.plain), eye), (self.term(found.multiple), outer)]
        matrices = [term._replace(rank=2, links=(Link.of(tree, symmetric=True),)) for term, tree in parts]
        inner = Symbol.of("inner", found.vector.shape * 2, {"symmetric"})
        total = summed([matrix._replace(covers=frozenset((0, 1))) for matrix in matrices])
        self._terms[inner] = total._replace(links=tuple(link._replace(symmetric=True) for link in total.links))
        return self._product(1, self.typed.factors([*found.factors, (inner, found.place)]), 2)

    def _plain_sum(self, node: Sum) -> Term:
        whole = adds_matrices(node) or (node in self.maps and node not in self.familiar)
        places = self.typed.terms(node)
        result = self._added([*node.terms], places, whole=whole)
        if (spread := with_transposes_opened(node)) is not None:
            apart = self._added(spread, map(self.typed.place, (term for _, term in spread)), whole=whole)
            result = min(result, apart, key=lambda term: length(written(term)))
        if (divisor := shared_divisor(node.coefficients)) != 1:
            inner = self._added([(tidy(c * divisor), term) for c, term in node.terms], places, whole=whole)
            apart = _scaled(inner, *split(reciprocal(divisor)))
            result = min(result, apart, key=lambda term: length(written(term)))
        if is_symmetric(node) and len(result.links) == 1:
            result = result._replace(links=(result.links[0]._replace(symmetric=True),))
        return result

    def _added(self, terms: Sequence[tuple[Coefficient, Node]], places: Iterable[int], *, whole: bool) -> Term:
        """Return a sum of terms; with `whole`, each is written as an array of the shape of the sum."""
        found = [self._summand(*term, whole=whole) for term in terms]
        covered = frozenset[int]().union(*(term.covers for term in found))
        if len(covered) < terms[0][1].rank:
            found[0] = self._summand(*terms[0], whole=True)
        return summed([term._replace(place=place) for term, place in zip(found, places, strict=True)])

    def _summand(self, coefficient: Coefficient, node: Node, *, whole: bool) -> Term:
        """Return a term of a Sum, of its whole shape or one that broadcasts to it; lengths may make it a mean."""
        if isinstance(coefficient, Ratio):
            coefficient, node = 1, scale(coefficient, node)
        return _scaled(self.term(node) if whole else self._loose(node), *split(coefficient))

    def loose(self, node: Node) -> Tree:
        """Return a node as a tree that broadcasts to its shape."""
        return written(self._loose(node))

    def _loose(self, node: Node) -> Term:
        """Return a term that broadcasts to the node's shape: what is repeated along an axis is written without it."""
        value = constant_value(node)
        if value is not None and node.rank:
            plain, powers = split(value)
            return Term(node.rank, plain, tuple(powers))
        if not isinstance(node, Product):
            return self.term(node)
        repeated = repeated_axes(node)
        if not repeated:
            return without_ones(self.term(node))
        kept = tuple(axis for axis in range(node.rank) if axis not in repeated)
        inner = self.term(without_axes(node, kept))
        if not kept:
            return Term(node.rank, inner.coefficient, inner.scalars)
        items: list[Tree] = [Slice() if axis in kept else Literal(None) for axis in range(node.rank)]
        while isinstance(items[0], Literal):
            items.pop(0)
        core = written(Term(inner.rank, 1, (), inner.links, inner.tail, inner.whole))
        whole = indexed(core, items) if any(isinstance(item, Literal) for item in items) else core
        return Term(node.rank, inner.coefficient, inner.scalars, whole=whole, covers=frozenset(kept))

    # Elementwise functions.

    def power_of(self, node: Node) -> tuple[Node, Exponent]:
        """Return a node as a power of another: 1/x is x to the -1; what is no power is itself to the 1."""
        if isinstance(node, Map):
            if node.operator.name == "power":
                exponent = constant_value(node.children[1])
                if exponent is not None and not isinstance(exponent, Ratio) and -1e6 < exponent < 1e6:
                    exact = exponent if isinstance(exponent, int) else Fraction(exponent)
                    if exact.denominator < 10**6:
                        return self._power_of_power(node.children[0], exact)
            # Nothing but a norm is read as never zero.
            if node.operator.name == "reciprocal_or_zero" and _is_norm(node.children[0]):
                return node.children[0], -1
        return node, ONE

    def _power_of_power(self, node: Node, exponent: Exponent) -> tuple[Node, Exponent]:
        """Return a power of a node as that of what the node is a power of, but for (x**2)**(1/2), which is not x."""
        base, inner = self.power_of(node)
        plain = inner.denominator != 1 or exponent.denominator == 1
        return (base, exponent * inner) if plain else (node, exponent)

    def _map(self, node: Map) -> Tree:
        name = node.operator.name
        if name == "exp" and (found := self._softmax(node.children[0])) is not None:
            return found
        operands = [self.loose(child) for child in node.children]
        if (mask := masked_by(node)) is not None:
            return self.tree(mask)
        if node.operator.written and name not in FAMILIAR:
            meaning = parse(node.operator.written).result
            return filled(meaning, dict(zip(node.operator.operands, operands, strict=True)))
        if name in INFIX:
            return Binary(INFIX[name], *operands)
        usual = declaration(node.operator.parameters).given
        for operand, child in zip(node.operator.operands[::-1], node.children[::-1], strict=True):
            if operand not in usual or constant_value(child) != usual[operand]:
                break
            operands.pop()
        return call(FAMILIAR.get(name, name), *operands)

    def _softmax(self, node: Node) -> Tree | None:
        """Return softmax where a node is x - logsumexp(x)."""
        for coefficient, spread in node.terms if isinstance(node, Sum) else ():
            parts = [item for item in (spread.children or (spread,)) if isinstance(item, Apply)]
            if coefficient != -1 or len(parts) != 1 or parts[0].operator.name != "logsumexp":
                continue
            x, axes = reduced_operand(parts[0])
            along = {} if len(axes) == x.rank else {"axis": spelled(axes if len(axes) > 1 else axes[0])}
            if add([(1, x), (-1, spread)], node.shape) is node and _spreads(spread, parts[0], axes):
                return call("softmax", self.tree(x), **along)
            # Along the first axis a matrix is met as its transpose.
            turned = node.rank == x.rank == 2 and axes == (0,)
            if turned and add([(1, permute(x, (1, 0))), (-1, spread)], node.shape) is node:
                return transposed(call("softmax", self.tree(x), **along))
        return None

    # Applied operators.

    def _solution(self, node: Apply) -> Term:
        """Return solve(A, c*b) as c*solve(A, b)."""
        matrix, right = node.children
        vectors = node.operator.name == "solve_vector" and right.rank > 1
        if vectors and repeated_axes(right) >= set(range(right.rank - 1)):
            right, vectors = without_axes(right, (right.rank - 1,)), False
        term = self.term(right)
        inner = written(term._replace(coefficient=1, scalars=()))
        if vectors:
            columns = call("solve", self.tree(matrix), Index(inner, (Literal(...), Literal(None))))
            solution = self._wrapped(node, Index(columns, (Literal(...), number(0))))
        else:
            solution = self._wrapped(node, call("solve", self.tree(matrix), inner))
        return solution._replace(coefficient=term.coefficient, scalars=term.scalars)


def _is_norm(node: Node) -> bool:
    if isinstance(node, Product):
        return any(map(_is_norm, node.children))
    return isinstance(node, Apply) or (isinstance(node, Map) and node.operator.name == "hypot")


def _spreads(spread: Node, inner: Apply, axes: Sequence[int]) -> bool:
    """Whether a node repeats another along exactly these axes, with the other axes in order."""
    if not isinstance(spread, Product) or spread.coefficient != 1:
        return False
    (labels,) = (own for operand, own in spread.factors if operand is inner)
    return labels == tuple(label for label in range(spread.rank) if label not in axes)


def _scaled(term: Term, coefficient: Plain, powers: Sequence[Power]) -> Term:
    return term._replace(coefficient=term.coefficient * coefficient, scalars=(*powers, *term.scalars))
