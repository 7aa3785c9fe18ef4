"""Shapes over unknown lengths: the expression is elaborated once, and what must be equal is solved as it appears.

For `A @ x - b` each axis starts as a length of its own: A is (A.0, A.1), x is (x.0) and b is (b.0). The product asks
that A.1 and x.0 are equal, the difference that A.0 and b.0 are; what is left is called n and m, in order: A is (n, m),
x is (m) and b is (n). The elaborator is the only place that knows what fits: where it refuses two lengths, the solver
makes them equal and asks again.

Each name has as many axes as were given, or as `habits` finds beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Unpack

from ...grammar import syntax
from ..arrays import Static, copied
from ..errors import ExpressionError, ShapeError, Span
from ..graph.nodes import Symbol
from ..graph.sizes import NotPlainError, names_in, replace_lengths
from ..shapes import MATRIX_ASSUMPTIONS, Shape
from .choice import chosen
from .elaborate import Elaborator
from .entries import StaticNameError
from .habits import Wanted, read
from .solver import Lengths, Ranks, Solver
from .spoken import speak

SMALLEST = 3
Assumptions = Mapping[str, Iterable[str]]


def infer_shapes(
    program: syntax.Program,
    known: Mapping[str, Shape],
    unknown: Mapping[str, Span],
    statics: Mapping[str, Static],
    assumptions: Assumptions | None = None,
    **wanted: Unpack[Wanted],
) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return shapes for the unknown names, and values for those of them that stand for sizes.

    Example: for `x.T @ A @ x` with nothing known, x is (3) and A is 3×3; with A known as 5×5, x is (5). A name that is
    assumed symmetric, diagonal or triangular is square.

    Raises ExpressionError where no shapes make the expression work, as seen with small lengths. Where nothing is
    unknown, nothing is tried: the elaboration over the known shapes tells whether they fit.
    """
    if not unknown:
        return {}, {}
    square = square_names(assumptions)
    found = solve_lengths(program, ranks_of(known), unknown, statics, square, known, **wanted)
    for name in found.counts:
        if name in known and name not in statics:
            raise _asked_for(name, program)
    try:
        values = found.values(known, statics)
        symbols = {name: Symbol.of(name, shape) for name, shape in found.shapes.items()}
        values = chosen(Elaborator(symbols, found.statics).run(program), found.sizes, values)
    except ShapeError:
        # The expression fits lengths that are tied to each other in other ways: it is tried with some of its own.
        values = {name: size for size, name in enumerate(names_in(chain(*found.shapes.values())), SMALLEST)}
    shapes = {name: tuple(replace_lengths(size, values) for size in found.shapes[name]) for name in unknown}
    counts = {name: size for name, size in found.counts.items() if name in unknown}
    return shapes, {name: replace_lengths(size, values) for name, size in counts.items()}


def square_names(assumptions: Assumptions | None) -> list[str]:
    """Return the names of which is assumed what only a square matrix can be."""
    matrices = {*MATRIX_ASSUMPTIONS}
    return [name for name, words in (assumptions or {}).items() if not matrices.isdisjoint(words)]


def ranks_of(shapes: Mapping[str, Shape]) -> dict[str, tuple[bool, ...]]:
    """Return what of shapes a solution depends on: `ranks_of({"x": (3, 1)}) == {"x": (False, True)}`."""
    return {name: tuple(size == 1 for size in shape) for name, shape in shapes.items()}


def solve_lengths(
    program: syntax.Program,
    known: Ranks,
    unknown: Mapping[str, Span],
    numbers: Mapping[str, Static],
    square: Iterable[str] = (),
    shapes: Mapping[str, Shape] | None = None,
    **wanted: Unpack[Wanted],
) -> Lengths:
    """Return shapes over named lengths for all names, those without a rank included.

    Example: for `x.T @ A @ x` x is (n) and A is n×n. `numbers` are the values of names that are whole numbers, for
    where no symbol will do, as an axis; `square` are names of square matrices. The `shapes` at hand decide where the
    expression leaves a choice of which lengths are equal, and errors speak of them. A length that must be known in
    numbers, as of x in `quantile(x, 0.3)`, is that of these shapes, else the least one.

    Raises ExpressionError where no lengths make the expression fit.
    """
    read_as = read(program, {name: len(axes) for name, axes in known.items()}, [*unknown], square=square, **wanted)
    ranks = {**known, **{name: (False,) * rank for name, rank in read_as.items()}}
    plain: dict[str, Static] = {}
    fixed: dict[str, int] = {}
    while True:
        solver = Solver(ranks, square, plain, shapes, fixed)
        try:
            solver.run(program)
        except StaticNameError as error:
            if error.name not in numbers or error.name in plain:
                raise
            plain[error.name] = copied(numbers[error.name])
        except NotPlainError as error:
            asked = names_in(error.lengths)
            names = [name for name in asked if name in ranks and name not in plain]
            if not asked:
                raise
            if not names:
                given = solver.known_lengths(shapes or {})
                fixed |= {name: given.get(name, SMALLEST) for name in asked}
                continue
            if unasked := [name for name in names if name not in numbers]:
                raise _asked_for(unasked[0], program) from None
            plain |= {name: copied(numbers[name]) for name in names}
        except ExpressionError as error:
            speak(error, ranks, solver.known_lengths(shapes or {}))
            raise
        else:
            return replace(solver.solution(), fixed=_in_words(fixed))


def _in_words(fixed: Mapping[str, int]) -> tuple[str, ...]:
    """Return what lengths are fixed: `_in_words({"x.0": 3}) == ("x.shape[0] == 3",)`."""
    places = {tuple(name.rsplit(".", 1)): size for name, size in fixed.items()}
    return tuple(f"{name}.shape[{axis}] == {size}" for (name, axis), size in places.items())


def _asked_for(name: str, program: syntax.Program) -> StaticNameError:
    """Return the error that asks for the value of a name."""
    return StaticNameError(name, next(node.span for node in syntax.walk(program) if node == syntax.Name(name)))
