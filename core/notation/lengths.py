"""Lengths as trees: `n`, `n - 1`, `2*n*m`, and what they do in indices and coefficients."""

from __future__ import annotations

from functools import reduce

from ...grammar.syntax import Binary, Call, ListLiteral, Name, Number, Slice
from ..graph.nodes import Coefficient, Plain, Select
from ..graph.places import Listed, Rotation, Windows, count_of
from ..graph.ratios import Ratio
from ..graph.sizes import Atom, Least, Length, Monomial, Size, factors_of, quotient
from .trees import Power, Tree, negated


def length_tree(size: int) -> Tree:
    """Return a length as it is written: `length_tree(n - 1)` is the tree of `n - 1`."""
    if not isinstance(size, Size):
        return negated(Number(str(-size))) if size < 0 else Number(str(size))
    (first, c), *others = size.terms
    result = negated(_term(first, -c)) if c < 0 else _term(first, c)
    for monomial, c in others:
        result = Binary("-" if c < 0 else "+", result, _term(monomial, abs(c)))
    return result


def _term(monomial: Monomial, c: int) -> Tree:
    factors: list[Tree] = [] if c == 1 and monomial else [Number(str(c))]
    for atom, power in monomial:
        tree = _atom(atom)
        factors.append(tree if power == 1 else Binary("**", tree, Number(str(power))))
    return reduce(lambda left, right: Binary("*", left, right), factors)


def _atom(atom: Atom) -> Tree:
    if isinstance(atom, Length):
        return Name(atom.name)
    first, second = (length_tree(part) for part in atom[:2])
    return Call("minimum", (first, second)) if isinstance(atom, Least) else Binary("//", first, second)


def split(coefficient: Coefficient) -> tuple[Plain, list[Power]]:
    """Return a coefficient as a plain number and powers of lengths: of `2/n` they are 2 and n**-1."""
    if not isinstance(coefficient, Ratio):
        return coefficient, []
    above = [(length_tree(size), power) for size, power in factors_of(coefficient.above).items()]
    below = [(length_tree(size), -power) for size, power in coefficient.below]
    return coefficient.number, [*above, *below]


def place_tree(place: int, size: int) -> Tree:
    """Return an index, counted from the end where it is a number so: the last of n is `-1`."""
    back = size - place
    return length_tree(-back if isinstance(place, Size) and not isinstance(back, Size) else place)


def rows_tree(select: Select) -> Tree:
    """Return the index that picks the rows of a selection: `0`, `1:3`, `::-1` or a list."""
    rows, size = select.rows, select.size
    if isinstance(rows, Rotation | Windows | Listed | tuple):
        return ListLiteral(tuple(place_tree(row, size) for row in rows))
    start, step, count = rows.start, rows.step, count_of(rows)
    if count == 0:
        return Slice(None, Number("0"))
    last = start + step * (count - 1)
    if step > 0:
        begin = None if start == 0 else place_tree(start, size)
        whole = count == quotient(size - start + step - 1, step)
        end = None if whole else place_tree(last + 1, size)
    else:
        begin = None if start == size - 1 else place_tree(start, size)
        whole = count == quotient(start - step, -step)
        end = None if whole else place_tree(last - 1, size)
    return Slice(begin, end, None if step == 1 else length_tree(step))
