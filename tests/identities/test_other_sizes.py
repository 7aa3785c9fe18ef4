"""Printed programs are for every size: called at sizes that they were not printed for, they have the right numbers.

What is right is computed anew at those sizes, by a calculation that knows of no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice, permutations

import numpy as np
import pytest

from identities.records import Record, Values, sample
from identities.test_formulas import DERIVATIVES, KINDS, assumptions
from libraries import run
from matgrad.core.arrays import Array
from matgrad.core.errors import MatgradError
from matgrad.core.evaluation.program import OperationFailed
from matgrad.core.export.functions import code
from matgrad.core.graph.sizes import NotPlainError, replace_lengths
from matgrad.core.problems.calculation import Calculation
from matgrad.core.problems.compiler import Compiler
from matgrad.core.problems.problem import Problem

Shapes = Mapping[str, tuple[int, ...]]

FUNCTIONS = {"grad": "gradient"}
SIZES = 3
PRIMES = (5, 3, 7, 2, 11)
SQUARE = ("symmetric", "spd", "diagonal", "invertible")

OWN_SHAPES = {"X": (4, 3), "x": (4,), "y": (3,), "A": (2, 3), "B": (2, 6), "C": (4, 6), "w": (6,)}
OWN: list[tuple[str, str, str]] = [
    ("jacobian", "roll(X, -2)", "X"),
    ("jacobian", "repeat(X, 3)", "X"),
    ("jacobian", "tile(x, 2)", "x"),
    ("jacobian", "kron(A, X)", "AX"),
    ("jacobian", "x[::2]", "x"),
    ("jacobian", "x[:-1]", "x"),
    ("jacobian", "concatenate([x, y])", "xy"),
    ("jacobian", "reshape(B, (3, -1)).T", "B"),
    ("jacobian", "mean(X[1:] - X[:-1], axis=0)", "X"),
    ("jacobian", "diagonal(X, 1)", "X"),
    ("jacobian", "x[::-2]", "x"),
    ("jacobian", "X[1:-1, ::2]", "X"),
    ("jacobian", "concatenate([zeros(2), x, x[-1:]])", "x"),
    ("jacobian", "reshape(C, (3, 8)).T", "C"),
    ("jacobian", "reshape(w, (2, -1)) - mean(reshape(w, (2, -1)), axis=0)", "w"),
    ("grad", "sum(x)/mean(x)", "x"),
]
RECORDS: list[Record] = [
    *DERIVATIVES,
    *(
        {
            "id": text,
            "expr": text,
            "kind": kind,
            "wrt": [names[0]],
            "vars": {name: {"shape": OWN_SHAPES[name]} for name in names},
        }
        for kind, text, names in OWN
    ),
]

# A program for particular sizes is printed only where the expression asks for these.
DEMANDED = {
    "wiki-ss-lnU": "eye(4) is added to A",
    "wiki-ss-lnU-h": "eye(4) is added to A",
    "elem-relu-zeros": "x is compared with zeros(5)",
    "elem-zeros-norm": "zeros(4) is subtracted from x",
    "elem-ones-bilinear": "X stands between ones(3) and ones(4)",
    "elem-ones-centre": "eye(4) is multiplied by x",
}
REFUSED = DEMANDED.keys()


def problem_of(record: Record) -> Problem:
    kind: str = record["kind"]
    return Problem.of(record["expr"], KINDS.get(kind, kind), tuple(record["wrt"]), assumptions(record))


def other_shapes(problem: Problem, shapes: Shapes) -> Iterator[Shapes]:
    """Yield shapes of other sizes: all lengths one longer, then primes in many orders, then all longer still.

    Where the expression has no lengths that vary, all axes are longer: its program must refuse them.
    """
    general, lengths = Compiler(problem).find(shapes, {}).calculation.general or (None, {})
    if general is None or not lengths:
        for more in range(1, 1 + SIZES):
            yield {name: tuple(size + more for size in shape) for name, shape in shapes.items()}
        return
    longer = [{name: size + more for name, size in lengths.items()} for more in range(1, 9)]
    primes = (dict(zip(lengths, order, strict=True)) for order in permutations(PRIMES[: len(lengths)]))
    for values in chain(longer[:1], islice(primes, 24), longer[1:]):
        try:
            yield {
                name: tuple(replace_lengths(size, values) for size in symbol.shape)
                for name, symbol in general.symbols.items()
            }
        except NotPlainError:  # a division leaves a rest
            continue


def sampled(record: Record, shapes: Shapes) -> Values | None:
    """Return inputs of other shapes that satisfy what a record assumes, None where none do."""
    wanted = {name: {**record["vars"][name], "shape": shape} for name, shape in shapes.items()}
    if any(one.get("assume") in SQUARE and len({*one["shape"]}) != 1 for one in wanted.values()):
        return None
    return sample({**record, "vars": wanted}, 1)


def own_results(problem: Problem, values: Values) -> list[Array] | None:
    """Return the value and the derivatives, None where they are not defined.

    They are not where they jump when the inputs hardly move, as the inverse of a singular Gram matrix does.
    """
    nearby = np.random.default_rng(0)
    moved = {name: value * (1 + 1e-9 * nearby.standard_normal(value.shape)) for name, value in values.items()}
    try:
        calculation = Calculation(problem, {name: values[name].shape for name in problem.names})
        with np.errstate(all="ignore"):
            here, there = calculation.program.run(values), calculation.program.run(moved)
    except (MatgradError, OperationFailed, np.linalg.LinAlgError):
        return None
    near = all(np.allclose(one, other, rtol=1e-4, atol=1e-5) for one, other in zip(here, there, strict=True))
    return here if near else None


def outcome(problem: Problem, source: str, values: Values, wanted: list[Array] | None) -> str:
    """Return what a program does with inputs: `right`, `wrong` or `refused`."""
    inputs = [values[name] for name in problem.names]
    try:
        found = run(source, FUNCTIONS.get(problem.kind, problem.kind), inputs, "numpy")
    except AssertionError:
        return "refused"
    assert wanted is not None, source
    same = len(found) == len(wanted) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-7, atol=1e-8)
        for one, other in zip(found, wanted, strict=True)
    )
    return "right" if same else "wrong"


@pytest.mark.parametrize("record", RECORDS, ids=[record["id"] for record in RECORDS])
def test_a_program_has_the_numbers_at_other_sizes(record: Record) -> None:
    problem = problem_of(record)
    shapes = {name: tuple(record["vars"][name]["shape"]) for name in problem.names}
    source = code(problem, shapes)
    found: list[tuple[str, Shapes]] = []
    for others in other_shapes(problem, shapes):
        values = sampled(record, others)
        wanted = None if values is None else own_results(problem, values)
        # Where the sizes are those of the expression, others are not defined, and the program says so.
        if values is not None and (wanted is not None or record["id"] in REFUSED):
            found.append((outcome(problem, source, values, wanted), others))
        if len(found) == SIZES:
            break
    assert len(found) == SIZES
    expected = "refused" if record["id"] in REFUSED else "right"
    assert all(word == expected for word, _ in found), (found, source)


def test_a_program_for_square_matrices_refuses_others() -> None:
    source = code(Problem.of("prod(svdvals(X))", "grad", ("X",)), {"X": (3, 3)})
    with pytest.raises(AssertionError):
        run(source, "gradient", [np.ones((4, 3))], "numpy")


def test_what_is_refused_is_among_the_records() -> None:
    assert {record["id"] for record in RECORDS} >= REFUSED
