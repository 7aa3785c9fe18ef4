"""From the differential to the derivative that is read off it, one named step at a time.

Example: `trace(dX.T @ A @ X + X.T @ A @ dX)` becomes two traces; the first of them is turned, since a trace is that of
the transpose, and rotated, until dX stands last in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

from ...grammar.rewriting import rewritten
from ...grammar.syntax import Attribute, Binary, Call, Index, Keyword, Name, Node, Number, walk
from ..notation.trees import times, transposed
from .linear_terms import PLACE, Act, Measure, Term, Unfit, chain, terms_of, written

MOST_STEPS = 16
BRACKETS = "brackets left out"


class Turned(NamedTuple):
    """What a rule makes of operations: other ones, and numbers drawn out of them."""

    acts: tuple[Act, ...]
    above: tuple[Node, ...] = ()


def steps_to_the_end(
    tree: Node, change: Node, measure: Measure, symmetric: frozenset[str]
) -> Iterator[tuple[str, Node]]:
    """Yield the forms that a differential takes on the way, each with the name of the step that leads to it.

    Nothing is yielded of a differential in which the change stands in other places than under linear operations.
    """
    try:
        plain = _without_means(tree, change, measure)
        if plain != tree:
            yield "mean(v) = sum(v)/n", plain
            tree = plain
        plain = _without_axes(tree, change, measure)
        if plain != tree:
            yield "a sum along an axis is a product with ones", plain
            tree = plain
        rules = _Rules(measure.rank, symmetric)
        found = [rules.joined(term) for term in terms_of(tree, change, measure)]
        yield _first_name(found), written(found, change)
        for _ in range(MOST_STEPS):
            name, found = rules.applied(found)
            if not name:
                return
            found = [rules.joined(term) for term in found]
            yield name, written(found, change)
    except Unfit:
        return


def _product(left: Node, right: Node) -> Node:
    return times([*chain(left), *chain(right)], "@")


def vectorized(tree: Node, change: Node, measure: Measure) -> Node | None:
    """Return the matrix that maps vec(dX) to vec(dF), with columns stacked, None where it is no Kronecker product.

    Example: for `A @ dX.T @ B` it is `kron(B.T, A) @ commutation_matrix(n, m)`.
    """
    rules = _Rules(measure.rank, frozenset())
    try:
        found = [rules.joined(term) for term in terms_of(tree, change, measure)]
    except Unfit:
        return None
    matrices: list[Term] = []
    for term in found:
        acts = {act.kind: act.tree for act in term.acts}
        order = [kind for kind in ("left", "right", "transpose") if kind in acts]
        if order != [act.kind for act in term.acts]:
            return None
        moved: Node = Attribute(change, "T") if "transpose" in acts else change
        rows, columns = (Call("eye", (size,)) for size in measure.lengths(moved))
        right = rules.turned(acts["right"]) if "right" in acts else columns
        product = [Call("kron", (right, acts.get("left", rows)))] if order != ["transpose"] else []
        turn = [Call("commutation_matrix", measure.lengths(change))] if "transpose" in acts else []
        matrix = times([*product, *turn], "@")
        matrices.append(replace(term, acts=(Act("other", 0, matrix),)))
    return written(matrices, change) if matrices else None


def _without_means(tree: Node, change: Node, measure: Measure) -> Node:
    """Return a differential in which means of all entries are sums over their number."""

    def changed(node: Node) -> Node | None:
        match node:
            case Call("mean", (operand,), ()) if change in set(walk(operand)):
                count = times(measure.lengths(operand) or [Number("1")])
                return Binary("/", Call("sum", (_without_means(operand, change, measure),)), count)
        return None

    return rewritten(tree, changed)


def _without_axes(tree: Node, change: Node, measure: Measure) -> Node:
    """Return a differential in which sums of matrices along an axis are products with ones, means over their number."""

    def changed(node: Node) -> Node | None:
        match node:
            case Index():
                return node
            case Binary("@", Call("sum" | "mean") as left, right) if measure.rank(right) == 1:
                found = changed(left)
                return None if found is None else Binary("@", rewritten(right, changed), found)
            case Call("sum" | "mean" as function, (M,), (Keyword("axis", Number("0" | "1") as axis),)):
                if change not in set(walk(M)) or measure.rank(M) != 2:
                    return None
                lengths = measure.lengths(M)
                across = axis == Number("1")
                ones = Call("ones", (lengths[1] if across else lengths[0],))
                moved = rewritten(M, changed)
                product = Binary("@", moved, ones) if across else Binary("@", ones, moved)
                return product if function == "sum" else Binary("/", product, ones.arguments[0])
        return None

    return rewritten(tree, changed)


def _first_name(found: Sequence[Term]) -> str:
    """Return what the first step does: it sorts the terms, and leaves the rest to the rules."""
    if found[1:]:
        return "one term for each change"
    drawn = any(term.above or term.below for term in found)
    return "numbers drawn out" if drawn else BRACKETS


class _Rules:
    """The rules by name, in the order in which they are tried; each looks at the outermost operations."""

    def __init__(self, rank: Callable[[Node], int], symmetric: frozenset[str]) -> None:
        self.rank = rank
        self.symmetric = symmetric
        self.named: dict[str, Callable[[tuple[Act, ...]], Turned | None]] = {
            "sum(u*v) = u @ v": self.inner_product,
            "sum(diagonal(M)) = trace(M)": self.sum_of_diagonal,
            "sum(P*Q) = trace(P.T @ Q)": self.trace_of_product,
            "sum(A @ v) = sum(A, axis=0) @ v": self.sum_of_product,
            "trace(kron(P, Q)) = trace(P)*trace(Q)": self.trace_of_kron,
            "numbers drawn out": self.number_drawn_out,
            "diag(u) @ v = u*v": self.product_with_diag,
            "trace(A @ diag(v)) = diagonal(A) @ v": self.trace_with_diag,
            "u @ diagonal(M) = trace(diag(u) @ M)": self.diagonal_as_trace,
            "Hadamard moved across: u @ (v*w) = (u*v) @ w": self.hadamard_of_vectors,
            "Hadamard moved across: trace(A @ (P*Q)) = trace((A*P.T) @ Q)": self.hadamard_of_matrices,
            "a number is its own trace, and trace(P @ Q) = trace(Q @ P)": self.number_as_trace,
            "a number is its own transpose": self.number_transposed,
            "trace(M) = trace(M.T)": self.trace_transposed,
            "trace(P @ Q) = trace(Q @ P)": self.trace_rotated,
            "v @ B = B.T @ v": self.vector_turned,
            "(P @ Q).T = Q.T @ P.T": self.product_transposed,
            "v*(u @ w) = outer(v, u) @ w": self.outer_product,
            "v*w = diag(v) @ w": self.as_diagonal,
        }

    def applied(self, found: list[Term]) -> tuple[str, list[Term]]:
        """Return the name of the first rule that changes a term, and all terms changed by it."""
        for name, rule in self.named.items():
            new = [self._changed(term, rule) for term in found]
            if new != found:
                return name, new
        new = [replace(term, acts=tuple(self._plain(act) for act in term.acts)) for term in found]
        used = sorted(name for name in self.symmetric if new != found)
        return (f"{' and '.join(used)} symmetric", new) if used else ("", found)

    def joined(self, term: Term) -> Term:
        """Return a term with products from one side drawn together, and double transposes left out."""
        acts = list(term.acts)
        place = 0
        while place + 1 < len(acts):
            first, second = acts[place], acts[place + 1]
            match first.kind, second.kind:
                case "transpose", "transpose":
                    new = []
                case "left", "left" if first.rank == second.rank:
                    new = [Act("left", second.rank, _product(first.tree, second.tree))]
                case "right", "right" if first.rank == second.rank == 2:
                    new = [Act("right", 2, _product(second.tree, first.tree))]
                case "right", "left" if first.rank == second.rank == 2:
                    new = [replace(second, rank=self.rank(first.tree)), first]
                case "times", "spread":
                    new = [replace(second, tree=_elementwise(second.tree, first.tree))]
                case "left", "spread" if self.rank(first.tree) == 2:
                    new = [replace(second, tree=_product(first.tree, second.tree))]
                case _:
                    place += 1
                    continue
            acts[place : place + 2] = new
            place = max(0, place - 1)
        return replace(term, acts=tuple(acts))

    def _changed(self, term: Term, rule: Callable[[tuple[Act, ...]], Turned | None]) -> Term:
        for place in range(len(term.acts)):
            turned = rule(term.acts[place:])
            if turned is not None:
                return replace(term, acts=(*term.acts[:place], *turned.acts)).scaled(turned.above)
        return term

    def _plain(self, act: Act) -> Act:
        """Leave out the transposes of symmetric matrices."""

        def changed(node: Node) -> Node | None:
            match node:
                case Attribute(Name(name), "T" | "mT") if name in self.symmetric:
                    return Name(name)
            return None

        return replace(act, tree=rewritten(act.tree, changed))

    def turned(self, tree: Node) -> Node:
        """Return the transpose of a product, with the transpose of each factor; a vector is its own."""
        factors = [factor if self.rank(factor) < 2 else transposed(factor) for factor in chain(tree)[::-1]]
        return times(factors, "@")

    # Rules on sums.

    def inner_product(self, acts: tuple[Act, ...]) -> Turned | None:
        if acts[0].kind == "sum" and acts[0].rank == 1 and (found := _factor(acts[1:])):
            return Turned((Act("left", 1, found[0]), *found[1]))
        return None

    def sum_of_diagonal(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("sum", 1), Act("diagonal", 2), *rest):
                return Turned((Act("trace", 2), *rest))
        return None

    def trace_of_product(self, acts: tuple[Act, ...]) -> Turned | None:
        if acts[0].kind == "sum" and acts[0].rank == 2 and (found := _factor(acts[1:])):
            return Turned((Act("trace", 2), Act("left", 2, self.turned(found[0])), *found[1]))
        return None

    def sum_of_product(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("sum", 1), Act("left", rank, A), *rest) if self.rank(A) == 2:
                summed = Call("sum", (A,), (Keyword("axis", Number("0")),))
                return Turned((Act("left", rank, summed), *rest))
        return None

    # Rules on numbers.

    def number_drawn_out(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("left", 1, u), Act("spread", 0, v), *rest) if self.rank(u) == 1:
                ones = isinstance(v, Call) and v.function == "ones"
                return Turned(tuple(rest), (Call("sum", (u,)) if ones else Binary("@", u, v),))
            case (Act("sum"), Act("spread", 0, v), *rest):
                return Turned(tuple(rest), (Call("sum", (v,)),))
            case (Act("trace"), Act("spread", 0, M), *rest):
                return Turned(tuple(rest), (Call("trace", (M,)),))
            case (Act("trace"), Act("left", 2, C), Act("spread", 0, M), *rest):
                return Turned(tuple(rest), (Call("trace", (_product(C, M),)),))
        return None

    def number_transposed(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("right", 1, v), *rest) if self.rank(v) == 1:
                return Turned((Act("left", 1, self.turned(v)), *rest))
        return None

    def number_as_trace(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("left", 1, u), Act("right", 2, v), *rest) if self.rank(u) == self.rank(v) == 1:
                return Turned((Act("trace", 2), Act("left", 2, Call("outer", (v, u))), *rest))
        return None

    # Rules on vectors.

    def hadamard_of_vectors(self, acts: tuple[Act, ...]) -> Turned | None:
        if acts[0].kind == "left" and acts[0].rank == 1 == self.rank(acts[0].tree) and (found := _factor(acts[1:])):
            return Turned((Act("left", 1, _elementwise(self._column(acts[0].tree), found[0])), *found[1]))
        return None

    def _column(self, tree: Node) -> Node:
        """Return a vector that is a row times matrices as matrices times a column."""
        factors = chain(tree)
        return self.turned(tree) if factors[1:] and self.rank(factors[0]) == 1 else tree

    def vector_turned(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("right", 1, B), *rest) if self.rank(B) == 2:
                return Turned((Act("left", 1, self.turned(B)), *rest))
        return None

    def product_with_diag(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("right", 2, v), Act("diag", 1), *rest) if self.rank(v) == 1:
                return Turned((Act("times", 1, v), *rest))
        return None

    def outer_product(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("spread", 0, v), Act("left", 1, u), *rest) if self.rank(v) == self.rank(u) == 1:
                return Turned((Act("left", 1, Call("outer", (v, self._column(u)))), *rest))
        return None

    def as_diagonal(self, acts: tuple[Act, ...]) -> Turned | None:
        if acts[0].rank == 1 and (found := _factor(acts)):
            return Turned((Act("left", 1, Call("diag", (found[0],))), *found[1]))
        return None

    def diagonal_as_trace(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("left", 1, u), Act("diagonal", 2), *rest) if self.rank(u) == 1:
                return Turned((Act("trace", 2), Act("left", 2, Call("diag", (u,))), *rest))
        return None

    def product_transposed(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("transpose"), Act("left", 2, A), Act("right", 2, B), *rest) if self.rank(B) == 2:
                sides = Act("left", 2, self.turned(B)), Act("right", 2, self.turned(A))
                return Turned((*sides, Act("transpose", 2), *rest))
            case (Act("transpose"), Act("left", 2, A), *rest):
                return Turned((Act("right", 2, self.turned(A)), Act("transpose", 2), *rest))
            case (Act("transpose"), Act("right", 2, B), *rest) if self.rank(B) == 2:
                return Turned((Act("left", 2, self.turned(B)), Act("transpose", 2), *rest))
        return None

    # Rules on traces.

    def trace_with_diag(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("trace"), Act("left", 2, C), Act("diag", 1), *rest):
                return Turned((Act("left", 1, Call("diagonal", (C,))), *rest))
        return None

    def trace_of_kron(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("trace"), Act("kron", 2, Call(_, (first, second))), *rest):
                fixed = second if first == PLACE else first
                return Turned((Act("trace", 2), *rest), (Call("trace", (fixed,)),))
        return None

    def hadamard_of_matrices(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("trace"), Act("left", 2, C), *rest) if found := _factor(tuple(rest)):
                across = _elementwise(C, self.turned(found[0]))
                return Turned((Act("trace", 2), Act("left", 2, across), *found[1]))
        return None

    def trace_transposed(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("trace"), Act("transpose"), *rest):
                return Turned((Act("trace", 2), *rest))
            case (Act("trace"), Act("left", 2, C), Act("transpose"), *rest):
                return Turned((Act("trace", 2), Act("right", 2, self.turned(C)), *rest))
            case (Act("trace"), Act("left", 2, C), Act("right", 2, B), Act("transpose"), *rest):
                parts = Act("left", 2, self.turned(B)), Act("right", 2, self.turned(C))
                return Turned((Act("trace", 2), *parts, *rest))
            case (Act("trace"), Act("right", 2, B), Act("transpose"), *rest):
                return Turned((Act("trace", 2), Act("left", 2, self.turned(B)), *rest))
        return None

    def trace_rotated(self, acts: tuple[Act, ...]) -> Turned | None:
        match acts:
            case (Act("trace"), Act("right", 2, B), *rest):
                return Turned((Act("trace", 2), Act("left", 2, B), *rest))
            case (Act("trace"), Act("left", 2, C), Act("right", 2, B), *rest):
                return Turned((Act("trace", 2), Act("left", 2, _product(B, C)), *rest))
        return None


def _factor(acts: tuple[Act, ...]) -> tuple[Node, tuple[Act, ...]] | None:
    """Return what the outermost elementwise products and quotients multiply by, and the operations within."""
    count = next((place for place, act in enumerate(acts) if act.kind not in ("times", "over")), len(acts))
    if not count:
        return None
    above = [act.tree for act in acts[:count] if act.kind == "times"]
    below = [act.tree for act in acts[:count] if act.kind == "over"]
    for factor in [factor for factor in above if factor in below]:
        above.remove(factor)
        below.remove(factor)
    above = above or [Number("1")]
    return reduce(lambda tree, divisor: Binary("/", tree, divisor), below, times(above)), acts[count:]


def _elementwise(first: Node, second: Node) -> Node:
    """Return the elementwise product of two trees: a quotient of one stays a quotient."""
    match second:
        case Binary("/", Number("1"), below):
            return Binary("/", first, below)
    if isinstance(first, Call) and first.function == "ones":
        return second
    return Binary("*", first, second)
