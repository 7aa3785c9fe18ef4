"""Terms: a coefficient, scalar factors, and a chain of matrices, perhaps ending in a vector.

A Product becomes one term, a Sum a list of terms, and `sums` draws out what these share.

The term of `-2/c * A @ x`, whose parts are put together again in the order in which people write them:

>>> from matgrad.grammar.syntax import Name
>>> from matgrad.grammar.writer import write
>>> c, A, x = Name("c"), Name("A"), Name("x")
>>> one = 1
>>> write(written(Term(1, coefficient=-2, scalars=((c, -one),), links=(Link.of(A),), tail=((x, one),))))
'-2*A @ x / c'
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ...grammar.syntax import Binary, Call, Number, Unary
from ..graph.nodes import Plain
from . import trees
from .chains import Link, product_of
from .trees import ONE, Exponent, Power, Tree, hadamard, negated, number, power, times

# A power of a number with more digits than this stays a power.
LONGEST_POWER = 12


class Term(NamedTuple):
    """`coefficient * scalars * links @ tail`: a scalar without links and tail, a vector with a tail, else a matrix.

    `tail` is a Hadamard product of vectors; `tied` says that the matrix is the diagonal one of the tail. `rank` is
    the number of axes; `covers` are those along which the term is not merely repeated. `place` says where in a
    sum the term stands.
    """

    rank: int
    coefficient: Plain = 1
    scalars: tuple[Power, ...] = ()
    links: tuple[Link, ...] = ()
    tail: tuple[Power, ...] = ()
    whole: Tree | None = None
    covers: frozenset[int] = frozenset()
    place: int = 0

    @staticmethod
    def of(tree: Tree, rank: int, exponent: Exponent = ONE, *, symmetric: bool = False) -> Term:
        """Return a term that is one tree, or a power of it."""
        powers, covers = ((tree, exponent),), frozenset(range(rank))
        match rank:
            case 0:
                return Term(0, scalars=powers)
            case 1:
                return Term(1, tail=powers, covers=covers)
            case 2:
                return Term(2, links=(Link(powers, symmetric=symmetric),), covers=covers)
        return Term(rank, whole=power(tree, exponent), covers=covers)

    @property
    def sequence(self) -> tuple[object, ...]:
        """What factoring compares: the links, then the tail."""
        return (*self.links, self.tail) if self.tail else self.links


def chain(term: Term) -> Tree | None:
    """Return the matrix or vector of a term without its scalars, None for a scalar and for a product of vectors."""
    if term.whole is not None:
        return term.whole
    term = absorbed(term)
    if not term.tail:
        return product_of(term.links) if term.links else None
    parts = [link.written() for link in term.links]
    return times([*parts, hadamard(term.tail)], "@") if parts else None


def raised(term: Term, exponent: Exponent, *, symmetric: bool) -> Term | None:
    """Return a power of a Hadamard product as the product of the powers, None for what is none or has no short one."""
    links = term.links
    mixed = len(links) > 1 or any(link.diagonal for link in links) or (links and term.tail)
    exact = isinstance(term.coefficient, int | Fraction) and term.coefficient != 0
    if mixed or term.whole is not None or not exact or exponent.denominator != 1:
        return None
    if len(str(term.coefficient)) * trees.magnitude(exponent) > LONGEST_POWER:
        return None

    def each(powers: tuple[Power, ...]) -> tuple[Power, ...]:
        return tuple((tree, e * exponent) for tree, e in powers)

    return term._replace(
        coefficient=Fraction(term.coefficient) ** int(exponent),
        scalars=each(term.scalars),
        tail=each(term.tail),
        links=tuple(link._replace(powers=each(link.powers), symmetric=symmetric) for link in links),
    )


def absorbed(term: Term) -> Term:
    """Return a vector `diag(u) @ v` as the product `u*v`."""
    while term.tail and term.links and term.links[-1].diagonal and term.links[-1].matrix is None:
        term = term._replace(links=term.links[:-1], tail=(*term.links[-1].powers, *term.tail))
    return term


def without_ones(term: Term) -> Term:
    """Return a term that is a number for all entries as that number."""
    powers = (*term.tail, *(power for link in term.links for power in link.powers))
    match powers:
        case ((Call("ones"), exponent),) if exponent == 1 and not any(link.diagonal for link in term.links):
            return term._replace(links=(), tail=(), covers=frozenset())
    return term


def written(term: Term) -> Tree:
    """Return a term as a tree: `-2*det(X)*A @ x`, `X/norm(X)`."""
    negative = term.coefficient < 0
    coefficient: Plain = -term.coefficient if negative else term.coefficient
    if found := trees.multiple_of_constant(coefficient):
        coefficient, constant = found
        term = term._replace(scalars=(constant, *term.scalars))
    if term.scalars:
        term = term._replace(scalars=tuple(trees.with_norms(term.scalars)))
    term = absorbed(term)
    body = chain(term)
    above, below = trees.fraction(term.scalars)
    alone = body is None and not term.tail and not above and not below
    if isinstance(coefficient, Fraction) and (decimal := trees.decimals(coefficient, 2 if alone else 1000)) is not None:
        above, coefficient = [decimal, *above], 1
    elif isinstance(coefficient, Fraction) and coefficient.denominator != 1:
        below = [Number(str(coefficient.denominator)), *below]
        coefficient = coefficient.numerator
    if coefficient != 1:
        above = [number(coefficient), *above]
    if body is None:
        more = trees.fraction(term.tail)
        above, below = above + more[0], below + more[1]
    result = _joined(above, body, below)
    return _minus(result) if negative else result


def _minus(tree: Tree) -> Tree:
    """Return minus a tree, a sum term by term with a positive one in front: `b - a` for minus `a - b`."""
    parts = list[tuple[bool, Tree]]()
    while isinstance(tree, Binary) and tree.operator in ("+", "-"):
        parts.insert(0, (tree.operator == "-", tree.right))
        tree = tree.left
    if isinstance(tree, Unary) and tree.operator == "-":
        parts.insert(0, (True, tree.operand))
    else:
        parts.insert(0, (False, tree))
    lead = next((place for place, (positive, _) in enumerate(parts) if positive), 0)
    (positive, result), *others = [parts.pop(lead), *parts]
    result = result if positive else negated(result)
    for above, part in others:
        result = Binary("+" if above else "-", result, part)
    return result


def _joined(above: list[Tree], body: Tree | None, below: list[Tree]) -> Tree:
    if body is None or not above:
        return trees.quotient(above if body is None else [body], below)
    return trees.quotient([_onto_first(times(above), body)], below)


def _onto_first(factor: Tree, body: Tree) -> Tree:
    """Multiply the first factor of a chain, so that few brackets are needed: `2*A @ x`, but `2*(A*B) @ x`."""
    if isinstance(body, Binary) and body.operator in ("@", "*", "/"):
        inner = body.left
        mixed = isinstance(inner, Binary) and {body.operator, inner.operator} == {"@", "*"}
        left = Binary("*", factor, inner) if mixed else _onto_first(factor, inner)
        return Binary(body.operator, left, body.right)
    if isinstance(body, Unary) and body.operator == "-":
        return negated(Binary("*", factor, body.operand))
    return Binary("*", factor, body)
