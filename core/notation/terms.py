"""Terms: a coefficient, scalar factors, and a chain of matrices, perhaps ending in a vector.

A Product becomes one term, a Sum a list of terms, and `sums` draws out what these share.

The term of `-2/c * A @ x`, whose parts are put together again in the order in which people write them:

>>> from matgrad.grammar.syntax import Name
>>> from matgrad.grammar.writer import write
>>> c, A, x = Name("c"), Name("A"), Name("x")
>>> one = Fraction(1)
>>> write(written(Term(1, coefficient=-2, scalars=((c, -one),), links=(Link.of(A),), tail=((x, one),))))
'-2*A @ x / c'
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ...grammar.syntax import Binary, Number, Unary
from ..graph.nodes import Coefficient
from .chains import Link, product_of
from .trees import Power, Tree, collected, hadamard, multiple_of_constant, negated, number, power, times, with_norms


@dataclass(frozen=True)
class Term:
    """`coefficient * scalars * links @ tail`: a scalar without links and tail, a vector with a tail, else a matrix.

    `tail` is a Hadamard product of vectors; `tied` says that the matrix is the diagonal one of the tail. `rank` is
    the number of axes; `covers` are those along which the term is not merely repeated.
    """

    rank: int
    coefficient: Coefficient = 1
    scalars: tuple[Power, ...] = ()
    links: tuple[Link, ...] = ()
    tail: tuple[Power, ...] = ()
    whole: Tree | None = None
    covers: frozenset[int] = frozenset()

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


def absorbed(term: Term) -> Term:
    """Return a vector `diag(u) @ v` as the product `u*v`."""
    while term.tail and term.links and term.links[-1].diagonal and term.links[-1].matrix is None:
        term = replace(term, links=term.links[:-1], tail=(*term.links[-1].powers, *term.tail))
    return term


def written(term: Term) -> Tree:
    """Return a term as a tree: `-2*det(X)*A @ x`, `X/norm(X)`."""
    negative = term.coefficient < 0
    coefficient: Coefficient = -term.coefficient if negative else term.coefficient
    above: list[Tree] = []
    below: list[Tree] = []
    if found := multiple_of_constant(coefficient):
        coefficient, constant = found
        term = replace(term, scalars=(constant, *term.scalars))
    term = absorbed(replace(term, scalars=tuple(with_norms(term.scalars))))
    if isinstance(coefficient, Fraction) and coefficient.denominator != 1:
        below.append(Number(str(coefficient.denominator)))
        coefficient = coefficient.numerator
    if coefficient != 1:
        above.append(number(coefficient))
    scalars = collected(term.scalars)
    above += [power(tree, exponent) for tree, exponent in scalars if exponent > 0]
    below += [power(tree, -exponent) for tree, exponent in scalars if exponent < 0]
    body = chain(term)
    if body is None and term.tail:
        tail = collected(term.tail)
        above += [power(tree, exponent) for tree, exponent in tail if exponent > 0]
        below += [power(tree, -exponent) for tree, exponent in tail if exponent < 0]
    result = _joined(above, body, below)
    if negative and isinstance(result, Binary) and result.operator in ("+", "-"):
        other = "-" if result.operator == "+" else "+"
        return Binary(other, _minus(result.left), result.right)
    return negated(result) if negative else result


def _minus(tree: Tree) -> Tree:
    """Return minus a sum, term by term."""
    if isinstance(tree, Binary) and tree.operator in ("+", "-"):
        return Binary("-" if tree.operator == "+" else "+", _minus(tree.left), tree.right)
    return negated(tree)


def _joined(above: list[Tree], body: Tree | None, below: list[Tree]) -> Tree:
    if body is None:
        result = times(above) if above else Number("1")
    elif above:
        result = _onto_first(times(above), body)
    else:
        result = body
    for divisor in below:
        result = Binary("/", result, divisor)
    return result


def _onto_first(factor: Tree, body: Tree) -> Tree:
    """Multiply the first factor of a chain, so that no brackets are needed: `2*A @ x`."""
    if isinstance(body, Binary) and body.operator in ("@", "*", "/"):
        return Binary(body.operator, _onto_first(factor, body.left), body.right)
    if isinstance(body, Unary) and body.operator == "-":
        return negated(Binary("*", factor, body.operand))
    return Binary("*", factor, body)
