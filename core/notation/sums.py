"""Sums of terms with what the terms share drawn out: `A @ x + A.T @ x` becomes `(A + A.T) @ x`.

Factoring works on the chains of the terms. It is for display alone: the numbers are computed from the graph.

>>> from matgrad.grammar.syntax import Name
>>> from matgrad.grammar.writer import write
>>> A, tail = Link.of(Name("A")), ((Name("x"), 1),)
>>> write(written(summed([Term(1, links=(A,), tail=tail), Term(1, links=(A.flipped(),), tail=tail)])))
'(A + A.T) @ x'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import gcd, isfinite

from ...grammar.budget import spend
from ...grammar.syntax import Binary, Call, Index, Literal, Number, Slice, String
from ..graph.nodes import Plain
from .chains import Link, flipped
from .terms import Term, chain, written
from .trees import (
    ONE,
    TURNED,
    Power,
    Tree,
    call,
    collected,
    indexed,
    length,
    magnitude,
    negated,
    power,
    size,
    transposed,
    transposes,
    with_norms,
)

# A factor in front of a sum costs a pair of brackets. A sum of matrices is worth them where what divides it is long.
BRACKETS = 2
SHORT = 4

# Under this name a tree that is a sum remembers its terms.
SUMMANDS = "_summands"


def summed(terms: Sequence[Term]) -> Term:
    """Return a sum as one term, with what its terms share drawn out."""
    rank = terms[0].rank
    spend(len(terms))
    terms = _collected(terms)
    if len(terms) == 1:
        return terms[0]
    if rank == 2 and (diagonal := _diagonal_sum(terms)) is not None:
        return diagonal
    common, scalars, terms = _content(terms)
    if (found := _step(terms) or _opened(terms)) is not None:
        return found._replace(coefficient=common * found.coefficient, scalars=(*scalars, *found.scalars))
    terms = _grouped(_joined_einsums(_factored(_with_shared_outers(terms))))
    spread = [term._replace(scalars=tuple(collected([*scalars, *term.scalars]))) for term in terms]
    brackets = 0 if rank > 1 and any(e < 0 and length(tree) > SHORT for tree, e in scalars) else BRACKETS
    if len(terms) > 1 and scalars and length(_added(spread)) < length(_added(terms)) + _length_of(scalars) + brackets:
        scalars, terms = (), spread
    if len(terms) == 1:
        (term,) = terms
        return term._replace(coefficient=term.coefficient * common, scalars=(*scalars, *term.scalars), rank=rank)
    tree, terms = _fewest_transposes(terms) if rank == 2 else (_added(terms), terms)
    tree.__dict__[SUMMANDS] = terms
    covers = frozenset().union(*(term.covers for term in terms))
    outer = Term(rank, common, scalars, covers=covers)
    if rank == 2:
        return outer._replace(links=(Link.of(tree, spread=any(map(_is_spread, terms))),))
    if rank == 1:
        factors, inner = _shared_factors(terms)
        if factors:
            left = summed(inner)
            return outer._replace(
                coefficient=common * left.coefficient,
                scalars=(*scalars, *left.scalars),
                links=left.links,
                tail=(*factors, *left.tail),
            )
        return outer._replace(tail=((tree, ONE),))
    if rank == 0:
        return outer._replace(scalars=(*scalars, (tree, ONE)))
    return outer._replace(whole=tree)


def _step(terms: list[Term]) -> Term | None:
    """Return (a < b) + (a == b)/2 as (1 + sign(b - a))/2."""
    if len(terms) != 2 or not all(isinstance(_only_factor(term), Binary) for term in terms):
        return None
    for strict, tie in (terms, terms[::-1]):
        one, two = _only_factor(strict), _only_factor(tie)
        assert isinstance(one, Binary)
        assert isinstance(two, Binary)
        same = {one.left, one.right} == {two.left, two.right}
        if one.operator in "<>" and two.operator == "==" and same and strict.coefficient == 2 * tie.coefficient:
            small, large = (one.left, one.right) if one.operator == "<" else (one.right, one.left)
            zero = Number("0")
            side = large if small == zero else negated(small) if large == zero else Binary("-", large, small)
            tree = Binary("+", Number("1"), call("sign", side))
            factor = ((tree, ONE),)
            half = Fraction(strict.coefficient) / 2
            changed = strict._replace(coefficient=half)
            return changed._replace(tail=factor) if strict.tail else changed._replace(scalars=factor)
    return None


def _opened(terms: list[Term]) -> Term | None:
    """Return a sum with the sums among its terms opened, where terms meet then: `1 - x - x` is `1 - 2*x`.

    It has no more terms than before: sums of sums would grow with every step of an iteration.
    """
    opened = [part for term in terms for part in _summands(term)]
    if len(opened) == len(terms):
        return None
    met = _collected(opened)
    if len(met) > len(terms) or met[0].coefficient == 0:
        return None
    same = _covered(met) == _covered(terms) and length(_added(met)) <= length(_added(terms))
    return summed(met) if same else None


def _summands(term: Term) -> list[Term]:
    """Return the terms of a term that is a sum times a number and scalars, else the term itself."""
    link = term.links[0] if len(term.links) == 1 and not term.tail and not term.links[0].diagonal else None
    powers = link.powers if link is not None else () if term.links else term.tail or term.scalars
    for tree, exponent in powers if len(powers) == 1 or not (term.links or term.tail) else ():
        inner: Sequence[Term] = tree.__dict__.get(SUMMANDS, ())
        if inner and exponent == 1 and term.whole is None:
            scalars = tuple(pair for pair in term.scalars if pair != (tree, exponent))
            return [
                part._replace(
                    rank=term.rank,
                    coefficient=part.coefficient * term.coefficient,
                    scalars=tuple(collected([*scalars, *part.scalars])),
                    place=term.place,
                )
                for part in inner
            ]
    return [term]


def _covered(terms: Sequence[Term]) -> frozenset[int]:
    return frozenset[int]().union(*(term.covers for term in terms))


def _only_factor(term: Term) -> Tree | None:
    """Return what a term consists of where it is one scalar or one vector."""
    factors = (*term.scalars, *term.tail)
    plain = not term.links and term.whole is None and len(factors) == 1 and factors[0][1] == 1
    return factors[0][0] if plain else None


def _length_of(scalars: tuple[Power, ...]) -> int:
    """Return about how many words and signs it takes to multiply by scalars."""
    return sum(1 + length(power(tree, magnitude(exponent))) for tree, exponent in scalars)


def _fewest_transposes(terms: list[Term]) -> tuple[Tree, list[Term]]:
    """Return a sum of matrices and its terms, turned around where `(X @ B + B @ X).T` writes fewer transposes.

    What is repeated along an axis is turned with the rest: `(X.T - v[:, None]).T` is `X - v`.
    """
    tree = _added(terms)
    turned = [_turned(term) for term in terms]
    found = [term for term in turned if term is not None]
    if len(found) < len(terms) or (not (spread := any(map(_is_spread, terms))) and transposes(tree) < 2):
        return tree, terms
    other = _added(found)
    if spread:
        tree.__dict__[TURNED], other.__dict__[TURNED] = other, tree
    whole = transposed(other)
    shorter = transposes(other) < transposes(tree) and length(whole) < length(tree)
    return (whole if transposes(other) + 1 < transposes(tree) or (spread and shorter) else tree), terms


def _turned(term: Term) -> Term | None:
    """Return the transpose of a term of a sum of matrices, None where it is not known how it is turned."""
    other = frozenset(1 - axis for axis in term.covers)
    if term.whole is None:
        return term._replace(links=flipped(term.links), covers=other) if term.links or not term.covers else None
    match term.whole:
        case Index(core, (Slice(None, None, None), Literal(None))) if term.covers == {0}:
            return term._replace(whole=core, covers=other)
    return (
        term._replace(whole=indexed(term.whole, [Slice(), Literal(None)]), covers=other) if term.covers == {1} else None
    )


def _is_spread(term: Term) -> bool:
    """Whether a term of a sum of matrices is no matrix itself, or has a part that is transposed as a whole."""
    if any(link.spread for link in term.links) or term.whole is not None:
        return True
    return not term.links and bool(term.scalars)


def _diagonal_sum(terms: Sequence[Term]) -> Term | None:
    """Return diag(u) + diag(v) as diag(u + v)."""
    if not all(len(term.links) == 1 and term.links[0].diagonal and not term.tail for term in terms):
        return None
    vectors = [term._replace(rank=1, links=(), tail=term.links[0].powers) for term in terms]
    total = summed(vectors)
    return total._replace(rank=2, links=(Link(total.tail, diagonal=True),), tail=())


def _shared_factors(terms: list[Term]) -> tuple[tuple[Power, ...], list[Term]]:
    """Draw out the factors of Hadamard products that all terms share."""
    if any(term.links or not term.tail for term in terms):
        return (), terms
    shared = [dict(collected(term.tail)) for term in terms]
    common = tuple((tree, e) for tree, e in shared[0].items() if all(own.get(tree) == e for own in shared[1:]))
    if not common:
        return (), terms
    taken = dict(common)
    left = [tuple((tree, e) for tree, e in own.items() if tree not in taken) for own in shared]
    return common, [term._replace(tail=tail) for term, tail in zip(terms, left, strict=True)]


def _collected(terms: Sequence[Term]) -> list[Term]:
    """Add the coefficients of terms that are otherwise the same."""
    seen: dict[tuple[object, ...], Term] = {}
    for term in terms:
        term = term._replace(scalars=tuple(with_norms(term.scalars)))
        key = (frozenset(collected(term.scalars)), term.links, frozenset(collected(term.tail)), term.whole)
        if key in seen:
            term = seen[key]._replace(coefficient=seen[key].coefficient + term.coefficient)
        seen[key] = term
    return [term for term in seen.values() if term.coefficient != 0] or [terms[0]._replace(coefficient=0)]


def _content(terms: list[Term]) -> tuple[Plain, tuple[Power, ...], list[Term]]:
    """Draw out the number and the scalar factors that all terms share."""
    shared = list(terms[0].scalars)
    for term in terms[1:]:
        own = dict(term.scalars)
        shared = [(tree, min(e, own[tree], key=magnitude)) for tree, e in shared if tree in own and e * own[tree] > 0]
    finite = not any(isinstance(term.coefficient, float) and not isfinite(term.coefficient) for term in terms)
    common = _common_number([term.coefficient for term in terms]) if finite else 1
    nested = {tree for term in terms for tree, e in term.scalars if e < 0 and dict(shared).get(tree) != e}
    if nested and not terms[0].rank:
        # What is left would be a fraction in a fraction.
        shared = [(tree, e) for tree, e in shared if tree not in nested or e > 0]
        alone = isinstance(common, Fraction) and not any(e < 0 for _, e in shared)
        common = Fraction(common).numerator if alone else common
    drawn = [(tree, -e) for tree, e in shared]
    scalars = [tuple(collected([*term.scalars, *drawn])) for term in terms]
    numbers = [term.coefficient if common == 1 else Fraction(term.coefficient) / Fraction(common) for term in terms]
    parts = zip(terms, numbers, scalars, strict=True)
    return common, tuple(shared), [term._replace(coefficient=c, scalars=own) for term, c, own in parts]


def _grouped(terms: list[Term]) -> list[Term]:
    """Put terms of a sum of matrices together that share scalars: `H + s*A + s*B` becomes `H + s*(A + B)`."""
    if terms[0].rank != 2 or len(terms) < 3:
        return terms
    for scalars in dict.fromkeys(pair for term in terms for pair in term.scalars):
        members = [place for place, term in enumerate(terms) if scalars in term.scalars]
        if 1 < len(members) < len(terms):
            inner = [terms[place] for place in members]
            group = summed(inner)
            if group.scalars and length(written(group)) <= length(_added(inner)) - BRACKETS:
                first = members[0]
                group = group._replace(place=min(term.place for term in inner))
                return _grouped(
                    [group if k == first else t for k, t in enumerate(terms) if k == first or k not in members]
                )
    return terms


def drawn_out(term: Term) -> Term:
    """Return a product with the scalars in front that all terms of a sum in it share.

    Such a sum has brackets in any case: `(2*e*a - e*b)*x` is `e*(2*a - b)*x`.
    """
    if len(term.scalars) + len(term.tail) + len(term.links) == 1:
        return term
    found = [_apart(powers) for powers in (term.scalars, term.tail)]
    shared = (*found[0][0], *found[1][0])
    return term._replace(scalars=(*shared, *found[0][1]), tail=found[1][1]) if shared else term


def _apart(powers: tuple[Power, ...]) -> tuple[tuple[Power, ...], tuple[Power, ...]]:
    """Return the scalars that all terms of the sums among factors share, and the factors without them."""
    drawn, left = list[Power](), list[Power]()
    for tree, exponent in powers:
        terms: Sequence[Term] = tree.__dict__.get(SUMMANDS, ()) if exponent == 1 else ()
        shared = [pair for pair in terms[0].scalars if all(pair in term.scalars for term in terms)] if terms else []
        if shared:
            terms = [term._replace(scalars=tuple(p for p in term.scalars if p not in shared)) for term in terms]
            tree = _added([*terms])
            tree.__dict__[SUMMANDS] = terms
        drawn += shared
        left.append((tree, exponent))
    return tuple(drawn), tuple(left)


def _common_number(coefficients: list[Plain]) -> Plain:
    """Return the number to draw out of a sum: the common divisor, negative where every term is."""
    if any(isinstance(value, float) for value in coefficients):
        first = coefficients[0]
        return first if all(value == first for value in coefficients) else 1
    values = [value if isinstance(value, int) else Fraction(value) for value in coefficients]
    # A denominator is drawn out only where all terms have it: x + y/2 is not (2*x + y)/2.
    below = values[0].denominator if len({v.denominator for v in values}) == 1 else 1
    above = gcd(*(v.numerator for v in values)) if below != 1 or all(v.denominator == 1 for v in values) else 1
    divisor = above if below == 1 else Fraction(above, below)
    return -divisor if all(value < 0 for value in values) else divisor


def _with_shared_outers(terms: list[Term]) -> list[Term]:
    """Return terms in which outer products that several have stay whole: `M @ X + X @ M` for `M = outer(u, v)`."""
    links = [link for term in terms for link in term.links]
    outers = [link for link in links if isinstance(link.tree, Call) and link.tree.function == "outer"]
    often = {link for link in outers if outers.count(link) > 1}
    if not often:
        return terms
    new = {link: link._replace(shared=True) for link in often}
    return [term._replace(links=tuple(new.get(link, link) for link in term.links)) for term in terms]


def _factored(terms: list[Term]) -> list[Term]:
    """Join terms whose chains share a beginning or an end, the longest shares first."""
    while True:
        pairs = [(*_shared(terms[i], terms[j]), i, j) for i, j in _meeting(terms)]
        front, back, i, j = max(pairs, key=lambda pair: pair[0] + pair[1], default=(0, 0, 0, 0))
        if not front + back:
            return terms
        others = (k for k in range(len(terms)) if k not in (i, j))
        group = [i, j, *(k for k in others if _shares(terms[i], terms[k], front, back))]
        joined = _joined_chains([terms[k] for k in group], front, back)
        terms = [joined if k == i else term for k, term in enumerate(terms) if k not in group[1:] or k == i]


def _meeting(terms: list[Term]) -> list[tuple[int, int]]:
    """Return the pairs of terms that have their first or their last link in common, in order."""
    groups: dict[object, list[int]] = {}
    for place, term in enumerate(terms):
        sequence = term.sequence
        if term.whole is None and len(sequence) > 1:
            for end in (0, -1):
                groups.setdefault((end, sequence[end]), []).append(place)
    pairs = {pair for places in groups.values() for pair in combinations(places, 2)}
    spend(len(pairs))
    return sorted(pairs)


def _joinable(first: Term, second: Term) -> bool:
    return first.whole is None and second.whole is None and bool(first.tail) == bool(second.tail)


def _shared(first: Term, second: Term) -> tuple[int, int]:
    """Return how many leading and trailing parts two chains share, leaving at least one part of each in between."""
    if not _joinable(first, second):
        return 0, 0
    one, two = first.sequence, second.sequence
    room = min(len(one), len(two)) - 1
    front = 0
    while front < room and one[front] == two[front]:
        front += 1
    back = 0
    while back < room - front and one[-1 - back] == two[-1 - back]:
        back += 1
    return front, back


def _shares(first: Term, second: Term, front: int, back: int) -> bool:
    one, two = first.sequence, second.sequence
    if not _joinable(first, second) or len(two) <= front + back:
        return False
    return one[:front] == two[:front] and one[len(one) - back :] == two[len(two) - back :]


def _joined_chains(terms: list[Term], front: int, back: int) -> Term:
    first = terms[0]
    inner_has_tail = bool(first.tail) and back == 0
    inner = []
    for term in terms:
        links = term.links[front : len(term.sequence) - back]
        tail = term.tail if inner_has_tail else ()
        inner.append(term._replace(rank=1 if inner_has_tail else 2, links=links, tail=tail))
    middle = summed(inner)
    links = (*first.links[:front], *middle.links, *first.links[len(first.sequence) - back :])
    tail = middle.tail if inner_has_tail else first.tail
    covers = frozenset().union(*(term.covers for term in terms))
    place = min(term.place for term in terms)
    return middle._replace(rank=first.rank, links=links, tail=tail, covers=covers, place=place)


def _joined_einsums(terms: list[Term]) -> list[Term]:
    """Join einsums that differ in one matrix: `einsum('ik,jl->ijkl', A, I) + einsum('ik,jl->ijkl', B, I)`."""
    einsums = [place for place, term in enumerate(terms) if isinstance(term.whole, Call)]
    spend(len(einsums) ** 2)
    for i, j in combinations(einsums, 2):
        if (joined := _joined_pair(terms[i], terms[j])) is not None:
            return _joined_einsums([*terms[:i], joined, *terms[i + 1 : j], *terms[j + 1 :]])
    return terms


def _joined_pair(first: Term, second: Term) -> Term | None:
    one, two = first.whole, second.whole
    if not (isinstance(one, Call) and isinstance(two, Call) and one.function == two.function == "einsum"):
        return None
    if one.arguments[0] != two.arguments[0] or len(one.arguments) != len(two.arguments):
        return None
    places = [place for place, pair in enumerate(zip(one.arguments, two.arguments, strict=True)) if pair[0] != pair[1]]
    subscripts = one.arguments[0]
    assert isinstance(subscripts, String)
    if len(places) != 1 or len(subscripts.value.split("->")[0].split(",")[places[0] - 1]) != 2:
        return None
    (place,) = places
    matrices = ((term, Link.of(einsum.arguments[place])) for term, einsum in ((first, one), (second, two)))
    middle = summed([term._replace(rank=2, whole=None, links=(link,)) for term, link in matrices])
    matrix = chain(middle)
    assert matrix is not None
    arguments = (*one.arguments[:place], matrix, *one.arguments[place + 1 :])
    joined = replace(one, arguments=arguments)
    return first._replace(coefficient=middle.coefficient, scalars=middle.scalars, whole=joined)


def _added(terms: list[Term]) -> Tree:
    """Return a sum of trees, each in its place, simple ones first; a positive one leads."""

    def order(pair: tuple[Term, Tree]) -> tuple[int, bool, int, int]:
        term, tree = pair
        return (term.place, term.coefficient < 0, transposes(tree), size(tree))

    found = sorted([(term, written(term)) for term in terms], key=order)
    lead = next((place for place, (term, _) in enumerate(found) if term.coefficient > 0), 0)
    (_, result), *others = [found.pop(lead), *found]
    for term, tree in others:
        negative = term.coefficient < 0
        other = written(term._replace(coefficient=-term.coefficient)) if negative else tree
        result = Binary("-" if negative else "+", result, other)
    return result
